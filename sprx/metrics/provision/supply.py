"""The services that a directory lists. They are public: nothing here counts people."""

import re
from difflib import SequenceMatcher
from itertools import combinations

import numpy as np
import pandas as pd

from sprx.errors import require
from sprx.intervals import wilson
from sprx.results import result_table

FRESH_MONTHS = 3
AGES = (18, 40, 65, 85)             # of people whom a service may or may not take
COMMON_WORD = 60                    # a word that so many services of a kind have in their names tells none apart
SAME_NAME = 0.8                     # likeness of two names (difflib) from which a human should look
EARTH_KM = 6371.0088
FILLERS = {"the", "a", "an", "of", "for", "and", "at", "in", "group", "club", "service", "project"}


def services_by_type(services, kinds):
    """How many services offer each kind of activity, kinds that none offers included.

    Parameters
    ----------
    services : DataFrame, one row per service and kind
        Needs service_id, activity_type (`other` = not known).
    kinds : list of str
        Every kind of activity of the standard.

    Returns
    -------
    DataFrame
        Result layout; measure services_listed, group activity_type (a level per kind), and the row all/all: n = services of a known kind, n_missing = those of no known kind. Unit services.
    """
    require(services, "services", ["service_id", "activity_type"])
    known = services[services["activity_type"].ne("other")]
    total, unknown = known["service_id"].nunique(), services.loc[services["activity_type"].eq("other"), "service_id"].nunique()
    rows = [_count("services_listed", "all", "all", total + unknown) | dict(n=total, n_missing=unknown)]
    return result_table(rows + [_count("services_listed", "activity_type", kind, int(known["activity_type"].eq(kind).sum())) for kind in kinds])


def _count(measure, group, level, count, unit="services", **more):
    return dict(measure=measure, group=group, level=level, n=count, n_missing=0, estimate=count, unit=unit, method="count") | more


def services_in_cells(services):
    """How many services are in each cell of kind and area.

    Parameters
    ----------
    services : DataFrame, one row per service and kind
        Needs cell ('kind | area', missing where not known), grain.

    Returns
    -------
    DataFrame
        Result layout; measure services_in_area, group <grain>_by_area, n = services there, n_missing = services of no known kind or area (the same for each).
    """
    require(services, "services", ["cell", "grain"])
    known = services.dropna(subset="cell")
    return result_table([_count("services_in_area", f"{known['grain'].iloc[0]}_by_area", cell, count, n_missing=len(services) - len(known)) for cell, count in known["cell"].value_counts().sort_index().items()])


def services_that_say(services, extract_date):
    """What the entries say: share of services with a known kind, a place, a capacity, a cost, ages, and a check within three months.

    Parameters
    ----------
    services : DataFrame, one row per service
        Needs kinds, lat, lon, capacity_per_month, cost_gbp, minimum_age, maximum_age, assured_on.
    extract_date : Timestamp or None

    Returns
    -------
    DataFrame
        Result layout; measure services_that_say, group entry, unit proportion, n = services. No interval: every service listed is counted.
    """
    require(services, "services", ["kinds", "lat", "capacity_per_month", "cost_gbp", "minimum_age", "assured_on"])
    fresh = services["assured_on"] >= extract_date - pd.DateOffset(months=FRESH_MONTHS) if extract_date is not None else pd.Series(False, index=services.index)
    said = {"checked in the last three months": fresh, "kind of activity": services["kinds"].map(len).gt(0), "place": services["lat"].notna() & services["lon"].notna(),
            "places a month": services["capacity_per_month"].notna(), "cost": services["cost_gbp"].notna(), "ages": services["minimum_age"].notna() | services["maximum_age"].notna()}
    return result_table([dict(measure="services_that_say", group="entry", level=level, n=len(services), n_missing=0, estimate=flags.mean() if len(flags) else np.nan, unit="proportion", method="share of all")
                         for level, flags in said.items()])


