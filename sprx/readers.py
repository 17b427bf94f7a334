"""Files to text tables: CSV, Excel and Parquet, every cell as text, every row with its number in the file."""

import csv
import datetime as dt
import io
import re
from pathlib import Path

import pandas as pd

from sprx.errors import SchemeError, nearest

SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".xlsb", ".ods", ".parquet")


def read_file(path, sheet=None):
    """Read one table as text.

    Returns
    -------
    table : DataFrame
        One row per record; every cell a str, or None where it is empty. The index is the row number a person sees in the
        file (the header is row 1). Rows without any value are left out.
    notes : list of str
        What had to be assumed to read it.

    Raises
    ------
    SchemeError
        If the file is not there, is not what its name says, or has no header.
    """
    name, suffix = path.name, path.suffix.casefold()
    if not path.is_file():
        there = sorted(p.name for p in path.parent.iterdir() if p.suffix.casefold() in SUFFIXES)
        raise SchemeError(f"{name} is not in the scheme folder.{nearest(path.stem, [Path(t).stem for t in there])} Files there: {there or 'none'}.")
    if sheet is not None and suffix in (".csv", ".tsv", ".txt", ".parquet"):
        raise SchemeError(f"{name}: a sheet ({sheet!r}) is named, but only Excel files have sheets. Take the line out.")
    if suffix == ".parquet":
        table, notes = _parquet(path), []
    elif suffix in (".csv", ".tsv", ".txt"):
        table, notes = _csv(path)
    elif suffix in SUFFIXES:
        table, notes = _excel(path, sheet), []
    else:
        raise SchemeError(f"{name}: files ending in {suffix or 'nothing'!r} are not read. Export it as CSV, Excel (.xlsx) or Parquet.")
    header = [str(c).strip() for c in table.columns]
    twice = sorted({c for c in header if c and header.count(c) > 1})
    if twice:
        raise SchemeError(f"{name}: the column {twice[0]!r} stands {header.count(twice[0])} times in the header. Give each its own name.")
    if sum(map(bool, header)) * 2 < table.notna().any().sum():
        raise SchemeError(f"{name}: its first row names {sum(map(bool, header))} of {int(table.notna().any().sum())} columns; it looks like a title. "
                          "Take out the rows above the names of the columns.")
    table.columns = header
    table = table.loc[:, [bool(c) for c in header]]
    empty = table.isna().all(axis=1)
    if empty[::-1].cumprod()[::-1].ne(empty).any():         # empty rows at the end are not worth a word
        notes = [*notes, f"{name} has empty rows between the others; they were left out"]
    return table[~empty], notes


def _tidy(cells):
    """Cells of one column as text without outer spaces, None where empty."""
    stripped = cells.str.strip()
    return stripped.where(stripped.ne("") & stripped.notna(), None)


def _csv(path):
    raw, name, notes = path.read_bytes(), path.name, []
    if not raw.strip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n,;|"):
        raise SchemeError(f"{name} is empty: there is not even a header. Export it again.")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = raw.decode("utf-16", errors="replace")
        notes.append(f"{name} is UTF-16 text and was read as such")
    elif b"\x00" in raw[:4096] or raw.startswith(b"PK\x03\x04"):
        raise SchemeError(f"{name} is not text, although its name says so (is it an Excel file?). Give it its right ending or export it as CSV.")
    else:
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = raw[:error.start].count(b"\n") + 1
            try:
                text = raw.decode("cp1252")
            except UnicodeDecodeError as other:
                bad_line = raw[:other.start].count(b"\n") + 1
                raise SchemeError(f"{name}, line {bad_line}: the text is in an encoding that is neither UTF-8 nor "
                                  f"Windows-1252 (byte {raw[other.start]:#x}). Save it again as UTF-8.") from None
            notes.append(f"{name} is not UTF-8 (line {line}); it was read as Windows-1252")
    first = next(line for line in text.splitlines() if line.strip())
    bare = re.sub(r'"[^"]*"', "", first)                # a comma in a quoted heading divides nothing
    delimiter = max(",;\t|", key=bare.count)
    try:
        table = pd.read_csv(io.StringIO(text), sep=delimiter, header=None, dtype=str, keep_default_na=False, na_values=[],
                            skip_blank_lines=False, skipinitialspace=True,
                            names=range(len(next(csv.reader([first], delimiter=delimiter)))))
    except (pd.errors.ParserError, ValueError) as error:
        raise SchemeError(f"{name} cannot be read as a table: {str(error).removeprefix('Error tokenizing data. C error: ').strip()}. "
                          f"The columns seem to be separated by {delimiter!r}; put text that holds it in double quotes.") from None
    if not isinstance(table.index, pd.RangeIndex):
        raise SchemeError(f"{name}: some rows have more cells than the header has names ({table.shape[1]}, separated by {delimiter!r}). "
                          "Put text that holds the separator in double quotes, or name every column.")
    blank = table.fillna("").eq("").all(axis=1)
    top = int(blank.idxmin())                      # a header below blank lines
    table.columns = table.iloc[top]
    table = table.iloc[top + 1:]
    table.index = table.index + 1
    return table.apply(_tidy), notes


def _excel(path, sheet):
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_path(str(path))
    except (CalamineError, OSError, ValueError) as error:
        raise SchemeError(f"{path.name} cannot be opened as an Excel file ({error}). Open it in Excel and save it again as .xlsx.") from None
    if sheet is None and len(book.sheet_names) > 1:
        raise SchemeError(f"{path.name} has {len(book.sheet_names)} sheets; say which with 'sheet:'. Sheets: {book.sheet_names}.")
    sheet = sheet or book.sheet_names[0]
    if sheet not in book.sheet_names:
        raise SchemeError(f"{path.name} has no sheet {sheet!r}.{nearest(sheet, book.sheet_names)} Sheets: {book.sheet_names}.")
    rows = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
    top = next((i for i, row in enumerate(rows) if any(cell != "" for cell in row)), None)
    if top is None:
        raise SchemeError(f"{path.name}, sheet {sheet!r}, is empty: there is not even a header.")
    table = pd.DataFrame(rows[top + 1:], columns=[_cell(c) or "" for c in rows[top]], dtype=object)
    table.index = range(top + 2, top + 2 + len(table))
    for position in range(table.shape[1]):
        table.isetitem(position, pd.Series([_cell(c) for c in table.iloc[:, position]], index=table.index, dtype=object))
    return table


def _cell(value):
    """One Excel cell as the text a person would read: 3.0 is '3', a date is ISO, an empty cell is None."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(sep=" ", timespec="seconds")
    return None if value is None else str(value)


def _parquet(path):
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(path).to_pandas(types_mapper=None, date_as_object=False)
    except (pyarrow.ArrowException, OSError) as error:
        raise SchemeError(f"{path.name} is not a Parquet file, although its name says so ({str(error).splitlines()[0][:120]}). "
                          "Export it again.") from None
    table = table.reset_index(drop=isinstance(table.index, pd.RangeIndex) or None in table.index.names)
    table.index = range(2, 2 + len(table))
    return table.apply(_column_text) if len(table) else table.astype(object)


def _column_text(cells):
    """A typed Parquet column as text."""
    if pd.api.types.is_datetime64_any_dtype(cells):
        naive = cells.dt.tz_localize(None) if cells.dt.tz is not None else cells
        return naive.dt.strftime("%Y-%m-%d").where(cells.notna(), None).astype(object)
    return pd.Series([None if pd.api.types.is_scalar(c) and pd.isna(c) else _cell(c) for c in cells.tolist()],
                     index=cells.index, dtype=object)
