"""Choosing rows: people, referrals, stages, suitable groups and scores."""

from pathlib import Path

import pandas as pd
import pytest

from sprx import cohort
from sprx.load import Scheme
from sprx.schema import columns
from sprx.settings import Settings

DAY = pd.Timestamp


def scheme_of(tables, **settings):
    """A scheme made of typed tables, as load and clean leave them."""
    return Scheme(Path("."), Settings(scheme_id="test", name="Test", **settings), tables, pd.DataFrame(),
                  given={name: [c for c in columns(name).index if c in table] for name, table in tables.items()})


def people_of(count=3, **columns):
    return pd.DataFrame({"person_id": [f"P{i}" for i in range(1, count + 1)], "arm": "scheme"} | columns)


def dates(*texts):
    return pd.to_datetime(list(texts))


# ---- people -----------------------------------------------------------------------------------------------------------

def test_people_of_an_arm_get_their_groups_and_the_table_read_stays_as_it_was():
    people = people_of(4, age=pd.array([17, 18, 64, None], dtype="Int64"), sex=pd.array(["female", "male", None, "male"], dtype="string"),
                       ethnicity=pd.array(["A", "H", "Z", "99"], dtype="string"), imd_decile=pd.array([1, 2, 3, None], dtype="Int64"))
    people["arm"] = ["scheme", "scheme", "scheme", "comparison"]
    before = people.copy()
    own = cohort.scheme_people(scheme_of({"people": people}))
    assert list(own.age_band) == ["0-17", "18-24", "55-64"] and list(own.ethnic_group) == ["white", "asian", "not stated"]
    assert list(own.imd_quintile) == [1, 1, 2] and own.sex.isna().sum() == 1
    other = cohort.scheme_people(scheme_of({"people": people}), arm="comparison")
    assert list(other.person_id) == ["P4"] and other[["age_band", "ethnic_group", "imd_quintile"]].isna().all(axis=None)
    pd.testing.assert_frame_equal(people, before)


def test_a_characteristic_that_is_not_in_the_data_is_missing_for_everyone():
    own = cohort.scheme_people(scheme_of({"people": people_of()}))
    assert own[["age_band", "sex", "ethnic_group", "imd_quintile"]].isna().all(axis=None) and len(own) == 3


@pytest.mark.parametrize("age, band", [(0, "0-17"), (17.9, "0-17"), (18, "18-24"), (84, "75-84"), (85, "85+"), (104, "85+")])
def test_an_age_at_the_edge_of_a_band_belongs_to_the_upper_one(age, band):
    assert cohort.age_bands(pd.Series([age]), cohort.DEFAULT_BANDS)[0] == band


def test_each_decile_belongs_to_its_fifth_one_being_the_most_deprived():
    people = people_of(10, imd_decile=pd.array(range(1, 11), dtype="Int64"))
    assert list(cohort.scheme_people(scheme_of({"people": people})).imd_quintile) == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_every_code_of_the_sixteen_plus_one_has_its_group():
    # ONS 2001 census 16+1: A-C white, D-G mixed, H-L asian (no I), M-P black (no O), R-S other, Z not stated
    groups = cohort.ethnic_group(pd.Series(list("ABCDEFGHJKLMNPRSZ") + ["99"], dtype="string"))
    assert list(groups[:17]) == ["white"] * 3 + ["mixed"] * 4 + ["asian"] * 4 + ["black"] * 3 + ["other"] * 2 + ["not stated"]
    assert pd.isna(groups[17])


def test_ages_are_banded_as_the_population_table_bands_them():
    population = pd.DataFrame({"age_band": pd.array(["0-15", "16-64", "65+"], dtype="string"), "people": [10, 20, 30]})
    scheme = scheme_of({"people": people_of(age=[15, 16, 90]), "population": population})
    assert list(cohort.scheme_people(scheme).age_band) == ["0-15", "16-64", "65+"] == list(cohort.population(scheme).age_band)


