"""The real and the official samples of Open Referral feeds load with warnings, never a crash. They stay where they are: real ones are not ours to pass on."""

import shutil
from pathlib import Path

import pytest

from sprx import clean_scheme, load_scheme

SAMPLES = sorted((Path(__file__).parents[3] / "shared" / "reference" / "oruk_samples").glob("*.json"))
EXPECTED = {"oruk_v3_REAL_bristol_service": (1, ["age of -1", "no location"]), "oruk_v3_REAL_bristol_services_page1": (3, ["292 pages with 874 services", "age of -1", "no location"]),
            "oruk_v3_service_at_location_list": (1, ["10 pages", "out of range"]), "oruk_v3_service_full": (1, ["out of range", "could not be mapped"]),
            "oruk_v3_service_list": (1, ["10 pages", "no location"]), "oruk_v3_taxonomy_term_list": (0, ["taxonomy terms, not of services"])}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.stem)
def test_a_sample_loads_with_its_warnings(path, build):
    folder = build(provision=None, specs={"provision": {"file": "feed.json"}})
    shutil.copy(path, folder / "feed.json")
    scheme = clean_scheme(load_scheme(folder))
    count, warnings = EXPECTED[path.stem]
    assert len(scheme.tables.get("provision", ())) == count
    said = " | ".join(scheme.issues.loc[scheme.issues["table"].eq("provision"), "problem"])
    assert [w for w in warnings if w not in said] == []
    if count:
        assert "mailto" not in str(scheme.tables["provision"].to_dict()) and "@" not in str(scheme.tables["provision"].to_dict())        # no contact details are carried
        old = path.stem not in ("oruk_v3_REAL_bristol_service",)
        assert not old or "last checked more than 3 months" in said


def test_the_samples_are_all_here():
    assert {p.stem for p in SAMPLES} == set(EXPECTED)
