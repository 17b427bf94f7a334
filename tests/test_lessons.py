"""The lessons: their anatomy, solutions that run, students' versions in step with them, and checks that tell right from wrong."""

import ast
import json
import math
import re
import runpy
import warnings
from collections import Counter
from pathlib import Path

import matplotlib
import nbclient
import nbformat
import pandas as pd
import pytest
from typer.testing import CliRunner

import sprx
from sprx import cli, teaching
from sprx.kernels import LocalKernelManager

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "notebooks" / "teaching"
LESSONS = sorted(FOLDER.glob("*.ipynb"))
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "lessons.py"))
tagged = SCRIPT["tagged"]
each_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda p: p.stem)


def cells(path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def text(cell):
    return "".join(cell["source"])


def prose(path):
    return "\n".join(text(c) for c in cells(path) if c["cell_type"] == "markdown")


def code_cells(path):
    return [c for c in cells(path) if c["cell_type"] == "code"]


# ---- anatomy

def test_the_lessons_are_numbered_from_1():
    assert [int(p.stem[:2]) for p in LESSONS] == list(range(1, len(LESSONS) + 1))


@each_lesson
def test_a_lesson_has_its_sections_in_order(path):
    heads = re.findall(r"(?m)^#{1,2} .*$", prose(path))
    assert heads[0].startswith(f"# Lesson {int(path.stem[:2])}. ") and sum(h.startswith("# ") for h in heads) == 1
    assert heads[1:3] == ["## Aim", "## Story"] and heads[-1] == "## Further reading" and re.match("## What this (does not show|cannot tell)", heads[-2])
    assert [h.split(".")[0] for h in heads[3:-2]] == [f"## Step {i}" for i in range(1, len(heads) - 4)] and len(heads) >= 8


@each_lesson
def test_a_lesson_takes_30_to_45_minutes_in_all(path):
    aim = next(text(c) for c in cells(path) if text(c).startswith("## Aim"))
    *parts, total = [int(n) for n in re.findall(r"(?m)^\|.*\| \**(\d+)\** \|$", aim)]
    assert len(parts) >= 5 and 30 <= sum(parts) <= 45 and total == sum(parts) and "| **Together** |" in aim


def test_the_readme_tells_each_lessons_minutes():
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"\(student/(.*)\) \|.*\| (\d+) \|", readme))
    assert told == {p.name: re.search(r"\*\*Together\*\* \| \*\*(\d+)\*\*", prose(p))[1] for p in LESSONS}


@each_lesson
def test_code_is_short_enough_to_read(path):
    for cell in code_cells(path):
        assert len(text(cell).split("\n")) <= 12 + 2 * tagged(cell, "exercise"), cell["id"]        # the two marks around a solution are not read
        assert max(map(len, text(cell).split("\n"))) <= 120, cell["id"]
        assert not [n for n in ast.walk(ast.parse(text(cell))) if isinstance(n, (ast.FunctionDef, ast.ClassDef))]


@each_lesson
def test_each_exercise_is_a_task_then_code_then_a_check(path):
    found = cells(path)
    numbers = [int(n) for n in re.findall(r"(?m)^### Exercise (\d+)", prose(path))]
    kinds = ["exercise" if tagged(c, "exercise") else "check" if tagged(c, "check") else "task" if re.search(r"(?m)^### Exercise \d", text(c)) else "" for c in found]
    assert 4 <= len(numbers) <= 6 and numbers == list(range(1, len(numbers) + 1))
    assert [k for k in kinds if k] == ["task", "exercise", "check"] * len(numbers)
    assert all(kinds[i - 1:i + 2] == ["task", "exercise", "check"] for i, k in enumerate(kinds) if k == "exercise")
    checks = [text(c) for c in found if tagged(c, "check")]
    assert all(len(re.findall(r"sprx\.check_answer\(", c)) == 1 for c in checks)        # a notebook shows the last value only


@each_lesson
def test_a_lesson_is_committed_without_outputs_with_readable_ids_and_no_place_of_ours(path):
    found, whole = cells(path), json.loads(path.read_text(encoding="utf-8"))
    assert not any(c.get("outputs") or c.get("execution_count") for c in found)
    assert max(Counter(c["id"] for c in found).values()) == 1 and all(re.fullmatch(r"[a-z0-9-]{3,64}", c["id"]) and not re.fullmatch("[0-9a-f]{8}", c["id"]) for c in found)
    assert whole["metadata"]["kernelspec"]["name"] == "python3"
    nbformat.validate(nbformat.reads(path.read_text(encoding="utf-8"), 4))
    assert not re.search(r"/(work|home|tmp)/", path.read_text(encoding="utf-8"))


