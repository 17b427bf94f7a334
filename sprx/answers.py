"""Each question's answer in one sentence, how sure we can be and why, and what to record next; from released tables only."""

import pandas as pd

from sprx.wording import (IF_ALIKE, SETTLED, Answer, caution, chances, count, describe_break_even, describe_effect, describe_no_comparison, describe_series, describe_share_improved, describe_use, describe_use_change, describe_value, direction, expected_too,
                          interval, not_valued, number, one, percent, score_verdict, unknown_share, use_verdict)

from sprx.wording import NO_SERVICES, absent_kinds, has_services, kinds_listed
from sprx.wording import EFFECT_FROM, SINGULAR, absent, chance, describe_added, describe_place, outcome_words, sets_in, studies_words, describe_unused_lines, listed, pounds, pounds_interval, price_caution, share_of_budget, short_verdict, spell
from sprx.wording.transparency import ALREADY_SAID, describe_checks, describe_level, step_sentences

QUESTIONS = {
    "when": "When are people referred and seen?", "for_whom": "For whom does it work: who is reached?",
    "how_well": "How well does it work for those it reaches?", "impact": "What difference does it make?",
    "cost": "What does it cost?", "cost_effectiveness": "Is it worth the money?", "provision": "What exists locally already?",
    "evidence": "What does it add to the evidence?", "data_quality": "Can we trust the data?",
    "transparency": "How open and how strong is this evaluation?"}

MANY_STUDIES = 10           # that an average rests on, to be sure where a scheme lies among them
COMPARISON = "the same scores or service use for similar people who were not referred (people with arm = comparison and an index_date)"
COSTS_NEEDED = "a costs table: every item with its amount, price year and whether it was paid or in kind"
CHECKED, MAPPED, MANY_SENT = 0.8, 0.9, 100      # of a list of services, to be fairly sure of it: shares checked lately and of a known kind; prescriptions
# columns that are empty for good reason: not everybody is bereaved, closed, or begins an activity
EMPTY_BY_NATURE = {"bereaved_on", "closed_date", "closure_reason", "start_date", "index_date", "first_contact_date", "sessions_attended",
                   "local_label", "measured_on", "months", "service_id", "age", "birth_year"}
WELL_FILLED = 0.9
GOOD_FOLLOW_UP, FAIR_FOLLOW_UP = 0.8, 0.6
LINES_MISSING, PART_PLANNED = 2, 0.25      # at most, to be fairly sure of a cost: usual kinds without a line, share that is a budget
FEW_VALUED = 30             # people of whom everything is recorded, in a group, below which nobody is sure of a verdict on worth
MOSTLY_UNKNOWN = 0.3        # above this share of unknowns nothing is said of the rest
GROUPS_AT_LEAST = 3         # of the five suitable groups, to speak of people in none of them
PLAIN = {"age_band": "age", "sex": "sex", "ethnic_group": "ethnicity", "imd_quintile": "deprivation"}


def answer_data_quality(rows, completeness):
    """From `rows_accounted` and `completeness` results."""
    shown = completeness.dropna(subset="estimate")
    read, used, by_rule, joined = (rows[rows["measure"] == m]["estimate"].sum() for m in ("rows_read", "rows_used", "rows_not_selected", "rows_joined"))
    read, used = max(read - by_rule, 1 if read else 0), min(used + joined, read - by_rule)
    if shown.empty or not read:
        return Answer("data_quality", "There are too few rows to say how complete the data are.", 0, "small numbers are not shown")
    full = (shown["estimate"] >= WELL_FILLED).mean()
    poor = shown[shown["estimate"] < WELL_FILLED].sort_values(["estimate", "group", "level"])
    text = f"{percent(used / read)} of the rows that were read could be used; {percent(full)} of the columns given are filled in at least {percent(WELL_FILLED)} of the time."
    sure = 3 if used / read >= 0.95 and full >= 0.8 else 2 if used / read >= 0.8 and full >= 0.5 else 1
    steps = [(4, f"Fill in {r.level.replace('_', ' ')} (table {r.group}) more often: it is there in {percent(r.estimate, r.n)} of rows.")
             for r in poor.itertuples() if r.level not in EMPTY_BY_NATURE]
    return Answer("data_quality", text, sure, "counted from the rows themselves; that a field is filled does not make it right", steps[:2])


