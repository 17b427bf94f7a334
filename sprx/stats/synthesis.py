"""Several studies as one: random effects with what moderates them, heterogeneity, small studies, and effects that hang together.

statsmodels' `combine_effects` has no REML, no moderators and lets tau2 fall below 0; PyMARE has no Q-profile intervals, trim-and-fill or three levels
(docs/decisions/0015). Held against R's metafor. Weights are one number per study, so that 4,000 studies cost milliseconds.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sprx.errors import DataError
from sprx.stats import between

METHODS = between.METHODS
TOO_FAR = 1e10          # apart, and what the smaller studies say is lost in rounding (metafor warns from 1e7)
ROUNDING = 1e-12        # of the largest effect: no nearer to the mean can two studies be told apart
STEPS = 100             # of trim and fill, before it is said not to settle (as metafor)


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
        Variance between studies, never below 0, and its standard error (EE: missing).
    i2, h2 : float
        Per cent of the variance that lies between studies, 0 to 100; total by typical within-study variance.
    q, q_p : float
        Cochran's Q (residual heterogeneity) and its p-value.
    qm, qm_p : float
        Test of all moderators together (without any: of the mean effect); chi-square, or F where the errors are Knapp and Hartung's.
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
    scale: float = 1.0      # what Knapp and Hartung multiply the variances with

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

        with np.errstate(divide="ignore", invalid="ignore"):      # effects that are all the same have no error
            z = np.abs(self.coef / self.std_error)
        return 2 * (stats.norm.sf(z) if np.isinf(self.df) else stats.t.sf(z, self.df))

    @property
    def q_p(self):
        from scipy.stats import chi2

        return float(chi2.sf(self.q, self.k - self.x.shape[1]))

    @property
    def qm(self):
        tested = slice(1 if len(self.coef) > 1 else 0, None)
        with np.errstate(divide="ignore", invalid="ignore"):
            found = self.coef[tested] @ np.linalg.inv(self.cov[tested, tested]) @ self.coef[tested] if self.scale else np.divide(1.0, 0.0)
        return float(found / (1 if np.isinf(self.df) else len(self.coef[tested])))

    @property
    def qm_p(self):
        from scipy import stats

        tested = max(len(self.coef) - 1, 1)
        return float(stats.chi2.sf(self.qm, tested) if np.isinf(self.df) else stats.f.sf(self.qm, tested, self.df))

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
        return tuple(between.where_q_is(self.y, self.v, np.linalg.qr(self.x)[0], chi2.ppf(p, df)) for p in (1 - tail, tail))

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
        Of tau2: REML, ML, DL (DerSimonian and Laird), PM (Paule and Mandel), EE (one common effect).
    knapp_hartung : bool or "ad hoc"
        Errors by Knapp and Hartung (2003 Stat Med 22:2693), limits by t with k - p degrees of freedom; "ad hoc": never smaller than without,
        since few studies that happen to agree make the plain ones too small (Roever et al 2015 BMC Med Res Methodol 15:99).

    Returns
    -------
    Synthesis

    Raises
    ------
    DataError
        If there are not more studies than coefficients, a variance is not above 0 or 1e10 times another, or a number is missing.
    """
    if method not in METHODS:
        raise DataError(f"no method {method!r}; there are {', '.join(METHODS)}")
    y, v, x = _checked(y, v, moderators)
    k, p = x.shape
    basis, turn = np.linalg.qr(x)       # the same design at right angles: a moderator such as a year loses no digits
    q, trace = between.sums_at(y, v, basis, 0.0)
    tau2, error = between.variance_between(y, v, basis, method)
    weights = 1 / (v + tau2)
    inner, back = np.linalg.inv((basis * weights[:, None]).T @ basis), np.linalg.inv(turn)
    straight = inner @ (basis * weights[:, None]).T @ y
    coef, cov = back @ straight, back @ inner @ back.T
    df, scale = float("inf"), 1.0
    if knapp_hartung:
        spread = float((weights * (y - basis @ straight) ** 2).sum() / (k - p))
        df, scale = float(k - p), max(spread, 1.0) if knapp_hartung == "ad hoc" else spread
    return Synthesis(y, v, x, method, knapp_hartung, conf_level, coef, cov * scale, df, tau2, error, q, (k - p) / trace, scale)


