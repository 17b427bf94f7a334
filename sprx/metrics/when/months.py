"""Counts month by month."""

import pandas as pd

from sprx.errors import require
from sprx.results import result_table


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
    rows = [_count("all", "all", len(dates), int(dates.isna().sum())),
            *([_count("all", "all", outside, 0) | dict(measure="referrals_outside_period")] if outside else [])]
    if dates.notna().any():
        start = period[0] if period[0] is not None else dates.min()
        end = period[1] if period[1] is not None else dates.max()
        counts = dates.dropna().dt.to_period("M").value_counts()
        for month in pd.period_range(start, end, freq="M"):
            part = month.start_time.normalize() < start or month.end_time.normalize() > end
            rows.append(_count("month", str(month), int(counts.get(month, 0)), 0, "part of a month" if part else ""))
    if dates.isna().any():
        rows.append(_count("month", "missing", int(dates.isna().sum()), 0, "no referral date"))
    return result_table(rows)


def _count(group, level, total, missing, note=""):
    return dict(measure="referrals", group=group, level=level, n=total - missing, n_missing=missing, estimate=total, unit="referrals",
                numerator=total, denominator=total, method="count", note=note)
