"""Chapter 06: costs against effects, what cannot be compared, what else could be assumed, and the other views."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from sprx import disclosure
from sprx.metrics.cost_effectiveness import EconomicPlan, cost_effectiveness, fit, means_by_arm, service_prices, value_people
from sprx.metrics.cost_effectiveness.decision import decision, effect_and_cost, joint_draws, plane, scenarios, uncertain_draws, value_of_finding_out
from sprx.metrics.cost_effectiveness.threshold import break_even, change_valued, kinds_of_value, social_return, wellbys

PRICES = service_prices(["gp", "ae"], "2023/24", {"ae": 200.0})
PLAN = EconomicPlan("randomised", scheme_cost=300.0, prices=PRICES, draws=2000)


def draw(n=300, gain=0.06, fewer=1.0, lost=0.0, gap=0.0, seed=1):
    """Two arms of n people: the scheme's gain `gain` in utility by month 6 and keep it, and see the GP `fewer` times less; some of the worst are lost."""
    rng = np.random.default_rng(seed)
    arm = np.repeat(["scheme", "comparison"], n)
    own = arm == "scheme"
    first = np.clip(rng.normal(0.55, 0.15, 2 * n) - gap * own, -0.2, 1)
    later = [np.clip(0.2 + 0.7 * (first + gap * own * 0.3) + gain * own + rng.normal(0, 0.1, 2 * n), -0.5, 1) for _ in (0, 1)]
    before = rng.gamma(2, 0.3, 2 * n)
    uses = np.maximum(rng.poisson(2 + 8 * before) - fewer * own, 0)
    gone = rng.random(2 * n) < lost * np.where(first < 0.55, 1.5, 0.5)
    return pd.DataFrame(dict(person_id=[f"p{i}" for i in range(2 * n)], arm=arm, known_age=rng.integers(20, 90, 2 * n), cluster=pd.NA, score_0=first,
                             score_6=np.where(gone, np.nan, later[0]), score_12=np.where(gone, np.nan, later[1]), use_gp=uses.astype(float), before_gp=before))


def row(table, measure, level="all"):
    return table[(table["measure"] == measure) & (table["level"] == level)].iloc[0]


def valued(people=None, plan=PLAN, **more):
    ready = value_people(draw(**more) if people is None else people, plan)
    return ready, cost_effectiveness(ready, plan)


# ---- the answer

def test_in_a_trial_each_outcome_is_adjusted_for_its_own_first_value_with_robust_errors():
    people = draw()
    _, table = valued(people)
    data = people.assign(z=people.arm.eq("scheme") * 1, qaly=(people.score_0 + people.score_6) / 4 + (people.score_6 + people.score_12) / 4, cost=people.use_gp * 37)
    one = smf.ols("qaly ~ z + score_0", data).fit(cov_type="HC1")
    other = smf.ols("cost ~ z + before_gp", data).fit(cov_type="HC1")
    found = row(table, "qaly_difference"), row(table, "cost_difference"), row(table, "use_cost_difference")
    assert [found[0]["estimate"], found[0]["std_error"]] == pytest.approx([one.params["z"], one.bse["z"]])
    assert [found[1]["estimate"], found[1]["std_error"]] == pytest.approx([other.params["z"] + 300, other.bse["z"]]) and found[2]["estimate"] == pytest.approx(other.params["z"])
    assert found[0]["n"] == 600 and found[0]["n_missing"] == 0 and row(table, "icer")["estimate"] == pytest.approx(found[1]["estimate"] / found[0]["estimate"])


def test_net_benefit_is_effect_times_threshold_less_cost_at_each_threshold():
    _, table = valued()
    gained, paid = row(table, "qaly_difference")["estimate"], row(table, "cost_difference")["estimate"]
    for at in (20_000, 30_000):
        found = row(table, "net_benefit", str(at))
        assert found["estimate"] == pytest.approx(at * gained - paid) and found["conf_low"] < found["estimate"] < found["conf_high"]


