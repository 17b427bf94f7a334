"""Standardised and reliable change, bands, norms, and the change to be expected from selection alone."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from sprx import wording
from sprx.disclosure import HIDDEN, RULES, release
from sprx.errors import DataError
from sprx.metrics.how_well import (band_shares, difference_from_norm, domains_measured, expected_change, out_of_time, profile_levels, reliable_change_shares,
                                   score_distribution, scores_unused, standardised_change)
from sprx.metrics.how_well.scores import NEEDS_NORM, SAME_CHANGE, change_threshold
from sprx.plots import plot_scores
from sprx.reference import facts, measures
from sprx.results import RESULT_COLUMNS, result_table
from sprx.stats import change

NAN = float("nan")
NORM = dict(mean=23.5, sd=4.0, reliability=(0.6, 0.6, 0.6), assumed=False, cutoff=NAN, source="a source", verification="verified")
# Student (1908) Biometrika 6:1-25: hours of sleep gained under two drugs, ten people (R data set `sleep`)
SLEEP = ([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0], [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])


def pairs_of(baseline, follow_up):
    return pd.DataFrame({"baseline": pd.Series(baseline, dtype=float), "follow_up": pd.Series(follow_up, dtype=float)})


def by_measure(table, level=None):
    return (table if level is None else table[table.level == level]).set_index("measure")


# ---- standardised change --------------------------------------------------------------------------------------------------

def test_the_small_sample_factor_is_that_of_hedges():
    # Hedges (1981): exact factor; 2 degrees of freedom give gamma(1) / gamma(1/2) = 1 / sqrt(pi)
    assert change.small_sample_factor(2) == pytest.approx(1 / np.pi ** 0.5, rel=1e-12) and change.small_sample_factor(19) == pytest.approx(1 - 3 / 75, abs=2e-4)
    assert np.isnan(change.small_sample_factor(1))


def test_students_sleepers_changed_by_these_standard_deviations():
    # by hand: mean change 1.58, SD of changes 1.229995, SD before 1.789010, r 0.795170, factor for 9 degrees of freedom 0.913875
    table = by_measure(standardised_change(pairs_of(*SLEEP)))
    first, second = np.array(SLEEP)
    difference, factor = second - first, change.small_sample_factor(9)
    smcc, smcr = factor * 1.58 / difference.std(ddof=1), factor * 1.58 / first.std(ddof=1)
    assert factor == pytest.approx(0.9138749, abs=1e-6) and smcc == pytest.approx(1.17393, abs=1e-4)
    assert (table.estimate["change_smcc"], table.estimate["change_smcr"]) == pytest.approx((smcc, smcr))
    r = np.corrcoef(first, second)[0, 1]
    assert table.std_error["change_smcc"] ** 2 == pytest.approx(1 / 10 + smcc ** 2 / 20)
    assert table.std_error["change_smcr"] ** 2 == pytest.approx(2 * (1 - r) / 10 + smcr ** 2 / 20)
    assert table.conf_high["change_smcc"] - smcc == pytest.approx(1.959964 * table.std_error["change_smcc"], rel=1e-6)
    assert (table.unit == "standard deviations").all() and table.n["change_smcc"] == 10


def test_where_all_changed_alike_a_standardised_change_is_not_defined_and_says_so():
    table = by_measure(standardised_change(pairs_of([10, 12, 14, 16], [13, 15, 17, 19])))
    assert np.isnan(table.estimate["change_smcc"]) and table.note["change_smcc"] == SAME_CHANGE
    assert table.estimate["change_smcr"] > 0 and table.note["change_smcr"] == ""
    table = by_measure(standardised_change(pairs_of([10, 10, 10], [10, 10, 10])))
    assert table.estimate.isna().all() and "began with the same score" in table.note["change_smcr"]


@pytest.mark.parametrize("people", [0, 1, 2])
def test_fewer_than_three_people_have_no_standardised_change(people):
    table = standardised_change(pairs_of([10, 12][:people], [13, 11][:people]))
    assert table.estimate.isna().all() and (table.note == "fewer than 3 people with both scores").all()


# ---- where scores lie -----------------------------------------------------------------------------------------------------

def test_the_distribution_is_of_the_people_with_both_scores():
    table = score_distribution(pairs_of([1, 2, 3, 4, 90], [2, 2, 6, 8, None]))
    before, after = by_measure(table, "baseline").estimate, by_measure(table, "follow_up").estimate
    assert dict(before.round(6)) == {"score_mean": 2.5, "score_sd": 1.290994, "score_lower_quartile": 1.75, "score_median": 2.5, "score_upper_quartile": 3.25}
    assert after["score_mean"] == 4.5 and after["score_median"] == 4 and (table.n == 4).all() and (table.n_missing == 1).all()
    assert set(score_distribution(pairs_of([5], [6])).note) == {"fewer than 2 people with both scores"}


def test_a_band_begins_at_its_lowest_score_and_people_without_both_are_in_none():
    table = band_shares(pairs_of([4, 5, 9, 10, 27, 20], [0, 0, 4, 15, 19, None]), "phq9")
    shares = table.set_index(["group", "level"]).numerator
    before = {level.split(" (")[0]: n for (group, level), n in shares.items() if group == "band_at_baseline"}
    assert before == {"none": 1, "mild": 2, "moderate": 1, "moderately severe": 0, "severe": 1}
    after = {level.split(" (")[0]: n for (group, level), n in shares.items() if group == "band_at_follow_up"}
    assert after == {"none": 3, "mild": 0, "moderate": 0, "moderately severe": 2, "severe": 0}
    assert (table.n == 5).all() and (table.n_missing == 1).all() and band_shares(pairs_of([1], [2]), "eq5d3l").empty


def test_every_band_of_the_reference_covers_its_instrument_without_gaps_and_says_its_source():
    bands = facts("bands")
    assert set(bands["measure_id"]) <= set(measures().index) and bands[["source", "verification"]].ne("").all(axis=None)
    for instrument, part in bands.groupby("measure_id"):
        starts = part["from"].astype(float)
        assert starts.is_monotonic_increasing and starts.iloc[0] == measures().loc[instrument, "total_min"], instrument
        assert starts.iloc[-1] <= measures().loc[instrument, "total_max"]


def test_unverified_bands_are_called_so():
    assert set(band_shares(pairs_of([20, 21], [25, 26]), "swemwbs").note) == {"bands unverified"} and set(band_shares(pairs_of([1], [2]), "phq9").note) == {""}


# ---- who changed ----------------------------------------------------------------------------------------------------------

def test_improved_worse_and_neither_are_everyone_with_both_scores():
    pairs = pairs_of([20, 20, 20, 20, 20, 20], [25, 23, 22, 17, 20, None])
    table = by_measure(reliable_change_shares(pairs, 3, True))
    assert (table.estimate["share_improved"], table.estimate["share_worse"], table.estimate["share_neither"]) == (2 / 5, 1 / 5, 2 / 5)
    assert table.estimate["share_improved_of_all"] == 2 / 6 and table.n["share_improved_of_all"] == 6      # the lost did not improve
    turned = by_measure(reliable_change_shares(pairs, 3, False))
    assert (turned.estimate["share_improved"], turned.estimate["share_worse"]) == (1 / 5, 2 / 5) and table.note["share_improved"] == "improved by 3 or more"


def test_nobody_with_both_scores_has_no_share():
    table = by_measure(reliable_change_shares(pairs_of([20, None], [None, 20]), 3, True))
    assert table.estimate[["share_improved", "share_worse", "share_neither"]].isna().all() and table.estimate["share_improved_of_all"] == 0


@pytest.mark.parametrize("threshold", [0, -1, NAN])
def test_a_threshold_not_above_nought_is_refused(threshold):
    with pytest.raises(ValueError, match="threshold must be above 0"):
        reliable_change_shares(pairs_of([1], [2]), threshold, True)


@pytest.mark.parametrize("rule", ["nhse_1_7_round5", "suppress_lt5", "suppress_lt10"])
@settings(max_examples=60, deadline=None, derandomize=True)
@given(better=st.integers(0, 40), worse=st.integers(0, 12), same=st.integers(0, 40), lost=st.integers(0, 20))
def test_no_small_share_can_be_had_back_from_the_others(rule, better, worse, same, lost):
    from sprx.disclosure import RULES, release

    rule = RULES[rule]
    pairs = pairs_of([20] * (better + worse + same + lost), [25] * better + [15] * worse + [20] * same + [None] * lost)
    out = by_measure(release(reliable_change_shares(pairs, 3, True), rule))
    shown = out.estimate.notna()
    counts = dict(share_improved=better, share_worse=worse, share_neither=same)
    small = [name for name, n in counts.items() if 1 <= n <= rule.hide_to]
    assert not any(shown[name] for name in small)
    if small and better + worse + same:
        hidden = sum(n for name, n in counts.items() if not shown[name] and n)
        assert hidden == 0 or sum(not shown[name] for name in counts) > 1          # two unknowns at the least
        assert not (shown["share_improved_of_all"] and not shown["share_improved"])


def test_the_threshold_is_the_smallest_important_difference_else_the_reliable_change():
    pairs, own = pairs_of([10, 20, 30], [10, 20, 30]), dict(measures().loc["phq9"]) | dict(mid_value=NAN)
    assert change_threshold(pairs, measures().loc["phq9"], NORM) == (6, "")
    points, words = change_threshold(pairs, own, NORM)              # SD 10, reliability 0.6: 1.96 x 10 x sqrt(0.8)
    assert points == pytest.approx(17.530773, abs=1e-6) and words == " (reliable change index, reliability 0.6)"
    for norm, people in ((NORM | dict(assumed=True), pairs), (NORM, pairs_of([5, 5], [6, 7]))):
        assert change_threshold(people, own, norm)[0] is None and "needs a smallest important difference" in change_threshold(people, own, norm)[1]


# ---- what was to be expected ----------------------------------------------------------------------------------------------

def test_the_expected_change_by_hand():
    # baseline 17, 18, 19: mean 18, SE 1/sqrt(3); norm 23.5, reliability 0.6: 0.4 x 5.5 = 2.2, limits 0.4 x t(2) x SE
    pairs = pairs_of([17, 18, 19, 40], [20, 21, 25, None])
    table = by_measure(expected_change(pairs, NORM))
    half = 0.4 * scipy_stats.t.ppf(0.975, 2) / 3 ** 0.5
    row = table.loc["expected_change"]
    assert (row.estimate, row.conf_low, row.conf_high) == pytest.approx((2.2, 2.2 - half, 2.2 + half)) and (row.n, row.n_missing) == (3, 1)
    left = table.loc["change_beyond_expected"]          # observed 4, expected 2.2
    spread = np.std([20 - 0.6 * 17, 21 - 0.6 * 18, 25 - 0.6 * 19], ddof=1)
    assert left.estimate == pytest.approx(1.8) and left.conf_high - 1.8 == pytest.approx(scipy_stats.t.ppf(0.975, 2) * spread / 3 ** 0.5)
    assert "expected_change_at_cutoff" not in table.index


def test_an_assumed_range_of_reliability_widens_the_interval_to_both_its_ends():
    pairs, ranged = pairs_of([17, 18, 19], [20, 21, 25]), NORM | dict(reliability=(0.5, 0.65, 0.8), assumed=True)
    wide = by_measure(expected_change(pairs, ranged))
    ends = [by_measure(expected_change(pairs, NORM | dict(reliability=(r, r, r)))) for r in (0.5, 0.8)]
    for measure in ("expected_change", "change_beyond_expected"):
        assert wide.conf_low[measure] == pytest.approx(min(e.conf_low[measure] for e in ends)) and wide.conf_high[measure] == pytest.approx(max(e.conf_high[measure] for e in ends))
    assert wide.estimate["expected_change"] == pytest.approx(0.35 * 5.5) and "0.5 to 0.8, assumed" in wide.method["expected_change"]


def test_people_above_the_norm_are_expected_to_fall():
    assert by_measure(expected_change(pairs_of([30, 31], [30, 31]), NORM)).estimate["expected_change"] < 0


@pytest.mark.parametrize("norm, people, note", [(NORM | dict(mean=NAN), 3, NEEDS_NORM), (NORM, 1, "fewer than 2 people with both scores"), (NORM, 0, "fewer than 2 people with both scores")])
def test_without_a_norm_or_people_nothing_is_expected_and_it_says_what_is_needed(norm, people, note):
    table = expected_change(pairs_of([17, 18, 19][:people], [20, 21, 25][:people]), norm)
    assert table.estimate.isna().all() and (table.note == note).all() and list(table.measure) == ["expected_change", "change_beyond_expected"]


def test_a_cut_off_gives_the_expected_change_of_anybody_chosen_beyond_it():
    table = by_measure(expected_change(pairs_of([17, 18, 19], [20, 21, 25]), NORM | dict(cutoff=20.0)))
    z = (20 - 23.5) / 4                                                            # by hand: sd (1 - r) phi(z) / Phi(z)
    assert table.estimate["expected_change_at_cutoff"] == pytest.approx(4 * 0.4 * scipy_stats.norm.pdf(z) / scipy_stats.norm.cdf(z))
    worse_above = by_measure(expected_change(pairs_of([17, 18, 19], [20, 21, 25]), NORM | dict(cutoff=25.0), higher_is_better=False))
    assert worse_above.estimate["expected_change_at_cutoff"] < 0


def test_nothing_but_selection_is_left_when_nothing_was_done():
    # 500 schemes without effect: the interval of what is left covers nought as often as it says (a range of three standard errors of a share)
    rng, covered = np.random.default_rng(1), 0
    for _ in range(500):
        state, level = rng.normal(0, 4 * 0.4 ** 0.5, (2, 600)), rng.normal(23.5, 4 * 0.6 ** 0.5, 600)
        first, second = level + state[0], level + state[1]
        row = by_measure(expected_change(pairs_of(first[first < 20], second[first < 20]), NORM)).loc["change_beyond_expected"]
        covered += row.conf_low <= 0 <= row.conf_high
    assert abs(covered / 500 - 0.95) < 3 * (0.95 * 0.05 / 500) ** 0.5


def test_a_reliability_out_of_order_is_refused():
    with pytest.raises(DataError, match="reliability must run from low to high"):
        change.expected_from_selection(18, 1, 23, (0.8, 0.6, 0.7), 2)


def test_the_distance_from_the_norm_at_both_times():
    table = difference_from_norm(pairs_of([17, 18, 19], [20, 21, 25]), NORM).set_index("level")
    assert table.estimate["baseline"] == pytest.approx(-5.5) and table.estimate["follow_up"] == pytest.approx(-1.5) and "a source (verified)" in table.note["baseline"]
    assert set(difference_from_norm(pairs_of([17, 18], [20, 21]), NORM | dict(mean=NAN)).note) == {NEEDS_NORM}


def test_every_norm_has_a_source_a_population_and_a_verification_word():
    norms = facts("norms")
    assert norms[["population", "source", "verification"]].ne("").all(axis=None) and set(norms["measure_id"]) <= set(measures().index)
    swemwbs = norms[norms.measure_id == "swemwbs"].set_index("sex")["mean"].astype(float)
    assert dict(swemwbs) == {"male": 23.7, "female": 23.2}          # Ng Fat et al (2017) Qual Life Res 26:1129, abstract


# ---- states of health, domains, times ---------------------------------------------------------------------------------------

def profiles_of(people):
    rows = [(f"p{i}", d, time, int(digit)) for i, both in enumerate(people) for time, profile in zip(("baseline", "follow_up"), both) if profile
            for d, digit in enumerate(profile, start=1) if digit != "-"]
    return pd.DataFrame(rows, columns=["person_id", "dimension", "occasion", "level"])


def test_states_of_health_by_pareto():
    # Devlin (2010): better = better in some, worse in none
    people = [("22222", "12222"), ("22222", "11111"), ("22222", "23222"), ("22222", "13222"), ("22222", "22222"), ("22222", None), ("22222", "1222-")]
    table = profile_levels(profiles_of(people), 3)
    found = table[table.measure == "state_of_health"].set_index("level")
    assert dict(found.numerator) == {"better": 2, "mixed": 1, "same": 1, "worse": 1} and (found.n == 5).all() and (found.n_missing == 2).all()


def test_levels_of_each_dimension_at_both_times():
    table = profile_levels(profiles_of([("12345", "11111"), ("11111", "21111")]), 5)
    shares = table[table.measure == "share_at_level"].set_index(["group", "level"]).estimate
    assert shares["anxiety or depression, baseline", "5"] == 0.5 and shares["mobility, baseline", "1"] == 1 and shares["mobility, follow_up", "2"] == 0.5
    assert len(shares) == 50 and shares.groupby(level="group").sum().eq(1).all()


def test_no_profile_at_all_is_rows_without_an_estimate():
    assert profile_levels(profiles_of([]), 5).estimate.isna().all() and profile_levels(profiles_of([("11111", None)]), 5).estimate.isna().all()


def test_a_domain_that_nothing_measures_is_a_row_that_says_so():
    measured = pd.DataFrame({"mental_health": pd.array([True, False, True], dtype="boolean"), "social_isolation": pd.array([None] * 3, dtype="boolean")})
    table = domains_measured(measured, ["mental_health", "social_isolation"]).set_index("level")
    assert table.estimate["mental_health"] == 2 / 3 and table.n["social_isolation"] == 0 and table.note["social_isolation"] == "not measured" and table.note["mental_health"] == ""


def test_scores_out_of_time_and_scores_unused_are_counted():
    flags = pd.DataFrame({"after_closure": pd.array([True, False, None], dtype="boolean")})
    row = out_of_time(flags).iloc[0]
    assert (row.estimate, row.n, row.n_missing) == (0.5, 2, 1)
    table = scores_unused(pd.Series(["b", "a", "b"])).set_index("level")
    assert dict(table.estimate) == {"a": 1, "b": 2} and scores_unused(pd.Series([], dtype=str)).empty


# ---- words and pictures -----------------------------------------------------------------------------------------------------

SWEMWBS = measures().loc["swemwbs"]


def released(*rows):
    return result_table([dict(group="all", level="all", n=40, n_missing=0, conf_level=0.95, unit="points") | row for row in rows])[RESULT_COLUMNS]


OBSERVED = dict(measure="paired_change_swemwbs", estimate=3.5, conf_low=2.9, conf_high=4.0)
EXPECTED = dict(measure="expected_change_swemwbs", estimate=3.4, conf_low=3.2, conf_high=3.6, method="a method", note="norm 23.5: a source (verified)")
LEFT = dict(measure="change_beyond_expected_swemwbs", estimate=0.1, conf_low=-0.4, conf_high=0.6)


def test_the_sentence_on_what_was_to_be_expected():
    assert wording.describe_expected(released(OBSERVED, EXPECTED, LEFT), SWEMWBS, "swemwbs") == (
        "Of people who come at a bad time, a change of about +3.4 (95% CI +3.2 to +3.6) is expected with no help at all; the observed change is +3.5 (95% CI +2.9 to +4.0); "
        "what is left is +0.10 (95% CI −0.40 to +0.60), and that is not shown to be the scheme's doing. Worked out as a method; norm 23.5: a source (verified).")
    cut = dict(measure="expected_change_at_cutoff_swemwbs", estimate=2.6, conf_low=2.6, conf_high=2.6)
    assert "beyond the cut-off would be expected to change by +2.6" in wording.describe_expected(released(OBSERVED, EXPECTED, LEFT, cut), SWEMWBS, "swemwbs")
    fall = released(OBSERVED, EXPECTED | dict(estimate=-1, conf_low=-2, conf_high=0), LEFT)
    assert wording.describe_expected(fall, SWEMWBS, "swemwbs").startswith("These people did not begin worse than people in general")
    assert "It needs the mean of people in general" in wording.describe_expected(released(OBSERVED), SWEMWBS, "swemwbs")
    assert "no change is shown" in wording.describe_expected(released(), SWEMWBS, "swemwbs")
    assert "neither way is better" in wording.describe_expected(released(OBSERVED), measures().loc["ons_lonely"], "swemwbs")


def test_the_answer_speaks_of_the_expected_change_only_where_people_came_at_a_bad_time():
    assert wording.expected_too(released(OBSERVED, EXPECTED, LEFT), SWEMWBS, "swemwbs") == "of people who come at a bad time, about +3.4 is expected with no help at all"
    fall = released(OBSERVED, EXPECTED | dict(estimate=-1, conf_low=-2, conf_high=0), LEFT)
    assert wording.expected_too(fall, SWEMWBS, "swemwbs") == "" == wording.expected_too(released(OBSERVED), SWEMWBS, "swemwbs")


def test_the_rows_beside_the_change_are_the_expected_one_or_the_arms():
    assert list(wording.change_rows(released(OBSERVED, EXPECTED, LEFT), "swemwbs").estimate) == [3.5, 3.4, 0.1]
    assert list(wording.change_rows(released(OBSERVED, EXPECTED | dict(estimate=None, conf_low=None, conf_high=None)), "swemwbs").estimate) == [3.5]
    arms = released(OBSERVED, OBSERVED | dict(group="arm", level="comparison"), OBSERVED | dict(group="arm", level="scheme"), EXPECTED, LEFT)
    assert list(wording.change_rows(arms, "swemwbs").level) == ["scheme", "comparison"]


def test_a_domain_in_words():
    table = released(dict(measure="measured_in_domain", group="domain", level="mental_health", unit="proportion", estimate=0.6, conf_low=0.5, conf_high=0.7),
                     dict(measure="measured_in_domain", group="domain", level="community_wellbeing", n=0, n_missing=40, unit="proportion"),
                     dict(measure="measured_in_domain", group="domain", level="social_isolation", n=None, unit="proportion", suppressed=True, note=HIDDEN))
    said = [wording.describe_domain(table, d) for d in ("mental_health", "community_wellbeing", "social_isolation", "other")]
    assert said[0] == "Mental health: measured for 60% (95% CI 50% to 70%) of the people referred." and said[1].startswith("Community wellbeing and resilience: not measured.")
    assert said[2] == "Social exclusion and isolation: too few people to show." and said[3] == "Other measures, in none of the four domains."


@pytest.mark.parametrize("instrument, people", [("phq9", 60), ("eq5d3l", 60), ("phq9", 0), ("eq5d3l", 1)])
def test_the_figure_and_its_words_hold_the_released_numbers_and_no_others(instrument, people):
    import matplotlib.pyplot as plt

    rng = np.random.default_rng(1)
    pairs = pairs_of(rng.integers(0, 28, people), rng.integers(0, 28, people)).assign(arm="scheme")
    table = pd.concat([score_distribution(pairs), band_shares(pairs, instrument)], ignore_index=True).assign(measure=lambda t: t.measure + f"_{instrument}")
    rows = wording.score_rows(release(table, RULES["nhse_1_7_round5"]), instrument)
    assert set(rows.measure) == ({"share_in_band_phq9"} if instrument == "phq9" and people else {f"score_{m}_{instrument}" for m in ("lower_quartile", "median", "upper_quartile", "mean")} & set(rows.measure))
    if people:
        said = wording.alt_of_scores(rows)
        assert said.startswith("at the start: ") and "; later: " in said and "nan" not in said
    if people > 1:
        ax = plot_scores(rows)
        assert [t.get_text() for t in ax.get_yticklabels()] == ["at the start", "later"]
        widths = [round(bar.get_width(), 6) for bar in ax.patches if bar.get_hatch() is None]
        if instrument == "phq9":
            assert widths == [round(100 * e, 6) for e in rows.estimate if e > 0] and ax.get_xlim() == (0, 100)
        else:
            quartile = rows.set_index(["level", "measure"]).estimate
            assert widths == [round(quartile[t, "score_upper_quartile_eq5d3l"] - quartile[t, "score_lower_quartile_eq5d3l"], 6) for t in ("baseline", "follow_up")]
    plt.close("all")


def test_what_is_hidden_is_a_hatched_part_and_not_a_nought():
    import matplotlib.pyplot as plt

    table = released(*[dict(measure="share_in_band_x", group="band_at_baseline", level=level, unit="proportion", estimate=e) for level, e in (("a", 0.5), ("b", None), ("c", None))])
    hatched = [bar for bar in plot_scores(table).patches if bar.get_hatch()]
    assert len(hatched) == 1 and hatched[0].get_width() == pytest.approx(50) and wording.alt_of_scores(table) == "at the start: a 50%, b not shown, c not shown."
    plt.close("all")


def test_times_and_reasons_in_words():
    flags = pd.DataFrame({"after_closure": pd.array([True] * 10 + [False] * 10, dtype="boolean"), "after_death": pd.array([False] * 20, dtype="boolean")})
    assert wording.describe_timing(release(out_of_time(flags), RULES["none"])) == (
        "Of the scores with a date, 50% are dated after the case was closed. They stay in the results.")
    assert wording.describe_timing(release(out_of_time(flags[["after_death"]]), RULES["none"])).startswith("No score is dated before")
    assert wording.describe_timing(release(out_of_time(flags.head(0)), RULES["none"])).startswith("Whether scores were taken before the referral")
    assert wording.describe_timing(release(out_of_time(flags.head(3)), RULES["nhse_1_7_round5"])).endswith("too few scores have a date.")
    assert wording.describe_unused(release(scores_unused(pd.Series(["odd"] * 20)), RULES["none"])) == "Scores that could not be used: odd (20 rows)."
    assert wording.describe_unused(release(scores_unused(pd.Series([], dtype=str)), RULES["none"])) == "Every score that was given could be used."
    states = profile_levels(profiles_of([("22222", "11111")] * 30 + [("22222", "22222")] * 10), 3)
    assert "became better for 75%" in wording.describe_profile(release(states, RULES["none"])) and "the same for 25%" in wording.describe_profile(release(states, RULES["none"]))
    assert "not shown: too few" in wording.describe_profile(release(profile_levels(profiles_of([]), 3), RULES["none"]))
