"""How long people stay: contacts, gaps between them, sessions, and the days on which things happen."""

import numpy as np
from sprx.errors import require
from sprx.intervals import mean, wilson
from sprx.results import levels, result_table, share_row

CONTACTS_SHOWN = 10
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")
WHOLE_YEARS_AT_LEAST = 12   # months
MONTHLY = 0.5               # of the dates on the first of a month: they are months, not days


def contacts_per_person(made, conf_level=0.95, up_to=CONTACTS_SHOWN):
    """How many contacts a referral led to, and the share that had at least 1, 2, 3 …

    Parameters
    ----------
    made : DataFrame, one row per referral
        Needs contacts (missing = not known), as `cohort.contacts_made` gives it: of referrals watched for the same time, so that the newest,
        who cannot have had many, do not pull it down.
    up_to : int
        The drop-out curve ends there, or at the last number that somebody had.

    Returns
    -------
    DataFrame
        Result layout; mean_contacts, median_contacts (of those with one or more); had_contacts, group contacts_at_least, levels 1, 2, 3 …:
        share of everybody referred. Means are rounded to one decimal.
    """
    require(made, "made", ["contacts"])
    known, missing = made["contacts"].dropna(), int(made["contacts"].isna().sum())
    some = known[known > 0]
    base = dict(group="all", level="all", n=len(some), n_missing=missing, unit="contacts", conf_level=conf_level,
                note="of people with one or more" if len(some) else "needs a contacts table, and referrals made long enough before the extract")
    average = {k: round(v, 1) for k, v in mean(some, conf_level).items()}
    rows = [base | dict(measure="mean_contacts", method="mean, t limits") | average,
            base | dict(measure="median_contacts", method="median", estimate=some.median() if len(some) else np.nan)]
    for k in range(1, int(min(up_to, known.max())) + 1 if len(some) else 1):
        flags = (made["contacts"] >= k).astype("boolean").mask(made["contacts"].isna())
        rows.append(share_row(flags, conf_level, measure="had_contacts", group="contacts_at_least", level=str(k)))
    return result_table(rows)


def time_between_contacts(gaps, conf_level=0.95, seed=1):
    """Days from one contact to the next: half of the gaps are over by then.

    Parameters
    ----------
    gaps : DataFrame, one row per contact that could have been followed by another
        Needs referral_id, days_observed and came_again, as `cohort.contact_gaps` gives them: an open case not seen again by the extract is censored then.

    Returns
    -------
    DataFrame
        Result layout; median_days_between_contacts. n = gaps. Limits from drawing whole cases again, since the gaps of one person are alike.
    """
    from sprx.stats.survival import clustered_median

    require(gaps, "gaps", ["referral_id", "days_observed", "came_again"])
    known = gaps[gaps["days_observed"].notna()]
    row = dict(measure="median_days_between_contacts", group="all", level="all", n=len(known), n_missing=len(gaps) - len(known), conf_level=conf_level,
               unit="days", method="Kaplan-Meier median, cluster bootstrap", note="" if len(known) else "needs people with two contacts or an open case")
    cases = known["referral_id"].nunique()
    if cases:
        found = clustered_median(known["days_observed"], known["came_again"], known["referral_id"], conf_level, seed)
        row |= found | dict(numerator=cases, note="" if found["estimate"] == found["estimate"] else "not reached")
    return result_table([row])


