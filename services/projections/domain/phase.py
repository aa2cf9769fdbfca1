"""What a batch is doing at this moment, finer than its status; nothing decides from it."""

from datetime import datetime
from enum import StrEnum

from contracts.statuses import BatchStatus
from services.projections.domain.batch import Batch
from services.projections.domain.waiting import Wait, waits_for


class Phase(StrEnum):
    INITIALIZING = "initializing"
    VALIDATING = "validating"
    WAITING_FOR_START = "waiting_for_start"
    WAITING_FOR_SCHEDULE = "waiting_for_schedule"
    DISPATCHING = "dispatching"
    IN_PROGRESS = "in_progress"
    IN_PROGRESS_CHUNKED = "in_progress_chunked"
    WAITING_FOR_WINDOW = "waiting_for_window"
    WAITING_FOR_SCHEDULED_CALLS = "waiting_for_scheduled_calls"
    WAITING_FOR_RETRY = "waiting_for_retry"
    PAUSING = "pausing"
    PAUSED = "paused"
    FINISHING = "finishing"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"


EXPLAINED = """\
What the batch is doing at this moment, finer than its status:
- `initializing`: accepted, and not yet taken note of by the scheduler.
- `validating`: its recipients are being handed over and checked to be whole; nobody is called
  before all are there. (Each row and setting was judged before the batch was accepted.)
- `waiting_for_start`, `waiting_for_schedule`: until somebody starts it, or its time comes.
- `dispatching`: started, the first calls are about to be placed.
- `in_progress`: people are being called. `in_progress_chunked`: the same, of a list so long that
  it is handed over in several chunks.
- `waiting_for_window`: nobody is in a call, and whoever is left may not be called at this hour.
- `waiting_for_scheduled_calls`: nobody is in a call, and whoever is left is to be called later,
  each at a time of their own.
- `waiting_for_retry`: nobody is in a call, and whoever is left was called and waits for the next
  attempt.
- `pausing`: calls may still be placed for a moment. `paused`: none is placed; live ones finish.
- `finishing`: the batch has ended, its last calls have not.
- `completed`, `cancelled`, `failed`: over, and nobody is in a call.
"""

_ENDED = {
    BatchStatus.COMPLETED: Phase.COMPLETED,
    BatchStatus.CANCELLED: Phase.CANCELLED,
    BatchStatus.FAILED: Phase.FAILED,
}
_WAITING = {
    Wait.WINDOW: Phase.WAITING_FOR_WINDOW,
    Wait.OWN_TIME: Phase.WAITING_FOR_SCHEDULED_CALLS,
    Wait.NEXT_ATTEMPT: Phase.WAITING_FOR_RETRY,
}


def phase_of(batch: Batch, now: datetime) -> Phase:
    if batch.state.status in _ENDED:
        return Phase.FINISHING if _may_still_call(batch) else _ENDED[batch.state.status]
    if batch.status is BatchStatus.PAUSED:
        return Phase.PAUSED if batch.gate_closed else Phase.PAUSING
    return _running(batch, now) if batch.status is BatchStatus.RUNNING else _beginning(batch, now)


def _beginning(batch: Batch, now: datetime) -> Phase:
    if not batch.sequence:
        return Phase.INITIALIZING
    if batch.landed < batch.chunks:
        return Phase.VALIDATING
    if batch.status is BatchStatus.PENDING:
        return Phase.WAITING_FOR_START
    scheduled_at = batch.state.scheduled_at
    if scheduled_at is None or scheduled_at <= now:
        return Phase.VALIDATING  # all of it is there, and it starts in this moment
    return Phase.WAITING_FOR_SCHEDULE


def _may_still_call(batch: Batch) -> bool:
    """Somebody is called; or may be, as the dialers have not said that they stopped."""
    if batch.in_flight or batch.status is BatchStatus.RUNNING:
        return True
    stopped = batch.state.status is not BatchStatus.COMPLETED and batch.state.epoch > 0
    return stopped and not batch.gate_closed


def _running(batch: Batch, now: datetime) -> Phase:
    wait = waits_for(batch, now)
    if wait is not None:
        return _WAITING[wait]
    if not batch.standings:
        return Phase.DISPATCHING
    chunked = batch.chunks > batch.additions
    return Phase.IN_PROGRESS_CHUNKED if chunked else Phase.IN_PROGRESS
