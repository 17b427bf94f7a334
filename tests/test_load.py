"""A scheme folder to typed tables: the mapping grammar of scheme.yaml, what is set missing or aside, and what is put on record."""

import datetime as dt

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sprx import load_scheme
from sprx.errors import SchemeError
from sprx.load import ISSUE_COLUMNS


def column(scheme, table, name):
    return scheme.tables[table][name].tolist()


def problems(scheme, table=None):
    rows = scheme.issues if table is None else scheme.issues[scheme.issues["table"] == table]
    return list(rows["problem"])


# ---- columns, values, also, where, constant

def test_a_table_in_the_standards_own_names_needs_no_mapping(loaded):
    scheme = loaded()
    assert column(scheme, "people", "person_id") == ["p1", "p2", "p3"] and column(scheme, "people", "birth_year") == [1950, 1960, 1970]
    assert column(scheme, "people", "row") == [2, 3, 4] and set(column(scheme, "people", "arm")) == {"scheme"}
    assert scheme.issues.empty and list(scheme.issues.columns) == ISSUE_COLUMNS and scheme.set_aside == {}


def test_headings_meet_the_standard_without_regard_to_case_and_spaces(loaded):
    scheme = loaded(people="Person ID,BIRTH YEAR,Sex\np1,1950,F\n")
    assert column(scheme, "people", "person_id") == ["p1"] and column(scheme, "people", "birth_year") == [1950]


def test_columns_and_values_map_an_export_to_the_standard(loaded):
    scheme = loaded(people="Ref,Gender\np1,W\np2, w \np3,M\n", specs={"people": {
        "columns": {"Ref": "person_id", "Gender": "sex"}, "values": {"sex": {"W": "female", "M": "male"}}}})
    assert column(scheme, "people", "sex") == ["female", "female", "male"] and scheme.issues.empty


@pytest.mark.parametrize("cell", ["1", " 1 ", "1.0"])
def test_labels_that_are_numbers_compare_as_text(build, cell):
    folder = build(people=f"Ref,G\np1,{cell}\n", scheme_yaml="scheme_id: a\ntables:\n  people:\n    file: people.csv\n"
                   "    columns: {Ref: person_id, G: sex}\n    values:\n      sex: {1: male, 1.0: male, 2: female}\n")
    assert column(load_scheme(folder), "people", "sex") == ["male"]


def test_a_number_in_excel_meets_the_label_written_as_a_whole_number(loaded):
    scheme = loaded(people={"A": [["Ref", "G"], ["p1", 1.0], ["p2", 2]]}, specs={"people": {
        "columns": {"Ref": "person_id", "G": "sex"}, "values": {"sex": {"1": "male", "2": "female"}}}})
    assert column(scheme, "people", "sex") == ["male", "female"]


def test_a_number_with_a_point_is_never_read_as_ten_times_the_label(loaded):
    labels = {"1": "female", "2": "male", "10": "other", "20": "not_known"}
    scheme = loaded(people="person_id,Gender\np1,1.0\np2,2.0\np3,10\np4,20\n", specs={"people": {
        "columns": {"Gender": "sex"}, "values": {"sex": labels}}})
    assert not {"other", "not_known"} & set(scheme.tables["people"]["sex"].fillna("")[:2])
    assert column(scheme, "people", "sex")[2:] == ["other", "not_known"]


def test_a_label_written_exactly_wins_over_one_that_is_only_like_it(loaded):
    scheme = loaded(people="person_id,sex\np1,m\np2,M\n", specs={"people": {"values": {"sex": {"M": "male", "m": "female"}}}})
    assert column(scheme, "people", "sex") == ["female", "male"]


def test_a_label_of_punctuation_only_is_matched_as_written(loaded):
    scheme = loaded(people="person_id,sex\np1,?\np2,-\np3,M\n", specs={"people": {"values": {"sex": {"?": "not_known", "-": "not_stated"}}}})
    assert column(scheme, "people", "sex") == ["not_known", "not_stated", "male"]


def test_yes_and_no_in_scheme_yaml_are_labels_not_truth_values(build):
    folder = build(people="Ref,Carer,Loc\np1,Yes,No\np2,No,Yes\n", scheme_yaml="scheme_id: a\ntables:\n  people:\n    file: people.csv\n"
                   "    columns: {Ref: person_id, Loc: arm}\n    values:\n      arm: {No: scheme, Yes: comparison}\n")
    scheme = load_scheme(folder)
    assert column(scheme, "people", "arm") == ["scheme", "comparison"] and column(scheme, "people", "carer") == [True, False]


