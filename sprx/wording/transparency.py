"""Sentences of chapter 09: how open and how strong the evaluation is, where it could be wrong, and what to do next."""

import pandas as pd

from sprx.reference import facts
from sprx.wording.words import level_name, listed, number, one, percent

MARKS = {1.0: ("●", "Present"), 0.5: ("◐", "Partly"), 0.0: ("○", "Absent")}
CHAPTERS = {"summary": "the summary", "when": "When", "for_whom": "For whom", "how_well": "How well", "impact": "What difference", "cost": "What it costs",
            "cost_effectiveness": "Is it worth the money", "all chapters": "all chapters"}
TOOL_WORDS = {"TIDieR": "what is done (TIDieR)", "STROBE/TREND": "how people were studied (STROBE and TREND)", "CHEERS 2022": "the money (CHEERS 2022)"}
RATING_WORDS = {1.0: "Low", 2.0: "Some", 3.0: "High"}
KIND_WORDS = {"record": "Record", "write": "Write down once", "agree": "Agree with others", "study": "Plan a study"}
KIND_LISTS = {"need": "need", "activity": "activity_type", "service": "service"}
ALREADY_SAID = ("follow_up", "first_score", "second_score", "comparison", "costs")      # steps that other chapters' answers name
NO_COPRODUCTION = ("a coproduction table: for each of co-commission, co-design, co-deliver and co-assess a level from 0 (people have no hand in it) to 3 (equal partners), and in "
                   "`evidence` a document, a date and who was there (roles, not names)").replace("`", "")


def describe_checks(table):
    """The score with what it is made of: how many checks are met, and the score of each list."""
    rows = table[table["measure"].eq("check_result")]
    known, score = rows["estimate"].dropna(), one(table, "check_score")
    if score is None:
        return "No check can be made: there are no earlier results to check."
    counts = [(int(known.eq(value).sum()), words) for value, words in ((1.0, "met"), (0.5, "met in part"), (0.0, "not met"))]
    apply = f"of {len(known)} checks" + (" that apply," if len(known) < len(rows) else ",")
    parts = table[table["measure"].eq("check_score") & table["group"].eq("tool") & table["estimate"].notna()]
    made_of = listed([f"{TOOL_WORDS[row.level]} {number(round(row.estimate))}" for row in parts.itertuples()])
    return f"{number(round(score.estimate))} of 100 for openness: {apply} {listed(f'{n} {words}' for n, words in counts if n)}. By list: {made_of}."


def describe_level(table):
    """The Maryland level reached, in a sentence."""
    row = one(table, "strength_maryland")
    return "" if row is None else f"The design is at level {row.estimate:.0f} of 5 on the Maryland scale: {level_words('maryland', row.estimate)}."


def check_lines(table, tool):
    """Each check of a tool: its topic and number; a mark, a word, where in the report, and why."""
    topics, lines = facts("transparency/checks").set_index("id"), []
    for row in table[table["measure"].eq("check_result") & table["group"].eq(tool)].itertuples():
        about = topics.loc[row.level]
        mark, word = MARKS.get(row.estimate, ("–", "Does not apply"))
        where = CHAPTERS.get(about["chapter"], about["chapter"])
        lines.append((f"{about['topic']} ({about['item']})", f"{mark} {word}. {row.note[0].upper()}{row.note[1:]}. Where: {where}, “{about['heading']}”."))
    return lines


def describe_strength(table):
    """The Maryland and the Nesta level, in words."""
    said = []
    for scale, name in (("maryland", "Maryland scale of designs"), ("nesta", "Nesta scale of evidence")):
        row = one(table, f"strength_{scale}")
        if row is not None:
            said.append(f"{name}: level {row.estimate:.0f} of 5, {level_words(scale, row.estimate)}" + (f" ({row.note})" if row.note else "") + ".")
    return " ".join(said)


def level_words(scale, level):
    """What a level means, in our words."""
    rows = facts("transparency/levels")
    return rows[rows["scale"].eq(scale) & rows["level"].eq(f"{level:.0f}")]["words"].iloc[0]


def level_lines(table):
    """For each scale the level reached and the next one, in our words."""
    lines = []
    for scale in ("maryland", "nesta"):
        row = one(table, f"strength_{scale}")
        for name, level in (("this run", row.estimate), ("next", row.estimate + 1)) if row is not None else ():
            if level <= 5:
                words = level_words(scale, level)
                lines.append((f"{scale.capitalize()}, {name}: level {level:.0f}", f"{words[0].upper()}{words[1:]}."))
    return lines


