"""The cost lines: in pounds of one year, set-up spread over its life, and which kinds of cost are there at all."""

import pandas as pd

from sprx.errors import require
from sprx.prices import last_outturn_year, price_factor
from sprx.reference import facts
from sprx.results import result_table
from sprx.stats.economics import annual_equivalent

NEEDED = ["category", "amount_gbp", "price_year", "kind", "basis"]
PARTS = {"cost_category": "category", "cost_kind": "kind", "cost_basis": "basis"}


def priced(lines, terms):
    """Cost lines with kind and basis filled in (running, actual), `paid` and `charged` in pounds of the price year.

    `charged` is `paid`, or for set-up its equal yearly sum times the years of the period, never more than was paid.
    """
    require(lines, "costs", NEEDED)
    rows = lines.assign(kind=lines["kind"].fillna("running"), basis=lines["basis"].fillna("actual"), no_kind=lines["kind"].isna(), no_basis=lines["basis"].isna())
    paid = rows["amount_gbp"].astype(float) * rows["price_year"].map(lambda year: price_factor(year, terms.price_year)).astype(float)
    spread = paid if terms.years is None else (annual_equivalent(paid, terms.set_up_years, terms.discount_rate) * terms.years).clip(upper=paid)
    return rows.assign(paid=paid, charged=paid.where(rows["kind"].ne("set_up"), spread))


def scheme_costs(lines, terms):
    """What the scheme cost in its period.

    Parameters
    ----------
    lines : DataFrame, one row per cost line
        Needs category, amount_gbp, price_year, kind and basis (as `cohort.cost_lines` gives them).
    terms : CostTerms

    Returns
    -------
    DataFrame
        Result layout, unit pounds (of terms.price_year), n = cost lines. cost_total: all lines as paid (n_missing = lines that could not be used); cost_charged: with
        set-up spread over its life; cost_by_category, cost_by_kind, cost_by_basis and cost_by_category_and_basis: the parts of cost_charged, dearest first. No line: one row without an estimate.

    References
    ----------
    Equivalent annual cost: Drummond et al (2015) Methods for the Economic Evaluation of Health Care Programmes, chapter 7. GDP deflators: HM Treasury.
    """
    row = dict(unit="pounds", n_missing=0)
    if lines.empty:
        return result_table([row | dict(measure="cost_total", group="all", level="all", n=0, n_missing=terms.lines_set_aside, note="no cost line could be used")])
    rows = priced(lines, terms)
    forecast = max(terms.price_year, rows["price_year"].max()) > last_outturn_year()
    uprated = f"sum, GDP deflator to {terms.price_year}" if rows["price_year"].ne(terms.price_year).any() else "sum"
    spread = f"set-up spread over {terms.set_up_years:g} years at {100 * terms.discount_rate:g}% a year" if terms.years is not None else "set-up in full: no period is given"
    found = [row | dict(measure=measure, group="all", level="all", n=len(rows), n_missing=terms.lines_set_aside, estimate=rows[column].sum(), method=method,
                        note="a deflator of this year is a forecast" if forecast else "") for measure, column, method in
             (("cost_total", "paid", uprated), ("cost_charged", "charged", spread if rows["kind"].eq("set_up").any() else uprated))]
    both = rows["category"] + " | " + rows["basis"]
    for group, values in ({group: rows[column] for group, column in PARTS.items()} | {"cost_category_and_basis": both}).items():
        unsaid = rows[f"no_{PARTS[group]}"] if group in ("cost_kind", "cost_basis") else pd.Series(False, index=rows.index)
        parts = rows.assign(unsaid=unsaid).groupby(values).agg(charged=("charged", "sum"), n=("charged", "size"), unsaid=("unsaid", "sum"))
        found += [row | dict(measure=f"cost_by_{group.removeprefix('cost_')}", group=group, level=part.Index, n=part.n, estimate=part.charged, method="sum",
                             note=f"{part.unsaid} of the lines did not say: taken as this" if part.unsaid else "")
                  for part in parts.sort_values("charged", ascending=False, kind="stable").itertuples()]
    return result_table(found)


def lines_given(lines):
    """How many cost lines there are of each kind of cost that one expects.

    Parameters
    ----------
    lines : DataFrame, one row per cost line
        Needs category. A line of 0 pounds is a line.

    Returns
    -------
    DataFrame
        Result layout; measure cost_lines_given, group cost_category, level = a category of reference/cost_lines.csv (ours), unit cost lines, note = why it matters.
    """
    require(lines, "costs", ["category"])
    return result_table([dict(measure="cost_lines_given", group="cost_category", level=row.category, n=len(lines), n_missing=0, estimate=lines["category"].eq(row.category).sum(),
                              unit="cost lines", method="count", note=row.why) for row in facts("cost_lines").itertuples()])
