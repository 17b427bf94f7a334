from functools import cache
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest
import yaml
from python_calamine import CalamineWorkbook

from sprx import sample, simulate
from sprx.clean import clean_scheme
from sprx.load import load_scheme
from sprx.sample import Design, draw_tables
from sprx.scoring import swemwbs_metric

COMMITTED = Path(__file__).parents[1] / "data" / "sample"
NAMES = ["harbour", "moorside", "northfield", "castle"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("sample")
    simulate.make_sample(out)
    return out


@pytest.fixture(scope="module")
def large():
    """3,000 people in each arm: enough that every tolerance below is more than three standard errors."""
    design = Design("large", people=3000, comparison=3000, effect=2.0, ratios=(("gp", 0.8), ("ae", 1.0)))
    return design, draw_tables(design, seed=7)


loaded = cache(load_scheme)          # read once, changed by nobody


def files(folder):
    return {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}


def truth(folder, scheme_id):
    rows = pd.read_csv(folder / "truth.csv")
    return rows[rows["scheme_id"] == scheme_id].set_index("quantity")["value"]


def pairs(tables, instrument="swemwbs"):
    """One row per person: arm, baseline and follow_up (missing where not measured)."""
    rows = tables["outcomes"].query("instrument == @instrument")
    wide = rows.pivot(index="person_id", columns="occasion", values="value")
    return tables["people"].set_index("person_id")[["arm"]].join(wide)


def same_content(one, other):
    if one.suffix == ".parquet":
        pd.testing.assert_frame_equal(pd.read_parquet(one), pd.read_parquet(other))
        return True
    books = [CalamineWorkbook.from_path(str(p)) for p in (one, other)]
    return all(books[0].get_sheet_by_name(s).to_python() == books[1].get_sheet_by_name(s).to_python() for s in books[0].sheet_names) \
        and books[0].sheet_names == books[1].sheet_names


def test_the_committed_sample_is_what_make_sample_makes(made):
    here, there = files(COMMITTED), files(made)
    assert sorted(here) == sorted(there)
    for name, path in here.items():
        by_content = path.suffix in (".parquet", ".xlsx")
        assert same_content(path, there[name]) if by_content else path.read_bytes() == there[name].read_bytes(), name


def test_the_sample_stays_small():
    assert sum(p.stat().st_size for p in files(COMMITTED).values()) < 6_000_000


def test_every_scheme_says_that_it_is_synthetic(made):
    for name in NAMES:
        text = (made / name / "scheme.yaml").read_text(encoding="utf-8")
        assert text.startswith("# SYNTHETIC") and yaml.safe_load(text)["synthetic"] is True
        assert loaded(made / name).settings.name.endswith("(synthetic)")
    assert "SYNTHETIC" in (made / "README.md").read_text(encoding="utf-8").splitlines()[0]


def test_truth_has_rows_for_every_scheme(made):
    rows = pd.read_csv(made / "truth.csv")
    assert list(rows.columns) == ["scheme_id", "quantity", "value", "unit", "description"]
    assert list(rows["scheme_id"].unique()) == NAMES and rows.notna().all(axis=None)
    assert not rows.duplicated(["scheme_id", "quantity"]).any()


def test_harbour_loads_without_a_single_issue(made):
    scheme = loaded(made / "harbour")
    assert scheme.issues.empty and not scheme.set_aside
    assert scheme.settings.comparison["design"] == "concurrent"
    assert scheme.tables["people"]["arm"].value_counts().to_dict() == {"scheme": 400, "comparison": 400}


def test_harbour_shows_the_planted_effect_and_its_change_is_larger(made):
    planted, rows = truth(made, "harbour"), pairs(loaded(made / "harbour").tables)
    change = (rows["follow_up"] - rows["baseline"]).groupby(rows["arm"]).mean()
    # standard error of the difference about 0.31 (sd 3.5, 250 pairs an arm); three of them
    assert change["scheme"] - change["comparison"] == pytest.approx(planted["effect_swemwbs"], abs=0.93)
    assert change["comparison"] == pytest.approx(planted["expected_change_without_scheme"], abs=0.66)
    assert change["scheme"] > planted["effect_swemwbs"] + 1


def test_moorside_shows_a_gain_although_it_does_nothing(made):
    planted, scheme = truth(made, "moorside"), loaded(made / "moorside")
    raw = scheme.tables["outcomes"].query("instrument == 'swemwbs'")
    assert raw["value"].mod(1).eq(0).all() and raw["value"].between(7, 35).all()
    wide = raw.assign(value=swemwbs_metric(raw["value"])).pivot(index="person_id", columns="occasion", values="value")
    change = (wide["follow_up"] - wide["baseline"]).dropna()
    assert planted["effect_swemwbs"] == 0 and planted["rate_ratio_gp"] == 1
    assert change.mean() - 1.96 * change.sem() > 2
    assert change.mean() == pytest.approx(planted["expected_change_complete_cases"], abs=3 * change.sem())


def test_moorside_is_an_export_of_its_own_kind(made):
    raw = (made / "moorside" / "needs.csv").read_bytes()
    assert b"caf\xe9" in raw and raw.splitlines()[0].count(b";") == 2
    scheme = loaded(made / "moorside")
    assert "misses the café club" in set(scheme.tables["needs"]["local_label"])
    assert scheme.tables["referrals"]["referral_date"].between("2024-04-01", "2025-09-30").all()
    assert scheme.tables["people"]["sex"].isin(["female", "male", "other", "not_known", "not_stated"]).all()
    assert set(scheme.issues["problem"][scheme.issues["action"] != "noted"]) == {"missing"}     # scores never taken


def test_northfield_loses_half_and_its_answers_add_up(made):
    scheme = loaded(made / "northfield")
    assert len(scheme.tables["people"]) == 46 and not scheme.has("service_use") and set(scheme.issues["table"]) <= {"provision"}
    rows = scheme.tables["outcomes"].query("instrument == 'swemwbs'")
    assert rows["value"].between(1, 5).all() and set(rows["item"]) == set("1234567")
    sittings = rows.groupby(["person_id", "measured_on"])["value"].agg(["sum", "size"])
    assert (sittings["size"] == 7).all() and sittings["sum"].between(7, 35).all()
    planted = truth(made, "northfield")
    assert planted["expected_change_complete_cases"] > planted["expected_change_without_scheme"] + planted["effect_swemwbs"] + 0.5
    start = scheme.tables["referrals"].groupby("person_id")["referral_date"].min()
    late = rows[(rows["measured_on"] - rows["person_id"].map(start)).dt.days > 31]
    assert late["person_id"].nunique() / 46 == pytest.approx(0.5, abs=0.22)      # three standard errors of a half among 46


def test_castle_holds_exactly_the_planted_dirt(made):
    planted = truth(made, "castle").filter(like="dirt_")
    issues = clean_scheme(loaded(made / "castle")).issues.query("table != 'provision'")
    assert issues.loc[issues["action"] == "noted", "problem"].str.contains("empty rows").tolist() == [True, True]
    issues = issues[issues["action"] != "noted"]
    found = issues.assign(n=1).groupby(["table", "column", "problem"])["n"].sum()
    for table, column, problem, quantity in [
            ("people", "birth_year", "out of range", "birth_year_1066"),
            ("people", "birth_year", "impossible year of birth", "birth_year_2031"),
            ("people", "person_id", "missing", "blank_client_ref_in_clients"),
            ("people", "person_id", "repeats an earlier row", "duplicate_clients"),
            ("referrals", "first_contact_date", "after the extract date", "date_in_2035"),
            ("referrals", "first_contact_date", "before referral_date", "first_seen_before_referral"),
            ("referrals", "referral_date", "not understood", "date_not_in_calendar"),
            ("referrals", "person_id", "missing", "blank_client_ref_in_referrals"),
            ("referrals", "person_id", "not in people", "referral_of_unknown_client"),
            ("referrals", "referral_id", "repeat referral in one episode", "repeat_referrals"),
            ("referrals", "referral_id", "repeats an earlier row", "duplicate_referrals")]:
        assert found.get((table, column, problem), 0) == planted[f"dirt_{quantity}"], quantity
    assert len(issues) == planted.drop(["dirt_empty_row_in_clients", "dirt_empty_row_in_referrals"]).sum()


def test_castle_has_dates_of_all_three_kinds_and_an_empty_row_in_each_sheet(made):
    book = CalamineWorkbook.from_path(str(made / "castle" / "castle_export.xlsx"))
    assert book.sheet_names == ["Clients", "Referrals 24-25"]
    sheets = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]
    assert [sum(all(cell == "" for cell in row) for row in rows) for rows in sheets] == [1, 1]
    dates = [row[2] for row in sheets[1][1:] if row[2] != ""]
    kinds = {type(d).__name__ if not isinstance(d, str) else "/" if "/" in d else "-" for d in dates}
    assert kinds in ({"date", "/", "-"}, {"datetime", "/", "-"})
    assert {"Female", "F", "female "} <= {row[2] for row in sheets[0][1:]}


