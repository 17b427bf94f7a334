"""Sentences of chapter 02."""

import pandas as pd

from sprx.wording.words import NAMES, NOT_SHOWN, count, describe_axis, interval, level_name, level_of, listed, number, one, percent

STAGES = {"seen": "seen", "completed": "completed", "followed_up": "followed up"}
WHO = {"seen": ("who were seen", "who were not"), "completed": ("who completed", "who did not"), "followed_up": ("who were followed up", "who were not")}
ALIKE = 0.03            # shares as near as this are said to be the same in every group
WORTH_A_LOOK = 0.1      # the SMD above which groups are usually looked at again (Austin 2009 Stat Med 28:3083)


def describe_composition(table):
    """The largest level of each characteristic, and how many are not recorded."""
    said = []
    for group, rows in table.groupby("group", sort=False):
        known = rows[rows["level"] != "missing"].dropna(subset="estimate")
        missing = one(rows, "share_of_people", "missing")
        name = NAMES.get(group, group.replace("_", " "))
        if len(known):
            top = known.loc[known["estimate"].idxmax()]
            most = listed(level_name(group, level) for level in known.loc[known["estimate"].eq(top.estimate), "level"])
            said.append(f"{name}: most often {most}, {percent(top.estimate, top.n)}"
                        + (f" (not recorded for {percent(missing.estimate, missing.n)})" if missing is not None else ""))
        elif rows["suppressed"].any():
            said.append(f"{name}: too few people to show")
        else:
            said.append(f"{name}: not recorded")
    return ". ".join(s[0].upper() + s[1:] for s in said) + "." if said else NOT_SHOWN


def describe_rates(table):
    """The highest and the lowest referral rate of one characteristic."""
    shown = table[table["level"] != "missing"].dropna(subset="estimate")
    if len(shown) < 2:
        return NOT_SHOWN
    low, high = shown.loc[shown["estimate"].idxmin()], shown.loc[shown["estimate"].idxmax()]
    group = shown["group"].iloc[0]
    among = ", among the groups that can be shown," if table["suppressed"].any() else ""
    return (f"By {NAMES.get(group, group)}{among} the highest rate was {number(high.estimate)} people referred per 1,000 residents{interval(high)}, "
            f"for {level_name(group, high.level)}; the lowest was {number(low.estimate)}{interval(low)}, for {level_name(group, low.level)}.")


def describe_groups(table):
    """How many belong to each suitable group, and how many to none."""
    known = table[table["measure"] == "share_in_suitable_group"].dropna(subset="estimate")
    groups = known[known["level"] != "none of these"]
    people = table[table["measure"] == "people_in_suitable_group"].set_index("level")["estimate"]
    said = [f"{level_name('suitable_group', r.level).lower()} {count(people[r.level])} people, {percent(r.estimate, r.n)}{interval(r)}" for r in groups.itertuples()]
    none = one(table, "share_in_suitable_group", "none of these")
    shares = table[table["measure"] == "share_in_suitable_group"]
    unknown = shares[shares["note"].str.startswith("the data do not hold") & shares["level"].ne("none of these")]["level"]
    text = f"Of the people referred: {'; '.join(said)}. A person can be in several groups." if said else \
        "Too few people to show how many belong to the groups." if table["suppressed"].any() else "The data do not show any of the five groups."
    if none is not None:
        text += f" In none of the groups that the data can show: {count(people['none of these'])} people, {percent(none.estimate, none.n)}{interval(none)}."
    if len(unknown):
        text += f" Not recorded, so not counted: {listed(level_name('suitable_group', g).lower() for g in unknown)}."
    return text


