"""The difference in a score between two groups: what answers, what stands beside it, and what cannot be answered."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from sprx import disclosure
from sprx.metrics.impact import Plan, balance, comparison_weights, effect, fragility, overlap, people_compared
from sprx.metrics.impact import scores as room

MEASURE = pd.Series(dict(name="SWEMWBS", mid_value=3.0, higher_is_better="yes"))


def draw(n=400, effect=2.0, lost=0.0, gap=0.0, seed=1):
    """Two arms of n people: the scheme's begin `gap` points lower, everybody regresses to 23, only the scheme adds `effect`; half as many of the worst return."""
    rng = np.random.default_rng(seed)
    arm = np.repeat(["scheme", "comparison"], n)
    baseline = rng.normal(20, 3, 2 * n) - gap * (arm == "scheme")
    follow = 23 + 0.6 * (baseline - 20) + effect * (arm == "scheme") + rng.normal(0, 2.5, 2 * n)
    gone = rng.random(2 * n) < lost * np.where(baseline < 20, 1.5, 0.5)
    return pd.DataFrame(dict(person_id=[f"p{i}" for i in range(2 * n)], arm=arm, baseline=baseline, follow_up=np.where(gone, np.nan, follow),
                             known_age=rng.integers(20, 90, 2 * n), known_sex=pd.array(rng.choice(["female", "male"], 2 * n), dtype="string"), cluster=pd.NA))


def row(table, measure, level="all"):
    return table[(table["measure"] == measure) & (table["level"] == level)].iloc[0]


def test_a_trial_without_loss_is_answered_by_ancova_with_hc3_errors():
    people = draw()
    found = row(effect(people, "s", MEASURE, Plan("randomised")), "effect_s")
    ols = smf.ols("follow_up ~ z + baseline + known_age + male", people.assign(z=people.arm.eq("scheme") * 1, male=people.known_sex.eq("male") * 1)).fit(cov_type="HC3")
    assert found["estimate"] == pytest.approx(ols.params["z"]) and found["std_error"] == pytest.approx(ols.bse["z"])
    assert found["n"] == 800 and found["n_missing"] == 0 and found["conf_low"] < 2 < found["conf_high"]


def test_the_sign_is_scheme_minus_comparison_and_swapping_the_arms_turns_it():
    people = draw()
    swapped = people.assign(arm=people["arm"].map({"scheme": "comparison", "comparison": "scheme"}))
    one, other = (row(effect(p, "s", MEASURE, Plan("randomised")), "effect_s") for p in (people, swapped))
    assert one["estimate"] > 1.5 and other["estimate"] == pytest.approx(-one["estimate"]) and other["conf_low"] == pytest.approx(-one["conf_high"])


def test_where_the_scheme_takes_the_worst_off_the_plain_difference_fails_and_the_answer_does_not():
    table = effect(draw(n=1500, effect=0.0, gap=2.0), "s", MEASURE, Plan("concurrent", draws=200))
    plain, answer = row(table, "effect_by_analysis_s", "not adjusted"), row(table, "effect_s")
    assert plain["conf_high"] < 0 and answer["conf_low"] < 0 < answer["conf_high"]
    assert answer["estimate"] == row(table, "effect_by_analysis_s", "doubly robust")["estimate"]
    assert list(table[table["group"] == "analysis"]["level"]) == ["doubly robust", "not adjusted", "adjusted", "weighted", "balanced", "trimmed", "bootstrap"]


def test_people_lost_are_filled_in_and_counted_and_complete_cases_stand_beside():
    people = draw(n=800, lost=0.4)
    table = effect(people, "s", MEASURE, Plan("randomised", seed=3))
    answer, complete, pessimist = row(table, "effect_s"), row(table, "effect_by_analysis_s", "complete cases"), row(table, "effect_by_analysis_s", "lost like the comparison")
    assert answer["n"] == 1600 and complete["n"] + complete["n_missing"] == 1600 and complete["n"] == people["follow_up"].notna().sum()
    assert answer["conf_low"] < 2 < answer["conf_high"] and "50 times" in answer["note"] and "seed 3" in answer["note"]
    share = people.loc[people["arm"] == "scheme", "follow_up"].notna().mean()
    assert pessimist["estimate"] == pytest.approx(2 * share, abs=0.35)             # the effect comes only from those who were seen again


