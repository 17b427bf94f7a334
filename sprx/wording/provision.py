"""Sentences about what exists locally: never more than a list can bear."""

import pandas as pd

from sprx.reference import facts
from sprx.wording.words import NOT_SHOWN, count, interval, kind_name, level_name, listed, number, one, percent

A_LIST = "A list that holds none does not mean that there is none."
NO_SERVICES = "a provision table: local services, what they offer, where, and how many people they can take"
STATE_WORDS = {"grows": "growing", "holds": "holding", "buckles": "buckling", "cannot be told": "of which the counts do not tell"}
ENTRY_WORDS = {"checked in the last three months": "were checked in the three months before the data were taken", "kind of activity": "have a kind of activity that could be told", "place": "give a place on the map",
               "places a month": "say how many people they can take", "cost": "say what they cost", "ages": "say which ages they take"}
MOST_NAMED = 4


def named_kinds():
    """The kinds of activity that schemes are known to prescribe: those the evidence page of 2015 names."""
    rows = facts("activities")
    return list(rows.loc[rows["source"].str.contains("2015 evidence page"), "activity_type"])


def absent_kinds(services, only=None):
    """Kinds of activity that no service listed offers, in the standard's order."""
    rows = services[services["group"].eq("activity_type") & services["measure"].eq("services_listed") & services["estimate"].eq(0)]
    return [kind for kind in rows["level"] if only is None or kind in only]


def kinds_listed(kinds, joint="and"):
    """'housing support and debt and money advice' reads badly: kinds with commas, the last after `joint`."""
    words = [kind_name(k) for k in kinds]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {joint} {words[-1]}" if words else ""


def note_lines(notes):
    """What was doubtful about the list, each under the thing that it is about."""
    about = (("left out", "Left out"), ("pages", "Missing"), ("services are missing", "Missing"), ("checked", "Checks"), ("mapped", "Kinds of activity"), ("own table", "Own table"), ("an age", "Ages"),
             ("location", "Places"), ("lat,", "Places"), ("lon,", "Places"), ("no name", "Names"), ("service id", "Ids"))
    return [(next((name for word, name in about if word in text), "Noted"), f"{text if '.csv' in text.split(':')[0] else text[0].upper() + text[1:]}.") for text in notes]


def has_services(services):
    """True when any service is listed."""
    return one(services, "services_listed") is not None and one(services, "services_listed").estimate > 0


def describe_listed(services):
    """How many services are listed, which of the kinds that schemes prescribe nobody on the list offers, and which others."""
    if not has_services(services):
        return f"Cannot be answered: needs {NO_SERVICES}."
    total = one(services, "services_listed")
    text = f"{count(total.estimate)} services are listed" + (f"; for {count(total.n_missing)} of them the kind of activity could not be told" if total.n_missing else "") + ". "
    named, known = named_kinds(), absent_kinds(services)
    missing, others = [k for k in named if k in known], [k for k in known if k not in named]
    text += f"Of the {len(named)} kinds of activity that schemes are known to prescribe, " + ("every one is listed" if not missing else f"{len(named) - len(missing)} are listed; nobody on the list offers {kinds_listed(missing, 'or')}") + "."
    text += f" Of the other kinds, nobody on the list offers {kinds_listed(others, 'or')}." if others else ""
    return text + (f" {A_LIST}" if known else "")


def describe_entries(entries):
    """What the entries say and what they leave out."""
    rows = entries.dropna(subset="estimate")
    if rows.empty:
        return ""
    said = [f"{percent(r.estimate, r.n)} {ENTRY_WORDS[r.level]}" for r in rows.itertuples()]
    return f"Of {count(rows['n'].iloc[0])} services, {', '.join(said[:-1])}, and {said[-1]}. A service that is listed may not take people now, and an old entry may be of one that has closed."


