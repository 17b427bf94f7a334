"""results.csv, tables.xlsx and answers.json from the notebooks' results."""

import json
from pathlib import Path

import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from sprx.disclosure import RULES
from sprx.load import Scheme
from sprx.report import start_report
from sprx.results import RESULT_COLUMNS, result_table
from sprx.settings import Settings
from sprx.tables import TITLES, plain_text, write_tables
from sprx.wording import Answer

RULE = RULES["nhse_1_7_round5"]


def row(measure, estimate=10.0, **more):
    return dict(measure=measure, group="all", level="all", n=20, n_missing=0, estimate=estimate, conf_low=estimate - 1, conf_high=estimate + 1, conf_level=0.95,
                unit="points", method="paired t") | more


def folder_of(folder, tables, settings=None, answers=()):
    settings = settings or Settings(scheme_id="test-1", name="Test")
    for question, rows in tables.items():
        report = start_report(question, Scheme(Path("."), settings, {}, pd.DataFrame()), folder)
        report.add("x", result_table(rows))
        for answer in answers:
            if answer.question == question:
                report.answer(answer)
        report.write()
    write_tables(folder, settings, RULE, list(tables))
    return folder


def test_results_csv_has_every_row_in_the_order_of_the_questions_and_the_columns_of_the_design(tmp_path):
    folder = folder_of(tmp_path, {"when": [row("b"), row("a")], "how_well": [row("c", 1 / 3)]})
    table = pd.read_csv(folder / "results.csv")
    assert list(table.columns) == RESULT_COLUMNS and list(table.measure) == ["b", "a", "c"] and list(table.question) == ["when", "when", "how_well"]
    assert table.estimate[2] == pytest.approx(1 / 3, rel=1e-9)          # ten digits are written
    assert b"\r" not in (folder / "results.csv").read_bytes()


def test_the_notebooks_results_are_taken_away(tmp_path):
    folder = folder_of(tmp_path, {"when": [row("a")]})
    assert sorted(p.name for p in folder.iterdir()) == ["answers.json", "results.csv", "tables.xlsx"]


def test_csv_and_answers_are_byte_identical_when_made_again(tmp_path):
    one, two = (folder_of(tmp_path / name, {"when": [row("a", 1 / 3)]}, answers=[Answer("when", "x", 1, "y")]) for name in ("a", "b"))
    for name in ("results.csv", "answers.json"):
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_a_hidden_row_has_no_number_in_the_csv_and_a_mark_in_the_sheet(tmp_path):
    folder = folder_of(tmp_path, {"when": [row("a", n=3), row("b", n=50), row("d", n=0) | dict(estimate=None, conf_low=None, conf_high=None)]})
    table = pd.read_csv(folder / "results.csv").set_index("measure")
    assert table.loc["a", ["n", "n_missing", "estimate", "conf_low", "conf_high"]].isna().all() and table.suppressed["a"] and not table.suppressed["b"]
    sheet = CalamineWorkbook.from_path(str(folder / "tables.xlsx")).get_sheet_by_name("when").to_python()
    head = next(r for r in sheet if "Level" in r)
    rows = {r[0]: dict(zip(head, r)) for r in sheet if r[0] in ("a", "b", "d")}
    assert [rows["a"][c] for c in ("Number", "Missing", "Estimate", "Lower limit", "Upper limit")] == ["[c]"] * 5
    assert rows["d"]["Estimate"] == "[x]" and rows["b"]["Estimate"] == 10 and rows["b"]["Note"] == "[z]"


def test_the_workbook_has_a_cover_and_a_sheet_per_question_with_its_title(tmp_path):
    folder = folder_of(tmp_path, {"when": [row("a")], "how_well": [row("b")], "for_whom": []}, Settings(scheme_id="test-1", name="Harbour", synthetic=True))
    book = CalamineWorkbook.from_path(str(folder / "tables.xlsx"))
    names = book.sheet_names
    assert "when" in names and "how_well" in names and "for_whom" not in names
    cover = json.dumps(book.get_sheet_by_name(names[0]).to_python())
    assert "Harbour" in cover and RULE.words[:40] in cover and "SYNTHETIC DATA" in cover
    assert book.get_sheet_by_name("when").to_python()[0][0] == TITLES["when"]


def test_answers_are_kept_once_each_with_the_headline(tmp_path):
    settings = Settings(scheme_id="test-1", name="Test")
    when = Answer("when", "Soon.", 2, "counted", [(1, "Record dates.")])
    for question in ("when", "summary"):
        report = start_report(question, Scheme(Path("."), settings, {}, pd.DataFrame()), tmp_path)
        report.add("x", result_table([row("a")] if question == "when" else []))
        if question == "when":
            report.answer(when)
        else:
            report.cards([when.as_dict()])
            report.say("headline", "What we know.", "headline")
        report.write()
    write_tables(tmp_path, settings, RULE, ["when", "summary"])
    found = json.loads((tmp_path / "answers.json").read_text(encoding="utf-8"))
    assert found["headline"] == "What we know." and [a["text"] for a in found["answers"]] == ["Soon."] and (found["scheme_id"], found["synthetic"]) == ("test-1", False)


@pytest.mark.parametrize("text, safe", [("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@x", "'@x"), ("a=1", "a=1"), ("", ""), ("1-2", "1-2")])
def test_text_that_a_spreadsheet_takes_for_a_formula_gets_a_quote(text, safe):
    assert plain_text(text) == safe


@pytest.mark.parametrize("text", ["\t=1", "\r=1", "\n=1", " =1", "\r\n+1"])
def test_white_space_before_a_formula_does_not_save_it(text):
    safe = plain_text(text)
    assert safe.startswith("'") or not safe.strip().startswith(("=", "+"))
    assert safe.strip("' \t\r\n") == text.strip()


def test_no_two_rows_of_a_sample_report_share_measure_group_and_level():
    from pathlib import Path

    import pandas as pd
    for path in sorted((Path(__file__).parent / "golden").glob("*_results.csv")):
        table = pd.read_csv(path, keep_default_na=False)
        assert not table.duplicated(["measure", "group", "level"]).any(), path.name
