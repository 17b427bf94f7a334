"""Cost: lines in pounds of one year, set-up spread, shares with their intervals, what leaves, what is said; bad input end to end."""

import math
import re

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sprx
from sprx import wording
from sprx.answers import COSTS_NEEDED, answer_cost
from sprx.cohort.costs import CostTerms
from sprx.disclosure import NOT_ABOUT_PEOPLE, RULES, release
from sprx.errors import DataError
from sprx.intervals import cost_each, poisson, wilson
from sprx.metrics.cost import (cost_drivers, cost_per_additional_improved, cost_per_contact, cost_per_person, cost_per_person_improved, lines_given, published_costs,
                               scheme_costs, worker_years)
from sprx.prices import price_factor
from sprx.reference import facts, measures
from sprx.results import stack_results
from sprx.stats.economics import annual_equivalent

NHSE, LT5, NONE = RULES["nhse_1_7_round5"], RULES["suppress_lt5"], RULES["none"]
YEAR = CostTerms("2024/25", 1.0)
ALL_LINES = list(facts("cost_lines")["category"])
NEVER = re.compile(r"\b(significant(ly)?|effective(ly)?|nan|NaN|None|<NA>|inf)\b")


def lines_of(*rows):
    """Cost lines from (category, pounds, price year, kind, basis); the last three may be left out."""
    full = [(*row, *("2024/25", "running", "actual")[len(row) - 2:]) for row in rows]
    return pd.DataFrame(full, columns=["category", "amount_gbp", "price_year", "kind", "basis"]).astype({"amount_gbp": float})


def people_of(referred, seen=0, completed=0, unknown=0):
    flags = {stage: pd.array([True] * n + [None] * unknown + [False] * (referred - n - unknown), dtype="boolean") for stage, n in (("seen", seen), ("completed", completed))}
    return pd.DataFrame(flags)


def estimate(table, measure, level="all"):
    return table.loc[(table.measure == measure) & (table.level == level), "estimate"].iloc[0]


COSTS = scheme_costs(lines_of(("link_worker", 10_000)), YEAR)


# ---- the lines ------------------------------------------------------------------------------------------------------------

def test_total_and_parts_of_a_small_budget_by_hand():
    # set-up 5,000 over 5 years at 3.5%: annuity factor (1 - 1.035^-5) / 0.035 = 4.515052, so 5000 / 4.515052 = 1107.41 a year, and one year is charged
    table = scheme_costs(lines_of(("link_worker", 20_000), ("training", 5_000, "2024/25", "set_up"), ("premises", 1_000, "2024/25", "running", "in_kind"),
                                  ("link_worker", 4_000, "2024/25", "running", "budget")), YEAR)
    assert estimate(table, "cost_total") == 30_000 and table.n.iloc[0] == 4 and set(table.unit) == {"pounds"}
    assert estimate(table, "cost_charged") == pytest.approx(26_107.41, abs=0.005)
    assert estimate(table, "cost_by_category", "link_worker") == 24_000 and estimate(table, "cost_by_kind", "set_up") == pytest.approx(1_107.41, abs=0.005)
    assert [estimate(table, "cost_by_basis", b) for b in ("budget", "in_kind")] == [4_000, 1_000]
    assert estimate(table, "cost_by_category_and_basis", "link_worker | budget") == 4_000
    assert list(table[table.measure == "cost_by_category"].level) == ["link_worker", "training", "premises"]       # dearest first


def test_set_up_is_charged_for_the_length_of_the_period_and_lines_set_aside_are_missing():
    table = scheme_costs(lines_of(("training", 5_000, "2024/25", "set_up")), CostTerms("2024/25", 1.5, lines_set_aside=2))
    assert estimate(table, "cost_charged") == pytest.approx(1.5 * 1_107.41, abs=0.01) and table.n_missing[0] == 2 and "5 years at 3.5% a year" in table.method[1]


