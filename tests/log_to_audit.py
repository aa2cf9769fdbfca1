"""A small house's whole log, in which every guarantee has something to hold for."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from aiokafka.partitioner import murmur2

from audit.findings import Findings
from audit.record import Record
from audit.seals import VaultNow
from audit.whole import Audit
from contracts import batches, calls, directory, recipients, status
from contracts.batches import Addition, BatchCreated, RetryPolicy
from contracts.calendar import WEEK, Window
from contracts.codec import encode
from contracts.conversations import ConversationRecorded
from contracts.dispatch import RecipientQueued
from contracts.event import Event
from contracts.gates import BatchGateClosed
from contracts.ids import addition_id_of, call_id_of, chunk_id_of, command_id_of, derive
from contracts.ids import recipient_id_of as recipient_of
from contracts.outcomes import Outcome
from contracts.sealed import Seal
from contracts.statuses import BatchStatus
from contracts.topics import TOPIC_OF

ACCOUNT = "default"
START = datetime(2026, 5, 4, 9, tzinfo=UTC)
CUT = START + timedelta(days=1)
CALLED, DELETED = derive("batch", "audited", 1), derive("batch", "audited", 2)
LIST, DELETED_LIST = addition_id_of(CALLED, 1), addition_id_of(DELETED, 1)
SEALS = {
    f"batch:{CALLED}": Seal(bytes(32), f"batch:{CALLED}"),
    f"account:{ACCOUNT}": Seal(bytes(32), f"account:{ACCOUNT}"),
}
GONE = Seal(bytes(32), f"batch:{DELETED}")
LIMIT = 4
HOURS = Window(start="08:00", end="20:00", days=WEEK, timezone="recipient")
CLOSES = datetime(2026, 5, 4, 18, tzinfo=UTC)
"""In Paris."""


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def person(row: int) -> UUID:
    return recipient_of(LIST, row)


def house_log() -> list[Event]:
    """In the order of time; each stream's own order is right."""
    told = [*_directory(), *_commands(), *CHUNKS, *_statuses(), *_calls(), *_deleted()]
    return sorted(told, key=lambda event: event.at)


def _directory() -> list[Event]:
    seal = SEALS[f"account:{ACCOUNT}"]
    common = {"account_id": ACCOUNT, "at": at(0), "version": 1, "actor": "api"}
    agent = {"agent_id": "anna", "name": "Anna", "active": True}
    return [
        directory.AccountConfigured(**common, concurrency=LIMIT),
        directory.AgentRegistered(**common, **agent, webhook=seal.close("https://example.com")),
        directory.SuppressionAdded(**common, digest="0" * 64, source="api", reason=seal.close("x")),
    ]


def _command(kind: type[batches.BatchCommand], number: int, when: float, **facts: object) -> Event:
    batch_id = facts.pop("batch_id", CALLED)
    assert isinstance(batch_id, UUID)
    return kind(
        account_id=ACCOUNT, at=at(when), batch_id=batch_id, command_no=number,
        command_id=command_id_of(batch_id, number), actor="api", **facts,
    )  # fmt: skip


def _commands() -> list[Event]:
    seal = SEALS[f"batch:{CALLED}"]
    addition = Addition(
        addition_id=LIST, chunks=2, recipients=5, rejected=1, rejection_chunks=1, last_row=6
    )
    return [
        _command(
            BatchCreated, 1, 1, name=seal.close("Spring"), agent_id="anna", window=HOURS,
            from_number="+33123456789", reserved_concurrency=1, addition=addition,
            retry_policy=RetryPolicy(max_attempts=2, delay_seconds=(60,)),
        ),
        _command(batches.RecipientRemovalRequested, 2, 2.9, recipient_id=person(5)),
        _command(batches.BatchPauseRequested, 3, 4.9),
        _command(batches.BatchResumeRequested, 4, 39.9),
        _command(batches.BatchRetryRequested, 5, 299.9),
        _command(batches.BatchRenamed, 6, 320, name=seal.close("Summer")),
        _command(batches.BatchRenamed, 7, 321, name=seal.close("Autumn")),
    ]  # fmt: skip


