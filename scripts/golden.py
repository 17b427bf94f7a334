"""Store the sample schemes' released results as tests/golden/<scheme>_results.csv; run after `make report`, read the diff, commit it."""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

for report in sorted((ROOT / "reports").glob("*/results.csv")):
    target = ROOT / "tests" / "golden" / f"{report.parent.name}_results.csv"
    shutil.copyfile(report, target)
    print(target.relative_to(ROOT))
