"""The information standard's four groups, the four Co's, the outcome frameworks, and the levels of RAP."""

from importlib.metadata import PackageNotFoundError, metadata
from platform import python_implementation

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


def facts_of_run():
    """What can be read of the installed code itself: whether it is so, and in which words; by item of reference/transparency/rap.csv."""
    try:
        about = metadata("sprx")
    except PackageNotFoundError:
        return {item: (False, "sprx runs here without being installed as a package") for item in ("packaged", "dependencies", "version_control")}
    needed = about.get_all("Requires-Dist") or []
    return {"open_language": (bool(about["License-Expression"]), f"{python_implementation()}; licence {about['License-Expression']}"),
            "version_control": (bool(about["Version"]), f"the code lives in git; this is version {about['Version']}"),
            "dependencies": (bool(needed), "the libraries are named, and a lock file names every version"),
            "packaged": (True, f"installed as version {about['Version']}")}


def rap_levels():
    """The points of the NHS's three levels of RAP that this run meets, and those that the scheme's own team must see to.

    Returns
    -------
    DataFrame
        Result layout; measure rap_item, group = level of RAP, level = item, estimate 1 met by the run, 0 not, missing = for the team to do; note = the fact. rap_met (level = level of
        RAP): points met by the run; n = points.
    """
    table, found = facts("transparency/rap"), facts_of_run()
    known = {row.id: found.get(row.id, (True, row.fact)) if row.done_by == "run" else (None, row.fact) for row in table.itertuples()}
    rows = [dict(measure="rap_item", group=row.level, level=row.id, n=0, n_missing=0, estimate=float("nan") if known[row.id][0] is None else float(known[row.id][0]), unit="1 met",
                 method=row.done_by, note=known[row.id][1]) for row in table.itertuples()]
    for level, part in table.groupby("level", sort=False):
        met = sum(bool(known[item][0]) for item in part["id"])
        rows.append(dict(measure="rap_met", group="rap", level=level, n=len(part), n_missing=0, estimate=float(met), unit="points", method="met by the run itself"))
    return result_table(rows)