def test_without_a_population_table_the_population_is_empty_with_its_columns():
    found = cohort.population(scheme_of({"people": people_of()}))
    assert found.empty and list(found.columns) == ["age_band", "sex", "ethnic_group", "imd_decile", "imd_quintile", "people"]


# ---- referrals --------------------------------------------------------------------------------------------------------

def referrals_of(**columns):
    count = len(next(iter(columns.values())))
    return pd.DataFrame({"referral_id": [f"R{i}" for i in range(1, count + 1)], "person_id": [f"P{i}" for i in range(1, count + 1)]} | columns)


def test_referrals_are_those_of_the_period_its_first_and_last_day_included_and_undated_ones_kept():
    rows = referrals_of(referral_date=dates("2024-03-31", "2024-04-01", "2025-03-31", "2025-04-01", None))
    scheme = scheme_of({"people": people_of(5), "referrals": rows}, period=(DAY("2024-04-01"), DAY("2025-03-31")))
    assert list(cohort.scheme_referrals(scheme).referral_id) == ["R2", "R3", "R5"]


def test_referrals_of_comparison_people_are_not_the_schemes_own():
    people = people_of(2)
    people["arm"] = ["scheme", "comparison"]
    scheme = scheme_of({"people": people, "referrals": referrals_of(referral_date=dates("2024-04-01", "2024-04-01"))})
    assert list(cohort.scheme_referrals(scheme).person_id) == ["P1"]


def test_without_a_referrals_table_there_are_no_referrals_but_all_their_columns():
    found = cohort.scheme_referrals(scheme_of({"people": people_of()}))
    assert found.empty and {"referral_date", "first_contact_date", "status", "imd_quintile"} <= set(found)


def test_only_referrals_old_enough_at_the_extract_are_followed_and_undated_ones_are_kept():
    rows = referrals_of(referral_date=dates("2024-10-02", "2024-10-03", "2024-10-04", None))
    kept = cohort.followed_for(rows, 90, DAY("2025-01-01"))         # 90 days before is 3 October
    assert list(kept.referral_id) == ["R1", "R2", "R4"]
    assert len(cohort.followed_for(rows, 90, None)) == 4


def test_a_wait_ends_at_the_first_contact_or_at_the_extract():
    rows = referrals_of(referral_date=dates("2025-01-01", "2025-01-01", None, "2025-01-05"),
                        first_contact_date=dates("2025-01-15", None, "2025-01-20", "2025-01-05"))
    found = cohort.waits(rows, DAY("2025-02-01"))
    assert list(found.days_observed.fillna(-1)) == [14, 31, -1, 0] and list(found.was_seen) == [True, False, True, True]
    without = cohort.waits(rows, None)
    assert list(without.days_observed.isna()) == [False, True, True, False]


# ---- stages -----------------------------------------------------------------------------------------------------------

def stages_of(tables=None, **columns):
    rows = referrals_of(**columns)
    for column in ("status", "closure_reason"):
        rows[column] = pd.array(rows[column] if column in rows else [None] * len(rows), dtype="string")
    for column in ("referral_date", "first_contact_date", "closed_date"):
        rows[column] = rows[column] if column in rows else pd.NaT
    scheme = scheme_of({"people": people_of(len(rows)), "referrals": rows} | (tables or {}))
    return cohort.stages(scheme, rows)[cohort.STAGES].astype(object).where(lambda t: t.notna(), None)


STATUSES = [    # referred, accepted, seen, activity_started (unknown without an activities table), completed
    ("offered", [True, False, False, None, False]), ("declined_by_person", [True, False, False, None, False]),
    ("rejected_by_service", [True, False, False, None, False]), ("referred", [True, None, False, None, False]),
    ("waiting", [True, True, False, None, False]), ("accepted", [True, True, None, None, False]),
    ("active", [True, True, True, None, False]), ("did_not_attend", [True, True, False, None, False]),
    ("completed", [True, True, True, None, True]), ("closed", [True, True, None, None, None]), (None, [True, None, None, None, None])]