def describe_bias(table):
    """How much room for error in each domain, in one sentence."""
    names = facts("transparency/bias_domains").set_index("domain")["name"]
    rows, said = table[table["measure"].eq("bias_domain_rating")], []
    for value, words in ((3.0, "high"), (2.0, "some"), (1.0, "low")):
        found = [f"“{names[level].lower()}”" for level in rows.loc[rows["estimate"].eq(value), "level"]]
        said += [f"{words} for {listed(found)}"] if found else []
    unknown = [f"“{names[level].lower()}”" for level in rows.loc[rows["estimate"].isna(), "level"]]
    text = f"Room for error: {'; '.join(said)}." if said else ""
    return f"{text} We cannot tell for {listed(unknown)}.".strip() if unknown else text


def bias_lines(table):
    """Each domain: its question; the judgement, why, and the numbers behind it."""
    domains, lines = facts("transparency/bias_domains").set_index("domain"), []
    for row in table[table["measure"].eq("bias_domain_rating")].itertuples():
        numbers = table[table["measure"].eq("bias_domain_number") & table["group"].eq(row.level) & table["estimate"].notna()]
        said = "; ".join(f"{n.level}: {percent(n.estimate) if n.unit == 'proportion' else f'{number(n.estimate)} {n.unit}'}" for n in numbers.itertuples())
        lines.append((f"{domains.at[row.level, 'name']}. {domains.at[row.level, 'asks']}", f"{RATING_WORDS.get(row.estimate, 'Cannot tell')}: {row.note}." + (f" {said[0].upper()}{said[1:]}." if said else "")))
    return lines


# ---- what to do next

def hours_words(hours):
    """'half an hour', 'about 4 hours', in the first year."""
    return "half an hour" if hours <= 0.5 else "about an hour" if hours < 1.5 else f"about {number(round(hours))} hours"


def gain_words(note):
    """What a step gains, from 'check:who standard:needs maryland:1'."""
    gains, groups, domains = note.split(), facts("transparency/standard_groups").set_index("group")["name"], facts("transparency/bias_domains").set_index("domain")["name"]
    checks = [facts("transparency/checks").set_index("id").at[g.removeprefix("check:"), "topic"].split(":")[0] for g in gains if g.startswith("check:")]
    said = [f"level {g.split(':')[1]} on the {g.split(':')[0].capitalize()} scale" for g in gains if g.startswith(("maryland", "nesta"))]
    said += [f"“{groups[g.split(':')[1]].lower()}” of the information standard" for g in gains if g.startswith("standard:")]
    said += [f"doubts about “{domains[g.split(':')[1]].lower()}”" for g in gains if g.startswith("bias:")]
    said += ["co-production"] * ("coproduction" in gains) + [f"the check “{checks[0]}”" if len(checks) == 1 else f"{len(checks)} checks"] * bool(checks)
    return listed(said)


def step_sentences(steps):
    """Each step as a sentence: what to do, what it takes, what it helps with."""
    known = facts("transparency/next_steps").set_index("id")
    return [f"{known.at[row.level, 'step']}. It takes {hours_words(row.estimate)} in the first year and helps with {gain_words(row.note)}." for row in steps.itertuples()]


def step_lines(steps):
    """Every step, cheapest first: the kind and the hours; what to do, what it helps with, and why it takes so long."""
    known = facts("transparency/next_steps").set_index("id")
    return [(f"{KIND_WORDS[row.group]}: {hours_words(row.estimate)}", f"{known.at[row.level, 'step']}. Helps with {gain_words(row.note)}. Why: {known.at[row.level, 'reasoning']}.")
            for row in steps.itertuples()]


def describe_steps(steps):
    """How hours were worked out."""
    if steps.empty:
        return "Nothing is left to gain that sprx knows of."
    people = steps["method"].iloc[0].split(" for each of ")[-1]
    more = " The dearest step here, a comparison group, is the only one that shows what the scheme does." if steps["level"].eq("comparison").any() else ""
    return f"Hours are a judgement of ours, not a measurement: so many once, and so many minutes for each of {people}.{more}"


# ---- co-production

def describe_coproduction(table):
    """The score of the four Co's, with the answers it is made of."""
    score = one(table, "coproduction_score")
    if score is None:
        return ""
    rows = table[table["measure"].eq("coproduction_level")]
    made_of = listed([f"{row.level} {'no answer' if pd.isna(row.estimate) else number(row.estimate)}" for row in rows.itertuples()])
    return f"Co-production: {number(score.estimate)} of 12 ({made_of}). These are the scheme's own answers; each should have a document behind it."


