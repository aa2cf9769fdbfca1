"""The scheduler's and the dialers' words to ingest, said by a test in their stead."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from contracts.event import Event
from contracts.gates import BatchGateClosed
from contracts.ids import command_id_of
from contracts.status import (
    BatchActionRejected,
    BatchPaused,
    BatchStatusEvent,
    RecipientRemoved,
    RecipientsAddAccepted,
)
from contracts.statuses import Action, BatchStatus
from tests.desk import Desk


def accepted(
    batch_id: UUID, command_no: int, *, epoch: int = 1, kind: type[BatchStatusEvent] = BatchPaused
) -> BatchStatusEvent:
    status = BatchStatus.PAUSED if kind is BatchPaused else BatchStatus.RUNNING
    return kind(**_verdict(batch_id, command_no, epoch), status=status)


def refused(
    batch_id: UUID, command_no: int, refusal: str, status: BatchStatus = BatchStatus.COMPLETED
) -> BatchActionRejected:
    return BatchActionRejected(
        **_verdict(batch_id, command_no, 1),
        status=status,
        action="pause",
        refusal=refusal,
        allowed_actions=(Action.RENAME, Action.DELETE),
    )


def added(batch_id: UUID, command_no: int, addition_id: UUID) -> RecipientsAddAccepted:
    said = _verdict(batch_id, command_no, 1)
    return RecipientsAddAccepted(**said, status=BatchStatus.RUNNING, addition_id=addition_id)


def removed(batch_id: UUID, command_no: int, recipient_id: UUID) -> RecipientRemoved:
    said = _verdict(batch_id, command_no, 1)
    return RecipientRemoved(**said, status=BatchStatus.RUNNING, recipient_id=recipient_id)


def closed(
    batch_id: UUID, through: int, *, for_good: bool = False, live: int = 0
) -> BatchGateClosed:
    return BatchGateClosed(
        account_id="default",
        at=datetime.now(UTC),
        batch_id=batch_id,
        through_epoch=through,
        for_good=for_good,
        live=live,
    )


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """How long whoever asks of a batch waits for an answer."""
    with pytest.MonkeyPatch.context() as patch:
        for waiting in ("asking", "deleting"):
            patch.setattr(f"services.ingest.life.{waiting}.PATIENCE", seconds)
        yield


def impatience() -> AbstractContextManager[None]:
    """Whoever asks is told soon that nobody has answered."""
    return patience(0.3)


async def say(desk: Desk, *events: Event) -> None:
    for event in events:
        writer = "dialer" if isinstance(event, BatchGateClosed) else "scheduler"
        await desk.service.ground.producer.publish([event], writer=writer)


def _verdict(batch_id: UUID, command_no: int, epoch: int) -> dict[str, Any]:
    return {
        "account_id": "default",
        "at": datetime.now(UTC),
        "batch_id": batch_id,
        "sequence": command_no,
        "epoch": epoch,
        "command_no": command_no,
        "command_id": command_id_of(batch_id, command_no),
    }
