"""Sentences about those lost, about subgroups, and about contacts and change."""

import pandas as pd

from sprx.wording.words import NOT_SHOWN, describe_axis, direction, interval, level_name, listed, number, one

BELIEFS = {
    "change_complete_case": "only those with both scores",
    "change_mmrm": "those lost fared like people like them (mixed model)",
    "change_imputed": "those lost fared like people like them (imputed many times)",
    "change_return_to_baseline": "those lost ended where they began"}
NO_CHANGE, MATTERS = "no change", "smallest change that matters"
WARNING = ("People who stay differ from people who leave, and somebody may have many contacts because they do badly, or because they do "
           "well. So this is no evidence that more contacts help, or that they do not.")


def belief_name(row):
    """What a row believes of those lost, in words."""
    if row.group == "delta":
        size, _, word = row.level.partition(" ")
        return f"those lost ended {number(float(size))} points {word} than expected"
    return next((words for measure, words in BELIEFS.items() if row.measure.startswith(measure)), row.measure.replace("_", " "))


def belief_rows(table):
    """The rows of the scheme's own people that one figure shows side by side: every belief about those lost."""
    return table[table["measure"].str.startswith("change_") & table["group"].isin(["all", "delta"])]


def has_beliefs(table):
    """True where there is more to show than the people with both scores."""
    return belief_rows(table)["estimate"].notna().sum() > 1


def matters_at(measure):
    """The smallest change for the better that is held to matter, with its sign; None where nobody has said it."""
    sign = {"yes": 1, "no": -1}.get(measure["higher_is_better"])
    return sign * measure["mid_value"] if sign and measure["mid_value"] > 0 else None


def alt_of_beliefs(table):
    """Alt text of the figure with every belief: all its numbers."""
    said = [f"{belief_name(r)}: {'not shown' if pd.isna(r.estimate) else number(r.estimate, True) + interval(r, True)}"
            for r in table.itertuples()]
    return f"Mean change, {table['unit'].iloc[0]}, under each belief. {'; '.join(said)}."


def describe_beliefs(table, measure, instrument):
    """How much worse those lost would have to be for the conclusion to change, against the smallest change that matters."""
    complete, filled = (one(table, f"{name}_{instrument}", group="all") for name in ("change_complete_case", "change_imputed"))
    rows = table[(table["measure"] == f"tipping_point_{instrument}") & (table["level"] == NO_CHANGE)]
    if complete is None:
        return f"{measure['name']}: not shown, too few people have both scores."
    if len(rows) and rows["note"].iloc[0].startswith("nobody"):
        return f"{measure['name']}: nobody with a score was lost, so nothing has to be supposed."
    text = (f"{measure['name']}: the people with both scores changed by {number(complete.estimate, True)} points on average"
            f"{interval(complete, True)}.")
    if filled is None:
        return text + " What those lost would add cannot be worked out: too few were followed up."
    text += f" If those lost fared as people like them did, the change of all is {number(filled.estimate, True)}{interval(filled, True)}."
    returned = one(table, f"change_return_to_baseline_{instrument}", group="all")
    if returned is not None:
        text += f" If they all ended where they had begun, it is {number(returned.estimate, True)}{interval(returned, True)}."
    tips = [_tip(row, filled, measure) for row in table[table["measure"] == f"tipping_point_{instrument}"].itertuples()]
    return " ".join([text, *(tip for tip in tips if tip)])


def _tip(row, filled, measure):
    """One tipping point in words; nothing where it is hidden."""
    what = "no change" if row.level == NO_CHANGE else f"the smallest change held to matter ({number(measure['mid_value'])} points)"
    if row.suppressed:
        return "" if row.level != NO_CHANGE else "How much worse the people lost would have to be is not shown: they are too few."
    if pd.isna(row.estimate):
        text = f"No difference that the scale allows between those lost and people like them would make the interval include {what}."
        return text if row.note.startswith("no difference") else ""
    if row.estimate == 0:
        return f"The interval of all includes {what} already."
    if row.level == MATTERS and (row.estimate > 0) == (filled.estimate > 0):
        return f"The interval of all lies short of {what}."
    word = direction(row.estimate, measure["higher_is_better"]).replace("neither better nor worse",
                                                                        "lower" if row.estimate < 0 else "higher")
    against = ""
    if row.level == NO_CHANGE and measure["mid_value"] > 0:
        times = number(abs(row.estimate) / measure["mid_value"])
        against = f", which is {times} times the smallest change held to matter ({number(measure['mid_value'])})"
    return (f"For the interval to include {what}, those lost would have to have ended {number(abs(row.estimate))} points {word} than people "
            f"like them who were followed up{against}.")


