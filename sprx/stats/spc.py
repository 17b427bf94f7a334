"""XmR control charts by the rules of NHS England's "Making Data Count"."""

import numpy as np
import pandas as pd

LIMIT, SCREEN = 2.66, 3.267         # 3 / d2 and D4 for ranges of two values (d2 = 1.128)
NEAR = 2 / 3                        # of the way from the mean to a limit
RUN = 7                             # points in a row that are a shift or a trend
TRIAL_BELOW = 12                    # points: with fewer, limits may still move much
CAUSES = ("outside limits", "trend", "two of three", "shift")      # a point that meets several is named by the first


def xmr(values, rebase=(), screen=True, improvement="neither"):
    """Individuals and moving range (XmR) chart: mean, process limits and special causes of every point.

    Parameters
    ----------
    values : Series or array, in order of time
        A missing value leaves a gap: it takes no part in limits, and runs do not go on across it.
    rebase : sequence
        Index values from which the process is known to be another one: each begins a phase with limits of its own.
    screen : bool
        Leave moving ranges of 3.267 times their mean and more out of the limits.
    improvement : {'up', 'down', 'neither'}
        Which way is better.

    Returns
    -------
    DataFrame, on the index of `values`
        value, phase (0, 1, …), centre, lower, upper, moving_range, trial (fewer than 12 points in the phase); outside, near, trend,
        two_of_three, shift (1 above or rising, -1 below or falling, 0 neither); special_cause ('' or one of CAUSES), direction
        ('above' or 'below' the mean; of a trend 'rising' or 'falling'), run (points in a row, of a shift or trend), judged
        ('improvement', 'concern', 'neither', or '' where there is no special cause).

    Raises
    ------
    ValueError
        If `improvement` is none of the three words.

    References
    ----------
    NHS England, Making Data Count; rules as in NHSRplotthedots 0.2.2: limits are mean +/- 2.66 mean moving ranges; two of three
    needs three points on one side, two of them beyond two thirds of the limit and not outside it; no rule reaches over a rebase.
    """
    if improvement not in ("up", "down", "neither"):
        raise ValueError(f"improvement is {improvement!r}; choose up, down or neither.")
    values = pd.Series(values, dtype=float)
    begins = pd.Index(rebase).sort_values()
    phase = begins.searchsorted(values.index, side="right") if len(begins) else np.zeros(len(values), int)
    parts = [_phase(part, screen).assign(phase=number) for number, (_, part) in enumerate(values.groupby(phase))]
    chart = pd.concat(parts) if parts else _phase(values, screen).assign(phase=0)
    better = {"up": 1, "down": -1, "neither": 0}[improvement]
    which = better * chart["direction"].map({"above": 1, "rising": 1, "below": -1, "falling": -1, "": 0}).astype(int)
    chart["judged"] = which.map({1: "improvement", -1: "concern", 0: "neither"}).where(chart["special_cause"] != "", "")
    return chart


def _phase(values, screen):
    """The chart of one phase, of which all points share their limits."""
    y, known = values.to_numpy(), values.dropna()
    ranges = np.abs(np.diff(y, prepend=np.nan))
    centre = known.mean()
    mean_range = pd.Series(ranges).mean()
    if screen and mean_range > 0:
        mean_range = pd.Series(ranges[ranges < SCREEN * mean_range]).mean()
    reach = LIMIT * mean_range
    away = y - centre
    away[np.abs(away) <= 1e-12 * abs(centre)] = 0           # a mean of equal values may differ from them in the last bit
    side = np.nan_to_num(np.sign(away)).astype(int)
    outside = side * (np.abs(away) > reach)
    near = side * ((np.abs(away) > NEAR * reach) & (outside == 0))
    trend, trend_run = _trend(y)
    in_a_row = _run_lengths(side)
    found = dict(outside=outside, trend=trend, two_of_three=_two_of_three(near, side), shift=side * (in_a_row >= RUN))
    cause = np.select([flags != 0 for flags in found.values()], CAUSES, "")
    direction = np.where(cause == "trend", np.where(trend > 0, "rising", "falling"), np.where(side > 0, "above", "below"))
    run = np.select([cause == "trend", cause == "shift"], [trend_run, in_a_row], 0)
    return pd.DataFrame(dict(value=y, centre=centre, lower=centre - reach, upper=centre + reach, moving_range=ranges,
                             trial=len(known) < TRIAL_BELOW, near=near, **found, special_cause=cause,
                             direction=np.where(cause == "", "", direction), run=run), index=values.index)


def _run_lengths(signs):
    """How many equal signs in a row each point is part of; 0 where the sign is 0."""
    starts = np.flatnonzero(np.diff(signs, prepend=2))
    lengths = np.diff(starts, append=len(signs))
    return np.repeat(lengths, lengths) * (signs != 0)


def _trend(y):
    """(1 rising, -1 falling, 0 neither; points in the run) of points in a run of at least RUN that all rise or all fall."""
    steps = np.nan_to_num(np.sign(np.diff(y, prepend=np.nan, append=np.nan))).astype(int)       # before each point, and after the last
    steps = np.where(_run_lengths(steps) >= RUN - 1, steps, 0)
    lengths = _run_lengths(steps) + 1
    later = steps[1:] != 0                                  # a turning point belongs to the run that it begins
    return np.where(later, steps[1:], steps[:-1]), np.where(later, lengths[1:], lengths[:-1])


def _two_of_three(near, side):
    """The points near a limit (1 upper, -1 lower) of three points on one side of which at least two are."""
    padded_near, padded_side = np.pad(near, 2), np.pad(side, 2)
    windows = np.arange(len(near) + 2)[:, None] + np.arange(3)
    holds = (np.abs(padded_side[windows].sum(axis=1)) == 3) & (np.abs(padded_near[windows].sum(axis=1)) >= 2)
    return near * (holds[:-2] | holds[1:-1] | holds[2:])
