"""The living review's counts: what is in the evidence base, how much of it can be used, and why the rest cannot; every row knows the rows it was made from."""

import re

import numpy as np
import pandas as pd

from sprx.metrics.evidence.comparable import SETS, why_not_pooled
from sprx.metrics.evidence.pooling import KIND_WORDS, set_name
from sprx.results import result_table

EVALUATIONS = {"rct": "drawn by lot", "nrct_controlled": "another comparison group", "before_after_uncontrolled": "one group, before and after"}
OTHERS = {"review": "reviews of other studies", "economic": "economic models and returns", "qualitative": "what people say (qualitative)", "descriptive": "who is reached (descriptive)"}
KINDS = ("controlled", "weak comparison", "uncontrolled")
UNKNOWN_YEAR = "year not known"
NOT_JUDGED, DIFFER = "not judged", "judgements differ"
SURE_OF = {"verified": "verified", "secondary": "verified", "unverified": "not verified"}
AFTER, UNTIL = "after", "until"


def places(rows):
    """Where rows of the base stand: 'file, row; file, row'."""
    return "; ".join(f"{file}, {where}" for file, where in zip(rows["file"], rows["where"]))


def traced(rows):
    """Rows (dicts with `rows`, where in the base each comes from) to the result layout with a column `rows`."""
    return result_table(rows).assign(rows=[row.get("rows", "") for row in rows])


def counted(measure, rows, group="all", level="all", **more):
    """A result row that counts studies and knows them."""
    return dict(measure=measure, group=group, level=level, n=len(rows), n_missing=0, estimate=len(rows), unit="studies", rows=places(rows)) | more


def evaluations(studies):
    """The studies that measured what became of people: trials, other comparisons, one group before and after."""
    return studies[studies["design"].isin(list(EVALUATIONS))]


def base_counts(studies):
    """How many studies the base holds, by design, by how they were read and by who added them.

    Parameters
    ----------
    studies : DataFrame, one row per study
        As `read_review` gives it.

    Returns
    -------
    DataFrame
        Result layout and `rows`: studies_in_base by design, where_read and added_by (sprx, somebody else, somebody else (SYNTHETIC)), evaluations, evaluations_compared, studies_by_year
        (group = design, level = year).
    """
    who = studies["added_by"].eq("sprx").map({True: "sprx", False: "you"}).mask(studies["title"].str.startswith("SYNTHETIC"), "you, SYNTHETIC")
    tested = evaluations(studies)
    found = [counted("studies_in_base", studies), counted("evaluations", tested), counted("evaluations_compared", tested[tested["design"].ne("before_after_uncontrolled")])]
    for group, keys in (("design", studies["design"]), ("where_read", studies["where_read"]), ("added_by", who)):
        names = list(EVALUATIONS) + list(OTHERS) if group == "design" else sorted(keys.unique())
        found += [counted("studies_in_base", studies[keys.eq(name)], group, name) for name in names]
    years = studies["year"].map(lambda y: UNKNOWN_YEAR if pd.isna(y) else f"{y:.0f}")
    found += [counted("studies_by_year", part, design, year) for (design, year), part in studies.groupby([studies["design"], years])]
    return traced(found)


def results_of_evaluations(comparable):
    """The rows of `comparable_effects` that come from evaluations themselves, not from reviews or models that cite others; synthetic ones are called so in capitals."""
    own = comparable[comparable["design"].isin(list(EVALUATIONS))]
    return own.assign(cite_name=own["cite_name"].str.replace("(synthetic)", "(SYNTHETIC)", regex=False))


def result_directions(comparable, studies):
    """Which way results point, for results with a comparison and for changes of one group.

    Returns
    -------
    DataFrame
        Result layout and `rows`; group = kind: results_pointing (level = all, better, worse, mixed, no difference) in results (a study's on one outcome); evaluations_with_results, and of
        these evaluations_all_better, in studies.
    """
    own, found = results_of_evaluations(comparable), []
    for kind in KINDS:
        part = own[own["kind"].eq(kind) & own["direction"].ne("")]
        for way in ("all", "better", "worse", "no difference", "mixed"):
            here = part[part["direction"].eq(way)] if way != "all" else part
            found.append(dict(measure="results_pointing", group=kind, level=way, n=len(here), n_missing=0, estimate=len(here), unit="results", rows="; ".join(here["rows"])))
        better = part.groupby("study_id")["direction"].agg(lambda d: d.eq("better").all())
        found.append(counted("evaluations_with_results", studies[studies["study_id"].isin(better.index)], kind))
        found.append(counted("evaluations_all_better", studies[studies["study_id"].isin(better.index[better.astype(bool)])], kind))
    return traced(found)


