"""Counts month by month, and their control charts."""

import numpy as np
import pandas as pd

from sprx.errors import require
from sprx.results import result_table, stack_results

# what is counted, by the date of which column
FLOWS = {"referrals": "referral_date", "first_contacts": "first_contact_date", "closures": "closed_date"}
UNITS = {"referrals": "referrals", "first_contacts": "people", "contacts": "contacts", "closures": "cases", "caseload": "open cases"}
SPELLS = {"month": "M", "quarter": "Q"}
HIDDEN_AT_MOST = 0.2        # of the whole months; with more, quarters are charted if they hide less
POINTS_AT_LEAST = 6         # for limits; fewer would give single counts back, and say little


def referrals_per_month(referrals, period=(None, None), outside=0):
    """Number of referrals in each month, months without any included.

    Parameters
    ----------
    referrals : DataFrame, one row per referral
        Needs referral_date. Undated referrals are the level 'missing'.
    period : (Timestamp or None, Timestamp or None)
        First and last day wanted; a month that the period or the data cover only in part says so in `note`.
    outside : int
        Referrals that were left out because they were made outside the period.

    Returns
    -------
    DataFrame
        Result layout; measure referrals, group month, levels YYYY-MM and 'missing', unit referrals; the row all/all; and, where there are any, referrals_outside_period.
    """
    require(referrals, "referrals", ["referral_date"])
    dates = referrals["referral_date"]
    first, last = (dates.min() if period[0] is None else period[0]), (dates.max() if period[1] is None else period[1])
    extra = [_row("referrals_outside_period", "all", "all", outside)] if outside else []
    return result_table(_counted("referrals", dates, (first, last), "month") + extra)


def activity_per_month(referrals, contacts, period=(None, None), extract_date=None, every="month"):
    """Referrals, first contacts, contacts, closures and open cases of each month.

    Parameters
    ----------
    referrals : DataFrame, one row per referral, whenever made
        Needs referral_date, first_contact_date, closed_date and has_ended (True: over by its status). A case from before the period can be seen,
        closed and open in it.
    contacts : DataFrame, one row per contact at which the person was there
        Needs contact_date.
    period : (Timestamp or None, Timestamp or None)
    extract_date : Timestamp, optional
        Nothing after it is known: months end there. A month that the period or the extract cover only in part says so in `note`.
    every : {'month', 'quarter'}

    Returns
    -------
    DataFrame
        Result layout, as `referrals_per_month`, group `every`; measures referrals, first_contacts, contacts, closures (in the month), and caseload:
        cases referred and not closed by the end of each whole month. A case that ended on an unknown day is in no caseload (n_missing of its
        row all/all). Something of which no date is held has only the row all/all.
    """
    require(referrals, "referrals", [*FLOWS.values(), "has_ended"])
    dated = {name: referrals[column] for name, column in FLOWS.items()} | {"contacts": contacts["contact_date"]}
    days = [day for day in (period[1], extract_date) if day is not None]
    span = (dated["referrals"].min() if period[0] is None else period[0], min(days) if days else pd.to_datetime(pd.Series([part.max() for part in dated.values()])).max())
    if pd.isna(span[0]) or pd.isna(span[1]):
        return result_table(_counted("referrals", dated["referrals"], span, every))
    rows = []
    for name, dates in dated.items():
        inside = ~((dates < span[0]) | (dates > span[1]))
        kept = dates[inside] if name == "referrals" else dates[inside & dates.notna()]
        if name == "referrals" or len(kept):
            rows += _counted(name, kept, span, every)
        outside = int((~inside).sum())
        rows += [_row("referrals_outside_period", "all", "all", outside)] if name == "referrals" and outside else []
    return result_table(rows + _caseload(referrals, span, every))


def control_charts(counts, show, rebase=(), better=None):
    """Counts with their control charts; a count that may not be shown has no part in them.

    Parameters
    ----------
    counts : list of DataFrame
        As `activity_per_month` gives them, the finest first: months, then quarters. Each measure is charted by the first in which no more
        than a fifth of the whole spells would be hidden, else by that which hides least.
    show : function of a result table
        Gives it as it may be shown (`disclosure.release` with the scheme's rule): what it hides is left out of limits and runs, so that
        these give nothing of it away. Lines and flags are worked out before rounding, lines then rounded to one decimal.
    rebase : list of (Timestamp, str)
        Days from which the service is known to be another one, with what changed.
    better : dict of str to str, optional
        Which way is better for a measure: 'up' or 'down'. Left out: neither.

    Returns
    -------
    DataFrame
        Result layout: the rows of `counts`, the special cause of a month in `note`; and for each phase (group phase, level first to last spell)
        <measure>_centre_line, _lower_limit and _upper_limit. Spells that are hidden or covered in part are in no limit and have no flag.

    References
    ----------
    NHS England, Making Data Count; `stats.spc.xmr`.
    """
    shown, parts = [show(table) for table in counts], []
    for measure in dict.fromkeys(counts[0]["measure"]):
        held = [(table[table["measure"] == measure], seen[table["measure"] == measure]) for table, seen in zip(counts, shown)]
        shares = [_hidden_share(seen) for _, seen in held]
        at = next((i for i, share in enumerate(shares) if share <= HIDDEN_AT_MOST), int(np.argmin(shares)))
        parts += _charted(*held[at], measure, rebase, (better or {}).get(measure, "neither"))
    return stack_results(*parts)


def _hidden_share(shown):
    """The share of whole spells that are hidden."""
    spells = shown[_whole(shown)]
    return spells["suppressed"].mean() if len(spells) else 0.0


def _whole(table):
    return table["group"].isin(SPELLS) & ~table["level"].eq("missing") & ~table["note"].str.startswith("part of a")


