"""Is it worth the money? Costs and effects of the scheme's people against those of others, together."""

from dataclasses import dataclass

import numpy as np

from sprx.errors import DataError
from sprx.metrics.cost_effectiveness.data import EconomicPlan, Valued, service_prices, used, value_people
from sprx.reference import BY_LOT
from sprx.results import result_table
from sprx.stats import comparison, economics, missing

__all__ = ["EconomicPlan", "Fit", "Valued", "cost_effectiveness", "fit", "means_by_arm", "service_prices", "value_people"]
FEWEST_TOGETHER = 10        # people a coefficient, for both equations together
WORDS = {
    "adjusted": "two least-squares regressions: effect on arm and first score, cost on arm and use before the start", "not adjusted": "differences of means",
    "with covariates": "the same with the covariates of scheme.yaml", "complete cases": "only people of whom everything is recorded",
    "filled in": "missing values filled in", "weighted": "comparison people weighted by odds of being in the scheme", "seemingly unrelated": "both equations fitted together (SUR), complete cases",
    "bootstrap": "percentile limits of the joint draws"}


@dataclass(frozen=True)
class Fit:
    """Differences, scheme minus comparison, one row per completed copy: effect, spending on each service, last score; with their covariances."""

    estimates: np.ndarray
    covariances: np.ndarray
    df: float
    conf_level: float

    def contrast(self, towards, constant=0.0):
        """A weighted sum of the differences, pooled over the copies (Rubin, Barnard and Rubin): estimate, std_error, conf_low, conf_high."""
        values = self.estimates @ towards + constant
        variances = np.einsum("i,mij,j->m", towards, self.covariances, towards)
        if variances.max() <= 1e-18 * max(1.0, float(np.abs(values).max())):        # what is the same for everybody has no error
            return dict(estimate=float(values.mean()), std_error=0.0, conf_low=float(values.mean()), conf_high=float(values.mean()))
        found = missing.pool(values, variances, self.df, self.conf_level)
        return {k: found[k] for k in ("estimate", "std_error", "conf_low", "conf_high")}

    @property
    def effect(self):
        """The weights that pick out the effect."""
        return np.eye(self.estimates.shape[1])[0]

    @property
    def spending(self):
        """The weights that add up the services."""
        towards = np.ones(self.estimates.shape[1])
        towards[[0, -1]] = 0.0
        return towards


def fit(ready, plan, only=None, adjust=None, weigh=False, rate=None, filled_in=False):
    """The differences in effect and cost.

    Parameters
    ----------
    ready : Valued
        Without a problem.
    plan : EconomicPlan
    only : array of bool, optional
        People used, with what was recorded (one copy); default as `used` says.
    adjust : 'nothing', 'first' or 'known', optional
        Default 'first' (own first score, use before the start) where the arms were drawn by lot, else also what is known.
    weigh : bool
        Whether comparison people are weighted to look like the scheme's.
    rate : float, optional
        Discount rate of the effects.
    filled_in : bool
        Everybody in every completed copy, also where there are places.

    Returns
    -------
    Fit
    """
    keep = np.ones(len(ready.arm), dtype=bool) if filled_in else used(ready) if only is None else only
    copies = ready.copies if filled_in or only is None and ready.clusters is None else ready.copies[:1]
    adjust = adjust or adjustment(plan)
    clusters = None if ready.clusters is None else ready.clusters[keep]
    fits = []
    for copy in copies:
        weights = None
        if weigh:
            x = copy[keep][:, ready.columns("known", "before") + ready.columns("score")[:1]]
            weights = comparison.att_weights(ready.arm[keep], comparison.propensity(ready.arm[keep], x))
        fits.append(economics.increments(ready.outcomes(copy, keep, plan.rate if rate is None else rate), ready.designs(copy, keep, adjust), clusters, weights))
    estimates, covariances, df = zip(*fits)
    return Fit(np.array(estimates), np.array(covariances), float(np.mean(df)), plan.conf_level)


def adjustment(plan):
    """What the answer adjusts for: its own first value where chance made the arms alike, else also what is known of people."""
    return "first" if plan.design in BY_LOT else "known"


def counts(ready, keep):
    """n, n_missing, and the smallest number of people that a row could give away."""
    sizes = [int((ready.followed & keep & (ready.arm == a)).sum()) for a in (0, 1)]
    left = int((~keep).sum())
    return dict(n=int(keep.sum()), n_missing=left + ready.others, numerator=min([*sizes, *([left] if left else [])]))


def cost_effectiveness(ready, plan, analyses=True):
    """Differences in effect and cost, what they come to at each threshold, and every analysis beside the answering one.

    Parameters
    ----------
    ready : Valued
    plan : EconomicPlan
    analyses : bool
        Whether the other analyses are made too.

    Returns
    -------
    DataFrame
        Result layout, scheme minus comparison, per person: qaly_difference (QALYs), cost_difference (pounds, the scheme's own cost included), use_cost_difference (pounds, of services only), icer
        (pounds per QALY; only where costs and effects are both higher or both lower: else the note says which is better on both counts), net_benefit (pounds; group threshold_gbp), and
        *_by_analysis (group analysis). One row with a note where nothing can be compared.

    References
    ----------
    Manca, Hawkins and Sculpher (2005) Health Econ 14:487; Rubin's rules; net benefit: Stinnett and Mullahy (1998) Med Decis Making 18:S68.
    """
    row = dict(group="all", level="all", conf_level=plan.conf_level)
    if ready.problem:
        return result_table([row | dict(measure="qaly_difference", n=0, n_missing=ready.others, unit="QALYs a person", note=f"not estimated: {ready.problem}")])
    found = fit(ready, plan)
    row |= counts(ready, used(ready)) | dict(method=_method(ready, plan), note="" if len(found.estimates) == 1 else ready.how)
    effect, cost = found.contrast(found.effect), found.contrast(found.spending, plan.scheme_cost)
    rows = [row | dict(measure="qaly_difference", unit="QALYs a person", **effect), row | dict(measure="cost_difference", unit="pounds", **cost),
            row | dict(measure="use_cost_difference", unit="pounds", **found.contrast(found.spending)), row | dict(measure="icer", unit="pounds per QALY", **_ratio(effect, cost))]
    rows += [row | dict(measure="net_benefit", group="threshold_gbp", level=f"{at:.0f}", unit="pounds", **found.contrast(at * found.effect - found.spending, -plan.scheme_cost))
             for at in plan.thresholds]
    rows += _analyses(ready, plan, row) if analyses else []
    return result_table(rows)


