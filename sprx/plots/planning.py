"""A plan's figures: people needed, power by people, follow-up, false successes, effects on one scale, and the worth of a study."""

import textwrap

from matplotlib.ticker import FuncFormatter, NullFormatter

from sprx.plots.style import COMPARISON, CONTEXT, LABEL_WIDTH, SCHEME, new_axes
from sprx.wording import count, pounds
from sprx.wording.planning import SCALE_WORDS, design_name

MARKS = {"before_after": "v", "concurrent": "^", "matched": "o", "cluster_randomised": "D", "randomised": "s"}
THOUSAND = 1000


def _names(designs):
    return [textwrap.fill(design_name(d), LABEL_WIDTH, break_long_words=False) for d in designs]


def plot_needed(results, ax=None, design=""):
    """A bar for each design, as long as the people who must start in all; the chosen one blue."""
    labels = _names(results["level"])
    ax = ax or new_axes(labels)
    ax.barh(range(len(results)), results["estimate"].fillna(0), color=[SCHEME if d == design else "#B8C4D0" for d in results["level"]], height=0.62)
    for y, value in enumerate(results["estimate"]):
        ax.annotate(count(value) if value > 0 else "no number would do", (value if value > 0 else 0, y), xytext=(4, 0), textcoords="offset points", va="center")
    ax.set(yticks=range(len(results)), yticklabels=labels, xlabel="people who must start, in all", xlim=(0, max(results["estimate"].max(), 1) * 1.22))
    ax.invert_yaxis()
    ax.locator_params(axis="x", nbins=4)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: count(v)))
    return ax


def plot_power(results, ax=None, design="", wanted=0.8, people=None):
    """The chance to find the effect by people in the scheme: the chosen design blue and thick, the others grey, each with its mark."""
    ax = ax or new_axes(height=4.2)
    for name, rows in results.groupby("group", sort=False):
        x, y, mine = rows["level"].astype(float), 100 * rows["estimate"], name == design
        ax.plot(x, y, color=SCHEME if mine else CONTEXT, linewidth=2.6 if mine else 1.4, marker=MARKS[name], markevery=(4, 9), markersize=7 if mine else 5.5, label=design_name(name), zorder=3 if mine else 2)
    ax.axhline(100 * wanted, color="#333333", linestyle="--", linewidth=1.1)
    ax.annotate("chance wanted", (results["level"].astype(float).min(), 100 * wanted), xytext=(2, 3), textcoords="offset points", fontsize=9.5)
    if people is not None:
        ax.axvline(people, color="#333333", linestyle=":", linewidth=1.1)
        ax.annotate("planned", (people, 2), xytext=(3, 0), textcoords="offset points", fontsize=9.5)
    ax.set(xscale="log", ylim=(0, 102), xlabel="people in the scheme at the start", ylabel="chance to find the effect (%)")
    _plain_counts(ax, (20, 50, 100, 200, 500, 1000, 2000))
    ax.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.42, 1.0), ncols=1)
    return ax


def _plain_counts(ax, at):
    ax.set_xticks(at)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: count(v)))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.minorticks_off()


def plot_follow_up(results, ax=None, chosen=None):
    """People who must start in the scheme by the share measured again; the plan's share marked."""
    rows = results.dropna(subset=["estimate"])
    x = 100 * rows["level"].astype(float)
    ax = ax or new_axes(height=3.4)
    ax.plot(x, rows["estimate"], color=SCHEME, linewidth=2.2, marker="o", markersize=4.5)
    if chosen is not None and (mine := rows[rows["level"].eq(f"{chosen:g}")]).size:
        ax.plot([100 * chosen], mine["estimate"], "D", color="#333333", markersize=9)
        ax.annotate(f"this plan: {count(mine['estimate'].iloc[0])}", (100 * chosen, mine["estimate"].iloc[0]), xytext=(8, 8), textcoords="offset points")
    ax.set(xlabel="measured again (%)", ylabel="people who must start\nin the scheme", ylim=(0, rows["estimate"].max() * 1.1))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: count(v)))
    return ax


