"""The only way out: results are suppressed first, then shown, drawn and written."""

import base64
import html
import json
import re
from io import BytesIO
from pathlib import Path

import pandas as pd

from sprx import disclosure
from sprx.answers import QUESTIONS
from sprx.results import CURVE_COLUMNS, DRAW_COLUMNS, PLACE_COLUMNS, RESULT_COLUMNS, csv_bytes
from sprx.wording import SURE, count, describe_axis, level_name, number, percent


DRAWN_AT_LEAST = 1 / 3   # a figure of which less could be drawn would mislead


def _kind(table):
    """How a table is released and the columns it then has: a curve, places of services, joint draws, or results."""
    if "days" in table.columns:
        return disclosure.release_curve, CURVE_COLUMNS
    if "lat" in table.columns:
        return disclosure.release_places, PLACE_COLUMNS
    return (disclosure.release_draws, DRAW_COLUMNS) if "draw" in table.columns else (disclosure.release, RESULT_COLUMNS)


class Report:
    """Collects one notebook's released results and shows them; made by `start_report`.

    Attributes
    ----------
    question : str
        The notebook's name without its number.
    rule : disclosure.Rule
    released : dict of str to DataFrame
        What was added, after suppression.
    """

    def __init__(self, question, scheme, output_dir, rule):
        self.question, self.scheme, self.rule = question, scheme, rule
        self.output_dir = Path(output_dir)
        self.released, self.sentences, self.figures, self.answers = {}, {}, [], []

    # -- in: results

    def add(self, name, table, describe=None, needs=None):
        """Release a result table and show what the data say.

        Parameters
        ----------
        name : str
            The name under which figures find it.
        table : DataFrame
            Result layout, curve layout (a column `days`), places of services (a column `lat`), or joint draws (a column `draw`).
        describe : function of the released table, optional
            Returns a sentence.
        needs : str, optional
            What the table is made from; shown as 'Cannot be answered: needs …' when no row has anything to say.

        """
        release, columns = _kind(table)
        out = release(table, self.rule).assign(scheme_id=self.scheme.settings.scheme_id, question=self.question)
        is_result = columns is RESULT_COLUMNS
        self.released[name] = out.reindex(columns=[c for c in columns if c in out or is_result])
        nothing = is_result and needs and not (out["estimate"].notna() | out["suppressed"]).any()
        if nothing:
            self.say(name, f"Cannot be answered: needs {needs}.", "needs")
        elif describe is not None:
            self.say(name, describe(self.released[name]))

    def say(self, name, text, kind="finding"):
        """Show one sentence from released numbers and keep it; nothing where there is nothing to say."""
        if not text:
            return
        self.sentences[name] = text
        _show(f'<p class="{kind}">{html.escape(text)}</p>')

    def words(self, rows):
        """Show terms and what they mean here, (term, words) pairs: no numbers of people, but how something was done; nothing where there are none."""
        if not rows:
            return
        _show("<dl>" + "".join(f"<dt>{html.escape(term)}</dt><dd>{html.escape(text)}</dd>" for term, text in rows) + "</dl>")

    def answer(self, answer):
        """Show this chapter's answer; the summary repeats it."""
        self.answers.append(answer.as_dict())
        word, mark = SURE[answer.sure]
        _show(f'<p class="answer"><strong>{html.escape(answer.text)}</strong></p><p class="sure"><span aria-hidden="true">{mark}</span> '
              f"{word}: {html.escape(answer.why)}.</p>")

    # -- out: figures and tables

    def figure(self, name, plot, *, caption, alt, rows=None, key=None, **how):
        """Draw a released table with `plot`, with its caption, its alt text and the table folded below.

        Parameters
        ----------
        name : str
            A name given to `add`.
        plot : function (table, **how) -> ax
        caption, alt : str or function of the released table
        rows : function of the released table, optional
            Chooses the rows to draw.
        key : str, optional
            Tells several figures of one table apart, in their files' names.
        how
            Passed on to `plot`.
        """
        import matplotlib.pyplot as plt

        from sprx.plots import house_style

        table = self.released[name]
        table = table if rows is None else rows(table)
        if table.empty or "estimate" in table and table["estimate"].notna().mean() < DRAWN_AT_LEAST:
            what = f" (“{caption.split('. ')[0].rstrip('.')}”)" if isinstance(caption, str) else ""
            _show(f'<p class="needs">No figure: too few of its numbers can be shown{html.escape(what)}.</p>' + ("" if table.empty else self._folded(table)))
            return
        caption, alt = (text(table) if callable(text) else text for text in (caption, alt))
        if not (caption and alt):
            raise ValueError("a figure needs a caption and alt text.")
        with house_style():
            ax = plot(table, **how)
            svg = BytesIO()
            ax.figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
            plt.close(ax.figure)
        file = re.sub(r"[^A-Za-z0-9_-]+", "_", f"{self.question}_{name}{'_' + key if key else ''}") + ".svg"
        self._write(Path("figures") / file, svg.getvalue())
        self._write(Path("figures") / file.replace(".svg", ".csv"), csv_bytes(table))
        self.figures.append(dict(file=file, caption=caption, alt=alt))
        data = base64.b64encode(svg.getvalue()).decode()
        _show(f'<figure><img alt="{html.escape(alt, quote=True)}" src="data:image/svg+xml;base64,{data}"><figcaption>{html.escape(caption)} '
              f"{html.escape(self._counts_note(table))}</figcaption></figure>{self._folded(table)}")

    def table(self, name, title=None, rows=None):
        """Show a released table, folded."""
        table = self.released[name]
        table = table if rows is None else rows(table)
        if len(table):
            _show(self._folded(table, title))

    def table_one(self, name):
        """Show a released `table_one` as one table: a column for everyone referred and for each stage."""
        _show(table_one_html(self.released[name]))

    def _folded(self, table, title="The table behind this"):
        if "estimate" not in table:
            return ""           # a thousand draws or places are for a machine: they lie beside the figure as a file
        return f"<details><summary>{html.escape(title or 'The table behind this')}</summary>{results_html(table)}</details>"

    def _counts_note(self, table):
        hidden = table["suppressed"].eq(True).any() if "suppressed" in table else False
        if "measure" in table and disclosure.not_about_people(table["measure"]).all():
            return ""
        rounded = "Counts are rounded to the nearest 5." if self.rule.round_to == 5 else "" if self.rule.hide_to else "Small numbers are not hidden."
        return rounded + (" Not shown (*): too few people, or hidden so that such a number cannot be worked out." if hidden else "")

    # -- the ends of a notebook

    def provenance(self):
        """Say where the numbers come from: scheme, rule for small numbers, versions."""
        import sprx

        settings = self.scheme.settings
        about = {"Scheme": f"{settings.name} ({settings.scheme_id})", "Data": "SYNTHETIC: made by a computer, about nobody" if settings.synthetic else "the scheme's own exports",
                 "Data taken on": f"{settings.extract_date.day} {settings.extract_date:%B %Y}" if settings.extract_date is not None else "not said (the data hold no dates)",
                 "Small numbers": self.rule.words, "sprx": sprx.__version__}
        _show("<dl>" + "".join(f"<dt>{k}</dt><dd>{html.escape(v)}</dd>" for k, v in about.items()) + "</dl>")

    def write(self):
        """Write the released tables, sentences and answers to <question>.results.json (no paths, no clocks)."""
        results = [t for t in self.released.values() if _kind(t)[1] is RESULT_COLUMNS]
        stacked = pd.concat(results, ignore_index=True) if results else pd.DataFrame(columns=RESULT_COLUMNS)
        content = dict(question=self.question, scheme_id=self.scheme.settings.scheme_id, disclosure=self.rule.name,
                       results=json.loads(stacked.to_json(orient="records", double_precision=12)), sentences=self.sentences,
                       figures=self.figures, answers=self.answers)
        self._write(Path(f"{self.question}.results.json"), json.dumps(content, indent=1, ensure_ascii=False).encode())

    def save(self, name, content):
        """Write released content as a JSON file of the report folder."""
        self._write(Path(name), (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())

    def _write(self, path, content):
        target = self.output_dir / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)

    # -- the summary

    def earlier_answers(self):
        """The answers of the notebooks that ran before this one, in the order of the questions (empty when none ran)."""
        found = [a for path in sorted(self.output_dir.glob("*.results.json")) for a in json.loads(path.read_text(encoding="utf-8"))["answers"]]
        return sorted(found, key=lambda a: list(QUESTIONS).index(a["question"]))

    def earlier_results(self):
        """The released results of the notebooks that ran before this one, stacked (no rows when none ran)."""
        found = [r for path in sorted(self.output_dir.glob("*.results.json")) if path.name != f"{self.question}.results.json"
                 for r in json.loads(path.read_text(encoding="utf-8"))["results"]]
        return pd.DataFrame(found, columns=RESULT_COLUMNS).astype({c: float for c in ("n", "n_missing", "estimate", "std_error", "conf_low", "conf_high", "conf_level")})

    def cards(self, answers):
        """Show a card per question."""
        cards = []
        for a in answers:
            word, mark = SURE[a["sure"]]
            cards.append(f'<li class="card"><h3>{html.escape(QUESTIONS[a["question"]])}</h3><p>{html.escape(a["text"])}</p><p class="sure"><span aria-hidden="true">'
                         f'{mark}</span> {word}: {html.escape(a["why"])}.</p>{self._link(a["question"])}</li>')
        self.answers += [a for a in answers if a not in self.answers]
        _show(f'<ul class="cards">{"".join(cards)}</ul>')

    def _link(self, question):
        """A link to a chapter, if this run has one."""
        if not (self.output_dir / f"{question}.results.json").exists():
            return ""
        return f'<p class="more"><a href="#{question}">Read the chapter<span class="hidden"> on: {html.escape(QUESTIONS[question])}</span></a></p>'

    def steps(self, texts):
        """Show the things to do next."""
        _show("<ol class=\"steps\">" + "".join(f"<li>{html.escape(t)}</li>" for t in texts) + "</ol>" if texts else "<p>Nothing is missing that sprx knows of.</p>")


