"""The main job on the sample schemes: what a report folder holds, and what it must never hold."""

import hashlib
import json
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from lxml import html

from sprx.answers import QUESTIONS
from sprx.disclosure import not_about_people
from sprx.results import RESULT_COLUMNS

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "data" / "sample"
SCHEMES = ["castle", "harbour", "moorside", "northfield"]
GOLDEN = Path(__file__).parent / "golden"


def sprx(*arguments):
    """The command as a user runs it."""
    return subprocess.run([sys.executable, "-c", "from sprx.cli import main; main()", *map(str, arguments)], capture_output=True, text=True)


@pytest.fixture(scope="session")
def batch(tmp_path_factory):
    """The four sample schemes and a broken one among them, run once."""
    folder = tmp_path_factory.mktemp("batch")
    shutil.copytree(SAMPLE, folder / "schemes")
    broken = folder / "schemes" / "broken"
    shutil.copytree(SAMPLE / "castle", broken)
    text = (broken / "scheme.yaml").read_text(encoding="utf-8")
    (broken / "scheme.yaml").write_text(text.replace("scheme_id: castle", "scheme_id: broken").replace("castle_export.xlsx", "gone.xlsx"), encoding="utf-8")
    done = sprx("run", *sorted((folder / "schemes").iterdir()), "--out", folder / "reports", "--jobs", 2)
    return done, folder / "reports"


@pytest.fixture(scope="session")
def reports(batch):
    return batch[1]


TWO_PEOPLE = {
    "scheme.yaml": "name: Tiny\nprimary_outcome: phq9\ntables:\n  people: {file: people.csv}\n  referrals: {file: referrals.csv}\n  outcomes: {file: outcomes.csv}\n",
    "people.csv": "person_id,age,sex\na,70,F\nb,71,M\n",
    "referrals.csv": "referral_id,person_id,referral_date,first_contact_date\nr,a,2025-01-01,2025-01-05\ns,b,2025-02-01,\n",
    "outcomes.csv": "person_id,instrument,occasion,months,value\na,phq9,baseline,0,11\na,phq9,follow_up,3,<b>\nb,phq9,baseline,0,9\n",
}


@pytest.fixture(scope="session")
def second(tmp_path_factory):
    """A second command: northfield again, in place of an earlier report, and two people with their numbers hidden and not."""
    folder = tmp_path_factory.mktemp("second")
    schemes, out = folder / "schemes", folder / "reports"           # named as in the first: what is shown of a notebook holds its way to the data
    shutil.copytree(SAMPLE / "northfield", schemes / "northfield")
    for name, more in (("tiny", ""), ("tiny-open", "disclosure: none\n")):
        (schemes / name).mkdir()
        for file, text in {**TWO_PEOPLE, "scheme.yaml": f"scheme_id: {name}\n{more}{TWO_PEOPLE['scheme.yaml']}"}.items():
            (schemes / name / file).write_text(text, encoding="utf-8")
    (out / "northfield").mkdir(parents=True)
    (out / "northfield" / "earlier.txt").write_text("", encoding="utf-8")
    done = sprx("run", *sorted(schemes.iterdir()), "--out", out, "--jobs", 3)
    assert done.returncode == 0, done.stderr
    return out


def page(reports, scheme):
    return html.fromstring((reports / scheme / "report.html").read_text(encoding="utf-8"))


def text_of(element):
    return re.sub(r"\s+", " ", element.text_content())


