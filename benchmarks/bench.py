"""Measure what the issues promise; write benchmarks/RESULTS.md. Ratios from one run on one machine, never bare times.

Run with `make bench`. Each line states the work, the peer it is measured against, and the ratio of CPU time (peer / sprx), the
median of five paired runs.
"""

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


def main():
    """Write the table of results."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-c", MAKE_EXCEL], cwd=folder, check=True)
        rows = [("a folder with an Excel sheet of 50,000 rows and 13 columns, and 50,000 people, to validated tables", "pandas.read_excel with openpyxl, reading the sheet only",
                 ratio(PEER, OURS, folder)),
                ("import sprx", "import pandas", ratio("import pandas", "import sprx", folder)),
                ("sprx --help", "import pandas", ratio("import pandas", "import sys; sys.argv = ['sprx', '--help']\ntry:\n import sprx.cli; sprx.cli.app()\nexcept SystemExit: pass", folder))]
    lines = ["# Results", "", f"Whole processes, CPU time, {RUNS} paired runs, median (least to most) of peer / sprx: above 1, sprx is quicker. Made by `make bench`.", "",
             "| work | peer | ratio |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows), ""]
    (ROOT / "benchmarks" / "RESULTS.md").write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
