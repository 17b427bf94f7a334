"""Standardised rates and inequality indices against R (PHEindicatormethods), on the reference cases and data of ../shared."""

import json
from pathlib import Path

import pandas as pd
import pytest

from sprx.intervals import poisson
from sprx.metrics.for_whom.inequality import standard_bands
from sprx.reference import facts
from sprx.stats import equity

SHARED = Path(__file__).parents[3] / "shared"
LEVELS = ((0.95, "95_0cl"), (0.998, "99_8cl"))


def cases(name):
    return json.loads((SHARED / "reference_cases" / "phe_indicators.json").read_text(encoding="utf-8"))["results"][name]["values"]


def data(name):
    return pd.read_csv(SHARED / "data" / f"{name}.csv")


def test_the_standard_population_is_that_of_the_package():
    assert list(facts("esp2013")["weight"].astype(float)) == cases("esp2013")
    assert list(standard_bands(facts("esp2013")["age_band"]).values()) == pytest.approx(cases("esp2013"))       # its own bands come back whole


def test_standardised_rates_and_dobson_limits_are_those_of_phe_dsr():
    # R 4.2.2, PHEindicatormethods 1.4.2; 1e-9: closed formulae printed to 15 figures
    table, weights, done = data("phe_dsr_multiarea_input"), cases("esp2013"), 0
    for case in cases("dsr_multiarea"):
        rows = table[table["area"] == case["area"]]
        assert rows["count"].sum() == case["total_count"]
        for level, name in LEVELS:
            found = equity.standardised_rate(rows["count"], rows["pop"], weights, poisson(rows["count"].sum(), level))
            if case["value"] is None:
                assert pd.isna(list(found.values())).all()
            else:
                expected = [case["value"], case[f"lower{name}"], case[f"upper{name}"]]
                assert [100_000 * found[key] for key in ("estimate", "conf_low", "conf_high")] == pytest.approx(expected, rel=1e-9)
            done += 1
    assert done == 6


def test_the_1976_standard_gives_what_the_package_gives_not_the_slip_of_its_sheet():
    rows, right = data("phe_dsr_1976_input"), cases("dsr_expected_sheet_warning")
    found = equity.standardised_rate(rows["count"], rows["pop"], rows["esp1976"], poisson(rows["count"].sum(), 0.998))
    scale = 100_000 if right["package_lower99_8"] > 1 else 1
    assert (scale * found["conf_low"], scale * found["conf_high"]) == pytest.approx((right["package_lower99_8"], right["package_upper99_8"]), rel=1e-9)


@pytest.mark.parametrize("area", ["area1", "area2"])
def test_ranks_slope_and_ratio_are_those_worked_out_by_hand_in_r(area):
    case, table = cases("sii_manual")[area], data("phe_sii_cases")
    rows = table[(table["TestDescription"] == "default (e.g. life expectancy) - default parameters") & (table["Area"] == area)]
    found = equity.slope_and_relative_index(rows["Value"], rows["StandardError"], rows["Population"], 0.95)
    assert list(equity.relative_rank(rows["Population"])) == pytest.approx(case["ridit"], rel=1e-8)
    assert (found["slope"], found["ratio"]) == pytest.approx((case["SII"], case["RII"]), rel=1e-8)
    assert found["slope"] == pytest.approx(case["SII_wls"], rel=1e-8)


UNTRANSFORMED = ["default (e.g. life expectancy) - default parameters", "default - testing 99% confidence", "default - testing quintiles",
                 "rate (e.g. infant mortality) - default parameters", "proportion (e.g. child obesity) - default parameters"]


@pytest.mark.parametrize("description", UNTRANSFORMED)
def test_exact_and_fieller_limits_agree_with_one_hundred_thousand_simulations(description):
    # PHEindicatormethods' own sheet, limits simulated: 2% of the interval's width allowed (half of it is their noise); seen: below 1%
    table = data("phe_sii_cases")
    for _, rows in table[table["TestDescription"] == description].groupby("Area"):
        first, level = rows.iloc[0], float(rows["Confidence"].iloc[0]) / 100
        errors = rows["StandardError"] if first["ValueType"] == 0 else equity.error_of_limits(rows["LowerCL"], rows["UpperCL"], 0.95)
        found = equity.slope_and_relative_index(rows["Value"], errors, rows["Population"], level)
        assert (found["slope"], found["ratio"]) == pytest.approx((first["sii"], first["rii"]), rel=1e-9)
        for ours, theirs in (("slope", "sii"), ("ratio", "rii")):
            limits = first[[f"{theirs}_lowercl_1", f"{theirs}_uppercl_1"]].astype(float)
            if limits.notna().all():
                assert [found[f"{ours}_low"], found[f"{ours}_high"]] == pytest.approx(list(limits), abs=0.01 * (limits.iloc[1] - limits.iloc[0]))
