"""Running the living review: its notebook on the evidence base, a new folder, renamed when it has succeeded."""

import json
import os
import re
import shutil
import time
from pathlib import Path

from sprx import run
from sprx.errors import SchemeError
from sprx.evidence.subject import read_review

NOTEBOOK, NAME = "evidence_review.ipynb", "evidence_review"


def run_review(out, base=None):
    """Make the living review's folder.

    Parameters
    ----------
    out : path
        Where report folders go; the review's is evidence_review in it.
    base : path, optional
        The user's part of the evidence base.

    Returns
    -------
    Path
        The review's folder: report.html, results.csv, sources.csv, figures, notebooks, run.json.

    Raises
    ------
    SchemeError
        If the base cannot be read or breaks its rules, or the notebook fails. An earlier review is then as it was.
    """
    out = Path(out)
    review, started = read_review(base or ""), time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    work = out / f".{NAME}.new-{os.getpid()}"
    shutil.rmtree(work, ignore_errors=True)
    try:
        (work / "notebooks").mkdir(parents=True)
        run._execute(_notebook(), work, Path(base or "."), {"base_dir": str(base) if base else ""})
        _finish(work, review, time.monotonic() - started)
        return run._publish(work, out / NAME)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _notebook():
    """The review's notebook: beside the package in a checkout, inside it once installed."""
    for folder in (Path(__file__).parent / "notebooks", Path(__file__).parent.parent / "notebooks"):
        if (folder / NOTEBOOK).is_file():
            return folder / NOTEBOOK
    raise SchemeError("The notebook of the review is not installed with sprx. Install it again: pip install .")


def _finish(work, review, seconds):
    """The page, the table of results and what made them, from the executed notebook."""
    import nbformat
    import pandas as pd

    import sprx
    from sprx import page
    from sprx.results import RESULT_COLUMNS, csv_bytes, result_table
    from sprx.review import PUBLISHED

    content = json.loads((work / f"{NAME}.results.json").read_text(encoding="utf-8"))
    (work / "results.csv").write_bytes(csv_bytes(result_table(content["results"])[RESULT_COLUMNS]))
    (work / f"{NAME}.results.json").unlink()
    chapter = page.chapter(nbformat.read(work / "notebooks" / NOTEBOOK, 4), NAME)
    first, sections = sections_of(chapter["body"])
    fake = review.tables["studies"]
    fake = [t for t in fake["title"] if t.startswith("SYNTHETIC")]
    text = page.render("review.html", settings=review.settings, title=chapter["title"], first=first, sections=sections, code=chapter["code"], rule=PUBLISHED, synthetic=fake)
    (work / "report.html").write_text(text, encoding="utf-8")
    rows = {name: dict(rows=len(t), sha256=_hash(pd.util.hash_pandas_object(t.astype(str), index=False))) for name, t in review.tables.items()}
    about = dict(sprx=sprx.__version__, finished=time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime()), seconds=round(seconds, 1), tables=rows, parameters=run.declared_parameters(_notebook()))
    (work / "run.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def _hash(values):
    import hashlib

    return hashlib.sha256(values.to_numpy().tobytes()).hexdigest()


def sections_of(body):
    """A chapter's markup cut at its headings.

    Returns
    -------
    (markup before the first heading, list of dict anchor, title, body)
    """
    from markupsafe import Markup

    first, *rest = re.split(r"<h3>(.*?)</h3>", body)
    sections = [dict(anchor=re.sub(r"[^a-z0-9]+", "-", title.casefold()).strip("-")[:40], title=Markup(title), body=Markup(text)) for title, text in zip(rest[::2], rest[1::2])]
    return Markup(first), sections