def shared_files(folder):
    """Every file of a report folder that may be passed on, with its text (workbooks unpacked)."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and "private" not in p.parts):
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as book:
                yield path, "\n".join(book.read(name).decode("utf-8", "replace") for name in book.namelist())
        else:
            yield path, path.read_text(encoding="utf-8")


def test_one_broken_scheme_leaves_the_others_reported_and_is_named_at_the_end(batch):
    done, reports = batch
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert sorted(p.name for p in reports.iterdir() if p.is_dir()) == SCHEMES
    tail = done.stderr.strip().splitlines()[-3:]
    assert any("broken" in line for line in tail) and any("gone.xlsx is not in the scheme folder" in line for line in tail)
    assert done.stdout.strip().splitlines()[0].startswith("4 of 5 schemes reported") and done.stdout.strip().endswith("index.html")


def test_progress_names_scheme_notebook_and_time(batch):
    assert re.search(r"\[ *\d+ s\] \d/5 +harbour +notebook 01_when", batch[0].stderr)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_report_folder_holds_what_the_design_says(reports, scheme):
    there = {p.name for p in (reports / scheme).iterdir()}
    assert {"report.html", "results.csv", "tables.xlsx", "figures", "notebooks", "run.json", "private"} <= there
    assert not [name for name in there if name.endswith(".results.json")]
    assert (reports / scheme / "private" / "issues.csv").exists()
    results = pd.read_csv(reports / scheme / "results.csv", keep_default_na=False)
    assert list(results.columns) == RESULT_COLUMNS and set(results["scheme_id"]) == {scheme}


def test_no_half_reports_are_left(reports):
    assert not [p for p in reports.iterdir() if p.name.startswith(".")]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_row_about_a_person_leaves_the_private_folder(reports, scheme):
    ids = re.compile(r"\b(P\d{4}|R\d{5}|C\d{6})\b")
    leaks = {str(path.relative_to(reports)): ids.findall(text)[:2] for path, text in shared_files(reports / scheme) if ids.search(text)}
    assert leaks == {}
    assert ids.search((reports / "castle" / "private" / "issues.csv").read_text(encoding="utf-8"))       # the pattern does find them


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_small_or_unrounded_count_is_released(reports, scheme):
    results = pd.read_csv(reports / scheme / "results.csv")
    results = results[~not_about_people(results["measure"])]
    for column in ("n", "n_missing"):
        shown = results[column].dropna()
        assert (shown.mod(5) == 0).all() and not shown.between(1, 7).any()
    counts = results[results["unit"].isin(["referrals", "rows"])]["estimate"].dropna()
    assert (counts.mod(5) == 0).all()
    assert results.loc[results["suppressed"], ["n", "estimate", "conf_low", "conf_high"]].isna().all(axis=None)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_clocks_and_machine_paths_live_in_run_json_only(reports, scheme):
    for path, text in shared_files(reports / scheme):
        if path.name not in ("run.json", "tables.xlsx"):
            assert str(ROOT) not in text and str(reports) not in text, path.name
            assert not re.search(r"20\d\d-\d\d-\d\dT\d\d:\d\d", text), path.name
    run = json.loads((reports / scheme / "run.json").read_text(encoding="utf-8"))
    assert {"finished", "inputs", "notebooks", "packages", "parameters", "seed", "seconds"} <= set(run)
    digest = hashlib.sha256((SAMPLE / scheme / "scheme.yaml").read_bytes()).hexdigest()
    assert run["inputs"]["scheme.yaml"] == digest


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_page_is_accessible_in_structure(reports, scheme):
    tree = page(reports, scheme)
    assert tree.get("lang") == "en-GB" and tree.findtext(".//title")
    levels = [int(h.tag[1]) for h in tree.iter("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels.count(1) == 1 and all(b - a <= 1 for a, b in zip(levels, levels[1:]))
    for image in tree.iter("img"):
        assert len(image.get("alt", "")) > 20 and re.search(r"\d|not shown", image.get("alt")) and image.get("src").startswith("data:image/svg+xml")
        assert len(text_of(image.getparent().find("figcaption"))) > 20
    for table in tree.iter("table"):
        assert {th.get("scope") for th in table.iter("th")} == {"col", "row"}
    ids = [e.get("id") for e in tree.iter() if isinstance(e.tag, str) and e.get("id")]
    assert len(ids) == len(set(ids))
    assert {a.get("href")[1:] for a in tree.iter("a") if a.get("href").startswith("#")} <= set(ids)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_page_is_one_file_that_asks_nothing_of_the_network(reports, scheme):
    source = (reports / scheme / "report.html").read_text(encoding="utf-8")
    assert not re.search(r'(src|href)="(https?:|//|(?!#|data:)[a-z])', source) and "<script" not in source and "@import" not in source


@pytest.mark.parametrize("scheme", SCHEMES)
def test_synthetic_data_are_called_synthetic_everywhere(reports, scheme):
    assert "SYNTHETIC DATA" in text_of(page(reports, scheme))
    for path, text in shared_files(reports / scheme):
        if path.suffix == ".xlsx":
            assert "SYNTHETIC DATA" in text
    index = html.fromstring((reports / "index.html").read_text(encoding="utf-8"))
    assert "Synthetic data" in text_of(index.get_element_by_id(scheme))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_question_keeps_its_card_and_an_unanswered_one_says_what_it_needs(reports, scheme):
    cards = [text_of(c) for c in page(reports, scheme).find_class("card")]
    assert [next(q for q in QUESTIONS.values() if c.startswith(q)) for c in cards] == list(QUESTIONS.values())
    assert all(re.search(r"Sure|Fairly sure|Not sure|Cannot tell", c) for c in cards)
    assert all("needs" in c or "Not answered yet" in c or "Too few" in c or "too few" in c for c in cards if "Cannot tell" in c)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_sentence_claims_what_the_design_cannot_bear_or_holds_a_number_that_is_none(reports, scheme):
    body = page(reports, scheme)
    for code in body.xpath("//details[pre]"):
        code.drop_tree()
    said = text_of(body)
    assert not re.search(r"\b(nan|NaN|None|inf)\b", said)
    assert not re.search(r"\bsignifican|\bproves?\b|\bimpressive|\beffective\b", said)


def test_moorside_shows_its_change_as_a_change_with_the_warning(reports):
    card = next(text_of(c) for c in page(reports, "moorside").find_class("card") if "How well" in text_of(c))
    assert re.search(r"changed by \+3\.\d points", card)
    assert "not an effect of the scheme" in card and "people at their worst tend to get better anyway" in card
    assert "Not sure" in card
    headline = text_of(page(reports, "moorside").find_class("headline")[0])
    assert headline.endswith("There is no evidence of an effect: there is no comparison group.")


def test_the_scheme_that_does_nothing_reads_no_evidence_of_an_effect_and_the_one_that_works_has_its_planted_effect(reports):
    moorside, harbour = (next(text_of(c) for c in page(reports, s).find_class("card") if "What difference" in text_of(c)) for s in ("moorside", "harbour"))
    assert "There is no evidence of an effect: there is no comparison group." in moorside and "Cannot tell" in moorside
    assert "That is an effect for the better" in harbour and "This holds only if" in harbour
    results = pd.read_csv(reports / "harbour" / "results.csv").set_index("measure")
    planted = pd.read_csv(SAMPLE / "truth.csv").query("scheme_id == 'harbour'").set_index("quantity")["value"]
    assert results.at["effect_swemwbs", "conf_low"] < planted["effect_swemwbs"] < results.at["effect_swemwbs", "conf_high"]
    for service in ("gp", "ae"):
        assert results.at[f"rate_ratio_{service}", "conf_low"] < planted[f"rate_ratio_{service}"] < results.at[f"rate_ratio_{service}", "conf_high"]
    assert not pd.read_csv(reports / "moorside" / "results.csv")["measure"].str.startswith("effect").any()


def test_the_planted_qalys_cost_and_net_benefit_lie_in_their_intervals_and_nothing_is_valued_without_a_comparison(reports):
    planted = pd.read_csv(SAMPLE / "truth.csv").query("scheme_id == 'harbour'").set_index("quantity")["value"]
    results = pd.read_csv(reports / "harbour" / "results.csv").query("question == 'cost_effectiveness'").set_index(["measure", "level"])
    for row, truth in ((("qaly_difference", "all"), "incremental_qaly"), (("cost_difference", "all"), "incremental_cost_gbp"), (("net_benefit", "20000"), "net_benefit_20000_gbp")):
        assert results.at[row, "conf_low"] < planted[truth] < results.at[row, "conf_high"]
    assert results.at[("shared_cost_per_person", "referred"), "estimate"] == pytest.approx(planted["cost_per_person_gbp"], rel=0.005)
    moorside = pd.read_csv(reports / "moorside" / "results.csv").query("question == 'cost_effectiveness'")
    assert not moorside["measure"].isin(["icer", "net_benefit", "acceptability"]).any() and moorside["measure"].eq("break_even_qaly").any()
    card = next(text_of(c) for c in page(reports, "moorside").find_class("card") if "worth the money" in text_of(c))
    assert "cannot be told: needs a comparison group" in card and "Cannot tell" in card


def test_the_dashboard_figure_stands_beside_the_paired_one_with_the_reason(reports):
    said = text_of(page(reports, "moorside").get_element_by_id("how_well"))
    assert "A dashboard that subtracts the mean of everyone's first score" in said and "different people" in said


def test_castle_without_scores_says_what_to_record(reports):
    card = next(text_of(c) for c in page(reports, "castle").find_class("card") if "How well" in text_of(c))
    assert "needs outcomes" in card
    assert "Cannot be answered: needs a population table" in text_of(page(reports, "castle").get_element_by_id("for_whom"))


def test_rows_in_equal_rows_used_and_rows_set_aside_in_the_report(reports):
    results = pd.read_csv(reports / "castle" / "results.csv").query("question == 'data_quality' and group == 'table'")
    wide = results.pivot(index="level", columns="measure", values="estimate")[["rows_read", "rows_used", "rows_set_aside"]].dropna()      # a few rows set aside are hidden
    assert {"people", "referrals"} <= set(wide.index)
    assert ((wide["rows_read"] - wide["rows_used"] - wide["rows_set_aside"]).abs() <= 7.5).all()       # three rounded counts


def test_the_overview_stacks_every_scheme(reports):
    stacked = pd.read_csv(reports / "results.csv", dtype=str, keep_default_na=False)
    single = [pd.read_csv(reports / s / "results.csv", dtype=str, keep_default_na=False) for s in SCHEMES]
    pd.testing.assert_frame_equal(stacked, pd.concat(single, ignore_index=True))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_executed_notebooks_show_only_what_the_report_let_out(reports, scheme):
    notebooks = sorted((reports / scheme / "notebooks").glob("*.ipynb"))
    assert len(notebooks) == 11
    for path in notebooks:
        outputs = [o for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] for o in cell.get("outputs", [])]
        assert {o["output_type"] for o in outputs} == {"display_data"}, path.name


@pytest.mark.parametrize("scheme", SCHEMES)
def test_results_of_the_sample_are_as_stored(reports, scheme):
    # birth certificate: made by scripts/golden.py from data/sample with the versions in uv.lock; a change here is a change in
    # what users read and belongs in CHANGELOG.md. 1e-6 covers differences between linear algebra libraries.
    stored = pd.read_csv(GOLDEN / f"{scheme}_results.csv", keep_default_na=False, na_values=[""])
    found = pd.read_csv(reports / scheme / "results.csv", keep_default_na=False, na_values=[""])
    pd.testing.assert_frame_equal(found, stored, rtol=1e-6, atol=1e-9, check_dtype=False)


def test_the_same_run_twice_gives_the_same_bytes_and_a_failure_leaves_the_earlier_report(reports, second, tmp_path):
    mine, first = second / "northfield", reports / "northfield"
    same = [p.relative_to(first) for p in first.rglob("*") if p.suffix in (".svg", ".csv", ".html") and "private" not in p.parts]
    assert len(same) > 15 and not (mine / "earlier.txt").exists()
    assert [str(p) for p in same if (first / p).read_bytes() != (mine / p).read_bytes()] == []
    shutil.copytree(SAMPLE / "northfield", tmp_path / "northfield")
    (tmp_path / "northfield" / "people.csv").write_text("", encoding="utf-8")
    before = (mine / "report.html").read_bytes()
    failed = sprx("run", tmp_path / "northfield", "--out", second)
    assert failed.returncode == 1 and "people.csv is empty" in failed.stderr
    assert (mine / "report.html").read_bytes() == before and [p.name for p in second.iterdir() if p.name.startswith(".")] == []


def test_unknown_and_mistyped_parameters_are_refused_before_anything_runs(tmp_path):
    unknown = sprx("run", SAMPLE / "castle", "--out", tmp_path / "a", "--set", "conf_levl=0.9")
    assert unknown.returncode == 2 and "Did you mean 'conf_level'?" in unknown.stderr
    mistyped = sprx("run", SAMPLE / "castle", "--out", tmp_path / "a", "--set", "conf_level=high")
    assert mistyped.returncode == 2 and "takes float" in mistyped.stderr and "'high'" in mistyped.stderr
    assert not (tmp_path / "a").exists()


def test_two_schemes_with_one_id_are_refused(tmp_path):
    for name in ("one", "two"):
        shutil.copytree(SAMPLE / "castle", tmp_path / name)
    done = sprx("run", tmp_path / "one", tmp_path / "two", "--out", tmp_path / "out")
    assert done.returncode == 2 and "one scheme_id, 'castle'" in done.stderr


def test_a_scheme_of_two_people_is_reported_with_everything_hidden_and_no_suppression_says_so_in_every_chapter(second):
    results = pd.read_csv(second / "tiny" / "results.csv")
    results = results[~not_about_people(results["measure"])]
    assert results.loc[results["estimate"].notna(), "estimate"].isin([0]).all()
    chapters = page(second, "tiny-open").xpath("//section")
    assert len(chapters) == 11 and all("SMALL NUMBERS ARE NOT HIDDEN" in text_of(c) for c in chapters)
    assert pd.read_csv(second / "tiny-open" / "results.csv")["estimate"].notna().sum() > 10


def test_an_interrupt_leaves_no_half_report(tmp_path):
    command = [sys.executable, "-c", "from sprx.cli import main; main()", "run", str(SAMPLE / "castle"), "--out", str(tmp_path / "out")]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in running.stderr:
        if "notebook 00" in line:
            running.send_signal(signal.SIGINT)
            break
    words = running.communicate(timeout=120)[1]
    assert running.returncode == 130 and "Stopped." in words and "Traceback" not in words
    assert list((tmp_path / "out").iterdir()) == []


def test_an_unwritable_out_folder_is_an_error_in_words(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    done = sprx("run", SAMPLE / "castle", "--out", blocked)
    assert done.returncode == 1 and "Give another folder with --out" in done.stderr and "Traceback" not in done.stderr


def test_a_users_own_evidence_is_used_where_it_is_named_and_a_folder_that_is_not_there_is_refused(reports, tmp_path):
    record = reports / "harbour" / "evidence_record.json"
    assert sprx("evidence", "add", record, "--base", tmp_path / "base", "--by", "A", "--synthetic").returncode == 0
    wrong = sprx("run", SAMPLE / "northfield", "--out", tmp_path / "out", "--set", f"evidence_dir={tmp_path / 'gone'}")
    assert wrong.returncode == 2 and "evidence_dir: no such folder" in wrong.stderr and not (tmp_path / "out").exists()
    done = sprx("run", SAMPLE / "northfield", "--out", tmp_path / "out", "--set", f"evidence_dir={tmp_path / 'base'}")
    assert done.returncode == 0, done.stderr
    found = pd.read_csv(tmp_path / "out" / "northfield" / "results.csv")
    assert found["level"].str.contains("Harbour").any()
    executed = (tmp_path / "out" / "northfield" / "notebooks" / "08_evidence.ipynb").read_text(encoding="utf-8")
    assert str(tmp_path.resolve()) not in executed
