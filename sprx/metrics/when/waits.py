"""The wait from referral to first contact."""

import pandas as pd

from sprx.errors import DataError, require
from sprx.results import CURVE_COLUMNS, levels, result_table


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
    curves = [pd.DataFrame(columns=CURVE_COLUMNS)]
    for level, _, known in _known_waits(waits, by):
        if len(known) == 0:
            continue
        km = _kaplan_meier(known, conf_level)
        limits, table = km.confidence_interval_.to_numpy(), km.event_table
        curves.append(pd.DataFrame(dict(
            measure="time_to_first_contact", group=by or "all", level=level, days=km.survival_function_.index,
            n_at_risk=table["at_risk"].to_numpy(), n_events=table["observed"].to_numpy(),
            estimate=1 - km.survival_function_.iloc[:, 0].to_numpy(), conf_low=1 - limits[:, 1], conf_high=1 - limits[:, 0],
            conf_level=conf_level, unit="proportion", method="Kaplan-Meier, log-log limits")))
    return pd.concat(curves[1:] or curves, ignore_index=True).reindex(columns=CURVE_COLUMNS)


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
    for level, total, known in _known_waits(waits, by):
        km = _kaplan_meier(known, conf_level) if len(known) else None
        for day in days:
            row = dict(measure=f"seen_within_{day}_days", group=by or "all", level=level, n=len(known), n_missing=total - len(known),
                       conf_level=conf_level, unit="proportion", method="Kaplan-Meier, log-log limits")
            if km is not None and (known["days_observed"].max() >= day or km.survival_function_.iloc[-1, 0] == 0):
                at = km.survival_function_.index.searchsorted(day, side="right") - 1
                low, high = 1 - km.confidence_interval_.to_numpy()[at][::-1]
                seen = int((known["was_seen"] & known["days_observed"].le(day)).sum())      # for disclosure control only
                row |= dict(estimate=1 - km.survival_function_.iloc[at, 0], conf_low=low, conf_high=high, numerator=seen)
            else:
                row["note"] = f"nobody was watched for {day} days"
            rows.append(row)
    return result_table(rows)


def median_wait(waits, by=None, conf_level=0.95):
    """Days by which half of the referrals had been seen.

    Returns
    -------
    DataFrame
        Result layout; measure median_days_to_first_contact, unit days. Empty, with the note 'not reached', when fewer than
        half were seen while being watched; an open upper limit is empty.

    References
    ----------
    Brookmeyer and Crowley (1982) Biometrics 38:29, log-log limits (lifelines).
    """
    from lifelines.utils import median_survival_times

    rows = []
    for level, total, known in _known_waits(waits, by):
        row = dict(measure="median_days_to_first_contact", group=by or "all", level=level, n=len(known), n_missing=total - len(known),
                   conf_level=conf_level, unit="days", method="Kaplan-Meier median")
        if len(known):
            km = _kaplan_meier(known, conf_level)
            finite = [v if v != float("inf") else float("nan") for v in
                      (km.median_survival_time_, *median_survival_times(km.confidence_interval_).iloc[0])]
            row |= dict(estimate=finite[0], conf_low=finite[1], conf_high=finite[2], note="" if finite[0] == finite[0] else "not reached")
        rows.append(row)
    return result_table(rows)


def _known_waits(waits, by):
    """Yield (level, number of referrals, those with a known wait)."""
    require(waits, "waits", ["days_observed", "was_seen"] + ([by] if by else []))
    if (waits["days_observed"] < 0).any():          # lifelines accepts these without a word
        raise DataError(f"days_observed has {(waits['days_observed'] < 0).sum()} negative values. Run sprx.clean_scheme first.")
    for level, part in levels(waits, by):
        yield level, len(part), part[part["days_observed"].notna()]


def _kaplan_meier(known, conf_level):
    from lifelines import KaplanMeierFitter

    return KaplanMeierFitter(alpha=1 - conf_level).fit(known["days_observed"], known["was_seen"].astype(bool))
