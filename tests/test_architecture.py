"""Imports point one way, and nothing grows past what one can hold in mind."""

import ast
from pathlib import Path

import pytest

SPRX = Path(__file__).parents[1] / "sprx"
MODULES = sorted(p for p in SPRX.rglob("*.py") if "reference" not in p.parts)

# what each room (a module, or a folder of them) may know; the parts of a room may know one another
MAY_IMPORT = {
    "errors": set(), "reference": set(), "intervals": set(), "kernels": set(), "page": set(), "stats": {"errors"},
    "schema": {"reference"}, "scoring": {"reference"}, "results": {"errors", "intervals"}, "prices": {"errors", "reference"}, "settings": {"schema", "errors", "prices", "reference"}, "readers": {"errors"},
    "identifiers": {"schema"}, "open_referral": {"errors", "readers", "reference", "schema"}, "load": {"identifiers", "open_referral", "readers", "schema", "errors", "reference", "settings"},
    "clean_outcomes": {"load", "reference", "scoring"}, "clean_costs": {"load", "prices"}, "clean_provision": {"load"},
    "clean": {"schema", "clean_costs", "clean_outcomes", "clean_provision", "load", "reference"},
    "cohort": {"schema", "reference"}, "disclosure": {"intervals", "results"}, "wording": {"reference"}, "answers": {"wording"},
    "plots": {"wording"}, "tables": {"answers", "results"}, "report": {"disclosure", "answers", "plots", "results", "wording", "__version__"},
    "run": {"settings", "errors", "clean", "load", "page", "disclosure", "tables", "kernels", "answers", "wording", "__version__"},
    "lesson_data": {"reference"}, "lab": {"run", "settings"}, "key_words": set(), "template": {"errors", "key_words", "reference", "schema", "settings", "readers", "identifiers"},
    "sample": {"reference", "scoring", "schema"}, "untidy": set(), "teaching": {"errors"}, "sample_feeds": {"reference", "sample"}, "simulate": {"prices", "reference", "sample", "sample_feeds", "scoring", "stats", "untidy"},
    "evidence": {"errors", "readers", "reference", "results", "stats", "__version__"},
    "planning": {"errors", "reference", "stats"}, "planning_report": {"disclosure", "report", "review", "wording", "__version__"},
    "review": {"disclosure", "report", "results", "wording", "__version__"}, "run_review": {"errors", "evidence", "page", "results", "review", "run", "__version__"},
    "run_plan": {"errors", "page", "planning", "planning_report", "results", "run", "run_review", "template", "wording", "__version__"}, "cli_plan": {"cli", "errors", "run", "run_plan", "stats"},
    "cli": {"clean", "cli_plan", "errors", "evidence", "lab", "load", "run", "run_review", "simulate", "teaching", "template"},
}
METRICS_MAY_IMPORT = {"errors", "reference", "results", "intervals", "stats", "prices"}


def imported(path, depth=1):
    """The sprx rooms that one module imports, wherever in it; with depth 2 the parts of `metrics` are told apart."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "sprx":
            rest = node.module.split(".")[1:]
            found |= {".".join(rest[:depth if rest[0] == "metrics" else 1])} if rest else {a.name for a in node.names}
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("sprx.")}
            if any(a.name == "sprx" for a in node.names):
                found.add("__version__")
    return found


@pytest.mark.parametrize("path", [p for p in MODULES if p.name != "__init__.py"], ids=lambda p: str(p.relative_to(SPRX)))
def test_imports_point_one_way(path):
    room = path.relative_to(SPRX).with_suffix("").parts
    if room[0] == "metrics":            # one question's metrics know no other's
        own = {f"metrics.{room[1]}"} if len(room) > 2 else set()
        assert imported(path, depth=2) <= METRICS_MAY_IMPORT | own
    else:
        assert imported(path) <= MAY_IMPORT[room[0]] | ({room[0]} if len(room) > 1 else set())


def test_the_import_check_sees_an_import():
    assert imported(SPRX / "clean.py") >= {"load", "schema"} and "__version__" in imported(SPRX / "run.py")


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SPRX)))
def test_no_module_over_400_lines_no_function_over_40_and_no_shed(path):
    source = path.read_text(encoding="utf-8")
    assert source.count("\n") <= 400
    assert path.stem not in ("utils", "helpers", "common", "misc")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
            assert node.end_lineno - first.lineno + 1 <= 40, node.name


def test_every_public_function_says_what_it_is():
    silent = [f"{p.stem}.{n.name}" for p in MODULES for n in ast.parse(p.read_text(encoding="utf-8")).body
              if isinstance(n, (ast.FunctionDef, ast.ClassDef)) and not n.name.startswith("_") and not ast.get_docstring(n)]
    assert silent == []
