"""Cleaning: repairs and rows set aside, each on record; and, whatever the data, rows in = rows used + rows set aside."""

import csv
import io

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sprx import clean_scheme, load_scheme

REFERRAL = "referral_id,person_id,referral_date,status,first_contact_date,closed_date\n"
CODED = "referral_id,person_id,referral_date,snomed_code\n"


def issue(scheme, problem):
    return scheme.issues[scheme.issues["problem"].str.contains(problem, regex=False)]


def aside(scheme, table):
    rows = scheme.set_aside.get(table)
    return {} if rows is None else dict(zip(rows["row"], rows["reason"]))


def days(scheme, table, column):
    return scheme.tables[table][column].dt.strftime("%Y-%m-%d").tolist()


# ---- duplicates and orphans

def test_a_row_that_repeats_another_is_set_aside(cleaned):
    scheme = cleaned(people="person_id,sex\np1,female\np2,male\np1,female\n")
    assert scheme.tables["people"]["row"].tolist() == [2, 3] and aside(scheme, "people") == {4: "repeats an earlier row"}
    found = scheme.issues.iloc[0]
    assert (found.row, found.row_id, found.column, found.action) == (4, "p1", "person_id", "row set aside")


def test_the_first_of_two_rows_with_one_key_is_kept(cleaned):
    scheme = cleaned(people="person_id,sex\np1,female\np1,male\n")
    assert scheme.tables["people"]["sex"].tolist() == ["female"] and aside(scheme, "people") == {3: "same key as an earlier row, other values"}


@pytest.mark.parametrize("table, text, kept", [
    ("contacts", "contact_id,referral_id,contact_date\nc1,r1,2025-01-12\nc1,r1,2025-01-13\n", [2]),
    ("needs", "referral_id,need\nr1,housing\nr1,housing\nr1,other\n", [2, 4]),
    ("activities", "referral_id,activity_type,start_date\nr1,learning,2025-02-01\nr1,learning,2025-02-01\nr1,learning,2025-03-01\n", [2, 4]),
    ("outcomes", "person_id,instrument,months,value\np1,gad7,0,5\np1,gad7,0,6\np1,gad7,3,5\n", [2, 4]),
    ("provision", "service_id,activity_type\ns1,learning\ns1,volunteering\n", [2]),
    ("community", "service_id,date,members\ns1,2025-01-31,4\ns1,2025-01-31,5\ns1,2025-02-28,5\n", [2, 4]),
    ("population", "sex,imd_decile,people\nfemale,1,10\nfemale,1,20\nmale,1,10\n", [2, 4]),
    ("coproduction", "practice,level\nco-design,2\nco-design,3\n", [2])])
def test_each_table_has_its_own_key(cleaned, table, text, kept):
    referrals = "referral_id,person_id,referral_date\nr1,p1,2025-01-10\n"
    scheme = cleaned(referrals=referrals, **{table: text})
    assert scheme.tables[table]["row"].tolist() == kept


def test_cost_lines_and_service_use_may_repeat(cleaned):
    scheme = cleaned(costs="item,category,amount_gbp,price_year\nPay,link_worker,1,2024/25\nPay,link_worker,1,2024/25\n",
                     service_use="person_id,month,service,count\np1,2025-01,gp,1\np1,2025-01,gp,2\n")
    assert len(scheme.tables["costs"]) == len(scheme.tables["service_use"]) == 2
    assert len(issue(scheme, "1 rows repeat a person, month and service; their counts will be added up")) == 1


@pytest.mark.parametrize("table, text, reason", [
    ("outcomes", "person_id,instrument,occasion,value\np1,gad7,baseline,5\np9,gad7,baseline,6\n", "person_id: not in people"),
    ("service_use", "person_id,month,service,count\np1,2025-01,gp,1\np9,2025-01,gp,1\n", "person_id: not in people"),
    ("needs", "referral_id,need\nr1,housing\nr9,housing\n", "referral_id: not in referrals"),
    ("contacts", "contact_id,referral_id,contact_date\nc1,r1,2025-01-12\nc2,r9,2025-01-12\n", "referral_id: not in referrals"),
    ("activities", "referral_id,activity_type\nr1,learning\nr9,learning\n", "referral_id: not in referrals")])
