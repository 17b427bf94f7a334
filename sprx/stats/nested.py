"""Effects that hang together: studies that give several, by a model of three levels or by errors that allow for it.

Held against R's metafor (`rma.mv`, `robust`) and, in the tests, against a likelihood with whole matrices. The matrices are never made: what lies within a unit, and
within a cluster, is a diagonal and one constant, whose inverse is known (Sherman and Morrison), so that the work grows with the number of effects only.
"""

import numpy as np
import pandas as pd

from sprx.errors import DataError
from sprx.stats.synthesis import _checked

NO_LOWER = 1e-9         # of the log-likelihood: a variance is 0 where 0 is as likely


def three_level(y, v, outer, inner=None, moderators=None, conf_level=0.95):
    """The mean effect where studies give several effects: variance between clusters and between effects within them (REML).

    Parameters
    ----------
    y, v : arrays, one value per effect
        Effects and their variances.
    outer : array
        The cluster (study) of each effect.
    inner : array, optional
        Its unit within the cluster; default every effect is one of its own.
    moderators : array, effects x columns, optional
        Without the constant.

    Returns
    -------
    dict
        estimate, std_error, conf_low, conf_high (of the mean, or the intercept; normal limits); coef, cov (of all coefficients); tau2_outer, tau2_inner, log_likelihood (restricted), q.

    Raises
    ------
    DataError
        If a number is missing, a variance is not above 0, or there are fewer than two clusters.

    References
    ----------
    Konstantopoulos (2011) Res Synth Methods 2:61.
    """
    from scipy.stats import norm

    y, v, x = _checked(y, v, moderators)
    outer, inner = (pd.factorize(np.asarray(part))[0] for part in (outer, range(len(y)) if inner is None else inner))
    if min(outer.min(), inner.min()) < 0 or len(outer) != len(y) or len(inner) != len(y) or outer.max() < 1:
        raise DataError("every effect needs a cluster, and there must be two clusters or more")
    basis, turn = np.linalg.qr(x)       # at right angles; then the constant of the design, which metafor's likelihood counts, is 0
    likelihood = _Nested(y, v, basis, outer, inner)
    between, within, best = _likeliest_pair(likelihood, float(np.var(y)) + float(v.mean()))
    cross, right, _, _ = likelihood.parts(between, within)
    back = np.linalg.inv(turn)
    cov = back @ np.linalg.inv(cross) @ back.T
    coef, error = back @ np.linalg.solve(cross, right), cov[0, 0] ** 0.5
    half = norm.ppf((1 + conf_level) / 2) * error
    fixed = likelihood.parts(0.0, 0.0)
    return dict(estimate=float(coef[0]), std_error=float(error), conf_low=float(coef[0] - half), conf_high=float(coef[0] + half), coef=coef, cov=cov, tau2_outer=between, tau2_inner=within,
                log_likelihood=float(best), q=float(fixed[2] - fixed[1] @ np.linalg.solve(fixed[0], fixed[1])))


