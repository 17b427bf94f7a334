"""Directories of local services: Open Referral UK v3 and v1 as JSON, CSV tables, flat sheets; what they offer; what is doubtful."""

import json
import time

import pandas as pd
import pytest

from sprx import clean_scheme, load_scheme
from sprx.errors import SchemeError
from sprx.open_referral import is_feed, read_provision
from sprx.open_referral.terms import map_service, plain_words
from sprx.reference import allowed, facts


def service(number=1, **more):
    return {"id": f"s{number}", "name": f"Walking group {number}", "status": "active", "organization": {"id": "o", "name": "Friends of walking"}, **more}


def page(services, number=1, pages=1, **more):
    return {"total_items": len(services) * pages, "total_pages": pages, "page_number": number, "size": len(services), "contents": services, **more}


def place(lat=50.1, lon=-4.1):
    return {"id": "p", "location": {"id": "l", "location_type": "physical", "latitude": lat, "longitude": lon}}


@pytest.fixture
def feed(tmp_path):
    """Write content (JSON-able, or text) to a file and read it as the provision table."""
    def read(content, name="services.json"):
        (tmp_path / name).write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return read_provision(tmp_path / name, {"file": name})
    return read


@pytest.fixture
def scheme(build):
    """A loaded and cleaned scheme whose provision is this feed."""
    def make(content, name="feed.json", **spec):
        folder = build(provision=None, specs={"provision": {"file": name, **spec}})
        (folder / name).write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return clean_scheme(load_scheme(folder))
    return make


def said(scheme):
    return " | ".join(scheme.issues.loc[scheme.issues["table"].eq("provision"), "problem"])


# ---- shapes

def test_a_v3_page_gives_a_row_per_service_with_its_place_ages_cost_and_date(feed):
    rows, notes = feed(page([service(1, minimum_age=18, maximum_age=99, assured_date="2025-09-02", service_at_locations=[place()],
                                     cost_options=[{"amount": 4.5}, {"amount": "£2"}], service_areas=[{"name": "Port", "uri": "http://x/id/E01990500"}])]))
    row = rows.loc[1]
    assert (row.service_id, row["name"], row.organisation, row.lat, row.lon) == ("s1", "Walking group 1", "Friends of walking", "50.1", "-4.1")
    assert (row.minimum_age, row.maximum_age, row.cost_gbp, row.assured_on, row.area_code) == ("18", "99", "2", "2025-09-02", "E01990500") and notes == []
    assert (row.activity_type, row.mapped_by) == ("physical_activity", "its name")


@pytest.mark.parametrize("content", [[page([service(1)], 1, 2), page([service(2)], 2, 2)], [service(1), service(2)], {"services": [service(1), service(2)]}])
def test_several_pages_a_plain_list_and_other_names_of_the_list_are_read(feed, content):
    rows, notes = feed(content)
    assert list(rows["service_id"]) == ["s1", "s2"] and not any("missing" in n for n in notes)


def test_one_full_service_is_a_feed_of_one(feed):
    assert list(feed(service(7))[0]["service_id"]) == ["s7"]


def test_a_folder_of_pages_is_read_whole(tmp_path):
    for n in (1, 2, 3):
        (tmp_path / f"page{n}.json").write_text(json.dumps(page([service(n)], n, 3)))
    rows, notes = read_provision(tmp_path, {})
    assert list(rows["service_id"]) == ["s1", "s2", "s3"] and not any("pages" in n for n in notes)


def test_services_at_locations_are_one_service_each_however_many_places(feed):
    rows, notes = feed(page([{"id": "a", "service": service(1), "location": {"latitude": 50, "longitude": -4}}, {"id": "b", "service": service(1), "location": {"latitude": 51, "longitude": -4}},
                             {"id": "c", "service": service(2), "location": {}}]))
    assert list(rows["service_id"]) == ["s1", "s2"] and rows["lat"].iloc[0] == "50"
    assert any("1 of 2 services are given at several locations" in n for n in notes)


