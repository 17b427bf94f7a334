"""The documents are true of the code: links lead somewhere, every command, measure and rule is described."""

import re
from pathlib import Path

import pandas as pd
import pytest

from sprx.disclosure import RULES
from sprx.settings import DISCLOSURE_RULES

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    links = re.findall(r"\]\(([^)#:\s]+)\)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_the_readme_names_every_command():
    from sprx.cli import app

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [c.callback.__name__ for c in app.registered_commands if f"`sprx {c.callback.__name__} " not in readme] == []


def test_the_methods_describe_every_measure_that_a_report_releases():
    methods = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    measures = {m for path in (ROOT / "tests" / "golden").glob("*_results.csv") for m in pd.read_csv(path)["measure"]}
    assert len(measures) > 15
    bases = {re.sub(r"_(swemwbs|ucla3|phq9|ons_life_sat|eq5d5l_map|gp|ae)$", "", m) for m in measures}
    assert {"rows_read", "uptake", "paired_change", "share_in_suitable_group"} <= bases
    assert sorted(b for b in bases if f"`{b}" not in methods) == []


def test_the_rules_for_small_numbers_are_the_same_everywhere():
    assert tuple(RULES) == DISCLOSURE_RULES
    methods = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in methods for name in RULES)


def test_a_decision_record_is_short():
    for path in (ROOT / "docs" / "decisions").glob("*.md"):
        assert len(path.read_text(encoding="utf-8").strip().splitlines()) <= 8, path.name