def test_older_prices_are_brought_to_the_price_year_by_the_deflator():
    rows = facts("gdp_deflator").set_index("fiscal_year")["index_2024_25_100"].astype(float)
    table = scheme_costs(lines_of(("link_worker", 1_000, "2020/21")), YEAR)
    assert estimate(table, "cost_total") == pytest.approx(1_000 * 100 / rows["2020/21"]) and estimate(table, "cost_total") > 1_100      # prices rose by more than a tenth
    assert "GDP deflator to 2024/25" in table.method.iloc[0] and table.note.iloc[0] == ""
    assert "forecast" in scheme_costs(lines_of(("link_worker", 1_000)), CostTerms(max(rows.index), 1.0)).note.iloc[0]


@given(st.sampled_from(list(facts("gdp_deflator")["fiscal_year"])), st.sampled_from(list(facts("gdp_deflator")["fiscal_year"])))
def test_bringing_prices_to_a_year_in_two_steps_is_bringing_them_at_once(one, two):
    assert price_factor(one, two) * price_factor(two, "2024/25") == pytest.approx(price_factor(one, "2024/25"))


@given(st.floats(1, 1e6), st.integers(1, 40), st.just(0.0) | st.floats(0.001, 0.2))
def test_the_yearly_sums_of_set_up_discounted_over_its_life_are_what_was_paid(amount, years, rate):
    yearly = annual_equivalent(amount, years, rate)
    assert sum(yearly / (1 + rate) ** year for year in range(1, years + 1)) == pytest.approx(amount, rel=1e-6)


@given(st.floats(0.01, 30), st.integers(1, 20))
def test_set_up_is_never_charged_above_what_was_paid_and_parts_add_up(years, life):
    table = scheme_costs(lines_of(("training", 900, "2023/24", "set_up"), ("software", 50, "2024/25", "running", "in_kind")), CostTerms("2024/25", years, life))
    assert estimate(table, "cost_charged") <= estimate(table, "cost_total") + 1e-9
    for part in ("category", "kind", "basis", "category_and_basis"):
        assert table.loc[table.measure == f"cost_by_{part}", "estimate"].sum() == pytest.approx(estimate(table, "cost_charged"))


def test_without_a_period_set_up_is_charged_in_full_and_that_is_said():
    table = scheme_costs(lines_of(("training", 900, "2024/25", "set_up")), CostTerms("2024/25", None))
    assert estimate(table, "cost_charged") == 900 and "no period" in table.method.iloc[1]
    said = wording.describe_total(table, CostTerms("2024/25", None))
    assert "charged in full" in said and said.startswith("The scheme cost £900 in all, over a time that is not said, in 2024/25 prices (1 cost line).")


def test_a_line_without_kind_or_basis_is_running_and_spent_and_that_is_said():
    table = scheme_costs(lines_of(("link_worker", 10, "2024/25", None, None)), YEAR)
    assert estimate(table, "cost_by_kind", "running") == estimate(table, "cost_by_basis", "actual") == 10
    assert wording.describe_total(table, YEAR).count("1 of the lines did not say: taken as") == 2


def test_no_line_is_a_row_without_an_estimate_and_a_missing_column_is_named():
    table = scheme_costs(lines_of().iloc[:0], CostTerms(None, None, lines_set_aside=3))
    assert len(table) == 1 and pd.isna(table.estimate[0]) and (table.n[0], table.n_missing[0]) == (0, 3)
    with pytest.raises(DataError, match="costs has no column 'kind'"):
        scheme_costs(lines_of(("a", 1)).drop(columns="kind"), YEAR)


def test_a_line_of_nothing_is_given_and_a_missing_one_is_not_nothing():
    table = lines_given(lines_of(("link_worker", 5), ("premises", 0), ("own category", 3)))
    assert list(table.level) == ALL_LINES and estimate(table, "cost_lines_given", "premises") == 1 and set(table.n) == {3}
    said = wording.describe_lines_given(table)
    assert "premises" not in said and "supervision" in said and "the activities' own costs" in said and "volunteers' time" in said and "not the same as costing nothing" in said


