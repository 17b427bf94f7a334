"""Weights and differences between two groups that chance did not make alike."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats as scipy_stats

from sprx.errors import DataError
from sprx.stats import comparison


@pytest.fixture(scope="module")
def confounded():
    """600 people; who is worse off is more often in the scheme, and gains 2 points from it; the effect is 2 for everybody."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(600, 3))
    arm = (rng.random(600) < 1 / (1 + np.exp(0.4 + x[:, 0] - 0.5 * x[:, 1]))).astype(float)
    y = 3 * x[:, 0] - x[:, 1] + 2 * arm + rng.normal(size=600)
    return arm, x, y


def test_the_propensity_model_is_statsmodels_logit(confounded):
    arm, x, _ = confounded
    assert comparison.propensity(arm, x) == pytest.approx(sm.Logit(arm, sm.add_constant(x)).fit(disp=0, tol=1e-12).predict(), abs=1e-9)


def test_groups_that_can_be_told_apart_perfectly_are_refused_in_words():
    arm = np.repeat([0.0, 1.0], 20)
    with pytest.raises(DataError, match="no comparison person is like them"):
        comparison.propensity(arm, np.arange(40.0)[:, None])


def test_a_level_that_one_group_alone_has_leaves_the_other_weights_finite():
    rng = np.random.default_rng(1)
    arm, x = np.repeat([0.0, 1.0], 100), rng.normal(size=(200, 2))
    x[:, 1] = 0
    x[:8, 1] = 1                        # only comparison people
    chance = comparison.propensity(arm, x)
    assert chance[:8].max() < 1e-6 and comparison.att_weights(arm, chance)[8:100].max() < 10


def test_weights_of_the_scheme_people_are_one_and_of_the_others_their_odds():
    assert list(comparison.att_weights([1, 0, 0], np.array([0.9, 0.5, 0.2]))) == [1, 1, 0.25]


def test_entropy_balancing_gives_the_comparison_the_schemes_means_exactly(confounded):
    arm, x, _ = confounded
    weights = comparison.entropy_weights(arm, x)
    assert np.average(x[arm == 0], axis=0, weights=weights[arm == 0]) == pytest.approx(x[arm == 1].mean(axis=0), abs=1e-8)
    assert weights[arm == 0].sum() == pytest.approx((arm == 1).sum()) and (weights > 0).all()


def test_entropy_balancing_says_when_no_weights_can_do_it():
    arm = np.repeat([0, 1], 10)
    with pytest.raises(DataError, match="no weighting of the comparison people"):
        comparison.entropy_weights(arm, np.concatenate([np.arange(10.0), np.arange(10.0) + 100])[:, None])


def test_the_effective_size_is_kishs():
    assert comparison.effective_size([1, 1, 1, 1]) == 4
    assert comparison.effective_size([3, 1]) == pytest.approx(16 / 10)


def test_the_standardised_difference_is_scheme_minus_comparison_in_the_schemes_sd():
    one, other = np.array([2.0, 4.0, 6.0]), np.array([1.0, 1.0, 4.0])
    assert comparison.att_difference(one, other) == pytest.approx((4 - 2) / 2)
    assert comparison.att_difference(one, other, np.array([0, 0, 1.0])) == 0
    assert comparison.att_difference(np.array([1.0, 1, 0, 0]), np.array([1.0, 0, 0, 0])) == pytest.approx(0.25 / 0.5)     # a share: sqrt(p(1-p))
    assert comparison.att_difference(np.ones(4), np.ones(4)) == 0 and np.isnan(comparison.att_difference(np.ones(4), np.zeros(4)))


def test_every_adjusted_estimate_finds_the_planted_effect_and_the_plain_difference_does_not(confounded):
    arm, x, y = confounded
    none = x[:, :0]
    chance = comparison.propensity(arm, x)
    found = dict(plain=comparison.regression(y, arm, none), line=comparison.regression(y, arm, x),
                 weighted=comparison.regression(y, arm, none, comparison.att_weights(arm, chance)),
                 balanced=comparison.regression(y, arm, none, comparison.entropy_weights(arm, x)),
                 robust=comparison.doubly_robust(y, arm, x, chance))
    limits = {name: (e - 1.96 * v ** 0.5, e + 1.96 * v ** 0.5) for name, (e, v, _) in found.items()}
    assert limits.pop("plain")[1] < 2
    assert all(low < 2 < high for low, high in limits.values())
    assert found["robust"][1] < found["weighted"][1]            # the line takes noise away


def test_the_doubly_robust_estimate_is_right_when_either_model_is(confounded):
    rng = np.random.default_rng(8)
    x = rng.normal(size=(8000, 1))
    arm = (rng.random(8000) < 1 / (1 + np.exp(-0.7 * x[:, 0]))).astype(float)
    curved = x[:, 0] ** 2 + 2 * arm + rng.normal(size=8000)                                          # the line is wrong, the propensity model is not
    estimate, variance, _ = comparison.doubly_robust(curved, arm, x, comparison.propensity(arm, x))
    line_only, error, _ = comparison.doubly_robust(curved, arm, x, np.full(len(arm), arm.mean()))
    assert abs(estimate - 2) < 3 * variance ** 0.5 and abs(line_only - 2) > 4 * error ** 0.5
    arm, x, y = confounded
    estimate, variance, _ = comparison.doubly_robust(y, arm, x, np.full(len(arm), arm.mean()))        # no propensity model at all, the line is right
    assert abs(estimate - 2) < 3 * variance ** 0.5


def test_the_sign_of_the_doubly_robust_estimate_is_scheme_minus_comparison():
    rng = np.random.default_rng(2)
    arm, x = np.repeat([0.0, 1.0], 50), rng.normal(size=(100, 1))
    assert comparison.doubly_robust(10 * arm + x[:, 0], arm, x, np.full(100, 0.5))[0] == pytest.approx(10)


