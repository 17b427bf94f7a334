"""The living review's figures: flow of studies, designs over time, risk of bias, and the map of gaps."""

import textwrap

import matplotlib.pyplot as plt
from matplotlib.patches import FancyBboxPatch, Patch
from matplotlib.ticker import MaxNLocator

from sprx.plots.style import COMPARISON, CONTEXT, LABEL_WIDTH, SCHEME, WIDTH
from sprx.wording import count, outcome_words
from sprx.wording.review import DESIGNS, STAGES, group_words

LEFT, RIGHT, MIDDLE = 25, 33, 0.45       # letters in a box of either side; where the right side begins
LINE, GAP = 0.172, 0.2                    # inches
BIAS = {"low": ("#00795C", ""), "some concerns": ("#8FBFE0", ""), "mixed": (COMPARISON, ""), "high": ("#B35900", ""), "unclear": ("#BBBBBB", ""), "judgements differ": ("#6A3D9A", ""), "not judged": ("#E6E6E6", "")}


def plot_flow(table, ax=None):
    """Boxes from all studies down to those in an average (left), and what falls away at each step with its reason (right); changes of one group below."""
    steps = []
    for stage, rows in table.groupby("group", sort=False):
        kept = rows.loc[rows["level"].eq("kept"), "estimate"].iloc[0]
        out = [textwrap.fill(f"{count(r.estimate)} {r.level}", RIGHT, subsequent_indent="  ") for r in rows.itertuples() if r.level != "kept" and r.estimate]
        steps.append((textwrap.fill(f"{count(kept)} {STAGES[stage]}", LEFT), "\n".join(out), stage.startswith("changes")))
    heights = [LINE * max(left.count("\n") + 1, right.count("\n") + 1 if right else 0) + 0.14 for left, right, _ in steps]
    total = sum(heights) + GAP * (len(steps) - 1) + 0.1
    ax = ax or plt.subplots(figsize=(WIDTH, total), layout="constrained")[1]
    ax.set(xlim=(0, 1), ylim=(total, 0))
    ax.axis("off")
    top = 0.05
    for at, ((left, right, other), height) in enumerate(zip(steps, heights)):
        _box(ax, 0.01, top, MIDDLE - 0.06, height, left, CONTEXT if other else SCHEME)
        if right:
            _box(ax, MIDDLE + 0.03, top, 0.99 - MIDDLE - 0.03, height, right, None)
            ax.annotate("", (MIDDLE + 0.03, top + height / 2), (MIDDLE - 0.05, top + height / 2), arrowprops=dict(arrowstyle="->", color="#444444"))
        if at + 1 < len(steps) and steps[at + 1][2] == other:
            ax.annotate("", (MIDDLE / 2 - 0.02, top + height + GAP), (MIDDLE / 2 - 0.02, top + height), arrowprops=dict(arrowstyle="->", color="#444444"))
        top += height + GAP
    return ax


def _box(ax, x, y, width, height, text, colour):
    ax.add_patch(FancyBboxPatch((x, y), width, height, boxstyle="square,pad=0", facecolor="white", edgecolor=colour or "#999999", linewidth=1.8 if colour else 0.9))
    ax.text(x + 0.015, y + height / 2, text, va="center", ha="left", fontsize=9.5, linespacing=1.25)


def plot_designs(table, ax=None):
    """A mark for each design and year, with how many studies it stands for; what gives no year is at the right."""
    designs = [d for d in DESIGNS if table["group"].eq(d).any()]
    labels = [textwrap.fill(DESIGNS[d], LABEL_WIDTH - 4) for d in designs]
    ax = ax or plt.subplots(figsize=(WIDTH, 1.2 + 0.45 * len(designs)), layout="constrained")[1]
    years = [int(y) for y in table["level"] if y.isdigit()]
    last = max(years, default=2015)
    for y, design in enumerate(designs):
        for row in table[table["group"].eq(design)].itertuples():
            x = int(row.level) if row.level.isdigit() else last + 2
            ax.plot(x, y, "o", markersize=6 + 2.2 * min(row.estimate, 9) ** 0.75, color=SCHEME if design in ("rct", "nrct_controlled") else CONTEXT, clip_on=False)
            if row.estimate > 1:
                ax.text(x, y, count(row.estimate), ha="center", va="center", color="white", fontsize=8.5)
        ax.axhline(y, color="#E0E0E0", linewidth=0.8, zorder=0)
    if any(not y.isdigit() for y in table["level"]):
        ax.annotate("no\nyear", (last + 2, -0.5), ha="center", va="bottom", annotation_clip=False, fontsize=9)
    ax.set(yticks=range(len(designs)), yticklabels=labels, ylim=(len(designs) - 0.5, -0.5), xlabel="year of publication")
    ax.xaxis.set(major_locator=MaxNLocator(5, integer=True), major_formatter="{x:.0f}")
    ax.tick_params(axis="y", length=0)
    return ax


