"""Published studies and the scheme among them, in sentences: averages, refusals, what the scheme adds."""

import pandas as pd

from sprx.reference import facts
from sprx.wording.verdict import EFFECT_FROM
from sprx.wording.words import interval, level_of, listed, number, one, percent

OUTCOMES = {"mental_wellbeing": "mental wellbeing", "health_related_quality_of_life": "health-related quality of life", "loneliness_social": "loneliness and social contact", "gp_use": "use of the GP",
            "ae_use": "use of A&E", "admissions": "hospital admissions", "physical_activity": "physical activity", "physical_health": "physical health", "financial": "money worries"}
KINDS = {"controlled": "effects in studies with a comparison", "weak comparison": "differences in studies with a weak comparison", "uncontrolled": "changes in studies without a comparison"}
SINGULAR = {"controlled": "effect", "weak comparison": "difference", "uncontrolled": "change"}
BLOCKS = {"effect": "Compared (effects)", "difference": "Weakly compared", "change": "Before and after (changes)"}
SPREAD = "standard deviations"


def of_kind(measure):
    """Effect, difference or change: what a row of studies holds, from its measure (study_effect_…, average_change, direction_effect)."""
    return measure.split("_")[1]


def outcome_words(level):
    """An outcome in words."""
    name = level.removesuffix(", ratio")
    return OUTCOMES.get(name, name.replace("_", " "))


def studies_words(n):
    """'one study', '5 studies'."""
    return "one study" if n == 1 else f"{n:.0f} studies" if n else "no study"


def sds(value, sign=True):
    """A number of standard deviations, or a ratio, to two decimals: '+0.29', '−0.04'."""
    text = f"{value:{'+' if sign else ''}.2f}".replace("-", "−")
    return "0.00" if text.lstrip("+−") == "0.00" else text


def limits(row):
    """'(95% CI +0.14 to +0.48)'; '' where there are none."""
    sign = row.unit != "ratio"
    return "" if pd.isna(row.conf_low) else f" ({level_of(row)} CI {sds(row.conf_low, sign)} to {sds(row.conf_high, sign)})"


def amount(row):
    """'0.29 standard deviations better (95% CI …)' or '0.90 times as much (95% CI …)', as the unit of a row says."""
    if row.unit == "ratio":
        return f"{sds(row.estimate, False)} times as much{limits(row)}"
    size = sds(abs(row.estimate), False)
    return f"{size} {SPREAD}" + ("" if size == "0.00" else " better" if row.estimate > 0 else " worse") + limits(row)


def chance(row):
    """What an interval says: ', which could be chance', ', which is for the worse' (of what is turned so that above 0 is better) or ''."""
    none = 1 if row.unit == "ratio" else 0
    if row.conf_low <= none <= row.conf_high:
        return ", which could be chance"
    return ", which is for the worse" if row.unit != "ratio" and row.conf_high < none else ""


def sets_in(table, first=""):
    """The (kind, outcome) of a table of `against_evidence`: effects before changes, those with an average to set them against before others, then the outcome `first`."""
    rows = table[table["measure"].eq("other_studies")]
    keys = [(r.group != "controlled", r.group == "uncontrolled", r.estimate < 3, r.level.removesuffix(", ratio") != first, -r.estimate, r.level) for r in rows.itertuples()]
    return [(r.group, r.level) for _, r in sorted(zip(keys, rows.itertuples()), key=lambda pair: pair[0])]


def describe_place(table, kind, level):
    """Where the scheme's result lies among the others of one outcome: two or three sentences."""
    rows = table[table["group"].eq(kind) & table["level"].eq(level)]
    own, before, further, n = (one(rows, m, level) for m in ("own_estimate", "pooled_before", "prediction_before", "other_studies"))
    name, what = outcome_words(level), SINGULAR[kind]
    text = f"{name[0].upper()}{name[1:]}: this scheme's {what} is " + ("not known" if own is None else f"{amount(own)}{chance(own)}") + "."
    if before is None:
        reason = rows.loc[rows["measure"].eq("pooled_before"), "note"].iloc[0]
        return f"{text} There is no average to set it against: {reason}."
    text += f" {KINDS[kind][0].upper()}{KINDS[kind][1:]} ({studies_words(n.estimate)}) average {amount(before)}{chance(before)}."
    if own is None:
        return text
    sign = own.unit != "ratio"
    where = "inside" if further.conf_low <= own.estimate <= further.conf_high else "above" if own.estimate > further.conf_high else "below"
    wide = ". That is no praise: so wide a range holds help and harm alike" if where == "inside" and chance(further) else ""
    return f"{text} The scheme's result lies {where} the range in which a further study would be expected ({sds(further.conf_low, sign)} to {sds(further.conf_high, sign)}){wide}."


