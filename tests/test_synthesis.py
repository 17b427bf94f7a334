"""Meta-analysis: what always holds, planted heterogeneity recovered, and what cannot be pooled."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2, f

from sprx.errors import DataError
from sprx.stats import effect_sizes as sizes
from sprx.stats import between, mantel_haenszel, nested, synthesis


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
    assert np.mean([fit.tau2 for fit in found]) == pytest.approx(0.09, rel=0.1) and np.mean([fit.coef[0] for fit in found]) == pytest.approx(0.5, abs=0.03)


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
    assert likelihood(tau2) >= max(likelihood(tau2 * factor) for factor in (0.9, 0.99, 1.01, 1.1))


@pytest.mark.parametrize("moderated", [False, True])
@pytest.mark.parametrize("method", ["REML", "ML", "DL", "PM"])
def test_errors_heterogeneity_and_the_test_of_moderators_are_those_of_whole_matrices(method, moderated):
    y, v = studies(12, tau=0.6)
    x = np.column_stack([np.ones(12), np.random.default_rng(2).normal(size=(12, 2))])[:, :3 if moderated else 1]
    fit = synthesis.synthesise(y, v, x[:, 1:] if moderated else None, method)
    k, p = x.shape

    def projected(tau2):
        w = np.diag(1 / (v + tau2))
        return w - w @ x @ np.linalg.inv(x.T @ w @ x) @ x.T @ w

    at, zero, w = projected(fit.tau2), projected(0.0), 1 / (v + fit.tau2)
    error = dict(REML=2 / (at * at).sum(), ML=2 / (w ** 2).sum(), PM=2 * k ** 2 / (k - p) / w.sum() ** 2,
                 DL=(2 * (k - p) + 4 * fit.tau2 * np.trace(zero) + 2 * fit.tau2 ** 2 * (zero * zero).sum()) / np.trace(zero) ** 2)[method]
    assert fit.tau2 > 0 and fit.tau2_error == pytest.approx(error ** 0.5) and fit.q == pytest.approx(y @ zero @ y)
    assert dict(REML=y @ at @ at @ y - np.trace(at), ML=y @ at @ at @ y - w.sum(), PM=y @ at @ y - (k - p), DL=fit.tau2 - (fit.q - k + p) / np.trace(zero))[method] == pytest.approx(0, abs=1e-6)
    typical = (k - p) / np.trace(zero)
    assert fit.i2 == pytest.approx(100 * fit.tau2 / (fit.tau2 + typical)) and fit.h2 == pytest.approx(1 + fit.tau2 / typical) and fit.weights == pytest.approx(100 * w / w.sum())
    tested = slice(1 if moderated else 0, None)
    whole, m = fit.coef[tested] @ np.linalg.inv(fit.cov[tested, tested]) @ fit.coef[tested], 2 if moderated else 1
    plain = synthesis.synthesise(y, v, x[:, 1:] if moderated else None, method, False)
    assert [fit.qm, fit.qm_p] == pytest.approx([whole / m, f.sf(whole / m, m, k - p)]) and [plain.qm, plain.qm_p] == pytest.approx([whole * fit.scale, chi2.sf(whole * fit.scale, m)])
    for end, tail in zip(fit.tau2_interval(), (0.975, 0.025)):
        assert y @ projected(end) @ y == pytest.approx(chi2.ppf(tail, k - p)) or end == 0


def test_errors_ad_hoc_are_never_below_those_without():
    rows = [(synthesis.synthesise(*studies(5, tau, seed=s), knapp_hartung=way).std_error[0] for way in (False, True, "ad hoc")) for tau in (0.0, 0.5) for s in range(6)]
    for plain, knapp_hartung, ad_hoc in rows:
        assert ad_hoc == pytest.approx(max(plain, knapp_hartung))
    found = synthesis.synthesise([0.31, 0.3, 0.29], [0.1, 0.1, 0.1], knapp_hartung="ad hoc")
    assert found.std_error[0] == pytest.approx((0.1 / 3) ** 0.5) and found.df == 2


def test_heterogeneity_of_one_common_effect_is_from_q_and_not_below_0():
    found = synthesis.synthesise([0.31, 0.3, 0.29], [0.1, 0.1, 0.1], method="EE")
    assert found.i2 == 0 and found.tau2 == 0 and np.isnan(found.tau2_error) and found.h2 == pytest.approx(0.001)
    found = synthesis.synthesise([0.0, 1.0, 2.0], [0.1, 0.1, 0.1], method="EE")
    assert found.i2 == pytest.approx(90) and found.h2 == pytest.approx(10) and found.weights == pytest.approx([100 / 3] * 3)


def test_effects_far_from_0_or_in_another_unit_lose_nothing():
    y, v = studies(10, tau=0.6)
    for method in ("REML", "DL", "PM", "ML"):
        one = synthesis.synthesise(y, v, method=method)
        assert one.tau2 > 0
        for unit, zero in ((1e-6, 0), (1e5, 0), (1, 1000), (1, 1e7)):
            other = synthesis.synthesise(unit * y + zero, unit ** 2 * v, method=method)
            assert other.tau2 == pytest.approx(unit ** 2 * one.tau2, rel=1e-6) and other.coef[0] == pytest.approx(unit * one.coef[0] + zero) and other.tau2_interval() == pytest.approx([unit ** 2 * t for t in one.tau2_interval()], rel=1e-6)


def test_a_year_as_moderator_loses_no_digits():
    y, v = studies(12, tau=0.6)
    x = np.random.default_rng(3).permutation(12) / 4
    near, far = synthesis.synthesise(y, v, x), synthesis.synthesise(y, v, x + 20_000)
    assert [far.tau2, far.q, far.coef[1], far.std_error[1], *far.tau2_interval()] == pytest.approx([near.tau2, near.q, near.coef[1], near.std_error[1], *near.tau2_interval()], rel=1e-10)
    assert far.predict([[1, 20_001]]).iloc[0].to_numpy() == pytest.approx(near.predict([[1, 1]]).iloc[0].to_numpy(), rel=1e-5)
    one, two = (synthesis.leave_one_out(y, v, at)[["hat", "cooks_distance", "dffits", "covariance_ratio"]].to_numpy() for at in (x, x + 20_000))
    assert one == pytest.approx(two, rel=1e-3)
    one, two = (nested.three_level(y, v, np.arange(12) // 3, moderators=at) for at in (x, x + 20_000))
    assert [one["coef"][1], one["cov"][1, 1], one["q"]] == pytest.approx([two["coef"][1], two["cov"][1, 1], two["q"]], rel=1e-6)
    one, two = (nested.cluster_robust(fit, np.arange(12) // 3)["std_error"][1] for fit in (near, far))
    assert one == pytest.approx(two, rel=1e-10)


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
    share = fit.tau2 / (fit.tau2 + v)
    assert near["std_error"].to_numpy() == pytest.approx(np.sqrt(share * v + (1 - share) ** 2 * fit.std_error[0] ** 2))


@pytest.mark.parametrize("y, v, words", [
    ([0.3], [0.1], r"too few studies \(1,"), ([], [], "too few studies"), ([0.3, 0.4], [0.1, 0.0], "1 of 2 studies have a variance that is not above 0"), ([0.3, np.nan, None], [0.1, 0.1, 0.1], "2 of 3 studies have no effect"),
    ([0.3, 0.2], [0.1, -1], "1 of 2 studies have a variance that is not above 0"), ([0.3, 0.2, 0.1], [0.1, np.nan, np.inf], "2 of 3 studies have no variance"), ([0.3, 0.2], [0.1], "2 effects and 1 variances"), ([0.3, 0.2, 0.1], [0.1, 1e-12, 0.1], r"1e\+11 times the least")])
def test_what_cannot_be_pooled_is_refused(y, v, words):
    for call in (synthesis.synthesise, synthesis.trim_and_fill, synthesis.leave_one_out, synthesis.egger, lambda y, v: nested.three_level(y, v, np.arange(len(y)))):
        with pytest.raises(DataError, match=words if call is not synthesis.egger or "few" not in words else "few|fewer"):
            call(y, v)


def test_a_moderator_that_is_missing_is_counted():
    y, v = studies(6)
    with pytest.raises(DataError, match="1 of 6 studies have a moderator missing"):
        synthesis.synthesise(y, v, [1, 2, 3, 4, 5, np.nan])
    with pytest.raises(DataError, match="1 of 6 studies have no effect"):
        synthesis.synthesise(pd.Series([0.1, pd.NA, 0.2, 0.3, 0.4, 0.1], dtype="Float64"), pd.Series(v))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("method", synthesis.METHODS)
@pytest.mark.parametrize("way", [False, True, "ad hoc"])
def test_two_studies_or_alike_ones_give_an_answer_without_a_warning(method, way):
    for y, v in (([0.2, 0.6], [0.04, 0.09]), ([0.3, 0.3], [0.04, 0.09]), ([0.3] * 5, [0.1] * 5), ([0.0] * 4, [0.1] * 4)):
        fit = synthesis.synthesise(y, v, method=method, knapp_hartung=way)
        assert np.isfinite([fit.coef[0], fit.std_error[0], fit.conf_low[0], fit.conf_high[0], fit.tau2, fit.i2, fit.h2, fit.q, fit.q_p, *fit.tau2_interval(), *fit.predict().iloc[0], *synthesis.shrunken(fit)["estimate"]]).all()
        assert len([fit.p_value, fit.qm, fit.qm_p]) == 3 and synthesis.trim_and_fill(y, v, method=method, knapp_hartung=way)[0] == (1 if y[0] != y[1] else 0)
        if len(y) > 2:
            assert synthesis.leave_one_out(y, v, method=method, knapp_hartung=way)["tau2"].max() == 0
    for call in (synthesis.egger, synthesis.leave_one_out):
        with pytest.raises(DataError, match="fewer than three|too few"):
            call([0.2, 0.6], [0.04, 0.09])


def test_two_studies_are_pooled_with_the_interval_that_two_deserve():
    fit = synthesis.synthesise([0.2, 0.6], [0.04, 0.04])
    assert fit.df == 1 and fit.conf_high[0] - fit.conf_low[0] > 4


def test_the_higher_of_two_hills_is_found():
    # the likelihood falls from tau2 = 0 on, and has its top at 0.1: scoring from 0 never leaves it
    y, v, one = np.array([0.51, -0.01, 0.04, -0.8, -0.33]), np.array([0.0344, 0.0058, 0.0028, 0.1452, 0.2406]), np.ones((5, 1))
    tau2 = synthesis.synthesise(y, v).tau2
    values = np.append(0, np.geomspace(1e-5, 10, 2000))
    heights = between.log_likelihood(y, v, one, values)
    assert heights[1] < heights[0] and tau2 == pytest.approx(values[np.argmax(heights)], rel=5e-3) and tau2 > 0.09


def test_reml_corrects_for_the_mean_and_ml_does_not():
    y, v = studies(12, tau=0.5)
    reml, ml = (synthesis.synthesise(y, v, method=m).tau2 for m in ("REML", "ML"))
    alike = np.full(12, 0.02)
    assert reml > ml > 0 and [synthesis.synthesise(y, alike, method=m).tau2 for m in ("REML", "ML")] == pytest.approx([np.var(y, ddof=1) - 0.02, np.var(y) - 0.02], rel=1e-9)


@pytest.mark.parametrize("k", [2, 15, 4000])
def test_studies_of_one_size_have_the_tau2_that_a_pencil_finds(k):
    y, _ = studies(k)
    v = np.full(k, 0.01)
    for method in ("REML", "DL", "PM"):
        fit = synthesis.synthesise(y, v, method=method)
        assert fit.tau2 == pytest.approx(max(np.var(y, ddof=1) - 0.01, 0), rel=1e-9) and fit.std_error[0] == pytest.approx((max(np.var(y, ddof=1), 0 if fit.tau2 else 1e-9) / k) ** 0.5)


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
    for y, v in (([1, 2], [1, 1]), ([1, 2, 3, 4], [1, 1, 1, 1])):
        with pytest.raises(DataError, match="fewer than three studies, or all of the same size"):
            synthesis.egger(y, v)
    # studies of one size cannot say on which side one is missing: left
    assert synthesis.trim_and_fill([1.0, 2, 3, 9], [1, 1, 1, 1])[1] == "left"


def test_the_side_is_that_of_the_model_that_is_asked_for():
    # a line through the effects by their precision alone falls, with variance between studies it rises
    y, v = np.array([0.1, 0.5, 0.2, 0.15, -0.9, 1.4]), np.array([0.001, 0.002, 0.004, 0.05, 0.3, 0.3])
    common, random = (synthesis.synthesise(y, v, np.sqrt(v), m, False).coef[1] for m in ("EE", "REML"))
    for method, slope in (("EE", common), ("REML", random)):
        assert synthesis.trim_and_fill(y, v, method=method)[1] == ("right" if slope < 0 else "left")


def test_filling_that_does_not_settle_is_refused():
    y = [-0.12, 1.01, 0.02, 0.07, 0.24, 1.49, -0.14, -0.32, -0.08, 0.01]
    with pytest.raises(DataError, match="back and forth between"):
        synthesis.trim_and_fill(y, [0.0325, 0.4657, 0.0021, 0.0245, 0.15, 7.3024, 0.0286, 0.0249, 0.0089, 0.1982], method="DL", knapp_hartung=False)


def test_filling_by_hand():
    # one large study at 0, four small ones at 1 to 4: L0 = (4 (2+3+4+5) - 30) / 9 = 2.9, so three are cut; the mean of the others is 1/101 and the ranks stay
    y, v = np.array([0.0, 1, 2, 3, 4]), np.array([0.01, 1, 1, 1, 1])
    for turn, side in ((1, "left"), (-1, "right")):
        k0, where, fit, filled = found = synthesis.trim_and_fill(turn * y, v, method="EE")
        assert (k0, where, filled["variance"].tolist()) == (3, side, [1, 1, 1]) and (turn * filled["effect"]).tolist() == pytest.approx([2 / 101 - 2, 2 / 101 - 3, 2 / 101 - 4])
        assert turn * fit.coef[0] == pytest.approx((1 + 3 * 2 / 101) / 107) and fit.k == 8
        c = 26 / 9
        assert found.k0_error == pytest.approx(4 / 9 * ((330 + 10 * c ** 3 + 27 * c ** 2 + 17 * c - 90 * c ** 2 - 90 * c + 150 * c) / 24) ** 0.5)


def test_effects_of_one_study_each_have_one_variance_between_them():
    y, v = studies()
    flat, found = synthesis.synthesise(y, v, knapp_hartung=False), nested.three_level(y, v, np.arange(20))
    assert found["tau2_outer"] + found["tau2_inner"] == pytest.approx(flat.tau2, rel=1e-6) and found["estimate"] == pytest.approx(flat.coef[0], rel=1e-6)


def test_effects_that_repeat_each_other_count_once():
    y, v = studies(8)
    often = np.repeat(np.arange(8), 10)
    naive, found = synthesis.synthesise(y[often], v[often], knapp_hartung=False), nested.three_level(y[often], v[often], often)
    assert found["std_error"] > 2 * naive.std_error[0] and nested.cluster_robust(naive, often)["std_error"][0] > 2 * naive.std_error[0]


def test_units_within_clusters_have_the_likelihood_of_whole_matrices():
    rng = np.random.default_rng(5)
    outer, inner = np.repeat(np.arange(6), 8), np.tile(np.repeat(np.arange(4), 2), 6)
    v = rng.uniform(0.01, 0.1, 48)
    y = 0.3 + rng.normal(0, 0.4, 6)[outer] + rng.normal(0, 0.3, 24)[4 * outer + inner] + rng.normal(0, np.sqrt(v))
    x = np.column_stack([np.ones(48), rng.normal(size=48)])
    found = nested.three_level(y, v, outer, inner, x[:, 1])
    matrix = np.diag(v) + (outer[:, None] == outer) * (found["tau2_outer"] + found["tau2_inner"] * (inner[:, None] == inner))
    solved = np.linalg.inv(matrix)
    cov = np.linalg.inv(x.T @ solved @ x)
    assert found["cov"] == pytest.approx(cov) and found["coef"] == pytest.approx(cov @ x.T @ solved @ y) and found["tau2_outer"] > 0 < found["tau2_inner"]
    p = solved - solved @ x @ cov @ x.T @ solved
    for shape in (outer[:, None] == outer, (outer[:, None] == outer) & (inner[:, None] == inner)):        # both slopes are 0 at the top
        assert y @ p @ shape @ p @ y == pytest.approx(np.trace(p @ shape), rel=1e-4)
    value = -0.5 * (46 * np.log(2 * np.pi) + np.linalg.slogdet(matrix)[1] - np.linalg.slogdet(cov)[1] - np.linalg.slogdet(x.T @ x)[1] + y @ p @ y)
    assert found["log_likelihood"] == pytest.approx(value)
    renamed = nested.three_level(y, v, np.array(list("abcdef"))[outer], np.array(list("wxyz"))[inner], x[:, 1])
    assert renamed["estimate"] == found["estimate"]


def test_a_variance_that_is_not_there_is_0_and_a_small_one_is_not():
    y, v = np.array([0.1, 0.9, 0.2, 0.8, 0.15, 0.85]), np.full(6, 0.01)
    found = nested.three_level(y, v, [0, 0, 1, 1, 2, 2])        # clusters agree, effects within them do not
    assert found["tau2_outer"] == 0 and found["tau2_inner"] == pytest.approx(np.var(y, ddof=1) - 0.01, rel=1e-5)
    assert nested.three_level(np.full(6, 0.3), v, [0, 0, 1, 1, 2, 2])["tau2_inner"] == 0
    # balanced: mean squares between and within clusters give both
    y = np.array([0.0, 0.2, 0.25, 0.45, 0.35, 0.65])
    found, groups = nested.three_level(y, v, [0, 0, 1, 1, 2, 2]), y.reshape(3, 2)
    within = (np.diff(groups).ravel() ** 2 / 2).mean()
    assert [found["tau2_inner"], found["tau2_outer"]] == pytest.approx([within - 0.01, np.var(groups.mean(axis=1), ddof=1) - within / 2], rel=1e-4) and found["tau2_outer"] > 0 < found["tau2_inner"]


def test_effects_without_a_cluster_or_of_one_are_refused():
    y, v = studies(6)
    for outer in ([1] * 6, [1, 1, 2, 2, None, 3], [1, 2]):
        with pytest.raises(DataError, match="two clusters or more"):
            nested.three_level(y, v, outer)
    for cluster in ([1] * 6, [1, 1, 2, 2, None, 3], [1, 2]):
        with pytest.raises(DataError, match="more clusters"):
            nested.cluster_robust(synthesis.synthesise(y, v), cluster)


def test_studies_without_a_group_are_a_group():
    y, v = studies(6)
    found, _, _ = synthesis.synthesise_by(y, v, ["a", "a", None, "a", np.nan, "a"])
    assert {level: fit.k for level, fit in found.items()} == {"a": 4, "missing": 2}


def test_errors_robust_to_clusters_of_one_are_whites_with_t_limits():
    y, v = studies(8)
    fit = synthesis.synthesise(y, v)
    w = 1 / (v + fit.tau2)
    error = ((w * (y - fit.coef[0])) ** 2).sum() ** 0.5 / w.sum() * (8 / 7) ** 0.5
    row = nested.cluster_robust(fit, np.arange(8)).iloc[0]
    assert [row.std_error, row.conf_high, row.conf_low] == pytest.approx([error, fit.coef[0] + 2.364624 * error, fit.coef[0] - 2.364624 * error]) and row.df == 7
    assert nested.three_level(y, v, np.arange(8))["q"] == pytest.approx(fit.q)


def test_groups_are_compared_by_their_means_and_the_errors_of_these():
    y, v = studies(12, tau=0.6)
    found, q, p = synthesis.synthesise_by(y, v, list("aaaabbbbcccc"))
    means, weights = [np.array([pick(fit) for fit in found.values()]) for pick in (lambda fit: fit.coef[0], lambda fit: fit.scale / fit.cov[0, 0])]
    assert [fit.scale != 1 for fit in found.values()] == [True] * 3 and any(fit.tau2 > 0 for fit in found.values())
    assert q == pytest.approx((weights * (means - (weights * means).sum() / weights.sum()) ** 2).sum()) and p == pytest.approx(chi2.sf(q, 2))


def test_eggers_test_is_a_line_through_standardised_effects():
    import statsmodels.api as sm

    y, v = studies(12)
    line, found = sm.OLS(y / np.sqrt(v), sm.add_constant(1 / np.sqrt(v))).fit(), synthesis.egger(y, v)
    assert [found[k] for k in ("bias", "bias_error", "t", "p_value", "limit", "limit_error", "df")] == pytest.approx([line.params[0], line.bse[0], line.tvalues[0], line.pvalues[0], line.params[1], line.bse[1], 10])


@pytest.mark.filterwarnings("error")
def test_variances_far_apart_keep_their_digits():
    # two studies: P = w1 w2 / (w1 + w2) [[1, -1], [-1, 1]], so that the trace of its square is 4 (w1 w2 / (w1 + w2))^2
    for v in (np.array([1e-9, 1.0]), np.array([0.1, 0.2]), np.array([1e-4, 1.0])):
        w = 1 / v
        assert between.squared_trace(v, np.ones((2, 1)), 0.0) == pytest.approx(4 * (w.prod() / w.sum()) ** 2, rel=1e-6)
        for method in synthesis.METHODS[:4]:
            assert synthesis.synthesise([0.1, 0.2], v, method=method).tau2_error > 0


def test_subgroups_of_one_study_are_not_fitted():
    y, v = studies(6)
    found, q, p = synthesis.synthesise_by(y, v, ["a", "a", "a", "b", "b", "c"])
    assert set(found) == {"a", "b"} and q >= 0 and 0 <= p <= 1
    assert np.isnan(synthesis.synthesise_by(y, v, list("aaaaab"))[1])


# ---- counts without errors of their own

def test_common_ratios_are_those_of_statsmodels():
    from statsmodels.stats.contingency_tables import StratifiedTable

    a, n1, c, n2 = np.array([4, 6, 0, 62]), np.array([123, 306, 30, 1356]), np.array([11, 29, 3, 248]), np.array([139, 303, 31, 1300])
    theirs = StratifiedTable([np.array([[a[i], n1[i] - a[i]], [c[i], n2[i] - c[i]]]) for i in range(4)])
    found = mantel_haenszel.mantel_haenszel(a, n1, c, n2, "OR")
    assert [found["estimate"], found["std_error"]] == pytest.approx([theirs.logodds_pooled, theirs.logodds_pooled_se]) and [found["conf_low"], found["conf_high"]] == pytest.approx(theirs.logodds_pooled_confint())
    assert found["q_p"] == pytest.approx(chi2.sf(found["q"], 3)) and found["i2"] == pytest.approx(max(0, 100 * (found["q"] - 3) / found["q"]))
    assert mantel_haenszel.mantel_haenszel(a, n1, c, n2)["estimate"] == pytest.approx(np.log(theirs.riskratio_pooled))


@pytest.mark.filterwarnings("error")
def test_one_study_has_its_own_ratio_and_empty_cells_need_nothing_added():
    for measure, own in (("RR", sizes.log_risk_ratio), ("OR", sizes.log_odds_ratio), ("IRR", sizes.log_rate_ratio)):
        found, (y, v) = mantel_haenszel.mantel_haenszel(10, 100, 20, 90, measure), own(10, 100, 20, 90)
        assert [found["estimate"], found["std_error"], found["q"], found["i2"], found["q_p"]] == pytest.approx([y, v ** 0.5, 0, 0, 1])
        with pytest.raises(DataError, match="no events in any study"):
            mantel_haenszel.mantel_haenszel([0, 0], [10, 10], [1, 2], [10, 10], measure)
        with pytest.raises(DataError, match="1 of 2 studies lack a count"):
            mantel_haenszel.mantel_haenszel([1, np.nan], [10, 10], [1, 2], [10, 10], measure)
    assert mantel_haenszel.mantel_haenszel([0, 5], [10, 50], [2, 5], [10, 50])["estimate"] == pytest.approx(np.log(2.5 / 3.5))
    with pytest.raises(DataError, match="more events than people"):
        mantel_haenszel.mantel_haenszel([11], [10], [1], [10])
    with pytest.raises(DataError, match="there are RR, OR, IRR"):
        mantel_haenszel.mantel_haenszel([1], [10], [1], [10], "HR")


# ---- effect sizes

@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("call, words", [
    (lambda: sizes.hedges_g(1, 0, 10, 1, 2, 10), "standard deviation is 0"), (lambda: sizes.mean_difference(1, 2, 10, 1, -2, 10), "standard deviation is 0"), (lambda: sizes.hedges_g(1, 2, 1, 1, 2, 10), "n1 is below 2"),
    (lambda: sizes.change_by_change_sd(1, 2, 1, 2, 10, 1.2), "correlation lies beyond"), (lambda: sizes.change_by_change_sd(1, 2, 1, 2, 10, 1.0), "standard deviation is 0"), (lambda: sizes.change_by_first_sd(1, 2, 0, 10, 0.5), "standard deviation is 0"),
    (lambda: sizes.change_from_t(2, 1), "n is below 2"), (lambda: sizes.log_mean_ratio(-1, 1, 10, 1, 1, 10), "same side of 0"), (lambda: sizes.log_mean_ratio(1, 1, 10, 0, 1, 10), "same side of 0"),
    (lambda: sizes.fisher_z(1, 10), "within -1 and 1"), (lambda: sizes.fisher_z(0.5, 3), "more than three"), (lambda: sizes.log_odds(11, 10), "more events"), (lambda: sizes.risk_difference(1, 10, -1, 10), "fewer than none"),
    (lambda: sizes.log_rate_ratio(1, 0, 1, 10), "no time"), (lambda: sizes.log_rate_ratio(-1, 10, 1, 10), "fewer than no events"), (lambda: sizes.from_interval(0.5, -0.1, 1, ratio=True), "not above 0")])
def test_numbers_that_cannot_be_are_refused(call, words):
    with pytest.raises(DataError, match=words):
        call()


@pytest.mark.filterwarnings("error")
def test_a_missing_number_gives_a_missing_effect_and_no_warning():
    for call in (lambda x: sizes.hedges_g(x, 1, 10, 1, 1, 10), lambda x: sizes.hedges_g(1, x, 10, 1, 1, 10), lambda x: sizes.log_risk_ratio(x, 10, 1, 10), lambda x: sizes.log_rate_ratio(1, x, 1, 10), lambda x: sizes.fisher_z(x, 10),
                 lambda x: sizes.log_mean_ratio(x, 1, 10, 1, 1, 10), lambda x: sizes.change_by_first_sd(1, 2, x, 10, 0.5), lambda x: sizes.from_interval(x + 1, 1, 2, ratio=True), lambda x: sizes.mean_change(x, 1, 2, 1, 9, 0.5)):
        assert np.isnan(np.asarray(call(np.array([np.nan, 0.5]))[0])[0])


def test_correlations_and_shares_are_put_on_a_scale_without_ends():
    assert sizes.fisher_z(0.5, 28) == (pytest.approx(0.5 * np.log(3)), pytest.approx(0.04)) and sizes.log_odds(20, 80) == (pytest.approx(np.log(1 / 3)), pytest.approx(1 / 20 + 1 / 60))
    assert sizes.log_odds(0, 10)[0] == pytest.approx(np.log(0.5 / 10.5)) and sizes.log_mean_ratio(4, 1, 10, 2, 1, 20) == (pytest.approx(np.log(2)), pytest.approx(1 / 160 + 1 / 80))
    assert sizes.risk_difference(2, 10, 5, 10) == (pytest.approx(-0.3), pytest.approx(0.016 + 0.025))


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
