"""Who is compared with whom: the strongest design that the data allow, and one row per person of both arms."""

import pandas as pd

from sprx.cohort.lost import ALWAYS, scores_and_covariates
from sprx.cohort.people import scheme_people
from sprx.cohort.referrals import referred_people
from sprx.cohort.scores import chosen_scores, instruments_used
from sprx.cohort.use import contaminated, service_months, services_used, use_problem
from sprx.reference import BY_LOT, facts, plain_key

ALSO_KNOWN = ("long_term_conditions", "gp_appointments_12m", "ae_attendances_12m", "lives_alone")   # beside what every chapter looks for
FEWEST_COMPARED = 2


def compared_people(scheme, instrument):
    """One row per person of both arms, with the scores of one instrument, what was known at the start, and the cluster.

    Parameters
    ----------
    scheme : Scheme (cleaned)
    instrument : str

    Returns
    -------
    DataFrame
        As `scores_and_covariates`, and cluster (the column that `comparison` in scheme.yaml names; missing without one). Comparison people who
        were also referred are left out. Where the arms were drawn by lot, everyone drawn is in, referred or not (intention to treat), and
        known_* are the covariates of scheme.yaml only; else they go on with ALSO_KNOWN.
    """
    by_lot = scheme.settings.comparison.get("design") in BY_LOT
    table = scores_and_covariates(scheme, instrument, allocated=by_lot)
    table = table[~table["person_id"].isin(contaminated(scheme))].reset_index(drop=True)
    people = scheme.tables["people"].drop_duplicates("person_id").set_index("person_id")
    if by_lot:
        planned = {f"known_{name}" for name in scheme.settings.covariates}
        table = table.drop(columns=[c for c in table if c.startswith("known_") and c not in planned])
    else:
        for name in ALSO_KNOWN:
            if name in people and people[name].notna().any() and f"known_{name}" not in table:
                table[f"known_{name}"] = table["person_id"].map(people[name])
    column = scheme.settings.comparison.get("cluster")
    groups = people[column].astype("string") if column in people else pd.Series(dtype="string")
    return table.assign(cluster=table["person_id"].map(groups).astype("string"))


def known_people(scheme):
    """One row per person of both arms with what was known at the start, whether or not anybody was measured: person_id, arm, known_*, cluster.

    Comparison people who were also referred are left out; known_* are the covariates of scheme.yaml and those that every chapter looks for.
    """
    own = referred_people(scheme)["person_id"]
    people = pd.concat([scheme_people(scheme, arm) for arm in ("scheme", "comparison")], ignore_index=True).drop_duplicates("person_id")
    people = people[(people["arm"].eq("comparison") | people["person_id"].isin(own)) & ~people["person_id"].isin(contaminated(scheme))].reset_index(drop=True)
    names = [n for n in dict.fromkeys((*scheme.settings.covariates, *ALWAYS, *ALSO_KNOWN)) if n in people and people[n].notna().any()]
    return people[["person_id", "arm"]].assign(**{f"known_{n}": people[n] for n in names})


def impact_designs(scheme):
    """The strongest design that the data allow, for scores and for use of services.

    Returns
    -------
    DataFrame, one row per outcome ('scores', 'use'), indexed by it
        design, name, level (Maryland, 1 to 5; 0 = nothing to compare), why (what in the data decided), who_is_compared, estimand,
        assumptions (reference/designs.csv).
    """
    known = facts("designs").set_index("design")
    rows = {}
    for outcome, (design, why) in dict(scores=_design_of_scores(scheme), use=_design_of_use(scheme)).items():
        words = known.loc[design] if design in known.index else pd.Series(dict.fromkeys(known.columns, ""))
        rows[outcome] = dict(design=design, level=int(words["maryland_level"] or 0), why=why, name=words["name"] or "nothing to compare",
                             **words[["who_is_compared", "estimand", "assumptions"]])
    return pd.DataFrame.from_dict(rows, orient="index")


def primary_instrument(scheme):
    """The instrument that scheme.yaml names as its primary outcome, else the first in use; None without scores."""
    used = instruments_used(scheme)
    return used[0] if used else None


def primary_service(scheme):
    """The service that scheme.yaml names as its primary outcome, else the first that can be analysed; None without service use."""
    used = [service for service in services_used(scheme) if not use_problem(scheme, service)]
    named = plain_key(scheme.settings.primary_outcome or "")
    return next((s for s in used if plain_key(s) == named), used[0] if used else None)


def primary_is_use(scheme):
    """True when scheme.yaml names a service, not a score, as its primary outcome."""
    named = plain_key(scheme.settings.primary_outcome or "")
    if "service_use" not in scheme.tables or named in {plain_key(i) for i in instruments_used(scheme)}:
        return False
    return named in {plain_key(service) for service in scheme.tables["service_use"]["service"].dropna().unique()}