def plot_false_success(results, ax=None):
    """Share of schemes that do nothing but look like a success, by people measured twice, with Monte Carlo intervals; the dashed line is what chance alone would do."""
    ax = ax or new_axes(height=3.6)
    x = results["level"].astype(float)
    arms = 100 * results[["conf_low", "conf_high"]].sub(results["estimate"], axis=0).abs().T.to_numpy()
    ax.errorbar(x, 100 * results["estimate"], yerr=arms, color=SCHEME, marker="o", linewidth=2, capsize=3)
    ax.axhline(2.5, color="#333333", linestyle="--", linewidth=1.1)
    ax.annotate("if people did not come at a bad time", (x.max(), 2.5), xytext=(0, 4), textcoords="offset points", ha="right", fontsize=9.5)
    ax.set(xscale="log", ylim=(0, 104), xlabel="people measured before and after", ylabel="schemes that do nothing,\nyet look like a success (%)")
    _plain_counts(ax, (25, 50, 100, 200, 400))
    return ax


def plot_effect_scale(results, ax=None):
    """The smallest effect found, the expected one and the one that matters, as points on one scale."""
    rows = results.dropna(subset=["estimate"])
    labels = [textwrap.fill(SCALE_WORDS[level], LABEL_WIDTH, break_long_words=False) for level in rows["level"]]
    ratio = rows["unit"].iloc[0] == "ratio of rates"
    ax = ax or new_axes(labels, height=2.4)
    for y, (level, value) in enumerate(zip(rows["level"], rows["estimate"])):
        ax.plot([1 if ratio else 0, value], [y, y], color="#B8C4D0", linewidth=2, zorder=1)
        ax.plot([value], [y], {"smallest_found": "o", "expected": "D", "matters": "s"}[level], color=SCHEME if level == "smallest_found" else "#333333", markersize=9)
        ax.annotate(f"{value:.2f}", (value, y), xytext=(9, 0) if not ratio else (-9, 0), textcoords="offset points", va="center", ha="right" if ratio else "left")
    ax.set(yticks=range(len(rows)), yticklabels=labels, ylim=(len(rows) - 0.5, -0.5), xlabel="ratio of rates" if ratio else "standard deviations")
    ax.set_xlim((min(rows["estimate"].min() - 0.12, 0.6), 1.02) if ratio else (0, rows["estimate"].max() * 1.25))
    return ax


def plot_worth(results, ax=None):
    """For each design what a study costs (square) and what its answer is worth (dot), joined: a line to the right is a gain."""
    designs = list(dict.fromkeys(results.loc[results["group"].eq("design"), "level"]))
    labels = _names(designs)
    ax = ax or new_axes(labels, height=3.9)
    at = results.set_index(["measure", "level"])["estimate"]
    for y, design in enumerate(designs):
        cost, value = at["cost_of_study", design] / THOUSAND, at["value_of_study", design] / THOUSAND
        ax.plot([cost, value], [y, y], color="#B8C4D0", linewidth=3, zorder=1)
        ax.plot([cost], [y], "s", color=COMPARISON, markeredgecolor="#333333", markersize=8, label="cost of the study" if not y else None)
        ax.plot([value], [y], "o", color=SCHEME, markersize=9, label="worth of its answer" if not y else None)
    whole = at["perfect_information", "all"] / THOUSAND
    ax.axvline(whole, color="#333333", linestyle="--", linewidth=1.1)
    ax.annotate(f"certainty:\n{pounds(whole * THOUSAND)}", (whole, 0), xytext=(-4, 0), textcoords="offset points", ha="right", va="center", fontsize=9.5)
    ax.set(yticks=range(len(designs)), yticklabels=labels, ylim=(len(designs) - 0.5, -0.6), xlabel="£ thousand", xlim=(0, None))
    ax.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.35, 1.0), ncols=1)
    ax.locator_params(axis="x", nbins=5)
    return ax
