"""What a service offers, and which needs it names, from its taxonomy terms and its own words: code lists first, keywords second, the scheme's own table last."""

import html
import re
from functools import cache

from sprx.reference import facts, labels, plain_key

WORD, TAG = re.compile(r"[a-z']+"), re.compile(r"<[^>]*>")
MOST = 3                    # kinds of activity that one service is taken to offer
NOT_MAPPED, OWN_TABLE = "not mapped", "own table"
OF_DESCRIPTION = 1          # a description names many things in passing: only what it names most often


def plain_words(text):
    """Free text without markup, entities read, on one line."""
    return " ".join(html.unescape(TAG.sub(" ", text or "")).split())


def map_service(name, description, terms):
    """What one service offers.

    Parameters
    ----------
    name, description : str or None
    terms : list of (str, str)
        Code (or URI) and name of each taxonomy term.

    Returns
    -------
    dict
        activity_type (`other` where nothing fits), also_offers (others, '; ' between), needs (named by its terms or its name), mapped_by.
    """
    kinds, needs, unread = [], [], []
    for code, label in terms:
        found = list(_by_code(code, label))
        unread += [] if found else [label]
        kinds += [value for kind, value in found if kind == "activity_type"]
        needs += [value for kind, value in found if kind == "need"]
    how = "code list" if kinds else NOT_MAPPED
    steps = (("its terms", unread, MOST), ("its name", [name], MOST), ("its description", [description], OF_DESCRIPTION))
    for where, texts, most in steps:
        if kinds and where != "its terms":
            break
        found, named = _by_keyword([plain_words(t) for t in texts if t], most)
        kinds, how = (kinds, how) if kinds else (found, where if found else how)
        needs += named if where != "its description" else []
    kinds = list(dict.fromkeys(kinds))[:MOST]
    return dict(activity_type=kinds[0] if kinds else "other", also_offers="; ".join(kinds[1:]) or None, needs="; ".join(dict.fromkeys(needs)) or None, mapped_by=how)


@cache
def _codes():
    """Code in small letters -> [(activity_type or need, value)]."""
    known = {}
    for row in facts("service_codes").itertuples():
        known.setdefault(row.code.casefold(), []).append((row.kind, row.value))
    return known


def _by_code(code, label):
    """What a term stands for by its code, a whole list of codes, or the standard's own name of a kind of activity."""
    code = re.sub(r"^https?://id\.esd\.org\.uk/(service|need)/", lambda m: {"service": "esdservicetype:", "need": "esdneed:"}[m[1]], (code or "").casefold().rstrip("/"))
    whole_list = f"{code.split(':')[0]}:*" if ":" in code and "//" not in code else ""
    yield from _codes().get(code, _codes().get(whole_list, []))
    found = labels("activity_type").get(plain_key(label or ""))
    yield from [("activity_type", found)] if found and found != "other" else []


@cache
def _keywords():
    """A word or two, in the singular -> [(activity_type or need, value)]."""
    known = {}
    for row in facts("service_keywords").itertuples():
        known.setdefault(" ".join(map(_singular, WORD.findall(row.keyword.casefold()))), []).append((row.kind, row.value))
    return known


@cache
def _singular(word):
    word = word.removesuffix("'s").strip("'")
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _by_keyword(texts, most):
    """Kinds of activity named in some texts, the most often named first, and the needs."""
    kinds, needs = {}, {}
    for text in texts:
        words = [_singular(w) for w in WORD.findall(text.casefold())]
        for at in (*words, *map(" ".join, zip(words, words[1:]))):
            for kind, value in _keywords().get(at, ()):
                found = kinds if kind == "activity_type" else needs
                found[value] = found.get(value, 0) + 1
    return sorted(kinds, key=kinds.get, reverse=True)[:most], list(needs)
