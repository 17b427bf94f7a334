"""Sentences of chapter 03: delivery and change."""

import pandas as pd

from sprx.wording.outcomes import describe_who_changed
from sprx.wording.words import NOT_SHOWN, STAGE_WORDS, better_is, count, interval, level_name, listed, number, one, percent, unknown_share

LOST_WORDS = {"not_accepted": "were not accepted by the service", "not_seen": "were not seen by a link worker", "not_completed": "did not complete"}
CONTACT_WORDS = {"mode": "How contacts were held", "worker_role": "By the worker's role", "worker_employer": "By the worker's employer"}


def describe_funnel(table):
    """How many of the referred reached each stage."""
    if (table["n"] == 0).all():
        return "Cannot be answered: needs a referrals table."
    rows = table[table["level"] != "referred"].dropna(subset="estimate")
    said = [f"{STAGE_WORDS.get(r.level, r.level)} {percent(r.estimate, r.n)}{interval(r)}{unknown_share(r)}" for r in rows.itertuples()]
    lacking = [STAGE_WORDS[r.level] for r in table.itertuples() if r.n == 0]
    text = f"Of the referrals for which it is recorded: {'; '.join(said)}." if said else NOT_SHOWN
    return text + (f" Not recorded: {listed(lacking)}." if lacking else "")


def describe_leavers(table):
    """How many were lost at each step, and why."""
    said = []
    for measure, rows in table.groupby("measure", sort=False):
        whole = one(rows, measure)
        if whole is None:
            continue
        reasons = rows[rows["group"] == "reason"].dropna(subset="estimate").sort_values("estimate", ascending=False, kind="stable")
        why = [f"{level_name(r.group, r.level)} {percent(r.estimate, r.n)}" for r in reasons.itertuples()]
        why += ["others too few to show"] if rows["suppressed"].any() else []
        said.append(f"{percent(whole.estimate, whole.n)}{interval(whole)} {LOST_WORDS[measure]}" + (f" ({'; '.join(why)})" if why else ""))
    return f"Of those who had come as far as the step before: {'; '.join(said)}. Cases still open may yet go further." if said else NOT_SHOWN


def describe_doses(table):
    """What people were given beside what was planned."""
    said = []
    for measure, plan, words in (("contacts_per_case", "contacts", "contacts in a closed case, on average"), ("minutes_per_contact", "minutes", "minutes in a contact"),
                                 ("median_days_open", "days", "days from first contact to closure for half of the cases")):
        row, planned = one(table, measure), one(table, f"planned_{plan}")
        if row is not None:
            said.append(f"{number(row.estimate)} {words}{interval(row)}" + (f", planned {number(planned.estimate)}" if planned is not None else ""))
    enough = one(table, "had_planned_contacts")
    said += [f"{percent(enough.estimate, enough.n)}{interval(enough)} of closed cases had the planned contacts or more"] if enough is not None else []
    if not said:
        return NOT_SHOWN if table["suppressed"].any() else "Cannot be answered: needs contacts, with their dates, and the dates on which cases were closed."
    planned = table["measure"].str.startswith("planned_").any()
    text = f"Given: {'; '.join(said)}."
    text += (" Open cases are left out of the counts of contacts, since they may yet have more." if one(table, "contacts_per_case") is not None else
             "" if table["suppressed"].any() else " How many contacts people had is not known: it needs contacts.")
    return text + ("" if planned else " What was planned is not known: it needs plan in scheme.yaml.")


def describe_loads(table):
    """Cases and contacts per worker."""
    load, planned, busy = (one(table, m) for m in ("caseload_per_worker", "planned_caseload", "contacts_per_worker_month"))
    if load is None or busy is None:
        return NOT_SHOWN if table["suppressed"].any() else f"Caseload {table['note'].iloc[0]}."
    return (f"At the end of a month a worker had {number(load.estimate)} open cases on average{interval(load)}" + (f", planned {number(planned.estimate)}" if planned is not None else "")
            + f", and held {number(busy.estimate)} contacts a month{interval(busy)} ({load.note}).")


