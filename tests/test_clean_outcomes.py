"""Scores that can be analysed: instruments, ranges, raw totals, answers to totals, occasion and months."""

import pandas as pd
import pytest

HEADER = "person_id,instrument,item,occasion,value\n"


@pytest.fixture
def scores(cleaned):
    """Cleaned outcomes and the scheme, from rows of CSV text below HEADER."""
    def from_rows(*rows, header=HEADER, **more):
        scheme = cleaned(outcomes=header + "".join(f"{row}\n" for row in rows), **more)
        account = scheme.accounts().set_index("table").loc["outcomes"]
        assert account.rows_in == account.rows_used + account.rows_set_aside == len(rows)
        return scheme.tables["outcomes"], scheme
    return from_rows


def answers(instrument, values, person="p1", occasion="baseline"):
    return [f"{person},{instrument},{item},{occasion},{value}" for item, value in enumerate(values, start=1) if value is not None]


def totals(rows, instrument):
    return rows[(rows["instrument"] == instrument) & (rows["item"] == "total")].set_index("person_id")["value"].to_dict()


def aside(scheme):
    rows = scheme.set_aside.get("outcomes")
    return [] if rows is None else list(zip(rows["row"], rows["reason"]))


def issue(scheme, problem):
    return scheme.issues[scheme.issues["problem"].str.contains(problem, regex=False)]


# ---- who, which instrument, which item

def test_an_instrument_nobody_defined_is_set_aside(scores):
    rows, scheme = scores("p1,swemwbs,total,baseline,20.73", "p1,moodometer,total,baseline,5")
    assert list(rows["instrument"]) == ["swemwbs"] and aside(scheme) == [(3, "an instrument nobody defined")]
    found = issue(scheme, "an instrument nobody defined").iloc[0]
    assert (found.row, found.column, found.found, found.action) == (3, "instrument", "moodometer", "row set aside") and "'instruments'" in found.expected


def test_an_own_instrument_is_one_somebody_defined(scores):
    rows, scheme = scores("p1,hope,total,baseline,5", "p2,hope,total,baseline,11",
                          settings={"instruments": {"hope": {"minimum": 0, "maximum": 10, "higher_is_better": True}}})
    assert totals(rows, "hope") == {"p1": 5.0} and aside(scheme) == [(3, "outside the instrument's range")]


def test_an_own_instrument_is_met_however_its_name_is_written(scores):
    rows, _ = scores("p1,Hope Scale,total,baseline,5", settings={"instruments": {"hope-scale": {"minimum": 0, "maximum": 10, "higher_is_better": True}}})
    assert list(rows["value"]) == [5.0]


def test_an_item_the_instrument_does_not_have_is_set_aside(scores):
    _, scheme = scores("p1,gad7,8,baseline,1", "p1,gad7,mood,baseline,1", "p1,gad7,0,baseline,1")
    assert aside(scheme) == [(2, "not an item of the instrument"), (3, "not an item of the instrument"), (4, "not an item of the instrument")]


@pytest.mark.parametrize("item", ["total", "Total", "score", "SUM", "1", "ons_life_sat", ""])
def test_a_single_question_is_its_own_total(scores, item):
    rows, _ = scores(f"p1,ons_life_sat,{item},baseline,7")
    assert list(rows["item"]) == ["total"] and list(rows["value"]) == [7.0]


def test_licensed_instruments_are_taken_as_totals_only(scores):
    rows, scheme = scores("p1,pam13,total,baseline,55.2", "p1,pam13,1,baseline,3", "p1,hads,2,baseline,1")
    assert totals(rows, "pam13") == {"p1": 55.2}
    assert [row for row, _ in aside(scheme)] == [3, 4] and all(why.startswith("answers that are not scored here (licence") for _, why in aside(scheme))
    assert set(issue(scheme, "answers that are not scored here")["expected"]) == {"its total only"}


def test_a_score_of_somebody_not_in_people_is_set_aside(scores):
    rows, scheme = scores("p1,gad7,total,baseline,5", "p9,gad7,total,baseline,6")
    assert totals(rows, "gad7") == {"p1": 5.0} and aside(scheme) == [(3, "person_id: not in people")]


# ---- ranges

@pytest.mark.parametrize("instrument, value, kept, expected", [
    ("swemwbs", 6.9, False, "from 7 to 35"), ("swemwbs", 35.1, False, "from 7 to 35"), ("phq9", 27, True, ""), ("phq9", 28, False, "from 0 to 27"),
    ("ons_life_sat", 10, True, ""), ("ons_life_sat", 11, False, "from 0 to 10"), ("ucla3", 2, False, "from 3 to 9"), ("eqvas", 100, True, ""),
    ("eq5d3l", -0.594, True, ""), ("eq5d3l", -0.6, False, "from -0.594 to 1"), ("eq5d5l_uk2026", -0.567, True, ""), ("utility", 1.01, False, "from -0.594 to 1")])
