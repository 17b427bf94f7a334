"""Reach: ratios, stages by group, standardised rates, inequality; and the cohorts behind them."""

import numpy as np
import pandas as pd
import pytest

from sprx import cohort
from sprx.errors import DataError
from sprx.intervals import poisson, wilson
from sprx.metrics.for_whom import inequality, reached_by, referral_rate_standardised, representation_ratio
from sprx.stats import equity


def people_in(by, **counts):
    return pd.DataFrame({by: pd.array([None if level == "missing" else level for level, n in counts.items() for _ in range(n)], dtype="string")})


def residents_in(by, **counts):
    return pd.DataFrame({by: list(counts), "people": list(counts.values())})


def by_level(table):
    return table.set_index("level")


def tenths(*counts):
    return pd.DataFrame({"imd_decile": pd.array([level for level, n in enumerate(counts, 1) for _ in range(n)], dtype="Int64")})


def residents_by_tenth(*counts):
    return pd.DataFrame({"imd_decile": pd.array(range(1, len(counts) + 1), dtype="Int64"), "people": counts})


# ---- representation --------------------------------------------------------------------------------------------------------

def test_a_ratio_is_the_share_of_people_by_the_share_of_residents_with_wilsons_limits():
    table = by_level(representation_ratio(people_in("sex", female=60, male=40, missing=5, other=3), residents_in("sex", female=500, male=500), "sex"))
    low, high = wilson(60, 100, 0.95)
    assert list(table.index) == ["female", "male"] and list(table.estimate) == pytest.approx([1.2, 0.8])
    assert (table.conf_low["female"], table.conf_high["female"]) == pytest.approx((2 * low, 2 * high))
    assert (table.n == 100).all() and (table.n_missing == 8).all() and (table.unit == "ratio").all()


def test_a_ratio_at_a_stage_is_of_those_who_came_so_far():
    people = people_in("sex", female=50, male=50).assign(seen=pd.array([True] * 30 + [False] * 20 + [True] * 10 + [None] * 40, dtype="boolean"))
    table = by_level(representation_ratio(people, residents_in("sex", female=1, male=3), "sex", stage="seen"))
    assert list(table.estimate) == pytest.approx([30 / 40 / 0.25, 10 / 40 / 0.75]) and (table.measure == "representation_ratio_seen").all()


def test_a_group_without_residents_has_no_ratio_and_nobody_known_gives_a_note():
    table = by_level(representation_ratio(people_in("sex", female=5, other=2), residents_in("sex", female=10, other=0), "sex"))
    assert list(table.index) == ["female"] and table.n_missing["female"] == 2
    empty = representation_ratio(people_in("sex", missing=3), residents_in("sex", female=10), "sex")
    assert empty.estimate.isna().all() and empty.note[0].startswith("nobody whose group") and empty.n_missing[0] == 3


# ---- stages by group ---------------------------------------------------------------------------------------------------------

def test_each_groups_share_at_each_stage_is_of_its_own_people_referred():
    people = people_in("sex", female=4, male=2, missing=1).assign(
        seen=pd.array([True, True, True, False, True, None, False], dtype="boolean"), completed=pd.array([True] + [False] * 6, dtype="boolean"), followed_up=pd.array([None] * 7, dtype="boolean"))
    table = reached_by(people, "sex").set_index(["measure", "level"])
    assert table.estimate["reached_seen"].to_dict() == {"female": 0.75, "male": 1, "missing": 0} and "reached_followed_up" not in table.index.levels[0]
    assert (table.n["reached_seen", "male"], table.n_missing["reached_seen", "male"]) == (1, 1) and table.estimate["reached_completed", "female"] == 0.25


# ---- standardised rates ------------------------------------------------------------------------------------------------------

AGES = {"18-64": 800, "65+": 200}


def aged(**counts):
    return people_in("age_band", **{band.replace("to", "-").replace("plus", "+").lstrip("a"): n for band, n in counts.items()})


def test_a_standardised_rate_by_hand_with_esp2013():
    # ESP2013: 18-64 = 2/5 of 5500 + 6000 + 6000 + 6500 + 4 x 7000 + 6500 + 6000 = 61200; 65+ = 5500 + 5000 + 4000 + 2500 + 1500 + 1000 = 19500
    people, residents = aged(a18to64=16, a65plus=10, missing=3), residents_in("age_band", **AGES)
    row = referral_rate_standardised(people, residents).iloc[0]
    share = np.array([61200, 19500]) / 80700
    assert row.estimate == pytest.approx(1000 * (share[0] * 16 / 800 + share[1] * 10 / 200)) and (row.n, row.n_missing) == (26, 3)
    error = 1000 * (share[0] ** 2 * 16 / 800 ** 2 + share[1] ** 2 * 10 / 200 ** 2) ** 0.5
    assert row.conf_low == pytest.approx(row.estimate + error / 26 ** 0.5 * (poisson(26, 0.95)[0] - 26)) and row.note == "ages used: 18 and over"


