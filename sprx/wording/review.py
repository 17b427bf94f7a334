"""The living review in sentences; every number in them stands in a released row."""

import pandas as pd

from sprx.reference import facts
from sprx.wording.evidence import KINDS, SINGULAR, amount, chance, describe_pooled, outcome_words, studies_words
from sprx.wording.words import Answer, count, listed, number, one, percent

DESIGNS = {"rct": "drawn by lot", "nrct_controlled": "another comparison group", "before_after_uncontrolled": "one group, before and after", "review": "reviews of other studies",
           "economic": "economic models and returns", "qualitative": "what people say", "descriptive": "who is reached"}
DID = {"rct": "drew lots", "nrct_controlled": "compared with another group without drawing lots", "before_after_uncontrolled": "looked at one group before and after"}
STAGES = {"in_base": "in the base", "evaluation": "measured what became of people", "with_number": "with a result that could be read", "controlled": "compared with another group",
          "usable": "with a result that can be averaged", "averaged": "in an average of effects", "changes_usable": "one group: a change that can be averaged", "changes_averaged": "one group: in an average of changes"}
MEASURES = {"studies_in_base": "studies in the base", "evaluations": "evaluations (studies that measured what became of people)", "evaluations_compared": "evaluations that compared with another group",
            "studies_by_year": "studies published", "results_pointing": "results pointing to", "evaluations_with_results": "evaluations with a result that could be read",
            "evaluations_all_better": "evaluations with every result better", "evaluations_published": "evaluations published", "share_compared": "share that compared",
            "share_saying_who_took_part": "share that say how many took part, step by step", "median_people": "people, median", "median_follow_up": "longest follow-up, median", "flow": "",
            "risk_of_bias": "risk of bias", "evaluations_judged": "evaluations judged", "figures_printed": "figures printed", "studies_with_figures": "studies with figures", "map_cells": "cells of the map", "flow_without_number": "evaluations of which no number could be read", "published_return": "printed return for each 1 paid in", "published_cost_per_qaly": "printed cost of a QALY", "published_money": "printed figure",
            "asked_2015": "", "certainty": "certainty", "published_certainty": "certainty as published", "people_to_tell": "people in one further trial, to be clear", "people_to_rule_out": "people in one further trial that finds no difference, to show it is too little to matter", "finding_to_overturn": "finding that would overturn it",
            "studies_lacking": "further studies needed for an average", "people_for_one_trial": "people for one trial by itself", "studies_of_group": "evaluations about",
            "gap_compared": "evaluations with a comparison", "gap_by_lot": "evaluations by lot", "gap_other_comparison": "evaluations with a comparison not by lot", "gap_not_compared": "evaluations without a comparison", "pooled_estimate": "average", "prediction_interval": "where a further study would lie",
            "tau2": "variance between studies", "i2": "share of variance between studies", "studies_pooled": "studies in the average", "studies_not_pooled": "studies not in the average", "study_effect": "effect", "study_change": "change",
            "study_difference": "difference", "average_effect": "average of effects", "average_change": "average of changes", "average_difference": "average of differences", "further_effect": "where a further effect would lie",
            "further_change": "where a further change would lie", "direction_effect": "direction of the effect (1 better, −1 worse)", "direction_change": "direction of the change (1 better, −1 worse)",
            "direction_difference": "direction of the difference (1 better, −1 worse)"}
PERIODS = {"until": "up to the year the 2015 review searched", "after": "after it"}
ONLY_TOGETHER = "only with every study in it"       # as metrics.evidence.review_grade notes it
CERTAIN = {4: "high", 3: "moderate", 2: "low", 1: "very low"}
MARKS = {4: "●●●●", 3: "●●●○", 2: "●●○○", 1: "●○○○"}
NO_GROUP = "none_of_these"


def group_words(group):
    """A group of people in words."""
    names = dict(zip(facts("review/groups")["group"], facts("review/groups")["plain_name"]))
    return names.get(group, "people who fit none of these groups" if group == NO_GROUP else group.replace("_", " "))


