"""Chapter 07: what exists locally beside what people are sent to; the planted gaps; sentences and figures."""

import json
import re
import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from sprx import clean_scheme, load_scheme
from sprx.cohort import provision as cohort
from sprx.disclosure import HIDDEN, RULES, not_about_people, release
from sprx.intervals import difference_of_shares, poisson, wilson
from sprx.metrics import provision as metrics
from sprx.plots import plot_estimates
from sprx.plots.provision import plot_gap_areas, plot_services_map
from sprx.reference import allowed, facts
from sprx.report import Report, start_report
from sprx.results import PLACE_COLUMNS
from sprx.wording import level_name
from sprx.wording import provision as words
from test_evidence_chapter import BANNED
from test_reports import SAMPLE

NHSE, LT5 = RULES["nhse_1_7_round5"], RULES["suppress_lt5"]
KINDS = cohort.all_kinds()


@pytest.fixture(autouse=True)
def no_figure_is_left_behind():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def schemes():
    return {name: clean_scheme(load_scheme(SAMPLE / name)) for name in ("castle", "harbour", "moorside", "northfield")}


@pytest.fixture(scope="module")
def planted():
    return pd.read_csv(SAMPLE / "truth.csv").set_index(["scheme_id", "quantity"])["value"]


def listed(*rows, **more):
    """Services by kind from (id, kind, lat, lon, name)."""
    table = pd.DataFrame(rows, columns=["service_id", "activity_type", "lat", "lon", "name"])
    return table.assign(**{c: np.nan for c in ("capacity_per_month", "cost_gbp", "minimum_age", "maximum_age")} | dict(needs=None, run_by_scheme=False) | more)


def given(**counts):
    return pd.DataFrame({"activity_type": [k for k, n in counts.items() for _ in range(n)]}).assign(service_id=None, month="2025-01")


def at(table, measure, level="all"):
    return table[(table["measure"] == measure) & (table["level"] == level)].iloc[0]


# ---- what is listed, and what is planted in the four sample schemes

def test_the_planted_gaps_of_all_four_schemes_are_found_and_no_others(schemes, planted):
    for name, scheme in schemes.items():
        table = metrics.services_by_type(cohort.services_by_kind(cohort.local_services(scheme)), KINDS)
        gaps = {q.removeprefix("provision_gap_") for q in planted[name].index if q.startswith("provision_gap_")}
        assert set(words.absent_kinds(table)) == gaps and gaps, name
        assert all(level_name("activity_type", g).lower() in words.describe_listed(table) for g in gaps)


def test_the_planted_pair_listed_twice_and_the_schemes_own_service_are_found(schemes):
    castle = cohort.services_by_kind(cohort.local_services(schemes["castle"]))
    pairs = metrics.services_alike(castle, 0.3)
    assert list(pairs["note"]) == ["Lunch club / The Lunch Club"]
    own = metrics.offered_nearby(cohort.services_by_kind(cohort.local_services(schemes["northfield"])), 50)
    assert len(own) == 1 and own["estimate"].iloc[0] == 1 and "the nearest is" in own["method"].iloc[0]
    assert "1 other service offers social and peer groups within 50 km" in words.describe_offered_nearby(own, 50)


def test_the_planted_group_that_buckles_is_found(schemes, planted):
    scheme = schemes["harbour"]
    groups = cohort.community_groups(scheme, cohort.local_services(scheme))
    table = metrics.community_changes(groups)
    for what, state in (("growing", 1), ("holding", 0), ("buckling", -1)):
        name, change = next((q.rsplit("_", 1)[1], v) for q, v in planted["harbour"].items() if q.startswith(f"community_{what}"))
        assert at(table, "community_state", name).estimate == state
        assert at(table, "community_members_change", name).estimate == pytest.approx(100 * change, abs=0.5)
    sent = release(metrics.referrals_sent(cohort.prescriptions(scheme), groups), NHSE)
    said = words.describe_community(table, sent)
    assert said.startswith("Of 3 groups that are counted, 1 is growing, 1 is holding and 1 is buckling. To the group buckling, people were sent 15 times") and not BANNED.search(said)


def test_services_of_several_kinds_count_in_each_and_of_no_known_kind_in_none(build):
    scheme = clean_scheme(load_scheme(build(provision="service_id,activity_type,also_offers\na,choir,lunch club; debt advice\nb,other,\nc,choir,\n")))
    table = metrics.services_by_type(cohort.services_by_kind(cohort.local_services(scheme)), KINDS)
    assert [at(table, "services_listed", k).estimate for k in ("arts_culture", "social_group", "debt", "housing")] == [2, 1, 1, 0]
    total = at(table, "services_listed")
    assert (total.estimate, total.n, total.n_missing) == (3, 2, 1) and "for 1 of them the kind of activity could not be told" in words.describe_listed(table)


