"""Mixed models for repeated measures: scores at several visits, some missing, nothing assumed about how visits go together.

The unstructured model has no library in Python, so its likelihood is written here, over people with the same visits missing, from
their sums of products: one evaluation costs the same for 50 people as for 50,000. The random-intercept model is statsmodels'.
"""

from dataclasses import dataclass

import numpy as np

from sprx.errors import DataError

GRADIENT = 1e-6         # the search stops at this slope of the deviance (scores scaled to sd 1)
REFERENCE_BASED = ("missing at random", "jump to reference", "copy reference", "copy increments in reference")


@dataclass(frozen=True)
class Mmrm:
    """A fitted model: `coef` (visits x columns of x), `sigma` (visits x visits), and what its limits need."""

    coef: np.ndarray
    sigma: np.ndarray
    cov_coef: np.ndarray    # with sigma taken as known, as R's gls and mmrm print it
    loglik: float
    n_people: int
    theta: np.ndarray       # how sigma was searched for, and the sums, on the scale of sd 1
    sums: list
    free: np.ndarray        # how the free coefficients make up `coef`
    scale: float
    reml: bool

    def contrast(self, weights, conf_level, more_variance=0.0):
        """A weighted sum of `coef` with Satterthwaite's degrees of freedom and t limits.

        Parameters
        ----------
        weights : array of the shape of `coef`
        more_variance : float
            Added to the variance, for what the model takes as given (the mean of covariates in a sample).

        Returns
        -------
        dict
            estimate, std_error, df, conf_low, conf_high. df is infinite (normal limits) where the likelihood is too flat for one.

        References
        ----------
        The error allows for sigma being estimated (observed information): with scores missing at random, and not completely so, the usual
        formula is too small. Kenward and Molenberghs (1998) Stat Sci 13:236. With nobody lost the two are the same.
        """
        from scipy import stats

        weights = np.asarray(weights, dtype=float)
        df, for_sigma = self._about_sigma(weights.ravel())
        variance = float(weights.ravel() @ self.cov_coef @ weights.ravel()) + self.scale ** 2 * for_sigma + more_variance
        estimate, error = float((weights * self.coef).sum()), max(variance, 0.0) ** 0.5
        half = float((stats.t(df) if np.isfinite(df) else stats.norm).ppf((1 + conf_level) / 2)) * error
        return dict(estimate=estimate, std_error=error, df=df, conf_low=estimate - half, conf_high=estimate + half)

    def _about_sigma(self, weights):
        """Satterthwaite's 2 v^2 / var(v), and what not knowing sigma adds to v: slopes and curvature in the search's coordinates."""
        def at(theta):
            _, slope, inverse, coef = _deviance(theta, self.sums, self.free, self.reml)
            return np.array([*slope, weights @ inverse @ weights, weights @ coef.ravel()])

        ends = np.array([(at(self.theta + step) - at(self.theta - step)) / 2e-4 for step in 1e-4 * np.eye(len(self.theta))])
        curve, of_variance, of_estimate = (ends[:, :-2] + ends[:, :-2].T) / 2, ends[:, -2], ends[:, -1]
        if np.linalg.eigvalsh(curve)[0] <= 1e-8:
            return np.inf, 0.0
        spread = 2 * of_variance @ np.linalg.solve(curve, of_variance)
        df = 2 * at(self.theta)[-2] ** 2 / spread if spread > 0 else np.inf
        return float(df), float(2 * of_estimate @ np.linalg.solve(curve, of_estimate))


