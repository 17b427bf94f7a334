"""People and residents, and the groups that reports break down by."""

import pandas as pd

from sprx.schema import OPEN_BAND, read_band

DEFAULT_BANDS = [(0, 17), (18, 24), (25, 34), (35, 44), (45, 54), (55, 64), (65, 74), (75, 84), (85, OPEN_BAND)]
ETHNIC_GROUPS = {"white": "ABC", "mixed": "DEFG", "asian": "HJKL", "black": "MNP", "other": "RS"}


def scheme_people(scheme, arm="scheme"):
    """People of one arm, with the groups that reports break down by.

    Returns
    -------
    DataFrame, one row per person
        The people table and age_band, ethnic_group (white, mixed, asian, black, other, not stated), imd_quintile (1 = most
        deprived fifth). A group that the data do not hold is missing for everyone.
    """
    people = scheme.tables["people"]
    people = people[people["arm"] == arm].copy()
    bands = population_bands(scheme) or DEFAULT_BANDS
    people["age_band"] = age_bands(people["age"], bands) if "age" in people else pd.Series(pd.NA, index=people.index, dtype="string")
    people["sex"] = people["sex"] if "sex" in people else pd.Series(pd.NA, index=people.index, dtype="string")
    ethnicity = people["ethnicity"] if "ethnicity" in people else pd.Series(pd.NA, index=people.index, dtype="string")
    people["ethnic_group"] = ethnic_group(ethnicity)
    decile = people["imd_decile"].astype(float) if "imd_decile" in people else pd.Series(float("nan"), index=people.index)
    people["imd_quintile"] = ((decile + 1) // 2).astype("Int64")
    return people


def ethnic_group(codes):
    """The five groups of the 2001 census from 16+1 codes; Z is 'not stated', 99 is missing (asked and not asked differ)."""
    groups = {code: group for group, letters in ETHNIC_GROUPS.items() for code in letters}
    return codes.map({**groups, **{g: g for g in groups.values()}, "Z": "not stated"}).astype("string")


def age_bands(ages, bands):
    """Ages to the labels of bands (low, high); an age in none of them is 'other ages', an unknown one is missing."""
    ages = ages.astype(float)
    found = pd.Series("other ages", index=ages.index, dtype="string").mask(ages.isna())
    for low, high in bands:
        found = found.mask(ages.ge(low) & ages.lt(high + 1), band_label(low, high))
    return found


def band_label(low, high):
    """'18-24', or '85+' for an open band."""
    return f"{low}+" if high >= OPEN_BAND else f"{low}-{high}"


def population_bands(scheme):
    """The population table's own age bands as (low, high), in order; empty when it gives none."""
    if not scheme.has("population", "age_band"):
        return []
    return sorted({read_band(band) for band in scheme.tables["population"]["age_band"].dropna().unique()})


def population(scheme):
    """The population table with the same groups as `scheme_people`; empty when there is none."""
    columns = ["age_band", "sex", "ethnic_group", "imd_decile", "imd_quintile", "people"]
    if "population" not in scheme.tables:
        return pd.DataFrame(columns=columns)
    rows = scheme.tables["population"].copy()
    if "age_band" in rows:
        rows["age_band"] = rows["age_band"].map(lambda band: band_label(*read_band(band)), na_action="ignore").astype("string")
    if "ethnicity" in rows:
        rows["ethnic_group"] = ethnic_group(rows["ethnicity"].map(lambda t: t if len(t) <= 2 else t.casefold(), na_action="ignore"))
    if "imd_decile" in rows:
        rows["imd_quintile"] = ((rows["imd_decile"].astype(float) + 1) // 2).astype("Int64")
    return rows.reindex(columns=columns)