def test_entries_are_fresh_for_three_months_and_no_longer(build):
    scheme = clean_scheme(load_scheme(build(provision="service_id,activity_type,assured_on,capacity_per_month,lat,lon\na,choir,2025-09-30,5,50,-4\nb,choir,2025-09-29,,,\nc,other,,,50,\nd,choir,2026-01-01,1,50,-4\n")))
    table = metrics.services_that_say(cohort.local_services(scheme), scheme.settings.extract_date)
    assert {r.level: r.estimate for r in table.itertuples()} == {"checked in the last three months": 0.5, "kind of activity": 0.75, "place": 0.5, "places a month": 0.5, "cost": 0, "ages": 0}
    assert "Of 4 services, 50% were checked" in words.describe_entries(table) and "may not take people" in words.describe_entries(table)


def test_places_free_services_and_ages():
    rows = listed(("a", "debt", 0, 0, "A"), ("b", "debt", 0, 0, "B"), ("c", "debt", 0, 0, "C"), capacity_per_month=[5, np.nan, 7], cost_gbp=[0, 2, np.nan], minimum_age=[60, np.nan, np.nan], maximum_age=[np.nan, 30, np.nan])
    table = metrics.places_of_services(rows, KINDS)
    assert (at(table, "services_places", "debt").estimate, at(table, "services_places", "debt").n_missing, at(table, "services_free", "debt").estimate) == (12, 1, 0.5)
    assert [at(table, "services_taking_age", str(a)).estimate for a in (18, 40, 65)] == [0.5, 0, 0.5] and at(table, "services_taking_age", "18").n == 2


# ---- the gap index

@pytest.mark.parametrize("first, of_first, second, of_second, expected", [(56, 70, 48, 80, (0.0524, 0.3339)), (9, 10, 3, 10, (0.1705, 0.8090)), (10, 10, 0, 20, (0.6791, 1.0))])
def test_the_difference_of_shares_is_newcombes(first, of_first, second, of_second, expected):
    # Newcombe RG (1998) Stat Med 17:873-890, table II, method 10, examples (a), (b) and (h); statsmodels as a second source
    found = difference_of_shares(first, of_first, second, of_second, 0.95)
    assert found == pytest.approx(expected, abs=6e-5)
    assert found == pytest.approx(confint_proportions_2indep(first, of_first, second, of_second, method="newcomb", compare="diff", alpha=0.05), abs=1e-9)


def test_shares_without_anybody_have_no_limits():
    assert all(np.isnan(v) for v in (*difference_of_shares(0, 0, 1, 2, 0.95), *difference_of_shares(1, 2, 0, 0, 0.95)))


def test_the_gap_is_demand_minus_supply_from_counts_as_shown():
    demand = release(metrics.demand_shares(given(debt=62, housing=38), ["debt", "housing", "courses"]), NHSE)
    services = metrics.services_by_type(listed(*((f"s{i}", "debt", 0, 0, "x") for i in range(3)), ("c", "courses", 0, 0, "x")), ["debt", "housing", "courses"])
    gap = metrics.gap_index(demand, services)
    assert [at(gap, "gap_index", k).estimate for k in ("debt", "housing", "courses")] == pytest.approx([60 - 75, 40, -25])
    row = at(gap, "gap_index", "housing")
    assert (row.conf_low, row.conf_high) == pytest.approx(np.multiply(100, difference_of_shares(40, 100, 0, 4, 0.95))) and row.note == "0 of 4 services" and row.n == 100
    assert (gap["estimate"].sum(), gap["conf_low"].le(gap["estimate"]).all()) == (pytest.approx(0), True)


def test_a_gap_of_hidden_demand_is_hidden_and_gives_nothing_away():
    demand = release(metrics.demand_shares(given(debt=60, housing=3, courses=37), ["debt", "housing", "courses"]), NHSE)
    gap = metrics.gap_index(demand, metrics.services_by_type(listed(("a", "debt", 0, 0, "x")), ["debt", "housing", "courses"]))
    assert demand["suppressed"].sum() == 2              # the small one, and a second so that it cannot be had from the whole
    assert gap[gap["suppressed"]]["estimate"].isna().all() and gap["suppressed"].sum() == 2 and not_about_people(gap["measure"]).all()