def test_the_same_seed_gives_the_same_numbers_and_another_does_not():
    people = draw(lost=0.3)
    values = [row(effect(people, "s", MEASURE, Plan("concurrent", seed=s, draws=50)), "effect_s")["estimate"] for s in (1, 1, 2)]
    assert values[0] == values[1] != values[2]


def test_everybody_who_came_in_is_counted():
    people = draw(lost=0.3)
    people.loc[:9, ["baseline", "follow_up"]] = np.nan
    table = effect(people, "s", MEASURE, Plan("concurrent", draws=50))
    assert ((table["n"] + table["n_missing"]) == len(people))[table["estimate"].notna()].all()
    assert row(table, "effect_s")["n_missing"] == 10


def test_below_level_three_nothing_is_called_an_effect():
    table = effect(draw(), "s", MEASURE, Plan("historical", draws=50))
    assert not table["measure"].str.contains("effect").any() and row(table, "difference_s")["estimate"] > 1
    assert not fragility(draw(), "s", MEASURE, Plan("adjusted"))["measure"].str.contains("effect").any()


def test_the_effect_in_standard_deviations_is_divided_by_the_pooled_sd_with_hedges_factor():
    people = draw()
    table = effect(people, "s", MEASURE, Plan("randomised"))
    spread = np.sqrt(people.groupby("arm")["follow_up"].var().mean())                 # arms of one size
    assert row(table, "effect_standardised_s")["estimate"] == pytest.approx(row(table, "effect_s")["estimate"] / spread * (1 - 3 / (4 * 798 - 1)), rel=1e-4)


def test_the_share_improved_counts_a_gain_of_the_threshold_and_more_in_the_right_direction():
    people = draw(n=20).assign(known_age=50, known_sex=pd.array(["female"] * 40, dtype="string"))
    rng = np.random.default_rng(4)
    people["baseline"] = rng.normal(20, 2, 40)
    people["follow_up"] = people["baseline"] + np.where(people["arm"] == "scheme", 3.0, 2.9)
    assert row(effect(people, "s", MEASURE, Plan("randomised")), "improved_difference_s")["estimate"] == pytest.approx(100)
    lower = MEASURE.replace({"yes": "no"})
    people["follow_up"] = people["baseline"] - np.where(people["arm"] == "scheme", 3.0, 2.9)
    assert row(effect(people, "s", lower, Plan("randomised")), "improved_difference_s")["estimate"] == pytest.approx(100)
    nobody = row(effect(people, "s", MEASURE.replace({3.0: np.nan}), Plan("randomised")), "improved_difference_s")
    assert np.isnan(nobody["estimate"]) and "smallest difference that matters" in nobody["note"]


def test_the_smallest_detectable_effect_is_about_2_8_errors_of_the_answer():
    table = effect(draw(), "s", MEASURE, Plan("randomised"))
    assert row(table, "minimum_detectable_effect_s")["estimate"] / row(table, "effect_s")["std_error"] == pytest.approx(2.804, abs=0.005)


def test_clusters_make_the_answer_one_of_complete_cases_with_errors_by_cluster():
    rng = np.random.default_rng(3)
    people = draw(n=300, lost=0.3)
    place = np.concatenate([rng.integers(0, 12, 300), rng.integers(12, 24, 300)])
    people = people.assign(cluster=pd.array(place.astype(str), dtype="string"), follow_up=people["follow_up"] + rng.normal(0, 1.5, 24)[place])
    table = effect(people, "s", MEASURE, Plan("cluster_randomised"))
    answer, alone = row(table, "effect_s"), row(effect(people.assign(cluster=pd.NA), "s", MEASURE, Plan("randomised")), "effect_s")
    assert answer["n"] == people["follow_up"].notna().sum() and "by cluster" in answer["method"] and answer["std_error"] > 1.3 * alone["std_error"]
    assert set(table[table["group"] == "analysis"]["level"]) == {"not adjusted", "adjusted", "filled in", "mixed model"}
    mixed = row(table, "effect_by_analysis_s", "mixed model")
    assert mixed["std_error"] == pytest.approx(answer["std_error"], rel=0.35)


