"""Delivery: losses and their reasons, what people were given, and by whom."""

import pandas as pd
import pytest

from sprx import cohort, wording
from sprx.disclosure import RULES, release
from sprx.metrics.how_well import contact_shares, doses_against_plan, losses, worker_loads

PEOPLE = "person_id,birth_year,sex\n" + "".join(f"p{i},1950,female\n" for i in range(1, 9))
REFERRALS = """referral_id,person_id,referral_date,status,first_contact_date,closed_date,closure_reason
r1,p1,2025-01-06,completed,2025-01-10,2025-03-10,needs_met
r2,p2,2025-01-06,closed,2025-01-20,2025-02-20,disengaged
r3,p3,2025-01-06,active,2025-01-30,,
r4,p4,2025-01-06,declined_by_person,,,
r5,p5,2025-01-06,waiting,,,
r6,p6,2025-01-06,did_not_attend,,2025-02-01,unable_to_contact
r7,p7,2025-01-06,closed,2025-02-01,2025-02-28,not_recorded
r8,p8,2025-01-06,rejected_by_service,,2025-01-20,
"""
CONTACTS = """contact_id,referral_id,contact_date,mode,minutes,attended,worker_id,worker_employer
c1,r1,2025-01-10,telephone,20,yes,w1,charity
c2,r1,2025-02-10,home_visit,40,yes,w1,charity
c3,r1,2025-03-05,telephone,,no,w1,charity
c4,r2,2025-01-20,telephone,30,yes,w2,charity
c5,r3,2025-01-30,video,30,yes,w2,charity
c6,r3,2025-02-03,no_contact_attempt,,yes,w2,charity
c7,r7,2025-02-01,telephone,10,yes,w3,council
c8,r7,2025-02-20,telephone,20,yes,w3,council
"""


@pytest.fixture(scope="module")
def scheme(cleaned):
    return cleaned(dict(extract_date="2025-04-15"), people=PEOPLE, referrals=REFERRALS, contacts=CONTACTS)


@pytest.fixture(scope="module")
def stages(scheme):
    return cohort.stages(scheme, cohort.scheme_referrals(scheme))


# ---- why people left ------------------------------------------------------------------------------------------------------

def test_each_loss_has_its_reason_from_the_closure_else_the_status_else_it_is_still_open(stages):
    found = cohort.leavers(stages)
    said = {step: sorted(part["reason"].dropna()) for step, part in found.groupby("step")}
    assert said == {"accepted": ["declined_by_person", "rejected_by_service"], "seen": ["still open", "unable_to_contact"],
                    "completed": ["disengaged", "not recorded", "still open"]}
    assert dict(found["step"].value_counts()) == {"accepted": 8, "seen": 6, "completed": 4} and found.loc[found["reached"].eq(True), "reason"].isna().all()


def test_losses_are_shares_of_those_who_reached_the_step_before(stages):
    table = losses(cohort.leavers(stages), cohort.STEPS)
    whole = table[table.group == "all"].set_index("measure")
    assert dict(whole.estimate) == {"not_accepted": 2 / 8, "not_seen": 2 / 6, "not_completed": 3 / 4} and dict(whole.n) == {"not_accepted": 8, "not_seen": 6, "not_completed": 4}
    for measure, rows in table[table.group == "reason"].groupby("measure"):
        assert rows.numerator.sum() == whole.numerator[measure]
    assert set(table.method) == {"Wilson score"}


def test_a_step_of_which_nothing_is_known_is_missing_and_not_lost():
    leavers = pd.DataFrame({"step": ["seen"] * 3, "reached": pd.array([True, False, None], dtype="boolean"), "reason": [None, "disengaged", None]})
    row = losses(leavers, ["seen"]).iloc[0]
    assert (row.estimate, row.n, row.n_missing) == (0.5, 2, 1)
    why = losses(leavers, ["seen"]).iloc[1]
    assert (why.level, why.estimate, why.n, why.n_missing) == ("disengaged", 0.5, 2, 1)
    assert losses(leavers.head(0), ["seen"]).estimate.isna().all()


