"""Synthetic schemes: the four of data/sample, each dressed as its own export, and any number for benchmarks, with their truth."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pandas as pd
import yaml

from sprx import sample
from sprx.reference import facts
from sprx.sample import Design, draw_tables
from sprx.scoring import eq5d_utility

SEED, BIG = 20260401, 50_000
HARBOUR = Design("harbour", people=400, comparison=400, effect=2.0, ratios=(("gp", 0.85), ("ae", 0.90)))
MOORSIDE = Design("moorside", people=350, cut=19.0, passing_share=0.5, instruments=("swemwbs", "ucla3"),
                  gaps=("housing", "carer_support", "learning"), place=(54.43, -0.98))
NORTHFIELD = Design("northfield", people=46, effect=1.0, dropout=0.5, mechanism="mnar", instruments=("swemwbs", "ucla3"))
CASTLE = Design("castle", people=260)
CREATED = pd.Timestamp("2026-01-05").to_pydatetime()
UNITS = dict(swemwbs="SWEMWBS metric points", ucla3="UCLA-3 points", phq9="PHQ-9 points", ons_life_sat="points of 10",
             eq5d5l_map="utility")
NOTICE = "SYNTHETIC: made by sprx, about nobody."
ECONOMICS = dict(perspective="NHS and personal social services", price_year="2024/25", horizon_months=3, thresholds=[20000, 30000])


def simulate_schemes(out, schemes, people, seed, effect):
    """Write synthetic scheme folders out/scheme-001 ... and out/truth.csv, for benchmarks and for planning.

    Parameters
    ----------
    out : str or Path
    schemes, people : int
        Number of schemes; people in each, with as many again in a comparison group.
    seed : int
        The same call gives the same bytes.
    effect : float
        True effect in SWEMWBS metric points at 90 days.

    Returns
    -------
    list of Path
        The scheme folders.

    Raises
    ------
    ValueError
        If there are to be no schemes or no people.
    """
    if schemes < 1 or people < 1:
        raise ValueError(f"Give at least 1 scheme and 1 person; found {schemes} schemes of {people} people.")
    out, truths, folders = Path(out), [], []
    for number in range(1, schemes + 1):
        design = Design(f"scheme-{number:03}", people=people, comparison=people, effect=effect)
        tables = draw_tables(design, seed)
        folders.append(_write_plain(out / design.name, design, tables, f"Scheme {number:03} (synthetic)"))
        truths.append(planted(design, tables))
    write_csv(pd.concat(truths), out / "truth.csv")
    return folders


def make_sample(out):
    """Write the four sample schemes (harbour, moorside, northfield, castle) with README.md and truth.csv.

    Parameters
    ----------
    out : str or Path
        Folder to write into; files of the same names are replaced.

    Returns
    -------
    list of Path
        The scheme folders.
    """
    out, truths = Path(out), []
    for design, write in ((HARBOUR, _write_harbour), (MOORSIDE, _write_moorside), (NORTHFIELD, _write_northfield), (CASTLE, _write_castle)):
        tables = draw_tables(design, SEED)
        (out / design.name).mkdir(parents=True, exist_ok=True)
        kept, more = write(out / design.name, design, tables)
        truths += [planted(design, kept), more]
    write_csv(pd.concat([t for t in truths if len(t)]), out / "truth.csv")
    (out / "README.md").write_text(sample.README, encoding="utf-8", newline="\n")
    return [out / d.name for d in (HARBOUR, MOORSIDE, NORTHFIELD, CASTLE)]


def write_csv(table, path, **how):
    """Write a table as CSV: ISO dates, whole numbers without a decimal point, the same bytes on every machine."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, **dict(index=False, float_format="%g", date_format="%Y-%m-%d", lineterminator="\n") | how)


# ---- the truth

