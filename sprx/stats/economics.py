"""Costs and effects together: areas under curves, adjusted differences with their covariance, joint draws, and the decision they bear.

Least squares of several outcomes with one sandwich, the joint bootstrap, seemingly unrelated regression and the value of information have no
kept library of a permissive licence (docs/decisions/0014); they are held against statsmodels, linearmodels, and R's lm, sandwich and BCEA.
"""

import numpy as np
import pandas as pd

MONTHS_PER_YEAR = 12
CHUNK = 500             # bootstrap draws at a time: keeps memory small
RIDGE = 1e-10           # of the standardised cross-products: a level that nobody drawn has breaks no draw


def time_weights(months, rate=0.0):
    """What each of several measurements weighs in the discounted area under the straight lines between them, in years.

    Parameters
    ----------
    months : array of float
        When the measurements were taken, in order; the first is the start.
    rate : float
        Discount rate a year; what falls in the first 12 months is not discounted.

    Returns
    -------
    array
        QALYs are `values @ time_weights(months)`.

    References
    ----------
    Area under the curve: Manca, Hawkins and Sculpher (2005) Health Econ 14:487. Discounting year by year, as NICE's reference case.
    """
    months = np.asarray(months, dtype=float)
    knots = np.union1d(months, np.arange(months[0] + MONTHS_PER_YEAR, months[-1], MONTHS_PER_YEAR))
    there = np.array([np.interp(knots, months, unit) for unit in np.eye(len(months))])
    width = np.diff(knots) / MONTHS_PER_YEAR * discount(knots[:-1] - months[0], rate)
    return (there[:, :-1] + there[:, 1:]) / 2 @ width


def discount(months, rate):
    """What a pound so many months after the start is worth at the start: whole years count, the first is not discounted."""
    return (1 + rate) ** -np.floor(np.asarray(months, dtype=float) / MONTHS_PER_YEAR + 1e-9)


def annual_equivalent(amount, years, rate):
    """The equal yearly sum that pays for something that lasts so many years (annuity in arrears; Drummond et al 2015, chapter 7)."""
    return amount / years if rate == 0 else amount * rate / (1 - (1 + rate) ** -years)


# ---- differences between the arms

def increments(outcomes, designs, clusters=None, weights=None):
    """Differences between two arms in several outcomes, each adjusted for its own covariates, with their covariance.

    Parameters
    ----------
    outcomes : list of arrays, one value per person
    designs : list of arrays, people x columns
        For each outcome: arm (0, 1) first, then what is adjusted for. A constant is added.
    clusters : array, optional
        Errors by cluster.
    weights : array, optional

    Returns
    -------
    (estimates, covariance, degrees of freedom)
        Covariance of the sandwich kind with the factor n/(n-p), and by cluster G/(G-1) x (n-1)/(n-p): statsmodels' and R sandwich's HC1.
    """
    estimates, influence = [], []
    n = len(outcomes[0])
    weights = np.ones(n) if weights is None else np.asarray(weights, dtype=float)
    for y, design in zip(outcomes, designs):
        x = np.column_stack([np.ones(n), design[:, 0], _scaled(design[:, 1:])])
        inverse = np.linalg.pinv((x * weights[:, None]).T @ x, hermitian=True)      # what says the same twice breaks nothing
        coef = inverse @ (x * weights[:, None]).T @ y
        estimates.append(coef[1])
        scale = (n - 1) / (n - x.shape[1]) if clusters is not None else n / (n - x.shape[1])
        influence.append((x * (weights * (y - x @ coef))[:, None]) @ inverse[1] * scale ** 0.5)
    influence = np.array(influence)
    df = float(n - max(d.shape[1] + 1 for d in designs))
    if clusters is not None:
        _, place = np.unique(clusters, return_inverse=True)
        groups = place.max() + 1
        influence = np.array([np.bincount(place, weights=own) for own in influence]) * (groups / (groups - 1)) ** 0.5
        df = max(float(groups - 2), 1.0)
    return np.array(estimates), influence @ influence.T, df


def seemingly_unrelated(outcomes, designs):
    """The same differences from one fit of all the equations, which lets their errors go together (Zellner's SUR, one step).

    Returns
    -------
    (estimates, covariance)
        As R's systemfit: residual covariances with the geometric mean of the degrees of freedom.

    References
    ----------
    Zellner (1962) JASA 57:348; in trials of cost-effectiveness Willan, Briggs and Hoch (2004) Health Econ 13:461.
    """
    n = len(outcomes[0])
    xs = [np.column_stack([np.ones(n), design[:, 0], _scaled(design[:, 1:])]) for design in designs]
    left = [y - x @ np.linalg.lstsq(x, y, rcond=None)[0] for y, x in zip(outcomes, xs)]
    sigma = np.array([[a @ b / ((n - x.shape[1]) * (n - z.shape[1])) ** 0.5 for b, z in zip(left, xs)] for a, x in zip(left, xs)])
    inverse = np.linalg.inv(sigma)
    normal = np.block([[inverse[i, j] * xs[i].T @ xs[j] for j in range(len(xs))] for i in range(len(xs))])
    right = np.concatenate([sum(inverse[i, j] * xs[i].T @ outcomes[j] for j in range(len(xs))) for i in range(len(xs))])
    at = np.cumsum([0, *(x.shape[1] for x in xs[:-1])]) + 1
    covariance = np.linalg.pinv(normal, hermitian=True)
    return (covariance @ right)[at], covariance[np.ix_(at, at)]


def _scaled(columns):
    """Columns of mean 0 and SD 1, without those that do not vary: what the arm's coefficient is does not depend on either."""
    columns = columns[:, columns.std(axis=0) > 0]
    return (columns - columns.mean(axis=0)) / columns.std(axis=0)