@pytest.mark.parametrize("rule", [NHSE, LT5, RULES["suppress_lt10"]])
def test_no_hidden_kind_or_cell_is_the_only_one_on_its_line(rule):
    rows = pd.DataFrame([("debt", f"debt | {a}") for a, n in (("x", 20), ("y", 3), ("z", 30)) for _ in range(n)] + [("housing", f"housing | {a}") for a, n in (("x", 15), ("y", 16), ("z", 17)) for _ in range(n)],
                        columns=["activity_type", "cell"]).assign(grain="activity_type")
    out = release(metrics.demand_shares(rows, ["debt", "housing"]), rule)
    cells = out[out["group"].eq("activity_type_by_area")].assign(kind=lambda t: t["level"].str.split(" | ", regex=False).str[0])
    hidden = cells.groupby("kind")["suppressed"].sum()
    assert hidden["debt"] >= 2 if rule.round_to == 1 else cells["suppressed"].sum() >= 2
    kinds = release(metrics.demand_shares(given(debt=40, housing=2, courses=30), ["debt", "housing", "courses"]), rule)
    assert kinds["suppressed"].sum() == 2


def test_without_prescriptions_there_is_no_gap_and_without_services_neither():
    empty = metrics.demand_shares(given(), KINDS)
    assert empty.empty and metrics.gap_index(empty, metrics.services_by_type(listed(("a", "debt", 0, 0, "x")), KINDS)).empty
    assert metrics.gap_index(release(metrics.demand_shares(given(debt=20), KINDS), NHSE), metrics.services_by_type(listed(), KINDS)).empty
    assert metrics.services_in_cells(listed().assign(cell=pd.Series(dtype="string"), grain="family")).empty if len(listed()) else True


def test_prescriptions_of_other_kinds_are_counted_as_missing():
    row = at(metrics.demand_shares(given(debt=10, other=4), ["debt"]), "demand_share", "debt")
    assert (row.n, row.n_missing, row.estimate) == (10, 4, 1.0) and (row.conf_low, row.conf_high) == pytest.approx(wilson(10, 10, 0.95))


# ---- areas

def area_scheme(build, people="person_id,lsoa\np1,E01000101\np2,E01000201\np3,\n", provision="service_id,activity_type,area_code\na,choir,E01000199\nb,debt advice,\n"):
    return clean_scheme(load_scheme(build(people=people, referrals="referral_id,person_id,referral_date\nr1,p1,2025-01-10\nr2,p2,2025-02-10\nr3,p3,2025-03-10\n", provision=provision,
                                          activities="referral_id,activity_type,service_id,start_date\nr1,choir,a,2025-02-01\nr1,choir,b,\nr2,debt advice,,\nr3,choir,a,\n")))


def test_areas_are_the_first_letters_of_codes_or_the_schemes_own(build):
    rows = cohort.prescriptions(area_scheme(build), 7)
    assert list(rows["area"].fillna("none")) == ["E010001", "E010002", "none"] and list(rows["month"]) == ["2025-02", "2025-02", "2025-03"]
    assert len(rows) == 3                                        # a kind is counted once a referral
    own = area_scheme(build, people="person_id,area,lsoa\np1,North,E01000101\np2,South,\np3,North,\n")
    assert list(cohort.prescriptions(own, 7)["area"]) == ["North", "South", "North"]


def test_small_areas_are_joined_and_few_prescriptions_make_families(build):
    scheme = area_scheme(build)
    sent, there = cohort.joined_areas(cohort.prescriptions(scheme), cohort.services_by_kind(cohort.local_services(scheme)), 1)
    assert set(sent["grain"]) == {"family"} and list(sent["cell"].fillna("none")) == ["company | E010001", "money | other areas", "none"]
    assert list(there["cell"].fillna("none")) == ["company | E010001", "none"]
    many = pd.concat([sent] * 40, ignore_index=True)
    assert set(cohort.joined_areas(many, there, 2)[0]["grain"]) == {"activity_type"}
    assert level_name("family_by_area", "money | other areas") == "money and home, other areas" and level_name("activity_type_by_area", "debt | X") == "debt and money advice, X"


def test_every_kind_belongs_to_one_family():
    assert set(cohort.families()) == set(allowed("activity_type"))


# ---- near one another

def test_kilometres_are_great_circles():
    assert cohort.kilometres(51.5074, -0.1278, 48.8566, 2.3522) == pytest.approx(343.6, abs=0.3)       # London to Paris; a sphere of 6,371 km
    assert cohort.kilometres(0, 0, 0, 180) == pytest.approx(np.pi * 6371.0088) and np.isnan(cohort.kilometres(np.nan, 0, 0, 0))


