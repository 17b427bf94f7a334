"""Delivery: how far people come."""

from sprx.errors import require
from sprx.intervals import mean
from sprx.results import levels, result_table, share_row
from sprx.stats import survival

ALONE = "several, or one worker only"
FEWEST_WORKERS = 3          # from the mean of two, each knows the other's; from mean, median and limits of three, all can be had


def funnel(stages, names, conf_level=0.95):
    """Share of referrals that reached each stage.

    Parameters
    ----------
    stages : DataFrame, one row per referral
        One boolean column per stage: True, False, or missing = not recorded (as `cohort.stages` gives them).
    names : list of str
        The stages in their order.

    Returns
    -------
    DataFrame
        Result layout; measure stage_reached, group stage, unit proportion. n = referrals for which it is known.

    References
    ----------
    Wilson score interval: Newcombe (1998) Stat Med 17:857, method 3. Stages after Husk et al (2020) Health Soc Care Community.
    """
    require(stages, "stages", names)
    return result_table([share_row(stages[name], conf_level, measure="stage_reached", group="stage", level=name) for name in names])


def uptake(stages, by=None, conf_level=0.95):
    """Proportion of referrals with at least one link-worker contact.

    Parameters
    ----------
    stages : DataFrame, one row per referral
        Needs `seen` (True, False, missing = not recorded) and the column `by`, if given. Pass a cohort with enough
        follow-up (`cohort.followed_for`), or the newest referrals will pull the estimate down.
    by : str, optional

    Returns
    -------
    DataFrame
        Result layout; measure uptake, unit proportion.

    References
    ----------
    Wilson score interval: Newcombe (1998) Stat Med 17:857, method 3.
    """
    require(stages, "stages", ["seen"] + ([by] if by else []))
    return result_table([share_row(part["seen"], conf_level, measure="uptake", group=by or "all", level=level)
                         for level, part in levels(stages, by)])


def losses(leavers, steps, conf_level=0.95):
    """Of the referrals that reached one step, the share that did not reach the next, and why.

    Parameters
    ----------
    leavers : DataFrame, one row per referral and step of which the step before was reached
        Needs step, reached (True, False, missing) and reason (as `cohort.leavers` gives them).
    steps : list of str
        The steps in their order.

    Returns
    -------
    DataFrame
        Result layout, unit proportion. Measure not_<step>: group all, the share that did not reach it; group reason, the same share
        by reason. 'still open' may yet reach it: the case was neither closed nor refused at the extract.

    References
    ----------
    Wilson score interval: Newcombe (1998) Stat Med 17:857, method 3.
    """
    require(leavers, "leavers", ["step", "reached", "reason"])
    rows = []
    for step in steps:
        part = leavers[leavers["step"] == step]
        reached = part["reached"].astype("boolean")
        rows.append(share_row(~reached, conf_level, measure=f"not_{step}", group="all", level="all"))
        for reason in sorted(part["reason"].dropna().unique()):
            gone = part["reason"].eq(reason).fillna(False).astype("boolean").mask(reached.isna())
            rows.append(share_row(gone, conf_level, measure=f"not_{step}", group="reason", level=reason))
    return result_table(rows)


def doses_against_plan(doses, plan, conf_level=0.95):
    """What people were given beside what the service set out to give.

    Parameters
    ----------
    doses : DataFrame, one row per referral that was seen
        Needs contacts and minutes (missing for open cases), days_open and was_closed (as `cohort.doses` gives them).
    plan : dict
        contacts, days, minutes: numbers, each optional.

    Returns
    -------
    DataFrame
        Result layout. contacts_per_case and minutes_per_contact: mean, t limits; median_contacts_per_case: median; median_days_open:
        Kaplan-Meier median of the days from first contact to closure, cases still open counted as open at the extract;
        planned_<what>: the plan's number; had_planned_contacts: share of closed cases with at least that many, Wilson limits.
        n_missing of the contacts = cases still open, which may yet have more.

    References
    ----------
    Wilson: Newcombe (1998) Stat Med 17:857; Kaplan and Meier (1958) with log-log limits, as R's conf.type = "log-log".
    """
    require(doses, "doses", ["contacts", "minutes", "days_open", "was_closed"])
    rows, contacts = [], doses["contacts"]
    for measure, column, unit in (("contacts_per_case", "contacts", "contacts"), ("minutes_per_contact", "minutes", "minutes")):
        values = doses[column].dropna().astype(float)
        rows.append(_row(doses, values, measure=measure, unit=unit, conf_level=conf_level, method="mean of closed cases, t limits",
                         note=_too_few(values, "closed cases with contacts"), **mean(values, conf_level)))
    rows.insert(1, _row(doses, contacts.dropna(), measure="median_contacts_per_case", unit="contacts", method="median of closed cases",
                        estimate=contacts.median() if contacts.notna().any() else None))
    rows.append(_days_open(doses, conf_level))
    observed = dict(contacts=rows[0], minutes=rows[2], days=rows[3])
    rows += [dict(measure=f"planned_{what}", group="all", level="all", n=observed[what]["n"], n_missing=observed[what]["n_missing"],
                  estimate=plan[what], unit=observed[what]["unit"], method="the scheme's own plan") for what in observed if what in plan]
    if "contacts" in plan:
        enough = (contacts >= plan["contacts"]).astype("boolean").mask(contacts.isna())
        rows.append(share_row(enough, conf_level, measure="had_planned_contacts", group="all", level="all",
                              note=f"closed cases with {plan['contacts']:g} contacts or more"))
    return result_table(rows)


