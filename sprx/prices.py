"""Pounds of different years made alike: the GDP deflator (reference/gdp_deflator.csv) and the published unit costs."""

import re
from functools import cache

from sprx.errors import DataError, nearest
from sprx.reference import facts

YEAR = re.compile(r"(?:fy ?)?(\d{4})(?:\s*[/–-]\s*(\d{2}|\d{4}))?", re.IGNORECASE)


@cache
def deflator():
    """The index of each financial year, '2000/01' to the last forecast, 2024/25 = 100."""
    rows = facts("gdp_deflator")
    return dict(zip(rows["fiscal_year"], rows["index_2024_25_100"].astype(float)))


@cache
def last_outturn_year():
    """The latest financial year whose deflator is not a forecast."""
    rows = facts("gdp_deflator")
    return rows.loc[rows["forecast"] == "no", "fiscal_year"].max()


def read_year(text):
    """'2024/25' for 2024/25, 2024-25, 2024/2025, FY2024/25 and 2024 (the year that begins then); None for anything else."""
    found = YEAR.fullmatch(str(text).strip())
    if not found:
        return None
    begins, ends = int(found[1]), found[2]
    year = f"{begins}/{(begins + 1) % 100:02}"
    return year if ends is None or int(ends) % 100 == (begins + 1) % 100 else None


def price_year(text):
    """A financial year that the deflator holds.

    Raises
    ------
    DataError
        If the text is no year, or one outside the deflator.
    """
    year = read_year(text)
    if year not in deflator():
        first, last = min(deflator()), max(deflator())
        raise DataError(f"{text!r} is not a price year; expected a financial year from {first} to {last}, such as 2024/25.")
    return year


def price_factor(of, to):
    """What pounds of one price year are multiplied by to become pounds of another (GDP deflator)."""
    return deflator()[price_year(to)] / deflator()[price_year(of)]


def unit_cost(key, year):
    """A published cost in prices of `year`.

    Parameters
    ----------
    key : str
        A key of reference/unit_costs.csv: a service (gp, ae …), wellby, qaly_social …
    year : str

    Returns
    -------
    dict
        value, low, high (missing = None), item, price_year, source, verification.

    Raises
    ------
    DataError
        If there is none of that name.
    """
    rows = facts("unit_costs").set_index("key")
    if key not in rows.index:
        raise DataError(f"no published cost of {key!r}.{nearest(key, rows.index)}")
    row = rows.loc[key]
    factor = price_factor(row["price_year"], year) if read_year(row["price_year"]) else 1.0
    numbers = {name: float(row[name]) * factor if row[name] else None for name in ("value", "low", "high")}
    return numbers | {name: row[name] for name in ("item", "price_year", "source", "verification")}
