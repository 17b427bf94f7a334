"""What people were sent to, beside what is there. Gaps are worked out from numbers as they may be shown, so that they give no hidden one away."""

import numpy as np
import pandas as pd

from sprx.errors import require
from sprx.intervals import difference_of_shares, poisson, wilson
from sprx.results import result_table, share_row

NOT_SHOWN_NOTE = "the prescriptions are too few to show"


def demand_shares(given, kinds, conf_level=0.95):
    """Share of prescriptions that each kind of activity has, and each cell of kind and area.

    Parameters
    ----------
    given : DataFrame, one row per prescription (referral and kind)
        Needs activity_type, and cell ('kind | area', missing where either is not known) with grain for the cells.
    kinds : list of str
        Every kind of activity of the standard but `other`.
    conf_level : float, default 0.95

    Returns
    -------
    DataFrame
        Result layout; measure demand_share, group activity_type and <grain>_by_area, unit proportion, Wilson limits. n = prescriptions of a known kind (and area), n_missing = the others. The cells are parts of
        one whole.

    References
    ----------
    Wilson score interval: Newcombe (1998) Stat Med 17:857, method 3; as if prescriptions of one person were independent.
    """
    require(given, "prescriptions", ["activity_type"])
    known = given["activity_type"].where(given["activity_type"].ne("other"))
    if known.isna().all():
        return result_table([])
    rows = _shares("activity_type", known, kinds, conf_level)
    if "cell" in given and given["cell"].notna().any():
        rows += _shares(f"{given['grain'].iloc[0]}_by_area", given["cell"], sorted(given["cell"].dropna().unique()), conf_level)
    return result_table(rows)


def _shares(group, values, levels, conf_level, measure="demand_share"):
    total, missing, counts = int(values.notna().sum()), int(values.isna().sum()), values.value_counts()
    rows = []
    for level in levels:
        low, high = wilson(int(counts.get(level, 0)), total, conf_level)
        rows.append(dict(measure=measure, group=group, level=level, n=total, n_missing=missing, estimate=counts.get(level, 0) / total if total else np.nan, conf_low=low, conf_high=high, conf_level=conf_level,
                         unit="proportion", method="Wilson score", numerator=int(counts.get(level, 0)) if total else None, denominator=total or None))
    return rows


def gap_index(demand, services, conf_level=0.95):
    """Gap index: the share of prescriptions that a kind (or cell) has, minus the share of services that it has.

    Parameters
    ----------
    demand : DataFrame
        `demand_shares` as it may be shown.
    services : DataFrame
        `services_by_type`, or `services_in_cells`.
    conf_level : float, default 0.95

    Returns
    -------
    DataFrame
        Result layout; measure gap_index, the groups of `services` that `demand` has too, unit percentage points: above 0 = more is asked of it than is listed. n = prescriptions. Missing, and marked as
        suppressed, where the demand is hidden; the note gives the services.

    References
    ----------
    Hybrid score interval: Newcombe (1998) Stat Med 17:873, method 10. The services listed are taken as a draw from those that might be: a directory is one list of many.
    """
    rows = []
    for group, wanted in demand[demand["measure"].eq("demand_share")].groupby("group", sort=False):
        listed = services[services["group"].eq(group)].set_index("level")["estimate"]
        total = listed.sum()
        levels = {**dict.fromkeys(wanted["level"]), **dict.fromkeys(listed.index)} if total else {}
        shown = wanted.set_index("level")
        for level in levels:
            rows.append(_gap(group, level, shown.loc[level] if level in shown.index else None, shown["n"].max(), (float(listed.get(level, 0)), float(total)), conf_level))
    return result_table(rows)


def _gap(group, level, wanted, total, listed, conf_level):
    share, n = (0.0, total) if wanted is None else (wanted["estimate"], wanted["n"])
    about = dict(measure="gap_index", group=group, level=level, conf_level=conf_level, unit="percentage points", method="Newcombe hybrid score, from shown counts", note=f"{listed[0]:g} of {listed[1]:g} services")
    if pd.isna(share) or pd.isna(n):
        return about | dict(suppressed=True, note=NOT_SHOWN_NOTE)
    low, high = difference_of_shares(round(share * n), n, *listed, conf_level)
    return about | dict(n=n, n_missing=0 if wanted is None else wanted["n_missing"], estimate=100 * (share - listed[0] / listed[1]), conf_low=100 * low, conf_high=100 * high)


def prescriptions_by_month(given):
    """Prescriptions of each month, months without any included.

    Parameters
    ----------
    given : DataFrame, one row per prescription
        Needs month ('2025-03', missing where there is no date).

    Returns
    -------
    DataFrame
        Result layout; measure prescriptions_in_month, group month, unit prescriptions; undated ones are the level `missing`.
    """
    require(given, "prescriptions", ["month"])
    counts = given["month"].value_counts()
    months = pd.PeriodIndex(counts.index.astype(str), freq="M")
    levels = [str(m) for m in pd.period_range(months.min(), months.max(), freq="M")] if len(months) else []
    undated = {"missing": int(given["month"].isna().sum())} if given["month"].isna().any() else {}
    return result_table([dict(measure="prescriptions_in_month", group="month", level=level, n=count, n_missing=0, estimate=count, unit="prescriptions", method="count", numerator=count, denominator=count)
                         for level, count in ({m: int(counts.get(m, 0)) for m in levels} | undated).items()])


