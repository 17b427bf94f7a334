"""Disclosure control: what may leave. Everything released has been through here, and nothing else may be shown."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sprx.intervals import EXACT_BELOW, poisson, wilson
from sprx.results import COUNTS, RESULT_COLUMNS

# one note for both, so that nobody can tell which of two hidden numbers is the small one
HIDDEN = "too few people to show, or hidden so that such a number cannot be worked out"
# breakdowns whose levels are not the parts of a whole: nothing can be had back from a total
OVERLAPPING = ("suitable_group", "months", "table", "arm")
NUMBERS = ["n", "n_missing", "estimate", "std_error", "conf_low", "conf_high"]


@dataclass(frozen=True)
class Rule:
    """A rule for small numbers: counts from 1 to `hide_to` are hidden, the others rounded to the nearest `round_to`."""

    name: str
    hide_to: int
    round_to: int
    words: str

    def round(self, count):
        """A count as it may be shown (halves go up); missing stays missing."""
        return count if self.round_to == 1 else np.floor(count / self.round_to + 0.5) * self.round_to


RULES = {rule.name: rule for rule in (
    Rule("nhse_1_7_round5", 7, 5, "Counts from 1 to 7 are shown as * and other counts are rounded to the nearest 5; shares and rates "
         "are worked out from the rounded counts. Where one hidden number could be had back by subtraction, another is hidden too."),
    Rule("suppress_lt5", 4, 1, "Counts from 1 to 4 are shown as *. Where one hidden number could be had back by subtraction, another is hidden too."),
    Rule("suppress_lt10", 9, 1, "Counts from 1 to 9 are shown as *. Where one hidden number could be had back by subtraction, another is hidden too."),
    Rule("none", 0, 1, "SMALL NUMBERS ARE NOT HIDDEN: this report was made without disclosure control and is not for sharing."))}


def release(table, rule):
    """A result table as it may leave.

    Parameters
    ----------
    table : DataFrame
        Result layout with COUNTS, as a metric returns it.
    rule : Rule

    Returns
    -------
    DataFrame
        RESULT_COLUMNS. Hidden rows have suppressed = True and no numbers; a hidden n_missing is empty. Shares, rates and
        counts are worked out again from rounded counts, with their limits; means, medians and curves stay as they are.

    References
    ----------
    NHS England secondary care rule of September 2018 (counts 1 to 7, rounding to 5); secondary suppression is ours.
    """
    out = table.copy()
    if rule.hide_to == 0:
        return out[RESULT_COLUMNS]
    hide = out.apply(lambda row: _too_small(row, rule), axis=1).astype(bool) if len(out) else pd.Series(dtype=bool)
    also = _second_cells(out, hide, rule)
    out = _rounded(out, rule)
    out.loc[hide | also, NUMBERS] = np.nan
    out.loc[hide | also, "note"] = HIDDEN
    out["suppressed"] = hide | also
    return out[RESULT_COLUMNS]


def _small(count, rule):
    return 1 <= count <= rule.hide_to       # missing is not small: comparisons with it are False


def _too_small(row, rule):
    """True when a row tells of fewer people than the rule lets out, on either side of a share."""
    rest = (row.n if pd.isna(row.denominator) else row.denominator) - row.numerator
    one_sided = not row.unit.startswith("per ") and rule.round_to == 1 and _small(rest, rule)   # unrounded, the rest can be read off
    return bool(_small(row.n, rule) or _small(row.numerator, rule) or one_sided)


def _rounded(out, rule):
    """Counts rounded, and shares, counts and rates worked out again from them."""
    counted = out["numerator"].notna() & out["denominator"].notna() & out["estimate"].notna()
    numerator, denominator = rule.round(out["numerator"]), rule.round(out["denominator"])
    for i in out.index[counted & (rule.round_to > 1)]:
        x, d, level = numerator[i], denominator[i], out.at[i, "conf_level"]
        if out.at[i, "unit"] == "proportion":
            out.loc[i, ["estimate", "conf_low", "conf_high"]] = (x / d, *wilson(x, d, level)) if d else (np.nan,) * 3
        elif out.at[i, "unit"].startswith("per "):
            per = out.at[i, "estimate"] / (out.at[i, "numerator"] or np.nan) if out.at[i, "numerator"] else 0.0
            limits = poisson(x, level) if x else (0.0, np.nan)
            out.loc[i, ["estimate", "conf_low", "conf_high"]] = (x * per, limits[0] * per, limits[1] * per if x else out.at[i, "conf_high"])
            out.at[i, "method"] = "exact" if x < EXACT_BELOW else "Byar's"
        else:
            out.at[i, "estimate"] = x
    # a share that is no ratio of two counts (Kaplan-Meier): to the nearest count that could be shown, with its limits moved along
    modelled = out["unit"].eq("proportion") & out["denominator"].isna() & out["estimate"].notna() & out["n"].gt(0) & (rule.round_to > 1)
    for i in out.index[modelled]:
        n = rule.round(out.at[i, "n"])
        share = min(rule.round(out.at[i, "estimate"] * out.at[i, "n"]) / n, 1.0)
        low, high = (round(out.at[i, side] + share - out.at[i, "estimate"], 2) for side in ("conf_low", "conf_high"))
        out.loc[i, ["estimate", "conf_low", "conf_high"]] = share, max(min(low, share), 0.0), min(max(high, share), 1.0)
    small_missing = out["n_missing"].between(1, rule.hide_to)
    out["n"], out["n_missing"] = rule.round(out["n"]), rule.round(out["n_missing"]).mask(small_missing)
    if rule.round_to == 1:              # from an exact n and a total that is known elsewhere, the missing could be had back
        out["n"] = out["n"].mask(small_missing)
    return out


def _second_cells(out, hide, rule):
    """One further row for each breakdown in which a single hidden one could be had back from the total or its neighbours."""
    also = pd.Series(False, index=out.index)
    size = out["numerator"].where(out["denominator"].notna(), out["n"])
    for (_, group), part in out[out["group"] != "all"].groupby(["measure", "group"], sort=False):
        if group == "stage":
            also[_near_stages(size[part.index], rule)] = True
        elif group not in OVERLAPPING and not part["unit"].eq("rows").any() and not part["measure"].eq("completeness").any():
            # an estimate that is no ratio of counts (a Kaplan-Meier share, a mean) is had back from no total; its n may be
            counts = part["denominator"].notna() | part["n"].map(lambda n: _small(n, rule))
            hidden = list(part.index[hide[part.index] & counts])
            others = list(size[part.index[~hide[part.index] & size[part.index].gt(0)]].sort_values(kind="stable").index)
            while others and _solvable(size[hidden]):
                also[others[0]] = True
                hidden.append(others.pop(0))
    return also & ~hide


def _solvable(hidden):
    """True when the hidden counts follow from their sum: there is one, or each must be 1."""
    return len(hidden) == 1 or len(hidden) > 1 and hidden.sum() <= len(hidden)


def _near_stages(size, rule):
    """Stages of a funnel that differ from the one before by a small number, where counts are not rounded."""
    drop = size.shift(1) - size
    return size.index[drop.between(1, rule.hide_to) & (rule.round_to == 1)]


def release_curve(curve, rule):
    """A curve as it may leave: each step stands for more people than the rule hides, and it ends while enough are at risk.

    Parameters
    ----------
    curve : DataFrame
        Curve layout: one row per level and day, with n_at_risk and n_events.
    rule : Rule

    Returns
    -------
    DataFrame
        The same columns, fewer rows; n_at_risk rounded, n_events left out. A level with too few people has no rows.
    """
    if rule.hide_to == 0 or curve.empty:
        return curve.drop(columns="n_events")
    kept = []
    for _, part in curve.groupby(["group", "level"], sort=False):
        part = part[part["n_at_risk"] > rule.hide_to]
        since, keep = 0, []
        for events in part["n_events"]:
            since += events
            keep.append(since > rule.hide_to or (not keep and since == 0))
            since = 0 if since > rule.hide_to else since
        kept.append(part[np.array(keep, dtype=bool)])
    out = pd.concat(kept, ignore_index=True)
    shares = ["estimate", "conf_low", "conf_high"]          # to whole per cents, from which no exact count can be had back
    out[shares] = out[shares].astype(float).round(2)
    return out.assign(n_at_risk=rule.round(out["n_at_risk"])).drop(columns="n_events")
