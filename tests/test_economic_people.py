"""Who and what goes into chapter 06: utilities over time, use and costs by visit or by month, value sets that are never mixed, and odd input end to end."""

import pandas as pd
import pytest

import sprx
from sprx.cohort.economics import asked_horizon, economic_people, people_sharing_cost, score_times, utility_instruments

PEOPLE = "person_id,arm,age,sex\n" + "".join(f"{arm[0]}{i},{arm},{30 + i},{'female' if i % 2 else 'male'}\n" for arm in ("scheme", "comparison") for i in range(12))
IDS = [f"{arm}{i}" for arm in "sc" for i in range(12)]
TRIAL = {"comparison": {"design": "randomised"}, "extract_date": None}


def long(rows):
    return "person_id,instrument,months,value\n" + "".join(f"{p},{i},{m},{v}\n" for p, i, m, v in rows)


def utilities(visits=(0, 6, 12), instrument="utility", skip=()):
    return long((p, instrument, m, round(0.4 + 0.01 * (n % 12) + 0.001 * m, 3)) for n, p in enumerate(IDS) for m in visits if (p, m) not in skip)


def use(rows):
    return "person_id,months,service,count,cost_gbp\n" + "".join(f"{','.join(str(v) for v in row)}\n" for row in rows)


VISITS = use((p, m, "all", 1, 100 + m) for p in IDS for m in (0, 6, 12) if (p, m) != ("s1", 6))


def test_utilities_stand_at_their_visits_and_costs_are_those_since_the_start(cleaned):
    scheme = cleaned(TRIAL | {"economics": {"horizon_months": 12}}, people=PEOPLE, outcomes=utilities(skip={("c2", 6)}), service_use=VISITS)
    table = economic_people(scheme, "utility").set_index("person_id")
    assert [c for c in table if c.startswith("score_")] == ["score_0", "score_6", "score_12"] and len(table) == 24
    assert table.loc["s3", ["score_0", "score_6", "score_12"]].tolist() == pytest.approx([0.43, 0.436, 0.442]) and pd.isna(table.at["c2", "score_6"])
    assert table.at["s0", "cost_all"] == 106 + 112 and table.at["s0", "paid_before_all"] == 100
    assert pd.isna(table.at["s1", "cost_all"])                      # one visit's cost is missing, so the sum is not known


def test_what_lies_beyond_the_horizon_does_not_count(cleaned):
    scheme = cleaned(TRIAL | {"economics": {"horizon_months": 6}}, people=PEOPLE, outcomes=utilities(), service_use=VISITS)
    table = economic_people(scheme, "utility").set_index("person_id")
    assert [c for c in table if c.startswith("score_")] == ["score_0", "score_6"] and table.at["s0", "cost_all"] == 106


def test_a_horizon_beyond_the_last_visit_is_not_made_up_and_said(cleaned):
    from sprx.wording import describe_horizon

    scheme = cleaned(TRIAL | {"economics": {"horizon_months": 24}}, people=PEOPLE, outcomes=utilities(), service_use=VISITS)
    assert asked_horizon(scheme) == 24 and score_times(scheme, "utility") == [0, 6, 12]
    assert describe_horizon(24, 12) == "scheme.yaml asks for 24 months, but scores are looked at up to month 12, the last visit or the follow-up time of scheme.yaml: what came later is not counted, and not made up."
    assert describe_horizon(3, 6).startswith("scheme.yaml asks for 3 months; the first later scores are of month 6") and describe_horizon(12, 12) == "" == describe_horizon(None, 12)


def test_use_in_the_second_year_is_discounted(cleaned):
    rows = use((p, m, "all", 1, 100) for p in IDS for m in (0, 12, 24))
    scheme = cleaned(TRIAL | {"economics": {"horizon_months": 24}}, people=PEOPLE, outcomes=utilities((0, 12, 24)), service_use=rows)
    assert economic_people(scheme, "utility", 0.035)["cost_all"].iloc[0] == pytest.approx(100 + 100 / 1.035)
    assert economic_people(scheme, "utility", 0.0)["cost_all"].iloc[0] == 200


