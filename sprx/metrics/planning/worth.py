"""What a study of each design is worth before it is done: the expected value of sample information."""

import numpy as np
from scipy.stats import norm

from sprx.reference import facts
from sprx.results import result_table
from sprx.stats.economics import discount

MENTAL = "mental_wellbeing"


def prior_effect(pooled, outcome_level=MENTAL):
    """What is believed of the next scheme's effect: the average of published effects, and how unsure that is (between studies and of the average).

    Returns
    -------
    (mean, SD) in standard deviations of the outcome, or None where no effects could be averaged
    """
    rows = pooled[(pooled["group"] == "controlled") & (pooled["level"] == outcome_level)].set_index("measure")["estimate"]
    errors = pooled[(pooled["group"] == "controlled") & (pooled["level"] == outcome_level)].set_index("measure")["std_error"]
    if "pooled_estimate" not in rows or np.isnan(rows["pooled_estimate"]):
        return None
    return float(rows["pooled_estimate"]), float(np.sqrt(rows["tau2"] + errors["pooled_estimate"] ** 2))


def sample_information(prior, variance, value, cost):
    """Expected value of a study, a person: normal prior, normal answer, two choices (offer the scheme or not).

    Parameters
    ----------
    prior : (mean, SD) of the effect
    variance : float
        Of the study's answer around the truth; 0: perfect information.
    value, cost : float
        Pounds that one unit of effect is worth to a person, and that the scheme costs.

    Returns
    -------
    float
        Pounds a person, never below 0.

    References
    ----------
    Unit normal loss: Raiffa and Schlaifer (1961); for trials Claxton (1999) J Health Econ 18:341 and Willan and Pinto (2005) Stat Med 24:1791. Review: Wilson (2015) Pharmacoeconomics 33:105.
    """
    mean, sd = prior
    moved = value * sd ** 2 / np.sqrt(sd ** 2 + variance)          # SD of the net benefit as it will be believed after the study
    net = value * mean - cost
    if moved <= 0:
        return 0.0
    z = abs(net) / moved
    return float(moved * (norm.pdf(z) - z * norm.sf(z)))


def value_of_designs(plan, pooled, money):
    """What a study of each design is worth to everybody who could be offered the scheme, and what it costs.

    Parameters
    ----------
    plan : EvaluationPlan
    pooled : DataFrame
        As `pooled_effects`, of the carried base.
    money : dict
        value_per_sd (pounds that one SD better is worth for a person), cost_per_person, people_a_year, years, rate (discount).

    Returns
    -------
    DataFrame
        Result layout, group design, in pounds: value_of_study, cost_of_study, net_value_of_study; and perfect_information (all). No rows where no effects could be averaged, or the outcome is use of services.
    """
    level = _level(plan)
    prior = None if plan.is_use else prior_effect(pooled, level)
    if prior is None:
        return result_table([])
    years = np.arange(int(np.ceil(money["years"])))
    everybody = money["people_a_year"] * float(sum(discount(12 * years, money["rate"]) * np.minimum(money["years"] - years, 1)))
    worth = everybody * sample_information(prior, 0.0, money["value_per_sd"], money["cost_per_person"])
    belief = f"prior {prior[0]:.2f} (SD {prior[1]:.2f}), {everybody:,.0f} people, £{money['value_per_sd']:,.0f} a SD, £{money['cost_per_person']:,.0f} a person"
    rows = [dict(measure="perfect_information", group="all", level="all", estimate=worth, unit="pounds", method=belief)]
    for r in facts("planning_designs").itertuples():
        study = plan.studies[r.design]
        bias = plan.natural[0] if r.design == "before_after" else float(r.bias_sd)      # a change holds what would come with no help
        value = everybody * sample_information(prior, study.std_error(plan.people) ** 2 + bias ** 2, money["value_per_sd"], money["cost_per_person"])
        cost = float(r.fixed_cost) + float(r.cost_per_person) * plan.people * (1 + (0 if r.design == "before_after" else study.ratio))
        about = dict(group="design", level=r.design, unit="pounds", note=f"systematic error SD {bias:.2f}")
        rows += [dict(about, measure="value_of_study", estimate=value, method=belief), dict(about, measure="cost_of_study", estimate=cost, method=r.origin), dict(about, measure="net_value_of_study", estimate=value - cost, method=belief)]
    return result_table(rows)


def _level(plan):
    """The outcome of the evidence base that the plan's measure belongs to."""
    from sprx.reference import measures

    domains = dict(zip(facts("domains")["domain"], facts("domains")["evidence_outcome"]))
    return "" if plan.is_use else domains.get(measures()["domain"].get(plan.outcome), "")
