"""Chapter 08: a scheme's record from released results only, its sentences, its figures."""

import json
import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from sprx import answers
from sprx.clean import clean_scheme
from sprx.disclosure import RULES, release
from sprx.evidence import add_file, effects_with_studies, evidence_record, read_base, with_record
from sprx.evidence.record import read_record
from sprx.load import load_scheme
from sprx.metrics.evidence.comparable import comparable_effects
from sprx.metrics.evidence.pooling import against_evidence, effect_directions, forest_rows, pooled_effects, robustness
from sprx.plots import plot_forest, plot_funnel, plot_harvest
from sprx.reference import facts
from sprx.results import RESULT_COLUMNS
from sprx.wording import evidence as words
from test_comparable import effects, own, several
from test_reports import GOLDEN, SAMPLE

BANNED = re.compile(r"\b(nan|NaN|None|inf)\b|\bsignifican|\bproves?\b|\bimpressive|\beffective\b|  |\.\.|\( ")


def released(scheme):
    return pd.read_csv(GOLDEN / f"{scheme}_results.csv", keep_default_na=False, na_values={c: [""] for c in RESULT_COLUMNS[5:12]}).assign(
        suppressed=lambda t: t["suppressed"].astype(str).eq("True"))


@pytest.fixture(scope="module")
def schemes():
    return {name: clean_scheme(load_scheme(SAMPLE / name)) for name in ("castle", "harbour", "moorside", "northfield")}


@pytest.fixture(scope="module")
def records(schemes):
    return {name: evidence_record(scheme, released(name)) for name, scheme in schemes.items()}


# ---- the record

def test_every_record_is_taken_by_the_base_and_is_the_same_each_time(schemes, records, tmp_path):
    for name, content in records.items():
        path = tmp_path / name / "evidence_record.json"
        path.parent.mkdir()
        path.write_text(json.dumps(content))
        assert add_file(path, tmp_path / "base", "A. Analyst", "2025-03-31", allow_synthetic=True)["studies"] == 1
        assert content == evidence_record(schemes[name], released(name)) and content["synthetic"]
    assert len(read_base(tmp_path / "base")["studies"]) == 87 + 4


def test_a_record_holds_what_was_released_and_nothing_else(records):
    for name, content in records.items():
        shown = released(name)
        numbers = {float(f"{v:.6g}") for c in ("n", "estimate", "std_error", "conf_low", "conf_high") for v in shown[c].dropna()}
        for effect in content["effects"]:
            assert {effect[k] for k in ("estimate", "std_error", "conf_low", "conf_high", "n_scheme", "n_comparison")} - {None} <= numbers
        assert content["population"]["n"] is None or content["population"]["n"] % 5 == 0
        assert set(content["activities"]) <= set(facts("activities")["activity_type"])


def test_with_a_comparison_effects_without_one_changes_without_scores_nothing(records):
    kinds = {name: {e["comparison"] for e in content["effects"]} for name, content in records.items()}
    assert kinds == {"castle": set(), "harbour": {"between_group"}, "moorside": {"within_group_change"}, "northfield": {"within_group_change"}}
    assert [(records[n]["design"], records[n]["maryland_level"]) for n in kinds] == [("none", None), ("concurrent", 3), ("before_after", 1), ("before_after", 1)]
    first = records["harbour"]["effects"][:2]
    assert [(e["instrument"], e["effect_type"], e["outcome"]) for e in first] == [("swemwbs", "mean_difference", "mental_wellbeing"), ("swemwbs", "smd", "mental_wellbeing")]
    worse = next(e for e in records["harbour"]["effects"] if e["instrument"] == "phq9")
    assert worse["direction_good"] == "lower" and worse["estimate"] < 0
    use = [e for e in records["moorside"]["effects"] if e["effect_type"] == "rate_ratio"]
    assert {e["outcome"] for e in use} == {"gp_use", "ae_use"} and all(e["direction_good"] == "lower" for e in use)


def test_a_hidden_number_stays_hidden(schemes):
    shown = released("moorside")
    mine = shown["measure"].isin(["paired_change_swemwbs", "change_smcc_swemwbs"])
    shown.loc[mine, "suppressed"], shown.loc[mine, ["n", "estimate", "std_error", "conf_low", "conf_high"]] = True, np.nan
    content = evidence_record(schemes["moorside"], shown)
    hidden = [e for e in content["effects"] if e["suppressed"]]
    assert len(hidden) == 2 and all(e["estimate"] is e["n_scheme"] is e["conf_low"] is None for e in hidden)
    assert "2 of them hidden" in words.describe_record(content)