# ---- shared among people --------------------------------------------------------------------------------------------------

def test_cost_a_person_carries_the_limits_of_the_count():
    # 100 people: Byar's limits 81.36 to 121.63 (Breslow and Day 1987, vol II p 69: O = 100), so 10000/121.63 = 82.2 and 10000/81.36 = 122.9
    table = cost_per_person(people_of(100, seen=80, completed=50), COSTS)
    row = table.iloc[0]
    assert (row.level, row.estimate, row.n) == ("referred", 100, 100) and (round(row.conf_low, 1), round(row.conf_high, 1)) == (82.2, 122.9)
    assert list(table.estimate) == [100, 125, 200] and list(table.n) == [100, 80, 50] and set(table.group) == {"stage"}


def test_people_of_whom_a_stage_is_not_recorded_are_missing_and_too_many_of_them_leave_no_figure():
    table = cost_per_person(people_of(100, seen=60, completed=10, unknown=30), COSTS).set_index("level")
    assert (table.n["seen"], table.n_missing["seen"], table.estimate["seen"]) == (60, 30, 10_000 / 60) and "may be lower" in table.note["seen"] and table.n_missing["referred"] == 0
    mostly = cost_per_person(people_of(100, seen=40, unknown=51), COSTS).set_index("level")
    assert pd.isna(mostly.estimate["seen"]) and mostly.estimate["referred"] == 100
    assert "for most people it is not recorded" in wording.describe_per_person(release(stack_results(mostly.reset_index(), cost_per_contact(range(0), COSTS)), NHSE), YEAR)


@pytest.mark.parametrize("people, costs, words", [(people_of(0), COSTS, "nobody was referred"), (people_of(20, 20, 20), scheme_costs(lines_of(("link_worker", 0)), YEAR), "needs a costs table"),
                                                  (people_of(20, 20, 20), scheme_costs(lines_of().iloc[:0], YEAR), "needs a costs table")])
def test_nobody_or_no_money_is_no_cost_a_person(people, costs, words):
    table = cost_per_person(people, costs)
    assert table[["estimate", "conf_low", "conf_high"]].isna().all(axis=None)
    said = wording.describe_per_person(release(stack_results(table, cost_per_contact(range(0), costs)), NHSE), YEAR)
    assert words in said and not NEVER.search(said)


def test_cost_a_contact():
    row = cost_per_contact(pd.DataFrame(index=range(400)), COSTS).iloc[0]
    assert (row.estimate, row.n, row.unit) == (25, 400, "pounds a contact") and row.conf_low == pytest.approx(10_000 / poisson(400, 0.95)[1])


def test_cost_a_person_improved_carries_both_the_count_and_the_share():
    # 10,000 pounds, 100 referred, 20 of the 40 measured twice improved by 6: 10000 / (100 x 0.5) = 200
    pairs = pd.DataFrame({"baseline": [15.0] * 100, "follow_up": [9.0] * 20 + [10.0] * 20 + [None] * 60})     # PHQ-9: lower is better, 6 points matter
    assert measures().at["phq9", "mid_value"] == 6
    row = cost_per_person_improved(people_of(100), pairs, measures().loc["phq9"], COSTS).iloc[0]
    assert (row.estimate, row.n, row.n_missing) == (200, 40, 60)
    low, high = poisson(100, 0.95)
    less, more = wilson(20, 40, 0.95)
    up = math.hypot(math.log(100 / low), math.log(0.5 / less))
    assert row.conf_high == pytest.approx(200 * math.exp(up)) and row.conf_low == pytest.approx(200 / math.exp(math.hypot(math.log(high / 100), math.log(more / 0.5))))
    assert row.conf_high > 10_000 / (low * 0.5) and row.conf_high > 10_000 / (100 * less)           # wider than either alone
    said = wording.describe_per_improved(release(pd.DataFrame([row]), NHSE), measures().loc["phq9"])
    assert "£200 a person who improved by 6 or more points" in said and "not the same as improved because of the scheme" in said and "60 people who have no two scores" in said


