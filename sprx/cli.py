"""The command line: `sprx init`, `check`, `run`, `plan`, `simulate`, `lab`, `lessons`, `evidence`. Exit status: 0 all well, 1 a scheme failed, 2 wrong usage."""

import os
import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from sprx.cli_plan import plan

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None,
                  help="sprx: transparent evaluation of social prescribing schemes.")
Folders = Annotated[list[Path], typer.Argument(metavar="DIR...", help="Scheme folders, each with a scheme.yaml.")]


def say(text="", error=False):
    """Print plain text."""
    typer.echo(text, err=error)


def report_problems(where, problems):
    """Say what is wrong, a line for each problem."""
    say(f"{where}: {'cannot be used' if len(problems) == 1 else f'{len(problems)} problems'}", error=True)
    for problem in problems:
        say(f"  - {problem}", error=True)


@app.command()
def init(folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to make.")]):
    """Make a scheme folder: a commented scheme.yaml and an Excel template with drop-downs and a data dictionary."""
    from sprx.errors import SchemeError
    from sprx.template import write_template

    try:
        write_template(folder)
    except SchemeError as error:
        report_problems(folder, error.problems)
        raise typer.Exit(1) from None
    say(f"Made {folder}. Fill in scheme_data.xlsx (or map your own export in scheme.yaml), then: sprx check {folder}")


@app.command()
def check(folders: Folders):
    """Read and clean scheme folders and say what is wrong with them; the full list goes to DIR/private/issues.csv."""
    failed = [folder for folder in folders if not _check_one(folder)]
    raise typer.Exit(1 if failed else 0)


def _check_one(folder):
    from sprx.clean import clean_scheme
    from sprx.errors import DataError
    from sprx.load import load_scheme
    from sprx.run import write_private

    try:
        scheme = load_scheme(folder)
        if not scheme.tables:
            say(f"{folder}: no rows yet in {', '.join(scheme.empty)}. The settings and headers are in order.")
            return True
        if "people" not in scheme.tables:
            raise DataError("Table people has no rows yet, and every other table needs it. Fill it in first.")
        scheme = clean_scheme(scheme)
    except DataError as error:
        report_problems(folder, getattr(error, "problems", [str(error)]))
        return False
    except OSError as error:
        report_problems(folder, [f"{error.strerror}: {error.filename}. Check that the folder can be read."])
        return False
    _print_check(scheme)
    private = Path(folder) / "private"
    if len(scheme.issues) or private.exists():
        try:
            write_private(private, scheme)
            say(f"All {len(scheme.issues):,} are in {private / 'issues.csv'} (about people: not for sharing).")
        except OSError as error:
            say(f"The full list could not be written to {private} ({error.strerror}).", error=True)
    return True


def _print_check(scheme):
    """Rows in and used, and the problems by kind with an example, as two tables."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else 160)
    rows = Table("table", "rows read", "used", "set aside", title=escape(f"{scheme.settings.name}: rows"))
    for r in scheme.accounts().itertuples():
        by_where = f" ({r.rows_not_selected:,} by where)" if r.rows_not_selected else ""
        rows.add_row(r.table, f"{r.rows_in:,}", f"{r.rows_used:,}", f"{r.rows_set_aside:,}{by_where}")
    console.print(rows)
    if scheme.empty:
        console.print(f"No rows yet: {', '.join(scheme.empty)}")
    if scheme.issues.empty:
        console.print("No problems found.")
        return
    table = Table("table", "column", "problem", "rows", "e.g. row", "found", "expected", "what was done", title="Problems and notes")
    for _, part in scheme.issues.groupby(["table", "column", "problem", "expected"], sort=True):
        first, about_rows = part.iloc[0], part["row"].notna().all()
        table.add_row(*map(escape, (first["table"], first["column"], first["problem"], f"{len(part):,}" if about_rows else "",
                                    str(first["row"]) if about_rows else "", str(first["found"])[:30], first["expected"][:60], first["action"])))
    console.print(table)


@app.command()
def run(folders: Folders,
        out: Annotated[Path, typer.Option(help="Where the reports go.")] = Path("reports"),
        jobs: Annotated[int, typer.Option(min=1, help="Schemes worked on at the same time.")] = os.cpu_count() or 1,
        sets: Annotated[Optional[list[str]], typer.Option("--set", metavar="NAME=VALUE", help="A notebook parameter, for example conf_level=0.9.")] = None):
    """Make the report of each scheme: run every report notebook and write the report folder."""
    from sprx.errors import SchemeError
    from sprx.run import run_schemes

    folders = [f for f in folders if f.is_dir() or not f.is_file()]      # data/sample/* also names README.md
    if not folders:
        say("None of these is a scheme folder. Give folders that hold a scheme.yaml.", error=True)
        raise typer.Exit(2)
    try:
        outcomes = run_schemes(folders, out, jobs=min(jobs, len(folders)), parameters=_parameters(sets or []), progress=_progress(len(folders)))
    except SchemeError as error:
        report_problems("Nothing was run", error.problems)
        raise typer.Exit(2) from None
    except OSError as error:
        report_problems(out, [f"{error.strerror or error}: {error.filename}. Give another folder with --out."])
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        say("Stopped. Reports that were finished are in place; those under way were thrown away.", error=True)
        raise typer.Exit(130) from None
    failed = [o for o in outcomes if o.problems]
    for outcome in failed:
        report_problems(outcome.folder, outcome.problems)
    done = len(outcomes) - len(failed)
    say(f"{done} of {len(outcomes)} schemes reported." + (f" {len(failed)} failed, for the reasons above." if failed else ""))
    if done:
        say(str(out / "index.html"))
    raise typer.Exit(1 if failed else 0)


def _parameters(sets):
    """--set NAME=VALUE to values: numbers, lists and quoted text as Python writes them, anything else as text."""
    import ast

    from sprx.errors import SchemeError

    values = {}
    for item in sets:
        name, equals, text = item.partition("=")
        if not equals:
            raise SchemeError(f"--set takes NAME=VALUE; found {item!r}.")
        try:
            values[name.strip()] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            values[name.strip()] = text
    return values


def _progress(total):
    """A function that prints a line for each notebook: time since the start, scheme, notebook, schemes done."""
    import threading
    import time

    started, lock, done = time.monotonic(), threading.Lock(), []

    def show(folder, event, detail):
        with lock:
            if event in ("done", "failed"):
                done.append(folder)
            words = {"start": "reading the data", "notebook": f"notebook {detail}", "done": f"done in {detail}", "failed": "FAILED"}[event]
            say(f"[{time.monotonic() - started:5.0f} s] {len(done)}/{total}  {folder.name:<24} {words}", error=True)

    return show


@app.command()
def simulate(out: Annotated[Path, typer.Argument(metavar="OUT", help="Where the scheme folders go.")],
             schemes: Annotated[Optional[int], typer.Option(min=1, help="How many schemes; without it, the four of data/sample.")] = None,
             people: Annotated[int, typer.Option(min=10, help="People in each scheme.")] = 400,
             seed: Annotated[int, typer.Option(help="Seed: the same one gives the same files.")] = 1,
             effect: Annotated[float, typer.Option(help="Planted effect, SWEMWBS points.")] = 2.0):
    """Make synthetic schemes with a planted truth (truth.csv)."""
    from sprx.simulate import make_sample, simulate_schemes

    if schemes is None:
        make_sample(out)
    else:
        simulate_schemes(out, schemes, people, seed, effect)
    say(f"Made {'the sample schemes' if schemes is None else f'{schemes} schemes'} in {out}. The data are synthetic; what was planted is in {out / 'truth.csv'}.")


app.command()(plan)


@app.command()
def lab(folder: Annotated[Path, typer.Argument(metavar="DIR", help="A scheme folder.")]):
    """Open the report notebooks on a scheme in JupyterLab."""
    import subprocess

    from sprx.errors import SchemeError
    from sprx.lab import lab_folder

    try:
        notebooks = lab_folder(folder)
    except SchemeError as error:
        report_problems(folder, error.problems)
        raise typer.Exit(1) from None
    say(f"The notebooks are in {notebooks}; edit a cell and run it again.")
    raise typer.Exit(subprocess.call([sys.executable, "-m", "jupyterlab", str(notebooks)]))


@app.command()
def lessons(folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the lessons go.")],
            solutions: Annotated[bool, typer.Option("--solutions", help="The versions with solutions, too, in DIR/solutions.")] = False):
    """Copy the lessons on evidence into a folder, to be worked through in JupyterLab."""
    from sprx.errors import SchemeError
    from sprx.teaching import copy_lessons

    try:
        written, kept = copy_lessons(folder, solutions)
    except SchemeError as error:
        report_problems("The lessons", error.problems)
        raise typer.Exit(1) from None
    except OSError as error:
        report_problems(folder, [f"{error.strerror or error}: {error.filename}. Give another folder."])
        raise typer.Exit(1) from None
    if written:
        say(f"Wrote {len(written)} files to {folder}. Open them with: jupyter lab {folder}")
    if kept:
        report_problems("Left as they are, since they were changed (rename one to get it fresh)", list(map(str, kept)))
        raise typer.Exit(1)


# ---- sprx evidence

evidence = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The evidence base: add to it, check it, write it as a table.")
app.add_typer(evidence, name="evidence")
EVIDENCE = Path("evidence")
Base = Annotated[Optional[Path], typer.Option("--base", metavar="DIR", help="The folder with your own part of the evidence base (default: ./evidence).")]


def _evidence_or_exit(base):
    """The evidence base, or its problems and status 1."""
    from sprx.errors import SchemeError
    from sprx.evidence import read_base

    try:
        if base is not None and not base.is_dir():
            raise SchemeError(f"No such folder: {base}. Give the folder with your part of the evidence base, or leave --base out.")
        return read_base(base or EVIDENCE)
    except SchemeError as error:
        report_problems("The evidence base", error.problems)
        raise typer.Exit(1) from None
    except OSError as error:
        report_problems("The evidence base", [f"{error.strerror}: {error.filename}. Check that it can be read."])
        raise typer.Exit(1) from None


@evidence.command("add")
def evidence_add(file: Annotated[Path, typer.Argument(metavar="FILE", help="A scheme's evidence_record.json, or a CSV or Excel file with rows of one table.")],
                 base: Base = None,
                 table: Annotated[Optional[str], typer.Option(help="Which table the rows are of; otherwise told from the header.")] = None,
                 by: Annotated[Optional[str], typer.Option(help="Who adds it; otherwise your name on this computer.")] = None,
                 synthetic: Annotated[bool, typer.Option("--synthetic", help="Take a record of synthetic data, to try things out.")] = False):
    """Check a scheme's record or rows filled in by hand, and add them to your part of the evidence base."""
    import datetime
    import getpass

    from sprx.errors import SchemeError
    from sprx.evidence import TABLES, add_file

    if table is not None and table not in TABLES:
        raise typer.BadParameter(f"No table {table!r}. There are: {', '.join(TABLES)}.", param_hint="--table")
    try:
        who = by or getpass.getuser()
    except (KeyError, OSError, ImportError):            # a computer that does not know its user
        raise typer.BadParameter("this computer does not say who you are; give a name.", param_hint="--by") from None
    try:
        added = add_file(file, base or EVIDENCE, who, datetime.date.today().isoformat(), table, synthetic)
    except SchemeError as error:
        report_problems(file, error.problems)
        raise typer.Exit(1) from None
    except OSError as error:
        report_problems(file, [f"{error.strerror or error}: {error.filename}. Nothing was added; give another folder with --base."])
        raise typer.Exit(1) from None
    say(f"Added to {base or EVIDENCE}: {', '.join(f'{n} of {name}' for name, n in added.items())}.")


@evidence.command("check")
def evidence_check(base: Base = None):
    """Check the evidence that sprx carries and your own part of it."""
    from sprx.evidence import base_summary, check_base

    tables = _evidence_or_exit(base)
    for name, carried, added in base_summary(tables):
        say(f"{name:<12}{carried:>6} carried by sprx{added:>6} added")
    problems = check_base(tables)
    if problems:
        report_problems("The evidence base", problems)
        raise typer.Exit(1)
    say("No problems found.")


@evidence.command("table")
def evidence_table(out: Annotated[Path, typer.Argument(metavar="OUT", help="A file that ends in .xlsx (every table) or .csv (one table).")],
                   base: Base = None,
                   table: Annotated[str, typer.Option(help="The table for a .csv.")] = "effects"):
    """Write the evidence base, sprx's and yours, as Excel or CSV."""
    from sprx.errors import SchemeError
    from sprx.evidence import TABLES, write_base

    if table not in TABLES:
        raise typer.BadParameter(f"No table {table!r}. There are: {', '.join(TABLES)}.", param_hint="--table")
    tables = _evidence_or_exit(base)
    try:
        write_base(tables, out, table)
    except SchemeError as error:
        report_problems(out, error.problems)
        raise typer.Exit(2) from None
    except OSError as error:
        report_problems(out, [f"{error.strerror or error}. Give another file."])
        raise typer.Exit(1) from None
    say(f"Wrote {out}.")


@evidence.command("review")
def evidence_review(base: Base = None,
                    out: Annotated[Path, typer.Option(metavar="DIR", help="Where report folders go; the review's is evidence_review in it.")] = Path("reports")):
    """Make the living review: what is known, how sure that is, and what is missing, from the base as it is now."""
    from sprx.errors import SchemeError
    from sprx.run_review import run_review

    if base is not None and not base.is_dir():
        report_problems("The review", [f"No such folder: {base}. Give the folder with your part of the evidence base, or leave --base out."])
        raise typer.Exit(1)
    say("Making the review; it takes about ten seconds ...", error=True)
    try:
        folder = run_review(out, base or (EVIDENCE if EVIDENCE.is_dir() else None))
    except SchemeError as error:
        report_problems("The review", error.problems)
        raise typer.Exit(1) from None
    except OSError as error:
        report_problems("The review", [f"{error.strerror or error}: {error.filename}. Give another folder with --out."])
        raise typer.Exit(1) from None
    say(str(folder / "report.html"))


def main():
    """Entry point; nothing ends in a traceback."""
    try:
        app()
    except KeyboardInterrupt:
        say("Stopped.", error=True)
        sys.exit(130)
    except Exception as error:
        if os.environ.get("SPRX_TRACEBACK"):
            raise
        say(f"{type(error).__name__}. This is a fault in sprx, not in your data: please report it, with what "
            "SPRX_TRACEBACK=1 in the environment adds to this line.", error=True)
        sys.exit(1)