def line_name(row):
    """What a row of the review says, in words: 'risk of bias, drawn by lot: not judged'."""
    stem = MEASURES.get(row.measure, row.measure.replace("_", " "))
    group, level = row.group, row.level
    if row.measure.startswith("gap_"):
        parts = [group_words(group), "no result that could be read" if level == "no_number" else outcome_words(level)]
    elif row.measure == "studies_of_group":
        parts = [group_words(group)]
    elif row.measure == "flow":
        parts = [STAGES[group], "" if level == "kept" else f"not: {level}"]
    elif row.measure.startswith("published_") and row.measure != "published_certainty":
        parts = [level]
    elif row.measure == "asked_2015":
        parts = [group.replace("_", " "), level.replace("_", " ")]
    else:
        known = DESIGNS | PERIODS | {"added_by": "added by", "where_read": "how it was read", "design": "", "all": ""}
        parts = [known.get(group, group if group in KINDS else outcome_words(group)), known.get(level, level if row.measure.startswith(("study", "result", "risk", "certain")) else outcome_words(level))]
    said = ": ".join(p for p in parts if p)
    return f"{stem}{', ' if stem and said else ''}{said}" or stem


# ---- the answer

def answer_review(counts, ways, pooled, certain):
    """The answer first: how much there is, where it points, and how certain that is.

    Parameters
    ----------
    counts, ways, pooled, certain : DataFrame
        Released base_counts, directions, pooled_effects and certainty.
    """
    total, tested, compared = (one(counts, m).estimate for m in ("studies_in_base", "evaluations", "evaluations_compared"))
    means = averages(pooled)
    clear = [r for r in means if "chance" not in chance(r)]
    shaky = set(certain.loc[certain["measure"].eq("certainty_imprecision") & certain["note"].str.contains(ONLY_TOGETHER), "group"])
    levels = {r.group: int(r.estimate) for r in certain[certain["measure"].eq("certainty")].itertuples()}
    best = max((levels.get(r.level, 1) for r in means), default=1)
    fake = one(counts, "studies_in_base", "you, SYNTHETIC", "added_by")
    text = "This base" if fake is None else f"With {studies_words(fake.estimate)} of SYNTHETIC data in it, which is no evidence, this base"
    text += f" holds {count(total)} studies; {count(tested)} of them measured what became of people, and {count(compared)} of those compared them with another group."
    pointing = [f"{_pointing(ways, kind)} {words}" for kind, words in (("controlled", "with a comparison"), ("uncontrolled", "without one")) if _pointing(ways, kind)]
    text += f" Of the results printed as numbers, {listed(pointing)} point to better." if pointing else " No result could be read."
    if not means:
        text += " No outcome has enough compared studies for an average."
    elif not clear:
        text += " In every average over compared studies, no difference at all is still possible."
    else:
        text += f" Averaged over compared studies, {listed(outcome_words(r.level) for r in clear)} {'differs' if len(clear) == 1 else 'differ'} beyond chance{', but for ' + listed(outcome_words(r.level) for r in clear if r.level in shaky) + ' only with every single study in it' if any(r.level in shaky for r in clear) else ''}{'; in the other averages no difference at all is still possible' if len(clear) < len(means) else ''}."
    abstracts = one(counts, "studies_in_base", "abstract", "where_read")
    why = f"by rule the certainty of these averages is at best {CERTAIN[best]}, and {count(abstracts.estimate if abstracts is not None else 0)} of {count(total)} studies were read as an abstract only"
    return Answer("evidence_review", text, best - 1 if means else 0, why)


def _pointing(ways, kind):
    """'17 of 18 results', or ''."""
    rows = ways[ways["measure"].eq("results_pointing") & ways["group"].eq(kind)]
    better, every = (rows.loc[rows["level"].eq(level), "estimate"].sum() for level in ("better", "all"))
    return f"{count(better)} of {count(every)}" if every else ""


def averages(pooled, kind="controlled"):
    """The rows of averages that were made, of one kind of study."""
    return list(pooled[pooled["measure"].eq("pooled_estimate") & pooled["group"].eq(kind) & pooled["estimate"].notna()].itertuples())


def known_words(pooled, certain):
    """What is known of each outcome that was compared, and how certain, as (term, words) pairs."""
    levels = {r.group: CERTAIN[int(r.estimate)] for r in certain[certain["measure"].eq("certainty")].itertuples()}
    pairs = []
    for row in pooled[pooled["measure"].eq("pooled_estimate") & pooled["group"].eq("controlled")].itertuples():
        if row.level not in levels:
            continue
        k = one(pooled, "studies_pooled", row.level, "controlled")
        said = (f"not averaged: {row.note}" if pd.isna(row.estimate) else
                f"{amount(row)} on average of {studies_words(k.estimate)}{chance(row)}")
        pairs.append((outcome_words(row.level), f"{said}. Certainty by rule: {levels[row.level]}."))
    return pairs


