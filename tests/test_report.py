"""The only way out: released first, then said, drawn and written."""

import base64
import json
import re
from pathlib import Path

import IPython.display
import matplotlib.pyplot as plt
import pandas as pd
import pytest

from sprx import plots, wording
from sprx.answers import QUESTIONS
from sprx.disclosure import HIDDEN
from sprx.load import Scheme
from sprx.metrics.when import time_to_first_contact
from sprx.report import results_html, start_report
from sprx.results import CURVE_COLUMNS, RESULT_COLUMNS, result_table
from sprx.settings import Settings
from sprx.wording import Answer

EVIL = '<script>alert("x")</script>'


@pytest.fixture
def shown(monkeypatch):
    """What a notebook would show, as HTML."""
    fragments = []
    monkeypatch.setattr(IPython.display, "display", lambda html: fragments.append(html.data))
    return fragments


@pytest.fixture
def report(tmp_path):
    return new_report(tmp_path / "out")


def new_report(folder, disclosure="nhse_1_7_round5", question="how_well", **settings):
    settings = dict(scheme_id="test-1", name="Test") | settings
    return start_report(question, Scheme(Path("."), Settings(disclosure=disclosure, **settings), {}, pd.DataFrame()), folder)


def share(x, n, level="all", group="all", **more):
    return dict(measure="uptake", group=group, level=level, n=n, n_missing=0, estimate=x / n, conf_low=0, conf_high=1, unit="proportion", numerator=x, denominator=n,
                conf_level=0.95, method="Wilson score") | more


TWO = result_table([share(12, 43, "female", "sex"), share(20, 37, "male", "sex")])


# ---- in -----------------------------------------------------------------------------------------------------------------

def test_what_is_added_is_released_first_and_carries_the_scheme_and_the_question(report, shown):
    report.add("uptake", TWO, describe=lambda table: f"Shown: {table.estimate.iloc[0]:.3f}")
    out = report.released["uptake"]
    assert list(out.columns) == RESULT_COLUMNS and set(out.scheme_id) == {"test-1"} and set(out.question) == {"how_well"}
    assert list(out.estimate) == [10 / 45, 20 / 35] and report.sentences["uptake"] == "Shown: 0.222" and shown == ['<p class="finding">Shown: 0.222</p>']


def test_the_rule_is_the_schemes_own(tmp_path, shown):
    report = new_report(tmp_path, disclosure="none")
    report.add("uptake", TWO)
    assert list(report.released["uptake"].estimate) == [12 / 43, 20 / 37] and shown == []


def test_a_curve_is_released_as_a_curve(report):
    waits = pd.DataFrame({"days_observed": [float(d) for d in range(60)], "was_seen": True})
    report.add("curve", time_to_first_contact(waits))
    out = report.released["curve"]
    assert "n_events" not in out and set(out.columns) <= set(CURVE_COLUMNS) and (out.n_at_risk % 5 == 0).all() and set(out.scheme_id) == {"test-1"}


def test_a_table_with_nothing_to_say_names_what_it_needs(report, shown):
    report.add("uptake", result_table([]), describe=lambda t: "x", needs="a referrals table")
    assert report.sentences["uptake"] == "Cannot be answered: needs a referrals table." and 'class="needs"' in shown[0]


def test_a_table_of_hidden_rows_is_not_one_that_lacks_data(report, shown):
    report.add("uptake", result_table([share(3, 40)]), describe=lambda t: "Not shown.", needs="a referrals table")
    assert report.sentences["uptake"] == "Not shown."


def test_sentences_and_answers_are_escaped(report, shown):
    report.say("x", EVIL)
    report.answer(Answer("how_well", EVIL, 2, EVIL))
    assert not any("<script" in text for text in shown) and "&lt;script&gt;" in shown[0] and "Fairly sure" in shown[1]
    assert report.answers[0]["text"] == EVIL                     # kept as it is: it is escaped where it is shown


# ---- figures --------------------------------------------------------------------------------------------------------------

def test_a_figure_is_shown_with_its_alt_text_caption_and_table_and_written_under_its_name(report, shown):
    report.add("uptake", TWO)
    report.figure("uptake", plots.plot_estimates, caption="Uptake.", alt=wording.alt_of_levels, key="sex")
    page = shown[-1]
    assert 'alt="Uptake: female 22%; male 57%."' in page and "<figcaption>Uptake. Counts are rounded to the nearest 5.</figcaption>" in page and "<details>" in page
    files = sorted(p.name for p in (report.output_dir / "figures").iterdir())
    assert files == ["how_well_uptake_sex.csv", "how_well_uptake_sex.svg"] and report.figures == [dict(file=files[1], caption="Uptake.", alt="Uptake: female 22%; male 57%.")]
    svg = (report.output_dir / "figures" / files[1]).read_bytes()
    assert base64.b64decode(re.search(r"base64,([^\"]+)", page).group(1)) == svg and not plt.get_fignums()


