"""The rules of the evidence base. What a cell may hold is in reference/evidence/columns.csv; here is what cells owe one another."""

import datetime as dt
import math
import re
from typing import NamedTuple

from sprx.errors import nearest
from sprx.reference import facts, plain_key

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
KEY = re.compile(r"[A-Za-z0-9][\w.-]*")
DOI = re.compile(r"10\.\d{4,9}/\S+")
ADDRESS = re.compile(r"https?://[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?(:\d+)?([/?#]\S*)?")
# four words and more between quotation marks: a sentence of somebody else
QUOTATION = re.compile(r"""(?:^|[\s(])["“‘'](?:[^\s"”]+\s+){3,}[^\s"”]*?["”’'](?=$|[\s).,;:])""")
HIDDEN = ("estimate", "std_error", "conf_low", "conf_high", "n", "n_scheme", "n_comparison")
# designs -> Maryland levels they can have; a trial that went wrong may be worth less than its design
LEVELS = {"rct": (3, 5), "nrct_controlled": (2, 4), "before_after_uncontrolled": (1, 2)}
SMALL_PERCENT = "below one percent"         # words of a note that say so
# rows alike in these are the same row twice
SAME = {"effects": ["study_id", "instrument", "subgroup", "comparison", "effect_type", "timepoint_months", "adjusted", "estimate", "conf_low"],
        "appraisal": ["study_id", "tool", "judged_by"], "economic": ["study_id", "study", "figure_type", "figure", "unit"],
        "uptake": ["study_id", "step"], "components": ["component", "outcome", "named_review_or_guidance", "study_id"]}


class Problem(NamedTuple):
    """What is wrong, where, what was found and what to do."""

    file: str
    where: str
    column: str
    wrong: str
    found: str
    do: str

    def __str__(self):
        found = self.found if len(self.found) <= 80 else self.found[:77] + "..."
        return f"{self.file}, {self.where}, {self.column}: {self.wrong}. Found {found!r}. {self.do}"


def columns_of(table):
    """The columns of a table of the base, one row each, by name: required, kind, minimum, maximum, values, meaning."""
    return facts("evidence/columns").query("table == @table").set_index("column")


def effect_types():
    """The measures of an effect, by name: no_effect, log_scale (yes, no), meaning."""
    return facts("evidence/effect_types").set_index("effect_type")


def number(text):
    """A cell as a number, or None where it holds none."""
    value = float(text) if NUMBER.fullmatch(text) else None
    return value if value is not None and math.isfinite(value) else None


def std_error_from(low, high, conf_level, log_scale):
    """The standard error that an interval implies: (high - low) / 2z, of a ratio on the log scale."""
    from sprx.stats.effect_sizes import from_interval

    return math.sqrt(from_interval(low, low, high, conf_level, log_scale)[1])


def with_std_errors(effects):
    """Effects whose missing standard errors are derived from their intervals, where these are whole, and marked as derived.

    Parameters
    ----------
    effects : DataFrame of text, one row per effect
        Columns of the table effects.
    """
    rows = effects.to_dict("records")
    for row in rows:
        low, high, level = (number(row[c]) for c in ("conf_low", "conf_high", "conf_level"))
        logs = row["effect_type"] in effect_types().index and effect_types().loc[row["effect_type"], "log_scale"] == "yes"
        fits = None not in (low, high, level) and 0 < level < 1 and low < high and (low > 0 or not logs)
        if fits and not row["std_error"]:
            row["std_error"] = f"{std_error_from(low, high, level, logs):.6g}"
            row["derived"] = f"{row['derived']} std_error".strip()
    return effects.assign(std_error=[r["std_error"] for r in rows], derived=[r["derived"] for r in rows])


