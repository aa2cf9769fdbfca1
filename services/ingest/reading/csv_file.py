"""Every cell of a CSV file is read as it was written or the file is refused; memory stays flat.

Strict UTF-8, with or without a byte order mark; commas, semicolons or tabs.  What is wrong with
the file raises FileRefusedError, also half-way through its rows.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import BinaryIO, Final

from services.ingest.reading.columns import MAX_COLUMNS, FileRefusedError, is_phone_column
from services.ingest.reading.lines import CELL_BYTES, READ_BYTES, Lines
from services.ingest.reading.quotes import first_fault

DELIMITERS: Final = (",", ";", "\t")
SEPARATOR: Final = re.compile(r'"?sep=([^\w\s"]|\t)"?[,;\t]*+\s*+', re.IGNORECASE | re.ASCII)
"""What Excel may write above the header, and understands."""

Record = tuple[int, list[str]]
"""The line of the file a record starts on, and its cells, as many as it has."""


@dataclass(frozen=True, slots=True)
class Table:
    header: tuple[str, ...]
    rows: Iterator[Record]
    """Without blank lines; to be laid against the header by `fitted`."""
    delimiter: str


def read_csv(file: BinaryIO, read_bytes: int = READ_BYTES) -> Table:
    """Read the header now and the rows as they are asked for; the file stays open, the caller's."""
    start, lines = file.tell(), Lines(file, read_bytes)
    skipped, first, delimiter = _opening(lines)
    records = _Records(file, start, lines, skipped, first, delimiter)
    _, header = next(records.under(width=1))
    return Table(tuple(header), records.under(width=len(header)), delimiter)


def fitted(cells: list[str], width: int) -> list[str] | None:
    """As many cells as the header has, the missing ones blank; None where there are more."""
    missing = width - len(cells)
    if not missing:
        return cells
    return cells + [""] * missing if missing > 0 else None


def too_many_cells(cells: Sequence[str], width: int) -> str:
    """What to do about a row that does not fit."""
    return (
        f"Take out the cells beyond the header's {width}, or put a cell that holds the delimiter"
        f" in double quotes: the row has {len(cells)}."
    )


class _Records:
    def __init__(
        self, file: BinaryIO, start: int, lines: Lines, skipped: int, first: str, delimiter: str
    ) -> None:
        self._file = file
        self._start = start
        self._lines = lines
        self._skipped = skipped
        self._delimiter = delimiter
        self._reader = csv.reader(chain([first], lines), delimiter=delimiter, strict=True)

    def under(self, width: int) -> Iterator[Record]:
        """Those that are not blank; raises FileRefusedError where there is none."""
        lines, reader, skipped = self._lines, self._reader, self._skipped
        line, found = skipped + reader.line_num + 1, False
        try:
            for cells in reader:
                end = skipped + reader.line_num
                if (end > line or lines.large) and _holds_large(cells):
                    raise self._refusal(line)
                lines.held = 0
                # one cell of spaces is a blank line where it could not be the whole row
                if len(cells) > 1 or (cells and (width == 1 or cells[0].strip())):
                    found = True
                    yield line, cells
                line = end + 1
        except csv.Error as error:
            raise self._refusal(line) from error
        if not found:
            raise _empty()

    def _refusal(self, line: int) -> FileRefusedError:
        """Read the row again: the reader that failed does not tell where."""
        self._file.seek(self._start)
        last = self._skipped + self._reader.line_num
        text = "".join(islice(Lines(self._file), line - 1, last))
        return first_fault(text, line, self._delimiter)


def _opening(lines: Lines) -> tuple[int, str, str]:
    """How many lines stand above the header, its first line, and what separates its cells."""
    named = None
    for skipped, line in enumerate(lines):
        separator = SEPARATOR.fullmatch(line)
        if separator and not named:
            named = separator[1]
        elif line.strip():
            return skipped, line, named or _delimiter(line)
    raise _empty()


def _empty() -> FileRefusedError:
    return FileRefusedError("csv_empty", "Give a header line and at least one row below it.")


def _holds_large(cells: list[str]) -> bool:
    # a character takes four bytes at most, so that few cells need to be encoded to be measured
    large = (cell for cell in cells if len(cell) > CELL_BYTES // 4)
    return any(len(cell.encode()) > CELL_BYTES for cell in large)


def _delimiter(header: str) -> str:
    """The one that shows a column of numbers, and of several such the one with most columns."""

    def promise(delimiter: str) -> tuple[bool, int]:
        cells = _split(header, delimiter)
        return any(map(is_phone_column, cells[: MAX_COLUMNS + 1])), len(cells)

    return max(DELIMITERS, key=promise)


def _split(header: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([header], delimiter=delimiter))
    except csv.Error:  # refused under its line when it is read in earnest
        return []
