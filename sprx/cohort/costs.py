"""What the cost lines are held against: their terms, and the contacts of the same time."""

from dataclasses import dataclass

import pandas as pd

from sprx.cohort.delivery import attended_contacts
from sprx.cohort.referrals import all_referrals
from sprx.reference import facts

SET_UP_YEARS = 5            # assumed: how long what was set up lasts
DAYS_PER_YEAR = 365.25
COST_COLUMNS = ["item", "category", "amount_gbp", "price_year", "kind", "basis"]


@dataclass(frozen=True)
class CostTerms:
    """How the cost lines are read: `economics` and `period` of scheme.yaml, and what stands in for them."""

    price_year: str | None          # without one in scheme.yaml the latest of the lines
    years: float | None             # length of the period; None when it is not given
    set_up_years: float = SET_UP_YEARS
    discount_rate: float = 0.035
    perspective: str = ""
    lines_set_aside: int = 0
    has_referrals: bool = True
    is_cut_short: bool = False      # the data were taken before the period ended


def cost_terms(scheme):
    """The terms of a scheme's costs.

    Parameters
    ----------
    scheme : Scheme (cleaned)

    Returns
    -------
    CostTerms
        The discount rate is that of NICE's reference case unless scheme.yaml gives one; an open period ends at the extract.
    """
    own, (start, end), taken = scheme.settings.economics, scheme.settings.period, scheme.settings.extract_date
    last = end if end is not None else taken
    years = None if start is None or last is None else ((last - start).days + 1) / DAYS_PER_YEAR
    rate = float(facts("unit_costs").set_index("key").at["discount", "value"])
    return CostTerms(
        own.get("price_year") or (scheme.tables["costs"]["price_year"].max() if len(scheme.tables.get("costs", ())) else None), years,
        own.get("set_up_years", SET_UP_YEARS), own.get("discount_rate", rate), str(own.get("perspective", "")), len(scheme.set_aside.get("costs", ())),
        "referrals" in scheme.tables, bool(end is not None and taken is not None and taken < end))


def cost_lines(scheme):
    """The cost lines, in the standard's columns (absent ones are there and missing); empty where there is no line that can be used."""
    rows = scheme.tables.get("costs", pd.DataFrame()).reindex(columns=COST_COLUMNS)
    return rows.assign(amount_gbp=rows["amount_gbp"].astype(float))


def contacts_in_period(scheme):
    """Attended contacts within the period, of anybody's referral: what the costs of the period paid for.

    Returns
    -------
    DataFrame, one row per contact
        As `attended_contacts`, with person_id.
    """
    referrals = all_referrals(scheme)
    held = attended_contacts(scheme, referrals)
    start, end = scheme.settings.period
    outside = (held["contact_date"] < (start or pd.Timestamp.min)) | (held["contact_date"] > (end or pd.Timestamp.max))
    return held[~outside].merge(referrals[["referral_id", "person_id"]], on="referral_id", how="left")
