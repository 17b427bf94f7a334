"""The living review: counts that add up, each number traced to rows of the base, and harbour's record changing it and nothing else."""

import ast
import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sprx
from test_cli import run
from test_comparable import effects, several
from test_notebooks import cells

from sprx.errors import SchemeError
from sprx.evidence.subject import read_review
from sprx.metrics.evidence import review as counting
from sprx.metrics.evidence import review_grade
from sprx.metrics.evidence.comparable import comparable_effects, pool
from sprx.metrics.evidence.pooling import pooled_effects
from sprx.metrics.evidence.review_change import what_would_change
from sprx.metrics.evidence.review_gaps import NO_GROUP, evidence_gaps, population_groups
from sprx.metrics.evidence.review_grade import certainty, published_certainty
from sprx.reference import FOLDER
from sprx.run import declared_parameters
from sprx.run_review import run_review
from sprx.stats.synthesis import synthesise
from sprx.wording import count, number, percent
from sprx.wording import review as words
from sprx.wording.evidence import sds
from sprx.wording.review import answer_review, describe_flow, line_name
from sprx.wording.review_findings import change_words, describe_economics, describe_empty_cells, describe_two_returns

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "notebooks" / "evidence_review.ipynb"
KEY = ["measure", "group", "level"]
BANNED = ("significan", "proves", "impressive", "effective")
RECORD = {
    "scheme_id": "harbour", "name": "Harbour links", "area": "Harbour", "period": {"start": "2024-04-01", "end": "2025-03-31"}, "design": "matched", "maryland_level": 3,
    "population": {"n": 260, "n_comparison": 240, "share_female": 0.61, "age_shares": {"18-64": 0.7, "65+": 0.3}}, "activities": ["walking group", "debt advice"], "follow_up_months": 6,
    "link_worker": True, "sprx_version": "0.1.0", "synthetic": True,
    "effects": [{"domain": "mental_health", "instrument": "swemwbs", "comparison": "between_group", "effect_type": "mean_difference", "estimate": 1.6, "std_error": 0.61, "conf_low": 0.4,
                 "conf_high": 2.8, "conf_level": 0.95, "n_scheme": 210, "n_comparison": 190, "adjusted": True, "direction_good": "higher", "suppressed": False}]}


def table(folder, name="results"):
    return pd.read_csv(folder / f"{name}.csv", dtype=str, keep_default_na=False)


def result(folder):
    found = table(folder)
    return found.assign(estimate=pd.to_numeric(found["estimate"]))


def tree(folder):
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def base():
    return read_review()


