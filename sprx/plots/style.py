"""The house's fonts, sizes, colours and labels."""

import textwrap
from contextlib import contextmanager
from functools import cache

import matplotlib.pyplot as plt
import pandas as pd

from sprx.wording import count, row_name

SCHEME, COMPARISON, CONTEXT = "#005EB8", "#E69F00", "#6E6E6E"
LINES = ["-", "--", ":", "-."]
COLOURS = [SCHEME, "#333333", "#B35900", "#6A3D9A", "#00795C"]     # Okabe-Ito-like hues that differ in lightness too
WIDTH = 5.0         # inches: at 360 px the letters are as large as they are here
LABEL_WIDTH = 24    # letters, beside an axis
AXIS_WIDTH = 32     # letters, under an axis


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


def row_labels(results, with_n):
    """What each row is called, on lines short enough for a phone."""
    said = []
    for row in results.itertuples():
        more = " (not shown)" if row.suppressed else " (not known)" if pd.isna(row.estimate) else f" (n={count(row.n)})"
        said.append(textwrap.fill(row_name(row, results) + (more if with_n else ""), LABEL_WIDTH, break_long_words=False))
    return said


def name_spells(ax, at, levels, most=10):
    """Months or quarters under an axis: 'Apr 2024', not more than `most` of them."""
    step = max(1, -(-len(at) // most))
    names = [level if "Q" in level else pd.Period(level, "M").strftime("%b %Y") for level in levels.iloc[::step]]
    ax.set_xticks(at[::step], names, rotation=45, ha="right", rotation_mode="anchor")


def axis_name(results):
    """The measure and its unit."""
    unit = results["unit"].iloc[0]
    name = results["measure"].iloc[0].replace("_", " ")
    return f"{name} (%)" if unit == "proportion" else f"{name} ({unit})"


def percent_axis(ax, results):
    """A share's axis starts at 0, and ends at 100 unless every share is far from it."""
    high = 100 * max(results["conf_high"].max(), results["estimate"].max()) if results["estimate"].notna().any() else 100
    ax.set_xlim(0, 100 if not high < 55 else 10 * (high // 10 + 1))
