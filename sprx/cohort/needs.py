"""What people came for, what they were prescribed, and whether the one answers the other."""

import numpy as np
import pandas as pd

from sprx.cohort.referrals import activities_begun
from sprx.reference import facts

ANY_ACTIVITY = ("other",)       # a need of which nobody can say what fits it: any activity does
NEED_ANSWERS = ("answered", "prescribed but not begun", "only something else prescribed", "nothing prescribed")


def prescribed(scheme, referrals):
    """Activities prescribed at these referrals.

    Returns
    -------
    DataFrame, one row per referral and activity type
        referral_id, activity_type, begun (True when any of its activities of this type was). Empty without an activities table.
    """
    rows = scheme.tables.get("activities")
    if rows is None:
        return pd.DataFrame({"referral_id": pd.Series(dtype="string"), "activity_type": pd.Series(dtype="string"), "begun": pd.Series(dtype=bool)})
    rows = rows.assign(begun=activities_begun(rows))
    rows = rows[rows["referral_id"].isin(referrals["referral_id"])]
    return rows.groupby(["referral_id", "activity_type"], as_index=False)["begun"].max()


def needs_met(scheme, referrals):
    """Needs recorded at these referrals, and how each was answered.

    Returns
    -------
    DataFrame, one row per referral and need
        referral_id, need, answer (one of NEED_ANSWERS, missing where there is no activities table). Empty without a needs table.

    Notes
    -----
    An activity fits a need when reference/need_activities.csv says so (ours); any activity fits the need `other`. answered = a fitting
    activity was begun; prescribed but not begun = one was prescribed and none begun; then only something else, then nothing.
    """
    rows = scheme.tables.get("needs")
    if rows is None:
        return pd.DataFrame({"referral_id": pd.Series(dtype="string"), "need": pd.Series(dtype="string"), "answer": pd.Series(dtype="string")})
    rows = rows.loc[rows["referral_id"].isin(referrals["referral_id"]), ["referral_id", "need"]].drop_duplicates(ignore_index=True)
    if "activities" not in scheme.tables:
        return rows.assign(answer=pd.Series(pd.NA, index=rows.index, dtype="string"))
    given = prescribed(scheme, referrals)
    fits = facts("need_activities")[["need", "activity_type"]].assign(fits=True)
    pairs = rows.merge(given, on="referral_id").merge(fits, on=["need", "activity_type"], how="left")
    pairs["fits"] = pairs["fits"].eq(True) | pairs["need"].isin(ANY_ACTIVITY)
    pairs["begun"] &= pairs["fits"]
    best = pairs.groupby(["referral_id", "need"])[["begun", "fits"]].max().reindex(pd.MultiIndex.from_frame(rows))
    known = best["fits"].notna()
    best = best.eq(True)
    answer = np.select([best["begun"], best["fits"], known], NEED_ANSWERS[:3], NEED_ANSWERS[3])
    return rows.assign(answer=pd.Series(answer, index=rows.index, dtype="string"))
