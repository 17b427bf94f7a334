"""How much studies differ beyond what their errors explain: the variance between them, by REML, ML, moments, and Paule and Mandel.

Each takes effects, their variances and the design (arrays; columns at right angles keep all digits), and gives tau2 and its standard error, by the formulas of metafor's `rma`.
"""

import numpy as np

METHODS = ("REML", "ML", "DL", "PM", "EE")      # EE: one common effect, no variance between studies
CANCELS = 1e5           # weights this far apart: the difference of sums of their squares has fewer than six digits left
PER_DECADE = 6          # values of tau2 at which the likelihood is looked at, for each factor of ten


def variance_between(y, v, x, method):
    """tau2, never below 0, and its standard error (EE: 0, and missing)."""
    if method == "EE":
        return 0.0, float("nan")
    if method in ("REML", "ML"):
        return _likeliest(y, v, x, method == "REML")
    return (_moments if method == "DL" else _paule_mandel)(y, v, x)


def sums_at(y, v, x, tau2):
    """With this variance between studies: Q, and the trace of the projection."""
    w = 1 / (v + tau2)
    inverse, squares = np.linalg.inv((x * w[:, None]).T @ x), (x * (w ** 2)[:, None]).T @ x
    left = y - x @ (inverse @ (x * w[:, None]).T @ y)
    return float((w * left ** 2).sum()), float(w.sum() - np.trace(inverse @ squares))


def squared_trace(v, x, tau2):
    """The trace of the squared projection: as sums, or where weights lie so far apart that these cancel, from the whole matrix."""
    w = 1 / (v + tau2)
    inverse = np.linalg.inv((x * w[:, None]).T @ x)
    if w.max() > CANCELS * w.min():
        root = x * np.sqrt(w)[:, None]
        return float((w[:, None] * w * (np.eye(len(v)) - root @ inverse @ root.T) ** 2).sum())
    product = inverse @ (x * (w ** 2)[:, None]).T @ x
    return float((w ** 2).sum() - 2 * np.trace(inverse @ (x * (w ** 3)[:, None]).T @ x) + np.trace(product @ product))


def _likeliest(y, v, x, restricted):
    """The tau2 of the highest (restricted) likelihood, wherever its hills are: the highest of many values, then where the slope next to it is 0.

    Below a hundredth of the least variance the likelihood is a straight line; above ten times the squares of all effects it only falls.
    """
    from scipy.optimize import brentq

    def slope(tau2):
        w = 1 / (v + tau2)
        inverse = np.linalg.inv((x * w[:, None]).T @ x)
        pulled = w * (y - x @ (inverse @ ((x * w[:, None]).T @ y)))
        return float((pulled ** 2).sum() - w.sum() + restricted * np.trace(inverse @ ((x * (w ** 2)[:, None]).T @ x)))

    low, high = v.min() / 100, 10 * float(((y - y.mean()) ** 2).sum())
    values = np.append(0.0, np.geomspace(low, high, 2 + int(PER_DECADE * np.log10(high / low)))) if high > low else np.array([0.0, low])
    best = int(np.argmax(log_likelihood(y, v, x, values, restricted)))
    left, right = values[max(best - 1, 0)], values[min(best + 1, len(values) - 1)]
    if slope(left) <= 0 or slope(right) >= 0:       # no hill inside: it falls from 0 on
        tau2 = float(values[best])
    else:
        tau2 = float(brentq(slope, left, right, xtol=1e-16 * right, rtol=1e-14))
    return tau2, float(2 / (squared_trace(v, x, tau2) if restricted else (1 / (v + tau2) ** 2).sum())) ** 0.5


def log_likelihood(y, v, x, values, restricted=True):
    """The (restricted) log-likelihood of each of several tau2, without the parts that it does not change."""
    left = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]       # small numbers, so that their squares lose nothing
    w = 1 / (v + np.asarray(values)[:, None])
    cross = (w @ (x[:, :, None] * x[:, None, :]).reshape(len(y), -1)).reshape(-1, x.shape[1], x.shape[1])
    pulled = w @ (x * left[:, None])
    q = w @ left ** 2 - (pulled * np.linalg.solve(cross, pulled[:, :, None])[:, :, 0]).sum(axis=1)
    return 0.5 * (np.log(w).sum(axis=1) - q - restricted * np.linalg.slogdet(cross)[1])


def _moments(y, v, x):
    """DerSimonian and Laird (1986), floored at 0."""
    q, trace = sums_at(y, v, x, 0.0)
    df = len(y) - x.shape[1]
    tau2 = max((q - df) / trace, 0.0)
    return tau2, ((2 * df + 4 * tau2 * trace + 2 * tau2 ** 2 * squared_trace(v, x, 0.0)) ** 0.5) / trace


def _paule_mandel(y, v, x):
    """Paule and Mandel (1982): the tau2 at which Q is what is expected of it."""
    k, p = x.shape
    tau2 = where_q_is(y, v, x, k - p)
    return tau2, k * (2 / (k - p)) ** 0.5 / float((1 / (v + tau2)).sum())


def where_q_is(y, v, x, value):
    """The tau2 at which the generalised Q falls to a value; 0 where it lies below at 0 already."""
    from scipy.optimize import brentq

    if sums_at(y, v, x, 0.0)[0] <= value:
        return 0.0
    high = max(float(np.var(y)), float(v.mean()))
    while sums_at(y, v, x, high)[0] > value:
        high *= 4
    return float(brentq(lambda tau2: sums_at(y, v, x, tau2)[0] - value, 0.0, high, xtol=1e-16 * high, rtol=1e-13))
