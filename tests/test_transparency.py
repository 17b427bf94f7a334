"""How open and how strong: every check on inputs made for it, bias, levels, next steps, co-production, the information standard."""

import json
import re
from functools import cache
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pandas as pd
import pytest
from lxml import html

import sprx
from sprx import clean_scheme, load_scheme
from sprx import report as report_module
from sprx.cohort.openness import answer_rests_on, coproduction_answers, standard_groups_filled, what_is_measured, what_is_said
from sprx.disclosure import RULES, not_about_people, release
from sprx.metrics.transparency import bias_domains, cheapest_to_record, coproduction, framework_links, rap_levels, self_appraisal, standard_groups, steps_to_gain, strength
from sprx.metrics.transparency.checks import CHECKS, best_level, held, status_of
from sprx.metrics.transparency.strength import referrals_a_year
from sprx.reference import facts, measures
from sprx.results import RESULT_COLUMNS, result_table
from sprx.wording.transparency import (NO_COPRODUCTION, TOOL_WORDS, alt_of_checks, bias_lines, check_lines, coproduction_lines, describe_bias, describe_checks, describe_coproduction, describe_frameworks,
                                       describe_level, describe_rap, describe_standard, describe_steps, framework_lines, gain_words, hours_words, level_lines, rap_lines, step_lines, step_sentences)

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "notebooks" / "report" / "09_transparency.ipynb"
REFERENCE = ROOT / "sprx" / "reference" / "transparency"
FORBIDDEN = r"\b(nan|NaN|None|inf)\b|\bsignifican|\bproves?\b|\bimpressive|\beffective\b"
NAN = float("nan")
LATER = ("transparency", "summary")


def released(*rows):
    """Released results: each row a measure, or (measure, group), or (measure, group, level), or those and an estimate."""
    full = [((row,) if isinstance(row, str) else row) for row in rows]
    full = [(*row, *("all", "all", 1.0)[len(row) - 1:]) for row in full]
    table = result_table([dict(measure=m, group=g, level=x, n=100, n_missing=0, estimate=e, unit="proportion") for m, g, x, e in full])
    return table[RESULT_COLUMNS]


def stored(scheme):
    """The stored results of a sample scheme, of the chapters before this one."""
    table = pd.read_csv(ROOT / "tests" / "golden" / f"{scheme}_results.csv", keep_default_na=False, na_values=[""])
    text = ["scheme_id", "question", "measure", "group", "level", "unit", "method", "note"]
    table[text] = table[text].fillna("").astype(str)
    return table[~table["question"].isin(LATER)].reset_index(drop=True)


def stages(*names):
    return [("stage_reached", "stage", name) for name in names]


WITH_LIMITS = released("uptake").assign(conf_level=0.95, conf_low=0.9, conf_high=1.0)
WITHOUT_LIMITS = pd.concat([WITH_LIMITS, released("share").assign(conf_level=0.95)])
ALL_STAGES = ("referred", "accepted", "seen", "activity_started", "completed")
GROUPS = [("share_of_people", name, "x") for name in ("age_band", "sex", "ethnic_group", "imd_quintile")]
PLANS = {"plan.contacts", "plan.days", "plan.minutes", "plan.caseload"}
COMPARED = [("maryland_level_scores", "design", "matched", 3.0)]
# check: (results and names with which it is present, those with which it is there in part or () where it never is)
CASES = {
    "name": (((), {"name", "area"}), ((), {"area"})),
    "why": ((["share_with_need"], set()), (["share_in_suitable_group"], set())),
    "what_given": ((["share_prescribed"], {"activities.service_id"}), (["share_prescribed"], {"provision"})),
    "what_done": ((stages(*ALL_STAGES), set()), (stages("referred", "seen"), set())),
    "who": (((), {"contacts.worker_role", "contacts.worker_employer"}), ((), {"contacts.worker_role"})),
    "how": (([("share_of_contacts", "mode", "video")], {"contacts.contact_date"}), ((), {"contacts.contact_date"})),
    "where": (((), {"area", "people.lsoa"}), ((), {"area", "provision.lat"})),
    "how_much": ((["median_days_to_first_contact", "contacts_per_case", "minutes_per_contact", "sessions_offered"], set()), (["median_days_to_first_contact"], set())),
    "tailoring": (((), {"needs", "activities"}), ((), {"needs"})),
    "changes": (((), {"rebase"}), ()),
    "planned": (((), PLANS), ((), {"plan.days"})),
    "actual": ((["uptake", "contacts_per_case", "had_planned_contacts"], set()), (["uptake"], set())),
    "denominator": ((["referrals", "referral_rate"], set()), (["referrals"], set())),
    "flow": (([*stages("referred"), ("not_completed", "reason", "moved_away")], set()), (stages("referred"), set())),
    "missing": ((["completeness", "followed_up_swemwbs"], set()), (["completeness"], set())),
    "baseline": ((GROUPS, set()), (GROUPS[:3], set())),
    "comparison": ((COMPARED, {"comparison people", "comparison design"}), (COMPARED, {"comparison people"})),
    "adjustment": ((["smd_between_groups_swemwbs", "effect_swemwbs"], {"comparison people"}), (["smd_between_groups_swemwbs"], {"comparison people"})),
    "uncertainty": ((WITH_LIMITS, set()), (WITHOUT_LIMITS, set())),
    "limits": ((["change_return_to_baseline_swemwbs"], set()), (["uptake"], set())),
    "perspective": ((["cost_charged"], {"economics.perspective"}), (["cost_charged"], set())),
    "price_year": ((["cost_charged"], {"economics.price_year"}), (["cost_charged"], set())),
    "comparator": ((["break_even_qaly", "qaly_difference", "cost_difference"], set()), (["break_even_qaly", "qaly_difference"], set())),
    "sensitivity": ((["cost_charged", "cost_driver", "net_benefit_if"], set()), (["cost_charged", "cost_driver"], set()))}


