"""Changes per group, the difference between groups, and estimates drawn towards their common mean."""

import numpy as np

from sprx.errors import DataError


def adjusted_means(y, cells, covariate):
    """Mean of `y` in each cell at the mean of `covariate`, and the covariance of these means (statsmodels OLS, HC3).

    Parameters
    ----------
    y, covariate : arrays, one value per person
        No nan. A covariate that never varies is left out.
    cells : array, the cell of each person: 0, 1, ... with at least 2 people in each

    Returns
    -------
    (means, covariance, residual degrees of freedom)

    Raises
    ------
    DataError
        If there are too few people for the cells.

    References
    ----------
    HC3: MacKinnon and White (1985) J Econom 29:305; spreads need not be alike.
    """
    import statsmodels.api as sm

    y, covariate, cells = np.asarray(y, dtype=float), np.asarray(covariate, dtype=float), np.asarray(cells)
    count = int(cells.max(initial=-1)) + 1
    x = (cells[:, None] == np.arange(count)).astype(float)
    centred = covariate - covariate.mean() if len(covariate) else covariate
    within = centred - x @ (x.T @ centred / np.maximum(x.sum(axis=0), 1)) if count else centred
    if (within ** 2).sum() > 1e-12 * max((centred ** 2).sum(), 1.0):
        x = np.column_stack([x, centred])
    if count == 0 or len(y) <= x.shape[1] or x[:, :count].sum(axis=0).min() < 2:
        raise DataError("too few people")
    fit = sm.OLS(y, x).fit(cov_type="HC3", use_t=True)
    return np.asarray(fit.params)[:count], np.asarray(fit.cov_params())[:count, :count], float(fit.df_resid)


def slope(y, x, covariate, conf_level=0.95):
    """How much `y` differs per unit of `x` among people with the same `covariate` (statsmodels OLS, HC3).

    Returns
    -------
    dict
        estimate, std_error, conf_low, conf_high.

    Raises
    ------
    DataError
        If there are fewer than 5 people, or `x` does not vary once the covariate is allowed for.
    """
    import statsmodels.api as sm

    y, x, covariate = (np.asarray(values, dtype=float) for values in (y, x, covariate))
    columns = [np.ones(len(y)), x] + ([covariate] if np.ptp(covariate) > 0 else []) if len(y) else []
    design = np.column_stack(columns) if columns else np.zeros((0, 1))
    if len(y) < 5 or np.linalg.matrix_rank(design) < design.shape[1]:
        raise DataError("fewer than 5 people, or all alike")
    fit = sm.OLS(y, design).fit(cov_type="HC3", use_t=True)
    low, high = fit.conf_int(1 - conf_level)[1]
    return dict(estimate=float(fit.params[1]), std_error=float(fit.bse[1]), conf_low=float(low), conf_high=float(high))


def weighted_sum(means, covariance, df, weights, conf_level=0.95):
    """A weighted sum of means with t limits and the p-value against 0, as a dict."""
    from scipy import stats

    estimate, error = float(weights @ means), float(np.sqrt(max(weights @ covariance @ weights, 0.0)))
    half = float(stats.t.ppf((1 + conf_level) / 2, df)) * error
    p = float(2 * stats.t.sf(abs(estimate) / error, df)) if error > 0 else float(estimate == 0)
    return dict(estimate=estimate, std_error=error, conf_low=estimate - half, conf_high=estimate + half, p=p)


def adjusted_p(values):
    """P-values allowed for how many there are (Benjamini and Hochberg 1995; statsmodels multipletests)."""
    from statsmodels.stats.multitest import multipletests

    return multipletests(values, method="fdr_bh")[1] if len(values) else np.array([])


def shrunken(estimates, errors, conf_level=0.95):
    """Estimates of several groups, each drawn towards their common mean the more, the less is known of it.

    Parameters
    ----------
    estimates, errors : arrays, one per group, errors above 0

    Returns
    -------
    list of dict
        estimate, std_error, conf_low, conf_high. The variance between groups is Paule and Mandel's (statsmodels combine_effects),
        not below 0; where it is 0, all groups get the common mean. The common mean's own error is allowed for, that of the
        variance is not.

    References
    ----------
    Efron and Morris (1975) J Am Stat Assoc 70:311; Morris (1983) J Am Stat Assoc 78:47.
    """
    from scipy import stats
    from statsmodels.stats.meta_analysis import combine_effects

    estimates, variances = np.asarray(estimates, dtype=float), np.asarray(errors, dtype=float) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):        # its I2 of groups that are all alike
        between = max(float(combine_effects(estimates, variances, method_re="iterated").tau2), 0.0) if len(estimates) > 1 else 0.0
    weights = 1 / (variances + between)
    centre, keep = float((weights * estimates).sum() / weights.sum()), between / (between + variances)
    drawn = centre + keep * (estimates - centre)
    error = np.sqrt(keep * variances + (1 - keep) ** 2 / weights.sum())
    half = stats.norm.ppf((1 + conf_level) / 2) * error
    return [dict(estimate=float(e), std_error=float(s), conf_low=float(e - h), conf_high=float(e + h))
            for e, s, h in zip(drawn, error, half)]
