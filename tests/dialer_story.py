"""What ingest and the scheduler tell a dialer: batches, grants, closings."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from contracts.batches import BatchCreated
from contracts.dispatch import EarlierCall, RecipientQueued
from contracts.ids import call_id_of, command_id_of, recipient_id_of
from contracts.sealed import RecipientSecrets, Seal
from contracts.status import BatchPaused, BatchStatusEvent
from contracts.statuses import BatchStatus

ACCOUNT = "default"


@dataclass(frozen=True)
class Batch:
    batch_id: UUID
    seal: Seal
    created: BatchCreated


def grant_of(
    batch: Batch, row: int, number: str, *, grant_no: int = 1, epoch: int = 1,
    place_before: datetime | None = None, look_up_first: tuple[EarlierCall, ...] = (),
    variables: dict[str, str] | None = None, max_duration_seconds: int = 600,
) -> RecipientQueued:  # fmt: skip
    recipient_id = recipient_id_of(batch.created.addition.addition_id, row)
    secrets = RecipientSecrets(phone_number=number, name="Ann", variables=variables or {})
    return RecipientQueued(
        account_id=ACCOUNT, at=now(), batch_id=batch.batch_id, recipient_id=recipient_id,
        call_id=call_id_of(batch.batch_id, recipient_id, grant_no), grant_no=grant_no,
        attempt=grant_no, epoch=epoch, sealed=batch.seal.close(secrets), agent_id="agent",
        from_number="+12025550100", place_before=place_before, limit=10,
        look_up_first=look_up_first, max_duration_seconds=max_duration_seconds,
    )  # fmt: skip


def paused(batch: Batch, *, epoch: int, sequence: int = 2) -> BatchStatusEvent:
    return BatchPaused(
        account_id=ACCOUNT, at=now(), batch_id=batch.batch_id, sequence=sequence,
        status=BatchStatus.PAUSED, epoch=epoch, command_no=sequence,
        command_id=command_id_of(batch.batch_id, sequence),
    )  # fmt: skip


def numbers(count: int, first: int = 0) -> list[str]:
    """All different, and none that ends as the network's magic ones do."""
    return [f"+1202555{n:05d}9" for n in range(first, first + count)]


def now() -> datetime:
    return datetime.now(UTC)


def soon(seconds: float) -> datetime:
    return now() + timedelta(seconds=seconds)
