"""Draws the tables of one synthetic scheme from a Design whose truth is known.

Every number below is an assumption: made up, meant to be realistic, taken from no data. Wellbeing is a stable level plus a passing
state, on the SWEMWBS metric scale. People come when the sum is below a cut, so they improve on their own (regression to the mean)
by passing share x sd x Mills ratio, plus `recovery`. Only the scheme arm gets `effect`, whether the person is ever seen or not.
Other measures are straight lines in wellbeing plus noise, rounded to their scale. Use of services is Poisson with a gamma spread
between people, a bump around the referral, and a rate ratio afterwards in the scheme arm only.
"""

import zlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sprx.reference import allowed, facts
from sprx.scoring import EQ5D_DIMENSIONS

START, END, EXTRACT = (np.datetime64(day) for day in ("2024-04-01", "2025-09-30", "2025-12-31"))
LEVEL_MEAN, LEVEL_SD = 23.5, 4.0                     # SWEMWBS metric points, everybody
WAIT_SIGMA = 1.2                                     # of log days from referral to first contact
FOLLOW_UP_DAYS, JITTER_DAYS, BASELINE_DAYS = 90, 10, 14
NO_BASELINE, SECOND_EPISODE, RECENT_BEREAVEMENT = 0.05, 0.04, 0.15
LOSS_PER_POINT = {"mar": 0.15, "mnar": 0.5}          # log odds of no follow-up per SWEMWBS point lower
SCORES = {  # measure: score at SWEMWBS 20, change per SWEMWBS point, sd between people, sd between sittings, lowest, highest
    "swemwbs": (20.0, 1.0, 0.0, 1.0, 7, 35), "ucla3": (6.4, -0.25, 1.0, 0.8, 3, 9), "phq9": (11.0, -0.9, 2.5, 2.0, 0, 27),
    "ons_life_sat": (5.2, 0.3, 1.0, 1.0, 0, 10), "mobility": (2.2, -0.08, 0.9, 0.4, 1, 5), "self_care": (1.4, -0.05, 0.6, 0.3, 1, 5),
    "usual_activities": (2.2, -0.12, 0.8, 0.5, 1, 5), "pain_discomfort": (2.5, -0.08, 0.9, 0.5, 1, 5),
    "anxiety_depression": (2.7, -0.2, 0.7, 0.5, 1, 5)}
EQ5D = list(EQ5D_DIMENSIONS)
SERVICES = {"gp": 0.55, "nurse": 0.25, "ae": 0.06, "nel": 0.02, "op": 0.15, "mh": 0.04}   # uses per person and month
BUMP = {-3: 1.2, -2: 1.4, -1: 1.7, 0: 1.7}           # use around referral against other months
AGES = {(18, 29): 0.08, (30, 44): 0.16, (45, 64): 0.36, (65, 84): 0.33, (85, 95): 0.07}
SEXES = dict(female=0.60, male=0.385, other=0.005, not_known=0.005, not_stated=0.005)
ETHNICITIES = dict(A=0.72, B=0.02, C=0.05, D=0.015, G=0.01, H=0.03, J=0.03, K=0.01, L=0.01, M=0.02, N=0.015, P=0.005, R=0.005,
                   S=0.01, Z=0.03) | {"99": 0.02}
IMD = dict(zip(range(1, 11), (0.18, 0.16, 0.13, 0.11, 0.10, 0.08, 0.07, 0.06, 0.06, 0.05)))
SOURCES = dict(gp=0.58, other_primary_care=0.10, self=0.09, hospital=0.05, social_care=0.05, mental_health=0.05, vcse=0.04,
               council=0.02, job_centre=0.02)
REASONS = dict(needs_met=0.40, moved_on_to_activity=0.30, disengaged=0.17, referred_elsewhere=0.06, moved_away=0.03, other=0.02,
               not_recorded=0.02)
REFUSALS = dict(declined_support=0.5, unable_to_contact=0.42, other=0.08)
REFUSED = dict(declined_support="declined_by_person", unable_to_contact="did_not_attend", other="rejected_by_service")
NEEDS = dict(loneliness_isolation=0.24, mental_wellbeing=0.22, physical_activity=0.09, money_debt_benefits=0.09, housing=0.06,
             long_term_condition_self_management=0.06, healthy_lifestyle=0.05, bereavement=0.05, caring=0.04, practical_help=0.04,
             employment_training=0.03, food_fuel=0.03)
