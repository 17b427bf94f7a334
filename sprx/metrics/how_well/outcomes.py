"""Outcomes: how scores change."""

import pandas as pd

from sprx.errors import require
from sprx.intervals import mean, mean_difference
from sprx.metrics.how_well.scores import (SAME_CHANGE, band_shares, change_threshold, difference_from_norm, expected_change, reliable_change_shares,
                                          score_distribution, standardised_change)
from sprx.results import levels, result_table, share_row


def followed_up(pairs, by=None, conf_level=0.95):
    """Proportion of people with a baseline score who also have the follow-up score.

    Parameters
    ----------
    pairs : DataFrame, one row per person
        Needs baseline and follow_up (missing = not measured) and the column `by`, if given.

    Returns
    -------
    DataFrame
        Result layout; measure followed_up, unit proportion. n_missing = people without a baseline.
    """
    require(pairs, "pairs", ["baseline", "follow_up"] + ([by] if by else []))
    return result_table([
        share_row(part["follow_up"].notna().astype("boolean").mask(part["baseline"].isna()), conf_level, measure="followed_up",
               group=by or "all", level=level) for level, part in levels(pairs, by)])


def too_recent(count, total):
    """People referred too recently to have been measured again, whom the chapter's scores leave out.

    Parameters
    ----------
    count, total : int
        As `cohort.not_yet_due` gives them.

    Returns
    -------
    DataFrame
        Result layout; measure not_yet_due, unit people. n = everyone referred.
    """
    return result_table([dict(measure="not_yet_due", group="all", level="all", n=total, n_missing=0, estimate=count, unit="people",
                              numerator=count, denominator=total, method="count", note="follow-up time not over on the extract date")])


def paired_change(pairs, by=None, conf_level=0.95, unit="points"):
    """Mean of follow-up minus baseline score, among people with both.

    Parameters
    ----------
    pairs : DataFrame, one row per person
        Needs baseline and follow_up (missing = not measured) and the column `by`, if given.
    by : str, optional
    unit : str
        The unit of the score.

    Returns
    -------
    DataFrame
        Result layout; measure paired_change. n = people with both scores, n_missing = the others. A change is not an effect.

    References
    ----------
    Student's paired t interval.
    """
    require(pairs, "pairs", ["baseline", "follow_up"] + ([by] if by else []))
    rows = []
    for level, part in levels(pairs, by):
        change = (part["follow_up"] - part["baseline"]).dropna().astype(float)
        rows.append(dict(measure="paired_change", group=by or "all", level=level, n=len(change), n_missing=len(part) - len(change),
                         conf_level=conf_level, unit=unit, method="paired t", note=_limits_of(change), **mean(change, conf_level)))
    return result_table(rows)


def _limits_of(change):
    """What a mean change cannot say, in a note."""
    if len(change) < 2:
        return "fewer than 2 people with both scores" if len(change) else "nobody has both scores"
    return SAME_CHANGE if change.nunique() == 1 else ""


def unpaired_change(pairs, conf_level=0.95, unit="points"):
    """Mean of everyone's follow-up minus mean of everyone's baseline: the figure a dashboard shows.

    Parameters
    ----------
    pairs : DataFrame, one row per person
        Needs baseline and follow_up.

    Returns
    -------
    DataFrame
        Result layout; measure unpaired_change. n = people with any score. It compares different people: those who were lost
        are in the first mean and not in the second.

    References
    ----------
    Welch (1947) limits, which are themselves wrong here, since most people are in both means: shown as a dashboard would.
    """
    require(pairs, "pairs", ["baseline", "follow_up"])
    any_score = pairs["baseline"].notna() | pairs["follow_up"].notna()
    found = mean_difference(pairs["follow_up"].dropna().astype(float), pairs["baseline"].dropna().astype(float), conf_level)
    note = "" if found["estimate"] == found["estimate"] else "fewer than 2 people with a score at each time"
    return result_table([dict(measure="unpaired_change", group="all", level="all", n=int(any_score.sum()), n_missing=int((~any_score).sum()),
                              conf_level=conf_level, unit=unit, method="difference of unpaired means", note=note,
                              numerator=min(pairs["follow_up"].notna().sum(), pairs["baseline"].notna().sum()), **found)])   # few may be in one mean


