"""Effect sizes and their variances from what studies print: means, counts, person-time, t values, intervals.

The formulas are metafor's `escalc` (docs/decisions/0015), so that results can be checked against it. Each function takes numbers or arrays and
returns (estimate, variance); ratios are on the log scale. A missing number gives a missing effect, an impossible one a DataError.
"""

import numpy as np

from sprx.errors import DataError

HALF = 0.5          # added to every cell of a study that has an empty one (metafor: to="only0")


def mean_difference(m1, sd1, n1, m2, sd2, n2):
    """Difference of two means, first minus second (MD)."""
    _possible(sd1, sd2, n1=n1, n2=n2)
    return np.subtract(m1, m2), np.square(sd1) / n1 + np.square(sd2) / n2


def hedges_g(m1, sd1, n1, m2, sd2, n2):
    """Standardised difference of two means with Hedges' exact correction.

    References
    ----------
    Hedges (1981) J Educ Stat 6:107; variance 1/n1 + 1/n2 + g^2 / 2(n1 + n2).
    """
    _possible(sd1, sd2, n1=n1, n2=n2)
    n1, n2 = np.asarray(n1, dtype=float), np.asarray(n2, dtype=float)
    pooled = np.sqrt(((n1 - 1) * np.square(sd1) + (n2 - 1) * np.square(sd2)) / (n1 + n2 - 2))
    return _corrected(np.subtract(m1, m2) / pooled, n1, n2)


def g_from_t(t, n1, n2):
    """Hedges' g from a t value of two independent groups."""
    _possible(n1=n1, n2=n2)
    n1, n2 = np.asarray(n1, dtype=float), np.asarray(n2, dtype=float)
    return _corrected(t * np.sqrt(1 / n1 + 1 / n2), n1, n2)


def _corrected(d, n1, n2):
    g = d * exact_correction(n1 + n2 - 2)
    return g, 1 / n1 + 1 / n2 + g ** 2 / (2 * (n1 + n2))


def exact_correction(df):
    """Hedges' exact factor for small samples."""
    from scipy.special import gammaln

    df = np.asarray(df, dtype=float)
    return np.exp(gammaln(df / 2) - np.log(np.sqrt(df / 2)) - gammaln((df - 1) / 2))


def log_mean_ratio(m1, sd1, n1, m2, sd2, n2):
    """Log of the ratio of two means, both above 0 (ROM).

    References
    ----------
    Hedges, Gurevitch and Curtis (1999) Ecology 80:1150.
    """
    _possible(sd1, sd2, n1=n1, n2=n2)
    m1, m2 = np.asarray(m1, dtype=float), np.asarray(m2, dtype=float)
    if np.any(m1 / np.where(m2 == 0, np.nan, m2) <= 0) or np.any(m2 == 0):
        raise DataError("a ratio of means needs both to be on the same side of 0")
    return np.log(m1 / m2), np.square(sd1) / (n1 * m1 ** 2) + np.square(sd2) / (n2 * m2 ** 2)


def mean_change(m_post, sd_post, m_pre, sd_pre, n, r):
    """Mean change of one group measured twice; r is the correlation of the two (MC)."""
    _possible(n=n, r=r)
    return np.subtract(m_post, m_pre), _change_variance(sd_post, sd_pre, r) / n


def change_by_change_sd(m_post, sd_post, m_pre, sd_pre, n, r):
    """Standardised mean change, by the SD of the changes (SMCC)."""
    _possible(n=n, r=r)
    n = np.asarray(n, dtype=float)
    d = np.subtract(m_post, m_pre) / np.sqrt(_change_variance(sd_post, sd_pre, r)) * exact_correction(n - 1)
    return d, 1 / n + d ** 2 / (2 * n)


def change_from_t(t, n):
    """Standardised mean change (SMCC) from the t value of a paired test."""
    _possible(n=n)
    n = np.asarray(n, dtype=float)
    d = t / np.sqrt(n) * exact_correction(n - 1)
    return d, 1 / n + d ** 2 / (2 * n)


def change_by_first_sd(m_post, m_pre, sd_pre, n, r):
    """Standardised mean change, by the SD of the first scores (SMCR).

    References
    ----------
    Becker (1988) Br J Math Stat Psychol 41:257; Morris (2008) Organ Res Methods 11:364.
    """
    _possible(sd_pre, n=n, r=r)
    n = np.asarray(n, dtype=float)
    d = np.subtract(m_post, m_pre) / sd_pre * exact_correction(n - 1)
    return d, 2 * (1 - np.asarray(r)) / n + d ** 2 / (2 * n)


