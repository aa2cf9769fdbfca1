"""A chunk that is sent again is the same chunk: its entries are written once, when they are staged.

No chunk is larger than CHUNK_BYTES: each entry keeps room for the number it may turn out to share.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from contracts.batches import Addition, BatchImportFailed
from contracts.codec import Encoded, encode
from contracts.ids import chunk_id_of, command_id_of, recipient_id_of
from contracts.recipients import CHUNK_BYTES, RecipientEntry, RecipientsAdded, RecipientsRejected

ENVELOPE = 1024
ROOM = 40
"""Bytes an entry may grow by: the comma after it, and same_number_as, which is found last."""
MAX_ENTRIES = 2000
ENTRIES = TypeAdapter(tuple[RecipientEntry, ...])


@dataclass(slots=True)
class Chunk:
    """One that is being filled: the JSON of its entries, their rows and phone numbers."""

    entries: list[bytes] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    size: int = ENVELOPE

    def has_room_for(self, entry: bytes) -> bool:
        fits = self.size + len(entry) + ROOM <= CHUNK_BYTES and len(self.entries) < MAX_ENTRIES
        return fits or not self.entries

    def add(self, row: int, entry: bytes, number: str) -> None:
        self.entries.append(entry)
        self.rows.append(row)
        self.numbers.append(number)
        self.size += len(entry) + ROOM


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A list that is staged whole, and nobody's yet."""

    upload_id: UUID
    addition_id: UUID
    accepted: int
    rejected: int
    chunks: int
    rejection_chunks: int
    last_row: int
    list_id: UUID | None = None

    @property
    def announced(self) -> Addition:
        return Addition(
            addition_id=self.addition_id,
            chunks=self.chunks,
            recipients=self.accepted,
            rejected=self.rejected,
            rejection_chunks=self.rejection_chunks,
            last_row=self.last_row,
            list_id=self.list_id,
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


def advanced(stream: Stream, acknowledged: int) -> Stream:
    """The stream once so many of its next chunks are in the log: recipients, then the error log."""
    recipients = min(acknowledged, stream.chunks - stream.next_chunk)
    return replace(
        stream,
        next_chunk=stream.next_chunk + recipients,
        next_rejection_chunk=stream.next_rejection_chunk + acknowledged - recipients,
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


def added(stream: Stream, row: Any, *, at: datetime) -> Encoded:
    """The record of a RecipientsAdded whose entries are not read again: they stand as they are."""
    entries, same_numbers = row["entries"], row["same_numbers"]
    if same_numbers:
        entries = with_same_numbers(stream.addition_id, entries, same_numbers)
    without = RecipientsAdded(
        account_id=stream.account_id,
        at=at,
        batch_id=stream.batch_id,
        addition_id=stream.addition_id,
        chunk_id=chunk_id_of(stream.addition_id, "added", row["chunk_no"]),
        chunk_no=row["chunk_no"],
        chunks=stream.chunks,
        recipients=(),
    )
    record = encode(without, source="ingest")
    end = b"]}"
    return replace(record, value=b"".join((record.value.removesuffix(end), entries, end)))


def with_same_numbers(addition_id: UUID, entries: bytes, earlier: Mapping[str, int]) -> bytes:
    """The entries, each of these rows naming the earlier row with its number."""
    told = (
        entry.model_copy(update={"same_number_as": recipient_id_of(addition_id, twin)})
        if (twin := earlier.get(str(entry.row))) is not None
        else entry
        for entry in ENTRIES.validate_json(b"[%b]" % entries)
    )
    return ENTRIES.dump_json(tuple(told))[1:-1]


def rejected(stream: Stream, row: Any, *, at: datetime) -> Encoded:
    event = RecipientsRejected(
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
    return encode(event, source="ingest")
