"""What a batch is doing at this moment, finer than its status; nothing decides from it."""

from datetime import datetime, timedelta
from enum import StrEnum

from contracts.calendar import effective_zones, is_open
from contracts.eligibility import expected_end
from contracts.outcomes import RecipientStatus
from contracts.statuses import BatchStatus
from services.projections.domain.batch import Batch


class Phase(StrEnum):
    INITIALIZING = "initializing"
    WAITING_FOR_START = "waiting_for_start"
    WAITING_FOR_SCHEDULE = "waiting_for_schedule"
    DISPATCHING = "dispatching"
    IN_PROGRESS = "in_progress"
    IN_PROGRESS_CHUNKED = "in_progress_chunked"
    WAITING_FOR_WINDOW = "waiting_for_window"
    PAUSING = "pausing"
    PAUSED = "paused"
    FINISHING = "finishing"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"


_ENDED = {
    BatchStatus.COMPLETED: Phase.COMPLETED,
    BatchStatus.CANCELLED: Phase.CANCELLED,
    BatchStatus.FAILED: Phase.FAILED,
}


def phase_of(batch: Batch, now: datetime) -> Phase:
    if batch.state.status in _ENDED:
        live = batch.in_flight or batch.status is BatchStatus.RUNNING
        return Phase.FINISHING if live else _ENDED[batch.state.status]
    if batch.status is BatchStatus.PAUSED:
        confirmed = batch.gate_epoch >= batch.state.epoch
        return Phase.PAUSED if confirmed else Phase.PAUSING
    if batch.landed < batch.chunks:
        return Phase.INITIALIZING
    if batch.status is BatchStatus.PENDING:
        return Phase.WAITING_FOR_START
    if batch.status is BatchStatus.SCHEDULED:
        return Phase.WAITING_FOR_SCHEDULE
    return _running(batch, now)


def _running(batch: Batch, now: datetime) -> Phase:
    if not batch.in_flight and batch.count(RecipientStatus.PENDING) and not _open(batch, now):
        return Phase.WAITING_FOR_WINDOW
    if not batch.standings:
        return Phase.DISPATCHING
    return Phase.IN_PROGRESS_CHUNKED if batch.chunks > 1 else Phase.IN_PROGRESS


def _zone_sets(batch: Batch, now: datetime) -> list[tuple[str, ...]]:
    window = batch.created.window
    sets = {
        effective_zones(window, zones.split(",") if zones else (), now)
        for zones in batch.zones or [""]
    }
    return [zones for zones in sets if zones]


def _open(batch: Batch, now: datetime) -> bool:
    return any(is_open(batch.created.window, zones, now) for zones in _zone_sets(batch, now))


def estimated_finish(batch: Batch, now: datetime) -> datetime | None:
    """At the rate of the last minute, inside the window; None while nothing moves."""
    if batch.status is not BatchStatus.RUNNING or not batch.placed_last_minute:
        return None
    work = timedelta(minutes=batch.remaining / batch.placed_last_minute)
    ends = [expected_end(batch.created.window, z, now, work) for z in _zone_sets(batch, now)]
    return max((end for end in ends if end is not None), default=None)
