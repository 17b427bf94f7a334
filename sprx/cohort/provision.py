"""What exists locally, and what people were sent to: services, prescriptions, needs, areas, distances, groups."""

import numpy as np
import pandas as pd

from sprx.cohort.referrals import scheme_referrals
from sprx.reference import allowed, facts, labels, plain_key

SERVICE_COLUMNS = ["service_id", "name", "organisation", "activity_type", "also_offers", "needs", "area_code", "lat", "lon", "minimum_age", "maximum_age", "cost_gbp", "capacity_per_month",
                   "assured_on", "run_by_scheme", "mapped_by"]
OTHER_AREAS, FEW_PER_CELL = "other areas", 10       # below so many prescriptions a cell, kinds of activity are joined to families
NOT_READ = "file not read"                          # the action of an issue row about a directory that could not be read
CENTRE = ("lsoa_lat", "lsoa_lon")                   # columns of people: the middle of the small area they live in, never an address
EARTH_KM = 6371.0088
DAYS_PER_MONTH = 365.25 / 12


def local_services(scheme):
    """Services of the provision table, one row each.

    Returns
    -------
    DataFrame
        SERVICE_COLUMNS (absent ones missing), run_by_scheme as True or False, and kinds: a tuple of every kind of activity that it offers, `other` left out. Empty without the table.
    """
    rows = scheme.tables.get("provision", pd.DataFrame()).reindex(columns=SERVICE_COLUMNS).reset_index(drop=True)
    also = rows["also_offers"].map(lambda t: tuple(labels("activity_type").get(plain_key(part)) for part in str(t).split(";")), na_action="ignore")
    kinds = [tuple(dict.fromkeys(k for k in (main, *(others if isinstance(others, tuple) else ())) if k not in (None, "other") and pd.notna(k))) for main, others in zip(rows["activity_type"], also)]
    numbers = ["lat", "lon", "minimum_age", "maximum_age", "cost_gbp", "capacity_per_month"]
    rows[numbers] = rows[numbers].astype(float)
    return rows.assign(kinds=kinds, run_by_scheme=rows["run_by_scheme"].eq(True).fillna(False).astype(bool), assured_on=pd.to_datetime(rows["assured_on"]))


def services_by_kind(services, letters=7):
    """One row per service and kind of activity (`other` where no kind is known), with its family and its area (the first `letters` of its code; 0 = all of it)."""
    rows = services.assign(kind=services["kinds"].map(lambda kinds: kinds or ("other",))).explode("kind", ignore_index=True)
    return rows.drop(columns="activity_type").rename(columns={"kind": "activity_type"}).assign(
        family=lambda t: t["activity_type"].map(families()), area=_area(rows["area_code"], letters))


def families():
    """Kind of activity -> family, from reference/activity_families.csv."""
    return dict(zip(facts("activity_families")["activity_type"], facts("activity_families")["family"]))


def _area(codes, letters):
    codes = codes.astype("string").str.strip()
    return codes.str[:letters] if letters else codes


def prescriptions(scheme, letters=7):
    """Kinds of activity prescribed at the referrals of the period, with where the people live.

    Returns
    -------
    DataFrame, one row per referral and kind of activity
        referral_id, person_id, activity_type, family, service_id (of the first of that kind), month (of its start, else of the first contact, else of the referral), area: the column `area` of
        people where there is one, else the first `letters` of lsoa. Empty without an activities table.
    """
    columns = ["referral_id", "activity_type", "service_id", "start_date"]
    rows = scheme.tables.get("activities", pd.DataFrame()).reindex(columns=columns)
    referrals = scheme_referrals(scheme)
    rows = rows.merge(referrals[["referral_id", "person_id", "referral_date", "first_contact_date"]], on="referral_id").drop_duplicates(["referral_id", "activity_type"])
    day = pd.to_datetime(rows["start_date"]).fillna(rows["first_contact_date"]).fillna(rows["referral_date"])
    return rows.assign(month=pd.to_datetime(day).dt.to_period("M").astype("string"), family=rows["activity_type"].map(families()), area=rows["person_id"].map(_homes(scheme, letters))).drop(
        columns=["start_date", "referral_date", "first_contact_date"]).reset_index(drop=True)


def _homes(scheme, letters):
    """Person -> area."""
    people = scheme.tables["people"].set_index("person_id")
    if "area" in people:
        return people["area"].astype("string").to_dict()
    return _area(people["lsoa"], letters).to_dict() if "lsoa" in people else {}


def needs_by_area(scheme, letters=7):
    """Needs at the referrals of the period: one row per referral and need, with the area of the person. Empty without a needs table."""
    rows = scheme.tables.get("needs", pd.DataFrame()).reindex(columns=["referral_id", "need"]).drop_duplicates()
    rows = rows.merge(scheme_referrals(scheme)[["referral_id", "person_id"]], on="referral_id")
    return rows.assign(area=rows["person_id"].map(_homes(scheme, letters)))