NOTES = {
    "few": (lambda p: p.groupby("arm").head(3), Plan("concurrent"), "at least 10 people with a later score in each group"),
    "one arm": (lambda p: p.assign(follow_up=p["follow_up"].where(p["arm"] == "scheme")), Plan("concurrent"), "at least 10 people with a later score in each group"),
    "no comparison": (lambda p: p[p["arm"] == "scheme"], Plan("concurrent"), "at least 10 people with a later score in each group"),
    "separated": (lambda p: p.assign(known_age=np.where(p["arm"] == "scheme", 70.0, 30.0) + np.arange(len(p)) % 5), Plan("matched"), "told apart perfectly"),
    "no cluster": (lambda p: p, Plan("cluster_randomised"), "needs cluster, under comparison in scheme.yaml"),
    "one place": (lambda p: p.assign(cluster=p["arm"]), Plan("cluster_randomised"), "at least 3 clusters in each group")}


@pytest.mark.parametrize("case", NOTES)
def test_what_cannot_be_compared_is_a_row_that_says_why(case):
    change, plan, words = NOTES[case]
    people = change(draw(n=60))
    table = effect(people, "s", MEASURE, plan)
    assert len(table) == 1 and np.isnan(table["estimate"].iloc[0]) and words in table["note"].iloc[0]
    assert table["n_missing"].iloc[0] == len(people)
    assert balance(people, "s", plan).empty or table["note"].str.contains("told apart").any()
    assert fragility(people, "s", MEASURE, plan).empty and overlap(people, "s", plan).empty


def test_everyone_with_the_same_score_is_a_difference_of_nothing_not_a_crash():
    table = effect(draw(n=40).assign(follow_up=20.0, baseline=20.0), "s", MEASURE, Plan("randomised"))
    assert row(table, "effect_s")["estimate"] == pytest.approx(0, abs=1e-9) and row(table, "effect_standardised_s")["note"] == "everyone has the same score"


def test_a_level_that_nobody_followed_up_has_leaves_the_answer_where_it_was():
    # a level of one person who was lost: the regression that fills in learns nothing of it, and must not fling the score anywhere
    people = draw(n=200, lost=0.3)
    rare = people.index[people["follow_up"].isna()][:12]
    table = effect(people.assign(known_sex=people["known_sex"].where(~people.index.isin(rare), "other")), "s", MEASURE, Plan("concurrent", draws=0))
    assert row(table, "effect_s")["std_error"] < 1 and abs(row(table, "effect_s")["estimate"] - 2) < 1.5


def test_balance_is_bad_before_and_good_after_weighting_where_the_scheme_takes_the_worst_off():
    people = draw(n=600, gap=1.5)
    table = balance(people, "s", Plan("concurrent"))
    gaps = table[table["measure"] == "smd_between_groups_s"].set_index(["group", "level"])["estimate"]
    own, others = (people.loc[people["arm"] == arm, "baseline"] for arm in ("scheme", "comparison"))
    assert gaps["before weighting", "first score"] == pytest.approx((own.mean() - others.mean()) / own.std()) and gaps["before weighting", "first score"] < -0.4
    assert abs(gaps["weighted", "first score"]) < 0.1 and abs(gaps["balanced"]).max() < 1e-6
    sizes = table[table["measure"] == "effective_sample_size_s"].set_index("group")["estimate"]
    assert (sizes < 600).all() and (sizes % 5 == 0).all()
    assert set(balance(people, "s", Plan("randomised"))["group"]) == {"before weighting"}


def test_overlap_counts_each_group_once_and_finds_people_like_nobody():
    people = draw(n=500, gap=5.0)
    table = overlap(people, "s", Plan("concurrent"))
    shares = table[table["group"] == "chance"]
    assert shares.groupby("measure")["estimate"].sum().tolist() == pytest.approx([1, 1])
    own, others = (shares[shares["measure"] == f"propensity_{arm}_s"].set_index("level")["estimate"] for arm in ("scheme", "comparison"))
    assert own["80% to 100%"] > 0.3 > others["80% to 100%"] and others["0% to 20%"] > 0.3 > own["0% to 20%"]
    assert row(table, "outside_overlap_s")["estimate"] > 0.005 and overlap(draw(n=500), "s", Plan("randomised")).empty
    assert row(overlap(draw(n=500), "s", Plan("concurrent")), "outside_overlap_s")["estimate"] < 0.02