def plot_bias(table, ax=None):
    """A bar for each design, in parts by what was judged; striped where it is not certain that the study was meant."""
    designs = list(dict.fromkeys(table["group"]))
    labels = [textwrap.fill(DESIGNS[d], LABEL_WIDTH - 6) for d in designs]
    ax = ax or plt.subplots(figsize=(WIDTH, 1.75 + 0.5 * len(designs)), layout="constrained")[1]
    for y, design in enumerate(designs):
        start = 0
        for row in table[table["group"].eq(design)].itertuples():
            word = row.level.split(",")[0]
            ax.barh(y, row.estimate, left=start, height=0.62, color=BIAS[word][0], edgecolor="white", hatch="///" if row.level.endswith("not verified") else None)
            dark = word in ("high", "low", "judgements differ")
            if row.estimate >= 1:
                ax.text(start + row.estimate / 2, y, count(row.estimate), ha="center", va="center", fontsize=9, color="white" if dark else "#222222",
                        bbox=dict(facecolor=BIAS[word][0], edgecolor="none", pad=0.8) if row.level.endswith("not verified") else None)
            start += row.estimate
    shown = [word for word in BIAS if table["level"].str.split(",").str[0].eq(word).any()]
    marks = [Patch(facecolor=BIAS[word][0], label=word) for word in shown] + [Patch(facecolor="#B0B0B0", edgecolor="white", hatch="///", label="striped: not verified")]
    ax.legend(handles=marks, loc="upper center", bbox_to_anchor=(0.35, -0.2), ncols=2, frameon=False)
    ax.set(yticks=range(len(designs)), yticklabels=labels, ylim=(len(designs) - 0.4, -0.6), xlabel="studies")
    ax.tick_params(axis="y", length=0)
    return ax


def plot_gaps(table, ax=None):
    """A map of groups of people by outcomes: 'compared + not compared' in each cell, darker with more compared studies; an empty cell has none."""
    cells = table[table["measure"].str.startswith("gap_")]
    groups = list(dict.fromkeys(cells["group"]))
    outcomes = list(dict.fromkeys(cells["level"]))
    at = cells.set_index(["measure", "group", "level"])["estimate"]
    labels = [textwrap.fill(group_words(g), LABEL_WIDTH, break_long_words=False) for g in groups]
    ax = ax or plt.subplots(figsize=(WIDTH, 1.9 + 0.19 * sum(n.count("\n") + 1 for n in labels) + 0.06 * len(groups)), layout="constrained")[1]
    most = max(cells.loc[cells["measure"].eq("gap_compared"), "estimate"].max(), 1)
    for y, group in enumerate(groups):
        for x, outcome in enumerate(outcomes):
            yes, no = (at.get((measure, group, outcome), 0) for measure in ("gap_compared", "gap_not_compared"))
            shade = "white" if not yes + no else "#EDEDED" if not yes else plt.get_cmap("Blues")(0.35 + 0.5 * yes / most)
            ax.add_patch(plt.Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=shade, edgecolor="#C8C8C8", linewidth=0.7))
            if yes + no:
                ax.text(x, y, f"{yes:.0f}+{no:.0f}" if outcome != "no_number" else f"{no:.0f}", ha="center", va="center", fontsize=9.5, color="white" if yes / most > 0.6 else "#222222")
    ax.set(xlim=(-0.5, len(outcomes) - 0.5), ylim=(len(groups) - 0.5, -0.5))
    ax.set_yticks(range(len(groups)), labels, fontsize=9)
    ax.set_xticks(range(len(outcomes)), ["no result read" if o == "no_number" else outcome_words(o).replace("health-related ", "") for o in outcomes], rotation=60, ha="right", rotation_mode="anchor", fontsize=9)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax
