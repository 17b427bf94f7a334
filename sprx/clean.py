"""Cleaning: tables in, tables and issues out. Values are repaired or blanked, unusable rows set aside; nothing goes quietly."""

import pandas as pd

from sprx import schema
from sprx.clean_costs import clean_costs
from sprx.clean_outcomes import DAYS_PER_MONTH, clean_outcomes
from sprx.clean_provision import clean_provision
from sprx.load import JOINED, NOTED, SET_ASIDE, SET_MISSING, issue_rows, note, stack
from sprx.reference import facts, plain_key

EARLIEST = pd.Timestamp("1990-01-01")       # no event of a social prescribing scheme is older
STRAY_DAYS = 180                            # a date this far beyond all others is a slip of the pen
OLDEST = 120                                # years

EVENT_DATES = {"people": ["index_date"], "referrals": ["referral_date", "first_contact_date", "closed_date"],
               "contacts": ["contact_date"], "activities": ["start_date"], "outcomes": ["measured_on"], "service_use": ["month"]}

UNIQUE = {**schema.KEYS, "needs": ["referral_id", "need", "local_label"],
          "outcomes": ["person_id", "instrument", "item", "occasion", "measured_on", "months"],
          "activities": ["referral_id", "activity_type", "service_id", "start_date", "status"],
          "population": ["age_band", "sex", "ethnicity", "imd_decile"], "community": ["service_id", "date"]}

# what a verified pathway code says of the referral: status, and whether it marks a first contact or a closure
PATHWAY = {"871691000000100": ("offered", None), "871711000000103": ("declined_by_person", None),
           "871731000000106": ("referred", None), "515721000000104": ("referred", None), "8T09.": ("referred", None),
           "XaaEC": ("referred", None), "EMISNQRE582": ("referred", None),
           "1362931000000106": ("active", "first_contact_date"), "1362721000000106": ("closed", "closed_date")}
SIGNPOSTING = "1084281000000109"
STATUS_ORDER = ["offered", "referred", "waiting", "declined_by_person", "rejected_by_service", "accepted", "did_not_attend",
                "active", "completed", "closed"]


def clean_scheme(scheme):
    """Clean every table of a scheme.

    Parameters
    ----------
    scheme : Scheme
        As `load_scheme` gives it.

    Returns
    -------
    Scheme
        The same scheme with: impossible dates, ages and scores blanked; duplicates, repeat referrals of one episode, rows
        without their person or referral, and unusable scores set aside; pathway codes read as statuses; answers scored;
        `people` with `age` (at start) and `start` (first referral, or index date); `outcomes` with `occasion`, `months` and
        `derived` (True for totals scored here). `settings.extract_date` is always set. Each change is a row of `issues`.
    """
    for step in (_set_extract_date, _blank_impossible_dates, _blank_impossible_ages, _read_pathway_codes, _join_entries,
                 _drop_population_totals, _drop_duplicates,
                 _drop_orphans, _join_episodes, _drop_orphans, _drop_duplicates, _add_start, clean_outcomes, clean_costs, clean_provision, _warn_of_doubtful_counts,
                 _check_names):
        scheme = step(scheme)
    return scheme


def clean_table(table, rows, bad, column, problem):
    """Blank `column` where `bad`; return (rows, issues)."""
    issues = issue_rows(table, rows[bad], column=column, problem=problem, found=_shown(rows.loc[bad, column]), action=SET_MISSING)
    return rows.assign(**{column: rows[column].mask(bad)}), issues


def _shown(values):
    return values.dt.strftime("%Y-%m-%d") if pd.api.types.is_datetime64_any_dtype(values) else values