def test_nobody_improved_nobody_measured_and_no_threshold_are_told_apart():
    same, phq9 = pd.DataFrame({"baseline": [15.0] * 9, "follow_up": [15.0] * 9}), measures().loc["phq9"]
    for pairs, measure, words in ((same, phq9, "nobody improved by that much"), (same.assign(follow_up=math.nan), phq9, "nobody was measured twice"),
                                  (same, measures().loc["ucla3"], "needs a smallest important difference")):
        table = cost_per_person_improved(people_of(20), pairs, measure, COSTS)
        assert table[["estimate", "conf_low", "conf_high"]].isna().all(axis=None) and words in wording.describe_per_improved(release(table, NHSE), measure)


OWN = pd.Series(dict(estimate=300.0, conf_low=280.0, conf_high=330.0, conf_level=0.95, n=400))


def difference(low, value, high):
    return pd.Series(dict(estimate=value, conf_low=low, conf_high=high, n=700.0, n_missing=20.0))


def test_cost_of_one_more_person_improved():
    row = cost_per_additional_improved(OWN, difference(10.0, 20.0, 30.0)).iloc[0]
    assert row.estimate == 1_500 and row.conf_low == pytest.approx(1_500 * math.exp(-math.hypot(math.log(300 / 280), math.log(1.5))))
    assert row.conf_high == pytest.approx(1_500 * math.exp(math.hypot(math.log(330 / 300), math.log(2))))
    open_ended = cost_per_additional_improved(OWN, difference(-5.0, 20.0, 30.0))
    assert pd.isna(open_ended.conf_high[0]) and "no upper limit" in wording.describe_additional(open_ended)
    for none in (difference(-20.0, -5.0, 5.0), difference(-20.0, 0.0, 20.0)):
        table = cost_per_additional_improved(OWN, none)
        assert pd.isna(table.estimate[0]) and "no more people improved" in wording.describe_additional(table)
    assert wording.describe_additional(cost_per_additional_improved(OWN * math.nan, difference(1.0, 2.0, 3.0))).startswith("Not shown")


@given(st.integers(1, 3000), st.floats(1, 1e7), st.integers(1, 50), st.integers(0, 50))
def test_a_cost_shared_lies_within_its_limits(count, cost, some, others):
    for share in (None, (some, some + others)):
        each, low, high = cost_each(cost, count, 0.95, share)
        assert 0 < low <= each <= high


# ---- a link worker's year -------------------------------------------------------------------------------------------------

def test_people_for_each_year_of_a_link_worker():
    # 3 workers in 4 months each = 1 worker-year; 60 people with a contact in these months, one more outside, one of no named worker
    loads = pd.DataFrame([(w, f"2024-0{m}") for w in "abc" for m in (4, 5, 6, 7)], columns=["worker_id", "month"])
    held = pd.DataFrame({"person_id": [f"p{i}" for i in range(60)] * 2, "contact_date": pd.to_datetime(["2024-04-10"] * 60 + ["2024-07-10"] * 60), "worker_id": "a"})
    more = pd.DataFrame({"person_id": ["x", "y"], "contact_date": pd.to_datetime(["2024-08-01", "2024-05-01"]), "worker_id": ["a", None]})
    table = worker_years(pd.concat([held, more], ignore_index=True), loads)
    row = table.iloc[0]
    assert (row.estimate, row.n, row.unit) == (60, 60, "per worker a year") and row.conf_low == pytest.approx(poisson(60, 0.95)[0])
    known = facts("unit_costs").set_index("key").loc["link_worker_caseload"]
    assert (table.conf_low[1], table.conf_high[1]) == (float(known.low), float(known.high))
    assert "60 people were helped" in wording.describe_caseload(release(table, NHSE)) and "200 to 250 people a year" in wording.describe_caseload(release(table, NHSE))
    few = worker_years(held, loads[loads.worker_id != "c"])
    assert pd.isna(few.estimate[0]) and few.n[0] == 0 and "fewer than 3 workers" in wording.describe_caseload(release(few, NHSE))
    assert "no worker is named in the contacts" in wording.describe_caseload(release(worker_years(held, loads.iloc[:0]), NHSE))