def test_a_figure_is_byte_identical_when_it_is_made_again(tmp_path, shown):
    found = []
    for name in ("a", "b"):
        report = new_report(tmp_path / name)
        report.add("uptake", TWO)
        report.figure("uptake", plots.plot_estimates, caption="c", alt="a")
        found.append((report.output_dir / "figures" / "how_well_uptake.svg").read_bytes())
    assert found[0] == found[1] and b"<dc:date>" not in found[0]


def test_the_file_beside_a_figure_holds_the_released_rows_that_were_drawn(report, shown):
    report.add("uptake", result_table([share(20, 43, "a", "sex"), share(3, 40, "b", "sex"), share(30, 60, "c", "sex"), share(12, 50, "d", "sex")]))
    report.figure("uptake", plots.plot_estimates, caption="c", alt="a", rows=lambda t: t[t.level != "d"])
    rows = pd.read_csv(report.output_dir / "figures" / "how_well_uptake.csv")
    assert list(rows.level) == ["a", "b", "c"] and pd.isna(rows.estimate[1]) and rows.estimate[0] == pytest.approx(20 / 45) and "numerator" not in rows


@pytest.mark.parametrize("caption, alt", [("", "a"), ("c", ""), ("c", lambda t: ""), (None, "a")])
def test_a_figure_without_a_caption_or_an_alt_text_is_refused_and_no_figure_stays_open(report, shown, caption, alt):
    report.add("uptake", TWO)
    with pytest.raises(ValueError, match="caption and alt"):
        report.figure("uptake", plots.plot_estimates, caption=caption, alt=alt)
    assert not plt.get_fignums() and not (report.output_dir / "figures").exists()


def test_captions_and_alt_texts_are_escaped(report, shown):
    report.add("uptake", TWO)
    report.figure("uptake", plots.plot_estimates, caption=EVIL, alt='"><script>')
    assert "<script" not in shown[-1] and "&quot;&gt;&lt;script&gt;" in shown[-1]


@pytest.mark.parametrize("table", [result_table([]), result_table([share(3, 40, "a", "sex"), share(4, 40, "b", "sex")])], ids=["no rows", "hidden rows"])
def test_nothing_is_drawn_when_nothing_can_be_shown(report, shown, table):
    report.add("uptake", table)
    report.figure("uptake", lambda t: pytest.fail("drawn"), caption="c", alt="a")
    assert "No figure" in shown[-1] and report.figures == [] and not (report.output_dir / "figures").exists()


def test_a_figure_of_an_empty_curve_says_so(report, shown):
    report.add("curve", time_to_first_contact(pd.DataFrame({"days_observed": [1.0] * 3, "was_seen": True})))
    report.figure("curve", plots.plot_curve, caption="c", alt=wording.alt_of_curve)
    assert "No figure" in shown[-1]


def test_a_name_from_the_data_leads_to_no_file_outside_the_folder_of_figures(tmp_path, shown):
    # names of instruments come from scheme.yaml and are names of tables in the report
    report = new_report(tmp_path / "deep" / "out")
    name = "x/../../../../evil"
    report.add(name, TWO)
    try:
        report.figure(name, plots.plot_estimates, caption="c", alt="a")
    except ValueError:
        pass                    # to refuse it is right, too
    assert [p for p in tmp_path.rglob("*evil*") if p.parent != tmp_path / "deep" / "out" / "figures"] == []


@pytest.mark.parametrize("label", ["=cmd|'/c calc'!A1", "+1", "-1", "@SUM(A1)"])
def test_the_file_beside_a_figure_starts_no_formula(report, shown, label):
    report.add("uptake", result_table([share(12, 43, label, "practice_code"), share(20, 37, "b", "practice_code")]))
    report.figure("uptake", plots.plot_estimates, caption="c", alt="a")
    rows = pd.read_csv(report.output_dir / "figures" / "how_well_uptake.csv", dtype=str)
    assert not rows.level.str.startswith(("=", "+", "-", "@")).any() and rows.level.str.contains(label, regex=False).any()


# ---- tables on the page -----------------------------------------------------------------------------------------------------

