"""The scheme folder that `sprx init` makes, and the data standard in words."""

import json
import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
import xlsxwriter
import yaml

from sprx import key_words, reference, schema, settings, template
from sprx.errors import SchemeError
from sprx.load import load_scheme
from sprx.settings import read_settings
from sprx.template import WORKBOOK, data_standard, scheme_id_from, write_template

DOC = Path(__file__).parents[1] / "docs" / "data_standard.md"
XML = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("schemes") / "Anytown 2"
    write_template(made)
    return made


def sheets(path):
    """Sheet name -> its parsed XML, in the order of the workbook."""
    with zipfile.ZipFile(path) as book:
        names = [s.get("name") for s in ElementTree.fromstring(book.read("xl/workbook.xml")).find("x:sheets", XML)]
        return {name: ElementTree.fromstring(book.read(f"xl/worksheets/sheet{i}.xml")) for i, name in enumerate(names, start=1)}


def checks(sheet, table):
    """Standard column -> its data validation element."""
    columns = list(schema.columns(table).index)
    found = sheet.findall(".//x:dataValidation", XML)
    return {columns[ord(v.get("sqref")[0]) - ord("A")]: v for v in found}


def fill(path, tables):
    """Write a workbook with the template's sheets, and rows in some of them."""
    with xlsxwriter.Workbook(path) as book:
        for table in schema.table_names():
            sheet = book.add_worksheet(table)
            sheet.write_row(0, 0, schema.columns(table).index)
            for i, row in enumerate(tables.get(table, []), start=1):
                for column, value in row.items():
                    sheet.write(i, schema.columns(table).index.get_loc(column), value)


def test_an_untouched_template_loads_with_every_table_empty(folder):
    scheme = load_scheme(folder)
    assert scheme.empty == tuple(schema.table_names()) and scheme.tables == {} and scheme.issues.empty
    assert (scheme.settings.scheme_id, scheme.settings.name) == ("Anytown-2", "Anytown 2")


def test_rows_filled_in_are_read_without_any_change_of_settings(tmp_path):
    write_template(tmp_path / "mine")
    fill(tmp_path / "mine" / WORKBOOK, {
        "people": [{"person_id": "P01", "birth_year": 1950, "sex": "female", "ethnicity": "99", "carer": "yes"}],
        "referrals": [{"referral_id": "R1", "person_id": "P01", "referral_date": 45292, "snomed_code": "871731000000106"}]})
    scheme = load_scheme(tmp_path / "mine")
    assert scheme.issues.empty and scheme.set_aside == {} and set(scheme.tables) == {"people", "referrals"}
    person, referral = scheme.tables["people"].iloc[0], scheme.tables["referrals"].iloc[0]
    assert (person.person_id, person.birth_year, person.sex, person.ethnicity, person.carer) == ("P01", 1950, "female", "99", True)
    assert referral.referral_date == pd.Timestamp("2024-01-01") and referral.snomed_code == "871731000000106"


def test_the_workbook_has_a_sheet_per_table_with_exactly_the_standard_header(folder):
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_path(str(folder / WORKBOOK))
    assert book.sheet_names == ["Read me", *schema.table_names(), "Data dictionary", "Lists"]
    for table in schema.table_names():
        assert book.get_sheet_by_name(table).to_python() == [list(schema.columns(table).index)]
    assert "NHS numbers" in str(book.get_sheet_by_name("Read me").to_python())
    dictionary = book.get_sheet_by_name("Data dictionary").to_python()
    assert [tuple(row[:2]) for row in dictionary[1:]] == list(reference.facts("columns")[["table", "column"]].itertuples(index=False, name=None))


def test_every_column_of_categories_numbers_and_dates_is_checked_for_two_thousand_rows(folder):
    for table, sheet in ((t, s) for t, s in sheets(folder / WORKBOOK).items() if t in schema.table_names()):
        found = checks(sheet, table)
        kinds = schema.columns(table)["kind"]
        assert set(found) == set(kinds[~kinds.isin(["id", "text"])].index), table
        assert all(re.fullmatch(r"([A-Z])2:(?:\1)2001", v.get("sqref")) for v in found.values())
        assert sheet.find(".//x:pane", XML).get("state") == "frozen"


