"""The living review's findings in sentences: certainty, money, gaps, and what would change our mind."""

import pandas as pd

from sprx.reference import facts
from sprx.wording.evidence import amount, outcome_words, sds, studies_words
from sprx.wording.review import CERTAIN, MARKS, NO_GROUP, group_words
from sprx.wording.words import count, listed, number, one

TINY = 100      # people: a trial so small tells nothing by itself


def describe_certainty(table):
    """How certain what is known of each outcome is, by rule."""
    rows = table[table["measure"].eq("certainty")]
    if rows.empty:
        return "No outcome was compared, so there is nothing to grade."
    said = [f"{CERTAIN[int(level)]} for {listed(outcome_words(g) for g in part['group'])}" for level, part in sorted(rows.groupby("estimate"), reverse=True)]
    return f"By the rules below, certainty is {listed(said)}. This is a proposal by rule: people have to read the studies and confirm or change every step."


def finding_lines(certain, pooled, published):
    """The summary of findings: a dict for each outcome with outcome, studies, effect, certainty and published in words, and rows (where in the base)."""
    lines = []
    graded = certain[certain["measure"].eq("certainty")]
    for row in graded.itertuples():
        mean, further, k, left = (one(pooled, m, row.group, "controlled") for m in ("pooled_estimate", "prediction_interval", "studies_pooled", "studies_not_pooled"))
        steps = certain[certain["group"].eq(row.group) & certain["measure"].str.startswith("certainty_")]
        down = [f"{step_name(s.measure)} {number(s.estimate)}" for s in steps.itertuples() if not s.measure.endswith("start") and s.estimate]
        starts = CERTAIN[int(one(steps, "certainty_start").estimate)]
        lines.append(dict(
            outcome=outcome_words(row.group), studies=f"{studies_words(k.estimate or left.estimate)}, {'how many people is not known' if not row.n else f'{count(row.n)} people'}",
            effect="not averaged" if mean is None else f"{amount(mean)}; a further study would be expected between {sds(further.conf_low)} and {sds(further.conf_high)}",
            certainty=f"{MARKS[int(row.estimate)]} {CERTAIN[int(row.estimate)]}: starts {starts}; {listed(down) or 'no step down'}", published=_published(published, row.group), rows=row.rows))
    others = published[~published["group"].isin(graded["group"])]
    return lines + [dict(outcome=outcome_words(r.group), studies="no compared study that could be read", effect="–", certainty="not graded", published=_published(published, r.group), rows=r.rows) for r in others.itertuples()]


def _published(published, outcome):
    rows = published[published["group"].eq(outcome)]
    return "; ".join(f"{r.level}: {r.note}" for r in rows.itertuples()) or "–"


def step_name(measure):
    """A step of grading in words."""
    return measure.removeprefix("certainty_").replace("_", " ")


def describe_economics(table):
    """What was printed about money, and that nothing of it was averaged."""
    figures, studies, silent = one(table, "figures_printed"), one(table, "studies_with_figures"), one(table, "figures_printed", "price_year_not_said")
    if figures is None or not figures.estimate:
        return "No figure on money is in the base."
    said = f"{count(figures.estimate)} printed figures from {studies_words(studies.estimate)}, side by side. Nothing is converted and nothing is averaged: they count different money, over different times."
    said += f" For {count(silent.estimate)} of them the base does not hold the year of the prices."
    returns = table.loc[table["measure"].eq("published_return"), "estimate"]
    if len(returns):
        said += f" Printed returns for each 1 paid in go from {returns.min():g} to {returns.max():g}."
    qalys, by = one(table, "figures_printed", "published_cost_per_qaly"), one(table, "studies_with_figures", "published_cost_per_qaly")
    return said + (f" Of all figures, {count(qalys.estimate)} {'is' if qalys.estimate == 1 else 'are'} a cost of a QALY, from {studies_words(by.estimate)}." if qalys.estimate else "")


def describe_two_returns(table):
    """A warning where one programme has several printed returns; '' where none has."""
    returns = table[table["measure"].eq("published_return")]
    programme = returns["level"].str.rsplit(":", n=1).str[0]
    said = []
    for (_, name), rows in returns.groupby([returns["group"], programme], sort=False):
        if rows["estimate"].nunique() > 1:
            said.append(f"{name} has more than one printed return, {listed(f'{v:g}' for v in rows['estimate'])}, from one report: the ratio changes with the sum it is divided by.")
    return " ".join(said) + (" Read no ratio without asking what it was divided by." if said else "")