def test_the_expected_change_is_the_closed_form_of_regression_to_the_mean(made):
    # E[stable - momentary | momentary < cut] = passing share x sd x pdf(a) / cdf(a), a = (cut - mean) / sd; plus recovery
    for design in (simulate.HARBOUR, simulate.MOORSIDE):
        a = (design.cut - sample.LEVEL_MEAN) / sample.LEVEL_SD
        expected = design.recovery + design.passing_share * sample.LEVEL_SD * NormalDist().pdf(a) / NormalDist().cdf(a)
        assert truth(made, design.name)["expected_change_without_scheme"] == pytest.approx(expected, abs=0.04)


def test_effect_dropout_and_their_direction_hold_in_a_large_draw(large):
    design, tables = large
    for instrument, effect, tolerance in (("swemwbs", 2.0, 0.30), ("phq9", -1.78, 0.35), ("ucla3", -0.48, 0.13)):
        rows = pairs(tables, instrument)
        change = (rows["follow_up"] - rows["baseline"]).groupby(rows["arm"]).mean()
        assert change["scheme"] - change["comparison"] == pytest.approx(effect, abs=tolerance)
    rows = pairs(tables)
    lost = rows["follow_up"].isna()
    assert lost.mean() == pytest.approx(design.dropout, abs=0.025)
    assert rows["baseline"][lost].mean() < rows["baseline"][~lost].mean() - 0.3


