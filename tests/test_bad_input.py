"""Bad input at the command line: each case says what is wrong, where and what to do, without a traceback or a value of a person."""

import pandas as pd
import pytest
from typer.testing import CliRunner

from sprx.cli import app

SECRETS = ("9434765919", "9876543210", "Mary", "Jones", "SW1A 1AA", "mary@example.org", "07700 900123", "1941-05-02", "02/05/1941")
SCORES = "person_id,S1\np1,20.73\n"


def sprx(*arguments):
    """Exit status and everything printed (both streams), and never a traceback."""
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), f"{type(result.exception).__name__}: {result.exception}"
    assert "Traceback" not in result.output
    return result.exit_code, result.output


def issues(folder):
    return pd.read_csv(folder / "private" / "issues.csv", dtype=str, keep_default_na=False)


def yaml_of(text):
    return {"scheme_yaml": f"scheme_id: a-1\n{text}"}


TABLES = "tables: {people: {file: people.csv}}\n"
REFUSED = {
    # what is wrong: (arguments of build, words to be said: what, where, found, what to do)
    "no scheme.yaml": (dict(scheme_yaml=None, gone="scheme.yaml"), ["No scheme.yaml in", "Found: ['people.csv']", "sprx init"]),
    "YAML that does not parse": (yaml_of("name: a: b\n"), ["scheme.yaml does not parse, line 2", "Check the indentation"]),
    "a key twice": (yaml_of("seed: 1\nseed: 2\n" + TABLES), ["scheme.yaml: the key 'seed' stands twice", "Keep one"]),
    "an unknown key": (yaml_of("extractdate: 2025-01-01\n" + TABLES), ["scheme.yaml: unknown key 'extractdate'", "Did you mean 'extract_date'?"]),
    "an unknown key of a table": (dict(specs={"people": {"colums": {"a": "b"}}}), ["tables, people: unknown key 'colums'", "Did you mean 'columns'?"]),
    "an unknown key of a wide score": (dict(outcomes=SCORES, specs={"outcomes": {"wide": {"S1": {"instrument": "swemwbs", "occassion": "baseline"}}}}),
                                       ["tables, outcomes, wide, S1: unknown key 'occassion'", "Did you mean 'occasion'?"]),
    "an unknown key of an instrument": (dict(settings={"instruments": {"hope": {"minimum": 0, "maximum": 9, "higher_is_better": "true", "itms": 3}}}),
                                        ["instruments, hope: unknown key 'itms'", "Did you mean 'items'?"]),
    "an unknown key of the period": (dict(settings={"period": {"begin": "2025-01-01"}}), ["scheme.yaml, period: unknown key 'begin'", "Known keys: start, end"]),
    "a mapped column that is absent": (dict(specs={"people": {"columns": {"Ref": "person_id"}}}),
                                       ["people.csv has no column 'Ref', which scheme.yaml names under 'columns'", "Columns there: person_id, birth_year, sex"]),
    "a file that is absent": (dict(people=None), ["Table people: people.csv is not in the scheme folder", "Files there: none"]),
    "a sheet that is absent": (dict(people={"Clients": [["person_id"], ["p1"]]}, specs={"people": {"sheet": "Client"}}),
                               ["people.xlsx has no sheet 'Client'", "Did you mean 'Clients'?", "Sheets: ['Clients']"]),
    "a file of no bytes": (dict(people=b""), ["people.csv is empty: there is not even a header", "Export it again"]),
    "bytes in no encoding": (dict(people=b"person_id,Ward\np1,x\np2,\x81\n"), ["people.csv, line 3", "neither UTF-8 nor Windows-1252", "Save it again as UTF-8"]),
    "a Parquet that is not one": (dict(people="person_id\np1\n", specs={"people": {"file": "people.parquet"}}),
                                  ["people.parquet is not a Parquet file, although its name says so", "Export it again"]),
    "an xlsx that is not one": (dict(people="person_id\np1\n", specs={"people": {"file": "people.xlsx"}}),
                                ["people.xlsx cannot be opened as an Excel file", "save it again as .xlsx"]),
    "a CSV that is an Excel file": (dict(people={"A": [["person_id"], ["p1"]]}, specs={"people": {"file": "people.csv"}}),
                                    ["people.csv is not text, although its name says so (is it an Excel file?)", "export it as CSV"]),
    "a scheme_id that leaves the folder": (dict(settings={"scheme_id": "../evil"}), ["scheme_id is '../evil'", "Use letters, digits and hyphens only"]),
    "a file above the folder": (yaml_of("tables: {people: {file: ../x.csv}}\n"), ["'../x.csv' lies outside the scheme folder", "Copy it into the folder"]),
    "an absolute file": (yaml_of("tables: {people: {file: /etc/hostname}}\n"), ["'/etc/hostname' lies outside the scheme folder"]),
    "a period that runs backwards": (dict(settings={"period": {"start": "2025-09-30", "end": "2025-01-01"}}), ["it ends (2025-01-01) before it starts (2025-09-30)"]),
    "two follow-up times": (dict(settings={"follow_up_days": 90, "follow_up_months": 3}), ["give follow_up_days or follow_up_months, not both"]),
    "NHS numbers": (dict(people="person_id,Ref\np1,9434765919\np2,9876543210\n"), ["people.csv: the column 'Ref' holds valid NHS numbers", "Take the column out"]),
    "postcodes": (dict(people="person_id,Where\np1,SW1A 1AA\n"), ["people.csv: the column 'Where' holds postcodes", "Take the column out"]),
    "e-mail addresses": (dict(people="person_id,Reach\np1,mary@example.org\n"), ["people.csv: the column 'Reach' holds e-mail addresses"]),
    "phone numbers": (dict(people="person_id,Reach\np1,07700 900123\n"), ["people.csv: the column 'Reach' holds phone numbers"]),
    "dates of birth": (dict(people="person_id,Born\np1,1941-05-02\np2,1970-01-01\np3,1999-12-31\n"), ["people.csv: the column 'Born' holds dates of birth"]),
    "a name": (dict(people="person_id,Name\np1,Mary Jones\n"), ["people.csv: the column 'Name' holds a name, by its title"]),
    "a surname": (dict(people="person_id,Surname\np1,Jones\n"), ["people.csv: the column 'Surname' holds a name, by its title"]),
    "an address": (dict(people="person_id,Address\np1,1 Mary Street\n"), ["people.csv: the column 'Address' holds an address, by its title"]),
    "a DOB": (dict(people="person_id,DOB\np1,02/05/1941\n"), ["people.csv: the column 'DOB' holds a date of birth, by its title"]),
    "a postcode by title": (dict(people="person_id,Postcode\np1,SW1A 1AA\n"), ["people.csv: the column 'Postcode' holds an address, by its title"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_check_refuses_and_says_what_where_and_what_to_do(build, case):
    arguments, expected = REFUSED[case]
    arguments = dict(arguments)
    gone, unlike = arguments.pop("gone", None), arguments.get("specs", {}).get("people", {}).get("file")
    folder = build(**arguments)
    if gone:
        (folder / gone).unlink()
    assert unlike is None or (folder / unlike).exists()
    status, words = sprx("check", folder)
    assert status == 1 and f"{folder}: " in words and "cannot be used" in words
    assert [part for part in expected if part not in words] == []
    assert [secret for secret in SECRETS if secret in words] == [] and not (folder / "private").exists()


def test_check_of_a_folder_that_is_not_there_says_so(tmp_path):
    status, words = sprx("check", tmp_path / "nowhere")
    assert status == 1 and f"No such folder: {tmp_path / 'nowhere'}. Give the folder that holds scheme.yaml." in words


@pytest.mark.parametrize("file, size", [("people.csv", 0), ("scheme.yaml", 0)])
def test_check_of_a_file_where_a_folder_belongs_says_so(build, file, size):
    path = build() / file
    status, words = sprx("check", path)
    assert status == 1 and f"No such folder: {path}" in words and path.stat().st_size > size


def test_check_of_a_symbolic_link_out_of_the_folder_refuses(build, tmp_path):
    folder = build()
    (tmp_path / "secret.csv").write_text("person_id\np1\n")
    (folder / "people.csv").unlink()
    (folder / "people.csv").symlink_to(tmp_path / "secret.csv")
    status, words = sprx("check", folder)
    assert status == 1 and "'people.csv' lies outside the scheme folder. Copy it into the folder." in words


# ---- accepted, with a word about it

@pytest.mark.parametrize("people, ward", [("person_id,Ward\np1,Café\np2,x\n".encode("cp1252"), "is not UTF-8 (line 2); it was read as Windows-1252"),
                                          ("person_id,Ward\np1,Café\np2,x\n".encode("utf-16"), "is UTF-16 text and was read as such")])
def test_check_reads_other_encodings_with_a_note(build, people, ward):
    folder = build(people=people)
    status, _ = sprx("check", folder)
    assert status == 0 and issues(folder)["problem"].tolist() == [f"people.csv {ward}"]


def test_check_of_headers_only_says_no_rows_yet(build):
    status, words = sprx("check", build(people="person_id,sex\n"))
    assert status == 0 and "no rows yet in people. The settings and headers are in order." in words


def test_run_of_headers_only_fails_with_a_reason_and_writes_no_report(build, tmp_path):
    folder = build(people="person_id,sex\n")
    status, words = sprx("run", folder, "--out", tmp_path / "out")
    assert status == 1 and "Table people has no rows yet. Fill it in" in words and "0 of 1 schemes reported" in words
    assert not [p for p in (tmp_path / "out").rglob("*") if p.name == "report.html"]


def test_check_of_other_tables_without_people_asks_for_people(build):
    status, words = sprx("check", build(people="person_id,sex\n", referrals="referral_id,person_id\nr1,p1\n"))
    assert status == 1 and "Table people has no rows yet, and every other table needs it. Fill it in first." in words


def test_check_of_two_rows_passes(build):
    status, words = sprx("check", build(people="person_id,sex\np1,female\np2,male\n"))
    assert status == 0 and "No problems found" in words


def logged(folder, column, **wanted):
    """The one issue row about a column, checked against what it must say."""
    found = issues(folder).query("column == @column")
    assert len(found) == 1
    assert {key: found.iloc[0][key] for key in wanted} == wanted


def test_a_date_that_does_not_exist_is_logged_with_row_found_and_expected(build):
    folder = build(referrals="referral_id,person_id,referral_date\nr1,p1,2025-01-01\nr2,p2,31/02/2025\n")
    status, words = sprx("check", folder)
    assert status == 0 and "31/02/2025" in words
    logged(folder, "referral_date", table="referrals", file="referrals.csv", row="3", row_id="r2", problem="not understood", found="31/02/2025",
           expected="a date such as 2025-03-31 or 31/03/2025", action="set to missing")


def test_text_in_a_number_column_is_logged_with_row_found_and_expected(build):
    folder = build(people="person_id,age\np1,44\np2,about fifty\n")
    assert sprx("check", folder)[0] == 0
    logged(folder, "age", table="people", row="3", problem="not understood", found="about fifty", expected="a number from 0 to 120", action="set to missing")


@pytest.mark.parametrize("second, problem", [("p1,female", "repeats an earlier row"), ("p1,male", "same key as an earlier row, other values")])
def test_a_duplicate_key_is_logged_with_its_row(build, second, problem):
    folder = build(people=f"person_id,sex\np1,female\n{second}\n")
    assert sprx("check", folder)[0] == 0
    logged(folder, "person_id", table="people", row="3", row_id="p1", problem=problem, action="row set aside")
    assert pd.read_csv(folder / "private" / "set_aside_people.csv")["reason"].tolist() == [problem]


def test_a_score_of_somebody_not_in_people_is_logged(build):
    folder = build(outcomes="person_id,instrument,occasion,value\np1,gad7,baseline,5\np9,gad7,baseline,6\n")
    assert sprx("check", folder)[0] == 0
    logged(folder, "person_id", table="outcomes", row="3", problem="not in people", found="p9", action="row set aside")


@pytest.mark.parametrize("column, cells", [
    ("lsoa", ["E01013648", "E01013649"]), ("practice_code", ["C82007", "Y00123"]), ("Code", ["0000012", "0000345"]),
    ("Episode", ["4010232138", "9876543211"]), ("uuid", ["6f9619ff-8b86-d011-b42d-00c04fc964ff", "7c9e6679-7425-40de-944b-e07fc1f90ae7"]),
    ("service_name", ["Walking group", "Choir"]), ("index_date", ["1999-01-02", "2025-02-03"])])
def test_innocuous_columns_pass_the_check(build, column, cells):
    people = f"person_id,{column}\n" + "".join(f"p{i},{cell}\n" for i, cell in enumerate(cells))
    status, words = sprx("check", build(people=people))
    assert status == 0 and "No problems found" in words


def test_services_and_groups_may_have_names_and_addresses(build):
    folder = build(provision="service_id,name,activity_type,address\ns1,Choir,arts_culture,1 High Street SW1A 1AA\n",
                   community="service_id,date,name,address\ns1,2025-01-31,Choir,1 High Street\n")
    assert sprx("check", folder)[0] == 0


# ---- settings and data that must not end in a traceback

@pytest.mark.parametrize("settings, specs", [
    ({"episode_days": 99999999999}, None), ({"follow_up_months": "nan"}, None), (None, {"constant": {"sex": ["male"]}}),
    (None, {"columns": {"sex": ["a"]}}), (None, {"also": {"carer": ["sex"]}}), (None, {"where": {"sex": {"a": "b"}}}), (None, {"sheet": ["a"]}),
    (None, {"values": {"sex": {"female": ["x"]}}})])
def test_odd_settings_end_in_words(build, settings, specs):
    twice = "referral_id,person_id,referral_date\nr1,p1,2025-01-01\nr2,p1,2025-01-02\n"
    status, words = sprx("check", build(settings=settings, specs={"people": specs or {}}, referrals=twice))
    assert status == 1 and "scheme.yaml" in words


@pytest.mark.parametrize("tables", [
    {"outcomes": "person_id,instrument,occasion,value\np1,moodometer,baseline,5\n"}, {"outcomes": "person_id,instrument,occasion,value\np9,gad7,baseline,5\n"},
    {"outcomes": "person_id,instrument,item,occasion,value\np1,ucla3,1,baseline,1\np1,ucla3,1,baseline,2\n"},
    {"outcomes": "person_id,instrument,item,occasion,value\np1,ucla3,1,baseline,1\np1,ucla3,q1,baseline,2\n"},
    {"referrals": "referral_id,person_id,referral_date\nr1,p9,2025-01-01\n"}, {"people": "person_id,sex\n\"\",female\n,\n"}, {"people": "person_id,age\n,4\n"},
    {"people": "person_id,sex\n=cmd(),[red]x[/red]\n"}])
def test_tables_with_nothing_usable_end_in_words(build, tables):
    status, words = sprx("check", build(**tables))
    assert status in (0, 1) and "rows" in words


def test_run_of_a_scheme_whose_rows_are_all_unusable_fails_with_a_reason(build, tmp_path):
    status, words = sprx("run", build(people="person_id,age\n,4\n,5\n"), "--out", tmp_path / "out")
    assert status == 1 and "none of its 2 rows can be used" in words


def test_run_names_the_failed_scheme_and_its_reason(build, tmp_path):
    folder = build(people="person_id,Surname\np1,Jones\n")
    status, words = sprx("run", folder, "--out", tmp_path / "out")
    assert status == 1 and str(folder) in words and "the column 'Surname' holds a name" in words and "Jones" not in words


def test_values_in_scheme_yaml_reach_the_user_as_written(build):
    folder = build()
    text = (folder / "scheme.yaml").read_text().replace("extract_date: '2025-12-31'", "extract_date: 2025-13-31")
    (folder / "scheme.yaml").write_text(text)
    assert "extract_date is '2025-13-31'; expected a date" in sprx("check", folder)[1]
