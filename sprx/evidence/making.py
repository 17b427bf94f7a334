"""A scheme's evidence record from its released results, and its place in the base."""

import pandas as pd

from sprx import __version__
from sprx.evidence.base import TABLES
from sprx.evidence.record import rows_of_record
from sprx.evidence.rules import periods_overlap, with_std_errors
from sprx.reference import facts, plain_key

EFFECT_FROM = 3                     # Maryland level from which a difference is called an effect
FIGURES = 6                         # significant figures of a number in a record


def evidence_record(scheme, results):
    """What a scheme adds to the evidence base: the content of its evidence_record.json (docs/evidence.md).

    Parameters
    ----------
    scheme : Scheme
        Cleaned.
    results : DataFrame
        Released results of the chapters before, as `Report.earlier_results` gives them: nothing else about people goes in.

    Returns
    -------
    dict
        Of each instrument and service the difference from the comparison people, in its units and in standard deviations, where there is a comparison; else
        the change. A hidden number stays hidden.
    """
    settings = scheme.settings
    levels = {what: _design_of(results, f"maryland_level_{what}") for what in ("scores", "use")}
    design, level = max(levels.values(), key=lambda pair: pair[1] or 0)
    effects = [*_score_effects(scheme, results, levels["scores"][1], level), *_use_effects(results, *levels["use"], level)]
    people = results[results["measure"].eq("share_of_people")]
    compared = results[results["group"].eq("compared") & results["level"].eq("comparison")]["n"].max()
    ages = people[people["group"].eq("age_band") & people["level"].ne("missing") & people["estimate"].notna()]
    times = [e["timepoint_months"] for e in effects if e["timepoint_months"] is not None]
    return dict(
        scheme_id=settings.scheme_id, name=settings.name, area=settings.area or None, period=_period(scheme), design=design, maryland_level=level, synthetic=settings.synthetic,
        population=dict(n=_number(people["n"].max()), n_comparison=_number(compared) or None, share_female=_one(people, "share_of_people", "female", "estimate"),
                        age_shares={r.level: _number(r.estimate) for r in ages.itertuples()}),
        activities=_activities(results), follow_up_months=max(times, default=None),
        link_worker=True if scheme.has("contacts") or scheme.has("referrals", "first_contact_date") else None, sprx_version=__version__, disclosure=settings.disclosure, effects=effects)


def with_record(tables, record):
    """The evidence base with a scheme's record in it, and without what it held of the same people already.

    Parameters
    ----------
    tables : dict of DataFrame
        As `read_base` gives them.
    record : dict
        As `evidence_record` gives it.

    Returns
    -------
    (dict of DataFrame, str)
        The tables, and the study_id under which the scheme stands in them. Nothing is written.
    """
    rows = rows_of_record(record, "this scheme")
    rows = {name: t.assign(added_by="this report", added_on="") for name, t in rows.items()}
    if "effects" in rows:
        rows["effects"] = with_std_errors(rows["effects"])
    mine, studies = rows["studies"].iloc[0], tables["studies"]
    same = [row["study_id"] for row in studies.to_dict("records") if row["scheme_id"] == record["scheme_id"] and periods_overlap(row, mine)]
    kept = {name: t[~t["study_id"].isin(same)] for name, t in tables.items()}
    return {name: pd.concat([kept[name], rows[name]], ignore_index=True) if name in rows else kept[name] for name in TABLES}, mine["study_id"]


def _design_of(results, measure):
    row = results[results["measure"].eq(measure)]
    return ("none", None) if row.empty or pd.isna(row["estimate"].iloc[0]) else (row["level"].iloc[0], int(row["estimate"].iloc[0]))


def _period(scheme):
    """The period of scheme.yaml, else the months in which people were referred; None where the data hold no dates."""
    start, end = scheme.settings.period
    if start is None or end is None:
        tables = [scheme.tables.get(name, {}).get(column) for name, column in (("referrals", "referral_date"), ("people", "index_date"))]
        dates = next((d.dropna() for d in tables if d is not None and d.notna().any()), None)
        if dates is None:
            return None
        months = pd.to_datetime(dates).dt.to_period("M")            # whole months: no date of a person
        start, end = months.min().start_time, months.max().end_time
    return dict(start=f"{start:%Y-%m-%d}", end=f"{end:%Y-%m-%d}")