# ---- what people were given -------------------------------------------------------------------------------------------------

def test_only_attended_contacts_count(scheme, stages):
    assert sorted(cohort.attended_contacts(scheme, stages)["contact_id"]) == ["c1", "c2", "c4", "c5", "c7", "c8"]


def test_an_open_case_has_no_number_of_contacts_yet_and_its_days_run_to_the_extract(scheme, stages):
    found = cohort.doses(scheme, stages).set_index("referral_id")
    assert dict(found.contacts.dropna()) == {"r1": 2, "r2": 1, "r7": 2} and pd.isna(found.contacts["r3"]) and list(found.index) == ["r1", "r2", "r3", "r7"]
    assert dict(found.minutes.dropna()) == {"r1": 30, "r2": 30, "r7": 15}
    assert dict(found.days_open) == {"r1": 59, "r2": 31, "r3": 75, "r7": 27} and list(found.was_closed) == [True, True, False, True]


def test_what_was_given_stands_beside_the_plan(scheme, stages):
    table = doses_against_plan(cohort.doses(scheme, stages), dict(contacts=2, days=40, minutes=25, caseload=30)).set_index("measure")
    assert table.estimate["contacts_per_case"] == pytest.approx(5 / 3) and table.estimate["median_contacts_per_case"] == 2 and table.estimate["minutes_per_contact"] == 25
    assert (table.n["contacts_per_case"], table.n_missing["contacts_per_case"]) == (3, 1)          # the open case may yet have more
    assert table.estimate["had_planned_contacts"] == pytest.approx(2 / 3) and table.n["had_planned_contacts"] == 3
    assert [table.estimate[f"planned_{what}"] for what in ("contacts", "days", "minutes")] == [2, 40, 25] and "planned_caseload" not in table.index
    # Kaplan-Meier by hand: 27, 31, 59 closed, 75 open: 3/4, 2/4 -> half are closed at 31
    assert table.estimate["median_days_open"] == 31 and table.n["median_days_open"] == 4


@pytest.mark.parametrize("dropped, lacking", [(["contacts"], ["contacts_per_case", "minutes_per_contact"]), (["contacts", "referrals"], ["contacts_per_case", "median_days_open"])])
def test_without_its_tables_what_was_given_is_a_row_without_an_estimate(cleaned, dropped, lacking):
    tables = {k: v for k, v in dict(referrals=REFERRALS, contacts=CONTACTS).items() if k not in dropped}
    scheme = cleaned(dict(extract_date="2025-04-15"), people=PEOPLE, **tables)
    table = doses_against_plan(cohort.doses(scheme, cohort.stages(scheme, cohort.scheme_referrals(scheme))), {}).set_index("measure")
    assert table.estimate[lacking].isna().all() and not table.index.str.startswith("planned").any()


def test_where_no_case_was_closed_half_of_them_are_not_known_to_have_ended():
    doses = pd.DataFrame({"contacts": [None] * 3, "minutes": [None] * 3, "days_open": [5.0, 10, 20], "was_closed": False}).astype({"contacts": float, "minutes": float})
    table = doses_against_plan(doses, {}).set_index("measure")
    assert pd.isna(table.estimate["median_days_open"]) and table.note["median_days_open"] == "not reached: no case was closed"


# ---- by whom ----------------------------------------------------------------------------------------------------------------

def contacts_of(levels, workers, column="worker_role"):
    return pd.DataFrame({column: pd.array(levels, dtype="string"), "worker_id": pd.array(workers, dtype="string")})


def test_contacts_by_mode_with_those_not_recorded():
    table = contact_shares(contacts_of(["telephone", "telephone", "video", None], ["w1"] * 4, "mode"), "mode").set_index("level")
    assert dict(table.estimate) == {"telephone": 0.5, "video": 0.25, "missing": 0.25} and (table.n == 4).all()


