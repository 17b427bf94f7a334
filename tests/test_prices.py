"""Pounds of different years: what is read as a year, the deflator, and published unit costs."""

import pytest

from sprx.errors import DataError
from sprx.prices import deflator, last_outturn_year, price_factor, price_year, read_year, unit_cost


@pytest.mark.parametrize("text", ["2024/25", "2024-25", "2024/2025", "FY2024/25", "fy 2024-25", "2024", " 2024/25 ", "2024–25"])
def test_a_financial_year_is_read_in_the_ways_people_write_it(text):
    assert read_year(text) == "2024/25"


@pytest.mark.parametrize("text", ["24/25", "2024/26", "2024/23", "next year", "", "2024/25/26"])
def test_what_is_no_financial_year_is_not_guessed(text):
    assert read_year(text) is None


@pytest.mark.parametrize("text", ["1999/00", "2031/32", "soon"])
def test_a_year_outside_the_deflator_is_refused_with_the_years_there_are(text):
    with pytest.raises(DataError, match="from 2000/01 to 2030/31"):
        price_year(text)


def test_the_deflator_brings_pounds_forward_and_back():
    assert price_factor("2016/17", "2024/25") == pytest.approx(100 / 76.0754)            # HM Treasury, March 2026: 76.0754 and 100
    assert price_factor("2016/17", "2020/21") * price_factor("2020/21", "2024/25") == pytest.approx(price_factor("2016/17", "2024/25"))
    assert price_factor("2024/25", "2016/17") == pytest.approx(1 / price_factor("2016/17", "2024/25")) and price_factor("2024/25", "2024/25") == 1
    assert last_outturn_year() == "2024/25" and list(deflator()) == sorted(deflator()) and len(deflator()) == 31


def test_a_unit_cost_comes_in_prices_of_the_year_with_its_source():
    gp = unit_cost("gp", "2024/25")
    assert gp["value"] == pytest.approx(37 * 100 / 96.1117) and gp["low"] is None and gp["high"] == pytest.approx(56 * 100 / 96.1117)
    assert gp["source"].startswith("https://") and gp["verification"] == "verified in 2 sources" and gp["price_year"] == "2023/24"
    assert unit_cost("discount", "2010/11")["value"] == 0.035                            # a rate has no price year
    with pytest.raises(DataError, match="no published cost of 'gpp'"):
        unit_cost("gpp", "2024/25")
