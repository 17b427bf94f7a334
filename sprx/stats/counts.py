"""Counts over time: rate ratios by regression (statsmodels), and rates of cells with their joint covariance in closed form."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sprx.errors import DataError

ALPHA_RANGE = (1e-8, 1e3)       # of the negative binomial's alpha (variance = mean + alpha x mean^2); at the lower end it is a Poisson
WIDEST = 50                     # a standard error (of a log ratio) beyond this means that the data do not fix the ratio


# ---- regression ---------------------------------------------------------------------------------------------------------------

def rate_ratio(count, exposure, design, clusters=None, family="negative_binomial", conf_level=0.95):
    """Rate ratios of each column of a design, all of them together.

    Parameters
    ----------
    count : array
        Events, whole numbers from 0.
    exposure : array
        Time observed, above 0.
    design : DataFrame of float, no nan
        Without a column of ones: that is added.
    clusters : array, optional
        Whose counts belong together. With it the limits are robust (sandwich, G/(G-1) x (n-1)/(n-k), t with G-1 degrees of freedom).
    family : {"negative_binomial", "quasi_poisson"}

    Returns
    -------
    DataFrame, one row per column of `design`, after the row '(rate)'
        ratio, std_error (of its logarithm), conf_low, conf_high, dispersion (alpha, or Pearson's), df (of t; inf = normal limits).

    Raises
    ------
    DataError
        If nobody has an event, nothing varies, one side of a column of two values has no event, or the fit does not settle.

    References
    ----------
    Negative binomial (NB2) with alpha by maximum likelihood and standard errors at that alpha, as R's MASS::glm.nb; quasi-Poisson as R's glm.
    """
    from scipy import stats

    count, exposure = np.asarray(count, dtype=float), np.asarray(exposure, dtype=float)
    _check(count, exposure, design)
    x = np.column_stack([np.ones(len(count)), design.to_numpy(float)])
    groups = _cluster_codes(clusters)
    alpha = _alpha(count, np.log(exposure), x) if family == "negative_binomial" else None
    fit = _fit(count, np.log(exposure), x, alpha)
    error = np.asarray(fit.bse) if groups is None else _sandwich(fit, x, count, alpha, groups)
    if not np.isfinite(fit.params).all() or not (np.isfinite(fit.bse) & (fit.bse < WIDEST)).all():
        raise DataError("the counts do not fix the ratios: some groups are told apart perfectly, or have no event")
    df = float(groups.max()) if groups is not None else np.inf if alpha is not None else float(fit.df_resid)
    half = stats.t.ppf((1 + conf_level) / 2, df) * error
    return pd.DataFrame(dict(ratio=np.exp(fit.params), std_error=error, conf_low=np.exp(fit.params - half), conf_high=np.exp(fit.params + half),
                             dispersion=alpha if alpha is not None else fit.pearson_chi2 / fit.df_resid, df=df), index=["(rate)", *design.columns])


def _check(count, exposure, design):
    """Refuse what no regression of counts can answer, in words."""
    if len(count) == 0 or not (np.isfinite(count).all() and np.isfinite(exposure).all() and design.notna().all(axis=None)):
        raise DataError("counts, time observed and what is compared must all be known, and there must be some")
    if (count < 0).any() or (exposure <= 0).any():
        raise DataError("counts must be 0 or more and the time observed more than 0")
    if not count.any():
        raise DataError("nobody has an event")
    if np.ptp(count / exposure) == 0:
        raise DataError("everybody has the same rate: nothing varies")
    x = np.column_stack([np.ones(len(count)), design.to_numpy(float)])
    if len(x) <= x.shape[1] or np.linalg.matrix_rank(x) < x.shape[1]:
        raise DataError("what is compared says the same twice, or never varies, or there are too few people")
    for name, values in design.items():
        sums = pd.Series(count).groupby(values.to_numpy()).sum()
        if len(sums) == 2 and (sums == 0).any():
            raise DataError(f"nobody with {name} = {sums.idxmin():g} has an event")


def _cluster_codes(clusters):
    """Whole numbers from 0, or None."""
    if clusters is None:
        return None
    codes = pd.factorize(_plain(clusters), use_na_sentinel=False)[0]
    if codes.max(initial=0) < 1:
        raise DataError("there is one cluster only, so nothing tells how much clusters differ; at least 2 are needed")
    return codes


def _sandwich(fit, x, count, alpha, groups):
    """Cluster-robust standard errors with the expected information, as R's sandwich (statsmodels takes the observed one: 5 % off for glm.nb)."""
    mean = np.asarray(fit.fittedvalues)
    score = x * ((count - mean) / (1 + (alpha or 0.0) * mean))[:, None]
    sums = np.column_stack([np.bincount(groups, column) for column in score.T])
    bread, many = np.asarray(fit.normalized_cov_params), groups.max() + 1
    factor = many / (many - 1) * (len(x) - 1) / (len(x) - x.shape[1])
    return np.sqrt(np.diag(bread @ sums.T @ sums @ bread) * factor)


def _fit(count, offset, x, alpha):
    """A GLM with a log link: negative binomial at `alpha`, or Poisson with Pearson's dispersion."""
    import warnings

    import statsmodels.api as sm

    family = sm.families.Poisson() if alpha is None else sm.families.NegativeBinomial(alpha=alpha)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")             # what they would say is looked at below
        try:
            model = sm.GLM(count, x, family=family, offset=offset)
            fit = model.fit(maxiter=200, tol=1e-12, scale="X2" if alpha is None else 1.0)
        except (np.linalg.LinAlgError, ValueError, FloatingPointError):
            raise DataError("the fit failed: the counts do not fix the ratios") from None
    if not fit.converged and not np.isfinite(fit.params).all():
        raise DataError("the fit did not settle")
    return fit


def _alpha(count, offset, x):
    """The alpha of greatest likelihood, by profile over its logarithm (Brent); the coefficients come from statsmodels at each step."""
    from scipy.optimize import minimize_scalar

    def loss(log_alpha):
        return -_fit(count, offset, x, float(np.exp(log_alpha))).llf

    found = minimize_scalar(loss, bounds=np.log(ALPHA_RANGE), method="bounded", options=dict(xatol=1e-7))
    return float(np.exp(found.x))


# ---- cells --------------------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class LogRates:
    """Logarithms of the rates of cells, and how far they vary together.

    Attributes
    ----------
    cells : DataFrame, indexed by cell
        events, exposure (weighted), log_rate (missing without an event), rows.
    influence : array, clusters x cells
        How each cluster pulls on each log rate.
    block : array, per cluster
        Clusters that share no cell with those of another block are independent samples.
    """

    cells: pd.DataFrame
    influence: np.ndarray
    block: np.ndarray

    @property
    def cov(self):
        """Covariance of the log rates: in each block G/(G-1) times the sum of squares over its G clusters; nan with one cluster."""
        return sum(self._parts(np.eye(len(self.cells))))

    def _parts(self, weights):
        """Each block's share of the covariance of weighted sums of log rates (weights: sums x cells)."""
        parts = []
        for pull in (self.influence[self.block == b] @ np.asarray(weights, dtype=float).T for b in range(self.block.max() + 1)):
            clusters = len(pull)
            parts.append(pull.T @ pull * (clusters / (clusters - 1) if clusters > 1 else np.nan if pull.any() else 0.0))
        return parts

    def contrast(self, weights, conf_level=0.95):
        """The exponential of a weighted sum of log rates, e.g. {'a': 1, 'b': -1} for the ratio of two rates.

        Parameters
        ----------
        weights : dict of cell to weight

        Returns
        -------
        dict
            estimate, std_error (of its logarithm), conf_low, conf_high, df, why. All missing, and `why` says why, where a cell is not there
            or has no event, or where a sample has one cluster only.

        Notes
        -----
        t limits with G-1 degrees of freedom; with independent samples those of Welch and Satterthwaite, as for two means.
        """
        from scipy import stats

        why = self._missing(weights)
        empty = dict.fromkeys(["estimate", "std_error", "conf_low", "conf_high", "df"], np.nan)
        if why:
            return empty | dict(why=why)
        line = self.cells.index.map(weights).to_numpy(float)
        line = np.where(np.isnan(line), 0.0, line)[None]
        value = float(line[0] @ self.cells["log_rate"].fillna(0.0))
        parts = [float(part[0, 0]) for part in self._parts(line)]
        if np.isnan(parts).any():
            return empty | dict(why="there is one cluster only on one side, so nothing tells how much clusters differ")
        error = sum(parts) ** 0.5
        # Satterthwaite: with one block this is its G-1
        df = sum(parts) ** 2 / sum(p ** 2 / (np.sum(self.block == b) - 1) for b, p in enumerate(parts) if p > 0) if error > 0 else np.inf
        half = stats.t.ppf((1 + conf_level) / 2, df) * error
        return dict(estimate=np.exp(value), std_error=error, conf_low=np.exp(value - half), conf_high=np.exp(value + half), df=df, why="")

    def joint(self, lines):
        """How often chance alone would give weighted sums of log rates as far from 0, all together, as these (Wald F; Hotelling's scale).

        Parameters
        ----------
        lines : list of dict of cell to weight

        Returns
        -------
        dict
            p, statistic (F), df (numerator), df_error, why. Missing where a cell is, or with no more clusters than sums.
        """
        from scipy import stats

        why = next((w for w in map(self._missing, lines) if w), "" if lines else "there is nothing to compare")
        fewest = min(np.sum(self.block == b) for b in range(self.block.max() + 1))
        if not why and fewest - len(lines) < 1:
            why = f"{fewest} clusters are too few for {len(lines)} comparisons at once"
        if why:
            return dict(p=np.nan, statistic=np.nan, df=len(lines), df_error=np.nan, why=why)
        weights = np.array([[line.get(cell, 0.0) for cell in self.cells.index] for line in lines])
        values, cov = weights @ self.cells["log_rate"].fillna(0.0).to_numpy(), sum(self._parts(weights))
        scale = (fewest - len(lines)) / (len(lines) * (fewest - 1))
        statistic = float(values @ np.linalg.pinv(cov) @ values) * scale
        df_error = float(fewest - len(lines))
        return dict(p=float(stats.f.sf(statistic, len(lines), df_error)), statistic=statistic, df=len(lines), df_error=df_error, why="")

    def _missing(self, weights):
        for cell in weights:
            if cell not in self.cells.index:
                return f"nothing was observed in {cell}"
            if not self.cells.at[cell, "events"] > 0:
                return f"nobody has an event in {cell}"
        return ""


def log_rates(count, exposure, cells, clusters, weights=None):
    """Logarithms of the rates of cells (sum of counts by sum of exposures), with their joint cluster-robust covariance.

    Parameters
    ----------
    count, exposure : arrays
    cells : array
        Which cell each row belongs to. A row may come again in another cell: a cell can be a part of another.
    clusters : array
        Whose rows belong together.
    weights : array, optional
        Sampling weights, 0 or more.

    Returns
    -------
    LogRates

    Notes
    -----
    A cell's log rate moves by w (count - rate x exposure) / (sum of w x count) for a row with weight w; these are summed by cluster. It is the
    Poisson regression with one column per cell and the sandwich by cluster (Liang and Zeger 1986), without iterating.
    """
    count, exposure = np.asarray(count, dtype=float), np.asarray(exposure, dtype=float)
    weights = np.ones(len(count)) if weights is None else np.asarray(weights, dtype=float)
    cell, names = pd.factorize(_plain(cells), sort=True)
    cluster, clusters = pd.factorize(_plain(clusters), use_na_sentinel=False)
    width = len(names)
    events, time, rows = (np.bincount(cell, w, width) for w in (weights * count, weights * exposure, weights > 0))
    rate = np.divide(events, time, out=np.zeros(width), where=time > 0)
    pull = weights * (count - rate[cell] * exposure) / np.where(events > 0, events, 1.0)[cell]
    at = cluster * width + cell
    influence = np.bincount(at, pull, len(clusters) * width).reshape(len(clusters), width)
    there = np.bincount(at, weights * exposure, len(clusters) * width).reshape(len(clusters), width) > 0
    kept = there.any(axis=1)
    table = pd.DataFrame(dict(events=events, exposure=time, log_rate=np.log(np.where(rate > 0, rate, np.nan)), rows=rows), index=names)
    return LogRates(table, influence[kept], _blocks(there[kept]))


def _plain(labels):
    """Labels as pandas factorises them fastest."""
    return labels if hasattr(labels, "dtype") else pd.Series(list(labels))


def _blocks(there):
    """Which sample each cluster belongs to: clusters are of one sample when a chain of shared cells links them."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    if not len(there):
        return np.zeros(1, dtype=int)
    flags = there.astype(np.float32)
    _, of_cell = connected_components(csr_matrix(flags.T @ flags > 0), directed=False)
    return pd.factorize(of_cell[there.argmax(axis=1)])[0]
