"""Published effects side by side and averaged, with and without one scheme; refused with the reason where that would mislead."""

import math

import numpy as np
import pandas as pd

from sprx.errors import DataError
from sprx.metrics.evidence.comparable import RATIO, SETS, pool, why_not_pooled
from sprx.results import result_table, stack_results

KIND_WORDS = {"controlled": "effect", "weak comparison": "difference", "uncontrolled": "change"}
UNIT = "standard deviations, above 0 is better"
THIS, ADDED_HERE = "this scheme", "this report"     # how a scheme's own row is called, and how `evidence.with_record` marks it
TO_TELL_BIAS = 10           # studies from which a funnel says anything: Sterne et al (2011) BMJ 343:d4002


def effects_of_studies(studies, conf_level=0.95):
    """Each study's effect as a result row, to be drawn and shown.

    Parameters
    ----------
    studies : DataFrame
        As `comparable_effects` gives it.

    Returns
    -------
    DataFrame
        Result layout, one row per study: measure study_effect, study_difference or study_change, group = outcome, level = the study's name (or this scheme). In standard deviations, above 0 =
        better, or as a ratio. note = why it cannot be averaged.
    """
    from scipy.stats import norm

    quantile = norm.ppf((1 + conf_level) / 2)
    rows = []
    for r in studies.itertuples():
        low, high = (r.effect - quantile * r.effect_error, r.effect + quantile * r.effect_error)
        rows.append(dict(measure=f"study_{KIND_WORDS[r.kind]}", group=set_name(r.outcome, r.scale), level=_level(r), n=r.n, conf_level=conf_level, method=f"{r.design}; {r.method}",
                         std_error=r.effect_error, note=r.why_not, **_shown(r.effect, low, high, r.scale, r.good)))
    return result_table(rows)


def _level(row):
    return THIS if row.added_by == ADDED_HERE else row.cite_name


def _shown(value, low, high, scale, good):
    """Estimate, limits and unit as a reader sees them: ratios are turned back to what was counted."""
    if scale != RATIO:
        return dict(estimate=value, conf_low=low, conf_high=high, unit=UNIT)
    turn = 1 if good == "higher" else -1
    value, low, high = (math.exp(turn * v) if pd.notna(v) else np.nan for v in (value, low, high))
    return dict(estimate=value, conf_low=min(low, high), conf_high=max(low, high), unit="ratio")


def forest_rows(studies, outcome, conf_level=0.95):
    """What a forest plot of one outcome shows: the studies, and below each kind of them their average and where a further study would lie.

    Parameters
    ----------
    studies : DataFrame
        As `comparable_effects` gives it.
    outcome : str
        As `set_name` gives it.

    Returns
    -------
    DataFrame
        Result layout: study_… as `effects_of_studies`; average_<kind> and further_<kind> (group = outcome, level = all) where averaging is defensible, else average_<kind> with why not in note.
    """
    found = []
    chosen = studies[[set_name(o, s) == outcome for o, s in zip(studies["outcome"], studies["scale"])]]
    for kind, word in KIND_WORDS.items():
        rows = chosen[chosen["kind"].eq(kind)]
        if rows.empty:
            continue
        pooled = _pooled_set(rows, conf_level, "REML")
        mean = pooled[pooled["measure"].isin(["pooled_estimate", "prediction_interval"])]
        named = mean["measure"].map({"pooled_estimate": f"average_{word}", "prediction_interval": f"further_{word}"})
        joined = rows.loc[rows["why_not"].eq(""), "added_by"].eq(ADDED_HERE).any()
        name = "average with this scheme" if joined else "average"
        found += [effects_of_studies(rows, conf_level), mean.assign(measure=named, group=outcome, level="all", method=mean["method"] + f"; {name}")]
    return stack_results(*found)


