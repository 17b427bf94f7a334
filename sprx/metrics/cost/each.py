"""A cost shared among people, contacts or workers, with an interval that carries the uncertainty of their number."""

import math

from sprx.errors import require
from sprx.intervals import cost_each, poisson
from sprx.prices import unit_cost
from sprx.results import result_table

STAGES = {"referred": "pounds a person referred", "seen": "pounds a person seen", "completed": "pounds a person who completed"}
FEWEST_WORKERS = 3          # from fewer one could tell a worker
MONTHS_PER_YEAR = 12
NO_COSTS = "no costs"         # the note of a row for which there is nothing to share


def _charged(costs):
    """The pounds to be shared; missing where nothing was spent, since costs of nothing are costs not written down."""
    rows = costs.loc[costs["measure"].eq("cost_charged"), "estimate"]
    return rows.iloc[0] if len(rows) and rows.iloc[0] > 0 else math.nan


def _each(cost, count, conf_level, note="", **row):
    found = cost_each(cost, count, conf_level)
    return row | dict(group=row.get("group", "all"), level=row.get("level", "all"), n=count, numerator=count, estimate=found[0], conf_low=found[1], conf_high=found[2],
                      conf_level=conf_level, method="cost / count, the count as a Poisson count", note=note or NO_COSTS * math.isnan(cost))


def cost_per_person(people, costs, conf_level=0.95):
    """Cost for each person referred, seen, and who completed.

    Parameters
    ----------
    people : DataFrame, one row per person
        Needs seen and completed (as `cohort.people_stages` gives them; missing = not recorded).
    costs : DataFrame
        As `scheme_costs` gives it, before release.

    Returns
    -------
    DataFrame
        Result layout; measure cost_per_person, group stage, level referred, seen or completed, unit pounds a person … The whole cost is shared each time. n = people who came this far,
        n_missing = people of whom it is not recorded; no estimate where that is more than half.

    References
    ----------
    Limits of the count: Byar's (Breslow and Day 1987), exact below 10; cost / upper to cost / lower limit.
    """
    require(people, "people", ["seen", "completed"])
    rows = []
    for stage, unit in STAGES.items():
        flags = people[stage] if stage in people else people["seen"].notna() | True
        unknown = int(flags.isna().sum())
        mostly = unknown > len(people) / 2
        rows.append(_each(math.nan if mostly else _charged(costs), int(flags.fillna(False).sum()), conf_level, measure="cost_per_person", group="stage", level=stage, unit=unit,
                          n_missing=unknown, note="not recorded for most people" if mostly else "not recorded for some: the true figure may be lower" if unknown else ""))
    return result_table(rows)


def cost_per_contact(contacts, costs, conf_level=0.95):
    """Cost for each contact that was held in the period.

    Parameters
    ----------
    contacts : DataFrame, one row per contact
        As `cohort.contacts_in_period` gives them.
    costs : DataFrame
        As `scheme_costs` gives it, before release.

    Returns
    -------
    DataFrame
        Result layout; measure cost_per_contact, unit pounds a contact: the whole cost, whatever else it also paid for.
    """
    return result_table([_each(_charged(costs), len(contacts), conf_level, measure="cost_per_contact", unit="pounds a contact", n_missing=0)])


def cost_per_person_improved(people, pairs, measure, costs, conf_level=0.95):
    """Cost for each person who improved by what matters, if those not measured again are like those who were.

    Parameters
    ----------
    people : DataFrame, one row per person referred
    pairs : DataFrame, one row per person
        Needs baseline and follow_up.
    measure : Series
        A row of `Scheme.measures()`: mid_value, higher_is_better.
    costs : DataFrame
        As `scheme_costs` gives it, before release.

    Returns
    -------
    DataFrame
        Result layout; measure cost_per_person_improved, unit pounds a person who improved. cost / (people referred x share improved). n = people measured twice, n_missing = the others.
        Improved is not improved because of the scheme.

    References
    ----------
    Share by Wilson, count by Byar, joined on the log scale: Zou and Donner (2008) Stat Med 27:1693 (MOVER).
    """
    require(pairs, "pairs", ["baseline", "follow_up"])
    gain = (pairs["follow_up"] - pairs["baseline"]).dropna().astype(float) * (1 if measure["higher_is_better"] == "yes" else -1)
    row = dict(measure="cost_per_person_improved", group="all", level="all", unit="pounds a person who improved", n=len(gain), n_missing=len(people) - len(gain), conf_level=conf_level,
               method="cost / (people x share improved), Wilson and Byar limits joined on the log scale")
    if not measure["mid_value"] > 0 or measure["higher_is_better"] not in ("yes", "no"):
        return result_table([row | dict(note="needs a smallest important difference (mid, under instruments in scheme.yaml)")])
    improved = int((gain >= measure["mid_value"] - 1e-9).sum())
    found = cost_each(_charged(costs), len(people), conf_level, (improved, len(gain)))
    return result_table([row | dict(zip(("estimate", "conf_low", "conf_high"), found), numerator=improved, denominator=len(gain) or None, note=f"improved by {measure['mid_value']:g} or more")])


