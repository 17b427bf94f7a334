"""Make the students' version of each lesson: notebooks/teaching/NN_name.ipynb without its solutions, in notebooks/teaching/student/.

    python scripts/lessons.py
"""

import ast
import copy
import json
from pathlib import Path

TEACHING = Path(__file__).resolve().parents[1] / "notebooks" / "teaching"
BEGIN, END = "# solution", "# end of solution"


def tagged(cell, tag):
    """Whether a cell has a tag."""
    return tag in cell["metadata"].get("tags", [])


def assigned(code):
    """Names that are assigned at the top level of some code, in their order."""
    targets = [t for node in ast.parse(code).body if isinstance(node, ast.Assign) for t in node.targets]
    return list(dict.fromkeys(t.id for t in targets if isinstance(t, ast.Name)))


def solution(code):
    """An exercise's lines before the solution, those of the solution, and those after it."""
    lines = code.split("\n")
    marks = [[i for i, line in enumerate(lines) if line.strip() == mark] for mark in (BEGIN, END)]
    if [len(m) for m in marks] != [1, 1] or marks[0] > marks[1]:
        raise ValueError(f"An exercise needs one line {BEGIN!r} and, below it, one line {END!r}:\n{code}")
    (begin,), (end,) = marks
    return lines[:begin], lines[begin + 1:end], lines[end + 1:]


def answers(exercise, check):
    """The names that a solution assigns and its check asks for."""
    asked = {node.id for node in ast.walk(ast.parse(check)) if isinstance(node, ast.Name)}
    names = [name for name in assigned("\n".join(solution(exercise)[1])) if name in asked]
    if not names:
        raise ValueError(f"The check asks for nothing that the solution assigns:\n{exercise}\n{check}")
    return names


def strip(notebook):
    """A lesson without its solutions: a line `name = ...  # your answer` for each name that the check asks for."""
    student = copy.deepcopy(notebook)
    for cell, following in zip(student["cells"], student["cells"][1:] + [None]):
        if tagged(cell, "exercise"):
            if following is None or not tagged(following, "check"):
                raise ValueError(f"No check follows the exercise {cell['id']}.")
            before, _, after = solution("".join(cell["source"]))
            names = answers("".join(cell["source"]), "".join(following["source"]))
            text = "\n".join([*before, *(f"{name} = ...  # your answer" for name in names), *after])
            cell["source"] = text.splitlines(keepends=True)
    return student


def students_version(path):
    """The text of the students' file of a lesson."""
    return json.dumps(strip(json.loads(path.read_text(encoding="utf-8"))), indent=1, ensure_ascii=False) + "\n"


def main():
    """Write every student's file anew, and take away those whose lesson is gone."""
    folder = TEACHING / "student"
    folder.mkdir(exist_ok=True)
    lessons = sorted(TEACHING.glob("*.ipynb"))
    for path in lessons:
        (folder / path.name).write_text(students_version(path), encoding="utf-8", newline="\n")
    for path in set(folder.glob("*.ipynb")) - {folder / p.name for p in lessons}:
        path.unlink()


if __name__ == "__main__":
    main()
