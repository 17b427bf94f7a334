"""How open and how strong the evaluation is: checks, bias, strength and next steps, the information standard and co-production."""

from sprx.metrics.transparency.bias import bias_domains
from sprx.metrics.transparency.checks import self_appraisal
from sprx.metrics.transparency.standard import coproduction, framework_links, rap_levels, standard_groups
from sprx.metrics.transparency.strength import cheapest_to_record, steps_to_gain, strength

__all__ = ["bias_domains", "cheapest_to_record", "coproduction", "framework_links", "rap_levels", "self_appraisal", "standard_groups", "steps_to_gain", "strength"]
