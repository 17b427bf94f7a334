"""Whether a scheme is worth its cost: the verdict, what it rests on, and what has to be achieved; from released tables only."""

import pandas as pd

from sprx.reference import facts
from sprx.wording.use import service_name
from sprx.wording.verdict import EFFECT_FROM, IF_ALIKE, LEADS, NO_EFFECT_SHOWN
from sprx.wording.words import level_of, listed, number, one, pounds

# from which probability on what is said; in order
CHANCES = ((0.95, "very likely to be worth its cost"), (0.8, "likely to be worth its cost"), (0.5, "more likely than not to be worth its cost, but far from certain"),
           (0.2, "more likely not to be worth its cost, but far from certain"), (0.05, "unlikely to be worth its cost"), (0.0, "very unlikely to be worth its cost"))
OLD_PRICES = 5                  # years
SETTLED = (0.2, 0.8)            # between these the data do not settle it
VALUE_SETS = {"eq5d3l": "EQ-5D-3L, UK value set (Dolan 1997)", "eq5d5l_map": "EQ-5D-5L mapped to the UK 3L value set (Hernández Alava, NICE's method to date)",
              "eq5d5l_crosswalk": "EQ-5D-5L, crosswalk to the UK 3L value set (van Hout 2012)", "eq5d5l_uk2026": "EQ-5D-5L, UK value set of 2026 (Rowen)",
              "utility": "utilities as the export gives them", "ons_life_sat": "life satisfaction from 0 to 10 (ONS)"}


def money(value):
    """A sum as `pounds` says it, without its sign: the words around it have that."""
    return pounds(abs(value))


def qalys(value):
    """QALYs to two figures that count: 0.0072, 0.076, 1.2."""
    size = abs(value)
    return f"{size:.{1 if size >= 0.95 else 2 if size >= 0.5 else 3 if size >= 0.01 else 4}f}"


def difference(row, say, more, fewer, same):
    """'0.0072 more (95% CI 0.0035 to 0.011 more)'; limits on both sides of nothing are said each with its word."""
    if say(row.estimate) == say(0.0):
        return same
    word = more if row.estimate > 0 else fewer
    text = f"{say(row.estimate)} {word}"
    if pd.isna(row.conf_low) or row.conf_high - row.conf_low < 1e-9:
        return text
    if row.conf_low * row.conf_high >= 0:
        low, high = sorted((row.conf_low, row.conf_high), key=abs)
        return f"{text} ({level_of(row)} CI {say(low)} to {say(high)} {word})"
    return f"{text} ({level_of(row)} CI {say(row.conf_low)} {fewer} to {say(row.conf_high)} {more})"


def chance_words(probability):
    """What a probability of being worth its cost is called."""
    return next(words for least, words in CHANCES if probability >= least)


def chances(decided, thresholds, measure="acceptability"):
    """(threshold, probability) at each of the thresholds that can be shown."""
    found = [(at, one(decided, measure, f"{at:.0f}", "threshold_gbp")) for at in thresholds]
    return [(at, row.estimate) for at, row in found if row is not None]


def percent_chance(probability):
    """'64%'; never a certainty that draws cannot give."""
    return "more than 99%" if probability > 0.995 else "less than 1%" if probability < 0.005 else f"{100 * probability:.0f}%"


def describe_verdict(decided, thresholds):
    """The scheme's chances of being worth its cost, in one sentence; '' where there is none."""
    found = chances(decided, thresholds)
    if not found:
        return ""
    groups = {}
    for at, probability in found:
        groups.setdefault(chance_words(probability), []).append((at, probability))
    parts = [f"at {listed(money(at) for at, _ in same)}{' for a year in full health' if i == 0 else ''} {'the scheme' if i == 0 else 'it'} is {words} (probability "
             f"{' and '.join(percent_chance(p) for _, p in same)}{', in that order' if len(same) > 1 else ''})" for i, (words, same) in enumerate(groups.items())]
    text = "; ".join(parts)
    return text[0].upper() + text[1:] + "."


