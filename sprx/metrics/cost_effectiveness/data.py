"""People of both arms made ready: what each spent, how each fared, and what was known at the start, completed where it was not recorded."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from sprx.errors import DataError
from sprx.prices import price_year, unit_cost
from sprx.reference import BY_LOT
from sprx.stats import comparison, economics, missing

COPIES = 50
FEWEST = 10                     # people with scores over the whole time, and with costs, in each arm
FEWEST_CLUSTERS = 3             # in each arm
SAME_AS_BEFORE = {"gp": "gp_appointments_12m", "ae": "ae_attendances_12m"}     # columns of people that say what the use before the start says
OTHERS = ("gp", "nurse", "ae", "nel", "op", "mh", "ambulance")    # services whose costs cannot hold that of the scheme
NO_OWN_COST = "the scheme's own cost is not known"        # without it even a scheme that saves nothing would seem to cost nothing


@dataclass(frozen=True)
class EconomicPlan:
    """How costs and effects are set against each other."""

    design: str                             # reference/designs.csv
    scheme_cost: float = 0.0                # of the scheme itself, pounds a person of the scheme; 0 = not known
    prices: pd.DataFrame = field(default_factory=lambda: service_prices((), "2024/25"))     # as `service_prices`
    thresholds: tuple = (20_000.0, 30_000.0)    # pounds per quality-adjusted life year
    rate: float = 0.035                     # discount rate a year
    seed: int = 1
    conf_level: float = 0.95
    draws: int = 10_000


def service_prices(services, year, own=None):
    """What one use of each service costs.

    Parameters
    ----------
    services : list of str
    year : str
        Price year.
    own : dict of str to float, optional
        The scheme's own unit costs, in prices of that year; they come first.

    Returns
    -------
    DataFrame, indexed by service
        value, low, high (pounds of that year; where no range is published, 20% either way), item, source, verification. A service without a published cost has a missing value.
    """
    rows, own = {}, own or {}
    for service in services:
        try:
            found = unit_cost(service, price_year(year))
        except DataError:
            found = dict(value=np.nan, low=None, high=None, item="no unit cost found", source="", verification="")
        if service in own:
            found = dict(value=own[service], low=None, high=None, item="the scheme's own", source="scheme.yaml", verification="given by the scheme")
        low, high = (found["value"] * share if found[side] is None else found[side] for side, share in (("low", 0.8), ("high", 1.2)))
        rows[service] = dict(value=found["value"], low=low, high=high, item=found["item"], source=found["source"], verification=found["verification"])
    return pd.DataFrame.from_dict(rows, orient="index", columns=["value", "low", "high", "item", "source", "verification"])


@dataclass(frozen=True)
class Valued:
    """What `value_people` returns; `problem` says why nothing can be set against anything, else it is empty."""

    problem: str = ""
    arm: np.ndarray = None
    names: tuple = ()                       # of the columns of `copies`
    copies: np.ndarray = None               # m x people x columns
    complete: np.ndarray = None             # everything that the answer's regressions use was recorded
    recorded: np.ndarray = None             # that, and everything that is known of people
    valued: np.ndarray = None               # every score and cost was recorded, whatever is known of the person
    followed: np.ndarray = None             # scores over the whole time were recorded
    clusters: np.ndarray = None
    months: tuple = ()                      # when scores were taken
    services: tuple = ()                    # whose costs are counted
    priced: tuple = ()                      # of these, whose uses are counted at unit costs; the others come with the extract's own costs
    others: int = 0                         # people who came in of whom nothing is recorded
    notes: tuple = ()
    how: str = ""

    @property
    def about(self):
        """What may be said of it anywhere: months looked at (None when nothing can be compared), how gaps were filled, whether by place, services whose costs are counted, of these those with the extract's own costs, and services without a unit cost."""
        return dict(months=self.months[-1] if self.months else None, how=self.how, by_place=self.clusters is not None, services=self.services, paid=tuple(s for s in self.services if s not in self.priced), unpriced=self.notes)

    def columns(self, *kinds):
        """Where the columns of these kinds are: known, before, score, spent."""
        return [i for i, name in enumerate(self.names) if name.split(":")[0] in kinds]

    def outcomes(self, copy, keep, rate):
        """Per person: QALYs (or whatever the score is, times years), what was spent on each service, and the last score."""
        scores = copy[keep][:, self.columns("score")]
        return [scores @ economics.time_weights(self.months, rate), *copy[keep][:, self.columns("spent")].T, scores[:, -1]]

    def designs(self, copy, keep, adjust):
        """Per outcome: arm, its own first values, and what is known, as far as `adjust` says ('nothing', 'first', 'known')."""
        arm = self.arm[keep][:, None]
        known = copy[keep][:, self.columns("known") if adjust == "known" else []]
        first, before = (copy[keep][:, self.columns(kind)[:1] if kind == "score" else self.columns(kind)] for kind in ("score", "before"))
        if adjust == "nothing":
            first, before = first[:, :0], before[:, :0]
        of_score, of_cost = np.column_stack([arm, first, known]), np.column_stack([arm, before, known])
        return [of_score, *[of_cost] * len(self.services), of_score]


