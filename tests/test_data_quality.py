"""Data quality: rows accounted for, problems, completeness."""

import pandas as pd
import pytest

from sprx.errors import DataError
from sprx.metrics.data_quality import completeness, completeness_by_month, problems_found, rows_accounted


def test_rows_read_are_rows_used_and_rows_set_aside():
    accounts = pd.DataFrame({"table": ["people", "outcomes"], "rows_in": [100, 50], "rows_used": [90, 50], "rows_set_aside": [10, 0]})
    table = rows_accounted(accounts).pivot(index="level", columns="measure", values="estimate")
    assert (table.rows_read == table.rows_used + table.rows_set_aside).all() and table.rows_set_aside["people"] == 10
    assert set(rows_accounted(accounts).n) == {100, 50} and (rows_accounted(accounts).unit == "rows").all()


def test_no_accounts_give_an_empty_table_and_an_absent_column_is_named():
    accounts = pd.DataFrame(columns=["table", "rows_in", "rows_used", "rows_set_aside"])
    assert rows_accounted(accounts).empty
    with pytest.raises(DataError, match="accounts has no column 'rows_used'"):
        rows_accounted(accounts.drop(columns="rows_used"))


def test_problems_are_counted_by_kind_and_notes_on_whole_tables_are_left_out():
    issues = pd.DataFrame({"table": "referrals", "row": pd.array([2, 3, 4, None], dtype="Int64"), "column": ["status", "status", "source", ""],
                           "problem": ["not understood", "not understood", "missing", "a note"], "action": "set to missing"})
    table = problems_found(issues).set_index("level").estimate
    assert dict(table) == {"referrals | source | missing | set to missing": 1, "referrals | status | not understood | set to missing": 2}


def test_the_referral_that_another_was_joined_to_is_not_named():
    issues = pd.DataFrame({"table": "referrals", "row": pd.array([2, 3], dtype="Int64"), "column": "referral_id", "problem": "repeat referral",
                           "action": ["joined to referral R17", "joined to referral R99"]})
    table = problems_found(issues)
    assert list(table.estimate) == [2] and "R17" not in table.level[0] and "R99" not in table.level[0]


def test_no_problems_give_an_empty_table():
    assert problems_found(pd.DataFrame(columns=["table", "row", "column", "problem", "action"])).empty


def test_completeness_matches_newcombe_1998():
    # Newcombe RG (1998) Stat Med 17:857-872, 81/263, method 3: 0.2553 to 0.3662
    table = completeness({"people": pd.DataFrame({"sex": ["female"] * 81 + [None] * 182})})
    row = table.iloc[0]
    assert (row.group, row.level, row.n, row.numerator, row.estimate) == ("people", "sex", 263, 81, 81 / 263)
    assert (round(row.conf_low, 4), round(row.conf_high, 4)) == (0.2553, 0.3662)


def test_a_table_without_rows_has_no_completeness():
    row = completeness({"people": pd.DataFrame({"sex": pd.Series([], dtype="string")})}).iloc[0]
    assert row.n == 0 and pd.isna(row.estimate)


def test_a_referral_is_complete_when_every_field_is_filled_and_undated_ones_are_a_level():
    referrals = pd.DataFrame({"referral_date": pd.to_datetime(["2024-01-05", "2024-01-06", "2024-02-01", None]),
                              "source": ["gp", None, "gp", "gp"], "status": ["closed", "closed", "closed", None]})
    table = completeness_by_month(referrals, ["source", "status"]).set_index("level")
    assert dict(table.estimate) == {"2024-01": 0.5, "2024-02": 1, "missing": 0} and table.n.sum() == 4
    assert dict(completeness_by_month(referrals, []).set_index("level").estimate) == {"2024-01": 1, "2024-02": 1, "missing": 0}


def test_months_of_no_referrals_give_an_empty_table():
    referrals = pd.DataFrame({"referral_date": pd.Series([], dtype="datetime64[ns]"), "source": pd.Series([], dtype="string")})
    assert completeness_by_month(referrals, ["source"]).empty
