"""Every real meta-analysis in ../shared through every estimator, without a warning; what must hold of the answers, and three other programs' answers (dense matrices here, PyMARE, statsmodels)."""

import json
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from meta_sets import SETS, read
from scipy.optimize import minimize, minimize_scalar
from scipy.stats import chi2
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.meta_analysis import combine_effects

from sprx.errors import DataError
from sprx.stats import effect_sizes, mantel_haenszel, nested, synthesis

pytestmark = pytest.mark.filterwarnings("error")
WAYS = [(method, way) for method in synthesis.METHODS for way in (False, True, "ad hoc")]
GROUPED = [name for name in SETS if name not in ("egger2001", "hine1989", "li2007", "nielweise2007", "normand1999 MD", "normand1999 SMD")]
CLUSTERED = ["assink2016", "berkey1998", "craft2003", "curtis1998", "groupbased_mentalhealth", "hasselblad1998", "ishak2007", "konstantopoulos2011", "lopez2019", "senn2013"]
PYMARE = json.loads((Path(__file__).parent / "meta_pymare.json").read_text(encoding="utf-8"))


@cache
def loaded(name):
    return SETS[name]()


def dense(s, tau2, x=None):
    """The projection matrix of a meta-regression with all its k x k numbers, and its restricted log-likelihood."""
    x = np.ones((len(s.y), 1)) if x is None else x
    w = np.diag(1 / (s.v + tau2))
    projection = w - w @ x @ np.linalg.inv(x.T @ w @ x) @ x.T @ w
    return projection, -0.5 * (np.log(s.v + tau2).sum() + np.linalg.slogdet(x.T @ w @ x)[1] + s.y @ projection @ s.y)


def designs(s):
    return (None, np.column_stack([np.ones(len(s.y)), s.moderator]))


def test_every_set_is_here():
    files = {path.stem[3:] for path in (Path(__file__).parents[3] / "shared" / "data").glob("ma_*.csv")}
    assert files == {name.split()[0] for name in SETS} and len(files) == 27
    assert all(s.cluster is None or len(set(s.cluster)) < len(s.y) for s in map(loaded, SETS)) and [name for name in SETS if loaded(name).cluster is not None] == CLUSTERED


@pytest.mark.parametrize("name", SETS)
def test_every_estimator_gives_what_such_an_answer_must_be(name):
    s = loaded(name)
    for method, way in WAYS:
        fit = synthesis.synthesise(s.y, s.v, method=method, knapp_hartung=way)
        assert fit.tau2 >= 0 and 0 <= fit.i2 <= 100 and fit.h2 >= 0 and fit.weights.sum() == pytest.approx(100) and 0 <= fit.p_value[0] <= 1 and 0 <= fit.q_p <= 1
        assert fit.qm == pytest.approx((fit.coef[0] / fit.std_error[0]) ** 2) and fit.qm_p == pytest.approx(fit.p_value[0], rel=1e-6, abs=1e-15)
        if method == "EE":
            assert fit.tau2 == 0
            continue
        low, high = fit.tau2_interval()
        assert 0 <= low <= high and fit.tau2_error > 0
        at = fit.predict().iloc[0]
        assert at.pred_low <= at.conf_low <= at.estimate <= at.conf_high <= at.pred_high
        near = synthesis.shrunken(fit)["estimate"].to_numpy()
        assert np.all((near - fit.coef[0]) * (near - s.y) <= 1e-12)       # between the mean and the study's own effect


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("moderated", [False, True])
def test_tau2_is_where_its_own_formula_says(name, moderated):
    s = loaded(name)
    x = designs(s)[moderated]
    fits = {method: synthesis.synthesise(s.y, s.v, s.moderator if moderated else None, method) for method in synthesis.METHODS}
    df = len(s.y) - (2 if moderated else 1)
    reml, pm, dl = (fits[m].tau2 for m in ("REML", "PM", "DL"))
    p, _ = dense(s, reml, x)
    score = s.y @ p @ p @ s.y - np.trace(p)
    assert score == pytest.approx(0, abs=1e-6 * np.trace(p)) if reml > 0 else score <= 0
    assert fits["REML"].tau2_error == pytest.approx((2 / (p * p).sum()) ** 0.5)
    p, _ = dense(s, pm, x)
    assert s.y @ p @ s.y == pytest.approx(df, rel=1e-8) if pm > 0 else s.y @ p @ s.y <= df
    wald = p @ np.diag(s.v)
    both = 2 * np.trace(wald @ wald) + 4 * pm * (wald * p.T).sum() + 2 * pm ** 2 * (p * p).sum()        # metafor's longer formula of the error of PM
    assert fits["PM"].tau2_error == pytest.approx(len(s.y) / df * both ** 0.5 / (1 / (s.v + pm)).sum(), rel=1e-6)
    p, _ = dense(s, 0.0, x)
    assert dl == pytest.approx(max(0.0, (s.y @ p @ s.y - df) / np.trace(p))) and fits["DL"].q == pytest.approx(s.y @ p @ s.y)
    typical = df / np.trace(p)
    assert fits["REML"].i2 == pytest.approx(100 * reml / (reml + typical)) and fits["REML"].h2 == pytest.approx((reml + typical) / typical)