def test_a_version_1_feed_is_read(feed):
    rows, notes = feed({"totalElements": 2, "totalPages": 1, "number": 1, "content": [
        {"id": "v1", "name": "Job club", "regular_schedules": [], "eligibilitys": [{"minimum_age": 16, "maximum_age": -1}],
         "service_taxonomys": [{"id": "t", "taxonomy": {"id": "esdServiceType:298", "name": "Carers support groups", "vocabulary": "esdServiceTypes"}}],
         "service_at_locations": [place(51, -2)]}, {"id": "v2", "name": "Choir"}]})
    assert list(rows["activity_type"]) == ["carer_support", "arts_culture"] and list(rows["mapped_by"]) == ["code list", "its name"]
    assert rows["minimum_age"].iloc[0] == "16" and rows["maximum_age"].isna().all() and "1 of 2 services give an age of -1" in " ".join(notes)


@pytest.mark.parametrize("plural", [True, False])
def test_csv_tables_are_joined_by_their_ids(tmp_path, plural):
    end = "s" if plural else ""
    for name, text in {f"service{end}": "id,organization_id,name,description,status,minimum_age\ns1,o1,Tuesday thing,A friendly lunch club,active,60\ns2,o1,Old thing,,defunct,\n",
                       f"organization{end}": "id,name\no1,The Hall\n", f"location{end}": "id,latitude,longitude\nl1,50.2,-4.2\n", "service_at_location": "id,service_id,location_id\nx,s1,l1\n",
                       f"taxonomy_term{end}": "id,name,taxonomy,term_uri\nt1,Lunch clubs,local,\n", "attribute": "id,link_id,taxonomy_term_id\na,s1,t1\n",
                       f"cost_option{end}": "id,service_id,amount\nc,s1,3\n", f"service_area{end}": "id,service_id,name\nz,s1,Northtown\n"}.items():
        (tmp_path / f"{name}.csv").write_text(text)
    rows, notes = read_provision(tmp_path, {})
    assert rows.iloc[0][["service_id", "organisation", "activity_type", "lat", "minimum_age", "cost_gbp", "area_code", "mapped_by"]].tolist() == \
        ["s1", "The Hall", "social_group", "50.2", "60", "3", "Northtown", "its terms"]
    assert len(rows) == 1 and any("calls them defunct: 1 of 2" in n for n in notes)
    by_file = tmp_path / f"service{end}.csv"
    assert is_feed(by_file) and read_provision(by_file, {})[0].equals(rows)


def test_a_flat_sheet_called_services_stays_a_flat_sheet(tmp_path):
    (tmp_path / "services.csv").write_text("service_id,name,activity_type\ns1,Choir,arts_culture\n")
    assert not is_feed(tmp_path / "services.csv") and list(read_provision(tmp_path / "services.csv", {})[0]["activity_type"]) == ["arts_culture"]


# ---- what a service offers

def test_code_lists_come_before_names_and_names_before_descriptions():
    carers = [("esdServiceType:298", "Carers support groups")]
    assert map_service("Walking group", "choir", carers)["activity_type"] == "carer_support"
    assert map_service("Walking group", "choir", [("http://id.esd.org.uk/service/298", "x")])["mapped_by"] == "code list"
    assert map_service("Walking group", "a choir", [("", "Debt advice")])["activity_type"] == "debt"
    assert map_service("Walking group", "a choir", [("", "local word")]) | {} == dict(activity_type="physical_activity", also_offers=None, needs=None, mapped_by="its name")
    assert map_service("Tuesday thing", "<p>a choir, singing &amp; music; tea after the walk</p>", [])["activity_type"] == "arts_culture"
    assert map_service("Tuesday thing", "we meet", []) == dict(activity_type="other", also_offers=None, needs=None, mapped_by="not mapped")


def test_a_service_that_offers_two_kinds_says_both_and_its_needs():
    found = map_service("Choir and lunch club for lonely people", None, [("esdNeed:69", "Social inclusion")])
    assert found["activity_type"] == "arts_culture" and found["also_offers"] == "social_group" and found["needs"] == "loneliness_isolation"
    assert map_service("x", None, [("openActiveActivity:zumba", "Zumba")])["activity_type"] == "physical_activity"


def test_words_are_whole_and_plurals_count():
    assert map_service("Artisan bakers", None, [])["activity_type"] == "other"
    assert map_service("Choirs", None, [])["activity_type"] == "arts_culture" and map_service("CARERS' café", None, [])["activity_type"] == "carer_support"


