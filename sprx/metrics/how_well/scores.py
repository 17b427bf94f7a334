"""Scores at both times: where they lie, in which band, how large the change is on a common scale, and what was to be expected."""

import pandas as pd

from sprx.errors import require
from sprx.intervals import mean, wilson
from sprx.reference import facts
from sprx.results import result_table, share_row
from sprx.stats import change as stats

TIMES = ["baseline", "follow_up"]
QUARTILES = {"score_lower_quartile": 0.25, "score_median": 0.5, "score_upper_quartile": 0.75}
NEEDS_NORM = "needs the mean of people in general: add it under norms in scheme.yaml"
SAME_CHANGE = "everyone changed by the same amount: the standard deviation of the changes is 0"


def both_scores(pairs):
    """The people with both scores, as numbers."""
    require(pairs, "pairs", TIMES)
    return pairs[TIMES].dropna().astype(float)


def score_distribution(pairs, conf_level=0.95, unit="points"):
    """Mean, standard deviation, median and quartiles of the first and of the later score, among people with both.

    Parameters
    ----------
    pairs : DataFrame, one row per person
        Needs baseline and follow_up (missing = not measured).

    Returns
    -------
    DataFrame
        Result layout; measures score_mean (t limits), score_sd, score_lower_quartile, score_median, score_upper_quartile; group occasion,
        levels baseline and follow_up. n_missing = people without both.
    """
    both, rows = both_scores(pairs), []
    for time in TIMES:
        row = dict(group="occasion", level=time, n=len(both), n_missing=len(pairs) - len(both), unit=unit, note="" if len(both) > 1 else "fewer than 2 people with both scores")
        rows.append(row | dict(measure="score_mean", method="mean, t limits", conf_level=conf_level) | mean(both[time], conf_level))
        if len(both) > 1:
            rows.append(row | dict(measure="score_sd", method="standard deviation", estimate=both[time].std()))
            rows += [row | dict(measure=name, method="quartile", estimate=both[time].quantile(q)) for name, q in QUARTILES.items()]
    return result_table(rows)


def band_shares(pairs, instrument, conf_level=0.95):
    """Share of the people with both scores in each band of the instrument, at both times.

    Parameters
    ----------
    pairs : DataFrame, one row per person
        Needs baseline and follow_up.
    instrument : str
        Bands are those of reference/bands.csv; each begins at its lowest score.

    Returns
    -------
    DataFrame
        Result layout; measure share_in_band, groups band_at_baseline and band_at_follow_up, unit proportion. No rows where the
        instrument has no bands.

    References
    ----------
    Each band's source and verification word are in reference/bands.csv. Wilson score interval: Newcombe (1998) Stat Med 17:857, method 3.
    """
    bands, both = facts("bands").query("measure_id == @instrument"), both_scores(pairs)
    edges, rows = bands["from"].astype(float).to_numpy(), []
    for time in TIMES:
        place = pd.Series(edges.searchsorted(pairs[time].astype(float) + 1e-9, side="right"), index=pairs.index)
        for position, band in enumerate(bands["band"], start=1):
            inside = place.eq(position).astype("boolean").mask(~pairs.index.isin(both.index))
            rows.append(share_row(inside, conf_level, measure="share_in_band", group=f"band_at_{time}", level=band,
                                  note="" if bands["verification"].iloc[0] == "verified" else "bands unverified"))
    return result_table(rows)