def restricted(s, tau2, x):
    """The same log-likelihood with sums: quick enough to be searched."""
    w = 1 / (s.v + tau2)
    cross = x.T @ (x * w[:, None])
    return 0.5 * (np.log(w).sum() - np.linalg.slogdet(cross)[1] - (w * (s.y - x @ np.linalg.solve(cross, x.T @ (w * s.y))) ** 2).sum())


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("moderated", [False, True])
def test_no_other_tau2_is_likelier_than_remls(name, moderated):
    s = loaded(name)
    x = designs(s)[1][:, :2 if moderated else 1]
    found = synthesis.synthesise(s.y, s.v, s.moderator if moderated else None).tau2
    assert restricted(s, found, x) == pytest.approx(dense(s, found, x)[1], abs=1e-8)
    edges = np.append(np.geomspace(s.v.min() / 1e3, 10 * np.var(s.y), 9), 1e3 * np.var(s.y))
    best = max((minimize_scalar(lambda t: -restricted(s, np.exp(t), x), bounds=np.log([low, high]), method="bounded", options=dict(xatol=1e-9)) for low, high in zip(edges, edges[1:])), key=lambda r: -r.fun)
    top = max(-best.fun, restricted(s, 0.0, x))
    assert restricted(s, found, x) >= top - 1e-9 and (found == 0 or found == pytest.approx(np.exp(best.x), rel=1e-4))


@pytest.mark.parametrize("name", SETS)
def test_errors_are_those_of_the_whole_matrices(name):
    s = loaded(name)
    for way in (False, True, "ad hoc"):
        for x in designs(s):
            fit = synthesis.synthesise(s.y, s.v, None if x is None else x[:, 1], knapp_hartung=way)
            design = np.ones((len(s.y), 1)) if x is None else x
            whole = np.diag(s.v + fit.tau2)
            plain = np.linalg.inv(design.T @ np.linalg.inv(whole) @ design)
            coef = plain @ design.T @ np.linalg.inv(whole) @ s.y
            left = s.y - design @ coef
            factor = left @ np.linalg.inv(whole) @ left / (len(s.y) - design.shape[1])
            factor = {False: 1.0, True: factor, "ad hoc": max(factor, 1.0)}[way]
            assert fit.coef == pytest.approx(coef, rel=1e-6) and fit.cov == pytest.approx(plain * factor, rel=1e-6) and fit.df == (np.inf if way is False else len(s.y) - design.shape[1])


@pytest.mark.parametrize("name", SETS)
def test_the_limits_of_tau2_are_where_q_is_its_own_quantile_and_hold_the_estimate(name):
    s = loaded(name)
    fit, df = synthesis.synthesise(s.y, s.v, method="PM"), len(s.y) - 1
    low, high = fit.tau2_interval()
    assert low <= fit.tau2 <= high or fit.tau2 == high == 0
    for end, p in ((low, 0.975), (high, 0.025)):
        q = s.y @ dense(s, end)[0] @ s.y
        assert q == pytest.approx(chi2.ppf(p, df), rel=1e-8) if end > 0 else q <= chi2.ppf(p, df)
    reml = synthesis.synthesise(s.y, s.v).tau2
    assert low <= reml <= high