def share_improved(pairs, mid, higher_is_better, by=None, conf_level=0.95):
    """Proportion of people with both scores who improved by at least the minimally important difference.

    Parameters
    ----------
    pairs : DataFrame, one row per person
        Needs baseline and follow_up and the column `by`, if given.
    mid : float
        The minimally important difference, in score points, above 0.
    higher_is_better : bool

    Returns
    -------
    DataFrame
        Result layout; measure share_improved, unit proportion.

    Raises
    ------
    ValueError
        If `mid` is not above 0.
    """
    if not mid > 0:
        raise ValueError(f"mid must be above 0; found {mid}.")
    require(pairs, "pairs", ["baseline", "follow_up"] + ([by] if by else []))
    sign = 1 if higher_is_better else -1
    rows = []
    for level, part in levels(pairs, by):
        gain = sign * (part["follow_up"] - part["baseline"])
        rows.append(share_row((gain >= mid - 1e-9).astype("boolean").mask(gain.isna()), conf_level, measure="share_improved",
                           group=by or "all", level=level, note=f"improved by {mid:g} or more"))
    return result_table(rows)


def scores_by_visit(scores, conf_level=0.95, unit="points"):
    """Mean score of each arm at each visit.

    Parameters
    ----------
    scores : DataFrame, one row per person and visit
        Needs arm, months and value; people without the score have a missing value.

    Returns
    -------
    DataFrame
        Result layout; measure mean_score_<arm>, group months, level = months; n = people with the score.
    """
    require(scores, "scores", ["arm", "months", "value"])
    rows = []
    for (arm, months), part in scores.groupby(["arm", "months"]):
        value = part["value"].dropna().astype(float)
        rows.append(dict(measure=f"mean_score_{arm}", group="months", level=f"{months:g}", n=len(value), n_missing=len(part) - len(value),
                         conf_level=conf_level, unit=unit, method="mean, t limits", **mean(value, conf_level)))
    return result_table(rows)


def lost_and_followed(pairs, conf_level=0.95, unit="points"):
    """Mean baseline score of the people who were followed up and of those who were lost.

    Returns
    -------
    DataFrame
        Result layout; measure baseline_mean, group follow_up, levels followed and lost. n_missing = no baseline.
    """
    require(pairs, "pairs", ["baseline", "follow_up"])
    status = pairs["follow_up"].notna().map({True: "followed", False: "lost"})
    rows = []
    for level, part in pairs["baseline"].groupby(status):
        values = part.dropna().astype(float)
        rows.append(dict(measure="baseline_mean", group="follow_up", level=level, n=len(values), n_missing=len(part) - len(values),
                         conf_level=conf_level, unit=unit, method="mean, t limits", note="" if len(values) > 1 else "fewer than 2 people", **mean(values, conf_level)))
    return result_table(rows) if rows else result_table([dict(measure="baseline_mean", group="follow_up", level="followed", n=0, n_missing=0)])


def outcome_results(pairs, instrument, measure, conf_level=0.95, norm=None):
    """Everything this module says of one instrument, as one result table.

    Parameters
    ----------
    pairs : DataFrame, one row per person
        Needs arm, baseline and follow_up; the arm `scheme` is reported, and each arm's change where there are two.
    instrument : str
        Joined to the names of the measures: paired_change_swemwbs.
    measure : Series
        A row of `Scheme.measures()`: name, mid_value, higher_is_better.
    norm : dict, optional
        What people in general score (as `cohort.norm_of` gives it).

    Returns
    -------
    DataFrame
        Result layout.
    """
    own, unit = pairs[pairs["arm"] == "scheme"], f"{measure['name']} points"
    norm = norm or dict(mean=float("nan"), sd=float("nan"), reliability=(0.0, 0.5, 1.0), assumed=True, cutoff=float("nan"), source="", verification="")
    parts = [followed_up(own, None, conf_level), paired_change(own, None, conf_level, unit), unpaired_change(own, conf_level, unit),
             lost_and_followed(own, conf_level, unit), score_distribution(own, conf_level, unit), band_shares(own, instrument, conf_level),
             standardised_change(own, conf_level), _who_changed(own, measure, norm, conf_level)]
    if measure["higher_is_better"] in ("yes", "no"):
        parts += [difference_from_norm(own, norm, conf_level, unit), expected_change(own, norm, conf_level, unit, measure["higher_is_better"] == "yes")]
    if pairs["arm"].nunique() > 1:
        parts += [paired_change(pairs, "arm", conf_level, unit), followed_up(pairs, "arm", conf_level)]
    table = pd.concat([part for part in parts if len(part)], ignore_index=True)
    return table.assign(measure=table["measure"] + f"_{instrument}")


def _who_changed(own, measure, norm, conf_level):
    """Shares improved, neither and worse; one row that says what is needed where no threshold is known."""
    row = dict(measure="share_improved", group="all", level="all", n=0, n_missing=len(own), unit="proportion")
    if measure["higher_is_better"] not in ("yes", "no"):
        return result_table([row | dict(note="neither way is better on this measure")])
    threshold, words = change_threshold(own, measure, norm)
    if threshold is None:
        return result_table([row | dict(note=words)])
    return reliable_change_shares(own, threshold, measure["higher_is_better"] == "yes", conf_level, words)
