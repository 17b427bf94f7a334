"""An Open Referral feed as the rows of the provision table, with what is doubtful about it in words."""

import re

import pandas as pd

from sprx import readers
from sprx.errors import SchemeError, nearest
from sprx.open_referral.records import parts, read_records, text
from sprx.open_referral.terms import NOT_MAPPED, OWN_TABLE, map_service, plain_words
from sprx.reference import labels, plain_key

COLUMNS = ["service_id", "name", "organisation", "activity_type", "also_offers", "needs", "area_code", "lat", "lon", "minimum_age", "maximum_age", "cost_gbp",
           "capacity_per_month", "assured_on", "run_by_scheme", "mapped_by"]
GONE = ("inactive", "defunct", "temporarily closed")       # statuses of ORUK v3 whose services take nobody now
GEOGRAPHY = re.compile(r"\b[EWSN]\d{8}\b")
OWN_COLUMNS = ("service_id", "term", "activity_type", "also_offers", "needs", "capacity_per_month", "run_by_scheme")


def is_feed(path):
    """True for a JSON file, a folder, or the services file among CSV tables (with an `id` and no service_id or activity_type)."""
    if path.is_dir() or path.suffix.casefold() == ".json":
        return True
    if path.suffix.casefold() != ".csv" or path.stem.casefold() not in ("service", "services") or not path.is_file():
        return False
    with path.open("rb") as lines:
        head = {plain_key(cell) for cell in re.split(r"[,;\t|]", lines.readline().decode("utf-8", "replace").lstrip("\ufeff").replace('"', ""))}
    return "id" in head and not head & {"serviceid", "activitytype"}


def read_provision(path, spec, own_table=None):
    """The provision table as text, from a feed or a flat sheet.

    Parameters
    ----------
    path : Path
        A feed (`is_feed`) or a file that `readers.read_file` reads.
    spec : dict
        What scheme.yaml says of the table.
    own_table : Path, optional
        The scheme's own table, which has the last word: OWN_COLUMNS, a row per service_id or per term.

    Returns
    -------
    table : DataFrame
        Text; of a feed, one row per service, the index its place in the feed.
    notes : list of str

    Raises
    ------
    SchemeError
        If the file cannot be read at all.
    """
    if is_feed(path):
        table, notes = _from_feed(path)
    else:
        table, notes = readers.read_file(path, spec.get("sheet"))
    if own_table is not None:
        key = next((c for c, target in (spec.get("columns") or {}).items() if target == "service_id"), next((c for c in table.columns if plain_key(c) == "serviceid"), None))
        table, more = _apply_own(table, readers.read_file(own_table)[0], own_table.name, key)
        notes += more
    unknown = int(table["mapped_by"].eq(NOT_MAPPED).sum()) if "terms" in table else 0
    if unknown:
        notes.append(f"{unknown:,} of {len(table):,} services ({unknown / len(table):.0%}) could not be mapped to a kind of activity; they count as 'other'")
    return table.drop(columns="terms", errors="ignore"), notes


def _from_feed(path):
    records, notes = read_records(path)
    rows, statuses, nowhere, doubled = [], {}, 0, 0
    for record in _joined(records):
        status = (text(record["service"].get("status")) or "active").casefold()
        if status in GONE:
            statuses[status] = statuses.get(status, 0) + 1
            continue
        rows.append(_row(record["service"], record["places"]))
        nowhere += rows[-1]["lat"] is None
        doubled += len(record["places"]) > 1
    table = pd.DataFrame(rows, columns=[*COLUMNS, "terms"], dtype=object)
    table.index = range(1, len(table) + 1)
    if table.empty and statuses:
        notes.append("none of the services listed is active")
    notes += [f"left out, because the directory calls them {status}: {count:,} of {len(table) + sum(statuses.values()):,} services" for status, count in statuses.items()]
    notes += _doubts(table, nowhere, doubled)
    table["minimum_age"], table["maximum_age"] = (table[c].mask(table[c].isin(["-1", "-1.0"]), None) for c in ("minimum_age", "maximum_age"))
    return table, notes


def _doubts(table, nowhere, doubled):
    """What a reader should know of a feed before trusting it, with counts."""
    total, nameless = len(table), int(table["name"].isna().sum())
    ages = int((table["minimum_age"].isin(["-1", "-1.0"]) | table["maximum_age"].isin(["-1", "-1.0"])).sum())
    found = [(ages, f"{ages:,} of {total:,} services give an age of -1, which means that it is not known; it was set to missing"),
             (nowhere, f"{nowhere:,} of {total:,} services have no location with a latitude and a longitude"),
             (doubled, f"{doubled:,} of {total:,} services are given at several locations; the first was taken"),
             (nameless, f"{nameless:,} of {total:,} services have no name")]
    return [words for count, words in found if count]


def _joined(records):
    """Services with their locations; one given at several locations is one service, one that is listed twice stays twice."""
    at_locations = {}
    for record in records:
        service = record.get("service")
        if not isinstance(service, dict):
            yield dict(service=record, places=[place for at in parts(record.get("service_at_locations")) for place in parts(at.get("location"))] or parts(record.get("locations")))
            continue
        key = text(service.get("id")) or id(record)
        at_locations.setdefault(key, dict(service=service, places=[]))["places"] += parts(record.get("location"))
    yield from at_locations.values()


