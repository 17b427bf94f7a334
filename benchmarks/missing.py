"""Multiple imputation of 2,000 people with five covariates, 20 times: sprx against statsmodels' MICE doing the same work.

    python benchmarks/missing.py          prints the CPU seconds of both and their ratio

statsmodels' MICE draws in another way (predictive mean matching), which is why sprx has its own: docs/decisions/0010.
"""

import json
import time
import warnings

PEOPLE, COPIES, CYCLES = 2_000, 20, 10


def people():
    """A first and a later score and five covariates: a third have no later score, a twentieth lack two of the others."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(1)
    values = rng.normal(size=(PEOPLE, 7))
    values[:, 5] += 0.3 * values[:, :5].sum(axis=1)
    values[:, 6] += 0.6 * values[:, 5]
    table = pd.DataFrame(values, columns=["a", "b", "c", "d", "e", "baseline", "follow_up"])
    for column, share in (("follow_up", 0.35), ("baseline", 0.05), ("a", 0.05), ("b", 0.05)):
        table.loc[rng.random(PEOPLE) < share, column] = np.nan
    return table


def ours(table):
    """CPU seconds of sprx, without imports."""
    import scipy.stats  # noqa: F401

    from sprx.stats import missing

    start = time.process_time()
    copies = missing.impute(table, COPIES, 1)
    missing.change_if(copies[:, :, 6] - copies[:, :, 5], table["follow_up"].isna().to_numpy(), 0.0)
    return time.process_time() - start


def peer(table):
    """CPU seconds of statsmodels: as many cycles for as many copies."""
    from statsmodels.imputation.mice import MICEData

    warnings.simplefilter("ignore")
    start = time.process_time()
    data = MICEData(table)
    data.update_all(COPIES * CYCLES)
    return time.process_time() - start


def main():
    """Both, and the ratio."""
    table = people()
    seconds = dict(sprx=ours(table), statsmodels=peer(table))
    return {k: round(v, 3) for k, v in seconds.items()} | dict(ratio=round(seconds["statsmodels"] / seconds["sprx"]))


if __name__ == "__main__":
    print(json.dumps(main()))
