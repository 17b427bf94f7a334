"""Inequality: rates that allow for age, and how they run from the most to the least deprived."""

import re

import numpy as np
import pandas as pd

from sprx.errors import require
from sprx.intervals import poisson
from sprx.metrics.for_whom.people import level_counts
from sprx.metrics.for_whom.reach import level_order, residents_by
from sprx.reference import facts
from sprx.results import result_table
from sprx.stats.equity import FEWEST_EVENTS, band_weights, error_of_limits, relative_rank, slope_and_relative_index, standardised_rate

FEWEST_LEVELS = 3
OPEN = 199          # the upper end of a band such as 85+
WHOLE = {"imd_decile": 10, "imd_quintile": 5}
PLAIN = {"imd_decile": "tenths", "imd_quintile": "fifths"}


def standard_bands(labels):
    """ESP2013 weights for age bands such as 18-24 and 85+: label -> weight.

    References
    ----------
    Eurostat (2013) Revision of the European Standard Population; a band of five years is split evenly over its years.
    """
    ends = {label: re.fullmatch(r"(\d+)(?:-(\d+)|\+)", label) for label in labels}
    bands = {label: (int(m[1]), int(m[2]) if m[2] else OPEN) for label, m in ends.items() if m}
    standard = facts("esp2013")
    rows = list(zip(standard["age_min"].astype(int), pd.to_numeric(standard["age_max"]), standard["weight"].astype(float)))
    return dict(zip(bands, band_weights(list(bands.values()), rows))) if bands else {}


def referral_rate_standardised(people, population, by=None, conf_level=0.95):
    """People referred per 1,000 residents, had every group the ages of the European standard population of 2013.

    Parameters
    ----------
    people : DataFrame, one row per person referred
        Needs age_band, and `by` if given.
    population : DataFrame, one row per cell
        Needs age_band, people (residents), and `by` if given.
    by : str, optional

    Returns
    -------
    DataFrame
        Result layout; measure referral_rate_standardised, unit "per 1,000", group = by. n = people used; n_missing = the others (no age, or
        an age in no band with residents). Below 10 people there is no estimate. Ages that the population table does not
        cover carry no weight, and the note names those it does.

    References
    ----------
    Dobson et al (1991) Stat Med 10:457; ESP2013: Eurostat (2013); none below 10 events: Morris et al (2018) Popul Health Metr 16:1.
    """
    require(people, "people", ["age_band"] + ([by] if by else []))
    require(population, "population", ["age_band", "people"] + ([by] if by else []))
    weights = standard_bands(sorted(population["age_band"].dropna().astype(str).unique()))
    if by is None:
        return result_table([_standardised(level_counts(people, "age_band"), residents_by(population, "age_band"), weights, conf_level)
                             | dict(group="all", level="all")])
    counts = {}
    for (level, band), count in people.groupby([by, "age_band"], dropna=False, observed=True, sort=False).size().items():
        counts.setdefault(str(level), {})["missing" if pd.isna(band) else str(band)] = int(count)
    size, rows = residents_by(population, by), []
    for level in level_order(size):
        part = counts.get(level, {})
        row = _standardised(part, residents_by(population[population[by].astype("string").eq(level).fillna(False)], "age_band"), weights, conf_level)
        rows.append(row | dict(group=by, level=level))
    return result_table(rows)


def _standardised(counts, residents, weights, conf_level):
    """One row: counts, residents and weights by age band."""
    used = [band for band in weights if residents.get(band, 0) > 0]
    events = np.array([counts.get(band, 0) for band in used], dtype=float)
    total, without = int(events.sum()), sum(counts.get(band, 0) for band in weights if band not in used)
    row = dict(measure="referral_rate_standardised", n=total, n_missing=sum(counts.values()) - total, conf_level=conf_level, unit="per 1,000",
               method="direct, ESP2013, Dobson", numerator=events[events > 0].min() if total else None)
    found = standardised_rate(events, [residents[b] for b in used], [weights[b] for b in used], poisson(total, conf_level)) if used else {}
    row |= {key: 1000 * value for key, value in found.items()}
    if not used:
        row["note"] = "no residents by age in the population table"
    elif total < FEWEST_EVENTS:
        row["note"] = f"fewer than {FEWEST_EVENTS} people: no standardised rate is given"
    else:
        row["note"] = f"ages used: {_ages(used)}" + ("; some people are of an age without residents" if without else "")
    return row


