"""Twenty-four checks of how openly an evaluation is reported, each a small function of released results and of what the scheme says of itself."""

import pandas as pd

from sprx.reference import facts
from sprx.results import result_table

PRESENT, PARTLY, ABSENT, NOT_APPLICABLE = 1.0, 0.5, 0.0, float("nan")
STATUSES = {1.0: "present", 0.5: "partly", 0.0: "absent"}
CHARACTERISTICS = ("age_band", "sex", "ethnic_group", "imd_quintile")
ALMOST_ALL = 0.9            # of the numbers that could have an interval


def status_of(value):
    """'present', 'partly', 'absent', or 'not applicable' for a missing value."""
    return STATUSES.get(value, "not applicable")


def held(results, measure, group=None):
    """True when a released measure (or every one that begins with it, where it ends in _) has a number, or one that is hidden because few people are behind it."""
    named = results["measure"].str.startswith(measure) if measure.endswith("_") else results["measure"].eq(measure)
    rows = results[named & (results["group"].eq(group) if group else True)]
    return bool((rows["estimate"].notna() | rows["suppressed"].eq(True)).any())


def graded(parts, enough=None):
    """Present when at least `enough` parts (all of them by default) are there, partly when one is, else absent; with the names of those that are not.

    Parameters
    ----------
    parts : dict of str to bool
        Plain name of the part, and whether it is there.
    enough : int, optional
    """
    there = [name for name, is_there in parts.items() if is_there]
    absent = [name for name, is_there in parts.items() if not is_there]
    status = PRESENT if len(there) >= (enough or len(parts)) else PARTLY if there else ABSENT
    words = [f"there: {', '.join(there)}"] * bool(there) + [f"missing: {', '.join(absent)}"] * bool(absent)
    return status, "; ".join(words)


# ---- TIDieR

def check_name(results, said):
    """A name of its own, and where it is."""
    return graded({"a name": "name" in said, "an area": "area" in said})


def check_why(results, said):
    """Needs, or at least which of the suitable groups people belong to."""
    needs = held(results, "share_with_need")
    return graded({"needs": needs, "groups of people it suits": held(results, "share_in_suitable_group")}, 1 if needs else 2)


def check_what_given(results, said):
    """Kinds of activity, and the services that run them."""
    return graded({"kinds of activity": held(results, "share_prescribed"), "which service": "activities.service_id" in said})


def check_what_done(results, said):
    """How far people come: at least four of the five steps."""
    steps = results[results["measure"].eq("stage_reached")]
    steps = set(steps.loc[steps["estimate"].notna() | steps["suppressed"].eq(True), "level"])
    return graded({name.replace("_", " "): name in steps for name in ("referred", "accepted", "seen", "activity_started", "completed")}, 5)


def check_who(results, said):
    """The workers' roles, and who employs them."""
    return graded({"the workers' role": "contacts.worker_role" in said, "their employer": "contacts.worker_employer" in said})


def check_how(results, said):
    """How contacts are held, and for how long."""
    return graded({"how contacts are held": held(results, "share_of_contacts", "mode"), "days of contacts": "contacts.contact_date" in said})


def check_where(results, said):
    """An area, and places smaller than it."""
    theirs, of_services = {"people.lsoa", "people.practice_code"} & said, {"provision.area_code", "provision.lat"} & said
    return graded({"the area": "area" in said, "places within it": bool(theirs or (of_services and "activities.service_id" in said))})


def check_how_much(results, said):
    """When people are seen, and how many contacts, minutes and sessions they get."""
    return graded({"days to the first contact": held(results, "median_days_to_first_contact"), "contacts a case": held(results, "contacts_per_case"),
                   "minutes a contact": held(results, "minutes_per_contact"), "sessions": held(results, "sessions_offered")})


def check_tailoring(results, said):
    """Whether what is prescribed follows what each person needs."""
    return graded({"needs": "needs" in said, "activities": "activities" in said})


def check_changes(results, said):
    """Dates on which the work changed."""
    return graded({"what changed, and when": "rebase" in said})


def check_planned(results, said):
    """The plan of scheme.yaml."""
    return graded({f"planned {word}": f"plan.{key}" in said for key, word in (("contacts", "contacts"), ("days", "days"), ("minutes", "minutes"), ("caseload", "caseload"))})


def check_actual(results, said):
    """What was done: who was seen, what they got, and how that compares with the plan."""
    return graded({"share seen": held(results, "uptake"), "contacts a case": held(results, "contacts_per_case"), "set against the plan": held(results, "had_planned_contacts")})


# ---- STROBE and TREND

def check_denominator(results, said):
    """The people out of whom those referred come."""
    return graded({"people referred": held(results, "referrals"), "all residents": held(results, "referral_rate")})


def check_flow(results, said):
    """Steps, and the reasons of those who went."""
    return graded({"how many reach each step": held(results, "stage_reached"), "why others do not": held(results, "not_seen", "reason") or held(results, "not_completed", "reason")})


