"""The five suitable groups: definitions, coverage, overlap, referrals matching none."""

import pandas as pd
import pytest

from sprx import cohort
from sprx.intervals import wilson
from sprx.metrics.for_whom import group_coverage, group_overlap, referrals_in_no_group

PEOPLE = ("person_id,age,long_term_conditions,gp_appointments_12m,single_parent,imd_decile\np1,70,1,12,yes,3\np2,70,2,9,yes,4\np3,40,0,11,no,1\n")


def flags(**groups):
    return pd.DataFrame({name: pd.array(values, dtype="boolean") for name, values in groups.items()})


# ---- definitions ---------------------------------------------------------------------------------------------------------------

def test_a_definition_in_scheme_yaml_takes_the_place_of_the_usual_one(cleaned):
    changed = {"long_term_condition": {"conditions_at_least": 2}, "frequent_attender": {"gp_appointments_12m": 10}, "low_income_single_parent": {"imd_decile_at_most": 3}}
    for settings, expected in (({}, [[True, True, False], [True, False, False], [False, False, False]]),
                               ({"suitable_groups": changed}, [[False, True, False], [True, False, True], [True, False, False]])):
        scheme = cleaned(settings, people=PEOPLE)
        found = cohort.suitable_groups(scheme, cohort.referred_people(scheme))
        assert [found[g].tolist() for g in ("long_term_condition", "frequent_attender", "low_income_single_parent")] == expected


def test_ages_months_and_scores_can_be_changed_too(cleaned):
    people = "person_id,age,bereaved_on\np1,62,2024-06-01\np2,70,2022-06-01\n"
    tables = dict(people=people, referrals="referral_id,person_id,referral_date\nr1,p1,2025-01-01\nr2,p2,2025-01-01\n",
                  outcomes="person_id,instrument,occasion,months,value\np1,phq9,baseline,0,16\np2,phq9,baseline,0,6\n")
    usual, changed = cleaned(**tables), cleaned({"suitable_groups": {"bereaved_older": {"age_at_least": 60, "months": 36}, "depression_anxiety": {"phq9": [10, 19]}}}, **tables)
    def said(scheme, group):
        return cohort.suitable_groups(scheme, cohort.referred_people(scheme))[group].tolist()

    assert said(usual, "bereaved_older") == [False, False] and said(changed, "bereaved_older") == [True, True]
    assert said(usual, "depression_anxiety") == [False, True] and said(changed, "depression_anxiety") == [True, False]


def test_the_definitions_used_are_told_with_those_that_were_changed(cleaned):
    told = cohort.group_definitions(cleaned({"suitable_groups": {"frequent_attender": {"gp_appointments_12m": 10, "eligible": 5}, "long_term_condition": {"eligible": 9}}})).set_index("group")
    assert told.changed.to_dict() == {"depression_anxiety": False, "low_income_single_parent": False, "bereaved_older": False, "long_term_condition": False, "frequent_attender": True}
    assert told.definition["frequent_attender"] == "10 or more GP appointments or 5 or more A&E attendances in the year before"
    assert told.definition["depression_anxiety"].startswith("a first PHQ-9 score of 5 to 14 or GAD-7 score of 5 to 14")


# ---- coverage ------------------------------------------------------------------------------------------------------------------

POPULATION = "age_band,people\n18-59,1000\n60-69,400\n70+,600\n"


def test_eligible_residents_are_given_or_a_share_of_the_population_table(cleaned):
    says = {"frequent_attender": {"eligible": 500, "eligible_source": "practice lists"}, "long_term_condition": {"eligible_share": 0.25},
            "bereaved_older": {"eligible_share": 0.1}}
    found = cohort.eligible_residents(cleaned({"suitable_groups": says}, population=POPULATION)).set_index("group")
    # 65 and over: half of 60-69 and all of 70+: 800
    assert found.eligible.dropna().to_dict() == pytest.approx({"bereaved_older": 80, "long_term_condition": 500, "frequent_attender": 500})
    assert found.source["frequent_attender"] == "practice lists" and found.source["long_term_condition"] == "scheme.yaml, source not said; 25% of 2,000 residents"
    assert found.source["bereaved_older"].endswith("10% of 800 residents aged 65 or over") and found.source["depression_anxiety"] == ""


def test_coverage_is_people_seen_by_eligible_residents_with_wilsons_limits():
    people = pd.DataFrame({"seen": pd.array([True] * 30 + [False] * 10 + [None] * 5, dtype="boolean")})
    given = flags(a=[True] * 20 + [False] * 5 + [None] * 5 + [True] * 15, b=[True] * 45, c=[None] * 45, d=[True] * 45)
    eligible = pd.DataFrame({"group": list("abcd"), "eligible": [100.0, 29.6, 50, None], "source": ["a count", "x", "x", ""]})
    table = group_coverage(people, given, eligible).set_index("level")
    assert table.estimate["a"] == 0.2 and (table.conf_low["a"], table.conf_high["a"]) == wilson(20, 100, 0.95) and (table.n["a"], table.n_missing["a"]) == (25, 5)
    assert table.estimate["b"] == 1 and table.note["a"] == "of 100 residents: a count"
    assert pd.isna(table.estimate["c"]) and "defined by" in table.note["c"] and table.note["d"].startswith("needs the number of residents")


def test_more_people_than_residents_is_said_and_not_estimated():
    people = pd.DataFrame({"seen": pd.array([True] * 30, dtype="boolean")})
    row = group_coverage(people, flags(a=[True] * 30), pd.DataFrame({"group": ["a"], "eligible": [20.0], "source": ["x"]})).iloc[0]
    assert pd.isna(row.estimate) and row.note == "more people were seen than the 20 said to be eligible (x)"


# ---- overlap -------------------------------------------------------------------------------------------------------------------

def test_each_person_is_in_one_combination_of_the_groups_that_can_be_shown():
    table = group_overlap(flags(a=[True, True, True, False, None], b=[True, True, False, False, True], c=[None] * 5)).set_index("level")
    assert table.estimate.to_dict() == {"a + b": 2, "a": 1, "none of these": 1} and (table.n == 4).all() and (table.n_missing == 1).all()


@pytest.mark.parametrize("given", [flags(a=[None, None]), flags(a=[]), flags(a=[True, None], b=[None, True])])
def test_where_nobody_is_known_in_every_group_there_is_a_note(given):
    table = group_overlap(given)
    assert pd.isna(table.estimate[0]) and table.note[0].startswith("there is nobody") and table.n_missing[0] == len(given)


def test_referrals_of_people_in_no_group_are_counted_and_those_not_known_are_missing():
    people = pd.DataFrame({"person_id": ["p1", "p2", "p3"]}, index=[5, 6, 7])
    given = flags(a=[False, True, False], b=[False, False, None]).set_axis(people.index)
    row = referrals_in_no_group(pd.DataFrame({"person_id": ["p1", "p1", "p2", "p3", "p9"]}), people, given).iloc[0]
    assert (row.n, row.n_missing, row.estimate) == (3, 2, pytest.approx(2 / 3))
    assert pd.isna(referrals_in_no_group(pd.DataFrame({"person_id": ["p1"]}), people, flags(a=[None] * 3).set_axis(people.index)).estimate[0])
