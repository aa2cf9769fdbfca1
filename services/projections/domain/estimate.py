"""When a batch will be done, or why nobody can say: never a guess, never in the past.

Before its first call it is what the preview said.  From then on it goes by the batch's own calls.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from contracts.estimate import (
    EXPECTED_CALL,
    Span,
    Zones,
    calling_time,
    expected_finish,
    opening,
)
from contracts.statuses import BatchStatus
from services.projections.domain.batch import Batch
from services.projections.domain.effort import Left, left_of
from services.projections.domain.pace import ENOUGH, Pace
from services.projections.domain.waiting import people_left, waits_for


class Unknown(StrEnum):
    """Why there is no estimate."""

    NOT_STARTED = "not_started"
    WAITING_FOR_PEOPLE = "waiting_for_people"
    PAUSED = "paused"
    ENDED = "ended"
    NO_PACE_YET = "no_pace_yet"
    NEVER_OPEN = "never_open"
    TOO_FAR_OFF = "too_far_off"


MESSAGES = {
    Unknown.NOT_STARTED: "The batch waits for somebody to start it.",
    Unknown.WAITING_FOR_PEOPLE: "Its recipients are still being handed over.",
    Unknown.PAUSED: "The batch is paused; nobody can say when it will be resumed.",
    Unknown.ENDED: "The batch has ended, or nobody is left to be called.",
    Unknown.NO_PACE_YET: "None of its calls is over yet, so there is nothing to go by.",
    Unknown.NEVER_OPEN: "In no hour may anyone who is left be called; give the window a"
    " fallback_timezone.",
    Unknown.TOO_FAR_OFF: "At this rate it takes more than a year.",
}


def estimate(batch: Batch, pace: Pace, now: datetime) -> datetime | Unknown:
    unknown = _nothing_to_estimate(batch)
    if unknown is not None:
        return unknown
    plan = _Plan(batch, left_of(batch), max(now, batch.starts_at or now), people_left(batch))
    if plan.never_opens:
        return Unknown.NEVER_OPEN
    work = plan.by_pace(pace, now) or plan.by_slots()
    return Unknown.NO_PACE_YET if work is None else plan.finish(work) or Unknown.TOO_FAR_OFF


def _nothing_to_estimate(batch: Batch) -> Unknown | None:
    match batch.status:
        case BatchStatus.COMPLETED | BatchStatus.CANCELLED | BatchStatus.FAILED:
            return Unknown.ENDED
        case BatchStatus.PAUSED:
            return Unknown.PAUSED
        case BatchStatus.SCHEDULED | BatchStatus.PENDING if batch.landed < batch.chunks:
            return Unknown.WAITING_FOR_PEOPLE
        case BatchStatus.PENDING:
            return Unknown.NOT_STARTED
        case _:
            return None if batch.remaining else Unknown.ENDED


@dataclass(frozen=True, slots=True)
class _Plan:
    batch: Batch
    left: Left
    start: datetime
    people: Mapping[Zones, Span]

    @property
    def never_opens(self) -> bool:
        window = self.batch.created.window
        return all(opening(window, zones, self.start) is None for zones in self.people)

    @property
    def call(self) -> timedelta:
        return self.left.call or EXPECTED_CALL

    def by_pace(self, pace: Pace, now: datetime) -> timedelta | None:
        """As fast as it goes, where that was seen for long enough and it goes on."""
        if not pace.tells or waits_for(self.batch, now) is not None:
            return None
        to_place = self.left.calls - self.left.in_flight
        return timedelta(minutes=to_place / pace.per_minute) + self.call

    def by_slots(self) -> timedelta | None:
        """As many at a time as it may have, each as long as those so far."""
        begun = self.batch.lately.newest is not None or self.left.in_flight
        if self.batch.at_once is None or (begun and self.left.call is None):
            return None
        return calling_time(self.left.calls, self.batch.at_once, self.call)

    def finish(self, work: timedelta) -> datetime | None:
        """Not before the delays between attempts are over."""
        ends = [self._ends(self.people, self.start, work)]
        again = self._again(work)
        if again is not None:
            ends.append(self._ends(dict.fromkeys(self.people, Span()), again, self.call))
        known = [end for end in ends if end is not None]
        return max(known) if len(known) == len(ends) else None

    def _ends(
        self, people: Mapping[Zones, Span], start: datetime, work: timedelta
    ) -> datetime | None:
        return expected_finish(self.batch.created.window, people, start, work, self.call)

    def _again(self, work: timedelta) -> datetime | None:
        """From when on whoever is tried last may be called; None: nobody is to be waited for."""
        left, newest = self.left, self.batch.lately.newest
        once = self._ends(self.people, self.start, work * (left.people / left.calls))
        ended = self.start if newest is None else min(self.start, newest + ENOUGH + self.call)
        due = [
            (ended if group.delayed else once or self.start) + delays
            for group in left.groups
            for delays in [left.delays_of(group)]
            if delays
        ]
        return max([self.start, *due]) if due else None
