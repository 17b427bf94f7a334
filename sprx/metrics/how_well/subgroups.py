"""For whom it goes better: only subgroups that scheme.yaml named before the analysis, and never without the difference between them."""

import numpy as np
import pandas as pd

from sprx.errors import DataError, require
from sprx.results import levels, result_table
from sprx.stats import subgroups

MOST_LEVELS = 12
FEWEST = 5              # people with both scores, in each arm, below which a level is a row without an estimate
STANDS, STANDS_NOT = "stands after allowing for", "does not stand after allowing for"
NONE_NAMED = "no subgroups were named in scheme.yaml before the analysis, so none are shown"


def change_by_subgroup(people, instrument, measure, conf_level=0.95):
    """Change per level of each named subgroup, the differences between levels, and the changes drawn towards their common mean.

    Parameters
    ----------
    people : DataFrame, one row per person
        Needs arm, baseline and follow_up (missing = not measured); by_* are the subgroups, as `cohort.scores_and_covariates` gives them.
    instrument : str
        Joined to the names of the measures.
    measure : Series
        A row of `Scheme.measures()`: name.

    Returns
    -------
    DataFrame
        Result layout, group = subgroup. Without a comparison arm: subgroup_change, subgroup_shrunken, subgroup_interaction
        (change in this level minus change in the reference level, the largest). With one, the last two are about the
        difference between the arms in each level (subgroup_arm_difference), and change is that of the scheme's people. All
        at the mean baseline. n_missing = people without both scores.

    References
    ----------
    Least squares with HC3 errors and t limits; Benjamini and Hochberg over all differences of the table; empirical Bayes as
    in `stats.subgroups`.
    Why the interaction: Assmann et al (2000) Lancet 355:1064.
    """
    require(people, "people", ["arm", "baseline", "follow_up"])
    arms = ["scheme", "comparison"] if people["arm"].eq("comparison").any() else ["scheme"]
    names = [c for c in people if c.startswith("by_")]
    rows = [row for name in names for row in _subgroup(people, name, arms, conf_level)]
    found = [row for row in rows if "p" in row]
    for row, p in zip(found, subgroups.adjusted_p([row["p"] for row in found])):
        word = STANDS if p < 1 - conf_level else STANDS_NOT
        many = f"{len(found)} comparison{'s' if len(found) > 1 else ''}"
        row["note"] += f"; {word} {many} (p = {row.pop('p'):.2g}, adjusted {p:.2g}, Benjamini-Hochberg)"
    rows = rows or [dict(measure="subgroup_change", group="all", level="all", n=0, n_missing=len(people[people["arm"] == "scheme"]),
                         note=NONE_NAMED)]
    table = result_table([dict(conf_level=conf_level, unit=f"{measure['name']} points") | row for row in rows])
    return table.assign(measure=table["measure"] + f"_{instrument}")


def _subgroup(people, name, arms, conf_level):
    """The rows of one subgroup; `kept` holds the counts of the levels that have enough people."""
    group = name.removeprefix("by_")
    table = pd.DataFrame(dict(level=people[name].astype("string"), arm=people["arm"], baseline=people["baseline"].astype(float),
                              change=people["follow_up"].astype(float) - people["baseline"].astype(float)))
    if table["level"].nunique() > MOST_LEVELS:
        own = int((table["arm"] == "scheme").sum())
        return [dict(measure="subgroup_change", group=group, level="all", n=0, n_missing=own,
                     note=f"more than {MOST_LEVELS} levels: name a column of groups")]
    kept, rows, order = {}, [], [level for level, _ in levels(table, "level")]
    for level, part in levels(table, "level"):
        own, known = part[part["arm"] == "scheme"], part.dropna(subset="change")
        sizes = [int((known["arm"] == arm).sum()) for arm in arms]
        counts = dict(n=sizes[0], n_missing=len(own) - sizes[0])
        if min(sizes) >= FEWEST and level != "missing":
            kept[level] = dict(own=counts, arms=dict(n=sum(sizes), n_missing=len(part) - sum(sizes), numerator=min(sizes)))
        elif len(own):
            few = f"fewer than {FEWEST} people with both scores" + (" in an arm" if len(arms) > 1 else "")
            rows.append(dict(measure="subgroup_change", group=group, level=level,
                             note="not recorded for these people" if level == "missing" else few, **counts))
    try:
        return _in_order(_estimates(table.dropna(subset="change"), kept, arms, group, conf_level) + rows, order)
    except DataError as problem:
        return [dict(measure="subgroup_change", group=group, level=level, note=f"not estimated: {problem}", **found["own"])
                for level, found in kept.items()] + rows


def _in_order(rows, order):
    """Measure by measure, the levels in their order."""
    measures = list(dict.fromkeys(row["measure"] for row in rows))
    return sorted(rows, key=lambda row: (measures.index(row["measure"]), order.index(row["level"])))


def _estimates(known, kept, arms, group, conf_level):
    """Rows of the levels that have enough people."""
    if not kept:
        return []
    names = list(kept)
    known = known[known["level"].isin(names) & known["arm"].isin(arms)]
    cells = known["level"].map(names.index).to_numpy() * len(arms) + known["arm"].map(arms.index).to_numpy()
    model = subgroups.adjusted_means(known["change"], cells, known["baseline"])
    cell = np.eye(len(names) * len(arms))
    own = {level: cell[i * len(arms)] for i, level in enumerate(names)}
    contrast = {level: own[level] - cell[i * 2 + 1] for i, level in enumerate(names)} if len(arms) > 1 else own
    row, method = dict(group=group), "least squares at the mean first score, HC3, t limits"
    rows = [_row("subgroup_change", level, own[level], model, kept[level]["own"], conf_level) | row | dict(method=method)
            for level in names]
    if len(arms) > 1:
        rows += [_row("subgroup_arm_difference", level, contrast[level], model, kept[level]["arms"], conf_level) | row
                 | dict(method=method, note="scheme minus comparison") for level in names]
    return rows + _side_by_side(rows[-len(names):], contrast, model, conf_level)


def _side_by_side(raw, contrast, model, conf_level):
    """Each level's estimate drawn towards the common mean, and its difference from the largest level; none for a single level."""
    if len(raw) < 2:
        return []
    drawn = subgroups.shrunken([r["estimate"] for r in raw], [max(r["std_error"], 1e-9) for r in raw], conf_level)
    rows = [r | found | dict(measure="subgroup_shrunken", method="drawn towards the common mean (empirical Bayes)")
            for r, found in zip(raw, drawn)]
    reference = max(raw, key=lambda r: (r["n"], r["level"]))
    for r in raw:
        if r is not reference:
            counts = {k: r[k] + reference[k] for k in ("n", "n_missing")}
            counts["numerator"] = min(part.get("numerator", part["n"]) for part in (r, reference))
            found = subgroups.weighted_sum(*model, contrast[r["level"]] - contrast[reference["level"]], conf_level)
            rows.append(r | counts | found | dict(measure="subgroup_interaction", note=f"against {reference['level']}"))
    return rows


def _row(measure, level, weights, model, counts, conf_level):
    found = subgroups.weighted_sum(*model, weights, conf_level)
    found.pop("p")
    return dict(measure=measure, level=level, note="", **counts, **found)