def describe_increments(value, design, months):
    """What was gained and what it cost, against whom, and what that makes a QALY cost."""
    gained, paid, ratio = (one(value, measure) for measure in ("qaly_difference", "cost_difference", "icer"))
    if gained is None or paid is None:
        return ""
    text = (f"{LEADS[design]} gained {difference(gained, qalys, 'QALYs more', 'QALYs fewer', 'as many QALYs')} over {round(months, 1):g} months and cost "
            f"{difference(paid, money, 'more', 'less', 'the same')} a person")
    return f"{text}: {_ratio_words(gained, paid, ratio)}."


def _is_certain(row):
    """Whether an interval lies on one side of nothing; without a width it is what it is."""
    return pd.isna(row.conf_low) or row.conf_low > 0 or row.conf_high < 0 or row.conf_high - row.conf_low < 1e-9


def _ratio_words(effect, cost, ratio):
    """What the two differences come to; a ratio only where both can be told from nothing."""
    gained, paid = effect.estimate, cost.estimate
    if not _is_certain(effect):
        return "whether people gain or lose health cannot be told" + (", nor whether it costs more or less" if not _is_certain(cost) else "")
    if not _is_certain(cost):
        return ("more" if gained > 0 else "less") + " health; whether it costs more or less cannot be told"
    if ratio is not None and gained > 0:
        return f"{money(ratio.estimate)} for each QALY gained"
    if ratio is not None:
        return f"less health for less money, {money(ratio.estimate)} saved for each QALY given up (here the scheme is the better buy when that is high, not when it is low)"
    if abs(gained) < 1e-9:
        return "no more health, at a cost" if paid > 1e-9 else "no difference in health" if abs(paid) <= 1e-9 else "no less health, for less money"
    return "more health for no more money, so better on both counts" if gained > 0 else "less health for no less money, so worse on both counts"


def describe_net_benefit(value):
    """What is left when the QALYs are valued in pounds and the costs taken off, at each threshold."""
    rows = value[(value["measure"] == "net_benefit") & value["estimate"].notna()]
    said = [f"{pounds(row.estimate)} a person at {money(float(row.level))} a QALY ({level_of(row)} CI {pounds(row.conf_low)} to {pounds(row.conf_high)})" for row in rows.itertuples()]
    return f"Valued in pounds, less its cost, what the scheme brings comes to {listed(said)}. Below nothing, the money would buy more health elsewhere in the health service." if said else ""


def describe_value(value, decided, design, level, months, thresholds):
    """The answer: chances first, then what they rest on, then what the comparison can bear."""
    if one(value, "qaly_difference") is None:
        return ""
    bears = NO_EFFECT_SHOWN if level < EFFECT_FROM else "" if level >= 5 else f" {IF_ALIKE}"
    later = "" if months >= 12 else f" Nothing after month {round(months, 1):g} is counted; a benefit that lasts, or fades, would change this."
    verdict = describe_verdict(decided, thresholds)
    if level < EFFECT_FROM:
        verdict = f"Whether the scheme is worth its cost cannot be told by this comparison. If the difference were its doing: {_lowered(verdict)}"
    return f"{verdict} {describe_increments(value, design, months)}{later}{bears}".strip()


def _lowered(text):
    return text[:1].lower() + text[1:]


def short_verdict(decided, thresholds, months):
    """The verdict for the headline, with the time it is about."""
    text = describe_verdict(decided, thresholds).removesuffix(".")
    return text if months >= 12 or not text else f"Counting nothing after month {round(months, 1):g}, {_lowered(text)}"


def price_caution(year):
    """A warning where prices are much older than the thresholds; '' where they are not."""
    rows = facts("gdp_deflator")
    last = rows.loc[rows["forecast"] == "no", "fiscal_year"].max()
    old = year is not None and int(last[:4]) - int(year[:4]) > OLD_PRICES
    return f"Costs are in prices of {year} and the thresholds are those in use now: in prices of {last} the costs would be higher." if old else ""


def not_valued(value):
    """Why costs and effects could not be set against each other; '' where they could."""
    row = value.iloc[0]
    return "" if pd.notna(row["estimate"]) else "too few people to show" if row["suppressed"] else row["note"].removeprefix("not estimated: ")


def describe_break_even(table, change=None, cost=None):
    """What each person would have to gain for the scheme to be worth its cost, in several currencies."""
    needed = table[(table["measure"] == "break_even_qaly") & table["estimate"].notna()]
    if needed.empty or not (needed["estimate"] > 0).all():
        return "What the scheme must achieve to be worth its cost cannot be told: its cost a person is not known."
    said = listed(f"{qalys(r.estimate)} QALYs at {money(float(r.level))} a QALY" for r in needed.itertuples())
    first = needed.iloc[0]
    points = one(table, "break_even_utility", first["level"], "threshold_gbp")
    begin = f"At {money(cost)} a person, the scheme is worth its cost" if cost else "The scheme is worth its cost"
    text = f"{begin} if each person gains at least {said} that they would not have gained without it" if len(needed) else begin
    text += f"; at {money(float(first['level']))} that is {number(points.estimate)} points of utility {points.note}" if points is not None else ""
    text += "."
    if points is not None and points.estimate > 1:
        text += " Nobody can gain so much in that time: the benefit would have to last longer."
    uses, satisfied = one(table, "break_even_uses", "gp", "service"), one(table, "break_even_life_satisfaction")
    other = [f"{number(uses.estimate)} fewer GP appointments a person"] if uses is not None else []
    other += [f"{number(satisfied.estimate)} points of life satisfaction a person, held for a year"] if satisfied is not None else []
    text += f" In other words: {' or '.join(other)}." if other else ""
    seen = one(change, "uncontrolled_qaly_change") if change is not None else None
    return f"{text} {_share_needed(seen, first)}".strip() if seen is not None else text


def _share_needed(seen, needed):
    """How much of a change without a comparison would have to be the scheme's doing."""
    at = money(float(needed["level"]))
    if seen.estimate <= 0:
        return "Measured before and after, people gained no QALYs at all."
    share = needed["estimate"] / seen.estimate
    if share > 1:
        return f"Measured before and after, people gained {qalys(seen.estimate)} QALYs: even if all of that were the scheme's doing, it would not be worth its cost at {at}."
    return f"Measured before and after, people gained {qalys(seen.estimate)} QALYs: {100 * share:.0f}% of that would have to be the scheme's doing, at {at}; without a comparison nobody can say how much is."


def describe_quadrants(decided):
    """How the draws lie in the plane."""
    rows = decided[(decided["measure"] == "quadrant_share") & decided["estimate"].notna()].sort_values("estimate", ascending=False, kind="stable")
    said = [f"{r.level.replace(', ', ' at ')} in {percent_chance(r.estimate)}" for r in rows.itertuples() if r.estimate >= 0.005]
    return f"Where the people are drawn again and again, the scheme gives {listed(said)} of the draws." if said else ""


