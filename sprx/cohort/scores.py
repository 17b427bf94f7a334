"""Scores: which people, which first score, which follow-up, and what people in general score."""

import pandas as pd

from sprx.cohort.due import due_for_follow_up, follow_up_window
from sprx.cohort.referrals import referred_people
from sprx.reference import facts, plain_key

ASSUMED_RELIABILITY = (0.5, 0.65, 0.8)      # ours, where no source gives one: see docs/assumptions.md
NOT_TAKEN = "value: missing"
DOMAINS = ["mental_health", "statutory_services", "community_wellbeing", "social_isolation"]


def scored_people(scheme, instrument, at_months=None, allocated=False):
    """One row per person of each arm with the baseline and the follow-up score of one instrument.

    Parameters
    ----------
    scheme : Scheme (cleaned)
    instrument : str
    at_months : float, optional
        Follow-up time wanted; default the scheme's own, else each person's last score. Scheme people are those referred
        in the period; of both arms, those whose follow-up time was over when the data were taken (`due_for_follow_up`).
    allocated : bool
        Also people allocated to the scheme who were never referred (intention to treat).

    Returns
    -------
    DataFrame
        person_id, arm, baseline, follow_up, months (of the follow-up). Missing = not measured. A follow-up counts when it is
        at exactly the wanted time, where the data use such visits, else when it is nearest to it and nearer than a quarter
        of the time, or a month.
    """
    people = scheme.tables["people"]
    if not allocated:
        people = people[people["arm"].eq("comparison") | people["person_id"].isin(referred_people(scheme)["person_id"])]
    people = people.loc[due_for_follow_up(scheme, people, at_months), ["person_id", "arm"]]
    base, after = chosen_scores(scheme, instrument, at_months)
    return (people.merge(base[["person_id", "value"]].rename(columns={"value": "baseline"}), how="left")
            .merge(after[["person_id", "value", "months"]].rename(columns={"value": "follow_up"}), how="left"))


def chosen_scores(scheme, instrument, at_months=None):
    """The rows of the outcomes table that are each person's baseline and follow-up total: see `scored_people`."""
    rows = scheme.tables["outcomes"]
    rows = rows[(rows["instrument"] == instrument) & (rows["item"] == "total")]
    base = rows[rows["occasion"] == "baseline"].sort_values("months", key=lambda m: m.abs(), kind="stable")
    after = chosen_follow_ups(rows[rows["occasion"] == "follow_up"], at_months or scheme.settings.follow_up_months)
    return base.drop_duplicates("person_id"), after


def chosen_follow_ups(rows, target):
    """One follow-up score per person: see `scored_people`."""
    if target is None or rows["months"].isna().all():
        order = [c for c in ("measured_on", "months", "row") if c in rows]
        return rows.sort_values(order, kind="stable").drop_duplicates("person_id", keep="last")
    distance = (rows["months"] - target).abs()
    by_visit = "measured_on" not in rows or rows["measured_on"].isna().all()
    window = 1e-6 if by_visit and distance.min() < 1e-6 else follow_up_window(target)
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


def norm_of(scheme, instrument):
    """What people in general score on one instrument, and how far two of their scores agree.

    Parameters
    ----------
    scheme : Scheme
        `norms` of its settings come before reference/norms.csv.
    instrument : str

    Returns
    -------
    dict
        mean (where it differs by sex, that of the scheme's people with both scores) and sd (missing where there is none), reliability (lowest, best, highest), assumed (True where no source gives a
        reliability), cutoff (missing unless the scheme gives one), source, and verification as in reference/README.md.
    """
    own = scheme.settings.norms.get(instrument, {})
    rows = facts("norms").query("measure_id == @instrument").set_index("sex")
    mean, source, verification = own.get("mean", _norm_mean(scheme, rows, instrument)), own.get("source", "scheme.yaml"), "given by the scheme"
    if "mean" not in own and len(rows):
        source, verification = f"{rows['source'].iloc[0]}; {rows['population'].iloc[0]}", rows["verification"].iloc[0]
    given = pd.to_numeric(rows["reliability"]).dropna()
    best = own.get("reliability", given.iloc[0] if len(given) else None)
    return dict(mean=mean, sd=own.get("sd", pd.to_numeric(rows["sd"]).mean()), source=source, verification=verification, assumed=best is None,
                reliability=ASSUMED_RELIABILITY if best is None else (best, best, best), cutoff=own.get("cutoff", float("nan")))


def _norm_mean(scheme, rows, instrument):
    """The norm's mean over the scheme's people with both scores (the mean of the sexes for those whose sex is not recorded)."""
    means = pd.to_numeric(rows["mean"])
    if len(means) < 2:
        return means.mean()
    pairs = scored_people(scheme, instrument)
    both = pairs.loc[pairs["arm"].eq("scheme") & pairs[["baseline", "follow_up"]].notna().all(axis=1), "person_id"]
    people = scheme.tables["people"].set_index("person_id")
    sex = people["sex"].reindex(both) if "sex" in people else pd.Series(dtype="string")
    return sex.map(means).astype(float).fillna(means.mean()).mean() if len(sex) else means.mean()


