"""The one-page protocol and the list of what to record from day one, from a plan and its released numbers."""


from sprx.reference import BY_LOT, facts
from sprx.wording.planning import design_name, size_words, thing
from sprx.wording.words import count, one, percent

NEVER_NAMES = "Names, NHS numbers, addresses, dates of birth and other direct identifiers are never in the data; people have a pseudonym, and the key stays with the scheme."
ANALYSES = {"before_after": "the mean change of people measured twice, with its interval, beside the change expected with no help at all; it is called a change, never an effect",
            "concurrent": "the difference between the groups at follow-up, adjusted for the first score and what is recorded of people, with weights that make the groups alike",
            "matched": "the difference between the groups at follow-up, adjusted for the first score and what is recorded of people, with weights that make the groups alike",
            "randomised": "the difference between the groups at follow-up, adjusted for the first score, of everybody as drawn (intention to treat)",
            "cluster_randomised": "the difference between the groups at follow-up, adjusted for the first score, of everybody as drawn, with errors that know of the places (few places: t distribution)"}
USE_ANALYSIS = "the ratio of rates after and before, in the scheme against the comparison (difference-in-differences on counts, errors by person)"


def comparison_of(plan):
    """The design as scheme.yaml names it."""
    return dict(zip(facts("planning_designs")["design"], facts("planning_designs")["comparison"]))[plan.design]


def what_to_record(plan):
    """What to record from day one, for this outcome and design.

    Returns
    -------
    list of (table, columns, when and why)
    """
    compared = plan.design != "before_after"
    who = "of everybody, in both groups" if compared else "of everybody referred"
    rows = [("people", "person_id, birth_year or age, sex, ethnicity, imd_decile, long_term_conditions" + (", arm" if compared else "") + (", practice_code" if plan.design == "cluster_randomised" else "") + (", index_date" if compared else ""),
             f"on the first day, {who}: what groups are made alike by cannot be asked for afterwards"),
            ("referrals", "referral_id, person_id, referral_date, source, status, first_contact_date, closed_date, closure_reason", "as it happens: waits, and who never came, are part of the answer")]
    if plan.is_use:
        rows.append(("service_use", "person_id, month, service, count, observed", f"{plan.outcome_name} month by month, {plan.study.months_before:g} months before and {plan.study.months_after:g} after each person's start, {who}; months without use as 0, observed = yes"))
    else:
        rows.append(("outcomes", f"person_id, instrument = {plan.outcome}, occasion, measured_on, value",
                     f"before the scheme does anything (baseline) and {plan.follow_up_months:g} months later (follow_up), {who}, also of people who stopped coming"))
    rows += [("contacts and activities", "contact_date, mode, minutes, attended; activity_type, status, sessions_attended", "at each contact: what people were given"),
             ("costs", "item, category, amount_gbp, price_year, kind, basis", "once a quarter, from the accounts: without costs nobody can say what it was worth")]
    if plan.design in BY_LOT:
        rows.append(("the draw", "who was drawn, when, by whom, into which arm", "kept by somebody who does not enrol people, so that nobody can choose"))
    return rows


def protocol(plan, needed, smallest):
    """The protocol, one page.

    Parameters
    ----------
    plan : EvaluationPlan
    needed, smallest : DataFrame
        `people_by_design` and `smallest_against`, as released.

    Returns
    -------
    dict
        title, sections: list of [heading, paragraph], record: list of [table, columns, when and why].
    """
    known = facts("designs").set_index("design").loc[plan.design]
    study = plan.study
    power, whole, people = (one(needed, m, plan.design) for m in ("power_of_plan", "people_in_all", "people_needed"))
    found = one(smallest, "effect_scale", "smallest_found")
    size = (f"{count(plan.people)} people in the scheme" + ("" if plan.design == "before_after" else f" and {count(plan.people * study.ratio)} in the comparison")
            + f"; {percent(plan.follow_up)} of them are expected to be measured again. The chance to find {'a ' if plan.design == 'before_after' else 'an '}{thing(plan)} of {size_words(plan.effect, plan)} ({plan.effect_source}) is then {percent(power.estimate)}; ")
    size += "no number of people would reach the chance wanted. " if people is None else f"to find it {percent(study.wanted)} of the time needs {count(whole.estimate)} people in all. "
    size += "" if found is None else f"The smallest {thing(plan)} found {percent(study.wanted)} of the time is {size_words(found.estimate, plan)}."
    places = f" Places: {study.cluster_size:g} people in each, likeness (ICC) {study.icc:g}, sizes varying by {study.cluster_cv:g} (SD over mean)." if plan.design == "cluster_randomised" else ""
    what = f"{plan.outcome_name} ({plan.outcome})"
    when = f"{study.months_before:g} months before and {study.months_after:g} months after each person's start" if plan.is_use else f"before the scheme does anything, and {plan.follow_up_months:g} months later"
    sections = [
        ["Question", f"What does being offered the scheme do to {what}, {plan.follow_up_months:g} months on, compared with {_compared(plan.design, known)}? The answer sought is {known['estimand']}."],
        ["Design", f"{design_name(plan.design)[0].upper()}{design_name(plan.design)[1:]} (Maryland level {known['maryland_level']} of 5). What must be true: {known['assumptions']}."],
        ["People", size + places],
        ["Measures", f"Primary: {what}, {when}. Secondary measures are named here before anybody looks at results, and reported whatever they say: ____________________"],
        ["Analysis", f"Fixed now: {USE_ANALYSIS if plan.is_use else ANALYSES[plan.design]}; {100 * study.conf_level:g}% intervals; computed by sprx from scheme.yaml, so that anybody can run it again. Groups of people looked at apart are named here: ____________________"],
        ["Missing data", f"People who are not measured again are counted and described, and asked again at least twice. The main answer fills in missing {'months' if plan.is_use else 'scores'} only as its method does; beside it stands what it would be "
                         "if those lost fared worse, and how much worse they would have to fare for the answer to turn." ],
        ["Small numbers", f"No number is shown that stands for few people: counts of 1 to 7 are hidden and others rounded to the nearest 5 (nhse_1_7_round5). {NEVER_NAMES}"],
        ["What will count as success", "Agreed before the start: ____________________\nA result that is open, or says harm, is published as well, by: ____________________"],
        ["Agreed", "Version and date: ____________________\nFor the scheme: ____________________ For the evaluation: ____________________\nEthics and data protection advice sought from: ____________________"]]
    return dict(title=f"Protocol: {plan.settings.name}", sections=sections, record=[list(row) for row in what_to_record(plan)])


def _compared(design, known):
    return "the same people at the start" if design == "before_after" else {"randomised": "people who were not drawn", "cluster_randomised": "people of places that were not drawn"}.get(design, known["who_is_compared"])


def record_words(plan):
    """What to record from day one, as (term, words)."""
    return [(table, f"{columns}. {when[0].upper()}{when[1:]}.") for table, columns, when in what_to_record(plan)]
