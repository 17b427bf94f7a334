"""Two groups side by side: balance, overlap, and use of services month by month."""

import textwrap

import numpy as np
import pandas as pd

from sprx.plots.style import COMPARISON, CONTEXT, LABEL_WIDTH, SCHEME, new_axes
from sprx.wording import covariate_name

LOOKS = {"before weighting": dict(marker="o", color="#333333", markerfacecolor="white"), "weighted": dict(marker="s", color=SCHEME),
         "balanced": dict(marker="D", color="#B35900", markersize=5)}
NEAR = 0.1


def plot_balance(results, ax=None):
    """A love plot: one line per thing recorded, a point per way of weighting; between the dotted lines a difference is negligible."""
    names = list(dict.fromkeys(results["level"]))
    labels = [textwrap.fill(covariate_name(name), LABEL_WIDTH, break_long_words=False) for name in names]
    ax = ax or new_axes(labels)
    for kind, rows in results.groupby("group", sort=False):
        ax.plot(rows["estimate"], rows["level"].map(names.index), linestyle="none", markersize=LOOKS[kind].get("markersize", 7), label=kind,
                **{k: v for k, v in LOOKS[kind].items() if k != "markersize"})
    ax.axvline(0, color=CONTEXT, linewidth=1.2)
    for at in (-NEAR, NEAR):
        ax.axvline(at, color=CONTEXT, linestyle=":", linewidth=1.2)
    widest = max(results["estimate"].abs().max() * 1.15, 0.25)
    ax.set(yticks=range(len(names)), yticklabels=labels, ylim=(len(names) - 0.5, -0.6), xlim=(-widest, widest),
           xlabel=textwrap.fill("scheme minus comparison, in standard deviations", 34))
    ax.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=3, handletextpad=0.1, columnspacing=0.8)
    return ax


def plot_overlap_of_groups(results, ax=None):
    """Share of each group with each chance of being in the scheme: the scheme's people above, comparison people below."""
    bands = list(dict.fromkeys(results["level"]))
    ax = ax or new_axes(height=3.4)
    for name, sign, colour in (("scheme", 1, SCHEME), ("comparison", -1, COMPARISON)):
        rows = results[results["measure"].str.startswith(f"propensity_{name}")].set_index("level").reindex(bands)
        ax.bar(range(len(bands)), sign * 100 * rows["estimate"].fillna(0), color=colour, width=0.8)
        for x in np.flatnonzero(rows["suppressed"].fillna(True).astype(bool)):
            ax.annotate("*", (x, sign * 2), ha="center", va="center", color="#444444")
        ax.annotate({"scheme": "scheme", "comparison": "comparison"}[name], (0.01, 0.97 if sign > 0 else 0.03), xycoords="axes fraction", va="top" if sign > 0 else "bottom",
                    fontweight="bold", color=colour if sign > 0 else "#8A5A00")
    ax.axhline(0, color="#333333", linewidth=1)
    most = max(ax.get_ylim()[1], -ax.get_ylim()[0]) * 1.15
    ax.set(xticks=range(len(bands)), xticklabels=[band.replace(" to ", "\nto ") for band in bands], ylim=(-most, most), ylabel="% of the group", xlabel="chance of being in the scheme")
    ax.set_yticks(ax.get_yticks(), [f"{abs(t):.0f}" for t in ax.get_yticks()])
    ax.set_ylim(-most, most)
    return ax


def plot_event_study(results, ax=None):
    """Ratio of the groups' rates in each month against the months before, with intervals; before the line it should be 1."""
    rows = results.assign(month=results["level"].astype(float)).sort_values("month")
    ax = ax or new_axes(height=3.4)
    shown = rows.dropna(subset="estimate")
    low, high = (shown[c].fillna(shown["estimate"]) for c in ("conf_low", "conf_high"))
    ax.vlines(shown["month"], low, high, color=SCHEME, linewidth=1.6)
    ax.plot(shown["month"], shown["estimate"], "o", color=SCHEME, markersize=5)
    ax.axhline(1, color=CONTEXT, linestyle="--", linewidth=1.2)
    ax.axvline(0, color="#333333", linewidth=1.2)
    ax.set_yscale("log")
    ticks = [t for t in (0.1, 0.2, 0.25, 0.33, 0.5, 0.67, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 10) if low.min() * 0.9 <= t <= high.max() * 1.1]
    ax.set_yticks(ticks, [f"{t:g}" for t in ticks])
    ax.minorticks_off()
    ax.annotate("start", (0, 1), xycoords=("data", "axes fraction"), xytext=(3, -2), textcoords="offset points", va="top", color="#444444")
    ax.set(xlabel="months from the start", ylabel="ratio of rates,\nscheme to comparison")
    return ax


def plot_series(results, ax=None, ylabel="uses a person a year"):
    """The observed monthly rate (points) and what the months before would have led one to expect (line with its band)."""
    rows = results.assign(month=results["level"].map(_place))
    seen = rows[~rows["measure"].str.contains("expected")].dropna(subset="estimate").sort_values("month")
    told = rows[rows["measure"].str.contains("expected")].dropna(subset="estimate").sort_values("month")
    ax = ax or new_axes(height=3.4)
    if told["conf_low"].notna().any():
        ax.fill_between(told["month"], told["conf_low"].astype(float), told["conf_high"].astype(float), color=CONTEXT, alpha=0.2, linewidth=0)
    ax.plot(told["month"], told["estimate"], "--", color="#444444", linewidth=1.6)
    ax.plot(seen["month"], seen["estimate"], "o-", color=SCHEME, markersize=5, linewidth=1.4)
    if len(told):
        ax.annotate("expected", (told["month"].iloc[-1], told["estimate"].iloc[-1]), xytext=(0, 8), textcoords="offset points", ha="right", color="#444444")
    ax.axvline(0, color="#333333", linewidth=1.2)
    ax.set(xlabel="months from the start", ylabel=ylabel, ylim=(0, None))
    return ax


def _place(level):
    return float(level) if level.lstrip("-").isdigit() else pd.Period(level, freq="M").ordinal
