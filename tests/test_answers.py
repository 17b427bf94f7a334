"""Each question's answer: what is said, how sure, and what to do next."""

import re

import pandas as pd
import pytest

from sprx import answers
from sprx.disclosure import HIDDEN, RULES, release
from sprx.metrics.data_quality import completeness, rows_accounted
from sprx.metrics.for_whom import composition, share_of_older, suitable_group_shares
from sprx.metrics.how_well import funnel, outcome_results
from sprx.metrics.provision import demand_shares, services_by_type
from sprx.metrics.when import median_wait, seen_within
from sprx.reference import measures
from sprx.results import RESULT_COLUMNS, result_table, stack_results
from sprx.wording import Answer

NHSE = RULES["nhse_1_7_round5"]
PHQ9 = measures().loc["phq9"]
NEVER = re.compile(r"\b((?i:significant(ly)?|works|effective(ly)?|impressive)|nan|NaN|NaT|None|<NA>|inf)\b")
AT_THEIR_WORST = "People are referred when they are at their worst"


def proper(answer):
    text = " ".join([answer.text, answer.why, answer.short, *[step for _, step in answer.next_steps]])
    return bool(answer.text) and not NEVER.search(text) and "effect" not in text.replace("This is a change, not an effect of the scheme.", "").casefold()


def waits_of(seen, waiting, undated=0):
    table = pd.DataFrame({"days_observed": [float(i % 20) for i in range(seen)] + [60.0] * waiting + [None] * undated,
                          "was_seen": [True] * seen + [False] * (waiting + undated)})
    return release(stack_results(median_wait(table), seen_within(table, [14])), NHSE)


def pairs_of(both, lost=0, change=-4.0, comparison=0):
    rows = [(15.0 + i % 3, 15.0 + i % 3 + change + (i % 5 - 2), "scheme") for i in range(both)] + [(16.0, None, "scheme")] * lost
    rows += [(15.0, 15.0 + i % 3 - 1, "comparison") for i in range(comparison)]
    return pd.DataFrame(rows, columns=["baseline", "follow_up", "arm"]).astype({"baseline": float, "follow_up": float})


def how_well(*args, seen=None, **kwargs):
    table = release(outcome_results(pairs_of(*args, **kwargs), "phq9", PHQ9), NHSE)
    reached = release(funnel(pd.DataFrame({"seen": pd.array(seen or [], dtype="boolean")}), ["seen"]), NHSE)
    return answers.answer_how_well(table, PHQ9, "phq9", reached)


# ---- data quality ---------------------------------------------------------------------------------------------------------

def quality(used, filled, of=100):
    accounts = pd.DataFrame({"table": ["people"], "rows_in": [of], "rows_used": [used], "rows_set_aside": [of - used]})
    table = pd.DataFrame({name: [1.0] * n + [None] * (of - n) for name, n in filled.items()})
    return answers.answer_data_quality(release(rows_accounted(accounts), NHSE), release(completeness({"people": table}), NHSE))


def test_data_quality_says_what_was_used_and_filled():
    found = quality(100, dict(age=100, sex=100, imd_decile=60))
    assert found.text == "100% of the rows that were read could be used; 67% of the columns given are filled in at least 90% of the time."
    assert found.sure == 2 and found.next_steps == [(4, "Fill in imd decile (table people) more often: it is there in 60% of rows.")] and proper(found)


def test_columns_that_are_empty_by_nature_are_not_asked_for():
    assert quality(100, dict(bereaved_on=20, sex=100)).next_steps == []


@pytest.mark.parametrize("used, filled, sure", [(100, 100, 3), (90, 100, 2), (60, 100, 1), (100, 40, 1)])
def test_how_sure_of_the_data_follows_what_could_be_used(used, filled, sure):
    assert quality(used, dict(a=filled)).sure == sure


def test_too_few_rows_to_say_how_complete():
    found = quality(5, dict(a=5), of=5)
    assert found.sure == 0 and found.text.startswith("There are too few rows") and proper(found)


