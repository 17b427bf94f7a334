"""Cost in words: what was spent, on what, for each person; what is not counted; what the figure rests on."""

import pandas as pd

from sprx.wording.words import NOT_SHOWN, cost_name, count, level_of, listed, number, one, pounds

STAGE_SAID = {"referred": "a person referred", "seen": "a person seen", "completed": "a person who completed"}
NO_COSTS = "Cannot be answered: needs a costs table, with amounts above £0 in lines that can be used."
MOVERS_SAID = 3         # the widest bars of a tornado that a sentence names


def pounds_interval(row):
    """'(95% CI £311 to £378)', '(95% CI from £311)' for an open one, '' for none."""
    if pd.isna(row.conf_low):
        return ""
    return f" ({level_of(row)} CI {'from ' if pd.isna(row.conf_high) else ''}{pounds(row.conf_low)}" + ("" if pd.isna(row.conf_high) else f" to {pounds(row.conf_high)}") + ")"


def spell(terms):
    """For what time the lines are."""
    return "in its period" if terms.years is not None else "in all, over a time that is not said"


def describe_unused_lines(terms):
    """What makes the figures too low or too high, from outside the lines themselves; '' where nothing does."""
    said, n = [], terms.lines_set_aside
    if n:
        said.append(f"{count(n)} cost line{'s' if n > 1 else ''} could not be used, so the total is not right.")
    if terms.is_cut_short:
        said.append("The data were taken before the period ended: costs of the whole period are shared among the people of a part of it, so each seems to cost too much.")
    return " ".join(said)


def describe_total(table, terms):
    """What the scheme cost in its period, and how that falls into running and set-up, cash and in kind, spent and planned."""
    total, charged = one(table, "cost_total"), one(table, "cost_charged")
    lines = "" if total is None else f"{count(total.n)} cost line{'s' if total.n > 1 else ''}"
    if total is None:
        return f"Cannot be answered: none of the {count(terms.lines_set_aside)} cost lines could be used. What is wrong with each is in the list of problems." if terms.lines_set_aside else NO_COSTS
    if not charged.estimate > 0:
        return f"What stands in the costs table ({lines}) adds up to £0: the amounts are still to be filled in. {describe_unused_lines(terms)}".strip()
    parts = {group: table[table["group"] == group].set_index("level")["estimate"] for group in ("cost_kind", "cost_basis")}
    text = f"The scheme cost {pounds(total.estimate)} {spell(terms)}, in {terms.price_year} prices ({lines})."
    if total.estimate - charged.estimate > 0.5:
        set_up = parts["cost_kind"]["set_up"]
        text += (f" Of the {pounds(set_up + total.estimate - charged.estimate)} spent on setting up, {pounds(set_up)} is charged to the period, since it lasts (here {terms.set_up_years:g} years, at "
                 f"{100 * terms.discount_rate:g}% a year): that leaves {pounds(charged.estimate)}, which is what is shared out below.")
    elif terms.years is None and "set_up" in parts["cost_kind"]:
        text += " No period is given, so that setting up is charged in full; with a period it would be spread over the years that it lasts."
    text += f" Paid for: {pounds(parts['cost_basis'].get('actual', 0))}; given in kind: {pounds(parts['cost_basis'].get('in_kind', 0))}"
    text += f"; planned in a budget, not known to be spent: {pounds(planned)}." if (planned := parts["cost_basis"].get("budget", 0)) else "."
    notes = [f"{row.note.replace('this', cost_name(row.level))}." for row in table[table["group"].isin(parts) & table["note"].ne("")].itertuples()]
    notes += ["The deflator of the latest year is a forecast."] * bool(charged.note)
    whose = f"Whose costs count: {terms.perspective}, as scheme.yaml says; the lines are counted whoever pays." if terms.perspective else "Whose costs count is not said in scheme.yaml; every line is counted, whoever pays."
    return " ".join([text, whose, *notes, describe_unused_lines(terms)]).strip()


def absent(table):
    """The expected kinds of cost of which there is no line, in plain words."""
    return [cost_name(row.level) for row in table.itertuples() if row.estimate == 0]


def describe_lines_given(table):
    """Which expected kinds of cost have no line."""
    missing = absent(table)
    if not table["n"].max() > 0:
        return NO_COSTS
    if not missing:
        return f"Each of the {len(table)} kinds of cost that a scheme usually has is there: {listed(cost_name(level) for level in table['level'])}."
    return f"Not counted, because there is no line for it: {listed(missing)}. That is not the same as costing nothing. If one of them really costs nothing, give it a line of £0."


def describe_per_person(table, terms):
    """The whole cost shared among the people of each stage, and among contacts."""
    if table["note"].eq("no costs").any():
        return NO_COSTS
    said, rows = [], table[table["measure"] == "cost_per_person"]
    for row in rows.itertuples():
        if pd.notna(row.estimate):
            said.append(f"{pounds(row.estimate)} {STAGE_SAID[row.level]}{pounds_interval(row)}" + (f", not recorded for {count(row.n_missing)}" if row.n_missing > 0 else ""))
    contact = one(table, "cost_per_contact")
    said += [f"{pounds(contact.estimate)} a contact{pounds_interval(contact)}"] if contact is not None else []
    if not said:
        return NOT_SHOWN if table["suppressed"].any() else "No cost a person: nobody was referred in the period."
    text = f"The whole cost comes to {'; '.join(said)}."
    none = [STAGE_SAID[row.level] for row in rows.itertuples() if pd.isna(row.estimate) and not row.suppressed and not row.note]
    unknown = [STAGE_SAID[row.level] for row in rows.itertuples() if row.note.startswith("not recorded for most")]
    text += f" There was nobody to share it for: {listed(none)}." if none else ""
    text += f" Not given for {listed(unknown)}: for most people it is not recorded." if unknown else ""
    text += " What is not shown is about too few people." if table["suppressed"].any() else ""
    text += " A contact: its number is not known, or no contact fell in the period." if contact is None and not table.loc[table["measure"] == "cost_per_contact", "suppressed"].any() else ""
    return text + ("" if terms.has_referrals else " There is no referrals table, so that everybody in the people table counts as referred.")


