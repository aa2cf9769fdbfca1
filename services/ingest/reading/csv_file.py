"""Every cell of a CSV file is read as it was written or the file is refused; memory stays flat.

Strict UTF-8, with or without a byte order mark; commas, semicolons or tabs.  What is wrong with
the file raises FileRefusedError, also half-way through its rows.
"""

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import chain, count
from typing import TYPE_CHECKING, BinaryIO, Final

from services.ingest.reading.columns import FileRefusedError, is_phone_column

if TYPE_CHECKING:
    from _csv import Reader

CELL_BYTES: Final = 64 * 1024
LINE_CHARACTERS: Final = 8 * 1024 * 1024
READ_BYTES: Final = 64 * 1024
DELIMITERS: Final = (",", ";", "\t")

Record = tuple[int, tuple[str, ...]]
"""The line a record starts on, and its cells."""


@dataclass(frozen=True, slots=True)
class Row:
    row: int
    """Counts the data rows from 1."""
    line: int
    """The line of the file on which the row starts."""
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that cannot be laid against the header; its first cells are kept to be shown."""

    row: int
    line: int
    cells: tuple[str, ...]
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Table:
    header: tuple[str, ...]
    rows: Iterator[Row | Rejected]


def read_csv(file: BinaryIO) -> Table:
    """Read the header now and the rows as they are asked for; the file stays open, the caller's."""
    records = _records(file)
    _, header = next(records, (0, ()))
    if not header:
        raise FileRefusedError("csv_empty", "Give a header line and at least one row below it.")
    return Table(header, _rows(records, len(header)))


def _rows(records: Iterator[Record], width: int) -> Iterator[Row | Rejected]:
    row = 0
    filled = (record for record in records if not _is_blank(record, width))
    for row, (line, cells) in enumerate(filled, start=1):
        if len(cells) > width:
            message = (
                f"Take out the cells beyond the header's {width}, or put a cell that holds"
                f" the delimiter in double quotes: the row has {len(cells)}."
            )
            yield Rejected(row, line, cells[:width], "too_many_cells", message)
        else:
            yield Row(row, line, cells + ("",) * (width - len(cells)))
    if not row:
        raise FileRefusedError("csv_empty", "Add at least one row below the header.")


def _is_blank(record: Record, width: int) -> bool:
    """A line of spaces, where one cell could not be the whole row."""
    _, cells = record
    return width > 1 and len(cells) == 1 and not cells[0].strip()


def _records(file: BinaryIO) -> Iterator[Record]:
    """Each record that is not blank, with the line it starts on."""
    start = file.tell()
    text = TextIOWrapper(file, encoding="utf-8-sig", errors="strict", newline="")
    try:
        yield from _parsed(_lines(text))
    except UnicodeDecodeError as error:
        message = (
            f"Save the file as UTF-8: the byte at offset {_first_bad_byte(file, start)}"
            " (counted from 0) is not."
        )
        raise FileRefusedError("csv_bad_encoding", message) from error
    finally:
        if not file.closed:  # else its owner has gone first, and there is nothing to let go
            text.detach()


def _lines(text: TextIOWrapper) -> Iterator[str]:
    for number in count(1):
        line = text.readline(LINE_CHARACTERS)
        if not line:
            return
        if "\0" in line:
            message = f"Save the file as text: line {number} holds a NUL character."
            raise FileRefusedError("csv_parse_error", message, line=number)
        if len(line) == LINE_CHARACTERS:
            message = f"Break up line {number}: it is longer than a row may be."
            raise FileRefusedError("csv_field_too_large", message, line=number)
        yield line


def _parsed(lines: Iterator[str]) -> Iterator[Record]:
    blank = list[str]()
    for first in lines:
        if first.strip():
            break
        blank.append(first)
    else:
        return
    reader = csv.reader(chain(blank, [first], lines), delimiter=_delimiter(first), strict=True)
    for line, cells in _unbroken(reader):
        if cells:
            _refuse_large_cells(cells, line)
            yield line, tuple(cells)


def _unbroken(reader: "Reader") -> Iterator[tuple[int, list[str]]]:
    """Each record under the line it starts on; the reader's error as ours."""
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise _refusal(str(error), line) from error
        if cells is None:
            return
        yield line, cells


def _refusal(reason: str, line: int) -> FileRefusedError:
    if "field limit" in reason:
        return _too_large(line)
    message = f"Check the double quotes of the row that starts on line {line}: {reason}."
    return FileRefusedError("csv_parse_error", message, line=line)


def _refuse_large_cells(cells: list[str], line: int) -> None:
    # a character takes four bytes at most, so that few cells need to be encoded to be measured
    large = (cell for cell in cells if len(cell) > CELL_BYTES // 4)
    if any(len(cell.encode()) > CELL_BYTES for cell in large):
        raise _too_large(line)


def _too_large(line: int) -> FileRefusedError:
    message = (
        f"Shorten the cell of the row that starts on line {line} to 64 KB, or close its quote."
    )
    return FileRefusedError("csv_field_too_large", message, line=line)


def _delimiter(header: str) -> str:
    """The one that shows a column of numbers, and of several such the one with most columns."""

    def promise(delimiter: str) -> tuple[bool, int]:
        cells = _split(header, delimiter)
        return any(map(is_phone_column, cells)), len(cells)

    return max(DELIMITERS, key=promise)


def _split(header: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([header], delimiter=delimiter))
    except csv.Error:  # refused under its line when it is read in earnest
        return []


def _first_bad_byte(file: BinaryIO, start: int) -> int:
    """Read again from the start: the decoder that failed has counted only from its last block."""
    file.seek(start)
    decoder, offset = codecs.getincrementaldecoder("utf-8")(), 0
    while block := file.read(READ_BYTES):
        kept = len(decoder.getstate()[0])
        try:
            decoder.decode(block)
        except UnicodeDecodeError as error:
            return offset - kept + error.start
        offset += len(block)
    return offset - len(decoder.getstate()[0])