def test_also_feeds_a_second_column_from_one_export_column(loaded):
    scheme = loaded(people="person_id\np1\n", referrals="Ref,Client,Date\nr1,p1,01/02/2025\n", specs={"referrals": {
        "columns": {"Ref": "referral_id", "Client": "person_id", "Date": "referral_date"}, "also": {"first_contact_date": "Date"}}})
    assert column(scheme, "referrals", "first_contact_date") == column(scheme, "referrals", "referral_date") == [pd.Timestamp("2025-02-01")]


@pytest.mark.parametrize("wanted, ids", [("SP", ["p1", "p3"]), ("sp ", ["p1", "p3"]), (["SP", "Other"], ["p1", "p3", "p4"]), ("none such", [])])
def test_where_keeps_the_rows_that_belong_and_counts_the_others(loaded, wanted, ids):
    scheme = loaded(people="person_id,Team\np1,SP\np2,Falls\np3,sp\np4,other\np5,\n", specs={"people": {"where": {"Team": wanted}}})
    assert column(scheme, "people", "person_id") == ids
    account = scheme.accounts().set_index("table").loc["people"]
    assert (account.rows_in, account.rows_used, account.rows_set_aside, account.rows_not_selected) == (5, len(ids), 5 - len(ids), 5 - len(ids))
    assert f"{5 - len(ids)} of 5 rows do not meet 'where' and were not selected" in problems(scheme)


def test_where_on_two_columns_needs_both(loaded):
    scheme = loaded(people="person_id,Team,Year\np1,SP,2024\np2,SP,2025\np3,Falls,2025\n",
                    specs={"people": {"where": {"Team": "SP", "Year": "2025"}}})
    assert column(scheme, "people", "person_id") == ["p2"] and column(scheme, "people", "row") == [3]


def test_constant_gives_every_row_one_value(loaded):
    scheme = loaded(costs="item,category,amount_gbp\nPay,link_worker,10\nRent,premises,5\n",
                    specs={"costs": {"constant": {"price_year": "2024/25", "kind": "running"}}})
    assert column(scheme, "costs", "price_year") == ["2024/25"] * 2 and column(scheme, "costs", "kind") == ["running"] * 2


def test_constant_wins_over_a_column_of_that_name(loaded):
    scheme = loaded(people="person_id,arm\np1,scheme\n", specs={"people": {"constant": {"arm": "comparison"}}})
    assert column(scheme, "people", "arm") == ["comparison"]


# ---- wide scores, own instruments, occasions in months

def test_wide_turns_score_columns_into_rows(loaded):
    scheme = loaded(outcomes="person_id,S1,S2,Q9\np1,20.73,23.21,12\np2,19.98,,\n", specs={"outcomes": {"wide": {
        "S1": {"instrument": "SWEMWBS", "occasion": "baseline"}, "S2": {"instrument": "swemwbs", "occasion": "follow_up", "months": "3"},
        "Q9": {"instrument": "PHQ-9", "occasion": "baseline"}}}})
    rows = scheme.tables["outcomes"].sort_values(["row", "instrument", "occasion"])
    assert rows[["row", "instrument", "occasion", "value"]].values.tolist() == [
        [2, "phq9", "baseline", 12.0], [2, "swemwbs", "baseline", 20.73], [2, "swemwbs", "follow_up", 23.21], [3, "swemwbs", "baseline", 19.98]]
    assert rows.set_index("value")["months"].dropna().to_dict() == {23.21: 3.0} and set(rows["item"]) == {"total"}
    account = scheme.accounts().set_index("table").loc["outcomes"]
    assert (account.rows_in, account.rows_used, account.rows_set_aside) == (6, 4, 2)
    assert set(scheme.set_aside["outcomes"]["reason"]) == {"value: missing"}


def test_wide_items_are_answers_to_single_questions(loaded):
    scheme = loaded(outcomes="person_id,measured_on,a,b\np1,2025-01-02,1,2\n", specs={"outcomes": {"wide": {
        "a": {"instrument": "ucla3", "item": "1"}, "b": {"instrument": "ucla3", "item": "2"}}}})
    assert column(scheme, "outcomes", "item") == ["1", "2"] and column(scheme, "outcomes", "value") == [1.0, 2.0]


