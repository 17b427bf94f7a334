"""Cut what the lessons use from the sample schemes' released results: sprx/reference/teaching/<scheme>_results.csv.

Run after `scripts/golden.py`; tests/test_lesson_data.py fails while the two are not in step. The lines are copied as they are.
"""

import csv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCHEMES = ("harbour", "moorside")
# how_well, impact, cost and cost_effectiveness, in the order of the questions; whatever else a report holds is left out
MEASURES = """
    baseline_mean_swemwbs paired_change_swemwbs expected_change_swemwbs change_beyond_expected_swemwbs share_improved_swemwbs
    maryland_level_scores effect_swemwbs improved_difference_swemwbs minimum_detectable_effect_swemwbs effect_by_analysis_swemwbs measured_again_swemwbs
    months_to_follow_up use_rate_gp rate_ratio_gp rate_ratio_before_after_gp rate_ratio_ae
    cost_total cost_per_person qaly_difference cost_difference icer net_benefit
""".split()


def cut(scheme):
    """The lines of a scheme's results that the lessons use, header first, as text."""
    lines = (ROOT / "tests" / "golden" / f"{scheme}_results.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    rows = [next(csv.reader([line])) for line in lines]
    measure = rows[0].index("measure")
    return lines[0] + "".join(line for line, row in zip(lines[1:], rows[1:]) if row[measure] in MEASURES)


if __name__ == "__main__":
    for scheme in SCHEMES:
        target = ROOT / "sprx" / "reference" / "teaching" / f"{scheme}_results.csv"
        target.parent.mkdir(exist_ok=True)
        target.write_text(cut(scheme), encoding="utf-8", newline="")
        print(target.relative_to(ROOT))
