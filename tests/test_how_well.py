"""How well: stages, uptake, follow-up, and change in scores."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sprx.errors import DataError
from sprx.metrics.how_well import (followed_up, funnel, lost_and_followed, outcome_results, paired_change, scores_by_visit, share_improved,
                                   unpaired_change, uptake)
from sprx.reference import measures

SCORE = st.one_of(st.none(), st.integers(7, 35))
ANY_PAIRS = st.lists(st.tuples(SCORE, SCORE, st.sampled_from(["a", "b", None])), min_size=1, max_size=30)
# Student (1908) Biometrika 6:1-25: hours of sleep gained under two drugs, ten people (R data set `sleep`)
SLEEP = dict(baseline=[0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0], follow_up=[1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])


def pairs_of(baseline, follow_up, **columns):
    return pd.DataFrame({"baseline": pd.Series(baseline, dtype=float), "follow_up": pd.Series(follow_up, dtype=float)} | columns)


def seen(*flags, **columns):
    return pd.DataFrame({"seen": pd.array(flags, dtype="boolean")} | columns)


# ---- uptake and stages --------------------------------------------------------------------------------------------------

def test_uptake_matches_newcombe_1998():
    # Newcombe RG (1998) Stat Med 17:857-872, worked example 81/263, method 3: 0.2553 to 0.3662
    row = uptake(seen(*[True] * 81 + [False] * 182)).iloc[0]
    assert (round(row.conf_low, 4), round(row.conf_high, 4)) == (0.2553, 0.3662)
    assert (row.estimate, row.n, row.numerator, row.denominator) == (81 / 263, 263, 81, 263)


def test_referrals_of_which_it_is_not_known_are_missing_and_not_unseen():
    row = uptake(seen(True, False, None, None)).iloc[0]
    assert (row.estimate, row.n, row.n_missing) == (0.5, 2, 2)


def test_uptake_of_people_with_no_recorded_group_is_a_row():
    table = uptake(seen(True, False, True, sex=["female", None, None]), by="sex").set_index("level")
    assert list(table.index) == ["female", "missing"] and list(table.estimate) == [1, 0.5] and table.n.sum() == 3


@pytest.mark.parametrize("by, rows", [(None, 1), ("sex", 0)])
def test_uptake_of_nobody_has_no_estimate(by, rows):
    table = uptake(seen(sex=pd.array([], dtype="string")), by)
    assert len(table) == rows and table.estimate.isna().all() and table.n.sum() == 0


def test_the_funnel_keeps_its_order_and_counts_each_stage_among_those_known():
    stages = pd.DataFrame({"referred": pd.array([True] * 4, dtype="boolean"), "seen": pd.array([True, True, False, None], dtype="boolean"),
                           "completed": pd.array([None] * 4, dtype="boolean")})
    table = funnel(stages, ["referred", "seen", "completed"])
    assert list(table.level) == ["referred", "seen", "completed"] and list(table.n) == [4, 3, 0] and list(table.n_missing) == [0, 1, 4]
    assert list(table.estimate[:2]) == [1, 2 / 3] and pd.isna(table.estimate[2]) and pd.isna(table.numerator[2])


def test_an_absent_stage_is_named():
    with pytest.raises(DataError, match="stages has no column 'seen'"):
        funnel(pd.DataFrame({"referred": [True]}), ["referred", "seen"])


# ---- change -------------------------------------------------------------------------------------------------------------

def test_the_change_matches_student_1908():
    # R 4.2.2: with(sleep, t.test(extra[group == 2], extra[group == 1], paired = TRUE)): 1.58, 95% CI 0.7001142 to 2.4598858
    row = paired_change(pairs_of(**SLEEP)).iloc[0]
    assert (row.estimate, row.conf_low, row.conf_high) == pytest.approx((1.58, 0.7001142, 2.4598858), abs=5e-8)      # 7 decimals printed
    assert row.std_error == pytest.approx(1.58 / 4.0621, rel=1e-4) and row.method == "paired t"                      # t = 4.0621


def test_the_dashboards_change_matches_welch():
    # R 4.2.2: t.test(extra ~ group, data = sleep): group 1 - group 2, 95% CI -3.3654832 to 0.2054832; ours is later minus first
    row = unpaired_change(pairs_of(**SLEEP)).iloc[0]
    assert (row.estimate, row.conf_low, row.conf_high) == pytest.approx((1.58, -0.2054832, 3.3654832), abs=5e-8)


def test_a_rise_is_positive_and_a_fall_is_negative():
    rise, fall = pairs_of([20, 21, 22], [21, 23, 25]), pairs_of([20, 21, 22], [19, 19, 19])
    assert (paired_change(rise).estimate[0], paired_change(fall).estimate[0]) == (2, -2)
    assert (unpaired_change(rise).estimate[0], unpaired_change(fall).estimate[0]) == (2, -2)


def test_every_person_is_counted_including_those_with_no_group():
    pairs = pairs_of([20.0] * 6, [21, 22, None, 23, 24, 25], imd_quintile=pd.array([1, 1, 1, 2, None, None], dtype="Int64"))
    table = paired_change(pairs, by="imd_quintile").set_index("level")
    assert list(table.n + table.n_missing) == [3, 1, 2] and list(table.index) == ["1", "2", "missing"]
    assert table.estimate["missing"] == 4.5             # follow-up minus baseline: the sign is the finding
    assert pd.isna(table.estimate["2"]) and table.n["2"] == 1 and table.note["2"] == "fewer than 2 people with both scores"


def test_a_change_of_nobody_is_a_row_without_an_estimate():
    for pairs in (pairs_of([], []), pairs_of([20, None], [None, 21])):
        row = paired_change(pairs).iloc[0]
        assert row.n == 0 and row.n_missing == len(pairs) and pd.isna(row.estimate)


def test_the_dashboards_figure_counts_everybody_with_any_score_and_differs_where_people_are_lost():
    pairs = pairs_of([10, 10, 10, 20, 20, None], [12, 12, 13, None, None, None])
    loose, tight = unpaired_change(pairs).iloc[0], paired_change(pairs).iloc[0]
    assert (loose.n, loose.n_missing, tight.n, tight.n_missing) == (5, 1, 3, 3)
    assert loose.estimate == pytest.approx(37 / 3 - 14) and tight.estimate == pytest.approx(7 / 3)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(ANY_PAIRS)
def test_people_with_both_scores_and_the_others_make_everyone(rows):
    baseline, follow_up, group = zip(*rows)
    pairs = pairs_of(baseline, follow_up, group=group)
    expected = {level: sum((g or "missing") == level for g in group) for level in {g or "missing" for g in group}}
    for table in (paired_change(pairs, "group"), followed_up(pairs, "group"), share_improved(pairs, 3, True, "group")):
        assert dict(zip(table.level, table.n + table.n_missing)) == expected
    whole = unpaired_change(pairs).iloc[0]
    assert whole.n + whole.n_missing == len(rows)
    both = paired_change(pairs).iloc[0]
    if both.n >= 2:
        assert both.conf_low <= both.estimate <= both.conf_high
        swapped = paired_change(pairs.rename(columns={"baseline": "follow_up", "follow_up": "baseline"})).iloc[0]
        assert (swapped.estimate, swapped.conf_low) == pytest.approx((-both.estimate, -both.conf_high))


# ---- follow-up and improvement ------------------------------------------------------------------------------------------

def test_follow_up_is_a_share_of_those_with_a_first_score():
    row = followed_up(pairs_of([20, 20, 20, None], [21, None, 25, 30])).iloc[0]
    assert (row.estimate, row.n, row.n_missing, row.numerator) == (2 / 3, 3, 1, 2)


def test_follow_up_limits_are_wilsons():
    # Newcombe (1998) table I, method 3: 15/148: 0.0624 to 0.1605
    row = followed_up(pairs_of([20] * 148, [21] * 15 + [None] * 133)).iloc[0]
    assert (round(row.conf_low, 4), round(row.conf_high, 4)) == (0.0624, 0.1605)


@pytest.mark.parametrize("higher, improved", [(True, 2), (False, 1)])
def test_improvement_goes_the_instruments_way_and_the_difference_itself_is_enough(higher, improved):
    pairs = pairs_of([20, 20, 20, 20, 20], [23, 25, 22.9, 17, None])
    row = share_improved(pairs, 3, higher).iloc[0]
    assert (row.numerator, row.n, row.n_missing, row.estimate) == (improved, 4, 1, improved / 4) and row.note == "improved by 3 or more"


def test_a_difference_that_floating_point_makes_a_hair_smaller_still_counts():
    assert share_improved(pairs_of([0.1], [0.3]), 0.2, True).estimate[0] == 1           # 0.3 - 0.1 < 0.2 in binary


@pytest.mark.parametrize("mid", [0, -1, float("nan")])
def test_a_smallest_difference_that_is_not_above_nought_is_refused(mid):
    with pytest.raises(ValueError, match="mid must be above 0"):
        share_improved(pairs_of([1], [2]), mid, True)


# ---- by visit, and who was lost -----------------------------------------------------------------------------------------

def test_scores_by_visit_count_who_has_the_score_in_each_arm():
    scores = pd.DataFrame({"arm": ["scheme"] * 4 + ["comparison"] * 2, "months": [0, 0, 3, 3, 0, 3], "value": [20, 22, 25, None, 10, 12]})
    table = scores_by_visit(scores).set_index(["measure", "level"])
    assert list(table.n[[("mean_score_scheme", "0"), ("mean_score_scheme", "3")]]) == [2, 1] and table.n_missing["mean_score_scheme", "3"] == 1
    assert table.estimate["mean_score_scheme", "0"] == 21 and pd.isna(table.estimate["mean_score_scheme", "3"])
    assert table.n.sum() + table.n_missing.sum() == 6


def test_those_followed_and_those_lost_have_their_own_first_mean():
    table = lost_and_followed(pairs_of([10, 12, 30, 34, None], [11, 13, None, None, 20])).set_index("level")
    assert dict(table.estimate) == {"followed": 11, "lost": 32} and dict(table.n_missing) == {"followed": 1, "lost": 0}
    assert (table.n + table.n_missing).sum() == 5


def test_nobody_lost_and_nobody_followed_is_a_row_of_nobody():
    table = lost_and_followed(pairs_of([], []))
    assert list(table.n) == [0] and table.estimate.isna().all()


# ---- all of one instrument ----------------------------------------------------------------------------------------------

def test_one_instruments_results_are_about_the_scheme_and_each_arm_has_its_change():
    pairs = pairs_of([20, 20, 20, 20], [25, 27, 19, 17], arm=["scheme", "scheme", "comparison", "comparison"])
    table = outcome_results(pairs, "phq9", measures().loc["phq9"])
    change = table[table.measure == "paired_change_phq9"].set_index("level").estimate
    assert dict(change) == {"all": 6, "scheme": 6, "comparison": -2} and (table.measure.str.endswith("_phq9")).all()
    assert table.set_index("measure").unit["unpaired_change_phq9"] == "PHQ-9 points"
    improved = table[table.measure == "share_improved_phq9"]
    assert list(improved.numerator) == [0] and measures().loc["phq9", "higher_is_better"] == "no"      # it rose, and lower is better


def test_without_a_known_difference_or_direction_no_share_improved_is_given():
    pairs = pairs_of([20, 20], [25, 27], arm="scheme")
    for instrument, changed in (("phq9", dict(mid_value=float("nan"))), ("phq9", dict(higher_is_better="n/a"))):
        table = outcome_results(pairs, instrument, pd.Series(measures().loc[instrument].to_dict() | changed))
        assert not table.measure.str.startswith("share_improved").any() and len(table) >= 4
    assert not (outcome_results(pairs, "phq9", measures().loc["phq9"]).group == "arm").any()
