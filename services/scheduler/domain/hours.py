"""When a batch's window opens and closes for recipients of the same zones.

Remembered until it changes: the calendar is asked once an opening, not once a decision.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.calendar import (
    RECIPIENT,
    Window,
    closes_at,
    effective_zones,
    is_open,
    next_open,
)

NEVER_LOOK_AGAIN_AFTER = timedelta(days=1)
"""A window that does not open within the calendar's horizon may do so later: clocks change."""
MOST_REMEMBERED = 100_000


@dataclass(frozen=True, slots=True)
class Hours:
    open: bool
    until: datetime
    """When that changes, or is to be asked again."""


def has_own_zone(window: Window) -> bool:
    return window.timezone != RECIPIENT


def zones_key(window: Window | None, zones: tuple[str, ...]) -> str:
    """What rows are looked up by: equal for all where the window has a zone of its own."""
    if window is not None and has_own_zone(window):
        return ""
    return ",".join(sorted(zones))


def hours(window: Window, key: str, at: datetime) -> Hours:
    zones = effective_zones(window, tuple(filter(None, key.split(","))), at)
    if is_open(window, zones, at):
        return Hours(open=True, until=closes_at(window, zones, at))
    opens = next_open(window, zones, at)
    return Hours(open=False, until=opens or at + NEVER_LOOK_AGAIN_AFTER)


class Timetable:
    """The same answers as `hours` for instants that do not go back by more than a clock's error."""

    def __init__(self) -> None:
        self._known: dict[tuple[Window, str], tuple[datetime, Hours]] = {}

    def hours(self, window: Window, key: str, at: datetime) -> Hours:
        asked_at, known = self._known.get((window, key), (None, None))
        if asked_at is not None and known is not None and asked_at <= at < known.until:
            return known
        if len(self._known) >= MOST_REMEMBERED:
            self._known.clear()
        found = hours(window, key, at)
        self._known[window, key] = (at, found)
        return found
