"""What difference the scheme makes to a score: one analysis answers, the others stand beside it."""

import warnings
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from sprx.errors import DataError, require
from sprx.reference import BY_LOT, facts
from sprx.results import result_table
from sprx.stats import comparison, missing
from sprx.stats.change import small_sample_factor

EFFECT_FROM = 3             # Maryland level
COPIES = 50                 # completed tables: about as many as the per cent of people with something missing (White 2011 Stat Med 30:377)
FEWEST = 10                 # people with a follow-up in each arm, below which nothing is compared
FEWEST_CLUSTERS = 3         # in each arm, below which no error between clusters can be told
TRIM = 0.95                 # with a higher chance of being in the scheme there is next to nobody to compare with
NEEDS_CLUSTER = "needs cluster, under comparison in scheme.yaml: the column of people that says which place was drawn by lot"
WORDS = {
    "not adjusted": "difference of mean follow-up scores", "adjusted": "least squares with the first score and covariates",
    "weighted": "comparison people weighted by odds of being in the scheme", "balanced": "comparison people weighted to the scheme's means (entropy balancing)",
    "doubly robust": "augmented inverse probability weighting, scheme's people", "trimmed": "the same, without scheme people hardly any comparison person is like",
    "complete cases": "only people with every score and covariate", "lost like the comparison": "scheme people lost filled in like comparison people with the same first score",
    "bootstrap": "doubly robust, complete cases, percentile limits", "mixed model": "mixed model with a random intercept per cluster (REML), complete cases"}


@dataclass(frozen=True)
class Plan:
    """How two groups are compared: the design (reference/designs.csv), the smallest difference that matters (None = not known), seed, coverage, bootstrap draws."""

    design: str
    threshold: float | None = None
    seed: int = 1
    conf_level: float = 0.95
    draws: int = 1000

    def word(self):
        """'effect' where the design is of Maryland level 3 or better, else 'difference'."""
        return "effect" if int(facts("designs").set_index("design").at[self.design, "maryland_level"]) >= EFFECT_FROM else "difference"


@dataclass(frozen=True)
class Compared:
    """People of both arms made ready: completed copies of (covariates, first score, other visits, follow-up), arm, and cluster."""

    arm: np.ndarray
    names: tuple            # of the columns that are adjusted for, the first score last
    copies: np.ndarray      # m x people x columns; adjusted-for columns first, follow-up last
    complete: np.ndarray    # people of whom everything adjusted for and the follow-up was recorded
    followed: np.ndarray
    clusters: np.ndarray | None
    others: int             # people who came in and are not among these: nothing was measured
    how: str                # how missing values were filled in, in words

    def x(self, copy, leave_out=()):
        keep = [j for j, name in enumerate(self.names) if name.split(":")[0] not in leave_out]
        return copy[:, keep]


