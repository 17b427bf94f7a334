"""What chapter 06 says: chances before numbers, never a bare negative ratio, and nothing beyond what the comparison bears."""

import pandas as pd
import pytest

from sprx.answers import answer_cost_effectiveness
from sprx.cohort.costs import CostTerms
from sprx.metrics.cost_effectiveness import EconomicPlan, service_prices
from sprx.results import result_table
from sprx.wording.value import (
    chance_words, describe_at_stake, describe_break_even, describe_curve, describe_finding_out, describe_green_lesson, describe_increments, describe_kinds, describe_net_benefit,
    describe_quadrants, describe_scenarios, describe_social, describe_value, describe_value_set, describe_verdict, describe_ways, describe_wellbys, money, not_valued, percent_chance, price_terms, qalys)

AT = (20_000.0, 30_000.0)
PLAN = EconomicPlan("concurrent", 300.0, service_prices(["gp"], "2023/24"))
DESIGN = pd.Series(dict(design="concurrent", level=3, name="comparison with people of the same time", who_is_compared="people not referred", assumptions="alike", why=""))


def rows(*found):
    """A released table: (measure, level, estimate, low, high, more)."""
    return result_table([dict(measure=m, level=level, group=more.get("group", "all"), estimate=e, conf_low=low, conf_high=high, conf_level=0.95, n=500, n_missing=0, unit="pounds", **{k: v for k, v in more.items() if k != "group"})
                         for m, level, e, low, high, more in found])


def valued(gained=0.01, paid=300.0, wide=1.0):
    """qaly_difference, cost_difference and icer as the metric releases them."""
    ratio = paid / gained if gained * paid > 0 else float("nan")
    return rows(("qaly_difference", "all", gained, gained - 0.004 * wide, gained + 0.004 * wide, {}), ("cost_difference", "all", paid, paid - 50 * wide, paid + 50 * wide, {}),
                ("icer", "all", ratio, float("nan"), float("nan"), {}))


def decided(*chances, measure="acceptability", at=AT):
    nan = float("nan")
    return rows(*[(measure, f"{t:.0f}", p, nan, nan, dict(group="threshold_gbp")) for t, p in zip(at, chances)])


@pytest.mark.parametrize("probability, said", [
    (0.99, "very likely to be"), (0.95, "very likely to be"), (0.949, "likely to be"), (0.8, "likely to be"), (0.79, "more likely than not"), (0.5, "more likely than not"),
    (0.49, "more likely not"), (0.2, "more likely not"), (0.19, "unlikely to be"), (0.05, "unlikely to be"), (0.04, "very unlikely"), (0.0, "very unlikely")])
def test_a_probability_is_called_by_its_size(probability, said):
    assert chance_words(probability).startswith(said)


def test_draws_never_make_a_certainty():
    assert [percent_chance(p) for p in (1.0, 0.996, 0.994, 0.5, 0.006, 0.004, 0.0)] == ["more than 99%", "more than 99%", "99%", "50%", "1%", "less than 1%", "less than 1%"]


def test_pounds_and_qalys_have_the_figures_that_count():
    assert [money(v) for v in (0.5, 7.8, 9.0, 12.6, 343.2, 47424.6, -12.0)] == ["£0.50", "£7.80", "£9.00", "£12.60", "£343", "£47,400", "£12.00"]
    assert [qalys(v) for v in (0.00724, 0.0759, 0.61, 1.23, -0.0021)] == ["0.0072", "0.076", "0.61", "1.2", "0.0021"]


def test_the_verdict_says_thresholds_of_one_kind_together():
    assert describe_verdict(decided(0.01, 0.02), AT) == "At £20,000 and £30,000 for a year in full health the scheme is very unlikely to be worth its cost (probability 1% and 2%, in that order)."
    assert describe_verdict(decided(0.33, 0.61), AT) == ("At £20,000 for a year in full health the scheme is more likely not to be worth its cost, but far from certain (probability 33%); "
                                                         "at £30,000 it is more likely than not to be worth its cost, but far from certain (probability 61%).")
    assert describe_verdict(decided(), AT) == ""