def places_of_services(services, kinds):
    """Places a month, free services and ages, by kind of activity.

    Parameters
    ----------
    services : DataFrame, one row per service and kind
        Needs activity_type, capacity_per_month, cost_gbp, minimum_age, maximum_age.
    kinds : list of str

    Returns
    -------
    DataFrame
        Result layout, group activity_type: services_places (places a month of the services that say; n_missing = services that do not), services_free (share of those that give a cost). Group age:
        services_taking_age, the share of services with any age limit that take somebody of that age. Kinds that nobody offers have no row.
    """
    require(services, "services", ["activity_type", "capacity_per_month", "cost_gbp", "minimum_age", "maximum_age"])
    rows = []
    for kind in kinds:
        part = services[services["activity_type"].eq(kind)]
        if len(part):
            known, cost = part["capacity_per_month"].dropna(), part["cost_gbp"].dropna()
            rows.append(dict(measure="services_places", group="activity_type", level=kind, n=len(known), n_missing=len(part) - len(known), estimate=known.sum() if len(known) else np.nan, unit="places a month", method="sum"))
            if len(cost):
                rows.append(dict(measure="services_free", group="activity_type", level=kind, n=len(cost), n_missing=len(part) - len(cost), estimate=cost.eq(0).mean(), unit="proportion", method="share of all"))
    one = services.drop_duplicates("service_id")
    limited = one[one["minimum_age"].notna() | one["maximum_age"].notna()]
    if len(limited):
        rows += [dict(measure="services_taking_age", group="age", level=str(age), n=len(limited), n_missing=len(one) - len(limited), unit="proportion", method="share of all",
                      estimate=(limited["minimum_age"].fillna(0).le(age) & limited["maximum_age"].fillna(199).ge(age)).mean()) for age in AGES]
    return result_table(rows)


# ---- near one another

def _nearest(services):
    """Kilometres from each service to the nearest other service of its kind (inf: there is no other); missing without a place."""
    from scipy.spatial import cKDTree

    km = pd.Series(np.nan, index=services.index)
    for _, part in services.dropna(subset=["lat", "lon"]).groupby("activity_type"):
        lat, lon = np.radians(part["lat"].to_numpy()), np.radians(part["lon"].to_numpy())
        points = np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
        chord = cKDTree(points).query(points, k=2)[0][:, 1] if len(part) > 1 else np.array([np.inf])
        km[part.index] = np.where(np.isinf(chord), np.inf, 2 * EARTH_KM * np.arcsin(np.clip(np.where(np.isinf(chord), 0, chord) / 2, 0, 1)))
    return km


def _kilometres(lat, lon, lats, lons):
    """Haversine distances from one place to others."""
    a, b, c, d = (np.radians(v) for v in (lat, lon, lats, lons))
    return 2 * EARTH_KM * np.arcsin(np.sqrt(np.sin((c - a) / 2) ** 2 + np.cos(a) * np.cos(c) * np.sin((d - b) / 2) ** 2))


def services_overlap(services, kinds, near_km, conf_level=0.95):
    """Overlap index: the share of services of a kind that have another of the same kind within `near_km`.

    Parameters
    ----------
    services : DataFrame, one row per service and kind
        Needs service_id, activity_type, lat, lon; and cell, grain for the index by area.
    kinds : list of str
    near_km : float
    conf_level : float, default 0.95

    Returns
    -------
    DataFrame
        Result layout; measure services_overlap, group activity_type, and <grain>_by_area where there are cells; unit proportion, Wilson limits. n_missing = services without a place. Overlap is not
        waste: two lunch clubs in one street may serve different people.

    References
    ----------
    Haversine distance on a sphere of 6371 km. Wilson score interval: Newcombe (1998) Stat Med 17:857, method 3.
    """
    require(services, "services", ["service_id", "activity_type", "lat", "lon"])
    km = _nearest(services)
    flags = (km <= near_km).astype("boolean").mask(km.isna())
    rows = [_share("activity_type", kind, flags[services["activity_type"].eq(kind)], conf_level) for kind in kinds if services["activity_type"].eq(kind).any()]
    if "cell" in services and services["cell"].notna().any():
        rows += [_share(f"{services['grain'].iloc[0]}_by_area", cell, flags[part.index], conf_level) for cell, part in services.dropna(subset="cell").groupby("cell")]
    return result_table(rows)


