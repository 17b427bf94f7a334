"""What the cost a person rests on, and what others have published; both from released rows, so that no exact count is in them."""

from sprx.metrics.cost.lines import priced
from sprx.prices import price_factor, unit_cost
from sprx.reference import facts
from sprx.results import result_table
from sprx.stats.economics import annual_equivalent

SWING = 0.2                     # assumed: how far each category may be off
LIVES = (3, 10)                 # years that what was set up may last
OVERHEAD = (0.1, 0.3)           # of staff costs, where no overhead is given; unverified
STAFF = ("link_worker", "management")


def cost_drivers(lines, terms, own):
    """Cost a person referred when one thing at a time is moved from a low to a high value (a tornado).

    Parameters
    ----------
    lines, terms
        As for `scheme_costs`.
    own : Series
        The released cost_per_person of people referred.

    Returns
    -------
    DataFrame
        Result layout; measure cost_driver, group cost_driver, widest first; estimate = the cost as it is, conf_low to conf_high = the range it moves over (no interval), note = from what to what. Levels: each category,
        and where they apply set_up_life, without_in_kind, no_overhead; and number_of_people (the limits of their number).
    """
    rows = priced(lines, terms) if len(lines) else lines.assign(charged=0.0, paid=0.0)
    total, base = rows["charged"].sum(), own["estimate"]
    row = dict(measure="cost_driver", group="cost_driver", n=len(rows), n_missing=0, unit="pounds a person referred", method="range, one thing moved at a time", estimate=base)
    if not (total > 0 and base > 0):
        return result_table([row | dict(level="number_of_people", note="no cost a person is shown")])
    moved = [(category, (-SWING * part, SWING * part), f"{100 * SWING:g}% less to {100 * SWING:g}% more") for category, part in rows.groupby("category")["charged"].sum().items() if part > 0]
    moved += _set_up(rows, terms)
    in_kind = rows.loc[rows["basis"].eq("in_kind"), "charged"].sum()
    moved += [("without_in_kind", (-in_kind,), "left out")] if in_kind else []
    staff = rows.loc[rows["category"].isin(STAFF), "charged"].sum()
    if staff and not rows["category"].eq("overhead").any():
        moved.append(("no_overhead", [share * staff for share in OVERHEAD], f"{100 * OVERHEAD[0]:g}% to {100 * OVERHEAD[1]:g}% of staff costs added (unverified)"))
    found = [row | dict(level=level, conf_low=base * (1 + min(0, *by) / total), conf_high=base * (1 + max(0, *by) / total), note=note) for level, by, note in moved]
    found.append(row | dict(level="number_of_people", conf_low=own["conf_low"], conf_high=own["conf_high"], note="at the limits of its interval"))
    return result_table(sorted(found, key=lambda r: (r["conf_low"] - r["conf_high"], r["level"])))


def _set_up(rows, terms):
    """What charging set-up over fewer or more years, or at once, would add to the cost."""
    paid = rows.loc[rows["kind"].eq("set_up"), "paid"].sum()
    if not paid or terms.years is None:
        return []
    now = rows.loc[rows["kind"].eq("set_up"), "charged"].sum()
    by = [min(annual_equivalent(paid, life, terms.discount_rate) * terms.years, paid) - now for life in LIVES]
    return [("set_up_life", (*by, paid - now), f"charged over {LIVES[1]} years, over {LIVES[0]}, or at once")]


def published_costs(own, terms):
    """What others have published as a cost a person, beside the scheme's own.

    Parameters
    ----------
    own : Series
        The released cost_per_person of people referred.
    terms : CostTerms

    Returns
    -------
    DataFrame
        Result layout; measure published_cost, group published, unit pounds a person; level = this_scheme, link_worker_person (reference/unit_costs.csv), or a key of reference/published_costs.csv. Limits are the
        scheme's interval, and published ranges for the others. method = of which year the prices are, note = what is in it, why it is not the same thing.
    """
    row = dict(measure="published_cost", group="published", unit="pounds a person", n_missing=0)
    worker = unit_cost("link_worker_person", terms.price_year)
    found = [row | dict(level="this_scheme", n=own["n"], conf_level=own["conf_level"], method=f"{terms.price_year} prices", **{k: own[k] for k in ("estimate", "conf_low", "conf_high")}),
             row | dict(level="link_worker_person", estimate=worker["value"], conf_low=worker["low"], conf_high=worker["high"], method=f"{terms.price_year} prices; a range, not an interval",
                        note="a link worker's pay divided by a typical caseload (derived by us). It leaves out supervision, premises and the activities' own costs")]
    known = facts("evidence/economic").set_index(["study_id", "study", "figure_type"])["figure"]
    for of in facts("published_costs").itertuples():
        value = float(known[of.study_id, of.study, of.figure_type]) / float(of.people or 1)
        factor = price_factor(of.price_year, terms.price_year) if of.price_year else 1.0
        found.append(row | dict(level=of.key, estimate=value * factor, method=f"{terms.price_year} prices" if of.price_year else "not uprated: the price year is not printed",
                                note=f"{of.includes}. {of.not_the_same[0].upper()}{of.not_the_same[1:]}"))
    return result_table(found)