@pytest.mark.parametrize("name", SETS)
def test_neither_the_order_nor_the_unit_nor_the_zero_of_effects_matters(name):
    s = loaded(name)
    turned = np.random.default_rng(1).permutation(len(s.y))
    for method in synthesis.METHODS:
        one = synthesis.synthesise(s.y, s.v, method=method)
        for y, v, unit, zero in ((s.y[turned], s.v[turned], 1, 0), (1e-6 * s.y, 1e-12 * s.v, 1e-6, 0), (1e4 * s.y, 1e8 * s.v, 1e4, 0), (s.y + 100, s.v, 1, 100), (-s.y, s.v, -1, 0)):
            other = synthesis.synthesise(y, v, method=method)
            assert other.tau2 == pytest.approx(unit ** 2 * one.tau2, rel=1e-6, abs=1e-9 * unit ** 2 * s.v.min()) and other.coef[0] == pytest.approx(unit * one.coef[0] + zero, rel=1e-6, abs=1e-9 * abs(unit))
            assert other.i2 == pytest.approx(one.i2, rel=1e-6, abs=1e-6) and other.q == pytest.approx(one.q, rel=1e-6)


@pytest.mark.parametrize("name", SETS)
def test_one_study_left_out_is_the_synthesis_of_the_others(name):
    s = loaded(name)
    table = synthesis.leave_one_out(s.y, s.v)
    whole, i = synthesis.synthesise(s.y, s.v), int(np.argmax(np.abs(table["rstudent"])))
    others = synthesis.synthesise(np.delete(s.y, i), np.delete(s.v, i))
    assert len(table) == len(s.y) and table["hat"].sum() == pytest.approx(1) and (table["cooks_distance"] >= 0).all() and (table["covariance_ratio"] > 0).all() and np.isfinite(table).all().all()
    assert table.loc[i, ["estimate", "std_error", "tau2", "i2", "q"]].tolist() == [others.coef[0], others.std_error[0], others.tau2, others.i2, others.q]
    assert (np.sign(table["dffits"]) == np.sign(whole.coef[0] - table["estimate"])).all()
    moderated = synthesis.leave_one_out(s.y[:60], s.v[:60], s.moderator[:60], knapp_hartung=False)
    assert moderated["hat"].sum() == pytest.approx(2)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("side", [None, "left", "right"])
def test_filled_studies_mirror_those_trimmed(name, side):
    s = loaded(name)
    for how in (dict(method="DL", knapp_hartung=False), dict()):
        k0, where, fit, filled = found = synthesis.trim_and_fill(s.y, s.v, side, **how)
        assert k0 == len(filled) == fit.k - len(s.y) and found.k0_error >= 0 and where == (side or where)
        if not k0:
            assert fit.coef[0] == pytest.approx(synthesis.synthesise(s.y, s.v, **how).coef[0])
            continue
        order = np.argsort(s.y)
        kept, cut = (order[:-k0], order[-k0:]) if where == "left" else (order[k0:], order[:k0][::-1])
        centre = synthesis.synthesise(s.y[kept], s.v[kept], **how).coef[0]
        assert np.sort(filled["effect"]) == pytest.approx(np.sort(2 * centre - s.y[cut])) and np.sort(filled["variance"]) == pytest.approx(np.sort(s.v[cut]))
        assert (filled["effect"] < centre).all() if where == "left" else (filled["effect"] > centre).all()


@pytest.mark.parametrize("name", SETS)
def test_eggers_test_is_a_line_through_standardised_effects(name):
    import statsmodels.api as sm

    s = loaded(name)
    line, found = sm.OLS(s.y / np.sqrt(s.v), sm.add_constant(1 / np.sqrt(s.v))).fit(), synthesis.egger(s.y, s.v)
    assert [found[k] for k in ("bias", "bias_error", "t", "p_value", "limit", "limit_error", "df")] == pytest.approx([line.params[0], line.bse[0], line.tvalues[0], line.pvalues[0], line.params[1], line.bse[1], line.df_resid], rel=1e-6)


@pytest.mark.parametrize("name", GROUPED)
def test_groups_are_pooled_apart(name):
    s = loaded(name)
    found, q, p = synthesis.synthesise_by(s.y, s.v, s.by, knapp_hartung=False)
    sizes = {level: int((s.by == level).sum()) for level in set(s.by)}
    assert {level: fit.k for level, fit in found.items()} == {level: k for level, k in sizes.items() if k > 1}
    means, errors = (np.array([getattr(fit, what)[0] for fit in found.values()]) for what in ("coef", "std_error"))
    if len(found) > 1:
        assert q == pytest.approx((((means - np.average(means, weights=errors ** -2.0)) / errors) ** 2).sum()) and p == pytest.approx(chi2.sf(q, len(found) - 1))
        assert synthesis.synthesise_by(s.y, s.v, s.by)[1] == pytest.approx(q)       # with or without Knapp and Hartung