def cost_per_additional_improved(own, difference):
    """Cost for each person more who improved than would have without the scheme, from released rows.

    Parameters
    ----------
    own : Series
        The released cost_per_person of people referred.
    difference : Series
        The released improved_difference of a comparison of Maryland level 3 or better, in percentage points.

    Returns
    -------
    DataFrame
        Result layout; measure cost_per_additional_improved, unit pounds. No upper limit where the interval of the difference includes none; no estimate where the difference is not above 0.

    References
    ----------
    The two intervals joined on the log scale: Zou and Donner (2008) Stat Med 27:1693 (MOVER).
    """
    row = dict(measure="cost_per_additional_improved", group="all", level="all", n=difference["n"], n_missing=difference["n_missing"], unit="pounds", conf_level=own["conf_level"],
               method="cost a person referred / difference in the share improved")
    if not difference["estimate"] == difference["estimate"]:      # not worked out, or hidden: nobody looked
        return result_table([row | dict(note="not given: needs a smallest important difference of the measure, and enough people to show the difference in the share improved")])
    if not (own["estimate"] > 0 and difference["estimate"] > 0):
        return result_table([row | dict(note="not given: no more people improved than without the scheme, as far as can be seen" if own["estimate"] > 0 else "no cost a person is shown")])
    each, more = own["estimate"] / (difference["estimate"] / 100), difference
    down = math.hypot(math.log(own["conf_low"] / own["estimate"]), math.log(more["conf_high"] / more["estimate"]))
    up = math.hypot(math.log(own["conf_high"] / own["estimate"]), math.log(more["estimate"] / more["conf_low"])) if more["conf_low"] > 0 else math.nan
    return result_table([row | dict(estimate=each, conf_low=each * math.exp(-down), conf_high=each * math.exp(up), note="" if up > 0 else "no upper limit: the difference may be none")])


def worker_years(contacts, caseloads, conf_level=0.95):
    """People helped for each year that a link worker was at work, beside the published number.

    Parameters
    ----------
    contacts : DataFrame, one row per contact
        Needs person_id, contact_date and worker_id (as `cohort.contacts_in_period` gives them).
    caseloads : DataFrame, one row per worker and month
        Needs worker_id and month (as `cohort.caseloads` gives them).

    Returns
    -------
    DataFrame
        Result layout; people_per_worker_year, unit per worker a year, n = people, not shown from fewer than 3 workers; published_caseload with its range (reference/unit_costs.csv), of whole-time workers.

    References
    ----------
    Limits of the number of people: Byar's.
    """
    require(contacts, "contacts", ["person_id", "contact_date", "worker_id"])
    month = contacts["contact_date"].dt.strftime("%Y-%m")
    spanned = caseloads["month"].between(month.min(), month.max()) if len(contacts) else False       # the months of the period
    worked = caseloads[caseloads["month"].notna() & spanned]
    people = int(contacts.loc[contacts["worker_id"].notna() & month.isin(set(worked["month"])), "person_id"].nunique())
    workers, years = worked["worker_id"].nunique(), len(worked) / MONTHS_PER_YEAR
    row = dict(measure="people_per_worker_year", group="all", level="all", n=people, n_missing=0, unit="per worker a year", conf_level=conf_level, method="Byar's")
    if workers < FEWEST_WORKERS:
        row |= dict(n=0, note=f"not shown: fewer than {FEWEST_WORKERS} workers" if workers else "no worker is named")
    else:
        low, high = poisson(people, conf_level)
        row |= dict(estimate=people / years, conf_low=low / years, conf_high=high / years, numerator=people, denominator=years, note="a worker may work part of the week")
    known = unit_cost("link_worker_caseload", None)
    return result_table([row, dict(measure="published_caseload", group="all", level="all", n=0, n_missing=0, estimate=known["value"], conf_low=known["low"], conf_high=known["high"],
                                   unit="per worker a year", method="published range, not an interval", note=known["source"])])
