"""What is doubtful in the list of local services once dates and areas can be compared: said, and nothing is changed."""

import pandas as pd

from sprx.load import note, stack

FRESH_MONTHS = 3            # Open Referral UK: an entry should have been checked within the last three months


def clean_provision(scheme):
    """Note entries of the provision table that nobody has checked for long, or ever; no row is changed."""
    rows = scheme.tables.get("provision")
    if rows is None or "assured_on" not in rows or rows["assured_on"].isna().all() or scheme.settings.extract_date is None:
        return scheme
    old = int((rows["assured_on"] < scheme.settings.extract_date - pd.DateOffset(months=FRESH_MONTHS)).sum())
    late = int((rows["assured_on"] > scheme.settings.extract_date).sum())
    found = [(old, f"{old:,} of {len(rows):,} services were last checked more than {FRESH_MONTHS} months before the data were taken"),
             (late, f"{late:,} of {len(rows):,} services were checked after the data were taken")]
    notes = [note("provision", words, column="assured_on") for number, words in found if number]
    return scheme.keep("provision", rows, stack(notes)) if notes else scheme
