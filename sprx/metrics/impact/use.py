"""Use of services before and after the start: rates, the change, and the change beside that of comparison people."""

import numpy as np
import pandas as pd

from sprx.errors import DataError
from sprx.metrics.impact.use_cells import (ARMS, EFFECT, PER_YEAR, RUN_UP, YEARLY, by_arm, cell_rates, clusters_in_words, count_people, not_comparable,
                                           one_service, people_with, plain, rates_in_words, ratio_row, times)
from sprx.results import result_table
from sprx.stats import comparison, counts

HALF_A_USE = 0.5        # added to the earlier count, so that those without use have a logarithm
ROBUST, PAIRED = "Poisson rates, limits robust by {by}, t", "difference-in-differences of log rates, limits robust by {by}, t"


def use_rates(months, conf_level=0.95):
    """Use of each service a person a year, before and after the month of the start, by arm.

    Parameters
    ----------
    months : DataFrame, one row per person, service and month
        As `cohort.use.service_months` gives it.

    Returns
    -------
    DataFrame
        Result layout: use_rate_<service>, group arm_and_time, level 'scheme, before' and so on; n = people with an observed month
        there, n_missing = the others of the arm. Limits are robust by person (or cluster).
    """
    rows = []
    for service in pd.unique(months["service"]):
        part = one_service(months, service)
        cells, observed = by_arm(part, times(part)), part["exposure"].to_numpy() > 0
        rates = cell_rates(part, cells, observed)
        for arm in ARMS:
            own = part["own"].eq(arm == "scheme").to_numpy()
            if own.any():
                rows += [_rate_row(part, (f"{arm}, {time}", cells, own), rates, conf_level) | dict(measure=f"use_rate_{service}") for time in ("before", "after")]
    return result_table(rows)


def _rate_row(part, where, rates, conf_level):
    """One rate with its limits; nobody's use is a rate of 0 without limits."""
    level, cells, own = where
    observed = (cells == level) & (part["exposure"].to_numpy() > 0)
    n = count_people(part, observed)
    row = dict(group="arm_and_time", level=level, n=n, n_missing=count_people(part, own) - n, unit=YEARLY, conf_level=conf_level, method=_by(ROBUST, part))
    fit, users = rates
    if not n:
        return row | dict(note="not estimated: no month was observed")
    if not fit.cells.at[level, "events"]:
        return row | dict(estimate=0.0, note="nobody used the service, so no limits can be given", numerator=0)
    found = fit.contrast({level: 1}, conf_level)
    yearly = {k: found[k] * PER_YEAR for k in ("estimate", "conf_low", "conf_high")} | dict(std_error=found["estimate"] * PER_YEAR * found["std_error"])
    return row | yearly | dict(note=found["why"], numerator=int(users[level]))


def _by(method, part):
    """The method's name with what the limits are robust by."""
    alone = part["cluster"].nunique() == part["person"].nunique()
    return method.format(by="person" if alone else "cluster")


def use_change(months, service, conf_level=0.95):
    """Rate of use after the start by that before it, of the scheme's own people. A change is not an effect.

    Parameters
    ----------
    months : DataFrame, one row per person, service and month
        As `cohort.use.service_months` gives it.
    service : str

    Returns
    -------
    DataFrame
        Result layout: rate_ratio_before_after_<service>, and rate_ratio_before_after_without_run_up_<service> (the three months before the start, in which people are sent
        because they use services most, left out): what remains when use falls back by itself. n = people with observed months on both sides. The month of the start
        counts on neither.
    """
    part = one_service(months, service)
    part = part[part["own"]]
    rows = [_change_row(part, "rate_ratio_before_after", -1, conf_level), _change_row(part, "rate_ratio_before_after_without_run_up", -RUN_UP - 1, conf_level)]
    table = result_table(rows)
    return table.assign(measure=table["measure"] + f"_{service}")


def _change_row(part, measure, last_before, conf_level):
    kept = people_with(part, part["month"].le(last_before), part["month"].gt(0))
    n = count_people(part, kept)
    row = dict(measure=measure, group="all", level="all", n=n, n_missing=count_people(part) - n, unit="ratio",
               conf_level=conf_level, method=_by(ROBUST, part))
    why = not_comparable(part, ARMS[:1])
    if why:
        return row | dict(note=f"not estimated: {why}")
    rates = cell_rates(part, by_arm(part, times(part, last_before)), kept)
    note = f"{rates_in_words(rates, ARMS[:1])}{clusters_in_words(part)}; without a comparison nobody knows what would have happened anyway"
    return ratio_row(rates, {"scheme, after": 1, "scheme, before": -1}, conf_level, row | dict(note=note))


