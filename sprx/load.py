"""The one way in: a scheme folder to typed tables of the standard, with every repair and every row set aside on record."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from sprx import identifiers, open_referral, readers, schema
from sprx.errors import SchemeError, nearest
from sprx.reference import allowed, labels, measures, plain_key
from sprx.settings import Settings, read_settings

ISSUE_COLUMNS = ["table", "file", "row", "row_id", "column", "problem", "found", "expected", "action"]
JOINED = "joined to referral"          # how the reason of a row begins whose facts another row took over
SET_MISSING, SET_ASIDE, NOTED, NOT_READ = "set to missing", "row set aside", "noted", "file not read"


@dataclass(frozen=True)
class Scheme:
    """A scheme's data.

    Attributes
    ----------
    folder : Path
    settings : Settings
        What scheme.yaml says.
    tables : dict of str to DataFrame
        The standard's tables that have rows, by name, with the standard's columns. `row` is the row in the export.
    issues : DataFrame
        One row per repair, note or row set aside: ISSUE_COLUMNS. About people: stays in private/.
    set_aside : dict of str to DataFrame
        Rows that could not be used, with `reason`. About people: stays in private/.
    rows_in : dict of str to int
        Rows read, per table (for wide outcomes: rows x score columns).
    not_selected : dict of str to int
        Rows that `where` in scheme.yaml says do not belong, per table.
    empty : tuple of str
        Tables named in scheme.yaml whose files have a header and no rows yet.
    given : dict of str to list
        The standard's columns that each export gives, before any is filled in or worked out.
    """

    folder: Path
    settings: Settings
    tables: dict
    issues: pd.DataFrame
    set_aside: dict = field(default_factory=dict)
    rows_in: dict = field(default_factory=dict)
    not_selected: dict = field(default_factory=dict)
    empty: tuple = ()
    given: dict = field(default_factory=dict)

    def has(self, table, *columns):
        """True if the table has rows and each of the columns holds at least one value."""
        rows = self.tables.get(table)
        return rows is not None and len(rows) > 0 and all(c in rows and rows[c].notna().any() for c in columns)

    def measures(self):
        """The instruments known to this scheme: the reference table plus those of scheme.yaml."""
        if not self.settings.instruments:
            return measures()
        return pd.DataFrame.from_dict({**measures().to_dict("index"), **self.settings.instruments}, orient="index")

    def accounts(self):
        """Rows read = rows used + rows set aside, per table; of those set aside, not selected by `where` and joined to another row."""
        rows = []
        for name, total in self.rows_in.items():
            left_out = self.not_selected.get(name, 0)
            rows.append(dict(table=name, rows_in=total, rows_used=self._used(name),
                             rows_set_aside=len(self.set_aside.get(name, ())) + left_out, rows_not_selected=left_out,
                             rows_joined=self._joined(name)))
        return pd.DataFrame(rows, columns=["table", "rows_in", "rows_used", "rows_set_aside", "rows_not_selected", "rows_joined"])

    def _joined(self, name):
        aside = self.set_aside.get(name)
        return 0 if aside is None else int(aside["reason"].astype(str).str.startswith(JOINED).sum())

    def _used(self, name):
        rows = self.tables.get(name, ())
        return int((~rows["derived"]).sum()) if "derived" in rows else len(rows)

    def keep(self, table, rows, issues, dropped=None):
        """This scheme with one table replaced; `dropped` (a mask with its `reason`) joins the rows set aside."""
        aside = self.set_aside
        if dropped is not None and len(dropped):
            aside = {**aside, table: pd.concat([aside[table], dropped]) if table in aside else dropped}
        return replace(self, tables={**self.tables, table: rows}, set_aside=aside,
                       issues=stack([self.issues, issues]))


def load_scheme(folder):
    """Read a scheme folder: its scheme.yaml and every table that it names.

    Parameters
    ----------
    folder : str or Path
        A folder with scheme.yaml.

    Returns
    -------
    Scheme
        Typed tables in the standard's columns. Values that could not be read are missing and rows without a required value
        are set aside; both are in `issues`. Pass it to `sprx.clean_scheme` before use.

    Raises
    ------
    SchemeError
        With every reason at once: settings, files, columns, direct identifiers. No value of a person is echoed.
    """
    folder = Path(folder)
    settings = read_settings(folder)
    problems, parts, unread = [], [], []
    for name, spec in settings.tables.items():
        try:
            parts.append(_load_table(folder, settings, name, spec))
        except SchemeError as error:
            if name == "provision" and open_referral.is_feed(_inside(folder, spec["file"])):    # somebody else's file: it stops nothing
                unread += [note(name, problem, NOT_READ, file=spec["file"]) for problem in error.problems]
            else:
                problems += [f"Table {name}: {problem}" for problem in error.problems]
    if problems:
        raise SchemeError(problems)
    return Scheme(
        folder, settings, tables={p["name"]: p["rows"] for p in parts if p["total"]},
        issues=stack([*unread, *(p["issues"] for p in parts)]),
        set_aside={p["name"]: p["aside"] for p in parts if len(p["aside"])}, rows_in={p["name"]: p["total"] for p in parts},
        not_selected={p["name"]: p["not_selected"] for p in parts if p["not_selected"]},
        empty=tuple(p["name"] for p in parts if not p["total"]), given={p["name"]: p["given"] for p in parts})


def issue_rows(table, rows, *, column="", problem, found="", expected="", action):
    """Issue rows for some rows of a table. `found` may be a column's values; `rows` needs `row` and, if any, its key."""
    key = next((k for k in [*schema.KEYS.get(table, []), "referral_id", "person_id"] if k in rows), None)
    return pd.DataFrame({
        "table": table, "file": rows["file"] if "file" in rows else "", "row": rows["row"].astype("Int64"),
        "row_id": rows[key].astype("string").fillna("") if key else "", "column": column, "problem": problem,
        "found": found.astype("string").fillna("") if isinstance(found, pd.Series) else found,
        "expected": expected, "action": action})[ISSUE_COLUMNS]


