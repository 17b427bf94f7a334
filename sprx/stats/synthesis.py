"""Several studies as one: random effects with what moderates them, heterogeneity, small studies, and effects that hang together.

statsmodels' `combine_effects` has no REML, no moderators and lets tau2 fall below 0; PyMARE has no Q-profile intervals, trim-and-fill or three levels
(docs/decisions/0015). Held against R's metafor. Weights are one number per study, so that 4,000 studies cost milliseconds.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sprx.errors import DataError

METHODS = ("REML", "DL", "PM", "EE")    # EE: one common effect, no variance between studies
STEPS, CLOSE = 200, 1e-12


@dataclass(frozen=True)
class Synthesis:
    """A fitted random-effects model of k studies and p coefficients (the first is the mean effect, or the intercept).

    Attributes
    ----------
    coef, std_error, conf_low, conf_high, p_value : arrays
    cov : array
    df : float
        Degrees of freedom of the limits (inf: normal).
    tau2, tau2_error : float
        Variance between studies, never below 0, and its standard error.
    i2, h2 : float
        Per cent of the variance that lies between studies, 0 to 100; total by typical within-study variance.
    q, q_p : float
        Cochran's Q (residual heterogeneity) and its p-value.
    weights : array
        Per cent, in the order of the studies.
    """

    y: np.ndarray
    v: np.ndarray
    x: np.ndarray
    method: str
    knapp_hartung: bool | str
    conf_level: float
    coef: np.ndarray
    cov: np.ndarray
    df: float
    tau2: float
    tau2_error: float
    q: float
    typical: float

    @property
    def k(self):
        return len(self.y)

    @property
    def std_error(self):
        return np.sqrt(np.diag(self.cov))

    @property
    def conf_low(self):
        return self.coef - self._quantile() * self.std_error

    @property
    def conf_high(self):
        return self.coef + self._quantile() * self.std_error

    @property
    def p_value(self):
        from scipy import stats

        z = np.abs(self.coef / self.std_error)
        return 2 * (stats.norm.sf(z) if np.isinf(self.df) else stats.t.sf(z, self.df))

    @property
    def q_p(self):
        from scipy.stats import chi2

        return float(chi2.sf(self.q, self.k - self.x.shape[1]))

    @property
    def i2(self):
        if self.method == "EE":         # no variance between studies is fitted: from Q
            return float(max(0.0, 100 * (self.q - self.k + self.x.shape[1]) / self.q)) if self.q > 0 else 0.0
        return float(100 * self.tau2 / (self.tau2 + self.typical)) if self.tau2 > 0 else 0.0

    @property
    def h2(self):
        return float(self.q / (self.k - self.x.shape[1])) if self.method == "EE" else float(self.tau2 / self.typical + 1)

    @property
    def weights(self):
        w = 1 / (self.v + self.tau2)
        return 100 * w / w.sum()

    def predict(self, at=None):
        """The mean effect and the effect of one further study, where the moderators are `at` (rows of p columns; default the mean effect).

        Returns
        -------
        DataFrame
            estimate, std_error, conf_low, conf_high (of the mean); pred_low, pred_high (of a new study: Higgins, Thompson and Spiegelhalter 2009 J R Stat Soc A 172:137).
        """
        at = np.atleast_2d(np.eye(1, self.x.shape[1]) if at is None else np.asarray(at, dtype=float))
        mean, variance, quantile = at @ self.coef, np.einsum("ij,jk,ik->i", at, self.cov, at), self._quantile()
        half, wide = quantile * np.sqrt(variance), quantile * np.sqrt(variance + self.tau2)
        return pd.DataFrame(dict(estimate=mean, std_error=np.sqrt(variance), conf_low=mean - half, conf_high=mean + half, pred_low=mean - wide, pred_high=mean + wide))

    def tau2_interval(self):
        """Limits of tau2 by the Q-profile method (Viechtbauer 2007 Stat Med 26:37): (low, high), at least 0."""
        from scipy.stats import chi2

        df, tail = self.k - self.x.shape[1], (1 - self.conf_level) / 2
        return tuple(_where_q_is(self.y, self.v, self.x, chi2.ppf(p, df)) for p in (1 - tail, tail))

    def _quantile(self):
        from scipy import stats

        level = (1 + self.conf_level) / 2
        return float(stats.norm.ppf(level) if np.isinf(self.df) else stats.t.ppf(level, self.df))


def synthesise(y, v, moderators=None, method="REML", knapp_hartung=True, conf_level=0.95):
    """Random-effects meta-analysis, or meta-regression.

    Parameters
    ----------
    y, v : arrays, one value per study
        Effects and their variances.
    moderators : array, studies x columns, optional
        Without the constant.
    method : str
        Of tau2: REML, DL (DerSimonian and Laird), PM (Paule and Mandel), EE (one common effect).
    knapp_hartung : bool or "ad hoc"
        Errors by Knapp and Hartung (2003 Stat Med 22:2693), limits by t with k - p degrees of freedom; "ad hoc": never smaller than without,
        since few studies that happen to agree make the plain ones too small (Roever et al 2015 BMC Med Res Methodol 15:99).

    Returns
    -------
    Synthesis

    Raises
    ------
    DataError
        If there are not more studies than coefficients, a variance is not above 0, or a number is missing.
    """
    y, v = np.asarray(y, dtype=float), np.asarray(v, dtype=float)
    x = np.ones((len(y), 1)) if moderators is None else np.column_stack([np.ones(len(y)), moderators]).astype(float)
    if method not in METHODS:
        raise DataError(f"no method {method!r}; there are {', '.join(METHODS)}")
    if not (np.isfinite(y).all() and np.isfinite(v).all() and np.isfinite(x).all() and (v > 0).all()):
        raise DataError("every study needs an effect and a variance above 0")
    k, p = x.shape
    if k <= p or np.linalg.matrix_rank(x) < p:
        raise DataError("there are too few studies, or they do not differ in what is to explain them")
    q, trace, _ = _at(y, v, x, 0.0)
    tau2, error = dict(REML=_reml, DL=_moments, PM=_paule_mandel, EE=lambda *_: (0.0, 0.0))[method](y, v, x)
    weights = 1 / (v + tau2)
    cov = np.linalg.inv((x * weights[:, None]).T @ x)
    coef = cov @ (x * weights[:, None]).T @ y
    df = float("inf")
    if knapp_hartung:
        spread = float((weights * (y - x @ coef) ** 2).sum() / (k - p))
        cov, df = cov * (max(spread, 1.0) if knapp_hartung == "ad hoc" else spread), float(k - p)
    return Synthesis(y, v, x, method, knapp_hartung, conf_level, coef, cov, df, tau2, error, q, (k - p) / trace)


def _at(y, v, x, tau2):
    """With this variance between studies: Q, the trace of the projection, and that of its square."""
    w = 1 / (v + tau2)
    inverse, squares = np.linalg.inv((x * w[:, None]).T @ x), (x * (w ** 2)[:, None]).T @ x
    left = y - x @ (inverse @ (x * w[:, None]).T @ y)
    product = inverse @ squares
    trace2 = (w ** 2).sum() - 2 * np.trace(inverse @ (x * (w ** 3)[:, None]).T @ x) + np.trace(product @ product)
    return float((w * left ** 2).sum()), float(w.sum() - np.trace(product)), float(trace2)


def _reml(y, v, x):
    """Fisher scoring, as metafor; a step that would fall below 0 is halved, and 0 is where it ends."""
    tau2 = _moments(y, v, x)[0]
    for _ in range(STEPS):
        w = 1 / (v + tau2)
        inverse = np.linalg.inv((x * w[:, None]).T @ x)
        pulled = w * (y - x @ (inverse @ (x * w[:, None]).T @ y))
        _, trace, trace2 = _at(y, v, x, tau2)
        step = float((pulled ** 2).sum() - trace) / trace2
        if tau2 + step < 0:
            step = -tau2 if tau2 < CLOSE else -tau2 / 2 if tau2 + step > -10 * tau2 else -tau2
        tau2 += step
        if abs(step) < CLOSE * max(tau2, 1e-6):
            break
    return max(tau2, 0.0), (2 / _at(y, v, x, max(tau2, 0.0))[2]) ** 0.5


def _moments(y, v, x):
    """DerSimonian and Laird (1986), floored at 0."""
    q, trace, trace2 = _at(y, v, x, 0.0)
    df = len(y) - x.shape[1]
    tau2 = max((q - df) / trace, 0.0)
    return tau2, ((2 * df + 4 * tau2 * trace + 2 * tau2 ** 2 * trace2) ** 0.5) / trace


def _paule_mandel(y, v, x):
    """Paule and Mandel (1982): the tau2 at which Q is what is expected of it."""
    tau2 = _where_q_is(y, v, x, len(y) - x.shape[1])
    return tau2, (2 / _at(y, v, x, tau2)[2]) ** 0.5


def _where_q_is(y, v, x, value):
    """The tau2 at which the generalised Q falls to a value; 0 where it lies below at 0 already."""
    from scipy.optimize import brentq

    if _at(y, v, x, 0.0)[0] <= value:
        return 0.0
    high = max(float(np.var(y)), float(v.mean()), 1e-8)
    while _at(y, v, x, high)[0] > value:
        high *= 4
    return float(brentq(lambda tau2: _at(y, v, x, tau2)[0] - value, 0.0, high, xtol=1e-14, rtol=1e-13))


# ---- one study at a time, subgroups, small studies

def leave_one_out(y, v, **how):
    """The synthesis without each study in turn, and how much each one moves it.

    Returns
    -------
    DataFrame, one row per study left out
        estimate, std_error, conf_low, conf_high, tau2, i2, q; rstudent (how far the study lies from what the others predict, in standard errors), cooks_distance, hat.
    """
    y, v = np.asarray(y, dtype=float), np.asarray(v, dtype=float)
    whole, rows = synthesise(y, v, **how), []
    for i in range(len(y)):
        keep = np.arange(len(y)) != i
        fit = synthesise(y[keep], v[keep], **how)
        gap = y[i] - fit.coef[0]
        rows.append(dict(estimate=fit.coef[0], std_error=fit.std_error[0], conf_low=fit.conf_low[0], conf_high=fit.conf_high[0], tau2=fit.tau2, i2=fit.i2, q=fit.q,
                         rstudent=gap / (v[i] + fit.tau2 + fit.cov[0, 0]) ** 0.5, cooks_distance=(whole.coef[0] - fit.coef[0]) ** 2 / whole.cov[0, 0], hat=whole.weights[i] / 100))
    return pd.DataFrame(rows)


def synthesise_by(y, v, by, **how):
    """Each group of studies by itself, and whether they differ.

    Returns
    -------
    (dict of level to Synthesis, q_between, p_between)
        Groups of one study are left out of the dict; between: Q of the groups' means, weighted by their variances (Borenstein and Higgins 2013 Prev Sci 14:134).
    """
    from scipy.stats import chi2

    y, v, by = np.asarray(y, dtype=float), np.asarray(v, dtype=float), np.asarray(by)
    found = {level: synthesise(y[by == level], v[by == level], **how) for level in pd.unique(by) if (by == level).sum() > 1}
    if len(found) < 2:
        return found, float("nan"), float("nan")
    means, variances = (np.array([pick(fit) for fit in found.values()]) for pick in (lambda f: f.coef[0], lambda f: f.cov[0, 0]))
    q = float(((means - np.average(means, weights=1 / variances)) ** 2 / variances).sum())
    return found, q, float(chi2.sf(q, len(found) - 1))


def egger(y, v):
    """Whether small studies find something else: effects on their standard errors (weighted least squares; Egger et al 1997 BMJ 315:629).

    Returns
    -------
    dict
        bias, bias_error, t, df, p_value; limit and limit_error: the effect of a study of endless size.
    """
    import statsmodels.api as sm

    y, v = np.asarray(y, dtype=float), np.asarray(v, dtype=float)
    if len(y) < 3:
        raise DataError("small studies cannot be told from large ones: fewer than three studies")
    fit = sm.WLS(y, sm.add_constant(np.sqrt(v), has_constant="add"), weights=1 / v).fit()
    return dict(bias=fit.params[1], bias_error=fit.bse[1], t=fit.tvalues[1], df=int(fit.df_resid), p_value=fit.pvalues[1], limit=fit.params[0], limit_error=fit.bse[0])


def trim_and_fill(y, v, **how):
    """How many studies seem to be missing on one side, and the synthesis with their mirror images filled in.

    Returns
    -------
    (k0, side, Synthesis, filled)
        filled: DataFrame with effect and variance of the studies filled in. A sensitivity analysis, not a correction.

    References
    ----------
    Duval and Tweedie (2000) Biometrics 56:455, estimator L0.
    """
    y, v = np.asarray(y, dtype=float), np.asarray(v, dtype=float)
    side, k = "right" if egger(y, v)["bias"] < 0 else "left", len(y)
    turn = -1.0 if side == "right" else 1.0
    order = np.argsort(turn * y, kind="stable")
    effects, variances, k0 = turn * y[order], v[order], 0
    for _ in range(STEPS):
        fit = synthesise(effects[:k - k0], variances[:k - k0], **how)
        centred = effects - fit.coef[0]
        ranks = np.empty(k)
        ranks[np.argsort(np.abs(centred), kind="stable")] = np.arange(1, k + 1)
        before, k0 = k0, max(0, int(np.round((4 * ranks[centred > 0].sum() - k * (k + 1)) / (2 * k - 1))))
        if k0 == before:
            break
        if k - k0 < 2:
            raise DataError("trimming leaves too few studies")
    filled = pd.DataFrame(dict(effect=turn * (fit.coef[0] - centred[k - k0:]), variance=variances[k - k0:]))
    return k0, side, synthesise(np.append(y, filled["effect"]), np.append(v, filled["variance"]), **how), filled


def shrunken(fit):
    """Each study's effect drawn towards the mean by as much as its own error says (empirical Bayes): estimate and std_error per study.

    References
    ----------
    Raudenbush and Bryk (1985) J Educ Stat 10:75; the error allows for the mean's own.
    """
    share = fit.tau2 / (fit.tau2 + fit.v)
    mean = fit.x @ fit.coef
    variance = share * fit.v + (1 - share) ** 2 * np.einsum("ij,jk,ik->i", fit.x, fit.cov, fit.x)
    return pd.DataFrame(dict(estimate=share * fit.y + (1 - share) * mean, std_error=np.sqrt(variance)))


# ---- effects that hang together

def three_level(y, v, outer, inner=None, conf_level=0.95):
    """The mean effect where studies give several effects: variance between clusters and between effects within them (REML).

    Parameters
    ----------
    outer : array
        The cluster (study) of each effect.
    inner : array, optional
        Its unit within the cluster; default every effect is one of its own.

    Returns
    -------
    dict
        estimate, std_error, conf_low, conf_high, tau2_outer, tau2_inner, log_likelihood (restricted), q.

    References
    ----------
    Konstantopoulos (2011) Res Synth Methods 2:61.
    """
    from scipy.optimize import minimize
    from scipy.stats import norm

    y, v = np.asarray(y, dtype=float), np.asarray(v, dtype=float)
    inner = np.arange(len(y)) if inner is None else np.asarray(inner)
    members = [np.flatnonzero(np.asarray(outer) == level) for level in pd.unique(np.asarray(outer))]
    blocks = [(y[m], v[m], (inner[m][:, None] == inner[m]).astype(float)) for m in members]

    def parts(between, within):
        """Sums that the likelihood needs: 1'V^-1 1, 1'V^-1 y, y'V^-1 y, log det V."""
        sums = np.zeros(4)
        for effects, variances, same in blocks:
            whole = np.diag(variances) + between + within * same
            solved = np.linalg.solve(whole, np.column_stack([np.ones(len(effects)), effects]))
            sums += solved[:, 0].sum(), solved[:, 1].sum(), effects @ solved[:, 1], np.linalg.slogdet(whole)[1]
        return sums

    def minus(roots):
        ones, cross, squares, log_det = parts(*np.square(roots))
        return 0.5 * ((len(y) - 1) * np.log(2 * np.pi) + log_det + np.log(ones) + squares - cross ** 2 / ones)

    spread = float(np.sqrt(max(np.var(y), 1e-8)))
    best = min((minimize(minus, np.array(start) * spread, method="Nelder-Mead", options=dict(xatol=1e-9, fatol=1e-12, maxiter=4000)) for start in ((0.7, 0.7), (0.7, 0.05), (0.05, 0.7))), key=lambda r: r.fun)
    between, within = np.square(best.x)
    ones, cross, _, _ = parts(between, within)
    estimate, error = cross / ones, ones ** -0.5
    half = norm.ppf((1 + conf_level) / 2) * error
    fixed = np.average(y, weights=1 / v)
    # metafor's restricted likelihood counts the constant of the design: + log|X'X|/2
    return dict(estimate=estimate, std_error=error, conf_low=estimate - half, conf_high=estimate + half, tau2_outer=float(between), tau2_inner=float(within),
                log_likelihood=float(-best.fun + 0.5 * np.log(len(y))), q=float(((y - fixed) ** 2 / v).sum()))
