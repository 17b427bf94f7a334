"""Who the people are: the characteristics of those who came this far."""

from sprx.errors import require
from sprx.intervals import wilson
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
