"""Those lost: hand-computed cases, planted truths that are found again, and data that can answer nothing."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import sprx
from sprx.cohort.lost import scores_and_covariates
from sprx.disclosure import RULES, release
from sprx.errors import DataError
from sprx.metrics.how_well.lost import ALREADY, NEVER, NOBODY_LOST, change_if_lost, who_is_lost
from sprx.stats import missing, mmrm
from sprx.wording import missing as words

MEASURE = pd.Series(dict(name="Test scale", mid_value=3.0, higher_is_better="yes", total_min=0.0, total_max=40.0))


def planted(n, seed, change=2.0, lost=1.2):
    """Scores whose mean change is `change` and whose follow-up is likelier to be missing the lower the first score was."""
    rng = np.random.default_rng(seed)
    age = rng.normal(50, 15, n)
    baseline = rng.normal(20, 4, n)
    follow_up = 20 + change + 0.6 * (baseline - 20) + 0.05 * (age - 50) + rng.normal(0, 2, n)
    gone = rng.random(n) < 1 / (1 + np.exp(lost * (baseline - 20) / 4))
    return pd.DataFrame(dict(arm="scheme", baseline=baseline, follow_up=np.where(gone, np.nan, follow_up), known_age=age))


def row(table, measure, level="all"):
    return table[(table["measure"] == measure) & (table["level"] == level)].iloc[0]


# ---- covariates as numbers ----------------------------------------------------------------------------------------------------

def test_covariates_become_numbers_and_what_says_nothing_is_left_out():
    table = pd.DataFrame(dict(age=["30", "40", None, "50"] * 10, sex=["f", "m", "f", "f"] * 10, same=1, none=None,
                              town=["a"] * 25 + ["b"] * 11 + ["c", "d", "e", "f"]))
    out = missing.coded(table)
    assert list(out) == ["age", "sex: m", "town: b"] and out["age"].isna().sum() == 10 and out["sex: m"].sum() == 10
    assert list(missing.coded(table, 1)) == ["age"]
    assert list(missing.coded(pd.DataFrame(dict(flag=pd.array([True, False, True, None] * 10, dtype="boolean"))))) == ["flag: no"]
    rare = pd.DataFrame(dict(town=["a"] * 20 + [f"t{i}" for i in range(12)]))
    assert list(missing.coded(rare)) == ["town: other levels"] and missing.coded(rare).sum().item() == 12


# ---- Rubin, imputation --------------------------------------------------------------------------------------------------------

def test_rubins_rules_by_hand():
    out = missing.pool([1.0, 3.0], [0.5, 1.5], 10)
    # within 1, between 2, total 1 + 1.5 x 2 = 4, share 3/4; df: 1/((3/4)^2/1 + 1/(11/13 x 10 x 1/4))
    assert (out["estimate"], out["within"], out["between"], out["total"]) == (2.0, 1.0, 2.0, 4.0)
    assert out["df"] == pytest.approx(1 / (9 / 16 + 1 / (11 / 13 * 10 / 4)))
    assert missing.pool([1.0, 1.0], [4.0, 4.0], 10)["df"] == pytest.approx(11 / 13 * 10)      # nothing missing: only the complete-data part


def test_imputation_keeps_what_was_measured_is_repeatable_and_carries_the_uncertainty():
    data = planted(300, 1)[["known_age", "baseline", "follow_up"]]
    copies = missing.impute(data, 5, seed=3)
    known = data.notna().to_numpy()
    assert copies.shape == (5, 300, 3) and np.allclose(copies[:, known], data.to_numpy()[known]) and not np.isnan(copies).any()
    assert np.array_equal(copies, missing.impute(data, 5, seed=3)) and not np.array_equal(copies, missing.impute(data, 5, seed=4))
    # the spread of what is drawn is the residual spread (2 points), not that of the predictions only
    model = np.polynomial.polynomial.polyfit(copies[0, ~known[:, 2], 1], copies[0, ~known[:, 2], 2], 1)
    assert 1.6 < (copies[0, ~known[:, 2], 2] - np.polynomial.polynomial.polyval(copies[0, ~known[:, 2], 1], model)).std() < 2.6


def test_what_is_drawn_differs_between_copies_by_the_error_of_the_mean_too():
    # Rubin (1987), page 167: sigma^2 is SS / chi-square of n - 1, whose mean is SS / (n - 3); the mean of 200 drawn about a mean of 20 has the
    # variance sigma^2 (1/20 + 1/200), ten times what it would be about a fixed mean; 2,000 copies know a variance to 3%
    known = np.random.default_rng(2).normal(10, 3, 20)
    copies = missing.impute(np.append(known, np.full(200, np.nan))[:, None], 2000, 1)
    expected = ((known - known.mean()) ** 2).sum() / 17 * (1 / 20 + 1 / 200)
    assert copies[:, 20:, 0].mean(axis=1).var() == pytest.approx(expected, rel=0.12)


def test_the_chain_goes_on_until_what_was_drawn_first_is_forgotten():
    # two scores with correlation 0.975, of which one or the other is missing for seven in ten: values drawn without the other one have 0.6
    rng = np.random.default_rng(1)
    first = rng.normal(size=400)
    scores = np.column_stack([first, first + 0.2 * rng.normal(size=400)])
    one = rng.random(400) < 0.45
    other = ~one & (rng.random(400) < 0.45)
    true = np.corrcoef(scores.T)[0, 1]
    scores[one, 0], scores[other, 1] = np.nan, np.nan
    assert np.mean([np.corrcoef(copy.T)[0, 1] for copy in missing.impute(scores, 5, 1)]) == pytest.approx(true, abs=0.02)


def test_imputation_fills_covariates_too_and_survives_columns_that_repeat_or_never_vary():
    data = planted(200, 2)[["known_age", "baseline", "follow_up"]].assign(again=lambda t: 2 * t["baseline"], same=1.0)
    data.loc[:20, "known_age"] = np.nan
    assert not np.isnan(missing.impute(data, 3, seed=1)).any()
    assert (missing.impute(pd.DataFrame(dict(a=[5.0] * 9 + [np.nan], b=range(10))), 2, 1)[:, :, 0] == 5).all()


def test_imputation_refuses_what_too_few_scores_cannot_tell():
    with pytest.raises(DataError, match="too few"):
        missing.impute(pd.DataFrame(dict(baseline=[1.0, 2, 3, 4, 5], follow_up=[2.0, 3, 4, np.nan, np.nan])), 5, 1)


# ---- MMRM ---------------------------------------------------------------------------------------------------------------------

def test_two_visits_give_the_regression_estimator():
    data = planted(60, 3)
    baseline, follow_up = data["baseline"].to_numpy(), data["follow_up"].to_numpy()
    both = ~np.isnan(follow_up)
    slope, start = np.polyfit(baseline[both], follow_up[both], 1)
    expected = start + slope * baseline.mean() - baseline.mean()
    for reml in (True, False):
        fit = mmrm.fit_mmrm(np.column_stack([baseline, follow_up]), np.ones((60, 1)), reml)
        assert fit.coef[1, 0] - fit.coef[0, 0] == pytest.approx(expected, abs=1e-5)
    filled = mmrm.conditional_means(np.column_stack([baseline, follow_up]), np.ones((60, 1)) @ fit.coef.T, fit.sigma)
    assert filled[:, 1].mean() == pytest.approx(fit.coef[1, 0], abs=1e-6) and np.allclose(filled[both, 1], follow_up[both])


def test_the_error_of_two_visits_counts_what_those_lost_make_uncertain():
    # var = e^2 (1/n_both + (mean of all - mean of both)^2 / Sxx) + (slope - 1)^2 var(x) / n: the middle part is missing from the usual formula
    data = planted(80, 21)
    x, y = data["baseline"].to_numpy(), data["follow_up"].to_numpy()
    both = ~np.isnan(y)
    slope, start = np.polyfit(x[both], y[both], 1)
    error = ((y - start - slope * x)[both] ** 2).sum() / (both.sum() - 2)
    apart = (x.mean() - x[both].mean()) ** 2 / ((x[both] - x[both].mean()) ** 2).sum()
    rest = (slope - 1) ** 2 * x.var(ddof=1) / 80
    fit = mmrm.fit_mmrm(np.column_stack([x, y]), np.ones((80, 1)))
    found = fit.contrast([[-1], [1]], 0.95)["std_error"]
    assert found == pytest.approx(np.sqrt(error * (1 / both.sum() + apart) + rest), rel=0.03)
    assert found > 1.05 * np.sqrt(error / both.sum() + rest)


def test_coefficients_are_generalised_least_squares_also_where_visits_share_one():
    rng = np.random.default_rng(22)
    y, x = rng.normal(size=(30, 3)), np.column_stack([np.ones(30), rng.normal(size=30)])
    y[rng.random(y.shape) < 0.3] = np.nan
    fit = mmrm.fit_mmrm(y, x, alike=[1])
    assert np.ptp(fit.coef[:, 1]) < 1e-9 and np.ptp(fit.coef[:, 0]) > 0
    left, right = np.zeros((4, 4)), np.zeros(4)                 # three constants and one slope
    for scores, known in zip(y, x):
        there = ~np.isnan(scores)
        design = np.column_stack([np.eye(3), np.full(3, known[1])])[there]
        inverse = np.linalg.inv(fit.sigma[np.ix_(there, there)])
        left, right = left + design.T @ inverse @ design, right + design.T @ inverse @ scores[there]
    assert [*fit.coef[:, 0], fit.coef[0, 1]] == pytest.approx(np.linalg.solve(left, right), abs=1e-8)
    assert fit.cov_coef[1, 1] == pytest.approx(np.linalg.inv(left)[3, 3], rel=1e-8)


def test_one_visit_is_least_squares_with_its_degrees_of_freedom():
    import statsmodels.api as sm

    data = planted(40, 4).dropna()
    x = sm.add_constant(data[["baseline", "known_age"]].to_numpy())
    peer = sm.OLS(data["follow_up"].to_numpy(), x).fit()
    fit = mmrm.fit_mmrm(data[["follow_up"]], x)
    found = fit.contrast([[0, 1, 0]], 0.9)
    low, high = peer.conf_int(0.1)[1]
    assert (found["estimate"], found["std_error"], found["df"]) == pytest.approx((peer.params[1], peer.bse[1], peer.df_resid), rel=1e-5)
    assert (found["conf_low"], found["conf_high"]) == pytest.approx((low, high), rel=1e-5)
    ml = mmrm.fit_mmrm(data[["follow_up"]], x, reml=False)
    assert ml.loglik == pytest.approx(peer.llf, abs=1e-6)


def test_complete_visits_give_the_paired_t_interval():
    data = planted(25, 5).assign(follow_up=lambda t: t["baseline"] + np.random.default_rng(1).normal(2, 3, 25))
    fit = mmrm.fit_mmrm(data[["baseline", "follow_up"]], np.ones((25, 1)))
    found, change = fit.contrast([[-1], [1]], 0.95), data["follow_up"] - data["baseline"]
    assert (found["estimate"], found["std_error"], found["df"]) == pytest.approx((change.mean(), change.sem(), 24), rel=1e-4)


def test_the_slope_of_the_likelihood_is_that_of_its_differences():
    rng = np.random.default_rng(6)
    y = rng.normal(size=(50, 3))
    y[rng.random(y.shape) < 0.3] = np.nan
    fit = mmrm.fit_mmrm(y, np.column_stack([np.ones(50), rng.normal(size=50)]))
    at = fit.theta + 0.1
    for reml in (True, False):
        numeric = [(mmrm._deviance(at + e, fit.sums, fit.free, reml)[0] - mmrm._deviance(at - e, fit.sums, fit.free, reml)[0]) / 2e-5
                   for e in 1e-5 * np.eye(6)]
        assert mmrm._deviance(at, fit.sums, fit.free, reml)[1] == pytest.approx(numeric, abs=1e-5)


def test_a_model_of_too_little_is_refused():
    for scores in ([[1, np.nan], [2, np.nan], [3, 4], [4, np.nan]], [[5, 1], [5, 2], [5, 3], [5, 5]]):
        with pytest.raises(DataError):
            mmrm.fit_mmrm(np.array(scores, dtype=float), np.ones((4, 1)))


# ---- reference-based ----------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def trial():
    """Two arms, three visits, the scheme 4 points above at each; some of both arms stop coming."""
    rng, n = np.random.default_rng(7), 400
    arm, level = np.repeat([0, 1], n // 2), rng.normal(0, 3, n)
    y = level[:, None] + rng.normal(0, 1, (n, 3)) + np.outer(arm, [2, 3, 4])
    stop = rng.integers(0, 6, n)                # 0, 1, 2: the first visit missed; otherwise nobody is lost
    y[np.arange(3) >= np.where(stop > 2, 3, stop)[:, None]] = np.nan
    return y, np.column_stack([np.ones(n), level + rng.normal(0, 1, n)]), arm


def effect(y, x, arm):
    return np.linalg.lstsq(np.column_stack([x, arm]), y[:, -1], rcond=None)[0][-1]


def test_missing_at_random_by_conditional_means_is_the_mixed_models_own_difference(trial):
    y, x, arm = trial
    fit = mmrm.fit_mmrm(y, np.column_stack([x, arm]))
    assert effect(mmrm.impute_by_reference(y, x, arm, "missing at random"), x, arm) == pytest.approx(fit.coef[2, 2], abs=1e-5)


def test_reference_based_means_by_hand(trial):
    y, x, arm = trial
    fit = mmrm.fit_mmrm(y, np.column_stack([x, arm]))
    reference, own = x @ fit.coef[:, :2].T, x @ fit.coef[:, :2].T + np.outer(arm, fit.coef[:, 2])
    never = np.flatnonzero((arm == 1) & np.isnan(y).all(axis=1))[0]
    once = np.flatnonzero((arm == 1) & ~np.isnan(y[:, 0]) & np.isnan(y[:, 1:]).all(axis=1))[0]
    slope = fit.sigma[2, 0] / fit.sigma[0, 0]
    expected = {"jump to reference": reference[once, 2] + slope * (y[once, 0] - own[once, 0]),
                "copy reference": reference[once, 2] + slope * (y[once, 0] - reference[once, 0]),
                "copy increments in reference": reference[once, 2] + fit.coef[0, 2] + slope * (y[once, 0] - own[once, 0])}
    for method, value in expected.items():
        filled = mmrm.impute_by_reference(y, x, arm, method)
        assert filled[once, 2] == pytest.approx(value, abs=1e-6), method
        assert filled[never] == pytest.approx(reference[never], abs=1e-6)
        assert np.allclose(filled[~np.isnan(y)], y[~np.isnan(y)])
        at_random = mmrm.impute_by_reference(y, x, arm, "missing at random")
        assert np.allclose(filled[arm == 0], at_random[arm == 0])


def test_reference_based_differences_are_smaller_in_their_known_order(trial):
    y, x, arm = trial
    found = {method: effect(mmrm.impute_by_reference(y, x, arm, method), x, arm) for method in mmrm.REFERENCE_BASED}
    assert found["jump to reference"] < found["copy increments in reference"] < found["missing at random"] == pytest.approx(4, abs=0.4)
    assert found["jump to reference"] < found["copy reference"] < found["missing at random"]
    with pytest.raises(ValueError, match="jump"):
        mmrm.impute_by_reference(y, x, arm, "guess")


# ---- delta, tipping point -----------------------------------------------------------------------------------------------------

def test_delta_moves_the_mean_by_the_share_lost_and_the_tipping_point_is_where_the_limit_is_at_the_threshold():
    rng = np.random.default_rng(8)
    changes, lost = rng.normal(2, 3, (20, 100)), np.arange(100) < 40
    now, worse = missing.change_if(changes, lost, 0.0), missing.change_if(changes, lost, -2.0)
    assert worse["estimate"] == pytest.approx(now["estimate"] - 0.8)
    tip = missing.tipping_point(changes, lost, 0.0, 40)
    assert tip < 0 and missing.change_if(changes, lost, tip)["conf_low"] == pytest.approx(0, abs=1e-7)
    assert missing.tipping_point(-changes, lost, 0.0, 40) == pytest.approx(-tip)
    assert missing.tipping_point(changes, lost, 2.0, 40) == 0
    assert np.isnan(missing.tipping_point(changes, lost, 0.0, 0.1))
    assert np.isnan(missing.tipping_point(changes, np.zeros(100, dtype=bool), 0.0, 40))
    assert missing.tipping_point(changes, lost, 5.0, 40) > 0


# ---- the rows -----------------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def beliefs():
    return change_if_lost(planted(400, 11), "x", MEASURE, 1)


def test_the_rows_of_every_belief_by_hand(beliefs):
    data = planted(400, 11)
    change = data["follow_up"] - data["baseline"]
    complete, returned = row(beliefs, "change_complete_case_x"), row(beliefs, "change_return_to_baseline_x")
    assert complete.estimate == pytest.approx(change.mean())
    assert (complete.n, complete.n_missing) == (change.notna().sum(), change.isna().sum())
    assert returned.estimate == pytest.approx(change.fillna(0).mean()) and (returned.n, returned.n_missing) == (400, 0)
    assert returned.numerator == min(change.isna().sum(), change.notna().sum())
    steps = [row(beliefs, "change_delta_x", level).estimate - row(beliefs, "change_imputed_x").estimate
             for level in ("3 worse", "1.5 worse", "3 better")]
    assert steps == pytest.approx(np.array([-3, -1.5, 3]) * change.isna().mean())
    tip = row(beliefs, "tipping_point_x", "no change")
    assert tip.group == "threshold" and -15 < tip.estimate < -1 and tip.unit == "Test scale points"
    assert (beliefs["n"] + beliefs["n_missing"] == 400).all()
    assert "seed 1; told from the first score, age" in row(beliefs, "change_imputed_x").note
    assert "m = 20" in row(beliefs, "change_imputed_x").method


def test_every_ten_people_followed_up_bear_one_column():
    rng = np.random.default_rng(3)
    data = pd.DataFrame(dict(arm="scheme", baseline=rng.normal(20, 4, 40), follow_up=rng.normal(22, 4, 40), **{f"known_{c}": rng.normal(size=40) for c in "abc"}))
    for followed, used in ((29, "a, b;"), (30, "a, b, c;")):
        table = change_if_lost(data.assign(follow_up=data["follow_up"].where(data.index < followed)), "x", MEASURE, 1)
        assert f"told from the first score, {used}" in row(table, "change_imputed_x").note


def test_where_a_lower_score_is_better_worse_is_upwards():
    upside_down = planted(400, 11).assign(baseline=lambda t: -t["baseline"], follow_up=lambda t: -t["follow_up"])
    table = change_if_lost(upside_down, "x", MEASURE.replace("yes", "no"), 1)
    assert row(table, "change_delta_x", "3 worse").estimate > row(table, "change_imputed_x").estimate
    assert row(table, "tipping_point_x", "no change").estimate > 0
    assert row(table, "tipping_point_x", "smallest change that matters").estimate < 0       # a change of 2 would have to be greater to be 3
    loose = change_if_lost(upside_down, "x", MEASURE.replace("yes", "n/a").replace(3.0, np.nan), 1)
    assert {level.split()[1] for level in loose.loc[loose["group"] == "delta", "level"]} == {"lower", "higher"}
    assert not loose["level"].str.contains("matters").any()


def test_dropout_at_random_is_put_right_where_complete_cases_are_biased():
    # truth: a mean change of 2; those with low first scores, who gain most, are lost. 30 schemes of 200: the mean of 30 has an error of 0.04
    found = pd.concat([change_if_lost(planted(200, seed), "x", MEASURE, seed) for seed in range(30)])
    means = found[found["group"] == "all"].groupby("measure")["estimate"].mean()
    assert means["change_complete_case_x"] < 1.5
    assert means["change_imputed_x"] == pytest.approx(2, abs=0.12) and means["change_mmrm_x"] == pytest.approx(2, abs=0.12)
    for measure in ("change_imputed_x", "change_mmrm_x"):
        rows = found[(found["measure"] == measure) & (found["group"] == "all")]
        assert ((rows["conf_low"] < 2) & (rows["conf_high"] > 2)).sum() >= 25
        # the interval is as wide as the estimates differ between schemes
        assert rows["std_error"].mean() == pytest.approx(rows["estimate"].std(), rel=0.45)


def test_the_limits_of_the_mixed_model_allow_for_who_happened_to_be_there():
    # half of the variance of change is between two kinds of people: with nobody lost it must be the plain t interval
    rng, n = np.random.default_rng(12), 200
    kind, baseline = rng.integers(0, 2, n), rng.normal(20, 4, n)
    data = pd.DataFrame(dict(arm="scheme", baseline=baseline, follow_up=baseline + 10 * kind + rng.normal(0, 1, n), known_kind=kind))
    data.loc[0, "follow_up"] = np.nan
    table = change_if_lost(data, "x", MEASURE, 1)
    plain = row(table, "change_complete_case_x").std_error
    assert row(table, "change_mmrm_x").std_error == pytest.approx(plain, rel=0.03)
    assert row(table, "change_imputed_x").std_error == pytest.approx(plain, rel=0.03)


def test_other_visits_help_to_tell_a_missing_follow_up():
    data = planted(300, 13)
    data["visit_2"] = np.where(data["follow_up"].isna(), 0, 0) + data["baseline"] * 0.6 + 9 + np.random.default_rng(1).normal(0, 1, 300)
    table = change_if_lost(data, "x", MEASURE, 1)
    assert "other visits" in row(table, "change_mmrm_x").note and "other visits" in row(table, "change_imputed_x").note


def test_a_comparison_arm_has_the_same_beliefs_and_no_difference_is_worked_out():
    people = pd.concat([planted(150, 14), planted(150, 15).assign(arm="comparison")])
    table = change_if_lost(people, "x", MEASURE, 1)
    arms = table[table["group"] == "arm"]
    assert set(arms["level"]) == {"comparison"}
    assert list(arms["measure"]) == [f"change_{b}_x" for b in ("complete_case", "mmrm", "imputed", "return_to_baseline")]
    alone = change_if_lost(planted(150, 14), "x", MEASURE, 1)
    assert row(table[table["group"] == "all"], "change_imputed_x").estimate == row(alone, "change_imputed_x").estimate
    assert (arms["n"] + arms["n_missing"] == 150).all()


def test_who_is_lost_by_hand():
    people = pd.DataFrame(dict(arm="scheme", baseline=[10.0, 12, 14, 16, 18, 20, 22, 24, np.nan] * 5,
                               follow_up=[1.0, 1, 1, 1, np.nan, np.nan, np.nan, np.nan, 1] * 5,
                               known_sex=["f", "m", "f", "m", "m", "m", "m", "f", "m"] * 5))
    table = who_is_lost(people, "x")
    assert row(table, "mean_of_followed_x").estimate == 13 and row(table, "mean_of_lost_x").estimate == 21
    spread = np.std([10, 12, 14, 16] * 5, ddof=1)
    assert row(table, "smd_lost_x").estimate == pytest.approx(8 / spread) and row(table, "smd_lost_x").n_missing == 5
    women = row(table, "followed_up_by_x", "f")
    assert (women.numerator, women.denominator, women.estimate, women.n_missing) == (10, 15, 2 / 3, 0)
    # shares of women: lost 1/4, followed 1/2
    assert row(table, "smd_lost_x", "f").estimate == pytest.approx((0.25 - 0.5) / np.sqrt((0.1875 + 0.25) / 2))
    odds = table[table["measure"] == "odds_of_follow_up_x"]
    assert len(odds) == 1 and "told apart perfectly" in odds["note"].iloc[0] and odds["estimate"].isna().all()      # 16 and below were followed up
    assert (table.loc[table["level"] == "all", ["n", "n_missing"]].sum(axis=1).isin([45, 20])).all()


def test_odds_of_follow_up_are_those_of_a_two_by_two_table():
    people = pd.DataFrame(dict(arm="scheme", baseline=1.0, follow_up=[1.0] * 60 + [np.nan] * 60,
                               known_sex=["f"] * 40 + ["m"] * 20 + ["f"] * 25 + ["m"] * 35))
    found = row(who_is_lost(people, "x"), "odds_of_follow_up_x", "m")
    ratio, error = 20 * 25 / (40 * 35), np.sqrt(1 / 40 + 1 / 20 + 1 / 25 + 1 / 35)
    assert found.estimate == pytest.approx(ratio, rel=1e-5) and found.std_error == pytest.approx(error, rel=1e-4)
    assert found.conf_high == pytest.approx(ratio * np.exp(1.959964 * error), rel=1e-4) and "most frequent" in found.note


def test_a_level_of_which_everyone_was_followed_up_gives_no_odds():
    people = pd.DataFrame(dict(arm="scheme", baseline=1.0, follow_up=[1.0] * 60 + [np.nan] * 30, known_team=["a"] * 30 + ["b"] * 60))
    found = row(who_is_lost(people, "x"), "odds_of_follow_up_x")
    assert "told apart perfectly" in found.note and np.isnan(found.estimate)


# ---- data that can answer nothing ---------------------------------------------------------------------------------------------

def poor():
    """Name: people, each of which once made something fall over or could."""
    some = planted(30, 16)
    one = some.assign(follow_up=np.nan)
    one.loc[0, "follow_up"] = 25.0
    return {
        "no follow-up at all": some.assign(follow_up=np.nan), "one person followed up": one,
            "everyone the same": some.assign(baseline=20.0, follow_up=some["follow_up"].where(some["follow_up"].isna(), 20.0)),
        "nobody lost": some.dropna(), "two people": some.head(2), "one person": some.head(1), "nobody": some.head(0),
            "no baselines": some.assign(baseline=np.nan),
        "only comparison": some.assign(arm="comparison"),
            "the same change": some.assign(follow_up=(some["baseline"] + 2).where(some["follow_up"].notna())),
        "constant covariate": some.assign(known_age=3.0), "no covariate": some.assign(known_age=np.nan),
            "a covariate twice": some.assign(known_old=some["known_age"] * 2),
        "a covariate called baseline": some.assign(known_baseline=some["known_age"]), "text covariate": some.assign(known_age="x"),
        "lost told apart": some.assign(known_gone=some["follow_up"].isna().map({True: "y", False: "n"})),
            "a visit of nobody": some.assign(visit_2=np.nan)}


@pytest.mark.parametrize("name", poor())
@pytest.mark.parametrize("measure", [MEASURE, MEASURE.replace("yes", "n/a").replace([3.0, 0.0, 40.0], np.nan)], ids=["known", "unknown"])
def test_poor_data_give_stated_rows_and_whole_sentences(name, measure):
    people = poor()[name]
    beliefs, lost = change_if_lost(people, "x", measure, 1), who_is_lost(people, "x")
    for table in (beliefs, lost):
        assert (table["estimate"].notna() | table["note"].ne("") | table["n"].eq(0)).all(), table[table["note"].eq("")]
        assert (table["n"] >= 0).all() and (table["n_missing"] >= 0).all()
        for rule in RULES.values():
            out = release(table, rule).assign(scheme_id="s", question="how_well")
            said = words.describe_beliefs(out, measure, "x") if table is beliefs else words.describe_who_is_lost(out, measure, "x")
            assert "nan" not in said.casefold() and said.endswith(".")
            if table is beliefs:
                plt.close(sprx.plot_beliefs(words.belief_rows(out)).figure)
                assert "nan" not in words.alt_of_beliefs(words.belief_rows(out)).casefold()


def test_nothing_missing_is_said_and_skipped():
    table = change_if_lost(planted(30, 16).dropna(), "x", MEASURE, 1)
    assert list(table["measure"]) == ["change_complete_case_x", "tipping_point_x"] and table["note"].iloc[1] == NOBODY_LOST
    assert "nobody with a score was lost" in words.describe_beliefs(release(table, RULES["none"]), MEASURE, "x")
    assert not words.has_beliefs(table)


# ---- words, disclosure, pictures ----------------------------------------------------------------------------------------------

def said(people, measure=MEASURE, rule="none"):
    return words.describe_beliefs(release(change_if_lost(people, "x", measure, 1), RULES[rule]), measure, "x")


def test_the_sentence_says_how_much_worse_and_sets_it_against_what_matters(beliefs):
    tip = -row(beliefs, "tipping_point_x", "no change").estimate
    text = words.describe_beliefs(release(beliefs, RULES["none"]), MEASURE, "x")
    assert f"those lost would have to have ended {tip:.1f} points worse than people like them" in text
    assert f"{tip / 3:.1f} times the smallest change held to matter (3)" in text
    assert "If they all ended where they had begun" in text and "effect" not in text
    assert "lies short of the smallest change" in text                  # 2 points with a MID of 3


def test_the_sentence_for_a_change_that_could_be_none_a_rise_for_the_worse_and_few_lost():
    assert "includes no change already" in said(planted(40, 17, change=0.0))
    worse = said(planted(400, 11, change=-4.0))
    assert "points better than people like them" in worse
    assert "the interval include no change" in said(planted(400, 11), MEASURE.replace(40.0, 0.5))
    assert "No difference that the scale allows" in said(planted(400, 11), MEASURE.replace(40.0, 0.5))
    few = planted(60, 18, lost=0.0)
    few["follow_up"] = few["follow_up"].fillna(22.0)
    few.loc[:3, "follow_up"] = np.nan
    assert "is not shown: they are too few" in said(few, rule="nhse_1_7_round5")


def test_how_few_were_lost_cannot_be_worked_out_from_what_is_released():
    few = planted(100, 19)
    few["follow_up"] = few["follow_up"].fillna(22.0)
    few.loc[:4, "follow_up"] = np.nan
    out = release(change_if_lost(few, "x", MEASURE, 1), RULES["nhse_1_7_round5"])
    telling = out["measure"].str.contains("delta|tipping|return")
    assert out.loc[telling, "suppressed"].all() and out.loc[~telling, "estimate"].notna().all() and out["n_missing"].fillna(0).ne(5).all()
    lost = release(who_is_lost(few, "x"), RULES["nhse_1_7_round5"])
    assert lost.loc[lost["measure"].ne("followed_up_by_x"), "estimate"].isna().all()


def test_the_sentence_on_who_is_lost_names_what_differs():
    table = release(who_is_lost(planted(400, 11), "x"), RULES["none"])
    text = words.describe_who_is_lost(table, MEASURE, "x")
    assert "those lost differ most in the first score (−" in text and "for each standard deviation more" in text
    alike = planted(4000, 20, lost=0.0)
    assert "in nothing that is known" in words.describe_who_is_lost(release(who_is_lost(alike, "x"), RULES["none"]), MEASURE, "x")


def test_the_figure_shows_every_belief_with_its_words_and_marks_suppositions(beliefs):
    rows = words.belief_rows(release(beliefs, RULES["none"]))
    ax = sprx.plot_beliefs(rows, matters=words.matters_at(MEASURE))
    labels = " ".join(t.get_text().replace("\n", " ") for t in ax.get_yticklabels())
    assert "only those with both scores" in labels and "those lost ended 3 points worse than expected" in labels
    assert "ended where they began" in labels
    hollow = [line for line in ax.lines if line.get_marker() == "s"]
    assert len(hollow) == 5 and len([line for line in ax.lines if line.get_marker() == "o"]) == 3
    alt = words.alt_of_beliefs(rows)
    assert alt.count(";") == len(rows) - 1 and "imputed many times" in alt
    plt.close(ax.figure)
    assert words.matters_at(MEASURE) == 3 and words.matters_at(MEASURE.replace("yes", "no")) == -3
    assert words.matters_at(MEASURE.replace(3.0, np.nan)) is None


# ---- the cohort ---------------------------------------------------------------------------------------------------------------

def test_the_cohort_has_scores_visits_covariates_subgroups_and_contacts_up_to_the_follow_up(cleaned):
    scheme = cleaned(
        dict(covariates=["team", "nothing"], subgroups=["sex", "absent"], follow_up_months=3),
        people="person_id,birth_year,sex,team\np1,1950,female,a\np2,1960,male,b\np3,1970,female,a\n",
        referrals="referral_id,person_id,referral_date\nr1,p1,2025-01-10\nr2,p2,2025-02-10\nr3,p3,2025-03-10\n",
        contacts="contact_id,referral_id,contact_date,attended\nc1,r1,2025-01-20,yes\nc2,r1,2025-03-20,yes\nc3,r1,2025-08-20,yes\nc4,r2,2025-02-20,no\n",
        outcomes="person_id,instrument,occasion,months,value\np1,phq9,baseline,0,10\np1,phq9,follow_up,3,8\np1,phq9,follow_up,6,7\np2,phq9,baseline,0,12\np2,phq9,follow_up,6,9\n")
    table = scores_and_covariates(scheme, "phq9").set_index("person_id")
    assert list(table["follow_up"].fillna(-1)) == [8, -1, -1] and list(table["visit_6"].fillna(-1)) == [7, 9, -1] and "visit_3" not in table
    assert list(table["known_team"]) == ["a", "b", "a"] and {"known_age", "known_sex"} <= set(table) and "known_nothing" not in table
    assert list(table["by_sex"]) == ["female", "male", "female"] and table["by_absent"].isna().all()
    assert list(table["contacts"]) == [2, 0, 0]


def test_contacts_on_no_dated_referral_all_count(cleaned):
    scheme = cleaned(contacts="contact_id,referral_id,contact_date,attended\nc1,r1,2025-01-20,yes\nc2,r1,2025-03-20,yes\n",
                     referrals="referral_id,person_id\nr1,p1\nr2,p2\nr3,p3\n",
                     outcomes="person_id,instrument,occasion,months,value\np1,phq9,baseline,0,10\np1,phq9,follow_up,1,8\n")
    assert list(scores_and_covariates(scheme, "phq9").set_index("person_id")["contacts"]) == [2, 0, 0]


def test_without_contacts_or_visits_the_cohort_says_so(cleaned):
    scheme = cleaned(outcomes="person_id,instrument,occasion,measured_on,value\np1,phq9,baseline,2025-01-10,10\np1,phq9,follow_up,2025-04-10,8\n")
    table = scores_and_covariates(scheme, "phq9")
    assert table["contacts"].isna().all() and not [c for c in table if c.startswith("visit_")] and len(table) == 3


def test_arms_are_filled_in_apart_where_each_has_people_enough_and_together_where_not():
    rng = np.random.default_rng(2)
    arm = np.repeat([0.0, 1.0], 200)
    x = rng.normal(size=400)
    y = np.where(arm == 1, 2 * x, -2 * x) + rng.normal(0, 0.1, 400)        # the arms differ in how the two go together
    gone = np.arange(400) % 4 == 0
    values = np.column_stack([x, np.where(gone, np.nan, y)])
    apart, how = missing.impute_by_arm(values, arm, 150, 5, 1)
    assert how == "missing values filled in 5 times, group by group (seed 1)" and np.abs(apart[:, gone, 1] - y[gone]).max() < 1
    together, how = missing.impute_by_arm(values, arm, 19, 5, 1)            # 10 people for each of the two columns are wanted
    assert how == "missing values filled in 5 times (seed 1)" and np.abs(together[:, gone, 1] - y[gone]).max() > 1
    assert apart[:, ~gone] == pytest.approx(np.repeat(values[None, ~gone], 5, axis=0), abs=1e-12) and missing.impute_by_arm(values[~gone], arm[~gone], 1, 5, 1)[1] == "nothing was missing"
