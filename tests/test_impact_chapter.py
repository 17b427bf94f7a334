"""Notebook 04 run cell by cell on small schemes, sound and broken: a sentence for everything, never a crash, never a number that is none."""

import contextlib
import io
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sprx import simulate
from sprx.sample import Design, draw_tables

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "report" / "04_impact.ipynb"
NAMES = ("people", "referrals", "outcomes", "service_use")


def run(folder):
    """What the chapter wrote about one scheme folder."""
    names = {}
    for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            code = "".join(cell["source"])
            if "parameters" in cell["metadata"].get("tags", ()):
                code += f"\nscheme_dir, output_dir, draws = {str(folder)!r}, {str(folder / 'out')!r}, 60"
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(code, NOTEBOOK.name, "exec"), names)
    found = json.loads((folder / "out" / "impact.results.json").read_text(encoding="utf-8"))
    return found["answers"][0], found["sentences"], pd.DataFrame(found["results"])


@pytest.fixture(scope="module")
def drawn():
    """The tables of 120 people and as many others; the scheme adds 2 points and takes a fifth of GP use away."""
    tables = draw_tables(Design("chapter", people=120, comparison=120, effect=2.0, ratios=(("gp", 0.8),), instruments=("swemwbs",)), 3)
    return {name: tables[name] for name in NAMES}


@pytest.fixture
def chapter(drawn, tmp_path):
    """The chapter on these tables after `change`, with `settings` in place of the comparison of scheme.yaml."""
    def make(change=None, settings="comparison: {design: concurrent}"):
        tables = {name: rows.copy() for name, rows in drawn.items()}
        tables = change(tables) if change else tables
        design = Design("chapter", people=120, comparison=120, instruments=("swemwbs",))
        folder = simulate.write_plain(tmp_path / "scheme", design, tables, "Chapter (synthetic)")
        path = folder / "scheme.yaml"
        text = re.sub(r"comparison:\n?.*?(?=^\w)", settings + "\n", path.read_text(encoding="utf-8"), flags=re.S | re.M)
        path.write_text(text, encoding="utf-8")
        answer, sentences, results = run(folder)
        for said in (*sentences.values(), answer["text"], answer["why"], answer["short"]):
            assert not re.search(r"\b(nan|None|inf|NaN)\b", said), said
        return answer, sentences, results
    return make


def with_table(name, change):
    return lambda tables: tables | {name: change(tables[name])}


def without(*names):
    return lambda tables: {k: v for k, v in tables.items() if k not in names}


def of_arm(tables, arm):
    return set(tables["people"].loc[tables["people"]["arm"] == arm, "person_id"])


def test_a_sound_scheme_is_answered_by_its_scores_and_its_use(chapter):
    answer, sentences, results = chapter()
    assert "That is an effect for the better" in answer["text"] and answer["sure"] == 2
    assert results.loc[results["measure"] == "maryland_level_scores", "estimate"].item() == 3
    assert {"effect_swemwbs", "effect_standardised_swemwbs", "improved_difference_swemwbs", "e_value_swemwbs", "rate_ratio_gp", "use_placebo_gp"} <= set(results["measure"])
    assert "used GP appointments" in sentences["use_gp"] and "Before weighting" in sentences["balance_swemwbs"]


def test_the_same_people_drawn_by_lot_are_answered_by_ancova_at_level_five(chapter):
    answer, _, results = chapter(settings="comparison: {design: randomised}")
    assert answer["text"].startswith("Against people drawn by lot") and "This holds only if" not in answer["text"]
    assert "least squares" in results.loc[results["measure"] == "effect_swemwbs", "method"].item()


def test_people_from_before_the_scheme_show_a_difference_and_no_effect(chapter):
    answer, _, results = chapter(settings="comparison: {design: historical}")
    assert "This comparison cannot show an effect." in answer["text"] and answer["sure"] == 1
    assert not results["measure"].str.contains("effect_swemwbs|effect_by").any() and "difference_swemwbs" in set(results["measure"])


def test_without_a_comparison_there_is_no_evidence_of_an_effect(chapter):
    def alone(tables):
        own = of_arm(tables, "scheme")
        return {k: v[v["person_id"].isin(own)] for k, v in tables.items()}
    answer, sentences, results = chapter(alone, "comparison: {design: none}")
    assert answer["text"].startswith("There is no evidence of an effect: there is no comparison group.") and answer["sure"] == 0
    assert "This is a change, not an effect." in sentences["use_change_gp"] and "Carnes" in sentences["caution"]
    assert not results["measure"].str.startswith(("effect", "difference")).any()


