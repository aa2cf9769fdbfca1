"""May this recipient be called now, and if not, why and until when: one answer for all who ask."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from contracts.calendar import Window, effective_zones, is_open, next_open
from contracts.outcomes import Outcome, RecipientStatus
from contracts.progress import Progress, Rules, Stage, called_again_from, recipient_status
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
class Suppression:
    """The number is on the do-not-call list."""

    until: datetime | None = None
    """None: until somebody lifts it."""


@dataclass(frozen=True, slots=True)
class RecipientFacts:
    progress: Progress
    zones: Sequence[str] = ()
    not_before: datetime | None = None
    same_number: Progress | None = None
    """Of the nearest earlier recipient with this number."""
    suppression: Suppression | None = None
    """Of the number; None: there is none, or nobody can know now."""


@dataclass(frozen=True, slots=True, order=True)
class Turn:
    """Where somebody who lacks only a slot stands in the batch's line; then the row decides."""

    asked: bool
    """Only because a person asked for it: after all others."""
    due: datetime
    """The first instant there is: at any time."""


AT_ANY_TIME = datetime.min.replace(tzinfo=UTC)


def turn_of(recipient: RecipientFacts, rules: Rules, at: datetime) -> Turn:
    progress, not_before = recipient.progress, recipient.not_before or AT_ANY_TIME
    if progress.stage is Stage.RETURNED:
        return Turn(asked=False, due=max(not_before, progress.not_before or AT_ANY_TIME))
    if progress.outcome is None:
        return Turn(asked=False, due=not_before)
    unasked = called_again_from(progress, Rules(rules.policy))
    if unasked is not None and max(unasked, not_before) <= at:
        return Turn(asked=False, due=max(unasked, not_before))
    return Turn(asked=True, due=progress.ended_at or AT_ANY_TIME)


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


def why_no_longer(progress: Progress, rules: Rules) -> Reason | None:
    """Its call is under way, or it is final; None: it waits for its first or next attempt."""
    if progress.in_flight:
        return Reason(Code.PLACING if progress.stage is not Stage.STARTED else Code.CALLED)
    if progress.outcome is None or called_again_from(progress, rules) is not None:
        return None
    return Reason(FINAL.get(progress.outcome, Code.CALLED))


FINAL = {Outcome.SUPPRESSED: Code.SUPPRESSED, Outcome.EXPIRED: Code.EXPIRED}


def in_the_way(batch: BatchFacts, recipient: RecipientFacts, at: datetime) -> tuple[Reason, ...]:
    """All that keeps this recipient from a call, most final first; none: only that no slot is free.

    First of all the number's suppression: nothing that is done to the batch gets it called.
    """
    over = why_no_longer(recipient.progress, batch.rules)
    if over is not None:
        return (over,)
    found = (
        _why_never(recipient.suppression, at),
        why_not_batch(batch, at),
        _why_not_again(recipient.progress, batch.rules, at),
        _later(Code.NOT_BEFORE, recipient.not_before, at),
        _why_not_number(recipient, batch.rules, at),
        why_not_window(batch.window, recipient.zones, at),
    )
    return tuple(reason for reason in found if reason is not None)


def why_not(batch: BatchFacts, recipient: RecipientFacts, at: datetime) -> Reason | None:
    """The most final of what is in the way; None: only that no slot is free."""
    return next(iter(in_the_way(batch, recipient, at)), None)


def why_not_window(window: Window, zones: Sequence[str], at: datetime) -> Reason | None:
    """`zones` are the recipient's; the window says whether they count."""
    judged = effective_zones(window, zones, at)
    if is_open(window, judged, at):
        return None
    return Reason(Code.WINDOW_CLOSED, next_open(window, judged, at))


def _why_never(suppression: Suppression | None, at: datetime) -> Reason | None:
    if suppression is None:
        return None
    over = suppression.until is not None and suppression.until <= at
    return None if over else Reason(Code.SUPPRESSED, suppression.until)


def _why_not_again(progress: Progress, rules: Rules, at: datetime) -> Reason | None:
    if progress.stage is Stage.RETURNED:
        return _later(Code.NUMBER_BUSY, progress.not_before, at)
    return _later(Code.RETRY_DELAY, called_again_from(progress, rules), at)


def _why_not_number(recipient: RecipientFacts, rules: Rules, at: datetime) -> Reason | None:
    """An earlier one of this number goes first, unless its turn comes after all others."""
    own, earlier = recipient.progress, recipient.same_number
    if earlier is None:
        return None
    if earlier.in_flight:
        return Reason(Code.NUMBER_BUSY)
    if Stage.UNKNOWN in {own.stage, earlier.stage}:
        return None
    counted = rules if turn_of(recipient, rules, at).asked else Rules(rules.policy)
    waits = recipient_status(earlier, counted) is RecipientStatus.PENDING
    return Reason(Code.NUMBER_BUSY) if waits else None


def _later(code: Code, due: datetime | None, at: datetime) -> Reason | None:
    return Reason(code, due) if due is not None and due > at else None
