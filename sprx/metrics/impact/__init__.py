"""What difference does the scheme make? Metrics of notebook 04."""

from sprx.metrics.impact.design import DESIGN_MEASURES, design_level, people_compared, time_zero
from sprx.metrics.impact.scores import Plan, effect, prepare
from sprx.metrics.impact.fragility import balance, comparison_weights, fragility, overlap

__all__ = [name for name in dir() if not name.startswith("_")]
