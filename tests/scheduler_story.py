"""The events of a made-up batch in a few words each; all at noon, where nothing else is said."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from contracts.batches import (
    Addition,
    BatchCommand,
    BatchCreated,
    RetryPolicy,
)
from contracts.calendar import WEEK, Window
from contracts.calls import CallCompleted, CallEvent, CallPlacing, CallReturned, ReturnReason
from contracts.directory import AccountConfigured
from contracts.dispatch import RecipientQueued
from contracts.ids import (
    addition_id_of,
    call_id_of,
    chunk_id_of,
    command_id_of,
    derive,
    recipient_id_of,
)
from contracts.outcomes import Outcome
from contracts.recipients import RecipientEntry, RecipientsAdded

C = TypeVar("C", bound=BatchCommand)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ALWAYS = Window(start="00:00", end="24:00", days=WEEK, timezone="UTC")
ACCOUNT = "default"


def account(concurrency: int, version: int = 1) -> AccountConfigured:
    return AccountConfigured(
        account_id=ACCOUNT, at=NOON, version=version, actor="t", concurrency=concurrency
    )


class Story:
    """One batch; every method makes an event of it and changes nothing but the command number."""

    def __init__(self, name: str = "a", *, recipients: int = 3, chunks: int = 1) -> None:
        self.batch_id = derive("test", name)
        self.addition_id = addition_id_of(self.batch_id, 1)
        self.recipients = recipients
        self.chunks = chunks
        self.commands = 0

    def created(self, **facts: Any) -> BatchCreated:
        addition = Addition(
            addition_id=self.addition_id, chunks=self.chunks, recipients=self.recipients
        )
        given = {
            "name": "sealed",
            "agent_id": "agent",
            "from_number": "+15550000000",
            "window": ALWAYS,
            "addition": addition,
            "retry_policy": RetryPolicy(),
        }
        return self.ask(BatchCreated, **(given | facts))

    def ask(self, kind: type[C], **facts: Any) -> C:
        self.commands += 1
        return kind(
            account_id=ACCOUNT,
            at=NOON,
            batch_id=self.batch_id,
            command_no=self.commands,
            command_id=command_id_of(self.batch_id, self.commands),
            actor="t",
            **facts,
        )

    def recipient(self, row: int) -> UUID:
        return recipient_id_of(self.addition_id, row)

    def chunk(
        self, chunk_no: int = 0, *, rows: Sequence[int] = (), **facts: Any
    ) -> RecipientsAdded:
        each = self.recipients // self.chunks
        rows = rows or range(chunk_no * each + 1, (chunk_no + 1) * each + 1)
        return RecipientsAdded(
            account_id=ACCOUNT,
            at=NOON,
            batch_id=self.batch_id,
            addition_id=self.addition_id,
            chunk_id=chunk_id_of(self.addition_id, "accepted", chunk_no),
            chunk_no=chunk_no,
            chunks=self.chunks,
            recipients=tuple(
                RecipientEntry(recipient_id=self.recipient(row), row=row, sealed="s", **facts)
                for row in rows
            ),
        )

    def all_chunks(self) -> list[RecipientsAdded]:
        return [self.chunk(chunk_no) for chunk_no in range(self.chunks)]


def queued(batch_id: UUID, recipient_id: UUID, grant_no: int = 1, **facts: Any) -> RecipientQueued:
    given: dict[str, Any] = {
        "attempt": grant_no,
        "run_attempt": grant_no,
        "epoch": 1,
        "sealed": "s",
        "agent_id": "agent",
        "from_number": "+15550000000",
        "limit": 1,
    }
    return RecipientQueued(
        account_id=ACCOUNT,
        at=NOON,
        batch_id=batch_id,
        recipient_id=recipient_id,
        call_id=call_id_of(batch_id, recipient_id, grant_no),
        grant_no=grant_no,
        **(given | facts),
    )


def _of(grant: RecipientQueued) -> dict[str, Any]:
    shared = set(CallEvent.model_fields) - {"requested_at"}
    return {name: getattr(grant, name) for name in shared} | {"requested_at": grant.at}


def placing(grant: RecipientQueued) -> CallPlacing:
    return CallPlacing(**_of(grant), carrier="c", send_before=grant.at + timedelta(seconds=2))


def ended(
    grant: RecipientQueued, outcome: Outcome = Outcome.COMPLETED, *, late: bool = False
) -> CallCompleted:
    """`late`: its end was said to be unknown before."""
    about = _of(grant) | {"outcome": outcome, "ended_at": grant.at, "late": late}
    return CallCompleted(**about, cause="x", carrier="c")


def returned(
    grant: RecipientQueued,
    reason: ReturnReason = ReturnReason.GATE_CLOSED,
    **facts: Any,
) -> CallReturned:
    return CallReturned(**_of(grant), reason=reason, **facts)