def standardised_change(pairs, conf_level=0.95):
    """The mean change in standard deviations, by each of the two standard deviations in use.

    Parameters
    ----------
    pairs : DataFrame, one row per person
        Needs baseline and follow_up.

    Returns
    -------
    DataFrame
        Result layout; measures change_smcc (divided by the standard deviation of the changes) and change_smcr (of the first
        scores), with small-sample correction and normal limits. Empty, with the reason, where the deviation is 0 or fewer than 3 have both.

    References
    ----------
    metafor's escalc, measures SMCC and SMCR: Viechtbauer (2010) J Stat Softw 36(3).
    """
    from scipy.stats import norm

    both = both_scores(pairs)
    change, n = both["follow_up"] - both["baseline"], len(both)
    spread = change.std() if n > 1 and change.nunique() > 1 else 0.0
    start = both["baseline"].std() if n > 1 and both["baseline"].nunique() > 1 else 0.0
    correlation = both["baseline"].corr(both["follow_up"]) if start and both["follow_up"].nunique() > 1 else 0.0
    found = dict(smcc=stats.smcc(change.mean(), spread, n), smcr=stats.smcr(change.mean(), start, correlation, n))
    words = dict(smcc=("SD of the changes", SAME_CHANGE), smcr=("SD of the first scores", "everyone began with the same score: the standard deviation is 0"))
    rows, z = [], norm.ppf((1 + conf_level) / 2)
    for name, (estimate, error) in found.items():
        note = "fewer than 3 people with both scores" if n < 3 else words[name][1] if pd.isna(estimate) else ""
        rows.append(dict(measure=f"change_{name}", group="all", level="all", n=n, n_missing=len(pairs) - n, estimate=estimate, std_error=error,
                         conf_low=estimate - z * error, conf_high=estimate + z * error, conf_level=conf_level, unit="standard deviations",
                         method=f"{name.upper()}: mean change / {words[name][0]}", note=note))
    return result_table(rows)


def reliable_change_shares(pairs, threshold, higher_is_better, conf_level=0.95, note=""):
    """Shares of people with both scores who improved, became worse, or neither, by at least a threshold.

    Parameters
    ----------
    pairs : DataFrame, one row per person
        Needs baseline and follow_up.
    threshold : float
        In score points, above 0: the minimally important difference, or the change beyond error of measurement.
    higher_is_better : bool

    Returns
    -------
    DataFrame
        Result layout, unit proportion; measures share_improved, share_worse and share_neither of the people with both scores, and
        share_improved_of_all: of all with a first score, where who was not measured again counts as not improved.

    Raises
    ------
    ValueError
        If `threshold` is not above 0.

    References
    ----------
    Jacobson and Truax (1991) J Consult Clin Psychol 59:12; Wilson score interval: Newcombe (1998) Stat Med 17:857, method 3.
    """
    if not threshold > 0:
        raise ValueError(f"threshold must be above 0; found {threshold}.")
    both = both_scores(pairs)
    gain = (1 if higher_is_better else -1) * (both["follow_up"] - both["baseline"])
    better, worse, words = int((gain >= threshold - 1e-9).sum()), int((gain <= -threshold + 1e-9).sum()), f"by {threshold:.3g} or more{note}"
    neither, began = len(both) - better - worse, int(pairs["baseline"].notna().sum())

    def row(measure, count, total, note, guard):
        # `guard`: the counts that this one would give away, or be given away by, were one of them small; then this row is hidden too
        low, high = wilson(count, total, conf_level)
        known = dict(numerator=count, denominator=total) if guard is None else dict(numerator=min([c for c in guard if c], default=0))
        return dict(measure=measure, group="all", level="all", n=total, n_missing=len(pairs) - total, estimate=count / total if total else None,
                    conf_low=low, conf_high=high, conf_level=conf_level, unit="proportion", method="Wilson score", note=note) | (known if total else {})

    return result_table([row("share_improved", better, len(both), f"improved {words}", None),
                         row("share_worse", worse, len(both), f"became worse {words}", (worse, neither)),
                         row("share_neither", neither, len(both), f"neither improved nor became worse {words}", (better, worse, neither)),
                         row("share_improved_of_all", better, began, f"improved {words}; who was not measured again counts as not improved", (better, len(both) - better))])


def change_threshold(pairs, measure, norm):
    """The change that counts: (points, more words for it), or (None, what is needed)."""
    if measure["mid_value"] > 0:
        return float(measure["mid_value"]), ""
    spread = pairs["baseline"].astype(float).std()
    if norm["assumed"] or not spread > 0:
        return None, "needs a smallest important difference (mid, under instruments in scheme.yaml) or a reliability (under norms)"
    return float(stats.reliable_change(spread, norm["reliability"][1])), f" (reliable change index, reliability {norm['reliability'][1]:g})"