def effect_directions(studies):
    """Which way each study's result points, for where averaging would mislead (SWiM: Campbell et al 2020 BMJ 368:l6890).

    Returns
    -------
    DataFrame
        Result layout: measure direction_effect, direction_difference or direction_change, group = outcome, level = study; estimate 1 better, -1 worse, 0 no difference, missing
        where it is mixed or hidden; note: beyond chance, could be chance, or not known; method = design.
    """
    signs, sure = {"better": 1, "worse": -1, "no difference": 0}, {"yes": "beyond chance", "no": "could be chance"}
    once = studies.drop_duplicates(["study_id", "outcome", "kind"])
    return result_table([dict(measure=f"direction_{KIND_WORDS[r.kind]}", group=r.outcome, level=_level(r), n=r.n, estimate=signs.get(r.direction), unit="direction",
                              method=r.design, note=sure.get(r.beyond_chance, "not known")) for r in once.itertuples()])


def pooled_effects(studies, conf_level=0.95, method="REML"):
    """The average of each set of studies of one outcome, kind and scale, or why there is none.

    Returns
    -------
    DataFrame
        Result layout; group = kind, level = outcome (and 'ratio' where that is its scale): pooled_estimate (n = people known of; note = why there is none), prediction_interval (where
        a further study would lie), tau2 (Q-profile limits; variance between studies), i2 (per cent), studies_pooled, studies_not_pooled (with the reasons in note).
    """
    tables = [_pooled_set(rows, conf_level, method) for _, rows in studies.groupby(SETS, sort=False)]
    return stack_results(*tables)


def set_name(outcome, scale):
    """What a set of studies is called: its outcome, and its scale where that is a ratio."""
    return f"{outcome}, ratio" if scale == RATIO else outcome


def _pooled_set(rows, conf_level, method):
    usable, first = rows[rows["why_not"].eq("")], rows.iloc[0]
    about = dict(group=first["kind"], level=set_name(first["outcome"], first["scale"]), n=usable["n"].sum(), conf_level=conf_level)
    reasons = "; ".join(f"{r.cite_name}: {r.why_not}" for r in rows.itertuples() if r.why_not)
    counts = [about | dict(measure="studies_pooled", estimate=0, unit="studies", conf_level=None),
              about | dict(measure="studies_not_pooled", estimate=len(rows) - len(usable), unit="studies", note=reasons, conf_level=None)]
    reason = why_not_pooled(rows)
    if reason:
        counts[1] |= dict(estimate=len(rows), note=reasons or reason)
        return result_table([about | dict(measure="pooled_estimate", unit=_shown(0, 0, 0, first["scale"], "")["unit"], note=reason), *counts])
    counts[0]["estimate"] = len(usable)
    fit = pool(rows, conf_level, method)
    low, high = fit.tau2_interval()
    return result_table([*_mean_rows(fit, about, first["scale"], usable["good"].iloc[0]),
                         about | dict(measure="tau2", estimate=fit.tau2, std_error=fit.tau2_error, conf_low=min(low, fit.tau2), conf_high=max(high, fit.tau2), unit="variance", method=f"{method}; Q-profile limits"),
                         about | dict(measure="i2", estimate=fit.i2, unit="per cent", method=f"of the variance, between studies; Q = {fit.q:.3g}", conf_level=None), *counts])


def _mean_rows(fit, about, scale, good, names=("pooled_estimate", "prediction_interval")):
    """The mean and where a further study would lie."""
    at = fit.predict().iloc[0]
    return [about | dict(measure=names[0], std_error=at.std_error, method=f"{fit.method}, {fit.k} studies; Hartung-Knapp", **_shown(at.estimate, at.conf_low, at.conf_high, scale, good)),
            about | dict(measure=names[1], method="of a further study: t with k - 1 degrees of freedom, as metafor", **_shown(at.estimate, at.pred_low, at.pred_high, scale, good))]


