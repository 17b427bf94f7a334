"""Choosing rows: which people, referrals and scores a question is about. Values are not changed here."""

from sprx.cohort.people import (
    DEFAULT_BANDS, ETHNIC_GROUPS, scheme_people, ethnic_group, age_bands, band_label, population_bands, population)
from sprx.cohort.referrals import (
    STAGES, STATUS_SAYS, COMPLETED_REASONS, scheme_referrals, referred_people, referrals_outside_period, followed_for,
    waits, stages)
from sprx.cohort.groups import (
    DAYS_PER_MONTH, MILD_TO_MODERATE, MOST_DEPRIVED_DECILES, BEREAVED_MONTHS, OLDER_AGE, FREQUENT, suitable_groups)
from sprx.cohort.scores import scored_people, chosen_follow_ups, instruments_used, follow_up_visits, scores_at_visits
from sprx.cohort.held import standard_columns, what_data_hold

__all__ = [name for name in dir() if not name.startswith("_")]
