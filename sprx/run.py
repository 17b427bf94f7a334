"""Running the report notebooks for schemes: a new folder each, renamed when the last notebook has succeeded."""

import hashlib
import json
import os
import platform
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from sprx.errors import DataError, SchemeError, nearest
from sprx.settings import read_settings

PERSONAL_ISSUES = "private"


@dataclass
class Outcome:
    """What became of one scheme: its report folder, or the reason why there is none."""

    folder: Path
    scheme_id: str = ""
    report: Path | None = None
    problems: list = field(default_factory=list)
    seconds: float = 0.0


def notebooks_folder():
    """The report notebooks: beside the package in a checkout, inside it once installed."""
    here = Path(__file__).parent
    for folder in (here / "notebooks" / "report", here.parent / "notebooks" / "report"):
        if folder.is_dir():
            return folder
    raise SchemeError("The report notebooks are not installed with sprx. Install it again: pip install .")


def run_schemes(folders, out, *, jobs=1, parameters=None, progress=lambda *event: None):
    """Run every report notebook on every scheme.

    Parameters
    ----------
    folders : list of path
        Scheme folders. Folders without scheme.yaml are reported as failed.
    out : path
        Where the report folders go, one per scheme_id.
    jobs : int
        Schemes worked on at the same time.
    parameters : dict, optional
        Values for the notebooks' parameters, checked by name and type before anything runs.
    progress : function (folder, event, detail), optional
        Told of each notebook: 'start', 'notebook', 'done', 'failed'.

    Returns
    -------
    list of Outcome
        In the order of `folders`. A scheme that failed has left any earlier report of it as it was.

    Raises
    ------
    SchemeError
        If a parameter is unknown or of the wrong type, or two folders have one scheme_id.
    """
    folders, out, parameters = [Path(f) for f in folders], Path(out), parameters or {}
    notebooks = sorted(notebooks_folder().glob("*.ipynb"))
    wanted = {path: _parameters_for(path, parameters) for path in notebooks}
    _refuse_unknown(parameters, notebooks)
    _refuse_twins(folders)
    out.mkdir(parents=True, exist_ok=True)
    stopping = threading.Event()

    def tell(folder, event, detail):
        if event == "notebook" and stopping.is_set():
            raise SchemeError("stopped before it was finished")
        progress(folder, event, detail)

    with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        tasks = {pool.submit(_run_one, folder, out, wanted, tell): folder for folder in folders}
        try:
            found = {tasks[task]: task.result() for task in as_completed(tasks)}
        except KeyboardInterrupt:           # the notebooks under way end, no other is begun, half reports are thrown away
            stopping.set()
            pool.shutdown(cancel_futures=True)
            raise
    write_overview(out)
    return [found[folder] for folder in folders]


# ---- before anything runs -----------------------------------------------------------------------------------------------

def declared_parameters(path):
    """The parameters of a notebook: name -> default value, from the literals of its cell tagged `parameters`.

    Raises
    ------
    SchemeError
        If no cell is tagged, or one of its lines is not `name = literal`.
    """
    import ast

    import nbformat

    cells = [c for c in nbformat.read(path, 4).cells if "parameters" in c.metadata.get("tags", [])]
    if len(cells) != 1:
        raise SchemeError(f"{path.name} has {len(cells)} cells tagged 'parameters'; it needs one, or papermill's values are lost.")
    values = {}
    for line in ast.parse(cells[0].source).body:
        try:
            values[line.targets[0].id] = ast.literal_eval(line.value)
        except (AttributeError, ValueError):
            raise SchemeError(f"{path.name}: the parameters cell may hold only 'name = literal'; line {line.lineno} does not.") from None
    return values


def _parameters_for(path, parameters):
    """The values of `parameters` that one notebook takes, refused if of another type than its default."""
    taken = {}
    for name, default in declared_parameters(path).items():
        if name not in parameters:
            continue
        value = parameters[name]
        if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not type(default):
            raise SchemeError(f"The parameter {name} of {path.name} takes {type(default).__name__} (such as {default!r}); found {value!r}.")
        if name == "conf_level" and not 0 < value < 1:
            raise SchemeError(f"conf_level is a fraction between 0 and 1, such as 0.95; found {value!r}.")
        if name.endswith("_dir") and value and not Path(value).is_dir():
            raise SchemeError(f"{name}: no such folder: {value}.")
        taken[name] = value
    return taken