@pytest.mark.parametrize("gained, paid, ratio, said", [
    (0.01, 300.0, 30_000.0, "gained 0.010 QALYs more (95% CI 0.0060 to 0.014 QALYs more) over 6 months and cost £300 more (95% CI £250 to £350 more) a person: £30,000 for each QALY gained."),
    (0.01, -300.0, None, "more health for no more money, so better on both counts."),
    (-0.01, 300.0, None, "less health for no less money, so worse on both counts."),
    (-0.01, -300.0, 30_000.0, "£30,000 saved for each QALY given up (here the scheme is the better buy when that is high, not when it is low)."),
    (0.0, 300.0, None, "gained as many QALYs over 6 months and cost £300 more (95% CI £250 to £350 more) a person: whether people gain or lose health cannot be told."),
    (0.0, 0.0, None, "whether people gain or lose health cannot be told, nor whether it costs more or less.")])
def test_each_quadrant_has_its_words_and_no_ratio_is_printed_bare(gained, paid, ratio, said):
    text = describe_increments(valued(gained, paid), "concurrent", 6)
    assert text.endswith(said) and text.startswith("Against similar people of the same time who were not referred, the people referred gained")
    assert "−" not in text and "-£" not in text and "£-" not in text


def test_no_gain_no_loss_and_no_ratio_is_told_where_the_interval_includes_none():
    unsure = describe_increments(valued(0.001, 300.0), "concurrent", 6)
    assert unsure.endswith("whether people gain or lose health cannot be told.") and "for each QALY" not in unsure
    assert describe_increments(valued(-0.0002, 5.0), "concurrent", 6).endswith("cannot be told, nor whether it costs more or less.")
    assert describe_increments(valued(0.01, 20.0), "concurrent", 6).endswith("more health; whether it costs more or less cannot be told.")


def test_an_interval_on_both_sides_of_nothing_says_so_with_words():
    text = describe_increments(valued(0.002, 20.0), "randomised", 12)
    assert "0.0020 QALYs more (95% CI 0.0020 QALYs fewer to 0.0060 QALYs more)" in text and "£20 more (95% CI £30 less to £70 more)" in text


@pytest.mark.parametrize("level, ends", [(5, "gained."), (3, "This holds only if no difference that nobody recorded sets the two groups apart."), (2, "This comparison cannot show an effect.")])
def test_what_the_comparison_bears_is_said(level, ends):
    design = {5: "randomised", 3: "concurrent", 2: "historical"}[level]
    assert describe_value(valued(), decided(0.1, 0.2), design, level, 12, AT).endswith(ends)
    assert "Nothing after month 6 is counted" in describe_value(valued(), decided(0.1, 0.2), design, level, 6, AT)


def test_the_net_benefit_is_said_with_its_sign_and_interval():
    table = rows(("net_benefit", "20000", -100.0, -200.0, 20.0, dict(group="threshold_gbp")))
    assert describe_net_benefit(table).startswith("Valued in pounds, less its cost, what the scheme brings comes to −£100 a person at £20,000 a QALY (95% CI −£200 to £20).")
    assert describe_net_benefit(rows()) == ""


def test_break_even_speaks_of_what_each_person_must_gain():
    nan = float("nan")
    table = rows(("break_even_qaly", "20000", 0.015, nan, nan, dict(group="threshold_gbp")), ("break_even_utility", "20000", 0.06, nan, nan, dict(group="threshold_gbp", note="held for 3 months")),
                 ("break_even_uses", "gp", 8.1, nan, nan, dict(group="service")), ("break_even_life_satisfaction", "all", 0.02, nan, nan, {}))
    text = describe_break_even(table, cost=300.0)
    assert text == ("At £300 a person, the scheme is worth its cost if each person gains at least 0.015 QALYs at £20,000 a QALY that they would not have gained without it; at £20,000 that is 0.060 points of "
                    "utility held for 3 months. In other words: 8.1 fewer GP appointments a person or 0.020 points of life satisfaction a person, held for a year.")
    for change, said in ((0.03, "50% of that would have to be the scheme's doing"), (0.01, "even if all of that were the scheme's doing, it would not be worth its cost"), (-0.01, "people gained no QALYs at all")):
        assert said in describe_break_even(table, rows(("uncontrolled_qaly_change", "all", change, change, change, {})), 300.0)
    impossible = table.assign(estimate=table["estimate"].where(table["measure"].ne("break_even_utility"), 1.4))
    assert "Nobody can gain so much" in describe_break_even(impossible, cost=300.0)
    assert describe_break_even(rows()) == "What the scheme must achieve to be worth its cost cannot be told: its cost a person is not known."