def test_by_group_each_has_its_own_residents_and_few_people_give_a_note():
    people = pd.concat([aged(a18to64=16, a65plus=10).assign(sex="female"), aged(a18to64=5, a65plus=4).assign(sex="male")])
    residents = pd.concat([residents_in("age_band", **AGES).assign(sex=sex) for sex in ("female", "male")])
    table = by_level(referral_rate_standardised(people, residents, "sex"))
    assert table.estimate["female"] == referral_rate_standardised(people[people.sex == "female"], residents[residents.sex == "female"]).estimate[0]
    assert pd.isna(table.estimate["male"]) and table.n["male"] == 9 and table.note["male"].startswith("fewer than 10 people")


def test_a_band_without_residents_carries_no_weight_and_its_people_are_counted_out():
    residents = residents_in("age_band", **{"0-17": 0, "18-64": 800, "65+": 200})
    row = referral_rate_standardised(aged(a0to17=4, a18to64=16, a65plus=10), residents).iloc[0]
    same = referral_rate_standardised(aged(a18to64=16, a65plus=10), residents_in("age_band", **AGES)).iloc[0]
    assert row.estimate == same.estimate and (row.n, row.n_missing) == (26, 4) and "some people are of an age without residents" in row.note


def test_missing_bands_are_named_by_those_used_and_no_ages_at_all_is_a_note():
    gap = referral_rate_standardised(aged(a18to24=10, a65plus=10), residents_in("age_band", **{"18-24": 100, "25-34": 100, "65+": 200})).iloc[0]
    assert gap.note == "ages used: 18 to 34, 65 and over"
    none = referral_rate_standardised(aged(a18to64=20), pd.DataFrame({"age_band": pd.array([None], dtype="string"), "people": [1000]})).iloc[0]
    assert pd.isna(none.estimate) and none.note == "no residents by age in the population table" and none.n + none.n_missing == 20


# ---- inequality ----------------------------------------------------------------------------------------------------------------

def test_the_index_rests_on_the_rates_and_the_residents_from_the_most_deprived():
    table = inequality(tenths(90, 80, 70, 60, 50, 40, 30, 20, 15, 10), residents_by_tenth(*[10_000] * 10), "imd_decile").set_index(["measure", "level"])
    rates, ranks = np.array([9, 8, 7, 6, 5, 4, 3, 2, 1.5, 1]), np.arange(10) / 10 + 0.05
    slope, intercept = np.polyfit(ranks, rates, 1)
    assert table.estimate["slope_index", "all"] == pytest.approx(slope) and table.estimate["relative_index", "all"] == pytest.approx((intercept + slope) / intercept)
    assert table.estimate["fitted_rate"].to_dict() == pytest.approx({"most deprived": intercept, "least deprived": intercept + slope})
    assert list(table.estimate["relative_rank"]) == pytest.approx(list(ranks)) and table.note["slope_index", "all"] == "by tenths"
    assert table.conf_high["slope_index", "all"] < 0 and table.numerator["slope_index", "all"] == 10


def test_a_tenth_with_nobody_referred_has_an_error_of_its_own():
    table = inequality(tenths(30, 20, 10, 5, 0), residents_by_tenth(*[1000] * 5), "imd_decile").set_index("measure")
    limits = [poisson(count, 0.95) for count in (30, 20, 10, 5, 0)]
    errors = [equity.error_of_limits(*limit, 0.95) for limit in limits]
    assert min(errors) > 0 and table.std_error["slope_index"] == pytest.approx(
        equity.slope_and_relative_index([30, 20, 10, 5, 0], errors, [1000] * 5, 0.95)["slope_error"])


def test_people_without_a_level_and_in_a_level_without_residents_are_counted_out():
    people = pd.concat([tenths(20, 20, 20, 20), pd.DataFrame({"imd_decile": pd.array([None] * 3 + [9] * 2, dtype="Int64")})])
    row = inequality(people, residents_by_tenth(1000, 1000, 1000, 1000), "imd_decile").iloc[0]
    assert (row.n, row.n_missing) == (80, 5) and "no residents in 5, 6, 7, 8, 9, 10" in row.note and "if the column holds fifths" in row.note


@pytest.mark.parametrize("people, residents, note", [
    (tenths(20), residents_by_tenth(1000), "needs residents in at least 3 levels of deprivation; there are 1"),
    (tenths(20, 20, 5), residents_by_tenth(1000, 1000, 0), "there are 2"),
    (tenths(), residents_by_tenth(10, 10, 10), "nobody referred whose deprivation is known")])
