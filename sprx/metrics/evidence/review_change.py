"""What would change our mind: how large a further study would have to be, and what it would have to find."""

import math

import numpy as np
from scipy.stats import norm

from sprx.metrics.evidence.comparable import LEAST, RATIO, SETS, pool, why_not_pooled
from sprx.metrics.evidence.pooling import UNIT, set_name
from sprx.metrics.evidence.review import results_of_evaluations, traced
from sprx.stats.synthesis import synthesise

SIZES = [figures * 10 ** zeros for zeros in range(4) for figures in range(10, 100, 5)] + [100_000]     # people in a trial: from 10 to 100,000, two figures
POWER = 0.8


def what_would_change(comparable, matters, conf_level=0.95):
    """For each outcome that was compared: the further trial that would move what we think.

    The average is made again, in the same way, with one more trial in two groups alike in size. Where its interval holds no difference: the fewest people in that trial from whom on it
    would leave it out, if the trial found the average again, or a difference that matters. Where it leaves it out: what a trial of as many people as all so far would have to find for the
    interval to hold it again.

    Parameters
    ----------
    comparable : DataFrame
        As `comparable_effects` gives it.
    matters : float
        The smallest difference that matters, in standard deviations.

    Returns
    -------
    DataFrame
        Result layout and `rows`; group = outcome: people_to_tell (level = the average again, a difference that matters; empty: no single trial could), finding_to_overturn (in standard deviations),
        people_to_rule_out (in a trial that finds no difference, for the whole interval to lie below what matters), studies_lacking (how many more it takes to average at all), people_for_one_trial (to find what matters with 80% power, with nothing else known).
    """
    every = results_of_evaluations(comparable)
    every = every[every["outcome"].ne("cost") & every["direction"].ne("")]
    own = every[every["kind"].eq("controlled") & every["scale"].ne(RATIO)]
    found, never = [], [dict(measure="studies_lacking", group=outcome, level="all", n=rows["n"].sum(), n_missing=0, estimate=LEAST, unit="studies", note="no result with a comparison could be read", method=f"an average takes {LEAST}",
                  rows="; ".join(rows["rows"])) for outcome, rows in every.groupby("outcome") if outcome not in set(own["outcome"])]
    for _, rows in own.groupby(SETS, sort=False):
        used = rows[rows["why_not"].eq("")]
        about = dict(group=set_name(rows["outcome"].iloc[0], rows["scale"].iloc[0]), level="all", n=used["n"].sum(), n_missing=0, conf_level=conf_level, rows="; ".join(rows["rows"]))
        alone = 4 * ((norm.ppf((1 + conf_level) / 2) + norm.ppf(POWER)) / matters) ** 2
        found.append(about | dict(measure="people_for_one_trial", estimate=_up(alone), unit="people", method=f"two groups alike in size, power {POWER:.0%}, a difference of {matters:g} standard deviations"))
        if why_not_pooled(rows):
            found.append(about | dict(measure="studies_lacking", estimate=max(LEAST - len(used), 0), unit="studies", note=why_not_pooled(rows), method=f"an average takes {LEAST}"))
        else:
            found += _of_average(used, matters, about)
    return traced([*found, *never])


def _of_average(used, matters, about):
    """Rows for an average: what would make it clear, or overturn it."""
    fit, level = pool(used, about["conf_level"]), about["conf_level"]
    mean, people = fit.coef[0], max(float(used["n"].sum()), 4)
    little = [about | dict(measure="people_to_rule_out", unit="people", method="the average made again with one more trial that finds no difference",
                           **_enough(lambda size: -matters < _with_trial(used, 0.0, size, level)[0] and _with_trial(used, 0.0, size, level)[1] < matters))]
    if fit.conf_low[0] <= 0 <= fit.conf_high[0]:
        return little + [about | dict(measure="people_to_tell", level=name, unit="people", method="the average made again with one more trial",
                             **_enough(lambda size, effect=effect: _leaves_out(used, effect, size, level))) for name, effect in (("the average again", mean), ("a difference that matters", math.copysign(matters, mean)))]
    step, turned = math.copysign(0.01, mean), mean
    while _leaves_out(used, turned, people, level) and abs(turned - mean) < 5:
        turned -= step
    return little + [about | dict(measure="finding_to_overturn", estimate=round(turned, 2), unit=UNIT, method=f"the average made again with one more trial of {people:,.0f} people")]


def _enough(is_clear):
    """The fewest people (two figures) from whom on a trial makes it clear."""
    clear = [is_clear(people) for people in SIZES]
    if not clear[-1]:
        return dict(note="no single trial, however large: the studies differ too much")
    return dict(estimate=SIZES[len(clear) - clear[::-1].index(False)] if False in clear else SIZES[0])


def _leaves_out(used, effect, people, conf_level):
    """Whether the average with one more trial has an interval without 0."""
    low, high = _with_trial(used, effect, people, conf_level)
    return not low <= 0 <= high


def _with_trial(used, effect, people, conf_level):
    """The interval of the average with one more trial."""
    y = np.append(used["effect"], effect)
    v = np.append(used["effect_error"] ** 2, 4 / people * (1 + effect ** 2 / 8))
    fit = synthesise(y, v, knapp_hartung="ad hoc", conf_level=conf_level)
    return fit.conf_low[0], fit.conf_high[0]


def _up(people):
    """Two figures, upwards: no more is known of a trial to come."""
    step = 10 ** max(math.floor(math.log10(people)) - 1, 0)
    return math.ceil(people / step - 1e-9) * step
