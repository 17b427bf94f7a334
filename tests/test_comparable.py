"""Published effects on one scale, one a study and outcome; averaged or refused; a scheme among them."""

import math

import numpy as np
import pandas as pd
import pytest

from sprx.errors import DataError
from sprx.evidence import effects_with_studies, read_base
from sprx.metrics.evidence.comparable import COLUMNS, comparable_effects, pool, why_not_pooled
from sprx.metrics.evidence.pooling import against_evidence, effect_directions, effects_of_studies, forest_rows, other_averages, pooled_effects, robustness
from sprx.stats import effect_sizes, synthesis
from sprx.stats.nested import three_level

BLANK = dict.fromkeys(effects_with_studies(read_base()).columns, "")
NUMBERS = ["estimate", "std_error", "conf_low", "conf_high", "conf_level", "n", "n_scheme", "n_comparison", "timepoint_months", "year", "maryland_level", "n_intervention", "n_control", "n_total", "follow_up_months"]
ROW = BLANK | dict.fromkeys(NUMBERS, np.nan) | dict(
    study_id="a2020", first_author="A", year=2020, title="A study", design="rct", maryland_level=5, domain="mental_health", outcome="mental_wellbeing", instrument="WEMWBS", comparison="between_group",
    effect_type="mean_difference", estimate=2.0, std_error=1.0, n=100, timepoint_months=6, direction_good="higher", pooled="no", suppressed="no", file="f.csv", where="row 2", added_by="sprx")


def effects(*rows):
    return pd.DataFrame([ROW | dict(where=f"row {i}") | row for i, row in enumerate(rows, start=2)])


def only(**row):
    found = comparable_effects(effects(row))
    assert len(found) == 1 and list(found.columns) == COLUMNS
    return found.iloc[0]


def several(k=3, **row):
    return [dict(study_id=f"s{i}", first_author=f"S{i}", estimate=1.0 + i / 2, n=100 + 20 * i) | row for i in range(k)]


# ---- one effect

def test_a_difference_of_means_becomes_hedges_g_by_its_t_value():
    g, v = effect_sizes.g_from_t(2.0, 50, 50)
    found = only()
    assert (found.effect, found.effect_error) == (pytest.approx(g), pytest.approx(math.sqrt(v))) and "alike in size" in found.method
    told = only(n_scheme=70, n_comparison=30)
    assert told.effect == pytest.approx(effect_sizes.g_from_t(2.0, 70, 30)[0]) and "alike" not in told.method
    shared = only(n_intervention=300, n_control=100)       # 100 analysed of 400: in the proportion of the groups
    assert shared.effect == pytest.approx(effect_sizes.g_from_t(2.0, 75, 25)[0])


def test_the_mean_difference_of_known_groups_gives_g_back():
    m1, sd1, n1, m2, sd2, n2 = 24.0, 4.0, 80, 22.0, 4.0, 60
    difference, variance = effect_sizes.mean_difference(m1, sd1, n1, m2, sd2, n2)
    found = only(estimate=difference, std_error=math.sqrt(variance), n=140, n_scheme=n1, n_comparison=n2)
    assert found.effect == pytest.approx(effect_sizes.hedges_g(m1, sd1, n1, m2, sd2, n2)[0], rel=1e-9)


def test_a_change_becomes_smcc_by_its_t_value():
    found = only(comparison="within_group_change", design="before_after_uncontrolled", maryland_level=1, estimate=3.0, std_error=0.5, n=64)
    d, v = effect_sizes.change_by_change_sd(3.0, 4.0, 0.0, 0.0, 64, 0.0)       # SD of the changes: 0.5 x sqrt(64) = 4
    assert found.kind == "uncontrolled" and (found.effect, found.effect_error ** 2) == (pytest.approx(d), pytest.approx(v))


def test_an_odds_ratio_becomes_standard_deviations_and_a_ratio_stays_one():
    odds = only(effect_type="odds_ratio", estimate=2.0, std_error=0.3)
    assert (odds.effect, odds.effect_error) == (pytest.approx(math.log(2) * math.sqrt(3) / math.pi), pytest.approx(0.3 * math.sqrt(3) / math.pi))
    rate = only(effect_type="rate_ratio", estimate=0.8, std_error=0.1, direction_good="lower", outcome="gp_use", domain="statutory_services")
    assert rate.scale == "ratio" and (rate.effect, rate.effect_error, rate.direction) == (pytest.approx(-math.log(0.8)), 0.1, "better")
    change = only(effect_type="percent_change", estimate=-20, std_error=8, direction_good="lower", outcome="gp_use")
    assert (change.effect, change.effect_error) == (pytest.approx(-math.log(0.8)), pytest.approx(0.1))
    assert "no logarithm" in only(effect_type="percent_change", estimate=-100, std_error=8, direction_good="lower").why_not


