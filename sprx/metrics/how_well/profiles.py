"""What was measured at all: health profiles dimension by dimension, the four domains, scores that do not fit their case."""

import numpy as np
import pandas as pd

from sprx.errors import require
from sprx.results import result_table, share_row
from sprx.stats.change import health_state_change

DIMENSIONS = ["mobility", "self-care", "usual activities", "pain or discomfort", "anxiety or depression"]
CHANGES = ["better", "mixed", "same", "worse"]


def profile_levels(profiles, levels, conf_level=0.95):
    """Share of people at each level of each EQ-5D dimension, at both times, among people with whole answers at both.

    Parameters
    ----------
    profiles : DataFrame, one row per person, dimension and occasion
        Needs person_id, dimension (1 to 5), occasion (baseline, follow_up) and level.
    levels : int
        3 or 5.

    Returns
    -------
    DataFrame
        Result layout, unit proportion. share_at_level: groups '<dimension>, baseline' and '<dimension>, follow_up', levels 1 (no
        problems) to `levels`. state_of_health: group health_change, levels better (better in some dimension, worse in none), worse, mixed,
        same. n_missing = people with answers who lack one at either time.

    References
    ----------
    Pareto classification: Devlin, Parkin and Browne (2010) Health Econ 19:886. Wilson: Newcombe (1998) Stat Med 17:857.
    """
    require(profiles, "profiles", ["person_id", "dimension", "occasion", "level"])
    wide = profiles.set_index(["person_id", "occasion", "dimension"])["level"].unstack(["occasion", "dimension"])
    wide = wide.reindex(columns=pd.MultiIndex.from_product([["baseline", "follow_up"], range(1, 6)]))
    whole, rows = wide.notna().all(axis=1), []
    for position, name in enumerate(DIMENSIONS, start=1):
        for time in ("baseline", "follow_up"):
            answers = wide[time, position].where(whole)
            rows += [share_row(answers.eq(level).astype("boolean").mask(~whole), conf_level, measure="share_at_level", group=f"{name}, {time}",
                               level=str(level)) for level in range(1, levels + 1)]
    change = pd.Series(health_state_change(wide["baseline"], wide["follow_up"]) if len(wide) else np.array([], dtype=object), index=wide.index)
    rows += [share_row(change.eq(level).astype("boolean").mask(~whole), conf_level, measure="state_of_health", group="health_change", level=level)
             for level in CHANGES]
    return result_table(rows)


def domains_measured(measured, domains, conf_level=0.95):
    """Share of people measured twice in each of the domains that the evidence names.

    Parameters
    ----------
    measured : DataFrame, one row per person
        One boolean column per domain; missing for everybody where nothing that was recorded measures it.
    domains : list of str

    Returns
    -------
    DataFrame
        Result layout; measure measured_in_domain, group domain, unit proportion; the note 'not measured' where nothing does.
    """
    require(measured, "measured", domains)
    return result_table([share_row(measured[d], conf_level, measure="measured_in_domain", group="domain", level=d,
                                   note="not measured" if measured[d].isna().all() else "") for d in domains])


def out_of_time(flags, conf_level=0.95):
    """Share of scores measured at a time that does not fit their case.

    Parameters
    ----------
    flags : DataFrame, one row per score
        Boolean columns, one per way not to fit (as `cohort.scores_out_of_time` gives them); missing = cannot be told.

    Returns
    -------
    DataFrame
        Result layout; measure scores_out_of_time, group timing, unit proportion. The scores are counted, not left out.
    """
    return result_table([share_row(flags[column], conf_level, measure="scores_out_of_time", group="timing", level=column) for column in flags])


def scores_unused(reasons):
    """Score rows that could not be used, by reason.

    Parameters
    ----------
    reasons : Series of str, one per row set aside

    Returns
    -------
    DataFrame
        Result layout; measure scores_set_aside, group problem, unit rows. No rows where every score could be used.
    """
    counts = reasons.value_counts().sort_index()
    return result_table([dict(measure="scores_set_aside", group="problem", level=reason, n=n, n_missing=0, estimate=n, unit="rows",
                              method="count", numerator=n) for reason, n in counts.items()])
