"""For whom: who was referred, beside the people who live there, and the groups the evidence names as suitable."""

from sprx.metrics.for_whom.groups import suitable_group_shares
from sprx.metrics.for_whom.people import composition, share_of_older
from sprx.metrics.for_whom.reach import referral_rate

__all__ = ["composition", "referral_rate", "share_of_older", "suitable_group_shares"]