def test_a_weaker_comparison_does_not_borrow_the_level_of_a_stronger_one(schemes):
    shown = released("harbour")
    shown.loc[shown["measure"].eq("maryland_level_scores"), ["estimate", "level"]] = [2.0, "historical"]
    content = evidence_record(schemes["harbour"], shown)
    assert (content["design"], content["maryland_level"]) == ("concurrent", 3)
    by = {(e["effect_type"], e["comparison"]) for e in content["effects"]}
    assert by == {("mean_difference", "within_group_change"), ("smd", "within_group_change"), ("rate_ratio", "between_group")}
    shown.loc[shown["measure"].eq("maryland_level_use"), ["estimate", "level"]] = [2.0, "series"]
    shown["measure"] = shown["measure"].str.replace("^effect_", "difference_", regex=True)       # below level 3 chapter 04 calls it so
    weak = evidence_record(schemes["harbour"], shown)
    assert weak["maryland_level"] == 2 and {(e["effect_type"], e["comparison"]) for e in weak["effects"]} == {
        ("mean_difference", "between_group"), ("smd", "between_group"), ("rate_ratio", "within_group_change")}
    assert "differences from a weak comparison" in words.describe_record(weak) and "effects against" not in words.describe_record(weak)


def test_without_the_chapters_before_or_a_period_there_is_still_a_record(schemes, tmp_path):
    from dataclasses import replace

    castle = schemes["castle"]
    open_ = replace(castle, settings=replace(castle.settings, period=(None, None)))
    content = evidence_record(open_, pd.DataFrame(columns=RESULT_COLUMNS))
    (tmp_path / "evidence_record.json").write_text(json.dumps(content))
    assert set(read_record(tmp_path / "evidence_record.json", True)) == {"studies"} and content["period"]["start"].endswith("-01")


def test_without_any_date_the_record_has_no_period_and_stands_for_all_of_the_scheme(schemes):
    from dataclasses import replace

    harbour = schemes["harbour"]
    tables = {name: t.drop(columns=[c for c in ("referral_date", "index_date") if c in t]) for name, t in harbour.tables.items()}
    bare = replace(harbour, settings=replace(harbour.settings, period=(None, None)), tables=tables)
    content = evidence_record(bare, released("harbour"))
    assert content["period"] is None and content["effects"]
    rows, study_id = with_record(read_base(), content)
    mine = rows["studies"].iloc[-1]
    assert study_id == "harbour" and (mine["year"], mine["period_start"]) == ("", "") and "dates not held" in mine["title"]
    again, _ = with_record(rows, content | {"period": {"start": "2024-04-01", "end": "2025-03-31"}})
    assert len(again["studies"]) == 88              # nobody can tell that they are other people


def test_an_instrument_of_the_schemes_own_speaks_to_the_domain_it_names_or_stands_alone(schemes, monkeypatch):
    harbour, measures = schemes["harbour"], schemes["harbour"].measures().copy()
    monkeypatch.setattr(type(harbour), "measures", lambda scheme: measures)
    for written, expected in (("mental_health", ("mental_health", "mental_wellbeing")), ("Social isolation", ("social_isolation", "loneliness_social")), ("", ("other", "phq9"))):
        measures.loc["phq9", "domain"] = written
        found = next(e for e in evidence_record(harbour, released("harbour"))["effects"] if e["instrument"] == "phq9")
        assert (found["domain"], found["outcome"]) == expected


def test_the_schemes_own_earlier_record_does_not_count_twice(records, tmp_path):
    base = read_base()
    both, study_id = with_record(base, records["harbour"])
    again, same = with_record(both, records["harbour"])
    assert study_id == same == "harbour_2024-04_2025-09" and len(again["studies"]) == len(both["studies"]) == 88 and len(again["effects"]) == len(both["effects"])
    for other in ({"start": "2022-04-01", "end": "2023-03-31"}, {"start": "2026-04-01", "end": "2027-03-31"}):
        assert len(with_record(both, records["harbour"] | {"period": other})[0]["studies"]) == 89       # other people: another study
    assert len(base["studies"]) == 87


def test_ages_that_are_not_recorded_and_activities_to_which_nobody_was_sent_are_not_in_the_record(schemes):
    shown = released("harbour")
    none = shown["measure"].eq("share_prescribed") & shown["level"].eq("debt")
    shown.loc[none, "estimate"] = 0.0
    unknown = shown[shown["measure"].eq("share_of_people") & shown["group"].eq("age_band")].head(1).assign(level="missing", estimate=0.1)
    content = evidence_record(schemes["harbour"], pd.concat([shown, unknown]))
    assert none.sum() == 1 and "debt" not in content["activities"] and "housing" in content["activities"] and "missing" not in content["population"]["age_shares"]


# ---- the sentences