def _chunks() -> list[Event]:
    seal = SEALS[f"batch:{CALLED}"]
    entries = [
        recipients.RecipientEntry(
            recipient_id=person(row), row=row, sealed=seal.close(f"row {row}"),
            zones=("Europe/Paris",), same_number_as=person(1) if row == 4 else None,
        )
        for row in range(1, 6)
    ]  # fmt: skip
    common = {"account_id": ACCOUNT, "at": at(1.1), "batch_id": CALLED, "addition_id": LIST}

    def named(kind: str, number: int, count: int) -> dict[str, object]:
        chunk_id = chunk_id_of(LIST, kind, number)
        return {"chunk_id": chunk_id, "chunk_no": number, "chunks": count, **common}

    return [
        recipients.RecipientsAdded(**named("added", 0, 2), recipients=tuple(entries[:3])),
        recipients.RecipientsAdded(**named("added", 1, 2), recipients=tuple(entries[3:])),
        recipients.RecipientsRejected(**named("rejected", 0, 1), count=1, sealed=seal.close("6")),
    ]


def _status(
    kind: type[status.BatchStatusEvent], sequence: int, when: float, now: BatchStatus, *,
    epoch: int, seen: int, verdict: bool = True, batch_id: UUID = CALLED, **facts: object,
) -> Event:  # fmt: skip
    return kind(
        account_id=ACCOUNT, at=at(when), batch_id=batch_id, sequence=sequence, status=now,
        epoch=epoch, command_no=seen, expires_at=at(30 * 86400),
        command_id=command_id_of(batch_id, seen) if verdict else None, **facts,
    )  # fmt: skip


def _statuses() -> list[Event]:
    s = BatchStatus
    again: Any = {"retry_epoch": 3}
    return [
        _status(status.BatchScheduled, 1, 1.5, s.SCHEDULED, epoch=0, seen=1),
        _status(status.BatchStarted, 2, 2, s.RUNNING, epoch=1, seen=1, verdict=False),
        _status(status.RecipientRemoved, 3, 3, s.RUNNING, epoch=1, seen=2, recipient_id=person(5)),
        _status(status.BatchPaused, 4, 5, s.PAUSED, epoch=1, seen=3),
        _status(status.BatchResumed, 5, 40, s.RUNNING, epoch=2, seen=4),
        _status(status.BatchCompleted, 6, 210, s.COMPLETED, epoch=2, seen=4, verdict=False),
        _status(status.BatchRetried, 7, 300, s.SCHEDULED, epoch=3, seen=5, **again),
        _status(status.BatchStarted, 8, 300, s.RUNNING, epoch=4, seen=5, verdict=False, **again),
        _status(
            status.BatchCompleted, 9, 311, s.COMPLETED, epoch=4, seen=5, verdict=False, **again
        ),
    ]  # fmt: skip


def grant(row: int, number: int, when: float, **facts: object) -> list[Event]:
    """A call from its grant to what comes of it: `over` seconds, outcome, and more of its facts."""
    seal = next(
        entry.sealed
        for chunk in CHUNKS
        if isinstance(chunk, recipients.RecipientsAdded)
        for entry in chunk.recipients
        if entry.row == row
    )
    said: dict[str, object] = {
        "account_id": ACCOUNT, "at": at(when), "batch_id": CALLED, "recipient_id": person(row),
        "call_id": call_id_of(CALLED, person(row), number), "grant_no": number,
        "attempt": 1, "run_attempt": 1, "epoch": 1, **facts,
    }  # fmt: skip
    return [
        RecipientQueued(
            **said, sealed=seal, agent_id="anna", from_number="+33123456789",
            place_before=CLOSES, limit=LIMIT,
        )
    ]  # fmt: skip


def placed(queued: Event, *, begins: bool = True) -> list[Event]:
    said = _facts(queued) | {"at": queued.at + timedelta(seconds=0.1)}
    said["requested_at"] = said["at"]
    due = queued.at + timedelta(seconds=2)
    found: list[Event] = [calls.CallPlacing(**said, carrier="simulator", send_before=due)]
    if begins:
        said["at"] = queued.at + timedelta(seconds=0.5)
        found.append(calls.CallStarted(**said, carrier="simulator", carrier_call_id=_line(said)))
    return found


