"""For whom: who was referred, beside the people who live there, and the groups the evidence names as suitable."""

from sprx.errors import DataError, require
from sprx.intervals import poisson, wilson
from sprx.results import levels, result_table


def composition(people, by, conf_level=0.95):
    """Share of people in each level of one characteristic; 'missing' is a level.

    Parameters
    ----------
    people : DataFrame, one row per person
        Needs the column `by`.
    by : str

    Returns
    -------
    DataFrame
        Result layout; measure share_of_people, group = by, unit proportion. n = everyone; the shares add up to 1.

    References
    ----------
    Wilson score interval: Newcombe (1998) Stat Med 17:857, method 3.
    """
    require(people, "people", [by])
    rows, total = [], len(people)
    for level, part in levels(people, by):
        low, high = wilson(len(part), total, conf_level)
        rows.append(dict(measure="share_of_people", group=by, level=level, n=total, n_missing=0, estimate=len(part) / total,
                         conf_low=low, conf_high=high, conf_level=conf_level, unit="proportion", numerator=len(part), denominator=total,
                         method="Wilson score"))
    return result_table(rows)


def share_of_older(people, age=65, conf_level=0.95):
    """Share of people at or above an age, among those whose age is known.

    Parameters
    ----------
    people : DataFrame, one row per person
        Needs age (years).

    Returns
    -------
    DataFrame
        Result layout; measure share_of_older, group age, level '65 or over', unit proportion.

    References
    ----------
    Wilson score interval: Newcombe (1998) Stat Med 17:857, method 3.
    """
    ages = people["age"].dropna().astype(float) if "age" in people else people.index.to_series().iloc[:0].astype(float)
    older = int(ages.ge(age).sum())
    low, high = wilson(older, len(ages), conf_level)
    known = len(ages) or None
    return result_table([dict(measure="share_of_older", group="age", level=f"{age} or over", n=len(ages), n_missing=len(people) - len(ages),
                              estimate=older / len(ages) if known else float("nan"), conf_low=low, conf_high=high, conf_level=conf_level,
                              unit="proportion", numerator=older if known else None, denominator=known, method="Wilson score")])


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
    require(population, "population", [by, "people"])
    if (population["people"] < 0).any():
        raise DataError("population has negative counts of people. Correct them in the population table.")
    residents = population.assign(**{by: population[by].astype("string")}).groupby(by)["people"].sum()
    counts = people[by].astype("string").value_counts(dropna=False)
    rows = []
    for level in sorted(set(residents.index) | set(counts.index.dropna())):
        count, size = int(counts.get(level, 0)), float(residents.get(level, 0))
        row = dict(measure="referral_rate", group=by, level=level, n=count, n_missing=0, conf_level=conf_level, unit="per 1,000",
                   numerator=count, denominator=size, method="exact" if count < 10 else "Byar's")
        if size > 0:
            low, high = poisson(count, conf_level)
            row |= dict(estimate=1000 * count / size, conf_low=1000 * low / size, conf_high=1000 * high / size)
        else:
            row["note"] = "no residents in the population table"
        rows.append(row)
    unknown = int(people[by].isna().sum())
    if unknown:
        rows.append(dict(measure="referral_rate", group=by, level="missing", n=unknown, n_missing=0, unit="per 1,000",
                         conf_level=conf_level, note=f"{by} not recorded", numerator=unknown, method="none"))
    return result_table(rows)


def suitable_group_shares(flags, conf_level=0.95):
    """Share of people in each of the groups named as suitable, and in none of them.

    Parameters
    ----------
    flags : DataFrame, one row per person
        One column per group: True, False, or missing where the data cannot tell (as `cohort.suitable_groups` gives it).

    Returns
    -------
    DataFrame
        Result layout; measures share_in_suitable_group (unit proportion) and people_in_suitable_group (unit people), group
        suitable_group; n_missing = cannot tell. The
        level 'none of these' is about people for whom every group that the data hold at all is known. Groups overlap.
    """
    answerable = [g for g in flags if flags[g].notna().any()]
    known = flags[answerable].notna().all(axis=1) if answerable else flags.index.to_series().ne(flags.index.to_series())
    none = (~flags.loc[known, answerable].astype(bool)).all(axis=1)
    columns = {**{g: flags[g].dropna().astype(bool) for g in flags}, "none of these": none.astype(bool)}
    rows = []
    for level, values in columns.items():
        total, inside = len(values), int(values.sum())
        low, high = wilson(inside, total, conf_level)
        unseen = [g for g in flags if g not in answerable]
        note = "" if total else "the data do not hold what this group is defined by"
        if level == "none of these" and total and unseen:
            note = "of the groups that the data can show; not shown: " + ", ".join(unseen)
        rows.append(dict(measure="share_in_suitable_group", group="suitable_group", level=level, n=total, n_missing=len(flags) - total,
                         estimate=inside / total if total else float("nan"), conf_low=low, conf_high=high, conf_level=conf_level,
                         unit="proportion", numerator=inside if total else None, denominator=total if total else None,
                         method="Wilson score", note=note))
        rows.append(dict(measure="people_in_suitable_group", group="suitable_group", level=level, n=total, n_missing=len(flags) - total,
                         estimate=inside if total else float("nan"), unit="people", numerator=inside if total else None,
                         denominator=total if total else None, method="count", note=note))
    return result_table(rows)
