"""A plan in sentences: who is needed, what could be found, what a change without a comparison is worth."""

import pandas as pd

from sprx.reference import BY_LOT, facts
from sprx.wording.words import Answer, count, interval, listed, number, one, percent, pounds

OFTEN = 0.8
SCALE_WORDS = {"smallest_found": "smallest effect this plan finds", "expected": "effect to be expected", "matters": "smallest difference that matters to a person"}


def design_name(design):
    """A design in plain words."""
    return dict(zip(facts("planning_designs")["design"], facts("planning_designs")["name"]))[design]


def size_words(effect, plan):
    """'0.29 standard deviations (1.2 points)', or '15% fewer'."""
    if pd.isna(effect):
        return "no effect of any size"
    if plan.is_use:
        return f"{percent(abs(1 - effect))} {'fewer' if effect < 1 else 'more'} {plan.outcome_name}"
    points = f" ({number(effect * plan.sd)} points)" if plan.sd else ""
    return f"{number(effect)} standard deviations{points}"


def thing(plan):
    """What the chosen design can find: an effect, or without a comparison a change."""
    return "change beyond what comes anyway" if plan.design == "before_after" else "effect"


def answer_plan(needed, plan):
    """Can this plan answer its question, and if not, what would?

    Returns
    -------
    Answer
        How sure: 3 drawn by lot and power enough, 2 another comparison and power enough, 1 too few people, 0 no comparison or less than an even chance.
    """
    people, power = one(needed, "people_needed", plan.design), one(needed, "power_of_plan", plan.design).estimate
    wanted = plan.study.wanted
    enough = power >= wanted - 1e-9
    start = f"With {count(plan.people)} people in the scheme and {percent(plan.follow_up)} measured again, this plan has a chance of {percent(power)} to find {'a ' if plan.design == 'before_after' else 'an '}{thing(plan)} of {size_words(plan.effect, plan)}."
    if plan.design == "before_after":
        return Answer("plan", start + " Yet whatever it finds will be a change, not an effect: without a comparison nobody can tell what would have come anyway.", 0, "no comparison is planned")
    if people is None:
        return Answer("plan", f"{start} No number of people would do.", 0, "the question cannot be answered in this way")
    more = "" if enough else f" It would need {count(people.estimate)} people in the scheme."
    sure = (3 if plan.design in BY_LOT else 2) if enough else 1 if power >= 0.5 else 0
    why = {3: "chance alone makes the groups, and enough people are planned", 2: "there is a comparison and enough people, but the groups may differ in what nobody records", 1: "too few people for the effect to be expected",
           0: "it is more likely to miss the effect than to find it"}[sure]
    return Answer("plan", start + more, sure, why)


def choice_words(plan):
    """What was chosen, as (term, words)."""
    study = plan.study
    rows = [("Outcome", plan.outcome_name + (f" ({plan.outcome})" if plan.outcome_name != plan.outcome else "")), ("Design", design_name(plan.design)), ("People in the scheme", count(plan.people)),
            ("Measured again", f"{percent(plan.follow_up)}, after {plan.follow_up_months:g} months"), ("Effect to be found", f"{size_words(plan.effect, plan)}: {plan.effect_source}")]
    if plan.sd:
        rows.append(("Spread of people", f"one standard deviation is {plan.sd:g} points ({plan.sd_source})"))
    if not plan.is_use:
        rows.append(("First and later score", f"correlation {study.correlation:g} (assumed unless you gave it)"))
    else:
        rows.append(("Use without the scheme", f"{study.rate:g} a person and month, over {study.months_before:g} months before and {study.months_after:g} after (assumed unless you gave it)"))
    if plan.design == "cluster_randomised":
        rows.append(("Places", f"{study.cluster_size:g} people in each; people of one place are alike by {study.icc:g} (ICC)"))
    return [*rows, ("Chance wanted", f"to find the effect {percent(study.wanted)} of the time, with {100 * study.conf_level:g}% limits")]


def design_words(plan):
    """What each design that suits the outcome compares, and what must be true for its answer to be right, as (term, words)."""
    known = facts("designs").set_index("design")
    return [(f"{design_name(design)[0].upper()}{design_name(design)[1:]} (Maryland level {known.at[design, 'maryland_level']} of 5)",
             f"compares {known.at[design, 'who_is_compared']}. What must be true: {known.at[design, 'assumptions']}.") for design in plan.studies]