def describe_gap(gap, demand):
    """Kinds that people are sent to and nobody offers, and kinds for which the interval leaves no doubt about a gap or a surplus."""
    rows = gap[gap["group"].eq("activity_type")]
    shown = rows.dropna(subset="estimate")
    if rows.empty:
        return ""
    if shown.empty:
        return NOT_SHOWN
    shares = demand[demand["group"].eq("activity_type")].set_index("level")
    none = [r.level for r in shown.itertuples() if r.note.startswith("0 of ") and shares["estimate"].get(r.level, 0) > 0]
    none.sort(key=lambda kind: -shares["estimate"][kind])
    text = f"Of {count(shown['n'].max())} prescriptions, " if none else ""
    text += "; ".join(f"{percent(shares['estimate'][k], shares['n'][k])}{interval(shares.loc[k])} were for {kind_name(k)}" for k in none) + ", and no service listed offers it. " if len(none) == 1 else \
        "; ".join(f"{percent(shares['estimate'][k], shares['n'][k])} were for {kind_name(k)}" for k in none) + ": no service listed offers any of these. " if none else "Each kind that can be shown has at least one service listed. "
    more, less = shown[shown["conf_low"].gt(0)], shown[shown["conf_high"].lt(0)]
    text += _certain(more, "more is asked than is listed") + _certain(less, "more is listed than is asked")
    rest = len(shown) - len(more) - len(less)
    which = "the one kind that can be shown" if len(shown) == 1 else f"all {rest} kinds that can be shown" if rest == len(shown) else "the other kind" if rest == 1 else f"the other {rest} kinds"
    return text + (f"For {which} the interval holds both a gap and none: chance alone could have brought it." if rest else "")


def _certain(rows, words):
    if rows.empty:
        return ""
    said = [f"{kind_name(r.level)} ({number(r.estimate, True)} percentage points{interval(r, True)})".replace(" (95", "; 95").replace("))", ")") for r in rows.itertuples()]
    return f"Beyond chance, {words} for {listed(said[:MOST_NAMED])}. "


def describe_gap_areas(gap):
    """The cells of kind and area with the largest gap, and how many cannot be shown."""
    rows = gap[gap["group"].str.endswith("_by_area")]
    if rows.empty:
        return "Cannot be answered: needs where people live (lsoa, or a column area, in people), and area_code in the provision table."
    shown, hidden = rows.dropna(subset="estimate"), int(rows["estimate"].isna().sum())
    if shown.empty:
        return NOT_SHOWN
    top = shown.sort_values("estimate", ascending=False, kind="stable").iloc[0]
    text = f"The largest gap is in {level_name(top.group, top.level)}: its share of the prescriptions is {number(top.estimate)} percentage points above its share of the services{interval(top, True)}; it has {top.note}. " if top.estimate > 0 else ""
    certain = int((shown["conf_low"].gt(0) | shown["conf_high"].lt(0)).sum())
    text += f"In {certain} of {len(shown)} cells that can be shown the interval leaves out 0."
    return text + (f" {hidden} cells hold too few prescriptions to show." if hidden else "")


def describe_overlap_of_services(overlap, near_km):
    """How many services have another of the same kind near by."""
    rows = overlap[overlap["group"].eq("activity_type")].dropna(subset="estimate")
    if rows.empty:
        return "Cannot be answered: needs the latitude and longitude of services."
    some = rows[rows["estimate"].gt(0)].sort_values("estimate", ascending=False, kind="stable").head(MOST_NAMED)
    if some.empty:
        return f"No service listed has another of its kind within {number(near_km)} km."
    said = [f"{kind_name(r.level)} ({percent(r.estimate, r.n)} of {count(r.n)})" for r in some.itertuples()]
    return f"Services with another of their kind within {number(near_km)} km: {listed(said)}. Overlap is not waste: two lunch clubs in one street may serve different people."


def alike_lines(alike):
    """Pairs that may be one service: both names, and both ids."""
    return [(r.note, f"{r.level}: names {percent(r.estimate)} alike, same kind, near in place") for r in alike.head(20).itertuples()]


