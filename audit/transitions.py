"""A batch's status changes only as the table allows; epochs rise with start, resume and retry."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from audit.batch import Batch
from audit.book import Heard
from audit.findings import check
from audit.scene import Scene
from contracts import status
from contracts.lifecycle import TERMINAL
from contracts.status import BatchStatusEvent
from contracts.statuses import BatchStatus

TRANSITIONS: Final = check(
    "transitions", "A batch changes its status and its epochs only in the ways allowed."
)

_S = BatchStatus
_LIVE: Final = frozenset(_S) - TERMINAL
_NONE: Final[frozenset[BatchStatus | None]] = frozenset({None})

Rule = tuple[frozenset[BatchStatus | None], frozenset[BatchStatus]]
"""From which, to which."""

FROM_TO: Final[Mapping[type[BatchStatusEvent], Rule]] = MappingProxyType(
    {
        status.BatchScheduled: (_NONE | {_S.PENDING}, frozenset({_S.SCHEDULED, _S.PENDING})),
        status.BatchStarted: (frozenset({_S.SCHEDULED, _S.PENDING}), frozenset({_S.RUNNING})),
        status.BatchPaused: (frozenset({_S.RUNNING}), frozenset({_S.PAUSED})),
        status.BatchResumed: (frozenset({_S.PAUSED}), frozenset({_S.RUNNING})),
        status.BatchCancelled: (_LIVE, frozenset({_S.CANCELLED})),
        status.BatchRetried: (TERMINAL, frozenset({_S.SCHEDULED})),
        status.BatchCompleted: (_LIVE, frozenset({_S.COMPLETED})),
        status.BatchFailed: (_LIVE, frozenset({_S.FAILED})),
    }
)
"""The others leave it as it was."""
OF_A_LIVE_BATCH: Final = (status.RecipientsAddAccepted, status.RecipientRemoved)
RAISES: Final = (status.BatchStarted, status.BatchResumed, status.BatchRetried)


def judge_batch(batch: Batch, scene: Scene) -> None:
    before: BatchStatusEvent | None = None
    last: Heard[BatchStatusEvent] | None = None
    for heard in batch.statuses:
        scene.findings.looked(TRANSITIONS)
        wrong = _wrong_status(before, heard.event) or _wrong_epochs(before, heard.event)
        if wrong is not None:
            told = [h.told for h in (last, heard) if h is not None]
            scene.findings.breach(TRANSITIONS, wrong, *told)
        before, last = heard.event, heard


def _wrong_status(before: BatchStatusEvent | None, event: BatchStatusEvent) -> str | None:
    was = None if before is None else before.status
    name = type(event).__name__
    if type(event) in FROM_TO:
        sources, targets = FROM_TO[type(event)]
        if was not in sources or event.status not in targets:
            return f"{name} from {was} to {event.status}"
        return None
    if event.status != was or (isinstance(event, OF_A_LIVE_BATCH) and was in TERMINAL):
        return f"{name} from {was} to {event.status}"
    return None


def _wrong_epochs(before: BatchStatusEvent | None, event: BatchStatusEvent) -> str | None:
    epoch = (before.epoch if before else 0) + isinstance(event, RAISES)
    if event.epoch != epoch:
        return f"epoch {event.epoch}, not {epoch}"
    retried = isinstance(event, status.BatchRetried)
    retry_epoch = epoch if retried else (before.retry_epoch if before else 0)
    unknown = before.unknown_retry_epoch if before else 0
    if event.retry_epoch != retry_epoch:
        return f"retry_epoch {event.retry_epoch}, not {retry_epoch}"
    if event.unknown_retry_epoch not in ({unknown, epoch} if retried else {unknown}):
        return f"unknown_retry_epoch {event.unknown_retry_epoch}"
    return None
