"""Intervals for counts, shares, rates and means, as English public health practice has them."""

import numpy as np

EXACT_BELOW = 10        # OHID: exact limits below this count, Byar's approximation from it


def wilson(successes, total, conf_level):
    """Wilson score limits of a share: (low, high), missing when `total` is 0. Newcombe (1998) Stat Med 17:857, method 3."""
    from scipy.stats import binomtest

    if not total > 0:
        return np.nan, np.nan
    low, high = binomtest(int(successes), int(total)).proportion_ci(conf_level, method="wilson")
    return float(low), float(high)


def poisson(count, conf_level):
    """Limits of a count: exact (chi-square) below 10, Byar's from 10.

    References
    ----------
    OHID public health technical guidance, rates; Breslow and Day (1987) volume II, page 69.
    """
    from scipy import stats

    if not count >= 0:
        return np.nan, np.nan
    tail = (1 - conf_level) / 2
    if count < EXACT_BELOW:
        return (float(stats.chi2.ppf(tail, 2 * count) / 2) if count else 0.0), float(stats.chi2.ppf(1 - tail, 2 * count + 2) / 2)
    z, above = stats.norm.ppf(1 - tail), count + 1
    low = count * (1 - 1 / (9 * count) - z / (3 * count ** 0.5)) ** 3
    high = above * (1 - 1 / (9 * above) + z / (3 * above ** 0.5)) ** 3
    return float(low), float(high)


def mean(values, conf_level):
    """Mean, standard error and Student t limits as a dict; all missing when fewer than 2 values."""
    from scipy import stats

    if len(values) < 2:
        return dict.fromkeys(["estimate", "std_error", "conf_low", "conf_high"], np.nan)
    error = values.std(ddof=1) / len(values) ** 0.5
    half = stats.t.ppf((1 + conf_level) / 2, len(values) - 1) * error
    return dict(estimate=values.mean(), std_error=error, conf_low=values.mean() - half, conf_high=values.mean() + half)


def mean_difference(after, before, conf_level):
    """Difference of two independent means with Welch limits as a dict; all missing when either has fewer than 2 values."""
    from scipy import stats

    if min(len(after), len(before)) < 2:
        return dict.fromkeys(["estimate", "std_error", "conf_low", "conf_high"], np.nan)
    parts = [values.var(ddof=1) / len(values) for values in (after, before)]
    error = sum(parts) ** 0.5
    estimate = after.mean() - before.mean()
    if error == 0:
        return dict(estimate=estimate, std_error=0.0, conf_low=estimate, conf_high=estimate)
    df = sum(parts) ** 2 / sum(part ** 2 / (len(values) - 1) for part, values in zip(parts, (after, before)))
    half = stats.t.ppf((1 + conf_level) / 2, df) * error
    return dict(estimate=estimate, std_error=error, conf_low=estimate - half, conf_high=estimate + half)


def cost_each(cost, count, conf_level, share=None):
    """A cost shared among so many people, or among the share of them that was counted as `share` = (of those, out of): (each, low, high).

    The limits carry the chance in the count (Poisson) and in the share (Wilson), joined on the log scale; all are missing where there is nobody.

    References
    ----------
    Zou and Donner (2008) Stat Med 27:1693 (MOVER). With the count alone: cost / upper to cost / lower limit.
    """
    parts = [(count, *poisson(count, conf_level))] + ([(share[0] / share[1], *wilson(*share, conf_level))] if share and share[1] else [(0, 0, 0)] * bool(share))
    value, low, high = np.array(parts, dtype=float).T
    if not value.all():
        return np.nan, np.nan, np.nan
    each = cost / value.prod()
    return tuple(float(found) for found in (each, each / np.exp(np.hypot.reduce(np.log(high / value))), each * np.exp(np.hypot.reduce(np.log(value / low)))))


def difference_of_shares(first, of_first, second, of_second, conf_level):
    """Limits of first / of_first - second / of_second: (low, high), missing where either has none. Newcombe (1998) Stat Med 17:873, method 10."""
    if not (of_first > 0 and of_second > 0):
        return np.nan, np.nan
    one, other = first / of_first, second / of_second
    (low1, high1), (low2, high2) = wilson(first, of_first, conf_level), wilson(second, of_second, conf_level)
    return float(one - other - np.hypot(one - low1, high2 - other)), float(one - other + np.hypot(high1 - one, other - low2))
