"""Sentences of chapter 02."""

from sprx.wording.words import NAMES, NOT_SHOWN, count, interval, level_name, listed, number, one, percent


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
    said = [f"{level_name('suitable_group', r.level).lower()} {count(people[r.level])}, {percent(r.estimate, r.n)}{interval(r)}" for r in groups.itertuples()]
    none = one(table, "share_in_suitable_group", "none of these")
    shares = table[table["measure"] == "share_in_suitable_group"]
    unknown = shares[shares["note"].str.startswith("the data do not hold") & shares["level"].ne("none of these")]["level"]
    text = f"Of the people referred: {'; '.join(said)}. A person can be in several groups." if said else \
        "Too few people to show how many belong to the groups." if table["suppressed"].any() else "The data do not show any of the five groups."
    if none is not None:
        text += f" {count(people['none of these'])}, {percent(none.estimate, none.n)}{interval(none)}, are in none of the groups that the data can show."
    if len(unknown):
        text += f" Not recorded, so not counted: {listed(level_name('suitable_group', g).lower() for g in unknown)}."
    return text
