"""Sentences of chapter 00."""

from sprx.wording.words import NOT_SHOWN, count, listed, one, percent


def describe_rows(table):
    """How many rows came in and how many could be used."""
    parts = []
    for level in dict.fromkeys(table["level"]):
        read, used = (one(table, m, level) for m in ("rows_read", "rows_used"))
        if read is not None and read.estimate > 0:
            parts.append(f"{level}: {count(used.estimate) if used is not None else '*'} of {count(read.estimate)}")
    return f"Rows used, of the rows read: {'; '.join(parts)}. Every other row was set aside with its reason." if parts else NOT_SHOWN


def describe_problems(table):
    """Which problems were most frequent."""
    if table.empty:
        return "No problem was found in any row."
    shown = table.dropna(subset="estimate").sort_values("estimate", ascending=False).head(3)
    if shown.empty:
        return "A few problems were found; each had too few rows to be shown here."
    said = []
    for row in shown.itertuples():
        name, rest = row.level.split(" | ", 1)             # a column's own name may hold the dividing mark
        column, problem, action = rest.rsplit(" | ", 2)
        said.append(f"{count(row.estimate)} rows of {name}, {column + ' ' if column else ''}{problem} ({action})")
    return f"Most frequent: {'; '.join(said)}."


def describe_completeness(table):
    """Which columns are least complete."""
    shown = table.dropna(subset="estimate")
    poor = shown[shown["estimate"] < 0.9].sort_values(["estimate", "group", "level"])
    if poor.empty:
        return "Every column that could be shown is at least 90% complete." if len(shown) else NOT_SHOWN
    said = [f"{r.group}.{r.level} ({percent(r.estimate, r.n)})" for r in poor.head(6).itertuples()]
    return f"Least complete: {listed(said)}." + (f" {len(poor) - 6} more {'is' if len(poor) == 7 else 'are'} below 90%." if len(poor) > 6 else "")