def test_no_row_is_about_one_worker():
    # a (w1, w2), b (w3, w4), c (w5): c alone is joined with the smaller of the others
    contacts = contacts_of(list("aaabbc"), ["w1", "w2", "w1", "w3", "w4", "w5"])
    table = contact_shares(contacts, "worker_role").set_index("level")
    assert dict(table.estimate) == {"a": 0.5, "several, or one worker only": 0.5}
    two_alone = contact_shares(contacts_of(list("aabc"), ["w1", "w2", "w3", "w4"]), "worker_role").set_index("level")
    assert dict(two_alone.estimate) == {"a": 0.5, "several, or one worker only": 0.5}
    for levels, workers in ((list("aa"), ["w1", "w1"]), (list("ab"), ["w1", "w2"]), (list("aab"), ["w1", "w2", "w3"])):
        row = contact_shares(contacts_of(levels, workers), "worker_role").iloc[0]
        assert pd.isna(row.estimate) and row.n_missing == len(levels) and "about one worker" in row.note


def test_who_held_contacts_is_shown_where_each_level_has_two_workers():
    table = contact_shares(contacts_of(list("aabb"), ["w1", "w2", "w3", "w4"]), "worker_role").set_index("level")
    assert dict(table.estimate) == {"a": 0.5, "b": 0.5}
    unnamed = contact_shares(contacts_of([None, None], [None, None]), "worker_role").iloc[0]
    assert pd.isna(unnamed.estimate) and unnamed.n_missing == 2 and unnamed.note == ""


def test_open_cases_at_the_ends_of_months_belong_to_the_latest_worker(scheme):
    found = cohort.caseloads(scheme, cohort.scheme_referrals(scheme)).set_index(["worker_id", "month"])
    # January: r1 (w1), r2 and r3 (w2); February: r2 closed on the 20th, r7 on the 28th; March: r1 closed on the 10th; April is not whole
    assert dict(found.open_cases) == {("w1", "2025-01"): 1, ("w2", "2025-01"): 2, ("w1", "2025-02"): 1, ("w2", "2025-02"): 1, ("w3", "2025-02"): 0, ("w2", "2025-03"): 1}
    assert found.contacts["w1", "2025-02"] == 1 and found.contacts["w3", "2025-02"] == 2 and found.contacts["w2", "2025-01"] == 2


def test_a_case_that_is_handed_over_is_then_the_later_workers(cleaned):
    handed = CONTACTS + "c9,r3,2025-02-20,telephone,10,yes,w1,charity\n"
    scheme = cleaned(dict(extract_date="2025-04-15"), people=PEOPLE, referrals=REFERRALS, contacts=handed)
    found = cohort.caseloads(scheme, cohort.scheme_referrals(scheme)).set_index(["worker_id", "month"]).open_cases
    assert (found["w2", "2025-01"], found["w1", "2025-02"], found["w1", "2025-03"]) == (2, 2, 1) and ("w2", "2025-03") not in found.index


def loads(workers):
    return pd.DataFrame([(f"w{i}", month, 10.0 * i, 2.0 * i) for i in range(1, workers + 1) for month in ("2025-01", "2025-02")],
                        columns=["worker_id", "month", "open_cases", "contacts"])


def test_caseloads_are_means_over_workers_beside_the_plan():
    table = worker_loads(loads(4), dict(caseload=35)).set_index("measure")
    assert table.estimate["caseload_per_worker"] == 25 and table.estimate["median_caseload_per_worker"] == 25 and table.estimate["contacts_per_worker_month"] == 5
    assert table.estimate["planned_caseload"] == 35 and table.note["caseload_per_worker"] == "4 workers" and table.n["caseload_per_worker"] == 8
    half = 3.182446 * 12.909944 / 2                     # t with 3 degrees of freedom, SD of 10, 20, 30, 40
    assert table.conf_high["caseload_per_worker"] == pytest.approx(25 + half, rel=1e-6) and table.conf_low["caseload_per_worker"] == pytest.approx(25 - half, rel=1e-5)


