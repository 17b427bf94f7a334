"""What the scheme says of itself, and which of its referrals have each of the information standard's four groups filled in."""

import pandas as pd

from sprx.cohort.compared import primary_instrument, primary_is_use, primary_service
from sprx.cohort.delivery import attended_contacts
from sprx.cohort.due import due_for_follow_up
from sprx.cohort.referrals import scheme_referrals
from sprx.cohort.scores import instruments_used
from sprx.reference import BY_LOT

UNKNOWN = {"sex": ("not_known",), "ethnicity": ("99",)}       # codes that say that nobody knows; 'not stated' is an answer
DEMOGRAPHICS = (("age", "birth_year"), ("sex",), ("ethnicity",), ("imd_decile", "lsoa"))


def what_is_said(scheme):
    """Everything that the data and scheme.yaml hold, as a set of names.

    Returns
    -------
    set of str
        'needs' for a table with rows, 'contacts.mode' for a column with values, 'plan.contacts' and 'economics.perspective' for keys of scheme.yaml, and
        'name', 'area', 'period', 'rebase', 'primary_outcome', 'comparison people', 'comparison design', 'by lot' where they are given.
    """
    settings, tables = scheme.settings, scheme.tables
    said = {f"{name}.{column}" for name, rows in tables.items() for column in rows if rows[column].notna().any()} | {name for name, rows in tables.items() if len(rows)}
    said |= {f"{block}.{key}" for block in ("plan", "economics") for key, value in getattr(settings, block).items() if value is not None}
    said |= {key for key in ("area", "rebase", "primary_outcome", "covariates") if getattr(settings, key)}
    design = settings.comparison.get("design") or "none"
    facts = {"name": settings.name != settings.scheme_id, "period": settings.period[0] is not None, "comparison design": design != "none", "by lot": design in BY_LOT,
             "comparison people": "people" in tables and tables["people"]["arm"].eq("comparison").any()}
    return said | {name for name, is_so in facts.items() if is_so}


def answer_rests_on(scheme):
    """What the main answer is about, as (instrument, service): one of the two, or neither."""
    instrument = None if primary_is_use(scheme) else primary_instrument(scheme)
    return instrument, primary_service(scheme) if instrument is None else None


def standard_groups_filled(scheme):
    """Which referrals of the period have each of the information standard's four groups filled in.

    Returns
    -------
    DataFrame, one row per referral
        month ('2024-04'; missing without a date), demographics, needs, support, outcomes: True, False, or missing where the group is not asked of this referral
        (support of people not seen, outcomes of people whose later score is not due yet).
    """
    rows = scheme_referrals(scheme)
    people = scheme.tables["people"].drop_duplicates("person_id").set_index("person_id")
    own = people.reindex(rows["person_id"]).set_axis(rows.index)
    out = pd.DataFrame({"month": rows["referral_date"].dt.strftime("%Y-%m")})
    out["demographics"] = pd.concat([_any_known(own, columns) for columns in DEMOGRAPHICS], axis=1).all(axis=1)
    out["needs"] = rows["referral_id"].isin(_referrals_in(scheme, "needs"))
    helped = set(_referrals_in(scheme, "activities")) | set(attended_contacts(scheme, rows)["referral_id"])
    seen = rows["first_contact_date"].notna()
    out["support"] = rows["referral_id"].isin(helped).astype("boolean").where(seen | ~seen.any())
    due = due_for_follow_up(scheme, own) if "start" in own else pd.Series(True, index=rows.index)
    out["outcomes"] = rows["person_id"].isin(_measured_twice(scheme)).astype("boolean").where(due)
    return out


def _any_known(own, columns):
    """True where one of the columns holds a value that says something."""
    found = pd.Series(False, index=own.index)
    for column in [c for c in columns if c in own]:
        found |= own[column].notna() & ~own[column].isin(UNKNOWN.get(column, ()))
    return found


def _referrals_in(scheme, table):
    rows = scheme.tables.get(table)
    return () if rows is None else rows["referral_id"]


def _measured_twice(scheme):
    """People with a first and a later score on one and the same measure."""
    rows = scheme.tables.get("outcomes")
    if rows is None:
        return ()
    known = rows[rows["value"].notna()]
    pairs = [set(zip(part["person_id"], part["instrument"])) for part in (known[known["occasion"].eq(when).fillna(False)] for when in ("baseline", "follow_up"))]
    return {person for person, _ in pairs[0] & pairs[1]}


def coproduction_answers(scheme):
    """The scheme's answers on co-production: practice, level, evidence (text; empty where none is given). No rows without the table."""
    rows = scheme.tables.get("coproduction")
    if rows is None:
        return pd.DataFrame({"practice": pd.Series(dtype="string"), "level": pd.Series(dtype="float"), "evidence": pd.Series(dtype="string")})
    evidence = rows["evidence"] if "evidence" in rows else pd.Series(pd.NA, index=rows.index, dtype="string")
    return rows.assign(evidence=evidence.fillna("").astype(str).str.strip()).reset_index(drop=True)[["practice", "level", "evidence"]]


def what_is_measured(scheme):
    """What the scheme measures, under the names by which reference/transparency/outcome_frameworks.csv finds it.

    Returns
    -------
    DataFrame, one row per measure
        measure (the instrument; or 'need:housing', 'activity:nature_green', 'service:nel'), name, domain ('domain:loneliness'; '' for what is no score).
    """
    known, rows = scheme.measures(), []
    for instrument in instruments_used(scheme):
        measure = known.loc[instrument] if instrument in known.index else {}
        rows.append(dict(measure=instrument, name=measure.get("name") or instrument, domain=f"domain:{measure.get('domain', '')}"))
    for table, column, kind in (("needs", "need", "need"), ("activities", "activity_type", "activity"), ("service_use", "service", "service")):
        held = scheme.tables[table] if table in scheme.tables else pd.DataFrame({column: []})
        rows += [dict(measure=f"{kind}:{value}", name=value, domain="") for value in sorted(held[column].dropna().unique())]
    return pd.DataFrame(rows, columns=["measure", "name", "domain"])
