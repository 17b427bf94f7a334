"""What the lessons on evidence review need besides the evidence base: a sample scheme's released results, and what a one-page summary must say."""

import re

import pandas as pd

from sprx.reference import facts

SCHEMES = ("harbour", "moorside")
NUMBERS = ["n", "n_missing", "estimate", "std_error", "conf_low", "conf_high", "conf_level"]
PARTS = ("question", "compared", "result", "certainty", "cost", "cannot_conclude", "recommendation")
LONGEST = 350                       # words on one page
NOT_SAID = r"(?<!\bnot )\b(prov(e|es|ed|en)|impressive\w*|undoubtedly|clearly works|(?<!cost[- ])effective\w*)\b|\bsignifican\w*"
CANNOT = r"\b(cannot|can not|can['’]t)\b"
CAUSE = r"\b(effects?|because of|due to|thanks to|caused|led to|result of)\b"
DENIED = r"\b(not|nor|no|part of|partly|cannot)\b"
CONDITION = r"\b(if|until|unless|while|when|once|provided|as long as|before|condition\w*|subject to|depend\w*)\b"


def lesson_results(scheme_id):
    """Released results of a synthetic sample scheme, cut to what the lessons use; numbers as numbers.

    Parameters
    ----------
    scheme_id : str
        'harbour' (400 made-up people and a comparison group) or 'moorside' (350 made-up people, no comparison group).

    Returns
    -------
    DataFrame
        Rows of a report's results.csv: measure, group, level, n, n_missing, estimate, std_error, conf_low, conf_high, conf_level, unit, method, note.

    Raises
    ------
    ValueError
        If there is no such scheme.
    """
    if scheme_id not in SCHEMES:
        raise ValueError(f"No lesson uses a scheme {scheme_id!r}. There are: {', '.join(SCHEMES)}.")
    table = facts(f"teaching/{scheme_id}_results")
    return table.assign(**{c: pd.to_numeric(table[c]) for c in NUMBERS}, suppressed=table["suppressed"].eq("True"))


def one_page_gap(page, results):
    """The first thing that a one-page summary of a scheme lacks or gets wrong, in words; '' where nothing does.

    It looks for words and numbers, and cannot judge whether the summary is a good one.

    Parameters
    ----------
    page : dict of str to str
        question, compared, result, certainty, cost, cannot_conclude and recommendation.
    results : DataFrame
        As `lesson_results` gives it, of a scheme with a comparison group.
    """
    if not isinstance(page, dict) or [p for p in PARTS if len(str(page.get(p, "")).split()) < 4]:
        missing = [p for p in PARTS if not isinstance(page, dict) or len(str(page.get(p, "")).split()) < 4]
        return f"Write a dict with a sentence for each of: {', '.join(missing)}."
    whole = " ".join(str(page[p]) for p in PARTS)
    return next((gap for gap, met in _demands(page, whole, results) if not met), "")


def _demands(page, whole, results):
    """(What is wrong, whether the page is free of it), in the order in which a reader would ask."""
    def row(measure, level="all"):
        return results[(results["measure"] == measure) & (results["level"] == level)].iloc[0]

    effect, change = row("effect_swemwbs"), row("paired_change_swemwbs", "scheme")
    design, cost = results[results["measure"] == "maryland_level_scores"].iloc[0], row("cost_per_person", "referred")
    return [
        (f"Too long for one page: {len(whole.split())} words, at most {LONGEST}.", len(whole.split()) <= LONGEST),
        ("Say that the data are synthetic: no reader may take this scheme for a real one.", "synthetic" in whole.casefold()),
        ("The question should be a question, and end with a question mark.", "?" in page["question"]),
        ("Under 'compared', name the comparison group.", "comparison" in page["compared"].casefold()),
        ("Under 'compared', give the Maryland level of the design.", bool(re.search(rf"(maryland|level)\D{{0,20}}{design.estimate:.0f}\b", page["compared"], re.I))),
        ("The result needs the estimated effect and both ends of its interval, to one decimal.", all(_holds(page["result"], v) for v in (effect.estimate, effect.conf_low, effect.conf_high))),
        ("Say what kind of interval it is: 95% CI, or 95% interval.", bool(re.search(r"95\s?(%|per cent)", page["result"]))),
        ("A sentence with the change of the scheme's own people also calls it an effect, or gives it a cause. Say what the change is, and that it is not an effect.",
         not any(_holds(s, change.estimate) and re.search(CAUSE, s, re.I) and not re.search(DENIED, s, re.I) for s in _sentences(whole))),
        ("Say in one word how certain we are (high, moderate, low or very low), and why. A comparison without a draw starts at low.",
         bool(re.search(r"\blow\b", page["certainty"], re.I)) and not re.search(r"\b(high|moderate) certainty|certainty (is|:) (high|moderate)", page["certainty"], re.I)),
        ("The certainty needs its reason: because of what?", bool(re.search(r"\bbecause\b|\bsince\b|\bas the\b|\bdue to\b|low\s*[:;(]", page["certainty"], re.I))),
        ("The cost needs pounds (£) and the cost a person referred.", "£" in page["cost"] and _holds(page["cost"], cost.estimate, 0)),
        ("Under 'cannot_conclude', say what we cannot tell: use the word 'cannot'.", bool(re.search(CANNOT, page["cannot_conclude"], re.I))),
        ("A recommendation from evidence like this is conditional: on what? Use if, until, provided or the like.", bool(re.search(CONDITION, page["recommendation"], re.I))),
        (f"A word says more than the data do: {', '.join(m[0] for m in re.finditer(NOT_SAID, whole, re.I))}.", not re.search(NOT_SAID, whole, re.I)),
    ]


def _holds(text, value, decimals=1):
    """Whether a text holds a number, rounded to at least so many decimals; the sign may be left out."""
    return any(abs(abs(float(found)) - abs(round(value, max(decimals, len(found.partition(".")[2]))))) < 1e-9 for found in re.findall(r"\d+(?:\.\d+)?", text) if len(found.partition(".")[2]) >= decimals)


def _sentences(text):
    return re.split(r"(?<=[.!?])\s+", text)