def joined_areas(given, services, most=5):
    """Prescriptions and services with small areas joined: the `most` areas with most prescriptions keep their name, all others are `other areas`.

    Parameters
    ----------
    given : DataFrame
        As `prescriptions` gives it.
    services : DataFrame
        As `services_by_kind` gives it.

    Returns
    -------
    given, services : DataFrame
        With a column cell ('kind | area'; missing where either is not known) and the column grain: activity_type, or family where there would be fewer than FEW_PER_CELL prescriptions a cell.
    """
    known = given[given["activity_type"].ne("other")]
    top = list(known["area"].value_counts().index[:most])
    grain = "activity_type" if len(known) >= FEW_PER_CELL * known["activity_type"].nunique() * max(len(top), 1) else "family"

    def cells(rows):
        area = rows["area"].where(rows["area"].isin(top) | rows["area"].isna(), OTHER_AREAS)
        area = area if top else pd.Series(pd.NA, index=rows.index, dtype="string")
        return rows.assign(grain=grain, cell=(rows[grain].astype("string") + " | " + area.astype("string")).mask(rows["activity_type"].eq("other")))

    return cells(given), cells(services)


def months_covered(scheme, given):
    """How many months the prescriptions cover: those of the period up to the extract, else from the first to the last prescription; 0 where there is none."""
    months = pd.PeriodIndex(given["month"].dropna().astype(str), freq="M")
    start, end = scheme.settings.period
    if start is not None and end is not None:
        return round((end - start).days / DAYS_PER_MONTH, 1)
    return (months.max() - months.min()).n + 1 if len(months) else 0


def kilometres(lat, lon, other_lat, other_lon):
    """Distances on a sphere (haversine), of arrays of degrees; a place that is not known gives a missing distance."""
    lat, lon, other_lat, other_lon = (np.radians(np.asarray(v, dtype=float)) for v in (lat, lon, other_lat, other_lon))
    half = np.sin((other_lat - lat) / 2) ** 2 + np.cos(lat) * np.cos(other_lat) * np.sin((other_lon - lon) / 2) ** 2
    return 2 * EARTH_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1)))


def distances(scheme, given, services):
    """How far each prescribed person lives from the nearest service of that kind, where people have the middle of their LSOA (CENTRE).

    Returns
    -------
    DataFrame
        The prescriptions with km (missing where a place is not known or nobody offers the kind); empty where people have no such columns.
    """
    people = scheme.tables["people"]
    if not set(CENTRE) <= set(people.columns):
        return given.iloc[:0].assign(km=pd.Series(dtype=float))
    home = people.set_index("person_id")[list(CENTRE)].apply(pd.to_numeric, errors="coerce").reindex(given["person_id"]).to_numpy()
    km = np.full(len(given), np.nan)
    for kind, places in services.dropna(subset=["lat", "lon"]).groupby("activity_type"):
        rows = np.flatnonzero(given["activity_type"].eq(kind))
        if len(rows):
            km[rows] = kilometres(home[rows, :1], home[rows, 1:], places["lat"].to_numpy()[None], places["lon"].to_numpy()[None]).min(axis=1)
    return given.assign(km=km)


def community_groups(scheme, services):
    """Counts of community groups, oldest first, with their names. Empty without a community table."""
    rows = scheme.tables.get("community", pd.DataFrame()).reindex(columns=["service_id", "date", "members", "volunteers", "sessions", "confidence"])
    names = services.drop_duplicates("service_id").set_index("service_id")["name"]
    return rows.assign(name=rows["service_id"].map(names)).sort_values(["service_id", "date"], kind="stable", ignore_index=True)


def why_no_services(scheme):
    """Why a directory of services that scheme.yaml names could not be read; '' where it names none or it was read."""
    rows = scheme.issues[scheme.issues["table"].eq("provision") & scheme.issues["action"].eq(NOT_READ)]
    return " ".join(rows["problem"])


def directory_notes(scheme):
    """What was doubtful about the list of services, in words, for people to read (rows set aside and values out of range are counted)."""
    rows = scheme.issues[scheme.issues["table"].eq("provision")]
    said = list(rows.loc[rows["action"].eq("noted"), "problem"])
    for (column, problem, action), part in rows[~rows["action"].isin(["noted", NOT_READ])].groupby(["column", "problem", "action"]):
        said.append(f"{column.replace('_', ' ')}, {problem} ({action}): {len(part):,} of the services listed")
    return said


def all_kinds():
    """Every kind of activity of the standard but `other`, in its order."""
    return [kind for kind in allowed("activity_type") if kind != "other"]


def service_places(services):
    """Where the services are, for a map: one row per service and kind with measure, group (its family), level (its kind), lat, lon. Services without a place are left out."""
    rows = services.dropna(subset=["lat", "lon"])
    return pd.DataFrame(dict(measure="services_at", group=rows["family"], level=rows["activity_type"], lat=rows["lat"], lon=rows["lon"])).reset_index(drop=True)


def fitting_kinds():
    """Which kinds of activity fit which need (reference/need_activities.csv, ours)."""
    return facts("need_activities")[["need", "activity_type"]]
