"""The tables of the lessons are cut from the released results, and a one-page summary is told what it lacks."""

import runpy

import pandas as pd
import pytest

from pathlib import Path

from sprx.lesson_data import NUMBERS, PARTS, SCHEMES, lesson_results, one_page_gap
from sprx.reference import FOLDER

ROOT = Path(__file__).parents[1]
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "lesson_data.py"))
HARBOUR = lesson_results("harbour")
PAGE = {
    "question": "Is the wellbeing of people referred to Harbour, a synthetic scheme, better after three months than that of others?",
    "compared": "370 people of the scheme with a comparison group of 370 from the same time, not drawn by lot (Maryland level 3 of 5).",
    "result": "Wellbeing was 1.9 points higher than in the comparison group (95% CI 1.3 to 2.5). The scheme's people rose by 4.1 points: a change, not an effect.",
    "certainty": "Low, because nobody was drawn by lot and a third were not measured again.",
    "cost": "£343 a person referred.",
    "cannot_conclude": "We cannot tell whether it lasts beyond three months.",
    "recommendation": "Go on for a year if four in five people are measured again.",
}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_tables_are_cut_from_the_released_results(scheme):
    held = (FOLDER / "teaching" / f"{scheme}_results.csv").read_bytes().decode("utf-8")
    assert held == SCRIPT["cut"](scheme), "run scripts/lesson_data.py"
    assert SCRIPT["SCHEMES"] == SCHEMES


def test_every_measure_that_is_to_be_cut_is_there():
    measures = {m for scheme in SCHEMES for m in lesson_results(scheme)["measure"]}
    assert measures == set(SCRIPT["MEASURES"])


def test_results_come_with_numbers_and_are_nobodys_to_spoil():
    table = lesson_results("harbour")
    assert all(pd.api.types.is_numeric_dtype(table[c]) for c in NUMBERS) and table["suppressed"].dtype == bool
    table["estimate"] = 0.0
    assert lesson_results("harbour")["estimate"].max() > 100
    with pytest.raises(ValueError, match="There are: harbour, moorside"):
        lesson_results("Harbour")


def test_the_schemes_teach_what_the_lessons_say():
    change = lesson_results("moorside").query("measure == 'change_beyond_expected_swemwbs'").iloc[0]
    assert change.conf_low < 0 < change.conf_high               # everyone got better, and it is what was to be expected
    effect = HARBOUR.query("measure == 'effect_swemwbs'").iloc[0]
    assert effect.conf_low < 2 < effect.conf_high               # what data/sample/truth.csv says was planted
    assert HARBOUR.query("measure == 'net_benefit' and level == '20000'")["conf_high"].iloc[0] < 0


def test_a_good_page_passes():
    assert one_page_gap(PAGE, HARBOUR) == ""


@pytest.mark.parametrize("part, text, said", [
    ("question", "What became of the wellbeing of people referred to this synthetic scheme.", "question mark"),
    ("question", "Is the wellbeing of people referred to Harbour better than that of others?", "synthetic"),
    ("compared", "370 people of the scheme with themselves at an earlier time (Maryland level 3).", "comparison group"),
    ("compared", "370 people with a comparison group of 370 from the same time.", "Maryland level"),
    ("compared", "370 people with a comparison group of 370 (Maryland level 4 of 5).", "Maryland level"),
    ("result", "Wellbeing was 1.9 points higher than in the comparison group (95% CI 1.3 to 3.5).", "both ends"),
    ("result", "Wellbeing was 1.9 points higher than in the comparison group (1.3 to 2.5).", "95%"),
    ("result", PAGE["result"] + " The effect of the scheme was 4.1 points.", "not an effect"),
    ("result", PAGE["result"] + " People rose by 4.1 points thanks to the scheme.", "not an effect"),
    ("result", PAGE["result"] + " This is significant.", "significant"),
    ("result", PAGE["result"] + " This proves it.", "proves"),
    ("result", PAGE["result"] + " The scheme is effective.", "effective"),
    ("certainty", "Certainty is high because many people took part.", "low"),
    ("certainty", "High certainty, because the risk of bias is low.", "low"),
    ("certainty", "Our certainty is low at present.", "reason"),
    ("cost", "It costs £400 a person referred.", "cost a person"),
    ("cost", "It costs 343 a person referred.", "£"),
    ("cannot_conclude", "It may not last beyond three months.", "cannot"),
    ("recommendation", "Go on with it for ever.", "conditional"),
    ("recommendation", "Yes.", "Write a dict"),
    ("cost", PAGE["cost"] + " word" * 350, "Too long"),
])
def test_a_page_is_told_what_it_lacks(part, text, said):
    assert said in one_page_gap(PAGE | {part: text}, HARBOUR)


def test_a_page_with_a_part_missing_and_no_page_at_all():
    assert "cost" in one_page_gap({p: PAGE[p] for p in PARTS if p != "cost"}, HARBOUR)
    assert "question" in one_page_gap("Harbour is good.", HARBOUR) and "question" in one_page_gap({}, HARBOUR)


