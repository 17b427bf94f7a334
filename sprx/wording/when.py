"""Sentences of chapter 01."""

import pandas as pd

from sprx.wording.words import NOT_SHOWN, count, interval, listed, number, one, percent


def describe_referrals(table):
    """How many referrals there were, and how many in a whole month."""
    total, outside = one(table, "referrals"), one(table, "referrals_outside_period")
    if total is None:
        return NOT_SHOWN
    if total.estimate == 0 and outside is None:
        return "Cannot be answered: needs a referrals table."
    whole = table[(table["group"] == "month") & (table["level"] != "missing") & (table["note"] != "part of a month")].dropna(subset="estimate")
    text = f"There were {count(total.estimate)} referrals."
    if len(whole) > 1:
        low, high = count(whole.estimate.min()), count(whole.estimate.max())
        where = "In the whole months that can be shown" if table["suppressed"].any() else "In a whole month"
        text += f" {where} there were {'about ' + low if low == high else f'between {low} and {high}'}."
    if total.n_missing > 0:
        text += f" {count(total.n_missing)} have no referral date and are not in the figure."
    if outside is not None and outside.estimate > 0:
        text += f" {count(outside.estimate)} more were made outside the period and are left out of this report."
    return text


def describe_wait(table):
    """The median wait and the share seen within each standard."""
    median = table[table["measure"] == "median_days_to_first_contact"].iloc[0]
    within = table[table["measure"].str.startswith("seen_within_")].dropna(subset="estimate")
    if pd.isna(median.n) or (within.empty and pd.isna(median.estimate)):
        return NOT_SHOWN if pd.isna(median.n) else "Cannot be answered: needs referrals with a referral_date and a first_contact_date."
    text = (f"Half of the people referred were first seen within {number(median.estimate)} days{interval(median)}."
            if pd.notna(median.estimate) else "Fewer than half of the people referred were seen while they were being watched.")
    said = [f"{percent(r.estimate, r.n)}{interval(r)} within {r.measure.split('_')[2]} days" for r in within.itertuples()]
    return text + (f" Seen: {listed(said)}." if said else "")
