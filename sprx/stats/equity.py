"""Rates that can be compared, inequality across ranked groups, and how far two groups of people differ."""

import numpy as np

FEWEST_EVENTS = 10      # below this a directly standardised rate is not given
LAST_OPEN_YEARS = 10    # the standard's own open band (90+) is taken as this many years wide when a closed band reaches into it


def band_weights(bands, standard):
    """Weights of a standard population for other age bands, each standard band split evenly over its years of age.

    Parameters
    ----------
    bands : list of (low, high)
        Whole years, both included; an open band has a high end above any age.
    standard : list of (low, high, weight)
        The standard's bands in order; the last one is open (its high end is not used).

    Returns
    -------
    array of float
        One weight per band, on the scale of the standard; ages in no band carry no weight.
    """
    low, _, weight = (np.array(column, dtype=float) for column in zip(*standard))
    high = np.append(low[1:], low[-1] + LAST_OPEN_YEARS) - 1
    ends = np.array(bands, dtype=float)
    shared = np.minimum(ends[:, 1:], high) - np.maximum(ends[:, :1], low) + 1
    return (shared.clip(0) / (high - low + 1)) @ weight


def standardised_rate(counts, residents, weights, total_limits):
    """Directly standardised rate with Dobson limits.

    Parameters
    ----------
    counts, residents, weights : array-like
        Events, people and standard weight of each age band; residents above 0.
    total_limits : (low, high)
        Limits of the total count: exact below 10, Byar's from it.

    Returns
    -------
    dict
        estimate, std_error, conf_low, conf_high per resident; all missing when there are fewer than FEWEST_EVENTS events.

    References
    ----------
    Dobson et al (1991) Stat Med 10:457; no rate below 10 events: Morris et al (2018) Popul Health Metr 16:1.
    """
    counts, residents, weights = (np.asarray(values, dtype=float) for values in (counts, residents, weights))
    total = counts.sum()
    if total < FEWEST_EVENTS or not weights.sum() > 0:
        return dict.fromkeys(["estimate", "std_error", "conf_low", "conf_high"], np.nan)
    share = weights / weights.sum()
    estimate, error = (share * counts / residents).sum(), ((share / residents) ** 2 @ counts) ** 0.5
    low, high = (estimate + error / total ** 0.5 * (limit - total) for limit in total_limits)
    return dict(estimate=estimate, std_error=error, conf_low=low, conf_high=high)


def relative_rank(populations):
    """Where the middle of each ranked group stands in the whole population, 0 (first) to 1 (last)."""
    share = np.asarray(populations, dtype=float) / np.sum(populations)
    return share.cumsum() - share / 2


def error_of_limits(low, high, conf_level):
    """The standard error that normal limits of this width would have."""
    from scipy.stats import norm

    return (np.asarray(high, dtype=float) - np.asarray(low, dtype=float)) / 2 / norm.ppf((1 + conf_level) / 2)


def slope_and_relative_index(values, std_errors, populations, conf_level):
    """Slope and relative index of inequality across groups ranked from the most to the least deprived.

    Parameters
    ----------
    values, std_errors, populations : array-like
        One per group: what is measured, its standard error, the people. The first group is the most deprived.
    conf_level : float

    Returns
    -------
    dict
        intercept (fitted at rank 0), slope with slope_error, slope_low, slope_high, ratio with ratio_low, ratio_high.
        slope = fitted at rank 1 minus fitted at rank 0; ratio = the one by the other, missing unless the fitted value at rank
        0 is above 0, its limits missing where they have no end.

    Notes
    -----
    Least squares weighted by population share (multiplying both sides by the square root of the share is the same). The limits
    of the slope are exact for normal values with these standard errors; those of the ratio are Fieller's.

    References
    ----------
    Pamuk (1985) Popul Stud 39:17; Mackenbach and Kunst (1997) Soc Sci Med 44:757; Fieller (1954) JRSS B 16:175. The ratio is
    (intercept + slope) / intercept, as OHID has it, not slope / mean.
    """
    from scipy.stats import norm

    values, errors, people = (np.asarray(v, dtype=float) for v in (values, std_errors, populations))
    design = np.column_stack([np.ones(len(people)), relative_rank(people)])
    weighted = design.T * people
    maker = np.linalg.solve(weighted @ design, weighted)        # intercept and slope are this matrix times the values
    intercept, slope = maker @ values
    spread = (maker * errors ** 2) @ maker.T
    z, error = norm.ppf((1 + conf_level) / 2), spread[1, 1] ** 0.5
    sums = np.array([[1, 1], [1, 0]])                           # fitted at rank 1 and at rank 0
    ratio = (intercept + slope) / intercept if intercept > 0 else np.nan
    low, high = fieller(intercept + slope, intercept, sums @ spread @ sums.T, z) if intercept > 0 else (np.nan, np.nan)
    return dict(intercept=intercept, slope=slope, slope_error=error, slope_low=slope - z * error, slope_high=slope + z * error,
                ratio=ratio, ratio_low=low, ratio_high=high)


def fieller(top, bottom, spread, z):
    """Fieller's limits of top / bottom from their 2 x 2 covariance; missing where the bottom could be 0."""
    a, b, c = bottom ** 2 - z ** 2 * spread[1, 1], top * bottom - z ** 2 * spread[0, 1], top ** 2 - z ** 2 * spread[0, 0]
    if not a > 0:
        return np.nan, np.nan
    half = max(b ** 2 - a * c, 0.0) ** 0.5
    return (b - half) / a, (b + half) / a


def mean_difference_standardised(one, other):
    """Standardised mean difference of a number: difference of means by the root of the mean of the two variances.

    Returns
    -------
    float
        Above 0 when `one` is higher; 0 when everyone has the same value; missing when either has fewer than 2 values, or
        when two groups differ and neither varies.

    References
    ----------
    Austin (2009) Stat Med 28:3083; as in tableone (Pollard 2018 JAMIA Open 1:26).
    """
    one, other = (np.asarray(values, dtype=float) for values in (one, other))
    if min(len(one), len(other)) < 2:
        return np.nan
    gap, spread = one.mean() - other.mean(), ((one.var(ddof=1) + other.var(ddof=1)) / 2) ** 0.5
    return gap / spread if spread > 0 else 0.0 if gap == 0 else np.nan


def category_difference_standardised(one, other):
    """Standardised difference of a characteristic with several levels, 0 or above.

    Parameters
    ----------
    one, other : array-like
        How many people of each group are in each level, the levels in the same order.

    Returns
    -------
    float
        Missing when a group is empty, or when no difference can be scaled (each group in one level of its own).

    References
    ----------
    Yang and Dalton (2012) SAS Global Forum, paper 335: Mahalanobis distance of the shares, with a generalised inverse.
    """
    counts = np.array([one, other], dtype=float)
    counts = counts[:, counts.sum(axis=0) > 0]
    if counts.size == 0 or (counts.sum(axis=1) == 0).any():
        return np.nan
    p, q = (counts / counts.sum(axis=1, keepdims=True))[:, 1:]
    spread = (np.diag(p) - np.outer(p, p) + np.diag(q) - np.outer(q, q)) / 2
    distance = (p - q) @ np.linalg.pinv(spread, hermitian=True) @ (p - q) if len(p) else 0.0
    return distance ** 0.5 if distance > 0 or np.allclose(p, q) else np.nan