def _ages(bands):
    """Bands in words, joined where one follows the other: '18 and over', '18 to 64'."""
    ends = sorted((int(b.split("-")[0].rstrip("+")), OPEN if b.endswith("+") else int(b.split("-")[1])) for b in bands)
    joined = [list(ends[0])]
    for low, high in ends[1:]:
        if low == joined[-1][1] + 1:
            joined[-1][1] = high
        else:
            joined.append([low, high])
    return ", ".join(f"{low} and over" if high == OPEN else f"{low} to {high}" for low, high in joined)


def inequality(people, population, by, conf_level=0.95):
    """How the referral rate runs from the most to the least deprived residents: slope and relative index of inequality.

    Parameters
    ----------
    people : DataFrame, one row per person referred
        Needs the column `by`.
    population : DataFrame, one row per cell
        Needs `by` and people (residents).
    by : str
        imd_decile or imd_quintile, 1 = most deprived.

    Returns
    -------
    DataFrame
        Result layout, group = by: slope_index (level all, "per 1,000": fitted rate at the least deprived end minus at the most deprived end),
        relative_index (ratio of the two), and the line itself: fitted_rate at the levels 'most deprived' and 'least deprived', with
        relative_rank of each level (its middle among the residents, proportion). n = people used; n_missing = no level recorded, or one
        without residents. Without enough levels the rows are there with a note.

    Notes
    -----
    The standard error of each rate is its interval's width by twice the normal quantile, so that a level with nobody referred
    has one too.

    References
    ----------
    See `stats.equity.slope_and_relative_index`; OHID public health technical guidance.
    """
    require(people, "people", [by])
    residents, counts = residents_by(population, by), level_counts(people, by)
    used = [level for level in level_order(residents) if residents[level] > 0 and level.isdigit()]
    events = [counts.get(level, 0) for level in used]
    about = dict(group=by, level="all", n=sum(events), n_missing=len(people) - sum(events), conf_level=conf_level, note=_levels_used(used, by),
                 numerator=min([e for e in events if e] or [np.nan]), method="least squares weighted by residents")
    slope, ratio = dict(measure="slope_index", unit="per 1,000", **about), dict(measure="relative_index", unit="ratio", **about)
    if len(used) < FEWEST_LEVELS or not sum(events):
        why = "nobody referred whose deprivation is known" if not sum(events) else f"needs residents in at least {FEWEST_LEVELS} levels of deprivation; there are {len(used)}"
        return result_table([slope | dict(note=why), ratio | dict(note=why)])
    size = np.array([residents[level] for level in used])
    rates = 1000 * np.array(events) / size
    limits = np.array([poisson(e, conf_level) for e in events]) * 1000 / size[:, None]
    found = slope_and_relative_index(rates, error_of_limits(*limits.T, conf_level), size, conf_level)
    slope |= dict(estimate=found["slope"], std_error=found["slope_error"], conf_low=found["slope_low"], conf_high=found["slope_high"])
    ratio |= dict(estimate=found["ratio"], conf_low=found["ratio_low"], conf_high=found["ratio_high"], method=f"{about['method']}, Fieller")
    if not found["ratio"] > 0:          # a line below 0 at one end makes no ratio
        ratio |= dict(estimate=None, conf_low=None, conf_high=None, note="no ratio: the fitted line falls below 0 at one end")
    line = dict(measure="fitted_rate", unit="per 1,000", **about)
    ends = [line | dict(level="most deprived", estimate=found["intercept"]), line | dict(level="least deprived", estimate=found["intercept"] + found["slope"])]
    ranks = [dict(measure="relative_rank", group=by, level=level, n=sum(events), n_missing=about["n_missing"], estimate=rank, unit="rank", method="middle of the level's residents")
             for level, rank in zip(used, relative_rank(size))]
    return result_table([slope, ratio, *ends, *ranks])


def _levels_used(used, by):
    """Which levels the index rests on, and what is odd about them."""
    whole = [str(level) for level in range(1, WHOLE.get(by, len(used)) + 1)]
    said = f"by {PLAIN.get(by, by)}"
    if absent := [level for level in whole if level not in used]:
        said += f"; no residents in {', '.join(absent)}, so the line is over the others"
    if by in WHOLE and used and max(map(int, used)) <= (WHOLE[by] + 1) // 2:
        said += "; no tenth above 5 or 6 has residents: if the column holds fifths, not tenths, double its values"
    return said