def test_rows_about_nobody_are_set_aside(cleaned, table, text, reason):
    scheme = cleaned(referrals="referral_id,person_id\nr1,p1\n", **{table: text})
    assert scheme.tables[table]["row"].tolist() == [2] and aside(scheme, table) == {3: reason}
    found = issue(scheme, "not in ").iloc[0]
    assert (found.table, found.row, found.action) == (table, 3, "row set aside") and found.found in ("p9", "r9")


def test_children_of_a_referral_without_its_person_go_with_it(cleaned):
    scheme = cleaned(referrals="referral_id,person_id\nr1,p9\n", needs="referral_id,need\nr1,housing\n")
    assert aside(scheme, "referrals") == {2: "person_id: not in people"} and aside(scheme, "needs") == {2: "referral_id: not in referrals"}


# ---- dates and ages

@pytest.mark.parametrize("row, column, problem", [
    ("r1,p1,2026-02-01,active,,", "referral_date", "after the extract date"), ("r1,p1,1985-02-01,active,,", "referral_date", "impossibly early"),
    ("r1,p1,2025-02-01,active,2025-01-01,", "first_contact_date", "before referral_date"),
    ("r1,p1,2025-02-01,closed,,2025-01-01", "closed_date", "before referral_date"),
    ("r1,p1,2025-02-01,closed,2025-03-01,2025-02-15", "closed_date", "before first_contact_date")])
def test_an_impossible_date_is_blanked_and_the_row_kept(cleaned, row, column, problem):
    scheme = cleaned(referrals=f"{REFERRAL}{row}\n")
    assert scheme.tables["referrals"][column].isna().all() and len(scheme.tables["referrals"]) == 1
    found = issue(scheme, problem).iloc[0]
    assert (found.row, found.row_id, found.column, found.action) == (2, "r1", column, "set to missing") and found.found in row


def test_dates_in_their_order_stay(cleaned):
    scheme = cleaned(referrals=REFERRAL + "r1,p1,2025-02-01,closed,2025-02-01,2025-02-01\nr2,p2,1990-01-01,active,2025-12-31,\n")
    assert scheme.issues.empty and days(scheme, "referrals", "closed_date")[0] == "2025-02-01"


def test_a_row_whose_required_date_is_impossible_is_set_aside(cleaned):
    scheme = cleaned(referrals="referral_id,person_id\nr1,p1\n", contacts="contact_id,referral_id,contact_date\nc1,r1,2031-01-12\nc2,r1,2025-01-12\n")
    assert scheme.tables["contacts"]["row"].tolist() == [3] and aside(scheme, "contacts") == {2: "an impossible date"}


def test_a_bereavement_may_be_long_ago_and_not_in_the_future(cleaned):
    scheme = cleaned(people="person_id,bereaved_on\np1,1971-02-03\np2,2030-01-01\n")
    assert scheme.tables["people"]["bereaved_on"].isna().tolist() == [False, True]


@pytest.mark.parametrize("year, kept", [(1904, False), (1905, True), (1950, True), (2025, True), (2026, False)])
def test_birth_years_beyond_a_human_life_are_blanked(cleaned, year, kept):
    scheme = cleaned(people=f"person_id,birth_year\np1,{year}\n")
    assert bool(scheme.tables["people"]["birth_year"].notna().iloc[0]) is kept
    assert len(issue(scheme, "impossible year of birth")) == (0 if kept else 1)


def test_age_is_counted_to_the_start(cleaned):
    scheme = cleaned(people="person_id,birth_year,index_date\np1,1950,\np2,1960,2024-06-01\np3,1970,\n",
                     referrals="referral_id,person_id,referral_date\nr1,p1,2025-01-10\n")
    people = scheme.tables["people"]
    assert people["age"].tolist() == [75, 64, 55]           # no start: the year of the extract
    assert people["start"].dt.strftime("%Y-%m-%d").fillna("").tolist() == ["2025-01-10", "2024-06-01", ""]


def test_an_age_the_export_gives_is_kept_and_gaps_are_filled(cleaned):
    scheme = cleaned(people="person_id,birth_year,age\np1,1950,74\np2,1960,\n")
    assert scheme.tables["people"]["age"].tolist() == [74, 65]