def test_swapping_the_arms_turns_the_differences():
    people = draw()
    swapped = people.assign(arm=people["arm"].map({"scheme": "comparison", "comparison": "scheme"}))
    one, other = (valued(p, EconomicPlan("randomised", 1e-9, PRICES))[1] for p in (people, swapped))
    for measure in ("qaly_difference", "cost_difference"):
        assert row(one, measure)["estimate"] == pytest.approx(-row(other, measure)["estimate"])


def test_people_lost_are_filled_in_and_counted_and_complete_cases_stand_beside():
    people = draw(n=600, lost=0.4)
    ready, table = valued(people)
    answer, complete = row(table, "qaly_difference"), row(table, "qaly_difference_by_analysis", "complete cases")
    assert answer["n"] == 1200 and complete["n"] == people["score_6"].notna().sum() and complete["n"] + complete["n_missing"] == 1200
    assert answer["estimate"] == pytest.approx(complete["estimate"], abs=0.006)
    assert "50 times" in answer["note"] and answer["std_error"] > row(valued(draw(n=600))[1], "qaly_difference")["std_error"]
    assert answer["conf_low"] < 0.06 * 0.75 < answer["conf_high"]                       # 0.06 from month 6 on, half of it before: 0.75 years' worth


def test_where_the_scheme_takes_the_worst_off_the_plain_difference_fails_and_the_answer_does_not():
    people = draw(n=800, gain=0.0, gap=0.1)
    people["known_age"] = np.random.default_rng(2).integers(20, 90, 1600)
    _, table = valued(people, EconomicPlan("concurrent", 300.0, PRICES))
    plain, answer = row(table, "qaly_difference_by_analysis", "not adjusted"), row(table, "qaly_difference")
    assert plain["conf_high"] < 0 and abs(answer["estimate"]) < abs(plain["estimate"]) / 2
    assert list(dict.fromkeys(table[table["group"] == "analysis"]["level"])) == ["adjusted", "not adjusted", "weighted", "seemingly unrelated"]


def test_places_drawn_by_lot_need_places_and_give_wider_intervals():
    people = draw()
    plan = EconomicPlan("cluster_randomised", 300.0, PRICES)
    assert "needs cluster" in value_people(people, plan).problem
    few = people.assign(cluster=people["arm"].str[0] + "1")
    assert value_people(few, plan).problem == "fewer than 3 places in a group"
    placed = people.assign(cluster=people["arm"].str[0] + pd.Series(np.arange(600) % 10).astype(str))
    shift = placed["cluster"].map({c: s for c, s in zip(sorted(placed["cluster"].unique()), np.random.default_rng(5).normal(0, 0.08, 20))})
    placed = placed.assign(score_6=placed["score_6"] + shift, score_12=placed["score_12"] + shift)
    wide, plain = row(valued(placed, plan)[1], "qaly_difference"), row(valued(placed.assign(cluster=pd.NA))[1], "qaly_difference")
    assert wide["std_error"] > 1.5 * plain["std_error"] and wide["estimate"] == pytest.approx(plain["estimate"]) and "errors by place" in wide["method"]


# ---- what cannot be compared, and what looks odd

def test_a_scheme_whose_own_cost_is_not_known_is_not_valued_at_nothing():
    ready, table = valued(plan=EconomicPlan("randomised", 0.0, PRICES))
    assert ready.problem == "the scheme's own cost is not known" and len(table) == 1 and table["estimate"].isna().all()


def test_costs_of_known_services_are_not_taken_for_the_schemes_own():
    people = draw().rename(columns={"use_gp": "cost_gp", "before_gp": "paid_before_gp"})
    assert value_people(people, EconomicPlan("randomised", 0.0, PRICES)).problem == "the scheme's own cost is not known"
    assert value_people(people.rename(columns={"cost_gp": "cost_all", "paid_before_gp": "paid_before_all"}), EconomicPlan("randomised", 0.0, PRICES)).problem == ""