def _set_extract_date(scheme):
    """Without an extract date, take the latest date in the data, leaving out dates far beyond all others."""
    from dataclasses import replace

    if scheme.settings.extract_date is not None:
        return scheme
    dates = [scheme.tables[t][c] for t, columns in EVENT_DATES.items() if t in scheme.tables
             for c in columns if c in scheme.tables[t] and c != "month"]
    dates = pd.concat(dates).dropna().drop_duplicates().sort_values(ignore_index=True) if dates else pd.Series(dtype="datetime64[ns]")
    if dates.empty:
        return scheme
    stray = dates.diff().dt.days.gt(STRAY_DAYS) & (dates.rank(pct=True) > 0.9)
    latest = dates[~stray.cummax()].max()
    latest = max(latest, _last_of_months(scheme, latest))
    issues = note("scheme", f"scheme.yaml gives no extract_date; it was taken to be {latest:%Y-%m-%d}, the latest date in the data")
    return replace(scheme, settings=replace(scheme.settings, extract_date=latest),
                   issues=stack([scheme.issues, issues]))


def _last_of_months(scheme, latest):
    """The last day on which scores or use given in months since a start (not after `latest`) must have been recorded: no extract can be older."""
    people, referrals = (scheme.tables.get(t, pd.DataFrame()) for t in ("people", "referrals"))
    start = {}
    for rows, column in ((people, "index_date"), (referrals, "referral_date")):
        if {"person_id", column} <= set(rows):
            start |= rows[rows[column] <= latest].groupby("person_id")[column].min().to_dict()
    for rows in (scheme.tables.get(t, pd.DataFrame()) for t in ("outcomes", "service_use")):
        if {"person_id", "months"} <= set(rows):
            known = rows[rows["months"].notna() & rows["person_id"].isin(list(start))]
            days = pd.to_datetime(known["person_id"].map(start)) + pd.to_timedelta((known["months"].astype(float) * DAYS_PER_MONTH).round(), unit="D")
            latest = max(latest, days.max()) if len(days) else latest
    return latest


def _blank_impossible_dates(scheme):
    """Dates after the extract, before 1990, or in an impossible order; a row whose required date goes is set aside."""
    extract = scheme.settings.extract_date
    for table, columns in {**EVENT_DATES, "people": ["index_date", "bereaved_on"]}.items():
        if table not in scheme.tables:
            continue
        rows, issues = scheme.tables[table], []
        for column in [c for c in columns if c in rows]:
            rules = [(rows[column] > extract, "after the extract date")] if extract is not None else []
            if column != "bereaved_on":
                rules.append((rows[column] < EARLIEST, "impossibly early"))
            if table == "referrals" and column != "referral_date":
                rules += [(rows[column] < rows[earlier], f"before {earlier}") for earlier in ("referral_date", "first_contact_date")
                          if earlier in rows and earlier != column]
            for bad, problem in rules:
                rows, found = clean_table(table, rows, bad & rows[column].notna(), column, problem)
                issues.append(found)
        needed = [c for c in columns if schema.columns(table).loc[c, "required"]]
        gone = rows[needed].isna().any(axis=1)
        scheme = scheme.keep(table, rows[~gone], stack(issues), rows[gone].assign(reason="an impossible date"))
    return scheme


def _blank_impossible_ages(scheme):
    """Birth years in the future or more than 120 years back (ages are limited by the schema)."""
    people = scheme.tables.get("people")
    if people is None or "birth_year" not in people:
        return scheme
    if scheme.settings.extract_date is None:            # nothing to hold the year against
        return scheme
    last = scheme.settings.extract_date.year
    bad = (people["birth_year"] > last) | (people["birth_year"] < last - OLDEST)
    rows, issues = clean_table("people", people, bad.fillna(False), "birth_year", "impossible year of birth")
    return scheme.keep("people", rows, issues)


