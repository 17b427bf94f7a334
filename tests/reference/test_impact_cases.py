"""Comparisons of two groups against R: MatchIt, WeightIt, cobalt, ebal, lm with sandwich errors, mice; and the real trials."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sprx
from sprx.stats import comparison

SHARED = Path(__file__).parents[3] / "shared"
SCHEMES, DATA = SHARED / "schemes", SHARED / "data"


def case(name):
    """call -> values of one reference case."""
    found = json.loads((SHARED / "reference_cases" / f"{name}.json").read_text(encoding="utf-8"))["results"]
    return {key: part["values"] for key, part in found.items()}


@pytest.fixture(scope="module")
def lalonde():
    table = pd.read_csv(DATA / "lalonde_nsw_psid.csv")
    x = table[["age", "educ", "married", "nodegree", "re74", "re75"]].astype(float)
    return table["treat"].to_numpy(float), x.assign(hispan=table["race"].eq("hispan") * 1.0, white=table["race"].eq("white") * 1.0).to_numpy(), table["re78"].to_numpy(float), table


@pytest.fixture(scope="module")
def r():
    return case("propensity_lalonde")


def test_the_propensity_scores_are_rs_glm(lalonde, r):
    arm, x, _, _ = lalonde
    assert comparison.propensity(arm, x)[:10] == pytest.approx(r["lalonde_ps_model"]["ps_first10"], rel=1e-6)


def test_plain_and_adjusted_differences_have_rs_estimates_and_hc3_errors(lalonde, r):
    arm, x, y, _ = lalonde
    for found, key in ((comparison.regression(y, arm, x[:, :0]), "lalonde_naive"), (comparison.regression(y, arm, x), "lalonde_ols_adjusted")):
        assert found[0] == pytest.approx(r[key]["coef"][".t"], rel=1e-6) and found[1] ** 0.5 == pytest.approx(r[key]["HC3_se"][".t"], rel=1e-6)


def test_the_weighted_difference_its_error_and_the_effective_size_are_weightits(lalonde, r):
    arm, x, y, _ = lalonde
    known, weights = r["lalonde_iptw_ATT"], comparison.att_weights(arm, comparison.propensity(arm, x))
    estimate, variance, _ = comparison.regression(y, arm, x[:, :0], weights)
    assert estimate == pytest.approx(known["fit"]["coef"][".t"], rel=1e-6) and variance ** 0.5 == pytest.approx(known["fit"]["HC1_se"][".t"], rel=1e-6)
    assert comparison.effective_size(weights[arm == 0]) == pytest.approx(known["ESS"]["weighted"]["Control"], rel=1e-6)
    assert weights[arm == 0].sum() == pytest.approx(known["weights_sum_control"], rel=1e-6)


def test_balance_before_and_after_weighting_is_cobalts(lalonde, r):
    arm, x, _, table = lalonde
    known = r["lalonde_iptw_ATT"]["balance"]
    weights = comparison.att_weights(arm, comparison.propensity(arm, x))[arm == 0]
    columns = dict(age=table["age"], educ=table["educ"], re74=table["re74"], re75=table["re75"])
    for name, values in columns.items():
        at, values = known["covariates"].index(name), values.to_numpy(float)
        assert comparison.att_difference(values[arm == 1], values[arm == 0]) == pytest.approx(known["Diff.Un"][at], rel=1e-6)
        assert comparison.att_difference(values[arm == 1], values[arm == 0], weights) == pytest.approx(known["Diff.Adj"][at], rel=1e-5)
    black = table["race"].eq("black").to_numpy(float)
    assert comparison.att_difference(black[arm == 1], black[arm == 0]) == pytest.approx(known["Diff.Un"][known["covariates"].index("race_black")], rel=1e-6)


def test_entropy_balancing_is_the_exact_solution(lalonde, r):
    arm, x, y, _ = lalonde
    known, weights = r["lalonde_ebal_ATT_exact"], comparison.entropy_weights(arm, x)
    estimate, variance, _ = comparison.regression(y, arm, x[:, :0], weights)
    assert estimate == pytest.approx(known["fit"]["coef"][".t"], rel=1e-6) and variance ** 0.5 == pytest.approx(known["fit"]["HC1_se"][".t"], rel=1e-6)
    shares = weights[arm == 0] / weights[arm == 0].sum()
    assert shares[:10] == pytest.approx(known["control_weights_sum1_first10"], rel=1e-5)
    assert comparison.effective_size(shares) == pytest.approx(known["ESS_control"], rel=1e-6)


def test_adjusting_brings_the_constructed_comparison_to_the_trial_and_the_plain_difference_does_not(lalonde, r):
    arm, x, y, _ = lalonde
    trial, error = r["nsw_experimental_benchmark"]["coef"]["treat"], r["nsw_experimental_benchmark"]["HC3_se"]["treat"]
    estimate, variance, _ = comparison.doubly_robust(y, arm, x, comparison.propensity(arm, x))
    assert abs(estimate - trial) < variance ** 0.5 and abs(y[arm == 1].mean() - y[arm == 0].mean() - trial) > 3 * error


def chapter(name):
    """What notebook 04 asks of a scheme's first outcome."""
    scheme = sprx.clean_scheme(sprx.load_scheme(SCHEMES / name))
    instrument = sprx.primary_instrument(scheme)
    designs, people = sprx.impact_designs(scheme), sprx.compared_people(scheme, instrument)
    table = sprx.effect(people, instrument, scheme.measures().loc[instrument], sprx.Plan(designs.at["scores", "design"], seed=scheme.settings.seed))
    return designs, people, table.set_index(["measure", "level"])


