"""Answers to scores, against each instrument's published rule and published values."""

import pandas as pd
import pytest

from sprx.reference import measures
from sprx.scoring import eq5d_utility, item_number, reversed_items, score_items, swemwbs_metric


def score(measure_id, *sittings, **changes):
    """Totals of some sittings, each a list of answers in the order of the items (None: not answered)."""
    answers = pd.DataFrame(sittings, columns=range(1, len(sittings[0]) + 1), dtype=float)
    return score_items(answers, pd.Series({**measures().loc[measure_id].to_dict(), **changes})).tolist()


# ---- sums, proration, scales

def test_gad7_and_phq9_are_sums():
    # Spitzer et al (2006) Arch Intern Med 166:1092, GAD-7 0 to 21; Kroenke et al (2001) J Gen Intern Med 16:606, PHQ-9 0 to 27
    assert score("gad7", [3] * 7, [0] * 7, [1, 2, 0, 3, 1, 0, 1]) == [21.0, 0.0, 8.0]
    assert score("phq9", [3] * 9, [0, 1, 2, 3, 0, 1, 2, 3, 0]) == [27.0, 12.0]


def test_phq9_is_prorated_with_two_missing_and_not_with_three():
    # Kroenke et al (2010) Gen Hosp Psychiatry 32:345: up to two missing answers take the mean of the others
    two, three = [1, 1, 1, 1, 1, 1, 2, None, None], [1, 1, 1, 1, 1, 1, None, None, None]
    prorated, missing = score("phq9", two, three)
    assert prorated == pytest.approx(8 / 7 * 9, abs=1e-6) and pd.isna(missing)


def test_gad7_is_prorated_with_one_missing_and_not_with_two():
    prorated, missing = score("gad7", [2, 2, 2, 2, 2, 2, None], [2, 2, 2, 2, 2, None, None])
    assert prorated == 14.0 and pd.isna(missing)


def test_ucla3_is_a_sum_of_three_and_needs_all():
    # Hughes et al (2004) Res Aging 26:655: 3 to 9
    least, most, missing = score("ucla3", [1, 1, 1], [3, 3, 3], [1, 2, None])
    assert (least, most) == (3.0, 9.0) and pd.isna(missing)


def test_who5_is_four_times_the_sum():
    # WHO (1998) Info Package: raw 0 to 25 times 4 is 0 to 100
    assert score("who5", [5] * 5, [0] * 5, [1, 2, 3, 4, 5]) == [100.0, 0.0, 60.0]


def test_core10_counts_its_positive_items_2_and_3_the_other_way_round():
    # Barkham et al (2013) Couns Psychother Res 13:3: items 2 and 3 are reverse scored; the worst answers make 40
    worst = [4, 0, 0, 4, 4, 4, 4, 4, 4, 4]
    assert score("core10", worst, [4 - a for a in worst]) == [40.0, 0.0]


def test_every_measure_whose_table_row_names_items_to_reverse_reverses_them_or_is_not_scored():
    named = [(m.Index, m.reverse_items) for m in measures().itertuples()
             if m.rule in ("sum", "swemwbs") and m.item_max - m.item_min > 1 and any(c.isdigit() for c in str(m.reverse_items))]
    assert [name for name, words in named if not reversed_items(measures().loc[name])] == []


def test_an_item_to_reverse_counts_from_the_other_end_before_proration():
    measure = dict(rule="sum", n_items=3, item_min=1, item_max=5, reverse_items="2", max_missing=1, scale=1.0)
    assert score("ucla3", [5, 1, 5], [1, 5, 1], [5, 1, None], **measure) == [15.0, 3.0, 15.0]


def test_an_item_offset_shifts_every_item():
    measure = dict(rule="sum", n_items=3, item_min=1, item_max=5, reverse_items="", max_missing=0, scale=1.0, item_offset=-1.0)
    assert score("ucla3", [1, 1, 1], [5, 5, 5], **measure) == [0.0, 12.0]


def test_answers_to_no_item_make_no_total():
    assert pd.isna(score("phq9", [None] * 9)[0]) and pd.isna(score("swemwbs", [None] * 7)[0])


@pytest.mark.parametrize("words, items", [("2 4", [2, 4]), ("2, 4", [2, 4]), ("none", []), ("none (all positive)", []), ("", []), ("3", [3])])
def test_items_to_reverse_are_numbers_or_none(words, items):
    assert reversed_items(pd.Series({"reverse_items": words})) == items


# ---- SWEMWBS

def test_swemwbs_is_converted_by_the_published_table():
    # Stewart-Brown et al (2009) Health Qual Life Outcomes 7:15, conversion table (Warwick): 7 -> 7.00, 21 -> 19.25, 28 -> 25.03, 35 -> 35.00
    assert swemwbs_metric(pd.Series([7.0, 21, 28, 35])).tolist() == [7.0, 19.25, 25.03, 35.0]
    assert score("swemwbs", [1] * 7, [3] * 7, [4] * 7, [5] * 7) == [7.0, 19.25, 25.03, 35.0]


