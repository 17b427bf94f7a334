"""What tests/golden/impact_sentences.csv is made from (scripts/golden.py writes it)."""

import pandas as pd

from sprx.reference import facts
from sprx.wording.verdict import LEADS, SCORES, TAILS, USES, verdict_sentence


def sentences():
    """Every sentence that can be said of a difference: outcome, design, verdict, sentence."""
    levels = facts("designs").set_index("design")["maryland_level"].astype(int)
    rows = [(outcome, design, found, verdict_sentence(design, levels[design], result, found, threshold, words))
            for outcome, result, threshold, words in (("score", "scored N points higher on M (difference N, 95% CI L to H)", " (T points)", SCORES),
                                                      ("use", "used S N times as often as expected (95% CI L to H)", " (T times)", USES))
            for design in LEADS for found in TAILS]
    return pd.DataFrame(rows, columns=["outcome", "design", "verdict", "sentence"])
