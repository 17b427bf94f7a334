"""Scores that were not taken: filled in many times over, what if those lost fared worse, and who is lost.

The chained regressions are our own: see docs/decisions/0010. Everything else is arithmetic, or statsmodels'.
"""

import numpy as np
import pandas as pd

from sprx.errors import DataError

CYCLES = 10             # rounds of the chain before a completed table is kept (R mice: 5; ours are cheap)
RIDGE = 1e-5            # as R mice's norm.draw: keeps columns that repeat one another from breaking the regression
PEOPLE_PER_COLUMN = 10  # people with an outcome for each column that is adjusted for or filled in
FEWEST_IN_LEVEL = 10    # a level of a covariate with fewer people joins the others


def coded(table, most=None):
    """Covariates as numbers: a number as it is; anything else, or two values, a column of 0 and 1 per level but the most frequent.

    Parameters
    ----------
    table : DataFrame, one row per person
    most : int, optional
        The most columns to return; the first ones are kept.

    Returns
    -------
    DataFrame of float, nan = missing
        Named by covariate, or 'covariate: level'. Constant and empty columns are left out. Levels of fewer than 10 people are together in
        'covariate: other levels', or with the most frequent one when those too are few.
    """
    columns = {}
    for name, values in table.items():
        numbers = pd.to_numeric(values.astype(object).where(values.notna(), np.nan), errors="coerce").astype(float)
        is_number = numbers.notna().sum() == values.notna().sum()
        if is_number and numbers.nunique() > 2:
            columns[str(name)] = numbers
            continue
        values = plain_levels(values)
        if values.nunique() < 2:
            continue
        counts = values.value_counts().sort_index().sort_values(ascending=False, kind="stable")
        rare = set(counts.index[1:][counts.to_numpy()[1:] < FEWEST_IN_LEVEL])
        values = values.where(~values.isin(rare), "other levels" if counts[list(rare)].sum() >= FEWEST_IN_LEVEL else counts.index[0])
        for level in sorted(set(values.dropna()) - {counts.index[0]}):
            columns[f"{name}: {level}"] = values.eq(level).astype("Float64").astype(float)
    out = pd.DataFrame(columns, index=table.index, dtype=float)
    out = out[[c for c in out if out[c].nunique() > 1]]
    return out.iloc[:, :most] if most is not None else out


def plain_levels(values):
    """A column's levels as text: yes and no for flags, whole numbers without a decimal point."""
    if pd.api.types.is_bool_dtype(values.dtype):
        return values.map({True: "yes", False: "no"}).astype("string")
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.map("{:g}".format, na_action="ignore").astype("string")
    return values.astype("string")


def impute(table, m, seed):
    """`m` completed copies of a table of numbers, by chained normal regressions with Bayesian draws (R mice, method norm).

    Parameters
    ----------
    table : DataFrame or array, one row per person
        nan = missing. Every column that is not complete is predicted from all the others.
    m : int
    seed : int

    Returns
    -------
    array, m x people x columns

    Raises
    ------
    DataError
        If a column has fewer known values than 3, or than the columns there are, plus 2.

    References
    ----------
    Rubin (1987), page 167; van Buuren (2018) Flexible Imputation of Missing Data, algorithm 3.1 and 4.3. Missing at random given the table.
    """
    values = np.asarray(table, dtype=float)
    n, width = values.shape
    lost = np.isnan(values)
    known = (~lost).sum(axis=0)
    if (known < max(3, width + 2))[lost.any(axis=0)].any() or n == 0:
        raise DataError("too few known values to fill in the missing ones")
    centre, spread = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    rng = np.random.default_rng(seed)
    copies = np.repeat(((values - centre) / spread)[None], m, axis=0)
    gaps = [j for j in np.argsort(lost.sum(axis=0), kind="stable") if lost[:, j].any()]
    for j in gaps:                                          # begin with values drawn from those that are known
        copies[:, lost[:, j], j] = rng.choice(copies[0, ~lost[:, j], j], (m, lost[:, j].sum()))
    for _ in range(CYCLES if len(gaps) > 1 else 1):
        for j in gaps:
            _draw(copies, j, lost[:, j], rng)
    return copies * spread + centre


