"""Do the intervals of chapter 06 hold what they promise? Draw synthetic schemes whose true QALYs, cost and net benefit are known, analyse each from its folder, count.

    python benchmarks/coverage_value.py [SCHEMES] [JOBS]

As the sample scheme harbour, as harbour would be if it did nothing, and with practices drawn by lot. The table belongs in docs/methods.md.
"""

import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

import sprx
from sprx import simulate
from sprx.sample import draw_tables

SEED = 23
TABLES = ("people", "referrals", "outcomes", "service_use", "costs")
SETTINGS = {"as harbour": {}, "does nothing": dict(effect=0.0, ratios=(("gp", 1.0), ("ae", 1.0))), "practices drawn by lot": dict(how="cluster_randomised", clusters=24, cluster_sd=1.0)}


def design(setting, number=0):
    """One scheme like harbour."""
    return replace(simulate.HARBOUR, name=f"value-{list(SETTINGS).index(setting)}-{number:03}", **SETTINGS[setting])


def truth(setting):
    """The planted gain in QALYs, cost and net benefit at 20,000 pounds: `simulate.planted` of the same design."""
    rows = simulate.planted(design(setting), ("people", "outcomes", "service_use", "costs")).set_index("quantity")["value"]
    return dict(qaly_difference=rows["incremental_qaly"], cost_difference=rows["incremental_cost_gbp"], net_benefit=rows["net_benefit_20000_gbp"])


def analyse(job):
    """Rows (setting, measure, estimate, conf_low, conf_high, probability of being worth its cost at 20,000 pounds) of one scheme, through the functions that the notebook calls."""
    setting, number = job
    plan = design(setting, number)
    with tempfile.TemporaryDirectory() as folder:
        tables = {name: rows for name, rows in draw_tables(plan, SEED).items() if name in TABLES}
        scheme = sprx.clean_scheme(sprx.load_scheme(simulate.write_plain(Path(folder) / "scheme", plan, tables, "Coverage (synthetic)")))
    lines, terms = sprx.cost_lines(scheme), sprx.cost_terms(scheme)
    own = sprx.cost_per_person(sprx.people_sharing_cost(scheme), sprx.scheme_costs(lines, terms))["estimate"].iloc[0]
    economic = sprx.EconomicPlan(plan.how, own, sprx.service_prices(sprx.services_used(scheme), terms.price_year), seed=number, draws=2000)
    ready = sprx.value_people(sprx.economic_people(scheme, sprx.utility_instruments(scheme)[0]), economic)
    table = sprx.cost_effectiveness(ready, economic, analyses=False)
    draws = sprx.effect_and_cost(sprx.joint_draws(ready, economic), economic)
    chance = float((20_000 * draws[:, 0] > draws[:, 1]).mean())
    rows = table[table["level"].isin(["all", "20000"]) & table["measure"].isin(["qaly_difference", "cost_difference", "net_benefit"])]
    return [(setting, r.measure, r.estimate, r.conf_low, r.conf_high, chance) for r in rows.itertuples()]


def main(schemes=500, jobs=1):
    """Print the table: per setting and measure the truth, the mean estimate, the share of intervals that hold it, and how often the scheme is called likely to be worth its cost."""
    print(f"| schemes | measure | planted | mean estimate | intervals that hold it, of {schemes} | called likely (80%) to be worth its cost |\n|---|---|---|---|---|---|")
    with ProcessPoolExecutor(jobs) as pool:
        for setting in SETTINGS:
            found = []
            for done, rows in enumerate(pool.map(analyse, [(setting, number) for number in range(schemes)], chunksize=5), start=1):
                found += rows
                print(f"\r{setting}: {done} of {schemes}  ", end="", file=sys.stderr)
            table, known = pd.DataFrame(found, columns=["setting", "measure", "estimate", "conf_low", "conf_high", "chance"]), truth(setting)
            for measure, part in table.groupby("measure", sort=False):
                held = part["conf_low"].le(known[measure]) & part["conf_high"].ge(known[measure])
                print(f"| {setting} | {measure} | {known[measure]:.5g} | {np.mean(part['estimate']):.5g} | {100 * held.mean():.1f}% | {100 * part['chance'].ge(0.8).mean():.1f}% |", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