def describe_contacts(table):
    """How, or by whom, contacts were held."""
    rows = table.dropna(subset="estimate").sort_values("estimate", ascending=False, kind="stable")
    said = [f"{level_name(r.group, r.level)} {percent(r.estimate, r.n)}" for r in rows.itertuples()]
    if said:
        return f"{CONTACT_WORDS[table['group'].iloc[0]]}, of {count(rows['n'].iloc[0])} contacts: {listed(said)}." + (" Others are too few to show." if table["suppressed"].any() else "")
    return (table["note"].iloc[0][0].upper() + table["note"].iloc[0][1:] + ".") if len(table) and table["note"].iloc[0] and pd.isna(table["estimate"].iloc[0]) else NOT_SHOWN


def describe_change(table, measure, instrument):
    """'What the data say' of one instrument: change, follow-up and share improved. Say `caution` beside it."""
    row, rows = one(table, f"paired_change_{instrument}"), table[table["measure"] == f"paired_change_{instrument}"]
    kept = one(table, f"followed_up_{instrument}")
    if row is None:
        nobody = len(rows) and not rows["suppressed"].iloc[0] and rows["n"].iloc[0] == 0
        return (f"{measure['name']}: nobody has both a score at the start and a later one, so no change can be shown." if nobody else
                f"{measure['name']}: not shown, too few people have both scores.")
    text = (f"{measure['name']}: among {count(row.n)} people with both scores, the mean change was {number(row.estimate, True)} "
            f"points{interval(row, True)}. {better_is(measure)}")
    if row.conf_low <= 0 <= row.conf_high:
        text += " The interval includes no change."
    if isinstance(row.note, str) and row.note:
        text += f" Note: {row.note}."
    if kept is not None:
        text += f" {percent(kept.estimate, kept.n)}{interval(kept)} of those with a first score were measured again" + ("; nothing is known of the others." if kept.estimate < 1 else ".")
    text += describe_who_changed(table, measure, instrument)
    other = one(table, f"paired_change_{instrument}", "comparison", "arm")
    if other is not None:
        text += f" In the comparison group, the mean change was {number(other.estimate, True)}{interval(other, True)}."
    return text


def caution(compared):
    """What a change is not, in words that fit what the data hold."""
    if compared:
        return ("Each is a change, not an effect. What the scheme adds is the difference between the groups, once it is allowed for how they differed "
                "at the start; this chapter does not work that out.")
    return ("This is a change, not an effect of the scheme. People are referred when they are at their worst, and people at their worst tend "
            "to get better anyway; without a comparison group the two cannot be told apart.")


def has_change(table, instrument):
    """True where a mean change of this instrument is shown."""
    return one(table, f"paired_change_{instrument}") is not None


def describe_unpaired(table, measure, instrument):
    """The dashboard's figure beside the paired one, and why they differ."""
    paired, loose = one(table, f"paired_change_{instrument}"), one(table, f"unpaired_change_{instrument}")
    followed, lost = (one(table, f"baseline_mean_{instrument}", level) for level in ("followed", "lost"))
    if paired is None or loose is None:
        return NOT_SHOWN
    text = f"{measure['name']}: a dashboard would show {number(loose.estimate, True)}; the same people measured twice changed by {number(paired.estimate, True)}."
    if number(loose.estimate, True) == number(paired.estimate, True):
        return text + " Here the two agree."
    if followed is not None and lost is not None and number(followed.estimate) != number(lost.estimate):
        text += (f" The two differ because they are about different people: those measured again had begun at {number(followed.estimate)} "
                 f"on average, those who were lost at {number(lost.estimate)}.")
    return text


def describe_too_recent(table):
    """How many people were referred too recently to have been measured again."""
    row = table.iloc[0]
    if row.suppressed:
        return "A few people were referred too recently to have been measured again; they are left out of the scores below."
    return (f"{count(row.estimate)} of {count(row.n)} people were referred too recently to have been measured again when the data were taken; they are left out "
            "of the scores below, so that they do not count as lost." if row.estimate else "Everyone was referred long enough ago to have been measured again.")