def describe_curve(decided, thresholds):
    """Chances with everything else unsure as well, and where the curve crosses one half."""
    rows = decided[(decided["measure"] == "acceptability") & decided["estimate"].notna()].assign(at=lambda t: t["level"].astype(float)).sort_values("at")
    if rows.empty:
        return ""
    over = rows[rows["estimate"] >= 0.5]
    least, most = rows["at"].iloc[0], rows["at"].iloc[-1]
    if over.empty:
        text = f"Up to {money(most)} a QALY the scheme is never more likely than not to be worth its cost"
    elif len(over) == len(rows):
        text = f"From {money(least)} to {money(most)} a QALY the scheme is always more likely than not to be worth its cost"
    else:
        turn = over["at"].iloc[0] if rows["estimate"].iloc[0] < 0.5 else rows.loc[rows["estimate"] < 0.5, "at"].iloc[0]
        text = f"From about {money(turn)} a QALY on, the scheme is " + ("more likely than not to be worth its cost" if rows["estimate"].iloc[0] < 0.5 else "more likely not to be worth its cost")
    unsure = chances(decided, thresholds, "acceptability_unsure")
    more = f"; with unit costs, the scheme's cost and the like unsure as well, the probability is {listed(f'{percent_chance(p)} at {money(at)}' for at, p in unsure)}" if unsure else ""
    return text + more + "."


def describe_finding_out(table, thresholds):
    """Whether a better study would be worth its price."""
    cost, rows = one(table, "study_cost"), [(at, one(table, "evpi_everybody", f"{at:.0f}", "threshold_gbp")) for at in thresholds]
    rows = [(at, row.estimate) for at, row in rows if row is not None]
    if not rows or cost is None:
        return ""
    said = listed(f"{money(value)} at {money(at)} a QALY" for at, value in rows)
    text = f"Knowing for certain whether the scheme is worth its cost would itself be worth at most {said}, over all the people it will be offered to."
    most = max(value for _, value in rows)
    if most < cost.estimate:
        return (f"{text} As far as chance goes, a study at {money(cost.estimate)} would cost more than it could be worth; it could still tell whether a benefit lasts, and whether the groups were alike.")
    return f"{text} A study at {money(cost.estimate)} could be worth its price; the money at stake is larger."


def describe_at_stake(spent, study_cost, deflated_to):
    """Where costs and effects of two groups cannot be compared: what is spent on a scheme that may do nothing."""
    return (f"As long as costs and QALYs of two groups cannot be compared, nobody can say what knowing for certain would be worth. But if the scheme does nothing, {money(spent)} a year is spent for nothing ({deflated_to} prices); "
            f"a study with a comparison at {money(study_cost)} costs {number(study_cost / spent)} times that." if spent > 0 else "")


def describe_scenarios(table):
    """Which assumptions turn the answer."""
    rows = table[table["estimate"].notna()]
    if len(rows) < 2:
        return ""
    base, others = rows.iloc[0], rows.iloc[1:]
    turned = others[(others["estimate"] > 0) != (base["estimate"] > 0)]
    text = f"As answered, the net benefit is {pounds(base['estimate'])} a person. "
    if turned.empty:
        return text + f"No other assumption here turns {'a loss into a gain' if base['estimate'] <= 0 else 'the gain into a loss'}."
    said = listed(f"“{r.level}” ({pounds(r.estimate)})" for r in turned.itertuples())
    return text + f"It turns to {'a gain' if base['estimate'] <= 0 else 'a loss'} if: {said}."


def describe_ways(value):
    """Whether the other analyses agree with the one that answers."""
    rows = value[(value["measure"] == "net_benefit_by_analysis") & value["estimate"].notna()]
    if len(rows) < 2:
        return ""
    base, others = rows.iloc[0], rows.iloc[1:]
    apart = [r.level for r in others.itertuples() if (r.estimate > 0) != (base["estimate"] > 0)]
    text = f"The answering analysis gives {pounds(base['estimate'])} a person; the others lie between {pounds(others['estimate'].min())} and {pounds(others['estimate'].max())}"
    return text + (f". The sign is another one in: {listed(apart)}." if apart else ", all with the same sign.")


def describe_kinds(table):
    """Cash, capacity and wellbeing, each for itself."""
    said = ["No money leaves a budget: counts of appointments cannot show that"]
    freed, health, glad = one(table, "capacity_releasing"), one(table, "health_value", group="threshold_gbp", level=_first_level(table)), one(table, "wellbeing_value")
    said += [_capacity(freed)] if freed is not None else []
    said += [f"health worth {pounds(health.estimate)} a person at {money(float(health.level))} a QALY"] if health is not None else []
    said += [f"wellbeing worth {pounds(glad.estimate)} a person in WELLBYs"] if glad is not None else []
    return "; ".join(said) + ". These are different things: they must not be added up." if len(said) > 1 else said[0] + "."