@pytest.mark.parametrize("good, estimate, direction", [("higher", 2.0, "better"), ("lower", 2.0, "worse"), ("higher", -2.0, "worse"), ("lower", -2.0, "better"), ("lower", 0.0, "no difference")])
def test_results_are_turned_so_that_above_nothing_is_better(good, estimate, direction):
    found = only(direction_good=good, estimate=estimate)
    assert found.direction == direction and np.sign(found.effect) == {"better": 1, "worse": -1, "no difference": 0}[direction]


@pytest.mark.parametrize("row, reason", [
    (dict(std_error=np.nan), "no standard error"), (dict(std_error=0.0), "a standard error of 0"), (dict(n=np.nan), "no standard error"), (dict(keep_apart="selected on the outcome"), "selected on the outcome"),
    (dict(suppressed="yes", estimate=np.nan, std_error=np.nan), "hidden"), (dict(outcome="cost", domain="statutory_services"), "money"), (dict(effect_type="risk_difference", estimate=0.1), "shares"),
    (dict(n=3), "no standard error")])
def test_what_cannot_be_averaged_is_kept_with_the_reason(row, reason):
    assert reason in only(**row).why_not


def test_a_standardised_effect_without_an_error_gets_it_from_the_people():
    within = only(effect_type="smd", comparison="within_group_change", design="before_after_uncontrolled", maryland_level=1, estimate=0.8, std_error=np.nan, n=84)
    assert within.effect_error == pytest.approx(math.sqrt(1 / 84 + 0.64 / 168)) and "number of people" in within.method
    between = only(effect_type="smd", estimate=0.5, std_error=np.nan, n=100)
    assert between.effect_error == pytest.approx(math.sqrt(2 / 50 + 0.25 / 200)) and only(effect_type="smd", estimate=0.5, std_error=0.2).effect_error == 0.2


def test_a_comparison_below_level_three_or_of_no_known_level_is_weak():
    assert only(design="nrct_controlled", maryland_level=2).kind == "weak comparison" == only(design="review", maryland_level=np.nan).kind
    assert only(design="nrct_controlled", maryland_level=3).kind == "controlled"


# ---- one row for a study

def test_several_instruments_become_their_mean_with_a_correlated_error():
    found = comparable_effects(effects(dict(), dict(instrument="HADS-A", estimate=-1.0, std_error=0.4, direction_good="lower")))
    one, two = only(), only(instrument="HADS-A", estimate=-1.0, std_error=0.4, direction_good="lower")
    a, b = one.effect_error, two.effect_error
    assert len(found) == 1 and found.effect[0] == pytest.approx((one.effect + two.effect) / 2)
    assert found.effect_error[0] == pytest.approx(math.sqrt((a * a + b * b + 2 * 0.5 * a * b) / 4))
    assert found.instruments[0] == "WEMWBS; HADS-A" and found["rows"][0] == "f.csv, row 2; f.csv, row 3"


def test_everybody_before_subgroups_adjusted_before_unadjusted_standardised_before_units():
    assert comparable_effects(effects(dict(), dict(subgroup="women", estimate=9.0))).effect[0] == only().effect
    assert comparable_effects(effects(dict(adjusted="no", estimate=9.0), dict(adjusted="yes"))).effect[0] == only().effect
    assert comparable_effects(effects(dict(), dict(effect_type="smd", estimate=0.4, std_error=0.2))).effect[0] == 0.4
    assert comparable_effects(effects(dict(keep_apart="no"), dict(estimate=9.0, std_error=np.nan))).effect.isna()[0]     # what must be kept apart does not stand in for the rest


def test_the_time_nearest_to_the_schemes_counts_and_without_one_the_latest():
    rows = effects(dict(timepoint_months=3, estimate=3.0), dict(timepoint_months=12, estimate=1.0), dict(timepoint_months=np.nan, estimate=9.0))
    assert comparable_effects(rows, 4).months[0] == 3 and comparable_effects(rows).months[0] == 12 and comparable_effects(rows, 9).months[0] == 12


def test_of_two_times_as_near_the_later_counts_and_a_subgroup_never_stands_in_for_the_whole():
    assert comparable_effects(effects(dict(timepoint_months=3, estimate=3.0), dict(timepoint_months=9)), 6).months[0] == 9
    found = comparable_effects(effects(dict(std_error=np.nan), dict(subgroup="women", estimate=9.0)))
    assert found.effect.isna()[0] and "no standard error" in found.why_not[0]


