"""Delivery: how far people come."""

from sprx.errors import require
from sprx.results import levels, result_table, share_row


def funnel(stages, names, conf_level=0.95):
    """Share of referrals that reached each stage.

    Parameters
    ----------
    stages : DataFrame, one row per referral
        One boolean column per stage: True, False, or missing = not recorded (as `cohort.stages` gives them).
    names : list of str
        The stages in their order.

    Returns
    -------
    DataFrame
        Result layout; measure stage_reached, group stage, unit proportion. n = referrals for which it is known.

    References
    ----------
    Wilson score interval: Newcombe (1998) Stat Med 17:857, method 3. Stages after Husk et al (2020) Health Soc Care Community.
    """
    require(stages, "stages", names)
    return result_table([share_row(stages[name], conf_level, measure="stage_reached", group="stage", level=name) for name in names])


def uptake(stages, by=None, conf_level=0.95):
    """Proportion of referrals with at least one link-worker contact.

    Parameters
    ----------
    stages : DataFrame, one row per referral
        Needs `seen` (True, False, missing = not recorded) and the column `by`, if given. Pass a cohort with enough
        follow-up (`cohort.followed_for`), or the newest referrals will pull the estimate down.
    by : str, optional

    Returns
    -------
    DataFrame
        Result layout; measure uptake, unit proportion.

    References
    ----------
    Wilson score interval: Newcombe (1998) Stat Med 17:857, method 3.
    """
    require(stages, "stages", ["seen"] + ([by] if by else []))
    return result_table([share_row(part["seen"], conf_level, measure="uptake", group=by or "all", level=level)
                         for level, part in levels(stages, by)])