def _capacity(row):
    """Staff time and beds set free, or taken up."""
    word, other = ("set free", "taken up") if row.estimate >= 0 else ("taken up", "set free")
    low, high = sorted((row.conf_low, row.conf_high), key=lambda value: value * (1 if row.estimate >= 0 else -1))
    near = f"{money(low)} {word}" if low * row.estimate >= 0 else f"{money(low)} {other}"
    return (f"use of services worth {money(row.estimate)} a person is {word} ({level_of(row)} CI {near} to {money(high)} {word})" + (", for others to use" if row.estimate >= 0 else ""))


def _first_level(table):
    rows = table[(table["measure"] == "health_value") & table["estimate"].notna()]
    return rows["level"].iloc[0] if len(rows) else ""


def describe_wellbys(table):
    """The difference in life satisfaction over time, and its worth."""
    row = one(table, "wellby_difference")
    if row is None:
        return ""
    low, central, high = (one(table, "wellby_value", level, "wellby") for level in ("low", "central", "high"))
    return (f"In life satisfaction, people of the scheme gained {difference(row, qalys, 'WELLBYs more', 'WELLBYs fewer', 'as many WELLBYs')} (points of life satisfaction times years), worth "
            f"{pounds(central.estimate)} a person ({pounds(low.estimate)} to {pounds(high.estimate)} by the lowest and the highest official value). QALYs and WELLBYs count partly the same: never add them.")


def describe_social(table):
    """Social return, with what moves it."""
    rows = table[table["estimate"].notna()]
    if rows.empty:
        return ""
    said = listed(f"£{r.estimate:.2f} ({r.level})" for r in rows.itertuples())
    note = " It rests on a change without a comparison." if rows["note"].str.contains("without a comparison").any() else ""
    return f"For each pound: {said}, from the same scheme and the same people.{note} The answer above does not rest on this."


def describe_green_lesson():
    """Why a ratio is not the headline: one programme, two published ratios (reference/evidence/economic.csv)."""
    rows = facts("evidence/economic").query("study_id == 'haywood2024' and figure_type.str.startswith('SROI')")
    low, high = sorted(rows["figure"].astype(float))
    return (f"One national programme (Green Social Prescribing, Haywood 2024) is quoted with £{high:.2f} and with £{low:.2f} for each pound. Nothing differs but what was divided by what. "
            "A ratio of social return is therefore a second view here, never the headline.")


def describe_value_set(instruments, unpriced=()):
    """Which utilities answer, and which were left aside."""
    if not instruments:
        return "No utilities are recorded: quality-adjusted life years need EQ-5D, at the start and later."
    text = f"Utilities: {VALUE_SETS.get(instruments[0], instruments[0])}."
    text += f" {listed(VALUE_SETS.get(i, i) for i in instruments[1:])} is recorded too; two value sets are never mixed, so it is not used here." if len(instruments) > 1 else ""
    return text + (f" No unit cost is known for {listed(service_name(s).lower() for s in unpriced)}: not counted, not zero." if unpriced else "")


def price_terms(prices, year):
    """What one use of each service is taken to cost: (service, words) pairs. `prices` as `service_prices`."""
    return [(service_name(service)[0].upper() + service_name(service)[1:], f"{money(row.value)} a use in {year} prices ({money(row.low)} to {money(row.high)} where prices are unsure): {row.item}; {row.verification}")
            for service, row in zip(prices.index, prices.itertuples()) if pd.notna(row.value)]


