"""A new scheme folder to fill in, and the data standard in words; both are drawn from reference/, so they cannot drift from it."""

import datetime as dt
import io
import json
import re
import textwrap
import unicodedata
from pathlib import Path

import pandas as pd

from sprx import identifiers, readers, reference, schema, settings
from sprx.errors import SchemeError
from sprx.key_words import INSTRUMENT_KEYS, MAPPING, SCHEME_KEYS, WIDE_KEYS

WORKBOOK = "scheme_data.xlsx"
LAST_ROW = 2000                             # drop-downs reach this many rows below the header
FREE_NUMBER = 1_000_000_000                 # stands for "no limit" in Excel, whose number checks need one
TEXT = 49                                   # number of Excel's own format for text
CREATED = dt.datetime(2025, 1, 1)           # written into the workbook instead of the clock: the same bytes every time
_prose = textwrap.TextWrapper(120, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False).wrap
_yaml = "```yaml\n{}\n```".format

NEVER = ("Never put names, NHS numbers, addresses, postcodes, phone numbers, e-mail addresses or dates of birth in this folder. "
         "Use a pseudonym as person_id, and the year of birth or the age. sprx refuses files that hold direct identifiers.")

ROW_IS = {"people": "person", "referrals": "referral", "needs": "referral and need", "contacts": "link-worker contact",
          "activities": "activity prescribed", "outcomes": "score", "service_use": "person, month and service", "costs": "cost line",
          "population": "group of the local population (all combinations of age band, sex and so on that you know)",
          "provision": "local service", "community": "group and date", "coproduction": "answer"}


# scoring rule of a measure -> what the outcomes table may hold
TAKES = {"totals_only": "totals only", "separate": "answers, which have no total", "single": "one answer"}


# ---- facts shared by the workbook and the document

def _lists():
    """Every list of values, name -> rows (value, meaning, source); the instruments are one of them."""
    lists = {name: list(rows[["value", "meaning", "source"]].itertuples(index=False, name=None))
             for name, rows in reference.facts("allowed").groupby("list", sort=False)}
    return lists | {"instrument": [(i, m["name"], m["sources"]) for i, m in reference.measures().iterrows()]}


def _list_of(spec):
    """Name of the list a column takes its values from, or ''."""
    return "instrument" if spec.kind == "instrument" else spec.allowed


def _holds(spec):
    """What a column holds, in words, with the values it may take."""
    words = schema.expected(spec)
    if spec.kind in ("suggested", "instrument"):
        words += f", best from the list {_list_of(spec)}"
    return words


def _example(table, text):
    """A mapping example as the lines that stand under `tables:`."""
    return [f"{table}:", *(f"  {line}" for line in text.splitlines())]


# ---- the scheme folder

