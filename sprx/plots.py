"""Figures: draw a released result table on an `ax` and return the `ax`; compute nothing."""

import textwrap
from contextlib import contextmanager
from functools import cache
from itertools import cycle

import matplotlib.pyplot as plt
import pandas as pd

from sprx.wording import count, percent, row_name

SCHEME, COMPARISON, CONTEXT = "#005EB8", "#E69F00", "#6E6E6E"
LINES = ["-", "--", ":", "-."]
COLOURS = [SCHEME, "#333333", "#B35900", "#6A3D9A", "#00795C"]     # Okabe-Ito-like hues that differ in lightness too
WIDTH = 5.6         # inches: read at 360 px as well as at 720
LABEL_WIDTH = 24    # letters


@cache
def _style():
    import seaborn as sns

    return {**sns.axes_style("ticks"), **sns.plotting_context("notebook"), "font.family": "sans-serif",
            "font.sans-serif": ["DejaVu Sans"], "font.size": 11, "axes.labelsize": 11, "xtick.labelsize": 10.5, "ytick.labelsize": 10.5,
            "legend.fontsize": 10.5, "axes.spines.right": False, "axes.spines.top": False, "svg.fonttype": "none",
            "svg.hashsalt": "sprx", "figure.dpi": 100, "savefig.bbox": "standard", "text.parse_math": False}


@contextmanager
def house_style():
    """The house's fonts, sizes and colours for what is drawn inside; nothing outside changes."""
    with plt.rc_context(_style()):
        yield


def new_axes(labels=(), height=None):
    """An axes of the house's width, high enough for its labels."""
    lines = sum(label.count("\n") + 1 for label in labels)
    return plt.subplots(figsize=(WIDTH, height or 1.0 + 0.2 * lines + 0.22 * max(len(labels), 2)), layout="constrained")[1]


def _labels(results, with_n):
    """What each row is called, on lines short enough for a phone."""
    said = []
    for row in results.itertuples():
        more = " (too few to show)" if row.suppressed else " (not known)" if pd.isna(row.estimate) else f" (n={count(row.n)})"
        said.append(textwrap.fill(row_name(row, results) + (more if with_n else ""), LABEL_WIDTH, break_long_words=False))
    return said


def plot_estimates(results, ax=None, reference=None, xlabel=None):
    """Point and interval per row (a forest plot); `reference` is (value, name) of a line of no difference."""
    labels = _labels(results, with_n=True)
    ax = ax or new_axes(labels)
    scale = 100 if results["unit"].eq("proportion").all() else 1
    rows = list(results.itertuples())
    for y, row in enumerate(rows):
        if pd.notna(row.estimate):
            colour = COMPARISON if row.level == "comparison" else SCHEME
            low, high = (row.estimate if pd.isna(v) else v for v in (row.conf_low, row.conf_high))
            ax.plot([scale * low, scale * high], [y, y], color=colour, linewidth=2, solid_capstyle="butt")
            ax.plot(scale * row.estimate, y, "D" if row.level == "comparison" else "o", color=colour, markersize=7, clip_on=False)
    if reference is not None:
        ax.axvline(reference[0], color=CONTEXT, linestyle="--", linewidth=1.2)
        ax.annotate(reference[1], (reference[0], -0.6), ha="center", va="bottom", color="#444444", annotation_clip=False)
    ax.set(yticks=range(len(rows)), yticklabels=labels, ylim=(len(rows) - 0.5, -0.6),
           xlabel=xlabel or _axis_name(results))
    if scale == 100:
        _percent_axis(ax, results)
    elif results["unit"].str.startswith("per ").any():
        ax.set_xlim(0, None)
    return ax


def _axis_name(results):
    unit = results["unit"].iloc[0]
    name = results["measure"].iloc[0].replace("_", " ")
    return f"{name} (%)" if unit == "proportion" else f"{name} ({unit})"


