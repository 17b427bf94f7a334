"""One series of counts or rates before and after a change: segmented regression (statsmodels)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sprx.errors import DataError

FEWEST, FEWEST_ON_A_SIDE = 8, 3         # points: below these a level and a slope on either side are a guess
FEWEST_FOR_SEASON = 24                  # points: two years of months, or no season can be told from a trend
HARMONICS = 2


@dataclass(frozen=True)
class Segmented:
    """What changed, and what would have been expected.

    Attributes
    ----------
    terms : DataFrame, indexed by term: (start), time, level, slope, and s1, c1, s2, c2 of the season
        coef, std_error, conf_low, conf_high: logarithms of ratios with quasi-Poisson, differences of rates with Newey-West.
    points : DataFrame, one row per point of time
        time, after, observed, fitted, expected, expected_low, expected_high: rates; what is expected is the line of the time before, carried on.
    dispersion : float
        Pearson's, of quasi-Poisson; nan with Newey-West.
    n_before, n_after : int
    autocorrelation : float
        Of the residuals of points that are one step apart; nan where none vary.
    durbin_watson : float
    seasonal : bool
        Whether a season was fitted.
    method : str
    df : float
        Of the t limits.
    """

    terms: pd.DataFrame
    points: pd.DataFrame
    dispersion: float
    n_before: int
    n_after: int
    autocorrelation: float
    durbin_watson: float
    seasonal: bool
    method: str
    df: float

    def ratio(self, term):
        """A term as a ratio with its limits (quasi-Poisson): dict of estimate, std_error (of its logarithm), conf_low, conf_high."""
        row = self.terms.loc[term]
        return dict(estimate=np.exp(row["coef"]), std_error=row["std_error"], conf_low=np.exp(row["conf_low"]), conf_high=np.exp(row["conf_high"]))


def segmented(values, time, at, exposure=None, season=None, method="quasi_poisson", slope_change=True, lags=None, conf_level=0.95):
    """Level and slope of a series before and after a change.

    Parameters
    ----------
    values : array
        Counts where `exposure` is given (or for quasi-Poisson), else rates.
    time : array
        Numbers, one per point, each once.
    at : float
        The last moment before the change: points with time > at come after it. The slope changes from there: (time - at) after, 0 before.
    exposure : array, optional
        What the counts are counted over.
    season : int, optional
        Points in a year: two pairs of harmonics are fitted when there are 24 points or more.
    method : {"quasi_poisson", "newey_west"}
        A log-linear model of counts with Pearson's dispersion; or a straight line through rates with standard errors that allow for neighbouring
        points being alike, rows taken as neighbours in order of time.
    slope_change : bool
    lags : int, optional
        Of Newey-West; default the whole part of 4 (n / 100)^(2/9).

    Returns
    -------
    Segmented

    Raises
    ------
    DataError
        With fewer than 8 points, or 3 on a side; with no event on a side; where a time comes twice.

    References
    ----------
    Lopez Bernal, Cummins and Gasparrini (2017) Int J Epidemiol 46:348; Newey and West (1987) Econometrica 55:703 with n/(n-k), as R's sandwich. Limits are t.
    """
    table = _points(values, time, exposure)
    after = table["time"].to_numpy() > at
    _check(table, after)
    seasonal = season is not None and len(table) >= FEWEST_FOR_SEASON
    x = _design(table["time"], after, at, season if seasonal else None, slope_change)
    if len(x) <= x.shape[1] or np.linalg.matrix_rank(x) < x.shape[1]:
        raise DataError(f"{len(x)} points are too few for {x.shape[1]} terms")
    poisson = method == "quasi_poisson"
    fit, residuals, df = _quasi_poisson(table, x) if poisson else _newey_west(table, x, lags)
    terms = _terms(fit, x.columns, df, conf_level)
    points = _expected(table, after, x, fit, poisson, (df, conf_level))
    step = np.diff(table["time"]) == np.diff(table["time"]).min()
    alike = _lag_one(residuals, step)
    durbin_watson = float(np.sum(np.diff(residuals) ** 2) / np.sum(residuals ** 2)) if residuals.any() else float("nan")
    return Segmented(terms, points, float(fit.pearson_chi2 / fit.df_resid) if poisson else float("nan"), int((~after).sum()), int(after.sum()),
                     alike, durbin_watson, seasonal, "quasi-Poisson" if poisson else f"Newey-West, {fit.cov_kwds['maxlags']} lags", df)


def _points(values, time, exposure):
    """time, value, exposure: one row per point, in order; points that are not known are left out."""
    table = pd.DataFrame(dict(time=np.asarray(time, dtype=float), value=np.asarray(values, dtype=float),
                              exposure=1.0 if exposure is None else np.asarray(exposure, dtype=float)))
    table = table[np.isfinite(table).all(axis=1) & table["exposure"].gt(0)].sort_values("time", ignore_index=True)
    if table["time"].duplicated().any():
        raise DataError(f"time {table.loc[table['time'].duplicated(), 'time'].iloc[0]:g} comes twice: a series has one point at each time")
    return table


def _check(table, after):
    """Refuse a series that is too short, or has no event on a side."""
    before = int((~after).sum())
    if len(table) < FEWEST or min(before, len(table) - before) < FEWEST_ON_A_SIDE:
        raise DataError(f"there are {before} points before the change and {len(table) - before} after it; at least {FEWEST} in all and "
                        f"{FEWEST_ON_A_SIDE} on each side are needed")
    for side, name in ((~after, "before"), (after, "after")):
        if not table.loc[side, "value"].any():
            raise DataError(f"nothing was counted {name} the change")


def _design(time, after, at, season, slope_change):
    """The columns of the regression; the first is 1."""
    columns = {"(start)": np.ones(len(time)), "time": time.to_numpy(), "level": after * 1.0}
    if slope_change:
        columns["slope"] = np.where(after, time - at, 0.0)
    for k in range(1, HARMONICS + 1) if season else ():
        turn = 2 * np.pi * k * time.to_numpy() / season
        columns |= {f"s{k}": np.sin(turn), f"c{k}": np.cos(turn)}
    return pd.DataFrame(columns)


def _quasi_poisson(table, x):
    import warnings

    import statsmodels.api as sm

    if (table["value"] < 0).any():
        raise DataError("counts must be 0 or more")
    model = sm.GLM(table["value"], x, family=sm.families.Poisson(), offset=np.log(table["exposure"]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")             # of a perfect fit, which a smooth series is
        fit = model.fit(scale="X2", tol=1e-12, maxiter=200)
    if not np.isfinite(fit.bse).all():
        raise DataError("the fit did not settle")
    return fit, np.asarray(fit.resid_pearson), float(fit.df_resid)


def _newey_west(table, x, lags):
    import statsmodels.api as sm

    lags = int(4 * (len(x) / 100) ** (2 / 9)) if lags is None else lags
    fit = sm.OLS(table["value"] / table["exposure"], x).fit(cov_type="HAC", cov_kwds=dict(maxlags=lags, use_correction=True), use_t=True)
    return fit, np.asarray(fit.resid), float(fit.df_resid)


def _terms(fit, names, df, conf_level):
    from scipy import stats

    coef, error = np.asarray(fit.params), np.asarray(fit.bse)
    half = stats.t.ppf((1 + conf_level) / 2, df) * error
    return pd.DataFrame(dict(coef=coef, std_error=error, conf_low=coef - half, conf_high=coef + half), index=list(names))


def _expected(table, after, x, fit, logs, limits):
    """What was observed, fitted, and expected had nothing changed, with the limits of the line."""
    from scipy import stats

    df, conf_level = limits
    params = np.asarray(fit.params)
    without = x.assign(**{c: 0.0 for c in ("level", "slope") if c in x}).to_numpy()
    line, cov = without @ params, np.asarray(fit.cov_params())
    half = stats.t.ppf((1 + conf_level) / 2, df) * np.sqrt(np.einsum("ij,jk,ik->i", without, cov, without))
    scale = np.exp if logs else np.asarray
    return pd.DataFrame(dict(time=table["time"], after=after, observed=table["value"] / table["exposure"], fitted=scale(x.to_numpy() @ params),
                             expected=scale(line), expected_low=scale(line - half), expected_high=scale(line + half)))


def _lag_one(residuals, step):
    """Correlation of residuals one step apart: sum of products by sum of squares."""
    squares = float(residuals @ residuals)
    return float((residuals[1:] * residuals[:-1])[step].sum() / squares) if squares > 0 and step.any() else float("nan")
