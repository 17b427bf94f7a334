"""Answers to scores, by each instrument's published rule (reference/measures.csv); no question wording is held."""

import re

import pandas as pd

from sprx.reference import facts, plain_key

EQ5D_DIMENSIONS = {"mobility": "MO", "self_care": "SC", "usual_activities": "UA", "pain_discomfort": "PD", "anxiety_depression": "AD"}
VALUE_SET_OF_5L = {"map_5l_to_3l_dsu": "eq5d5l_map", "crosswalk_5l_to_3l_vanhout": "eq5d5l_crosswalk", "uk_5l_2026": "eq5d5l_uk2026"}
EQ5D_TARIFFS = {"eq5d3l": "3L_UK_TTO_Dolan1997", "eq5d5l_uk2026": "5L_UK_Rowen2026"}
DSU_AGE_BANDS = {"18-34": 18, "35-44": 35, "45-54": 45, "55-64": 55, "65+": 65}


def item_number(item, measure_id):
    """The position of an item, 1 first, or None: '3', 'q3', 'item 3'; for EQ-5D the dimension's name or its two letters."""
    key = plain_key(item)
    if measure_id.startswith("eq5d"):
        for position, (name, letters) in enumerate(EQ5D_DIMENSIONS.items(), start=1):
            if key in (plain_key(name), letters.casefold()):
                return position
    found = re.fullmatch(r"[a-z _-]*?(\d+)(\.0+)?", str(item).strip().casefold())
    return int(found.group(1)) if found and not str(item).strip().startswith(("-", "+")) else None


def score_items(answers, measure):
    """Total scores from answers.

    Parameters
    ----------
    answers : DataFrame, one row per sitting
        One column per item, 1 to n_items; missing = not answered.
    measure : Series
        A row of `reference.measures()`: n_items, item_min, item_max, reverse_items, max_missing, scale, rule.

    Returns
    -------
    Series
        The total on the instrument's own scale (SWEMWBS: the metric score); missing where more than `max_missing` items
        are. Where fewer are missing, the total is prorated: mean of the answered items x number of items.

    References
    ----------
    Each instrument's sources are in reference/measures.csv. SWEMWBS conversion: Stewart-Brown et al (2009) 7:15.
    """
    count = int(measure["n_items"])
    answers = answers.reindex(columns=range(1, count + 1)).astype(float)
    for item in reversed_items(measure):
        answers[item] = measure["item_min"] + measure["item_max"] - answers[item]
    offset = measure["item_offset"] if pd.notna(measure.get("item_offset")) else 0.0
    total = (answers.mean(axis=1) + offset) * count * measure["scale"]
    total = total.where(answers.isna().sum(axis=1) <= measure["max_missing"])
    return swemwbs_metric(total.round(6)) if measure["rule"] == "swemwbs" else total.round(6)


def reversed_items(measure):
    """Item numbers scored the other way round; a reference table's 'none' is none."""
    listed = str(measure["reverse_items"]).replace(",", " ").split()
    return [int(i) for i in listed if i.isdigit()] if all(i.isdigit() for i in listed) else []


def swemwbs_metric(raw):
    """Metric SWEMWBS from raw totals (7 to 35, whole numbers); missing where the total is not in the table."""
    table = facts("swemwbs_metric").astype(float).set_index("raw")["metric"]
    return raw.map(table)


def eq5d_utility(profiles, measure_id, people=None):
    """EQ-5D index values.

    Parameters
    ----------
    profiles : Series of str
        Five digits, the levels of mobility, self-care, usual activities, pain or discomfort, anxiety or depression.
    measure_id : str
        eq5d3l (UK time trade-off), eq5d5l_uk2026 (UK value set), eq5d5l_map (5L mapped to UK 3L, needs `people`) or eq5d5l_crosswalk.
    people : DataFrame on the same index, optional
        age (years) and sex (male, female), for the mapping.

    Returns
    -------
    Series
        The utility; missing where the profile is not a state of the instrument, or age or sex is missing for the mapping.

    References
    ----------
    Dolan (1997) Med Care 35:1095; Rowen et al (2026) doi 10.1016/j.jval.2026.03.008; Hernandez Alava et al (2022)
    doi 10.1007/s40273-022-01218-7; van Hout et al (2012) doi 10.1016/j.jval.2012.02.008 (each as tabulated in the MIT-licensed R package eq5d).
    """
    if measure_id == "eq5d5l_map":
        return _mapped_utility(profiles, people)
    if measure_id == "eq5d5l_crosswalk":
        table = facts("eq5d_5l_to_3l_crosswalk")
        return profiles.map(dict(zip(table["state5l"], table["utility"].astype(float)))).astype(float)
    levels = 3 if measure_id == "eq5d3l" else 5
    rows = facts("eq5d_uk_tariffs").query("value_set == @EQ5D_TARIFFS[@measure_id]")
    tariff = dict(zip(rows["term"], rows["coefficient"].astype(float)))
    valid = profiles.where(profiles.str.fullmatch(f"[1-{levels}]{{5}}"))

    def utility(profile):
        worth = 1 + sum(tariff.get(f"{letters}{level}", 0.0) for letters, level in zip(EQ5D_DIMENSIONS.values(), profile))
        if levels == 3 and profile != "11111":
            worth += tariff["constant_any_problem"] + ("3" in profile) * tariff["N3_any_level3"]
        return round(worth, 4)

    return valid.map({p: utility(p) for p in valid.dropna().unique()}).astype(float)


def _mapped_utility(profiles, people):
    """5L states to UK 3L utilities by age band and sex (the DSU function)."""
    bands = pd.cut(people["age"].astype(float), [*DSU_AGE_BANDS.values(), 130], right=False, labels=list(DSU_AGE_BANDS))
    wanted = profiles.astype("string") + "|" + bands.astype("string") + "|" + people["sex"].astype("string")
    table = facts("eq5d_5l_to_3l_dsu")
    keys = table["state5l"] + "|" + table["age_band"] + "|" + table["sex"]
    return wanted.map(dict(zip(keys, table["utility"].astype(float)))).astype(float)
