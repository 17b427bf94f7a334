"""How well: how far people come, and how their scores change."""

from sprx.metrics.how_well.delivery import funnel, uptake
from sprx.metrics.how_well.outcomes import (
    followed_up, lost_and_followed, outcome_results, paired_change, scores_by_visit, share_improved, unpaired_change)

__all__ = ["followed_up", "funnel", "lost_and_followed", "outcome_results", "paired_change", "scores_by_visit", "share_improved", "unpaired_change", "uptake"]
