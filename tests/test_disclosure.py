"""Disclosure control: what is hidden, what is rounded, and what an attacker can still work out."""

import csv
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from sprx.disclosure import HIDDEN, RULES, Rule, release, release_curve
from sprx.intervals import poisson, wilson
from sprx.load import Scheme
from sprx.metrics.data_quality import completeness, rows_accounted
from sprx.metrics.for_whom import (
    averages, composition, group_overlap, inequality, needs_answered, reached_by, referral_rate, referral_rate_standardised, representation_ratio, stage_difference,
    suitable_group_shares)
from sprx.metrics.how_well import funnel, outcome_results, paired_change, scores_by_visit, unpaired_change, uptake
from sprx.metrics.when import referrals_per_month, seen_within, time_to_first_contact
from sprx.reference import measures
from sprx.report import results_html, start_report
from sprx.results import COUNTS, RESULT_COLUMNS, result_table, stack_results
from sprx.settings import DISCLOSURE_RULES, Settings
from sprx.tables import write_tables

NHSE, LT5, LT10, NONE = (RULES[name] for name in ("nhse_1_7_round5", "suppress_lt5", "suppress_lt10", "none"))
NUMBERS = ["n", "n_missing", "estimate", "std_error", "conf_low", "conf_high"]
COUNTS_OF_A_PARTITION = st.lists(st.integers(0, 30), min_size=2, max_size=6)


def count_row(total, **more):
    return dict(measure="referrals", group="all", level="all", n=total, n_missing=0, estimate=total, unit="referrals", numerator=total,
                denominator=total, conf_level=0.95) | more


def share_row(x, n, **more):
    low, high = wilson(x, n, 0.95)
    return dict(measure="uptake", group="all", level="all", n=n, n_missing=0, estimate=x / n if n else None, conf_low=low, conf_high=high,
                unit="proportion", numerator=x, denominator=n, conf_level=0.95) | more


def people_by(counts):
    return pd.DataFrame({"g": [name for name, count in counts.items() for _ in range(count)]})


def shares_of(*counts):
    """`composition` of a partition with these counts, levels a, b, c …"""
    return composition(people_by(dict(zip("abcdefgh", counts))), "g")


def months_of(*counts):
    """`referrals_per_month` with these counts, the total included."""
    months = pd.period_range("2024-01", periods=len(counts), freq="M")
    dates = [m.to_timestamp() for m, count in zip(months, counts) for _ in range(count)]
    table = referrals_per_month(pd.DataFrame({"referral_date": pd.to_datetime(dates)}), (months[0].start_time, months[-1].end_time.normalize()))
    return table[table.measure == "referrals"].reset_index(drop=True)


# ---- the rules ----------------------------------------------------------------------------------------------------------

def test_the_rules_are_those_that_scheme_yaml_may_choose_and_the_first_is_the_default():
    assert tuple(RULES) == DISCLOSURE_RULES and Settings(scheme_id="x", name="x").disclosure == "nhse_1_7_round5"
    assert {name: (rule.hide_to, rule.round_to) for name, rule in RULES.items()} == {
        "nhse_1_7_round5": (7, 5), "suppress_lt5": (4, 1), "suppress_lt10": (9, 1), "none": (0, 1)}


@pytest.mark.parametrize("count, shown", [(0, 0), (1, None), (2, None), (6, None), (7, None), (8, 10), (10, 10), (12, 10), (12.5, 15), (13, 15), (17.5, 20), (1002, 1000)])
def test_nhse_hides_1_to_7_and_rounds_the_rest_to_the_nearest_5_halves_upwards(count, shown):
    row = release(result_table([count_row(count)]), NHSE).iloc[0]
    assert (None if pd.isna(row.estimate) else row.estimate) == shown == (None if pd.isna(row.n) else row.n)
    assert row.suppressed == (shown is None) and (row.note == HIDDEN) == (shown is None)


def test_halves_go_up_and_not_to_the_even_number():
    assert [Rule("x", 7, 5, "").round(v) for v in (2.5, 7.5, 12.5, 22.5)] == [5, 10, 15, 25]      # numpy's round gives 0, 10, 10, 20


@pytest.mark.parametrize("rule, hidden", [(LT5, {1, 2, 3, 4}), (LT10, set(range(1, 10))), (NHSE, set(range(1, 8))), (NONE, set())], ids=lambda v: getattr(v, "name", ""))
def test_each_rule_hides_exactly_its_counts(rule, hidden):
    found = {count for count in range(0, 15) if release(result_table([count_row(count)]), rule).suppressed[0]}
    assert found == hidden


def test_no_rule_changes_nothing_but_still_keeps_the_counts_behind_a_share():
    table = result_table([share_row(3, 9), count_row(1)])
    out = release(table, NONE)
    pd.testing.assert_frame_equal(out, table[RESULT_COLUMNS])
    assert "NOT HIDDEN" in NONE.words and "not for sharing" in NONE.words


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda r: r.name)
def test_the_counts_behind_a_share_never_leave_and_the_callers_table_is_not_changed(rule):
    table = shares_of(3, 9, 40)
    before = table.copy()
    out = release(table, rule)
    assert list(out.columns) == RESULT_COLUMNS and not set(COUNTS) & set(out)
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda r: r.name)
def test_an_empty_table_is_released_as_an_empty_table(rule):
    out = release(result_table([]), rule)
    assert out.empty and list(out.columns) == RESULT_COLUMNS


# ---- shares, rates, missing counts --------------------------------------------------------------------------------------

