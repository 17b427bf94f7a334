"""The evidence base: what is carried keeps the rules, each rule broken on purpose is caught, adding is all or nothing."""

import json
import math
import re
from pathlib import Path

import pandas as pd
import pytest
from conftest import write_book
from python_calamine import CalamineWorkbook
from test_cli import run

from sprx.errors import SchemeError
from sprx.evidence import TABLES, add_file, check_base, effects_with_studies, read_base, write_base
from sprx.evidence.record import DESIGN, EFFECT, POPULATION, RECORD
from sprx.evidence.rules import QUOTATION, columns_of, effect_types
from sprx.reference import FOLDER, facts
from sprx.results import FORMULA_STARTS

ROOT = Path(__file__).parents[1]
EFFECT_ROW = dict(study_id="grant2000", domain="mental_health", instrument="WEMWBS", comparison="between_group", effect_type="mean_difference", estimate="2.0",
                  conf_low="1.0", conf_high="3.0", conf_level="0.95", n="150", timepoint_months="4", direction_good="higher", source_url="https://example.org/a")
STUDY_ROW = dict(study_id="new2025", first_author="New", year="2025", title="A new study", design="rct", maryland_level="5", n_total="90", follow_up_months="6",
                 source_url="https://example.org/new", where_read="full text")


def csv(folder, *rows, name="mine.csv"):
    path = folder / name
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def add(path, base, **more):
    return add_file(path, base, "A. Analyst", "2025-03-31", **more)


def refused(path, base, **more):
    """The problems of a file that is not taken; nothing of it may be left behind."""
    before = {p.name: p.read_bytes() for p in base.glob("*")} if base.exists() else {}
    with pytest.raises(SchemeError) as error:
        add(path, base, **more)
    assert ({p.name: p.read_bytes() for p in base.glob("*")} if base.exists() else {}) == before
    return error.value.problems


def record(folder, effects=(), **more):
    effect = dict(domain="mental_health", instrument="swemwbs", comparison="between_group", effect_type="mean_difference", estimate=1.6, std_error=None, conf_low=0.4,
                  conf_high=2.8, conf_level=0.95, n_scheme=210, n_comparison=190, adjusted=True, direction_good="higher", suppressed=False)
    content = dict(scheme_id="harbour", name="Harbour links", area="Harbour", period={"start": "2024-04-01", "end": "2025-03-31"}, design="matched", maryland_level=3,
                   population=dict(n=260, n_comparison=240, share_female=0.61, age_shares={"18-64": 0.7, "65+": 0.3}), activities=["walking group", "debt advice"],
                   follow_up_months=6, sprx_version="0.0.9", synthetic=False, effects=[{**effect, **e} for e in effects or ({},)]) | more
    path = folder / "evidence_record.json"
    path.write_text(json.dumps({k: v for k, v in content.items() if v != "ABSENT"}))
    return path


# ---- what is carried

def test_what_sprx_carries_keeps_its_own_rules():
    tables = read_base()
    assert {name: len(t) for name, t in tables.items()} == dict(studies=87, effects=88, appraisal=27, economic=36, uptake=26, components=40)
    assert check_base(tables) == []


def test_every_number_has_a_source_and_every_study_says_how_deep_it_was_read():
    tables = read_base()
    assert all(t["source_url"].ne("").all() for t in tables.values())
    assert tables["studies"]["where_read"].value_counts().to_dict() == {"abstract": 82, "review table": 4, "not read": 1}


def test_no_sentences_of_others_are_carried():
    for name, table in read_base().items():
        assert "quote" not in table
        for column in table.columns.difference(["title", "source_url"]):
            assert [text for text in table[column] if QUOTATION.search(text)] == [], (name, column)
    assert QUOTATION.search("it says 'there is no such thing here' and stops") and QUOTATION.search('"four words and more"')
    assert not QUOTATION.search("the authors' view of the abstract's list of patients' scores") and not QUOTATION.search("the 'Art Lift' scheme")


