"""What happens first to a referral: is the person seen, or does the case end before?"""

import pandas as pd

from sprx.errors import require
from sprx.results import CURVE_COLUMNS, result_table

EVENTS = ("seen", "ended unseen")       # declined, rejected, did not attend, or closed before anybody saw them
METHOD = "Aalen-Johansen"


def first_event_curve(events, conf_level=0.95):
    """Share seen and share ended unseen by each day since referral; neither is taken to be still on its way to the other.

    Parameters
    ----------
    events : DataFrame, one row per referral
        Needs days_observed (missing = no date) and event (0 waiting, 1 seen, 2 ended unseen), as `cohort.first_events` gives them.

    Returns
    -------
    DataFrame
        Curve layout, group first_event, levels seen and ended unseen: the cumulative incidence; n_at_risk are those to whom nothing has happened.

    References
    ----------
    Aalen and Johansen (1978) Scand J Statist 5:141; `stats.survival.cumulative_incidence`.
    """
    known, curve = _incidence(events, conf_level)
    if curve is None:
        return pd.DataFrame(columns=CURVE_COLUMNS)
    names = curve["cause"].map(dict(enumerate(EVENTS, 1)))
    return pd.DataFrame(dict(measure="first_event", group="first_event", level=names, days=curve["time"], n_at_risk=curve["at_risk"], n_events=curve["events"],
                             estimate=curve["estimate"], conf_low=curve["conf_low"], conf_high=curve["conf_high"], conf_level=conf_level,
                             unit="proportion", method=METHOD)).reindex(columns=CURVE_COLUMNS)


def first_event_within(events, days, conf_level=0.95):
    """Share seen, and share whose case ended unseen, within each number of days.

    Returns
    -------
    DataFrame
        Result layout; measure first_event_within_<days>_days, group first_event, levels seen, ended unseen. Empty where nobody was watched for so long.
        `note` says how many cases ended on a day that nobody recorded.
    """
    known, curve = _incidence(events, conf_level)
    rows = []
    unknown = events.get("ended_unknown", pd.Series(False, index=events.index)).mean() if len(events) else 0
    note = "more than a tenth of the cases ended on a day that nobody recorded; they count from the extract" if unknown > 0.1 else ""
    for day in days:
        for cause, level in enumerate(EVENTS, 1):
            row = dict(measure=f"first_event_within_{day}_days", group="first_event", level=level, n=len(known), n_missing=len(events) - len(known),
                       conf_level=conf_level, unit="proportion", method=METHOD, note=note)
            part = None if curve is None else curve[curve["cause"] == cause]
            if part is not None and (part["time"].max() >= day or known["event"].ne(0).all()):
                at = part[part["time"] <= day]
                happened = int((known["event"].eq(cause) & known["days_observed"].le(day)).sum())
                row |= dict(estimate=0.0) if at.empty else {k: at.iloc[-1][k] for k in ("estimate", "std_error", "conf_low", "conf_high")}
                row["numerator"] = happened                                                 # for disclosure control only
            else:
                row["note"] = f"nobody was watched for {day} days"
            rows.append(row)
    return result_table(rows)


def _incidence(events, conf_level):
    from sprx.stats.survival import cumulative_incidence

    require(events, "events", ["days_observed", "event"])
    known = events[events["days_observed"].notna()]
    return known, cumulative_incidence(known["days_observed"], known["event"], len(EVENTS), conf_level) if len(known) else None
