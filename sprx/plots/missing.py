"""Every belief about those lost, and every subgroup, as points with intervals."""

import textwrap

import pandas as pd

from sprx.plots.style import AXIS_WIDTH, CONTEXT, LABEL_WIDTH, SCHEME, new_axes
from sprx.wording import belief_name, count, subgroup_name

ASSUMED = "#B35900"


def plot_beliefs(results, ax=None, matters=None, xlabel=None):
    """Mean change under each belief; filled points rest on what was measured or predicted, hollow ones on a supposition.

    `matters` is the value of a line for the smallest change held to matter.
    """
    labels = [_folded(belief_name(row), row) for row in results.itertuples()]
    ax = ax or new_axes(labels)
    for y, row in enumerate(results.itertuples()):
        supposed = row.group == "delta" or row.measure.startswith("change_return")
        _point(ax, row, y, dict(color=ASSUMED if supposed else SCHEME, marker="s" if supposed else "o",
                                markerfacecolor="white" if supposed else SCHEME))
    known = matters is not None and pd.notna(matters)
    _line(ax, 0, "no change", "--", "center" if not known else "right" if matters > 0 else "left")
    if known:
        _line(ax, matters, "matters", ":", "left" if matters > 0 else "right")      # away from each other, however near the lines
    ax.set(yticks=range(len(results)), yticklabels=labels, ylim=(len(results) - 0.5, -0.6),
           xlabel=textwrap.fill(xlabel or f"mean change, {results['unit'].iloc[0]}", AXIS_WIDTH - 6))
    return ax


def plot_subgroups(results, ax=None, xlabel=None):
    """Each level's own estimate (filled circle) and, below it, the one drawn towards the common mean (hollow diamond)."""
    keys = list(dict.fromkeys(zip(results["group"], results["level"])))
    own = results[~results["measure"].str.startswith("subgroup_shrunken")]
    names = {(row.group, row.level): _folded(subgroup_name(row), row) for row in own.itertuples()}
    labels = [names[key] for key in keys]
    ax = ax or new_axes(labels, height=1.2 + 0.5 * len(labels))
    for row in results.itertuples():
        drawn, y = row.measure.startswith("subgroup_shrunken"), keys.index((row.group, row.level))
        _point(ax, row, y + (0.22 if drawn else -0.12), dict(color=CONTEXT if drawn else SCHEME, marker="D" if drawn else "o",
                                                             markerfacecolor="white" if drawn else SCHEME))
    _line(ax, 0, "no difference" if own["measure"].str.startswith("subgroup_arm_difference").any() else "no change", "--")
    ax.set(yticks=range(len(keys)), yticklabels=labels, ylim=(len(keys) - 0.4, -0.6),
           xlabel=textwrap.fill(xlabel or results["unit"].iloc[0], AXIS_WIDTH - 6))
    return ax


def _folded(name, row):
    more = " (not shown)" if row.suppressed else " (not known)" if pd.isna(row.estimate) else f" (n={count(row.n)})"
    return textwrap.fill(name + more, LABEL_WIDTH + 6, break_long_words=False)


def _point(ax, row, y, how):
    if pd.isna(row.estimate):
        return
    low, high = (row.estimate if pd.isna(v) else v for v in (row.conf_low, row.conf_high))
    ax.plot([low, high], [y, y], color=how["color"], linewidth=2, solid_capstyle="butt", zorder=2)
    ax.plot(row.estimate, y, linestyle="none", markersize=7, zorder=3, clip_on=False, **how)


def _line(ax, at, name, style, align="center"):
    ax.axvline(at, color=CONTEXT, linestyle=style, linewidth=1.2, zorder=1)
    ax.annotate(name, (at, -0.6), ha=align, va="bottom", color="#444444", annotation_clip=False)
