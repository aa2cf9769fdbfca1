"""May this recipient be called now, and if not, why and until when: one answer for all who ask."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from contracts.calendar import Window, closes_at, effective_zones, is_open, next_open
from contracts.outcomes import Outcome
from contracts.progress import Progress, Rules, Stage, called_again_from
from contracts.statuses import BatchStatus


class Code(StrEnum):
    """Stable words for why nobody rings this recipient right now."""

    NOT_STARTED = "not_started"
    BATCH_PAUSED = "batch_paused"
    BATCH_ENDED = "batch_ended"
    WINDOW_CLOSED = "window_closed"
    NOT_BEFORE = "not_before"
    RETRY_DELAY = "retry_delay"
    NO_FREE_SLOT = "no_free_slot"
    NUMBER_BUSY = "number_busy"
    PLACING = "placing"
    CALLED = "called"
    SUPPRESSED = "suppressed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Reason:
    """`until` None: it does not pass with time alone."""

    code: Code
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class BatchFacts:
    status: BatchStatus
    window: Window
    rules: Rules
    scheduled_at: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RecipientFacts:
    progress: Progress
    zones: Sequence[str] = ()
    not_before: datetime | None = None
    same_number_in_call: bool = False


def why_not_batch(batch: BatchFacts, at: datetime) -> Reason | None:
    """What keeps the whole batch from calling; None: nothing.  Windows are asked per recipient."""
    match batch.status:
        case BatchStatus.SCHEDULED | BatchStatus.PENDING:
            return Reason(Code.NOT_STARTED, batch.scheduled_at)
        case BatchStatus.PAUSED:
            return Reason(Code.BATCH_PAUSED)
        case BatchStatus.COMPLETED | BatchStatus.CANCELLED | BatchStatus.FAILED:
            return Reason(Code.BATCH_ENDED)
        case BatchStatus.RUNNING:
            expired = batch.expires_at is not None and at >= batch.expires_at
            return Reason(Code.EXPIRED) if expired else None


def why_not_progress(recipient: RecipientFacts, rules: Rules, at: datetime) -> Reason | None:
    """What its own calls keep a recipient from; None: it waits for its first or next attempt."""
    progress = recipient.progress
    if progress.in_flight:
        return Reason(Code.PLACING if progress.stage is not Stage.STARTED else Code.CALLED)
    if progress.stage is Stage.RETURNED:
        return _later(Code.NUMBER_BUSY, progress.not_before, at)
    if progress.outcome is not None:
        due = called_again_from(progress, rules)
        if due is None:
            return Reason(_FINAL.get(progress.outcome, Code.CALLED))
        return _later(Code.RETRY_DELAY, due, at)
    return None


_FINAL = {Outcome.SUPPRESSED: Code.SUPPRESSED, Outcome.EXPIRED: Code.EXPIRED}


def why_not(batch: BatchFacts, recipient: RecipientFacts, at: datetime) -> Reason | None:
    """The first thing that keeps this recipient from a slot; None: only that none is free."""
    return (
        why_not_progress(recipient, batch.rules, at)
        or why_not_batch(batch, at)
        or _later(Code.NOT_BEFORE, recipient.not_before, at)
        or (Reason(Code.NUMBER_BUSY) if recipient.same_number_in_call else None)
        or why_not_window(batch.window, recipient.zones, at)
    )


def why_not_window(window: Window, zones: Sequence[str], at: datetime) -> Reason | None:
    """`zones` are the recipient's; the window says whether they count."""
    judged = effective_zones(window, zones, at)
    if is_open(window, judged, at):
        return None
    return Reason(Code.WINDOW_CLOSED, next_open(window, judged, at))


def _later(code: Code, due: datetime | None, at: datetime) -> Reason | None:
    return Reason(code, due) if due is not None and due > at else None


EXPECTED_CALL = timedelta(seconds=60)
"""From the request to the end, ringing included, while a batch has no pace of its own."""


def calling_time(calls: int, at_once: int) -> timedelta:
    """What so many calls take that many at a time, where nobody knows better."""
    return EXPECTED_CALL * -(-calls // at_once)


def expected_end(
    window: Window, zones: Sequence[str], at: datetime, work: timedelta
) -> datetime | None:
    """When this much calling time will have passed inside the window; None: never within a year."""
    last = at + timedelta(days=366)
    zones = effective_zones(window, zones, at)
    while at < last:
        opens = next_open(window, zones, at)
        if opens is None:
            return None
        closes = closes_at(window, zones, opens)
        if opens + work <= closes:
            return opens + work
        work -= closes - opens
        at = closes
    return None
