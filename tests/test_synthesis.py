"""Meta-analysis: what always holds, planted heterogeneity recovered, and what cannot be pooled."""

import numpy as np
import pandas as pd
import pytest

from sprx.errors import DataError
from sprx.stats import effect_sizes as sizes
from sprx.stats import nested, synthesis


def studies(k=20, tau=0.3, mean=0.5, seed=1):
    rng = np.random.default_rng(seed)
    v = rng.uniform(0.01, 0.1, k)
    return rng.normal(mean, np.sqrt(tau ** 2 + v)), v


def test_alike_studies_have_no_variance_between_them_and_no_negative_one():
    y, v = np.full(6, 0.3), np.array([0.01, 0.02, 0.03, 0.04, 0.05, 0.06])
    for method in synthesis.METHODS:
        fit = synthesis.synthesise(y, v, method=method, knapp_hartung=False)
        assert fit.tau2 == 0 and fit.i2 == 0 and fit.q == pytest.approx(0) and fit.coef[0] == pytest.approx(0.3) and fit.std_error[0] == pytest.approx((1 / v).sum() ** -0.5)
        assert fit.tau2_interval() == (0, 0)


@pytest.mark.parametrize("method", ["REML", "DL", "PM"])
def test_planted_heterogeneity_and_mean_are_recovered(method):
    found = [synthesis.synthesise(*studies(40, seed=s), method=method) for s in range(60)]
    assert np.mean([f.tau2 for f in found]) == pytest.approx(0.09, rel=0.1) and np.mean([f.coef[0] for f in found]) == pytest.approx(0.5, abs=0.03)


def test_knapp_hartung_limits_hold_with_few_studies_where_normal_ones_do_not():
    held = {True: 0, False: 0}
    for seed in range(400):
        y, v = studies(5, seed=seed)
        for way in held:
            fit = synthesis.synthesise(y, v, knapp_hartung=way)
            held[way] += fit.conf_low[0] < 0.5 < fit.conf_high[0]
    assert held[True] / 400 > 0.93 > held[False] / 400


def test_paule_and_mandel_is_where_q_is_what_is_expected_of_it():
    y, v = studies()
    fit = synthesis.synthesise(y, v, method="PM")
    w = 1 / (v + fit.tau2)
    assert (w * (y - np.average(y, weights=w)) ** 2).sum() == pytest.approx(19) and fit.tau2 > 0


def test_the_restricted_likelihood_is_highest_at_reml():
    y, v = studies()

    def likelihood(tau2):
        w = 1 / (v + tau2)
        return 0.5 * (np.log(w).sum() - np.log(w.sum()) - (w * (y - np.average(y, weights=w)) ** 2).sum())

    tau2 = synthesis.synthesise(y, v).tau2
    assert likelihood(tau2) >= max(likelihood(tau2 * f) for f in (0.9, 0.99, 1.01, 1.1))


def test_scaling_the_effects_scales_everything():
    y, v = studies()
    one, ten = synthesis.synthesise(y, v), synthesis.synthesise(10 * y, 100 * v)
    assert ten.coef[0] == pytest.approx(10 * one.coef[0]) and ten.tau2 == pytest.approx(100 * one.tau2, rel=1e-6) and ten.i2 == pytest.approx(one.i2) and ten.q == pytest.approx(one.q)


def test_a_further_study_is_less_certain_than_the_mean():
    found = synthesis.synthesise(*studies()).predict().iloc[0]
    assert found.pred_low < found.conf_low < found.estimate < found.conf_high < found.pred_high


def test_each_study_is_drawn_towards_the_mean_the_small_ones_more():
    y, v = studies()
    fit = synthesis.synthesise(y, v)
    near = synthesis.shrunken(fit)
    between = (near["estimate"] - fit.coef[0]) / (y - fit.coef[0])
    assert between.between(0, 1).all() and np.argmin(between) == np.argmax(v) and (near["std_error"] < np.sqrt(v)).mean() > 0.8


@pytest.mark.parametrize("y, v, words", [
    ([0.3], [0.1], "too few studies"), ([], [], "too few studies"), ([0.3, 0.4], [0.1, 0.0], "variance above 0"), ([0.3, np.nan], [0.1, 0.1], "variance above 0"), ([0.3, 0.2], [0.1, -1], "above 0")])