def check_base(tables):
    """Everything that is wrong with an evidence base.

    Parameters
    ----------
    tables : dict of str to DataFrame of text
        As `read_base` gives them; `file` and `where` say where a row stands.

    Returns
    -------
    list of Problem
        In the order of tables and rows; of two rows that cannot both be, the later one is named.
    """
    studies = {row["study_id"]: row for row in tables["studies"].to_dict("records")[::-1]}
    lists = {"study": list(studies), "effect_type": list(effect_types().index)}
    problems = []
    for name, table in tables.items():
        own = {"studies": _study, "effects": _effect, "economic": _economic, "uptake": _uptake}.get(name)
        specs, seen = list(columns_of(name).iterrows()), {}
        for row in table.to_dict("records"):
            found = [(column, *problem) for column, spec in specs if (problem := _cell(column, spec, row[column], lists))]
            if not found and own:           # what cells owe one another can be told only of cells that can be read
                found = list(own(row))
            if name == "effects" and not found and row["study_id"] in studies:
                found = list(_effect_of_study(row, studies[row["study_id"]]))
            found += _twice(name, row, seen)
            problems += [Problem(row["file"], row["where"], column, wrong, row[column], do) for column, wrong, do in found]
    return problems + _overlaps(tables["studies"])


def _cell(column, spec, text, lists):
    """What is wrong with one cell and what to do, or None."""
    if not text:
        source = "A number without a source is not evidence: say where it was read." if column == "source_url" else f"Fill it in: {spec.meaning}."
        return ("needed and empty", source) if spec.required else None
    if spec.kind in ("number", "integer"):
        return _number_cell(column, spec, text)
    if column == "source_url" and text.startswith("http") and not ADDRESS.fullmatch(text):
        return "not an address", "Copy it again from the browser."
    known = spec["values"].split("; ") if spec.kind == "list" else lists.get(spec.kind)
    if known is not None and text not in known:
        if spec.kind == "study":
            return "no row of studies has this study_id", f"Add its row of studies first, or correct the id.{nearest(text, known)}"
        return "not one of the values", f"One of: {', '.join(known)}.{nearest(text, known)}"
    if spec.kind == "note" and QUOTATION.search(text):
        return "holds a quotation", "Say it in your own words: the base holds no sentences of others."
    if spec.kind == "key" and not KEY.fullmatch(text):
        return "not a study_id", "Use letters, digits, hyphens, dots and underscores only."
    if column == "doi" and not DOI.fullmatch(text):
        return "not a DOI", "Give it from '10.' on, without an address before it."
    if spec.kind == "date" and not _is_date(text):
        return "not a date", "Write it as 2025-03-31."
    return None


def _number_cell(column, spec, text):
    value = number(text)
    if value is None:
        return "not a number", "Write digits with a plain minus and a point, without spaces, signs of money or percent."
    if spec.kind == "integer" and value != int(value):
        return "not a whole number", f"This is {spec.meaning.rstrip('.')}."
    low, high = number(spec.minimum), number(spec.maximum)
    if low is not None and value < low and column == "std_error":
        return "a standard error is never negative", "Take the minus away, or leave it empty: it is derived from the interval."
    if column == "conf_level" and 1 < value < 100:
        return "a percentage where a share is meant", f"Write {value / 100:g}."
    if (low is not None and value < low) or (high is not None and value > high):
        return "out of range", f"It is {f'from {low:g} to {high:g}' if high is not None else f'at least {low:g}'}: {spec.meaning}."
    return None


def _is_date(text):
    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _study(row):
    level, design = number(row["maryland_level"]), row["design"]
    if design in LEVELS:
        low, high = LEVELS[design]
        if level is None or not low <= level <= high:
            yield "maryland_level", f"does not go with the design {design}", f"It is {low} to {high}."
    if not row["year"] and not row["scheme_id"]:
        yield "year", "needed and empty", "Fill it in: only a scheme's own record, whose data may hold no dates, can do without."
    if row["scheme_id"] and not row["period_start"] <= row["period_end"]:
        yield "period_end", f"not after the start ({row['period_start']})", "Correct one of the two."
    groups = [number(row[c]) or 0 for c in ("n_intervention", "n_control")]
    if row["n_total"] and sum(groups) > number(row["n_total"]):
        yield "n_total", f"less than the two groups together ({sum(groups):g})", "Correct one of the three numbers."


