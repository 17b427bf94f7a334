"""Checks met as bars made of counts; the information standard's groups as lines over the months, a panel each."""

import textwrap

import matplotlib.pyplot as plt
import pandas as pd

from sprx.plots.style import SCHEME, WIDTH, name_spells, new_axes
from sprx.wording.transparency import TOOL_WORDS, standard_name

SHADES = {"present": ("#005EB8", "white"), "partly": ("#8DB8E2", "black"), "absent": ("white", "black"), "not applicable": ("#D9D9D9", "black")}


def plot_checks(results, ax=None):
    """A bar per list of checks, made of how many are present, partly there, absent and not applicable; each part says its number and its word."""
    tools = list(dict.fromkeys(results["group"]))
    labels = [textwrap.fill(TOOL_WORDS[tool], 20) for tool in tools]
    ax = ax or new_axes(labels, height=3.3)
    for y, tool in enumerate(tools):
        left = 0.0
        for row in results[results["group"].eq(tool)].itertuples():
            fill, ink = SHADES[row.level]
            if row.estimate:
                ax.barh(y, row.estimate, left=left, color=fill, edgecolor="#333333", height=0.6, hatch="///" if row.level == "not applicable" else None)
                ax.text(left + row.estimate / 2, y, f"{row.estimate:.0f}", color=ink, ha="center", va="center", bbox=dict(facecolor=fill, edgecolor="none", pad=1))
            left += row.estimate
    handles = [ax.barh(0, 0, color=fill, edgecolor="#333333", hatch="///" if status == "not applicable" else None) for status, (fill, _) in SHADES.items()]
    ax.legend(handles, list(SHADES), loc="lower center", bbox_to_anchor=(0.35, 1.0), ncols=2, frameon=False)
    ax.set(yticks=range(len(tools)), yticklabels=labels, ylim=(len(tools) - 0.5, -0.5), xlabel="checks")
    ax.xaxis.get_major_locator().set_params(integer=True)
    return ax


def plot_standard(results):
    """Share of each month's referrals with a group filled in, a named panel per group; a hidden month is a star and leaves a gap. Returns the last panel's axes."""
    levels, measures = pd.Series(sorted(results["level"].unique())), list(dict.fromkeys(results["measure"]))
    panels = plt.subplots(len(measures), 1, sharex=True, figsize=(WIDTH, 1.0 + 1.25 * len(measures)), layout="constrained", squeeze=False)[1][:, 0]
    at = list(range(len(levels)))
    for ax, measure in zip(panels, measures):
        rows = results[results["measure"].eq(measure)].set_index("level").reindex(levels)
        values = 100 * rows["estimate"].to_numpy(float)
        ax.plot(at, values, "-o", color=SCHEME, linewidth=2, markersize=5, clip_on=False)
        for x, hidden in zip(at, rows["suppressed"].eq(True)):
            if hidden:
                ax.annotate("*", (x, 0), ha="center", va="bottom", color="#444444")
        ax.annotate(standard_name(measure), (0, 1), xycoords="axes fraction", xytext=(0, 4), textcoords="offset points", fontweight="bold", va="bottom")
        ax.set(ylim=(0, 103), yticks=[0, 50, 100], xlim=(-0.5, len(levels) - 0.5))
    panels[len(panels) // 2].set_ylabel("referrals with all of it (%)", y=1.0)
    name_spells(panels[-1], at, levels, most=7)
    return panels[-1]
