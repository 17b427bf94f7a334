"""Answers of a lesson: what is right, what is wrong, and that nothing passes for want of an answer."""

import numpy as np
import pandas as pd
import pytest

import sprx
from sprx.teaching import NotAnswered, WrongAnswer, check_answer

TABLE = pd.DataFrame({"n": [3, 4], "who": ["a", "b"]}, index=["x", "y"])
SERIES = pd.Series({"x": 1.5, "y": 2.0})
RIGHT = [(3, 3), (0.3, 0.1 + 0.2), (np.float64(2), 2), (np.int64(2), 2.0), ("  Odds Ratio", "odds ratio"), (True, True), (np.bool_(False), False),
         ({"a", "b"}, {"b", "a"}), (["B ", "a"], {"a", "b"}), (pd.Series(["a", "b"]).unique(), {"a", "b"}), (pd.Series(["b", "a"]), {"a", "b"}), (pd.Series([1, 2.0]), [1, 2]), (["a", "b"], ["A", "b"]), ((1, 2), [1.0, 2]),
         ({"x": 1.5, "y": 2}, SERIES), (SERIES[::-1], {"x": 1.5, "y": 2}), (TABLE.loc[["y", "x"], ["who", "n"]], TABLE), (0, 0)]
EXPECTED = [3, 0.5, 0, "rate", True, False, {"a", "b"}, {1, 2}, ["a", "b"], [1, 2], {"x": 1, "y": 2}, SERIES, TABLE, lambda answer: ""]
NOTHING = [None, float("nan"), np.nan, pd.NA, pd.NaT, float("inf"), "", "  ", [], (), set(), {}, np.array([]), pd.Series(dtype=float), pd.DataFrame(), pd.DataFrame(columns=["n"]),
           [None], [1, np.nan], {"x": None}, pd.Series([1, np.nan]), TABLE.assign(n=[1, np.nan]), [[1], [None]]]


@pytest.mark.parametrize("given, expected", RIGHT)
def test_a_right_answer_is_called_right(given, expected):
    assert repr(check_answer(given, expected)) == "Right."


def test_what_follows_is_said_only_after_a_right_answer():
    assert check_answer(3, 3, why="So it is.") == "Right. So it is."
    with pytest.raises(WrongAnswer) as error:
        check_answer(4, 3, why="So it is.", hint="Count again.")
    assert str(error.value) == "Not right yet: 4 is not it. Hint: Count again."


@pytest.mark.parametrize("expected", EXPECTED)
@pytest.mark.parametrize("nothing", NOTHING, ids=lambda n: f"{type(n).__name__} {str(n)[:12]}")
def test_nothing_is_never_right(nothing, expected):
    with pytest.raises(WrongAnswer):
        check_answer(nothing, expected)


@pytest.mark.parametrize("given", [..., [...], [1, ...], {"a": ...}, {...: 1}, ("a", [...]), pd.Series([1, ...]), TABLE.assign(n=[..., 3]), np.array([1, ...], dtype=object)])
@pytest.mark.parametrize("expected", EXPECTED)
def test_an_ellipsis_anywhere_is_not_answered_yet(given, expected):
    with pytest.raises(NotAnswered, match="^Not answered yet: "):
        check_answer(given, expected)


@pytest.mark.parametrize("given, expected", [
    (True, 1), (1, True), (False, 0), (np.bool_(True), 1), ("3", 3), (3, "3"), ([3], 3), (pd.Series([3]), 3), ("ab", {"a", "b"}), ("a", {"a"}), ({"a": 1, "b": 2}, {"a", "b"}),
    ({"a", "b"}, ["a", "b"]), ("ab", ["a", "b"]), (SERIES, TABLE), ([1.5, 2.0], SERIES), (TABLE["n"], TABLE), (TABLE[["who"]], {"a", "b"}), (TABLE[["who"]], ["a", "b"]), ({0: "a", 1: "b"}, ["a", "b"]), ([["a"], ["b"]], {"a", "b"}), ([{"a"}], {"a"}), (pd.Series(["a", "a"]), {"a"}), (3, lambda a: len(a)), (check_answer, 3), (int, "int"), (1j, 1),
    ([True], [1]), (np.array(3), [3])])
def test_the_wrong_kind_of_thing_is_wrong(given, expected):
    with pytest.raises(WrongAnswer):
        check_answer(given, expected)


