"""Sentences of chapter 04: what difference the scheme makes, how the comparison is made, and how fragile the answer is."""

import pandas as pd

from sprx.reference import BY_LOT
from sprx.wording.verdict import EFFECT_FROM, NOT_ANSWERED, better_sign, verdict, verdict_sentence, verdict_tail, why_not
from sprx.wording.words import ANALYSIS_WORDS, count, describe_axis, interval, level_of, listed, number, one, percent

WORDS = ("effect", "difference")        # what a difference is called: metrics.impact.Plan.word
WELL_FOLLOWED = 0.8
SMALL_SMD = 0.1                         # Austin (2009): a standardised difference held to be negligible


def named(table, stem, instrument, level="all", group=None):
    """The row 'effect_<instrument>' or 'difference_<instrument>', with any `stem` between; None where it holds no estimate."""
    for word in WORDS:
        row = one(table, f"{word}{stem}_{instrument}", level, group)
        if row is not None:
            return row
    return None


def matters_from(measure, threshold=None):
    """The smallest difference that matters, in points: the scheme's own, else the measure's; None where nobody has said it."""
    return threshold if threshold else measure["mid_value"] if measure["mid_value"] > 0 else None


def score_result(row, measure):
    """'scored 1.9 points higher on SWEMWBS (difference +1.9, 95% CI +1.3 to +2.6)'."""
    side = f"{number(abs(row.estimate))} points {'higher' if row.estimate > 0 else 'lower'}" if number(row.estimate) != "0" else "the same"
    limits = interval(row, True).strip(" ()")
    return f"scored {side} on {measure['name']} (difference {number(row.estimate, True)}" + (f", {limits})" if limits else ")")


def score_verdict(table, measure, instrument, threshold=None):
    """The verdict on one score: a key of `verdict.TAILS`, or 'not estimated'."""
    row = named(table, "", instrument)
    return "not estimated" if row is None else verdict(row.conf_low, row.conf_high, matters_from(measure, threshold), better_sign(measure))


def describe_effect(table, measure, instrument, design, threshold=None):
    """The sentence on one score that the interval, the design and what matters allow.

    Parameters
    ----------
    table : DataFrame
        Released `effect` result.
    measure : Series
        A row of `Scheme.measures()`.
    instrument : str
    design : Series
        A row of `cohort.impact_designs`: design, level.
    threshold : float, optional
        The scheme's own smallest difference that matters.
    """
    row = named(table, "", instrument)
    if row is None:
        return f"{measure['name']}: " + NOT_ANSWERED.format(reason=why_not(table, WORDS))
    return verdict_sentence(design["design"], design["level"], score_result(row, measure), score_verdict(table, measure, instrument, threshold), _matters(measure, threshold))


def describe_other_effect(table, measure, instrument, design):
    """The same of a measure that is not the first: shorter."""
    row = named(table, "", instrument)
    if row is None:
        return f"{measure['name']}: " + NOT_ANSWERED.format(reason=why_not(table, WORDS))
    tail = verdict_tail(design["level"], score_verdict(table, measure, instrument), _matters(measure, None))
    return f"{measure['name']}: a difference of {number(row.estimate, True)} points{interval(row, True)}. {tail}"


def _matters(measure, threshold):
    """' (3 points, …)': the smallest difference that matters, and who says so."""
    if threshold:
        return f" ({threshold:g} point{'s' if threshold != 1 else ''})"
    return f" ({measure['mid_value']:g} points, the smallest change held to be important for one person)" if measure["mid_value"] > 0 else ""


def describe_share_improved(table, instrument):
    """How many more of the scheme's people improved by what matters to one person; '' where it cannot be said."""
    share = one(table, f"improved_difference_{instrument}")
    if share is None:
        return ""
    return f"{number(abs(share.estimate))} percentage points {'more' if share.estimate > 0 else 'fewer'} of the scheme's people {share.note.split(';')[0]} points{_points(share)}."


def describe_improved(table, instrument, measure):
    """The difference in standard deviations, and the smallest one that could have been found."""
    said = []
    scaled, least = named(table, "_standardised", instrument), None
    for word in WORDS:
        least = one(table, f"minimum_detectable_{word}_{instrument}") if least is None else least
    if scaled is not None:
        said.append(f"in standard deviations the difference is {number(scaled.estimate, True)}{interval(scaled, True)}")
    text = f"{measure['name']}: {'; '.join(said)}." if said else ""
    if least is not None:
        text += f" With these data, a true difference of {number(least.estimate)} points would be found four times in five; a smaller one would often be missed."
    return text.strip() or f"{measure['name']}: not shown."


def _points(row):
    return f" ({level_of(row)} CI {number(row.conf_low, True)} to {number(row.conf_high, True)})" if pd.notna(row.conf_low) else ""


def analysis_rows(table):
    """The rows of one figure: every analysis."""
    return table[table["group"] == "analysis"]


