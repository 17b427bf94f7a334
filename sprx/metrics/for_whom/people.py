"""Who the people are: the characteristics of those who came this far, and how they differ from those who did not."""

from sprx.errors import require
from sprx.intervals import mean, wilson
from sprx.results import result_table
from sprx.stats.equity import category_difference_standardised, mean_difference_standardised

STAGES = ("seen", "completed", "followed_up")
UNITS = {"age": "years", "long_term_conditions": "conditions", "gp_appointments_12m": "appointments in 12 months", "ae_attendances_12m": "attendances in 12 months"}
NOBODY = "nobody is known to have come this far"


def level_counts(people, by):
    """People in each level of one characteristic: levels in order (yes and no for a flag), 'missing' last."""
    counts = people.groupby(by, dropna=False, observed=True, sort=True).size()
    known = counts[counts.index.notna()]
    yes_no = people[by].dtype in ("boolean", "bool")
    return {**{("no", "yes")[int(level)] if yes_no else str(level): int(count) for level, count in known.items()}, **({"missing": int(counts.sum() - known.sum())} if len(known) < len(counts) else {})}


def at_stage(people, column, stage):
    """One column of the people who came so far (of everyone without a stage)."""
    return people.loc[people[stage].eq(True).fillna(False).astype(bool), [column]] if stage else people[[column]]


def composition(people, by, conf_level=0.95, stage=None):
    """Share of people in each level of one characteristic; 'missing' is a level.

    Parameters
    ----------
    people : DataFrame, one row per person
        Needs the column `by`, and `stage` if given.
    by : str
    stage : str, optional
        One of STAGES: only people for whom this column is True. Levels of which nobody came so far have a share of 0.

    Returns
    -------
    DataFrame
        Result layout; measure share_of_people or share_of_people_<stage>, group = by, unit proportion. n = everyone (of this
        stage); the shares add up to 1. One row without an estimate when nobody is known to have reached the stage.

    References
    ----------
    Wilson score interval: Newcombe (1998) Stat Med 17:857, method 3.
    """
    return result_table(_shares(people, by, conf_level, stage))


def _shares(people, by, conf_level, stage):
    """Rows of `composition`."""
    require(people, "people", [by] + ([stage] if stage else []))
    measure = f"share_of_people_{stage}" if stage else "share_of_people"
    chosen = at_stage(people, by, stage)
    counts, total, rows = level_counts(chosen, by), len(chosen), []
    if stage and not total:
        return [dict(measure=measure, group=by, level="all", n=0, n_missing=int(people[stage].isna().sum()), unit="proportion", note=NOBODY)]
    for level in level_counts(people, by) if stage else counts:
        count = counts.get(level, 0)
        low, high = wilson(count, total, conf_level)
        rows.append(dict(measure=measure, group=by, level=level, n=total, n_missing=0, estimate=count / total,
                         conf_low=low, conf_high=high, conf_level=conf_level, unit="proportion", numerator=count, denominator=total,
                         method="Wilson score"))
    return rows


def averages(people, column, conf_level=0.95, stage=None):
    """Mean, standard deviation and median of one number.

    Parameters
    ----------
    people : DataFrame, one row per person
        Needs the column `column` (a number), and `stage` if given.
    column : str
    stage : str, optional
        As in `composition`.

    Returns
    -------
    DataFrame
        Result layout; measures mean_of_people, sd_of_people, median_of_people (with _<stage>), group = column. n = people with a
        value; the mean has Student t limits. Empty estimates below 2 values.
    """
    return result_table(_averages(people, column, conf_level, stage))