def test_the_nearest_of_a_kind_agrees_with_all_distances():
    rng = np.random.default_rng(3)
    rows = listed(*((f"s{i}", ("debt", "housing")[i % 2], 50 + rng.normal(0, 0.03), -4 + rng.normal(0, 0.03), f"n {i}") for i in range(60)))
    table = metrics.services_overlap(rows, KINDS, 1.0)
    for kind, part in rows.groupby("activity_type"):
        km = cohort.kilometres(part["lat"].to_numpy()[:, None], part["lon"].to_numpy()[:, None], part["lat"].to_numpy(), part["lon"].to_numpy())
        np.fill_diagonal(km, np.inf)
        row = at(table, "services_overlap", kind)
        assert row.estimate == (km.min(axis=1) <= 1).mean() and (row.conf_low, row.conf_high) == pytest.approx(wilson(int((km.min(axis=1) <= 1).sum()), 30, 0.95))


def test_a_service_alone_of_its_kind_or_without_a_place_overlaps_with_nobody():
    table = metrics.services_overlap(listed(("a", "debt", 50, -4, "A"), ("b", "housing", np.nan, np.nan, "B"), ("c", "courses", 50, -4, "C"), ("d", "courses", 50, -4, "D")), KINDS, 1.0)
    assert at(table, "services_overlap", "debt").estimate == 0 and at(table, "services_overlap", "courses").estimate == 1
    assert np.isnan(at(table, "services_overlap", "housing").estimate) and at(table, "services_overlap", "housing").n_missing == 1


@pytest.mark.parametrize("one, other, alike", [("Harbour Lunch Club", "The Harbour lunch club", True), ("Harbour lunch club 1", "Harbour lunch club 2", False), ("Harbour lunch", "Mountain lunch", False),
                                               ("Harbour choir", "Choir, Harbour", True), ("Harbour choir", None, False), ("Harbour choirs", "Harbour choir", True)])
def test_names_are_alike_whatever_their_order_and_fillers_but_not_their_numbers(one, other, alike):
    rows = listed(("a", "debt", 50, -4, one), ("b", "debt", 50.0005, -4, other))
    assert len(metrics.services_alike(rows, 0.3)) == alike
    assert metrics.services_alike(rows.assign(lat=[50, 51]), 0.3).empty and metrics.services_alike(rows.assign(activity_type=["debt", "housing"]), 0.3).empty


def test_what_the_scheme_runs_is_set_beside_others_near_by():
    rows = listed(("a", "debt", 50, -4, "Ours"), ("b", "debt", 50.001, -4, "B"), ("c", "debt", 50.1, -4, "C"), ("d", "housing", 50, -4, "Ours too"), ("e", "courses", np.nan, np.nan, "Ours lost"))
    table = metrics.offered_nearby(rows.assign(run_by_scheme=[True, False, False, True, True]), 1.0)
    assert list(table["estimate"].fillna(-1)) == [1, 0, -1]
    said = words.describe_offered_nearby(table, 1.0)
    assert "The scheme runs 3 of the services itself. Ours: 1 other service offers debt and money advice within 1 km" in said and "nobody else listed offers housing support within 1 km" in said and "its place is not known" in said
    assert "cannot be told" in words.describe_offered_nearby(table.iloc[:0], 1.0)


def test_ten_thousand_services_in_one_place_and_spread_out_take_a_few_seconds():
    for lat in (np.full(10_000, 50.0), 50 + np.arange(10_000) / 10_000):
        rows = listed(*((f"s{i}", KINDS[i % 16], 0, 0, f"Group of people {i % 5000}") for i in range(10_000))).assign(lat=lat, lon=-4.0)
        begun = time.perf_counter()
        metrics.services_overlap(rows, KINDS, 1.0)
        metrics.services_alike(rows, 0.3)
        assert time.perf_counter() - begun < 10           # 1 s on a quiet machine


def test_distances_need_the_middle_of_small_areas(build):
    without = area_scheme(build)
    assert cohort.distances(without, cohort.prescriptions(without), cohort.services_by_kind(cohort.local_services(without))).empty
    assert "needs the middle of the small area" in words.describe_distance(metrics.distance_to_nearest(cohort.distances(without, cohort.prescriptions(without), cohort.services_by_kind(cohort.local_services(without)))))
    scheme = area_scheme(build, people="person_id,lsoa_lat,lsoa_lon\np1,50,-4\np2,50,-4\np3,,\n", provision="service_id,activity_type,lat,lon\na,choir,50.1,-4\nb,choir,51,-4\n")
    rows = cohort.distances(scheme, cohort.prescriptions(scheme), cohort.services_by_kind(cohort.local_services(scheme)))
    assert rows["km"].tolist() == pytest.approx([11.119, np.nan, np.nan], abs=1e-3, nan_ok=True)


