"""Synthetic schemes: the four of data/sample, each dressed as its own export, and any number for benchmarks, with their truth."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pandas as pd
import yaml

from sprx import sample, sample_feeds
from sprx.prices import unit_cost
from sprx.reference import facts
from sprx.sample import Design, draw_tables
from sprx.scoring import eq5d_utility
from sprx.stats.economics import annual_equivalent
from sprx.untidy import CASTLE_CLIENTS, CASTLE_LABELS, CASTLE_REFERRALS, NOTICE, soil_clients, soil_referrals, write_workbook

SEED, BIG = 20260401, 50_000
HARBOUR = Design("harbour", people=400, comparison=400, effect=2.0, ratios=(("gp", 0.85), ("ae", 0.90)))
MOORSIDE = Design("moorside", people=350, cut=19.0, passing_share=0.5, instruments=("swemwbs", "ucla3"),
                  gaps=("housing", "carer_support", "learning"), place=(54.43, -0.98))
NORTHFIELD = Design("northfield", people=46, effect=1.0, dropout=0.5, mechanism="mnar", instruments=("swemwbs", "ucla3"))
CASTLE = Design("castle", people=260)
UNITS = dict(swemwbs="SWEMWBS metric points", ucla3="UCLA-3 points", phq9="PHQ-9 points", ons_life_sat="points of 10",
             eq5d5l_map="utility")
PLAN = dict(contacts=4, days=90, minutes=30, caseload=35)
COPRODUCTION = {     # practice: level and evidence, made up; a scheme works with its people in some things more than in others
    "harbour": [("co-commission", 1, "Open meeting of 12 June 2024, minutes item 3; commissioner and 20 residents"),
                ("co-design", 3, "Design group of 2023/24, terms of reference and six notes; half of its members were people who had been referred"),
                ("co-deliver", 2, "Volunteer rota 2024/25; two groups are led by people who once came to them"), ("co-assess", 1, "Feedback cards, summary of March 2025")],
    "northfield": [("co-design", 1, "Leaflet tried out with one group, May 2024"), ("co-deliver", 3, ""), ("co-assess", 0, "")]}
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
        folders.append(write_plain(out / design.name, design, tables, f"Scheme {number:03} (synthetic)"))
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
    (out / "README.md").write_text(sample.README.replace("\n`truth.csv` gives", sample_feeds.README + "\n`truth.csv` gives"), encoding="utf-8", newline="\n")
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
    if {"costs", "service_use"} <= set(tables) and design.comparison and "eq5d5l_map" in design.instruments:
        rows += _planted_value(design)
    return _truth(design.name, rows)


def _truth(scheme_id, rows):
    table = pd.DataFrame(rows, columns=["quantity", "value", "unit", "description"])
    table.insert(0, "scheme_id", scheme_id)
    values = table["value"].astype(float)
    return table.assign(value=values.round(3).where(table["unit"].ne("QALYs a person"), values.round(5)))


def _planted_waits(design):
    half = NormalDist().inv_cdf(0.5 / (1 - design.never_seen))
    return [("median_days_to_contact", design.median_wait, "days", "referral to first contact, those who are ever seen"),
            ("median_days_to_contact_all", design.median_wait * np.exp(sample.WAIT_SIGMA * half), "days",
             "day by which half of all referrals have been seen"),
            ("share_never_seen", design.never_seen, "proportion", "referrals that never lead to a contact")]


def _planted_value(design):
    """What the scheme adds and costs, per person, over the months that its scheme.yaml looks at (ECONOMICS), at the prices that sprx uses."""
    year, months, threshold = ECONOMICS["price_year"], ECONOMICS["horizon_months"], ECONOMICS["thresholds"][0]
    effect = _expected(replace(design, name="any", people=BIG, comparison=0, place=(0.0, 0.0), ratios=(), gaps=()))["eq5d5l_map"][0]
    gained = effect / 2 * months / 12                   # the area of a triangle: the effect grows from the start to the follow-up
    used = sum(sample.SERVICES[s] * (ratio - 1) * months * unit_cost(s, year)["value"] for s, ratio in design.ratios)
    spread = annual_equivalent(1.0, 5, 0.035) * ((sample.END - sample.START).astype(int) + 1) / 365.25
    own = sum(pounds * (spread if kind == "set_up" else 1.0) for _, _, pounds, kind, _ in sample.COSTS)
    when = f"over {months} months"
    return [("cost_per_person_gbp", own, "pounds", "of the scheme itself, set-up spread over 5 years"), ("incremental_qaly", gained, "QALYs a person", f"true gain {when}"),
            ("incremental_cost_gbp", own + used, "pounds", f"true cost a person {when}, less use of services"),
            (f"net_benefit_{threshold}_gbp", threshold * gained - own - used, "pounds", f"a person, {when}")]


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
    more |= dict(subgroups=["sex", "imd_quintile"], plan=PLAN, norms=_norms(design))
    cluster = dict(cluster="practice_code") if design.clusters else {}
    return more | (dict(comparison=dict(design=design.how) | cluster) if design.comparison else {})


def _norms(design):
    """What is planted of people in general: mean and sd of SWEMWBS, and the share of its variance that lasts."""
    spread = sample.LEVEL_SD ** 2 + sample.SCORES["swemwbs"][3] ** 2
    lasting = (1 - design.passing_share) * sample.LEVEL_SD ** 2
    return dict(swemwbs=dict(mean=sample.LEVEL_MEAN, sd=round(spread ** 0.5, 2), reliability=round(lasting / spread, 2), source="planted by the simulator"))


def write_plain(folder, design, tables, name):
    """A scheme in the standard's own words: UTF-8 CSV, nothing to map."""
    for table, rows in tables.items():
        write_csv(rows, folder / f"{table}.csv")
    _write_settings(folder, design, "In the data standard's own column names: nothing to map.",
                    dict(name=name) | _outcome_settings(design) | dict(economics=ECONOMICS, seed=1)
                    | dict(tables={table: dict(file=f"{table}.csv") for table in tables}))
    return folder


