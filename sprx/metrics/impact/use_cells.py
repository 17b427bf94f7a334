"""Use of one service by arm and time: whose months count, the rates of cells, and the rows that compare them."""

import numpy as np
import pandas as pd

from sprx.errors import require
from sprx.stats.counts import log_rates

NEEDED = ["person_id", "arm", "service", "month", "count", "exposure", "cluster"]
RUN_UP = 3                      # months before the start in which people are sent because they use services most
FEW_CLUSTERS = 10               # below this the limits by cluster are themselves uncertain
PER_YEAR = 12
ARMS = ("scheme", "comparison")
YEARLY = "uses a person a year"
# a difference-in-differences, as a ratio of ratios
EFFECT = {"scheme, after": 1, "scheme, before": -1, "comparison, after": -1, "comparison, before": 1}


def one_service(months, service, weights=None):
    """The person-months of one service as numbers.

    Parameters
    ----------
    months : DataFrame, one row per person, service and month
        As `cohort.use.service_months` gives it; rows with exposure 0 stand for people without an observed month.
    weights : Series by person_id, optional
        Who is not in it, or has weight 0, is not compared.

    Returns
    -------
    DataFrame
        person and cluster (whole numbers), own (True for the arm scheme), month, count, exposure, weight.
    """
    require(months, "months", NEEDED)
    part = months[months["service"].eq(service)]
    person, ids = pd.factorize(part["person_id"])
    weight = 1.0 if weights is None else weights.reindex(ids).fillna(0.0).to_numpy(float)[person]
    exposure = part["exposure"].to_numpy(float)
    count = np.where(exposure > 0, part["count"].to_numpy(float), 0.0)         # what nobody watched is no count
    return pd.DataFrame(dict(person=person, cluster=pd.factorize(part["cluster"])[0], own=part["arm"].eq("scheme").to_numpy(),
                             month=part["month"].to_numpy(int), count=count, exposure=exposure, weight=weight))


def people_with(part, *sides):
    """For each row, whether its person was observed on each of the sides (boolean arrays over the rows) and has a weight."""
    total = part["person"].max() + 1 if len(part) else 0
    kept = np.bincount(part["person"], part["weight"], total) > 0
    for side in sides:
        kept &= np.bincount(part["person"], part["exposure"] * side, total) > 0
    return kept[part["person"]] if len(part) else np.zeros(0, dtype=bool)


def count_people(part, kept=None):
    """How many people the rows are about, or those rows where `kept`."""
    return int((part["person"] if kept is None else part.loc[kept, "person"]).nunique())


def times(part, last_before=-1):
    """'before' (up to `last_before`), 'after', or None for the months between, as an array of text."""
    month = part["month"].to_numpy()
    return np.where(month > 0, "after", np.where(month <= last_before, "before", None))


def by_arm(part, names):
    """'scheme, before' and so on: the arm in front of each row's name; None stays None."""
    names = np.asarray(names, dtype=object)
    code, found = pd.factorize(names)
    labels = np.array([f"{arm}, {name}" for arm in ARMS for name in found] + [None], dtype=object)
    return labels[np.where(code < 0, len(labels) - 1, code + len(found) * (~part["own"].to_numpy()))]


def cell_rates(part, cells, kept):
    """Log rates of cells over the rows where `kept` and the cell is not None, and how many people used the service in each."""
    rows = kept & (part["exposure"].to_numpy() > 0) & np.array(pd.notna(cells))
    part, cells = part[rows], pd.Series(cells[rows], dtype=object)
    fit = log_rates(part["count"], part["exposure"], cells, part["cluster"].to_numpy(), part["weight"])
    used = part["count"].to_numpy() > 0
    users = pd.DataFrame(dict(cell=cells[used].to_numpy(), person=part["person"].to_numpy()[used])).drop_duplicates().groupby("cell").size()
    return fit, users.reindex(fit.cells.index, fill_value=0)


def ratio_row(rates, weights, conf_level, row):
    """A result row for a contrast of log rates; `row` (a dict) gives the rest. The numerator is the smallest number of people who used the service in a cell."""
    fit, users = rates
    found = fit.contrast(weights, conf_level)
    known = [cell for cell in weights if cell in users.index]
    smallest = int(users[known].min()) if known else 0
    note = f"not estimated: {plain(found['why'])}" if found["why"] else row.get("note", "")
    limits = {k: found[k] for k in ("estimate", "std_error", "conf_low", "conf_high")}
    return row | limits | dict(conf_level=conf_level, unit="ratio", numerator=smallest or None, note=note)


def plain(why):
    """A reason of `stats.counts` in the words of service use."""
    return why.replace("nobody has an event in", "nobody used the service in:").replace("nothing was observed in", "no month was observed in:")


def not_comparable(part, arms=ARMS):
    """Why the rows of a service cannot tell before from after for these arms: a few plain words, or ''."""
    there = part[part["exposure"] > 0]
    if there.empty:
        return "no month of this service was observed"
    for arm in arms:
        side = there[there["own"].eq(arm == "scheme")]
        if side.empty:
            return "there are no comparison people with an observed month" if arm == "comparison" else "the scheme's people have no observed month"
        if not side["month"].lt(0).any():
            return f"the service was only observed after the start ({arm} people), so there is no rate before"
        if not side["month"].gt(0).any():
            return f"the service was only observed up to the start ({arm} people), so there is no rate after"
    never = [arm for arm in arms if not there.loc[there["own"].eq(arm == "scheme"), "count"].any()]
    return "" if not never else "nobody used the service" if never == list(arms) else f"the {never[0]} people never used the service"


def rates_in_words(rates, arms=ARMS):
    """'uses a person a year: scheme 7.2 before and 5.9 after; …'."""
    cells = np.exp(rates[0].cells["log_rate"]) * PER_YEAR
    words = [f"{arm} people {cells.get(f'{arm}, before', np.nan):.3g} before and {cells.get(f'{arm}, after', np.nan):.3g} after" for arm in arms]
    return f"{YEARLY}: {'; '.join(words)}"


def clusters_in_words(part):
    """A warning where counts belong together in a few clusters, else ''."""
    here = part[part["exposure"] > 0]
    if here["cluster"].nunique() == here["person"].nunique():
        return ""
    fewest = int(here.groupby("own")["cluster"].nunique().min())
    return f"; only {fewest} clusters on a side, so the limits are themselves uncertain" if fewest < FEW_CLUSTERS else ""