def test_wide_and_where_count_rows_times_scores(loaded):
    scheme = loaded(outcomes="person_id,T,S1,S2\np1,a,20.73,23.21\np2,b,19.98,20.1\n", specs={"outcomes": {"where": {"T": "a"}, "wide": {
        "S1": {"instrument": "swemwbs", "occasion": "baseline"}, "S2": {"instrument": "swemwbs", "occasion": "follow_up"}}}})
    account = scheme.accounts().set_index("table").loc["outcomes"]
    assert (account.rows_in, account.rows_used, account.rows_set_aside, account.rows_not_selected) == (4, 2, 2, 2)


def test_an_own_instrument_joins_the_measures(loaded):
    scheme = loaded(settings={"instruments": {"hope": {"name": "Hope", "minimum": 0, "maximum": 10, "higher_is_better": True}}})
    assert scheme.measures().loc["hope", "total_max"] == 10 and "swemwbs" in scheme.measures().index


def test_months_stand_in_for_dates(loaded):
    scheme = loaded(outcomes="person_id,instrument,months,value\np1,swemwbs,0,20.73\np1,swemwbs,3.5,23.21\n",
                    service_use="person_id,months,service,count\np1,-2,gp,3\n")
    assert column(scheme, "outcomes", "months") == [0.0, 3.5] and column(scheme, "service_use", "months") == [-2.0]


@pytest.mark.parametrize("table, header, row, one_of", [
    ("outcomes", "person_id,instrument,value", "p1,swemwbs,20.73", "occasion, measured_on, months"),
    ("service_use", "person_id,service,count", "p1,gp,3", "month, months"), ("population", "people", "100", "age_band, sex, ethnicity, imd_decile")])
def test_a_table_without_any_of_the_columns_it_needs_says_which(refusal, table, header, row, one_of):
    words = refusal(**{table: f"{header}\n{row}\n"})
    assert f"{table}.csv has none of the columns {one_of}; {table} needs one of them" in words and "Found: " in words


# ---- dates and missing values

def test_dates_may_be_day_first_iso_serial_or_with_a_time(loaded):
    scheme = loaded(referrals="referral_id,person_id,referral_date\nr1,p1,01/03/2025\nr2,p2,2025-03-01\nr3,p3,45717\nr4,p3,01/03/2025 14:05\n")
    assert set(column(scheme, "referrals", "referral_date")) == {pd.Timestamp("2025-03-01")} and scheme.issues.empty


def test_excel_dates_and_serial_numbers_are_the_same_day(loaded):
    scheme = loaded(referrals={"A": [["referral_id", "person_id", "referral_date"], ["r1", "p1", dt.date(2025, 3, 1)], ["r2", "p2", 45717]]})
    assert set(column(scheme, "referrals", "referral_date")) == {pd.Timestamp("2025-03-01")}


def test_an_impossible_date_is_set_missing_and_logged_with_row_found_and_expected(loaded):
    scheme = loaded(referrals="referral_id,person_id,referral_date\nr1,p1,2025-01-01\nr2,p2,31/02/2025\n")
    assert column(scheme, "referrals", "referral_date") == [pd.Timestamp("2025-01-01"), pd.NaT]
    issue = scheme.issues.iloc[0]
    assert issue[["table", "file", "row", "row_id", "column", "problem", "found", "expected", "action"]].tolist() == [
        "referrals", "referrals.csv", 3, "r2", "referral_date", "not understood", "31/02/2025", "a date such as 2025-03-31 or 31/03/2025",
        "set to missing"]


def test_text_in_a_number_column_is_set_missing_and_logged(loaded):
    scheme = loaded(people="person_id,age\np1,44\np2,old\np3,130\n")
    assert scheme.tables["people"]["age"].isna().tolist() == [False, True, True]
    assert scheme.issues[["row", "problem", "found", "expected", "action"]].values.tolist() == [
        [3, "not understood", "old", "a number from 0 to 120", "set to missing"],
        [4, "out of range", "130", "a number from 0 to 120", "set to missing"]]


