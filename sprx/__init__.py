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
    "sprx.cohort": ["scheme_people", "referred_people", "referrals_outside_period", "scheme_referrals", "followed_for", "waits", "stages", "STAGES", "suitable_groups", "scored_people",
                    "instruments_used", "population", "follow_up_visits", "scores_at_visits", "standard_columns", "what_data_hold"],
    "sprx.metrics.data_quality": ["rows_accounted", "problems_found", "completeness", "completeness_by_month"],
    "sprx.metrics.when": ["referrals_per_month", "time_to_first_contact", "seen_within", "median_wait"],
    "sprx.metrics.for_whom": ["composition", "share_of_older", "referral_rate", "suitable_group_shares"],
    "sprx.metrics.how_well": ["funnel", "uptake", "paired_change", "unpaired_change", "share_improved", "followed_up", "outcome_results",
                              "scores_by_visit", "lost_and_followed"],
    "sprx.report": ["start_report"],
    "sprx.results": ["result_table", "stack_results", "rows_by_arm"],
    "sprx.wording": ["describe_rows", "describe_problems", "describe_completeness", "describe_referrals", "describe_wait",
                     "describe_composition", "describe_rates", "describe_groups", "describe_funnel", "describe_change", "describe_unpaired", "caution", "has_change",
                     "alt_of_levels", "alt_of_curve", "better_is", "describe_axis"],
    "sprx.answers": ["answer_data_quality", "answer_when", "answer_for_whom", "answer_how_well", "answer_later", "headline", "in_order", "next_steps", "NEEDS"],
    "sprx.plots": ["plot_estimates", "plot_bars", "plot_months", "plot_curve", "plot_completeness"],
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
__all__ = sorted(_HOME_OF)


def __getattr__(name):
    if name not in _HOME_OF:
        raise AttributeError(f"module 'sprx' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__():
    return [*globals(), *__all__]