def test_the_table_behind_says_every_number_and_stars_what_is_hidden():
    gone = dict.fromkeys(["n", "n_missing", "estimate", "conf_low", "conf_high"]) | dict(suppressed=True, note=HIDDEN)
    page = results_html(result_table([share(10, 45, "female", "sex", conf_low=0.1, conf_high=0.4), share(20, 40, "x", "sex") | gone])[RESULT_COLUMNS])
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in page.split("<tr>")[2:]]
    assert cells[0] == ["45", "0", "22.2%", "10.0% to 40.0%", "%", "Wilson score"] and cells[1][:4] == ["*"] * 4
    assert "* too few people to show" in page and page.count('scope="row"') == 2


def test_the_table_behind_a_curve_has_days_and_numbers_at_risk():
    curve = pd.DataFrame([dict(measure="time_to_first_contact", group="all", level="all", days=14.0, n_at_risk=40.0, estimate=0.5, conf_low=0.4, conf_high=0.6, unit="proportion")])
    page = results_html(curve)
    assert re.findall(r"<td[^>]*>(.*?)</td>", page) == ["14", "40", "50.0%", "40.0% to 60.0%"] and "Not yet seen" in page


def test_labels_methods_and_notes_are_escaped_in_the_table():
    page = results_html(result_table([share(10, 45, EVIL, "practice_code", note=EVIL, method=EVIL, unit=EVIL)])[RESULT_COLUMNS])
    assert "<script" not in page and page.count("&lt;script&gt;") == 4


def test_a_table_is_shown_folded_with_its_title(report, shown):
    report.add("uptake", TWO)
    report.table("uptake", title="A & B", rows=lambda t: t.head(1))
    assert "<summary>A &amp; B</summary>" in shown[-1] and shown[-1].count('scope="row"') == 1


# ---- the ends of a notebook ---------------------------------------------------------------------------------------------------

def test_provenance_names_the_scheme_the_rule_the_data_and_the_version(tmp_path, shown):
    report = new_report(tmp_path, disclosure="none", name=EVIL, synthetic=True, extract_date=pd.Timestamp("2025-03-31"))
    report.provenance()
    assert "<script" not in shown[0] and "SMALL NUMBERS ARE NOT HIDDEN" in shown[0] and "SYNTHETIC" in shown[0] and "31 March 2025" in shown[0] and "0.1.0" in shown[0]


def test_results_are_written_without_paths_clocks_or_hidden_numbers_and_the_same_each_time(tmp_path, shown):
    found = []
    for name in ("a", "b"):
        report = new_report(tmp_path / name)
        report.add("uptake", result_table([share(3, 40, "x", "sex"), share(29, 97, "y", "sex"), share(33, 61, "z", "sex")]), describe=lambda t: "A sentence.")
        report.add("curve", time_to_first_contact(pd.DataFrame({"days_observed": [float(d) for d in range(30)], "was_seen": True})))
        report.write()
        found.append((tmp_path / name / "how_well.results.json").read_bytes())
    content = json.loads(found[0])
    assert found[0] == found[1] and str(tmp_path).encode() not in found[0]
    assert [row["level"] for row in content["results"]] == ["x", "y", "z"] and content["results"][0]["estimate"] is None and content["sentences"] == {"uptake": "A sentence."}
    assert content["disclosure"] == "nhse_1_7_round5" and not re.search(r"numerator|denominator|0\.075", found[0].decode())


def test_a_report_without_results_is_written_too(report):
    report.write()
    assert json.loads((report.output_dir / "how_well.results.json").read_text())["results"] == []


# ---- the summary --------------------------------------------------------------------------------------------------------------

def test_the_summary_reads_the_earlier_answers_in_the_order_of_the_questions_and_links_the_chapters_there_are(tmp_path, shown):
    for question in ("how_well", "when"):
        report = new_report(tmp_path, question=question)
        report.answer(Answer(question, f"Answer to {question}", 1, "because"))
        report.write()
    summary = new_report(tmp_path, question="summary")
    answers = summary.earlier_answers()
    assert [a["question"] for a in answers] == ["when", "how_well"]
    summary.cards([*answers, Answer("cost", EVIL, 0, EVIL).as_dict()])
    assert 'href="#when"' in shown[-1] and 'href="#cost"' not in shown[-1] and QUESTIONS["cost"] in shown[-1] and "<script" not in shown[-1]


def test_steps_are_a_list_or_a_sentence_when_there_are_none(report, shown):
    report.steps(["Do <this>."])
    report.steps([])
    assert shown == ['<ol class="steps"><li>Do &lt;this&gt;.</li></ol>', "<p>Nothing is missing that sprx knows of.</p>"]
