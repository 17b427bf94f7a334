"""The doubly robust estimate with bootstrap limits on 2,000 scheme people and 4,000 others: sprx against the same loop in statsmodels.

    python benchmarks/aipw.py          prints the CPU seconds of 1,000 draws of both (the peer's from 100) and their ratio
"""

import json
import time

OWN, OTHERS, COLUMNS, DRAWS = 2_000, 4_000, 10, 1_000


def people():
    """Arms, ten covariates of which some confound, and an outcome with a planted effect of 1."""
    import numpy as np

    rng = np.random.default_rng(1)
    arm = (np.arange(OWN + OTHERS) < OWN).astype(float)
    x = rng.normal(size=(len(arm), COLUMNS)) + 0.2 * arm[:, None]
    return arm, x, x.sum(axis=1) + arm + rng.normal(size=len(arm))


def ours(arm, x, y):
    """CPU seconds of sprx, and its estimate."""
    from sprx.stats import comparison

    start = time.process_time()
    found = comparison.bootstrap(y, arm, x, DRAWS, 1)
    return time.process_time() - start, found["estimate"]


def peer(arm, x, y, draws=100):
    """CPU seconds of statsmodels' Logit and OLS in the same loop, scaled to as many draws."""
    import numpy as np
    import statsmodels.api as sm

    rng, groups = np.random.default_rng(1), [np.flatnonzero(arm == a) for a in (1, 0)]
    start = time.process_time()
    for _ in range(draws):
        drawn = np.concatenate([rng.choice(g, len(g)) for g in groups])
        a, wide, out = arm[drawn], sm.add_constant(x[drawn]), y[drawn]
        chance = sm.Logit(a, wide).fit(disp=0).predict()
        left = out - sm.OLS(out[a == 0], wide[a == 0]).fit().predict(wide)
        weights = np.where(a == 1, 0.0, chance / (1 - chance))
        left[a == 1].mean() - (weights * left).sum() / weights.sum()
    return (time.process_time() - start) * DRAWS / draws


def main():
    """Both, and the ratio."""
    arm, x, y = people()
    seconds, estimate = ours(arm, x, y)
    return dict(seconds=seconds, estimate=estimate, ratio=peer(arm, x, y) / seconds)


if __name__ == "__main__":
    print(json.dumps(main()))