def test_jobs_ii_by_intention_to_treat_is_rs_ancova():
    designs, people, table = chapter("jobs-workshop")
    known, row = case("impact_jobs2")["jobs_itt_ancova"], table.loc[("effect_depression", "all")]
    assert designs.at["scores", "design"] == "randomised" and designs.at["scores", "level"] == 5
    assert len(people) == 899 and (people["arm"] == "scheme").sum() == 600          # everybody drawn, whether they came or not
    assert row["n"] == known["n"] and row["estimate"] == pytest.approx(known["coef"]["z"], rel=1e-6)
    assert row["std_error"] == pytest.approx(known["HC3_se"]["z"], rel=1e-6)
    plain = table.loc[("effect_by_analysis_depression", "not adjusted")]
    assert plain["estimate"] == pytest.approx(case("impact_jobs2")["jobs_itt_unadj"]["coef"]["z"], rel=1e-6)
    assert row["conf_low"] < 0 < row["conf_high"]


def test_beat_the_blues_with_dropout_is_rs_ancova_in_complete_cases_and_mice_otherwise():
    _, _, table = chapter("beat-the-blues")
    r, complete, row = case("prepost_btheb"), table.loc[("effect_by_analysis_bdi2", "complete cases")], table.loc[("effect_bdi2", "all")]
    assert complete["n"] == 52 and complete["estimate"] == pytest.approx(r["btheb_cc_ancova"]["coef"]["z"], rel=1e-6)
    assert complete["std_error"] == pytest.approx(r["btheb_cc_ancova"]["HC3_se"]["z"], rel=1e-6)
    mice = r["btheb_mice_norm_m50"]
    centre, error = np.mean([m["estimate"] for m in mice]), np.mean([m["se"] for m in mice])
    assert row["n"] == 100 and abs(row["estimate"] - centre) < 0.25 * error and row["std_error"] == pytest.approx(error, rel=0.15)     # its stated Monte Carlo tolerance
    assert row["conf_low"] < 0 < row["conf_high"]


def test_the_cluster_trial_has_wider_intervals_than_people_alone_would_give():
    designs, people, table = chapter("positive-behaviour-support")
    row = table.loc[("effect_utility", "all")]
    assert designs.at["scores", "design"] == "cluster_randomised" and people["cluster"].nunique() == 23
    plan = sprx.Plan("randomised")
    complete = people.dropna(subset=["baseline", "follow_up"]).drop(columns="cluster")
    alone = sprx.effect(complete, "utility", pd.Series(dict(name="u", mid_value=np.nan, higher_is_better="yes")), plan, analyses=False).iloc[0]
    assert row["estimate"] == pytest.approx(alone["estimate"], rel=0.05) and row["conf_low"] < 0 < row["conf_high"]
    assert "by cluster" in row["method"] and row["std_error"] != pytest.approx(alone["std_error"], rel=0.02)
    assert (row["conf_high"] - row["conf_low"]) / (2 * row["std_error"]) == pytest.approx(2.0796, abs=1e-3)      # t with 23 - 2 degrees of freedom