def test_totals_outside_the_instruments_range_are_set_aside(scores, instrument, value, kept, expected):
    rows, scheme = scores(f"p1,{instrument},total,baseline,{value}", "p2,gad7,total,baseline,1")
    assert ("p1" in set(rows["person_id"])) is kept
    if not kept:
        found = issue(scheme, "outside the instrument's range").iloc[0]
        assert (found.row, found.row_id, found.column, found.expected) == (2, "p1", "value", expected) and float(found.found) == value


def test_answers_outside_their_range_or_between_two_answers_are_set_aside(scores):
    _, scheme = scores("p1,phq9,1,baseline,4", "p1,phq9,2,baseline,1.5", "p1,phq9,3,baseline,-1", "p1,swemwbs,1,baseline,0")
    assert [row for row, _ in aside(scheme)] == [2, 3, 4, 5] and {why for _, why in aside(scheme)} == {"outside the instrument's range"}


# ---- SWEMWBS raw and metric

def test_whole_swemwbs_totals_are_raw_and_converted(scores):
    # Stewart-Brown et al (2009) Health Qual Life Outcomes 7:15: raw 21 is 19.25, raw 28 is 25.03
    rows, scheme = scores("p1,swemwbs,total,baseline,21", "p2,swemwbs,total,baseline,28", "p2,gad7,total,baseline,21")
    assert totals(rows, "swemwbs") == {"p1": 19.25, "p2": 25.03} and totals(rows, "gad7") == {"p2": 21.0}
    assert issue(scheme, "2 SWEMWBS totals are whole numbers, so raw")["action"].tolist() == ["converted"]


def test_metric_swemwbs_totals_stay_as_they_are(scores):
    rows, scheme = scores("p1,swemwbs,total,baseline,19.25", "p2,swemwbs,total,baseline,35", "p3,swemwbs,total,baseline,7")
    assert totals(rows, "swemwbs") == {"p1": 19.25, "p2": 35.0, "p3": 7.0} and issue(scheme, "SWEMWBS totals").empty


def test_raw_among_metric_swemwbs_totals_is_refused(scores):
    rows, scheme = scores("p1,swemwbs,total,baseline,19.25", "p2,swemwbs,total,baseline,21")
    assert totals(rows, "swemwbs") == {"p1": 19.25} and aside(scheme) == [(3, "a raw SWEMWBS total among metric scores")]


# ---- answers to totals

def test_answers_make_one_total_a_sitting_and_stay_themselves(scores):
    rows, scheme = scores(*answers("ucla3", [1, 2, 3]), *answers("ucla3", [2, 2, 2], occasion="follow_up"), *answers("ucla3", [3, 3, 3], "p2"))
    made = rows[rows["derived"]]
    assert made[["person_id", "occasion", "item", "value", "row"]].values.tolist() == [
        ["p1", "baseline", "total", 6.0, 2], ["p1", "follow_up", "total", 6.0, 5], ["p2", "baseline", "total", 9.0, 8]]
    assert len(rows[~rows["derived"]]) == 9 and len(issue(scheme, "3 ucla3 totals scored from answers; 0 sittings could not be scored")) == 1


@pytest.mark.parametrize("instrument, values, total", [
    ("swemwbs", [3] * 7, 19.25), ("swemwbs", [4] * 7, 25.03), ("ucla3", [1, 2, 3], 6), ("gad7", [1, 2, 0, 3, 1, 0, 1], 8), ("phq9", [1] * 9, 9),
    ("phq9", [1, 1, 1, 1, 1, 1, 1, None, None], 9), ("gad7", [2] * 6 + [None], 14), ("eq5d3l", [2, 1, 2, 2, 3], 0.186), ("eq5d3l", [3] * 5, -0.594),
    ("eq5d3l", [1] * 5, 1), ("eq5d5l_uk2026", [5] * 5, -0.567)])
def test_each_instrument_is_scored_by_its_rule(scores, instrument, values, total):
    rows, _ = scores(*answers(instrument, values))
    assert totals(rows, instrument) == {"p1": pytest.approx(total, abs=1e-6)}


@pytest.mark.parametrize("instrument, values", [("swemwbs", [3] * 6), ("ucla3", [1, 2]), ("phq9", [1] * 6), ("gad7", [1] * 5), ("eq5d3l", [1] * 4)])
def test_too_few_answers_make_no_total_and_are_counted(scores, instrument, values):
    rows, scheme = scores(*answers(instrument, values))
    assert totals(rows, instrument) == {} and len(rows) == len(values)
    assert len(issue(scheme, f"0 {instrument} totals scored from answers; 1 sittings could not be scored")) == 1