def note(table, problem, action=NOTED, **more):
    """One issue row about a whole table rather than one of its rows."""
    row = dict.fromkeys(ISSUE_COLUMNS, "") | dict(table=table, row=pd.NA, problem=problem, action=action) | more
    return pd.DataFrame([row]).astype({"row": "Int64"})


def stack(issues):
    """Several tables of issue rows as one (pandas warns about joining empty ones)."""
    issues = [part for part in issues if len(part)]
    return pd.concat(issues, ignore_index=True) if issues else pd.DataFrame(columns=ISSUE_COLUMNS)


def _load_table(folder, settings, name, spec):
    """One table from its file: read, refuse identifiers, map, check, type."""
    path = _inside(folder, spec["file"])
    own = _inside(folder, spec["own_table"]) if spec.get("own_table") else None
    text, read_notes = open_referral.read_provision(path, spec, own) if name == "provision" else readers.read_file(path, spec.get("sheet"))
    _refuse_identifiers(name, spec, text)
    notes = [note(name, n, file=spec["file"]) for n in read_notes]
    total, text, not_selected = len(text), *_select(text, spec, name)
    mapped, map_notes = _map_columns(text, spec, name)
    if spec.get("wide"):
        mapped = _melt(mapped, text, spec["wide"])
        total, not_selected = total * len(spec["wide"]), not_selected * len(spec["wide"])
    mapped.insert(0, "row", mapped.index)
    mapped = mapped.reset_index(drop=True)
    notes += [note(name, n, file=spec["file"]) for n in map_notes]
    if not_selected:
        notes.append(note(name, f"{not_selected} of {total} rows do not meet 'where' and were not selected", file=spec["file"]))
    rows, aside, issues = _type(_blank_missing(mapped.copy(), settings, name, spec), name, spec)
    given = [c for c in schema.columns(name).index if c in mapped]
    return dict(name=name, rows=rows, aside=aside, total=total, not_selected=not_selected, given=given,
                issues=stack([*notes, issues]))