def checked(name, case):
    rows, said = case
    return CHECKS[name](rows if isinstance(rows, pd.DataFrame) else released(*rows), said)


@pytest.mark.parametrize("name", CASES)
def test_each_check_tells_present_partly_and_absent_apart_and_says_what_is_missing(name):
    full, part = CASES[name]
    assert status_of(checked(name, full)[0]) == "present"
    if part:
        status, why = checked(name, part)
        assert status_of(status) == "partly" and ("missing: " in why or "%" in why)
    status, why = CHECKS[name](released(), {"comparison people"} if name == "adjustment" else set())
    assert status_of(status) == ("not applicable" if name == "sensitivity" else "absent") and why


@pytest.mark.parametrize("name", [name for name in CASES if name not in ("uncertainty",)])
def test_nothing_that_a_check_asks_for_can_be_left_out(name):
    rows, said = CASES[name][0]
    for i in range(len(rows)):
        left = [row for at, row in enumerate(rows) if at != i]
        assert checked(name, (left, said))[0] != 1.0, rows[i]
    for word in said:
        assert checked(name, (rows, said - {word}))[0] != 1.0, word


def test_what_a_check_needs_beside_its_parts():
    assert status_of(CHECKS["adjustment"](released(), set())[0]) == "not applicable"
    assert status_of(CHECKS["comparison"](released(), {"comparison design"})[0]) == "absent"          # announced, but nobody is there
    assert status_of(CHECKS["comparison"](released(("maryland_level_use", "design", "x", 1.0)), {"comparison people"})[0]) == "absent"
    series = released(("maryland_level_use", "design", "series", 2.0))
    assert status_of(CHECKS["comparison"](series, set())[0]) == "absent"                               # months before are nobody else
    assert status_of(CHECKS["baseline"](released(*[(m, g, "missing") for m, g, _ in GROUPS]), set())[0]) == "absent"       # asked of nobody
    assert status_of(CHECKS["where"](released(), {"area", "provision.lat", "activities.service_id"})[0]) == "present"
    assert status_of(CHECKS["uncertainty"](pd.concat([WITH_LIMITS] * 9 + [released("x").assign(conf_level=0.95)]), set())[0]) == "present"     # nine of ten
    assert status_of(CHECKS["comparator"](released("qaly_difference", "cost_difference"), set())[0]) == "partly"


def test_a_hidden_number_counts_as_there_and_one_that_could_not_be_worked_out_does_not():
    table = released(("share_with_need", "need", "housing", NAN))
    assert not held(released("cost_charged_twice"), "cost_charged")
    assert not held(table, "share_with_need") and held(table.assign(suppressed=True), "share_with_need")
    assert not held(released("followed_up"), "followed_up_") and held(released("followed_up_phq9"), "followed_up_")
    assert not held(released(("not_seen", "all", "all")), "not_seen", "reason")


def test_the_list_of_checks_is_twelve_eight_and_four_with_a_source_and_a_place_that_is_in_the_report():
    table = facts("transparency/checks")
    assert table["tool"].value_counts().to_dict() == {"TIDieR": 12, "STROBE/TREND": 8, "CHEERS 2022": 4}
    assert list(table["id"]) == list(CASES) and set(table["id"]) == set(CHECKS) and set(table["tool"]) == set(TOOL_WORDS)
    for row in table.itertuples():
        path = next(iter((ROOT / "notebooks" / "report").glob(f"*_{row.chapter}.ipynb")), None)
        if path and row.chapter != "summary":
            assert f"## {row.heading}\\n" in path.read_text(encoding="utf-8") or f'## {row.heading}"' in path.read_text(encoding="utf-8"), row.heading
        else:
            assert row.chapter in ("summary", "all chapters")


@pytest.mark.parametrize("path", sorted(REFERENCE.glob("*.csv")), ids=lambda p: p.stem)
def test_every_fact_has_a_source_and_a_word_for_how_far_it_was_checked(path):
    table = facts(f"transparency/{path.stem}")
    assert table["source"].ne("").all()
    if "verification" in table:
        assert table["verification"].str.contains("verified|ours").all()


