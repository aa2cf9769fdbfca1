"""A resumed stream cuts the same chunks: a chunk's number is fixed when its row is staged.

No chunk is larger than CHUNK_BYTES, by an estimate of its JSON that is never too low.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.batches import Addition, BatchImportFailed
from contracts.ids import chunk_id_of, command_id_of, recipient_id_of
from contracts.recipients import (
    CHUNK_BYTES,
    ChunkEvent,
    RecipientEntry,
    RecipientsAdded,
    RecipientsRejected,
)

ENTRY_OVERHEAD = 256
"""JSON of an entry beside its seal: two ids, row, not_before, from_number and the field names."""
ENVELOPE = 1024
MAX_ENTRIES = 2000


class Cutter:
    """Gives each entry the number of its chunk, in order."""

    def __init__(self, limit: int = CHUNK_BYTES - ENVELOPE) -> None:
        self._limit = limit
        self._bytes = 0
        self._entries = 0
        self.chunks = 0

    def place(self, size: int) -> int:
        full = self._bytes + size > self._limit or self._entries == MAX_ENTRIES
        if not self.chunks or full:
            self.chunks += 1
            self._bytes = self._entries = 0
        self._bytes += size
        self._entries += 1
        return self.chunks - 1


def entry_size(sealed: str, zones: Iterable[str]) -> int:
    return len(sealed) + ENTRY_OVERHEAD + sum(len(zone) + 3 for zone in zones)


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A list that is staged whole, and nobody's yet."""

    upload_id: UUID
    accepted: int
    rejected: int
    chunks: int
    rejection_chunks: int

    def announced(self, addition_id: UUID) -> Addition:
        return Addition(
            addition_id=addition_id,
            chunks=self.chunks,
            recipients=self.accepted,
            rejected=self.rejected,
            rejection_chunks=self.rejection_chunks,
        )


@dataclass(frozen=True, slots=True)
class Stream:
    """A staged list of an addition that streams into the log, and how far it has got."""

    account_id: str
    batch_id: UUID
    addition_id: UUID
    upload_id: UUID
    chunks: int
    rejection_chunks: int
    next_chunk: int = 0
    next_rejection_chunk: int = 0

    @property
    def done(self) -> bool:
        return (self.next_chunk, self.next_rejection_chunk) == (self.chunks, self.rejection_chunks)


def advanced(stream: Stream, acknowledged: Sequence[ChunkEvent]) -> Stream:
    """The stream once these, its next chunks, are in the log."""
    rejections = sum(isinstance(chunk, RecipientsRejected) for chunk in acknowledged)
    return replace(
        stream,
        next_chunk=stream.next_chunk + len(acknowledged) - rejections,
        next_rejection_chunk=stream.next_rejection_chunk + rejections,
    )


def import_failed(stream: Stream, command_no: int, *, at: datetime) -> BatchImportFailed:
    return BatchImportFailed(
        account_id=stream.account_id,
        at=at,
        batch_id=stream.batch_id,
        command_no=command_no,
        command_id=command_id_of(stream.batch_id, command_no),
        actor="rollcall",
        addition_id=stream.addition_id,
        reason="rows_lost",
    )


def entry_of(addition_id: UUID, row: Any) -> RecipientEntry:
    twin = row["same_number_row"]
    return RecipientEntry(
        recipient_id=recipient_id_of(addition_id, row["row"]),
        row=row["row"],
        sealed=row["sealed"],
        zones=tuple(row["zones"]),
        not_before=row["not_before"],
        from_number=row["from_number"],
        same_number_as=None if twin is None else recipient_id_of(addition_id, twin),
    )


def added(stream: Stream, chunk_no: int, rows: Iterable[Any], *, at: datetime) -> RecipientsAdded:
    return RecipientsAdded(
        account_id=stream.account_id,
        at=at,
        batch_id=stream.batch_id,
        addition_id=stream.addition_id,
        chunk_id=chunk_id_of(stream.addition_id, "added", chunk_no),
        chunk_no=chunk_no,
        chunks=stream.chunks,
        recipients=tuple(entry_of(stream.addition_id, row) for row in rows),
    )


def rejected(stream: Stream, row: Any, *, at: datetime) -> RecipientsRejected:
    return RecipientsRejected(
        account_id=stream.account_id,
        at=at,
        batch_id=stream.batch_id,
        addition_id=stream.addition_id,
        chunk_id=chunk_id_of(stream.addition_id, "rejected", row["chunk_no"]),
        chunk_no=row["chunk_no"],
        chunks=stream.rejection_chunks,
        count=row["count"],
        sealed=row["sealed"],
    )