def difference_from_norm(pairs, norm, conf_level=0.95, unit="points"):
    """Mean score minus that of people in general, at both times, among people with both scores.

    Parameters
    ----------
    pairs : DataFrame, one row per person
        Needs baseline and follow_up.
    norm : dict
        mean, source, verification (as `cohort.norm_of` gives them).

    Returns
    -------
    DataFrame
        Result layout; measure difference_from_norm, group occasion. The norm is taken as exact. Empty, saying what is needed, without a norm.
    """
    both, rows = both_scores(pairs), []
    known = pd.notna(norm["mean"])
    for time in TIMES:
        found = mean(both[time] - norm["mean"], conf_level)
        note = f"norm {norm['mean']:.3g}: {norm['source']} ({norm['verification']})" if known else NEEDS_NORM
        rows.append(dict(measure="difference_from_norm", group="occasion", level=time, n=len(both), n_missing=len(pairs) - len(both), unit=unit,
                         conf_level=conf_level, method="mean minus norm, t limits", note=note, **found))
    return result_table(rows)


def expected_change(pairs, norm, conf_level=0.95, unit="points", higher_is_better=True):
    """The change that being chosen at a bad time brings with no help at all, and what is left of the observed change.

    Parameters
    ----------
    pairs : DataFrame, one row per person
        Needs baseline and follow_up.
    norm : dict
        mean, sd, reliability (lowest, best, highest), assumed, cutoff, source, verification (as `cohort.norm_of` gives them).

    Returns
    -------
    DataFrame
        Result layout, about people with both scores. expected_change: (1 - reliability) x (norm - mean baseline); its interval spans that
        of the baseline mean and the range of the reliability. change_beyond_expected: observed minus expected, person by person,
        over the same range. expected_change_at_cutoff, where the scheme gives a cut-off: of anybody chosen beyond it. Regression to
        the mean is not all that happens without help: recovery comes on top.

    References
    ----------
    Barnett, van der Pols and Dobson (2005) Int J Epidemiol 34:215; Gardner and Heady (1973) J Chronic Dis 26:781.
    """
    from scipy.stats import t

    both = both_scores(pairs)
    n, (low, best, high) = len(both), norm["reliability"]
    words = f"reliability {low:g} to {high:g}, assumed" if norm["assumed"] else f"reliability {best:g}"
    row = dict(group="all", level="all", n=n, n_missing=len(pairs) - n, unit=unit, conf_level=conf_level, method=f"(1 - reliability) x (norm - baseline); {words}",
               note=f"norm {norm['mean']:.3g}: {norm['source']} ({norm['verification']})")
    if pd.isna(norm["mean"]) or n < 2:
        empty = row | dict(note=NEEDS_NORM if pd.isna(norm["mean"]) else "fewer than 2 people with both scores")
        return result_table([empty | dict(measure="expected_change"), empty | dict(measure="change_beyond_expected")])
    began, quantile = mean(both["baseline"], conf_level), t.ppf((1 + conf_level) / 2, n - 1)
    estimate, lowest, highest = stats.expected_from_selection(began["estimate"], began["std_error"], norm["mean"], norm["reliability"], quantile)
    rows = [row | dict(measure="expected_change", estimate=estimate, conf_low=lowest, conf_high=highest)]
    left = [mean(both["follow_up"] - r * both["baseline"] - (1 - r) * norm["mean"], conf_level) for r in norm["reliability"]]
    rows.append(row | dict(measure="change_beyond_expected", estimate=left[1]["estimate"], conf_low=min(x["conf_low"] for x in left),
                           conf_high=max(x["conf_high"] for x in left), method=f"observed - expected; {words}"))
    if pd.notna(norm["cutoff"]) and pd.notna(norm["sd"]):
        found = [stats.selected_change(norm["mean"], norm["sd"], r, norm["cutoff"], higher_is_better)["expected_change"] for r in norm["reliability"]]
        rows.append(row | dict(measure="expected_change_at_cutoff", estimate=found[1], conf_low=min(found), conf_high=max(found),
                               method=f"truncated normal, cut-off {norm['cutoff']:g}; {words}"))
    return result_table(rows)