@each_lesson
def test_checks_are_folded_as_they_hold_the_answers_and_work_nothing_out_for_other_cells(path):
    defined, student = {}, code_cells(FOLDER / "student" / path.name)
    assert all(bool(c["metadata"].get("jupyter", {}).get("source_hidden")) == tagged(c, "check") for c in student)
    for cell in student:
        used = [n for n in ast.walk(ast.parse(text(cell))) if isinstance(n, ast.Name)]
        stored = {n.id for n in used if isinstance(n.ctx, ast.Store)}
        assert not [n.id for n in used if n.id not in stored and defined.get(n.id) == {"check"}], cell["id"]
        for name in stored:
            defined.setdefault(name, set()).add("check" if tagged(cell, "check") else "lesson")


def sentence_check(lesson, number):
    """Run the lesson up to the check of an exercise, and give what judges an answer to it."""
    names, path = {}, next(p for p in LESSONS if p.stem.startswith(lesson))
    for cell in code_cells(path):
        if tagged(cell, "check") and re.search(rf"(ercise-|ex){number}-check", cell["id"]):
            return lambda name, answer: run_cell(cell, names | {name: answer})
        if not tagged(cell, "check"):
            run_cell(cell, names)


@pytest.mark.parametrize("lesson, number, name, right, not_right", [
    ("01", 2, "my_question", [dict(P="lonely older adults in Leeds", I="befriending", C=c, O="UCLA score after 90 days") for c in ("adults given a leaflet", "usual GP care")],
     [dict(P="lonely older adults in Leeds", I="befriending", C=c, O="UCLA score after 90 days") for c in ("none", "nobody", "themselves at the start")]),
    ("03", 5, "sentence", ["Grant 2000 (abstract): HADS-A 1.9 points lower (0.7 to 3.0) than with routine GP care.", "Abstract only: HADS-A 1·9 points better (0·7 to 3) compared with routine care."],
     ["Grant 2000 (abstract): HADS-A 1.9 points higher (0.7 to 3.0) than with routine care.", "Grant (abstract): HADS-A differs by 1.9 (0.7 to 3.0) from routine care.", "Abstract: HADS-A 1.9 lower (0.7 to 3.0) than routine care, proving that it works."]),
    ("05", 6, "sentence", ["Moorside (synthetic) improved by 3.5 points (2.9 to 4.0), which isn’t an effect of the scheme.", "Synthetic data: a rise of 3.5 (2.9 to 4.0) that must not be attributed to the scheme."],
     ["Moorside (synthetic): a change of 3.5 (2.9 to 4.0). The effect was 3.5, not a chance effect.", "Synthetic: a change of 3.5 (2.9 to 4.0)."]),
    ("08", 4, "on_anxiety", ["We do not know whether it lowers anxiety: -1.2 (-3.2 to 0.8) vs usual care."],
     ["It probably lowers anxiety, though that is very uncertain: -1.2 (-3.2 to 0.8) vs usual care.", "There is no uncertainty: 1.2 lower (-3.2 to 0.8) than usual care."])])
def test_checks_of_texts_take_other_words_and_refuse_what_is_wrong(lesson, number, name, right, not_right):
    judge = sentence_check(lesson, number)
    assert all(isinstance(judge(name, answer), teaching.Right) for answer in right)
    for answer in not_right:
        with pytest.raises(teaching.WrongAnswer):
            judge(name, answer)


@each_lesson
def test_links_from_lesson_to_lesson_lead_somewhere(path):
    assert {link for link in re.findall(r"\]\(([^)#:]+)\)", prose(path))} <= {p.name for p in LESSONS}


# ---- one source

def test_students_versions_are_what_the_script_makes():
    student = FOLDER / "student"
    assert sorted(p.name for p in student.glob("*")) == [p.name for p in LESSONS], "run scripts/lessons.py"
    for path in LESSONS:
        assert (student / path.name).read_text(encoding="utf-8") == SCRIPT["students_version"](path), "run scripts/lessons.py"


@each_lesson
def test_nothing_of_a_solution_is_left_in_the_students_version(path):
    student = FOLDER / "student" / path.name
    assert "# solution" not in student.read_text(encoding="utf-8")
    for solved, open_, following in zip(cells(path), cells(student), [*cells(path)[1:], None], strict=True):
        if tagged(solved, "exercise"):
            answers = SCRIPT["answers"](text(solved), text(following))
            assert answers and [line for line in text(open_).split("\n") if "= ..." in line] == [f"{name} = ...  # your answer" for name in answers]
            given = [line.strip() for line in SCRIPT["solution"](text(solved))[1] if line.strip()]
            assert not set(given) & {line.strip() for line in text(open_).split("\n")}
        else:
            assert solved == open_