def _read_pathway_codes(scheme):
    """SNOMED pathway codes to statuses and dates; signposting and neighbouring roles are not referrals."""
    rows = scheme.tables.get("referrals")
    if rows is None or "snomed_code" not in rows:
        return scheme
    code, mended = _mend_long_codes(rows)
    rows = rows.assign(snomed_code=code)
    status = code.map({c: s for c, (s, _) in PATHWAY.items()}).astype("string")
    if "status" not in rows:
        rows["status"] = pd.Series(pd.NA, index=rows.index, dtype="string")
    filled = rows["status"].isna() & status.notna()
    issues = [mended, issue_rows("referrals", rows[filled], column="status", problem="status read from snomed_code",
                                 found=code[filled], action="filled")]
    rows["status"] = rows["status"].fillna(status)
    for marker in ("first_contact_date", "closed_date"):
        marked = code.isin([c for c, (_, m) in PATHWAY.items() if m == marker])
        if marked.any() and "referral_date" in rows:
            known = rows[marker] if marker in rows else pd.Series(pd.NaT, index=rows.index)
            rows[marker] = known.where(known.notna() | ~marked, rows["referral_date"])
    related = facts("snomed").query("group == 'related_role'")["code"]
    other = code.isin([SIGNPOSTING, *related])
    reason = code.map({SIGNPOSTING: "signposting only, no link-worker episode"}).fillna("the code of another role, not social prescribing")
    issues.append(issue_rows("referrals", rows[other], column="snomed_code", problem="not a social prescribing referral",
                             found=code[other], action=SET_ASIDE))
    return scheme.keep("referrals", rows[~other], stack(issues), rows[other].assign(reason=reason[other]))


def _mend_long_codes(rows):
    """A spreadsheet keeps 15 digits: a 16-digit code that ends in 0 is the one pathway code it can have been."""
    short = {c[:15] + "0": c for c in PATHWAY if len(c) == 16 and not c.endswith("0")}
    cut = rows["snomed_code"].isin(short)
    issues = issue_rows("referrals", rows[cut], column="snomed_code", problem="16-digit code cut to 15 digits by a spreadsheet",
                        found=rows.loc[cut, "snomed_code"], action="mended")
    return rows["snomed_code"].replace(short), issues


def _drop_duplicates(scheme):
    """Rows that repeat another, and rows with the key of another but other values (the first is kept)."""
    for table, key in UNIQUE.items():
        rows = scheme.tables.get(table)
        if rows is None:
            continue
        key = [c for c in key if c in rows]
        if table == "outcomes" and not {"measured_on", "months"} & set(key):
            key = [c for c in rows.columns if c not in ("row", "file")]
        again = rows.duplicated(key)
        exact = rows.duplicated([c for c in rows.columns if c not in ("row", "file")])
        problem = exact.map({True: "repeats an earlier row", False: "same key as an earlier row, other values"})[again]
        issues = issue_rows(table, rows[again], column=", ".join(key), problem=problem, action=SET_ASIDE)
        scheme = scheme.keep(table, rows[~again], issues, rows[again].assign(reason=problem))
    return scheme


def _drop_population_totals(scheme):
    """Population rows whose age band is no band ('All ages', 'Total'): they would be counted twice."""
    rows = scheme.tables.get("population")
    if rows is None or "age_band" not in rows:
        return scheme
    bad = rows["age_band"].notna() & rows["age_band"].map(schema.read_band, na_action="ignore").isna()
    issues = issue_rows("population", rows[bad], column="age_band", problem="not an age band", found=rows.loc[bad, "age_band"],
                        expected="a band such as 18-24, 85+ or under 18", action=SET_ASIDE)
    return scheme.keep("population", rows[~bad], issues, rows[bad].assign(reason="age_band: not an age band"))


def _drop_orphans(scheme):
    """Rows about a person or referral that is not there."""
    for table, (column, parent) in schema.PARENTS.items():
        rows = scheme.tables.get(table)
        if rows is None:
            continue
        known = scheme.tables[parent][column] if parent in scheme.tables else pd.Series(dtype="string")
        lost = ~rows[column].isin(known)
        issues = issue_rows(table, rows[lost], column=column, problem=f"not in {parent}", found=rows.loc[lost, column], action=SET_ASIDE)
        scheme = scheme.keep(table, rows[~lost], issues, rows[lost].assign(reason=f"{column}: not in {parent}"))
    return scheme


