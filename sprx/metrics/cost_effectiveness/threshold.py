"""What the scheme must achieve to be worth its cost, what kind of value there is, and the other, wider view."""

import numpy as np
import pandas as pd

from sprx.metrics.cost_effectiveness import counts, fit
from sprx.metrics.cost_effectiveness.data import used
from sprx.prices import unit_cost
from sprx.results import result_table
from sprx.stats import economics


def break_even(plan, year, months=12.0, people=None):
    """The effect that pays for the scheme, told in several ways; needs no comparison group.

    Parameters
    ----------
    plan : EconomicPlan
    year : str
        Price year.
    months : float
        For how long a gain in utility would have to last.
    people : int, optional
        Scheme people the cost a person rests on.

    Returns
    -------
    DataFrame
        Result layout, per person: break_even_qaly (QALYs) and break_even_utility (points of utility held for `months`), group threshold_gbp; break_even_uses (fewer uses), group service;
        break_even_life_satisfaction (points of 10 held for a year).
    """
    if not plan.scheme_cost > 0:
        return result_table([dict(measure="break_even_qaly", group="all", level="all", n=0, unit="QALYs a person", note="the scheme's own cost a person is not known")])
    row = dict(n=people, numerator=people, method=f"the scheme's cost a person ({plan.scheme_cost:,.0f} pounds) by what one unit is worth")
    rows = []
    for at in plan.thresholds:
        needed = plan.scheme_cost / at
        rows += [row | dict(measure="break_even_qaly", group="threshold_gbp", level=f"{at:.0f}", unit="QALYs a person", estimate=needed),
                 row | dict(measure="break_even_utility", group="threshold_gbp", level=f"{at:.0f}", unit="utility", estimate=needed / (months / 12), note=f"held for {round(months, 1):g} months")]
    rows += [row | dict(measure="break_even_uses", group="service", level=service, unit="uses a person", estimate=plan.scheme_cost / price)
             for service, price in plan.prices["value"].items() if price > 0]
    wellby = unit_cost("wellby", year)
    rows.append(row | dict(measure="break_even_life_satisfaction", group="all", level="all", unit="points of 10", estimate=plan.scheme_cost / wellby["value"],
                           note=f"held for a year; {wellby['value']:,.0f} pounds a WELLBY"))
    return result_table(rows)


def change_valued(people, rate=0.0, conf_level=0.95):
    """What the scheme's people gained over time had their first score stayed as it was without the scheme; no comparison, so no effect.

    Parameters
    ----------
    people : DataFrame
        As `cohort.economic_people` gives them.

    Returns
    -------
    DataFrame
        Result layout: uncontrolled_qaly_change (QALYs a person, or score points times years), of those with every score.
    """
    from scipy import stats

    scores = [c for c in people if c.startswith("score_")]
    own = people[people["arm"] == "scheme"]
    if not scores or len(both := own[own[scores].notna().all(axis=1)]) < 2:
        return result_table([])
    months = [float(c.removeprefix("score_")) for c in scores]
    weights = economics.time_weights(months, rate)
    gained = both[scores].to_numpy(float) @ weights - both[scores[0]].to_numpy(float) * weights.sum()
    half = stats.t.ppf((1 + conf_level) / 2, len(gained) - 1) * gained.std(ddof=1) / len(gained) ** 0.5
    return result_table([dict(measure="uncontrolled_qaly_change", group="all", level="all", n=len(gained), n_missing=len(own) - len(gained), numerator=len(gained), unit="QALYs a person",
                              estimate=gained.mean(), std_error=half / stats.t.ppf((1 + conf_level) / 2, len(gained) - 1), conf_low=gained.mean() - half, conf_high=gained.mean() + half,
                              conf_level=conf_level, method="area under the curve above the first score", note="as if nothing would have changed without the scheme")])