def test_the_score_is_the_mean_of_the_checks_that_apply_and_stands_beside_its_parts():
    table = self_appraisal(released("share_with_need", *stages("referred")), {"name", "area"})
    score = table[table["measure"].eq("check_score")].set_index("level")
    # present: name, why; partly: what_done, where, flow, limits; adjustment and sensitivity do not apply
    assert score.at["all", "estimate"] == pytest.approx(100 * 4 / 22) and score.at["all", "n"] == 22 and score.at["all", "n_missing"] == 2
    assert score.at["TIDieR", "estimate"] == pytest.approx(100 * 3 / 12)
    counts = table[table["measure"].eq("check_count")].pivot(index="group", columns="level", values="estimate")
    assert counts.loc["TIDieR"].to_dict() == {"present": 2, "partly": 2, "absent": 8, "not applicable": 0} and (counts.sum(axis=1) == [4, 8, 12]).all()
    said = describe_checks(table)
    assert said.startswith("18 of 100 for openness: of 22 checks that apply, 2 met, 4 met in part and 16 not met.") and "(TIDieR) 25" in said and "(CHEERS 2022) 0" in said
    lines = check_lines(table, "TIDieR")
    assert len(lines) == 12 and lines[0][1].startswith("● Present. There: a name, an area. Where: the summary") and lines[3][1].startswith("◐ Partly. There: referred; missing: accepted")
    assert "8 absent" in alt_of_checks(table[table["measure"].eq("check_count")])
    assert "Does not apply" in dict(check_lines(table, "CHEERS 2022"))["What the answer would be if something else were assumed (20, 24)"]


# ---- strength and bias

def test_levels_come_from_chapter_four_and_nesta_stops_at_three():
    def levels(*rows):
        return strength(released(*rows)).set_index("measure")["estimate"].to_dict()

    assert levels() == {"strength_maryland": 0, "strength_nesta": 0} and best_level(released()) == 0
    assert levels("share_with_need", "share_prescribed")["strength_nesta"] == 1 and levels("share_with_need")["strength_nesta"] == 0
    assert levels("paired_change_swemwbs", ("maryland_level_scores", "design", "before_after", 1.0)) == {"strength_maryland": 1, "strength_nesta": 2}
    both = levels(("maryland_level_scores", "design", "a", 2.0), ("maryland_level_use", "design", "b", 5.0), "rate_ratio_gp")
    assert both == {"strength_maryland": 5, "strength_nesta": 3}
    assert levels(("maryland_level_scores", "design", "matched", 3.0))["strength_nesta"] == 0        # a design without a result shows nothing
    assert levels(("maryland_level_use", "design", "x", 1.0), "rate_ratio_before_after_gp")["strength_nesta"] == 2 and levels("effect_swemwbs")["strength_nesta"] == 0
    table = strength(released("paired_change_x", ("maryland_level_scores", "design", "before_after", 1.0)))
    assert describe_level(table) == "The design is at level 1 of 5 on the Maryland scale: the same people before and after, compared with nobody."
    assert [term for term, _ in level_lines(table)] == ["Maryland, this run: level 1", "Maryland, next: level 2", "Nesta, this run: level 2", "Nesta, next: level 3"]
    assert len(level_lines(table.assign(estimate=5.0))) == 2
    assert "not recorded" in table["note"].iloc[1]


def rated(*rows, instrument="swemwbs", is_tested=True, is_named=True):
    table = bias_domains(released(*rows), instrument, None, is_tested, is_named)
    return table[table["measure"].eq("bias_domain_rating")].set_index("level")["estimate"]


def test_other_causes_rest_on_the_comparison_and_on_how_alike_the_groups_are():
    def level(value):
        return ("maryland_level_scores", "design", "x", float(value))

    def smd(group, value):
        return ("smd_between_groups_swemwbs", group, "age", value)

    assert pd.isna(rated()["confounding"])
    why = bias_domains(released(level(1)), "swemwbs").set_index(["measure", "level"]).at[("bias_domain_rating", "confounding"), "note"]
    assert why.startswith("there is no comparison group")
    assert rated(level(1))["confounding"] == 3
    assert rated(level(3), smd("before weighting", -0.4), smd("weighted", -0.05))["confounding"] == 2       # never low without a draw
    assert rated(level(3), smd("before weighting", 0.4), smd("weighted", -0.3))["confounding"] == 3         # the sign does not matter
    assert rated(level(3), smd("before weighting", 0.3))["confounding"] == 3 and rated(level(3))["confounding"] == 3
    assert rated(level(2), smd("before weighting", 0.0), smd("weighted", 0.0))["confounding"] == 3
    assert rated(level(5), smd("before weighting", 0.2))["confounding"] == 1 and rated(level(5), smd("before weighting", -0.3))["confounding"] == 2 and rated(level(5))["confounding"] == 2


def people(referred, first):
    table = released(("stage_reached", "stage", "referred"), ("followed_up_swemwbs", "all", "all", 0.9))
    return table.assign(n=[float(referred), float(first)])