def _change_variance(sd_post, sd_pre, r):
    variance = np.square(sd_post) + np.square(sd_pre) - 2 * np.asarray(r) * np.multiply(sd_post, sd_pre)
    _possible(variance)
    return variance


def _possible(*sds, r=0.0, **sizes):
    """Refuse a standard deviation of 0 or below, a group of fewer than two, a correlation beyond 1; missing numbers pass."""
    for sd in sds:
        if np.any(np.asarray(sd, dtype=float) <= 0):
            raise DataError("a standard deviation is 0 or below: nobody differs, or it was not printed; leave the study out or find the number")
    for name, n in sizes.items():
        if np.any(np.asarray(n, dtype=float) < 2):
            raise DataError(f"{name} is below 2: one person has no spread")
    if np.any(np.abs(np.asarray(r, dtype=float)) > 1):
        raise DataError("a correlation lies beyond -1 and 1")


def fisher_z(r, n):
    """Fisher's transformation of a correlation of n people (ZCOR).

    References
    ----------
    Fisher (1921) Metron 1:3; variance 1 / (n - 3).
    """
    r, n = np.asarray(r, dtype=float), np.asarray(n, dtype=float)
    if np.any(np.abs(r) >= 1) or np.any(n <= 3):
        raise DataError("a correlation must lie within -1 and 1, of more than three people")
    return np.arctanh(r), 1 / (n - 3)


def log_odds(events, n):
    """Log odds of a share in one group (PLO, the logit); 0.5 is added to the cells of a study with an empty one."""
    a, b = _cells(events, np.subtract(n, events))
    return np.log(a / b), 1 / a + 1 / b


def risk_difference(events1, n1, events2, n2):
    """Difference of two shares, first minus second (RD); 0.5 is added to the cells of a study with an empty one."""
    a, b, c, d = _cells(events1, np.subtract(n1, events1), events2, np.subtract(n2, events2))
    return a / (a + b) - c / (c + d), a * b / (a + b) ** 3 + c * d / (c + d) ** 3


def log_risk_ratio(events1, n1, events2, n2):
    """Log of the ratio of two shares; 0.5 is added to the cells of a study with an empty one."""
    a, b, c, d = _cells(events1, np.subtract(n1, events1), events2, np.subtract(n2, events2))
    return np.log(a / (a + b)) - np.log(c / (c + d)), 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)


def log_odds_ratio(events1, n1, events2, n2):
    """Log of the ratio of two odds; 0.5 is added to the cells of a study with an empty one."""
    a, b, c, d = _cells(events1, np.subtract(n1, events1), events2, np.subtract(n2, events2))
    return np.log(a * d / (b * c)), 1 / a + 1 / b + 1 / c + 1 / d


def log_rate_ratio(events1, time1, events2, time2):
    """Log of the ratio of two rates; 0.5 is added to the events of a study with none in a group."""
    a, c = (np.asarray(v, dtype=float) for v in (events1, events2))
    if np.any(a < 0) or np.any(c < 0) or np.any(np.asarray(time1, dtype=float) <= 0) or np.any(np.asarray(time2, dtype=float) <= 0):
        raise DataError("fewer than no events, or no time, in a study")
    empty = (a == 0) | (c == 0)
    a, c = a + HALF * empty, c + HALF * empty
    return np.log(a / time1) - np.log(c / time2), 1 / a + 1 / c


def _cells(*cells):
    cells = np.broadcast_arrays(*(np.asarray(cell, dtype=float) for cell in cells))
    if any((cell < 0).any() for cell in cells):
        raise DataError("more events than people, or fewer than none, in a study")
    empty = np.any([cell == 0 for cell in cells], axis=0)
    return [cell + HALF * empty for cell in cells]


def from_interval(estimate, low, high, conf_level=0.95, ratio=False):
    """An estimate and the variance that its interval implies: ((high - low) / 2z)^2, of a ratio on the log scale.

    Raises
    ------
    DataError
        If the interval does not hold its estimate, or has no width, or a ratio is not above 0.
    """
    from scipy.stats import norm

    if ratio and any(np.any(np.asarray(v, dtype=float) <= 0) for v in (estimate, low, high)):
        raise DataError("a ratio or its limit is not above 0; is it a log already?")
    estimate, low, high = (np.log(v) if ratio else np.asarray(v, dtype=float) for v in (estimate, low, high))
    if np.any((estimate < low) | (estimate > high) | (low >= high)):
        raise DataError("an interval does not hold its estimate, or has no width")
    return estimate, ((high - low) / (2 * norm.ppf((1 + conf_level) / 2))) ** 2