def planted(design, tables):
    """What was planted in the tables that a scheme holds.

    Parameters
    ----------
    design : Design
    tables : collection of str
        The names of the tables that were written.

    Returns
    -------
    DataFrame
        scheme_id, quantity, value, unit, description.
    """
    rows = [("people", design.people, "people", "people referred"), *_planted_waits(design)]
    if "outcomes" in tables:
        rows += _planted_outcomes(design)
    if "service_use" in tables:
        rows += [(f"rate_ratio_{s}", ratio, "ratio", f"use of {s} in the months after the referral month against what it would have been, "
                  "scheme people") for s, ratio in design.ratios]
    if "provision" in tables:
        rows += [(f"provision_gap_{gap}", 0, "services", "no local service of this kind") for gap in design.gaps]
    if "population" in tables:
        poor, rich = sample.IMD[1] + sample.IMD[2], sample.IMD[9] + sample.IMD[10]
        rows.append(("referral_rate_ratio_deprived", poor / rich, "ratio", "people referred per head, most against least deprived fifth"))
    if "costs" in tables:
        rows.append(("cost_total_gbp", design.people * sum(c[2] for c in sample.COSTS), "pounds", "all cost lines, 2024/25 prices"))
    return _truth(design.name, rows)


def _truth(scheme_id, rows):
    table = pd.DataFrame(rows, columns=["quantity", "value", "unit", "description"])
    table.insert(0, "scheme_id", scheme_id)
    return table.assign(value=table["value"].astype(float).round(3))


def _planted_waits(design):
    half = NormalDist().inv_cdf(0.5 / (1 - design.never_seen))
    return [("median_days_to_contact", design.median_wait, "days", "referral to first contact, those who are ever seen"),
            ("median_days_to_contact_all", design.median_wait * np.exp(sample.WAIT_SIGMA * half), "days",
             "day by which half of all referrals have been seen"),
            ("share_never_seen", design.never_seen, "proportion", "referrals that never lead to a contact")]


def _planted_outcomes(design):
    """Effects and changes without the scheme, from a big draw of the same generator; SWEMWBS effect as planted."""
    expected = _expected(replace(design, name="any", people=BIG, comparison=0, place=(0.0, 0.0), ratios=(), gaps=()))
    rows = [("effect_swemwbs", design.effect, UNITS["swemwbs"], f"true effect of being referred, at {sample.FOLLOW_UP_DAYS} days")]
    for instrument, (effect, unaided, seen) in expected.items():
        if instrument != "swemwbs":
            rows.append((f"effect_{instrument}", effect, UNITS[instrument], f"true effect of being referred, at {sample.FOLLOW_UP_DAYS} days"))
        ending = "" if instrument == "swemwbs" else f"_{instrument}"
        rows += [(f"expected_change_without_scheme{ending}", unaided, UNITS[instrument], "mean change had there been no scheme"),
                 (f"expected_change_complete_cases{ending}", seen, UNITS[instrument],
                  "mean change of scheme people among those with a follow-up")]
    return [*rows, ("dropout", design.dropout, "proportion", f"people without a follow-up score, {design.mechanism.upper()}")]


@cache
def _expected(design):
    """Per instrument: mean effect, mean change without the scheme, mean change of those followed up."""
    rng = np.random.default_rng(1)
    scores = sample.draw_scores(design, np.ones(BIG, dtype=bool), rng)
    kept = ~sample.lost_to_follow_up(design, scores, rng.random(BIG) < design.never_seen, rng)
    people = None
    if "eq5d5l_map" in design.instruments:
        start = np.repeat(sample.START, BIG)
        people = sample.draw_people(design, start, scores["level"], rng)
        people["age"] = 2024 - people["birth_year"]
    found = {}
    for instrument in design.instruments:
        before, unaided, after = (_totals(scores[k], instrument, people) for k in ("baseline", "unaided", "follow_up"))
        found[instrument] = tuple(float(np.nanmean(c)) for c in (after - unaided, unaided - before, (after - before)[kept]))
    return found


def _totals(scores, instrument, people):
    """Totals of one instrument; for EQ-5D the utility."""
    names = list(sample.SCORES)
    if instrument != "eq5d5l_map":
        return scores[:, names.index(instrument)]
    levels = scores[:, [names.index(name) for name in sample.EQ5D]].astype(int)
    profiles = pd.Series((levels * 10 ** np.arange(4, -1, -1)).sum(axis=1).astype(str))
    return eq5d_utility(profiles, instrument, people[["age", "sex"]]).to_numpy()