def describe_table_one(table):
    """In what people who came so far differ from those who did not by twice what chance alone would bring, for each stage."""
    said, alike = [], []
    for stage, (reached, others) in WHO.items():
        rows = table[table["measure"] == f"smd_{stage}"].dropna(subset="estimate")
        rows = rows.assign(size=rows["estimate"].abs()).sort_values(["size", "group"], ascending=[False, True])
        rows = rows[~rows["group"].map(describe_axis).duplicated()]        # age in years and in bands is one thing
        apart = rows[rows["size"].ge(WORTH_A_LOOK) & rows["size"].gt(2 * rows["std_error"])]
        if len(apart):
            most = apart.head(3)
            said.append(f"People {reached} differed from those {others} by more than chance usually brings in {listed(f'{describe_axis(r.group)} (SMD {abs(r.estimate):.2f})' for r in most.itertuples())}.")
        elif len(rows):
            alike.append(f"{reached} and those {others}")
    if alike:
        said.append(f"In nothing recorded was there a difference larger than chance usually brings between people {'; '.join(alike)}.")
    return " ".join(said) or "No stage after the referral is recorded, or too few people to compare those who came further with those who did not."


def describe_reached(table):
    """For one characteristic, the group of which the largest and the smallest share came each step."""
    said = []
    for stage, words in STAGES.items():
        rows = table[table["measure"].eq(f"reached_{stage}") & table["level"].ne("missing")].dropna(subset="estimate")
        if len(rows) >= 2:
            low, high = rows.loc[rows["estimate"].idxmin()], rows.loc[rows["estimate"].idxmax()]
            if high.estimate - low.estimate < ALIKE:
                said.append(f"{words}: {_span(percent(low.estimate, low.n), percent(high.estimate, high.n))} of every group")
                continue
            said.append(f"{words}: from {percent(low.estimate, low.n)}{interval(low)} among {level_name(low.group, low.level)} to "
                        f"{percent(high.estimate, high.n)}{interval(high)} among {level_name(high.group, high.level)}")
    if not said:
        return NOT_SHOWN
    return f"By {describe_axis(table['group'].iloc[0])}, of the people referred: " + "; ".join(said) + "."


def _span(low, high):
    return low if low == high else f"{low} to {high}"


def describe_representation(table):
    """Which groups are more and which less frequent among people referred than among residents, where the interval says so."""
    rows = table[table["measure"] == "representation_ratio"].dropna(subset="estimate")
    if rows.empty:
        return NOT_SHOWN
    said = []
    for words, chosen in (("more", rows[rows["conf_low"] > 1]), ("less", rows[rows["conf_high"] < 1])):
        if len(chosen):
            said.append(f"{words} frequent among people referred than among residents: " + listed(
                f"{level_name(r.group, r.level)} ({r.estimate:.2f} times, {level_of(r)} CI {r.conf_low:.2f} to {r.conf_high:.2f})" for r in chosen.itertuples()))
    text = "; ".join(said) or "no group is clearly more or less frequent among people referred than among residents"
    return f"By {describe_axis(rows['group'].iloc[0])}, {text}."


def describe_inequality(table):
    """The slope and the relative index of inequality in plain words."""
    slope, ratio = one(table, "slope_index"), one(table, "relative_index")
    rows = table[table["measure"] == "slope_index"]
    if slope is None:
        why = NOT_SHOWN if rows["suppressed"].any() or rows.empty else f"Inequality by deprivation cannot be put in one number: {rows['note'].iloc[0]}."
        return why
    ends = table[table["measure"] == "fitted_rate"].set_index("level")["estimate"]
    most, least = ends["most deprived"], ends["least deprived"]
    direction = "fewer" if slope.estimate < 0 else "more"
    text = (f"If rates changed evenly with deprivation, {number(most)} in 1,000 of the most deprived residents would be referred and {number(max(least, 0.0))} in 1,000 of the least deprived: "
            f"about {number(abs(slope.estimate))} {direction} (slope index {number(slope.estimate, True)}{interval(slope, True)}).")
    if ratio is not None:
        text += f" For every 100 referred at the most deprived end, {number(round(100 * ratio.estimate))} would be at the least deprived end (relative index {number(ratio.estimate)}{interval(ratio)})."
    if pd.notna(slope.conf_low) and slope.conf_low <= 0 <= slope.conf_high:
        text += " The interval includes no difference."
    if slope.note not in ("by tenths", "by fifths"):
        text += f" Note: {slope.note.partition('; ')[2] or slope.note}."
    return text + " A higher rate where deprivation is higher can be what a fair service looks like: need is greater there."