def test_waits_and_statuses_agree_with_what_was_planted(large):
    design, tables = large
    rows = tables["referrals"]
    days = (rows["first_contact_date"] - rows["referral_date"]).dt.days
    assert days.median() == pytest.approx(design.median_wait, abs=1.5) and days.min() >= 0
    refused = rows["status"].isin(["declined_by_person", "did_not_attend", "rejected_by_service", "referred"])
    assert refused.mean() == pytest.approx(design.never_seen, abs=0.02)
    waiting = rows[rows["status"] == "waiting"]
    assert len(waiting) and waiting["first_contact_date"].isna().all() and waiting["closed_date"].isna().all()
    assert (rows["closed_date"].notna() == rows["closure_reason"].notna()).all()
    assert rows["closed_date"].dropna().le("2025-12-31").all()
    again = rows[rows.duplicated("person_id", keep=False)].groupby("person_id")["referral_date"].agg(np.ptp)
    assert len(again) == round(sample.SECOND_EPISODE * 3000) and again.min() > pd.Timedelta(days=180)


def test_use_of_services_changes_by_the_planted_ratio(large):
    _, tables = large
    who = tables["people"].set_index("person_id")
    first = tables["referrals"].groupby("person_id")["referral_date"].min()
    start = who["index_date"].fillna(first).dt.to_period("M")
    use = tables["service_use"]
    month = pd.to_datetime(use["month"]).dt
    offset = month.year * 12 + month.month - use["person_id"].map(start.dt.year * 12 + start.dt.month)
    use = use.assign(arm=use["person_id"].map(who["arm"]), after=np.sign(offset))
    rate = use.groupby(["service", "arm", "after"])["count"].mean()
    assert offset.min() == -12 and offset.max() == 9 and use["count"].eq(0).any()
    for service, ratio, tolerance in (("gp", 0.8, 0.05), ("ae", 1.0, 0.16)):
        change = {arm: rate[service, arm, 1] / rate[service, arm, -1] for arm in ("scheme", "comparison")}
        assert change["scheme"] / change["comparison"] == pytest.approx(ratio, abs=tolerance)
    assert rate["gp", "comparison", 1] / rate["gp", "comparison", -1] < 0.95        # falls on its own: the bump before referral


