"""Contacts, gaps, sessions and the calendar, with the rows they are made from."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sprx import cohort
from sprx.disclosure import RULES, release
from sprx.load import Scheme
from sprx.metrics.when import contacts_per_person, seasons, sessions_used, time_between_contacts, weekdays
from sprx.results import result_table
from sprx.settings import Settings

DAY = pd.Timestamp


def scheme_of(referrals, contacts=None, activities=None, extract="2025-01-01"):
    people = pd.DataFrame({"person_id": referrals["person_id"].unique(), "arm": "scheme"})
    tables = {"people": people, "referrals": referrals} | ({"contacts": contacts} if contacts is not None else {}) | ({"activities": activities} if activities is not None else {})
    return Scheme(Path("."), Settings(scheme_id="test", name="Test", extract_date=DAY(extract) if extract else None), tables, pd.DataFrame(), given={})


def referrals_of(*rows):
    table = pd.DataFrame(rows, columns=["referral_id", "referral_date", "status", "closed_date"]).assign(person_id=lambda t: "P" + t.referral_id)
    for column in ("referral_date", "closed_date"):
        table[column] = pd.to_datetime(table[column])
    return table.assign(status=table.status.astype("string"))


def contacts_of(*rows):
    table = pd.DataFrame(rows, columns=["referral_id", "contact_date", "attended"])
    return table.assign(contact_date=pd.to_datetime(table.contact_date), contact_id=[f"C{i}" for i in range(len(table))], attended=table.attended.astype("boolean"))


OLD = referrals_of(("R1", "2024-01-01", "closed", "2024-03-01"), ("R2", "2024-01-01", "active", None), ("R3", "2024-01-01", "declined_by_person", None),
                   ("R4", "2024-11-01", "closed", "2024-11-20"), ("R5", None, "active", None))
MET = contacts_of(("R1", "2024-01-10", True), ("R1", "2024-01-20", True), ("R1", "2024-01-25", False), ("R2", "2024-01-05", True), ("R2", "2024-10-01", True),
                  ("R4", "2024-11-05", True), ("R5", "2024-05-05", True))


# ---- the rows -------------------------------------------------------------------------------------------------------------

def test_all_referrals_have_the_period_s_and_the_rest_with_their_financial_year():
    rows = referrals_of(("R1", "2024-03-31", None, None), ("R2", "2024-04-01", None, None), ("R3", None, None, None), ("R4", "1999-04-01", None, None))
    found = cohort.all_referrals(scheme_of(rows)).set_index("referral_id")
    assert list(found.referral_year.fillna("-")) == ["2023/24", "2024/25", "-", "1999/00"] and {"age", "sex", "imd_quintile"} <= set(found)


def test_contacts_are_counted_for_half_a_year_of_referrals_that_old_whether_open_or_closed():
    made = cohort.contacts_made(scheme_of(OLD, MET), cohort.all_referrals(scheme_of(OLD, MET))).set_index("referral_id").contacts
    assert dict(made.fillna(-1)) == {"R1": 2, "R2": 1, "R3": 0, "R5": -1}        # R4 is too new though closed; the second of R2 came too late


def test_without_a_contacts_table_no_number_of_contacts_is_known():
    scheme = scheme_of(OLD)
    assert cohort.contacts_made(scheme, cohort.all_referrals(scheme)).contacts.isna().all()
    assert len(cohort.contact_gaps(scheme, cohort.all_referrals(scheme))) == 0


def test_a_gap_runs_to_the_next_contact_and_of_an_open_case_to_the_extract():
    scheme = scheme_of(OLD, pd.concat([MET, contacts_of(("R2", "2024-10-01", True))]))
    gaps = cohort.contact_gaps(scheme, cohort.all_referrals(scheme))
    assert gaps[["referral_id", "days_observed", "came_again"]].values.tolist() == [
        ["R1", 10, True], ["R2", 270, True], ["R2", 92, False], ["R5", 241, False]]      # R1 and R4 are closed: nothing is to follow


def test_activities_are_those_of_referrals_old_enough():
    activities = pd.DataFrame({"referral_id": ["R1", "R4", "R5"], "activity_type": "arts", "sessions_offered": [8, 8, 8]})
    scheme = scheme_of(OLD, MET, activities)
    found = cohort.activities_of(scheme, cohort.all_referrals(scheme))
    assert list(found.referral_id) == ["R1", "R5"] and found.sessions_attended.isna().all()
    assert cohort.activities_of(scheme_of(OLD), cohort.all_referrals(scheme)).empty


# ---- contacts -------------------------------------------------------------------------------------------------------------

def test_contacts_per_person_and_the_drop_out_curve_by_hand():
    table = contacts_per_person(pd.DataFrame({"contacts": [0, 1, 1, 2, 6, None]}))
    rows = table.set_index(["measure", "level"])
    assert rows.estimate["mean_contacts", "all"] == 2.5 and rows.estimate["median_contacts", "all"] == 1.5 and rows.n["mean_contacts", "all"] == 4
    curve = table[table.group == "contacts_at_least"]
    assert list(curve.level) == ["1", "2", "3", "4", "5", "6"] and list(curve.estimate) == [0.8, 0.4, 0.2, 0.2, 0.2, 0.2]
    assert set(curve.n) == {5} and set(curve.n_missing) == {1} and list(curve.numerator) == [4, 2, 1, 1, 1, 1]
    assert list(contacts_per_person(pd.DataFrame({"contacts": [40.0]})).level)[-1] == "10"


@pytest.mark.parametrize("contacts", [[], [None, None], [0.0, 0.0], [3.0]])
def test_nobody_with_a_contact_and_one_person_are_rows(contacts):
    table = contacts_per_person(pd.DataFrame({"contacts": pd.Series(contacts, dtype=float)}))
    assert {"mean_contacts", "median_contacts"} <= set(table.measure) and table[table.measure == "mean_contacts"].estimate.isna().all()
    assert all(contacts) or table.note.str.startswith("needs a contacts table").any()


def test_where_counts_are_exact_a_step_of_few_people_is_hidden():
    made = pd.DataFrame({"contacts": [1.0] * 20 + [2.0] * 3 + [3.0] * 20})
    out = release(contacts_per_person(made), RULES["suppress_lt5"]).set_index("level")
    assert out.suppressed["3"] or out.suppressed["2"]              # 23 and 20 differ by 3 people
    assert not out.suppressed["1"]


def test_days_between_contacts_by_hand():
    gaps = pd.DataFrame({"referral_id": ["a", "a", "b", "b", "c"], "days_observed": [10.0, 20, 30, 40, None], "came_again": [True, True, True, False, False]})
    row = time_between_contacts(gaps).iloc[0]
    assert (row.estimate, row.n, row.n_missing, row.unit) == (20, 4, 1, "days") and row.conf_low <= 20 and row.numerator == 2
    none = time_between_contacts(gaps.assign(came_again=False)).iloc[0]
    assert pd.isna(none.estimate) and none.note == "not reached"
    assert time_between_contacts(gaps.head(0)).note[0] == "needs people with two contacts or an open case"


# ---- sessions -------------------------------------------------------------------------------------------------------------

def test_sessions_attended_of_those_offered_by_hand():
    activities = pd.DataFrame({"activity_type": ["arts", "arts", "walks", "walks", None], "sessions_offered": [10, 10, 5, None, 4], "sessions_attended": [5, 10, 6, 3, 0]})
    rows = sessions_used(activities).set_index(["measure", "level"])
    assert rows.estimate["sessions_attended_per_100", "arts"] == 75 and rows.estimate["sessions_attended_per_100", "all"] == pytest.approx(100 * 21 / 30)
    assert rows.estimate["sessions_offered", "all"] == 7.5 and rows.estimate["sessions_attended", "all"] == 5.2          # to one decimal
    assert dict(rows.n["sessions_offered"]) == {"all": 4, "arts": 2, "walks": 1, "missing": 1} and rows.n_missing["sessions_offered", "walks"] == 1
    row = rows.loc["sessions_attended_per_100", "all"]
    assert 0 <= row.conf_low < row.estimate < row.conf_high <= 100


def test_the_error_of_the_ratio_is_that_of_the_mean_where_as_many_are_offered_to_all():
    attended = np.array([3, 5, 8, 2, 7, 9])
    row = sessions_used(pd.DataFrame({"activity_type": "arts", "sessions_offered": 10, "sessions_attended": attended})).query("measure == 'sessions_attended_per_100'").iloc[0]
    assert row.std_error == pytest.approx(10 * attended.std(ddof=1) / len(attended) ** 0.5)


@pytest.mark.parametrize("activities", [pd.DataFrame(columns=["activity_type", "sessions_offered", "sessions_attended"]),
                                        pd.DataFrame({"activity_type": ["arts"], "sessions_offered": [0], "sessions_attended": [0]}),
                                        pd.DataFrame({"activity_type": ["arts"], "sessions_offered": [None], "sessions_attended": [None]})])
def test_no_sessions_are_empty_rows(activities):
    table = sessions_used(activities)
    assert table[table.measure == "sessions_attended_per_100"].estimate.isna().all() and (table.n + table.n_missing == len(activities)).all()


# ---- the calendar ---------------------------------------------------------------------------------------------------------

def test_days_of_the_week_by_hand():
    dates = pd.Series(pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-08", "2024-01-14", None]))      # Monday, Tuesday, Monday, Sunday
    table = weekdays(dates, "referrals").set_index("level")
    assert dict(table.estimate) == {"Monday": 0.5, "Tuesday": 0.25, "Wednesday": 0, "Thursday": 0, "Friday": 0, "Saturday": 0, "Sunday": 0.25}
    assert set(table.measure) == {"referrals_by_weekday"} and set(table.n) == {4} and set(table.n_missing) == {1}


def test_dates_that_are_months_have_no_day_of_the_week():
    table = weekdays(pd.Series(pd.to_datetime(["2024-01-01", "2024-02-01", "2024-03-05"])), "referrals")
    assert len(table) == 1 and table.note[0] == "the dates are months, not days" and pd.isna(table.estimate[0]) and table.n_missing[0] == 3
    assert weekdays(pd.Series(pd.to_datetime([None])), "referrals").note[0] == "needs dates"


def months_of(counts, start="2024-01", **more):
    levels = [str(m) for m in pd.period_range(start, periods=len(counts), freq="M")]
    return result_table([dict(measure="referrals", group="month", level=level, n=c, n_missing=0, estimate=c, unit="referrals") | {k: v[i] for k, v in more.items()}
                         for i, (level, c) in enumerate(zip(levels, counts))])


def test_months_of_the_year_are_shares_of_whole_years_only():
    table = seasons(months_of([99] * 3 + [10] * 11 + [20]), measures=("referrals",)).set_index("level")     # the latest twelve: April 2024 to March 2025
    assert table.estimate["March"] == pytest.approx(20 / 130) and table.estimate["April"] == pytest.approx(10 / 130) and table.estimate.sum() == pytest.approx(1)
    assert set(table.n) == {130} and list(table.index)[0] == "January" and ((table.conf_low < table.estimate) & (table.estimate < table.conf_high)).all()


def test_a_month_held_in_part_is_in_no_month_of_the_year():
    notes = ["part of a month"] + [""] * 12 + ["part of a month"]
    table = seasons(months_of([3] + [10] * 12 + [4], note=notes), measures=("referrals",))
    assert len(table) == 12 and set(table.n) == {120} and list(table.estimate) == pytest.approx([1 / 12] * 12)
    assert seasons(months_of([10] * 11 + [4], note=[""] * 11 + ["part of a month"])).empty


def test_less_than_a_year_has_no_months_of_the_year_and_a_hidden_month_leaves_its_own_empty():
    assert seasons(months_of([10] * 11)).empty
    hidden = seasons(months_of([10] * 11 + [np.nan], suppressed=[False] * 11 + [True]), measures=("referrals",)).set_index("level")
    assert pd.isna(hidden.estimate["December"]) and hidden.note["December"] == "a month of it is too small to show" and hidden.estimate["May"] == pytest.approx(1 / 11)
