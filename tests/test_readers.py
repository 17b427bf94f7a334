"""Files to text: separators, encodings, Excel, Parquet, and files that are not what their name says."""

import datetime as dt
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import write_book

from sprx.errors import SchemeError
from sprx.readers import read_file


@pytest.fixture
def read(tmp_path):
    """Rows of a file as lists, from its bytes or text."""
    def from_content(content, name="t.csv", sheet=None):
        (tmp_path / name).write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        return read_file(tmp_path / name, sheet)
    return from_content


@pytest.fixture
def refused(read):
    def words(*args, **kwargs):
        with pytest.raises(SchemeError) as caught:
            read(*args, **kwargs)
        return str(caught.value)
    return words


# ---- CSV

@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("name", ["t.csv", "t.txt", "T.CSV"])
def test_the_separator_is_found_in_the_header(read, separator, name):
    table, notes = read(f"a{separator}b\n1{separator}x y\n", name)
    assert table.to_dict("list") == {"a": ["1"], "b": ["x y"]} and notes == []


def test_a_comma_inside_a_quoted_heading_does_not_win_over_semicolons(read):
    table, _ = read('"Amount (GBP, 2024)";item\n1;x\n')
    assert list(table.columns) == ["Amount (GBP, 2024)", "item"]


def test_cells_stay_the_text_they_were_without_outer_spaces(read):
    table, _ = read('a,b,c\n 007 ,"1,5",NA\n"",None,1e3\n')
    assert table["a"].tolist() == ["007", None] and table["b"].tolist() == ["1,5", "None"] and table["c"].tolist() == ["NA", "1e3"]


def test_the_index_is_the_row_a_person_sees_in_the_file(read):
    table, notes = read("a,b\n1,x\n,\n2,y\n\n\n")
    assert list(table.index) == [2, 4] and notes == ["t.csv has empty rows between the others; they were left out"]


def test_blank_lines_above_the_header_do_not_shift_the_row_numbers(read):
    table, _ = read("\n,\na,b\n1,x\n")
    assert list(table.columns) == ["a", "b"] and list(table.index) == [4]


def test_empty_rows_at_the_end_are_not_worth_a_note(read):
    table, notes = read("a,b\n1,x\n,\n,\n")
    assert len(table) == 1 and notes == []


def test_a_file_with_a_header_only_has_no_rows(read):
    table, notes = read("a,b\n")
    assert list(table.columns) == ["a", "b"] and len(table) == 0 and notes == []


def test_windows_and_old_mac_line_ends_are_line_ends(read):
    assert read("a,b\r\n1,x\r\n")[0].to_dict("list") == read("a,b\r1,x\r")[0].to_dict("list") == {"a": ["1"], "b": ["x"]}


def test_a_cell_with_a_line_break_keeps_its_row_together(read):
    table, _ = read('a,b\n1,"two\nlines"\n2,x\n')
    assert table["b"].tolist() == ["two\nlines", "x"]