def _charted(rows, shown, measure, rebase, improvement):
    """The rows of one measure with special causes in their notes, and the rows of its limits."""
    from sprx.stats.spc import xmr

    whole = _whole(rows)
    if not whole.any():
        return [rows]
    spell = rows.loc[whole, "group"].iloc[0]
    spells = pd.PeriodIndex(rows.loc[whole, "level"].str.replace(" ", ""), freq=SPELLS[spell])
    values = rows.loc[whole, "estimate"].mask(shown.loc[whole, "suppressed"]).set_axis(spells.start_time)
    begins = {pd.Period(day, SPELLS[spell]).start_time: reason for day, reason in rebase}
    chart = xmr(values, sorted(begins), improvement=improvement)
    rows = rows.copy()
    told = {number for number, part in chart.groupby("phase") if _told(part)}
    rows.loc[whole, "note"] = [_cause(point, spell, improvement) if point.phase in told else "" for point in chart.itertuples()]
    levels = pd.Series(rows.loc[whole, "level"].to_numpy(), index=values.index, name=spell)
    return [rows, result_table([row for _, part in chart.groupby("phase") for row in _limits(part, levels, measure, begins)])]


def _cause(point, spell, improvement):
    """A special cause in plain words, '' for none."""
    words = {"": "", "outside limits": f"{point.direction} the limits", "two of three": f"2 of 3 {spell}s near the limit, {point.direction} the mean",
             "shift": f"{point.run} {spell}s in a row {point.direction} the mean", "trend": f"{point.run} {spell}s {point.direction} in a row"}[point.special_cause]
    judged = f" ({point.judged})" if improvement != "neither" else ""
    return f"special cause: {words}{judged}" if words else ""


def _limits(part, levels, measure, begins):
    """The centre line and the limits of one phase; a count has no limit below 0."""
    held, anew = part["value"].dropna(), part.index[0] in begins
    few, alike = len(held) < POINTS_AT_LEAST, not _told(part)
    notes = [f"{len(held)} {levels.name}s are too few for limits; they take {POINTS_AT_LEAST}" if few else f"no limits: most {levels.name}s are alike" if alike else
             f"trial limits: {len(held)} {levels.name}s" if part["trial"].iloc[0] else "", f"begins anew: {begins[part.index[0]] or 'the service changed'}" if anew else ""]
    row = dict(group="phase", level=f"{levels[part.index[0]]} to {levels[part.index[-1]]}", n=held.sum(), n_missing=0,
               unit=f"{UNITS[measure]} a {levels.name}", method="XmR chart", note="; ".join(note for note in notes if note))
    lines = dict(centre_line="centre", lower_limit="lower", upper_limit="upper")
    return [row | dict(measure=f"{measure}_{name}", estimate=np.nan if few or alike and column != "centre" else max(round(part[column].iloc[0], 1), 0.0))
            for name, column in lines.items()]


def _told(part):
    """True where a phase has points enough, and varies enough, for limits and flags."""
    return part["value"].count() >= POINTS_AT_LEAST and part["upper"].iloc[0] > part["lower"].iloc[0]


def _counted(name, dates, span, every):
    """The rows of one flow: all of it, each spell, and those without a date."""
    undated = int(dates.isna().sum())
    rows = [_row(name, "all", "all", len(dates), undated)]
    if undated < len(dates):
        spells = pd.period_range(*span, freq=SPELLS[every])
        edges = np.append(spells.start_time.to_numpy(), (spells[-1] + 1).start_time.to_datetime64())
        at = np.searchsorted(edges, dates.dropna().to_numpy("datetime64[ns]"), side="right") - 1
        counts = np.bincount(at[(at >= 0) & (at < len(spells))], minlength=len(spells))
        for spell, number in zip(spells, counts):
            part = spell.start_time < span[0] or spell.end_time.normalize() > span[1]
            rows.append(_row(name, every, _label(spell), int(number), note=f"part of a {every}" if part else ""))
    return rows + ([_row(name, every, "missing", undated, note=f"no {FLOWS[name].replace('_', ' ')}")] if undated else [])


def _caseload(referrals, span, every):
    """Cases referred and not closed at the end of each whole spell."""
    closed, made = referrals["closed_date"], referrals["referral_date"]
    placed = made.notna() & (closed.notna() | ~referrals["has_ended"])
    base = dict(measure="caseload", n_missing=int((~placed).sum()), unit=UNITS["caseload"], method="count")
    if closed.isna().all() or not placed.any():
        return [base | dict(group="all", level="all", n=0, n_missing=len(referrals), note="needs referrals with a closed_date")] if len(referrals) else []
    spells = [spell for spell in pd.period_range(*span, freq=SPELLS[every]) if spell.end_time.normalize() <= span[1]]
    ends = np.array([spell.end_time.to_datetime64() for spell in spells], dtype="datetime64[ns]")
    opened, shut = (np.sort(dates[placed].dropna().to_numpy("datetime64[ns]")).searchsorted(ends, side="right") for dates in (made, closed))
    rows = [_row("caseload", every, _label(spell), int(number)) for spell, number in zip(spells, opened - shut)]
    built = "" if made.min() < span[0] else f"no case from before {span[0]:%Y-%m-%d} is in the data: the first {every}s count too few, unless the service began then"
    whole = rows[-1] | base | dict(group="all", level="all", note=built) if rows else base | dict(group="all", level="all", n=0, note=f"no whole {every}")
    return [whole, *rows]


def _label(spell):
    return str(spell).replace("Q", " Q")


def _row(name, group, level, total, missing=0, note=""):
    return dict(measure=name, group=group, level=level, n=total - missing, n_missing=missing, estimate=total, unit=UNITS.get(name, "referrals"),
                numerator=total, denominator=total, method="count", note=note)