def describe_per_improved(table, measure):
    """The cost for each person who improved by what matters."""
    row = table.iloc[0]
    if row.suppressed:
        return f"{measure['name']}: {NOT_SHOWN.lower()}"
    if pd.isna(row.estimate):
        return f"{measure['name']}: cost a person improved cannot be given: " + (f"{row.note}." if row.note.startswith("needs") else "nobody was measured twice." if row.n == 0 else "of the people measured twice nobody improved by that much.")
    return (f"{measure['name']}: {pounds(row.estimate)} a person who {row.note} points{pounds_interval(row)}. Improved is not the same as improved because of the scheme. The {count(row.n_missing)} people "
            f"who have no two scores are taken to be like the {count(row.n)} who have; if fewer of them improved, each improvement cost more.")


def describe_additional(table):
    """The cost for each person more who improved than would have without the scheme."""
    row = table.iloc[0]
    if pd.isna(row.estimate):
        return f"The cost of one more person improved is {row.note}." if row.note.startswith("not given") else NOT_SHOWN
    text = f"Against people like these who were not referred: {pounds(row.estimate)} for each person more who improved by what matters{pounds_interval(row)}."
    return text + (" There is no upper limit: the data also fit with no more people improved at all." if pd.isna(row.conf_high) else "") + " This holds only as far as the comparison does: see the chapter on what difference the scheme makes."


def describe_caseload(table):
    """People for each link worker's year, beside the published number."""
    own, known = table.iloc[0], one(table, "published_caseload")
    published = f"Published for a whole-time link worker: {number(known.conf_low)} to {number(known.conf_high)} people a year."
    if pd.isna(own.estimate):
        return f"How many people a link worker helps in a year is {'not shown: too few people' if own.suppressed else 'not known: no worker is named in the contacts of the period' if own.note.startswith('no worker') else own.note}. {published}"
    return f"For each year that a link worker was at work, {count(own.estimate)} people were helped ({level_of(own)} CI {count(own.conf_low)} to {count(own.conf_high)}); {own.note}. {published}"


def spent_rows(table):
    """The rows of a chart of costs by category."""
    return table[table["measure"] == "cost_by_category_and_basis"]


def alt_of_costs(table):
    """Alt text of a chart of costs: every number in it."""
    return "Cost by category: " + "; ".join(f"{cost_name(row.level).replace(' | ', ', ')} {pounds(row.estimate)}" for row in table.itertuples()) + "."


def driver_rows(table):
    """The widest bars of a tornado."""
    return table.head(8)


def describe_drivers(table):
    """What moves the cost a person most."""
    rows = table.dropna(subset=["estimate", "conf_low", "conf_high"])
    if rows.empty:
        return "No cost a person is shown, so that nothing can be moved."
    said = [f"{cost_name(row.level)} ({row.note}: {pounds(row.conf_low)} to {pounds(row.conf_high)})" for row in rows.head(MOVERS_SAID).itertuples()]
    return (f"One thing moved at a time, the cost of {pounds(rows['estimate'].iloc[0])} a person referred rests most on {listed(said)}. The ranges are assumed, but for the number of people. "
            "Costs that have no line cannot be moved, and may matter more than any of these.")


def alt_of_drivers(table):
    """Alt text of a tornado: where each bar begins and ends."""
    rows = table.dropna(subset="conf_low")
    return f"Cost a person referred, {pounds(rows['estimate'].iloc[0])} as it is: " + "; ".join(f"{cost_name(row.level)} {pounds(row.conf_low)} to {pounds(row.conf_high)}" for row in rows.itertuples()) + "."


def describe_published(table):
    """The scheme's cost beside what others have published."""
    own, worker = one(table, "published_cost", "this_scheme"), one(table, "published_cost", "link_worker_person")
    text = f"This scheme cost {pounds(own.estimate)} a person referred{pounds_interval(own)}. " if own is not None else "There is no cost a person of this scheme that could be set beside them. "
    return text + (f"A link worker's pay alone comes to {pounds(worker.conf_low)} to {pounds(worker.conf_high)} a person at a typical caseload. No published figure counts the same things, so that nobody can say from these "
                   "whether the scheme is cheap or dear.")


def published_rows(table):
    """(name, what it is) of each published figure."""
    return [(cost_name(row.level)[0].upper() + cost_name(row.level)[1:], f"{pounds(row.estimate)} ({row.method}): {row.note}.") for row in table.itertuples() if row.level != "this_scheme"]


def share_of_budget(table):
    """How much of the cost is planned and not known to be spent."""
    charged, planned = one(table, "cost_charged"), one(table, "cost_by_basis", "budget")
    return planned.estimate / charged.estimate if planned is not None and charged.estimate > 0 else 0.0
