"""When: referrals over time, the wait from referral to first contact, and how long people stay."""

from sprx.metrics.when.months import referrals_per_month
from sprx.metrics.when.waits import median_wait, seen_within, time_to_first_contact

__all__ = ["median_wait", "referrals_per_month", "seen_within", "time_to_first_contact"]
