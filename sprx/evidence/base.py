"""Reading the evidence base, adding to a user's part of it, and writing it out."""

import io
import os
from pathlib import Path

import pandas as pd

from sprx import __version__
from sprx.errors import SchemeError, nearest
from sprx.evidence import record
from sprx.evidence.rules import check_base, columns_of, with_std_errors
from sprx.readers import SUFFIXES, read_file
from sprx.reference import facts
from sprx.results import plain_text

TABLES = tuple(facts("evidence/columns")["table"].unique())
PROVENANCE = ["added_by", "added_on", "sprx_version"]
PLACE = ["file", "where"]                   # where a row stands; in no file
SHIPPED = "sprx/reference/evidence"
NUMERIC = ("number", "integer")
ABOUT_STUDY = ["first_author", "year", "title", "programme", "country", "setting", "design", "maryland_level", "n_intervention", "n_control", "n_total", "population", "referral_group", "activities",
               "link_worker", "follow_up_months", "doi", "where_read", "scheme_id"]


def read_base(folder=None):
    """The evidence base: the tables that sprx carries and, below them, those in a folder of the user's.

    Parameters
    ----------
    folder : Path, optional
        Holds studies.csv, effects.csv and so on, as `add_file` writes them; any of them may be missing.

    Returns
    -------
    dict of str to DataFrame of text
        studies, effects, appraisal, economic, uptake, components; columns as in reference/evidence/columns.csv, then
        added_by, added_on and sprx_version (added_by is 'sprx' for what is carried), then file and where.

    Raises
    ------
    SchemeError
        If a file in the folder cannot be read, is none of the tables, or lacks a column.
    """
    own = _own_files(folder)
    tables = {}
    for name in TABLES:
        carried = facts(f"evidence/{name}").assign(added_by="sprx", added_on="", sprx_version=__version__)
        carried.index += 2                  # as a person counts rows, the header being row 1
        parts = [_placed(carried, name, f"{SHIPPED}/{name}.csv")]
        if name in own:
            parts.append(_placed(read_file(own[name])[0].fillna(""), name, str(own[name])))
        tables[name] = pd.concat(parts, ignore_index=True)
    return tables


def _own_files(folder):
    if folder is None or not Path(folder).is_dir():
        return {}
    files = sorted(Path(folder).glob("*.csv"))
    strange = [f for f in files if f.stem not in TABLES]
    if strange:
        raise SchemeError([f"{f}: none of the tables of the evidence base.{nearest(f.stem, TABLES)} "
                           f"They are: {', '.join(TABLES)}. Rename it or move it." for f in strange])
    return {f.stem: f for f in files}


def _placed(table, name, file):
    """A table with the columns of the base, each row knowing where it stands; complains of a header that does not fit."""
    known = [*columns_of(name).index, *PROVENANCE]
    needed = [c for c, spec in columns_of(name).iterrows() if spec.required]
    problems = [f"{file}: the table {name} has no column {c!r}.{nearest(c, known)} Take it out or rename it." for c in table.columns if c not in known]
    problems += [f"{file}: the column {c!r} is missing and needed ({columns_of(name).loc[c, 'meaning']}). Add it." for c in needed if c not in table.columns]
    if problems:
        raise SchemeError(problems)
    return table.reindex(columns=known, fill_value="").assign(file=file, where=[f"row {i}" for i in table.index])


def add_file(path, folder, added_by, added_on, table=None, allow_synthetic=False):
    """Add a scheme's evidence_record.json, or rows filled in by hand, to the user's part of the base; all of it or nothing.

    Parameters
    ----------
    path : Path
        A .json record (docs/evidence.md), or a CSV or Excel file with a header and rows of one table.
    folder : Path
        Where the user's part lies; made if it is not there.
    added_by, added_on : str
        Who adds, and the day as 2025-03-31.
    table : str, optional
        Which table the rows are of; otherwise told from the header.
    allow_synthetic : bool
        Whether a record of synthetic data may be added; its study is named so.

    Returns
    -------
    dict of str to int
        Rows added to each table.

    Raises
    ------
    SchemeError
        With every problem of the new rows, or with why the file cannot be read.
    """
    path, folder = Path(path), Path(folder)
    if not path.is_file():
        raise SchemeError(f"No such file: {path}. Give a scheme's evidence_record.json, or a CSV or Excel file with rows of one table.")
    who = dict(added_by=plain_text(added_by), added_on=added_on, sprx_version=__version__)
    if path.suffix.casefold() == ".json":
        del who["sprx_version"]             # a record brings the version that made its numbers
        new = record.read_record(path, allow_synthetic)
    else:
        new = _rows_by_hand(path, table)
    new = {name: rows.assign(**who) for name, rows in new.items()}
    if "effects" in new:
        new["effects"] = with_std_errors(new["effects"])
    base = read_base(folder)
    problems = [p for p in check_base({name: pd.concat([base[name], new[name]]) if name in new else base[name] for name in TABLES}) if p.file == str(path)]
    if problems:
        raise SchemeError([str(p) for p in problems])
    _store(folder, {name: pd.concat([base[name][base[name]["file"] == str(folder / f"{name}.csv")], rows]) for name, rows in new.items()})
    return {name: len(rows) for name, rows in new.items()}


