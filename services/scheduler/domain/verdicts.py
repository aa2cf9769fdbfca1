"""Every command gets exactly one verdict, which names it; a refusal leaves the status as it was."""

from datetime import datetime
from typing import Any

from contracts.batches import (
    BatchCancelRequested,
    BatchCommand,
    BatchCreated,
    BatchImportFailed,
    BatchPauseRequested,
    BatchResumeRequested,
    BatchRetryRequested,
    BatchStartRequested,
    RecipientRemovalRequested,
    RecipientsAddRequested,
)
from contracts.lifecycle import allowed_actions, allows
from contracts.status import (
    BatchActionRejected,
    BatchCancelled,
    BatchPaused,
    BatchResumed,
    BatchRetried,
    BatchScheduled,
    BatchStatusEvent,
    RecipientRemoved,
    RecipientsAddAccepted,
)
from contracts.statuses import Action, BatchStatus
from services.scheduler.domain.batch import Batch, say
from services.scheduler.domain.faults import IMPORT_FAILED, fail
from services.scheduler.domain.lifecycle import start, waits_until

By = dict[str, Any]

_ACTIONS: dict[type[BatchCommand], Action] = {
    BatchStartRequested: Action.START,
    BatchPauseRequested: Action.PAUSE,
    BatchResumeRequested: Action.RESUME,
    BatchCancelRequested: Action.CANCEL,
    BatchRetryRequested: Action.RETRY,
}
_OTHERS: dict[type[BatchCommand], str] = {
    BatchCreated: "create",
    RecipientsAddRequested: "add",
    RecipientRemovalRequested: "remove",
    BatchImportFailed: "import",
}
NEEDS_A_VERDICT = frozenset({*_ACTIONS, *_OTHERS})
"""Rename and delete are facts."""


def verdict(  # noqa: C901, PLR0911 - one case a command
    batch: Batch, command: BatchCommand, at: datetime
) -> BatchStatusEvent:
    by: By = {"command_no": command.command_no, "command_id": command.command_id}
    refusal = _why_not(batch, command)
    if refusal is not None:
        return _reject(batch, command, at, refusal, by)
    match command:
        case BatchCreated():
            return _schedule(batch, at, by)
        case BatchStartRequested():
            return _start(batch, at, by)
        case BatchPauseRequested():
            return say(batch, BatchPaused, at, status=BatchStatus.PAUSED, **by)
        case BatchResumeRequested():
            return say(
                batch, BatchResumed, at, status=BatchStatus.RUNNING, epoch=batch.now.epoch + 1, **by
            )
        case BatchCancelRequested():
            return say(
                batch, BatchCancelled, at, status=BatchStatus.CANCELLED, finished_at=at, **by
            )
        case BatchRetryRequested():
            return _retry(batch, command, at, by)
        case RecipientsAddRequested():
            return say(
                batch, RecipientsAddAccepted, at, addition_id=command.addition.addition_id, **by
            )
        case RecipientRemovalRequested():
            return say(batch, RecipientRemoved, at, recipient_id=command.recipient_id, **by)
        case BatchImportFailed():
            return fail(batch, IMPORT_FAILED, at, **by)
        case _:
            raise TypeError(f"{type(command).__name__} is a fact, it needs no verdict")


def _schedule(batch: Batch, at: datetime, by: By) -> BatchStatusEvent:
    created = batch.created
    status = BatchStatus.SCHEDULED if created.start else BatchStatus.PENDING
    expires_at = created.expires_at or waits_until(at, created.scheduled_at)
    due = {"scheduled_at": created.scheduled_at, "expires_at": expires_at}
    return say(batch, BatchScheduled, at, status=status, **due, **by)


def _start(batch: Batch, at: datetime, by: By) -> BatchStatusEvent:
    """From now on it may start by itself: at once, or when its hour comes."""
    scheduled_at = batch.now.scheduled_at
    if scheduled_at is not None and at < scheduled_at:
        return say(batch, BatchScheduled, at, status=BatchStatus.SCHEDULED, **by)
    return start(batch, at, **by)


def _retry(batch: Batch, command: BatchRetryRequested, at: datetime, by: By) -> BatchStatusEvent:
    """Back to SCHEDULED, from where it starts as soon as it is due: at once, as a rule."""
    epoch = batch.now.epoch + 1
    epochs = {"epoch": epoch, "retry_epoch": epoch}
    if command.include_unknown:
        epochs["unknown_retry_epoch"] = epoch
    again = {
        "status": BatchStatus.SCHEDULED,
        "result": None,
        "reason_code": None,
        "reason": None,
        "finished_at": None,
        "expires_at": command.expires_at or waits_until(at, batch.now.scheduled_at),
    }
    return say(batch, BatchRetried, at, **again, **epochs, **by)


def _why_not(  # noqa: PLR0911 - one word each
    batch: Batch, command: BatchCommand
) -> str | None:
    """A stable word for what forbids it; None: nothing does."""
    status = batch.status
    if status is None:
        return None if isinstance(command, BatchCreated) else "not_created"
    if batch.deleted:
        return "deleted"
    action = _ACTIONS.get(type(command))
    if action is not None:
        if not allows(status, action, failures=batch.failures):
            return "action_not_allowed"
        if action is Action.RETRY and batch.import_failed:
            return IMPORT_FAILED
        return None
    if batch.ended:
        return "batch_ended"
    if isinstance(command, RecipientRemovalRequested):
        if command.recipient_id not in batch.present:
            return "recipient_not_found"
        return None if command.recipient_id in batch.removable else "recipient_called"
    return None


def _reject(
    batch: Batch, command: BatchCommand, at: datetime, code: str, by: By
) -> BatchActionRejected:
    status = batch.status
    allowed = (
        () if batch.deleted or status is None else allowed_actions(status, failures=batch.failures)
    )
    if batch.import_failed:
        allowed = tuple(it for it in allowed if it is not Action.RETRY)
    action = _ACTIONS.get(type(command)) or _OTHERS[type(command)]
    return say(
        batch, BatchActionRejected, at, action=action, allowed_actions=allowed, refusal=code, **by
    )