@pytest.mark.parametrize("spoil, problem", [
    (lambda p: p[p["arm"] == "scheme"], "there is no comparison group"),
    (lambda p: p.drop(columns=["score_0", "score_6", "score_12"]), "no utilities (EQ-5D) are recorded"),
    (lambda p: p.assign(score_12=p["score_12"].where(p["arm"] == "scheme")), "fewer than 10 people in a group have these scores over the whole time"),
    (lambda p: p.assign(score_0=0.5), "the first scores are all the same, or missing")])
def test_what_cannot_be_compared_says_why_in_one_row(spoil, problem):
    ready, table = valued(spoil(draw()))
    assert ready.problem == problem and len(table) == 1 and table["estimate"].isna().all() and table["note"].iloc[0] == f"not estimated: {problem}"
    assert means_by_arm(ready, PLAN).empty and scenarios(ready, PLAN).empty


def test_where_no_service_is_priced_only_the_schemes_own_cost_counts():
    _, table = valued(draw().drop(columns=["use_gp", "before_gp"]))
    assert row(table, "cost_difference")["estimate"] == 300 and row(table, "use_cost_difference")["estimate"] == 0 and row(table, "cost_difference")["std_error"] == 0


def test_a_service_without_a_unit_cost_is_left_out_and_named():
    people = draw().assign(use_mh=1.0, before_mh=0.5)
    ready = value_people(people, EconomicPlan("randomised", 300.0, service_prices(["gp", "mh"], "2023/24")))
    assert ready.about["unpriced"] == ("mh",) and ready.services == ("gp",)


def test_the_extracts_own_costs_come_before_unit_costs():
    people = draw().assign(cost_all=lambda t: t["use_gp"] * 10, paid_before_all=lambda t: t["before_gp"]).drop(columns=["use_gp", "before_gp"])
    ready, table = valued(people, EconomicPlan("randomised", prices=service_prices(["all"], "2023/24")))
    assert ready.services == ("all",) and ready.priced == () and row(table, "cost_difference")["conf_low"] < -10 < row(table, "cost_difference")["conf_high"] < 0


def test_identical_arms_differ_in_nothing_and_have_no_ratio():
    half = draw(n=100).iloc[:100]
    people = pd.concat([half, half.assign(arm="comparison", person_id=half["person_id"] + "x")], ignore_index=True)
    _, table = valued(people, EconomicPlan("randomised", 1e-9, PRICES))
    assert row(table, "qaly_difference")["estimate"] == pytest.approx(0, abs=1e-12) and row(table, "icer")["note"] == "no ratio: the effects are the same"


def test_everyones_cost_zero_is_a_cost_of_nothing():
    people = draw().assign(cost_all=0.0, paid_before_all=0.0).drop(columns=["use_gp", "before_gp"])
    _, table = valued(people, EconomicPlan("randomised", prices=PRICES))
    found = row(table, "cost_difference")
    assert found["estimate"] == pytest.approx(0, abs=1e-9) and found["std_error"] == 0 and row(table, "icer")["note"] == "no ratio: the costs are the same"


@pytest.mark.parametrize("gain, cost, note", [
    (0.06, -500.0, "no ratio: the scheme does more and costs less (it dominates)"), (-0.06, 300.0, "no ratio: the scheme does less and costs more (it is dominated)"),
    (-0.06, -500.0, "less effect for less money: pounds saved per QALY given up"), (0.06, 300.0, "")])
def test_a_ratio_stands_only_where_it_means_something(gain, cost, note):
    _, table = valued(plan=EconomicPlan("randomised", cost, PRICES), gain=gain)
    found = row(table, "icer")
    assert found["note"] == note and (pd.isna(found["estimate"]) if note.startswith("no ratio") else found["estimate"] > 0)


def test_no_ratio_is_ever_negative():
    for seed, (gain, cost) in enumerate([(0.02, 100.0), (-0.02, 100.0), (0.02, -100.0), (-0.02, -100.0)]):
        ratio = row(valued(plan=EconomicPlan("randomised", cost, PRICES), n=60, gain=gain, seed=seed)[1], "icer")["estimate"]
        assert pd.isna(ratio) or ratio > 0


# ---- prices

