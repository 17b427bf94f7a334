"""The plan: its numbers, its sentences for every design, its folder, its refusals."""

import ast
import io
import json
import math
import re

import docx
import numpy as np
import pandas as pd
import pytest
import yaml
import typer
from test_evidence_review import ROOT
from test_notebooks import cells
from typer.testing import CliRunner

from sprx.answers import QUESTIONS
from sprx.cli_plan import plan as command
from sprx.disclosure import release
from sprx.errors import DataError, SchemeError
from sprx.evidence.subject import read_review
from sprx.load import load_scheme
from sprx.metrics import planning as counted
from sprx.metrics.evidence.comparable import comparable_effects
from sprx.metrics.evidence.pooling import pooled_effects
from sprx.metrics.evidence.review import results_of_evaluations
from sprx.metrics.planning.worth import prior_effect, sample_information, value_of_designs
from sprx.planning import expected_effect, plan_evaluation
from sprx.planning_report import PLANNED
from sprx.reference import facts, measures
from sprx.run import declared_parameters
from sprx.run_plan import WRITTEN, run_plan, word_bytes
from sprx.settings import read_settings
from sprx.stats.power import DESIGNS, people_needed
from sprx.wording import planning as words
from sprx.wording.protocol import protocol, record_words

NOTEBOOK = ROOT / "notebooks" / "plan_evaluation.ipynb"
MONEY = dict(value_per_sd=2000.0, cost_per_person=350.0, people_a_year=500.0, years=5.0, rate=0.035)
BANNED = re.compile(r"\b(nan|None|inf)\b|significan|proves|\b[Ee]ffective|impressive")


def run(*arguments):
    """The command alone: exit status and output."""
    app = typer.Typer(rich_markup_mode=None)
    app.command()(command)
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


@pytest.fixture(scope="module")
def pooled():
    return pooled_effects(results_of_evaluations(comparable_effects(read_review().effects)), 0.95)


@pytest.fixture
def make(pooled):
    return lambda **changed: plan_evaluation(declared_parameters(NOTEBOOK) | changed, pooled)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return run_plan(tmp_path_factory.mktemp("plans") / "harbour", {"name": "Harbour <links> & co", "design": "randomised", "people": 300})


def said(plan, pooled):
    """Every sentence, term and alternative text of a plan."""
    needed, scale, follow, worth, false = (release(t, PLANNED) for t in (counted.people_by_design(plan), counted.smallest_against(plan), counted.people_by_follow_up(plan), value_of_designs(plan, pooled, MONEY),
                                                                         counted.false_successes(plan, trials=50)))
    played = release(counted.played_through(plan, trials=50), PLANNED)
    answer = words.answer_plan(needed, plan)
    text = [answer.text, answer.why, words.describe_people_needed(needed, plan), words.describe_smallest(scale, plan), words.describe_follow_up(follow, plan), words.describe_worth(worth, plan),
            words.describe_false_success(false, plan), words.describe_played(played, plan), words.alt_of_needed(needed[needed["measure"].eq("people_in_all")]), words.alt_of_power(counted.power_by_people(plan)),
            words.alt_of_scale(scale), words.alt_of_follow_up(follow[follow["measure"].eq("people_needed_if")])]
    text += [words.alt_of_worth(worth), words.alt_of_false_success(false)] if len(worth) and len(false) else []
    page = protocol(plan, needed, scale)
    text += [page["title"], *(t for section in page["sections"] for t in section), *(t for row in page["record"] for t in row)]
    return text + [t for rows in (words.choice_words(plan), words.question_words(plan, QUESTIONS), words.design_words(plan), words.worth_words(MONEY), record_words(plan)) for row in rows for t in row]


PLANS = [*(dict(design=d) for d in DESIGNS), dict(outcome="gp", design="randomised"), dict(outcome="ae", design="concurrent", effect=1.2), dict(outcome="phq9", design="randomised", people=5),
         dict(outcome="lsns6", design="matched"), dict(outcome="eq5d3l", design="cluster_randomised", people=40), dict(starts_below=0.0, lost_apart=0.0), dict(design="before_after", effect=0.1), dict(people=100_000),
         dict(people=1, design="cluster_randomised"), dict(follow_up=1.0, lost_apart=-0.3), dict(follow_up=0.05, people=60), dict(design="randomised", ratio=0.5, wanted=0.9, conf_level=0.99)]