def test_every_derived_standard_error_is_the_stated_rule_worked_out_here_again():
    effects = effects_with_studies(read_base())
    whole = effects[effects["conf_low"].notna() & effects["conf_high"].notna()]
    assert len(whole) == 63 and whole["derived"].str.contains("std_error").all() and effects["std_error"].notna().sum() == 63
    anxiety = whole.query("study_id == 'grant2000' and instrument == 'HADS-A'").iloc[0]
    assert anxiety["std_error"] == pytest.approx(2.3 / (2 * 1.959964), rel=1e-5)                    # -3.0 to -0.7
    pressure = whole.query("study_id == 'blakeman2014' and effect_type == 'odds_ratio'").iloc[0]
    assert pressure["std_error"] == pytest.approx(0.777529 / 3.919928, rel=1e-4)                   # log(2.72 / 1.25)


def test_derived_estimates_are_marked_and_say_how():
    effects = read_base()["effects"]
    derived = effects[effects["derived"].str.contains("estimate")]
    assert len(derived) == 10 and derived["note"].ne("").all()
    assert (derived["note"].str.contains(r"dz = t/sqrt\(n\)").sum(), derived["note"].str.contains("difference of the two printed means").sum()) == (4, 4)


def test_what_was_repaired_in_the_carried_data_says_so_in_its_note():
    tables = {name: t.set_index("study_id") for name, t in read_base().items()}
    assert tables["effects"].loc["paveyhta2011", "effect_type"] == "risk_ratio" and "carried as a rate ratio" in tables["effects"].loc["paveyhta2011", "note"]
    assert tables["studies"].loc["carnes2017", "follow_up_months"] == "12" and "GP records over a year" in tables["studies"].loc["carnes2017", "note"]
    assert tables["studies"].loc["crd2015", "where_read"] == "not read" and "text not read" in tables["studies"].loc["crd2015", "note"]
    assert tables["studies"].loc["bu2025", "design"] == "descriptive" and "for want of a code" in tables["studies"].loc["bu2025", "note"]
    assert tables["effects"].query("conf_level != ''")["note"].str.contains("95% assumed").sum() == 18
    half = tables["effects"].query("conf_low == '' and conf_high != ''")
    assert list(half.index) == ["coventry2021"] * 2 and half["note"].str.contains("bound").all() and half["std_error"].eq("").all()


def test_averages_of_reviews_are_marked_so_that_nobody_pools_them_again():
    effects = effects_with_studies(read_base())
    assert set(effects.query("pooled == 'yes'")["design"]) == {"review"}
    assert set(effects.query("pooled == 'no' and design == 'review'")["study_id"]) == {"nasp2024"}      # local evaluations, listed one by one


def test_no_carried_text_starts_like_a_formula():
    for name, table in read_base().items():
        words = [c for c, kind in columns_of(name)["kind"].items() if kind not in ("number", "integer")]
        assert not table[words].apply(lambda c: c.str.startswith(FORMULA_STARTS)).any().any()


def test_the_effects_come_with_their_studies_and_a_doi_to_cite():
    effects = effects_with_studies(read_base())
    row = effects.query("study_id == 'mercer2019' and instrument == 'EQ-5D-5L'").iloc[0]
    assert (row["design"], row["maryland_level"], row["cite"]) == ("nrct_controlled", 3, "https://doi.org/10.1370/afm.2429") and len(effects) == 88
    assert effects.query("study_id == 'haywood2024'")["cite"].str.startswith("https://socialprescribingacademy").all()      # it has no DOI


# ---- each rule, broken on purpose

