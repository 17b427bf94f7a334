"""Those lost: who they are, and how the mean change comes out under different beliefs about how they fared."""

import numpy as np
import pandas as pd

from sprx.errors import DataError, require
from sprx.intervals import mean
from sprx.results import levels, result_table, share_row
from sprx.stats import missing, mmrm

COPIES = 20                     # completed tables
PEOPLE_PER_COLUMN = 10          # people followed up (for odds: in the smaller group) for each covariate column
STEPS = (-0.5, -1, -2, 1)       # how far those lost are from what is expected of them, in units of the MID; below 0 is worse
NO_CHANGE, MATTERS = "no change", "smallest change that matters"
NOBODY_LOST = "nobody with a score was lost: there is nothing to fill in"
ALREADY, NEVER = "the interval includes it already", "no difference that the scale allows brings the interval there"
FEW = "fewer than 2 people with both scores"
INTERVAL = ["estimate", "std_error", "conf_low", "conf_high"]


def change_if_lost(people, instrument, measure, seed, conf_level=0.95):
    """Mean change of an instrument under different beliefs about the people whose scores are missing.

    Parameters
    ----------
    people : DataFrame, one row per person
        Needs arm, baseline and follow_up (missing = not measured); visit_* (scores at other visits) and known_* (covariates) are
        used where there are any, as `cohort.scores_and_covariates` gives them.
    instrument : str
        Joined to the names of the measures.
    measure : Series
        A row of `Scheme.measures()`: name, mid_value, higher_is_better, total_min, total_max.
    seed : int

    Returns
    -------
    DataFrame
        Result layout, for the arm scheme: change_complete_case, change_mmrm, change_imputed, change_return_to_baseline; change_delta
        (group delta, level = by how many points those lost did worse or better than is expected of them); tipping_point (group
        threshold), in points of the score, below 0 for lower scores. The first four also for the comparison arm (group arm).
        n = people whose scores are used. A change is not an effect.

    References
    ----------
    National Research Council (2010) The Prevention and Treatment of Missing Data in Clinical Trials; `stats.missing`, `stats.mmrm`.
    """
    require(people, "people", ["arm", "baseline", "follow_up"])
    own = people[people["arm"] == "scheme"]
    rows, changes = _beliefs(own, seed, conf_level)
    rows += _differing(own, changes, measure, conf_level)
    if people["arm"].eq("comparison").any():
        others = people[people["arm"] == "comparison"]
        rows += [row | dict(group="arm", level="comparison") for row in _beliefs(others, seed, conf_level)[0]]
    table = result_table([dict(group="all", level="all", unit=f"{measure['name']} points", conf_level=conf_level) | row for row in rows])
    return table.assign(measure=table["measure"] + f"_{instrument}")


def _scored(people):
    """People with any score."""
    return people[people["baseline"].notna() | people["follow_up"].notna()]


def _beliefs(people, seed, conf_level):
    """The rows of one arm, and each completed table's changes (None where none was made)."""
    rows, changes = [_complete(people, conf_level)], None
    some = _scored(people)
    if len(some) > rows[0]["n"]:
        covariates = _covariates(some)
        filled, changes = _imputed(some, covariates, seed, conf_level)
        rows += [_mixed(some, covariates, conf_level), filled, _returned(some, conf_level)]
    return [row | dict(n_missing=len(people) - row["n"]) for row in rows], changes


def _complete(people, conf_level):
    change = (people["follow_up"] - people["baseline"]).dropna().astype(float)
    return dict(measure="change_complete_case", n=len(change), method="those with both scores, t limits",
                note="" if len(change) > 1 else FEW,
                **mean(change, conf_level))


def _returned(people, conf_level):
    """Those lost end where they began. Beside the complete cases it gives away how many were lost."""
    begun = people[people["baseline"].notna()]
    change = (begun["follow_up"] - begun["baseline"]).astype(float)
    found = mean(change.fillna(0.0), conf_level) if change.notna().any() else {}
    return dict(measure="change_return_to_baseline", n=len(begun), numerator=_fewer(change.isna()),
                method="those lost at their first score, t limits",
                note="" if found else "nobody has both scores", **found)


def _fewer(lost):
    """Those lost, or the others where they are fewer: what disclosure must look at; None for nobody."""
    return min(int(np.sum(lost)), int(np.sum(~np.asarray(lost)))) or None


