"""One row per person with what an economic evaluation needs: utilities over time, use of services, and what was known at the start."""

import numpy as np
import pandas as pd

from sprx.cohort.compared import compared_people
from sprx.cohort.due import follow_up_window
from sprx.cohort.referrals import referred_people
from sprx.cohort.scores import follow_up_visits, instruments_used, scored_people
from sprx.cohort.use import _compared, _placed, _visits, service_months, services_used
from sprx.reference import BY_LOT, measures, plain_key

LIFE_SATISFACTION = "ons_life_sat"
RUN_UP = 12             # months of use before the start that are held against the months after
AGREES = 1e-6


def utility_instruments(scheme):
    """The instruments in use that give utilities (EQ-5D by any value set, or a utility as it is), the one that answers first.

    That is the primary outcome where it is one of them, else the one by which most people were measured again. They are never mixed.
    """
    rules = measures()["rule"]
    used = [i for i in instruments_used(scheme) if i == "utility" or rules.get(i) == "eq5d"]
    primary = plain_key(scheme.settings.primary_outcome or "")
    again = {i: int(scored_people(scheme, i)["follow_up"].notna().sum()) for i in used}
    return sorted(used, key=lambda i: (plain_key(i) != primary, -again[i], i))


def asked_horizon(scheme):
    """The months that the evaluation is to look at: horizon_months, else the follow-up time of scheme.yaml; None when neither is given."""
    return scheme.settings.economics.get("horizon_months") or scheme.settings.follow_up_months


def score_times(scheme, instrument):
    """When one instrument was taken, in months, the start first and the last within the horizon (the first after it where there is none before).

    Where the data give dates rather than visits there is one later time: the follow-up time of scheme.yaml, or the horizon where that lies within the
    follow-up's window; else the median month of the last scores.
    """
    wanted, visits = asked_horizon(scheme), follow_up_visits(scheme, instrument)
    if visits:
        within = [m for m in visits if wanted is None or m <= wanted + AGREES]
        return [0.0, *(within or visits[:1])]
    planned = scheme.settings.follow_up_months
    if planned is None:
        months = scored_people(scheme, instrument)["months"].median()
        planned = float(months) if months > 0 else wanted or RUN_UP
    near = wanted is not None and abs(wanted - planned) < follow_up_window(planned)
    return [0.0, float(wanted if near else planned)]


def people_sharing_cost(scheme):
    """Whom the scheme's cost is shared among: people referred in the period; where people or places were drawn by lot, everybody drawn for the scheme.

    Returns
    -------
    DataFrame, one row per person
        person_id; seen and completed, missing: not looked at here.
    """
    people = scheme.tables["people"]
    by_lot = scheme.settings.comparison.get("design") in BY_LOT
    own = people.loc[people["arm"].eq("scheme"), ["person_id"]] if by_lot else referred_people(scheme)[["person_id"]]
    return own.assign(seen=pd.Series(pd.NA, index=own.index, dtype="boolean"), completed=pd.Series(pd.NA, index=own.index, dtype="boolean"))


def economic_people(scheme, instrument, rate=0.0):
    """People of both arms with one instrument's scores over time and their use of services up to the last of them.

    Parameters
    ----------
    scheme : Scheme (cleaned)
    instrument : str or None
        A utility, or life satisfaction; None where there is neither: then everybody counts, and the months are those of `asked_horizon` (12 where none is asked for).
    rate : float
        Discount rate a year on use beyond the first 12 months.

    Returns
    -------
    DataFrame, one row per person
        person_id; arm; known_* and cluster as `compared_people`; score_<months> (score_0 first; missing = not measured). For each service that both arms hold: use_<service>, the uses
        from the start to the last score (missing = not all of that time was watched), and before_<service> (a month, of up to 12 months before the start; at visits, what stands at
        month 0). Where the extract gives cost_gbp, cost_<service> and paid_before_<service>, in pounds, instead.

    Notes
    -----
    The month of the start belongs to neither side. What stands at a visit is of the time since the visit before. Repeated rows of a person, month and service add up.
    """
    times = score_times(scheme, instrument) if instrument else [0.0, float(asked_horizon(scheme) or RUN_UP)]
    first = instrument or next(iter(instruments_used(scheme)), None)
    table = compared_people(scheme, first) if first else _compared(scheme)[["person_id", "arm", "cluster"]]
    table = table[["person_id", "arm", *(c for c in table if c.startswith("known_") or c == "cluster")]].reset_index(drop=True)
    if instrument:
        scores = [scored_people(scheme, instrument, at, allocated=True).drop_duplicates("person_id").set_index("person_id") for at in times[1:]]
        table["score_0"] = table["person_id"].map(scores[0]["baseline"]).astype(float)
        for at, found in zip(times[1:], scores):
            table[f"score_{at:g}"] = table["person_id"].map(found["follow_up"]).astype(float)
    return pd.concat([table, _services(scheme, table, times[-1], rate)], axis=1)


