"""Sentences of chapter 01."""

import re
from calendar import month_name

import pandas as pd

from sprx.wording.words import NOT_SHOWN, count, describe_axis, interval, level_name, listed, number, one, percent

MONTHLY_NAMES = {"referrals": "referrals", "first_contacts": "people first seen", "contacts": "contacts", "closures": "cases closed",
                 "caseload": "open cases"}
MONTHS = list(month_name)
MOST = 3 / 4            # where more of the months than this stand out, none of them is usual
SPELLS = ("month", "quarter")


def describe_referrals(table):
    """How many referrals there were, and how many in a whole month."""
    total, outside = one(table, "referrals"), one(table, "referrals_outside_period")
    if total is None:
        return NOT_SHOWN
    if total.estimate == 0 and outside is None:
        return "Cannot be answered: needs a referrals table."
    rows = table[(table["measure"] == "referrals") & table["group"].isin(SPELLS) & (table["level"] != "missing")]
    whole = rows[~rows["note"].str.startswith("part of a")].dropna(subset="estimate")
    text = "There was 1 referral." if total.estimate == 1 else f"There were {count(total.estimate)} referrals."
    if len(whole) > 1:
        low, high, spell = count(whole.estimate.min()), count(whole.estimate.max()), whole["group"].iloc[0]
        where = f"In the whole {spell}s that can be shown" if rows["suppressed"].any() else f"In a whole {spell}"
        text += f" {where} there were {'about ' + low if low == high else f'between {low} and {high}'}."
    if total.n_missing > 0:
        text += f" {count(total.n_missing)} have no referral date and are not in the figure."
    if outside is not None and outside.estimate > 0:
        text += f" {count(outside.estimate)} more were made outside the period and are left out of this report."
    return text


# ---- control charts ------------------------------------------------------------------------------------------------------

def chart_rows(table, measure):
    """The rows of one measure's control chart: its months or quarters, and the lines of its phases."""
    lines = [f"{measure}_{line}" for line in ("centre_line", "lower_limit", "upper_limit")]
    spells = (table["measure"] == measure) & table["group"].isin(SPELLS) & (table["level"] != "missing")
    return table[spells | table["measure"].isin(lines)]


def charted(table):
    """The measures that have months or quarters to draw, of which at least one can be shown."""
    rows = table[table["group"].isin(SPELLS) & (table["level"] != "missing")].dropna(subset="estimate")
    return [measure for measure in MONTHLY_NAMES if measure in set(rows["measure"])]


def cause_of(note):
    """('up', 'down' or '' for none; 'improvement', 'concern' or '') from the note of a month."""
    if not note.startswith("special cause"):
        return "", ""
    judged = next((word for word in ("improvement", "concern") if f"({word})" in note), "")
    return "up" if "above" in note or "rising" in note else "down", judged


def describe_control(table, measure):
    """The mean of a month, and every special cause, in plain words."""
    return _dated(_control_words(table, measure))


def _dated(text):
    """'April 2024' for 2024-04, '1 April 2024' for 2024-04-01."""
    return re.sub(r"\b(\d{4})-(0[1-9]|1[0-2])(?:-(\d\d))?\b", lambda found: (f"{int(found[3])} " if found[3] else "") + f"{MONTHS[int(found[2])]} {found[1]}", text)


def caption_of_control(table):
    """What a control chart shows, and how to read the marks that it has."""
    spells = table[table["group"].isin(SPELLS)]
    lines = table.dropna(subset="estimate")["measure"]
    marks = ["The line is the mean; between the dashed lines chance alone keeps nearly all points." if lines.str.endswith("_limit").any() else "",
             "A triangle stands out, up or down." if spells["note"].str.startswith("special cause").any() else "",
             "A hollow point is held only in part." if spells["note"].str.startswith("part of a").any() else "",
             "Lines and triangles were worked out before counts were rounded." if lines.str.endswith("_centre_line").any() else ""]
    name = MONTHLY_NAMES[spells["measure"].iloc[0]]
    return f"{_capital(name)}, {spells['group'].iloc[0]} by {spells['group'].iloc[0]}. {' '.join(mark for mark in marks if mark)}".strip()


