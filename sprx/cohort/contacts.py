"""Contacts and activities: of which referrals, how many, how far apart."""

import pandas as pd

from sprx.cohort.delivery import attended_contacts
from sprx.cohort.referrals import followed_for, has_ended

WATCHED_DAYS = 180          # a case is judged by what happened in its first half year


def contacts_made(scheme, referrals, days=WATCHED_DAYS):
    """How many contacts each referral had within `days` of the referral, for those that have been watched for so long.

    Returns
    -------
    DataFrame, one row per referral made at least `days` before the extract, whether it is open or closed, and one per undated referral
        The referrals with contacts (a whole number; missing without a referral date or a contacts table). Newer referrals are left out altogether: to
        keep those of them that are closed would keep only the people who stopped early.
    """
    old = followed_for(referrals, days, scheme.settings.extract_date)
    rows = attended_contacts(scheme, old)
    since = (rows["contact_date"] - rows["referral_id"].map(old.set_index("referral_id")["referral_date"])).dt.days
    number = old["referral_id"].map(rows[since.between(0, days)].groupby("referral_id").size()).fillna(0)
    return old.assign(contacts=number.where(old["referral_date"].notna() & ("contacts" in scheme.tables)).astype(float))


def contact_gaps(scheme, referrals):
    """Days from each contact to the next, and from the last contact of an open case to the extract.

    Returns
    -------
    DataFrame, one row per contact that could have been followed by another
        referral_id, days_observed, came_again (False: still open at the extract and not seen again). Contacts on one day count as one.
    """
    rows = attended_contacts(scheme, referrals)[["referral_id", "contact_date"]].dropna().drop_duplicates()
    rows = rows.sort_values(["referral_id", "contact_date"], kind="stable")
    following = rows.groupby("referral_id")["contact_date"].shift(-1)
    over = referrals.loc[has_ended(referrals) | referrals["closed_date"].notna(), "referral_id"]
    rows = rows.assign(came_again=following.notna())
    rows = rows[rows["came_again"] | ~rows["referral_id"].isin(over)]
    until = following[rows.index].fillna(scheme.settings.extract_date if scheme.settings.extract_date is not None else pd.NaT)
    return rows.assign(days_observed=(until - rows["contact_date"]).dt.days.astype(float)).drop(columns="contact_date").reset_index(drop=True)


def activities_of(scheme, referrals, days=WATCHED_DAYS):
    """The activities prescribed to referrals that were made at least `days` before the extract, so that most have run their course.

    Returns
    -------
    DataFrame, one row per activity
        referral_id, activity_type, sessions_offered, sessions_attended (missing where not recorded). Empty without an activities table.
    """
    wanted = ["referral_id", "activity_type", "sessions_offered", "sessions_attended"]
    old = followed_for(referrals, days, scheme.settings.extract_date)
    rows = scheme.tables.get("activities", pd.DataFrame(columns=wanted)).reindex(columns=wanted)
    return rows[rows["referral_id"].isin(old["referral_id"])].reset_index(drop=True)