def test_the_curve_says_where_it_crosses_one_half():
    grid = (0.0, 10e3, 20e3, 30e3)
    assert describe_curve(decided(0, 0.2, 0.5, 0.7, at=grid), AT).startswith("From about £20,000 a QALY on, the scheme is more likely than not to be worth its cost")
    assert describe_curve(decided(0, 0.2, 0.3, 0.4, at=grid), AT).startswith("Up to £30,000 a QALY the scheme is never")
    assert describe_curve(decided(0.6, 0.7, 0.8, 0.9, at=grid), AT).startswith("From £0 to £30,000 a QALY the scheme is always")
    assert describe_curve(decided(0.9, 0.6, 0.4, 0.3, at=grid), AT).startswith("From about £20,000 a QALY on, the scheme is more likely not")
    unsure = pd.concat([decided(0, 0.2, 0.3, 0.4, at=grid), decided(0.1, 0.2, measure="acceptability_unsure")])
    assert "unsure as well, the probability is 10% at £20,000 and 20% at £30,000" in describe_curve(unsure, AT) and describe_curve(rows(), AT) == ""


def test_a_study_is_held_against_what_it_could_be_worth():
    nan = float("nan")
    table = rows(("evpi_everybody", "20000", 51_234.0, nan, nan, dict(group="threshold_gbp")), ("study_cost", "all", 100_000.0, nan, nan, {}))
    assert "at most £51,200 at £20,000 a QALY" in describe_finding_out(table, AT) and "As far as chance goes" in describe_finding_out(table, AT)
    assert "could be worth its price" in describe_finding_out(table.assign(estimate=table["estimate"].replace(51_234.0, 2e5)), AT)
    assert describe_at_stake(80_015, 100_000, "2024/25").endswith("if the scheme does nothing, £80,000 a year is spent for nothing (2024/25 prices); a study with a comparison at £100,000 costs 1.2 times that.")
    assert describe_at_stake(0, 100_000, "2024/25") == ""


def test_scenarios_that_turn_the_answer_are_named():
    nan = float("nan")
    table = rows(*[("net_benefit_if", level, e, nan, nan, dict(group="scenario")) for level, e in (("as answered", -100.0), ("it lasts", 50.0), ("it costs more", -150.0))])
    assert describe_scenarios(table) == "As answered, the net benefit is −£100 a person. It turns to a gain if: “it lasts” (£50)."
    assert describe_scenarios(table.iloc[[0, 2]]).endswith("No other assumption here turns a loss into a gain.")
    assert describe_scenarios(rows()) == ""


def test_other_analyses_are_said_to_agree_or_not():
    nan = float("nan")
    table = rows(*[("net_benefit_by_analysis", level, e, nan, nan, dict(group="analysis")) for level, e in (("adjusted", -100.0), ("not adjusted", -50.0), ("weighted", 20.0))])
    assert describe_ways(table).endswith("the others lie between −£50 and £20. The sign is another one in: weighted.") and describe_ways(table.iloc[:2]).endswith("all with the same sign.")


def test_kinds_of_value_are_told_apart_and_never_added():
    table = rows(("capacity_releasing", "all", 12.0, -3.0, 27.0, {}), ("health_value", "20000", 144.0, 70.0, 220.0, dict(group="threshold_gbp")), ("wellbeing_value", "all", 1164.0, 600.0, 1700.0, {}))
    text = describe_kinds(table)
    assert "use of services worth £12.00 a person is set free (95% CI £3.00 taken up to £27 set free), for others to use" in text and text.endswith("they must not be added up.")
    assert "worth £12.00 a person is taken up (95% CI £3.00 set free to £27 taken up)" in describe_kinds(table.assign(estimate=-table["estimate"], conf_low=-table["conf_high"], conf_high=-table["conf_low"]))
    assert describe_kinds(rows()) == "No money leaves a budget: counts of appointments cannot show that."