def describe_added(table, kind, level, brief=False):
    """What adding the scheme does to the average of one outcome; '' where there is none with it."""
    rows = table[table["group"].eq(kind) & table["level"].eq(level)]
    before, after, weight = (one(rows, m, level) for m in ("pooled_before", "pooled_with_scheme", "weight_of_scheme"))
    if after is None:
        return ""
    # with few studies the t limits narrow with each one added, even one that says nothing
    turned = " That it is now beyond chance comes partly from there being one study more, whatever that study found." if before is not None and "chance" in chance(before) and "chance" not in chance(after) else ""
    if brief:
        return f"With this scheme the average becomes {amount(after)}{chance(after)}.{turned}"
    was = f"moves from {amount(before)} to" if before is not None else "becomes possible for the first time:"
    return f"With this scheme the average {SINGULAR[kind]} in {outcome_words(level)} {was} {amount(after)}; the scheme has {percent(weight.estimate / 100) if weight.estimate >= 1 else 'less than 1%'} of the weight.{turned}"


def describe_shrunken(table):
    """The empirical Bayes estimate of each effect; a change is not drawn to other changes."""
    said = []
    for kind, level in sets_in(table):
        rows = table[table["group"].eq(kind) & table["level"].eq(level)]
        own, best = one(rows, "own_estimate", level), one(rows, "shrunken_estimate", level)
        if kind == "controlled" and best is not None:
            said.append(f"In {outcome_words(level)} the scheme's own {sds(own.estimate, own.unit != 'ratio')} becomes {sds(best.estimate, own.unit != 'ratio')}{limits(best)} when what similar studies found is taken into account.")
    return " ".join(said) or "No estimate is drawn to the others: that needs an effect of this scheme, and three published effects of the same outcome."


def describe_designs(pooled):
    """How much larger changes without a comparison look than effects with one, outcome by outcome; '' where no outcome has both averages."""
    means = pooled[pooled["measure"].eq("pooled_estimate") & pooled["estimate"].notna()].set_index(["level", "group"])
    said = []
    for level in dict.fromkeys(means.index.get_level_values(0)):
        if (level, "controlled") in means.index and (level, "uncontrolled") in means.index:
            with_, without = means.loc[(level, "controlled")], means.loc[(level, "uncontrolled")]
            said.append(f"In {outcome_words(level)}, studies without a comparison average a change of {amount(without)}, studies with one an effect of {amount(with_)}. "
                        "The people, programmes, measures and yardsticks differ too: changes are divided by the spread of changes, effects by that of people. Part of the gap is what would have happened anyway.")
    return " ".join(said)


def describe_pooled(pooled, kind, level):
    """One average: its size, how far studies differ, and what cannot be said; or why there is none."""
    rows = pooled[pooled["group"].eq(kind) & pooled["level"].eq(level)]
    mean, further, k = (one(rows, m, level) for m in ("pooled_estimate", "prediction_interval", "studies_pooled"))
    name = outcome_words(level)
    if mean is None:
        reason = rows.loc[rows["measure"].eq("pooled_estimate"), "note"].iloc[0]
        return f"{KINDS[kind][0].upper()}{KINDS[kind][1:]} on {name} are not averaged: {reason}."
    sign = mean.unit != "ratio"
    return (f"{KINDS[kind][0].upper()}{KINDS[kind][1:]} on {name} average {amount(mean)} over {studies_words(k.estimate)}{chance(mean)}. A further study would be expected "
            f"between {sds(further.conf_low, sign)} and {sds(further.conf_high, sign)}.")


def describe_robustness(table, kind, level):
    """Whether one study, or the method, makes the average; and whether small studies find more."""
    rows = table[table["group"].eq(f"{kind}: {level}")]
    without = rows[rows["measure"].eq("pooled_without")]
    if without.empty:
        return ""
    low, high, sign = without["estimate"].min(), without["estimate"].max(), without["unit"].iloc[0] != "ratio"
    ways = listed(f"{sds(r.estimate, sign)} ({r.level})" for r in rows[rows["measure"].eq("pooled_by_method")].itertuples())
    slope = rows[rows["measure"].eq("small_study_slope")].iloc[0]
    small = (f"Whether small studies find more cannot be told: {slope.note.split(':')[0]}" if pd.isna(slope.estimate) else
             f"Small studies find {'more' if slope.estimate > 0 else 'less'} than large ones, by {number(abs(slope.estimate))} a standard error{interval(slope, True)}")
    return f"Leaving out one study at a time, the average lies between {sds(low, sign)} and {sds(high, sign)}; by other methods it is {ways}. {small}."


