"""For whom: who was referred, beside the people who live there, the groups the evidence names as suitable, needs and activities."""

from sprx.metrics.for_whom.groups import group_coverage, group_overlap, referrals_in_no_group, suitable_group_shares
from sprx.metrics.for_whom.inequality import inequality, referral_rate_standardised
from sprx.metrics.for_whom.needs import activity_shares, need_by_activity, need_shares, needs_answered
from sprx.metrics.for_whom.people import averages, composition, share_of_older, stage_difference, table_one
from sprx.metrics.for_whom.reach import reached_by, referral_rate, representation_ratio

__all__ = ["activity_shares", "averages", "composition", "group_coverage", "group_overlap", "inequality", "need_by_activity", "need_shares",
           "needs_answered", "reached_by", "referral_rate", "referral_rate_standardised", "referrals_in_no_group", "representation_ratio",
           "share_of_older", "stage_difference", "suitable_group_shares", "table_one"]
