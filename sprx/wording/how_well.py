"""Sentences of chapter 03."""

from sprx.wording.words import NOT_SHOWN, STAGE_WORDS, better_is, count, interval, listed, number, one, percent, unknown_share


def describe_funnel(table):
    """How many of the referred reached each stage."""
    if (table["n"] == 0).all():
        return "Cannot be answered: needs a referrals table."
    rows = table[table["level"] != "referred"].dropna(subset="estimate")
    said = [f"{STAGE_WORDS.get(r.level, r.level)} {percent(r.estimate, r.n)}{interval(r)}{unknown_share(r)}" for r in rows.itertuples()]
    lacking = [STAGE_WORDS[r.level] for r in table.itertuples() if r.n == 0]
    text = f"Of the referrals for which it is recorded: {'; '.join(said)}." if said else NOT_SHOWN
    return text + (f" Not recorded: {listed(lacking)}." if lacking else "")


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