def answer_when(table):
    """From `median_wait` and `seen_within` results."""
    median = table[table["measure"] == "median_days_to_first_contact"].iloc[0]
    within = table[table["measure"].str.startswith("seen_within_")].dropna(subset="estimate")
    dates = (1, "Record the date of the referral and the date of the first contact for every referral: waiting times cannot be had without them.")
    if pd.isna(median.n):
        return Answer("when", "Too few people were referred to show how long they waited.", 0, "small numbers are not shown", [])
    if median.n == 0 and median.n_missing == 0:
        return Answer("when", "Cannot be answered: needs referrals with a referral_date and a first_contact_date; the period has none.", 0, "no referrals", [dates])
    if median.n == 0 or (pd.isna(median.estimate) and within.empty):
        return Answer("when", "Cannot be answered: needs referrals with a referral_date and a first_contact_date.", 0,
                      "the data hold no dates of referral and first contact", [dates])
    text = (f"Half of the people referred were first seen within {number(median.estimate)} days{interval(median)}" if pd.notna(median.estimate)
            else "Fewer than half of the people referred were seen while they were being watched")
    short = text
    text += "; " + ", ".join(f"{percent(r.estimate, r.n)} within {r.measure.split('_')[2]} days" for r in within.itertuples()) if len(within) else ""
    missing = 0 if pd.isna(median.n_missing) else median.n_missing / (median.n + median.n_missing)
    sure = 3 if median.n >= 100 and missing < 0.05 else 2 if median.n >= 30 and missing < 0.2 else 1
    why = f"{count(median.n)} referrals with dates" + (f", {percent(missing)} without" if missing > 0 else "")
    return Answer("when", text + ".", sure, why, [dates] if missing >= 0.05 else [], short)


def answer_for_whom(shares, groups):
    """From `composition`, `share_of_older` and `suitable_group_shares` results, and `representation_ratio` where there is one."""
    ratio = one(shares, "representation_ratio", "1", "imd_quintile")
    older, shares = one(shares, "share_of_older", "65 or over"), shares[shares["measure"] == "share_of_people"]
    known = shares[shares["level"] != "missing"].dropna(subset="estimate")
    if shares["n"].max() == 0 or shares.empty:
        return Answer("for_whom", "Cannot be answered: nobody of the scheme's own was referred in the period.", 0, "no referrals", [])
    said = []
    female, poor = one(known, "share_of_people", "female", "sex"), one(known, "share_of_people", "1", "imd_quintile")
    missing = {group: one(rows, "share_of_people", "missing") for group, rows in shares.groupby("group", sort=False)}
    mostly = {group for group, row in missing.items() if row is None or row.estimate < MOSTLY_UNKNOWN}
    said += [f"{percent(female.estimate, female.n)} are women"] if female is not None and "sex" in mostly else []
    said += [f"{percent(older.estimate, older.n)} are 65 or over"] if older is not None and "age_band" in mostly else []
    beside = "" if ratio is None else f" ({number(ratio.estimate)} times its share of the residents)"
    said += [f"{percent(poor.estimate, poor.n)} live in the most deprived fifth of areas{beside}"] if poor is not None and "imd_quintile" in mostly else []
    none = one(groups, "share_in_suitable_group", "none of these")
    held = groups[(groups["measure"] == "share_in_suitable_group") & (groups["n"] > 0) & (groups["level"] != "none of these")]
    none = none if len(held) >= GROUPS_AT_LEAST else None
    said += [f"{percent(none.estimate, none.n)} are in none of the groups named as suitable that the data can show"] if none is not None else []
    gaps = [g for g, row in missing.items() if row is not None and row.estimate > 0.1]
    steps = [(3, f"Record {PLAIN.get(g, g)} for everyone: it is missing for "
              f"{percent(missing[g].estimate)}, so nobody can say who is not reached.") for g in gaps]
    if not said:
        why = "characteristics not recorded" if gaps else "too few people to show"
        return Answer("for_whom", "Cannot be answered: age, sex, ethnicity and deprivation are not recorded, or too few to show.", 0, why, steps[:1])
    sure = 3 if not gaps and shares["n"].max() >= 100 else 2 if len(gaps) <= 1 and shares["n"].max() >= 30 else 1
    why = f"{count(shares['n'].max())} people" + (f"; not recorded for many: {', '.join(PLAIN.get(g, g) for g in gaps)}" if gaps else "; characteristics recorded for nearly all")
    return Answer("for_whom", "Of the people the scheme saw or was asked to see, " + ", ".join(said) + ".", sure, why, steps[:1])


