"""Reach: the people referred beside the people who live there."""

from sprx.errors import DataError, require
from sprx.intervals import poisson
from sprx.results import result_table


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