def describe_horizon(asked, months):
    """Whether the time that was looked at is the time that was asked for; '' where it is."""
    if asked is None or months is None or abs(asked - months) < 0.1:
        return ""
    time = f"{asked:g} month{'' if asked == 1 else 's'}"
    return (f"scheme.yaml asks for {time}, but scores are looked at up to month {round(months, 1):g}, the last visit or the follow-up time of scheme.yaml: what came later is not counted, and not made up." if asked > months
            else f"scheme.yaml asks for {time}; the first later scores are of month {round(months, 1):g}, and that is what is looked at.")


def alt_of_plane(draws):
    """What the cost-effectiveness plane shows."""
    if draws.empty:
        return "No draws can be shown."
    right, up = (draws["effect"] > 0).mean(), (draws["cost"] > 0).mean()
    return f"{len(draws):,} points: {percent_chance(right)} lie to the right (more effect), {percent_chance(up)} above the line (more costly)."


def alt_of_acceptability(decided):
    """What the acceptability curve shows."""
    rows = decided[(decided["measure"] == "acceptability") & decided["estimate"].notna()]
    if rows.empty:
        return "No curve can be shown."
    rows = rows.assign(at=rows["level"].astype(float)).sort_values("at")
    return f"The probability goes from {percent_chance(rows['estimate'].iloc[0])} at {money(rows['at'].iloc[0])} to {percent_chance(rows['estimate'].iloc[-1])} at {money(rows['at'].iloc[-1])} a QALY."


def acceptability_rows(decided):
    """The rows of the acceptability figure."""
    return decided[decided["measure"].isin(["acceptability", "acceptability_unsure", "acceptability_frontier"])]


def study_terms(settings, design, plan, about, year):
    """How the evaluation was made, as CHEERS 2022 asks: (term, words) pairs.

    Parameters
    ----------
    settings : Settings
    design : Series
        A row of `cohort.impact_designs`.
    plan : EconomicPlan
    about : dict
        months, how, by_place: `Valued.about`.
    year : str
        Price year.
    """
    months, asked, economics = about["months"], settings.economics.get("horizon_months") or settings.follow_up_months, settings.economics
    looked = "none: nothing can be compared" if months is None else f"{round(months, 1):g} months from the start"
    rate = f"{100 * plan.rate:g}% a year"
    made = [] if months is None else [
        ("Effects", "quality-adjusted life years (QALYs): the area under each person's utilities; the difference is adjusted for the first utility (Manca 2005)"),
        ("Costs", "use of services times unit costs, or the extract's own costs, and the scheme's own cost a person, whoever pays for it"),
        ("What was not recorded", ("people of whom it was not are left out; in an analysis beside the answer: " if about["by_place"] else "") + (about["how"] or "nothing can be filled in")),
        ("How sure", f"{plan.draws:,} joint bootstrap draws" + (" of whole places" if about["by_place"] else " of people within each group") + f" (seed {plan.seed}), beside regressions with robust errors")]
    return [
        ("Whose costs count", economics.get("perspective") or "not said in scheme.yaml; the scheme's own costs, whoever pays, and the use of services that the data hold"),
        ("Compared with", design["who_is_compared"] or "nobody"), ("Design", f"{design['name']}, level {design['level']:g} of 5"),
        ("Time looked at", looked + (f"; {asked:g} were asked for" if months is not None and asked and abs(asked - months) > 0.1 else "")),
        ("Discounting", f"{rate} after the first year" if months is not None and months > 12 else f"none is needed within a year ({rate} would apply later)"),
        *made, ("Prices", f"pounds of {year}, brought there by the GDP deflator (the extract's own costs as they are); what was set up lasts {economics.get('set_up_years', 5):g} years"),
        ("Who gains, who loses", "not valued here; chapter 3 has the change by group"),
        ("People involved, funding, interests", "not held in scheme.yaml: say them beside this report"),
        ("What has to be true", design["assumptions"] or "nothing can be compared")]
