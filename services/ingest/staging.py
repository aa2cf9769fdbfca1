"""A list of any length passes in portions of bounded size, and nothing of it is stored in clear.

Runs in a worker thread: it reads, seals and digests, and never waits for the database.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from contracts.ids import recipient_id_of
from contracts.recipients import ROW_BYTES, RecipientEntry
from contracts.sealed import FieldError, RecipientSecrets, Rejection, Rejections, Seal, digest_of
from services.ingest.domain.chunks import ROOM, Chunk, Uploaded

PORTION_ROWS = 5_000
PORTION_BYTES = 4 * 1024 * 1024
REJECTION_BYTES = 256 * 1024
"""Of plain JSON a chunk: sealing makes it a third larger."""
REJECTION_ROWS = 1_000
SAMPLE = 100
SHOWN = 1_000
"""Characters of a rejected number or name that the error log keeps."""


@dataclass(frozen=True, slots=True)
class Accepted:
    row: int
    line: int | None
    secrets: RecipientSecrets
    zones: tuple[str, ...] = ()
    not_before: datetime | None = None
    from_number: str | None = None


@dataclass(slots=True)
class Portion:
    """Records ready for COPY."""

    chunks: list[tuple[object, ...]] = field(default_factory=list)
    rejections: list[tuple[object, ...]] = field(default_factory=list)


class Stager:
    """Seals what it is given and counts it; one per upload."""

    def __init__(self, upload_id: UUID, addition_id: UUID, seal: Seal, pepper: bytes) -> None:
        self.upload_id = upload_id
        self._addition_id = addition_id
        self._seal = seal
        self._pepper = pepper
        self._chunk = Chunk(0)
        self._log: list[Rejection] = []
        self._log_bytes = 0
        self.accepted = 0
        self.rejected = 0
        self.rejection_chunks = 0
        self.sample: list[Rejection] = []

    @property
    def uploaded(self) -> Uploaded:
        """What was staged, once there are no more portions."""
        return Uploaded(
            self.upload_id,
            self._addition_id,
            self.accepted,
            self.rejected,
            self._chunk.number,
            self.rejection_chunks,
        )

    def portions(self, rows: Iterable[Accepted | Rejection]) -> Iterator[Portion]:
        portion, read, size = Portion(), 0, 0
        for row in rows:
            size += self._add(row, portion)
            read += 1
            if read == PORTION_ROWS or size >= PORTION_BYTES:
                yield portion
                portion, read, size = Portion(), 0, 0
        self._close_chunk(portion)
        self._close_log(portion)
        yield portion

    def _add(self, row: Accepted | Rejection, portion: Portion) -> int:
        if isinstance(row, Rejection):
            return self._reject(row, portion)
        entry = self._entry(row)
        if len(entry) + ROOM > ROW_BYTES:
            return self._reject(_too_large(row), portion)
        if not self._chunk.has_room_for(entry):
            self._close_chunk(portion)
        digest = bytes.fromhex(digest_of(self._pepper, row.secrets.phone_number))
        self._chunk.add(row.row, entry, digest)
        self.accepted += 1
        return len(entry)

    def _entry(self, row: Accepted) -> bytes:
        entry = RecipientEntry(
            recipient_id=recipient_id_of(self._addition_id, row.row),
            row=row.row,
            sealed=self._seal.close(row.secrets),
            zones=row.zones,
            not_before=row.not_before,
            from_number=row.from_number,
        )
        return entry.model_dump_json().encode()

    def _close_chunk(self, portion: Portion) -> None:
        chunk = self._chunk
        if not chunk.entries:
            return
        entries = b",".join(chunk.entries)
        portion.chunks.append((self.upload_id, chunk.number, entries, chunk.rows, chunk.digests))
        self._chunk = Chunk(chunk.number + 1)

    def _reject(self, row: Rejection, portion: Portion) -> int:
        row = row.model_copy(
            update={"phone_number": _shown(row.phone_number), "name": _shown(row.name)}
        )
        size = len(row.model_dump_json().encode())
        if self._log_bytes + size > REJECTION_BYTES or len(self._log) == REJECTION_ROWS:
            self._close_log(portion)
        self._log.append(row)
        self._log_bytes += size
        self.rejected += 1
        if len(self.sample) < SAMPLE:
            self.sample.append(row)
        return size

    def _close_log(self, portion: Portion) -> None:
        if not self._log:
            return
        sealed = self._seal.close(Rejections(rows=tuple(self._log)))
        portion.rejections.append((self.upload_id, self.rejection_chunks, len(self._log), sealed))
        self.rejection_chunks += 1
        self._log, self._log_bytes = [], 0


def _shown(text: str | None) -> str | None:
    """No database keeps a NUL, and the error log is to show that there was one."""
    return text if text is None else text[:SHOWN].replace("\0", "\N{REPLACEMENT CHARACTER}")


def _too_large(row: Accepted) -> Rejection:
    message = "Shorten this row: with all its variables it may hold 190 KB."
    return Rejection(
        row=row.row,
        line=row.line,
        phone_number=row.secrets.phone_number,
        name=row.secrets.name,
        errors=(FieldError(field="variables", code="row_too_large", message=message),),
    )
