"""Subgroups and contacts: hand-computed cases, no claim without the interaction, and data that can answer nothing."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import sprx
from sprx.disclosure import RULES, release
from sprx.errors import DataError
from sprx.metrics.how_well.dose import change_by_contacts
from sprx.metrics.how_well.subgroups import NONE_NAMED, change_by_subgroup
from sprx.stats import subgroups
from sprx.wording import missing as words

MEASURE = pd.Series(dict(name="Test scale", mid_value=3.0, higher_is_better="yes"))


def people(n, seed, arms=("scheme",), more_for_women=0.0):
    """Mean change 2, for women of the arm scheme more; the first score matters; one in five is lost."""
    rng = np.random.default_rng(seed)
    arm, sex, baseline = rng.choice(arms, n), rng.choice(["female", "male"], n), rng.normal(20, 4, n)
    change = 2 - 0.5 * (baseline - 20) + more_for_women * ((sex == "female") & (arm == "scheme")) + rng.normal(0, 2, n)
    follow_up = np.where(rng.random(n) < 0.2, np.nan, baseline + change)
    return pd.DataFrame(dict(arm=arm, baseline=baseline, follow_up=follow_up, by_sex=sex, contacts=rng.integers(0, 9, n).astype(float)))


def rows(table, measure):
    return table[table["measure"] == measure].set_index("level")


def balanced():
    """Two groups whose first scores are alike: adjusted means are plain means. Changes 1, 2, 3 ... and 3, 4, 5 ..."""
    base = np.tile([10.0, 12, 14], 4)
    gain = np.array([1.0, 2, 3, 3, 2, 1]) # no slope on the first score
    return pd.DataFrame(dict(arm="scheme", baseline=base, follow_up=base + np.concatenate([gain, gain + 2]), by_team=["a"] * 6 + ["b"] * 6))


# ---- methods ------------------------------------------------------------------------------------------------------------------

def test_adjusted_means_are_plain_means_where_first_scores_are_alike_and_shift_where_they_are_not():
    data = balanced()
    cells = np.repeat([0, 1], 6)
    means, covariance, df = subgroups.adjusted_means(data["follow_up"] - data["baseline"], cells, data["baseline"])
    assert means == pytest.approx([2, 4]) and df == 9 and covariance.shape == (2, 2)
    # y = 3 + cell + 2 (covariate - its mean), exactly
    covariate = np.array([0.0, 1, 2, 4, 6, 8])
    cells = np.array([0, 0, 0, 1, 1, 1])
    means, _, _ = subgroups.adjusted_means(3 + cells + 2 * (covariate - covariate.mean()), cells, covariate)
    assert means == pytest.approx([3, 4])


def test_the_errors_are_hc3():
    # without a covariate a cell's mean has the HC3 variance sum (e / (1 - 1/n))^2 / n^2; residuals -1, 0, 1 of n = 3: 4.5 / 9
    _, covariance, df = subgroups.adjusted_means([1, 2, 3, 5, 5.0, 8], [0, 0, 0, 1, 1, 1], np.ones(6))
    assert covariance[0, 0] == pytest.approx(0.5) and covariance[0, 1] == pytest.approx(0) and df == 4
    found = subgroups.weighted_sum(np.array([2.0, 6.0]), np.diag([0.5, 0.5]), 4, np.array([-1.0, 1.0]))
    assert (found["estimate"], found["std_error"]) == (4, 1) and found["conf_high"] == pytest.approx(4 + 2.776445, abs=1e-6)
    assert found["p"] == pytest.approx(0.0161, abs=1e-4)


def test_a_slope_by_hand_and_only_where_contacts_vary():
    found = subgroups.slope([1, 2, 3, 4, 6.0], [0, 1, 2, 3, 4], [5.0] * 5)
    assert found["estimate"] == pytest.approx(1.2) and found["conf_low"] < 1.2 < found["conf_high"]
    # the same change per contact once the first score, which goes with contacts, is allowed for
    baseline, contacts = np.array([1.0, 2, 3, 4, 5, 7]), np.array([0.0, 1, 1, 2, 4, 3])
    assert subgroups.slope(3 * contacts - 2 * baseline, contacts, baseline)["estimate"] == pytest.approx(3)
    wide, narrow = (subgroups.slope([1, 2, 3, 5, 6.0], [0, 1, 2, 3, 4], [5.0] * 5, level) for level in (0.95, 0.8))
    ratio = (wide["conf_high"] - wide["conf_low"]) / (narrow["conf_high"] - narrow["conf_low"])
    assert ratio == pytest.approx(3.182446 / 1.637744, rel=1e-5)            # t quantiles of 3 degrees of freedom, 97.5% and 90%
    for y, x in (([1, 2, 3, 4, 5], [2.0] * 5), ([1, 2, 3], [0, 1, 2]), ([], [])):
        with pytest.raises(DataError):
            subgroups.slope(y, x, [5.0] * len(y))


def test_benjamini_and_hochberg_by_hand():
    assert list(subgroups.adjusted_p([0.01, 0.04, 0.03])) == pytest.approx([0.03, 0.04, 0.04]) and len(subgroups.adjusted_p([])) == 0


def test_estimates_are_drawn_to_their_mean_the_more_the_less_is_known():
    # equal errors: Paule-Mandel's between variance is that of the estimates less the error's, 4 - 1; each keeps 3/4 of its distance
    found = subgroups.shrunken([1.0, 3.0, 5.0], [1.0, 1.0, 1.0])
    assert [f["estimate"] for f in found] == pytest.approx([1.5, 3, 4.5], abs=1e-4)
    assert found[0]["std_error"] == pytest.approx(np.sqrt(0.75 + 0.0625 * 4 / 3), abs=1e-4)
    alike = subgroups.shrunken([2.0, 2.1, 1.9],
                               [1.0, 2.0, 1.0])                      # less between than chance gives: all at the common mean
    assert len({round(f["estimate"], 9) for f in alike}) == 1 and alike[0]["std_error"] == pytest.approx((1 + 0.25 + 1) ** -0.5)
    uneven = subgroups.shrunken([0.0, 10.0, 20.0], [1.0, 1.0, 8.0])
    assert uneven[0]["estimate"] == pytest.approx(0, abs=1) and uneven[2]["estimate"] < 15


# ---- subgroup rows ------------------------------------------------------------------------------------------------------------

def test_subgroup_rows_by_hand():
    table = change_by_subgroup(balanced(), "x", MEASURE)
    change, difference = rows(table, "subgroup_change_x"), rows(table, "subgroup_interaction_x")
    assert list(change["estimate"]) == pytest.approx([2, 4]) and list(change["n"]) == [6, 6]
    assert list(difference.index) == ["a"] and difference.loc["a", "estimate"] == pytest.approx(-2)
    assert difference.loc["a", "note"].startswith("against b; ")
    drawn = rows(table, "subgroup_shrunken_x")["estimate"]
    assert 2 < drawn["a"] < 3 < drawn["b"] < 4 and drawn.mean() == pytest.approx(3)


def test_with_a_comparison_arm_the_interaction_is_about_the_difference_between_arms():
    table = change_by_subgroup(people(4000, 1, ("scheme", "comparison"), more_for_women=1.5), "x", MEASURE)
    arms, difference = rows(table, "subgroup_arm_difference_x")["estimate"], rows(table, "subgroup_interaction_x").iloc[0]
    assert arms["female"] == pytest.approx(1.5, abs=0.35) and arms["male"] == pytest.approx(0, abs=0.35)
    assert abs(difference.estimate) == pytest.approx(abs(arms["female"] - arms["male"])) and "; stands after" in difference.note
    own = rows(table, "subgroup_change_x")
    assert own.loc["female", "n"] < rows(table, "subgroup_arm_difference_x").loc["female", "n"]


def test_no_interaction_is_found_too_often_where_there_is_none():
    # 200 schemes of 120 without any difference: 5 % are expected outside, at most 10 % at three standard errors
    low_high = [rows(change_by_subgroup(people(120, seed), "x", MEASURE), "subgroup_interaction_x").iloc[0] for seed in range(200)]
    assert sum(not r.conf_low <= 0 <= r.conf_high for r in low_high) <= 20


def test_every_person_is_counted_and_small_or_unknown_levels_are_rows_with_a_note():
    data = people(100, 2)
    data.loc[:1, "by_sex"], data.loc[2:16, "by_sex"] = "other", None
    table = change_by_subgroup(data, "x", MEASURE)
    change = rows(table, "subgroup_change_x")
    assert (change["n"] + change["n_missing"]).sum() == 100 and list(change.index) == ["female", "male", "other", "missing"]
    assert change.loc["other", "note"].startswith("fewer than 5") and change.loc["missing", "note"].startswith("not recorded")
    assert change["estimate"].notna().sum() == 2


def test_the_number_of_comparisons_is_allowed_for():
    data = people(300, 7, more_for_women=0.6)
    alone = rows(change_by_subgroup(data, "x", MEASURE), "subgroup_interaction_x").iloc[0].note
    rng = np.random.default_rng(1)
    many = data.assign(**{f"by_g{i}": rng.choice(["a", "b", "c"], 300) for i in range(6)})
    together = change_by_subgroup(many, "x", MEASURE)
    first = together[(together["group"] == "sex") & together["measure"].eq("subgroup_interaction_x")].iloc[0].note
    assert "; stands after allowing for 1 comparison (" in alone and "does not stand after allowing for 13 comparisons (" in first
    assert first.split("p = ")[1].split(",")[0] == alone.split("p = ")[1].split(",")[0]


def test_none_named_none_shown():
    table = change_by_subgroup(people(50, 4).drop(columns="by_sex"), "x", MEASURE)
    assert len(table) == 1 and table["note"][0] == NONE_NAMED and table["estimate"].isna().all()
    for rule in RULES.values():
        assert words.describe_subgroups(release(table, rule),
                                        MEASURE) == "No subgroups were named in scheme.yaml before the analysis, so none are shown."


# ---- contacts -----------------------------------------------------------------------------------------------------------------

def test_change_by_contacts_by_hand():
    contacts = np.repeat([1.0, 3, 6], 6)
    baseline = np.tile([10.0, 12, 14], 6)
    data = pd.DataFrame(dict(arm="scheme", baseline=baseline, follow_up=baseline + 2 * contacts + np.tile([1.0, 0, -1, -1, 0, 1], 3),
                             contacts=contacts))
    data = pd.concat([data, data.head(2).assign(contacts=np.nan), data.head(3).assign(follow_up=np.nan),
                      data.head(4).assign(arm="comparison", contacts=np.nan)])
    table = change_by_contacts(data, "x", MEASURE)
    slope, thirds = rows(table, "change_per_contact_x").iloc[0], rows(table, "change_by_contacts_x")
    assert slope.estimate == pytest.approx(2) and (slope.n, slope.n_missing) == (18, 5) and slope.unit == "Test scale points per contact"
    assert list(thirds.index) == ["1 or fewer", "2 to 3", "4 or more"] and list(thirds["estimate"]) == pytest.approx([2, 6, 12])
    assert list(thirds["n"]) == [6, 6, 6]


def test_thirds_are_as_near_as_ties_allow():
    data = people(90, 5).assign(contacts=[0.0] * 60 + [1.0] * 30)
    assert list(rows(change_by_contacts(data, "x", MEASURE), "change_by_contacts_x").index) == ["none", "1 or more"]
    assert rows(change_by_contacts(data.assign(contacts=2.0), "x", MEASURE), "change_by_contacts_x").empty


# ---- data that can answer nothing ---------------------------------------------------------------------------------------------

def poor():
    some = people(40, 6)
    return {"no follow-up": some.assign(follow_up=np.nan), "one followed up": some.assign(follow_up=[25.0] + [np.nan] * 39),
            "everyone the same": some.assign(baseline=20.0, follow_up=20.0),
            "two people": some.head(2), "nobody": some.head(0), "one group": some.assign(by_sex="female"),
            "a group of one": some.assign(by_sex=["male"] + ["female"] * 39),
            "group unknown": some.assign(by_sex=pd.NA), "everyone a group": some.assign(by_sex=[f"l{i}" for i in range(40)]),
            "no contacts": some.assign(contacts=np.nan),
            "same contacts": some.assign(contacts=3.0), "a comparison arm of three": some.assign(arm=["comparison"] * 3 + ["scheme"] * 37),
            "only comparison": some.assign(arm="comparison"),
            "first score is the group": some.assign(baseline=some["by_sex"].eq("male") * 5.0 + 10), "five people": some.dropna().head(5)}


@pytest.mark.parametrize("name", poor())
def test_poor_data_give_stated_rows_and_whole_sentences(name):
    data = poor()[name]
    table, contacts = change_by_subgroup(data, "x", MEASURE), change_by_contacts(data, "x", MEASURE)
    for result in (table, contacts):
        assert (result["estimate"].notna() | result["note"].ne("")).all() and (result["n_missing"] >= 0).all()
    for rule in RULES.values():
        out, dose = release(table, rule), release(contacts, rule)
        said = [words.describe_subgroups(out, MEASURE), words.describe_dose(dose, MEASURE, "x"),
                words.alt_of_subgroups(words.subgroup_rows(out)) if len(out) and len(words.subgroup_rows(out)) else "."]
        assert all("nan" not in text.casefold() and text.endswith(".") for text in said)
        if words.has_subgroups(out):
            plt.close(sprx.plot_subgroups(words.subgroup_rows(out)).figure)


# ---- words and pictures -------------------------------------------------------------------------------------------------------

def test_no_claim_without_the_interaction_and_a_claim_with_it():
    refused = words.describe_subgroups(release(change_by_subgroup(people(300, 7), "x", MEASURE), RULES["none"]), MEASURE)
    assert "No difference between their levels stands" in refused
    assert "cannot be said that the change is greater for some than for others" in refused
    text = words.describe_subgroups(release(change_by_subgroup(people(600, 8, more_for_women=3.0), "x", MEASURE), RULES["none"]), MEASURE)
    assert "the change differs between levels" in text and " against " in text and "CI" in text and "p =" not in text


def test_more_contacts_come_with_their_warning():
    data = people(200, 9)
    data["follow_up"] += data["contacts"]
    text = words.describe_dose(release(change_by_contacts(data, "x", MEASURE), RULES["none"]), MEASURE, "x")
    assert "for each contact more" in text and "no evidence that more contacts help" in text and "includes no difference" not in text
    assert words.describe_dose(release(change_by_contacts(data.assign(contacts=np.nan), "x", MEASURE), RULES["none"]), MEASURE,
                               "x") == "Cannot be answered: needs a contacts table."


def test_the_forest_plot_has_a_raw_and_a_drawn_mark_per_level():
    out = words.subgroup_rows(release(change_by_subgroup(people(300, 10), "x", MEASURE), RULES["none"]))
    ax = sprx.plot_subgroups(out)
    assert [t.get_text().replace("\n", " ") for t in ax.get_yticklabels()][0].startswith("sex: female (n=")
    assert [sum(line.get_marker() == mark for line in ax.lines) for mark in ("o", "D")] == [2, 2]
    assert "drawn in" in words.alt_of_subgroups(out)
    plt.close(ax.figure)


def test_a_level_of_few_people_is_hidden_and_so_is_its_difference():
    data = people(100, 11)
    data.loc[:, "by_sex"] = ["male"] * 8 + ["female"] * 92
    data.loc[:7, "follow_up"] = [20.0, 21, 22, 25, 24, 23, np.nan, np.nan]
    out = release(change_by_subgroup(data, "x", MEASURE), RULES["nhse_1_7_round5"])
    assert out.loc[out["level"] == "male", "estimate"].isna().all() and out.loc[out["level"] == "male", "suppressed"].all()
