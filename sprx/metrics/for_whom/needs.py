"""Needs and activities: what people came for, what they were prescribed, and whether the one answers the other."""

from sprx.errors import require
from sprx.intervals import wilson
from sprx.results import result_table, share_row

NOT_BEGUN, NOTHING = "prescribed but not begun", "nothing prescribed"
ANSWERS = ("answered", NOT_BEGUN, "only something else prescribed", NOTHING)
BY = " | "


def need_shares(referrals, needs, conf_level=0.95):
    """Share of referrals with each need.

    Parameters
    ----------
    referrals : DataFrame, one row per referral
        Needs referral_id.
    needs : DataFrame, one row per referral and need
        Needs referral_id, need.

    Returns
    -------
    DataFrame
        Result layout; measure share_with_need, group need, unit proportion, the most frequent first. n = referrals with any need
        recorded; a referral can have several.

    References
    ----------
    Wilson score interval: Newcombe (1998) Stat Med 17:857, method 3.
    """
    require(referrals, "referrals", ["referral_id"])
    require(needs, "needs", ["referral_id", "need"])
    total = needs["referral_id"].nunique()
    about = dict(measure="share_with_need", group="need", n=total, n_missing=len(referrals) - total, conf_level=conf_level, unit="proportion")
    if not total:
        return result_table([about | dict(level="all", note="no needs are recorded")])
    return result_table([_share(about, level, count, total) for level, count in _by_size(needs, "need").items()])


def activity_shares(referrals, given, conf_level=0.95):
    """Share of referrals at which each kind of activity was prescribed, and of these, the share that began it.

    Parameters
    ----------
    referrals : DataFrame, one row per referral
        Needs referral_id.
    given : DataFrame, one row per referral and activity type
        Needs referral_id, activity_type, begun (as `cohort.prescribed` gives it).

    Returns
    -------
    DataFrame
        Result layout; measures share_prescribed (with a level 'nothing prescribed') and share_begun, group activity_type, unit proportion.

    References
    ----------
    Wilson score interval: Newcombe (1998) Stat Med 17:857, method 3.
    """
    require(referrals, "referrals", ["referral_id"])
    require(given, "activities", ["referral_id", "activity_type", "begun"])
    total, sizes = len(referrals), _by_size(given, "activity_type")
    about = dict(measure="share_prescribed", group="activity_type", n=total, n_missing=0, conf_level=conf_level, unit="proportion")
    if not sizes:
        return result_table([about | dict(level="all", n=0, n_missing=total, note="no activities are recorded")])
    sizes |= {NOTHING: total - given["referral_id"].nunique()}
    begun = [share_row(part["begun"].astype("boolean"), conf_level, measure="share_begun", group="activity_type", level=level)
             for level, part in given.groupby("activity_type")]
    return result_table([_share(about, level, count, total) for level, count in sizes.items()] + begun)


def need_by_activity(needs, given, conf_level=0.95):
    """Of the referrals with each need, the share at which each kind of activity was prescribed.

    Parameters
    ----------
    needs : DataFrame, one row per referral and need
        Needs referral_id, need.
    given : DataFrame, one row per referral and activity type
        Needs referral_id, activity_type.

    Returns
    -------
    DataFrame
        Result layout; measure share_prescribed_for_need, group need_by_activity, level 'need | activity', unit proportion. Every need with every
        kind of activity that occurs, 0 included; most frequent first.

    References
    ----------
    Wilson score interval: Newcombe (1998) Stat Med 17:857, method 3.
    """
    require(needs, "needs", ["referral_id", "need"])
    require(given, "activities", ["referral_id", "activity_type"])
    about = dict(measure="share_prescribed_for_need", group="need_by_activity", n_missing=0, conf_level=conf_level, unit="proportion")
    if needs.empty or given.empty:
        return result_table([about | dict(level="all", n=0, note="no needs or no activities are recorded")])
    cells = needs.merge(given, on="referral_id").groupby(["need", "activity_type"]).size()
    return result_table([_share(about | dict(n=total), f"{need}{BY}{kind}", int(cells.get((need, kind), 0)), total)
                         for need, total in _by_size(needs, "need").items() for kind in _by_size(given, "activity_type")])


def needs_answered(needs, conf_level=0.95):
    """What became of each need: answered, prescribed but not begun, something else only, nothing prescribed.

    Parameters
    ----------
    needs : DataFrame, one row per referral and need
        Needs need and answer (one of ANSWERS, missing = cannot tell), as `cohort.needs_met` gives it. Pass referrals with enough
        follow-up, or the newest count as unmet.

    Returns
    -------
    DataFrame
        Result layout; measure need_answered, unit proportion, level one of ANSWERS; group 'answers_to_all_needs', then
        'answers_to_<need>' for each need, most frequent first. The four levels of a group make 1. n = needs recorded.

    References
    ----------
    Wilson score interval: Newcombe (1998) Stat Med 17:857, method 3; needs of one referral are taken as independent.
    """
    require(needs, "needs", ["need", "answer"])
    parts = {"all_needs": needs} | {need: needs[needs["need"] == need] for need in _by_size(needs, "need")}
    rows = []
    for name, part in parts.items():
        known = part["answer"].dropna()
        about = dict(measure="need_answered", group=f"answers_to_{name}", n=len(known), n_missing=len(part) - len(known), conf_level=conf_level, unit="proportion")
        if known.empty:
            rows.append(about | dict(level="all", note="no activities are recorded" if len(part) else "no needs are recorded"))
        else:
            rows += [_share(about, level, int(known.eq(level).sum()), len(known)) for level in ANSWERS]
    return result_table(rows)


def _by_size(table, column):
    """Level -> rows, most rows first, then by name."""
    counts = table[column].value_counts()
    return {str(level): int(count) for level, count in sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))}


def _share(about, level, count, total):
    """A share's row with its Wilson limits."""
    low, high = wilson(count, total, about["conf_level"])
    return about | dict(level=level, estimate=count / total if total else None, conf_low=low, conf_high=high, numerator=count if total else None,
                        denominator=total or None, method="Wilson score")