def prepare(people, plan):
    """Make people ready to be compared.

    Parameters
    ----------
    people : DataFrame, one row per person of either arm
        As `cohort.compared_people` gives them: arm, baseline, follow_up (missing = not measured), visit_*, known_*, cluster.
    plan : Plan

    Returns
    -------
    Compared

    Raises
    ------
    DataError
        If an arm has fewer than 10 people with a follow-up, clusters are not named or too few, or nothing can be filled in.

    References
    ----------
    Missing scores and covariates are filled in arm by arm (`stats.missing.impute`), so that the arms may differ in how scores go together; with fewer than 10 people with
    a follow-up for each column, from both arms together.
    """
    require(people, "people", ["arm", "baseline", "follow_up"])
    some = people[people["baseline"].notna() | people["follow_up"].notna()]
    followed = some["follow_up"].notna().to_numpy()
    arm = some["arm"].eq("scheme").to_numpy().astype(float)
    counts = [int(followed[arm == a].sum()) for a in (0, 1)]
    if min(counts) < FEWEST:
        raise DataError(f"needs at least {FEWEST} people with a later score in each group")
    clusters = _clusters(some, arm, followed, plan)
    # a line through both arms where they were drawn by lot; else a line through the comparison people and a propensity model
    most = max((sum(counts) if plan.design in BY_LOT else min(counts)) // missing.PEOPLE_PER_COLUMN - 1, 0)
    known = missing.coded(some[[c for c in some if c.startswith("known_")]].rename(columns=lambda c: c.removeprefix("known_")), most)
    known = known[[c for c in known if all(known.loc[arm == a, c].notna().sum() >= FEWEST for a in (0, 1))]]
    visits = [c for c in some if c.startswith("visit_") and some[c].notna().sum() >= len(known.columns) + 4 * FEWEST and some[c].nunique() > 1]
    begun = ["baseline"] if min(int((some["baseline"].notna() & (arm == a)).sum()) for a in (0, 1)) >= FEWEST and some["baseline"].nunique() > 1 else []
    table = pd.concat([known, some[begun + visits + ["follow_up"]].astype(float)], axis=1)
    names = (*known.columns, *(["first score"] if begun else []))
    complete = table[[*known.columns, *begun, "follow_up"]].notna().all(axis=1).to_numpy()
    copies, how = missing.impute_by_arm(table.to_numpy(dtype=float), arm, min(counts), COPIES, plan.seed)
    return Compared(arm, names, copies, complete, followed, clusters, len(people) - len(some), how)


def _clusters(some, arm, followed, plan):
    """Each person's cluster; people of no known cluster are one of their own."""
    there = "cluster" in some and some["cluster"].notna().any()
    if not there and plan.design == "cluster_randomised":
        raise DataError(NEEDS_CLUSTER)
    if not there:
        return None
    found = comparison.own_clusters(some["cluster"])
    if min(len(np.unique(found[followed & (arm == a)])) for a in (0, 1)) < FEWEST_CLUSTERS:
        raise DataError(f"needs at least {FEWEST_CLUSTERS} clusters in each group: with fewer nobody can say how far clusters differ by themselves")
    return found


def headline_analysis(plan):
    """The analysis that answers under this design."""
    return "adjusted" if plan.design in BY_LOT else "doubly robust"


def effect(people, instrument, measure, plan, analyses=True):
    """The difference the scheme makes to one score at follow-up, scheme minus comparison.

    Parameters
    ----------
    people : DataFrame, one row per person of either arm
        As `cohort.compared_people` gives them.
    instrument : str
        Joined to the names of the measures.
    measure : Series
        A row of `Scheme.measures()`: name, mid_value, higher_is_better.
    plan : Plan
    analyses : bool
        Whether the other analyses are made too.

    Returns
    -------
    DataFrame
        Result layout: effect (design of Maryland level 3 or better) or difference (below), the answer; effect_standardised; improved_difference (share improved by the
        smallest difference that matters, percentage points); effect_by_analysis, group analysis: every analysis, the answering one among them; minimum_detectable_effect.
        n = people used, n_missing = the others who came in. Where nothing can be estimated: one row without an estimate, and why.

    References
    ----------
    `stats.comparison`; Rubin's rules with Barnard and Rubin's degrees of freedom; Cohen's d with Hedges' correction, SD pooled over the arms' follow-up scores.
    """
    row = dict(group="all", level="all", unit=f"{measure['name']} points", conf_level=plan.conf_level)
    word = plan.word()
    try:
        ready = prepare(people, plan)
        answer = _answer(ready, plan)
    except DataError as problem:
        return result_table([row | dict(measure=f"{word}_{instrument}", n=0, n_missing=len(people), note=f"not estimated: {problem}")])
    rows = [dict(measure="effect", **answer), _standardised(ready, answer), *_improved(ready, measure, plan),
            dict(measure="minimum_detectable_effect", method="80% power, the error of the answer", **{k: answer[k] for k in ("n", "n_missing", "numerator")},
                 estimate=comparison.minimum_detectable(answer["std_error"], answer["df"], conf_level=plan.conf_level))]
    rows += [dict(measure="effect_by_analysis", group="analysis", **found) for found in _analyses(ready, plan)] if analyses else []
    table = result_table([row | {k: v for k, v in found.items() if k != "df"} for found in rows])
    return table.assign(measure=table["measure"].str.replace("effect", word, n=1) + f"_{instrument}")


def _answer(ready, plan):
    """The row of the answering analysis: with clusters from complete cases, since filling in does not know clusters."""
    return estimate(ready, headline_analysis(plan), plan, ready.complete if ready.clusters is not None else None)


def estimate(ready, analysis, plan, only=None, leave_out=(), outcome=None):
    """One analysis: estimate, std_error, df, limits, n, n_missing, method and note.

    Parameters
    ----------
    ready : Compared
    analysis : str
        A key of WORDS that `_fit` knows.
    plan : Plan
    only : array of bool, optional
        People used, with their recorded values (one copy); default everyone, in every completed copy.
    leave_out : tuple of str
        Covariates not adjusted for.
    outcome : function of a completed copy, optional
        Default the follow-up score.
    """
    keep = np.ones(len(ready.arm), dtype=bool) if only is None else only
    copies = ready.copies if only is None else ready.copies[:1]
    fits = []
    for copy in copies:
        y = (copy[:, -1] if outcome is None else outcome(copy))[keep]
        clusters = None if ready.clusters is None else ready.clusters[keep]
        fits.append(_fit(analysis, y, ready.arm[keep], ready.x(copy, leave_out)[keep], clusters))
    values, variances, df = (np.array(column) for column in zip(*fits))
    found = missing.pool(values, variances, df.mean(), plan.conf_level)
    used = WORDS[analysis] if ready.clusters is None else f"{WORDS[analysis]}; errors by cluster"
    note = "" if only is not None or len(copies) == 1 else f"{ready.how}; {100 * found['fmi']:.0f}% of the information is missing"
    return {k: found[k] for k in ("estimate", "std_error", "df", "conf_low", "conf_high")} | _counts(ready, keep) | dict(method=used, note=note)


def _counts(ready, keep):
    """n, n_missing, and the smallest number of people that the row could give away."""
    sizes = [int((ready.followed & keep & (ready.arm == a)).sum()) for a in (0, 1)]
    left = int((~keep).sum())
    return dict(n=int(keep.sum()), n_missing=left + ready.others, numerator=min([*sizes, *([left] if left else [])]))


def _fit(analysis, y, arm, x, clusters):
    """(estimate, variance, degrees of freedom) of one analysis on one completed copy."""
    if analysis in ("not adjusted", "adjusted"):
        return comparison.regression(y, arm, x if analysis == "adjusted" else x[:, :0], clusters=clusters)
    if analysis == "balanced":
        return comparison.regression(y, arm, x[:, :0], comparison.entropy_weights(arm, x), clusters)
    chance = comparison.propensity(arm, x)
    if analysis == "weighted":
        return comparison.regression(y, arm, x[:, :0], comparison.att_weights(arm, chance), clusters)
    if analysis == "trimmed":
        keep = (arm == 0) | (chance <= min(TRIM, chance[arm == 0].max()))
        return comparison.doubly_robust(y[keep], arm[keep], x[keep], chance[keep], None if clusters is None else clusters[keep])
    return comparison.doubly_robust(y, arm, x, chance, clusters)


def _analyses(ready, plan):
    """Every analysis, side by side; one that cannot be made is a row that says why."""
    complete = ready.complete if not ready.complete.all() else None
    base = ready.complete if ready.clusters is not None else None
    main = headline_analysis(plan)
    others = ["adjusted", "not adjusted"] if plan.design in BY_LOT else ["doubly robust", "not adjusted", "adjusted", "weighted", "balanced", "trimmed"]
    wanted = [(name, name, base) for name in others]        # the answering one first
    if complete is not None:
        wanted.append(("complete cases", main, ready.complete) if ready.clusters is None else ("filled in", main, None))
    rows = [_tried(level, lambda: estimate(ready, analysis, plan, only)) for level, analysis, only in wanted]
    if not ready.followed.all() and ready.clusters is None:
        rows.append(_tried("lost like the comparison", lambda: _lost_like_comparison(ready, plan)))
    if ready.clusters is not None:
        rows.append(_tried("mixed model", lambda: _mixed(ready, plan)))
    if plan.design not in BY_LOT and plan.draws:
        rows.append(_tried("bootstrap", lambda: _bootstrap(ready, plan)))
    return rows


def _tried(level, make):
    try:
        return make() | dict(level=level)
    except DataError as problem:
        return dict(level=level, n=0, method=WORDS.get(level, level), note=f"not estimated: {problem}")


def _lost_like_comparison(ready, plan):
    """Scheme people who were lost get follow-ups drawn as if they were comparison people with the same first score and covariates."""
    copies, lost = ready.copies.copy(), ~ready.followed & (ready.arm == 1)
    part = (ready.arm == 0) | lost
    if not lost.any():
        raise DataError("nobody of the scheme's was lost")
    known = copies[0][part]
    known[~ready.followed[part], -1] = np.nan
    found = missing.impute(known, len(copies), plan.seed)
    copies[:, lost, -1] = found[:, lost[part], -1]
    return estimate(replace(ready, copies=copies), headline_analysis(plan), plan) | dict(method=WORDS["lost like the comparison"])


def _mixed(ready, plan):
    """Random intercept per cluster, complete cases."""
    from sprx.stats import mmrm

    keep = ready.complete
    known = ready.x(ready.copies[0])[keep]
    known = (known - known.mean(axis=0)) / np.where(known.std(axis=0) > 0, known.std(axis=0), 1.0)      # or the search fails on columns of unlike size
    x = np.column_stack([np.ones(keep.sum()), ready.arm[keep], known])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")         # a variance of 0 between clusters is no fault; the check below tells
        try:
            fit = mmrm.fit_random_intercept(ready.copies[0][keep, -1], x, ready.clusters[keep])
        except np.linalg.LinAlgError:
            raise DataError("the mixed model did not settle: clusters hardly differ by themselves") from None
    value, error = float(fit["coef"][1]), float(fit["se"][1])
    if not error > 0:
        raise DataError("the mixed model did not settle")
    found = missing.pool([value], [error ** 2], comparison.cluster_df(ready.clusters[keep]), plan.conf_level)
    return {k: found[k] for k in ("estimate", "std_error", "df", "conf_low", "conf_high")} | _counts(ready, keep) | dict(method=WORDS["mixed model"])


def _bootstrap(ready, plan):
    """Percentile limits of the doubly robust estimate among complete cases."""
    keep = ready.complete
    clusters = None if ready.clusters is None else ready.clusters[keep]
    found = comparison.bootstrap(ready.copies[0][keep, -1], ready.arm[keep], ready.x(ready.copies[0])[keep], plan.draws, plan.seed, plan.conf_level, clusters)
    draws = found.pop("draws")
    return found | _counts(ready, keep) | dict(method=f"{WORDS['bootstrap']}, {draws} draws", note=f"seed {plan.seed}")


def pooled_sd(ready):
    """Standard deviation of the recorded follow-up scores, pooled over the arms."""
    scores = [ready.copies[0][ready.followed & (ready.arm == a), -1] for a in (0, 1)]
    return float(np.sqrt(sum(s.var(ddof=1) * (len(s) - 1) for s in scores) / (sum(map(len, scores)) - 2)))


def _standardised(ready, answer):
    """The answer in standard deviations."""
    spread, known = pooled_sd(ready), int(ready.followed.sum())
    row = dict(measure="effect_standardised", unit="standard deviations", method="answer / pooled SD of follow-up scores, Hedges' correction")
    row |= {k: answer[k] for k in ("n", "n_missing", "numerator")}
    if not spread > 0:
        return row | dict(note="everyone has the same score")
    factor = small_sample_factor(known - 2) / spread
    return row | {k: answer[k] * factor for k in ("estimate", "std_error", "conf_low", "conf_high")}


def _improved(ready, measure, plan):
    """The difference in the share improved by at least what matters; nothing without a threshold or a first score."""
    threshold = measure["mid_value"] if measure["mid_value"] > 0 else plan.threshold
    row = dict(measure="improved_difference", unit="percentage points")
    if "first score" not in ready.names or measure["higher_is_better"] not in ("yes", "no") or not (threshold or 0) > 0:
        return [row | dict(n=0, n_missing=len(ready.arm) + ready.others, note="needs a first score and the smallest difference that matters (mid, under instruments in scheme.yaml)")]
    sign, first = (1 if measure["higher_is_better"] == "yes" else -1), len(ready.names) - 1
    found = estimate(ready, headline_analysis(plan), plan, ready.complete if ready.clusters is not None else None,
                     outcome=lambda copy: (sign * (copy[:, -1] - copy[:, first]) >= threshold - 1e-9).astype(float))
    found |= {k: 100 * found[k] for k in ("estimate", "std_error", "conf_low", "conf_high")}
    return [row | found | dict(note=f"improved by {threshold:.3g} or more" + (f"; {found['note']}" if found["note"] else ""))]