def test_a_birth_after_the_referral_is_no_age(cleaned):
    scheme = cleaned(people="person_id,birth_year\np1,2024\n", referrals="referral_id,person_id,referral_date\nr1,p1,2020-01-10\n")
    assert scheme.tables["people"]["age"].isna().all() and len(issue(scheme, "impossible age at referral")) == 1


def test_start_is_the_first_referral_and_else_the_index_date(cleaned):
    scheme = cleaned(people="person_id,index_date\np1,2024-12-01\np2,2024-12-01\n",
                     referrals="referral_id,person_id,referral_date\nr2,p1,2025-06-10\nr1,p1,2025-01-10\nr3,p2,\n")
    assert days(scheme, "people", "start") == ["2025-01-10", "2024-12-01"]


# ---- the extract date

def test_an_extract_date_that_is_missing_is_the_latest_date_without_strays(cleaned):
    referrals = "referral_id,person_id,referral_date\n" + "".join(f"r{i},p{i % 3 + 1},2025-{i:02}-15\n" for i in range(1, 13)) + "r99,p1,2031-01-01\n"
    scheme = cleaned(settings={"extract_date": None}, referrals=referrals)
    assert scheme.settings.extract_date == pd.Timestamp("2025-12-15")
    assert len(issue(scheme, "scheme.yaml gives no extract_date; it was taken to be 2025-12-15, the latest date in the data")) == 1
    assert issue(scheme, "after the extract date")["found"].tolist() == ["2031-01-01"]


def test_without_any_date_there_is_no_extract_date_and_no_error(cleaned):
    scheme = cleaned(settings={"extract_date": None})
    assert scheme.settings.extract_date is None and scheme.tables["people"]["age"].isna().all()


def test_the_extract_date_of_scheme_yaml_is_kept(cleaned):
    assert cleaned(referrals="referral_id,person_id,referral_date\nr1,p1,2025-01-10\n").settings.extract_date == pd.Timestamp("2025-12-31")


# ---- episodes

def test_a_repeat_within_the_episode_joins_the_first_and_brings_what_it_knows(cleaned):
    scheme = cleaned(referrals=REFERRAL + "r1,p1,2025-01-10,waiting,2025-02-10,\nr2,p1,2025-03-10,completed,2025-03-20,2025-06-01\n",
                     needs="referral_id,need\nr2,housing\n", contacts="contact_id,referral_id,contact_date\nc1,r2,2025-04-01\n",
                     activities="referral_id,activity_type\nr2,learning\n")
    row = scheme.tables["referrals"].iloc[0]
    assert len(scheme.tables["referrals"]) == 1 and (row.referral_id, row.status) == ("r1", "completed")
    assert (row.first_contact_date, row.closed_date) == (pd.Timestamp("2025-02-10"), pd.Timestamp("2025-06-01"))
    assert aside(scheme, "referrals") == {3: "joined to referral r1"}
    assert [scheme.tables[t]["referral_id"].tolist() for t in ("needs", "contacts", "activities")] == [["r1"]] * 3
    assert issue(scheme, "repeat referral in one episode")[["row", "row_id", "found", "action"]].values.tolist() == [
        [3, "r2", "2025-03-10", "joined to referral r1"]]
    assert set(issue(scheme, "referral joined to another of its episode")["action"]) == {"moved with it"}


@pytest.mark.parametrize("first, second, ids", [
    ("2025-01-10,active,,", "2025-04-10,active,,", ["r1"]),                       # 90 days on: still the episode
    ("2025-01-10,active,,", "2025-04-11,active,,", ["r1", "r2"]),                 # 91 days on: another
    ("2025-01-10,closed,,2025-02-01", "2025-02-02,active,,", ["r1", "r2"]),       # after it was closed
    ("2025-01-10,closed,,2025-10-01", "2025-09-02,active,,", ["r1"]),             # before it was closed, however late
    ("2025-01-10,active,,", "2025-01-10,active,,", ["r1"])])
def test_an_episode_ends_with_its_closure_or_after_ninety_days(cleaned, first, second, ids):
    scheme = cleaned(referrals=f"{REFERRAL}r1,p1,{first}\nr2,p1,{second}\nr3,p2,2025-01-11,active,,\n")
    assert scheme.tables["referrals"]["referral_id"].tolist() == [*ids, "r3"]


