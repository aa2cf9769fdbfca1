"""All that was heard, by what it is about, kept until the last record is read: no order is assumed.

What says again, word for word, what was heard is counted; the same id for something else is a
breach, and the first of them in the log stands.
"""

import re
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar
from uuid import UUID

from audit import marks
from audit.findings import Findings, Told, check
from audit.record import IDS, Record, told
from contracts.batches import (
    Addition,
    BatchCommand,
    BatchCreated,
    BatchDeleted,
    RecipientsAddRequested,
)
from contracts.calls import CallEvent
from contracts.conversations import ConversationRecorded
from contracts.directory import DirectoryEvent
from contracts.dispatch import RecipientQueued
from contracts.event import Event
from contracts.gates import BatchGateClosed
from contracts.recipients import ChunkEvent, RecipientsAdded
from contracts.status import BatchStatusEvent

REPEATS: Final = check("repeats", "What has one id is one fact, however often it was published.")

_AT: Final = re.compile(rb'"at":"[^"]*",?')
"""A chunk that is sent again is the same chunk, told later."""

E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Heard(Generic[E]):
    event: E
    told: Told
    content: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk without its people, who are in the book one by one."""

    addition_id: UUID
    chunk_no: int
    chunks: int
    count: int
    rows: tuple[int, int]
    """Its people's first and last; (0, 0) for an error log."""
    of_people: bool
    told: Told
    content: int


@dataclass(slots=True)
class BatchBook:
    batch_id: UUID
    account_id: str
    commands: dict[UUID, Heard[BatchCommand]] = field(default_factory=dict)
    statuses: dict[UUID, Heard[BatchStatusEvent]] = field(default_factory=dict)
    gates: dict[UUID, Heard[BatchGateClosed]] = field(default_factory=dict)
    chunks: dict[UUID, Chunk] = field(default_factory=dict)
    additions: dict[UUID, int] = field(default_factory=dict)
    """Each that was heard of, and its place among them."""
    keyless: Told | None = None
    """What could not be opened for want of a key."""

    @property
    def created(self) -> BatchCreated | None:
        return next(
            (h.event for h in self.commands.values() if isinstance(h.event, BatchCreated)), None
        )

    @property
    def deleted(self) -> Heard[BatchCommand] | None:
        return next((h for h in self.commands.values() if isinstance(h.event, BatchDeleted)), None)

    def named(self) -> list[tuple[Addition, Heard[BatchCommand]]]:
        """Additions, with the commands that name them."""
        return [
            (heard.event.addition, heard)
            for heard in self.commands.values()
            if isinstance(heard.event, BatchCreated | RecipientsAddRequested)
        ]


class Book:
    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self.batches: list[BatchBook] = []
        self.directory: dict[str, dict[UUID, Heard[DirectoryEvent]]] = {}
        self.people: dict[int, bytes] = {}
        """Marks, by recipient."""
        self.twins: dict[int, int] = {}
        """Who has the number of whom, an earlier row."""
        self.zones: list[tuple[str, ...]] = []
        self._batch_no: dict[UUID, int] = {}
        self._zones_no: dict[tuple[str, ...], int] = {}

    def take(self, record: Record, event: Event) -> None:
        value = record.value or b""
        if isinstance(event, RecipientQueued | CallEvent | ConversationRecorded):
            self._of_person(record, event, marks.fingerprint(value))
            return
        where, content = told(record, dict(record.headers), event.at), marks.fingerprint(value)
        if isinstance(event, DirectoryEvent):
            self._note(self.directory.setdefault(event.key, {}), event, where, content)
            return
        batch_no = self._number_of(event, record)
        batch = self.batches[batch_no]
        match event:
            case ChunkEvent():
                content = marks.fingerprint(_AT.sub(b"", value, count=1))
                self._chunk(batch_no, event, where, content)
            case BatchCommand():
                self._note(batch.commands, event, where, content)
            case BatchStatusEvent():
                self._note(batch.statuses, event, where, content)
            case BatchGateClosed():
                self._note(batch.gates, event, where, content)
            case _:
                raise TypeError(type(event).__name__)

    def batch(self, batch_id: UUID) -> BatchBook:
        return self.batches[self._batch_no[batch_id]]

    def _number_of(self, event: Event, record: Record) -> int:
        batch_id: UUID = event.batch_id  # type: ignore[attr-defined] # all but the directory's
        number = self._batch_no.setdefault(batch_id, len(self.batches))
        if number == len(self.batches):
            self.batches.append(BatchBook(batch_id, event.account_id))
        elif self.batches[number].account_id != event.account_id:
            where = told(record, dict(record.headers), event.at)
            self._findings.breach(IDS, "of another account than its batch", where)
        return number

    def _note(self, known: dict[UUID, Heard[E]], event: E, where: Told, content: int) -> None:
        event_id = event.event_id
        before = known.get(event_id)
        self._findings.looked(REPEATS)
        if before is None:
            known[event_id] = Heard(event, where, content)
        elif before.content == content:
            self._findings.repeated += 1
        else:
            self._findings.breach(REPEATS, "one id, two contents", before.told, where)
            if where < before.told:
                known[event_id] = Heard(event, where, content)

    def _of_person(
        self,
        record: Record,
        event: RecipientQueued | CallEvent | ConversationRecorded,
        content: int,
    ) -> None:
        place, batch_no = (record.partition, record.offset), self._number_of(event, record)
        match event:
            case RecipientQueued():
                mark = marks.mark_of_grant(event, place, content, batch_no)
            case CallEvent():
                mark = marks.mark_of_call(event, place, content, batch_no)
            case ConversationRecorded():
                mark = marks.mark_of_record(event, place, content, batch_no)
        self._mark(event.recipient_id, mark)

    def _mark(self, person: UUID, mark: bytes) -> None:
        self.people[person.int] = self.people.get(person.int, b"") + mark

    def _chunk(self, batch_no: int, event: ChunkEvent, where: Told, content: int) -> None:
        batch = self.batches[batch_no]
        people = event.recipients if isinstance(event, RecipientsAdded) else ()
        rows = [entry.row for entry in people]
        chunk = Chunk(
            addition_id=event.addition_id,
            chunk_no=event.chunk_no,
            chunks=event.chunks,
            count=len(people) or getattr(event, "count", 0),
            rows=(min(rows, default=0), max(rows, default=0)),
            of_people=isinstance(event, RecipientsAdded),
            told=where,
            content=content,
        )
        self._findings.looked(REPEATS)
        before = batch.chunks.setdefault(event.chunk_id, chunk)
        if before is not chunk:
            if before.content == content:
                self._findings.repeated += 1
            else:
                self._findings.breach(REPEATS, "one id, two contents", before.told, where)
            return
        addition = batch.additions.setdefault(event.addition_id, len(batch.additions))
        place, at = (where.partition, where.offset), marks.micros(event.at)
        for entry in people:
            zones = self._zones(entry.zones)
            mark = marks.mark_of_row(entry, place, at, batch_no, addition, zones)
            self._mark(entry.recipient_id, mark)
            if entry.same_number_as is not None:
                self.twins[entry.recipient_id.int] = entry.same_number_as.int

    def _zones(self, zones: tuple[str, ...]) -> int:
        number = self._zones_no.setdefault(zones, len(self.zones))
        if number == len(self.zones):
            self.zones.append(zones)
        return number
