"""Intervals, curves and scoring against R, on the reference cases and data of ../shared."""

import json
from pathlib import Path

import pandas as pd
import pytest

from sprx import intervals, scoring
from sprx.metrics.when import median_wait, seen_within, time_to_first_contact
from sprx.reference import measures
from sprx.settings import read_settings

SHARED = Path(__file__).parents[3] / "shared"


def cases(name):
    return json.loads((SHARED / "reference_cases" / f"{name}.json").read_text(encoding="utf-8"))["results"]


def data(name):
    return pd.read_csv(SHARED / "data" / f"{name}.csv")


# ---- PHEindicatormethods ------------------------------------------------------------------------------------------------------

LEVELS = ((0.95, "95_0cl"), (0.998, "99_8cl"))


def test_wilson_limits_are_those_of_r_for_every_case():
    # R 4.2.2, PHEindicatormethods 1.4.2, phe_proportion; 1e-9 relative: R prints 15 figures and the formula is closed
    done = 0
    for case in cases("phe_indicators")["wilson_phe_proportion"]["values"]:
        if not case["Denominator"] or case["lower95_0cl"] is None:
            continue
        unit = 100 if case["statistic"] == "percentage" else 1
        for level, name in LEVELS:
            found = intervals.wilson(case["Numerator"], case["Denominator"], level)
            assert found == pytest.approx((case[f"lower{name}"] / unit, case[f"upper{name}"] / unit), rel=1e-9), case["Area"]
            done += 1
    assert done >= 14


def test_limits_of_counts_are_those_of_r_for_every_case():
    # R 4.2.2, PHEindicatormethods 1.4.2, phe_rate: exact below 10, Byar's from 10
    done, methods = 0, set()
    for case in cases("phe_indicators")["byars_phe_rate"]["values"]:
        if not case["Denominator"] or case["lower95_0cl"] is None:
            continue
        for level, name in LEVELS:
            found = [100_000 * limit / case["Denominator"] for limit in intervals.poisson(case["Numerator"], level)]
            assert found == pytest.approx([case[f"lower{name}"], case[f"upper{name}"]], rel=1e-9), case["Area"]
            methods.add((case["Numerator"] < 10, case["method"]))
            done += 1
    assert done >= 18 and methods == {(True, "Exact"), (False, "Byars")}


def test_t_limits_of_a_mean_are_those_of_phe_mean():
    # PHEindicatormethods test data: phe_mean_input.csv and its expected sheet, Student's t; 1e-9: given to 14 figures
    values, expected = data("phe_mean_input"), data("phe_mean_expected")
    done = 0
    for area, part in values.groupby("area"):
        row = expected[expected.area == area].iloc[0]
        for level, name in LEVELS:
            found = intervals.mean(part["values"], level)
            assert (found["estimate"], found["conf_low"], found["conf_high"]) == pytest.approx((row["value"], row[f"lower{name}"], row[f"upper{name}"]), rel=1e-9)
            done += 1
    assert done >= 2


# ---- Kaplan-Meier -------------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def lung():
    table = data("surv_lung")
    return pd.DataFrame({"days_observed": table["time"].astype(float), "was_seen": table["status"].eq(2), "sex": table["sex"].astype(str)})


def test_the_curve_and_its_log_log_limits_are_those_of_r_survfit(lung):
    # R 4.2.2, survival 3.5-3: survfit(Surv(time, status) ~ sex, conf.type = "log-log"); 1e-8 as the case's own tolerance asks
    values = cases("surv_lung")["lung_km"]["values"]["log-log"]["at_times"]
    curve = time_to_first_contact(lung, by="sex")
    shares = seen_within(lung, [90, 180, 365, 730], by="sex").set_index(["level", "measure"])
    for i, strata in enumerate(values["strata"]):
        level, time = strata.removeprefix(".g="), values["time"][i]
        part = curve[curve.level == level]
        row = part[part.days <= time].iloc[-1]
        for found in (row, shares.loc[(level, f"seen_within_{time}_days")]):
            assert 1 - found.estimate == pytest.approx(values["surv"][i], rel=1e-8)
            assert (1 - found.conf_high, 1 - found.conf_low) == pytest.approx((values["lower"][i], values["upper"][i]), rel=1e-8)
        assert part[part.days >= time].n_at_risk.iloc[0] == values["n_risk"][i]


