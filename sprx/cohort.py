"""Choosing rows: which people, referrals and scores a question is about. Values are not changed here."""

import pandas as pd

from sprx import schema
from sprx.reference import facts, plain_key
from sprx.schema import OPEN_BAND, read_boolean, read_band

DEFAULT_BANDS = [(0, 17), (18, 24), (25, 34), (35, 44), (45, 54), (55, 64), (65, 74), (75, 84), (85, OPEN_BAND)]
ETHNIC_GROUPS = {"white": "ABC", "mixed": "DEFG", "asian": "HJKL", "black": "MNP", "other": "RS"}
STAGES = ["referred", "accepted", "seen", "activity_started", "completed"]
DAYS_PER_MONTH = 30.4375

# what a status alone says of a stage: True, False; a stage that is not named is not known
STATUS_SAYS = {
    "offered": dict(accepted=False, seen=False, activity_started=False, completed=False),
    "declined_by_person": dict(accepted=False, seen=False, activity_started=False, completed=False),
    "rejected_by_service": dict(accepted=False, seen=False, activity_started=False, completed=False),
    "referred": dict(seen=False, activity_started=False, completed=False),
    "waiting": dict(accepted=True, seen=False, activity_started=False, completed=False),
    "accepted": dict(accepted=True, completed=False), "active": dict(accepted=True, seen=True, completed=False),
    "did_not_attend": dict(accepted=True, seen=False, activity_started=False, completed=False),
    "completed": dict(accepted=True, seen=True, completed=True), "closed": dict(accepted=True)}
# the five suitable groups: reference/referral_groups.csv
MILD_TO_MODERATE, MOST_DEPRIVED_DECILES, BEREAVED_MONTHS, OLDER_AGE = (5, 14), 2, 24, 65
FREQUENT = {"gp_appointments_12m": 12, "ae_attendances_12m": 5}
COMPLETED_REASONS = ("needs_met", "moved_on_to_activity")


# ---- people -----------------------------------------------------------------------------------------------------------