# ---- what moves it, what others published -----------------------------------------------------------------------------------

def test_a_tornado_by_hand():
    # 10,000 = 8,000 pay + 1,000 rooms in kind + set-up 1,000 charged at 221.48 (5 years at 3.5%): 9,221.48 in all, 100 pounds a person
    lines = lines_of(("link_worker", 8_000), ("premises", 1_000, "2024/25", "running", "in_kind"), ("training", 1_000, "2024/25", "set_up"))
    own = OWN.replace({300.0: 100.0, 280.0: 90.0, 330.0: 112.0})
    table = cost_drivers(lines, YEAR, own).set_index("level")
    total = 9_221.4814
    assert table.conf_high["link_worker"] == pytest.approx(100 + 100 * 1_600 / total) and table.conf_low["link_worker"] == pytest.approx(100 - 100 * 1_600 / total)
    assert table.conf_low["without_in_kind"] == pytest.approx(100 - 100 * 1_000 / total) and table.conf_high["without_in_kind"] == 100
    assert table.conf_high["no_overhead"] == pytest.approx(100 + 100 * 0.3 * 8_000 / total) and table.conf_low["no_overhead"] == 100 and "unverified" in table.note["no_overhead"]
    assert table.conf_high["set_up_life"] == pytest.approx(100 + 100 * (1_000 - 221.4814) / total, abs=1e-4)                    # all of it at once
    assert table.conf_low["set_up_life"] == pytest.approx(100 + 100 * (1_000 / 8.316605 - 221.4814) / total, abs=1e-4)          # over 10 years: annuity factor 8.316605
    assert (table.conf_low["number_of_people"], table.conf_high["number_of_people"]) == (90, 112)
    width = table.conf_high - table.conf_low
    assert list(width) == sorted(width, reverse=True) and (table.method == "range, one thing moved at a time").all()
    with_overhead = cost_drivers(pd.concat([lines, lines_of(("overhead", 10))]), CostTerms("2024/25", None), own)
    assert not {"no_overhead", "set_up_life"} & set(with_overhead.level)


def test_a_tornado_of_a_hidden_cost_has_no_number():
    hidden = release(cost_per_person(people_of(5, 5, 5), COSTS), NHSE).iloc[0]
    table = cost_drivers(lines_of(("link_worker", 1)), YEAR, hidden)
    assert table.estimate.isna().all() and wording.describe_drivers(table).startswith("No cost a person is shown")
    assert "There is no cost a person of this scheme" in wording.describe_published(published_costs(hidden, YEAR))


def test_published_costs_say_what_is_in_them_and_of_which_year_they_are():
    table = published_costs(OWN, YEAR).set_index("level")
    assert table.estimate["this_scheme"] == 300 and table.estimate["link_worker_person"] == 178
    assert round(table.estimate["green"]) == 692                # 5,770,000 over 8,339 people
    later = published_costs(OWN, CostTerms("2025/26", 1.0)).set_index("level")
    assert later.estimate["link_worker_person"] == pytest.approx(178 * price_factor("2024/25", "2025/26")) and later.estimate["green"] == table.estimate["green"]
    assert table.loc[["green", "amalthea", "exercise"], "method"].eq("not uprated: the price year is not printed").all() and table.note.drop("this_scheme").str.len().gt(40).all()
    said = wording.describe_published(table.reset_index())
    assert "£161 to £201" in said and "nobody can say from these whether the scheme is cheap or dear" in said
    assert [name for name, _ in wording.published_rows(table.reset_index())][1] == "Green Social Prescribing"


