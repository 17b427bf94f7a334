"""Figures in words: alt texts."""

import pandas as pd

from sprx.wording.words import number, percent, row_name


def alt_of_levels(table):
    """Alt text of a figure with a point for each level: every number that it shows."""
    said = []
    for r in table.itertuples():
        value = "not shown" if pd.isna(r.estimate) else percent(r.estimate, r.n) if r.unit == "proportion" else number(r.estimate)
        said.append(f"{row_name(r, table)} {value}")
    return f"{table['measure'].iloc[0].replace('_', ' ').capitalize()}: " + "; ".join(said) + "."


def alt_of_curve(curve):
    """Alt text of a curve: where it stands at a quarter, half and the end of its time."""
    if curve.empty:
        return "No curve: too few people to show."
    last = curve["days"].max()
    said = []
    for level, rows in curve.groupby("level", sort=False):
        points = [rows[rows["days"] <= day].iloc[-1] for day in (last / 4, last / 2, last) if (rows["days"] <= day).any()]
        said.append(("" if level == "all" else f"{level}: ") + ", ".join(f"{percent(p.estimate)} by day {p.days:.0f}" for p in points))
    what = "Share of cases closed" if curve.get("measure", pd.Series("")).iloc[0] == "time_to_closure" else "Share of the people referred who had been seen"
    return f"{what}: " + "; ".join(said) + "."