def test_a_byte_order_mark_is_no_part_of_the_first_name(read):
    table, notes = read(b"\xef\xbb\xbfa,b\n1,\xc3\xa9\n")
    assert list(table.columns) == ["a", "b"] and table["b"].tolist() == ["é"] and notes == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_read_with_a_note(read, encoding):
    mark = {"utf-16": b"", "utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}[encoding]
    table, notes = read(mark + "a;b\n1;é\n".encode(encoding))
    assert table.to_dict("list") == {"a": ["1"], "b": ["é"]} and notes == ["t.csv is UTF-16 text and was read as such"]


def test_windows_1252_is_read_with_a_note_that_names_the_line(read):
    table, notes = read("a,b\n1,x\n2,Café £5 – “ok”\n".encode("cp1252"))
    assert table["b"].tolist() == ["x", "Café £5 – “ok”"] and notes == ["t.csv is not UTF-8 (line 3); it was read as Windows-1252"]


def test_text_in_neither_encoding_is_refused_with_its_line(refused):
    words = refused(b"a,b\n1,x\n2,\x81\xe9\n")
    assert "t.csv, line 3" in words and "neither UTF-8 nor Windows-1252 (byte 0x81)" in words and "Save it again as UTF-8" in words


@pytest.mark.parametrize("content", [b"", b"  \n \n", b"\xef\xbb\xbf", b"\xff\xfe", b"\xef\xbb\xbf\n"])
def test_an_empty_file_is_refused_in_words(refused, content):
    words = refused(content)
    assert words.startswith("t.csv is empty: there is not even a header") and "Export it again" in words


def test_a_csv_of_separators_only_is_refused_as_empty(refused):
    assert "t.csv" in refused(",,\n,,\n") and "empty" in refused(",,\n,,\n")


def test_an_excel_file_called_csv_is_refused(tmp_path):
    book = write_book(tmp_path / "real.xlsx", {"A": [["a"], [1]]})
    (tmp_path / "t.csv").write_bytes(book.read_bytes())
    with pytest.raises(SchemeError, match="t.csv is not text, although its name says so .is it an Excel file"):
        read_file(tmp_path / "t.csv")


@pytest.mark.parametrize("content", ["a,b\n1,2,3\n", "a,b\n1,2\n3,4,5\n", "a,b\n1,2,\n3,4,\n"])
def test_rows_longer_than_the_header_are_refused_with_the_way_out(refused, content):
    words = refused(content)
    assert words.startswith("t.csv") and "double quotes" in words and "','" in words and "Error tokenizing" not in words


def test_rows_shorter_than_the_header_are_filled_with_nothing(read):
    assert read("a,b,c\n1\n2,x\n")[0]["b"].tolist() == [None, "x"]


def test_two_columns_of_one_name_are_refused(refused):
    assert refused("a,b,a\n1,2,3\n") == "t.csv: the column 'a' stands 2 times in the header. Give each its own name."


def test_a_column_without_a_name_is_left_out(read):
    assert list(read("a,,b\n1,2,3\n")[0].columns) == ["a", "b"]


def test_a_sheet_for_a_csv_is_refused(refused):
    words = refused("a\n1\n", sheet="People")
    assert "t.csv: a sheet ('People') is named, but only Excel files have sheets" in words and "Take the line out" in words


def test_a_file_that_is_not_there_is_named_with_the_nearest(tmp_path):
    (tmp_path / "people.csv").write_text("a\n1\n")
    with pytest.raises(SchemeError) as caught:
        read_file(tmp_path / "peopel.csv")
    assert str(caught.value) == "peopel.csv is not in the scheme folder. Did you mean 'people'? Files there: ['people.csv']."


@pytest.mark.parametrize("name", ["people.docx", "people.pdf", "people"])
def test_a_kind_of_file_nobody_reads_is_refused(refused, name):
    words = refused("a\n1\n", name)
    assert name in words and "are not read" in words and "Export it as CSV, Excel (.xlsx) or Parquet" in words


# ---- Excel

def test_excel_cells_become_the_text_a_person_reads(tmp_path):
    path = write_book(tmp_path / "t.xlsx", {"A": [["number", "real", "text", "day", "moment", "flag", "gap"],
                                                  [3, 2.5, "007", dt.date(2025, 3, 1), dt.datetime(2025, 3, 1, 9, 30), True, None]]})
    table, notes = read_file(path)
    assert table.iloc[0].tolist() == ["3", "2.5", "007", "2025-03-01", "2025-03-01 09:30:00", "yes", None] and notes == []


def test_long_whole_numbers_in_excel_do_not_turn_into_powers_of_ten(tmp_path):
    path = write_book(tmp_path / "t.xlsx", {"A": [["code"], [136293100000010], [4010232137]]})
    assert read_file(path)[0]["code"].tolist() == ["136293100000010", "4010232137"]


def test_the_named_sheet_is_read_and_its_row_numbers_are_those_of_excel(tmp_path):
    path = write_book(tmp_path / "t.xlsx", {"Notes": [["x"]], "People": [[], ["a", "b"], [1, "x"], [], [2, "y"]]})
    table, notes = read_file(path, "People")
    assert list(table.index) == [3, 5] and table["a"].tolist() == ["1", "2"] and len(notes) == 1


def test_a_workbook_of_several_sheets_asks_which(tmp_path):
    path = write_book(tmp_path / "t.xlsx", {"People": [["a"]], "Notes": [["b"]]})
    with pytest.raises(SchemeError, match=r"t.xlsx has 2 sheets; say which with 'sheet:'. Sheets: \['People', 'Notes'\]"):
        read_file(path)


def test_a_sheet_that_is_not_there_is_named_with_the_nearest(tmp_path):
    path = write_book(tmp_path / "t.xlsx", {"People": [["a"]], "Notes": [["b"]]})
    with pytest.raises(SchemeError) as caught:
        read_file(path, "people")
    assert str(caught.value).startswith("t.xlsx has no sheet 'people'. Did you mean 'People'?") and "'Notes'" in str(caught.value)


def test_an_empty_sheet_is_refused_in_words(tmp_path):
    with pytest.raises(SchemeError, match="t.xlsx, sheet 'A', is empty: there is not even a header"):
        read_file(write_book(tmp_path / "t.xlsx", {"A": []}))


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"PK\x03\x04 broken", b"<html><table></table></html>"])
@pytest.mark.parametrize("name", ["t.xlsx", "t.xls"])
def test_an_excel_file_that_is_none_is_refused(refused, content, name):
    words = refused(content, name)
    assert f"{name} cannot be opened as an Excel file" in words and "save it again as .xlsx" in words


