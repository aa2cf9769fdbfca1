"""A grant names its call by number: made twice from the same state, it is the same call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.dispatch import EarlierCall, RecipientQueued
from contracts.ids import call_id_of
from contracts.progress import Progress
from contracts.status import BatchFailed
from contracts.statuses import BatchStatus
from services.scheduler.domain.batch import Batch
from services.scheduler.domain.fairness import Demand, allocate
from services.scheduler.domain.faults import NOT_OUTBOUND, fail


@dataclass(frozen=True, slots=True)
class Candidate:
    """Someone who may be called now; only a slot is missing."""

    recipient_id: UUID
    sealed: str
    progress: Progress
    zones: str = ""
    from_number: str | None = None
    usable: bool = True
    """Its own caller id, if it has one, may be called from."""
    earlier: tuple[EarlierCall, ...] = ()


@dataclass(frozen=True, slots=True)
class Runnable:
    """A batch that may be granted slots, with its candidates in their order."""

    batch: Batch
    in_flight: int
    candidates: Sequence[Candidate]
    closes: Mapping[str, datetime]
    """Per zones: when the window closes."""


def may_grant(batch: Batch, at: datetime) -> bool:
    running = batch.status is BatchStatus.RUNNING and not batch.deleted
    return running and not batch.expired(at)


def free_slots(limit: int, in_flight: int) -> int:
    return max(0, limit - in_flight)


def shares_of(runnable: Sequence[Runnable], limit: int, free: int) -> dict[UUID, int]:
    """A batch that reserves as much as the account may have, since its limit fell, keeps one."""
    return allocate(
        free,
        [
            Demand(
                batch_id=it.batch.batch_id,
                in_flight=it.in_flight,
                wanted=len(it.candidates),
                reserved=min(it.batch.created.reserved_concurrency, max(0, limit - 1)),
            )
            for it in runnable
        ],
    )


def stopped(
    runnable: Sequence[Runnable], *, limit: int, free: int, at: datetime
) -> tuple[list[Runnable], list[BatchFailed]]:
    """A batch whose next call would leave from a number out of use fails; the others share."""
    failed: list[BatchFailed] = []
    while True:
        shares = shares_of(runnable, limit, free)
        faults = {
            it.batch.batch_id: fail(it.batch, NOT_OUTBOUND, at, from_number=candidate.from_number)
            for it in runnable
            for candidate in it.candidates[: shares[it.batch.batch_id]]
            if not candidate.usable
        }
        if not faults:
            return list(runnable), failed
        failed += faults.values()
        runnable = [it for it in runnable if it.batch.batch_id not in faults]


def grants(
    runnable: Sequence[Runnable], *, limit: int, free: int, at: datetime
) -> list[RecipientQueued]:
    """Who gets the free slots; `runnable` starts with the batch whose turn it is."""
    shares = shares_of(runnable, limit, free)
    return [
        grant(it.batch, candidate, closes=it.closes[candidate.zones], limit=limit, at=at)
        for it in runnable
        for candidate in it.candidates[: shares[it.batch.batch_id]]
    ]


def grant(
    batch: Batch, candidate: Candidate, *, closes: datetime, limit: int, at: datetime
) -> RecipientQueued:
    created, progress, expires_at = batch.created, candidate.progress, batch.now.expires_at
    grant_no = progress.grant_no + 1
    first_of_run = progress.epoch < batch.now.retry_epoch
    return RecipientQueued(
        account_id=created.account_id,
        at=at,
        batch_id=batch.batch_id,
        recipient_id=candidate.recipient_id,
        call_id=call_id_of(batch.batch_id, candidate.recipient_id, grant_no),
        grant_no=grant_no,
        attempt=progress.attempt + 1,
        run_attempt=1 if first_of_run else progress.run_attempt + 1,
        epoch=batch.now.epoch,
        sealed=candidate.sealed,
        agent_id=created.agent_id,
        from_number=candidate.from_number or created.from_number,
        place_before=closes if expires_at is None else min(closes, expires_at),
        limit=limit,
        look_up_first=candidate.earlier,
    )