@pytest.mark.parametrize("status, reached", STATUSES, ids=lambda v: str(v) if not isinstance(v, list) else "")
def test_a_status_alone_says_what_it_can_and_no_more(status, reached):
    assert list(stages_of(status=[status]).iloc[0]) == reached


def test_a_first_contact_means_accepted_and_seen_whatever_the_status():
    found = stages_of(status=["waiting", "active"], first_contact_date=dates("2025-01-03", None))
    assert list(found.iloc[0]) == [True, True, True, None, False]
    assert found.seen[1] is False                           # where contacts are dated, no date is no contact


@pytest.mark.parametrize("mode, attended, seen", [("phone", True, True), ("phone", None, True), ("phone", False, False), ("no_contact_attempt", True, False)])
def test_only_a_contact_that_was_attended_counts_as_seen(mode, attended, seen):
    contacts = pd.DataFrame({"referral_id": ["R1"], "mode": pd.array([mode], dtype="string"), "attended": pd.array([attended], dtype="boolean")})
    assert stages_of({"contacts": contacts}, status=["accepted"]).seen[0] is seen


def test_an_activity_begun_means_seen_and_accepted():
    activities = pd.DataFrame({"referral_id": ["R1", "R2"], "status": pd.array(["attended_once", "signposted"], dtype="string")})
    found = stages_of({"activities": activities}, status=["accepted", "accepted", "accepted"])
    assert list(found.activity_started) == [True, False, False] and list(found.seen) == [True, None, None]


@pytest.mark.parametrize("reason, completed", [("needs_met", True), ("moved_on_to_activity", True), ("lost_contact", False), (None, None)])
def test_a_closed_case_is_completed_by_its_reason(reason, completed):
    assert stages_of(status=["closed"], closure_reason=[reason]).completed[0] is completed


# ---- the five suitable groups -----------------------------------------------------------------------------------------

def test_the_five_groups_follow_their_definitions():
    # shared/reference/referral_groups.csv: mild to moderate PHQ-9 or GAD-7 (5 to 14), low-income single parents, bereaved
    # within two years and 65 or over, one or more long-term conditions, frequent attenders
    people = people_of(4, age=pd.array([64, 65, 80, None], dtype="Int64"), start=dates(*["2025-01-01"] * 4),
                       bereaved_on=dates("2024-06-01", "2023-01-02", "2022-12-01", "2024-06-01"),
                       long_term_conditions=pd.array([0, 1, None, 3], dtype="Int64"), gp_appointments_12m=pd.array([11, 12, None, 2], dtype="Int64"),
                       ae_attendances_12m=pd.array([5, 0, 4, None], dtype="Int64"), imd_decile=pd.array([2, 3, 1, None], dtype="Int64"),
                       single_parent=pd.array([True, True, False, True], dtype="boolean"))
    outcomes = pd.DataFrame({"person_id": ["P1", "P2", "P3", "P3"], "instrument": ["phq9", "phq9", "gad7", "phq9"], "item": "total",
                             "occasion": ["baseline", "baseline", "baseline", "follow_up"], "value": [4.0, 5.0, 15.0, 9.0]})
    flags = cohort.suitable_groups(scheme_of({"people": people, "outcomes": outcomes}), people)
    found = {c: list(flags[c].astype(object).where(flags[c].notna(), None)) for c in flags}
    assert found["depression_anxiety"] == [False, True, False, None]
    assert found["bereaved_older"] == [False, True, False, None]
    assert found["long_term_condition"] == [False, True, None, True]
    assert found["frequent_attender"] == [True, True, False, False]
    assert found["low_income_single_parent"] == [True, False, False, None]
    assert flags.index.equals(people.index) and len(flags.columns) == 5


def test_a_group_that_the_data_cannot_show_is_missing_for_everyone():
    people = people_of()
    assert cohort.suitable_groups(scheme_of({"people": people}), people).isna().all(axis=None)


# ---- scores -----------------------------------------------------------------------------------------------------------