@pytest.mark.parametrize("changed", PLANS, ids=lambda c: "_".join(map(str, c.values())))
def test_every_sentence_of_every_plan_can_be_read(make, pooled, changed):
    plan = make(**changed)
    if plan.people * plan.follow_up < 3:
        with pytest.raises(DataError, match="at least 3 people"):
            said(plan, pooled)
        return
    for text in said(plan, pooled):
        assert not BANNED.search(text), text
        assert "  " not in text and ".." not in text


# ---- numbers

def test_the_expected_effect_is_that_of_the_evidence_base_and_not_typed(pooled, make):
    row = pooled[(pooled.measure == "pooled_estimate") & (pooled.group == "controlled") & (pooled.level == "mental_wellbeing")].iloc[0]
    assert make().effect == round(row.estimate, 3) and "5 published studies" in make().effect_source
    assert expected_effect("ucla3", pooled)[0] == 0.2 and "custom" in expected_effect("ucla3", pooled)[1]
    assert make(effect=0.4).effect == 0.4
    assert "effect = 0.0" in "".join(s for _, s, _ in cells(NOTEBOOK))


def test_the_table_holds_what_the_studies_say(make):
    plan = make(design="randomised")
    table = counted.people_by_design(plan).set_index(["measure", "level"])["estimate"]
    assert table["people_needed", "randomised"] == people_needed(plan.studies["randomised"])
    assert table["people_in_all", "randomised"] == 2 * table["people_needed", "randomised"]
    assert table["people_in_all", "before_after"] == table["people_needed", "before_after"]
    assert table["places_needed", "cluster_randomised"] == table["people_in_all", "cluster_randomised"] / 20
    needed = int(table["people_needed", "randomised"])
    assert counted.people_by_design(make(design="randomised", people=needed)).set_index(["measure", "level"])["estimate"]["power_of_plan", "randomised"] >= 0.8


def test_fewer_measured_again_need_more_people_and_bias_does_not_fall_with_people(make):
    few, many = (counted.people_by_follow_up(make(people=n)) for n in (100, 10_000))
    needed = few[few.measure == "people_needed_if"].estimate
    assert needed.is_monotonic_decreasing and needed.nunique() > 5
    bias = [t[t.measure == "bias_if"].estimate.to_numpy() for t in (few, many)]
    assert np.array_equal(*bias) and bias[0][-1] == 0


def test_the_strongest_sentence(make):
    plan = make(people=200)
    table = counted.false_successes(plan)
    assert table[(table.measure == "false_success") & (table.level == "130")].estimate.iloc[0] > 0.98
    assert "A scheme that does nothing would be called a success in" in words.describe_false_success(table, plan)
    assert counted.false_successes(make(starts_below=0.0)).empty and counted.false_successes(make(outcome="gp")).empty
    assert words.describe_false_success(counted.false_successes(make(outcome="gp")), make(outcome="gp")) == ""


def test_what_a_study_is_worth_against_drawing_it_through():
    rng, (mean, sd), variance, value, cost = np.random.default_rng(5), (0.29, 0.25), 0.02, 2000.0, 350.0
    truth = rng.normal(mean, sd, 400_000)
    seen = truth + rng.normal(0, variance ** 0.5, truth.size)
    believed = (mean / sd ** 2 + seen / variance) / (1 / sd ** 2 + 1 / variance)
    drawn = np.where(value * believed > cost, value * truth - cost, 0).mean() - max(value * mean - cost, 0)
    assert sample_information((mean, sd), variance, value, cost) == pytest.approx(drawn, rel=0.03)
    perfect = np.maximum(value * truth - cost, 0).mean() - max(value * mean - cost, 0)
    assert sample_information((mean, sd), 0.0, value, cost) == pytest.approx(perfect, rel=0.03)
    assert sample_information((mean, 0.0), 0.1, value, cost) == 0 == sample_information((mean, sd), 0.1, 0.0, cost)