def test_every_code_and_keyword_stands_for_a_value_of_the_standard_and_says_where_it_comes_from():
    for name in ("service_codes", "service_keywords"):
        table = facts(name)
        assert set(table["kind"]) == {"activity_type", "need"} and table["source"].ne("").all() and not table.duplicated(["kind", "value", table.columns[0]]).any()
        for kind, rows in table.groupby("kind"):
            assert set(rows["value"]) <= set(allowed(kind))
    assert set(facts("service_keywords").query("kind == 'activity_type'")["value"]) == set(allowed("activity_type")) - {"other"}
    assert list(facts("activity_families")["activity_type"].sort_values()) == sorted(allowed("activity_type")) and set(facts("service_codes")["verification"]) <= {"verified", "secondary", "unverified"}


def test_the_schemes_own_table_has_the_last_word(scheme, build):
    folder = build(provision=None, specs={"provision": {"file": "feed.json", "own_table": "ours.csv"}})
    (folder / "feed.json").write_text(json.dumps([service(1), service(2, attributes=[{"taxonomy_term": {"name": "Mondays"}}]), service(3)]))
    (folder / "ours.csv").write_text("service_id,term,activity_type,run_by_scheme,capacity_per_month\n,Mondays,Debt advice,,\ns2,,,yes,12\ns3,,choir,,\n")
    rows = load_scheme(folder).tables["provision"]
    assert list(rows["activity_type"]) == ["physical_activity", "debt", "arts_culture"] and list(rows["mapped_by"]) == ["its name", "own table", "own table"]
    assert list(rows["run_by_scheme"].fillna(False)) == [False, True, False] and rows["capacity_per_month"].iloc[1] == 12


@pytest.mark.parametrize("text, words", [("service_id,activty_type\ns1,debt\n", "Did you mean 'activity_type'?"), ("activity_type\ndebt\n", "neither service_id nor term"),
                                         ("service_id,activity_type\ns1,juggling\n", "'juggling' is no kind of activity")])
def test_a_wrong_table_of_ones_own_is_refused_with_its_reason(build, text, words):
    folder = build(provision="service_id,activity_type\ns1,debt\n", specs={"provision": {"own_table": "ours.csv"}})
    (folder / "ours.csv").write_text(text)
    with pytest.raises(SchemeError, match=words.replace("?", r"\?")):
        load_scheme(folder)


def test_a_table_of_ones_own_belongs_to_provision_only(refusal):
    assert "own_table belongs to provision only" in refusal(specs={"people": {"own_table": "x.csv"}})


# ---- bad input

@pytest.mark.parametrize("content, words", [
    ("<!DOCTYPE html><html><body>502 Bad Gateway</body></html>", "is a web page or XML and no JSON"), ('{"contents": [{"id": "s1"', "is not JSON (line 1"), ("", "is empty"),
    ('{"error": "rate limit exceeded"}', "the feed answered 'rate limit exceeded'"), ('{"version": "3.0"}', "found ['version']"), ("7", "holds int"), ("[]", "there is no service"),
    (json.dumps([{"id": "t", "name": "n", "taxonomy": "x"}]), "a list of taxonomy terms"), ("[" * 100_000, "nested too deeply")])
def test_what_is_no_feed_says_so_and_what_to_do_and_stops_nothing_else(scheme, content, words):
    found = scheme(content)
    row = found.issues[found.issues["table"].eq("provision")].iloc[0]
    assert words in row.problem and "Save the answer of the feed's /services address again" in row.problem and row.action == "file not read"
    assert "provision" not in found.tables and len(found.tables["people"]) == 3


def test_a_feed_that_is_not_there_or_a_folder_without_one_stops_nothing(build):
    folder = build(provision=None, specs={"provision": {"file": "feed.json"}})
    assert "feed.json is not in the scheme folder" in said(load_scheme(folder))
    (folder / "feed.json").mkdir()
    (folder / "feed.json" / "note.txt").write_text("x")
    assert "holds neither JSON pages nor a services.csv. Found: ['note.txt']" in said(load_scheme(folder))


def test_missing_pages_are_counted(scheme):
    assert "the feed says that it has 4 pages with 8 services; 1 is here, with 2 services" in said(scheme(page([service(1), service(2)], 1, 4)))
    assert "pages are missing" not in said(scheme([page([service(1)], 1, 2), page([service(2)], 2, 2)]))
    assert "services are missing: the feed says that it has 9; 1 are here" in said(scheme(page([service(1)], total_items=9)))