def judged(table, domain, **how):
    found = bias_domains(table, **{"instrument": "swemwbs", "is_tested": True, "is_named": True, **how})
    return found[found["measure"].eq("bias_domain_rating") & found["level"].eq(domain)]["estimate"].iloc[0]


def test_who_got_in_counts_first_scores_and_wrong_days():
    assert [judged(people(100, first), "selection") for first in (80, 60, 55)] == [1, 2, 3]
    for share, rating in ((0.05, 1), (0.1, 2), (0.3, 3)):
        assert judged(pd.concat([people(100, 90), released(("also_referred", "compared", "comparison", share))]), "selection") == rating
    two = released(("also_referred", "compared", "comparison", 0.3), ("without_start", "compared", "scheme", 0.0))
    assert judged(pd.concat([people(100, 90), two]), "selection") == 3                 # the worst of them counts
    assert pd.isna(rated(instrument=None)["selection"])


def test_who_was_lost_takes_the_group_with_fewer_and_one_worse_where_those_lost_differ():
    def again(a, b):
        return [("measured_again_swemwbs", "compared", "scheme", a), ("measured_again_swemwbs", "compared", "comparison", b)]

    assert [rated(*again(0.9, low))["missing"] for low in (0.8, 0.65, 0.5)] == [1, 2, 3]
    assert rated(*again(0.9, 0.9), ("smd_lost_swemwbs", "baseline", "all", -0.3))["missing"] == 2
    assert rated(*again(0.9, 0.5), ("smd_lost_swemwbs", "baseline", "all", -0.3))["missing"] == 3
    assert rated(("followed_up_swemwbs", "all", "all", 0.5))["missing"] == 3 and pd.isna(rated()["missing"]) and pd.isna(rated(*again(0.9, 0.9), instrument=None)["missing"])


def test_how_it_was_measured_is_never_low_and_high_for_an_untested_scale_or_another_time():
    assert rated()["measurement"] == 2 and rated(is_tested=False)["measurement"] == 3 and pd.isna(rated(instrument=None)["measurement"])
    assert rated(("scores_out_of_time", "timing", "before_referral", 0.3))["measurement"] == 3
    assert rated(("scores_out_of_time", "timing", "after_closure", 0.9))["measurement"] == 2
    months = [("months_to_follow_up", "compared", "scheme", 3.0), ("months_to_follow_up", "compared", "comparison", 4.5)]
    assert rated(*months)["measurement"] == 3


def test_what_is_told_sets_outcomes_measured_against_those_reported():
    both = ["followed_up_swemwbs", "followed_up_phq9", ("followed_up_by_phq9", "sex", "male")]
    assert rated(*both, "paired_change_swemwbs", "paired_change_phq9")["reporting"] == 1
    assert rated(*both, "paired_change_swemwbs", "paired_change_phq9", is_named=False)["reporting"] == 2
    assert rated(*both, "paired_change_swemwbs")["reporting"] == 3 and pd.isna(rated()["reporting"])


def test_an_answer_that_rests_on_use_of_services_is_judged_by_use():
    def use(*rows, trend=None, **how):
        table = released("use_rate_gp", "rate_ratio_gp", *rows)
        if trend:
            table = pd.concat([table, released("use_pre_trend_gp").assign(conf_low=trend[0], conf_high=trend[1])])
        found = bias_domains(table, None, "gp", **{"is_named": True, **how})
        return found[found["measure"].eq("bias_domain_rating")].set_index("level")["estimate"]

    def level(value):
        return ("maryland_level_use", "design", "x", float(value))

    assert use(level(3), trend=(0.99, 1.02))["confounding"] == 2 and use(level(3), trend=(1.01, 1.05))["confounding"] == 3 and use(level(3))["confounding"] == 3
    assert use(level(2), trend=(0.99, 1.02))["confounding"] == 3 and use(level(1))["confounding"] == 3 and use(level(5))["confounding"] == 1 and pd.isna(use()["confounding"])
    assert use()["measurement"] == 1 and use()["reporting"] == 1 and use(is_named=False)["reporting"] == 2 and use("use_rate_ae")["reporting"] == 3
    def watched(a, b):
        return use(("months_watched", "compared", "scheme", a), ("months_watched", "compared", "comparison", b))["missing"]

    assert [watched(10.0, 9.0), watched(7.0, 10.0), watched(10.0, 3.0)] == [1, 2, 3] and pd.isna(use(("months_watched", "compared", "scheme", 9.0))["missing"])
    assert [use(("also_referred", "compared", "comparison", share))["selection"] for share in (0.0, 0.1, 0.3)] == [1, 2, 3] and pd.isna(use()["selection"])
    nothing = bias_domains(released(), None, "gp")
    assert nothing[nothing["measure"].eq("bias_domain_rating")]["estimate"].isna().all()


