"""Lessons: is an answer right, and the lessons as files in a learner's folder.

A check must never pass for want of an answer: nothing, not a number, an empty list or the wrong kind of thing are wrong answers,
and `...` is none at all.
"""

import math
import re
from numbers import Real
from pathlib import Path

from sprx.errors import SchemeError

SAME = 1e-9         # numbers this close (relative) are the same, where no `within` is given


class NotAnswered(Exception):
    """An exercise still holds `...`."""

    def _render_traceback_(self):           # IPython's hook: a cell that fails shows this line, and no traceback
        return [str(self)]


class WrongAnswer(Exception):
    """An answer that is not right (yet); the message holds a hint and never the answer."""

    def _render_traceback_(self):
        return [str(self)]


class Right(str):
    """What a notebook shows below a check that was passed."""

    def __repr__(self):
        return str(self)


def check_answer(given, expected, *, within=None, hint="", why=""):
    """Say "Right." if an answer is right, else fail.

    Parameters
    ----------
    given : anything
        The learner's answer; `...` (also inside a list or table) means not answered.
    expected : number, bool, str, set, list, dict, Series, DataFrame, or function
        Of texts, case and spaces do not count; of a set (or frozenset), the order; of a table, the order of rows and columns (they are matched by
        their labels). A list or tuple must agree in its order, too. A function gets the answer and returns "" or what is wrong with it.
    within : number, optional
        How far numbers may be off, absolute. Without it, they must be the same but for rounding errors of the machine.
    hint : str
        What to think of, shown if the answer is wrong.
    why : str
        What follows from the answer, shown if it is right.

    Returns
    -------
    Right
        Text that a notebook shows.

    Raises
    ------
    NotAnswered, WrongAnswer
        One line each; a cell fails with them.
    ValueError
        If the lesson itself is at fault: nothing to compare with, or a `within` that lets everything through.
    """
    if _holds(given, lambda part: part is ...):
        raise NotAnswered("Not answered yet: put your answer in place of ... in the cell above and run it, then run this one.")
    if callable(expected):
        problem = _empty(given) or _asked(expected, given)
    else:
        if within is not None and not (_is_number(within) and 0 < within < math.inf):
            raise ValueError("within must be a number above 0.")
        if _empty(expected):
            raise ValueError("This check has nothing to compare the answer with.")
        problem = _empty(given) or _difference(given, expected, within)
    if problem:
        raise WrongAnswer(" ".join(["Not right yet:", problem, *([f"Hint: {hint}"] if hint else [])]))
    return Right(f"Right. {why}".strip())


def _asked(judge, given):
    """What a function finds wrong with an answer."""
    try:
        problem = judge(given)
    except (TypeError, ValueError, AttributeError, LookupError, re.error):
        return "it is not the kind of answer that is asked for."
    if not isinstance(problem, str):
        raise ValueError('The function of this check must return "" or what is wrong.')
    return problem


def _parts(value):
    """What a list, dict or table is made of, labels included; None for a single thing."""
    import numpy as np
    import pandas as pd

    if isinstance(value, pd.DataFrame):
        return [*value.columns, *value.index, *value.to_numpy(dtype=object).ravel()]
    if isinstance(value, pd.Series):
        return [*value.index, *value]
    if isinstance(value, dict):
        return [*value, *value.values()]
    if isinstance(value, np.ndarray) and value.ndim or isinstance(value, (list, tuple, set, frozenset, pd.Index, pd.api.extensions.ExtensionArray)):
        return list(value)
    return None


def _entries(value):
    """The entries of a list, set or column of a table; None for anything else."""
    import pandas as pd

    return list(value) if isinstance(value, pd.Series) else None if isinstance(value, (dict, pd.DataFrame)) else _parts(value)


def _holds(value, test):
    parts = _parts(value)
    return test(value) if parts is None else any(_holds(part, test) for part in parts)


def _missing(value):
    import pandas as pd

    return value is None or value is pd.NA or value is pd.NaT or isinstance(value, Real) and not math.isfinite(value)


def _empty(given):
    """Why an answer is none, or ""."""
    if isinstance(given, str):
        return "" if given.strip() else "the text is empty."
    if _holds(given, _missing):
        return "it is nothing, or holds a missing or infinite number."
    if getattr(given, "size", None) == 0 or _parts(given) == []:
        return "it is empty."
    return ""


def _is_number(value):
    import numpy as np

    return isinstance(value, Real) and not isinstance(value, (bool, np.bool_))


