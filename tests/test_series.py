"""Segmented regression: by hand, planted truths found again, and series that are too short."""

import numpy as np
import pytest
from scipy import stats

from sprx.errors import DataError
from sprx.stats.series import segmented

TIME = np.arange(-12, 12) + 1.0         # -11 to 12: the change lies after 0


def series(level=-0.2, slope=0.01, trend=0.02, noise=0, seed=1):
    rng = np.random.default_rng(seed)
    log = 5 + trend * TIME + np.where(TIME > 0, level + slope * TIME, 0.0)
    return np.exp(log) * 100 if not noise else rng.poisson(np.exp(log) * 100)


def test_a_series_without_noise_gives_back_what_was_planted():
    found = segmented(series(), TIME, 0)
    assert found.terms["coef"].to_dict() == pytest.approx({"(start)": 5 + np.log(100), "time": 0.02, "level": -0.2, "slope": 0.01}, abs=1e-8)
    assert (found.n_before, found.n_after, found.dispersion) == (12, 12, pytest.approx(0, abs=1e-8)) and not found.seasonal
    points = found.points.set_index("time")
    assert points["fitted"].to_numpy() == pytest.approx(series()) and list(points.index[points["after"]]) == list(range(1, 13))
    assert points.loc[12, "expected"] == pytest.approx(100 * np.exp(5 + 0.02 * 12))       # the line of the time before, carried on
    assert points.loc[-11, "expected"] == pytest.approx(points.loc[-11, "fitted"])


def test_limits_are_t_and_the_line_that_is_carried_on_grows_less_certain():
    found = segmented(series(noise=1), TIME, 0, conf_level=0.9)
    row = found.terms.loc["level"]
    assert row["conf_high"] == pytest.approx(row["coef"] + stats.t.ppf(0.95, 20) * row["std_error"]) and found.df == 20
    ratio = found.ratio("level")
    assert (ratio["estimate"], ratio["conf_low"]) == pytest.approx((np.exp(row["coef"]), np.exp(row["conf_low"]))) and ratio["std_error"] == row["std_error"]
    points = found.points
    assert (points["expected_low"] < points["expected"]).all() and (points["expected"] < points["expected_high"]).all()
    wide = np.log(points["expected_high"] / points["expected_low"]).to_numpy()
    assert wide[-1] > wide[12] > wide[6]


def test_exposure_is_what_counts_are_counted_over():
    rates, exposure = series() / 1000, np.linspace(1, 3, 24) * 1000
    found = segmented(rates * exposure, TIME, 0, exposure)
    assert found.terms.loc["level", "coef"] == pytest.approx(-0.2, abs=1e-8) and found.points["observed"].to_numpy() == pytest.approx(rates)
    # points without exposure or with an unknown count are no points; their order does not matter
    turned = np.random.default_rng(1).permutation(24)
    values, over = np.append(rates * exposure, [5, np.nan])[np.append(turned, [24, 25])], np.append(exposure, [0, 1])[np.append(turned, [24, 25])]
    again = segmented(values, np.append(TIME, [13, 14])[np.append(turned, [24, 25])], 0, over)
    assert again.terms.loc["slope", "coef"] == pytest.approx(0.01, abs=1e-8) and again.n_after == 12


def test_without_a_slope_change_there_is_none():
    assert list(segmented(series(noise=1), TIME, 0, slope_change=False).terms.index) == ["(start)", "time", "level"]


def test_a_season_is_fitted_from_24_points_on():
    month = np.arange(48) + 1.0
    values = 1000 * np.exp(0.3 * np.sin(2 * np.pi * month / 12) - 0.2 * (month > 24))
    found = segmented(values, month, 24, season=12)
    assert found.seasonal and found.terms.loc[["level", "s1", "c2"], "coef"].to_numpy() == pytest.approx([-0.2, 0.3, 0], abs=1e-8)
    assert not segmented(series(noise=1)[:23], TIME[:23], 0, season=12).seasonal
    assert segmented(series(noise=1), TIME, 0, season=12).seasonal