def test_a_row_without_a_required_value_is_set_aside_with_its_reason(loaded):
    scheme = loaded(people="person_id,sex\np1,female\n,male\n")
    assert column(scheme, "people", "person_id") == ["p1"]
    assert scheme.set_aside["people"][["row", "reason"]].values.tolist() == [[3, "person_id: missing"]]
    assert scheme.issues[["row", "column", "problem", "action"]].values.tolist() == [[3, "person_id", "missing", "row set aside"]]


def test_an_unreadable_required_value_sets_the_row_aside_and_says_so(loaded):
    scheme = loaded(contacts="contact_id,referral_id,contact_date\nc1,r1,2025-01-05\nc2,r1,soon\n")
    assert scheme.set_aside["contacts"]["reason"].tolist() == ["contact_date: not understood"]
    assert scheme.issues["action"].tolist() == ["row set aside"]


def test_codes_nobody_knows_become_other_where_there_is_an_other_else_missing(loaded):
    scheme = loaded(referrals="referral_id,person_id,source,status\nr1,p1,GP,active\nr2,p2,Horoscope,pending review\n")
    assert column(scheme, "referrals", "source") == ["gp", "other"] and scheme.tables["referrals"]["status"].isna().tolist() == [False, True]
    assert dict(zip(scheme.issues["column"], scheme.issues["action"])) == {"source": "read as 'other'", "status": "set to missing"}
    assert "one of: offered" in scheme.issues.set_index("column").loc["status", "expected"]


@pytest.mark.parametrize("cell", ["NA", "n/a", "#N/A", "null", "None", ".", "-", "nan"])
def test_what_everyone_writes_for_nothing_is_missing_without_a_word(loaded, cell):
    scheme = loaded(people=f"person_id,age,sex\np1,{cell},female\np2,44,{cell}\n")
    assert scheme.tables["people"][["age", "sex"]].isna().sum().tolist() == [1, 1] and scheme.issues.empty


def test_free_text_and_ids_that_look_like_nothing_are_kept(loaded):
    scheme = loaded(people="person_id,practice_code\nNA,null\nNone,.\n")
    assert column(scheme, "people", "person_id") == ["NA", "None"] and column(scheme, "people", "practice_code") == ["null", "."]


def test_missing_values_of_the_scheme_are_missing_everywhere(loaded):
    scheme = loaded(settings={"missing_values": ["-99", "Not asked"]}, people="person_id,age,practice_code\np1,-99,not asked\np2,44,X1\n")
    assert scheme.tables["people"][["age", "practice_code"]].isna().sum().tolist() == [1, 1] and scheme.issues.empty


def test_missing_values_that_differ_in_sign_only_are_not_taken_for_one_another(loaded):
    scheme = loaded(settings={"missing_values": ["-1"]}, people="person_id,long_term_conditions\np1,-1\np2,1\n")
    assert scheme.tables["people"]["long_term_conditions"].isna().tolist() == [True, False]


def test_a_label_mapped_under_values_is_no_missing_value(loaded):
    scheme = loaded(people="person_id,sex\np1,NA\np2,M\n", specs={"people": {"values": {"sex": {"NA": "not_stated"}}}})
    assert column(scheme, "people", "sex") == ["not_stated", "male"]


# ---- files of every kind

@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_with_a_byte_order_mark_load_alike(loaded, separator):
    scheme = loaded(people=("\ufeffperson_id,sex\np1,female\n".replace(",", separator)))
    assert column(scheme, "people", "sex") == ["female"]


def test_tables_may_be_sheets_of_one_workbook(build):
    folder = build(people={"Clients": [["person_id", "sex"], ["p1", "female"]], "Refs": [["referral_id", "person_id"], ["r1", "p1"]]},
                   specs={"people": {"sheet": "Clients"}, "referrals": {"file": "people.xlsx", "sheet": "Refs"}}, referrals=None)
    scheme = load_scheme(folder)
    assert column(scheme, "people", "sex") == ["female"] and column(scheme, "referrals", "person_id") == ["p1"]