def test_a_study_is_worth_less_than_certainty_and_bias_makes_it_worth_less(make, pooled):
    table = value_of_designs(make(), pooled, MONEY).set_index(["measure", "level"])["estimate"]
    worth = [table["value_of_study", d] for d in DESIGNS]
    assert all(0 < w < table["perfect_information", "all"] for w in worth) and worth[0] == min(worth) and worth[-1] == max(worth)
    assert all(table["net_value_of_study", d] == pytest.approx(table["value_of_study", d] - table["cost_of_study", d]) for d in DESIGNS)
    errors = value_of_designs(make(), pooled, MONEY).query("measure == 'value_of_study'").set_index("level")["note"]
    assert errors["before_after"] == f"systematic error SD {make().natural[0]:.2f}" == "systematic error SD 0.35" and errors["matched"].endswith("0.10") and errors["randomised"].endswith("0.00")
    dear = value_of_designs(make(), pooled, MONEY | {"people_a_year": 1.0})
    assert "No study of this size is worth its cost" in words.describe_worth(dear, make())
    assert value_of_designs(make(outcome="gp"), pooled, MONEY).empty and prior_effect(pooled, "financial") is None


def test_the_answer_is_as_sure_as_design_and_people_allow(make):
    def sure(**changed):
        plan = make(**changed)
        return words.answer_plan(counted.people_by_design(plan), plan).sure

    assert sure(design="randomised", people=400) == 3 and sure(people=400) == 2 and sure(people=200) == 1 and sure(people=60) == 0
    assert sure(design="before_after", people=100_000) == 0


def test_the_spread_is_known_of_measures_that_are_there_and_marked_as_assumed():
    table = facts("planning")
    assert set(table["measure_id"]) <= set(measures().index) and (table["sd"].astype(float) > 0).all()
    assert table["origin"].str.contains("assumption").all() and table["verification"].eq("unverified").all()
    assert list(facts("planning_designs")["design"]) == list(DESIGNS)


def test_sentences_hold_the_right_numbers_the_right_way_round(make):
    plan = make()
    assert plan.natural == pytest.approx((0.35, 0.2, 0.5)) and words.size_words(plan.effect, plan) == "0.29 standard deviations (1.2 points)"
    assert words.size_words(0.85, make(outcome="gp")) == "15% fewer GP appointments" and words.size_words(1.2, make(outcome="gp")) == "20% more GP appointments"
    scale = counted.smallest_against(plan).set_index("level")["estimate"]
    assert scale["matters"] == 3 / 4 and scale["expected"] == plan.effect and scale["smallest_found"] > plan.effect
    assert "What is to be expected is smaller" in words.describe_smallest(counted.smallest_against(plan), plan)
    large = make(people=1000)
    assert "That is no larger than what is to be expected" in words.describe_smallest(counted.smallest_against(large), large)
    for apart, way in ((0.3, "fare 0.30 standard deviations worse"), (-0.3, "fare 0.30 standard deviations better")):
        lost = make(lost_apart=apart)
        text = words.describe_follow_up(counted.people_by_follow_up(lost), lost)
        assert way in text and f"too {'good' if apart > 0 else 'bad'}" in text
    assert [d for d in DESIGNS if "the draw" in dict(record_words(make(design=d)))] == ["cluster_randomised", "randomised"]


def test_bias_is_part_of_what_a_study_is_worth(make, pooled):
    table = value_of_designs(make(people=1_000_000), pooled, MONEY).set_index(["measure", "level"])["estimate"]
    assert table["value_of_study", "randomised"] == pytest.approx(table["perfect_information", "all"], rel=0.01)
    assert table["value_of_study", "matched"] < 0.95 * table["perfect_information", "all"] and table["value_of_study", "before_after"] < 0.4 * table["perfect_information", "all"]


def test_which_questions_a_plan_leaves_open(make):
    told = {d: dict(words.question_words(make(design=d), QUESTIONS)) for d in DESIGNS}
    assert told["before_after"][QUESTIONS["impact"]].startswith("No. Without a comparison") and all(told[d][QUESTIONS["impact"]].startswith("Yes, as an effect") for d in DESIGNS[1:])
    assert "EQ-5D of both groups as well" in told["matched"][QUESTIONS["cost_effectiveness"]]
    assert dict(words.question_words(make(outcome="eq5d3l"), QUESTIONS))[QUESTIONS["cost_effectiveness"]].startswith("Yes")
    assert len(told["matched"]) == 8


def test_without_a_comparison_it_is_called_a_change_and_nothing_is_claimed_where_nothing_helps(make, pooled):
    plan = make(design="before_after")
    table = counted.played_through(plan).set_index("level")["estimate"]
    assert table["nothing"] < 0.05 and table["as_expected"] == pytest.approx(plan.study.power(plan.people), abs=0.035)
    answer = words.answer_plan(counted.people_by_design(plan), plan)
    assert "find a change beyond what comes anyway" in answer.text and "not an effect" in answer.text
    assert "an effect of" in words.answer_plan(counted.people_by_design(make()), make()).text


