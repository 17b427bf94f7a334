"""Disclosure control: what may leave. Everything released has been through here, and nothing else may be shown."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sprx.intervals import EXACT_BELOW, cost_each, poisson, wilson
from sprx.results import RESULT_COLUMNS

# one note for both, so that nobody can tell which of two hidden numbers is the small one
HIDDEN = "too few people to show, or hidden so that such a number cannot be worked out"
# breakdowns whose levels are not the parts of a whole: nothing can be had back from a total
OVERLAPPING = ("suitable_group", "delta", "threshold", "months", "table", "arm", "need", "activity_type", "need_by_activity", "occasion", "timing", "domain", "log_rank", "phase",
               "arm_and_time", "month_from_start", "calendar_month", "analysis", "left_out", "compared")
# breakdowns in which each level holds the next, and counts that the flows beside them lead from one to the next
NESTED, STOCKS = ("stage", "contacts_at_least"), ("caseload", "sent_to_group")
# measures whose levels are the parts of a whole, though others of the same breakdown overlap
PARTS_OF_A_WHOLE = ("demand_share", "need_share")
# numbers about people at a stage, and the stages each is a part of ('' = everyone referred); from two exact ones the few between could be had
EARLIER = {"seen": ("",), "completed": ("", "seen"), "followed_up": ("",)}
# the same people in another form: what is hidden in the first is hidden in these; their other number is of people with a known group
SAME_PEOPLE = ("reached", "representation_ratio", "referral_rate_standardised")
# of one level of a subgroup: what is hidden in its change is hidden in its other rows, which have the same number of people
OF_SUBGROUP = ("subgroup_shrunken", "subgroup_interaction", "subgroup_arm_difference")
# numbers that rest on many counts at once, which no rounding of counts protects: three figures, two decimals at most
BLUNTED = ("mean_of_people", "sd_of_people", "median_of_people", "smd", "slope_index", "relative_index", "fitted_rate", "referral_rate_standardised")
# changes under a belief about those lost, odds, costs and effects: from exact ones the share lost, or the degrees of freedom and so n, could be had; three figures
COARSE = ("change_return_to_baseline", "change_delta", "tipping_point", "odds_of_follow_up", "use_", "rate_ratio", "minimum_detectable_ratio",
          "mean_qaly", "mean_cost", "uncontrolled_qaly", "qaly_", "cost_difference", "net_benefit", "wellby_", "wellbeing_value", "capacity_", "health_value", "social_return", "distance_to_nearest")
# rows about money, cost lines or what others published, and rows made of released ones: nobody is counted in them, nothing is hidden or rounded
NOT_ABOUT_PEOPLE = ("cost_total", "cost_charged", "cost_by_category", "cost_by_kind", "cost_by_basis", "cost_by_category_and_basis", "cost_lines_given", "cost_driver",
                    "cost_per_additional_improved", "published_cost", "published_caseload")
FROM_RELEASED = ("study_effect", "study_change", "study_difference", "average_effect", "average_change", "average_difference", "further_", "direction_", "pooled_", "prediction_",
                 "own_estimate", "other_studies", "weight_of_scheme", "shrunken_estimate", "studies_", "small_study_slope", "tau2", "i2", "services_", "gap_index", "places_used", "community_",
                 "check_", "bias_domain_", "strength_", "step_hours", "coproduction_", "framework_link", "rap_")    # how rows of published and released numbers begin
PER_COUNTED = "pounds a "       # how the unit of a cost shared among counted people begins
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


def not_about_people(measures):
    """Which of these measures count nobody: money, what others published, and what is made of numbers already released."""
    return measures.isin(NOT_ABOUT_PEOPLE) | measures.str.startswith(FROM_RELEASED)


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
        RESULT_COLUMNS. Hidden rows have suppressed = True and no numbers; a hidden n_missing is empty. Shares, rates, costs a person
        and counts are worked out again from rounded counts, with their limits; means, medians and curves stay as they are. Rows of
        NOT_ABOUT_PEOPLE pass as they are.

    References
    ----------
    NHS England secondary care rule of September 2018 (counts 1 to 7, rounding to 5); secondary suppression is ours.
    """
    money = not_about_people(table["measure"])
    if rule.hide_to == 0 or money.all():
        return table[RESULT_COLUMNS].copy()
    if money.any():
        return pd.concat([table.loc[money, RESULT_COLUMNS], release(table[~money], rule)]).loc[table.index]
    out = table.copy()
    hide = out.apply(lambda row: _too_small(row, rule), axis=1).astype(bool) if len(out) else pd.Series(dtype=bool)
    hide |= _near_earlier(out, rule)
    also = _second_cells(out, hide, rule)
    out = _rounded(_shared_again(out, rule), rule)
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
    # of a number made of many counts the numerator is the smallest: where counts are rounded it cannot be worked out
    fewest = _small(row.numerator, rule) and not (rule.round_to > 1 and row.measure.startswith(BLUNTED) and row.unit != "standard deviations")
    return bool(_small(row.n, rule) or fewest or one_sided)


