"""scheme.yaml: what it may say, and that every mistake in it is named with its place and the way out."""

import pandas as pd
import pytest

from sprx.errors import SchemeError
from sprx.settings import read_settings

TABLES = "tables:\n  people: {file: people.csv}\n"
MINIMAL = "scheme_id: a-1\n" + TABLES


@pytest.fixture
def read(tmp_path):
    def from_text(text):
        (tmp_path / "scheme.yaml").write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        return read_settings(tmp_path)
    return from_text


@pytest.fixture
def mistake(read):
    """The words of the one mistake in a scheme.yaml."""
    def from_text(text):
        with pytest.raises(SchemeError) as caught:
            read(text)
        assert len(caught.value.problems) == 1, caught.value.problems
        return caught.value.problems[0]
    return from_text


# ---- what is understood

def test_a_minimal_file_gets_the_documented_defaults(read):
    settings = read(MINIMAL)
    assert (settings.scheme_id, settings.name, settings.area, settings.seed, settings.episode_days) == ("a-1", "a-1", "", 1, 90)
    assert settings.disclosure == "nhse_1_7_round5" and settings.period == (None, None)
    assert settings.extract_date is None and settings.follow_up_months is None and not settings.synthetic
    assert settings.tables == {"people": {"file": "people.csv"}}


def test_every_value_stays_the_text_it_was_written_as(read):
    settings = read("scheme_id: 007\nname: No\narea: 1e3\ncovariates: [yes, 01]\nmissing_values: [null, 99]\ntables:\n  people:\n"
                    "    file: people.csv\n    values: {sex: {1: male, No: female}}\n")
    assert (settings.scheme_id, settings.name, settings.area) == ("007", "No", "1e3")
    assert settings.covariates == ("yes", "01") and settings.missing_values == ("null", "99")
    assert settings.tables["people"]["values"] == {"sex": {"1": "male", "No": "female"}}


@pytest.mark.parametrize("line, months", [("follow_up_days: 90", 90 / 30.4375), ("follow_up_months: 3", 3.0), ("follow_up_months: 4.5", 4.5)])
def test_follow_up_is_months_whichever_way_it_was_given(read, line, months):
    assert read(f"{line}\n{MINIMAL}").follow_up_months == pytest.approx(months, abs=1e-12)


@pytest.mark.parametrize("written", ["2025-04-01", "01/04/2025", "1 April 2025", "'2025-04-01'"])
def test_dates_are_iso_or_day_first(read, written):
    settings = read(f"extract_date: {written}\nperiod: {{start: {written}, end: {written}}}\n{MINIMAL}")
    day = pd.Timestamp("2025-04-01")
    assert settings.extract_date == day and settings.period == (day, day)


@pytest.mark.parametrize("line", ["comparison: matched", "comparison: {design: matched, cluster: practice_code}"])
def test_a_comparison_is_a_word_or_a_mapping(read, line):
    assert read(f"{line}\n{MINIMAL}").comparison["design"] == "matched"


def test_an_own_instrument_becomes_a_row_of_the_measures_table(read):
    own = read("instruments:\n  hope: {name: Hope, minimum: 0, maximum: 20, higher_is_better: true, items: 5, item_minimum: 0,\n"
               f"         item_maximum: 4, reverse_items: [2, 4], item_offset: -1, mid: 1.5}}\n{MINIMAL}").instruments["hope"]
    assert (own["total_min"], own["total_max"], own["n_items"], own["rule"]) == (0.0, 20.0, 5, "sum")
    assert (own["item_min"], own["item_max"], own["reverse_items"], own["item_offset"]) == (0.0, 4.0, "2 4", -1.0)
    assert own["higher_is_better"] == "yes" and own["mid_value"] == 1.5


def test_a_byte_order_mark_is_no_part_of_the_first_key(read):
    assert read(b"\xef\xbb\xbf" + MINIMAL.encode()).scheme_id == "a-1"


# ---- files that are not there or do not parse

def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SchemeError, match="No such folder: .*nowhere. Give the folder that holds scheme.yaml"):
        read_settings(tmp_path / "nowhere")


def test_a_folder_without_scheme_yaml_lists_what_is_there_and_how_to_make_one(tmp_path):
    (tmp_path / "scheme.yml").write_text(MINIMAL)
    with pytest.raises(SchemeError) as caught:
        read_settings(tmp_path)
    assert all(words in str(caught.value) for words in ("No scheme.yaml in", "scheme.yml", f"sprx init {tmp_path}"))