def test_the_length_of_an_episode_is_the_schemes_to_say(cleaned):
    text = REFERRAL + "r1,p1,2025-01-10,active,,\nr2,p1,2025-02-20,active,,\n"
    assert len(cleaned(settings={"episode_days": 30}, referrals=text).tables["referrals"]) == 2
    assert len(cleaned(settings={"episode_days": 41}, referrals=text).tables["referrals"]) == 1


def test_rows_out_of_order_join_by_date_not_by_place(cleaned):
    scheme = cleaned(referrals=REFERRAL + "r2,p1,2025-02-10,active,,\nr1,p1,2025-01-10,waiting,,\n")
    assert scheme.tables["referrals"]["referral_id"].tolist() == ["r1"] and aside(scheme, "referrals") == {2: "joined to referral r1"}


def test_three_referrals_of_one_episode_become_one(cleaned):
    scheme = cleaned(referrals=REFERRAL + "r1,p1,2025-01-10,waiting,,\nr2,p1,2025-02-10,active,,\nr3,p1,2025-03-10,completed,,\n",
                     needs="referral_id,need\nr3,housing\nr2,other\nr1,transport_digital_access\n")
    assert scheme.tables["referrals"][["referral_id", "status"]].values.tolist() == [["r1", "completed"]]
    assert scheme.tables["needs"]["referral_id"].tolist() == ["r1"] * 3


@pytest.mark.parametrize("first, second", [("2025-10-01", "2025-11-01"), ("2025-11-01", "2025-10-01"), ("", "2025-11-01"), ("2025-11-01", "")])
def test_an_episode_is_closed_when_the_last_of_its_referrals_is(cleaned, first, second):
    scheme = cleaned(referrals=f"{REFERRAL}r1,p1,2025-01-10,closed,2025-03-01,{first}\nr2,p1,2025-02-10,closed,2025-02-20,{second}\n")
    row = scheme.tables["referrals"].iloc[0]
    assert len(scheme.tables["referrals"]) == 1 and (row.first_contact_date, row.closed_date) == (pd.Timestamp("2025-02-20"), pd.Timestamp("2025-11-01"))


def test_a_need_noted_on_both_referrals_of_an_episode_is_one_need(cleaned):
    scheme = cleaned(referrals=REFERRAL + "r1,p1,2025-01-10,active,,\nr2,p1,2025-02-10,active,,\n", needs="referral_id,need\nr1,housing\nr2,housing\n")
    assert scheme.tables["needs"][["referral_id", "need"]].values.tolist() == [["r1", "housing"]]


# ---- pathway codes

def test_pathway_codes_become_statuses_where_none_is_given(cleaned):
    codes = {"r1": "871691000000100", "r2": "871711000000103", "r3": "871731000000106"}
    scheme = cleaned(referrals=CODED + "".join(f"{r},p{i},2025-0{i}-01,{c}\n" for i, (r, c) in enumerate(codes.items(), start=1)))
    assert scheme.tables["referrals"]["status"].tolist() == ["offered", "declined_by_person", "referred"]
    assert issue(scheme, "status read from snomed_code")["found"].tolist() == list(codes.values())


def test_a_status_the_export_gives_wins_over_the_code(cleaned):
    scheme = cleaned(referrals="referral_id,person_id,status,snomed_code\nr1,p1,completed,871731000000106\n")
    assert scheme.tables["referrals"]["status"].tolist() == ["completed"]


def test_codes_of_one_pathway_make_one_referral_with_its_dates(cleaned):
    scheme = cleaned(referrals=CODED + "r1,p1,2025-01-10,871731000000106\nr2,p1,2025-02-01,1362931000000106\nr3,p1,2025-08-01,1362721000000106\n")
    row = scheme.tables["referrals"].iloc[0]
    assert len(scheme.tables["referrals"]) == 1 and (row.referral_id, row.status) == ("r1", "closed")
    assert (row.referral_date, row.first_contact_date, row.closed_date) == tuple(map(pd.Timestamp, ("2025-01-10", "2025-02-01", "2025-08-01")))


