"""Chapter 02 in words and pictures: from released rows only, on good and on poor data."""

import json
import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import sprx
from sprx import cohort, plots, report, wording
from sprx.disclosure import RULES, release
from sprx.metrics import for_whom as metrics
from sprx.results import result_table, stack_results

NHSE, NONE = RULES["nhse_1_7_round5"], RULES["none"]
NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "report" / "02_for_whom.ipynb"


def people_of(count=200, seed=1):
    random = np.random.default_rng(seed)
    people = pd.DataFrame({"age": random.integers(18, 90, count).astype(float), "sex": random.choice(["female", "male"], count), "imd_quintile": random.choice([1, 1, 1, 2, 2, 3, 4, 5], count)})
    people["seen"] = pd.array(random.random(count) < 0.5 + 0.3 * people["sex"].eq("female"), dtype="boolean")
    return people.assign(completed=people["seen"], followed_up=pd.array([None] * count, dtype="boolean"))


def residents_of(people=(1000,) * 5):
    return pd.DataFrame({"imd_quintile": range(1, len(people) + 1), "people": people})


def drawn(ax):
    """Every text of a figure, and the figure closed."""
    ax.figure.canvas.draw()
    texts = [t.get_text() for t in ax.figure.findobj(plt.Text) if t.get_text()]
    plt.close(ax.figure)
    return texts


# ---- sentences --------------------------------------------------------------------------------------------------------------

def test_table_one_names_only_differences_larger_than_chance_brings():
    table = release(metrics.table_one(people_of(), ["age"], ["sex"]), NHSE)
    text = wording.describe_table_one(table)
    assert "People who were seen differed from those who were not by more than chance usually brings in sex (SMD 0." in text and "age" not in text
    alike = release(metrics.table_one(people_of().assign(sex=["female", "male"] * 100), ["age"], ["sex"]), NHSE)
    assert wording.describe_table_one(alike).startswith("In nothing recorded was there a difference larger than chance usually brings between people who were seen")
    assert wording.describe_table_one(result_table([])).startswith("No stage after the referral is recorded")


def test_losses_are_said_from_the_lowest_to_the_highest_group():
    table = release(metrics.reached_by(people_of(), "sex"), NHSE)
    text = wording.describe_reached(table)
    assert re.match(r"By sex, of the people referred: seen: from \d+% \(95% CI .*\) among male to \d+% \(95% CI .*\) among female; completed: ", text)
    assert wording.describe_reached(table.assign(estimate=np.nan)) == wording.NOT_SHOWN
    same = release(metrics.reached_by(people_of().assign(seen=True), "sex"), NHSE)
    assert "seen: 100% of every group" in wording.describe_reached(same)


def test_representation_names_groups_whose_interval_leaves_one_out():
    table = release(metrics.representation_ratio(people_of(400), residents_of(), "imd_quintile"), NHSE)
    text = wording.describe_representation(table)
    assert re.search(r"more frequent among people referred than among residents: 1 \(most deprived\) \(1\.\d\d times, 95% CI 1\.\d\d to", text) and "less frequent" in text
    even = release(metrics.representation_ratio(people_of().assign(imd_quintile=[1, 2, 3, 4, 5] * 40), residents_of(), "imd_quintile"), NHSE)
    assert "no group is clearly more or less frequent" in wording.describe_representation(even)


def inequality_of(people, residents, rule=NHSE):
    return release(stack_results(metrics.referral_rate(people, residents, "imd_quintile"), metrics.inequality(people, residents, "imd_quintile")), rule)


def test_inequality_is_said_in_people_and_never_as_a_test():
    people = pd.DataFrame({"imd_quintile": [level for level, n in enumerate((100, 80, 60, 40, 20), 1) for _ in range(n)]})
    text = wording.describe_inequality(inequality_of(people, residents_of((10_000,) * 5)))
    # the line is exact: 11 at rank 0, 1 at rank 1
    assert text.startswith("If rates changed evenly with deprivation, 11 in 1,000 of the most deprived residents would be referred and 1 in 1,000 of the least deprived: "
                           "about 10 fewer (slope index −10 (95% CI −12.")
    assert "For every 100 referred at the most deprived end, 9 would be at the least deprived end (relative index 0.09" in text and "need is greater there" in text
    assert "no difference" not in text and "significant" not in text


