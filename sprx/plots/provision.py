"""What exists locally: gaps by kind and area, and where the services are."""

import textwrap

import numpy as np
import pandas as pd

from sprx.plots.style import COLOURS, LABEL_WIDTH, new_axes
from sprx.wording import kind_name

MARKS = ("o", "s", "^", "D", "P")
KM_PER_DEGREE = 111.2


def plot_gap_areas(cells, ax=None):
    """A grid of kinds (rows) by areas (columns): the gap in percentage points in each cell, purple = a gap, orange = more listed than asked, * = not shown."""
    pairs = cells["level"].str.split(" | ", regex=False, expand=True)
    kinds, areas = list(dict.fromkeys(pairs[0])), sorted(dict.fromkeys(pairs[1]), key=lambda a: (a == "other areas", a))
    labels = [textwrap.fill(kind_name(kind), LABEL_WIDTH, break_long_words=False) for kind in kinds]
    ax = ax or new_axes(height=1.9 + 0.42 * len(kinds))
    values = cells.assign(kind=pairs[0], area=pairs[1]).set_index(["kind", "area"])["estimate"].unstack().reindex(index=kinds, columns=areas).to_numpy(float)
    most = max(np.nanmax(np.abs(values)) if np.isfinite(values).any() else 1.0, 1.0)
    known = set(zip(pairs[0], pairs[1]))
    ax.imshow(np.nan_to_num(values), cmap="PuOr", vmin=-1.3 * most, vmax=1.3 * most, aspect="auto")
    for y, kind in enumerate(kinds):
        for x, area in enumerate(areas):
            value = values[y, x]
            text = f"{value:+.1f}".replace("-", "−") if not np.isnan(value) else "*" if (kind, area) in known else ""
            ax.text(x, y, text, ha="center", va="center", fontsize=10, color="white" if abs(np.nan_to_num(value)) > 0.75 * most else "#222222")
    ax.set_yticks(range(len(kinds)), labels)
    ax.set_xticks(range(len(areas)), areas, rotation=45, ha="right", rotation_mode="anchor", fontsize=10)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def plot_services_map(places, ax=None):
    """Services at their places, one mark and colour per family of activity, with a bar of one or more kilometres; no streets, no people."""
    ax = ax or new_axes(height=5.4)
    small = len(places) > 150
    for (family, rows), mark, colour in zip(places.groupby("group"), MARKS, COLOURS):
        ax.plot(rows["lon"], rows["lat"], mark, color=colour, markersize=4 if small else 8, alpha=0.6 if small else 0.85, markeredgecolor="white", markeredgewidth=0.6, linestyle="none",
                label=f"{kind_name(family)} ({len(rows)})")
    middle = places["lat"].median()
    shrink = max(np.cos(np.radians(middle)), 0.05)
    ax.set_aspect(1 / shrink, adjustable="datalim")
    ax.margins(0.08)
    wide = (places["lon"].max() - places["lon"].min()) * KM_PER_DEGREE * shrink
    bar = float(next((k for k in (100, 50, 20, 10, 5, 2, 1, 0.5, 0.2) if k <= max(wide, 0.2) / 3), 0.2))
    west, south = places["lon"].min(), places["lat"].min()
    ax.plot([west, west + bar / KM_PER_DEGREE / shrink], [south - 0.04 * max(places["lat"].max() - south, 0.001)] * 2, color="#222222", linewidth=3, solid_capstyle="butt")
    ax.annotate(f"{bar:g} km", (west, south - 0.04 * max(places["lat"].max() - south, 0.001)), xytext=(0, -4), textcoords="offset points", va="top")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=1 if pd.Series(places["group"].unique()).map(kind_name).str.len().max() > 22 else 2, fontsize=10)
    return ax
