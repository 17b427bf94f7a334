"""Do waits differ between groups? The log-rank test, and a model of several groups at once."""

import pandas as pd

from sprx.errors import DataError, require
from sprx.metrics.when.waits import EVENTS, known_times
from sprx.results import result_table

PEOPLE_AT_LEAST, SEEN_AT_LEAST = 10, 5      # in a level of the model; smaller ones are taken together
COVARIATES = ("source", "imd_quintile", "age", "sex")


def compare_waits(waits, breakdowns, event="first_contact"):
    """Log-rank test of whether the whole curves of the groups of each breakdown differ.

    Parameters
    ----------
    waits : DataFrame
        As for `median_wait`.
    breakdowns : list of str
        Columns. People whose group is not recorded are left out (n_missing).

    Returns
    -------
    DataFrame
        Result layout; measure log_rank_<event>, group log_rank, level the breakdown, estimate the chi-square; `note` says its degrees of freedom
        and how often chance alone would do as much.

    References
    ----------
    Mantel (1966) Cancer Chemother Rep 50:163; `stats.survival.log_rank`.
    """
    from sprx.stats.survival import log_rank

    require(waits, "waits", list(breakdowns))
    rows = []
    for by in breakdowns:
        _, total, known = next(known_times(waits, event))
        known = known[known[by].notna()]
        test = log_rank(known["days_observed"], known[EVENTS[event]], known[by].astype(str)) if len(known) else dict(statistic=float("nan"))
        found = test["statistic"] == test["statistic"]
        note = (f"{test['df']} degree{'s' if test['df'] > 1 else ''} of freedom, p = {test['p']:.2g}: if the groups did not differ, chance alone would show a difference "
                f"of this size or more {_times(test['p'])}" if found else "needs two groups or more, and somebody for whom the time came to an end")
        rows.append(dict(measure=f"log_rank_{event}", group="log_rank", level=by, n=len(known), n_missing=total - len(known),
                         estimate=round(test["statistic"], 2), unit="chi-square", method="log-rank test", note=note))
    return result_table(rows)


def _times(p):
    """How often in a hundred."""
    return "in fewer than 1 of 1,000 such comparisons" if p < 0.001 else f"in about {round(1000 * p)} of 1,000 such comparisons" if p < 0.01 else \
        f"in about {round(100 * p)} of 100 such comparisons"


def wait_ratios(waits, covariates=COVARIATES, conf_level=0.95):
    """How much sooner or later people of one group are seen, with the other groups alike (Cox model).

    Parameters
    ----------
    waits : DataFrame
        As for `median_wait`, and the columns of `covariates`; those with no two levels to compare are left out.

    Returns
    -------
    DataFrame
        Result layout; measure hazard_ratio_first_contact, a row per level but the reference (named in `note`: the level with most people); n = everybody
        in the model, since the size of a level could give a hidden one back; age is per 10 years. 1 = as soon, above 1 = sooner. Levels of fewer than 10 people are 'other levels'; not recorded is a level.
        proportional_hazards: the chi-square of the check that a ratio is the same early and late, said in `note`. One row with a reason where
        no model can be had.

    Notes
    -----
    A case closed unseen stays at risk to the extract (`cohort.waits`), so the ratio is that of the subdistribution hazard: Fine and Gray (1999) JASA 94:496.
    """
    from sprx.stats.survival import cox

    require(waits, "waits", list(covariates))
    _, total, known = next(known_times(waits, "first_contact"))
    known, design, terms = _design(known, covariates)
    base = dict(conf_level=conf_level, unit="ratio", method="Cox model, Efron")
    try:
        if design.empty:
            raise DataError("needs people with a known wait, in two groups or more of which each has at least "
                            f"{PEOPLE_AT_LEAST} people and {SEEN_AT_LEAST} who were seen")
        fitted, check = cox(design, known["days_observed"], known["was_seen"], conf_level)
    except DataError as error:
        return result_table([base | dict(measure="hazard_ratio_first_contact", group="all", level="all", n=len(known), n_missing=total - len(known), note=str(error))])
    rows = []
    for term, (group, level, reference) in terms.items():
        row = fitted.loc[term]
        rows.append(base | dict(measure="hazard_ratio_first_contact", group=group, level=level, n=check["n"], n_missing=total - check["n"], estimate=row.hazard_ratio,
                                conf_low=row.conf_low, conf_high=row.conf_high, note=f"compared with {reference}"))
    return result_table([*rows, _check_row(check, total)])


def _named(values):
    return values.astype("string").fillna("missing").astype(object)


def _design(known, covariates):
    """The people used, numbers for the model, and {column: (group, level, what it is compared with)}."""
    columns, terms, used = {}, {}, pd.Series(True, index=known.index)
    for name in covariates:
        if name == "age":
            ages = known["age"].astype(float)
            if ages.nunique() > 1:
                columns["age"], terms["age"], used = ages / 10, ("age", "10 years older", "people 10 years younger"), used & ages.notna()
            continue
        named = _named(known[name])
        enough = (named.map(named.value_counts()) >= PEOPLE_AT_LEAST) & (known["was_seen"].groupby(named).transform("sum") >= SEEN_AT_LEAST)
        named = named.where(enough, "other levels")
        sizes = named.value_counts().sort_index().sort_values(ascending=False, kind="stable")
        if known.loc[named == "other levels", "was_seen"].sum() < SEEN_AT_LEAST or sizes.get("other levels", 0) < PEOPLE_AT_LEAST:
            sizes = sizes.drop("other levels", errors="ignore")
        ordered = [level for level in sizes.index if level not in ("missing", "other levels")]
        if not ordered or len(sizes) < 2:
            continue
        used &= named.isin(sizes.index)
        for level in sorted(set(sizes.index) - {ordered[0]}):
            columns[f"{name} {level}"], terms[f"{name} {level}"] = named.eq(level).astype(float), (name, level, ordered[0])
    return known[used], pd.DataFrame(columns, index=known.index)[used], terms


def _check_row(check, total):
    """The check of proportional hazards, said in plain words."""
    if check["p"] != check["p"]:
        said = "everybody was seen on the same day, so there is no early and late to compare"
    elif check["p"] < 0.05:
        said = "the ratios are not the same early and late in the wait: read each as an average over the whole time"
    else:
        said = "the data show no sign that the ratios differ between early and late in the wait"
    degrees = f"; {check['df']} degrees of freedom, p = {check['p']:.2g}" if check["p"] == check["p"] else ""
    return dict(measure="proportional_hazards", group="all", level="all", n=check["n"], n_missing=total - check["n"], estimate=round(check["statistic"], 2), unit="chi-square",
                method="Grambsch and Therneau", note=said + degrees)
