"""Time to an event: wraps lifelines and statsmodels; own mathematics only for what neither gives to the reference's precision."""

import warnings

import numpy as np
import pandas as pd

from sprx.errors import DataError

EVENTS_PER_TERM = 10        # Peduzzi et al (1996) J Clin Epidemiol 49:1373


def kaplan_meier(durations, events, conf_level=0.95):
    """Kaplan-Meier curve with log-log limits.

    Parameters
    ----------
    durations : array of float, 0 or more
    events : array of bool
        False = watched until then without the event.

    Returns
    -------
    DataFrame, one row per time at which somebody had the event or left, and time 0
        time, at_risk, events, survival, conf_low, conf_high (of survival; missing before the first event).

    References
    ----------
    Kaplan and Meier (1958) JASA 53:457; R survival conf.type="log-log"; lifelines.
    """
    from lifelines import KaplanMeierFitter

    durations, events = _checked(durations, events)
    km = KaplanMeierFitter(alpha=1 - conf_level).fit(durations, events)
    table, limits = km.event_table, km.confidence_interval_.to_numpy()
    return pd.DataFrame(dict(time=table.index, at_risk=table["at_risk"].to_numpy(), events=table["observed"].to_numpy(),
                             survival=km.survival_function_.iloc[:, 0].to_numpy(), conf_low=limits[:, 0], conf_high=limits[:, 1]))


def quantile(curve, share=0.5):
    """(time, lower, upper) by which a share has had the event, from a `kaplan_meier` curve; missing where it is not reached.

    References
    ----------
    Brookmeyer and Crowley (1982) Biometrics 38:29: the limits are the times at which the curve's limits cross 1 - share.
    """
    def crossing(column):
        below = curve.loc[curve[column] <= 1 - share + 1e-12, "time"]
        return float(below.iloc[0]) if len(below) else np.nan
    return crossing("survival"), crossing("conf_low"), crossing("conf_high")


def restricted_mean(durations, events, horizon, conf_level=0.95):
    """Mean time to the event, counting at most `horizon` (RMST), with the Greenwood-type variance.

    Returns
    -------
    dict
        estimate, std_error, conf_low, conf_high; all missing where nobody was watched for that long.

    References
    ----------
    Uno, survRM2 (R): the area under the Kaplan-Meier curve and the sum of squared areas to the right, weighted by d / (n (n - d)).
    """
    from scipy.stats import norm

    curve = kaplan_meier(durations, events)
    empty = dict.fromkeys(["estimate", "std_error", "conf_low", "conf_high"], np.nan)
    if curve["time"].max() < horizon and curve["survival"].iloc[-1] > 0:
        return empty
    inside = curve[curve["time"] < horizon]
    widths = np.diff(np.append(inside["time"], horizon))
    areas = widths * inside["survival"].to_numpy()
    to_the_right = areas[::-1].cumsum()[::-1]
    d, n = inside["events"].to_numpy(), inside["at_risk"].to_numpy()
    weights = np.divide(d, n * (n - d), out=np.zeros(len(d)), where=n > d)
    error = float(np.sqrt((to_the_right ** 2 * weights).sum()))
    mean, half = float(areas.sum()), norm.ppf((1 + conf_level) / 2) * error
    return dict(estimate=mean, std_error=error, conf_low=max(mean - half, 0.0), conf_high=min(mean + half, float(horizon)))


def log_rank(durations, events, groups, rho=0):
    """Log-rank test of equal curves; with `rho` = 1 Peto and Peto's, which gives early events more weight.

    Returns
    -------
    dict
        statistic (chi-square), df, p; all missing with fewer than two groups or without an event.

    References
    ----------
    Harrington and Fleming (1982) Biometrika 69:553; lifelines; R survdiff.
    """
    from lifelines.statistics import multivariate_logrank_test

    durations, events = _checked(durations, events)
    if pd.Series(groups).nunique() < 2 or not events.any():
        return dict(statistic=np.nan, df=np.nan, p=np.nan)
    weights = dict(weightings="fleming-harrington", p=rho, q=0) if rho else {}
    test = multivariate_logrank_test(durations, np.asarray(groups), events, **weights)
    return dict(statistic=float(test.test_statistic), df=int(test.degrees_of_freedom), p=float(test.p_value))


