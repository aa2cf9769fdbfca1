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
since the batch was last started, resumed or retried, or its window opened, if that is less; 0 while
it is not RUNNING."""
SHORTEST: Final = timedelta(seconds=10)
"""The first calls of a batch leave together: over less than this they would say nothing."""
ENOUGH: Final = timedelta(minutes=1)
"""From here on what was seen tells more than what is to be expected."""


@dataclass(frozen=True, slots=True)
class Pace:
    per_minute: float
    measured: timedelta
    """Over how long."""

    @property
    def tells(self) -> bool:
        return self.per_minute > 0 and self.measured >= ENOUGH


STANDSTILL: Final = Pace(0, timedelta())


def pace_of(batch: Batch, now: datetime) -> Pace:
    """Counted since it was last set going or its hours opened, where that is less."""
    lately = batch.lately
    if batch.status is not BatchStatus.RUNNING or lately.since is None or not lately.placed:
        return STANDSTILL
    began = max(filter(None, (lately.since, batch.turned_at, _opened(batch, lately.since))))
    measured = max(now - began, SHORTEST)
    return Pace(round(lately.placed / (measured / timedelta(minutes=1)), 1), measured)


def _opened(batch: Batch, since: datetime) -> datetime | None:
    window = batch.created.window
    openings = (opening(window, zones, since) for zones in people_left(batch))
    return min((opens for opens, _ in filter(None, openings)), default=None)