def test_outcomes_come_effects_first_then_those_that_can_be_set_against_others_then_the_first_of_the_scheme():
    uncontrolled = dict(comparison="within_group_change", design="before_after_uncontrolled", maryland_level=1)
    lonely = dict(outcome="loneliness_social", domain="social_isolation")
    quality, weak = dict(outcome="health_related_quality_of_life"), dict(outcome="activation", design="nrct_controlled", maryland_level=2)
    table = against(*several(5), *several(3, **quality), *several(1, **lonely), *several(6, **uncontrolled, outcome="physical_activity"), *several(4, **weak), own(**weak), own(), own(**quality), own(**lonely),
                    own(**uncontrolled, outcome="physical_activity"))
    kinds = [("controlled", "mental_wellbeing"), ("controlled", "health_related_quality_of_life"), ("controlled", "loneliness_social"), ("weak comparison", "activation"), ("uncontrolled", "physical_activity")]
    assert words.sets_in(table) == kinds
    assert words.sets_in(table, "health_related_quality_of_life") == [kinds[1], kinds[0], *kinds[2:]] and words.sets_in(table, "loneliness_social") == kinds


def against(*rows):
    return against_evidence(comparable_effects(effects(*rows)), "mine")


def record_of(**more):
    return dict(maryland_level=3, effects=[dict(outcome="mental_wellbeing")], synthetic=False) | more


def test_a_change_is_never_called_an_effect_and_tells_nothing_of_the_scheme():
    uncontrolled = dict(comparison="within_group_change", design="before_after_uncontrolled", maryland_level=1)
    table = against(*several(4, **uncontrolled), own(**uncontrolled))
    answer = answers.answer_evidence(table, record_of())
    assert answer.sure == 0 and answer.text.startswith("A change, not an effect") and "needs a comparison group" in answer.text and answer.next_steps
    assert "this scheme's change is" in answer.text and "scheme's effect" not in answer.text
    weak = answers.answer_evidence(against(own(design="nrct_controlled", maryland_level=2)), record_of())
    assert weak.text.startswith("A difference, not an effect") and weak.sure == 0 and "needs a stronger comparison" in weak.text and "needs a comparison group" not in weak.text


def test_an_effect_is_placed_among_others_and_what_it_adds_is_said():
    table = against(*several(4), own())
    answer = answers.answer_evidence(table, record_of())
    row = table.set_index("measure")
    for measure in ("own_estimate", "pooled_before", "pooled_with_scheme"):
        assert words.amount(row.loc[measure]) in answer.text
    assert answer.sure == 2 and "4 studies with a comparison" in answer.why
    assert answers.answer_evidence(against(*several(11), own()), record_of()).sure == 3
    apart = answers.answer_evidence(against(*[r | dict(estimate=6 * (i % 2) - 2) for i, r in enumerate(several(11))], own()), record_of())
    assert apart.sure == 1 and "so wide a range holds help and harm alike" in apart.text and "holds help and harm" not in answer.text
    alone = answers.answer_evidence(against(own()), record_of())
    assert alone.sure == 1 and "No other study in this evidence base has an effect on mental wellbeing" in alone.text and "no other study" in alone.text.casefold()


def test_an_average_that_turns_by_one_more_study_says_so():
    base = effects_with_studies(read_base())
    nothing = effects(own(effect_type="smd", estimate=0.0, std_error=5.0, n=10))
    table = against_evidence(comparable_effects(pd.concat([base, nothing], ignore_index=True)), "mine")
    for text in (answers.answer_evidence(table, record_of()).text, words.describe_added(table, "controlled", "mental_wellbeing")):
        assert "comes partly from there being one study more" in text          # it weighs nothing, and yet the limits narrow
    assert "one study more" not in answers.answer_evidence(against(*several(4, estimate=9.0), own()), record_of()).text


def test_an_effect_of_nothing_is_said_to_be_one_that_chance_could_make():
    text = answers.answer_evidence(against(*several(4), own(estimate=0.05)), record_of()).text
    assert re.search(r"this scheme's effect is 0\.0\d standard deviations better \(95% CI −0\.\d\d to \+0\.\d\d\), which could be chance", text)
    worse = answers.answer_evidence(against(*several(4), own(estimate=-4.0)), record_of()).text
    assert "standard deviations worse" in worse and "below the range" in worse and "which is for the worse" in worse and "for the worse" not in text


def test_nothing_to_show_and_nothing_measured_are_told_apart():
    none = answers.answer_evidence(against(*several(3)), record_of(effects=[]))
    assert none.sure == 0 and "needs scores" in none.text and none.next_steps
    hidden = answers.answer_evidence(against(*several(3), own(suppressed="yes", estimate=np.nan, std_error=np.nan)), record_of())
    assert hidden.sure == 0 and "too few people" in hidden.text