@pytest.mark.parametrize("text, line", [("scheme_id: a\nname: x: y\n", "line 2"), ("scheme_id: a\n\tname: b\n", "line 2"),
                                        ("scheme_id: a\ntables: {people: {file: x}\n", "line 3"), ("a: 'open\n", "line 2")])
def test_yaml_that_does_not_parse_is_placed_and_explained(mistake, text, line):
    words = mistake(text)
    assert "scheme.yaml does not parse" in words and line in words and "Check the indentation" in words and "Traceback" not in words


@pytest.mark.parametrize("text, key", [("scheme_id: a\nscheme_id: b\n" + TABLES, "'scheme_id'"),
                                       ("scheme_id: a\ntables:\n  people: {file: a.csv}\n  people: {file: b.csv}\n", "'people'"),
                                       ("scheme_id: a\ntables:\n  people: {file: a.csv, values: {sex: {M: male, M: female}}}\n", "'M'")])
def test_a_key_written_twice_is_refused(mistake, text, key):
    words = mistake(text)
    assert f"the key {key} stands twice" in words and "line" in words and "Keep one of them" in words


def test_a_scheme_yaml_that_is_not_utf8_says_so(mistake):
    assert "scheme.yaml is not UTF-8 text (byte 10)" in mistake(b"name: Caf\xe9\n") and "Save it again as UTF-8" in mistake(b"name: Caf\xe9\n")


@pytest.mark.parametrize("text", ["", "# nothing but a comment\n", "- a\n- list\n", "just words\n"])
def test_a_file_without_keys_says_where_to_start(mistake, text):
    words = mistake(text)
    assert "scheme.yaml does not hold 'key: value' lines" in words and "sprx init" in words


# ---- keys nobody knows

@pytest.mark.parametrize("text, where, unknown, suggestion", [
    ("extract_dat: 2025-01-01\n" + MINIMAL, "scheme.yaml:", "extract_dat", "extract_date"),
    ("Scheme_ID: x\n" + MINIMAL, "scheme.yaml:", "Scheme_ID", "scheme_id"),
    ("period: {strat: 2025-01-01}\n" + MINIMAL, "scheme.yaml, period:", "strat", "start"),
    ("instruments: {hope: {minimum: 0, maximum: 9, higher_is_better: true, higher_is_beter: no}}\n" + MINIMAL,
     "scheme.yaml, instruments, hope:", "higher_is_beter", "higher_is_better"),
    ("scheme_id: a\ntables:\n  people: {file: p.csv, column: {A: person_id}}\n", "scheme.yaml, tables, people:", "column", "columns"),
    (MINIMAL + "  outcomes: {file: o.csv, wide: {S1: {instrument: swemwbs, ocasion: baseline}}}\n",
     "scheme.yaml, tables, outcomes, wide, S1:", "ocasion", "occasion"),
    ("comparison: {desing: matched}\n" + MINIMAL, "scheme.yaml, comparison", "desing", "design"),
    ("economics: {perspctive: NHS}\n" + MINIMAL, "scheme.yaml, economics", "perspctive", "perspective")])
def test_an_unknown_key_is_placed_and_the_nearest_known_one_suggested(mistake, text, where, unknown, suggestion):
    words = mistake(text)
    assert words.startswith(where) and f"unknown key '{unknown}'" in words and f"Did you mean '{suggestion}'?" in words
    assert "Known keys:" in words or "comparison" in where or "economics" in where      # those two blocks take keys of later chapters


def test_an_unknown_table_is_named_with_the_nearest_one(mistake):
    words = mistake(MINIMAL + "  referals: {file: r.csv}\n")
    assert "no table called 'referals'" in words and "Did you mean 'referrals'?" in words and "service_use" in words


# ---- values that cannot be

@pytest.mark.parametrize("written", ["../evil", "a/b", "..", "'a b'", "-a", "''", "é", "a" * 61, "'a\n'", "[a]", "{a: b}"])
def test_a_scheme_id_that_cannot_name_a_folder_is_refused(mistake, written):
    words = mistake(f"scheme_id: {written}\nname: x\n" + TABLES)
    assert "scheme_id is" in words and "Use letters, digits and hyphens only, at most 60" in words


def test_a_missing_scheme_id_is_asked_for(mistake):
    assert "scheme_id is" in mistake("name: x\n" + TABLES)


def test_a_period_that_ends_before_it_starts_is_refused(mistake):
    words = mistake("period: {start: 2025-09-30, end: 2024-04-01}\n" + MINIMAL)
    assert words == "scheme.yaml, period: it ends (2024-04-01) before it starts (2025-09-30)."


