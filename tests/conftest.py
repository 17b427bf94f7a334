"""Small scheme folders for the tests: give the text of the tables, get a folder, a loaded or a cleaned scheme."""

from itertools import count

import pytest
import xlsxwriter
import yaml

from sprx import clean_scheme, load_scheme
from sprx.errors import SchemeError

PEOPLE = "person_id,birth_year,sex\np1,1950,female\np2,1960,male\np3,1970,female\n"
REFERRALS = "referral_id,person_id,referral_date\nr1,p1,2025-01-10\nr2,p2,2025-02-10\nr3,p3,2025-03-10\n"


def pytest_collection_modifyitems(config, items):
    """With two processes the longest file goes first, so that the other one never waits for it."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.path.name != "test_reports.py")


def write_book(path, sheets):
    """An Excel file from {sheet name: rows}; dates become Excel dates, text stays text."""
    with xlsxwriter.Workbook(path, {"default_date_format": "dd/mm/yyyy", "strings_to_numbers": False}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)
    return path


@pytest.fixture(scope="session")
def build(tmp_path_factory):
    """A function that writes a scheme folder.

    Each table is CSV text or bytes, or {sheet: rows} for an Excel file, or None for no file at all; people.csv has three people
    unless given. `specs` adds to a table's entry in scheme.yaml, `settings` to its top, `scheme_yaml` replaces it altogether.
    """
    number = count(1)

    def write(settings=None, specs=None, scheme_yaml=None, **tables):
        folder = tmp_path_factory.mktemp("schemes") / f"scheme-{next(number)}"
        folder.mkdir()
        entries = {}
        for name, content in {"people": PEOPLE, **tables}.items():
            book = isinstance(content, dict)
            entries[name] = {"file": f"{name}.xlsx" if book else f"{name}.csv", **(specs or {}).get(name, {})}
            path = folder / entries[name]["file"]
            if book:
                write_book(path, content)
            elif content is not None:
                path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        top = {"scheme_id": "test-1", "extract_date": "2025-12-31", **(settings or {}), "tables": entries}
        text = scheme_yaml if scheme_yaml is not None else yaml.safe_dump({k: v for k, v in top.items() if v is not None}, allow_unicode=True, sort_keys=False)
        (folder / "scheme.yaml").write_text(text, encoding="utf-8")
        return folder

    return write


@pytest.fixture(scope="session")
def loaded(build):
    """The scheme as read, from the arguments of `build`."""
    return lambda *args, **tables: load_scheme(build(*args, **tables))


@pytest.fixture(scope="session")
def cleaned(build):
    """The scheme as cleaned, from the arguments of `build`."""
    return lambda *args, **tables: clean_scheme(load_scheme(build(*args, **tables)))


@pytest.fixture(scope="session")
def refusal(build):
    """The words with which a scheme is refused, from the arguments of `build`."""
    def words(*args, **tables):
        with pytest.raises(SchemeError) as caught:
            load_scheme(build(*args, **tables))
        return str(caught.value)
    return words
