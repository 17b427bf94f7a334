"""Use of services month by month around the start: event study, the time before, a placebo, and one interrupted series."""

import numpy as np
import pandas as pd

from sprx.errors import DataError
from sprx.metrics.impact.use_cells import (ARMS, EFFECT, PER_YEAR, RUN_UP, YEARLY, by_arm, cell_rates, clusters_in_words, count_people, not_comparable,
                                           one_service, people_with, plain, rates_in_words, ratio_row)
from sprx.results import result_table
from sprx.stats.series import segmented

FEWEST_REFERENCE = 3            # months before the run-up, or the month before the start is what others are held against
BLOCK = 3                       # months together in the test of the time before: single months hold few uses
METHOD = "difference-in-differences of log rates, limits robust by {by}, t"
NOT_ALIKE = ("one series cannot tell the scheme from what would have happened anyway: people come when they use services most, and would have "
             "used fewer afterwards without it")


# ---- with a comparison --------------------------------------------------------------------------------------------------------

def use_event_study(months, service, weights=None, conf_level=0.95):
    """The arms' ratio of rates in each month around the start, by the same ratio in the reference months.

    Parameters
    ----------
    months : DataFrame, one row per person, service and month
        As `cohort.use.service_months` gives it.
    service : str
    weights : Series by person_id, optional

    Returns
    -------
    DataFrame
        Result layout: use_event_study_<service> (group month_from_start, level = the month; the month of the start, which belongs to neither side,
        is left out); use_pre_trend_<service> (the ratio's change per month before the start, and in the note how often chance alone would give such
        differences); use_placebo_<service> (the earlier months split half-way, as if the start had been there). 1 = the arms moved alike.
        n = people of both arms with observed months on both sides, of them those observed in the month.

    Notes
    -----
    Reference: the months before -3, or month -1 where fewer than 3 of those were observed; each note says which. The test of the time before takes
    months in threes, weighted by their uses.
    """
    part = one_service(months, service, weights)
    kept = people_with(part, part["month"].lt(0), part["month"].gt(0))
    base = dict(unit="ratio", conf_level=conf_level, method=METHOD.format(by="person" if part["cluster"].nunique() == part["person"].nunique() else "cluster"),
                n=count_people(part, kept), n_missing=count_people(part) - count_people(part, kept), group="all", level="all")
    why = not_comparable(part)
    if why:
        rows = [base | dict(measure=measure, note=f"not estimated: {why}") for measure in ("use_event_study", "use_pre_trend", "use_placebo")]
    else:
        rows = _event_rows(part, kept, base) + [_pre_trend_row(part, kept, base), _placebo_row(part, kept, base)]
    table = result_table(rows)
    return table.assign(measure=table["measure"] + f"_{service}")


def _event_rows(part, kept, base):
    """One row per month but that of the start."""
    there = part[kept & part["exposure"].gt(0).to_numpy()]
    earlier = np.sort(there.loc[there["month"].lt(-RUN_UP), "month"].unique())
    reference = earlier if len(earlier) >= FEWEST_REFERENCE else np.array([-1])
    words = f"against months {reference[0]} to {reference[-1]}" if len(reference) > 1 else "against month -1"
    # the reference months come twice: once each for itself, once together
    again = there[there["month"].isin(reference)]
    both = pd.concat([there, again], ignore_index=True)
    names = np.append("month " + there["month"].astype(str).to_numpy(object), np.repeat("reference months", len(again)))
    rates = cell_rates(both, by_arm(both, names), np.ones(len(both), dtype=bool))
    observed = there.groupby("month")["person"].nunique()
    total = base["n"] + base["n_missing"]
    rows = []
    for month in observed.index[observed.index != 0]:
        row = base | dict(measure="use_event_study", group="month_from_start", level=str(month), n=int(observed[month]), n_missing=total - int(observed[month]),
                          note=words)
        lines = {f"scheme, month {month}": 1, f"comparison, month {month}": -1, "scheme, reference months": -1, "comparison, reference months": 1}
        rows.append(ratio_row(rates, lines, base["conf_level"], row))
    return rows


