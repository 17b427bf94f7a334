"""Means of waits, differences between groups, and what happens first."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sprx import cohort
from sprx.disclosure import RULES, release, release_curve
from sprx.errors import DataError
from sprx.metrics.when import (compare_waits, first_event_curve, first_event_within, mean_wait, median_wait, seen_within, time_to_closure,
                               time_to_first_contact, wait_ratios)

DAY = pd.Timestamp


def waits_of(days, seen, **columns):
    return pd.DataFrame({"days_observed": pd.Series(days, dtype=float), "was_seen": seen, **columns})


def referrals_of(**columns):
    size = len(next(iter(columns.values())))
    table = pd.DataFrame({"referral_id": [f"R{i}" for i in range(1, size + 1)], "person_id": [f"P{i}" for i in range(1, size + 1)]} | columns)
    for column in ("referral_date", "first_contact_date", "closed_date"):
        table[column] = pd.to_datetime(table[column]) if column in table else pd.NaT
    for column in ("status", "closure_reason"):
        table[column] = pd.array(table[column] if column in table else [None] * size, dtype="string")
    return table


# ---- mean and closure -----------------------------------------------------------------------------------------------------

def test_the_mean_wait_counts_a_longer_one_as_the_horizon():
    row = mean_wait(waits_of([2, 4, 6, 80], [True] * 4), 30).iloc[0]
    assert row.estimate == pytest.approx((2 + 4 + 6 + 30) / 4) and row.note == "a longer time counts as 30 days" and (row.n, row.unit) == (4, "days")
    assert row.conf_low < row.estimate < row.conf_high <= 30
    short = mean_wait(waits_of([2, 4], [True, False]), 30).iloc[0]
    assert pd.isna(short.estimate) and short.note == "nobody was watched for 30 days"


def test_the_time_to_closure_has_names_of_its_own():
    stays = waits_of([10, 20, 30], None).assign(was_closed=[True, True, False]).drop(columns="was_seen")
    assert median_wait(stays, event="closure").iloc[0].measure == "median_days_to_closure" and median_wait(stays, event="closure").estimate[0] == 20
    assert mean_wait(stays, 20, event="closure").iloc[0][["measure", "estimate"]].to_list() == ["mean_days_to_closure", pytest.approx((10 + 20 + 20) / 3)]
    assert set(time_to_closure(stays).measure) == {"time_to_closure"} and list(time_to_closure(stays).estimate.round(3)) == [0, 0.333, 0.667, 0.667]
    with pytest.raises(DataError, match="stays has no column 'was_closed'"):
        time_to_closure(waits_of([1], [True]))


def test_a_stay_ends_at_closure_or_at_the_extract_and_is_unknown_where_the_day_is():
    rows = referrals_of(first_contact_date=["2025-01-01", "2025-01-01", "2025-01-01", None, "2025-01-10"], closed_date=["2025-01-31", None, None, "2025-01-20", "2025-01-05"],
                        status=["closed", "active", "completed", "closed", "closed"])
    found = cohort.stays(rows, DAY("2025-03-02")).set_index("referral_id")
    assert list(found.index) == ["R1", "R2", "R3", "R5"]                    # nobody saw R4
    assert list(found.days_observed.fillna(-1)) == [30, 60, -1, -1] and list(found.was_closed) == [True, False, False, True]


def test_where_no_closing_day_is_recorded_at_all_no_stay_is_known():
    rows = referrals_of(first_contact_date=["2025-01-01", "2025-01-02"], status=["active", None])
    assert cohort.stays(rows, DAY("2025-03-02")).days_observed.isna().all()


# ---- what happens first ---------------------------------------------------------------------------------------------------

def test_a_referral_is_seen_or_ends_unseen_or_waits():
    made = ["2025-01-01"] * 7 + [None]
    rows = referrals_of(referral_date=made, first_contact_date=["2025-01-11", None, None, None, None, "2025-01-21", None, None],
                        closed_date=[None, "2025-01-06", None, "2025-01-09", None, "2025-02-01", "2024-12-01", None],
                        status=["active", "declined_by_person", "did_not_attend", None, "waiting", "completed", "closed", "waiting"])
    found = cohort.first_events(rows, DAY("2025-03-02"))
    assert list(found.event) == [1, 2, 2, 2, 0, 1, 2, 0]
    assert list(found.days_observed.fillna(-1)) == [10, 5, 60, 8, 60, 20, 60, -1] and list(found.ended_unknown) == [False, False, True, False, False, False, True, False]


def events_of(days, event):
    return pd.DataFrame({"days_observed": pd.Series(days, dtype=float), "event": event})


def test_shares_seen_and_ended_unseen_by_hand():
    table = first_event_within(events_of([5, 10, 10, 20, None], [1, 2, 1, 0, 0]), [10, 30]).set_index(["measure", "level"])
    assert table.estimate["first_event_within_10_days", "seen"] == pytest.approx(0.5) and table.estimate["first_event_within_10_days", "ended unseen"] == pytest.approx(0.25)
    assert pd.isna(table.estimate["first_event_within_30_days", "seen"]) and table.note["first_event_within_30_days", "seen"] == "nobody was watched for 30 days"
    assert set(table.n) == {4} and set(table.n_missing) == {1} and set(table.group) == {"first_event"}
    assert list(table.numerator["first_event_within_10_days"]) == [2, 1]        # each event's own, for disclosure control


@pytest.mark.parametrize("unknown, told", [(0, False), (1, False), (2, True)])
def test_more_than_a_tenth_of_ends_on_a_day_nobody_recorded_is_told(unknown, told):
    events = events_of(range(1, 11), [1] * 5 + [2] * 5).assign(ended_unknown=[True] * unknown + [False] * (10 - unknown))
    assert set(first_event_within(events, [5]).note.str.contains("a day that nobody recorded")) == {told}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 2)), min_size=1, max_size=60))
def test_the_bands_never_fall_never_pass_everybody_and_agree_with_the_table(rows):
    days, event = zip(*rows)
    events = events_of(days, event)
    curve = first_event_curve(events)
    assert (curve.groupby("level").estimate.diff().fillna(0) >= -1e-12).all() and (curve.groupby("days").estimate.sum() <= 1 + 1e-9).all()
    for row in first_event_within(events, [14]).dropna(subset="estimate").itertuples():
        part = curve[(curve.level == row.level) & (curve.days <= 14)]
        assert row.estimate == pytest.approx(part.estimate.iloc[-1] if len(part) else 0)


def test_the_share_seen_is_that_of_the_curve_in_which_ended_cases_stay_unseen():
    # all watched for as long: the two estimands are one
    events = events_of([3, 5, 8, 90, 9, 12], [1, 1, 1, 0, 2, 2])
    waits = waits_of([3, 5, 8, 90, 90, 90], [True] * 3 + [False] * 3)
    assert first_event_within(events, [14]).estimate[0] == pytest.approx(seen_within(waits, [14]).estimate[0])


def test_nobody_with_a_date_is_an_empty_curve_and_empty_rows():
    events = events_of([None, None], [0, 1])
    assert first_event_curve(events).empty and first_event_within(events, [14]).estimate.isna().all() and set(first_event_within(events, [14]).n_missing) == {2}


# ---- differences ----------------------------------------------------------------------------------------------------------

def test_the_test_of_a_difference_says_how_often_chance_would_do_as_much():
    # Freireich et al (1963): log-rank chi-square 16.79, p 0.00004 (R survdiff; Collett 2015)
    days = [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35] + [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
    waits = waits_of(days + [4], [True] * 9 + [False] * 12 + [True] * 22, arm=["6-MP"] * 21 + ["placebo"] * 21 + [None])
    row = compare_waits(waits, ["arm"]).iloc[0]
    assert (row.estimate, row.n, row.n_missing, row.level, row.group) == (16.79, 42, 1, "arm", "log_rank")
    assert row.note.startswith("1 degree of freedom, p = 4.2e-05") and row.note.endswith("in fewer than 1 of 1,000 such comparisons")
    alike = compare_waits(waits_of([1, 2, 3, 4] * 5, [True] * 20, g=["a", "a", "b", "b"] * 5), ["g"]).iloc[0]
    assert "of 100 such comparisons" in alike.note or "1,000" in alike.note


@pytest.mark.parametrize("group", [["a"] * 4, [None] * 4])
def test_one_group_has_no_test_but_a_reason(group):
    row = compare_waits(waits_of([1, 2, 3, 4], [True] * 4, g=group), ["g"]).iloc[0]
    assert pd.isna(row.estimate) and row.note.startswith("needs two groups")


def people(n=600, seed=4, ratio=2.0):
    """Waits of which those of women end `ratio` times as fast; sources of which one is rare."""
    rng = np.random.default_rng(seed)
    sex = rng.choice(["female", "male"], n)
    days = np.ceil(rng.exponential(30 / np.where(sex == "female", ratio, 1.0)))
    source = np.where(np.arange(n) < 4, "council", rng.choice(["gp", "self"], n, p=[0.7, 0.3]))
    return waits_of(np.minimum(days, 90), days <= 90, sex=sex, source=source, age=rng.integers(20, 90, n), imd_quintile=pd.array(rng.integers(1, 6, n), dtype="Int64"))


def test_the_model_finds_a_planted_ratio_and_names_what_each_is_compared_with():
    table = wait_ratios(people())
    rows = table[table.measure == "hazard_ratio_first_contact"].set_index(["group", "level"])
    sex = rows.loc["sex"].iloc[0]
    reference = "male" if rows.loc["sex"].index[0] == "female" else "female"
    assert sex.note == f"compared with {reference}"
    truth = 2.0 if reference == "male" else 0.5
    assert sex.conf_low < truth < sex.conf_high and not sex.conf_low <= 1 <= sex.conf_high
    assert rows.note["age", "10 years older"] == "compared with people 10 years younger" and ("source", "council") not in rows.index
    assert rows.note["source", "self"] == "compared with gp" and rows.n.nunique() == 1      # not the size of a level
    check = table[table.measure == "proportional_hazards"].iloc[0]
    assert check.note.startswith("the data show no sign") and "degrees of freedom" in check.note and check.n + check.n_missing == 600 and check.n_missing == 4


def test_the_ratio_of_age_is_for_ten_years():
    rng = np.random.default_rng(6)
    age = rng.integers(20, 90, 2000)
    days = np.ceil(rng.exponential(300 / 1.5 ** (age / 10)))
    row = wait_ratios(waits_of(days, [True] * 2000, age=age), ("age",)).iloc[0]
    assert row.estimate == pytest.approx(1.5, rel=0.05) and (row.n, row.n_missing) == (2000, 0)


def test_the_rare_levels_do_not_hide_among_those_they_are_compared_with():
    waits = people()
    without = wait_ratios(waits[waits.source != "council"])
    assert wait_ratios(waits).estimate.round(10).tolist() == without.estimate.round(10).tolist()


def test_not_recorded_is_a_level_and_rare_ones_together_are_other_levels():
    waits = people()
    waits.loc[waits.index[:40], "source"] = None
    waits.loc[waits.index[40:47], "source"], waits.loc[waits.index[47:54], "source"] = "hospital", "vcse"
    rows = wait_ratios(waits)
    assert set(rows[rows.group == "source"].level) == {"missing", "other levels", "self"}


@pytest.mark.parametrize("size, seen, own", [(9, 9, False), (10, 5, True), (10, 4, False)])
def test_a_level_of_fewer_than_ten_people_or_five_seen_has_no_row_of_its_own(size, seen, own):
    waits = people().assign(was_seen=lambda t: t.days_observed > 0)
    waits.loc[waits.index[4:4 + size], "source"] = "vcse"
    waits.loc[waits.index[4 + seen:4 + size], "was_seen"] = False
    assert ("vcse" in set(wait_ratios(waits).level)) == own


@pytest.mark.parametrize("waits", [people(5), people(600).assign(was_seen=False), people(600).assign(days_observed=float("nan")), people(0),
                                   people(60).assign(sex="female", source="gp", age=50, imd_quintile=pd.array([1] * 60, dtype="Int64"))])
def test_a_model_that_cannot_be_had_is_a_row_with_a_reason(waits):
    table = wait_ratios(waits)
    assert len(table) == 1 and pd.isna(table.estimate[0]) and table.note[0] and table.n[0] + table.n_missing[0] == len(waits)


def test_a_level_in_which_nobody_was_seen_does_not_break_the_model():
    waits = people()
    waits.loc[waits.index[:60], ["source", "was_seen", "days_observed"]] = ["vcse", False, 90.0]
    rows = wait_ratios(waits)
    assert rows[rows.measure == "hazard_ratio_first_contact"].estimate.between(0.2, 5).all()


@pytest.mark.parametrize("rule", list(RULES))
def test_everything_can_be_released_under_every_rule(rule):
    waits = people(60)
    events = events_of(waits.days_observed, waits.was_seen.astype(int))
    for table in (wait_ratios(people()), compare_waits(waits, ["sex", "source"]), first_event_within(events, [14]), mean_wait(waits, 30, by="sex")):
        out = release(table, RULES[rule])
        shown = out.dropna(subset=["conf_low", "conf_high", "estimate"])
        assert ((shown.conf_low <= shown.estimate + 0.01) & (shown.estimate <= shown.conf_high + 0.01)).all()
    release_curve(first_event_curve(events), RULES[rule])
    release_curve(time_to_first_contact(waits, by="sex"), RULES[rule])
