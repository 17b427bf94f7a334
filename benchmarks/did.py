"""Difference-in-differences with an event study on 1 million person-months: sprx against statsmodels on the same cells.

    python benchmarks/did.py          prints CPU seconds and peak memory of both, and the ratio

The peer is the Poisson regression with one column per arm and month and the sandwich by person, which gives the same ratios month by month.
Each runs in a process of its own, so that its memory is its own; the time is without imports and without making the data.
"""

import json
import resource
import subprocess
import sys
import time
from importlib import import_module

PEOPLE, BEFORE, AFTER = 40_000, 12, 12


def extract():
    """A service_use table of 1 million rows and the people of two arms, with different starts, as cleaning leaves them."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(1)
    month = np.arange(-BEFORE, AFTER + 1)
    start = rng.integers(640, 650, PEOPLE)                          # months since 1970
    own = np.arange(PEOPLE) < PEOPLE // 2
    mean = 0.6 * rng.gamma(1.2, 1 / 1.2, PEOPLE)[:, None] * np.where(own[:, None] & (month > 0), 0.85, 1.0)
    ids = pd.array([f"P{i:06}" for i in range(PEOPLE)], dtype="string")
    days = (start[:, None] + month).astype("datetime64[M]").astype("datetime64[ns]")
    use = pd.DataFrame(dict(person_id=np.repeat(ids, len(month)), month=days.ravel(), service=pd.array(["gp"], dtype="string").repeat(PEOPLE * len(month)),
                            count=rng.poisson(mean).ravel().astype(float), observed=pd.array([True], dtype="boolean").repeat(PEOPLE * len(month))))
    people = pd.DataFrame(dict(person_id=ids, arm=pd.array(np.where(own, "scheme", "comparison"), dtype="string"), start=start.astype("datetime64[M]").astype("datetime64[ns]")))
    return people, use


def ours():
    """CPU seconds of sprx, from the extract to the rows of the report, and of its event study alone; the ratio of month 1."""
    from pathlib import Path

    import pandas as pd
    for name in ("scipy.optimize", "scipy.sparse.csgraph", "scipy.stats", "statsmodels.api"):        # imports are not what is timed
        import_module(name)

    from sprx.cohort.use import service_months
    from sprx.load import Scheme
    from sprx.metrics.impact.use import use_effect
    from sprx.metrics.impact.use_months import use_event_study
    from sprx.settings import Settings

    people, use = extract()
    settings = Settings(scheme_id="bench", name="bench", extract_date=pd.Timestamp("2026-12-31"))
    scheme = Scheme(Path("."), settings, dict(people=people, service_use=use), pd.DataFrame())
    begin = time.process_time()
    months = service_months(scheme, BEFORE, AFTER)
    cohort = time.process_time()
    use_effect(months, "gp")
    effect = time.process_time()
    found = use_event_study(months, "gp")
    end = time.process_time()
    first = found.loc[found["level"].eq("1"), "estimate"].iloc[0]
    return dict(person_months=len(months), seconds=end - begin, cohort=cohort - begin, effect=effect - cohort, event_study=end - effect, month_1=first)


def peer():
    """CPU seconds of statsmodels on the person-months: one column per arm and month, that of the start left out."""
    import numpy as np
    import pandas as pd
    import statsmodels.api as sm

    _, use = extract()
    person, month = np.repeat(np.arange(PEOPLE), BEFORE + AFTER + 1), np.tile(np.arange(-BEFORE, AFTER + 1), PEOPLE)
    kept = month != 0
    begin = time.process_time()
    names = pd.Categorical(np.where(person < PEOPLE // 2, "s", "c")[kept].astype(object) + pd.Series(month[kept]).astype(str))
    cells = pd.get_dummies(names).astype(float)
    fit = sm.GLM(use["count"].to_numpy()[kept], cells, family=sm.families.Poisson()).fit(cov_type="cluster", cov_kwds=dict(groups=person[kept]))
    fit.cov_params()
    return dict(seconds=time.process_time() - begin, converged=bool(fit.converged))


def alone(name):
    """What one of them says in a process of its own."""
    return json.loads(subprocess.run([sys.executable, __file__, name], check=True, capture_output=True, text=True).stdout)


def main():
    """Both, and the ratio of the peer's event study to ours."""
    found = {name: alone(name) for name in ("ours", "peer")}
    found = dict(sprx=found["ours"], statsmodels=found["peer"])
    return found | dict(ratio=round(found["statsmodels"]["seconds"] / found["sprx"]["event_study"], 1))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        said = dict(ours=ours, peer=peer)[sys.argv[1]]()
        said["peak_gb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 ** 2
        print(json.dumps({k: round(v, 3) if isinstance(v, float) else v for k, v in said.items()}))
    else:
        print(json.dumps(main()))
