"""A plan for an evaluation that has not begun: what was chosen, checked, and the study it makes of each design."""

from dataclasses import dataclass, field, replace

import pandas as pd

from sprx.errors import DataError, nearest
from sprx.reference import allowed, facts, measures
from sprx.stats.power import DESIGNS, CountStudy, ScoreStudy, share

SMALL = 0.2                     # SDs: called small by custom (Cohen 1988); used where no study was averaged
FEWER = 0.85                    # ratio of rates looked for in use of services, unless another is given (assumption, ours)
RELIABILITY = (0.5, 0.65, 0.8)  # of a score over the time to follow-up (assumption, ours: docs/assumptions.md)
RATES = {"gp": 0.6, "nurse": 0.3, "ae": 0.05, "nel": 0.02, "op": 0.15, "mh": 0.1, "ambulance": 0.03, "all": 1.0}      # events a person and month (assumption, ours)


@dataclass(frozen=True)
class PlanSettings:
    """What a page needs to know of its subject, as of a scheme's settings."""

    scheme_id: str = "plan"
    name: str = "A plan for an evaluation"
    synthetic: bool = False


@dataclass(frozen=True)
class EvaluationPlan:
    """A checked plan; made by `plan_evaluation`.

    Attributes
    ----------
    outcome, outcome_name : str
        A measure (`swemwbs`) or a service (`gp`), and how it is called.
    design : str
        The chosen one of `sprx.stats.power.DESIGNS`.
    people : int
        Who will start in the scheme's arm.
    effect : float
        SDs better, or ratio of rates; `effect_source` says who expects it.
    sd, mid : float or None
        Spread and smallest important difference of the outcome in its points.
    studies : dict of design to study
        The designs that suit the outcome, weakest first, with the same numbers.
    starts_below : float
        SDs below people in general at which people start.
    """

    settings: PlanSettings
    outcome: str
    outcome_name: str
    is_use: bool
    design: str
    people: int
    follow_up: float
    follow_up_months: float
    effect: float
    effect_source: str
    sd: float | None
    sd_source: str
    mid: float | None
    mid_source: str
    starts_below: float
    lost_apart: float
    seed: int
    studies: dict = field(repr=False)

    @property
    def study(self):
        """The study of the chosen design."""
        return self.studies[self.design]

    @property
    def natural(self):
        """SDs that people who start low come up with no help: best guess, lowest and highest."""
        low, best, high = ((1 - r) * self.starts_below for r in reversed(RELIABILITY))
        return best, low, high


def expected_effect(outcome, pooled):
    """What published studies with a comparison let one expect of this outcome.

    Parameters
    ----------
    outcome : str
        A measure of reference/measures.csv.
    pooled : DataFrame
        As `pooled_effects` gives it, of the carried base.

    Returns
    -------
    (SDs better, where that comes from)
        The average, or 0.2 SDs where there is none, or none that is better.
    """
    domains = dict(zip(facts("domains")["domain"], facts("domains")["evidence_outcome"]))
    about = domains.get(measures()["domain"].get(outcome), "")
    found = pooled[(pooled["measure"] == "pooled_estimate") & (pooled["group"] == "controlled") & (pooled["level"] == about)]
    if len(found) and found["estimate"].iloc[0] > 0:
        studies = pooled[(pooled["measure"] == "studies_pooled") & (pooled["group"] == "controlled") & (pooled["level"] == about)]["estimate"].iloc[0]
        return round(float(found["estimate"].iloc[0]), 3), f"the average of {studies:.0f} published studies with a comparison"
    return SMALL, "a size called small by custom, since no published studies could be averaged"


