"""Measure what the issues promise; write benchmarks/RESULTS.md. Ratios from one run on one machine, never bare times.

Run with `make bench`. Each line states the work, the peer it is measured against, and the ratio of CPU time (peer / sprx), the
median of five paired runs.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RUNS = 5

MAKE_EXCEL = """
import numpy as np, pandas as pd
rng, n = np.random.default_rng(1), 50_000
people = pd.DataFrame({'person_id': [f'P{i:06d}' for i in range(n)], 'sex': rng.choice(['Female', 'Male'], n)})
made = pd.Timestamp('2024-01-01') + pd.to_timedelta(rng.integers(0, 500, n), unit='D')
referrals = pd.DataFrame({'referral_id': [f'R{i:06d}' for i in range(n)], 'person_id': people.person_id, 'referral_date': made,
    'source': rng.choice(['GP surgery', 'Self-referral', 'hospital'], n), 'status': rng.choice(['active', 'closed'], n),
    'first_contact_date': made + pd.to_timedelta(rng.integers(0, 60, n), unit='D'),
    'closed_date': made + pd.to_timedelta(rng.integers(60, 160, n), unit='D'), 'closure_reason': rng.choice(['needs_met', 'other'], n),
    'snomed_code': '871731000000106', 'team': 1, 'score': 2.5, 'note': 'text', 'more': 'text'})
people.to_csv('people.csv', index=False)
with pd.ExcelWriter('referrals.xlsx', engine='xlsxwriter') as book:
    referrals.to_excel(book, sheet_name='referrals', index=False)
open('scheme.yaml', 'w').write('scheme_id: big\\ntables:\\n  people: {file: people.csv}\\n  referrals: {file: referrals.xlsx}\\n')
"""
OURS = "import sprx; assert len(sprx.load_scheme('.').tables['referrals']) == 50_000"
PEER = "import pandas as pd; assert len(pd.read_excel('referrals.xlsx', engine='openpyxl', dtype=str)) == 50_000"


def cpu_seconds(code, folder):
    """CPU time of one Python process that runs `code`, children included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def ratio(peer, ours, folder):
    """Median of the paired ratios peer / ours, with the least and the most."""
    pairs = [cpu_seconds(peer, folder) / cpu_seconds(ours, folder) for _ in range(RUNS)]
    return f"{statistics.median(pairs):.1f} ({min(pairs):.1f} to {max(pairs):.1f})"


def printed(script, *arguments):
    """What another script of this folder prints as JSON, in a process with one BLAS thread."""
    done = subprocess.run([sys.executable, str(ROOT / "benchmarks" / script), *map(str, arguments)], capture_output=True, text=True, check=True,
                          env=os.environ | {name: "1" for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")})
    return json.loads(done.stdout.strip().splitlines()[-1])


def chapters(folder):
    """Per report notebook, the CPU time of its metrics by that of its imports, on a synthetic scheme of 2,000 people and as many others."""
    subprocess.run([sys.executable, "-c", "from sprx.cli import main; main()", "simulate", folder, "--schemes", "1", "--people", "2000"], check=True, capture_output=True)
    scheme = next(path for path in Path(folder).iterdir() if path.is_dir())
    rows = []
    for notebook in ("01_when.ipynb", "02_for_whom.ipynb", "03_how_well.ipynb", "04_impact.ipynb", "05_cost.ipynb", "06_cost_effectiveness.ipynb"):
        found = printed("depth.py", "metrics", notebook, scheme)
        rows.append((f"the metrics of {notebook}, 2,000 people and 2,000 comparison people", f"{found['imports'] / found['metrics']:.1f}"))
    return rows


def limits():
    """The work that issues give a limit for: what, CPU seconds of this run, memory, the limit."""
    missing, aipw, did, millions, value, synthesis = printed("missing.py"), printed("aipw.py"), printed("did.py"), printed("depth.py", "millions"), printed("value.py"), printed("synthesis.py")
    peers = ", ".join(f"{found:.1f} ({name})" if found else f"not measured ({name}: not there)" for name, found in value["peers"].items())
    return [("10,000 joint bootstrap draws of costs and QALYs of 1,000 people", f"{value['bootstrap']:.2f} s, {value['peak_mb']:.0f} MB", "1 s, 500 MB", f"{value['loop']:.0f} (statsmodels OLS in a loop)"),
            ("curve, frontier and value of information, 10,000 draws x 3 strategies x 100 thresholds", f"{value['decision']:.3f} s", "quicker than BCEA", peers),
            ("20 imputations of 2,000 people with two scores and five covariates", f"{missing['sprx']:.1f} s", "10 s", f"{missing['ratio']} (statsmodels MICE, as many cycles)"),
            ("doubly robust, 1,000 bootstrap draws, 2,000 and 4,000 people", f"{aipw['seconds']:.1f} s", "20 s", f"{aipw['ratio']:.1f} (statsmodels Logit and OLS in the same loop)"),
            ("difference-in-differences and event study, 1 million person-months", f"{did['sprx']['seconds']:.1f} s, {did['sprx']['peak_gb']:.1f} GB", "15 s, 4 GB", f"{did['ratio']:.1f} (statsmodels GLM, event study only)"),
            ("control charts and rates on 5 million referrals", f"{millions['cpu']:.1f} s, {millions['gigabytes']:.1f} GB", "10 s, 4 GB", "–"),
            *((f"random effects by REML with Knapp and Hartung's errors, {int(k):,} studies", f"{found['milliseconds'] / 1e3:.4f} s", limit,
               f"{found['REML']} (PyMARE, REML), {found['DL']} (PyMARE, DerSimonian-Laird by ours), {found['matrices']} (n x n matrices)")
              for (k, found), limit in zip(synthesis.items(), ("0.02 s", "1 s")))]


def main():
    """Write the tables of results."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-c", MAKE_EXCEL], cwd=folder, check=True)
        rows = [("a folder with an Excel sheet of 50,000 rows and 13 columns, and 50,000 people, to validated tables", "pandas.read_excel with openpyxl, reading the sheet only",
                 ratio(PEER, OURS, folder)),
                ("import sprx", "import pandas", ratio("import pandas", "import sprx", folder)),
                ("sprx --help", "import pandas", ratio("import pandas", "import sys; sys.argv = ['sprx', '--help']\ntry:\n import sprx.cli; sprx.cli.app()\nexcept SystemExit: pass", folder))]
    with tempfile.TemporaryDirectory() as folder:
        described = chapters(folder)
    lines = ["# Results", "", f"Whole processes, CPU time, {RUNS} paired runs, median (least to most) of peer / sprx: above 1, sprx is quicker. Made by `make bench`.", "",
             "| work | peer | ratio |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows), "",
             "CPU time of importing pandas, scipy, statsmodels, lifelines, matplotlib and seaborn by that of the metrics of a chapter, one process each: above 1, the metrics take less than the imports.", "",
             "| work | imports / metrics |", "|---|---|", *(f"| {' | '.join(row)} |" for row in described), "",
             "Work that has a limit: CPU seconds without imports and peak memory of one run on a shared machine, the limit, and the peer's time by ours in the same run.", "",
             "| work | this run | limit | ratio to a peer |", "|---|---|---|---|", *(f"| {' | '.join(row)} |" for row in limits()), ""]
    (ROOT / "benchmarks" / "RESULTS.md").write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