def _control_words(table, measure):
    """As `describe_control`, with dates as they are recorded."""
    rows = chart_rows(table, measure)
    spells, lines = rows[rows["group"].isin(SPELLS)], rows[rows["group"] == "phase"].dropna(subset="estimate")
    name = MONTHLY_NAMES[measure]
    if spells["estimate"].notna().sum() == 0:
        return f"{name.capitalize()}: not shown, too few in each month and quarter."
    spell = spells["group"].iloc[0]
    if lines.empty:
        return f"{name.capitalize()}: too few {spell}s can be shown to say what is usual."
    phases = [part for _, part in lines.groupby("level", sort=False)]
    found = spells[spells["note"].str.startswith("special cause")]
    shown = spells["estimate"].notna().sum()
    unusual = len(phases) == 1 and len(found) > MOST * shown
    text = (f"Over all {spell}s there were about {count(phases[0]['estimate'].iloc[0])} {name}; but {count(len(found))} of the {count(shown)} {spell}s shown stand out, so no {spell} can "
            "be called usual, and one mean for all of them says little." if unusual else " ".join(_phase_words(part, name, spell, len(phases) > 1) for part in phases))
    if spell == "quarter":
        text += " Quarters are shown because too many months are too small to show."
    if spells["suppressed"].any():
        text += f" {count(spells['suppressed'].sum())} {spell}{'s are' if spells['suppressed'].sum() > 1 else ' is'} not shown and left out of the lines, which may therefore lie a little high."
    early = table.loc[(table["measure"] == "caseload") & (table["group"] == "all"), "note"]
    if measure != "referrals" and early.str.startswith("no case from before").any():
        text += f" {_capital(early.iloc[0])}."
    if found.empty and not lines["measure"].str.endswith("_limit").any():
        return text
    if found.empty:
        return text + f" No {spell} stands out: the differences between {spell}s are of the size that comes about by chance."
    if unusual:
        return text
    return text + " Standing out: " + "; ".join(_runs(found)) + ". That is a sign that something changed, not what."


def _phase_words(part, name, spell, several):
    """The mean and limits of one phase, which is named where there are several."""
    at = {measure.rsplit("_", 2)[-2]: row for measure, row in part.set_index("measure").iterrows()}
    level = f"From {part['level'].iloc[0]}" if several or part["note"].str.contains("begins anew").any() else f"In a usual {spell}"
    if "lower" not in at or "upper" not in at:
        return f"{level} there were about {count(at['centre'].estimate)} {name}; most {spell}s are alike, so there are no limits to hold the others against."
    trial = " These are trial limits: with fewer than 12 points they may still move." if part["note"].str.contains("trial").any() else ""
    return (f"{level} there were about {count(at['centre'].estimate)} {name}; chance alone keeps nearly all {spell}s between {count(at['lower'].estimate)} and "
            f"{count(at['upper'].estimate)}.{trial}")


def _runs(found):
    """'2024-11 to 2025-06: 8 months in a row above the mean', one for each run, and one for months alike that follow one another."""
    words = found["note"].str.removeprefix("special cause: ")
    at = pd.PeriodIndex(found["level"].str.replace(" ", ""), freq="M" if found["group"].iloc[0] == "month" else "Q")
    apart = pd.Series(at.map(lambda period: period.ordinal), index=found.index).diff().ne(1)
    block, alike = apart.cumsum(), (apart | words.ne(words.shift())).cumsum()
    run = words.str.contains("in a row")                    # goes on across a month that stands out for another reason too
    said = {}
    for row in found.index:
        key = ("run", block[row], words[row]) if run[row] else ("alike", alike[row])
        said.setdefault(key, []).append(row)
    ordinal = pd.Series(at.map(lambda period: period.ordinal), index=found.index)
    spans = [(found.at[rows[0], "level"], found.at[rows[-1], "level"], ordinal[rows[-1]] - ordinal[rows[0]] + 1, words[rows[0]]) for rows in said.values()]
    return [f"{first}{'' if first == last else f' to {last}'}: {'part of ' if 'in a row' in what and long < int(what.split()[0]) else ''}{what}" for first, last, long, what in spans]


def alt_of_control(table):
    """Alt text of a control chart: every number that it shows."""
    spells, lines = table[table["group"].isin(SPELLS)], table[table["group"] == "phase"].dropna(subset="estimate")
    said = []
    for r in spells.itertuples():
        value = "not shown" if pd.isna(r.estimate) else number(r.estimate)
        said.append(f"{r.level} {value}" + (f" ({r.note.removeprefix('special cause: ')})" if r.note and not r.suppressed else ""))
    limits = [f"{r.measure.rsplit('_', 2)[-2]} {r.measure.rsplit('_', 1)[-1]} {number(r.estimate)} ({r.level}{'; ' + r.note if r.note else ''})" for r in lines.itertuples()]
    measure = spells["measure"].iloc[0] if len(spells) else ""
    return f"Control chart of {MONTHLY_NAMES.get(measure, measure)}: " + "; ".join(said + limits) + "."


# ---- waits ---------------------------------------------------------------------------------------------------------------

def curve_rows(curve, most=5):
    """The levels of a curve that can be told apart: those with two steps or more, and of them the ones with most people."""
    at_risk = curve.groupby("level", sort=False)["n_at_risk"].agg(["size", "max"])
    kept = at_risk[at_risk["size"] > 2]["max"].sort_values(ascending=False, kind="stable").index[:most]
    return curve[curve["level"].isin(kept)]