def check_missing(results, said):
    """How complete each column is, and how many were measured again."""
    return graded({"how complete each column is": held(results, "completeness"), "how many were measured again": held(results, "followed_up_")})


def check_baseline(results, said):
    """Age, sex, ethnic group and deprivation."""
    known = results[results["measure"].eq("share_of_people") & results["level"].ne("missing")]
    return graded({word: held(known, "share_of_people", name) for name, word in zip(CHARACTERISTICS, ("age", "sex", "ethnic group", "deprivation"))})


def check_comparison(results, said):
    """People who were not referred, and how they were found."""
    return graded({"a comparison group": "comparison people" in said and best_level(results) >= 2, "how it was found": "comparison design" in said and "comparison people" in said})


def check_adjustment(results, said):
    """Whether the groups are alike, and what was done where they are not; nothing to check without a second group."""
    if "comparison people" not in said:
        return NOT_APPLICABLE, "there is no second group that could differ"
    return graded({"how alike the groups are": held(results, "smd_between_groups_") or held(results, "use_pre_trend_"),
                   "an answer that takes it into account": held(results, "effect_") or held(results, "difference_") or held(results, "rate_ratio_adjusted_")})


def check_uncertainty(results, said):
    """Nearly every number that could have an interval has one."""
    could = results[results["conf_level"].notna() & results["estimate"].notna()]
    if could.empty:
        return ABSENT, "no number has an interval"
    have = (could["conf_low"].notna() | could["conf_high"].notna()).mean()
    return (PRESENT if have >= ALMOST_ALL else PARTLY), f"{100 * have:.0f}% of the numbers that can have an interval have one"


def check_limits(results, said):
    """What cannot be concluded, and numbers that say how far the answer could be wrong."""
    fragile = held(results, "change_return_to_baseline_") or held(results, "e_value_")
    return graded({"what cannot be concluded, in each chapter": len(results) > 0, "numbers for how wrong the answer could be": fragile})


# ---- CHEERS

def check_perspective(results, said):
    """Whose costs are counted."""
    return graded({"whose costs are counted": "economics.perspective" in said, "a cost": held(results, "cost_charged")}, 2)


def check_price_year(results, said):
    """The price year, said by the scheme or at least written beside each cost."""
    return graded({"a price year in scheme.yaml": "economics.price_year" in said, "costs in one year's prices": held(results, "cost_charged")})


def check_comparator(results, said):
    """Costs and benefit against another group; or only what the benefit would have to be."""
    return graded({"what benefit would be enough": held(results, "break_even_qaly"), "cost and benefit against a comparison group": held(results, "qaly_difference") and held(results, "cost_difference")})


def check_sensitivity(results, said):
    """Other assumptions about cost, and about the whole verdict; nothing to check without a cost."""
    if not held(results, "cost_charged"):
        return NOT_APPLICABLE, "there is no cost that other assumptions could move"
    return graded({"what moves the cost": held(results, "cost_driver"), "what moves the verdict": held(results, "net_benefit_if")})


CHECKS = {name.removeprefix("check_"): function for name, function in list(globals().items()) if name.startswith("check_")}


def best_level(results):
    """The highest Maryland level that chapter 04 released for scores or use; 0 where there is none."""
    rows = results[results["measure"].isin(["maryland_level_scores", "maryland_level_use"])]
    return float(rows["estimate"].max()) if rows["estimate"].notna().any() else 0.0


def self_appraisal(results, said):
    """Every check, and the score they make.

    Parameters
    ----------
    results : DataFrame
        Released results of the earlier chapters (`Report.earlier_results`).
    said : set of str
        `cohort.what_is_said`.

    Returns
    -------
    DataFrame
        Result layout. check_result (group = tool, level = check of reference/transparency/checks.csv): 1 present, 0.5 partly, 0 absent, missing = not applicable; note = why.
        check_count (level = tool and status) counts them. check_score: 100 x mean of the checks that apply, over all (level all) and by tool; n = checks that apply.
    """
    table = facts("transparency/checks")
    found = {row.id: CHECKS[row.id](results, said) for row in table.itertuples()}
    rows = [dict(measure="check_result", group=row.tool, level=row.id, n=1, n_missing=0, estimate=found[row.id][0], unit="0 absent to 1 present",
                 method="from this run's results", note=found[row.id][1]) for row in table.itertuples()]
    checks = pd.DataFrame(rows)
    for tool, part in checks.groupby("group", sort=False):
        counts = part["estimate"].map(status_of).value_counts()
        rows += [dict(measure="check_count", group=tool, level=status, n=len(part), n_missing=0, estimate=counts.get(status, 0), unit="checks", method="count")
                 for status in (*STATUSES.values(), "not applicable")]
    for tool, part in [("all", checks), *checks.groupby("group", sort=False)]:
        known = part["estimate"].dropna()
        rows.append(dict(measure="check_score", group="all" if tool == "all" else "tool", level=tool, n=len(known), n_missing=len(part) - len(known),
                         estimate=100 * known.mean() if len(known) else float("nan"), unit="of 100", method="mean of the checks that apply"))
    return result_table(rows)
