"""The data standard: which tables and columns there are, and how text becomes typed values.

The facts are in reference/columns.csv and reference/allowed.csv; this module turns them into parsers and pandera schemas.
"""

import re
from functools import cache

import numpy as np
import pandas as pd

from sprx import reference

# Tables that hold rows about people; only these are searched for direct identifiers.
PERSONAL = ("people", "referrals", "needs", "contacts", "activities", "outcomes", "service_use")

KEYS = {"people": ["person_id"], "referrals": ["referral_id"], "contacts": ["contact_id"], "provision": ["service_id"],
        "coproduction": ["practice"]}

# child table -> (column, parent table)
PARENTS = {"referrals": ("person_id", "people"), "outcomes": ("person_id", "people"), "service_use": ("person_id", "people"),
           "needs": ("referral_id", "referrals"), "contacts": ("referral_id", "referrals"),
           "activities": ("referral_id", "referrals")}

# at least one of these columns must be there, or the table answers nothing
EITHER = {"outcomes": ("occasion", "measured_on", "months"), "service_use": ("month", "months"),
          "population": ("age_band", "sex", "ethnicity", "imd_decile")}

TRUE = {"yes", "y", "true", "t", "1"}
FALSE = {"no", "n", "false", "f", "0"}

# what text in a column of numbers, dates or codes means "nothing was recorded"
BLANKS = {"", "na", "n/a", "#n/a", "nan", "null", "none", ".", "-"}

EXPECTED = {"id": "an identifier", "text": "text", "suggested": "text", "instrument": "the name of a measure",
            "date": "a date such as 2025-03-31 or 31/03/2025", "month": "a month such as 2025-03",
            "number": "a number", "integer": "a whole number", "boolean": "yes or no"}


@cache
def columns(table):
    """The columns of one table: a frame indexed by column with kind, required, minimum, maximum, allowed, meaning."""
    rows = reference.facts("columns").query("table == @table").set_index("column")
    return rows.assign(required=rows["required"].eq("yes"), minimum=pd.to_numeric(rows["minimum"]),
                       maximum=pd.to_numeric(rows["maximum"]))


@cache
def table_names():
    """The names of the standard's tables, in their order."""
    return list(dict.fromkeys(reference.facts("columns")["table"]))


def expected(spec):
    """What a column should hold, in words."""
    if spec.kind == "category":
        return "one of: " + ", ".join(reference.allowed(spec.allowed))
    words = EXPECTED[spec.kind]
    if pd.notna(spec.minimum) and pd.notna(spec.maximum):
        return f"{words} from {spec.minimum:g} to {spec.maximum:g}"
    return f"{words} of {spec.minimum:g} or more" if pd.notna(spec.minimum) else words


# ---- text to values: each takes a text Series (missing = NA) and returns a typed one, missing where it could not be read

def _number(text):
    tidy = text.str.replace(r"[£\s]", "", regex=True).str.replace("−", "-")
    thousands = tidy.str.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?").eq(True)
    tidy = tidy.mask(thousands, tidy.str.replace(",", ""))
    tidy = tidy.str.replace(r"^(-?\d+),(\d{1,2})$", r"\1.\2", regex=True)         # 23,5 as the continent writes it
    return pd.to_numeric(tidy, errors="coerce").replace([np.inf, -np.inf], np.nan).astype(float)


def _integer(text):
    number = _number(text)
    return number.where(number.mod(1).eq(0)).astype("Int64")


def read_boolean(text):
    """Yes and no in the ways people write them (TRUE, FALSE), anything else missing."""
    folded = text.str.casefold().str.removesuffix(".0")
    return folded.map(lambda t: True if t in TRUE else False if t in FALSE else pd.NA, na_action="ignore").astype("boolean")


DATE_FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d/%m/%y", "%d %B %Y", "%d %b %Y", "%d-%b-%Y", "%d-%b-%y",
                "%Y/%m/%d", "%Y%m%d")
MONTH_FORMATS = ("%Y-%m", "%m/%Y", "%b %Y", "%B %Y", "%b-%y", "%Y%m")
EXCEL_DAY_ZERO = pd.Timestamp("1899-12-30")


