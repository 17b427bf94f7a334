"""Studies side by side: forest, funnel and effect directions."""

import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import NullLocator

from sprx.plots.estimates import RATIOS
from sprx.plots.style import AXIS_WIDTH, CONTEXT, LABEL_WIDTH, SCHEME, WIDTH
from sprx.wording import BLOCKS, OUTCOMES, count, of_kind

THIS, AVERAGE = "this scheme", "#333333"
CONTOURS = ((1.645, "#CFCFCF"), (1.960, "#E2E2E2"), (2.576, "#F2F2F2"))     # normal quantiles of 90, 95 and 99%: darkest where chance alone would do
BINS = {-1: "worse", 0: "mixed or none", 1: "better"}


def plot_forest(table, ax=None, xlabel=None):
    """A point and interval for each study, and for each kind of study a diamond for the average and a thin line for where a further study would lie (`forest_rows`)."""
    lines, kind = [], None
    for row in table.itertuples():
        if of_kind(row.measure) != kind:
            kind = of_kind(row.measure)
            lines.append((BLOCKS[kind], None))
        lines.append((_name(row), row))
    height = 1.1 + 0.24 * sum(name.count("\n") + 1 for name, _ in lines) + 0.06 * len(lines)
    ax = ax or plt.subplots(figsize=(WIDTH, height), layout="constrained")[1]
    ratio = table["unit"].eq("ratio").all()
    for y, (_, row) in enumerate(lines):
        if row is not None and pd.notna(row.estimate):
            _mark(ax, y, row)
    ax.axvline(1 if ratio else 0, color=CONTEXT, linestyle="--", linewidth=1.2)
    ax.annotate("no difference", (1 if ratio else 0, -0.9), ha="center", va="bottom", color="#444444", annotation_clip=False)
    ax.set(yticks=range(len(lines)), yticklabels=[name for name, _ in lines], ylim=(len(lines) - 0.5, -0.9))
    for label, (_, row) in zip(ax.get_yticklabels(), lines):
        label.set_fontweight("bold" if row is None else "normal")
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(textwrap.fill(xlabel or ("ratio, on a log scale" if ratio else "standard deviations (right of the line is better)"), AXIS_WIDTH))
    if ratio:
        ax.set_xscale("log")
        ax.set_xticks([at for at in RATIOS if ax.get_xlim()[0] <= at <= ax.get_xlim()[1]], minor=False)
        ax.xaxis.set(major_formatter="{x:g}", minor_locator=NullLocator())
    return ax


def _name(row):
    if row.measure.startswith(("average_", "further_")):
        name = row.method.split("; ")[-1] if row.measure.startswith("average_") else "where a further study would lie"
        return textwrap.fill(name if pd.notna(row.estimate) else "not averaged", LABEL_WIDTH)
    more = "" if pd.isna(row.n) else f" (n={count(row.n)})"
    return textwrap.fill(row.level + more + (", no interval" if pd.isna(row.conf_low) else ""), LABEL_WIDTH, break_long_words=False)


def _mark(ax, y, row):
    low, high = (row.estimate if pd.isna(v) else v for v in (row.conf_low, row.conf_high))
    if row.measure.startswith("average_"):
        ax.fill([low, row.estimate, high, row.estimate], [y, y - 0.3, y, y + 0.3], color=AVERAGE)
    elif row.measure.startswith("further_"):
        ax.plot([low, high], [y, y], color=AVERAGE, linewidth=1.2, marker="|", markersize=8)
    else:
        colour = SCHEME if row.level == THIS else CONTEXT
        ax.plot([low, high], [y, y], color=colour, linewidth=2, solid_capstyle="butt")
        ax.plot(row.estimate, y, "o", color=colour, markersize=7, markerfacecolor="white" if row.note else colour, clip_on=False)


def plot_funnel(table, ax=None, xlabel=None):
    """Each study's result by its standard error, over contours of what chance alone would bring if there were no difference (rows of `forest_rows` of one kind)."""
    ax = ax or plt.subplots(figsize=(WIDTH, 4.2), layout="constrained")[1]
    shown = table[table["std_error"].notna() & table["estimate"].notna() & table["measure"].str.startswith("study_")]
    mean = table.loc[table["measure"].str.startswith("average_"), "estimate"]
    ratio = table["unit"].eq("ratio").all()
    at, centre = (np.log(shown["estimate"]) if ratio else shown["estimate"]), 0.0
    top = 1.15 * shown["std_error"].max()
    for quantile, colour in reversed(CONTOURS):
        ax.fill_between([-quantile * top, centre, quantile * top], [top, 0, top], top, color=colour, linewidth=0, zorder=0)
    for x, row in zip(at, shown.itertuples()):
        colour = SCHEME if row.level == THIS else CONTEXT
        ax.plot(x, row.std_error, "D" if row.level == THIS else "o", color=colour, markersize=7, markerfacecolor="white" if row.note else colour)
    if mean.notna().any():
        middle = float(np.log(mean.dropna().iloc[0]) if ratio else mean.dropna().iloc[0])
        ax.axvline(middle, color=AVERAGE, linewidth=1.5)
        ax.annotate("average", (middle, 0), ha="center", va="bottom", color=AVERAGE, annotation_clip=False)
    ax.axvline(0, color=CONTEXT, linestyle="--", linewidth=1.2)
    ax.set(ylim=(top, 0), xlabel=textwrap.fill(xlabel or ("log of the ratio" if ratio else "standard deviations (right of the line is better)"), AXIS_WIDTH), ylabel="standard error (small studies below)")
    return ax


def plot_harvest(table, ax=None):
    """One mark per study in the column that its result points to; filled where the result is beyond chance (`effect_directions`)."""
    keys = list(dict.fromkeys(zip(table["group"], table["measure"])))
    names = [textwrap.fill(f"{OUTCOMES.get(group, group.replace('_', ' '))}: {BLOCKS[of_kind(measure)].split(' (')[0].lower()}", LABEL_WIDTH + 6) for group, measure in keys]
    ax = ax or plt.subplots(figsize=(WIDTH, 1.2 + 0.2 * sum(n.count("\n") + 1 for n in names) + 0.06 * len(names)), layout="constrained")[1]
    for y, (group, measure) in enumerate(keys):
        rows = table[table["group"].eq(group) & table["measure"].eq(measure)]
        for side in BINS:
            inside = rows[rows["estimate"].fillna(0).eq(side)].sort_values("level", key=lambda m: m.ne(THIS))
            for at, row in enumerate(inside.itertuples()):
                colour = SCHEME if row.level == THIS else AVERAGE
                x = side - 0.38 + 0.76 * (at + 0.5) / max(len(inside), 6)
                ax.plot(x, y, "o", color=colour, markersize=7, markerfacecolor=colour if row.note == "beyond chance" else "white")
        ax.axhline(y + 0.5, color="#E0E0E0", linewidth=0.8)
    for edge in (-0.5, 0.5):
        ax.axvline(edge, color="#C0C0C0", linewidth=0.8)
    ax.set(xlim=(-1.5, 1.5), ylim=(len(keys) - 0.5, -0.5), xticks=list(BINS), xticklabels=list(BINS.values()), yticks=range(len(keys)), yticklabels=names)
    ax.tick_params(axis="both", length=0)
    return ax
