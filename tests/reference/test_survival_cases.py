"""Survival and control charts against R, on the reference cases and data of ../shared."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sprx.stats import spc, survival

SHARED = Path(__file__).parents[3] / "shared"


def cases(name):
    return json.loads((SHARED / "reference_cases" / f"{name}.json").read_text(encoding="utf-8"))["results"]


@pytest.fixture(scope="module")
def lung():
    """survival::lung with status 2 = dead; R 4.2.2, survival 3.5-3."""
    rows = pd.read_csv(SHARED / "data" / "surv_lung.csv")
    return rows.assign(died=rows["status"] == 2)


@pytest.fixture(scope="module")
def mgus():
    """survival::mgus2: 1 = plasma cell malignancy, 2 = death without it, months."""
    rows = pd.read_csv(SHARED / "data" / "surv_mgus2.csv")
    return rows.assign(time=np.where(rows.pstat == 1, rows.ptime, rows.futime), cause=np.where(rows.pstat == 1, 1, 2 * rows.death))


# ---- Kaplan-Meier ---------------------------------------------------------------------------------------------------------

def curves_of(lung, case):
    return [lung[lung.sex == sex] for sex in (1, 2)] if case == "lung_km" else [lung]


@pytest.mark.parametrize("case", ["lung_km", "lung_km_overall"])
def test_curves_and_their_limits_are_those_of_r(lung, case):
    # survfit(conf.type = "log-log"): n at risk exact, estimates and limits 1e-8
    expected = cases("surv_lung")[case]["values"]["log-log"]["at_times"]
    done = 0
    for part in curves_of(lung, case):
        curve = survival.kaplan_meier(part.time, part.died)
        for day in (90, 180, 365, 730):
            row = curve[curve.time <= day].iloc[-1]
            found = [row.survival, row.conf_low, row.conf_high]
            assert found == pytest.approx([expected[k][done] for k in ("surv", "lower", "upper")], rel=1e-8)
            assert curve[curve.time >= day].at_risk.iloc[0] == expected["n_risk"][done]
            done += 1
    assert done == len(expected["time"])


@pytest.mark.parametrize("case", ["lung_km", "lung_km_overall"])
def test_quartiles_and_their_limits_are_those_of_r(lung, case):
    for part, quartiles in zip(curves_of(lung, case), cases("surv_lung")[case]["values"]["log-log"]["quartiles"]):
        curve = survival.kaplan_meier(part.time, part.died)
        for share in ("25", "50", "75"):
            found = survival.quantile(curve, int(share) / 100)
            expected = [quartiles[k][share] for k in ("q", "lower", "upper")]
            assert [None if v != v else v for v in found] == expected


@pytest.mark.parametrize("horizon", [365, 500])
def test_restricted_means_are_those_of_survrm2(lung, horizon):
    # survRM2 1.0.4: estimates 1e-9, standard errors 1e-6 (the Greenwood type), limits 1e-8
    expected = cases("surv_lung")[f"lung_rmst_tau{horizon}"]["values"]
    for sex, arm in ((1, "arm0"), (2, "arm1")):
        part = lung[lung.sex == sex]
        found = survival.restricted_mean(part.time, part.died, horizon)
        assert found["estimate"] == pytest.approx(expected[arm]["Est."], rel=1e-9)
        assert found["std_error"] == pytest.approx(expected[arm]["se"], rel=1e-6)
        assert (found["conf_low"], found["conf_high"]) == pytest.approx((expected[arm]["lower .95"], expected[arm]["upper .95"]), rel=1e-8)


@pytest.mark.parametrize("case, rho", [("lung_logrank", 0), ("lung_peto_rho1", 1)])
def test_the_log_rank_tests_are_those_of_survdiff(lung, case, rho):
    expected = cases("surv_lung")[case]["values"]
    found = survival.log_rank(lung.time, lung.died, lung.sex, rho)
    assert found["statistic"] == pytest.approx(expected["chisq"], rel=1e-8)
    assert found["df"] == expected["df"] and found["p"] == pytest.approx(expected["p"], rel=1e-6)


# ---- Cox ------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("case, terms", [("lung_cox_uni_efron", ["sex"]), ("lung_cox_multi_efron", ["sex", "age", "ph.ecog"])])
def test_the_cox_model_with_its_check_is_that_of_coxph(lung, case, terms):
    # coxph(ties = "efron") 1e-5; cox.zph(transform = "km"): 2e-4 (the case asks for 6 %, lifelines' approximation)
    expected = cases("surv_lung")[case]["values"]
    rows = lung.dropna(subset=terms)
    found, check = survival.cox(rows[terms], rows.time, rows.died)
    one = len(terms) == 1
    for term in terms:
        row = found.loc[term]
        assert row.coefficient == pytest.approx(expected["coef"][term], rel=1e-5)
        assert row.std_error == pytest.approx(expected["se"] if one else expected["se"][term], rel=1e-5)
        limits = [expected[k] if one else expected[k][term] for k in ("HR_lb", "HR_ub")]
        assert [row.hazard_ratio, row.conf_low, row.conf_high] == pytest.approx([expected["HR"][term], *limits], rel=1e-5)
        assert row.ph_statistic == pytest.approx(expected["zph_km"]["chisq"][term], rel=2e-4)
    assert check["statistic"] == pytest.approx(expected["zph_km"]["chisq"]["GLOBAL"], rel=2e-4)
    assert (check["n"], check["n_events"], check["df"]) == (expected["n"], expected["nevent"], len(terms))


def test_the_cause_specific_cox_model_is_that_of_coxph(mgus):
    expected = cases("cr_mgus2")["mgus2_causespecific"]["values"]
    found, check = survival.cox(pd.DataFrame({"z": (mgus.sex == "M").astype(float)}), mgus.time, mgus.cause == 1)
    assert found.coefficient["z"] == pytest.approx(expected["coef"]["z"], rel=1e-5) and found.std_error["z"] == pytest.approx(expected["se"], rel=1e-5)
    assert check["n_events"] == expected["nevent"]


# ---- competing events -----------------------------------------------------------------------------------------------------

def test_cumulative_incidence_is_that_of_the_aalen_johansen_estimate_of_r(mgus):
    # survfit(Surv(etime, factor(event, 0:2)) ~ group): 1e-8; infinitesimal-jackknife errors within 2 %, log limits likewise
    expected = cases("cr_mgus2")["mgus2_AJ"]["values"]
    for i, (stratum, month) in enumerate(zip(expected["strata"], expected["time"])):
        part = mgus[mgus.sex == stratum[-1]]
        curve = survival.cumulative_incidence(part.time, part.cause, 2)
        for cause in (1, 2):
            row = curve[(curve.cause == cause) & (curve.time <= month)].iloc[-1]
            assert row.estimate == pytest.approx(expected[f"p_event{cause}"][i], rel=1e-8)
            assert row.std_error == pytest.approx(expected[f"se_event{cause}"][i], rel=0.02)
            if cause == 1:
                assert (row.conf_low, row.conf_high) == pytest.approx((expected["lb_event1_log"][i], expected["ub_event1_log"][i]), rel=1e-6)


def test_cumulative_incidence_agrees_with_cmprsk(mgus):
    # cmprsk 2.2.11 timepoints(): estimates 1e-8, Aalen's variance within 4 % (2 % of the error)
    expected = cases("cr_mgus2")["mgus2_cuminc"]["values"]
    for i, name in enumerate(expected["curves"]):
        part = mgus[mgus.sex == name[0]]
        curve = survival.cumulative_incidence(part.time, part.cause, 2)
        for month in expected["times"]:
            row = curve[(curve.cause == int(name[-1])) & (curve.time <= month)].iloc[-1]
            assert row.estimate == pytest.approx(expected["est"][i][str(month)], rel=1e-8)
            assert row.std_error == pytest.approx(expected["var"][i][str(month)] ** 0.5, rel=0.02)


def test_one_minus_kaplan_meier_with_the_other_event_censored_says_more_than_happens(mgus):
    expected = cases("cr_mgus2")["mgus2_naive_1minusKM"]["values"]
    for stratum, month, naive in zip(expected["strata"], expected["time"], expected["one_minus_km"]):
        part = mgus[mgus.sex == stratum[-1]]
        curve = survival.kaplan_meier(part.time, part.cause == 1)
        shares = survival.cumulative_incidence(part.time, part.cause, 2)
        true = shares[(shares.cause == 1) & (shares.time <= month)].estimate.iloc[-1]
        assert 1 - curve[curve.time <= month].survival.iloc[-1] == pytest.approx(naive, rel=1e-8) and naive > true


# ---- control charts -------------------------------------------------------------------------------------------------------

NAMES = {"Common Cause": ("", ""), "Above UCL": ("outside limits", "above"), "Below LCL": ("outside limits", "below"),
         "7 Points Above CL": ("shift", "above"), "7 Points Below CL": ("shift", "below"), "2 in 3 Above CL": ("two of three", "above"),
         "2 in 3 Below CL": ("two of three", "below"), "7 Point Trend (Increasing)": ("trend", "rising"), "7 Point Trend (Decreasing)": ("trend", "falling")}
JUDGED = {"common_cause": "", "special_cause_improvement": "improvement", "special_cause_concern": "concern"}


@pytest.mark.parametrize("case, screen, improvement", [("spc_RRK_breaches", True, "down"), ("spc_RRK_breaches_noscreen", False, "down"),
                                                        ("spc_RRK_attendances", True, "neither")])
def test_control_charts_are_those_of_nhsrplotthedots(case, screen, improvement):
    # NHSRplotthedots 0.2.2: flags exact, limits 1e-10
    expected = cases("spc_xmr")[case]["values"]
    chart = spc.xmr(expected["y"], screen=screen, improvement=improvement)
    assert (chart.centre.iloc[0], chart.lower.iloc[0], chart.upper.iloc[0]) == pytest.approx((expected["mean"], expected["lpl"], expected["upl"]), rel=1e-10)
    assert list(chart.outside.abs()) == expected["outside_limits"] and list(chart.near.abs()) == expected["close_to_limits"]
    assert list(zip(chart.special_cause, chart.direction)) == [NAMES[name] for name in expected["special_cause_type"]]
    assert list(chart.judged) == [JUDGED[name] for name in expected["point_type"]] and list(chart.phase) == expected["rebase_group"]
    assert not chart.trial.any()