@pytest.mark.parametrize("x, n, shown", [(8, 40, (10, 40)), (12, 43, (10, 45)), (13, 42, (15, 40)), (0, 30, (0, 30)), (98, 103, (100, 105)), (8, 8, (10, 10)), (11, 12, (10, 10))])
def test_a_share_is_worked_out_again_from_rounded_counts_with_wilson_limits(x, n, shown):
    row = release(result_table([share_row(x, n)]), NHSE).iloc[0]
    assert row.estimate == shown[0] / shown[1] and row.n == shown[1]
    assert (row.conf_low, row.conf_high) == wilson(*shown, 0.95)


@pytest.mark.parametrize("x, n", [(3, 40), (7, 40), (0, 5), (5, 5), (3, 7)])
def test_a_share_with_a_small_count_above_or_below_the_line_is_hidden(x, n):
    row = release(result_table([share_row(x, n)]), NHSE).iloc[0]
    assert row.suppressed and row[NUMBERS].isna().all()


@pytest.mark.parametrize("rule, x, n, hidden", [(LT5, 38, 40, True), (LT5, 36, 40, True), (LT5, 35, 40, False), (LT5, 40, 40, False), (LT10, 31, 40, True), (LT10, 30, 40, False)])
def test_unrounded_the_rest_of_a_share_can_be_read_off_so_a_small_rest_hides_it_too(rule, x, n, hidden):
    assert bool(release(result_table([share_row(x, n)]), rule).suppressed[0]) is hidden


def test_unrounded_a_shown_share_stays_as_it_is():
    table = result_table([share_row(12, 43)])
    pd.testing.assert_frame_equal(release(table, LT5), table[RESULT_COLUMNS])


@pytest.mark.parametrize("count, rounded", [(8, 10), (12, 10), (23, 25), (101, 100)])
def test_a_rate_is_worked_out_again_from_the_rounded_count_with_its_limits(count, rounded):
    people = pd.DataFrame({"g": ["a"] * count})
    row = release(referral_rate(people, pd.DataFrame({"g": ["a"], "people": [4000]}), "g"), NHSE).iloc[0]
    low, high = poisson(rounded, 0.95)
    assert row.estimate == pytest.approx(rounded / 4) and (row.conf_low, row.conf_high) == pytest.approx((low / 4, high / 4)) and row.n == rounded


def test_the_method_of_a_released_rate_is_the_one_its_limits_were_made_with():
    # 8 or 9 people are shown as 10, with Byar's limits: the word 'exact' would be wrong, and would tell that it was 8 or 9
    row = release(referral_rate(pd.DataFrame({"g": ["a"] * 9}), pd.DataFrame({"g": ["a"], "people": [4000]}), "g"), NHSE).iloc[0]
    assert row.conf_low == pytest.approx(poisson(10, 0.95)[0] / 4) and row.method == "Byar's"


def test_a_rate_of_nought_keeps_its_upper_limit():
    table = referral_rate(pd.DataFrame({"g": ["a"] * 20}), pd.DataFrame({"g": ["a", "b"], "people": [4000, 2000]}), "g")
    row = release(table, NHSE).set_index("level").loc["b"]
    assert (row.estimate, row.conf_low, row.n) == (0, 0, 0) and row.conf_high == pytest.approx(3.6889 / 2, abs=5e-5)     # -ln(0.025) = 3.6889


def test_a_level_without_residents_is_released_with_its_note_and_without_a_rate():
    table = referral_rate(pd.DataFrame({"g": ["a"] * 20 + ["b"] * 21}), pd.DataFrame({"g": ["a"], "people": [4000]}), "g")
    row = release(table, NHSE).set_index("level").loc["b"]
    assert pd.isna(row.estimate) and row.note == "no residents in the population table" and not row.suppressed and row.n == 20


@pytest.mark.parametrize("missing, shown", [(0, 0), (1, None), (7, None), (8, 10), (11, 10)])
def test_a_small_number_missing_is_hidden_and_the_row_is_not(missing, shown):
    row = release(result_table([share_row(20, 40, n_missing=missing)]), NHSE).iloc[0]
    assert (None if pd.isna(row.n_missing) else row.n_missing) == shown and not row.suppressed and row.estimate == 0.5


def test_means_keep_their_values_and_only_their_counts_are_rounded():
    pairs = pd.DataFrame({"baseline": np.arange(12.0), "follow_up": np.arange(12.0) * 1.5})
    out, raw = release(paired_change(pairs), NHSE).iloc[0], paired_change(pairs).iloc[0]
    assert (out.estimate, out.conf_low, out.conf_high, out.n) == (raw.estimate, raw.conf_low, raw.conf_high, 10)
    assert release(paired_change(pairs.head(7)), NHSE).suppressed[0]


def test_no_interval_is_left_beside_its_estimate():
    for counts in ((8, 9, 40), (12, 13, 17), (100, 8, 1)):
        out = release(shares_of(*counts), NHSE).dropna(subset="estimate")
        assert len(out) and ((out.conf_low <= out.estimate) & (out.estimate <= out.conf_high)).all()


# ---- what a figure made of several numbers stands for -------------------------------------------------------------------

def test_the_dashboards_change_is_hidden_when_one_of_its_two_means_is_of_few_people():
    # 20 first scores and 2 later ones: with the mean of the first scores, the mean of the two people could be had back
    pairs = pd.DataFrame({"baseline": [10.0] * 20, "follow_up": [12.0, 14.0] + [None] * 18})
    assert release(unpaired_change(pairs), NHSE).suppressed[0]