def sessions_used(activities, conf_level=0.95):
    """Sessions offered and attended, by type of activity.

    Parameters
    ----------
    activities : DataFrame, one row per activity prescribed
        Needs activity_type, sessions_offered, sessions_attended, as `cohort.activities_of` gives them.

    Returns
    -------
    DataFrame
        Result layout; sessions_offered and sessions_attended: mean per activity prescribed; sessions_attended_per_100: of 100 sessions offered, how many were
        attended. Group activity_type, and all. n = activities with both numbers. Sessions beyond those offered count as offered.

    References
    ----------
    Limits of the ratio by linearisation over activities: Cochran (1977) Sampling Techniques, section 2.11.
    """
    require(activities, "activities", ["activity_type", "sessions_offered", "sessions_attended"])
    rows = []
    for by in (None, "activity_type"):
        for level, part in levels(activities, by) if len(activities) or by is None else ():
            offered, attended = (part[column].astype(float) for column in ("sessions_offered", "sessions_attended"))
            known = offered.notna() & attended.notna()
            offered, attended = offered[known], attended[known]
            offered = np.maximum(offered, attended)
            base = dict(group=by or "all", level=level, n=int(known.sum()), n_missing=int((~known).sum()), conf_level=conf_level,
                        note="" if known.any() else "needs activities with sessions_offered and sessions_attended")
            rows += [base | dict(measure=f"sessions_{name}", unit="sessions", method="mean, t limits") | {k: round(v, 1) for k, v in mean(values, conf_level).items()}
                     for name, values in (("offered", offered), ("attended", attended))]
            rows.append(base | dict(measure="sessions_attended_per_100", unit="per 100 offered", method="ratio of means") | _ratio(attended, offered, conf_level))
    return result_table(rows)


def _ratio(part, whole, conf_level):
    """Of 100 in the whole how many are in the part, with limits."""
    from scipy.stats import t

    if len(whole) < 2 or not whole.sum() > 0:
        return {}
    share = part.sum() / whole.sum()
    error = float(np.sqrt(((part - share * whole) ** 2).sum() / (len(whole) - 1) * len(whole)) / whole.sum())
    half = t.ppf((1 + conf_level) / 2, len(whole) - 1) * error
    return dict(estimate=100 * share, std_error=100 * error, conf_low=100 * max(share - half, 0.0), conf_high=100 * min(share + half, 1.0))


def weekdays(dates, name, conf_level=0.95):
    """Share of days that fall on each day of the week.

    Parameters
    ----------
    dates : Series of dates
    name : str
        What happened on them: the measure is <name>_by_weekday.

    Returns
    -------
    DataFrame
        Result layout, group weekday. Where most dates are the first of a month they are taken to be months: one row that says so.
    """
    known = dates.dropna()
    monthly = len(known) > 1 and known.dt.day.eq(1).mean() > MONTHLY
    if known.empty or monthly:
        return result_table([dict(measure=f"{name}_by_weekday", group="all", level="all", n=0, n_missing=len(dates), unit="proportion",
                                  note="the dates are months, not days" if monthly else "needs dates")])
    day = dates.dt.dayofweek.astype("Int64")
    return result_table([share_row(day.eq(i).astype("boolean"), conf_level, measure=f"{name}_by_weekday", group="weekday", level=word)
                         for i, word in enumerate(WEEKDAYS)])


def seasons(shown, conf_level=0.95, measures=("referrals", "contacts")):
    """Which month of the year: share of a whole number of years, from the months as they may be shown.

    Parameters
    ----------
    shown : DataFrame
        Monthly counts after disclosure control. The latest 12, 24, … whole months are used, so that each month of the year counts alike.

    Returns
    -------
    DataFrame
        Result layout; <measure>_by_month_of_year, group month_of_year. A month of the year that holds a hidden count is empty; nothing where there is no whole year.
    """
    rows = []
    for measure in measures:
        months = shown[(shown["measure"] == measure) & (shown["group"] == "month") & (shown["level"] != "missing") & (shown["note"] != "part of a month")]
        months = months.tail(len(months) // WHOLE_YEARS_AT_LEAST * WHOLE_YEARS_AT_LEAST)
        at, total = months["level"].str[5:].astype(int), months["estimate"].sum()
        for number, word in enumerate(MONTHS, 1):
            part = months[at == number]
            count = part["estimate"].sum()
            if len(part) and total > 0:
                low, high = wilson(count, total, conf_level)
                row = dict(measure=f"{measure}_by_month_of_year", group="month_of_year", level=word, n=total, n_missing=0, conf_level=conf_level, unit="proportion",
                           method="Wilson score, from counts as shown")
                hidden = part["suppressed"].any()
                rows.append(row | (dict(note="a month of it is too small to show") if hidden else dict(estimate=count / total, conf_low=low, conf_high=high, numerator=count, denominator=total)))
    return result_table(rows)