BROKEN = {
    "a comparison arm of three people": (
        lambda t: (lambda few: {k: v[~v["person_id"].isin(few)] for k, v in t.items()})(set(sorted(of_arm(t, "comparison"))[3:])), "at least 10 people with a later score in each group"),
    "outcomes only in the scheme": (lambda t: t | dict(outcomes=t["outcomes"][t["outcomes"]["person_id"].isin(of_arm(t, "scheme"))]), "comparison people have no later score"),
    "outcomes only in the comparison": (lambda t: t | dict(outcomes=t["outcomes"][t["outcomes"]["person_id"].isin(of_arm(t, "comparison"))]), "the scheme's own people have no later score"),
    "arms told apart by a covariate": (lambda t: t | dict(people=t["people"].assign(birth_year=np.where(t["people"]["arm"] == "scheme", 1950, 1990))), "told apart perfectly")}


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_compared_says_why_and_the_chapter_goes_on(chapter, case):
    change, words = BROKEN[case]
    answer, sentences, results = chapter(change)
    assert words in " ".join([answer["text"], answer["why"], *sentences.values()])
    assert not results.loc[results["measure"] == "effect_swemwbs", "estimate"].notna().any()


def test_missing_index_dates_are_named(chapter):
    _, sentences, _ = chapter(with_table("people", lambda p: p.assign(index_date=pd.NaT)))
    assert "of comparison people have no day on which they started" in sentences["time_zero"]


def test_comparison_people_who_were_referred_are_counted_and_left_out(chapter):
    def mixed(tables):
        some = sorted(of_arm(tables, "comparison"))[:24]
        more = tables["referrals"].head(24).assign(person_id=some, referral_id=[f"X{i}" for i in range(24)])
        return tables | dict(referrals=pd.concat([tables["referrals"], more]))
    _, sentences, results = chapter(mixed)          # 24 of 120; shares are of counts rounded to 5
    assert "21% of the comparison people were referred as well and are left out" in sentences["time_zero"]
    row = results[results["measure"] == "effect_swemwbs"].iloc[0]
    assert row["n"] < 220


def test_a_service_that_nobody_used_is_said_to_be_so(chapter):
    _, sentences, _ = chapter(with_table("service_use", lambda u: u.assign(count=0)))
    assert "cannot be answered" in sentences["use_gp"] or "not analysed" in sentences["use_gp"]


def test_a_service_observed_only_after_the_start_is_not_compared(chapter):
    def later(tables):
        start = tables["people"].set_index("person_id")["index_date"].fillna(tables["referrals"].groupby("person_id")["referral_date"].min())
        use = tables["service_use"]
        return tables | dict(service_use=use[use["month"] > use["person_id"].map(start).dt.strftime("%Y-%m")])
    _, sentences, results = chapter(later)
    assert not results.loc[results["measure"] == "rate_ratio_gp", "estimate"].notna().any() and "before the start" in " ".join(sentences.values())


def test_fewer_than_eight_months_are_no_series(chapter):
    def short(tables):
        start = tables["people"].set_index("person_id")["index_date"].fillna(tables["referrals"].groupby("person_id")["referral_date"].min())
        use = tables["service_use"]
        away = (pd.PeriodIndex(use["month"], freq="M").year * 12 + pd.PeriodIndex(use["month"], freq="M").month) - (use["person_id"].map(start).dt.year * 12 + use["person_id"].map(start).dt.month)
        return tables | dict(service_use=use[away.between(-3, 3)])
    _, sentences, _ = chapter(short)
    assert "no series can be drawn" in sentences["series_gp"] and re.search(r"needed|need", sentences["series_gp"])


def test_with_no_scores_the_use_of_services_answers(chapter):
    answer, sentences, _ = chapter(without("outcomes"))
    assert "used GP appointments" in answer["text"] and "Cannot be answered: needs an outcomes table" in sentences["scores"]


def test_with_neither_scores_nor_use_the_card_says_what_to_record(chapter):
    answer, _, _ = chapter(without("outcomes", "service_use"))
    assert answer["text"].startswith("Cannot be answered: needs") and answer["sure"] == 0


def test_a_trial_by_places_without_the_column_of_places_is_not_answered(chapter):
    answer, _, _ = chapter(settings="comparison: {design: cluster_randomised}")
    assert "needs cluster, under comparison in scheme.yaml" in answer["text"]


def test_the_day_the_scheme_began_makes_a_series_by_calendar_month(chapter):
    def alone(tables):
        own = of_arm(tables, "scheme")
        return {k: v[v["person_id"].isin(own)] for k, v in tables.items() if k != "outcomes"}
    answer, sentences, results = chapter(alone, "disclosure: none\ncomparison: {design: none, started_on: 2024-10-01}")
    assert "use since the scheme began" in answer["text"] and results.loc[results["measure"] == "maryland_level_use", "estimate"].item() == 2
    assert results["measure"].str.startswith("use_calendar_gp").any()


def test_where_zeros_are_held_a_month_without_a_row_is_said_to_be_unwatched(chapter):
    _, held, _ = chapter()
    assert "so a month without any row counts as not watched" in held["zeros"]


def test_where_no_zeros_are_held_a_month_without_a_row_is_said_to_be_one_without_use(chapter):
    _, sentences, results = chapter(with_table("service_use", lambda u: u[u["count"] > 0].drop(columns="observed")))
    assert "a month without a row as one without use" in sentences["zeros"] and results.loc[results["measure"] == "rate_ratio_gp", "estimate"].notna().all()
