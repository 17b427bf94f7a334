"""Costs by category, and the tornado of what moves the cost a person."""

import textwrap

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.ticker import MaxNLocator

from sprx.plots.style import CONTEXT, LABEL_WIDTH, SCHEME, new_axes
from sprx.wording import cost_name, pounds

PARTS = {"actual": ("paid", SCHEME, ""), "budget": ("planned in a budget", "#A9C8E8", "//"), "in_kind": ("given in kind", "#C9C9C9", "..")}
ROOM_FOR_ENDS = 0.3         # of the width between the ends, on each side, for what they say


def plot_costs(results, ax=None):
    """A bar per category from £0 with its sum, in parts: paid, planned in a budget, given in kind."""
    cells = results.assign(category=results["level"].str.rsplit(" | ", n=1).str[0], basis=results["level"].str.rsplit(" | ", n=1).str[-1])
    sums = cells.groupby("category", sort=False)["estimate"].sum().sort_values(ascending=False, kind="stable")
    labels = [textwrap.fill(cost_name(category), LABEL_WIDTH) for category in sums.index]
    held = [basis for basis in PARTS if cells["basis"].eq(basis).any()]
    ax = ax or new_axes(labels, height=1.5 + 0.36 * len(labels) + 0.2 * len(held))
    for y, category in enumerate(sums.index):
        left, parts = 0.0, cells[cells["category"] == category].set_index("basis")["estimate"]
        for basis in [b for b in held if b in parts]:
            _, colour, hatch = PARTS[basis]
            ax.barh(y, parts[basis], left=left, color=colour, hatch=hatch, edgecolor="white" if not hatch else CONTEXT, linewidth=0.5, height=0.7)
            left += parts[basis]
        ax.annotate(pounds(left), (left, y), xytext=(4, 0), textcoords="offset points", va="center")
    ax.set(yticks=range(len(labels)), yticklabels=labels, ylim=(len(labels) - 0.4, -0.6), xlabel="pounds")
    ax.set_xlim(0, ax.get_xlim()[1] * 1.2)
    ax.xaxis.set(major_locator=MaxNLocator(4), major_formatter="£{x:,.0f}")
    marks = [plt.Rectangle((0, 0), 1, 1, facecolor=PARTS[b][1], hatch=PARTS[b][2], edgecolor=CONTEXT) for b in held]
    ax.figure.legend(marks, [PARTS[b][0] for b in held], loc="outside lower center", frameon=False, ncols=len(held), columnspacing=1.0, handlelength=1.5)
    return ax


def plot_drivers(results, ax=None, xlabel=None):
    """A tornado: a bar per thing that is moved, from the lowest to the highest cost, with both ends named; the line is the cost as it is."""
    rows = list(results.dropna(subset="conf_low").itertuples())
    labels = [textwrap.fill(cost_name(row.level), LABEL_WIDTH) for row in rows]
    ax = ax or new_axes(labels, height=1.3 + 0.42 * max(len(labels), 2))
    for y, row in enumerate(rows):
        ax.barh(y, row.conf_high - row.conf_low, left=row.conf_low, color=SCHEME, height=0.6)
        for at, align, shift in ((row.conf_low, "right", -4), (row.conf_high, "left", 4)):
            ax.annotate(pounds(at), (at, y), xytext=(shift, 0), textcoords="offset points", ha=align, va="center", fontsize=10)
    if rows and pd.notna(rows[0].estimate):
        ax.axvline(rows[0].estimate, color="#333333", linestyle="--", linewidth=1.2)
        ax.annotate(f"{pounds(rows[0].estimate)} as it is", (rows[0].estimate, -0.6), ha="center", va="bottom", color="#333333", annotation_clip=False)
    low, high = (min(row.conf_low for row in rows), max(row.conf_high for row in rows)) if rows else (0, 1)
    ax.set(yticks=range(len(labels)), yticklabels=labels, ylim=(len(labels) - 0.4, -0.6), xlim=(low - ROOM_FOR_ENDS * (high - low), high + ROOM_FOR_ENDS * (high - low)), xlabel=xlabel or "pounds a person referred")
    ax.xaxis.set(major_locator=MaxNLocator(4), major_formatter="£{x:,.0f}")
    return ax
