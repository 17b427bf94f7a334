"""Two groups that chance did not make alike: propensity and entropy weights, and differences between the groups.

Weights are for the people of the scheme (the average effect among the treated): they keep weight 1, and the comparison people are
weighted to look like them. Regressions are statsmodels'. Entropy balancing and the doubly robust estimate have no kept library: 30
lines, checked against R's WeightIt and ebal (docs/decisions/0013).
"""

import numpy as np

from sprx.errors import DataError

NO_OVERLAP = "the two groups can be told apart perfectly by what is known of them: no comparison person is like them"
FEW_CLUSTERS = 60
MOST_STEPS = 40             # of Newton's method


def propensity(arm, covariates):
    """Each person's chance of being in the scheme, given what is known of them (logistic regression by Newton's method).

    A level that only one group has is no obstacle, as it is to statsmodels' Logit: its people's chances go to 0 or 1.

    Parameters
    ----------
    arm : array of 0 (comparison) and 1 (scheme)
    covariates : array, people x columns, without missing values

    Returns
    -------
    array of float, 0 to 1

    Raises
    ------
    DataError
        If the covariates tell the groups apart perfectly, or the model cannot be fitted.
    """
    x = _with_constant(_standardised(covariates))
    fit = _logit(np.asarray(arm, dtype=float), x)
    if fit is None:
        raise DataError(NO_OVERLAP)
    return _logistic(x @ fit)


def att_weights(arm, chance):
    """1 for people of the scheme, odds of being in the scheme for the others."""
    return np.where(np.asarray(arm) == 1, 1.0, chance / (1 - chance))


def entropy_weights(arm, covariates):
    """Weights that give comparison people exactly the scheme people's means, as even as that allows; they add up to the scheme people.

    Raises
    ------
    DataError
        If no weights give these means: the scheme people lie outside what comparison people span.

    References
    ----------
    Hainmueller (2012) Polit Anal 20:25. The dual is solved to machine precision; packages stop earlier.
    """
    from scipy.optimize import minimize
    from scipy.special import logsumexp, softmax

    arm, x = np.asarray(arm), _standardised(covariates)
    gap = x[arm == 0] - x[arm == 1].mean(axis=0)

    def slope(lam):
        return softmax(gap @ lam) @ gap

    def curvature(lam):
        p = softmax(gap @ lam)
        mean = p @ gap
        return (gap * p[:, None]).T @ gap - np.outer(mean, mean)

    lam = minimize(lambda lam: logsumexp(gap @ lam), np.zeros(gap.shape[1]), jac=slope, hess=curvature, method="trust-exact", options=dict(maxiter=500)).x
    for _ in range(3):                          # the last digits: the objective's own rounding stops the search too soon
        lam = lam - np.linalg.lstsq(curvature(lam), slope(lam), rcond=None)[0]
    weights = softmax(gap @ lam)
    if np.abs(weights @ gap).max(initial=0.0) > 1e-6:
        raise DataError("no weighting of the comparison people gives them the scheme people's means")
    out = np.ones(len(arm))
    out[arm == 0] = weights * (arm == 1).sum()
    return out


def effective_size(weights):
    """How many equally weighted people these weighted ones are worth (Kish)."""
    return float(np.sum(weights) ** 2 / np.sum(np.square(weights)))


def att_difference(one, other, weights=None):
    """Difference of means, scheme minus comparison, by the scheme people's standard deviation (for a share, by sqrt(p(1-p))).

    The SD is that of before weighting, so that both can be compared: R's cobalt and MatchIt for the average effect among the treated.
    """
    one, other = (np.asarray(values, dtype=float) for values in (one, other))
    keep = ~np.isnan(other)
    weights = np.ones(len(other)) if weights is None else np.asarray(weights, dtype=float)
    one, other, weights = one[~np.isnan(one)], other[keep], weights[keep]
    if len(one) < 2 or weights.sum() <= 0:
        return np.nan
    shares = set(np.unique(np.concatenate([one, other]))) <= {0.0, 1.0}
    spread, gap = one.std(ddof=0 if shares else 1), one.mean() - np.average(other, weights=weights)
    return gap / spread if spread > 0 else 0.0 if abs(gap) < 1e-12 else np.nan