def whole_likelihood(s, between, within, x):
    """Three levels with all k x k numbers: restricted log-likelihood, as rma.mv counts it, and the mean."""
    inner = np.arange(len(s.y)) if s.inner is None else s.inner
    same = s.cluster[:, None] == s.cluster
    matrix = np.diag(s.v) + between * same + within * (same & (inner[:, None] == inner))
    solved = np.linalg.solve(matrix, np.column_stack([x, s.y]))
    cross = x.T @ solved[:, :-1]
    coef = np.linalg.solve(cross, x.T @ solved[:, -1])
    value = -0.5 * ((len(s.y) - x.shape[1]) * np.log(2 * np.pi) + np.linalg.slogdet(matrix)[1] + np.linalg.slogdet(cross)[1] - np.linalg.slogdet(x.T @ x)[1] + (s.y - x @ coef) @ solved[:, -1])
    return value, coef, np.linalg.inv(cross)


@pytest.mark.parametrize("name", CLUSTERED)
@pytest.mark.parametrize("moderated", [False, True])
def test_three_levels_are_where_the_likelihood_of_whole_matrices_is_highest(name, moderated):
    s = loaded(name)
    x = np.ones((len(s.y), 1)) if not moderated else designs(s)[1]
    found = nested.three_level(s.y, s.v, s.cluster, s.inner, x[:, 1:] if moderated else None)
    between, within = found["tau2_outer"], found["tau2_inner"]
    value, coef, cov = whole_likelihood(s, between, within, x)
    assert found["log_likelihood"] == pytest.approx(value, rel=1e-8) and found["coef"] == pytest.approx(coef, rel=1e-6) and found["cov"] == pytest.approx(cov, rel=1e-6) and min(between, within) >= 0
    assert found["std_error"] == pytest.approx(cov[0, 0] ** 0.5) and found["conf_low"] < found["estimate"] < found["conf_high"]
    assert found["q"] == pytest.approx(s.y @ dense(s, 0.0, x)[0] @ s.y)
    step = 0.02 * (between + within)
    assert all(whole_likelihood(s, max(between + a, 0), max(within + b, 0), x)[0] <= value + 1e-9 for a in (-step, 0, step) for b in (-step, 0, step))      # the profile falls on every side
    if len(s.y) <= 110 and not moderated:
        other = min((minimize(lambda logs: -whole_likelihood(s, *np.exp(logs), x)[0], np.log(start), method="Nelder-Mead", options=dict(xatol=1e-4, fatol=1e-8))
                     for start in np.var(s.y) * np.array([(0.5, 0.5), (0.9, 0.01), (0.01, 0.9)])), key=lambda r: r.fun)
        assert value >= -other.fun - 1e-6 and [between, within] == pytest.approx(np.exp(other.x), rel=1e-3, abs=1e-3 * (between + within))


@pytest.mark.parametrize("name", CLUSTERED)
def test_errors_robust_to_clusters_are_the_sandwich_of_whole_matrices(name):
    s = loaded(name)
    fit = synthesis.synthesise(s.y, s.v, s.moderator)
    w, x = np.diag(1 / (s.v + fit.tau2)), designs(s)[1]
    bread, left, m = np.linalg.inv(x.T @ w @ x), s.y - x @ fit.coef, len(set(s.cluster))
    meat = x.T @ w @ (np.outer(left, left) * (s.cluster[:, None] == s.cluster)) @ w @ x
    found = nested.cluster_robust(fit, s.cluster)
    assert found["std_error"].to_numpy() == pytest.approx(np.sqrt(np.diag(bread @ meat @ bread) * m / (m - 2)), rel=1e-6) and (found["df"] == m - 2).all() and (found["clusters"] == m).all()


# ---- other programs