@pytest.mark.parametrize("seen_early, hidden", [(3, True), (7, True), (0, False), (20, False)])
def test_a_share_seen_in_time_that_stands_for_few_people_is_hidden(seen_early, hidden):
    waits = pd.DataFrame({"days_observed": [1.0] * seen_early + [50.0] * (100 - seen_early), "was_seen": True})
    row = release(seen_within(waits, [14]), NHSE).iloc[0]
    assert bool(row.suppressed) is hidden and pd.isna(row.estimate) == hidden


def test_a_small_number_undated_cannot_be_had_from_the_total_and_the_number_dated():
    # 43 dated and 3 undated: n = 43 beside an estimate of 46 would tell the 3
    dates = pd.to_datetime(["2024-01-05"] * 20 + ["2024-02-05"] * 23 + [None] * 3)
    row = release(referrals_per_month(pd.DataFrame({"referral_date": dates})), LT5).iloc[0]
    assert pd.isna(row.n_missing) and not row.estimate - row.n == 3


def test_a_small_number_of_rows_set_aside_cannot_be_had_from_rows_read_and_rows_used():
    accounts = pd.DataFrame({"table": ["people"], "rows_in": [103], "rows_used": [100], "rows_set_aside": [3]})
    shown = release(rows_accounted(accounts), LT5).set_index("measure").estimate
    assert pd.isna(shown.rows_set_aside) and not shown.rows_read - shown.rows_used == 3


def test_a_small_number_without_a_score_cannot_be_had_from_another_visit_of_the_same_people():
    scores = pd.DataFrame({"arm": "scheme", "months": [0] * 52 + [8] * 52, "value": [20.0, 21.0] * 24 + [None] * 4 + [18.0, 19.0] * 16 + [None] * 20})
    out = release(scores_by_visit(scores), LT5).set_index("level")
    everyone = out.n["8"] + out.n_missing["8"]
    assert pd.isna(out.n_missing["0"]) and not everyone - out.n["0"] == 4


# ---- one more hidden, where one could be had back -----------------------------------------------------------------------

def test_exactly_one_more_is_hidden_and_it_is_the_smallest_of_the_others():
    out = release(shares_of(3, 20, 11, 50), NHSE).set_index("level")
    assert list(out.index[out.suppressed]) == ["a", "c"] and out.loc[["a", "c"], NUMBERS].isna().all(axis=None)
    assert out.note["a"] == out.note["c"]       # a note of its own would tell which of the two is the small one


@pytest.mark.parametrize("rule", [NHSE, LT5, LT10], ids=lambda r: r.name)
@pytest.mark.parametrize("table", [shares_of(3, 20, 40), months_of(20, 3, 40), months_of(20, 3, 40).query("group == 'month'")], ids=["shares", "months", "months only"])
def test_one_hidden_part_of_a_whole_hides_one_more(table, rule):
    assert release(table, rule).suppressed.sum() == 2


def test_a_part_that_is_nought_is_not_hidden_in_its_stead():
    out = release(months_of(0, 3, 40), NHSE).set_index("level")
    assert list(out.index[out.suppressed]) == ["2024-02", "2024-03"] and out.estimate["2024-01"] == 0


@pytest.mark.parametrize("counts", [(3, 4, 20), (20, 11, 50)])
def test_two_hidden_parts_or_none_hide_no_more(counts):
    out = release(shares_of(*counts), NHSE)
    assert list(out.suppressed) == [c <= 7 for c in counts]


def test_a_rate_is_hidden_with_another_since_the_residents_are_public():
    people, residents = people_by(dict(a=3, b=20, c=40)), pd.DataFrame({"g": ["a", "b", "c"], "people": [1000, 1000, 1000]})
    out = release(referral_rate(people, residents, "g"), NHSE)
    assert list(out.suppressed) == [True, True, False] and out.loc[:1, NUMBERS].isna().all(axis=None)


def test_groups_that_overlap_hide_no_more_than_the_small_one():
    flags = pd.DataFrame({"x": pd.array([True] * 3 + [False] * 57, dtype="boolean"), "y": pd.array([True] * 30 + [False] * 30, dtype="boolean"),
                          "z": pd.array([False] * 40 + [True] * 20, dtype="boolean")})
    out = release(suitable_group_shares(flags), NHSE).query("measure == 'share_in_suitable_group'").set_index("level")
    assert list(out.index[out.suppressed]) == ["x"]


def test_a_group_is_not_counted_out_where_its_share_is_hidden():
    flags = pd.DataFrame({g: pd.array([True] * n + [False] * (60 - n), dtype="boolean") for g, n in dict(x=3, y=30, z=20).items()})
    out = release(suitable_group_shares(flags), NHSE)
    assert out[out.level == "x"][NUMBERS].isna().all(axis=None) and not out[out.level == "y"].suppressed.any()


def test_columns_of_a_table_are_not_parts_of_it():
    table = completeness({"people": pd.DataFrame({"a": [1] * 3 + [None] * 57, "b": [1] * 30 + [None] * 30, "c": [1] * 60})})
    assert list(release(table, NHSE).suppressed) == [True, False, False]


def test_visits_are_not_parts_of_a_whole_so_a_small_one_hides_no_other():
    scores = pd.DataFrame({"arm": "scheme", "months": [0] * 60 + [3] * 60 + [6] * 60,
                           "value": [20.0, 21.0] * 30 + [20.0, 22.0] * 20 + [None] * 20 + [20.0] * 3 + [None] * 57})
    assert dict(release(scores_by_visit(scores), NHSE).set_index("level").suppressed) == {"0": False, "3": False, "6": True}


