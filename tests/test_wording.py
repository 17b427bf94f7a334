"""Sentences from released tables: a table of fixtures to words, and what must never be said."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sprx import wording
from sprx.disclosure import HIDDEN, RULES, release, release_curve
from sprx.metrics.data_quality import completeness, problems_found, rows_accounted
from sprx.metrics.for_whom import composition, referral_rate, suitable_group_shares
from sprx.metrics.how_well import funnel, outcome_results, paired_change
from sprx.metrics.when import median_wait, referrals_per_month, seen_within, time_to_first_contact
from sprx.reference import measures
from sprx.results import RESULT_COLUMNS, result_table, stack_results

PHQ9, SWEMWBS, LONELY = (measures().loc[m] for m in ("phq9", "swemwbs", "ons_lonely"))     # lower, higher, neither is better
AT_THEIR_WORST = "People are referred when they are at their worst, and people at their worst tend to get better anyway"
NEVER = re.compile(r"\b((?i:significant(ly)?|works|effective(ly)?|impressive|p\s*[<=]\s*0)|nan|NaN|NaT|None|<NA>|inf)\b")
DENIALS = ("This is a change, not an effect of the scheme.", "Each is a change, not an effect.")


def shown(**row):
    """A released row."""
    return dict(group="all", level="all", n=40, n_missing=0, conf_level=0.95, unit="points") | row


def hidden(**row):
    return dict(group="all", level="all", note=HIDDEN, suppressed=True, unit="points", conf_level=0.95) | row


def released(*rows):
    return result_table(list(rows))[RESULT_COLUMNS]


def proper(text):
    """True for a text that has no word in it that is never said, and no effect but the one that is denied."""
    for denial in DENIALS:
        text = text.replace(denial, "-")
    return bool(text) and not NEVER.search(text) and "effect" not in text.casefold()


CHANGE = shown(measure="paired_change_phq9", n=35, n_missing=15, estimate=-4.2, conf_low=-5.3, conf_high=-3.1)
KEPT = shown(measure="followed_up_phq9", unit="proportion", n=50, estimate=0.7, conf_low=0.56, conf_high=0.81)
IMPROVED = shown(measure="share_improved_phq9", unit="proportion", n=35, estimate=0.43, conf_low=0.28, conf_high=0.59, note="improved by 5 or more")
OTHER = shown(measure="paired_change_phq9", group="arm", level="comparison", n=30, estimate=-1.1, conf_low=-2.4, conf_high=0.2)


# ---- numbers ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("value, said", [(0, "0"), (0.1234, "0.12"), (0.0123, "0.012"), (4.2, "4.2"), (4.0, "4"), (4.26, "4.3"), (37.0, "37"), (19.96, "20.0"),
                                         (37.4, "37.4"), (123.4, "123"), (1250, "1,250"), (-13.148, "−13.1"), (-0.5, "−0.50")])
def test_a_number_has_two_or_three_figures_and_a_true_minus(value, said):
    assert wording.number(value) == said


@pytest.mark.parametrize("value, said", [(4.2, "+4.2"), (-4.2, "−4.2"), (0.123, "+0.12")])
def test_a_change_has_its_sign(value, said):
    assert wording.number(value, sign=True) == said


@pytest.mark.parametrize("value", [-1e-9, -0.0, -0.0004, 1e-17, -1e-17])
def test_a_number_that_rounds_to_nought_has_no_minus(value):
    assert "−" not in wording.number(value) and "−" not in wording.number(value, sign=True)


@settings(max_examples=200, derandomize=True)
@given(st.floats(-1e6, 1e6))
def test_a_number_said_is_near_the_number(value):
    said = float(wording.number(value).replace("−", "-").replace(",", ""))
    assert abs(said - value) <= max(0.051, 0.005 * abs(value))      # half of the last decimal shown, or half a unit of hundreds


@pytest.mark.parametrize("value, n, said", [(0.431, 40, "43%"), (0.4315, 1000, "43.1%"), (0.4315, 999, "43%"), (1, 12, "100%"), (0, 12, "0%")])
def test_a_share_has_a_decimal_from_a_thousand_people_on(value, n, said):
    assert wording.percent(value, n) == said


@pytest.mark.parametrize("value, said", [(np.nan, "*"), (5.0, "5"), (12345.0, "12,345")])
def test_a_hidden_count_is_a_star(value, said):
    assert wording.count(value) == said


@pytest.mark.parametrize("level, said", [(0.95, "95%"), (0.998, "99.8%"), (0.9, "90%"), (0.999, "99.9%"), (0.995, "99.5%")])
def test_the_level_of_an_interval_is_said_as_it_is(level, said):
    row = next(released(CHANGE | dict(conf_level=level)).itertuples())
    assert wording.level_of(row) == said and wording.interval(row, True) == f" ({said} CI −5.3 to −3.1)"


def test_an_open_interval_says_from_where_and_a_missing_one_says_nothing():
    table = released(CHANGE | dict(conf_high=None), CHANGE | dict(conf_low=None, conf_high=None), CHANGE | dict(conf_low=None))
    assert [wording.interval(row) for row in table.itertuples()] == [" (95% CI from −5.3)", "", ""]


def test_a_share_in_words_with_the_limits_of_its_released_row():
    assert wording.interval(next(released(KEPT).itertuples())) == " (95% CI 56% to 81%)"


@pytest.mark.parametrize("words, said", [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")])
def test_a_list_in_words(words, said):
    assert wording.listed(iter(words)) == said


@pytest.mark.parametrize("group, level, said", [("imd_quintile", "1", "1 (most deprived)"), ("imd_quintile", "missing", "not recorded"), ("sex", "missing", "not recorded"),
                                                ("stage", "seen", "seen by a link worker"), ("practice_code", "A1", "A1"), ("age_band", "18-24", "18-24")])
def test_levels_have_plain_names(group, level, said):
    assert wording.level_name(group, level) == said


# ---- how well -----------------------------------------------------------------------------------------------------------

def test_the_whole_sentence_on_change():
    assert wording.describe_change(released(CHANGE, KEPT, IMPROVED), PHQ9, "phq9") == (
        "PHQ-9: among 35 people with both scores, the mean change was −4.2 points (95% CI −5.3 to −3.1). A lower score is better. 70% (95% CI 56% to 81%) "
        "of those with a first score were measured again; nothing is known of the others. 43% (95% CI 28% to 59%) improved by 5 or more points, the smallest "
        "difference held to matter.")


def test_a_level_of_99_8_is_said_in_the_sentence():
    text = wording.describe_change(released(CHANGE | dict(conf_level=0.998)), PHQ9, "phq9")
    assert "99.8% CI" in text and "99% CI" not in text and "100% CI" not in text


@pytest.mark.parametrize("low, high, said", [(-5.3, -3.1, False), (-1, 2, True), (-1, 0, True), (0, 2, True), (0.1, 2, False)])
def test_an_interval_with_nought_in_it_includes_no_change(low, high, said):
    text = wording.describe_change(released(CHANGE | dict(estimate=(low + high) / 2, conf_low=low, conf_high=high)), PHQ9, "phq9")
    assert ("The interval includes no change." in text) is said


@pytest.mark.parametrize("measure, said", [(PHQ9, "A lower score is better."), (SWEMWBS, "A higher score is better.")])
def test_which_way_is_better_is_said(measure, said):
    text = wording.describe_change(released(CHANGE), measure, "phq9")
    assert said in text and wording.better_is(measure) == said


def test_an_instrument_without_a_better_way_is_given_none():
    assert LONELY["higher_is_better"] == "n/a" and wording.better_is(LONELY) == "Neither way is better as such."
    text = wording.describe_change(released(CHANGE), LONELY, "phq9")
    assert "ower score is better" not in text and "igher score is better" not in text


@pytest.mark.parametrize("estimate, higher, said", [(2, "yes", "better"), (-2, "yes", "worse"), (2, "no", "worse"), (-2, "no", "better"), (0, "yes", "neither better nor worse"),
                                                    (2, "n/a", "neither better nor worse")])
def test_the_direction_of_a_change(estimate, higher, said):
    assert wording.direction(estimate, higher) == said


def test_without_a_comparison_the_caution_is_about_people_at_their_worst():
    assert wording.caution(False) == f"{DENIALS[0]} {AT_THEIR_WORST}; without a comparison group the two cannot be told apart."


def test_with_a_comparison_the_caution_is_another():
    text = wording.caution(True)
    assert text.startswith(DENIALS[1]) and "difference between the groups" in text and AT_THEIR_WORST not in text


def test_the_change_of_the_comparison_group_is_said_where_there_is_one():
    assert "In the comparison group, the mean change was −1.1 (95% CI −2.4 to +0.20)." in wording.describe_change(released(CHANGE, OTHER), PHQ9, "phq9")
    for table in (released(CHANGE), released(CHANGE, hidden(measure="paired_change_phq9", group="arm", level="comparison"))):
        assert "comparison" not in wording.describe_change(table, PHQ9, "phq9")


@pytest.mark.parametrize("table", [released(hidden(measure="paired_change_phq9")), released(), released(CHANGE | dict(estimate=None, conf_low=None, conf_high=None, n=1))])
def test_a_change_that_is_hidden_or_absent_is_not_shown(table):
    assert wording.describe_change(table, PHQ9, "phq9") == "PHQ-9: not shown, too few people have both scores."
    assert wording.describe_unpaired(table, PHQ9, "phq9") == wording.NOT_SHOWN


def test_the_dashboards_figure_is_said_beside_the_paired_one():
    rows = [CHANGE, CHANGE | dict(measure="unpaired_change_phq9", estimate=-6.04, conf_low=-9, conf_high=-3),
            *[shown(measure="baseline_mean_phq9", group="follow_up", level=level, estimate=mean) for level, mean in (("followed", 14.2), ("lost", 17.9))]]
    text = wording.describe_unpaired(released(*rows), PHQ9, "phq9")
    assert "PHQ-9: a dashboard would show −6.0; the same people measured twice changed by −4.2." in text and "had begun at 14.2 on average, those who were lost at 17.9" in text
    assert "had begun" not in wording.describe_unpaired(released(*rows[:3]), PHQ9, "phq9")
    assert "had begun" not in wording.describe_unpaired(released(*rows[:3], rows[3] | dict(estimate=14.2)), PHQ9, "phq9")     # no reason is given that is none


def test_limits_of_an_interval_have_the_same_decimals_unless_they_are_large():
    said = [wording.interval(released(CHANGE | dict(estimate=low, conf_low=low, conf_high=high)).iloc[0], sign) for low, high, sign in
            ((3, 3.7, False), (-4.5, -2, True), (3, 4, False), (92.6, 106, False), (0, 0.5, False), (16, 21, False))]
    assert said == [" (95% CI 3.0 to 3.7)", " (95% CI −4.5 to −2.0)", " (95% CI 3 to 4)", " (95% CI 92.6 to 106)", " (95% CI 0 to 0.50)", " (95% CI 16 to 21)"]


def test_the_funnel_says_each_stage_and_what_was_not_recorded():
    rows = [shown(measure="stage_reached", group="stage", level=level, unit="proportion", n=n, estimate=x, conf_low=x, conf_high=x)
            for level, n, x in (("referred", 80, 1), ("seen", 80, 0.75), ("completed", 0, None))]
    assert wording.describe_funnel(released(*rows)) == "Of the referrals for which it is recorded: seen by a link worker 75% (95% CI 75% to 75%). Not recorded: completed."
    assert wording.describe_funnel(released(hidden(measure="stage_reached", group="stage", level="seen"))) == wording.NOT_SHOWN


# ---- when, for whom, data quality -----------------------------------------------------------------------------------------

def wait_rows(**median):
    return [shown(measure="median_days_to_first_contact", unit="days", n=120, estimate=9, conf_low=8, conf_high=11) | median,
            shown(measure="seen_within_14_days", unit="proportion", n=120, estimate=0.62, conf_low=0.53, conf_high=0.7)]


def test_the_wait_is_said_with_its_intervals():
    assert wording.describe_wait(released(*wait_rows())) == ("Half of the people referred were first seen within 9 days (95% CI 8 to 11). "
                                                             "Seen: 62% (95% CI 53% to 70%) within 14 days.")


def test_a_median_with_an_open_end_and_one_not_reached_are_said():
    assert "within 9 days (95% CI from 8)" in wording.describe_wait(released(*wait_rows(conf_high=None)))
    assert wording.describe_wait(released(*wait_rows(estimate=None, conf_low=None, conf_high=None))).startswith("Fewer than half of the people referred were seen")


def test_a_wait_that_is_hidden_is_not_shown():
    table = released(hidden(measure="median_days_to_first_contact", unit="days"), hidden(measure="seen_within_14_days", unit="proportion"))
    assert wording.describe_wait(table) == wording.NOT_SHOWN


def test_referrals_are_said_in_all_in_a_whole_month_and_without_a_date():
    rows = [shown(measure="referrals", unit="referrals", estimate=100, n=85, n_missing=15)]
    rows += [shown(measure="referrals", group="month", unit="referrals", level=f"2024-0{m}", estimate=e, note=note) for m, e, note in ((1, 5, "part of a month"), (2, 30, ""), (3, 50, ""))]
    rows += [shown(measure="referrals", group="month", level="missing", unit="referrals", estimate=15)]
    assert wording.describe_referrals(released(*rows)) == ("There were 100 referrals. In a whole month there were between 30 and 50. "
                                                           "15 have no referral date and are not in the figure.")
    assert wording.describe_referrals(released(hidden(measure="referrals"))) == wording.NOT_SHOWN


def test_composition_names_the_largest_level_and_what_is_not_recorded():
    rows = [shown(measure="share_of_people", group="sex", level=level, unit="proportion", estimate=x, conf_low=x, conf_high=x) for level, x in (("female", 0.6), ("male", 0.3), ("missing", 0.1))]
    assert wording.describe_composition(released(*rows)) == "Sex: most often female, 60% (not recorded for 10%)."
    assert wording.describe_composition(released(rows[2] | dict(estimate=1, conf_low=1, conf_high=1))) == "Sex: not recorded."


def test_a_characteristic_with_too_few_people_to_show_is_not_said_to_be_unrecorded():
    table = released(*[hidden(measure="share_of_people", group="sex", level=level) for level in ("female", "male")])
    assert "not recorded" not in wording.describe_composition(table)


def test_rates_are_said_from_the_highest_to_the_lowest_and_one_alone_is_not_compared():
    rows = [shown(measure="referral_rate", group="imd_quintile", level=level, unit="per 1,000", estimate=x, conf_low=x - 1, conf_high=x + 1) for level, x in (("1", 6.25), ("5", 2.5))]
    text = wording.describe_rates(released(*rows, shown(measure="referral_rate", group="imd_quintile", level="missing", unit="per 1,000")))
    assert "the highest rate was 6.2 people referred per 1,000 residents (95% CI 5.2 to 7.2), for 1 (most deprived); the lowest was 2.5" in text
    assert wording.describe_rates(released(rows[0], hidden(measure="referral_rate", group="imd_quintile", level="5"))) == wording.NOT_SHOWN


def test_suitable_groups_are_said_and_what_is_not_recorded_is_named():
    flags = pd.DataFrame({"long_term_condition": pd.array([True] * 20 + [False] * 60, dtype="boolean"), "bereaved_older": pd.array([None] * 80, dtype="boolean")})
    text = wording.describe_groups(release(suitable_group_shares(flags), RULES["nhse_1_7_round5"]))
    assert "people with long-term conditions" in text and "25% (95% CI" in text and "A person can be in several groups." in text and "75%" in text and "Not recorded, so not counted: " in text


def test_a_group_with_too_few_people_to_show_is_not_said_to_be_beyond_the_data():
    flags = pd.DataFrame({"long_term_condition": pd.array([True] * 3 + [False] * 77, dtype="boolean")})
    text = wording.describe_groups(release(suitable_group_shares(flags), RULES["nhse_1_7_round5"]))
    assert "The data do not show any of the five groups" not in text and "Not recorded" not in text


def test_none_of_these_is_no_group_that_somebody_forgot_to_record():
    flags = pd.DataFrame({"long_term_condition": pd.array([None] * 80, dtype="boolean")})
    text = wording.describe_groups(release(suitable_group_shares(flags), RULES["nhse_1_7_round5"]))
    assert "people with long-term conditions" in text and "none of these" not in text


def test_rows_problems_and_completeness_are_said():
    accounts = pd.DataFrame({"table": ["people"], "rows_in": [100], "rows_used": [90], "rows_set_aside": [10]})
    assert wording.describe_rows(rows_accounted(accounts)).startswith("Rows used, of the rows read: people: 90 of 100.")
    issues = pd.DataFrame({"table": "people", "row": pd.array(range(20), dtype="Int64"), "column": "sex", "problem": "not understood", "action": "set to missing"})
    assert wording.describe_problems(problems_found(issues)) == "Most frequent: 20 rows of people, sex not understood (set to missing)."
    assert wording.describe_problems(problems_found(issues.head(0))) == "No problem was found in any row."
    assert "each had too few rows" in wording.describe_problems(release(problems_found(issues.head(3)), RULES["nhse_1_7_round5"]))
    table = completeness({"people": pd.DataFrame({"sex": [1] * 50 + [None] * 50, "age": [1] * 100})})
    assert wording.describe_completeness(table) == "Least complete: people.sex (50%)."
    assert wording.describe_completeness(table.tail(1)) == "Every column that could be shown is at least 90% complete."


def test_a_problem_text_with_the_dividing_mark_in_it_is_still_said():
    # a column that an export calls 'a | b' must not stop the report
    issues = pd.DataFrame({"table": "people", "row": pd.array(range(20), dtype="Int64"), "column": "age | sex", "problem": "not understood", "action": "set to missing"})
    assert "20 rows" in wording.describe_problems(problems_found(issues))


# ---- alt texts ----------------------------------------------------------------------------------------------------------

def test_the_alt_text_has_every_number_that_the_figure_shows():
    rows = [shown(measure="uptake", group="sex", level=level, unit="proportion", estimate=x, conf_low=x, conf_high=x) for level, x in (("female", 0.62), ("male", 0.5))]
    text = wording.alt_of_levels(released(*rows, hidden(measure="uptake", group="sex", level="missing", unit="proportion")))
    assert text == "Uptake: female 62%; male 50%; not recorded not shown."


def test_the_alt_text_of_a_curve_says_where_it_stands():
    curve = pd.DataFrame({"level": "all", "days": [0.0, 10, 20, 40], "estimate": [0, 0.2, 0.5, 0.75]})
    assert wording.alt_of_curve(curve) == "Share of the people referred who had been seen: 20% by day 10, 50% by day 20, 75% by day 40."
    assert wording.alt_of_curve(curve.head(0)) == "No curve: too few people to show."


# ---- what is never said ---------------------------------------------------------------------------------------------------

SCORE = st.one_of(st.none(), st.integers(0, 27))
PERSON = st.tuples(SCORE, SCORE, st.sampled_from(["scheme", "scheme", "comparison"]), st.sampled_from(["female", "male", None]),
                   st.one_of(st.none(), st.integers(0, 60)), st.one_of(st.none(), st.booleans()))


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.lists(PERSON, min_size=0, max_size=60), st.sampled_from(list(RULES.values())), st.sampled_from([PHQ9, SWEMWBS, LONELY]), st.sampled_from([0.95, 0.998]))
def test_no_sentence_about_any_data_has_a_missing_number_or_a_word_that_is_never_said(rows, rule, measure, level):
    people = pd.DataFrame(rows, columns=["baseline", "follow_up", "arm", "sex", "days", "flag"]).astype({"baseline": float, "follow_up": float, "days": float})
    flag = pd.array(people["flag"].where(people["flag"].notna(), None), dtype="boolean")
    waits = pd.DataFrame({"days_observed": people["days"], "was_seen": pd.Series(flag).fillna(False).astype(bool)})
    dates = pd.DataFrame({"referral_date": pd.Timestamp("2024-01-01") + pd.to_timedelta(people["days"], unit="D")})
    residents = pd.DataFrame({"sex": ["female", "male"], "people": [1000, 0]})
    outcome = release(outcome_results(people, "m", measure, level), rule)
    said = [wording.caution(False), wording.caution(True), wording.describe_change(outcome, measure, "m"), wording.describe_unpaired(outcome, measure, "m"), wording.alt_of_levels(outcome),
            wording.describe_funnel(release(funnel(pd.DataFrame({"referred": True, "seen": flag}, index=range(len(people))), ["referred", "seen"], level), rule)),
            wording.describe_wait(release(stack_results(median_wait(waits, None, level), seen_within(waits, [14], None, level)), rule)),
            wording.describe_referrals(release(referrals_per_month(dates), rule)), wording.describe_composition(release(composition(people, "sex", level), rule)),
            wording.describe_rates(release(referral_rate(people, residents, "sex", level), rule)),
            wording.describe_groups(release(suitable_group_shares(pd.DataFrame({"long_term_condition": flag, "frequent_attender": flag}), level), rule)),
            wording.describe_completeness(release(completeness({"people": people[["sex", "days"]]}, level), rule)),
            wording.alt_of_curve(release_curve(time_to_first_contact(waits, None, level), rule))]
    instrument = measure["name"]
    for text in said:
        assert proper(text.replace(instrument, "")), text
        assert "99% CI" not in text and "100% CI" not in text


NUMBER = st.one_of(st.just(np.nan), st.floats(-100, 100))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.tuples(NUMBER, st.floats(0, 50), st.floats(0, 50), st.integers(0, 3)), min_size=1, max_size=4))
def test_a_change_with_any_of_its_numbers_missing_is_said_without_them(rows):
    names = ["paired_change_phq9", "followed_up_phq9", "unpaired_change_phq9", "share_improved_phq9"]
    table = released(*[shown(measure=name, estimate=e, conf_low=None if gaps & 1 else e - low, conf_high=None if gaps & 2 else e + high, n_missing=None)
                       for name, (e, low, high, gaps) in zip(names, rows)])
    for text in (wording.describe_change(table, PHQ9, "phq9"), wording.describe_unpaired(table, PHQ9, "phq9"), wording.alt_of_levels(table)):
        assert proper(text), text


def test_an_own_measure_without_people_says_so_in_words():
    pairs = pd.DataFrame({"baseline": pd.Series([], dtype=float), "follow_up": pd.Series([], dtype=float)})
    assert proper(wording.alt_of_levels(release(paired_change(pairs), RULES["none"])))


def test_a_smallest_difference_without_a_source_is_called_unverified():
    better = shown(measure="share_improved_phq9", unit="proportion", estimate=0.4, conf_low=0.3, conf_high=0.5, note="improved by 6 or more")
    assert "unverified" not in wording.describe_change(released(CHANGE, better), PHQ9, "phq9")
    doubtful = {**dict(PHQ9), "mid_verification": "unverified"}
    assert "held to matter (unverified: no source was found for it)." in wording.describe_change(released(CHANGE, better), doubtful, "phq9")