def regression(y, arm, covariates, weights=None, clusters=None):
    """Scheme minus comparison from a (weighted) least squares line: (estimate, variance, degrees of freedom).

    Robust errors (statsmodels): HC3 without weights, HC1 with weights. By cluster where there are clusters: CR3, which holds its coverage with few
    clusters where the usual sandwich does not (MacKinnon, Nielsen and Webb 2023 J Econom 232:272), with as many degrees of freedom as clusters less
    2, since the arm and the constant are known per cluster.
    """
    import statsmodels.api as sm

    x = np.column_stack([np.ones(len(arm)), arm, covariates])
    model = sm.OLS(y, x) if weights is None else sm.WLS(y, x, weights=weights)
    if clusters is None:
        fit = model.fit(cov_type="HC3" if weights is None else "HC1")
        return fit.params[1], fit.cov_params()[1, 1], float(model.df_resid)
    fit = model.fit(cov_type="cluster-crv3", cov_kwds=dict(groups=np.unique(clusters, return_inverse=True)[1]))
    return fit.params[1], fit.cov_params()[1, 1], cluster_df(clusters)


def left_out_variance(estimate, clusters):
    """Variance of `estimate(people kept)` by leaving out one cluster at a time (jackknife), around the estimate from everybody."""
    names, place = np.unique(clusters, return_inverse=True)
    whole = estimate(np.ones(len(place), dtype=bool))
    left = np.array([estimate(place != i) for i in range(len(names))])
    return float((len(names) - 1) / len(names) * ((left - whole) ** 2).sum())


def own_clusters(names):
    """Each person's cluster as text; people of no known cluster are one of their own. `names`: Series, one row per person."""
    return names.astype("string").fillna(names.index.to_series().map("alone {}".format)).to_numpy(dtype=str)


def cluster_df(clusters):
    """Degrees of freedom of a cluster-robust error of a difference between arms."""
    return max(float(len(np.unique(clusters)) - 2), 1.0)


def doubly_robust(y, arm, covariates, chance, clusters=None):
    """Scheme minus comparison among the scheme's people: (estimate, variance, degrees of freedom).

    A line through the comparison people's outcomes tells what the scheme's people would have had; what it gets wrong among comparison
    people, weighted to look like the scheme's, is taken off. Right when either the line or the propensity model is.

    References
    ----------
    Moodie, Saarela and Stephens (2018) Stat 7:e205; variance from the influence function; by cluster where there
    are clusters, up to 60 of them by leaving out one at a time.
    """
    arm, y = np.asarray(arm, dtype=float), np.asarray(y, dtype=float)
    x = np.column_stack([np.ones(len(arm)), covariates])
    line = np.linalg.lstsq(x[arm == 0], y[arm == 0], rcond=None)[0]
    left, weights = y - x @ line, np.where(arm == 1, 0.0, chance / (1 - chance))
    weights = weights / weights.sum() * arm.sum()
    own = left[arm == 1].mean()
    bias = (weights * left).sum() / arm.sum()
    estimate = own - bias
    influence = (arm * (left - own) - weights * (left - bias)) / arm.sum()
    if clusters is None:
        return estimate, float((influence ** 2).sum()) * len(arm) / (len(arm) - x.shape[1] - 1), float(len(arm) - x.shape[1] - 1)
    _, place = np.unique(clusters, return_inverse=True)
    sums = np.bincount(place, weights=influence)
    variance = float((sums ** 2).sum()) * len(sums) / (len(sums) - 1)
    if len(sums) <= FEW_CLUSTERS:               # with few, leaving out one at a time and beginning anew
        def again(keep):
            fit = _logit(arm[keep], x[keep])
            return estimate if fit is None else doubly_robust(y[keep], arm[keep], x[keep, 1:], _logistic(x[keep] @ fit))[0]
        variance = left_out_variance(again, clusters)
    return estimate, variance, cluster_df(clusters)