def describe_alike(alike):
    """How many pairs a human should look at."""
    if alike.empty:
        return "No two services listed are so alike in kind, place and name that somebody should look whether they are one."
    return f"{count(len(alike))} {'pair' if len(alike) == 1 else 'pairs'} of services may be the same one listed twice. A human should look; nothing was taken out."


def describe_offered_nearby(nearby, near_km):
    """What the scheme runs itself that others offer near by."""
    if nearby.empty:
        return "No service is marked as the scheme's own (run_by_scheme), so it cannot be told whether the scheme offers what others offer already."
    said = []
    for r in nearby.itertuples():
        name, kind = r.note or r.level.split(" | ")[0], kind_name(r.level.split(" | ")[-1])
        others = "its place is not known" if pd.isna(r.estimate) else f"{count(r.estimate)} other {'service offers' if r.estimate == 1 else 'services offer'} {kind} within {number(near_km)} km" if r.estimate else \
            f"nobody else listed offers {kind} within {number(near_km)} km" + (f" ({r.method.partition('; ')[2]})" if "; " in r.method else "")
        said.append(f"{name}: {others}")
    return f"The scheme runs {count(len(nearby))} of the services itself. {'; '.join(said)}. Whether the others suit the same people only those who know them can say."


def describe_places_used(used):
    """Prescriptions a month against places a month."""
    rows = used.dropna(subset="estimate")
    if used.empty or rows.empty:
        return NOT_SHOWN if len(used) and used["suppressed"].any() else "Cannot be answered: needs services that say how many people they can take (capacity_per_month), and prescriptions that name them (service_id)."
    full = rows[rows["estimate"].ge(100)]
    top = rows.sort_values("estimate", ascending=False, kind="stable").iloc[0]
    limits = f" ({100 * top.conf_level:g}% CI {percent(top.conf_low / 100)} to {percent(top.conf_high / 100)})" if pd.notna(top.conf_low) else ""
    text = f"Of the kinds that can be shown, this scheme would fill most in {kind_name(top.level)}: {percent(top.estimate / 100)} of the places a month{limits}, if everybody took theirs up. "
    text += f"It alone sends more than can be taken in {kinds_listed(full['level'])}. " if len(full) else "In none of these kinds does this scheme alone send more than can be taken. "
    return text + "Others send people to the same places, so how full they are is not known."


def describe_needs_served(needs, services):
    """Needs that people came with and that no service listed fits."""
    rows = services.dropna(subset="estimate")
    if rows.empty:
        return ""
    none = [r.level for r in rows.itertuples() if r.estimate == 0]
    few = rows[rows["estimate"].gt(0)].sort_values("estimate", kind="stable").head(3)
    shares = needs.set_index("level")["estimate"]
    said = [level_name("need", n).lower() + (f" ({percent(shares[n])} of the needs recorded)" if pd.notna(shares.get(n)) else "") for n in none]
    text = f"No service listed fits these needs: {listed(said)}. {A_LIST} " if none else "Every need that people came with has at least one service of a kind that fits. "
    fewest = [f"{level_name('need', r.level).lower()} ({count(r.estimate)})" for r in few.itertuples()]
    text += f"The fewest services fit {listed(fewest)}." if fewest else ""
    return text + " Which kinds fit which need is our judgement."


def describe_distance(distance):
    """How far people live from the nearest service of the kind they were prescribed."""
    row = one(distance, "distance_to_nearest")
    if row is None:
        return "Distances cannot be given: needs the middle of the small area that each person lives in (columns lsoa_lat and lsoa_lon of people). An address is neither needed nor wanted."
    return f"Half of the people live within {number(row.estimate)} km{interval(row)} of the nearest service of the kind that they were prescribed, as the crow flies from the middle of their small area."