def test_what_cannot_be_pooled_is_refused(y, v, words):
    with pytest.raises(DataError, match=words):
        synthesis.synthesise(y, v)


def test_two_studies_are_pooled_with_the_interval_that_two_deserve():
    fit = synthesis.synthesise([0.2, 0.6], [0.04, 0.04])
    assert fit.df == 1 and fit.conf_high[0] - fit.conf_low[0] > 4


def test_a_moderator_that_does_not_vary_or_an_unknown_method_is_refused():
    y, v = studies()
    with pytest.raises(DataError, match="do not differ"):
        synthesis.synthesise(y, v, np.ones((20, 1)))
    with pytest.raises(DataError, match="there are REML"):
        synthesis.synthesise(y, v, method="reml")


def test_leaving_the_odd_one_out_moves_the_mean_most():
    y, v = studies(tau=0.05)
    y[3] = 3.0
    table = synthesis.leave_one_out(y, v)
    assert table["rstudent"].abs().idxmax() == 3 == table["cooks_distance"].idxmax() and table["tau2"].idxmin() == 3 and table["hat"].sum() == pytest.approx(1)


def test_how_odd_a_study_is_counts_its_own_error_the_spread_and_that_of_the_others_mean():
    y, v = studies(8)
    for knapp_hartung in (False, True):
        others = synthesis.synthesise(y[1:], v[1:], knapp_hartung=knapp_hartung)
        w = 1 / (v[1:] + others.tau2)
        factor = (w * (y[1:] - others.coef[0]) ** 2).sum() / 6 if knapp_hartung else 1
        table = synthesis.leave_one_out(y, v, knapp_hartung=knapp_hartung)
        assert table["rstudent"][0] == pytest.approx((y[0] - others.coef[0]) / np.sqrt(factor * (v[0] + others.tau2) + others.std_error[0] ** 2))
        whole = synthesis.synthesise(y, v, knapp_hartung=knapp_hartung)
        assert table["cooks_distance"][0] == pytest.approx(((whole.coef[0] - others.coef[0]) / whole.std_error[0]) ** 2) and table["covariance_ratio"][0] == pytest.approx((others.std_error[0] / whole.std_error[0]) ** 2)
        assert table["dffits"][0] == pytest.approx((whole.coef[0] - others.coef[0]) / np.sqrt(factor * whole.weights[0] / 100 * (v[0] + others.tau2)))


def test_how_odd_a_study_is_is_what_a_term_of_its_own_would_say():
    y, v = studies(8)
    for how in (dict(knapp_hartung=False), dict(knapp_hartung=True), dict(method="PM")):
        own = synthesis.synthesise(y, v, (np.arange(8) == 2) * 1.0, **how)
        assert synthesis.leave_one_out(y, v, **how)["rstudent"][2] == pytest.approx(own.coef[1] / own.std_error[1])


def test_leaving_one_out_of_a_meta_regression_leaves_its_moderator_out_too():
    y, v = studies(9)
    x = np.arange(9.0)
    table = synthesis.leave_one_out(y, v, x)
    others = synthesis.synthesise(y[1:], v[1:], x[1:])
    assert table["tau2"][0] == others.tau2 and table["estimate"][0] == others.coef[0] and table["hat"].sum() == pytest.approx(2)
    with pytest.raises(DataError, match="leaving one of 2 studies out"):
        synthesis.leave_one_out(y[:2], v[:2])


def test_a_symmetric_funnel_needs_no_filling_and_one_side_cut_off_does():
    rng = np.random.default_rng(4)
    v = np.repeat([0.005, 0.02, 0.05, 0.1, 0.2], 6)
    e = np.abs(rng.normal(0, np.sqrt(v)))
    even = np.where(np.arange(30) % 2 == 0, 0.3 + e, 0.3 - np.roll(e, 1))
    assert synthesis.trim_and_fill(even, v)[0] <= 2
    y = rng.normal(0.3, np.sqrt(np.tile(v, 3)))
    seen = (y > 0.25) | (np.tile(v, 3) < 0.01)
    k0, side, fit, filled = synthesis.trim_and_fill(y[seen], np.tile(v, 3)[seen])
    assert k0 > 3 and side == "left" and len(filled) == k0 and fit.coef[0] < synthesis.synthesise(y[seen], np.tile(v, 3)[seen]).coef[0]
    assert synthesis.egger(y[seen], np.tile(v, 3)[seen])["p_value"] < 0.05
    with pytest.raises(DataError, match="fewer than three"):
        synthesis.egger([1, 2], [1, 1])