def test_typed_parquet_columns_load_as_the_standards_types(build):
    folder = build(people=None, specs={"people": {"file": "people.parquet"}})
    rows = {"person_id": ["p1", "p2"], "birth_year": pa.array([1950, None], pa.int32()), "carer": pa.array([True, None]),
            "index_date": pa.array([dt.date(2025, 3, 1), None]), "imd_decile": pa.array([3.0, 4.0])}
    pq.write_table(pa.table(rows), folder / "people.parquet")
    people = load_scheme(folder).tables["people"]
    assert people["birth_year"].tolist() == [1950, pd.NA] and people["carer"].tolist() == [True, pd.NA]
    assert people["index_date"].tolist() == [pd.Timestamp("2025-03-01"), pd.NaT] and people["imd_decile"].tolist() == [3, 4]


# ---- columns the standard does not name

def test_extra_columns_are_carried_in_people_only(loaded):
    scheme = loaded(people="person_id,Ward\np1,North\n", referrals="referral_id,person_id,Team\nr1,p1,Blue\n")
    assert column(scheme, "people", "Ward") == ["North"] and "Team" not in scheme.tables["referrals"]
    assert problems(scheme) == ["columns that the standard does not name were ignored: 'Team'"]


def test_extra_columns_may_not_shadow_our_own(loaded):
    scheme = loaded(people="person_id,row,start,file\np1,9,x,y\n")
    people = scheme.tables["people"]
    assert people.columns.is_unique and column(scheme, "people", "row") == [2] and column(scheme, "people", "row_as_exported") == ["9"]


def test_a_standard_name_with_foreign_codes_is_carried_as_exported_with_a_note(loaded):
    scheme = loaded(people="person_id,ethnicity,carer\np1,17,often\np2,23,sometimes\n")
    people = scheme.tables["people"]
    assert people["ethnicity_as_exported"].tolist() == ["17", "23"] and people["carer_as_exported"].tolist() == ["often", "sometimes"]
    assert not {"ethnicity", "carer"} & set(people.columns)
    assert sum("was carried as 'ethnicity_as_exported'" in p and "Map it under 'columns' and 'values'" in p for p in problems(scheme)) == 1


def test_a_column_whose_name_is_taken_by_a_mapped_one_is_carried_as_exported(loaded):
    scheme = loaded(people="person_id,sex,Gender\np1,1,female\n", specs={"people": {"columns": {"Gender": "sex"}}})
    assert column(scheme, "people", "sex") == ["female"] and column(scheme, "people", "sex_as_exported") == ["1"]


@pytest.mark.parametrize("table, text, name", [("needs", "referral_id,need\nr1,Feels low\n", "need"),
                                               ("provision", "service_id,activity_type\ns1,Tuesday thing\n", "activity_type"),
                                               ("outcomes", "person_id,instrument,occasion,value\np1,gad7,later,2\n", "occasion")])
def test_a_column_that_is_needed_and_holds_foreign_codes_is_asked_to_be_mapped_under_values(refusal, table, text, name):
    words = refusal(**{table: text})
    assert f"'{name}'" in words and "values" in words.split(f"'{name}'", 1)[1] and f"has no column for '{name}'" not in words


# ---- what scheme.yaml names and the files do not have

@pytest.mark.parametrize("part, spec", [("columns", {"columns": {"Client Reff": "person_id"}}), ("also", {"also": {"sex": "Client Reff"}}),
                                        ("where", {"where": {"Client Reff": "x"}})])
def test_a_column_named_in_scheme_yaml_and_absent_lists_those_that_are_there(refusal, part, spec):
    words = refusal(people="Client Ref,Ward\np1,North\n", specs={"people": spec})
    assert f"Table people: people.csv has no column 'Client Reff', which scheme.yaml names under '{part}'." in words
    assert "Did you mean 'Client Ref'?" in words and "Columns there: Client Ref, Ward." in words


def test_an_absent_wide_column_is_named(refusal):
    words = refusal(outcomes="person_id,S1\np1,20\n", specs={"outcomes": {"wide": {"S2": {"instrument": "swemwbs", "occasion": "baseline"}}}})
    assert "outcomes.csv has no column 'S2', which scheme.yaml names under 'wide'" in words and "Columns there: person_id, S1" in words


def test_a_misspelt_heading_is_suggested_in_spite_of_its_capitals(refusal):
    words = refusal(people="Client Ref,WARD\np1,North\n", specs={"people": {"columns": {"client ref": "person_id"}}})
    assert "Did you mean 'Client Ref'?" in words