MONTHS = [(p, m, "gp", (n + m) % 3, "") for n, p in enumerate(IDS) for m in range(-6, 7) if not (p == "s1" and m == 2)]


def test_months_after_the_start_add_up_and_the_start_belongs_to_neither_side(cleaned):
    scheme = cleaned(TRIAL | {"economics": {"horizon_months": 3}}, people=PEOPLE, outcomes=utilities((0, 3)), service_use=use(MONTHS))
    table = economic_people(scheme, "utility").set_index("person_id")
    assert table.at["s0", "use_gp"] == sum(m % 3 for m in (1, 2, 3)) and table.at["s0", "before_gp"] == pytest.approx(sum(m % 3 for m in range(-6, 0)) / 6)
    assert table.at["s2", "use_gp"] == sum((2 + m) % 3 for m in (1, 2, 3))                  # 2 uses in the month of the start are not among them
    assert pd.isna(table.at["s1", "use_gp"]) and pd.notna(table.at["s1", "before_gp"])      # a month that nobody watched


def test_a_service_that_one_arm_alone_holds_is_not_counted(cleaned):
    rows = [*MONTHS, *((p, m, "ae", 1 if m % 4 else 0, "") for p in IDS[:12] for m in range(-6, 7))]
    scheme = cleaned(TRIAL, people=PEOPLE, outcomes=utilities((0, 3)), service_use=use(rows))
    table = economic_people(scheme, "utility")
    assert "use_gp" in table and not [c for c in table if c.endswith("_ae")]


def test_costs_of_one_arm_alone_are_set_against_nothing_and_a_use_without_its_cost_is_not_free(cleaned):
    priced = [(p, m, "gp", c, 40 * c) for p, m, _, c, _ in MONTHS]
    one = [(*row[:4], row[4] if row[0].startswith("c") else "") for row in priced]
    table = economic_people(cleaned(TRIAL, people=PEOPLE, outcomes=utilities((0, 3)), service_use=use(one)), "utility")
    assert "use_gp" in table and "cost_gp" not in table
    some = [(*row[:4], "" if row[:2] == ("s3", 2) else row[4]) for row in priced]
    table = economic_people(cleaned(TRIAL, people=PEOPLE, outcomes=utilities((0, 3)), service_use=use(some)), "utility").set_index("person_id")
    assert table.at["s0", "cost_gp"] == 40 * (1 + 2 + 0) and pd.isna(table.at["s3", "cost_gp"])


def test_repeated_rows_of_a_month_add_up(cleaned):
    rows = [*MONTHS, ("s0", 1, "gp", 5, "")]
    scheme = cleaned(TRIAL, people=PEOPLE, outcomes=utilities((0, 3)), service_use=use(rows))
    assert economic_people(scheme, "utility").set_index("person_id").at["s0", "use_gp"] == 1 + 2 + 0 + 5


def test_the_cost_is_shared_among_everybody_drawn_or_else_among_those_referred(cleaned):
    assert len(people_sharing_cost(cleaned(TRIAL, people=PEOPLE))) == 12
    referrals = "referral_id,person_id,referral_date\nr1,s0,2025-01-10\nr2,s1,2025-02-10\n"
    shared = people_sharing_cost(cleaned({"comparison": {"design": "concurrent"}}, people=PEOPLE, referrals=referrals))
    assert shared["person_id"].tolist() == ["s0", "s1"] and shared[["seen", "completed"]].isna().all().all()


# ---- value sets

FIVE = ["mobility", "self_care", "usual_activities", "pain_discomfort", "anxiety_depression"]


def answers(instrument, profiles, visits=(0, 3)):
    return "person_id,instrument,item,months,value\n" + "".join(
        f"{p},{instrument},{item},{m},{level}\n" for n, p in enumerate(IDS) for m in visits for item, level in zip(FIVE, profiles[(n + m) % len(profiles)]))