def test_the_main_answer_rests_on_scores_unless_the_scheme_names_a_service_or_has_none(cleaned):
    scores = "person_id,instrument,occasion,value\np1,phq9,baseline,9\np1,phq9,follow_up,8\n"
    use = "person_id,month,service,count,observed\n" + "".join(f"p1,{month},gp,{count},1\n" for month, count in (("2024-10", 0), ("2024-11", 2), ("2024-12", 1), ("2025-01", 0), ("2025-02", 3), ("2025-03", 0)))
    referrals = "referral_id,person_id,referral_date\nr1,p1,2025-01-10\n"
    assert answer_rests_on(cleaned(outcomes=scores, service_use=use, referrals=referrals)) == ("phq9", None)
    assert answer_rests_on(cleaned(settings=dict(primary_outcome="gp"), outcomes=scores, service_use=use, referrals=referrals)) == (None, "gp")
    assert answer_rests_on(cleaned(service_use=use, referrals=referrals)) == (None, "gp") and answer_rests_on(cleaned()) == (None, None)


def test_each_judgement_of_bias_is_shown_with_the_number_behind_it():
    table = bias_domains(stored("harbour"), "swemwbs", is_tested=True, is_named=True)
    numbers = table[table["measure"].eq("bias_domain_number")].set_index(["group", "level"])["estimate"]
    results = stored("harbour")
    again = results[results["measure"].isin(["measured_again_swemwbs", "followed_up_swemwbs"])]["estimate"].min()
    assert numbers["missing", "people measured again, in the group with fewer"] == again
    said = dict(bias_lines(table))
    assert "62%" in next(text for term, text in said.items() if term.startswith("Who was lost"))
    assert describe_bias(table) == "Room for error: high for “who was lost”; some for “other causes” and “how it was measured”; low for “who got in” and “what is told”."
    assert describe_bias(bias_domains(released())).startswith("We cannot tell for “other causes”")


# ---- what to do next

@cache
def said_by(scheme):
    return what_is_said(clean_scheme(load_scheme(ROOT / "data" / "sample" / scheme)))


def steps_of(scheme, instrument=None):
    results, said = stored(scheme), said_by(scheme)
    empty = pd.DataFrame({name: pd.Series(dtype="float") for name in ("demographics", "needs", "support", "outcomes")}).assign(month=pd.Series(dtype=str))
    full = pd.DataFrame(dict(month="2025-01", demographics=[True] * 20, needs=False, support=False, outcomes=False)) if scheme == "castle" else empty
    return steps_to_gain(results, self_appraisal(results, said), strength(results), bias_domains(results, instrument, is_tested=True), standard_groups(full), coproduction(coproduction_of()), instrument=instrument)


def coproduction_of(*answers):
    return pd.DataFrame(answers, columns=["practice", "level", "evidence"])


def test_castle_is_told_the_three_cheapest_things_to_record_next():
    steps = steps_of("castle")
    three = cheapest_to_record(steps)
    assert list(three["level"]) == ["needs", "activities", "first_score"] and three["estimate"].is_monotonic_increasing and (three["group"] == "record").all()
    # 1 hour and a minute each, at 180 referrals a year (270 in 18 months)
    assert three["estimate"].iloc[0] == pytest.approx(1 + 180 / 60, rel=0.05)
    sentences = step_sentences(three)
    assert sentences[0] == ("Tick what each person needs, from a list, when they are referred. It takes about 4 hours in the first year and helps with level 1 on the Nesta scale, "
                            "“what they need” of the information standard and 2 checks.")
    assert steps["estimate"].is_monotonic_increasing and "repeat" not in set(steps["level"]) and "follow_up" not in set(steps["level"])


def test_a_step_is_listed_only_while_it_gains_something_and_when_it_is_its_turn():
    harbour = steps_of("harbour", "swemwbs")
    assert not {"first_score", "second_score", "costs", "plan", "comparison"} & set(harbour["level"]) and {"lot", "repeat", "coproduction"} <= set(harbour["level"])
    northfield = steps_of("northfield", "swemwbs")
    assert "comparison" in set(northfield["level"]) and not {"lot", "repeat"} & set(northfield["level"])
    assert "maryland:3" in northfield.set_index("level").at["comparison", "note"]
    assert cheapest_to_record(northfield.iloc[:0]).empty


def test_co_production_is_a_step_until_all_four_are_equal_partners():
    for level, is_step in ((2.0, True), (3.0, False)):
        answers = coproduction_of(*[(name, level, "minutes") for name in ("co-commission", "co-design", "co-deliver", "co-assess")])
        steps = steps_to_gain(released(), self_appraisal(released(), set()), strength(released()), coproduction(answers))
        assert ("coproduction" in set(steps["level"])) is is_step


def test_cheap_steps_fill_up_where_nothing_gains_a_level_and_the_dearer_that_gains_the_same_is_left_out():
    rows = [("record", "a", 9.0, "standard:needs"), ("record", "b", 2.0, "standard:needs"), ("record", "c", 1.0, "check:who"), ("write", "d", 0.5, "check:name"), ("study", "e", 0.1, "nesta:4")]
    table = result_table([dict(measure="step_hours", group=g, level=x, estimate=h, note=n) for g, x, h, n in sorted(rows, key=lambda row: row[2])])
    assert list(cheapest_to_record(table)["level"]) == ["c", "b", "a"]
    assert list(cheapest_to_record(table[table["level"] != "a"].reset_index(drop=True))["level"]) == ["e", "c", "b"]
    assert list(cheapest_to_record(table, 1)["level"]) == ["b"]


