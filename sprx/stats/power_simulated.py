"""The same plans, played through thousands of times: how often the effect is found, and how often a scheme that does nothing looks like a success.

Drawn with a seed, thousands of studies at a time.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.stats import beta, norm
from scipy.stats import t as student

from sprx.errors import DataError

AT_ONCE = 2_000_000         # numbers held in memory at a time
ALONG = 0.3                 # SDs of outcome that go with one SD of what sets the arms apart (matched, concurrent); the analysis takes it into account


@dataclass(frozen=True)
class Found:
    """How many of the simulated studies found the effect, with the Monte Carlo interval of that share (Clopper and Pearson)."""

    share: float
    low: float
    high: float
    trials: int


def simulated_power(study, people, trials=2000, seed=1, progress=None):
    """How often so many people find the planned effect, by playing the study through.

    Parameters
    ----------
    study : ScoreStudy, CountStudy or ShareStudy
        As in `sprx.stats.power`.
    people : float
        In the scheme's arm, before anybody is lost.
    trials, seed : int
    progress : function of (done, trials), optional
        Told after each part.

    Returns
    -------
    Found

    Raises
    ------
    DataError
        If too few people would be measured to test anything.
    """
    measured = int(round(people * study.follow_up))
    if measured < 3 or trials < 1:
        raise DataError(f"A simulation needs at least 3 people measured in each arm and 1 trial; found {measured} and {trials}.")
    draw = {"CountStudy": _counts, "ShareStudy": _shares}.get(type(study).__name__) or {"before_after": _paired, "cluster_randomised": _clusters}.get(study.design, _two_arms)
    rng, found, done = np.random.default_rng(seed), 0, 0
    size = max(1, min(trials, int(AT_ONCE / (measured * (1 + getattr(study, "ratio", 1)) * 4))))
    while done < trials:
        now = min(size, trials - done)
        found += int(draw(study, people, measured, now, rng).sum())
        done += now
        if progress is not None:
            progress(done, trials)
    return found_share(found, trials)


def found_share(found, trials, conf_level=0.95):
    """A share of simulated studies with its exact interval."""
    low = beta.ppf((1 - conf_level) / 2, found, trials - found + 1) if found else 0.0
    high = beta.ppf((1 + conf_level) / 2, found + 1, trials - found) if found < trials else 1.0
    return Found(found / trials, float(low), float(high), trials)


def _beyond(statistic, df, conf_level):
    limit = norm.ppf((1 + conf_level) / 2) if df is None else student.ppf((1 + conf_level) / 2, df)
    return np.abs(statistic) > limit


def _arm(n, ratio):
    return np.repeat([1.0, 0.0], [n, max(2, int(round(n * ratio)))])


def _paired(study, people, n, trials, rng):
    change = study.natural + abs(study.effect) + rng.standard_normal((trials, n)) * study.sd * (2 * (1 - study.correlation)) ** 0.5     # towards better
    mean, error = change.mean(axis=1), change.std(axis=1, ddof=1) / n ** 0.5
    limit = student.ppf((1 + study.conf_level) / 2, n - 1)
    return ((mean - study.natural - study.unsure) / error > limit) | ((mean - study.natural + study.unsure) / error < -limit)     # better than the most, or worse than the least that may come anyway


def _two_arms(study, people, n, trials, rng):
    """Least squares of the later score on the arm, the first score and, where people were not drawn, what sets the arms apart."""
    arm = _arm(n, study.ratio)
    first = rng.standard_normal((trials, len(arm)))
    later = study.effect / study.sd * arm + study.correlation * first + (1 - study.correlation ** 2) ** 0.5 * rng.standard_normal(first.shape)
    covariates = [first]
    if study.design != "randomised" and study.entangled:
        centred = arm - arm.mean()
        apart = (study.entangled / (1 - study.entangled) / (centred ** 2).mean()) ** 0.5
        other = centred * apart + rng.standard_normal(first.shape)
        later = later + ALONG * other
        covariates.append(other)
    return _beyond(_arm_t(arm, covariates, later), len(arm) - 2 - len(covariates), study.conf_level)


def _arm_t(arm, covariates, y):
    """The t statistic of the arm in each of many least squares fits: what the covariates explain is taken out first (Frisch and Waugh)."""
    def centre(x):
        return x - x.mean(axis=-1, keepdims=True)

    columns, target, y = [], np.broadcast_to(centre(arm), y.shape), centre(y)
    for x in covariates:
        x = centre(x)
        for done in columns:
            x = x - (x * done).sum(axis=1, keepdims=True) * done
        columns.append(x / np.sqrt((x ** 2).sum(axis=1, keepdims=True)))
    for done in columns:
        target = target - (target * done).sum(axis=1, keepdims=True) * done
        y = y - (y * done).sum(axis=1, keepdims=True) * done
    size = (target ** 2).sum(axis=1)
    slope = (target * y).sum(axis=1) / size
    left = ((y - slope[:, None] * target) ** 2).sum(axis=1) / (y.shape[1] - 2 - len(covariates))
    return slope / np.sqrt(left / size)


def _clusters(study, people, n, trials, rng):
    """Places of unequal size; means of the arms weighted by size, with the spread between places."""
    means = []
    for places, effect in ((max(2, int(round(people / study.cluster_size))), study.effect), (max(2, int(round(people * study.ratio / study.cluster_size))), 0.0)):
        size = study.cluster_size * study.follow_up * np.ones((trials, places))
        if study.cluster_cv:
            size = rng.gamma(1 / study.cluster_cv ** 2, study.cluster_cv ** 2, (trials, places)) * study.cluster_size * study.follow_up
        size = np.maximum(size.round(), 1) if study.cluster_cv else size
        left = study.sd * (1 - study.correlation ** 2) ** 0.5
        mean = effect + left * (rng.standard_normal(size.shape) * study.icc ** 0.5 + rng.standard_normal(size.shape) * ((1 - study.icc) / size) ** 0.5)
        total = size.sum(axis=1)
        middle = (size * mean).sum(axis=1) / total
        spread = (size ** 2 * (mean - middle[:, None]) ** 2).sum(axis=1) / total ** 2 * places / (places - 1)
        means.append((middle, spread, places))
    (one, one_spread, k), (two, two_spread, j) = means
    return _beyond((one - two) / np.sqrt(one_spread + two_spread), k + j - 2, study.conf_level)


def _counts(study, people, n, trials, rng):
    """Counts whose person's own rates are gamma, before and after with a part in common; the log of the ratio of ratios with its sandwich error."""
    logs, spreads = [], []
    for size, ratio in ((n, study.effect), (max(2, int(round(n * study.ratio))), 1.0)):
        before, after = _own_rates(study, (trials, size), rng)
        counted = rng.poisson(after * study.rate * study.months_after * ratio)
        mean = np.maximum(counted.mean(axis=1), 1e-9)
        part, log = counted / mean[:, None], np.log(mean)
        if study.months_before:
            earlier = rng.poisson(before * study.rate * study.months_before)
            first = np.maximum(earlier.mean(axis=1), 1e-9)
            part, log = part - earlier / first[:, None], log - np.log(first)
        logs.append(log)
        spreads.append(part.var(axis=1, ddof=1) / size)
    return _beyond((logs[0] - logs[1]) / np.sqrt(spreads[0] + spreads[1]), None, study.conf_level)