def test_quadrants_value_sets_prices_and_lessons_in_words():
    nan = float("nan")
    table = rows(*[("quadrant_share", level, e, nan, nan, dict(group="quadrant")) for level, e in (("more effect, more cost", 0.9), ("less effect, more cost", 0.1), ("less effect, less cost", 0.0))])
    assert describe_quadrants(table) == "Where the people are drawn again and again, the scheme gives more effect at more cost in 90% and less effect at more cost in 10% of the draws."
    assert "EQ-5D-3L" in describe_value_set(["eq5d3l"]) and "not counted, not zero" in describe_value_set(["eq5d3l"], ("mh",)) and "need EQ-5D" in describe_value_set([])
    assert price_terms(PLAN.prices, "2023/24")[0][1].startswith("£37 a use in 2023/24 prices (£30 to £56 where prices are unsure)")
    assert "£2.42" in describe_green_lesson() and "£1.88" in describe_green_lesson()
    assert describe_social(rows()) == "" and describe_wellbys(rows()) == ""


# ---- the answer

ABOUT = dict(months=6.0, how="", by_place=False, services=("gp",), paid=(), unpriced=())
TERMS = CostTerms("2023/24", 1.0)
FREE = EconomicPlan("concurrent", 0.0, PLAN.prices)


def test_the_answer_is_as_sure_as_the_design_and_less_where_the_data_do_not_settle_it():
    nan = float("nan")
    arms = rows(*[("mean_qaly", level, 0.5, nan, nan, dict(group="arm")) for level in ("scheme", "comparison")])
    tables = dict(value=valued(), decision=decided(0.02, 0.1), break_even=rows(), change=rows(), arms=arms)
    for level, design, sure in ((5, "randomised", 3), (3, "concurrent", 2), (2, "historical", 1)):
        found = answer_cost_effectiveness(tables, DESIGN.replace({"concurrent": design, 3: level}), PLAN, ABOUT, TERMS)
        assert found.sure == sure and found.short.startswith("Counting nothing after month 6, at £20,000" if level > 2 else "") and found.next_steps[0][1].startswith("Measure for longer")
    unsettled = answer_cost_effectiveness(tables | dict(decision=decided(0.4, 0.6)), DESIGN, PLAN, ABOUT, TERMS)
    assert unsettled.sure == 1 and unsettled.why.endswith("the data do not settle it")
    assert "only as far as the extract's costs hold it" in answer_cost_effectiveness(tables, DESIGN, FREE, ABOUT, TERMS).why
    assert answer_cost_effectiveness(tables, DESIGN, PLAN, ABOUT | dict(months=12.0), TERMS).next_steps == []
    assert answer_cost_effectiveness(tables, DESIGN, PLAN, ABOUT | dict(services=()), TERMS).text.endswith("only the scheme's own cost is counted.")
    lost = answer_cost_effectiveness(tables | dict(arms=arms.assign(n_missing=[0, 500])), DESIGN, PLAN, ABOUT, TERMS)
    assert lost.sure == 1 and "every score and cost is recorded of 50% in the group with fewer" in lost.why
    aside = CostTerms("2023/24", 1.0, lines_set_aside=2)
    unused = answer_cost_effectiveness(tables, DESIGN, PLAN, ABOUT, aside)
    assert "could not be used" in unused.text and unused.sure == 1 and "very unlikely" in unused.short
    rosy = answer_cost_effectiveness(tables | dict(decision=decided(0.9, 0.97)), DESIGN, PLAN, ABOUT, aside)       # with what is missing it may not be worth its cost
    assert rosy.sure == 0 and rosy.short == "" and rosy.text.startswith("Whether the scheme is worth its cost cannot be told: it costs more than could be counted")
    assert answer_cost_effectiveness(tables, DESIGN, PLAN, ABOUT | dict(paid=("all",)), TERMS).text.endswith("make sure that they do not hold it already.")
    assert answer_cost_effectiveness(tables | dict(arms=arms.assign(n=20)), DESIGN, PLAN, ABOUT, TERMS).sure == 1
    assert "in prices of 2024/25 the costs would be higher" in answer_cost_effectiveness(tables, DESIGN, PLAN, ABOUT, CostTerms("2010/11", 1.0)).text