def test_prices_are_the_schemes_own_then_the_published_ones_with_a_range():
    assert PRICES.loc["ae", ["value", "low", "high"]].tolist() == [200, 160, 240] and PRICES.at["ae", "source"] == "scheme.yaml"
    assert PRICES.loc["gp", ["value", "high"]].tolist() == [37, 56] and PRICES.at["gp", "low"] == pytest.approx(0.8 * 37)
    assert pd.isna(service_prices(["mh"], "2023/24").at["mh", "value"])


# ---- how sure

def test_means_are_of_people_of_whom_every_score_and_cost_is_recorded_whatever_else_is():
    people = draw(n=50)
    people.loc[:9, "use_gp"], people.loc[10:14, "score_12"], people.loc[15:29, "known_age"] = np.nan, np.nan, np.nan
    table = means_by_arm(value_people(people, EconomicPlan("concurrent", 300.0, PRICES)), PLAN)
    found = row(table, "mean_cost", "scheme")
    kept = people.iloc[15:50]
    assert found["n"] == 35 and found["n_missing"] == 15 and found["estimate"] == pytest.approx(kept["use_gp"].mean() * 37 + 300)
    assert row(table, "mean_qaly", "scheme")["estimate"] == pytest.approx((kept[["score_0", "score_12"]].mean().mean() + kept["score_6"].mean()) / 2)


def test_chances_are_the_share_of_draws_worth_their_cost():
    ready, _ = valued()
    draws = effect_and_cost(joint_draws(ready, PLAN), PLAN)
    assert draws.shape == (2000, 2)
    table = decision(draws, ready, PLAN)
    for at in (0, 20_000, 30_000):
        assert row(table, "acceptability", str(at))["estimate"] == pytest.approx((at * draws[:, 0] > draws[:, 1]).mean())
    benefit = 20_000 * draws[:, 0] - draws[:, 1]
    assert row(table, "evpi", "20000")["estimate"] == pytest.approx(np.maximum(benefit, 0).mean() - max(benefit.mean(), 0))
    assert table[table["measure"] == "quadrant_share"]["estimate"].sum() == pytest.approx(1) and set(table["note"]) == {"seed 1"}
    assert table[table["measure"] == "evpi"]["level"].astype(float).max() == 60_000


def test_what_is_not_known_of_missing_values_is_in_the_draws():
    plan = EconomicPlan("randomised", 300.0, PRICES, draws=5000)
    ready, table = valued(draw(n=400, lost=0.5), plan)
    assert joint_draws(ready, plan)[:, 0].std() == pytest.approx(row(table, "qaly_difference")["std_error"], rel=0.1)


def test_unsure_prices_widen_the_draws_and_leave_their_mean():
    ready, _ = valued(fewer=2.0)
    draws = joint_draws(ready, PLAN)
    plain, unsure = effect_and_cost(draws, PLAN), uncertain_draws([draws], ready, PLAN)
    assert unsure[:, 1].std() > 1.2 * plain[:, 1].std() and unsure[:, 1].mean() == pytest.approx(plain[:, 1].mean(), abs=4)
    assert np.array_equal(unsure[:, 0], plain[:, 0])                                    # drawn by lot: the difference is the scheme's doing
    shared = uncertain_draws([draws], ready, EconomicPlan("concurrent", 300.0, PRICES))
    assert (shared[:, 0] / plain[:, 0]).min() >= 0.8 and (shared[:, 0] / plain[:, 0]).mean() == pytest.approx(0.9, abs=0.01)
    mixed = uncertain_draws([draws, draws * 0], ready, PLAN)
    assert (mixed[:, 0] == 0).mean() == pytest.approx(0.5, abs=0.05)                     # a draw takes each value set equally often


def test_there_is_nothing_more_to_be_unsure_of_where_the_extract_gives_all_costs():
    people = draw().assign(cost_all=lambda t: t["use_gp"] * 10, paid_before_all=lambda t: t["before_gp"]).drop(columns=["use_gp", "before_gp"])
    plan = EconomicPlan("randomised", prices=service_prices(["all"], "2023/24"), draws=100)
    ready = value_people(people, plan)
    assert uncertain_draws([joint_draws(ready, plan)], ready, plan) is None