def cox(covariates, durations, events, conf_level=0.95):
    """Cox's proportional hazards model (ties after Efron) and the check of its assumption.

    Parameters
    ----------
    covariates : DataFrame of numbers, without missing values

    Returns
    -------
    (DataFrame, dict)
        One row per covariate: coefficient, std_error, hazard_ratio, conf_low, conf_high, and ph_statistic, ph_p of the check; and
        statistic, df, p of the check of all of them at once, with n and n_events. The check is missing where all events are on one day.

    Raises
    ------
    DataError
        If there are fewer than 10 events per covariate, or the model does not converge.

    References
    ----------
    Cox (1972) JRSS B 34:187; lifelines. Check: Grambsch and Therneau (1994) Biometrika 81:515.
    """
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceError
    from scipy.stats import chi2

    durations, events = _checked(durations, events)
    terms = list(covariates.columns)
    if not terms or events.sum() < EVENTS_PER_TERM * len(terms):
        raise DataError(f"{int(events.sum())} events are too few: {EVENTS_PER_TERM} are needed for each of the model's {len(terms)} terms.")
    table = covariates.astype(float).reset_index(drop=True)
    model = CoxPHFitter(alpha=1 - conf_level)
    try:
        with warnings.catch_warnings(action="ignore"):
            model.fit(table.assign(**{"time ": durations, "event ": events}), "time ", "event ")
    except (ConvergenceError, np.linalg.LinAlgError, ValueError):
        raise DataError("The model could not be fitted: one group leaves too little to compare with the others.") from None
    each, together = _non_proportional(table.to_numpy(), durations, events, model.params_.to_numpy())
    limits = np.exp(model.confidence_intervals_.to_numpy())
    rows = pd.DataFrame(dict(coefficient=model.params_, std_error=model.standard_errors_, hazard_ratio=np.exp(model.params_), conf_low=limits[:, 0],
                             conf_high=limits[:, 1], ph_statistic=each, ph_p=chi2.sf(each, 1)), index=terms)
    return rows, dict(statistic=together, df=len(terms), p=float(chi2.sf(together, len(terms))), n=len(table), n_events=int(events.sum()))


def _non_proportional(x, durations, events, coefficients):
    """Score tests that coefficients change with Kaplan-Meier time: (one per covariate, all at once), as R's cox.zph (survival 3).

    lifelines has only the approximation with one variance for all times, which can be far off for small statistics.
    """
    order = np.argsort(durations, kind="stable")
    x, d, died = x[order] - x.mean(axis=0), durations[order], events[order]
    weight = np.exp(x @ coefficients)
    times, first = np.unique(d, return_index=True)
    squares = np.einsum("i,ij,ik->ijk", weight, x, x)
    sums = [np.add.reduceat(part, first) for part in (weight, weight[:, None] * x, squares)]
    tied = [np.add.reduceat(part * died.reshape(-1, *[1] * (part.ndim - 1)), first) for part in (weight, weight[:, None] * x, squares)]
    at_risk = [part[::-1].cumsum(axis=0)[::-1] for part in sums]
    curve = kaplan_meier(durations, events)
    before = np.append(1.0, curve["survival"])[curve["time"].searchsorted(times)]
    number, observed = np.add.reduceat(died.astype(int), first), np.add.reduceat(x * died[:, None], first)
    score, information = 0, np.zeros((3, x.shape[1], x.shape[1]))
    for i in np.flatnonzero(number):
        share = np.arange(number[i]) / number[i]
        a0, a1, a2 = (r[i] - share.reshape(-1, *[1] * t[i].ndim) * t[i] for r, t in zip(at_risk, tied))
        mean = a1 / a0[:, None]
        variance = (a2 / a0[:, None, None]).sum(axis=0) - mean.T @ mean
        score = score + before[i] * (observed[i] - mean.sum(axis=0))
        information += np.array([1.0, before[i], before[i] ** 2])[:, None, None] * variance
    if np.ptp(before[number > 0]) == 0:                     # all events on one day: there is no time over which to change
        return np.full(x.shape[1], np.nan), np.nan
    left = information[2] - information[1] @ np.linalg.pinv(information[0]) @ information[1]
    return score ** 2 / np.diag(left), float(score @ np.linalg.solve(left, score))


