"""Sentences and figures of chapter 01: from released tables, in plain words, never with a missing number."""

import re
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sprx import wording
from sprx.disclosure import HIDDEN, RULES, release, release_curve
from sprx.metrics.when import (activity_per_month, compare_waits, contacts_per_person, control_charts, first_event_curve, first_event_within, mean_wait,
                               median_wait, seasons, sessions_used, time_between_contacts, time_to_closure, time_to_first_contact, wait_ratios, weekdays)
from sprx.plots import plot_control, plot_curve, plot_drop_out, plot_first_events
from sprx.results import RESULT_COLUMNS, result_table, stack_results
from sprx.wording import when as said

DAY = pd.Timestamp


@pytest.fixture(autouse=True)
def no_figure_is_left_behind():
    yield
    plt.close("all")


def released(*rows):
    return result_table([dict(group="all", level="all", conf_level=0.95, n=100, n_missing=0) | row for row in rows])[RESULT_COLUMNS]


def months(values, measure="referrals", start="2024-01", notes=(), spell="month"):
    levels = [str(p).replace("Q", " Q") for p in pd.period_range(start, periods=len(values), freq="M" if spell == "month" else "Q")]
    notes = dict(enumerate(notes)) if not isinstance(notes, dict) else notes
    return [dict(measure=measure, group=spell, level=level, estimate=value, unit=measure, suppressed=value is None, note=HIDDEN if value is None else notes.get(i, ""))
            for i, (level, value) in enumerate(zip(levels, values))]


def lines(centre, lower, upper, level="2024-01 to 2024-12", note="", measure="referrals"):
    return [dict(measure=f"{measure}_{name}", group="phase", level=level, estimate=value, unit="a month", note=note)
            for name, value in (("centre_line", centre), ("lower_limit", lower), ("upper_limit", upper))]


ABOVE = "special cause: 8 months in a row above the mean"


# ---- control charts -------------------------------------------------------------------------------------------------------

def test_a_chart_without_a_special_cause_is_said_in_plain_words():
    text = said.describe_control(released(*months([20, 25] * 6), *lines(22.5, 9.2, 35.8)), "referrals")
    assert text == ("In a usual month there were about 22 referrals; chance alone keeps nearly all months between 9 and 36. "
                    "No month stands out: the differences between months are of the size that comes about by chance.")


def test_runs_are_said_once_also_where_a_month_of_them_stands_out_for_another_reason():
    notes = {i: ABOVE for i in range(2, 10)} | {4: "special cause: above the limits", 11: "special cause: below the limits"}
    text = said.describe_control(released(*months([20] * 12, notes=notes), *lines(20, 10, 30)), "referrals")
    assert "Standing out: March 2024 to October 2024: 8 months in a row above the mean; May 2024: above the limits; December 2024: below the limits. That is a sign that something changed, not what." in text


def test_two_runs_of_the_same_words_apart_are_two():
    notes = {i: "special cause: 2 of 3 months near the limit, above the mean" for i in (1, 2, 7, 8)}
    text = said.describe_control(released(*months([20] * 12, notes=notes), *lines(20, 10, 30)), "referrals")
    assert "February 2024 to March 2024: 2 of 3 months" in text and "August 2024 to September 2024: 2 of 3 months" in text


def test_hidden_months_quarters_trial_limits_a_rebase_and_a_missing_history_are_said():
    table = released(*months([None, None] + [20] * 10), *lines(20, 10, 30, note="trial limits: 10 months; begins anew: second worker", level="2024-03 to 2024-12"))
    text = said.describe_control(table, "referrals")
    assert "2 months are not shown and left out of the lines" in text and "From March 2024 to December 2024 there were about 20" in text and "trial limits" in text
    quarters = said.describe_control(released(*months([20] * 6, spell="quarter"), *lines(20, 10, 30)), "referrals")
    assert "In a usual quarter" in quarters and "Quarters are shown because too many months are too small to show." in quarters
    early = dict(measure="caseload", estimate=5, note="no case from before 2024-01-01 is in the data: the first months count too few, unless the service began then")
    with_start = released(*months([20] * 12, "closures"), *lines(20, 10, 30, measure="closures"), early)
    assert "No case from before 1 January 2024 is in the data" in said.describe_control(with_start, "closures")
    assert "No case from before" not in said.describe_control(released(*months([20] * 12), *lines(20, 10, 30), early), "referrals")