def need_demand(needs, conf_level=0.95):
    """Share of all needs recorded that each need has.

    Parameters
    ----------
    needs : DataFrame, one row per referral and need
        Needs need.

    Returns
    -------
    DataFrame
        Result layout; measure need_share, group need, unit proportion, Wilson limits; n = needs recorded.
    """
    require(needs, "needs", ["need"])
    return result_table(_shares("need", needs["need"], list(needs["need"].value_counts().index), conf_level, "need_share"))


def services_for_needs(needs, services, fits):
    """How many services fit each need that people came with.

    Parameters
    ----------
    needs : DataFrame, one row per referral and need
        Needs need.
    services : DataFrame, one row per service and kind
        Needs service_id, activity_type, needs (those that its own entry names, with ; between).
    fits : DataFrame
        need, activity_type: which kinds fit which need (reference/need_activities.csv, ours).

    Returns
    -------
    DataFrame
        Result layout; measure services_for_need, group need, unit services: those of a fitting kind and those whose entry names the need. `other` is left out: nobody can say what fits it.
    """
    require(services, "services", ["service_id", "activity_type", "needs"])
    named = services.assign(need=services["needs"].astype("string").str.split(r"\s*;\s*", regex=True)).explode("need")
    rows = []
    for need in [n for n in needs["need"].value_counts().index if n != "other"]:
        kinds = set(fits.loc[fits["need"].eq(need), "activity_type"])
        ids = set(services.loc[services["activity_type"].isin(kinds), "service_id"]) | set(named.loc[named["need"].eq(need), "service_id"])
        rows.append(dict(measure="services_for_need", group="need", level=need, n=services["service_id"].nunique(), n_missing=0, estimate=len(ids), unit="services", method="count"))
    return result_table(rows)


def sent_to_known_places(given, services, conf_level=0.95):
    """Prescriptions to services whose places a month are known, by kind of activity.

    Parameters
    ----------
    given : DataFrame, one row per prescription
        Needs activity_type, service_id.
    services : DataFrame, one row per service and kind
        Needs service_id, activity_type, capacity_per_month.

    Returns
    -------
    DataFrame
        Result layout; measure sent_to_known_places, group activity_type, unit proportion: of the prescriptions of a kind, those to services whose places are known; Wilson limits. The rest went to other
        services, or to none named.
    """
    require(given, "prescriptions", ["activity_type", "service_id"])
    known = services.dropna(subset="capacity_per_month")
    rows = []
    for kind, part in given[given["activity_type"].isin(known["activity_type"])].groupby("activity_type"):
        there = part["service_id"].isin(known.loc[known["activity_type"].eq(kind), "service_id"])
        rows.append(share_row(there, conf_level, measure="sent_to_known_places", group="activity_type", level=kind))
    return result_table(rows)


def places_used(sent, places, months, conf_level=0.95):
    """Prescriptions a month for every 100 places a month, where places are known.

    Parameters
    ----------
    sent : DataFrame
        `sent_to_known_places` as it may be shown.
    places : DataFrame
        `places_of_services`.
    months : float
        How many months the prescriptions cover.

    Returns
    -------
    DataFrame
        Result layout; measure places_used, group activity_type, unit per 100 places: above 100 = the scheme alone sends more than can be taken. Limits of the count (exact below 10, Byar's from 10).
    """
    room, rows = places[places["measure"].eq("services_places")].set_index("level")["estimate"], []
    for row in sent.itertuples():
        about = dict(measure="places_used", group="activity_type", level=row.level, conf_level=conf_level, unit="per 100 places", method="prescriptions a month by places a month, from shown counts")
        places_held = months * room.get(row.level, np.nan) / 100        # in hundreds
        if pd.isna(row.estimate) or not places_held > 0:
            rows.append(about | dict(suppressed=bool(row.suppressed), note=NOT_SHOWN_NOTE if row.suppressed else "the number of places, or of months, is not known"))
            continue
        count = round(row.estimate * row.n)
        low, high = poisson(count, conf_level)
        rows.append(about | dict(n=count, n_missing=row.n - count, estimate=count / places_held, conf_low=low / places_held, conf_high=high / places_held, note=f"{room[row.level]:g} places a month"))
    return result_table(rows)


def distance_to_nearest(given, conf_level=0.95):
    """Median distance from where people live to the nearest service of the kind that they were prescribed.

    Parameters
    ----------
    given : DataFrame, one row per prescription
        Needs activity_type, km (missing where it is not known).

    Returns
    -------
    DataFrame
        Result layout; measure distance_to_nearest, the row all/all and group activity_type, unit km, limits from order statistics. Distances are between the middle of a small area and a service, as the
        crow flies.

    References
    ----------
    Limits of a median: Conover (1999), binomial order statistics.
    """
    require(given, "prescriptions", ["activity_type", "km"])
    groups = [("all", "all", given), *(("activity_type", kind, part) for kind, part in given.groupby("activity_type"))] if len(given) else []
    return result_table([_median(group, level, part["km"], conf_level) for group, level, part in groups])


def _median(group, level, km, conf_level):
    from scipy.stats import binom

    known = np.sort(km.dropna().to_numpy())
    row = dict(measure="distance_to_nearest", group=group, level=level, n=len(known), n_missing=len(km) - len(known), conf_level=conf_level, unit="km", method="median, order statistics")
    below = int(binom.ppf((1 - conf_level) / 2, len(known), 0.5)) if len(known) else 0
    if below < 1:
        return row | dict(estimate=np.median(known) if len(known) else np.nan)
    return row | dict(estimate=float(np.median(known)), conf_low=float(known[below - 1]), conf_high=float(known[len(known) - below]))