def describe_empty_cells(table):
    """How much of the map is empty."""
    compared = table[table["measure"].eq("gap_compared") & table["group"].ne(NO_GROUP)]
    cells = table[table["measure"].eq("map_cells")].set_index("level")["estimate"]
    never = [g for g, rows in compared.groupby("group", sort=False) if rows["estimate"].eq(0).all()]
    sizes = table[table["measure"].eq("studies_of_group")].set_index("group")["estimate"]
    text = (f"Of {count(cells['all'])} cells ({count(cells['groups'])} groups of people by {count(cells['outcomes'])} outcomes), {count(cells['empty'])} hold nothing that could be read and {count(cells['no_comparison'])} no compared study.")
    if never:
        text += f" No compared result of any outcome could be read for: {listed(group_words(g) for g in never)}."
    unseen = [group_words(g) for g, n in sizes.items() if n == 0 and g != NO_GROUP]
    text += f" No evaluation at all is about: {listed(unseen)}." if unseen else ""
    return text + f" {count(sizes.get(NO_GROUP, 0))} evaluations name no group that the words find."


def group_rule_words():
    """The words that tell a study's groups, as (term, words) pairs."""
    return [(r.plain_name, r.words.replace(";", ",")) for r in facts("review/groups").itertuples()]


def alt_of_gaps(table):
    """Alt text of the map: each group's filled cells."""
    said = []
    for group, rows in table.groupby("group", sort=False):
        filled = {}
        for r in rows[rows["estimate"].gt(0) & rows["measure"].str.startswith("gap_")].itertuples():
            filled.setdefault(r.level, {})[r.measure] = r.estimate
        cells = [f"{'no result read' if o == 'no_number' else outcome_words(o)} {count(c.get('gap_compared', 0))} compared, {count(c.get('gap_not_compared', 0))} not" for o, c in filled.items()]
        said.append(f"{group_words(group)}: {', '.join(cells) or 'nothing'}")
    return "Evaluations by group of people and outcome. " + "; ".join(said) + "."


# ---- what would change our mind

def change_words(table, pooled):
    """What would move what we think of each outcome, as (term, words) pairs."""
    return [(outcome_words(group), _one_change(rows, one(pooled, "pooled_estimate", group, "controlled"), group)) for group, rows in table.groupby("group", sort=False)]


def describe_one_trial(table):
    """How many people a trial needs that can tell by itself; '' where no outcome was compared."""
    alone = one(table, "people_for_one_trial")
    return "" if alone is None else f"A trial that is to tell by itself whether there is a difference that matters needs {count(alone.estimate)} people: {alone.method}. If lots are drawn, its certainty starts high by the rules above; with any other comparison it starts low."


def _one_change(rows, mean, group):
    lacking, overturn = one(rows, "studies_lacking"), one(rows, "finding_to_overturn")
    if mean is None:
        why = rows.loc[rows["measure"].eq("studies_lacking"), "note"].iloc[0]
        more = f"{count(lacking.estimate)} further {'study' if lacking.estimate == 1 else 'studies'} with a comparison would make an average possible" if lacking is not None and lacking.estimate else "More of the same does not help"
        return f"Not averaged: {why}. {more}."
    small = one(rows, "people_to_rule_out")
    too_little = (f" To show that it is too little to matter: {'no single trial could' if small is None else f'a trial that finds no difference would from {count(small.estimate)} people on'}.")
    if overturn is not None:
        turn = (f" A further trial as large as all so far would bring no difference back into its interval if it found {sds(overturn.estimate)} standard deviations or {'less' if mean.estimate > 0 else 'more'}.")
        return f"The average is {amount(mean)}, beyond chance.{turn}{too_little}"
    ways = []
    for level, words in (("the average again", f"finds the average again ({sds(mean.estimate)})"), ("a difference that matters", "finds a difference that matters")):
        need = one(rows, "people_to_tell", level)
        ways.append(f"no single trial that {words} would" if need is None else f"a further trial that {words} would from {count(need.estimate)} people on")
    needs = rows.loc[rows["measure"].eq("people_to_tell"), "estimate"]
    thin = " That so few people would tip it shows how near the edge the average is; it makes no small trial worth having." if needs.min() <= TINY else ""
    return f"The average is {amount(mean)}, so no difference is still possible. To rule it out: {'; '.join(ways)}.{thin}{too_little}"
