"""scheme.yaml: what a scheme says about itself and about how its exports fit the standard."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import yaml

from sprx import schema
from sprx.errors import DataError, SchemeError, nearest
from sprx.prices import price_year
from sprx.reference import labels, plain_key

FILE = "scheme.yaml"
LARGEST = 1_000_000_000
SCHEME_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,59}")
DESIGNS = ("none", "historical", "matched", "concurrent", "randomised", "cluster_randomised")
DISCLOSURE_RULES = ("nhse_1_7_round5", "suppress_lt5", "suppress_lt10", "none")

KEYS = {
    "scheme": ("scheme_id", "name", "area", "period", "extract_date", "follow_up_days", "follow_up_months", "primary_outcome",
               "covariates", "instruments", "disclosure", "comparison", "economics", "seed", "tables",
               "synthetic", "missing_values", "episode_days", "rebase", "subgroups", "suitable_groups", "plan", "norms"),
    "period": ("start", "end"),
    "comparison": ("design", "cluster", "threshold", "threshold_ratio", "started_on"),
    "economics": ("perspective", "price_year", "thresholds", "horizon_months", "value_set", "discount_rate", "set_up_years", "unit_costs"),
    "table": ("file", "sheet", "columns", "values", "also", "where", "constant", "wide", "own_table"),
    "wide": ("instrument", "item", "occasion", "months"),
    "instrument": ("name", "minimum", "maximum", "higher_is_better", "domain", "mid", "mid_source",
                   "items", "item_minimum", "item_maximum", "reverse_items", "item_offset"),
    "plan": ("contacts", "days", "minutes", "caseload"),
    "norms": ("mean", "sd", "reliability", "cutoff", "source"),
}
# what the definition of each suitable group can be changed in (two numbers: lowest and highest), and who could have come
GROUP_NUMBERS = {
    "depression_anxiety": {"phq9": (5, 14), "gad7": (5, 14)}, "low_income_single_parent": {"imd_decile_at_most": 2},
    "bereaved_older": {"age_at_least": 65, "months": 24}, "long_term_condition": {"conditions_at_least": 1},
    "frequent_attender": {"gp_appointments_12m": 12, "ae_attendances_12m": 5}}
VALUE_SETS = ("uk_3l", "uk_5l_2026", "map_5l_to_3l_dsu", "crosswalk_5l_to_3l_vanhout")
ELIGIBLE = ("eligible", "eligible_share", "eligible_source")


class _PlainLoader(yaml.BaseLoader):
    """YAML with every value kept as text (so that No stays 'No' and 01 stays '01') and no key twice."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = next((k for k in keys if keys.count(k) > 1), None)
        if twice is not None:
            raise SchemeError(f"{FILE}: the key {twice!r} stands twice in one place, near line {node.start_mark.line + 1}. "
                              "Keep one of them.")
        return super().construct_mapping(node, deep=deep)


@dataclass(frozen=True)
class Settings:
    """scheme.yaml, checked and typed. Mappings of `tables` stay as written."""

    scheme_id: str
    name: str
    area: str = ""
    period: tuple = (None, None)
    extract_date: pd.Timestamp | None = None
    follow_up_months: float | None = None
    primary_outcome: str | None = None
    covariates: tuple = ()
    instruments: dict = field(default_factory=dict)
    disclosure: str = DISCLOSURE_RULES[0]
    comparison: dict = field(default_factory=dict)
    economics: dict = field(default_factory=dict)
    seed: int = 1
    tables: dict = field(default_factory=dict)
    synthetic: bool = False
    missing_values: tuple = ()
    episode_days: int = 90
    rebase: tuple = ()                      # (Timestamp, what changed): where control charts begin anew
    subgroups: tuple = ()                   # columns of people named before the analysis
    suitable_groups: dict = field(default_factory=dict)
    plan: dict = field(default_factory=dict)
    norms: dict = field(default_factory=dict)

    def group_definition(self, group):
        """The numbers that define one suitable group (and eligible, eligible_share, eligible_source where given)."""
        return GROUP_NUMBERS[group] | self.suitable_groups.get(group, {})