def _write_harbour(folder, design, tables):
    community, truth = sample_feeds.draw_community(tables["provision"], tables["activities"])
    write_plain(folder, design, tables | dict(community=community, coproduction=_coproduction(design)), "Harbour (synthetic)")
    return tables, _truth(design.name, truth)


def _coproduction(design):
    return pd.DataFrame(COPRODUCTION[design.name], columns=["practice", "level", "evidence"])


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
                    _outcome_settings(design) | dict(comparison=dict(design="none"), economics=ECONOMICS, seed=1, tables=specs))
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
    kept = dict(people=people) | {t: tables[t] for t in ("referrals", "needs", "contacts", "activities", "costs")} | dict(coproduction=_coproduction(design))
    for table, rows in kept.items():
        write_csv(rows, folder / f"{table}.csv")
    answers = _answers(tables["outcomes"], np.random.default_rng(SEED))
    answers.to_parquet(folder / "outcomes.parquet", index=False)
    truth = sample_feeds.write_tables(folder / "directory", tables["provision"])
    specs = {table: dict(file=f"{table}.csv") for table in kept} | dict(outcomes=dict(file="outcomes.parquet"), provision=dict(file="directory", own_table="our_view.csv"))
    _write_settings(folder, design, "Small, and half of the follow-up is lost: the worse people felt, the less likely they answered.",
                    _outcome_settings(design) | dict(seed=1, tables=specs))
    return [*kept, "outcomes", "provision"], _truth(design.name, truth)


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


def _write_castle(folder, design, tables):
    """People and referrals only, two sheets, mixed labels and dates, and planted dirt."""
    rng = np.random.default_rng(SEED)
    people, referrals = (tables[t].assign(**{c: [ways[v][int(rng.random() * len(ways[v]))] for v in tables[t][c]]
                                             for c, ways in CASTLE_LABELS.items() if c in tables[t]}) for t in ("people", "referrals"))
    clients, in_clients = soil_clients(people[list(CASTLE_CLIENTS)].astype(object), rng)
    referrals, in_referrals = soil_referrals(referrals[list(CASTLE_REFERRALS)].astype(object), rng)
    write_workbook(folder / "castle_export.xlsx", {"Clients": clients.rename(columns=CASTLE_CLIENTS),
                                                    "Referrals 24-25": referrals.rename(columns=CASTLE_REFERRALS)}, rng)
    specs = {table: dict(file="castle_export.xlsx", sheet=sheet, columns={v: k for k, v in names.items()})
             for table, sheet, names in (("people", "Clients", CASTLE_CLIENTS), ("referrals", "Referrals 24-25", CASTLE_REFERRALS))}
    feed = sample_feeds.write_pages(folder / "directory", tables["provision"])
    specs["provision"] = dict(file="directory")
    _write_settings(folder, design, "An untidy workbook, people and referrals only, and a directory of services: the dirt is planted and counted in truth.csv.",
                    dict(seed=1, tables=specs))
    dirt = [(f"dirt_{kind}", count, "rows", "planted, to be found by cleaning") for kind, count in (in_clients | in_referrals).items()]
    return ["people", "referrals", "provision"], _truth(design.name, dirt + feed)
