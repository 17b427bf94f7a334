"""The information standard's four groups, the four Co's, the outcome frameworks, and the levels of RAP."""

import pandas as pd

from sprx.reference import facts
from sprx.results import levels, result_table, share_row

UNPROVED = 2            # what a level 3 counts as when there is nothing to show for it


def standard_groups(filled, conf_level=0.95):
    """Share of referrals in which each of the information standard's four groups is filled in, over all and by month of referral.

    Parameters
    ----------
    filled : DataFrame, one row per referral
        `cohort.standard_groups_filled`: month and a column per group (True, False, missing = not asked).

    Returns
    -------
    DataFrame
        Result layout; measures standard_filled_demographics, _needs, _support, _outcomes; group all or month. n_missing = referrals of which the group is not asked.
    """
    rows = []
    for group in facts("transparency/standard_groups")["group"]:
        for by in (None, "month"):
            rows += [share_row(part[group], conf_level, measure=f"standard_filled_{group}", group=by or "all", level=level) for level, part in levels(filled, by)]
    return result_table(rows)


def coproduction(answers):
    """How far people have a hand in the scheme, for each of the four Co's, and in all.

    Parameters
    ----------
    answers : DataFrame, one row per answer
        practice, level (0 to 3), evidence (text).

    Returns
    -------
    DataFrame
        Result layout. coproduction_level (group practice): as answered, but a 3 with nothing to show for it counts as 2 (note); missing where there is no answer.
        coproduction_score: their sum, of 12; n = answers, n_missing = Co's without one; missing without any.
    """
    known = answers.dropna(subset=["practice", "level"]).drop_duplicates("practice").set_index("practice")
    rows = []
    for practice in [name for name in facts("transparency/levels")["scale"] if name.startswith("co-")]:
        level = float(known.at[practice, "level"]) if practice in known.index else float("nan")
        unproved = level > UNPROVED and not known.at[practice, "evidence"]
        rows.append(dict(measure="coproduction_level", group="practice", level=practice, n=int(level == level), n_missing=int(level != level),
                         estimate=float(UNPROVED) if unproved else level, unit="level 0 to 3", method="the scheme's own answer", note=NOTHING_TO_SHOW if unproved else ""))
    found = pd.Series([row["estimate"] for row in rows], dtype=float).dropna()
    rows.append(dict(measure="coproduction_score", group="all", level="all", n=len(found), n_missing=len(rows) - len(found), estimate=found.sum() if len(found) else float("nan"),
                     unit="of 12", method="sum of the answers"))
    return result_table(rows)


NOTHING_TO_SHOW = "answered 3, with nothing to show for it: counted as 2"


def framework_links(measured):
    """Which indicators of national outcome frameworks each measure speaks to.

    Parameters
    ----------
    measured : DataFrame
        `cohort.what_is_measured`: measure, name, domain.

    Returns
    -------
    DataFrame
        Result layout; measure framework_link, group = measure, level = framework and code, estimate 1 where code and name were read in a source, 0 where not verified; note = the
        indicator's name.
    """
    rows = []
    for measure in measured.itertuples():
        for row in facts("transparency/outcome_frameworks").itertuples():
            if {measure.measure, measure.domain} & set(row.speaks_to.split(" | ")):
                rows.append(dict(measure="framework_link", group=measure.measure, level=f"{row.framework} {row.code}", n=0, n_missing=0, estimate=float(row.verification == "verified"),
                                 unit="1 verified, 0 not", method=row.source, note=row.name))
    return result_table(rows)


def rap_levels():
    """The points of the NHS's three levels of RAP that a run of sprx meets, and those that the scheme's own team must see to.

    Returns
    -------
    DataFrame
        Result layout; measure rap_item, group = level of RAP, level = item, estimate 1 met by the run, missing = for the team to do; rap_met (level = level of RAP): share met by the run.
    """
    table = facts("transparency/rap")
    rows = [dict(measure="rap_item", group=row.level, level=row.id, n=0, n_missing=0, estimate=1.0 if row.done_by == "run" else float("nan"), unit="1 met", method=row.done_by,
                 note=row.fact) for row in table.itertuples()]
    for level, part in table.groupby("level", sort=False):
        met = int(part["done_by"].eq("run").sum())
        rows.append(dict(measure="rap_met", group="rap", level=level, n=len(part), n_missing=0, estimate=float(met), unit="points", method="met by the run itself"))
    return result_table(rows)