# ---- when -----------------------------------------------------------------------------------------------------------------

def test_when_says_the_median_and_the_standard():
    found = answers.answer_when(waits_of(110, 10))
    assert re.fullmatch(r"Half of the people referred were first seen within \d+ days \(95% CI \d+ to \d+\); \d+% within 14 days\.", found.text)
    assert found.sure == 3 and found.next_steps == [] and found.short in found.text and proper(found)


def test_when_fewer_than_half_were_seen_it_says_so():
    found = answers.answer_when(waits_of(20, 80))
    assert found.text.startswith("Fewer than half of the people referred were seen while they were being watched; ") and proper(found)


def test_many_undated_referrals_lower_the_sureness_and_ask_for_dates():
    found = answers.answer_when(waits_of(110, 10, undated=20))
    assert found.sure == 2 and found.why == "120 referrals with dates, 14% without" and found.next_steps[0][0] == 1


@pytest.mark.parametrize("counts, text", [((3, 2), "Too few people were referred"), ((0, 0, 20), "Cannot be answered: needs referrals with"), ((0, 0), "Cannot be answered: needs referrals with a referral_date and a first_contact_date; the period has none")])
def test_a_wait_that_cannot_be_had_says_why(counts, text):
    found = answers.answer_when(waits_of(*counts))
    assert found.text.startswith(text) and found.sure == 0 and proper(found)


# ---- for whom -------------------------------------------------------------------------------------------------------------