def _services(scheme, table, horizon, rate):
    """use_, before_, cost_ and paid_before_ columns of the services that both arms hold."""
    if "service_use" not in scheme.tables:
        return pd.DataFrame(index=table.index)
    people = _compared(scheme)
    rows = _placed(scheme, people).assign(cost=_costs(scheme))
    rows = rows[rows["marked"] & rows["at"].notna()]
    rows = rows.assign(person_id=people["person_id"].to_numpy()[rows["person"]])
    months = service_months(scheme, RUN_UP, int(np.ceil(horizon)))
    found = {}
    for service in services_used(scheme):
        part = rows[rows["service"].eq(service)]
        paid = set(table.loc[table["person_id"].isin(part.loc[part["cost"].notna(), "person_id"]), "arm"])
        value, names = ("cost", ("cost", "paid_before")) if len(paid) == 2 else ("count", ("use", "before"))      # costs of one arm alone would be set against nothing
        watched = months[months["service"].eq(service)]
        columns = _at_visits(part, value, horizon, rate) if _visits(part) or watched.empty else _month_by_month(part, watched, value, horizon, rate)
        columns = [table["person_id"].map(column).astype(float) for column in columns]
        held = columns[0].notna() & table["person_id"].isin(part["person_id"])      # an arm without a single row was not asked about, whatever else was watched
        if table.loc[held, "arm"].nunique() == 2:
            found |= {f"{name}_{service}": column for name, column in zip(names, columns)}
    return pd.DataFrame(found, index=table.index)


def _costs(scheme):
    rows = scheme.tables["service_use"]
    return rows["cost_gbp"].astype(float) if "cost_gbp" in rows else pd.Series(np.nan, index=rows.index)


def _discounted(rows, value, rate):
    """What each row counts, beyond the first 12 months for less: a month or a visit belongs to the year that it ends."""
    return rows[value] * (1 + rate) ** -np.floor((rows["at"] - 1).clip(lower=0) / 12)


def _at_visits(rows, value, horizon, rate):
    """Sums per person of the visits after the start, up to the horizon; missing unless the person has each of these visits. Then the same of what stands at the start."""
    visits = sorted(at for at in rows["at"].unique() if 0 < at <= horizon + AGREES)
    known = rows[rows[value].notna()]
    inside = known[known["at"].isin(visits)]
    after = _discounted(inside, value, rate).groupby(inside["person_id"]).sum()
    every = inside.groupby("person_id")["at"].nunique() == len(visits)
    before = known[known["at"] <= 0].groupby("person_id")[value].sum()
    return after[every.reindex(after.index)], before


def _month_by_month(rows, watched, value, horizon, rate):
    """Sums per person over the months after the start, missing unless all were watched; and the mean month before it, of those watched."""
    last = int(np.ceil(horizon - AGREES))
    seen = watched[watched["exposure"] > 0]
    after, before = seen[seen["month"].between(1, last)], seen[seen["month"] < 0]
    sums = [_discounted(part, value, rate).groupby(part["person_id"]).sum() for part in (rows[rows["at"].between(1, last)], rows[rows["at"].between(-RUN_UP, -1)].assign(at=0.0))]
    full = after.groupby("person_id")["exposure"].sum()
    unpaid = [set(part.loc[part[value].isna() & part["count"].gt(0), "person_id"]) for part in (rows[rows["at"].between(1, last)], rows[rows["at"].between(-RUN_UP, -1)])]
    full = full.index[(full >= last - AGREES) & ~full.index.isin(unpaid[0])]            # a use without its cost: the person's cost is not known
    months = before.groupby("person_id")["exposure"].sum()
    months = months[~months.index.isin(unpaid[1])]
    return sums[0].reindex(full, fill_value=0.0), sums[1].reindex(months.index, fill_value=0.0) / months
