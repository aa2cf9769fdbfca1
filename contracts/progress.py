"""How far a recipient is: (grant_no, stage) only grows, so every order and repeat fold the same."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from contracts.batches import RetryPolicy
from contracts.calls import CallCompleted, CallEvent, CallPlacing, CallReturned, CallStarted
from contracts.dispatch import RecipientQueued
from contracts.outcomes import Outcome, RecipientStatus, status_of

ATTEMPT_CAP = 20
"""No recipient is called more often, over all runs of its batch and whatever rules apply."""


class Stage(IntEnum):
    """Ordered within one grant; RETURNED and UNKNOWN exclude each other."""

    NONE = 0
    QUEUED = 1
    PLACING = 2
    STARTED = 3
    RETURNED = 4
    UNKNOWN = 5
    ENDED = 6


IN_FLIGHT = (Stage.QUEUED, Stage.PLACING, Stage.STARTED)
"""What holds a slot."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The newest evidence about a recipient; every event carries all of it, so none is merged."""

    grant_no: int = 0
    stage: Stage = Stage.NONE
    epoch: int = 0
    attempt: int = 0
    """Grants that were not returned."""
    run_attempt: int = 0
    """The same, since the last retry."""
    outcome: Outcome | None = None
    ended_at: datetime | None = None
    not_before: datetime | None = None
    """Of a returned grant."""

    @property
    def place(self) -> tuple[int, Stage]:
        return self.grant_no, self.stage

    @property
    def in_flight(self) -> bool:
        return self.stage in IN_FLIGHT


def stage_of(event: RecipientQueued | CallEvent) -> Stage:
    match event:
        case RecipientQueued():
            return Stage.QUEUED
        case CallPlacing():
            return Stage.PLACING
        case CallStarted():
            return Stage.STARTED
        case CallReturned():
            return Stage.RETURNED
        case CallCompleted(outcome=Outcome.UNKNOWN):
            return Stage.UNKNOWN
        case CallCompleted():
            return Stage.ENDED
        case _:
            raise TypeError(type(event).__name__)


def evolve(progress: Progress, event: RecipientQueued | CallEvent) -> Progress:
    """The further of the two; evidence about an older grant never changes the recipient."""
    stage = stage_of(event)
    if (event.grant_no, stage) <= progress.place:
        return progress
    returned = isinstance(event, CallReturned)
    completed = event if isinstance(event, CallCompleted) else None
    return Progress(
        grant_no=event.grant_no,
        stage=stage,
        epoch=event.epoch,
        attempt=event.attempt - returned,
        run_attempt=event.run_attempt - returned,
        outcome=completed.outcome if completed else None,
        ended_at=completed.ended_at if completed else None,
        not_before=event.not_before if isinstance(event, CallReturned) else None,
    )


@dataclass(frozen=True, slots=True)
class Rules:
    """What of its batch decides whether a recipient is to be called again."""

    policy: RetryPolicy
    retry_epoch: int = 0
    unknown_retry_epoch: int = 0


def called_again_from(progress: Progress, rules: Rules) -> datetime | None:
    """When the next attempt is due after a call that has ended; None: never, it is final."""
    outcome, ended_at = progress.outcome, progress.ended_at
    if outcome is None or ended_at is None or progress.attempt >= ATTEMPT_CAP:
        return None
    if _a_person_asked(outcome, progress.epoch, rules):
        return ended_at
    if outcome is Outcome.UNKNOWN:
        return None  # whatever the policy says: it may have rung
    if outcome in rules.policy.on and progress.run_attempt < rules.policy.max_attempts:
        return ended_at + timedelta(seconds=rules.policy.delay_after(progress.run_attempt))
    return None


def _a_person_asked(outcome: Outcome, epoch: int, rules: Rules) -> bool:
    if outcome is Outcome.UNKNOWN:
        return epoch < rules.unknown_retry_epoch
    return epoch < rules.retry_epoch and status_of(outcome) is not RecipientStatus.COMPLETED


def recipient_status(progress: Progress, rules: Rules) -> RecipientStatus:
    """The status people see."""
    match progress.stage:
        case Stage.NONE | Stage.RETURNED:
            return RecipientStatus.PENDING
        case Stage.QUEUED:
            return RecipientStatus.QUEUED
        case Stage.PLACING | Stage.STARTED:
            return RecipientStatus.IN_PROGRESS
        case _:
            if progress.outcome is None or called_again_from(progress, rules) is not None:
                return RecipientStatus.PENDING
            return status_of(progress.outcome)