MODES = dict(telephone=0.45, face_to_face_clinic=0.2, face_to_face_community=0.15, home_visit=0.12, video=0.04, text_email=0.04)
MINUTES = dict(telephone=20, face_to_face_clinic=45, face_to_face_community=60, home_visit=60, video=30, text_email=5)
CASES_PER_WORKER = 90
ATTENDANCE = dict(completed=(0.4, 0.95), attended=(0.2, 0.75), stopped_early=(0.12, 0.35), attended_once=(0.08, 0.0),
                  booked=(0.1, None), did_not_start=(0.1, None))       # status: share, share of sessions attended
COSTS = [  # item, category, pounds per person referred, kind, basis
    ("Link workers", "link_worker", 190, "running", "actual"), ("Team leader", "management", 45, "running", "actual"),
    ("Rooms", "premises", 14, "running", "actual"), ("Case system licence", "software", 9, "running", "actual"),
    ("Employer overheads", "overhead", 30, "running", "budget"), ("Grants to community groups", "vcse_grants", 40, "running", "actual"),
    ("Volunteers' time", "volunteer_in_kind", 12, "running", "in_kind"), ("Induction training", "training", 10, "set_up", "actual")]
AREA_AGES = {"18-24": 0.11, "25-34": 0.17, "35-44": 0.16, "45-54": 0.17, "55-64": 0.16, "65-74": 0.12, "75-84": 0.08, "85+": 0.03}
AREA_ETHNICITIES = dict(white=0.84, mixed=0.02, asian=0.08, black=0.04, other=0.02)
AREA_PEOPLE = 120_000


@dataclass(frozen=True)
class Design:
    """What is planted in one synthetic scheme. Effects are in SWEMWBS metric points; waits in days; shares from 0 to 1."""

    name: str
    people: int = 400
    comparison: int = 0
    effect: float = 0.0
    recovery: float = 0.3
    cut: float = 20.0
    passing_share: float = 0.36                      # of the variance of wellbeing, what comes and goes
    dropout: float = 0.35
    mechanism: str = "mar"
    median_wait: float = 16.0
    never_seen: float = 0.12
    monthly_growth: float = 0.02
    ratios: tuple = (("gp", 1.0), ("ae", 1.0))       # service, rate ratio after referral
    instruments: tuple = ("swemwbs", "ucla3", "phq9", "ons_life_sat", "eq5d5l_map")
    gaps: tuple = ("bereavement_support", "digital_transport")
    place: tuple = (50.37, -4.14)
    how: str = "concurrent"                          # how the comparison people were found: a design of scheme.yaml
    milder: float = 0.0                              # by how much better comparison people could be and still be among them (confounding)
    clusters: int = 0                                # practices, half of each arm; 0 = no matter which practice
    cluster_sd: float = 0.0                          # of what all people of a practice gain or lose alike


def draw_tables(design, seed):
    """The standard's tables of one synthetic scheme.

    Parameters
    ----------
    design : Design
    seed : int

    Returns
    -------
    dict of str to DataFrame
        people, referrals, needs, contacts, activities, outcomes, service_use, costs, population, provision.
    """
    rng = np.random.default_rng([seed, zlib.crc32(design.name.encode())])
    count = design.people + design.comparison
    in_scheme = np.arange(count) < design.people
    scores = draw_scores(design, in_scheme, rng)
    start = _start_dates(design, count, rng)
    people = draw_people(design, start, scores["level"], rng)
    people["practice_code"] = people["practice_code"] if not design.clusters else [f"A99{i + 1:03}" for i in scores["cluster"]]
    service_use = _service_use(design, people["person_id"], start, in_scheme, rng)
    referrals = _referrals(design, people["person_id"].to_numpy()[in_scheme], start[in_scheme], rng)
    seen = referrals[referrals["first_contact_date"].notna()]
    provision = _provision(design, rng)
    never = ~people["person_id"].isin(seen["person_id"]).to_numpy() & in_scheme
    return dict(
        people=_with_prior_use(people, service_use, start), referrals=referrals, needs=_needs(referrals, rng),
        contacts=_contacts(seen, rng), activities=_activities(design, seen, provision, rng),
        outcomes=_outcomes(design, people["person_id"].to_numpy(), start, scores, never, rng),
        service_use=service_use.drop(columns="from_start"), costs=_costs(design), population=_population(), provision=provision)


