"""Missing follow-up against R (lme4, geepack, mice): the Beat the Blues trial, Proudfoot (2003), GPL data tested in place."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from sprx import intervals
from sprx.stats import missing, mmrm

SHARED = Path(__file__).parents[3] / "shared"
VISITS = ["bdi_2m", "bdi_4m", "bdi_6m", "bdi_8m"]
COVARIATES = ["z", "bdi_pre", "drugY", "longep"]


@pytest.fixture(scope="module")
def cases():
    return json.loads((SHARED / "reference_cases" / "prepost_btheb.json").read_text(encoding="utf-8"))["results"]


@pytest.fixture(scope="module")
def trial():
    data = pd.read_csv(SHARED / "data" / "btheb_wide.csv")
    return data.assign(z=data["treatment"].eq("BtheB") * 1.0, drugY=data["drug"].eq("Yes") * 1.0, longep=data["length"].eq(">6m") * 1.0)


@pytest.fixture(scope="module")
def visits(trial):
    """One row per person and visit with a score, in the order of people."""
    return trial.melt(["id", *COVARIATES], VISITS, "visit",
                      "bdi").assign(month=lambda t: t["visit"].str[4].astype(float)).dropna().sort_values(["id", "month"])


def design(data, columns):
    return np.column_stack([np.ones(len(data)), data[columns]])


def test_who_was_seen_at_each_visit(cases, trial):
    expected = cases["btheb_n_by_visit"]["values"]
    for arm, part in trial.groupby("z"):
        assert [int(part[c].notna().sum()) for c in ["bdi_pre", *VISITS]] == expected[str(int(arm))]


@pytest.mark.parametrize("case, columns", [("btheb_cc_ancova", COVARIATES), ("btheb_cc_ancova_nocov", COVARIATES[:2])])
def test_ancova_of_complete_cases_is_that_of_r_and_of_the_mixed_model_of_one_visit(cases, trial, case, columns):
    # R 4.2.2 lm, sandwich 3.0.2; rtol 1e-6 as stated there
    expected, data = cases[case]["values"], trial.dropna(subset="bdi_8m")
    fit = sm.OLS(data["bdi_8m"], design(data, columns)).fit()
    for found, name in ((fit.params, "coef"), (fit.bse, "se"), (fit.get_robustcov_results("HC1").bse, "HC1_se"),
                        (fit.get_robustcov_results("HC3").bse, "HC3_se")):
        assert list(found) == pytest.approx(list(expected[name].values()), rel=1e-6)
    ours = mmrm.fit_mmrm(trial[["bdi_8m"]], design(trial, columns))         # those lost leave a model of one visit by themselves
    weights = np.eye(len(columns) + 1)[[1]]
    arm = ours.contrast(weights, 0.95)
    assert (ours.n_people, arm["estimate"], arm["std_error"]) == pytest.approx((52, expected["coef"]["z"], expected["se"]["z"]), rel=1e-6)
    assert arm["df"] == pytest.approx(52 - len(columns) - 1, rel=1e-5)
    assert arm["conf_low"] == pytest.approx(expected["ci_lb"]["z"], rel=1e-5)


def test_the_difference_of_mean_changes_is_that_of_welch(cases, trial):
    expected, change = cases["btheb_cc_change_ttest"]["values"], (trial["bdi_8m"] - trial["bdi_pre"])
    arms = [change[trial["z"] == z].dropna() for z in (0, 1)]
    found = intervals.mean_difference(arms[0], arms[1], 0.95)
    assert (found["conf_low"], found["conf_high"]) == pytest.approx(expected["ci_for_0_minus_1"], rel=1e-6)
    assert [a.mean() for a in arms] == pytest.approx([expected["mean0"], expected["mean1"]], rel=1e-6)


def test_last_observation_carried_forward_is_that_of_r(cases, trial):
    # shown for comparison only: sprx never carries scores forward; R 4.2.2 lm, rtol 1e-6
    expected, last = cases["btheb_locf_ancova"]["values"], trial[["bdi_pre", *VISITS]].ffill(axis=1)["bdi_8m"]
    fit = sm.OLS(last, design(trial, COVARIATES)).fit()
    assert list(fit.params) == pytest.approx(list(expected["coef"].values()), rel=1e-6)
    assert list(fit.bse) == pytest.approx(list(expected["se"].values()), rel=1e-6)


@pytest.mark.parametrize("case, reml", [("btheb_lmer_ri_ML", False), ("btheb_lmer_ri_REML", True)])
def test_the_random_intercept_is_that_of_lme4(cases, visits, case, reml):
    # R 4.2.2, lme4 1.1.31; tolerance stated there: coefficients 0.001 SE, SE 0.5 %, log-likelihood 1e-4
    expected = cases[case]["values"]
    found = mmrm.fit_random_intercept(visits["bdi"], design(visits, ["bdi_pre", "month", "z", "drugY", "longep"]), visits["id"], reml)
    coef, se = (np.array(list(expected[k].values())) for k in ("coef", "se"))
    assert (np.abs(found["coef"] - coef) < 0.001 * se).all() and found["se"] == pytest.approx(se, rel=0.005)
    assert found["loglik"] == pytest.approx(expected["logLik"], abs=1e-4)
    assert [found["var_person"], found["var_residual"]] == pytest.approx([v["vcov"] for v in expected["varcomp"]], rel=1e-3)


@pytest.mark.parametrize("case, structure, tolerance", [("btheb_gee_independence", sm.cov_struct.Independence, 1e-6),
                                                        ("btheb_gee_exchangeable", sm.cov_struct.Exchangeable, None)])
def test_gee_is_that_of_geepack(cases, visits, case, structure, tolerance):
    # geepack 1.3.9: independence to 1e-6; exchangeable coefficients within 0.02 SE, robust SE 2 % (moment estimators of the correlation differ)
    expected = cases[case]["values"]
    fit = sm.GEE(visits["bdi"], design(visits, ["bdi_pre", "month", "z", "drugY", "longep"]), groups=visits["id"],
                 cov_struct=structure()).fit()
    coef, se = np.array(expected["coef"]), np.array(expected["robust_se"])
    if tolerance:
        assert fit.params.to_numpy() == pytest.approx(coef, rel=tolerance) and fit.bse.to_numpy() == pytest.approx(se, rel=tolerance)
    else:
        assert (np.abs(fit.params.to_numpy() - coef) < 0.02 * se).all() and fit.bse.to_numpy() == pytest.approx(se, rel=0.02)


def test_rubins_rules_are_those_of_mice(cases):
    # mice 3.15.0 pool.scalar(n = 100, k = 5): complete-data df 95; rtol 1e-6
    expected = cases["rubin_arithmetic"]["values"]
    found = missing.pool([-3.1, -2.4, -4.0, -2.9, -3.6], np.square([1.5, 1.6, 1.45, 1.55, 1.52]), 95)
    names = dict(estimate="qbar", within="ubar", between="b", total="t", df="df", riv="r", fmi="fmi")
    assert [found[k] for k in names] == pytest.approx([expected[v] for v in names.values()], rel=1e-6)


def test_multiple_imputation_agrees_with_mice_within_its_monte_carlo_error(cases, trial):
    # mice 3.15.0, norm, m = 50, maxit = 20; tolerance stated there: estimate 0.25 SE, SE 15 %, fmi 0.12, against the first entry
    expected = cases["btheb_mice_norm_m50"]["values"]
    centre = {k: np.mean([e[k] for e in expected]) for k in ("estimate", "se", "fmi")}
    for seed in (1, 2):
        copies = missing.impute(trial[[*COVARIATES, *VISITS]], 50, seed)
        fits = [sm.OLS(copy[:, -1], sm.add_constant(copy[:, :4])).fit() for copy in copies]
        found = missing.pool([f.params[1] for f in fits], [f.bse[1] ** 2 for f in fits], 95)
        for target in (expected[0], centre):
            assert abs(found["estimate"] - target["estimate"]) < 0.25 * target["se"]
            assert found["std_error"] == pytest.approx(target["se"], rel=0.15) and abs(found["fmi"] - target["fmi"]) < 0.12


def test_conditional_means_at_random_are_the_mixed_models_visit_effect(trial):
    # the definition stated in the reference cases' README: condmean_MAR equals the MMRM visit effect
    x, arm = design(trial, COVARIATES[1:]), trial["z"].to_numpy()
    fit = mmrm.fit_mmrm(trial[VISITS], np.column_stack([x, arm]))
    filled = mmrm.impute_by_reference(trial[VISITS], x, arm, "missing at random")
    assert sm.OLS(filled[:, -1], np.column_stack([x, arm])).fit().params[-1] == pytest.approx(fit.coef[-1, -1], abs=1e-6)


def test_the_mixed_model_agrees_with_imputation_from_the_same_scores(cases, trial):
    # both are missing at random given the same visits and covariates: within a quarter of the standard error of one another
    fit = mmrm.fit_mmrm(trial[VISITS], design(trial, COVARIATES))
    weights = np.zeros((4, 5))
    weights[-1, 1] = 1
    found, mice = fit.contrast(weights, 0.95), cases["btheb_mice_norm_m50"]["values"][0]
    assert abs(found["estimate"] - mice["estimate"]) < 0.25 * mice["se"] and found["std_error"] == pytest.approx(mice["se"], rel=0.15)