@pytest.mark.parametrize("dated", ["", "2025-01-12"])
def test_a_total_the_export_gives_is_not_made_again(scores, dated):
    header = "person_id,instrument,item,occasion,measured_on,value\n"
    rows, _ = scores(*(f"p1,ucla3,{item},baseline,{dated},2" for item in (1, 2, 3)), f"p1,ucla3,total,baseline,{dated},6", header=header)
    assert totals(rows, "ucla3") == {"p1": 6.0} and not rows["derived"].any() and len(rows) == 4


def test_items_of_own_instruments_are_reversed_and_offset(scores):
    hope = {"minimum": 0, "maximum": 12, "higher_is_better": True, "items": 3, "item_minimum": 1, "item_maximum": 5, "reverse_items": [2], "item_offset": -1}
    rows, _ = scores(*answers("hope", [5, 1, 5]), *answers("hope", [2, 5, 1], "p2"), settings={"instruments": {"hope": hope}})
    assert totals(rows, "hope") == {"p1": 12.0, "p2": 1.0}


def test_instruments_without_a_total_are_kept_by_item(scores):
    rows, scheme = scores("p1,mycaw,1,baseline,4", "p1,mycaw,2,baseline,5")
    assert list(rows["item"]) == ["1", "2"] and not rows["derived"].any() and len(issue(scheme, "the items of mycaw have no total")) == 1


def test_one_item_written_in_two_ways_counts_once(scores):
    rows, scheme = scores(*answers("ucla3", [1, 2, 3]), "p1,ucla3,q1,baseline,3")
    assert totals(rows, "ucla3") == {"p1": 6.0} and [row for row, _ in aside(scheme)] == [5]


def test_two_answers_to_one_item_of_an_undated_sitting_do_not_stop_the_scoring(scores):
    rows, scheme = scores(*answers("ucla3", [1, 2, 3]), "p1,ucla3,1,baseline,3", *answers("ucla3", [1, 1, 1], "p2"))
    assert totals(rows, "ucla3")["p2"] == 3.0


def test_one_total_written_in_two_ways_counts_once(scores):
    rows, scheme = scores("p1,gad7,total,baseline,5", "p1,gad7,Score,baseline,6")
    assert totals(rows, "gad7") == {"p1": 5.0} and len(rows) == 1 and [row for row, _ in aside(scheme)] == [3]


# ---- EQ-5D in an export

@pytest.mark.parametrize("items", [["mobility", "self_care", "usual_activities", "pain_discomfort", "anxiety_depression"],
                                   ["MO", "SC", "UA", "PD", "AD"], ["1", "2", "3", "4", "5"], ["Q1", "Q2", "Q3", "Q4", "Q5"]])
def test_eq5d_dimensions_may_be_named_or_numbered(scores, items):
    rows, _ = scores(*(f"p1,eq5d3l,{item},baseline,{level}" for item, level in zip(items, [2, 1, 2, 2, 3])))
    assert totals(rows, "eq5d3l") == {"p1": pytest.approx(0.186, abs=1e-9)}


def test_an_eq5d_profile_may_come_as_one_number(scores):
    # Dolan (1997): 21232 = 1 - 0.081 - 0.069 - 0.036 - 0.386 - 0.071 - 0.269 = 0.088
    rows, _ = scores("p1,eq5d3l,profile,baseline,21232", "p2,eq5d3l,profile,baseline,11111")
    assert totals(rows, "eq5d3l") == {"p1": pytest.approx(0.088, abs=1e-9), "p2": 1.0}


@pytest.mark.parametrize("profile", ["21234", "1111", "21232.5", "-11111", "99999999"])
def test_a_profile_that_is_no_state_is_not_scored(scores, profile):
    rows, scheme = scores(f"p1,eq5d3l,profile,baseline,{profile}", "p2,eq5d3l,profile,baseline,11111")
    assert totals(rows, "eq5d3l") == {"p2": 1.0}


def test_eq5d5l_is_mapped_to_3l_unless_the_scheme_names_the_uk_2026_value_set(scores):
    worst = answers("eq5d5l", [5] * 5)
    mapped, _ = scores(*worst)
    valued, _ = scores(*worst, settings={"economics": {"value_set": "uk_5l_2026"}})
    assert set(mapped["instrument"]) == {"eq5d5l_map"} and set(valued["instrument"]) == {"eq5d5l_uk2026"}
    assert totals(valued, "eq5d5l_uk2026") == {"p1": -0.567} and totals(mapped, "eq5d5l_map")["p1"] > -0.595