def test_the_plane_leaves_with_three_figures_and_not_at_all_from_few_people():
    ready, _ = valued()
    shown = plane(effect_and_cost(joint_draws(ready, PLAN), PLAN), ready)
    rule = disclosure.RULES["nhse_1_7_round5"]
    out = disclosure.release_draws(shown, rule)
    assert len(out) == 1000 and "n" not in out and out["cost"].map(lambda v: float(f"{v:.3g}") == v).all()
    assert disclosure.release_draws(shown.assign(n=5), rule).empty and len(disclosure.release_draws(shown.assign(n=5), disclosure.RULES["none"])) == 1000


def test_what_leaves_has_three_figures_so_that_no_exact_number_of_people_comes_back():
    ready, table = valued()
    rule = disclosure.RULES["nhse_1_7_round5"]
    both = [disclosure.release(found, rule) for found in (table, means_by_arm(ready, PLAN), change_valued(draw()), kinds_of_value(ready, PLAN))]
    for found in both:
        numbers = found[["estimate", "std_error", "conf_low", "conf_high"]].stack()
        exact = found["measure"].isin(["icer"])
        assert len(numbers) and all(float(f"{v:.3g}") == v for v in found.loc[~exact, ["estimate", "std_error", "conf_low", "conf_high"]].stack())


def test_knowing_for_certain_is_worth_its_share_for_everybody_and_later_years_count_less():
    ready, _ = valued()
    table = decision(effect_and_cost(joint_draws(ready, PLAN), PLAN), ready, PLAN)
    found = value_of_finding_out(table, 200, 2.5, 1e5, PLAN)
    years = 1 + 1 / 1.035 + 0.5 / 1.035 ** 2
    assert row(found, "evpi_everybody", "20000")["estimate"] == pytest.approx(row(table, "evpi", "20000")["estimate"] * 200 * years)
    assert row(found, "study_cost")["estimate"] == 1e5 and value_of_finding_out(table, 0, 5, 1e5, PLAN).empty


# ---- what if

def test_scenarios_change_one_thing_and_the_first_is_the_answer():
    people = draw().drop(columns="score_12")
    ready, answer = valued(people)
    table = scenarios(ready, PLAN, cash_cost=250.0)
    base = row(answer, "net_benefit", "20000")["estimate"]
    known = fit(ready, PLAN)
    gained, last = known.contrast(known.effect)["estimate"], known.contrast(np.eye(len(known.effect))[-1])["estimate"]
    expected = {"as answered": base, "benefit falls to nothing by month 12": base + 20_000 * last * 0.25, "benefit stays until month 12": base + 20_000 * last * 0.5,
                "25% of the benefit would have come anyway": base - 5_000 * gained, "50% of the benefit would have come anyway": base - 10_000 * gained,
                "the scheme costs 20% less": base + 60, "the scheme costs 20% more": base - 60, "nothing given in kind is counted": base + 50}
    found = table.set_index("level")["estimate"]
    assert found[list(expected)].tolist() == pytest.approx(list(expected.values())) and list(found.index)[0] == "as answered"
    used = row(answer, "use_cost_difference")["estimate"]
    assert found["use of services is not counted"] == pytest.approx(base + used) and found["services at their high unit costs"] == pytest.approx(base - used * (56 / 37 - 1))


def test_a_benefit_measured_for_a_year_is_not_made_longer():
    ready, _ = valued()
    assert not scenarios(ready, PLAN)["level"].str.contains("month 12").any()


def test_beyond_a_year_the_discount_shows_among_the_scenarios():
    people = draw().rename(columns={"score_12": "score_24"})
    plan = EconomicPlan("randomised", 300.0, PRICES, rate=0.1)
    ready, table = valued(people, plan)
    found = scenarios(ready, plan).set_index("level")["estimate"]
    assert found["effects are not discounted"] > found["as answered"] == row(table, "net_benefit", "20000")["estimate"]


# ---- thresholds, kinds of value, social return