def value_people(people, plan, copies=COPIES):
    """Make people ready for an economic evaluation.

    Parameters
    ----------
    people : DataFrame, one row per person of either arm
        As `cohort.economic_people` gives them.
    plan : EconomicPlan
    copies : int
        Completed tables, where something is missing.

    Returns
    -------
    Valued
        Uses times prices, or the extract's own costs. Missing scores, costs and covariates are filled in together, arm by arm (chained regressions); by places drawn by lot
        only complete cases are used (filling in does not know places), the completed copies stand beside.
    """
    scores = [c for c in people if c.startswith("score_")]
    spent, before, notes = _in_pounds(people, plan.prices)
    some = people[scores].notna().any(axis=1) if scores else pd.Series(False, index=people.index)
    some |= spent.notna().any(axis=1)
    both = set(people["arm"].dropna()) >= {"scheme", "comparison"}
    people, spent, before = people[some], spent[some], before[some]
    arm = people["arm"].eq("scheme").to_numpy().astype(float)
    followed = people[scores].notna().all(axis=1).to_numpy() if scores else np.zeros(len(people), dtype=bool)
    problem = _problem(people, scores, followed, arm, plan) if both else "there is no comparison group"
    problem = problem or ("" if plan.scheme_cost or any(c.startswith("cost_") and c.removeprefix("cost_") not in OTHERS for c in people) else NO_OWN_COST)
    if problem:
        return Valued(problem=problem, others=int((~some).sum()), services=tuple(spent), notes=notes)
    fewest = min(int((followed & (arm == a)).sum()) for a in (0, 1))
    most = max((len(arm) if plan.design in BY_LOT else fewest) // missing.PEOPLE_PER_COLUMN - before.shape[1] - 1, 0)
    known = _known(people, before, most, arm)
    table = pd.concat([known.add_prefix("known:"), before.add_prefix("before:"), people[scores].astype(float).rename(columns=lambda c: c.replace("score_", "score:")),
                       spent.add_prefix("spent:")], axis=1)
    clusters = comparison.own_clusters(people["cluster"]) if people["cluster"].notna().any() else None
    recorded = table.notna().all(axis=1).to_numpy()
    own = table[[c for c in table if c.startswith(("score:", "spent:"))]].notna().all(axis=1).to_numpy()
    complete = table[[c for c in table if not c.startswith("known:")]].notna().all(axis=1).to_numpy() if plan.design in BY_LOT else recorded
    try:
        completed, how = missing.impute_by_arm(table.to_numpy(dtype=float), arm, fewest, copies, plan.seed)
    except DataError:
        return Valued(problem="too few people have a first score, or use of services, in each group", others=int((~some).sum()), services=tuple(spent), notes=notes)
    months = tuple(float(c.removeprefix("score_")) for c in scores)
    return Valued("", arm, tuple(table.columns), completed, complete, recorded, own, followed, clusters, months, tuple(spent), tuple(s for s in spent if f"use_{s}" in people), int((~some).sum()), notes, how)


def _in_pounds(people, prices):
    """What each person spent on each service after and before the start, and what could not be priced."""
    spent, before, notes = {}, {}, []
    for column in people:
        kind, _, service = column.partition("_")
        if kind == "cost":
            spent[service], before[service] = people[column], people[f"paid_before_{service}"]
        elif kind == "use" and service in prices.index and pd.notna(prices.at[service, "value"]):
            spent[service], before[service] = (people[name] * prices.at[service, "value"] for name in (column, f"before_{service}"))
        elif kind == "use":
            notes.append(service)
    before = {service: values for service, values in before.items() if values.notna().sum() >= FEWEST and values.nunique() > 1}
    return pd.DataFrame(spent, index=people.index, dtype=float), pd.DataFrame(before, index=people.index, dtype=float), tuple(notes)


def _problem(people, scores, followed, arm, plan):
    """Why costs and effects cannot be compared, or ''."""
    if not scores:
        return "no utilities (EQ-5D) are recorded"
    if min(int((followed & (arm == a)).sum()) for a in (0, 1)) < FEWEST:
        return f"fewer than {FEWEST} people in a group have these scores over the whole time"
    if people[scores[0]].nunique() < 2:
        return "the first scores are all the same, or missing"
    if plan.design == "cluster_randomised" and not people["cluster"].notna().any():
        return "needs cluster, under comparison in scheme.yaml: the column of people that says which place was drawn by lot"
    if people["cluster"].notna().any():
        places = people[followed].groupby("arm")["cluster"].nunique()
        if places.min() < FEWEST_CLUSTERS:
            return f"fewer than {FEWEST_CLUSTERS} places in a group"
    return ""


def _known(people, before, most, arm):
    """Covariates as numbers, without those that the use before the start says already."""
    doubled = {f"known_{SAME_AS_BEFORE[s]}" for s in before if s in SAME_AS_BEFORE}
    known = people[[c for c in people if c.startswith("known_") and c not in doubled]].rename(columns=lambda c: c.removeprefix("known_"))
    known = missing.coded(known, most)
    return known[[c for c in known if all(known.loc[arm == a, c].notna().sum() >= FEWEST for a in (0, 1))]]


def used(ready):
    """Whom the answer rests on: everybody, or complete cases where places were drawn by lot."""
    return ready.complete if ready.clusters is not None else np.ones(len(ready.arm), dtype=bool)