@pytest.mark.parametrize("name", SETS)
def test_pymare_says_the_same(name):
    s, theirs = loaded(name), PYMARE["values"][name]
    assert theirs["k"] == len(s.y)
    for method in ("REML", "ML", "DL"):
        for moderated, given in theirs[method].items():
            fit = synthesis.synthesise(s.y, s.v, s.moderator if moderated == "moderated" else None, method)
            # PyMARE searches to about 1e-6 of its scale; where the likelihood is flat that is more of tau2
            assert fit.tau2 == pytest.approx(given["tau2"], rel=1e-3, abs=1e-4 * s.v.min()) and fit.coef == pytest.approx(given["coef"], rel=1e-3, abs=1e-6) and fit.std_error == pytest.approx(given["std_error"], rel=1e-3)
    assert synthesis.synthesise(s.y, s.v).tau2_interval() == pytest.approx(theirs["tau2_interval"], rel=1e-3, abs=1e-4 * s.v.min())


@pytest.mark.parametrize("name", SETS)
def test_statsmodels_says_the_same(name):
    s = loaded(name)
    for method, theirs in (("DL", "chi2"), ("PM", "iterated")):
        with warnings.catch_warnings():     # its own, where its tau2 falls below 0
            warnings.simplefilter("ignore")
            other = combine_effects(s.y, s.v, method_re=theirs, use_t=False)
        fit = synthesis.synthesise(s.y, s.v, method=method, knapp_hartung=False)
        assert fit.q == pytest.approx(other.q)
        if other.tau2 > 0:          # theirs may fall below 0
            assert fit.tau2 == pytest.approx(other.tau2, rel=1e-4) and fit.coef[0] == pytest.approx(other.mean_effect_re, rel=1e-5) and fit.std_error[0] == pytest.approx(other.sd_eff_w_re, rel=1e-5)
            assert fit.cov[0, 0] * synthesis.synthesise(s.y, s.v, method=method).scale == pytest.approx(other.sd_eff_w_re_hksj ** 2, rel=1e-4)
        else:
            assert fit.tau2 == 0


COUNTED = {"bcg": ["tpos", "tneg", "cpos", "cneg"], "colditz1994": ["tpos", "tneg", "cpos", "cneg"], "gibson2002": ["ai", "bi", "ci", "di"], "landenberger2005": ["n.cbt.rec", "n.cbt.non", "n.ctrl.rec", "n.ctrl.non"],
           **{name: ["ai", "n1i", "ci", "n2i"] for name in ("egger2001", "hine1989", "li2007", "linde2005", "nielweise2007")}}


@pytest.mark.parametrize("name", COUNTED)
def test_common_ratios_of_counts_are_statsmodels(name):
    a, b, c, d = read(name)[COUNTED[name]].dropna().to_numpy(dtype=float).T
    n1, n2 = (b, d) if "n1i" in COUNTED[name] else (a + b, c + d)
    theirs = StratifiedTable(np.array([[a, n1 - a], [c, n2 - c]]))
    found = {measure: mantel_haenszel.mantel_haenszel(a, n1, c, n2, measure) for measure in ("RR", "OR", "IRR")}
    assert [found["OR"]["estimate"], found["OR"]["std_error"]] == pytest.approx([theirs.logodds_pooled, theirs.logodds_pooled_se]) and found["RR"]["estimate"] == pytest.approx(np.log(theirs.riskratio_pooled))
    assert found["IRR"]["estimate"] == pytest.approx(found["RR"]["estimate"]) and found["IRR"]["std_error"] > found["RR"]["std_error"] and all(0 <= each["i2"] <= 100 and each["k"] == len(a) for each in found.values())


# ---- effects as the sets' authors give them

def test_ratios_with_limits_give_the_effects_that_the_authors_of_the_set_made():
    table = read("hackshaw1998")
    y, v = effect_sizes.from_interval(table["or"], table["or.lb"], table["or.ub"], ratio=True)
    assert y.to_numpy() == pytest.approx(table["yi"]) and v.to_numpy() == pytest.approx(table["vi"], rel=1e-3)


def test_a_study_without_counts_or_a_correlation_is_named_by_number():
    table = read("craft2003")
    y, v = effect_sizes.fisher_z(table["ri"], table["ni"])
    with pytest.raises(DataError, match="6 of 60 studies have no effect"):
        synthesis.synthesise(y, v)
    table = read("linde2005")
    y, v = effect_sizes.log_risk_ratio(table["ai"], table["n1i"], table["ci"], table["n2i"])
    with pytest.raises(DataError, match="2 of 26 studies have no effect"):
        synthesis.synthesise(y, v)