def _own_rates(study, shape, rng):
    """People's own rates before and after, of mean 1, the wanted spread and correlation: gamma with a gamma part in common."""
    if not study.dispersion:
        return np.ones(shape), np.ones(shape)
    whole, common = 1 / study.dispersion, study.correlation / study.dispersion
    shared = rng.gamma(common, 1, shape) if common else 0.0
    return tuple((shared + (rng.gamma(whole - common, 1, shape) if whole > common else 0.0)) * study.dispersion for _ in range(2))


def _shares(study, people, n, trials, rng):
    other = max(2, int(round(n * study.ratio)))
    one, two = rng.binomial(n, study.share + study.effect, trials) / n, rng.binomial(other, study.share, trials) / other
    return _beyond((2 * np.arcsin(np.sqrt(one)) - 2 * np.arcsin(np.sqrt(two))) / (1 / n + 1 / other) ** 0.5, None, study.conf_level)


# ---- a scheme that does nothing

def cutoff_for(below):
    """The cut-off, in SDs from the mean of people in general, below which people begin `below` SDs under that mean on average."""
    if not 1e-6 < below < 6:
        raise DataError(f"How far below the general mean people start lies between 0 and 6 SDs; found {below:g}.")
    return brentq(lambda c: norm.pdf(c) / norm.cdf(c) - below, -8, 8)


def false_success(people, below=1.0, reliability=0.65, trials=2000, seed=1, conf_level=0.95):
    """How often a scheme that does nothing would be called a success by a before-and-after test, since people come at a bad time and get better anyway.

    Parameters
    ----------
    people : int
        Measured twice.
    below : float
        SDs below the mean of people in general at which people start, on average; 0: they do not come at a bad time.
    reliability : float
        Correlation of two scores of the same person with no help in between.

    Returns
    -------
    (Found, mean change in SDs, array of changes in SDs, one per study)

    References
    ----------
    Regression to the mean: Barnett, van der Pols and Dobson (2005) Int J Epidemiol 34:215.
    """
    if not 0 <= reliability < 1:
        raise DataError(f"The reliability lies from 0 to below 1; found {reliability:g}.")
    people = int(people)
    if people < 3:
        raise DataError(f"At least 3 people measured twice are needed; found {people}.")
    rng, found, means = np.random.default_rng(seed), 0, []
    highest = norm.cdf(cutoff_for(below)) if below else 1.0
    size = max(1, AT_ONCE // people)
    for begin in range(0, trials, size):
        shape = (min(size, trials - begin), people)
        first = norm.ppf(np.maximum(rng.random(shape), 1e-12) * highest)
        change = (reliability - 1) * first + (1 - reliability ** 2) ** 0.5 * rng.standard_normal(shape)
        mean, error = change.mean(axis=1), change.std(axis=1, ddof=1) / people ** 0.5
        found += int(((mean > 0) & _beyond(mean / error, people - 1, conf_level)).sum())
        means.append(mean)
    means = np.concatenate(means)
    return found_share(found, trials), float(means.mean()), means


def loss_bias(study_sd, follow_up, apart):
    """By how much the mean of those measured is off the mean of everybody, when those lost fare `apart` SDs worse: (1 - share measured) x apart x SD."""
    return (1 - follow_up) * apart * study_sd
