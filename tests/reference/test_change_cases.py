"""Standardised and reliable change, and regression to the mean, against R (metafor, stats) on the reference cases of ../shared."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sprx.metrics.how_well import paired_change, reliable_change_shares, standardised_change
from sprx.scoring import EQ5D_DIMENSIONS, eq5d_utility
from sprx.stats import change

SHARED = Path(__file__).parents[3] / "shared"
TOLERANCE = 1e-6        # as each case states


def cases(name):
    return json.loads((SHARED / "reference_cases" / f"{name}.json").read_text(encoding="utf-8"))["results"]


# ---- metafor's escalc -----------------------------------------------------------------------------------------------------

def people(study):
    """People whose scores have exactly the means, standard deviations and correlation of a summary."""
    rng = np.random.default_rng(1)
    n, r = study["ni"], study["ri"]
    q = np.linalg.qr(np.column_stack([np.ones(n), rng.normal(size=(n, 2))]))[0][:, 1:] * (n - 1) ** 0.5
    return pd.DataFrame({"baseline": study["m_pre"] + study["sd_pre"] * q[:, 0],
                         "follow_up": study["m_post"] + study["sd_post"] * (r * q[:, 0] + (1 - r * r) ** 0.5 * q[:, 1])})


STUDIES = [pytest.param(arm, place, id=f"{arm}-{place + 1}") for arm in ("treatment", "control") for place in range(5)]


@pytest.mark.parametrize("arm, place", STUDIES)
def test_changes_of_morris_2008_are_those_of_metafor(arm, place):
    # R 4.2.2, metafor 3.8-1: escalc(measure = "MC", "SMCC", "SMCR") on the ten groups of Morris (2008)
    known = cases("prepost_smc")
    pairs = people(known["morris2008_MC"]["values"]["treat_input" if arm == "treatment" else "control_input"][place])
    found = pd.concat([paired_change(pairs), standardised_change(pairs)]).set_index("measure")
    for measure, name in (("paired_change", "MC"), ("change_smcc", "SMCC"), ("change_smcr", "SMCR")):
        expected = {k: known[f"morris2008_{name}"]["values"][arm][k][place] for k in ("yi", "vi")}
        assert found.estimate[measure] == pytest.approx(expected["yi"], rel=TOLERANCE, abs=1e-9), name
        assert found.std_error[measure] ** 2 == pytest.approx(expected["vi"], rel=TOLERANCE), name


def test_differences_of_smcr_are_those_of_metafor():
    # Morris (2008) dppc1 after Becker (1988): SMCR of the treated minus that of the controls
    known, found = cases("prepost_smc"), {}
    for arm, inputs in (("treatment", "treat_input"), ("control", "control_input")):
        studies = known["morris2008_MC"]["values"][inputs]
        found[arm] = np.array([change.smcr(s["m_post"] - s["m_pre"], s["sd_pre"], s["ri"], s["ni"]) for s in studies])
    expected = known["morris2008_dppc1"]["values"]
    assert found["treatment"][:, 0] - found["control"][:, 0] == pytest.approx(expected["yi"], rel=TOLERANCE)
    assert found["treatment"][:, 1] ** 2 + found["control"][:, 1] ** 2 == pytest.approx(expected["vi"], rel=TOLERANCE)


def test_no_case_of_standardised_change_is_left_untested():
    assert set(cases("prepost_smc")) == {"morris2008_MC", "morris2008_SMCC", "morris2008_SMCR", "morris2008_dppc1"}


# ---- regression to the mean -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("case", cases("rtm_mcid")["rtm_formula_1_3"]["values"], ids=lambda c: f"cut-off {c['cutoff']}")
def test_the_change_from_selection_alone_is_that_of_the_truncated_normal(case):
    # R 4.2.2, checked there with integrate()
    found = change.selected_change(case["mu"], case["sd"], case["rho"], case["cutoff"], case["direction"] == "below")
    names = dict(share_selected="p_selected", baseline_mean="baseline_mean_selected", follow_up_mean="expected_followup_mean", expected_change="expected_change_no_effect")
    for ours, theirs in names.items():
        assert found[ours] == pytest.approx(case[theirs], rel=TOLERANCE), ours
    # both formulas agree where the baseline mean is that of the people chosen
    simple, low, high = change.expected_from_selection(found["baseline_mean"], 0.0, case["mu"], (case["rho"],) * 3, 1.96)
    assert simple == low == high == pytest.approx(case["integral_check"], rel=TOLERANCE)


# ---- Beat the Blues: who improved -------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def blues():
    wide = pd.read_csv(SHARED / "data" / "btheb_wide.csv")
    return wide.rename(columns={"bdi_pre": "baseline", "bdi_2m": "follow_up"})


@pytest.mark.parametrize("arm, side", [("BtheB", "1"), ("TAU", "0")])
def test_responders_and_their_wilson_limits_are_those_of_r_with_completers_and_with_the_lost_as_not_improved(blues, arm, side):
    # R: responder = fall in BDI of 5 or more at 2 months
    table = reliable_change_shares(blues[blues["treatment"] == arm], 5, higher_is_better=False).set_index("measure")
    for measure, case in (("share_improved", "btheb_mcid5_bdi_2m_completers"), ("share_improved_of_all", "btheb_mcid5_bdi_2m_missing_as_nonresponder")):
        expected, row = cases("rtm_mcid")[case]["values"], table.loc[measure]
        assert (row.n, row.estimate) == (expected[f"n{side}"], pytest.approx(expected[f"p{side}"], rel=TOLERANCE))
        assert (row.conf_low, row.conf_high) == pytest.approx(expected[f"wilson{side}"], rel=TOLERANCE)


def test_the_reliable_change_index_is_that_of_jacobson_and_truax(blues):
    # R: reliability 0.90, SD of the whole sample's baseline
    expected = cases("rtm_mcid")["btheb_rci"]["values"]
    points = change.reliable_change(blues["baseline"].std(), 0.9)
    assert points == pytest.approx(expected["threshold_points"], rel=TOLERANCE)
    table = reliable_change_shares(blues, points, higher_is_better=False).set_index("measure")
    assert table.n["share_improved"] == expected["n"]
    counts = {m: round(table.estimate[m] * expected["n"]) for m in ("share_improved", "share_neither", "share_worse")}
    assert list(counts.values()) == [expected["improved"], expected["no_change"], expected["deteriorated"]]


# ---- EQ-5D: every state of every tariff ---------------------------------------------------------------------------------------

def test_every_state_mapped_from_5l_to_3l_has_the_utility_of_the_table():
    # Hernandez Alava et al (2022), DSU: 3,125 states x 5 age bands x 2 sexes, as in R eq5d 0.16.0; 1e-9: values of four decimals
    table = pd.read_csv(SHARED / "reference" / "eq5d_dsu_5l_to_3l_uk.csv", dtype={"state5l": str})
    age = table["age_band"].map({"18-34": 30, "35-44": 40, "45-54": 50, "55-64": 60, "65+": 80})
    found = eq5d_utility(table["state5l"], "eq5d5l_map", pd.DataFrame({"age": age, "sex": table["sex"]}))
    assert len(table) == 31_250 and found.to_numpy() == pytest.approx(table["utility_3l_mapped"].to_numpy(), abs=1e-9)


@pytest.mark.parametrize("instrument, value_set, levels", [("eq5d3l", "3L_UK_TTO_Dolan1997", "123"), ("eq5d5l_uk2026", "5L_UK_Rowen2026", "12345")])
def test_every_state_of_a_tariff_is_one_plus_its_coefficients(instrument, value_set, levels):
    rows = pd.read_csv(SHARED / "reference" / "eq5d_uk_tariffs.csv")
    tariff = rows[rows["value_set"] == value_set].set_index("term")["coefficient"]
    states = ["".join(s) for s in product(levels, repeat=5)]
    expected = [1 + sum(tariff.get(f"{d}{level}", 0.0) for d, level in zip(EQ5D_DIMENSIONS.values(), s)) for s in states]
    if instrument == "eq5d3l":
        expected = [e + (s != "11111") * tariff["constant_any_problem"] + ("3" in s) * tariff["N3_any_level3"] for e, s in zip(expected, states)]
    assert len(tariff) >= 10 and list(eq5d_utility(pd.Series(states), instrument)) == pytest.approx(expected, abs=1e-9)