def describe_standardised(table):
    """The rate with the ages of the standard population, for everyone and by group."""
    said, whole = [], one(table, "referral_rate_standardised")
    rows = table[table["measure"].eq("referral_rate_standardised")]
    if whole is not None:
        said.append(f"With the ages of the European standard population, {number(whole.estimate)} people would be referred per 1,000 residents{interval(whole)} ({whole.note}).")
    for group, part in rows[rows["group"] != "all"].dropna(subset="estimate").groupby("group", sort=False):
        if len(part) >= 2:
            low, high = part.loc[part["estimate"].idxmin()], part.loc[part["estimate"].idxmax()]
            said.append(f"Allowing for age, rates by {describe_axis(group)} run from {number(low.estimate)}{interval(low)} for {level_name(group, low.level)} "
                        f"to {number(high.estimate)}{interval(high)} for {level_name(group, high.level)}.")
    few = rows[rows["note"].str.startswith("fewer than")]
    if len(few):
        said.append(f"No standardised rate is given for {listed(level_name(r.group, r.level) for r in few.itertuples())}: {few['note'].iloc[0].partition(':')[0]}.")
    return " ".join(said) or (NOT_SHOWN if rows["suppressed"].any() else f"No standardised rate: {rows['note'].iloc[0] if len(rows) else 'no residents by age'}.")


def describe_definitions(definitions):
    """The definitions of the groups that this report uses, and which of them the scheme changed."""
    said = "; ".join(f"{level_name('suitable_group', r.group).lower()}: {r.definition}" + (" (changed in scheme.yaml)" if r.changed else "") for r in definitions.itertuples())
    changed = int(definitions["changed"].sum())
    return f"How each group is found here: {said}. " + (f"{changed} of these {'differs' if changed == 1 else 'differ'} from the usual definition." if changed else "These are the usual definitions.")


def describe_coverage(table):
    """The share of the residents who could have come that was seen, and what is needed where nobody knows."""
    known = table.dropna(subset="estimate")
    said = [f"{level_name(r.group, r.level)}: {percent(r.estimate, 1000)}{interval(r._replace(n=1000))} {r.note}" for r in known.itertuples()]   # small shares: one decimal
    over = table[table["note"].str.startswith("more people")]
    said += [f"{level_name(r.group, r.level)}: {r.note}" for r in over.itertuples()]
    unknown = table[table["note"].str.startswith("needs the number")]
    text = "Seen, of the residents who could have come: " + "; ".join(said) + "." if said else ""
    hidden = table[table["suppressed"]]
    if len(hidden):
        text += f" Not shown for {listed(level_name(r.group, r.level).lower() for r in hidden.itertuples())}: {hidden['note'].iloc[0]}."
    if len(unknown):
        text += (f" Cannot be answered for {listed(level_name(r.group, r.level).lower() for r in unknown.itertuples())}: needs the number of residents who could have come "
                 "(suitable_groups in scheme.yaml: eligible or eligible_share, and eligible_source).")
    return text.strip() or NOT_SHOWN


def describe_overlap(table):
    """The combinations of groups with most people."""
    rows = table[table["measure"].eq("people_in_combination") & table["level"].ne("none of these")]
    known = rows.dropna(subset="estimate")
    several = known[known["level"].str.contains(" + ", regex=False)]
    if known.empty:
        return NOT_SHOWN if rows["suppressed"].any() else "Overlap cannot be shown: nobody's membership of every group is known."
    text = f"Most frequent: {level_name('group_combination', known['level'].iloc[0])} and no other group, {count(known['estimate'].iloc[0])} people. "
    text += "In more than one group: " + "; ".join(f"{level_name(r.group, r.level)}, {count(r.estimate)}" for r in several.head(3).itertuples()) + "." if len(several) else \
        "No combination of several groups has enough people to show." if rows["suppressed"].any() else "Nobody is in more than one group."
    outside = one(table, "referrals_in_no_suitable_group")
    return text + (f" {percent(outside.estimate, outside.n)}{interval(outside)} of referrals are of people in none of the groups." if outside is not None else "")


