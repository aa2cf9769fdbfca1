"""How fast a batch goes: calls asked of a carrier in the last five minutes of open calling time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from contracts.estimate import opening
from contracts.statuses import BatchStatus
from services.projections.domain.batch import Batch
from services.projections.domain.waiting import people_left

EXPLAINED: Final = """\
Calls asked of a carrier a minute: counted over the minute under way and the four before it, or
since the batch was started or its window opened, if that is less; once it is resumed or retried,
from the minute in which it was, and from the next one on as soon as that is a minute ago; 0 while
it is not RUNNING."""
MINUTE: Final = timedelta(minutes=1)
SHORTEST: Final = timedelta(seconds=10)
"""The first calls of a batch leave together: over less than this they would say nothing."""
ENOUGH: Final = timedelta(minutes=1)
"""From here on what was seen tells more than what is to be expected."""


@dataclass(frozen=True, slots=True)
class Pace:
    per_minute: float
    measured: timedelta
    """Over how long."""
    of_this_turn: bool = True
    """Not over a time in which it was held, too."""

    @property
    def tells(self) -> bool:
        return self.per_minute > 0 and self.measured >= ENOUGH and self.of_this_turn


STANDSTILL: Final = Pace(0, timedelta())


def pace_of(batch: Batch, now: datetime) -> Pace:
    """The calls that are counted are divided by the very time in which they were placed."""
    lately = batch.lately
    if batch.status is not BatchStatus.RUNNING or lately.since is None:
        return STANDSTILL
    turned = min(batch.turned_at or lately.since, now)
    known = lately.since, _turned(batch, turned, now), _opened(batch, lately.since)
    began = max(filter(None, known))
    placed = sum(calls for minute, calls in lately.placed.items() if minute >= _minute_of(began))
    measured = max(now - began, SHORTEST)
    return Pace(round(placed / (measured / MINUTE), 1), measured, began >= turned)


def _turned(batch: Batch, turned: datetime, now: datetime) -> datetime:
    """From when on calls are counted because it was set going: they are known by the minute.

    The minute of a resume may have calls from before the pause, so it counts whole until there is
    enough without it.  Before its start a batch has no calls.
    """
    started = min(batch.state.started_at or turned, turned)
    minute = _minute_of(turned)
    if started >= turned:
        return turned
    return minute + MINUTE if now >= minute + MINUTE + ENOUGH else max(minute, started)


def _minute_of(instant: datetime) -> datetime:
    return instant.replace(second=0, microsecond=0)


def _opened(batch: Batch, since: datetime) -> datetime | None:
    window = batch.created.window
    openings = (opening(window, zones, since) for zones in people_left(batch))
    return min((opens for opens, _ in filter(None, openings)), default=None)