def fit_mmrm(y, x, reml=True, alike=()):
    """Mean score at each visit given `x`, with an unstructured covariance of the visits, the same for everyone.

    Parameters
    ----------
    y : array, people x visits
        Scores; nan = missing. A person without any is left out. Baseline may be a visit or a column of `x`.
    x : array, people x columns
        No nan; give the constant too. Each column has its own coefficient at every visit, but for those in `alike`.
    reml : bool
        Restricted maximum likelihood, else maximum likelihood.
    alike : sequence of int
        Columns of `x` with one coefficient for all visits.

    Returns
    -------
    Mmrm

    Raises
    ------
    DataError
        If a visit has too few scores for the columns of `x`, a score never varies, or the search does not end.

    References
    ----------
    Mallinckrodt et al (2008) Drug Inf J 42:303; Satterthwaite limits as in the R package mmrm 0.3. Missing at random given
    the scores that were taken and `x`.
    """
    from scipy.optimize import minimize

    y, x = np.asarray(y, dtype=float), np.asarray(x, dtype=float)
    used = ~np.isnan(y).all(axis=1)
    y, x = y[used], x[used]
    first, variance = _by_visit(y, x)
    first[:, list(alike)] = first[:, list(alike)].mean(axis=0)
    scale, free = float(np.sqrt(np.mean(variance))), _free(y.shape[1], x.shape[1], alike)
    sums = _sums((y - x @ first.T) / scale, x)
    start = _theta(np.diag(variance) / scale ** 2)
    found = minimize(lambda t: _deviance(t, sums, free, reml)[:2], start, jac=True, method="BFGS",
                     options={"gtol": GRADIENT, "maxiter": 500})
    deviance, slope, inverse, coef = _deviance(found.x, sums, free, reml)
    if not np.isfinite(deviance) or np.abs(slope).max() > 1e-2:
        raise DataError("the mixed model did not settle on an answer")
    scores = int((~np.isnan(y)).sum()) - (free.shape[1] if reml else 0)
    loglik = -0.5 * (deviance + scores * np.log(2 * np.pi)) - scores * np.log(scale)
    lower = _lower(found.x, y.shape[1])
    return Mmrm(first + scale * coef, scale ** 2 * lower @ lower.T, scale ** 2 * inverse, float(loglik), len(y), found.x, sums, free, scale,
                reml)


def conditional_means(y, means, sigma):
    """`y` with each missing score replaced by what its own mean and the scores that were taken lead one to expect."""
    y, means = np.array(y, dtype=float), np.asarray(means, dtype=float)
    for there, rows in _patterns(y):
        weights = np.linalg.solve(sigma[np.ix_(there, there)], sigma[np.ix_(there, ~there)]) if there.any() else np.zeros((0, y.shape[1]))
        lost = means[np.ix_(rows, ~there)] + (y[np.ix_(rows, there)] - means[np.ix_(rows, there)]) @ weights
        y[np.ix_(rows, ~there)] = lost
    return y


def impute_by_reference(y, x, arm, method, alike=()):
    """Scores with the missing ones as expected if people lost from one arm went on like those of the other.

    Parameters
    ----------
    y : array, people x follow-up visits
    x : array, people x columns
        The constant, baseline and covariates, without the arm.
    arm : array of 0 (reference: comparison) and 1 (scheme)
    method : str
        One of REFERENCE_BASED. Jump: the comparison mean from the first visit missed for good; copy: at every visit; copy increments: the
        comparison's steps from the person's own last mean. The comparison's own missing scores are at random.

    Returns
    -------
    array
        `y` without nan. Fixed, not drawn: give limits by jackknife or bootstrap, never from the filled-in values.

    References
    ----------
    Carpenter, Roger and Kenward (2013) J Biopharm Stat 23:1352; conditional means: Wolbers et al (2022) Pharm Stat 21:1246 (R package
    rbmi, one covariance for both arms). With nobody seen again, increments have nothing to start from and it is the comparison's mean.
    """
    if method not in REFERENCE_BASED:
        raise ValueError(f"method must be one of {REFERENCE_BASED}; found {method!r}.")
    y, x, arm = np.asarray(y, dtype=float), np.asarray(x, dtype=float), np.asarray(arm, dtype=float)
    fit = fit_mmrm(y, np.column_stack([x, arm]), alike=alike)
    reference = x @ fit.coef[:, :-1].T
    own = reference + arm[:, None] * fit.coef[:, -1]
    visits = np.arange(y.shape[1])
    last = np.where(np.isnan(y), -1, visits).max(axis=1)[:, None]           # the last visit with a score; -1 for none
    means = own
    if method != REFERENCE_BASED[0]:
        step = np.where(last < 0, 0.0, np.take_along_axis(own - reference, np.maximum(last, 0), axis=1))
        after = {"jump to reference": reference, "copy reference": reference, "copy increments in reference": reference + step}[method]
        means = np.where((visits > last) | (method == "copy reference"), after, own)    # for the comparison's own people all are the same
    return conditional_means(y, means, fit.sigma)