def test_a_service_without_a_name_is_kept_and_counted_and_one_without_an_id_is_set_aside(scheme):
    found = scheme([service(1) | {"name": "  "}, service(2), {"name": "Nobody", "status": "active"}])
    assert len(found.tables["provision"]) == 2 and found.tables["provision"]["name"].isna().sum() == 1 and "1 of 3 services have no name" in said(found)
    assert len(found.set_aside["provision"]) == 1


def test_of_two_services_with_one_id_the_first_is_kept(scheme):
    found = scheme(page([service(1), service(1), service(2)]))
    assert list(found.tables["provision"]["service_id"]) == ["s1", "s2"] and len(found.set_aside["provision"]) == 1


def test_services_that_are_not_running_are_left_out_with_their_number(scheme):
    found = scheme([service(1), service(2, status="inactive"), service(3, status="defunct"), service(4, status="Temporarily closed"), service(5, status=None)])
    assert list(found.tables["provision"]["service_id"]) == ["s1", "s5"] and "calls them inactive: 1 of 5" in said(found) and "temporarily closed: 1 of 5" in said(found)


def test_latitude_100_and_age_minus_1_are_set_to_missing_and_said(scheme):
    found = scheme([service(1, minimum_age=-1, maximum_age=-1, service_at_locations=[place(100, 101)]), service(2)])
    rows = found.tables["provision"]
    assert rows["lat"].isna().all() and rows["minimum_age"].isna().all() and "age of -1" in said(found) and "1 of 2 services have no location" in said(found)
    assert ((found.issues["column"] == "lat") & (found.issues["problem"] == "out of range") & (found.issues["found"] == "100")).any()


def test_dates_older_than_three_months_are_stale(scheme):
    found = scheme([service(1, assured_date="2025-09-29"), service(2, assured_date="2025-09-30"), service(3, assured_date="2026-02-01"), service(4)])
    assert "1 of 4 services were last checked more than 3 months before" in said(found) and "1 of 4 services were checked after" in said(found)


def test_a_script_in_a_description_or_a_name_is_only_text(scheme):
    found = scheme([service(1, name="<script>alert(1)</script>Choir", description="<script>alert('x')</script> singing")])
    assert found.tables["provision"]["name"].iloc[0] == "alert(1) Choir"
    assert plain_words("a &lt;b&gt; <img src=x onerror=y> c") == "a <b> c"


@pytest.mark.parametrize("junk", [None, 7, "x", [], [None, 3], {"a": 1}, [[1]], True])
@pytest.mark.parametrize("field", ["name", "description", "organization", "attributes", "service_at_locations", "service_areas", "cost_options", "eligibilitys", "assured_date", "status",
                                   "minimum_age", "pc_metadata", "capacities", "fees", "locations"])
def test_a_field_of_the_wrong_kind_counts_as_not_given(feed, field, junk):
    assert len(feed([service(1) | {field: junk}])[0]) == 1


def test_free_and_monthly_capacity_are_understood(feed):
    rows, _ = feed([service(1, fees="Free of charge", capacities=[{"maximum": 20, "unit": {"name": "people per month"}}]), service(2, fees="£3"), service(3, capacities=[{"maximum": 9}])])
    assert list(rows["cost_gbp"].fillna("")) == ["0", "", ""] and list(rows["capacity_per_month"].fillna("")) == ["20", "", ""]


def test_a_feed_named_outside_the_folder_is_refused(build):
    folder = build(provision=None, specs={"provision": {"file": "../feed.json"}})
    with pytest.raises(SchemeError, match="outside the scheme folder"):
        load_scheme(folder)


def test_ten_thousand_services_take_a_few_seconds(scheme):
    words = "A friendly place where people meet, sing in a choir, walk and talk about money, housing and whatever else is on their mind. " * 12
    services = [service(n, name=f"Group number {n}", description=words, service_at_locations=[place(50 + n % 100 / 1000, -4 - n // 100 / 1000)], assured_date="2025-11-01") for n in range(10_000)]
    begun = time.perf_counter()
    found = scheme(page(services))
    assert len(found.tables["provision"]) == 10_000 and time.perf_counter() - begun < 20        # 4 s on a quiet machine


def test_the_tables_columns_are_those_of_the_standard(feed):
    from sprx import schema
    from sprx.open_referral.feed import COLUMNS
    assert list(feed([service(1)])[0].columns) == COLUMNS and set(COLUMNS) == set(schema.columns("provision").index)
    assert isinstance(feed([service(1)])[0], pd.DataFrame)
