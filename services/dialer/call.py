"""A call as the dialers hold it; its `State` only grows, so that any order folds the same.

If a call could go back, it could be placed a second time.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum, unique
from uuid import UUID

from contracts.calls import CallCompleted, CallEvent, CallPlacing, CallReturned, CallStarted
from contracts.outcomes import Outcome


@unique
class State(IntEnum):
    """Ordered as in the database; the names are what it stores."""

    GRANTED = 0
    INTENT = 1
    """Its request may leave until `send_before`."""
    UNKNOWN = 2
    """It may ring; only the reconciler can say."""
    STARTED = 3
    RETURNED = 4
    ENDED = 5


@dataclass(frozen=True, slots=True)
class Call:
    call_id: UUID
    account_id: str
    batch_id: UUID
    recipient_id: UUID
    grant_no: int
    attempt: int
    run_attempt: int
    epoch: int
    state: State
    max_duration_seconds: int = 3600
    requested_at: datetime | None = None
    send_before: datetime | None = None
    announced_at: datetime | None = None
    carrier: str | None = None
    carrier_call_id: str | None = None
    started_at: datetime | None = None
    answered_at: datetime | None = None
    answered_by: str | None = None
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    cause: str | None = None
    unknown_since: datetime | None = None
    next_check_at: datetime | None = None
    recorded: bool = False
    """What was said is in the log."""

    @property
    def given_up(self) -> bool:
        """Ended because nobody could say; later evidence still counts."""
        return self.state is State.ENDED and self.outcome is Outcome.UNKNOWN

    @property
    def longest(self) -> timedelta:
        return timedelta(seconds=self.max_duration_seconds)


_TOLD: dict[type[CallEvent], State] = {
    CallPlacing: State.UNKNOWN,
    CallStarted: State.STARTED,
    CallReturned: State.RETURNED,
    CallCompleted: State.ENDED,
}


def state_told(event: CallEvent) -> State:
    """How far a call has come by this event alone."""
    return _TOLD[type(event)]


def told(event: CallEvent) -> Call:
    """The call as one event of ours tells it, where nothing else is known of it."""
    seen = _named_by(event)
    match event:
        case CallPlacing():
            return replace(
                seen,
                carrier=event.carrier,
                send_before=event.send_before,
                announced_at=event.at,
                unknown_since=event.send_before,
                next_check_at=event.send_before,
            )
        case CallStarted():
            return replace(
                seen,
                carrier=event.carrier,
                carrier_call_id=event.carrier_call_id,
                started_at=event.at,
                next_check_at=event.at,
            )
        case CallReturned():
            return seen
        case CallCompleted():
            return replace(
                seen,
                carrier=event.carrier,
                carrier_call_id=event.carrier_call_id,
                started_at=event.started_at,
                answered_at=event.answered_at,
                ended_at=event.ended_at,
                outcome=event.outcome,
                cause=event.cause,
            )
        case _:
            raise TypeError(type(event).__name__)


def _named_by(event: CallEvent) -> Call:
    return Call(
        call_id=event.call_id,
        account_id=event.account_id,
        batch_id=event.batch_id,
        recipient_id=event.recipient_id,
        grant_no=event.grant_no,
        attempt=event.attempt,
        run_attempt=event.run_attempt,
        epoch=event.epoch,
        state=state_told(event),
        requested_at=event.requested_at,
    )


def further(known: Call | None, seen: Call) -> Call:
    """The fold of what is told of one call; `fold_calls` in queries.sql is the same rule."""
    if known is None or seen.state > known.state:
        return seen
    return seen if known.given_up and seen.state is State.ENDED and not seen.given_up else known
