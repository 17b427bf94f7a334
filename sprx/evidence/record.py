"""A scheme's evidence_record.json: its contract (docs/evidence.md), and its rows of the evidence base."""

import json
import math

import pandas as pd

from sprx.errors import SchemeError, nearest
from sprx.evidence.rules import columns_of
from sprx.reference import facts

# key -> kind of value; a kind in brackets may be missing or null
RECORD = {"scheme_id": "text", "name": "text", "area": "(text)", "period": "(object)", "design": "text", "maryland_level": "(number)", "population": "object",
          "activities": "list", "follow_up_months": "(number)", "link_worker": "(yes or no)", "sprx_version": "text", "disclosure": "(text)",
          "synthetic": "(yes or no)", "effects": "list"}
PERIOD = {"start": "text", "end": "text"}
POPULATION = {"n": "(number)", "n_comparison": "(number)", "share_female": "(number)", "age_shares": "(object)"}
EFFECT = {"domain": "text", "outcome": "(text)", "instrument": "text", "subgroup": "(text)", "comparison": "text", "effect_type": "text", "estimate": "(number)",
          "std_error": "(number)", "conf_low": "(number)", "conf_high": "(number)", "conf_level": "(number)", "n_scheme": "(number)", "n_comparison": "(number)",
          "timepoint_months": "(number)", "adjusted": "(yes or no)", "direction_good": "text", "suppressed": "yes or no", "note": "(text)"}
KINDS = {"text": str, "number": (int, float), "object": dict, "list": list, "yes or no": bool}
DESIGN = {"randomised": "rct", "cluster_randomised": "rct", "matched": "nrct_controlled", "concurrent": "nrct_controlled", "historical": "nrct_controlled",
          "adjusted": "nrct_controlled", "series": "before_after_uncontrolled", "before_after": "before_after_uncontrolled",
          "none": "descriptive"}


def read_record(path, allow_synthetic=False):
    """The rows of the base that a record makes: one of studies, and its effects.

    Parameters
    ----------
    path : Path
        The evidence_record.json of a report folder.
    allow_synthetic : bool
        Whether a record of synthetic data is taken; the title of its study then says so.

    Returns
    -------
    dict of str to DataFrame of text
        studies and effects, with sprx_version as in the record, and file and where.

    Raises
    ------
    SchemeError
        If it is not JSON, or with every key that is missing, misspelt or of the wrong kind.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise SchemeError(f"{path} is not UTF-8 text (byte {error.start + 1}). Take it again from the report folder.") from None
    except json.JSONDecodeError as error:
        raise SchemeError(f"{path}, line {error.lineno}, column {error.colno}: not JSON ({error.msg}). Take it again from the report folder.") from None
    problems = _misfits(content, RECORD, "the record")
    if not problems:
        problems = [*(_misfits(content["period"], PERIOD, "period") if content.get("period") else ()), *_misfits(content["population"], POPULATION, "population"), *_shares(content["population"]),
                    *_design(content), *(p for i, e in enumerate(content["effects"], start=1) for p in _misfits(e, EFFECT, f"effect {i}"))]
    if problems:
        raise SchemeError([f"{path}, {p}" for p in problems])
    if content.get("synthetic") and not allow_synthetic:
        raise SchemeError(f"{path}: the record is of synthetic data (synthetic is true), about nobody. "
                          "It does not belong among evidence; to try things out, say --synthetic.")
    if content.get("disclosure") == "none":
        raise SchemeError(f"{path}: the record was made without hiding small numbers (disclosure is none) and is not for sharing. Make the report again with a rule for small numbers.")
    return rows_of_record(content, str(path))


def _misfits(value, keys, where):
    """Every key of an object that is missing, not known, or not of its kind."""
    if not isinstance(value, dict):
        return [f"{where}: not an object. Found {str(value)[:40]!r}. It has the keys {', '.join(keys)}."]
    problems = [f"{where}: the key {k!r} is not known.{nearest(k, keys)} Take it out or rename it." for k in value if k not in keys]
    for key, kind in keys.items():
        found, free = value.get(key), kind.startswith("(")
        kind = kind.strip("()")
        fits = isinstance(found, KINDS[kind]) and not (kind == "number" and (isinstance(found, bool) or not math.isfinite(found))) and found != ""
        if not fits and not (free and found in (None, "")):
            problems.append(f"{where}, {key}: {'missing and needed' if found in (None, '') else f'not a {kind}'}. Found {found!r}. Give a {kind}.")
    return problems


def _shares(population):
    """Shares are fractions, and those of ages add up."""
    ages = population.get("age_shares") or {}
    shares = {f"age_shares, {k}": v for k, v in ages.items()} if isinstance(ages, dict) else {}
    shares |= {"share_female": population["share_female"]} if population.get("share_female") is not None else {}
    wrong = [f"population, {k}: not a share from 0 to 1. Found {v!r}. Write 0.6 for 60%." for k, v in shares.items()
             if isinstance(v, bool) or not isinstance(v, (int, float)) or not 0 <= v <= 1]
    rounded = 2.5 * len(ages) / population["n"] if population.get("n") else 0       # counts rounded to 5 need not add up
    if not wrong and isinstance(ages, dict) and ages and sum(ages.values()) > 1.01 + rounded:
        wrong.append(f"population, age_shares: together more than 1. Found {sum(ages.values()):g}. Give each age once.")
    return wrong


def _design(content):
    designs, found = facts("designs").set_index("design")["maryland_level"], content["maryland_level"]
    if content["design"] == "none":
        return [] if found is None else [f"maryland_level: without a design there is no level. Found {found!r}. Leave it out."]
    if content["design"] not in designs:
        return [f"design: not a design. Found {content['design']!r}. One of: {', '.join(designs.index)}, none.{nearest(content['design'], designs.index)}"]
    level = int(designs[content["design"]])
    # an analysis may fall short of its design (nobody to adjust for), never rise above it
    return [f"maryland_level: a {content['design']} design has at most level {level}. Found {found!r}. Correct one of the two."
            ] if found is None or found > level else []


def _text(value):
    """A value as the text of a cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.10g}" if isinstance(value, (int, float)) else " ".join(str(value).split())


