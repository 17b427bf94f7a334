"""Needs and activities: cohort, shares, heat map, met and unmet need."""

import pandas as pd
import pytest

from sprx import cohort
from sprx.metrics.for_whom import activity_shares, need_by_activity, need_shares, needs_answered
from sprx.metrics.for_whom.needs import ANSWERS
from sprx.reference import allowed, facts

REFERRALS = "referral_id,person_id,referral_date\nr1,p1,2025-01-10\nr2,p2,2025-02-10\nr3,p3,2025-03-10\n"
NEEDS = "referral_id,need\nr1,housing\nr1,loneliness_isolation\nr2,loneliness_isolation\nr2,other\nr3,housing\n"
ACTIVITIES = ("referral_id,activity_type,status\nr1,housing,attended\nr1,housing,did_not_start\nr1,arts_culture,did_not_start\nr2,housing,attended\n")


def found(scheme):
    needs = cohort.needs_met(scheme, cohort.scheme_referrals(scheme))
    return {(row.referral_id, row.need): None if pd.isna(row.answer) else row.answer for row in needs.itertuples()}


def test_each_need_is_answered_by_a_fitting_activity_that_was_begun(cleaned):
    assert found(cleaned(referrals=REFERRALS, needs=NEEDS, activities=ACTIVITIES)) == {
        ("r1", "housing"): "answered", ("r1", "loneliness_isolation"): "prescribed but not begun",
        ("r2", "loneliness_isolation"): "only something else prescribed", ("r2", "other"): "answered", ("r3", "housing"): "nothing prescribed"}


def test_without_activities_no_need_can_be_told_and_without_needs_there_are_none(cleaned):
    assert set(found(cleaned(referrals=REFERRALS, needs=NEEDS)).values()) == {None}
    assert found(cleaned(referrals=REFERRALS, activities=ACTIVITIES)) == {}


def test_only_the_referrals_given_count_so_that_the_newest_are_not_unmet(cleaned):
    scheme = cleaned(dict(extract_date="2025-04-30"), referrals=REFERRALS, needs=NEEDS, activities=ACTIVITIES)
    old = cohort.followed_for(cohort.scheme_referrals(scheme), 90, scheme.settings.extract_date)
    assert set(cohort.needs_met(scheme, old).referral_id) == {"r1"} and set(cohort.prescribed(scheme, old).referral_id) == {"r1"}


def test_an_activity_type_is_begun_when_any_of_its_activities_was(cleaned):
    scheme = cleaned(referrals=REFERRALS, activities=ACTIVITIES)
    given = cohort.prescribed(scheme, cohort.scheme_referrals(scheme))
    assert {(r.referral_id, r.activity_type): r.begun for r in given.itertuples()} == {("r1", "arts_culture"): False, ("r1", "housing"): True, ("r2", "housing"): True}


def test_the_crosswalk_knows_every_need_but_other_and_only_standard_words():
    fits = facts("need_activities")
    assert set(fits["need"]) == set(allowed("need")) - {"other"} and set(fits["activity_type"]) <= set(allowed("activity_type")) - {"other"}
    assert (fits["source"] == "ours").all() and not fits.duplicated(["need", "activity_type"]).any() and ANSWERS == cohort.NEED_ANSWERS


# ---- shares -----------------------------------------------------------------------------------------------------------------

LISTED = pd.DataFrame({"referral_id": [f"r{i}" for i in range(10)]})
HAVE = pd.DataFrame({"referral_id": ["r0", "r1", "r2", "r2", "r3"], "need": ["housing", "housing", "housing", "caring", "caring"],
                     "answer": ["answered", "answered", "nothing prescribed", None, "only something else prescribed"]})
GIVEN = pd.DataFrame({"referral_id": ["r0", "r1", "r2", "r9"], "activity_type": ["housing", "housing", "debt", "debt"], "begun": [True, False, True, True]})


def test_shares_of_needs_are_among_referrals_with_any_need_recorded():
    table = need_shares(LISTED, HAVE).set_index("level")
    assert table.estimate.to_dict() == {"housing": 0.75, "caring": 0.5} and (table.n == 4).all() and (table.n_missing == 6).all()


def test_shares_prescribed_are_of_every_referral_and_shares_begun_of_those_prescribed():
    table = activity_shares(LISTED, GIVEN).set_index(["measure", "level"])
    assert table.estimate["share_prescribed"].to_dict() == {"debt": 0.2, "housing": 0.2, "nothing prescribed": 0.6}
    assert table.estimate["share_begun"].to_dict() == {"debt": 1, "housing": 0.5} and (table.n["share_begun"] == 2).all()


def test_a_referral_with_two_kinds_of_activity_is_one_at_which_something_was_prescribed():
    both = pd.concat([GIVEN, pd.DataFrame({"referral_id": ["r0"], "activity_type": ["debt"], "begun": [False]})], ignore_index=True)
    table = activity_shares(LISTED, both).set_index(["measure", "level"])
    assert table.estimate["share_prescribed"].to_dict() == {"debt": 0.3, "housing": 0.2, "nothing prescribed": 0.6}


def test_every_need_meets_every_activity_and_nought_is_a_share():
    table = need_by_activity(HAVE, GIVEN).set_index("level")
    assert table.estimate.to_dict() == pytest.approx({"housing | debt": 1 / 3, "housing | housing": 2 / 3, "caring | debt": 0.5, "caring | housing": 0})
    assert list(table.n) == [3, 3, 2, 2]


def test_the_four_answers_of_a_need_make_one_and_what_cannot_be_told_is_missing():
    table = needs_answered(HAVE).set_index(["group", "level"])
    assert table.estimate["answers_to_housing"].to_dict() == pytest.approx(dict(zip(ANSWERS, (2 / 3, 0, 0, 1 / 3))))
    assert (table.n["answers_to_caring"] == 1).all() and (table.n_missing["answers_to_caring"] == 1).all()
    assert table.estimate.groupby("group").sum().eq(1).all() and (table.n["answers_to_all_needs"] == 4).all()


def test_with_nothing_recorded_there_is_a_row_with_a_note():
    for table, note in ((need_shares(LISTED, HAVE.head(0)), "no needs"), (activity_shares(LISTED, GIVEN.head(0)), "no activities"),
                        (need_by_activity(HAVE, GIVEN.head(0)), "no needs or no activities"), (needs_answered(HAVE.head(0)), "no needs"),
                        (needs_answered(HAVE.assign(answer=None)), "no activities")):
        assert table.estimate.isna().all() and table.note.str.startswith(note).all()
    assert need_shares(LISTED, HAVE.head(0)).n_missing[0] == 10 and activity_shares(LISTED, GIVEN.head(0)).n_missing[0] == 10
