"""For whom: composition, referral rates beside the residents, the suitable groups."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sprx.errors import DataError
from sprx.metrics.for_whom import composition, referral_rate, suitable_group_shares


def by_level(table):
    return table.set_index("level")


# ---- composition --------------------------------------------------------------------------------------------------------

def test_composition_matches_newcombe_1998():
    # Newcombe RG (1998) Stat Med 17:857-872, 81/263, method 3: 0.2553 to 0.3662
    row = by_level(composition(pd.DataFrame({"sex": ["female"] * 81 + ["male"] * 182}), "sex")).loc["female"]
    assert (round(row.conf_low, 4), round(row.conf_high, 4)) == (0.2553, 0.3662) and row.estimate == 81 / 263
    assert (row.numerator, row.denominator, row.n, row.unit) == (81, 263, 263, "proportion")


def test_people_with_no_recorded_characteristic_are_a_level_and_the_shares_make_one():
    people = pd.DataFrame({"imd_quintile": pd.array([1, 1, 1, 2, None, None, 5, None], dtype="Int64")})
    table = by_level(composition(people, "imd_quintile"))
    assert list(table.index) == ["1", "2", "5", "missing"] and list(table.numerator) == [3, 1, 1, 3]
    assert table.estimate.sum() == pytest.approx(1) and (table.n == 8).all() and (table.n_missing == 0).all()


def test_composition_counts_as_tableone_does():
    # tableone 0.9 (Pollard 2018 JAMIA Open 1:26) is the oracle: counts of a categorical variable, missing ones apart
    from tableone import TableOne

    people = pd.DataFrame({"sex": ["female"] * 13 + ["male"] * 9 + ["other"] * 2 + [None] * 4})
    theirs = TableOne(people, columns=["sex"], categorical=["sex"], include_null=False).tableone["Overall"]
    counts = {level: int(str(text).split()[0]) for (_, level), text in theirs.items() if level}
    ours = by_level(composition(people, "sex"))
    assert counts == {level: ours.numerator[level] for level in ("female", "male", "other")} and ours.numerator["missing"] == 4


def test_one_person_is_counted():
    row = composition(pd.DataFrame({"sex": [None]}), "sex").iloc[0]
    assert (row.level, row.estimate, row.n, row.conf_high) == ("missing", 1, 1, 1) and row.conf_low == pytest.approx(0.2065, abs=5e-5)
    # Wilson limits of 1/1: low = 1 / (1 + z^2) = 0.2065


def test_nobody_gives_an_empty_table():
    assert composition(pd.DataFrame({"sex": pd.Series([], dtype="string")}), "sex").empty


def test_an_absent_characteristic_is_named():
    with pytest.raises(DataError, match="people has no column 'sex'"):
        composition(pd.DataFrame({"age": [1]}), "sex")


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1, max_size=60))
def test_every_person_is_in_one_level(group):
    table = composition(pd.DataFrame({"group": group}), "group")
    assert table.numerator.sum() == len(group) and dict(zip(table.level, table.numerator)) == {
        level: sum((g or "missing") == level for g in group) for level in {g or "missing" for g in group}}


# ---- rates --------------------------------------------------------------------------------------------------------------

def people_in(**counts):
    return pd.DataFrame({"age_band": pd.array([None if level == "missing" else level for level, n in counts.items() for _ in range(n)], dtype="string")})


def residents_in(**counts):
    return pd.DataFrame({"age_band": list(counts), "people": list(counts.values())})


def test_a_rate_matches_r_phe_rate():
    # R 4.2.2, PHEindicatormethods 1.4.2: phe_rate(x, n, multiplier = 100000): 65 of 100: 65000, low 50163.1877104595
    # (Byar's); 5 of 100: 5000, 1623.48639011842 to 11668.3320793227 (exact). Ours are per 1,000. All its cases: golden/intervals.json
    table = by_level(referral_rate(people_in(a=65, b=5), residents_in(a=100, b=100), "age_band"))
    assert table.estimate["a"] == 650 and table.conf_low["a"] == pytest.approx(501.631877104595, rel=1e-9)
    assert (table.conf_low["b"], table.conf_high["b"]) == pytest.approx((16.2348639011842, 116.683320793227), rel=1e-9)
    assert list(table.method[["a", "b"]]) == ["Byar's", "exact"] and (table.unit == "per 1,000").all()


def test_a_level_with_residents_and_nobody_referred_has_a_rate_of_nought_with_an_upper_limit():
    # exact upper limit of 0 events: -ln(0.025) = 3.6889 (Garwood 1936)
    row = by_level(referral_rate(people_in(a=3), residents_in(a=1000, b=2000), "age_band")).loc["b"]
    assert (row.n, row.estimate, row.conf_low) == (0, 0, 0) and row.conf_high == pytest.approx(3.6889 / 2, abs=5e-5)


@pytest.mark.parametrize("residents", [dict(a=1000), dict(a=1000, b=0)])
def test_a_level_without_residents_has_no_rate_but_a_note_and_its_people(residents):
    row = by_level(referral_rate(people_in(a=3, b=2), residents_in(**residents), "age_band")).loc["b"]
    assert pd.isna(row.estimate) and pd.isna(row.conf_high) and row.n == 2 and row.note == "no residents in the population table"


def test_people_with_no_recorded_level_are_counted_and_have_no_rate():
    table = by_level(referral_rate(people_in(a=3, missing=4), residents_in(a=1000), "age_band"))
    assert (table.n["missing"], table.note["missing"]) == (4, "age_band not recorded") and pd.isna(table.estimate["missing"])
    assert table.n.sum() == 7


def test_cells_of_the_population_are_added_up_over_what_else_they_are_split_by():
    residents = pd.concat([residents_in(a=300), residents_in(a=700)])
    assert referral_rate(people_in(a=5), residents, "age_band").estimate[0] == 5


def test_whole_number_levels_meet_whichever_type_they_have():
    people = pd.DataFrame({"imd_quintile": pd.array([1, 1, 5], dtype="Int64")})
    residents = pd.DataFrame({"imd_quintile": pd.array([1, 5], dtype="Int64"), "people": [1000, 500]})
    assert list(referral_rate(people, residents, "imd_quintile").estimate) == [2, 2]


def test_negative_residents_are_refused():
    with pytest.raises(DataError, match="negative counts of people"):
        referral_rate(people_in(a=1), residents_in(a=-1), "age_band")


# ---- suitable groups ----------------------------------------------------------------------------------------------------

def shares_of(flags):
    table = suitable_group_shares(flags)
    return table[table.measure == "share_in_suitable_group"].reset_index(drop=True)


def test_shares_of_groups_are_among_those_of_whom_it_is_known_and_groups_overlap():
    flags = pd.DataFrame({"long_term_condition": pd.array([True] * 5 + [False] * 3 + [None] * 2, dtype="boolean"),
                          "frequent_attender": pd.array([True] * 2 + [False] * 8, dtype="boolean")})
    table = by_level(shares_of(flags))
    assert list(table.n) == [8, 10, 8] and list(table.n_missing) == [2, 0, 2]
    assert list(table.estimate) == [5 / 8, 0.2, 3 / 8] and list(table.index)[-1] == "none of these"


def test_a_group_that_the_data_do_not_hold_has_no_share_and_is_named_in_the_note_on_none():
    flags = pd.DataFrame({"bereaved_older": pd.array([None] * 4, dtype="boolean"), "frequent_attender": pd.array([True] + [False] * 3, dtype="boolean")})
    table = by_level(shares_of(flags))
    assert pd.isna(table.estimate["bereaved_older"]) and (table.n["bereaved_older"], table.n_missing["bereaved_older"]) == (0, 4)
    assert table.note["bereaved_older"].startswith("the data do not hold")
    assert table.estimate["none of these"] == 0.75 and "not shown: bereaved_older" in table.note["none of these"]


@pytest.mark.parametrize("flags", [pd.DataFrame({"a": pd.array([None, None], dtype="boolean")}), pd.DataFrame({"a": pd.array([], dtype="boolean")})])
def test_when_no_group_can_be_told_nothing_is_estimated_and_everyone_is_counted(flags):
    table = shares_of(flags)
    assert table.estimate.isna().all() and (table.n + table.n_missing == len(flags)).all()


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 40), st.integers(0, 2 ** 16))
def test_every_person_is_known_or_missing_in_each_group(count, seed):
    random = np.random.default_rng(seed)
    flags = pd.DataFrame({g: pd.array(random.choice([True, False, None], count), dtype="boolean") for g in ("x", "y")})
    assert (shares_of(flags).pipe(lambda t: t.n + t.n_missing) == count).all()
