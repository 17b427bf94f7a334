"""sprx: transparent evaluation of social prescribing schemes.

One way in (`load_scheme`, then `clean_scheme`), one result table, one way out (`start_report`). Names are loaded when they
are first used, so that `import sprx` stays quick.
"""

from importlib import import_module

__version__ = "0.1.0"

# where each name lives: one line per room, its names in order
_HOMES = {home: names.split() for home, names in {
    "sprx.errors": "DataError SchemeError",
    "sprx.lesson_data": "lesson_results one_page_gap",
    "sprx.load": "Scheme load_scheme",
    "sprx.clean": "clean_scheme",
    "sprx.cohort": (
        "STAGES deprivation_breakdown eligible_residents follow_up_visits followed_for group_definitions instruments_used needs_met people_stages population "
        "prescribed referrals_outside_period referred_people scheme_people scheme_referrals scored_people scores_at_visits stages standard_columns "
        "suitable_groups table_one_columns waits what_data_hold"),
    "sprx.cohort.compared": "compared_people impact_designs known_people primary_instrument primary_is_use primary_service time_zero_checks",
    "sprx.cohort.contacts": "activities_of contact_gaps contacts_made",
    "sprx.cohort.costs": "contacts_in_period cost_lines cost_terms",
    "sprx.cohort.delivery": "STEPS attended_contacts caseloads doses leavers",
    "sprx.cohort.due": "due_for_follow_up not_yet_due",
    "sprx.clean_outcomes": "other_value_sets with_value_set",
    "sprx.cohort.economics": "asked_horizon economic_people people_sharing_cost utility_instruments",
    "sprx.cohort.lost": "scores_and_covariates",
    "sprx.cohort.provision": (
        "all_kinds community_groups directory_notes distances fitting_kinds joined_areas local_services months_covered needs_by_area prescriptions service_places services_by_kind "
        "why_no_services"),
    "sprx.cohort.referrals": "all_referrals first_events has_ended stays",
    "sprx.cohort.openness": "answer_rests_on coproduction_answers standard_groups_filled what_is_measured what_is_said",
    "sprx.cohort.scores": "DOMAINS health_profiles instruments_by_domain measured_in_domains norm_of scores_out_of_time scores_set_aside",
    "sprx.cohort.use": "contaminated service_months services_used use_problem zeros_are_held",
    "sprx.prices": "last_outturn_year",
    "sprx.evidence.subject": "checked_base read_review",
    "sprx.evidence": "check_base effects_with_studies evidence_record read_base with_record with_std_errors",
    "sprx.stats.effect_sizes": (
        "change_by_change_sd change_by_first_sd change_from_t fisher_z from_interval g_from_t hedges_g log_mean_ratio log_odds log_odds_ratio log_rate_ratio log_risk_ratio mean_change "
        "mean_difference risk_difference"),
    "sprx.stats.mantel_haenszel": "mantel_haenszel",
    "sprx.stats.nested": "cluster_robust three_level",
    "sprx.stats.synthesis": "egger leave_one_out shrunken synthesise synthesise_by trim_and_fill",
    "sprx.teaching": "check_answer",
    "sprx.results": "result_table rows_by_arm stack_results",
    "sprx.disclosure": "release",
    "sprx.metrics.cost_effectiveness": "EconomicPlan cost_effectiveness means_by_arm service_prices value_people",
    "sprx.metrics.cost_effectiveness.decision": "decision effect_and_cost joint_draws plane scenarios uncertain_draws value_of_finding_out",
    "sprx.metrics.cost_effectiveness.threshold": "break_even change_valued kinds_of_value social_return wellbys",
    "sprx.metrics.cost": (
        "cost_drivers cost_per_additional_improved cost_per_contact cost_per_person cost_per_person_improved lines_given published_costs scheme_costs worker_years"),
    "sprx.metrics.evidence.comparable": "comparable_effects pool why_not_pooled",
    "sprx.metrics.evidence.pooling": "against_evidence effect_directions effects_of_studies forest_rows other_averages pooled_effects robustness",
    "sprx.metrics.evidence.review": "asked_in_2015 base_counts before_and_since bias_judgements economic_figures result_directions results_of_evaluations study_flow with_rows",
    "sprx.metrics.evidence.review_change": "what_would_change",
    "sprx.metrics.evidence.review_gaps": "evidence_gaps population_groups",
    "sprx.metrics.evidence.review_grade": "GRADE_RULES certainty published_certainty",
    "sprx.metrics.data_quality": "completeness completeness_by_month problems_found rows_accounted",
    "sprx.metrics.for_whom": (
        "activity_shares averages composition group_coverage group_overlap inequality need_by_activity need_shares needs_answered reached_by referral_rate "
        "referral_rate_standardised referrals_in_no_group representation_ratio share_of_older stage_difference suitable_group_shares table_one"),
    "sprx.metrics.how_well": "followed_up funnel lost_and_followed outcome_results paired_change scores_by_visit share_improved too_recent unpaired_change uptake",
    "sprx.metrics.how_well.delivery": "contact_shares doses_against_plan losses worker_loads",
    "sprx.metrics.how_well.dose": "change_by_contacts",
    "sprx.metrics.how_well.lost": "change_if_lost who_is_lost",
    "sprx.metrics.how_well.profiles": "domains_measured out_of_time profile_levels scores_unused",
    "sprx.metrics.how_well.scores": "band_shares difference_from_norm expected_change reliable_change_shares score_distribution standardised_change",
    "sprx.metrics.how_well.subgroups": "change_by_subgroup",
    "sprx.metrics.planning": "false_successes people_by_design people_by_follow_up played_through power_by_people smallest_against",
    "sprx.metrics.planning.worth": "value_of_designs",
    "sprx.metrics.impact": "Plan balance comparison_weights design_level effect fragility overlap people_compared time_zero",
    "sprx.metrics.impact.use": "use_change use_effect use_rates",
    "sprx.metrics.impact.use_months": "calendar_series use_event_study use_series",
    "sprx.metrics.transparency": "bias_domains cheapest_to_record coproduction framework_links rap_levels self_appraisal standard_groups steps_to_gain strength",
    "sprx.metrics.provision": (
        "community_changes demand_shares distance_to_nearest gap_index need_demand offered_nearby places_of_services places_used prescriptions_by_month referrals_sent "
        "sent_to_known_places services_alike services_by_type services_for_needs services_in_cells services_overlap services_that_say"),
    "sprx.metrics.when": (
        "activity_per_month compare_waits contacts_per_person control_charts first_event_curve first_event_within mean_wait median_wait referrals_per_month "
        "seasons seen_within sessions_used time_between_contacts time_to_closure time_to_first_contact wait_ratios weekdays"),
    "sprx.answers": "answer_cost answer_data_quality answer_for_whom answer_how_well answer_cost_effectiveness answer_evidence answer_impact answer_provision answer_transparency answer_when headline in_order next_steps",
    "sprx.wording": (
        "alt_of_curve alt_of_heat alt_of_inequality alt_of_levels alt_of_stages better_is caution describe_answers describe_axis describe_change "
        "describe_completeness describe_composition describe_coverage describe_definitions describe_funnel describe_groups describe_inequality describe_needs "
        "describe_overlap describe_problems describe_rates describe_reached describe_referrals describe_representation describe_rows describe_standardised "
        "describe_table_one describe_unpaired describe_wait has_change"),
    "sprx.wording.cost": (
        "absent alt_of_costs alt_of_drivers describe_additional describe_caseload describe_drivers describe_lines_given describe_per_improved describe_per_person "
        "describe_published describe_total driver_rows published_rows spent_rows"),
    "sprx.wording.evidence": (
        "alt_of_directions alt_of_forest alt_of_funnel caption_of_forest component_words describe_added describe_designs describe_place describe_pooled describe_record describe_robustness "
        "describe_shrunken funnel_rows sets_in"),
    "sprx.wording.how_well": "describe_contacts describe_doses describe_leavers describe_loads describe_too_recent",
    "sprx.wording.impact": (
        "alt_of_analyses alt_of_balance analysis_rows balance_rows describe_analyses describe_balance describe_design describe_effect describe_fragility "
        "describe_improved describe_likeness describe_no_comparison describe_other_effect describe_share_improved describe_time_zero trial_rows"),
    "sprx.wording.missing": (
        "alt_of_beliefs alt_of_subgroups belief_rows describe_beliefs describe_dose describe_subgroups describe_who_is_lost has_beliefs has_subgroups "
        "matters_at subgroup_rows"),
    "sprx.wording.outcomes": "alt_of_scores change_rows describe_domain describe_expected describe_profile describe_scale describe_timing describe_unused score_rows",
    "sprx.wording.planning": (
        "alt_of_false_success alt_of_follow_up alt_of_needed alt_of_power alt_of_scale alt_of_worth answer_plan choice_words describe_false_success describe_follow_up describe_people_needed "
        "describe_played describe_smallest describe_worth design_words question_words worth_words"),
    "sprx.wording.protocol": "protocol record_words",
    "sprx.wording.provision": (
        "NO_SERVICES alike_lines alt_of_gap alt_of_gap_areas alt_of_services_map area_rows describe_alike describe_community describe_distance describe_entries describe_gap "
        "describe_gap_areas describe_listed describe_needs_served describe_offered_nearby describe_overlap_of_services describe_places_used gap_rows group_lines kind_rows note_lines used_rows"),
    "sprx.wording.review": (
        "alt_of_bias alt_of_designs alt_of_flow answer_review asked_words averaged_outcomes describe_additions describe_risk_of_bias describe_designs_over_time describe_directions describe_flow "
        "describe_new_designs describe_periods describe_reading domain_words known_words"),
    "sprx.wording.review_findings": (
        "alt_of_gaps change_words describe_certainty describe_economics describe_empty_cells describe_one_trial describe_two_returns finding_lines group_rule_words"),
    "sprx.wording.transparency": (
        "NO_COPRODUCTION TOOL_WORDS alt_of_checks alt_of_standard bias_lines check_lines coproduction_lines describe_bias describe_checks describe_coproduction describe_frameworks describe_rap describe_standard "
        "describe_steps describe_strength framework_lines level_lines rap_lines standard_lines step_lines step_sentences"),
    "sprx.wording.use": (
        "alt_of_event_study alt_of_series describe_event_study describe_other_uses describe_published_caution describe_series describe_use describe_use_before "
        "describe_use_change describe_zeros event_rows series_rows service_name"),
    "sprx.wording.value": (
        "acceptability_rows alt_of_acceptability alt_of_plane describe_at_stake describe_break_even describe_curve describe_finding_out describe_green_lesson describe_horizon "
        "describe_kinds describe_net_benefit describe_quadrants describe_scenarios describe_social describe_value_set describe_ways describe_wellbys not_valued price_terms study_terms"),
    "sprx.wording.when": (
        "alt_of_control alt_of_first_events caption_of_control chart_rows charted curve_rows describe_calendar describe_comparison describe_contacts_had describe_control "
        "describe_first_events describe_gaps describe_ratios describe_sessions describe_stay ratio_rows"),
    "sprx.plots": "plot_answers plot_bars plot_completeness plot_curve plot_estimates plot_heat plot_inequality plot_months plot_overlap plot_stages_by_group",
    "sprx.plots.change": "plot_scores",
    "sprx.plots.control": "plot_control",
    "sprx.plots.cost": "plot_costs plot_drivers",
    "sprx.plots.curves": "plot_drop_out plot_first_events",
    "sprx.plots.evidence": "plot_forest plot_funnel plot_harvest",
    "sprx.plots.impact": "plot_balance plot_event_study plot_overlap_of_groups plot_series",
    "sprx.plots.missing": "plot_beliefs plot_subgroups",
    "sprx.planning": "plan_evaluation",
    "sprx.planning_report": "start_plan",
    "sprx.plots.planning": "plot_effect_scale plot_false_success plot_follow_up plot_needed plot_power plot_worth",
    "sprx.plots.provision": "plot_gap_areas plot_services_map",
    "sprx.plots.review": "plot_bias plot_designs plot_flow plot_gaps",
    "sprx.plots.transparency": "plot_checks plot_standard",
    "sprx.plots.value": "plot_acceptability plot_plane",
    "sprx.report": "start_report",
    "sprx.review": "start_review",
}.items()}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
__all__ = sorted(_HOME_OF)


def __getattr__(name):
    if name not in _HOME_OF:
        raise AttributeError(f"module 'sprx' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__():
    return [*globals(), *__all__]
