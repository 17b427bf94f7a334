"""The wait from referral to first contact, and how long a case stays open after it."""

import numpy as np
import pandas as pd

from sprx.errors import DataError, require
from sprx.results import CURVE_COLUMNS, levels, result_table

# what is waited for: the column that says whether it came
EVENTS = {"first_contact": "was_seen", "closure": "was_closed"}
KM = "Kaplan-Meier, log-log limits"


def time_to_first_contact(waits, by=None, conf_level=0.95):
    """Proportion seen by each day since referral (1 - Kaplan-Meier).

    Parameters
    ----------
    waits : DataFrame, one row per referral
        Needs days_observed (0 or more; missing = no referral date) and was_seen (True, False), as `cohort.waits` gives them.
    by : str, optional
        Column to break results down by.
    conf_level : float, default 0.95

    Returns
    -------
    DataFrame
        Curve layout: one row per level and day at which somebody was seen or left; n_at_risk before that day, n_events on it.

    Raises
    ------
    DataError
        If a column is absent or a duration is negative.

    References
    ----------
    Kaplan and Meier (1958) JASA 53:457; log-log limits (R survival conf.type="log-log"), lifelines.
    """
    return _curve(waits, "first_contact", by, conf_level)


def time_to_closure(stays, by=None, conf_level=0.95):
    """Proportion of cases closed by each day since first contact; as `time_to_first_contact`, of `cohort.stays` (was_closed)."""
    return _curve(stays, "closure", by, conf_level)


def seen_within(waits, days, by=None, conf_level=0.95):
    """Proportion seen within each number of days, allowing for those still waiting (1 - Kaplan-Meier).

    Parameters
    ----------
    waits : DataFrame, one row per referral
        As for `time_to_first_contact`.
    days : list of int

    Returns
    -------
    DataFrame
        Result layout; measure seen_within_<days>_days, unit proportion. n_missing = referrals without a date. Empty estimate
        when nobody was watched for that long.
    """
    rows = []
    for level, total, known in known_times(waits, "first_contact", by):
        curve = _kaplan_meier(known, "first_contact", conf_level)
        for day in days:
            row = dict(measure=f"seen_within_{day}_days", group=by or "all", level=level, n=len(known), n_missing=total - len(known),
                       conf_level=conf_level, unit="proportion", method=KM)
            if curve is not None and (curve["time"].max() >= day or curve["survival"].iloc[-1] == 0):
                at = curve[curve["time"] <= day].iloc[-1]
                seen = int((known["was_seen"] & known["days_observed"].le(day)).sum())      # for disclosure control only
                row |= dict(estimate=1 - at["survival"], conf_low=1 - at["conf_high"], conf_high=1 - at["conf_low"], numerator=seen)
            else:
                row["note"] = f"nobody was watched for {day} days"
            rows.append(row)
    return result_table(rows)


def median_wait(waits, by=None, conf_level=0.95, event="first_contact"):
    """Days by which half of the referrals had been seen, or (event closure, of `cohort.stays`) half of the cases had been closed.

    Returns
    -------
    DataFrame
        Result layout; measure median_days_to_first_contact or median_days_to_closure, unit days. Empty, with the note 'not reached', when fewer
        than half were seen while being watched; an open upper limit is empty.

    References
    ----------
    Brookmeyer and Crowley (1982) Biometrics 38:29, log-log limits.
    """
    from sprx.stats.survival import quantile

    rows = []
    for level, total, known in known_times(waits, event, by):
        row = dict(measure=f"median_days_to_{event}", group=by or "all", level=level, n=len(known), n_missing=total - len(known),
                   conf_level=conf_level, unit="days", method="Kaplan-Meier median")
        curve = _kaplan_meier(known, event, conf_level)
        if curve is not None:
            row |= dict(zip(("estimate", "conf_low", "conf_high"), quantile(curve)))
            row["note"] = "" if row["estimate"] == row["estimate"] else "not reached"
        rows.append(row)
    return result_table(rows)


def mean_wait(waits, horizon, by=None, conf_level=0.95, event="first_contact"):
    """Mean days until the first contact (or closure), a longer time counting as the horizon.

    Unlike the median it is there also where fewer than half are reached, and it counts how long the long waits are.

    Parameters
    ----------
    horizon : int
        Days.

    Returns
    -------
    DataFrame
        Result layout; measure mean_days_to_first_contact or mean_days_to_closure, unit days; the horizon is in `note`. Empty where nobody was
        watched for so long.

    References
    ----------
    Restricted mean survival time: Royston and Parmar (2013) BMC Med Res Methodol 13:152; `stats.survival.restricted_mean`.
    """
    from sprx.stats.survival import restricted_mean

    rows = []
    for level, total, known in known_times(waits, event, by):
        found = restricted_mean(known["days_observed"], known[EVENTS[event]], horizon, conf_level) if len(known) else dict(estimate=np.nan)
        note = f"a longer time counts as {horizon} days" if found["estimate"] == found["estimate"] else f"nobody was watched for {horizon} days"
        rows.append(dict(measure=f"mean_days_to_{event}", group=by or "all", level=level, n=len(known), n_missing=total - len(known),
                         conf_level=conf_level, unit="days", method="restricted mean", note=note) | found)
    return result_table(rows)


def known_times(table, event, by=None):
    """Yield (level, number of rows, those with a known time).

    Raises
    ------
    DataError
        If a column is absent or a duration is negative.
    """
    require(table, "waits" if event == "first_contact" else "stays", ["days_observed", EVENTS[event]] + ([by] if by else []))
    if (table["days_observed"] < 0).any():          # lifelines accepts these without a word
        raise DataError(f"days_observed has {(table['days_observed'] < 0).sum()} negative values. Run sprx.clean_scheme first.")
    for level, part in levels(table, by):
        yield level, len(part), part[part["days_observed"].notna()]


def _kaplan_meier(known, event, conf_level):
    from sprx.stats.survival import kaplan_meier

    return kaplan_meier(known["days_observed"], known[EVENTS[event]], conf_level) if len(known) else None


def _curve(table, event, by, conf_level):
    """The curve of each level that has anybody in it."""
    curves = [pd.DataFrame(columns=CURVE_COLUMNS)]
    for level, _, known in known_times(table, event, by):
        if len(known):
            km = _kaplan_meier(known, event, conf_level)
            curves.append(pd.DataFrame(dict(
                measure=f"time_to_{event}", group=by or "all", level=level, days=km["time"], n_at_risk=km["at_risk"], n_events=km["events"],
                estimate=1 - km["survival"], conf_low=1 - km["conf_high"], conf_high=1 - km["conf_low"], conf_level=conf_level, unit="proportion", method=KM)))
    return pd.concat(curves[1:] or curves, ignore_index=True).reindex(columns=CURVE_COLUMNS)