def rows_of_record(content, file):
    """The rows of the base that the content of a record makes, as `read_record` gives them."""
    period, people, synthetic = content.get("period") or dict(start="", end=""), content["population"], content.get("synthetic")
    ages = [f"{age} {100 * share:.0f}%" for age, share in (people.get("age_shares") or {}).items()]
    female = [f"female {100 * people['share_female']:.0f}%"] if people.get("share_female") is not None else []
    study_id, dates = (f"{content['scheme_id']}_{period['start'][:7]}_{period['end'][:7]}", f"{period['start']} to {period['end']}") if period["start"] else (content["scheme_id"], "dates not held")
    source = f"evidence_record.json of {content['scheme_id']}, made by sprx {content['sprx_version']}"
    study = {"study_id": study_id, "year": period["end"][:4], "programme": content["name"], "setting": content.get("area"), "design": DESIGN[content["design"]],
             "title": f"{'SYNTHETIC DATA: ' if synthetic else ''}{content['name']}, {dates}: evaluation with sprx",
             "maryland_level": content["maryland_level"], "n_intervention": people.get("n"), "n_control": people.get("n_comparison"),
             "population": ", ".join(female + ages), "activities": "; ".join(map(str, content["activities"])), "link_worker": content.get("link_worker"), "follow_up_months": content.get("follow_up_months"),
             "source_url": source, "where_read": "own analysis", "scheme_id": content["scheme_id"], "period_start": period["start"], "period_end": period["end"],
             "note": f"design: {content['design']}"}
    effects = [{**e, "study_id": study_id, "pooled": False, "source_url": source, "timepoint_months": e.get("timepoint_months", content.get("follow_up_months")),
                "n": sum(filter(None, (e.get("n_scheme"), e.get("n_comparison")))) or None} for e in content["effects"]]
    tables = {"studies": _table("studies", [study], file, ["the record"]),
              "effects": _table("effects", effects, file, [f"effect {i}" for i in range(1, len(effects) + 1)])}
    return {name: t.assign(sprx_version=content["sprx_version"]) for name, t in tables.items() if len(t)}


def _table(name, rows, file, where):
    columns = list(columns_of(name).index)
    return pd.DataFrame([[_text(row.get(c)) for c in columns] for row in rows], columns=columns, dtype=object).assign(file=file, where=where)
