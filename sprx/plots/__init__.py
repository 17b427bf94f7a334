"""Figures: draw a released result table on an `ax` and return the `ax`; compute nothing."""

from sprx.plots.style import SCHEME, COMPARISON, CONTEXT, LINES, COLOURS, WIDTH, LABEL_WIDTH, house_style, new_axes
from sprx.plots.estimates import plot_estimates, plot_bars, plot_months, plot_completeness
from sprx.plots.curves import plot_curve, plot_drop_out, plot_first_events
from sprx.plots.control import plot_control
from sprx.plots.change import plot_scores, plot_stacked, plot_quartiles
from sprx.plots.equity import plot_stages_by_group, plot_inequality, plot_overlap, plot_heat, plot_answers
from sprx.plots.missing import plot_beliefs, plot_subgroups
from sprx.plots.cost import plot_costs, plot_drivers
from sprx.plots.evidence import plot_forest, plot_funnel, plot_harvest
from sprx.plots.impact import plot_balance, plot_overlap_of_groups, plot_event_study, plot_series

__all__ = [name for name in dir() if not name.startswith("_")]