def _averages(people, column, conf_level, stage):
    """Rows of `averages`."""
    require(people, "people", [column] + ([stage] if stage else []))
    chosen = at_stage(people, column, stage)
    values, after = chosen[column].dropna().astype(float), f"_{stage}" if stage else ""
    about = dict(group=column, level="all", n=len(values), n_missing=len(chosen) - len(values), unit=UNITS.get(column, "as recorded"))
    if len(values) < 2:
        about |= dict(note=NOBODY if stage and chosen.empty else "fewer than two people with a value")
    enough = len(values) >= 2
    return [
        dict(measure=f"mean_of_people{after}", conf_level=conf_level, method="mean, Student t", **about, **mean(values, conf_level)),
        dict(measure=f"sd_of_people{after}", estimate=values.std(ddof=1) if enough else None, method="standard deviation", **about),
        dict(measure=f"median_of_people{after}", estimate=values.median() if enough else None, method="median", **about)]


def stage_difference(people, column, stage, is_number=False):
    """Standardised difference between people who came so far and those who did not.

    Parameters
    ----------
    people : DataFrame, one row per person
        Needs `column` and `stage` (True, False, missing = not known).
    column, stage : str
    is_number : bool, default False

    Returns
    -------
    DataFrame
        Result layout; one row, measure smd_<stage>, group = column, unit "standard deviations". A number: above 0 when those who
        came so far have the higher mean, missing values left out. A group: 0 or above, missing a level. n = people used. std_error is
        the size that chance alone would bring (root mean square), the larger the more levels there are.

    Notes
    -----
    The groups compared exclude one another, as in attrition analyses and tableone; a comparison with everyone referred, of whom
    those who came so far are a part, would make every difference look smaller.

    References
    ----------
    Austin (2009) Stat Med 28:3083; Yang and Dalton (2012) SAS Global Forum, paper 335.
    """
    return result_table([_difference(people, column, stage, is_number)])


def _difference(people, column, stage, is_number):
    """The row of `stage_difference`."""
    require(people, "people", [column, stage])
    known = people[people[stage].notna() & (people[column].notna() | (not is_number))]
    reached = known[stage].astype(bool)
    sides = [known.loc[reached, column], known.loc[~reached, column]]
    levels = list(level_counts(known, column))
    if is_number:
        found = mean_difference_standardised(*(side.astype(float) for side in sides))
    else:
        counts = [level_counts(side.to_frame(), column) for side in sides]
        found = category_difference_standardised(*([side.get(level, 0) for level in levels] for side in counts))
    fewest = min(len(side) for side in sides)
    chance = ((1 if is_number else max(len(levels) - 1, 1)) * sum(1 / len(side) for side in sides)) ** 0.5 if fewest else None
    note = "" if found == found else "no such stage is recorded" if known.empty else "everyone or nobody came so far, or too few to compare" if fewest < 2 \
        else "the two groups have nothing in common to scale a difference by"
    return dict(measure=f"smd_{stage}", group=column, level="all", n=len(known), n_missing=len(people) - len(known), estimate=found,
                std_error=chance if found == found else None, unit="standard deviations", numerator=fewest or None, note=note,
                method="standardised mean difference" if is_number else "standardised difference of shares")


def table_one(people, numbers, groups, conf_level=0.95):
    """Table 1: everyone referred, then those seen, completed and followed up, by every characteristic.

    Parameters
    ----------
    people : DataFrame, one row per person
        Needs the columns named, and STAGES.
    numbers, groups : list of str
        Columns that are numbers, and columns that have levels.

    Returns
    -------
    DataFrame
        Result layout: `averages` of the numbers, `composition` by the groups, for everyone and each stage, and
        `stage_difference` for each stage. A stage that is not recorded for anybody has no rows.
    """
    require(people, "people", [*numbers, *groups, *STAGES])
    stages = [s for s in STAGES if people[s].notna().any()]
    rows = [row for c in numbers for s in (None, *stages) for row in _averages(people, c, conf_level, s)]
    rows += [row for c in groups for s in (None, *stages) for row in _shares(people, c, conf_level, s)]
    return result_table(rows + [_difference(people, c, s, c in numbers) for c in (*numbers, *groups) for s in stages])


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