def test_residuals_that_follow_one_another_are_seen():
    month = np.arange(200) + 1.0
    rng = np.random.default_rng(2)
    noise = np.zeros(200)
    for k in range(1, 200):
        noise[k] = 0.8 * noise[k - 1] + rng.normal()
    found = segmented(100 + 5 * noise, month, 100, method="newey_west")
    assert found.autocorrelation > 0.5 and found.durbin_watson < 1
    month = month[:60]
    loose = segmented(100 + 5 * rng.normal(size=60), month, 30, method="newey_west")
    assert abs(loose.autocorrelation) < 0.35 and abs(loose.durbin_watson - 2 * (1 - loose.autocorrelation)) < 0.2
    assert loose.method == "Newey-West, 3 lags"                                             # 4 (60/100)^(2/9) = 3.57
    # with gaps in time only points one step apart are neighbours
    gaps = segmented(series(noise=1)[np.r_[0:8, 12:24]], TIME[np.r_[0:8, 12:24]], 0)
    e = (gaps.points["observed"] - gaps.points["fitted"]) / gaps.points["fitted"] ** 0.5
    pairs = np.r_[0:7, 8:19]
    assert gaps.n_before == 8 and gaps.autocorrelation == pytest.approx((e.to_numpy()[pairs] * e.to_numpy()[pairs + 1]).sum() / (e ** 2).sum())


def test_newey_west_with_0_lags_is_the_robust_error_with_its_small_sample_factor():
    x = np.column_stack([np.ones(24), TIME, TIME > 0, np.where(TIME > 0, TIME, 0)]).astype(float)
    y = series(noise=1) / 1000
    found = segmented(y, TIME, 0, method="newey_west", lags=0)
    bread = np.linalg.inv(x.T @ x)
    e = y - x @ bread @ x.T @ y
    cov = bread @ (x.T * e ** 2) @ x @ bread * 24 / 20
    assert found.terms["std_error"].to_numpy() == pytest.approx(np.sqrt(np.diag(cov)), rel=1e-8) and np.isnan(found.dispersion)
    assert found.points["expected"].iloc[-1] == pytest.approx((bread @ x.T @ y)[:2] @ [1, 12])


def test_the_change_turned_round_turns_the_sign():
    up, down = segmented(series(level=0.2, slope=0), TIME, 0), segmented(series(level=-0.2, slope=0), TIME, 0)
    assert up.terms.loc["level", "coef"] == pytest.approx(-down.terms.loc["level", "coef"], abs=1e-8)


@pytest.mark.parametrize("values, time, at, words", [
    ([1, 2, 3, 4, 5, 6, 7], range(7), 3, "there are 4 points before the change and 3 after it; at least 8 in all and 3 on each side"),
    (range(1, 13), range(12), 9, "there are 10 points before the change and 2 after it"),
    (range(1, 13), range(12), 99, "12 points before the change and 0 after"),
    ([0] * 6 + [1] * 6, range(12), 5, "nothing was counted before the change"),
    ([1] * 6 + [0] * 6, range(12), 5, "nothing was counted after the change"),
    ([1] * 12, [0, 0, *range(1, 11)], 5, "time 0 comes twice"),
    ([1] * 11 + [-1], range(12), 5, "counts must be 0 or more"),
    ([], [], 0, "0 points before")])
def test_series_that_can_answer_nothing_are_refused_in_words(values, time, at, words):
    with pytest.raises(DataError, match=words):
        segmented(list(values), list(time), at)


def test_limits_cover_the_planted_step():
    # overdispersed counts, true step 0.8 (log -0.22): 95 of 100 intervals within sampling error of 300 draws (1.3 points)
    rng, hits = np.random.default_rng(5), 0
    for _ in range(300):
        mean = 200 * np.exp(0.01 * TIME + np.where(TIME > 0, np.log(0.8), 0))
        found = segmented(rng.poisson(mean * rng.gamma(30, 1 / 30, 24)), TIME, 0).ratio("level")
        hits += found["conf_low"] <= 0.8 <= found["conf_high"]
    assert 0.92 <= hits / 300 <= 0.98
