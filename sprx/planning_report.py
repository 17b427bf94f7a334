"""A plan's report: as any report, but about people who have not come yet."""

import html

import pandas as pd

from sprx import disclosure
from sprx.report import Report
from sprx.review import _table
from sprx.wording import number, percent, pounds
from sprx.wording.planning import design_name

PLANNED = disclosure.Rule("planned", 0, 1, "The numbers are about a plan: no row is about a person, so no small number is hidden.")


class PlanReport(Report):
    """A report of a plan; made by `start_plan`."""

    def provenance(self):
        """Say where the numbers come from."""
        import sprx

        about = {"Subject": "a plan; nobody has been measured", "Small numbers": self.rule.words, "Random draws": f"begin at seed {self.scheme.seed}: a second run gives the same numbers",
                 "Expected effect": self.scheme.effect_source, "sprx": sprx.__version__}
        self.words(about.items())

    def _counts_note(self, table):
        return ""

    def _folded(self, table, title="The table behind this"):
        lines = [(f"{r.measure.replace('_', ' ')}{'' if r.level == 'all' else f', {_level(r)}'}", [_value(r), "%" if r.unit == "proportion" else r.unit, "; ".join(t for t in (r.method, r.note) if t)]) for r in table.itertuples()]
        return f"<details><summary>{html.escape(title or 'The table behind this')}</summary>{_table(['What', 'Number', 'Unit', 'How, and what to know'], lines)}</details>"


def start_plan(plan, output_dir):
    """Begin the report of a plan of `plan_evaluation`; results go to `output_dir`."""
    return PlanReport("plan_evaluation", plan, output_dir, PLANNED)


def _level(row):
    """A level in plain words."""
    if row.group == "design":
        return design_name(row.level)
    if row.measure == "power_by_people":
        return f"{design_name(row.group)}, {row.level} people"
    return percent(float(row.level)) + " measured again" if row.group == "follow_up" else f"{row.level} people" if row.group == "people" else row.level.replace("_", " ")


def _value(row):
    """Estimate and limits as a reader sees them."""
    if pd.isna(row.estimate):
        return "–"
    said = (lambda v: percent(v, 1000)) if row.unit == "proportion" else pounds if row.unit == "pounds" else number
    return said(row.estimate) + (f" ({said(row.conf_low)} to {said(row.conf_high)})" if pd.notna(row.conf_low) else "")
