"""How well: how far people come, and how their scores change."""

from sprx.metrics.how_well.delivery import contact_shares, doses_against_plan, funnel, losses, uptake, worker_loads
from sprx.metrics.how_well.dose import change_by_contacts
from sprx.metrics.how_well.lost import change_if_lost, who_is_lost
from sprx.metrics.how_well.outcomes import (
    followed_up, lost_and_followed, outcome_results, too_recent, paired_change, scores_by_visit, share_improved, unpaired_change)
from sprx.metrics.how_well.profiles import domains_measured, out_of_time, profile_levels, scores_unused
from sprx.metrics.how_well.scores import (
    band_shares, difference_from_norm, expected_change, reliable_change_shares, score_distribution, standardised_change)
from sprx.metrics.how_well.subgroups import change_by_subgroup

__all__ = [name for name in dir() if not name.startswith("_")]