def describe_who_is_lost(table, measure, instrument):
    """In what those lost differ most from those followed up, and what goes with being followed up."""
    differences = table[(table["measure"] == f"smd_lost_{instrument}") & table["estimate"].notna()]
    if differences.empty:
        hidden = table["suppressed"].any()
        return f"{measure['name']}: " + ("not shown, too few people were lost or followed up."
                                         if hidden else "nobody was lost, or nobody was followed up, so the two cannot be compared.")
    most = differences.loc[differences["estimate"].abs().sort_values(ascending=False, kind="stable").index[:3]]
    said = [f"{_thing(r)} ({number(r.estimate, True)} standard deviations)" for r in most.itertuples() if abs(r.estimate) >= 0.1]
    text = f"{measure['name']}: compared with those followed up, those lost differ most in {listed(said)}." if said else (
        f"{measure['name']}: in nothing that is known do those lost differ from those followed up by more than 0.1 standard deviations.")
    odds = table[(table["measure"] == f"odds_of_follow_up_{instrument}") & table["estimate"].notna()]
    clear = [r for r in odds.itertuples() if not r.conf_low <= 1 <= r.conf_high]
    if clear:
        text += " Others held alike, the odds of being followed up are " + listed(f"{number(r.estimate)} times as large{interval(r)} " + ("for each standard deviation more in " if r.level == "all" else "for ")
                + _thing(r) for r in clear) + "."
    return text + " They may also differ in what nobody recorded."


def _thing(row):
    name = "the first score" if row.group == "baseline" else describe_axis(row.group)
    return name if row.level == "all" else f"{name}: {level_name(row.group, row.level)}"


# ---- subgroups, contacts ------------------------------------------------------------------------------------------------------

def subgroup_rows(table):
    """What the forest plot shows: the raw and the drawn-in estimate of each level."""
    kind = "subgroup_arm_difference" if table["measure"].str.startswith("subgroup_arm_difference").any() else "subgroup_change"
    rows = table[table["measure"].str.startswith((kind, "subgroup_shrunken")) & table["n"].ne(0)]
    hidden = rows[rows["suppressed"]].groupby(["group", "level"]).size().index         # drawn in or not, a level that is hidden is hidden
    return rows[rows["suppressed"] | ~pd.MultiIndex.from_frame(rows[["group", "level"]]).isin(hidden)]


def subgroup_name(row):
    """A level with the name of its group."""
    return f"{describe_axis(row.group).partition(' (')[0]}: {level_name(row.group, row.level)}"


def has_subgroups(table):
    """True where at least two levels can be shown."""
    return subgroup_rows(table)["estimate"].notna().sum() > 3


def alt_of_subgroups(table):
    """Alt text of the forest plot."""
    said = [f"{subgroup_name(r)}{' drawn in' if r.measure.startswith('subgroup_shrunken') else ''} "
            f"{'not shown' if pd.isna(r.estimate) else number(r.estimate, True) + interval(r, True)}" for r in table.itertuples()]
    return f"Estimates per subgroup, {table['unit'].iloc[0]}: {'; '.join(said)}."


def describe_subgroups(table, measure):
    """Whether the difference between any levels stands; no claim without it."""
    if table["note"].str.startswith("no subgroups were named").any():
        return "No subgroups were named in scheme.yaml before the analysis, so none are shown."
    rows = table[table["measure"].str.startswith("subgroup_interaction") & table["estimate"].notna()]
    names = listed(dict.fromkeys(describe_axis(group).partition(" (")[0] for group in table["group"]))
    if rows.empty:
        return f"{measure['name']}: named before the analysis: {names}. Too few people have both scores to compare any two of their levels."
    what = "the difference between the arms" if table["measure"].str.startswith("subgroup_arm_difference").any() else "the change"
    stands = rows[rows["note"].str.contains("; stands after")]
    if stands.empty:
        return (f"{measure['name']}: named before the analysis: {names}. No difference between their levels stands once it is allowed for "
                f"how many were compared, so it cannot be said that {what} is greater for some than for others. That is not to say that it is the same for all.")
    said = [f"{subgroup_name(r)} {r.note.partition(';')[0]}: {number(r.estimate, True)} points{interval(r, True)}"
            for r in stands.itertuples()]
    return f"{measure['name']}: {what} differs between levels, also once it is allowed for how many were compared: {'; '.join(said)}."


def describe_dose(table, measure, instrument):
    """Change per contact, with the warning that it needs."""
    row = one(table, f"change_per_contact_{instrument}")
    if row is None:
        rows = table[table["measure"] == f"change_per_contact_{instrument}"]
        if rows["note"].eq("contacts are not recorded").any():
            return "Cannot be answered: needs a contacts table."
        return f"{measure['name']}: {NOT_SHOWN[0].lower() + NOT_SHOWN[1:]}"
    text = (f"{measure['name']}: for each contact more, the change of people with the same first score was {number(row.estimate, True)} "
            f"points{interval(row, True)}.")
    if row.conf_low <= 0 <= row.conf_high:
        text += " The interval includes no difference."
    return f"{text} {WARNING}"