# ---- what may leave -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("rule", [NHSE, LT5, NONE], ids=lambda r: r.name)
def test_money_is_neither_hidden_nor_rounded_because_there_are_few_lines_and_keeps_its_place(rule):
    mixed = stack_results(cost_per_person(people_of(3, 3, 3), COSTS), COSTS, lines_given(lines_of(("a", 1))), published_costs(OWN, YEAR))
    out = release(mixed, rule)
    assert list(out.measure) == list(mixed.measure) and list(out.index) == list(mixed.index)
    money = mixed.measure.isin(NOT_ABOUT_PEOPLE)
    pd.testing.assert_frame_equal(out[money], mixed.loc[money, out.columns], check_dtype=False)
    assert out.loc[~money, "suppressed"].all() == (rule.hide_to > 0)


def test_a_cost_a_person_is_worked_out_again_from_the_rounded_count():
    row = release(cost_per_person(people_of(103, 92, 41), COSTS), NHSE).iloc[0]
    low, high = poisson(105, 0.95)
    assert (row.n, row.estimate) == (105, 95.2)                  # 10000 / 105, three figures; 10000 / 103 = 97.09 would give 103 away
    assert (row.conf_low, row.conf_high) == (float(f"{10_000 / high:.3g}"), float(f"{10_000 / low:.3g}"))


@given(st.integers(8, 400))
def test_counts_that_round_to_the_same_number_have_the_same_cost_a_person(count):
    tables = [release(cost_per_person(people_of(n), COSTS), NHSE).iloc[:1] for n in (count, int(NHSE.round(count)))]
    pd.testing.assert_frame_equal(*tables)


def test_a_cost_a_person_improved_is_worked_out_again_from_three_rounded_counts():
    pairs = pd.DataFrame({"baseline": [15.0] * 100, "follow_up": [9.0] * 22 + [15.0] * 21 + [None] * 57})
    row = release(cost_per_person_improved(people_of(103), pairs, measures().loc["phq9"], COSTS), NHSE).iloc[0]
    assert row.estimate == float(f"{10_000 / (105 * 20 / 45):.3g}") and (row.n, row.n_missing) == (45, 60)      # of 103, 22 of 43
    few = pairs.assign(follow_up=[9.0] * 6 + [15.0] * 37 + [None] * 57)
    assert release(cost_per_person_improved(people_of(103), few, measures().loc["phq9"], COSTS), NHSE).suppressed[0]


def test_small_counts_are_hidden_and_unrounded_ones_also_where_they_differ_by_few():
    small = release(cost_per_person(people_of(100, 50, 6), COSTS), NHSE).set_index("level")
    assert list(small.suppressed) == [False, False, True] and pd.isna(small.estimate["completed"])
    exact = release(cost_per_person(people_of(100, 98, 50), COSTS), LT5).set_index("level")
    assert list(exact.suppressed) == [False, True, False] and exact.estimate["referred"] == 100           # 2 were not seen
    assert release(cost_per_person(people_of(3), COSTS), NONE).estimate[0] == pytest.approx(10_000 / 3)


# ---- the answer -----------------------------------------------------------------------------------------------------------

def answered(lines, people, terms=YEAR, rule=NHSE):
    costs = scheme_costs(lines, terms)
    per_person = stack_results(cost_per_person(people, costs), cost_per_contact(range(0), costs))
    found = answer_cost({name: release(table, rule) for name, table in (("costs", costs), ("lines_given", lines_given(lines)), ("per_person", per_person))}, terms)
    assert not NEVER.search(" ".join([found.text, found.why, found.short, *[step for _, step in found.next_steps]]))
    return found


