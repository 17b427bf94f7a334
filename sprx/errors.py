"""The errors users see: what is wrong, what was found, what to do."""

from difflib import get_close_matches


class DataError(ValueError):
    """The data cannot support what was asked; the message says what to do."""


class SchemeError(DataError):
    """A scheme folder cannot be used. `problems` holds every reason, one sentence or more each."""

    def __init__(self, problems):
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))


def nearest(word, known):
    """' Did you mean …?' for the known word closest to a misspelt one, else ''."""
    close = get_close_matches(str(word).casefold(), [str(k) for k in known], n=1, cutoff=0.6)
    return f" Did you mean {close[0]!r}?" if close else ""


def require(table, name, columns):
    """Raise DataError unless `table` has every column in `columns`."""
    missing = [c for c in columns if c not in table.columns]
    if missing:
        raise DataError(f"{name} has no column {missing[0]!r}. Found: {sorted(table.columns)}. "
                        f"If the export uses another name, map it in scheme.yaml.")