def test_break_even_is_the_cost_by_what_a_unit_is_worth():
    table = break_even(PLAN, "2023/24", 6, 200)
    assert row(table, "break_even_qaly", "20000")["estimate"] == pytest.approx(0.015) and row(table, "break_even_utility", "20000")["estimate"] == pytest.approx(0.03)
    assert row(table, "break_even_uses", "gp")["estimate"] == pytest.approx(300 / 37) and row(table, "break_even_uses", "ae")["estimate"] == 1.5
    assert row(table, "break_even_life_satisfaction")["estimate"] == pytest.approx(300 / (13_000 * 96.1117 / 80.8738))
    nothing = break_even(EconomicPlan("none", 0.0, PRICES), "2023/24")
    assert len(nothing) == 1 and nothing["estimate"].isna().all()


def test_a_change_without_a_comparison_is_the_area_above_the_first_score():
    people = pd.DataFrame(dict(arm=["scheme"] * 4 + ["comparison"], score_0=[0.4, 0.5, 0.6, 0.5, 0.1], score_12=[0.6, 0.5, 0.8, np.nan, 0.9]))
    found = change_valued(people).iloc[0]
    assert found["estimate"] == pytest.approx(np.mean([0.1, 0, 0.1])) and found["n"] == 3 and found["n_missing"] == 1
    assert change_valued(people.drop(columns=["score_0", "score_12"])).empty


def test_wellbys_are_worth_the_official_value_brought_to_the_price_year():
    people = draw().assign(**{c: lambda t, c=c: 10 * t[c] for c in ("score_0", "score_6", "score_12")})
    plan = EconomicPlan("randomised", 300.0, PRICES)
    table = wellbys(value_people(people, plan), plan, "2023/24")
    each = row(table, "wellby_difference")["estimate"]
    worth = 13_000 * 96.1117 / 80.8738
    assert each == pytest.approx(10 * 0.06 * 0.75, rel=0.3) and row(table, "wellby_value", "central")["estimate"] == pytest.approx(each * worth)
    assert row(table, "wellby_value", "low")["estimate"] == pytest.approx(each * worth * 10 / 13)
    ready, answer = valued(draw())
    kinds = kinds_of_value(ready, plan, table)
    assert row(kinds, "capacity_releasing")["estimate"] == pytest.approx(-row(answer, "use_cost_difference")["estimate"]) and pd.isna(row(kinds, "cash_releasing")["estimate"])
    assert row(kinds, "health_value", "20000")["estimate"] == pytest.approx(20_000 * row(answer, "qaly_difference")["estimate"])
    assert row(kinds, "wellbeing_value")["estimate"] == pytest.approx(each * worth)


TAKEN_OFF = dict(deadweight=0.5, attribution=0.2, drop_off=0.0, displacement=0.1)


def test_social_return_takes_off_what_is_said_but_never_deadweight_twice():
    people = draw().assign(**{c: lambda t, c=c: 10 * t[c] for c in ("score_0", "score_6", "score_12")})
    table = wellbys(value_people(people, PLAN), PLAN, "2023/24")
    value = row(table, "wellby_value", "central")["estimate"]
    found = social_return(table, change_valued(people), PLAN, "2023/24", 240.0, TAKEN_OFF)["estimate"].tolist()
    assert found == pytest.approx([value / 300, value * 0.72 / 300, value * 0.72 / 240])
    alone = people[people["arm"] == "scheme"]
    before = social_return(wellbys(value_people(alone, PLAN), PLAN, "2023/24"), change_valued(alone), PLAN, "2023/24", None, TAKEN_OFF)
    worth = change_valued(alone)["estimate"].iloc[0] * 13_000 * 96.1117 / 80.8738
    assert before["estimate"].tolist() == pytest.approx([worth / 300, worth * 0.36 / 300]) and set(before["note"]) == {"from a change without a comparison"}
    assert len(social_return(table, change_valued(people), PLAN, "2023/24", 0.0, TAKEN_OFF)) == 2                 # all in kind: no ratio by nothing
    assert social_return(table, change_valued(people), EconomicPlan("randomised", 0.0, PRICES), "2023/24", None, TAKEN_OFF).empty