def _rows_by_hand(path, name):
    """Rows of one table from a CSV or Excel file, {table: rows}."""
    if path.suffix.casefold() not in SUFFIXES:
        raise SchemeError(f"{path}: files ending in {path.suffix or 'nothing'!r} are not read. Give a .json record, a CSV or an Excel file.")
    try:
        rows = read_file(path)[0].fillna("")
    except SchemeError as error:            # it was written for scheme folders, where scheme.yaml can name a sheet
        raise SchemeError([p.replace("say which with 'sheet:'", "keep the one with the rows to add") for p in error.problems]) from None
    shared = {t: len(set(rows.columns) & set(columns_of(t).index)) / len(rows.columns) for t in TABLES}
    name = name or max(shared, key=shared.get)
    if shared[name] < 0.5:
        raise SchemeError(f"{path}: its header fits none of the tables of the evidence base. Found: {', '.join(map(str, rows.columns))[:200]}. "
                          "The columns of each are in docs/evidence.md.")
    if rows.empty:
        raise SchemeError(f"{path}: a header and no rows. Fill in a row.")
    mine = [c for c in rows.columns if c not in PROVENANCE]
    rows = _placed(rows[mine], name, str(path))
    signs = [c for c, spec in columns_of(name).iterrows() if spec.kind in NUMERIC]
    rows[signs] = rows[signs].replace("−", "-", regex=True)         # the minus sign of a printed page
    if "doi" in rows:
        rows["doi"] = rows["doi"].str.replace(r"^(https?://(dx\.)?doi\.org/|doi:\s*)", "", regex=True, case=False)
    defaults = {"effects": {"pooled": "no", "suppressed": "no"}}.get(name, {})
    return {name: rows.assign(**{c: rows[c].replace("", v) for c, v in defaults.items()})}


def _store(folder, tables):
    """Write the user's tables; each replaces the old one only when all are written."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        (folder / f".{name}.csv.new").write_bytes(_csv(rows, name))
    for name in tables:
        os.replace(folder / f".{name}.csv.new", folder / f"{name}.csv")


def _csv(table, name):
    """A table as CSV: no text that a spreadsheet takes for a formula, the same bytes every time."""
    kinds = columns_of(name)["kind"]
    safe = {c: table[c].map(plain_text) for c in table.columns if kinds.get(c) not in NUMERIC}
    return table.assign(**safe).drop(columns=PLACE).to_csv(index=False, lineterminator="\n").encode()


def typed(table, name):
    """A table of the base with its numbers as numbers (empty = missing); the rest stays text."""
    kinds = columns_of(name)["kind"]
    return table.assign(**{c: pd.to_numeric(table[c], errors="coerce") for c in table.columns if kinds.get(c) in NUMERIC})


def effects_with_studies(tables):
    """The effects with what is known of their studies, one row per effect, numbers as numbers.

    Parameters
    ----------
    tables : dict of DataFrame
        As `read_base` gives them.

    Returns
    -------
    DataFrame
        Columns of effects, ABOUT_STUDY, `cite` (the DOI's address, else where the number was read), who added the row, and `file` and `where` it stands.
    """
    studies = typed(tables["studies"], "studies").drop_duplicates("study_id")[["study_id", *ABOUT_STUDY]]
    joined = typed(tables["effects"], "effects").merge(studies, on="study_id", how="left", validate="many_to_one")
    cite = ("https://doi.org/" + joined["doi"]).where(joined["doi"].fillna("").ne(""), joined["source_url"])
    own = list(columns_of("effects").index)
    return joined.assign(cite=cite)[[*own, *ABOUT_STUDY, "cite", *PROVENANCE, *PLACE]]


def base_summary(tables):
    """Rows of each table that sprx carries and that the user added, as (table, carried, added)."""
    return [(name, int(t["added_by"].eq("sprx").sum()), int(t["added_by"].ne("sprx").sum())) for name, t in tables.items()]


def write_base(tables, path, name="effects"):
    """Write the base for a spreadsheet: one table as CSV, or all of them as an Excel file, a sheet each.

    Parameters
    ----------
    tables : dict of DataFrame
        As `read_base` gives them.
    path : Path
        Ends in .csv or .xlsx.
    name : str
        The table for a CSV. The effects come with what is known of their studies.

    Raises
    ------
    SchemeError
        If the path ends in something else.
    """
    path = Path(path)
    shown = {t: (effects_with_studies(tables) if t == "effects" else typed(tables[t], t)).drop(columns=PLACE) for t in TABLES}
    if path.suffix.casefold() == ".csv":
        table = shown[name]
        safe = table.assign(**{c: table[c].map(plain_text) for c in table.columns[~table.dtypes.map(pd.api.types.is_numeric_dtype)]})
        path.write_bytes(safe.to_csv(index=False, lineterminator="\n", float_format="%.10g").encode())
    elif path.suffix.casefold() == ".xlsx":
        path.write_bytes(_workbook(shown))
    else:
        raise SchemeError(f"{path}: the table is written as .csv or .xlsx. Give a name that ends so.")


def _workbook(tables):
    import datetime as dt

    import xlsxwriter

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_urls": False, "strings_to_formulas": False, "strings_to_numbers": False})
    book.set_properties({"title": "Evidence base of sprx", "created": dt.datetime(2000, 1, 1)})      # no clock: the same bytes every time
    bold = book.add_format({"bold": True, "bottom": 1})
    for name, table in tables.items():
        sheet = book.add_worksheet(name)
        sheet.freeze_panes(1, 1)
        sheet.write_row(0, 0, table.columns, bold)
        for at, row in enumerate(table.itertuples(index=False), start=1):
            for column, value in enumerate(row):
                if isinstance(value, str):
                    sheet.write_string(at, column, plain_text(value)) if value else None
                elif pd.notna(value):
                    sheet.write_number(at, column, value)
        sheet.autofilter(0, 0, len(table), len(table.columns) - 1)
        sheet.set_column(0, len(table.columns) - 1, 16)
    book.close()
    return buffer.getvalue()
