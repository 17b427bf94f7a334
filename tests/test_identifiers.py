"""Direct identifiers: what is refused, by title or by content, and what only looks like one."""

import uuid

import pandas as pd
import pytest

from sprx.identifiers import identifier_in, is_nhs_number

# NHS numbers that pass the check of the NHS data dictionary (NHS NUMBER), published as examples: 943 476 5919 (NHS login style
# guide), 987 654 3210 and 401 023 2137 (Wikipedia, NHS number), 999 000 0018 and its neighbours (999 is set aside for tests)
NHS_NUMBERS = ["9434765919", "9876543210", "4010232137"]


def found(cells, header="thing"):
    return identifier_in(header, pd.Series(cells, dtype=object))


# ---- NHS numbers

@pytest.mark.parametrize("digits", NHS_NUMBERS)
def test_published_nhs_numbers_pass_the_check_digit(digits):
    assert is_nhs_number(digits)


@pytest.mark.parametrize("digits", ["9434765918", "9434756919", "9876543211", "1234567890", "0000000000", "1111111111"])
def test_a_changed_or_swapped_digit_fails_the_check(digits):
    assert not is_nhs_number(digits)


def test_a_number_whose_check_digit_would_be_ten_is_never_valid():
    # weights 10 to 2: 1 x 10 = 10, 10 mod 11 = 10, 11 - 10 = 1; for 100000001x: 10 + 1 x 2 = 12, remainder 1, check digit 10
    assert not any(is_nhs_number(f"100000001{last}") for last in range(10)) and is_nhs_number("1000000001")


@pytest.mark.parametrize("cells", [NHS_NUMBERS, ["943 476 5919", None, "987-654-3210"], ["NHS 9434765919"], ["9434765919", "unknown", "987654"]])
def test_columns_of_nhs_numbers_are_found_however_they_are_written(cells):
    assert found(cells) == "valid NHS numbers"


def test_one_valid_number_among_many_ten_digit_ids_is_chance():
    assert found(["9434765919", *(f"55500{i:05}" for i in range(1, 12) if not is_nhs_number(f"55500{i:05}"))]) is None


# ---- other contents

@pytest.mark.parametrize("cells, what", [
    (["SW1A 1AA", "LE1 5WW"], "postcodes"), (["sw1a1aa", "le15ww"], "postcodes"), (["lives at LE1 5WW now", "moved"], "postcodes"),
    (["a.b@example.org"], "e-mail addresses"), (["mail a.b@example.org please", "x"], "e-mail addresses"),
    (["07700 900123", "01632 960001"], "phone numbers"), (["+44 7700 900123", "x", "y"], "phone numbers"),
    (["7700900123", "7700900456"], "phone numbers"), (["(01632) 960001"], "phone numbers"),
    (["1941-05-02", "1962-11-30", "1975-01-09", "1988-07-21"], "dates of birth"),
    (["02/05/1941", "30/11/1962", "09/01/1975", "21/07/1988"], "dates of birth")])
def test_columns_of_identifiers_are_found_by_what_they_hold(cells, what):
    assert found(cells) == what


# ---- titles

@pytest.mark.parametrize("header", [
    "name", "Name", "NAME ", "Full name", "surname", "Surname", "Forename", "First Name", "first_name", "LastName", "Patient name",
    "PatientName", "Client Name", "Patient's name", "Client full name", "Carer name", "Link worker name"])
def test_a_title_that_says_name_is_refused_whatever_the_column_holds(header):
    assert found([], header) == "a name, by its title"


@pytest.mark.parametrize("header, what", [
    ("address", "an address"), ("Home Address", "an address"), ("Address line 1", "an address"), ("postcode", "an address"),
    ("Post Code", "an address"), ("Home postcode", "an address"),
    ("DOB", "a date of birth"), ("D.O.B.", "a date of birth"), ("Date of Birth", "a date of birth"), ("DateOfBirth", "a date of birth"),
    ("client_dob", "a date of birth"), ("Date of birth (dd/mm/yyyy)", "a date of birth"), ("DateofBirth", "a date of birth"),
    ("e-mail", "an e-mail address"), ("Email", "an e-mail address"), ("Telephone", "a phone number"), ("Mobile no", "a phone number"),
    ("Phone number", "a phone number"), ("NHS Number", "an NHS number"), ("NHS No.", "an NHS number"), ("NHSNumber", "an NHS number")])
def test_a_title_that_names_an_identifier_is_refused_whatever_the_column_holds(header, what):
    assert found([], header) == f"{what}, by its title"


# ---- what is harmless

