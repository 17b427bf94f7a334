"""Rate ratios: by hand, against statsmodels, and data that can answer nothing."""

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from sprx.errors import DataError
from sprx.stats.counts import log_rates, rate_ratio

DID = {"s1": 1, "s0": -1, "c1": -1, "c0": 1}


def panel(people=120, months=8, seed=1, clusters=None):
    """People of two arms with months before (0) and after (1), uses that differ between people, and a true ratio of ratios of 0.8."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), months)
    own, after = person % 2 == 0, np.tile(np.arange(months) >= months // 2, people)
    rate = rng.gamma(1.5, 1 / 1.5, people)[person] * np.where(own & after, 0.8, 1.0)
    exposure = rng.uniform(0.5, 1.5, len(person))
    cell = np.where(own, "s", "c").astype(object) + after.astype(int).astype(str)
    return pd.DataFrame(dict(person=person, own=own, cell=cell, exposure=exposure, count=rng.poisson(rate * exposure), weight=rng.uniform(0.2, 2, people)[person],
                             cluster=person if clusters is None else (person // 2) % clusters))


def saturated(data, weights=None):
    """statsmodels: a Poisson regression with one column per cell, sandwich by cluster without its small-sample factor."""
    x = pd.get_dummies(data["cell"]).astype(float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")         # that the sandwich is 'not fully supported' with weights: its scores carry them
        return sm.GLM(data["count"], x, family=sm.families.Poisson(), offset=np.log(data["exposure"]), freq_weights=weights).fit(
            cov_type="cluster", cov_kwds=dict(groups=data["cluster"].to_numpy(), use_correction=False), tol=1e-12)


# ---- cells --------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("weighted", [False, True])
def test_cells_are_the_saturated_poisson_regression_with_the_sandwich_by_cluster(weighted):
    data = panel(clusters=11)                   # clusters hold people of both arms: one sample of 11
    weights = data["weight"] if weighted else None
    fit, ours = saturated(data, weights), log_rates(data["count"], data["exposure"], data["cell"], data["cluster"], weights)
    assert ours.cells["log_rate"].to_numpy() == pytest.approx(fit.params.to_numpy(), abs=1e-10)
    assert ours.cov == pytest.approx(fit.cov_params().to_numpy() * 11 / 10, rel=1e-8)
    found = ours.contrast(DID)
    line = np.array([DID[c] for c in fit.params.index])
    error = np.sqrt(line @ fit.cov_params().to_numpy() @ line * 11 / 10)
    assert (found["std_error"], found["df"]) == (pytest.approx(error, rel=1e-8), pytest.approx(10))
    assert np.log([found["conf_low"], found["conf_high"]]) == pytest.approx(line @ fit.params + error * stats.t.ppf([0.025, 0.975], 10), rel=1e-8)


@pytest.mark.parametrize("weighted", [False, True])
def test_arms_that_share_no_cluster_are_two_samples_with_their_own_factor(weighted):
    data = panel()
    weights = data["weight"] if weighted else None
    fit, ours = saturated(data, weights), log_rates(data["count"], data["exposure"], data["cell"], data["cluster"], weights)
    assert ours.cov == pytest.approx(fit.cov_params().to_numpy() * 60 / 59, rel=1e-8, abs=1e-15)
    assert sorted(np.bincount(ours.block)) == [60, 60]


def test_the_ratio_of_two_groups_by_hand():
    # one row each: rates 2, 3, 4 (mean 3) and 1, 2, 3 (mean 2): var of a log mean = 3/2 x sum (y - mean)^2 / (n mean)^2
    fit = log_rates([2, 3, 4, 1, 2, 3], np.ones(6), list("aaabbb"), range(6))
    found = fit.contrast({"a": 1, "b": -1})
    one, two = 1.5 * 2 / 81, 1.5 * 2 / 36
    assert found["estimate"] == pytest.approx(1.5) and found["std_error"] == pytest.approx((one + two) ** 0.5)
    assert found["df"] == pytest.approx((one + two) ** 2 / (one ** 2 / 2 + two ** 2 / 2))                      # Welch and Satterthwaite
    assert found["conf_high"] == pytest.approx(1.5 * np.exp(stats.t.ppf(0.975, found["df"]) * (one + two) ** 0.5))
    assert fit.contrast({"b": 1, "a": -1})["conf_low"] == pytest.approx(1 / found["conf_high"])
    assert fit.contrast({"a": 1, "b": -1}, 0.5)["conf_high"] < found["conf_high"]


def test_a_cell_can_be_a_part_of_another():
    data = panel()
    again = data[data["cell"].eq("c0")].assign(cell="reference")
    both = pd.concat([data, again])
    fit = log_rates(both["count"], both["exposure"], both["cell"], both["cluster"])
    same = fit.contrast({"reference": 1, "c0": -1})
    assert (same["estimate"], same["std_error"], same["conf_low"], same["conf_high"]) == pytest.approx((1, 0, 1, 1), abs=1e-7)


def test_exposure_doubled_everywhere_and_scaled_weights_change_nothing_and_more_weight_counts_as_more_rows():
    data = panel()
    base = log_rates(data["count"], data["exposure"], data["cell"], data["cluster"]).contrast(DID)
    doubled = log_rates(data["count"], 2 * data["exposure"], data["cell"], data["cluster"], np.full(len(data), 7.0)).contrast(DID)
    assert list(doubled.values())[:4] == pytest.approx(list(base.values())[:4])
    twice = np.where(data["person"] < 20, 2.0, 1.0)
    rows = pd.concat([data, data[data["person"] < 20]])
    weighted = log_rates(data["count"], data["exposure"], data["cell"], data["cluster"], twice).contrast(DID)
    repeated = log_rates(rows["count"], rows["exposure"], rows["cell"], rows["cluster"]).contrast(DID)
    assert weighted["estimate"] == pytest.approx(repeated["estimate"]) and weighted["std_error"] == pytest.approx(repeated["std_error"])
    nobody = log_rates(data["count"], data["exposure"], data["cell"], data["cluster"], np.where(data["person"] < 60, 1.0, 0.0))
    assert len(nobody.influence) == 60                      # people without weight are no clusters


def test_a_cell_without_an_event_has_no_rate_and_never_inf():
    fit = log_rates([0, 0, 3, 1], np.ones(4), list("aabb"), range(4))
    assert np.isnan(fit.cells.at["a", "log_rate"]) and np.isfinite(fit.influence).all()
    found = fit.contrast({"a": 1, "b": -1})
    assert found["why"] == "nobody has an event in a" and np.isnan(list(found.values())[:5]).all()
    assert fit.contrast({"b": 1})["why"] == "" and fit.contrast({"z": 1})["why"] == "nothing was observed in z"
    assert fit.joint([{"a": 1, "b": -1}])["why"] == "nobody has an event in a"


def test_one_cluster_on_a_side_tells_nothing_of_how_clusters_differ():
    data = panel().assign(cluster=lambda d: np.where(d["own"], 9999, d["person"]))
    found = log_rates(data["count"], data["exposure"], data["cell"], data["cluster"]).contrast(DID)
    assert "one cluster only" in found["why"] and np.isnan(found["estimate"])


def test_the_joint_test_of_one_sum_is_the_t_test_and_few_clusters_refuse_many_sums():
    data = panel(clusters=11)
    fit = log_rates(data["count"], data["exposure"], data["cell"], data["cluster"])
    one, test = fit.contrast(DID), fit.joint([DID])
    t = np.log(one["estimate"]) / one["std_error"]
    assert test["p"] == pytest.approx(2 * stats.t.sf(abs(t), 10)) and (test["df"], test["df_error"]) == (1, 10)
    # Hotelling: with k sums F = (G - k) / (k (G - 1)) x Wald
    lines = [{"s1": 1, "s0": -1}, {"c1": 1, "c0": -1}]
    w = np.array([[line.get(c, 0) for c in fit.cells.index] for line in lines])
    values = w @ fit.cells["log_rate"].to_numpy()
    assert fit.joint(lines)["statistic"] == pytest.approx(values @ np.linalg.inv(w @ fit.cov @ w.T) @ values * 9 / 20)
    few = panel(clusters=2)
    assert "too few" in log_rates(few["count"], few["exposure"], few["cell"], few["cluster"]).joint(lines)["why"]
    assert fit.joint([])["why"] == "there is nothing to compare"


def test_limits_cover_the_truth_and_the_joint_test_keeps_its_size():
    hits, false = 0, 0
    for seed in range(400):
        data = panel(people=60, months=4, seed=seed)
        fit = log_rates(data["count"], data["exposure"], data["cell"], data["cluster"])
        found = fit.contrast(DID)
        hits += found["conf_low"] <= 0.8 <= found["conf_high"]
        null = log_rates(data["count"], data["exposure"], data["cell"].str[0] + (data.index % 4).astype(str), data["cluster"])
        control = [{f"c{k}": 1, "c0": -1} for k in (1, 2, 3)]       # the comparison people's rate never changes
        false += null.joint(control)["p"] < 0.05
    assert 0.93 <= hits / 400 <= 0.98 and 0.025 <= false / 400 <= 0.08      # 400 draws: standard error 1.1 points


# ---- regression ---------------------------------------------------------------------------------------------------------------

def people_counts(n=200, seed=3):
    rng = np.random.default_rng(seed)
    own, earlier = np.arange(n) % 2.0, rng.normal(size=n)
    exposure = rng.uniform(0.5, 2, n)
    return rng.poisson(exposure * np.exp(0.5 - 0.3 * own + 0.4 * earlier) * rng.gamma(2, 0.5, n)), exposure, pd.DataFrame(dict(own=own, earlier=earlier))


def test_alpha_is_that_of_statsmodels_joint_fit():
    count, exposure, design = people_counts()
    joint = sm.NegativeBinomial(count, sm.add_constant(design), exposure=exposure).fit(disp=0, maxiter=500)
    found = rate_ratio(count, exposure, design)
    assert found["dispersion"].iloc[0] == pytest.approx(joint.params["alpha"], rel=1e-4)
    assert np.log(found["ratio"]).to_numpy() == pytest.approx(joint.params.to_numpy()[:3], abs=1e-5) and np.isinf(found["df"]).all()


def test_robust_limits_are_those_of_statsmodels_with_t():
    count, exposure, design = people_counts()
    clusters = np.arange(200) // 10
    found = rate_ratio(count, exposure, design, clusters, "quasi_poisson", 0.9)
    fit = sm.GLM(count, sm.add_constant(design), family=sm.families.Poisson(), offset=np.log(exposure)).fit(cov_type="cluster", cov_kwds=dict(groups=clusters))
    assert found["std_error"].to_numpy() == pytest.approx(fit.bse.to_numpy(), rel=1e-6) and found["df"].eq(19).all()
    assert found.at["own", "conf_low"] == pytest.approx(np.exp(fit.params["own"] - stats.t.ppf(0.95, 19) * fit.bse["own"]), rel=1e-6)
    assert list(found.index) == ["(rate)", "own", "earlier"]
    free = rate_ratio(count, exposure, design, family="quasi_poisson")
    assert free["dispersion"].iloc[0] == pytest.approx(fit.pearson_chi2 / 197, rel=1e-6) and free["df"].eq(197).all()


def test_twice_the_exposure_halves_the_rate_and_leaves_the_ratio():
    count, exposure, design = people_counts()
    one, two = rate_ratio(count, exposure, design), rate_ratio(count, 2 * exposure, design)
    assert two["ratio"].to_numpy() == pytest.approx(one["ratio"].to_numpy() * [0.5, 1, 1], rel=1e-5)
    turned = rate_ratio(count, exposure, design.assign(own=1 - design["own"]))
    assert turned.at["own", "ratio"] == pytest.approx(1 / one.at["own", "ratio"], rel=1e-5)
    assert turned.at["own", "conf_low"] == pytest.approx(1 / one.at["own", "conf_high"], rel=1e-5)


def test_counts_that_vary_less_than_a_poisson_have_alpha_near_0():
    count = np.tile([2.0, 3.0], 50)
    found = rate_ratio(count, np.ones(100), pd.DataFrame(dict(own=np.repeat([0.0, 1], 50))))
    assert found["dispersion"].iloc[0] < 1e-6 and found.at["own", "ratio"] == pytest.approx(1)


@pytest.mark.parametrize("count, exposure, own, clusters, words", [
    ([0] * 6, [1] * 6, [0, 0, 0, 1, 1, 1], None, "nobody has an event"),
    ([2] * 6, [1] * 6, [0, 0, 0, 1, 1, 1], None, "nothing varies"),
    ([1, 2, 3, 0, 0, 0], [1] * 6, [0, 0, 0, 1, 1, 1], None, "nobody with own = 1 has an event"),
    ([0, 0, 0, 1, 2, 3], [1] * 6, [0, 0, 0, 1, 1, 1], None, "nobody with own = 0 has an event"),
    ([1, 2, 3, 1, 2, 3], [1] * 6, [1] * 6, None, "never varies"),
    ([1, 2], [1] * 2, [0, 1], None, "too few people"),
    ([1, 2, 3, 1, 2, 3], [1, 1, 1, 1, 1, 0], [0, 0, 0, 1, 1, 1], None, "more than 0"),
    ([1, 2, 3, 1, 2, -3], [1] * 6, [0, 0, 0, 1, 1, 1], None, "0 or more"),
    ([1, 2, 3, 1, 2, np.nan], [1] * 6, [0, 0, 0, 1, 1, 1], None, "all be known"),
    ([], [], [], None, "there must be some"),
    ([1, 2, 3, 1, 2, 5], [1] * 6, [0, 0, 0, 1, 1, 1], [1] * 6, "one cluster only")])
@pytest.mark.parametrize("family", ["negative_binomial", "quasi_poisson"])
def test_what_no_regression_can_answer_is_refused_in_words(count, exposure, own, clusters, words, family):
    with pytest.raises(DataError, match=words):
        rate_ratio(count, exposure, pd.DataFrame(dict(own=np.array(own, dtype=float))), clusters, family)


def test_a_covariate_that_tells_those_with_events_apart_is_refused():
    count = np.array([0, 0, 0, 0, 0, 0, 0, 3, 4, 5.0])
    with pytest.raises(DataError, match="do not fix the ratios"):
        rate_ratio(count, np.ones(10), pd.DataFrame(dict(three=[0.0] * 4 + [1, 1, 1, 2, 2, 2], own=[0.0, 1] * 5)), family="quasi_poisson")