def answer_how_well(table, measure, instrument, funnel):
    """From `outcome_results` of the main instrument (or None without one) and `funnel` results."""
    seen = one(funnel, "stage_reached", "seen") if funnel is not None else None
    if seen is not None and seen.n_missing > seen.n:
        seen = None                     # not recorded for most of them
    reach = f"{percent(seen.estimate, seen.n)} of the people referred were seen{interval(seen)}{unknown_share(seen)}. " if seen is not None else ""
    if instrument is None:
        return Answer("how_well", reach + "Whether people got better cannot be answered: needs outcomes, a score at the start and again later.",
                      0 if seen is None else 1, "no scores are recorded", [(1, "Take one short score (for example SWEMWBS or ONS4) when people start, and again after three months.")])
    row, kept = one(table, f"paired_change_{instrument}"), one(table, f"followed_up_{instrument}")
    if row is None:
        return Answer("how_well", reach + f"Too few people have a {measure['name']} score at the start and later to show a change.", 0,
                      "too few people were measured twice", [(1, "Measure everyone again at follow-up: without a second score nothing can be said.")])
    other = one(table, f"paired_change_{instrument}", "comparison", "arm")
    certain = row.conf_low > 0 or row.conf_high < 0
    which = f"which is {direction(row.estimate, measure['higher_is_better'])}" if certain else "which could be better, worse or no change at all"
    short = f"on {measure['name']}, the {count(row.n)} people measured twice changed by {number(row.estimate, True)} points{interval(row, True)}, {which}"
    expected = expected_too(table, measure, instrument) if other is None else ""
    short += f"; {expected}" if expected else ""
    text = reach + short[0].upper() + short[1:]
    text += f"; the comparison group changed by {number(other.estimate, True)}{interval(other, True)}." if other is not None else ". " + caution(False)
    share = kept.estimate if kept is not None else 0.0
    steps = [] if share >= GOOD_FOLLOW_UP else [(2, f"Measure more people a second time: {percent(share)} of those with a first score have a later one.")]
    # without a comparison even complete data leave the question of what the scheme does open
    sure = 2 if other is not None and share >= FAIR_FOLLOW_UP else 1
    why = f"{percent(share)} of those with a first score were measured again" + ("" if other is not None else "; no comparison group")
    return Answer("how_well", text, sure, why, steps, short)