def before_and_since(studies, uptake, until):
    """What the 2015 review criticised, in evaluations that it could have seen and in those that came after.

    Parameters
    ----------
    studies, uptake : DataFrame
        As `read_review` gives them.
    until : int
        The last year that the review could search.

    Returns
    -------
    DataFrame
        Result layout and `rows`; group = until or after: evaluations_published (also by level = design), share_compared, share_saying_who_took_part (proportions), median_people,
        median_follow_up. n_missing: evaluations that do not say.
    """
    found = []
    for group, part in ((UNTIL, studies[studies["year"].le(until)]), (AFTER, studies[studies["year"].gt(until)])):
        part = evaluations(part)
        found.append(counted("evaluations_published", part, group))
        found += [counted("evaluations_published", part[part["design"].eq(design)], group, design) for design in EVALUATIONS]
        for name, flags in (("share_compared", part["design"].ne("before_after_uncontrolled")), ("share_saying_who_took_part", part["study_id"].isin(uptake["study_id"]))):
            found.append(dict(measure=name, group=group, level="all", n=len(part), n_missing=0, estimate=flags.mean() if len(part) else np.nan, unit="proportion",
                              method="share of the evaluations in the base", rows=places(part)))
        for name, values, unit in (("median_people", people(part), "people"), ("median_follow_up", part["follow_up_months"], "months")):
            known = values.dropna()
            found.append(dict(measure=name, group=group, level="all", n=len(known), n_missing=len(part) - len(known), estimate=known.median() if len(known) else np.nan, unit=unit,
                              method="median of the evaluations that say it", rows=places(part.loc[known.index])))
    return traced(found)


def people(studies):
    """How many people each study had, in both groups together; missing where it does not say."""
    both = studies[["n_intervention", "n_control"]].sum(axis=1, min_count=1)
    return studies["n_total"].where(studies["n_total"].gt(0), both)


# ---- how much of it can be used

def study_flow(studies, comparable):
    """From every study in the base to those that an average rests on, with the reason for each that falls away.

    Parameters
    ----------
    studies : DataFrame
    comparable : DataFrame
        As `comparable_effects` gives it.

    Returns
    -------
    DataFrame
        Result layout and `rows`; measure flow, group = stage (in_base, evaluation, with_number, controlled, usable, averaged; of one group: changes_usable, changes_averaged), level = kept or
        the reason why not. Of each stage, kept and the reasons add up to what the stage before kept (changes_usable: to those that fell away from controlled for having one group). flow_without_number: evaluations of which no number could be read.
    """
    own = results_of_evaluations(comparable)
    stages = [("in_base", pd.Series("kept", index=studies.index)), ("evaluation", studies["design"].map(OTHERS).fillna("kept"))]
    numbered = own[own["direction"].ne("")]
    left = evaluations(studies)
    stages.append(("with_number", left["study_id"].isin(numbered["study_id"]).map({True: "kept"}).fillna("no number in what was read (" + left["where_read"] + ")")))
    left = left[stages[-1][1].eq("kept")]
    best = numbered.groupby("study_id")["kind"].agg(lambda kinds: next(k for k in KINDS if k in set(kinds)))
    kept = left["study_id"].map(best).map({"controlled": "kept", "weak comparison": "a comparison too weak to call it an effect", "uncontrolled": ONE_GROUP})
    stages.append(("controlled", kept))
    stages += _used(left[kept.eq("kept")], own[own["kind"].eq("controlled")], "usable", "averaged")
    stages += _used(left[kept.eq(ONE_GROUP)], own[own["kind"].eq("uncontrolled")], "changes_usable", "changes_averaged")
    found = []
    for stage, fates in stages:
        reasons = sorted(set(fates) - {"kept"}, key=lambda r: (-fates.eq(r).sum(), r))
        found += [counted("flow", studies.loc[fates.index[fates.eq(fate)]], stage, fate) for fate in ["kept", *reasons]]
    silent = dict(stages)["with_number"]
    return traced([*found, counted("flow_without_number", studies.loc[silent.index[silent.ne("kept")]])])