def test_each_drop_down_offers_exactly_the_values_of_its_list(folder):
    from python_calamine import CalamineWorkbook

    listed = CalamineWorkbook.from_path(str(folder / WORKBOOK)).get_sheet_by_name("Lists").to_python()
    for table, sheet in ((t, s) for t, s in sheets(folder / WORKBOOK).items() if t in schema.table_names()):
        for column, check in checks(sheet, table).items():
            spec, source = schema.columns(table).loc[column], check.findtext("x:formula1", namespaces=XML)
            assert len(source) <= 255
            if spec.kind == "boolean":
                assert source == '"yes,no"'
            elif spec.kind in ("category", "suggested", "instrument"):
                first, last = map(int, re.fullmatch(r"Lists!\$B\$(\d+):\$B\$(\d+)", source).groups())
                wanted = list(reference.allowed(spec.allowed)) if spec.allowed else list(reference.measures().index)
                assert [row[1] for row in listed[first - 1:last]] == wanted


def test_limits_in_the_workbook_are_those_of_the_standard(folder):
    sheet = sheets(folder / WORKBOOK)["people"]
    decile = checks(sheet, "people")["imd_decile"]
    assert (decile.get("type"), decile.findtext("x:formula1", namespaces=XML), decile.findtext("x:formula2", namespaces=XML)) == ("whole", "1", "10")
    assert checks(sheet, "people")["bereaved_on"].get("type") == "date"


def test_every_header_carries_a_note_and_identifiers_are_kept_as_text(folder):
    with zipfile.ZipFile(folder / WORKBOOK) as book:
        notes = ElementTree.fromstring(book.read("xl/comments1.xml")).findall(".//x:comment", XML)
        styles = ElementTree.fromstring(book.read("xl/styles.xml")).find("x:cellXfs", XML)
    assert len(notes) == len(schema.columns("people")) and "never an NHS number" in "".join(notes[0].itertext())
    for table, column in [("people", "person_id"), ("referrals", "snomed_code"), ("population", "age_band")]:
        position = schema.columns(table).index.get_loc(column) + 1
        cols = sheets(folder / WORKBOOK)[table].findall("x:cols/x:col", XML)
        style = next(int(c.get("style")) for c in cols if int(c.get("min")) <= position <= int(c.get("max")))
        assert styles[style].get("numFmtId") == "49"           # Excel's built-in format for text, '@'


def test_the_same_folder_name_gives_the_same_bytes(folder, tmp_path):
    again = write_template(tmp_path / "Anytown 2")
    assert [p.read_bytes() for p in again] == [(folder / p.name).read_bytes() for p in again]


