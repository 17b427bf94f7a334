"""Figures draw the released table and nothing else."""

from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from sprx.disclosure import HIDDEN, RULES, release, release_curve
from sprx.metrics.when import time_to_first_contact
from sprx.plots import COMPARISON, SCHEME, house_style, plot_bars, plot_completeness, plot_curve, plot_estimates, plot_months
from sprx.results import RESULT_COLUMNS, result_table


@pytest.fixture(autouse=True)
def no_figure_is_left_behind():
    yield
    plt.close("all")


def released(*rows):
    return result_table([dict(group="sex", level="all", conf_level=0.95, unit="points", measure="paired_change") | row for row in rows])[RESULT_COLUMNS]


SHARES = released(dict(measure="uptake", unit="proportion", level="female", n=40, n_missing=0, estimate=0.6, conf_low=0.45, conf_high=0.74),
                  dict(measure="uptake", unit="proportion", level="male", n=20, n_missing=0, estimate=0.35, conf_low=0.18, conf_high=0.57),
                  dict(measure="uptake", unit="proportion", level="missing", suppressed=True, note=HIDDEN))
ARMS = released(dict(group="arm", level="scheme", n=35, n_missing=0, estimate=-4.2, conf_low=-5.3, conf_high=-3.1),
                dict(group="arm", level="comparison", n=30, n_missing=0, estimate=-1.1, conf_low=-2.4, conf_high=0.2))


def tick_labels(ax):
    return [label.get_text().replace("\n", " ") for label in ax.get_yticklabels()]


def lines(ax, marker=None):
    """The (x, y) of every line drawn, or of every point with one of the markers."""
    return [(list(np.atleast_1d(line.get_xdata()).astype(float)), list(np.atleast_1d(line.get_ydata()).astype(float))) for line in ax.lines
            if (line.get_marker() in marker if marker else line.get_marker() in ("None", "", None))]


# ---- points and intervals -------------------------------------------------------------------------------------------------

def test_a_point_and_an_interval_stand_where_the_table_says():
    ax = plot_estimates(ARMS)
    assert lines(ax, marker=("o", "D")) == [([-4.2], [0]), ([-1.1], [1])]
    assert lines(ax) == [([-5.3, -3.1], [0, 0]), ([-2.4, 0.2], [1, 1])]
    assert tick_labels(ax) == ["scheme (n=35)", "comparison (n=30)"] and ax.get_xlabel() == "paired change (points)"
    assert ax.get_ylim()[0] > ax.get_ylim()[1]                  # the first row is at the top


def test_shares_are_drawn_in_per_cent_on_an_axis_from_nought():
    ax = plot_estimates(SHARES)
    assert lines(ax, marker=("o",)) == [([60], [0]), ([35], [1])] and lines(ax)[0] == ([45, 74], [0, 0])
    assert ax.get_xlabel() == "uptake (%)" and ax.get_xlim() == (0, 100)


@pytest.mark.parametrize("high, end", [(0.09, 10), (0.18, 20), (0.549, 60), (0.56, 100), (1.0, 100)])
def test_an_axis_of_shares_ends_at_a_hundred_unless_all_are_far_from_it(high, end):
    ax = plot_estimates(released(dict(unit="proportion", n=100, n_missing=0, estimate=high - 0.05, conf_low=high - 0.07, conf_high=high)))
    assert ax.get_xlim() == (0, end)


def test_a_hidden_row_says_not_shown_and_draws_nothing():
    ax = plot_estimates(SHARES)
    assert tick_labels(ax) == ["female (n=40)", "male (n=20)", "not recorded (not shown)"]
    assert all(2 not in y for _, y in lines(ax) + lines(ax, marker=("o", "D")))


def test_a_row_without_an_estimate_that_is_not_hidden_is_not_known():
    ax = plot_estimates(released(dict(level="a", n=1, n_missing=4), dict(level="b", n=9, n_missing=0, estimate=1, conf_low=0, conf_high=2)))
    assert tick_labels(ax) == ["a (not known)", "b (n=9)"]


def test_an_open_interval_ends_at_its_estimate():
    ax = plot_estimates(released(dict(n=9, n_missing=0, estimate=9, conf_low=4, conf_high=None)))
    assert lines(ax) == [([4, 9], [0, 0])]


def test_the_arms_differ_in_shape_and_not_in_colour_alone():
    ax = plot_estimates(ARMS)
    points = [line for line in ax.lines if line.get_marker() in ("o", "D")]
    assert [p.get_marker() for p in points] == ["o", "D"] and [p.get_color() for p in points] == [SCHEME, COMPARISON]


def test_the_line_of_no_difference_is_named():
    ax = plot_estimates(ARMS, reference=(0, "no change"))
    assert any(x == [0, 0] for x, _ in lines(ax)) and "no change" in [t.get_text() for t in ax.texts]


def test_a_figure_is_drawn_on_the_axes_given_has_no_title_and_a_new_one_when_none_is():
    _, own = plt.subplots()
    other = plt.figure()                                        # the current figure must not be drawn on
    assert plot_estimates(ARMS, ax=own) is own and own.get_title() == ""
    assert plot_estimates(ARMS).figure not in (other, own.figure) and not other.axes


@pytest.mark.parametrize("label", ["$\\frac$", "£5 or $10 $", "a_b^c", "<b>x</b>", "100%"])
def test_a_label_from_the_data_is_drawn_as_it_is(label):
    with house_style():
        ax = plot_estimates(released(dict(group="practice_code", level=label, n=9, n_missing=0, estimate=1, conf_low=0, conf_high=2)))
        ax.figure.savefig(BytesIO(), format="svg")
    assert tick_labels(ax) == [f"{label} (n=9)"]


