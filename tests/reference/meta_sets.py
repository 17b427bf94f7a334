"""The real meta-analyses in ../shared, each with its effects as metafor and metadat document them, and what can moderate, group or cluster it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from sprx.stats import effect_sizes as sizes

DATA = Path(__file__).parents[3] / "shared" / "data"


@dataclass(frozen=True)
class Set:
    y: np.ndarray
    v: np.ndarray
    moderator: np.ndarray
    by: np.ndarray | None = None
    cluster: np.ndarray | None = None
    inner: np.ndarray | None = None


def read(name):
    return pd.read_csv(DATA / f"ma_{name}.csv")


def made(table, effects, moderator, by=None, cluster=None, inner=None):
    """A set from a table, the rows of which have all that is asked; an effect that cannot be made is counted, not hidden."""
    y, v = (np.asarray(part, dtype=float) for part in effects(table))
    def column(name):
        return None if name is None else table[name].to_numpy()

    return Set(y, v, column(moderator).astype(float), column(by), column(cluster), column(inner))


def two_by_two(measure, first, second):
    """`first`, `second`: events and sizes, or events and the others."""
    return lambda t: measure(t[first[0]], t[first[1]], t[second[0]], t[second[1]])


def means(measure):
    return lambda t: measure(t["m1i"], t["sd1i"], t["n1i"], t["m2i"], t["sd2i"], t["n2i"])


def given(effect="yi", variance="vi"):
    return lambda t: (t[effect], t[variance])


def bcg(name):
    return made(read(name), lambda t: sizes.log_risk_ratio(t["tpos"], t["tpos"] + t["tneg"], t["cpos"], t["cpos"] + t["cneg"]), "ablat", "alloc")


def against_first_arm(table, columns):
    """Every arm of a study but its first, with that one's numbers as `<column>_0`."""
    first = table.groupby("study", sort=False)[columns].transform("first")
    return pd.concat([table, first.add_suffix("_0")], axis=1)[table.duplicated("study")]


def gibson_measured():
    return made(read("gibson2002").dropna(subset="m1i"), means(sizes.hedges_g), "year", "type")


def gibson_counted():
    return made(read("gibson2002").dropna(subset="ai"), lambda t: sizes.log_risk_ratio(t["ai"], t["ai"] + t["bi"], t["ci"], t["ci"] + t["di"]), "year", "type")


def ishak():
    wide = read("ishak2007")
    times = [wide[["study", "mbase", f"y{i}i", f"v{i}i"]].set_axis(["study", "mbase", "yi", "vi"], axis=1).assign(time=i) for i in range(1, 5)]
    return made(pd.concat(times).dropna(subset="yi"), given(), "mbase", "time", "study")


def landenberger():
    table = read("landenberger2005").rename(columns=lambda c: c.replace(".", "_"))
    return made(table, lambda t: sizes.log_odds_ratio(t["n_ctrl_rec"], t["n_ctrl_rec"] + t["n_ctrl_non"], t["n_cbt_rec"], t["n_cbt_rec"] + t["n_cbt_non"]), "sessions", "design")


def senn():
    table = against_first_arm(read("senn2013"), ["mi", "sdi", "ni"])
    return made(table, lambda t: sizes.mean_difference(t["mi"], t["sdi"], t["ni"], t["mi_0"], t["sdi_0"], t["ni_0"]), "ni", "treatment", "study")


COUNTS = (("ai", "n1i"), ("ci", "n2i"))
SETS = {
    "assink2016": lambda: made(read("assink2016"), given(), "year", "deltype", "study"),
    "bangertdrowns2004": lambda: made(read("bangertdrowns2004").dropna(subset="length"), given(), "length", "grade"),
    "baskerville2012": lambda: made(read("baskerville2012").assign(vi=lambda t: t["se"] ** 2), given("smd"), "score", "design"),
    "bcg": lambda: bcg("bcg"),
    "berkey1998": lambda: made(read("berkey1998"), given(), "year", "outcome", "trial"),
    "colditz1994": lambda: bcg("colditz1994"),
    "craft2003": lambda: made(read("craft2003").dropna(subset="ri"), lambda t: sizes.fisher_z(t["ri"], t["ni"]), "ni", "var1", "study"),
    "curtis1998": lambda: made(read("curtis1998"), means(sizes.log_mean_ratio), "co2.elev", "method", "paper"),
    "debruin2009": lambda: made(read("debruin2009"), lambda t: sizes.log_odds(t["xi"], t["ni"]), "scq", "ethnicity"),
    "egger2001": lambda: made(read("egger2001"), two_by_two(sizes.log_odds_ratio, *COUNTS), "year"),
    "gibson2002 measured": gibson_measured,
    "gibson2002 counted": gibson_counted,
    "groupbased_mentalhealth": lambda: made(read("groupbased_mentalhealth"), given("gt", "vgt"), "duration_in_weeks", "control", "study"),
    "hackshaw1998": lambda: made(read("hackshaw1998"), given(), "year", "design"),
    "hart1999": lambda: made(read("hart1999"), two_by_two(sizes.log_rate_ratio, ("x1i", "t1i"), ("x2i", "t2i")), "year", "prevtype"),
    "hasselblad1998": lambda: made(against_first_arm(read("hasselblad1998"), ["xi", "ni"]), two_by_two(sizes.log_odds_ratio, ("xi", "ni"), ("xi_0", "ni_0")), "year", "trt", "study"),
    "hine1989": lambda: made(read("hine1989"), two_by_two(sizes.risk_difference, *COUNTS), "n1i"),
    "ishak2007": ishak,
    "konstantopoulos2011": lambda: made(read("konstantopoulos2011"), given(), "year", "district", "district", "school"),
    "landenberger2005": landenberger,
    "li2007": lambda: made(read("li2007"), two_by_two(sizes.log_odds_ratio, *COUNTS), "year"),
    "linde2005": lambda: made(read("linde2005").dropna(subset=["ai", "n1i", "ci", "n2i"]), two_by_two(sizes.log_risk_ratio, *COUNTS), "duration", "group"),
    "lopez2019": lambda: made(read("lopez2019").assign(vi=lambda t: t["se"] ** 2), given("diff"), "cog", "group", "study"),
    "molloy2014": lambda: made(read("molloy2014"), lambda t: sizes.fisher_z(t["ri"], t["ni"]), "quality", "design"),
    "nielweise2007": lambda: made(read("nielweise2007"), two_by_two(sizes.log_odds_ratio, *COUNTS), "year"),
    "normand1999 MD": lambda: made(read("normand1999"), means(sizes.mean_difference), "n1i"),
    "normand1999 SMD": lambda: made(read("normand1999"), means(sizes.hedges_g), "n1i"),
    "raudenbush1985": lambda: made(read("raudenbush1985"), given(), "weeks", "setting"),
    "senn2013": senn,
}