def test_a_run_that_another_cause_cuts_short_is_said_to_be_part_of_it():
    notes = {i: "special cause: below the limits" for i in (0, 1)} | {i: "special cause: 7 months rising in a row" for i in range(2, 7)}
    assert "March 2024 to July 2024: part of 7 months rising in a row" in said.describe_control(released(*months([20] * 12, notes=notes), *lines(20, 10, 30)), "referrals")


def test_where_most_months_stand_out_none_is_called_usual():
    text = said.describe_control(released(*months([20] * 12, notes={i: ABOVE for i in range(2, 12)}), *lines(20, 10, 30)), "referrals")
    assert text.startswith("Over all months there were about 20 referrals; but 10 of the 12 months shown stand out, so no month can be called usual") and "Standing out" not in text


def test_the_caption_of_a_chart_names_only_the_marks_that_it_has():
    plain = said.caption_of_control(released(*months([20] * 12), *lines(20, 10, 30)))
    assert plain.startswith("Referrals, month by month. The line is the mean;") and "triangle" not in plain.lower().replace("lines and triangles", "") and "hollow" not in plain
    assert said.caption_of_control(released(*months([20] * 3))) == "Referrals, month by month."
    full = said.caption_of_control(released(*months([20] * 12, notes={0: "part of a month", 3: ABOVE}), *lines(20, None, None)))
    assert "A triangle stands out" in full and "hollow" in full and "dashed" not in full


def test_no_line_and_no_month_are_said_so():
    assert said.describe_control(released(*months([20] * 3)), "referrals") == "Referrals: too few months can be shown to say what is usual."
    assert said.describe_control(released(*months([None] * 3)), "referrals") == "Referrals: not shown, too few in each month and quarter."
    alike = said.describe_control(released(*months([20] * 12), *lines(20, None, None)), "referrals")
    assert alike == "In a usual month there were about 20 referrals; most months are alike, so there are no limits to hold the others against."


def test_a_cause_is_up_or_down_and_judged():
    assert said.cause_of("special cause: 7 months falling in a row (improvement)") == ("down", "improvement")
    assert said.cause_of("special cause: above the limits") == ("up", "") and said.cause_of("part of a month") == ("", "") and said.cause_of(HIDDEN) == ("", "")


def test_the_alt_text_of_a_chart_holds_every_number():
    table = released(*months([20, None, 40], notes={2: "special cause: above the limits"}), *lines(25.4, 10, 35, level="2024-01 to 2024-03", note="trial limits: 3 months"))
    assert said.alt_of_control(table) == ("Control chart of referrals: 2024-01 20; 2024-02 not shown; 2024-03 40 (above the limits); centre line 25.4 (2024-01 to 2024-03; trial limits: 3 months); "
                                          "lower limit 10 (2024-01 to 2024-03; trial limits: 3 months); upper limit 35 (2024-01 to 2024-03; trial limits: 3 months).")


def markers(ax):
    return [(line.get_marker(), float(line.get_ydata()[0]), line.get_color()) for line in ax.lines if line.get_marker() in ("o", "^", "v")]


def test_a_control_chart_draws_each_month_by_its_cause_in_shape_and_colour():
    notes = {1: "special cause: above the limits (improvement)", 2: "special cause: below the limits (concern)", 3: "special cause: above the limits", 4: "part of a month"}
    ax = plot_control(released(*months([20, 60, 1, 61, 9, None], notes=notes), *lines(20, 10, 30, level="2024-01 to 2024-06", note="trial limits: 6 months")))
    found = markers(ax)
    assert [(m, y) for m, y, _ in found] == [("o", 20), ("^", 60), ("v", 1), ("^", 61), ("o", 9)] and len({colour for _, _, colour in found}) == 4
    words = [t.get_text() for t in ax.texts]
    assert "*" in words and {"mean\n20", "lower limit\n10", "upper limit\n30", "trial limits: 6 months"} <= set(words)
    assert sorted(c.get_segments()[0][0][1] for c in ax.collections) == [10, 20, 30] and ax.get_ylabel() == "referrals" and ax.get_ylim()[0] == 0
    line = next(l for l in ax.lines if l.get_linestyle() == "-" and len(l.get_ydata()) == 6)
    assert np.isnan(line.get_ydata()[5])                    # the hidden month leaves a gap