def _join_episodes(scheme):
    """One referral per person per episode: a repeat before the case is closed, or within `episode_days`, joins the first."""
    rows = scheme.tables.get("referrals")
    if rows is None or "referral_date" not in rows:
        return scheme
    dated = rows[rows["referral_date"].notna()].sort_values(["person_id", "referral_date", "row"])
    repeated = dated[dated.duplicated("person_id", keep=False)]
    head = {}
    for _, part in repeated.groupby("person_id", sort=False):
        head |= _heads(part, pd.Timedelta(days=scheme.settings.episode_days))
    if not head:
        return scheme
    return _join(scheme, pd.Series(head), "repeat referral in one episode")


def _join_entries(scheme):
    """Coded entries of one referral (referred, seen, closed) that share its referral_id are one row."""
    rows = scheme.tables.get("referrals")
    if rows is None or "snomed_code" not in rows or "referral_date" not in rows:
        return scheme
    coded = rows[rows["snomed_code"].isin(PATHWAY)].sort_values(["referral_date", "row"], kind="stable")
    key = [coded["referral_id"], coded["person_id"]]
    first = pd.Series(coded.index, index=coded.index).groupby(key).transform("first")
    joins = first[first.ne(first.index)]
    exact = rows.duplicated([c for c in rows.columns if c not in ("row", "file")])
    joins = joins[~exact.reindex(joins.index)]
    return _join(scheme, joins, "further entry of one referral") if len(joins) else scheme


def _join(scheme, joins, problem):
    """The scheme with some referrals (the index of `joins`) merged into others (its values), and what hangs on them moved."""
    rows = _merge_into_heads(scheme.tables["referrals"], joins)
    joined = rows.loc[joins.index]
    kept = pd.Series(rows["referral_id"].reindex(joins.to_numpy()).to_numpy(), index=joined.index)
    issues = issue_rows("referrals", joined, column="referral_id", problem=problem, found=joined["referral_date"].dt.strftime("%Y-%m-%d"),
                        action=f"{JOINED} " + kept)
    scheme = scheme.keep("referrals", rows.drop(index=joins.index), issues, joined.assign(reason=f"{JOINED} " + kept))
    moved = {old: new for old, new in zip(joined["referral_id"], kept) if old != new}
    return _repoint(scheme, moved) if moved else scheme


def _heads(part, gap):
    """Which later referrals of one person belong to an earlier one: {row index: index of the first of the episode}."""
    heads, first, until = {}, None, None
    later = part["snomed_code"].isin([c for c, (_, mark) in PATHWAY.items() if mark]) if "snomed_code" in part else None
    for i, date in part["referral_date"].items():
        closed = part.at[i, "closed_date"] if "closed_date" in part else pd.NaT
        if first is not None and (date <= until or (later is not None and later[i])):
            heads[i] = first
            until = max(until, closed if pd.notna(closed) else until)
        else:
            first, until = i, closed if pd.notna(closed) else date + gap
    return heads


def _merge_into_heads(rows, joins):
    """The first referral of each episode takes what the repeats add: first contact, closure, furthest status."""
    episode = joins.reindex(rows.index).fillna(pd.Series(rows.index, index=rows.index)).astype(rows.index.dtype)
    changed = rows.index.isin(set(joins))
    for column, pick in (("first_contact_date", "min"), ("closed_date", "max")):
        if column in rows:
            rows = rows.assign(**{column: rows[column].where(~changed, rows[column].groupby(episode).transform(pick))})
    if "status" in rows:
        rank = rows["status"].map({s: i for i, s in enumerate(STATUS_ORDER)}).astype(float)
        best = rank.groupby(episode).transform("max").map(dict(enumerate(STATUS_ORDER))).astype("string")
        rows = rows.assign(status=rows["status"].where(~changed, best))
    return rows


