"""Figures: draw a released result table on an `ax` and return the `ax`; compute nothing."""

from sprx.plots.style import SCHEME, COMPARISON, CONTEXT, LINES, COLOURS, WIDTH, LABEL_WIDTH, house_style, new_axes
from sprx.plots.estimates import plot_estimates, plot_bars, plot_months, plot_completeness
from sprx.plots.curves import plot_curve

__all__ = [name for name in dir() if not name.startswith("_")]
