"""sprx: transparent evaluation of social prescribing schemes.

One way in (`load_scheme`, then `clean_scheme`), one result table, one way out (`start_report`). Names are loaded when they
are first used, so that `import sprx` stays quick.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOMES = {
    "sprx.errors": ["DataError", "SchemeError"],
    "sprx.load": ["load_scheme", "Scheme"],
    "sprx.clean": ["clean_scheme"],
    "sprx.cohort": ["scheme_people", "referred_people", "referrals_outside_period", "scheme_referrals", "followed_for", "waits", "stages", "STAGES", "suitable_groups", "group_definitions", "eligible_residents", "people_stages", "table_one_columns", "deprivation_breakdown",
                    "needs_met", "prescribed", "scored_people",
                    "instruments_used", "population", "follow_up_visits", "scores_at_visits", "standard_columns", "what_data_hold"],
    "sprx.cohort.lost": ["scores_and_covariates"],
    "sprx.cohort.due": ["due_for_follow_up", "not_yet_due"],
    "sprx.metrics.how_well.lost": ["change_if_lost", "who_is_lost"],
    "sprx.metrics.how_well.subgroups": ["change_by_subgroup"],
    "sprx.metrics.how_well.dose": ["change_by_contacts"],
    "sprx.wording.missing": ["belief_rows", "has_beliefs", "matters_at", "alt_of_beliefs", "describe_beliefs", "describe_who_is_lost", "subgroup_rows", "has_subgroups",
                             "alt_of_subgroups", "describe_subgroups", "describe_dose"],
    "sprx.plots.missing": ["plot_beliefs", "plot_subgroups"],
    "sprx.cohort.compared": ["compared_people", "known_people", "impact_designs", "primary_instrument", "primary_service", "primary_is_use", "time_zero_checks"],
    "sprx.cohort.use": ["service_months", "services_used", "use_problem", "zeros_are_held", "contaminated"],
    "sprx.metrics.impact": ["Plan", "effect", "balance", "comparison_weights", "overlap", "fragility", "design_level", "people_compared", "time_zero"],
    "sprx.metrics.impact.use": ["use_rates", "use_change", "use_effect"],
    "sprx.metrics.impact.use_months": ["use_event_study", "use_series", "calendar_series"],
    "sprx.wording.impact": ["describe_effect", "describe_other_effect", "describe_improved", "analysis_rows", "describe_analyses", "alt_of_analyses", "balance_rows", "describe_balance", "alt_of_balance",
                            "describe_likeness", "describe_fragility", "describe_time_zero", "describe_use", "service_name", "describe_use_change", "describe_use_before", "describe_event_study",
                            "describe_other_uses", "event_rows", "alt_of_event_study", "series_rows", "alt_of_series", "describe_series", "describe_published_caution",
                            "describe_no_comparison", "trial_rows", "describe_design"],
    "sprx.plots.impact": ["plot_balance", "plot_overlap_of_groups", "plot_event_study", "plot_series"],
    "sprx.metrics.data_quality": ["rows_accounted", "problems_found", "completeness", "completeness_by_month"],
    "sprx.cohort.referrals": ["all_referrals", "stays", "first_events", "has_ended"],
    "sprx.cohort.contacts": ["contacts_made", "contact_gaps", "activities_of"],
    "sprx.metrics.when": ["referrals_per_month", "activity_per_month", "control_charts", "time_to_first_contact", "time_to_closure", "seen_within", "median_wait",
                          "mean_wait", "compare_waits", "wait_ratios", "first_event_curve", "first_event_within", "contacts_per_person",
                          "time_between_contacts", "sessions_used", "weekdays", "seasons"],
    "sprx.wording.when": ["chart_rows", "charted", "describe_control", "alt_of_control", "describe_stay", "describe_comparison", "curve_rows", "ratio_rows", "describe_ratios",
                          "describe_first_events", "alt_of_first_events", "describe_contacts_had", "describe_gaps", "describe_sessions", "describe_calendar"],
    "sprx.plots.curves": ["plot_first_events", "plot_drop_out"],
    "sprx.plots.control": ["plot_control"],
    "sprx.disclosure": ["release"],
    "sprx.metrics.for_whom": ["composition", "averages", "stage_difference", "table_one", "share_of_older", "referral_rate", "referral_rate_standardised",
                              "inequality", "representation_ratio", "reached_by", "suitable_group_shares", "group_coverage", "group_overlap",
                              "referrals_in_no_group", "need_shares", "activity_shares", "need_by_activity", "needs_answered"],
    "sprx.metrics.how_well": ["too_recent", "funnel", "uptake", "paired_change", "unpaired_change", "share_improved", "followed_up", "outcome_results",
                              "scores_by_visit", "lost_and_followed"],
    "sprx.cohort.delivery": ["STEPS", "leavers", "attended_contacts", "doses", "caseloads"],
    "sprx.cohort.scores": ["DOMAINS", "norm_of", "health_profiles", "instruments_by_domain", "measured_in_domains", "scores_out_of_time", "scores_set_aside"],
    "sprx.metrics.how_well.delivery": ["losses", "doses_against_plan", "contact_shares", "worker_loads"],
    "sprx.metrics.how_well.scores": ["score_distribution", "band_shares", "standardised_change", "reliable_change_shares", "difference_from_norm", "expected_change"],
    "sprx.metrics.how_well.profiles": ["profile_levels", "domains_measured", "out_of_time", "scores_unused"],
    "sprx.wording.how_well": ["describe_leavers", "describe_doses", "describe_loads", "describe_contacts", "describe_too_recent"],
    "sprx.wording.outcomes": ["describe_domain", "describe_expected", "describe_scale", "describe_profile", "describe_timing", "describe_unused", "score_rows", "change_rows", "alt_of_scores"],
    "sprx.plots.change": ["plot_scores"],
    "sprx.report": ["start_report"],
    "sprx.results": ["result_table", "stack_results", "rows_by_arm"],
    "sprx.wording": ["describe_rows", "describe_problems", "describe_completeness", "describe_referrals", "describe_wait",
                     "describe_composition", "describe_rates", "describe_groups", "describe_table_one", "describe_reached", "describe_representation",
                     "describe_inequality", "describe_standardised", "describe_definitions", "describe_coverage", "describe_overlap", "describe_needs",
                     "describe_answers", "alt_of_stages", "alt_of_inequality", "alt_of_heat", "describe_funnel", "describe_change", "describe_unpaired", "caution", "has_change",
                     "alt_of_levels", "alt_of_curve", "better_is", "describe_axis"],
    "sprx.answers": ["answer_data_quality", "answer_when", "answer_for_whom", "answer_how_well", "answer_impact", "answer_later", "headline", "in_order", "next_steps", "NEEDS"],
    "sprx.plots": ["plot_estimates", "plot_bars", "plot_months", "plot_curve", "plot_completeness", "plot_stages_by_group", "plot_inequality", "plot_overlap", "plot_heat", "plot_answers"],
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
__all__ = sorted(_HOME_OF)


def __getattr__(name):
    if name not in _HOME_OF:
        raise AttributeError(f"module 'sprx' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__():
    return [*globals(), *__all__]
