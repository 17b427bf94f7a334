"""Survival: by hand, and what happens at the edges; agreement with R is in tests/reference."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sprx.errors import DataError
from sprx.stats import survival

TIMES = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 2)), min_size=1, max_size=40)


def test_the_curve_and_its_quantiles_by_hand():
    # 5 people: event at 1, censored at 2, events at 3 and 3, censored at 4: survival 0.8, then 0.8 * (1 - 2/3)
    curve = survival.kaplan_meier([1, 2, 3, 3, 4], [True, False, True, True, False])
    assert list(curve.time) == [0, 1, 2, 3, 4] and list(curve.at_risk) == [5, 5, 4, 3, 1] and list(curve.events) == [0, 1, 0, 2, 0]
    assert list(curve.survival.round(12)) == [1, 0.8, 0.8, round(0.8 / 3, 12), round(0.8 / 3, 12)]
    assert survival.quantile(curve)[0] == 3 and survival.quantile(curve, 0.2)[0] == 1 and np.isnan(survival.quantile(curve, 0.9)[0])


def test_a_restricted_mean_by_hand():
    # without anybody leaving it is the mean of min(time, horizon): (2 + 4 + 5 + 5) / 4, variance the plain one over n
    found = survival.restricted_mean([2, 4, 6, 8], [True] * 4, 5)
    values = np.array([2, 4, 5, 5])
    assert found["estimate"] == pytest.approx(4) and found["std_error"] == pytest.approx(values.std() / 2)
    assert found["conf_low"] < 4 < found["conf_high"] <= 5


def test_limits_of_a_mean_time_and_of_an_incidence_stay_where_they_can_be():
    # mean 9 / 4 with error 3.9 / 2; share 3/4 with error (3/4 / 4 / 4)^0.5, so that the log limit would be 0.75 * exp(1.96 * 0.2887) = 1.32
    found = survival.restricted_mean([0, 0, 0, 9], [True] * 4, 10)
    assert found["estimate"] == pytest.approx(9 / 4) and found["estimate"] < 1.96 * found["std_error"] and found["conf_low"] == 0
    row = survival.cumulative_incidence([1, 1, 1, 2], [1, 1, 1, 0], 1).iloc[0]
    assert row.conf_low == pytest.approx(0.75 / np.exp(1.959964 * (1 / 12) ** 0.5)) and row.conf_high == 1


def test_a_restricted_mean_beyond_what_was_watched_is_missing_unless_all_had_the_event():
    assert np.isnan(survival.restricted_mean([2, 4], [True, False], 10)["estimate"])
    everybody = survival.restricted_mean([2, 4], [True, True], 10)
    assert everybody["estimate"] == 3 and everybody["std_error"] == pytest.approx(1 / 2 ** 0.5)        # standard deviation 1, of 2
    assert survival.restricted_mean([2, 10], [False, False], 10)["estimate"] == 10      # nobody had it: everybody counts in full


def test_cumulative_incidence_by_hand_with_ties():
    # 4 people: causes 1 and 2 both at day 1, then cause 1 at 2, one censored at 3: I1 = 1/4, then + 1/2 * 1/2
    curve = survival.cumulative_incidence([1, 1, 2, 3], [1, 2, 1, 0], 2).set_index(["cause", "time"])
    assert list(curve.estimate[1]) == pytest.approx([0.25, 0.5, 0.5]) and list(curve.estimate[2]) == pytest.approx([0.25] * 3)
    assert list(curve.at_risk[1]) == [4, 2, 1] and list(curve.events[2]) == [1, 0, 0]


def test_without_censoring_the_incidence_is_the_plain_share_and_its_error_the_binomial_one():
    rng = np.random.default_rng(3)
    time, cause = rng.integers(0, 20, 300), rng.integers(1, 3, 300)
    curve = survival.cumulative_incidence(time, cause, 2)
    for row in curve.itertuples():
        share = ((cause == row.cause) & (time <= row.time)).mean()
        assert row.estimate == pytest.approx(share) and (np.isnan(row.std_error) or row.std_error == pytest.approx((share * (1 - share) / 300) ** 0.5, rel=1e-6))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(TIMES)
def test_incidences_and_the_curve_of_either_event_add_up_to_everybody(rows):
    time, cause = np.array(rows).T
    curve = survival.cumulative_incidence(time, cause, 2)
    either = survival.kaplan_meier(time, cause > 0).set_index("time").survival
    total = curve.groupby("time").estimate.sum()
    assert total.to_numpy() == pytest.approx(1 - either[total.index].to_numpy(), abs=1e-12)
    known = curve.dropna(subset=["conf_low", "conf_high"])
    assert (known.conf_low <= known.estimate + 1e-12).all() and (known.estimate <= known.conf_high + 1e-12).all() and curve.estimate.between(0, 1 + 1e-12).all()


@pytest.mark.parametrize("time, cause", [([0, 0, 3], [1, 2, 0]), ([5, 6], [0, 0]), ([4], [1]), ([4], [0]), ([0], [2]), ([2, 2, 2], [1, 1, 1])])
def test_events_at_time_nought_nobody_with_an_event_and_one_person_are_handled(time, cause):
    curve = survival.cumulative_incidence(time, cause, 2)
    assert set(curve.cause) == {1, 2} and curve.estimate.notna().all()
    km = survival.kaplan_meier(time, np.array(cause) > 0)
    assert km.survival.notna().all() and km.time.iloc[0] == 0
    survival.restricted_mean(time, np.array(cause) > 0, 3)


def test_one_group_or_no_event_has_no_log_rank_test():
    assert np.isnan(survival.log_rank([1, 2], [True, True], ["a", "a"])["statistic"])
    assert np.isnan(survival.log_rank([1, 2], [False, False], ["a", "b"])["statistic"])


def test_unknown_negative_and_no_durations_are_refused_in_words():
    for durations in ([], [1, np.nan], [-1.0]):
        with pytest.raises(DataError, match="Durations must be known and 0 or more"):
            survival.kaplan_meier(durations, [True] * len(durations))


# ---- Cox ------------------------------------------------------------------------------------------------------------------

def drawn(n=400, ratio=2.0, seed=5):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 2, n).astype(float)
    return pd.DataFrame({"x": x}), np.ceil(rng.exponential(30 / ratio ** x))


def test_a_planted_ratio_is_found_and_its_proportionality_not_doubted():
    x, time = drawn(4000)
    rows, check = survival.cox(x, time, time > 0)
    assert rows.conf_low["x"] < 2 < rows.conf_high["x"] and rows.hazard_ratio["x"] == pytest.approx(2, rel=0.1) and check["p"] > 0.01


def test_a_ratio_that_turns_round_is_seen_by_the_check():
    rng = np.random.default_rng(7)
    x = rng.integers(0, 2, 2000).astype(float)
    time = np.where(x == 1, rng.weibull(3, 2000), rng.weibull(0.7, 2000)) * 20 + 0.01
    rows, check = survival.cox(pd.DataFrame({"x": x}), time, np.ones(2000, bool))
    assert check["p"] < 1e-10 and rows.ph_p["x"] < 1e-10 and check["df"] == 1


def test_too_few_events_and_a_model_that_does_not_fit_are_refused_in_words():
    x, time = drawn(12)
    with pytest.raises(DataError, match="4 events are too few: 10 are needed for each of the model's 1 terms"):
        survival.cox(x, time, np.arange(12) < 4)
    with pytest.raises(DataError, match="could not be fitted"):
        survival.cox(pd.DataFrame({"a": [0, 1] * 50, "b": [1, 0] * 50}), np.arange(100), np.ones(100, bool))


def test_where_all_events_are_on_one_day_the_model_stands_without_its_check():
    rng = np.random.default_rng(1)
    x = pd.DataFrame({"x": rng.normal(size=60)})
    rows, check = survival.cox(x, np.where(np.arange(60) < 30, 5, 9), np.arange(60) < 30)
    assert np.isfinite(rows.hazard_ratio["x"]) and np.isnan(check["p"]) and np.isnan(rows.ph_p["x"])


# ---- medians of several times of one person --------------------------------------------------------------------------------

def test_a_clustered_median_is_the_median_with_wider_limits_where_the_times_of_one_person_are_alike():
    rng = np.random.default_rng(2)
    person = np.repeat(np.arange(60), 8)
    time = np.round(np.repeat(rng.exponential(20, 60), 8)) + 1
    alike = survival.clustered_median(time, np.ones(480, bool), person)
    apart = survival.clustered_median(time, np.ones(480, bool), np.arange(480))
    assert alike["estimate"] == apart["estimate"] == survival.quantile(survival.kaplan_meier(time, np.ones(480, bool)))[0]
    assert alike["conf_high"] - alike["conf_low"] > 1.8 * (apart["conf_high"] - apart["conf_low"])      # the eight are one: wider by about sqrt(8)
    assert alike == survival.clustered_median(time, np.ones(480, bool), person)                          # the same seed, the same limits


def test_a_clustered_median_that_is_not_reached_is_missing():
    found = survival.clustered_median([1, 5, 5, 5], [True, False, False, False], [1, 2, 3, 4])
    assert np.isnan(found["estimate"]) and np.isnan(found["conf_high"])
