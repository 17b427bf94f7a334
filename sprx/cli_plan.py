"""The command `sprx plan`: a folder with a plan, a protocol, and the scheme folder to fill in."""

from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Optional

import typer

DESIGNS = "randomised, cluster_randomised, matched, concurrent or before_after"
# option -> parameter of the notebook, where the names differ
NAMES = {"power": "wanted"}


def plan(folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to make (default: plan).")] = Path("plan"),
         outcome: Annotated[Optional[str], typer.Option(help="A measure (swemwbs, phq9, ...) or a service (gp, ae, ...).")] = None,
         design: Annotated[Optional[str], typer.Option(help=f"How to compare: {DESIGNS}.")] = None,
         people: Annotated[Optional[int], typer.Option(help="Who will start in the scheme.")] = None,
         follow_up: Annotated[Optional[float], typer.Option(help="Share measured again, such as 0.65.")] = None,
         dropout: Annotated[Optional[float], typer.Option(help="Or the share lost, such as 0.35.")] = None,
         months: Annotated[Optional[float], typer.Option(help="Months from the start to the later score.")] = None,
         effect: Annotated[Optional[float], typer.Option(help="To be found: standard deviations better (0.3), or for a service a ratio (0.85); without it, what published studies lead one to expect.")] = None,
         sd: Annotated[Optional[float], typer.Option(help="Spread of the score among people like yours, in points.")] = None,
         icc: Annotated[Optional[float], typer.Option(help="How alike people of one place are, where places are drawn.")] = None,
         cluster_size: Annotated[Optional[float], typer.Option(help="People in a place, where places are drawn.")] = None,
         power: Annotated[Optional[float], typer.Option(help="The chance to find the effect that you want, such as 0.8.")] = None,
         name: Annotated[Optional[str], typer.Option(help="What the scheme is called.")] = None,
         seed: Annotated[Optional[int], typer.Option(help="Where random draws begin.")] = None,
         sets: Annotated[Optional[list[str]], typer.Option("--set", metavar="NAME=VALUE", help="Any other parameter of plan_evaluation.ipynb, for example correlation=0.6.")] = None):
    """Plan the evaluation of a scheme that has not begun: how many people, which design, what to record, and a protocol."""
    from sprx.cli import report_problems, say
    from sprx.errors import DataError, SchemeError
    from sprx.run_plan import checked_plan, refuse_existing, run_plan

    given = dict(outcome=outcome, design=design, people=people, follow_up=follow_up, dropout=dropout, months=months, effect=effect, sd=sd, icc=icc, cluster_size=cluster_size, power=power, name=name, seed=seed)
    try:
        parameters = _parameters(given, sets or [], folder)
        checked_plan(parameters)
    except DataError as error:
        report_problems("The plan", getattr(error, "problems", [str(error)]))
        raise typer.Exit(2) from None
    try:
        refuse_existing(folder)
        with _clock("making the plan; it takes about fifteen seconds"):
            run_plan(folder, parameters)
    except SchemeError as error:
        report_problems("The plan", error.problems)
        raise typer.Exit(1) from None
    except OSError as error:
        report_problems(folder, [f"{error.strerror or error}: {error.filename}. Give another folder."])
        raise typer.Exit(1) from None
    say(f"{folder / 'plan.html'}\nThe protocol is in protocol.html and protocol.docx. Fill in scheme_data.xlsx from the first person on; then: sprx check {folder}")


@contextmanager
def _clock(words, every=5):
    """While something works, say so with the seconds since its start."""
    import threading
    import time

    started, done = time.monotonic(), threading.Event()

    def tell():
        while True:
            typer.echo(f"[{time.monotonic() - started:5.0f} s] {words}", err=True)
            if done.wait(every):
                return

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()


def _parameters(given, sets, folder):
    """What the options say as parameters of the notebook: each of the right kind, none unknown, one share of people measured again."""
    from sprx import cli, run
    from sprx.errors import SchemeError
    from sprx.run_plan import notebook_path
    from sprx.stats.power import kept

    found = {NAMES.get(option, option): value for option, value in given.items() if value is not None and option != "dropout"}
    if given["dropout"] is not None:
        if given["follow_up"] is not None:
            raise SchemeError(f"Give --follow-up or --dropout, not both; found {given['follow_up']:g} and {given['dropout']:g}.")
        found["follow_up"] = kept(given["dropout"])
    for option in ("effect", "sd"):
        if given[option] is not None and not given[option] > 0:
            raise SchemeError(f"--{option} must be above 0; found {given[option]:g}. Leave it out for what sprx assumes.")
    more = cli._parameters(sets)
    run._refuse_unknown(more, [notebook_path()])
    found = {"name": folder.resolve().name} | more | found
    return run._parameters_for(notebook_path(), found)
