"""Every row of a suppression list is taken or told of; of a file that is refused, none is.

Read portion by portion, beside the event loop; what comes of it holds no number.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from contracts.sealed import digest_of
from services.ingest.domain.fields import Moment
from services.ingest.domain.suppressions import Listed, Reason, lasts_longer
from services.ingest.reading.columns import columns_of
from services.ingest.reading.csv_file import fitted, read_csv, too_many_cells
from services.ingest.reading.phone import Problem, read_phone
from services.ingest.uploading.content import Content

PORTION: Final = 2_000
"""Rows in memory, and in one transaction."""
REASON: Final = TypeAdapter[str](Reason)
MOMENT: Final = TypeAdapter[datetime](Moment)

Json = dict[str, Any]
Row = tuple[int, int, "Columns", list[str]]
"""Its number, its line in the file, and its cells under what the columns are."""


@dataclass(slots=True)
class Portion:
    listing: dict[bytes, Listed] = field(default_factory=dict)
    rows: int = 0
    """Taken: a number that stands there twice counts twice."""
    rejected: list[Json] = field(default_factory=list)


class RowError(ValueError):
    def __init__(self, place: str, problem: Problem) -> None:
        super().__init__(problem.code)
        self.place = place
        self.problem = problem


@dataclass(frozen=True, slots=True)
class ListJob:
    """A list on its way; it can be handed to another process."""

    content: Content
    pepper: bytes
    at: datetime

    @property
    def size(self) -> int:
        return self.content.size

    def portions(self) -> Iterator[Portion]:
        """Raises FileRefusedError before the first, or not at all: it looks through them all."""
        for _ in self._rows():
            pass
        rows = self._rows()
        while some := list(islice(rows, PORTION)):
            portion = Portion()
            for row in some:
                self._take(row, portion)
            yield portion

    def _rows(self) -> Iterator[Row]:
        with self.content.open() as file:
            table = read_csv(file)
            columns = Columns(table.header)
            for row, (line, cells) in enumerate(table.rows, start=1):
                yield row, line, columns, cells

    def _take(self, row: Row, portion: Portion) -> None:
        try:
            number, listed = self._read(*row[2:])
        except RowError as error:
            portion.rejected.append(_told(row, error))
            return
        portion.rows += 1
        digest = bytes.fromhex(digest_of(self.pepper, number))
        before = portion.listing.get(digest)
        if before is None or lasts_longer(listed.expires_at, before.expires_at):
            portion.listing[digest] = listed

    def _read(self, columns: "Columns", cells: list[str]) -> tuple[str, Listed]:
        """Raises RowError."""
        whole = fitted(cells, columns.width)
        if whole is None:
            message = too_many_cells(cells, columns.width)
            raise RowError("row", Problem("too_many_cells", message))
        phone = read_phone(whole[columns.number])
        if isinstance(phone, Problem):
            raise RowError("phone_number", phone)
        reason = _reason(columns.cell(columns.reason, whole))
        return phone.number, Listed(reason, self._expiry(columns.cell(columns.expiry, whole)))

    def _expiry(self, text: str) -> datetime | None:
        if not text:
            return None
        try:
            expires_at = MOMENT.validate_python(text)
        except ValidationError:
            message = "Write the instant with its offset, for example 2027-01-31T09:00:00+01:00."
            raise RowError("expires_at", Problem("expires_at_invalid", message)) from None
        if expires_at <= self.at:
            message = "Name an instant to come, or take the row out: it holds no longer."
            raise RowError("expires_at", Problem("expires_at_in_past", message))
        return expires_at


class Columns:
    """Where a list has what is read of it; other columns are passed over."""

    def __init__(self, header: Sequence[str]) -> None:
        roles = [column.role for column in columns_of(header)]
        names = [re.sub(r"[\s_-]", "", name).casefold() for name in header]
        self.width = len(header)
        self.number = roles.index("phone_number")
        self.reason = names.index("reason") if "reason" in names else None
        self.expiry = names.index("expiresat") if "expiresat" in names else None

    @staticmethod
    def cell(place: int | None, cells: Sequence[str]) -> str:
        return "" if place is None else cells[place].strip()


def _reason(text: str) -> str | None:
    try:
        return REASON.validate_python(text) or None
    except ValidationError as error:
        message = error.errors(include_url=False, include_input=False)[0]["msg"]
        raise RowError("reason", Problem("reason_invalid", message)) from None


def _told(row: Row, error: RowError) -> Json:
    """By its place alone: the answer may be kept, and what is wrong may still be a number."""
    problem = error.problem
    fault = {"field": error.place, "code": problem.code, "message": problem.message}
    return {"row": row[0], "line": row[1], "errors": [fault]}