@pytest.mark.parametrize("change, column, words", [
    (dict(estimate="4.0"), "estimate", "outside its interval (1.0 to 3.0)"),
    (dict(conf_low="3.0", conf_high="1.0"), "conf_low", "not below conf_high"),
    (dict(conf_low="", std_error="0.5"), "conf_low", "half an interval"),
    (dict(conf_level=""), "conf_level", "an interval without its level"),
    (dict(conf_level="95"), "conf_level", "Write 0.95"),
    (dict(std_error="-0.5"), "std_error", "a standard error is never negative"),
    (dict(std_error="5.1"), "std_error", "which implies 0.5102"),
    (dict(std_error="0.6", derived="std_error"), "std_error", "which implies 0.5102"),
    (dict(effect_type="mean_diference"), "effect_type", "Did you mean 'mean_difference'?"),
    (dict(effect_type="percent_change", estimate="-0.28", conf_low="-0.4", conf_high="-0.1"), "estimate", "looks like a fraction"),
    (dict(effect_type="percent_change", estimate="-128", conf_low="-140", conf_high="-110"), "estimate", "a fall of more than all"),
    (dict(effect_type="odds_ratio", estimate="-1.56", conf_low="-2.75", conf_high="-0.38"), "effect_type", "a ratio is above 0"),
    (dict(effect_type="risk_difference", estimate="20", conf_low="10", conf_high="30"), "estimate", "Write 0.2"),
    (dict(study_id="grant2001"), "study_id", "Did you mean 'grant2000'?"),
    (dict(source_url=""), "source_url", "A number without a source is not evidence"),
    (dict(source_url="https:///example.org"), "source_url", "not an address"),
    (dict(estimate=""), "estimate", "an effect without an estimate"),
    (dict(estimate="2,0"), "estimate", "not a number"),
    (dict(estimate="nan"), "estimate", "not a number"),
    (dict(n="150.5"), "n", "not a whole number"),
    (dict(n="162"), "n", "more people than the study has (161)"),
    (dict(n_scheme="80", n_comparison="80"), "n", "not the sum of the two groups"),
    (dict(timepoint_months="5"), "timepoint_months", "later than the study's longest follow-up"),
    (dict(study_id="foster2021", timepoint_months="3"), "comparison", "a difference between groups in a study of one group"),
    (dict(suppressed="yes"), "estimate", "a number in a row that is hidden"),
    (dict(derived="estimate"), "note", "does not say how it was derived"),
    (dict(derived="conf_low"), "derived", "names something else"),
    (dict(domain="mental health"), "domain", "Did you mean 'mental_health'?"),
    (dict(note="They write that 'people felt so much better afterwards'."), "note", "holds a quotation"),
    (dict(instrument="HADS-A", estimate="-1.90", conf_low="-3", conf_high="-0.7", adjusted="yes"), "study_id", "the same row twice (first in sprx/reference/evidence/effects.csv, row 2)"),
])
def test_an_effect_that_breaks_a_rule_is_refused_with_file_row_and_column(change, column, words, tmp_path):
    good = add(csv(tmp_path, EFFECT_ROW), tmp_path / "good")
    assert good == {"effects": 1}                                   # the row is in order before it is broken
    path = csv(tmp_path, {**EFFECT_ROW, "instrument": "other"}, {**EFFECT_ROW, **change})
    problems = refused(path, tmp_path / "base")
    assert any(p.startswith(f"{path}, row 3, {column}: ") and words in p for p in problems), problems
    assert not any(", row 2," in p for p in problems)


@pytest.mark.parametrize("change, column, words", [
    (dict(study_id="mercer2019"), "study_id", "the same study twice (first in sprx/reference/evidence/studies.csv, row 3)"),
    (dict(doi="10.1370/AFM.2429"), "doi", "the same study twice"),
    (dict(doi="https://doi.org/10.1370/afm.2429"), "doi", "the same study twice"),
    (dict(title="what is the value of social prescribing? / proving our value (wellspring)."), "title", "the same study twice"),
    (dict(doi="afm.2429"), "doi", "not a DOI"), (dict(design="trial"), "design", "not one of the values"), (dict(maryland_level=""), "maryland_level", "It is 3 to 5."),
    (dict(design="before_after_uncontrolled", maryland_level="3"), "maryland_level", "does not go with the design"), (dict(year="25"), "year", "out of range"),
    (dict(where_read="full-text"), "where_read", "Did you mean 'full text'?"), (dict(n_total="90", n_intervention="60", n_control="60"), "n_total", "less than the two groups"),
    (dict(study_id="new 2025"), "study_id", "Use letters"), (dict(source_url=""), "source_url", "A number without a source"), (dict(title=""), "title", "needed and empty"),
])
def test_a_study_that_breaks_a_rule_is_refused(change, column, words, tmp_path):
    assert add(csv(tmp_path, STUDY_ROW), tmp_path / "good") == {"studies": 1}
    path = csv(tmp_path, {**STUDY_ROW, **change})
    problems = refused(path, tmp_path / "base")
    assert any(p.startswith(f"{path}, row 2, {column}: ") and words in p for p in problems), problems


