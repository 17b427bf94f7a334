"""Use of services: one row per person, service and month around the person's start, and which of these months anybody watched."""

import numpy as np
import pandas as pd

from sprx.cohort.referrals import referred_people
from sprx.reference import BY_LOT, allowed

COLUMNS = ["person_id", "arm", "service", "month", "count", "exposure", "cluster", "calendar"]
VISIT_GAP, ROWS_PER_VISIT = 2, 3        # months that lie further apart than this, with that many rows in each, are visits
NO_TABLE = "the data hold no service use"
NOT_HELD = "the data hold no use of this service by anybody compared"
NOT_OBSERVED = "every month of this service is marked as not observed"
NO_START = "the months cannot be placed around a start: nobody with use of this service has a referral date or an index date"
CONSTANT = "the count is the same in every month of everybody, so it tells of no use"


def contaminated(scheme):
    """The comparison people who have a referral too: they belong to neither arm.

    Returns
    -------
    set of person_id
    """
    people = scheme.tables["people"]
    others = people.loc[people["arm"].eq("comparison"), "person_id"]
    return set(others[others.isin(scheme.tables["referrals"]["person_id"])]) if "referrals" in scheme.tables else set()


def services_used(scheme):
    """The services in the service_use table, in the order of the data standard's list, then others by name."""
    rows = scheme.tables.get("service_use")
    known = list(allowed("service"))
    found = [] if rows is None else sorted(rows["service"].dropna().unique())
    return sorted(found, key=lambda s: (known.index(s) if s in known else len(known), s))


def zeros_are_held(scheme):
    """Whether the extract has rows for months without use (any observed row with count 0).

    Where it has, a month without a row was not watched; where it has none, a month without a row is a month without use.
    """
    rows = scheme.tables.get("service_use")
    return rows is not None and bool((rows["count"].eq(0) & _marked(rows)).any())


def use_problem(scheme, service):
    """Why the use of a service cannot be analysed as counts per month: a plain sentence, or '' where it can."""
    if "service_use" not in scheme.tables:
        return NO_TABLE
    people = _compared(scheme)
    rows = _placed(scheme, people)
    part = rows[rows["service"].eq(service)]
    if part.empty:
        return NOT_HELD
    if not part["marked"].any():
        return NOT_OBSERVED
    if part["at"].isna().all():
        return NO_START
    visits = _visits(part)
    if visits:
        return f"the counts come at visits ({visits}), not month by month, so there is no rate before and after"
    grid = _grid(people, rows, scheme, 12, 12)
    return CONSTANT if service in _constant(grid) else ""


def service_months(scheme, before=12, after=12):
    """The use of each service in each month around each person's start.

    Parameters
    ----------
    scheme : Scheme (cleaned)
    before, after : int
        How many months on either side of the month of the start.

    Returns
    -------
    DataFrame, one row per person, service and observed month
        person_id; arm; service; month (0 = the month of the start, which belongs to neither side); count; exposure (1 person-month);
        cluster (by scheme.yaml, else the person); calendar (first day of the month, missing where the data give months since the start).
        A person without any observed month of a service has one row with month 0 and exposure 0, so that nobody is lost from the counts.
        Services that `use_problem` has something to say about have no rows.

    Notes
    -----
    People: those referred in the period, and the comparison arm without `contaminated`. Where `zeros_are_held`, a month is observed when the
    person has a row of any service in it, and lies between the first and the last month of a service that has zeros itself. Where no zeros
    are held, every month between the extract's first and last is observed for everybody (with months since the start: between the person's
    first and last row). A month marked observed = no for any service, and the month of the extract date unless that is its last day, are not.
    """
    if "service_use" not in scheme.tables:
        return pd.DataFrame(columns=COLUMNS).astype(dict(count=float, exposure=float, month=int))
    people = _compared(scheme)
    rows = _placed(scheme, people)
    grid = _grid(people, rows, scheme, before, after)
    bad = _constant(grid)
    return _as_table(people, grid, [s not in bad for s in grid["services"]], before)


def _marked(rows):
    """False where the extract says that the month was not observed."""
    return ~rows["observed"].eq(False).fillna(False).astype(bool) if "observed" in rows else pd.Series(True, index=rows.index)


def _compared(scheme):
    """Who is compared: person_id, arm, start_month (months since 1970, missing = not known), cluster."""
    people = scheme.tables["people"]
    own = people["arm"].eq("scheme")
    if scheme.settings.comparison.get("design") not in BY_LOT:                 # drawn by lot: everybody drawn, referred or not
        own &= people["person_id"].isin(referred_people(scheme)["person_id"])
    people = people[own | (people["arm"].eq("comparison") & ~people["person_id"].isin(contaminated(scheme)))]
    start = people["start"] if "start" in people else pd.Series(pd.NaT, index=people.index)
    column = scheme.settings.comparison.get("cluster")
    ids = people["person_id"].astype(object)
    cluster = people[column].astype(object).where(people[column].notna(), ids) if column in people else ids
    return pd.DataFrame(dict(person_id=ids, arm=people["arm"].astype(object), start_month=_month_number(start), cluster=cluster)).reset_index(drop=True)


def _month_number(dates):
    """Months since January 1970, as float; missing stays missing."""
    dates = pd.to_datetime(dates)
    return (dates.dt.year - 1970) * 12.0 + dates.dt.month - 1


