"""A file is read as it was written, or refused with the place where it cannot be."""

import csv
import gc
import gzip
import io
import pickle
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.reading.columns import FileRefusedError
from services.ingest.reading.csv_file import Table, fitted, read_csv, too_many_cells
from services.ingest.reading.lines import CELL_BYTES, LINE_BYTES, READ_BYTES


def read(content: str | bytes, **options: int) -> Table:
    data = content.encode() if isinstance(content, str) else content
    return read_csv(io.BytesIO(data), **options)


def cells(content: str | bytes) -> list[list[str]]:
    return [cells for _, cells in read(content).rows]


def refusal(content: str | bytes) -> FileRefusedError:
    with pytest.raises(FileRefusedError) as refused:
        list(read(content).rows)
    return refused.value


BOM = b"\xef\xbb\xbf"

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
        self.quoting = csv.QUOTE_MINIMAL if ending == "\r\n" and not quote_all else csv.QUOTE_ALL
        super().__init__()


@given(
    table=tables(),
    dialect=st.builds(
        Written,
        st.sampled_from(",;\t"),
        st.sampled_from(["\n", "\r\n", "\r"]),
        quote_all=st.booleans(),
    ),
    bom=st.sampled_from([b"", BOM]),
    read_bytes=st.integers(1, 40),
)
def test_any_table_reads_back_as_it_was_written_in_whatever_blocks_it_comes(
    table: list[list[str]], dialect: Written, bom: bytes, read_bytes: int
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, dialect).writerows(table)
    read_back = read(bom + text.getvalue().encode(), read_bytes=read_bytes)
    assert read_back.header == tuple(table[0])
    assert [cells for _, cells in read_back.rows] == table[1:]


def outcome(content: bytes, read_bytes: int) -> object:
    try:
        table = read(content, read_bytes=read_bytes)
        return table.header, list(table.rows)
    except FileRefusedError as refused:
        return refused.code, refused.message, refused.line, refused.column


@given(
    content=st.binary(max_size=60)
    | st.lists(
        st.sampled_from(
            [
                *(b"phone", b"sep=;", b"+1", b",", b";", b'"', b"\n", b"\r", b"\r\n", b" "),
                *(b"\0", BOM, b"\xff\xfe", "é".encode(), b"\xe9", "𝄞".encode(), b"PK\x03\x04"),
            ]
        ),
        max_size=20,
    ).map(b"".join),
    read_bytes=st.integers(1, 12),
)
def test_any_bytes_are_read_or_refused_alike_in_whatever_blocks_they_come(
    content: bytes, read_bytes: int
) -> None:
    assert outcome(content, read_bytes) == outcome(content, len(content) + 1)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_end_as_any_system_ends_them(ending: str) -> None:
    assert cells(ending.join(["phone,a", "+1,b", "+2,c"])) == [["+1", "b"], ["+2", "c"]]


def test_a_row_says_where_it_stands_in_the_file() -> None:
    rows = list(read('\n\nphone,note\r\n+1,"two\r\nlines"\r\n\r\n   \r\n+2,b\r\n').rows)
    assert rows == [(4, ["+1", "two\r\nlines"]), (8, ["+2", "b"])]


def test_a_short_row_has_blank_cells() -> None:
    assert [fitted(row, 3) for row in cells("phone,a,b\n+1,x\n+2\n")] == [
        ["+1", "x", ""],
        ["+2", "", ""],
    ]


def test_a_row_that_does_not_fit_is_told_so_and_the_others_are_read() -> None:
    long, good = cells("phone,a\n+1,x,y,z\n+2,b\n")
    assert fitted(long, 2) is None
    assert "has 4" in too_many_cells(long, 2)
    assert fitted(good, 2) == ["+2", "b"]


@pytest.mark.parametrize("opening", ["sep=;\n", "\ufeffSEP=;\r\n", '"sep=;"\r', "\n\nsep=;;;\n"])
def test_what_excel_writes_above_the_header_names_the_delimiter(opening: str) -> None:
    assert read(f"{opening}a,b;c,d\n1;2\n").header == ("a,b", "c,d")


def test_a_delimiter_that_is_named_may_be_any_sign() -> None:
    table = read("sep=|\nphone|a,b;c\n+1|x\n")
    assert (table.header, list(table.rows)) == (("phone", "a,b;c"), [(3, ["+1", "x"])])


@pytest.mark.parametrize("header", ["phone;a,b", "a,b;phone", '"phone";"a,b,c"', "\tphone;a"])
def test_the_delimiter_is_the_one_that_shows_the_number(header: str) -> None:
    assert len(read(f"{header}\n1;2\n").header) == 2


def test_characters_that_only_look_like_line_ends_stay_in_their_cell() -> None:
    odd = "a\u2028b\x85c\x0bd\x0ce\x1cf"
    assert cells(f"phone,a\n+1,{odd}\n") == [["+1", odd]]


def test_a_single_column_keeps_its_blank_cells() -> None:
    assert cells('phone\n+1\n""\n+2\n') == [["+1"], [""], ["+2"]]


@pytest.mark.parametrize("content", ["", "\n\r\n  \n", "phone\n", "phone,name", "\ufeff"])
def test_a_file_without_rows_is_empty(content: str) -> None:
    assert refusal(content).code == "csv_empty"