def kinds_of_value(ready, plan, wellby=None):
    """Money that would leave a budget, capacity set free, and wellbeing: three different things, never added up.

    Parameters
    ----------
    ready : Valued
    plan : EconomicPlan
    wellby : DataFrame, optional
        As `wellbys` returns it.

    Returns
    -------
    DataFrame
        Result layout, per person: cash_releasing (no estimate: counts of appointments show none), capacity_releasing (pounds' worth of use, comparison minus scheme), health_value (pounds, QALYs at each
        threshold), wellbeing_value (pounds, WELLBYs).
    """
    row = dict(group="all", level="all", unit="pounds", conf_level=plan.conf_level)
    rows = [row | dict(measure="cash_releasing", n=0, note="not shown by these data: an appointment not used frees staff for someone else, no money leaves the budget")]
    if not ready.problem:
        found, people = fit(ready, plan), counts(ready, used(ready))
        if ready.services:
            rows.append(row | people | dict(measure="capacity_releasing", method="use of services, comparison minus scheme, at unit costs", **found.contrast(-found.spending)))
        rows += [row | people | dict(measure="health_value", group="threshold_gbp", level=f"{at:.0f}", method="QALYs at the threshold", **found.contrast(at * found.effect)) for at in plan.thresholds]
    table = result_table(rows)
    if wellby is None or wellby.empty:
        return table
    central = wellby[(wellby["measure"] == "wellby_value") & (wellby["level"] == "central")].assign(measure="wellbeing_value", group="all", level="all")
    return pd.concat([table, central], ignore_index=True)


def wellbys(ready, plan, year):
    """The difference in life satisfaction over time, and what it is worth.

    Parameters
    ----------
    ready : Valued
        Of life satisfaction.

    Returns
    -------
    DataFrame
        Result layout, per person: wellby_difference (points of life satisfaction times years) and wellby_value (pounds, group wellby: low, central, high).

    References
    ----------
    HM Treasury (2021) Wellbeing Guidance for Appraisal: 13,000 pounds (10,000 to 16,000) of 2019, brought to `year` by the GDP deflator only.
    """
    row = dict(conf_level=plan.conf_level)
    if ready.problem:
        return result_table([row | dict(measure="wellby_difference", group="all", level="all", n=0, n_missing=ready.others, unit="WELLBYs a person", note=f"not estimated: {ready.problem}")])
    found, worth = fit(ready, plan), unit_cost("wellby", year)
    row |= counts(ready, used(ready)) | dict(method="area under life satisfaction, adjusted as the QALYs", note=ready.how)
    rows = [row | dict(measure="wellby_difference", group="all", level="all", unit="WELLBYs a person", **found.contrast(found.effect))]
    rows += [row | dict(measure="wellby_value", group="wellby", level=level, unit="pounds", **found.contrast(worth[key] * found.effect))
             for level, key in (("low", "low"), ("central", "value"), ("high", "high"))]
    return result_table(rows)


def social_return(wellby, change, plan, year, cash_cost, taken_off):
    """Social value for each pound: what a gain in life satisfaction is worth by the scheme's cost, before and after what has to be taken off.

    Parameters
    ----------
    wellby : DataFrame
        As `wellbys` returns it; where it holds no value, `change` counts.
    change : DataFrame
        As `change_valued` returns it, of life satisfaction.
    plan : EconomicPlan
    year : str
        Price year.
    cash_cost : float or None
        The scheme's cost a person without what was given in kind.
    taken_off : dict of str to float
        Shares, each from 0 to 1: deadweight (would have come anyway; not taken off where a comparison group has done so already), attribution (the doing of others), drop_off (fades),
        displacement (taken from somebody else).

    Returns
    -------
    DataFrame
        Result layout: social_return (pounds for each pound), group social_return: one row for each way of counting. Empty where there is no life satisfaction, or no cost.
    """
    central, compared = wellby[wellby["level"] == "central"], True
    if central.empty:
        worth, compared = unit_cost("wellby", year)["value"], False
        central = change.assign(**{k: change[k] * worth for k in ("estimate", "conf_low", "conf_high")})
    if central.empty or not plan.scheme_cost > 0:
        return result_table([])
    value = central.iloc[0]
    taken = {k: v for k, v in taken_off.items() if not (compared and k == "deadweight")}
    share = float(np.prod([1 - part for part in taken.values()]))
    said = ", ".join(f"{name.replace('_', '-')} {100 * part:.0f}%" for name, part in taken.items() if part)
    ways = {"nothing taken off, by all costs": (1.0, plan.scheme_cost, "nothing taken off"), f"{said} taken off, by all costs": (share, plan.scheme_cost, said)}
    if cash_cost is not None and 0 < cash_cost < plan.scheme_cost:
        ways[f"{said} taken off, by cash costs only"] = (share, cash_cost, said)
    row = {k: value[k] for k in ("n", "n_missing", "numerator")} | dict(measure="social_return", group="social_return", unit="pounds for each pound", conf_level=plan.conf_level,
                                                                       note="" if compared else "from a change without a comparison")
    return result_table([row | dict(level=level, method="life satisfaction in WELLBYs at the central value, by the scheme's cost",
                                    **{k: value[k] * kept / cost for k in ("estimate", "conf_low", "conf_high")}) for level, (kept, cost, _) in ways.items()])
