"""Curves over days, and over the number of contacts."""

from itertools import cycle

import numpy as np
import pandas as pd

from sprx.plots.style import COLOURS, COMPARISON, CONTEXT, LINES, SCHEME, new_axes
from sprx.wording import count, level_name, percent

# what the axes are called, and what those at risk are
AXES = {"time_to_closure": ("days since first contact", "closed (%)", "still open"),
        "first_event": ("days since referral", "referrals (%)", "still waiting")}
SEEN_AXES = ("days since referral", "seen (%)", "not yet seen")


def plot_curve(curve, ax=None, marks=()):
    """Share seen (or closed) by each day as steps with a band, one line per level, numbers at risk below; `marks` are days to name.

    `wording.curve_rows` picks the levels that can be told apart.
    """
    shown = list(curve.groupby("level", sort=False))
    ax = ax or new_axes(height=4.2 + 0.22 * max(len(shown) - 1, 0))
    days, share, at_risk = AXES.get(curve["measure"].iloc[0] if len(curve) else "", SEEN_AXES)
    for (level, rows), line, colour in zip(shown, cycle(LINES), cycle(COLOURS)):
        ax.step(rows["days"], 100 * rows["estimate"], where="post", color=colour, linestyle=line, linewidth=2,
                label=None if level == "all" else level_name(rows["group"].iloc[0], level))
        ax.fill_between(rows["days"].to_numpy(float), 100 * rows["conf_low"].to_numpy(float), 100 * rows["conf_high"].to_numpy(float),
                        step="post", color=colour, alpha=0.18 if len(shown) == 1 else 0.08, linewidth=0)
    _mark(ax, marks)
    ax.set(xlabel=days, ylabel=share, ylim=(0, 100))
    ax.set_xlim(0, None)
    if len(shown) > 1:
        ax.legend(frameon=False)
    _numbers_at_risk(ax, shown, at_risk)
    return ax


def plot_first_events(curve, ax=None, marks=()):
    """Share seen, share ended unseen and the rest, who are waiting, by each day: bands that add up to everybody."""
    ax = ax or new_axes(height=4.2)
    levels = {level: rows for level, rows in curve.groupby("level", sort=False)}
    days = np.sort(curve["days"].unique())
    days = np.append(days, days[-1] + max(days[-1] / 50, 0.5))          # the last step is as wide as can be seen
    below = np.zeros(len(days))
    for level, colour, hatch in (("seen", SCHEME, ""), ("ended unseen", COMPARISON, "///")):
        rows = levels.get(level)
        share = np.zeros(len(days)) if rows is None else 100 * rows.set_index("days")["estimate"].reindex(days).ffill().fillna(0).to_numpy()
        top = np.minimum(below + share, 100)
        ax.fill_between(days, below, top, step="post", facecolor=colour, alpha=0.75 if not hatch else 0.55, hatch=hatch, edgecolor="white", linewidth=0)
        ax.annotate(f"{level}\n{share[-1]:.0f}%", (1, (below[-1] + top[-1]) / 2), xycoords=("axes fraction", "data"), xytext=(6, 0), textcoords="offset points",
                    ha="left", va="center", annotation_clip=False)
        below = top
    ax.annotate("still waiting", (0.01, 0.9), xycoords="axes fraction", ha="left", va="center", color="#444444",
                bbox=dict(facecolor="white", edgecolor="none", pad=1.5))
    _mark(ax, marks)
    name, share, at_risk = AXES["first_event"]
    ax.set(xlabel=name, ylabel=share, ylim=(0, 100), xlim=(0, max(days[-1], 1, *marks)))
    _numbers_at_risk(ax, [("all", next(iter(levels.values())))], at_risk)
    return ax


def plot_drop_out(results, ax=None):
    """Share of people with at least 1, 2, 3 … contacts, with intervals and numbers; a hidden one leaves a gap with *."""
    rows = results[results["group"] == "contacts_at_least"]
    ax = ax or new_axes(height=3.2)
    at = rows["level"].astype(int).to_numpy()
    share, low, high = (100 * rows[column].to_numpy(float) for column in ("estimate", "conf_low", "conf_high"))
    ax.plot(at, share, "-", color=SCHEME, linewidth=2)
    ax.vlines(at, low, high, color=SCHEME, linewidth=2)
    ax.plot(at, share, "o", color=SCHEME, markersize=7)
    for x, row, top in zip(at, rows.itertuples(), high):
        hidden = pd.isna(row.estimate)
        ax.annotate("*" if hidden else percent(row.estimate, row.n), (x, 0 if hidden else top), xytext=(0, 3), textcoords="offset points", ha="center", va="bottom")
    ax.set(xlabel="at least so many contacts", ylabel="people referred (%)", xticks=at, ylim=(0, 108), xlim=(0.5, at[-1] + 0.5))
    return ax


def _mark(ax, marks):
    """Days to name, as dashed lines."""
    for position, day in enumerate(marks):
        ax.axvline(day, color=CONTEXT, linestyle="--", linewidth=1)
        last = position == len(marks) - 1
        ax.annotate(f"{day} days" if last else f"{day}", (day, 101), ha="left" if last else "center", va="bottom", color="#444444",
                    annotation_clip=False)


def _numbers_at_risk(ax, shown, words):
    """The numbers at risk, under the days of the axis."""
    if not shown:
        return
    last = max(rows["days"].max() for _, rows in shown)
    ax.set_xticks([t for t in ax.get_xticks() if 0 <= t <= ax.get_xlim()[1]])       # held fast: the numbers stand under these
    ticks = [t for t in ax.get_xticks() if t <= last]
    ax.annotate(f"{words}, by the days above:", (0, 0), xycoords="axes fraction", xytext=(0, -50), textcoords="offset points", ha="left", va="center", fontsize=10)
    for line, (level, rows) in enumerate(shown):
        down = -66 - 15 * line
        if level != "all":
            ax.annotate(level_name(rows["group"].iloc[0], level).split(" (")[0], (0, 0), xycoords="axes fraction", xytext=(-20, down), textcoords="offset points",
                        ha="right", va="center", fontsize=10)
        for tick in ticks:
            later = rows[rows["days"] >= tick]
            if len(later):
                ax.annotate(count(later["n_at_risk"].iloc[0]), (tick, 0), xycoords=("data", "axes fraction"), xytext=(0, down), textcoords="offset points",
                            ha="center", va="center", fontsize=10)