def test_a_rebase_is_drawn_and_said_on_the_chart():
    ax = plot_control(released(*months([20] * 6 + [40] * 6), *lines(20, 10, 30, level="2024-01 to 2024-06"), *lines(40, 30, 50, level="2024-07 to 2024-12", note="begins anew: second worker")))
    assert any("begins anew: second" in t.get_text().replace("\n", " ") for t in ax.texts) and len(ax.collections) == 6
    assert [t.get_text() for t in ax.texts if t.get_text().startswith("mean")] == ["mean\n40"]          # the last phase's lines are named


# ---- waits ----------------------------------------------------------------------------------------------------------------

def test_a_stay_is_said_with_its_mean_and_what_is_not_known():
    row = dict(measure="median_days_to_closure", estimate=87, conf_low=79, conf_high=93, unit="days", n_missing=10)
    mean = dict(measure="mean_days_to_closure", estimate=97.7, conf_low=91.6, conf_high=103, unit="days", note="a longer time counts as 270 days")
    assert said.describe_stay(released(row, mean)) == ("Half of the cases were closed within 87 days of the first contact (95% CI 79 to 93). 10 more ended on a day that was not recorded. "
                                                       "On average a case stays open for 97.7 days (95% CI 91.6 to 103); a longer time counts as 270 days.")
    assert "was not reached" in said.describe_stay(released(row | dict(estimate=None, conf_low=None, conf_high=None)))
    assert said.describe_stay(released(row | dict(n=0, estimate=None))).startswith("Cannot be answered: needs referrals with a first_contact_date and a closed_date")


def test_differences_are_said_without_a_p_value_alone():
    note = "1 degree of freedom, p = 0.03: if the groups did not differ, chance alone would show a difference of this size or more in about 3 of 100 such comparisons"
    text = said.describe_comparison(released(dict(measure="log_rank_first_contact", group="log_rank", level="imd_quintile", estimate=4.7, note=note)))
    assert text.startswith("How often would chance alone show differences as large as these, if the groups did not differ? By deprivation (1 = most deprived fifth), in about 3 of 100 such comparisons.")
    assert "p =" not in text and "significant" not in text


def test_ratios_are_said_where_their_interval_leaves_out_1():
    rows = [dict(measure="hazard_ratio_first_contact", group="sex", level="male", estimate=0.6, conf_low=0.5, conf_high=0.8, note="compared with female", unit="ratio"),
            dict(measure="hazard_ratio_first_contact", group="source", level="self", estimate=1.1, conf_low=0.8, conf_high=1.4, note="compared with gp", unit="ratio"),
            dict(measure="proportional_hazards", estimate=1.2, note="the data show no sign that the ratios differ between early and late in the wait; 2 degrees of freedom, p = 0.5")]
    text = said.describe_ratios(released(*rows))
    assert "sex, male: later, ratio 0.60 (95% CI 0.50 to 0.80), compared with female." in text and "source" not in text
    assert text.endswith("Check of the model: the data show no sign that the ratios differ between early and late in the wait.")
    assert "no group was clearly seen sooner or later" in said.describe_ratios(released(*rows[1:]))
    assert said.describe_ratios(released(dict(measure="hazard_ratio_first_contact", note="3 events are too few."))) == "Not modelled: 3 events are too few."
    assert list(said.ratio_rows(released(*rows)).level) == ["sex: male", "source: the person themselves"]