def question_words(plan, questions):
    """Which questions of the report could be answered from what this plan records, as (question, words).

    Parameters
    ----------
    plan : EvaluationPlan
    questions : dict of str to str
        `sprx.answers.QUESTIONS`.
    """
    compared, level = plan.design != "before_after", facts("designs").set_index("design").at[plan.design, "maryland_level"]
    twice = "use of services month by month" if plan.is_use else f"{plan.outcome_name}, before and {plan.follow_up_months:g} months after"
    quality = plan.outcome.startswith("eq5d")
    told = {"when": "yes, from the dates of referral, first contact and closure.", "for_whom": "yes, from age, sex, ethnicity and deprivation; against the local population if the table population is filled in.",
            "how_well": f"yes, as a change: from {twice}.",
            "impact": f"yes, as an effect, if enough people are measured: the design is of Maryland level {level}." if compared else "no. Without a comparison nobody can tell what would have come anyway. Plan one, or leave the question open.",
            "cost": "yes, from the table costs.",
            "cost_effectiveness": "yes, from costs and EQ-5D of both groups." if quality and compared else
            f"in part: what the scheme would have to achieve to be worth its cost. For pounds per year in full health, record EQ-5D {'of both groups' if compared else 'and plan a comparison'} as well.",
            "provision": "yes, if you add a list of local services (table provision).", "evidence": f"yes, as {'an effect' if compared else 'a change, which is not averaged with effects'}."}
    return [(questions[key], text[0].upper() + text[1:]) for key, text in told.items()]


def describe_people_needed(table, plan):
    """How many people each design needs."""
    said = []
    for design in plan.studies:
        needed, whole = one(table, "people_needed", design), one(table, "people_in_all", design)
        if needed is None:
            said.append(f"{design_name(design)}: no number would do")
        elif design == "before_after":
            said.append(f"{design_name(design)}: {count(needed.estimate)}")
        else:
            places = one(table, "places_needed", design)
            said.append(f"{design_name(design)}: {count(whole.estimate)} in all" + (f", in {count(places.estimate)} places" if places is not None else ""))
    text = f"People who must start, so that an effect of {size_words(plan.effect, plan)} is found {percent(plan.study.wanted)} of the time: {'; '.join(said)}."
    if "before_after" in plan.studies:
        text += " The before-and-after design needs so many since its change must lie beyond what would come anyway, of which nobody knows how much that is."
    if plan.is_use:
        text += " Where nobody draws lots, to make the groups alike costs people on top of these."
    return text


def describe_false_success(table, plan):
    """How often a scheme that does nothing would look like a success."""
    rows = table[table["measure"].eq("false_success")]
    natural = one(table, "natural_change")
    if natural is None or rows.empty:
        return ""
    at = rows.loc[(rows["level"].astype(float) - plan.people * plan.follow_up).abs().idxmin()]
    smallest = rows.loc[rows["level"].astype(float).idxmin()]
    return (f"A scheme that does nothing would be called a success in {'every one' if at.estimate == 1 else percent(at.estimate, 1000)} of {_trials(at)} studies of {count(float(at.level))} people measured before and after, and in {percent(smallest.estimate)} of those of "
            f"{count(float(smallest.level))}. People come when they feel bad, {_deviations(plan.starts_below)} below others here, and would have come up by about {number(natural.estimate)} "
            f"({number(natural.conf_low)} to {number(natural.conf_high)}) with no help at all.")


def _deviations(value):
    return "one standard deviation" if value == 1 else f"{number(value)} standard deviations"


def _trials(row):
    return row.method.split(" ")[0]


def describe_follow_up(table, plan):
    """What measuring fewer or more people again does to the people needed and to the truth of the answer."""
    needed = table[table["measure"].eq("people_needed_if")].dropna(subset=["estimate"]).set_index("level")["estimate"]
    chosen, low, high = f"{plan.follow_up:g}", "0.4", "0.9"
    if chosen not in needed:
        return "At no share of people measured again would this design find the effect: no number of people would do."
    text = f"With {percent(plan.follow_up)} measured again, {count(needed[chosen])} people must start in the scheme; with {percent(float(low))} it would be {count(needed[low])}, with {percent(float(high))} {count(needed[high])}."
    bias = one(table, "bias_if", chosen)
    if bias is not None and plan.lost_apart:
        text += (f" More people do not mend a loss that goes with how people fare: if those lost fare {_deviations(abs(plan.lost_apart))} {'worse' if plan.lost_apart > 0 else 'better'} and are lost in one group only, "
                 f"or there is one group only, the answer is {_deviations(abs(bias.estimate))} too {'good' if plan.lost_apart > 0 else 'bad'}, however many take part.")
    return text


def describe_smallest(table, plan):
    """The smallest effect that is found, beside what is expected and what matters."""
    found, expected, matters = (one(table, "effect_scale", level) for level in ("smallest_found", "expected", "matters"))
    if found is None:
        return f"With {count(plan.people)} people this plan finds no {thing(plan)} of any size often enough."
    reaches = abs(found.estimate - 1) <= abs(expected.estimate - 1) + 1e-9 if plan.is_use else found.estimate <= expected.estimate + 1e-9
    text = f"The smallest {thing(plan)} that {count(plan.people)} people let this plan find {percent(plan.study.wanted)} of the time is {size_words(found.estimate, plan)}. "
    text += (f"That is no larger than what is to be expected, {size_words(expected.estimate, plan)}: {plan.effect_source}." if reaches else
             f"What is to be expected is smaller, {size_words(expected.estimate, plan)}: {plan.effect_source}. If this study finds nothing, nobody will know whether there was nothing to find.")
    if matters is not None:
        text += f" For one person {number(plan.mid)} points are said to matter ({_deviations(matters.estimate)}); a mean difference of a whole group can be smaller and still matter, since some gain and some do not."
    elif not plan.is_use:
        text += " No smallest difference that matters is known for this measure, or its spread is not known; agree one before you start."
    return text