@pytest.mark.parametrize(
    ("content", "offset"),
    [
        ("phone,name\n+1,José\n".encode("latin-1"), 17),
        ("phone,name\n+1,Ann\n".encode("utf-16"), 0),
        ("phone,name\n+1,Ann\n".encode("utf-16-le"), 1),
        ("phone,name\n+1,Ann\n".encode("utf-16-be"), 0),
        ("phone,name\n+1,Ann\n".encode("utf-32"), 0),
        ("phone,name\n+1,Ann\n".encode("utf-32-le"), 1),
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


@pytest.mark.parametrize("encoding", ["UTF-16", "UTF-32"])
def test_a_file_of_wide_characters_is_called_what_it_is(encoding: str) -> None:
    assert encoding in refusal("phone,name\n+1,Ann\n".encode(encoding)).message


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"phone,a\n+1,b\n+2,\xe9\n", 3),
        (b"phone\r+1\r\n+2\r\r\n\xe9", 5),
        (b"phone\n" + b"+1\n" * 30_000 + b"\xe9", 30_002),
    ],
)
def test_a_bad_byte_is_found_on_its_line(content: bytes, line: int) -> None:
    assert refusal(content).line == line


@pytest.mark.parametrize(
    ("content", "line", "column"),
    [
        ('phone,a\n+1,b\n+2,"c"d\n', 3, 7),
        ('phone,a\n+1,"é""\n"d\n', 3, 2),
        ('phone,a\n+1,b\n\n+2,"never closed\n+3,d\n', 4, 4),
        ('phone,a\n+1,"b\r\nc","never closed', 3, 4),
        ('"phone"x,a\n+1,b\n', 1, 8),
        ('sep=;\n\n"phone"x;a\n+1;b\n', 3, 8),
    ],
)
def test_a_file_that_cannot_be_parsed_names_the_line_and_the_column(
    content: str, line: int, column: int
) -> None:
    refused = refusal(content)
    assert (refused.code, refused.line, refused.column) == ("csv_parse_error", line, column)
    assert f"line {line}" in refused.message
    assert f"column {column}" in refused.message


@pytest.mark.parametrize(("content", "line"), [("phone,a\n+1,\0\n", 2), ("\0", 1), ("a\n\0", 2)])
def test_a_nul_is_found_on_its_line(content: str, line: int) -> None:
    refused = refusal(content)
    assert (refused.code, refused.line) == ("csv_nul_byte", line)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (gzip.compress(b"phone\n+1\n", mtime=0), "gzip"),
        (b"PK\x03\x04\x14\0\x06\0", "Excel workbook (.xlsx)"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel workbook (.xls)"),
    ],
)
def test_a_file_that_is_no_text_is_called_what_it_is(content: bytes, kind: str) -> None:
    refused = refusal(content)
    assert refused.code == "csv_compressed"
    assert kind in refused.message


def test_a_refusal_is_the_same_when_another_process_has_raised_it() -> None:
    refused = refusal('phone\n"+1"2\n')
    told = pickle.loads(pickle.dumps(refused))  # noqa: S301 - our own
    assert (str(told), vars(told)) == (str(refused), vars(refused))


@pytest.mark.parametrize("letter", ["a", "é", "𝄞"])
def test_a_cell_holds_64_kb_and_not_a_byte_more(letter: str) -> None:
    full = letter * (CELL_BYTES // len(letter.encode()))
    assert cells(f"phone,a\n+1,{full}\n") == [["+1", full]]
    for more in (f"{full}.", full * 3):
        refused = refusal(f"phone,a\n+1,{more}\n")
        assert (refused.code, refused.line) == ("csv_field_too_large", 2)


def test_a_quote_that_is_never_closed_is_found_where_it_was_opened_in_a_long_file() -> None:
    refused = refusal('phone,a\n+1,"b\n' + "+2,c\n" * 50_000)
    assert (refused.code, refused.line, refused.column) == ("csv_field_too_large", 2, 4)


def test_a_row_without_end_is_refused_before_it_fills_the_memory() -> None:
    content = io.BytesIO(b"phone,a\n+1" + (b',"' + b"\n" * 60_000 + b'"') * 300)
    with pytest.raises(FileRefusedError) as refused:
        list(read_csv(content).rows)
    assert refused.value.code == "csv_field_too_large"
    assert content.tell() <= LINE_BYTES + 4 * READ_BYTES


def test_the_first_fault_of_a_file_is_told_whatever_comes_after_it() -> None:
    refused = refusal('phone,a\n+1,"b"c\n\0\n')
    assert (refused.code, refused.line) == ("csv_parse_error", 2)


def test_a_line_without_end_is_refused_before_it_fills_the_memory() -> None:
    refused = refusal("phone,a\n" + "," * 9_000_000)
    assert (refused.code, refused.line) == ("csv_field_too_large", 2)


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
    assert next(rows) == (2, ["+1"])
    del rows
    assert not content.closed


def test_a_file_closed_by_its_owner_half_way_is_let_go_without_complaint() -> None:
    content = io.BytesIO(b"phone\n+1\n+2\n")
    rows = read_csv(content).rows
    assert next(rows)
    content.close()
    del rows
    gc.collect()  # an error raised while it is collected fails the test


@pytest.mark.timeout(20)
@pytest.mark.parametrize("line", [b"sep=;" + b"\t" * 200_000 + b"x", b"," * 2_000_000])
def test_no_first_line_keeps_a_reader_busy(line: bytes) -> None:
    table = read_csv(io.BytesIO(line + b"\nphone_number\n+12025550123\n"))
    assert len(table.header) > 1