def _pre_trend_row(part, kept, base):
    """How the arms' ratio moved before the start: slope per month, and a joint test of the blocks of months."""
    row = base | dict(measure="use_pre_trend")
    block = np.floor_divide(part["month"].to_numpy(), BLOCK)
    names = np.where(part["month"].lt(0), pd.Series(block).map(_block_name), None)
    rates = cell_rates(part, by_arm(part, names), kept)
    cells = rates[0].cells
    before = part[kept & part["month"].lt(0).to_numpy() & part["exposure"].gt(0).to_numpy()]
    middle = before.groupby(np.floor_divide(before["month"].to_numpy(), BLOCK))["month"].mean()
    events = {b: [cells["events"].get(f"{arm}, {_block_name(b)}", 0.0) for arm in ARMS] for b in middle.index}
    usable = [b for b in middle.index if min(events[b]) > 0]
    if len(usable) < 2:
        return row | dict(note=f"not estimated: before the start both arms used the service in {len(usable)} blocks of {BLOCK} months; at least 2 are needed")
    weight = np.array([1 / sum(1 / n for n in events[b]) for b in usable])
    x = middle[usable].to_numpy()
    x = x - np.average(x, weights=weight)
    slope = weight * x / np.sum(weight * x ** 2)
    found = ratio_row(rates, _lines(usable, slope), base["conf_level"], row)
    test = rates[0].joint([_lines([b, usable[0]], [1, -1]) for b in usable[1:]])
    chance = f"{plain(test['why'])}, so no test" if test["why"] else f"differences between blocks of {BLOCK} months as large as these come by chance alone {_often(test['p'])}"
    return found | dict(note=found["note"] or f"change of the arms' ratio per month, months {before['month'].min()} to -1; {chance}{clusters_in_words(part)}")


def _block_name(block):
    return f"months {block * BLOCK} to {block * BLOCK + BLOCK - 1}"


def _lines(blocks, weights):
    """A weighted sum of the arms' log ratios."""
    return {f"{arm}, {_block_name(b)}": sign * w for b, w in zip(blocks, weights) for arm, sign in zip(ARMS, (1, -1))}


def _often(p):
    """A probability in words."""
    return "less than once in 100 times" if p < 0.01 else f"{100 * p:.0f} times in 100"


def _placebo_row(part, kept, base):
    """The months before the start as if it had been half-way through them."""
    row = base | dict(measure="use_placebo")
    before = part[kept & part["month"].lt(0).to_numpy() & part["exposure"].gt(0).to_numpy()]
    first = int(before["month"].min()) if len(before) else 0
    if first > -4:
        return row | dict(note="not estimated: fewer than 4 months before the start were observed")
    half = first // 2               # of -12 to -1: -12 to -7, then -6 to -1
    month = part["month"].to_numpy()
    names = np.where(month < half, "before", np.where(month < 0, "after", None))
    rates = cell_rates(part, by_arm(part, names), kept & people_with(part, month < half, (month < 0) & (month >= half)))
    note = f"as if the start had been at month {half}: months {first} to {half - 1} against {half} to -1; {rates_in_words(rates)}"
    return ratio_row(rates, EFFECT, base["conf_level"], row | dict(note=note))


# ---- one series ---------------------------------------------------------------------------------------------------------------

def use_series(months, service, season=None, conf_level=0.95):
    """Monthly use of the scheme's own people around the start as an interrupted series.

    Parameters
    ----------
    months : DataFrame, one row per person, service and month
        As `cohort.use.service_months` gives it.
    service : str
    season : int, optional
        Months in a year, where the months from the start are also months of the year (everybody started in the same one).

    Returns
    -------
    DataFrame
        Result layout: use_series_level_<service> and use_series_slope_<service> (ratios: the step, and the change of slope per month), and by month
        (group month_from_start) use_series_<service> (observed, uses a person a year) and use_series_expected_<service> (the line of the time before,
        carried on). n = people with an observed month. The fit leaves out months -3 to 0.

    References
    ----------
    `stats.series.segmented`: quasi-Poisson with the person-months as exposure.
    """
    part = one_service(months, service)
    part = part[part["own"]]
    line = _by_month(part, part["month"].to_numpy())
    fitted = line[~line["time"].between(-RUN_UP, 0)]
    rows = _series_rows(part, line, fitted, dict(at=0, season=season, conf_level=conf_level, group="month_from_start", step=f"months -{RUN_UP} to 0 are left out"))
    return _named(rows, "use_series", service)