def _activities(results):
    shown = results[results["measure"].eq("share_prescribed") & results["group"].eq("activity_type") & results["estimate"].gt(0)]
    return sorted(set(shown["level"]) & set(facts("activities")["activity_type"]))


def _score_effects(scheme, results, own_level, level):
    """Effects of the instruments: against the comparison where it is as strong as the study's, else the change."""
    measures, effects = scheme.measures(), []
    compared = (own_level or 0) >= min(EFFECT_FROM, max(level or 2, 2))
    word = "effect" if (own_level or 0) >= EFFECT_FROM else "difference"
    kinds = ((f"{word}_", "mean_difference"), (f"{word}_standardised_", "smd")) if compared else (("paired_change_", "mean_difference"), ("change_smcc_", "smd"))
    known = {plain_key(r.domain): (r.evidence_domain, r.evidence_outcome) for r in facts("domains").itertuples()}
    reported = results.loc[results["measure"].str.startswith(kinds[0][0]), "measure"].str.removeprefix(kinds[0][0])      # the scheme's primary outcome first
    for instrument in dict.fromkeys(name for name in reported if name in measures.index):
        measure = measures.loc[instrument]
        if measure["higher_is_better"] not in ("yes", "no"):
            continue
        domain, outcome = known.get(plain_key(measure["domain"]), ("other", instrument))        # of no known domain: an outcome of its own
        for start, effect_type in kinds:
            row = _all(results, start + instrument)
            if row is None:
                continue
            groups = [_one(results, f"measured_again_{instrument}", arm, "n", "compared") for arm in ("scheme", "comparison")] if compared else (row.n, None)
            effects.append(_effect(row, effect_type, compared, groups, _one(results, "months_to_follow_up", "scheme", "estimate", "compared"),
                                   domain=domain, outcome=outcome, instrument=instrument,
                                   direction_good="higher" if measure["higher_is_better"] == "yes" else "lower",
                                   adjusted=not row.method.startswith("difference of") if compared else None))
    return effects


def _use_effects(results, design, own_level, level):
    """Effects on the use of services, as ratios."""
    compared = (own_level or 0) >= min(EFFECT_FROM, max(level or 2, 2)) and design != "series"
    start, effects = "rate_ratio_" if compared else "rate_ratio_before_after_", []
    names = {"gp": "gp_use", "ae": "ae_use", "inpatient": "admissions"}
    for measure in results.loc[results["measure"].str.match("rate_ratio_before_after_(?!without)"), "measure"]:
        service = measure.removeprefix("rate_ratio_before_after_")
        row = _all(results, start + service)
        if row is not None:
            groups = [_one(results, "months_watched", arm, "n", "compared") for arm in ("scheme", "comparison")] if compared else (row.n, None)
            effects.append(_effect(row, "rate_ratio", compared, groups, _one(results, "months_watched", "scheme", "estimate", "compared"), domain="statutory_services",
                                   outcome=names.get(service, service), instrument=f"use of services: {service}", direction_good="lower", adjusted=False if compared else None))
    return effects


def _effect(row, effect_type, compared, groups, months, **about):
    """One effect of a record; where it is hidden, that it is."""
    hidden = bool(row.suppressed)
    numbers = {k: None if hidden else _number(getattr(row, k)) for k in ("estimate", "std_error", "conf_low", "conf_high")}
    whole = all(v is not None for v in numbers.values())
    return about | numbers | dict(
        comparison="between_group" if compared else "within_group_change", effect_type=effect_type, subgroup=None, conf_level=_number(row.conf_level) if whole else None,
        n_scheme=None if hidden else _number(groups[0]), n_comparison=None if hidden else _number(groups[1]), timepoint_months=None if months is None else round(months, 1),
        suppressed=hidden, note=row.method or None)


def _all(results, measure):
    """The row of everybody of a measure, if it says something or is hidden."""
    rows = results[results["measure"].eq(measure) & results["group"].eq("all")]
    rows = rows[rows["estimate"].notna() | rows["suppressed"].eq(True)]
    return None if rows.empty else next(rows.itertuples())


def _one(results, measure, level, column, group=None):
    rows = results[results["measure"].eq(measure) & results["level"].eq(level) & (results["group"].eq(group) if group else True)]
    return None if rows.empty else _number(rows[column].iloc[0])


def _number(value):
    """A number of a record: FIGURES figures, whole where it is whole, None where there is none."""
    if value is None or pd.isna(value):
        return None
    value = float(f"{value:.{FIGURES}g}")
    return int(value) if value.is_integer() else value