def test_a_small_comparison_arm_does_not_hide_the_scheme():
    pairs = pd.DataFrame({"baseline": np.arange(43.0), "follow_up": np.arange(43.0)[::-1], "arm": ["scheme"] * 40 + ["comparison"] * 3})
    both = stack_results(paired_change(pairs[pairs.arm == "scheme"]), paired_change(pairs, "arm"))
    assert list(release(both, NHSE).suppressed) == [False, True, False]


@pytest.mark.parametrize("with_whole", [True, False], ids=["with the whole", "alone"])
def test_the_uptake_of_a_group_with_few_seen_cannot_be_had_from_the_whole(with_whole):
    # 3 of 20 and 40 of 60: with 43 of 80, shown here or elsewhere in the report, 43 - 40 = 3
    stages = pd.DataFrame({"seen": pd.array([True] * 3 + [False] * 17 + [True] * 40 + [False] * 20, dtype="boolean"), "sex": ["female"] * 20 + ["male"] * 60})
    parts = uptake(stages, "sex")
    out = release(stack_results(uptake(stages), parts) if with_whole else parts, LT5)
    assert out[out.group == "sex"].suppressed.all()


@pytest.mark.parametrize("rule", [LT5, LT10], ids=lambda r: r.name)
def test_few_people_lost_cannot_be_had_from_those_followed_beside_those_with_a_first_score(rule):
    # 48 followed and 4 lost of 52: unrounded, 52 is shown elsewhere (everybody with a score), so both means are hidden
    pairs = pd.DataFrame({"baseline": [15.0 + i % 3 for i in range(52)], "follow_up": [12.0 + i % 4 for i in range(48)] + [None] * 4, "arm": "scheme"})
    out = release(outcome_results(pairs, "phq9", measures().loc["phq9"]), rule)
    assert out[out.group == "follow_up"].suppressed.all() and len(out[out.group == "follow_up"]) == 2


def test_stages_that_few_people_lie_between_are_hidden_where_counts_are_exact():
    reached = {"referred": 100, "accepted": 80, "seen": 77, "completed": 40}
    stages = pd.DataFrame({name: pd.array([True] * n + [False] * (100 - n), dtype="boolean") for name, n in reached.items()})
    assert dict(release(funnel(stages, list(reached)), LT5).set_index("level").suppressed) == {"referred": False, "accepted": False, "seen": True, "completed": False}
    assert not release(funnel(stages, list(reached)), NHSE).suppressed.any()


# ---- an attacker ----------------------------------------------------------------------------------------------------------

def ranges(out, size, total, rule):
    """What an attacker knows of each part of a whole: level -> (least, most), from the released rows, the total and the rule."""
    def known(value):
        return (value, value) if rule.round_to == 1 else (int(np.ceil(value - rule.round_to / 2)), int(np.ceil(value + rule.round_to / 2) - 1))

    first, notes = {}, out.loc[out.suppressed, "note"].nunique()
    for row in out.itertuples():
        if not row.suppressed:
            first[row.level] = known(int(round(size(row))))
        else:       # the rule and the notes are public: a nought is never hidden, and a note of its own would tell the second cell
            first[row.level] = (1, 10 ** 6) if notes == 1 else (1, rule.hide_to) if row.note == HIDDEN else (rule.hide_to + 1, 10 ** 6)
    low, high = known(total)
    return {level: (max(a, low - sum(m for other, (_, m) in first.items() if other != level)),
                    min(b, high - sum(m for other, (m, _) in first.items() if other != level))) for level, (a, b) in first.items()}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(COUNTS_OF_A_PARTITION, st.sampled_from([NHSE, LT5, LT10]))
def test_no_hidden_count_is_the_only_hidden_part_of_a_published_whole(counts, rule):
    for table, measure in ((months_of(*counts), "month"), (shares_of(*counts), "g")):
        out = release(table, rule)
        parts = out[out.group == measure]
        if len(parts) and (measure == "g" or not out[out.group == "all"].suppressed.iloc[0]):
            shown = parts[~parts.suppressed & parts.estimate.ne(0)]
            assert parts.suppressed.sum() != 1 or shown.empty


@pytest.mark.parametrize("rule", [NHSE, LT5, LT10], ids=lambda r: r.name)
@settings(max_examples=30, deadline=None, derandomize=True)
@example([1, 1, 10, 10])            # unrounded: 22 - 20 = 2, and a hidden count is at least 1: both are 1
@example([1, 5, 10, 10])            # unrounded: were it told that one is of 1 to 4 and one of at least 5, 6 would make 1 and 5
@given(COUNTS_OF_A_PARTITION)
def test_no_hidden_count_can_be_had_back_from_the_total_and_the_words_of_the_rule(rule, counts):
    table = months_of(*counts)
    out = release(table, rule)
    whole, parts = out[out.group == "all"].iloc[0], out[out.group == "month"]
    if not whole.suppressed:
        for level, (least, most) in ranges(parts, lambda row: row.estimate, int(whole.estimate), rule).items():
            assert least < most or not parts.set_index("level").suppressed[level]


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=6), st.sampled_from([NHSE, LT5, LT10]))
def test_nothing_is_left_in_a_hidden_row_and_no_small_count_in_a_shown_one(cells, rule):
    rows = [share_row(min(x, n), n, group="sex", level=str(i), n_missing=x) for i, (x, n) in enumerate(cells)]
    out = release(result_table(rows), rule)
    assert out.loc[out.suppressed, NUMBERS].isna().all(axis=None)
    shown = out[~out.suppressed]
    for column in ("n", "n_missing"):
        assert not shown[column].between(1, rule.hide_to).any()
    assert not (shown.estimate * shown.n).round(6).between(1, rule.hide_to).any()
    if rule.round_to == 5:
        assert ((shown.n % 5 == 0) & ((shown.estimate * shown.n).fillna(0).round(6) % 5 == 0)).all()


