"""How numbers, levels and rows are said; every other part of this room is built from these."""

import re
from dataclasses import asdict, dataclass, field

import pandas as pd

from sprx.reference import allowed, facts

SURE = {3: ("Sure", "●●●"), 2: ("Fairly sure", "●●○"), 1: ("Not sure", "●○○"), 0: ("Cannot tell", "○○○")}
NOT_SHOWN = "Not shown: too few people to report."
NAMES = {"age_band": "age", "sex": "sex", "ethnic_group": "ethnic group", "imd_quintile": "deprivation (1 = most deprived fifth)",
         "imd_decile": "deprivation (1 = most deprived tenth)", "source": "source of referral", "gp_appointments_12m": "GP appointments in the year before",
         "ae_attendances_12m": "A&E attendances in the year before", "single_parent": "being a single parent", "low_income": "having a low income",
         "lives_alone": "living alone", "carer": "being a carer", "long_term_conditions": "long-term conditions"}
PLAINER = {"asian": "Asian", "black": "Black", "white": "White", "loneliness_isolation": "loneliness or isolation", "money_debt_benefits": "money, debt or benefits",
           "long_term_condition_self_management": "managing a long-term condition", "employment_training": "employment or training", "food_fuel": "food or fuel",
           "relationships_family": "relationships or family", "transport_digital_access": "transport or digital access", "legal_immigration": "law or immigration",
           "domestic_abuse_safety": "domestic abuse or safety", "face_to_face_clinic": "face to face, in a clinic",
           "face_to_face_community": "face to face, in the community", "text_email": "text or email"}     # where the list's own words read badly
LISTED = ("sex", "source", "need", "activity_type", "cost_kind", "cost_basis")     # groups whose levels are the allowed values of the list of that name
MEASURE_WORDS = {"paired_change": "the same people, measured twice", "expected_change": "to be expected with no help at all", "change_beyond_expected": "what is left",
                 "unpaired_change": "everyone's follow-up minus everyone's first score"}
ANALYSIS_WORDS = {
    "not adjusted": "means as they are", "adjusted": "adjusted for how people began", "weighted": "weighted to look alike", "balanced": "weighted to the same means",
    "doubly robust": "adjusted and weighted", "trimmed": "only people with people like them", "complete cases": "only people with every score",
    "filled in": "missing scores filled in", "lost like the comparison": "people lost as in the comparison", "bootstrap": "limits by drawing again", "mixed model": "mixed model",
    "with covariates": "adjusted for covariates as well", "seemingly unrelated": "cost and effect fitted together"}
COST_GROUPS = ("cost_category", "cost_category_and_basis", "cost_driver", "published")
COST_WORDS = {"set_up_life": "how long set-up lasts", "without_in_kind": "what is given in kind", "no_overhead": "overheads, of which none are given", "number_of_people": "number of people",
              "other": "other costs", "this_scheme": "this scheme", "link_worker_person": "a link worker's pay alone"}
STAGE_WORDS = {"referred": "referred", "accepted": "accepted by the service", "seen": "seen by a link worker",
               "activity_started": "began an activity", "completed": "completed"}


@dataclass(frozen=True)
class Answer:
    """The answer to one question in one sentence, how sure we can be (0 to 3) and why, and what to do next."""

    question: str
    text: str
    sure: int
    why: str
    next_steps: list = field(default_factory=list)      # (priority, sentence); 1 comes first
    short: str = ""                                     # the finding as part of the headline; empty when there is none

    def as_dict(self):
        return asdict(self)


def number(value, sign=False):
    """Two or three significant figures, never more decimals than help: 0.123, 4.2, 37, 1,250."""
    size = abs(value)
    decimals = 0 if size >= 100 or (size >= 20 and float(value).is_integer()) else 1 if size >= 0.95 or size == 0 else 2 if size >= 0.095 else 3
    if round(float(value), decimals) == 0:
        return "0"
    text = f"{value:{'+' if sign else ''},.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if float(value).is_integer() and "." in text else text
    return text.replace("-", "−")


def count(value):
    """A count of people, or * where it is hidden."""
    return "*" if pd.isna(value) else f"{value:,.0f}"


def pounds(value):
    """'£139,000', '£343', '£21', '£7.80': three figures at most, pence below £20 only."""
    size = float(f"{abs(value):.3g}")
    return ("−" if value < 0 and size else "") + (f"£{size:,.0f}" if size >= 20 or size == 0 else f"£{size:,.2f}")


def percent(value, n=0):
    """A share as a percentage: no decimals under 1,000 people."""
    return f"{100 * value:.{1 if n >= 1000 else 0}f}%"


def level_of(row):
    """'95%': the coverage of a row's interval (0.998 is 99.8%; `int` or `:.0%` would lie)."""
    return f"{100 * row.conf_level:g}%"


