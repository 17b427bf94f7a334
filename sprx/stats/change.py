"""Change between two scores of the same people: standardised, reliable, expected from selection alone, and by state of health."""

import numpy as np

from sprx.errors import DataError

RELIABLE = 1.96         # Jacobson and Truax (1991): a change further out than this is held to be more than error of measurement


def small_sample_factor(freedom):
    """The factor that takes the bias off a standardised mean (exact, as metafor has it); missing below 2 degrees of freedom.

    References
    ----------
    Hedges (1981) J Educ Stat 6:107.
    """
    from scipy.special import gammaln

    if freedom < 2:
        return np.nan
    return float(np.exp(gammaln(freedom / 2) - np.log(np.sqrt(freedom / 2)) - gammaln((freedom - 1) / 2)))


def smcc(change, change_spread, count):
    """Standardised mean change, by the standard deviation of the changes.

    Returns
    -------
    tuple of float
        estimate, std_error: metafor's escalc(measure = "SMCC"); missing with fewer than 3 people or where all changed alike.

    References
    ----------
    Gibbons et al (1993) J Educ Stat 18:271; Viechtbauer (2010) J Stat Softw 36(3), metafor.
    """
    if not change_spread > 0:
        return np.nan, np.nan
    estimate = small_sample_factor(count - 1) * change / change_spread
    return estimate, float(np.sqrt(1 / count + estimate ** 2 / (2 * count)))


def smcr(change, baseline_spread, correlation, count):
    """Standardised mean change, by the standard deviation of the first scores.

    Returns
    -------
    tuple of float
        estimate, std_error: metafor's escalc(measure = "SMCR"); missing with fewer than 3 people or where all began alike.

    References
    ----------
    Becker (1988) Br J Math Stat Psychol 41:257; Viechtbauer (2010) J Stat Softw 36(3), metafor.
    """
    if not baseline_spread > 0:
        return np.nan, np.nan
    estimate = small_sample_factor(count - 1) * change / baseline_spread
    return estimate, float(np.sqrt(2 * (1 - correlation) / count + estimate ** 2 / (2 * count)))


def reliable_change(spread, reliability):
    """The change in points beyond which it is held to be more than error of measurement.

    References
    ----------
    Jacobson and Truax (1991) J Consult Clin Psychol 59:12: 1.96 x standard deviation x square root of 2(1 - reliability).
    """
    return RELIABLE * spread * np.sqrt(2 * (1 - reliability))


def expected_from_selection(baseline, std_error, norm, reliability, quantile):
    """The mean change to be expected with no help at all of people who were chosen when their score was far from usual.

    Parameters
    ----------
    baseline, std_error : float
        Mean first score and its standard error.
    norm : float
        Mean of people in general.
    reliability : tuple of float
        Lowest, best and highest: the correlation of two scores that people in general would have over the same time.
    quantile : float
        Of the t distribution, for the interval.

    Returns
    -------
    tuple of float
        estimate, conf_low, conf_high: the limits are the lowest and the highest over the interval of the baseline mean and the
        range of the reliability together, so that they are at least as wide as the stated coverage.

    References
    ----------
    (1 - reliability) x (norm - baseline): Barnett, van der Pols and Dobson (2005) Int J Epidemiol 34:215.
    """
    low, best, high = reliability
    if not 0 <= low <= best <= high <= 1:
        raise DataError(f"reliability must run from low to high between 0 and 1; found {reliability}.")
    corners = [(1 - r) * (norm - baseline + side * quantile * std_error) for r in (low, high) for side in (-1, 1)]
    return (1 - best) * (norm - baseline), min(corners), max(corners)


def selected_change(norm, spread, reliability, cutoff, below):
    """The mean change to be expected with no help at all of people chosen for a score beyond a cut-off.

    Parameters
    ----------
    norm, spread, reliability : float
        Mean and standard deviation of people in general, and the correlation of two of their scores.
    cutoff : float
    below : bool
        True when people come with scores below the cut-off, False when above.

    Returns
    -------
    dict
        share_selected, baseline_mean, follow_up_mean, expected_change.

    References
    ----------
    Truncated bivariate normal: Gardner and Heady (1973) J Chronic Dis 26:781.
    """
    from scipy import stats

    sign, z = (-1 if below else 1), (cutoff - norm) / spread
    share = float(stats.norm.cdf(-sign * z))
    beyond = sign * spread * float(stats.norm.pdf(z)) / share
    return dict(share_selected=share, baseline_mean=norm + beyond, follow_up_mean=norm + reliability * beyond,
                expected_change=-(1 - reliability) * beyond)


def health_state_change(before, after):
    """Whether each person's state of health became better, worse, mixed or stayed the same, dimension by dimension.

    Parameters
    ----------
    before, after : array, people x dimensions
        Levels of problems, 1 = none.

    Returns
    -------
    array of str

    References
    ----------
    Pareto Classification of Health Change: Devlin, Parkin and Browne (2010) Health Econ 19:886.
    """
    difference = np.asarray(after, float) - np.asarray(before, float)
    gain, loss = (difference < 0).any(axis=1), (difference > 0).any(axis=1)
    return np.select([gain & loss, gain, loss], ["mixed", "better", "worse"], "same")
