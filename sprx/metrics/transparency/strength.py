"""How strong the evaluation is, and what would make it stronger, cheapest first."""

import pandas as pd

from sprx.metrics.transparency.checks import best_level, held
from sprx.reference import facts
from sprx.results import result_table

WELL_FILLED = 0.9
PEOPLE_IF_HIDDEN = 100                  # a year, where the number of referrals is not known or hidden
FULL_SHARE = 12                         # four Co's of 3 each
GOALS = {"maryland": "strength_maryland", "nesta": "strength_nesta"}


def strength(results):
    """The Maryland and the Nesta level that this run reaches.

    Parameters
    ----------
    results : DataFrame
        Released results of the earlier chapters.

    Returns
    -------
    DataFrame
        Result layout: strength_maryland (the higher of scores and use, of 5) and strength_nesta (3 at most: that others found the same cannot be seen in one scheme's data).
    """
    maryland = best_level(results)
    logic = held(results, "share_with_need") and held(results, "share_prescribed")
    changed = held(results, "paired_change_") or held(results, "rate_ratio_")
    shown = maryland >= 3 and (held(results, "effect_") or held(results, "rate_ratio_"))
    nesta = 3 if shown else 2 if changed else 1 if logic else 0
    note = "what people need and what they are sent to is not recorded, which the first level asks for" if nesta > 1 and not logic else ""
    return result_table([
        dict(measure="strength_maryland", group="all", level="all", n=0, n_missing=0, estimate=maryland, unit="level of 5", method="chapter 04"),
        dict(measure="strength_nesta", group="all", level="all", n=0, n_missing=0, estimate=nesta, unit="level of 5", method="from this run's results", note=note)])


def referrals_a_year(results):
    """Referrals a year from the released counts of months or quarters, or PEOPLE_IF_HIDDEN where there are none."""
    rows = results[results["measure"].eq("referrals")]
    total, spells = rows.loc[rows["group"].eq("all"), "estimate"], rows.loc[rows["level"].ne("missing"), "group"].value_counts()
    months = spells.get("month", 0) or 3 * spells.get("quarter", 0)
    known = len(total) and pd.notna(total.iloc[0]) and total.iloc[0] > 0 and months
    return 12 * total.iloc[0] / months if known else float(PEOPLE_IF_HIDDEN)


def steps_to_gain(results, *found, instrument=None):
    """What the scheme could do next, cheapest first: hours in the first year, and what each step gains.

    Parameters
    ----------
    results : DataFrame
        Released results of the earlier chapters.
    found : DataFrames
        Released self_appraisal, strength, bias_domains, coproduction and standard_groups results.
    instrument : str, optional
        The main instrument; None without scores.

    Returns
    -------
    DataFrame
        Result layout; measure step_hours, group = kind of step (record, write, agree, study), level = step of reference/transparency/next_steps.csv, estimate = hours in the
        first year (ours: once_hours + minutes_per_person x referrals a year), note = what it gains, as 'check:who standard:needs'.
    """
    known, people, rows = pd.concat(found), referrals_a_year(results), []
    level = {goal: known.loc[known["measure"].eq(measure), "estimate"].max() for goal, measure in GOALS.items()}
    holds = {"": True, "scores": instrument is not None, "no scores": instrument is None, "no costs": not held(results, "cost_charged"), "comparison": level["maryland"] >= 3}
    for step in facts("transparency/next_steps").itertuples():
        gains = [f"check:{check}" for check in step.lifts.split() if _is_short(known, "check_result", check, 1)] + [g for g in step.gains.split() if _is_open(known, level, g)]
        if holds[step.needs] and gains:
            hours = float(step.once_hours) + float(step.minutes_per_person) * people / 60
            rows.append(dict(measure="step_hours", group=step.kind, level=step.id, n=0, n_missing=0, estimate=float(f"{hours:.2g}"), unit="hours in the first year",
                             method=f"{step.once_hours} hours, and {step.minutes_per_person} minutes for each of {people:.0f} people a year", note=" ".join(gains)))
    return result_table(sorted(rows, key=lambda row: (row["estimate"], row["level"])))


def _is_short(known, measure, level, full):
    """True where a number is there and below `full`."""
    return bool(known.loc[known["measure"].eq(measure) & known["level"].eq(level), "estimate"].lt(full).any())


def _is_open(known, level, gain):
    """True where a gain such as 'maryland:3', 'standard:needs' or 'bias:missing' is still to be had."""
    goal, _, what = gain.partition(":")
    if goal in level:
        return level[goal] < float(what)
    if goal == "standard":
        return _is_short(known[known["group"].eq("all")], f"standard_filled_{what}", "all", WELL_FILLED)
    if goal == "bias":
        return bool(known.loc[known["measure"].eq("bias_domain_rating") & known["level"].eq(what), "estimate"].ge(2).any())
    return not known.loc[known["measure"].eq("coproduction_score"), "estimate"].ge(FULL_SHARE).any()


def cheapest_to_record(steps, most=3):
    """The cheapest things to record: first those that each gain a level, a domain or a group that no cheaper one gains, then whatever else is cheap.

    Parameters
    ----------
    steps : DataFrame
        `steps_to_gain` results.
    """
    chosen, gained = [], set()
    for row in steps[steps["group"].eq("record")].itertuples():
        gains = {g for g in row.note.split() if not g.startswith("check:")}
        if gains - gained:
            chosen.append(row.Index)
            gained |= gains
    cheap = steps["estimate"].sort_values(kind="stable").index
    first = [i for i in cheap if steps.at[i, "group"] == "record" and i not in chosen] + [i for i in cheap if steps.at[i, "group"] != "record"]
    return steps.loc[(chosen + first)[:most]].sort_values("estimate", kind="stable")