def test_the_median_distance_has_its_order_statistics():
    rows = pd.DataFrame({"activity_type": "debt", "km": [float(i) for i in range(1, 21)] + [np.nan]})
    row = at(metrics.distance_to_nearest(rows), "distance_to_nearest")
    # Conover (1999), table of the binomial: for n = 20 and 95% the 6th and the 15th value
    assert (row.estimate, row.conf_low, row.conf_high, row.n, row.n_missing) == (10.5, 6, 15, 20, 1)
    assert "Half of the people live within 10.5 km (95% CI 6.0 to 15.0)" in words.describe_distance(metrics.distance_to_nearest(rows)) or "within 10.5 km" in words.describe_distance(metrics.distance_to_nearest(rows))


# ---- places and needs

def test_places_used_are_shown_prescriptions_a_month_by_places_a_month():
    sent = pd.DataFrame({"activity_type": ["debt"] * 42 + ["courses"] * 3, "service_id": ["a"] * 40 + [None, "z"] + ["c"] * 3})
    services = listed(("a", "debt", 0, 0, "A"), ("c", "courses", 0, 0, "C"), ("e", "housing", 0, 0, "E"), capacity_per_month=[2, 5, np.nan])
    shown, places = release(metrics.sent_to_known_places(sent, services), NHSE), metrics.places_of_services(services, KINDS)
    used = metrics.places_used(shown, places, 10.0)
    row = at(used, "places_used", "debt")
    assert row.estimate == pytest.approx(100 * 40 / 20) and (row.conf_low, row.conf_high) == pytest.approx([5 * v for v in poisson(40, 0.95)])
    assert at(used, "places_used", "courses").suppressed and np.isnan(at(used, "places_used", "courses").estimate)
    said = words.describe_places_used(used)
    assert "debt and money advice: 200% of the places a month" in said and "It alone sends more than can be taken in debt and money advice." in said and "Others send people" in said
    assert "Cannot be answered" in words.describe_places_used(used.iloc[:0])


def test_needs_without_a_fitting_service_are_named_and_services_that_name_a_need_fit_it():
    needs = pd.DataFrame({"need": ["bereavement"] * 20 + ["housing"] * 10 + ["other"] * 9 + ["caring"] * 10})
    services = listed(("a", "debt", 0, 0, "A"), ("b", "courses", 0, 0, "B")).assign(needs=["caring; money_debt_benefits", None])
    table = metrics.services_for_needs(needs, services, facts("need_activities"))
    assert {r.level: r.estimate for r in table.itertuples()} == {"bereavement": 0, "housing": 0, "caring": 1}
    said = words.describe_needs_served(release(metrics.need_demand(needs), NHSE), table)
    assert said.startswith("No service listed fits these needs: bereavement (40% of the needs recorded) and housing (20% of the needs recorded). A list that holds none") and not BANNED.search(said)


def test_months_without_prescriptions_are_counted_as_none():
    table = metrics.prescriptions_by_month(pd.DataFrame({"month": pd.array(["2025-01", "2025-03", "2025-03", None], dtype="string")}))
    assert dict(zip(table["level"], table["estimate"])) == {"2025-01": 1, "2025-02": 0, "2025-03": 2, "missing": 1}
    assert metrics.prescriptions_by_month(pd.DataFrame({"month": pd.array([], dtype="string")})).empty


# ---- the groups themselves

def groups(*rows):
    """Counts of one group: (date, members, volunteers, sessions, confidence)."""
    return pd.DataFrame(rows, columns=["date", "members", "volunteers", "sessions", "confidence"]).assign(service_id="g", date=lambda t: pd.to_datetime(t["date"]))


@pytest.mark.parametrize("first, last, state", [
    ((20, 8, 4, 7), (22, 8, 4, 7), "grows"), ((20, 8, 4, 7), (21, 8, 4, 7), "holds"), ((20, 8, 4, 7), (18, 8, 4, 7), "buckles"), ((20, 8, 4, 7), (30, 6, 4, 7), "buckles"),
    ((20, 8, 4, 7), (30, 8, 4, 5), "buckles"), ((20, 8, 4, 7), (19, 7, 0, 6), "holds"), ((5, 8, 4, 7), (2, 8, 4, 7), "buckles"), ((None, None, 4, None), (None, None, 9, None), "cannot be told"),
    ((None, 8, 4, 7), (None, 8, 4, 7), "holds"), ((0, 0, 0, 0), (0, 0, 0, 0), "holds")])
def test_a_group_grows_holds_or_buckles_by_the_rule(first, last, state):
    table = metrics.community_changes(groups(("2025-01-01", *first), ("2025-12-01", *last)))
    assert at(table, "community_state", "g").note == f"{state}; 2025-01-01 to 2025-12-01" and at(table, "community_groups", state).estimate == 1


