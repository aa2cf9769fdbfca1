"""A batch as its status events left it: each carries the whole status, the newest alone is it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from contracts.batches import BatchCreated
from contracts.lifecycle import TERMINAL
from contracts.progress import Rules
from contracts.status import BatchStatusEvent, RecipientRemoved, RecipientsAddAccepted
from contracts.statuses import BatchStatus, Result

E = TypeVar("E", bound=BatchStatusEvent)


@dataclass(frozen=True, slots=True)
class Status:
    """What every status event says; before the first, what the creation asks for."""

    status: BatchStatus | None = None
    sequence: int = 0
    epoch: int = 0
    retry_epoch: int = 0
    unknown_retry_epoch: int = 0
    command_no: int = 0
    """The last command with a verdict."""
    result: Result | None = None
    reason_code: str | None = None
    reason: str | None = None
    scheduled_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    created: BatchCreated
    now: Status
    deleted: bool = False
    landed: bool = False
    """All chunks of all accepted additions are here."""
    incomplete: frozenset[UUID] = frozenset()
    """Accepted additions with chunks still to come."""
    import_failed: bool = False
    fault: tuple[int, str] | None = None
    """The epoch of the newest grant that met a fatal fault, and which."""
    unusable: str | None = None
    """Why it cannot call as the directory stands: its agent or its number is out of use."""
    failures: int = 0
    """Recipients not reached; counted only where a retry or an end is to be decided."""
    present: frozenset[UUID] = field(default_factory=frozenset)
    """Of those that are asked to be removed, the ones the batch has."""
    removable: frozenset[UUID] = field(default_factory=frozenset)
    """Of these, the ones nobody has called."""

    @property
    def batch_id(self) -> UUID:
        return self.created.batch_id

    @property
    def account_id(self) -> str:
        return self.created.account_id

    @property
    def status(self) -> BatchStatus | None:
        return self.now.status

    @property
    def ended(self) -> bool:
        return self.status in TERMINAL

    @property
    def rules(self) -> Rules:
        now = self.now
        return Rules(self.created.retry_policy, now.retry_epoch, now.unknown_retry_epoch)

    def expired(self, at: datetime) -> bool:
        return self.now.expires_at is not None and at >= self.now.expires_at


def evolve(batch: Batch, event: BatchStatusEvent) -> Batch:
    if event.sequence <= batch.now.sequence:
        return batch
    batch = replace(batch, now=status_in(event))
    match event:
        case RecipientRemoved():
            gone = {event.recipient_id}
            return replace(batch, present=batch.present - gone, removable=batch.removable - gone)
        case RecipientsAddAccepted():
            incomplete = batch.incomplete | {event.addition_id}
            return replace(batch, landed=False, incomplete=incomplete)
        case _:
            return batch


def status_in(event: BatchStatusEvent) -> Status:
    return Status(
        status=event.status,
        sequence=event.sequence,
        epoch=event.epoch,
        retry_epoch=event.retry_epoch,
        unknown_retry_epoch=event.unknown_retry_epoch,
        command_no=event.command_no,
        result=event.result,
        reason_code=event.reason_code,
        reason=event.reason,
        scheduled_at=event.scheduled_at,
        started_at=event.started_at,
        finished_at=event.finished_at,
        expires_at=event.expires_at,
    )


def say(batch: Batch, kind: type[E], at: datetime, **changes: object) -> E:
    """The next status event: the whole status, with these changes."""
    now = batch.now
    whole: Mapping[str, Any] = {
        "status": now.status,
        "epoch": now.epoch,
        "retry_epoch": now.retry_epoch,
        "unknown_retry_epoch": now.unknown_retry_epoch,
        "command_no": now.command_no,
        "result": now.result,
        "reason_code": now.reason_code,
        "reason": now.reason,
        "scheduled_at": now.scheduled_at,
        "started_at": now.started_at,
        "finished_at": now.finished_at,
        "expires_at": now.expires_at,
    }
    return kind(
        account_id=batch.created.account_id,
        batch_id=batch.batch_id,
        at=at,
        sequence=now.sequence + 1,
        **{**whole, **changes},
    )