# ---- the folders

def _write_settings(folder, design, teaches, settings):
    """scheme.yaml: what every sample scheme says of itself, then its own keys."""
    head = dict(scheme_id=design.name, synthetic=True, name=f"{design.name.capitalize()} (synthetic)", area="Made-up place",
                period=dict(start=str(sample.START), end=str(sample.END)), extract_date=str(sample.EXTRACT))
    body = yaml.safe_dump(head | settings, sort_keys=False, allow_unicode=True, width=130, default_flow_style=None)
    (folder / "scheme.yaml").write_text(f"# {NOTICE}\n# {teaches}\n{body}", encoding="utf-8", newline="\n")


def _outcome_settings(design):
    more = dict(follow_up_days=sample.FOLLOW_UP_DAYS, primary_outcome="swemwbs", covariates=["age", "sex", "imd_decile"])
    return more | (dict(comparison=dict(design="concurrent")) if design.comparison else {})


def _write_plain(folder, design, tables, name):
    """A scheme in the standard's own words: UTF-8 CSV, nothing to map."""
    for table, rows in tables.items():
        write_csv(rows, folder / f"{table}.csv")
    _write_settings(folder, design, "In the data standard's own column names: nothing to map.",
                    dict(name=name) | _outcome_settings(design) | dict(economics=ECONOMICS, seed=1)
                    | dict(tables={table: dict(file=f"{table}.csv") for table in tables}))
    return folder


def _write_harbour(folder, design, tables):
    _write_plain(folder, design, tables, "Harbour (synthetic)")
    return tables, ()


MOORSIDE_COLUMNS = {
    "people": {"Client": "person_id", "Born": "birth_year", "Gender": "sex", "Ethnic code": "ethnicity", "IMD": "imd_decile", "Area": "lsoa",
               "Practice": "practice_code", "Conditions": "long_term_conditions", "Lone parent": "single_parent", "Low income": "low_income",
               "Bereaved on": "bereaved_on", "Lives alone": "lives_alone", "Carer": "carer", "GP visits last year": "gp_appointments_12m",
               "AandE visits last year": "ae_attendances_12m"},
    "referrals": {"Referral": "referral_id", "Client": "person_id", "Date of referral": "referral_date", "Referred by": "source",
                  "State": "status", "First appointment": "first_contact_date", "Date closed": "closed_date", "Why closed": "closure_reason"},
    "needs": {"Referral": "referral_id", "Presenting issue": "need", "In their words": "local_label"},
    "contacts": {"Contact no": "contact_id", "Referral": "referral_id", "Date": "contact_date", "How": "mode", "Mins": "minutes", "Came": "attended"},
    "activities": {"Referral": "referral_id", "Kind": "activity_type", "Group code": "service_id", "Result": "status", "First session": "start_date",
                   "Offered": "sessions_offered", "Taken": "sessions_attended"},
    "service_use": {"Client": "person_id", "Month": "month", "Service": "service", "Times": "count", "Registered": "observed"},
    "costs": {"Line": "item", "Group": "category", "Amount (£)": "amount_gbp", "Prices of": "price_year", "Type": "kind", "Basis": "basis"},
    "population": {"Age": "age_band", "Sex": "sex", "Ethnic group": "ethnicity", "IMD": "imd_decile", "Adults": "people"},
    "provision": {"Group code": "service_id", "Group": "name", "Kind": "activity_type", "Area": "area_code", "Latitude": "lat",
                  "Longitude": "lon", "Places a month": "capacity_per_month", "Checked": "assured_on"}}
MOORSIDE_VALUES = {
    "people": {"sex": {"W": "female", "M": "male", "X": "other", "?": "not_known", "NS": "not_stated"}},
    "needs": {"need": {"Lonely or isolated": "loneliness_isolation", "Low mood or worry": "mental_wellbeing", "Getting active": "physical_activity",
                       "Money worries": "money_debt_benefits", "Living with illness": "long_term_condition_self_management"}}}