def test_too_few_levels_or_nobody_give_a_note(people, residents, note):
    table = inequality(people, residents, "imd_decile")
    assert list(table.measure) == ["slope_index", "relative_index"] and table.estimate.isna().all() and table.note.str.contains(note, regex=False).all()


def test_a_line_that_falls_below_nought_has_a_slope_and_no_ratio():
    table = inequality(tenths(100, 10, 0, 0, 0), residents_by_tenth(*[1000] * 5), "imd_decile").set_index("measure")
    assert table.estimate["slope_index"] < 0 and pd.isna(table.estimate["relative_index"]) and "falls below 0" in table.note["relative_index"]


def test_negative_residents_are_refused():
    with pytest.raises(DataError, match="negative counts"):
        inequality(tenths(5, 5, 5), residents_by_tenth(10, -1, 10), "imd_decile")


# ---- the breakdown, and the people behind it -------------------------------------------------------------------------------------

def breakdown(people, residents):
    def fifth(table):
        return table.assign(imd_quintile=(table["imd_decile"].astype(float) + 1) // 2)

    return cohort.deprivation_breakdown(fifth(people), fifth(residents))


def test_tenths_are_used_where_none_of_them_is_small():
    full = residents_by_tenth(*[1000] * 10)
    assert breakdown(tenths(*[10] * 10), full) == "imd_decile" and breakdown(tenths(*[10] * 9, 9), full) == "imd_quintile"
    assert breakdown(tenths(*[10] * 9, 0), full) == "imd_decile" and breakdown(tenths(*[20] * 5), residents_by_tenth(*[1000] * 5)) == "imd_quintile"
    assert breakdown(tenths(), full) is None and breakdown(tenths(10), full.head(0)) is None


SCHEME = dict(people="person_id,birth_year,sex,carer,site\n" + "".join(f"p{i},19{50 + i},female,{'yes' if i % 2 else 'no'},s{i}\n" for i in range(1, 6)),
              referrals="referral_id,person_id,referral_date,source,first_contact_date,status\nr1,p1,2025-01-10,gp,2025-01-20,completed\nr2,p1,2025-08-10,self,,waiting\n"
                        "r3,p2,2025-02-10,gp,,waiting\nr4,p3,2025-12-20,self,2025-12-21,active\nr5,p4,2025-03-01,vcse,2025-03-02,closed\n",
              outcomes="person_id,instrument,occasion,months,value\np1,swemwbs,baseline,0,20\np1,swemwbs,follow_up,3,22\np2,swemwbs,baseline,0,20\n")


def test_a_person_reached_a_stage_when_any_referral_did_and_the_newest_are_not_known(cleaned):
    scheme = cleaned(dict(follow_up_months=3), **SCHEME)
    people = cohort.people_stages(scheme, cohort.referred_people(scheme), 90).set_index("person_id")
    assert list(people.index) == ["p1", "p2", "p3", "p4"] and people["source"].to_dict() == {"p1": "gp", "p2": "gp", "p3": "self", "p4": "vcse"}
    said = {stage: [None if pd.isna(v) else bool(v) for v in people[stage]] for stage in ("seen", "completed", "followed_up")}
    assert said == {"seen": [True, False, None, True], "completed": [True, False, None, None], "followed_up": [True, False, None, False]}


def test_follow_up_is_not_known_until_its_time_has_passed(cleaned):
    scheme = cleaned(dict(follow_up_months=12), **SCHEME)
    assert cohort.people_stages(scheme, cohort.referred_people(scheme), 90).followed_up.isna().all()


def test_columns_are_described_numbers_first_and_one_with_very_many_levels_not_at_all(cleaned):
    rows = "".join(f"p{i},{1940 + i},female,{'yes' if i % 2 else 'no'},{i / 2},s{i % 3},name{i}\n" for i in range(1, 21))
    scheme = cleaned(dict(covariates=["score", "site", "age", "nickname"]), people=f"person_id,birth_year,sex,carer,score,site,nickname\n{rows}")
    people, numbers, groups = cohort.table_one_columns(scheme, cohort.people_stages(scheme, cohort.referred_people(scheme), 90))
    assert numbers == ["age", "score"] and groups == ["age_band", "sex", "carer", "site"] and people["score"].tolist() == [i / 2 for i in range(1, 21)]


@pytest.mark.parametrize("settings", [{}, dict(extract_date=None)])
def test_people_alone_have_no_stage_and_no_source(cleaned, settings):
    scheme = cleaned(settings)
    people = cohort.people_stages(scheme, cohort.referred_people(scheme), 90)
    assert len(people) == 3 and people[["seen", "completed", "followed_up", "source"]].isna().all(axis=None)