def notebook_of(*exercise, check="sprx.check_answer(a, 3)"):
    cell = {"cell_type": "code", "id": "x", "metadata": {"tags": ["exercise"]}, "source": "\n".join(exercise)}
    return {"cells": [cell, {"cell_type": "code", "id": "y", "metadata": {"tags": ["check"] if check else []}, "source": check}]}


def test_the_script_leaves_a_line_for_each_answer_and_the_rest_of_the_cell():
    found = SCRIPT["strip"](notebook_of("before = 1", "# solution", "helper = 2", "a = helper + 1", "# end of solution", "a"))
    assert text(found["cells"][0]) == "before = 1\na = ...  # your answer\na"


@pytest.mark.parametrize("exercise, check", [
    (["a = 3"], "sprx.check_answer(a, 3)"), (["# solution", "a = 3"], "sprx.check_answer(a, 3)"), (["# end of solution", "a = 3", "# solution"], "sprx.check_answer(a, 3)"),
    (["# solution", "b = 3", "# end of solution"], "sprx.check_answer(a, 3)"), (["# solution", "a = 3", "# end of solution"], "")])
def test_the_script_refuses_an_exercise_that_is_not_one(exercise, check):
    with pytest.raises(ValueError):
        SCRIPT["strip"](notebook_of(*exercise, check=check))


# ---- running

def run_cell(cell, names):
    """Run a cell as a notebook does, and give what it would show."""
    tree = ast.parse(text(cell))
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, cell["id"], "exec"), names)
    return eval(compile(ast.Expression(last.value), cell["id"], "eval"), names) if last else None


@pytest.fixture(autouse=True)
def quiet_world(monkeypatch):
    """Pictures that go nowhere, and none of a lesson's settings left behind."""
    import matplotlib.pyplot as plt

    matplotlib.use("Agg")
    with pd.option_context("display.max_colwidth", 50), plt.rc_context():
        yield
    plt.close("all")


@each_lesson
def test_the_solutions_run_in_a_kernel_without_an_error_or_a_warning(path):
    notebook = nbformat.read(path, 4)
    nbclient.NotebookClient(notebook, kernel_name="python3", kernel_manager_class=LocalKernelManager, timeout=60).execute()
    shown = [o for c in notebook.cells if c.cell_type == "code" for o in c.outputs]
    assert not [o for o in shown if o.output_type == "error" or o.get("name") == "stderr"]
    checks = [c for c in notebook.cells if "check" in c.metadata.get("tags", [])]
    assert all(c.outputs[-1]["data"]["text/plain"].startswith("Right.") for c in checks)


@each_lesson
def test_unsolved_every_check_fails_and_everything_else_runs(path):
    names = {}
    for cell in code_cells(FOLDER / "student" / path.name):
        if tagged(cell, "check"):
            with pytest.raises(teaching.NotAnswered):
                run_cell(cell, names)
        else:
            run_cell(cell, names)