def test_a_values_entry_for_a_column_that_is_not_there_is_refused(refusal):
    words = refusal(specs={"people": {"values": {"sexx": {"M": "male"}}}})
    assert "scheme.yaml, tables, people, values: there is no column 'sexx'. Did you mean 'sex'? Columns: person_id, birth_year, sex." in words


def test_two_columns_mapped_to_one_are_refused(refusal):
    words = refusal(people="a,b\n1,2\n", specs={"people": {"columns": {"a": "person_id", "b": "person_id"}}})
    assert words == "Table people: scheme.yaml maps 2 columns of people.csv to 'person_id'. Keep one."


def test_a_table_without_its_key_column_says_what_it_is_and_what_is_there(refusal):
    words = refusal(people="Client,sex\np1,female\n")
    assert "people.csv has no column for 'person_id'" in words and "Found: Client, sex" in words and "under 'columns' in scheme.yaml" in words


def test_all_tables_report_their_problems_at_once(build):
    with pytest.raises(SchemeError) as caught:
        load_scheme(build(people="a\n1\n", referrals="b\n1\n", needs=None))
    assert len(caught.value.problems) == 4 and [p.split(":")[0] for p in caught.value.problems] == [
        "Table people", "Table referrals", "Table referrals", "Table needs"]


# ---- paths

@pytest.mark.parametrize("file", ["../secret.csv", "/etc/hostname", "sub/../../secret.csv", "link.csv"])
def test_a_file_outside_the_folder_is_refused(build, file):
    folder = build(people=None, scheme_yaml=f"scheme_id: a\ntables: {{people: {{file: {file}}}}}\n")
    (folder.parent / "secret.csv").write_text("person_id\np1\n")
    (folder / "sub").mkdir()
    (folder / "link.csv").symlink_to(folder.parent / "secret.csv")
    with pytest.raises(SchemeError) as caught:
        load_scheme(folder)
    assert str(caught.value) == f"Table people: the file '{file}' lies outside the scheme folder. Copy it into the folder."


def test_a_file_in_a_folder_within_is_read(build):
    folder = build(people=None, scheme_yaml="scheme_id: a\ntables: {people: {file: sub/p.csv}}\n")
    (folder / "sub").mkdir()
    (folder / "sub" / "p.csv").write_text("person_id\np1\n")
    assert column(load_scheme(folder), "people", "person_id") == ["p1"]


# ---- few rows

def test_tables_with_headers_only_are_empty_and_not_there(loaded):
    scheme = loaded(people="person_id,sex\n", referrals="referral_id,person_id\nr1,p1\n")
    assert scheme.empty == ("people",) and list(scheme.tables) == ["referrals"] and scheme.rows_in == {"people": 0, "referrals": 1}


def test_a_table_of_two_rows_loads(loaded):
    scheme = loaded(people="person_id,sex\np1,female\np2,male\n")
    assert len(scheme.tables["people"]) == 2 and scheme.has("people", "sex") and not scheme.has("people", "age") and not scheme.has("needs")


def test_notes_of_the_reader_reach_the_issues(loaded):
    scheme = loaded(people="person_id,Ward\np1,Café\n".encode("cp1252"))
    assert scheme.issues[["table", "file", "problem", "action"]].values.tolist() == [
        ["people", "people.csv", "people.csv is not UTF-8 (line 2); it was read as Windows-1252", "noted"]]


def test_a_column_of_dates_written_month_first_is_refused_since_half_of_it_would_be_read_as_other_days(refusal):
    rows = "".join(f"r{i},p1,{month:02d}/{day:02d}/2025\n" for i, (month, day) in enumerate([(3, 14), (3, 25), (4, 5), (5, 31), (6, 7)]))
    words = refusal(people="person_id\np1\n", referrals="referral_id,person_id,referral_date\n" + rows)
    assert "3 dates in 'referral_date'" in words and "month first" in words and "2025-03-31" in words


def test_one_impossible_date_among_many_is_a_slip_and_not_a_habit(loaded):
    rows = "".join(f"r{i},p1,{1 + i:02d}/03/2025\n" for i in range(20)) + "r20,p1,03/25/2025\n"
    scheme = loaded(people="person_id\np1\n", referrals="referral_id,person_id,referral_date\n" + rows)
    assert scheme.tables["referrals"]["referral_date"].isna().sum() == 1