@pytest.mark.parametrize("row, column, words", [
    (dict(step="a -> b", n_from="100", n_to="120"), "n_to", "more people after the step"),
    (dict(step="a -> b", n_from="100", n_to="80", percent="0.8"), "percent", "Write 28 for 28%"),
    (dict(step="a -> b", n_from="100", n_to="80", percent="70"), "percent", "does not go with 80 of 100 (80.0)"),
    (dict(step="a -> b", n_from="100"), "percent", "neither n_to nor percent"),
    (dict(step="a -> b", percent="120"), "percent", "from 0 to 100"),
    (dict(study="s", figure_type="t", figure="5", figure_high="4", unit="per person"), "figure_high", "below the lower end"),
    (dict(study="s", figure_type="t", figure="0.39", unit="percent"), "figure", "looks like a fraction"),
    (dict(study="s", figure_type="t", figure="9", conf_low="1", conf_high="3", conf_level="0.95", unit="per person"), "figure", "outside its interval"),
    (dict(tool="risk of bias", judgement="awful", judged_by="us", verification="verified"), "judgement", "not one of the values"),
])
def test_rows_of_the_other_tables_are_told_by_their_header_and_checked(row, column, words, tmp_path):
    path = csv(tmp_path, {"study_id": "grant2000", **row, "source_url": "https://example.org"})
    problems = refused(path, tmp_path / "base")
    assert any(f", row 2, {column}: " in p and words in p for p in problems), problems


def test_a_change_below_one_percent_can_be_told_from_a_fraction(tmp_path):
    row = {**EFFECT_ROW, "effect_type": "percent_change", "estimate": "0.5", "conf_low": "0.2", "conf_high": "0.8"}
    refused(csv(tmp_path, row), tmp_path / "base")
    assert add(csv(tmp_path, {**row, "note": "Below one percent, as printed"}), tmp_path / "base") == {"effects": 1}


def test_every_problem_of_a_file_is_said_at_once_and_nothing_of_it_is_added(tmp_path):
    rows = [{**EFFECT_ROW, "estimate": "9"}, EFFECT_ROW, {**EFFECT_ROW, "std_error": "-1", "effect_type": "x"}]
    assert len(refused(csv(tmp_path, *rows), tmp_path / "base")) >= 3 and not (tmp_path / "base").exists()


# ---- adding rows by hand

def test_added_rows_lie_in_the_users_folder_with_who_when_and_version_and_the_derived_error_marked(tmp_path):
    shipped = {p: p.read_bytes() for p in (FOLDER / "evidence").glob("*")}
    base = tmp_path / "deep" / "base"
    add(csv(tmp_path, EFFECT_ROW), base)
    kept = pd.read_csv(base / "effects.csv", dtype=str, keep_default_na=False).iloc[0]
    assert (kept["added_by"], kept["added_on"], kept["sprx_version"]) == ("A. Analyst", "2025-03-31", "0.1.0")
    assert (kept["std_error"], kept["derived"], kept["pooled"], kept["suppressed"]) == ("0.510213", "std_error", "no", "no")
    assert {p.name for p in base.iterdir()} == {"effects.csv"} and {p: p.read_bytes() for p in (FOLDER / "evidence").glob("*")} == shipped


def test_what_was_added_is_read_with_what_is_carried_and_more_can_be_added_below_it(tmp_path):
    base = tmp_path / "base"
    add(csv(tmp_path, STUDY_ROW), base)
    add(csv(tmp_path, {**EFFECT_ROW, "study_id": "new2025", "n": "90"}), base)
    add(csv(tmp_path, {**EFFECT_ROW, "study_id": "new2025", "n": "90", "timepoint_months": "6"}), base)
    tables = read_base(base)
    assert check_base(tables) == [] and len(tables["effects"]) == 90 and effects_with_studies(tables).iloc[-1]["title"] == "A new study"
    assert any("first in" in p and "added on 2025-03-31 by A. Analyst" in p for p in refused(csv(tmp_path, STUDY_ROW), base))


def test_the_same_rows_added_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        add(csv(tmp_path, EFFECT_ROW), tmp_path / name)
    assert (tmp_path / "a" / "effects.csv").read_bytes() == (tmp_path / "b" / "effects.csv").read_bytes()