def test_the_mapping_of_someone_of_unknown_sex_is_counted_as_not_scored(scores):
    rows, scheme = scores(*answers("EQ-5D-5L", [1] * 5), people="person_id,birth_year,sex\np1,1950,\n")
    assert totals(rows, "eq5d5l_map") == {} and len(issue(scheme, "1 sittings could not be scored")) == 1


# ---- safety

def test_phq9_item_9_above_zero_is_an_issue_and_nothing_else(scores):
    rows, scheme = scores(*answers("phq9", [1] * 9), *answers("phq9", [1] * 8 + [0], "p2"), *answers("gad7", [1] * 7, "p3"))
    flags = issue(scheme, "PHQ-9 item 9")
    assert flags[["row", "row_id", "column", "expected", "action"]].values.tolist() == [
        [10, "p1", "value", "a clinician has seen this answer", "for the clinical lead"]]
    assert not [c for c in rows.columns if "flag" in c or "safety" in c]


def test_phq9_item_9_is_flagged_even_when_the_total_is_given_or_cannot_be_made(scores):
    _, scheme = scores("p1,phq9,9,baseline,2", "p2,phq9,q9,baseline,1", "p2,phq9,total,baseline,5")
    assert sorted(issue(scheme, "PHQ-9 item 9")["row_id"]) == ["p1", "p2"]


# ---- months and occasion

DATED = "person_id,instrument,measured_on,value\n"
REFERRED = "referral_id,person_id,referral_date\nr1,p1,2025-01-10\nr2,p2,2025-02-10\n"


def test_months_are_counted_from_the_persons_start(scores):
    rows, _ = scores("p1,gad7,2025-01-10,9", "p1,gad7,2025-04-11,7", "p2,gad7,2025-01-10,7", header=DATED, referrals=REFERRED)
    assert rows["months"].tolist() == pytest.approx([0, 91 / 30.4375, -31 / 30.4375], abs=1e-9)


def test_months_the_export_gives_win_over_dates(scores):
    rows, _ = scores("p1,gad7,2025-04-11,3,7", "p1,gad7,2025-07-11,,7", header="person_id,instrument,measured_on,months,value\n", referrals=REFERRED)
    assert rows["months"].tolist() == pytest.approx([3.0, 182 / 30.4375], abs=1e-9)


def test_without_an_occasion_the_first_score_near_the_start_is_the_baseline(scores):
    rows, scheme = scores("p1,gad7,2025-04-11,7", "p1,gad7,2025-01-12,9", "p1,gad7,2025-01-20,8", "p2,gad7,2025-05-01,6", "p1,phq9,2025-01-20,8",
                          header=DATED, referrals=REFERRED)
    assert dict(zip(rows["row"], rows["occasion"])) == {2: "follow_up", 3: "baseline", 4: "follow_up", 5: "follow_up", 6: "baseline"}
    assert len(issue(scheme, "5 scores name no occasion")) == 1


def test_an_occasion_the_export_names_is_kept(scores):
    rows, _ = scores("p1,gad7,follow_up,2025-01-12,9", "p1,gad7,,2025-04-12,7", header="person_id,instrument,occasion,measured_on,value\n", referrals=REFERRED)
    assert rows["occasion"].tolist() == ["follow_up", "follow_up"]


def test_a_later_score_is_no_second_baseline_when_the_first_is_named(scores):
    rows, _ = scores("p1,gad7,baseline,2025-01-20,9", "p1,gad7,,2025-01-12,7", header="person_id,instrument,occasion,measured_on,value\n", referrals=REFERRED)
    assert (rows["occasion"] == "baseline").sum() == 1


def test_a_person_without_a_start_counts_months_from_the_first_score(scores):
    rows, _ = scores("p1,gad7,2025-01-12,9", "p1,gad7,2025-04-12,7", header=DATED)
    assert rows["occasion"].tolist() == ["baseline", "follow_up"]
    assert rows["months"].round(2).tolist() == [0, 2.96]          # 90 days


def test_outcomes_by_month_alone_get_their_occasion(scores):
    rows, _ = scores("p1,gad7,0,9", "p1,gad7,3,7", "p2,gad7,2,7", header="person_id,instrument,months,value\n")
    assert rows["occasion"].tolist() == ["baseline", "follow_up", "follow_up"]


def test_a_scheme_with_scores_that_are_all_set_aside_is_no_error(scores):
    rows, scheme = scores("p1,moodometer,total,baseline,5")
    assert rows.empty and not scheme.has("outcomes") and pd.isna(scheme.settings.primary_outcome or pd.NA)