def describe_reading(counts):
    """How deep the studies were read."""
    rows = counts[counts["measure"].eq("studies_in_base") & counts["group"].eq("where_read")]
    words = {"full text": "in full", "abstract": "as an abstract only", "review table": "in a table or summary by others", "own analysis": "by those who made it", "not read": "not at all"}
    said = listed(f"{count(r.estimate)} {words.get(r.level, r.level)}" for r in rows.sort_values("estimate", ascending=False, kind="stable").itertuples())
    full = "" if rows["level"].eq("full text").any() else " No study was read in full."
    return f"How they were read: {said}.{full}"


def describe_additions(counts):
    """What was added to what sprx carries."""
    rows = counts[counts["measure"].eq("studies_in_base") & counts["group"].eq("added_by") & counts["level"].ne("sprx")]
    if rows.empty:
        return "Nothing was added to what sprx carries."
    said = listed(f"{studies_words(r.estimate)} by {r.level}" for r in rows.itertuples())
    fake = rows["level"].str.contains("SYNTHETIC").any()
    return f"Added to what sprx carries: {said}." + (" SYNTHETIC means made up by a computer: it changes the numbers here and is no evidence." if fake else "")


# ---- 2015 and since

ASKED = {"asked": "It asked", "searched": "It searched", "found": "It found", "criticised": "It criticised", "wanted": "It wanted", "not_read": "Not read"}


def asked_words(asked):
    """What the 2015 review asked, searched, found, criticised and wanted, as (term, words) pairs."""
    pairs = []
    for part, rows in asked.groupby("group", sort=False):
        said = [f"{number(r.estimate)} {r.note}" if pd.notna(r.estimate) else r.note for r in rows.itertuples()]
        pairs.append((ASKED.get(part, part.replace("_", " ")), "; ".join(said).replace("?;", "?") + "."))
    return pairs


def describe_periods(table, until):
    """The evaluations the 2015 review could have seen beside those that came after."""
    def of(measure, group):
        return one(table, measure, "all", group)
    old, new = (of("evaluations_published", g) for g in ("until", "after"))
    if not new.estimate or not old.estimate:
        return f"The base holds {count(old.estimate)} evaluations up to {until} and {count(new.estimate)} after: nothing to set side by side."
    parts = [f"Of the {count(old.estimate)} evaluations in the base up to {until}, {percent(of('share_compared', 'until').estimate)} compared with another group; of the {count(new.estimate)} after, {percent(of('share_compared', 'after').estimate)} did."]
    people = [of("median_people", g) for g in ("after", "until")]
    months = [of("median_follow_up", g) for g in ("after", "until")]
    if all(row is not None for row in people):
        parts.append(f"Half of the later ones that say it had {number(people[0].estimate)} people or more (earlier ones: {number(people[1].estimate)}).")
    if all(row is not None for row in months):
        parts.append(f"Half followed people for {number(months[0].estimate)} months or more (earlier ones: {number(months[1].estimate)}); {count(months[0].n_missing)} of {count(new.estimate)} do not say for how long.")
    told = [of("share_saying_who_took_part", g).estimate for g in ("after", "until")]
    return " ".join(parts) + f" How many people went from one step to the next is in the base for {percent(told[0])} of the later and {percent(told[1])} of the earlier ones."


def describe_new_designs(table):
    """Evaluations since the review, by design."""
    rows = table[table["measure"].eq("evaluations_published") & table["group"].eq("after") & table["level"].ne("all")]
    return "Of the evaluations since then, " + listed(f"{count(r.estimate)} {DID[r.level]}" for r in rows.itertuples()) + "."


# ---- flow, designs, bias

def describe_flow(table):
    """From the whole base to what an average rests on."""
    kept = {r.group: r.estimate for r in table[table["level"].eq("kept")].itertuples()}
    lost = one(table, "flow_without_number").estimate
    return (f"Of {count(kept['in_base'])} studies, {count(kept['evaluation'])} measured what became of people. A result could be read for {count(kept['with_number'])} of these; for {count(lost)} it could not, and those may well be the "
            f"ones that found little. {count(kept['controlled'])} have an effect against another group, and {count(kept['averaged'])} of them are in an average. Of those with one group only, {count(kept['changes_averaged'])} are in an average of "
            "changes. This is the flow of this base. It is no systematic search: what was never found is not counted.")


