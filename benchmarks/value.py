"""Chapter 06's heavy steps: 10,000 joint bootstrap draws of 1,000 people; curve, frontier and value of information from 10,000 draws of three strategies at 100 thresholds.

    python benchmarks/value.py          prints CPU seconds, peak memory, and the peers' time by ours

Peers on the same draws, in the same run: heormodel (PyPI, fetched by uv for this run only), and R's BCEA where Rscript and the package are there. For the bootstrap: statsmodels' OLS in
a loop, from 100 draws.
"""

import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PEOPLE, DRAWS, THRESHOLDS, REPEATS = 1_000, 10_000, 100, 20
HEORMODEL = """
import sys, time, pandas as pd
from heormodel.cea import ceac, ceaf
from heormodel.models import Outcomes
from heormodel.voi import evpi
costs, effects, wtp = (pd.read_csv(f'{sys.argv[1]}/{name}.csv') for name in ('costs', 'effects', 'wtp'))
wtp = wtp['wtp'].to_numpy()
def work():
    outcomes = Outcomes.from_wide(costs, effects)
    return ceac(outcomes, wtp=wtp), ceaf(outcomes, wtp=wtp), evpi(outcomes, wtp=wtp)
work()
start = time.process_time()
for _ in range(3):
    curve, _, value = work()
print((time.process_time() - start) / 3, float(curve.iloc[50, 0]), float(value.iloc[50]))
"""
BCEA = """
folder <- commandArgs(TRUE)[1]
read <- function(name) as.matrix(read.csv(file.path(folder, paste0(name, '.csv'))))
costs <- read('costs'); effects <- read('effects'); wtp <- read('wtp')[, 1]
suppressMessages(library(BCEA))
start <- proc.time(); found <- multi.ce(bcea(effects, costs, ref = 1, k = wtp)); used <- proc.time() - start
cat(used[['user.self']] + used[['sys.self']], found$p_best_interv[51, 1], found$evi[51], '\\n')
"""


def bootstrap():
    """CPU seconds of ours, and of statsmodels' loop scaled to as many draws."""
    import numpy as np
    import statsmodels.api as sm

    from sprx.stats import economics

    rng = np.random.default_rng(1)
    arm, first, spent = np.repeat([0.0, 1.0], PEOPLE // 2), rng.normal(0.6, 0.2, PEOPLE), rng.gamma(2, 500, PEOPLE)
    outcomes = [0.2 + 0.7 * first + 0.05 * arm + rng.normal(0, 0.1, PEOPLE), 300 + 0.8 * spent + 200 * arm + rng.normal(0, 200, PEOPLE)]
    designs = [np.column_stack([arm, first]), np.column_stack([arm, spent])]
    start = time.process_time()
    economics.joint_bootstrap(outcomes, designs, DRAWS, np.random.default_rng(1))
    ours, start = time.process_time() - start, time.process_time()
    wide = [sm.add_constant(design) for design in designs]
    for _ in range(DRAWS // 100):
        drawn = np.concatenate([rng.choice(np.flatnonzero(arm == a), PEOPLE // 2) for a in (0, 1)])
        for y, x in zip(outcomes, wide):
            sm.OLS(y[drawn], x[drawn]).fit().params
    return ours, (time.process_time() - start) * 100 / ours


def decision(folder):
    """CPU seconds of ours, and each peer's by ours (None where it is not there); the peers must find the same."""
    import numpy as np
    import pandas as pd

    from sprx.stats import economics

    rng = np.random.default_rng(2)
    costs, effects, wtp = rng.normal([0, 300, 500], 200, (DRAWS, 3)), rng.normal([0.0, 0.015, 0.02], 0.01, (DRAWS, 3)), np.linspace(0, 50_000, THRESHOLDS)
    economics.decide(costs, effects, wtp)
    start = time.process_time()
    for _ in range(REPEATS):
        table = economics.decide(costs, effects, wtp)
    ours, peers = (time.process_time() - start) / REPEATS, {}
    for name, values in (("costs", costs), ("effects", effects)):
        pd.DataFrame(values, columns=list("abc")).to_csv(f"{folder}/{name}.csv", index=False)
    pd.DataFrame(dict(wtp=wtp)).to_csv(f"{folder}/wtp.csv", index=False)
    uv, r = Path(sys.executable).with_name("uv"), shutil.which("Rscript")
    commands = {"heormodel": [str(uv), "run", "--quiet", "--no-project", "--with", "heormodel==0.7.4", "python", "-c", HEORMODEL, folder] if uv.exists() else None,
                "BCEA": [r, "-e", BCEA, folder] if r else None}
    for name, command in commands.items():
        done = subprocess.run(command, capture_output=True, text=True) if command else None
        if done is None or done.returncode:
            peers[name] = None
            continue
        seconds, chance, value = map(float, done.stdout.split())
        assert abs(chance - table["probability_0"][50]) < 1e-9 and abs(value - table["evpi"][50]) < 1e-6, name
        peers[name] = seconds / ours
    return ours, peers


if __name__ == "__main__":
    draws, loop = bootstrap()
    with tempfile.TemporaryDirectory() as place:
        curve, found = decision(place)
    print(json.dumps(dict(bootstrap=draws, loop=loop, decision=curve, peers=found, peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)))