def test_excel_printed_minus_signs_and_addresses_of_dois_are_understood(tmp_path):
    row = {**EFFECT_ROW, "estimate": "−2.0", "conf_low": "−3.0", "conf_high": "−1.0"}
    assert add(write_book(tmp_path / "mine.xlsx", {"Sheet1": [list(row), list(row.values())]}), tmp_path / "base") == {"effects": 1}
    assert pd.read_csv(tmp_path / "base" / "effects.csv")["estimate"].iloc[0] == -2
    add(csv(tmp_path, {**STUDY_ROW, "doi": "https://doi.org/10.1000/new"}), tmp_path / "base")
    assert pd.read_csv(tmp_path / "base" / "studies.csv")["doi"].iloc[0] == "10.1000/new"


def test_text_that_a_spreadsheet_would_run_is_stored_as_text(tmp_path):
    add(csv(tmp_path, {**STUDY_ROW, "title": '=HYPERLINK("http://x")', "setting": "@here"}), tmp_path / "base")
    kept = pd.read_csv(tmp_path / "base" / "studies.csv", dtype=str).iloc[0]
    assert kept["title"].startswith("'=") and kept["setting"] == "'@here"


def test_a_file_that_fits_no_table_or_has_a_strange_column_says_so(tmp_path):
    assert "fits none of the tables" in refused(csv(tmp_path, {"colour": "red", "n": "1", "size": "2"}), tmp_path / "base")[0]
    assert "no column 'estmate'. Did you mean 'estimate'?" in refused(csv(tmp_path, {**EFFECT_ROW, "estmate": "1"}), tmp_path / "base")[0]
    problems = refused(csv(tmp_path, {k: v for k, v in EFFECT_ROW.items() if k != "domain"}), tmp_path / "base")
    assert any("the column 'domain' is missing and needed" in p for p in problems)
    assert "keep the one with the rows to add" in refused(write_book(tmp_path / "two.xlsx", {"a": [["x"]], "b": [["y"]]}), tmp_path / "base")[0]
    (tmp_path / "notes.docx").write_text("x")
    assert "are not read" in refused(tmp_path / "notes.docx", tmp_path / "base")[0]
    assert "No such file" in refused(tmp_path / "gone.csv", tmp_path / "base")[0]


def test_a_strange_file_in_the_users_folder_is_named(tmp_path):
    (tmp_path / "effect.csv").write_text("a\n1\n")
    with pytest.raises(SchemeError, match="none of the tables of the evidence base. Did you mean 'effects'?"):
        read_base(tmp_path)


def test_what_somebody_spoiled_by_hand_afterwards_is_found_by_check(tmp_path):
    add(csv(tmp_path, EFFECT_ROW), tmp_path / "base")
    path = tmp_path / "base" / "effects.csv"
    path.write_text(path.read_text().replace("0.510213", "0.910213"))
    problems = check_base(read_base(tmp_path / "base"))
    assert len(problems) == 1 and str(problems[0]).startswith(f"{path}, row 2, std_error: does not go with the interval, which implies 0.5102")


# ---- a scheme's record

def test_a_record_becomes_a_study_and_its_effects(tmp_path):
    added = add(record(tmp_path, effects=({}, dict(instrument="gp", domain="statutory_services", effect_type="rate_ratio", estimate=0.9, conf_low=0.8, conf_high=1.01,
                                                   direction_good="lower", adjusted=None))), tmp_path / "base")
    assert added == {"studies": 1, "effects": 2}
    tables = read_base(tmp_path / "base")
    study, effects = tables["studies"].iloc[-1], effects_with_studies(tables).tail(2)
    assert study["study_id"] == "harbour_2024-04_2025-03" and study["design"] == "nrct_controlled" and study["maryland_level"] == "3" and study["note"] == "design: matched"
    assert study["population"] == "female 61%, 18-64 70%, 65+ 30%" and study["activities"] == "walking group; debt advice" and study["where_read"] == "own analysis"
    assert study["sprx_version"] == "0.0.9" and "made by sprx 0.0.9" in study["source_url"] and study["added_by"] == "A. Analyst"
    assert effects["n"].tolist() == [400, 400] and effects["adjusted"].tolist() == ["yes", ""] and effects["timepoint_months"].tolist() == [6, 6]
    assert effects["std_error"].tolist() == pytest.approx([2.4 / 3.919928, math.log(1.01 / 0.8) / 3.919928], rel=1e-5) and check_base(tables) == []


