"""Do 95% intervals hold what they promise? Draw synthetic schemes whose truth is known, analyse each from its folder, count.

    python benchmarks/coverage.py [SCHEMES] [JOBS]

Every scheme goes the whole way: tables are drawn and written, then loaded, cleaned, chosen from and measured by the functions that the
notebooks call. The table at the end belongs in docs/methods.md.
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

PEOPLE, EFFECT, SEED = 400, 1.0, 7
TABLES = ("people", "referrals", "outcomes", "population")
BIG = 200_000


def design(number, mechanism):
    """One scheme of about 400 people (Poisson: how many come is itself chance)."""
    people = int(np.random.default_rng([SEED, number]).poisson(PEOPLE))
    return Design(f"coverage-{mechanism}-{number:03}", people=people, effect=EFFECT, mechanism=mechanism, instruments=("swemwbs",))


def truth():
    """What is planted, from big draws of the same generator: waits, reach, and the mean change of everybody referred."""
    rng, found = np.random.default_rng(SEED), {}
    wait = np.rint(16.0 * np.exp(rng.normal(0, sample.WAIT_SIGMA, 20 * BIG)))       # Design.median_wait
    wait[rng.random(len(wait)) < 0.12] = np.inf                                     # Design.never_seen
    found |= {"median_days_to_first_contact": np.median(wait), "seen_within_14_days": (wait <= 14).mean(), "seen_within_28_days": (wait <= 28).mean()}
    residents = sample.AREA_PEOPLE / 10
    rates = np.array([1000 * PEOPLE * 0.98 * sample.IMD[d] / sum(sample.IMD.values()) / residents for d in range(1, 11)])     # 2% not recorded
    slope, top = np.polyfit(np.arange(0.05, 1, 0.1), rates, 1)
    found |= {"slope_index": slope, "relative_index": (top + slope) / top, "referral_rate 1": rates[:2].mean()}
    for mechanism in ("mar", "mnar"):
        plan = Design("truth", people=BIG, effect=EFFECT, mechanism=mechanism, instruments=("swemwbs",))
        scores = sample.draw_scores(plan, np.ones(BIG, dtype=bool), np.random.default_rng([SEED, 1]))
        lost = sample.lost_to_follow_up(plan, scores, np.random.default_rng([SEED, 2]).random(BIG) < plan.never_seen, np.random.default_rng([SEED, 3]))
        before, after = scores["baseline"][:, 0], scores["follow_up"][:, 0]
        line = np.polyfit(before[~lost], after[~lost], 1)
        found |= {f"change {mechanism}": (after - before).mean(), f"delta {mechanism}": (after - np.polyval(line, before))[lost].mean()}
    return found


def analyse(job):
    """Rows (quantity, estimate, conf_low, conf_high) of one scheme, through the functions that the notebooks call."""
    number, mechanism, delta = job
    plan = design(number, mechanism)
    with tempfile.TemporaryDirectory() as folder:
        tables = {name: rows for name, rows in draw_tables(plan, SEED).items() if name in TABLES}
        scheme = sprx.clean_scheme(sprx.load_scheme(simulate.write_plain(Path(folder) / "scheme", plan, tables, "Coverage (synthetic)")))
    rows = []
    if mechanism == "mar":
        rows += reach_and_waits(scheme)
    people = sprx.scores_and_covariates(scheme, "swemwbs")
    changes = sprx.change_if_lost(people, "swemwbs", scheme.measures().loc["swemwbs"], scheme.settings.seed)
    for method in ("complete_case", "mmrm", "imputed"):
        rows.append((f"change {mechanism}: {method}", f"change {mechanism}", *limits(changes, f"change_{method}_swemwbs")))
    if mechanism == "mnar":
        rows.append(("change mnar: imputed, those lost lower by the planted difference", "change mnar", *shifted(people, delta, scheme.settings.seed)))
    return rows


def limits(table, measure, level="all"):
    """(estimate, conf_low, conf_high) of the one row of a measure and level."""
    row = table[(table["measure"] == measure) & (table["level"] == level)].iloc[0]
    return tuple(row[["estimate", "conf_low", "conf_high"]].astype(float))


def reach_and_waits(scheme):
    """What chapters 01 and 02 say of waits and of inequality in reach."""
    waits = sprx.waits(sprx.scheme_referrals(scheme), scheme.settings.extract_date)
    found = sprx.stack_results(sprx.median_wait(waits), sprx.seen_within(waits, [14, 28]))
    rows = [(m, m, *limits(found, m)) for m in ("median_days_to_first_contact", "seen_within_14_days", "seen_within_28_days")]
    people, residents = sprx.referred_people(scheme), sprx.population(scheme)
    index = sprx.inequality(people, residents, "imd_decile")
    rows += [(m, m, *limits(index, m)) for m in ("slope_index", "relative_index")]
    return [*rows, ("referral_rate, most deprived fifth", "referral_rate 1", *limits(sprx.referral_rate(people, residents, "imd_quintile"), "referral_rate", "1"))]


def shifted(people, delta, seed):
    """The imputed change had those lost ended `delta` points from what was filled in for them."""
    from sprx.stats import missing

    some = people[(people["baseline"].notna() | people["follow_up"].notna()) & people["arm"].eq("scheme")]
    copies = missing.impute(some[["baseline", "follow_up"]].astype(float), 20, seed)
    found = missing.change_if(copies[:, :, 1] - copies[:, :, 0], some["follow_up"].isna().to_numpy(), delta)
    return found["estimate"], found["conf_low"], found["conf_high"]


def main(schemes=500, jobs=2):
    """Print the table: for each quantity the truth, the mean estimate, and the share of intervals that hold the truth."""
    known = truth()
    work = [(number, mechanism, known["delta mnar"]) for mechanism in ("mar", "mnar") for number in range(schemes)]
    found = []
    with ProcessPoolExecutor(jobs) as pool:
        for done, rows in enumerate(pool.map(analyse, work, chunksize=10), start=1):
            found += rows
            print(f"\r{done} of {len(work)} schemes", end="", file=sys.stderr)
    table = pd.DataFrame(found, columns=["quantity", "truth", "estimate", "conf_low", "conf_high"]).assign(truth=lambda t: t["truth"].map(known))
    table["held"] = table["conf_low"].le(table["truth"]) & table["conf_high"].ge(table["truth"])
    print(f"\n\n| quantity | planted | mean estimate | intervals that hold it, of {schemes} |\n|---|---|---|---|")
    for quantity, part in table.groupby("quantity", sort=False):
        print(f"| {quantity} | {part['truth'].iloc[0]:.3g} | {part['estimate'].mean():.3g} | {100 * part['held'].mean():.1f}% |")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