def read_settings(folder):
    """Read and check scheme.yaml in `folder`.

    Returns
    -------
    Settings

    Raises
    ------
    SchemeError
        If the folder or the file is not there or does not parse, or with every mistake found in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise SchemeError(f"No such folder: {folder}. Give the folder that holds {FILE}.")
    path = folder / FILE
    if not path.is_file():
        there = sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))[:10]
        raise SchemeError(f"No {FILE} in {folder}. Found: {there or 'nothing'}. Make one with: sprx init {folder}")
    try:
        raw = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=_PlainLoader)
    except UnicodeDecodeError as error:
        raise SchemeError(f"{FILE} is not UTF-8 text (byte {error.start + 1}). Save it again as UTF-8.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise SchemeError(f"{FILE} does not parse{where}: {getattr(error, 'problem', error)}. "
                          "Check the indentation and put text that holds ':' or '#' in quotes.") from None
    if not isinstance(raw, dict):
        raise SchemeError(f"{FILE} does not hold 'key: value' lines. Start from: sprx init DIR")
    return _Checker().settings(raw)


class _Checker:
    """Turns the raw mapping into Settings, collecting every mistake before it complains."""

    def __init__(self):
        self.problems = []

    def settings(self, raw):
        self.known(raw, KEYS["scheme"], FILE)
        values = dict(
            scheme_id=self.scheme_id(raw.get("scheme_id")),
            name=self.text(raw, "name") or self.text(raw, "scheme_id"), area=self.text(raw, "area"), period=self.period(raw),
            extract_date=self.date(raw, "extract_date"), follow_up_months=self.follow_up(raw),
            primary_outcome=self.text(raw, "primary_outcome") or None, covariates=tuple(self.listed(raw, "covariates")),
            instruments={key: self.instrument(key, spec) for key, spec in self.mapping(raw, "instruments").items()},
            disclosure=self.one_of(raw, "disclosure", DISCLOSURE_RULES), comparison=self.comparison(raw),
            economics=self.economics(raw), seed=self.number(raw, "seed", 1, whole=True),
            tables=self.tables(raw), synthetic=self.yes_no(raw, "synthetic"),
            missing_values=tuple(self.listed(raw, "missing_values")), episode_days=self.days(raw, "episode_days", 90),
            rebase=self.rebase(raw), subgroups=tuple(self.listed(raw, "subgroups")), suitable_groups=self.suitable_groups(raw),
            plan=self.numbers(raw, "plan", KEYS["plan"]), norms=self.norms(raw))
        if self.problems:
            raise SchemeError(self.problems)
        return Settings(**values)

    # -- small readers: each notes what is wrong and returns something harmless

    def wrong(self, message):
        self.problems.append(message)

    def known(self, found, keys, where):
        for key in found:
            if key not in keys:
                self.wrong(f"{where}: unknown key {key!r}.{nearest(key, keys)} Known keys: {', '.join(keys)}.")

    def mapping(self, raw, key, where=FILE):
        value = raw.get(key) or {}
        if not isinstance(value, dict):
            self.wrong(f"{where}: {key!r} should hold 'name: value' pairs; found {value!r}.")
            return {}
        return value

    def text(self, raw, key):
        value = raw.get(key, "")
        if isinstance(value, (dict, list)):
            self.wrong(f"{FILE}: {key!r} should be plain text; found {value!r}.")
            return ""
        return value.strip()

    def plain(self, raw, key, where):
        if not isinstance(raw.get(key, ""), str):
            self.wrong(f"{where}: {key!r} should be plain text; found {raw[key]!r}.")

    def listed(self, raw, key):
        value = raw.get(key) or []
        return [value] if isinstance(value, str) else [str(v) for v in value]

    def one_of(self, raw, key, choices, where=FILE):
        value = raw.get(key) or choices[0]
        if value not in choices:
            self.wrong(f"{where}: {key} is {value!r}.{nearest(value, choices)} Choose one of: {', '.join(choices)}.")
        return value

    def number(self, raw, key, default=None, whole=False, where=FILE):
        if raw.get(key) in (None, ""):
            return default
        try:
            value = int(raw[key]) if whole else float(raw[key])
            if not abs(value) < LARGEST:
                raise ValueError
            return value
        except (TypeError, ValueError):
            self.wrong(f"{where}: {key} is {raw[key]!r}; expected a {'whole ' if whole else ''}number.")
            return default

    def days(self, raw, key, default):
        value = self.number(raw, key, default, whole=True)
        if not 0 <= value <= 3650:
            self.wrong(f"{FILE}: {key} is {raw[key]!r}; expected days from 0 to 3650.")
            return default
        return value

    def yes_no(self, raw, key, default=False, where=FILE):
        value = str(raw.get(key, default)).casefold()
        if value not in schema.TRUE | schema.FALSE:
            self.wrong(f"{where}: {key} is {raw[key]!r}; expected true or false.")
        return value in schema.TRUE

    def date(self, raw, key, where=FILE):
        if not raw.get(key):
            return None
        found = schema.read_date(pd.Series([str(raw[key])]))[0]
        if pd.isna(found):
            self.wrong(f"{where}: {key} is {raw[key]!r}; expected {schema.EXPECTED['date']}.")
            return None
        return found

    # -- the keys that need more than one look

    def scheme_id(self, value):
        if not isinstance(value, str) or not SCHEME_ID.fullmatch(value):
            self.wrong(f"{FILE}: scheme_id is {value!r}. Use letters, digits and hyphens only, at most 60: it names a folder.")
            return ""
        return value

    def period(self, raw):
        spec = self.mapping(raw, "period")
        self.known(spec, KEYS["period"], f"{FILE}, period")
        start, end = (self.date(spec, key, f"{FILE}, period") for key in KEYS["period"])
        if start is not None and end is not None and end < start:
            self.wrong(f"{FILE}, period: it ends ({end:%Y-%m-%d}) before it starts ({start:%Y-%m-%d}).")
        return start, end

    def follow_up(self, raw):
        days, months = self.number(raw, "follow_up_days"), self.number(raw, "follow_up_months")
        if days is not None and months is not None:
            self.wrong(f"{FILE}: give follow_up_days or follow_up_months, not both.")
        target = months if months is not None else days / 30.4375 if days is not None else None
        if target is not None and target <= 0:
            self.wrong(f"{FILE}: the follow-up time must be more than 0; found {days if months is None else months:g}.")
        return target

    def comparison(self, raw):
        spec = raw.get("comparison")
        if isinstance(spec, str):
            spec = {"design": spec} if spec else {}
        spec = self.mapping({"comparison": spec}, "comparison")
        self.misspelt(spec, KEYS["comparison"], f"{FILE}, comparison")
        where = f"{FILE}, comparison"
        self.one_of(spec, "design", DESIGNS, where)
        spec = dict(spec) | {key: self.number(spec, key, where=where) for key in ("threshold", "threshold_ratio") if key in spec}
        if not (spec.get("threshold") or 1) > 0:
            self.wrong(f"{where}: threshold is {spec['threshold']:g}; expected the smallest effect that matters, in points above 0.")
        if not 0 < (spec.get("threshold_ratio") or 0.5) < 1:
            self.wrong(f"{where}: threshold_ratio is {spec['threshold_ratio']:g}; expected a ratio between 0 and 1, for example 0.9 for one use in ten less.")
        return spec | ({"started_on": self.date(spec, "started_on", where)} if "started_on" in spec else {})

    def economics(self, raw):
        """Money: numbers checked, the price year in the deflator, own unit costs in prices of that year."""
        where, spec = f"{FILE}, economics", dict(self.mapping(raw, "economics"))
        self.misspelt(spec, KEYS["economics"], where)
        if "value_set" in spec:
            spec["value_set"] = self.one_of(spec, "value_set", VALUE_SETS, where)
        if "price_year" in spec:
            try:
                spec["price_year"] = price_year(spec["price_year"])
            except DataError as problem:
                self.wrong(f"{where}: {problem}")
        if "thresholds" in spec:
            given = [self.number({"thresholds": one}, "thresholds", where=where) for one in self.listed(spec, "thresholds")]
            spec["thresholds"] = tuple(sorted({float(round(one)) for one in given if one is not None}))
            if not spec["thresholds"] or spec["thresholds"][0] <= 0:
                self.wrong(f"{where}: thresholds are {self.listed(raw['economics'], 'thresholds')}; expected pounds per quality-adjusted life year, above 0.")
        for key, most in (("horizon_months", 1200), ("set_up_years", 100), ("discount_rate", 0.5)):
            if key in spec:
                spec[key] = self.number(spec, key, where=where)
                if spec[key] is not None and not (0 < spec[key] <= most or key == "discount_rate" and spec[key] == 0):
                    self.wrong(f"{where}: {key} is {spec[key]:g}; expected a number above 0, at most {most:g}" + (" (0.035 is 3.5% a year)." if key == "discount_rate" else "."))
        if "unit_costs" in spec:
            own = self.mapping(spec, "unit_costs", where)
            known = labels("service")
            spec["unit_costs"] = {known.get(plain_key(key), key): self.number(own, key, where=f"{where}, unit_costs") for key in own}
            if any(value is not None and value < 0 for value in spec["unit_costs"].values()):
                self.wrong(f"{where}: unit_costs are pounds a contact, not below 0.")
        return {key: value for key, value in spec.items() if value is not None}

    def misspelt(self, found, keys, where):
        """These two blocks are open for later chapters: only what is nearly a known key is an error."""
        for key in found:
            if key not in keys and nearest(key, keys):
                self.wrong(f"{where}: unknown key {key!r}.{nearest(key, keys)}")

    def instrument(self, key, spec):
        where = f"{FILE}, instruments, {key}"
        if not isinstance(spec, dict):
            self.wrong(f"{where}: expected name, minimum, maximum and higher_is_better; found {spec!r}.")
            return {}
        self.known(spec, KEYS["instrument"], where)
        low, high = self.number(spec, "minimum", where=where), self.number(spec, "maximum", where=where)
        if low is None or high is None or high <= low:
            self.wrong(f"{where}: give minimum and maximum, the smaller first; found {spec.get('minimum')!r} and {spec.get('maximum')!r}.")
        if "higher_is_better" not in spec:
            self.wrong(f"{where}: say higher_is_better: true or false, or a change cannot be called better or worse.")
        return dict(
            name=spec.get("name", key), total_min=low, total_max=high, domain=spec.get("domain", ""),
            higher_is_better="yes" if self.yes_no(spec, "higher_is_better", where=where) else "no",
            mid_value=self.number(spec, "mid", where=where), mid_value_source=spec.get("mid_source", "scheme.yaml"),
            mid_verification="given by the scheme", rule="sum" if spec.get("items") else "single",
            n_items=self.number(spec, "items", 1, whole=True, where=where), scale=1.0, max_missing=0,
            item_min=self.number(spec, "item_minimum", low, where=where), item_max=self.number(spec, "item_maximum", high, where=where),
            reverse_items=" ".join(self.listed(spec, "reverse_items")), item_offset=self.number(spec, "item_offset", 0.0, where=where))

    def rebase(self, raw):
        """Dates at which the process is known to have changed: a list, or 'date: what changed' pairs."""
        spec = raw.get("rebase") or {}
        spec = spec if isinstance(spec, dict) else dict.fromkeys(self.listed(raw, "rebase"), "")
        found = {self.date({"rebase": day}, "rebase"): str(reason).strip() for day, reason in spec.items()}
        return tuple(sorted((day, reason) for day, reason in found.items() if day is not None))

    def numbers(self, raw, key, known, where=FILE):
        """A block of numbers above 0; text is kept under keys that end in 'source'."""
        spec = self.mapping(raw, key, where)
        self.known(spec, known, f"{where}, {key}")
        found = {k: spec[k] if k.endswith("source") else self.number(spec, k, where=f"{where}, {key}") for k in spec if k in known}
        for k, value in found.items():
            if isinstance(value, float) and not (value > 0 or k in ("mean", "cutoff")):
                self.wrong(f"{where}, {key}: {k} is {spec[k]!r}; expected a number above 0.")
        return {k: value for k, value in found.items() if value is not None}

    def norms(self, raw):
        spec = self.mapping(raw, "norms")
        found = {name: self.numbers(spec, name, KEYS["norms"], f"{FILE}, norms") for name in spec}
        for name, norm in found.items():
            if not 0 < norm.get("reliability", 0.5) < 1:
                self.wrong(f"{FILE}, norms, {name}: reliability is {spec[name]['reliability']!r}; expected a number between 0 and 1.")
        return found

    def suitable_groups(self, raw):
        spec = self.mapping(raw, "suitable_groups")
        self.known(spec, GROUP_NUMBERS, f"{FILE}, suitable_groups")
        return {group: self.suitable_group(spec, group) for group in spec if group in GROUP_NUMBERS}

    def suitable_group(self, spec, group):
        where, defaults = f"{FILE}, suitable_groups, {group}", GROUP_NUMBERS[group]
        given = self.mapping(spec, group, f"{FILE}, suitable_groups")
        pairs = {key for key, value in defaults.items() if isinstance(value, tuple)} & set(given)
        single = {group: {key: value for key, value in given.items() if key not in pairs}}
        found = self.numbers(single, group, (*defaults, *ELIGIBLE), f"{FILE}, suitable_groups")
        for key in pairs:
            ends = [self.number({key: v}, key, where=where) for v in given[key]] if isinstance(given[key], list) else []
            if len(ends) != 2 or None in ends or ends[1] < ends[0]:
                self.wrong(f"{where}: {key} is {given[key]!r}; expected [lowest, highest].")
            found[key] = tuple(ends)
        if not found.get("eligible_share", 1) <= 1:
            self.wrong(f"{where}: eligible_share is {given['eligible_share']!r}; expected a share between 0 and 1.")
        return found

    def tables(self, raw):
        tables = self.mapping(raw, "tables")
        for name, spec in tables.items():
            where = f"{FILE}, tables, {name}"
            if name not in schema.table_names():
                self.wrong(f"{FILE}: there is no table called {name!r}.{nearest(name, schema.table_names())} "
                           f"Tables: {', '.join(schema.table_names())}.")
            elif not isinstance(spec, dict) or not isinstance(spec.get("file"), str):
                self.wrong(f"{where}: needs 'file:', the name of a file in this folder; found {spec!r}.")
            else:
                self.known(spec, KEYS["table"], where)
                for key in ("sheet", "own_table"):
                    self.plain(spec, key, where)
                if "own_table" in spec and name != "provision":
                    self.wrong(f"{where}: own_table belongs to provision only. Take the line out.")
                for key in ("columns", "also", "constant", "where"):
                    for column, value in self.mapping(spec, key, where).items():
                        several = value if key == "where" and isinstance(value, list) else [value]
                        if not all(isinstance(v, str) for v in several):
                            self.wrong(f"{where}, {key}, {column}: expected text; found {value!r}.")
                for column, values in self.mapping(spec, "values", where).items():
                    if not isinstance(values, dict):
                        self.wrong(f"{where}, values, {column}: expected 'export label: standard value' pairs; found {values!r}.")
                    else:
                        for label in values:
                            self.plain(values, label, f"{where}, values, {column}")
                self.wide(spec, where)
        if "people" not in tables:
            self.wrong(f"{FILE} names no people table. It is the one table every scheme needs. Found: {list(tables) or 'no tables'}.")
        return tables

    def wide(self, spec, where):
        for column, entry in self.mapping(spec, "wide", where).items():
            if not isinstance(entry, dict) or "instrument" not in entry:
                self.wrong(f"{where}, wide, {column}: needs at least 'instrument'; found {entry!r}.")
            else:
                self.known(entry, KEYS["wide"], f"{where}, wide, {column}")
                for key in entry:
                    self.plain(entry, key, f"{where}, wide, {column}")