def _row(service, places):
    """One service as a row of text."""
    place = next((p for p in places if text(p.get("latitude")) and text(p.get("longitude"))), {})
    terms = [(text(t.get("term_uri")) or text(t.get("code")) or text(t.get("id")) or "", text(t.get("name")) or text(t.get("term")) or "") for t in _terms(service)]
    eligible = next(iter(parts(service.get("eligibilitys")) or parts(service.get("eligibility"))), {})
    about, name = parts(service.get("pc_metadata")), plain_words(text(service.get("name"))) or None
    organisation = next((text(o.get("name")) for o in parts(service.get("organization"))), None)
    day = text(service.get("assured_date")) or next((text(m.get("date_assured")) for m in about), None)
    return dict(service_id=text(service.get("id")), name=name, organisation=plain_words(organisation) or None,
                area_code=_area(service, places), lat=text(place.get("latitude")), lon=text(place.get("longitude")),
                minimum_age=text(service.get("minimum_age", eligible.get("minimum_age"))), maximum_age=text(service.get("maximum_age", eligible.get("maximum_age"))),
                cost_gbp=_cost(service), capacity_per_month=_capacity(service), assured_on=day[:10] if day else None, run_by_scheme=None,
                terms=" | ".join(filter(None, (label for _, label in terms))) or None, **map_service(name, text(service.get("description")), terms))


def _terms(service):
    """Taxonomy terms of v3 (attributes), of v1 (service_taxonomys), and of feeds that list them directly."""
    for key, inner in (("attributes", "taxonomy_term"), ("service_taxonomys", "taxonomy"), ("taxonomy_terms", None), ("taxonomies", None)):
        for one in parts(service.get(key)):
            yield from parts(one.get(inner)) if inner else [one]


def _area(service, places):
    """A code of the standard geography if the service names one, else the first area or town that it names."""
    areas = [text(a.get(key)) for a in parts(service.get("service_areas")) for key in ("uri", "name", "service_area")]
    towns = [text(a.get("city")) for p in places for key in ("addresses", "physical_addresses") for a in parts(p.get(key))]
    codes = [found[0] for a in areas if a and (found := GEOGRAPHY.search(a))]
    return next(iter([*codes, *(a for a in areas if a and "://" not in a), *filter(None, towns)]), None)


def _cost(service):
    """Pounds each time: the lowest amount that the feed gives; 0 where its words say that it is free."""
    amounts = [float(amount) for c in parts(service.get("cost_options")) if re.fullmatch(r"\d{1,6}(\.\d+)?", amount := (text(c.get("amount")) or "").lstrip("£ "))]
    if amounts:
        return f"{min(amounts):g}"
    said = " ".join(filter(None, [text(service.get("fees")), *(text(c.get("option")) for c in parts(service.get("cost_options")))])).casefold()
    return "0" if re.search(r"\b(free|no charge|no cost)\b", said) else None


def _capacity(service):
    """People a month, where the feed gives a capacity in a unit that says month."""
    for capacity in [*parts(service.get("capacities")), *parts(service.get("service_capacity"))]:
        unit = " ".join(filter(None, [text(capacity.get("description")), *(text(u.get("name")) for u in parts(capacity.get("unit")))]))
        if "month" in unit.casefold():
            return text(capacity.get("maximum"))
    return None


# ---- the scheme's own table

def _apply_own(table, own, name, key):
    """The scheme's own table over what was read: rows per term first, rows per service after them."""
    names = {c: next((o for o in OWN_COLUMNS if plain_key(o) == plain_key(c)), c) for c in own.columns}
    own, unknown = own.rename(columns=names), [c for c in own.columns if names[c] not in OWN_COLUMNS]
    if unknown or not {"service_id", "term"} & set(own.columns):
        raise SchemeError(f"{name}: " + (f"unknown column {unknown[0]!r}.{nearest(unknown[0], OWN_COLUMNS)}" if unknown else "it has neither service_id nor term.") + f" Columns: {', '.join(OWN_COLUMNS)}.")
    wrong = [v for v in own.get("activity_type", pd.Series(dtype=object)).dropna() if plain_key(v) not in labels("activity_type")]
    if wrong:
        raise SchemeError(f"{name}: {wrong[0]!r} is no kind of activity.{nearest(wrong[0], labels('activity_type').values())} Kinds: {', '.join(sorted(set(labels('activity_type').values())))}.")
    table, used = table.copy(), 0
    for row in sorted(own.to_dict("records"), key=lambda r: r.get("service_id") is not None):
        hit = table[key].eq(row["service_id"]) if row.get("service_id") and key in table else _has_term(table, row.get("term"))
        used += bool(hit.any())
        for column in OWN_COLUMNS[2:]:
            if row.get(column) is not None:
                value = labels("activity_type").get(plain_key(row[column]), row[column]) if column == "activity_type" else row[column]
                table[column] = (table[column] if column in table else pd.Series(None, index=table.index, dtype=object)).mask(hit, value)
        if row.get("activity_type") and "mapped_by" in table:
            table["mapped_by"] = table["mapped_by"].mask(hit, OWN_TABLE)
    return table, [f"{name}: {used} of {len(own)} rows of the scheme's own table met a service"]


def _has_term(table, term):
    if term is None or "terms" not in table:
        return pd.Series(False, index=table.index)
    wanted = plain_key(term)
    return table["terms"].map(lambda t: wanted in map(plain_key, t.split(" | ")), na_action="ignore").eq(True)
