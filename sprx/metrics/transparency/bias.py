"""Where the answer could be wrong: five domains, each judged from numbers that the run released."""

import pandas as pd

from sprx.metrics.transparency.checks import best_level
from sprx.reference import facts
from sprx.results import result_table

LOW, SOME, HIGH, CANNOT_TELL = 1.0, 2.0, 3.0, float("nan")
RATINGS = {1.0: "low", 2.0: "some", 3.0: "high"}
ALIKE, UNLIKE = 0.1, 0.25               # standardised differences: negligible (Austin 2009); too large for adjustment alone (Rubin 2001)
WELL, FAIRLY = 0.8, 0.6                 # shares measured, as in answers.py
STRAY, MANY_STRAY = 0.05, 0.2           # shares counted from the wrong day or measured at the wrong time
COMPARED = 2                            # Maryland level from which there is a second group
BY_LOT = 5


def rating_word(value):
    """'low', 'some', 'high', or 'cannot tell' for a missing value."""
    return RATINGS.get(value, "cannot tell")


def bias_domains(results, instrument=None, service=None, is_tested=False, is_named=False):
    """How likely the main answer is wrong for each of five reasons, with the numbers behind each judgement.

    Parameters
    ----------
    results : DataFrame
        Released results of the earlier chapters.
    instrument : str, optional
        The main instrument; None where the answer rests on use of services, or on nothing.
    service : str, optional
        The main service, where the answer rests on its use.
    is_tested : bool
        Whether the main instrument is a published one rather than the scheme's own.
    is_named : bool
        Whether scheme.yaml names a main outcome.

    Returns
    -------
    DataFrame
        Result layout. bias_domain_rating (group bias_domain, level = domain): 1 low, 2 some, 3 high, missing = cannot tell; note = why. bias_domain_number (group = domain,
        level = what is counted): the numbers behind it; a number that was not released is missing.
    """
    if instrument is None and service is not None:
        about = _of_use(results, service, is_named)
    else:
        about = dict(confounding=_confounding(results, instrument), selection=_selection(results, instrument), missing=_missing(results, instrument),
                     measurement=_measurement(results, instrument, is_tested), reporting=_reporting(results, is_named))
    rows = []
    for domain in facts("transparency/bias_domains")["domain"]:
        rating, why, numbers = about[domain]
        rows.append(dict(measure="bias_domain_rating", group="bias_domain", level=domain, n=len(numbers), n_missing=0, estimate=rating, unit="1 low to 3 high",
                         method="from this run's results", note=why))
        rows += [dict(measure="bias_domain_number", group=domain, level=level, n=1, n_missing=0, estimate=value, unit=unit, method="from this run's results") for level, value, unit in numbers]
    return result_table(rows)


def _values(results, measure, group=None):
    rows = results[results["measure"].eq(measure) & results["estimate"].notna()]
    return rows if group is None else rows[rows["group"].eq(group)]


def _worst(values, good, fair):
    """LOW where the worst of some shares is at least `good`, SOME at least `fair`, else HIGH; CANNOT_TELL without any."""
    return CANNOT_TELL if pd.isna(values) else LOW if values >= good else SOME if values >= fair else HIGH


def _without_comparison(level):
    """The judgement on other causes where nothing is compared; None where something is."""
    if level == 0:
        return CANNOT_TELL, "nothing was measured that other causes could explain", []
    if level < COMPARED:
        return HIGH, "there is no comparison group: whatever else changed at the same time, and getting better by oneself, could explain it all", []
    return None


def _confounding(results, instrument):
    level = best_level(results)
    if found := _without_comparison(level):
        return found
    before = _values(results, f"smd_between_groups_{instrument}", "before weighting")["estimate"].abs().max()
    after = _values(results, f"smd_between_groups_{instrument}", "weighted")["estimate"].abs().max()
    numbers = [("largest difference between the groups, as they are", before, "standard deviations"), ("largest difference between the groups, once weighted", after, "standard deviations")]
    if pd.isna(before):
        return (SOME if level == BY_LOT else HIGH), "how alike the groups are cannot be told from what was released", numbers
    if level == BY_LOT:
        return (LOW if before <= UNLIKE else SOME), "chance made the groups", numbers
    left = before if pd.isna(after) else after
    why = "the groups are alike in what was recorded, once weighted; what nobody recorded may still set them apart" if left <= ALIKE else "the groups differ in what was recorded"
    return (SOME if left <= UNLIKE and level > COMPARED else HIGH), why, numbers


def _selection(results, instrument):
    referred, first = _values(results, "stage_reached"), _values(results, f"followed_up_{instrument}", "all")
    if instrument is None or first.empty or referred.empty:
        return CANNOT_TELL, "nobody has a first score", []
    share = min(1.0, first["n"].iloc[0] / referred["n"].max())
    wrong = _wrongly_counted(results)
    numbers = [("people referred who have a first score", share, "proportion"), ("people counted from the wrong day, or in both groups, at most", wrong, "proportion")]
    rating = max(_worst(share, WELL, FAIRLY), HIGH if wrong > MANY_STRAY else SOME if wrong > STRAY else LOW)
    words = {LOW: "nearly all who were referred are in the numbers", SOME: "some who were referred are not in the numbers", HIGH: "many who were referred are not in the numbers, or are counted from the wrong day"}
    return rating, words[rating], numbers