@pytest.mark.parametrize("change, words", [
    (dict(scheme_id="ABSENT"), "scheme_id: missing and needed"), (dict(sprx_version=1), "sprx_version: not a text"), (dict(desing="matched"), "Did you mean 'design'?"),
    (dict(design="random"), "design: not a design"), (dict(maryland_level=4), "a matched design has at most level 3"), (dict(activities="walks"), "activities: not a list"),
    (dict(period={"start": "2024-04-01"}), "period, end: missing and needed"),
    (dict(population=dict(n=10, share_female=61)), "Write 0.6 for 60%"), (dict(population=dict(n=10, age_shares={"a": 0.9, "b": 0.9})), "together more than 1"),
    (dict(maryland_level=True), "maryland_level: not a number"), (dict(maryland_level=float("nan")), "maryland_level: not a number"),
])
def test_a_record_that_does_not_keep_its_contract_is_refused(change, words, tmp_path):
    path = record(tmp_path, **change)
    problems = refused(path, tmp_path / "base")
    assert any(p.startswith(str(path)) and words in p for p in problems), problems


@pytest.mark.parametrize("change, where, words", [
    (dict(estimate=3.0), "effect 2, estimate", "outside its interval"), (dict(effect_type="md"), "effect 2, effect_type", "not one of the values"),
    (dict(suppressed=True), "effect 2, estimate", "a number in a row that is hidden"), (dict(estimate=None), "effect 2, estimate", "an effect without an estimate"),
    (dict(n_scheme=400), "effect 2, n", "more people than the study has (500)"), (dict(conf_level=95), "effect 2, conf_level", "Write 0.95"),
    (dict(note="Joan said 'it has changed my whole life'."), "effect 2, note", "holds a quotation"), ({}, "effect 2, study_id", "the same row twice"),
])
def test_the_effects_of_a_record_keep_the_same_rules(change, where, words, tmp_path):
    path = record(tmp_path, effects=({}, change))
    problems = refused(path, tmp_path / "base")
    assert any(p.startswith(f"{path}, {where}: ") and words in p for p in problems), problems


def test_a_record_without_a_comparison_cannot_bring_an_effect_between_groups(tmp_path):
    problems = refused(record(tmp_path, design="before_after", maryland_level=1), tmp_path / "base")
    assert any("a difference between groups in a study of one group" in p for p in problems)
    change = dict(comparison="within_group_change", n_comparison=None)
    assert add(record(tmp_path, effects=(change,), design="before_after", maryland_level=1), tmp_path / "base") == {"studies": 1, "effects": 1}


def test_a_hidden_effect_is_kept_as_hidden_and_a_record_without_effects_as_a_study(tmp_path):
    nothing = dict.fromkeys(("estimate", "conf_low", "conf_high", "conf_level", "n_scheme", "n_comparison"))
    assert add(record(tmp_path, effects=({**nothing, "suppressed": True},)), tmp_path / "a") == {"studies": 1, "effects": 1}
    assert read_base(tmp_path / "a")["effects"].iloc[-1][["suppressed", "estimate", "std_error", "n"]].tolist() == ["yes", "", "", ""]
    path = record(tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"effects": []}))
    assert add(path, tmp_path / "b") == {"studies": 1}


def test_a_record_is_taken_once_and_never_for_periods_that_overlap(tmp_path):
    base = tmp_path / "base"
    add(record(tmp_path), base)
    assert any("the same study twice" in p and "by A. Analyst" in p for p in refused(record(tmp_path), base))
    assert any("The same people would count twice" in p for p in refused(record(tmp_path, period={"start": "2024-10-01", "end": "2025-09-30"}), base))
    assert add(record(tmp_path, period={"start": "2025-04-01", "end": "2026-03-31"}), base)["studies"] == 1
    assert add(record(tmp_path, scheme_id="castle", name="Castle"), base)["studies"] == 1


def test_a_period_that_is_no_period_is_refused(tmp_path):
    assert any("period_start: not a date" in p for p in refused(record(tmp_path, period={"start": "April 2024", "end": "2025-03-31"}), tmp_path / "base"))
    assert any("period_end: not after the start" in p for p in refused(record(tmp_path, period={"start": "2025-04-01", "end": "2025-03-31"}), tmp_path / "base"))