def _difference(given, expected, within):
    """What is wrong with an answer, without saying what is right; "" if nothing is."""
    import numpy as np
    import pandas as pd

    if isinstance(expected, pd.DataFrame):
        return _table_difference(given, expected, within)
    if isinstance(expected, (dict, pd.Series)):
        return _by_label(given, expected, within)
    if isinstance(expected, (set, frozenset)):
        return _set_difference(given, expected)
    if _parts(expected) is not None:
        given, expected = None if isinstance(given, (set, frozenset)) else _entries(given), _entries(expected)
        if given is None:
            return "a list is asked for, in order."
        if len(given) != len(expected):
            return f"it has {len(given)} entries, which is not how many there should be."
        return next(filter(None, (_difference(g, e, within) for g, e in zip(given, expected))), "")
    if isinstance(expected, (bool, np.bool_)):
        return "True or False is asked for." if not isinstance(given, (bool, np.bool_)) else "" if bool(given) == bool(expected) else "it is the other one."
    if _is_number(expected):
        return _number_difference(given, expected, within)
    if isinstance(expected, str):
        return "a text is asked for." if not isinstance(given, str) else "" if _plain(given) == _plain(expected) else f"{given.strip()!r} is not it."
    raise ValueError(f"A check cannot compare with a {type(expected).__name__}.")


def _number_difference(given, expected, within):
    if not _is_number(given):
        return "one number is asked for."
    near = abs(given - expected) <= within if within else math.isclose(given, expected, rel_tol=SAME, abs_tol=SAME * min(1, abs(expected) or 1))
    return "" if near else f"{given:.6g} is not it."


def _set_difference(given, expected):
    if _entries(given) is None or any(_parts(part) is not None for part in _entries(given)):
        return "a set of names is asked for, such as {'this', 'that'}."
    found, wanted = [_plain(part) for part in _entries(given)], {_plain(part) for part in expected}
    if set(found) == wanted:
        return "" if len(found) == len(set(found)) else "something is in it twice."
    extra, lacking = len(set(found) - wanted), len(wanted - set(found))
    return " and ".join([*([f"{extra} in it should not be"] if extra else []), *([f"{lacking} that should be in it {'is' if lacking == 1 else 'are'} not"] if lacking else [])]) + "."


def _by_label(given, expected, within):
    import pandas as pd

    if not isinstance(given, (dict, pd.Series)):
        return "a value for each name is asked for."
    names = {_plain(k): k for k in given.keys()}            # as the learner wrote them
    given, expected = ({_plain(k): v for k, v in part.items()} for part in (given, expected))
    if set(given) != set(expected):
        return f"its names are {', '.join(map(str, names.values()))[:120]}; they should be others, more or fewer."
    return next((f"at {names[name]}: {said}" for name in expected if (said := _difference(given[name], expected[name], within))), "")


def _table_difference(given, expected, within):
    import pandas as pd

    if not isinstance(given, pd.DataFrame):
        return "a table (a DataFrame) is asked for."
    given, expected = (t.rename(columns=_plain, index=_plain) for t in (given, expected))
    for what, mine, right in (("columns", given.columns, expected.columns), ("rows", given.index, expected.index)):
        if sorted(map(str, mine)) != sorted(map(str, right)):
            return f"its {what} are {', '.join(map(str, mine))[:120]}; they should be others, more or fewer."
        if not mine.is_unique:
            raise ValueError(f"This check needs a table whose {what} have different names.")
    return next((f"in column {c}, row {r}: {said}" for c in expected for r in expected.index if (said := _difference(given.at[r, c], expected.at[r, c], within))), "")


def _plain(value):
    """A text without case and spaces; anything else as it is."""
    return "".join(value.split()).casefold() if isinstance(value, str) else value


# ---- the lessons as files

def lessons_folder():
    """The lessons: beside the package in a checkout, inside it once installed."""
    here = Path(__file__).parent
    for folder in (here / "notebooks" / "teaching", here.parent / "notebooks" / "teaching"):
        if folder.is_dir():
            return folder
    raise SchemeError("The lessons are not installed with sprx. Install it again: pip install .")


def copy_lessons(folder, solutions=False):
    """Copy the lessons into a folder; those that a learner has worked in stay as they are.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    solutions : bool
        Whether the versions with solutions are wanted, too; they go into a folder `solutions` of their own.

    Returns
    -------
    (written, kept) : two lists of Path
        The files that were written, and those that were left alone as they differ from what sprx brings.
    """
    folder, source = Path(folder), lessons_folder()
    wanted = {folder / p.name: p for p in sorted((source / "student").glob("*.ipynb"))}
    if solutions:
        wanted |= {folder / "solutions" / p.name: p for p in sorted(source.glob("*.ipynb"))}
    kept = [path for path, original in wanted.items() if path.exists() and path.read_bytes() != original.read_bytes()]
    written = [path for path in wanted if path not in kept]
    for path in written:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(wanted[path].read_bytes())
    return written, kept