def _row(everyone, used, **row):
    """A row about everyone with the people used and the others counted."""
    return dict(group="all", level="all", n=len(used), n_missing=len(everyone) - len(used)) | row


def _too_few(values, what):
    return "" if len(values) > 1 else f"fewer than 2 {what}"


def _days_open(doses, conf_level):
    """The Kaplan-Meier median of days from first contact to closure."""
    known = doses.dropna(subset="days_open")
    row = _row(doses, known, measure="median_days_open", unit="days", conf_level=conf_level, method="Kaplan-Meier median, open cases until the extract")
    if len(known) < 2 or not known["was_closed"].any():
        return row | dict(note="not reached: no case was closed" if len(known) > 1 else _too_few(known, "cases with dates"))
    estimate, low, high = survival.quantile(survival.kaplan_meier(known["days_open"], known["was_closed"], conf_level))
    return row | dict(estimate=estimate, conf_low=low, conf_high=high, note="not reached" if estimate != estimate else "")


def contact_shares(contacts, by, conf_level=0.95):
    """Shares of the contacts by their mode, or by who held them.

    Parameters
    ----------
    contacts : DataFrame, one row per contact
        Needs the column `by` (mode, worker_role, worker_employer) and, for a worker's column, worker_id (may be missing).
    by : str

    Returns
    -------
    DataFrame
        Result layout; measure share_of_contacts, group `by`, unit proportion; contacts without the value are a level. A role or
        employer that stands for one worker is joined with others, so that no row is about one worker.

    References
    ----------
    Wilson score interval: Newcombe (1998) Stat Med 17:857, method 3.
    """
    require(contacts, "contacts", [by, "worker_id"])
    values = contacts[by].astype("string")
    if by.startswith("worker_"):
        values = _no_lone_worker(values, contacts["worker_id"])
    found = sorted(values.dropna().unique())
    if not found or found == [ALONE]:
        note = "not shown: a row would be about one worker" if found else ""
        return result_table([dict(measure="share_of_contacts", group=by, level="all", n=0, n_missing=len(contacts), unit="proportion", note=note)])
    rows = [share_row(values.eq(level).fillna(False), conf_level, measure="share_of_contacts", group=by, level=level) for level in found]
    if values.isna().any():
        rows.append(share_row(values.isna(), conf_level, measure="share_of_contacts", group=by, level="missing"))
    return result_table(rows)


def _no_lone_worker(values, worker):
    """Levels with one worker joined, and with the smallest other level where there is one such, until none stands for one worker."""
    while True:
        workers = worker.groupby(values).nunique()
        lone = list(workers.index[workers == 1])
        if not lone or list(workers.index) == [ALONE]:
            return values
        rest = values.value_counts().drop(lone)
        values = values.where(~values.isin(lone if len(lone) > 1 or rest.empty else [*lone, rest.index[-1]]), ALONE)


def worker_loads(caseloads, plan, conf_level=0.95):
    """Open cases per worker at the months' ends, and contacts per worker and month, over workers.

    Parameters
    ----------
    caseloads : DataFrame, one row per worker and month
        Needs worker_id, month, open_cases and contacts (as `cohort.caseloads` gives them).
    plan : dict
        caseload: a number, optional.

    Returns
    -------
    DataFrame
        Result layout; measures caseload_per_worker, median_caseload_per_worker, contacts_per_worker_month, planned_caseload. The mean over
        workers of each worker's mean over the months; n = worker-months. From fewer than 3 workers nothing is shown, from 3 only the mean.

    References
    ----------
    Student t limits over workers.
    """
    require(caseloads, "caseloads", ["worker_id", "month", "open_cases", "contacts"])
    workers, rows = caseloads["worker_id"].nunique(), []
    note = f"{workers} workers" if workers >= FEWEST_WORKERS else f"not shown: fewer than {FEWEST_WORKERS} workers" if workers else "no worker is named"
    for measure, column, unit in (("caseload_per_worker", "open_cases", "open cases"), ("contacts_per_worker_month", "contacts", "contacts a month")):
        each = caseloads.groupby("worker_id")[column].mean().astype(float)
        row = dict(group="all", level="all", n=len(caseloads), n_missing=0, unit=unit, conf_level=conf_level, note=note)
        found = mean(each, conf_level) if workers > FEWEST_WORKERS else dict(estimate=each.mean() if workers == FEWEST_WORKERS else None)
        rows.append(row | dict(measure=measure, method="mean over workers, t limits") | found | dict(conf_low=max(found.get("conf_low", 0), 0) if workers > FEWEST_WORKERS else None))
        rows.append(row | dict(measure=f"median_{measure}", method="median over workers", estimate=each.median() if workers > FEWEST_WORKERS else None))
    if "caseload" in plan and workers:
        rows.append(dict(measure="planned_caseload", group="all", level="all", n=len(caseloads), n_missing=0, estimate=plan["caseload"],
                         unit="open cases", method="the scheme's own plan"))
    return result_table(rows)
