"""Which action each status allows: one table for whoever decides, answers or draws a button."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

from contracts.status import BatchStatusEvent
from contracts.statuses import Action, BatchStatus, Result

_A, _S = Action, BatchStatus

ALLOWED: Mapping[BatchStatus, frozenset[Action]] = MappingProxyType(
    {
        _S.SCHEDULED: frozenset({_A.CANCEL, _A.RENAME, _A.DELETE}),
        _S.PENDING: frozenset({_A.START, _A.CANCEL, _A.RENAME, _A.DELETE}),
        _S.RUNNING: frozenset({_A.PAUSE, _A.CANCEL, _A.RENAME, _A.DELETE}),
        _S.PAUSED: frozenset({_A.RESUME, _A.CANCEL, _A.RENAME, _A.DELETE}),
        _S.COMPLETED: frozenset({_A.RETRY, _A.RENAME, _A.DELETE}),
        _S.CANCELLED: frozenset({_A.RETRY, _A.RENAME, _A.DELETE}),
        _S.FAILED: frozenset({_A.RETRY, _A.RENAME, _A.DELETE}),
    }
)
TERMINAL = frozenset({_S.COMPLETED, _S.CANCELLED, _S.FAILED})

E = TypeVar("E", bound=BatchStatusEvent)


def allowed_actions(status: BatchStatus, *, failures: int) -> tuple[Action, ...]:
    """What may be asked now, in the order people read it.

    `failures` counts recipients FAILED or NO_ANSWER: COMPLETED without any has nothing to retry.
    """
    allowed = ALLOWED[status]
    if status is BatchStatus.COMPLETED and not failures:
        allowed -= {Action.RETRY}
    return tuple(action for action in Action if action in allowed)


def allows(status: BatchStatus, action: Action, *, failures: int) -> bool:
    return action in allowed_actions(status, failures=failures)


def newest(known: E | None, event: E) -> E:
    """The fold of status events: each carries the whole status, so the highest sequence is it."""
    return event if known is None or event.sequence > known.sequence else known


def result_of(*, completed: int, not_completed: int) -> Result:
    """The result of a batch that has run to its end."""
    if not not_completed:
        return Result.COMPLETED
    return Result.COMPLETED_PARTIAL if completed else Result.FAILED
