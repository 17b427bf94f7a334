"""The five groups of people that the evidence names as suitable."""

import pandas as pd

from sprx.reference import facts
from sprx.schema import read_boolean

DAYS_PER_MONTH = 30.4375
# the five suitable groups: reference/referral_groups.csv
MILD_TO_MODERATE, MOST_DEPRIVED_DECILES, BEREAVED_MONTHS, OLDER_AGE = (5, 14), 2, 24, 65
FREQUENT = {"gp_appointments_12m": 12, "ae_attendances_12m": 5}


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
