"""One ratio from several tables of counts, without an error for each study: Mantel and Haenszel's, for rare events."""

import numpy as np

from sprx.errors import DataError
from sprx.stats import effect_sizes


def mantel_haenszel(events1, size1, events2, size2, measure="RR", conf_level=0.95):
    """The common ratio of several studies, weighted by their counts.

    Parameters
    ----------
    events1, size1, events2, size2 : arrays, one value per study
        Events, and people (RR, OR) or person-time (IRR), of the first and the second group.
    measure : str
        RR (shares), OR (odds) or IRR (rates).

    Returns
    -------
    dict
        estimate (log ratio), std_error, conf_low, conf_high, p_value (normal); k; q, q_p and i2 (heterogeneity: inverse variance, 0.5 added to the cells of studies with an empty one).

    Raises
    ------
    DataError
        If a count is missing, below 0 or above its group, or one of the groups has no events in any study.

    References
    ----------
    Greenland and Robins (1985) Biometrics 41:55 (RR); Robins, Breslow and Greenland (1986) Biometrics 42:311 (OR); Rothman, Greenland and Lash (2008) ch. 15 (IRR). As metafor's rma.mh().
    """
    from scipy.stats import chi2, norm

    ratios = dict(RR=effect_sizes.log_risk_ratio, OR=effect_sizes.log_odds_ratio, IRR=effect_sizes.log_rate_ratio)
    if measure not in ratios:
        raise DataError(f"no measure {measure!r}; there are {', '.join(ratios)}")
    a, n1, c, n2 = (np.atleast_1d(np.asarray(part, dtype=float)) for part in (events1, size1, events2, size2))
    missing = ~np.isfinite(a + n1 + c + n2)
    if missing.any():
        raise DataError(f"{missing.sum()} of {len(missing)} studies lack a count")
    y, v = ratios[measure](a, n1, c, n2)
    top, bottom, variance = _sums(a, n1, c, n2, measure)
    if not (top > 0 and bottom > 0):
        raise DataError("one of the groups has no events in any study (or, of odds, nothing but events): there is no ratio")
    estimate, error = float(np.log(top / bottom)), variance ** 0.5
    half, q = float(norm.ppf((1 + conf_level) / 2)) * error, float(((y - estimate) ** 2 / v).sum())
    df = len(y) - 1
    return dict(estimate=estimate, std_error=error, conf_low=estimate - half, conf_high=estimate + half, p_value=float(2 * norm.sf(abs(estimate) / error)), k=len(y),
                q=q, q_p=float(chi2.sf(q, df)) if df else 1.0, i2=max(0.0, 100 * (q - df) / q) if q > 0 and df else 0.0)


def _sums(a, n1, c, n2, measure):
    """Numerator and denominator of the ratio, and the variance of its log."""
    total = n1 + n2
    if measure == "OR":
        b, d = n1 - a, n2 - c
        same, crossed, up, down = (a + d) / total, (b + c) / total, a * d / total, b * c / total
        top, bottom = up.sum(), down.sum()
        with np.errstate(divide="ignore", invalid="ignore"):
            variance = ((same * up).sum() / top ** 2 + (same * down + crossed * up).sum() / (top * bottom) + (crossed * down).sum() / bottom ** 2) / 2
        return float(top), float(bottom), float(variance)
    top, bottom = (a * n2 / total).sum(), (c * n1 / total).sum()
    less = a * c / total if measure == "RR" else 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(top), float(bottom), float((n1 * n2 * (a + c) / total ** 2 - less).sum() / (top * bottom))
