"""The groups that the evidence names as suitable."""

import pandas as pd

from sprx.errors import require
from sprx.intervals import wilson
from sprx.results import result_table, share_row

NONE, AND = "none of these", " + "


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
    columns = {**{g: flags[g].dropna().astype(bool) for g in flags}, NONE: none.astype(bool)}
    rows = []
    for level, values in columns.items():
        total, inside = len(values), int(values.sum())
        low, high = wilson(inside, total, conf_level)
        unseen = [g for g in flags if g not in answerable]
        note = "" if total else "the data do not hold what this group is defined by"
        if level == NONE and total and unseen:
            note = "of the groups that the data can show; not shown: " + ", ".join(unseen)
        rows.append(dict(measure="share_in_suitable_group", group="suitable_group", level=level, n=total, n_missing=len(flags) - total,
                         estimate=inside / total if total else float("nan"), conf_low=low, conf_high=high, conf_level=conf_level,
                         unit="proportion", numerator=inside if total else None, denominator=total if total else None,
                         method="Wilson score", note=note))
        rows.append(dict(measure="people_in_suitable_group", group="suitable_group", level=level, n=total, n_missing=len(flags) - total,
                         estimate=inside if total else float("nan"), unit="people", numerator=inside if total else None,
                         denominator=total if total else None, method="count", note=note))
    return result_table(rows)


def group_coverage(people, flags, eligible, conf_level=0.95):
    """People seen of each suitable group by the residents who could have come.

    Parameters
    ----------
    people : DataFrame, one row per person referred
        Needs seen (True, False, missing).
    flags : DataFrame, on the same index
        As for `suitable_group_shares`.
    eligible : DataFrame, one row per group
        group, eligible (residents; missing when nobody said), source (as `cohort.eligible_residents` gives it).

    Returns
    -------
    DataFrame
        Result layout; measure group_coverage, group suitable_group, unit proportion. n = people seen of whom it is known whether they
        belong, n_missing = the other people seen. The interval is about the people seen; the number of residents is taken as known.

    References
    ----------
    Wilson score interval: Newcombe (1998) Stat Med 17:857, method 3.
    """
    require(people, "people", ["seen"])
    require(eligible, "eligible", ["group", "eligible", "source"])
    seen, rows = flags[people["seen"].eq(True).fillna(False).astype(bool)], []
    for says in eligible.itertuples():
        known = seen[says.group].dropna()
        inside = int(known.sum())
        row = dict(measure="group_coverage", group="suitable_group", level=says.group, n=len(known), n_missing=len(seen) - len(known),
                   conf_level=conf_level, unit="proportion", method="Wilson score")
        if pd.isna(says.eligible):
            row["note"] = f"needs the number of residents who could have come (scheme.yaml, suitable_groups, {says.group}: eligible or eligible_share)"
        elif not len(known):
            row["note"] = "the data do not hold what this group is defined by" if len(seen) else "nobody is known to have been seen"
        elif inside > round(says.eligible):
            row["note"] = f"more people were seen than the {says.eligible:,.0f} said to be eligible ({says.source})"
        else:
            total = int(round(says.eligible))
            low, high = wilson(inside, total, conf_level)
            row |= dict(estimate=inside / total if total else None, conf_low=low, conf_high=high, numerator=inside, denominator=total or None,
                        note=f"of {total:,} residents: {says.source}")
        rows.append(row)
    return result_table(rows)


def group_overlap(flags, conf_level=0.95):
    """How many people belong to each combination of suitable groups.

    Parameters
    ----------
    flags : DataFrame, one row per person
        As for `suitable_group_shares`.

    Returns
    -------
    DataFrame
        Result layout; measure people_in_combination (unit people), group group_combination, level the groups joined by ' + ', or 'none of
        these'; most people first. Each person is in one level. n = people for whom every group that the data hold is known.
    """
    answerable = [g for g in flags if flags[g].notna().any()]
    known = flags.loc[flags[answerable].notna().all(axis=1), answerable].astype(bool) if answerable else flags.iloc[:0]
    about = dict(measure="people_in_combination", group="group_combination", n=len(known), n_missing=len(flags) - len(known), unit="people", method="count")
    if known.empty:
        return result_table([about | dict(level="all", note="there is nobody for whom every group that the data hold is known")])
    counts = known.groupby(answerable).size()
    named = {AND.join(g for g, inside in zip(answerable, key if isinstance(key, tuple) else (key,)) if inside) or NONE: int(count)
             for key, count in counts.items() if count}
    return result_table([about | dict(level=level, estimate=count, numerator=count, denominator=len(known))
                         for level, count in sorted(named.items(), key=lambda item: (-item[1], item[0]))])


def referrals_in_no_group(referrals, people, flags, conf_level=0.95):
    """Share of referrals of people who are in none of the suitable groups that the data hold.

    Parameters
    ----------
    referrals : DataFrame, one row per referral
        Needs person_id.
    people : DataFrame, one row per person
        Needs person_id.
    flags : DataFrame, on the index of `people`

    Returns
    -------
    DataFrame
        Result layout; one row, measure referrals_in_no_suitable_group, unit proportion. n = referrals of people for whom every group that
        the data hold is known.

    References
    ----------
    Wilson score interval: Newcombe (1998) Stat Med 17:857, method 3.
    """
    require(referrals, "referrals", ["person_id"])
    answerable = [g for g in flags if flags[g].notna().any()]
    none = pd.Series(pd.NA, index=people.index, dtype="boolean")
    if answerable:
        none = (~flags[answerable].astype("boolean")).all(axis=1, skipna=False).astype("boolean").mask(flags[answerable].isna().any(axis=1))
    of_referral = referrals["person_id"].map(pd.Series(none.to_numpy(), index=people["person_id"].to_numpy())).astype("boolean")
    return result_table([share_row(of_referral, conf_level, measure="referrals_in_no_suitable_group", group="all", level="all",
                                   note="" if answerable else "the data do not hold what the groups are defined by")])
