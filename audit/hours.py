"""Nobody is rung outside the window, before the hour of their own, or after the batch's last."""

from datetime import datetime
from typing import Final

from audit.batch import Batch
from audit.findings import check
from audit.marks import NEVER, Mark, instant, micros
from audit.person import Call, Person
from audit.scene import Scene
from contracts.calendar import Window, closes_at, effective_zones, is_open
from contracts.instants import LAST

HOURS: Final = check(
    "hours", "Calls are granted and placed inside the window, after not_before, in time."
)

_MOST_REMEMBERED: Final = 100_000


class Calendar:
    """The calendar's answers, remembered while they hold: until the window closes."""

    def __init__(self) -> None:
        self._open: dict[tuple[Window, tuple[str, ...]], tuple[datetime, datetime]] = {}

    def is_open(
        self, window: Window, zones: tuple[str, ...], at: datetime, until: datetime
    ) -> bool | None:
        """From `at` until then at least, as far as a calendar sees; None: not even at `at`."""
        since, closes = self._open.get((window, zones), (at, at))
        if since <= at < closes and until <= closes:
            return True
        judged = effective_zones(window, zones, at)
        if not is_open(window, judged, at):
            return None
        if len(self._open) >= _MOST_REMEMBERED:
            self._open.clear()
        closes = closes_at(window, judged, at)
        self._open[window, zones] = (at, closes)
        return until <= closes


def judge(person: Person, batch: Batch, calendar: Calendar, scene: Scene) -> None:
    for call in person.calls.values():
        if call.queued is None:
            continue
        scene.findings.looked(HOURS)
        wrong = _wrongly_granted(call.queued, person, batch, calendar, scene)
        if wrong is not None:
            scene.findings.breach(HOURS, wrong, *person.told(call.queued))
        wrong = _wrongly_placed(call.queued, call, scene, person)
        if wrong is not None:
            scene.findings.breach(HOURS, wrong, *person.told(call.queued, call.placing))


def _wrongly_granted(
    queued: Mark, person: Person, batch: Batch, calendar: Calendar, scene: Scene
) -> str | None:
    if _too_early(queued.at, person):
        return "granted before its recipient's not_before"
    status = batch.granting(queued)
    if status is not None and status.expires_at is not None:
        if queued.at >= micros(status.expires_at):
            return "granted after its batch had expired"
        if queued.then == NEVER or queued.then > micros(status.expires_at):
            return "may be placed after its batch has expired"
    if batch.created is None or person.row is None:
        return None  # said of others already
    at, until = instant(queued.at), instant(queued.then)
    assert at is not None  # noqa: S101 - only not_before may be missing
    zones = scene.book.zones[person.row.epoch]
    is_open = calendar.is_open(batch.created.window, zones, at, until or LAST)
    if is_open is None:
        return "granted outside the window"
    return None if is_open else "may be placed after the window has closed"


def _wrongly_placed(  # noqa: PLR0911 - one a rule
    queued: Mark, call: Call, scene: Scene, person: Person
) -> str | None:
    """Its request leaves between the two instants that its announcement names, or not at all."""
    placing = call.placing
    if placing is None:
        return None
    if placing.then == NEVER:
        return "announced without the instant of its request"
    if _too_early(min(placing.at, placing.then) + scene.apart, person):
        return "placed before its recipient's not_before"
    if queued.then == NEVER:
        return None
    if placing.detail > queued.then:
        return "could have left after the last instant its grant allows"
    if max(placing.at, placing.then) - scene.apart >= queued.then and call.returned is None:
        return "placed after the last instant its grant allows"
    return None


def _too_early(at: int, person: Person) -> bool:
    return person.row is not None and at < person.row.then