def _refuse_unknown(parameters, notebooks):
    known = {name for path in notebooks for name in declared_parameters(path)} - {"scheme_dir", "output_dir"}
    for name in parameters:
        if name not in known:
            raise SchemeError(f"No notebook has a parameter {name!r}.{nearest(name, known)} There are: {', '.join(sorted(known))}.")


def _refuse_twins(folders):
    """Two schemes with one id would overwrite each other's report, also where file names ignore case."""
    seen = {}
    for folder in folders:
        try:
            scheme_id = read_settings(folder).scheme_id
        except SchemeError:
            continue                                # it is reported on its own
        other = seen.setdefault(scheme_id.casefold(), folder)
        if other is not folder:
            raise SchemeError(f"{other} and {folder} have one scheme_id, {scheme_id!r}. Give each scheme its own in its scheme.yaml.")


# ---- one scheme ---------------------------------------------------------------------------------------------------------

def _run_one(folder, out, wanted, progress):
    """One scheme from its folder to its report; whatever goes wrong is in the outcome, never raised."""
    started, outcome = time.monotonic(), Outcome(folder)
    progress(folder, "start", "")
    work = None
    try:
        scheme = _read(folder)
        outcome.scheme_id = scheme.settings.scheme_id
        work = out / f".{outcome.scheme_id}.new-{os.getpid()}"
        shutil.rmtree(work, ignore_errors=True)
        (work / "notebooks").mkdir(parents=True)
        times = {}
        for path, parameters in wanted.items():
            begun = time.monotonic()
            progress(folder, "notebook", path.stem)
            _execute(path, work, folder, parameters)
            times[path.stem] = round(time.monotonic() - begun, 2)
        _finish(work, scheme, folder, wanted, times)
        outcome.report = _publish(work, out / outcome.scheme_id)
    except DataError as error:
        outcome.problems = getattr(error, "problems", [str(error)])
    except OSError as error:
        outcome.problems = [f"{error.strerror or error}: {error.filename or out}. Check that the folder can be written and the disk is not full."]
    except Exception as error:                      # a fault of ours must not take the other schemes with it
        outcome.problems = [f"{type(error).__name__}: {' '.join(str(error).split())}. This is a fault in sprx, not in the data: please report it."]
    finally:
        if work is not None:
            shutil.rmtree(work, ignore_errors=True)
    outcome.seconds = time.monotonic() - started
    progress(folder, "failed" if outcome.problems else "done", outcome.problems[0] if outcome.problems else f"{outcome.seconds:.0f} s")
    return outcome


def _read(folder):
    """The cleaned scheme, or a reason why no report can be made of it."""
    from sprx.clean import clean_scheme
    from sprx.load import load_scheme

    scheme = load_scheme(folder)
    if "people" not in scheme.tables:
        raise SchemeError("Table people has no rows yet. Fill it in, or check the file and 'where' that scheme.yaml names.")
    scheme = clean_scheme(scheme)
    if scheme.tables["people"].empty:
        raise SchemeError(f"Table people: none of its {scheme.rows_in['people']} rows can be used. See: sprx check {folder}")
    if not scheme.tables["people"]["arm"].eq("scheme").any():
        raise SchemeError("Table people holds comparison people only. Map the labels of 'arm' under 'values' in scheme.yaml.")
    return scheme


def _execute(path, work, folder, parameters):
    """Execute one notebook with papermill; its error becomes a reason with notebook, cell and message."""
    import papermill
    from papermill.exceptions import PapermillException, PapermillExecutionError

    from sprx.kernels import LocalKernelManager

    target, inside = work / "notebooks" / path.name, work / "notebooks"
    folders = {name: value for name, value in parameters.items() if name.endswith("_dir") and value} | {"scheme_dir": folder}
    from_inside = {name: os.path.relpath(Path(value).resolve(), inside.resolve()) for name, value in folders.items()}     # no path of this machine in the notebook
    given = {**parameters, **from_inside, "output_dir": ".."}
    given = {name: value for name, value in given.items() if name in declared_parameters(path)}
    try:
        # the kernel is started in the folder of the executed notebook; papermill's own `cwd` would move every thread there
        papermill.execute_notebook(str(path), str(target), parameters=given, kernel_name="python3", progress_bar=False, log_output=False,
                                   kernel_manager_class=LocalKernelManager, request_save_on_cell_execute=False,
                                   resources={"metadata": {"path": str(inside.resolve())}})
    except PapermillExecutionError as error:
        raise SchemeError(f"{path.name}, cell {error.exec_count}: {error.ename}: {error.evalue}") from None
    except (PapermillException, RuntimeError) as error:
        raise SchemeError(f"{path.name}: {type(error).__name__}: {error}") from None
    _strip_clocks(target)