def describe_played(table, plan):
    """What came of playing the study through."""
    real, nothing = one(table, "simulated_power", "as_expected"), one(table, "simulated_power", "nothing")
    formula = real.method.rsplit(" ", 1)[1]
    return (f"Played through {_trials(real)} times on a computer, the study found the {thing(plan)} in {percent(real.estimate)} of them{interval(real)}; the formula says {percent(float(formula))}. "
            f"Where the scheme did nothing, it claimed help or harm in {percent(nothing.estimate, 1000)}{interval(nothing)}.")


def describe_worth(table, plan):
    """What a study of each design is worth before it is done, beside its cost."""
    net = table[table["measure"].eq("net_value_of_study")]
    if net.empty:
        return ""
    best, lowest = net.loc[net["estimate"].idxmax()], one(table, "net_value_of_study", "before_after")
    whole = one(table, "perfect_information")
    text = f"To know for certain whether to offer the scheme would be worth {pounds(whole.estimate)}. "
    if best.estimate <= 0:
        return text + "No study of this size is worth its cost under these assumptions: the money is better spent otherwise."
    value, cost = one(table, "value_of_study", best.level), one(table, "cost_of_study", best.level)
    text += f"With {count(plan.people)} people in the scheme, most is gained by this design: {design_name(best.level)}. Its answer is worth {pounds(value.estimate)} and costs {pounds(cost.estimate)}."
    if best.level != "before_after":
        text += f" That leaves {pounds(best.estimate - lowest.estimate)} more than before and after without a comparison, whose answer is worth {pounds(one(table, 'value_of_study', 'before_after').estimate)}."
    if plan.design not in (best.level, "before_after"):
        mine = one(table, "net_value_of_study", plan.design)
        text += f" The design of this plan, {design_name(plan.design)}, leaves {pounds(mine.estimate)} after its cost." if mine.estimate > 0 else f" The design of this plan, {design_name(plan.design)}, costs more than it is worth here."
    return text


def worth_words(money):
    """What the value of a study rests on, as (term, words)."""
    return [("What a better outcome is worth", f"£{money['value_per_sd']:,.0f} for each person and standard deviation: 0.1 of a year in full health at £20,000 a year is £2,000 (assumption, ours)"),
            ("What the scheme costs", f"£{money['cost_per_person']:,.0f} a person (assumption, ours; put in your own)"),
            ("Who is affected", f"{money['people_a_year']:,.0f} people a year for {money['years']:g} years, later years at {100 * money['rate']:g}% less each"),
            ("What is believed before", "the average of published effects with a comparison, and how much schemes differ; studies may please more than schemes do"),
            ("What a study costs, and how wrong its design may be", "reference/planning_designs.csv (assumptions, ours)")]


# ---- alternative texts

def alt_of_needed(table):
    """What the figure of people needed shows."""
    return "Bars: people who must start, in all. " + "; ".join(f"{design_name(r.level)} {count(r.estimate) if pd.notna(r.estimate) else 'no number would do'}" for r in table.itertuples()) + "."


def alt_of_power(table):
    """What the power curves show."""
    said = []
    for design, rows in table.groupby("group", sort=False):
        reached = rows[rows["estimate"] >= OFTEN]
        said.append(f"{design_name(design)} reaches {percent(OFTEN)} {'at about ' + count(float(reached['level'].iloc[0])) + ' people' if len(reached) else 'at no size drawn'}")
    return f"Chance to find the effect, rising with people in the scheme: {'; '.join(said)}."


def alt_of_false_success(table):
    """What the figure of false successes shows."""
    rows = table[table["measure"].eq("false_success")]
    return "Share of schemes that do nothing but look like a success, by people measured twice: " + listed([f"{r.level} people {percent(r.estimate, 1000)}" for r in rows.itertuples()]) + ". Chance alone would be 2.5%."


def alt_of_follow_up(table):
    """What the figure of follow-up rates shows."""
    return "People who must start in the scheme, falling as more are measured again: " + listed([f"{percent(float(r.level))} {count(r.estimate)}" for r in table.itertuples() if pd.notna(r.estimate)]) + "."


def alt_of_scale(table):
    """What the scale of effects shows."""
    return "Effects on one scale: " + listed([f"{SCALE_WORDS[r.level]} {number(r.estimate)}" for r in table.itertuples() if pd.notna(r.estimate)]) + "."


def alt_of_worth(table):
    """What the figure of study values shows."""
    named = table[table["group"].eq("design")]
    return "Value and cost of a study: " + "; ".join(
        f"{design_name(d)} {pounds(one(named, 'value_of_study', d).estimate)} and {pounds(one(named, 'cost_of_study', d).estimate)}" for d in dict.fromkeys(named["level"])) + "."
