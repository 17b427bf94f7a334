"""The living review's report: as any report, but about published studies, and each number knows the rows of the base it came from."""

import html
import re

import pandas as pd

from sprx import disclosure
from sprx.report import Report, _show
from sprx.results import plain_text
from sprx.wording import count, number, outcome_words, percent
from sprx.wording.review import DESIGNS, group_words, line_name

PUBLISHED = disclosure.Rule("published", 0, 1, "The numbers are those of published studies and of records after disclosure control: no row is about a person, so no small number is hidden.")
SOURCES = ["table", "measure", "group", "level", "study_id", "study", "file", "row", "source_url", "added_by"]
NAMED = 6               # studies named in a cell before the rest are only counted
READ = {"abstract": "an abstract only", "full text": "in full", "review table": "a table or summary by others", "own analysis": "by those who made it", "not read": "not read"}
ADDRESS = re.compile(r"https?://")


class ReviewReport(Report):
    """A report of the evidence base; made by `start_review`. Tables that are added have a column `rows`: where in the base each number comes from.

    Attributes
    ----------
    places : dict of (file, row) to (study_id, source_url, added_by)
    """

    def __init__(self, question, review, output_dir):
        super().__init__(question, review, output_dir, PUBLISHED)
        self.places = {(r["file"], r["where"]): (r["study_id"], r["source_url"], r["added_by"]) for table in review.tables.values() for r in table.to_dict("records")}
        self.studies = review.tables["studies"].set_index("study_id")

    def add(self, name, table, describe=None, needs=None):
        """As any report's `add`; keeps the column `rows`, which sources.csv and the tables are made of."""
        super().add(name, table, needs=needs)
        self.released[name] = self.released[name].assign(rows=table["rows"].to_numpy())
        if describe is not None:
            self.say(name, describe(self.released[name]))

    def provenance(self):
        """Say where the numbers come from: tables and rows, additions, versions."""
        import sprx

        sizes = "; ".join(f"{name} {len(rows)}" for name, rows in self.scheme.tables.items())
        added = sum(rows["added_by"].ne("sprx").sum() for rows in self.scheme.tables.values())
        about = {"Subject": "the evidence base, no scheme" + (", with SYNTHETIC records" if self.scheme.settings.synthetic else ""), "Rows read": sizes, "Of these added by you": count(added),
                 "Small numbers": self.rule.words, "Each number": "stands in results.csv; sources.csv says which rows of which file it was made from, and the address of each", "sprx": sprx.__version__}
        self.words(about.items())

    def write(self):
        """Write the released tables, sentences and answers, and sources.csv."""
        super().write()
        found = [dict(table=name, measure=r.measure, group=r.group, level=r.level, **place) for name, table in self.released.items() for r in table.itertuples() for place in self._sources(r.rows)]
        table = pd.DataFrame(found, columns=SOURCES)
        self._write("sources.csv", table.map(plain_text).to_csv(index=False, lineterminator="\n").encode())

    def _sources(self, rows):
        """The places named in `rows`, each with its study and address."""
        for text in dict.fromkeys(t for t in rows.split("; ") if t):
            file, _, where = text.rpartition(", ")
            study, address, who = self.places[file, where]
            yield dict(study_id=study, study=self.cite(study)[0] if study else "", file=file, row=where, source_url=address, added_by=who)

    def cite(self, study_id):
        """What a study is called, and the address to cite (its DOI, else where it was read)."""
        study = self.studies.loc[study_id]
        fake = " (SYNTHETIC)" if study["title"].startswith("SYNTHETIC") else ""
        name = study["first_author"] or study["programme"] or study_id
        year = f" {study['year']:.0f}" if pd.notna(study["year"]) else ""
        return f"{name}{year}{fake}", f"https://doi.org/{study['doi']}" if study["doi"] else study["source_url"]

    # -- tables

    def _counts_note(self, table):
        return ""

    def _folded(self, table, title="The table behind this"):
        markup = _gaps_html(table) if table["measure"].str.startswith("gap_").any() else self._lines_html(table)
        return f"<details><summary>{html.escape(title or 'The table behind this')}</summary>{markup}</details>"

    def _lines_html(self, table):
        lines = [(line_name(r), [_value(r), r.unit if r.unit != "proportion" else "", "; ".join(t for t in (r.method, r.note) if t), self._studies_html(r.rows)]) for r in table.itertuples()]
        return _table(["What", "Number", "Unit", "How, and what to know", "From"], lines)

    def _studies_html(self, rows):
        """The studies behind a number as links, the first few by name."""
        ids = list(dict.fromkeys(p["study_id"] for p in self._sources(rows) if p["study_id"]))
        links = [self._link_to(i) for i in ids[:NAMED]]
        more = f" and {len(ids) - NAMED} more (sources.csv)" if len(ids) > NAMED else ""
        return Markup(", ".join(links) + more) if links else "–"

    def _link_to(self, study_id):
        name, address = self.cite(study_id)
        return f'<a href="{html.escape(address, quote=True)}">{html.escape(name)}</a>' if ADDRESS.match(address) else html.escape(name)

    def findings(self, lines):
        """Show the summary of findings: a line for each outcome, as `finding_lines` gives them."""
        heads = ["Outcome", "Compared studies", "Average effect", "Certainty by rule (proposed)", "Certainty as published"]
        shown = [(line["outcome"], [Markup(f"{html.escape(line['studies'])}: {self._studies_html(line['rows'])}"), *(line[k] for k in ("effect", "certainty", "published"))]) for line in lines]
        _show(f'<div class="findings">{_table(heads, shown)}</div>' if shown else "<p>No outcome was compared.</p>")

    def study_table(self, title):
        """Show every study of the base, folded: what it is, how it was read, where."""
        lines = []
        for row in self.studies.sort_values(["year", "first_author"], kind="stable").itertuples():
            people = row.n_total if row.n_total > 0 else sum(n for n in (row.n_intervention, row.n_control) if n > 0)
            design = DESIGNS[row.design] + (f" (Maryland level {row.maryland_level:.0f})" if row.maryland_level > 0 else "")
            size = f"{count(people)} people" if people else "people not said"
            months = f"{number(row.follow_up_months)} months" if row.follow_up_months > 0 else "follow-up not said"
            read = READ.get(row.where_read, row.where_read) + ("" if row.added_by == "sprx" else "; added by you")
            lines.append((Markup(self._link_to(row.Index)), [row.title, design, f"{size}, {months}", row.country or "not said", read]))
        heads = ["Study", "Title", "Design", "Size", "Country", "How it was read"]
        _show(f'<details class="studies"><summary>{html.escape(title)}</summary>{_table(heads, lines)}</details>')