def _stage_of(measure):
    """'seen' of share_of_people_seen; '' where a measure is about everyone."""
    return next((stage for stage in EARLIER if measure.endswith(f"_{stage}")), "")


def _near_earlier(out, rule):
    """Unrounded: rows about a stage that few people of the same level lie before, or that leave a small number out."""
    near = pd.Series(False, index=out.index)
    stage = out["measure"].map(_stage_of)
    base = [measure.removesuffix(f"_{at}") for measure, at in zip(out["measure"], stage)]
    if rule.round_to > 1 or not (set(base) & {"share_of_people", "mean_of_people", *SAME_PEOPLE}):
        return near
    size = out["numerator"].where(out["denominator"].notna(), out["n"])
    here = pd.DataFrame(dict(base=base, stage=stage, group=out["group"], level=out["level"], size=size))
    counted = here[here["base"].isin(["share_of_people", "mean_of_people"])].drop_duplicates(["group", "level", "stage"])
    counts = counted.set_index(["group", "level", "stage"])["size"].to_dict()
    for i, at in stage[stage != ""].items():
        key = (here.at[i, "group"], here.at[i, "level"])
        count = counts.get((*key, at), np.nan)
        near[i] = any(_small(counts.get((*key, before), np.nan) - count, rule) for before in EARLIER[at])
    left_out = here["base"].isin(SAME_PEOPLE[:2]) & out["n_missing"].between(1, rule.hide_to)
    return near | left_out


def _linked(out, hidden):
    """Rows that tell of the same people as a hidden row: another form of its share, or a tenth of its fifth."""
    rows = list(zip(out.index, out["measure"], out["group"], out["level"], hidden))
    keys = {(measure, group, level) for _, measure, group, level, gone in rows if gone}
    linked = {i: any(key in keys for key in _same_people(measure, group, level)) for i, measure, group, level, _ in rows if _is_linked(measure, group)}
    return pd.Series(linked, dtype=bool).reindex(out.index, fill_value=False)


