"""Choosing rows: which people, referrals and scores a question is about. Values are not changed here."""

from sprx.cohort.people import (
    DEFAULT_BANDS, ETHNIC_GROUPS, scheme_people, ethnic_group, age_bands, band_label, population_bands, population)
from sprx.cohort.referrals import (
    STAGES, STATUS_SAYS, COMPLETED_REASONS, all_referrals, scheme_referrals, referred_people, referrals_outside_period,
    followed_for, waits, stays, first_events, has_ended, stages)
from sprx.cohort.contacts import WATCHED_DAYS, contacts_made, contact_gaps, activities_of
from sprx.cohort.groups import DAYS_PER_MONTH, suitable_groups, group_definitions, eligible_residents
from sprx.cohort.scores import (
    scored_people, chosen_follow_ups, chosen_scores, instruments_used, follow_up_visits, scores_at_visits, norm_of, health_profiles,
    evidence_domain, instruments_by_domain, measured_in_domains, scores_out_of_time, scores_set_aside, ASSUMED_RELIABILITY, DOMAINS)
from sprx.cohort.due import due_for_follow_up, follow_up_window, not_yet_due
from sprx.cohort.delivery import STEPS, leavers, attended_contacts, doses, caseloads
from sprx.cohort.reach import people_stages, table_one_columns, deprivation_breakdown
from sprx.cohort.needs import needs_met, prescribed, NEED_ANSWERS
from sprx.cohort.lost import scores_and_covariates
from sprx.cohort.held import standard_columns, what_data_hold

__all__ = [name for name in dir() if not name.startswith("_")]
