"""The community's side: whether the groups that people are sent to grow, hold or buckle."""

import numpy as np
import pandas as pd

from sprx.errors import require
from sprx.results import result_table

MEMBERS, VOLUNTEERS, CONFIDENCE = 0.10, 0.25, 2.0       # how much has to change: share of members, share of volunteers, points of 10
FEWEST = {"members": 8, "volunteers": 4}       # below which a share of them says little, and much about few
COUNTED = {"members": "per cent", "volunteers": "per cent", "sessions": "per cent", "confidence": "points of 10"}


def community_changes(groups):
    """How each group changed from its first to its last count, and whether it grows, holds or buckles.

    Parameters
    ----------
    groups : DataFrame, one row per group and date, oldest first
        Needs service_id, date, members, volunteers, sessions, confidence.

    Returns
    -------
    DataFrame
        Result layout, group community_group, level service_id: community_<members, volunteers, sessions>_change in per cent (missing, with a note, from fewer members or volunteers than FEWEST) and
        community_confidence_change in points of 10; n = counts. community_state with note `grows`, `holds`, `buckles` or `cannot be told`, group state: community_groups, how many of each. A group *buckles* when
        its members fall by a tenth, its volunteers by a quarter, or its confidence by two points; it *grows* when its members rise by a tenth and none of these holds. Our rule: the notes give the dates.
    """
    require(groups, "community", ["service_id", "date", *COUNTED])
    rows, states = [], []
    for service, part in groups.groupby("service_id", sort=True):
        ends = {column: part[column].astype(float).dropna().iloc[[0, -1]].tolist() if part[column].count() > 1 else [np.nan, np.nan] for column in COUNTED}
        changes = {column: (*_change(*ends[column], column), int(part[column].count())) for column in COUNTED}
        span = f"{part['date'].min():%Y-%m-%d} to {part['date'].max():%Y-%m-%d}"
        states.append(_state(ends))
        about = dict(group="community_group", level=str(service), n_missing=0, method="last minus first count")
        rows.append(about | dict(measure="community_state", n=len(part), estimate={"buckles": -1, "holds": 0, "grows": 1}.get(states[-1], np.nan), unit="-1 buckles, 0 holds, 1 grows", note=f"{states[-1]}; {span}"))
        rows += [about | dict(measure=f"community_{column}_change", n=count, estimate=value, unit=COUNTED[column], note=note or span) for column, (value, note, count) in changes.items() if count]
    counts = pd.Series(states, dtype=object).value_counts()
    return result_table(rows + [dict(measure="community_groups", group="state", level=state, n=len(states), n_missing=0, estimate=int(counts.get(state, 0)), unit="groups", method="count")
                                for state in ("grows", "holds", "buckles", "cannot be told") if states])


def _change(first, last, column):
    """(change as it is given, why there is none) from the first to the last known count."""
    if pd.isna(first):
        return np.nan, "not counted twice"
    if column == "confidence":
        return last - first, ""
    if first < FEWEST.get(column, 1) or column == "members" and last < FEWEST[column]:
        return np.nan, f"fewer than {FEWEST.get(column, 1)} {column}: no share is given"
    return float(round(100 * (last - first) / first)), ""


def _state(ends):
    """grows, holds or buckles, from the first and the last known count of each column."""
    first, last = (pd.Series({column: pair[at] for column, pair in ends.items()}) for at in (0, 1))
    if last[["members", "volunteers", "confidence"]].isna().all():
        return "cannot be told"
    lost = last["members"] <= (1 - MEMBERS) * first["members"] < first["members"] or last["volunteers"] <= (1 - VOLUNTEERS) * first["volunteers"] < first["volunteers"]
    if lost or last["confidence"] - first["confidence"] <= -CONFIDENCE:
        return "buckles"
    return "grows" if last["members"] >= (1 + MEMBERS) * first["members"] and last["members"] > first["members"] else "holds"


def referrals_sent(given, groups):
    """How many prescriptions went to each group whose counts are held. These are people: small numbers have to be hidden.

    Parameters
    ----------
    given : DataFrame, one row per prescription
        Needs service_id.
    groups : DataFrame
        Needs service_id.

    Returns
    -------
    DataFrame
        Result layout; measure sent_to_group, group sent_to, level service_id, unit prescriptions.
    """
    require(given, "prescriptions", ["service_id"])
    counts = given["service_id"].value_counts()
    return result_table([dict(measure="sent_to_group", group="sent_to", level=str(service), n=int(count), n_missing=0, estimate=int(count), unit="prescriptions", method="count", numerator=int(count), denominator=int(count))
                         for service in sorted(groups["service_id"].unique()) for count in [counts.get(service, 0)]])