def answer_impact(tables, designs, measure, instrument, service, comparison):
    """From released tables of chapter 04: the strongest comparison there is, of the first outcome.

    Parameters
    ----------
    tables : dict of str to DataFrame
        Report.released: effect_<instrument>, impact_change_<instrument>, compared_<instrument>, use_<service>, series_<service>, designs.
    designs : DataFrame
        As `cohort.impact_designs` gives them.
    measure : Series or None
        A row of `Scheme.measures()`.
    instrument, service : str or None
        The first of each; None where there is none, or where the other is the primary outcome.
    comparison : dict
        `comparison` of scheme.yaml: threshold, threshold_ratio.
    """
    scores, use = designs.loc["scores"], designs.loc["use"]
    plan = (1, f"Plan a comparison: record {COMPARISON}.")
    if instrument and scores["level"] > 1:
        threshold = comparison.get("threshold")
        text = f"{describe_effect(tables[f'effect_{instrument}'], measure, instrument, scores, threshold)} {describe_share_improved(tables[f'effect_{instrument}'], instrument)}".strip()
        found = score_verdict(tables[f"effect_{instrument}"], measure, instrument, threshold)
        return _compared(text, found, scores, tables.get(f"compared_{instrument}"), plan)
    if service and use["level"] > 1 and use["design"] != "series":
        ratio = comparison.get("threshold_ratio")
        return _compared(describe_use(tables[f"use_{service}"], service, use, ratio), use_verdict(tables[f"use_{service}"], service, ratio), use, None, plan)
    if service and use["design"] == "series":
        return Answer("impact", "There is no evidence of an effect that a comparison could confirm. " + describe_series(tables[f"series_{service}"], service, "use_calendar"), 1,
                      f"{use['name']}, level 2 of 5", [plan], "there is no comparison group")
    if instrument and scores["level"] == 1:
        text = describe_no_comparison(tables[f"impact_change_{instrument}"], instrument, measure, scores["why"], tables.get(f"compared_{instrument}"))
    elif service and use["level"] == 1:
        text = f"There is no evidence of an effect: {use['why']}. {describe_use_change(tables[f'use_{service}'], service)}"
    else:
        why = scores["why"] if instrument or not service else use["why"]
        return Answer("impact", f"Cannot be answered: needs {COMPARISON}.", 0, why, [plan], "there is no comparison group")
    text += " To tell what the scheme does needs people like these who were not referred, measured in the same way."
    return Answer("impact", text, 0, "before and after without a comparison, level 1 of 5 on the Maryland scale", [plan], "there is no comparison group")


def answer_cost_effectiveness(tables, design, plan, about, terms):
    """From released tables of chapter 06: whether the scheme is worth its cost, and how sure to be.

    Parameters
    ----------
    tables : dict of str to DataFrame
        Report.released: value, decision and arms (where there are), break_even, change.
    design : Series
        A row of `cohort.impact_designs`.
    plan : EconomicPlan
    about : dict
        `Valued.about`.
    terms : CostTerms
    """
    compare = (1, "Plan a comparison: record EQ-5D at the start and later, and use of services, for similar people who were not referred.")
    why = not_valued(tables["value"])
    if not why:
        text = describe_value(tables["value"], tables["decision"], design["design"], design["level"], about["months"], plan.thresholds)
        found = [probability for _, probability in chances(tables["decision"], plan.thresholds)]
        settled = [SETTLED[0] < probability < SETTLED[1] for probability in found]
        arms = tables["arms"][tables["arms"]["measure"] == "mean_qaly"]
        kept = (arms["n"] / (arms["n"] + arms["n_missing"].fillna(0))).min()        # of the group with fewer
        most = {5: 3, 3: 2}.get(int(design["level"]), 1)
        few = any(settled) or arms["n"].min() < FEW_VALUED
        sure = 1 if few else max(1, most - int(most == 3 and kept < GOOD_FOLLOW_UP) - int(kept < FAIR_FOLLOW_UP) - bool(terms.lines_set_aside))
        reasons = f"{design['name']}, level {design['level']:g} of 5; over {round(about['months'], 1):g} months" + ("; the data do not settle it" if any(settled) else "")
        reasons += "" if pd.isna(kept) or kept == 1 else f"; every score and cost is recorded of {percent(kept)} in the group with fewer"
        reasons += "" if plan.scheme_cost else "; the scheme's own cost counts only as far as the extract's costs hold it"
        text += "" if about["services"] else " Use of services over these months is not held for both groups, so only the scheme's own cost is counted."
        text += " The extract's own costs are counted beside the scheme's: make sure that they do not hold it already." if about["paid"] and plan.scheme_cost else ""
        text += "" if plan.scheme_cost else " There is no costs table: the scheme's own cost counts only if the extract's costs hold it."
        text = " ".join([text, *filter(None, [price_caution(terms.price_year)])])
        short = short_verdict(tables["decision"], plan.thresholds, about["months"]) if design["level"] >= EFFECT_FROM else ""
        short += " (if the extract's costs hold that of the scheme)" if short and not plan.scheme_cost else ""
        if terms.lines_set_aside and max(found, default=0) >= SETTLED[0]:       # with what is missing the scheme may not be worth its cost
            text, sure, short = f"Whether the scheme is worth its cost cannot be told: it costs more than could be counted, and needs cost lines that can be used. As far as they go: {text[0].lower() + text[1:]}", 0, ""
        text += f" {describe_unused_lines(terms)}" if terms.lines_set_aside else ""
        steps = [(2, "Measure for longer: whether the benefit lasts decides whether the scheme is worth its cost.")] if about["months"] < 12 else []
        return Answer("cost_effectiveness", text, sure, reasons, steps, short)
    needed = ["a costs table" + " with lines that can be used" * bool(terms.lines_set_aside)] * (not plan.scheme_cost) + ["a comparison group"] * ("comparison" in why) + ["EQ-5D at the start and later, of both groups"] * ("comparison" in why or "utilities" in why)
    needed = listed(needed)
    if not plan.scheme_cost:
        return Answer("cost_effectiveness", f"Cannot be answered: needs {needed}.", 0, why, [(3, f"To learn whether the scheme is worth its cost, record {needed}.")])
    text = f"Whether the scheme is worth its cost cannot be told: {f'needs {needed}' if needed else why}. {describe_break_even(tables['break_even'], tables['change'], plan.scheme_cost)}"
    return Answer("cost_effectiveness", text, 0, why, [compare], "whether it is worth its cost cannot be told")