def test_leaving_out_what_confounds_moves_the_answer_and_the_e_value_belongs_to_it():
    people = draw(n=1500, effect=0.0, gap=2.0)
    table = fragility(people, "s", MEASURE, Plan("concurrent"))
    left = table[table["group"] == "left_out"].set_index("level")["estimate"]
    assert set(left.index) == {"age", "sex", "first score"} and left["first score"] < -0.8 and abs(left["age"]) < 0.4
    assert row(table, "e_value_s", "limit nearer to no difference")["estimate"] == 1 and row(table, "e_value_s", "estimate")["estimate"] >= 1
    strong = fragility(draw(n=500), "s", MEASURE, Plan("concurrent"))
    assert row(strong, "e_value_s", "estimate")["estimate"] > row(strong, "e_value_s", "limit nearer to no difference")["estimate"] > 1.5
    assert fragility(draw(n=100), "s", MEASURE, Plan("randomised"))["group"].eq("left_out").all()


def test_weights_for_use_of_services_come_from_what_is_known_at_the_start():
    people = draw(n=300, gap=0.0).assign(known_age=lambda p: np.where(p["arm"] == "scheme", 10, 0) + np.random.default_rng(1).normal(50, 12, 600))
    weights = comparison_weights(people, Plan("concurrent"))
    own, others = (people[people["arm"] == arm] for arm in ("scheme", "comparison"))
    assert (weights[own["person_id"]] == 1).all()
    assert np.average(others["known_age"], weights=weights[others["person_id"]]) == pytest.approx(own["known_age"].mean(), abs=1.0)
    assert comparison_weights(people, Plan("randomised")) is None and comparison_weights(people[people["arm"] == "scheme"], Plan("concurrent")) is None


def test_who_was_measured_again_is_counted_by_group():
    people = draw(n=100, lost=0.3)
    table = people_compared(people, "s").set_index("level")
    for arm in ("scheme", "comparison"):
        assert table.loc[arm, "estimate"] == people.loc[people["arm"] == arm, "follow_up"].notna().mean() and table.loc[arm, "n"] == 100


def test_people_who_were_never_measured_are_not_counted_as_lost_between_measurements():
    people = draw(n=100)
    people.loc[:9, ["baseline", "follow_up"]] = np.nan
    found = people_compared(people, "s").set_index("level").loc["scheme"]
    assert (found["n"], found["n_missing"], found["estimate"]) == (90, 10, 1.0)


def test_a_difference_that_rests_on_few_people_is_hidden():
    people = draw(n=60)
    people.loc[people.index[people["arm"] == "comparison"][:55], "follow_up"] = np.nan
    assert effect(people, "s", MEASURE, Plan("concurrent"))["estimate"].isna().all()
    people = draw(n=60)
    people.loc[people.index[:4], "follow_up"] = np.nan              # four lost: the complete cases beside everybody would give them away
    out = disclosure.release(effect(people, "s", MEASURE, Plan("randomised")), disclosure.RULES["suppress_lt5"])
    assert row(out, "effect_by_analysis_s", "complete cases")["suppressed"] and not row(out, "effect_s")["suppressed"]


def test_the_plan_knows_what_a_difference_may_be_called():
    assert [Plan(design).word() for design in ("randomised", "matched", "historical", "adjusted")] == ["effect", "effect", "difference", "difference"]
    assert room.headline_analysis(Plan("randomised")) == "adjusted" and room.headline_analysis(Plan("matched")) == "doubly robust"


def test_people_with_a_later_score_and_no_first_one_are_among_those_compared():
    people = draw()
    people.loc[:29, "baseline"] = np.nan
    found = row(effect(people, "s", MEASURE, Plan("randomised")), "effect_s")
    assert found["n"] == 800 and found["n_missing"] == 0


def test_scheme_people_like_nobody_are_left_out_of_the_trimmed_analysis_only():
    people = draw(n=300)
    people.loc[:39, "known_age"] = 500 + np.arange(40) % 7          # forty of the scheme's whom nobody resembles, and who gain 20 points more
    people.loc[:39, "follow_up"] += 20
    table = effect(people, "s", MEASURE, Plan("concurrent", draws=0))
    trimmed, whole = (row(table, "effect_by_analysis_s", level)["estimate"] for level in ("trimmed", "doubly robust"))
    assert abs(trimmed - 2) < 0.7 and whole > 3.5