def write_template(folder):
    """Make a new scheme folder: a commented scheme.yaml and an empty workbook with a sheet for each table.

    Parameters
    ----------
    folder : str or Path
        Made if it is not there. Its name gives the scheme its name and scheme_id.

    Returns
    -------
    tuple of Path
        The two files written.

    Raises
    ------
    SchemeError
        If one of the files is already there (nothing is overwritten), or the folder cannot be written to.
    """
    folder = Path(folder).resolve()
    paths = folder / settings.FILE, folder / WORKBOOK
    there = [path.name for path in paths if path.exists()]
    if there:
        raise SchemeError(f"{folder} already holds {' and '.join(there)}; nothing was written. "
                          "Choose another folder, or move what is there away first.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, content in zip(paths, (_scheme_yaml(folder.name).encode("utf-8"), _workbook())):
            with path.open("xb") as file:
                file.write(content)
    except OSError as error:
        raise SchemeError(f"A scheme folder cannot be made at {folder} ({error.strerror}). "
                          "Choose a folder that does not exist yet, in a place where you may write.") from None
    return paths


def scheme_id_from(name):
    """A valid scheme_id from any folder name: accents dropped, everything else that is not a letter or digit a hyphen."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    tidy = re.sub(r"[^A-Za-z0-9]+", "-", ascii_name).strip("-")[:60].rstrip("-")
    return tidy if settings.SCHEME_ID.fullmatch(tidy) else "my-scheme"


def filled_scheme(folder_name, lines, record):
    """The two files of a scheme folder whose settings are known already, as `sprx plan` makes them.

    Parameters
    ----------
    folder_name : str
    lines : dict of str to str
        Keys of scheme.yaml and the line that stands for each.
    record : list of (table, columns, when and why)
        Becomes the sheet 'From day one'.

    Returns
    -------
    dict of file name to bytes
    """
    return {settings.FILE: _scheme_yaml(folder_name, lines).encode("utf-8"), WORKBOOK: _workbook(record)}


def _scheme_yaml(folder_name, filled=None):
    """The text of scheme.yaml. '# ' begins prose, '#' alone a setting that is switched off."""
    name = "".join(c for c in folder_name if c.isprintable()).strip() or "My scheme"
    own = {"scheme_id": f"scheme_id: {scheme_id_from(folder_name)}", "name": f"name: {json.dumps(name, ensure_ascii=False)}"} | (filled or {})
    lines = ["# This file tells sprx what your scheme is and where its data are. Any text editor can change it.",
             "# A line that begins with '#' is not read. To switch a setting on, take away its '#' and nothing else: the spaces",
             "# in front of an indented line matter. Put text that holds ':' or '#' in double quotes.",
             "# Check your work with: sprx check, and the name of this folder.", *_prose(NEVER), ""]
    for key, (meaning, example) in SCHEME_KEYS.items():
        lines += [*_prose(meaning), own.get(key) or re.sub("^", "#", example, flags=re.M), ""]
    lines += ["# Where the data are: one entry per table. Only people is needed; leave a sheet empty, or take its lines out, if you",
              "# have no such data. To use exports of your own system instead of the workbook, name them under 'file' and say how",
              "# they fit the standard (docs/data_standard.md):", "#"]
    for key, (meaning, table, example) in MAPPING.items():
        lines += [*_prose(f"{key}: {meaning}"), *(f"# | {line}" for line in _example(table, example))]
    lines += ["", "tables:"]
    for table in schema.table_names():
        lines += [f"  # one row per {ROW_IS[table]}", *(f"  {line}" for line in _example(table, f"file: {WORKBOOK}\nsheet: {table}"))]
    return "\n".join(lines) + "\n"


def _workbook(record=()):
    """The bytes of the workbook to fill in; `record` adds a sheet that says what to record from day one."""
    import xlsxwriter

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_urls": False, "strings_to_formulas": False,
                                        "strings_to_numbers": False})
    book.set_properties({"title": "Scheme data for sprx", "created": CREATED})
    formats = {key: book.add_format({"valign": "top", **spec}) for key, spec in {
        "title": {"bold": True, "font_size": 14}, "warning": {"bold": True, "text_wrap": True, "border": 2},
        "wrap": {"text_wrap": True}, "required": {"bold": True, "bg_color": "#D9E5F3", "bottom": 2},
        "optional": {"bg_color": "#F2F2F2", "bottom": 1}, "text": {"num_format": TEXT}, "date": {"num_format": "yyyy-mm-dd"},
        "month": {"num_format": "yyyy-mm"}, "plain": {}}.items()}
    _write_read_me(book.add_worksheet("Read me"), formats)
    if record:
        _write_rows(book.add_worksheet("From day one"), formats, {"sheet": 22, "columns": 60, "when and why": 70}, record)
    ranges = _list_ranges()
    for table in schema.table_names():
        _write_table_sheet(book.add_worksheet(table), table, formats, ranges)
    dictionary = [[table, column, "yes" if spec.required else "no", spec.kind, _holds(spec), spec.meaning]
                  for table in schema.table_names() for column, spec in schema.columns(table).iterrows()]
    _write_rows(book.add_worksheet("Data dictionary"), formats, {"table": 14, "column": 24, "required": 10, "kind": 12,
                                                                 "what it holds": 70, "meaning": 60}, dictionary)
    _write_rows(book.add_worksheet("Lists"), formats, {"list": 18, "value": 40, "meaning": 60},
                [[name, value, meaning] for name, rows in _lists().items() for value, meaning, _ in rows])
    book.close()
    return buffer.getvalue()


def _list_ranges():
    """Where each list stands on the Lists sheet, as an Excel reference."""
    ranges, row = {}, 2
    for name, rows in _lists().items():
        ranges[name] = f"=Lists!$B${row}:$B${row + len(rows) - 1}"
        row += len(rows)
    return ranges


def _write_read_me(sheet, formats):
    lines = {"Scheme data for sprx": "", "Never": NEVER,
             "Filling in": "Each sheet is one table. Type or paste your data below the header; change no header. Bold headers are needed "
                           "in every row, the others where you have them. Rest the pointer on a header to read what it means.",
             "Empty sheets": "Only people is needed. A sheet that stays empty does no harm: the report says what it would have answered.",
             "Cells": "Dates as 2025-03-31 or 31/03/2025. Leave a cell empty where nothing was recorded; do not type 0. "
                      "The same person_id and referral_id link the sheets.",
             "Checks": f"Drop-down lists and checks cover the first {LAST_ROW} rows. Pasting passes them by; sprx check finds what is wrong.",
             "Help": "'Data dictionary' explains every column, 'Lists' every value of the drop-down lists. "
                     f"{settings.FILE}, beside this workbook, holds the settings."}
    sheet.set_column(0, 0, 22)
    sheet.set_column(1, 1, 100)
    for row, (label, text) in enumerate(lines.items()):
        sheet.write_string(row, 0, label, formats["wrap" if row else "title"])
        sheet.write_string(row, 1, text, formats["warning" if text == NEVER else "wrap"])
    sheet.write_row(len(lines) + 1, 0, ["Sheet", "One row per"], formats["required"])
    for row, table in enumerate(schema.table_names(), start=len(lines) + 2):
        sheet.write_url(row, 0, f"internal:'{table}'!A1", string=table)
        sheet.write_string(row, 1, ROW_IS[table], formats["wrap"])


def _write_table_sheet(sheet, table, formats, ranges):
    """One empty table: header with notes, formats, and checks on the rows below."""
    sheet.freeze_panes(1, 0)
    for position, (column, spec) in enumerate(schema.columns(table).iterrows()):
        sheet.write_string(0, position, column, formats["required" if spec.required else "optional"])
        must = "Needed in every row" if spec.required else "Where you have it"
        sheet.write_comment(0, position, f"{spec.meaning}.\n{must}. {_holds(spec)}.", {"author": "sprx", "x_scale": 2, "y_scale": 1.5})
        style = {"date": "date", "month": "month", "number": "plain", "integer": "plain"}.get(spec.kind, "text")
        sheet.set_column(position, position, max(12, len(column) + 3), formats[style])
        if check := _check(spec, ranges):
            sheet.data_validation(1, position, LAST_ROW, position, check)


def _check(spec, ranges):
    """Excel's data validation for a column, or None where any text will do."""
    message = {"error_title": "sprx", "error_message": f"This column holds {schema.expected(spec)}."[:255]}
    if _list_of(spec):
        strict = spec.kind == "category"
        return {"validate": "list", "source": ranges[_list_of(spec)], "error_type": "stop" if strict else "information", "error_title": "sprx",
                "error_message": f"{'Choose a value' if strict else 'This is not'} from the list '{_list_of(spec)}' (sheet Lists)."}
    if spec.kind == "boolean":
        return {"validate": "list", "source": ["yes", "no"], **message}
    if spec.kind in ("date", "month"):
        return {"validate": "date", "criteria": "between", "minimum": dt.date(1900, 1, 1), "maximum": dt.date(2100, 12, 31), **message}
    if spec.kind in ("integer", "number"):
        low, high = (f"{limit:.15g}" if pd.notna(limit) else free for limit, free in ((spec.minimum, -FREE_NUMBER), (spec.maximum, FREE_NUMBER)))
        return {"validate": "integer" if spec.kind == "integer" else "decimal", "criteria": "between", "minimum": low, "maximum": high, **message}
    return None


def _write_rows(sheet, formats, header, rows):
    """A reference sheet: header with widths, frozen, filtered, text wrapped."""
    sheet.freeze_panes(1, 0)
    for position, (name, width) in enumerate(header.items()):
        sheet.set_column(position, position, width, formats["wrap"])
        sheet.write_string(0, position, name, formats["required"])
    for number, row in enumerate(rows, start=1):
        for position, cell in enumerate(row):
            sheet.write_string(number, position, cell, formats["wrap"])
    sheet.autofilter(0, 0, len(rows), len(header) - 1)


# ---- the data standard in words

def data_standard():
    """The text of docs/data_standard.md (Markdown): folder, scheme.yaml, mapping, reading rules, tables, lists."""
    sections = [_folder_section, _settings_section, _mapping_section, _reading_section, _tables_section, _lists_section]
    head = ["# The data standard", "<!-- Written by sprx.template.data_standard() from sprx/reference/. Change those, not this page. -->"]
    return "\n\n".join([*head, *(part for section in sections for part in section())]) + "\n"


def _folder_section():
    return ["## The scheme folder",
            f"A scheme is one folder: `{settings.FILE}` and the files it names. `sprx init DIR` makes one with an empty workbook, `{WORKBOOK}`, "
            f"to fill in; exports of your own system do as well, if `{settings.FILE}` says how they fit. Files may end in "
            f"{', '.join(readers.SUFFIXES)}. A file outside the folder is refused.",
            "Only the table `people` is needed. What another table or column would have answered is reported as not answerable, with what it needs.",
            f"**{NEVER}**"]


def _settings_section():
    rows = [(f"`{key}`", meaning, f"`{example}`" if "\n" not in example else "see below") for key, (meaning, example) in SCHEME_KEYS.items()]
    rows.append(("`tables`", "Where each table is and how it fits the standard: next section.", "see below"))
    blocks = [_yaml(example) for _, example in SCHEME_KEYS.values() if "\n" in example]
    return [f"## {settings.FILE}", "A key that is not in this list is an error, and the message suggests the nearest one. "
            "Needed: `scheme_id` and `tables` with `people`.", _table(["key", "meaning", "example"], rows), *blocks,
            "Keys of a measure under `instruments`:", _table(["key", "meaning"], INSTRUMENT_KEYS.items())]


def _mapping_section():
    parts = ["## How an export fits the standard", "Each entry under `tables:` bears the name of a standard table and says, as data, how the export fits."]
    for key, (meaning, table, example) in MAPPING.items():
        parts += [f"**{key}**: {meaning}", _yaml("\n".join(["tables:", *(f"  {line}" for line in _example(table, example))]))]
    return [*parts, "Keys of a score column under `wide`:", _table(["key", "meaning"], WIDE_KEYS.items())]


def _reading_section():
    day = pd.Timestamp("2025-03-31")
    dates, months = (", ".join(f"`{day.strftime(form)}`" for form in forms) for forms in (schema.DATE_FORMATS, schema.MONTH_FORMATS))
    blanks = ", ".join(f"`{word}`" for word in sorted(schema.BLANKS - {""}))
    needs = [f"`{table}`: one of {', '.join(f'`{c}`' for c in columns)}" for table, columns in schema.EITHER.items()]
    links = [f"`{table}.{column}` → `{parent}`" for table, (column, parent) in schema.PARENTS.items()]
    headers = ", ".join(what for what, _ in identifiers.HEADERS)
    return ["## How files are read", "\n".join(f"* {line}" for line in [
        "Text files: UTF-8; UTF-16 with its mark at the start; otherwise Windows-1252, with a note. Columns are separated by comma, semicolon, "
        "tab or `|`, whichever the header holds most of.",
        "The header is the first row that is not blank; rows without any value are left out. Column names compare without case, spaces and punctuation.",
        f"Dates: ISO or day first, never month first: {dates}. A time of day is dropped. Excel serial numbers from 20000 to 79999 are read as the day Excel means.",
        f"Months: {months}, or any date in the month.",
        "Numbers may hold `£`, commas and spaces. `integer` means no fraction.",
        f"Yes and no: {', '.join(sorted(schema.TRUE))}; {', '.join(sorted(schema.FALSE))}.",
        f"Nothing recorded: an empty cell; in columns of dates, numbers and codes also {blanks}; everywhere what `missing_values` names.",
        "Labels compare as text without case, spaces and punctuation: `Self-referral` meets `self referral`. A value, its meaning and the labels in "
        "`sprx/reference/synonyms.csv` are all understood.",
        "Columns that the standard does not name are carried in `people` (for covariates and clusters) and ignored elsewhere, with a note.",
        f"At least one of several columns: {'; '.join(needs)}.", f"Links between tables: {'; '.join(links)}."]),
        "## What is refused",
        f"In the tables about people ({', '.join(schema.PERSONAL)}) every column is searched, mapped or not. Refused by title: {headers}. Refused by "
        "content: valid NHS numbers, e-mail addresses, postcodes, phone numbers, and dates that look like dates of birth (spread over more than "
        f"{identifiers.WIDE_SPREAD_YEARS} years, outside the standard's date columns). The message names the column and never shows a value.",
        "## What happens to a value that does not fit", "\n".join(f"* {line}" for line in [
            "Not understood or out of range: set to missing. In a required column, the row is set aside with its reason.",
            "Not in a list that has a value marked *stands for others* below: read as that value.",
            "A measure that neither sprx nor `instruments` knows: the score is set aside.",
            "Every such value is a row of the issue log in `private/`, with file, row, column, what was found and what was expected. "
            "Rows in = rows used + rows set aside + rows that `where` does not select."])]


def _tables_section():
    parts = ["## Tables"]
    for table in schema.table_names():
        rows = [(f"`{column}`", "yes" if spec.required else "", spec.kind, _doc_holds(spec), spec.meaning)
                for column, spec in schema.columns(table).iterrows()]
        parts += [f"### {table}", f"One row per {ROW_IS[table]}.", _table(["column", "required", "kind", "holds", "meaning"], rows)]
    return parts


def _doc_holds(spec):
    """As `_holds`, with a link to the list in place of its values."""
    link = f"[{_list_of(spec)}](#list-{_list_of(spec)})"
    return f"one of {link}" if spec.kind == "category" else schema.expected(spec) + (f", best from {link}" if _list_of(spec) else "")


def _lists_section():
    parts = ["## Lists of values"]
    for name, values in _lists().items():
        if name != "instrument":
            rows = [(f"`{value}`", meaning, "stands for others" if value == reference.fallback(name) else "", source) for value, meaning, source in values]
            parts += [f"### List: {name}", _table(["value", "meaning", "", "source"], rows)]
    rows = [(f"`{key}`", m["name"], f"{m['total_min']:g} to {m['total_max']:g}" if pd.notna(m["total_min"]) else "", m["higher_is_better"],
             TAKES.get(m["rule"], "totals or answers"), m["licence_note"])
            for key, m in reference.measures().iterrows()]
    return [*parts, "### List: instrument", "Measures that sprx knows. `eq5d5l` may be written for EQ-5D-5L answers; `economics: {value_set: uk_5l_2026}` chooses "
            "the 2026 value set for them, otherwise they are mapped to the UK 3L values. Sources: `sprx/reference/measures.csv`.",
            _table(["value", "name", "range of the total", "higher is better", "takes", "licence"], rows)]


def _table(header, rows):
    """A Markdown table."""
    cells = [[str(cell).replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in [header, ["---"] * len(header), *cells])