def test_sixteen_digit_codes_cut_by_a_spreadsheet_are_mended(cleaned):
    scheme = cleaned(referrals={"A": [["referral_id", "person_id", "referral_date", "snomed_code"], ["r1", "p1", "2025-01-10", 1362931000000106],
                                      ["r2", "p2", "2025-01-10", 1362721000000100]]})
    assert scheme.tables["referrals"]["snomed_code"].tolist() == ["1362931000000106", "1362721000000106"]
    assert scheme.tables["referrals"]["status"].tolist() == ["active", "closed"]
    mended = issue(scheme, "16-digit code cut to 15 digits by a spreadsheet")
    assert "1362721000000100" in mended["found"].tolist() and set(mended["action"]) == {"mended"}


@pytest.mark.parametrize("code, reason", [("1084281000000109", "signposting only, no link-worker episode"),
                                          ("1078371000000100", "the code of another role, not social prescribing")])
def test_signposting_and_other_roles_are_no_referrals(cleaned, code, reason):
    scheme = cleaned(referrals=f"{CODED}r1,p1,2025-01-10,{code}\nr2,p2,2025-01-10,871731000000106\n")
    assert scheme.tables["referrals"]["referral_id"].tolist() == ["r2"] and aside(scheme, "referrals") == {2: reason}
    assert issue(scheme, "not a social prescribing referral")["found"].tolist() == [code]


@pytest.mark.parametrize("status", ["", "active"])
def test_a_referral_without_a_code_among_coded_ones_is_kept(cleaned, status):
    scheme = cleaned(referrals=f"referral_id,person_id,status,snomed_code\nr1,p1,referred,871731000000106\nr2,p2,{status},\n")
    assert scheme.tables["referrals"]["referral_id"].tolist() == ["r1", "r2"]


# ---- other notes

def test_more_sessions_attended_than_offered_is_noted_and_kept(cleaned):
    scheme = cleaned(referrals="referral_id,person_id\nr1,p1\n", activities="referral_id,activity_type,sessions_offered,sessions_attended\nr1,learning,5,8\n")
    assert scheme.tables["activities"]["sessions_attended"].tolist() == [8]
    assert issue(scheme, "more sessions attended than offered")[["row", "found", "action"]].values.tolist() == [[2, "8", "noted"]]


@pytest.mark.parametrize("table", ["people", "referrals", "outcomes", "needs"])
def test_a_where_that_selects_nothing_is_no_error(cleaned, table):
    texts = {"people": "person_id,T\np1,a\n", "referrals": "referral_id,person_id,referral_date,T\nr1,p1,2025-01-10,a\n",
             "outcomes": "person_id,instrument,occasion,value,T\np1,gad7,baseline,5,a\n", "needs": "referral_id,need,T\nr1,housing,a\n"}
    scheme = cleaned(specs={table: {"where": {"T": "b"}}}, **texts)
    accounts = scheme.accounts().set_index("table")
    assert accounts.loc[table, ["rows_in", "rows_used", "rows_set_aside"]].tolist() == [1, 0, 1]


def test_cleaning_leaves_the_scheme_it_was_given_alone(build):
    scheme = load_scheme(build(people="person_id,birth_year\np1,1850\np1,1950\n"))
    before = scheme.tables["people"].copy()
    clean_scheme(scheme)
    pd.testing.assert_frame_equal(scheme.tables["people"], before)
    assert scheme.set_aside == {}


# ---- whatever the data

