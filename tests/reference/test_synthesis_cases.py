"""Meta-analysis against R's metafor: BCG, stroke care, warfarin, school calendars, pretest-posttest designs."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from sprx.stats import effect_sizes, mantel_haenszel, nested, synthesis

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
    assert fit.qm == close(values["QM"]) and fit.qm_p == pytest.approx(values["QMp"], rel=1e-3 if rtol > 1e-6 else 1e-6)
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
    assert fit.qm == pytest.approx(values["QM"], rel=rtol) and fit.qm_p == pytest.approx(values["QMp"], rel=1e-3)
    at = np.exp(fit.predict([[1, 10], [1, 30], [1, 50]]))
    for column, key in (("estimate", "predicted_RR"), ("conf_low", "pred_ci_lb"), ("conf_high", "pred_ci_ub"), ("pred_low", "pi_lb"), ("pred_high", "pi_ub")):
        assert at[column].to_numpy() == pytest.approx(values[key], rel=rtol)
    null = synthesis.synthesise(*log_rr(bcg), method=method)
    assert 100 * (null.tau2 - fit.tau2) / null.tau2 == pytest.approx(values["R2"], rel=max(rtol, 1e-6))


def test_mantel_and_haenszels_ratio_is_rma_mhs(bcg):
    values, rtol = case("meta_bcg")["bcg_MH_RR"]
    found = mantel_haenszel.mantel_haenszel(bcg["tpos"], bcg["tpos"] + bcg["tneg"], bcg["cpos"], bcg["cpos"] + bcg["cneg"])
    assert [found[k] for k in ("estimate", "std_error", "conf_low", "conf_high", "q")] == pytest.approx([values["beta"]["intrcpt"], values["se"], values["ci_lb"], values["ci_ub"], values["QE"]], rel=rtol)


# ---- numbers that metafor's own tests hold (github.com/wviechtb/metafor, tests/testthat, R package metafor, GPL: the numbers only), to the digits printed there

def test_mantel_and_haenszels_ratios_are_rothmans():
    # test_analysis_example_rothman2008.r; Rothman, Greenland and Lash (2008), tables 15-1 and 15-2, 90% limits
    tables = ([8, 22], [106, 98], [5, 16], [120, 85])
    for measure, estimate, low, high, q in (("RR", 0.2818, -0.1442, 0.7078, 0.4472), ("OR", 0.3387, -0.1731, 0.8505, 0.3474)):
        found = mantel_haenszel.mantel_haenszel(*tables, measure, conf_level=0.9)
        assert [found[k] for k in ("estimate", "conf_low", "conf_high", "q")] == pytest.approx([estimate, low, high, q], abs=6e-5)
    found = mantel_haenszel.mantel_haenszel([32, 104, 206, 186, 102], [52407, 43248, 28612, 12663, 5317], [2, 12, 28, 28, 31], [18790, 10673, 5710, 2585, 1462], "IRR", conf_level=0.9)
    assert [found[k] for k in ("estimate", "conf_low", "conf_high", "q", "q_p")] == pytest.approx([0.3539, 0.1776, 0.5303, 10.4117, 0.0340], abs=6e-5)


def test_how_much_a_study_moves_the_mean_is_influences(bcg):
    # test_misc_influence.r: influence(rma(yi, vi, dat.bcg)), study 1; hatvalues() and cooks.distance() with ablat; metafor's REML stops at 1e-5
    row = synthesis.leave_one_out(*log_rr(bcg), knapp_hartung=False).iloc[0]
    assert [row[k] for k in ("rstudent", "dffits", "cooks_distance", "covariance_ratio", "tau2", "q", "hat")] == pytest.approx(
        [-0.218142474344442, -0.0407075604868486, 0.00171654236729195, 1.11644891104804, 0.336156745300306, 151.582572747109, 0.0505948307931551], rel=1e-4)
    table = synthesis.leave_one_out(*log_rr(bcg), bcg[["ablat"]], knapp_hartung=False)
    assert table["hat"].to_numpy() == pytest.approx([0.049, 0.1493, 0.0351, 0.3481, 0.2248, 0.2367, 0.064, 0.357, 0.0926, 0.1157, 0.2309, 0.0189, 0.0778], abs=6e-5)
    assert table["cooks_distance"].to_numpy() == pytest.approx([0.0048, 0.0489, 0.0104, 0.2495, 0.0072, 0.2883, 0.3643, 0.2719, 0.02, 0.1645, 0.0009, 0.0403, 0.1433], abs=2e-4)
    # test_misc_residuals.r: rstudent() of the first six
    assert synthesis.leave_one_out(*log_rr(bcg.head(6)), knapp_hartung=False)["rstudent"].to_numpy() == pytest.approx([0.1426, -0.9957, -0.4591, -1.1949, 2.0949, 0.4330], abs=2e-4)


def test_errors_robust_to_clusters_are_robusts(bcg):
    # test_misc_robust.r: robust(rma(yi, vi), cluster=trial)
    assert nested.cluster_robust(synthesis.synthesise(*log_rr(bcg)), bcg["trial"])["std_error"][0] ** 2 == pytest.approx(0.032106, abs=1e-6)


def test_depression_trials_are_those_of_viechtbauer_2007():
    # test_analysis_example_viechtbauer2007b.r; Viechtbauer (2007) Z Psychol 215:104: St John's wort, trials 7 to 10 and 13 to 25 of linde2005
    table = pd.read_csv(SHARED / "data" / "ma_linde2005.csv")
    table = table.iloc[[*range(6, 10), *range(12, 25)]]
    y, v = effect_sizes.log_risk_ratio(table["ai"], table["n1i"], table["ci"], table["n2i"])
    common, random = (synthesis.synthesise(y, v, method=method, knapp_hartung=False) for method in ("EE", "DL"))
    assert [common.coef[0], common.conf_low[0], common.conf_high[0]] == pytest.approx(np.log([1.3840, 1.2599, 1.5204]), abs=6e-5) and common.q == pytest.approx(51.5454, abs=6e-5)
    assert np.exp(random.predict()[["estimate", "conf_low", "conf_high", "pred_low", "pred_high"]].iloc[0].to_numpy()) == pytest.approx([1.5722, 1.3103, 1.8864, 0.8488, 2.9120], abs=1e-4)
    dose, baseline = table["dosage"] * 7 / 1000 * table["duration"] - 34, table["baseline"] - 20
    x = np.column_stack([dose, baseline, dose * baseline])
    for method, tau2, error in (("DL", 0.0475, 0.0376), ("PM", 0.0633, 0.046), ("ML", 0.024, 0.0222), ("REML", 0.0558, 0.0409)):
        fit = synthesis.synthesise(y, v, x, method, knapp_hartung=False)
        assert [fit.tau2, fit.tau2_error] == pytest.approx([tau2, error], abs=6e-5)
    fit = synthesis.synthesise(y, v, x, "DL", knapp_hartung=False)
    assert fit.coef == pytest.approx([0.47625885, -0.0058448, -0.06722782, -0.00156996], abs=1e-7) and fit.std_error == pytest.approx([0.08764097, 0.00999872, 0.03522283, 0.00344659], abs=1e-7)
    assert 100 * (random.tau2 - fit.tau2) / random.tau2 == pytest.approx(47.3778, abs=6e-4)


def test_teachers_expectations_are_those_of_raudenbush_and_bryk_1985():
    # test_analysis_example_raudenbush1985.r; J Educ Stat 10:75, pages 83 to 92
    table = pd.read_csv(SHARED / "data" / "ma_raudenbush1985.csv")
    fit = synthesis.synthesise(table["yi"], table["vi"], knapp_hartung=False)
    assert [fit.tau2, fit.coef[0], fit.q, fit.coef[0] / fit.std_error[0]] == pytest.approx([0.0188, 0.0837, 35.8295, 1.6208], abs=6e-5)
    own = synthesis.shrunken(fit)
    assert own["estimate"][:4].tolist() == pytest.approx([0.0543, 0.1006, -0.0064, 0.2144], abs=6e-5) and (own["estimate"] - 1.959964 * own["std_error"])[:4].tolist() == pytest.approx([-0.1324, -0.1033, -0.2228, -0.0533], abs=6e-5)
    fit = synthesis.synthesise(table["yi"], table["vi"], table["weeks"].clip(upper=3), knapp_hartung=False)
    assert [fit.tau2, *fit.coef, fit.q, *(fit.coef / fit.std_error)] == pytest.approx([0, 0.4072, -0.1572, 16.5708, 4.6782, -4.3884], abs=2e-4)      # metafor stops a little above 0


def test_school_calendars_are_those_of_konstantopoulos_2011():
    # test_analysis_example_konstantopoulos2011.r; Res Synth Methods 2:61, table 4 (two levels); tau2 within metafor's stopping rule
    table = pd.read_csv(SHARED / "data" / "ma_konstantopoulos2011.csv")
    for x, coef, error, tau2, tau2_error, limits in ((None, [0.1279], [0.0439], 0.0884, 0.0202, (0.0564, 0.1388)),
                                                     (table["year"] - table["year"].mean(), [0.1258, 0.0052], [0.0440, 0.0044], 0.0889, 0.0205, (0.0560, 0.1376))):
        fit = synthesis.synthesise(table["yi"], table["vi"], x, knapp_hartung=False)
        assert [*fit.coef, *fit.std_error, fit.tau2, fit.tau2_error, *fit.tau2_interval()] == pytest.approx([*coef, *error, tau2, tau2_error, *limits], abs=1e-4)


def test_small_studies_of_magnesium_are_regtests():
    # test_misc_pub_bias.r: regtest(rma(measure="OR", dat.egger2001)), z = -4.6686: metafor's default test is the slope of a random-effects model
    table = pd.read_csv(SHARED / "data" / "ma_egger2001.csv")
    y, v = effect_sizes.log_odds_ratio(table["ai"], table["n1i"], table["ci"], table["n2i"])
    fit = synthesis.synthesise(y, v, np.sqrt(v), knapp_hartung=False)
    assert fit.coef[1] / fit.std_error[1] == pytest.approx(-4.6686, abs=1e-3)


def test_passive_smoking_with_seven_studies_filled_in_is_metafors_printed_output():
    # trimfill(rma(yi, vi, dat.hackshaw1998)), as printed in teaching notes on metafor: 7 on the left (SE 4.0399), k = 44, tau2 0.0245 (SE 0.0183), I2 28.86, H2 1.41, Q 60.5196, 0.1745 (0.0484);
    # 7 studies to 1.19 (1.08 to 1.31) also in Lung Cancer (2006) 51:245. The set held four decimals then, and metafor's REML
    # stops about 1e-5 from its top, which moves the centre, and so what is filled in and its Q
    table = pd.read_csv(SHARED / "data" / "ma_hackshaw1998.csv")
    k0, side, fit, _ = found = synthesis.trim_and_fill(table["yi"].round(4), table["vi"].round(4), knapp_hartung=False)
    assert (k0, side, fit.k) == (7, "left", 44) and [fit.tau2, fit.tau2_error, fit.coef[0], fit.std_error[0]] == pytest.approx([0.0245, 0.0183, 0.1745, 0.0484], abs=6e-5)
    assert [fit.i2, fit.h2, fit.q] == pytest.approx([28.86, 1.41, 60.5196], abs=0.02) and found.k0_error == pytest.approx(4.0399, abs=6e-5)
    assert [np.exp(fit.coef[0]), np.exp(fit.conf_low[0]), np.exp(fit.conf_high[0])] == pytest.approx([1.19, 1.08, 1.31], abs=6e-3)


def test_nothing_is_filled_in_of_bcg_odds_ratios_but_its_error_is_said(bcg):
    # trimfill(rma(measure="OR", dat.bcg)), REML and DL, as printed in teaching notes: 0 on the right (SE 2.3309); regtest: z = -0.7743, p = 0.4388
    y, v = effect_sizes.log_odds_ratio(bcg["tpos"], bcg["tpos"] + bcg["tneg"], bcg["cpos"], bcg["cpos"] + bcg["cneg"])
    for method, tau2, error, mean, mean_error in (("REML", 0.3378, 0.1784, -0.7452, 0.1860), ("DL", 0.3663, 0.2659, -0.7474, 0.1923)):
        k0, side, fit, _ = found = synthesis.trim_and_fill(y, v, method=method, knapp_hartung=False)
        assert (k0, side) == (0, "right") and found.k0_error == pytest.approx(2.3309, abs=6e-5) and [fit.tau2, fit.tau2_error, fit.coef[0], fit.std_error[0]] == pytest.approx([tau2, error, mean, mean_error], abs=6e-5)
    slope = synthesis.synthesise(y, v, np.sqrt(v), knapp_hartung=False)
    assert [slope.coef[1] / slope.std_error[1], slope.p_value[1]] == pytest.approx([-0.7743, 0.4388], abs=1e-4)


def test_ratios_of_means_correlations_and_shares_are_escalcs():
    # test_misc_escalc.r: ROM of normand1999, ZCOR of mcdaniel1994; test_analysis_example_rothman2008.r: RD
    table = pd.read_csv(SHARED / "data" / "ma_normand1999.csv").head(4)
    y, v = effect_sizes.log_mean_ratio(*table[["m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i"]].to_numpy().T)
    assert y == pytest.approx([-0.3102, -0.0715, -0.6202, -0.7303], abs=6e-5) and v == pytest.approx([0.0094, 0.0028, 0.0018, 0.0119], abs=6e-5)
    y, v = effect_sizes.fisher_z([0, 0.62, 0.99, -0.13], [123, 15, 6, 41])
    assert y == pytest.approx([0, 0.7250, 2.6467, -0.1307], abs=6e-5) and v == pytest.approx([0.0083, 0.0833, 0.3333, 0.0263], abs=6e-5)
    y, v = effect_sizes.risk_difference([8, 22], [106, 98], [5, 16], [120, 85])
    assert y == pytest.approx([0.0338, 0.0363], abs=6e-5) and np.sqrt(v) == pytest.approx([0.0315, 0.0598], abs=6e-5)


def test_leaving_one_out_is_metafors(bcg):
    values, rtol = case("meta_normand1999")["normand_SMD_leave1out_DL"]
    table = synthesis.leave_one_out(*SETS["meta_normand1999 SMD"][1](), method="DL", knapp_hartung=False)
    for column, key in (("estimate", "estimate"), ("std_error", "se"), ("tau2", "tau2"), ("i2", "I2")):
        assert table[column].to_numpy() == pytest.approx(values[key], rel=rtol)
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
    k0, side, fit, filled = found = synthesis.trim_and_fill(y, v, method="DL", knapp_hartung=False)
    assert (k0, side) == (values["k0"], values["side"]) and len(filled) == k0 and found.k0_error == pytest.approx(values["se_k0"], rel=rtol)
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
