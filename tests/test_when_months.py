"""Counts month by month and their control charts."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sprx.disclosure import RULES, release
from sprx.metrics.when import activity_per_month, control_charts
from sprx.stats.spc import xmr

DAY = pd.Timestamp
PERIOD = (DAY("2024-01-01"), DAY("2024-06-30"))
NO_CONTACTS = pd.DataFrame({"contact_date": pd.to_datetime([])})


def referrals_of(*rows, ended=None):
    """(made, seen, closed) as text or None."""
    table = pd.DataFrame(rows, columns=["referral_date", "first_contact_date", "closed_date"]).apply(pd.to_datetime)
    return table.assign(has_ended=ended if ended is not None else False)


def levels(table, measure, group="month"):
    rows = table[(table.measure == measure) & (table.group == group)].set_index("level")
    return rows.estimate.to_dict()


def many(counts, start="2024-01"):
    """Referrals of which so many are made in each month, each on its tenth day."""
    months = pd.period_range(start, periods=len(counts), freq="M").start_time + pd.Timedelta(days=9)
    made = np.repeat(months, counts)
    return pd.DataFrame({"referral_date": made, "first_contact_date": pd.NaT, "closed_date": pd.NaT, "has_ended": False})


def charted(counts, rule="none", rebase=(), better=None):
    last = (pd.Period("2024-01", "M") + len(counts) - 1).end_time.normalize()
    tables = [activity_per_month(many(counts), NO_CONTACTS, (DAY("2024-01-01"), last), last, every) for every in ("month", "quarter")]
    table = control_charts(tables, partial(release, rule=RULES[rule]), rebase, better)
    return table[table.measure.str.startswith("referrals")]


# ---- counts ---------------------------------------------------------------------------------------------------------------

def test_each_thing_is_counted_in_the_month_in_which_it_happens():
    table = activity_per_month(referrals_of(("2024-01-05", "2024-02-01", "2024-04-30"), ("2024-01-31", None, "2024-02-29"), ("2024-03-01", "2024-03-01", None)),
                               pd.DataFrame({"contact_date": pd.to_datetime(["2024-02-01", "2024-03-01", "2024-03-15"])}), PERIOD, DAY("2024-12-31"))
    months = [f"2024-{m:02d}" for m in range(1, 7)]
    assert levels(table, "referrals") == dict(zip(months, [2, 0, 1, 0, 0, 0])) and levels(table, "first_contacts") == dict(zip(months, [0, 1, 1, 0, 0, 0]))
    assert levels(table, "closures") == dict(zip(months, [0, 1, 0, 1, 0, 0])) and levels(table, "contacts") == dict(zip(months, [0, 1, 2, 0, 0, 0]))
    assert levels(table, "caseload") == dict(zip(months, [2, 1, 2, 1, 1, 1]))          # at the end of the month: closed on its last day is closed


def test_a_case_from_before_the_period_is_open_and_closed_in_it_but_no_referral_of_it():
    table = activity_per_month(referrals_of(("2023-11-05", "2023-12-01", "2024-02-10"), ("2024-01-05", None, None)), NO_CONTACTS, PERIOD, DAY("2024-12-31"))
    assert levels(table, "referrals", "all") == {"all": 1} and levels(table, "closures", "all") == {"all": 1}
    assert list(levels(table, "caseload").values()) == [2, 1, 1, 1, 1, 1]
    assert table[table.measure == "referrals_outside_period"].estimate.item() == 1 and "first_contacts" not in set(table.measure)
    assert table[(table.measure == "caseload") & (table.group == "all")].note.item() == ""


def test_where_no_earlier_case_is_held_the_caseload_says_that_it_begins_with_nothing():
    table = activity_per_month(referrals_of(("2024-01-05", None, "2024-01-20")), NO_CONTACTS, PERIOD, DAY("2024-12-31"))
    assert table[(table.measure == "caseload") & (table.group == "all")].note.item().startswith("no case from before 2024-01-01 is in the data")


def test_nothing_is_counted_after_the_extract_and_its_month_is_held_in_part():
    table = activity_per_month(referrals_of(("2024-01-05", None, "2024-01-20"), ("2024-03-02", None, None)), NO_CONTACTS, PERIOD, DAY("2024-03-15"))
    rows = table[(table.measure == "referrals") & (table.group == "month")]
    assert list(rows.level) == ["2024-01", "2024-02", "2024-03"] and list(rows.note) == ["", "", "part of a month"]
    assert list(levels(table, "caseload")) == ["2024-01", "2024-02"]                   # a month end that is not known has no caseload


def test_a_case_that_ended_on_an_unknown_day_is_in_no_caseload():
    table = activity_per_month(referrals_of(("2024-01-05", None, "2024-01-20"), ("2024-01-06", None, None), (None, None, None), ended=[False, True, False]),
                               NO_CONTACTS, PERIOD, DAY("2024-12-31"))
    row = table[(table.measure == "caseload") & (table.group == "all")].iloc[0]
    assert (row.estimate, row.n_missing) == (0, 2)
    assert table[(table.measure == "referrals") & (table.level == "missing")].note.item() == "no referral date"


def test_without_any_closing_day_the_caseload_says_what_it_needs():
    table = activity_per_month(referrals_of(("2024-01-05", None, None)), NO_CONTACTS, PERIOD, DAY("2024-12-31"))
    rows = table[table.measure == "caseload"]
    assert len(rows) == 1 and rows.note.item() == "needs referrals with a closed_date" and rows.n_missing.item() == 1


@pytest.mark.parametrize("referrals", [referrals_of(), referrals_of((None, None, None)), referrals_of(("2024-02-01", None, None))])
def test_no_referral_an_undated_one_and_a_single_one_are_counted(referrals):
    for every in ("month", "quarter"):
        table = activity_per_month(referrals, NO_CONTACTS, (None, None), None, every)
        assert levels(table, "referrals", "all") == {"all": len(referrals)}
        control_charts([table], partial(release, rule=RULES["nhse_1_7_round5"]))


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 400), st.one_of(st.none(), st.integers(0, 200)), st.one_of(st.none(), st.integers(0, 300))), max_size=40))
def test_open_cases_grow_by_what_is_made_and_shrink_by_what_is_closed(rows):
    start = DAY("2023-06-01")
    plus = lambda day, more: None if more is None else day + pd.Timedelta(days=more)
    made = [start + pd.Timedelta(days=m) for m, _, _ in rows]
    table = activity_per_month(referrals_of(*[(m, plus(m, s), plus(m, c)) for m, (_, s, c) in zip(made, rows)]), NO_CONTACTS, (DAY("2023-06-01"), DAY("2024-05-31")), None)
    caseload = pd.Series(levels(table, "caseload"), dtype=float)
    if len(caseload):
        made, closed = (pd.Series(levels(table, name), dtype=float).reindex(caseload.index, fill_value=0) for name in ("referrals", "closures"))
        flow = made - closed
        assert (caseload.diff().fillna(caseload.iloc[0]) == flow[caseload.index]).all()
    for measure in ("referrals", "closures", "first_contacts"):
        assert sum(levels(table, measure).values()) == levels(table, measure, "all").get("all", 0)


# ---- charts ---------------------------------------------------------------------------------------------------------------

COUNTS = [20, 24, 22, 26, 21, 25, 23, 22, 24, 20, 25, 22, 26, 21]


def test_the_lines_of_a_chart_are_those_of_xmr_to_one_decimal():
    table, chart = charted(COUNTS), xmr(COUNTS)
    lines = table[table.group == "phase"].set_index("measure").estimate
    assert dict(lines) == {"referrals_centre_line": round(chart.centre[0], 1), "referrals_lower_limit": round(chart.lower[0], 1), "referrals_upper_limit": round(chart.upper[0], 1)}
    assert set(table[table.group == "phase"].level) == {"2024-01 to 2025-02"} and (table[table.group == "month"].note == "").all()


def test_a_special_cause_is_said_in_the_note_of_its_month():
    notes = charted(COUNTS + [40]).set_index("level").note
    assert notes["2025-03"] == "special cause: above the limits" and (notes.drop("2025-03") == "").all()
    run = charted([10, 40] * 6 + [24] * 8, better={"referrals": "up"})
    assert set(run[run.level.between("2025-01", "2025-08")].note) == {"special cause: 8 months in a row below the mean (concern)"}


def test_a_limit_of_a_count_is_never_below_nought():
    lines = charted([0, 9, 1, 8, 0, 9, 2, 0]).set_index("measure").estimate
    assert lines["referrals_lower_limit"] == 0


def test_a_rebase_begins_a_phase_and_says_what_changed():
    table = charted([10, 12] * 6 + [30, 33] * 6, rebase=[(DAY("2025-01-15"), "second link worker")])
    phases = table[table.group == "phase"].drop_duplicates("level").set_index("level").note
    assert dict(phases) == {"2024-01 to 2024-12": "", "2025-01 to 2025-12": "begins anew: second link worker"}
    short = charted([10, 12] * 6 + [30, 33] * 4, rebase=[(DAY("2025-01-01"), "")])
    assert short[short.group == "phase"].note.iloc[-1] == "trial limits: 8 months; begins anew: the service changed"


def test_too_few_months_have_no_limits_and_no_flags_but_a_reason():
    table = charted([10, 11, 10, 11, 60])                       # outside the limits, were there any
    phases = table[table.group == "phase"]
    assert phases.estimate.isna().all() and set(phases.note) == {"5 months are too few for limits; they take 6"} and (table[table.group == "month"].note == "").all()


def test_where_months_are_alike_there_is_a_mean_but_no_limit_and_no_flag():
    table = charted([10] * 11 + [40])
    phases = table[table.group == "phase"].set_index("measure")
    assert phases.estimate["referrals_centre_line"] == 12.5 and phases.estimate[["referrals_lower_limit", "referrals_upper_limit"]].isna().all()
    assert set(phases.note) == {"no limits: most months are alike"} and (table[table.group == "month"].note == "").all()


def test_a_month_held_in_part_is_in_no_limit_and_has_no_flag():
    full = activity_per_month(many(COUNTS + [1]), NO_CONTACTS, (DAY("2024-01-01"), DAY("2025-03-20")), DAY("2025-03-20"))
    table = control_charts([full], partial(release, rule=RULES["none"]))
    rows = table[table.measure.str.startswith("referrals")].set_index(["measure", "level"])
    assert rows.note["referrals", "2025-03"] == "part of a month"
    assert rows.estimate["referrals_centre_line", "2024-01 to 2025-02"] == round(np.mean(COUNTS), 1)


@pytest.mark.parametrize("rule", ["nhse_1_7_round5", "suppress_lt5", "suppress_lt10"])
def test_no_line_and_no_flag_depends_on_a_count_that_is_hidden(rule):
    # every value of two hidden months leads to the same release of everything else
    seen = {release(charted(COUNTS[:6] + [a, b] + COUNTS[6:], rule), RULES[rule]).drop(columns=["n_missing"])
            .query("measure != 'referrals' or group == 'month'").to_csv() for a, b in ((1, 4), (4, 1), (2, 3))}
    assert len(seen) == 1


def test_where_too_many_months_are_hidden_quarters_are_charted():
    table = charted([4, 5, 6] * 8, "nhse_1_7_round5")
    assert set(table.group) == {"all", "quarter", "phase"} and list(table[table.group == "quarter"].level)[:2] == ["2024 Q1", "2024 Q2"]
    assert set(table[table.group == "phase"].level) == {"2024 Q1 to 2025 Q4"} and table[table.group == "phase"].unit.iloc[0] == "referrals a quarter"
    few = charted(COUNTS + [3], "nhse_1_7_round5")              # one hidden month of fifteen, and one more for it
    assert "month" in set(few.group)


@pytest.mark.parametrize("hidden, spell", [(3, "month"), (4, "quarter")])
def test_up_to_a_fifth_of_the_months_may_be_hidden_before_quarters_are_charted(hidden, spell):
    last = DAY("2025-03-31")                                    # 15 months, of which 3 are a fifth
    tables = [activity_per_month(many(COUNTS + [20]), NO_CONTACTS, (DAY("2024-01-01"), last), last, every) for every in ("month", "quarter")]
    table = control_charts(tables, lambda t: t.assign(suppressed=t.level.isin([f"2024-{m:02d}" for m in range(1, hidden + 1)])))
    assert set(table[table.measure == "referrals"].group) == {"all", spell}


def test_open_cases_are_blunted_where_exact_counts_would_give_a_hidden_closure_back():
    rows = many([20] * 6)
    rows["closed_date"] = pd.Series(pd.to_datetime(["2024-03-20"] * 3 + ["2024-04-20"] * 30)).reindex(rows.index)
    table = activity_per_month(rows, NO_CONTACTS, PERIOD, DAY("2024-06-30"))
    out = release(table, RULES["suppress_lt5"])
    caseload = out[(out.measure == "caseload") & (out.group == "month")].estimate.dropna()
    assert (caseload % 5 == 0).all() and set(levels(table, "caseload").values()) == {20, 40, 57, 47, 67, 87}
    assert (release(table, RULES["none"]).query("measure == 'caseload'").estimate % 5 != 0).any()


def test_a_million_referrals_are_counted_and_charted_quickly():
    import time

    rng = np.random.default_rng(1)
    n = 1_000_000
    made = DAY("2020-01-01") + pd.to_timedelta(rng.integers(0, 1800, n), unit="D")
    rows = pd.DataFrame({"referral_date": made, "first_contact_date": made + pd.Timedelta(days=10), "closed_date": made + pd.Timedelta(days=90), "has_ended": True})
    began = time.process_time()
    tables = [activity_per_month(rows, pd.DataFrame({"contact_date": made}), (None, None), DAY("2025-06-30"), every) for every in ("month", "quarter")]
    control_charts(tables, partial(release, rule=RULES["nhse_1_7_round5"]))
    assert time.process_time() - began < 10       # 2 s here