class Markup(str):
    """Text that is markup already."""


def start_review(review, output_dir):
    """Begin the living review's report on the base of `read_review`; results go to `output_dir`."""
    return ReviewReport("evidence_review", review, output_dir)


def _value(r):
    """Estimate and interval as a reader sees them."""
    if pd.isna(r.estimate):
        return "–"
    if r.unit == "proportion":
        return percent(r.estimate)
    value = f"{r.estimate:,.6g}" if r.measure.startswith("published_") else number(r.estimate)
    return value.replace("-", "−") + (f" ({number(r.conf_low)} to {number(r.conf_high)})" if pd.notna(r.conf_low) and pd.notna(r.conf_high) else "")


def _cell(text):
    return text if isinstance(text, Markup) else html.escape(str(text))


def _table(heads, lines):
    """An accessible table; every text escaped."""
    head = "".join(f'<th scope="col">{html.escape(h)}</th>' for h in heads)
    body = "".join(f'<tr><th scope="row">{_cell(first)}</th>' + "".join(f'<td data-label="{html.escape(h)}">{_cell(c)}</td>' for h, c in zip(heads[1:], cells)) + "</tr>" for first, cells in lines)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _gaps_html(table):
    """The map of gaps as a table: how many of each design in each cell."""
    cells = table[table["measure"].str.startswith("gap_")]
    at, outcomes = cells.set_index(["measure", "group", "level"])["estimate"], list(dict.fromkeys(cells["level"]))
    names = {"gap_by_lot": "by lot", "gap_other_comparison": "other comparison", "gap_not_compared": "one group or weak"}
    lines = [(group_words(g), [", ".join(f"{n:.0f} {word}" for measure, word in names.items() if (n := at.get((measure, g, o), 0))) or "0" for o in outcomes]) for g in dict.fromkeys(cells["group"])]
    heads = ["Group of people", *("no result read" if o == "no_number" else outcome_words(o) for o in outcomes)]
    return f"<p>Evaluations in each cell, by design.</p>{_table(heads, lines)}"
