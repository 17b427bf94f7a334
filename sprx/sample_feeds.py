"""Directories of local services and counts of community groups for the sample schemes: made up, with what is planted in them.

Each directory says what the scheme's `provision` table of `sample.draw_tables` says, as its publisher would: castle as three JSON pages of
Open Referral UK v3, northfield as the standard's CSV tables. The services' names and words are invented.
"""

import json

import numpy as np
import pandas as pd

from sprx.reference import allowed
from sprx.sample import EXTRACT

PAGES = 3
NAMES = {  # kind of activity: names of up to three services, from plain to such as only the description explains
    "arts_culture": ("Harbour Street choir", "Clay and colour", "Thursday painting"), "physical_activity": ("Easy walking group", "Chair yoga", "Swimming for all"),
    "learning": ("Adult learning hub", "Library reading group", "Maths again"), "volunteering": ("Volunteering desk", "The time bank", "Helping hands volunteers"),
    "courses": ("Confidence course", "Mindfulness course", "Recovery college"), "self_care": ("Health coaching", "Better sleep", "Expert patient meeting"),
    "welfare_advice": ("Benefits advice at the hall", "Citizens advice, mornings", "Welfare rights line"), "housing": ("Housing help point", "Tenancy support", "Home repair friends"),
    "debt": ("Debt advice charity", "Money advice tent", "The food bank"), "employment": ("Job club", "Back to work", "Employability project"),
    "befriending": ("Befriending by phone", "Home visit friends", "Buddy scheme"), "social_group": ("Lunch club", "Coffee morning", "The men's shed"),
    "nature_green": ("Community garden", "Allotment mornings", "Woodland conservation"), "carer_support": ("Carers meeting", "Respite afternoons", "Young carers")}
WORDS = "Open to everyone nearby. Ring before you come; a place is not promised."
OTHER_NAME, ODD_NAME = "The Lunch Club", "Tuesday thing"
GROUPS = {  # group: members, volunteers, sessions a month, confidence at the first and at the last count, and what is planted
    "growing": ((24, 5, 4, 6), (40, 8, 6, 8)), "holding": ((30, 6, 4, 7), (31, 6, 4, 7)), "buckling": ((28, 8, 8, 8), (15, 3, 4, 3))}
COUNTS = 7                  # a count every quarter
README = """* `castle/directory/` is a directory of services as an Open Referral UK v3 feed gives it (three JSON pages), with planted dirt: a service that has closed, one without a
  name, one at latitude 100, ages of −1, an id that stands twice, a service that is listed under two ids, and one whose words say nothing. `northfield/directory/` is the same
  standard's CSV tables, with `our_view.csv` as the scheme's last word on what a local term means. harbour and moorside have a flat sheet.
* `harbour/community.csv` counts three groups every quarter: one grows, one holds, one buckles.
"""


def feed_services(provision):
    """Open Referral records of the services of a provision table, the dirt not yet planted."""
    turn, services = {}, []
    for row in provision.itertuples():
        place = turn[row.activity_type] = turn.get(row.activity_type, -1) + 1
        service = dict(id=row.service_id, name=NAMES[row.activity_type][place], description=f"<p>{allowed('activity_type')[row.activity_type]}. {WORDS}</p>", status="active",
                       minimum_age=18, maximum_age=120, organization=dict(id=f"O{place + 1}", name=f"Made-up charity {place + 1}", description="Made up"),
                       service_at_locations=[dict(id=f"A{row.Index}", location=dict(id=f"L{row.Index}", location_type="physical", latitude=row.lat, longitude=row.lon))],
                       service_areas=[dict(id=f"Z{row.Index}", name=row.area_code)])
        if pd.notna(row.assured_on):
            service["assured_date"] = f"{row.assured_on:%Y-%m-%d}"
        if row.activity_type == "carer_support":
            service["attributes"] = [dict(id=f"T{row.Index}", taxonomy_term=dict(id="298", name="Carers support groups", taxonomy="esdServiceType", term_uri="http://id.esd.org.uk/service/298"))]
        services.append(service)
    return services