def test_an_index_that_cannot_be_had_says_why():
    few = inequality_of(pd.DataFrame({"imd_quintile": [1] * 30}), residents_of((1000,)))
    assert wording.describe_inequality(few) == "Inequality by deprivation cannot be put in one number: needs residents in at least 3 levels of deprivation; there are 1."
    gap = inequality_of(pd.DataFrame({"imd_quintile": [1] * 30 + [2] * 30 + [3] * 30}), residents_of((1000, 1000, 1000)))
    assert "Note: no residents in 4, 5, so the line is over the others; " in wording.describe_inequality(gap) and "The interval includes no difference." in wording.describe_inequality(gap)


def test_standardised_rates_are_said_with_the_ages_used_and_those_too_few():
    people = pd.DataFrame({"age_band": ["18-64"] * 60 + ["65+"] * 30, "sex": (["female"] * 40 + ["male"] * 20) + ["female"] * 30})
    people = pd.concat([people, pd.DataFrame({"age_band": ["18-64"] * 9, "sex": "other"})])
    residents = pd.DataFrame([(band, sex, 1000) for band in ("18-64", "65+") for sex in ("female", "male", "other")], columns=["age_band", "sex", "people"])
    text = wording.describe_standardised(release(stack_results(metrics.referral_rate_standardised(people, residents), metrics.referral_rate_standardised(people, residents, "sex")), NHSE))
    assert "(ages used: 18 and over)" in text and "Allowing for age, rates by sex run from" in text and "for male" in text
    assert "No standardised rate is given for other: fewer than 10 people." in text


def test_coverage_says_what_is_known_and_what_is_needed():
    people = pd.DataFrame({"seen": pd.array([True] * 60, dtype="boolean")})
    flags = pd.DataFrame({g: pd.array([True] * 30 + [False] * 30, dtype="boolean") for g in ("long_term_condition", "frequent_attender", "bereaved_older")})
    eligible = pd.DataFrame({"group": list(flags), "eligible": [1000.0, None, 10], "source": ["a survey", "", "a guess"]})
    text = wording.describe_coverage(release(metrics.group_coverage(people, flags, eligible), NHSE))
    assert "People with long-term conditions: 3.0% (95% CI 2.1% to 4.3%) of 1,000 residents: a survey" in text
    assert "more people were seen than the 10 said to be eligible (a guess)" in text
    assert "Cannot be answered for frequent attenders in primary or secondary care: needs the number of residents who could have come" in text


def test_needs_and_answers_are_said():
    needs = pd.DataFrame({"referral_id": range(100), "need": ["housing"] * 60 + ["caring"] * 40, "answer": ["answered"] * 50 + ["nothing prescribed"] * 30 + ["only something else prescribed"] * 20})
    given = pd.DataFrame({"referral_id": range(70), "activity_type": "housing", "begun": [True] * 50 + [False] * 20})
    listed = pd.DataFrame({"referral_id": range(100)})
    text = wording.describe_needs(release(stack_results(metrics.need_shares(listed, needs), metrics.activity_shares(listed, given)), NHSE))
    assert text.startswith("Most often people came for housing, 60%") and "Most often prescribed: housing support, 70%" in text and "At 30%" in text
    text = wording.describe_answers(release(metrics.needs_answered(needs), NHSE))
    assert text.startswith("Of all needs recorded: answered: 50%") and "does not show that the need went away" in text
    assert wording.describe_answers(metrics.needs_answered(needs.head(0))) == "Met and unmet need cannot be told: no needs are recorded."
    few = wording.describe_answers(release(metrics.needs_answered(needs.assign(answer=["answered"] * 90 + ["prescribed but not begun"] * 3 + ["nothing prescribed"] * 7)), NHSE))
    assert "; too few to show: prescribed but not begun and nothing prescribed." in few


def test_the_definitions_say_which_were_changed():
    told = pd.DataFrame({"group": ["long_term_condition", "frequent_attender"], "definition": ["2 or more", "12 or more"], "changed": [True, False]})
    text = wording.describe_definitions(told)
    assert "people with long-term conditions: 2 or more (changed in scheme.yaml); " in text and text.endswith("1 of these differs from the usual definition.")


@pytest.mark.parametrize("group, level, name", [
    ("group_combination", "long_term_condition + frequent_attender", "people with long-term conditions and frequent attenders in primary or secondary care"),
    ("need_by_activity", "housing | debt", "housing: Debt and money advice"), ("answers_to_food_fuel", "answered", "food or fuel: answered"), ("age", "all", "age"),
    ("source", "vcse", "voluntary or community group"), ("sex", "not_known", "not known"), ("source", "missing", "not recorded")])