def outcomes_of(rows, instrument="swemwbs"):
    table = pd.DataFrame(rows, columns=["person_id", "occasion", "months", "value"]).assign(instrument=instrument, item="total", derived=False)
    return table.assign(row=range(2, 2 + len(table)), measured_on=pd.Series(pd.NaT, index=table.index))


def test_everyone_has_one_row_with_what_was_measured_of_them():
    rows = [("P1", "baseline", 0, 20), ("P1", "follow_up", 3, 24), ("P2", "baseline", 0, 18), ("P3", "follow_up", 3, 30)]
    found = cohort.scored_people(scheme_of({"people": people_of(4), "outcomes": outcomes_of(rows)}, follow_up_months=3.0), "swemwbs")
    assert list(found.person_id) == ["P1", "P2", "P3", "P4"]
    assert list(found.baseline.fillna(0)) == [20, 18, 0, 0] and list(found.follow_up.fillna(0)) == [24, 0, 30, 0]


def test_the_baseline_nearest_to_the_start_is_taken():
    rows = [("P1", "baseline", -2, 15), ("P1", "baseline", 0.5, 20)]
    found = cohort.scored_people(scheme_of({"people": people_of(1), "outcomes": outcomes_of(rows)}, follow_up_months=3.0), "swemwbs")
    assert list(found.baseline) == [20]


def test_where_the_data_use_visits_only_the_visit_itself_counts():
    rows = [("P1", "follow_up", 6, 1), ("P1", "follow_up", 8, 2), ("P2", "follow_up", 6, 3)]
    assert dict(cohort.chosen_follow_ups(outcomes_of(rows), 8.0)[["person_id", "value"]].to_numpy()) == {"P1": 2}


def test_where_the_data_use_dates_the_nearest_score_within_a_quarter_of_the_time_counts():
    table = outcomes_of([("P1", "follow_up", 11, 1), ("P1", "follow_up", 12.5, 2), ("P2", "follow_up", 9.1, 3), ("P3", "follow_up", 8.9, 4)])
    table["measured_on"] = DAY("2025-01-01")
    assert dict(cohort.chosen_follow_ups(table, 12.0)[["person_id", "value"]].to_numpy()) == {"P1": 2, "P2": 3}


def test_without_a_wanted_time_the_last_score_counts():
    rows = [("P1", "follow_up", 6, 1), ("P1", "follow_up", 12, 2)]
    assert list(cohort.chosen_follow_ups(outcomes_of(rows), None).value) == [2]


def test_the_main_instrument_comes_first_and_answers_without_a_total_do_not_count():
    outcomes = pd.concat([outcomes_of([("P1", "baseline", 0, 5)], "phq9"), outcomes_of([("P1", "baseline", 0, 5)], "swemwbs"),
                          outcomes_of([("P1", "baseline", 0, 5)], "gad7").assign(item="1")])
    scheme = scheme_of({"people": people_of(1), "outcomes": outcomes}, primary_outcome="swemwbs")
    assert cohort.instruments_used(scheme) == ["swemwbs", "phq9"]
    assert cohort.instruments_used(scheme_of({"people": people_of(1)})) == []


def test_scores_at_visits_have_a_row_for_every_person_and_visit():
    rows = [("P1", "baseline", 0, 20), ("P1", "follow_up", 3, 24), ("P2", "baseline", 0, 18), ("P2", "follow_up", 6, 19)]
    scheme = scheme_of({"people": people_of(2), "outcomes": outcomes_of(rows)}, follow_up_months=6.0)
    found = cohort.scores_at_visits(scheme, "swemwbs").set_index(["person_id", "months"]).value
    assert dict(found.fillna(0)) == {("P1", 0): 20, ("P2", 0): 18, ("P1", 3): 24, ("P2", 3): 0, ("P1", 6): 0, ("P2", 6): 19}


# ---- what there is ----------------------------------------------------------------------------------------------------