def write_pages(folder, provision):
    """Castle's directory: JSON pages of Open Referral UK v3 with planted dirt; returns its truth as (quantity, value, unit, description)."""
    services = feed_services(provision)
    lunch = next(s for s in services if s["name"] == "Lunch club")
    same = lunch | dict(id="S101", name=OTHER_NAME, description=f"<script>alert('shown as text')</script>{WORDS}")
    gone = lunch | dict(id="S102", name="Closed choir", status="inactive")
    odd = services[0] | dict(id="S103", name=ODD_NAME, description=f"We meet. {WORDS}", minimum_age=-1, maximum_age=-1)
    del services[1]["name"]
    services[2]["service_at_locations"][0]["location"] |= dict(latitude=100, longitude=101)
    services += [same, gone, odd, services[3]]
    size = -(-len(services) // PAGES)
    for number in range(1, PAGES + 1):
        rows = services[size * (number - 1):size * number]
        page = dict(total_items=len(services), total_pages=PAGES, page_number=number, size=size, first_page=number == 1, last_page=number == PAGES, empty=False, contents=rows)
        _write(folder / f"page-{number}.json", json.dumps(page, indent=1, ensure_ascii=False) + "\n")
    return [("feed_services", len(provision) + 2, "services", "in the directory and open, each once"), ("feed_closed", 1, "services", "inactive, to be left out"),
            ("feed_unmapped", 1, "services", "whose words say nothing of what they offer"), ("feed_nameless", 1, "services", "without a name"),
            ("feed_duplicate_ids", 1, "services", "an id that stands twice"), ("feed_listed_twice", 1, "pairs", "one service under two ids and nearly one name"),
            ("feed_latitude_100", 1, "services", "at an impossible place")]


def write_tables(folder, provision):
    """Northfield's directory: the standard's CSV tables; a local term in place of plain words; returns its truth."""
    services = feed_services(provision)
    services[4] |= dict(name=ODD_NAME, description=WORDS)
    local = dict(id="t2", name="Tuesdays", taxonomy="local", term_uri="")
    services[4]["attributes"] = [dict(taxonomy_term=local)]
    tables = dict(
        services=[{key: s.get(key, "") for key in ("id", "name", "description", "status", "minimum_age", "maximum_age", "assured_date")} | dict(organization_id=s["organization"]["id"]) for s in services],
        organizations=list({s["organization"]["id"]: s["organization"] for s in services}.values()),
        locations=[s["service_at_locations"][0]["location"] for s in services],
        service_at_location=[dict(id=s["service_at_locations"][0]["id"], service_id=s["id"], location_id=s["service_at_locations"][0]["location"]["id"]) for s in services],
        service_areas=[s["service_areas"][0] | dict(service_id=s["id"]) for s in services],
        taxonomy_terms=[dict(id="298", name="Carers support groups", taxonomy="esdServiceType", term_uri="http://id.esd.org.uk/service/298"), local],
        attributes=[dict(id=f"X{s['id']}", link_id=s["id"], link_entity="service", taxonomy_term_id=a["taxonomy_term"]["id"]) for s in services for a in s.get("attributes", [])])
    for name, rows in tables.items():
        _write(folder / f"{name}.csv", pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"))
    kind = provision["activity_type"]
    own = services[int(np.flatnonzero(kind.eq("social_group"))[0])]["id"]
    _write(folder.parent / "our_view.csv", f"service_id,term,activity_type,run_by_scheme\n,Tuesdays,{kind[4]},\n{own},,,yes\n")
    return [("feed_services", len(provision), "services", "in the directory"), ("feed_mapped_by_own_table", 1, "services", "only the scheme's own table says what it is"),
            ("feed_run_by_scheme", 1, "services", "the scheme's own, with others of its kind in the directory")]


def _write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def draw_community(provision, activities):
    """Counts of three groups every quarter, the three that most people were sent to; and the truth."""
    sent = activities.groupby("service_id").size().reindex(provision["service_id"]).fillna(0)
    most = sent.sort_values(ascending=False, kind="stable").index[:len(GROUPS)]
    days = pd.date_range(end=pd.Timestamp(EXTRACT), periods=COUNTS, freq="QS")
    rows, truth = [], []
    for service, (what, (first, last)) in zip(most, GROUPS.items()):
        steps = np.rint(np.linspace(first, last, COUNTS)).astype(int)
        rows.append(pd.DataFrame(steps, columns=["members", "volunteers", "sessions", "confidence"]).assign(service_id=service, date=days))
        truth.append((f"community_{what}_{service}", last[0] / first[0] - 1, "proportion", f"change of its members: a group that is {what}"))
    return pd.concat(rows, ignore_index=True)[["service_id", "date", "members", "volunteers", "sessions", "confidence"]], truth