def _covariates(people):
    """What is known of people as numbers, standardised, with as many columns as the people followed up can bear."""
    both = int((people["baseline"].notna() & people["follow_up"].notna()).sum())
    return _standardised(missing.coded(_known(people), both // PEOPLE_PER_COLUMN))


def _known(people):
    return people[[c for c in people if c.startswith("known_")]].rename(columns=lambda c: c.removeprefix("known_"))


def _standardised(numbers):
    return (numbers - numbers.mean()) / numbers.std(ddof=0)


def _scores(people, covariates):
    """Baseline, the other visits with enough scores, and the follow-up."""
    fewest = len(covariates.columns) + PEOPLE_PER_COLUMN
    visits = [c for c in people if c.startswith("visit_") and people[c].notna().sum() >= fewest and people[c].nunique() > 1]
    return people[["baseline", *visits, "follow_up"]].astype(float)


def _allowed_for(covariates, scores):
    """What the missing scores were told from, for the note."""
    names = dict.fromkeys(c.split(":")[0].replace("_", " ") for c in covariates)
    return f"told from {', '.join(['the first score', *(['other visits'] if len(scores.columns) > 2 else []), *names])}"


def _mixed(people, covariates, conf_level):
    """Mixed model of the first score and every later one; a covariate that is not known stands at its mean."""
    scores, x = _scores(people, covariates), np.column_stack([np.ones(len(people)), covariates.fillna(0.0)])
    x[:, 1:] -= x[:, 1:].mean(axis=0)
    row = dict(measure="change_mmrm", n=len(people), method="mixed model (unstructured, REML), Satterthwaite t limits")
    try:
        fit = mmrm.fit_mmrm(scores, x)
    except DataError as problem:
        return row | dict(note=f"not estimated: {problem}")
    weights = np.zeros(fit.coef.shape)
    weights[[-1, 0], 0] = 1, -1
    # the model takes the people as given; others would have other covariates, and so another mean change
    slopes = x[:, 1:] @ (fit.coef[-1, 1:] - fit.coef[0, 1:])
    found = fit.contrast(weights, conf_level, slopes.var(ddof=1) / len(x))
    return row | dict(note=_allowed_for(covariates, scores), **{k: found[k] for k in INTERVAL})


def _imputed(people, covariates, seed, conf_level):
    """Multiple imputation from covariates and all scores: its row, and each completed table's changes."""
    scores = _scores(people, covariates)
    row = dict(measure="change_imputed", n=len(people), method=f"multiple imputation (normal, m = {COPIES}), Rubin's rules")
    try:
        copies = missing.impute(pd.concat([covariates, scores], axis=1), COPIES, seed)
    except DataError as problem:
        return row | dict(note=f"not estimated: {problem}"), None
    changes = copies[:, :, -1] - copies[:, :, len(covariates.columns)]
    found = missing.change_if(changes, np.zeros(len(people), dtype=bool), 0.0, conf_level)
    note = f"seed {seed}; {_allowed_for(covariates, scores)}; {100 * found['fmi']:.0f}% of the information is missing"
    return row | dict(note=note, **{k: found[k] for k in INTERVAL}), changes


def _differing(people, changes, measure, conf_level):
    """Rows for those lost doing worse or better than is expected of them, and how much worse would change the conclusion."""
    some = _scored(people)
    counts = dict(n=len(some), n_missing=len(people) - len(some))
    if changes is None:
        both = (some["follow_up"] - some["baseline"]).notna()
        why = NOBODY_LOST if len(both) and both.all() else "not estimated: the missing scores could not be filled in"
        return [counts | dict(measure="tipping_point", group="threshold", level=NO_CHANGE, note=why)]
    lost = some["follow_up"].isna().to_numpy()
    counts |= dict(numerator=_fewer(lost), method=f"multiple imputation (m = {COPIES}), delta-adjusted")
    better, mid = {"yes": 1, "no": -1}.get(measure["higher_is_better"], 0), measure["mid_value"]
    step = mid if mid > 0 else _half_sd(some["baseline"])
    rows = []
    for size in STEPS:
        found = missing.change_if(changes, lost, size * step * (better or 1), conf_level)
        words = ("worse" if size < 0 else "better") if better else ("lower" if size < 0 else "higher")
        rows.append(counts | dict(measure="change_delta", group="delta", level=f"{abs(size) * step:g} {words}",
                                  **{k: found[k] for k in INTERVAL}))
    thresholds = {NO_CHANGE: 0.0} | ({MATTERS: mid * np.sign(changes.mean())} if mid > 0 else {})
    return rows + [counts | _tip(changes, lost, at, measure, conf_level) | dict(level=name) for name, at in thresholds.items()]


def _half_sd(scores):
    """Half a standard deviation, to two figures: a step where nobody has said what matters."""
    spread = scores.std()
    return float(f"{spread / 2:.1g}") if spread > 0 else 1.0


def _tip(changes, lost, threshold, measure, conf_level):
    width = measure.get("total_max", np.nan) - measure.get("total_min", np.nan)
    width = width if width > 0 else 2 * float(np.abs(changes).max()) + 1.0
    delta = missing.tipping_point(changes, lost, threshold, width, conf_level)
    note = ALREADY if delta == 0 else NEVER if np.isnan(delta) else ""
    return dict(measure="tipping_point", group="threshold", estimate=delta, note=note)


# ---- who they are -------------------------------------------------------------------------------------------------------------

def who_is_lost(people, instrument, conf_level=0.95):
    """How those with a first score who were followed up differ from those who were not, in the arm scheme.

    Parameters
    ----------
    people : DataFrame, one row per person
        As for `change_if_lost`.
    instrument : str

    Returns
    -------
    DataFrame
        Result layout; followed_up_by (share, group = what is known, level); mean_of_followed and mean_of_lost (numbers);
        smd_lost (lost minus followed, standardised); odds_of_follow_up (odds ratio; a number's is per standard deviation).

    References
    ----------
    Wilson limits; SMD: Austin (2009) Stat Med 28:3083; logistic regression with Wald limits (statsmodels).
    """
    require(people, "people", ["arm", "baseline", "follow_up"])
    own = people[people["arm"] == "scheme"]
    known = _known(own)
    known.insert(0, "baseline", own["baseline"], allow_duplicates=True)
    followed = own["follow_up"].notna().astype("boolean").mask(own["baseline"].isna())      # missing: no first score
    rows = [row for at in range(known.shape[1]) for row in _by_variable(known.iloc[:, at], followed, conf_level)]
    rows += _odds(known, followed, conf_level)
    table = result_table([dict(conf_level=conf_level, note="") | row for row in rows])
    return table.assign(measure=table["measure"] + f"_{instrument}")


def _by_variable(values, followed, conf_level):
    """Rows of one thing known of people: means for a number, shares for anything else, and standardised differences."""
    numbers, rows, name, few = missing.coded(values.to_frame()), [], values.name, _fewer(followed.dropna())
    seen, lost = followed.fillna(False).astype(bool), (~followed).fillna(False).astype(bool)
    is_number = name in numbers
    if is_number:
        for label, part in (("mean_of_followed", seen), ("mean_of_lost", lost)):
            known = numbers.loc[part, name].dropna()
            rows.append(dict(measure=label, group=name, level="all", n=len(known), n_missing=int(part.sum()) - len(known),
                             unit="as recorded", numerator=few,
                             method="mean, t limits", note="" if len(known) > 1 else "fewer than 2 people", **mean(known, conf_level)))
    elif values.nunique() > 1:
        table = pd.DataFrame(dict(level=missing.plain_levels(values), followed=followed))
        rows += [share_row(part["followed"], conf_level, measure="followed_up_by", group=name, level=level)
                 for level, part in levels(table, "level")]
    for column in numbers:
        n = int((numbers[column].notna() & followed.notna()).sum())
        found = missing.standardised_difference(numbers.loc[lost, column], numbers.loc[seen, column])
        rows.append(dict(measure="smd_lost", group=name, level="all" if is_number else column.split(": ", 1)[1], n=n,
                         n_missing=len(values) - n, numerator=few,
                         estimate=found, unit="standard deviations", method="standardised difference, lost minus followed",
                         note="too few people in one of the groups, or nothing varies" if np.isnan(found) else ""))
    return rows


def _odds(known, followed, conf_level):
    """Odds ratios of being followed up, as many as the smaller group can bear; what is not known stands at its mean."""
    there = followed.notna()
    few = _fewer(followed[there].astype(bool)) or 0
    numbers = missing.coded(known[there], max(1, few // PEOPLE_PER_COLUMN))
    scale = pd.Series({c: 1.0 if ": " in c else numbers[c].std(ddof=0) for c in numbers}, dtype=float)
    filled = ((numbers - numbers.mean()) / scale).fillna(0.0)
    row = dict(measure="odds_of_follow_up", n=int(there.sum()), n_missing=int((~there).sum()), unit="odds ratio",
               method="logistic regression, Wald limits")
    try:
        odds = missing.odds_of_follow_up(followed[there].astype(bool), filled, conf_level)
    except DataError as problem:
        return [row | dict(group="all", level="all", note=f"not estimated: {problem}")]
    rows = []
    for column, found in odds.iterrows():
        name, _, level = column.partition(": ")
        note = "against the most frequent level" if level else f"per standard deviation ({scale[column]:.3g})"
        rows.append(row | dict(group=name, level=level or "all", estimate=found["odds_ratio"], std_error=found["std_error"],
                               conf_low=found["conf_low"],
                               conf_high=found["conf_high"], note=note + "; the others held alike", numerator=few))
    return rows
