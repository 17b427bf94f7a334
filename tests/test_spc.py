"""Control charts: limits and the four rules, by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sprx.stats.spc import CAUSES, RUN, xmr

VALUES = st.lists(st.one_of(st.none(), st.integers(0, 60)), min_size=0, max_size=40)


def test_limits_by_hand():
    # mean 5; moving ranges 2, 2, 2: 5 +/- 2.66 * 2
    chart = xmr([4, 6, 4, 6])
    assert (chart.lower.iloc[0], chart.centre.iloc[0], chart.upper.iloc[0]) == pytest.approx((5 - 5.32, 5, 5 + 5.32))
    assert list(chart.moving_range.fillna(-1)) == [-1, 2, 2, 2] and (chart.special_cause == "").all()


def test_a_moving_range_of_3_267_means_or_more_is_screened_out_of_the_limits():
    # ranges 1 (nine times) and 10, 10: their mean is 29/11 = 2.64, 3.267 of it 8.6: both tens are out, the rest have mean 1
    values = [10, 11, 10, 11, 10, 20, 10, 11, 10, 11, 10, 11]
    screened, whole = xmr(values), xmr(values, screen=False)
    assert (screened.upper - screened.centre).iloc[0] == pytest.approx(2.66)
    assert (whole.upper - whole.centre).iloc[0] == pytest.approx(2.66 * 29 / 11)
    assert screened.special_cause[5] == "outside limits" and screened.direction[5] == "above"


def test_a_range_of_exactly_3_267_means_is_screened_out():
    # ten ranges with mean 1000, one of them 3267; the other nine have mean 6733 / 9
    values = np.cumsum([0, 748, -748, 748, -748, 3267, -748, 748, -748, 748, -749])
    chart = xmr(values)
    assert (chart.upper - chart.centre).iloc[0] == pytest.approx(2.66 * 6733 / 9)


def test_a_lone_range_among_noughts_is_screened_out_only_if_it_is_large_enough():
    # three ranges 0, 0, r: mean r/3, and r >= 3.267 r/3 is false (1.089); with four, r >= 3.267 r/4 is true
    assert xmr([0, 0, 0, 1]).upper.iloc[0] > xmr([0, 0, 0, 1]).centre.iloc[0]
    assert xmr([0, 0, 0, 0, 1]).upper.iloc[0] == xmr([0, 0, 0, 0, 1]).centre.iloc[0]


SWING = [10, 14] * 50       # mean 12, moving ranges 4: limits 12 +/- 10.64, near a limit from 7.1 away


def after_swing(*values):
    """The part of the chart that comes after the swing, whose long run fixes the limits."""
    return xmr(SWING + list(values)).iloc[len(SWING):]


@pytest.mark.parametrize("length", [RUN - 1, RUN, RUN + 2])
def test_seven_in_a_row_on_one_side_are_a_shift_and_six_are_not(length):
    part = after_swing(10, *([9, 8] * 5)[:length - 1], 14)      # the swing ended above the mean
    shifted = part[part.special_cause == "shift"]
    assert len(shifted) == (length if length >= RUN else 0)
    assert set(shifted.direction) <= {"below"} and set(shifted.run) <= {length} and part.special_cause.iloc[-1] == ""


def test_a_point_on_the_mean_breaks_a_run():
    values = pd.Series([0, 20] * 6 + [9, 9, 9, 10, 9, 9, 9, 9] + [14] + [10] * 0, dtype=float)
    values.iloc[-1] += 10 * len(values) - values.sum()      # the mean is 10
    chart = xmr(values)
    assert chart.centre.iloc[0] == pytest.approx(10) and (chart["shift"] == 0).all()


def test_seven_rising_points_are_a_trend_and_six_are_not():
    flat = [50, 0] * 6
    for up in (6, 7, 8):
        chart = xmr(flat + [10 + 3 * i for i in range(up)])
        rising = chart[chart.special_cause == "trend"]
        # the last 0 of the swing comes before the rise and is its first point
        assert list(rising.index) == (list(range(11, 12 + up)) if up + 1 >= 7 else []) and set(rising.run) <= {up + 1}
    assert set(rising.direction) == {"rising"}
    assert (xmr(flat + [5, 8, 11, 14, 17]).special_cause == "").all()          # six with the 0 before them


def test_equal_neighbours_end_a_trend():
    assert (xmr([50, 0] * 6 + [5, 8, 8, 11, 14, 17, 20]).trend == 0).all()


def test_falling_points_are_a_falling_trend():
    chart = xmr([0, 50] * 6 + [45, 40, 35, 30, 25, 20, 15])
    assert set(chart.direction[chart.special_cause == "trend"]) == {"falling"} and set(chart.trend) == {0, -1}


@pytest.mark.parametrize("values, flagged", [
    ((20, 13, 20), [1, 0, 1]), ((20, 20, 13), [1, 1, 0]), ((13, 20, 20), [1, 1, 0][::-1]), ((20, 11, 20), [0, 0, 0]), ((20, 13, 13, 20), [0, 0, 0, 0]),
    ((20, 13, 20, 20), [1, 0, 1, 1]), ((30, 13, 20), [0, 0, 0]), ((30, 20, 20), [0, 1, 1])])
def test_two_of_three_near_a_limit_need_all_three_on_one_side(values, flagged):
    part = after_swing(9, *values, 9).iloc[1:-1]                # 30 is outside the limits, and so not near one
    assert [c == "two of three" for c in part.special_cause] == [bool(f) for f in flagged]
    low = after_swing(15, *(24 - v for v in values), 15).iloc[1:-1]
    assert list(low.special_cause) == list(part.special_cause) and set(low.direction) <= {"below", ""}


def test_a_point_outside_the_limits_does_not_count_as_near_one():
    part = after_swing(30, 20)
    assert list(part.outside) == [1, 0] and list(part.near) == [0, 1] and list(part.special_cause) == ["outside limits", ""]


def test_a_point_on_a_limit_is_within_it():
    # ranges of 50 only, since gaps stand about the last points: limits 0 +/- 133
    assert (xmr([25, -25] * 10 + [None, 133, None, -133]).special_cause == "").all()
    assert list(xmr([25, -25] * 10 + [None, 133.01, None, -133.01]).special_cause.iloc[-3:]) == ["outside limits", "", "outside limits"]


def test_a_point_that_meets_two_rules_is_named_by_the_first():
    # rising through the limits: the last points are outside and part of a trend
    chart = xmr([10, 12] * 10 + [8, 11, 14, 17, 20, 23, 26, 29])
    both = chart[(chart.outside != 0) & (chart.trend != 0)]
    assert len(both) and (both.special_cause == "outside limits").all()
    assert CAUSES == ("outside limits", "trend", "two of three", "shift")


def test_each_phase_has_its_own_limits_and_no_rule_reaches_over():
    months = pd.period_range("2024-01", periods=24, freq="M").start_time
    values = pd.Series([10, 12] * 6 + [30, 33] * 6, index=months)
    chart = xmr(values, rebase=[pd.Timestamp("2025-01-01")])
    assert list(chart.phase) == [0] * 12 + [1] * 12 and (chart.special_cause == "").all()
    assert (chart.centre.iloc[0], chart.centre.iloc[-1]) == (11, 31.5) and np.isnan(chart.moving_range.iloc[12])
    assert (xmr(values).special_cause != "").sum() == 24
    assert not chart.trial.any() and xmr(values, rebase=[pd.Timestamp("2025-02-01")]).trial.sum() == 11


def test_a_rebase_before_the_first_point_or_after_the_last_makes_no_empty_phase():
    values = pd.Series([1.0, 2, 3], index=pd.period_range("2024-01", periods=3, freq="M").start_time)
    for day in ("2020-01-01", "2030-01-01"):
        assert list(xmr(values, rebase=[pd.Timestamp(day)]).phase) == [0, 0, 0]


def test_the_direction_of_improvement_turns_a_cause_into_a_judgement():
    values = SWING + [30]
    assert [xmr(values, improvement=way).judged.iloc[-1] for way in ("up", "down", "neither")] == ["improvement", "concern", "neither"]
    assert [xmr([-v for v in values], improvement=way).judged.iloc[-1] for way in ("up", "down")] == ["concern", "improvement"]
    assert xmr(values, improvement="up").judged.iloc[0] == ""
    with pytest.raises(ValueError, match="choose up, down or neither"):
        xmr(values, improvement="better")


def test_fewer_than_twelve_points_are_trial_limits():
    assert xmr(range(11)).trial.all() and not xmr(range(12)).trial.any()
    assert xmr([1.0] * 11 + [None]).trial.all()             # a gap is no point


@pytest.mark.parametrize("values", [[], [5.0], [None, None], [7.0] * 20, [0.1] * 30, [3.0, None, 3.0]])
def test_nothing_stands_out_of_nothing_of_one_point_and_of_equal_ones(values):
    chart = xmr(values)
    assert len(chart) == len(values) and (chart.special_cause == "").all() and (chart.judged == "").all()


def test_a_gap_breaks_a_run_and_takes_no_part_in_limits():
    values = [10, 30] * 10 + [18, 17, 18, None, 18, 17, 18]
    chart = xmr(values)
    assert (chart["shift"] == 0).all() and chart.centre.iloc[0] == pytest.approx(np.nanmean([np.nan if v is None else v for v in values]))
    assert np.isnan(chart.moving_range.iloc[23]) and np.isnan(chart.moving_range.iloc[24])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(VALUES, st.integers(-50, 50))
def test_a_chart_moves_and_mirrors_with_its_values(values, shift):
    values = pd.Series(values, dtype=float)
    chart, moved, mirrored = xmr(values), xmr(values + shift), xmr(-values)
    assert list(moved.special_cause) == list(chart.special_cause)
    assert list(mirrored.special_cause) == list(chart.special_cause)
    opposite = {"above": "below", "below": "above", "rising": "falling", "falling": "rising", "": ""}
    assert list(mirrored.direction) == [opposite[d] for d in chart.direction]
    assert chart.special_cause.isin(["", *CAUSES]).all() and ((chart.special_cause == "") == (chart.direction == "")).all()


def test_no_loop_runs_over_the_points():
    import time

    values = np.random.default_rng(1).poisson(20, 200_000).astype(float)
    began = time.process_time()
    xmr(values)
    assert time.process_time() - began < 5       # 0.2 s here; a loop over points would take minutes