MOORSIDE_WORDS = {"loneliness_isolation": "misses the café club", "mental_wellbeing": "wants to feel like before", "housing": "damp flat"}


def _write_moorside(folder, design, tables):
    """Semicolons, Windows-1252, day-first dates, the scheme's own words, outcomes side by side as raw totals."""
    how = dict(sep=";", encoding="cp1252", date_format="%d/%m/%Y")
    needs = tables["needs"]
    tables = tables | dict(needs=needs.assign(local_label=needs["need"].map(MOORSIDE_WORDS)), people=tables["people"].drop(
        columns=["arm", "index_date"]), service_use=tables["service_use"].assign(
            month=lambda t: t["month"].str[5:] + "/" + t["month"].str[:4]))
    specs = {}
    for table, columns in MOORSIDE_COLUMNS.items():
        values = MOORSIDE_VALUES.get(table, {})
        rows = tables[table].rename(columns={v: k for k, v in columns.items()})
        for column, labels in values.items():
            own = next(k for k, v in columns.items() if v == column)
            rows[own] = rows[own].replace({v: k for k, v in labels.items()})
        write_csv(rows[list(columns)], folder / f"{table}.csv", **how)
        specs[table] = dict(file=f"{table}.csv", columns=columns) | (dict(values=values) if values else {})
    wide, spec = _wide_outcomes(tables)
    write_csv(wide, folder / "scores.csv", **how)
    specs["outcomes"] = spec
    _write_settings(folder, design, "Does nothing; everyone comes at their worst, so everyone seems to gain. Semicolons, Windows-1252, raw SWEMWBS.",
                    dict(follow_up_months=3, primary_outcome="swemwbs", covariates=["age", "sex", "imd_decile"],
                         comparison=dict(design="none"), economics=ECONOMICS, seed=1, tables=specs))
    return tables, ()


def _wide_outcomes(tables):
    """One row per person, one column per measure and occasion, SWEMWBS as raw totals; no dates."""
    names = {("swemwbs", "baseline"): "SWEMWBS start", ("swemwbs", "follow_up"): "SWEMWBS review",
             ("ucla3", "baseline"): "UCLA start", ("ucla3", "follow_up"): "UCLA review"}
    outcomes = tables["outcomes"].assign(value=_raw_swemwbs(tables["outcomes"]))
    wide = outcomes.set_index(["person_id", "instrument", "occasion"])["value"].unstack(["instrument", "occasion"])
    wide = pd.DataFrame({new: wide[old] for old, new in names.items()}).reindex(tables["people"]["person_id"])
    entries = {new: dict(instrument=i, occasion=o, months=0 if o == "baseline" else 3) for (i, o), new in names.items()}
    return wide.rename_axis("Client").reset_index(), dict(file="scores.csv", columns={"Client": "person_id"}, wide=entries)


def _raw_swemwbs(outcomes):
    """Values with SWEMWBS metric totals as raw totals."""
    table = facts("swemwbs_metric").astype(float)
    raw = outcomes["value"].map(dict(zip(table["metric"], table["raw"])))
    return outcomes["value"].where(outcomes["instrument"] != "swemwbs", raw)


def _write_northfield(folder, design, tables):
    """CSV, and Parquet for answers to each question; no use of services."""
    people = tables["people"].assign(age=2025 - tables["people"]["birth_year"]).drop(columns=["birth_year", "arm", "index_date"])
    kept = dict(people=people) | {t: tables[t] for t in ("referrals", "needs", "contacts", "activities", "costs")}
    for table, rows in kept.items():
        write_csv(rows, folder / f"{table}.csv")
    answers = _answers(tables["outcomes"], np.random.default_rng(SEED))
    answers.to_parquet(folder / "outcomes.parquet", index=False)
    specs = {table: dict(file=f"{table}.csv") for table in kept} | dict(outcomes=dict(file="outcomes.parquet"))
    _write_settings(folder, design, "Small, and half of the follow-up is lost: the worse people felt, the less likely they answered.",
                    _outcome_settings(design) | dict(seed=1, tables=specs))
    return [*kept, "outcomes"], ()