def robustness(studies, conf_level=0.95):
    """How much one study moves each average, what other methods say, and whether small studies find more.

    Returns
    -------
    DataFrame
        Result layout; group = 'kind: outcome': pooled_without (level = the study left out); pooled_by_method (level = DL, PM); small_study_slope (Egger) and
        pooled_with_missing_filled_in (trim-and-fill) where there are ten studies or more, else a row that says so. Sets that are not averaged have no rows.
    """
    from sprx.stats.synthesis import leave_one_out

    tables = []
    for _, rows in studies.groupby(SETS, sort=False):
        if why_not_pooled(rows):
            continue
        usable, first = rows[rows["why_not"].eq("")], rows.iloc[0]
        y, v, good = usable["effect"].to_numpy(), usable["effect_error"].to_numpy() ** 2, usable["good"].iloc[0]
        about = dict(group=f"{first['kind']}: {set_name(first['outcome'], first['scale'])}", level="all", conf_level=conf_level, n=usable["n"].sum())
        how = dict(knapp_hartung="ad hoc", conf_level=conf_level)
        found = [about | dict(measure="pooled_without", level=name, n=about["n"] - (n if n > 0 else 0), std_error=r.std_error, method="REML, one study left out", note=f"standardised residual {r.rstudent:.1f}",
                              **_shown(r.estimate, r.conf_low, r.conf_high, first["scale"], good))
                 for r, name, n in zip(leave_one_out(y, v, **how).itertuples(), usable["cite_name"], usable["n"])]
        found += [_mean_rows(pool(rows, conf_level, method), about | dict(level=method), first["scale"], good, ("pooled_by_method", ""))[0] for method in ("DL", "PM")]
        found += _small_studies(y, v, about, first["scale"], good, how)
        tables.append(result_table(found))
    return stack_results(*tables)


def _small_studies(y, v, about, scale, good, how):
    """Rows of Egger's slope and of trim-and-fill, or that there are too few studies to tell."""
    from sprx.stats.synthesis import egger, trim_and_fill

    slope = about | dict(measure="small_study_slope", unit="standard errors")
    if len(y) < TO_TELL_BIAS:
        return [slope | dict(note=f"fewer than {TO_TELL_BIAS} studies: nobody can tell", conf_level=None)]
    line = egger(y, v)
    half = _t_quantile(about["conf_level"], line["df"]) * line["bias_error"]
    slope |= dict(estimate=line["bias"], std_error=line["bias_error"], conf_low=line["bias"] - half, conf_high=line["bias"] + half, method="Egger: weighted least squares of effects on their errors")
    try:
        filled, side, fit, _ = trim_and_fill(y, v, **how)
    except DataError as error:          # with some sets the number to fill in never settles
        return [slope, about | dict(measure="pooled_with_missing_filled_in", unit=_shown(0, 0, 0, scale, good)["unit"], note=str(error))]
    return [slope, _mean_rows(fit, about, scale, good, ("pooled_with_missing_filled_in", ""))[0] | dict(note=f"{filled} studies filled in on the {side}")]


def other_averages(studies, each, conf_level=0.95):
    """The averages of `pooled_effects` made in two other defensible ways.

    Parameters
    ----------
    studies, each : DataFrame
        As `comparable_effects` gives them, the second with each = True.

    Returns
    -------
    DataFrame
        Result layout; group = 'kind: outcome', measure pooled_by_method: level 'three levels' (every effect by itself, those of a study hanging together) where a study gives
        several, and 'randomised only' where three studies or more drew lots and others did not.
    """
    from sprx.stats.nested import three_level

    found = []
    for key, rows in studies.groupby(SETS, sort=False):
        usable = rows[rows["why_not"].eq("")]
        if why_not_pooled(rows):
            continue
        about = dict(measure="pooled_by_method", group=f"{key[1]}: {set_name(key[0], key[2])}", conf_level=conf_level, n=usable["n"].sum())
        single = each[each[SETS].eq(list(key)).all(axis=1) & each["study_id"].isin(usable["study_id"]) & each["why_not"].eq("")]
        if single["study_id"].duplicated().any():
            fit = three_level(single["effect"], single["effect_error"] ** 2, single["study_id"], conf_level=conf_level)
            found.append(about | dict(level="three levels", std_error=fit["std_error"], method=f"REML, {len(single)} effects in {usable['study_id'].nunique()} studies; normal limits",
                                      **_shown(fit["estimate"], fit["conf_low"], fit["conf_high"], key[2], usable["good"].iloc[0])))
        drawn = usable[usable["design"].eq("rct")]
        if len(drawn) < len(usable) and not why_not_pooled(drawn):
            found.append(_mean_rows(pool(drawn, conf_level), about | dict(level="randomised only", n=drawn["n"].sum()), key[2], usable["good"].iloc[0], ("pooled_by_method", ""))[0])
    return result_table(found)


