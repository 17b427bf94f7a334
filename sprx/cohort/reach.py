"""People and how far they came, and the columns by which they are described."""

import pandas as pd

from sprx.cohort.groups import DAYS_PER_MONTH
from sprx.cohort.referrals import scheme_referrals, stages
from sprx.cohort.scores import instruments_used, scored_people

NUMBERS = ("age", "long_term_conditions", "gp_appointments_12m", "ae_attendances_12m")
GROUPS = ("age_band", "sex", "ethnic_group", "imd_quintile", "source", "single_parent", "low_income", "lives_alone", "carer")
MOST_LEVELS = 12            # a column with more levels than this does not describe people, it names them
FEWEST_IN_A_TENTH = 10      # rates of fewer events are unstable (OHID), and no rule for small numbers hides 10


def people_stages(scheme, people, days):
    """People with how far each came: seen, completed, followed_up.

    Parameters
    ----------
    scheme : Scheme (cleaned)
    people : DataFrame
        As `referred_people` gives it.
    days : int
        Someone first referred less than this before the extract has had no time: their stages are missing. For followed_up
        the scheme's follow-up time counts where that is longer.

    Returns
    -------
    DataFrame, one row per person, on the index of `people`
        The columns of `people`, source (of the first referral), and seen, completed, followed_up: True when it holds of any
        referral (a later score of the first instrument that is used), False, or missing where it is not recorded.
    """
    reached = stages(scheme, scheme_referrals(scheme))
    first = reached.sort_values("referral_date", kind="stable").drop_duplicates("person_id").set_index("person_id")
    out = people.assign(source=people["person_id"].map(first["source"]) if len(first) else pd.Series(pd.NA, index=people.index, dtype="string"))
    by_person = reached.groupby("person_id")
    for stage in ("seen", "completed"):
        any_yes = out["person_id"].map(by_person[stage].max()).astype("boolean")
        all_known = out["person_id"].map(by_person[stage].count() == by_person.size()).astype("boolean").fillna(False)
        out[stage] = any_yes.where(any_yes.fillna(False) | all_known)
    used = instruments_used(scheme)
    scored = scored_people(scheme, used[0]).set_index("person_id")["follow_up"].notna() if used else pd.Series(dtype=bool)
    out["followed_up"] = out["person_id"].map(scored).astype("boolean")
    if scheme.settings.extract_date is not None:
        since = (scheme.settings.extract_date - out["person_id"].map(first["referral_date"])).dt.days if len(first) else pd.Series(float("nan"), index=out.index)
        wait = max(days, (scheme.settings.follow_up_months or 0) * DAYS_PER_MONTH)
        for stage, least in (("seen", days), ("completed", days), ("followed_up", wait)):
            out[stage] = out[stage].mask(since < least)
    return out


def table_one_columns(scheme, people):
    """The columns that describe people: numbers first, then groups; those of the standard, and the scheme's covariates and subgroups.

    Returns
    -------
    (DataFrame, list, list)
        The people, with carried columns of numbers made numbers; names of numbers; names of groups. A column that is all
        missing, or has more than MOST_LEVELS levels, is left out.
    """
    people = people.copy()
    asked = [c for c in dict.fromkeys((*scheme.settings.covariates, *scheme.settings.subgroups)) if c in people and c not in (*NUMBERS, *GROUPS, "imd_decile", "ethnicity")]
    numbers = list(NUMBERS)
    for column in asked:
        values = pd.to_numeric(people[column], errors="coerce")
        if values.notna().sum() == people[column].notna().sum() and values.nunique() > MOST_LEVELS / 2:
            people[column] = values.astype(float)
            numbers.append(column)
    groups = [c for c in (*GROUPS, *asked) if c not in numbers and c in people and people[c].nunique() <= MOST_LEVELS]
    held = {c for c in (*numbers, *groups) if c in people and people[c].notna().any()}
    return people, [c for c in numbers if c in held], [c for c in groups if c in held]


def deprivation_breakdown(people, residents):
    """The finest deprivation groups that carry rates: imd_decile, imd_quintile, or None.

    Tenths are used when at least six have residents and none of them has 1 to 9 people referred.
    """
    if residents.empty or residents["imd_quintile"].isna().all() or people["imd_quintile"].isna().all():
        return None
    size = residents.groupby("imd_decile")["people"].sum()
    referred = people["imd_decile"].value_counts()
    tenths = size.index[size > 0]
    return "imd_decile" if len(tenths) >= 6 and not referred.between(1, FEWEST_IN_A_TENTH - 1).any() else "imd_quintile"