def _answers(outcomes, rng):
    """Answers that add up to the totals, one row per question; the occasion left for the dates to tell."""
    outcomes = outcomes.assign(value=_raw_swemwbs(outcomes))
    parts = []
    for instrument, items, highest in (("swemwbs", 7, 5), ("ucla3", 3, 3)):
        sittings = outcomes[outcomes["instrument"] == instrument]
        given = np.ones((len(sittings), items), dtype=int)
        left = sittings["value"].to_numpy(int) - items
        while left.any():                            # one more point to one random question that has room, person by person
            room = np.where(given < highest, rng.random(given.shape), -1).argmax(axis=1)
            given[np.arange(len(given)), room] += left > 0
            left = np.maximum(left - 1, 0)
        parts += [sittings.assign(item=str(i + 1), value=given[:, i]) for i in range(items)]
    table = pd.concat(parts).sort_values(["person_id", "measured_on", "instrument", "item"], ignore_index=True)
    return table[["person_id", "instrument", "item", "measured_on", "value"]]


# ---- castle: one untidy workbook

CASTLE_CLIENTS = {"person_id": "Client Ref", "birth_year": "Yr of birth", "sex": "Gender", "ethnicity": "Ethnic group",
                  "imd_decile": "Deprivation tenth", "lives_alone": "Lives alone?"}
CASTLE_REFERRALS = {"referral_id": "Ref no", "person_id": "Client Ref", "referral_date": "Ref date", "source": "Ref source",
                    "first_contact_date": "First seen", "status": "Outcome", "closed_date": "Date closed", "closure_reason": "Why closed"}
CASTLE_LABELS = {
    "sex": dict(female=["Female", "F", "female "], male=["Male", "M", "male"], other=["Non-binary"], not_known=["Not known"],
                not_stated=["Prefer not to say"]),
    "ethnicity": dict(A=["White British", "White - British"], B=["White Irish"], C=["Other White"], D=["White and Black Caribbean"],
                      G=["Other mixed"], H=["Indian"], J=["Pakistani"], K=["Bangladeshi"], L=["Other Asian"], M=["Caribbean"], N=["African"],
                      P=["Other Black"], R=["Chinese"], S=["Any other ethnic group"], Z=["Not stated"]) | {"99": ["Not known"]},
    "source": dict(gp=["GP Surgery", "GP", "gp surgery"], other_primary_care=["Pharmacy"], hospital=["Hospital"],
                   mental_health=["Talking Therapies"], social_care=["Adult Social Care"], council=["Council"], vcse=["Charity"],
                   self=["Self-referral", "Self"], job_centre=["Jobcentre"]),
    "status": dict(completed=["Completed"], closed=["Ended"], active=["Open"], waiting=["On waiting list"], referred=["New"],
                   declined_by_person=["Declined"], did_not_attend=["DNA"], rejected_by_service=["Rejected"])}


def _write_castle(folder, design, tables):
    """People and referrals only, two sheets, mixed labels and dates, and planted dirt."""
    rng = np.random.default_rng(SEED)
    people, referrals = (tables[t].assign(**{c: [ways[v][int(rng.random() * len(ways[v]))] for v in tables[t][c]]
                                             for c, ways in CASTLE_LABELS.items() if c in tables[t]}) for t in ("people", "referrals"))
    clients, in_clients = _soil_clients(people[list(CASTLE_CLIENTS)].astype(object), rng)
    referrals, in_referrals = _soil_referrals(referrals[list(CASTLE_REFERRALS)].astype(object), rng)
    _write_workbook(folder / "castle_export.xlsx", {"Clients": clients.rename(columns=CASTLE_CLIENTS),
                                                    "Referrals 24-25": referrals.rename(columns=CASTLE_REFERRALS)}, rng)
    specs = {table: dict(file="castle_export.xlsx", sheet=sheet, columns={v: k for k, v in names.items()})
             for table, sheet, names in (("people", "Clients", CASTLE_CLIENTS), ("referrals", "Referrals 24-25", CASTLE_REFERRALS))}
    _write_settings(folder, design, "An untidy workbook, people and referrals only: the dirt is planted and counted in truth.csv.",
                    dict(seed=1, tables=specs))
    dirt = [(f"dirt_{kind}", count, "rows", "planted, to be found by cleaning") for kind, count in (in_clients | in_referrals).items()]
    return ["people", "referrals"], _truth(design.name, dirt)


