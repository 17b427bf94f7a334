"""What files of an Open Referral feed hold: JSON pages, single services, services at locations, or CSV tables, as one list of records.

Nothing here trusts the shape of a record: a field of the wrong kind counts as not given.
"""

import json

from sprx import readers
from sprx.errors import SchemeError

PAGES = ("contents", "content", "services", "service_at_locations")
WHAT_TO_DO = "Save the answer of the feed's /services address again (all pages), or leave the provision table out of scheme.yaml; the other chapters do not need it."
SINGLE = {"services": "service", "service": "service", "service_at_locations": "service_at_location", "service_at_location": "service_at_location", "locations": "location",
          "location": "location", "organizations": "organization", "organization": "organization", "attributes": "attribute", "attribute": "attribute", "addresses": "address",
          "address": "address", "cost_options": "cost_option", "cost_option": "cost_option", "service_areas": "service_area", "service_area": "service_area",
          "taxonomy_terms": "taxonomy_term", "taxonomy_term": "taxonomy_term", "schedules": "schedule", "schedule": "schedule"}


def text(value):
    """A field as text without outer spaces; None for nothing and for what is no plain value."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    return str(value).strip() or None


def parts(value):
    """The records in a field that should hold a list of them (or one)."""
    return [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, dict)]


def read_records(path):
    """Every service (or service at a location) in the files of a feed.

    Parameters
    ----------
    path : Path
        A JSON file, a folder of JSON pages, a folder of CSV tables, or the services file of such a folder.

    Returns
    -------
    records : list of dict
    notes : list of str
        What is missing or had to be assumed.

    Raises
    ------
    SchemeError
        If nothing there is a feed; the message says what was found and what to do.
    """
    if path.is_dir():
        pages = sorted(p for p in path.iterdir() if p.suffix.casefold() == ".json")
        tables = sorted(p for p in path.iterdir() if p.suffix.casefold() == ".csv" and p.stem.casefold() in SINGLE)
        if not pages and not any(SINGLE[p.stem.casefold()] == "service" for p in tables):
            raise SchemeError(f"The folder {path.name!r} holds neither JSON pages nor a services.csv. Found: {sorted(p.name for p in path.iterdir())[:8] or 'nothing'}. {WHAT_TO_DO}")
        return _from_pages(pages) if pages else _from_tables(tables)
    if path.suffix.casefold() == ".csv":
        return _from_tables(sorted(p for p in path.parent.iterdir() if p.suffix.casefold() == ".csv" and p.stem.casefold() in SINGLE))
    if not path.is_file():
        raise SchemeError(f"{path.name} is not in the scheme folder. {WHAT_TO_DO}")
    return _from_pages([path])


# ---- JSON

def _from_pages(paths):
    found, seen, promised = [], [], {}
    for path in paths:
        for page in _pages(_json(path), path.name):
            found += page["records"]
            seen.append(page["number"])
            promised = {key: max(promised.get(key, 0), page[key]) for key in ("pages", "items")}
    names = paths[0].name if len(paths) == 1 else f"{len(paths)} files"
    if not found and not any(promised.values()):
        raise SchemeError(f"{names}: there is no service in it. {WHAT_TO_DO}")
    return found, _missing_pages(len(found), seen, promised)


def _missing_pages(count, seen, promised):
    """A note when the feed says that it has more pages or services than were saved."""
    pages, items = promised.get("pages", 0), promised.get("items", 0)
    numbered = len({n for n in seen if n is not None}) or len(seen)
    if pages > numbered:
        return [f"pages are missing: the feed says that it has {pages:,} pages" + (f" with {items:,} services" if items else "")
                + f"; {numbered:,} {'is' if numbered == 1 else 'are'} here, with {count:,} services. What is not listed here may exist"]
    return [f"services are missing: the feed says that it has {items:,}; {count:,} are here. What is not listed here may exist"] if items > count else []


def _json(path):
    raw = path.read_bytes()
    if raw.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        raise SchemeError(f"{path.name} is a web page or XML and no JSON: it begins with {raw.strip()[:40].decode('utf-8', 'replace')!r}. The feed probably answered with an error page. {WHAT_TO_DO}")
    if not raw.strip():
        raise SchemeError(f"{path.name} is empty. {WHAT_TO_DO}")
    try:
        return json.loads(raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"))
    except UnicodeDecodeError as error:
        raise SchemeError(f"{path.name} is not UTF-8 text (byte {error.start + 1:,}). {WHAT_TO_DO}") from None
    except json.JSONDecodeError as error:
        raise SchemeError(f"{path.name} is not JSON (line {error.lineno}, column {error.colno}: {error.msg}). It may have been cut off. {WHAT_TO_DO}") from None
    except RecursionError:
        raise SchemeError(f"{path.name} is nested too deeply to be a feed. {WHAT_TO_DO}") from None


def _pages(content, name):
    """The pages in one JSON file: records, page number, pages and services promised."""
    if isinstance(content, list):
        lists = [page for page in content if isinstance(page, dict) and _listed(page) is not None]
        if lists:
            return [page for one in lists for page in _pages(one, name)]
        return [dict(records=_services(content, name), number=None, pages=0, items=0)]
    if not isinstance(content, dict):
        raise SchemeError(f"{name} holds {type(content).__name__} where a list of services should stand. {WHAT_TO_DO}")
    rows = _listed(content)
    if rows is not None:
        return [dict(records=_services(rows, name), number=_whole(content, "page_number", "number"), pages=_whole(content, "total_pages", "totalPages") or 0,
                     items=_whole(content, "total_items", "totalElements") or 0)]
    if "id" in content or "service" in content:
        return [dict(records=_services([content], name), number=None, pages=0, items=0)]
    said = next((str(content[key]) for key in ("error", "message", "detail", "title") if content.get(key)), None)
    raise SchemeError(f"{name} holds no services: {f'the feed answered {said[:120]!r}' if said else f'found {sorted(map(str, content))[:8]}'}. {WHAT_TO_DO}")


def _listed(page):
    """The list of a page under whichever name its version uses; None for what is no page."""
    return next((page[key] for key in PAGES if isinstance(page.get(key), list) and not ("id" in page and "name" in page)), None)


def _whole(content, *keys):
    value = next((content[key] for key in keys if content.get(key) is not None), None)
    return int(value) if str(value).isdigit() else None


def _services(rows, name):
    """The records that can be services; a list of taxonomy terms is refused."""
    rows = parts(rows)
    if rows and all("service" not in r and ("taxonomy" in r or "vocabulary" in r) and "status" not in r for r in rows):
        raise SchemeError(f"{name} is a list of taxonomy terms, not of services. {WHAT_TO_DO}")
    return rows


# ---- CSV tables

def _from_tables(paths):
    """Nested records, as JSON has them, from one CSV file per table joined by their ids."""
    tables, notes = {}, []
    for path in paths:
        table, more = readers.read_file(path)
        tables[SINGLE[path.stem.casefold()]] = table.where(table.notna(), None).to_dict("records")
        notes += more
    terms, organisations, areas = (_by(tables.get(name, []), "id") for name in ("taxonomy_term", "organization", "location"))
    attributes = [a | dict(taxonomy_term=(terms.get(a.get("taxonomy_term_id")) or [{}])[0], service_id=a.get("service_id") or a.get("link_id")) for a in tables.get("attribute", [])]
    places = [p | dict(location=(areas.get(p.get("location_id")) or [{}])[0]) for p in tables.get("service_at_location", [])]
    beside = {key: _by(rows, "service_id") for key, rows in (("attributes", attributes), ("service_at_locations", places), ("cost_options", tables.get("cost_option", [])),
                                                              ("service_areas", tables.get("service_area", [])))}
    return [s | {key: rows.get(s.get("id"), []) for key, rows in beside.items()} | dict(organization=(organisations.get(s.get("organization_id")) or [{}])[0])
            for s in tables["service"]], notes


def _by(rows, key):
    found = {}
    for row in rows:
        found.setdefault(row.get(key), []).append(row)
    return found