def _checked(y, v, moderators):
    """Effects, variances and design as arrays, or a DataError that says how many studies lack what."""
    y, v = np.asarray(y, dtype=float), np.asarray(v, dtype=float)
    if y.ndim != 1 or y.shape != v.shape:
        raise DataError(f"there are {y.size} effects and {v.size} variances; every study needs one of each")
    x = np.ones((len(y), 1)) if moderators is None else np.column_stack([np.ones(len(y)), moderators]).astype(float)
    for lacking, what in ((~np.isfinite(y), "no effect"), (~np.isfinite(v), "no variance"), (v <= 0, "a variance that is not above 0"), (~np.isfinite(x).all(axis=1), "a moderator missing")):
        if lacking.any():
            raise DataError(f"every study needs an effect and a variance above 0, and its moderators: {lacking.sum()} of {len(y)} studies have {what}; leave them out and say so, or find the number")
    if len(y) <= x.shape[1] or np.linalg.matrix_rank(x) < x.shape[1]:
        raise DataError(f"there are too few studies ({len(y)}, for {x.shape[1]} {'coefficients' if x.shape[1] > 1 else 'mean and the variance around it'}), or they do not differ in what is to explain them")
    if v.max() > TOO_FAR * v.min():
        raise DataError(f"the largest variance is {v.max() / v.min():.0e} times the least: one of them is a mistake (an error of 0, or a variance where an error was meant)")
    return y, v, x


# ---- one study at a time, subgroups, small studies

def leave_one_out(y, v, moderators=None, **how):
    """The synthesis without each study in turn, and how much each one moves it.

    Returns
    -------
    DataFrame, one row per study left out
        estimate, std_error, conf_low, conf_high (of the mean, or the intercept), tau2, i2, q; rstudent (how far the study lies from what the others predict, in standard errors), dffits, cooks_distance,
        covariance_ratio (below 1: without the study the answer is more certain), hat.

    Raises
    ------
    DataError
        If too few studies are left.

    References
    ----------
    Viechtbauer and Cheung (2010) Res Synth Methods 1:112; as metafor's influence().
    """
    whole = synthesise(y, v, moderators, **how)
    if whole.k - 1 <= whole.x.shape[1]:
        raise DataError(f"leaving one of {whole.k} studies out leaves too few to pool")
    basis, weights, rows = np.linalg.qr(whole.x)[0], 1 / (whole.v + whole.tau2), []
    certain = (whole.x * weights[:, None]).T @ whole.x / (whole.scale or np.inf)
    hat = weights * np.einsum("ij,jk,ik->i", basis, np.linalg.inv((basis * weights[:, None]).T @ basis), basis)
    for i, here in enumerate(whole.x):
        fit = synthesise(np.delete(whole.y, i), np.delete(whole.v, i), np.delete(whole.x, i, axis=0)[:, 1:] if len(here) > 1 else None, **how)
        moved, spread = whole.coef - fit.coef, fit.scale * (whole.v[i] + fit.tau2)
        with np.errstate(divide="ignore", invalid="ignore"):
            rows.append(dict(estimate=fit.coef[0], std_error=fit.std_error[0], conf_low=fit.conf_low[0], conf_high=fit.conf_high[0], tau2=fit.tau2, i2=fit.i2, q=fit.q,
                             rstudent=(whole.y[i] - here @ fit.coef) / (spread + here @ fit.cov @ here) ** 0.5, dffits=here @ moved / (spread * hat[i]) ** 0.5, cooks_distance=moved @ certain @ moved,
                             covariance_ratio=np.linalg.det(fit.cov) / np.linalg.det(whole.cov), hat=hat[i]))
    return pd.DataFrame(rows)


def synthesise_by(y, v, by, **how):
    """Each group of studies by itself, and whether they differ.

    Returns
    -------
    (dict of level to Synthesis, q_between, p_between)
        Groups of one study are left out of the dict, studies without a group are the group "missing"; between: Q of the groups' means, weighted by their variances without Knapp and Hartung's factor, which a few
        studies that happen to agree bring near 0 (Borenstein and Higgins 2013 Prev Sci 14:134).
    """
    from scipy.stats import chi2

    y, v, by = np.asarray(y, dtype=float), np.asarray(v, dtype=float), pd.Series(np.asarray(by, dtype=object))
    by = by.where(by.notna(), "missing").to_numpy()
    found = {level: synthesise(y[by == level], v[by == level], **how) for level in pd.unique(by) if (by == level).sum() > 1}
    if len(found) < 2:
        return found, float("nan"), float("nan")
    means, weights = (np.array([pick(fit) for fit in found.values()]) for pick in (lambda f: f.coef[0], lambda f: (1 / (f.v + f.tau2)).sum()))
    q = float((weights * (means - np.average(means, weights=weights)) ** 2).sum())
    return found, q, float(chi2.sf(q, len(found) - 1))