@pytest.fixture(scope="module")
def results(base):
    return counting.results_of_evaluations(comparable_effects(base.effects))


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The review of what sprx carries."""
    return run_review(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def with_harbour(tmp_path_factory):
    """(review, base folder, sprx's own tables before and after) with harbour's record added through the command line."""
    folder = tmp_path_factory.mktemp("harbour")
    (folder / "evidence_record.json").write_text(json.dumps(RECORD), encoding="utf-8")
    before = tree(FOLDER)
    added = run("evidence", "add", str(folder / "evidence_record.json"), "--synthetic", "--base", str(folder / "base"), "--by", "A. Analyst")
    assert added[0] == 0, added[1]
    made = run("evidence", "review", "--base", str(folder / "base"), "--out", str(folder / "out"))
    assert made[0] == 0, made[1]
    return folder / "out" / "evidence_review", folder / "base", before, tree(FOLDER)


# ---- every number has its rows

def test_every_result_row_is_told_apart_and_has_the_rows_it_was_made_from(plain):
    found, sources = result(plain), table(plain, "sources")
    assert not found.duplicated(KEY).any()
    traced = set(map(tuple, sources[KEY].to_numpy()))
    bare = found[[tuple(k) not in traced for k in found[KEY].to_numpy()]]
    assert bare["estimate"].fillna(0).eq(0).all()       # nothing was counted, so there is nothing to show
    assert len(found) > 300


def test_every_source_is_a_row_that_stands_where_it_says(plain):
    sources = table(plain, "sources").drop_duplicates(["file", "row"])
    for file, rows in sources.groupby("file"):
        carried = pd.read_csv(ROOT / file, dtype=str, keep_default_na=False)
        at = rows["row"].str.removeprefix("row ").astype(int) - 2
        held = carried.iloc[at.to_numpy()]
        assert list(held["study_id"]) == list(rows["study_id"]) and list(held["source_url"]) == list(rows["source_url"])
    assert sources["source_url"].str.match(r"https?://").all() and sources["added_by"].eq("sprx").all()


def test_a_count_of_studies_is_the_number_of_studies_among_its_rows(plain):
    found, sources = result(plain), table(plain, "sources")
    behind = sources.groupby(KEY)["study_id"].nunique()
    rows = found[found["unit"].eq("studies") & ~found["measure"].isin(["studies_pooled", "studies_not_pooled", "studies_lacking"])]
    assert [behind.get(tuple(r[KEY]), 0) for _, r in rows.iterrows()] == rows["estimate"].tolist()
    lines = sources.groupby(KEY)["row"].size()
    figures = found[found["unit"].eq("figures")]
    assert [lines.get(tuple(r[KEY]), 0) for _, r in figures.iterrows()] == figures["estimate"].tolist()


def test_a_printed_figure_is_the_cell_it_names(plain, base):
    found, sources = result(plain).set_index(KEY)["estimate"], table(plain, "sources")
    for file, column in (("economic", "figure"), ("asked_2015", "number")):
        cells_of = base.tables[file].set_index("where")[column]
        rows = sources[sources["file"].str.endswith(f"/{file}.csv") & (sources["measure"].str.startswith("published_") | sources["measure"].eq("asked_2015"))]
        assert len(rows) == len(cells_of)
        printed = pd.to_numeric(cells_of.loc[rows["row"]], errors="coerce").to_numpy()
        np.testing.assert_allclose(np.array([found[tuple(k)] for k in rows[KEY].to_numpy()]), printed, rtol=1e-9)


def test_an_effect_and_an_average_follow_from_the_rows_they_name(plain, base):
    found, sources = result(plain), table(plain, "sources")
    at = base.effects.set_index(["file", "where"])
    kinds = {"effect": "controlled", "change": "uncontrolled", "difference": "weak comparison"}
    tried = 0
    for r in found[found["measure"].str.match("study_|pooled_estimate|average_")].itertuples():
        rows = sources[(sources[KEY] == [r.measure, r.group, r.level]).all(axis=1)].drop_duplicates(["file", "row"])
        again = comparable_effects(at.loc[list(zip(rows["file"], rows["row"]))].reset_index())
        kind = r.group if r.group in kinds.values() else kinds[r.measure.split("_")[1]]
        assert len(rows), r
        again = again[again["kind"].eq(kind)]
        if np.isnan(r.estimate):
            continue
        value = again["effect"].iloc[0] if r.measure.startswith("study_") else pool(again).coef[0]
        turned = np.exp(value if again["good"].iloc[0] == "higher" else -value) if r.unit == "ratio" else value
        assert turned == pytest.approx(r.estimate, rel=1e-8)
        tried += 1
    assert tried > 20


def test_every_number_in_a_sentence_stands_in_a_released_row(tmp_path, plain):
    page = (plain / "report.html").read_text(encoding="utf-8")
    found = table(plain)
    said = {"95", "2015", "2016", "2017", "0.2", "0.5", "80", "50", "400", "10", "3", "1"}      # levels, years, thresholds and lowest counts named in the prose or the rules
    for column in ("estimate", "conf_low", "conf_high", "n", "n_missing"):
        for value in pd.to_numeric(found[column]).dropna().unique():
            said |= {text.strip("+−%") for text in (number(value), count(value), percent(value), percent(value, 1000), sds(value), f"{abs(value):g}", f"{value:,.6g}")}
    for text in [*found["level"], *found["note"], *found["method"], *found["unit"]]:
        said |= set(re.findall(r"\d[\d,.]*\d|\d", text))
    said |= {r for text in pd.read_csv(FOLDER / "review/groups.csv")["words"] for r in re.findall(r"\d+", text)}
    prose = re.sub(r"<(table|details|svg|style|nav)\b.*?</\1>|<img[^>]*>", " ", page, flags=re.S)
    prose = re.sub(r"https?://\S+|<[^>]+>|&[a-z#0-9]+;", " ", prose).replace("sprx 0.1.0", "")
    body = prose[prose.index("The answer", prose.index("sources.csv")):prose.index("What this cannot tell", prose.index("sources.csv"))]
    loose = [n for n in re.findall(r"(?<![\w.])\d[\d,.]*\d|(?<![\w.])\d", body) if n not in said]
    assert loose == []


# ---- counts add up

def flow_of(studies, results):
    found = counting.study_flow(studies, results)
    return found[found["measure"].eq("flow")]


def test_the_flow_adds_up_at_every_step(base, results):
    found = flow_of(base.tables["studies"], results)
    at = found.set_index(["group", "level"])["estimate"]
    assert at["in_base", "kept"] == len(base.tables["studies"])
    for stage, before in counting.BEFORE.items():
        assert found.loc[found["group"].eq(stage), "estimate"].sum() == at[before]
    members = found["rows"].str.split("; ")
    ends = [m for rows, level, stage in zip(members, found["level"], found["group"]) if level != "kept" and (stage, level) != ("controlled", counting.ONE_GROUP) or stage in ("averaged", "changes_averaged")
            for m in rows if m]
    assert sorted(ends) == sorted(counting.places(base.tables["studies"]).split("; "))      # each study ends in one place


def test_the_flow_ends_in_the_studies_that_averages_rest_on(base, results):
    found = counting.study_flow(base.tables["studies"], results).set_index(["group", "level"])["estimate"]
    for kind, usable, averaged in (("controlled", "usable", "averaged"), ("uncontrolled", "changes_usable", "changes_averaged")):
        good = results[results["kind"].eq(kind) & results["why_not"].eq("")]
        pooled = {s for _, rows in good.groupby(["domain", "outcome", "scale"]) if len(rows) > 2 for s in rows["study_id"]}
        assert found[usable, "kept"] == good["study_id"].nunique() and found[averaged, "kept"] == len(pooled)


def test_the_flow_counts_a_study_that_nothing_else_would(base, results):
    studies = base.tables["studies"]
    no_year = studies.assign(year=studies["year"].mask(studies["study_id"].eq("grant2000")))
    counts = counting.base_counts(no_year)
    assert counts.loc[counts["level"].eq(counting.UNKNOWN_YEAR), ["group", "estimate"]].to_numpy().tolist() == [["rct", 1.0]]
    since = counting.before_and_since(no_year, base.tables["uptake"], 2016)
    every = since.loc[since["measure"].eq("evaluations_published") & since["level"].eq("all"), "estimate"].sum()
    assert every == len(counting.evaluations(studies)) - 1
    assert flow_of(no_year, results).equals(flow_of(studies, results))


def test_designs_reading_and_years_each_count_every_study_once(base):
    counts = counting.base_counts(base.tables["studies"])
    for group in ("design", "where_read", "added_by"):
        assert counts.loc[counts["measure"].eq("studies_in_base") & counts["group"].eq(group), "estimate"].sum() == len(base.tables["studies"])
    assert counts.loc[counts["measure"].eq("studies_by_year"), "estimate"].sum() == len(base.tables["studies"])


def test_each_evaluation_is_judged_or_counted_as_not_judged(base):
    studies = base.tables["studies"]
    found = counting.bias_judgements(studies, base.tables["appraisal"])
    sums = found[found["measure"].eq("risk_of_bias")].groupby("group")["estimate"].sum()
    assert sums.to_dict() == studies[studies["design"].isin(sums.index)].groupby("design").size().to_dict()
    levels = found[found["group"].eq("rct")].set_index("level")["estimate"]
    assert levels["judgements differ"] == 1             # Grant 2000: low to one review, high to another, neither verified
    verified = base.tables["appraisal"].query("verification == 'verified' and tool == 'risk of bias'")["study_id"]
    assert found.loc[found["level"].eq("verified"), "estimate"].sum() == verified.nunique()


def test_the_map_of_gaps_counts_each_evaluation_and_shows_empty_cells(base, results):
    studies = base.tables["studies"]
    found = evidence_gaps(studies, results)
    at = found.set_index(KEY)["estimate"]
    who = population_groups(counting.evaluations(studies))
    assert set(who["study_id"]) == set(counting.evaluations(studies)["study_id"])
    assert at["gap_compared", "young", "mental_wellbeing"] == 0 and at["studies_of_group", "young", "all"] == 0
    compared, lots, others = (found.loc[found["measure"].eq(m), "estimate"].sum() for m in ("gap_compared", "gap_by_lot", "gap_other_comparison"))
    assert compared == lots + others and compared > 0
    assert at["map_cells", "all", "all"] == at["map_cells", "all", "groups"] * at["map_cells", "all", "outcomes"]
    assert at["gap_compared", "money", "financial"] == 1 and at["gap_not_compared", "money", "financial"] == 0      # Woodhead 2017 alone, which compared
    known = who[who["population"].ne(NO_GROUP)].merge(results[["study_id", "outcome", "kind"]], on="study_id")
    filled = known.drop_duplicates(["population", "outcome"]), known[known["kind"].eq("controlled")].drop_duplicates(["population", "outcome"])
    assert [at["map_cells", "all", "all"] - len(f) for f in filled] == [at["map_cells", "all", "empty"], at["map_cells", "all", "no_comparison"]]
    assert NO_GROUP in who["population"].tolist()
    said = describe_empty_cells(found)
    assert "children and young people" in said and f"{at['map_cells', 'all', 'empty']:.0f} hold nothing" in said and f"and {at['map_cells', 'all', 'no_comparison']:.0f} no compared" in said


def test_a_records_age_shares_do_not_make_it_a_study_of_older_people():
    studies = pd.DataFrame([dict(study_id="a", population="female 61%, 65+ 30%", referral_group="", scheme_id="harbour"), dict(study_id="b", population="aged 65+", referral_group="Loneliness", scheme_id="")])
    assert population_groups(studies).to_numpy().tolist() == [["a", NO_GROUP], ["b", "loneliness"], ["b", "older"]]


# ---- certainty, money, what would change our mind

def graded(base, results, **changes):
    return certainty(results.assign(**changes), base.tables["studies"], base.tables["appraisal"], pooled_effects(results)).set_index(["measure", "group"])["estimate"]


def test_certainty_goes_down_a_step_for_each_weakness_and_says_why(base, results):
    found = graded(base, results)
    assert [found[f"certainty_{s}", "mental_wellbeing"] for s in ("start", "risk_of_bias", "inconsistency", "indirectness", "imprecision", "publication_bias")] == [4, -1, -1, -1, -1, 0]
    assert found["certainty", "mental_wellbeing"] == 1
    assert found["certainty_start", "financial"] == 2               # one study, not by lot
    assert graded(base, results, link_worker="yes")["certainty_indirectness", "mental_wellbeing"] == 0
    assert graded(base, results, design="nrct_controlled")["certainty_start", "mental_wellbeing"] == 2
    rows = certainty(results, base.tables["studies"], base.tables["appraisal"], pooled_effects(results))
    assert rows["note"].ne("").all() and rows["method"].str.contains("confirmed by people").all()


def test_certainty_is_high_only_where_nothing_is_wrong(base, results):
    rows = results[results["kind"].eq("controlled") & results["outcome"].eq("mental_wellbeing") & results["why_not"].eq("")].assign(design="rct", link_worker="yes", effect=0.4, effect_error=0.05)
    judged = pd.DataFrame(dict(study_id=rows["study_id"], judgement="low", verification="verified"))
    found = certainty(rows, base.tables["studies"], judged, pooled_effects(rows)).set_index("measure")
    assert found.loc["certainty", "estimate"] == 4 and found.loc["certainty", "note"] == "high"
    half_high = judged.assign(judgement=["high", "high", "high", "low", "low"])
    assert certainty(rows, base.tables["studies"], half_high, pooled_effects(rows)).set_index("measure").loc["certainty_risk_of_bias", "estimate"] == -2


def test_the_published_grade_stands_beside_ours(base):
    found = published_certainty(base.tables["components"])
    assert found.set_index("group")["estimate"].loc[["health_related_quality_of_life", "mental_wellbeing"]].tolist() == [2, 1] and len(found) == 7
    assert found["level"].str.startswith("Kiely 2022").all()


def test_money_is_set_side_by_side_and_the_two_returns_of_one_programme_are_a_warning(base):
    found = counting.economic_figures(base.tables["economic"], base.tables["studies"])
    printed = found[found["measure"].isin([counting.RETURN, counting.PER_QALY, counting.OTHER_MONEY])]
    assert len(printed) == len(base.tables["economic"]) and printed["method"].eq("as printed").all()
    assert printed["unit"].str.contains(r"price year not said|prices of").all()
    warning = describe_two_returns(found)
    assert "Green Social Prescribing" in warning and "2.42 and 1.88" in warning and warning.count("more than one printed return") == 1
    assert "averaged" in describe_economics(found)
    once = base.tables["economic"][~base.tables["economic"]["figure"].eq(1.88)]
    assert describe_two_returns(counting.economic_figures(once, base.tables["studies"])) == ""


def test_people_to_tell_is_where_the_average_made_again_leaves_out_no_difference(results):
    found = what_would_change(results, 0.2).set_index(KEY)["estimate"]
    rows = results[results["kind"].eq("controlled") & results["outcome"].eq("physical_activity") & results["why_not"].eq("")]
    people = found["people_to_tell", "physical_activity", "a difference that matters"]

    def low(n):
        y, v = np.append(rows["effect"], 0.2), np.append(rows["effect_error"] ** 2, 4 / n * (1 + 0.2 ** 2 / 8))
        return synthesise(y, v, knapp_hartung="ad hoc").conf_low[0]

    assert low(people) > 0 > low(people - 50)
    small = found["people_to_rule_out", "physical_activity", "all"]
    y, v = np.append(rows["effect"], 0.0), np.append(rows["effect_error"] ** 2, 4 / small)
    assert synthesise(y, v, knapp_hartung="ad hoc").conf_high[0] < 0.2
    assert found["studies_lacking", "loneliness_social", "all"] == 3                # nothing compared could be read
    assert found["people_for_one_trial", "physical_activity", "all"] == 790         # 785 by the usual formula: 4 x (1.96 + 0.84)^2 / 0.2^2


def test_an_average_beyond_chance_says_what_would_overturn_it_and_alike_ones_what_cannot_tell(results):
    rows = results[results["kind"].eq("controlled") & results["outcome"].eq("mental_wellbeing") & results["why_not"].eq("")]
    clear = rows.assign(effect=0.4, effect_error=0.05)
    found = what_would_change(clear, 0.2).set_index("measure")["estimate"]
    assert found["finding_to_overturn"] < 0.2 and "people_to_tell" not in found
    words = dict(change_words(what_would_change(clear, 0.2), pooled_effects(clear)))
    assert "beyond chance" in words["mental wellbeing"] and "or less" in words["mental wellbeing"]
    apart = rows.assign(effect=[3, -3, 3, -3, 0.1], effect_error=0.05)
    assert what_would_change(apart, 0.2).query("measure == 'people_to_tell'")["estimate"].isna().all()
    assert what_would_change(apart, 0.2).query("measure == 'people_to_rule_out'")["estimate"].isna().all()
    assert "no single trial" in dict(change_words(what_would_change(apart, 0.2), pooled_effects(apart)))["mental wellbeing"]


# ---- sentences

def test_the_answer_says_how_many_which_way_and_how_certain(base, results):
    studies = base.tables["studies"]
    parts = counting.base_counts(studies), counting.result_directions(results, studies), pooled_effects(results), certainty(results, studies, base.tables["appraisal"], pooled_effects(results))
    answer = answer_review(*parts)
    assert answer.text.startswith(f"This base holds {len(studies)} studies; {len(counting.evaluations(studies))} of them") and answer.sure == 0
    ways = results[results["direction"].ne("")].groupby("kind")["direction"].agg([lambda d: d.eq("better").sum(), "size"])
    for kind, words in (("controlled", "with a comparison"), ("uncontrolled", "without one")):
        assert f"{ways.loc[kind].iloc[0]} of {ways.loc[kind].iloc[1]} {words}" in answer.text
    assert "no difference at all is still possible" in answer.text and "abstract" in answer.why
    nothing = results.head(0)
    empty = answer_review(counting.base_counts(studies), counting.result_directions(nothing, studies), pooled_effects(nothing).reindex(columns=pooled_effects(results).columns), certainty(nothing, studies, base.tables["appraisal"], pooled_effects(results)))
    assert "No result could be read" in empty.text and empty.sure == 0


def test_the_flow_says_it_is_no_systematic_search(base, results):
    assert "no systematic search" in describe_flow(counting.study_flow(base.tables["studies"], results))


def test_every_row_of_the_review_has_a_name_in_words(plain):
    names = [line_name(r) for r in result(plain).itertuples()]
    assert all(names) and not [n for n in names if "_" in n or "nan" in n.split()]


# ---- the notebook and the page

def test_the_notebook_has_the_anatomy_of_a_report_notebook():
    found = cells(NOTEBOOK)
    heads = [line for kind, source, _ in found if kind == "markdown" for line in source.splitlines() if line.startswith("# ")]
    assert len(heads) == 1 and heads[0].endswith("?") and 12 <= len(found) <= 30
    assert declared_parameters(NOTEBOOK).keys() >= {"base_dir", "output_dir"}
    assert found[-1][1] == "report.write()" and found[-2][1] == "report.provenance()"
    for kind, source, cell in found:
        if kind != "code":
            continue
        assert not cell["outputs"] and not cell["execution_count"]
        assert len([line for line in source.splitlines() if line.strip()]) <= 8 and "def " not in source
        last = ast.parse(source).body[-1]
        while isinstance(last, (ast.For, ast.If)):
            last = last.body[-1]
        assert isinstance(last, (ast.Assign, ast.Import)) or ast.unparse(last).startswith("report."), source


def test_the_page_is_accessible_and_says_what_was_read_only_as_an_abstract(plain):
    from lxml import html

    page = html.fromstring((plain / "report.html").read_text(encoding="utf-8"))
    assert len(page.findall(".//h1")) == 1 and page.find(".//html") is None and page.get("lang") == "en-GB"
    assert all(len(img.get("alt")) > 40 for img in page.iter("img")) and len(list(page.iter("img"))) >= 6
    ids = [e.get("id") for e in page.iter() if e.get("id")]
    assert len(ids) == len(set(ids)) and all(a.get("href")[1:] in ids for a in page.iter("a") if a.get("href").startswith("#"))
    assert all(th.get("scope") for th in page.iter("th")) and all(td.get("data-label") for td in page.iter("td"))
    links = [a.get("href") for a in page.iter("a") if not a.get("href").startswith("#")]
    assert links and all(re.match(r"https?://", href) for href in links)
    studies = [d for d in page.iter("details") if d.get("class") == "studies"]
    assert sum("an abstract only" in td.text_content() for td in studies[0].iter("td")) == (read_review().tables["studies"]["where_read"] == "abstract").sum()


def test_a_line_names_six_studies_and_counts_the_others(plain, base):
    page = (plain / "report.html").read_text(encoding="utf-8")
    line = re.search(r'<th scope="row">in the base</th>.*?</tr>', page, re.S)[0]
    assert line.count("<a ") == 6 and f"and {len(base.tables['studies']) - 6} more (sources.csv)" in line


def test_the_figures_show_the_numbers_of_their_rows(plain):
    flow = (plain / "figures" / "evidence_review_flow.svg").read_text(encoding="utf-8")
    for r in result(plain).query("measure == 'flow'").itertuples():
        assert not r.estimate or re.search(rf">\s*{r.estimate:.0f} ", flow), r
    gaps = (plain / "figures" / "evidence_review_gaps.svg").read_text(encoding="utf-8")
    at = result(plain).set_index(KEY)["estimate"]
    for group, outcome in (("mental_health", "mental_wellbeing"), ("older", "health_related_quality_of_life")):
        assert f">{at['gap_compared', group, outcome]:.0f}+{at['gap_not_compared', group, outcome]:.0f}<" in gaps


def test_words_are_plain_and_nothing_missing_is_printed(plain):
    page = (plain / "report.html").read_text(encoding="utf-8")
    studies = read_review().tables["studies"]
    text = re.sub(r"<pre>.*?</pre>|<style>.*?</style>|src=\"[^\"]*\"", " ", page, flags=re.S)
    for title in studies["title"]:                      # the words of others
        text = text.replace(title.replace("&", "&amp;").replace("'", "&#x27;"), "")
    text = re.sub(r"cost-effective", "", re.sub(r"<[^>]+>", " ", text))
    assert not [word for word in BANNED if re.search(word, text, re.I)]
    assert not re.search(r"\b(nan|None|inf|NaN)\b", text)


def test_no_path_of_a_computer_is_in_any_file(plain, with_harbour):
    for folder in (plain, with_harbour[0]):
        for path in folder.rglob("*"):
            if path.is_file():
                assert str(folder.parents[1]).encode() not in path.read_bytes() and str(ROOT).encode() not in path.read_bytes(), path


def test_the_same_base_gives_the_same_bytes(plain, tmp_path):
    again = run_review(tmp_path)
    first, second = tree(plain), tree(again)
    assert first.keys() == second.keys()
    changed = {name for name in first if first[name] != second[name]}
    assert changed <= {"run.json", "notebooks/evidence_review.ipynb"}          # times, and the random ids that papermill gives a cell


# ---- harbour's record

def test_harbours_record_changes_the_review_and_nothing_else(plain, with_harbour):
    review, folder, before, after = with_harbour
    assert before == after                              # what sprx carries is as it was
    assert sorted(p.name for p in folder.iterdir()) == ["effects.csv", "studies.csv"]
    old, new, sources = result(plain).set_index(KEY), result(review).set_index(KEY), table(review, "sources")
    assert new.loc[("studies_in_base", "all", "all"), "estimate"] == old.loc[("studies_in_base", "all", "all"), "estimate"] + 1
    assert new.loc[("flow", "averaged", "kept"), "estimate"] == old.loc[("flow", "averaged", "kept"), "estimate"] + 1
    own = "study_effect", "mental_wellbeing", "Harbour links 2025 (SYNTHETIC)"
    assert own in new.index and own not in old.index
    assert new.loc[("pooled_estimate", "controlled", "mental_wellbeing"), "estimate"] != old.loc[("pooled_estimate", "controlled", "mental_wellbeing"), "estimate"]
    touched = set(map(tuple, sources.loc[sources["study_id"].str.startswith("harbour"), KEY].to_numpy()))
    same = [key for key in new.index if key not in touched]
    gone = [key for key in old.index if key not in touched and key not in new.index]
    assert same == [key for key in old.index if key not in touched and key not in gone]
    assert old.loc[same].equals(new.loc[same])          # what does not rest on harbour is as it was, row by row
    assert {key[:2] for key in gone} == {("people_to_tell", "mental_wellbeing")}        # the average leaves out no difference now: what it took to get there is not asked any more


def test_what_rests_on_harbour_names_its_row_and_who_added_it(with_harbour):
    sources = table(with_harbour[0], "sources")
    mine = sources[sources["study_id"].str.startswith("harbour")]
    assert set(mine["file"]) == {"your studies.csv", "your effects.csv"} and set(mine["row"]) == {"row 2"} and set(mine["added_by"]) == {"A. Analyst"}
    assert mine["study"].str.endswith("(SYNTHETIC)").all()


def test_a_synthetic_record_is_called_so_wherever_it_stands(with_harbour):
    page = (with_harbour[0] / "report.html").read_text(encoding="utf-8")
    assert 'class="synthetic">HOLDS SYNTHETIC RECORDS' in page
    text = re.sub(r"<[^>]+>", " ", page)
    for found in re.finditer("Harbour links", text):
        assert "SYNTHETIC" in text[max(0, found.start() - 40):found.end() + 40], text[found.start() - 60:found.end() + 60]
    assert "SYNTHETIC means made up by a computer" in text and "With one study of SYNTHETIC data in it" in text


# ---- bases that are not in order

def test_an_empty_folder_is_a_base_of_what_sprx_carries(tmp_path, base):
    assert len(read_review(tmp_path).tables["studies"]) == len(base.tables["studies"])


@pytest.mark.parametrize("name, text, said", [
    ("wishes.csv", "study_id\na\n", "none of the tables"),
    ("studies.csv", "study_id,year,title,design,source_url,where_read\nnew2025,,A study,qualitative,https://example.org/a,abstract\n", "year"),
    ("effects.csv", "study_id\nnobody\n", "missing and needed"),
    ("studies.csv", "study_id,year,title,design,source_url,where_read\ngrant2000,2025,Another,qualitative,https://example.org/a,abstract\n", "twice")])
def test_a_base_that_is_not_in_order_is_refused_in_words_and_an_earlier_review_stays(tmp_path, name, text, said):
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / name).write_text(text, encoding="utf-8")
    earlier = tmp_path / "out" / "evidence_review"
    earlier.mkdir(parents=True)
    (earlier / "report.html").write_text("earlier", encoding="utf-8")
    made = run("evidence", "review", "--base", str(tmp_path / "base"), "--out", str(tmp_path / "out"))
    assert made[0] == 1 and said in made[1] and "Traceback" not in made[1]
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["evidence_review"] and (earlier / "report.html").read_text() == "earlier"


def test_a_folder_that_is_not_there_or_cannot_be_written_is_said(tmp_path):
    made = run("evidence", "review", "--base", str(tmp_path / "nowhere"), "--out", str(tmp_path / "out"))
    assert made[0] == 1 and "No such folder" in made[1]
    (tmp_path / "file").write_text("")
    made = run("evidence", "review", "--out", str(tmp_path / "file"))
    assert made[0] == 1 and "--out" in made[1]
    with pytest.raises(SchemeError, match="No such folder"):
        read_review(tmp_path / "nowhere")


def test_texts_of_a_user_are_escaped_and_odd_rows_are_counted(tmp_path):
    study = dict(study_id="odd2026", year="2026", title="<script>alert(1)</script> & more", design="nrct_controlled", maryland_level="2", population="<b>young</b> people", country="France",
                 source_url="https://example.org/odd?a=1&b=\"2", where_read="full text", added_by="me", added_on="2026-01-01", sprx_version="0.1.0")
    effect = dict(study_id="odd2026", domain="other", outcome="sleep <i>", instrument="hours", comparison="between_group", effect_type="mean_difference", estimate="0.4", direction_good="higher",
                  source_url="https://example.org/odd", added_by="me", added_on="2026-01-01", sprx_version="0.1.0")
    money = dict(study_id="odd2026", study="Odd", figure_type="SROI ratio", figure="3", figure_high="4", conf_low="2", conf_high="5", conf_level="0.9", unit="per 1 invested", currency="EUR",
                 price_year="2024", source_url="https://example.org/odd", added_by="me", added_on="2026-01-01", sprx_version="0.1.0")
    (tmp_path / "base").mkdir()
    for name, row in (("studies", study), ("effects", effect), ("economic", money)):
        pd.DataFrame([row]).to_csv(tmp_path / "base" / f"{name}.csv", index=False)
    folder = run_review(tmp_path / "out", tmp_path / "base")
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "<script>" not in page and "&lt;script&gt;" in page and "sleep <i>" not in page
    found = result(folder).set_index(KEY)
    assert found.loc[("flow", "controlled", "a comparison too weak to call it an effect"), "estimate"] == 2
    assert found.loc[("gap_not_compared", "young", "sleep <i>"), "estimate"] == 1
    assert found.loc[("studies_in_base", "where_read", "full text"), "estimate"] == 1 and "No study was read in full" not in page
    mine = found[found["method"].eq("as printed") & found.index.get_level_values("group").isin(["odd2026"])].iloc[0]
    assert mine["estimate"] == 3 and mine["unit"].endswith("(prices of 2024)") and "range to 4" in mine["note"] and float(mine["conf_high"]) == 5


def test_an_average_that_rests_on_each_single_study_gains_no_certainty_and_says_so():
    assert review_grade.ONLY_TOGETHER == words.ONLY_TOGETHER
    base = sprx.read_review("")
    nothing = effects(dict(study_id="nothing", first_author="N", effect_type="smd", estimate=0.0, std_error=5.0, n=10, link_worker="yes"))
    studies = pd.concat([base.tables["studies"], pd.DataFrame([dict(study_id="nothing", country="", design="rct")])], ignore_index=True)
    both = sprx.results_of_evaluations(comparable_effects(pd.concat([base.effects, nothing[base.effects.columns]], ignore_index=True)))
    pooled = pooled_effects(both)
    mean = pooled[(pooled.measure == "pooled_estimate") & (pooled.level == "mental_wellbeing") & (pooled.group == "controlled")].iloc[0]
    assert mean.conf_low > 0                # a study that weighs nothing turns it
    found = review_grade.certainty(both, studies, base.tables["appraisal"], pooled).set_index(["measure", "group"])
    row = found.loc[("certainty_imprecision", "mental_wellbeing")]
    assert row.estimate <= -1 and review_grade.ONLY_TOGETHER in row.note
    sure = comparable_effects(effects(*[r | dict(estimate=9.0) for r in several(4)]))
    assert not review_grade._rests_on_one(sure, 0.95)


def test_a_record_that_names_no_country_counts_neither_for_nor_against():
    rows = pd.DataFrame(dict(study_id=["a", "b"], link_worker=["yes", "yes"]))
    assert review_grade._indirect(rows, pd.Series({"a": "UK", "b": ""})) == (0, "2 of 2 of a link worker or the like, 1 of 1 from the UK")
    assert review_grade._indirect(rows, pd.Series({"a": "", "b": ""}))[0] == 0 and review_grade._indirect(rows, pd.Series({"a": "US", "b": ""}))[0] == -1


def test_the_rows_of_an_average_are_those_that_were_averaged():
    review = sprx.read_review("")
    results = sprx.results_of_evaluations(sprx.comparable_effects(review.effects))
    table = sprx.with_rows(sprx.pooled_effects(results), results).set_index(["measure", "group", "level"])
    apart = results[(results.study_id == "woodhead2017") & (results.outcome == "mental_wellbeing")].rows.iloc[0]
    assert apart not in table.loc[("pooled_estimate", "controlled", "mental_wellbeing"), "rows"] and apart in table.loc[("studies_not_pooled", "controlled", "mental_wellbeing"), "rows"]