def test_one_count_cannot_tell_and_small_groups_give_no_share():
    assert at(metrics.community_changes(groups(("2025-01-01", 20, 5, 4, 7))), "community_state", "g").note.startswith("cannot be told")
    table = metrics.community_changes(groups(("2025-01-01", 9, 3, 4, 7), ("2025-06-01", 7, 9, 4, 8)))
    assert np.isnan(at(table, "community_members_change", "g").estimate) and np.isnan(at(table, "community_volunteers_change", "g").estimate)
    assert "fewer than 8 members" in at(table, "community_members_change", "g").note and at(table, "community_confidence_change", "g").estimate == 1


def test_prescriptions_to_a_group_are_peoples_and_small_numbers_are_hidden():
    sent = pd.DataFrame({"service_id": ["g"] * 3 + ["h"] * 23 + ["i"] * 12 + [None]})
    table = metrics.referrals_sent(sent, pd.DataFrame({"service_id": ["g", "h", "i", "j"]}))
    out = release(table, NHSE).set_index("level")
    assert out.loc["g", "suppressed"] and out.loc["i", "suppressed"] and out.loc["h", "estimate"] == 25 and out.loc["j", "estimate"] == 0
    assert release(table, LT5).set_index("level").loc["h", "estimate"] == 25            # rounded under every rule: the kind's total is shown elsewhere
    lines = words.group_lines(metrics.community_changes(groups(("2025-01-01", 20, 8, 4, 7), ("2025-12-01", 10, 8, 4, 7))), release(table, NHSE), {"g": "The group"})
    assert lines == [("The group", "buckling (members −50%, volunteers 0%, sessions 0%, confidence 0 points of 10; 1 January 2025 to 1 December 2025); prescriptions to it: too few to show")]


# ---- words

def sentences(scheme, rule):
    """Every sentence of the chapter for a scheme, and its tables."""
    services = cohort.local_services(scheme)
    sent, there = cohort.joined_areas(cohort.prescriptions(scheme), cohort.services_by_kind(services), 5)
    supply, demand = metrics.services_by_type(there, KINDS), release(metrics.demand_shares(sent, KINDS), rule)
    cells = metrics.services_in_cells(there) if there["cell"].notna().any() else supply.iloc[:0]
    gap = metrics.gap_index(demand, pd.concat([supply, cells], ignore_index=True))
    places, groups_held = metrics.places_of_services(there, KINDS), cohort.community_groups(scheme, services)
    used = metrics.places_used(release(metrics.sent_to_known_places(sent, there), rule), places, cohort.months_covered(scheme, sent))
    needs, changes = cohort.needs_by_area(scheme), metrics.community_changes(groups_held)
    served, overlap, alike = metrics.services_for_needs(needs, there, facts("need_activities")), metrics.services_overlap(there, KINDS, 1.0), metrics.services_alike(there, 0.3)
    sent_to = release(metrics.referrals_sent(sent, groups_held), rule)
    said = [words.describe_listed(supply), words.describe_entries(metrics.services_that_say(services, scheme.settings.extract_date)), words.describe_gap(gap, demand), words.describe_gap_areas(gap),
            words.describe_overlap_of_services(overlap, 1.0), words.describe_alike(alike), words.describe_offered_nearby(metrics.offered_nearby(there, 1.0), 1.0), words.describe_places_used(used),
            words.describe_needs_served(release(metrics.need_demand(needs), rule), served), words.describe_community(changes, sent_to), *(" ".join(line) for line in words.group_lines(changes, sent_to, {})),
            *(" ".join(line) for line in words.note_lines(cohort.directory_notes(scheme)))]
    return said, gap, there


@pytest.mark.parametrize("rule", [NHSE, RULES["none"]])
@pytest.mark.parametrize("name", ["castle", "harbour", "moorside", "northfield"])
def test_no_sentence_holds_a_word_that_is_never_said(schemes, name, rule):
    for sentence in sentences(schemes[name], rule)[0]:
        assert not BANNED.search(sentence) and "None of" not in sentence and not re.search(r"\b1 kinds\b|\bkinds\b 1\b", sentence), sentence
        assert sentence == sentence.strip()


def test_a_scheme_without_services_has_sentences_too(build):
    scheme = clean_scheme(load_scheme(build()))
    said, gap, there = sentences(scheme, NHSE)
    assert said[0].startswith("Cannot be answered: needs a provision table") and gap.empty and there.empty
    assert not any(BANNED.search(s) for s in said) and cohort.why_no_services(scheme) == ""