@pytest.mark.parametrize("given, expected", [
    (3.001, 3), (-3, 3), (1e-12, 0.5e-12), ("odds", "odds ratio"), ({"a"}, {"a", "b"}), ({"a", "b", "c"}, {"a", "b"}), (["a", "a", "b"], {"a", "b"}), (["b", "a"], ["a", "b"]),
    ([1, 2, 3], [1, 2]), ([1], [1, 2]), ({"x": 1.5}, SERIES), ({"x": 1.5, "z": 2}, SERIES), ({"x": 1.5, "y": 2, "z": 3}, SERIES), (SERIES + 1, SERIES), (TABLE.assign(more=1), TABLE), (TABLE.head(1), TABLE),
    (TABLE.assign(n=[3, 5]), TABLE), (TABLE.assign(who=["b", "a"]), TABLE), (TABLE.reset_index(drop=True), TABLE), (True, False), (False, True)])
def test_a_wrong_answer_is_wrong(given, expected):
    with pytest.raises(WrongAnswer) as error:
        check_answer(given, expected)
    assert "\n" not in str(error.value)


def test_within_is_how_far_a_number_may_be_off_also_in_lists_and_tables():
    for wrap in (lambda x: x, lambda x: [x, 1], lambda x: {"a": x}, lambda x: pd.Series({"a": x}), lambda x: pd.DataFrame({"a": [x]})):
        assert check_answer(wrap(2.99), wrap(3.0), within=0.0101)
        with pytest.raises(WrongAnswer):
            check_answer(wrap(2.98), wrap(3.0), within=0.0101)


def test_the_message_never_holds_the_right_answer():
    for given, expected in [(4, 3.25), ("rate", "oddsratio"), ({"a"}, {"oddsratio"}), ([4], [3.25]), ({"x": 4}, {"x": 3.25}), ({"y": 4}, {"oddsratio": 3.25}),
                            (TABLE.assign(who="c"), TABLE.assign(who="oddsratio")), (TABLE, TABLE.rename(columns={"n": "oddsratio"})), (1, "oddsratio"), ("x", 3.25)]:
        with pytest.raises(WrongAnswer) as error:
            check_answer(given, expected)
        assert "3.25" not in str(error.value) and "oddsratio" not in str(error.value)


def test_a_function_judges_and_says_what_is_wrong():
    def judge(text):
        return "" if "interval" in text else "it names no interval."

    assert check_answer("with its interval", judge) == "Right."
    with pytest.raises(WrongAnswer, match="^Not right yet: it names no interval. Hint: Read again.$"):
        check_answer("without", judge, hint="Read again.")
    with pytest.raises(WrongAnswer, match="kind of answer"):
        check_answer(5, judge)


@pytest.mark.parametrize("expected", [None, float("nan"), "", " ", set(), [], {}, pd.DataFrame(), [None], {"x": np.nan}, {"x": {}}, lambda answer: None, lambda answer: True, lambda answer: 0])
def test_a_check_with_nothing_to_compare_with_is_a_fault_of_the_lesson(expected):
    with pytest.raises((ValueError, WrongAnswer)) as error:
        check_answer(3, expected)
    assert error.type is ValueError or expected == {"x": {}}


@pytest.mark.parametrize("within", [0, -1, float("inf"), float("nan"), True])
def test_a_within_that_lets_nothing_or_everything_through_is_a_fault_of_the_lesson(within):
    with pytest.raises(ValueError, match="within"):
        check_answer(3, 3, within=within)


def test_in_a_notebook_a_failed_check_is_one_line():
    for error in (NotAnswered("Not answered yet: x"), WrongAnswer("Not right yet: y")):
        assert error._render_traceback_() == [str(error)]


def test_the_check_is_reached_from_sprx():
    assert sprx.check_answer is check_answer


def test_a_learner_reads_their_own_names_in_a_hint():
    with pytest.raises(WrongAnswer, match="at Put aside: 2 is not it"):
        check_answer({"Put aside": 2}, {"put aside": 3})
    with pytest.raises(WrongAnswer, match="its names are put_aside;"):
        check_answer({"put_aside": 3}, {"put aside": 3})


def test_words_that_are_no_search_are_wrong_and_break_nothing():
    with pytest.raises(WrongAnswer, match="not the kind"):
        check_answer("a|(", lambda words: "" if pd.Series("a").str.contains(words).any() else "nothing found.")