UNSETTLED = ("cannot tell", "no threshold", "no harm", "no benefit", "higher", "lower")


def _compared(text, found, design, followed, plan):
    """The answer where there is a comparison: how sure rests on the design, on who was measured again, and on what the interval settles."""
    rows = followed.dropna(subset="estimate") if followed is not None else pd.DataFrame(columns=["estimate"])
    kept = rows["estimate"].min() if len(rows) else float("nan")
    why = f"{design['name']}, level {design['level']:g} of 5" + ("" if pd.isna(kept) else "; everybody was measured again" if kept == 1 else f"; at least {percent(kept)} of each group were measured again")
    if found == "not estimated":
        return Answer("impact", text, 0, why, [plan], "the two groups could not be compared")
    level = int(design["level"])
    most = {5: 3, 3: 2}.get(level, 1)
    sure = max(1, most - int(most == 3 and kept < GOOD_FOLLOW_UP) - int(kept < FAIR_FOLLOW_UP))
    sure = 1 if found in UNSETTLED else sure
    why += "; the data do not settle it" if found in UNSETTLED else ""
    steps = [(2, "Plan for more people, or a longer time: these data are too few to settle whether the scheme makes a difference that matters.")] if found == "cannot tell" else []
    steps += [(3, "Have the groups drawn by lot, or start the scheme in some places first: then nothing unrecorded sets the groups apart.")] if level == 3 else [plan] * (level < 3)
    text, short = (f"{text} {IF_ALIKE}" if level == 3 else text), text.removesuffix(".") if level > 2 else "the comparison cannot show it"
    return Answer("impact", text, sure, why, steps, short)


