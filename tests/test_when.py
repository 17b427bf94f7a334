"""When: referrals by month, the curve of waits, shares seen in time, the median wait."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sprx.errors import DataError
from sprx.metrics.when import median_wait, referrals_per_month, seen_within, time_to_first_contact

# 6-MP arm, Freireich et al (1963) Blood 21:699-716, weeks in remission; 9 relapses, 12 censored
FREIREICH = pd.DataFrame({"days_observed": [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35],
                          "was_seen": [True] * 9 + [False] * 12})
ANY_WAITS = st.lists(st.tuples(st.one_of(st.none(), st.integers(0, 60)), st.booleans(), st.sampled_from(["a", "b", None])), min_size=1, max_size=40)


def waits_of(days, seen, group=None):
    table = pd.DataFrame({"days_observed": pd.Series(days, dtype=float), "was_seen": seen})
    return table if group is None else table.assign(group=group)


# ---- the curve ----------------------------------------------------------------------------------------------------------

def test_the_curve_matches_freireich_1963():
    # survival at 6, 7, 10, 13, 16, 22, 23 as printed in Kalbfleisch and Prentice (2002) table 1.2 and Collett (2015) ex. 2.3
    curve = time_to_first_contact(FREIREICH).set_index("days")
    assert abs(curve.estimate[6] - 3 / 21) < 1e-12          # survival 18/21
    survival = (1 - curve.estimate[[6, 7, 10, 13, 16, 22, 23]]).round(3)
    assert list(survival) == [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448]
    assert list(curve.n_at_risk[[6, 7, 10, 13, 16, 22, 23]]) == [21, 17, 15, 12, 11, 7, 6]
    assert list(curve.n_events[[6, 7, 10, 13, 16, 22, 23]]) == [3, 1, 1, 1, 1, 1, 1]


def test_the_limits_of_the_curve_are_log_log_and_in_their_order():
    # R 4.2.2, survival 3.5-3: summary(survfit(Surv(t, s) ~ 1, conf.type = "log-log"), times = 6): 0.857, 0.620 to 0.952
    # (also SAS 9.4 PROC LIFETEST, Freireich example): limits of survival, so one minus them and swapped
    row = time_to_first_contact(FREIREICH).set_index("days").loc[6]
    assert (round(1 - row.conf_high, 3), round(1 - row.conf_low, 3)) == (0.620, 0.952)
    assert "log-log" in row.method


def test_somebody_seen_on_the_day_of_referral_counts_from_day_nought():
    curve = time_to_first_contact(waits_of([0, 0, 3, 5], [True, False, True, False])).set_index("days")
    assert curve.estimate[0] == pytest.approx(0.25) and curve.estimate[3] == pytest.approx(0.625) and list(curve.n_at_risk) == [4, 2, 1]


def test_when_nobody_is_seen_the_curve_stays_at_nought():
    curve = time_to_first_contact(waits_of([3, 5, 9], [False] * 3))
    assert (curve.estimate == 0).all() and curve.n_events.sum() == 0


def test_people_with_no_recorded_group_have_a_curve_of_their_own():
    curve = time_to_first_contact(waits_of([1, 2, 3], [True] * 3, ["a", None, "a"]), by="group")
    assert list(dict.fromkeys(curve.level)) == ["a", "missing"] and (curve.group == "group").all()
    assert curve[curve.level == "missing"].estimate.iloc[-1] == 1


def test_no_waits_give_an_empty_curve_with_its_columns():
    for table in (waits_of([], []), waits_of([None, None], [True, False])):
        curve = time_to_first_contact(table)
        assert curve.empty and {"days", "n_at_risk", "n_events", "estimate"} <= set(curve)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(ANY_WAITS)
def test_a_curve_only_rises_within_its_limits_between_nought_and_one(rows):
    days, seen, group = zip(*rows)
    curve = time_to_first_contact(waits_of(days, seen, group), by="group")
    for _, part in curve.groupby("level"):
        assert part.estimate.is_monotonic_increasing and part.estimate.between(0, 1).all() and part.days.is_monotonic_increasing
        known = part.dropna(subset=["conf_low", "conf_high"])
        assert (known.conf_low <= known.estimate + 1e-9).all() and (known.estimate <= known.conf_high + 1e-9).all()
    known = [(g, s) for d, s, g in rows if d is not None]
    assert curve.n_events.sum() == sum(s for _, s in known)
    assert curve.groupby("level").n_at_risk.max().sum() == len(known)


@pytest.mark.parametrize("metric", [time_to_first_contact, median_wait, lambda w: seen_within(w, [14])])
def test_a_negative_duration_is_refused_with_how_many_and_what_to_do(metric):
    with pytest.raises(DataError, match="2 negative values. Run sprx.clean_scheme first"):
        metric(waits_of([-1, 4, -3], [True, True, False]))


@pytest.mark.parametrize("metric", [time_to_first_contact, median_wait, lambda w: seen_within(w, [14])])
def test_an_absent_column_is_named(metric):
    with pytest.raises(DataError, match="waits has no column 'was_seen'"):
        metric(pd.DataFrame({"days_observed": [1.0]}))


# ---- shares seen within a standard --------------------------------------------------------------------------------------

def test_the_share_seen_within_a_time_is_read_off_the_curve():
    # Freireich 1963: survival 0.690 from 13 to 15, 0.627 at 16
    found = seen_within(FREIREICH, [13, 15, 16]).set_index("measure")
    assert [round(1 - found.estimate[f"seen_within_{d}_days"], 3) for d in (13, 15, 16)] == [0.690, 0.690, 0.627]
    assert (found.n == 21).all() and (found.n_missing == 0).all() and (found.unit == "proportion").all()
    assert ((found.conf_low < found.estimate) & (found.estimate < found.conf_high)).all()


def test_without_anyone_leaving_the_share_seen_is_the_plain_share():
    waits = waits_of([3] * 4 + [14] * 3 + [15] * 2 + [40], [True] * 10)
    found = seen_within(waits, [2, 14, 40]).estimate
    assert list(found.round(12)) == [0.0, 0.7, 1.0]         # a contact on the last day of the standard is in time


def test_the_last_day_of_a_standard_is_in_time_and_in_the_count_that_disclosure_looks_at():
    found = seen_within(waits_of([3, 14, 15], [True] * 3), [13, 14, 15])
    assert list(found.numerator) == [1, 2, 3] and list(found.estimate.round(12)) == [round(1 / 3, 12), round(2 / 3, 12), 1]
    watched = seen_within(waits_of([3, 14], [True, False]), [14]).iloc[0]           # the last of them was watched to the end of day 14
    assert watched.estimate == pytest.approx(0.5) and watched.note == ""


def test_a_time_that_nobody_was_watched_for_has_no_share_but_a_note():
    row = seen_within(waits_of([3, 10], [True, False]), [14]).iloc[0]
    assert pd.isna(row.estimate) and row.note == "nobody was watched for 14 days" and row.n == 2


@settings(max_examples=30, deadline=None, derandomize=True)
@given(ANY_WAITS)
def test_every_referral_is_counted_in_the_share_and_in_the_median(rows):
    days, seen, group = zip(*rows)
    waits = waits_of(days, seen, group)
    for table in (seen_within(waits, [14], by="group"), median_wait(waits, by="group")):
        counted = (table.n + table.n_missing).set_axis(table.level)
        assert dict(counted) == {name: sum((g or "missing") == name for g in group) for name in {g or "missing" for g in group}}


# ---- the median ---------------------------------------------------------------------------------------------------------

def test_the_median_matches_freireich_1963():
    # median 23 (Freireich 1963; R survfit print: 0.95LCL 13 with log-log limits, 0.95UCL NA)
    row = median_wait(FREIREICH).iloc[0]
    assert (row.estimate, row.conf_low) == (23, 13) and pd.isna(row.conf_high) and row.note == ""
    assert (row.unit, row.n) == ("days", 21)


def test_a_median_that_was_not_reached_is_empty_and_says_so():
    row = median_wait(waits_of([5, 10, 20, 30], [True, False, False, False])).iloc[0]
    assert pd.isna(row.estimate) and row.note == "not reached" and row.n == 4


def test_when_everybody_is_seen_at_once_the_median_is_nought():
    assert median_wait(waits_of([0] * 9, [True] * 9)).estimate[0] == 0


def test_the_median_of_nobody_is_an_empty_row():
    row = median_wait(waits_of([None, None], [True, False])).iloc[0]
    assert (row.n, row.n_missing) == (0, 2) and pd.isna(row.estimate)


def test_the_median_of_one_person_is_a_row():
    row = median_wait(waits_of([4, 9], [True, True], ["a", None]), by="group").set_index("level").loc["missing"]
    assert (row.n, row.estimate) == (1, 9)


# ---- referrals by month -------------------------------------------------------------------------------------------------

def month_table(*texts, **kwargs):
    table = referrals_per_month(pd.DataFrame({"referral_date": pd.to_datetime(list(texts))}), **kwargs)
    return table[table.measure == "referrals"].reset_index(drop=True)


def test_months_without_a_referral_are_there_with_nought():
    table = month_table("2024-01-31", "2024-01-02", "2024-04-01", None)
    months = table[table.group == "month"].set_index("level").estimate
    assert dict(months) == {"2024-01": 2, "2024-02": 0, "2024-03": 0, "2024-04": 1, "missing": 1}
    whole = table[table.group == "all"].iloc[0]
    assert (whole.estimate, whole.n, whole.n_missing) == (4, 3, 1)


def test_the_months_add_up_to_the_whole():
    table = month_table("2024-01-31", "2024-01-02", "2024-04-01", None)
    assert table[table.group == "month"].estimate.sum() == table[table.group == "all"].estimate.iloc[0] == 4


def test_a_month_that_is_held_only_in_part_says_so():
    table = month_table("2024-01-15", "2024-03-20", period=(pd.Timestamp("2024-01-01"), pd.Timestamp("2024-03-30"))).set_index("level")
    assert list(table.note[["2024-01", "2024-02", "2024-03"]]) == ["", "", "part of a month"]
    late = month_table("2024-01-15", "2024-02-29").set_index("level")
    assert list(late.note[["2024-01", "2024-02"]]) == ["part of a month", ""]


def test_no_referrals_are_a_row_of_nought_and_no_months():
    table = month_table()
    assert list(table.level) == ["all"] and table.estimate[0] == 0 and table.n[0] == 0


def test_referrals_without_any_date_are_counted_as_missing():
    table = month_table(None, None)
    assert list(table.level) == ["all", "missing"] and list(table.estimate) == [2, 2] and table.n_missing[0] == 2


def test_where_everybody_was_seen_early_the_share_at_a_later_day_is_known():
    waits = pd.DataFrame({"days_observed": [1.0, 4, 9], "was_seen": [True] * 3})
    row = seen_within(waits, [14]).iloc[0]
    assert (row.estimate, row.note) == (1.0, "")
