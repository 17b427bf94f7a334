"""The anatomy of the report notebooks: a question, visible analysis in short cells, nothing shown except through the report."""

import ast
import json
from pathlib import Path

import pytest

from sprx.run import declared_parameters

FOLDER = Path(__file__).parents[1] / "notebooks" / "report"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def cells(path):
    return [(c["cell_type"], "".join(c["source"]), c) for c in json.loads(path.read_text(encoding="utf-8"))["cells"]]


def test_the_report_notebooks_of_the_design_are_there():
    assert [p.stem for p in NOTEBOOKS] == ["00_data_quality", "01_when", "02_for_whom", "03_how_well", "04_impact", "05_cost", "06_cost_effectiveness", "07_provision", "08_evidence", "09_transparency", "10_summary"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_has_one_first_level_heading_which_is_a_question_and_12_to_30_cells(path):
    heads = [line for kind, source, _ in cells(path) if kind == "markdown" for line in source.splitlines() if line.startswith("# ")]
    assert len(heads) == 1 and heads[0].endswith("?")
    assert cells(path)[0][1].startswith(heads[0])
    assert 12 <= len(cells(path)) <= 30


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_is_committed_without_outputs_and_with_literal_parameters(path):
    assert not any(c.get("outputs") or c.get("execution_count") for _, _, c in cells(path))
    assert {"scheme_dir", "output_dir"} <= set(declared_parameters(path))
    tagged = next(source for _, source, c in cells(path) if "parameters" in c["metadata"].get("tags", []))
    assert all("#" in line for line in tagged.splitlines())          # a comment each


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_code_cells_are_short_define_nothing_and_end_in_the_report(path):
    for kind, source, _ in cells(path):
        if kind != "code":
            continue
        tree = ast.parse(source)
        assert len([line for line in source.splitlines() if line.strip()]) <= 8, source
        assert not [n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.ClassDef))]
        last = tree.body[-1]
        while isinstance(last, (ast.For, ast.If)):
            last = last.body[-1]
        shown = isinstance(last, ast.Expr) and ast.unparse(last).split("(")[0].split(".")[0] == "report"
        assert shown or isinstance(last, (ast.Assign, ast.Import, ast.ImportFrom)), source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_each_section_begins_with_prose_and_limits_are_said(path):
    found = cells(path)
    assert all(found[i - 1][0] == "markdown" for i, (kind, source, _) in enumerate(found) if kind == "code" and "parameters" in str(found[i][2]["metadata"]))
    prose = " ".join(source for kind, source, _ in found if kind == "markdown").casefold()
    assert "cannot" in prose
    assert found[-1][1] == "report.write()" and found[-2][1] == "report.provenance()"