def test_referrals_a_year_come_from_months_or_quarters_and_a_round_number_stands_in_where_they_are_hidden():
    months = [("referrals", "month", f"2025-{m:02}") for m in range(1, 7)]
    assert referrals_a_year(released(("referrals", "all", "all", 90.0), *months, ("referrals", "month", "missing"))) == 180
    assert referrals_a_year(released(("referrals", "all", "all", 90.0), ("referrals", "quarter", "2025 Q1"), ("referrals", "quarter", "2025 Q2"))) == 180
    assert referrals_a_year(released(("referrals", "all", "all", NAN), *months)) == 100 == referrals_a_year(released())


def test_hours_and_gains_are_said_in_words():
    assert [hours_words(h) for h in (0.5, 1.0, 3.4, 41, 150)] == ["half an hour", "about an hour", "about 3 hours", "about 41 hours", "about 150 hours"]
    assert gain_words("maryland:1 standard:needs bias:missing coproduction check:who") == (
        "level 1 on the Maryland scale, “what they need” of the information standard, doubts about “who was lost”, co-production and the check “Who does it”")
    steps = steps_of("northfield", "swemwbs")
    assert "for each of" in describe_steps(steps) and "comparison group" in describe_steps(steps) and describe_steps(steps.iloc[:0]).startswith("Nothing is left")
    assert step_lines(steps)[0][0].startswith("Write down once: ")


# ---- co-production

COPRODUCTION = "practice,level,evidence\nco-design,7,a workshop\nCo-deliver,3,<script>alert(1)</script> rota\nco-assess,3,\nco-commission,1,=cmd|' /C calc'!A0\n"


def test_a_level_of_seven_is_set_aside_with_its_reason_and_is_no_answer(cleaned):
    scheme = cleaned(coproduction=COPRODUCTION)
    issue = scheme.issues[scheme.issues["table"].eq("coproduction")].iloc[0]
    assert (issue["column"], issue["problem"], issue["action"], str(issue["found"])) == ("level", "out of range", "row set aside", "7") and "0 to 3" in issue["expected"]
    assert len(scheme.set_aside["coproduction"]) == 1
    table = coproduction(coproduction_answers(scheme)).set_index("level")
    assert pd.isna(table.at["co-design", "estimate"]) and table.at["co-design", "n_missing"] == 1
    assert table.at["co-deliver", "estimate"] == 3 and table.at["co-assess", "estimate"] == 2 and "counted as 2" in table.at["co-assess", "note"]
    assert table.at["all", "estimate"] == 6 and table.at["all", "n"] == 3 and table.at["all", "n_missing"] == 1


def test_the_four_answers_are_said_with_their_evidence_and_no_answer_is_not_nought(cleaned):
    answers = coproduction_answers(cleaned(coproduction=COPRODUCTION))
    table = coproduction(answers)
    assert describe_coproduction(table).startswith("Co-production: 6 of 12 (co-commission 1, co-design no answer, co-deliver 3 and co-assess 2)")
    lines = dict(coproduction_lines(table, answers))
    assert lines["Co-design: deciding how it works"] == "No answer." and "Evidence: <script>" in lines["Co-deliver: doing the work"] and "No evidence is given" in lines["Co-assess: judging how well it went"]
    assert describe_coproduction(coproduction(coproduction_of())) == "" and "<" not in NO_COPRODUCTION
    assert coproduction(coproduction_of(("co-design", 0.0, ""))).set_index("level").at["all", "estimate"] == 0


# ---- the information standard, frameworks, RAP

def filled(cleaned, **tables):
    return standard_groups_filled(cleaned(settings=dict(follow_up_months="3"), people="person_id,birth_year,sex,ethnicity,imd_decile\np1,1950,female,A,1\np2,1960,not_known,A,2\np3,1970,male,99,3\np4,1980,male,Z,4\n",
                                          referrals="referral_id,person_id,referral_date,first_contact_date\nr1,p1,2025-01-10,2025-01-20\nr2,p2,2025-02-10,\nr3,p3,2025-02-11,2025-03-01\nr4,p4,2025-12-01,2025-12-02\n", **tables))


