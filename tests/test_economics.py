"""The statistics of costs and effects: areas, annuities, joint differences, draws, and the decision."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from sprx.stats import economics


def two_arms(n=120, seed=1):
    """Outcomes (effect, cost) and designs (arm, own first value) of n people in each arm; errors of the two go together."""
    rng = np.random.default_rng(seed)
    arm = np.repeat([0.0, 1.0], n)
    first, spent = rng.normal(0.5, 0.2, 2 * n), rng.gamma(2, 500, 2 * n)
    error = rng.normal(size=2 * n)
    effect = 0.2 + 0.7 * first + 0.05 * arm + 0.1 * error
    cost = 300 + 0.8 * spent + 200 * arm - 150 * error + 100 * rng.normal(size=2 * n)
    return [effect, cost], [np.column_stack([arm, first]), np.column_stack([arm, spent])]


def test_an_area_is_the_sum_of_trapezia_in_years():
    assert economics.time_weights([0, 12]) == pytest.approx([0.5, 0.5])
    assert np.array([0.4, 0.6, 0.7]) @ economics.time_weights([0, 3, 12]) == pytest.approx(0.5 * 0.25 + 0.65 * 0.75)


def test_the_first_year_is_not_discounted_and_each_later_one_is():
    assert economics.time_weights([0, 6, 12], 0.035).sum() == pytest.approx(1)
    assert economics.time_weights([0, 24], 0.035).sum() == pytest.approx(1 + 1 / 1.035)                 # split at month 12 although nobody measured then
    assert economics.time_weights([0, 30], 0.1).sum() == pytest.approx(1 + 1 / 1.1 + 0.5 / 1.21)
    line = np.array([0.0, 1.0])                                                                          # from 0 to 1 over two years: areas 1/4 and 3/4
    assert line @ economics.time_weights([0, 24], 0.035) == pytest.approx(0.25 + 0.75 / 1.035)
    assert economics.discount([0, 11, 12, 24], 0.035) == pytest.approx([1, 1, 1 / 1.035, 1 / 1.035 ** 2])


def test_an_annuity_pays_for_what_it_was_made_of():
    yearly = economics.annual_equivalent(1000, 5, 0.035)
    assert sum(yearly / 1.035 ** year for year in range(1, 6)) == pytest.approx(1000) and economics.annual_equivalent(1000, 5, 0) == 200


def test_differences_and_errors_are_statsmodels_robust_ones():
    outcomes, designs = two_arms()
    estimates, covariance, df = economics.increments(outcomes, designs)
    for k in (0, 1):
        fit = sm.OLS(outcomes[k], sm.add_constant(designs[k])).fit(cov_type="HC1")
        assert estimates[k] == pytest.approx(fit.params[1]) and covariance[k, k] ** 0.5 == pytest.approx(fit.bse[1])
    assert df == 237 and covariance[0, 1] < 0
    places = np.repeat(np.arange(24), 10)
    _, covariance, df = economics.increments(outcomes, designs, clusters=places)
    fit = sm.OLS(outcomes[0], sm.add_constant(designs[0])).fit(cov_type="cluster", cov_kwds=dict(groups=places))
    assert covariance[0, 0] ** 0.5 == pytest.approx(fit.bse[1]) and df == 22


def test_the_covariance_is_that_of_one_regression_of_the_net_benefit():
    outcomes, designs = two_arms()
    estimates, covariance, _ = economics.increments(outcomes, [designs[0]] * 2)
    both = sm.OLS(20_000 * outcomes[0] - outcomes[1], sm.add_constant(designs[0])).fit(cov_type="HC1")
    towards = np.array([20_000, -1])
    assert towards @ estimates == pytest.approx(both.params[1]) and (towards @ covariance @ towards) ** 0.5 == pytest.approx(both.bse[1])


def test_weights_are_those_of_weighted_least_squares():
    outcomes, designs = two_arms()
    weights = np.random.default_rng(2).uniform(0.5, 2, len(outcomes[0]))
    estimates, covariance, _ = economics.increments(outcomes, designs, weights=weights)
    fit = sm.WLS(outcomes[1], sm.add_constant(designs[1]), weights=weights).fit(cov_type="HC1")
    assert estimates[1] == pytest.approx(fit.params[1]) and covariance[1, 1] ** 0.5 == pytest.approx(fit.bse[1])


def test_seemingly_unrelated_regressions_with_the_same_columns_are_least_squares():
    outcomes, designs = two_arms()
    estimates, covariance = economics.seemingly_unrelated(outcomes, [designs[0]] * 2)
    for k in (0, 1):
        fit = sm.OLS(outcomes[k], sm.add_constant(designs[0])).fit()
        assert estimates[k] == pytest.approx(fit.params[1]) and covariance[k, k] ** 0.5 == pytest.approx(fit.bse[1])


def test_seemingly_unrelated_regression_is_generalised_least_squares_with_the_residuals_covariance():
    outcomes, designs = two_arms()
    n, xs = len(outcomes[0]), [sm.add_constant(d) for d in designs]
    left = np.array([sm.OLS(y, x).fit().resid for y, x in zip(outcomes, xs)])
    stacked = np.block([[xs[0], np.zeros_like(xs[1])], [np.zeros_like(xs[0]), xs[1]]])
    fit = sm.GLS(np.concatenate(outcomes), stacked, sigma=np.kron(left @ left.T / (n - 3), np.eye(n))).fit()
    estimates, covariance = economics.seemingly_unrelated(outcomes, designs)
    assert estimates == pytest.approx(fit.params[[1, 4]])
    assert np.diag(covariance) == pytest.approx(np.diag(fit.cov_params() / fit.scale)[[1, 4]])
    plain = economics.increments(outcomes, designs)[1]
    assert covariance[0, 0] < plain[0, 0]                                                               # errors that go together help


def test_a_column_that_does_not_vary_or_repeats_another_breaks_no_fit():
    outcomes, designs = two_arms()
    spoilt = [np.column_stack([d, np.zeros(240), d[:, 1], np.full(240, 7.0)]) for d in designs]
    for fit in (economics.seemingly_unrelated, economics.increments):
        (plain, plain_cov), (found, cov) = fit(outcomes, designs)[:2], fit(outcomes, spoilt)[:2]
        assert found == pytest.approx(plain) and np.diag(cov) == pytest.approx(np.diag(plain_cov), rel=0.05)
    draws = [economics.joint_bootstrap(outcomes, d, 200, np.random.default_rng(1)) for d in (designs, spoilt)]
    assert draws[0] == pytest.approx(draws[1], rel=1e-3)


def test_seemingly_unrelated_regression_is_that_of_linearmodels():
    # linearmodels 7.1, SUR(...).fit(method="gls", cov_type="unadjusted", debiased=True), on the data of two_arms(120, 1)
    estimates, covariance = economics.seemingly_unrelated(*two_arms())
    assert estimates == pytest.approx([6.84383934e-02, 1.80416231e02], rel=1e-7) and np.sqrt(np.diag(covariance)) == pytest.approx([1.28552857e-02, 2.24100407e01], rel=1e-7)


def test_each_joint_draw_is_the_regression_among_those_drawn():
    outcomes, designs = two_arms(30)
    found = economics.joint_bootstrap(outcomes, designs, 5, np.random.default_rng(7))
    rng = np.random.default_rng(7)
    times = np.hstack([economics._times_drawn(5, 30, rng) for _ in (0, 1)])                             # the comparison people first, as there
    for drawn, draw in zip(times, found):
        for k in (0, 1):
            assert draw[k] == pytest.approx(sm.WLS(outcomes[k], sm.add_constant(designs[k]), weights=drawn).fit().params[1], rel=1e-6)
    assert (times[:, :30].sum(axis=1) == 30).all() and (times[:, 30:].sum(axis=1) == 30).all()          # within each arm


def test_draws_lie_around_the_estimates_as_their_covariance_says_also_by_place():
    outcomes, designs = two_arms()
    places = np.repeat(np.arange(24), 10)
    shift = np.random.default_rng(3).normal(0, 0.2, 24)[places]
    outcomes = [outcomes[0] + shift, outcomes[1]]
    for clusters in (None, places):
        estimates, covariance, _ = economics.increments(outcomes, designs, clusters=clusters)
        draws = economics.joint_bootstrap(outcomes, designs, 4000, np.random.default_rng(1), clusters)
        assert draws.mean(axis=0) == pytest.approx(estimates, abs=4 * (np.diag(covariance) / 4000).max() ** 0.5 + 0.02 * abs(estimates).max())
        assert draws.std(axis=0) == pytest.approx(np.sqrt(np.diag(covariance)), rel=0.1)
    alone = economics.joint_bootstrap(outcomes, designs, 4000, np.random.default_rng(1)).std(axis=0)
    assert draws.std(axis=0)[0] > 1.5 * alone[0]


def test_the_same_seed_draws_the_same_and_no_draw_is_drawn_twice():
    outcomes, designs = two_arms(20)
    one = economics.joint_bootstrap(outcomes, designs, 1200, np.random.default_rng(1))
    assert np.array_equal(one, economics.joint_bootstrap(outcomes, designs, 1200, np.random.default_rng(1))) and len(one) == 1200
    assert len(np.unique(one[:, 0])) == 1200


def test_what_nobody_varies_in_draws_as_nothing():
    outcomes, designs = two_arms(20)
    draws = economics.joint_bootstrap([outcomes[0], np.zeros(40)], designs, 100, np.random.default_rng(1))
    assert np.abs(draws[:, 1]).max() < 1e-6


def test_a_decision_by_hand():
    costs = np.array([[0, 100], [0, 300], [0, 100], [0, 100]], dtype=float)
    effects = np.array([[0, 0.02], [0, 0.01], [0, 0.0], [0, -0.01]], dtype=float)
    table = economics.decide(costs, effects, [10_000, 100_000]).set_index("threshold")
    # at 10,000 the net benefits are 100, -200, -100, -200: mean -100, above 0 once in four; knowing each time would bring 100/4
    assert table.loc[10_000, ["net_benefit_1", "probability_1", "best", "frontier", "evpi"]].tolist() == pytest.approx([-100, 0.25, 0, 0.75, 25])
    # at 100,000: 1900, 700, -100, -1100: mean 350, above 0 twice; knowing would bring (1900 + 700)/4 - 350
    assert table.loc[100_000, ["net_benefit_1", "probability_1", "best", "frontier", "evpi"]].tolist() == pytest.approx([350, 0.5, 1, 0.5, 300])


def test_a_draw_in_which_strategies_tie_is_shared():
    table = economics.decide(np.zeros((4, 2)), np.zeros((4, 2)), [20_000])
    assert table.loc[0, ["probability_0", "probability_1", "evpi"]].tolist() == [0.5, 0.5, 0]


def test_chances_of_all_strategies_add_up_and_knowing_is_never_worth_less_than_nothing():
    rng = np.random.default_rng(1)
    table = economics.decide(rng.normal(1000, 300, (500, 3)), rng.normal(0.1, 0.05, (500, 3)), np.linspace(0, 60_000, 31))
    assert table[[f"probability_{k}" for k in range(3)]].sum(axis=1).to_numpy() == pytest.approx(np.ones(31)) and (table["evpi"] >= 0).all()


def test_quadrants_hold_every_draw_once():
    draws = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1], [0, 0], [1, 0]], dtype=float)
    shares = economics.quadrants(draws)
    assert list(shares) == list(economics.QUADRANTS) and sum(shares.values()) == pytest.approx(1)
    assert shares["more effect, more cost"] == pytest.approx(2 / 6) and shares["less effect, more cost"] == pytest.approx(2 / 6)
    assert pd.Series(shares)["less effect, less cost"] == pytest.approx(1 / 6)
