"""How alike the two groups are, and how easily the answer could be overturned."""

import numpy as np
import pandas as pd

from sprx.errors import DataError
from sprx.metrics.impact.scores import WORDS, headline_analysis, pooled_sd, prepare, estimate
from sprx.reference import BY_LOT
from sprx.results import result_table, share_row
from sprx.stats import comparison, missing

BANDS = np.linspace(0, 1, 6)        # of the chance of being in the scheme


def balance(people, instrument, plan):
    """How far the groups are apart in everything adjusted for, before and after weighting.

    Parameters
    ----------
    people, instrument, plan
        As for `scores.effect`.

    Returns
    -------
    DataFrame
        Result layout; smd_between_groups, group 'before weighting', 'weighted', 'balanced' (before only where the groups were drawn by lot), level = covariate: scheme
        minus comparison in the scheme people's standard deviations. effective_sample_size (people; group = kind of weights). Empty where nothing can be compared.

    References
    ----------
    As R's cobalt and MatchIt for the average effect among the treated: the SD is that of the scheme's people, before weighting.
    """
    try:
        ready = prepare(people, plan)
    except DataError:
        return result_table([])
    keep = ready.complete if ready.clusters is not None else np.ones(len(ready.arm), dtype=bool)
    arm, copies = ready.arm[keep], ready.copies[:, keep]
    counts = dict(n=int(keep.sum()), n_missing=int((~keep).sum()) + ready.others, numerator=int(min(arm.sum(), (1 - arm).sum())))
    rows = []
    for kind, weigh in _weightings(plan).items():
        try:
            weights = [weigh(arm, ready.x(copy)) for copy in copies]
        except DataError as problem:
            rows.append(counts | dict(measure="smd_between_groups", group=kind, level="all", unit="standard deviations", note=f"not estimated: {problem}"))
            continue
        for j, name in enumerate(ready.names):
            gaps = [comparison.att_difference(copy[arm == 1, j], copy[arm == 0, j], w[arm == 0]) for copy, w in zip(copies, weights)]
            rows.append(counts | dict(measure="smd_between_groups", group=kind, level=name, estimate=np.mean(gaps), unit="standard deviations",
                                      method="scheme minus comparison, in SDs of the scheme's people"))
        if kind != "before weighting":
            sizes = np.mean([comparison.effective_size(w[arm == 0]) for w in weights])
            rows.append(counts | dict(measure="effective_sample_size", group=kind, level="comparison", estimate=float(5 * np.round(sizes / 5)), unit="people",
                                      method="Kish", note=f"{int((arm == 0).sum() / 5 + 0.5) * 5:,} comparison people"))
    return result_table(rows).pipe(lambda t: t.assign(measure=t["measure"] + f"_{instrument}"))


def _weightings(plan):
    even = {"before weighting": lambda arm, x: np.ones(len(arm))}
    return even if plan.design in BY_LOT else even | {
        "weighted": lambda arm, x: comparison.att_weights(arm, comparison.propensity(arm, x)), "balanced": comparison.entropy_weights}


def comparison_weights(people, plan):
    """Weights that make comparison people look like the scheme's in what was known at the start, for use of services.

    Parameters
    ----------
    people : DataFrame, one row per person of either arm
        As `cohort.known_people` gives them; what is not known of a person stands at its mean.
    plan : Plan

    Returns
    -------
    Series by person_id, or None
        1 for the scheme's people, odds of being in the scheme for the others; None where the groups were drawn by lot, nothing is known, or no comparison
        person is like them.
    """
    arm = people["arm"].eq("scheme").to_numpy().astype(float)
    known = people[[c for c in people if c.startswith("known_")]].rename(columns=lambda c: c.removeprefix("known_"))
    numbers = missing.coded(known, int(min(arm.sum(), (1 - arm).sum())) // missing.PEOPLE_PER_COLUMN)
    if plan.design in BY_LOT or numbers.empty:
        return None
    try:
        return pd.Series(comparison.att_weights(arm, comparison.propensity(arm, numbers.fillna(numbers.mean()))), index=people["person_id"].to_numpy())
    except DataError:
        return None


def overlap(people, instrument, plan):
    """The share of each group with each chance of being in the scheme, and of the scheme's people with nobody like them.

    Returns
    -------
    DataFrame
        Result layout; propensity_scheme and propensity_comparison, group 'chance', level '0% to 20%' and so on; outside_overlap: scheme people with a higher chance than
        any comparison person. Empty where the groups were drawn by lot, or nothing can be compared.
    """
    if plan.design in BY_LOT:
        return result_table([])
    try:
        ready = prepare(people, plan)
        chance = np.mean([comparison.propensity(ready.arm, ready.x(copy)) for copy in ready.copies], axis=0)
    except DataError:
        return result_table([])
    rows, place = [], np.clip(np.digitize(chance, BANDS[1:-1]), 0, len(BANDS) - 2)
    for name, a in (("scheme", 1), ("comparison", 0)):
        for i in range(len(BANDS) - 1):
            level = f"{100 * BANDS[i]:.0f}% to {100 * BANDS[i + 1]:.0f}%"
            rows.append(share_row(pd.Series(place[ready.arm == a] == i), plan.conf_level, measure=f"propensity_{name}", group="chance", level=level))
    beyond = pd.Series(chance[ready.arm == 1] > chance[ready.arm == 0].max())
    rows.append(share_row(beyond, plan.conf_level, measure="outside_overlap", group="all", level="all"))
    return result_table(rows).pipe(lambda t: t.assign(measure=t["measure"] + f"_{instrument}"))


def fragility(people, instrument, measure, plan):
    """How easily the answer could be overturned: by one covariate left out, or by something that nobody recorded.

    Returns
    -------
    DataFrame
        Result layout; effect_left_out (difference_left_out below level 3), group left_out, level = the covariate not adjusted for; e_value (risk-ratio scale, group e_value, level 'estimate' and 'limit nearer to
        no difference'), where the groups were not drawn by lot. Empty where nothing can be compared.

    References
    ----------
    E-value: VanderWeele and Ding (2017) Ann Intern Med 167:268, for a standardised difference by exp(0.91 d).
    """
    try:
        ready = prepare(people, plan)
        only = ready.complete if ready.clusters is not None else None
        answer, analysis = estimate(ready, headline_analysis(plan), plan, only), headline_analysis(plan)
    except DataError:
        return result_table([])
    rows, shared = [], dict(conf_level=plan.conf_level, unit=f"{measure['name']} points")
    for name in dict.fromkeys(n.split(":")[0] for n in ready.names):
        try:
            found = estimate(ready, analysis, plan, only, leave_out=(name,)) if len(ready.names) > 1 else None
        except DataError:
            found = None
        if found is not None:
            found.pop("df")
            rows.append(shared | found | dict(measure=f"{plan.word()}_left_out", group="left_out", level=name, method=f"{WORDS[analysis]}, without {name}"))
    spread = pooled_sd(ready)
    if plan.design not in BY_LOT and spread > 0:
        near = min((answer["conf_low"], answer["conf_high"]), key=abs)
        value, limit = comparison.e_value(*(comparison.as_ratio(v / spread) for v in (answer["estimate"], near)))
        counts = {k: answer[k] for k in ("n", "n_missing", "numerator")}
        rows += [counts | dict(measure="e_value", group="e_value", level=level, estimate=v, unit="risk ratio", method="exp(0.91 d)")
                 for level, v in (("estimate", value), ("limit nearer to no difference", limit))]
    return result_table(rows).pipe(lambda t: t.assign(measure=t["measure"] + f"_{instrument}"))