def joint_bootstrap(outcomes, designs, draws, rng, clusters=None, weights=None):
    """Draws of the differences in several outcomes at once, so that they keep going together.

    People are drawn with replacement within each arm; with clusters, whole clusters are, those of one arm within it. Only sums of
    cross-products are drawn, so that 10,000 draws cost little more than one.

    Parameters
    ----------
    outcomes, designs, clusters, weights
        As for `increments`; arm is the first column of each design.
    draws : int
    rng : numpy.random.Generator

    Returns
    -------
    array, draws x outcomes
    """
    n, arm = len(outcomes[0]), designs[0][:, 0]
    columns = np.column_stack([*designs, *outcomes]).astype(float)
    centre, spread = columns.mean(axis=0), columns.std(axis=0)
    spread = np.where(spread > 1e-12 * np.maximum(np.abs(centre), 1), spread, 1.0)
    table, first = np.unique(np.column_stack([np.ones(n), (columns - centre) / spread]), axis=1, return_inverse=True)     # what two designs share is held once
    first = first.ravel()
    pairs = np.triu_indices(table.shape[1])
    units = (table[:, pairs[0]] * table[:, pairs[1]]) * (1.0 if weights is None else np.asarray(weights)[:, None])
    strata = [np.flatnonzero(arm == a) for a in (0, 1)]
    if clusters is not None:
        _, place = np.unique(clusters, return_inverse=True)
        sums = np.zeros((place.max() + 1, units.shape[1]))
        np.add.at(sums, place, units)
        kinds = np.array([len(np.unique(arm[place == i])) * 2 + arm[place == i].max() for i in range(len(sums))])
        units, strata = sums, [np.flatnonzero(kinds == kind) for kind in np.unique(kinds)]
    ends = np.cumsum([0, *(d.shape[1] for d in designs)]) + 1
    found = np.empty((draws, len(outcomes)))
    for begin in range(0, draws, CHUNK):
        size = min(CHUNK, draws - begin)
        sums = sum(_times_drawn(size, len(part), rng) @ units[part] for part in strata)
        whole = np.empty((size, table.shape[1], table.shape[1]))
        whole[:, pairs[0], pairs[1]] = whole[:, pairs[1], pairs[0]] = sums
        for k in range(len(outcomes)):
            x = np.concatenate([first[:1], first[ends[k]:ends[k + 1]]])
            y = first[ends[-1] + k]
            left = whole[:, x[:, None], x] + RIDGE * n * np.eye(len(x))
            slope = np.linalg.solve(left, whole[:, x, y][..., None])[:, 1, 0]
            found[begin:begin + size, k] = slope * spread[ends[-1] - 1 + k] / spread[ends[k] - 1]
    return found


def _times_drawn(draws, size, rng):
    """How often each of `size` was drawn, in each of `draws` samples of that size with replacement."""
    drawn = rng.integers(0, size, (draws, size)) + np.arange(draws)[:, None] * size
    return np.bincount(drawn.ravel(), minlength=draws * size).reshape(draws, size).astype(float)


# ---- the decision

def decide(costs, effects, thresholds):
    """What draws of the costs and effects of two or more strategies say at each threshold.

    Parameters
    ----------
    costs, effects : arrays, draws x strategies
    thresholds : array of float
        Pounds per unit of effect.

    Returns
    -------
    DataFrame, one row per threshold
        threshold; net_benefit_<k> (mean of strategy k), probability_<k> (that its net benefit is the highest), best (the strategy with the highest mean), frontier (its
        probability), evpi (what knowing for certain which is best would be worth, per person).

    References
    ----------
    Fenwick, Claxton and Sculpher (2001) Health Econ 10:779 for curve and frontier; as R's BCEA.
    """
    costs, effects, thresholds = (np.asarray(a, dtype=float) for a in (costs, effects, thresholds))
    strategies = range(costs.shape[1])
    mean = thresholds[:, None] * effects.mean(axis=0) - costs.mean(axis=0)
    most, chance = np.empty(len(thresholds)), np.empty((len(thresholds), costs.shape[1]))
    for at, threshold in enumerate(thresholds):             # one threshold at a time: what is compared stays in the processor's memory
        benefit = [threshold * effects[:, k] - costs[:, k] for k in strategies]
        highest = benefit[0]
        for other in benefit[1:]:
            highest = np.maximum(highest, other)
        most[at] = highest.mean()
        reached = np.array([np.count_nonzero(own == highest) for own in benefit], dtype=float)
        chance[at] = reached / len(highest) if reached.sum() == len(highest) else _shared(benefit, highest)
    best = mean.argmax(axis=1)
    table = pd.DataFrame(dict(threshold=thresholds))
    for k in strategies:
        table[f"net_benefit_{k}"], table[f"probability_{k}"] = mean[:, k], chance[:, k]
    return table.assign(best=best, frontier=chance[np.arange(len(best)), best], evpi=np.maximum(most - mean.max(axis=1), 0.0))


def _shared(benefit, highest):
    """Where strategies tie, the draw is shared among them."""
    reached = np.array([own == highest for own in benefit], dtype=float)
    return (reached / reached.sum(axis=0)).mean(axis=1)


QUADRANTS = ("more effect, more cost", "more effect, less cost", "less effect, more cost", "less effect, less cost")


def quadrants(draws):
    """The share of draws (effect, cost) in each of QUADRANTS; on a line a draw counts as more cost, or as less effect."""
    better, dearer = draws[:, 0] > 0, draws[:, 1] >= 0
    return dict(zip(QUADRANTS, (float((e & c).mean()) for e, c in ((better, dearer), (better, ~dearer), (~better, dearer), (~better, ~dearer)))))
