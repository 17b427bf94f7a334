"""Sentences of chapter 03 on scores: what was to be expected, the domains, the distributions."""

import pandas as pd

from sprx.wording.words import NOT_SHOWN, count, direction, interval, listed, number, one, percent

DOMAIN_WORDS = {"mental_health": "Mental health", "statutory_services": "Demand on statutory services",
                "community_wellbeing": "Community wellbeing and resilience", "social_isolation": "Social exclusion and isolation",
                "other": "Other measures, in none of the four domains"}
TO_MEASURE = {"statutory_services": "each person's use of services, month by month"}
ELSEWHERE = {"statutory_services": "what people's use of services shows is in the chapter on the difference it makes",
             "community_wellbeing": "what is recorded of local groups is in the chapter on what exists locally"}
TIMING_WORDS = {"first_before_referral": "first scores dated before the referral", "before_referral": "later scores dated before the referral",
                "after_closure": "dated after the case was closed", "after_death": "dated after the person died"}


def describe_domain(table, domain):
    """Whether anything measured one of the four domains."""
    name, row = DOMAIN_WORDS[domain], table[table["level"] == domain]
    more = f"; {ELSEWHERE[domain]}" if domain in ELSEWHERE else ""
    if row.empty:
        return f"{name}."
    if row["suppressed"].iloc[0]:
        return f"{name}: too few people to show{more}."
    if row["n"].iloc[0] == 0:
        return f"{name}: not measured. It needs {TO_MEASURE.get(domain, 'a score of each person at the start and later')}{more}."
    row = row.iloc[0]
    return f"{name}: measured for {percent(row.estimate, row.n)}{interval(row)} of the people referred{more}."


def describe_expected(table, measure, instrument):
    """The change to be expected from selection alone, beside the observed one and what is left."""
    expected, observed, left = (one(table, f"{name}_{instrument}") for name in ("expected_change", "paired_change", "change_beyond_expected"))
    if observed is None:
        return f"{measure['name']}: no change is shown, so none is set beside what was to be expected with no help at all."
    if measure["higher_is_better"] not in ("yes", "no"):
        return f"{measure['name']}: neither way is better, so having come at a bad time leads nobody to expect a change."
    if expected is None:
        return (f"{measure['name']}: the change to be expected with no help at all cannot be worked out. It needs the mean of people in general and how far two of "
                f"their scores agree, under norms in scheme.yaml.")
    away = direction(expected.estimate, measure["higher_is_better"])
    start = ("Of people who come at a bad time, a change" if away == "better" else
             "These people did not begin worse than people in general, so no gain is expected from having come at a bad time; a change")
    cut = one(table, f"expected_change_at_cutoff_{instrument}")
    more = f" Anybody chosen for a score beyond the cut-off would be expected to change by {number(cut.estimate, True)}{interval(cut, True)}." if cut is not None else ""
    return (f"{start} of about {number(expected.estimate, True)}{interval(expected, True)} is expected with no help at all; the observed change is "
            f"{number(observed.estimate, True)}{interval(observed, True)}; what is left is {number(left.estimate, True)}{interval(left, True)}, and that is not shown to be the "
            f"scheme's doing.{more} Worked out as {expected.method.replace(' - ', ' − ').replace(' x ', ' × ')}; {expected.note}.")


def expected_too(table, measure, instrument):
    """What an answer adds on the expected change: a clause without its end, or '' where it cannot be worked out."""
    expected, left = one(table, f"expected_change_{instrument}"), one(table, f"change_beyond_expected_{instrument}")
    if expected is None or left is None or direction(expected.estimate, measure["higher_is_better"]) != "better":
        return ""
    return f"of people who come at a bad time, about {number(expected.estimate, True)} is expected with no help at all"


def describe_who_changed(table, measure, instrument):
    """Who improved, who became worse, and who is not known."""
    better, worse, everyone = (one(table, f"{name}_{instrument}") for name in ("share_improved", "share_worse", "share_improved_of_all"))
    if better is None:
        row = table[(table["measure"] == f"share_improved_{instrument}") & (table["n"] == 0)]
        return f" Who improved cannot be counted: {row['note'].iloc[0]}." if len(row) and row["note"].iloc[0] else ""
    text = f" {percent(better.estimate, better.n)}{interval(better)} {better.note}"
    if measure["mid_value"] > 0:
        text += " points, the smallest difference held to matter"
        text += " (unverified: no source was found for it)" if str(measure.get("mid_verification", "")).startswith("unverified") else ""
    text += f"; {percent(worse.estimate, worse.n)} became worse by as much" if worse is not None else ""
    return text + (f"; of all with a first score, {percent(everyone.estimate, everyone.n)} are known to have improved so far." if everyone is not None else ".")


def describe_scale(table, measure, instrument):
    """The change on a common scale, and where people stood beside people in general."""
    said = (_standardised(table, instrument) + _beside_norm(table, instrument)).strip()
    return f"{measure['name']}: {said[0].lower()}{said[1:]}" if said else f"{measure['name']}: how large the change is in standard deviations is not shown."