def _t_quantile(conf_level, df):
    from scipy.stats import t

    return float(t.ppf((1 + conf_level) / 2, df))


def against_evidence(studies, study_id, conf_level=0.95):
    """One study, such as a scheme, among the others of the same outcome, kind and scale.

    Parameters
    ----------
    studies : DataFrame
        As `comparable_effects` gives it, with the scheme's own rows.
    study_id : str
        Of the scheme's rows.

    Returns
    -------
    DataFrame
        Result layout; group = kind, level = outcome: own_estimate, then pooled_before, prediction_before, pooled_with_scheme and shrunken_estimate (empirical Bayes: the scheme's own drawn to the average of all
        by as much as its own error says) or their absence with the reason in note; other_studies (how many of the set can be averaged), weight_of_scheme (per cent).
    """
    tables = []
    for key, rows in studies.groupby(SETS, sort=False):
        own = rows[rows["study_id"].eq(study_id)]
        if len(own):
            tables.append(_against_set(rows, own.iloc[0], conf_level))
    return stack_results(*tables)


def _against_set(rows, own, conf_level):
    from sprx.stats.synthesis import shrunken

    others, scale = rows[rows["study_id"].ne(own["study_id"])], own["scale"]
    about = dict(group=own["kind"], level=set_name(own["outcome"], scale), conf_level=conf_level)
    quantile = _t_quantile(conf_level, np.inf)
    at = {name: _shown(v, v - quantile * e, v + quantile * e, scale, own["good"]) for name, v, e in (("own", own["effect"], own["effect_error"]),)}
    unit = at["own"]["unit"]
    found = [about | dict(measure="own_estimate", n=own["n"], std_error=own["effect_error"], method=own["method"], note=own["why_not"], **at["own"]),
             about | dict(measure="other_studies", estimate=others["why_not"].eq("").sum(), n=others["n"].sum(), unit="studies", note="", conf_level=None)]
    before, after = why_not_pooled(others) if len(others) else "no other study has a result of this kind on this scale", why_not_pooled(rows)
    if before:
        found.append(about | dict(measure="pooled_before", unit=unit, note=before))
    else:
        found += _mean_rows(pool(others, conf_level), about | dict(n=others.loc[others["why_not"].eq(""), "n"].sum()), scale, own["good"], ("pooled_before", "prediction_before"))
    if after or own["why_not"]:
        found.append(about | dict(measure="pooled_with_scheme", unit=unit, note=after or own["why_not"]))
        return result_table(found)
    usable = rows[rows["why_not"].eq("")]
    fit, place = pool(rows, conf_level), usable["study_id"].tolist().index(own["study_id"])
    found.append(_mean_rows(fit, about | dict(n=usable["n"].sum()), scale, own["good"], ("pooled_with_scheme", ""))[0])
    found.append(about | dict(measure="weight_of_scheme", estimate=fit.weights[place], n=own["n"], unit="per cent", method="1 / (own variance + tau2)", conf_level=None))
    if not before:                      # an average of fewer than three others is nothing to be drawn to
        best = shrunken(fit).iloc[place]
        half = _t_quantile(conf_level, fit.df) * best.std_error
        found.append(about | dict(measure="shrunken_estimate", n=own["n"], std_error=best.std_error, method="empirical Bayes (Raudenbush and Bryk 1985)",
                                  **_shown(best.estimate, best.estimate - half, best.estimate + half, scale, own["good"])))
    return result_table(found)