def test_what_happened_first_is_said_and_drawn_as_bands_that_add_up():
    rows = [dict(measure="first_event_within_14_days", group="first_event", level="seen", estimate=0.4, conf_low=0.35, conf_high=0.45, unit="proportion"),
            dict(measure="first_event_within_14_days", group="first_event", level="ended unseen", estimate=0.1, conf_low=0.05, conf_high=0.15, unit="proportion")]
    assert said.describe_first_events(released(*rows)).startswith("Of everybody referred, by day 14, 40% (95% CI 35% to 45%) had been seen and 10% (95% CI 5% to 15%) had declined or been closed unseen.")
    curve = pd.DataFrame(dict(measure="first_event", group="first_event", level=["seen", "seen", "ended unseen"], days=[5, 20, 10], n_at_risk=[100, 50, 80], estimate=[0.2, 0.6, 0.1]))
    ax = plot_first_events(curve, marks=[14])
    tops = [collection.get_paths()[0].vertices[:, 1].max() for collection in ax.collections]
    assert tops == pytest.approx([60, 70]) and {"seen\n60%", "ended unseen\n10%", "still waiting", "14 days"} <= {t.get_text() for t in ax.texts}
    assert said.alt_of_first_events(curve).endswith("by day 20 60% seen and 10% ended unseen; the rest were waiting.")


def test_curves_of_levels_with_hardly_a_step_are_left_out_and_at_most_five_are_drawn():
    curve = pd.concat([pd.DataFrame(dict(level=str(i), days=[0, 5, 9], n_at_risk=[100 - i, 60, 50], estimate=[0, 0.2, 0.5])) for i in range(7)] +
                      [pd.DataFrame(dict(level=["missing"] * 2, days=[0, 8], n_at_risk=[500, 90], estimate=[0.0, 0.4]))])
    assert list(dict.fromkeys(said.curve_rows(curve).level)) == ["0", "1", "2", "3", "4"]


def test_numbers_at_risk_of_every_line_stand_under_the_curve():
    waits = pd.DataFrame({"days_observed": [float(i % 40) for i in range(400)], "was_closed": True, "sex": ["a", "b"] * 200})
    curve = release_curve(time_to_closure(waits, by="sex"), RULES["nhse_1_7_round5"])
    ax = plot_curve(curve)
    words = [t.get_text() for t in ax.texts]
    assert "still open, by the days above:" in words and words.count("200") == 2 and {"a", "b"} <= set(words) and ax.get_ylabel() == "closed (%)"
    assert wording.alt_of_curve(curve).startswith("Share of cases closed: a: ")


# ---- staying --------------------------------------------------------------------------------------------------------------

def test_contacts_gaps_and_sessions_are_said():
    made = contacts_per_person(pd.DataFrame({"contacts": [0.0] * 20 + [1.0] * 20 + [2.0] * 40 + [4.0] * 20}))
    text = said.describe_contacts_had(release(made, RULES["nhse_1_7_round5"]))
    assert text.startswith("People who were seen had 2.2 contacts on average (95% CI 2.0 to 2.5); half had 2 or fewer. Of everybody referred, 80% ") and "20% (95% CI 13% to 29%) had at least 4" in text
    gap = released(dict(measure="median_days_between_contacts", estimate=20, conf_low=18, conf_high=22, unit="days"))
    assert said.describe_gaps(gap) == "Half of the gaps between one contact and the next were 20 days or shorter (95% CI 18 to 22)."
    assert said.describe_gaps(gap.assign(estimate=float("nan"), suppressed=True)) == wording.NOT_SHOWN
    sessions = [dict(measure="sessions_attended_per_100", group=g, level=level, estimate=e, conf_low=e - 5, conf_high=e + 5, unit="per 100 offered")
                for g, level, e in (("all", "all", 60.0), ("activity_type", "arts", 70.0), ("activity_type", "courses", 50.0))]
    assert said.describe_sessions(released(*sessions)).startswith("Of 100 sessions offered, 60 were attended (95% CI 55 to 65). Fewest in courses (50, 95% CI 45 to 55), most in ")


def test_the_drop_out_curve_draws_its_table_and_a_star_for_what_is_hidden():
    table = release(contacts_per_person(pd.DataFrame({"contacts": [1.0] * 40 + [2.0] * 40 + [3.0] * 3})), RULES["nhse_1_7_round5"])
    ax = plot_drop_out(table)
    assert [t.get_text() for t in ax.texts] == ["100%", "53%", "*"] and list(ax.get_xticks()) == [1, 2, 3]


