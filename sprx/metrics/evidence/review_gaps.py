"""Where the living review's base has nothing: who was studied, what was measured in them, and whether anything was compared."""

import pandas as pd

from sprx.metrics.evidence.review import counted, evaluations, people, results_of_evaluations, traced
from sprx.reference import facts

NO_GROUP, NO_NUMBER = "none_of_these", "no_number"
COMPARED, NOT_COMPARED, BY_LOT, OTHERWISE = "gap_compared", "gap_not_compared", "gap_by_lot", "gap_other_comparison"


def population_groups(studies):
    """Whom each study was about, by words in its population and referral group; one row per study and group.

    Parameters
    ----------
    studies : DataFrame, one row per study

    Returns
    -------
    DataFrame
        study_id, population (a group of reference/review/groups.csv, or none_of_these). A study can be about several groups.
    """
    whom = studies["population"].where(studies["scheme_id"].eq(""), "")         # of a scheme's record it holds shares of everybody, not whom it was about
    said = (whom + " | " + studies["referral_group"]).str.casefold()
    rows = []
    for study, text in zip(studies["study_id"], said):
        found = [g.group for g in facts("review/groups").itertuples() if any(word.casefold() in text for word in g.words.split("; "))]
        rows += [(study, group) for group in found or [NO_GROUP]]
    return pd.DataFrame(rows, columns=["study_id", "population"])


def evidence_gaps(studies, comparable):
    """How many evaluations there are of each outcome in each group of people, with and without a comparison; 0 is a finding.

    Parameters
    ----------
    studies : DataFrame
    comparable : DataFrame
        As `comparable_effects` gives it.

    Returns
    -------
    DataFrame
        Result layout and `rows`; gap_compared (controlled results; of these gap_by_lot and gap_other_comparison) and gap_not_compared (the others), group = population, level = outcome or no_number (evaluations of which no result of that
        kind was read); studies_of_group, group = population; n of those = people in the studies that say; map_cells (level = groups, outcomes, all, no_comparison, empty).
    """
    tested, own = evaluations(studies), results_of_evaluations(comparable)
    who = population_groups(tested)
    outcomes = [o for o in facts("review/outcomes")["outcome"] if o in set(own["outcome"])]
    outcomes += sorted(set(own["outcome"]) - set(outcomes))
    found = []
    for group in [*facts("review/groups")["group"], NO_GROUP]:
        members = tested[tested["study_id"].isin(who.loc[who["population"].eq(group), "study_id"])]
        found.append(counted("studies_of_group", members, group) | dict(n=people(members).sum()))
        compared = own[own["kind"].eq("controlled")]
        lots = compared["design"].eq("rct")
        for measure, results in ((COMPARED, compared), (BY_LOT, compared[lots]), (OTHERWISE, compared[~lots]), (NOT_COMPARED, own[own["kind"].ne("controlled")])):
            for outcome in outcomes:
                has = results.loc[results["outcome"].eq(outcome), "study_id"]
                found.append(counted(measure, members[members["study_id"].isin(has)], group, outcome))
        found.append(counted(NOT_COMPARED, members[~members["study_id"].isin(own["study_id"])], group, NO_NUMBER))
    return traced([*found, *_sizes(found, outcomes)])


def _sizes(found, outcomes):
    """How many cells there are (of groups of people that the words find), and how many of them are empty."""
    cells = {(r["group"], r["level"], r["measure"]): r["estimate"] for r in found if r["measure"] != "studies_of_group" and r["group"] != NO_GROUP and r["level"] != NO_NUMBER}
    compared = {k[:2]: n for k, n in cells.items() if k[2] == COMPARED}
    sizes = dict(groups=len({g for g, _ in compared}), outcomes=len(outcomes), all=len(compared), no_comparison=sum(n == 0 for n in compared.values()),
                 empty=sum(n == 0 and cells[(*k, NOT_COMPARED)] == 0 for k, n in compared.items()))
    every = "; ".join(dict.fromkeys(text for r in found for text in r["rows"].split("; ") if text))
    return [dict(measure="map_cells", group="all", level=level, n=n, n_missing=0, estimate=n, unit=level if level in ("groups", "outcomes") else "cells", rows=every) for level, n in sizes.items()]
