"""Table 1: who came how far, and how they differ from those who did not."""

import numpy as np
import pandas as pd
import pytest

from sprx.errors import DataError
from sprx.metrics.for_whom import averages, composition, share_of_older, stage_difference, table_one
from sprx.report import table_one_html
from sprx.disclosure import RULES, release

NHSE = RULES["nhse_1_7_round5"]


def flags(*values):
    return pd.array(values, dtype="boolean")


def people_of(count=40, **columns):
    """People of whom the first half were seen; nobody completed is known; a quarter was followed up."""
    stages = {"seen": flags(*[True] * (count // 2), *[False] * (count - count // 2)), "completed": flags(*[None] * count),
              "followed_up": flags(*[True] * (count // 4), *[False] * (count - count // 4))}
    return pd.DataFrame({"person_id": [f"P{i}" for i in range(count)]} | stages | columns)


def by_level(table):
    return table.set_index("level")


# ---- older people ---------------------------------------------------------------------------------------------------------

def test_the_share_of_older_people_has_those_of_65_in_it_and_nobody_of_unknown_age():
    row = share_of_older(pd.DataFrame({"age": pd.array([64, 65, 66, None, None], dtype="Int64")})).iloc[0]
    assert (row.estimate, row.n, row.n_missing, row.level) == (pytest.approx(2 / 3), 3, 2, "65 or over")
    nobody = share_of_older(pd.DataFrame({"sex": ["female"]})).iloc[0]
    assert pd.isna(nobody.estimate) and (nobody.n, nobody.n_missing) == (0, 1)


# ---- composition at a stage -----------------------------------------------------------------------------------------------

def test_the_composition_of_a_stage_is_of_those_who_came_so_far_and_keeps_every_level():
    people = people_of(4, sex=["female", "female", "male", None]).assign(seen=flags(True, True, False, None))
    table = by_level(composition(people, "sex", stage="seen"))
    assert list(table.index) == ["female", "male", "missing"] and list(table.estimate) == [1, 0, 0]
    assert (table.measure == "share_of_people_seen").all() and (table.n == 2).all() and list(table.numerator) == [2, 0, 0]


def test_a_stage_that_nobody_is_known_to_have_reached_is_one_row_with_a_note():
    table = composition(people_of(4, sex=["female"] * 4), "sex", stage="completed")
    assert len(table) == 1 and pd.isna(table.estimate[0]) and table.n_missing[0] == 4 and table.note[0] == "nobody is known to have come this far"


def test_a_flag_is_said_with_yes_and_no_and_a_number_one_is_not():
    people = pd.DataFrame({"carer": flags(True, False, True, None), "imd_quintile": pd.array([1, 1, 0, None], dtype="Int64")})
    assert list(composition(people, "carer").level) == ["no", "yes", "missing"] and list(composition(people, "carer").numerator) == [1, 2, 1]
    assert list(composition(people, "imd_quintile").level) == ["0", "1", "missing"]


# ---- averages -------------------------------------------------------------------------------------------------------------

def test_mean_sd_and_median_by_hand():
    people = people_of(8, age=[20.0, 30, 40, 90, 1, 1, None, None])
    everyone = averages(people, "age").set_index("measure")
    assert everyone.estimate["mean_of_people"] == pytest.approx(182 / 6) and everyone.estimate["median_of_people"] == 25
    seen = averages(people, "age", stage="seen").set_index("measure")            # 20, 30, 40, 90: mean 45, squares 625 225 25 2025
    assert seen.estimate["mean_of_people_seen"] == 45 and seen.estimate["sd_of_people_seen"] == pytest.approx((2900 / 3) ** 0.5)
    assert (seen.n == 4).all() and (everyone.n == 6).all() and (everyone.n_missing == 2).all() and (everyone.unit == "years").all()
    # t(3) = 3.182446: 45 +- 3.182446 x sqrt(2900 / 3 / 4)
    assert seen.conf_low["mean_of_people_seen"] == pytest.approx(45 - 3.182446 * (2900 / 12) ** 0.5, abs=1e-4)


@pytest.mark.parametrize("ages", [[50.0], [None, None], []])
def test_fewer_than_two_values_have_no_average_but_a_note(ages):
    table = averages(pd.DataFrame({"age": pd.Series(ages, dtype=float)}), "age")
    assert table.estimate.isna().all() and (table.note == "fewer than two people with a value").all() and (table.n + table.n_missing == len(ages)).all()


# ---- differences ------------------------------------------------------------------------------------------------------------

def test_a_difference_compares_those_who_came_so_far_with_those_who_did_not():
    people = people_of(6, age=[1.0, 2, 3, 3, 5, 7]).assign(seen=flags(*[True] * 3, *[False] * 3))
    row = stage_difference(people, "age", "seen", is_number=True).iloc[0]
    assert row.estimate == pytest.approx(-3 / 2.5 ** 0.5) and (row.n, row.n_missing, row.numerator) == (6, 0, 3)
    assert row.std_error == pytest.approx((1 / 3 + 1 / 3) ** 0.5) and row.measure == "smd_seen"


def test_missing_is_a_level_of_a_group_and_a_stage_that_is_not_known_is_left_out():
    people = people_of(100, sex=["female"] * 30 + [None] * 20 + ["female"] * 45 + [None] * 5).assign(seen=flags(*[True] * 50, *[False] * 45, *[None] * 5))
    row = stage_difference(people, "sex", "seen").iloc[0]
    # 20 of 50 and 0 of 45 missing: 0.4 / sqrt(0.24 / 2)
    assert row.estimate == pytest.approx(0.4 / 0.12 ** 0.5) and (row.n, row.n_missing) == (95, 5)


def test_what_chance_brings_grows_with_the_levels():
    # 2,000 shuffles of four levels: root mean square of the difference is std_error, to within 3%
    random = np.random.default_rng(5)
    groups, found = np.array(list("abcd") * 30), []
    for _ in range(300):
        people = pd.DataFrame({"g": random.permutation(groups), "seen": flags(*[True] * 40, *[False] * 80)})
        found.append(stage_difference(people, "g", "seen").iloc[0])
    assert np.mean([row.estimate ** 2 for row in found]) ** 0.5 == pytest.approx(found[0].std_error, rel=0.06)


@pytest.mark.parametrize("seen, note", [([None] * 4, "no such stage is recorded"), ([True] * 4, "everyone or nobody came so far")])
def test_without_two_groups_there_is_no_difference_but_a_note(seen, note):
    row = stage_difference(people_of(4, sex=["female"] * 4).assign(seen=flags(*seen)), "sex", "seen").iloc[0]
    assert pd.isna(row.estimate) and row.note.startswith(note) and row.n + row.n_missing == 4


# ---- the table --------------------------------------------------------------------------------------------------------------

def whole(count=80):
    return table_one(people_of(count, age=np.arange(20.0, 20 + count), sex=["female", "male"] * (count // 2), source=["<b>gp</b>"] * (count // 2) + ["self"] * (count // 2)),
                     ["age"], ["sex", "source"])


def test_table_one_has_numbers_first_and_no_rows_for_a_stage_that_nobody_recorded():
    table = whole()
    assert list(table.measure[:3]) == ["mean_of_people", "sd_of_people", "median_of_people"]
    assert not table.measure.str.contains("completed").any() and {"smd_seen", "smd_followed_up", "share_of_people_seen"} <= set(table.measure)
    with pytest.raises(DataError, match="no column 'completed'"):
        table_one(pd.DataFrame({"age": [1.0], "seen": [True]}), ["age"], [])


def test_the_printed_table_is_made_of_released_rows_and_escapes_every_text():
    page = table_one_html(release(whole(), NHSE))
    assert "<b>" not in page and "&lt;b&gt;gp" in page and page.count("<th scope=\"col\">") == 4
    assert "Referred (80 people)" in page and "Seen (40 people)" in page and "Followed up (20 people)" in page and "Completed" not in page
    assert 'data-label="Seen">39.5 (11.7)</td>' in page           # 20 to 59: mean 39.5, SD sqrt(40 x 41 / 12) = 11.69
    assert "SMD −" in page and "nan" not in page.lower()


def test_hidden_cells_are_starred_in_the_printed_table():
    page = table_one_html(release(whole(8), NHSE))
    assert "*" in page.split("<tbody>")[1].split("</tbody>")[0] and "39.5" not in page