def test_the_calendar_is_said():
    rows = [dict(measure="referrals_by_weekday", group="weekday", level=day, estimate=e, conf_low=e - 0.05, conf_high=e + 0.05, unit="proportion") for day, e in (("Monday", 0.3), ("Friday", 0.1))]
    assert said.describe_calendar(released(*rows)) == "Referrals by weekday: most on Monday (30%, 95% CI 25% to 35%), fewest on Friday (10%, 95% CI 5% to 15%)."
    assert said.describe_calendar(released(*(row | dict(estimate=0.2, conf_low=0.1, conf_high=0.3) for row in rows))) == "Referrals by weekday: about as many in each."
    assert "the dates are months" in said.describe_calendar(released(dict(measure="referrals_by_weekday", note="the dates are months, not days")))


# ---- what is never said ---------------------------------------------------------------------------------------------------

CASE = st.tuples(st.one_of(st.none(), st.integers(0, 700)), st.one_of(st.none(), st.integers(0, 60)), st.one_of(st.none(), st.integers(0, 200)), st.sampled_from(["gp", "self", None]),
                 st.one_of(st.none(), st.integers(0, 5)))


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.lists(CASE, max_size=80), st.integers(1, 3), st.sampled_from(list(RULES.values())))
def test_no_sentence_about_any_data_has_a_missing_number_or_a_word_that_is_never_said(rows, times, rule):
    cases = pd.DataFrame(rows * times, columns=["made", "wait", "stay", "source", "contacts"]).astype({"made": float, "wait": float, "stay": float, "contacts": float})
    made = DAY("2024-01-01") + pd.to_timedelta(cases["made"], unit="D")
    seen = made + pd.to_timedelta(cases["wait"], unit="D")
    closed = (seen + pd.to_timedelta(cases["stay"], unit="D"))
    table = pd.DataFrame({"referral_date": made, "first_contact_date": seen, "closed_date": closed, "has_ended": False})
    waits = pd.DataFrame({"days_observed": cases["wait"].fillna(100).mask(cases["made"].isna()), "was_seen": cases["wait"].notna(), "was_closed": cases["stay"].notna(),
                          "source": cases["source"].astype("string"), "age": cases["contacts"] * 10, "event": cases["wait"].notna().astype(int).mask(cases["stay"].isna() & cases["wait"].isna(), 2)})
    show = partial(release, rule=rule)
    counts = [activity_per_month(table, pd.DataFrame({"contact_date": seen}), (None, None), DAY("2026-06-30"), every) for every in ("month", "quarter")]
    charts = show(control_charts(counts, show, [(DAY("2024-09-10"), "x")], {"closures": "up"}))
    texts = [said.describe_referrals(charts), *(said.describe_control(charts, m) for m in said.charted(charts)), *(said.alt_of_control(said.chart_rows(charts, m)) for m in said.charted(charts)),
             said.describe_comparison(show(compare_waits(waits, ["source"]))), said.describe_ratios(show(wait_ratios(waits, ("source", "age")))),
             said.describe_first_events(show(first_event_within(waits, [14]))), said.alt_of_first_events(release_curve(first_event_curve(waits), rule)),
             said.describe_stay(show(stack_results(median_wait(waits, event="closure"), mean_wait(waits, 60, event="closure")))),
             said.describe_contacts_had(show(contacts_per_person(cases))), said.describe_calendar(show(stack_results(weekdays(made, "referrals"), seasons(show(counts[0]))))),
             said.describe_gaps(show(time_between_contacts(waits.assign(referral_id=range(len(waits)), came_again=waits["was_seen"])))),
             said.describe_sessions(show(sessions_used(pd.DataFrame({"activity_type": cases["source"], "sessions_offered": cases["wait"], "sessions_attended": cases["contacts"]}))))]
    for text in texts:
        assert text and text[0].isupper() and text.endswith(".") and ".." not in text, text
        assert not re.search(r"\b(nan|NaN|NaT|inf|None|significant|effect|works)\b", text), text
    for curve in (time_to_first_contact(waits, by="source"), time_to_closure(waits)):
        plot_curve(release_curve(curve, rule))
    for measure in said.charted(charts):
        plot_control(said.chart_rows(charts, measure))
    plt.close("all")
