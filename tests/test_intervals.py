"""Intervals against published examples, statsmodels and scipy, and their properties."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from sprx.intervals import mean, mean_difference, poisson, wilson

GOLDEN = json.loads((Path(__file__).parent / "golden" / "intervals.json").read_text(encoding="utf-8"))
# R prints 15 significant digits; everything here is closed form, so what is left is rounding of the last digits
R_DIGITS = dict(rel=1e-9)


@pytest.mark.parametrize("x, n, low, high", [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)])
def test_wilson_matches_newcombe_1998(x, n, low, high):
    # Newcombe RG (1998) Stat Med 17:857-872, table I, method 3 (score, without continuity correction); printed to 4 decimals
    found = wilson(x, n, 0.95)
    assert (round(found[0], 4), round(found[1], 4)) == (low, high)


@pytest.mark.parametrize("case", GOLDEN["wilson"]["values"], ids=lambda c: f"{c['x']}_of_{c['n']}_at_{c['level']}")
def test_wilson_matches_r_phe_proportion(case):
    assert wilson(case["x"], case["n"], case["level"]) == pytest.approx((case["low"], case["high"]), **R_DIGITS)


@pytest.mark.parametrize("case", GOLDEN["poisson"]["values"], ids=lambda c: f"{c['x']}_at_{c['level']}")
def test_limits_of_a_count_match_r_phe_rate_exact_below_10_and_byars_from_10(case):
    assert poisson(case["x"], case["level"]) == pytest.approx((case["low"], case["high"]), **R_DIGITS)


def test_exact_limits_of_a_count_match_garwood_1936():
    # Garwood F (1936) Biometrika 28:437-442, table: 95% limits of a Poisson mean for counts 0, 1, 5 and 9, 3 decimals at most
    for count, low, high in [(0, 0.0, 3.689), (1, 0.0253, 5.572), (5, 1.623, 11.668), (9, 4.115, 17.085)]:
        assert poisson(count, 0.95) == pytest.approx((low, high), abs=6e-4)     # half of the last printed digit


def test_the_change_from_exact_to_byars_is_at_ten():
    exact = stats.chi2.ppf([0.025, 0.975], [20, 22]) / 2
    assert poisson(10, 0.95) != pytest.approx(tuple(exact), rel=1e-6)           # Byar's is close to exact, but not the same
    assert poisson(10, 0.95) == pytest.approx(tuple(exact), rel=0.01)           # within 1% at 10 (Breslow and Day 1987, table 2.11)
    assert poisson(9, 0.95) == pytest.approx(tuple(stats.chi2.ppf([0.025, 0.975], [18, 20]) / 2), rel=1e-12)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.sampled_from([0.8, 0.95, 0.998]))
def test_wilson_agrees_with_statsmodels_and_holds_its_share(xn, level):
    x, n = xn
    low, high = wilson(x, n, level)
    assert (low, high) == pytest.approx(proportion_confint(x, n, alpha=1 - level, method="wilson"), abs=1e-12)
    assert 0 <= low <= x / n + 1e-12 and x / n - 1e-12 <= high <= 1 and low < high


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 100_000), st.sampled_from([0.8, 0.95, 0.998]))
def test_limits_of_a_count_hold_the_count_and_widen_with_the_level(count, level):
    low, high = poisson(count, level)
    assert 0 <= low <= count < high
    wider = poisson(count, (1 + level) / 2)
    assert wider[0] <= low and wider[1] > high


@pytest.mark.parametrize("total", [0, np.nan])
def test_a_share_of_nobody_has_no_limits(total):
    assert np.isnan(wilson(0, total, 0.95)).all()


def test_a_missing_count_has_no_limits():
    assert np.isnan(poisson(np.nan, 0.95)).all()


def test_the_mean_of_differences_matches_the_paired_t_of_student_1908():
    # Student (1908) Biometrika 6:1-25, section IX: hours of sleep gained, Cushny and Peebles (R data set `sleep`);
    # R: t.test(extra ~ group, paired = TRUE): mean difference -1.58, 95% CI -2.4598858 to -0.7001142
    first = pd.Series([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
    second = pd.Series([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
    found = mean(first - second, 0.95)
    assert found["estimate"] == pytest.approx(-1.58, abs=1e-12)
    assert (found["conf_low"], found["conf_high"]) == pytest.approx((-2.4598858, -0.7001142), abs=5e-8)     # 7 printed decimals


def test_the_difference_of_means_matches_welch_in_r():
    # R: t.test(extra ~ group, data = sleep) (?t.test, first example): 95% CI -3.3654832 to 0.2054832, df 17.776
    first = pd.Series([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
    second = pd.Series([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
    found = mean_difference(first, second, 0.95)
    assert (found["conf_low"], found["conf_high"]) == pytest.approx((-3.3654832, 0.2054832), abs=5e-8)
    assert found["estimate"] == pytest.approx(-1.58, abs=1e-12)                 # the first minus the second


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.floats(-50, 50), min_size=2, max_size=30), st.lists(st.floats(-50, 50), min_size=2, max_size=30))
def test_means_and_their_difference_agree_with_statsmodels(after, before):
    after, before = pd.Series(after).round(3), pd.Series(before).round(3)
    if min(after.var(), before.var()) < 1e-6:       # statsmodels divides by zero there; the next test is about it
        after, before = after + pd.Series(range(len(after))) * 1.0, before + pd.Series(range(len(before))) * 2.0
    one, two = DescrStatsW(after), DescrStatsW(before)
    found, difference = mean(after, 0.9), mean_difference(after, before, 0.9)
    assert (found["conf_low"], found["conf_high"]) == pytest.approx(one.tconfint_mean(0.1), rel=1e-9, abs=1e-9)
    welch = CompareMeans(one, two).tconfint_diff(0.1, usevar="unequal")
    assert (difference["conf_low"], difference["conf_high"]) == pytest.approx(welch, rel=1e-8, abs=1e-8)


def test_values_that_do_not_vary_have_an_interval_of_no_width():
    same = pd.Series([3.0, 3.0, 3.0])
    for found, estimate in ((mean(same, 0.95), 3.0), (mean_difference(same, same - 1, 0.95), 1.0)):
        assert (found["estimate"], found["std_error"], found["conf_low"], found["conf_high"]) == (estimate, 0.0, estimate, estimate)


@pytest.mark.parametrize("values", [[], [4.0]])
def test_fewer_than_two_values_give_no_mean_and_no_difference(values):
    few, many = pd.Series(values, dtype=float), pd.Series([1.0, 2.0])
    for found in (mean(few, 0.95), mean_difference(few, many, 0.95), mean_difference(many, few, 0.95)):
        assert set(found) == {"estimate", "std_error", "conf_low", "conf_high"} and np.isnan(list(found.values())).all()
