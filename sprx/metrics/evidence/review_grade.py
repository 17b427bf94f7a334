"""How certain the evidence on an outcome is, by stated rules after GRADE: a proposal that people have to confirm."""

import pandas as pd

from sprx.metrics.evidence.comparable import RATIO, SETS, why_not_pooled
from sprx.metrics.evidence.pooling import TO_TELL_BIAS, set_name
from sprx.metrics.evidence.review import results_of_evaluations, traced
from sprx.reference import facts

HIGH, MODERATE, LOW, VERY_LOW = 4, 3, 2, 1
CERTAINTY = {HIGH: "high", MODERATE: "moderate", LOW: "low", VERY_LOW: "very low"}
ONLY_TOGETHER = "only with every study in it"       # how a note says that an average rests on each single study
STEPS = ["start", "risk_of_bias", "inconsistency", "indirectness", "imprecision", "publication_bias"]
ENOUGH_PEOPLE = 400         # for a mean: Guyatt et al (2011) J Clin Epidemiol 64:1283, optimal information size
MUCH_BETWEEN = 50           # per cent of the variance between studies: Guyatt et al (2011) J Clin Epidemiol 64:1294
GRADE_RULES = [
    ("Starts", "high where at least half of the studies drew lots, else low"),
    ("Risk of bias", "one step down where less than half of the studies were judged low by somebody (a study that nobody judged counts as not low); two where half or more were judged high"),
    ("Inconsistency", f"one step down where more than {MUCH_BETWEEN}% of the variance lies between studies, or where studies that are not averaged point different ways; a single study is not judged"),
    ("Indirectness", "one step down where fewer than half of the studies are of a link worker or the like, and one where fewer than half of those whose country is said are from the UK"),
    ("Imprecision", f"one step down where there is no average or its interval holds no difference, with every study or with any one left out, and one where fewer than {ENOUGH_PEOPLE} people are known of"),
    ("Publication bias", f"not judged with fewer than {TO_TELL_BIAS} studies: nobody can tell")]


def certainty(comparable, studies, appraisal, pooled):
    """Certainty of each outcome that was compared, step by step with reasons.

    Parameters
    ----------
    comparable : DataFrame
        As `comparable_effects` gives it.
    studies, appraisal : DataFrame
        As `read_review` gives them.
    pooled : DataFrame
        As `pooled_effects` gives it.

    Returns
    -------
    DataFrame
        Result layout and `rows`; group = outcome: certainty_<step> (start = 4 or 2, the others steps up or down, 0 or less; note = why) and certainty (1 very low to 4 high; n = people known of).

    References
    ----------
    Guyatt et al (2011) J Clin Epidemiol 64:383; the thresholds are in GRADE_RULES and ours where no paper is named.
    """
    own = results_of_evaluations(comparable)
    own = own[own["kind"].eq("controlled") & own["direction"].ne("") & own["outcome"].ne("cost")]
    judged = appraisal[appraisal["study_id"].isin(own["study_id"])]
    country, found = studies.set_index("study_id")["country"], []
    for _, rows in own.groupby(SETS, sort=False):
        used = rows[rows["why_not"].eq("")]
        rows = used if len(used) else rows
        name = set_name(rows["outcome"].iloc[0], rows["scale"].iloc[0])
        average = pooled[pooled["group"].eq("controlled") & pooled["level"].eq(name)].set_index("measure")
        steps = dict(start=_start(rows), risk_of_bias=_bias(rows, judged), inconsistency=_inconsistency(rows, average), indirectness=_indirect(rows, country),
                     imprecision=_imprecise(rows, average), publication_bias=_published(rows))
        about = dict(group=name, level="all", n=rows["n"].sum(), n_missing=rows["n"].isna().sum(), unit="steps", method="by rule, to be confirmed by people", rows="; ".join(rows["rows"]))
        found += [about | dict(measure=f"certainty_{step}", estimate=down, note=why) for step, (down, why) in steps.items()]
        total = min(HIGH, max(VERY_LOW, sum(down for down, _ in steps.values())))
        found.append(about | dict(measure="certainty", estimate=total, unit="of 4", note=CERTAINTY[total]))
    return traced(found)