def answer_cost(tables, terms):
    """From released tables of chapter 05: the cost charged to the period, and what that is for each person referred.

    Parameters
    ----------
    tables : dict of str to DataFrame
        Report.released: costs, lines_given, per_person.
    terms : CostTerms
    """
    total, each, unused = one(tables["costs"], "cost_charged"), one(tables["per_person"], "cost_per_person", "referred"), terms.lines_set_aside
    steps = [(1, "Correct the cost lines that could not be used: what is wrong with each is in the list of problems.")] if unused else []
    if total is None and not unused:
        return Answer("cost", f"Cannot be answered: needs {COSTS_NEEDED}.", 0, "the data hold no costs table", [(2, f"Keep {COSTS_NEEDED}.")])
    if total is None or not total.estimate > 0:
        why = "none of the cost lines could be used" if total is None else "the cost lines add up to £0"
        return Answer("cost", f"Cannot be answered: {why}; needs {COSTS_NEEDED}.", 0, why, steps or [(2, f"Keep {COSTS_NEEDED}.")])
    missing, planned, usual = absent(tables["lines_given"]), share_of_budget(tables["costs"]), len(tables["lines_given"])
    text = f"The scheme cost {pounds(total.estimate)} {spell(terms)} ({terms.price_year} prices)"
    hidden = "is not shown: too few people to report" if tables["per_person"]["suppressed"].any() else "cannot be said: nobody was referred in the period"
    text += f"; what that is for each person {hidden}." if each is None else f", {pounds(each.estimate)} a person referred{pounds_interval(each)}."
    text = f"{text} {f'Not counted: {listed(missing)}. ' if missing else ''}{describe_unused_lines(terms)}".strip()
    why = f"{usual - len(missing)} of {usual} usual kinds of cost have a line" + (f"; {percent(planned)} is a budget, not known to be spent" if planned else "")
    steps += [(3, f"Write down what these cost, also where it is nothing: {listed(missing)}.")] if missing else []
    steps += [(4, "Put what was spent in place of budgets in the costs table.")] if planned else []
    if each is None:
        return Answer("cost", text, 0, why, steps)
    sound = not unused and not terms.is_cut_short and terms.years is not None
    sure = 3 if sound and not missing and not planned and each.n >= 100 else 2 if sound and len(missing) <= LINES_MISSING and planned <= PART_PLANNED and each.n >= 30 else 1
    return Answer("cost", text, sure, why, steps, f"a person referred cost {pounds(each.estimate)}{pounds_interval(each)}")


def answer_evidence(own, record):
    """From the released `against_evidence` table of chapter 08 and the scheme's record: where its result lies among others, and what it adds."""
    if not record["effects"]:
        return Answer("evidence", "Nothing yet: needs scores or service use of the people referred, at the start and later, and of people like them who were not referred.", 0,
                      "the scheme has no result to set beside others", [(2, "Measure what published studies measured, for instance mental wellbeing (SWEMWBS) or use of the GP.")])
    shown = own[own["measure"].eq("own_estimate") & own["estimate"].notna()]
    known = [pair for pair in sets_in(own, record["effects"][0]["outcome"]) if pair in set(zip(shown["group"], shown["level"]))]
    if not known:
        return Answer("evidence", "Nothing that can be shown: too few people have scores or service use at the start and later.", 0, "small numbers are not shown", [])
    kind, level = known[0]
    others, before = one(own, "other_studies", level, kind), one(own, "pooled_before", level, kind)
    if kind != "controlled":
        needed = "a stronger comparison (level 3 or better)" if kind == "weak comparison" else "a comparison group"
        text = f"A {SINGULAR[kind]}, not an effect: it cannot tell what the scheme does. {describe_place(own, kind, level)} To add to what is known needs {needed}."
        return Answer("evidence", text, 0, "no comparison of level 3 or better", [(2, f"To add to the evidence, plan a comparison: record {COMPARISON}.")])
    first = [outcome_words(name) for group, name in known if group == kind and one(own, "other_studies", name, kind).estimate == 0]
    text = f"{describe_place(own, kind, level)} {describe_added(own, kind, level, brief=True)}".strip()
    text += f" No other study in this evidence base has an effect on {listed(first)} that could be set beside it." if first else ""
    further = one(own, "prediction_before", level, kind)
    alike = further is not None and "chance" not in chance(further)         # else studies differ so much that where one lies says little
    sure = 1 if before is None or not alike else 3 if others.estimate >= MANY_STUDIES else 2
    return Answer("evidence", text, sure, f"{studies_words(others.estimate)} with a comparison to set it against" + ("; most were read as abstracts only" if others.estimate else ""), [])


def answer_transparency(checks, strength, cheapest):
    """From released tables of chapter 09: the score with its parts and the level reached; the cheapest steps that no other chapter names are passed on.

    Parameters
    ----------
    checks, strength : DataFrame
        Released `self_appraisal` and `strength` results.
    cheapest : DataFrame
        `cheapest_to_record` of the released steps.
    """
    if one(checks, "check_score") is None:
        return Answer("transparency", "Cannot be answered: needs the chapters before this one.", 0, "there are no earlier results to check", [])
    own = cheapest[~cheapest["level"].isin(ALREADY_SAID)]
    return Answer("transparency", f"{describe_checks(checks)} {describe_level(strength)}", 2, "read from this run itself; what counts as met, and how much each check weighs, is our judgement",
                  [(4, sentence) for sentence in step_sentences(own)])