def start_report(question, scheme, output_dir):
    """Begin a notebook's report: `question` names it, results go to `output_dir`, small numbers follow the scheme's rule."""
    return Report(question, scheme, output_dir, disclosure.RULES[scheme.settings.disclosure])


def results_html(table):
    """A released table as accessible HTML; a hidden number is *, every text escaped."""
    days = "days" in table
    heads = ["", *(["Days", "Not yet seen"] if days else ["People or rows", "Missing"]), "Estimate", "Interval", *([] if days else ["Unit", "Method"])]
    body = []
    for r in table.itertuples():
        share = r.unit == "proportion"
        value, low, high = ("" if pd.isna(v) else percent(v, 1000) if share else number(v) for v in (r.estimate, r.conf_low, r.conf_high))
        hidden = bool(getattr(r, "suppressed", False))
        first = f"{r.measure.replace('_', ' ')}" + ("" if r.group == "all" else f", {level_name(r.group, r.level)}")
        if days:
            cells = [number(r.days), count(r.n_at_risk), value, f"{low} to {high}" if low and high else ""]
        else:
            missing = "*" if hidden or pd.isna(r.n_missing) else count(r.n_missing)
            cells = ["*" if hidden else "" if pd.isna(r.n) else count(r.n), missing, "*" if hidden else value or "–", "*" if hidden else f"{low} to {high}" if low and high else f"from {low}" if low else "–",
                     "%" if share else r.unit, r.method + (f"; {r.note}" if r.note else "")]
        body.append(f'<tr><th scope="row">{html.escape(first)}</th>' + "".join(
            f'<td data-label="{html.escape(h)}">{html.escape(c)}</td>' for h, c in zip(heads[1:], cells)) + "</tr>")
    head = "".join(f'<th scope="col">{html.escape(h) or "Measure"}</th>' for h in heads)
    starred = "<p>* too few people to show, or hidden so that such a number cannot be worked out.</p>" if "suppressed" in table and table["suppressed"].any() else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>{starred}"