def _share(group, level, flags, conf_level):
    known = flags.dropna().astype(bool)
    low, high = wilson(int(known.sum()), len(known), conf_level)
    return dict(measure="services_overlap", group=group, level=level, n=len(known), n_missing=len(flags) - len(known), estimate=known.mean() if len(known) else np.nan, conf_low=low, conf_high=high,
                conf_level=conf_level, unit="proportion", method="Wilson score")


def services_alike(services, near_km):
    """Pairs of services that may be one and the same, for a human to look at: the same kind, near in place, names much alike.

    Parameters
    ----------
    services : DataFrame, one row per service and kind
        Needs service_id, name, activity_type, lat, lon.
    near_km : float

    Returns
    -------
    DataFrame
        Result layout; measure services_alike, group pair, level 'id | id', estimate = likeness of the names (difflib ratio of words in order, 0 to 1), note = both names. At most one row per pair, the
        most alike first. Names that differ in a number (Group 1, Group 2) are not alike.
    """
    require(services, "services", ["service_id", "name", "activity_type", "lat", "lon"])
    words, found = services["name"].map(_words, na_action="ignore"), {}
    ids, names, lat, lon = (services[c].to_dict() for c in ("service_id", "name", "lat", "lon"))
    for i, j in _sharing_a_word(services["activity_type"], words):
        pair = tuple(sorted((str(ids[i]), str(ids[j]))))
        if pair[0] == pair[1] or pair in found or not _kilometres(lat[i], lon[i], lat[j], lon[j]) <= near_km:
            continue
        likeness = _likeness(words[i], words[j])
        if likeness >= SAME_NAME:
            found[pair] = (likeness, f"{names[i]} / {names[j]}")
    return result_table([dict(measure="services_alike", group="pair", level=" | ".join(pair), n=2, n_missing=0, estimate=value, unit="likeness", method="difflib", note=names)
                         for pair, (value, names) in sorted(found.items(), key=lambda item: (-item[1][0], item[0]))])


def _sharing_a_word(kinds, words):
    """Pairs of services of one kind whose names share a word that few others have."""
    holders = {}
    for i, kind, one in zip(words.index, kinds, words):
        for word in set(one) if isinstance(one, list) else ():
            holders.setdefault((kind, word), []).append(i)
    return sorted({pair for rows in holders.values() if len(rows) <= COMMON_WORD for pair in combinations(rows, 2)})


def _words(name):
    words = re.findall(r"[a-z0-9]+", str(name).casefold())
    return [w for w in words if w not in FILLERS] or words


def _likeness(one, other):
    """How alike two names are; 0 where their numbers differ."""
    if {w for w in one if w.isdigit()} != {w for w in other if w.isdigit()}:
        return 0.0
    return SequenceMatcher(None, " ".join(sorted(one)), " ".join(sorted(other)), autojunk=False).ratio()


def offered_nearby(services, near_km):
    """For each service that the scheme runs itself, how many others offer the same kind within `near_km`.

    Parameters
    ----------
    services : DataFrame, one row per service and kind
        Needs service_id, name, activity_type, lat, lon, run_by_scheme (True or False).

    Returns
    -------
    DataFrame
        Result layout; measure services_offered_nearby, group own_service, level 'id | kind', estimate = others near by that the scheme does not run; missing where its place is not known. No rows where
        no service is marked as the scheme's own.
    """
    require(services, "services", ["service_id", "name", "activity_type", "lat", "lon", "run_by_scheme"])
    own, rest, rows = services[services["run_by_scheme"]], services[~services["run_by_scheme"]], []
    for _, row in own.iterrows():
        alike = rest[rest["activity_type"].eq(row["activity_type"])].dropna(subset=["lat", "lon"])
        km = _kilometres(row["lat"], row["lon"], alike["lat"], alike["lon"])        # missing where the place of the own one is not known
        others = np.nan if pd.isna(row["lat"]) or pd.isna(row["lon"]) else int((km <= near_km).sum())
        nearest = f"; the nearest is {km.min():.1f} km away" if len(alike) and pd.notna(km.min()) else ""
        rows.append(dict(measure="services_offered_nearby", group="own_service", level=f"{row['service_id']} | {row['activity_type']}", n=len(rest), n_missing=0,
                         estimate=others, unit="services", method=f"within {near_km:g} km{nearest}", note="" if pd.isna(row["name"]) else str(row["name"])))
    return result_table(rows)