class _Nested:
    """The restricted likelihood of two variances; sums over effects, then units, then clusters."""

    def __init__(self, y, v, x, outer, inner):
        units, first = np.unique(outer * (inner.max() + 1) + inner, return_index=True)
        unit = np.searchsorted(units, outer * (inner.max() + 1) + inner)
        z = np.column_stack([np.ones(len(y)), x, y]) / np.sqrt(v)[:, None]     # the first column stands for the constant within a unit
        products = z[:, :, None] * z[:, None, :]
        self.units = np.zeros((len(units), *products.shape[1:]))
        np.add.at(self.units, unit, products)
        self.cluster, self.log_v, self.k = outer[first], float(np.log(v).sum()), len(y)

    def parts(self, between, within):
        """X'V^-1 X, X'V^-1 y, y'V^-1 y and log det V."""
        sums, first = self._with_constant(self.units, within)
        whole = np.zeros((self.cluster.max() + 1, *sums.shape[1:]))
        np.add.at(whole, self.cluster, sums)
        whole, second = self._with_constant(whole, between)
        total = whole.sum(axis=0)
        return total[1:-1, 1:-1], total[1:-1, -1], float(total[-1, -1]), self.log_v + first + second

    @staticmethod
    def _with_constant(sums, variance):
        """The same sums where every group has gained one constant of this variance, and what that adds to the log determinants."""
        gained = 1 + variance * sums[:, 0, 0]
        return sums - (variance / gained)[:, None, None] * sums[:, :, :1] * sums[:, :1, :], float(np.log(gained).sum())

    def __call__(self, between, within):
        cross, right, squares, log_det = self.parts(between, within)
        left = squares - right @ np.linalg.solve(cross, right)
        return -0.5 * ((self.k - len(right)) * np.log(2 * np.pi) + log_det + np.linalg.slogdet(cross)[1] + left)


def _likeliest_pair(likelihood, spread):
    """The two variances of the highest likelihood, from several starts; either is 0 where that is as likely."""
    from scipy.optimize import minimize

    def search(start, fixed=None):
        """`fixed`: which of the two stays at 0."""
        free = [i for i in (0, 1) if i != fixed]
        def where(roots):
            return [0.0 if i == fixed else float(roots[free.index(i)]) ** 2 * spread for i in (0, 1)]

        found = minimize(lambda roots: -likelihood(*where(roots)), np.array(start)[free], method="Nelder-Mead", options=dict(xatol=1e-8, fatol=1e-10, maxiter=4000))
        return -found.fun, where(found.x)

    top = max(search(start) for start in ((0.7, 0.7), (0.7, 0.05), (0.05, 0.7)))
    edges = [search((0.3, 0.3), fixed) for fixed in (0, 1)] + [(likelihood(0.0, 0.0), [0.0, 0.0])]
    for found in edges:
        if found[0] >= top[0] - NO_LOWER:
            top = found
    return top[1][0], top[1][1], likelihood(*top[1])


def cluster_robust(fit, cluster):
    """A synthesis's coefficients with errors that hold if the effects of a cluster hang together, however they do.

    Parameters
    ----------
    fit : Synthesis
        Of all effects.
    cluster : array
        The study of each effect.

    Returns
    -------
    DataFrame, one row per coefficient
        estimate, std_error, conf_low, conf_high, p_value (t, clusters - coefficients degrees of freedom), df, clusters.

    Raises
    ------
    DataError
        If there are not more clusters than coefficients.

    References
    ----------
    Hedges, Tipton and Johnson (2010) Res Synth Methods 1:39; with metafor's `robust` factor clusters / (clusters - coefficients).
    """
    from scipy import stats

    cluster = pd.factorize(np.asarray(cluster))[0]
    p, m = fit.x.shape[1], int(cluster.max()) + 1
    if len(cluster) != fit.k or cluster.min() < 0 or m <= p:
        raise DataError(f"every effect needs a cluster, and there must be more clusters ({m}) than coefficients ({p})")
    basis, turn = np.linalg.qr(fit.x)
    weighted = basis / (fit.v + fit.tau2)[:, None]
    bread, sums = np.linalg.inv(turn) @ np.linalg.inv(weighted.T @ basis), np.zeros((m, p))
    np.add.at(sums, cluster, weighted * (fit.y - fit.x @ fit.coef)[:, None])
    error = np.sqrt(np.diag(bread @ sums.T @ sums @ bread.T) * m / (m - p))
    half = stats.t.ppf((1 + fit.conf_level) / 2, m - p) * error
    return pd.DataFrame(dict(estimate=fit.coef, std_error=error, conf_low=fit.coef - half, conf_high=fit.coef + half, p_value=2 * stats.t.sf(np.abs(fit.coef) / error, m - p), df=m - p, clusters=m))