def test_synthetic_data_are_no_evidence_unless_one_tries_things_out(tmp_path):
    assert "It does not belong among evidence" in refused(record(tmp_path, synthetic=True), tmp_path / "base")[0]
    add(record(tmp_path, synthetic=True), tmp_path / "base", allow_synthetic=True)
    assert read_base(tmp_path / "base")["studies"].iloc[-1]["title"].startswith("SYNTHETIC DATA: ")


@pytest.mark.parametrize("content, words", [(b"{", "not JSON"), (b"\xff\xfe{}", "not UTF-8"), (b"[]", "not an object"), (b"", "not JSON"), (b'{"effects": "x"}', "effects: not a list")])
def test_a_record_that_is_not_json_says_so(content, words, tmp_path):
    path = tmp_path / "evidence_record.json"
    path.write_bytes(content)
    assert words in "\n".join(refused(path, tmp_path / "base"))


def test_an_effect_that_is_no_object_is_named(tmp_path):
    path = record(tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"effects": ["x"]}))
    assert "effect 1: not an object" in refused(path, tmp_path / "base")[0]


def test_the_contract_knows_every_design_of_a_scheme():
    assert set(DESIGN) == {*facts("designs")["design"], "none"}
    assert set(EFFECT) <= set(columns_of("effects").index)


def test_a_record_without_a_design_has_no_level_and_no_result(tmp_path):
    path = record(tmp_path, design="none", maryland_level=None)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"effects": []}))
    assert add(path, tmp_path / "base") == {"studies": 1}
    assert "no level" in str(refused(record(tmp_path, design="none", maryland_level=2), tmp_path / "other"))
    assert "at most level 3" in str(refused(record(tmp_path, maryland_level=None), tmp_path / "other"))


def test_ages_from_rounded_counts_need_not_add_up_but_nearly(tmp_path):
    people = dict(n=45, age_shares={"18-44": 0.4, "45-64": 0.4, "65+": 0.3})
    small = dict(n_scheme=20, n_comparison=None, comparison="within_group_change", adjusted=None)
    assert add(record(tmp_path, [small], design="before_after", maryland_level=1, population=people), tmp_path / "base")["studies"] == 1
    assert "together more than 1" in str(refused(record(tmp_path, population=people | {"n": 4500}), tmp_path / "other"))


def test_a_record_in_which_small_numbers_are_not_hidden_is_refused(tmp_path):
    assert "not for sharing" in str(refused(record(tmp_path, disclosure="none"), tmp_path / "base"))
    assert add(record(tmp_path, disclosure="suppress_lt5"), tmp_path / "base")["studies"] == 1


def test_more_people_than_the_study_has_are_found_but_for_rounding_and_where_a_group_is_not_told(tmp_path):
    for n, n_comparison, taken in ((200, 190, True), (190, 180, False), (200, None, True), (None, 190, True)):
        path, base = record(tmp_path, population=dict(n=n, n_comparison=n_comparison)), tmp_path / f"base_{n}_{n_comparison}"
        assert add(path, base) if taken else "more people than the study has" in str(refused(path, base))


def test_a_direction_that_is_not_the_instruments_is_found(tmp_path):
    for instrument, right, wrong in (("PHQ-9", "lower", "higher"), ("SWEMWBS", "higher", "lower"), ("HADS-A", "lower", "higher"), ("UCLA 3-item", "lower", "higher"),
                                     ("EQ-5D-5L index (UK value set, Rowen 2026)", "higher", "lower"), ("swemwbs", "higher", "lower")):
        row = EFFECT_ROW | dict(instrument=instrument, direction_good=wrong)
        problems = refused(csv(tmp_path, row), tmp_path / "base")
        assert len(problems) == 1 and f"on which {right} is better" in problems[0]
        assert add(csv(tmp_path, row | dict(direction_good=right)), tmp_path / f"base_{instrument[:4]}_{right}") == {"effects": 1}
    assert add(csv(tmp_path, EFFECT_ROW | dict(instrument="hours outdoors", direction_good="lower")), tmp_path / "base") == {"effects": 1}


# ---- the table

