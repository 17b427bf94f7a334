"""Effects of different studies on one scale, one for each study and outcome, with the reason where a study cannot be averaged with others."""

import math

import numpy as np
import pandas as pd

from sprx.errors import DataError
from sprx.reference import facts
from sprx.stats.effect_sizes import change_from_t, g_from_t

EFFECT_FROM = 3                     # Maryland level from which a difference is called an effect (docs/decisions)
LOGIT_SD = math.pi / math.sqrt(3)   # of a logistic variable: Chinn (2000) Stat Med 19:3127
ALIKE = 0.5                         # assumed correlation of a study's effects on one outcome
SDS, RATIO = "standard deviations", "ratio"
SETS = ["outcome", "kind", "scale"]       # studies alike in these answer one question
KEPT = ["study_id", "cite_name", "scheme_id", "design", "maryland_level", "link_worker", "programme", "year", "where_read", "cite", "added_by"]
COLUMNS = [*KEPT, "domain", *SETS, "instruments", "months", "n", "effect", "effect_error", "direction", "beyond_chance", "good", "method", "why_not", "rows"]
MONEY = "sums of money of different years and services are not averaged"
SYNTHETIC = "SYNTHETIC"             # how the title of a study of synthetic data begins
HIDDEN = "its numbers are hidden: too few people"


def comparable_effects(effects, months=None, each=False):
    """Each study's effect on each outcome, on a scale that studies share.

    Differences of means become standard deviations by their t value (Hedges' g between groups, SMCC within one), odds ratios by the logistic
    distribution; ratios of rates and percentage changes stay ratios, as logs. Several effects of one study on one outcome become their mean, taken to
    be correlated by 0.5 (Borenstein et al 2009, Introduction to Meta-Analysis, ch. 24). Of several times the one nearest to `months` counts (without
    it the latest), everybody before subgroups, adjusted before unadjusted.

    Parameters
    ----------
    effects : DataFrame, one row per effect
        As `effects_with_studies` gives it. Averages of several studies (pooled = yes) are left out.
    months : float, optional
    each : bool
        Leave a study's effects on one outcome as they are, a row each, for a model that lets them hang together (`three_level`).

    Returns
    -------
    DataFrame, one row per study, outcome, kind and scale
        COLUMNS. kind: controlled (a comparison group, Maryland level 3 or better), weak comparison, uncontrolled (a change). effect: positive = better for people; in standard
        deviations, or the log of a ratio; missing where it cannot be had. direction: better, worse, no difference, mixed or ''. beyond_chance: yes or no at 95 %, '' not known. good: which
        way the ratio is better. why_not: why it cannot be averaged, '' = it can. rows: where the base holds it.
    """
    single = effects[effects["pooled"].ne("yes")]
    if single.empty:
        return pd.DataFrame(columns=COLUMNS)
    rows = pd.DataFrame([_on_scale(row) for row in single.to_dict("records")], index=single.index)
    keys = ["study_id", *SETS]
    chosen = [_chosen(part, months) for _, part in rows.groupby(keys, sort=False)]
    chosen = [chosen_row for part in chosen for _, chosen_row in part.groupby(level=0, sort=False)] if each else chosen
    found = pd.DataFrame([_as_one(part) for part in chosen])[COLUMNS]
    alike = found.groupby("cite_name")["study_id"].transform("nunique") > 1
    found["cite_name"] = found["cite_name"].mask(alike, found["cite_name"] + " (" + found["study_id"] + ")")
    return found.sort_values(["domain", *SETS, "year", "study_id"], ignore_index=True, na_position="last")