# a failing example is not made smaller (every try reads files); to hunt, add Phase.shrink
QUICK = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate])
IDS, PEOPLE_IDS = ["r1", "r2", "r3", "r4", "r9", " r1", ""], ["p1", "p2", "p3", "p4", "p9", "p1 ", ""]
DATES = ["2025-01-10", "11/01/2025", "2025-03-02", "2025-07-30", "31/02/2025", "2031-01-01", "1889-05-05", "45717", "soon", "", "0"]
COLUMNS = {
    "people": {"person_id": PEOPLE_IDS, "birth_year": ["1950", "1850", "2030", "young", "1960.0", ""], "age": ["44", "-3", "400", "x", ""],
               "sex": ["female", "M", "zzz", ""], "ethnicity": ["A", "Z", "99", "Q7", ""], "index_date": DATES, "imd_decile": ["1", "11", "3.5", ""],
               "carer": ["yes", "0", "perhaps", ""], "arm": ["scheme", "comparison", ""]},
    "referrals": {"referral_id": IDS, "person_id": PEOPLE_IDS, "referral_date": DATES, "status": ["active", "Closed", "lost", ""],
                  "first_contact_date": DATES, "closed_date": DATES, "source": ["gp", "moon", ""],
                  "snomed_code": ["871731000000106", "1362931000000106", "1362721000000100", "1084281000000109", "1078371000000100", "x", ""]},
    "needs": {"referral_id": IDS, "need": ["housing", "other", "unheard of", ""], "local_label": ["a", ""]},
    "contacts": {"contact_id": ["c1", "c2", "c3", ""], "referral_id": IDS, "contact_date": DATES, "minutes": ["30", "-1", "900", "long", ""]},
    "activities": {"referral_id": IDS, "activity_type": ["learning", "flying", ""], "start_date": DATES, "sessions_offered": ["5", "x", ""],
                   "sessions_attended": ["8", "-1", ""]},
    "outcomes": {"person_id": PEOPLE_IDS, "instrument": ["swemwbs", "PHQ-9", "ucla3", "eq5d3l", "EQ-5D-5L", "eq5d5l_map", "ons_life_sat", "pam13", "mycaw", "mood", ""],
                 "item": ["total", "Score", "1", "q1", "2", "3", "9", "profile", "MO", "x", ""], "occasion": ["baseline", "follow_up", "later", ""],
                 "measured_on": DATES, "months": ["0", "3", "-99", "x", ""], "value": ["2", "21", "19.98", "-1", "99", "11111", "1.5", "bad", ""]},
    "service_use": {"person_id": PEOPLE_IDS, "month": ["2025-01", "Feb 2025", "2031-01", "x", ""], "service": ["gp", "other", ""], "count": ["1", "-1", "x", ""]}}
NEEDED = {"people": ["person_id"], "referrals": ["referral_id", "person_id"], "needs": ["referral_id", "need"],
          "contacts": ["contact_id", "referral_id", "contact_date"], "activities": ["referral_id", "activity_type"],
          "outcomes": ["person_id", "instrument", "occasion", "value"], "service_use": ["person_id", "month", "service", "count"]}


@st.composite
def dirty_tables(draw):
    """{table: rows of text with a header}: repeats, orphans, blanks, dates and codes that cannot be; some tables and columns missing."""
    tables = {}
    for name in ["people", *draw(st.lists(st.sampled_from(list(COLUMNS)[1:]), unique=True, max_size=6))]:
        optional = [c for c in COLUMNS[name] if c not in NEEDED[name]]
        header = [*NEEDED[name], *(draw(st.lists(st.sampled_from(optional), unique=True)) if optional else [])]
        row = st.tuples(*(st.sampled_from(COLUMNS[name][c]) for c in header))
        tables[name] = [header, *draw(st.lists(row, min_size=1, max_size=14))]
    return tables


def as_csv(rows):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def known_codes(tables):
    """True unless a required column of codes holds none of its values: then the load refuses the table."""
    hopeless = {"needs": ("need", {"housing", "other"}), "activities": ("activity_type", {"learning"}), "outcomes": ("occasion", {"baseline", "follow_up"})}
    for table, (column, known) in hopeless.items():
        if table in tables:
            at = tables[table][0].index(column)
            found = {row[at] for row in tables[table][1:]} - {""}
            if found and not found & known:
                return False
    return True


def written(rows):
    """File row number -> cells by column name, for the rows that hold anything."""
    return {number: dict(zip(rows[0], cells)) for number, cells in enumerate(rows[1:], start=2) if any(cell.strip() for cell in cells)}


@settings(QUICK, max_examples=40)
@given(tables=dirty_tables().filter(known_codes), extract=st.sampled_from(["2025-12-31", None]))
def test_every_row_of_a_dirty_scheme_is_used_or_set_aside_with_its_reason(build, tables, extract):
    scheme = load_scheme(build(settings={"extract_date": extract}, **{name: as_csv(rows) for name, rows in tables.items()}))
    scheme = clean_scheme(scheme) if "people" in scheme.tables else scheme
    accounts = scheme.accounts().set_index("table")
    for name, rows in tables.items():
        there = written(rows)
        assert accounts.loc[name, "rows_in"] == len(there) == accounts.loc[name, "rows_used"] + accounts.loc[name, "rows_set_aside"]
        used = scheme.tables.get(name, pd.DataFrame({"row": []}))
        used = used[~used["derived"]] if "derived" in used else used
        unused = scheme.set_aside.get(name, pd.DataFrame({"row": [], "reason": []}))
        assert sorted([*used["row"], *unused["row"]]) == sorted(there)
        assert unused["reason"].notna().all() and unused["reason"].astype(str).str.len().gt(5).all()