def test_one_outcome_is_one_set_whatever_domain_somebody_wrote_beside_it():
    studies = comparable_effects(effects(*several(2), dict(study_id="z", first_author="Z", domain="community_wellbeing")))
    table = pooled_effects(studies)
    assert not table.duplicated(["measure", "group", "level"]).any() and table.set_index("measure").loc["studies_pooled", "estimate"] == 3


def test_averages_of_others_and_other_outcomes_stay_apart():
    assert comparable_effects(effects(dict(pooled="yes"))).empty
    found = comparable_effects(effects(dict(), dict(outcome="loneliness_social", domain="social_isolation"), dict(comparison="within_group_change"), dict(effect_type="rate_ratio", estimate=1.2)))
    assert len(found) == 4


def test_names_of_two_studies_are_told_apart_and_synthetic_ones_say_so():
    found = comparable_effects(effects(dict(), dict(study_id="a2020b", title="SYNTHETIC DATA: made")))
    assert sorted(found.cite_name) == ["A 2020", "A 2020 (synthetic)"]
    twice = comparable_effects(effects(dict(), dict(study_id="a2020b")))
    assert sorted(twice.cite_name) == ["A 2020 (a2020)", "A 2020 (a2020b)"]


# ---- averaged or refused

def test_three_studies_are_averaged_as_the_synthesis_does_with_errors_never_smaller_than_the_plain_ones():
    studies = comparable_effects(effects(*several()))
    fit = pool(studies)
    plain = synthesis.synthesise(studies.effect, studies.effect_error ** 2, knapp_hartung=False)
    assert fit.coef[0] == plain.coef[0] and fit.std_error[0] >= plain.std_error[0] - 1e-12 and fit.df == 2
    same = comparable_effects(effects(*[row | dict(estimate=1.0, n=100) for row in several()]))
    assert pool(same).std_error[0] == pytest.approx(same.effect_error[0] / math.sqrt(3))        # the plain Knapp-Hartung error of studies that agree would be 0


@pytest.mark.parametrize("rows, reason", [
    (several(2), "fewer than three studies can be averaged (2 of 2)"), (several(1), "fewer than three"), (several(2) + several(1, study_id="s9", std_error=np.nan), "(2 of 3)"),
    (several(2) + several(2, outcome="loneliness_social", study_id="s8"), "different things"),
    (several(2) + several(2, comparison="within_group_change", design="before_after_uncontrolled", maryland_level=1, study_id="s8"), "controlled and uncontrolled"),
    (several(3, maryland_level=2, design="nrct_controlled"), "below level 3"),
    (several(2, effect_type="rate_ratio", estimate=1.1, std_error=0.1) + several(2), "cannot be turned into one another"),
    (several(3, effect_type="rate_ratio", std_error=0.1) + several(1, study_id="s7", effect_type="rate_ratio", std_error=0.1, direction_good="lower"), "good in some studies")])
def test_an_average_that_cannot_be_defended_is_refused_with_the_reason(rows, reason):
    studies = comparable_effects(effects(*rows))
    assert reason in why_not_pooled(studies)
    with pytest.raises(DataError, match="Not averaged"):
        pool(studies)


def test_a_study_that_is_there_twice_is_refused():
    studies = comparable_effects(effects(*several()))
    assert "twice (s0)" in why_not_pooled(pd.concat([studies, studies.head(1)]))


def test_every_set_has_an_average_or_a_reason_and_its_studies_are_counted():
    rows = several(4) + several(1, study_id="s9", std_error=np.nan) + several(2, outcome="loneliness_social", domain="social_isolation")
    studies = comparable_effects(effects(*rows))
    table = pooled_effects(studies).set_index(["measure", "level"])
    assert table.loc[("studies_pooled", "mental_wellbeing"), "estimate"] == 4 and table.loc[("studies_not_pooled", "mental_wellbeing"), "estimate"] == 1
    assert "no standard error" in table.loc[("studies_not_pooled", "mental_wellbeing"), "note"]
    fit = pool(studies[studies.outcome == "mental_wellbeing"])
    mean, further, tau2 = (table.loc[(m, "mental_wellbeing")] for m in ("pooled_estimate", "prediction_interval", "tau2"))
    assert (mean.estimate, mean.conf_low, tau2.estimate) == (fit.coef[0], fit.conf_low[0], fit.tau2)
    assert further.conf_low <= mean.conf_low and further.conf_high >= mean.conf_high and tau2.conf_low <= tau2.estimate <= tau2.conf_high
    refused = table.loc[("pooled_estimate", "loneliness_social")]
    assert math.isnan(refused.estimate) and "fewer than three" in refused.note and table.loc[("studies_not_pooled", "loneliness_social"), "estimate"] == 2