# ---- stages of the same people, and other forms of one count -----------------------------------------------------------------

def staged(**levels):
    """People of each level: (referred, seen, completed); nobody is followed up."""
    rows = [(level, i < seen, i < completed) for level, (referred, seen, completed) in levels.items() for i in range(referred)]
    people = pd.DataFrame(rows, columns=["g", "seen", "completed"]).assign(followed_up=False)
    return people.astype({stage: "boolean" for stage in ("seen", "completed", "followed_up")})


def hidden_levels(out, measure):
    return set(out.loc[out.suppressed & out.measure.eq(measure), "level"])


@pytest.mark.parametrize("rule, hidden", [(LT5, {"a", "b"}), (LT10, {"a", "b"}), (NHSE, set())], ids=lambda v: getattr(v, "name", ""))
def test_few_people_between_two_stages_of_a_level_cannot_be_had_where_counts_are_exact(rule, hidden):
    # level a: 40 referred, 37 seen: 3 not seen; b goes with it, or the total seen would give a back
    people = staged(a=(40, 37, 20), b=(60, 30, 15), c=(90, 50, 25))
    out = release(stack_results(composition(people, "g"), composition(people, "g", stage="seen")), rule)
    assert hidden_levels(out, "share_of_people_seen") == hidden and not hidden_levels(out, "share_of_people")


def test_a_later_stage_is_held_against_every_earlier_one():
    people = staged(a=(60, 33, 30), b=(80, 40, 20), c=(90, 50, 25))
    out = release(stack_results(*[composition(people, "g", stage=s) for s in (None, "seen", "completed")]), LT5)
    assert hidden_levels(out, "share_of_people_completed") == {"a", "b"} and not hidden_levels(out, "share_of_people_seen")


def test_a_mean_of_a_stage_that_few_are_missing_from_is_hidden_where_counts_are_exact():
    people = staged(a=(40, 37, 20)).assign(age=np.arange(40.0))
    out = release(stack_results(*[averages(people, "age", stage=s) for s in (None, "seen", "completed")]), LT5).set_index("measure").suppressed
    assert out[["mean_of_people_seen", "sd_of_people_seen", "median_of_people_seen"]].all() and not out[["mean_of_people", "mean_of_people_completed"]].any()
    assert not release(averages(people, "age", stage="seen"), NHSE).suppressed.any()


@pytest.mark.parametrize("rule", [NHSE, LT5, LT10], ids=lambda r: r.name)
def test_a_difference_from_few_people_is_hidden_whatever_the_rule(rule):
    people = staged(a=(40, 37, 20))
    assert release(stage_difference(people, "g", "seen"), rule).suppressed[0] and not release(stage_difference(people, "g", "completed"), rule).suppressed[0]


@pytest.mark.parametrize("rule", [NHSE, LT5, LT10], ids=lambda r: r.name)
def test_what_is_hidden_as_a_share_is_hidden_in_every_other_form(rule):
    # c has 3 people; a, the smallest other, goes with it; the ratio's and the reach's own smallest may be another level
    people = staged(a=(30, 20, 10), b=(50, 15, 10), c=(3, 0, 0)).assign(age_band="18-64")
    residents = pd.DataFrame({"g": list("abc"), "people": [1000, 900, 800], "age_band": "18-64"})
    out = release(stack_results(composition(people, "g"), reached_by(people, "g"), representation_ratio(people, residents, "g"),
                                referral_rate(people, residents, "g"), referral_rate_standardised(people, residents, "g")), rule)
    assert hidden_levels(out, "share_of_people") == {"a", "c"}
    for measure in ("reached_seen", "representation_ratio", "referral_rate", "referral_rate_standardised"):
        shown = out[out.measure.eq(measure) & ~out.suppressed & out.estimate.notna()]
        assert set(shown.level) <= {"b"}, measure


@pytest.mark.parametrize("rule", [NHSE, LT5], ids=lambda r: r.name)
def test_the_tenths_of_a_hidden_fifth_are_hidden_with_it(rule):
    # 3 people without a level: fifth 3 (20 people) hides with them; of the tenths the smallest is in fifth 1
    counts = {1: 11, 2: 40, 3: 30, 4: 30, 5: 12, 6: 13}
    people = pd.DataFrame({"imd_decile": pd.array([d for d, n in counts.items() for _ in range(n)] + [None] * 3, dtype="Int64")})
    people["imd_quintile"] = (people["imd_decile"] + 1) // 2
    residents = pd.DataFrame({"imd_decile": list(counts), "imd_quintile": [1, 1, 2, 2, 3, 3], "people": 1000})
    out = release(stack_results(referral_rate(people, residents, "imd_decile"), referral_rate(people, residents, "imd_quintile")), rule)
    assert set(out.loc[out.suppressed & out.group.eq("imd_quintile"), "level"]) == {"3", "missing"}
    assert set(out.loc[out.suppressed & out.group.eq("imd_decile"), "level"]) == {"5", "6", "missing"}


def test_a_level_already_hidden_among_all_is_the_one_hidden_with_another_at_a_later_stage():
    people = staged(a=(3, 2, 1), b=(20, 16, 9), c=(60, 15, 10), d=(90, 80, 40))
    out = release(stack_results(composition(people, "g"), composition(people, "g", stage="seen")), NHSE)
    assert hidden_levels(out, "share_of_people") == {"a", "b"} == hidden_levels(out, "share_of_people_seen")      # c is smaller than b at that stage