def _interval(row, estimate):
    """What is wrong with an interval, whichever table it is in."""
    low, high = number(row["conf_low"]), number(row["conf_high"])
    if low is None and high is None:
        return
    if low is not None and high is not None and low >= high:
        yield "conf_low", f"not below conf_high ({row['conf_high']})", "Were they typed the wrong way round?"
    elif (low is not None and low > estimate) or (high is not None and high < estimate):
        yield _estimate_column(row), f"outside its interval ({row['conf_low']} to {row['conf_high']})", "Read the three numbers again; look for a lost minus sign."
    if (low is None) != (high is None) and not row["note"]:
        yield "conf_low" if low is None else "conf_high", "half an interval", "Give the other limit, or say in note why it is not known."
    if not row["conf_level"]:
        yield "conf_level", "an interval without its level", "Write 0.95 for a 95% interval."


def _estimate_column(row):
    """The column that holds the number of a row: estimate, or figure in the table economic."""
    return "estimate" if "estimate" in row else "figure"


def _like_a_fraction(row, *columns):
    """Whether the numbers of a row that are to be percentages all look like fractions."""
    values = [number(row[c]) for c in columns if row[c]]
    return any(values) and all(abs(v) < 1 for v in values) and SMALL_PERCENT not in row["note"].casefold()


FRACTION = "looks like a fraction where a percentage is meant", f"Write 28 for 28%. If it is right as it stands, say '{SMALL_PERCENT}' in note."


def _effect(row):
    if row["suppressed"] == "yes":
        yield from ((c, "a number in a row that is hidden", "Take it out, or set suppressed to no if it may be shown.") for c in HIDDEN if row[c])
        return
    if not row["estimate"]:
        yield "estimate", "an effect without an estimate", "Give it, or take the row out; a hidden number has suppressed = yes."
        return
    estimate, kind = number(row["estimate"]), effect_types().loc[row["effect_type"]]
    broken = list(_interval(row, estimate))
    yield from broken
    if kind.log_scale == "yes" and any(row[c] and number(row[c]) <= 0 for c in ("estimate", "conf_low", "conf_high")):
        yield "effect_type", "a ratio is above 0, and one of its numbers is not", "Is it the log of a ratio (give its exponential) or a difference (mean_difference)?"
    elif row["conf_low"] and row["conf_high"] and row["conf_level"] and row["std_error"] and not broken:
        yield from _std_error(row, kind.log_scale == "yes")
    if row["effect_type"] == "percent_change":
        if _like_a_fraction(row, "estimate", "conf_low", "conf_high"):
            yield "estimate", *FRACTION
        elif estimate < -100:
            yield "estimate", "a fall of more than all", "A percentage change is -100 at least."
    if row["effect_type"] == "risk_difference" and abs(estimate) > 1:
        yield "estimate", "a percentage where a share is meant", f"Write {estimate / 100:g}."
    if set(row["derived"].split()) - {"estimate", "std_error"}:
        yield "derived", "names something else than estimate and std_error", "Name what was worked out and not read, apart by a space."
    if "estimate" in row["derived"].split() and not row["note"]:
        yield "note", "a derived estimate that does not say how it was derived", "Say it, for instance: difference of the two printed means."
    way = _way_of(row["instrument"])
    if way and row["direction_good"] != way:
        yield "direction_good", f"not the way of this instrument, on which {way} is better", f"Write {way}; and look whether the sign of the estimate is as printed."
    if row["n_scheme"] and row["n_comparison"] and row["n"] and number(row["n_scheme"]) + number(row["n_comparison"]) != number(row["n"]):
        yield "n", f"not the sum of the two groups ({row['n_scheme']} and {row['n_comparison']})", "Correct one of the three numbers."


def _way_of(instrument):
    """Which way is better on an instrument that sprx knows, or None: 'HADS-A' begins as hads does."""
    key, measures = plain_key(instrument), facts("measures")
    known = [(plain_key(name), better) for column in ("measure_id", "name") for name, better in zip(measures[column], measures["higher_is_better"]) if better in ("yes", "no")]
    found = [(len(name), better) for name, better in known if key.startswith(name)]
    return None if not found else "higher" if max(found)[1] == "yes" else "lower"


def _std_error(row, log_scale):
    """A derived standard error is what the rule gives; a printed one is at least of that order."""
    stated, implied = number(row["std_error"]), std_error_from(*(number(row[c]) for c in ("conf_low", "conf_high", "conf_level")), log_scale)
    derived = "std_error" in row["derived"].split()
    if abs(stated / implied - 1) > 0.001 if derived else not 0.5 < stated / implied < 2:
        scale = ", on the log scale" if log_scale else ""
        yield "std_error", f"does not go with the interval, which implies {implied:.4g}{scale}", (
            "Leave it empty: it is derived from the interval." if derived else "Is it a standard deviation, or on the other scale?")