# ---- bars, months, curves ---------------------------------------------------------------------------------------------------

def test_bars_are_as_long_as_the_table_says_and_each_has_its_number():
    ax = plot_bars(SHARES)
    assert [bar.get_width() for bar in ax.patches] == [60, 35] and [t.get_text() for t in ax.texts] == ["60%", "35%", "*"]
    assert tick_labels(ax) == ["female", "male", "not recorded"] and ax.get_xlim()[0] == 0 and ax.get_xlabel() == "uptake (%)"


def test_bars_of_counts_have_their_counts():
    ax = plot_bars(released(dict(measure="rows_used", unit="rows", group="table", level="people", n=1250, estimate=1250), dict(measure="rows_used", unit="rows", group="table", level="needs", n=0)))
    assert [t.get_text() for t in ax.texts] == ["1,250", "not known"] and ax.get_xlabel() == "rows used (rows)"


def months(*rows):
    return released(*[dict(measure="referrals", group="month", unit="referrals", n=e, estimate=e, level=level, note=note, suppressed=e is None) for level, e, note in rows])


def test_months_are_drawn_in_their_order_a_part_of_one_hollow_and_a_hidden_one_as_a_star():
    ax = plot_months(months(("2024-01", 20, "part of a month"), ("2024-02", 35, ""), ("2024-03", None, HIDDEN), ("missing", 15, "")))
    line, whole, part = ax.lines[:3]
    assert list(np.nan_to_num(line.get_ydata(), nan=-1)) == [20, 35, -1] and list(part.get_ydata()) == [20] and part.get_markerfacecolor() == "white"
    assert list(whole.get_ydata())[0] == 35 and [t.get_text() for t in ax.texts] == ["*"] and ax.get_ylabel() == "referrals" and ax.get_ylim()[0] == 0


def test_shares_by_month_are_drawn_in_per_cent():
    table = months(("2024-01", 20, ""), ("2024-02", 35, "")).assign(unit="proportion", estimate=[0.5, 1.0])
    assert list(plot_months(table).lines[0].get_ydata()) == [50, 100]


def curve_of(*levels):
    waits = pd.DataFrame([(float(d), d < 40, level) for level in levels for d in range(0, 60, 2)], columns=["days_observed", "was_seen", "sex"])
    return release_curve(time_to_first_contact(waits, by="sex" if len(levels) > 1 else None), RULES["none"])


def test_the_axis_of_ratios_is_as_long_below_one_as_above():
    ax = plot_estimates(released(dict(unit="ratio", n=100, n_missing=0, estimate=1, conf_low=0.4, conf_high=2.5)), reference=(1, "as soon"), log=True)
    assert ax.get_xscale() == "log" and list(ax.get_xticks()) == [0.5, 1, 2] and [t.get_text() for t in ax.get_xticklabels()] == ["0.5", "1", "2"]


def test_a_curve_is_drawn_as_the_table_says_with_its_marks():
    curve = curve_of("all")
    ax = plot_curve(curve, marks=[14, 28])
    assert list(ax.lines[0].get_xdata()) == list(curve.days) and list(ax.lines[0].get_ydata()) == pytest.approx(list(100 * curve.estimate))
    texts = [t.get_text() for t in ax.texts]
    assert {"14", "28 days"} <= set(texts) and "30" in texts and ax.get_ylim() == (0, 100) and ax.get_ylabel() == "seen (%)"
    assert ax.get_legend() is None


def test_every_level_of_a_curve_is_drawn_and_named():
    levels = ["1", "2", "3", "4", "5", "6"]         # five fifths and those with none recorded
    ax = plot_curve(curve_of(*levels))
    assert [t.get_text() for t in ax.get_legend().get_texts()] == levels


def test_completeness_is_drawn_per_column_from_nought_to_a_hundred():
    table = released(dict(measure="completeness", unit="proportion", group="people", level="sex", n=50, n_missing=0, estimate=0.5, conf_low=0.4, conf_high=0.6))
    ax = plot_completeness(table)
    assert tick_labels(ax) == ["people.sex (n=50)"] and ax.get_xlim() == (0, 102) and lines(ax, marker=("o",)) == [([50], [0])]


# ---- the same every time ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("plot, table", [(plot_estimates, SHARES), (plot_bars, SHARES), (plot_months, months(("2024-01", 20, ""))), (plot_curve, curve_of("a", "b")), (plot_completeness, SHARES)],
                         ids=lambda v: getattr(v, "__name__", ""))
def test_a_figure_is_byte_identical_when_it_is_drawn_again_and_leaves_the_style_as_it_was(plot, table):
    def drawn():
        with house_style():
            svg = BytesIO()
            ax = plot(table)
            ax.figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
            plt.close(ax.figure)
        return svg.getvalue()

    before, given = dict(plt.rcParams), table.copy()
    assert drawn() == drawn() and dict(plt.rcParams) == before and not plt.get_fignums()
    pd.testing.assert_frame_equal(table, given)


def test_nothing_drawn_is_a_number_that_the_release_took_away():
    raw = result_table([dict(measure="uptake", group="sex", level=level, n=n, n_missing=0, estimate=x / n, conf_low=0, conf_high=1, numerator=x, denominator=n,
                             unit="proportion", conf_level=0.95) for level, x, n in (("female", 3, 37), ("male", 20, 41), ("other", 11, 33))])
    ax = plot_estimates(release(raw, RULES["nhse_1_7_round5"]))
    drawn = [x for xs, _ in lines(ax) + lines(ax, marker=("o",)) for x in xs]
    assert not np.isclose(drawn, 100 * 3 / 37).any() and not np.isclose(drawn, 100 * 20 / 41).any() and drawn
