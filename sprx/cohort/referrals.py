"""Referrals: those of the period, their waits, and how far each came."""

import pandas as pd

from sprx.cohort.people import scheme_people

STAGES = ["referred", "accepted", "seen", "activity_started", "completed"]
# what a status alone says of a stage: True, False; a stage that is not named is not known
STATUS_SAYS = {
    "offered": dict(accepted=False, seen=False, activity_started=False, completed=False),
    "declined_by_person": dict(accepted=False, seen=False, activity_started=False, completed=False),
    "rejected_by_service": dict(accepted=False, seen=False, activity_started=False, completed=False),
    "referred": dict(seen=False, activity_started=False, completed=False),
    "waiting": dict(accepted=True, seen=False, activity_started=False, completed=False),
    "accepted": dict(accepted=True, completed=False), "active": dict(accepted=True, seen=True, completed=False),
    "did_not_attend": dict(accepted=True, seen=False, activity_started=False, completed=False),
    "completed": dict(accepted=True, seen=True, completed=True), "closed": dict(accepted=True)}
COMPLETED_REASONS = ("needs_met", "moved_on_to_activity")
ENDED = ("declined_by_person", "rejected_by_service", "did_not_attend", "completed", "closed")


def all_referrals(scheme):
    """Referrals of the scheme's own people, whenever made, with the person's groups.

    Returns
    -------
    DataFrame, one row per referral
        The referrals table (absent columns are there and missing), the groups of `scheme_people`, age, and referral_year (the
        financial year, '2024/25'). Empty when there is no referrals table.
    """
    wanted = ["referral_id", "person_id", "referral_date", "source", "status", "first_contact_date", "closed_date", "closure_reason"]
    people = scheme_people(scheme)
    rows = scheme.tables.get("referrals", pd.DataFrame({"person_id": pd.Series(dtype="string")})).reindex(columns=wanted)
    for column in ("referral_date", "first_contact_date", "closed_date"):
        rows[column] = pd.to_datetime(rows[column])
    if rows["first_contact_date"].isna().all():
        rows["first_contact_date"] = _first_contacts(scheme, rows)
    groups = people.reindex(columns=["person_id", "age", "age_band", "sex", "ethnic_group", "imd_quintile"])
    return rows.assign(referral_year=_financial_year(rows["referral_date"])).merge(groups, on="person_id", how="inner")


def _financial_year(dates):
    """'2024/25' for days from 1 April 2024 to 31 March 2025."""
    year = (dates.dt.year - dates.dt.month.lt(4)).astype("Int64")
    return year.astype("string") + "/" + ((year + 1) % 100).astype("string").str.zfill(2)


def scheme_referrals(scheme):
    """The rows of `all_referrals` that were made in the period; a referral without a date is kept."""
    rows = all_referrals(scheme)
    start, end = scheme.settings.period
    outside = (rows["referral_date"] < (start or pd.Timestamp.min)) | (rows["referral_date"] > (end or pd.Timestamp.max))
    return rows[~outside].reset_index(drop=True)


def referred_people(scheme):
    """The scheme's own people who have a referral in the period (or one without a date); everyone where there are no referrals."""
    people = scheme_people(scheme)
    if "referrals" not in scheme.tables:
        return people
    return people[people["person_id"].isin(scheme_referrals(scheme)["person_id"])]


def _first_contacts(scheme, referrals):
    """The day of the first contact at which the person was there, from the contacts table; missing where there is none."""
    attended = _attended_contacts(scheme)
    if attended is None:
        return referrals["first_contact_date"]
    first = scheme.tables["contacts"].loc[attended.index].groupby("referral_id")["contact_date"].min()
    day = pd.to_datetime(referrals["referral_id"].map(first))
    return day.mask(day < referrals["referral_date"])


def referrals_outside_period(scheme):
    """How many referrals of the scheme's own people were made outside the period."""
    own = scheme.tables["people"].query("arm == 'scheme'")["person_id"]
    every = scheme.tables["referrals"]["person_id"].isin(own).sum() if "referrals" in scheme.tables else 0
    return int(every) - len(scheme_referrals(scheme))


def followed_for(referrals, days, extract_date):
    """Referrals made at least `days` before the extract, so that the newest do not pull a rate down; undated ones are kept."""
    if extract_date is None:
        return referrals
    return referrals[~(referrals["referral_date"] > extract_date - pd.Timedelta(days=days))]


def waits(referrals, extract_date):
    """Days from referral to first contact, or to the extract for those not seen by then.

    Returns
    -------
    DataFrame
        The referrals with days_observed (missing without a referral date) and was_seen (True, False). A case closed without
        a contact stays among those not seen until the extract: the question is what share of all referrals were seen, and
        taking closed cases out of the reckoning would answer for them as if they had gone on waiting. Where no first
        contact at all is recorded, no wait is known.
    """
    if referrals["first_contact_date"].isna().all():
        return referrals.assign(days_observed=float("nan"), was_seen=False)
    seen = referrals["first_contact_date"].notna()
    last = referrals["first_contact_date"].fillna(extract_date if extract_date is not None else pd.NaT)
    days = (last - referrals["referral_date"]).dt.days.astype(float)
    return referrals.assign(days_observed=days, was_seen=seen)


