"""Cleaning of scores: instruments, ranges, answers to totals, occasion and months."""

import pandas as pd

from sprx.load import SET_ASIDE, issue_rows, note, stack
from sprx.reference import plain_key
from sprx.scoring import EQ5D_DIMENSIONS, VALUE_SET_OF_5L, eq5d_utility, item_number, score_items, swemwbs_metric

DAYS_PER_MONTH = 30.4375
LATEST_BASELINE_MONTHS = 1.0
SAID_OF_5L = {"map_5l_to_3l_dsu": "the mapping to UK 3L", "crosswalk_5l_to_3l_vanhout": "van Hout's crosswalk", "uk_5l_2026": "the UK 5L set of 2026"}
TOTALS = ("total", "score", "sum")
SITTING = ["person_id", "occasion", "measured_on", "months"]


def clean_outcomes(scheme):
    """Scores that can be analysed: known instruments, within range, one total per sitting, each with occasion and months."""
    if "outcomes" not in scheme.tables:
        return scheme
    scheme = scheme.keep("outcomes", scheme.tables["outcomes"].assign(derived=False), ())
    for step in (_name_instruments, _read_items, _check_ranges, _convert_swemwbs, _score_answers, _add_months, _add_occasion):
        scheme = step(scheme)
    return scheme


def _aside(scheme, bad, column, problem, expected=""):
    """The scheme with some outcome rows set aside, each with its issue row; `problem` and `expected` may differ by row."""
    rows = scheme.tables["outcomes"]
    part = rows[bad]
    reason = problem[bad] if isinstance(problem, pd.Series) else problem
    issues = issue_rows("outcomes", part, column=column, problem=reason, found=part[column].astype("string"),
                        expected=expected[bad] if isinstance(expected, pd.Series) else expected, action=SET_ASIDE)
    return scheme.keep("outcomes", rows[~bad], issues, part.assign(reason=reason))


def _name_instruments(scheme):
    """EQ-5D-5L gets its value set; what nobody has defined is set aside."""
    rows = scheme.tables["outcomes"]
    chosen = VALUE_SET_OF_5L.get(scheme.settings.economics.get("value_set"))
    own = {plain_key(name): name for name in scheme.settings.instruments}
    named = rows["instrument"].map(lambda name: own.get(plain_key(name), name)).replace("eq5d5l", chosen or "eq5d5l_map").astype("string")
    if chosen:          # answers are valued as scheme.yaml says, whatever the export calls them; totals stay what they are
        answers = ~rows["item"].astype("string").str.strip().str.casefold().isin(TOTALS)
        named = named.mask(named.isin(VALUE_SET_OF_5L.values()) & answers, chosen)
    scheme = scheme.keep("outcomes", rows.assign(instrument=named), ())
    unknown = ~scheme.tables["outcomes"]["instrument"].isin(scheme.measures().index)
    return _aside(scheme, unknown, "instrument", "an instrument nobody defined", "a measure sprx knows, or one under 'instruments' in scheme.yaml")


def _read_items(scheme):
    """`item` becomes total, profile or a number; licensed instruments accept totals only."""
    rows = scheme.tables["outcomes"]
    pairs = rows[["item", "instrument"]].drop_duplicates()
    rules = scheme.measures()["rule"]

    def read(item, instrument):
        word = str(item).strip().casefold()
        if word in TOTALS or (rules[instrument] == "single" and word in ("1", instrument)):
            return "total"
        number = item_number(word, instrument)
        if word == "profile" or number is not None and 1 <= number <= scheme.measures().loc[instrument, "n_items"]:
            return "profile" if word == "profile" else str(number)
        return None

    known = {(i, m): read(i, m) for i, m in pairs.itertuples(index=False)}
    items = pd.Series([known[key] for key in zip(rows["item"], rows["instrument"])], index=rows.index, dtype=object)
    scheme = _aside(scheme.keep("outcomes", rows, ()), items.isna(), "item", "not an item of the instrument", "total, or the number of the item")
    rows = scheme.tables["outcomes"].assign(item=items.dropna())
    licensed = rows["instrument"].map(rules).eq("totals_only") & rows["item"].ne("total")
    scheme = _aside(scheme.keep("outcomes", rows, ()), licensed, "item", "answers that are not scored here (licence, or several ways to code them)",
                    "its total only")
    rows = scheme.tables["outcomes"]
    again = rows.duplicated(["instrument", "item", *[c for c in SITTING if c in rows]])       # 'q1' and '1' are one item
    return _aside(scheme, again, "item", "same item of the same sitting as an earlier row")


