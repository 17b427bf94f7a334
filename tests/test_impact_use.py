"""Use of services: by hand, planted truths found again, what must not change, and data that can answer nothing."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sprx import clean_scheme, load_scheme, sample
from sprx.cohort.use import service_months
from sprx.disclosure import RULES, release
from sprx.metrics.impact.use import use_change, use_effect, use_rates
from sprx.metrics.impact.use_months import calendar_series, use_event_study, use_series
from sprx.stats.counts import rate_ratio

SAMPLE = Path(__file__).parents[1] / "data" / "sample"
COUNTS = ["estimate", "std_error", "conf_low", "conf_high"]
WINDOW = np.arange(-12, 13)


def one(table, measure, level="all"):
    return table[(table["measure"] == measure) & (table["level"] == level)].iloc[0]


def panel(people=200, seed=1, ratio=0.7, bump=1.6, rate=0.8, months=WINDOW, services=("gp",), own_trend=0.0):
    """Half in each arm; use that differs between people, a bump before the start in both arms, less afterwards in both, and `ratio` on top in the scheme."""
    rng = np.random.default_rng(seed)
    person, month = np.repeat(np.arange(people), len(months)), np.tile(months, people)
    own = person < people // 2
    level = np.where((month >= -3) & (month <= 0), bump, 1.0) * np.where(month > 0, 0.9, 1.0) * np.exp(own_trend * own * month)
    parts = []
    for service in services:
        mean = rate * rng.gamma(1.5, 1 / 1.5, people)[person] * level * np.where(own & (month > 0), ratio, 1.0)
        parts.append(pd.DataFrame(dict(person_id=[f"p{i}" for i in person], arm=np.where(own, "scheme", "comparison"), service=service, month=month,
                                       count=rng.poisson(mean).astype(float), exposure=1.0, calendar=pd.Timestamp("2024-06-01"))))
    return pd.concat(parts, ignore_index=True).assign(cluster=lambda t: t["person_id"])


def tiny():
    """Two people in each arm, month -1, 0 and 1. Uses: scheme 4, 9, 2 and 2, 9, 1; comparison 3, 9, 3 and 1, 9, 2."""
    counts = dict(s1=(4, 9, 2), s2=(2, 9, 1), c1=(3, 9, 3), c2=(1, 9, 2))
    rows = [(p, "scheme" if p[0] == "s" else "comparison", "gp", m, float(n), 1.0, p, pd.NaT) for p, ns in counts.items() for m, n in zip((-1, 0, 1), ns)]
    return pd.DataFrame(rows, columns=["person_id", "arm", "service", "month", "count", "exposure", "cluster", "calendar"])


# ---- by hand ------------------------------------------------------------------------------------------------------------------

def test_rates_and_ratios_by_hand():
    table = tiny()
    rates = use_rates(table)
    assert list(rates["level"]) == ["scheme, before", "scheme, after", "comparison, before", "comparison, after"]
    assert list(rates["estimate"]) == pytest.approx([36, 18, 24, 30]) and rates["measure"].eq("use_rate_gp").all() and rates["group"].eq("arm_and_time").all()
    # the log of a mean 3 of 4 and 2: sd of the influence 1/6 each, times 2/1: 2 x 2/36 -> sqrt(1/9); t with 1 df
    assert rates["std_error"].iloc[0] == pytest.approx(36 / 3) and rates["conf_high"].iloc[0] == pytest.approx(36 * np.exp(stats.t.ppf(0.975, 1) / 3))
    assert use_change(table, "gp")["estimate"].iloc[0] == pytest.approx(3 / 6)
    effect = one(use_effect(table, "gp"), "rate_ratio_gp")
    assert effect["estimate"] == pytest.approx((3 / 6) / (5 / 4)) and (effect["n"], effect["n_missing"]) == (4, 0) and effect["unit"] == "ratio"
    # scheme: s1 2/3 - 4/6 = 0 by its own; influences (2 - 1.5)/3 - (4 - 3)/6 = 0: no spread at all; comparison (3 - 2.5)/5 - (3 - 2)/4 = -0.15, twice squared, times 2
    assert effect["std_error"] == pytest.approx((2 * 2 * 0.15 ** 2) ** 0.5)
    assert effect["note"] == "uses a person a year: scheme people 36 before and 18 after; comparison people 24 before and 30 after"
    assert effect["method"] == "difference-in-differences of log rates, limits robust by person, t"


def test_the_month_of_the_start_counts_nowhere():
    table, changed = panel(), panel().assign(count=lambda t: t["count"].where(t["month"] != 0, 99.0))
    for metric in (use_change, use_effect, use_event_study):
        pd.testing.assert_frame_equal(metric(table, "gp"), metric(changed, "gp"))
    pd.testing.assert_frame_equal(use_rates(table), use_rates(changed))
    assert "0" not in set(use_event_study(table, "gp")["level"])
    terms = ["use_series_level_gp", "use_series_slope_gp"]
    run_up = panel().assign(count=lambda t: t["count"].where(~t["month"].between(-3, 0), 99.0))
    for name in terms:
        assert one(use_series(table, "gp"), name)["estimate"] == pytest.approx(one(use_series(run_up, "gp"), name)["estimate"])


def test_the_months_before_the_start_are_left_out_where_it_says_so():
    changed = panel().assign(count=lambda t: t["count"].where(~t["month"].between(-3, -1), 99.0))
    for table in (panel(), changed):
        without = one(use_effect(table, "gp"), "rate_ratio_without_run_up_gp")
        assert without["estimate"] == pytest.approx(one(use_effect(panel(), "gp"), "rate_ratio_without_run_up_gp")["estimate"])
    assert "the 3 months before the start are left out" in without["note"]
    far = panel().assign(count=lambda t: t["count"].where(t["month"] != -4, 99.0))
    assert one(use_effect(far, "gp"), "rate_ratio_without_run_up_gp")["estimate"] != pytest.approx(without["estimate"])


def test_the_adjusted_ratio_is_the_negative_binomial_of_the_later_count():
    table = panel()
    late = table["arm"].eq("scheme") & table["person_id"].str.endswith(("1", "3", "5", "7")) & table["month"].gt(4)
    table = table[~late]                               # people who started late are watched for fewer months
    sides = {name: part.groupby("person_id", sort=False)[["count", "exposure"]].sum() for name, part in
             (("before", table[table["month"] < 0]), ("after", table[table["month"] > 0]))}
    own = table.drop_duplicates("person_id").set_index("person_id")["arm"].eq("scheme") * 1.0
    design = pd.DataFrame(dict(own=own, earlier=np.log((sides["before"]["count"] + 0.5) / 12)))
    expected = rate_ratio(sides["after"]["count"], sides["after"]["exposure"], design, np.arange(200)).loc["own"]
    row = one(use_effect(table, "gp"), "rate_ratio_adjusted_gp")
    assert list(row[COUNTS]) == pytest.approx(list(expected[["ratio", "std_error", "conf_low", "conf_high"]]))
    assert "0.5 of a use added" in row["note"]


def test_a_row_that_nobody_watched_brings_no_count():
    table = panel(people=40)
    unseen = table[table["month"].eq(5)].assign(month=13, exposure=0.0, count=50.0)
    for metric in (use_rates, lambda t: use_effect(t, "gp"), lambda t: use_event_study(t, "gp"), lambda t: use_series(t, "gp")):
        pd.testing.assert_frame_equal(metric(table), metric(pd.concat([table, unseen])))


# ---- what must not change, and what must ---------------------------------------------------------------------------------------

def every(table, weights=None):
    return pd.concat([use_effect(table, "gp", weights), use_event_study(table, "gp", weights)], ignore_index=True)


def test_twice_the_time_in_both_arms_changes_no_ratio_and_halves_the_rates():
    table, twice = panel(), panel().assign(exposure=2.0)
    np.testing.assert_allclose(every(table)[COUNTS].to_numpy(float), every(twice)[COUNTS].to_numpy(float), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(use_rates(twice)["estimate"], use_rates(table)["estimate"] / 2)
    # but twice the time on one side of one arm does: exposure is used
    part = panel().assign(exposure=lambda t: np.where(t["arm"].eq("scheme") & t["month"].gt(0), 2.0, 1.0))
    assert one(use_effect(part, "gp"), "rate_ratio_gp")["estimate"] == pytest.approx(one(use_effect(table, "gp"), "rate_ratio_gp")["estimate"] / 2)
    assert one(use_change(part, "gp"), "rate_ratio_before_after_gp")["estimate"] == pytest.approx(use_change(table, "gp")["estimate"].iloc[0] / 2)


def test_the_arms_exchanged_turn_every_ratio_over():
    table = panel()
    turned = table.assign(arm=np.where(table["arm"].eq("scheme"), "comparison", "scheme"))
    one_way, other = (t[t["conf_low"].notna()] for t in (every(table), every(turned)))        # without what only tells how fragile they are
    assert len(one_way) > 20
    np.testing.assert_allclose(one_way["estimate"], 1 / other["estimate"], rtol=1e-4)
    np.testing.assert_allclose(one_way["conf_low"], 1 / other["conf_high"], rtol=1e-4)
    np.testing.assert_allclose(one_way["std_error"], other["std_error"], rtol=1e-4)


def test_rows_in_another_order_give_the_same():
    table = panel()
    mixed = table.sample(frac=1, random_state=1)
    np.testing.assert_allclose(every(table)[COUNTS].to_numpy(float), every(mixed)[COUNTS].to_numpy(float), rtol=1e-5)


def test_equal_weights_change_nothing_and_a_weight_of_nothing_leaves_the_person_out():
    table = panel()
    ids = table["person_id"].unique()
    same = use_effect(table, "gp", pd.Series(3.0, index=ids))
    assert list(one(same, "rate_ratio_weighted_gp")[COUNTS]) == pytest.approx(list(one(same, "rate_ratio_gp")[COUNTS]))
    some = pd.Series(1.0, index=ids[:150])                             # 50 comparison people have none
    row = one(use_effect(table, "gp", some), "rate_ratio_weighted_gp")
    left = use_effect(table[table["person_id"].isin(ids[:150])], "gp")
    assert (row["n"], row["n_missing"]) == (150, 50) and list(row[COUNTS]) == pytest.approx(list(one(left, "rate_ratio_gp")[COUNTS]))
    assert "rate_ratio_weighted_gp" not in set(use_effect(table, "gp")["measure"])
    event = one(use_event_study(table, "gp", some), "use_event_study_gp", "2")
    assert (event["n"], event["n_missing"]) == (150, 50)


def test_weights_undo_a_comparison_of_other_people():
    # comparison people of two kinds, one whose use doubles; without that kind the ratio is 0.5 / 1, with half of it 0.5 / 1.5
    rows = [(f"s{i}", "scheme", m, 2.0 if m < 0 else 1.0) for i in range(20) for m in (-2, -1, 1, 2)]
    rows += [(f"c{i}", "comparison", m, 2.0 if m < 0 or i < 10 else 4.0) for i in range(20) for m in (-2, -1, 1, 2)]
    table = pd.DataFrame(rows, columns=["person_id", "arm", "month", "count"]).assign(service="gp", exposure=1.0, cluster=lambda t: t["person_id"])
    weights = pd.Series({f"s{i}": 1.0 for i in range(20)} | {f"c{i}": 2.0 if i < 10 else 1e-9 for i in range(20)})
    found = use_effect(table, "gp", weights)
    assert one(found, "rate_ratio_gp")["estimate"] == pytest.approx(0.5 / 1.5) and one(found, "rate_ratio_weighted_gp")["estimate"] == pytest.approx(0.5)


def test_people_observed_on_one_side_only_are_counted_and_not_compared():
    table = panel(people=60)
    cut = table[~(table["person_id"].isin(["p0", "p1"]) & table["month"].gt(0)) & ~(table["person_id"].eq("p59") & table["month"].lt(0))]
    none = table[table["person_id"].eq("p2") & table["month"].eq(0)].assign(exposure=0.0, count=0.0)
    cut = pd.concat([cut[cut["person_id"] != "p2"], none])
    for row in (one(use_effect(cut, "gp"), "rate_ratio_gp"), one(use_effect(cut, "gp"), "rate_ratio_adjusted_gp")):
        assert (row["n"], row["n_missing"]) == (56, 4)
    assert tuple(use_change(cut, "gp")[["n", "n_missing"]].iloc[0]) == (27, 3)
    whole = table[~table["person_id"].isin(["p0", "p1", "p2", "p59"])]
    assert one(use_effect(cut, "gp"), "rate_ratio_gp")["estimate"] == pytest.approx(one(use_effect(whole, "gp"), "rate_ratio_gp")["estimate"])
    rates = use_rates(cut).set_index("level")
    assert list(rates["n"]) == [29, 27, 29, 30] and list(rates["n_missing"]) == [1, 3, 1, 0]
    assert (one(use_series(cut, "gp"), "use_series_level_gp")["n"], one(use_series(cut, "gp"), "use_series_level_gp")["n_missing"]) == (29, 1)


def test_one_services_rows_do_not_touch_anothers():
    both = panel(services=("gp", "ae"))
    alone = both[both["service"].eq("ae")]
    pd.testing.assert_frame_equal(use_effect(both, "ae"), use_effect(alone, "ae"))
    assert set(use_rates(both)["measure"]) == {"use_rate_gp", "use_rate_ae"}


def test_clusters_widen_the_limits_and_few_of_them_are_said():
    rng = np.random.default_rng(3)
    table = panel(people=400, seed=3)
    number = table["person_id"].str[1:].astype(int)
    team = number % 6 + 6 * table["arm"].eq("scheme")
    pull = np.exp(rng.normal(0, 0.4, 12))[team] ** (table["month"] > 0)
    table = table.assign(count=np.round(table["count"] * pull))
    by_person, by_team = use_effect(table, "gp"), use_effect(table.assign(cluster=team.astype(str)), "gp")
    for measure in ("rate_ratio_gp", "rate_ratio_adjusted_gp"):
        assert one(by_team, measure)["std_error"] > 1.5 * one(by_person, measure)["std_error"]
        assert "only 6 clusters on a side" in one(by_team, measure)["note"] and "robust by cluster" in one(by_team, measure)["method"]
        assert "cluster" not in one(by_person, measure)["note"]
    alone = table.assign(cluster=np.where(table["arm"].eq("scheme"), "only", table["person_id"]))
    for measure in ("rate_ratio_gp", "rate_ratio_adjusted_gp"):
        row = one(use_effect(alone, "gp"), measure)
        assert np.isnan(row["estimate"]) and "one cluster only" in row["note"]
    # six clusters on a side are not eleven degrees of freedom, for the adjusted ratio either
    row = one(by_team, "rate_ratio_adjusted_gp")
    assert np.log(row["conf_high"] / row["estimate"]) / row["std_error"] > stats.t.ppf(0.975, 10.01)


# ---- planted truths -------------------------------------------------------------------------------------------------------------

def test_the_planted_ratio_is_found_and_the_change_alone_is_not_it():
    table = panel(people=4000, ratio=0.7)
    for measure in ("rate_ratio_gp", "rate_ratio_adjusted_gp", "rate_ratio_without_run_up_gp"):
        row = one(use_effect(table, "gp"), measure)
        assert row["conf_low"] < 0.7 < row["conf_high"] and row["conf_high"] - row["conf_low"] < 0.15, measure
    change = use_change(table, "gp").iloc[0]
    assert change["conf_high"] < 0.63             # the bump and the fall in both arms make it look better than it is


def test_limits_cover_the_truth_on_simulated_schemes():
    design, hits, false = sample.Design(name="cover", people=80, comparison=80, ratios=(("gp", 0.8),)), 0, 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        start, own = sample._start_dates(design, 160, rng), np.arange(160) < 80
        ids = pd.Series([f"p{i}" for i in range(160)])
        rows = sample._service_use(design, ids, start, own, rng).rename(columns={"from_start": "at"})
        table = pd.DataFrame(dict(person_id=rows["person_id"], arm=np.where(rows["person_id"].isin(ids[own]), "scheme", "comparison"), service="gp",
                                  month=rows["at"], count=rows["count"].astype(float), exposure=1.0, cluster=rows["person_id"]))
        found = use_effect(table, "gp")
        hits += sum(one(found, m)["conf_low"] <= 0.8 <= one(found, m)["conf_high"] for m in ("rate_ratio_gp", "rate_ratio_adjusted_gp"))
        placebo = one(use_event_study(table, "gp"), "use_placebo_gp")
        false += not placebo["conf_low"] <= 1 <= placebo["conf_high"]
    assert 106 <= hits <= 120 and false <= 8       # of 120 and 60: 88 to 100 %, at most 13 %


def test_a_scheme_from_its_folder_gives_back_what_was_planted():
    scheme = clean_scheme(load_scheme(SAMPLE / "harbour"))
    months = service_months(scheme)
    for service, truth in (("gp", 0.85), ("ae", 0.9)):
        found = use_effect(months, service)
        for measure in ("rate_ratio", "rate_ratio_adjusted", "rate_ratio_without_run_up"):
            row = one(found, f"{measure}_{service}")
            assert row["conf_low"] < truth < row["conf_high"] and (row["n"], row["n_missing"]) == (800, 0)


def test_contaminated_people_would_change_the_answer(cleaned):
    # comparison people who were referred too use nothing afterwards; the others go on as before
    people = "person_id,arm,index_date\n" + "".join(f"p{i},{'scheme' if i < 12 else 'comparison'},{'' if i < 12 else '2025-01-15'}\n" for i in range(30))
    referrals = "referral_id,person_id,referral_date\n" + "".join(f"r{i},p{i},2025-01-15\n" for i in (*range(12), *range(24, 30)))
    rows = [f"p{i},{2024 + m // 12}-{m % 12 + 1:02},gp,{(i + m) % 3 if m < 13 or i < 24 else 0}" for i in range(30) for m in range(7, 20)]
    scheme = cleaned(people=people, referrals=referrals, service_use="person_id,month,service,count\n" + "\n".join(rows) + "\n")
    row = one(use_effect(service_months(scheme), "gp"), "rate_ratio_gp")
    assert row["n"] == 24 and row["estimate"] == pytest.approx(1, abs=0.02)


# ---- month by month --------------------------------------------------------------------------------------------------------------

def test_each_month_is_held_against_the_months_before_the_run_up():
    table = panel(people=40)
    found = use_event_study(table, "gp")
    sums = table.groupby(["arm", "month"])["count"].sum().unstack("arm")
    ratio, reference = sums["scheme"] / sums["comparison"], sums.loc[-12:-4].sum()
    expected = ratio / (reference["scheme"] / reference["comparison"])
    rows = found[found["measure"].eq("use_event_study_gp")]
    assert list(rows["level"].astype(int)) == [m for m in WINDOW if m] and rows["group"].eq("month_from_start").all()
    assert rows["estimate"].to_numpy() == pytest.approx(expected.drop(0).to_numpy()) and rows["note"].eq("against months -12 to -4").all()


def test_with_few_months_before_the_run_up_month_1_before_is_the_reference():
    table = panel(people=40)
    found = use_event_study(table[table["month"] > -6], "gp")
    sums = table.groupby(["arm", "month"])["count"].sum().unstack("arm")
    ratio = sums["scheme"] / sums["comparison"]
    assert one(found, "use_event_study_gp", "3")["estimate"] == pytest.approx(ratio[3] / ratio[-1]) and "month -1" in one(found, "use_event_study_gp", "3")["note"]
    assert list(one(found, "use_event_study_gp", "-1")[COUNTS]) == pytest.approx([1, 0, 1, 1], abs=1e-7)


def test_a_month_in_which_an_arm_has_no_use_has_no_ratio_and_the_others_do():
    table = panel(people=40).assign(count=lambda t: t["count"].where(~(t["arm"].eq("scheme") & t["month"].eq(3)), 0.0))
    found = use_event_study(table, "gp")
    row = one(found, "use_event_study_gp", "3")
    assert np.isnan(row["estimate"]) and row["note"] == "not estimated: nobody used the service in: scheme, month 3" and row["n"] == 40
    assert np.isfinite(one(found, "use_event_study_gp", "4")["estimate"])


def test_arms_that_move_apart_before_the_start_are_found_out():
    apart, alike = (use_event_study(panel(people=2000, own_trend=t), "gp") for t in (0.05, 0.0))
    row = one(apart, "use_pre_trend_gp")
    assert row["conf_low"] < np.exp(0.05) < row["conf_high"] and row["conf_low"] > 1 and "by chance alone less than once in 100 times" in row["note"]
    assert one(apart, "use_placebo_gp")["conf_low"] > 1
    for measure in ("use_pre_trend_gp", "use_placebo_gp"):
        assert one(alike, measure)["conf_low"] < 1 < one(alike, measure)["conf_high"]
    assert "times in 100" in one(alike, "use_pre_trend_gp")["note"] and "p =" not in " ".join(alike["note"])


def test_the_placebo_splits_the_months_before_half_way():
    table = panel(people=40)
    sums = table.assign(half=np.select([table["month"] < -6, table["month"] < 0], ["early", "late"], "")).groupby(["arm", "half"])["count"].sum()
    row = one(use_event_study(table, "gp"), "use_placebo_gp")
    expected = sums["scheme", "late"] / sums["scheme", "early"] / (sums["comparison", "late"] / sums["comparison", "early"])
    assert row["estimate"] == pytest.approx(expected) and row["note"].startswith("as if the start had been at month -6: months -12 to -7 against -6 to -1")
    short = use_event_study(table[table["month"] >= -3], "gp")
    assert "fewer than 4 months" in one(short, "use_placebo_gp")["note"] and "at least 2 are needed" in one(short, "use_pre_trend_gp")["note"]


def test_a_series_finds_its_planted_step_and_says_what_it_cannot_tell():
    table = panel(people=3000, seed=2, ratio=0.7)
    found = use_series(table, "gp")
    level = one(found, "use_series_level_gp")
    assert level["conf_low"] < 0.63 < level["conf_high"] and level["n"] == 1500           # 0.9 of everybody times 0.7: no telling apart
    assert "9 months before and 12 after" in level["note"] and "cannot tell the scheme from what would have happened anyway" in level["note"]
    slope = one(found, "use_series_slope_gp")
    assert slope["conf_low"] < 1 < slope["conf_high"]
    own = table[table["arm"].eq("scheme")].groupby("month")["count"].mean()
    assert one(found, "use_series_gp", "5")["estimate"] == pytest.approx(12 * own[5]) and one(found, "use_series_gp", "0")["estimate"] == pytest.approx(12 * own[0])
    expected = found[found["measure"].eq("use_series_expected_gp")]
    assert list(expected["level"].astype(int)) == list(range(1, 13)) and (expected["conf_low"] < expected["estimate"]).all()
    assert one(found, "use_series_expected_gp", "1")["estimate"] == pytest.approx(12 * own.loc[-12:-4].mean(), rel=0.1)
    assert one(found, "use_series_expected_gp", "3")["estimate"] > one(found, "use_series_gp", "3")["estimate"]


def test_a_series_of_fewer_than_8_months_is_refused_in_words_and_its_months_are_shown():
    table = panel(people=40)
    found = use_series(table[table["month"].between(-6, 3)], "gp")
    level = one(found, "use_series_level_gp")
    assert np.isnan(level["estimate"]) and "there are 3 points before the change and 3 after it; at least 8 in all" in level["note"]
    assert np.isfinite(one(found, "use_series_gp", "2")["estimate"]) and "use_series_expected_gp" not in set(found["measure"])


def test_the_calendar_series_has_a_season_and_counts_the_first_month_as_after():
    months = np.arange(36)
    on = pd.date_range("2022-01-01", periods=36, freq="MS")
    rng, people = np.random.default_rng(1), 200
    mean = 2 * np.exp(0.3 * np.sin(2 * np.pi * months / 12) + np.log(0.75) * (months >= 18))
    counts = rng.poisson(mean, (people, 36))
    table = pd.DataFrame(dict(person_id=np.repeat([f"p{i}" for i in range(people)], 36), arm="scheme", service="gp", month=np.tile(months - 18, people),
                              count=counts.ravel().astype(float), exposure=1.0, calendar=np.tile(on, people))).assign(cluster=lambda t: t["person_id"])
    found = calendar_series(table, "gp", "2023-07-15")
    level = one(found, "use_calendar_level_gp")
    assert level["conf_low"] < 0.75 < level["conf_high"] and "18 months before and 18 after" in level["note"] and "with season" in level["note"]
    assert list(found.loc[found["measure"].eq("use_calendar_expected_gp"), "level"])[:2] == ["2023-07", "2023-08"]
    assert one(found, "use_calendar_gp", "2022-02")["estimate"] == pytest.approx(12 * counts[:, 1].mean())
    assert found["group"].isin(["all", "calendar_month"]).all()
    none = calendar_series(table.assign(calendar=pd.NaT), "gp", "2023-07-15")
    assert "0 points before" in one(none, "use_calendar_level_gp")["note"]


# ---- data that can answer nothing ---------------------------------------------------------------------------------------------

def all_metrics(table, service="gp"):
    return pd.concat([use_rates(table), use_change(table, service), use_effect(table, service, pd.Series(1.0, index=table["person_id"].unique())),
                      use_event_study(table, service), use_series(table, service)], ignore_index=True)


BAD = {
    "nobody used the service": lambda t: t.assign(count=0.0),
    "no month of this service was observed": lambda t: t[t["month"].eq(0)].assign(exposure=0.0, count=0.0),
    "there are no comparison people with an observed month": lambda t: t[t["arm"].eq("scheme")],
    "the scheme's people have no observed month": lambda t: t[t["arm"].eq("comparison")],
    "the service was only observed after the start (scheme people)": lambda t: t[t["month"] >= 0],
    "the service was only observed up to the start (scheme people)": lambda t: t[t["month"] <= 0],
    "the comparison people never used the service": lambda t: t.assign(count=t["count"].where(t["arm"].eq("scheme"), 0.0)),
    "nobody used the service in: scheme, before": lambda t: t.assign(count=t["count"].where(t["month"] > 0, 0.0)),
}


@pytest.mark.parametrize("words", BAD)
def test_what_cannot_be_answered_is_a_row_that_says_why(words):
    table = BAD[words](panel(people=30))
    found = all_metrics(table)
    numbers = found[COUNTS].to_numpy(float)
    assert not np.isinf(numbers).any() and not found["note"].str.contains("nan|inf", regex=True).any()
    assert found.loc[found["estimate"].isna(), "note"].str.len().gt(0).all()
    effect = found[found["measure"].isin(["rate_ratio_gp", "rate_ratio_weighted_gp"])]
    assert effect["estimate"].isna().all() and effect["note"].str.contains(words, regex=False).all()
    people = table.groupby("arm")["person_id"].nunique()
    assert (effect["n"] + effect["n_missing"] == people.sum()).all()


@pytest.mark.parametrize("words", BAD)
def test_every_row_accounts_for_the_people_who_came_in(words):
    table = BAD[words](panel(people=30))
    people = table.groupby("arm")["person_id"].nunique()
    own, total = people.get("scheme", 0), people.sum()
    for found, expected in ((use_change(table, "gp"), own), (use_effect(table, "gp"), total), (use_event_study(table, "gp"), total), (use_series(table, "gp"), own)):
        assert (found["n"] + found["n_missing"] == expected).all()


def test_nobody_at_all_gives_rows_without_numbers():
    found = all_metrics(panel(people=30).iloc[:0])
    assert found["estimate"].isna().all() and found["n"].eq(0).all() and found["note"].str.len().gt(0).all()
    assert all_metrics(panel(people=30), "ae").query("measure != 'use_rate_gp'")["estimate"].isna().all()


def test_small_numbers_of_users_are_hidden():
    # five people of the scheme use the service at all
    number = lambda t: t["person_id"].str[1:].astype(int)
    table = panel(people=80, rate=3).assign(count=lambda t: t["count"].where(number(t).ge(40) | number(t).lt(5), 0.0))
    found = all_metrics(table)
    assert one(found, "use_rate_gp", "scheme, before")["numerator"] == 5 and one(found, "rate_ratio_gp")["numerator"] <= 5
    shown = release(found, RULES["nhse_1_7_round5"])
    about_scheme = shown[~shown["level"].str.startswith("comparison")]
    assert about_scheme["estimate"].isna().all()
    assert one(shown, "use_rate_gp", "comparison, before")["estimate"] == pytest.approx(one(found, "use_rate_gp", "comparison, before")["estimate"], rel=5e-3)


# ---- how fragile ---------------------------------------------------------------------------------------------------------------

def test_the_smallest_ratio_that_could_be_found_and_the_e_values_belong_to_the_answer():
    # VanderWeele and Ding (2017): 1/RR + sqrt(1/RR (1/RR - 1)) of a ratio below 1
    found = use_effect(panel(), "gp")
    answer = one(found, "rate_ratio_gp")
    assert one(found, "minimum_detectable_ratio_gp")["estimate"] == pytest.approx(np.exp(-2.8016 * answer["std_error"]), rel=1e-3)
    for level, value in (("estimate", answer["estimate"]), ("limit nearer to no difference", answer["conf_high"])):
        assert one(found, "e_value_use_gp", level)["estimate"] == pytest.approx(1 / value + (1 / value * (1 / value - 1)) ** 0.5)
    null = use_effect(panel(ratio=1.0), "gp")
    assert one(null, "e_value_use_gp", "limit nearer to no difference")["estimate"] == 1


def test_without_the_run_up_the_fall_that_comes_by_itself_is_gone():
    found = use_change(panel(people=2000, ratio=1.0, bump=2.0), "gp").set_index("measure")["estimate"]
    # by construction: 0.9 of a mean of 9 months at 1 and 3 at 2; then 0.9 of 1
    assert found["rate_ratio_before_after_gp"] == pytest.approx(0.9 / 1.25, rel=0.03)
    assert found["rate_ratio_before_after_without_run_up_gp"] == pytest.approx(0.9, rel=0.03)
