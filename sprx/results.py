"""The result table: the one shape every estimate has."""

import pandas as pd

from sprx.errors import DataError
from sprx.intervals import wilson

RESULT_COLUMNS = ["scheme_id", "question", "measure", "group", "level", "n", "n_missing", "estimate", "std_error", "conf_low",
                  "conf_high", "conf_level", "unit", "method", "note", "suppressed"]
# counts behind a share or a rate, used by disclosure control and never released
COUNTS = ["numerator", "denominator"]
CURVE_COLUMNS = ["scheme_id", "question", "measure", "group", "level", "days", "n_at_risk", "n_events", "estimate", "conf_low",
                 "conf_high", "conf_level", "unit", "method", "suppressed"]
DRAW_COLUMNS = ["scheme_id", "question", "measure", "draw", "effect", "cost"]       # of a joint bootstrap: no row is about a person
PLACE_COLUMNS = ["scheme_id", "question", "measure", "group", "level", "lat", "lon"]     # of services, which are public; never of people
FORMULA_STARTS = ("=", "+", "-", "@")
TEXT = ["scheme_id", "question", "measure", "group", "level", "unit", "method", "note"]


def result_table(rows):
    """Rows (dicts) to the result layout.

    Parameters
    ----------
    rows : list of dict
        Keys are names of RESULT_COLUMNS, and numerator and denominator where the estimate is a share, a rate or a count.

    Returns
    -------
    DataFrame
        RESULT_COLUMNS and COUNTS; what a row does not give is empty.

    Raises
    ------
    DataError
        If an estimate lies outside its own interval.
    """
    table = pd.DataFrame(rows).reindex(columns=RESULT_COLUMNS + COUNTS)
    numbers = table.columns.difference([*TEXT, "suppressed"])
    table[numbers] = table[numbers].astype(float)
    table[TEXT] = table[TEXT].astype(object).where(table[TEXT].notna(), "")
    table["suppressed"] = table["suppressed"].eq(True)
    bad = table[(table.estimate < table.conf_low - 1e-9) | (table.estimate > table.conf_high + 1e-9)]
    if len(bad):
        raise DataError(f"{bad.measure.iloc[0]}: estimate outside its interval for {list(bad.level)}.")
    return table


def share_row(flags, conf_level, **row):
    """A result row: share of True among the known values of a boolean Series, with Wilson limits; `row` gives the rest."""
    known = flags.dropna().astype(bool)
    inside, total = int(known.sum()), len(known)
    low, high = wilson(inside, total, conf_level)
    return row | dict(n=total, n_missing=len(flags) - total, estimate=inside / total if total else float("nan"),
                      conf_low=low, conf_high=high, conf_level=conf_level, unit="proportion", method="Wilson score",
                      numerator=inside if total else None, denominator=total or None)


def levels(table, by=None):
    """Yield (level, rows); people with no recorded group are kept as 'missing', last."""
    if by is None:
        yield "all", table
        return
    for key, rows in table.groupby(by, dropna=False, observed=True, sort=True):
        yield ("missing" if pd.isna(key) else str(key)), rows


def stack_results(*tables):
    """Several result tables as one (each keeps its columns' types, also when a column is empty)."""
    return pd.concat(tables, ignore_index=True) if tables else result_table([])


def rows_by_arm(table, measure):
    """The rows of a measure for each arm, or its one row where there is one arm only."""
    rows = table[table["measure"] == measure]
    arms = rows[rows["group"] == "arm"]
    return arms.iloc[::-1] if len(arms) else rows[rows["group"] == "all"]


def plain_text(text):
    """Text on one line that no spreadsheet takes for a formula."""
    text = " ".join(str(text).split())
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def csv_bytes(table):
    """A released table as CSV: ten significant figures, no text that a spreadsheet takes for a formula, the same bytes every time."""
    safe = table.assign(**{c: table[c].map(plain_text) for c in TEXT if c in table})
    return safe.to_csv(index=False, lineterminator="\n", float_format="%.10g").encode()