def _design_of_scores(scheme):
    instrument = primary_instrument(scheme)
    if instrument is None:
        return "none", "no scores are recorded"
    people = compared_people(scheme, instrument)
    after, before = (people[people[column].notna()].groupby("arm").size() for column in ("follow_up", "baseline"))
    if after.get("comparison", 0) < FEWEST_COMPARED:
        both = people[people["arm"].eq("scheme")][["baseline", "follow_up"]].notna().all(axis=1).sum()
        there = people["arm"].eq("comparison").any()
        why = "comparison people have no later score" if there else "there is no comparison group"
        return ("before_after", why) if both > 1 else ("none", f"{why}, and fewer than two people were measured twice")
    if after.get("scheme", 0) < FEWEST_COMPARED:
        return "none", "the scheme's own people have no later score"
    return _with_comparison(scheme, before.get("comparison", 0) >= FEWEST_COMPARED and before.get("scheme", 0) >= FEWEST_COMPARED, "a first score")


def _design_of_use(scheme):
    months = service_months(scheme)
    if months.empty:
        problems = [use_problem(scheme, service) for service in services_used(scheme)]
        return "none", next((problem for problem in problems if problem), "no monthly use of services is recorded")
    there = {(arm, time): bool(((months["arm"] == arm) & rows).any()) for arm in ("scheme", "comparison")
             for time, rows in (("before", months["month"] < 0), ("after", months["month"] > 0))}
    if not there["scheme", "after"]:
        return "none", "no use of services after the start is recorded"
    if there["comparison", "after"]:
        return _with_comparison(scheme, there["scheme", "before"] and there["comparison", "before"], "earlier use")
    if not there["scheme", "before"]:
        return "none", "services were only observed after the referral, and there is no comparison group"
    if scheme.settings.comparison.get("started_on") is not None and months["calendar"].notna().any():
        return "series", "there is no comparison group, and scheme.yaml says when the scheme began"
    return "before_after", "no use of services by comparison people is recorded"


def _with_comparison(scheme, has_before, what):
    """The design where both arms have outcomes: as scheme.yaml says, else as the dates tell."""
    stated = scheme.settings.comparison.get("design") or "none"
    if stated in BY_LOT:
        return stated, "scheme.yaml says that the groups were drawn by lot"
    if stated == "historical" or (stated == "none" and _all_earlier(scheme)):
        return "historical", ("scheme.yaml says so" if stated == "historical" else "every comparison person started before the first referral")
    if not has_before:
        return "adjusted", f"{what} is not held for both groups"
    said = "scheme.yaml says so" if stated != "none" else "there are comparison people of the same time; scheme.yaml does not say how they were found"
    return ("matched" if stated == "matched" else "concurrent"), f"{said}, and both groups have {what}"


def _all_earlier(scheme):
    start = {arm: scheme_people(scheme, arm).get("start", pd.Series(dtype="datetime64[ns]")) for arm in ("scheme", "comparison")}
    return bool(start["comparison"].max() < start["scheme"].min())


def time_zero_checks(scheme, instrument):
    """Whether both groups were counted from a day on which both could have had outcomes.

    Returns
    -------
    DataFrame, one row per person of either arm
        arm, has_start (a first referral or index date; missing where the data hold no dates at all), too_early (a follow-up score dated before the start),
        months (from start to follow-up score), watched (months of service use after the start; missing without a service_use table), also_referred (comparison people
        who were referred as well).
    """
    own = referred_people(scheme)["person_id"]
    people = scheme.tables["people"]
    people = people[people["arm"].eq("comparison") | people["person_id"].isin(own)]
    out = people[["person_id", "arm"]].reset_index(drop=True)
    start = out["person_id"].map(people.drop_duplicates("person_id").set_index("person_id")["start"])
    dated = start.notna().any() or ("outcomes" in scheme.tables and scheme.has("outcomes", "measured_on"))
    out["has_start"] = start.notna().astype("boolean") if dated else pd.Series(pd.NA, index=out.index, dtype="boolean")
    out["too_early"], out["months"] = pd.Series(pd.NA, index=out.index, dtype="boolean"), float("nan")
    if instrument is not None:
        after = chosen_scores(scheme, instrument)[1].drop_duplicates("person_id").set_index("person_id")
        out["months"] = out["person_id"].map(after["months"]).astype(float)
        if "measured_on" in after and after["measured_on"].notna().any():
            late = scheme.tables["outcomes"]
            late = late[(late["instrument"] == instrument) & late["occasion"].eq("follow_up").fillna(False)]
            early = pd.to_datetime(late["measured_on"]) < late["person_id"].map(dict(zip(out["person_id"], start)))
            out["too_early"] = out["person_id"].isin(late.loc[early.fillna(False), "person_id"]).astype("boolean")
    use = service_months(scheme)
    service = use["service"].iloc[0] if len(use) else None          # every service is watched in the same months, or nearly
    later = use[use["service"].eq(service) & use["month"].gt(0)].groupby("person_id")["exposure"].sum()
    out["watched"] = out["person_id"].map(later).fillna(0.0) if len(use) else float("nan")
    return out.assign(also_referred=out["person_id"].isin(contaminated(scheme)).where(out["arm"].eq("comparison"), False))