def test_the_excel_file_has_every_table_numbers_as_numbers_and_the_same_bytes_each_time(tmp_path):
    add(csv(tmp_path, EFFECT_ROW), tmp_path / "base")
    for name in ("a.xlsx", "b.xlsx"):
        write_base(read_base(tmp_path / "base"), tmp_path / name)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    book = CalamineWorkbook.from_path(str(tmp_path / "a.xlsx"))
    assert book.sheet_names == list(TABLES)
    header, *rows = book.get_sheet_by_name("effects").to_python()
    assert len(rows) == 89 and rows[0][header.index("estimate")] == -1.9 and rows[-1][header.index("added_by")] == "A. Analyst"
    assert not set(header) & {"file", "where", "quote"}


def test_a_csv_holds_one_table(tmp_path):
    write_base(read_base(), tmp_path / "a.csv", "uptake")
    assert len(pd.read_csv(tmp_path / "a.csv")) == 26
    write_base(read_base(), tmp_path / "b.csv")
    effects = pd.read_csv(tmp_path / "b.csv")
    assert effects["estimate"].iloc[0] == -1.9 and "cite" in effects and len(effects) == 88


# ---- the commands

def test_the_commands_add_check_and_write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, words = run("evidence", "add", record(tmp_path), "--by", "A. Analyst")
    assert status == 0 and "Added to evidence: 1 of studies, 1 of effects." in words and (tmp_path / "evidence" / "studies.csv").exists()
    status, words = run("evidence", "check")
    assert status == 0 and "No problems found." in words and re.search(r"effects +88 carried by sprx +1 added", words)
    status, words = run("evidence", "table", "out.xlsx")
    assert status == 0 and (tmp_path / "out.xlsx").exists()


def test_the_commands_end_in_words_and_a_status_when_something_is_wrong(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, words = run("evidence", "add", csv(tmp_path, {**EFFECT_ROW, "estimate": "9"}))
    assert status == 1 and "mine.csv, row 2, estimate: outside its interval" in words
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "effects.csv").write_text(csv(tmp_path, {**EFFECT_ROW, "estimate": "9", "pooled": "no", "suppressed": "no"}).read_text())
    status, words = run("evidence", "check")
    assert status == 1 and "outside its interval" in words
    assert run("evidence", "check", "--base", "nowhere")[0] == 1 and run("evidence", "table", "out.doc")[0] == 2
    assert run("evidence", "table", "out.csv", "--table", "effect")[0] == 2 and run("evidence", "table", "no/such/place.csv")[0] == 1


def test_a_folder_that_cannot_be_written_and_a_computer_that_knows_no_user_end_in_words(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    status, words = run("evidence", "add", csv(tmp_path, EFFECT_ROW), "--base", tmp_path / "file" / "base")
    assert status == 1 and "Nothing was added; give another folder with --base." in words
    monkeypatch.setattr("getpass.getuser", lambda: {}["user"])
    status, words = run("evidence", "add", csv(tmp_path, EFFECT_ROW), "--base", tmp_path / "base")
    assert status == 2 and "--by" in words and not (tmp_path / "base").exists()


# ---- the documents

def test_the_page_and_the_readme_describe_every_column_value_and_key():
    page, readme = (ROOT / "docs" / "evidence.md").read_text(), (ROOT / "README.md").read_text()
    for name in TABLES:
        assert f"### {name}" in page
        for column, spec in columns_of(name).iterrows():
            assert f"`{column}`" in page and spec.meaning in page, (name, column)
    assert all(f"`{key}`" in page for keys in (RECORD, POPULATION, EFFECT) for key in keys)
    assert all(f"`{kind}`" in page for kind in effect_types().index) and all(f"`{design}`" in page for design in DESIGN)
    assert all(f"`sprx evidence {command} " in readme for command in ("add", "check", "table"))
    assert "docs/evidence.md" in readme and {f"evidence/{p.name}" for p in (FOLDER / "evidence").glob("*.csv")} <= set(re.findall(r"evidence/\w+\.csv", (FOLDER / "README.md").read_text()))
    example = json.loads(re.search(r"```json\n(.*?)```", page, re.S).group(1))
    assert set(example) == set(RECORD) and set(example["effects"][0]) <= set(EFFECT)


def test_the_example_of_the_page_is_a_record_that_is_taken(tmp_path):
    path = tmp_path / "evidence_record.json"
    path.write_text(re.search(r"```json\n(.*?)```", (ROOT / "docs" / "evidence.md").read_text(), re.S).group(1))
    assert add(path, tmp_path / "base", allow_synthetic=True)["studies"] == 1