def impute_by_arm(values, arm, fewest, m, seed):
    """Completed copies, arm by arm so that the arms may differ in how columns go together; from both together where people are too few for that.

    Parameters
    ----------
    values : array, people x columns
        nan = missing.
    arm : array of 0 and 1
    fewest : int
        People with an outcome in the smaller arm; fewer than 10 a column are too few.
    m, seed : int

    Returns
    -------
    (copies, how)
        One copy where nothing is missing. how: in words.
    """
    if not np.isnan(values).any():
        return values[None], "nothing was missing"
    if fewest < PEOPLE_PER_COLUMN * values.shape[1]:
        return impute(np.column_stack([arm, values]), m, seed)[:, :, 1:], f"missing values filled in {m} times (seed {seed})"
    copies = np.empty((m, *values.shape))
    for a in (0, 1):
        copies[:, arm == a] = impute(values[arm == a], m, seed + a)
    return copies, f"missing values filled in {m} times, group by group (seed {seed})"


def _draw(copies, j, lost, rng):
    """New values for one column of every copy: draw sigma, then the coefficients, then the values."""
    m, _, width = copies.shape
    x = np.concatenate([np.ones((*copies.shape[:2], 1)), np.delete(copies, j, axis=2)], axis=2)
    # what never varies among those known says nothing of the others: its slope stands at 0, or a level that only those lost have would fling them anywhere
    flat = np.ptp(x[:, ~lost], axis=1) < 1e-9
    flat[:, 0] = False
    x[np.broadcast_to(flat[:, None, :], x.shape)] = 0.0
    there, y = x[:, ~lost], copies[:, ~lost, j]
    products = np.swapaxes(there, 1, 2) @ there
    inverse = np.linalg.inv(products + (RIDGE * products + 1e-9 * y.shape[1]) * np.eye(width))      # also where a column never varies
    coef = np.einsum("mpq,mnq,mn->mp", inverse, there, y, optimize=True)
    squares = ((y - np.einsum("mnp,mp->mn", there, coef)) ** 2).sum(axis=1)
    sigma = np.sqrt(squares / rng.chisquare(max(y.shape[1] - width, 1), m))
    root = np.linalg.cholesky((inverse + np.swapaxes(inverse, 1, 2)) / 2)
    coef = coef + sigma[:, None] * np.einsum("mpq,mq->mp", root, rng.standard_normal((m, width)))
    copies[:, lost, j] = np.einsum("mnp,mp->mn", x[:, lost], coef) + sigma[:, None] * rng.standard_normal((m, lost.sum()))


def pool(estimates, variances, complete_df, conf_level=0.95):
    """One estimate from those of several completed tables, by Rubin's rules.

    Parameters
    ----------
    estimates, variances : arrays, one per completed table
    complete_df : float
        Degrees of freedom had nothing been missing.

    Returns
    -------
    dict
        estimate, std_error, df, conf_low, conf_high, within, between, total, riv (relative increase in variance), fmi (fraction
        of information missing).

    References
    ----------
    Rubin (1987); degrees of freedom: Barnard and Rubin (1999) Biometrika 86:948, as in R's mice (statsmodels' MICE has none).
    """
    from scipy import stats

    estimates, m = np.asarray(estimates, dtype=float), len(estimates)
    within, between = float(np.mean(variances)), float(np.var(estimates, ddof=1)) if m > 1 else 0.0
    extra = (1 + 1 / m) * between
    total = within + extra
    share = extra / total if total > 0 else 0.0
    observed = (complete_df + 1) / (complete_df + 3) * complete_df * (1 - share)
    # 1/df = 1/((m-1)/share^2) + 1/observed; with no between variance the first term is nothing
    df = 1 / (share ** 2 / (m - 1) + 1 / observed) if m > 1 else complete_df
    half, estimate = stats.t.ppf((1 + conf_level) / 2, df) * total ** 0.5, float(estimates.mean())
    riv = extra / within if within > 0 else 0.0
    return dict(estimate=estimate, std_error=total ** 0.5, df=float(df), conf_low=estimate - half, conf_high=estimate + half, within=within,
                between=between, total=total, riv=riv, fmi=(riv + 2 / (df + 3)) / (riv + 1))


def change_if(changes, lost, delta, conf_level=0.95):
    """Mean change had those lost ended `delta` points away from what was filled in for them.

    Parameters
    ----------
    changes : array, m x people
        Each completed table's change per person.
    lost : array of bool, per person
        Whose follow-up was filled in.
    delta : float
        0 = missing at random.

    Returns
    -------
    dict
        As `pool`.
    """
    shifted = changes + delta * lost
    n = shifted.shape[1]
    return pool(shifted.mean(axis=1), shifted.var(axis=1, ddof=1) / n, n - 1, conf_level)