def test_levels_have_plain_names(group, level, name):
    assert wording.level_name(group, level) == name


# ---- figures ----------------------------------------------------------------------------------------------------------------

def test_the_figure_of_stages_has_a_mark_per_stage_and_a_star_where_one_is_hidden():
    people = pd.concat([people_of(), people_of(5).assign(sex="other")])
    table = release(metrics.reached_by(people, "sex"), NHSE)
    ax = plots.plot_stages_by_group(table)
    assert len(ax.get_legend().get_texts()) == 2 and ax.get_xlim() == (0, 100)
    points = {line.get_label(): list(line.get_xdata()) for line in ax.lines if not line.get_label().startswith("_")}
    assert points["seen"][0] == pytest.approx(100 * table[(table.measure == "reached_seen") & (table.level == "female")].estimate.iloc[0])
    assert {"female", "male", "other", "*"} <= set(drawn(ax))
    assert "other: seen not shown, completed not shown" in wording.alt_of_stages(table)


def test_the_line_of_inequality_is_drawn_from_its_released_ends():
    people = pd.DataFrame({"imd_quintile": [level for level, n in enumerate((100, 80, 3, 40, 20), 1) for _ in range(n)]})
    table = inequality_of(people, residents_of((10_000,) * 5))
    ax = plots.plot_inequality(table)
    ends = table[table.measure == "fitted_rate"].set_index("level").estimate
    assert list(ax.lines[-1].get_ydata()) == [ends["most deprived"], ends["least deprived"]] and list(ax.lines[-1].get_xdata()) == [0, 1]
    assert "*" in drawn(ax) and "The fitted line runs from" in wording.alt_of_inequality(table) and "3 not shown" in wording.alt_of_inequality(table)


def test_the_overlap_figure_has_a_bar_and_dots_for_each_combination():
    flags = pd.DataFrame({"long_term_condition": [True] * 50 + [False] * 30, "frequent_attender": [True] * 20 + [False] * 57 + [True] * 3}).astype("boolean")
    table = release(metrics.group_overlap(flags), NHSE)
    ax = plots.plot_overlap(table)
    heights = [bar.get_height() for bar in ax.patches]
    assert heights[:1] == [30] and heights.count(0) == table.suppressed.sum() == 2
    assert {"30", "25", "*", "People with long-term\nconditions"} <= set(drawn(ax))


def test_the_heat_map_prints_each_share_a_star_where_hidden_and_needs_with_hidden_parts_are_counted():
    needs = pd.DataFrame({"referral_id": range(100), "need": ["housing"] * 60 + ["caring"] * 40, "answer": ["answered"] * 30 + ["nothing prescribed"] * 30 + ["answered"] * 37 + ["nothing prescribed"] * 3})
    given = pd.DataFrame({"referral_id": [*range(30), *range(57, 97)], "activity_type": "housing", "begun": True})
    heat = release(metrics.need_by_activity(needs, given), NHSE)
    assert {"58", "88", "Housing support", "housing", "caring"} <= set(drawn(plots.plot_heat(heat)))
    hidden = release(metrics.need_by_activity(needs, given.iloc[:36]), NHSE)
    assert "*" in drawn(plots.plot_heat(hidden)) and "1 of 2 cells are too small to show." in wording.alt_of_heat(hidden)
    answers = drawn(plots.plot_answers(release(metrics.needs_answered(needs), NHSE)))
    assert "housing" in answers and "caring" not in answers and any("not drawn: 1 with a hidden part" in text for text in answers)


# ---- the whole chapter on poor data ----------------------------------------------------------------------------------------------

def chapter(folder, tmp_path, monkeypatch):
    """The notebook's cells run on one scheme; every fragment shown, and the report."""
    shown, names = [], {}
    monkeypatch.setattr(report, "_show", shown.append)
    for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)        # noqa: S102
            if "parameters" in cell["metadata"].get("tags", []):
                names |= dict(scheme_dir=folder, output_dir=tmp_path)
    return shown, names["report"]