def _soil_clients(rows, rng):
    """Impossible birth years, exact duplicates, rows without a reference, an empty row."""
    place = rng.permutation(len(rows))
    column = rows.columns.get_loc("birth_year")
    rows.iloc[place[:2], column], rows.iloc[place[2:4], column] = 1066, 2031
    twice, nobody = rows.iloc[place[4:14]], rows.iloc[place[14:16]].assign(person_id=None)
    return _mix(rows, [twice, nobody], rng), dict(birth_year_1066=2, birth_year_2031=2, duplicate_clients=len(twice),
                                                  blank_client_ref_in_clients=len(nobody), empty_row_in_clients=1)


def _soil_referrals(rows, rng):
    """Impossible dates, exact duplicates, repeats of an episode, people who are not there, rows without a reference, an empty row."""
    open_long = rows["closed_date"].isna() | (
        pd.to_datetime(rows["closed_date"]) - pd.to_datetime(rows["referral_date"]) > pd.Timedelta(days=60))
    usable = ~rows.duplicated("person_id", keep=False) & open_long & rows["first_contact_date"].notna() & (rows["referral_date"] < pd.Timestamp("2025-08-01"))
    place = rng.permutation(rows.index[usable])
    early, future, unreal, again, strangers, blank, twice = np.split(place[:36], [5, 7, 10, 18, 22, 25])
    repeats, lost = rows.loc[again].copy(), rows.loc[strangers].assign(person_id=[f"P9{i:03}" for i in range(len(strangers))])
    repeats["referral_date"] = [d + pd.Timedelta(days=int(rng.integers(15, 56))) for d in repeats["referral_date"]]
    repeats = repeats.assign(status="New", first_contact_date=None, closed_date=None, closure_reason=None)
    extra = pd.concat([repeats, lost, rows.loc[blank].assign(person_id=None)])
    extra["referral_id"] = [f"R9{i:04}" for i in range(len(extra))]
    copies = rows.loc[twice]
    rows.loc[early, "first_contact_date"] = [d - pd.Timedelta(days=int(rng.integers(10, 41))) for d in rows.loc[early, "referral_date"]]
    rows.loc[future, "first_contact_date"] = pd.Timestamp("2035-03-14")
    rows.loc[unreal, "referral_date"] = "31/02/2025"
    return _mix(rows, [extra, copies], rng), dict(
        first_seen_before_referral=len(early), date_in_2035=len(future), date_not_in_calendar=len(unreal), repeat_referrals=len(again),
        referral_of_unknown_client=len(strangers), blank_client_ref_in_referrals=len(blank), duplicate_referrals=len(copies),
        empty_row_in_referrals=1)


def _mix(rows, more, rng):
    """All rows in a new order, with an empty one before the last."""
    rows = pd.concat([rows, *more], ignore_index=True)
    rows = rows.iloc[rng.permutation(len(rows))]
    return rows.reindex([*rows.index[:-1], -1, rows.index[-1]])


def _write_workbook(path, sheets, rng):
    """Sheets to Excel; each date at random a real date, 31/03/2025 or 2025-03-31."""
    import xlsxwriter

    with xlsxwriter.Workbook(path, {"default_date_format": "dd/mm/yyyy"}) as book:
        book.set_properties({"title": NOTICE, "created": CREATED})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, list(rows.columns))
            for number, cells in enumerate(rows.itertuples(index=False), start=1):
                for place, cell in enumerate(cells):
                    if isinstance(cell, pd.Timestamp) and not pd.isna(cell):
                        cell = [cell.to_pydatetime(), f"{cell:%d/%m/%Y}", f"{cell:%Y-%m-%d}"][rng.integers(3)]
                    if not pd.isna(cell):
                        sheet.write(number, place, cell)
