"""Random effects by REML with Knapp and Hartung's errors on 15 and on 4,000 studies: sprx against PyMARE and against the formulas with n x n matrices.

    python benchmarks/synthesis.py          prints CPU milliseconds of ours by REML, and the peers' time by ours, estimator by estimator: median (least to most) of paired rounds

PyMARE (PyPI, fetched by uv for this run only) fits by REML and by DerSimonian and Laird, both with Knapp and Hartung's errors. The matrices: Fisher scoring as metafor does it, but
with the trace of the squared projection as a sum, so that no two n x n matrices are multiplied. All must find the same; where studies are of one size, tau2 is the variance of the effects
less that of one study, which a pencil finds.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROUNDS, FITS = 5, {15: 200, 4_000: 5}
PYMARE = """
import json, sys, time
import numpy as np
from pymare.estimators import DerSimonianLaird, VarianceBasedLikelihoodEstimator
folder, fits = sys.argv[1], {int(k): n for k, n in json.loads(sys.argv[2]).items()}
found = {}
for k, n in fits.items():
    y, v = np.load(f'{folder}/{k}.npy')
    for name, make in (('REML', lambda: VarianceBasedLikelihoodEstimator('REML')), ('DL', DerSimonianLaird)):
        fit = lambda: make().fit(y[:, None], v[:, None], np.ones((k, 1)))
        fit()
        start = time.process_time()
        for _ in range(n):
            done = fit()
        found[f'{name} {k}'] = [(time.process_time() - start) / n, float(np.ravel(done.params_['tau2'])[0]), float(np.ravel(done.params_['fe_params'])[0])]
print(json.dumps(found))
"""


def studies(k):
    rng = np.random.default_rng(k)
    v = rng.uniform(0.01, 0.1, k)
    return rng.normal(0.3, np.sqrt(0.04 + v)), v


def with_matrices(y, v):
    """tau2 by Fisher scoring, the mean and its Knapp-Hartung error, with n x n matrices."""
    one, tau2, step = np.ones(len(y)), float(max(np.var(y, ddof=1) - v.mean(), 0.0)), 1.0
    while abs(step) > 1e-10:
        w = np.diag(1 / (v + tau2))
        solved = w @ one
        projection = w - np.outer(solved, solved) / solved.sum()
        pulled = projection @ y
        step = float((pulled @ pulled - np.trace(projection)) / (projection * projection).sum())
        tau2 = max(tau2 + step, 0.0)
    w = np.diag(1 / (v + tau2))
    mean = float(one @ w @ y / (one @ w @ one))
    return tau2, mean, float(((y - mean) @ w @ (y - mean) / (len(y) - 1) / (one @ w @ one)) ** 0.5)


def cpu(work, times):
    """CPU seconds of one of `times` calls, and what the last one gave."""
    start = time.process_time()
    for _ in range(times):
        found = work()
    return (time.process_time() - start) / times, found


def round_of(folder, command):
    """CPU seconds of one round by estimator and number of studies: ours, with matrices, and PyMARE's where it is there."""
    from sprx.stats.synthesis import synthesise

    ours, dense = {}, {}
    for k, fits in FITS.items():
        y, v = np.load(f"{folder}/{k}.npy")
        ours[f"DL {k}"] = cpu(lambda: synthesise(y, v, method="DL"), fits)[0]
        ours[f"REML {k}"], fit = cpu(lambda: synthesise(y, v), fits)
        dense[f"REML {k}"], (tau2, mean, error) = cpu(lambda: with_matrices(y, v), max(fits // 5, 1))
        assert np.allclose([fit.tau2, fit.coef[0], fit.std_error[0]], [tau2, mean, error], rtol=1e-6)
    done = subprocess.run([*command, folder, json.dumps(FITS)], capture_output=True, text=True) if command else None
    peer = json.loads(done.stdout) if done is not None and done.returncode == 0 else {}
    for key, (_, tau2, mean) in peer.items():
        method, k = key.split()
        fit = synthesise(*np.load(f"{folder}/{k}.npy"), method=method)
        assert np.allclose([fit.tau2, fit.coef[0]], [tau2, mean], rtol=1e-3), key
    return ours, dense, {key: values[0] for key, values in peer.items()}


def main():
    """Print ours in milliseconds and the peers' ratios as JSON."""
    from sprx.stats.synthesis import synthesise

    y, _ = studies(4_000)
    assert abs(synthesise(y, np.full(4_000, 0.05)).tau2 - (np.var(y, ddof=1) - 0.05)) < 1e-12
    uv = Path(sys.executable).with_name("uv")
    command = [str(uv), "run", "--quiet", "--no-project", "--with", "pymare==0.0.13", "python", "-c", PYMARE] if uv.exists() else None
    with tempfile.TemporaryDirectory() as folder:
        for k in FITS:
            np.save(f"{folder}/{k}.npy", studies(k))
        rounds = [round_of(folder, command) for _ in range(ROUNDS)]

    def ratio(pairs):
        return f"{statistics.median(pairs):.1f} ({min(pairs):.1f} to {max(pairs):.1f})" if pairs else "not measured (PyMARE: not there)"

    print(json.dumps({str(k): dict(milliseconds=statistics.median(1e3 * ours[f"REML {k}"] for ours, _, _ in rounds), matrices=ratio([dense[f"REML {k}"] / ours[f"REML {k}"] for ours, dense, _ in rounds]),
                                   **{name: ratio([peer[f"{name} {k}"] / ours[f"{name} {k}"] for ours, _, peer in rounds if peer]) for name in ("REML", "DL")}) for k in FITS}))


if __name__ == "__main__":
    main()