def _inside(folder, file):
    """The path of a file that scheme.yaml names, refused if it lies outside the scheme folder."""
    path = (folder / file).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise SchemeError(f"the file {file!r} lies outside the scheme folder. Copy it into the folder.")
    return path


def _refuse_identifiers(name, spec, text):
    if name not in schema.PERSONAL:
        return
    if any(identifiers.identifier_in("", pd.Series([column])) for column in text.columns):
        raise SchemeError(f"{spec['file']}: its first row holds a direct identifier where the names of columns should stand. Export it with a "
                          "header, and without identifiers.")
    found = [(column, what) for column in text.columns
             if (what := identifiers.identifier_in(column, text[column], _is_date(name, spec, column)))]
    if found:
        raise SchemeError([f"{spec['file']}: the column {column!r} holds {what}. Direct identifiers are refused. Take the "
                           "column out of the export, and use a pseudonym as person_id." for column, what in found])


def _is_date(name, spec, column):
    """True for a column that the standard knows as a date, so that old dates in it are not taken for births."""
    target = (spec.get("columns") or {}).get(column, plain_key(column))
    kinds = {plain_key(c): kind for c, kind in schema.columns(name)["kind"].items()}
    return kinds.get(plain_key(target)) in ("date", "month")


def _select(text, spec, name):
    """The rows that meet `where`, and how many do not."""
    keep = pd.Series(True, index=text.index)
    for column, wanted in (spec.get("where") or {}).items():
        _must_exist(column, text, spec, "where")
        wanted = {plain_key(w) for w in (wanted if isinstance(wanted, list) else [wanted])}
        keep &= text[column].map(plain_key, na_action="ignore").isin(wanted)
    return text[keep], int((~keep).sum())


def _must_exist(column, text, spec, where):
    if column not in text.columns:
        raise SchemeError(f"{spec['file']} has no column {column!r}, which scheme.yaml names under '{where}'."
                          f"{nearest(column, text.columns)} Columns there: {', '.join(map(str, text.columns))}.")


def _map_columns(text, spec, name):
    """The export's columns under the standard's names, with what was ignored in words."""
    standard, wide = schema.columns(name).index, list(spec.get("wide") or {})
    also, constant = spec.get("also") or {}, spec.get("constant") or {}
    _check_mapping(text, spec, name)
    names, notes = _names(text.drop(columns=wide), spec, name)
    mapped = text.drop(columns=wide).rename(columns=names)
    mapped = mapped.assign(**{target: text[source] for target, source in also.items()}, **constant)
    extra = [c for c in mapped.columns if c not in standard]
    if name == "people":                # covariates and clusters are carried; three names are ours
        return mapped.rename(columns={c: f"{c}_as_exported" for c in extra if c in ("row", "file", "start")}), notes
    if extra:
        notes.append(f"columns that the standard does not name were ignored: {', '.join(map(repr, extra))}")
    return mapped[[c for c in mapped.columns if c in standard]], notes


def _check_mapping(text, spec, name):
    """Refuse columns that are not there and two columns mapped to one name."""
    problems = []
    for where, found in (("columns", spec.get("columns") or {}), ("also", (spec.get("also") or {}).values()), ("wide", spec.get("wide") or {})):
        for column in found:
            try:
                _must_exist(column, text, spec, where)
            except SchemeError as error:
                problems += error.problems
    targets = _targets(spec)
    problems += [f"scheme.yaml maps {targets.count(t)} columns of {spec['file']} to {t!r}. Keep one."
                 for t in dict.fromkeys(targets) if targets.count(t) > 1]
    standard = schema.columns(name).index
    problems += [f"scheme.yaml gives values to {t!r}, which is no column of {name}.{nearest(t, standard)}"
                 for t in targets if t not in standard and name != "people" and nearest(t, standard)]
    if problems:
        raise SchemeError(problems)


def _targets(spec):
    """The standard columns that scheme.yaml gives values to."""
    return [*(spec.get("columns") or {}).values(), *(spec.get("also") or {}), *(spec.get("constant") or {})]


