"""What is told of a command: `done` only when nothing it forbids can happen any more."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from contracts.batches import (
    BatchCancelRequested,
    BatchCommand,
    BatchPauseRequested,
    BatchResumeRequested,
    BatchRetryRequested,
    BatchStartRequested,
)
from contracts.lifecycle import allowed_actions
from contracts.statuses import Action, BatchStatus

COMMANDS: Final[dict[Action, type[BatchCommand]]] = {
    Action.START: BatchStartRequested,
    Action.PAUSE: BatchPauseRequested,
    Action.RESUME: BatchResumeRequested,
    Action.CANCEL: BatchCancelRequested,
    Action.RETRY: BatchRetryRequested,
}
QUIET: Final = frozenset({BatchPauseRequested, BatchCancelRequested})
"""Done only when the dialers have said that no request is on its way."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is known of a command so far."""

    sequence: int | None
    """Of the verdict; None: there is none yet."""
    status: BatchStatus | None
    """By the verdict, else as the batch was last heard of."""
    epoch: int = 0
    refusal: str | None = None
    allowed_actions: tuple[Action, ...] = ()
    closed_through_epoch: int = 0

    @property
    def judged(self) -> bool:
        return self.sequence is not None

    def done(self, kind: type[BatchCommand]) -> bool:
        if not self.judged or self.refusal is not None:
            return False
        return kind not in QUIET or self.closed_through_epoch >= self.epoch

    def over(self, kind: type[BatchCommand]) -> bool:
        """Nothing more is to be waited for."""
        return self.refusal is not None or self.done(kind)

    @property
    def allowed(self) -> tuple[Action, ...]:
        """From here on; what a command leads to has no failures to retry yet."""
        if self.refusal is not None or self.status is None:
            return self.allowed_actions
        return allowed_actions(self.status, failures=0)


class BatchGoneError(Exception):
    """There is no such batch of this account, or not any more."""


class NotAllowedError(Exception):
    """The scheduler has refused it; the batch is as it was."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.refusal)
        self.refusal = outcome.refusal or ""
        self.status = outcome.status
        self.allowed_actions = outcome.allowed_actions


@dataclass(frozen=True, slots=True)
class Wish:
    """A command that has no number yet."""

    batch_id: UUID
    kind: type[BatchCommand]
    facts: dict[str, Any]