# ---- wellbeing

def draw_scores(design, in_scheme, rng):
    """Levels, and the scores (people x SCORES) at baseline, at follow-up, and at follow-up had there been no scheme."""
    level, state = _selected(design, design.cut, len(in_scheme), rng)
    if design.milder:
        level, state = np.where(in_scheme, (level, state), _selected(design, design.cut + design.milder, len(in_scheme), rng))
    between, within = (np.array([s[i] for s in SCORES.values()]) for i in (2, 3))
    size = (len(level), len(SCORES))
    person, first, second = rng.normal(0, between, size), rng.normal(0, within, size), rng.normal(0, within, size)
    unaided = level + design.recovery + rng.normal(0, design.passing_share ** 0.5 * LEVEL_SD, len(level))
    cluster = np.zeros(len(level), dtype=int)
    if design.clusters:                              # half of them are in the scheme
        cluster = rng.integers(0, design.clusters // 2, len(level)) + np.where(in_scheme, 0, design.clusters // 2)
        unaided = unaided + rng.normal(0, design.cluster_sd, design.clusters)[cluster]
    return dict(level=level, cluster=cluster, baseline=_score(state, person + first), unaided=_score(unaided, person + second),
                follow_up=_score(unaided + design.effect * in_scheme, person + second))


def _selected(design, cut, count, rng):
    """Levels, and levels with their passing part, of people who come because the sum is below the cut."""
    passing_sd, level_sd = (LEVEL_SD * np.sqrt(s) for s in (design.passing_share, 1 - design.passing_share))
    level, state = np.empty(0), np.empty(0)
    while len(level) < count:
        levels = rng.normal(LEVEL_MEAN, level_sd, 12 * count)
        states = levels + rng.normal(0, passing_sd, len(levels))
        level, state = (np.append(a, b[states < cut])[:count] for a, b in ((level, levels), (state, states)))
    return level, state


def _score(wellbeing, noise):
    """Scores on each measure's scale for wellbeing in SWEMWBS points."""
    at_20, slope, low, high = (np.array([s[i] for s in SCORES.values()], dtype=float) for i in (0, 1, 4, 5))
    raw = at_20 + slope * (wellbeing[:, None] - 20) + noise
    scores = np.clip(np.rint(raw), low, high)
    metric = facts("swemwbs_metric")["metric"].astype(float).to_numpy()
    scores[:, 0] = metric[np.searchsorted((metric[1:] + metric[:-1]) / 2, raw[:, 0])]
    return scores


def lost_to_follow_up(design, scores, never, rng):
    """Who has no follow-up: the never seen, and others by baseline (mar) or by the follow-up score itself (mnar)."""
    score = scores["baseline" if design.mechanism == "mar" else "follow_up"][:, 0]
    odds = -LOSS_PER_POINT[design.mechanism] * (score - score.mean())
    low, high = -12.0, 12.0
    for _ in range(40):                              # halving: the intercept that gives the planned share
        middle = (low + high) / 2
        chance = np.where(never, 1, 1 / (1 + np.exp(-odds - middle)))
        low, high = (middle, high) if chance.mean() < design.dropout else (low, middle)
    return rng.random(len(score)) < chance


def _outcomes(design, persons, start, scores, never, rng):
    """Scores of both occasions, long."""
    parts = []
    lost = lost_to_follow_up(design, scores, never, rng)
    for occasion, missing, day, jitter in (("baseline", rng.random(len(persons)) < NO_BASELINE, 0, (0, BASELINE_DAYS)),
                                           ("follow_up", lost, FOLLOW_UP_DAYS, (-JITTER_DAYS, JITTER_DAYS))):
        dates = start + day + rng.integers(*jitter, len(persons), endpoint=True)
        kept = ~missing & (dates <= EXTRACT)
        for position, name in enumerate(SCORES):
            instrument, item = ("eq5d5l_map", name) if name in EQ5D else (name, "total")
            if instrument in design.instruments:
                parts.append(pd.DataFrame(dict(person_id=persons[kept], instrument=instrument, item=item, occasion=occasion,
                                               measured_on=dates[kept], value=scores[occasion][kept, position])))
    return pd.concat(parts, ignore_index=True).sort_values(["person_id", "occasion"], kind="stable", ignore_index=True)


# ---- people and their way through the scheme

def _pick(rng, shares, size):
    chance = np.array(list(shares.values()), dtype=float)
    return rng.choice(np.array(list(shares), dtype=object), size, p=chance / chance.sum())


def _yes(rng, chance, size, blank=0.0):
    answers = np.where(rng.random(size) < chance, "yes", "no").astype(object)
    return np.where(rng.random(size) < blank, None, answers)


def _start_dates(design, count, rng):
    """Working days of the period: a little more each month, four in ten fewer in December."""
    days = np.arange(START, END + 1)
    days = days[np.is_busday(days)]
    month = days.astype("datetime64[M]").astype(int)
    weight = (1 + design.monthly_growth) ** (month - month[0]) * np.where(month % 12 == 11, 0.6, 1.0)
    return rng.choice(days, count, p=weight / weight.sum())


def draw_people(design, start, level, rng):
    """One row per person; lower wellbeing brings more long-term conditions, deprivation more low income."""
    count = len(start)
    low, high = np.array([list(AGES)[i] for i in rng.choice(len(AGES), count, p=list(AGES.values()))]).T
    age, imd = rng.integers(low, high + 1), _pick(rng, IMD, count).astype(int)
    lsoa = [f"E0199{d:02}{i:02}" for d, i in zip(imd, rng.integers(0, 20, count))]      # no such areas exist
    unknown = rng.random(count) < 0.02
    since = np.where(rng.random(count) < RECENT_BEREAVEMENT, rng.integers(30, 730, count), rng.integers(731, 3650, count))
    bereaved = np.where((since < 730) | (rng.random(count) < 0.06), start - since, np.datetime64("NaT"))
    width = max(4, len(str(count)))
    return pd.DataFrame(dict(
        person_id=[f"P{i:0{width}}" for i in range(1, count + 1)],
        birth_year=start.astype("datetime64[Y]").astype(int) + 1970 - age, sex=_pick(rng, SEXES, count),
        ethnicity=_pick(rng, ETHNICITIES, count), imd_decile=pd.array(imd, dtype="Int64"), lsoa=lsoa,
        practice_code=[f"A99{i:03}" for i in rng.integers(1, 9, count)],
        arm=np.where(np.arange(count) < design.people, "scheme", "comparison"),
        index_date=np.where(np.arange(count) < design.people, np.datetime64("NaT"), start),
        long_term_conditions=np.minimum(rng.poisson(1.8 * np.exp(-0.06 * (level - 20))), 12),
        single_parent=_yes(rng, np.where(age < 60, 0.12, 0.01), count), low_income=_yes(rng, 0.55 - 0.04 * imd, count, 0.05),
        bereaved_on=bereaved, lives_alone=_yes(rng, np.where(age >= 65, 0.5, 0.3), count, 0.03),
        carer=_yes(rng, 0.16, count))).assign(
            imd_decile=lambda t: t["imd_decile"].mask(unknown), lsoa=lambda t: t["lsoa"].mask(unknown))


def _with_prior_use(people, service_use, start):
    """People with their GP and A&E use of the 12 months before the month they started."""
    before = service_use[service_use["from_start"] < 0]
    for service, column in (("gp", "gp_appointments_12m"), ("ae", "ae_attendances_12m")):
        total = before[before["service"] == service].groupby("person_id")["count"].sum()
        people = people.assign(**{column: people["person_id"].map(total).astype("Int64")})
    return people


def _pathway(design, persons, dates, rng):
    """Referrals from source to closure, as known on the extract date."""
    count, never = len(dates), rng.random(len(dates)) < design.never_seen
    first = dates + np.rint(design.median_wait * np.exp(rng.normal(0, WAIT_SIGMA, count))).astype(int)
    first = np.where(never | (first > EXTRACT), np.datetime64("NaT"), first)
    ended = np.where(never, dates + rng.integers(14, 57, count), first + rng.gamma(2.5, 40, count).astype(int))
    ended = np.where(ended > EXTRACT, np.datetime64("NaT"), ended)
    seen, closed = ~np.isnat(first), ~np.isnat(ended)
    reason = np.where(never, _pick(rng, REFUSALS, count), _pick(rng, REASONS, count))
    finished = np.where(np.isin(reason, ["needs_met", "moved_on_to_activity"]), "completed", "closed")
    status = np.select([never & closed, never, seen & closed, seen],
                       [pd.Series(reason).map(REFUSED).fillna("").to_numpy(str), "referred", finished, "active"], "waiting")
    return pd.DataFrame(dict(person_id=persons, referral_date=dates, source=_pick(rng, SOURCES, count), status=status,
                             first_contact_date=first, closed_date=ended, closure_reason=np.where(closed, reason, None)))


def _referrals(design, persons, start, rng):
    """Everybody's referral, and for a few whose case was closed a second, more than 180 days after the first."""
    first = _pathway(design, persons, start, rng)
    again = first[first["closed_date"].notna()]
    again = again.assign(date=np.maximum(again["referral_date"] + pd.Timedelta(days=181), again["closed_date"] + pd.Timedelta(days=30)))
    again = again[again["date"] <= pd.Timestamp(END)]
    again = again.iloc[rng.permutation(len(again))[:round(SECOND_EPISODE * len(first))]]
    second = _pathway(design, again["person_id"].to_numpy(), again["date"].to_numpy().astype("datetime64[D]"), rng)
    both = pd.concat([first, second]).sort_values(["referral_date", "person_id"], ignore_index=True)
    both.insert(0, "referral_id", [f"R{i:05}" for i in range(1, len(both) + 1)])
    return both


def _needs(referrals, rng):
    """One to three different needs per referral."""
    count = rng.choice([1, 2, 3], len(referrals), p=[0.4, 0.4, 0.2])
    order = np.argsort(-np.log(np.array(list(NEEDS.values()))) - rng.gumbel(size=(len(referrals), len(NEEDS))))[:, :3]
    row, place = np.nonzero(np.arange(3) < count[:, None])
    return pd.DataFrame(dict(referral_id=referrals["referral_id"].to_numpy()[row], need=np.array(list(NEEDS))[order[row, place]]))


def _contacts(seen, rng):
    """One to eight contacts from the first on, every 10 to 28 days until the case is closed."""
    count = 1 + np.minimum(rng.poisson(2.5, len(seen)), 7)
    row, place = np.nonzero(np.arange(8) < count[:, None])
    gaps = rng.integers(10, 29, (len(seen), 8))
    gaps[:, 0] = 0
    last = seen["closed_date"].fillna(pd.Timestamp(EXTRACT)).to_numpy()
    date = seen["first_contact_date"].to_numpy()[row] + gaps.cumsum(axis=1)[row, place].astype("timedelta64[D]")
    mode = _pick(rng, MODES, len(row))
    attended = (place == 0) | (rng.random(len(row)) < 0.85)
    minutes = np.maximum(5, 5 * np.rint(pd.Series(mode).map(MINUTES).to_numpy(float) * rng.uniform(0.6, 1.4, len(row)) / 5))
    table = pd.DataFrame(dict(referral_id=seen["referral_id"].to_numpy()[row], contact_date=date, mode=mode,
                              minutes=pd.array(np.where(attended, minutes, np.nan), dtype="Int64"),
                              attended=np.where(attended, "yes", "no"), **_workers(row)))[date <= last[row]].reset_index(drop=True)
    table.insert(0, "contact_id", [f"C{i:05}" for i in range(1, len(table) + 1)])
    return table


def _workers(case):
    """Who holds the contacts of each case: CASES_PER_WORKER cases each, one worker in three paid by the surgeries."""
    number = case // CASES_PER_WORKER
    return dict(worker_id=[f"W{i + 1:02}" for i in number], worker_role=["link worker"] * len(case),
                worker_employer=np.where(number % 3 == 2, "primary care network", "charity"))


def _activities(design, seen, provision, rng):
    """None to two activities per person seen; what no local service offers does not start."""
    row = np.repeat(np.arange(len(seen)), rng.choice([0, 1, 2], len(seen), p=[0.3, 0.5, 0.2]))
    kind = rng.choice([t for t in allowed("activity_type") if t != "other"], len(row))
    service = provision.groupby("activity_type")["service_id"].agg(list).reindex(kind)
    turn = rng.random(len(row))
    service = [s[int(t * len(s))] if isinstance(s, list) else None for s, t in zip(service, turn)]
    status = np.where(np.isin(kind, design.gaps), "did_not_start", _pick(rng, {s: a[0] for s, a in ATTENDANCE.items()}, len(row)))
    start = seen["first_contact_date"].to_numpy().astype("datetime64[D]")[row] + rng.integers(7, 36, len(row))
    status = np.where((start > EXTRACT) & (status != "did_not_start"), "booked", status)
    share = pd.Series(status).map({s: a[1] for s, a in ATTENDANCE.items()}).to_numpy(float)
    offered = rng.choice([6, 8, 10, 12], len(row))
    attended = np.where(status == "attended_once", 1, np.rint(share * offered))
    return pd.DataFrame(dict(
        referral_id=seen["referral_id"].to_numpy()[row], activity_type=kind, service_id=service, status=status,
        start_date=np.where(np.isnan(share), np.datetime64("NaT"), start),
        sessions_offered=pd.array(np.where(np.isin(kind, design.gaps), np.nan, offered), dtype="Int64"),
        sessions_attended=pd.array(np.where(np.isin(kind, design.gaps), np.nan, np.nan_to_num(attended)), dtype="Int64"))
    ).drop_duplicates(["referral_id", "activity_type"], ignore_index=True)


# ---- services, money, places

def _service_use(design, persons, start, in_scheme, rng):
    """Counts per calendar month, 12 before to 9 after the month of the start, as far as the extract reaches."""
    offset = np.arange(-12, 10)
    month = start.astype("datetime64[M]")[:, None] + offset
    known = month <= EXTRACT.astype("datetime64[M]")
    spread = rng.gamma(1.2, 1 / 1.2, len(start))[:, None]
    bump = np.array([BUMP.get(m, 1.0) for m in offset])
    parts = []
    for service, ratio in design.ratios:
        after = np.where(in_scheme[:, None] & (offset > 0), ratio, 1.0)
        count = rng.poisson(SERVICES[service] * spread * bump * after)
        row, place = np.nonzero(known)
        parts.append(pd.DataFrame(dict(person_id=persons.to_numpy()[row], month=np.datetime_as_string(month[row, place]),
                                       service=service, count=count[row, place], observed="yes", from_start=offset[place])))
    return pd.concat(parts, ignore_index=True)


def _costs(design):
    return pd.DataFrame([dict(item=item, category=category, amount_gbp=pounds * design.people, price_year="2024/25", kind=kind, basis=basis)
                         for item, category, pounds, kind, basis in COSTS])


def _population():
    """The area's adults by age, sex, deprivation (tenths of equal size) and five ethnic groups."""
    cells = pd.MultiIndex.from_product([AREA_AGES, {"female": 0.51, "male": 0.49}, AREA_ETHNICITIES, range(1, 11)],
                                       names=["age_band", "sex", "ethnicity", "imd_decile"]).to_frame(index=False)
    share = cells["age_band"].map(AREA_AGES) * cells["sex"].map({"female": 0.51, "male": 0.49}) * cells["ethnicity"].map(AREA_ETHNICITIES)
    return cells.assign(people=(AREA_PEOPLE * share / 10).round().astype(int))


def _provision(design, rng):
    """Thirty services over all kinds of activity but the planted gaps; some entries old or never checked."""
    kinds = {k: name for k, name in allowed("activity_type").items() if k not in (*design.gaps, "other")}
    kind = np.array([list(kinds)[i % len(kinds)] for i in range(30)])
    checked = EXTRACT - rng.integers(5, 700, 30)
    return pd.DataFrame(dict(
        service_id=[f"S{i:03}" for i in range(1, 31)], name=[f"{kinds[k]} {1 + i // len(kinds)}" for i, k in enumerate(kind)],
        activity_type=kind, area_code=[f"E0199{d:02}00" for d in rng.integers(1, 11, 30)],
        lat=(design.place[0] + rng.normal(0, 0.03, 30)).round(4), lon=(design.place[1] + rng.normal(0, 0.04, 30)).round(4),
        capacity_per_month=2 + rng.poisson(8, 30), assured_on=np.where(rng.random(30) < 0.1, np.datetime64("NaT"), checked)))


README = f"""# Sample schemes: SYNTHETIC

**Everything in this folder is made up. No row is about a real person, practice, service or place.** A computer program drew it,
and what it planted is in `truth.csv`, so that you can see whether a method finds it. Make it again, byte for byte, with

    sprx simulate data/sample

| scheme | what it is | what it teaches |
|---|---|---|
| `harbour` | 400 people and a comparison group of 400. It works: +2.0 SWEMWBS points at {FOLLOW_UP_DAYS} days | a comparison finds the true effect; the change alone is about twice as large |
| `moorside` | 350 people, no comparison group. It does nothing: effect 0 | everyone came at their worst, so everyone seems to gain. Also: semicolons, Windows-1252, day-first dates, other column names, scores side by side, raw SWEMWBS totals |
| `northfield` | 46 people, half without follow-up, the worse they felt the likelier; true effect +1.0 | small numbers, and gains that flatter because of who answered. Also: Parquet, answers to each question |
| `castle` | 260 people and their referrals in one untidy Excel file | what can be answered without outcomes; what cleaning finds: each kind of dirt is counted in `truth.csv` |

## How the numbers came about (all of it assumed)

* Referrals from {START} to {END}, {Design.monthly_growth:.0%} more each month, four in ten fewer in December; data as known on {EXTRACT}.
* Wellbeing in everybody: SWEMWBS mean {LEVEL_MEAN}, sd {LEVEL_SD}, made of a stable level and a passing state ({Design.passing_share:.0%} of the variance; moorside
  half). People are referred when it is below {Design.cut:g} (moorside 19). At {FOLLOW_UP_DAYS} days the passing state is drawn anew, so people improve
  without any scheme; time alone adds {Design.recovery} points more. The scheme's effect comes on top, for everyone referred.
* UCLA-3, PHQ-9, life satisfaction and the five EQ-5D-5L answers follow wellbeing in a straight line, with noise.
* {NO_BASELINE:.0%} have no baseline. {Design.dropout:.0%} (northfield half) have no follow-up: those never seen, and others, likelier the lower their
  baseline (log odds {LOSS_PER_POINT["mar"]} per point), in northfield the lower their follow-up score ({LOSS_PER_POINT["mnar"]} per point).
* Days from referral to first contact: lognormal, median {Design.median_wait:g}, sigma {WAIT_SIGMA:g}. {Design.never_seen:.0%} are never seen. {SECOND_EPISODE:.0%} come a second time.
* GP appointments ({SERVICES["gp"]} a month) and A&E attendances ({SERVICES["ae"]}): Poisson with a gamma spread between people; up to
  {max(BUMP.values())} times as many from three months before the referral to its month; from the month after, harbour has 0.85 and 0.90 times as many.
* Ages, sexes, ethnic groups, deprivation, sources, needs, contacts, activities and costs: the shares at the top of `sprx/sample.py`.
  Area, practice and service codes belong to nowhere. `population.csv` is an area of {AREA_PEOPLE:,} adults.
* `provision.csv` leaves out some kinds of activity on purpose: the gaps in `truth.csv`. `coproduction.csv` (harbour, northfield) holds made-up answers; northfield claims the most once with nothing to show for it.

`truth.csv` gives, per scheme: `quantity`, `value`, `unit`, `description`. The expected changes come from 50,000 people drawn the same way.
"""
