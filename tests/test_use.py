"""Person-months of service use: which months anybody watched, and whose they are."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sprx import clean_scheme, load_scheme
from sprx.cohort.use import (CONSTANT, NO_START, NO_TABLE, NOT_HELD, NOT_OBSERVED, contaminated, service_months, services_used, use_problem, zeros_are_held)

SAMPLE = Path(__file__).parents[1] / "data" / "sample"
HEAD = "person_id,month,service,count,observed\n"
BOTH_ARMS = "person_id,arm,index_date,team\np1,scheme,,a\np2,scheme,,\np3,scheme,,a\nc1,comparison,2025-02-20,b\nc2,comparison,2025-02-20,b\n"
REFERRALS = "referral_id,person_id,referral_date\nr1,p1,2025-01-10\nr2,p2,2025-02-10\nr3,p3,2025-03-10\n"


def lines(rows, observed="yes"):
    return HEAD + "".join(f"{','.join(map(str, row))},{observed}\n" if len(row) == 4 else f"{','.join(map(str, row))}\n" for row in rows)


def seen(table, person, service="gp"):
    """{month: count} of the observed months of a person."""
    part = table[(table["person_id"] == person) & (table["service"] == service) & table["exposure"].gt(0)]
    return dict(zip(part["month"], part["count"]))


def use(cleaned, text, people=BOTH_ARMS, **settings):
    return cleaned(settings or None, people=people, referrals=REFERRALS, service_use=text)


# ---- which months are observed ------------------------------------------------------------------------------------------------

def test_where_zeros_are_held_a_month_counts_only_if_the_person_has_a_row_in_it(cleaned):
    scheme = use(cleaned, lines([("p1", "2024-12", "gp", 2), ("p1", "2025-01", "gp", 0), ("p1", "2025-03", "gp", 0), ("p2", "2025-03", "gp", 1)]))
    table = service_months(scheme)
    assert zeros_are_held(scheme)
    assert seen(table, "p1") == {-1: 2, 0: 0, 2: 0}         # nobody watched February
    assert seen(table, "p2") == {1: 1} and list(table.loc[table["person_id"].eq("p1"), "exposure"]) == [1, 1, 1]
    assert list(table.loc[table["person_id"].eq("p1"), "calendar"]) == list(pd.to_datetime(["2024-12-01", "2025-01-01", "2025-03-01"]))


def test_a_row_of_one_service_tells_that_the_month_was_watched_for_another_that_holds_no_zeros(cleaned):
    rows = [("p1", f"2025-{m:02}", "gp", m % 2) for m in range(1, 7)] + [("p1", "2025-04", "ae", 1)]
    table = service_months(use(cleaned, lines(rows)))
    assert seen(table, "p1", "ae") == {0: 0, 1: 0, 2: 0, 3: 1, 4: 0, 5: 0}


def test_a_service_with_zeros_of_its_own_is_not_watched_before_its_first_row(cleaned):
    rows = [("p1", f"2024-{m:02}", "gp", m % 2) for m in range(5, 13)] + [("p1", f"2025-{m:02}", "gp", m % 2) for m in range(1, 7)]
    rows += [("p1", f"2025-{m:02}", "mh", m % 3) for m in range(2, 7)]
    table = service_months(use(cleaned, lines(rows)))
    assert min(seen(table, "p1")) == -8 and sorted(seen(table, "p1", "mh")) == [1, 2, 3, 4, 5]


def test_where_no_zeros_are_held_every_month_of_the_extract_counts_for_everybody(cleaned):
    scheme = use(cleaned, lines([("p1", "2024-11", "gp", 2), ("p1", "2025-01", "gp", 1), ("c1", "2025-05", "gp", 3), ("p2", "2025-03", "gp", 1)]))
    table = service_months(scheme)
    assert not zeros_are_held(scheme)
    assert seen(table, "p1") == {-2: 2, -1: 0, 0: 1, 1: 0, 2: 0, 3: 0, 4: 0}        # November to May
    assert seen(table, "p3") == dict.fromkeys(range(-4, 3), 0)                      # nobody's rows: no use
    assert seen(table, "c1") == {-3: 0, -2: 0, -1: 0, 0: 0, 1: 0, 2: 0, 3: 3}


def test_a_month_marked_as_not_observed_counts_for_no_service_and_brings_no_count(cleaned):
    text = lines([("p1", "2025-02", "gp", 2), ("p1", "2025-03", "gp", 0), ("p1", "2025-03", "ae", 1)]) + "p1,2025-04,gp,5,no\np1,2025-04,ae,1,yes\n"
    table = service_months(use(cleaned, text))
    assert seen(table, "p1") == {1: 2, 2: 0} and seen(table, "p1", "ae") == {1: 0, 2: 1}
    sparse = lines([("p1", "2025-02", "gp", 2), ("p1", "2025-05", "gp", 1)]) + "p1,2025-04,gp,5,no\n"
    assert seen(service_months(use(cleaned, sparse)), "p1") == {1: 2, 2: 0, 4: 1}
    blank = use(cleaned, sparse.replace("gp,5,no", "gp,0,no"))          # a zero that nobody watched does not mean that zeros are held
    assert not zeros_are_held(blank) and seen(service_months(blank), "p1") == {1: 2, 2: 0, 4: 1}


def test_the_month_of_the_extract_counts_only_when_it_is_over(cleaned):
    text = lines([("p1", "2025-02", "gp", 0), ("p1", "2025-03", "gp", 1)])
    assert seen(service_months(use(cleaned, text, extract_date="2025-03-30")), "p1") == {1: 0}
    assert seen(service_months(use(cleaned, text, extract_date="2025-03-31")), "p1") == {1: 0, 2: 1}
    sparse = lines([("p1", "2025-02", "gp", 2), ("p1", "2025-03", "gp", 1)])
    assert seen(service_months(use(cleaned, sparse, extract_date="2025-03-30")), "p1") == {1: 2}


def test_months_from_the_start_need_no_dates(cleaned):
    people = "person_id,arm\np1,scheme\nc1,comparison\n"
    text = "person_id,months,service,count\np1,-2,gp,2\np1,2,gp,1\nc1,-1,gp,1\nc1,0.5,gp,2\nc1,1,gp,4\n"
    table = service_months(cleaned(people=people, service_use=text))
    assert seen(table, "p1") == {-2: 2, -1: 0, 0: 0, 1: 0, 2: 1}        # between the person's own first and last row
    assert seen(table, "c1") == {-1: 1, 0: 2, 1: 4} and table["calendar"].isna().all()


def test_rows_that_repeat_a_month_and_service_add_up_and_far_months_are_left_out(cleaned):
    rows = [("p1", "2025-02", "gp", 1), ("p1", "2025-02", "gp", 2), ("p1", "2025-03", "gp", 0), ("p1", "2023-01", "gp", 9)]
    table = service_months(use(cleaned, lines(rows)), before=3, after=3)
    assert seen(table, "p1") == {1: 3, 2: 0}


# ---- whose they are -----------------------------------------------------------------------------------------------------------

def test_comparison_people_who_were_referred_too_belong_to_neither_arm(cleaned):
    rows = [(p, f"2025-{m:02}", "gp", m % 2) for p in ("p1", "c1", "c2") for m in (1, 2, 3, 4)]
    scheme = cleaned(people=BOTH_ARMS, referrals=REFERRALS + "r4,c2,2025-06-01\n", service_use=lines(rows))
    assert contaminated(scheme) == {"c2"}
    table = service_months(scheme)
    assert set(table["person_id"]) == {"p1", "p2", "p3", "c1"}
    assert table.groupby("person_id")["arm"].first().to_dict() == dict(p1="scheme", p2="scheme", p3="scheme", c1="comparison")
    assert sorted(seen(table, "c1")) == [-1, 0, 1, 2]                       # from the index date


def test_without_referrals_nobody_is_contaminated(cleaned):
    assert contaminated(cleaned(people="person_id,arm\np1,scheme\nc1,comparison\n")) == set()


def test_people_referred_outside_the_period_are_not_there(cleaned):
    rows = [(p, f"2025-{m:02}", "gp", m % 2) for p in ("p1", "p3") for m in (1, 2, 3, 4)]
    scheme = use(cleaned, lines(rows), period=dict(start="2025-01-01", end="2025-02-28"))
    assert set(service_months(scheme)["person_id"]) == {"p1", "p2", "c1", "c2"}


def test_nobody_is_lost_who_has_no_observed_month(cleaned):
    scheme = use(cleaned, lines([("p1", "2025-01", "gp", 0), ("p1", "2025-02", "gp", 1)]))
    table = service_months(scheme)
    none = table[table["exposure"].eq(0)]
    assert sorted(none["person_id"]) == ["c1", "c2", "p2", "p3"] and none["month"].eq(0).all() and none["count"].eq(0).all()


def test_clusters_come_from_the_scheme_and_people_without_one_stand_alone(cleaned):
    rows = [(p, "2025-02", "gp", k) for k, p in enumerate(("p1", "p2", "p3", "c1"))]
    table = service_months(use(cleaned, lines(rows), comparison=dict(design="concurrent", cluster="team")))
    assert table.groupby("person_id")["cluster"].first().to_dict() == dict(p1="a", p2="p2", p3="a", c1="b", c2="b")
    assert service_months(use(cleaned, lines(rows)))["cluster"].isin(["p1", "p2", "p3", "c1", "c2"]).all()


# ---- what cannot be analysed --------------------------------------------------------------------------------------------------

def visits(people=9):
    return ("person_id,arm\n" + "".join(f"p{i},{'scheme' if i % 2 else 'comparison'}\n" for i in range(people)),
            "person_id,months,service,count\n" + "".join(f"p{i},{m},all,{1 + i}\n" for i in range(people) for m in (0, 6, 12)))


def test_counts_at_visits_are_no_months(cleaned):
    people, text = visits()
    scheme = cleaned(people=people, service_use=text)
    assert service_months(scheme).empty
    assert use_problem(scheme, "all") == "the counts come at visits (months 0, 6, 12), not month by month, so there is no rate before and after"


def test_a_count_that_never_varies_tells_of_no_use_but_a_list_of_single_uses_does(cleaned):
    every = [(p, f"2025-{m:02}", "gp", 1) for p in ("p1", "p2", "p3", "c1", "c2") for m in (1, 2, 3, 4)]
    scheme = use(cleaned, lines(every))
    assert use_problem(scheme, "gp") == CONSTANT and service_months(scheme).empty
    some = use(cleaned, lines(every[:7]))                                   # one row per use: the months without a row are months without use
    assert use_problem(some, "gp") == "" and service_months(some)["count"].isin([0, 1]).all() and service_months(some)["count"].sum() == 7


def test_what_is_missing_is_said(cleaned):
    nothing = cleaned()
    assert use_problem(nothing, "gp") == NO_TABLE and service_months(nothing).empty and services_used(nothing) == [] and not zeros_are_held(nothing)
    assert list(service_months(nothing)) == ["person_id", "arm", "service", "month", "count", "exposure", "cluster", "calendar"]
    scheme = use(cleaned, lines([("p1", "2025-02", "gp", 2), ("p1", "2025-03", "gp", 0)], "no"))
    assert use_problem(scheme, "ae") == NOT_HELD and use_problem(scheme, "gp") == NOT_OBSERVED
    assert service_months(scheme)["exposure"].eq(0).all()
    unknown = cleaned(people="person_id,arm\np1,scheme\n", service_use=lines([("p1", "2025-02", "gp", 2), ("p1", "2025-03", "gp", 0)]))
    assert use_problem(unknown, "gp") == NO_START and service_months(unknown)["exposure"].eq(0).all()


def test_services_come_in_the_order_of_the_standard(cleaned):
    rows = [("p1", "2025-02", s, 1) for s in ("zumba", "ae", "gp", "acupuncture")]
    found = services_used(use(cleaned, lines(rows)))
    assert found[:2] == ["gp", "ae"] and found == sorted(found, key=["gp", "ae", "acupuncture", "zumba"].index)


def test_the_sample_scheme_gives_every_row_back():
    scheme = clean_scheme(load_scheme(SAMPLE / "harbour"))
    table, rows = service_months(scheme), scheme.tables["service_use"]
    assert (len(table), table["count"].sum()) == (len(rows), rows["count"].sum()) and table["exposure"].eq(1).all()
    assert set(table["month"]) == set(range(-12, 10)) and [use_problem(scheme, s) for s in services_used(scheme)] == ["", ""]


@pytest.mark.parametrize("seed", range(5))
def test_counts_are_those_of_a_plain_loop(cleaned, seed):
    rng = np.random.default_rng(seed)
    zero = seed % 2
    rows = [(p, f"{2024 + k // 12}-{k % 12 + 1:02}", s, int(rng.integers(1 - zero, 4))) for p in ("p1", "p2", "c1") for s in ("gp", "ae") for k in range(18)
            if rng.random() < 0.6]
    table = service_months(use(cleaned, lines(rows)), 6, 6)
    start = dict(p1=12, p2=13, c1=13)
    expected = {}
    for p, month, s, n in rows:
        at = (int(month[:4]) - 2024) * 12 + int(month[5:]) - 1 - start[p]
        if -6 <= at <= 6:
            expected[p, s, at] = expected.get((p, s, at), 0) + n
    found = table[table["count"].gt(0)].set_index(["person_id", "service", "month"])["count"].to_dict()
    assert found == {k: v for k, v in expected.items() if v}