# ---- refusals

@pytest.mark.parametrize("changed, told", [
    (dict(people=0), "more than a million; found 0"), (dict(people=-3), "found -3"), (dict(outcome="swemwb"), "Did you mean 'swemwbs'"), (dict(design="random"), "Did you mean 'randomised'"),
    (dict(outcome="gp", design="before_after"), "two arms"), (dict(follow_up=65.0), "Did you mean 0.65"), (dict(follow_up=1.1), "More than everybody"), (dict(effect=-0.3), "above 0"), (dict(sd=-1.0), "must be above 0"),
    (dict(icc=1.5), "found 1.5"), (dict(months=0.0), "Months"), (dict(starts_below=9.0), "between 0 and 3"), (dict(outcome="gp", effect=1.0), "other than 1"), (dict(name=" "), "name on one line"),
    (dict(wanted=1.0), "power"), (dict(cluster_size=0.0), "at least 1 person"), (dict(outcome="ae", rate=-1.0), "Events a month")])
def test_a_plan_that_cannot_be_is_refused(make, changed, told):
    with pytest.raises(DataError) as error:
        make(**changed)
    assert told in str(error.value)


def test_the_command_refuses_in_sentences_with_status_2_and_writes_nothing(tmp_path):
    for options, told in [(["--people", "0"], "found 0"), (["--dropout", "1.1"], "nothing can be learnt"), (["--dropout", "110"], "found 110"), (["--dropout", "30"], "Did you mean 0.3"), (["--power", "80"], "80% is 0.8"),
                          (["--follow-up", "0.5", "--dropout", "0.5"], "not both"), (["--set", "corelation=0.3"], "Did you mean 'correlation'"), (["--set", "people=2.5"], "takes int"), (["--sd", "0"], "--sd must be above 0"),
                          (["--people", "ten"], "integer")]:
        status, output = run(tmp_path / "p", *options)
        assert status == 2 and told in output and "Traceback" not in output, options
    assert not (tmp_path / "p").exists()


def test_nothing_is_overwritten(folder):
    before = {p.name: p.stat().st_mtime_ns for p in folder.iterdir()}
    status, output = run(folder)
    assert status == 1 and "already holds" in output and "nothing was written" in output and "making" not in output
    assert before == {p.name: p.stat().st_mtime_ns for p in folder.iterdir()}
    with pytest.raises(SchemeError, match="is a file"):
        run_plan(folder / "plan.html", {})


def test_the_command_makes_the_folder_and_tells_that_it_works(tmp_path):
    status, output = run(tmp_path / "gp", "--outcome", "gp", "--design", "matched", "--people", "400", "--dropout", "0.2", "--effect", "0.8", "--set", "rate=0.5")
    assert status == 0 and "making the plan" in output and "plan.html" in output and "sprx check" in output
    used = json.loads((tmp_path / "gp" / "run.json").read_text())["parameters"]
    assert used["follow_up"] == 0.8 and used["rate"] == 0.5 and used["name"] == "gp"
    assert read_settings(tmp_path / "gp").primary_outcome == "gp"
    assert "20% fewer GP appointments" in (tmp_path / "gp" / "plan.html").read_text(encoding="utf-8")


# ---- the folder

def test_the_folder_holds_what_is_promised_and_nothing_else(folder):
    assert {p.name for p in folder.iterdir()} == set(WRITTEN)
    settings = read_settings(folder)
    assert settings.name == "Harbour <links> & co" and settings.primary_outcome == "swemwbs" and settings.comparison["design"] == "randomised" and settings.follow_up_months == 6
    assert load_scheme(folder).empty            # a workbook without rows yet is no error
    assert json.loads((folder / "run.json").read_text())["parameters"]["people"] == 300


