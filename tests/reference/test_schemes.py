"""The real scheme folders run as they are, and their reports agree with the reference results."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

SHARED = Path(__file__).parents[3] / "shared"
SCHEMES = ["beat-the-blues", "jobs-workshop", "positive-behaviour-support"]


@pytest.fixture(scope="session")
def reports(tmp_path_factory):
    out = tmp_path_factory.mktemp("real")
    done = subprocess.run([sys.executable, "-c", "from sprx.cli import main; main()", "run", *(str(SHARED / "schemes" / s) for s in SCHEMES),
                           "--out", str(out), "--jobs", "3"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out


def results(reports, scheme):
    return pd.read_csv(reports / scheme / "results.csv").set_index(["measure", "group", "level"])["estimate"]


def reference(name, key):
    return json.loads((SHARED / "reference_cases" / f"{name}.json").read_text(encoding="utf-8"))["results"][key]["values"]


def test_beat_the_blues_gives_the_mean_changes_of_each_arm(reports):
    expected, found = reference("prepost_btheb", "btheb_cc_change_ttest"), results(reports, "beat-the-blues")
    assert abs(found["paired_change_bdi2", "arm", "scheme"] - expected["mean1"]) < 1e-6 * abs(expected["mean1"])
    assert abs(found["paired_change_bdi2", "arm", "comparison"] - expected["mean0"]) < 1e-6 * abs(expected["mean0"])


def test_beat_the_blues_gives_the_people_at_each_visit_rounded(reports):
    expected = reference("prepost_btheb", "btheb_n_by_visit")
    table = pd.read_csv(reports / "beat-the-blues" / "results.csv")
    for arm, counts in (("comparison", expected["0"]), ("scheme", expected["1"])):
        found = table[table["measure"] == f"mean_score_{arm}_bdi2"].set_index("level")["n"]
        rounded = [5 * ((n + 2) // 5) for n in counts]
        assert [found[str(m)] for m in (0, 2, 4, 6, 8)] == rounded


def test_jobs_workshop_gives_the_uptake_from_rounded_counts(reports):
    expected = reference("impact_jobs2", "jobs_compliance")
    share = expected["comply_z1"] / expected["n_z1"]                     # 372 of 600
    assert abs(results(reports, "jobs-workshop")["uptake", "all", "all"] - share) <= 2.5 / expected["n_z1"]
    assert results(reports, "jobs-workshop")["uptake", "all", "all"] == pytest.approx(370 / 600)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_unanswerable_questions_say_what_they_need(reports, scheme):
    answers = {a["question"]: a for a in json.loads((reports / scheme / "answers.json").read_text(encoding="utf-8"))["answers"]}
    assert "needs referrals with a referral_date and a first_contact_date" in answers["when"]["text"]
    assert "needs a costs table" in answers["cost"]["text"]


@pytest.mark.parametrize("scheme, instrument, outcome", [("jobs-workshop", "depression", "mental_wellbeing"), ("beat-the-blues", "bdi2", "mental_wellbeing"),
                                                         ("positive-behaviour-support", "utility", "health_related_quality_of_life")])
def test_each_real_schemes_effect_is_in_its_record_and_the_record_is_taken(reports, scheme, instrument, outcome, tmp_path):
    from sprx.evidence import add_file

    path = reports / scheme / "evidence_record.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    shown = results(reports, scheme)
    effect, standardised = (shown[f"effect_{stem}{instrument}", "all", "all"] for stem in ("", "standardised_"))
    found = {e["effect_type"]: e for e in record["effects"]}
    assert found["mean_difference"]["estimate"] == pytest.approx(effect, rel=1e-5) and found["smd"]["estimate"] == pytest.approx(standardised, rel=1e-5)
    assert {e["outcome"] for e in record["effects"]} == {outcome} and record["maryland_level"] == 5 and record["period"] is None and not record["synthetic"]
    assert add_file(path, tmp_path / "base", "A. Analyst", "2026-11-24") == {"studies": 1, "effects": 2}
    answer = next(a for a in json.loads((reports / scheme / "answers.json").read_text(encoding="utf-8"))["answers"] if a["question"] == "evidence")
    assert "this scheme's effect is" in answer["text"] and "which could be chance" in answer["text"]