def _start(rows):
    lots = rows["design"].eq("rct").sum()
    return (HIGH if 2 * lots >= len(rows) else LOW), f"{lots} of {len(rows)} drew lots"


def _bias(rows, judged):
    """Judgements by anybody; where they differ, none counts as low."""
    said = [set(judged.loc[judged["study_id"].eq(s), "judgement"]) for s in rows["study_id"]]
    low, high, silent = sum(j == {"low"} for j in said), sum("high" in j for j in said), sum(not j for j in said)
    words = f"{low} of {len(rows)} judged low, {high} judged high by somebody, {silent} not judged"
    return (-2 if 2 * high >= len(rows) else -1 if 2 * low < len(rows) else 0), words


def _inconsistency(rows, average):
    if len(rows) == 1:
        return 0, "one study: not judged"
    i2 = average["estimate"].get("i2")
    if i2 is not None and pd.notna(i2):
        return (-1 if i2 > MUCH_BETWEEN else 0), f"{i2:.0f}% of the variance lies between studies"
    ways = rows["direction"].nunique()
    return (-1 if ways > 1 else 0), "studies point different ways" if ways > 1 else "studies point the same way; not averaged"


def _indirect(rows, country):
    linked, places = rows["link_worker"].eq("yes").sum(), country.loc[rows["study_id"]]
    here, said = places.str.startswith("UK").sum(), places.ne("").sum()         # a scheme's record names an area and no country
    return -int(2 * linked < len(rows)) - int(2 * here < said), f"{linked} of {len(rows)} of a link worker or the like, {here} of {said} from the UK"


def _imprecise(rows, average):
    limits = average.loc["pooled_estimate"] if "pooled_estimate" in average.index else None
    if limits is not None and pd.notna(limits["estimate"]):
        none = 1.0 if rows["scale"].iloc[0] == RATIO else 0.0
        wide, words = limits["conf_low"] <= none <= limits["conf_high"], "the average's interval"
    else:
        wide, words = True, "no average"
    few = not rows["n"].sum() >= ENOUGH_PEOPLE
    said = words if words == "no average" else f"{words} {'holds' if wide else 'leaves out'} no difference"
    if not wide and _rests_on_one(rows, limits["conf_level"]):
        wide, said = True, f"{said} {ONLY_TOGETHER}"
    size = "how many people is not known" if rows["n"].isna().all() else f"{rows['n'].sum():,.0f} people known of"
    return -int(wide) - int(few), f"{said}; {size}"


def _rests_on_one(rows, conf_level):
    """Whether leaving out some one study lets the interval hold no difference: with few studies even one that says nothing narrows it."""
    from sprx.stats.synthesis import leave_one_out

    without = leave_one_out(rows["effect"], rows["effect_error"] ** 2, knapp_hartung="ad hoc", conf_level=conf_level)
    return bool(((without["conf_low"] <= 0) & (without["conf_high"] >= 0)).any())


def _published(rows):
    return 0, f"not judged: {len(rows)} {'study' if len(rows) == 1 else 'studies'}" if len(rows) < TO_TELL_BIAS else "to be judged by people, from the funnel"


def published_certainty(components):
    """What a published review of link workers graded, beside ours.

    Parameters
    ----------
    components : DataFrame
        As `read_review` gives it.

    Returns
    -------
    DataFrame
        Result layout and `rows`; measure published_certainty, group = outcome of ours that comes nearest (or its own name), level = the review; estimate 1 very low to 4 high, note = what it found in our words.
    """
    near = {o.published_outcome: o.outcome for o in facts("review/outcomes").itertuples() if o.published_outcome}
    scale, found = {word: value for value, word in CERTAINTY.items()}, []
    graded = components[components["named_review_or_guidance"].str.contains("GRADE", regex=False) & components["evidence_strength"].isin(list(scale))]
    for r in graded.itertuples():
        found.append(dict(measure="published_certainty", group=near.get(r.outcome, r.outcome.replace(" ", "_").replace("-", "_")), level=r.named_review_or_guidance, estimate=scale[r.evidence_strength],
                          unit="of 4", method="as published", note=f"{r.evidence_strength}: {r.effect_statement}", rows=f"{r.file}, {r.where}"))
    return traced(found)