def test_the_answer_names_the_total_the_cost_a_person_and_what_is_not_counted():
    found = answered(lines_of(*[(category, 1_000) for category in ALL_LINES if category not in ("premises", "software")]), people_of(400))
    assert found.text == "The scheme cost £6,000 in its period (2024/25 prices), £15.00 a person referred (95% CI £13.60 to £16.60). Not counted: premises and software."
    assert found.sure == 2 and found.why == "6 of 8 usual kinds of cost have a line" and found.short.startswith("a person referred cost £15")
    assert found.next_steps == [(3, "Write down what these cost, also where it is nothing: premises and software.")]


FULL = [(category, 1_000) for category in ALL_LINES]


@pytest.mark.parametrize("lines, people, terms, sure", [
    (FULL, 400, YEAR, 3), (FULL, 60, YEAR, 2), (FULL, 20, YEAR, 1), (FULL, 400, CostTerms("2024/25", None), 1), (FULL, 400, CostTerms("2024/25", 1.0, lines_set_aside=1), 1),
    (FULL, 400, CostTerms("2024/25", 1.0, is_cut_short=True), 1), (FULL[:6], 400, YEAR, 2), (FULL[:5], 400, YEAR, 1),
    ([*FULL[1:], ("link_worker", 1_000, "2024/25", "running", "budget")], 400, YEAR, 2), ([*FULL, ("other", 9_000, "2024/25", "running", "budget")], 400, YEAR, 1)])
def test_how_sure_rests_on_lines_budgets_and_counts(lines, people, terms, sure):
    assert answered(lines_of(*lines), people_of(people), terms).sure == sure


def test_what_cannot_be_answered_says_what_it_needs():
    none = answered(lines_of().iloc[:0], people_of(50), CostTerms(None, 1.0))
    assert none.text == f"Cannot be answered: needs {COSTS_NEEDED}." and none.next_steps == [(2, f"Keep {COSTS_NEEDED}.")]
    aside = answered(lines_of().iloc[:0], people_of(50), CostTerms(None, 1.0, lines_set_aside=2))
    assert "none of the cost lines could be used" in aside.text and aside.next_steps[0][0] == 1
    nothing = answered(lines_of(("link_worker", 0)), people_of(50))
    assert "add up to £0" in nothing.text and nothing.sure == none.sure == aside.sure == 0
    assert "nobody was referred in the period" in answered(lines_of(*FULL), people_of(0)).text
    hidden = answered(lines_of(*FULL), people_of(4))
    assert hidden.text == "The scheme cost £8,000 in its period (2024/25 prices); what that is for each person is not shown: too few people to report." and hidden.short == ""
    assert "2 cost lines could not be used, so the total is not right" in answered(lines_of(*FULL), people_of(400), CostTerms("2024/25", 1.0, lines_set_aside=2)).text


def test_a_sentence_on_the_total_says_whose_costs_count():
    costs = scheme_costs(lines_of(("training", 1_000, "2024/25", "set_up"), ("link_worker", 500, "2024/25", "running", "budget")), YEAR)
    said = wording.describe_total(costs, CostTerms("2024/25", 1.0, perspective="health and social care", lines_set_aside=1, is_cut_short=True))
    assert "Of the £1,000 spent on setting up, £221 is charged" in said and "planned in a budget, not known to be spent: £500" in said and "health and social care" in said
    assert "1 cost line could not be used" in said and "taken before the period ended" in said
    assert "not said in scheme.yaml" in wording.describe_total(costs, YEAR)


# ---- pictures -------------------------------------------------------------------------------------------------------------

def test_figures_draw_every_number_and_name_it():
    costs = scheme_costs(lines_of(("link_worker", 9_000), ("link_worker", 500, "2024/25", "running", "budget"), ("premises", 700, "2024/25", "running", "in_kind")), YEAR)
    ax = sprx.plot_costs(wording.spent_rows(costs))
    assert [t.get_text() for t in ax.get_yticklabels()] == ["link workers", "premises"] and [t.get_text() for t in ax.texts] == ["£9,500", "£700"]
    assert wording.alt_of_costs(wording.spent_rows(costs)) == "Cost by category: link workers, actual £9,000; premises, in kind £700; link workers, budget £500."
    drivers = cost_drivers(lines_of(("link_worker", 9_000)), YEAR, OWN)
    ax = sprx.plot_drivers(drivers)
    assert {"£300 as it is", "£240", "£360", "£280", "£330"} <= {t.get_text() for t in ax.texts} and "number of people £280 to £330" in wording.alt_of_drivers(drivers)
    for bar_end in (240, 360):
        assert ax.get_xlim()[0] < bar_end < ax.get_xlim()[1]
    plt.close("all")