def for_whom(count=100, missing=0):
    people = pd.DataFrame({"sex": ["female"] * (count * 6 // 10) + ["male"] * (count - count * 6 // 10 - missing) + [None] * missing,
                           "imd_quintile": [str(1 + i % 5) for i in range(count)], "age_band": [("18-24", "65-74", "85+", "25-34")[i % 4] for i in range(count)]})
    ages = people["age_band"].astype("string").str.extract(r"(\d+)")[0].astype(float)
    shares = stack_results(*[composition(people, c) for c in people], share_of_older(people.assign(age=ages))) if count else result_table([dict(measure="share_of_people", group="sex", level="x", n=0)])
    half = pd.array([True] * (count // 2) + [False] * (count - count // 2), dtype="boolean")
    flags = pd.DataFrame({"long_term_condition": half, "frequent_attender": half, "bereaved_older": half})
    return answers.answer_for_whom(release(shares, NHSE), release(suitable_group_shares(flags), NHSE))


def test_for_whom_says_women_older_people_the_most_deprived_and_none_of_the_groups():
    found = for_whom(200)
    assert found.text == ("Of the people the scheme saw or was asked to see, 60% are women, 50% are 65 or over, 20% live in the most deprived fifth of areas, "
                          "50% are in none of the groups named as suitable that the data can show.")
    assert found.sure == 3 and proper(found)


def test_a_characteristic_not_recorded_for_many_lowers_the_sureness_and_is_asked_for():
    found = for_whom(200, missing=60)
    assert found.sure == 2 and found.next_steps == [(3, "Record sex for everyone: it is missing for 30%, so nobody can say who is not reached.")] and proper(found)


@pytest.mark.parametrize("count", [0, 5])
def test_for_whom_with_nobody_or_too_few_cannot_be_answered(count):
    found = for_whom(count)
    assert found.text.startswith("Cannot be answered") and found.sure == 0 and proper(found)


# ---- how well -------------------------------------------------------------------------------------------------------------

def test_without_a_comparison_it_is_a_change_and_never_more_than_not_sure():
    found = how_well(100, 0, seen=[True] * 80 + [False] * 20)
    assert found.text.startswith("80% of the people referred were seen (95% CI 71% to 87%). On PHQ-9, the 100 people measured twice changed by −4 points")
    assert "which is better" in found.text and AT_THEIR_WORST in found.text and found.sure == 1 and found.why.endswith("no comparison group") and proper(found)


def test_with_a_comparison_the_other_change_is_said_instead_of_the_caution():
    found = how_well(100, 10, comparison=60)
    assert "; the comparison group changed by " in found.text and AT_THEIR_WORST not in found.text and found.sure == 2 and proper(found)


def test_a_fall_on_a_measure_where_lower_is_better_is_better_and_a_rise_is_worse():
    assert "which is better" in how_well(60, change=-4.0).text and "which is worse" in how_well(60, change=4.0).text


def test_an_interval_that_includes_nought_may_be_no_change_at_all():
    assert "or no change at all" in how_well(60, change=0.05).text and "or no change at all" not in how_well(60, change=-4.0).text


def test_a_low_follow_up_lowers_the_sureness_and_is_the_next_step():
    found = how_well(40, 60, comparison=60)
    assert found.sure == 1 and found.next_steps == [(2, "Measure more people a second time: 40% of those with a first score have a later one.")]


@pytest.mark.parametrize("both", [0, 1, 7])
def test_too_few_measured_twice_shows_no_change(both):
    found = how_well(both, 20)
    assert "Too few people have a PHQ-9 score at the start and later" in found.text and found.sure == 0 and proper(found)


def test_without_any_score_the_next_step_is_to_take_one():
    reached = release(funnel(pd.DataFrame({"seen": pd.array([True] * 30, dtype="boolean")}), ["seen"]), NHSE)
    for table, sure in ((reached, 1), (None, 0)):
        found = answers.answer_how_well(None, None, None, table)
        assert "cannot be answered: needs outcomes" in found.text and found.sure == sure and found.next_steps[0][0] == 1 and proper(found)


# ---- what exists locally

def local(services, sent, fresh=0.9, known=1.0):
    """The released tables of chapter 07 for services and prescriptions of each kind."""
    kinds = list(dict.fromkeys([*services, *sent]))
    rows = pd.DataFrame([(f"{k}{i}", k) for k, n in services.items() for i in range(n)], columns=["service_id", "activity_type"])
    entries = result_table([dict(measure="services_that_say", group="entry", level=level, n=len(rows), estimate=share, unit="proportion")
                            for level, share in (("checked in the last three months", fresh), ("kind of activity", known))])
    given = pd.DataFrame({"activity_type": [k for k, n in sent.items() for _ in range(n)]})
    return dict(listed=services_by_type(rows, kinds), entries=entries, demand=release(demand_shares(given, kinds), NHSE))


def test_provision_names_what_people_are_sent_to_and_nobody_offers():
    found = answers.answer_provision(local({"debt": 5, "housing": 0, "courses": 0}, {"debt": 100, "housing": 20, "courses": 80}), "")
    assert found.text == ("5 services are listed. No service that is listed offers courses or housing support, to which 50% of the prescriptions went; a gap in a list is not always a gap in the place.")
    assert found.sure == 2 and "200 prescriptions" in found.why and found.next_steps == [(4, "Ask local partners who offers courses or housing support: people are sent to it and nobody is listed.")] and proper(found)


@pytest.mark.parametrize("tables", [local({"debt": 5}, {"debt": 200}, fresh=0.5), local({"debt": 5}, {"debt": 200}, known=0.8), local({"debt": 5}, {"debt": 60}), local({"debt": 5}, {})])
def test_an_old_or_unread_list_or_few_prescriptions_leave_us_unsure(tables):
    found = answers.answer_provision(tables, "")
    assert found.sure == 1 and "Each kind of activity has at least one; that a service is listed does not say that it takes people." in found.text and proper(found)


def test_a_kind_of_which_the_prescriptions_are_hidden_is_a_gap_without_a_number():
    found = answers.answer_provision(local({"debt": 5, "housing": 0}, {"debt": 100, "housing": 3}), "")
    assert "No service that is listed offers housing support; a gap" in found.text and "%" not in found.text and "3" not in found.text


@pytest.mark.parametrize("unread, why, step", [("", "the data hold no provision table", "Keep a provision table"), ("x is a web page", "could not be read", "Save the local directory of services again")])
def test_without_services_the_question_says_what_it_needs(unread, why, step):
    found = answers.answer_provision(local({}, {}), unread)
    assert found.text.startswith("Cannot be answered: needs a provision table") and found.sure == 0 and why in found.why and found.next_steps[0][1].startswith(step) and proper(found)


# ---- the headline, the next steps ----------------------------------------------------------------------

def test_answers_come_in_the_order_of_the_questions():
    mixed = [Answer(q, "x", 1, "y").as_dict() for q in reversed(answers.QUESTIONS)]
    assert [a["question"] for a in answers.in_order(mixed)] == list(answers.QUESTIONS)


def test_the_headline_joins_the_findings_and_says_that_a_difference_is_not_known():
    known = [Answer("how_well", "", 1, "", short="on PHQ-9 people changed by −4").as_dict(), Answer("when", "", 1, "", short="Half were seen within 9 days").as_dict()]
    assert answers.headline(known) == "Half were seen within 9 days; on PHQ-9 people changed by −4. Whether the scheme made a difference is not known."
    nothing = pd.DataFrame(dict(design="none", level=0, why="no scores are recorded", name="nothing to compare"), index=["scores", "use"])
    unanswered = answers.answer_impact({}, nothing, None, None, None, {})
    assert answers.headline([*known, unanswered.as_dict()]).endswith(" There is no evidence of an effect: there is no comparison group.")
    shown = Answer("impact", "", 2, "", short="Against others, people scored 2 points higher").as_dict()
    assert answers.headline([*known, shown]) == "Against others, people scored 2 points higher. Half were seen within 9 days."
    worth = Answer("cost_effectiveness", "", 2, "", [], "At £20,000 the scheme is likely to be worth its cost (probability 85%)").as_dict()
    assert answers.headline([*known, shown, worth]) == "Against others, people scored 2 points higher. At £20,000 the scheme is likely to be worth its cost (probability 85%)."
    assert answers.headline([*known, shown, worth | dict(sure=1)]).endswith(" We are not sure, but at £20,000 the scheme is likely to be worth its cost (probability 85%).")
    assert answers.headline([*known, shown, worth | dict(sure=0)]) == "Against others, people scored 2 points higher. Half were seen within 9 days."
    assert answers.headline([*known, Answer("impact", "", 2, "").as_dict()]) == "Half were seen within 9 days; on PHQ-9 people changed by −4."


def test_a_headline_without_findings_uses_no_word_that_is_never_said():
    text = answers.headline([])
    assert "too few or too incomplete" in text and "not known" in text and not NEVER.search(text)


def test_next_steps_come_by_their_weight_none_twice_and_three_at_most():
    given = [Answer("when", "", 0, "", [(4, "d"), (1, "b"), (1, "a")]).as_dict(), Answer("cost", "", 0, "", [(2, "c"), (1, "a")]).as_dict(), Answer("impact", "", 0, "").as_dict()]
    assert answers.next_steps(given) == ["a", "b", "c"] and answers.next_steps(given, most=9) == ["a", "b", "c", "d"] and answers.next_steps([]) == []


def test_a_step_asked_for_with_two_weights_is_said_once():
    given = [Answer("when", "", 0, "", [(4, "Record dates."), (1, "Record dates.")]).as_dict()]
    assert answers.next_steps(given) == ["Record dates."]


def test_steps_read_back_from_a_file_are_lists_and_still_told_apart():
    given = [dict(question="when", next_steps=[[1, "a"], [1, "a"], [2, "b"]])]
    assert answers.next_steps(given) == ["a", "b"]


def test_an_answer_from_hidden_rows_holds_no_number():
    rows = [dict(measure=m, group="all", level="all", unit="days", suppressed=True, note=HIDDEN, conf_level=0.95) for m in ("median_days_to_first_contact", "seen_within_14_days")]
    found = answers.answer_when(result_table(rows)[RESULT_COLUMNS])
    assert not re.search(r"\d", found.text + found.why)