def _method(ready, plan):
    more = "" if plan.design in BY_LOT else ", each also on what is known of people"
    return WORDS["adjusted"] + more + ("; errors by place, complete cases" if ready.clusters is not None else "")


def _ratio(effect, cost):
    """The ratio where it means something: both differences have the same sign; else in words which is better."""
    gained, paid = effect["estimate"], cost["estimate"]
    if abs(gained) < 1e-12:
        return dict(note="no ratio: the effects are the same")
    if abs(paid) < 1e-9:
        return dict(note="no ratio: the costs are the same")
    if gained * paid > 0:
        return dict(estimate=paid / gained, note="" if gained > 0 else "less effect for less money: pounds saved per QALY given up")
    return dict(note="no ratio: the scheme does more and costs less (it dominates)" if gained > 0 else "no ratio: the scheme does less and costs more (it is dominated)")


def _analyses(ready, plan, row):
    """Effect, cost and net benefit of every analysis; one that cannot be made is left out of none: it says why."""
    everybody = np.ones(len(ready.arm), dtype=bool)
    ways = {"adjusted": {}, "not adjusted": dict(adjust="nothing")}
    ways |= {"with covariates": dict(adjust="known", only=ready.recorded & used(ready))} if plan.design in BY_LOT and ready.columns("known") else {}
    ways |= {"complete cases": dict(only=ready.complete)} if ready.clusters is None and not ready.complete.all() else {}
    ways |= {"weighted": dict(weigh=True)} if plan.design not in BY_LOT else {}
    rows = []
    for level, how in ways.items():
        try:
            rows += _three(fit(ready, plan, **how), plan, row | counts(ready, how.get("only", used(ready))) | dict(level=level, method=WORDS[level]))
        except DataError as problem:
            rows.append(row | dict(measure="qaly_difference_by_analysis", group="analysis", level=level, n=0, method=WORDS[level], note=f"not estimated: {problem}"))
    if ready.clusters is not None and not ready.complete.all():
        rows += _three(fit(ready, plan, filled_in=True), plan, row | counts(ready, everybody) | dict(level="filled in", method=f"{WORDS['filled in']}; errors by place", note=ready.how))
    return rows + _together(ready, plan, row)


def _three(found, plan, row):
    """The three rows of one analysis; net benefit at the first threshold."""
    at = plan.thresholds[0]
    made = dict(qaly_difference=("QALYs a person", found.contrast(found.effect)), cost_difference=("pounds", found.contrast(found.spending, plan.scheme_cost)),
                net_benefit=("pounds", found.contrast(at * found.effect - found.spending, -plan.scheme_cost)))
    return [row | dict(measure=f"{name}_by_analysis", group="analysis", unit=unit, **numbers) for name, (unit, numbers) in made.items()]


def _together(ready, plan, row):
    """Seemingly unrelated regression of effect and spending, among complete cases."""
    keep = ready.complete
    if not ready.services or keep.sum() < 4 * FEWEST_TOGETHER:
        return []
    outcomes, designs = ready.outcomes(ready.copies[0], keep, plan.rate), ready.designs(ready.copies[0], keep, adjustment(plan))
    both = [outcomes[0], sum(outcomes[1:-1])]
    if min(y.std() for y in both) == 0:
        return []
    estimates, covariance = economics.seemingly_unrelated(both, designs[:2])
    found = Fit(np.array([[*estimates, 0.0]]), np.pad(covariance, (0, 1))[None], float(keep.sum() - 2), plan.conf_level)
    return _three(found, plan, row | counts(ready, keep) | dict(level="seemingly unrelated", method=WORDS["seemingly unrelated"], note=""))


def means_by_arm(ready, plan):
    """Mean effect and cost of each arm as recorded, among people of whom every score and cost is.

    Returns
    -------
    DataFrame
        Result layout: mean_qaly (QALYs) and mean_cost (pounds, the scheme's own cost included); group arm. Without adjustment, so that their difference is not the answer.
    """
    if ready.problem:
        return result_table([])
    rows = []
    for name, a in (("scheme", 1), ("comparison", 0)):
        keep = ready.valued & (ready.arm == a)
        outcomes = ready.outcomes(ready.copies[0], keep, plan.rate)
        cost = sum(outcomes[1:-1], np.zeros(keep.sum())) + plan.scheme_cost * a
        for measure, unit, values in (("mean_qaly", "QALYs a person", outcomes[0]), ("mean_cost", "pounds", cost)):
            rows.append(dict(measure=measure, group="arm", level=name, n=int(keep.sum()), n_missing=int(((ready.arm == a) & ~keep).sum()), numerator=int(keep.sum()), unit=unit,
                             estimate=values.mean() if keep.any() else np.nan, method="mean of people with every score and cost recorded"))
    return result_table(rows)