# ---- from the folder ------------------------------------------------------------------------------------------------------

HEAD = "item,category,amount_gbp,price_year,kind,basis\n"


def test_lines_that_cannot_be_used_are_counted_and_the_price_year_is_the_latest(cleaned):
    scheme = cleaned({"period": {"start": "2025-01-01", "end": "2025-12-31"}}, costs=HEAD + "Pay,link_worker,1000,2023/24,running,actual\nRent,premises,200,2024/25,,\n"
                     "Old,other,5,1870/71,running,actual\nWrong,other,-5,2024/25,running,actual\n")
    terms = sprx.cost_terms(scheme)
    assert (terms.price_year, terms.lines_set_aside, round(terms.years, 2)) == ("2024/25", 2, 1.0) and terms.set_up_years == 5 and terms.discount_rate == 0.035
    assert len(sprx.cost_lines(scheme)) == 2 and not terms.is_cut_short
    assert sprx.cost_terms(cleaned({"period": {"start": "2025-01-01", "end": "2026-12-31"}})).is_cut_short
    assert sprx.cost_terms(cleaned()).years is None and sprx.cost_terms(cleaned()).price_year is None and sprx.cost_lines(cleaned()).empty


def test_scheme_yaml_sets_price_year_life_and_rate(cleaned):
    terms = sprx.cost_terms(cleaned({"economics": {"price_year": "2022/23", "set_up_years": 3, "discount_rate": 0, "perspective": "council"}}, costs=HEAD + "Pay,link_worker,1,2024/25,,\n"))
    assert (terms.price_year, terms.set_up_years, terms.discount_rate, terms.perspective) == ("2022/23", 3, 0, "council")


def test_contacts_of_the_period_count_whenever_the_person_was_referred(cleaned):
    scheme = cleaned({"period": {"start": "2025-02-01", "end": "2025-03-31"}}, referrals="referral_id,person_id,referral_date\nr1,p1,2025-01-10\nr2,p2,2025-02-10\n",
                     contacts="contact_id,referral_id,contact_date,attended\nc1,r1,2025-02-02,yes\nc2,r1,2025-01-20,yes\nc3,r2,2025-03-01,no\nc4,r2,2025-03-31,yes\nc5,r2,2025-04-01,yes\n")
    held = sprx.contacts_in_period(scheme)
    assert list(held.contact_id) == ["c1", "c4"] and list(held.person_id) == ["p1", "p2"]
    assert sprx.contacts_in_period(cleaned()).empty


def test_every_expected_line_and_published_figure_has_its_words_and_is_there():
    assert set(facts("cost_lines")["category"]) <= set(facts("allowed").query("list == 'cost_category'")["value"])
    known = facts("evidence/economic").set_index(["study_id", "study", "figure_type"]).index
    assert all((row.study_id, row.study, row.figure_type) in known for row in facts("published_costs").itertuples())
    assert wording.cost_name("own category") == "own category" and wording.cost_name("vcse_grants | in_kind") == "the activities' own costs | in kind"


@pytest.mark.parametrize("value, said", [(139_250, "£139,000"), (343.4, "£343"), (21.4, "£21"), (20.0, "£20"), (7.0, "£7.00"), (0.5, "£0.50"), (-12.34, "−£12.30"), (0, "£0"), (99.96, "£100")])
def test_pounds_have_three_figures_at_most(value, said):
    assert wording.pounds(value) == said