def coproduction_lines(table, answers):
    """Each of the four Co's: what it means; the level in words and the evidence as it was written (shown as text, never as markup)."""
    words, lines = facts("transparency/levels").set_index("scale")["words"], []
    evidence = dict(zip(answers["practice"], answers["evidence"]))
    for row in table[table["measure"].eq("coproduction_level")].itertuples():
        if pd.isna(row.estimate):
            text = "No answer."
        else:
            meaning = level_words("coproduction", row.estimate)
            text = f"Level {row.estimate:.0f} of 3: {meaning}" + (f" ({row.note})" if row.note else "") + "."
            text += f" Evidence: {evidence[row.level]}." if evidence.get(row.level) else " No evidence is given."
        lines.append((f"{row.level.capitalize()}: {words[row.level]}", text))
    return lines


# ---- the information standard, frameworks and RAP

def describe_standard(table):
    """How many referrals have each of the four groups filled in."""
    groups, said = facts("transparency/standard_groups").set_index("group"), []
    for group in groups.index:
        row = one(table[table["group"].eq("all")], f"standard_filled_{group}")
        said.append(f"{groups.at[group, 'name'].lower()} {'cannot be shown' if row is None else percent(row.estimate, row.n)}")
    return f"Filled in: {listed(said)} of referrals. A group counts only if all that is asked is there."


def standard_lines():
    """What each of the four groups asks for here."""
    return [(row.name_, f"{row.asks[0].upper()}{row.asks[1:]}.") for row in facts("transparency/standard_groups").rename(columns={"name": "name_"}).itertuples()]


def standard_name(measure):
    """'What they need' for standard_filled_needs."""
    return facts("transparency/standard_groups").set_index("group").at[measure.removeprefix("standard_filled_"), "name"]


def alt_of_standard(table):
    """The first and the last month that can be shown, for each group."""
    said = []
    for measure, rows in table.groupby("measure", sort=False):
        rows = rows.dropna(subset="estimate")
        if len(rows):
            said.append(f"{standard_name(measure)}: {percent(rows['estimate'].iloc[0])} in {rows['level'].iloc[0]}, {percent(rows['estimate'].iloc[-1])} in {rows['level'].iloc[-1]}")
    return "Share of each month's referrals with a group filled in. " + ("; ".join(said) + "." if said else "Not shown: too few people.")


def alt_of_checks(table):
    """The counts of each bar."""
    said = [f"{TOOL_WORDS[tool]}: {listed([f'{row.estimate:.0f} {row.level}' for row in rows.itertuples() if row.estimate])}" for tool, rows in table.groupby("group", sort=False)]
    return f"Checks met, by list. {'; '.join(said)}."


def framework_lines(table, measured):
    """Each measure with the indicators it speaks to; codes that nobody could verify say so."""
    names, lines = dict(zip(measured["measure"], measured["name"])), []
    for measure, rows in table.groupby("group", sort=False):
        said = [f"{row.level}{'' if row.estimate == 1 else ' (not verified)'}: {row.note}" for row in rows.itertuples()]
        kind, _, level = measure.partition(":")
        lines.append((f"{kind.capitalize()}: {level_name(KIND_LISTS[kind], level)}" if level else names.get(measure, measure), "; ".join(said) + "."))
    return lines


def describe_frameworks(table):
    """How many codes could be read in a source."""
    if table.empty or table["estimate"].isna().all():
        return ""
    codes = table.drop_duplicates("level")
    return f"What is measured here speaks to {len(codes)} indicators of PHOF, NHS OF and ASCOF; {int(codes['estimate'].eq(1).sum())} of their codes were read in a source, the others are not verified. Which measure speaks to which is our judgement."


def describe_rap(table):
    """How many points of each level of RAP the run meets, and the level that depends on the team."""
    rows = table[table["measure"].eq("rap_met")]
    parts = listed([f"{row.level} {row.estimate:.0f} of {row.n:.0f}" for row in rows.itertuples()])
    return f"This run meets by itself: {parts}. What is left is for the scheme's team."


def rap_lines(table):
    """Each level: what the run meets and by what fact, what it does not, and what the team must see to."""
    items, lines = facts("transparency/rap").set_index("id")["item"], []
    for level, rows in table[table["measure"].eq("rap_item")].groupby("group", sort=False):
        said = {value: [f"{items[row.level][0].lower()}{items[row.level][1:]} ({row.note})" for row in rows.itertuples() if row.estimate == value] for value in (1.0, 0.0)}
        todo = [row.note for row in rows.itertuples() if pd.isna(row.estimate)]
        parts = [f"Met: {'; '.join(said[1.0])}."] * bool(said[1.0]) + [f"Not met: {'; '.join(said[0.0])}."] * bool(said[0.0])
        lines.append((level.capitalize(), " ".join(parts + [f"For the team: {'; '.join(todo)}." if todo else "Nothing is left for the team."])))
    return lines