def interval(row, sign=False):
    """'(95% CI 3.1 to 5.3)', '(95% CI from 3.1)' for an open one, '' for none."""
    share = row.unit == "proportion"
    low, high = (None if pd.isna(v) else percent(v, row.n) if share else number(v, sign) for v in (row.conf_low, row.conf_high))
    low, high = _alike(low, high), _alike(high, low)
    if low and high:
        return f" ({level_of(row)} CI {low} to {high})"
    return f" ({level_of(row)} CI from {low})" if low else ""


def _alike(text, other):
    """A whole number as '3.0' beside '3.7': limits of one interval have the same decimals, unless they are large."""
    whole = text and other and "." not in text and "%" not in text and re.fullmatch(r"[+−]?\d{1,2}\.\d", other)
    return f"{text}.0" if whole and re.fullmatch(r"[+−]?\d{1,2}", text) and text != "0" else text


def one(table, measure, level="all", group=None):
    """The one row of a released table with this measure and level, or None if it is absent or holds no estimate."""
    rows = table[(table["measure"] == measure) & (table["level"] == level)]
    if group is not None:
        rows = rows[rows["group"] == group]
    return None if rows.empty or pd.isna(rows["estimate"].iloc[0]) else rows.iloc[0]


def listed(words):
    """'a, b and c'."""
    words = list(words)
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1] if words else ""


def level_name(group, level):
    """A level in plain words."""
    if group == "suitable_group":
        names = dict(zip(facts("referral_groups")["group"], facts("referral_groups")["plain_name"]))
        return names.get(level, level)
    if group == "imd_quintile":
        return {"1": "1 (most deprived)", "5": "5 (least deprived)", "missing": "not recorded"}.get(level, level)
    if level == "missing":
        return "not recorded"
    if level in PLAINER and group in ("ethnic_group", "need", "mode"):
        return PLAINER[level]
    if group == "analysis":
        return ANALYSIS_WORDS.get(level, level)
    if group in COST_GROUPS:
        return cost_name(level)
    if group == "left_out":
        return f"without {describe_axis(level)}"
    if group in ("mode", "reason"):
        return allowed("mode" if group == "mode" else "closure_reason").get(level, allowed("status").get(level, level))
    if group == "group_combination":
        return " and ".join(level_name("suitable_group", part).lower() for part in level.split(" + "))
    if group == "need_by_activity":
        return ": ".join(level_name(name, part) for name, part in zip(("need", "activity_type"), level.split(" | ")))
    if group.endswith("_by_area"):
        return f"{kind_name(level.split(' | ')[0])}, {level.split(' | ')[-1]}"
    if group.startswith("answers_to_"):
        return f"{level_name('need', group.removeprefix('answers_to_')).replace('_', ' ')}: {level}"
    if level == "all" and group != "all":
        return describe_axis(group)
    return STAGE_WORDS.get(level, level) if group == "stage" else allowed(group).get(level, level) if group in LISTED else level


def kind_name(kind):
    """A kind of activity, or a family of kinds, in plain words without a capital."""
    families = dict(zip(facts("activity_families")["family"], facts("activity_families")["family_name"]))
    return families.get(kind) or allowed("activity_type").get(kind, kind).lower()


def cost_name(level):
    """A kind of cost, a thing that moves the cost, or whose cost it is, in plain words; a scheme's own category as it is written."""
    known = {name: words for table, key, column in (("cost_lines", "category", "plain_name"), ("published_costs", "key", "name")) for name, words in zip(facts(table)[key], facts(table)[column])}
    return " | ".join((known | COST_WORDS | allowed("cost_basis")).get(part, part.replace("_", " ")) for part in level.split(" | "))


def row_name(row, table):
    """What tells a row from the others in its table: its level, or its measure where every row is about everyone."""
    if len(table) > 1 and table["level"].nunique() == 1:
        return next((words for measure, words in MEASURE_WORDS.items() if row.measure.startswith(measure)), row.measure.replace("_", " "))
    return level_name(row.group, row.level) if row.level != "all" else "everyone"


def better_is(measure):
    """Which way is better, in words."""
    return {"yes": "A higher score is better.", "no": "A lower score is better."}.get(measure["higher_is_better"], "Neither way is better as such.")


def describe_axis(group):
    """A breakdown's name for an axis or a caption."""
    return NAMES.get(group, group.replace("_", " "))


def unknown_share(row):
    """', not recorded for 40%' where something is not recorded for more than a twentieth."""
    missing = 0 if pd.isna(row.n_missing) else row.n_missing
    share = missing / (row.n + missing) if row.n + missing else 0
    return f", not recorded for {percent(share)}" if share > 0.05 else ""


def direction(estimate, higher_is_better):
    """'better', 'worse' or 'neither' for a change of this sign on this measure."""
    if higher_is_better not in ("yes", "no") or estimate == 0:
        return "neither better nor worse"
    return "better" if (estimate > 0) == (higher_is_better == "yes") else "worse"