ONE_GROUP = "changes of one group only"
STAGES = {"in_base": "in the base", "evaluation": "measured what became of people", "with_number": "a number could be read", "controlled": "compared with another group",
          "usable": "a number that can be averaged", "averaged": "in an average", "changes_usable": "a change that can be averaged", "changes_averaged": "in an average of changes"}
BEFORE = {"evaluation": ("in_base", "kept"), "with_number": ("evaluation", "kept"), "controlled": ("with_number", "kept"), "usable": ("controlled", "kept"), "averaged": ("usable", "kept"),
          "changes_usable": ("controlled", ONE_GROUP), "changes_averaged": ("changes_usable", "kept")}


def _used(left, results, usable, averaged):
    """Two stages: has a result that can be averaged; is in an average."""
    mine = results[results["study_id"].isin(left["study_id"])]
    why = mine.groupby("study_id")["why_not"].agg(lambda reasons: "" if (reasons == "").any() else reasons.iloc[0])
    first = left["study_id"].map(why).replace("", "kept")
    sets = {key: why_not_pooled(rows) for key, rows in results.groupby(SETS, sort=False)}
    good = mine[mine["why_not"].eq("")]
    refused = good.assign(reason=[sets[tuple(row)] for row in good[SETS].itertuples(index=False)]).groupby("study_id")["reason"].agg(lambda r: "kept" if (r == "").any() else _plain(r.iloc[0]))
    return [(usable, first), (averaged, left.loc[first.eq("kept"), "study_id"].map(refused))]


def _plain(reason):
    """A reason without the counts of its set, so that alike ones add up."""
    return re.sub(r" \(.*\)$", "", reason).replace("can be averaged", "of its outcome can be averaged")


# ---- risk of bias

def bias_judgements(studies, appraisal):
    """What others judged of each study's risk of bias; studies that nobody judged are counted.

    Returns
    -------
    DataFrame
        Result layout and `rows` (the judgements, or the studies not judged); measure risk_of_bias, group = design, level = 'judgement, verified', 'judgement, not verified', 'judgements differ'
        or 'not judged'; evaluations_judged: all that were, and by judgement whatever the design.
    """
    found = []
    for design in [*EVALUATIONS, "review"]:
        own = studies[studies["design"].eq(design)]
        said = own.set_index("study_id").index.to_series().map(lambda s: _judged(appraisal[appraisal["study_id"].eq(s)])).to_numpy()
        for level in sorted(set(said), key=_order):
            mine = own[said == level]
            shown = mine if level == NOT_JUDGED else appraisal[appraisal["study_id"].isin(mine["study_id"])]
            found.append(counted("risk_of_bias", mine, design, level) | dict(rows=places(shown)))
    own = evaluations(studies)
    said = own["study_id"].map(lambda s: _judged(appraisal[appraisal["study_id"].eq(s)]))
    found.append(counted("evaluations_judged", own[said.ne(NOT_JUDGED)]))
    found += [counted("evaluations_judged", own[said.str.split(",").str[0].eq(word)], "judgement", word) for word in sorted(set(said.str.split(",").str[0]), key=_order)]
    found.append(counted("evaluations_judged", own[said.str.endswith(", verified")], "judgement", "verified"))
    return traced(found)


def _judged(rows):
    """The judgements on one study as one."""
    if rows.empty:
        return NOT_JUDGED
    if rows["judgement"].nunique() > 1:
        return DIFFER
    return f"{rows['judgement'].iloc[0]}, {'verified' if rows['verification'].map(SURE_OF).eq('verified').any() else 'not verified'}"


def _order(level):
    names = ["low", "some concerns", "mixed", "high", "unclear", DIFFER, NOT_JUDGED]
    return names.index(level.split(",")[0]), level


# ---- money, side by side

RETURN, PER_QALY, OTHER_MONEY = "published_return", "published_cost_per_qaly", "published_money"