def _on_scale(row):
    """One effect with its kind, scale, effect and error on that scale, or why there is none."""
    if row["comparison"] == "within_group_change":
        kind = "uncontrolled"
    else:                               # a level that is not known is no level 3
        kind = "controlled" if row["maryland_level"] >= EFFECT_FROM else "weak comparison"
    types = facts("evidence/effect_types").set_index("effect_type")
    scale = RATIO if row["effect_type"] in ("rate_ratio", "risk_ratio", "percent_change") else SDS
    sign = 1.0 if row["direction_good"] == "higher" else -1.0
    raw = row["estimate"] - float(types.loc[row["effect_type"], "no_effect"])
    effect, error, method, why = _money(row) or (_as_ratio if scale == RATIO else _as_sds)(row, kind)
    if row["suppressed"] == "yes" or pd.isna(row["estimate"]):
        effect, error, raw, why = np.nan, np.nan, np.nan, HIDDEN
    elif row["keep_apart"]:
        why = row["keep_apart"]
    elif not why and not error > 0:     # a missing one, too
        why = "a standard error of 0" if error == 0 else "no standard error, nor what it could be worked out from"
    return {**row, "kind": kind, "scale": scale, "effect": sign * effect, "effect_error": error, "raw": sign * raw, "method": method, "why_not": why, "cite_name": _cite_name(row)}


def _cite_name(row):
    """'Grant 2000'; of a scheme's record its name, and that its data are synthetic where they are."""
    name = row["first_author"] or row["programme"] or row["study_id"]
    year = "" if pd.isna(row["year"]) else f" {row['year']:.0f}"
    made = " (synthetic)" if row["title"].startswith(SYNTHETIC) and "synthetic" not in name.casefold() else ""
    return f"{name}{year}{made}"


def _money(row):
    return (np.nan, np.nan, "as printed", MONEY) if row["outcome"] == "cost" else None


def _as_ratio(row, kind):
    """A ratio or a percentage change as a log ratio."""
    value, error = row["estimate"], row["std_error"]
    if row["effect_type"] == "percent_change":
        value = 1 + value / 100
        error = error / 100 / value if value > 0 else np.nan
    if not value > 0:
        return np.nan, np.nan, "as printed", "a fall to nothing has no logarithm"
    return math.log(value), error, "log of the ratio", ""


def _as_sds(row, kind):
    """A difference, or an odds ratio, in standard deviations."""
    value, error, type_ = row["estimate"], row["std_error"], row["effect_type"]
    if type_ == "risk_difference":
        return np.nan, np.nan, "as printed", "a difference of shares does not tell standard deviations"
    if type_ == "odds_ratio":
        return math.log(value) / LOGIT_SD, error / LOGIT_SD, "log odds ratio x sqrt(3)/pi", ""
    groups = _groups(row, kind)
    if type_ == "smd":
        if pd.isna(error) and groups:
            return value, _error_of(value, *groups), "as printed, error from the number of people", ""
        return value, error, "as printed", ""
    if not (error > 0 and groups):
        return np.nan, 0.0 if error == 0 else np.nan, "as printed", ""
    effect, variance = change_from_t(value / error, groups[0]) if len(groups) == 1 else g_from_t(value / error, *groups)
    return float(effect), math.sqrt(variance), "SMCC from t" if len(groups) == 1 else f"Hedges' g from t{_groups_assumed(row)}", ""


def _groups_assumed(row):
    """What to know of a g from a t value where the two groups are not told apart."""
    return "" if pd.notna(row["n_scheme"]) or pd.notna(row["n_intervention"]) else ", groups taken to be alike in size"


def _groups(row, kind):
    """People behind an effect: (n,) of one group, (n1, n2) of two, None where it is not known."""
    both = np.nansum([row["n_intervention"], row["n_control"]])
    n = row["n"] if row["n"] > 0 else row["n_total"] if row["n_total"] > 0 and kind != "uncontrolled" else both
    if kind == "uncontrolled":
        return (n,) if n >= 3 else None
    if row["n_scheme"] > 0 and row["n_comparison"] > 0:
        return row["n_scheme"], row["n_comparison"]
    if not n >= 4:
        return None
    share = row["n_intervention"] / both if row["n_intervention"] > 0 and row["n_control"] > 0 else 0.5
    return n * share, n * (1 - share)


def _error_of(d, *groups):
    """The standard error of a standardised difference or mean change."""
    return math.sqrt(sum(1 / n for n in groups) + d ** 2 / (2 * sum(groups)))


def _chosen(rows, months):
    """Of a study's effects on an outcome those that count."""
    # everybody before what can be averaged: a subgroup must not stand in for a whole whose error was not printed
    for better in (rows["keep_apart"].eq(""), rows["subgroup"].eq(""), rows["why_not"].eq(""), _nearest(rows["timepoint_months"], months), rows["effect"].notna()):
        rows = rows[better.reindex(rows.index)] if better.reindex(rows.index).any() else rows
    return pd.concat(_first_choice(part) for _, part in rows.groupby("instrument", sort=False))