@pytest.mark.parametrize("workers, shown", [(0, 0), (1, 0), (2, 0), (3, 2)])
def test_few_workers_are_not_shown_one_by_one(workers, shown):
    table = worker_loads(loads(workers), {})
    assert table.estimate.notna().sum() == shown and table.conf_low.isna().all() and not table.measure.str.startswith("planned").any()
    if not shown:
        assert set(table.note) == {"no worker is named" if not workers else "not shown: fewer than 3 workers"}


def test_contacts_that_name_no_worker_give_no_caseload(cleaned):
    plain = "\n".join(",".join(line.split(",")[:6]) for line in CONTACTS.strip().splitlines())
    scheme = cleaned(dict(extract_date="2025-04-15"), people=PEOPLE, referrals=REFERRALS, contacts=plain)
    assert cohort.caseloads(scheme, cohort.scheme_referrals(scheme)).empty


# ---- in words -----------------------------------------------------------------------------------------------------------------

def said(describe, table):
    return describe(release(table, RULES["none"]))


def test_losses_in_words(stages):
    assert said(wording.describe_leavers, losses(cohort.leavers(stages), cohort.STEPS)) == (
        "Of those who had come as far as the step before: 25% (95% CI 7% to 59%) were not accepted by the service (the person said no 12%; the service could not take the person 12%); "
        "33% (95% CI 10% to 70%) were not seen by a link worker (still open 17%; unable to contact 17%); 75% (95% CI 30% to 95%) did not complete (disengaged 25%; not recorded 25%; "
        "still open 25%). Cases still open may yet go further.")
    assert wording.describe_leavers(release(losses(cohort.leavers(stages), cohort.STEPS), RULES["nhse_1_7_round5"])).startswith("Not shown")


def test_what_was_given_in_words(scheme, stages):
    doses = cohort.doses(scheme, stages)
    text = said(wording.describe_doses, doses_against_plan(doses, dict(contacts=2)))
    assert text.startswith("Given: 1.7 contacts in a closed case, on average") and ", planned 2;" in text and "What was planned" not in text
    assert "What was planned is not known: it needs plan in scheme.yaml." in said(wording.describe_doses, doses_against_plan(doses, {}))
    undated = said(wording.describe_doses, doses_against_plan(doses.assign(contacts=float("nan"), minutes=float("nan")), {}))
    assert "How many contacts people had is not known: it needs contacts." in undated and "Open cases" not in undated
    assert said(wording.describe_doses, doses_against_plan(doses.head(0), {})).startswith("Cannot be answered: needs contacts")


def test_who_held_contacts_in_words():
    table = contact_shares(contacts_of(["telephone", "telephone", "video", None], ["w1"] * 4, "mode"), "mode")
    assert said(wording.describe_contacts, table) == "How contacts were held, of 4 contacts: telephone 50%, video 25% and not recorded 25%."
    assert said(wording.describe_contacts, contact_shares(contacts_of(list("aa"), ["w1", "w1"]), "worker_role")) == "Not shown: a row would be about one worker."
    assert said(wording.describe_loads, worker_loads(loads(4), dict(caseload=35))) == (
        "At the end of a month a worker had 25 open cases on average (95% CI 4.5 to 45.5), planned 35, and held 5 contacts a month (95% CI 0.89 to 9.1) (4 workers).")
    assert said(wording.describe_loads, worker_loads(loads(2), dict(caseload=35))) == "Caseload not shown: fewer than 3 workers."
    few = pd.concat([loads(4), loads(4)]).drop_duplicates("worker_id")                   # four worker-months
    assert wording.describe_loads(release(worker_loads(few, {}), RULES["nhse_1_7_round5"])) == wording.NOT_SHOWN