def table_one_html(table):
    """A released Table 1 as accessible HTML: characteristics down, stages across; a hidden number is *, every text escaped."""
    heads = [(stage, words) for stage, words in (("", "Referred"), ("_seen", "Seen"), ("_completed", "Completed"), ("_followed_up", "Followed up"))
             if table["measure"].str.fullmatch(f"(share|mean)_of_people{stage}").any()]
    found = {(r.measure, r.group, r.level): r for r in table.itertuples()}

    def said(measure, group, level="all"):
        row = found.get((measure, group, level))
        if row is None or (pd.isna(row.estimate) and not row.suppressed):
            return "–"
        return "*" if row.suppressed else percent(row.estimate, row.n) if row.unit == "proportion" else f"{row.estimate:.2f}".replace("-", "−") if measure.startswith("smd") else number(row.estimate)

    lines = []
    described = table[table["measure"].str.fullmatch("(share|mean)_of_people")]
    for group, rows in described.groupby("group", sort=False):
        name = "age, in bands" if group == "age_band" else describe_axis(group)
        lines.append((f"<strong>{html.escape(name[0].upper() + name[1:])}</strong>", [f"SMD {said(f'smd{stage}', group)}" if stage else "–" for stage, _ in heads]))
        if rows["measure"].eq("mean_of_people").any():
            lines.append((f"mean (SD), {html.escape(rows['unit'].iloc[0])}", [f"{said(f'mean_of_people{s}', group)} ({said(f'sd_of_people{s}', group)})" for s, _ in heads]))
            lines.append((f"median, {html.escape(rows['unit'].iloc[0])}", [said(f"median_of_people{s}", group) for s, _ in heads]))
        else:
            lines += [(html.escape(level_name(group, level)), [said(f"share_of_people{s}", group, level) for s, _ in heads]) for level in rows["level"]]
    sizes = [table.loc[table["measure"].eq(f"share_of_people{s}"), "n"].max() for s, _ in heads]
    titles = [words + (f" ({size:,.0f} people)" if size > 0 else "") for (_, words), size in zip(heads, sizes)]
    body = "".join(f'<tr><th scope="row">{name}</th>' + "".join(f'<td data-label="{html.escape(words)}">{html.escape(cell)}</td>'
                   for (_, words), cell in zip(heads, cells)) + "</tr>" for name, cells in lines)
    head = "".join(f'<th scope="col">{html.escape(title)}</th>' for title in ("Characteristic", *titles))
    return (f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><p>SMD: standardised mean difference between people who came this far and "
            "people who did not; a difference above 0.1 is often taken to deserve a look, but among few people chance alone brings as much. * too few people to show, or hidden so that such a number cannot be worked out.</p>")


def _show(fragment):
    from IPython.display import HTML, display

    display(HTML(fragment))
