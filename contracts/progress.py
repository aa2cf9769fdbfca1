"""How far a recipient is: (grant_no, stage) only grows, so every order and repeat fold the same."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from types import MappingProxyType
from typing import TypeAlias

from contracts.batches import MOST_ATTEMPTS, RetryPolicy
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
    """The same, since the last retry.  What was unknown for a while uses up the rest of its run:
    its batch may have ended on the word that nobody would be called again."""
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


Evidence: TypeAlias = RecipientQueued | CallEvent

_STAGE: Mapping[type[Evidence], Stage] = MappingProxyType(
    {
        RecipientQueued: Stage.QUEUED,
        CallPlacing: Stage.PLACING,
        CallStarted: Stage.STARTED,
        CallReturned: Stage.RETURNED,
        CallCompleted: Stage.ENDED,
    }
)


def stage_of(event: Evidence) -> Stage:
    # asked for every event there is: to try one class after the other would take the most time
    if type(event) is CallCompleted and event.outcome is Outcome.UNKNOWN:
        return Stage.UNKNOWN
    return _STAGE[type(event)]


def place_of(event: Evidence) -> tuple[int, Stage]:
    return event.grant_no, stage_of(event)


def furthest_of_calls(evidence: Iterable[Evidence]) -> list[Evidence]:
    """What is known at last of each call.

    Of two events at the same place the first counts: they come from one key of one topic, whose
    order never changes.
    """
    furthest: dict[int, tuple[tuple[int, Stage], Evidence]] = {}
    for event in evidence:
        place, call = place_of(event), event.call_id.int  # a UUID itself is slow to look up
        if call not in furthest or furthest[call][0] < place:
            furthest[call] = place, event
    return [event for _, event in furthest.values()]


def furthest_of_recipients(calls: Iterable[Evidence]) -> list[Evidence]:
    """What is known at last of each recipient, given what is known at last of each call."""
    furthest: dict[int, Evidence] = {}
    for event in calls:
        known = furthest.setdefault(event.recipient_id.int, event)
        if known is not event and place_of(known) < place_of(event):
            furthest[event.recipient_id.int] = event
    return list(furthest.values())


def evolve(progress: Progress, event: Evidence) -> Progress:
    """The further of the two; evidence about an older grant never changes the recipient."""
    stage = stage_of(event)
    if (event.grant_no, stage) <= progress.place:
        return progress
    returned = event if isinstance(event, CallReturned) else None
    completed = event if isinstance(event, CallCompleted) else None
    run_attempt = event.run_attempt - (returned is not None)
    return Progress(
        grant_no=event.grant_no,
        stage=stage,
        epoch=event.epoch,
        attempt=event.attempt - (returned is not None),
        run_attempt=MOST_ATTEMPTS if completed and completed.late else run_attempt,
        outcome=completed.outcome if completed else None,
        ended_at=completed.ended_at if completed else None,
        not_before=returned.not_before if returned else None,
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