def health_profiles(scheme, instrument):
    """The five answers of an EQ-5D at the baseline and at the chosen follow-up.

    Returns
    -------
    DataFrame, one row per scheme person with a score, dimension and occasion
        person_id, dimension (1 to 5), occasion (baseline, follow_up), level (1 = no problems). Empty where the export gives
        utilities and no answers.
    """
    rows = scheme.tables["outcomes"]
    rows = rows[(rows["instrument"] == instrument) & (rows["item"] != "total") & rows["person_id"].isin(referred_people(scheme)["person_id"])]
    sitting = [c for c in ("person_id", "occasion", "measured_on", "months") if c in rows]
    chosen = pd.concat(chosen_scores(scheme, instrument))[sitting]
    rows = rows.merge(chosen, on=sitting)
    whole = rows[rows["item"] == "profile"]
    split = [whole.assign(item=str(i + 1), value=whole["value"].map(lambda v, i=i: float(f"{v:05.0f}"[i]))) for i in range(5)]
    rows = pd.concat([rows[rows["item"] != "profile"], *split])
    rows = rows.assign(dimension=rows["item"].astype(int)).rename(columns={"value": "level"})
    rows = rows.drop_duplicates(["person_id", "occasion", "dimension"])
    return rows[["person_id", "dimension", "occasion", "level"]].sort_values(["person_id", "dimension", "occasion"], ignore_index=True)


def evidence_domain(domain):
    """Which of DOMAINS a measure's domain belongs to (reference/domains.csv, ours), else 'other'."""
    rows = facts("domains")
    known = {plain_key(d): e for d, e in zip(rows["domain"], rows["evidence_domain"])} | {plain_key(d): d for d in DOMAINS}
    return known.get(plain_key(domain), "other")


def instruments_by_domain(scheme):
    """The instruments in use, by domain: each of DOMAINS (also where it has none), then 'other' where a measure belongs to none of them."""
    domain_of = scheme.measures()["domain"].map(evidence_domain)
    found = {domain: [] for domain in DOMAINS}
    for instrument in instruments_used(scheme):
        found.setdefault(domain_of[instrument], []).append(instrument)
    return found


def measured_in_domains(scheme):
    """Who was measured twice in each of the four domains that the evidence names.

    Returns
    -------
    DataFrame, one row per referred scheme person
        person_id, and one column per domain: True, False, or missing for everybody where nothing there measures it. Demand on
        statutory services also counts people with recorded service use.
    """
    people = referred_people(scheme)["person_id"]
    found = pd.DataFrame({"person_id": people} | {d: pd.Series(pd.NA, index=people.index, dtype="boolean") for d in DOMAINS})
    for domain, instruments in instruments_by_domain(scheme).items():
        for instrument in instruments if domain in DOMAINS else ():
            base, after = chosen_scores(scheme, instrument)
            found[domain] = found[domain].fillna(False) | (people.isin(base["person_id"]) & people.isin(after["person_id"]))
    if "service_use" in scheme.tables:
        found["statutory_services"] = found["statutory_services"].fillna(False) | people.isin(scheme.tables["service_use"]["person_id"])
    return found


def scores_out_of_time(scheme):
    """Which totals of the scheme's people were measured at a time that does not fit their case.

    Returns
    -------
    DataFrame, one row per total score
        before_referral (a later score dated before the referral), first_before_referral, after_closure and after_death (a
        score dated after the last case was closed, or closed because the person died): True, False, or missing where the
        dates to tell are not there.
    """
    rows = scheme.tables.get("outcomes")
    columns = ["first_before_referral", "before_referral", "after_closure", "after_death"]
    if rows is None or "measured_on" not in rows or "referrals" not in scheme.tables:
        return pd.DataFrame(columns=columns, dtype="boolean")
    rows = rows[rows["item"].eq("total") & rows["person_id"].isin(referred_people(scheme)["person_id"])]
    cases = scheme.tables["referrals"].reindex(columns=["person_id", "referral_date", "closed_date", "closure_reason"])
    cases = cases.assign(closed_date=pd.to_datetime(cases["closed_date"]), referral_date=pd.to_datetime(cases["referral_date"]))
    is_open = cases["closed_date"].isna().groupby(cases["person_id"]).any()
    closed = cases.groupby("person_id")["closed_date"].max().mask(is_open)
    died = cases[cases["closure_reason"].eq("died").fillna(False)].groupby("person_id")["closed_date"].min()
    day, first = pd.to_datetime(rows["measured_on"]), rows["person_id"].map(cases.groupby("person_id")["referral_date"].min())
    early, later = (day < first).astype("boolean").mask(day.isna() | first.isna()), rows["occasion"].eq("follow_up").fillna(False)
    after = {name: (day > rows["person_id"].map(end)).astype("boolean").mask(day.isna()) for name, end in (("after_closure", closed), ("after_death", died))}
    return pd.DataFrame(dict(first_before_referral=early & ~later, before_referral=early & later, **after), columns=columns)


def scores_set_aside(scheme):
    """Why rows of scores could not be used, one reason per row; scores that were not taken are not among them."""
    aside = scheme.set_aside.get("outcomes")
    reasons = pd.Series(dtype="string") if aside is None else aside["reason"].astype("string")
    return reasons[reasons != NOT_TAKEN]