def test_ratios_are_shown_as_ratios():
    rows = several(3, effect_type="rate_ratio", std_error=0.1, direction_good="lower", outcome="gp_use", domain="statutory_services")
    rows = [row | dict(estimate=0.8 + i / 20) for i, row in enumerate(rows)]
    studies = comparable_effects(effects(*rows))
    shown, mean = effects_of_studies(studies), pooled_effects(studies).iloc[0]
    assert list(shown.estimate.round(9)) == [0.8, 0.85, 0.9] and (shown.unit == "ratio").all() and 0.8 < mean.estimate < 0.9 and mean.conf_low < mean.estimate < mean.conf_high
    assert shown.conf_low[0] == pytest.approx(0.8 * math.exp(-1.959964 * 0.1), rel=1e-6)
    assert mean.level == "gp_use, ratio"


def test_robustness_leaves_each_study_out_and_says_that_nine_studies_cannot_tell_bias():
    table = robustness(comparable_effects(effects(*several(9))))
    assert table.measure.eq("pooled_without").sum() == 9 and list(table[table.measure == "pooled_by_method"].level) == ["DL", "PM"]
    assert "nobody can tell" in table.set_index("measure").loc["small_study_slope", "note"] and "pooled_with_missing_filled_in" not in set(table.measure)
    many = robustness(comparable_effects(effects(*[row | dict(n=60 + 40 * i, estimate=4 - i / 4) for i, row in enumerate(several(12))]))).set_index("measure")
    assert many.loc["small_study_slope", "estimate"] > 0 and "filled in on the" in many.loc["pooled_with_missing_filled_in", "note"]
    assert robustness(comparable_effects(effects(*several(2)))).empty


def test_where_filling_in_finds_no_end_the_row_says_so(monkeypatch):
    def endless(*_, **__):
        raise DataError("no number of missing studies settles")

    monkeypatch.setattr(synthesis, "trim_and_fill", endless)
    table = robustness(comparable_effects(effects(*[row | dict(n=60 + 40 * i) for i, row in enumerate(several(12))]))).set_index("measure")
    assert "settles" in table.loc["pooled_with_missing_filled_in", "note"] and math.isnan(table.loc["pooled_with_missing_filled_in", "estimate"])


# ---- a scheme among the others

def own(**row):
    return dict(study_id="mine", first_author="", programme="Mine", scheme_id="mine", added_by="this report", estimate=3.0, n=40, year=2024) | row


def test_the_scheme_is_set_beside_the_others_and_drawn_to_them_by_its_own_error():
    studies = comparable_effects(effects(*[r | dict(estimate=3 * (i % 2)) for i, r in enumerate(several(4))], own()))
    table = against_evidence(studies, "mine").set_index("measure")
    assert pool(studies).tau2 > 0
    others, mine = studies[studies.study_id != "mine"], studies[studies.study_id == "mine"].iloc[0]
    assert table.loc["pooled_before", "estimate"] == pool(others).coef[0] and table.loc["other_studies", "estimate"] == 4
    fit = pool(studies)
    assert table.loc["pooled_with_scheme", "estimate"] == fit.coef[0] and table.loc["own_estimate", "estimate"] == mine.effect
    place = list(studies.study_id).index("mine")
    assert place > 0
    best = synthesis.shrunken(fit).estimate[place]
    assert table.loc["shrunken_estimate", "estimate"] == best and min(mine.effect, fit.coef[0]) <= best <= max(mine.effect, fit.coef[0])
    assert table.loc["weight_of_scheme", "estimate"] == fit.weights[place]
    sure = against_evidence(comparable_effects(effects(*[r | dict(estimate=3 * (i % 2)) for i, r in enumerate(several(4))], own(n=40_000, std_error=0.05, estimate=0.6))), "mine").set_index("measure")
    assert abs(sure.loc["shrunken_estimate", "estimate"] - sure.loc["own_estimate", "estimate"]) < 0.02     # many people: its own result


def test_with_two_others_the_average_becomes_possible_but_nothing_is_drawn_to_it():
    table = against_evidence(comparable_effects(effects(*several(2), own())), "mine").set_index("measure")
    assert "fewer than three" in table.loc["pooled_before", "note"] and table.loc["pooled_with_scheme"].notna().estimate and "shrunken_estimate" not in table.index


