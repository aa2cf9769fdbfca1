"""A batch told by the test in place of all the services, and looked at as people see it."""

from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from contracts import batches, calls, status
from contracts.batches import Addition, BatchCreated
from contracts.calendar import Window
from contracts.conversations import ConversationRecorded
from contracts.dispatch import RecipientQueued
from contracts.event import Event
from contracts.gates import BatchGateClosed
from contracts.ids import addition_id_of, call_id_of, chunk_id_of, command_id_of, recipient_id_of
from contracts.outcomes import Outcome
from contracts.recipients import RecipientEntry, RecipientsAdded, RecipientsRejected
from contracts.sealed import (
    ConversationSecrets,
    FieldError,
    RecipientSecrets,
    Rejection,
    Rejections,
    Seal,
)
from contracts.statuses import BatchStatus
from tests.read_side import ReadSide

AT = datetime(2026, 5, 4, 9, tzinfo=UTC)
ALWAYS = Window(
    start="00:00", end="24:00", days=("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
    timezone="UTC",
)  # fmt: skip


def position(*parts: object) -> str:
    return urlsafe_b64encode(":".join(map(str, parts)).encode()).decode()


class Story:
    """A batch of so many people, as the services tell it."""

    def __init__(
        self, seal: Seal, batch_id: UUID, people: int, *, account: str = "default"
    ) -> None:
        self._seal = seal
        self.batch_id = batch_id
        self.account = account
        self.addition_id = addition_id_of(batch_id, 1)
        self.people = people
        self.sequence = 0

    def _common(self, at: datetime = AT) -> dict[str, Any]:
        return {"account_id": self.account, "at": at, "batch_id": self.batch_id}

    def recipient_id(self, row: int) -> UUID:
        return recipient_id_of(self.addition_id, row)

    def call_id(self, row: int) -> UUID:
        return call_id_of(self.batch_id, self.recipient_id(row), 1)

    def command(
        self, kind: type[batches.BatchCommand], number: int, **facts: Any
    ) -> batches.BatchCommand:
        command_id = command_id_of(self.batch_id, number)
        return kind(
            **self._common(), command_no=number, command_id=command_id, actor="api", **facts
        )

    def created(self, name: str = "Spring", *, rejected: int = 0) -> Event:
        return self.command(
            BatchCreated,
            1,
            name=self._seal.close(name),
            agent_id="anna",
            from_number="+33123456789",
            window=ALWAYS,
            addition=Addition(
                addition_id=self.addition_id, chunks=1, recipients=self.people, rejected=rejected
            ),
        )

    def chunk(self) -> Event:
        return RecipientsAdded(
            **self._common(),
            addition_id=self.addition_id,
            chunk_id=chunk_id_of(self.addition_id, "added", 0),
            chunk_no=0,
            chunks=1,
            recipients=tuple(
                RecipientEntry(
                    recipient_id=self.recipient_id(row),
                    row=row,
                    sealed=self._seal.close(
                        RecipientSecrets(
                            phone_number=f"+3360000{row:04}", name=f"P{row}", variables={"z": "1"}
                        )
                    ),
                )
                for row in range(1, self.people + 1)
            ),
        )

    def rejected(self) -> Event:
        error = FieldError(field="phone_number", code="phone_missing", message="Give a number.")
        rows = Rejections(rows=(Rejection(row=9, line=10, name="Nobody", errors=(error,)),))
        return RecipientsRejected(
            **self._common(),
            addition_id=self.addition_id,
            chunk_id=chunk_id_of(self.addition_id, "rejected", 0),
            chunk_no=0,
            chunks=1,
            count=1,
            sealed=self._seal.close(rows),
        )

    def status(self, kind: type[status.BatchStatusEvent], now: BatchStatus, **facts: Any) -> Event:
        self.sequence += 1
        facts = {"epoch": 1, "command_no": 1} | facts
        return kind(**self._common(), sequence=self.sequence, status=now, **facts)

    def started(self) -> Event:
        return self.status(status.BatchStarted, BatchStatus.RUNNING, started_at=AT)

    def _grant(self, row: int) -> dict[str, Any]:
        return self._common() | {
            "recipient_id": self.recipient_id(row),
            "call_id": self.call_id(row),
            "grant_no": 1,
            "attempt": 1,
            "epoch": 1,
        }

    def queued(self, row: int) -> Event:
        return RecipientQueued(
            **self._grant(row), sealed="", agent_id="anna", from_number="+33123456789", limit=9
        )

    def placing(self, row: int) -> Event:
        at = AT + timedelta(seconds=row)
        return calls.CallPlacing(
            **self._grant(row), carrier="simulator", send_before=at, requested_at=at
        )

    def completed(self, row: int, outcome: Outcome) -> Event:
        at = AT + timedelta(seconds=row)
        return calls.CallCompleted(
            **self._grant(row),
            outcome=outcome,
            cause="sip_200",
            carrier="simulator",
            requested_at=at,
            started_at=at,
            ended_at=at + timedelta(seconds=9),
            duration_seconds=9,
            cost=calls.Cost(amount=0.25),
        )

    def conversation(self, row: int) -> Event:
        grant = self._grant(row)
        said = ConversationSecrets(
            transcript=({"role": "agent", "text": "Hello"},),
            collected={"mood": "fine"},
            recording_url="https://recordings.test/1",
        )
        return ConversationRecorded(
            **{k: v for k, v in grant.items() if k not in {"attempt", "epoch"}},
            sealed=self._seal.close(said),
        )

    def more(self, row: int, **settings: Any) -> tuple[Event, Event]:
        """One more recipient is asked for, and comes."""
        addition = addition_id_of(self.batch_id, row)
        said = Addition(addition_id=addition, chunks=1, recipients=1)
        entry = RecipientEntry(
            recipient_id=recipient_id_of(addition, row), row=row, sealed="", **settings
        )
        chunk = RecipientsAdded(
            **self._common(),
            addition_id=addition,
            chunk_id=chunk_id_of(addition, "added", 0),
            chunk_no=0,
            chunks=1,
            recipients=(entry,),
        )
        return self.command(batches.RecipientsAddRequested, 2, addition=said), chunk

    def accepted(self, row: int, now: BatchStatus) -> Event:
        addition_id = addition_id_of(self.batch_id, row)
        return self.status(status.RecipientsAddAccepted, now, addition_id=addition_id)

    def removed(self, row: int) -> Event:
        return self.status(
            status.RecipientRemoved, BatchStatus.RUNNING, recipient_id=self.recipient_id(row)
        )

    def returned(self, row: int) -> Event:
        return calls.CallReturned(**self._grant(row), reason=calls.ReturnReason.DEADLINE_PASSED)

    def retried(self, **epochs: int) -> Event:
        return self.status(status.BatchRetried, BatchStatus.SCHEDULED, **epochs)

    def gate_closed(self) -> Event:
        return BatchGateClosed(**self._common(), through_epoch=1)


async def a_story(reads: ReadSide, people: int = 3, account: str = "default") -> Story:
    batch_id = uuid4()
    return Story(await reads.seal(batch_id), batch_id, people, account=account)


async def landed(reads: ReadSide, story: Story) -> bool:
    listed = await reads.get(f"/v1/batches/{story.batch_id}/recipients")
    return len(listed["data"]) == story.people


async def until_counted(reads: ReadSide, story: Story, **counts: int) -> dict[str, Any]:
    """The batch once so many stand so; the test's own limit bounds the wait."""
    while True:
        batch = await reads.get(f"/v1/batches/{story.batch_id}",
                                position("batch", story.batch_id, "command", 1))  # fmt: skip
        if counts.items() <= batch["recipients"].items():
            return batch


async def rows(reads: ReadSide, path: str, **parameters: Any) -> list[int]:
    return [recipient["row"] for recipient in await reads.pages(path, **parameters)]