@pytest.mark.parametrize("value_set, instrument, value", [
    (None, "eq5d5l_map", None), ("crosswalk_5l_to_3l_vanhout", "eq5d5l_crosswalk", 0.879), ("uk_5l_2026", "eq5d5l_uk2026", None), ("map_5l_to_3l_dsu", "eq5d5l_map", None)])
def test_the_value_set_is_a_choice_of_scheme_yaml(cleaned, value_set, instrument, value):
    scheme = cleaned(TRIAL | ({"economics": {"value_set": value_set}} if value_set else {}), people=PEOPLE, outcomes=answers("eq5d5l", ["11112"]))
    assert utility_instruments(scheme) == [instrument]
    totals = scheme.tables["outcomes"].query("item == 'total'")["value"]
    assert len(totals) == 48 and (value is None or (totals == value).all())


def test_scheme_yaml_values_answers_whatever_the_export_calls_them_but_not_totals(cleaned):
    mixed = answers("eq5d5l_map", ["11112"], (0,)) + "".join(f"{p},eq5d5l_map,total,3,0.5\n" for p in IDS)
    scheme = cleaned(TRIAL | {"economics": {"value_set": "crosswalk_5l_to_3l_vanhout"}}, people=PEOPLE, outcomes=mixed)
    totals = scheme.tables["outcomes"].query("item == 'total'").groupby("instrument")["value"].first()
    assert totals.to_dict() == {"eq5d5l_crosswalk": 0.879, "eq5d5l_map": 0.5}


def test_another_value_set_values_the_same_answers_and_leaves_the_scheme_as_it_was(cleaned):
    scheme = cleaned(TRIAL, people=PEOPLE, outcomes=answers("eq5d5l", ["11112", "21232"]))
    found = {instrument: again for _, instrument, again in sprx.other_value_sets(scheme)}
    assert set(found) == {"eq5d5l_crosswalk", "eq5d5l_uk2026"} and utility_instruments(scheme) == ["eq5d5l_map"]
    for instrument, again in found.items():
        assert utility_instruments(again) == [instrument] and len(again.tables["outcomes"]) == len(scheme.tables["outcomes"])
    totals = found["eq5d5l_crosswalk"].tables["outcomes"].query("item == 'total' and person_id == 's0'").set_index("months")["value"]
    assert totals[0] == 0.879


def test_two_exports_of_the_same_answers_are_valued_once(cleaned):
    both = answers("eq5d5l_map", ["11112", "21232"]) + answers("eq5d5l_crosswalk", ["11112", "21232"]).split("\n", 1)[1]
    scheme = cleaned(TRIAL, people=PEOPLE, outcomes=both)
    again = sprx.with_value_set(scheme, "uk_5l_2026")
    assert utility_instruments(again) == ["eq5d5l_uk2026"] and len(again.tables["outcomes"].query("item == 'total'")) == 48


def test_utilities_that_came_as_utilities_have_no_other_value_set(cleaned):
    assert sprx.other_value_sets(cleaned(TRIAL, people=PEOPLE, outcomes=utilities())) == [] == sprx.other_value_sets(cleaned(TRIAL, people=PEOPLE))


def test_two_kinds_of_eq5d_are_never_mixed_the_one_with_more_people_answers(cleaned):
    three, five = answers("eq5d3l", ["11112"], (0, 3)), answers("eq5d5l", ["11112"], (0,)).split("\n", 1)[1]
    scheme = cleaned(TRIAL, people=PEOPLE, outcomes=three + five)
    assert utility_instruments(scheme) == ["eq5d3l", "eq5d5l_map"]
    assert "never mixed" in sprx.describe_value_set(utility_instruments(scheme))
    halves = cleaned(TRIAL, people=PEOPLE, outcomes=answers("eq5d3l", ["11112"], (0,)) + answers("eq5d5l", ["11112"], (3,)).split("\n", 1)[1])
    ready = sprx.value_people(economic_people(halves, utility_instruments(halves)[0]), sprx.EconomicPlan("randomised", 300.0))
    assert ready.problem                                            # three levels at the start and five later say nothing together


