"""Points with intervals, bars, months: one mark per row."""

import textwrap

import pandas as pd
from matplotlib.ticker import MaxNLocator, NullLocator

from sprx.plots.style import AXIS_WIDTH, COMPARISON, CONTEXT, SCHEME, axis_name, name_spells, new_axes, percent_axis, row_labels
from sprx.wording import count, percent


RATIOS = (0.1, 0.25, 0.5, 1, 2, 4, 10)      # ticks of a ratio's axis


def plot_estimates(results, ax=None, reference=None, xlabel=None, log=False, with_n=True):
    """Point and interval per row (a forest plot); `reference` is (value, name) of a line of no difference; `log` for ratios; `with_n` counts beside names."""
    labels = row_labels(results, with_n)
    ax = ax or new_axes(labels)
    scale = 100 if results["unit"].eq("proportion").all() else 1
    rows = list(results.itertuples())
    for y, row in enumerate(rows):
        if pd.notna(row.estimate):
            colour = COMPARISON if row.level == "comparison" else CONTEXT if row.group == "published" and row.level != "this_scheme" else SCHEME
            low, high = (row.estimate if pd.isna(v) else v for v in (row.conf_low, row.conf_high))
            ax.plot([scale * low, scale * high], [y, y], color=colour, linewidth=2, solid_capstyle="butt")
            ax.plot(scale * row.estimate, y, "D" if row.level == "comparison" else "o", color=colour, markersize=7, clip_on=False)
    if reference is not None:
        ax.axvline(reference[0], color=CONTEXT, linestyle="--", linewidth=1.2)
        ax.annotate(reference[1], (reference[0], -0.6), ha="center", va="bottom", color="#444444", annotation_clip=False)
    ax.set(yticks=range(len(rows)), yticklabels=labels, ylim=(len(rows) - 0.5, -0.6),
           xlabel=textwrap.fill(xlabel or axis_name(results), AXIS_WIDTH))
    if log:
        ax.set_xscale("log")
        ax.set_xticks([at for at in RATIOS if ax.get_xlim()[0] <= at <= ax.get_xlim()[1]], minor=False)
        ax.xaxis.set(major_formatter="{x:g}", minor_locator=NullLocator())
    elif scale == 100:
        percent_axis(ax, results)
    elif results["unit"].str.startswith(("per ", "pounds a ")).any():
        ax.set_xlim(0, None)
    return ax


def plot_bars(results, ax=None, xlabel=None):
    """A bar per level from 0, each with its number, for shares of one whole and for counts."""
    labels = row_labels(results, with_n=False)
    ax = ax or new_axes(labels)
    share = results["unit"].eq("proportion").all()
    rows = list(results.itertuples())
    for y, row in enumerate(rows):
        if pd.notna(row.estimate):
            ax.barh(y, row.estimate * (100 if share else 1), color=CONTEXT if row.level == "missing" else SCHEME, height=0.7)
        text = "*" if row.suppressed else "not known" if pd.isna(row.estimate) else percent(row.estimate, row.n) if share else count(row.estimate)
        ax.annotate(text, ((0 if pd.isna(row.estimate) else row.estimate * (100 if share else 1)), y), xytext=(4, 0), textcoords="offset points", va="center")
    ax.set(yticks=range(len(rows)), yticklabels=labels, ylim=(len(rows) - 0.4, -0.6), xlabel=xlabel or axis_name(results))
    ax.set_xlim(0, ax.get_xlim()[1] * 1.12)
    ax.xaxis.set(major_locator=MaxNLocator(6, integer=True), major_formatter="{x:,.0f}")
    return ax


def plot_months(results, ax=None, ylabel=None):
    """One value per month as a line with points and intervals; a month that is covered in part is hollow, a hidden one leaves a gap."""
    ax = ax or new_axes(height=3.2)
    rows = results[(results["group"] == "month") & (results["level"] != "missing")]
    months = pd.PeriodIndex(rows["level"], freq="M").to_timestamp()
    share = rows["unit"].eq("proportion").all()
    values = rows["estimate"].to_numpy() * (100 if share else 1)
    ax.plot(months, values, "-", color=SCHEME, linewidth=2)
    ax.vlines(months, *(rows[limit].to_numpy(float) * (100 if share else 1) for limit in ("conf_low", "conf_high")), color=SCHEME, linewidth=1.2)
    part = rows["note"].eq("part of a month").to_numpy()
    ax.plot(months[~part], values[~part], "o", color=SCHEME, markersize=6)
    ax.plot(months[part], values[part], "o", color=SCHEME, markersize=6, markerfacecolor="white")
    hidden = rows["suppressed"].to_numpy()
    for month in months[hidden]:
        ax.annotate("*", (month, 0), ha="center", va="bottom", color="#444444")
    ax.set(ylabel=ylabel or ("%" if share else rows["unit"].iloc[0] if len(rows) else ""), ylim=(0, None))
    if share:
        ax.set_ylim(0, 103)
    name_spells(ax, months, rows["level"])
    return ax


def plot_completeness(results, ax=None):
    """Share of rows filled per column, as a dot on a line from 0 to 100 %."""
    shown = results.assign(level=results["group"] + "." + results["level"], group="column")
    ax = plot_estimates(shown, ax=ax, xlabel="rows with a value (%)")
    ax.set_xlim(0, 102)
    return ax