@pytest.mark.parametrize("design, named", [("before_after", "none"), ("concurrent", "concurrent"), ("matched", "matched"), ("cluster_randomised", "cluster_randomised")])
def test_the_settings_of_each_design_are_accepted(tmp_path, make, design, named):
    from sprx.run_plan import scheme_settings
    from sprx.template import filled_scheme

    plan = make(design=design)
    for name, data in filled_scheme("a", scheme_settings(plan), [["people", "person_id", "first"]]).items():
        (tmp_path / name).write_bytes(data)
    settings = read_settings(tmp_path)
    assert settings.comparison["design"] == named and settings.comparison.get("cluster") == ("practice_code" if design == "cluster_randomised" else None)
    assert yaml.safe_load((tmp_path / "scheme.yaml").read_text())["primary_outcome"] == "swemwbs"


def test_the_workbook_says_what_to_record_from_day_one(folder):
    sheet = pd.read_excel(folder / "scheme_data.xlsx", sheet_name="From day one", engine="calamine")
    assert {"people", "outcomes", "the draw"} <= set(sheet["sheet"]) and sheet["columns"].str.contains("instrument = swemwbs").any()


def test_the_pages_can_be_read_and_escape_what_was_typed(folder):
    for name in ("plan.html", "protocol.html"):
        page = (folder / name).read_text(encoding="utf-8")
        assert page.count("<h1>") == 1 and '<html lang="en-GB">' in page and "Harbour &lt;links&gt; &amp; co" in page and "<links>" not in page
        text = re.sub(r"<style>.*?</style>|<pre>.*?</pre>|<[^>]+>", " ", page, flags=re.S)
        assert not BANNED.search(text), BANNED.search(text)
        assert str(ROOT) not in page and "/tmp" not in page
    page = (folder / "plan.html").read_text(encoding="utf-8")
    assert page.count("<figure>") == page.count("<figcaption>") == 6 and 'alt=""' not in page
    assert [h for h in re.findall(r"<h2>(.*?)</h2>", page)] == [line[3:] for _, source, _ in cells(NOTEBOOK) for line in source.splitlines() if line.startswith("## ")]


def test_the_word_file_says_what_the_page_says(folder):
    document = docx.Document(folder / "protocol.docx")
    page = (folder / "protocol.html").read_text(encoding="utf-8")
    headings = [p.text for p in document.paragraphs if p.style.name == "Heading 2"]
    assert headings == re.findall(r"<h2>(.*?)</h2>", page) and {"Question", "Design", "People", "Measures", "Analysis", "Missing data", "Small numbers", "Agreed"} <= set(headings)
    assert document.tables[0].rows[0].cells[0].text == "Table" and len(document.tables[0].rows) == page.count("<tr>")
    assert document.core_properties.language == "en-GB" and document.core_properties.title.startswith("Protocol")


def test_a_protocol_with_odd_text_still_makes_a_word_file():
    written = dict(title="<b>&", sections=[["A", "one\ntwo"]], record=[["people", "x", "y"]])
    assert [p.text for p in docx.Document(io.BytesIO(word_bytes(written))).paragraphs][-3:-1] == ["one", "two"]


def test_the_numbers_are_the_same_every_time(folder, tmp_path):
    again = run_plan(tmp_path / "harbour", {"name": "Harbour <links> & co", "design": "randomised", "people": 300})
    for name in ("results.csv", "protocol.html", "plan.html", "scheme.yaml", *(f"figures/{p.name}" for p in (folder / "figures").iterdir())):
        assert (again / name).read_bytes() == (folder / name).read_bytes(), name


def test_methods_name_every_measure_of_a_plan(folder):
    methods = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    assert [m for m in pd.read_csv(folder / "results.csv")["measure"].unique() if f"`{m}`" not in methods] == []


def test_the_notebook_keeps_the_rules():
    found = cells(NOTEBOOK)
    assert found[0][1].startswith("# ") and found[0][1].splitlines()[0].endswith("?") and sum(source.startswith("# ") for kind, source, _ in found if kind == "markdown") == 1
    for kind, source, cell in found:
        assert not cell.get("outputs") and not cell.get("execution_count")
        if kind != "code":
            continue
        tree = ast.parse(source)
        assert not [n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.ClassDef))]
        if "parameters" in cell["metadata"].get("tags", []):
            assert all("#" in line for line in source.splitlines())
        else:
            assert len([line for line in source.splitlines() if line.strip()]) <= 8
    assert found[-2][1] == "report.provenance()" and found[-1][1] == "report.write()"
    assert any("What this plan cannot tell" in source for _, source, _ in found) and math.isclose(declared_parameters(NOTEBOOK)["effect"], 0)