def _standardised(table, instrument):
    """The change on a common scale, both ways named."""
    rows = {name: table[table["measure"] == f"change_{name}_{instrument}"] for name in ("smcc", "smcr")}
    said = [f"{number(r.estimate, True)}{interval(r, True)} by the {words} ({name.upper()})" for name, words in
            (("smcc", "standard deviation of the changes"), ("smcr", "standard deviation of the first scores"))
            if (r := one(table, f"change_{name}_{instrument}")) is not None]
    if said:
        return f" In standard deviations the change is {listed(said)}."
    notes = [rows[name]["note"].iloc[0] for name in rows if len(rows[name]) and not rows[name]["suppressed"].iloc[0]]
    return f" A standardised change is not defined: {notes[0]}." if notes and notes[0] else ""


def _beside_norm(table, instrument):
    """How far people were from people in general at both times."""
    rows = [one(table, f"difference_from_norm_{instrument}", level) for level in ("baseline", "follow_up")]
    if any(r is None for r in rows):
        return ""
    before, after = rows
    return (f" Against people in general they stood at {number(before.estimate, True)}{interval(before, True)} at the start and at {number(after.estimate, True)}"
            f"{interval(after, True)} later ({before.note}).")


def describe_profile(table):
    """What became of people's states of health, by the EQ-5D profile."""
    said = [f"{r.level if r.level != 'same' else 'the same'} for {percent(r.estimate, r.n)}{interval(r)}" for r in
            table[table["measure"] == "state_of_health"].dropna(subset="estimate").itertuples()]
    if not said:
        return "EQ-5D profile: " + NOT_SHOWN[0].lower() + NOT_SHOWN[1:]
    return (f"EQ-5D profile: the state of health became {listed(said)}. Better means better in one dimension or more and worse in none; mixed means better in one and "
            f"worse in another.")


def describe_timing(table):
    """Scores at a time that does not fit their case."""
    rows = table.dropna(subset="estimate")
    said = [f"{percent(r.estimate, r.n)} are {TIMING_WORDS[r.level]}" for r in rows.itertuples() if r.estimate > 0]
    hidden = [TIMING_WORDS[r.level] for r in table.itertuples() if r.suppressed]
    if rows.empty and hidden:
        return "Whether scores were taken before the referral or after the case was closed: not shown, too few scores have a date."
    if rows.empty:
        return "Whether scores were taken before the referral or after the case was closed cannot be told: it needs dates of scores and of referrals."
    said += [f"a few are {words}" for words in hidden]
    return f"Of the scores with a date, {listed(said)}. They stay in the results." if said else "No score is dated before the referral or after the case was closed."


def describe_unused(table):
    """Scores set aside, and why."""
    said = [f"{r.level} ({'a few' if r.suppressed or pd.isna(r.estimate) else count(r.estimate)} rows)" for r in table.itertuples()]
    return f"Scores that could not be used: {'; '.join(said)}." if said else "Every score that was given could be used."


def score_rows(table, instrument):
    """The released rows that show where scores lie at both times: the instrument's bands where it has some, else its quartiles."""
    bands = table[table["measure"] == f"share_in_band_{instrument}"]
    names = [f"score_{name}_{instrument}" for name in ("lower_quartile", "median", "upper_quartile", "mean")]
    return bands if bands["estimate"].gt(0).any() else table[table["measure"].isin(names)]


def change_rows(table, instrument):
    """The released rows of the observed change, and of the expected one and what is left, where no comparison group tells."""
    arms = table[(table["measure"] == f"paired_change_{instrument}") & (table["group"] == "arm")]
    if len(arms):
        return arms.iloc[::-1]
    names = [f"{name}_{instrument}" for name in ("paired_change", "expected_change", "change_beyond_expected")]
    rows = table[table["measure"].isin(names) & (table["group"] == "all")]
    return rows if rows["estimate"].notna().sum() > 1 else rows[rows["measure"] == names[0]]


def time_name(group):
    """A bar's name: 'at the start', 'mobility, later'."""
    return {"band_at_baseline": "at the start", "band_at_follow_up": "later", "baseline": "at the start", "follow_up": "later"}.get(
        group, group.replace(", baseline", ",\nat the start").replace(", follow_up", ", later"))


def alt_of_scores(table):
    """Alt text of the figure of scores at both times: every number that it shows."""
    group = "group" if table["unit"].eq("proportion").all() else "level"
    said = []
    for name, rows in table.groupby(group, sort=False):
        values = [f"{(r.level if group == 'group' else r.measure.split('_', 1)[1].rsplit('_', 1)[0].replace('_', ' '))} "
                  f"{'not shown' if pd.isna(r.estimate) else percent(r.estimate, r.n) if group == 'group' else number(r.estimate)}" for r in rows.itertuples()]
        said.append(f"{time_name(name)}: {', '.join(values)}".replace("\n", " "))
    return "; ".join(said) + "."
