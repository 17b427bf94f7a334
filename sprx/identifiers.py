"""Direct identifiers: columns that must not be in an export. They are named and refused, their values never shown."""

import re

from sprx import schema

PERSON = r"(patient|client|person|people|participant|user|service_user|carer|member|contact|worker|link_worker|staff|gp|doctor|referrer|kin|partner)"
HEADERS = [
    ("a name", rf"(full_?|last_?|first_?|middle_?|maiden_?|family_?|given_?|pref(erred)?_?)?name|(.*_)?(sur|fore)name(_.*)?|(.*_)?(last|first)_?name|{PERSON}s?(_[a-z]+)?_?name"),
    ("an address", r"(.*_)?(address|addr)(_.*)?|(.*_)?street(_.*)?|(.*_)?post_?code(_(home|full|current|\d+))?|zip(_?code)?"),
    ("an e-mail address", r"(.*_)?e_?mail(_.*)?"),
    ("a phone number", r"(.*_)?(tele)?phone(_?(no|number))?|(.*_)?mobile(_?(no|number))?|tel(_?(no|number))?"),
    ("a date of birth", r"(.*_)?d_?o_?b|(.*_)?(date_?of_?birth|birth_?date|birthday|birth_day)"),
    ("an NHS number", r"(.*_)?nhs_?(no|num|number)|(.*_)?chi_?(no|number)"),
]
NHS_NUMBER = re.compile(r"(?<!\d)\d{3}[ -]?\d{3}[ -]?\d{4}(?!\d)")
EMAIL = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+\.[A-Za-z]{2,}")
POSTCODE = r"[A-Z]{1,2}\d[A-Z\d]?%s\d[ABD-HJLNP-UW-Z]{2}"
SPACED_POSTCODE = re.compile(r"\b" + POSTCODE % " " + r"\b")
WHOLE_POSTCODE = re.compile(POSTCODE % " ?", re.IGNORECASE)
PHONE = re.compile(r"(?:\+44|0044|\(?0)[\s(]*(?:0\))?\s*[1-37-9][\d\s()-]{7,12}\d")
PHONE_WITHOUT_ZERO = re.compile(r"7\d{9}")
MOST, WIDE_SPREAD_YEARS = 0.5, 15


def is_nhs_number(digits):
    """True for ten digits whose last is the modulus 11 check digit (NHS data dictionary, NHS NUMBER)."""
    remainder = sum(int(d) * w for d, w in zip(digits, range(10, 1, -1))) % 11
    return digits != digits[0] * 10 and (11 - remainder) % 11 == int(digits[9])


def identifier_in(header, cells, is_date=False):
    """What direct identifier a column holds, in words, or None.

    Parameters
    ----------
    header : str
        The column's name in the export.
    cells : Series of text, None where empty
    is_date : bool
        The standard knows the column as a date, so that old dates in it are not taken for births.
    """
    words = re.sub(r"\(.*?\)", "", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", header)).replace("'s", "").replace("’s", "")
    key = re.sub(r"[^a-z0-9]+", "_", words.casefold()).strip("_")
    for what, pattern in HEADERS:
        if re.fullmatch(pattern, key):
            return f"{what}, by its title"
    found = cells.dropna().astype(str)
    return _content(found, is_date) if len(found) else None


def _content(cells, is_date=False):
    """The identifier that the values themselves give away."""
    distinct = cells.drop_duplicates()
    with_digits = distinct[distinct.str.contains(r"\d")]
    if distinct.str.contains("@", regex=False).any() and distinct.str.contains(EMAIL).any():
        return "e-mail addresses"
    ten = [re.sub(r"\D", "", number) for text in with_digits for number in NHS_NUMBER.findall(text)]
    if ten and sum(map(is_nhs_number, ten)) >= MOST * len(ten):
        return "valid NHS numbers"
    if with_digits.str.contains(SPACED_POSTCODE).any() or _most(with_digits, distinct, WHOLE_POSTCODE):
        return "postcodes"
    if _most(with_digits, distinct, PHONE) or _most(with_digits, distinct, PHONE_WITHOUT_ZERO) \
            or with_digits.str.contains(r"\+44\s?\d{2}", regex=True).any():
        return "phone numbers"
    return "dates of birth" if not is_date and _looks_like_births(with_digits, distinct) else None


def _most(candidates, distinct, pattern):
    return candidates.str.fullmatch(pattern).sum() >= MOST * len(distinct)


def _looks_like_births(candidates, distinct):
    """Full dates spread over a working lifetime: dates of referral or contact are not, dates of birth are."""
    if len(candidates) < MOST * len(distinct) or not candidates.str.contains(r"[-/. ]").any():
        return False
    dates = schema.read_date(candidates.where(candidates.str.contains(r"[-/. ]"))).dropna()
    if len(dates) < max(2, MOST * len(distinct)):
        return False
    return (dates.quantile(0.9) - dates.quantile(0.1)).days > WIDE_SPREAD_YEARS * 365
