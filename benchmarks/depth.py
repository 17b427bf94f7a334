"""The three descriptive chapters: metrics against imports on a scheme of 2,000 people, and control charts and rates on 5 million referrals.

    python benchmarks/depth.py metrics NOTEBOOK FOLDER    CPU time of the metrics that one notebook calls, and of the imports
    python benchmarks/depth.py millions                   CPU time and memory of charts and rates on 5 million referrals

Called by bench.py, which states the ratios.
"""

import json
import resource
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCIENTIFIC = ("pandas", "scipy.stats", "statsmodels.api", "lifelines", "matplotlib.pyplot", "seaborn")


def import_time():
    """CPU seconds to import what a notebook's kernel imports."""
    start = time.process_time()
    for name in SCIENTIFIC:
        __import__(name)
    return time.process_time() - start


def timed(sprx):
    """Replace every metric that sprx exports by one that adds up its CPU time; returns the sum, as a list of one."""
    spent, inside = [0.0], [False]

    def wrap(function):
        def call(*args, **kwargs):
            if inside[0]:
                return function(*args, **kwargs)
            inside[0], start = True, time.process_time()
            try:
                return function(*args, **kwargs)
            finally:
                spent[0] += time.process_time() - start
                inside[0] = False
        return call

    for home, names in sprx._HOMES.items():
        if home.startswith("sprx.metrics."):
            for name in names:
                setattr(sprx, name, wrap(getattr(sprx, name)))
    return spent


def metrics(notebook, folder):
    """CPU seconds of imports and of metrics when the cells of one notebook run on one scheme folder."""
    imports = import_time()
    import sprx
    from IPython.core.interactiveshell import InteractiveShell
    spent, shell = timed(sprx), InteractiveShell.instance()
    for cell in json.loads((ROOT / "notebooks" / "report" / notebook).read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            code = "".join(cell["source"])
            if "parameters" in cell["metadata"].get("tags", ()):
                code += f"\nscheme_dir = {str(folder)!r}\noutput_dir = {str(Path(folder) / 'out')!r}\n"
            shell.run_cell(code, silent=True).raise_error()
    return dict(imports=imports, metrics=spent[0])


def millions(count=5_000_000):
    """Monthly counts with control charts, and rates by four characteristics, of 5 million referrals."""
    import numpy as np
    import pandas as pd

    import sprx
    from sprx import disclosure
    rng = np.random.default_rng(1)
    day = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 2000, count), unit="D")
    seen = day + pd.to_timedelta(rng.integers(0, 60, count), unit="D")
    bands = dict(age_band=["18-24", "25-44", "45-64", "65+"], sex=["female", "male"], ethnic_group=["asian", "black", "mixed", "other", "white"],
                 imd_quintile=["1", "2", "3", "4", "5"])
    referrals = pd.DataFrame(dict(referral_date=day, first_contact_date=seen, closed_date=seen + pd.Timedelta(days=90), has_ended=False)
                             | {name: pd.Series(rng.choice(levels, count), dtype="string") for name, levels in bands.items()})
    residents = pd.MultiIndex.from_product(bands.values(), names=bands).to_frame(index=False).astype("string").assign(people=250_000)
    start = time.process_time()
    show = lambda table: disclosure.release(table, disclosure.RULES["nhse_1_7_round5"])
    monthly = sprx.activity_per_month(referrals, pd.DataFrame({"contact_date": seen}), extract_date=pd.Timestamp("2025-06-30"))
    charts = sprx.control_charts([monthly], show)
    rates = [sprx.referral_rate(referrals, residents, by) for by in bands]
    assert len(charts) > 100 and sum(map(len, rates)) == 16
    return dict(cpu=time.process_time() - start, gigabytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2 ** 20)


if __name__ == "__main__":
    print(json.dumps(metrics(*sys.argv[2:]) if sys.argv[1] == "metrics" else millions()))
