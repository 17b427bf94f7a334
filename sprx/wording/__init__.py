"""Words from numbers: released result tables in, sentences out. Nothing is computed here but how a number is said."""

from sprx.wording.words import (
    SURE, NOT_SHOWN, NAMES, ANALYSIS_WORDS, MEASURE_WORDS, STAGE_WORDS, Answer, number, count, percent, pounds, level_of, interval, one, listed,
    level_name, cost_name, kind_name, row_name, better_is, describe_axis, unknown_share, direction)
from sprx.wording.figures import alt_of_levels, alt_of_curve
from sprx.wording.data_quality import describe_rows, describe_problems, describe_completeness
from sprx.wording.when import (
    MONTHLY_NAMES, describe_referrals, chart_rows, charted, cause_of, describe_control, caption_of_control, alt_of_control, describe_wait, describe_stay, describe_comparison,
    describe_ratios, describe_first_events, alt_of_first_events, describe_gaps, describe_sessions, describe_calendar)
from sprx.wording.for_whom import (
    describe_composition, describe_rates, describe_groups, describe_table_one, describe_reached, describe_representation, describe_inequality,
    describe_standardised, describe_definitions, describe_coverage, describe_overlap, describe_needs, describe_answers, alt_of_stages,
    alt_of_inequality, alt_of_heat)
from sprx.wording.how_well import (
    describe_funnel, describe_change, caution, has_change, describe_unpaired, describe_leavers, describe_doses, describe_loads, describe_contacts, describe_too_recent)
from sprx.wording.outcomes import (
    DOMAIN_WORDS, describe_domain, describe_expected, expected_too, describe_scale, describe_profile, describe_timing, describe_unused, score_rows, change_rows,
    time_name, alt_of_scores)
from sprx.wording.missing import (
    belief_name, belief_rows, has_beliefs, matters_at, alt_of_beliefs, describe_beliefs, describe_who_is_lost, subgroup_rows, subgroup_name, has_subgroups,
    alt_of_subgroups, describe_subgroups, describe_dose)
from sprx.wording.verdict import EFFECT_FROM, IF_ALIKE, LEADS, SCORES, TAILS, USES, better_sign, log_limits, verdict, verdict_sentence, verdict_tail
from sprx.wording.impact import (
    named, score_result, score_verdict, describe_effect, describe_other_effect, describe_share_improved, describe_improved, analysis_rows, describe_analyses, alt_of_analyses,
    balance_rows, covariate_name, describe_balance, alt_of_balance, describe_likeness, describe_fragility, describe_time_zero, describe_no_comparison, trial_rows, describe_design)
from sprx.wording.cost import (
    absent, alt_of_costs, alt_of_drivers, describe_additional, describe_caseload, describe_drivers, describe_lines_given, describe_per_improved, describe_per_person, describe_published, describe_total,
    describe_unused_lines, driver_rows, pounds_interval, published_rows, share_of_budget, spell, spent_rows)
from sprx.wording.evidence import (
    BLOCKS, KINDS, OUTCOMES, SINGULAR, alt_of_directions, alt_of_forest, alt_of_funnel, chance, component_words, describe_added, describe_designs, describe_place, describe_pooled, describe_record,
    describe_robustness, describe_shrunken, of_kind, outcome_words, sets_in, studies_words)
from sprx.wording.provision import NO_SERVICES, absent_kinds, describe_listed, has_services, kinds_listed, named_kinds
from sprx.wording.use import (
    ratio, ratio_limits, describe_zeros, describe_use, use_verdict, service_name, describe_use_change, describe_use_before, describe_event_study, describe_other_uses, event_rows,
    alt_of_event_study, series_rows, alt_of_series, describe_series, describe_published_caution)
from sprx.wording.value import (
    SETTLED, VALUE_SETS, acceptability_rows, alt_of_acceptability, alt_of_plane, chances, chance_words, describe_at_stake, describe_break_even, describe_curve, describe_finding_out, describe_green_lesson,
    describe_horizon, describe_increments, describe_kinds, describe_net_benefit, describe_quadrants, describe_scenarios, describe_social, describe_value, describe_value_set, describe_verdict,
    describe_ways, describe_wellbys, money, not_valued, price_caution, price_terms, qalys, short_verdict, study_terms)

__all__ = [name for name in dir() if not name.startswith("_")]