# ---- odd input, end to end

def problems(scheme, table, column):
    return scheme.issues.query("table == @table and column == @column")


def test_utilities_above_one_or_below_the_worst_state_are_set_aside_with_the_limits(cleaned):
    scheme = cleaned(TRIAL, people=PEOPLE, outcomes=utilities() + "s0,utility,18,1.2\nc0,utility,18,-0.7\n")
    found = problems(scheme, "outcomes", "value")
    assert found["found"].tolist() == ["1.2", "-0.7"] and set(found["expected"]) == {"from -0.594 to 1"} and len(scheme.set_aside["outcomes"]) == 2


def test_a_state_that_does_not_exist_has_no_value(cleaned):
    scheme = cleaned(TRIAL, people=PEOPLE, outcomes=answers("eq5d5l", ["61111"]))
    assert "outside the instrument's range" in problems(scheme, "outcomes", "value")["problem"].tolist() and utility_instruments(scheme) == []
    profile = "person_id,instrument,item,months,value\n" + "".join(f"{p},eq5d5l,profile,0,61111\n" for p in IDS)
    assert utility_instruments(cleaned(TRIAL, people=PEOPLE, outcomes=profile)) == []


def test_negative_costs_and_unknown_price_years_are_set_aside_with_their_reason(cleaned):
    costs = "item,category,amount_gbp,price_year\nPay,link_worker,1000,2024-25\nRefund,other,-50,2024/25\nOld,other,10,1995/96\nOdd,other,10,soon\nPay,link_worker,1000,2024-25\n"
    scheme = cleaned(TRIAL, people=PEOPLE, costs=costs, service_use=use([("s0", 0, "gp", 1, -5), ("c0", 0, "gp", 1, 5)]))
    assert scheme.tables["costs"][["item", "price_year"]].values.tolist() == [["Pay", "2024/25"]] * 2 and len(scheme.set_aside["costs"]) == 3
    assert problems(scheme, "costs", "amount_gbp")["found"].tolist() == ["-50"]
    years = problems(scheme, "costs", "price_year")
    assert years["found"].tolist() == ["1995/96", "soon"] and years["expected"].str.contains("2000/01 to 2030/31").all()
    assert "counted twice" in problems(scheme, "costs", "item")["problem"].iloc[0]
    assert scheme.tables["service_use"]["cost_gbp"].isna().sum() == 1 and problems(scheme, "service_use", "cost_gbp")["found"].tolist() == ["-5"]


@pytest.mark.parametrize("economics, words", [
    ({"price_year": "2040/41"}, "'2040/41' is not a price year"), ({"thresholds": [-1]}, "above 0"), ({"horizon_months": 0}, "horizon_months is 0"),
    ({"value_set": "uk_4l"}, "value_set"), ({"discount_rate": 3.5}, "0.035 is 3.5% a year"), ({"unit_costs": {"gp": -3}}, "not below 0"), ({"set_up_years": -1}, "set_up_years"),
    ({"treshold": 3}, "Did you mean 'thresholds'?")])
def test_mistakes_in_economics_are_refused_with_what_was_expected(refusal, economics, words):
    assert words in refusal({"economics": economics})


def test_economics_are_typed_and_services_go_by_any_of_their_names(cleaned):
    own = cleaned({"economics": {"price_year": "2023-24", "thresholds": ["30000", 20000, 20000], "unit_costs": {"GP appointments": 41}, "discount_rate": 0}}).settings.economics
    assert own == {"price_year": "2023/24", "thresholds": (20000.0, 30000.0), "unit_costs": {"gp": 41.0}, "discount_rate": 0.0}