def _check_ranges(scheme):
    """Scores and answers outside what the instrument allows."""
    rows, measures = scheme.tables["outcomes"], scheme.measures()
    kind = rows["item"].map({"total": "total"}).fillna("item")
    low, high = (rows["instrument"].map(measures[f"total_{side}"].astype(float))
                 .where(kind.eq("total"), rows["instrument"].map(measures[f"item_{side}"].astype(float))) for side in ("min", "max"))
    single = kind.eq("total") & rows["instrument"].map(measures["rule"]).eq("single")
    low, high = (bound.where(bound.notna() | ~single, rows["instrument"].map(measures[f"item_{side}"].astype(float)))
                 for bound, side in ((low, "min"), (high, "max")))
    broken = (rows["value"] < low - 1e-6) | (rows["value"] > high + 1e-6) | (kind.eq("item") & rows["value"].mod(1).ne(0))
    profile = rows["item"].eq("profile")
    expected = pd.Series([f"from {a:g} to {b:g}" for a, b in zip(low, high)], index=rows.index, dtype=object)
    return _aside(scheme, broken & ~profile, "value", "outside the instrument's range", expected)


def _convert_swemwbs(scheme):
    """Raw SWEMWBS totals to the metric score, when every total is a whole number; raw among metric totals cannot be told apart."""
    rows = scheme.tables["outcomes"]
    totals = rows["instrument"].eq("swemwbs") & rows["item"].eq("total")
    if not totals.any():
        return scheme
    metric = swemwbs_metric(rows.loc[totals, "value"])
    whole = rows["value"].mod(1).eq(0)
    if whole[totals].all():
        issues = note("outcomes", f"{int(totals.sum())} SWEMWBS totals are whole numbers, so raw; converted to metric scores",
                      action="converted", column="value")
        return scheme.keep("outcomes", rows.assign(value=metric.reindex(rows.index).fillna(rows["value"])), issues)
    raw = totals & whole & ~rows["value"].isin([7, 35])
    return _aside(scheme, raw, "value", "a raw SWEMWBS total among metric scores", "one kind of score throughout")


def _score_answers(scheme):
    """One total per sitting from its answers, unless the export gives the total itself."""
    rows = scheme.tables["outcomes"]
    sitting = [c for c in SITTING if c in rows]
    answers = rows[rows["item"].ne("total")]
    made, notes = [], []
    for instrument, part in answers.groupby("instrument"):
        measure = scheme.measures().loc[instrument]
        given = rows[(rows["instrument"] == instrument) & (rows["item"] == "total")].set_index(sitting).index
        if measure["rule"] == "separate":
            notes.append(note("outcomes", f"the items of {instrument} have no total and are not scored"))
            continue
        totals = _totals(part, measure, instrument, sitting, scheme.tables["people"])
        totals = totals[~totals.set_index(sitting).index.isin(given)]
        unscored = int(totals["value"].isna().sum())
        notes.append(note("outcomes", f"{len(totals) - unscored} {instrument} totals scored from answers; {unscored} sittings could not be "
                          "scored (too many answers missing, or age or sex missing for a mapping)", action="scored"))
        made.append(totals.dropna(subset="value"))
        notes.append(_safety_flags(part, instrument))
    if not notes:
        return scheme
    scored = pd.concat([rows, *(totals for totals in made if len(totals))], ignore_index=True)
    return scheme.keep("outcomes", scored, stack(notes))


def _totals(part, measure, instrument, sitting, people):
    """Sittings of one instrument with the total of each (missing where it cannot be scored)."""
    number = part["item"].where(part["item"].ne("profile"), "0").astype(int)
    wide = part.assign(item=number).set_index([*sitting, "item"])["value"].unstack("item")
    if measure["rule"] == "eq5d":
        totals = _eq5d_totals(wide, instrument, people)
    else:
        totals = score_items(wide, measure)
    first = part.groupby(sitting, dropna=False, sort=False)[["row", "file"]].first()
    return totals.rename("value").to_frame().join(first).reset_index().assign(instrument=instrument, item="total", derived=True)


def _eq5d_totals(wide, instrument, people):
    """Utilities of sittings given as five answers or as a profile (column 0)."""
    answered = wide.reindex(columns=range(1, len(EQ5D_DIMENSIONS) + 1))
    profile = answered.map(lambda v: "" if pd.isna(v) else f"{v:.0f}").agg("".join, axis=1)
    if 0 in wide:
        given = wide[0].map(lambda v: f"{v:.0f}" if v % 1 == 0 else "")
        profile = profile.where(wide[0].isna(), given)
    who = people.set_index("person_id").reindex(wide.index.get_level_values("person_id")).reindex(columns=["age", "sex"])
    return eq5d_utility(profile, instrument, who.set_axis(wide.index))