def describe_community(changes, sent):
    """How many groups grow, hold and buckle, and how many people were sent to those that buckle."""
    rows = changes[changes["measure"].eq("community_groups")]
    if rows.empty:
        return ""
    said = [f"{count(r.estimate)} {'is' if r.estimate == 1 else 'are'} {STATE_WORDS[r.level]}" for r in rows.itertuples() if r.estimate]
    text = f"Of {count(rows['n'].iloc[0])} groups that are counted, {listed(said)}. "
    states = changes[changes["measure"].eq("community_state")]
    buckling, counts = list(states.loc[states["estimate"].eq(-1), "level"]), sent.set_index("level")["estimate"]
    if buckling and counts.reindex(buckling).notna().any():
        text += f"To {'the group' if len(buckling) == 1 else 'the groups'} buckling, people were sent {count(counts.reindex(buckling).sum())} times (as far as it can be shown). "
    return text + "That a group buckles while people are sent to it does not say that the one comes from the other."


def group_lines(changes, sent, names):
    """Each group with its state, its changes and what was sent to it; `names` gives the name of a service_id."""
    states = changes[changes["measure"].eq("community_state")].sort_values(["estimate", "level"], kind="stable")
    return [(names.get(r.level) if isinstance(names.get(r.level), str) else r.level, _group_words(r, changes, sent)) for r in states.itertuples()]


def _group_words(state, changes, sent):
    what, _, span = state.note.partition("; ")
    said = []
    for column, unit in (("members", "%"), ("volunteers", "%"), ("sessions", "%"), ("confidence", " points of 10")):
        row = changes[changes["measure"].eq(f"community_{column}_change") & changes["level"].eq(state.level)]
        if len(row):
            value = row["estimate"].iloc[0]
            said.append(f"{column} {number(value, True)}{unit}" if pd.notna(value) else f"{column} not given")
    rows = sent[sent["level"].eq(state.level)]
    people = "" if rows.empty else "; prescriptions to it: too few to show" if pd.isna(rows["estimate"].iloc[0]) else f"; prescriptions to it: {count(rows['estimate'].iloc[0])}"
    return f"{STATE_WORDS[what]} ({', '.join(said)}; {' to '.join(_day(d) for d in span.split(' to '))}){people}"


def _day(text):
    day = pd.Timestamp(text)
    return f"{day.day} {day:%B %Y}"


# ---- alt texts and rows to draw

def gap_rows(gap):
    """The gap of each kind, largest first; kinds that may not be shown come last."""
    return gap[gap["group"].eq("activity_type")].sort_values("estimate", ascending=False, kind="stable", na_position="last")


def area_rows(gap):
    """The cells of kind and area."""
    return gap[gap["group"].str.endswith("_by_area")]


def used_rows(table):
    """The kinds whose use can be shown, the most used first."""
    return table.dropna(subset="estimate").sort_values("estimate", ascending=False, kind="stable")


def kind_rows(table):
    """The rows of each kind of activity."""
    return table[table["group"].eq("activity_type")]


def alt_of_gap(gap):
    """Every gap that the figure shows."""
    said = [f"{kind_name(r.level)} {'not shown' if pd.isna(r.estimate) else number(r.estimate, True)}" for r in gap.itertuples()]
    return f"Share of prescriptions minus share of services, in percentage points: {'; '.join(said)}."


def alt_of_gap_areas(cells):
    """The largest and the smallest gap of the map of kinds by areas."""
    rows = cells.dropna(subset="estimate").sort_values("estimate", kind="stable")
    low, high = rows.iloc[0], rows.iloc[-1]
    return (f"A grid of {cells['level'].str.split(' | ', regex=False).str[0].nunique()} groups of activity by {cells['level'].str.split(' | ', regex=False).str[1].nunique()} areas. Largest gap: "
            f"{level_name(high.group, high.level)}, {number(high.estimate, True)} percentage points; smallest: {level_name(low.group, low.level)}, {number(low.estimate, True)}.")


def alt_of_services_map(places):
    """How many services of each family the map shows."""
    said = [f"{kind_name(family)} {len(rows)}" for family, rows in places.groupby("group", sort=False)]
    return f"A map without streets: each mark is a service at its place. {'; '.join(said)}."
