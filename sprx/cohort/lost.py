"""Those lost and those followed up: one row per person with every score of one instrument, what is known at the start, and contacts had."""

import pandas as pd

from sprx.cohort.delivery import attended_contacts
from sprx.cohort.people import scheme_people
from sprx.cohort.scores import follow_up_visits, scored_people

ALWAYS = ("age", "sex", "ethnic_group", "imd_decile")        # looked for beside the covariates of scheme.yaml
DAYS_PER_MONTH = 30.4375


def scores_and_covariates(scheme, instrument, allocated=False):
    """One row per person of each arm with the scores of one instrument and what was known of the person at the start.

    Parameters
    ----------
    scheme : Scheme (cleaned)
    instrument : str
    allocated : bool
        Also people allocated to the scheme who were never referred.

    Returns
    -------
    DataFrame
        As `scored_people`, and contacts (attended, up to the follow-up where dates tell; missing without a contacts table);
        visit_<months>, the scores at the other visits, where the data give visits; known_<name> for each covariate of scheme.yaml,
        then age, sex, ethnic_group and imd_decile, where they hold anything; by_<name> for each subgroup of scheme.yaml (missing
        for everyone where the data lack it).
    """
    table = scored_people(scheme, instrument, allocated=allocated)
    chosen = table["months"].dropna().unique() if scheme.settings.follow_up_months is not None else []
    for months in follow_up_visits(scheme, instrument):
        if scheme.settings.follow_up_months is not None and months not in chosen:
            at = _at_visit(scheme, instrument, months)
            table[f"visit_{months:g}"] = table["person_id"].map(at)
    people = pd.concat([scheme_people(scheme, arm) for arm in ("scheme", "comparison")]).drop_duplicates("person_id").set_index("person_id")
    for name in dict.fromkeys((*scheme.settings.covariates, *ALWAYS)):
        if name in people and people[name].notna().any():
            table[f"known_{name}"] = table["person_id"].map(people[name])
    for name in scheme.settings.subgroups:
        unknown = pd.Series(pd.NA, index=table.index, dtype="string")
        table[f"by_{name}"] = table["person_id"].map(people[name]) if name in people else unknown
    return table.assign(contacts=_contacts(scheme, table))


def _at_visit(scheme, instrument, months):
    """Each person's total at one visit."""
    rows = scheme.tables["outcomes"]
    rows = rows[(rows["instrument"] == instrument) & (rows["item"] == "total") & (rows["occasion"] == "follow_up")]
    return rows[rows["months"] == months].drop_duplicates("person_id").set_index("person_id")["value"]


def _contacts(scheme, table):
    """Contacts at which the person was there, of scheme people: those dated up to the follow-up score, or all where no date tells."""
    if not {"contacts", "referrals"} <= set(scheme.tables):
        return pd.Series(float("nan"), index=table.index)
    owner = scheme.tables["referrals"].drop_duplicates("referral_id").set_index("referral_id")["person_id"]
    rows = attended_contacts(scheme, scheme.tables["referrals"])
    rows = rows.assign(person_id=rows["referral_id"].map(owner))
    people = scheme.tables["people"].drop_duplicates("person_id").set_index("person_id")
    start = rows["person_id"].map(people["start"]) if "start" in people else pd.Series(pd.NaT, index=rows.index)
    months = rows["person_id"].map(table.drop_duplicates("person_id").set_index("person_id")["months"])
    late = (rows["contact_date"] - start).dt.days > months * DAYS_PER_MONTH + 0.5
    counts = rows[~late].groupby("person_id").size()
    return table["person_id"].map(counts).fillna(0).astype(float).mask(table["arm"].ne("scheme"))