def _placed(scheme, people):
    """The rows about people who are compared: person (position), service, at (months from the start), on (calendar month, or missing), count, marked."""
    rows = scheme.tables["service_use"]
    person = pd.Index(people["person_id"]).get_indexer(rows["person_id"].astype(object))
    on = _month_number(rows["month"]) if "month" in rows else pd.Series(np.nan, index=rows.index)
    at = on - people["start_month"].to_numpy()[person]
    if "months" in rows:                    # a whole month each: 1.5 lies in month 1, -0.5 in month -1
        at = at.fillna(np.floor(rows["months"].astype(float) + 1e-6))
    out = pd.DataFrame(dict(person=person, service=rows["service"].astype(object), at=at, on=on, count=rows["count"].astype(float), marked=_marked(rows)))
    return out[person >= 0]


def _visits(rows):
    """'months 0, 6, 12' where the rows of a service come at a few times that lie apart, else ''."""
    dated = rows["on"].notna().any()
    months = np.sort((rows["on"] if dated else rows["at"]).dropna().unique())
    if len(months) < 2 or months[-1] - months[0] < VISIT_GAP * (len(months) - 1) or len(rows) < ROWS_PER_VISIT * len(months):
        return ""
    return f"{len(months)} calendar months that lie apart" if dated else f"months {', '.join(f'{m:g}' for m in months)}"


def _grid(people, rows, scheme, before, after):
    """Counts and observed flags as arrays of people x services x months, for the services whose rows are months and not visits."""
    services = [s for s in services_used(scheme) if len(part := rows[rows["service"].eq(s)]) and not _visits(part)]
    width = before + after + 1
    used = rows[rows["service"].isin(services) & rows["at"].notna()]
    unmarked = _table_of(used[~used["marked"]], len(people), before, width)
    used = used[used["marked"]]
    held, dated = bool(used["count"].eq(0).any()), bool(used["on"].notna().any())
    calendar = people["start_month"].to_numpy()[:, None] + np.arange(-before, after + 1)
    seen = _table_of(used, len(people), before, width) if held else _between(used, people, calendar, before, dated)
    extract = scheme.settings.extract_date
    if dated and extract is not None and not extract.is_month_end:
        seen &= calendar != _month_number(pd.Series([extract])).iloc[0]
    seen = np.repeat((seen & ~unmarked)[:, None, :], len(services), axis=1)
    for at, service in enumerate(services if held else ()):
        own = used[used["service"].eq(service)]
        if own["count"].eq(0).any():        # it has zeros itself: outside its own first and last month nobody looked
            place = calendar if dated else np.broadcast_to(np.arange(-before, after + 1), calendar.shape)
            line = own["on"] if dated else own["at"]
            seen[:, at] &= (place >= line.min()) & (place <= line.max())
    inside = used[used["at"].between(-before, after)]
    cell = (inside["person"].to_numpy() * len(services) + pd.Index(services).get_indexer(inside["service"])) * width + (inside["at"] + before).to_numpy(int)
    counts = np.bincount(cell, inside["count"], len(people) * len(services) * width).reshape(len(people), len(services), width)
    return dict(services=services, counts=counts, seen=seen, calendar=calendar if dated else np.full(calendar.shape, np.nan))


def _table_of(rows, people, before, width):
    """People x months: whether there is a row of any service."""
    flags = np.zeros((people, width), dtype=bool)
    inside = rows[rows["at"].between(-before, width - before - 1)]
    flags[inside["person"], (inside["at"] + before).to_numpy(int)] = True
    return flags


def _between(rows, people, calendar, before, dated):
    """People x months, where no zeros are held: the months between the extract's (or the person's) first and last."""
    if rows.empty:
        return np.zeros(calendar.shape, dtype=bool)
    if dated:
        return (calendar >= rows["on"].min()) & (calendar <= rows["on"].max())
    ends = rows.groupby("person")["at"].agg(["min", "max"]).reindex(range(len(people))).to_numpy()
    months = np.arange(calendar.shape[1]) - before
    return (months >= ends[:, :1]) & (months <= ends[:, 1:])


def _constant(grid):
    """The services whose count is the same number, not 0, in every observed month of everybody."""
    found = set()
    for at, service in enumerate(grid["services"]):
        counts = grid["counts"][:, at][grid["seen"][:, at]]
        if len(counts) and counts.min() == counts.max() > 0:
            found.add(service)
    return found


def _as_table(people, grid, kept, before):
    """The rows of `service_months` from the arrays."""
    seen, counts = (grid[name][:, kept] for name in ("seen", "counts"))
    rows = seen.copy()
    rows[:, :, before] |= ~seen.any(axis=2)         # nobody is lost: a person without an observed month has one row that weighs nothing
    person, service, month = np.nonzero(rows)
    exposure = seen[person, service, month].astype(float)
    days = grid["calendar"][person, month]
    calendar = np.where(np.isnan(days), np.iinfo(np.int64).min, days).astype(np.int64).view("datetime64[M]")
    names = np.array(grid["services"], dtype=object)[np.array(kept, dtype=bool)]
    by_person = {name: people[name].to_numpy(object)[person] for name in ("person_id", "arm", "cluster")}
    return pd.DataFrame(dict(**by_person, service=names[service], month=month - before, count=counts[person, service, month] * exposure,
                             exposure=exposure, calendar=calendar.astype("datetime64[ns]")))[COLUMNS]
