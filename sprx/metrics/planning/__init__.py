"""What a plan lets one expect: people needed, power, smallest effects, false successes, what loss does."""

import math

import numpy as np

from sprx.reference import facts
from sprx.results import result_table
from sprx.stats import power_simulated as played
from sprx.stats.power import people_needed, smallest_effect

SHARES = (0.3, 0.4, 0.5, 0.6, 0.65, 0.7, 0.8, 0.9, 1.0)
SIZES = (25, 50, 100, 200, 400)
CURVE = np.unique(np.geomspace(20, 2000, 40).round().astype(int))
TRIALS, FEWEST_TRIALS = 2000, 200
PEOPLE_DRAWN = 40_000_000       # in all studies together: keeps a huge plan to seconds
NO_NUMBER = "no number of people would do"


def design_names():
    """Each design in plain words."""
    return dict(zip(facts("planning_designs")["design"], facts("planning_designs")["name"]))


def _unit(plan):
    return "ratio of rates" if plan.is_use else "standard deviations, above 0 is better"


def people_by_design(plan):
    """People needed in the scheme, and in all, for each design, and what the people planned could find with it.

    Returns
    -------
    DataFrame
        Result layout, group design: people_needed (in the scheme, before loss; missing where no number would do), people_in_all, places_needed, power_of_plan, smallest_effect_of_plan.
    """
    rows = []
    for design, study in plan.studies.items():
        needed = people_needed(study)
        there = math.isfinite(needed)
        about = dict(group="design", level=design, method=f"power {study.wanted:g}, {100 * study.conf_level:g}% limits, {100 * study.follow_up:g}% measured again")
        rows += [dict(about, measure="people_needed", estimate=needed if there else np.nan, unit="people", note="" if there else NO_NUMBER),
                 dict(about, measure="people_in_all", estimate=needed * (1 + (0 if design == "before_after" else study.ratio)) if there else np.nan, unit="people", note="" if there else NO_NUMBER),
                 dict(about, measure="power_of_plan", estimate=study.power(plan.people), unit="proportion", note=f"{plan.people} people in the scheme"),
                 dict(about, measure="smallest_effect_of_plan", estimate=smallest_effect(study, plan.people), unit=_unit(plan), note=f"{plan.people} people in the scheme")]
        if design == "cluster_randomised" and there:
            rows.append(dict(about, measure="places_needed", estimate=needed / study.cluster_size * (1 + study.ratio), unit="places", note=f"{study.cluster_size:g} people in each"))
    return result_table(rows)


def power_by_people(plan):
    """The chance to find the effect, by people in the scheme and design.

    Returns
    -------
    DataFrame
        Result layout: power_by_people, group design, level people; estimate a share.
    """
    return result_table([dict(measure="power_by_people", group=design, level=str(n), estimate=study.power(float(n)), unit="proportion", method="formula")
                         for design, study in plan.studies.items() for n in CURVE])


def people_by_follow_up(plan):
    """People to start with, and the chance to find the effect with those planned, by the share measured again (chosen design).

    Returns
    -------
    DataFrame
        Result layout, group follow_up: people_needed_if, power_if; and bias_if, the error of the answer in SDs where those lost fare worse by the plan's `lost_apart` (in one arm only, or with no comparison).
    """
    from dataclasses import replace

    rows = []
    for share in sorted({*SHARES, plan.follow_up}):
        study = replace(plan.study, follow_up=share)
        needed = people_needed(study)
        about = dict(group="follow_up", level=f"{share:g}", method=plan.design)
        rows += [dict(about, measure="people_needed_if", estimate=needed if math.isfinite(needed) else np.nan, unit="people", note="" if math.isfinite(needed) else NO_NUMBER),
                 dict(about, measure="power_if", estimate=study.power(plan.people), unit="proportion")]
        if not plan.is_use:
            rows.append(dict(about, measure="bias_if", estimate=played.loss_bias(1.0, share, plan.lost_apart), unit="standard deviations", note=f"those lost fare {plan.lost_apart:g} SDs worse"))
    return result_table(rows)


def smallest_against(plan):
    """The smallest effect the plan can find beside what is expected and what matters, in SDs (or ratios).

    Returns
    -------
    DataFrame
        Result layout, measure effect_scale: levels smallest_found, expected, matters (smallest important difference over the SD; missing where none is known).
    """
    rows = [dict(level="smallest_found", estimate=smallest_effect(plan.study, plan.people), method=f"{plan.design}, {plan.people} people"), dict(level="expected", estimate=plan.effect, method=plan.effect_source)]
    if not plan.is_use:
        known = plan.mid is not None and plan.sd is not None
        rows.append(dict(level="matters", estimate=plan.mid / plan.sd if known else np.nan, method="smallest important difference", note=f"{plan.mid:g} points; {plan.mid_source}" if known else "not known of this measure"))
    return result_table([dict(r, measure="effect_scale", group="what", unit=_unit(plan)) for r in rows])


def _trials(trials, people):
    """Fewer studies where each has very many people."""
    return int(min(trials, max(FEWEST_TRIALS, PEOPLE_DRAWN // people)))


def played_through(plan, trials=TRIALS, progress=None):
    """The plan as chosen, played through: how often the effect is found if it is as expected, and how often it is 'found' if there is none.

    Returns
    -------
    DataFrame
        Result layout, measure simulated_power: levels as_expected and nothing; limits: Monte Carlo (Clopper and Pearson).
    """
    rows, trials = [], _trials(trials, plan.people)
    none = 1.0 if plan.is_use else 0.0
    for level, study in (("as_expected", plan.study), ("nothing", plan.study.with_effect(none))):
        found = played.simulated_power(study, plan.people, trials, plan.seed, progress)
        rows.append(dict(measure="simulated_power", group="truth", level=level, estimate=found.share, conf_low=found.low, conf_high=found.high, conf_level=0.95, unit="proportion",
                         method=f"{trials:,} studies drawn, seed {plan.seed}; formula {study.power(plan.people):.3f}"))
    return result_table(rows)


def false_successes(plan, trials=TRIALS):
    """How often a scheme that does nothing would be called a success by a before-and-after test, by people measured twice.

    Returns
    -------
    DataFrame
        Result layout: false_success (group people), limits Monte Carlo; natural_change (SDs; limits: the range of the reliability).
        No row where people do not start below others, or the outcome is use of services.
    """
    if plan.is_use or not plan.starts_below:
        return result_table([])
    best, low, high = plan.natural
    trials = _trials(trials, plan.people)
    method = f"{trials:,} studies drawn, seed {plan.seed}"
    rows = [dict(measure="natural_change", group="all", level="all", estimate=best, conf_low=low, conf_high=high, unit="standard deviations", method="(1 - reliability) x distance below the mean",
                 note=f"people start {plan.starts_below:g} SDs below people in general")]
    for size in sorted({*SIZES, max(3, round(plan.people * plan.follow_up))}):
        found, _, _ = played.false_success(size, plan.starts_below, trials=trials, seed=plan.seed)
        rows.append(dict(measure="false_success", group="people", level=str(size), estimate=found.share, conf_low=found.low, conf_high=found.high, conf_level=0.95, unit="proportion", method=method))
    return result_table(rows)