def answer_provision(tables, unread):
    """From released tables of chapter 07: how many services are listed, and what people are sent to that nobody on the list offers.

    Parameters
    ----------
    tables : dict of str to DataFrame
        Report.released: listed, entries, demand, gap.
    unread : str
        Why a directory that scheme.yaml names could not be read; '' where it names none or it was read.
    """
    if not has_services(tables["listed"]):
        why = "the directory of services could not be read; the chapter says why" if unread else "the data hold no provision table"
        step = "Save the local directory of services again: the file that scheme.yaml names could not be read." if unread else f"Keep {NO_SERVICES}. A council's directory, saved as Open Referral JSON, will do."
        return Answer("provision", f"Cannot be answered: needs {NO_SERVICES}.", 0, why, [(3, step)])
    total, demand, says = one(tables["listed"], "services_listed"), tables["demand"], tables["entries"].set_index("level")["estimate"]
    shares = demand[demand["group"].eq("activity_type")].set_index("level")["estimate"]
    absent_here, sent = absent_kinds(tables["listed"]), 0 if demand.empty or demand["n"].isna().all() else demand["n"].max()
    asked = sorted((k for k in absent_here if shares.get(k, 0) > 0), key=lambda k: -shares[k])
    text = f"{count(total.estimate)} services are listed. "
    if asked:
        text += f"No service that is listed offers {kinds_listed(asked, 'or')}, to which {percent(shares[asked].sum())} of the prescriptions went"
    else:
        text += f"No service that is listed offers {kinds_listed(absent_here, 'or')}" if absent_here else "Each kind of activity has at least one"
    text += "; a gap in a list is not always a gap in the place." if absent_here else "; that a service is listed does not say that it takes people."
    sure = 2 if says["checked in the last three months"] >= CHECKED and says["kind of activity"] >= MAPPED and sent >= MANY_SENT else 1
    why = f"{percent(says['checked in the last three months'])} of the entries were checked in the three months before the data were taken, and {percent(says['kind of activity'])} are of a known kind"
    why += f"; {count(sent)} prescriptions" if sent else "; no prescriptions can be set beside them"
    steps = [(4, f"Ask local partners who offers {kinds_listed(asked, 'or')}: people are sent to it and nobody is listed.")] if asked else []
    steps += [(5, "Ask the keeper of the directory of services to check old entries.")] if says["checked in the last three months"] < CHECKED else []
    return Answer("provision", text, sure, why, steps)


def in_order(answers):
    """Answers in the fixed order of the questions."""
    return sorted(answers, key=lambda a: list(QUESTIONS).index(a["question"]))


def headline(answers):
    """What do we know about this scheme? The difference it makes first, where a comparison can show one, and whether it is worth its cost."""
    known = {a["question"]: a for a in answers}
    impact, worth = known.get("impact", {}), known.get("cost_effectiveness", {})
    if impact.get("sure") and impact.get("short"):
        verdict = worth["short"] if worth.get("sure") and worth.get("short") else ""
        verdict = f"We are not sure, but {verdict[0].lower()}{verdict[1:]}" if verdict and worth["sure"] == 1 else verdict
        more = verdict or known.get("when", {}).get("short", "")
        return impact["short"] + "." + (f" {more}." if more else "")
    parts = [known[q]["short"] for q in ("when", "how_well", "cost") if q in known and known[q]["short"]]
    text = "; ".join(parts)
    text = text[0].upper() + text[1:] + "." if parts else "The data are too few or too incomplete to say how people fare in the scheme."
    if impact.get("sure"):
        return text
    return text + (f" There is no evidence of an effect: {impact['short']}." if impact.get("short") else " Whether the scheme made a difference is not known.")


def next_steps(answers, most=3):
    """The first few things to do, most useful first, none twice."""
    steps = sorted({tuple(step) for a in answers for step in a["next_steps"]})
    return list(dict.fromkeys(text for _, text in steps))[:most]
