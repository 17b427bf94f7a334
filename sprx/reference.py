"""Facts as data: the tables in reference/*.csv, read once, every row with its source."""

import re
from functools import cache, lru_cache
from pathlib import Path

import pandas as pd

NUMBER = re.compile(r"[+-]?\d{1,15}(\.\d+)?")
BY_LOT = ("randomised", "cluster_randomised")       # designs in which chance made the groups
FOLDER = Path(__file__).with_name("reference")


@cache
def facts(name):
    """One reference table as text columns (do not change it: it is shared by everyone who asks).

    Raises
    ------
    ValueError
        If there is no such table, or it has no rows.
    """
    path = FOLDER / f"{name}.csv"
    if not path.exists():
        raise ValueError(f"No reference table {name!r}. There are: {sorted(p.stem for p in FOLDER.glob('*.csv'))}.")
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    if table.empty:
        raise ValueError(f"Reference table {name!r} is empty.")
    return table


@cache
def allowed(name):
    """Allowed values of a list, value -> plain meaning, in their standard order."""
    rows = facts("allowed").query("list == @name")
    return dict(zip(rows["value"], rows["meaning"]))


def fallback(name):
    """The value that stands for 'none of the others' in a list, or None."""
    rows = facts("allowed").query("list == @name and fallback == 'yes'")
    return rows["value"].iloc[0] if len(rows) else None


@lru_cache(maxsize=200_000)
def plain_key(label):
    """A label without case, spaces and punctuation, so that 'Self-referral' meets 'self referral'; a number is the number."""
    text = str(label).strip()
    try:
        return f"{float(text):g}" if NUMBER.fullmatch(text) else "".join(ch for ch in text.casefold() if ch.isalnum())
    except OverflowError:
        return text


@cache
def labels(name):
    """Every label understood for a list, plain key -> standard value: the values, their meanings, the synonyms."""
    known = {}
    rows = facts("synonyms").query("list == @name")
    for label, value in [*zip(rows["label"], rows["value"]),
                         *((meaning, value) for value, meaning in allowed(name).items()),
                         *((value, value) for value in allowed(name))]:
        known[plain_key(label)] = value
    return known


NUMBERS = ["n_items", "item_min", "item_max", "total_min", "total_max", "max_missing", "scale", "mid_value"]


@cache
def measures():
    """Outcome measures, one row per instrument, indexed by measure_id.

    Columns: name, rule (sum, single, swemwbs, eq5d, separate, totals_only), n_items, item_min, item_max, total_min,
    total_max, max_missing (items), scale (total = sum x scale), higher_is_better (yes, no, n/a), mid_value and its source
    and verification word, licence notes, domain, sources.
    """
    table = facts("measures").set_index("measure_id")
    return table.assign(**{c: pd.to_numeric(table[c]) for c in NUMBERS})