@pytest.mark.parametrize("rule, hidden", [(LT5, True), (NHSE, False)], ids=lambda v: getattr(v, "name", ""))
def test_a_small_number_left_out_of_a_ratio_or_a_reach_hides_it_where_counts_are_exact(rule, hidden):
    people = staged(a=(30, 15, 10), b=(50, 20, 10))
    people.loc[:2, "seen"] = pd.NA
    out = release(reached_by(people, "g"), rule).query("measure == 'reached_seen' and level == 'a'")
    assert bool(out.suppressed.iloc[0]) is hidden


# ---- ratios, and numbers made of many counts -------------------------------------------------------------------------------------

@pytest.mark.parametrize("counts", [(38, 62), (12, 88), (0, 40)])
def test_a_ratio_is_worked_out_again_from_rounded_counts_with_its_limits(counts):
    people, residents = people_by(dict(zip("ab", counts))), pd.DataFrame({"g": ["a", "b"], "people": [250, 750]})
    row, total = release(representation_ratio(people, residents, "g"), NHSE).set_index("level").loc["a"], NHSE.round(sum(counts))
    x = NHSE.round(counts[0])
    assert row.estimate == pytest.approx(x / total / 0.25) and (row.conf_low, row.conf_high) == pytest.approx(tuple(4 * v for v in wilson(x, total, 0.95)))


def test_an_index_and_a_standardised_rate_are_given_to_three_figures_and_two_decimals():
    people = pd.DataFrame({"imd_quintile": [level for level, n in enumerate((33, 27, 24, 19, 12), 1) for _ in range(n)]})
    residents = pd.DataFrame({"imd_quintile": range(1, 6), "people": [1013, 997, 1001, 990, 1033]})
    out = release(inequality(people, residents, "imd_quintile"), NHSE)
    told = out[out.measure.isin(["slope_index", "relative_index", "fitted_rate"])][["estimate", "conf_low", "conf_high", "std_error"]].stack()
    assert (told == told.round(2)).all() and all(float(f"{value:.3g}") == pytest.approx(value) for value in told) and len(told) >= 8
    exact = inequality(people, residents, "imd_quintile")
    pd.testing.assert_frame_equal(release(exact, NONE), exact[RESULT_COLUMNS])


@pytest.mark.parametrize("rule, hidden", [(LT5, True), (LT10, True), (NHSE, False)], ids=lambda v: getattr(v, "name", ""))
def test_an_index_or_standardised_rate_with_a_small_count_in_it_is_hidden_where_counts_are_exact(rule, hidden):
    people = pd.DataFrame({"imd_quintile": [1] * 33 + [2] * 27 + [3] * 4, "age_band": ["18-64"] * 60 + ["65+"] * 4})
    residents = pd.DataFrame({"imd_quintile": [1, 2, 3], "people": 1000, "age_band": ["18-64", "65+", "18-64"]})
    out = release(stack_results(inequality(people, residents, "imd_quintile"), referral_rate_standardised(people, residents)), rule)
    assert (out[out.measure.isin(["slope_index", "relative_index", "fitted_rate", "referral_rate_standardised"])].suppressed == hidden).all()
    assert not out[out.measure == "relative_rank"].suppressed.any()


# ---- lines that cross ----------------------------------------------------------------------------------------------------------

def attacker_knows(cells, sums):
    """Counts that every non-negative solution agrees on: cells {name: count or None}, sums [(names, total)]; least squares on what is unknown."""
    unknown = [name for name, count in cells.items() if count is None]
    lines = np.array([[name in names for name in unknown] for names, _ in sums], dtype=float)
    return {name for i, name in enumerate(unknown) if np.diag(np.linalg.pinv(lines) @ lines)[i] > 1 - 1e-9} if unknown else set()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 12), min_size=8, max_size=8), st.sampled_from([LT5, LT10]))
def test_no_combination_of_groups_can_be_had_back_from_the_sizes_of_the_groups(counts, rule):
    keys = [(bool(i & 1), bool(i & 2), bool(i & 4)) for i in range(8)]
    rows = [key for key, count in zip(keys, counts) for _ in range(count)]
    given_flags = pd.DataFrame(rows, columns=["x", "y", "z"]).astype("boolean")
    overlap = group_overlap(given_flags) if rows else None
    if not rows or overlap.level.iloc[0] == "all":
        return
    out = release(overlap, rule).set_index("level")
    sizes = release(suitable_group_shares(given_flags), rule).query("measure == 'people_in_suitable_group'").set_index("level")
    cells = {level: None if row.suppressed else row.estimate for level, row in out.iterrows()}
    sums = [(set(cells), len(rows))] + [({level for level in cells if group in level.split(" + ")}, size.estimate)
                                       for group, size in sizes.iterrows() if group != "none of these" and not size.suppressed]
    small = {level for level, row in overlap.set_index("level").iterrows() if 1 <= row.numerator <= rule.hide_to}
    assert not small & {level for level in cells if cells[level] is not None}
    known = attacker_knows(cells, sums)
    shown = [level for level in cells if cells[level] is not None]
    assert not small & known or not shown       # where nothing is left to hide, the sum of a whole group is itself the small number


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.lists(st.lists(st.integers(0, 15), min_size=4, max_size=4), min_size=2, max_size=4), st.sampled_from([LT5, LT10]))
def test_no_answer_to_one_need_can_be_had_back_from_the_answers_to_all(counts, rule):
    answers = ["answered", "prescribed but not begun", "only something else prescribed", "nothing prescribed"]
    rows = [(f"n{i}", answer) for i, row in enumerate(counts) for answer, count in zip(answers, row) for _ in range(count)]
    if not rows:
        return
    table = needs_answered(pd.DataFrame(rows, columns=["need", "answer"]))
    out = release(table, rule)
    key = list(zip(table.group, table.level))
    shown = {k: None if hidden else n for k, hidden, n in zip(key, out.suppressed, table.numerator)}
    cells = {k: v for k, v in shown.items() if k[0] != "answers_to_all_needs"}
    sums = [({k for k in cells if k[0] == group}, 0) for group in {k[0] for k in cells}]
    sums += [({k for k in cells if k[1] == answer}, 0) for answer in answers if shown[("answers_to_all_needs", answer)] is not None]
    small = {k for k, n in zip(key, table.numerator) if 1 <= n <= rule.hide_to and k in cells}
    free = {k for k, v in cells.items() if v}
    assert not small & attacker_knows(cells, sums) or not free


