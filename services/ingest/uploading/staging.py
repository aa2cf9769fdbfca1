"""A list of any length passes in portions of bounded size, and nothing of it is stored in clear.

Runs beside the loop, mostly in another process: it seals and marks, and never waits for a database.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic_core import to_json

from contracts.ids import RecipientIds
from contracts.recipients import ROW_BYTES
from contracts.sealed import FieldError, Rejection, Rejections, Seal
from services.ingest.domain.chunks import ROOM, Chunk
from services.ingest.uploading.marks import Marks, written

PORTION_ROWS: Final = 4_000
PORTION_BYTES: Final = 4 * 1024 * 1024
REJECTION_BYTES: Final = 256 * 1024
"""Of plain JSON a chunk: sealing makes it a third larger."""
REJECTION_ROWS: Final = 1_000
SAMPLE: Final = 100
SHOWN: Final = 1_000
"""Characters of a rejected number or name that the error log keeps."""


@dataclass(frozen=True, slots=True)
class Accepted:
    row: int
    line: int | None
    phone_number: str
    name: str | None
    secrets: str
    """A `sealed.RecipientSecrets` as JSON."""
    zones: tuple[str, ...] = ()
    not_before: datetime | None = None
    from_number: str | None = None


@dataclass(slots=True)
class Portion:
    """Chunks in their order, as the stores take them but for the upload and their numbers."""

    chunks: list[tuple[bytes, str, str]] = field(default_factory=list)
    """Entries, their rows and the marks of their phone numbers, as PostgreSQL reads arrays."""
    rejections: list[tuple[int, str]] = field(default_factory=list)
    """How many, and these sealed."""
    accepted: int = 0
    rejected: int = 0
    sample: list[Rejection] = field(default_factory=list)
    """The first of those rejected."""
    last_row: int = 0


@dataclass(frozen=True, slots=True)
class Sealing:
    """What the rows of one addition are sealed with; it can be handed to another process."""

    addition_id: UUID
    key: bytes
    scope: str


class Stager:
    """Seals what it is given, portion by portion; a chunk ends with its portion at the latest."""

    def __init__(self, sealing: Sealing) -> None:
        self._ids = RecipientIds(sealing.addition_id)
        self._seal = Seal(sealing.key, sealing.scope)
        self._marks = Marks(sealing.key)
        self._chunk = Chunk()
        self._log: list[Rejection] = []
        self._log_bytes = 0

    def portions(self, rows: Iterable[Accepted | Rejection]) -> Iterator[Portion]:
        portion, read, size = Portion(), 0, 0
        for row in rows:
            size += self._add(row, portion)
            read += 1
            portion.last_row = row.row
            if read == PORTION_ROWS or size >= PORTION_BYTES:
                yield self._closed(portion)
                portion, read, size = Portion(), 0, 0
        if read:
            yield self._closed(portion)

    def _closed(self, portion: Portion) -> Portion:
        self._close_chunk(portion)
        self._close_log(portion)
        return portion

    def _add(self, row: Accepted | Rejection, portion: Portion) -> int:
        if isinstance(row, Rejection):
            return self._reject(row, portion)
        entry = self._entry(row)
        if len(entry) + ROOM > ROW_BYTES:
            return self._reject(_too_large(row), portion)
        if not self._chunk.has_room_for(entry):
            self._close_chunk(portion)
        self._chunk.add(row.row, entry, row.phone_number)
        portion.accepted += 1
        return len(entry)

    def _entry(self, row: Accepted) -> bytes:
        """A `recipients.RecipientEntry` as JSON."""
        return to_json(
            {
                "recipient_id": self._ids.of(row.row),
                "row": row.row,
                "sealed": self._seal.close(row.secrets),
                "zones": row.zones,
                "not_before": row.not_before,
                "from_number": row.from_number,
                "same_number_as": None,
            }
        )

    def _close_chunk(self, portion: Portion) -> None:
        chunk = self._chunk
        if not chunk.entries:
            return
        marks = self._marks.of(chunk.numbers)
        portion.chunks.append((b",".join(chunk.entries), written(chunk.rows), written(marks)))
        self._chunk = Chunk()

    def _reject(self, row: Rejection, portion: Portion) -> int:
        row = row.model_copy(
            update={"phone_number": _shown(row.phone_number), "name": _shown(row.name)}
        )
        size = len(row.model_dump_json().encode())
        if self._log_bytes + size > REJECTION_BYTES or len(self._log) == REJECTION_ROWS:
            self._close_log(portion)
        self._log.append(row)
        self._log_bytes += size
        portion.rejected += 1
        if len(portion.sample) < SAMPLE:
            portion.sample.append(row)
        return size

    def _close_log(self, portion: Portion) -> None:
        if not self._log:
            return
        sealed = self._seal.close(Rejections(rows=tuple(self._log)))
        portion.rejections.append((len(self._log), sealed))
        self._log, self._log_bytes = [], 0


def _shown(text: str | None) -> str | None:
    """No database keeps a NUL, and the error log is to show that there was one."""
    return text if text is None else text[:SHOWN].replace("\0", "\N{REPLACEMENT CHARACTER}")


def _too_large(row: Accepted) -> Rejection:
    message = "Shorten this row: with all its variables it may hold 180 KB."
    return Rejection(
        row=row.row,
        line=row.line,
        phone_number=row.phone_number,
        name=row.name,
        errors=(FieldError(field="variables", code="row_too_large", message=message),),
    )