def test_the_median_and_its_log_log_limits_are_those_of_r_survfit(lung):
    # quantile of the same fit: 270 (210 to 306) and 426 (345 to 524) days
    values = cases("surv_lung")["lung_km"]["values"]["log-log"]
    table = median_wait(lung, by="sex").set_index("level")
    for level, quartiles, count in zip(("1", "2"), values["quartiles"], values["n"]):
        row = table.loc[level]
        assert (row.estimate, row.conf_low, row.conf_high) == tuple(quartiles[k]["50"] for k in ("q", "lower", "upper")) and row.n == count
    assert (table.estimate["1"], table.conf_low["1"], table.conf_high["1"]) == (270, 210, 306)


# ---- scoring --------------------------------------------------------------------------------------------------------------------

INSTRUMENTS = """
scheme_id: own
tables: {people: {file: people.csv}}
instruments:
  cesd: {name: CES-D, items: 20, item_minimum: 1, item_maximum: 4, item_offset: -1, reverse_items: [4, 8, 12, 16], minimum: 0, maximum: 60, higher_is_better: false}
  ahi: {name: AHI, items: 24, item_minimum: 1, item_maximum: 5, minimum: 24, maximum: 120, higher_is_better: true}
"""


@pytest.mark.parametrize("name, total, first", [("cesd", "cesdTotal", "cesd_first10"), ("ahi", "ahiTotal", "ahi_first10")])
def test_own_instruments_score_every_row_as_it_was_published(tmp_path, name, total, first):
    # scoring_items.json (R): CES-D is item - 1 with 4, 8, 12, 16 reversed, AHI the sum; 992 rows, none off the published total
    (tmp_path / "scheme.yaml").write_text(INSTRUMENTS, encoding="utf-8")
    measure = pd.Series(read_settings(tmp_path).instruments[name])
    raw, expected = data("pospsy_items_raw"), cases("scoring_items")["pospsy_scoring"]["values"]
    answers = raw[[c for c in raw if c.startswith(name) and c[-2:].isdigit()]].set_axis(range(1, int(measure["n_items"]) + 1), axis=1)
    scores = scoring.score_items(answers, measure)
    assert len(scores) == expected["n_rows"] == 992 and int((scores != raw[total]).sum()) == 0 == expected["cesd_mismatch_with_published"]
    assert list(scores[:10]) == expected[first]


def test_ucla_3_is_scored_as_the_authors_scored_it():
    # lockdown study (gpwilliams/covid-gaming): items 1 to 3, total 3 to 9; a total only where all three were answered
    items, scores = data("lockdown_items_ucla3_dass21"), data("lockdown_scores_ucla3_dass21")
    keys = ["study", "id", "period"]
    answers = items[items.instrument == "UCLA3"].set_index([*keys, "item"])["score"].unstack("item")
    found = scoring.score_items(answers, measures().loc["ucla3"])
    theirs = scores[scores.instrument == "UCLA3"].set_index(keys)["score"].dropna()
    both = found.dropna().index.intersection(theirs.index)
    assert len(both) == 701 and (found[both] == theirs[both]).all()
    unscored = answers.index[found.isna()]          # study 1, person 166, during: a total of 4 was published, no answer was
    assert len(theirs) == 702 and list(unscored) == [(1, 166, "during")] and answers.loc[unscored].isna().all(axis=None)
    assert found.dropna().between(3, 9).all()


@pytest.mark.parametrize("name, measure", [("uk_3L_TTO", "eq5d3l")])
def test_eq_5d_utilities_are_those_of_the_r_package_for_every_state(name, measure):
    # R package eq5d 0.16.0; 1e-9: values of three decimals
    values = cases("eq5d_values")[name]["values"]
    found = scoring.eq5d_utility(pd.Series(list(values), dtype="string"), measure)
    assert len(values) == 243 and list(found) == pytest.approx(list(values.values()), abs=1e-9)


def test_no_value_set_of_the_reference_case_is_left_untested():
    assert list(cases("eq5d_values")) == ["uk_3L_TTO"]