def test_averages_refused_say_why_and_designs_are_compared_only_where_both_have_one():
    uncontrolled = dict(comparison="within_group_change", design="before_after_uncontrolled", maryland_level=1)
    changes = [row | dict(study_id=f"u{i}", estimate=3.0 + i, **uncontrolled) for i, row in enumerate(several(3))]
    both = pooled_effects(comparable_effects(effects(*several(3), *changes)))
    assert "studies without a comparison average a change of" in words.describe_designs(both) and "could" not in words.describe_designs(both).split(".")[0]
    assert words.describe_designs(pooled_effects(comparable_effects(effects(*several(3))))) == words.describe_designs(pooled_effects(comparable_effects(effects(*changes)))) == ""
    two = pooled_effects(comparable_effects(effects(*several(2))))
    assert words.describe_pooled(two, "controlled", "mental_wellbeing").endswith("are not averaged: fewer than three studies can be averaged (2 of 2).")
    assert "A further study would be expected between" in words.describe_pooled(both, "controlled", "mental_wellbeing")
    found = robustness(comparable_effects(effects(*several(4))))
    assert "cannot be told: fewer than 10 studies" in words.describe_robustness(found, "controlled", "mental_wellbeing") and words.describe_robustness(found, "uncontrolled", "x") == ""


def test_the_best_guess_is_of_effects_only():
    assert "own +" in words.describe_shrunken(against(*several(4), own()))
    uncontrolled = dict(comparison="within_group_change", design="before_after_uncontrolled", maryland_level=1)
    assert words.describe_shrunken(against(*several(4, **uncontrolled), own(**uncontrolled))).startswith("No estimate is drawn")


def test_every_activity_has_what_is_known_or_is_named_as_unknown():
    components = read_base()["components"]
    pairs = words.component_words(list(facts("activities")["activity_type"]), components)
    silent = pairs[-1]
    assert silent[0] == "Nothing in the base" and "support for carers" in silent[1] and "bereavement support" in silent[1]
    told = {term for term, _ in pairs[:-1]}
    for activity, name in zip(facts("activities")["activity_type"], facts("activities")["plain_name"]):
        assert (name in told) != (name.lower() in silent[1]), activity
    assert set(components["activity_types"].str.split("; ").explode()) - {""} <= set(facts("activities")["activity_type"])
    assert not any(BANNED.search(text) for _, text in pairs)


def test_no_sentence_of_any_sample_scheme_holds_a_word_it_must_not(schemes, records):
    for name, content in records.items():
        tables, study_id = with_record(read_base(), content)
        studies = comparable_effects(effects_with_studies(tables), content["follow_up_months"])
        table, pooled = against_evidence(studies, study_id), pooled_effects(studies)
        said = [answers.answer_evidence(table, content).text, words.describe_shrunken(table), words.describe_designs(pooled), words.describe_record(content), words.alt_of_directions(effect_directions(studies))]
        for kind, level in words.sets_in(table):
            said += [words.describe_place(table, kind, level), words.describe_added(table, kind, level), words.alt_of_forest(forest_rows(studies, level))]
        assert not [text for text in said if BANNED.search(text)], name


# ---- figures and disclosure

def test_published_numbers_and_what_is_made_of_released_ones_are_not_hidden_again():
    table = against(*several(4, n=6), own())
    assert release(table, RULES["nhse_1_7_round5"])["suppressed"].sum() == 0 and release(table, RULES["nhse_1_7_round5"])["n"].eq(table["n"]).sum() == table["n"].notna().sum()


def test_figures_show_every_study_with_ratios_on_a_log_scale_and_alt_texts_have_every_number():
    studies = comparable_effects(effects(*several(4), own(), dict(study_id="bare", std_error=np.nan)))
    table = forest_rows(studies, "mental_wellbeing")
    ax = plot_forest(table)
    labels = [t.get_text().replace("\n", " ") for t in ax.get_yticklabels()]
    assert "this scheme (n=40)" in labels and "average with this scheme" in labels and any("no interval" in label for label in labels)
    assert all(words.sds(v) in words.alt_of_forest(table) for v in table["estimate"].dropna())
    assert len(plot_funnel(table).lines) == 5 + 2 and "this scheme" in words.alt_of_funnel(table)        # five studies with an error, two lines
    directions = effect_directions(studies)
    assert len([line for line in plot_harvest(directions).lines if line.get_marker() == "o"]) == len(directions)
    apart = forest_rows(comparable_effects(effects(*several(4), dict(study_id="apart", keep_apart="selected on the outcome"))), "mental_wellbeing")
    assert [line.get_markerfacecolor() for line in plot_forest(apart).lines if line.get_marker() == "o"].count("white") == 1       # hollow: not in the average
    ratios = [row | dict(estimate=0.8 + i / 20) for i, row in enumerate(several(3, effect_type="rate_ratio", std_error=0.1, direction_good="lower", outcome="gp_use", domain="statutory_services"))]
    assert plot_forest(forest_rows(comparable_effects(effects(*ratios)), "gp_use, ratio")).get_xscale() == "log"
    plt.close("all")
