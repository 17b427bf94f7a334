"""The five groups of people that the evidence names as suitable: who belongs, by which definition, and who could have come."""

import pandas as pd

from sprx.cohort.people import population
from sprx.reference import facts
from sprx.schema import OPEN_BAND, read_band, read_boolean

DAYS_PER_MONTH = 30.4375
WORDS = {
    "depression_anxiety": "a first PHQ-9 score of {phq9[0]:g} to {phq9[1]:g} or GAD-7 score of {gad7[0]:g} to {gad7[1]:g}, or recorded as having depression or anxiety",
    "low_income_single_parent": "a lone parent on a low income or in deprivation tenths 1 to {imd_decile_at_most:g}",
    "bereaved_older": "aged {age_at_least:g} or over and bereaved in the {months:g} months before the start",
    "long_term_condition": "{conditions_at_least:g} or more long-term conditions",
    "frequent_attender": "{gp_appointments_12m:g} or more GP appointments or {ae_attendances_12m:g} or more A&E attendances in the year before"}


def suitable_groups(scheme, people):
    """Which of the five groups named by the evidence each person belongs to, by the scheme's definitions.

    Returns
    -------
    DataFrame, on the index of `people`
        One column per group of reference/referral_groups.csv: True, False, or missing where the data cannot tell.
    """
    has, column, says = {c for c in people.columns if people[c].notna().any()}, people.get, scheme.settings.group_definition
    groups = dict.fromkeys(facts("referral_groups")["group"], _any_of([], people.index))
    groups["depression_anxiety"] = _any_of(_signs_of_depression_or_anxiety(scheme, people), people.index)
    if "single_parent" in has:
        poor = [column("low_income")] if "low_income" in has else []
        poor += [column("imd_decile").le(says("low_income_single_parent")["imd_decile_at_most"])] if "imd_decile" in has else []
        groups["low_income_single_parent"] = column("single_parent") & _any_of(poor, people.index)
    if {"bereaved_on", "age"} <= has:
        limits = says("bereaved_older")
        months = (people["start"] - people["bereaved_on"]).dt.days / DAYS_PER_MONTH
        recent = months.between(0, limits["months"]) & people["age"].ge(limits["age_at_least"])
        groups["bereaved_older"] = recent.astype("boolean").mask(people["age"].isna())
    if "long_term_conditions" in has:
        groups["long_term_condition"] = column("long_term_conditions").ge(says("long_term_condition")["conditions_at_least"]).astype("boolean")
    often = says("frequent_attender")
    groups["frequent_attender"] = _any_of([column(c).ge(often[c]) for c in ("gp_appointments_12m", "ae_attendances_12m") if c in has], people.index)
    return pd.DataFrame(groups)


def _any_of(signs, index):
    """True where any sign is, False where at least one is known and none is, else missing."""
    if not signs:
        return pd.Series(pd.NA, index=index, dtype="boolean")
    return pd.concat([s.astype("Float64") for s in signs], axis=1).max(axis=1).astype("Float64").eq(1)


def _signs_of_depression_or_anxiety(scheme, people):
    """A flag column `depression` or `anxiety`, and a baseline PHQ-9 or GAD-7 within the definition's limits."""
    signs = [read_boolean(people[flag].astype("string")) for flag in ("depression", "anxiety") if flag in people]
    scores = scheme.tables.get("outcomes")
    if scores is not None:
        base = scores[(scores["occasion"] == "baseline") & (scores["item"] == "total")]
        for instrument in ("phq9", "gad7"):
            first = base[base["instrument"] == instrument].drop_duplicates("person_id").set_index("person_id")["value"]
            score = people["person_id"].map(first)
            signs.append(score.between(*scheme.settings.group_definition("depression_anxiety")[instrument]).astype("boolean").mask(score.isna()))
    return signs


def group_definitions(scheme):
    """The definition of each suitable group that this scheme is reported by.

    Returns
    -------
    DataFrame, one row per group
        group, definition (plain words), changed (True where scheme.yaml differs from the default of docs/methods.md).
    """
    plain = type(scheme.settings)(scheme_id="default", name="default")
    rows = []
    for group in facts("referral_groups")["group"]:
        words = WORDS[group].format(**scheme.settings.group_definition(group))
        rows.append(dict(group=group, definition=words, changed=words != WORDS[group].format(**plain.group_definition(group))))
    return pd.DataFrame(rows)


def eligible_residents(scheme):
    """How many residents could belong to each suitable group, as scheme.yaml says.

    Returns
    -------
    DataFrame, one row per group
        group, eligible (people; missing when nobody said), source (who says so, and how it was worked out).

    Notes
    -----
    `eligible` is a number of people; `eligible_share` is a share of the residents of the population table, for the bereaved of
    those at or above the definition's age. An age band that begins below that age counts by its years.
    """
    rows = []
    for group in facts("referral_groups")["group"]:
        says = scheme.settings.group_definition(group)
        eligible, source = says.get("eligible", float("nan")), says.get("eligible_source") or "scheme.yaml, source not said"
        if pd.isna(eligible) and "eligible_share" in says:
            residents = _residents_from(population(scheme), says.get("age_at_least", 0))
            eligible = says["eligible_share"] * residents
            source = f"{source}; {100 * says['eligible_share']:g}% of {residents:,.0f} residents" + (f" aged {says['age_at_least']:g} or over" if "age_at_least" in says else "")
        rows.append(dict(group=group, eligible=eligible, source=source if eligible > 0 else ""))
    return pd.DataFrame(rows)


def _residents_from(residents, age):
    """Residents at or above an age; 0 where the table has no ages and an age is asked for."""
    if not age:
        return float(residents["people"].sum())
    bands = residents[residents["age_band"].notna()]
    ends = bands["age_band"].map(read_band)
    part = [1.0 if low >= age else 0.0 if high < age or high >= OPEN_BAND else (high + 1 - age) / (high + 1 - low) for low, high in ends]
    return float((bands["people"] * part).sum())