def _strip_clocks(path):
    """Take times and machine paths out of an executed notebook; they are in run.json."""
    import nbformat

    notebook = nbformat.read(path, 4)
    for part in (notebook, *notebook.cells):
        part.metadata.pop("papermill", None)
        part.metadata.pop("execution", None)
    nbformat.write(notebook, path)


def _finish(work, scheme, folder, wanted, times):
    """Everything of the report folder that is made from the executed notebooks and their results."""
    import nbformat

    from sprx import page
    from sprx.disclosure import RULES
    from sprx.tables import write_tables

    order = sorted(wanted, key=lambda p: (p.stem != "10_summary", p.stem.startswith("00"), p.stem))
    chapters = [page.chapter(nbformat.read(work / "notebooks" / p.name, 4), p.stem.split("_", 1)[1]) for p in order]
    rule = RULES[scheme.settings.disclosure]
    page.write_report(work / "report.html", scheme.settings, chapters, rule)
    write_tables(work, scheme.settings, rule, [p.stem.split("_", 1)[1] for p in sorted(wanted)])
    write_private(work / PERSONAL_ISSUES, scheme)
    (work / "run.json").write_text(json.dumps(_provenance(scheme, folder, wanted, times), indent=1) + "\n", encoding="utf-8")


def write_private(folder, scheme):
    """issues.csv and the rows set aside: about people, not for sharing."""
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("set_aside_*.csv"):
        stale.unlink()
    scheme.issues.to_csv(folder / "issues.csv", index=False, lineterminator="\n")
    for name, rows in sorted(scheme.set_aside.items()):
        rows.to_csv(folder / f"set_aside_{name}.csv", index=False, lineterminator="\n")


def _provenance(scheme, folder, wanted, times):
    """Versions, hashes, parameters, seed, times: where the clocks and the machine are allowed."""
    from importlib.metadata import version

    import sprx

    named = [folder / spec[key] for spec in scheme.settings.tables.values() for key in ("file", "own_table") if spec.get(key)]
    files = sorted({folder / "scheme.yaml", *(f for path in named for f in ([path] if path.is_file() else path.rglob("*")) if f.is_file())})
    return dict(
        scheme_id=scheme.settings.scheme_id, sprx=sprx.__version__, finished=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        seconds=times, seed=scheme.settings.seed, disclosure=scheme.settings.disclosure, parameters={p.name: v for p, v in wanted.items()},
        inputs={os.path.relpath(f, folder): _sha256(f) for f in files}, notebooks={p.name: _sha256(p) for p in wanted},
        python=platform.python_version(), system=platform.system(),
        packages={name: version(name) for name in ("pandas", "numpy", "scipy", "statsmodels", "lifelines", "matplotlib", "papermill", "pandera")})


def _sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _publish(work, target):
    """Put the finished folder in place of the earlier one."""
    earlier = target.with_name(f".{target.name}.old-{os.getpid()}")
    if target.exists():
        target.rename(earlier)
    work.rename(target)
    shutil.rmtree(earlier, ignore_errors=True)
    return target


# ---- all schemes ----------------------------------------------------------------------------------------------------------

def write_overview(out):
    """index.html and results.csv over every finished report in `out`."""
    import pandas as pd

    from sprx import page
    from sprx.answers import QUESTIONS
    from sprx.wording import SURE

    schemes, tables = [], []
    for path in sorted(out.glob("*/answers.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        answers = [dict(title=QUESTIONS[a["question"]], text=a["text"], word=SURE[a["sure"]][0], mark=SURE[a["sure"]][1])
                   for a in content["answers"] if a["sure"] > 0]
        schemes.append({**content, "answers": answers})
        tables.append(pd.read_csv(path.with_name("results.csv"), dtype=str, keep_default_na=False))
    page.write_index(out / "index.html", schemes)
    if tables:
        pd.concat(tables, ignore_index=True).to_csv(out / "results.csv", index=False, lineterminator="\n")
