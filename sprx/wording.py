"""Words from numbers: released result tables in, sentences out. Nothing is computed here but how a number is said."""

from dataclasses import asdict, dataclass, field

import pandas as pd

from sprx.reference import allowed, facts

SURE = {3: ("Sure", "●●●"), 2: ("Fairly sure", "●●○"), 1: ("Not sure", "●○○"), 0: ("Cannot tell", "○○○")}
NOT_SHOWN = "Not shown: too few people to report."
NAMES = {"age_band": "age", "sex": "sex", "ethnic_group": "ethnic group", "imd_quintile": "deprivation (1 = most deprived fifth)"}
MEASURE_WORDS = {"paired_change": "the same people, measured twice", "unpaired_change": "everyone's follow-up minus everyone's first score"}
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


# ---- how numbers are said -----------------------------------------------------------------------------------------------

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
    if low and high:
        return f" ({level_of(row)} CI {low} to {high})"
    return f" ({level_of(row)} CI from {low})" if low else ""


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
    return STAGE_WORDS.get(level, allowed("sex").get(level, level)) if group in ("stage", "sex") else level


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


# ---- 00 data quality ------------------------------------------------------------------------------------------------------

def describe_rows(table):
    """How many rows came in and how many could be used."""
    parts = []
    for level in dict.fromkeys(table["level"]):
        read, used = (one(table, m, level) for m in ("rows_read", "rows_used"))
        if read is not None and read.estimate > 0:
            parts.append(f"{level}: {count(used.estimate) if used is not None else '*'} of {count(read.estimate)}")
    return f"Rows used, of the rows read: {'; '.join(parts)}. Every other row was set aside with its reason." if parts else NOT_SHOWN


def describe_problems(table):
    """Which problems were most frequent."""
    if table.empty:
        return "No problem was found in any row."
    shown = table.dropna(subset="estimate").sort_values("estimate", ascending=False).head(3)
    if shown.empty:
        return "A few problems were found; each had too few rows to be shown here."
    said = []
    for row in shown.itertuples():
        name, rest = row.level.split(" | ", 1)             # a column's own name may hold the dividing mark
        column, problem, action = rest.rsplit(" | ", 2)
        said.append(f"{problem} ({name}{', ' + column if column else ''}; {action}): {count(row.estimate)} rows")
    return f"Most frequent: {'; '.join(said)}."


def describe_completeness(table):
    """Which columns are least complete."""
    shown = table.dropna(subset="estimate")
    poor = shown[shown["estimate"] < 0.9].sort_values(["estimate", "group", "level"])
    if poor.empty:
        return "Every column that could be shown is at least 90% complete." if len(shown) else NOT_SHOWN
    said = [f"{r.group}.{r.level} ({percent(r.estimate, r.n)})" for r in poor.head(6).itertuples()]
    return f"Least complete: {listed(said)}." + (f" {len(poor) - 6} more are below 90%." if len(poor) > 6 else "")


# ---- 01 when --------------------------------------------------------------------------------------------------------------

def describe_referrals(table):
    """How many referrals there were, and how many in a whole month."""
    total, outside = one(table, "referrals"), one(table, "referrals_outside_period")
    if total is None:
        return NOT_SHOWN
    if total.estimate == 0 and outside is None:
        return "Cannot be answered: needs a referrals table."
    whole = table[(table["group"] == "month") & (table["level"] != "missing") & (table["note"] != "part of a month")].dropna(subset="estimate")
    text = f"There were {count(total.estimate)} referrals."
    if len(whole) > 1:
        low, high = count(whole.estimate.min()), count(whole.estimate.max())
        where = "In the whole months that can be shown" if table["suppressed"].any() else "In a whole month"
        text += f" {where} there were {'about ' + low if low == high else f'between {low} and {high}'}."
    if total.n_missing > 0:
        text += f" {count(total.n_missing)} have no referral date and are not in the figure."
    if outside is not None and outside.estimate > 0:
        text += f" {count(outside.estimate)} more were made outside the period and are left out of this report."
    return text


def describe_wait(table):
    """The median wait and the share seen within each standard."""
    median = table[table["measure"] == "median_days_to_first_contact"].iloc[0]
    within = table[table["measure"].str.startswith("seen_within_")].dropna(subset="estimate")
    if pd.isna(median.n) or (within.empty and pd.isna(median.estimate)):
        return NOT_SHOWN if pd.isna(median.n) else "Cannot be answered: needs referrals with a referral_date and a first_contact_date."
    text = (f"Half of the people referred were first seen within {number(median.estimate)} days{interval(median)}."
            if pd.notna(median.estimate) else "Fewer than half of the people referred were seen while they were being watched.")
    said = [f"{percent(r.estimate, r.n)}{interval(r)} within {r.measure.split('_')[2]} days" for r in within.itertuples()]
    return text + (f" Seen: {listed(said)}." if said else "")