@pytest.mark.parametrize("header, cells", [
    ("lsoa", ["E01013648", "E01013649", "W01000001"]), ("practice_code", ["C82007", "Y00123", "M85063"]),
    ("ward", ["E05001234", "E05001235"]), ("person_id", [str(uuid.UUID(int=i * 7919 ** 8)) for i in range(1, 6)]),
    ("person_id", ["0000012", "0000345", "0000007"]), ("person_id", ["P0001", "P0002"]),
    ("person_id", [n for n in (f"{3000000017 + 7 * i}" for i in range(12)) if not is_nhs_number(n)]),
    ("snomed_code", ["871731000000106", "1362931000000106", "1084281000000109"]), ("referral_date", ["2025-01-02", "2025-02-03", "2024-11-30"]),
    ("last contact", ["02/01/2025", "03/02/2025", "30/11/2023"]), ("service_name", ["Walking group", "Allotment"]),
    ("practice name", ["High Street Surgery", "The Elms"]), ("birth_year", ["1941", "1962", "1988"]), ("age", ["44", "51"]),
    ("sex", ["female", "male"]), ("postcode_district", ["LE1", "SW1A", "M1"]), ("status", ["active", "closed"]),
    ("score", ["21.54", "19.98", "7"]), ("occupation", ["tailor", "Streetworks engineer"]), ("amount", ["£1,200.50", "£800"]),
    ("sha", ["3f2a9c01", "b7d10e44"]), ("excel_day", ["45292", "45300"]), ("notes", ["anxious about housing", "wants to walk @ weekends"]),
    ("time_band", ["2024-25", "2023-24"]), ("username_hash", ["a1b2", "c3d4"]), ("empty", [None, None])])
def test_innocuous_columns_are_not_refused(header, cells):
    assert found(cells, header) is None


# ---- through the door

SECRETS = {"valid NHS numbers": ["9434765919", "9876543210", "4010232137"], "postcodes": ["SW1A 1AA", "LE1 5WW", "M1 1AE"],
           "e-mail addresses": ["mary.jones@example.org", "ann@example.org", "bo@example.org"],
           "phone numbers": ["07700 900123", "07700 900456", "07700 900789"], "dates of birth": ["02/05/1941", "30/11/1962", "21/07/1988"]}


def with_column(table, header, values):
    key = {"people": "person_id", "referrals": "referral_id,person_id", "outcomes": "person_id,instrument,occasion,value"}[table]
    cells = {"people": "p{i}", "referrals": "r{i},p{i}", "outcomes": "p{i},swemwbs,baseline,20.73"}[table]
    return f"{key},{header}\n" + "".join(cells.format(i=i) + f",{v}\n" for i, v in enumerate(values, start=1))


@pytest.mark.parametrize("table", ["people", "referrals", "outcomes"])
@pytest.mark.parametrize("what", SECRETS)
def test_a_refusal_names_the_column_and_echoes_no_value(refusal, table, what):
    words = refusal(**{table: with_column(table, "Extra thing", SECRETS[what])})
    assert f"Table {table}: {table}.csv: the column 'Extra thing' holds {what}" in words
    assert "Take the column out of the export, and use a pseudonym as person_id" in words
    assert not any(secret in words for secret in SECRETS[what])


@pytest.mark.parametrize("what", ["valid NHS numbers", "e-mail addresses", "postcodes", "phone numbers"])
def test_an_identifier_in_a_column_mapped_to_a_date_is_refused_too(refusal, what):
    words = refusal(referrals=with_column("referrals", "Seen", SECRETS[what]), specs={"referrals": {"columns": {"Seen": "first_contact_date"}}})
    assert f"the column 'Seen' holds {what}" in words and not any(secret in words for secret in SECRETS[what])


def test_nhs_numbers_as_person_id_are_refused(refusal):
    words = refusal(people="person_id\n9434765919\n9876543210\n")
    assert "the column 'person_id' holds valid NHS numbers" in words and "9434765919" not in words


def test_a_mapped_or_renamed_identifier_is_refused_all_the_same(refusal):
    words = refusal(people="Ref,DOB\np1,1950-01-02\n", specs={"people": {"columns": {"Ref": "person_id", "DOB": "index_date"}}})
    assert "people.csv: the column 'DOB' holds a date of birth, by its title" in words and "1950" not in words


def test_every_identifying_column_is_named_at_once(refusal):
    words = refusal(people="person_id,Surname,Postcode\np1,Jones,SW1A 1AA\n", referrals=with_column("referrals", "Email", ["x"]))
    assert words.count("Direct identifiers are refused") == 3 and all(c in words for c in ("'Surname'", "'Postcode'", "'Email'"))
    assert "Jones" not in words and "SW1A" not in words


def test_an_export_without_a_header_does_not_have_its_first_person_echoed(refusal):
    words = refusal(people="9434765919,Mary Jones,02/05/1941,SW1A 1AA\n9876543210,Ann Smith,30/11/1962,LE1 5WW\n4010232137,Bo Ray,21/07/1988,M1 1AE\n")
    assert not any(secret in words for secret in ("9434765919", "Mary Jones", "02/05/1941", "SW1A 1AA"))


@pytest.mark.parametrize("tables", [
    {"provision": "service_id,name,activity_type,address,postcode,email\ns1,Walking group,physical_activity,1 High Street,LE1 5WW,a@example.org\n"},
    {"community": "service_id,date,name,address,phone\ns1,2025-01-31,Choir,1 High Street,07700 900123\n"}])
def test_services_may_have_names_and_addresses(loaded, tables):
    scheme = loaded(**tables)
    assert scheme.has(*tables)


def test_old_dates_in_columns_the_standard_knows_as_dates_are_not_taken_for_births(loaded):
    scheme = loaded(people="person_id,Lost spouse on\np1,1971-02-03\np2,1990-05-06\np3,2024-07-08\n",
                    specs={"people": {"columns": {"Lost spouse on": "bereaved_on"}}})
    assert scheme.tables["people"]["bereaved_on"].notna().all()