def over(queued: Event, when: float, outcome: Outcome, **facts: object) -> Event:
    said = _facts(queued) | {"at": at(when), "requested_at": queued.at}
    known = outcome is not Outcome.UNKNOWN
    return calls.CallCompleted(
        **said, outcome=outcome, cause="sip_200", carrier="simulator", ended_at=at(when),
        carrier_call_id=_line(said) if known else None, **facts,
    )  # fmt: skip


def _line(said: dict[str, object]) -> str:
    return f"line {said['call_id']}"


def _facts(queued: Event) -> dict[str, object]:
    return {name: getattr(queued, name) for name in calls.CallEvent.model_fields
            if name != "requested_at"}  # fmt: skip


def _calls() -> list[Event]:
    (one,), (two,) = grant(1, 1, 4), grant(2, 1, 4)
    (three,), (four,) = grant(3, 1, 41, epoch=2), grant(4, 1, 41, epoch=2)
    (three_again,) = grant(3, 2, 60, epoch=2)
    (two_again,) = grant(2, 2, 90, epoch=2, attempt=2, run_attempt=2)
    (two_at_last,) = grant(2, 3, 301, epoch=4, attempt=3)
    busy = calls.ReturnReason.NUMBER_BUSY
    returned = calls.CallReturned(**(_facts(three) | {"at": at(42)}), reason=busy)
    said = {n: f for n, f in _facts(one).items() if n in ConversationRecorded.model_fields}
    conversation = ConversationRecorded(
        **(said | {"at": at(30)}), sealed=SEALS[f"batch:{CALLED}"].close("Hello")
    )
    return [
        one, *placed(one), over(one, 30, Outcome.COMPLETED), conversation,
        two, *placed(two), over(two, 20, Outcome.NO_ANSWER),
        three, returned, three_again, *placed(three_again),
        over(three_again, 70, Outcome.VOICEMAIL),
        four, *placed(four, begins=False), over(four, 180, Outcome.UNKNOWN),
        over(four, 200, Outcome.COMPLETED, late=True),
        two_again, *placed(two_again), over(two_again, 100, Outcome.NO_ANSWER),
        two_at_last, *placed(two_at_last), over(two_at_last, 310, Outcome.COMPLETED),
        BatchGateClosed(account_id=ACCOUNT, at=at(6), batch_id=CALLED, through_epoch=1),
    ]  # fmt: skip


def _deleted() -> list[Event]:
    addition = Addition(addition_id=DELETED_LIST, chunks=1, recipients=1)
    return [
        _command(
            BatchCreated, 1, 390, batch_id=DELETED, name=GONE.close("Gone"), agent_id="anna",
            window=HOURS, from_number="+33123456789", start=False, addition=addition,
        ),
        _status(
            status.BatchScheduled, 1, 391, BatchStatus.PENDING, epoch=0, seen=1, batch_id=DELETED
        ),
        _command(batches.BatchDeleted, 2, 400, batch_id=DELETED),
        BatchGateClosed(
            account_id=ACCOUNT, at=at(401), batch_id=DELETED, through_epoch=0, for_good=True
        ),
    ]  # fmt: skip


CHUNKS = _chunks()
"""Sealed once: a seal is another each time."""


def partition_of(key: bytes, partitions: int) -> int:
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)


def records_of(events: Sequence[Event]) -> list[Record]:
    """As their writers put them into the log."""
    ends: dict[tuple[str, int], int] = {}
    found = []
    for event in events:
        topic = TOPIC_OF[type(event)]
        encoded = encode(event, source=topic.writer)
        partition = partition_of(encoded.key, topic.partitions)
        offset = ends.get((topic.name, partition), 0)
        ends[topic.name, partition] = offset + 1
        found.append(Record(topic, partition, offset, encoded.key, encoded.value, encoded.headers))
    return found


def audited(
    records: Sequence[Record], *, cut: datetime = CUT, vault: VaultNow | None = None
) -> Findings:
    audit = Audit(partition_of, cut)
    for record in records:
        event = audit.read(record)
        if event is not None:
            audit.take(record, event, _opens)
    return audit.judge(vault or VaultNow())


def _opens(scope: str, sealed: str) -> bool | None:
    seal = SEALS.get(scope)
    return None if seal is None else seal.text(sealed) is not None


def breached(findings: Findings) -> set[str]:
    return {check.name for check, tally in findings.tallies.items() if tally.breaches}
