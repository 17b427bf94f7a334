"""Who could have been measured again by the day the data were taken: the newest people are not lost, they are not due."""

import pandas as pd

from sprx.cohort.referrals import referred_people

DAYS_PER_MONTH = 30.4375


def follow_up_window(months):
    """How far from the follow-up time a score may lie, in months: a quarter of it, or a month where that is more."""
    return max(1.0, months / 4)


def due_for_follow_up(scheme, people, at_months=None):
    """Which people's follow-up time, with its window, was over on the day the data were taken.

    Parameters
    ----------
    scheme : Scheme (cleaned)
    people : DataFrame, one row per person
        Needs start (first referral or index date; missing = not known).
    at_months : float, optional
        Follow-up time; default the scheme's own.

    Returns
    -------
    Series of bool
        True for everyone where there is no follow-up time or no extract date, and for people whose start is not known.
    """
    months, extract = at_months or scheme.settings.follow_up_months, scheme.settings.extract_date
    if months is None or extract is None or "start" not in people:
        return pd.Series(True, index=people.index)
    # a visit at so many months has no window; its months are rounded to days
    ahead = (months + follow_up_window(months)) * DAYS_PER_MONTH if scheme.has("outcomes", "measured_on") else months * DAYS_PER_MONTH - 1
    return ~(people["start"] > extract - pd.Timedelta(days=ahead))


def not_yet_due(scheme):
    """How many of the scheme's own people were referred too recently to have been measured again, and how many there are."""
    people = referred_people(scheme)
    return int((~due_for_follow_up(scheme, people)).sum()), len(people)
