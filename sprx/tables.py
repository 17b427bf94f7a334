"""The released results as files: results.csv, tables.xlsx, answers.json."""

import json
import warnings

import pandas as pd

from sprx.answers import in_order
from sprx.results import RESULT_COLUMNS, csv_bytes, plain_text, result_table

SHEET_COLUMNS = {"measure": "Measure", "group": "Breakdown", "level": "Level", "n": "Number", "n_missing": "Missing", "estimate": "Estimate",
                 "conf_low": "Lower limit", "conf_high": "Upper limit", "conf_level": "Confidence level", "unit": "Unit", "method": "Method",
                 "note": "Note"}
TITLES = {"data_quality": "Can we trust the data?", "when": "When are people referred and seen?", "for_whom": "For whom: who is reached?",
          "how_well": "How well does it work for those it reaches?"}


def write_tables(folder, settings, rule, questions):
    """Gather the notebooks' *.results.json of a report folder into its files, in the order of the questions.

    Parameters
    ----------
    folder : Path
        The report folder; its *.results.json files are read and taken away.
    settings : Settings
    rule : disclosure.Rule
    questions : list of str
    """
    tables, answers, headline = {}, [], ""
    for question in questions:
        path = folder / f"{question}.results.json"
        content = json.loads(path.read_text(encoding="utf-8"))
        tables[question] = result_table(content["results"])[RESULT_COLUMNS]
        headline = content["sentences"].get("headline", headline)
        answers += [a for a in content["answers"] if a["question"] not in {b["question"] for b in answers}]
        path.unlink()
    stacked = pd.concat([t for t in tables.values() if len(t)], ignore_index=True)
    (folder / "results.csv").write_bytes(csv_bytes(stacked))
    answers = in_order(answers)
    about = dict(scheme_id=settings.scheme_id, name=settings.name, synthetic=settings.synthetic, headline=headline, answers=answers)
    (folder / "answers.json").write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    _write_workbook(folder / "tables.xlsx", settings, rule, {q: t for q, t in tables.items() if len(t)})


def _write_workbook(path, settings, rule, tables):
    """An accessible workbook after the analysis function's guidance: cover, contents, one sheet per question."""
    import gptables

    synthetic = ["SYNTHETIC DATA: about nobody and no place."] if settings.synthetic else []
    cover = gptables.Cover(title=f"{settings.name}: evaluation results", intro=[*synthetic, rule.words],
                           about=["Each row is one estimate. The same rows are in results.csv.", "[c] means too few people to show; [x] not available; [z] nothing to say."])
    sheets = {}
    for question, table in tables.items():
        shown = pd.DataFrame({column: _cells(table, column) for column in SHEET_COLUMNS})
        sheets[question] = gptables.GPTable(table=shown.rename(columns=SHEET_COLUMNS), table_name=f"table_{question}",
                                            title=TITLES.get(question, question), subtitles=[settings.name, *synthetic],
                                            index_columns={1: 0, 2: 1, 3: 2})
    with warnings.catch_warnings(action="ignore", category=UserWarning):        # it warns that there are no notes
        gptables.write_workbook(filename=str(path), sheets=sheets, cover=cover, workbook_options={"strings_to_formulas": False, "strings_to_urls": False})


def _cells(table, column):
    """A column for a sheet: no cell empty ([c] hidden, [x] not available, [z] nothing to say), no text a formula."""
    hidden = table["suppressed"].astype(bool) | (column == "n_missing")
    if column in ("n", "n_missing", "estimate", "conf_low", "conf_high", "conf_level"):
        return [value if pd.notna(value) else "[c]" if h else "[x]" for value, h in zip(table[column], hidden)]
    return [plain_text(str(value)) or "[z]" for value in table[column]]
