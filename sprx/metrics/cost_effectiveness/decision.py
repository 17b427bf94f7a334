"""What to decide and how sure to be: joint draws, acceptability, the value of finding out, and what else could have been assumed."""

import numpy as np
import pandas as pd

from sprx.metrics.cost_effectiveness import adjustment, counts, fit
from sprx.metrics.cost_effectiveness.data import used
from sprx.results import result_table
from sprx.stats import economics

STEP, SHOWN = 1000, 1000            # pounds between two thresholds of the curve; draws in the figure
COST_SPREAD = 0.2                   # either way, of the scheme's own cost: assumed (docs/assumptions.md)
ATTRIBUTION = (0.8, 1.0)            # share of the difference that is the scheme's doing, where the arms were not drawn by lot: assumed
SHARES_ANYWAY = (0.25, 0.5)
LASTS = 12                          # months for which a benefit is made to last in the scenarios


def joint_draws(ready, plan):
    """Joint bootstrap draws of the differences, from every completed copy alike, so that what is not known of missing values is in them.

    Parameters
    ----------
    ready : Valued
        Without a problem.
    plan : EconomicPlan

    Returns
    -------
    array, draws x (QALYs, pounds on each service, last score)
        People are drawn within each arm, whole places where there are places.
    """
    keep = used(ready)
    copies = ready.copies[:1] if ready.clusters is not None else ready.copies
    clusters = None if ready.clusters is None else ready.clusters[keep]
    sizes = np.diff(np.linspace(0, plan.draws, len(copies) + 1).round().astype(int))
    rng = np.random.default_rng(plan.seed)
    parts = [economics.joint_bootstrap(ready.outcomes(copy, keep, plan.rate), ready.designs(copy, keep, adjustment(plan)), int(size), rng, clusters)
             for copy, size in zip(copies, sizes) if size]
    return np.concatenate(parts)


def effect_and_cost(draws, plan):
    """Draws x (QALYs, pounds, the scheme's own cost included)."""
    return np.column_stack([draws[:, 0], draws[:, 1:-1].sum(axis=1) + plan.scheme_cost])


def uncertain_draws(draws, ready, plan):
    """The same draws with unit costs, the scheme's cost, the value set and attribution unsure as well (probabilistic sensitivity analysis).

    Parameters
    ----------
    draws : list of arrays
        As `joint_draws`, one for each value set in use, the answering one first; a draw takes each set equally often.
    ready : Valued
    plan : EconomicPlan

    Returns
    -------
    array, draws x (QALYs, pounds), or None where there is nothing more to be unsure of
        Unit costs and the scheme's cost: gamma, with the published range (or 20% either way) as 95% limits. Attribution: uniform from 0.8 to 1 where the arms were not drawn by lot.
    """
    if len(draws) == 1 and not plan.scheme_cost and not ready.priced and adjustment(plan) == "first":
        return None
    rng = np.random.default_rng(plan.seed + 1)
    count = len(draws[0])
    which = rng.integers(0, len(draws), count)
    values = np.choose(which[:, None], draws) if len(draws) > 1 else draws[0]
    cost = plan.scheme_cost * _gamma(rng, 1 - COST_SPREAD, 1 + COST_SPREAD, count)
    for k, service in enumerate(ready.services, start=1):
        price = plan.prices.loc[service] if service in ready.priced and plan.prices.at[service, "value"] > 0 else None
        cost = cost + values[:, k] * (_gamma(rng, price["low"] / price["value"], price["high"] / price["value"], count) if price is not None else 1.0)
    share = rng.uniform(*ATTRIBUTION, count) if adjustment(plan) == "known" else 1.0
    return np.column_stack([values[:, 0] * share, cost])


def _gamma(rng, low, high, count):
    """Factors of mean 1 whose 95% limits lie about as far apart as these."""
    error = (high - low) / (2 * 1.96)
    return rng.gamma(1 / error ** 2, error ** 2, count) if error > 0 else np.ones(count)


