"""Executed notebooks to one accessible HTML page."""

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).with_name("templates")


@cache
def _templates():
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def render(template, **values):
    """A page from one of the templates; every value is escaped unless it is markup made here."""
    return _templates().get_template(template).render(css=(FOLDER / "report.css").read_text(encoding="utf-8"), **values)


def chapter(notebook, anchor):
    """One executed notebook as a chapter.

    Returns
    -------
    dict
        anchor, title (its first heading), body (markup: prose and what `report` showed, headings one level down), code.
    """
    from markupsafe import Markup

    parts, code, title = [], [], anchor
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text, title = _prose(cell.source, title)
            parts.append(text)
        else:
            code.append(cell.source)
            parts += [output["data"]["text/html"] for output in cell.outputs
                      if output.output_type == "display_data" and "text/html" in output["data"]]
    return dict(anchor=anchor, title=title, body=Markup("\n".join(parts)), code="\n\n".join(code))


def _prose(source, title):
    """A markdown cell as HTML with its headings one level down; the first-level heading becomes the chapter's title."""
    from nbconvert.filters import markdown2html

    first = re.match(r"# (.+)", source)
    if first:
        source, title = source[first.end():], first.group(1).strip()
    markup = re.sub(r'<a class="anchor-link".*?</a>', "", str(markdown2html(source)))
    markup = re.sub(r"<(/?)h([1-5])( id=\"[^\"]*\")?", lambda m: f"<{m[1]}h{int(m[2]) + 1}", markup)
    return markup, title


def write_report(path, settings, chapters, rule):
    """Write report.html: the summary first, then a chapter per question."""
    path.write_text(render("report.html", settings=settings, chapters=chapters, rule=rule, period=period_words(settings),
                           taken=day(settings.extract_date)), encoding="utf-8")


def write_index(path, schemes):
    """Write index.html: every scheme with its headline answers."""
    path.write_text(render("index.html", schemes=schemes), encoding="utf-8")


def day(date):
    """3 March 2025, or '' when there is none."""
    return f"{date.day} {date:%B %Y}" if date is not None else ""


def period_words(settings):
    """The period in words, or ''."""
    start, end = map(day, settings.period)
    return f"{start} to {end}" if start and end else f"from {start}" if start else f"to {end}" if end else ""
