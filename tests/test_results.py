"""The result table: the one shape every estimate has."""

import pandas as pd
import pytest

from sprx.errors import DataError
from sprx.results import COUNTS, RESULT_COLUMNS, levels, result_table, rows_by_arm, stack_results

ROW = dict(measure="uptake", group="all", level="all", n=10, n_missing=2, estimate=0.4, conf_low=0.2, conf_high=0.6, unit="proportion")


def test_a_result_table_has_the_columns_of_the_design_in_their_order():
    # docs: design.md, "The result table: the one shape everything has"
    assert RESULT_COLUMNS == ["scheme_id", "question", "measure", "group", "level", "n", "n_missing", "estimate", "std_error",
                              "conf_low", "conf_high", "conf_level", "unit", "method", "note", "suppressed"]
    assert list(result_table([ROW]).columns) == RESULT_COLUMNS + COUNTS


def test_what_a_row_does_not_give_is_an_empty_text_or_a_missing_number():
    row = result_table([dict(measure="x", level=3)]).iloc[0]
    assert (row.note, row.method, row.unit, row.scheme_id) == ("", "", "", "") and not row.suppressed
    assert row[["n", "n_missing", "estimate", "conf_low", "conf_high", "std_error", "numerator", "denominator"]].isna().all()


def test_a_table_without_rows_keeps_its_columns_and_types_when_joined_to_another():
    joined = stack_results(result_table([]), result_table([ROW]), result_table([ROW]))
    assert len(joined) == 2 and list(joined.columns) == RESULT_COLUMNS + COUNTS and joined.n.dtype == float
    assert joined.suppressed.dtype == bool and list(joined.index) == [0, 1]
    assert list(stack_results().columns) == RESULT_COLUMNS + COUNTS


@pytest.mark.parametrize("limits", [(0.5, 0.6), (0.2, 0.3), (0.6, 0.2)])
def test_an_interval_that_misses_its_estimate_is_refused_with_the_measure_and_level(limits):
    with pytest.raises(DataError, match=r"uptake: estimate outside its interval for \['all'\]"):
        result_table([ROW | dict(conf_low=limits[0], conf_high=limits[1])])


def test_an_open_or_an_empty_interval_is_accepted():
    table = result_table([ROW | dict(conf_high=None), ROW | dict(conf_low=None, conf_high=None), ROW | dict(estimate=None)])
    assert len(table) == 3 and table.conf_low.isna().sum() == 1


def test_people_with_no_recorded_group_are_a_level_and_come_last():
    table = pd.DataFrame({"quintile": pd.array([2, None, 1, None], dtype="Int64"), "x": range(4)})
    found = [(level, list(rows.x)) for level, rows in levels(table, "quintile")]
    assert found == [("1", [2]), ("2", [0]), ("missing", [1, 3])]
    assert [(level, len(rows)) for level, rows in levels(table)] == [("all", 4)]


def test_levels_of_a_category_that_nobody_has_are_not_made_up():
    table = pd.DataFrame({"sex": pd.Categorical(["female", None], categories=["female", "male"])})
    assert [level for level, _ in levels(table, "sex")] == ["female", "missing"]


def test_rows_by_arm_gives_the_arms_the_scheme_first_or_the_one_row_there_is():
    one = result_table([ROW])
    two = stack_results(one, result_table([ROW | dict(group="arm", level=arm) for arm in ("comparison", "scheme")]))
    assert list(rows_by_arm(two, "uptake").level) == ["scheme", "comparison"]
    assert list(rows_by_arm(one, "uptake").level) == ["all"] and rows_by_arm(one, "other").empty
