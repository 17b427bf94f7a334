"""Figures of equity: where groups are lost, how rates run across deprivation, which groups overlap, what needs were answered with."""

import textwrap

import numpy as np
import pandas as pd

from sprx.plots.style import COLOURS, CONTEXT, LABEL_WIDTH, SCHEME, new_axes
from sprx.wording import count, level_name, number, percent

STAGES = (("reached_seen", "seen", "o"), ("reached_completed", "completed", "s"), ("reached_followed_up", "followed up", "^"))
BESIDE = (-0.2, 0, 0.2)        # of a row: marks of the same share lie side by side
COMBINATIONS_SHOWN, NEEDS_SHOWN = 10, 12


def plot_stages_by_group(results, ax=None):
    """Share of each group's people who were seen, completed and followed up: a row per level, a mark per stage, * where hidden."""
    levels = list(dict.fromkeys(results["level"]))
    labels = [textwrap.fill(level_name(results["group"].iloc[0], level), LABEL_WIDTH, break_long_words=False) for level in levels]
    ax = ax or new_axes(labels)
    for (measure, name, mark), colour, beside in zip(STAGES, COLOURS, BESIDE):
        rows = results[results["measure"] == measure]
        if len(rows):
            ax.plot(100 * rows["estimate"], [levels.index(level) + beside for level in rows["level"]], mark, color=colour, markersize=8, label=name, clip_on=False)
    for y, level in enumerate(levels):
        rows = results[results["level"] == level]
        ax.plot([0, 100], [y, y], color="#DDDDDD", linewidth=1, zorder=0)
        if rows["suppressed"].any():
            ax.annotate("*", (105, y), va="center", color="#444444", annotation_clip=False)
    ax.set(yticks=range(len(levels)), yticklabels=labels, ylim=(len(levels) - 0.5, -0.6), xlim=(0, 100), xlabel="of the people referred in this group (%)")
    ax.legend(frameon=False, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return ax


def plot_inequality(results, ax=None):
    """Referral rates by deprivation at their place among the residents, with the fitted line; points are as wide apart as the residents are many."""
    ax = ax or new_axes(height=3.6)
    ranks = results[results["measure"] == "relative_rank"].set_index("level")["estimate"]
    rates = results[results["measure"].eq("referral_rate") & results["level"].isin(ranks.index)]
    for row in rates.itertuples():
        if pd.notna(row.estimate):
            ax.plot([ranks[row.level]] * 2, [row.conf_low, row.conf_high], color=SCHEME, linewidth=2, solid_capstyle="butt")
            ax.plot(ranks[row.level], row.estimate, "o", color=SCHEME, markersize=7)
        elif row.suppressed:
            ax.annotate("*", (ranks[row.level], 0), ha="center", va="bottom", color="#444444")
    ends = results[results["measure"] == "fitted_rate"].set_index("level")["estimate"].reindex(["most deprived", "least deprived"])
    ax.plot([0, 1], ends, "--", color=CONTEXT, linewidth=1.6)
    ax.set(xlim=(0, 1), xlabel="residents, ranked by deprivation", ylabel="people referred\nper 1,000 residents", xticks=[0, 0.5, 1])
    ax.set_xticklabels(["most\ndeprived", "", "least\ndeprived"])
    ax.set_ylim(min([0.0, *ends.dropna()]), None)
    return ax


def plot_overlap(results, ax=None):
    """An UpSet-style figure: a bar per combination of groups, and below it a filled dot for each group that is part of it."""
    rows = results[results["group"] == "group_combination"].head(COMBINATIONS_SHOWN)
    sets = [level.split(" + ") for level in rows["level"]]
    groups = list(dict.fromkeys(g for combination in sets for g in combination))
    names = [textwrap.fill(level_name("suitable_group", g), LABEL_WIDTH + 6, break_long_words=False) for g in groups]
    top = ax or new_axes(height=2.0 + 0.52 * len(groups))
    shown = rows["estimate"].fillna(0)
    unit = max(shown.max(), 1) / 3.5        # the height of one group's line of dots
    top.bar(range(len(rows)), shown, color=SCHEME, width=0.6)
    for x, row in enumerate(rows.itertuples()):
        top.annotate("*" if pd.isna(row.estimate) else count(row.estimate), (x, shown.iloc[x]), xytext=(0, 2), textcoords="offset points", ha="center", va="bottom")
        inside = [-(groups.index(g) + 1) * unit for g in sets[x]]
        top.plot([x] * len(groups), [-(i + 1) * unit for i in range(len(groups))], "o", color="#D5D5D5", markersize=8)
        top.plot([x] * len(inside), inside, "-o", color="#333333", markersize=8, linewidth=2)
    top.set(xticks=[], xlim=(-0.7, len(rows) - 0.3), ylim=(-(len(groups) + 0.6) * unit, 1.12 * max(shown.max(), 1)))
    top.set_yticks([-(i + 1) * unit for i in range(len(groups))], names)
    top.axhline(0, color="#444444", linewidth=0.8)
    top.annotate("people", (0, 1), xycoords="axes fraction", xytext=(-4, 0), textcoords="offset points", ha="right", va="top")
    top.spines["bottom"].set_visible(False)
    top.tick_params(axis="y", length=0)
    return top


def plot_heat(results, ax=None):
    """A heat map of needs (rows) by activities (columns): the share in each cell, darker where it is higher, * where it is hidden."""
    pairs = results["level"].str.split(" | ", regex=False, expand=True)
    needs, kinds = list(dict.fromkeys(pairs[0]))[:NEEDS_SHOWN], list(dict.fromkeys(pairs[1]))[:NEEDS_SHOWN]
    rows = [textwrap.fill(level_name("need", need), LABEL_WIDTH, break_long_words=False) for need in needs]
    ax = ax or new_axes(height=2.2 + 0.36 * len(needs))
    cells = results.assign(need=pairs[0], kind=pairs[1]).set_index(["need", "kind"])
    shares = cells["estimate"].unstack().reindex(index=needs, columns=kinds).to_numpy(float)
    top = np.nanmax(shares) if np.isfinite(shares).any() else 1.0
    ax.imshow(np.nan_to_num(shares), cmap="cividis_r", vmin=0, vmax=max(top, 0.01), aspect="auto")
    for y, need in enumerate(needs):
        for x, kind in enumerate(kinds):
            value, hidden = shares[y, x], bool(cells["suppressed"].get((need, kind), False))
            text = "*" if hidden else "" if np.isnan(value) else percent(value).rstrip("%")
            ax.text(x, y, text, ha="center", va="center", fontsize=8.5, color="white" if np.nan_to_num(value) > 0.55 * top else "#222222")
    ax.set_yticks(range(len(needs)), rows)
    ax.set_xticks(range(len(kinds)), [level_name("activity_type", kind) for kind in kinds], rotation=60, ha="right", rotation_mode="anchor", fontsize=9)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def plot_answers(results, ax=None):
    """One bar per need in four parts: answered, prescribed but not begun, only something else, nothing; needs with a hidden part are only counted."""
    whole = results.groupby("group", sort=False)["estimate"].apply(lambda parts: parts.notna().all())
    groups = list(whole.index[whole])[:NEEDS_SHOWN]
    names = [level_name("need", g.removeprefix("answers_to_")).replace("_", " ") for g in groups]
    labels = [textwrap.fill(name, LABEL_WIDTH, break_long_words=False) for name in names]
    ax = ax or new_axes(labels, height=1.9 + 0.42 * len(labels))
    parts = list(dict.fromkeys(results.loc[results["level"] != "all", "level"]))
    for y, group in enumerate(groups):
        rows, left = results[results["group"] == group].set_index("level"), 0.0
        for part, colour, hatch in zip(parts, ("#005EB8", "#7FB2E5", "#C9C9C9", "#4D4D4D"), ("", "//", "", "")):
            width = 100 * rows["estimate"].get(part, 0.0)
            ax.barh(y, width, left=left, color=colour, hatch=hatch, edgecolor="white", linewidth=0.5, height=0.7, label=part if y == 0 else None)
            if width >= 9:
                ax.text(left + width / 2, y, number(round(width)), ha="center", va="center", fontsize=10, color="#222222" if colour in ("#7FB2E5", "#C9C9C9") else "white")
            left += width
    left_out = int((~whole).sum())
    note = f"\nnot drawn: {left_out} with a hidden part" if left_out else ""
    ax.set(yticks=range(len(groups)), yticklabels=labels, ylim=(len(groups) - 0.5, -0.6), xlim=(0, 100), xlabel=f"of the referrals with this need (%){note}")
    ax.legend(frameon=False, ncols=2, loc="lower center", bbox_to_anchor=(0.3, 1.0), fontsize=10, columnspacing=1.0, handlelength=1.5)
    return ax