# ---- curves -------------------------------------------------------------------------------------------------------------

def steps(curve, raw):
    """How many people each step of a released curve stands for."""
    counts = []
    for level, part in curve.groupby("level"):
        seen = raw[raw.level == level].set_index("days").n_events.cumsum()
        counts += list(np.diff(np.concatenate([[0], seen[part.days]])))
    return counts


def waits_of(days, seen, **more):
    return pd.DataFrame({"days_observed": pd.Series(days, dtype=float), "was_seen": list(seen)} | more)


@pytest.mark.parametrize("early", [0, 1, 3, 7, 8])
def test_no_step_of_a_curve_stands_for_few_people_not_even_on_the_day_of_referral(early):
    raw = time_to_first_contact(waits_of([0] * early + [1] * 6 + [2] * 5 + [9] * 20 + [50] * 60, [True] * (early + 31) + [False] * 60))
    counts = [int(c) for c in steps(release_curve(raw, NHSE), raw)]
    assert counts and all(c == 0 or c > 7 for c in counts)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=120), st.sampled_from([NHSE, LT5, LT10]))
def test_a_released_curve_has_only_steps_of_enough_people_and_ends_while_enough_are_at_risk(rows, rule):
    days, seen = zip(*[(d + 1, s) for d, s in rows])        # from day 1: the day of referral has a test of its own
    raw = time_to_first_contact(waits_of(days, seen))
    out = release_curve(raw, rule)
    assert all(c == 0 or c > rule.hide_to for c in steps(out, raw))
    at_risk = raw.set_index("days").n_at_risk[out.days]
    assert (at_risk > rule.hide_to).all() and "n_events" not in out
    assert (out.n_at_risk.to_numpy() == rule.round(at_risk.to_numpy())).all()


def test_a_level_with_too_few_people_has_no_curve():
    raw = time_to_first_contact(waits_of([1] * 20 + [2] * 7, [True] * 27, sex=["female"] * 20 + ["male"] * 7), by="sex")
    assert set(release_curve(raw, NHSE).level) == {"female"}


def test_a_curve_of_nobody_is_released_empty_and_without_a_rule_only_the_events_go():
    empty, raw = time_to_first_contact(waits_of([], [])), time_to_first_contact(waits_of([1, 2], [True, False]))
    assert release_curve(empty, NHSE).empty
    pd.testing.assert_frame_equal(release_curve(raw, NONE), raw.drop(columns="n_events"))


# ---- nothing hidden in what is written ------------------------------------------------------------------------------------

SECRET = 0.123456789        # an estimate that no other cell can look like
EVIL = ["=cmd|'/c calc'!A1", "+1+1", "-2+3", "@SUM(A1)", "\t=1+1", '<script>alert("x")</script>', "<img src=x onerror=alert(1)>", "'\"><b>"]


@pytest.fixture
def written(tmp_path):
    """A report folder as a run leaves it: one hidden row, one more hidden for it, and free text that means harm."""
    rows = [share_row(n, 97, group="practice_code", level=level, measure="share_of_people") for n, level in zip((3, 11, 83), EVIL)]
    rows += [count_row(40 + i, measure="problems", group="table, column, problem, action", level=text, note=text, unit=text, method=text) for i, text in enumerate(EVIL)]
    rows += [dict(measure="paired_change", group="all", level="all", n=6, n_missing=6, estimate=SECRET, std_error=SECRET, conf_low=SECRET,
                  conf_high=SECRET, unit="points", method="paired t", conf_level=0.95)]
    scheme = Scheme(Path("."), Settings(scheme_id="test", name="=HYPERLINK(1)<script>"), {}, pd.DataFrame())
    report = start_report("for_whom", scheme, tmp_path)
    report.add("all", result_table(rows))
    report.write()
    released = report.released["all"]
    write_tables(tmp_path, scheme.settings, report.rule, ["for_whom"])
    return SimpleNamespace(folder=tmp_path, released=released, csv=(tmp_path / "results.csv").read_text(encoding="utf-8"),
                           sheets={s: CalamineWorkbook.from_path(str(tmp_path / "tables.xlsx")).get_sheet_by_name(s).to_python()
                                   for s in CalamineWorkbook.from_path(str(tmp_path / "tables.xlsx")).sheet_names})