def scheme_people(scheme, arm="scheme"):
    """People of one arm, with the groups that reports break down by.

    Returns
    -------
    DataFrame, one row per person
        The people table and age_band, ethnic_group (white, mixed, asian, black, other, not stated), imd_quintile (1 = most
        deprived fifth). A group that the data do not hold is missing for everyone.
    """
    people = scheme.tables["people"]
    people = people[people["arm"] == arm].copy()
    bands = population_bands(scheme) or DEFAULT_BANDS
    people["age_band"] = age_bands(people["age"], bands) if "age" in people else pd.Series(pd.NA, index=people.index, dtype="string")
    people["sex"] = people["sex"] if "sex" in people else pd.Series(pd.NA, index=people.index, dtype="string")
    ethnicity = people["ethnicity"] if "ethnicity" in people else pd.Series(pd.NA, index=people.index, dtype="string")
    people["ethnic_group"] = ethnic_group(ethnicity)
    decile = people["imd_decile"].astype(float) if "imd_decile" in people else pd.Series(float("nan"), index=people.index)
    people["imd_quintile"] = ((decile + 1) // 2).astype("Int64")
    return people


def referred_people(scheme):
    """The scheme's own people who have a referral in the period (or one without a date); everyone where there are no referrals."""
    people = scheme_people(scheme)
    if "referrals" not in scheme.tables:
        return people
    return people[people["person_id"].isin(scheme_referrals(scheme)["person_id"])]


def ethnic_group(codes):
    """The five groups of the 2001 census from 16+1 codes; Z is 'not stated', 99 is missing (asked and not asked differ)."""
    groups = {code: group for group, letters in ETHNIC_GROUPS.items() for code in letters}
    return codes.map({**groups, **{g: g for g in groups.values()}, "Z": "not stated"}).astype("string")


def age_bands(ages, bands):
    """Ages to the labels of bands (low, high); an age in none of them is 'other ages', an unknown one is missing."""
    ages = ages.astype(float)
    found = pd.Series("other ages", index=ages.index, dtype="string").mask(ages.isna())
    for low, high in bands:
        found = found.mask(ages.ge(low) & ages.lt(high + 1), band_label(low, high))
    return found


def band_label(low, high):
    """'18-24', or '85+' for an open band."""
    return f"{low}+" if high >= OPEN_BAND else f"{low}-{high}"


def population_bands(scheme):
    """The population table's own age bands as (low, high), in order; empty when it gives none."""
    if not scheme.has("population", "age_band"):
        return []
    return sorted({read_band(band) for band in scheme.tables["population"]["age_band"].dropna().unique()})


def population(scheme):
    """The population table with the same groups as `scheme_people`; empty when there is none."""
    columns = ["age_band", "sex", "ethnic_group", "imd_quintile", "people"]
    if "population" not in scheme.tables:
        return pd.DataFrame(columns=columns)
    rows = scheme.tables["population"].copy()
    if "age_band" in rows:
        rows["age_band"] = rows["age_band"].map(lambda band: band_label(*read_band(band)), na_action="ignore").astype("string")
    if "ethnicity" in rows:
        rows["ethnic_group"] = ethnic_group(rows["ethnicity"].map(lambda t: t if len(t) <= 2 else t.casefold(), na_action="ignore"))
    if "imd_decile" in rows:
        rows["imd_quintile"] = ((rows["imd_decile"].astype(float) + 1) // 2).astype("Int64")
    return rows.reindex(columns=columns)


# ---- referrals --------------------------------------------------------------------------------------------------------

def scheme_referrals(scheme):
    """Referrals of the scheme's own people that were made in the period, with the person's groups.

    Returns
    -------
    DataFrame, one row per referral
        The referrals table (absent columns are there and missing) and the groups of `scheme_people`. A referral without a
        date is kept. Empty when there is no referrals table.
    """
    wanted = ["referral_id", "person_id", "referral_date", "source", "status", "first_contact_date", "closed_date", "closure_reason"]
    people = scheme_people(scheme)
    rows = scheme.tables.get("referrals", pd.DataFrame({"person_id": pd.Series(dtype="string")})).reindex(columns=wanted)
    for column in ("referral_date", "first_contact_date", "closed_date"):
        rows[column] = pd.to_datetime(rows[column])
    if rows["first_contact_date"].isna().all():
        rows["first_contact_date"] = _first_contacts(scheme, rows)
    start, end = scheme.settings.period
    inside = ~((rows["referral_date"] < (start or pd.Timestamp.min)) | (rows["referral_date"] > (end or pd.Timestamp.max)))
    groups = people[["person_id", "age_band", "sex", "ethnic_group", "imd_quintile"]]
    return rows[inside].merge(groups, on="person_id", how="inner")


def _first_contacts(scheme, referrals):
    """The day of the first contact at which the person was there, from the contacts table; missing where there is none."""
    attended = _attended_contacts(scheme)
    if attended is None:
        return referrals["first_contact_date"]
    first = scheme.tables["contacts"].loc[attended.index].groupby("referral_id")["contact_date"].min()
    day = pd.to_datetime(referrals["referral_id"].map(first))
    return day.mask(day < referrals["referral_date"])


def referrals_outside_period(scheme):
    """How many referrals of the scheme's own people were made outside the period."""
    own = scheme.tables["people"].query("arm == 'scheme'")["person_id"]
    every = scheme.tables["referrals"]["person_id"].isin(own).sum() if "referrals" in scheme.tables else 0
    return int(every) - len(scheme_referrals(scheme))


def followed_for(referrals, days, extract_date):
    """Referrals made at least `days` before the extract, so that the newest do not pull a rate down; undated ones are kept."""
    if extract_date is None:
        return referrals
    return referrals[~(referrals["referral_date"] > extract_date - pd.Timedelta(days=days))]


def waits(referrals, extract_date):
    """Days from referral to first contact, or to the extract for those not seen by then.

    Returns
    -------
    DataFrame
        The referrals with days_observed (missing without a referral date) and was_seen (True, False). A case closed without
        a contact stays among those not seen until the extract: the question is what share of all referrals were seen, and
        taking closed cases out of the reckoning would answer for them as if they had gone on waiting. Where no first
        contact at all is recorded, no wait is known.
    """
    if referrals["first_contact_date"].isna().all():
        return referrals.assign(days_observed=float("nan"), was_seen=False)
    seen = referrals["first_contact_date"].notna()
    last = referrals["first_contact_date"].fillna(extract_date if extract_date is not None else pd.NaT)
    days = (last - referrals["referral_date"]).dt.days.astype(float)
    return referrals.assign(days_observed=days, was_seen=seen)


def stages(scheme, referrals):
    """How far each referral came: STAGES, each True, False or missing (not recorded).

    Notes
    -----
    From dates and tables where there are any, else from status: see docs/methods.md. A stage reached means that every
    earlier one was; activity_started is known only where an activities table is.
    """
    status = referrals["status"]
    reached = pd.DataFrame({s: status.map({k: v.get(s) for k, v in STATUS_SAYS.items()}).astype("boolean") for s in STAGES[1:]},
                           index=referrals.index)
    reached.insert(0, "referred", pd.Series(True, index=referrals.index, dtype="boolean"))
    if referrals["first_contact_date"].notna().any():
        reached["seen"] = referrals["first_contact_date"].notna().astype("boolean")
    attended = _attended_contacts(scheme)
    if attended is not None:
        reached["seen"] = reached["seen"].fillna(False) | referrals["referral_id"].isin(attended)
    if "activities" in scheme.tables:
        reached["activity_started"] = referrals["referral_id"].isin(_started_activities(scheme)).astype("boolean")
    else:
        reached["activity_started"] = pd.Series(pd.NA, index=referrals.index, dtype="boolean")
    reason = referrals["closure_reason"]
    finished = reason.isin(COMPLETED_REASONS) & reason.notna()
    known = reason.notna() & status.eq("closed").fillna(False)
    reached["completed"] = reached["completed"].mask(known, finished) | finished
    reached.loc[reached["completed"].fillna(False), "seen"] = True
    for earlier, later in zip(STAGES[-2::-1], STAGES[:0:-1]):
        if earlier != "activity_started":
            after = STAGES[STAGES.index(earlier) + 1:]
            reached[earlier] = reached[earlier].mask(reached[after].fillna(False).any(axis=1), True)
    return pd.concat([referrals, reached], axis=1)


def _attended_contacts(scheme):
    """Referrals with a contact at which the person was there, or None without a contacts table."""
    contacts = scheme.tables.get("contacts")
    if contacts is None:
        return None
    there = contacts["attended"].fillna(True) if "attended" in contacts else pd.Series(True, index=contacts.index)
    attempt = contacts["mode"].eq("no_contact_attempt").fillna(False) if "mode" in contacts else False
    return contacts.loc[there.astype(bool) & ~attempt, "referral_id"]


def _started_activities(scheme):
    """Referrals with an activity that was begun, by its status, its sessions or its start date."""
    rows = scheme.tables["activities"]
    begun = pd.Series(False, index=rows.index)
    if "status" in rows:
        begun |= rows["status"].isin(["attended", "attended_once", "stopped_early", "completed"])
    if "sessions_attended" in rows:
        begun |= rows["sessions_attended"].fillna(0).gt(0)
    if "start_date" in rows and not {"status", "sessions_attended"} & set(rows):
        begun |= rows["start_date"].notna()
    return rows.loc[begun, "referral_id"]


# ---- the five suitable groups -----------------------------------------------------------------------------------------

def suitable_groups(scheme, people):
    """Which of the five groups named by the evidence each person belongs to.

    Returns
    -------
    DataFrame, on the index of `people`
        One column per group of reference/referral_groups.csv: True, False, or missing where the data cannot tell.
    """
    has, column = {c for c in people.columns if people[c].notna().any()}, people.get
    groups = dict.fromkeys(facts("referral_groups")["group"], _any_of([], people.index))
    groups["depression_anxiety"] = _any_of(_signs_of_depression_or_anxiety(scheme, people), people.index)
    if "single_parent" in has:
        poor = [column("low_income")] if "low_income" in has else []
        poor += [column("imd_decile").le(MOST_DEPRIVED_DECILES)] if "imd_decile" in has else []
        groups["low_income_single_parent"] = column("single_parent") & _any_of(poor, people.index)
    if {"bereaved_on", "age"} <= has:
        months = (people["start"] - people["bereaved_on"]).dt.days / DAYS_PER_MONTH
        recent = months.between(0, BEREAVED_MONTHS) & people["age"].ge(OLDER_AGE)
        groups["bereaved_older"] = recent.astype("boolean").mask(people["age"].isna())
    if "long_term_conditions" in has:
        groups["long_term_condition"] = column("long_term_conditions").ge(1).astype("boolean")
    groups["frequent_attender"] = _any_of([column(c).ge(limit) for c, limit in FREQUENT.items() if c in has], people.index)
    return pd.DataFrame(groups)


def _any_of(signs, index):
    """True where any sign is, False where at least one is known and none is, else missing."""
    if not signs:
        return pd.Series(pd.NA, index=index, dtype="boolean")
    return pd.concat([s.astype("Float64") for s in signs], axis=1).max(axis=1).astype("Float64").eq(1)


def _signs_of_depression_or_anxiety(scheme, people):
    """A flag column `depression` or `anxiety`, and a baseline PHQ-9 or GAD-7 of 5 to 14."""
    signs = [read_boolean(people[flag].astype("string")) for flag in ("depression", "anxiety") if flag in people]
    scores = scheme.tables.get("outcomes")
    if scores is not None:
        base = scores[(scores["occasion"] == "baseline") & (scores["item"] == "total")]
        for instrument in ("phq9", "gad7"):
            first = base[base["instrument"] == instrument].drop_duplicates("person_id").set_index("person_id")["value"]
            score = people["person_id"].map(first)
            signs.append(score.between(*MILD_TO_MODERATE).astype("boolean").mask(score.isna()))
    return signs


# ---- scores -----------------------------------------------------------------------------------------------------------

def scored_people(scheme, instrument, at_months=None):
    """One row per person of each arm with the baseline and the follow-up score of one instrument.

    Parameters
    ----------
    scheme : Scheme (cleaned)
    instrument : str
    at_months : float, optional
        Follow-up time wanted; default the scheme's own, else each person's last score. Scheme people are those referred
        in the period.

    Returns
    -------
    DataFrame
        person_id, arm, baseline, follow_up, months (of the follow-up). Missing = not measured. A follow-up counts when it is
        at exactly the wanted time, where the data use such visits, else when it is nearest to it and nearer than a quarter
        of the time, or a month.
    """
    people = scheme.tables["people"][["person_id", "arm"]]
    people = people[people["arm"].eq("comparison") | people["person_id"].isin(referred_people(scheme)["person_id"])]
    rows = scheme.tables["outcomes"]
    rows = rows[(rows["instrument"] == instrument) & (rows["item"] == "total")]
    base = rows[rows["occasion"] == "baseline"].sort_values("months", key=lambda m: m.abs(), kind="stable")
    after = chosen_follow_ups(rows[rows["occasion"] == "follow_up"], at_months or scheme.settings.follow_up_months)
    return (people.merge(base.drop_duplicates("person_id")[["person_id", "value"]].rename(columns={"value": "baseline"}), how="left")
            .merge(after[["person_id", "value", "months"]].rename(columns={"value": "follow_up"}), how="left"))


def chosen_follow_ups(rows, target):
    """One follow-up score per person: see `scored_people`."""
    if target is None or rows["months"].isna().all():
        order = [c for c in ("measured_on", "months", "row") if c in rows]
        return rows.sort_values(order, kind="stable").drop_duplicates("person_id", keep="last")
    distance = (rows["months"] - target).abs()
    by_visit = "measured_on" not in rows or rows["measured_on"].isna().all()
    window = 1e-6 if by_visit and distance.min() < 1e-6 else max(1.0, target / 4)
    near = rows[distance < window].assign(distance=distance)
    return near.sort_values(["distance", "row"], kind="stable").drop_duplicates("person_id")


def instruments_used(scheme):
    """Instruments with at least one total among the scheme's scores, the primary outcome first."""
    rows = scheme.tables.get("outcomes")
    if rows is None:
        return []
    used = sorted(rows.loc[rows["item"] == "total", "instrument"].unique())
    return sorted(used, key=lambda i: plain_key(i) != plain_key(scheme.settings.primary_outcome or ""))


def follow_up_visits(scheme, instrument):
    """The visits (months) at which one instrument was taken, where the data give visits rather than dates; else an empty list."""
    rows = scheme.tables.get("outcomes")
    if rows is None or ("measured_on" in rows and rows["measured_on"].notna().any()):
        return []
    months = rows.loc[(rows["instrument"] == instrument) & (rows["occasion"] == "follow_up"), "months"].dropna().unique()
    return sorted(months) if len(months) <= 12 else []


def scores_at_visits(scheme, instrument):
    """One row per person and visit, the start included: arm, months, value (missing = no score at that visit).

    Where the data give dates rather than visits there are two: the start and the chosen follow-up.
    """
    visits = follow_up_visits(scheme, instrument) or [scheme.settings.follow_up_months]
    parts = []
    for months in visits:
        pairs = scored_people(scheme, instrument, months)
        if not parts:
            parts.append(pairs.assign(months=0.0, value=pairs["baseline"]))
        parts.append(pairs.assign(months=months if months is not None else float("nan"), value=pairs["follow_up"]))
    table = pd.concat(parts, ignore_index=True)[["person_id", "arm", "months", "value"]]
    return table.dropna(subset="months")


# ---- what there is ----------------------------------------------------------------------------------------------------

def standard_columns(scheme):
    """The tables about people with only the columns of the standard that the export gives, keys and empty columns left out."""
    held = {}
    for name, rows in scheme.tables.items():
        if name in schema.PERSONAL:
            rows = rows[~rows["derived"]] if "derived" in rows else rows
            columns = [c for c in scheme.given.get(name, ()) if c in rows and not c.endswith("_id") and rows[c].notna().any()]
            held[name] = rows[columns]
    return held


def what_data_hold(scheme):
    """The tables that have rows, and 'comparison' where there are comparison people."""
    return set(scheme.tables) | ({"comparison"} if scheme.tables["people"]["arm"].eq("comparison").any() else set())