def _effect_of_study(row, study):
    """What an effect owes to its study."""
    if row["comparison"] == "between_group" and study["design"] == "before_after_uncontrolled":
        yield "comparison", "a difference between groups in a study of one group", "A change of one group is within_group_change; or correct the study's design."
    if row["timepoint_months"] and study["follow_up_months"] and number(row["timepoint_months"]) > (number(study["follow_up_months"]) or math.inf):
        yield "timepoint_months", f"later than the study's longest follow-up ({study['follow_up_months']} months)", "Correct one of the two."
    own, others = (number(study[c]) for c in ("n_intervention", "n_control"))
    whole = own and (others or row["comparison"] == "within_group_change")          # else some of the people are not told
    people = number(study["n_total"]) or (own + (others or 0) if whole else None)
    rounded = 10 if study["scheme_id"] else 0       # each group of a record to the nearest 5
    if row["n"] and people and study["design"] != "review" and number(row["n"]) > people + rounded:
        yield "n", f"more people than the study has ({people:g})", "Correct one of the two."


def _economic(row):
    yield from _interval(row, number(row["figure"]))
    if row["figure_high"] and number(row["figure_high"]) < number(row["figure"]):
        yield "figure_high", f"below the lower end ({row['figure']})", "Were they typed the wrong way round?"
    if row["unit"].startswith("percent") and _like_a_fraction(row, "figure", "figure_high"):
        yield "figure", *FRACTION


def _uptake(row):
    start, end, percent = (number(row[c]) for c in ("n_from", "n_to", "percent"))
    if end is None and percent is None:
        yield "percent", "neither n_to nor percent", "Give one of them."
    if start and end is not None and end > start:
        yield "n_to", f"more people after the step than before ({row['n_from']})", "Were they typed the wrong way round?"
    elif percent is not None and _like_a_fraction(row, "percent"):
        yield "percent", *FRACTION
    elif start and end is not None and percent is not None and abs(100 * end / start - percent) > 1:
        yield "percent", f"does not go with {row['n_to']} of {row['n_from']} ({100 * end / start:.1f})", "Correct one of the three numbers."


def _twice(name, row, seen):
    """The same study, or the same row, once more; `seen` remembers what came before."""
    if name == "studies":
        marks = [(c, k) for c, k in (("study_id", row["study_id"].casefold()), ("doi", row["doi"].casefold()), ("title", plain_key(row["title"]))) if k]
        wrong, do = "the same study twice", "It is in the base already: take this row out, or give the study its own study_id and title if it is another."
    else:
        marks = [(SAME[name][0], tuple(v if (v := number(row[c])) is not None else plain_key(row[c]) for c in SAME[name]))]
        wrong, do = "the same row twice", "Take one of them out."
    again = [(column, seen[column, key]) for column, key in marks if (column, key) in seen]
    for mark in marks:
        seen.setdefault(mark, f"{row['file']}, {row['where']}" + (f", added on {row['added_on']} by {row['added_by']}" if row["added_on"] else ""))
    return [(column, f"{wrong} (first in {first})", do) for column, first in again[:1]]


def _overlaps(studies):
    """Records of one scheme whose periods overlap would count the same people twice."""
    own, problems = [row for row in studies.to_dict("records") if row["scheme_id"]], []
    for at, row in enumerate(own):
        for first in own[:at]:
            if row["scheme_id"] == first["scheme_id"] and row["study_id"] != first["study_id"] and periods_overlap(row, first):
                wrong = f"the same scheme for an overlapping period (first in {first['file']}, {first['where']}, to {first['period_end'] or 'no date'})"
                problems.append(Problem(row["file"], row["where"], "period_start", wrong, row["period_start"], "The same people would count twice: keep one of the two."))
    return problems


def periods_overlap(one, other):
    """Whether two records of a scheme may be of the same people; where one holds no dates nobody can tell, so they may."""
    return not (one["period_start"] and other["period_start"]) or (one["period_start"] <= other["period_end"] and other["period_start"] <= one["period_end"])
