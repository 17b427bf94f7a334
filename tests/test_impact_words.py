"""What may be said of a difference: every possible sentence is a row of golden/impact_sentences.csv, to be read by people."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sprx import answers
from sprx.reference import facts
from sprx.wording import impact, use
from sprx.wording.verdict import EFFECT_FROM, LEADS, SCORES, TAILS, USES, verdict, verdict_sentence
from impact_sentences import sentences

MEASURE = pd.Series(dict(name="SWEMWBS", mid_value=3.0, higher_is_better="yes"))
LEVELS = facts("designs").set_index("design")["maryland_level"].astype(int)


def test_every_possible_sentence_is_as_stored():
    stored = pd.read_csv(Path(__file__).parent / "golden" / "impact_sentences.csv", keep_default_na=False)
    pd.testing.assert_frame_equal(sentences(), stored)
    assert len(stored) == 2 * len(LEADS) * len(TAILS)


def test_no_sentence_below_level_three_speaks_of_an_effect_but_to_say_that_none_is_shown():
    for row in sentences().itertuples():
        weak = LEVELS[row.design] < EFFECT_FROM
        said = row.sentence.replace("This comparison cannot show an effect.", "")
        assert ("effect" in said) != weak, row.sentence
        assert not re.search(r"signific|prove|\bworks\b|effective", row.sentence)
        assert row.sentence.endswith(".") and ".." not in row.sentence and "{" not in row.sentence


CASES = [  # limits, threshold, better -> verdict; SWEMWBS-like points
    ((3.1, 5.0), 3, 1, "better, matters"), ((3.0, 5.0), 3, 1, "better, matters"), ((0.5, 3.5), 3, 1, "better, may matter"), ((0.5, 2.9), 3, 1, "better, too little"),
    ((0.5, 2.9), None, 1, "better"), ((-5.0, -3.1), 3, 1, "worse, matters"), ((-3.5, -0.5), 3, 1, "worse, may matter"), ((-2.9, -0.5), 3, 1, "worse, too little"),
    ((-2.9, -0.5), None, 1, "worse"), ((-1.0, 1.0), 3, 1, "no important"), ((-4.0, 1.0), 3, 1, "no benefit"), ((-1.0, 4.0), 3, 1, "no harm"), ((-4.0, 4.0), 3, 1, "cannot tell"),
    ((-3.0, 1.0), 3, 1, "no benefit"), ((-1.0, 3.0), 3, 1, "no harm"), ((-1.0, 1.0), None, 1, "no threshold"), ((-1.0, 1.0), np.nan, 1, "no threshold"),
    ((0.0, 2.0), 3, 1, "no important"), ((0.5, 2.0), 3, 0, "higher"), ((-2.0, -0.5), 3, 0, "lower"), ((-1.0, 1.0), 3, 0, "no threshold"), ((np.nan, 1.0), 3, 1, "not estimated")]


@pytest.mark.parametrize("limits, threshold, better, expected", CASES)
def test_the_verdict_of_an_interval(limits, threshold, better, expected):
    assert verdict(*limits, threshold, better) == expected


@pytest.mark.parametrize("limits, threshold, better, expected", [c for c in CASES if c[2] == 1 and c[3] != "not estimated"])
def test_where_lower_is_better_the_mirrored_interval_has_the_same_verdict(limits, threshold, better, expected):
    assert verdict(-limits[1], -limits[0], threshold, -1) == expected


def effect_table(estimate, low, high, word="effect", n=200, **more):
    row = dict(measure=f"{word}_s", group="all", level="all", n=n, n_missing=0, estimate=estimate, std_error=1, conf_low=low, conf_high=high, conf_level=0.95, unit="SWEMWBS points",
               method="", note="", suppressed=False)
    return pd.DataFrame([row | more])


def design(name):
    return pd.Series(dict(design=name, level=LEVELS[name], name=name, why="why"))


def test_a_sentence_has_the_number_its_sign_its_interval_and_its_threshold():
    said = impact.describe_effect(effect_table(-1.94, -2.56, -1.34), MEASURE.replace({"yes": "no"}), "s", design("randomised"))
    assert "those offered it scored 1.9 points lower on SWEMWBS (difference −1.9, 95% CI −2.6 to −1.3)" in said
    assert "effect for the better, but smaller than what matters (3 points, the smallest change held to be important for one person)" in said
    own = impact.describe_effect(effect_table(-1.94, -2.56, -1.34), MEASURE.replace({"yes": "no"}), "s", design("randomised"), threshold=1.0)
    assert "large enough to matter (1 point)." in own
    assert "scored the same" in impact.describe_effect(effect_table(0.0, -1.0, 1.0), MEASURE, "s", design("matched"))


def test_what_could_not_be_estimated_says_why_and_what_is_hidden_says_so():
    empty = effect_table(np.nan, np.nan, np.nan, note="not estimated: needs at least 10 people with a later score in each group")
    assert impact.describe_effect(empty, MEASURE, "s", design("matched")) == ("SWEMWBS: Whether the scheme makes a difference cannot be answered: needs at least 10 people with a later "
                                                                              "score in each group.")
    hidden = effect_table(np.nan, np.nan, np.nan, note="too few", suppressed=True)
    assert "too few people to show" in impact.describe_effect(hidden, MEASURE, "s", design("matched"))
    assert "nan" not in impact.describe_other_effect(empty, MEASURE, "s", design("matched"))


def analyses(*rows):
    return pd.concat([effect_table(rows[0][1], rows[0][2], rows[0][3]), *(effect_table(e, low, high, measure="effect_by_analysis_s", group="analysis", level=level)
                                                                          for level, e, low, high in rows)], ignore_index=True)


def test_analyses_that_agree_are_said_to_and_those_that_do_not_are_named():
    agree = impact.describe_analyses(analyses(("doubly robust", 2, 1, 3), ("weighted", 1.5, 0.5, 2.5)), MEASURE, "s")
    assert "done in 2 ways, the difference lies between +1.5 and +2 points. In none of them" in agree
    split = impact.describe_analyses(analyses(("doubly robust", 2, 1, 3), ("weighted", 0.5, -0.5, 1.5)), MEASURE, "s")
    assert "includes no difference in this way: weighted to look alike. So the answer depends on how the comparison is made" in split
    none = impact.describe_analyses(analyses(("adjusted", 0.2, -1, 1), ("not adjusted", 0.5, -0.5, 1.5)), MEASURE, "s")
    assert none.endswith("In all of them the interval includes no difference.")


@pytest.mark.parametrize("value, said", [(0.9, "0.90"), (1.0, "1.00"), (0.996, "0.996"), (1.003, "1.003"), (1.26, "1.26")])
def test_a_ratio_near_one_keeps_the_digit_that_tells_on_which_side_it_lies(value, said):
    assert use.ratio(value) == said


def use_table(estimate, low, high, **more):
    return effect_table(estimate, low, high, measure="rate_ratio_gp", unit="ratio", **more)


def test_use_of_services_is_more_or_less_and_never_better_or_worse():
    said = use.describe_use(use_table(0.85, 0.78, 0.93), "gp", design("concurrent"), 0.9)
    assert "used GP appointments 0.85 times as often" in said and "an effect towards less use; whether it is large enough to matter (0.9 times) is not certain" in said
    assert use.use_verdict(use_table(0.85, 0.78, 0.89), "gp", 0.9) == "better, matters" and use.use_verdict(use_table(1.2, 1.12, 1.3), "gp", 0.9) == "worse, matters"
    assert use.use_verdict(use_table(1.0, 0.92, 1.08), "gp", 0.9) == "no important" and use.use_verdict(use_table(1.0, 0.7, 1.4), "gp", 0.9) == "cannot tell"
    assert "better" not in said and "benefit" not in use.describe_use(use_table(0.97, 0.92, 1.2), "gp", design("randomised"), 0.9)


def test_a_change_in_use_is_called_a_change():
    row = effect_table(0.78, 0.73, 0.83, measure="rate_ratio_before_after_gp", unit="ratio")
    assert "use went down. This is a change, not an effect." in use.describe_use_change(row, "gp")
    assert "may have gone up or down" in use.describe_use_change(row.assign(conf_high=1.1), "gp")


def test_groups_that_began_far_apart_are_named_as_such():
    def rates(own, other):
        return pd.concat([effect_table(v, v - 1, v + 1, measure="use_rate_gp", group="arm_and_time", level=f"{arm}, before") for arm, v in (("scheme", own), ("comparison", other))])
    assert "began" not in use.describe_use_before(rates(8, 7.5), "gp") and use.describe_use_before(rates(8, 7.5), "gp") == ""
    assert "10 times a year, the comparison people 3.9 times. Groups that begin so far apart come closer by themselves" in use.describe_use_before(rates(10, 3.9), "gp")


def test_the_published_caution_comes_from_the_facts():
    said = use.describe_published_caution()
    assert "from 10.0 to 8.6 GP consultations a year" in said and "from 3.9 to 4.3" in said and "Carnes" in said
    assert set(facts("cautions")["verification"]) == {"verified (abstract)"}


def test_without_a_comparison_there_is_no_evidence_of_an_effect_and_what_was_to_be_expected_stands_beside():
    rows = pd.concat([effect_table(3.6, 3.1, 4.2, measure="impact_paired_change_s"), effect_table(3.4, 3.3, 3.6, measure="impact_expected_change_s"),
                      effect_table(0.2, -0.3, 0.7, measure="impact_change_beyond_expected_s")])
    said = impact.describe_no_comparison(rows, "s", MEASURE, "there is no comparison group")
    assert said.startswith("There is no evidence of an effect: there is no comparison group.") and "+3.6" in said and "about +3.4" in said and "leaves +0.2" in said
    few = effect_table(0.5, 0.4, 0.6, measure="measured_again_s", group="compared", level="scheme", unit="proportion")
    assert said + " Only 50% were measured again, and those who were may have fared better." == impact.describe_no_comparison(rows, "s", MEASURE, "there is no comparison group", few)


def released(estimate, low, high, kept=0.9, word="effect"):
    followed = pd.concat([effect_table(kept, kept - 0.05, kept + 0.05, measure="measured_again_s", group="compared", level=arm, unit="proportion") for arm in ("scheme", "comparison")])
    return {"effect_s": effect_table(estimate, low, high, word=word), "compared_s": followed}


def answered(name, tables, comparison=None):
    designs = pd.DataFrame([design(name), design("before_after")], index=["scores", "use"])
    return answers.answer_impact(tables, designs, MEASURE, "s", None, comparison or {})


def test_how_sure_we_are_rests_on_the_design_on_who_was_measured_again_and_on_what_is_settled():
    assert answered("randomised", released(4, 3.2, 5)).sure == 3 and answered("randomised", released(4, 3.2, 5, kept=0.7)).sure == 2
    assert answered("randomised", released(4, 3.2, 5, kept=0.5)).sure == 1
    assert answered("matched", released(4, 3.2, 5)).sure == 2 and answered("matched", released(4, 3.2, 5, kept=0.5)).sure == 1
    assert answered("historical", released(4, 3.2, 5, word="difference")).sure == 1
    assert answered("randomised", released(1, -4, 6)).sure == 1 and "do not settle it" in answered("randomised", released(1, -4, 6)).why
    assert answered("randomised", released(0.1, -1, 1)).sure == 3                       # evidence of no important effect is an answer


def test_only_level_three_says_that_it_holds_if_nothing_unrecorded_sets_the_groups_apart():
    words = "This holds only if"
    assert words in answered("concurrent", released(4, 3.2, 5)).text and words not in answered("randomised", released(4, 3.2, 5)).text
    assert words not in answered("concurrent", released(4, 3.2, 5)).short
    assert "effect" not in answered("historical", released(4, 3.2, 5, word="difference")).text.replace("cannot show an effect", "")


def test_the_schemes_own_threshold_goes_before_the_measures():
    assert "not certain" in answered("randomised", released(2, 1, 4)).text and "large enough to matter (0.5 points)" in answered("randomised", released(2, 1, 4), dict(threshold=0.5)).text


def test_every_sentence_of_the_chapter_is_free_of_missing_numbers():
    empty = effect_table(np.nan, np.nan, np.nan)
    for said in (impact.describe_improved(empty, "s", MEASURE), impact.describe_analyses(empty, MEASURE, "s"), impact.describe_balance(empty), impact.describe_likeness(empty, "s"),
                 impact.describe_fragility(empty, "s", MEASURE), impact.describe_time_zero(empty), use.describe_use(empty, "gp", design("matched")),
                 use.describe_use_change(empty, "gp"), use.describe_event_study(empty, "gp"), use.describe_other_uses(empty, "gp"), use.describe_series(empty, "gp"),
                 impact.describe_no_comparison(empty, "s", MEASURE, "why")):
        assert said and "nan" not in said.lower().replace("nannies", "") and "None" not in said


def test_use_and_score_words_fill_the_same_places():
    assert set(SCORES) == set(USES)
    assert verdict_sentence("randomised", 5, "r", "no benefit", words=USES) != verdict_sentence("randomised", 5, "r", "no benefit")


def test_the_share_improved_stands_beside_a_mean_that_is_smaller_than_what_matters_to_one_person():
    tables = released(2, 1.3, 2.6)
    share = effect_table(22.9, 14.3, 31.5, measure="improved_difference_s", unit="percentage points", note="improved by 3 or more; missing values filled in 50 times")
    tables["effect_s"] = pd.concat([tables["effect_s"], share], ignore_index=True)
    said = "22.9 percentage points more of the scheme's people improved by 3 or more points (95% CI +14.3 to +31.5)"
    assert said in answered("matched", tables).text and answered("matched", tables).short.endswith(said)
    assert impact.describe_share_improved(released(2, 1.3, 2.6)["effect_s"], "s") == ""


def test_balance_names_what_is_far_apart_and_speaks_of_weighting_only_where_there_is_one():
    def rows(kind, *gaps):
        return pd.concat([effect_table(gap, np.nan, np.nan, measure="smd_between_groups_s", group=kind, level=name, unit="standard deviations") for name, gap in gaps])
    alone = impact.describe_balance(rows("before weighting", ("age", 0.21), ("first score", -0.05)))
    assert alone.startswith("At the start, the groups are more than 0.1 standard deviations apart in 1 of 2 things recorded: age (+0.21).") and "eighting" not in alone
    both = impact.describe_balance(pd.concat([rows("before weighting", ("age", 0.21)), rows("weighted", ("age", 0.01))]))
    assert "Before weighting, the groups are more than" in both and "the groups are within 0.1 standard deviations in everything recorded" in both