def test_a_comparison_that_cannot_show_an_effect_gives_no_verdict_to_the_headline():
    nan = float("nan")
    arms = rows(*[("mean_qaly", level, 0.5, nan, nan, dict(group="arm")) for level in ("scheme", "comparison")])
    tables = dict(value=valued(), decision=decided(0.97, 0.99), break_even=rows(), change=rows(), arms=arms)
    found = answer_cost_effectiveness(tables, DESIGN.replace({"concurrent": "historical", 3: 2}), PLAN, ABOUT, TERMS)
    assert found.short == "" and found.text.startswith("Whether the scheme is worth its cost cannot be told by this comparison. If the difference were its doing: at £20,000")


def test_without_a_comparison_the_answer_is_what_the_scheme_must_achieve():
    nan = float("nan")
    value = rows(("qaly_difference", "all", nan, nan, nan, dict(note="not estimated: there is no comparison group")))
    tables = dict(value=value, change=rows(), break_even=rows(("break_even_qaly", "20000", 0.015, nan, nan, dict(group="threshold_gbp"))))
    found = answer_cost_effectiveness(tables, DESIGN, PLAN, ABOUT | dict(months=None), TERMS)
    assert found.sure == 0 and found.text.startswith("Whether the scheme is worth its cost cannot be told: needs a comparison group and EQ-5D at the start and later, of both groups. At £300 a person")
    assert "QALYs at £20,000" in found.text and not_valued(value) == "there is no comparison group"
    nothing = answer_cost_effectiveness(tables, DESIGN, FREE, ABOUT | dict(months=None), TERMS)
    assert nothing.text == "Cannot be answered: needs a costs table, a comparison group and EQ-5D at the start and later, of both groups." and nothing.sure == 0
    compared = answer_cost_effectiveness(tables | dict(value=value.assign(note="not estimated: no utilities (EQ-5D) are recorded")), DESIGN, FREE, ABOUT | dict(months=None), TERMS)
    assert compared.text == "Cannot be answered: needs a costs table and EQ-5D at the start and later, of both groups."
    hidden = value.assign(suppressed=True, note="hidden")
    assert not_valued(hidden) == "too few people to show"


def test_every_item_of_cheers_that_applies_has_its_place_in_a_notebook():
    import json
    from pathlib import Path

    from sprx.reference import facts

    items = facts("cheers")
    assert items["item"].tolist() == [str(i) for i in range(1, 29)] and (items["applies"] == "no").sum() == 1
    for row in items[items["applies"] == "yes"].itertuples():
        path = Path(__file__).parents[1] / "notebooks" / "report" / f"{row.chapter}.ipynb"
        heads = [line.lstrip("# ").strip() for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "markdown" for line in cell["source"] if line.startswith("#")]
        assert row.heading in heads, row.topic


def test_how_it_was_worked_out_says_perspective_horizon_prices_and_what_nobody_wrote_down():
    from types import SimpleNamespace

    from sprx.wording import study_terms

    settings = SimpleNamespace(economics=dict(perspective="NHS", horizon_months=24.0, set_up_years=4.0), follow_up_months=6)
    said = dict(study_terms(settings, DESIGN, PLAN, ABOUT | dict(how="nothing was missing"), "2023/24"))
    assert said["Whose costs count"] == "NHS" and said["Time looked at"] == "6 months from the start; 24 were asked for" and said["Prices"].startswith("pounds of 2023/24") and "4 years" in said["Prices"]
    assert said["Discounting"].startswith("none is needed within a year (3.5%") and "10,000 joint bootstrap draws of people within each group (seed 1)" in said["How sure"]
    assert dict(study_terms(settings, DESIGN, PLAN, ABOUT | dict(months=24.0, by_place=True), "2023/24"))["Discounting"] == "3.5% a year after the first year"
    assert "say them beside this report" in said["People involved, funding, interests"]
    nothing = dict(study_terms(settings, DESIGN, PLAN, ABOUT | dict(months=None), "2023/24"))
    assert nothing["Time looked at"] == "none: nothing can be compared" and not {"Effects", "Costs", "How sure", "What was not recorded"} & set(nothing)    # what was not done is not told
