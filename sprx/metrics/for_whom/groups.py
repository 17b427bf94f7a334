"""The groups that the evidence names as suitable."""

from sprx.intervals import wilson
from sprx.results import result_table


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