def test_a_group_is_filled_in_only_if_all_of_it_is_there_and_nobody_is_asked_too_early(cleaned):
    rows = filled(cleaned, needs="referral_id,need\nr1,housing\nr2,housing\n", activities="referral_id,activity_type\nr1,learning\n", contacts="contact_id,referral_id,contact_date,attended\nc1,r3,2025-03-01,no\nc2,r4,2025-12-02,yes\n",
                  outcomes="person_id,instrument,occasion,value\np1,phq9,baseline,9\np1,phq9,follow_up,8\np2,phq9,baseline,9\np3,phq9,baseline,9\np3,gad7,follow_up,3\np4,phq9,baseline,4\n")
    assert list(rows["month"]) == ["2025-01", "2025-02", "2025-02", "2025-12"]
    assert list(rows["demographics"]) == [True, False, False, True]        # not known is not filled in, not stated is
    assert list(rows["needs"]) == [True, True, False, False]
    assert rows["support"].tolist() == [True, pd.NA, False, True]          # not seen: not asked; a contact that nobody came to is no support
    assert rows["outcomes"].tolist() == [True, False, False, pd.NA]        # two measures, once each, are no pair; the newest is not due
    table = standard_groups(rows)
    whole = table[table["group"].eq("all")].set_index("measure")
    assert whole.at["standard_filled_support", "estimate"] == pytest.approx(2 / 3) and whole.at["standard_filled_support", "n_missing"] == 1
    assert (table["n"] + table["n_missing"]).groupby([table["measure"], table["group"]]).sum().eq(4).all()
    assert table["conf_low"].notna().any() and set(table[table["group"].eq("month")]["level"]) == {"2025-01", "2025-02", "2025-12"}


def test_without_tables_the_groups_are_empty_not_unknown_and_small_months_are_hidden(cleaned):
    rows = filled(cleaned)
    assert not rows[["needs", "outcomes"]].fillna(False).any(axis=None) and rows["support"].dropna().eq(False).all()
    many = pd.concat([rows.assign(month="2025-01")] * 10 + [rows.assign(month="2025-02").head(3)], ignore_index=True)
    out = release(standard_groups(many), RULES["nhse_1_7_round5"])
    small = out[out["level"].eq("2025-02")]
    assert small["suppressed"].all() and small["estimate"].isna().all() and out[out["group"].eq("all")]["estimate"].notna().all()
    said = describe_standard(out)
    assert said == "Filled in: who people are 44%, what they need 0%, what they were offered 0% and what came of it 0% of referrals. A group counts only if all that is asked is there."


def test_measures_speak_to_indicators_and_codes_that_nobody_verified_say_so(cleaned):
    scheme = cleaned(outcomes="person_id,instrument,occasion,value\np1,ucla3,baseline,6\np1,ucla3,follow_up,5\np1,ons_anxious,baseline,6\n", referrals="referral_id,person_id,referral_date\nr1,p1,2025-01-10\n",
                     needs="referral_id,need\nr1,housing\nr1,caring\n")
    measured = what_is_measured(scheme)
    table = framework_links(measured)
    assert set(zip(table["group"], table["level"], table["estimate"])) == {
        ("ucla3", "PHOF B19", 1.0), ("ucla3", "PHOF 1.18", 1.0), ("ucla3", "ASCOF 5A", 0.0), ("ons_anxious", "PHOF C28d", 0.0), ("ons_anxious", "PHOF 2.23", 1.0), ("need:housing", "PHOF B15a", 1.0)}
    lines = dict(framework_lines(table, measured))
    assert "ASCOF 5A (not verified): " in lines["UCLA 3-item loneliness"] and "PHOF B19: " in lines["UCLA 3-item loneliness"] and "Need: housing" in lines
    assert "6 indicators" in describe_frameworks(table) and "4 of their codes" in describe_frameworks(table)
    known = set(measures().index) | {f"domain:{d}" for d in [*measures()["domain"], *facts("domains")["domain"]]}
    for words in facts("transparency/outcome_frameworks")["speaks_to"]:
        for one in words.split(" | "):
            assert one in known or one.split(":")[0] in ("need", "activity", "service"), one


def test_what_the_run_meets_of_rap_is_there_and_the_rest_is_for_the_team():
    table = facts("transparency/rap")
    assert [row.id for row in table.itertuples() if row.done_by == "run" and not (ROOT / row.where).exists()] == []
    assert set(table["done_by"]) == {"run", "team"} and table["level"].value_counts().to_dict() == {"baseline": 5, "silver": 9, "gold": 4}
    met = rap_levels()
    assert "licence MIT" in met.set_index("level").at["open_language", "note"] and sprx.__version__ in met.set_index("level").at["packaged", "note"]
    assert met[met["measure"].eq("rap_met")].set_index("level")["estimate"].to_dict() == {"baseline": 3, "silver": 9, "gold": 3}
    assert "baseline 3 of 5, silver 9 of 9 and gold 3 of 4" in describe_rap(met)
    lines = dict(rap_lines(met))
    assert "Met: the numbers are made by code in an open language (CPython; licence MIT)" in lines["Baseline"]
    assert "For the team: have a colleague check" in lines["Baseline"] and "Nothing is left for the team" in lines["Silver"]