def test_provision_leaves_out_exactly_the_planted_gaps_whatever_kind_of_file_it_comes_in(made):
    for name in NAMES:
        offered = set(loaded(made / name).tables["provision"]["activity_type"])
        gaps = truth(made, name).filter(like="provision_gap_").index.str.removeprefix("provision_gap_")
        assert set(sample.allowed("activity_type")) - offered - {"other"} == set(gaps)


def test_the_dirt_and_the_own_table_of_the_directories_are_found(made):
    planted, castle = truth(made, "castle"), clean_scheme(loaded(made / "castle"))
    rows, said = castle.tables["provision"], " | ".join(castle.issues.query("table == 'provision'")["problem"])
    assert len(rows) == planted["feed_services"] and rows["mapped_by"].eq("not mapped").sum() == planted["feed_unmapped"]
    assert rows["name"].isna().sum() == planted["feed_nameless"] and "calls them inactive: 1 of" in said and len(castle.set_aside["provision"]) == planted["feed_duplicate_ids"]
    assert rows["lat"].isna().sum() == planted["feed_latitude_100"] and "1 of 33 services give an age of -1" in said
    planted, rows = truth(made, "northfield"), loaded(made / "northfield").tables["provision"]
    assert len(rows) == planted["feed_services"] and rows["mapped_by"].eq("own table").sum() == planted["feed_mapped_by_own_table"]
    assert rows["run_by_scheme"].sum() == planted["feed_run_by_scheme"] and rows["activity_type"].ne("other").all()


def test_the_directories_say_the_same_as_the_flat_sheet_of_the_same_draw(made):
    drawn = draw_tables(simulate.NORTHFIELD, simulate.SEED)["provision"].set_index("service_id")
    read = loaded(made / "northfield").tables["provision"].set_index("service_id")
    for column in ("activity_type", "area_code", "lat", "lon"):
        assert read[column].tolist() == drawn[column].tolist(), column


def test_harbour_counts_a_group_that_grows_one_that_holds_and_one_that_buckles(made):
    rows = loaded(made / "harbour").tables["community"]
    first, last = (rows.groupby("service_id")["members"].nth(i).to_numpy() for i in (0, -1))
    assert sorted(truth(made, "harbour").filter(like="community_")) == pytest.approx(sorted(last / first - 1), abs=1e-3) and len(rows) == 3 * 7


def test_simulated_schemes_are_the_same_for_the_same_seed_and_load(tmp_path):
    folders = simulate.simulate_schemes(tmp_path / "a", schemes=2, people=40, seed=3, effect=1.5)
    simulate.simulate_schemes(tmp_path / "b", schemes=2, people=40, seed=3, effect=1.5)
    simulate.simulate_schemes(tmp_path / "c", schemes=1, people=40, seed=4, effect=1.5)
    assert [f.name for f in folders] == ["scheme-001", "scheme-002"]
    one, other = files(tmp_path / "a"), files(tmp_path / "b")
    assert sorted(one) == sorted(other) and all(one[n].read_bytes() == other[n].read_bytes() for n in one)
    outcomes = [(tmp_path / p / "outcomes.csv").read_bytes() for p in ("a/scheme-001", "a/scheme-002", "c/scheme-001")]
    assert len(set(outcomes)) == 3
    for folder in folders:
        scheme = load_scheme(folder)
        assert scheme.issues.empty and scheme.settings.synthetic and len(scheme.tables["people"]) == 80
        assert truth(tmp_path / "a", folder.name)["effect_swemwbs"] == 1.5


def test_no_schemes_or_no_people_is_refused(tmp_path):
    with pytest.raises(ValueError, match="found 0 schemes of 10 people"):
        simulate.simulate_schemes(tmp_path, schemes=0, people=10, seed=1, effect=0)