def plan_evaluation(chosen, pooled=None):
    """Check what was chosen and make the studies of a plan.

    Parameters
    ----------
    chosen : dict
        outcome, design, people, follow_up, effect (0: what the evidence lets one expect), sd (0: from reference/planning.csv), correlation, starts_below, lost_apart, cluster_size, cluster_cv, icc,
        ratio, rate (events a person and month; 0: assumed), months, wanted, conf_level, seed, name.
    pooled : DataFrame, optional
        Averages of published effects; needed where effect is 0 and the outcome is a score.

    Returns
    -------
    EvaluationPlan

    Raises
    ------
    DataError
        If the outcome or design is not known, or a number cannot be what it says.
    """
    outcome, design, people = chosen["outcome"], chosen["design"], chosen["people"]
    services, known = allowed("service"), measures()
    if outcome not in known.index and outcome not in services:
        raise DataError(f"No outcome {outcome!r}.{nearest(outcome, [*known.index, *services])} Give a measure, such as swemwbs, or a service: {', '.join(services)}.")
    is_use = outcome not in known.index
    if design not in DESIGNS:
        raise DataError(f"No design {design!r}.{nearest(design, DESIGNS)} Choose one of: {', '.join(DESIGNS)}.")
    if is_use and design in ("before_after", "cluster_randomised"):
        raise DataError(f"Numbers of people for use of services are worked out for two arms of people: randomised, matched or concurrent; found {design}. "
                        "Choose one of these, or a score as outcome.")
    if not (isinstance(people, (int, float)) and people == int(people) and 0 < people <= 1_000_000):
        raise DataError(f"A plan needs people: a whole number above 0 in the scheme, and no more than a million; found {people}.")
    for name, least, most, words in (("starts_below", 0, 3, "How far below people in general people start, in SDs,"), ("lost_apart", -2, 2, "How much worse those lost fare, in SDs,"), ("months", 0.1, 60, "Months to follow-up")):
        if not least <= chosen[name] <= most:
            raise DataError(f"{words} must lie between {least:g} and {most:g}; found {chosen[name]:g}.")
    share(chosen["follow_up"], "The share of people measured again")
    if not str(chosen["name"]).strip() or not str(chosen["name"]).isprintable():
        raise DataError(f"The plan needs a name on one line; found {chosen['name']!r}.")
    effect, source = (chosen["effect"], "the plan's own figure") if chosen["effect"] else (FEWER, "an assumption: 15% fewer") if is_use else expected_effect(outcome, pooled)
    if is_use and effect == 1 or not is_use and not effect > 0:
        raise DataError(f"The effect to be found is {'a ratio of rates other than 1, such as 0.85' if is_use else 'in standard deviations better, above 0, such as 0.3'}; found {effect:g}.")
    sd, sd_source = (None, "") if is_use else _spread(outcome, chosen["sd"])
    row = None if is_use else known.loc[outcome]
    mid = None if is_use or pd.isna(row["mid_value"]) else float(row["mid_value"])
    plan = EvaluationPlan(PlanSettings(name=chosen["name"]), outcome, services[outcome] if is_use else row["name"], is_use, design, int(people), chosen["follow_up"], chosen["months"], effect, source, sd, sd_source,
                          mid, "" if mid is None else f"{row['mid_value_source']}; {row['mid_verification']}", chosen["starts_below"], chosen["lost_apart"], chosen["seed"], {})
    return replace(plan, studies=_uses(plan, chosen) if is_use else _scores(plan, chosen))


def _spread(outcome, given):
    """The SD of a score and who says so."""
    if given:
        if not given > 0:
            raise DataError(f"The spread between people (SD) must be above 0; found {given:g}. Give the standard deviation of the score among people like yours.")
        return float(given), "the plan's own figure"
    rows = facts("planning").query("measure_id == @outcome")
    return (float(rows["sd"].iloc[0]), f"{rows['origin'].iloc[0]}; {rows['verification'].iloc[0]}") if len(rows) else (None, "")


def _scores(plan, chosen):
    """A study of each design; effects in SDs, so that any measure can be planned."""
    best, _, high = plan.natural
    common = dict(effect=plan.effect, correlation=chosen["correlation"], follow_up=plan.follow_up, wanted=chosen["wanted"], conf_level=chosen["conf_level"])
    places = dict(cluster_size=chosen["cluster_size"], cluster_cv=chosen["cluster_cv"], icc=chosen["icc"])
    entangled = {r.design: float(r.entangled) for r in facts("planning_designs").itertuples()}
    return {design: ScoreStudy(design, **common, **({} if design == "before_after" else dict(ratio=chosen["ratio"])), **(places if design == "cluster_randomised" else {}),
                               entangled=entangled[design], **(dict(natural=best, unsure=high - best) if design == "before_after" else {})) for design in DESIGNS}


def _uses(plan, chosen):
    """Studies of use of services: people drawn by lot after the start only, and before and after; the same for the groups that were not drawn."""
    common = dict(effect=plan.effect, rate=chosen["rate"] or RATES[plan.outcome], months_after=plan.follow_up_months, follow_up=plan.follow_up, ratio=chosen["ratio"], wanted=chosen["wanted"],
                  conf_level=chosen["conf_level"])
    return {design: CountStudy(**common, months_before=plan.follow_up_months) for design in ("concurrent", "matched", "randomised")}