def egger(y, v):
    """Whether small studies find something else: effects on their standard errors (weighted least squares; Egger et al 1997 BMJ 315:629).

    metafor's default `regtest` is another test: `synthesise(y, v, np.sqrt(v), knapp_hartung=False)`, the slope's p-value.

    Returns
    -------
    dict
        bias, bias_error, t, df, p_value; limit and limit_error: the effect of a study of endless size.

    Raises
    ------
    DataError
        If there are fewer than three studies, or all have the same error.
    """
    fit = synthesise(y, v, np.sqrt(v), "EE") if len(y) > 2 and np.ptp(np.asarray(v, dtype=float)) > 0 else None
    if fit is None:
        _checked(y, v, None)
        raise DataError("small studies cannot be told from large ones: fewer than three studies, or all of the same size")
    with np.errstate(divide="ignore", invalid="ignore"):
        t = fit.coef[1] / fit.std_error[1]
    return dict(bias=fit.coef[1], bias_error=fit.std_error[1], t=t, df=int(fit.df), p_value=fit.p_value[1], limit=fit.coef[0], limit_error=fit.std_error[0])


class Filled(tuple):
    """(k0, side, fit, filled), and the standard error of k0."""

    k0_error = float("nan")


def trim_and_fill(y, v, side=None, **how):
    """How many studies seem to be missing on one side, and the synthesis with their mirror images filled in.

    Parameters
    ----------
    side : "left" or "right", optional
        Where studies are missing; default: left if small studies find more (the sign of the effects' slope on their errors, by the same method), else right.

    Returns
    -------
    (k0, side, Synthesis, filled), with the attribute k0_error
        filled: DataFrame with effect and variance of the studies filled in. A sensitivity analysis, not a correction.

    Raises
    ------
    DataError
        If there are fewer than two studies, or the number does not settle.

    References
    ----------
    Duval and Tweedie (2000) Biometrics 56:455, estimator L0; as metafor's trimfill().
    """
    y, v, _ = _checked(y, v, None)
    k = len(y)
    if side is None:
        side = "right" if k > 2 and np.ptp(v) > 0 and synthesise(y, v, np.sqrt(v), **how).coef[1] < 0 else "left"
    turn = -1.0 if side == "right" else 1.0
    order = np.argsort(turn * y, kind="stable")
    effects, variances, k0 = turn * y[order], v[order], 0
    for _ in range(STEPS):
        centre = float(synthesise(effects[:k - k0], variances[:k - k0], **how).coef[0]) if k - k0 > 1 else effects[0]
        centred = np.where(np.abs(effects - centre) > ROUNDING * np.abs(effects).max(), effects - centre, 0.0)
        ranks = np.empty(k)
        ranks[np.argsort(np.abs(centred), kind="stable")] = np.arange(1, k + 1)
        raw = (4 * ranks[centred > 0].sum() - k * (k + 1)) / (2 * k - 1)
        before, k0 = k0, max(0, int(np.round(raw)))
        if k0 == before:
            break
    else:
        raise DataError(f"trim and fill goes back and forth between {before} and {k0} studies; there is no number to report")
    filled = pd.DataFrame(dict(effect=turn * (centre - centred[k - k0:]), variance=variances[k - k0:]))
    found = Filled((k0, side, synthesise(np.append(y, filled["effect"]), np.append(v, filled["variance"]), **how), filled))
    found.k0_error = _error_of_k0(k, raw)
    return found


def _error_of_k0(k, k0):
    """The standard error of L0, from the variance of the ranks' sum (k0 before it is rounded)."""
    variance = (k * (k + 1) * (2 * k + 1) + 10 * k0 ** 3 + 27 * k0 ** 2 + 17 * k0 - 18 * k * k0 ** 2 - 18 * k * k0 + 6 * k ** 2 * k0) / 24
    return float(4 * max(variance, 0.0) ** 0.5 / (2 * k - 1))


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