def use_effect(months, service, weights=None, conf_level=0.95):
    """The change in use of the scheme's people by that of the comparison people: ratios of rate ratios.

    Parameters
    ----------
    months : DataFrame, one row per person, service and month
        As `cohort.use.service_months` gives it.
    service : str
    weights : Series by person_id, optional
        Makes the comparison people like the scheme's people; the weights are taken as known.

    Returns
    -------
    DataFrame
        Result layout, below 1 where use fell more (or rose less) than in the comparison: rate_ratio_<service>; rate_ratio_weighted_<service>
        where weights are given; rate_ratio_adjusted_<service> (negative binomial of the later count given the earlier rate and the arm);
        rate_ratio_without_run_up_<service> (the three months before the start left out of the time before); minimum_detectable_ratio_<service> (the fall that these
        data would show four times in five); e_value_use_<service> (how strong something unrecorded would have to be, level estimate and limit). n = people of both arms
        with observed months on both sides; the month of the start counts on neither.

    References
    ----------
    `stats.counts`; E-value: VanderWeele and Ding (2017) Ann Intern Med 167:268. It rests on both arms having changed alike without the scheme: see use_pre_trend and use_placebo.
    """
    plain_part = one_service(months, service)
    rows = [_effect_row(plain_part, "rate_ratio", -1, conf_level)]
    if weights is not None:
        rows.append(_effect_row(one_service(months, service, weights), "rate_ratio_weighted", -1, conf_level))
    rows += [_adjusted_row(plain_part, conf_level), _effect_row(plain_part, "rate_ratio_without_run_up", -RUN_UP - 1, conf_level), *_fragile(rows[0], conf_level)]
    table = result_table(rows)
    return table.assign(measure=table["measure"] + f"_{service}")


def _fragile(answer, conf_level):
    """The smallest ratio that could have been found, and the E-values of the answer; nothing where there is none."""
    if pd.isna(answer.get("estimate")):
        return []
    counts_of = {k: answer[k] for k in ("group", "level", "n", "n_missing", "numerator")}
    near = answer["conf_high"] if answer["estimate"] < 1 else answer["conf_low"]
    values = comparison.e_value(answer["estimate"], near)
    least = np.exp(-comparison.minimum_detectable(answer["std_error"], conf_level=conf_level))
    return [counts_of | dict(measure="minimum_detectable_ratio", estimate=least, unit="ratio", method="80% power, the error of the answer"),
            *(counts_of | dict(measure="e_value_use", group="e_value", level=level, estimate=value, unit="risk ratio", method="of the ratio itself")
              for level, value in zip(("estimate", "limit nearer to no difference"), values))]


def _effect_row(part, measure, last_before, conf_level):
    kept = people_with(part, part["month"].le(last_before), part["month"].gt(0))
    n = count_people(part, kept)
    row = dict(measure=measure, group="all", level="all", n=n, n_missing=count_people(part) - n, unit="ratio", conf_level=conf_level, method=_by(PAIRED, part))
    why = not_comparable(part)
    if why:
        return row | dict(note=f"not estimated: {why}")
    rates = cell_rates(part, by_arm(part, times(part, last_before)), kept)
    note = rates_in_words(rates) + clusters_in_words(part)
    if last_before < -1:
        note += f"; the {-last_before - 1} months before the start are left out"
    return ratio_row(rates, EFFECT, conf_level, row | dict(note=note))


def _adjusted_row(part, conf_level):
    """Negative binomial of the count after the start given the rate before it and the arm."""
    table = _person_table(part)
    both = table[(table["time_before"] > 0) & (table["time_after"] > 0)]
    row = dict(measure="rate_ratio_adjusted", group="all", level="all", n=len(both), n_missing=len(table) - len(both), unit="ratio", conf_level=conf_level,
               method=_by("negative binomial given the earlier rate, limits robust by {by}, t", part))
    why = not_comparable(part)
    if why:
        return row | dict(note=f"not estimated: {why}")
    earlier = np.log((both["uses_before"] + HALF_A_USE) / both["time_before"])
    design = pd.DataFrame({"scheme": both["own"] * 1.0, "the earlier rate": earlier})
    try:
        found = counts.rate_ratio(both["uses_after"], both["time_after"], design, both["cluster"].to_numpy(), "negative_binomial", conf_level)
        found = _as_two_samples(found, part, conf_level)
    except DataError as problem:
        return row | dict(note=f"not estimated: {plain(str(problem))}")
    few = min(int(side["uses_after"].gt(0).sum()) for _, side in both.groupby("own"))
    note = f"the earlier rate's logarithm, with {HALF_A_USE:g} of a use added to everyone's count; alpha {found['dispersion'].iloc[0]:.3g}{clusters_in_words(part)}"
    limits = found.rename(columns={"ratio": "estimate"}).loc["scheme", ["estimate", "std_error", "conf_low", "conf_high"]]
    return row | limits.to_dict() | dict(note=note, numerator=few or None)


def _as_two_samples(found, part, conf_level):
    """Where people are in clusters: limits with the unadjusted ratio's degrees of freedom, as an arm of few clusters tells less than their total says."""
    from scipy import stats

    if part["cluster"].nunique() == part["person"].nunique():
        return found
    unadjusted = cell_rates(part, by_arm(part, times(part)), people_with(part, part["month"].lt(0), part["month"].gt(0)))[0].contrast(EFFECT)
    if unadjusted["why"]:
        raise DataError(unadjusted["why"])
    half = stats.t.ppf((1 + conf_level) / 2, unadjusted["df"]) * found["std_error"]
    return found.assign(conf_low=np.exp(np.log(found["ratio"]) - half), conf_high=np.exp(np.log(found["ratio"]) + half))


def _person_table(part):
    """One row per person: own, cluster, uses and months observed before and after the start."""
    total = part["person"].max() + 1 if len(part) else 0
    first = part.drop_duplicates("person").set_index("person").sort_index()
    sums = {f"{name}_{time}": np.bincount(part["person"], part[column] * side, total) for name, column in (("uses", "count"), ("time", "exposure"))
            for time, side in (("before", part["month"].lt(0)), ("after", part["month"].gt(0)))}
    return pd.DataFrame(dict(own=first["own"], cluster=first["cluster"], **sums))