def wrong(value, within):
    """Answers that are like a right one, and wrong."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, str):
        return ["It works.", "The scheme had a significant effect."]
    if isinstance(value, (set, frozenset)):
        return [value - {min(value)}, value | {"nobody2099"}, set()]
    if isinstance(value, (list, tuple)):
        return [[], list(value)[1:], *([*value[:i], other, *value[i + 1:]] for i, part in enumerate(value) for other in wrong(part, within)[:1])]
    if isinstance(value, dict):
        less = [{k: v for k, v in value.items() if k != gone} for gone in value]
        return less + [value | {k: "?" if isinstance(v, str) else wrong(v, within)[0]} for k, v in value.items()]
    if isinstance(value, (pd.Series, pd.DataFrame)):
        return [value.iloc[1:], value.iloc[:0], value.map(lambda v: "?" if isinstance(v, str) else wrong(v, within)[0])]
    far = 10 * within if within else max(1, abs(value) / 10)
    return [value + far, value - far, str(value), math.nan]


def also_right(path, cell, answer):
    """Answers that differ from the solution and are right, too: GRADE leaves it to a rater whether a wide interval of studies that disagree is one problem or two."""
    return (path.stem, cell["id"]) == ("08_recommendation", "exercise-3-check") and isinstance(answer, dict) and 0 in (answer.get("inconsistency"), answer.get("imprecision"))


@each_lesson
def test_solved_every_check_passes_and_fails_when_an_answer_is_wrong(path, monkeypatch):
    names, seen, answers = {}, [], []
    monkeypatch.setattr(sprx, "check_answer", lambda *a, **k: (seen.append(k.get("within")), teaching.check_answer(*a, **k))[1], raising=False)
    for cell in code_cells(path):
        if tagged(cell, "check"):
            assert isinstance(run_cell(cell, names), teaching.Right), cell["id"]
            for name in answers:
                right = names[name]
                for other in [*wrong(right, seen[-1]), None]:
                    names[name] = other
                    if also_right(path, cell, other):
                        assert isinstance(run_cell(cell, names), teaching.Right)
                        continue
                    with pytest.raises(teaching.WrongAnswer):
                        print(path.stem, cell["id"], name, "=", other, "->", run_cell(cell, names))
                names[name] = right
            continue
        if tagged(cell, "exercise"):
            check = code_cells(path)[code_cells(path).index(cell) + 1]
            answers = SCRIPT["answers"](text(cell), text(check))
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            run_cell(cell, names)


# ---- what lessons 1 to 4 say of the base in words, which no check works out

@pytest.fixture(scope="module")
def base():
    return sprx.read_base()


@pytest.fixture(scope="module")
def studies(base):
    return base["studies"].set_index("study_id")


@pytest.fixture(scope="module")
def effects(base):
    return sprx.effects_with_studies(base)


def test_lesson_1_the_name_misses_every_trial_and_the_york_review_was_not_read_in_full(studies):
    trials = studies[(studies["design"] == "rct") & (studies["link_worker"] == "yes")]
    assert len(trials) > 3 and not trials["title"].str.contains("social prescri", case=False).any()
    assert studies["where_read"][["crd2015", "bickerdike2017"]].tolist() == ["not read", "abstract"]


def test_lesson_2_luton_has_three_rows_one_kept_study_is_unclear_and_nothing_was_read_in_full(studies):
    luton = studies[studies["programme"].str.contains("Luton")]
    assert len(luton) == 3 and luton["first_author"].nunique() == 1 and (luton["design"] == "qualitative").sum() == 1
    assert (studies[studies["design"].isin(["rct", "nrct_controlled"])]["link_worker"] == "").sum() == 1
    assert not (studies["where_read"] == "full text").any()


def test_lesson_3_grant_is_the_oldest_trial_and_no_standardised_difference_is_of_several_sds(studies, effects):
    assert studies[studies["design"] == "rct"]["year"].astype(int).idxmin() == "grant2000"
    assert set(studies["where_read"][["grant2000", "vandeventer2015"]]) == {"abstract"}
    grant = effects[effects["study_id"] == "grant2000"].iloc[0]
    assert "std_error" in grant["derived"] and grant["instrument"] == "HADS-A" and grant["adjusted"] == "yes" and grant["conf_level"] == 0.95
    assert effects[effects["effect_type"] == "smd"]["estimate"].abs().max() < 2
    assert (effects["study_id"] == "vandeventer2015").sum() == 1


def test_lesson_4_grant_is_judged_twice_unverified_the_gap_shrinks_and_glasgows_intervals_hold_0(base, effects):
    judged = base["appraisal"].query("study_id == 'grant2000'")
    assert sorted(judged["judgement"]) == ["high", "low"] and set(judged["verification"]) == {"unverified"}
    gap = effects[effects["study_id"] == "munford2017"]
    assert len(gap) == 3 and gap["estimate"].is_monotonic_decreasing and gap["conf_low"].iloc[0] > gap["conf_high"].iloc[2]
    glasgow = effects[effects["study_id"] == "mercer2019"]
    assert ((glasgow["conf_low"] < 0) & (glasgow["conf_high"] > 0)).all() and "not referred" in base["studies"].set_index("study_id")["note"]["mercer2019"]


# ---- into a learner's folder

def lessons(*arguments):
    result = CliRunner().invoke(cli.app, ["lessons", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


def test_sprx_lessons_copies_the_students_versions(tmp_path):
    status, words = lessons(tmp_path / "course")
    assert status == 0 and f"Wrote {len(LESSONS)} files to {tmp_path / 'course'}" in words.replace("\n", "")
    assert {p.name: p.read_bytes() for p in (tmp_path / "course").iterdir()} == {p.name: (FOLDER / "student" / p.name).read_bytes() for p in LESSONS}


def test_sprx_lessons_brings_solutions_when_asked_beside_the_others(tmp_path):
    assert lessons(tmp_path, "--solutions")[0] == 0
    assert all((tmp_path / "solutions" / p.name).read_bytes() == p.read_bytes() for p in LESSONS) and len(list(tmp_path.glob("*.ipynb"))) == len(LESSONS)


def test_sprx_lessons_leaves_what_a_learner_has_changed_and_says_so(tmp_path):
    lessons(tmp_path)
    mine = tmp_path / LESSONS[0].name
    mine.write_text("my answers", encoding="utf-8")
    (tmp_path / LESSONS[1].name).unlink()
    status, words = lessons(tmp_path)
    assert status == 1 and mine.read_text(encoding="utf-8") == "my answers" and mine.name in words and "rename" in words
    assert (tmp_path / LESSONS[1].name).exists()


def test_sprx_lessons_says_what_is_in_the_way(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    status, words = lessons(tmp_path / "file")
    assert status == 1 and "file" in words and "Traceback" not in words