def _same_people(measure, group, level):
    """The rows (measure, group, level) whose hiding a linked row would undo."""
    found = [(f"share_of_people_{_stage_of(measure)}".removesuffix("_"), group, level)]
    found += [("share_of_people", group, level)] * measure.startswith("reached") + [("referral_rate", group, level)] * (measure == "referral_rate_standardised")
    found += [(measure.replace(stem, "subgroup_change"), group, level) for stem in OF_SUBGROUP if measure.startswith(stem)]
    if group == "imd_decile":
        fifth = str((int(level) + 1) // 2) if level.isdigit() else level
        found += [(measure, "imd_quintile", fifth), ("share_of_people", "imd_quintile", fifth)]
    return found


def _is_linked(measure, group):
    return measure.startswith((*SAME_PEOPLE, *OF_SUBGROUP)) or group == "imd_decile"


def _rounded(out, rule):
    """Counts rounded, and shares, counts and rates worked out again from them."""
    counted = out["numerator"].notna() & out["denominator"].notna() & out["estimate"].notna() & ~out["unit"].str.startswith(PER_COUNTED)
    numerator, denominator = rule.round(out["numerator"]), rule.round(out["denominator"])
    again = {}
    for i in out.index[counted & (rule.round_to > 1)]:
        x, d, level = numerator[i], denominator[i], out.at[i, "conf_level"]
        if out.at[i, "unit"] == "ratio":        # a share by a share that is known: the same scale for the share and its limits
            shares = np.array([x / d, *wilson(x, d, level)])
            scale = out.at[i, "conf_high"] / wilson(out.at[i, "numerator"], out.at[i, "denominator"], level)[1]
            again[i] = shares * scale
        elif out.at[i, "unit"] == "proportion":
            again[i] = (x / d, *wilson(x, d, level)) if d else (np.nan,) * 3
        elif out.at[i, "unit"].startswith("per "):
            per = out.at[i, "estimate"] / (out.at[i, "numerator"] or np.nan) if out.at[i, "numerator"] else 0.0
            limits = poisson(x, level) if x else (0.0, np.nan)
            again[i] = (x * per, limits[0] * per, limits[1] * per if x else out.at[i, "conf_high"])
            out.at[i, "method"] = "exact" if x < EXACT_BELOW else "Byar's"
        else:
            out.at[i, "estimate"] = x
    if again:
        out.loc[list(again), ["estimate", "conf_low", "conf_high"]] = np.array(list(again.values()), dtype=float)
    # a share that is no ratio of two counts (Kaplan-Meier): to the nearest count that could be shown, with its limits moved along
    modelled = out["unit"].eq("proportion") & out["denominator"].isna() & out["estimate"].notna() & rule.round(out["n"]).gt(0) & (rule.round_to > 1)
    for i in out.index[modelled]:
        n = rule.round(out.at[i, "n"])
        share = min(rule.round(out.at[i, "estimate"] * out.at[i, "n"]) / n, 1.0)
        low, high = (round(out.at[i, side] + share - out.at[i, "estimate"], 2) for side in ("conf_low", "conf_high"))
        out.loc[i, ["estimate", "conf_low", "conf_high"]] = share, max(min(low, share), 0.0), min(max(high, share), 1.0)
    blunt = out["measure"].str.startswith(BLUNTED)
    out.loc[blunt, NUMBERS[2:]] = out.loc[blunt, NUMBERS[2:]].map(_blunted)
    coarse = out["measure"].str.startswith(COARSE)
    out.loc[coarse, NUMBERS[2:]] = out.loc[coarse, NUMBERS[2:]].map(lambda value: float(f"{value:.3g}"))
    small_missing = out["n_missing"].between(1, rule.hide_to)
    out["n"], out["n_missing"] = rule.round(out["n"]), rule.round(out["n_missing"]).mask(small_missing)
    if rule.round_to == 1:
        stock = out["measure"].isin(STOCKS)     # from two exact stocks and the flows that are shown a hidden flow could be had back
        out.loc[stock, ["n", "estimate"]] = np.floor(out.loc[stock, ["n", "estimate"]] / 5 + 0.5) * 5
    if rule.round_to == 1:              # from an exact n and a total that is known elsewhere, the missing could be had back
        out["n"] = out["n"].mask(small_missing)
    return out


def _shared_again(out, rule):
    """Costs shared among rounded counts, to three figures: total / exact count would give the exact count away."""
    for i in out.index[out["unit"].str.startswith(PER_COUNTED) & out["numerator"].notna() & out["estimate"].notna() & (rule.round_to > 1)]:
        row, share = out.loc[i], None
        divisor = count = row["numerator"]
        if pd.notna(row["denominator"]):        # shared among a share of all people
            share, count = (rule.round(row["numerator"]), rule.round(row["denominator"])), row["n"] + row["n_missing"]
            divisor = count * row["numerator"] / row["denominator"]
        found = cost_each(row["estimate"] * divisor, rule.round(count), row["conf_level"], share)
        out.loc[i, ["estimate", "conf_low", "conf_high"]] = [float(f"{value:.3g}") for value in found]
    return out


def _blunted(value):
    """Three significant figures, two decimals at most."""
    return value if pd.isna(value) or value == 0 else round(value, min(2, 2 - int(np.floor(np.log10(abs(value))))))


def _second_cells(out, hide, rule):
    """One further row for each breakdown in which a single hidden one could be had back from the total or its neighbours."""
    also = pd.Series(False, index=out.index)
    size = out["numerator"].where(out["denominator"].notna(), out["n"])
    parts = list(out[out["group"] != "all"].groupby(["measure", "group"], sort=False))
    for (measure, group), part in sorted(parts, key=lambda item: (_is_linked(*item[0]), bool(_stage_of(item[0][0])))):
        if _is_linked(measure, group):
            also[part.index] |= _linked(out, hide | also)[part.index]
        if group in NESTED:
            also[_near_stages(size[part.index], rule)] = True
        elif (group not in OVERLAPPING or measure in PARTS_OF_A_WHOLE) and not part["unit"].isin(["rows", "rank"]).any() and not part["measure"].eq("completeness").any():
            # an estimate that is no ratio of counts (a Kaplan-Meier share, a mean) is had back from no total; its n may be
            counts = part["denominator"].notna() | part["n"].map(lambda n: _small(n, rule))
            gone = (hide | also)[part.index]
            hidden = list(part.index[gone & counts])
            rest = part.index[~gone & size[part.index].gt(0)]
            # first the levels that are hidden among all people already, so that no more of them are lost than must be
            already = out.loc[(hide | also) & out["measure"].eq("share_of_people") & out["group"].eq(group), "level"]
            others = sorted(rest, key=lambda i: (out.at[i, "level"] not in set(already), size[i]))
            while others and _solvable(size[hidden]):
                also[others[0]] = True
                hidden.append(others.pop(0))
    if rule.round_to == 1:
        also |= _crossing(out, size, hide | also)
    return also & ~hide


def _crossing(out, size, hidden):
    """Unrounded: further rows where lines that cross, each with a sum that is shown, would give a hidden one back."""
    more = pd.Series(False, index=out.index)
    combined, answers = out[out["group"] == "group_combination"], out[out["measure"] == "need_answered"]
    if len(combined) > 1:               # the people of each group are the sum of its combinations
        lines = combined["level"].str.replace(" + ", "|", regex=False).str.get_dummies().astype(bool).assign(everyone=True)
        more |= _until_safe(size, hidden, lines)
    cells = answers[answers["group"] != "answers_to_all_needs"]
    if len(cells) > 1:                  # the answers to all needs are the sums over the needs
        sums = answers.loc[answers["group"].eq("answers_to_all_needs") & ~hidden[answers.index], "level"]
        lines = pd.concat([pd.get_dummies(cells["group"]), pd.get_dummies(cells["level"]).reindex(columns=sums, fill_value=False)], axis=1)
        more |= _until_safe(size, hidden, lines.astype(bool))
    cells = out[out["measure"].eq("demand_share") & out["group"].str.endswith("_by_area")]
    if len(cells) > 1:                  # the prescriptions of each kind of activity are the sum over the areas
        lines = pd.get_dummies(cells["level"].str.split(" | ", regex=False).str[0]).astype(bool).assign(everyone=True)
        more |= _until_safe(size, hidden, lines)
    return more


def _until_safe(size, hidden, lines):
    """Hide the smallest row on a line with one that could be worked out, until none can; `lines` has a column of flags per known sum."""
    more = pd.Series(False, index=hidden.index)
    while True:
        gone = lines[(hidden | more)[lines.index]]
        sums = gone.to_numpy(float).T
        given = gone.index[np.diag(np.linalg.pinv(sums) @ sums) > 1 - 1e-9] if len(gone) else gone.index     # fixed by the sums alone
        ones = [line for line in lines if gone[line].any() and size[gone.index[gone[line]]].sum() <= gone[line].sum()]
        at_risk = lines.loc[given].any() | lines.columns.isin(ones)
        rest = lines.index.difference(gone.index)
        rest = rest[lines.loc[rest, at_risk[at_risk].index].any(axis=1) & size[rest].gt(0)]
        if rest.empty or not at_risk.any():
            return more
        more[size[rest].sort_values(kind="stable").index[0]] = True


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


def release_draws(draws, rule):
    """Joint bootstrap draws as they may leave: none where too few people are behind them, else three figures each.

    Parameters
    ----------
    draws : DataFrame
        One row per draw, with n, the fewest people behind it.
    rule : Rule
    """
    draws = draws[~draws["n"].map(lambda n: _small(n, rule)).astype(bool)].drop(columns="n")
    numbers = draws.select_dtypes("floating").columns
    return draws.assign(**{name: draws[name].map(lambda value: float(f"{value:.3g}")) for name in numbers})


def release_places(places, rule):
    """Places of services on a map, to about a hundred metres: a directory has made them public. Places of people have no column here.

    Parameters
    ----------
    places : DataFrame
        One row per service: measure, group, level, lat, lon.
    rule : Rule
    """
    return places[["measure", "group", "level", "lat", "lon"]].assign(lat=places["lat"].round(3), lon=places["lon"].round(3))