def fit_random_intercept(y, x, person, reml=True):
    """A straight-line model with one level per person (statsmodels MixedLM; R's lmer with (1 | person)).

    Parameters
    ----------
    y : array, one score per row
    x : array, rows x columns, the constant included
    person : array, whose row it is

    Returns
    -------
    dict
        coef, se (arrays), var_person, var_residual, loglik.
    """
    import statsmodels.api as sm

    model = sm.MixedLM(np.asarray(y, dtype=float), np.asarray(x, dtype=float), groups=np.asarray(person))
    fit = model.fit(reml=reml, method=["lbfgs", "bfgs"])
    return dict(coef=fit.fe_params, se=fit.bse_fe, var_person=float(np.asarray(fit.cov_re)[0, 0]), var_residual=float(fit.scale),
                loglik=float(fit.llf))


# ---- the likelihood -----------------------------------------------------------------------------------------------------------

def _patterns(y):
    """(which visits are there, which people) for each way of missing visits."""
    kinds, which = np.unique(~np.isnan(y), axis=0, return_inverse=True)
    return [(there, np.flatnonzero(which.ravel() == i)) for i, there in enumerate(kinds)]


def _by_visit(y, x):
    """A first guess, visit by visit: least-squares coefficients and residual variances."""
    coef, variance = [], []
    for scores in y.T:
        there = ~np.isnan(scores)
        part = x[there]
        if there.sum() < x.shape[1] + 2 or np.linalg.matrix_rank(part) < x.shape[1]:
            raise DataError("too few scores at a visit for a mixed model")
        coef.append(np.linalg.lstsq(part, scores[there], rcond=None)[0])
        variance.append(((scores[there] - part @ coef[-1]) ** 2).sum() / (there.sum() - x.shape[1]))
    if min(variance) <= 1e-12 * max(1.0, float(np.nanmax(np.abs(y))) ** 2):
        raise DataError("a score that does not vary")
    return np.array(coef), np.array(variance)


def _free(visits, columns, alike):
    """A matrix that makes all coefficients (visits x columns, in rows) from the free ones."""
    own = np.eye(visits * columns)
    tied = [own.reshape(visits, columns, -1)[:, j].sum(axis=0) for j in alike]
    return np.column_stack([own[:, [i for i in range(visits * columns) if i % columns not in alike]], *tied])


def _sums(y, x):
    """Per pattern: visits there, people, x'x, y'x and y'y."""
    return [(there, len(rows), x[rows].T @ x[rows], y[rows][:, there].T @ x[rows], y[rows][:, there].T @ y[rows][:, there])
            for there, rows in _patterns(y)]


def _lower(theta, k):
    """The lower triangle of sigma's root; its diagonal is held as logarithms."""
    lower = np.zeros((k, k))
    lower[np.tril_indices(k)] = theta
    lower[np.diag_indices(k)] = np.exp(np.clip(np.diag(lower), -30, 30))
    return lower


def _theta(sigma):
    lower = np.linalg.cholesky(sigma)
    lower[np.diag_indices(len(lower))] = np.log(np.diag(lower))
    return lower[np.tril_indices(len(lower))]


def _deviance(theta, sums, free, reml):
    """Minus twice the log-likelihood without its constant, its slope in theta, the inverse information of coef, and coef."""
    k, p = len(sums[0][0]), sums[0][2].shape[0]
    lower = _lower(theta, k)
    sigma, weights = lower @ lower.T, []
    information, score = np.zeros((k, p, k, p)), np.zeros((k, p))
    for there, _, xx, yx, _ in sums:
        weight = np.linalg.inv(sigma[np.ix_(there, there)])
        weights.append(weight)
        at = np.flatnonzero(there)
        information[np.ix_(at, range(p), at, range(p))] += np.einsum("ab,pq->apbq", weight, xx)
        score[at] += weight @ yx
    information = free.T @ information.reshape(k * p, k * p) @ free
    inverse = free @ np.linalg.inv(information) @ free.T
    coef = (inverse @ score.ravel()).reshape(k, p)
    deviance, slope = (np.linalg.slogdet(information)[1] if reml else 0.0), np.zeros((k, k))
    for weight, (there, n, xx, yx, yy) in zip(weights, sums):
        b = coef[there]
        rest = yy - b @ yx.T - yx @ b.T + b @ xx @ b.T
        deviance += (weight * rest).sum() - n * np.linalg.slogdet(weight)[1]
        if reml:
            rest = rest + np.einsum("apbq,pq->ab", inverse.reshape(k, p, k, p)[there][:, :, there], xx)
        slope[np.ix_(there, there)] += n * weight - weight @ rest @ weight
    slope = 2 * np.tril(slope @ lower)
    slope[np.diag_indices(k)] *= np.diag(lower)
    return deviance, slope[np.tril_indices(k)], inverse, coef