def stays(referrals, extract_date):
    """Days from first contact to closure, or to the extract for cases that were still open then.

    Returns
    -------
    DataFrame
        The referrals with a first contact, with days_observed and was_closed (True, False). days_observed is missing for a case
        that has ended on a day nobody recorded (by its status, or closed before the contact), and for every case where no closing day is recorded at all.
    """
    seen = referrals[referrals["first_contact_date"].notna()]
    closed = seen["closed_date"].notna()
    last = seen["closed_date"].fillna(extract_date if extract_date is not None else pd.NaT)
    days = (last - seen["first_contact_date"]).dt.days.astype(float)
    unknown = ~closed & (has_ended(seen) | seen["closed_date"].isna().all())
    return seen.assign(days_observed=days.mask(unknown | (days < 0)), was_closed=closed)


def first_events(referrals, extract_date):
    """What happened first to each referral: was the person seen, or did the case end before anybody saw them?

    Returns
    -------
    DataFrame
        The referrals with event (0 waiting, 1 seen, 2 ended unseen: declined, rejected, did not attend, or closed) and days_observed,
        missing as in `waits`. A case that ended on a day nobody recorded counts as ended on the day of the extract (ended_unknown is True).
    """
    rows = waits(referrals, extract_date)
    ended = ~rows["was_seen"] & (has_ended(rows) | rows["closed_date"].notna())
    days = (rows["closed_date"] - rows["referral_date"]).dt.days.astype(float)
    dated = ended & days.ge(0) & rows["days_observed"].notna()
    return rows.assign(event=rows["was_seen"].astype(int).mask(ended, 2), days_observed=rows["days_observed"].mask(dated, days), ended_unknown=ended & ~dated)


def has_ended(referrals):
    """True for a referral whose status says that the case is over, whatever its dates."""
    return referrals["status"].isin(ENDED)


def stages(scheme, referrals):
    """How far each referral came: STAGES, each True, False or missing (not recorded).

    Notes
    -----
    From dates and tables where there are any, else from status: see docs/methods.md. A stage reached means that every
    earlier one was; activity_started is known only where an activities table is.
    """
    status = referrals["status"]
    reached = pd.DataFrame({s: status.map({k: v.get(s) for k, v in STATUS_SAYS.items()}).astype("boolean") for s in STAGES[1:]},
                           index=referrals.index)
    reached.insert(0, "referred", pd.Series(True, index=referrals.index, dtype="boolean"))
    if referrals["first_contact_date"].notna().any():
        reached["seen"] = referrals["first_contact_date"].notna().astype("boolean")
    attended = _attended_contacts(scheme)
    if attended is not None:
        reached["seen"] = reached["seen"].fillna(False) | referrals["referral_id"].isin(attended)
    if "activities" in scheme.tables:
        reached["activity_started"] = referrals["referral_id"].isin(_started_activities(scheme)).astype("boolean")
    else:
        reached["activity_started"] = pd.Series(pd.NA, index=referrals.index, dtype="boolean")
    reason = referrals["closure_reason"]
    finished = reason.isin(COMPLETED_REASONS) & reason.notna()
    known = reason.notna() & status.eq("closed").fillna(False)
    reached["completed"] = reached["completed"].mask(known, finished) | finished
    reached.loc[reached["completed"].fillna(False), "seen"] = True
    for earlier, later in zip(STAGES[-2::-1], STAGES[:0:-1]):
        if earlier != "activity_started":
            after = STAGES[STAGES.index(earlier) + 1:]
            reached[earlier] = reached[earlier].mask(reached[after].fillna(False).any(axis=1), True)
    return pd.concat([referrals, reached], axis=1)


def _attended_contacts(scheme):
    """Referrals with a contact at which the person was there, or None without a contacts table."""
    contacts = scheme.tables.get("contacts")
    if contacts is None:
        return None
    there = contacts["attended"].fillna(True) if "attended" in contacts else pd.Series(True, index=contacts.index)
    attempt = contacts["mode"].eq("no_contact_attempt").fillna(False) if "mode" in contacts else False
    return contacts.loc[there.astype(bool) & ~attempt, "referral_id"]


def _started_activities(scheme):
    """Referrals with an activity that was begun."""
    rows = scheme.tables["activities"]
    return rows.loc[activities_begun(rows), "referral_id"]


def activities_begun(rows):
    """Whether each row of the activities table was begun, by its status, its sessions or its start date."""
    begun = pd.Series(False, index=rows.index)
    if "status" in rows:
        begun |= rows["status"].isin(["attended", "attended_once", "stopped_early", "completed"])
    if "sessions_attended" in rows:
        begun |= rows["sessions_attended"].fillna(0).gt(0)
    if "start_date" in rows and not {"status", "sessions_attended"} & set(rows):
        begun |= rows["start_date"].notna()
    return begun.astype(bool)
