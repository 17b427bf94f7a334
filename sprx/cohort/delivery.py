"""Delivery: why people left, what each person was given, and by whom."""

import pandas as pd

from sprx.cohort.referrals import has_ended

STEPS = ["accepted", "seen", "completed"]       # each implies the one before; an activity is no step that everybody takes
LEFT_BY_STATUS = ["declined_by_person", "rejected_by_service", "did_not_attend"]
CONTACTS = ["contact_id", "referral_id", "contact_date", "mode", "minutes", "worker_id", "worker_role", "worker_employer"]


def leavers(stages):
    """Why each referral did not reach its next step.

    Parameters
    ----------
    stages : DataFrame, one row per referral
        As `cohort.stages` gives them.

    Returns
    -------
    DataFrame, one row per referral and step of which the step before was reached
        step (a name of STEPS), reached (True, False, missing = not recorded), and reason: of closure, else the status that
        says it, else 'still open' (neither closed nor refused at the extract) or 'not recorded'; empty for those who reached it.
    """
    parts, before = [], "referred"
    status, reason = stages["status"], stages["closure_reason"].mask(stages["closure_reason"].eq("not_recorded").fillna(False))
    shut = stages["closed_date"].notna() | has_ended(stages)
    said = reason.fillna(status.where(status.isin(LEFT_BY_STATUS)))
    said = said.fillna(shut.map({True: "not recorded", False: "still open"}))
    for step in STEPS:
        part = stages[stages[before].fillna(False)]
        parts.append(pd.DataFrame(dict(step=step, reached=part[step], reason=said[part.index].where(part[step].eq(False).fillna(False)))))
        before = step
    return pd.concat(parts, ignore_index=True)


def attended_contacts(scheme, referrals):
    """Contacts of these referrals at which the person was there, up to the extract; absent columns are there and missing.

    Returns
    -------
    DataFrame, one row per contact
        CONTACTS; empty without a contacts table.
    """
    rows = scheme.tables.get("contacts", pd.DataFrame()).reindex(columns=[*CONTACTS, "attended"])
    there = rows["attended"].astype("boolean").fillna(True).astype(bool) & ~rows["mode"].eq("no_contact_attempt").fillna(False)
    rows = rows[there & rows["referral_id"].isin(referrals["referral_id"])]
    return rows.assign(contact_date=pd.to_datetime(rows["contact_date"]), minutes=rows["minutes"].astype(float))[CONTACTS]


def doses(scheme, stages):
    """What each referral that was seen was given.

    Parameters
    ----------
    scheme : Scheme (cleaned)
    stages : DataFrame, one row per referral
        As `cohort.stages` gives them.

    Returns
    -------
    DataFrame, one row per referral that was seen
        is_closed; contacts (attended) and minutes (mean of a contact), of closed cases only, since an open case may yet have
        more; days_open from first contact to closure, or to the extract for open cases (missing without a first contact date).
    """
    seen = stages[stages["seen"].fillna(False)]
    held = attended_contacts(scheme, seen)
    shut = seen["closed_date"].notna() | has_ended(seen)
    counted = seen["referral_id"].map(held["referral_id"].value_counts()).fillna(0).astype(float)
    counted = counted.where(shut) if "contacts" in scheme.tables else pd.Series(float("nan"), index=seen.index)
    minutes = seen["referral_id"].map(held.groupby("referral_id")["minutes"].mean()).astype(float).where(shut)
    end = seen["closed_date"].fillna(pd.NaT if scheme.settings.extract_date is None else scheme.settings.extract_date)
    days = (end.where(seen["closed_date"].notna() | ~shut) - seen["first_contact_date"]).dt.days.astype(float)
    return pd.DataFrame(dict(referral_id=seen["referral_id"], is_closed=shut, contacts=counted, minutes=minutes,
                             days_open=days.where(days >= 0), was_closed=seen["closed_date"].notna()))


def caseloads(scheme, referrals):
    """Open cases and contacts of each worker in each whole month.

    Parameters
    ----------
    scheme : Scheme (cleaned)
    referrals : DataFrame, one row per referral
        With first_contact_date and closed_date.

    Returns
    -------
    DataFrame, one row per worker and month in which the worker held contacts or had an open case
        worker_id, month, open_cases (first contact by the month's end, not closed by then; a case is its latest worker's;
        one that has ended without a date ended with its last contact), contacts. Only months that the data cover in full. Empty where contacts name no worker.
    """
    held = attended_contacts(scheme, referrals).dropna(subset=["worker_id", "contact_date"])
    last = scheme.settings.extract_date if scheme.settings.extract_date is not None else held["contact_date"].max()
    columns = ["worker_id", "month", "open_cases", "contacts"]
    if held.empty or pd.isna(last):
        return pd.DataFrame(columns=columns)
    months = pd.period_range(held["contact_date"].min().to_period("M"), (last + pd.Timedelta(days=1)).to_period("M") - 1, freq="M")
    held, parts = held.sort_values("contact_date", kind="stable"), []
    latest = referrals["referral_id"].map(held.groupby("referral_id")["contact_date"].max())
    closed = referrals["closed_date"].fillna(latest.where(has_ended(referrals))).set_axis(referrals["referral_id"])
    for month in months:
        by_now = held[held["contact_date"] <= month.end_time].drop_duplicates("referral_id", keep="last")
        is_open = ~(by_now["referral_id"].map(closed) <= month.end_time)
        this = held["contact_date"].dt.to_period("M").eq(month)
        counts = pd.DataFrame(dict(open_cases=by_now.loc[is_open, "worker_id"].value_counts(),
                                   contacts=held.loc[this, "worker_id"].value_counts())).fillna(0)
        parts.append(counts.rename_axis("worker_id").reset_index().assign(month=str(month)))
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)