def describe_wait(table):
    """The median wait and the share seen within each standard."""
    median = table[table["measure"] == "median_days_to_first_contact"].iloc[0]
    within = table[table["measure"].str.startswith("seen_within_")].dropna(subset="estimate")
    if pd.isna(median.n) or (within.empty and pd.isna(median.estimate)):
        return NOT_SHOWN if pd.isna(median.n) else "Cannot be answered: needs referrals with a referral_date and a first_contact_date."
    text = (f"Half of the people referred were first seen within {number(median.estimate)} days{interval(median)}."
            if pd.notna(median.estimate) else "Fewer than half of the people referred were seen while they were being watched.")
    said = [f"{percent(r.estimate, r.n)}{interval(r)} within {r.measure.split('_')[2]} days" for r in within.itertuples()]
    return text + (f" Seen: {listed(said)}." if said else "") + _mean_words(table, "first_contact", "the wait is")


def describe_stay(table):
    """How long cases stay open: the median, or that it was not reached, and the mean up to a horizon."""
    median = table[table["measure"] == "median_days_to_closure"].iloc[0]
    if pd.isna(median.n):
        return NOT_SHOWN
    if median.n == 0:
        return "Cannot be answered: needs referrals with a first_contact_date and a closed_date."
    text = (f"Half of the cases were closed within {number(median.estimate)} days of the first contact{interval(median)}." if pd.notna(median.estimate) else
            "How long half of the cases take to close was not reached: more than half were still open when they were last heard of.")
    if median.n_missing > 0:
        text += f" {count(median.n_missing)} more ended on a day that was not recorded."
    return text + _mean_words(table, "closure", "a case stays open for")


def _mean_words(table, event, what):
    row = one(table, f"mean_days_to_{event}")
    return "" if row is None else f" On average {what} {number(row.estimate)} days{interval(row)}; {row.note}."


def describe_comparison(table):
    """Log-rank tests in plain words: for which groups the curves differ by more than chance."""
    rows = table[table["measure"].str.startswith("log_rank")]
    if rows["estimate"].isna().all():
        return "Whether groups differ cannot be answered: needs two groups or more with people who were seen."
    said = []
    for row in rows.dropna(subset="estimate").itertuples():
        said.append(f"by {describe_axis(row.level)}, {row.note.split('or more ', 1)[-1].removesuffix(' such comparisons')}")
    return ("How often would chance alone show differences as large as these, if the groups did not differ? " + _capital("; ".join(said)) +
            " such comparisons. Rare means that the groups probably differ; it does not say by how much, nor why.")


def _capital(text):
    return text[0].upper() + text[1:]


def ratio_rows(table):
    """The rows of the model that can be drawn, each named by its group and level."""
    rows = table[(table["measure"] == "hazard_ratio_first_contact") & (table["group"] != "all")]
    names = [f"{describe_axis(group).split(' (')[0].removesuffix(' of referral')}: {level_name(group, level).replace('_', ' ')}" for group, level in zip(rows["group"], rows["level"])]
    return rows.assign(group="term", level=names)


def describe_ratios(table):
    """The model of several groups at once, and its check, in plain words."""
    rows = table[table["measure"] == "hazard_ratio_first_contact"]
    shown, check = rows.dropna(subset="estimate"), table[table["measure"] == "proportional_hazards"]
    if shown.empty:
        return "Not modelled: " + (rows["note"].iloc[0].rstrip(".") if len(rows) and not rows["suppressed"].all() else "too few people to show") + "."
    clear = shown[(shown["conf_low"] > 1) | (shown["conf_high"] < 1)]
    said = [f"{describe_axis(r.group)}, {level_name(r.group, r.level)}: {'sooner' if r.estimate > 1 else 'later'}, ratio {number(r.estimate)}{interval(r)}, {r.note}"
            for r in clear.itertuples()]
    text = "With the other groups alike, seen sooner or later than the group compared with: " + "; ".join(said) + "." if said else \
        "With the other groups alike, no group was clearly seen sooner or later than the one it is compared with: every interval includes 1."
    return text + (f" Check of the model: {check['note'].iloc[0].split('; ')[0]}." if len(check) and check["note"].iloc[0] and not check["suppressed"].any() else "")


