"""Cleaning of cost lines: price years that the deflator knows, and lines that look like the same money twice."""

from sprx.load import NOTED, SET_ASIDE, issue_rows, stack
from sprx.prices import deflator, read_year


def clean_costs(scheme):
    """Cost lines with price years as '2024/25'; a line whose prices are of no known year is set aside, since nobody can say what it is worth."""
    rows = scheme.tables.get("costs")
    if rows is None:
        return scheme
    years = rows["price_year"].map(read_year, na_action="ignore")
    bad = ~years.isin(deflator())
    issues = issue_rows("costs", rows[bad], column="price_year", problem="not a price year of the GDP deflator", found=rows.loc[bad, "price_year"],
                        expected=f"a financial year from {min(deflator())} to {max(deflator())}, such as 2024/25", action=SET_ASIDE)
    kept = rows.assign(price_year=years.astype("string"))[~bad]
    again = kept.duplicated([c for c in kept if c not in ("row", "file")], keep="first")
    twice = issue_rows("costs", kept[again], column="item", problem="the same as an earlier line in every column: counted twice?", found=kept.loc[again, "item"], action=NOTED)
    return scheme.keep("costs", kept, stack([issues, twice]), rows[bad].assign(reason="price_year: not in the deflator"))
