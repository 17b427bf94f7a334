"""The command line: what each command prints and leaves behind, exit statuses, and how quickly it starts."""

import os
import subprocess
import sys

import pandas as pd
import pytest
from typer.testing import CliRunner

import sprx
from sprx import cli, load_scheme

HEAVY = ("pandas", "numpy", "papermill", "lifelines", "matplotlib", "statsmodels", "scipy", "pandera", "pyarrow", "yaml", "seaborn")


def run(*arguments):
    result = CliRunner().invoke(cli.app, [str(a) for a in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), f"{type(result.exception).__name__}: {result.exception}"
    return result.exit_code, result.output


def row_of(words, table):
    """The cells of a table's first row in what `check` prints."""
    return next([cell.strip() for cell in line.strip("│┃ ").split("│")] for line in words.splitlines() if line.strip("│ ").startswith(table))


# ---- check

def test_check_prints_the_rows_of_each_table(build):
    folder = build(people="person_id,sex\np1,female\np2,male\np2,male\n", referrals="referral_id,person_id\nr1,p1\nr2,p9\n")
    status, words = run("check", folder)
    assert status == 0 and "test-1: rows" in words
    assert row_of(words, "people") == ["people", "3", "2", "1"] and row_of(words, "referrals") == ["referrals", "2", "1", "1"]


def test_check_counts_rows_that_where_leaves_out(build):
    _, words = run("check", build(people="person_id,T\np1,a\np2,b\n", specs={"people": {"where": {"T": "a"}}}))
    assert row_of(words, "people") == ["people", "2", "1", "1 (1 by where)"]


def test_check_prints_each_kind_of_problem_once_with_an_example(build):
    folder = build(people="person_id,age\np1,old\np2,older\np3,50\n")
    status, words = run("check", folder)
    assert status == 0 and words.count("not understood") == 1 and "old" in words and "a number from 0 to 120" in words
    assert "All 2 are in" in words.replace("\n", " ") and "not for sharing" in words.replace("\n", " ")


def test_check_writes_every_issue_and_every_row_set_aside_to_private(build):
    folder = build(people="person_id,age\np1,old\n,44\np3,50\n")
    run("check", folder)
    issues = pd.read_csv(folder / "private" / "issues.csv", dtype=str, keep_default_na=False)
    assert list(issues.columns) == ["table", "file", "row", "row_id", "column", "problem", "found", "expected", "action"]
    assert sorted(issues["row"]) == ["2", "3"]
    assert pd.read_csv(folder / "private" / "set_aside_people.csv")[["row", "reason"]].values.tolist() == [[3, "person_id: missing"]]


def test_a_second_check_leaves_nothing_of_the_first(build):
    folder = build(people="person_id,age\np1,44\n,44\n")
    run("check", folder)
    (folder / "people.csv").write_text("person_id,age\np1,44\np2,44\n")
    run("check", folder)
    left = {p.name: len(pd.read_csv(p)) for p in (folder / "private").glob("*")}
    assert left in ({}, {"issues.csv": 0})


def test_check_shows_text_from_data_as_text_not_as_markup(build):
    status, words = run("check", build(people="person_id,age\np1,[bold]old[/bold]\np2,[/]\n"))
    assert status == 0 and "[bold]old[/bold]" in words


def test_check_of_several_schemes_says_which_one_failed_and_checks_the_others(build, tmp_path):
    good, bad = build(people="person_id,age\np1,old\n"), tmp_path / "nowhere"
    status, words = run("check", bad, good)
    assert status == 1 and f"{bad}: cannot be used" in words and "people" in words and (good / "private" / "issues.csv").exists()


def test_check_counts_several_problems_and_lists_each(build):
    status, words = run("check", build(people="a\n1\n", referrals="b\n1\n"))
    assert status == 1 and "3 problems" in words and words.count("  - Table ") == 3


def test_check_of_a_folder_that_cannot_be_written_shows_the_problems_and_says_so(build, monkeypatch):
    def denied(*_):
        raise PermissionError(13, "Permission denied", "private")
    monkeypatch.setattr("sprx.run.write_private", denied)
    _, words = run("check", build(people="person_id,age\np1,old\n"))
    assert "not understood" in words and "could not be written to" in words and "Permission denied" in words


# ---- init

def test_init_makes_a_folder_that_check_finds_in_order(tmp_path):
    status, words = run("init", tmp_path / "My scheme")
    assert status == 0 and "sprx check" in words and sorted(p.name for p in (tmp_path / "My scheme").iterdir()) == ["scheme.yaml", "scheme_data.xlsx"]
    status, words = run("check", tmp_path / "My scheme")
    assert status == 0 and "no rows yet" in words and "The settings and headers are in order" in words


def test_init_never_overwrites(tmp_path):
    run("init", tmp_path / "a")
    before = (tmp_path / "a" / "scheme.yaml").read_bytes()
    status, words = run("init", tmp_path / "a")
    assert status == 1 and "already holds" in words and (tmp_path / "a" / "scheme.yaml").read_bytes() == before


# ---- simulate

def test_simulate_makes_schemes_that_load_and_their_truth(tmp_path):
    status, words = run("simulate", tmp_path / "out", "--schemes", "2", "--people", "20", "--seed", "3")
    assert status == 0 and "The data are synthetic" in words and (tmp_path / "out" / "truth.csv").exists()
    folders = sorted(p for p in (tmp_path / "out").iterdir() if p.is_dir())
    assert len(folders) == 2 and all(load_scheme(f).has("people") for f in folders)


def test_simulate_twice_with_one_seed_gives_the_same_files(tmp_path):
    for name in ("a", "b"):
        run("simulate", tmp_path / name, "--schemes", "1", "--people", "20", "--seed", "3")
    first, second = ({p.relative_to(tmp_path / n): p.read_bytes() for p in (tmp_path / n).rglob("*") if p.is_file()} for n in ("a", "b"))
    assert first == second and len(first) > 3


# ---- wrong usage

@pytest.mark.parametrize("arguments", [["check"], ["run"], ["init"], ["simulate"], ["lab"], ["chek", "x"], ["check", "--nope", "x"], ["run", "x", "--jobs", "0"],
                                       ["run", "x", "--jobs", "many"], ["simulate", "x", "--schemes", "0"], ["simulate", "x", "--people", "5"]])
def test_wrong_usage_ends_with_status_2(arguments, tmp_path):
    status, words = run(*[str(tmp_path / a) if a == "x" else a for a in arguments])
    assert status == 2 and "Usage:" in words


def test_a_parameter_no_notebook_has_is_wrong_usage(build, tmp_path):
    status, words = run("run", build(), "--out", tmp_path / "out", "--set", "conf_levle=0.9")
    assert status == 2 and "conf_levle" in words and "conf_level" in words


def test_a_parameter_without_a_value_is_wrong_usage(build, tmp_path):
    status, words = run("run", build(), "--out", tmp_path / "out", "--set", "conf_level")
    assert status == 2 and "--set takes NAME=VALUE; found 'conf_level'" in words


def test_run_of_files_only_is_wrong_usage(build, tmp_path):
    status, words = run("run", build() / "people.csv", "--out", tmp_path / "out")
    assert status == 2 and "Give folders that hold a scheme.yaml" in words


def test_help_names_every_command():
    status, words = run("--help")
    assert status == 0 and all(name in words for name in ("init", "check", "run", "simulate", "lab"))


def test_ctrl_c_ends_in_words_and_status_130(monkeypatch, capsys):
    def interrupted():
        raise KeyboardInterrupt
    monkeypatch.setattr(cli, "app", interrupted)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 130 and "Stopped" in capsys.readouterr().err


# ---- as a program

def test_the_program_prints_no_traceback_and_its_problems_on_the_error_stream(tmp_path):
    program = [sys.executable, "-c", "from sprx.cli import main; main()", "check", str(tmp_path / "nowhere")]
    ended = subprocess.run(program, capture_output=True, text=True)
    assert ended.returncode == 1 and "No such folder" in ended.stderr and ended.stdout == "" and "Traceback" not in ended.stderr


def best_of_three(*program):
    """Processor seconds of the quickest of three starts: the clock on the wall is shared with whatever else runs."""
    times = []
    for _ in range(3):
        begun = os.times()
        subprocess.run([sys.executable, *program], capture_output=True, check=True)
        ended = os.times()
        times.append(ended.children_user + ended.children_system - begun.children_user - begun.children_system)
    return min(times)


def test_import_is_quick_and_loads_nothing_heavy():
    code = f"import sys, sprx; print([m for m in {HEAVY} if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert loaded == "[]"
    assert best_of_three("-c", "import sprx") - best_of_three("-c", "pass") < 0.3


def test_help_is_quick_and_loads_nothing_heavy():
    code = f"import sys, sprx.cli; print([m for m in {HEAVY} if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert loaded == "[]"
    assert best_of_three("-c", "from sprx.cli import main; main()", "--help") - best_of_three("-c", "pass") < 0.5


def test_every_public_name_is_there_and_a_wrong_one_is_an_attribute_error():
    assert all(getattr(sprx, name) is not None for name in sprx.__all__) and set(sprx.__all__) <= set(dir(sprx))
    assert len(sprx.__all__) == sum(map(len, sprx._HOMES.values()))         # no name lives in two rooms
    with pytest.raises(AttributeError, match="module 'sprx' has no attribute 'load_schema'"):
        getattr(sprx, "load_schema")