def calendar_series(months, service, at, season=12, conf_level=0.95):
    """Use of the scheme's own people by calendar month, before and after the month in which the scheme began.

    Parameters
    ----------
    months : DataFrame, one row per person, service and month
        As `cohort.use.service_months` gives it, with `before` and `after` long enough that the same people are there all the time.
    service : str
    at : date
        When the scheme began; its month counts as after.
    season : int
        Months in a year: a season is fitted where there are 24 months.

    Returns
    -------
    DataFrame
        As `use_series`, with use_calendar_ in place of use_series_ and group calendar_month (level 2024-05).
    """
    part = one_service(months, service)
    days = pd.Series(months.loc[months["service"].eq(service), "calendar"].to_numpy(), dtype="datetime64[ns]")
    part = part.assign(on=(days.dt.year * 12.0 + days.dt.month - 1))[part["own"] & days.notna()]
    line = _by_month(part, part["on"].to_numpy())
    at = pd.Timestamp(at)
    rows = _series_rows(part, line, line, dict(at=at.year * 12 + at.month - 2, season=season, conf_level=conf_level, group="calendar_month",
                                               step=f"the scheme began in {at:%Y-%m}"))
    return _named(rows, "use_calendar", service)


def _named(rows, measure, service):
    table = result_table(rows)
    return table.assign(measure=measure + table["measure"] + f"_{service}")


def _by_month(part, time):
    """time, count, exposure, n, users: one row per month."""
    seen = part["exposure"].to_numpy() > 0
    part = part[seen].assign(time=time[seen])
    sums = part.groupby("time").agg(count=("count", "sum"), exposure=("exposure", "sum"), n=("person", "nunique"))
    return sums.assign(users=part[part["count"].gt(0)].groupby("time")["person"].nunique()).fillna(0.0).reset_index()


def _series_rows(part, line, fitted, spec):
    """Rows of the level, the slope, each month's observed rate, and what was expected."""
    n, total, points = count_people(part, part["exposure"].gt(0)), count_people(part), []
    base = dict(conf_level=spec["conf_level"], n=n, n_missing=total - n, group="all", level="all", unit="ratio")
    try:
        found = segmented(fitted["count"], fitted["time"], spec["at"], fitted["exposure"], spec["season"], conf_level=spec["conf_level"])
    except DataError as problem:
        points = [base | dict(measure=measure, note=f"not estimated: {problem}") for measure in ("_level", "_slope")]
        found = None
    if found:
        words = (f"{found.n_before} months before and {found.n_after} after, {spec['step']}; {'with' if found.seasonal else 'no'} season; dispersion "
                 f"{found.dispersion:.2g}; neighbouring months' residuals correlate {found.autocorrelation:.2f}; {NOT_ALIKE}")
        few = dict(method=f"segmented regression ({found.method}), t limits", numerator=float(part.loc[part["count"].gt(0), "person"].nunique()) or None, note=words)
        points = [base | few | dict(measure=f"_{term}") | found.ratio(term) for term in ("level", "slope")]
        points[1]["note"] = f"change of the slope per month; {words}"
    base |= dict(unit=YEARLY, group=spec["group"])
    expected = found.points[found.points["after"]].set_index("time") if found else pd.DataFrame(index=[])
    for row in line.itertuples():
        here = base | dict(level=_month_name(row.time, spec["group"]), n=row.n, n_missing=total - row.n, numerator=row.users)
        points.append(here | dict(measure="", estimate=row.count / row.exposure * PER_YEAR, method="uses by person-months"))
        if row.time in expected.index:
            line_here = expected.loc[row.time, ["expected", "expected_low", "expected_high"]] * PER_YEAR
            points.append(here | dict(measure="_expected", method="the line of the time before, carried on") |
                          dict(zip(("estimate", "conf_low", "conf_high"), line_here)))
    return points


def _month_name(time, group):
    return f"{int(time) // 12}-{int(time) % 12 + 1:02}" if group == "calendar_month" else str(int(time))