def decision(draws, ready, plan, uncertain=None):
    """How likely the scheme is to be worth its cost at each threshold, and what knowing for certain would be worth.

    Parameters
    ----------
    draws : array, draws x (QALYs, pounds)
        As `effect_and_cost`.
    uncertain : array, optional
        As `uncertain_draws`.

    Returns
    -------
    DataFrame
        Result layout: acceptability, acceptability_frontier (of whichever is better on average) and evpi (pounds a person); group threshold_gbp, from 0 to twice the highest
        threshold of the plan; acceptability_unsure likewise; quadrant_share, group quadrant.
    """
    highest = 2 * max(plan.thresholds)
    grid = np.union1d(np.arange(0, highest + 1, max(STEP, highest / 60 // STEP * STEP)), plan.thresholds)
    row = counts(ready, used(ready)) | dict(method=f"{len(draws):,} joint bootstrap draws", note=f"seed {plan.seed}")
    found = _decided(draws, grid)
    rows = [row | dict(measure=measure, group="threshold_gbp", level=f"{at:.0f}", unit=unit, estimate=value)
            for measure, unit, column in (("acceptability", "probability", "probability_1"), ("acceptability_frontier", "probability", "frontier"), ("evpi", "pounds", "evpi"))
            for at, value in zip(grid, found[column])]
    if uncertain is not None:
        more = _decided(uncertain, grid)
        rows += [row | dict(measure="acceptability_unsure", group="threshold_gbp", level=f"{at:.0f}", unit="probability", estimate=value)
                 for at, value in zip(grid, more["probability_1"])]
    rows += [row | dict(measure="quadrant_share", group="quadrant", level=level, unit="probability", estimate=share) for level, share in economics.quadrants(draws).items()]
    return result_table(rows)


def _decided(draws, grid):
    nothing = np.zeros(len(draws))
    return economics.decide(np.column_stack([nothing, draws[:, 1]]), np.column_stack([nothing, draws[:, 0]]), grid)


def plane(draws, ready, conf_level=0.95):
    """Some of the joint draws, for the cost-effectiveness plane.

    Returns
    -------
    DataFrame, one row per draw
        measure, draw, n (people behind it), effect (QALYs a person), cost (pounds a person). No row is about a person.
    """
    step = max(1, len(draws) // SHOWN)
    return pd.DataFrame(dict(measure="joint_draw", draw=np.arange(len(draws))[::step], n=counts(ready, used(ready))["numerator"], effect=draws[::step, 0], cost=draws[::step, 1]))


def scenarios(ready, plan, others=None, cash_cost=None):
    """Net benefit at the first threshold had something else been assumed, one thing at a time.

    Parameters
    ----------
    ready : Valued
    plan : EconomicPlan
    others : dict of str to Valued, optional
        The same people with utilities by another value set, by its name.
    cash_cost : float, optional
        The scheme's cost a person without what was given in kind.

    Returns
    -------
    DataFrame
        Result layout: net_benefit_if (pounds a person), group scenario; the base case first. Benefit that lasts beyond the last score is assumed, not seen: the difference in the last score goes
        on for 12 months in all, evenly or falling to nothing in a straight line.
    """
    if ready.problem:
        return result_table([])
    at, found = plan.thresholds[0], fit(ready, plan)
    last, end = np.eye(len(found.effect))[-1], ready.months[-1]
    longer = max(LASTS - end, 0.0) / 12
    ways = {"as answered": (at * found.effect - found.spending, plan.scheme_cost)}
    if longer:
        ways |= {"benefit falls to nothing by month 12": (at * (found.effect + last * longer / 2) - found.spending, plan.scheme_cost),
                 "benefit stays until month 12": (at * (found.effect + last * longer) - found.spending, plan.scheme_cost)}
    ways |= {f"{100 * share:.0f}% of the benefit would have come anyway": (at * (1 - share) * found.effect - found.spending, plan.scheme_cost) for share in SHARES_ANYWAY}
    if plan.scheme_cost:
        ways |= {f"the scheme costs {100 * COST_SPREAD:.0f}% {word}": (at * found.effect - found.spending, plan.scheme_cost * (1 + sign * COST_SPREAD))
                 for word, sign in (("less", -1), ("more", 1))}
    if cash_cost is not None and cash_cost < plan.scheme_cost:
        ways["nothing given in kind is counted"] = (at * found.effect - found.spending, cash_cost)
    if ready.services and plan.scheme_cost:
        ways["use of services is not counted"] = (at * found.effect, plan.scheme_cost)
    if any(service in plan.prices.index for service in ready.priced):
        ways |= {f"services at their {side} unit costs": (at * found.effect - _weights(found, ready, plan, side), plan.scheme_cost) for side in ("low", "high")}
    rows = [(name, found.contrast(towards, -cost), counts(ready, used(ready))) for name, (towards, cost) in ways.items()]
    for name, other in (others or {}).items():
        if not other.problem:
            again = fit(other, plan)
            rows.append((f"utilities by {name}", again.contrast(at * again.effect - again.spending, -plan.scheme_cost), counts(other, used(other))))
    if end > 12:
        undiscounted = fit(ready, plan, rate=0.0)
        rows.append(("effects are not discounted", undiscounted.contrast(at * undiscounted.effect - undiscounted.spending, -plan.scheme_cost), counts(ready, used(ready))))
    return result_table([dict(measure="net_benefit_if", group="scenario", level=name, unit="pounds", conf_level=plan.conf_level, method=f"net benefit at {at:,.0f} pounds per QALY", **numbers, **people)
                         for name, numbers, people in rows])


def _weights(found, ready, plan, side):
    """Spending with each service at another unit cost."""
    towards = found.spending.copy()
    for k, service in enumerate(ready.services, start=1):
        if service in ready.priced and plan.prices.at[service, "value"] > 0:
            towards[k] = plan.prices.at[service, side] / plan.prices.at[service, "value"]
    return towards


def value_of_finding_out(table, people_a_year, years, study_cost, plan):
    """What knowing for certain would be worth to everybody who will be offered the scheme, beside what a better study costs.

    Parameters
    ----------
    table : DataFrame
        `decision`, as released.
    people_a_year : float
        As it may be shown.
    years : float
        For how long the decision holds; later years are discounted.
    study_cost : float
        Pounds.

    Returns
    -------
    DataFrame
        Result layout: evpi_everybody (pounds), group threshold_gbp; and study_cost (pounds); empty where nobody knows how many people a year. A study that costs more than that is not worth its price, whatever it finds.

    References
    ----------
    Claxton (1999) J Health Econ 18:341.
    """
    if not people_a_year > 0:
        return result_table([])
    whole = people_a_year * sum(economics.discount(12 * np.arange(int(np.ceil(years))), plan.rate) * np.minimum(years - np.arange(int(np.ceil(years))), 1))
    rows = table[(table["measure"] == "evpi") & table["level"].isin([f"{at:.0f}" for at in plan.thresholds])]
    method = f"evpi of a person x {people_a_year:,.0f} people a year x {years:g} years, {100 * plan.rate:g}% a year"
    found = [dict(measure="evpi_everybody", group="threshold_gbp", level=r.level, unit="pounds", estimate=r.estimate * whole, n=r.n, n_missing=r.n_missing, method=method)
             for r in rows.itertuples()]
    return result_table([*found, dict(measure="study_cost", group="all", level="all", unit="pounds", estimate=study_cost, method="assumed", note="a notebook parameter")])