def describe_record(record):
    """What the scheme's record holds, and how it is added to an evidence base."""
    n, shown = len(record["effects"]), sum(not e["suppressed"] for e in record["effects"])
    if not n:
        return "The record of this scheme (evidence_record.json) says who was reached and what was offered, but holds no result: no scores or service use at two times."
    strong = (record["maryland_level"] or 0) >= EFFECT_FROM
    kinds = {"between_group": "effects against the comparison" if strong else "differences from a weak comparison", "within_group_change": "changes without a comparison"}
    what = listed(dict.fromkeys(kinds[e["comparison"]] for e in record["effects"]))
    hidden = "" if shown == n else f", {n - shown} of them hidden because too few people are behind them"
    return (f"The record of this scheme (evidence_record.json) holds {n} results{hidden}: {what}. To add it to an evidence base: sprx evidence add evidence_record.json."
            + (" Its data are synthetic: it is no evidence, and is taken only to try things out." if record["synthetic"] else ""))


def component_words(activities, components):
    """What is known of each activity type the scheme offers, as (term, words) pairs; and of those the base says nothing of."""
    names = dict(zip(facts("activities")["activity_type"], facts("activities")["plain_name"]))
    pairs, silent = [], []
    for activity in activities:
        known = components[components["activity_types"].str.split("; ").map(lambda types: activity in types)]
        if known.empty:
            silent.append(names.get(activity, activity).lower())
        for r in known.itertuples():
            said = f"; {r.effect_statement}" if r.effect_statement else ""
            pairs.append((names.get(activity, activity), f"{r.component[0].upper()}{r.component[1:]}, {r.outcome}: {r.evidence_strength}{said}. Source: {r.named_review_or_guidance}."))
    if silent:
        pairs.append(("Nothing in the base", f"{listed(silent)}."))
    return pairs


def alt_of_forest(table):
    """Alt text of a forest plot: every number that it shows."""
    said = []
    for r in table.itertuples():
        name = {"average": "average " + of_kind(r.measure), "further": "a further study", "study": r.level}[r.measure.split("_")[0]]
        said.append(f"{name} {'no number' if pd.isna(r.estimate) else sds(r.estimate, r.unit != 'ratio')}{limits(r)}")
    return f"{table['unit'].iloc[0]}: " + "; ".join(said) + "."


def alt_of_funnel(table):
    """Alt text of a funnel plot."""
    shown = table[table["std_error"].notna() & table["measure"].str.startswith("study_")].sort_values("std_error")
    return "Results from the largest study to the smallest: " + "; ".join(f"{r.level} {number(r.estimate)} (standard error {number(r.std_error)})" for r in shown.itertuples()) + "."


def alt_of_directions(table):
    """Alt text of an effect-direction plot: how many studies point which way."""
    said = []
    for (group, measure), rows in table.groupby(["group", "measure"], sort=False):
        ways = [f"{n} {word}" for value, word in ((1, "better"), (0, "no difference"), (-1, "worse")) if (n := int(rows["estimate"].eq(value).sum()))]
        ways += [f"{n} mixed or hidden"] if (n := int(rows["estimate"].isna().sum())) else []
        said.append(f"{outcome_words(group)}, {of_kind(measure)}s: {', '.join(ways)}")
    return "Which way each study points. " + "; ".join(said) + "."


def funnel_rows(table, kind):
    """The rows of `forest_rows` of one kind of study."""
    return table[table["measure"].map(of_kind).eq(SINGULAR[kind])]


def caption_of_forest(table):
    """What a forest plot shows and how to read it."""
    name = outcome_words(table["group"][table["measure"].str.startswith("average_")].iloc[0])
    own = table["level"].eq("this scheme").any()
    return (f"{name[0].upper()}{name[1:]}: each published study{' and this scheme (blue)' if own else ''}, with its interval. Diamonds are averages, thin lines say where a further study would be expected. Hollow: not in the "
            "average. Studies with and without a comparison are kept apart.")