def describe_analyses(table, measure, instrument):
    """How far the analyses agree."""
    rows = analysis_rows(table).dropna(subset="estimate")
    answer = named(table, "", instrument)
    if answer is None or len(rows) < 2:
        return f"{measure['name']}: there is no second analysis to show."
    text = (f"{measure['name']}: done in {len(rows)} ways, the difference lies between {number(rows['estimate'].min(), True)} and {number(rows['estimate'].max(), True)} points. ")
    clear = (rows["conf_low"] > 0) | (rows["conf_high"] < 0)
    if clear.all() and (rows["estimate"] > 0).nunique() == 1:
        return text + "In none of them does the interval include no difference."
    if not clear.any():
        return text + "In all of them the interval includes no difference."
    names = listed(ANALYSIS_WORDS.get(r.level, r.level) for r in rows[~clear].itertuples())
    return text + f"The interval includes no difference in {'this way' if (~clear).sum() == 1 else 'these ways'}: {names}. So the answer depends on how the comparison is made."


def alt_of_analyses(table):
    """Alt text: every analysis with its numbers."""
    said = [f"{ANALYSIS_WORDS.get(r.level, r.level.replace('_', ' '))}: {'not shown' if pd.isna(r.estimate) else number(r.estimate, True) + interval(r, True)}" for r in table.itertuples()]
    return f"Difference between the groups, {table['unit'].iloc[0]}. {'; '.join(said)}."


def balance_rows(table):
    """The rows of the figure of balance."""
    return table[table["measure"].str.startswith("smd_between_groups") & (table["level"] != "all")]


def covariate_name(level):
    """A covariate, or one level of it, in words."""
    name, _, value = level.partition(": ")
    return "first score" if name == "first score" else describe_axis(name) + (f": {value}" if value else "")


def describe_balance(table):
    """How far apart the groups were in what is recorded, before and after weighting."""
    rows = balance_rows(table).dropna(subset="estimate")
    if rows.empty:
        return "Not shown: there is nothing recorded about both groups that could be compared, or too few people."
    said = []
    for kind, part in rows.groupby("group", sort=False):
        far = part[part["estimate"].abs() > SMALL_SMD].sort_values("estimate", key=lambda v: -v.abs(), kind="stable")
        alone = rows["group"].nunique() == 1
        name = "At the start" if alone else "Before weighting" if kind == "before weighting" else f"After they are {'weighted by chance of referral' if kind == 'weighted' else 'weighted to the same means'}"
        most = listed(f"{covariate_name(r.level)} ({number(r.estimate, True)})" for r in far.head(4).itertuples())
        said.append(f"{name}, the groups are " + (f"more than {SMALL_SMD:g} standard deviations apart in {len(far)} of {len(part)} things recorded: {most}" + (" and others" if len(far) > 4 else "")
                    if len(far) else f"within {SMALL_SMD:g} standard deviations in everything recorded"))
    sizes = [f"{count(r.estimate)} ({ANALYSIS_WORDS[r.group]})" for r in table[table["measure"].str.startswith("effective")].dropna(subset="estimate").itertuples()]
    text = ". ".join(said) + "."
    note = table.loc[table["measure"].str.startswith("effective"), "note"]
    return text + (f" Weighting has a price: {note.iloc[0]} then count for as much as {' or '.join(sizes)} unweighted ones." if sizes else "") + " What nobody recorded may still set them apart."


def alt_of_balance(table):
    """Alt text: the largest difference before and after."""
    said = [f"{kind}: from {number(part['estimate'].min(), True)} to {number(part['estimate'].max(), True)}" for kind, part in table.dropna(subset='estimate').groupby("group", sort=False)]
    return f"Standardised differences between the groups. {'; '.join(said)}."


def describe_likeness(table, instrument):
    """Whether there are comparison people like those of the scheme."""
    row = one(table, f"outside_overlap_{instrument}")
    if row is None:
        return "How many of the scheme's people had anybody like them in the comparison is not shown." if len(table) else "The groups were drawn by lot, or cannot be compared: overlap is not the question."
    if number(100 * row.estimate) == "0":
        return "Every one of the scheme's people had comparison people with as high a chance of being referred, as far as can be told from what is recorded."
    return f"{percent(row.estimate, row.n)}{interval(row)} of the scheme's people had a higher chance of being referred than anybody in the comparison: for them there is nobody to compare with."


def describe_fragility(table, instrument, measure):
    """What leaving one thing out does, and how strong an unrecorded one would have to be."""
    rows = table[table["group"] == "left_out"].dropna(subset="estimate")
    said = []
    if len(rows):
        said.append(f"{measure['name']}: leaving out one thing at a time moves the difference between {number(rows['estimate'].min(), True)} and {number(rows['estimate'].max(), True)} points.")
    value, limit = (one(table, f"e_value_{instrument}", level) for level in ("estimate", "limit nearer to no difference"))
    if value is not None:
        said.append(f"To explain the difference away, something that nobody recorded would have to make both being referred and a better score at least {number(value.estimate)} times as likely, "
                    "beyond all that is recorded" + (f"; to make the interval include no difference, {number(limit.estimate)} times." if limit is not None and limit.estimate > 1 else
                                                      "; the interval includes no difference as it is."))
    return " ".join(said) or f"{measure['name']}: not shown."