def describe_first_events(table):
    """Seen, ended unseen, or still waiting, by each standard."""
    said = []
    for measure, rows in table.groupby("measure", sort=False):
        seen, ended = (one(rows, measure, level) for level in ("seen", "ended unseen"))
        if seen is not None:
            said.append(f"by day {measure.split('_')[3]}, {percent(seen.estimate, seen.n)}{interval(seen)} had been seen" +
                        (f" and {percent(ended.estimate, ended.n)}{interval(ended)} had declined or been closed unseen" if ended is not None else ""))
    if not said:
        return NOT_SHOWN if table["suppressed"].any() else "Cannot be answered: needs referrals with a referral_date and a first_contact_date."
    return ("Of everybody referred, " + "; ".join(said) + ". Somebody who declines will not be seen later, so the two are counted side by side, and the rest were still waiting.")


def alt_of_first_events(curve):
    """Alt text of the bands: what had happened by a quarter, half and the end of the time shown."""
    if curve.empty:
        return "No figure: too few people to show."
    last, said = curve["days"].max(), []
    for day in (last / 4, last / 2, last):
        parts = [f"{percent(rows[rows['days'] <= day]['estimate'].iloc[-1])} {level}" for level, rows in curve.groupby("level", sort=False) if (rows["days"] <= day).any()]
        said.append(f"by day {day:.0f} " + listed(parts))
    return "What happened first to the people referred: " + "; ".join(said) + "; the rest were waiting."


# ---- staying -------------------------------------------------------------------------------------------------------------

def describe_contacts_had(table):
    """Contacts per person and how many people had at least so many."""
    average, middle = one(table, "mean_contacts"), one(table, "median_contacts")
    rows = table[table["group"] == "contacts_at_least"].dropna(subset="estimate")
    if average is None and rows.empty:
        return NOT_SHOWN if table["suppressed"].any() else "Cannot be answered: needs a contacts table, and referrals made at least half a year before the data were taken."
    text = "" if average is None else (f"People who were seen had {number(average.estimate)} contacts on average{interval(average)}" +
                                       (f"; half had {number(middle.estimate)} or fewer" if middle is not None else "") + ".")
    said = [f"{percent(r.estimate, r.n)}{interval(r)} had at least {r.level}" for r in rows.itertuples() if r.level in ("1", "2", "4")]
    return (text + (f" Of everybody referred, {listed(said)}. Not all who stop have dropped out: for some the support was complete." if said else "")).strip()


def describe_gaps(table):
    """Days between contacts."""
    row = table[table["measure"] == "median_days_between_contacts"].iloc[0]
    if pd.isna(row.estimate):
        return NOT_SHOWN if row.suppressed else "Days between contacts: " + (row.note.rstrip(".") or "not known") + "."
    return f"Half of the gaps between one contact and the next were {number(row.estimate)} days or shorter{interval(row)}."


def describe_sessions(table):
    """Sessions attended of those offered, and where least."""
    whole = one(table, "sessions_attended_per_100", group="all")
    if whole is None:
        return NOT_SHOWN if table["suppressed"].any() else "Cannot be answered: needs activities with sessions_offered and sessions_attended."
    text = f"Of 100 sessions offered, {number(whole.estimate)} were attended{interval(whole)}."
    kinds = table[(table["measure"] == "sessions_attended_per_100") & (table["group"] == "activity_type")].dropna(subset="estimate").sort_values(["estimate", "level"])
    if len(kinds) > 1:
        low, high = kinds.iloc[0], kinds.iloc[-1]
        text += (f" Fewest in {level_name(low.group, low.level).lower()} ({number(low.estimate)}{_inner(low)}), most in {level_name(high.group, high.level).lower()} "
                 f"({number(high.estimate)}{_inner(high)}).")
    return text


def describe_calendar(table):
    """Days of the week and months of the year that hold most and least."""
    said = []
    for measure, rows in table.groupby("measure", sort=False):
        shown = rows.dropna(subset="estimate")
        what, where = measure.split("_by_")
        if len(shown) > 1:
            if shown["estimate"].nunique() == 1:
                said.append(f"{what.replace('_', ' ').capitalize()} by {where.replace('_', ' ')}: about as many in each")
                continue
            top, low = shown.loc[shown["estimate"].idxmax()], shown.loc[shown["estimate"].idxmin()]
            said.append(f"{what.replace('_', ' ').capitalize()} by {where.replace('_', ' ')}: most on {top.level} ({percent(top.estimate, top.n)}{_inner(top)}), fewest on {low.level} "
                        f"({percent(low.estimate, low.n)}{_inner(low)})".replace(" on ", " in " if "month" in where else " on "))
        elif rows["note"].str.startswith("the dates are months").any():
            said.append(f"{what.replace('_', ' ').capitalize()}: {rows['note'].iloc[0]}")
    return ". ".join(said) + "." if said else NOT_SHOWN if table["suppressed"].any() else "Cannot be answered: needs dates, for months of the year those of a whole year."


def _inner(row):
    """An interval inside brackets that are open already."""
    return interval(row).replace(" (", ", ").rstrip(")")
