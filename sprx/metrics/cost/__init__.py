"""Cost: what the scheme cost, what that is for each person and contact, and what the figure rests on."""

from sprx.metrics.cost.drivers import cost_drivers, published_costs
from sprx.metrics.cost.each import cost_per_additional_improved, cost_per_contact, cost_per_person, cost_per_person_improved, worker_years
from sprx.metrics.cost.lines import lines_given, scheme_costs

__all__ = [name for name in dir() if not name.startswith("_")]