def _wrongly_counted(results):
    return pd.concat([_values(results, name) for name in ("without_start", "scored_before_start", "also_referred")])["estimate"].max()


def _missing(results, instrument):
    if instrument is None:
        return CANNOT_TELL, "nothing was measured twice", []
    again = pd.concat([_values(results, f"measured_again_{instrument}"), _values(results, f"followed_up_{instrument}")])["estimate"].min()
    apart = _values(results, f"smd_lost_{instrument}")["estimate"].abs().max()
    numbers = [("people measured again, in the group with fewer", again, "proportion"), ("largest difference between those lost and those measured again", apart, "standard deviations")]
    rating = _worst(again, WELL, FAIRLY)
    if pd.isna(rating):
        return rating, "how many were measured again cannot be told", numbers
    if apart > UNLIKE:
        rating = min(HIGH, rating + 1)
    words = {LOW: "few were lost, and they were like the others", SOME: "some were lost, or they were unlike the others", HIGH: "many were lost, or some who were unlike the others"}
    return rating, words[rating], numbers


def _measurement(results, instrument, is_tested):
    if instrument is None:
        return CANNOT_TELL, "nothing was measured", []
    late = _values(results, "scores_out_of_time", "timing")
    late = late[late["level"].ne("after_closure")]["estimate"].max()         # a score after the case is closed is as it should be
    months = _values(results, "months_to_follow_up").set_index("level")["estimate"]
    gap = abs(months.get("scheme", float("nan")) - months.get("comparison", float("nan")))
    numbers = [("scores at the wrong time, at most", late, "proportion"), ("difference between the groups' times to the second score", gap, "months")]
    if not is_tested or late > MANY_STRAY or gap > 1:
        return HIGH, "the scale is the scheme's own and untested" if not is_tested else "scores were taken at the wrong time, or at another time in the other group", numbers
    return SOME, "a published scale, but people knew what they were given when they answered", numbers


def _reporting(results, is_named):
    measured = results.loc[results["measure"].str.startswith("followed_up_") & ~results["measure"].str.startswith("followed_up_by_"), "measure"].nunique()
    told = results.loc[results["measure"].str.startswith("paired_change_") & (results["estimate"].notna() | results["suppressed"].eq(True)), "measure"].nunique()
    if not measured:
        return CANNOT_TELL, "nothing was measured that could be left out", []
    numbers = [("outcomes measured", measured, "outcomes"), ("outcomes whose change is reported", told, "outcomes")]
    if told < measured:
        return HIGH, "not everything that was measured is reported", numbers
    return (LOW, "the main outcome is named, and all that was measured is reported", numbers) if is_named else (SOME, "all that was measured is reported, but no main outcome was named", numbers)


def _of_use(results, service, is_named):
    """The five domains where the answer rests on use of a service: counts of the services themselves, which nobody has to be asked for."""
    used = results.loc[results["measure"].str.startswith("use_rate_"), "measure"].nunique()
    told = sum(bool((results["measure"].isin([f"rate_ratio_{name}", f"rate_ratio_before_after_{name}"]) & results["estimate"].notna()).any())
               for name in results.loc[results["measure"].str.startswith("use_rate_"), "measure"].str.removeprefix("use_rate_").unique())
    numbers = [("services counted", used, "services"), ("services whose change is reported", told, "services")]
    reporting = ((CANNOT_TELL, "nothing was counted", []) if not used else (HIGH, "not everything that was counted is reported", numbers) if told < used else
                 (LOW if is_named else SOME, "all that was counted is reported" + ("" if is_named else ", but no main outcome was named"), numbers))
    wrong = _wrongly_counted(results)
    selection = (CANNOT_TELL if pd.isna(wrong) else HIGH if wrong > MANY_STRAY else SOME if wrong > STRAY else LOW, "people counted from the wrong day, or in both groups",
                 [("people counted from the wrong day, or in both groups, at most", wrong, "proportion")])
    months = _values(results, "months_watched").set_index("level")["estimate"]
    share = months.min() / months.max() if len(months) > 1 else float("nan")
    missing = (_worst(share, WELL, FAIRLY), "how long each group was watched, the shorter against the longer" if len(months) > 1 else "there is one group, and how many were lost cannot be told",
               [("months watched, the shorter group against the longer", share, "proportion")])
    return dict(confounding=_confounding_of_use(results, service), selection=selection, missing=missing, reporting=reporting,
                measurement=(LOW if used else CANNOT_TELL, "counted by the services, not asked of people" if used else "nothing was counted", []))


def _confounding_of_use(results, service):
    level, trend = best_level(results), _values(results, f"use_pre_trend_{service}")
    if found := _without_comparison(level):
        return found
    numbers = [("change a month of the groups' ratio before the start", trend["estimate"].iloc[0], "ratio")] if len(trend) else []
    if level == BY_LOT:
        return LOW, "chance made the groups", numbers
    if trend.empty or level <= COMPARED:
        return HIGH, "whether the groups went the same way before the start is not known", numbers
    alike = trend["conf_low"].iloc[0] <= 1 <= trend["conf_high"].iloc[0]
    return (SOME, "the groups went the same way before the start; what nobody recorded may still set them apart", numbers) if alike else (HIGH, "the groups went different ways before the start", numbers)
