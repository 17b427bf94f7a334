"""Sentences of chapter 04 on use of services: less or more, never better or worse."""

from math import log

import pandas as pd

from sprx.reference import allowed, facts
from sprx.wording.verdict import NOT_ANSWERED, USES, log_limits, verdict, verdict_sentence, why_not
from sprx.wording.words import level_of, number, one


def ratio(value):
    """A ratio with two decimals; with more where two would call it 1."""
    return f"{value:.2f}" if f"{value:.2f}" != "1.00" or value == 1 else f"{value:.3f}"


def ratio_limits(row):
    """' (95% CI 0.82 to 0.98)' of a ratio."""
    return "" if pd.isna(row.conf_low) else f" ({level_of(row)} CI {ratio(row.conf_low)} to {ratio(row.conf_high)})"


def describe_zeros(held):
    """What a month without a row was taken for: `held` is whether the extract has rows for months without use."""
    if held:
        return "The extract has rows for months without use, so a month without any row counts as not watched."
    return "The extract has no rows for months without use, so every month between its first and last was taken as watched, and a month without a row as one without use."


def describe_use(table, service, design, threshold_ratio=None):
    """The sentence on one service that the interval, the design and what matters allow."""
    name, row = service_name(service), one(table, f"rate_ratio_{service}")
    if row is None:
        reason = why_not(table, f"rate_ratio_{service}")
        return f"{name}: " + NOT_ANSWERED.format(reason=reason)
    result = f"used {name} {ratio(row.estimate)} times as often as their own earlier use, and what happened to the others, would lead one to expect{ratio_limits(row)}"
    return verdict_sentence(design["design"], design["level"], result, use_verdict(table, service, threshold_ratio), f" ({threshold_ratio:g} times)" if threshold_ratio else "", USES)


def use_verdict(table, service, threshold_ratio=None):
    """The verdict on the use of one service: a key of `verdict.TAILS`, or 'not estimated'. Less use counts as the wanted way."""
    row = one(table, f"rate_ratio_{service}")
    return "not estimated" if row is None else verdict(*log_limits(row), abs(log(threshold_ratio)) if threshold_ratio else None, -1)


def service_name(service):
    """A service in words."""
    return allowed("service").get(service, service.replace("_", " "))


def describe_use_change(table, service):
    """The change in use of the scheme's own people, as a change, with the reason for caution."""
    row = one(table, f"rate_ratio_before_after_{service}")
    if row is None:
        return f"{service_name(service)}: the change in use is not shown ({why_not(table, f'rate_ratio_before_after_{service}')})."
    way = "went down" if row.conf_high < 1 else "went up" if row.conf_low > 1 else "may have gone up or down"
    text = f"{service_name(service)}: after the start, the people referred used these {ratio(row.estimate)} times as often as before{ratio_limits(row)}: use {way}. This is a change, not an effect."
    rest = one(table, f"rate_ratio_before_after_without_run_up_{service}")
    return text + (f" Against the time before the last three months, when people are sent because they use services most, it is {ratio(rest.estimate)} times{ratio_limits(rest)}: "
                   "the difference between the two is what comes and goes by itself." if rest is not None else "")


def describe_use_before(table, service):
    """A warning where the two groups used a service at different rates before the start; else ''."""
    rates = [one(table, f"use_rate_{service}", f"{arm}, before") for arm in ("scheme", "comparison")]
    if any(row is None for row in rates) or not rates[1].estimate > 0 or 0.8 <= rates[0].estimate / rates[1].estimate <= 1.25:
        return ""
    return (f"{service_name(service)}: before the start the people referred used these {number(rates[0].estimate)} times a year, the comparison people {number(rates[1].estimate)} times. Groups that begin so far "
            "apart come closer by themselves, so part or all of what is seen here may be that.")