def bootstrap(y, arm, covariates, draws, seed, conf_level=0.95, clusters=None):
    """Percentile limits of `doubly_robust`, the propensity model fitted anew in every draw.

    People are drawn within each arm; with clusters, whole clusters are, those that hold one arm only within it.

    Returns
    -------
    dict
        estimate (of the data as they are), std_error, conf_low, conf_high, draws (those that could be fitted).
    """
    rng = np.random.default_rng(seed)
    y, arm, x = np.asarray(y, dtype=float), np.asarray(arm, dtype=float), _with_constant(_standardised(covariates))
    groups, members = _strata(arm, clusters)
    start, found = _logit(arm, x), []
    if start is None:
        raise DataError(NO_OVERLAP)
    for _ in range(draws):
        drawn = [rng.choice(group, len(group)) for group in groups]
        drawn = np.concatenate(drawn if members is None else [members[i] for i in np.concatenate(drawn)])
        fit = _logit(arm[drawn], x[drawn], start)
        if fit is not None:
            found.append(doubly_robust(y[drawn], arm[drawn], x[drawn, 1:], _logistic(x[drawn] @ fit))[0])
    if len(found) < 0.9 * draws:
        raise DataError("in many draws the two groups could be told apart perfectly")
    tail = 50 * (1 - conf_level)
    low, high = np.percentile(found, [tail, 100 - tail])
    estimate = doubly_robust(y, arm, x[:, 1:], _logistic(x @ start))[0]
    return dict(estimate=estimate, std_error=float(np.std(found, ddof=1)), conf_low=min(low, estimate), conf_high=max(high, estimate), draws=len(found))


def _strata(arm, clusters):
    """What is drawn from within each stratum (people, or clusters by which arms they hold), and each cluster's people."""
    if clusters is None:
        return [np.flatnonzero(arm == 1), np.flatnonzero(arm == 0)], None
    _, place = np.unique(clusters, return_inverse=True)
    members = [np.flatnonzero(place == i) for i in range(place.max() + 1)]
    kinds = np.array([len(np.unique(arm[m])) * 2 + arm[m].max() for m in members])
    return [np.flatnonzero(kinds == kind) for kind in np.unique(kinds)], members


def _logit(arm, x, start=None):
    """Coefficients of a logistic regression; None when the arms can be told apart perfectly. It stops when no chance moves any more."""
    coef, chance = np.zeros(x.shape[1]) if start is None else start.copy(), 0.0
    for _ in range(MOST_STEPS):
        before, chance = chance, _logistic(x @ coef)
        if np.abs(chance - before).max() < 1e-10:
            break
        spread = (x * np.maximum(chance * (1 - chance), 1e-12)[:, None]).T @ x
        coef = coef + np.linalg.lstsq(spread, x.T @ (arm - chance), rcond=1e-10)[0]
    return coef if chance[arm == 1].min() <= chance[arm == 0].max() else None


def _logistic(line):
    return 1 / (1 + np.exp(-np.clip(line, -30, 30)))


def _with_constant(x):
    return np.column_stack([np.ones(len(x)), x])


def _standardised(covariates):
    x = np.asarray(covariates, dtype=float)
    x = x.reshape(len(x), -1)
    spread = x.std(axis=0)
    return (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1.0)


def e_value(ratio, nearer_limit):
    """How strongly something unrecorded would have to go with both group and outcome to explain a ratio away: (of the estimate, of the limit).

    Both as risk ratios, 1 or above; the second is 1 where the interval includes no difference.

    References
    ----------
    VanderWeele and Ding (2017) Ann Intern Med 167:268.
    """
    def of(value):
        value = max(value, 1 / value)
        return value + (value * (value - 1)) ** 0.5

    crosses = (ratio >= 1) != (nearer_limit >= 1)
    return of(ratio), 1.0 if crosses else of(nearer_limit)


def as_ratio(difference):
    """A standardised mean difference as an approximate risk ratio (Chinn 2000 Stat Med 19:3127; VanderWeele and Ding 2017)."""
    return float(np.exp(0.91 * difference))


def minimum_detectable(std_error, df=np.inf, power=0.8, conf_level=0.95):
    """The smallest true difference that an interval of this error would show to differ from 0, `power` of the time (Bloom 1995 Eval Rev 19:547)."""
    from scipy.stats import t

    return float((t.ppf((1 + conf_level) / 2, df) + t.ppf(power, df)) * std_error)
