"""Meta-analysis against R's metafor: BCG, stroke care, warfarin, school calendars, pretest-posttest designs."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from sprx.stats import effect_sizes, nested, synthesis

SHARED = Path(__file__).parents[3] / "shared"


def case(name):
    """call -> (values, relative tolerance) of one reference case."""
    found = json.loads((SHARED / "reference_cases" / f"{name}.json").read_text(encoding="utf-8"))["results"]
    return {key: (part["values"], part["tolerance"]["rtol"]) for key, part in found.items()}


@pytest.fixture(scope="module")
def bcg():
    return pd.read_csv(SHARED / "data" / "ma_bcg.csv")


def log_rr(t):
    return effect_sizes.log_risk_ratio(t["tpos"], t["tpos"] + t["tneg"], t["cpos"], t["cpos"] + t["cneg"])


def matches(fit, values, rtol, prediction=True):
    """Everything that metafor prints of a model without moderators."""
    def close(x):
        return pytest.approx(x, rel=rtol, abs=1e-9)

    assert fit.k == values["k"] and fit.coef[0] == close(values["beta"]["intrcpt"]) and fit.std_error[0] == close(values["se"]) and fit.p_value[0] == pytest.approx(values["pval"], rel=1e-3 if rtol > 1e-6 else 1e-6)
    assert [fit.conf_low[0], fit.conf_high[0]] == close([values["ci_lb"], values["ci_ub"]]) and fit.tau2 == close(values["tau2"])
    assert [fit.i2, fit.h2, fit.q] == close([values["I2"], values["H2"], values["QE"]]) and fit.q_p == close(values["QEp"])
    if fit.method != "EE":
        assert fit.tau2_error == close(values["se_tau2"])
    if prediction and "pred_int_lb" in values:
        found = fit.predict()
        assert [found["pred_low"][0], found["pred_high"][0]] == close([values["pred_int_lb"], values["pred_int_ub"]])
    if "weights_pct" in values:
        assert fit.weights == close(list(values["weights_pct"].values()))
    if "confint_Qprofile" in values:
        low, high = (values["confint_Qprofile"][side]["tau^2"] for side in ("ci_lb", "ci_ub"))
        found = fit.tau2_interval()
        assert found[0] == pytest.approx(low, rel=1e-4, abs=1e-9)
        # metafor stops searching at ten times tau2: there its upper limit is that, and the true one lies above
        if found[1] != pytest.approx(high, rel=1e-4, abs=1e-9):
            w = 1 / (fit.v + found[1])
            assert high == pytest.approx(10 * values["tau2"], rel=1e-6) and found[1] > high
            assert (w * (fit.y - np.average(fit.y, weights=w)) ** 2).sum() == pytest.approx(chi2.ppf(0.025, fit.k - 1))


SETS = {"meta_bcg": ("bcg_logRR", lambda: log_rr(pd.read_csv(SHARED / "data" / "ma_bcg.csv"))),
        "meta_normand1999": ("normand_MD", lambda: effect_sizes.mean_difference(*pd.read_csv(SHARED / "data" / "ma_normand1999.csv")[["m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i"]].to_numpy().T)),
        "meta_normand1999 SMD": ("normand_SMD", lambda: effect_sizes.hedges_g(*pd.read_csv(SHARED / "data" / "ma_normand1999.csv")[["m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i"]].to_numpy().T)),
        "meta_hart1999_IRR": ("hart_IRR", lambda: effect_sizes.log_rate_ratio(*pd.read_csv(SHARED / "data" / "ma_hart1999.csv")[["x1i", "t1i", "x2i", "t2i"]].to_numpy().T))}


@pytest.mark.parametrize("name", SETS)
def test_effect_sizes_are_escalcs(name):
    stem, make = SETS[name]
    values, rtol = case(name.split()[0])[f"{stem}_yi_vi"]
    y, v = make()
    assert y == pytest.approx(values["yi"], rel=rtol) and v == pytest.approx(values["vi"], rel=rtol)


@pytest.mark.parametrize("name, call", [*((name, call) for name in SETS for call in ("EE_z", "DL_z", "REML_z", "REML_knha")), ("meta_bcg", "DL_knha")])
def test_pooled_effects_heterogeneity_and_prediction_are_rmas(name, call):
    stem, make = SETS[name]
    method, test = call.split("_")
    matches(synthesis.synthesise(*make(), method=method, knapp_hartung=test == "knha"), *case(name.split()[0])[f"{stem}_{call}"])


def test_odds_ratios_are_escalcs_and_rmas(bcg):
    values, rtol = case("meta_bcg")["bcg_OR_REML"]
    y, v = effect_sizes.log_odds_ratio(bcg["tpos"], bcg["tpos"] + bcg["tneg"], bcg["cpos"], bcg["cpos"] + bcg["cneg"])
    assert y == pytest.approx(values["yi"], rel=1e-8) and v == pytest.approx(values["vi"], rel=1e-8)
    matches(synthesis.synthesise(y, v, knapp_hartung=False), values, rtol)


@pytest.mark.parametrize("call", ["REML_z", "REML_knha", "DL_z", "DL_knha"])
def test_meta_regression_is_rmas(bcg, call):
    values, rtol = case("meta_bcg")[f"bcg_metareg_ablat_{call}"]
    method, test = call.split("_")
    fit = synthesis.synthesise(*log_rr(bcg), bcg[["ablat"]], method, test == "knha")
    assert fit.coef == pytest.approx(list(values["beta"].values()), rel=rtol) and fit.std_error == pytest.approx(values["se"], rel=rtol) and fit.p_value == pytest.approx(values["pval"], rel=1e-3)
    assert [fit.tau2, fit.tau2_error, fit.i2, fit.h2, fit.q] == pytest.approx([values[k] for k in ("tau2", "se_tau2", "I2", "H2", "QE")], rel=rtol)
    at = np.exp(fit.predict([[1, 10], [1, 30], [1, 50]]))
    for column, key in (("estimate", "predicted_RR"), ("conf_low", "pred_ci_lb"), ("conf_high", "pred_ci_ub"), ("pred_low", "pi_lb"), ("pred_high", "pi_ub")):
        assert at[column].to_numpy() == pytest.approx(values[key], rel=rtol)
    null = synthesis.synthesise(*log_rr(bcg), method=method)
    assert 100 * (null.tau2 - fit.tau2) / null.tau2 == pytest.approx(values["R2"], rel=max(rtol, 1e-6))


def test_leaving_one_out_is_metafors(bcg):
    values, rtol = case("meta_bcg")["bcg_logRR_leave1out_REML"]
    table = synthesis.leave_one_out(*log_rr(bcg), knapp_hartung=False)
    for column, key in (("estimate", "estimate"), ("std_error", "se"), ("conf_low", "ci_lb"), ("conf_high", "ci_ub"), ("tau2", "tau2"), ("i2", "I2"), ("q", "Q")):
        assert table[column].to_numpy() == pytest.approx(values[key], rel=rtol)


@pytest.mark.parametrize("name, stem", [("meta_bcg", "bcg_logRR"), ("meta_normand1999 SMD", "normand_SMD")])
def test_eggers_test_and_trim_and_fill_are_metafors(name, stem):
    y, v = SETS[name][1]()
    found = case(name.split()[0])
    values, rtol = found[f"{stem}_egger_lm_classic"]
    line = synthesis.egger(y, v)
    assert [line[k] for k in ("bias", "bias_error", "limit", "limit_error", "t", "df", "p_value")] == pytest.approx(
        [values[k] for k in ("egger_intercept_bias", "egger_intercept_se", "egger_slope", "egger_slope_se", "t", "df", "p")], rel=rtol)
    values, rtol = found[f"{stem}_trimfill_L0_DL"]
    k0, side, fit, filled = synthesis.trim_and_fill(y, v, method="DL", knapp_hartung=False)
    assert (k0, side) == (values["k0"], values["side"]) and len(filled) == k0
    matches(fit, values, rtol)


def test_subgroups_are_fitted_apart_and_compared(bcg):
    values, rtol = case("meta_bcg")["bcg_subgroup_alloc_separate_REML"]
    found, q, p = synthesis.synthesise_by(*log_rr(bcg), bcg["alloc"], knapp_hartung=False)
    for level, fit in found.items():
        matches(fit, values[level], rtol)
    assert [q, p] == pytest.approx([values["Q_between"], values["Q_between_p"]], rel=1e-3)


def test_effects_within_districts_are_rma_mvs():
    table = pd.read_csv(SHARED / "data" / "ma_konstantopoulos2011.csv")
    values, rtol = case("meta_konstantopoulos2011")["konst_3level"]
    found = nested.three_level(table["yi"], table["vi"], table["district"], table["school"])
    assert [found[k] for k in ("estimate", "std_error", "tau2_outer", "tau2_inner", "q", "log_likelihood", "conf_low", "conf_high")] == pytest.approx(
        [values["beta"], values["se"], *values["sigma2"], values["QE"], values["logLik_REML"], values["ci_lb"], values["ci_ub"]], rel=rtol)
    matches(synthesis.synthesise(table["yi"], table["vi"], knapp_hartung=False), *case("meta_konstantopoulos2011")["konst_2level_naive"])


def test_changes_of_one_group_are_escalcs():
    found = case("prepost_smc")
    for key, make in (("MC", lambda t: effect_sizes.mean_change(t.m_post, t.sd_post, t.m_pre, t.sd_pre, t.ni, t.ri)),
                      ("SMCC", lambda t: effect_sizes.change_by_change_sd(t.m_post, t.sd_post, t.m_pre, t.sd_pre, t.ni, t.ri)),
                      ("SMCR", lambda t: effect_sizes.change_by_first_sd(t.m_post, t.m_pre, t.sd_pre, t.ni, t.ri))):
        values, rtol = found[f"morris2008_{key}"]
        for arm, given in (("treatment", "treat_input"), ("control", "control_input")):
            y, v = make(pd.DataFrame(values[given]))
            assert y.to_numpy() == pytest.approx(values[arm]["yi"], rel=rtol, abs=1e-12) and v.to_numpy() == pytest.approx(values[arm]["vi"], rel=rtol)
    values, rtol = found["morris2008_dppc1"]
    assert synthesis.synthesise(values["yi"], values["vi"], method="EE", knapp_hartung=False).coef[0] == pytest.approx(values["FE"]["beta"]["intrcpt"] if isinstance(values["FE"]["beta"], dict) else values["FE"]["beta"], rel=rtol)
    assert synthesis.synthesise(values["yi"], values["vi"], knapp_hartung=False).tau2 == pytest.approx(values["REML"]["tau2"], rel=1e-4, abs=1e-9)