def describe_event_study(table, service):
    """Whether the two groups moved alike before the start, and what a pretended start shows."""
    trend, placebo = (one(table, f"use_{name}_{service}") for name in ("pre_trend", "placebo"))
    said = []
    if trend is not None:
        said.append(f"before the start, the ratio of the two groups' rates changed by a factor of {ratio(trend.estimate)} a month{ratio_limits(trend)}" + (f" ({trend.note.split('; ', 1)[1]})" if "; " in trend.note else ""))
    if placebo is not None:
        inside = placebo.conf_low <= 1 <= placebo.conf_high
        said.append(f"a start pretended half-way through the months before shows {ratio(placebo.estimate)} times{ratio_limits(placebo)}, " + ("as it should, no difference beyond chance" if inside else "which it should not: the groups were moving apart already"))
    return f"{service_name(service)}: {'; '.join(said)}." if said else f"{service_name(service)}: whether the groups moved alike before the start cannot be shown."


def describe_other_uses(table, service):
    """The same comparison made in other ways."""
    names = {"rate_ratio_weighted": "comparison people weighted to look alike", "rate_ratio_adjusted": "given each person's earlier use", "rate_ratio_without_run_up": "without the three months before the start"}
    said = [f"{words} {ratio(row.estimate)}{ratio_limits(row)}" for stem, words in names.items() if (row := one(table, f"{stem}_{service}")) is not None]
    text = f"{service_name(service)}, done in other ways: {'; '.join(said)}." if said else f"{service_name(service)}: no other way of comparing could be shown."
    least, value = one(table, f"minimum_detectable_ratio_{service}"), one(table, f"e_value_use_{service}", "estimate")
    text += f" With these data, a true ratio of {ratio(least.estimate)} or less would be found four times in five." if least is not None else ""
    return text + (f" To explain the ratio away, something unrecorded would have to go with both being referred and use {number(value.estimate)} times as often." if value is not None else "")


def event_rows(table):
    """The rows of the figure of months around the start."""
    return table[table["measure"].str.startswith("use_event_study")]


def alt_of_event_study(table):
    """Alt text: the mean of the ratios before and after."""
    rows = table.dropna(subset="estimate")
    before, after = (rows.loc[side, "estimate"] for side in (rows["level"].astype(float) < 0, rows["level"].astype(float) > 0))
    said = [f"{name} the start from {ratio(part.min())} to {ratio(part.max())}" for name, part in (("before", before), ("after", after)) if len(part)]
    return f"Ratio of the two groups' rates month by month: {'; '.join(said)}. 1 means alike."


def series_rows(table):
    """The rows of the figure of one interrupted series."""
    return table[table["group"].isin(["month_from_start", "calendar_month"])]


def alt_of_series(table):
    """Alt text: how far the observed rates lie from the expected ones."""
    seen, told = (table[table["measure"].str.contains("expected") == flag].dropna(subset="estimate") for flag in (False, True))
    text = f"Observed rate, from {number(seen['estimate'].min())} to {number(seen['estimate'].max())} uses a person a year" if len(seen) else "No observed rate could be shown"
    return text + (f"; expected after the start, from {number(told['estimate'].min())} to {number(told['estimate'].max())}." if len(told) else ".")


def describe_series(table, service, stem="use_series"):
    """What breaks in the series when people start, and why that is no effect."""
    level = one(table, f"{stem}_level_{service}")
    if level is None:
        return f"{service_name(service)}: no series can be drawn ({why_not(table, f'{stem}_level_{service}')})."
    since, doubt = ("after the start", "People come when they use services most, so a series around the start cannot show an effect.") if stem == "use_series" else (
        "since the scheme began", "Anything else that changed at that time would look the same.")
    return f"{service_name(service)}: carrying on the months before, use {since} is {ratio(level.estimate)} times what was to be expected{ratio_limits(level)}. {doubt}"


def describe_published_caution():
    """The published comparison that shows why a fall after referral is no effect."""
    facts_of = facts("cautions").query("id == 'carnes2017'").set_index("quantity")["value"]
    was, now, other, later = (f"{float(facts_of[q]):g}" if float(facts_of[q]) % 1 else f"{float(facts_of[q]):.1f}" for q in ("gp_referred_before", "gp_referred_after", "gp_matched_before", "gp_matched_after"))
    return (f"People are referred when they use services most, and use falls again by itself. In one published comparison, people referred went from {was} to {now} GP consultations a year, while people matched "
            f"to them went from {other} to {later}: the two groups had been different all along (Carnes and others, 2017).")
