"""Scores: which people, which first score, which follow-up."""

import pandas as pd

from sprx.cohort.referrals import referred_people
from sprx.reference import plain_key


def scored_people(scheme, instrument, at_months=None):
    """One row per person of each arm with the baseline and the follow-up score of one instrument.

    Parameters
    ----------
    scheme : Scheme (cleaned)
    instrument : str
    at_months : float, optional
        Follow-up time wanted; default the scheme's own, else each person's last score. Scheme people are those referred
        in the period.

    Returns
    -------
    DataFrame
        person_id, arm, baseline, follow_up, months (of the follow-up). Missing = not measured. A follow-up counts when it is
        at exactly the wanted time, where the data use such visits, else when it is nearest to it and nearer than a quarter
        of the time, or a month.
    """
    people = scheme.tables["people"][["person_id", "arm"]]
    people = people[people["arm"].eq("comparison") | people["person_id"].isin(referred_people(scheme)["person_id"])]
    rows = scheme.tables["outcomes"]
    rows = rows[(rows["instrument"] == instrument) & (rows["item"] == "total")]
    base = rows[rows["occasion"] == "baseline"].sort_values("months", key=lambda m: m.abs(), kind="stable")
    after = chosen_follow_ups(rows[rows["occasion"] == "follow_up"], at_months or scheme.settings.follow_up_months)
    return (people.merge(base.drop_duplicates("person_id")[["person_id", "value"]].rename(columns={"value": "baseline"}), how="left")
            .merge(after[["person_id", "value", "months"]].rename(columns={"value": "follow_up"}), how="left"))


def chosen_follow_ups(rows, target):
    """One follow-up score per person: see `scored_people`."""
    if target is None or rows["months"].isna().all():
        order = [c for c in ("measured_on", "months", "row") if c in rows]
        return rows.sort_values(order, kind="stable").drop_duplicates("person_id", keep="last")
    distance = (rows["months"] - target).abs()
    by_visit = "measured_on" not in rows or rows["measured_on"].isna().all()
    window = 1e-6 if by_visit and distance.min() < 1e-6 else max(1.0, target / 4)
    near = rows[distance < window].assign(distance=distance)
    return near.sort_values(["distance", "row"], kind="stable").drop_duplicates("person_id")


def instruments_used(scheme):
    """Instruments with at least one total among the scheme's scores, the primary outcome first."""
    rows = scheme.tables.get("outcomes")
    if rows is None:
        return []
    used = sorted(rows.loc[rows["item"] == "total", "instrument"].unique())
    return sorted(used, key=lambda i: plain_key(i) != plain_key(scheme.settings.primary_outcome or ""))


def follow_up_visits(scheme, instrument):
    """The visits (months) at which one instrument was taken, where the data give visits rather than dates; else an empty list."""
    rows = scheme.tables.get("outcomes")
    if rows is None or ("measured_on" in rows and rows["measured_on"].notna().any()):
        return []
    months = rows.loc[(rows["instrument"] == instrument) & (rows["occasion"] == "follow_up"), "months"].dropna().unique()
    return sorted(months) if len(months) <= 12 else []


def scores_at_visits(scheme, instrument):
    """One row per person and visit, the start included: arm, months, value (missing = no score at that visit).

    Where the data give dates rather than visits there are two: the start and the chosen follow-up.
    """
    visits = follow_up_visits(scheme, instrument) or [scheme.settings.follow_up_months]
    parts = []
    for months in visits:
        pairs = scored_people(scheme, instrument, months)
        if not parts:
            parts.append(pairs.assign(months=0.0, value=pairs["baseline"]))
        parts.append(pairs.assign(months=months if months is not None else float("nan"), value=pairs["follow_up"]))
    table = pd.concat(parts, ignore_index=True)[["person_id", "arm", "months", "value"]]
    return table.dropna(subset="months")