def _names(text, spec, name):
    """New names of an export's columns: as mapped, else by the standard's own name where the values fit."""
    names, notes, targets = dict(spec.get("columns") or {}), [], _targets(spec)
    by_key = {plain_key(c): c for c in schema.columns(name).index}
    for column in text.columns.difference(list(names), sort=False):
        target = by_key.get(plain_key(column))
        if target and target not in targets and target not in names.values():
            if _speaks_another_code(text[column], schema.columns(name).loc[target]):
                if schema.columns(name).loc[target, "required"] or target in schema.EITHER.get(name, ()):
                    raise SchemeError(f"{spec['file']}: none of the values of {target!r} is one of the standard's. Map them under 'values', "
                                      f"{target}, in scheme.yaml. The standard's: {', '.join(allowed(schema.columns(name).loc[target, 'allowed']))}.")
                names[column] = f"{column}_as_exported"
                notes.append(f"the column {column!r} has the name of a standard column but not its values; it was carried as "
                             f"'{column}_as_exported'. Map it under 'columns' and 'values' if it is the same thing")
            else:
                names[column] = target
        elif column in targets:                    # its name is taken by the column that scheme.yaml maps to it
            names[column] = f"{column}_as_exported"
    return names, notes


def _speaks_another_code(cells, spec):
    """True when an unmapped column holds values that are plainly another scheme of codes than the standard's."""
    found = cells.dropna()
    if spec.kind == "category":
        return len(found) > 0 and not found.map(plain_key).isin(labels(spec.allowed)).any()
    return spec.kind == "boolean" and not found.str.casefold().isin(schema.TRUE | schema.FALSE).all()


def _melt(mapped, text, wide):
    """Score columns side by side to one row per person and score; a score that was not recorded keeps its (empty) row."""
    parts = [mapped.drop(columns=[c for c in [*entry, "value"] if c in mapped]).assign(**{"item": "total", **entry}, value=text[column])
             for column, entry in wide.items()]
    return pd.concat(parts).sort_index(kind="stable")


def _blank_missing(mapped, settings, name, spec):
    """What the scheme, or everyone, writes for 'nothing recorded' becomes missing, except in free text and where `values` maps it."""
    own = {plain_key(v) for v in settings.missing_values}
    kinds = schema.columns(name)["kind"]
    for column in mapped.columns.drop("row"):
        cells = mapped[column]
        if own:
            cells = cells.where(~cells.map(plain_key, na_action="ignore").isin(own), None)
        if kinds.get(column, "text") not in ("id", "text", "suggested", "instrument"):
            known = labels(schema.columns(name).loc[column, "allowed"]) if kinds[column] == "category" else {}
            meant = cells.map(plain_key, na_action="ignore").isin(known) | cells.isin((spec.get("values") or {}).get(column, {}))
            cells = cells.where(~cells.str.casefold().isin(schema.BLANKS) | meant, None)
        mapped[column] = cells
    return mapped


def _type(mapped, name, spec):
    """Typed rows, the rows set aside, and an issue row for every value that could not be used."""
    specs = schema.columns(name)
    _check_columns(mapped, name, spec, specs)
    mapped = _relabel(mapped, spec, name)
    for column in ("arm", "item"):
        default = {"arm": "scheme", "item": "total"}[column]
        if column in specs.index:
            mapped[column] = mapped[column].fillna(default) if column in mapped else default
    here = specs.loc[[c for c in specs.index if c in mapped]]
    typed = pd.DataFrame({c: schema.parse(mapped[c].astype("string"), here.loc[c]) for c in here.index}, index=mapped.index)
    extra = mapped.drop(columns=[c for c in mapped if c in typed or c == "row"])
    typed = pd.concat([mapped["row"].rename("row"), typed, extra], axis=1).assign(file=spec["file"])
    failed = schema.failures(mapped[here.index].astype("string"), typed, here)
    _refuse_month_first(failed, typed, spec, here)
    issues = _resolve(failed, typed, name, here)
    # a population cell of which one side cannot be read ('Persons', 'All') is a total, and would be counted twice
    needed = here["required"] | (here.index.isin(failed["column"]) & (name == "population"))
    unread = pd.Series(False, index=typed.index)
    unread[failed["row"]] = True
    gone = typed[list(here.index[needed])].isna()
    gone = gone.mask(~unread, False) if name == "population" else gone
    column = gone.idxmax(axis=1)[gone.any(axis=1)]
    why = failed.set_index(["row", "column"])["problem"]
    reasons = pd.Series([f"{c}: {why.get((i, c), 'missing')}" for i, c in column.items()], index=column.index, dtype=object)
    return typed.drop(index=reasons.index), typed.loc[reasons.index].assign(reason=reasons), issues