def tipping_point(changes, lost, threshold, widest, conf_level=0.95):
    """The least `delta` (see `change_if`) at which the interval of the mean change first includes `threshold`.

    Parameters
    ----------
    threshold : float
        0 for no change, or the smallest change that matters, with its sign.
    widest : float
        The largest difference that the scale allows.

    Returns
    -------
    float
        Below 0 where the change lies above the threshold, above 0 where it lies below; 0 where the interval includes it already;
        nan where no difference up to `widest` brings it there.

    References
    ----------
    Yan, Lee and Li (2009) Drug Inf J 43:683. Solved (Brent), not scanned.
    """
    from scipy.optimize import brentq

    now = change_if(changes, lost, 0.0, conf_level)
    if now["conf_low"] <= threshold <= now["conf_high"]:
        return 0.0
    side, way = ("conf_low", -1.0) if now["conf_low"] > threshold else ("conf_high", 1.0)

    def short(size):
        return change_if(changes, lost, way * size, conf_level)[side] - threshold

    if not lost.any() or np.sign(short(widest)) == np.sign(short(0.0)):
        return float("nan")
    return float(way * brentq(short, 0.0, widest, xtol=1e-9))


def odds_of_follow_up(followed, covariates, conf_level=0.95):
    """How the odds of being followed up go with each covariate, all of them together (statsmodels Logit).

    Parameters
    ----------
    followed : array of bool
    covariates : DataFrame of float, no nan
        As `coded` gives them.

    Returns
    -------
    DataFrame, one row per column of `covariates`
        odds_ratio, std_error (of its logarithm), conf_low, conf_high.

    Raises
    ------
    DataError
        If everyone or no one was followed up, the covariates repeat one another, or they tell the two groups apart perfectly.
    """
    import warnings

    import statsmodels.api as sm
    from scipy import stats
    from statsmodels.tools.sm_exceptions import ConvergenceWarning, PerfectSeparationError, PerfectSeparationWarning

    followed = np.asarray(followed, dtype=float)
    if followed.min(initial=1) == followed.max(initial=0) or covariates.empty:
        raise DataError("nobody, or everybody, was followed up")
    spread = covariates.std()
    x = np.column_stack([np.ones(len(covariates)), (covariates - covariates.mean()) / spread])
    if np.linalg.matrix_rank(x) < x.shape[1] or len(x) <= x.shape[1]:
        raise DataError("what is known of people says the same twice, or there are too few people")
    with warnings.catch_warnings():
        warnings.simplefilter("error", PerfectSeparationWarning)
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            fit = sm.Logit(followed, x).fit(disp=0, maxiter=100)
        except (PerfectSeparationError, PerfectSeparationWarning, ConvergenceWarning, np.linalg.LinAlgError):
            raise DataError("those lost and those followed up can be told apart perfectly") from None
    error = fit.bse[1:]
    if not np.isfinite(error).all():
        raise DataError("those lost and those followed up can be told apart perfectly")
    error, slope, z = error / spread, fit.params[1:] / spread, stats.norm.ppf((1 + conf_level) / 2)
    return pd.DataFrame(dict(odds_ratio=np.exp(slope), std_error=error, conf_low=np.exp(slope - z * error),
                             conf_high=np.exp(slope + z * error)),
                        index=covariates.columns)


def standardised_difference(one, other):
    """Difference of two means by the square root of the average of their variances; for a column of 0 and 1, of two shares.

    Returns
    -------
    float
        nan with fewer than 2 in either, or when nothing varies.

    References
    ----------
    Austin (2009) Stat Med 28:3083; a share's variance is p(1-p).
    """
    one, other = (np.asarray(values, dtype=float) for values in (one, other))
    one, other = one[~np.isnan(one)], other[~np.isnan(other)]
    if min(len(one), len(other)) < 2:
        return float("nan")
    ddof = 0 if set(np.unique(np.concatenate([one, other]))) <= {0.0, 1.0} else 1
    spread = np.sqrt((one.var(ddof=ddof) + other.var(ddof=ddof)) / 2)
    return float((one.mean() - other.mean()) / spread) if spread > 0 else float("nan")
