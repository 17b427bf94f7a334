"""Sample sizes, power and smallest effects: against statsmodels, published worked examples, and the same designs played through."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from statsmodels.stats.power import NormalIndPower, TTestIndPower, TTestPower

from sprx.errors import DataError
from sprx.stats.change import selected_change
from sprx.stats.power import CountStudy, ScoreStudy, ShareStudy, _known, design_effect, kept, people_needed, smallest_effect
from sprx.stats.power_simulated import cutoff_for, false_success, loss_bias, simulated_power

RANDOMISED = ScoreStudy("randomised", 0.5, correlation=0.0)


@pytest.mark.parametrize("effect", [0.2, 0.3, 0.5, 0.8])
@pytest.mark.parametrize("wanted", [0.8, 0.9])
def test_two_arms_and_pairs_need_what_statsmodels_says(effect, wanted):
    two = people_needed(replace(RANDOMISED, effect=effect, wanted=wanted))
    asked = TTestIndPower().solve_power(effect, power=wanted, alpha=0.05)
    assert two == pytest.approx(math.ceil(asked), abs=1)            # one degree of freedom goes to the first score
    pairs = people_needed(ScoreStudy("before_after", effect, correlation=0.5, wanted=wanted))       # the change's SD is then the score's
    assert pairs == math.ceil(TTestPower().solve_power(effect, power=wanted, alpha=0.05))


def test_textbook_numbers_of_people():
    # Cohen (1988) tables 2.4.1: d = 0.5, power 0.8, two-sided 5%: 64 in each group; d = 0.2: 393; pairs d = 0.5: 34 (G*Power's manual)
    assert people_needed(RANDOMISED) == 64 and people_needed(replace(RANDOMISED, effect=0.2)) == pytest.approx(393, abs=1)
    assert people_needed(ScoreStudy("before_after", 0.5)) == 34


def test_the_first_score_saves_people_as_borm_2007_says():
    # Borm, Fransen and Lemmens (2007) J Clin Epidemiol 60:1234: ANCOVA needs (1 - r2) times the people of a t test of the later scores
    for r in (0.3, 0.5, 0.7):
        share = people_needed(replace(RANDOMISED, effect=0.2, correlation=r)) / people_needed(replace(RANDOMISED, effect=0.2))
        assert share == pytest.approx(1 - r ** 2, rel=0.02)


def test_design_effects_as_published():
    # Eldridge, Ashby and Kerry (2006) Int J Epidemiol 35:1292; equal places: Donner, Birkett and Buck (1981) Am J Epidemiol 114:906
    assert [round(design_effect(m, 0.017), 3) for m in (10, 20, 40, 80)] == [1.153, 1.323, 1.663, 2.343]      # Ann Fam Med, a table of clustered designs of 4 places
    assert round(design_effect(7, 0.05), 1) == 1.3                  # BMJ 1999; 319:683: 93 patients inflated by 1.3
    assert design_effect(50, 0.05, cv=0.65) == pytest.approx(1 + ((0.65 ** 2 + 1) * 50 - 1) * 0.05)


def test_shares_and_places_of_a_published_trial():
    # Sedgwick (2013) BMJ 346:f2839: 50% against 65%, power 80%: 340 patients; with ICC 0.05 and 46 patients in each of 24 practices 1,104
    alone = 2 * people_needed(ShareStudy(0.15, 0.5))
    assert alone == 340
    assert alone * design_effect(46, 0.05) == pytest.approx(1104, rel=0.02)
    assert people_needed(ShareStudy(0.15, 0.5)) == math.ceil(NormalIndPower().solve_power(2 * np.arcsin(0.65 ** 0.5) - 2 * np.arcsin(0.5 ** 0.5), power=0.8, alpha=0.05))


@pytest.mark.parametrize("rate, ratio, dispersion, time", [(0.8, 0.85, 0.4, 0.75), (1.4, 1.15, 1.5, 0.75), (5.0, 2.0, 0.5, 1.0)])
def test_rates_after_only_follow_zhu_and_lakkis_2014(rate, ratio, dispersion, time):
    # Stat Med 33:376, method 2: the settings of their tables I and III, by the formula as they print it
    spread = (1 / rate + 1 / (rate * ratio)) / time + 2 * dispersion
    printed = (norm.ppf(0.975) + norm.ppf(0.8)) ** 2 * spread / math.log(ratio) ** 2
    assert people_needed(CountStudy(ratio, rate, months_before=0, months_after=time, dispersion=dispersion)) == pytest.approx(printed, rel=0.02, abs=1)


def test_places_need_the_t_distribution_of_few_places():
    study = ScoreStudy("cluster_randomised", 0.4, correlation=0.0, cluster_size=20, icc=0.05)
    places = people_needed(study) / 20
    z = (norm.ppf(0.975) + norm.ppf(0.8)) ** 2 * 2 * design_effect(20, 0.05) / 20 / 0.4 ** 2        # Donner and Klar (2000), normal
    assert math.ceil(z) <= places <= math.ceil(z) + 2               # one or two more for few places
    assert study.power(40) < 0.3 and study.power(20) == 0.0         # one place in each arm cannot tell places from the scheme


def test_loss_makes_places_smaller_and_not_fewer():
    lost = ScoreStudy("cluster_randomised", 0.4, cluster_size=20, follow_up=0.5)
    assert lost.power(400) == pytest.approx(ScoreStudy("cluster_randomised", 0.4, cluster_size=10).power(200))


def test_without_likeness_places_are_people():
    places = ScoreStudy("cluster_randomised", 0.2, cluster_size=1, icc=0.0)
    assert people_needed(places) == pytest.approx(people_needed(ScoreStudy("randomised", 0.2)), abs=1)


def test_unequal_arms_as_statsmodels():
    assert people_needed(replace(RANDOMISED, ratio=2.0)) == pytest.approx(math.ceil(TTestIndPower().solve_power(0.5, power=0.8, alpha=0.05, ratio=2)), abs=1)


def test_what_covariates_tell_of_the_arm_costs_people_as_hsieh_1998():
    plain, tied = (people_needed(ScoreStudy("matched", 0.2, entangled=e)) for e in (0.0, 0.2))
    assert tied / plain == pytest.approx(1 / 0.8, rel=0.02)


def test_a_change_is_tested_against_what_would_come_anyway():
    against = ScoreStudy("before_after", 0.3, natural=0.35, unsure=0.15)
    assert people_needed(against) == people_needed(ScoreStudy("before_after", 0.15))
    assert math.isinf(people_needed(replace(against, effect=0.1)))          # no number of people tells 0.1 from what is not known to 0.15


def test_power_where_scipy_has_no_number():
    assert _known(math.nan, 2.5, 10, 0.05) == pytest.approx(TTestIndPower().power(2.5 / 10 ** 0.5, 20, 0.05, df=10), abs=2e-4)
    assert ScoreStudy("cluster_randomised", 50.0).power(60) == pytest.approx(1)


@pytest.mark.parametrize("follow_up", [0.9, 0.65, 0.5])
def test_people_lost_are_added_exactly(follow_up):
    whole = people_needed(RANDOMISED)
    assert people_needed(replace(RANDOMISED, follow_up=follow_up)) == math.ceil(whole / follow_up - 1e-9)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["randomised", "before_after", "matched", "concurrent", "cluster_randomised"]), st.floats(0.1, 1.0), st.integers(30, 2000), st.floats(0.3, 1.0))
def test_more_people_have_more_power_and_the_smallest_effect_is_found_at_the_wanted_power(design, effect, people, follow_up):
    study = ScoreStudy(design, effect, follow_up=follow_up)
    assert study.power(people) <= study.power(2 * people) + 1e-9
    found = smallest_effect(study, people)
    if not math.isnan(found):
        assert study.with_effect(found).power(people) == pytest.approx(0.8, abs=1e-6)
        assert smallest_effect(study.with_effect(-effect), people) == pytest.approx(-found)


def test_the_smallest_ratio_and_share_are_found_too():
    uses = CountStudy(0.85, 0.5)
    assert smallest_effect(uses, people_needed(uses)) == pytest.approx(0.85, abs=0.002)
    assert smallest_effect(CountStudy(1.2, 0.5), 500) > 1
    shares = ShareStudy(0.15, 0.5)
    assert smallest_effect(shares, people_needed(shares)) == pytest.approx(0.15, abs=0.002)
    assert math.isnan(smallest_effect(ScoreStudy("cluster_randomised", 0.3), 20))


PLANS = [ScoreStudy("randomised", 0.3, follow_up=0.65), ScoreStudy("randomised", 0.5, ratio=2, correlation=0.3), ScoreStudy("matched", 0.3, entangled=0.2), ScoreStudy("concurrent", 0.4, entangled=0.2),
         ScoreStudy("before_after", 0.3, natural=0.35, unsure=0.15, correlation=0.65), ScoreStudy("cluster_randomised", 0.3), ScoreStudy("cluster_randomised", 0.3, cluster_cv=0.4, cluster_size=30),
         CountStudy(0.75, 0.5), CountStudy(0.7, 0.5, months_before=0, dispersion=0.5), ShareStudy(0.15, 0.5)]


@pytest.mark.parametrize("study", PLANS, ids=lambda s: getattr(s, "design", type(s).__name__))
def test_played_through_the_designs_find_what_the_formula_says(study):
    people = people_needed(study)
    played = simulated_power(study, people, trials=2000, seed=7)
    error = 3.3 * (0.8 * 0.2 / 2000) ** 0.5         # 3.3 Monte Carlo errors: one run in a thousand is further off
    assert abs(played.share - study.power(people)) < error + 0.01       # 0.01: whole places and people, and the normal approximation of counts
    assert played.low < played.share < played.high


@pytest.mark.parametrize("study", [PLANS[0], PLANS[2], PLANS[5], PLANS[7], PLANS[9]], ids=lambda s: getattr(s, "design", type(s).__name__))
def test_where_there_is_nothing_the_tests_find_it_in_5_of_100(study):
    nothing = study.with_effect(1.0) if isinstance(study, CountStudy) else study.with_effect(0.0)
    assert abs(simulated_power(nothing, 300, trials=4000, seed=3).share - 0.05) < 0.015


def test_a_change_is_claimed_neither_way_while_it_is_within_what_may_come_anyway():
    study = ScoreStudy("before_after", 0.3, natural=0.35, unsure=0.15)
    assert simulated_power(study.with_effect(0.0), 2000, trials=500).share == 0
    assert abs(simulated_power(study.with_effect(0.15), 500, trials=4000).share - 0.025) < 0.01


def test_simulation_tells_its_progress_and_repeats_itself():
    told = []
    first = simulated_power(RANDOMISED, 20000, trials=60, progress=lambda done, trials: told.append((done, trials)))
    assert told[-1] == (60, 60) and len(told) > 1
    assert first == simulated_power(RANDOMISED, 20000, trials=60)


def test_a_scheme_that_does_nothing_looks_like_a_success_when_people_come_at_a_bad_time():
    found, change, means = false_success(100)
    assert found.share > 0.8 and len(means) == 2000
    assert change == pytest.approx((1 - 0.65) * 1.0, abs=0.01)
    told = selected_change(0.0, 1.0, 0.65, cutoff_for(1.0), True)           # the formula of sprx.stats.change
    assert change == pytest.approx(told["expected_change"], abs=0.01)
    assert false_success(100, below=0.0)[0].share == pytest.approx(0.025, abs=0.012)        # nobody chosen: half of the 5% are on the better side
    assert false_success(200)[0].share > 0.98


def test_loss_that_goes_with_the_outcome_biases_by_what_the_formula_says():
    rng = np.random.default_rng(1)
    scores, lost = rng.normal(size=200_000), rng.random(200_000) < 0.35
    scores[lost] -= 0.3
    assert scores[~lost].mean() - scores.mean() == pytest.approx(loss_bias(1.0, 0.65, 0.3), abs=0.01)


@pytest.mark.parametrize("make, words", [
    (lambda: RANDOMISED.power(0), "more than 0 in the scheme; found 0"),
    (lambda: RANDOMISED.power(-5), "found -5"),
    (lambda: kept(1.10), "found 1.1"),
    (lambda: kept(110), "found 110. With everybody lost"),
    (lambda: kept(30), "Did you mean 0.3"),
    (lambda: replace(RANDOMISED, follow_up=65), "Did you mean 0.65"),
    (lambda: replace(RANDOMISED, follow_up=110), "More than everybody"),
    (lambda: replace(RANDOMISED, follow_up=0), "found 0"),
    (lambda: replace(RANDOMISED, icc=1.2), "ICC"),
    (lambda: replace(RANDOMISED, icc=-0.1), "found -0.1"),
    (lambda: replace(RANDOMISED, wanted=80), "80% is 0.8"),
    (lambda: replace(RANDOMISED, conf_level=95), "95% is 0.95"),
    (lambda: replace(RANDOMISED, sd=0), "above 0; found 0"),
    (lambda: replace(RANDOMISED, design="best"), "Choose one of"),
    (lambda: replace(RANDOMISED, ratio=0), "found 0"),
    (lambda: replace(RANDOMISED, correlation=1), "between -1 and 1"),
    (lambda: replace(RANDOMISED, effect=math.nan), "must be a number"),
    (lambda: replace(RANDOMISED, cluster_size=0), "at least 1 person"),
    (lambda: replace(RANDOMISED, unsure=-1), "cannot be below 0"),
    (lambda: replace(RANDOMISED, entangled=1), "covariates explain"),
    (lambda: CountStudy(0, 1), "A ratio of rates is above 0"),
    (lambda: CountStudy(0.8, 0), "Events a month"),
    (lambda: CountStudy(0.8, 1, correlation=2), "from 0 to 1"),
    (lambda: ShareStudy(0.6, 0.5), "30% is 0.3"),
    (lambda: simulated_power(RANDOMISED, 1), "at least 3 people"),
    (lambda: false_success(1), "At least 3 people"),
    (lambda: false_success(50, reliability=1), "reliability"),
    (lambda: false_success(50, below=9), "between 0 and 6"),
])
def test_what_cannot_be_is_refused_with_its_number(make, words):
    with pytest.raises(DataError) as error:
        make()
    assert words in str(error.value)