@settings(QUICK, max_examples=20)
@given(tables=dirty_tables().filter(known_codes))
def test_an_issue_points_at_the_row_and_the_value_it_is_about(build, tables):
    scheme = load_scheme(build(**{name: as_csv(rows) for name, rows in tables.items()}))
    unread = scheme.issues[scheme.issues["row"].notna() & scheme.issues["problem"].isin(["not understood", "out of range", "missing"])]
    scheme = clean_scheme(scheme) if "people" in scheme.tables else scheme
    for found in scheme.issues[scheme.issues["row"].notna()].itertuples():
        cells = written(tables[found.table])[found.row]
        assert found.file == f"{found.table}.csv"
        if found.table in ("people", "referrals", "contacts", "outcomes", "service_use"):
            key = {"referrals": "referral_id", "contacts": "contact_id"}.get(found.table, "person_id")
            assert found.row_id == cells[key].strip()
    for found in unread.itertuples():
        assert found.found == written(tables[found.table])[found.row].get(found.column, "").strip()


# ---- found by trying odd schemes

def test_coded_entries_that_share_a_referral_id_are_one_referral(cleaned):
    scheme = cleaned(people="person_id\np1\n", referrals="referral_id,person_id,referral_date,snomed_code\nr1,p1,2025-01-01,871731000000106\n"
                     "r1,p1,2025-01-11,1362931000000106\nr1,p1,2025-03-01,1362721000000106\n")
    row = scheme.tables["referrals"].iloc[0]
    assert len(scheme.tables["referrals"]) == 1 and row["status"] == "closed"
    assert (row["referral_date"], row["first_contact_date"], row["closed_date"]) == tuple(map(pd.Timestamp, ("2025-01-01", "2025-01-11", "2025-03-01")))
    accounts = scheme.accounts().set_index("table").loc["referrals"]
    assert (accounts["rows_in"], accounts["rows_used"], accounts["rows_set_aside"], accounts["rows_joined"]) == (3, 1, 2, 2)


def test_birth_years_are_kept_where_the_data_hold_no_date_to_hold_them_against(cleaned):
    scheme = cleaned(people="person_id,birth_year\np1,1931\np2,1979\n")
    assert scheme.tables["people"]["birth_year"].tolist() == [1931, 1979] and scheme.issues.empty


def test_totals_in_a_population_table_are_set_aside_so_that_nobody_counts_twice(cleaned):
    scheme = cleaned(people="person_id\np1\n", population="age_band,sex,people\nUnder 18,male,100\n18-64,male,200\n65+,male,50\n"
                     "All ages,male,350\n18-64,Persons,400\n")
    rows = scheme.tables["population"]
    assert rows["people"].tolist() == [100, 200, 50] and len(scheme.set_aside["population"]) == 2


def test_a_name_in_scheme_yaml_that_nothing_answers_to_is_noted(cleaned):
    scheme = cleaned(people="person_id\np1\n", outcomes="person_id,instrument,occasion,value\np1,gad7,baseline,9\n",
                     settings={"primary_outcome": "swemwbz", "covariates": ["agee"], "comparison": {"design": "matched"}})
    problems = " ".join(scheme.issues["problem"])
    assert "'swemwbz'" in problems and "'agee'" in problems and "nobody in people has arm = comparison" in problems


def test_without_an_extract_date_the_data_are_no_older_than_scores_given_in_months_since_the_start(cleaned):
    scheme = cleaned({"extract_date": None, "follow_up_months": 6}, referrals="referral_id,person_id,referral_date\nr1,p1,2025-01-10\n",
                     outcomes="person_id,instrument,occasion,months,value\np1,phq9,baseline,0,12\np1,phq9,follow_up,6,9\n")
    assert scheme.settings.extract_date == pd.Timestamp("2025-07-12")       # 10 January and 6 x 30.4375 days (183)
