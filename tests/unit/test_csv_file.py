"""A file is read as it was written, or refused with the place where it cannot be."""

import csv
import gc
import io
import tracemalloc
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.reading.columns import FileRefusedError
from services.ingest.reading.csv_file import CELL_BYTES, Rejected, Row, Table, read_csv


def read(content: str | bytes) -> Table:
    return read_csv(io.BytesIO(content.encode() if isinstance(content, str) else content))


def cells(content: str | bytes) -> list[tuple[str, ...]]:
    return [row.cells for row in read(content).rows]


def refusal(content: str | bytes) -> FileRefusedError:
    with pytest.raises(FileRefusedError) as refused:
        list(read(content).rows)
    return refused.value


# NUL and lone surrogates cannot stand in a file; everything else can
CELL = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
NAME = st.text(st.characters(categories=["L", "N", "Zs"]), min_size=1, max_size=10)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    header = ["phone_number", *draw(st.lists(NAME, min_size=1, max_size=4))]
    row = st.lists(CELL, min_size=len(header), max_size=len(header))
    filled = row.filter(lambda cells: any(cell.strip() for cell in cells))
    return [header, *draw(st.lists(filled, min_size=1, max_size=6))]


class Written(csv.excel):
    """Only before CRLF does the writer of Python 3.11 quote both CR and LF by itself."""

    def __init__(self, delimiter: str, ending: str, *, quote_all: bool) -> None:
        self.delimiter = delimiter
        self.lineterminator = ending
        self.quoting = csv.QUOTE_ALL if quote_all or ending != "\r\n" else csv.QUOTE_MINIMAL
        super().__init__()


@given(
    table=tables(),
    dialect=st.builds(
        Written,
        st.sampled_from(",;\t"),
        st.sampled_from(["\n", "\r\n", "\r"]),
        quote_all=st.booleans(),
    ),
    bom=st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
def test_any_table_reads_back_as_it_was_written(
    table: list[list[str]], dialect: Written, bom: bytes
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, dialect).writerows(table)
    read_back = read(bom + text.getvalue().encode())
    rows = list(read_back.rows)
    assert read_back.header == tuple(table[0])
    assert [row.cells for row in rows] == [tuple(cells) for cells in table[1:]]
    assert [row.row for row in rows] == list(range(1, len(table)))


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_end_as_any_system_ends_them(ending: str) -> None:
    assert cells(ending.join(["phone,a", "+1,b", "+2,c"])) == [("+1", "b"), ("+2", "c")]


def test_a_row_says_where_it_stands_in_the_file() -> None:
    rows = list(read('\n\nphone,note\r\n+1,"two\r\nlines"\r\n\r\n   \r\n+2,b\r\n').rows)
    assert rows == [Row(1, 4, ("+1", "two\r\nlines")), Row(2, 8, ("+2", "b"))]


def test_a_short_row_has_blank_cells() -> None:
    assert cells("phone,a,b\n+1,x\n+2\n") == [("+1", "x", ""), ("+2", "", "")]


def test_a_long_row_is_rejected_and_the_others_are_read() -> None:
    first, second = read("phone,a\n+1,x,y,z\n+2,b\n").rows
    assert isinstance(first, Rejected)
    assert (first.row, first.line, first.cells) == (1, 2, ("+1", "x"))
    assert first.code == "too_many_cells"
    assert second == Row(2, 3, ("+2", "b"))


@pytest.mark.parametrize("header", ["phone;a,b", "a,b;phone", '"phone";"a,b,c"', "\tphone;a"])
def test_the_delimiter_is_the_one_that_shows_the_number(header: str) -> None:
    assert len(read(f"{header}\n1;2\n").header) == 2


def test_characters_that_only_look_like_line_ends_stay_in_their_cell() -> None:
    odd = "a\u2028b\x85c\x0bd\x0ce\x1cf"
    assert cells(f"phone,a\n+1,{odd}\n") == [("+1", odd)]


def test_a_single_column_keeps_its_blank_cells() -> None:
    assert cells('phone\n+1\n""\n+2\n') == [("+1",), ("",), ("+2",)]


@pytest.mark.parametrize("content", ["", "\n\r\n  \n", "phone\n", "phone,name", "\ufeff"])
def test_a_file_without_rows_is_empty(content: str) -> None:
    assert refusal(content).code == "csv_empty"


@pytest.mark.parametrize(
    ("content", "offset"),
    [
        ("phone,name\n+1,José\n".encode("latin-1"), 17),
        ("phone,name\n+1,Ann\n".encode("utf-16"), 0),
        (b"\xef\xbb\xbfphone,name\n+1,\xff\n", 17),
        (b"phone,name\n" + b"+1,Ann\n" * 40_000 + b"+1,\xe9\n", 11 + 7 * 40_000 + 3),
        (b"phone,name\n+1,Ann\xe2\x82", 17),  # cut in the middle of a character
        (b"phone\n" + b"1" * 65_529 + "é".encode()[:1] + b"(\n", 6 + 65_529),
    ],
)
def test_another_encoding_is_refused_with_the_byte_that_shows_it(
    content: bytes, offset: int
) -> None:
    refused = refusal(content)
    assert refused.code == "csv_bad_encoding"
    assert f"offset {offset} " in refused.message


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('phone,a\n+1,b\n+2,"c"d\n', 3),
        ('phone,a\n+1,b\n\n+2,"never closed\n+3,d\n', 4),
        ("phone,a\n+1,b\n+2,\0\n", 3),
        ('"phone"x,a\n+1,b\n', 1),
    ],
)
def test_a_file_that_cannot_be_parsed_names_the_line(content: str, line: int) -> None:
    refused = refusal(content)
    assert (refused.code, refused.line) == ("csv_parse_error", line)


@pytest.mark.parametrize("letter", ["a", "é", "𝄞"])
def test_a_cell_holds_64_kb_and_not_a_byte_more(letter: str) -> None:
    full = letter * (CELL_BYTES // len(letter.encode()))
    assert cells(f"phone,a\n+1,{full}\n") == [("+1", full)]
    for more in (f"{full}.", full * 3):
        refused = refusal(f"phone,a\n+1,{more}\n")
        assert (refused.code, refused.line) == ("csv_field_too_large", 2)


def test_a_line_without_end_is_refused_before_it_fills_the_memory() -> None:
    assert refusal("phone,a\n" + "," * 9_000_000).code == "csv_field_too_large"


def test_a_long_file_takes_no_more_memory_than_a_short_one() -> None:
    line = b"+12025551234,Ann Example,some variable\n"
    content = io.BytesIO(b"phone,name,plan\n" + line * 100_000)
    rows = read_csv(content).rows
    tracemalloc.start()
    taken = sum(1 for _ in rows)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken == 100_000
    assert peak < 1_000_000


def test_a_file_left_half_read_stays_open_for_its_owner() -> None:
    content = io.BytesIO(b"phone\n+1\n+2\n")
    rows = read_csv(content).rows
    assert [row.cells for row in islice(rows, 1)] == [("+1",)]
    del rows
    assert not content.closed


def test_a_file_closed_by_its_owner_half_way_is_let_go_without_complaint() -> None:
    content = io.BytesIO(b"phone\n+1\n+2\n")
    rows = read_csv(content).rows
    assert next(rows)
    content.close()
    del rows
    gc.collect()  # an error raised while it is collected fails the test