def with_value_set(scheme, value_set):
    """The scheme with its EQ-5D-5L answers valued by another set.

    Parameters
    ----------
    scheme : Scheme (cleaned)
    value_set : str
        A key of scoring.VALUE_SET_OF_5L.

    Returns
    -------
    Scheme
        The totals that were scored from answers are scored anew, under the name of the new measure. Totals that the export gave stay out of it: whose
        answers they came from is not known. The same scheme where there are no answers.
    """
    rows, new = scheme.tables.get("outcomes"), VALUE_SET_OF_5L[value_set]
    if rows is None or not (answers := rows["instrument"].isin(VALUE_SET_OF_5L.values()) & rows["item"].ne("total")).any():
        return scheme
    sitting = [c for c in SITTING if c in rows and c != "instrument"]
    part = rows[answers].assign(instrument=new).drop_duplicates([*sitting, "item"])         # two exports of the same answers are one sitting
    totals = _totals(part, scheme.measures().loc[new], new, [c for c in SITTING if c in rows], scheme.tables["people"]).dropna(subset="value")
    return scheme.keep("outcomes", pd.concat([rows[~rows["instrument"].isin(VALUE_SET_OF_5L.values())], part, totals], ignore_index=True), ())


def other_value_sets(scheme):
    """The scheme with its EQ-5D-5L answers valued by each value set that does not answer already: a list of (name in words, instrument, scheme); empty without answers."""
    rows = scheme.tables.get("outcomes")
    held = set() if rows is None else set(rows.loc[rows["item"].ne("total"), "instrument"])
    answering = next((i for i in VALUE_SET_OF_5L.values() if i in held), None)
    return [(SAID_OF_5L[name], instrument, with_value_set(scheme, name)) for name, instrument in VALUE_SET_OF_5L.items() if answering and instrument != answering]


def _safety_flags(part, instrument):
    """PHQ-9 item 9 above zero is for a clinician, not for analysis: an issue row in private/, nothing else."""
    flagged = part[(instrument == "phq9") & part["item"].eq("9") & part["value"].gt(0)]
    return issue_rows("outcomes", flagged, column="value", problem="PHQ-9 item 9 (self-harm) above 0",
                      expected="a clinician has seen this answer", action="for the clinical lead")


def _add_months(scheme):
    """`months` since the person's start, from dates where the export gives dates."""
    rows = scheme.tables["outcomes"]
    months = rows["months"] if "months" in rows else pd.Series(float("nan"), index=rows.index)
    if "measured_on" in rows:
        start = rows["person_id"].map(scheme.tables["people"].set_index("person_id")["start"])
        first = rows["measured_on"].groupby([rows["person_id"], rows["instrument"]]).transform("min")
        months = months.fillna((rows["measured_on"] - start.fillna(first)).dt.days / DAYS_PER_MONTH)
        unknown = rows.loc[start.isna() & rows["measured_on"].notna(), "person_id"].nunique()
        if unknown:
            scheme = scheme.keep("outcomes", rows, note("outcomes", f"{unknown} people have scores but no referral_date or index_date; "
                                                        "their months were counted from their first score", action="filled", column="months"))
    return scheme.keep("outcomes", rows.assign(months=months.astype(float)), ())


def _add_occasion(scheme):
    """Where the export names no occasion, a person's first score near the start is the baseline, the rest are follow-ups."""
    rows = scheme.tables["outcomes"]
    named = rows["occasion"] if "occasion" in rows else pd.Series(pd.NA, index=rows.index, dtype="string")
    if named.notna().all():
        return scheme
    order = [c for c in ("months", "measured_on") if c in rows]
    ranked = rows.assign(named=named).sort_values([*order, "row"], kind="stable")
    measure = ["person_id", "instrument", "item"]
    has_baseline = ranked["named"].eq("baseline").fillna(False).groupby([ranked[c] for c in measure]).transform("any")
    first = ~ranked.duplicated(measure) & ~has_baseline
    near = ranked["months"].isna() | ranked["months"].le(LATEST_BASELINE_MONTHS)
    guess = (first & near).map({True: "baseline", False: "follow_up"}).astype("string").reindex(rows.index)
    count = int(named.isna().sum())
    issues = note("outcomes", f"{count} scores name no occasion; a person's first score within a month of the start was read as the baseline",
                  action="filled", column="occasion")
    return scheme.keep("outcomes", rows.assign(occasion=named.fillna(guess)), issues)