def test_the_gap_sentence_says_what_is_certain_and_what_is_not():
    demand = release(metrics.demand_shares(given(debt=200, housing=100, courses=100), ["debt", "housing", "courses"]), NHSE)
    services = metrics.services_by_type(listed(*((f"d{i}", "debt", 0, 0, "x") for i in range(40)), *((f"c{i}", "courses", 0, 0, "x") for i in range(40))), ["debt", "housing", "courses"])
    said = words.describe_gap(metrics.gap_index(demand, services), demand)
    assert said.startswith("Of 400 prescriptions, 25%") and "were for housing support, and no service listed offers it." in said
    assert re.search(r"Beyond chance, more is asked than is listed for housing support \(\+25 percentage points; 95% CI \+\d", said) and "more is listed than is asked for courses (−25" in said
    assert said.endswith("For the other kind the interval holds both a gap and none: chance alone could have brought it.")


def test_the_directorys_notes_stand_under_what_they_are_about(schemes):
    lines = dict(words.note_lines(cohort.directory_notes(schemes["castle"])))
    assert {"Left out", "Ages", "Names", "Kinds of activity", "Checks", "Places", "Ids"} <= set(lines) and "1 of 34" in lines["Left out"]
    assert ("Missing", "Pages are missing: the feed says.") in words.note_lines(["pages are missing: the feed says"])


# ---- figures and the report

def test_the_grid_of_kinds_by_areas_shows_each_gap_and_a_star_for_what_is_hidden():
    rows = pd.DataFrame({"level": ["debt | X", "debt | other areas", "housing | X"], "estimate": [3.24, -10.0, np.nan], "group": "activity_type_by_area"})
    ax = plot_gap_areas(rows)
    assert sorted(t.get_text() for t in ax.texts) == ["", "*", "+3.2", "−10.0"] and [t.get_text() for t in ax.get_xticklabels()] == ["X", "other areas"]
    assert ax.images[0].cmap.name == "PuOr"                     # above 0 is purple, as the chapter says
    assert "Largest gap: debt and money advice, X, +3.2 percentage points; smallest: debt and money advice, other areas, −10." in words.alt_of_gap_areas(rows)


def test_the_map_shows_every_service_once_by_family(schemes):
    places = cohort.service_places(cohort.services_by_kind(cohort.local_services(schemes["harbour"])))
    ax = plot_services_map(places)
    drawn = [line for line in ax.lines if line.get_linestyle() == "None"]
    assert sum(len(line.get_xdata()) for line in drawn) == len(places) == 30 and len({line.get_marker() for line in drawn}) == len(drawn) == 5
    assert "company and creativity 11" in words.alt_of_services_map(places) and any(t.get_text().endswith(" km") for t in ax.texts)
    plot_services_map(places.head(1))                          # one service has no extent


def test_places_leave_rounded_and_hold_nothing_of_people(schemes, tmp_path, monkeypatch):
    monkeypatch.setattr("sprx.report._show", lambda fragment: None)
    scheme = schemes["harbour"]
    report = start_report("provision", scheme, tmp_path)
    assert isinstance(report, Report)
    report.add("map", cohort.service_places(cohort.services_by_kind(cohort.local_services(scheme))))
    assert list(report.released["map"].columns) == PLACE_COLUMNS and report.released["map"]["lat"].mul(1000).mod(1).round(6).isin([0, 1]).all()
    report.figure("map", plot_services_map, caption="c", alt=words.alt_of_services_map)
    report.write()
    assert (tmp_path / "figures" / "provision_map.svg").exists() and "P0001" not in (tmp_path / "figures" / "provision_map.csv").read_text()


def test_the_gap_figure_draws_hidden_kinds_last():
    demand = release(metrics.demand_shares(given(debt=60, housing=3, courses=37), ["debt", "housing", "courses"]), NHSE)
    gap = words.gap_rows(metrics.gap_index(demand, metrics.services_by_type(listed(("a", "debt", 0, 0, "x")), ["debt", "housing", "courses"])))
    assert list(gap["estimate"].isna()) == [False, True, True] and "not shown" in words.alt_of_gap(gap)
    assert "not shown" in plot_estimates(gap).get_yticklabels()[2].get_text().replace("\n", " ")


def test_what_is_hidden_says_so_with_the_one_note():
    out = release(metrics.demand_shares(given(debt=60, housing=3, courses=37), ["debt", "housing", "courses"]), NHSE)
    assert set(out.loc[out["suppressed"], "note"]) == {HIDDEN}


# ---- the chapter itself, on schemes that hold much, little and nothing

def chapter(folder, out, monkeypatch):
    """Run the notebook's cells as papermill would; what it shows, and its report."""
    shown, cells = [], json.loads((SAMPLE.parents[1] / "notebooks" / "report" / "07_provision.ipynb").read_text(encoding="utf-8"))["cells"]
    monkeypatch.setattr("sprx.report._show", shown.append)
    names = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
            if "parameters" in cell["metadata"].get("tags", []):
                names |= dict(scheme_dir=str(folder), output_dir=str(out))
    return "\n".join(shown), names["report"]


