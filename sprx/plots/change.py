"""Scores at both times: shares as stacked bars, or quartiles where an instrument has no bands."""

import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from sprx.plots.style import AXIS_WIDTH, CONTEXT, SCHEME, new_axes
from sprx.wording import percent, time_name

SHADES = ["#D6E4F3", "#A9C8E8", "#6FA3D8", "#2F75C0", "#0B3D78"]       # light to dark, so that order is seen without colour
ROOM_FOR_NUMBER = 0.07      # of the whole: a narrower part has no number in it, the table below has


def plot_scores(results, ax=None, xlabel=None):
    """Where scores lie at both times: stacked shares for bands and profiles, else the quartiles and the mean."""
    if results["unit"].eq("proportion").all():
        return plot_stacked(results, ax)
    return plot_quartiles(results, ax, xlabel)


def plot_stacked(results, ax=None):
    """A bar to 100% per group, a part per level; what may not be shown is the hatched part at the end."""
    groups, levels = list(dict.fromkeys(results["group"])), list(dict.fromkeys(results["level"]))
    ax = ax or new_axes(height=1.1 + 0.42 * len(groups) + 0.26 * len(levels))
    shades = [SHADES[round(i)] for i in np.linspace(0, len(SHADES) - 1, max(len(levels), 2))]
    for y, group in enumerate(groups):
        left, rows = 0.0, results[results["group"] == group].set_index("level")["estimate"]
        for level, shade in zip(levels, shades):
            share = rows.get(level)
            if pd.notna(share) and share > 0:
                ax.barh(y, 100 * share, left=100 * left, color=shade, edgecolor="white", height=0.7)
                if share >= ROOM_FOR_NUMBER:
                    ax.annotate(percent(share), (100 * (left + share / 2), y), ha="center", va="center", color="white" if shade in SHADES[3:] else "black", fontsize=10)
                left += share
        if rows.isna().any() and left < 1:
            ax.barh(y, 100 * (1 - left), left=100 * left, color="white", edgecolor=CONTEXT, hatch="////", linewidth=0.5, height=0.7)
    ax.set(yticks=range(len(groups)), yticklabels=[time_name(group) for group in groups], ylim=(len(groups) - 0.4, -0.6), xlim=(0, 100),
           xlabel="people with both scores (%)")
    marks = [plt.Rectangle((0, 0), 1, 1, facecolor=shade) for shade in shades[:len(levels)]]
    names = [textwrap.fill(f"level {level}" if level.isdigit() else level, 48) for level in levels]
    if results["estimate"].isna().any():
        marks, names = [*marks, plt.Rectangle((0, 0), 1, 1, facecolor="white", edgecolor=CONTEXT, hatch="////")], [*names, "the rest: not shown"]
    ax.figure.legend(marks, names, loc="outside lower center", frameon=False, ncols=1 if max(map(len, names)) > 12 else min(len(names), 3))
    return ax


def plot_quartiles(results, ax=None, xlabel=None):
    """A bar from the lower to the upper quartile with the median as a line and the mean as a point, at each time."""
    times = list(dict.fromkeys(results["level"]))
    ax = ax or new_axes(height=2.6)
    ax.use_sticky_edges = False
    for y, time in enumerate(times):
        rows = results[results["level"] == time]
        low, middle, high, mean = (rows.loc[rows["measure"].str.startswith(f"score_{name}"), "estimate"].max()
                                   for name in ("lower_quartile", "median", "upper_quartile", "mean"))
        ax.barh(y, high - low, left=low, color=SHADES[1], height=0.5)
        ax.plot([middle, middle], [y - 0.25, y + 0.25], color=SCHEME, linewidth=3, solid_capstyle="butt", label="half of the people lie below the line" if y == 0 else None)
        ax.plot(mean, y, "D", color="black", markersize=6, label="mean" if y == 0 else None)
    ax.set(yticks=range(len(times)), yticklabels=[time_name(time) for time in times], ylim=(len(times) - 0.4, -0.6),
           xlabel=textwrap.fill(xlabel or results["unit"].iloc[0], AXIS_WIDTH))
    ax.figure.legend(loc="outside lower center", frameon=False, ncols=2)
    return ax
