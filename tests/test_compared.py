"""Which design the data allow, and who is compared with whom."""

import pandas as pd
import pytest

import sprx
from sprx.reference import facts

HEAD = "scheme_id: t\nfollow_up_months: 3\n"
PEOPLE = ["person_id,arm,index_date,age"] + [f"s{i},scheme,,{50 + i}" for i in range(4)] + [f"c{i},comparison,2025-01-0{i + 1},{50 + i}" for i in range(4)]
REFERRALS = ["referral_id,person_id,referral_date"] + [f"r{i},s{i},2025-01-0{i + 1}" for i in range(4)]
SCORES = ["person_id,instrument,occasion,months,value"] + [f"{a}{i},phq9,{o},{m},{v}" for a in "sc" for i in range(4)
                                                           for o, m, v in (("baseline", 0, 12), ("follow_up", 3, 9))]


@pytest.fixture
def scheme(tmp_path):
    """A scheme folder made from lines of CSV, cleaned."""
    def make(settings="", people=PEOPLE, referrals=REFERRALS, outcomes=SCORES, service_use=None):
        tables = dict(people=people, referrals=referrals, outcomes=outcomes, service_use=service_use)
        text = HEAD + settings + "tables:\n"
        for name, lines in tables.items():
            if lines is not None:
                (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
                text += f"  {name}: {{file: {name}.csv}}\n"
        (tmp_path / "scheme.yaml").write_text(text, encoding="utf-8")
        return sprx.clean_scheme(sprx.load_scheme(tmp_path))
    return make


def chosen(scheme, outcome="scores"):
    return tuple(sprx.impact_designs(scheme).loc[outcome, ["design", "level"]])


@pytest.mark.parametrize("stated, design, level", [("randomised", "randomised", 5), ("cluster_randomised", "cluster_randomised", 5), ("matched", "matched", 3),
                                                   ("concurrent", "concurrent", 3), ("historical", "historical", 2), ("none", "concurrent", 3)])
def test_the_design_is_that_of_scheme_yaml_where_both_groups_have_scores(scheme, stated, design, level):
    assert chosen(scheme(f"comparison: {{design: {stated}}}\n")) == (design, level)


def test_without_a_first_score_of_the_comparison_a_comparison_is_of_level_two_unless_drawn_by_lot(scheme):
    lines = [line for line in SCORES if not (line.startswith("c") and "baseline" in line)]
    assert chosen(scheme("comparison: {design: matched}\n", outcomes=lines)) == ("adjusted", 2)
    assert chosen(scheme("comparison: {design: randomised}\n", outcomes=lines)) == ("randomised", 5)


def test_comparison_people_who_all_started_before_the_first_referral_are_historical_unless_stated_otherwise(scheme):
    earlier = [line.replace("2025-01", "2023-01") if line.startswith("c") else line for line in PEOPLE]
    assert chosen(scheme(people=earlier)) == ("historical", 2)
    assert chosen(scheme("comparison: {design: concurrent}\n", people=earlier)) == ("concurrent", 3)


def test_a_claimed_trial_without_comparison_scores_is_before_and_after_and_says_why(scheme):
    designs = sprx.impact_designs(scheme("comparison: {design: randomised}\n", outcomes=[line for line in SCORES if not line.startswith("c")]))
    assert tuple(designs.loc["scores", ["design", "level", "why"]]) == ("before_after", 1, "comparison people have no later score")


def test_without_anybody_to_compare_with_nothing_is_more_than_before_and_after(scheme):
    alone = scheme(people=[line for line in PEOPLE if not line.startswith("c")], outcomes=[line for line in SCORES if not line.startswith("c")])
    assert chosen(alone) == ("before_after", 1) and sprx.impact_designs(alone).at["scores", "why"] == "there is no comparison group"
    assert chosen(scheme(outcomes=None)) == ("none", 0)
    assert chosen(scheme(outcomes=[line for line in SCORES if "follow_up" not in line])) == ("none", 0)


def test_every_design_has_its_level_its_estimand_and_its_assumptions_in_words():
    table = facts("designs")
    assert (table[["name", "who_is_compared", "estimand", "assumptions", "source"]] != "").all(axis=None)
    assert dict(zip(table["design"], table["maryland_level"].astype(int))) == dict(randomised=5, cluster_randomised=5, matched=3, concurrent=3, historical=2, adjusted=2,
                                                                                  series=2, before_after=1)


def use_rows(people, months=range(-10, 10)):
    return ["person_id,months,service,count"] + [f"{p},{m},gp,{(int(p[1]) + m) % 2}" for p in people for m in months]


def test_use_of_services_has_a_design_of_its_own(scheme):
    both = scheme(service_use=use_rows(["s0", "s1", "s2", "c0", "c1", "c2"]))
    assert chosen(both, "use") == ("concurrent", 3)
    own = scheme("comparison: {design: randomised}\n", service_use=use_rows(["s0", "s1", "s2"]))
    assert chosen(own, "use") == ("before_after", 1) and chosen(own) == ("randomised", 5)
    later = scheme(service_use=use_rows(["s0", "s1", "s2"], range(1, 10)))
    assert chosen(later, "use") == ("none", 0) and "only observed after the referral" in sprx.impact_designs(later).at["use", "why"]
    assert chosen(scheme(), "use") == ("none", 0)


def test_comparison_people_who_were_also_referred_are_counted_and_left_out(scheme):
    mixed = scheme(referrals=[*REFERRALS, "r9,c1,2025-02-01"])
    people = sprx.compared_people(mixed, "phq9")
    assert sorted(people["person_id"]) == ["c0", "c2", "c3", "s0", "s1", "s2", "s3"]
    checks = sprx.time_zero_checks(mixed, "phq9")
    assert list(checks.loc[checks["also_referred"], "person_id"]) == ["c1"]
    row = sprx.time_zero(checks).set_index(["measure", "level"]).loc[("also_referred", "comparison")]
    assert (row["n"], row["estimate"]) == (4, 0.25)
    assert "c1" not in set(sprx.known_people(mixed)["person_id"])


def test_people_drawn_for_the_scheme_who_were_never_referred_belong_to_it_by_intention_to_treat_only(scheme):
    fewer = REFERRALS[:3]
    assert len(sprx.compared_people(scheme("comparison: {design: randomised}\n", referrals=fewer), "phq9")) == 8
    assert len(sprx.compared_people(scheme("comparison: {design: concurrent}\n", referrals=fewer), "phq9")) == 6


def test_where_groups_were_drawn_by_lot_only_the_covariates_named_beforehand_are_adjusted_for(scheme):
    known = lambda s: [c for c in sprx.compared_people(s, "phq9") if c.startswith("known_")]
    assert known(scheme("comparison: {design: randomised}\n")) == [] and known(scheme("comparison: {design: concurrent}\n")) == ["known_age"]
    assert known(scheme("comparison: {design: randomised}\ncovariates: [age]\n")) == ["known_age"]


def test_the_cluster_is_the_column_that_scheme_yaml_names(scheme):
    people = [line + (",site" if i == 0 else f",{i % 2}") for i, line in enumerate(PEOPLE)]
    found = sprx.compared_people(scheme("comparison: {design: cluster_randomised, cluster: site}\n", people=people), "phq9")
    assert dict(zip(found["person_id"], found["cluster"]))["s0"] == "1" and found["cluster"].nunique() == 2
    assert sprx.compared_people(scheme(), "phq9")["cluster"].isna().all()


def test_outcomes_from_before_somebody_started_and_people_without_a_start_are_found(scheme):
    people = [line.replace("2025-01-02", "") for line in PEOPLE]
    scores = ["person_id,instrument,occasion,measured_on,value", "s0,phq9,baseline,2025-01-01,12", "s0,phq9,follow_up,2024-12-01,9", "c0,phq9,baseline,2025-01-01,12",
              "c0,phq9,follow_up,2025-04-01,9"]
    checks = sprx.time_zero_checks(scheme(people=people, outcomes=scores), "phq9").set_index("person_id")
    assert checks.loc["s0", "too_early"] and not checks.loc["c0", "too_early"]
    assert not checks.loc["c1", "has_start"] and checks["has_start"].sum() == 7
    rows = sprx.time_zero(checks.reset_index()).set_index(["measure", "level"])["estimate"]
    assert pd.isna(rows["months_watched", "scheme"])
    assert rows["without_start", "comparison"] == 0.25 and rows["scored_before_start", "scheme"] == 0.25


def test_a_service_can_be_the_primary_outcome(scheme):
    named = scheme("primary_outcome: gp\n", service_use=use_rows(["s0", "s1", "s2", "c0", "c1", "c2"]))
    assert sprx.primary_is_use(named) and sprx.primary_service(named) == "gp"
    assert not sprx.primary_is_use(scheme("primary_outcome: phq9\n")) and sprx.primary_service(scheme()) is None


@pytest.mark.parametrize("line, words", [("comparison: {threshold: -1}", "smallest effect that matters"), ("comparison: {threshold_ratio: 1.2}", "a ratio between 0 and 1"),
                                         ("comparison: {threshold: lots}", "expected a number"), ("comparison: {started_on: soon}", "started_on is 'soon'"),
                                         ("comparison: {treshold: 2}", "Did you mean 'threshold'?")])
def test_settings_of_the_comparison_are_checked(scheme, line, words):
    with pytest.raises(sprx.SchemeError, match=words.replace("?", r"\?")):
        scheme(line + "\n")


def test_thresholds_are_numbers_and_the_day_the_scheme_began_a_date(scheme):
    spec = scheme("comparison: {design: matched, threshold: 1.5, threshold_ratio: 0.9, started_on: 2025-01-01}\n").settings.comparison
    assert (spec["threshold"], spec["threshold_ratio"], spec["started_on"]) == (1.5, 0.9, pd.Timestamp("2025-01-01"))


def test_for_how_long_use_was_watched_after_the_start_is_told_by_group(scheme):
    lines = use_rows(["s0", "s1"], range(-6, 7)) + use_rows(["c0", "c1"], range(-6, 4))[1:]
    checks = sprx.time_zero_checks(scheme(service_use=lines), "phq9")
    rows = sprx.time_zero(checks).set_index(["measure", "level"])
    assert list(checks.set_index("person_id").loc[["s0", "c0", "c3"], "watched"]) == [6, 3, 0]
    assert rows.loc[("months_watched", "scheme"), "estimate"] == 3 and rows.loc[("months_watched", "comparison"), "estimate"] == 1.5
