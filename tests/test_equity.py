"""Standardised rates, inequality indices, standardised differences: by hand, against oracles, and at their limits."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sprx.intervals import poisson
from sprx.metrics.for_whom.inequality import standard_bands
from sprx.stats import equity

FIVES = [(0, 4, 10.0), (5, 9, 20.0), (10, 0, 30.0)]         # a standard of three bands, the last one open


def test_the_error_of_limits_is_half_their_width_in_normal_quantiles():
    # 95%: 1.959964 to either side; 99.8%: 3.090232 (quantiles of the standard normal at 97.5% and 99.9%)
    assert list(equity.error_of_limits([8.040036, 0], [11.959964, 3.919928], 0.95)) == pytest.approx([1, 1], abs=1e-6)
    assert equity.error_of_limits(-3.090232, 3.090232, 0.998) == pytest.approx(1, abs=1e-6)


# ---- weights of bands ------------------------------------------------------------------------------------------------------

def test_a_band_takes_its_years_share_of_each_standard_band():
    # 3-6: two of five years of 0-4 (4) and two of five of 5-9 (8)
    assert list(equity.band_weights([(3, 6), (7, 199), (0, 4)], FIVES)) == pytest.approx([12, 3 / 5 * 20 + 30, 10])


def test_a_closed_band_that_reaches_into_the_open_one_takes_a_tenth_for_each_year():
    assert list(equity.band_weights([(5, 14), (10, 19), (15, 99)], FIVES)) == pytest.approx([20 + 15, 30, 15])


def test_the_schemes_own_bands_get_esp2013_by_hand():
    # 18-24: 2/5 of 5500 + 6000; 25-34: 6000 + 6500; 85+: 1500 + 1000 (Eurostat 2013)
    weights = standard_bands(["18-24", "25-34", "85+", "other ages"])
    assert weights == pytest.approx({"18-24": 8200, "25-34": 12500, "85+": 2500})


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.integers(1, 98), min_size=1, max_size=8, unique=True))
def test_bands_that_cover_every_age_share_out_the_whole_standard(cuts):
    edges = [0, *sorted(cuts)]
    labels = [f"{low}-{high - 1}" for low, high in zip(edges, edges[1:])] + [f"{edges[-1]}+"]
    assert sum(standard_bands(labels).values()) == pytest.approx(100_000)


# ---- directly standardised rate ----------------------------------------------------------------------------------------------

def test_a_standardised_rate_by_hand():
    # 10/100 and 20/1000 with weights 1 and 3: (0.1 + 3 x 0.02) / 4 = 0.04; variance (10/100^2 + 9 x 20/1000^2) / 16
    found = equity.standardised_rate([10, 20], [100, 1000], [1, 3], poisson(30, 0.95))
    error = ((10 / 100 ** 2 + 9 * 20 / 1000 ** 2) / 16) ** 0.5
    low, high = poisson(30, 0.95)
    assert found["estimate"] == pytest.approx(0.04) and found["std_error"] == pytest.approx(error)
    assert (found["conf_low"], found["conf_high"]) == pytest.approx((0.04 + error / 30 ** 0.5 * (low - 30), 0.04 + error / 30 ** 0.5 * (high - 30)))


def test_with_the_residents_own_ages_it_is_the_crude_rate_and_its_limits():
    found = equity.standardised_rate([10, 20], [100, 100], [1, 1], poisson(30, 0.95))
    assert found["estimate"] == pytest.approx(0.15) and (found["conf_low"], found["conf_high"]) == pytest.approx(tuple(limit / 200 for limit in poisson(30, 0.95)))


@pytest.mark.parametrize("counts, given_out", [([4, 5], False), ([5, 5], True), ([0, 0], False)])
def test_no_standardised_rate_below_ten_events(counts, given_out):
    found = equity.standardised_rate(counts, [100, 100], [1, 1], poisson(sum(counts), 0.95))
    assert pd.notna(list(found.values())).all() == given_out


# ---- slope and relative index ------------------------------------------------------------------------------------------------

def test_ranks_are_the_middles_of_the_population():
    assert list(equity.relative_rank([2, 1, 1])) == pytest.approx([0.25, 0.625, 0.875])


def test_a_straight_line_gives_its_slope_and_the_ratio_of_its_ends():
    people = [30, 10, 20, 40]
    found = equity.slope_and_relative_index(8 - 6 * equity.relative_rank(people), [0.1] * 4, people, 0.95)
    assert (found["intercept"], found["slope"], found["ratio"]) == pytest.approx((8, -6, 2 / 8))
    assert found["slope_low"] < -6 < found["slope_high"] and found["ratio_low"] < 0.25 < found["ratio_high"]


def test_the_regression_is_statsmodels_wls_and_that_of_square_roots_of_shares():
    import statsmodels.api as sm

    people, values = np.array([5.0, 20, 10, 30, 35]), np.array([9.0, 6, 7, 3, 2])
    design, root = sm.add_constant(equity.relative_rank(people)), (people / people.sum()) ** 0.5
    found = equity.slope_and_relative_index(values, [1] * 5, people, 0.95)
    assert [found["intercept"], found["slope"]] == pytest.approx(list(sm.WLS(values, design, weights=people).fit().params))
    assert [found["intercept"], found["slope"]] == pytest.approx(list(sm.OLS(values * root, design * root[:, None]).fit().params))


def test_limits_are_those_of_draws_of_the_rates():
    random = np.random.default_rng(1)
    people, values, errors = np.array([20.0, 30, 10, 25, 15]), np.array([6.0, 5, 5, 3, 2]), np.array([0.4, 0.3, 0.6, 0.3, 0.4])
    found = equity.slope_and_relative_index(values, errors, people, 0.95)
    draws = [equity.slope_and_relative_index(values + errors * random.standard_normal(5), errors, people, 0.95) for _ in range(4000)]
    for name in ("slope", "ratio"):         # 4,000 draws: the limits wander by about 3% of the width
        drawn = np.quantile([d[name] for d in draws], [0.025, 0.975])
        assert [found[f"{name}_low"], found[f"{name}_high"]] == pytest.approx(list(drawn), abs=0.05 * (drawn[1] - drawn[0]))


def test_a_ratio_to_nought_has_no_limits_and_a_line_from_below_nought_no_ratio():
    people = [1, 1, 1]
    wide = equity.slope_and_relative_index([1.0, 1.0, 1.0], [5, 5, 5], people, 0.95)
    assert wide["ratio"] == pytest.approx(1) and np.isnan([wide["ratio_low"], wide["ratio_high"]]).all()
    below = equity.slope_and_relative_index([-1.0, 0.0, 1.0], [0.1] * 3, people, 0.95)
    assert np.isnan(below["ratio"]) and below["slope"] == pytest.approx(3)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.floats(0.5, 20), st.floats(0.01, 3), st.integers(1, 10_000)), min_size=3, max_size=10), st.sampled_from([0.8, 0.95, 0.998]))
def test_each_index_lies_inside_its_limits(rows, level):
    found = equity.slope_and_relative_index(*zip(*rows), level)
    assert found["slope_low"] <= found["slope"] <= found["slope_high"]
    if not np.isnan(found["ratio_low"]):
        assert found["ratio_low"] <= found["ratio"] + 1e-9 and found["ratio"] <= found["ratio_high"] + 1e-9


# ---- standardised differences ------------------------------------------------------------------------------------------------

def test_differences_of_means_by_hand():
    # means 2 and 5, variances 1 and 4 (n - 1): -3 / sqrt(2.5)
    assert equity.mean_difference_standardised([1, 2, 3], [3, 5, 7]) == pytest.approx(-3 / 2.5 ** 0.5)
    assert equity.mean_difference_standardised([2, 2], [2, 2]) == 0 and np.isnan(equity.mean_difference_standardised([2, 2], [3, 3]))
    assert np.isnan(equity.mean_difference_standardised([1], [2, 3]))


def test_two_levels_are_the_usual_difference_of_two_shares():
    # 30/100 and 50/100: 0.2 / sqrt((0.21 + 0.25) / 2)
    assert equity.category_difference_standardised([30, 70], [50, 50]) == pytest.approx(0.2 / 0.23 ** 0.5)
    assert equity.category_difference_standardised([70, 30], [50, 50]) == pytest.approx(0.2 / 0.23 ** 0.5)


def test_several_levels_do_not_depend_on_their_order_and_empty_ones_do_not_count():
    one, other = [10, 30, 60, 0], [20, 20, 60, 0]
    found = equity.category_difference_standardised(one, other)
    assert found == pytest.approx(equity.category_difference_standardised(one[::-1], other[::-1])) and found > 0
    assert equity.category_difference_standardised([10, 0], [5, 0]) == 0 and np.isnan(equity.category_difference_standardised([10, 0], [0, 0]))
    assert np.isnan(equity.category_difference_standardised([10, 0], [0, 10]))      # nothing in common: no scale


def test_differences_are_those_of_tableone():
    # tableone 0.9 (Pollard 2018 JAMIA Open 1:26), smd=True; its sign is of the second group minus the first
    from tableone import TableOne

    random = np.random.default_rng(3)
    people = pd.DataFrame({"side": ["a"] * 60 + ["b"] * 90, "age": random.normal(50, 12, 150).round(), "source": random.choice(["gp", "self", "vcse"], 150)})
    theirs = TableOne(people, columns=["age", "source"], categorical=["source"], groupby="side", smd=True, overall=False).smd_table.iloc[:, 0]
    a, b = (people[people.side == side] for side in "ab")
    levels = sorted(people.source.unique())
    ours = [equity.mean_difference_standardised(a.age, b.age),
            equity.category_difference_standardised(*([int((side.source == level).sum()) for level in levels] for side in (a, b)))]
    assert [-theirs["age"], theirs["source"]] == pytest.approx(ours, rel=1e-6)
