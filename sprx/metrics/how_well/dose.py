"""Dose and response: whether people who had more contacts changed more. Never a reason to think that contacts did it."""

import pandas as pd

from sprx.errors import DataError, require
from sprx.results import result_table
from sprx.stats import subgroups

FEWEST = 5


def change_by_contacts(people, instrument, measure, conf_level=0.95):
    """Change by the contacts a person had, at the same first score: per contact, and by thirds of the people.

    Parameters
    ----------
    people : DataFrame, one row per person
        Needs arm, baseline, follow_up and contacts (attended, up to the follow-up; missing = not recorded).
    instrument : str
        Joined to the names of the measures.
    measure : Series
        A row of `Scheme.measures()`: name.

    Returns
    -------
    DataFrame
        Result layout, for the arm scheme: change_per_contact (points per contact more) and change_by_contacts (group
        contacts; thirds as near as ties allow). n_missing = people without both scores or without a record of contacts.

    References
    ----------
    Least squares with HC3 errors and t limits. People choose how often they come, so this describes and explains nothing.
    """
    require(people, "people", ["arm", "baseline", "follow_up", "contacts"])
    own = people[people["arm"] == "scheme"]
    known = own.dropna(subset=["baseline", "follow_up", "contacts"])
    change, unit = (known["follow_up"] - known["baseline"]).astype(float), f"{measure['name']} points"
    row = dict(measure="change_per_contact", group="all", level="all", n=len(known), n_missing=len(own) - len(known),
               unit=f"{unit} per contact",
               method="least squares at the same first score, HC3, t limits")
    try:
        rows = [row | subgroups.slope(change, known["contacts"], known["baseline"], conf_level)]
    except DataError as problem:
        rows = [row | dict(note="contacts are not recorded" if own["contacts"].isna().all() else f"not estimated: {problem}")]
    rows += _by_thirds(known, change, unit, conf_level)
    table = result_table([dict(conf_level=conf_level) | r for r in rows])
    return table.assign(measure=table["measure"] + f"_{instrument}")


def _by_thirds(known, change, unit, conf_level):
    """Rows of thirds of the people by contacts; none where they cannot be told apart or are too few."""
    cuts = sorted({float(known["contacts"].quantile(q, interpolation="lower")) for q in (1 / 3, 2 / 3)} - {known["contacts"].max()})
    if not cuts or len(known) < FEWEST * (len(cuts) + 1):
        return []
    third = pd.cut(known["contacts"], [-1, *cuts, float("inf")], labels=_names(cuts)).cat.codes
    sizes = third.value_counts().sort_index()
    if sizes.min() < FEWEST:
        return []
    model = subgroups.adjusted_means(change, third.to_numpy(), known["baseline"])
    rows = []
    for i, name in enumerate(_names(cuts)):
        weights = (sizes.index == i).astype(float)
        found = subgroups.weighted_sum(*model, weights, conf_level)
        found.pop("p")
        rows.append(dict(measure="change_by_contacts", group="contacts", level=name, n=int(sizes[i]), n_missing=0, unit=unit,
                         method="least squares at the mean first score, HC3, t limits", **found))
    return rows


def _names(cuts):
    """'2 or fewer', '3 to 4', '5 or more'."""
    first = [f"{cuts[0]:g} or fewer" if cuts[0] > 0 else "none"]
    middle = [f"{low + 1:g}" if low + 1 == high else f"{low + 1:g} to {high:g}" for low, high in zip(cuts, cuts[1:])]
    return [*first, *middle, f"{cuts[-1] + 1:g} or more"]
