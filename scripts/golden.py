"""Store the sample schemes' released results as tests/golden/<scheme>_results.csv, and every sentence that can be said of a difference.

Run after `make report`, read the diff, commit it.
"""

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
from impact_sentences import sentences

for report in sorted((ROOT / "reports").glob("*/results.csv")):
    target = ROOT / "tests" / "golden" / f"{report.parent.name}_results.csv"
    shutil.copyfile(report, target)
    print(target.relative_to(ROOT))
sentences().to_csv(ROOT / "tests" / "golden" / "impact_sentences.csv", index=False, lineterminator="\n")