def test_robust_errors_are_statsmodels_hc3_and_with_weights_hc1(confounded):
    arm, x, y = confounded
    wide = np.column_stack([np.ones(len(arm)), arm, x])
    assert comparison.regression(y, arm, x)[1] == pytest.approx(sm.OLS(y, wide).fit(cov_type="HC3").cov_params()[1, 1])
    weights = np.where(arm == 1, 1.0, 2.0)
    assert comparison.regression(y, arm, x, weights)[1] == pytest.approx(sm.WLS(y, wide, weights=weights).fit(cov_type="HC1").cov_params()[1, 1])


def test_with_everyone_a_cluster_of_their_own_the_jackknife_is_nearly_hc3(confounded):
    arm, x, y = confounded
    alone = comparison.regression(y, arm, x, clusters=np.arange(len(arm)))
    assert alone[1] == pytest.approx(comparison.regression(y, arm, x)[1], rel=0.01) and alone[2] == len(arm) - 2


def test_clusters_widen_the_interval_where_people_of_one_place_fare_alike():
    rng = np.random.default_rng(7)
    place = np.repeat(np.arange(20), 15)
    arm = (place < 10).astype(float)
    y = rng.normal(0, 1, 20)[place] + rng.normal(size=300)
    plain, by_place = comparison.regression(y, arm, y[:, None][:, :0]), comparison.regression(y, arm, y[:, None][:, :0], clusters=place)
    assert by_place[0] == pytest.approx(plain[0]) and by_place[1] > 4 * plain[1] and by_place[2] == 18
    # leaving out one place at a time, by hand
    means = np.array([y[place == i].mean() for i in range(20)])
    left = [np.delete(means[:10], i).mean() - means[10:].mean() for i in range(10)] + [means[:10].mean() - np.delete(means[10:], i).mean() for i in range(10)]
    assert by_place[1] == pytest.approx(19 / 20 * ((np.array(left) - plain[0]) ** 2).sum())


def test_the_bootstrap_agrees_with_the_influence_function_and_is_the_same_twice(confounded):
    arm, x, y = confounded
    once, twice = (comparison.bootstrap(y, arm, x, 400, seed=3) for _ in range(2))
    estimate, variance, _ = comparison.doubly_robust(y, arm, x, comparison.propensity(arm, x))
    assert once == twice and once["draws"] == 400
    assert once["estimate"] == pytest.approx(estimate) and once["std_error"] == pytest.approx(variance ** 0.5, rel=0.15)
    assert (once["conf_high"] - once["conf_low"]) / once["std_error"] == pytest.approx(2 * 1.96, rel=0.12)
    assert once["conf_low"] < estimate < once["conf_high"]


def test_the_bootstrap_draws_whole_clusters():
    rng = np.random.default_rng(7)
    place = np.repeat(np.arange(20), 15)
    arm, x = (place < 10).astype(float), rng.normal(size=(300, 1))
    y = rng.normal(0, 1, 20)[place] + rng.normal(size=300)
    assert comparison.bootstrap(y, arm, x, 200, 1, clusters=place)["std_error"] > 1.8 * comparison.bootstrap(y, arm, x, 200, 1)["std_error"]


def test_e_values_of_the_paper_that_named_them():
    # VanderWeele and Ding (2017) Ann Intern Med 167:268: a risk ratio of 3.9 (1.8 to 8.7) has E-values of 7.26 and 3.0
    value, limit = comparison.e_value(3.9, 1.8)
    assert value == pytest.approx(7.26, abs=0.005) and limit == pytest.approx(3.0, abs=0.005)
    assert comparison.e_value(1 / 3.9, 1 / 1.8) == pytest.approx((value, limit))            # protection is the same the other way round
    assert comparison.e_value(1.2, 0.9)[1] == 1


def test_a_standardised_difference_becomes_a_ratio_by_the_rule_of_the_same_paper():
    assert comparison.as_ratio(0.5) == pytest.approx(np.exp(0.455)) and comparison.as_ratio(0) == 1


def test_the_smallest_detectable_difference_is_found_four_times_in_five():
    assert comparison.minimum_detectable(1.0) == pytest.approx(1.95996 + 0.84162, abs=1e-4)     # Bloom (1995): 2.8 standard errors
    least = comparison.minimum_detectable(2.0, df=30)
    assert least > comparison.minimum_detectable(2.0)
    assert 1 - scipy_stats.norm.cdf(1.95996 - comparison.minimum_detectable(1.0)) == pytest.approx(0.8, abs=1e-3)


def test_with_few_clusters_the_doubly_robust_error_is_that_of_leaving_one_out():
    rng = np.random.default_rng(7)
    place = np.repeat(np.arange(20), 15)
    arm, x = (place < 10).astype(float), rng.normal(size=(300, 1))
    y = x[:, 0] + rng.normal(0, 1, 20)[place] + rng.normal(size=300)
    estimate, variance, df = comparison.doubly_robust(y, arm, x, comparison.propensity(arm, x), clusters=place)
    left = [comparison.doubly_robust(y[place != i], arm[place != i], x[place != i], comparison.propensity(arm[place != i], x[place != i]))[0] for i in range(20)]
    assert variance == pytest.approx(19 / 20 * ((np.array(left) - estimate) ** 2).sum(), rel=1e-4) and df == 18
    assert variance == pytest.approx(comparison.regression(y, arm, x, clusters=place)[1], rel=0.1)


def test_people_of_no_known_place_are_one_of_their_own():
    found = comparison.own_clusters(pd.Series(["a", "a", None, "b", pd.NA]))
    assert found[0] == found[1] != found[3] and len(set(found)) == 4