def _refuse_month_first(failed, typed, spec, here):
    """Dates written month first are half unreadable and, worse, half read as other days: refuse the column."""
    for column in here.index[here["kind"].isin(["date", "month"])]:
        unread = failed.loc[failed["column"].eq(column), "found"]
        american = unread.str.fullmatch(r"(0?[1-9]|1[0-2])/(1[3-9]|2\d|3[01])/\d{2,4}.*").sum()
        if american >= 3 and american >= 0.2 * (len(unread) + typed[column].notna().sum()):
            raise SchemeError(f"{spec['file']}: {american} dates in {column!r} have a month above 12, so the column seems to be written month first. "
                              "Export it day first (31/03/2025) or, better, as 2025-03-31.")


def _check_columns(mapped, name, spec, specs):
    missing = [c for c in specs.index[specs["required"]] if c not in mapped]
    one_of = schema.EITHER.get(name, ())
    if missing:
        raise SchemeError([f"{spec['file']} has no column for {c!r} ({specs.loc[c, 'meaning']}).{nearest(c, mapped.columns)} Found: "
                           f"{', '.join(mapped.columns.drop('row'))}. Map the right one under 'columns' in scheme.yaml." for c in missing])
    if one_of and not any(c in mapped for c in one_of):
        raise SchemeError(f"{spec['file']} has none of the columns {', '.join(one_of)}; {name} needs one of them. "
                          f"Found: {', '.join(mapped.columns.drop('row'))}.")


def _relabel(mapped, spec, name):
    """Apply `values`: labels compare as text, without regard to case, spaces and punctuation."""
    for column, wanted in (spec.get("values") or {}).items():
        if column not in mapped:
            raise SchemeError(f"scheme.yaml, tables, {name}, values: there is no column {column!r}.{nearest(column, mapped.columns)} "
                              f"Columns: {', '.join(mapped.columns.drop('row'))}.")
        exact, loose = dict(wanted), {plain_key(k): v for k, v in wanted.items()}
        mapped[column] = mapped[column].map(lambda t: exact.get(t, loose.get(plain_key(t), t) if plain_key(t) else t), na_action="ignore")
    return mapped


def _resolve(failed, typed, name, specs):
    """Repair what can be repaired in `typed` (in place, our own copy) and say so, one issue row per failing value."""
    from sprx.reference import fallback

    if failed.empty:
        return pd.DataFrame(columns=ISSUE_COLUMNS)
    actions = []
    for column, part in failed.groupby("column", sort=False):
        spec = specs.loc[column]
        other = fallback(spec.allowed) if spec.kind == "category" else None
        unread = part["problem"].eq("not understood")
        if other:
            typed.loc[part.loc[unread, "row"], column] = other
        outside = part.loc[part["problem"].eq("out of range"), "row"]
        typed.loc[outside, column] = pd.NA if typed[column].dtype != float else float("nan")
        action = SET_ASIDE if spec.required else SET_MISSING
        actions.append(pd.Series([f"read as '{other}'" if other and u else action for u in unread], index=part.index))
    action = pd.concat(actions).sort_index()
    rows = typed.loc[failed["row"]].reset_index(drop=True)
    frame = issue_rows(name, rows, problem=failed["problem"], found=failed["found"], expected=failed["expected"], action=action)
    return frame.assign(column=failed["column"])