def test_swemwbs_needs_all_seven_and_a_total_in_the_table():
    assert pd.isna(score("swemwbs", [3] * 6 + [None])[0]) and swemwbs_metric(pd.Series([6.0, 36, 21.5])).isna().all()


def test_the_swemwbs_table_rises_from_7_to_35():
    metric = swemwbs_metric(pd.Series(range(7, 36), dtype=float))
    assert metric.is_monotonic_increasing and metric.is_unique and metric.notna().all()


# ---- EQ-5D

@pytest.mark.parametrize("profile, utility", [
    # Dolan (1997) Med Care 35:1095, table of the UK time trade-off values; the ends are 1 and -0.594
    ("11111", 1.0), ("33333", -0.594), ("11112", 0.848), ("11121", 0.796), ("21111", 0.85), ("11113", 0.414), ("22222", 0.516)])
def test_eq5d3l_matches_dolan_1997(profile, utility):
    assert eq5d_utility(pd.Series([profile]), "eq5d3l").iloc[0] == pytest.approx(utility, abs=1e-9)


def test_eq5d3l_of_a_mixed_state_is_one_minus_its_decrements():
    # Dolan (1997), the worked example of the 3L user guide, state 21223: 1 - (0.081 + 0.069 + 0 + 0.036 + 0.123 + 0.236 + 0.269) = 0.186
    assert eq5d_utility(pd.Series(["21223"]), "eq5d3l").iloc[0] == pytest.approx(0.186, abs=1e-9)


def test_eq5d5l_uk_2026_runs_from_minus_0_567_to_1():
    # Rowen et al (2026) Value Health, doi 10.1016/j.jval.2026.03.008: worst state -0.567
    values = eq5d_utility(pd.Series(["11111", "55555"]), "eq5d5l_uk2026")
    assert values.tolist() == pytest.approx([1.0, -0.567], abs=1e-9)


@pytest.mark.parametrize("instrument, profile", [("eq5d3l", "11114"), ("eq5d3l", "1111"), ("eq5d3l", "01111"), ("eq5d3l", ""),
                                                 ("eq5d5l_uk2026", "11116"), ("eq5d5l_uk2026", "111111"), ("eq5d3l", None)])
def test_what_is_no_state_has_no_utility(instrument, profile):
    assert eq5d_utility(pd.Series([profile], dtype=object), instrument).isna().all()


def test_a_worse_level_is_never_worth_more():
    for instrument, levels in (("eq5d3l", "123"), ("eq5d5l_uk2026", "12345")):
        for place in range(5):
            states = pd.Series(["1" * place + level + "1" * (4 - place) for level in levels])
            assert eq5d_utility(states, instrument).is_monotonic_decreasing, (instrument, place)


def test_the_mapping_needs_age_and_sex_and_knows_its_ends():
    # Hernandez Alava et al (2022), DSU table as in the R package eq5d: 11111, male, 18 to 34 is 0.9867
    people = pd.DataFrame({"age": [20.0, 34, 17, None, 20], "sex": ["male", "male", "male", "male", "other"]})
    values = eq5d_utility(pd.Series(["11111"] * 5), "eq5d5l_map", people)
    assert values[:2].tolist() == [0.9867, 0.9867] and values[2:].isna().all()


def test_the_mapping_covers_each_age_band_up_to_the_oldest():
    people = pd.DataFrame({"age": [18.0, 35, 45, 55, 65, 120], "sex": ["female"] * 6})
    assert eq5d_utility(pd.Series(["55555"] * 6), "eq5d5l_map", people).notna().all()


# ---- names of items

@pytest.mark.parametrize("item, instrument, number", [
    ("3", "phq9", 3), ("q3", "phq9", 3), ("Item 3", "phq9", 3), ("total", "phq9", None), ("x", "phq9", None),
    ("mobility", "eq5d3l", 1), ("Self-care", "eq5d5l_map", 2), ("usual activities", "eq5d3l", 3), ("PD", "eq5d3l", 4),
    ("Anxiety/depression", "eq5d5l_uk2026", 5), ("AD", "eq5d3l", 5), ("mobility", "phq9", None), ("5", "eq5d3l", 5)])
def test_items_are_told_by_number_or_by_the_name_of_the_dimension(item, instrument, number):
    assert item_number(item, instrument) == number


@pytest.mark.parametrize("item, instrument, wrong", [("1.0", "core10", 10), ("1.0", "wemwbs", 10), ("1.4", "wemwbs", 14), ("-1", "gad7", None)])
def test_a_number_with_a_point_or_sign_is_never_read_as_another_item(item, instrument, wrong):
    number = item_number(item, instrument)
    assert number is None or number == float(item) and number != wrong
