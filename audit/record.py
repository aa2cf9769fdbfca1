"""A record that is not what its topic promises is found before anything is concluded from it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from audit.findings import Findings, Told, check
from contracts.batches import BatchCommand
from contracts.calls import CallEvent
from contracts.codec import MalformedEventError, UnknownEventError, decode
from contracts.dispatch import RecipientQueued
from contracts.event import Event
from contracts.ids import RecipientIds, call_id_of, chunk_id_of, command_id_of
from contracts.recipients import ChunkEvent, RecipientsAdded
from contracts.topics import TOPIC_OF, Topic

READABLE: Final = check(
    "readable", "Every record is a CloudEvent of a known type that holds what its type promises."
)
WRITER: Final = check("writer", "Every topic has one writer and holds only its own events.")
KEYED: Final = check("keyed", "Every record is under its event's key, in the key's partition.")
IDS: Final = check("ids", "Every id is derived from what it names; a batch is of one account.")

PartitionOf = Callable[[bytes, int], int]
"""Of a key, among so many."""


class Record(NamedTuple):
    topic: Topic
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


def told(record: Record, headers: dict[str, bytes], at: datetime | None = None) -> Told:
    kind, event_id = headers.get("ce_type", b""), headers.get("ce_id", b"")
    place = record.topic.name, record.partition, record.offset
    return Told(*place, kind.decode(errors="replace"), event_id.decode(errors="replace"), at)


class Reading:
    def __init__(self, findings: Findings, partition_of: PartitionOf) -> None:
        self._findings = findings
        self._partition_of = partition_of

    def event(self, record: Record) -> Event | None:
        """The event, if it is one of its topic's."""
        given = dict(record.headers)
        self._findings.looked(READABLE)
        try:
            event = decode(record.value, given.items())
        except UnknownEventError as error:
            if error.may_be_passed_over:
                self._findings.open(READABLE, "newer than this reader, may be passed over")
            else:
                self._findings.breach(READABLE, "newer than this reader", told(record, given))
            return None
        except MalformedEventError as error:
            self._findings.breach(READABLE, str(error), told(record, given))
            return None
        self._headers(record, given, event)
        if not self._of_its_writer(record, given, event):
            return None
        self._keyed(record, given, event)
        self._ids(record, given, event)
        return event

    def _headers(self, record: Record, given: dict[str, bytes], event: Event) -> None:
        if (
            given.get("ce_specversion") != b"1.0"
            or given.get("content-type") != b"application/json"
        ):
            self._findings.breach(READABLE, "not CloudEvents 1.0 in JSON", told(record, given))
        try:
            said = datetime.fromisoformat(given.get("ce_time", b"").decode())
        except ValueError:
            said = None
        if said != event.at:
            self._findings.breach(READABLE, "ce_time is not its at", told(record, given, event.at))

    def _of_its_writer(self, record: Record, given: dict[str, bytes], event: Event) -> bool:
        self._findings.looked(WRITER)
        source = given.get("ce_source", b"").decode(errors="replace")
        if source != f"/rollcall/{record.topic.writer}":
            what = f"written by {source!r}, not {record.topic.writer}"
            self._findings.breach(WRITER, what, told(record, given, event.at))
        if TOPIC_OF[type(event)] is record.topic:
            return True
        what = f"{type(event).__name__} is not of this topic"
        self._findings.breach(WRITER, what, told(record, given, event.at))
        return False

    def _keyed(self, record: Record, given: dict[str, bytes], event: Event) -> None:
        self._findings.looked(KEYED)
        key = event.key.encode()
        if record.key != key or given.get("ce_subject") != key:
            self._findings.breach(KEYED, "not its event's key", told(record, given, event.at))
        elif record.partition != self._partition_of(key, record.topic.partitions):
            self._findings.breach(KEYED, "not its key's partition", told(record, given, event.at))

    def _ids(self, record: Record, given: dict[str, bytes], event: Event) -> None:
        self._findings.looked(IDS)
        if given.get("ce_id") != str(event.event_id).encode():
            where = told(record, given, event.at)
            self._findings.breach(IDS, "its event id is not derived from its key and number", where)
        if wrong := misnamed(event):
            self._findings.breach(IDS, wrong, told(record, given, event.at))


def misnamed(event: Event) -> str | None:
    """Which id of a thing in it is not what it must be."""
    match event:
        case BatchCommand():
            right: UUID = command_id_of(event.batch_id, event.command_no)
            return None if event.command_id == right else "command_id of another command"
        case RecipientQueued() | CallEvent():
            right = call_id_of(event.batch_id, event.recipient_id, event.grant_no)
            return None if event.call_id == right else "call_id of another grant"
        case ChunkEvent():
            return _misnamed_chunk(event)
        case _:
            return None


def _misnamed_chunk(event: ChunkEvent) -> str | None:
    people = event.recipients if isinstance(event, RecipientsAdded) else ()
    kind = "added" if isinstance(event, RecipientsAdded) else "rejected"
    if event.chunk_id != chunk_id_of(event.addition_id, kind, event.chunk_no):
        return "chunk_id of another chunk"
    ids = RecipientIds(event.addition_id)
    wrong = next((it.row for it in people if it.recipient_id != ids.of(it.row)), None)
    return None if wrong is None else f"recipient_id of another row than {wrong}"
