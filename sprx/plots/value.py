"""Costs and effects: the plane of joint draws, and probabilities along a scale of thresholds."""

import numpy as np

from sprx.plots.style import CONTEXT, LINES, SCHEME, new_axes

CURVES = {"acceptability": ("as answered", SCHEME), "acceptability_unsure": ("prices unsure as well", "#B35900"), "acceptability_frontier": ("whichever is better on average", "#333333")}


def plot_plane(draws, ax=None, threshold=None):
    """Joint draws of the differences in effect (across) and cost (up); below the dashed line the scheme is worth its cost."""
    ax = ax or new_axes(height=4.2)
    ax.plot(draws["effect"], draws["cost"], ".", color=SCHEME, markersize=3.5, alpha=0.35, markeredgewidth=0)
    ax.plot(draws["effect"].mean(), draws["cost"].mean(), "D", color="#333333", markersize=7)
    ax.axhline(0, color=CONTEXT, linewidth=1.2)
    ax.axvline(0, color=CONTEXT, linewidth=1.2)
    sides = [_widened(draws[name]) for name in ("effect", "cost")]
    if threshold is not None:
        across = np.array(sides[0])
        ax.plot(across, threshold * across, "--", color="#333333", linewidth=1.4)
        end = min(sides[0][1], sides[1][1] / threshold)
        ax.annotate(f"£{threshold:,.0f} a QALY", (end, threshold * end), xytext=(-4, -16), textcoords="offset points", ha="right", va="top", color="#333333",
                    bbox=dict(facecolor="white", edgecolor="none", alpha=0.8, pad=1))
    ax.set(xlim=sides[0], ylim=sides[1], xlabel="difference in QALYs a person", ylabel="difference in cost,\n£ a person")
    for text, x, y, ha, va in (("dearer, less effect", 0.01, 0.98, "left", "top"), ("dearer, more effect", 0.99, 0.98, "right", "top")):
        ax.annotate(text, (x, y), xycoords="axes fraction", ha=ha, va=va, color="#444444", fontsize=9.5, bbox=dict(facecolor="white", edgecolor="none", alpha=0.8, pad=1))
    ax.locator_params(axis="x", nbins=5)
    return ax


def _widened(values):
    """Limits that hold every draw and nothing."""
    low, high = min(values.min(), 0.0), max(values.max(), 0.0)
    edge = 0.08 * (high - low) or 1.0
    return low - edge, high + edge


def plot_acceptability(results, ax=None, thresholds=()):
    """Probability of being worth its cost along a scale of thresholds; dotted lines at those in use."""
    ax = ax or new_axes(height=3.6)
    for line, (measure, (label, colour)) in zip(LINES, CURVES.items()):
        rows = results[results["measure"] == measure].assign(at=lambda t: t["level"].astype(float)).sort_values("at")
        if len(rows):
            ax.plot(rows["at"] / 1000, 100 * rows["estimate"], line, color=colour, linewidth=2, label=label)
    for at in thresholds:
        ax.axvline(at / 1000, color=CONTEXT, linestyle=":", linewidth=1.2)
    ax.set(ylim=(0, 102), xlim=(0, None), ylabel="probability (%)", xlabel="what a QALY may cost\n(£ thousand)")
    ax.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.45, 1.0), ncols=1)
    return ax
