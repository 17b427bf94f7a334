"""When: referrals over time, the wait from referral to first contact, and how long people stay."""

from sprx.metrics.when.differences import compare_waits, wait_ratios
from sprx.metrics.when.ends import first_event_curve, first_event_within
from sprx.metrics.when.months import activity_per_month, control_charts, referrals_per_month
from sprx.metrics.when.retention import contacts_per_person, seasons, sessions_used, time_between_contacts, weekdays
from sprx.metrics.when.waits import mean_wait, median_wait, seen_within, time_to_closure, time_to_first_contact

__all__ = ["activity_per_month", "compare_waits", "contacts_per_person", "control_charts", "first_event_curve", "first_event_within", "mean_wait",
           "median_wait", "referrals_per_month", "seasons", "seen_within", "sessions_used", "time_between_contacts", "time_to_closure",
           "time_to_first_contact", "wait_ratios", "weekdays"]