@pytest.mark.parametrize("line, where", [("extract_date: 31/02/2025", "scheme.yaml: extract_date is '31/02/2025'"),
                                         ("period: {start: soon, end: 2025-01-01}", "scheme.yaml, period: start is 'soon'")])
def test_a_date_that_is_none_is_named_with_what_was_expected(mistake, line, where):
    assert mistake(f"{line}\n{MINIMAL}") == f"{where}; expected a date such as 2025-03-31 or 31/03/2025."


def test_follow_up_in_days_and_months_at_once_is_refused(mistake):
    assert mistake("follow_up_days: 90\nfollow_up_months: 3\n" + MINIMAL) == "scheme.yaml: give follow_up_days or follow_up_months, not both."


@pytest.mark.parametrize("line", ["follow_up_days: 0", "follow_up_months: -3"])
def test_a_follow_up_time_must_lie_ahead(mistake, line):
    assert "the follow-up time must be more than 0; found" in mistake(f"{line}\n{MINIMAL}")


@pytest.mark.parametrize("line, words", [
    ("seed: ten", "seed is 'ten'; expected a whole number"), ("seed: 1.5", "seed is '1.5'; expected a whole number"),
    ("follow_up_days: ninety", "follow_up_days is 'ninety'; expected a number"),
    ("follow_up_days: nan", "follow_up_days is 'nan'"), ("follow_up_months: inf", "follow_up_months is 'inf'"),
    ("episode_days: -5", "episode_days is '-5'"), ("episode_days: 99999999999", "episode_days is '99999999999'"),
    ("synthetic: perhaps", "synthetic is 'perhaps'; expected true or false"),
    ("disclosure: suppress_lt6", "Did you mean 'suppress_lt5'?"), ("comparison: {design: mached}", "Did you mean 'matched'?"),
    ("period: 2025", "'period' should hold 'name: value' pairs; found '2025'"),
    ("name: [a, b]", "'name' should be plain text"), ("economics: NHS", "'economics' should hold 'name: value' pairs")])
def test_a_value_of_the_wrong_kind_is_named_with_its_key(mistake, line, words):
    assert words in mistake(f"{line}\n{MINIMAL}")


@pytest.mark.parametrize("spec, words", [
    ("5", "expected name, minimum, maximum and higher_is_better; found '5'"),
    ("{minimum: 9, maximum: 0, higher_is_better: true}", "give minimum and maximum, the smaller first; found '9' and '0'"),
    ("{higher_is_better: true}", "give minimum and maximum"),
    ("{minimum: 0, maximum: 9}", "say higher_is_better: true or false")])
def test_an_own_instrument_needs_its_range_and_its_direction(mistake, spec, words):
    found = mistake(f"instruments: {{hope: {spec}}}\n{MINIMAL}")
    assert found.startswith("scheme.yaml, instruments, hope:") and words in found


@pytest.mark.parametrize("tables, words", [
    ("tables: {referrals: {file: r.csv}}", "names no people table. It is the one table every scheme needs. Found: ['referrals']"),
    ("name: x", "names no people table. It is the one table every scheme needs. Found: no tables"),
    ("tables: {people: people.csv}", "tables, people: needs 'file:', the name of a file in this folder; found 'people.csv'"),
    ("tables: {people: {sheet: A}}", "tables, people: needs 'file:'"),
    ("tables: {people: {file: p.csv, columns: [a]}}", "tables, people: 'columns' should hold 'name: value' pairs"),
    ("tables: {people: {file: p.csv, values: {sex: M}}}", "tables, people, values, sex: expected 'export label: standard value' pairs; found 'M'"),
    ("tables: {people: {file: p.csv}, outcomes: {file: o.csv, wide: {S1: swemwbs}}}", "tables, outcomes, wide, S1: needs at least 'instrument'")])
def test_a_table_entry_that_cannot_be_used_is_placed(mistake, tables, words):
    assert words in mistake(f"scheme_id: a\n{tables}\n")


@pytest.mark.parametrize("entry", ["columns: {A: [person_id]}", "also: {sex: [A]}", "constant: {sex: [male]}", "constant: {sex: {a: b}}",
                                   "values: {sex: {M: [male]}}", "wide: {S1: {instrument: [swemwbs]}}", "sheet: [A]", "where: {A: {b: c}}"])