def test_a_copy_that_is_not_installed_says_that_it_does_not_meet_what_only_a_package_can(monkeypatch):
    def gone(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr("sprx.metrics.transparency.standard.metadata", gone)
    met = rap_levels().set_index(["measure", "level"])["estimate"]
    assert met["rap_item", "packaged"] == 0 and met["rap_met", "gold"] == 2 and "Not met: the code is a full package" in dict(rap_lines(rap_levels()))["Gold"]


# ---- the chapter

@pytest.fixture()
def chapter(tmp_path, monkeypatch):
    """A function that runs the notebook's cells on a scheme folder and results of earlier chapters; what it shows, and its report."""
    def run(folder, earlier=None):
        shown = []
        monkeypatch.setattr(report_module, "_show", shown.append)
        if earlier is not None:
            for question, rows in earlier.groupby("question", sort=False):
                (tmp_path / f"{question}.results.json").write_text(json.dumps(dict(results=json.loads(rows.to_json(orient="records", double_precision=12)), answers=[])), encoding="utf-8")
        names = {}
        for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                exec("".join(cell["source"]), names)
                if "parameters" in cell["metadata"].get("tags", []):
                    names.update(scheme_dir=str(folder), output_dir=str(tmp_path))
        return "".join(shown), names["report"]
    return run


def words_of(shown):
    return re.sub(r"\s+", " ", html.fromstring(f"<div>{shown}</div>").text_content())


@pytest.mark.parametrize("scheme", ["castle", "harbour", "moorside", "northfield"])
def test_the_chapter_of_each_sample_scheme_reads_well_and_repeats_no_row_of_another_chapter(chapter, scheme):
    earlier = stored(scheme)
    shown, report = chapter(ROOT / "data" / "sample" / scheme, earlier)
    assert not re.search(FORBIDDEN, words_of(shown)), re.search(f".{{30}}({FORBIDDEN})", words_of(shown))
    own = pd.concat(report.released.values())
    assert not own.duplicated(["measure", "group", "level"]).any()
    assert not own.merge(earlier, on=["measure", "group", "level"]).size
    counted = own[~not_about_people(own["measure"])]
    assert counted["measure"].str.startswith("standard_filled_").all() and (counted["n"].dropna().mod(5) == 0).all()
    answer = report.answers[0]
    assert answer["question"] == "transparency" and "of 100 for openness" in answer["text"] and "Maryland scale" in answer["text"] and answer["short"] == ""
    assert [priority for priority, _ in answer["next_steps"]] == [4] * len(answer["next_steps"])


def test_the_page_of_castle_names_the_three_cheapest_things_and_says_how_to_record_co_production(chapter):
    shown, _ = chapter(ROOT / "data" / "sample" / "castle", stored("castle"))
    steps = [" ".join(item.text_content().split()) for item in html.fromstring(f"<div>{shown}</div>").xpath("//ol[@class='steps']/li")]
    assert len(steps) == 3 and steps[0].startswith("Tick what each person needs") and steps[1].startswith("Write down which activity") and steps[2].startswith("Ask a short set of questions")
    assert "Cannot be answered: needs a coproduction table" in words_of(shown)


def test_a_scheme_of_people_only_is_appraised_too(chapter, build):
    shown, report = chapter(build())
    said = words_of(shown)
    assert not re.search(FORBIDDEN, said) and "Cannot be answered: needs outcomes, needs or activities" in said and "0 of 5" in said
    score = report.released["checks"].query("measure == 'check_score' and group == 'all'")["estimate"].iloc[0]
    assert 0 <= score < 20


def test_free_text_from_data_is_shown_as_text(chapter, build):
    shown, report = chapter(build(coproduction=COPRODUCTION, settings=dict(name="A <b>scheme</b>")))
    assert "<script" not in shown and "&lt;script&gt;alert(1)" in shown and "<b>scheme" not in shown
    assert "alert(1)" not in json.dumps([t.to_json() for t in report.released.values()])           # evidence is shown, not released as data


def test_the_prose_links_to_nothing_outside_the_page():
    assert "](" not in "".join("".join(cell["source"]) for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "markdown")


def test_what_is_said_is_read_from_tables_and_from_scheme_yaml(cleaned):
    said = what_is_said(cleaned(settings=dict(name="Harbour", plan=dict(contacts="4"), comparison=dict(design="randomised"), rebase=["2025-02-01"]), people="person_id,birth_year,sex,arm,lsoa\np1,1950,female,scheme,E01000001\np2,1960,male,comparison,\n"))
    assert {"people", "people.lsoa", "name", "plan.contacts", "comparison design", "comparison people", "by lot", "rebase"} <= said
    plain = what_is_said(cleaned())
    assert not {"name", "area", "rebase", "comparison people", "comparison design", "by lot", "primary_outcome", "people.lsoa"} & plain


def test_the_headline_does_not_read_the_chapter():
    answer = sprx.answer_transparency(self_appraisal(released(), set()), strength(released()), cheapest_to_record(steps_of("castle"))).as_dict()
    assert sprx.headline([answer]) == sprx.headline([]) and answer["next_steps"][0][1].startswith("Tick what each person needs")
    assert not any("Ask a short set" in text for _, text in answer["next_steps"])          # another chapter says so
    nothing = sprx.answer_transparency(self_appraisal(released(), set()).query("measure != 'check_score'"), strength(released()), cheapest_to_record(steps_of("castle")))
    assert nothing.sure == 0 and "needs" in nothing.text