PEOPLE = "person_id,age,sex,ethnicity,imd_decile\n"
MANY = PEOPLE + "".join(f"p{i},{20 + i % 60},{'female' if i % 3 else 'male'},{'ABHJM'[i % 5]},{1 + i % 5}\n" for i in range(120))
REFERRALS = "referral_id,person_id,referral_date,first_contact_date,status\n"
MANY_REFERRALS = REFERRALS + "".join(f"r{i},p{i},2025-0{1 + i % 6}-10,{'2025-08-01' if i % 4 else ''},{'completed' if i % 4 else 'waiting'}\n" for i in range(120))
CELLS = [(band, sex) for band in ("18-39", "40-64", "65+") for sex in ("female", "male")]
POOR = {
    "one person": dict(people=PEOPLE + "p1,50,female,A,1\n", referrals=REFERRALS + "r1,p1,2025-01-10,2025-01-11,active\n"),
    "nobody referred": dict(people=MANY, referrals=REFERRALS + "r1,p999,2025-01-10,,waiting\n"),
    "people only": dict(people="person_id\n" + "".join(f"p{i}\n" for i in range(20))),
    "columns all missing": dict(people=PEOPLE + "".join(f"p{i},,,,\n" for i in range(20)), referrals=REFERRALS + "".join(f"r{i},p{i},,,\n" for i in range(20))),
    "a zero cell and fifths for tenths": dict(people=MANY, referrals=MANY_REFERRALS, population="age_band,sex,imd_decile,people\n" + "".join(
        f"{band},{sex},{d},{0 if (band, d) == ('65+', 3) else 500}\n" for band, sex in CELLS for d in range(1, 6))),
    "missing bands": dict(people=MANY, referrals=MANY_REFERRALS, population="age_band,people\n18-39,4000\n65+,3000\n"),
    "one level of deprivation": dict(people=MANY, referrals=MANY_REFERRALS, population="imd_decile,people\n1,5000\n"),
    "no residents": dict(people=MANY, referrals=MANY_REFERRALS, population="age_band,sex,imd_decile,people\n18-39,female,1,0\n"),
    "needs without activities": dict(people=MANY, referrals=MANY_REFERRALS, needs="referral_id,need\n" + "".join(f"r{i},housing\n" for i in range(40)))}


@pytest.mark.parametrize("name", POOR)
@pytest.mark.parametrize("rule", ["nhse_1_7_round5", "suppress_lt5", "none"])
def test_the_chapter_survives_poor_data_and_says_what_it_lacks(build, tmp_path, monkeypatch, name, rule):
    shown, made = chapter(str(build(dict(disclosure=rule, covariates=["age", "sex"]), **POOR[name])), tmp_path, monkeypatch)
    said = " ".join(made.sentences.values()) + made.answers[0]["text"]
    assert not re.search(r"\bnan\b|\bNone\b|<NA>|inf\b", said + " ".join(shown).split("base64")[0])
    assert {"people", "suitable_groups", "coverage", "needs", "needs_answered"} <= set(made.sentences) and not plt.get_fignums()
    for table in made.released.values():
        known = table.dropna(subset=["estimate", "conf_low", "conf_high"])
        assert (known.conf_low <= known.estimate + 1e-9).all() and (known.estimate <= known.conf_high + 1e-9).all()
        assert (table.estimate.notna() | table.suppressed | table.note.ne("") | table.n.eq(0)).all(), table[table.estimate.isna()]


def test_limitations_of_the_population_table_are_said(build, tmp_path, monkeypatch):
    said = {name: chapter(str(build(dict(disclosure="none"), **POOR[name])), tmp_path, monkeypatch)[1].sentences for name in POOR}
    assert "no residents in 4, 5, so the line is over the others; no tenth above 5 or 6 has residents: if the column holds fifths, not tenths" in said["a zero cell and fifths for tenths"]["inequality"]
    assert "ages used: 18 to 39, 65 and over" in said["missing bands"]["standardised"]
    assert "needs residents in at least 3 levels of deprivation; there are 1" in said["one level of deprivation"]["inequality"]
    assert said["people only"]["referral_rates"].startswith("Cannot be answered: needs a population table")
    assert said["needs without activities"]["needs_answered"].startswith("Cannot be answered: needs a needs table and an activities table")


def test_names_are_public_and_lead_to_one_thing():
    for name in ("table_one", "inequality", "needs_answered", "describe_reached", "plot_overlap", "people_stages"):
        assert getattr(sprx, name) in (getattr(module, name, None) for module in (metrics, wording, plots, cohort))