@pytest.mark.parametrize("name", [settings.FILE, WORKBOOK])
def test_nothing_is_overwritten(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(SchemeError, match=f"already holds {re.escape(name)}.*Choose another folder"):
        write_template(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [name] and (tmp_path / name).read_text() == "mine"


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SchemeError, match="cannot be made"):
        write_template(tmp_path / "file" / "scheme")


@pytest.mark.parametrize(("name", "scheme_id"), [
    ("harbour", "harbour"), ("Déjà vu: (2) #1", "Deja-vu-2-1"), ("--x--", "x"), ("社会処方", "my-scheme"), ("...", "my-scheme"),
    ("no", "no"), ("2024", "2024"), ("a" * 59 + " b", "a" * 59), ('say "hi" \\ {x}', "say-hi-x")])
def test_any_folder_name_gives_a_valid_scheme_id_and_a_file_that_reads(name, scheme_id):
    assert scheme_id_from(name) == scheme_id
    raw = yaml.load(template._scheme_yaml(name), Loader=yaml.BaseLoader)
    assert (raw["scheme_id"], raw["name"]) == (scheme_id, name)
    assert settings.SCHEME_ID.fullmatch(raw["scheme_id"])


def test_a_name_with_control_characters_still_reads():
    assert yaml.safe_load(template._scheme_yaml("a\x7f\x85b\udcff"))["name"] == "ab"


def test_every_key_and_choice_of_scheme_yaml_is_explained():
    assert set(template.SCHEME_KEYS) | {"tables"} == set(settings.KEYS["scheme"])
    assert set(template.MAPPING) == set(settings.KEYS["table"])
    assert set(template.WIDE_KEYS) == set(settings.KEYS["wide"])
    assert set(template.INSTRUMENT_KEYS) == set(settings.KEYS["instrument"])
    assert set(key_words.DESIGNS) == set(settings.DESIGNS) and set(key_words.DISCLOSURE) == set(settings.DISCLOSURE_RULES)
    assert set(template.ROW_IS) == set(schema.table_names())
    assert set(template.TAKES) <= set(reference.measures()["rule"])


def test_settings_switched_on_as_the_file_says_are_understood(folder, tmp_path):
    text = (folder / settings.FILE).read_text(encoding="utf-8")
    switched_on = re.sub(r"^#(?=[a-z]|  )", "", text, flags=re.M).replace("follow_up_days: 91\n", "")
    (tmp_path / settings.FILE).write_text(switched_on, encoding="utf-8")
    found = read_settings(tmp_path)
    assert (found.follow_up_months, found.primary_outcome, found.synthetic, found.episode_days) == (3, "swemwbs", True, 90)
    assert found.period[0] == pd.Timestamp("2024-04-01") and found.comparison["design"] == "cluster_randomised"
    assert found.instruments["our_scale"]["total_max"] == 10 and found.missing_values == ("-99", "Not recorded")


EXPORTS = {"people": "Client ref,person_id,Gender,sex\nC1,P1,male,1\n", "referrals": "Case no,referral_id,person_id,Programme\nC1,R1,P1,Link work\nC2,R2,P1,Debt\n",
           "outcomes": "person_id,Score at start,Score at end\nP1,20,25\n"}
KEPT = {"columns": {"people": ["Client ref", "Gender"]}, "values": {"people": ["person_id", "sex"]}, "also": {"referrals": ["Case no"]},
        "where": {"referrals": ["referral_id", "person_id", "Programme"]}}


@pytest.mark.parametrize("key", ["columns", "values", "also", "where", "wide"])
def test_the_mapping_examples_work_on_exports_they_describe(tmp_path, key):
    _, table, example = template.MAPPING[key]
    spec = yaml.load(example, Loader=yaml.BaseLoader)
    text = [line.split(",") for line in EXPORTS[table].splitlines()]
    keep = [text[0].index(c) for c in KEPT.get(key, {}).get(table, text[0])]
    (tmp_path / spec["file"]).write_text("\n".join(",".join(line[i] for i in keep) for line in text) + "\n")
    (tmp_path / "people_too.csv").write_text("person_id\nP1\n")
    raw = {"scheme_id": "x", "tables": {"people": {"file": "people_too.csv"}, table: spec}}
    (tmp_path / settings.FILE).write_text(json.dumps(raw))
    rows = load_scheme(tmp_path).tables[table]
    assert len(rows) == {"also": 2, "wide": 2}.get(key, 1)
    if table == "people":
        assert list(rows["sex"]) == ["male"]
    if key == "also":
        assert list(rows["person_id"]) == list(rows["referral_id"]) == ["C1", "C2"]
    if key == "wide":
        assert list(rows["value"]) == [20, 25] and list(rows["months"]) == [0, 3]


def test_every_example_in_the_document_is_accepted(tmp_path):
    blocks = re.findall(r"```yaml\n(.*?)```", data_standard(), flags=re.S)
    assert len(blocks) >= len(template.MAPPING)
    for block in blocks:
        raw = {"scheme_id": "x", **yaml.load(block, Loader=yaml.BaseLoader)}
        raw["tables"] = {"people": {"file": "p.csv"}, **raw.get("tables", {})}
        (tmp_path / settings.FILE).write_text(json.dumps(raw))
        read_settings(tmp_path)


def test_the_document_names_every_column_value_and_measure():
    text = data_standard()
    for words in (reference.facts("columns")["column"], reference.facts("allowed")["value"], reference.measures().index, settings.KEYS["scheme"]):
        assert all(f"`{word}`" in text for word in words)
    for link in re.findall(r"\]\(#(list-[^)]+)\)", text):
        assert f"### List: {link.removeprefix('list-')}\n" in text
    widths = {line.count("|") - line.count("\\|") for line in text.splitlines() if line.startswith("| `")}
    assert widths <= {4, 5, 6, 7}


def test_the_written_document_is_the_generated_one():
    assert DOC.read_text(encoding="utf-8") == data_standard(), (
        "docs/data_standard.md is out of step. Write it again: python -c \"from pathlib import Path; from sprx.template import data_standard; "
        "Path('docs/data_standard.md').write_text(data_standard(), encoding='utf-8')\"")