def describe_time_zero(table):
    """Whether both groups are counted from a day on which both could have had outcomes."""
    def share(measure, level):
        return one(table, measure, level)

    if not (table["level"] == "comparison").any():
        return "There is one group only, so there is no time to be counted alike."
    said = []
    for level, who in (("scheme", "the scheme's people"), ("comparison", "comparison people")):
        without, early = share("without_start", level), share("scored_before_start", level)
        said += [f"{percent(without.estimate, without.n)} of {who} have no day on which they started, so their time cannot be counted from it"] if without is not None and without.estimate > 0 else []
        said += [f"{percent(early.estimate, early.n)} of {who} have a later score dated before they started"] if early is not None and early.estimate > 0 else []
    months = [share("months_to_follow_up", level) for level in ("scheme", "comparison")]
    if all(row is not None for row in months):
        said.append(f"the later score was taken after {number(months[0].estimate)} months in the scheme and {number(months[1].estimate)} in the comparison, on average")
    watched = [share("months_watched", level) for level in ("scheme", "comparison")]
    if all(row is not None for row in watched):
        said.append(f"use of services was watched for {number(watched[0].estimate)} months after the start in the scheme and {number(watched[1].estimate)} in the comparison")
    both = share("also_referred", "comparison")
    said += [f"{percent(both.estimate, both.n)} of the comparison people were referred as well and are left out"] if both is not None and both.estimate > 0 else []
    held = table[table["measure"].isin(["without_start", "scored_before_start"])]
    said += ["no dates of starting are held, so whether time was counted alike cannot be checked"] if len(held) and (held["n"] == 0).all() and not held["suppressed"].any() else []
    text = "; ".join(said)
    return f"{text[0].upper()}{text[1:]}." if said else "Nothing was found that counts time differently in the two groups."


def describe_no_comparison(table, instrument, measure, why, followed=None):
    """Where there is nobody to compare with: no evidence of an effect, the change, and what of it is to be expected anyway; `followed` is a released `people_compared`."""
    changed, expected, left = (one(table, f"{stem}_{instrument}") for stem in ("impact_paired_change", "impact_expected_change", "impact_change_beyond_expected"))
    text = f"There is no evidence of an effect: {why}."
    if changed is None:
        return text + " Too few people were measured twice to show a change."
    text += f" The people measured twice changed by {number(changed.estimate, True)} points on {measure['name']}{interval(changed, True)}"
    if expected is None:
        return text + "; how much of that would have come anyway, nobody knows."
    text += f"; of people who come at a bad time, about {number(expected.estimate, True)}{interval(expected, True)} is to be expected with no help at all"
    text += f", which leaves {number(left.estimate, True)}{interval(left, True)}." if left is not None else "."
    kept = one(followed, f"measured_again_{instrument}", "scheme") if followed is not None else None
    return text + (f" Only {percent(kept.estimate, kept.n)} were measured again, and those who were may have fared better." if kept is not None and kept.estimate < WELL_FOLLOWED else "")


def trial_rows(designs, outcome, instrument_name, months):
    """What a trial of the same question would have to say, and what stands here: (term, words) pairs.

    Parameters
    ----------
    designs : DataFrame
        As `cohort.impact_designs` gives it.
    outcome : str
        scores or use.
    instrument_name : str or None
    months : float or None
        The scheme's follow-up time.
    """
    row = designs.loc[outcome]
    by_lot = row["design"] in BY_LOT
    return [("Who could take part", "everybody drawn by lot, whether or not they came" if by_lot else "people referred in the period, and comparison people who were not referred themselves"),
            ("What is compared", f"being offered the scheme with not being offered it: {row['who_is_compared']}" if by_lot else f"being referred with not being referred: {row['who_is_compared']}"),
            ("Time zero", "the start given for each person" if by_lot else "the day of the first referral; for comparison people, their index date"),
            ("Follow-up", "to the last score of each person" if months is None else f"{round(months, 1):g} months after the start"),
            ("Outcome", instrument_name or ("use of services" if outcome == "use" else "none recorded")),
            ("What is estimated", row["estimand"] or "nothing"), ("What has to be true for that", row["assumptions"] or "nothing can be compared")]


def describe_design(designs, levels):
    """Which design answers, of what level, and why."""
    said = []
    for outcome, words in (("scores", "For scores"), ("use", "For use of services")):
        row = designs.loc[outcome]
        level = one(levels, f"maryland_level_{outcome}", row["design"])
        said.append(f"{words}: {row['name']}, because {row['why']}" + (f" (level {number(level.estimate)} of 5 on the Maryland scale of how far a design can show an effect"
                    + (")" if level.estimate >= EFFECT_FROM else "; below 3 nothing is called an effect)") if level is not None else ""))
    return ". ".join(said) + "."