def test_alone_or_without_an_error_the_scheme_is_shown_and_not_averaged():
    alone = against_evidence(comparable_effects(effects(own())), "mine").set_index("measure")
    assert "no other study" in alone.loc["pooled_before", "note"] and math.isnan(alone.loc["pooled_with_scheme", "estimate"])
    bare = against_evidence(comparable_effects(effects(*several(3), own(std_error=np.nan))), "mine").set_index("measure")
    assert "no standard error" in bare.loc["pooled_with_scheme", "note"] and bare.loc["pooled_before"].notna().estimate
    assert against_evidence(comparable_effects(effects(*several(3))), "mine").empty


def test_the_forest_keeps_kinds_apart_and_names_the_scheme():
    rows = several(3) + several(3, comparison="within_group_change", design="before_after_uncontrolled", maryland_level=1, study_id="u") + [own()]
    rows = [row | (dict(study_id=f"u{i}") if row["study_id"] == "u" else {}) for i, row in enumerate(rows)]
    table = forest_rows(comparable_effects(effects(*rows)), "mental_wellbeing")
    assert list(dict.fromkeys(m.split("_")[1] for m in table.measure)) == ["effect", "change"] and (table.level == "this scheme").sum() == 1
    averages = table[table.measure.str.startswith("average_")]
    assert list(averages.method.str.endswith("with this scheme")) == [True, False] and averages.estimate.notna().all()


def test_directions_are_counted_also_where_nothing_can_be_averaged():
    rows = [dict(estimate=2.0, std_error=np.nan), dict(study_id="b", estimate=-2.0), dict(study_id="c", estimate=0.2), own(), dict(study_id="d", suppressed="yes", estimate=np.nan)]
    table = effect_directions(comparable_effects(effects(*rows))).set_index("level")
    assert list(table.estimate.fillna(9)) == list({"A 2020 (a2020)": 1, "A 2020 (b)": -1, "A 2020 (c)": 1, "A 2020 (d)": 9, "this scheme": 1}.values())
    assert list(table.note) == ["not known", "beyond chance", "could be chance", "not known", "beyond chance"]


def test_what_sprx_carries_can_be_set_side_by_side():
    studies = comparable_effects(effects_with_studies(read_base()))
    assert not studies.duplicated(["study_id", "domain", "outcome", "kind", "scale"]).any() and set(studies.kind) == {"controlled", "weak comparison", "uncontrolled"}
    usable = studies[studies.why_not == ""]
    assert (usable.effect_error > 0).all() and usable.effect.notna().all() and usable.effect.abs().max() < 2
    assert studies.loc[studies.study_id.isin(["munford2017", "pescheny2019a"]), "why_not"].ne("").all()      # cross-sectional; implausible limits
    assert studies["rows"].str.contains(r"effects.csv, row \d+").all()
    means = pooled_effects(studies).query("measure == 'pooled_estimate' and level == 'mental_wellbeing'").set_index("group")
    assert means.estimate.notna()["controlled"] and means.estimate.isna()["uncontrolled"] and "fewer than three" in means.note["uncontrolled"]     # two schemes' overlap, percentage points


def test_other_averages_let_effects_hang_together_and_leave_out_who_did_not_draw_lots():
    rows = several(4) + [row | dict(instrument="HADS-A", estimate=-0.5 - i, direction_good="lower", std_error=0.8) for i, row in enumerate(several(2))]
    rows += several(1, study_id="n", design="nrct_controlled", maryland_level=3, estimate=6.0)
    studies, each = comparable_effects(effects(*rows)), comparable_effects(effects(*rows), each=True)
    assert (len(studies), len(each)) == (5, 7) and set(each.study_id) == set(studies.study_id)
    table = other_averages(studies, each).set_index("level")
    fit = three_level(each.effect, each.effect_error ** 2, each.study_id)
    assert table.loc["three levels", "estimate"] == fit["estimate"] and "7 effects in 5 studies" in table.loc["three levels", "method"]
    assert table.loc["randomised only", "estimate"] == pool(studies[studies.design == "rct"]).coef[0] and (table.group == "controlled: mental_wellbeing").all()
    bare = comparable_effects(effects(*rows, *several(1, study_id="bare", std_error=np.nan)))
    assert other_averages(bare, each).set_index("level").loc["randomised only", "n"] == table.loc["randomised only", "n"]
    alone = other_averages(comparable_effects(effects(*several(4))), comparable_effects(effects(*several(4)), each=True))
    assert alone.empty                      # one effect a study, all drew lots: there is no other way