# ---- 02 for whom ----------------------------------------------------------------------------------------------------------

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


# ---- 03 how well ----------------------------------------------------------------------------------------------------------

def describe_funnel(table):
    """How many of the referred reached each stage."""
    if (table["n"] == 0).all():
        return "Cannot be answered: needs a referrals table."
    rows = table[table["level"] != "referred"].dropna(subset="estimate")
    said = [f"{STAGE_WORDS.get(r.level, r.level)} {percent(r.estimate, r.n)}{interval(r)}{unknown_share(r)}" for r in rows.itertuples()]
    lacking = [STAGE_WORDS[r.level] for r in table.itertuples() if r.n == 0]
    text = f"Of the referrals for which it is recorded: {'; '.join(said)}." if said else NOT_SHOWN
    return text + (f" Not recorded: {listed(lacking)}." if lacking else "")


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


def describe_change(table, measure, instrument):
    """'What the data say' of one instrument: change, follow-up and share improved. Say `caution` beside it."""
    row = one(table, f"paired_change_{instrument}")
    kept = one(table, f"followed_up_{instrument}")
    if row is None:
        return f"{measure['name']}: not shown, too few people have both scores."
    text = (f"{measure['name']}: among {count(row.n)} people with both scores, the mean change was {number(row.estimate, True)} "
            f"points{interval(row, True)}. {better_is(measure)}")
    if row.conf_low <= 0 <= row.conf_high:
        text += " The interval includes no change."
    if kept is not None:
        text += f" {percent(kept.estimate, kept.n)}{interval(kept)} of those with a first score were measured again" + ("; nothing is known of the others." if kept.estimate < 1 else ".")
    better = one(table, f"share_improved_{instrument}")
    if better is not None:
        text += f" {percent(better.estimate, better.n)}{interval(better)} {better.note} points, the smallest difference held to matter"
        text += " (unverified: no source was found for it)." if str(measure.get("mid_verification", "")).startswith("unverified") else "."
    other = one(table, f"paired_change_{instrument}", "comparison", "arm")
    if other is not None:
        text += f" In the comparison group, the mean change was {number(other.estimate, True)}{interval(other, True)}."
    return text


def caution(compared):
    """What a change is not, in words that fit what the data hold."""
    if compared:
        return ("Each is a change, not an effect. What the scheme adds is the difference between the groups, once it is allowed for how they differed "
                "at the start; this chapter does not work that out.")
    return ("This is a change, not an effect of the scheme. People are referred when they are at their worst, and people at their worst tend "
            "to get better anyway; without a comparison group the two cannot be told apart.")


def has_change(table, instrument):
    """True where a mean change of this instrument is shown."""
    return one(table, f"paired_change_{instrument}") is not None


def describe_unpaired(table, measure, instrument):
    """The dashboard's figure beside the paired one, and why they differ."""
    paired, loose = one(table, f"paired_change_{instrument}"), one(table, f"unpaired_change_{instrument}")
    followed, lost = (one(table, f"baseline_mean_{instrument}", level) for level in ("followed", "lost"))
    if paired is None or loose is None:
        return NOT_SHOWN
    text = (f"A dashboard that subtracts the mean of everyone's first score from the mean of everyone's follow-up score would show {number(loose.estimate, True)}; "
            f"the same people measured twice changed by {number(paired.estimate, True)}.")
    if number(loose.estimate, True) == number(paired.estimate, True):
        return text + " Here the two agree."
    if followed is not None and lost is not None:
        text += (f" The two differ because they are about different people: those measured again had begun at {number(followed.estimate)} "
                 f"on average, those who were lost at {number(lost.estimate)}.")
    return text


# ---- figures in words -----------------------------------------------------------------------------------------------------

def alt_of_levels(table):
    """Alt text of a figure with a point for each level: every number that it shows."""
    said = []
    for r in table.itertuples():
        value = "not shown" if pd.isna(r.estimate) else percent(r.estimate, r.n) if r.unit == "proportion" else number(r.estimate)
        said.append(f"{row_name(r, table)} {value}")
    return f"{table['measure'].iloc[0].replace('_', ' ').capitalize()}: " + "; ".join(said) + "."


def alt_of_curve(curve):
    """Alt text of a curve: where it stands at a quarter, half and the end of its time."""
    if curve.empty:
        return "No curve: too few people to show."
    last = curve["days"].max()
    said = []
    for level, rows in curve.groupby("level", sort=False):
        points = [rows[rows["days"] <= day].iloc[-1] for day in (last / 4, last / 2, last) if (rows["days"] <= day).any()]
        said.append(("" if level == "all" else f"{level}: ") + ", ".join(f"{percent(p.estimate)} by day {p.days:.0f}" for p in points))
    return "Share of the people referred who had been seen: " + "; ".join(said) + "."
