"""Words from numbers: released result tables in, sentences out. Nothing is computed here but how a number is said."""

from sprx.wording.words import (
    SURE, NOT_SHOWN, NAMES, MEASURE_WORDS, STAGE_WORDS, Answer, number, count, percent, level_of, interval, one, listed,
    level_name, row_name, better_is, describe_axis, unknown_share, direction)
from sprx.wording.figures import alt_of_levels, alt_of_curve
from sprx.wording.data_quality import describe_rows, describe_problems, describe_completeness
from sprx.wording.when import describe_referrals, describe_wait
from sprx.wording.for_whom import describe_composition, describe_rates, describe_groups
from sprx.wording.how_well import describe_funnel, describe_change, caution, has_change, describe_unpaired

__all__ = [name for name in dir() if not name.startswith("_")]
