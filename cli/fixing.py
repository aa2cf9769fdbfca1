"""The rows that are wrong, as they were written, in a file to be mended and uploaded again.

Excel opens it as text in UTF-8; a row that is too long stays so until somebody mends it: what is
beyond the header stands behind the problem, and nothing is cut off unseen.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from services.ingest.reading.columns import PROBLEM, Column, FileRefusedError, column_named
from services.ingest.reading.csv_file import DELIMITERS, read_csv


class FixFile:
    """Rows under the header they came with."""

    def __init__(self, file: TextIO, header: Sequence[str], delimiter: str) -> None:
        columns = [column_named(name.strip()) for name in header]
        # a file that was handed back before has the column already
        self._places = [i for i, it in enumerate(columns) if not _is_problem(it)]
        self._width = len(header)
        names = [*(header[place] for place in self._places), PROBLEM]
        self._names = names
        self._writer = _writer(file, _delimiter(names, delimiter))
        self._begun = False

    def add(self, cells: Sequence[str], messages: Iterable[str]) -> None:
        if not self._begun:
            self._writer.writerow(self._names)
            self._begun = True
        fit = [*cells[: self._width], *[""] * (self._width - len(cells))]
        kept = [fit[place] for place in self._places]
        self._writer.writerow([*kept, " ".join(messages), *cells[self._width :]])


def _is_problem(column: Column) -> bool:
    # by its name alone no other column is ignored, but for those without one
    return column.role == "ignored" and bool(column.header)


def _delimiter(header: Sequence[str], wanted: str) -> str:
    """One under which the header is read back as it is: a reader has to guess it."""
    fit = (it for it in (wanted, *DELIMITERS) if it in DELIMITERS and _is_read_back(header, it))
    return next(fit, DELIMITERS[0])


def _is_read_back(header: Sequence[str], delimiter: str) -> bool:
    text = io.StringIO()
    _writer(text, delimiter).writerows([header, header])
    try:
        return list(read_csv(io.BytesIO(text.getvalue().encode())).header) == list(header)
    except FileRefusedError:
        return False


def _writer(file: TextIO, delimiter: str) -> Any:
    return csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