@pytest.mark.parametrize("part, text", [
    ("compared", "370 people beside a comparison group of 370 from the same time, Maryland scale 3."), ("result", PAGE["result"].replace("95%", "95 %")),
    ("result", "Wellbeing was 1.94 points higher than in the comparison group (95% CI 1.34 to 2.55)."), ("recommendation", "Extend it once a longer follow-up is there."),
    ("recommendation", "Go on, subject to a follow-up after a year."), ("certainty", "Low: nobody was drawn by lot."), ("recommendation", "Go on, on two conditions that are set out below."),
    ("cannot_conclude", "We can't tell whether it lasts beyond three months."), ("cannot_conclude", "We can not tell, as it is not proven, whether it lasts."), ("cost", "£343 a person referred, which is not cost effective."),
    ("certainty", "Very low, as the groups were not drawn by lot, so the risk of bias is high.")])
def test_other_ways_to_say_it_pass_too(part, text):
    assert one_page_gap(PAGE | {part: text}, HARBOUR) == ""


def test_a_word_that_only_looks_forbidden_is_allowed():
    text = PAGE["cannot_conclude"] + " Nor whether it is cost-effective. Only part of the 4.1 points can be due to the scheme. More precise: 1.34."
    assert one_page_gap(PAGE | {"cannot_conclude": text, "result": PAGE["result"].replace("1.3 ", "+1.34 ")}, HARBOUR) == ""


# ---- what lessons 5 to 8 say of the base in words, where no cell works it out: if one of these fails, mend the words

def controlled_alone():
    from sprx.evidence import effects_with_studies, read_base

    effects = effects_with_studies(read_base())
    usable = (effects["comparison"] == "between_group") & (effects["pooled"] != "yes") & (effects["keep_apart"] == "") & effects["std_error"].notna()
    return effects, effects[usable]


def test_lesson_5_every_change_went_the_good_way_and_the_controls_began_elsewhere():
    from sprx.reference import facts

    effects, _ = controlled_alone()
    changes = effects[(effects["comparison"] == "within_group_change") & (effects["keep_apart"] == "")]
    assert (changes["estimate"] * changes["direction_good"].map({"higher": 1, "lower": -1}) > 0).all() and len(changes) == 20
    gp = facts("cautions").query("id == 'carnes2017'").set_index("quantity")["value"].astype(float)
    assert gp["gp_referred_before"] > 2 * gp["gp_matched_before"] and gp["gp_matched_after"] > gp["gp_matched_before"]
    held = effects.query("study_id == 'carnes2017' and subgroup == 'referred'")["estimate"].iloc[0]
    assert abs(held - (gp["gp_referred_after"] - gp["gp_referred_before"])) < 1e-9


def test_lesson_6_one_set_of_three_whose_average_depends_on_the_method():
    from sprx.stats.synthesis import leave_one_out, synthesise

    _, usable = controlled_alone()
    anxiety = usable[usable["instrument"] == "HADS-A"].set_index("study_id")
    assert list(anxiety.index) == ["grant2000", "mercer2019", "murphy2012"] and list(anxiety["design"]) == ["rct", "nrct_controlled", "rct"]
    assert usable.groupby("instrument")["study_id"].nunique().ge(3).sum() == 1
    y, v = anxiety["estimate"], anxiety["std_error"] ** 2
    one, many = synthesise(y, v, method="EE", knapp_hartung=False), synthesise(y, v)
    assert one.conf_high[0] < 0 < many.conf_high[0] and 60 < one.weights[1] < 70 and one.i2 > 50
    without = leave_one_out(y, v).iloc[1]
    assert without.i2 == 0 and without.conf_high > 0 and (anxiety["conf_high"].drop("mercer2019") < 0).all()


def test_lesson_7_trials_that_found_little_left_no_number():
    effects, usable = controlled_alone()
    assert not {"lester2007", "band2025"} & set(effects["study_id"])
    grant = effects[effects["study_id"] == "grant2000"]
    assert (grant["conf_high"] < 0).all() and (grant["direction_good"] == "lower").all()
    assert usable.groupby("instrument")["study_id"].nunique().max() < 10
    note = effects.query("study_id == 'siette2017'").iloc[0]
    assert note.conf_low < 0 and "CI includes 0" in note.note
    ratio = effects[effects["effect_type"] == "risk_ratio"].set_index("study_id")["conf_low"]
    assert ratio["paveyhta2011"] < 1 < ratio["pavey2011"]


def test_lesson_8_no_outcome_reaches_moderate_and_the_scheme_with_an_effect_is_not_worth_its_cost():
    from sprx.evidence import read_base

    kiely = read_base()["components"].query("study_id == 'kiely2022'")
    assert set(kiely["evidence_strength"]) == {"low", "very low"}
    value = HARBOUR.set_index(["measure", "level"])["estimate"]
    assert value["effect_swemwbs", "all"] > 0 > value["net_benefit", "20000"]
    assert not lesson_results("moorside")["measure"].isin(["effect_swemwbs"]).any()
