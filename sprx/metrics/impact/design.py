"""Which design, of what strength, and whether both groups are counted from a day on which both could have had outcomes."""

import pandas as pd

from sprx.errors import require
from sprx.intervals import mean
from sprx.results import result_table, share_row

DESIGN_MEASURES = {"scores": "maryland_level_scores", "use": "maryland_level_use"}


def design_level(designs):
    """The Maryland level of the design used for scores and for use of services.

    Parameters
    ----------
    designs : DataFrame, indexed by 'scores' and 'use'
        As `cohort.impact_designs` gives them: design, name, level, why.

    Returns
    -------
    DataFrame
        Result layout, one row each; estimate = level (1 to 5; empty where nothing can be compared), method = the design's name, note = why.
    """
    require(designs, "designs", ["design", "name", "level", "why"])
    return result_table([dict(measure=DESIGN_MEASURES[outcome], group="design", level=row["design"], n=0, n_missing=0, unit="level of 5",
                              estimate=row["level"] if row["level"] else None, method=row["name"], note=row["why"]) for outcome, row in designs.iterrows()])


def people_compared(people, instrument):
    """How many people of each group there are, and how many of them were measured again.

    Parameters
    ----------
    people : DataFrame, one row per person of either arm
        As `cohort.compared_people` gives them.

    Returns
    -------
    DataFrame
        Result layout; measured_again (share of those with any score, Wilson), group group, level scheme and comparison.
    """
    require(people, "people", ["arm", "baseline", "follow_up"])
    rows = []
    for arm in ("scheme", "comparison"):
        part = people[people["arm"] == arm]
        scored = part["baseline"].notna() | part["follow_up"].notna()
        rows.append(share_row(part["follow_up"].notna().astype("boolean").mask(~scored), 0.95, measure=f"measured_again_{instrument}", group="compared", level=arm))
    return result_table(rows)


def time_zero(checks, conf_level=0.95):
    """Whether outcomes could be counted before both groups could have had them (immortal time), and who is in both groups.

    Parameters
    ----------
    checks : DataFrame, one row per person of either arm
        As `cohort.time_zero_checks` gives them.

    Returns
    -------
    DataFrame
        Result layout, group compared, level scheme and comparison: without_start (no first referral or index date), scored_before_start (a follow-up dated before it),
        months_to_follow_up and months_watched (of service use after the start; means, t limits); also_referred (comparison people who were referred as well, and are left out).
    """
    require(checks, "checks", ["arm", "has_start", "too_early", "months", "watched", "also_referred"])
    rows = []
    for arm in ("scheme", "comparison"):
        part, place = checks[checks["arm"] == arm], dict(group="compared", level=arm)
        if part.empty:
            continue
        rows.append(share_row(~part["has_start"].astype("boolean"), conf_level, measure="without_start", **place))
        rows.append(share_row(part["too_early"].astype("boolean"), conf_level, measure="scored_before_start", **place))
        for measure, column, lacking in (("months_to_follow_up", "months", "later score"), ("months_watched", "watched", "month of service use")):
            known = part[column].dropna()
            rows.append(place | dict(measure=measure, n=len(known), n_missing=len(part) - len(known), unit="months", method="mean, t limits", conf_level=conf_level,
                                     note="" if len(known) > 1 else f"fewer than 2 people with a {lacking}", **mean(known, conf_level)))
        if arm == "comparison":
            rows.append(share_row(pd.Series(part["also_referred"].astype("boolean")), conf_level, measure="also_referred", **place))
    return result_table(rows)