def _percent_axis(ax, results):
    """A share's axis starts at 0, and ends at 100 unless every share is far from it."""
    high = 100 * max(results["conf_high"].max(), results["estimate"].max()) if results["estimate"].notna().any() else 100
    ax.set_xlim(0, 100 if not high < 55 else 10 * (high // 10 + 1))


def plot_bars(results, ax=None, xlabel=None):
    """A bar per level from 0, each with its number, for shares of one whole and for counts."""
    labels = _labels(results, with_n=False)
    ax = ax or new_axes(labels)
    share = results["unit"].eq("proportion").all()
    rows = list(results.itertuples())
    for y, row in enumerate(rows):
        if pd.notna(row.estimate):
            ax.barh(y, row.estimate * (100 if share else 1), color=CONTEXT if row.level == "missing" else SCHEME, height=0.7)
        text = "*" if row.suppressed else "not known" if pd.isna(row.estimate) else percent(row.estimate, row.n) if share else count(row.estimate)
        ax.annotate(text, ((0 if pd.isna(row.estimate) else row.estimate * (100 if share else 1)), y), xytext=(4, 0), textcoords="offset points", va="center")
    ax.set(yticks=range(len(rows)), yticklabels=labels, ylim=(len(rows) - 0.4, -0.6), xlabel=xlabel or _axis_name(results))
    ax.set_xlim(0, ax.get_xlim()[1] * 1.12)
    return ax


def plot_months(results, ax=None, ylabel=None):
    """One value per month as a line with points; a month that is covered in part is hollow, a hidden one leaves a gap."""
    ax = ax or new_axes(height=3.2)
    rows = results[(results["group"] == "month") & (results["level"] != "missing")]
    months = pd.PeriodIndex(rows["level"], freq="M").to_timestamp()
    share = rows["unit"].eq("proportion").all()
    values = rows["estimate"].to_numpy() * (100 if share else 1)
    ax.plot(months, values, "-", color=SCHEME, linewidth=2)
    part = rows["note"].eq("part of a month").to_numpy()
    ax.plot(months[~part], values[~part], "o", color=SCHEME, markersize=6)
    ax.plot(months[part], values[part], "o", color=SCHEME, markersize=6, markerfacecolor="white")
    hidden = rows["suppressed"].to_numpy()
    for month in months[hidden]:
        ax.annotate("*", (month, 0), ha="center", va="bottom", color="#444444")
    ax.set(ylabel=ylabel or ("%" if share else rows["unit"].iloc[0] if len(rows) else ""), ylim=(0, None))
    if share:
        ax.set_ylim(0, 103)
    ax.tick_params(axis="x", rotation=45)
    return ax


def plot_curve(curve, ax=None, marks=()):
    """Share seen by each day as steps with a band, one line per level, numbers at risk below; `marks` are days to name."""
    ax = ax or new_axes(height=4.2)
    shown = list(curve.groupby("level", sort=False))
    for (level, rows), line, colour in zip(shown, cycle(LINES), cycle(COLOURS)):
        ax.step(rows["days"], 100 * rows["estimate"], where="post", color=colour, linestyle=line, linewidth=2,
                label=None if level == "all" else level)
        ax.fill_between(rows["days"].to_numpy(float), 100 * rows["conf_low"].to_numpy(float), 100 * rows["conf_high"].to_numpy(float),
                        step="post", color=colour, alpha=0.18, linewidth=0)
    for position, day in enumerate(marks):
        ax.axvline(day, color=CONTEXT, linestyle="--", linewidth=1)
        ax.annotate(f"{day} days", (day, 101), ha="right" if position == 0 and len(marks) > 1 else "left", va="bottom", color="#444444",
                    annotation_clip=False)
    ax.set(xlabel="days since referral", ylabel="seen (%)", ylim=(0, 100))
    ax.set_xlim(0, None)
    if len(shown) > 1:
        ax.legend(frameon=False)
    _numbers_at_risk(ax, shown)
    return ax


def _numbers_at_risk(ax, shown):
    """The numbers not yet seen, under the days of the axis."""
    if not shown:
        return
    last = max(rows["days"].max() for _, rows in shown)
    ticks = [t for t in ax.get_xticks() if 0 <= t <= last]
    ax.annotate("not yet seen, by the days above:", (0, -0.27), xycoords="axes fraction", ha="left", va="center", fontsize=10)
    for line, (level, rows) in enumerate(shown):
        y = -0.36 - 0.09 * line
        if level != "all":
            ax.annotate(level, (0, y), xycoords="axes fraction", xytext=(-12, 0), textcoords="offset points", ha="right", va="center", fontsize=10)
        for tick in ticks:
            later = rows[rows["days"] >= tick]
            if len(later):
                ax.annotate(count(later["n_at_risk"].iloc[0]), (tick, y), xycoords=("data", "axes fraction"), ha="center", va="center", fontsize=10)


def plot_completeness(results, ax=None):
    """Share of rows filled per column, as a dot on a line from 0 to 100 %."""
    shown = results.assign(level=results["group"] + "." + results["level"], group="column")
    ax = plot_estimates(shown, ax=ax, xlabel="rows with a value (%)")
    ax.set_xlim(0, 102)
    return ax