def test_only_standard_columns_that_are_no_keys_are_listed_and_scored_totals_are_not_given_ones():
    outcomes = outcomes_of([("P1", "baseline", 0, 20), ("P1", "follow_up", 3, 24)]).assign(derived=[False, True])
    held = cohort.standard_columns(scheme_of({"people": people_of(1, sex=["female"], shoe_size=[40]), "outcomes": outcomes}))
    assert "sex" in held["people"] and not {"person_id", "shoe_size"} & set(held["people"])
    assert len(held["outcomes"]) == 1


def test_comparison_is_held_only_where_there_are_comparison_people():
    people = people_of(2)
    assert cohort.what_data_hold(scheme_of({"people": people})) == {"people"}
    assert cohort.what_data_hold(scheme_of({"people": people.assign(arm=["scheme", "comparison"])})) == {"people", "comparison"}


# ---- found by trying odd schemes

def test_first_contacts_come_from_the_contacts_table_where_referrals_have_none():
    referrals = pd.DataFrame({"referral_id": ["r1", "r2"], "person_id": ["P1", "P2"], "referral_date": pd.to_datetime(["2025-01-01", "2025-01-01"])})
    contacts = pd.DataFrame({"referral_id": ["r1", "r1"], "contact_date": pd.to_datetime(["2025-01-05", "2025-01-09"]), "attended": pd.array([False, True], dtype="boolean")})
    scheme = scheme_of({"people": people_of(2), "referrals": referrals, "contacts": contacts}, extract_date=pd.Timestamp("2025-02-01"))
    waits = cohort.waits(cohort.scheme_referrals(scheme), pd.Timestamp("2025-02-01"))
    assert waits["days_observed"].tolist() == [8, 31] and waits["was_seen"].tolist() == [True, False]


def test_no_wait_is_known_where_no_first_contact_is_recorded_at_all():
    referrals = pd.DataFrame({"referral_id": ["r1"], "person_id": ["P1"], "referral_date": pd.to_datetime(["2025-01-01"])})
    scheme = scheme_of({"people": people_of(1), "referrals": referrals})
    assert cohort.waits(cohort.scheme_referrals(scheme), pd.Timestamp("2025-02-01"))["days_observed"].isna().all()


def test_scores_are_those_of_people_referred_in_the_period():
    referrals = pd.DataFrame({"referral_id": ["r1", "r2"], "person_id": ["P1", "P2"], "referral_date": pd.to_datetime(["2024-01-01", "2025-01-01"])})
    outcomes = outcomes_of([("P1", "baseline", 0, 20), ("P2", "baseline", 0, 18)])
    scheme = scheme_of({"people": people_of(2), "referrals": referrals, "outcomes": outcomes}, period=(pd.Timestamp("2024-06-01"), None))
    assert cohort.scored_people(scheme, "swemwbs")["person_id"].tolist() == ["P2"]


def test_an_age_outside_the_populations_bands_is_not_an_unknown_age():
    assert cohort.age_bands(pd.Series([10.0, 40.0, None]), [(18, 64), (65, 199)]).fillna("-").tolist() == ["other ages", "18-64", "-"]


def test_a_column_that_the_template_holds_and_nobody_filled_in_names_no_group():
    people = people_of(3, age=[70.0, 80.0, 40.0], start=pd.Timestamp("2025-01-01"), single_parent=pd.array([None] * 3, dtype="boolean"),
                       low_income=pd.array([None] * 3, dtype="boolean"), bereaved_on=pd.to_datetime([None] * 3), long_term_conditions=[1, 0, 2])
    flags = cohort.suitable_groups(scheme_of({"people": people}), people)
    assert flags[["low_income_single_parent", "bereaved_older"]].isna().all(axis=None) and flags["long_term_condition"].tolist() == [True, False, True]


def test_the_primary_outcome_is_met_however_it_is_written():
    outcomes = outcomes_of([("P1", "baseline", 0, 20)])
    both = pd.concat([outcomes.assign(instrument="gad7"), outcomes])
    assert cohort.instruments_used(scheme_of({"people": people_of(1), "outcomes": both}, primary_outcome="SWEMWBS")) == ["swemwbs", "gad7"]