def _as_one(rows):
    """One row for the effects of a study on an outcome: their mean."""
    first = rows.iloc[0]
    known = rows.dropna(subset=["effect"])
    effect = known["effect"].mean() if len(known) else np.nan
    error = _error_of_mean(known["effect_error"]) if len(known) else np.nan
    ways = {("better", "worse", "no difference")[0 if v > 0 else 1 if v < 0 else 2] for v in rows["raw"].dropna()}
    sure = "" if pd.isna(effect) or pd.isna(error) else "yes" if abs(effect) > 1.959964 * error else "no"
    direction = ("better" if effect > 0 else "worse" if effect < 0 else "no difference") if pd.notna(effect) else "mixed" if len(ways) > 1 else next(iter(ways), "")
    goods = rows["direction_good"].unique()
    return {**first, "instruments": "; ".join(rows["instrument"]), "months": first["timepoint_months"], "n": rows["n"].max(), "effect": effect, "effect_error": error,
            "direction": direction, "beyond_chance": sure, "good": goods[0] if len(goods) == 1 else "mixed", "method": "; ".join(dict.fromkeys(rows["method"])) + ("; mean of several" if len(rows) > 1 else ""),
            "rows": "; ".join(f"{file}, {where}" for file, where in zip(rows["file"], rows["where"]))}


def _nearest(times, months):
    """The rows of one time: nearest to `months` (of two as near the later), or the latest."""
    if times.isna().all():
        return times.isna()
    far = (times - months).abs() if months is not None else -times
    return times.eq(times[far.eq(far.min())].max())


def _first_choice(rows):
    """Of the effects on one instrument: standardised by the authors or by sprx before ours, adjusted before unadjusted."""
    for better in (rows["effect_type"].eq("smd"), rows["adjusted"].eq("yes")):
        rows = rows[better.reindex(rows.index)] if better.reindex(rows.index).any() else rows
    return rows


def _error_of_mean(errors):
    """Of the mean of effects that are correlated by ALIKE; missing where one is."""
    matrix = np.outer(errors, errors) * (ALIKE + (1 - ALIKE) * np.eye(len(errors)))
    return math.sqrt(matrix.sum()) / len(errors)


# ---- may they be averaged?

LEAST = 3


def why_not_pooled(studies):
    """Why these rows of `comparable_effects` must not be averaged; '' if they may be.

    Too different before too few: what measures different things stays different however many there are.
    """
    usable = studies[studies["why_not"].eq("")]
    for column, words in (("kind", "controlled and uncontrolled results must not be averaged"), ("outcome", "they measure different things"),
                          ("scale", "they are on scales that cannot be turned into one another")):
        if studies[column].nunique() > 1:
            return f"{words} ({', '.join(sorted(studies[column].astype(str).str.replace('_', ' ').unique()))})"
    if usable["study_id"].duplicated().any():
        return f"a study is there twice ({usable.loc[usable['study_id'].duplicated(), 'study_id'].iloc[0]})"
    if studies["kind"].eq("weak comparison").any():
        return f"the comparison is below level {EFFECT_FROM} of the Maryland scale"
    ratios = usable.loc[usable["scale"].eq(RATIO), "good"]
    if ratios.eq("mixed").any() or ratios.nunique() > 1:
        return "more of it is good in some studies and bad in others"
    return "" if len(usable) >= LEAST else f"fewer than three studies can be averaged ({len(usable) or 'no'} of {len(studies)})"


def pool(studies, conf_level=0.95, method="REML"):
    """The random-effects mean of these rows of `comparable_effects`: a `stats.synthesis.Synthesis` of those that can be averaged, in their order.

    Raises
    ------
    DataError
        With the reason of `why_not_pooled`.
    """
    from sprx.stats.synthesis import synthesise

    reason = why_not_pooled(studies)
    if reason:
        raise DataError(f"Not averaged: {reason}.")
    usable = studies[studies["why_not"].eq("")]
    return synthesise(usable["effect"], usable["effect_error"] ** 2, method=method, knapp_hartung="ad hoc", conf_level=conf_level)