def test_effects_of_one_study_each_have_one_variance_between_them():
    y, v = studies()
    flat, found = synthesis.synthesise(y, v, knapp_hartung=False), nested.three_level(y, v, np.arange(20))
    assert found["tau2_outer"] + found["tau2_inner"] == pytest.approx(flat.tau2, rel=1e-6) and found["estimate"] == pytest.approx(flat.coef[0], rel=1e-6)


def test_effects_that_repeat_each_other_count_once():
    y, v = studies(8)
    often = np.repeat(np.arange(8), 10)
    naive, found = synthesis.synthesise(y[often], v[often], knapp_hartung=False), nested.three_level(y[often], v[often], often)
    assert found["std_error"] > 2 * naive.std_error[0] and nested.cluster_robust(naive, often)["std_error"][0] > 2 * naive.std_error[0]


def test_subgroups_of_one_study_are_not_fitted():
    y, v = studies(6)
    found, q, p = synthesis.synthesise_by(y, v, ["a", "a", "a", "b", "b", "c"])
    assert set(found) == {"a", "b"} and q >= 0 and 0 <= p <= 1
    assert np.isnan(synthesis.synthesise_by(y, v, list("aaaaab"))[1])


# ---- effect sizes

def test_an_effect_from_a_t_value_is_that_from_means():
    n1, n2 = 30, 40
    m1, sd1, m2, sd2 = 12.0, 3.0, 10.0, 4.0
    pooled = np.sqrt(((n1 - 1) * sd1 ** 2 + (n2 - 1) * sd2 ** 2) / (n1 + n2 - 2))
    t = (m1 - m2) / (pooled * np.sqrt(1 / n1 + 1 / n2))
    assert sizes.g_from_t(t, n1, n2) == pytest.approx(sizes.hedges_g(m1, sd1, n1, m2, sd2, n2))
    assert sizes.exact_correction(10) == pytest.approx(1 - 3 / 39, rel=1e-3)


def test_an_interval_gives_back_the_variance_it_was_made_from():
    assert sizes.from_interval(0.5, 0.5 - 1.96 * 0.1, 0.5 + 1.96 * 0.1)[1] == pytest.approx(0.01, rel=1e-4)
    y, v = sizes.from_interval(2.0, 1.0, 4.0, ratio=True)
    assert y == pytest.approx(np.log(2)) and v == pytest.approx((np.log(4) / (2 * 1.959964)) ** 2, rel=1e-6)
    for bad in ((0.5, 0.6, 0.9), (0.5, 0.5, 0.5), (0.5, 0.9, 0.1)):
        with pytest.raises(DataError, match="does not hold its estimate"):
            sizes.from_interval(*bad)


def test_empty_cells_get_a_half_and_full_ones_nothing():
    y, v = sizes.log_risk_ratio([0, 5], [20, 20], [5, 10], [20, 20])
    assert np.isfinite(y).all() and np.isfinite(v).all() and y[1] == pytest.approx(np.log(0.5)) and y[0] == pytest.approx(np.log(0.5 / 21) - np.log(5.5 / 21))
    assert np.isfinite(sizes.log_odds_ratio(0, 20, 5, 20)[0]) and np.isfinite(sizes.log_rate_ratio(0, 100, 4, 100)[1])
    with pytest.raises(DataError, match="more events than people"):
        sizes.log_risk_ratio(30, 20, 5, 20)


def test_a_change_by_the_first_sd_and_by_the_sd_of_changes_are_one_where_r_is_one_half():
    table = pd.DataFrame(dict(n=[30], r=[0.5]))
    one = sizes.change_by_change_sd(12, 3, 10, 3, table.n, table.r)[0]
    assert one == pytest.approx(sizes.change_by_first_sd(12, 10, 3, table.n, table.r)[0])
    assert sizes.mean_change(12, 3, 10, 3, 30, 0.5) == (2, pytest.approx(0.3))
