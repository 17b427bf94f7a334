"""Reach: the people referred beside the people who live there, and where groups of them are lost."""

from sprx.errors import DataError, require
from sprx.intervals import poisson, wilson
from sprx.metrics.for_whom.people import STAGES, at_stage, level_counts
from sprx.results import levels, result_table, share_row


def residents_by(population, by):
    """Residents in each level of one characteristic, as text -> count."""
    require(population, "population", [by, "people"])
    if (population["people"] < 0).any():
        raise DataError("population has negative counts of people. Correct them in the population table.")
    return population.assign(**{by: population[by].astype("string")}).groupby(by)["people"].sum().astype(float).to_dict()


def level_order(names):
    """Levels in order: numbers by size, then text."""
    return sorted(names, key=lambda name: (not name.isdigit(), int(name) if name.isdigit() else 0, name))


def referral_rate(people, population, by, conf_level=0.95):
    """People referred per 1,000 residents, by one characteristic.

    Parameters
    ----------
    people : DataFrame, one row per person referred
        Needs the column `by`.
    population : DataFrame, one row per cell
        Needs `by` and people (residents).
    by : str

    Returns
    -------
    DataFrame
        Result layout; measure referral_rate, unit "per 1,000". n = people referred. A level without residents has an empty
        estimate and a note; people without a recorded level are the level 'missing'.

    Raises
    ------
    DataError
        If a column is absent or a count of residents is negative.

    References
    ----------
    Exact limits below 10 events, Byar's from 10: OHID public health technical guidance, rates.
    """
    require(people, "people", [by])
    residents, counts = residents_by(population, by), level_counts(people, by)
    unknown = counts.pop("missing", 0)
    rows = []
    for level in level_order(set(residents) | set(counts)):
        count, size = counts.get(level, 0), residents.get(level, 0.0)
        row = dict(measure="referral_rate", group=by, level=level, n=count, n_missing=0, conf_level=conf_level, unit="per 1,000",
                   numerator=count, denominator=size, method="exact" if count < 10 else "Byar's")
        if size > 0:
            low, high = poisson(count, conf_level)
            row |= dict(estimate=1000 * count / size, conf_low=1000 * low / size, conf_high=1000 * high / size)
        else:
            row["note"] = "no residents in the population table"
        rows.append(row)
    if unknown:
        rows.append(dict(measure="referral_rate", group=by, level="missing", n=unknown, n_missing=0, unit="per 1,000",
                         conf_level=conf_level, note=f"{by} not recorded", numerator=unknown, method="none"))
    return result_table(rows)


def reached_by(people, by, conf_level=0.95):
    """Share of the people of each group who were seen, completed and followed up.

    Parameters
    ----------
    people : DataFrame, one row per person referred
        Needs `by` and STAGES (True, False, missing = not recorded, or referred too recently to tell).
    by : str

    Returns
    -------
    DataFrame
        Result layout; measures reached_seen, reached_completed, reached_followed_up, group = by, unit proportion. Every share is of
        the people referred, so that a group lost at one stage stays low at the next.

    References
    ----------
    Wilson score interval: Newcombe (1998) Stat Med 17:857, method 3.
    """
    require(people, "people", [by, *STAGES])
    parts = list(levels(people[[by, *STAGES]], by))
    return result_table([share_row(part[stage], conf_level, measure=f"reached_{stage}", group=by, level=level,
                                   note="" if part[stage].notna().any() else "not recorded, or referred too recently to tell")
                         for stage in STAGES if people[stage].notna().any() for level, part in parts])


def representation_ratio(people, population, by, conf_level=0.95, stage=None):
    """Each group's share of the people referred (or of those who came so far) by its share of the residents.

    Parameters
    ----------
    people : DataFrame, one row per person referred
        Needs `by`, and `stage` if given.
    population : DataFrame, one row per cell
        Needs `by` and people (residents).
    by : str
    stage : str, optional
        One of STAGES: only people for whom this column is True.

    Returns
    -------
    DataFrame
        Result layout; measure representation_ratio or representation_ratio_<stage>, group = by, unit ratio; 1 = as many as among the
        residents. n = people whose level is one of the population table's; n_missing = the others. Limits are Wilson's for the
        share, by the residents' share, which is taken as known.

    References
    ----------
    Wilson score interval: Newcombe (1998) Stat Med 17:857, method 3.
    """
    require(people, "people", [by] + ([stage] if stage else []))
    residents = {level: size for level, size in residents_by(population, by).items() if size > 0}
    chosen = at_stage(people, by, stage)
    counts, everyone = level_counts(chosen, by), sum(residents.values())
    known, rows = sum(counts.get(level, 0) for level in residents), []
    for level in level_order(residents):
        share, count = residents[level] / everyone, counts.get(level, 0)
        row = dict(measure=f"representation_ratio_{stage}" if stage else "representation_ratio", group=by, level=level, n=known,
                   n_missing=len(chosen) - known, conf_level=conf_level, unit="ratio", method="Wilson score, by the residents' share")
        if known:
            low, high = wilson(count, known, conf_level)
            row |= dict(estimate=count / known / share, conf_low=low / share, conf_high=high / share, numerator=count, denominator=known)
        else:
            row["note"] = "nobody whose group is one of the population table's"
        rows.append(row)
    return result_table(rows)
