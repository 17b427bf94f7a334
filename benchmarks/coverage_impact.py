"""Does the answer of chapter 04 hold what it promises? Draw synthetic schemes whose true effect is known, analyse each from its folder, count.

    python benchmarks/coverage_impact.py [SCHEMES] [JOBS]

The effect is nothing, moderate or harmful; the comparison is drawn by lot, confounded (its people came when they were less ill), or
drawn by practices. Beside the design's answer stands what a before-and-after figure would have said. The table belongs in docs/methods.md.
"""

import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

import sprx
from sprx import sample, simulate
from sprx.sample import Design, draw_tables

PEOPLE, SEED, BIG = 300, 11, 200_000
USE_SETTING = "drawn by lot"        # use of services is drawn alike in every setting, so one is enough for it
TABLES = {"score": ("people", "referrals", "outcomes"), "GP use": ("people", "referrals", "service_use")}
EFFECTS = {"none": (0.0, 1.0), "moderate": (1.5, 0.85), "harmful": (-1.5, 1.2)}      # SWEMWBS points, rate ratio of GP use
SETTINGS = {"drawn by lot": dict(how="randomised"), "confounded": dict(how="concurrent", milder=2.0),
            "practices drawn by lot": dict(how="cluster_randomised", clusters=24, cluster_sd=1.0)}


def design(setting, effect, number=0, people=PEOPLE):
    """One scheme, with as many people in its comparison group."""
    points, ratio = EFFECTS[effect]
    return Design(f"impact-{list(SETTINGS).index(setting)}-{effect}-{number:03}", people=people, comparison=people, effect=points, ratios=(("gp", ratio),),
                  instruments=("swemwbs",), **SETTINGS[setting])


def truth(effect):
    """The planted effect in SWEMWBS points, from a big draw (rounding to the scale takes a little of it away)."""
    scores = sample.draw_scores(design("drawn by lot", effect), np.ones(BIG, dtype=bool), np.random.default_rng(SEED))
    return float((scores["follow_up"] - scores["unaided"])[:, 0].mean())


def analyse(job):
    """Rows (setting, effect, quantity, estimate, conf_low, conf_high) of one scheme, through the functions that the notebooks call."""
    outcome, setting, effect, number = job
    plan = design(setting, effect, number)
    with tempfile.TemporaryDirectory() as folder:
        tables = {name: rows for name, rows in draw_tables(plan, SEED).items() if name in TABLES[outcome]}
        scheme = sprx.clean_scheme(sprx.load_scheme(simulate.write_plain(Path(folder) / "scheme", plan, tables, "Coverage (synthetic)")))
    if outcome == "score":
        people, measure = sprx.compared_people(scheme, "swemwbs"), scheme.measures().loc["swemwbs"]
        found = sprx.effect(people, "swemwbs", measure, sprx.Plan(plan.how, seed=number), analyses=False)
        rows = [("score", found, "effect_swemwbs"), ("score, before and after", sprx.paired_change(people[people["arm"] == "scheme"]), "paired_change")]
    else:
        months = sprx.service_months(scheme)
        rows = [("GP use", sprx.use_effect(months, "gp"), "rate_ratio_gp"), ("GP use, before and after", sprx.use_change(months, "gp"), "rate_ratio_before_after_gp")]
    return [(setting, effect, quantity, *table[table["measure"] == measure_name].iloc[0][["estimate", "conf_low", "conf_high"]]) for quantity, table, measure_name in rows]


def main(schemes=500, jobs=2):
    """Print the table: per setting and effect the truth, the mean estimate, the share of intervals that hold it, and that say 'better'."""
    known = {effect: truth(effect) for effect in EFFECTS}
    print(f"| comparison | effect | outcome | planted | mean estimate | intervals that hold it, of {schemes} | that say it works |\n|---|---|---|---|---|---|---|")
    with ProcessPoolExecutor(jobs) as pool:
        for outcome, setting in [*(("score", setting) for setting in SETTINGS), ("GP use", USE_SETTING)]:
            work = [(outcome, setting, effect, number) for effect in EFFECTS for number in range(schemes)]
            found = []
            for done, rows in enumerate(pool.map(analyse, work, chunksize=10), start=1):
                found += rows
                print(f"\r{outcome}, {setting}: {done} of {len(work)} schemes  ", end="", file=sys.stderr)
            describe(found, known)


def describe(found, known):
    """Print the lines of one setting."""
    table = pd.DataFrame(found, columns=["setting", "effect", "quantity", "estimate", "conf_low", "conf_high"])
    use = table["quantity"].str.startswith("GP")
    table["truth"] = np.where(use, table["effect"].map({e: ratio for e, (_, ratio) in EFFECTS.items()}), table["effect"].map(known))
    table["held"] = table["conf_low"].le(table["truth"]) & table["conf_high"].ge(table["truth"])
    table["says_better"] = np.where(use, table["conf_high"] < 1, table["conf_low"] > 0)
    for (setting, effect, quantity), part in table.groupby(["setting", "effect", "quantity"], sort=False):
        print(f"| {setting} | {effect} | {quantity} | {part['truth'].iloc[0]:.2f} | {part['estimate'].mean():.2f} | {100 * part['held'].mean():.1f}% | {100 * part['says_better'].mean():.1f}% |", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
