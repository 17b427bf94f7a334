"""What may be said of a difference: the verdict from its interval and what matters, and the sentence that the design can bear."""

import numpy as np
import pandas as pd

# how the sentence begins, by design (reference/designs.csv)
LEADS = {
    "randomised": "Against people drawn by lot not to be offered the scheme, those offered it",
    "cluster_randomised": "Against places drawn by lot not to have the scheme, people in places that were offered it",
    "matched": "Against people chosen to be like them, the people referred",
    "concurrent": "Against similar people of the same time who were not referred, the people referred",
    "historical": "Against similar people from before the scheme, the people referred",
    "adjusted": "Against people who were not referred, and of whom nobody knows how they began, the people referred"}
EFFECT_FROM = 3         # Maryland level from which a difference is called an effect
BY_LOT = 5              # level at which nothing but chance sets the groups apart

# what follows, by verdict: for a design that can show an effect, and for one that cannot
TAILS = {
    "better, matters": ("That is an effect {better}, and large enough to matter{threshold}.", "The difference is {better}."),
    "better, may matter": ("That is an effect {better}; whether it is large enough to matter{threshold} is not certain.", "The difference is {better}."),
    "better, too little": ("That is an effect {better}, but smaller than what matters{threshold}.", "The difference is {better}, but smaller than what matters{threshold}."),
    "better": ("That is an effect {better}; nobody has said how large an effect has to be to matter.", "The difference is {better}."),
    "worse, matters": ("That is an effect {worse}, and large enough to matter{threshold}.", "The difference is {worse}, and large enough to matter{threshold}."),
    "worse, may matter": ("That is an effect {worse}; whether it is large enough to matter{threshold} is not certain.", "The difference is {worse}."),
    "worse, too little": ("That is an effect {worse}, but smaller than what matters{threshold}.", "The difference is {worse}, but smaller than what matters{threshold}."),
    "worse": ("That is an effect {worse}; nobody has said how large an effect has to be to matter.", "The difference is {worse}."),
    "no important": ("There is no evidence of an effect, and the data speak against one large enough to matter{threshold}, {both}.",
                     "The interval includes no difference, and none large enough to matter{threshold}."),
    "no benefit": ("There is no evidence of an effect. The data speak against {benefit} large enough to matter{threshold}; {harm} that large is not ruled out.",
                   "The interval includes no difference, and speaks against {benefit} large enough to matter{threshold}."),
    "no harm": ("There is no evidence of an effect. The data do not rule out {benefit} large enough to matter{threshold}; they speak against {harm} that large.",
                "The interval includes no difference."),
    "cannot tell": ("There is no evidence of an effect, and too few data to rule one out that matters{threshold}, {both}: we cannot tell.",
                    "The interval includes no difference."),
    "no threshold": ("There is no evidence of an effect; nobody has said how large one has to be to matter, so none is ruled out.", "The interval includes no difference."),
    "higher": ("That is an effect; nobody has said whether higher is better.", "Nobody has said whether higher is better."),
    "lower": ("That is an effect; nobody has said whether lower is better.", "Nobody has said whether lower is better.")}
SCORES = dict(better="for the better", worse="for the worse", both="for better or for worse", benefit="a benefit", harm="harm")
USES = dict(better="towards less use", worse="towards more use", both="up or down", benefit="a fall", harm="a rise")
NO_EFFECT_SHOWN = " This comparison cannot show an effect."
IF_ALIKE = "This holds only if no difference that nobody recorded sets the two groups apart."
NOT_ANSWERED = "Whether the scheme makes a difference cannot be answered: {reason}."


def verdict(low, high, threshold, better):
    """What an interval of a difference says.

    Parameters
    ----------
    low, high : float
        Limits, scheme minus comparison (of a ratio: their logarithms).
    threshold : float or None
        The smallest difference that matters, above 0.
    better : int
        1 when higher is better, -1 when lower is, 0 when nobody has said.

    Returns
    -------
    str
        A key of TAILS, or 'not estimated'.
    """
    if pd.isna(low) or pd.isna(high):
        return "not estimated"
    if not better:
        return "higher" if low > 0 else "lower" if high < 0 else "no threshold"
    low, high = (low, high) if better > 0 else (-high, -low)
    known = threshold is not None and not pd.isna(threshold) and threshold > 0
    if low > 0 or high < 0:
        side, near, far = ("better", low, high) if low > 0 else ("worse", -high, -low)
        return side if not known else f"{side}, matters" if near >= threshold else f"{side}, too little" if far < threshold else f"{side}, may matter"
    if not known:
        return "no threshold"
    return {(True, True): "no important", (True, False): "no benefit", (False, True): "no harm", (False, False): "cannot tell"}[high < threshold, low > -threshold]


def verdict_tail(level, found, threshold="", words=SCORES):
    """What may be said after the numbers: of an effect from level 3 on, below it that none is shown.

    Parameters
    ----------
    level : float
        Maryland level.
    found : str
        A key of TAILS.
    threshold : str
        ' (3 points)', or empty.
    words : dict
        SCORES or USES.
    """
    effect, difference = (tail.format(threshold=threshold, **words) for tail in TAILS[found])
    return effect if level >= EFFECT_FROM else difference + NO_EFFECT_SHOWN


def verdict_sentence(design, level, result, found, threshold="", words=SCORES):
    """The sentence that design, level and verdict allow, with the numbers.

    Parameters
    ----------
    design : str
        A key of LEADS.
    level, found, threshold, words
        As for `verdict_tail`.
    result : str
        What was found, as a predicate: 'scored 1.9 points higher on SWEMWBS (…)'.
    """
    return f"{LEADS[design]} {result}. {verdict_tail(level, found, threshold, words)}"


def why_not(table, stem):
    """Why a table holds no estimate: the note of its first row of that name, or that people are too few."""
    rows = table[table["measure"].str.startswith(stem)]
    if rows.empty or rows["suppressed"].iloc[0]:
        return "too few people to show"
    return rows["note"].iloc[0].removeprefix("not estimated: ") or "nothing to compare"


def better_sign(measure):
    """1 when a higher score is better, -1 when a lower one is, 0 when nobody has said."""
    return {"yes": 1, "no": -1}.get(measure["higher_is_better"], 0)


def log_limits(row):
    """The logarithms of a ratio's limits; missing where they are."""
    return tuple(np.log(value) if value > 0 else np.nan for value in (row.conf_low, row.conf_high))