def describe_needs(table):
    """The most frequent needs and activities."""
    said = []
    for measure, words in (("share_with_need", "Most often people came for"), ("share_prescribed", "Most often prescribed:")):
        rows = table[table["measure"].eq(measure) & table["level"].ne("nothing prescribed")].dropna(subset="estimate").head(3)
        if len(rows):
            said.append(f"{words} {listed(f'{level_name(r.group, r.level).lower()}, {percent(r.estimate, r.n)}{interval(r)}' for r in rows.itertuples())} of referrals.")
    nothing = one(table, "share_prescribed", "nothing prescribed")
    if nothing is not None:
        said.append(f"At {percent(nothing.estimate, nothing.n)}{interval(nothing)} of referrals no activity is recorded.")
    return " ".join(said) or NOT_SHOWN


def describe_answers(table):
    """What became of the needs, all together."""
    rows = table[table["group"] == "answers_to_all_needs"].dropna(subset="estimate")
    if rows.empty:
        return NOT_SHOWN if table["suppressed"].any() else f"Met and unmet need cannot be told: {table['note'].iloc[0] if len(table) else 'no needs are recorded'}."
    said = "; ".join(f"{r.level}: {percent(r.estimate, r.n)}{interval(r)}" for r in rows.itertuples())
    hidden = table[table["group"].eq("answers_to_all_needs") & table["suppressed"]]["level"]
    said += f"; too few to show: {listed(hidden)}" if len(hidden) else ""
    return f"Of all needs recorded: {said}. An activity that fits and was begun does not show that the need went away."


def alt_of_stages(table):
    """Alt text of the figure of stages by group: every number that it shows."""
    said = []
    for level, rows in table.groupby("level", sort=False):
        parts = [f"{STAGES[r.measure.removeprefix('reached_')]} {'not shown' if pd.isna(r.estimate) else percent(r.estimate, r.n)}" for r in rows.itertuples()]
        said.append(f"{level_name(rows['group'].iloc[0], level)}: " + ", ".join(parts))
    return f"Of the people referred, by {describe_axis(table['group'].iloc[0])}: " + "; ".join(said) + "."


def alt_of_inequality(table):
    """Alt text of the figure of rates by deprivation: each rate and the ends of the line."""
    ends = table[table["measure"] == "fitted_rate"].dropna(subset="estimate")
    ranks = set(table.loc[table["measure"] == "relative_rank", "level"])
    rates = table[table["measure"].eq("referral_rate") & table["level"].isin(ranks)]
    said = "; ".join(f"{level_name(r.group, r.level)} {'not shown' if pd.isna(r.estimate) else number(r.estimate)}" for r in rates.itertuples())
    line = " to ".join(f"{number(r.estimate)} ({r.level})" for r in ends.itertuples())
    return f"People referred per 1,000 residents, from the most to the least deprived: {said}. The fitted line runs from {line}."


def alt_of_heat(table):
    """Alt text of the heat map: its highest cells, and how many are hidden."""
    known = table.dropna(subset="estimate").sort_values(["estimate", "level"], ascending=[False, True]).head(5)
    said = "; ".join(f"{level_name(r.group, r.level)} {percent(r.estimate, r.n)}" for r in known.itertuples())
    hidden = int(table["suppressed"].sum())
    return f"A table of needs by activities, shaded by share. Highest: {said}." + (f" {hidden} of {len(table)} cells are too small to show." if hidden else "")
