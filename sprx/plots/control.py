"""Control charts: counts over time with their mean, limits and special causes."""

import textwrap

import pandas as pd

from sprx.plots.style import CONTEXT, SCHEME, name_spells, new_axes
from sprx.wording import MONTHLY_NAMES, cause_of, number

GREY, BLUE, ORANGE, PURPLE = CONTEXT, SCHEME, "#B35900", "#6A3D9A"
COLOUR = {"improvement": BLUE, "concern": ORANGE, "": PURPLE}
FREQUENCY = {"month": "M", "quarter": "Q"}


def plot_control(results, ax=None):
    """A control chart of one measure: its months, mean and limits; special causes are triangles, up or down as they lie.

    Parameters
    ----------
    results : DataFrame
        Released rows of `control_charts`, as `wording.chart_rows` picks them: months or quarters, and phases. A hidden month leaves a gap with *, one
        covered in part is hollow.
    """
    ax = ax or new_axes(height=3.4)
    rows = results[results["group"].isin(FREQUENCY) & (results["level"] != "missing")]
    if rows.empty:
        return ax
    spell = rows["group"].iloc[0]
    at, values = _starts(rows["level"], spell), rows["estimate"].to_numpy(float)
    ax.plot(at, values, "-", color=GREY, linewidth=1.4, zorder=1)
    part = rows["note"].str.startswith("part of a").to_numpy()
    for x, y, row, partly in zip(at, values, rows.itertuples(), part):
        direction, judged = cause_of(row.note)
        if row.suppressed or pd.isna(y):
            ax.annotate("*", (x, 0), ha="center", va="bottom", color="#444444")
        elif direction:
            ax.plot(x, y, "^" if direction == "up" else "v", color=COLOUR[judged], markersize=9, zorder=3)
        else:
            ax.plot(x, y, "o", color=GREY, markersize=6, markerfacecolor="white" if partly else GREY, zorder=2)
    phases = results[results["group"] == "phase"].dropna(subset="estimate")
    _draw_phases(ax, phases, spell)
    ax.set(ylabel=MONTHLY_NAMES.get(rows["measure"].iloc[0], rows["measure"].iloc[0]))
    ax.set_ylim(0, max(ax.get_ylim()[1], 1.12 * pd.concat([rows["estimate"], phases["estimate"]]).max()))
    name_spells(ax, at, rows["level"])
    ax.set_xlim(at[0] - pd.Timedelta(days=20), at[-1] + pd.Timedelta(days=20))
    return ax


def _draw_phases(ax, phases, spell):
    """The lines of each phase, named at the right of the last; what is special about a phase is said above it."""
    last = phases["level"].iloc[-1] if len(phases) else None
    for level, lines in phases.groupby("level", sort=False):
        start, end = _starts(pd.Series(level.split(" to ")), spell)
        for row in lines.itertuples():
            name = "mean" if row.measure.endswith("centre_line") else f"{row.measure.split('_')[-2]} limit"
            ax.hlines(row.estimate, start, end, color="#222222", linestyle="-" if name == "mean" else "--", linewidth=1.2)
            if level == last:
                ax.annotate(f"{name}\n{number(row.estimate)}", (end, row.estimate), xytext=(8, 0), textcoords="offset points", ha="left", va="center",
                            fontsize=10, annotation_clip=False)
        said = textwrap.fill(lines["note"].iloc[0], 26)
        if "begins anew" in said:
            ax.axvline(start, color=GREY, linestyle=":", linewidth=1.2)
        if said:
            ax.annotate(said, (start, 1), xycoords=("data", "axes fraction"), xytext=(3, 0), textcoords="offset points", ha="left", va="top", fontsize=10, color="#444444")


def _starts(levels, spell):
    return pd.PeriodIndex(levels.str.replace(" ", ""), freq=FREQUENCY[spell]).to_timestamp()
