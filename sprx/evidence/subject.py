"""What a review reports on: the evidence base itself, in place of a scheme. It holds no row about a person."""

from dataclasses import dataclass, field
from pathlib import Path

from sprx.errors import SchemeError
from sprx.evidence.base import SHIPPED, TABLES, effects_with_studies, read_base, typed
from sprx.evidence.rules import check_base
from sprx.reference import facts, plain_key

SYNTHETIC = "SYNTHETIC"         # how the title of a study of synthetic data begins


@dataclass(frozen=True)
class ReviewSettings:
    """What a page needs to know of its subject, as of a scheme's settings."""

    synthetic: bool
    scheme_id: str = "evidence_review"
    name: str = "Social prescribing: the living review"


@dataclass(frozen=True)
class Review:
    """The evidence base as the subject of a report.

    Attributes
    ----------
    settings : ReviewSettings
    tables : dict of str to DataFrame
        As `read_base` gives them, numbers as numbers, and asked_2015 (what the review of 2015 asked and found); `file` names no folder of this computer.
    effects : DataFrame
        As `effects_with_studies` gives them.
    """

    settings: ReviewSettings
    tables: dict = field(repr=False)
    effects: object = field(repr=False)


def read_review(base_dir=""):
    """The evidence base, checked, as the subject of the living review.

    Parameters
    ----------
    base_dir : str or Path
        The user's part of the base; '' for what sprx carries alone.

    Raises
    ------
    SchemeError
        If there is no such folder, or a row breaks the rules of the base: a review of it would count wrongly.
    """
    tables = checked_base(base_dir)
    tables = {name: rows.assign(file=rows["file"].where(rows["file"].str.startswith(SHIPPED), f"your {name}.csv")) for name, rows in tables.items()}
    asked = facts("review/asked_2015")
    tables["asked_2015"] = asked.assign(added_by="sprx", file="sprx/reference/review/asked_2015.csv", where=[f"row {i + 2}" for i in range(len(asked))])
    synthetic = bool(tables["studies"]["title"].str.startswith(SYNTHETIC).any())
    return Review(ReviewSettings(synthetic), {name: typed(rows, name) if name in TABLES else rows for name, rows in tables.items()}, effects_with_studies(tables))


def checked_base(base_dir=""):
    """The evidence base as `read_base` gives it, once it keeps its rules; an effect without an outcome gets that of its instrument.

    Parameters
    ----------
    base_dir : str or Path
        The user's part of the base; '' for what sprx carries alone.

    Raises
    ------
    SchemeError
        If there is no such folder, or with every row that breaks the rules.
    """
    if str(base_dir) and not Path(base_dir).is_dir():
        raise SchemeError(f"No such folder: {base_dir}. Give the folder with your part of the evidence base, or leave it out.")
    tables = read_base(base_dir or None)
    problems = check_base(tables)
    if problems:
        raise SchemeError([str(p) for p in problems])
    return tables | {"effects": _with_outcomes(tables["effects"])}


def _with_outcomes(effects):
    """Effects whose outcome is empty get that of their instrument, where sprx knows it."""
    measures = facts("measures").merge(facts("domains"), on="domain")
    known = {key: outcome for column in ("measure_id", "name") for key, outcome in zip(measures[column].map(plain_key), measures["evidence_outcome"])}
    told = effects["instrument"].map(lambda text: known.get(plain_key(text), "outcome_not_said"))
    return effects.assign(outcome=effects["outcome"].where(effects["outcome"].ne(""), told))