def test_a_hidden_number_is_in_no_file_and_not_on_the_page(written):
    page = results_html(written.released)
    book = json.dumps(written.sheets)
    for text in (written.csv, page, book):
        assert "0.1234" not in text and "12.3" not in text and "0.0309" not in text and "3.1%" not in text     # SECRET, and 3/97
        assert "0.1134" not in text and "11.3%" not in text                                                     # 11/97: hidden too
    assert page.count("<td data-label=\"People or rows\">*</td>") == 3 == written.released.suppressed.sum()
    rows = pd.read_csv(written.folder / "results.csv")
    assert rows.loc[rows.suppressed, NUMBERS].isna().all(axis=None) and rows.suppressed.sum() == 3


def test_numerators_and_denominators_are_in_no_file(written):
    assert not set(COUNTS) & set(written.csv.splitlines()[0].split(","))
    for text in (written.csv, json.dumps(written.sheets), results_html(written.released)):
        assert "numerator" not in text.casefold() and "denominator" not in text.casefold()


def test_hidden_cells_of_a_sheet_say_so_and_none_is_empty(written):
    head, *rows = [row for row in written.sheets["for_whom"] if "Level" in row or any(c == "share of people" or c == "share_of_people" for c in row)]
    first = dict(zip(head, rows[0]))
    assert [first[c] for c in ("Number", "Missing", "Estimate", "Lower limit", "Upper limit")] == ["[c]"] * 5
    assert all(cell != "" for row in rows for cell in row[:len(head)])


def test_free_text_is_escaped_on_the_page(written):
    page = results_html(written.released)
    assert "<script" not in page and "<img" not in page and "<b>" not in page and "&lt;script&gt;" in page


def test_no_cell_of_the_csv_starts_a_formula(written):
    rows = pd.read_csv(written.folder / "results.csv", dtype=str, keep_default_na=False)
    texts = rows[["scheme_id", "question", "measure", "group", "level", "unit", "method", "note"]]
    found = [(column, cell) for column in texts for cell in texts[column] if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert found == []


@pytest.mark.parametrize("label", ["\r=1+1", "north\r=1+1", "north\n=1+1", "north\r\n=1+1"])
def test_a_line_break_in_a_label_begins_no_row_of_the_csv(tmp_path, label):
    scheme = Scheme(Path("."), Settings(scheme_id="test", name="Test"), {}, pd.DataFrame())
    report = start_report("for_whom", scheme, tmp_path)
    report.add("x", result_table([share_row(40, 97, group="practice_code", level=label), share_row(57, 97, group="practice_code", level="south")]))
    report.write()
    write_tables(tmp_path, scheme.settings, report.rule, ["for_whom"])
    with open(tmp_path / "results.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) == 3 and not any(cell.startswith("=") for row in rows for cell in row)


def test_no_cell_of_the_workbook_is_a_formula_or_a_link(written):
    import zipfile

    with zipfile.ZipFile(written.folder / "tables.xlsx") as book:
        for name in book.namelist():
            text = book.read(name).decode("utf-8", "replace")
            assert "<f>" not in text and "<f " not in text and "hyperlink r:id" not in text and "externalLink" not in name
    cells = [cell for sheet in written.sheets.values() for row in sheet for cell in row if isinstance(cell, str)]
    assert any("cmd|" in cell for cell in cells)            # the text is there, as text


# ---- found by trying odd schemes

@pytest.mark.parametrize("rule", [LT5, RULES["suppress_lt10"]], ids=lambda r: r.name)
def test_a_modelled_share_with_a_small_remainder_is_hidden_where_counts_are_exact(rule):
    waits = pd.DataFrame({"days_observed": [10.0] * 37 + [90.0] * 3, "was_seen": True})
    assert release(seen_within(waits, [28]), rule).suppressed[0]


def test_a_modelled_share_gives_back_no_exact_count():
    waits = pd.DataFrame({"days_observed": [10.0] * 19 + [90.0] * 20, "was_seen": True})
    row = release(seen_within(waits, [28]), NHSE).iloc[0]
    assert (row.n, row.estimate) == (40, 0.5) and row.conf_low <= 0.5 <= row.conf_high      # 19 of 39 is 0.487


def test_two_tables_of_one_breakdown_hide_the_same_levels():
    people = pd.DataFrame({"imd_quintile": ["1"] * 40 + ["2"] * 39 + ["3"] * 41 + ["4"] * 38 + ["5"] * 36 + [None] * 3})
    waits = people.assign(days_observed=[5.0 + i % 40 for i in range(197)], was_seen=True)
    hidden = [set(out.level[out.suppressed]) for out in (release(composition(people, "imd_quintile"), LT5), release(seen_within(waits, [28], by="imd_quintile"), LT5))]
    assert hidden == [{"5", "missing"}] * 2


def test_what_is_hidden_of_a_subgroup_is_hidden_in_each_of_its_rows():
    # 6 of one level are hidden, and with them the smaller of the others; their shrunken change and difference would still give the number of people
    rows = [dict(measure=f"subgroup_{kind}_swemwbs", group="sex", level=level, n=n, n_missing=0, estimate=1.0, conf_level=0.95, unit="points")
            for kind in ("change", "shrunken", "interaction") for level, n in (("female", 60), ("male", 40), ("other", 6)) if not (kind != "change" and level == "other")]
    out = release(result_table(rows), RULES["nhse_1_7_round5"]).set_index(["measure", "level"])["suppressed"]
    assert out["subgroup_change_swemwbs", "other"] and out["subgroup_change_swemwbs", "male"] and not out["subgroup_change_swemwbs", "female"]
    assert out["subgroup_shrunken_swemwbs", "male"] and out["subgroup_interaction_swemwbs", "male"] and not out["subgroup_shrunken_swemwbs", "female"]