def read_date(text, formats=DATE_FORMATS):
    """Dates, ISO or day first, never month first; an Excel serial number (20000 to 79999) is the day Excel means by it."""
    text = text.str.replace(r"[T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?(Z|\+00:00)?$", "", regex=True)
    found = pd.Series(pd.NaT, index=text.index, dtype="datetime64[ns]")
    for form in formats:
        todo = found.isna() & text.notna()
        if not todo.any():
            return found
        found[todo] = pd.to_datetime(text[todo], format=form, errors="coerce")
    serial = (found.isna() & text.str.fullmatch(r"[2-7]\d{4}(\.\d+)?").eq(True)).fillna(False).astype(bool)
    # only these: to_timedelta also rounds what lies in memory where a value is missing, and now and then warns of it
    found[serial] = EXCEL_DAY_ZERO + pd.to_timedelta(pd.to_numeric(text[serial]).astype(float).floordiv(1), unit="D")
    return found


def _month(text):
    return read_date(text, formats=MONTH_FORMATS + DATE_FORMATS).dt.to_period("M").dt.to_timestamp()


OPEN_BAND = 199     # the upper end of a band such as 85+


def read_band(text):
    """An age band as (low, high) in whole years: '18-24', '85+', '85 and over', 'Under 18'; None for anything else."""
    words = str(text).casefold().strip()
    if found := re.fullmatch(r"(\d+)\s*(?:-|–|to)\s*(\d+)(?: years)?", words):
        return int(found[1]), int(found[2])
    if found := re.fullmatch(r"(\d+)\s*(?:\+|plus|and over|or over|and older|or older)(?: years)?", words):
        return int(found[1]), OPEN_BAND
    if found := re.fullmatch(r"(?:under|below|<)\s*(\d+)(?: years)?", words):
        return 0, int(found[1]) - 1
    return (int(words), int(words)) if words.isdigit() else None


def _category(text, spec):
    known = reference.labels(spec.allowed)
    return text.map(lambda t: known.get(reference.plain_key(t)), na_action="ignore").astype("string")


def _instrument(text):
    known = {reference.plain_key(i): i for i in [*reference.measures().index, "eq5d5l"]}
    return text.map(lambda t: known.get(reference.plain_key(t), t), na_action="ignore").astype("string")


def parse(text, spec):
    """Typed values of one text column by its specification (a row of `columns(table)`)."""
    if spec.kind == "category":
        if spec.allowed == "ethnicity":     # an2 codes: the first character is national, the second local
            text = text.str.replace(r"^([A-HJ-NPR-SZ])[0-9A-Z*]$", r"\1", regex=True)
        return _category(text, spec)
    if spec.kind in ("id", "text", "suggested"):
        if spec.allowed:
            return _category(text, spec).fillna(text.astype("string"))
        return text.astype("string")
    return {"date": read_date, "month": _month, "number": _number, "integer": _integer, "boolean": read_boolean,
            "instrument": _instrument}[spec.kind](text)


def failures(text, typed, specs):
    """Every value of a text table that its schema does not accept, all at once.

    Parameters
    ----------
    text, typed : DataFrame
        The same rows before and after `parse`; the index is the row number in the file.
    specs : DataFrame
        `columns(table)`, only the columns that are there.

    Returns
    -------
    DataFrame
        One row per failing value: row, column, problem, found, expected.
    """
    import pandera.pandas as pa

    def checks(name, spec):
        readable = pa.Check(lambda s: typed.loc[s.index, name].notna(), name="not understood", error=expected(spec))
        within = [pa.Check(lambda s, bound=bound, side=side: getattr(typed.loc[s.index, name].astype(float), side)(bound)
                           | typed.loc[s.index, name].isna(), name="out of range", error=expected(spec))
                  for bound, side in ((spec.minimum, "ge"), (spec.maximum, "le")) if pd.notna(bound)]
        return [readable, *within]

    schema = pa.DataFrameSchema({name: pa.Column(nullable=not spec.required, checks=checks(name, spec), required=False)
                                 for name, spec in specs.iterrows()})
    try:
        schema.validate(text, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases
        empty = cases["check"].eq("not_nullable")
        readable = [pd.notna(typed.at[i, c]) for i, c in zip(cases["index"], cases["column"])]
        problem = np.where(empty, "missing", np.where(readable, "out of range", "not understood"))
        return pd.DataFrame({"row": cases["index"].astype(int), "column": cases["column"], "problem": problem,
                             "found": cases["failure_case"].astype("string").fillna(""),
                             "expected": [expected(specs.loc[c]) for c in cases["column"]]}
                            ).drop_duplicates(["row", "column"]).sort_values(["column", "row"], ignore_index=True)
    return pd.DataFrame(columns=["row", "column", "problem", "found", "expected"])
