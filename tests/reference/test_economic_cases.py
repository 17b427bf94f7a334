"""Costs and effects against R: lm with sandwich errors and a stratified bootstrap (positive behaviour support), BCEA (vaccine), EQ-5D values; and the real trial as a scheme."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sprx
from sprx.metrics.cost_effectiveness import EconomicPlan, cost_effectiveness, means_by_arm, service_prices, value_people
from sprx.metrics.cost_effectiveness.decision import effect_and_cost, joint_draws
from sprx.scoring import eq5d_utility
from sprx.stats import economics

SHARED = Path(__file__).parents[3] / "shared"


def case(name):
    """call -> values of one reference case."""
    found = json.loads((SHARED / "reference_cases" / f"{name}.json").read_text(encoding="utf-8"))["results"]
    return {key: part["values"] for key, part in found.items()}


@pytest.fixture(scope="module")
def r():
    return case("cea_pbs")


@pytest.fixture(scope="module")
def pbs():
    """Outcomes (QALYs, costs), designs (arm, own first value), places, of those of whom both are known."""
    table = pd.read_csv(SHARED / "data" / "pbs_wide.csv").dropna(subset=["e_0m", "qaly", "total_cost"])
    arm = table["trt"].eq(2).to_numpy(float)
    return [table["qaly"].to_numpy(), table["total_cost"].to_numpy(float)], [np.column_stack([arm, table["e_0m"]]), np.column_stack([arm, table["c_0m"]])], table["site"].to_numpy()


def test_the_area_under_the_curve_is_rs(r):
    table = pd.read_csv(SHARED / "data" / "pbs_wide.csv").set_index("id")
    known = r["pbs_auc_check"]
    scores = table.loc[known["ids"], ["e_0m", "e_6m", "e_12m"]].to_numpy()
    assert scores @ economics.time_weights([0, 6, 12]) == pytest.approx(known["qaly"], rel=1e-6)


def test_two_regressions_have_rs_estimates_and_robust_errors_also_by_place(pbs, r):
    outcomes, designs, places = pbs
    known = r["pbs_two_ols"]
    estimates, covariance, _ = economics.increments(outcomes, designs)
    assert estimates == pytest.approx([known["dE"], known["dC"]], rel=1e-6) and np.sqrt(np.diag(covariance)) == pytest.approx([known["HC1_dE"], known["HC1_dC"]], rel=1e-6)
    assert estimates[1] / estimates[0] == pytest.approx(known["ICER"], rel=1e-6)
    _, covariance, df = economics.increments(outcomes, designs, clusters=places)
    assert np.sqrt(np.diag(covariance)) == pytest.approx([known["cluster_HC1_dE"], known["cluster_HC1_dC"]], rel=1e-6) and df == 21
    for at in (10, 15, 20, 25, 30, 40, 50):
        assert 1000 * at * estimates[0] - estimates[1] == pytest.approx(known[f"INMB_{at}k"], rel=1e-6)


def test_ten_thousand_joint_draws_lie_as_rs_five_thousand(pbs, r):
    outcomes, designs, _ = pbs
    draws = economics.joint_bootstrap(outcomes, designs, 10_000, np.random.default_rng(1))
    known = pd.DataFrame(r["pbs_bootstrap"])
    assert draws.std(axis=0, ddof=1) == pytest.approx([known["sd_dE"].mean(), known["sd_dC"].mean()], rel=0.04)
    for column, key in enumerate(("pct_dE", "pct_dC")):
        low, high = np.mean(known[key].tolist(), axis=0)
        assert np.percentile(draws[:, column], [2.5, 97.5]) == pytest.approx([low, high], abs=0.05 * (high - low))
    assert np.corrcoef(draws.T)[0, 1] == pytest.approx(known["cor"].mean(), abs=0.05)
    curve = economics.decide(np.column_stack([0 * draws[:, 1], draws[:, 1]]), np.column_stack([0 * draws[:, 0], draws[:, 0]]), [10e3, 15e3, 20e3, 25e3, 30e3, 40e3, 50e3])
    assert curve["probability_1"].to_numpy() == pytest.approx(pd.DataFrame(known["ceac"].tolist()).mean().to_numpy(), abs=0.02)
    assert economics.quadrants(draws)["more effect, more cost"] == pytest.approx(np.mean([q["NE"] for q in known["quadrants"]]), abs=0.01)
    evpi = curve.set_index("threshold")["evpi"]
    assert [evpi[20e3], evpi[30e3]] == pytest.approx([known["evpi_20k"].mean(), known["evpi_30k"].mean()], rel=0.06)


def test_the_real_trial_as_a_scheme_gives_rs_numbers_by_place(r):
    scheme = sprx.clean_scheme(sprx.load_scheme(SHARED / "schemes" / "positive-behaviour-support"))
    plan = EconomicPlan(scheme.settings.comparison["design"], thresholds=(20_000.0, 30_000.0), prices=service_prices(["all"], "2014/15"))
    ready = value_people(sprx.economic_people(scheme, "utility", 0.035), plan)
    table, known = cost_effectiveness(ready, plan), r["pbs_two_ols"]
    answer = table[table["group"].ne("analysis")].set_index(["measure", "level"])
    assert answer.at[("qaly_difference", "all"), "n"] == r["pbs_n"]["n"] and answer.at[("qaly_difference", "all"), "n_missing"] == 40
    for measure, estimate, error in (("qaly_difference", "dE", "cluster_HC1_dE"), ("cost_difference", "dC", "cluster_HC1_dC")):
        assert answer.loc[(measure, "all"), ["estimate", "std_error"]].tolist() == pytest.approx([known[estimate], known[error]], rel=1e-6)
    assert answer.at[("icer", "all"), "estimate"] == pytest.approx(known["ICER"], rel=1e-6)
    assert [answer.at[("net_benefit", at), "estimate"] for at in ("20000", "30000")] == pytest.approx([known["INMB_20k"], known["INMB_30k"]], rel=1e-6)
    plain = table[table["level"].eq("not adjusted")].set_index("measure")["estimate"]
    assert plain.tolist() == pytest.approx([r["pbs_unadjusted"][k] for k in ("dE", "dC", "INMB_20k")], rel=1e-6)
    means = means_by_arm(ready, plan).set_index(["measure", "level"])["estimate"]
    for arm, code in (("scheme", "1"), ("comparison", "0")):
        assert [means["mean_qaly", arm], means["mean_cost", arm]] == pytest.approx([r["pbs_n"]["mean_qaly"][code], r["pbs_n"]["mean_cost"][code]], rel=1e-6)
    draws = effect_and_cost(joint_draws(ready, plan), plan)
    assert draws.std(axis=0) == pytest.approx([known["cluster_HC1_dE"], known["cluster_HC1_dC"]], rel=0.15)     # whole places are drawn


def test_the_costs_of_each_arm_are_those_of_the_case():
    known = case("cost_equity")["pbs_cost_summary"]
    scheme = sprx.clean_scheme(sprx.load_scheme(SHARED / "schemes" / "positive-behaviour-support"))
    costs = sprx.economic_people(scheme, "utility").dropna(subset="cost_all")
    by_arm = costs.groupby("arm")["cost_all"]
    assert len(costs) == known["n"] and (costs["cost_all"] == 0).sum() == known["n_zero"]
    for arm, code in (("scheme", "1"), ("comparison", "0")):
        assert [by_arm.mean()[arm], by_arm.median()[arm]] == pytest.approx([known["mean"][code], known["median"][code]], rel=1e-6)


def test_the_decision_from_draws_is_bceas():
    psa, known = pd.read_csv(SHARED / "data" / "psa_vaccine.csv"), case("bcea_vaccine")["vaccine_bcea"]
    costs, effects = (psa[[f"{kind}_statusquo", f"{kind}_vaccination"]].to_numpy() for kind in "ce")
    table = economics.decide(costs, effects, known["k"])
    gained, paid = (values[:, 1] - values[:, 0] for values in (effects, costs))
    assert [gained.mean(), paid.mean()] == pytest.approx([known["dE_mean"], known["dC_mean"]], rel=1e-6)
    assert paid.mean() / gained.mean() == pytest.approx(known["ICER"], rel=1e-6)
    assert (table["net_benefit_1"] - table["net_benefit_0"]).to_numpy() == pytest.approx(known["EIB"], rel=1e-6)
    assert table["probability_1"].to_numpy() == pytest.approx(known["CEAC"], rel=1e-6) and table["evpi"].to_numpy() == pytest.approx(known["EVPI"], rel=1e-6)
    assert (table["best"] + 1).tolist() == known["best"]
    grid = np.arange(0, 50_001, 100)
    best = economics.decide(costs, effects, grid)["best"].to_numpy()
    assert grid[np.flatnonzero(np.diff(best))[0] + 1] == known["kstar"]


def test_every_state_of_eq5d3l_has_the_value_of_the_r_package():
    known = case("eq5d_values")["uk_3L_TTO"]
    assert len(known) == 243
    assert eq5d_utility(pd.Series(list(known)), "eq5d3l").to_numpy() == pytest.approx(list(known.values()), rel=1e-6, abs=1e-9)


def test_every_state_of_both_mappings_and_the_new_value_set_is_that_of_the_source_tables():
    crosswalk = pd.read_csv(SHARED / "reference" / "eq5d_crosswalk_5l_to_3l_uk_vanhout2012.csv", dtype={0: str})
    assert len(crosswalk) == 3125
    assert eq5d_utility(crosswalk.iloc[:, 0], "eq5d5l_crosswalk").to_numpy() == pytest.approx(crosswalk.iloc[:, 1].to_numpy())
    assert eq5d_utility(pd.Series(["11111", "55555"]), "eq5d5l_uk2026").tolist() == [1.0, -0.567]
    mapping = pd.read_csv(SHARED / "reference" / "eq5d_dsu_5l_to_3l_uk.csv", dtype=str)
    value = mapping.columns[-1]
    state, sex = next(c for c in mapping if mapping[c].str.fullmatch("[1-5]{5}").all()), next(c for c in mapping if set(mapping[c].str.lower()) == {"male", "female"})
    band = next(c for c in mapping if mapping[c].str.contains("65").any() and c not in (state, value))
    people = pd.DataFrame(dict(age=mapping[band].str.extract(r"(\d+)")[0].astype(float), sex=mapping[sex].str.lower()))
    assert len(mapping) == 31_250
    assert eq5d_utility(mapping[state], "eq5d5l_map", people).to_numpy() == pytest.approx(mapping[value].astype(float).to_numpy())