ACTIVITIES = "referral_id,activity_type,service_id\nr1,choir,s1\nr2,debt advice,\n"
REFERRALS = "referral_id,person_id,referral_date\nr1,p1,2025-01-10\nr2,p2,2025-02-10\n"


@pytest.mark.parametrize("tables", [
    {}, dict(provision="service_id,activity_type\n"), dict(provision="service_id,activity_type\ns1,choir\n"), dict(referrals=REFERRALS, activities=ACTIVITIES), dict(provision="service_id,activity_type\ns1,other\n"),
    dict(referrals=REFERRALS, activities=ACTIVITIES, provision="service_id,name,activity_type,lat,lon,capacity_per_month\ns1,,choir,50,-4,0\n"),
    dict(community="service_id,date,members\ns9,2025-01-01,20\n"), dict(community="service_id,date,members\n=s9<b>,2025-01-01,20\n=s9<b>,2025-06-01,10\n", provision="service_id,activity_type,name\n=s9<b>,choir,=1+1\n"),
    dict(referrals=REFERRALS, needs="referral_id,need\nr1,housing\n", provision="service_id,activity_type\ns1,choir\n")])
@pytest.mark.parametrize("rule", ["nhse_1_7_round5", "none"])
def test_the_chapter_says_what_it_can_of_little_and_of_nothing(build, tmp_path, monkeypatch, tables, rule):
    shown, report = chapter(build(settings={"disclosure": rule}, **tables), tmp_path, monkeypatch)
    said = re.sub(r"<[^>]+>", " ", shown)
    assert not re.search(r"\b(nan|NaN|None|inf)\b|\bsignifican|\bproves?\b|\bimpressive|\beffective\b", said) and "<b>" not in shown
    assert len(report.answers) == 1 and (tmp_path / "provision.results.json").exists()
    rows = pd.concat([t for t in report.released.values() if "estimate" in t])
    assert not rows.duplicated(["measure", "group", "level"]).any()


def test_a_feed_that_is_an_error_page_leaves_the_chapter_standing_with_its_reason(build, tmp_path, monkeypatch):
    folder = build(provision=None, specs={"provision": {"file": "feed.json"}})
    (folder / "feed.json").write_text("<html><script>alert(1)</script>502</html>")
    shown, report = chapter(folder, tmp_path, monkeypatch)
    assert "feed.json is a web page or XML and no JSON" in shown and "Save the answer of the feed" in shown and "<script>" not in shown
    assert report.answers[0]["sure"] == 0 and "could not be read" in report.answers[0]["why"]


def test_a_script_in_a_name_is_shown_as_text(build, tmp_path, monkeypatch):
    folder = build(provision=None, specs={"provision": {"file": "feed.json"}})
    places = [{"location": {"latitude": 50, "longitude": -4}}]
    (folder / "feed.json").write_text(json.dumps([dict(id=i, name="Choir &lt;script&gt;alert(1)", description="<script>alert('x')</script>", service_at_locations=places) for i in ("a", "b")]))
    shown, _ = chapter(folder, tmp_path, monkeypatch)
    assert "Choir &lt;script&gt;alert(1) / Choir" in shown and "<script" not in shown


def test_ten_thousand_services_run_through_the_chapter(build, tmp_path, monkeypatch):
    folder = build(referrals=REFERRALS, activities=ACTIVITIES, provision=None, specs={"provision": {"file": "feed.json"}})
    rows = [dict(id=f"s{i}", name=f"{('Choir', 'Debt advice', 'Lunch club')[i % 3]} number {i}", service_at_locations=[{"location": {"latitude": 50 + i % 100 / 500, "longitude": -4 - i // 100 / 500}}]) for i in range(10_000)]
    (folder / "feed.json").write_text(json.dumps(dict(total_pages=1, contents=rows)))
    begun = time.perf_counter()
    shown, report = chapter(folder, tmp_path, monkeypatch)
    assert "10,000 services are listed" in shown and time.perf_counter() - begun < 40         # 6 s on a quiet machine
    assert sum(len(t) for t in report.released.values() if "estimate" in t) < 2_000 and len(shown) < 8_000_000


def test_the_samples_answers_name_their_planted_gaps(tmp_path, monkeypatch):
    for name, gap in (("castle", "bereavement support or digital and transport help"), ("harbour", "bereavement support or digital and transport help"), ("moorside", "housing support"), ("northfield", "bereavement support")):
        shown, report = chapter(SAMPLE / name, tmp_path / name, monkeypatch)
        assert gap in report.answers[0]["text"] and report.answers[0]["sure"] == 1, name
        assert "A gap in a directory" not in report.answers[0]["text"] and "a gap in a list is not always a gap in the place" in report.answers[0]["text"]