def economic_figures(economic, studies):
    """Published figures on money as they are printed; nothing is converted, nothing averaged.

    Returns
    -------
    DataFrame
        Result layout and `rows`; measure published_return (for each 1 paid in), published_cost_per_qaly or published_money, group = study_id, level = programme and what the figure is; the unit has currency
        and price year or that it is not said; limits only where an interval was printed, the end of a printed range is in the note. Then figures_printed and
        studies_with_figures, of each of these measures and in all.
    """
    names, found = studies.set_index("study_id"), []
    for r in economic.itertuples():
        study = names.loc[r.study_id]
        measure = RETURN if r.unit.startswith("per 1 ") else PER_QALY if r.figure_type == "cost per QALY" else OTHER_MONEY
        years = f"prices of {r.price_year}" if r.price_year else "price year not said"
        money = "" if r.unit.startswith(("percent", "QALY")) else f"{r.currency or 'currency not said'} " if measure != RETURN else ""
        told = [f"range to {r.figure_high:,.10g}" if pd.notna(r.figure_high) else "", _comparator(r.comparator), r.note]
        found.append(dict(measure=measure, group=r.study_id, level=f"{study['title'][:9] + ': ' if study['title'].startswith('SYNTHETIC') else ''}{r.study}: {r.figure_type}, {r.unit}", estimate=r.figure,
                          conf_low=r.conf_low, conf_high=r.conf_high, conf_level=r.conf_level, unit=f"{money}{r.unit} ({years})", method="as printed", note="; ".join(t for t in told if t), rows=f"{r.file}, {r.where}"))
    silent = economic[economic["price_year"].eq("")]
    for name, rows in (("all", economic), ("price_year_not_said", silent)):
        found.append(counted("figures_printed", rows, "all", name) | dict(unit="figures"))
    for measure in (RETURN, PER_QALY, OTHER_MONEY):
        mine = studies[studies["study_id"].isin({f["group"] for f in found if f["measure"] == measure})]
        found.append(counted("studies_with_figures", mine, "all", measure))
        found.append(counted("figures_printed", economic[[f["measure"] == measure for f in found[:len(economic)]]], "all", measure) | dict(unit="figures"))
    return traced([*found, counted("studies_with_figures", studies[studies["study_id"].isin(economic["study_id"])])])


def _comparator(text):
    return "comparator not said" if not text else f"no comparison{text[4:]}" if text.startswith("none") else f"compared with: {text}"


# ---- what the review of 2015 asked, and where averages come from

def asked_in_2015(asked):
    """What the 2015 review asked, searched, found, criticised and wanted.

    Parameters
    ----------
    asked : DataFrame
        The table asked_2015 of `read_review`.

    Returns
    -------
    DataFrame
        Result layout and `rows`; measure asked_2015, group = part (asked, searched, found, criticised, wanted, not_read), level = key; estimate where it is a number, note = what it says in our words.
    """
    return traced([dict(measure="asked_2015", group=r.part, level=r.key, estimate=float(r.number) if r.number else np.nan, unit="as printed" if r.number else "in words", note=r.words,
                        method=f"read: {r.where_read}; {r.verification}", rows=f"{r.file}, {r.where}") for r in asked.itertuples()])


def with_rows(table, comparable):
    """A table of `pooled_effects`, `forest_rows` or `effect_directions` with a column `rows`: where in the base each number comes from.

    Parameters
    ----------
    table : DataFrame
    comparable : DataFrame
        The rows of `comparable_effects` that it was made from.
    """
    keys = pd.DataFrame(dict(kind=comparable["kind"], outcome=comparable["outcome"], set=_sets(comparable), study=comparable["cite_name"], rows=comparable["rows"], used=comparable["why_not"].eq("")))
    kinds, found = {word: kind for kind, word in KIND_WORDS.items()}, []
    for r in table.itertuples():
        kind = r.group if r.group in KIND_WORDS else kinds[r.measure.split("_")[1]]
        mine = keys[keys["kind"].eq(kind)]
        if r.measure.startswith("direction_"):
            mine = mine[mine["outcome"].eq(r.group) & mine["study"].eq(r.level)]
        elif r.measure.startswith("study_"):
            mine = mine[mine["set"].eq(r.group) & mine["study"].eq(r.level)]
        else:
            mine = mine[mine["set"].eq(r.level if r.group in KIND_WORDS else r.group)]
            if pd.notna(r.estimate) and not r.measure.startswith("studies_"):       # an average was made of those only that can be averaged
                mine = mine[mine["used"]]
        found.append("; ".join(mine["rows"]))
    return table.assign(rows=found)


def _sets(comparable):
    return [set_name(outcome, scale) for outcome, scale in zip(comparable["outcome"], comparable["scale"])]