def cumulative_incidence(durations, causes, n_causes, conf_level=0.95):
    """Share who have had each of several events by each time, where one event rules out the others (Aalen-Johansen).

    Parameters
    ----------
    causes : array of int
        0 = none yet, 1 to `n_causes` = which event. Ties are taken as they are.

    Returns
    -------
    DataFrame, one row per cause and time
        cause, time, at_risk, events (of the cause), estimate, std_error, conf_low, conf_high (log limits, as R's survfit).

    References
    ----------
    Aalen and Johansen (1978) Scand J Statist 5:141; statsmodels CumIncidenceRight. The error is missing where everybody still
    watched had an event on the same day.
    """
    from scipy.stats import norm
    from statsmodels.duration.survfunc import CumIncidenceRight

    durations, causes = _checked(durations, causes, int)
    times, at = np.unique(durations, return_inverse=True)
    at_risk = len(durations) - np.searchsorted(np.sort(durations), times)
    fit = None
    if causes.any():
        with np.errstate(all="ignore"):
            fit = CumIncidenceRight(durations, causes)
    curves, z = [], norm.ppf((1 + conf_level) / 2)
    for cause in range(1, n_causes + 1):
        events = np.bincount(at[causes == cause], minlength=len(times))
        held = fit is not None and cause <= len(fit.cinc)
        share, error = (fit.cinc[cause - 1], fit.cinc_se[cause - 1]) if held else (np.zeros(len(times)), np.full(len(times), np.nan))
        reach = np.exp(z * np.divide(error, share, out=np.full(len(times), np.nan), where=share > 0))
        curves.append(pd.DataFrame(dict(cause=cause, time=times, at_risk=at_risk, events=events, estimate=share, std_error=error,
                                        conf_low=share / reach, conf_high=np.minimum(share * reach, 1.0))))
    return pd.concat(curves, ignore_index=True)


def clustered_median(durations, events, clusters, conf_level=0.95, seed=1, draws=500):
    """Kaplan-Meier median of times of which several belong to one person, with percentile limits from drawing whole persons again.

    Returns
    -------
    dict
        estimate, conf_low, conf_high; missing where it is not reached (an upper limit also where too many draws do not reach it).

    References
    ----------
    Field and Welsh (2007) JRSS B 69:369, the cluster bootstrap.
    """
    durations, events = _checked(durations, events)
    median = quantile(kaplan_meier(durations, events))[0]
    order = np.argsort(durations, kind="stable")
    who = pd.factorize(np.asarray(clusters)[order])[0]
    times, last = np.unique(durations[order], return_index=True)
    people, rng = who.max() + 1, np.random.default_rng(seed)
    found = np.empty(draws)
    for draw in range(draws):
        weight = np.bincount(rng.integers(0, people, people), minlength=people)[who].astype(float)
        at_risk = weight[::-1].cumsum()[::-1][last]
        d = np.add.reduceat(weight * events[order], last)
        survival = np.cumprod(1 - np.divide(d, at_risk, out=np.zeros(len(times)), where=at_risk > 0))
        below = survival <= 0.5
        found[draw] = times[below.argmax()] if below.any() else np.inf
    tail = (1 - conf_level) / 2
    low, high = np.quantile(found, [tail, 1 - tail], method="inverted_cdf")
    low, high = (v if np.isfinite(v) else np.nan for v in (low, high))
    return dict(estimate=median, conf_low=min(low, median), conf_high=max(high, median)) if median == median else dict(estimate=np.nan, conf_low=low, conf_high=np.nan)


def _checked(durations, events, kind=bool):
    """Both as arrays; refuses what the libraries would take without a word."""
    durations, events = np.asarray(durations, dtype=float), np.asarray(events).astype(kind)
    if len(durations) == 0 or np.isnan(durations).any() or (durations < 0).any():
        raise DataError(f"Durations must be known and 0 or more; found {len(durations)}, of which {int(np.isnan(durations).sum())} missing and "
                        f"{int((durations < 0).sum())} negative. Run sprx.clean_scheme first.")
    return durations, events