# ---- Parquet

def test_typed_parquet_columns_become_text(tmp_path):
    rows = {"whole": pa.array([1, None], pa.int64()), "code": pa.array([1362931000000106, None], pa.int64()),
            "real": pa.array([2.5, 3.0], pa.float64()), "text": ["007", " x "], "flag": pa.array([True, None], pa.bool_()),
            "day": pa.array([dt.date(2025, 3, 1), None], pa.date32()), "zoned": pa.array([dt.datetime(2025, 3, 1), None], pa.timestamp("us", "UTC")),
            "level": pa.array(["a", None]).dictionary_encode(), "money": pa.array([Decimal("12.50"), None], pa.decimal128(8, 2))}
    pq.write_table(pa.table(rows), tmp_path / "t.parquet")
    table, notes = read_file(tmp_path / "t.parquet")
    assert table.iloc[0].tolist() == ["1", "1362931000000106", "2.5", "007", "yes", "2025-03-01", "2025-03-01", "a", "12.50"]
    assert table.iloc[1].tolist() == [None, None, "3", "x", None, None, None, None, None]
    assert list(table.index) == [2, 3] and notes == []


def test_parquet_from_pandas_keeps_a_named_index_and_drops_a_plain_one(tmp_path):
    frame = pd.DataFrame({"a": ["x", "y"]}, index=pd.Index(["p1", "p2"], name="person_id"))
    frame.to_parquet(tmp_path / "named.parquet")
    frame.reset_index(drop=True).to_parquet(tmp_path / "plain.parquet")
    assert read_file(tmp_path / "named.parquet")[0]["person_id"].tolist() == ["p1", "p2"]
    assert list(read_file(tmp_path / "plain.parquet")[0].columns) == ["a"]


def test_a_parquet_file_with_no_rows_has_a_header(tmp_path):
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), tmp_path / "t.parquet")
    table, _ = read_file(tmp_path / "t.parquet")
    assert list(table.columns) == ["a"] and len(table) == 0


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"PAR1 broken PAR1"])
def test_a_parquet_file_that_is_none_is_refused(refused, content):
    words = refused(content, "t.parquet")
    assert "t.parquet is not a Parquet file, although its name says so" in words and "Export it again" in words
