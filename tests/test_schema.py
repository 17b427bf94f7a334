"""Text to values: dates, numbers, yes and no, codes; and what a column should hold, in words."""

import pandas as pd
import pytest

from sprx import schema
from sprx.reference import allowed, facts

DAY = pd.Timestamp("2025-03-01")


def parsed(table, column, *cells):
    return schema.parse(pd.Series(cells, dtype="string"), schema.columns(table).loc[column])


# ---- dates

@pytest.mark.parametrize("text", ["2025-03-01", "01/03/2025", "1/3/2025", "01-03-2025", "01.03.2025", "01/03/25", "1 March 2025", "1 Mar 2025",
                                  "01-Mar-2025", "01-Mar-25", "2025/03/01", "20250301", "45717", "45717.0", "45717.4", "2025-03-01 00:00:00",
                                  "2025-03-01T09:30:00Z", "01/03/2025 09:30", "2025-03-01 09:30:00.000"])
def test_dates_are_iso_or_day_first_or_what_excel_counts(text):
    assert parsed("referrals", "referral_date", text).iloc[0] == DAY


@pytest.mark.parametrize("text", ["31/02/2025", "2025-02-30", "13/13/2025", "2025", "March", "0", "00/00/0000", "1", "99999", "03/25/2025", "soon", "2025-3"])
def test_what_is_no_date_is_missing_and_never_month_first(text):
    assert pd.isna(parsed("referrals", "referral_date", text).iloc[0])


def test_excel_serial_numbers_agree_with_excel():
    # Microsoft, "DATEVALUE function": 22-May-2011 is 40685, 23-Feb-2011 is 40597; "Date systems in Excel": 1 Jan 2008 is 39448
    cells = parsed("referrals", "referral_date", "40685", "40597", "39448")
    assert list(cells) == [pd.Timestamp("2011-05-22"), pd.Timestamp("2011-02-23"), pd.Timestamp("2008-01-01")]


def test_formats_may_differ_within_a_column():
    assert (parsed("referrals", "referral_date", "2025-03-01", "01/03/2025", "45717") == DAY).all()


@pytest.mark.parametrize("text", ["2025-03", "03/2025", "Mar 2025", "March 2025", "Mar-25", "202503", "2025-03-17", "17/03/2025", "45733"])
def test_months_are_understood_with_or_without_a_day(text):
    assert parsed("service_use", "month", text).iloc[0] == DAY


# ---- numbers

@pytest.mark.parametrize("text, value", [("3", 3), (" 2.5", 2.5), ("£1,200.50", 1200.5), ("1 200", 1200), ("−4", -4), ("-4", -4), ("1e2", 100),
                                         ("1,234,567", 1234567)])
def test_numbers_may_carry_pounds_commas_and_a_true_minus(text, value):
    assert parsed("costs", "amount_gbp", text).iloc[0] == value


@pytest.mark.parametrize("text", ["twelve", "12 mins", "inf", "-Infinity", "nan", "5%", "1/2", "True", "1.2.3", "0x10"])
def test_text_in_a_column_of_numbers_is_missing(text):
    assert pd.isna(parsed("costs", "amount_gbp", text).iloc[0])


@pytest.mark.parametrize("text", ["23,5", "7,25", "1,2"])
def test_a_decimal_comma_is_never_read_as_ten_times_the_number(text):
    value = parsed("outcomes", "value", text).iloc[0]
    assert pd.isna(value) or value == float(text.replace(",", "."))


def test_a_column_of_whole_numbers_refuses_fractions():
    assert parsed("people", "imd_decile", "3", "3.0", "3.5", "x").tolist() == [3, 3, pd.NA, pd.NA]


# ---- yes and no, codes, names

def test_yes_and_no_in_their_many_spellings():
    cells = parsed("people", "carer", "Yes", "Y", "TRUE", "t", "1", "1.0", "no", "N", "False", "f", "0", "0.0", "maybe", "2", None)
    assert cells.tolist()[:12] == [True] * 6 + [False] * 6 and cells.isna().tolist() == [False] * 12 + [True] * 3


def test_codes_meet_their_labels_without_regard_to_case_spaces_and_punctuation():
    assert parsed("referrals", "status", "ACTIVE", " did not  attend", "Declined-by-person", "zzz").tolist() == \
        ["active", "did_not_attend", "declined_by_person", pd.NA]


def test_every_allowed_value_and_its_meaning_are_understood():
    rows = facts("columns").query("kind == 'category'")
    for table, column, name in zip(rows["table"], rows["column"], rows["allowed"]):
        values = allowed(name)
        assert parsed(table, column, *values).tolist() == list(values), (table, column)
        assert parsed(table, column, *values.values()).tolist() == list(values), (table, column)


def test_ethnicity_z_and_99_are_two_answers():
    assert parsed("people", "ethnicity", "Z", "99", "Not stated", "Unknown", "9").tolist() == ["Z", "99", "Z", "99", "99"]


def test_two_character_ethnic_codes_are_read_by_their_national_first():
    assert parsed("people", "ethnicity", "A1", "CX", "Z9", "99").tolist() == ["A", "C", "Z", "99"]


def test_instruments_are_named_loosely_and_unknown_ones_kept():
    assert parsed("outcomes", "instrument", "SWEMWBS", "PHQ-9", "EQ-5D-5L", "My own").tolist() == ["swemwbs", "phq9", "eq5d5l", "My own"]


def test_suggested_values_are_taken_and_others_kept():
    assert parsed("service_use", "service", "GP", "pharmacy").tolist() == ["gp", "pharmacy"]


def test_identifiers_stay_as_they_are():
    assert parsed("people", "person_id", "007", "1e5", "No").tolist() == ["007", "1e5", "No"]


# ---- in words

@pytest.mark.parametrize("table, column, words", [
    ("referrals", "referral_date", "a date such as 2025-03-31 or 31/03/2025"), ("people", "imd_decile", "a whole number from 1 to 10"),
    ("service_use", "month", "a month such as 2025-03"), ("population", "people", "a number of 0 or more"), ("people", "carer", "yes or no"),
    ("people", "sex", "one of: female, male, other, not_known, not_stated"), ("people", "person_id", "an identifier"),
    ("outcomes", "instrument", "the name of a measure")])
def test_what_a_column_should_hold_is_said_in_words(table, column, words):
    assert schema.expected(schema.columns(table).loc[column]) == words


def test_every_kind_of_column_has_words_and_a_reader():
    for row in facts("columns").itertuples():
        spec = schema.columns(row.table).loc[row.column]
        assert len(schema.expected(spec)) > 3 and len(schema.parse(pd.Series(["x"], dtype="string"), spec)) == 1


def test_failures_tell_missing_from_unreadable_from_out_of_range():
    text = pd.DataFrame({"person_id": ["p1", None, "p3"], "age": ["44", "old", "130"]}, dtype="string")
    specs = schema.columns("people").loc[["person_id", "age"]]
    typed = pd.DataFrame({c: schema.parse(text[c], specs.loc[c]) for c in text})
    found = {(r.row, r.column): (r.problem, r.found) for r in schema.failures(text, typed, specs).itertuples()}
    assert found == {(1, "person_id"): ("missing", ""), (1, "age"): ("not understood", "old"), (2, "age"): ("out of range", "130")}


def test_a_clean_table_has_no_failures():
    text = pd.DataFrame({"person_id": ["p1"], "age": [None]}, dtype="string")
    specs = schema.columns("people").loc[["person_id", "age"]]
    typed = pd.DataFrame({c: schema.parse(text[c], specs.loc[c]) for c in text})
    assert schema.failures(text, typed, specs).empty