def alt_of_flow(table):
    """Alt text of the flow: every box."""
    said = []
    for stage, rows in table.groupby("group", sort=False):
        out = [f"{count(r.estimate)} {r.level}" for r in rows.itertuples() if r.level != "kept"]
        said.append(f"{count(rows.loc[rows['level'].eq('kept'), 'estimate'].iloc[0])} {STAGES[stage]}" + (f" (left out: {listed(out)})" if out else ""))
    return "Flow of the studies: " + "; ".join(said) + "."


def describe_designs_over_time(counts):
    """Which designs there are, and since when."""
    rows = counts[counts["measure"].eq("studies_by_year") & counts["group"].isin(["rct", "nrct_controlled", "before_after_uncontrolled"])]
    said = []
    for design, part in rows.groupby("group", sort=False):
        years = part.loc[part["level"].str.isdigit(), "level"].astype(int)
        total = one(counts, "studies_in_base", design, "design")
        said.append(f"{count(total.estimate)} {DID[design]}" + (f" ({years.min()} to {years.max()})" if len(years) else ""))
    unknown = rows.loc[~rows["level"].str.isdigit(), "estimate"].sum()
    return "Of the evaluations, " + listed(said) + "." + (f" {count(unknown)} give no year." if unknown else "")


def alt_of_designs(table):
    """Alt text of the designs over time."""
    said = [f"{DESIGNS[group]}: " + ", ".join(f"{count(r.estimate)} in {r.level}" if r.level.isdigit() else f"{count(r.estimate)} {r.level}" for r in rows.itertuples()) for group, rows in table.groupby("group", sort=False)]
    return "Studies by year of publication. " + "; ".join(said) + "."


def describe_risk_of_bias(table):
    """How much of the risk of bias was judged, and by how sure a source."""
    judged, silent, sure = one(table, "evaluations_judged"), one(table, "evaluations_judged", "not judged"), one(table, "evaluations_judged", "verified")
    rows = table[table["measure"].eq("evaluations_judged") & table["group"].eq("judgement") & ~table["level"].isin(["not judged", "verified"])]
    said = listed(f"{count(r.estimate)} {'where judgements differ' if r.level == 'judgements differ' else r.level}" for r in rows.itertuples())
    return (f"For {count(0 if silent is None else silent.estimate)} evaluations nobody's judgement is in the base, for {count(judged.estimate)} it is{': ' + said if said else ''}. {count(sure.estimate)} of these judgements were verified; in the others it is not "
            "certain that the reviewers meant this study. That a study was not judged does not make it a good one.")


def alt_of_bias(table):
    """Alt text of the risk of bias figure."""
    said = [f"{DESIGNS[group]}: " + ", ".join(f"{count(r.estimate)} {r.level}" for r in rows.itertuples()) for group, rows in table.groupby("group", sort=False)]
    return "Risk of bias as judged by others. " + "; ".join(said) + "."


# ---- synthesis

def averaged_outcomes(pooled):
    """The outcomes of which an average was made, of either kind of study, those with most people first."""
    made = pooled[pooled["measure"].eq("pooled_estimate") & pooled["estimate"].notna()]
    return list(dict.fromkeys(made.sort_values("n", ascending=False, kind="stable")["level"]))


def domain_words(pooled, outcomes):
    """What is found of each outcome of a domain, compared and not compared apart, as (term, words) pairs."""
    rows = pooled[pooled["measure"].eq("pooled_estimate") & pooled["level"].str.removesuffix(", ratio").isin(outcomes)]
    return [(f"{outcome_words(r.level)}, {SINGULAR[r.group]}{'s as a ratio' if r.level.endswith('ratio') else 's'}", describe_pooled(pooled, r.group, r.level)) for r in rows.itertuples()]


def describe_directions(ways):
    """Which way results point, with and without a comparison, and how many studies have none but good ones."""
    said = []
    for kind, words in (("controlled", "with a comparison"), ("uncontrolled", "without one")):
        have, better = one(ways, "evaluations_with_results", "all", kind), one(ways, "evaluations_all_better", "all", kind)
        if have is not None and have.estimate:
            said.append(f"{count(better.estimate)} of {count(have.estimate)} evaluations {words} have every result on the better side ({_pointing(ways, kind)} results)")
    return ("; ".join(said) + ". When nearly everything points one way whatever the design, that also fits with results that were never printed." if said else "No result could be read.")
