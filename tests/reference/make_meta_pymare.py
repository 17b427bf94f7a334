"""PyMARE's answers for the real meta-analyses: writes meta_pymare.json. PyMARE is no dependency of sprx; from the root of the repository:

    uv run --no-project --python 3.11 --with pymare --with statsmodels env PYTHONPATH=. python tests/reference/make_meta_pymare.py
"""

import json
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
from meta_sets import SETS
from pymare import Dataset
from pymare.estimators import DerSimonianLaird, VarianceBasedLikelihoodEstimator

MAKERS = {"REML": lambda: VarianceBasedLikelihoodEstimator("REML"), "ML": lambda: VarianceBasedLikelihoodEstimator("ML"), "DL": DerSimonianLaird}


def answers(s):
    """k, and per estimator tau2, coefficients and their Knapp-Hartung errors, with and without the moderator; the Q-profile limits of tau2."""
    found = {"k": len(s.y)}
    for method, make in MAKERS.items():
        found[method] = {}
        for name, x in (("plain", None), ("moderated", s.moderator[:, None])):
            result = make().fit_dataset(Dataset(s.y[:, None], s.v[:, None], x, add_intercept=True)).summary()
            fixed = result.get_fe_stats()
            found[method][name] = dict(tau2=float(np.ravel(result.tau2)[0]), coef=np.ravel(fixed["est"]).tolist(), std_error=np.ravel(fixed["se"]).tolist())
            if method == "REML" and x is None:
                limits = result.get_re_stats()
                found["tau2_interval"] = [float(np.ravel(limits[side])[0]) for side in ("ci_l", "ci_u")]
    return found


if __name__ == "__main__":
    made = dict(made_by="tests/reference/make_meta_pymare.py", date=date.today().isoformat(), python=platform.python_version(), versions={name: version(name) for name in ("pymare", "numpy", "scipy")},
                what="REML, ML and DerSimonian-Laird with Knapp-Hartung errors, and Q-profile limits, of the sets that meta_sets.py makes", values={name: answers(make()) for name, make in SETS.items()})
    (Path(__file__).parent / "meta_pymare.json").write_text(json.dumps(made, indent=1), encoding="utf-8")
