"""Making a plan's folder: its notebook executed, the protocol as a page and for Word, and the scheme folder to fill in."""

import io
import json
import os
import shutil
import tempfile
import time
from pathlib import Path

from sprx import run
from sprx.errors import SchemeError
from sprx.planning import plan_evaluation
from sprx.run_review import sections_of

NOTEBOOK, NAME = "plan_evaluation.ipynb", "plan_evaluation"
WRITTEN = ("plan.html", "protocol.html", "protocol.docx", "results.csv", "run.json", "scheme.yaml", "scheme_data.xlsx", "figures", "notebooks")


def notebook_path():
    """The plan's notebook: beside the package in a checkout, inside it once installed."""
    for folder in (Path(__file__).parent / "notebooks", Path(__file__).parent.parent / "notebooks"):
        if (folder / NOTEBOOK).is_file():
            return folder / NOTEBOOK
    raise SchemeError("The notebook of the plan is not installed with sprx. Install it again: pip install .")


def checked_plan(parameters):
    """The plan that these parameters of the notebook make, with the published averages of the carried base.

    Returns
    -------
    EvaluationPlan

    Raises
    ------
    DataError
        If a number cannot be what it says: before anything is run or written.
    """
    import sprx

    values = run.declared_parameters(notebook_path()) | parameters
    published = sprx.pooled_effects(sprx.results_of_evaluations(sprx.comparable_effects(sprx.read_review().effects)), values["conf_level"])
    return plan_evaluation(values, published)


def refuse_existing(folder):
    """Raise SchemeError where something of a plan is already there: it may hold work by hand."""
    there = [name for name in WRITTEN if (Path(folder) / name).exists()]
    if there or Path(folder).is_file():
        raise SchemeError(f"{folder} already holds {', '.join(there)}; nothing was written. Choose another folder, or move what is there away first." if there else
                          f"{folder} is a file; nothing was written. Give the name of a folder.")


def run_plan(folder, parameters):
    """Make the folder of a plan; nothing that is there is overwritten.

    Parameters
    ----------
    folder : path
        Made if it is not there.
    parameters : dict
        Of the notebook, by name; the others keep their defaults.

    Returns
    -------
    Path
        The folder: plan.html, protocol.html, protocol.docx, scheme.yaml, scheme_data.xlsx, results.csv, figures, notebooks, run.json.

    Raises
    ------
    SchemeError
        If one of these is already there, or the notebook fails. Nothing is written then.
    DataError
        If the plan cannot be.
    """
    folder, started = Path(folder), time.monotonic()
    refuse_existing(folder)
    plan = checked_plan(parameters)
    folder.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".plan.new-", dir=folder))
    try:
        (work / "notebooks").mkdir()
        run._execute(notebook_path(), work, Path("."), parameters)
        _finish(work, plan, folder.resolve().name, parameters, time.monotonic() - started)
        for path in sorted(work.iterdir()):
            os.rename(path, folder / path.name)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return folder


def _finish(work, plan, folder_name, parameters, seconds):
    """The pages, the Word file, the settings and the workbook, from the executed notebook."""
    import nbformat
    import pandas as pd

    import sprx
    from sprx import page
    from sprx.planning_report import PLANNED
    from sprx.results import RESULT_COLUMNS, csv_bytes, result_table
    from sprx.template import filled_scheme

    content = json.loads((work / f"{NAME}.results.json").read_text(encoding="utf-8"))
    written = json.loads((work / "protocol.json").read_text(encoding="utf-8"))
    (work / "results.csv").write_bytes(csv_bytes(result_table(content["results"])[RESULT_COLUMNS]))
    for name in (f"{NAME}.results.json", "protocol.json"):
        (work / name).unlink()
    chapter = page.chapter(nbformat.read(work / "notebooks" / NOTEBOOK, 4), NAME)
    first, sections = sections_of(chapter["body"])
    (work / "plan.html").write_text(page.render("plan.html", settings=plan.settings, title=chapter["title"], first=first, sections=sections, code=chapter["code"], rule=PLANNED), encoding="utf-8")
    (work / "protocol.html").write_text(page.render("protocol.html", **written), encoding="utf-8")
    (work / "protocol.docx").write_bytes(word_bytes(written))
    for name, data in filled_scheme(folder_name, scheme_settings(plan), written["record"]).items():
        (work / name).write_bytes(data)
    about = dict(sprx=sprx.__version__, finished=time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime()), seconds=round(seconds, 1), parameters=run.declared_parameters(notebook_path()) | parameters,
                 pandas=pd.__version__)
    (work / "run.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def scheme_settings(plan):
    """The lines of scheme.yaml that the plan settles, key -> text."""
    from sprx.wording.protocol import comparison_of

    cluster = ", cluster: practice_code" if plan.design == "cluster_randomised" else ""
    lines = {"name": f"name: {json.dumps(plan.settings.name, ensure_ascii=False)}", "follow_up_months": f"follow_up_months: {plan.follow_up_months:g}", "primary_outcome": f"primary_outcome: {plan.outcome}",
             "comparison": f"comparison: {{design: {comparison_of(plan)}{cluster}}}", "disclosure": "disclosure: nhse_1_7_round5", "seed": f"seed: {plan.seed}"}
    if plan.design != "before_after":
        lines["covariates"] = "covariates: [age, sex, imd_decile, long_term_conditions]"
    return lines


def word_bytes(written):
    """A protocol as a Word file: real headings, one table, A4; the same bytes every time but for Word's own zip.

    Parameters
    ----------
    written : dict
        As `sprx.wording.protocol.protocol` gives it.
    """
    import datetime

    import docx
    from docx.shared import Cm, Pt

    document = docx.Document()
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(1.8)
    section.top_margin = section.bottom_margin = Cm(1.4)
    document.styles["Normal"].font.name, document.styles["Normal"].font.size = "Arial", Pt(9)
    document.styles["Normal"].paragraph_format.space_after = Pt(2)
    about = document.core_properties
    about.title, about.author, about.language = written["title"], "sprx", "en-GB"
    about.created = about.modified = datetime.datetime(2025, 1, 1)
    document.add_heading(written["title"], 1)
    for heading, text in [*written["sections"], ["What to record from day one", ""]]:
        line = document.add_heading(heading, 2)
        line.paragraph_format.space_before = Pt(4)
        line.runs[0].font.size = Pt(10.5)
        for part in text.split("\n") if text else ():
            document.add_paragraph(part)
    table = document.add_table(rows=1, cols=3, style="Light Grid Accent 1")
    for cell, text in zip(table.rows[0].cells, ("Table", "Columns", "When and why")):
        cell.text = text
    for row in written["record"]:
        for cell, text in zip(table.add_row().cells, row):
            cell.text = text
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()