def _repoint(scheme, moved):
    """Needs, contacts and activities of a joined referral follow it."""
    for table in ("needs", "contacts", "activities"):
        rows = scheme.tables.get(table)
        if rows is not None:
            follow = rows["referral_id"].isin(moved)
            issues = issue_rows(table, rows[follow], column="referral_id", problem="referral joined to another of its episode",
                                found=rows.loc[follow, "referral_id"], action="moved with it")
            scheme = scheme.keep(table, rows.assign(referral_id=rows["referral_id"].replace(moved)), issues)
    return scheme


def _add_start(scheme):
    """`start` (first referral, or index date) and `age` at it."""
    people = scheme.tables.get("people")
    if people is None:
        return scheme
    start = people["index_date"] if "index_date" in people else pd.Series(pd.NaT, index=people.index, dtype="datetime64[ns]")
    if scheme.has("referrals", "referral_date"):
        first = scheme.tables["referrals"].groupby("person_id")["referral_date"].min()
        start = people["person_id"].map(first).astype("datetime64[ns]").fillna(start)
    people = people.assign(start=start)
    if "birth_year" in people:
        reference = scheme.settings.extract_date.year if scheme.settings.extract_date is not None else float("nan")
        from_year = people["start"].dt.year.fillna(reference) - people["birth_year"].astype(float)
        people["age"] = (people["age"] if "age" in people else from_year).fillna(from_year)
    if "age" in people:
        bad = (people["age"] < 0) | (people["age"] > OLDEST)
        people, issues = clean_table("people", people, bad, "age", "impossible age at referral")
        scheme = scheme.keep("people", people, issues)
    return scheme.keep("people", people, ())


# groups that the reports work out, and the columns of people that they come from
DERIVED_FROM = {"age_band": "age", "ethnic_group": "ethnicity", "imd_quintile": "imd_decile"}


def _check_names(scheme):
    """Notes on names in scheme.yaml that nothing in the data answers to."""
    people, settings, notes = scheme.tables["people"], scheme.settings, []
    if settings.primary_outcome and "outcomes" in scheme.tables:
        used = scheme.tables["outcomes"]["instrument"].map(plain_key)
        if not used.eq(plain_key(settings.primary_outcome)).any():
            notes.append(note("scheme", f"primary_outcome is {settings.primary_outcome!r}, but no score is of that instrument"))
    for key, names in (("covariates", settings.covariates), ("subgroups", settings.subgroups)):
        notes += [note("scheme", f"{key} names {name!r}, but people has no such column") for name in names
                  if not {name, DERIVED_FROM.get(name, name)} & set(people)]
    if settings.comparison.get("design", "none") not in ("none", "historical") and not people["arm"].eq("comparison").any():
        notes.append(note("scheme", f"comparison says {settings.comparison['design']}, but nobody in people has arm = comparison"))
    return scheme.keep("people", people, stack(notes))


def _warn_of_doubtful_counts(scheme):
    """Notes on what cannot be repaired but should be seen."""
    rows, notes = scheme.tables.get("service_use"), []
    if rows is not None:
        again = int(rows.duplicated([c for c in ("person_id", "month", "months", "service") if c in rows]).sum())
        if again:
            notes.append(note("service_use", f"{again} rows repeat a person, month and service; their counts will be added up"))
    rows = scheme.tables.get("activities")
    if rows is not None and {"sessions_offered", "sessions_attended"} <= set(rows):
        more = (rows["sessions_attended"] > rows["sessions_offered"]).fillna(False)
        notes.append(issue_rows("activities", rows[more], column="sessions_attended", problem="more sessions attended than offered",
                                found=rows.loc[more, "sessions_attended"], action=NOTED))
    return scheme.keep("people", scheme.tables["people"], stack(notes)) if "people" in scheme.tables else scheme