def test_a_list_or_mapping_where_text_belongs_is_refused_with_its_place(mistake, entry):
    words = mistake(f"scheme_id: a\ntables:\n  people:\n    file: p.csv\n    {entry}\n")
    assert words.startswith("scheme.yaml, tables, people") and entry.split(":")[0] in words


def test_all_mistakes_are_told_at_once(read):
    with pytest.raises(SchemeError) as caught:
        read("scheme_id: a b\nseed: x\nextract_date: y\nperiod: {begin: 2025-01-01}\ntables: {referrals: {}}\n")
    words = str(caught.value)
    assert len(caught.value.problems) == 6 and words.count("\n") == 5
    assert all(part in words for part in ("scheme_id is", "seed is", "extract_date is", "'begin'", "needs 'file:'", "names no people table"))


# ---- what the descriptive chapters are told

def test_rebasing_dates_come_as_a_list_or_with_what_changed_and_are_put_in_order(read):
    later, earlier = pd.Timestamp("2025-04-01"), pd.Timestamp("2024-10-01")
    assert read("rebase: [2025-04-01, 01/10/2024]\n" + MINIMAL).rebase == ((earlier, ""), (later, ""))
    assert read("rebase: {2025-04-01: second link worker, 2024-10-01: new system}\n" + MINIMAL).rebase == (
        (earlier, "new system"), (later, "second link worker"))
    assert read("rebase: 2025-04-01\n" + MINIMAL).rebase == ((later, ""),) and read(MINIMAL).rebase == ()


def test_group_definitions_change_only_what_was_given(read):
    settings = read("suitable_groups:\n  depression_anxiety: {phq9: [10, 19]}\n  frequent_attender: {gp_appointments_12m: 10, eligible: 5200, "
                    "eligible_source: practice lists}\n" + MINIMAL)
    assert settings.group_definition("depression_anxiety") == {"phq9": (10.0, 19.0), "gad7": (5, 14)}
    assert settings.group_definition("frequent_attender") == {"gp_appointments_12m": 10.0, "ae_attendances_12m": 5, "eligible": 5200.0,
                                                              "eligible_source": "practice lists"}
    assert settings.group_definition("bereaved_older") == {"age_at_least": 65, "months": 24}


def test_plan_norms_and_subgroups_are_read_as_numbers_and_names(read):
    settings = read("plan: {contacts: 6, caseload: 35}\nsubgroups: [sex, age_band]\nnorms: {swemwbs: {mean: 23.6, reliability: 0.6, source: us}}\n" + MINIMAL)
    assert settings.plan == {"contacts": 6.0, "caseload": 35.0} and settings.subgroups == ("sex", "age_band")
    assert settings.norms == {"swemwbs": {"mean": 23.6, "reliability": 0.6, "source": "us"}}


@pytest.mark.parametrize("line, words", [
    ("rebase: [soon]", "scheme.yaml: rebase is 'soon'; expected a date such as 2025-03-31 or 31/03/2025."),
    ("plan: {contacts: many}", "scheme.yaml, plan: contacts is 'many'; expected a number."),
    ("plan: {contacts: 0}", "scheme.yaml, plan: contacts is '0'; expected a number above 0."),
    ("plan: {contact: 6}", "scheme.yaml, plan: unknown key 'contact'. Did you mean 'contacts'?"),
    ("norms: {swemwbs: {reliability: 1.2}}", "scheme.yaml, norms, swemwbs: reliability is '1.2'; expected a number between 0 and 1."),
    ("norms: {swemwbs: {sd: -1}}", "sd is '-1'; expected a number above 0."),
    ("suitable_groups: {bereaved: {months: 12}}", "unknown key 'bereaved'. Did you mean 'bereaved_older'?"),
    ("suitable_groups: {bereaved_older: {month: 12}}", "unknown key 'month'. Did you mean 'months'?"),
    ("suitable_groups: {bereaved_older: {months: [1, 2]}}", "months is ['1', '2']; expected a number."),
    ("suitable_groups: {depression_anxiety: {phq9: [14, 5]}}", "phq9 is ['14', '5']; expected [lowest, highest]."),
    ("suitable_groups: {depression_anxiety: {phq9: 10}}", "phq9 is '10'; expected [lowest, highest]."),
    ("suitable_groups: {long_term_condition: {eligible_share: 14}}", "eligible_share is '14'; expected a share between 0 and 1.")])
def test_a_mistake_in_what_the_chapters_are_told_is_named(mistake, line, words):
    assert words in mistake(f"{line}\n{MINIMAL}")
