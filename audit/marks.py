"""What the log says of a recipient, packed so that a million fit; unpacked when it is judged."""

from datetime import UTC, datetime, timedelta
from enum import IntEnum
from struct import Struct
from typing import Final, NamedTuple
from uuid import UUID

from audit.findings import Told
from contracts.calls import CallCompleted, CallEvent, CallPlacing, CallReturned, CallStarted
from contracts.codec import type_of
from contracts.conversations import ConversationRecorded
from contracts.dispatch import RecipientQueued
from contracts.event import Event
from contracts.ids import derive
from contracts.outcomes import Outcome
from contracts.recipients import RecipientEntry, RecipientsAdded
from contracts.topics import TOPIC_OF

NEVER: Final = -(2**63)
_DAWN: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO: Final = timedelta(microseconds=1)
_64: Final = 2**64 - 1
_OUTCOMES: Final = tuple(Outcome)
_OUTCOME_NO: Final = {outcome: number for number, outcome in enumerate(_OUTCOMES)}
_UNKNOWN: Final = _OUTCOME_NO[Outcome.UNKNOWN]


def micros(at: datetime | None) -> int:
    return NEVER if at is None else (at - _DAWN) // _MICRO


def instant(at: int) -> datetime | None:
    return None if at == NEVER else _DAWN + at * _MICRO


def fingerprint(content: object) -> int:
    """Within this process; two contents with one fingerprint are one in 2**64."""
    return hash(content) & _64


class Kind(IntEnum):
    ROW = 0
    QUEUED = 1
    PLACING = 2
    STARTED = 3
    RETURNED = 4
    UNKNOWN = 5
    ENDED = 6
    RECORDED = 7


_TYPES: Final[dict[Kind, type[Event]]] = {
    Kind.ROW: RecipientsAdded,
    Kind.QUEUED: RecipientQueued,
    Kind.PLACING: CallPlacing,
    Kind.STARTED: CallStarted,
    Kind.RETURNED: CallReturned,
    Kind.UNKNOWN: CallCompleted,
    Kind.ENDED: CallCompleted,
    Kind.RECORDED: ConversationRecorded,
}
_FORM: Final = Struct("<BBQqqQQIIIIBBBB")


class Mark(NamedTuple):
    kind: int
    partition: int
    offset: int
    at: int
    then: int
    """not_before (ROW, RETURNED), place_before (QUEUED), requested_at (PLACING), or ended_at."""
    content: int
    """A fingerprint of the whole event."""
    detail: int
    """Of the seal (ROW, QUEUED), of the carrier's id (STARTED, UNKNOWN, ENDED); or send_before."""
    batch: int
    number: int
    """ROW: the row; QUEUED: the limit."""
    grant_no: int
    """ROW: the addition's place in its batch."""
    epoch: int
    """ROW: which zones."""
    attempt: int
    run_attempt: int
    outcome_no: int
    flag: int
    """UNKNOWN, ENDED: late; the others: a request was due."""

    def packed(self) -> bytes:
        return _FORM.pack(*self)

    @property
    def outcome(self) -> Outcome:
        return _OUTCOMES[self.outcome_no]

    @property
    def late(self) -> bool:
        return bool(self.flag & 2)

    @property
    def requested(self) -> bool:
        return bool(self.flag & 1)

    def told(self, person: UUID) -> Told:
        """As a report names it.  A row's event is its chunk, which has another id."""
        kind = _TYPES[Kind(self.kind)]
        number = f"{self.grant_no}{'?' if self.kind == Kind.UNKNOWN else ''}"
        event_id = "" if self.kind == Kind.ROW else derive("event", kind.__name__, person, number)
        place = TOPIC_OF[kind].name, self.partition, self.offset
        return Told(*place, type_of(kind), str(event_id), instant(self.at))


def unpacked(marks: bytes) -> list[Mark]:
    return [Mark(*fields) for fields in _FORM.iter_unpack(marks)]


def mark_of_row(
    entry: RecipientEntry, place: tuple[int, int], at: int, batch: int, addition: int, zones: int
) -> bytes:
    detail = fingerprint(entry.sealed)
    return _FORM.pack(
        Kind.ROW, *place, at, micros(entry.not_before), 0, detail, batch, entry.row,
        addition, zones, 0, 0, 0, 0,
    )  # fmt: skip


def mark_of_grant(
    event: RecipientQueued, place: tuple[int, int], content: int, batch: int
) -> bytes:
    return _FORM.pack(
        Kind.QUEUED, *place, micros(event.at), micros(event.place_before), content,
        fingerprint(event.sealed), batch, min(event.limit, 2**32 - 1), event.grant_no, event.epoch,
        min(event.attempt, 255), min(event.run_attempt, 255), 0, 0,
    )  # fmt: skip


def mark_of_call(event: CallEvent, place: tuple[int, int], content: int, batch: int) -> bytes:
    kind, then, detail, outcome_no = Kind.PLACING, NEVER, 0, 0
    flag = int(event.requested_at is not None)
    match event:
        case CallStarted():
            kind, detail = Kind.STARTED, fingerprint(event.carrier_call_id)
        case CallReturned():
            kind, then = Kind.RETURNED, micros(event.not_before)
        case CallCompleted():
            outcome_no, then = _OUTCOME_NO[event.outcome], micros(event.ended_at)
            kind = Kind.UNKNOWN if outcome_no == _UNKNOWN else Kind.ENDED
            detail = fingerprint(event.carrier_call_id) if event.carrier_call_id else 0
            flag |= 2 * event.late
        case CallPlacing():
            then, detail = micros(event.requested_at), max(0, micros(event.send_before))
        case _:
            raise TypeError(type(event).__name__)
    return _FORM.pack(
        kind, *place, micros(event.at), then, content, detail, batch, 0, event.grant_no,
        event.epoch, min(event.attempt, 255), min(event.run_attempt, 255), outcome_no, flag,
    )  # fmt: skip


def mark_of_record(
    event: ConversationRecorded, place: tuple[int, int], content: int, batch: int
) -> bytes:
    return _FORM.pack(
        Kind.RECORDED, *place, micros(event.at), NEVER, content, 0, batch, 0, event.grant_no,
        0, 0, 0, 0, 0,
    )  # fmt: skip
