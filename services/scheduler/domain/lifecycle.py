"""What a batch does unasked: it starts, fails and ends by itself, once; and it always ends."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from contracts.lifecycle import result_of
from contracts.status import BatchCompleted, BatchStarted, BatchStatusEvent
from contracts.statuses import BatchStatus
from services.scheduler.domain.batch import Batch, say
from services.scheduler.domain.faults import fail

LIFETIME: Final = timedelta(days=30)
"""What is not placed this long after the start is given up, unless the batch says otherwise."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is left to do, as the rows tell it; the tally only where nobody is in flight."""

    in_flight: int = 0
    waiting: bool = True
    """Someone is still to be called, now or later."""
    completed: int = 0
    not_completed: int = 0


def waits_until(at: datetime, scheduled_at: datetime | None) -> datetime:
    """When a batch that does not even start is given up: nothing waits for ever."""
    return max(at, scheduled_at or at) + LIFETIME


def start(batch: Batch, at: datetime, **by: object) -> BatchStarted:
    now = batch.now
    # a retry has set its own; before the first start what stands there is for never starting
    asked = now.expires_at if now.retry_epoch else batch.created.expires_at
    times = {"started_at": now.started_at or at, "expires_at": asked or at + LIFETIME}
    return say(
        batch, BatchStarted, at, status=BatchStatus.RUNNING, epoch=now.epoch + 1, **times, **by
    )


def due(batch: Batch, work: Work, at: datetime) -> BatchStatusEvent | None:
    """The next thing that happens by itself; None: nothing now."""
    if batch.status is None or batch.ended or batch.deleted:
        return None
    active = batch.status in {BatchStatus.RUNNING, BatchStatus.PAUSED}
    if active and batch.fault is not None and batch.fault[0] == batch.now.epoch:
        return fail(batch, batch.fault[1], at)
    if batch.expired(at):
        return None if work.in_flight else _expire(batch, work, at)
    if batch.status is BatchStatus.SCHEDULED and _may_start(batch, at):
        return start(batch, at)
    return _run(batch, work, at) if batch.status is BatchStatus.RUNNING else None


def _run(batch: Batch, work: Work, at: datetime) -> BatchStatusEvent | None:
    """Whoever has nobody left to call needs neither agent nor number any more."""
    if not batch.landed or work.waiting:
        return fail(batch, batch.unusable, at) if batch.unusable else None
    return None if work.in_flight else _complete(batch, work, at, expired=False)


def _may_start(batch: Batch, at: datetime) -> bool:
    scheduled_at = batch.now.scheduled_at
    return batch.landed and (scheduled_at is None or at >= scheduled_at)


def _expire(batch: Batch, work: Work, at: datetime) -> BatchCompleted:
    """Who has not even landed is given up as well, as soon as it does."""
    if batch.landed:
        return _complete(batch, work, at, expired=work.waiting)
    unseen = replace(work, not_completed=max(1, work.not_completed))
    return _complete(batch, unseen, at, expired=True)


def _complete(batch: Batch, work: Work, at: datetime, *, expired: bool) -> BatchCompleted:
    result = result_of(completed=work.completed, not_completed=work.not_completed)
    end = {"status": BatchStatus.COMPLETED, "result": result, "finished_at": at}
    return say(batch, BatchCompleted, at, expired=expired, **end)


def wakes_at(batch: Batch, at: datetime) -> list[datetime]:
    """The instants at which the batch itself does something unasked."""
    if batch.ended or batch.deleted:
        return []
    instants = [batch.now.expires_at]
    if batch.status is BatchStatus.SCHEDULED:
        instants.append(batch.now.scheduled_at)
    return [instant for instant in instants if instant is not None and instant > at]
