"""How well: stages, uptake, follow-up, and change in scores."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sprx import cohort, wording
from sprx.answers import answer_how_well
from sprx.disclosure import RULES, release
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


def test_where_all_changed_alike_the_change_has_no_width_and_says_so():
    row = paired_change(pairs_of([20, 21, 22], [22, 23, 24])).iloc[0]
    assert (row.estimate, row.conf_low, row.conf_high) == (2, 2, 2) and row.note == "everyone changed by the same amount: the standard deviation of the changes is 0"
    assert paired_change(pairs_of([20, 21, 22], [22, 23, 25])).note[0] == "" and paired_change(pairs_of([20], [None])).note[0] == "nobody has both scores"


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


def test_without_a_known_difference_or_direction_no_share_improved_is_given_and_the_row_says_why():
    pairs = pairs_of([20, 20], [25, 27], arm="scheme")
    for changed, words in ((dict(mid_value=float("nan")), "needs a smallest important difference"), (dict(higher_is_better="n/a"), "neither way is better")):
        table = outcome_results(pairs, "phq9", pd.Series(measures().loc["phq9"].to_dict() | changed))
        rows = table[table.measure.str.startswith("share_improved")]
        assert rows.estimate.isna().all() and len(rows) == 1 and words in rows.note.iloc[0] and (rows.n + rows.n_missing).iloc[0] == 2
        assert table.measure.str.startswith("expected_change").any() == ("higher_is_better" not in changed)
    assert not (outcome_results(pairs, "phq9", measures().loc["phq9"]).group == "arm").any()


# ---- what people in general score, and what was measured at all -------------------------------------------------------------

SCORES = """person_id,instrument,item,occasion,measured_on,value
p1,swemwbs,total,baseline,2025-01-12,18.59
p1,swemwbs,total,follow_up,2025-04-12,21.54
p2,swemwbs,total,baseline,2025-02-12,19.25
p2,swemwbs,total,follow_up,2025-05-12,20.73
p3,swemwbs,total,baseline,2025-03-01,17.43
p3,swemwbs,total,follow_up,2025-06-12,22.35
p1,eq5d3l,profile,baseline,2025-01-12,21232
p1,eq5d3l,profile,follow_up,2025-04-12,11121
p2,eq5d3l,mobility,baseline,2025-02-12,2
p2,own,total,baseline,2025-02-12,2
"""
REFERRALS = """referral_id,person_id,referral_date,status,closed_date,closure_reason
r1,p1,2025-01-10,closed,2025-04-01,needs_met
r2,p2,2025-02-10,closed,2025-05-01,died
r3,p3,2025-03-10,active,,
"""


@pytest.fixture(scope="module")
def scheme(cleaned):
    return cleaned(dict(follow_up_days=90), outcomes=SCORES, referrals=REFERRALS)


def test_the_norm_is_that_of_the_peoples_sexes_unless_the_scheme_gives_its_own(scheme, cleaned):
    norm = cohort.norm_of(scheme, "swemwbs")                    # two women and one man with both scores
    assert norm["mean"] == pytest.approx((2 * 23.2 + 23.7) / 3) and norm["verification"] == "verified" and "Ng Fat" in norm["source"]
    assert norm["assumed"] and norm["reliability"] == cohort.ASSUMED_RELIABILITY == (0.5, 0.65, 0.8)
    own = cohort.norm_of(cleaned(dict(norms={"swemwbs": {"mean": 24, "sd": 4, "reliability": 0.7, "source": "our survey"}}), outcomes=SCORES, referrals=REFERRALS), "swemwbs")
    assert (own["mean"], own["sd"], own["reliability"], own["assumed"], own["source"]) == (24, 4, (0.7, 0.7, 0.7), False, "our survey")
    assert pd.isna(cohort.norm_of(scheme, "ucla3")["mean"]) and cohort.norm_of(scheme, "ons_life_sat")["mean"] == 7.45
    half = cohort.norm_of(cleaned(dict(norms={"swemwbs": {"reliability": 0.7}}), outcomes=SCORES, referrals=REFERRALS), "swemwbs")
    assert half["mean"] == norm["mean"] and half["reliability"] == (0.7, 0.7, 0.7) and "Ng Fat" in half["source"]


def test_the_four_domains_of_every_measure_and_who_was_measured_in_them(scheme):
    assert {cohort.evidence_domain(d) for d in measures()["domain"]} == set(cohort.DOMAINS) and cohort.evidence_domain("gardening") == "other"
    assert cohort.instruments_by_domain(scheme) == {"mental_health": ["eq5d3l", "swemwbs"], "statutory_services": [], "community_wellbeing": [], "social_isolation": []}
    found = cohort.measured_in_domains(scheme).set_index("person_id")
    assert found["mental_health"].all() and found[["statutory_services", "community_wellbeing", "social_isolation"]].isna().all(axis=None)


def test_an_own_measure_of_no_domain_is_among_the_others(cleaned):
    own = {"own": dict(name="Own", minimum=0, maximum=10, higher_is_better=True, domain="gardening")}
    found = cohort.instruments_by_domain(cleaned(dict(instruments=own), outcomes=SCORES, referrals=REFERRALS))
    assert found["other"] == ["own"]


def test_profiles_are_the_answers_of_the_chosen_sittings(scheme):
    found = cohort.health_profiles(scheme, "eq5d3l").set_index(["person_id", "occasion", "dimension"])["level"].sort_index()
    assert list(found["p1", "baseline"]) == [2, 1, 2, 3, 2] and list(found["p1", "follow_up"]) == [1, 1, 1, 2, 1] and set(found.index.get_level_values(0)) == {"p1"}
    assert cohort.health_profiles(scheme, "swemwbs").empty


def test_scores_before_the_referral_and_after_closure_or_death_are_told(scheme):
    found = cohort.scores_out_of_time(scheme).sum()
    # p1 (two instruments) and p2 were scored after closure, p2 after death; p3's first score was nine days before the referral
    assert dict(found) == {"first_before_referral": 1, "before_referral": 0, "after_closure": 3, "after_death": 1}


UCLA = "person_id,instrument,occasion,measured_on,value\np1,ucla3,baseline,2025-01-12,5\np1,ucla3,follow_up,2025-01-02,5\np2,ucla3,baseline,2025-02-12,5\np3,ucla3,follow_up,2025-09-01,4\n"


def test_a_later_score_before_the_referral_is_told_and_a_person_with_an_open_case_is_not_after_closure(cleaned):
    again = REFERRALS + "r4,p3,2024-03-10,closed,2024-06-01,needs_met\n"             # p3's earlier case was closed, the later one is open
    found = cohort.scores_out_of_time(cleaned(outcomes=UCLA, referrals=again))
    assert found["before_referral"].sum() == 1 and found["first_before_referral"].sum() == 0
    assert found["after_closure"].sum() == 0 and found["after_closure"].isna().sum() == 0
    assert cohort.scores_out_of_time(cleaned(outcomes=UCLA)).empty


def test_a_person_with_one_score_was_not_measured_in_its_domain(cleaned):
    found = cohort.measured_in_domains(cleaned(outcomes=UCLA, referrals=REFERRALS)).set_index("person_id")
    assert dict(found["social_isolation"]) == {"p1": True, "p2": False, "p3": False} and found["mental_health"].isna().all()


def test_the_answer_says_what_was_to_be_expected_with_no_help():
    pairs = pairs_of([15, 16, 17] * 10, [13, 12, 15] * 10, arm="scheme")
    norm = dict(mean=4.0, sd=4.0, reliability=(0.6, 0.6, 0.6), assumed=False, cutoff=float("nan"), source="a source", verification="verified")
    phq9 = measures().loc["phq9"]
    said = answer_how_well(release(outcome_results(pairs, "phq9", phq9, 0.95, norm), RULES["none"]), phq9, "phq9", None)
    assert "which is better; of people who come at a bad time, about −4.8 is expected with no help at all" in said.text and "about −4.8" in said.short
    without = answer_how_well(release(outcome_results(pairs, "phq9", phq9), RULES["none"]), phq9, "phq9", None)
    assert "expected" not in without.text


def test_an_instrument_nobody_defined_is_set_aside_with_its_reason(scheme):
    assert list(cohort.scores_set_aside(scheme)) == ["instrument: an instrument nobody defined"] or "nobody defined" in cohort.scores_set_aside(scheme).iloc[0]


# ---- bad input: each is a stated limitation -----------------------------------------------------------------------------------

@pytest.mark.parametrize("baseline, follow_up, words", [
    ([20, 21, 22], [None] * 3, "nobody has both a score at the start and a later one"),
    ([20, 21, 22], [25, None, None], "not shown, too few people have both scores"),
    ([20] * 20, [20] * 20, "the standard deviation of the changes is 0"),
    ([20] * 20, [23] * 20, "the standard deviation of the changes is 0")])
def test_no_follow_up_one_person_and_the_same_score_are_said(baseline, follow_up, words):
    pairs = pairs_of(baseline, follow_up, arm="scheme")
    norm = dict(mean=23.5, sd=4.0, reliability=(0.6, 0.6, 0.6), assumed=False, cutoff=float("nan"), source="a source", verification="verified")
    table = outcome_results(pairs, "phq9", measures().loc["phq9"], 0.95, norm)
    assert (table[["estimate", "conf_low", "conf_high"]].isna().all(axis=1) <= (table.note != "") | table.n.eq(0)).all()
    out = release(table, RULES["nhse_1_7_round5"])
    said = " ".join(f(out, measures().loc["phq9"], "phq9") for f in (wording.describe_change, wording.describe_expected, wording.describe_scale))
    assert words in said and "nan" not in said and said.count("  ") == 0
