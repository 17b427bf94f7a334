"""Counts, difference-in-differences and interrupted series against R (MASS, geepack, sandwich): the reference cases of ../shared."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from sprx.stats.counts import log_rates, rate_ratio
from sprx.stats.series import segmented

SHARED = Path(__file__).parents[3] / "shared"
# R takes standard errors and the dispersion from the weights of its last step but one (as_r_stops shows it); ours are those of the final fit
R_LAST_STEP = 1e-5


def cases(name):
    return json.loads((SHARED / "reference_cases" / f"{name}.json").read_text(encoding="utf-8"))["results"]


def data(name):
    return pd.read_csv(SHARED / "data" / f"{name}.csv")


def numbers(values, *names):
    return [list(values[name].values()) for name in names]


# ---- counts -------------------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def quine():
    rows = data("quine")
    design = {"SexM": rows["Sex"].eq("M"), **{f"Age{a}": rows["Age"].eq(a) for a in ("F1", "F2", "F3")}, "EthN": rows["Eth"].eq("N"), "LrnSL": rows["Lrn"].eq("SL")}
    return rows["Days"], np.ones(len(rows)), pd.DataFrame(design).astype(float)


def test_the_negative_binomial_is_that_of_glm_nb(quine):
    # R 4.2.2, MASS 7.3.58.2: coefficients 2e-4, alpha 1e-4, standard errors at that alpha 1e-5 as stated there
    expected = cases("counts_quine")["quine_negbin"]["values"]
    found = rate_ratio(*quine)
    coef, se = numbers(expected, "coef", "se")
    assert np.log(found["ratio"]).to_numpy() == pytest.approx(coef, rel=2e-4) and found["std_error"].to_numpy() == pytest.approx(se, rel=1e-5)
    assert found["dispersion"].iloc[0] == pytest.approx(expected["alpha"], rel=1e-4)
    robust = rate_ratio(*quine, clusters=np.arange(146))
    assert robust["std_error"].to_numpy() == pytest.approx(numbers(expected, "HC1_se")[0], rel=R_LAST_STEP)
    assert robust["df"].eq(145).all()


def test_quasi_poisson_and_its_sandwich_are_those_of_r(quine):
    # R 4.2.2, glm, sandwich 3.0.2; rtol 1e-6
    poisson, quasi = (cases("counts_quine")[f"quine_{kind}"]["values"] for kind in ("poisson", "quasipoisson"))
    found = rate_ratio(*quine, family="quasi_poisson")
    coef, se, hc1 = numbers(poisson, "coef", "se", "HC1_se")
    dispersion = poisson["pearson_chisq"] / poisson["df_resid"]
    assert np.log(found["ratio"]).to_numpy() == pytest.approx(coef, rel=1e-6)
    assert found["dispersion"].iloc[0] == pytest.approx(dispersion, rel=1e-6) == pytest.approx(quasi["dispersion"], rel=R_LAST_STEP)
    assert found["std_error"].to_numpy() == pytest.approx(np.array(se) * dispersion ** 0.5, rel=R_LAST_STEP)
    # R's weights are those of its last step but one: with them, its own numbers to the stated 1e-6
    assert as_r_stops(quine[0], np.column_stack([np.ones(146), quine[2]])) == pytest.approx(np.array(se), rel=1e-6)
    assert found["std_error"].to_numpy() == pytest.approx(numbers(quasi, "se")[0], rel=R_LAST_STEP)
    # everyone a cluster of their own: n/(n-1) x (n-1)/(n-k) is HC1's n/(n-k)
    assert rate_ratio(*quine, clusters=np.arange(146), family="quasi_poisson")["std_error"].to_numpy() == pytest.approx(hc1, rel=R_LAST_STEP)


def as_r_stops(y, x):
    """Standard errors of a Poisson regression as R 4.2.2 glm.fit leaves them: from the weights with which the last step was made."""
    eta, old = np.log(y.to_numpy() + 0.1), np.inf
    while True:
        mean = np.exp(eta)
        eta = x @ np.linalg.solve(x.T @ (x * mean[:, None]), x.T @ (mean * eta + y.to_numpy() - mean))
        new = 2 * np.sum(np.where(y > 0, y * np.log(np.maximum(y, 1) / np.exp(eta)), 0) - y + np.exp(eta))
        if abs(new - old) < 1e-8 * (abs(new) + 0.1):
            return np.sqrt(np.diag(np.linalg.inv(x.T @ (x * mean[:, None]))))
        old = new


@pytest.fixture(scope="module")
def epil():
    rows = data("epil").groupby("subject").agg(y=("y", "sum"), trt=("trt", "first"), base=("base", "first"), age=("age", "first"))
    return rows.assign(trt=rows["trt"].eq("progabide") * 1.0)


def test_later_counts_given_earlier_ones_are_those_of_glm_nb(epil):
    expected = cases("counts_epil_prepost")["epil_nb_baseline_adj"]["values"]
    found = rate_ratio(epil["y"], np.ones(len(epil)), pd.DataFrame(dict(trt=epil["trt"], base=np.log(epil["base"]), age=epil["age"])))
    coef, se = numbers(expected, "coef", "se")
    assert np.log(found["ratio"]).to_numpy() == pytest.approx(coef, rel=2e-4) and found["std_error"].to_numpy() == pytest.approx(se, rel=1e-5)
    assert found["dispersion"].iloc[0] == pytest.approx(expected["alpha"], rel=1e-4)
    design = pd.DataFrame(dict(trt=epil["trt"], base=np.log(epil["base"]), age=epil["age"]))
    robust = rate_ratio(epil["y"], np.ones(len(epil)), design, clusters=epil.index)
    assert robust["std_error"].to_numpy() == pytest.approx(numbers(expected, "HC1_se")[0], rel=1e-4)       # as far as alpha agrees


def test_the_ratio_of_rate_ratios_is_that_of_geepack(epil):
    # geepack 1.3.9, exchangeable: coefficients within 0.02 SE, robust SE 2 %
    expected = cases("counts_epil_prepost")["epil_gee_prepost_did"]["values"]
    arm = epil["trt"].map({1.0: "scheme", 0.0: "comparison"}).to_numpy(object)
    cells, people = np.concatenate([arm + ", before", arm + ", after"]), np.tile(epil.index, 2)
    fit = log_rates(np.concatenate([epil["base"], epil["y"]]), np.ones(2 * len(epil)), cells, people)
    lines = [{"comparison, before": 1}, {"scheme, before": 1, "comparison, before": -1}, {"comparison, after": 1, "comparison, before": -1},
             {"scheme, after": 1, "scheme, before": -1, "comparison, after": -1, "comparison, before": 1}]
    for line, coef, se in zip(lines, expected["coef"], expected["robust_se"]):
        found = fit.contrast(line)
        # two visits of everybody: equal to the working correlation's estimate; ours has G/(G-1) per arm, geepack none
        assert np.log(found["estimate"]) == pytest.approx(coef, abs=0.02 * se) and found["std_error"] == pytest.approx(se, rel=0.02)


# ---- difference-in-differences ------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def organ():
    rows = data("organ_donations_did")
    quarters = ["Q42010", "Q12011", "Q22011", "Q32011", "Q42011", "Q12012"]
    return rows.assign(ca=rows["State"].eq("California") * 1.0, post=rows["Quarter"].isin(quarters[3:]) * 1.0)


def test_the_linear_difference_in_differences_is_that_of_r(organ):
    # R 4.2.2 lm, sandwich 3.0.2 vcovCL HC1; rtol 1e-6. The design of our ratios, on the scale of differences
    case = cases("did_organ")
    expected, means = case["organ_did_2x2"]["values"], case["organ_did_cells"]["values"]
    x = sm.add_constant(organ[["ca", "post"]]).assign(both=organ["ca"] * organ["post"])
    plain = sm.OLS(organ["Rate"], x).fit()
    clustered = sm.OLS(organ["Rate"], x).fit(cov_type="cluster", cov_kwds=dict(groups=pd.factorize(organ["State"])[0]))
    coef, se, robust = numbers(expected, "coef", "se", "cluster_HC1_se")
    assert plain.params.to_numpy() == pytest.approx(coef, rel=1e-6) and plain.bse.to_numpy() == pytest.approx(se, rel=1e-6)
    assert clustered.bse.to_numpy() == pytest.approx(robust, rel=1e-6)
    fixed = pd.concat([pd.get_dummies(organ["State"]), pd.get_dummies(organ["Quarter"]).iloc[:, 1:]], axis=1).astype(float).assign(both=x["both"])
    effects = sm.OLS(organ["Rate"], fixed).fit(cov_type="cluster", cov_kwds=dict(groups=pd.factorize(organ["State"])[0]))
    twfe = case["organ_did_twfe"]["values"]
    assert (effects.params["both"], effects.bse["both"]) == pytest.approx((twfe["did"], twfe["se_cluster_HC1_all_k"]), rel=1e-6)
    assert means["ca1_post1"] - means["ca1_post0"] - means["ca0_post1"] + means["ca0_post0"] == pytest.approx(twfe["did"], rel=1e-6)


def test_our_cells_are_its_cells_and_one_treated_state_gives_no_limits(organ):
    # the case's own note: with one treated cluster the cluster-robust error is far too small; ours refuses it
    means = cases("did_organ")["organ_did_cells"]["values"]
    cells = "ca" + organ["ca"].map("{:g}".format) + "_post" + organ["post"].map("{:g}".format)
    fit = log_rates(organ["Rate"], np.ones(len(organ)), cells, organ["State"])
    assert np.exp(fit.cells["log_rate"]).to_dict() == pytest.approx(means, rel=1e-6)
    assert "one cluster only" in fit.contrast({"ca1_post1": 1, "ca1_post0": -1, "ca0_post1": -1, "ca0_post0": 1})["why"]


# ---- one series ---------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("case, time, season, slope", [("level", "time", None, False), ("harmonic", "time", 12, False), ("harmonic_month", "time", 12, False),
                                                       ("slope_change", "time", 12, True)])
def test_the_smoking_ban_series_is_that_of_r(case, time, season, slope):
    # Lopez Bernal (2017), R 4.2.2 glm quasipoisson; rtol 1e-6 (dispersion and what hangs on it: see R_LAST_STEP). Month and time differ by whole years
    rows, known = data("its_sicily_smokingban"), cases("its_sicily")
    expected = known[f"sicily_quasi_{case}"]["values"]
    found = segmented(rows["aces"], rows[time], 36, rows["stdpop"], season, slope_change=slope)
    names = {"(Intercept)": "(start)", "smokban": "level", "smokban:I(time - 36)": "slope"}
    terms = found.terms.rename(index={v: k for k, v in names.items()}).loc[list(expected["coef"])]
    assert terms["coef"].to_numpy() == pytest.approx(numbers(expected, "coef")[0], rel=1e-6)
    assert terms["std_error"].to_numpy() == pytest.approx(numbers(expected, "se")[0], rel=R_LAST_STEP)
    assert found.dispersion == pytest.approx(expected["dispersion"], rel=R_LAST_STEP) and (found.n_before, found.n_after) == (36, 23)
    if "RR" in expected:        # R's limits are normal, ours t: the same error
        ratio = found.ratio("level")
        assert ratio["estimate"] == pytest.approx(expected["RR"], rel=1e-6)
        normal = np.exp(np.log(ratio["estimate"]) + ratio["std_error"] * np.array([-1, 1]) * 1.959963984540054)
        assert normal == pytest.approx(expected["RR_ci"], rel=R_LAST_STEP) and ratio["conf_low"] < normal[0] < normal[1] < ratio["conf_high"]


def test_without_dispersion_the_smoking_ban_series_is_the_poisson_of_r():
    rows, expected = data("its_sicily_smokingban"), cases("its_sicily")["sicily_poisson_level"]["values"]
    found = segmented(rows["aces"], rows["time"], 36, rows["stdpop"], slope_change=False)
    assert found.dispersion == pytest.approx(expected["pearson_chisq"] / expected["df_resid"], rel=1e-6)
    se = found.terms["std_error"] / found.dispersion ** 0.5
    order = ["(start)", "level", "time"]
    assert se[order].to_numpy() == pytest.approx(numbers(expected, "se")[0], rel=1e-6)


def test_newey_west_on_the_seat_belt_series_is_the_formula_by_hand():
    # UK drivers killed or seriously injured, law of February 1983: Bartlett weights, n/(n-k), no prewhitening
    rows = data("its_seatbelts")
    time = np.arange(len(rows)) + 1.0
    at = float(time[rows["law"].eq(0)].max())
    found = segmented(rows["drivers"], time, at, season=12, method="newey_west", lags=6)
    after = time > at
    turn = 2 * np.pi * np.outer(time, [1, 2]) / 12
    x = np.column_stack([np.ones(len(time)), time, after, np.where(after, time - at, 0), np.sin(turn[:, 0]), np.cos(turn[:, 0]), np.sin(turn[:, 1]), np.cos(turn[:, 1])])
    bread = np.linalg.inv(x.T @ x)
    coef = bread @ x.T @ rows["drivers"].to_numpy(float)
    score = x * (rows["drivers"].to_numpy(float) - x @ coef)[:, None]
    meat = score.T @ score
    for lag in range(1, 7):
        product = score[lag:].T @ score[:-lag]
        meat += (1 - lag / 7) * (product + product.T)
    cov = bread @ meat @ bread * len(x) / (len(x) - x.shape[1])
    assert found.terms["coef"].to_numpy() == pytest.approx(coef, rel=1e-6) and found.terms["std_error"].to_numpy() == pytest.approx(np.sqrt(np.diag(cov)), rel=1e-6)
    assert found.terms.loc["level", "coef"] < -200          # the law's step, of about 1,700 a month
