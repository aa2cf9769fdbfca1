"""When a batch's calls will be over: previews and reads give one answer, in calling hours alone."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from contracts.calendar import Opening, Window, closes_at, effective_zones, next_open

EXPECTED_CALL: Final = timedelta(seconds=60)
"""From the request to the end, ringing included, while a batch has no calls of its own."""
AT_MOST: Final = timedelta(days=366)
ASKED_AGAIN_AFTER: Final = timedelta(minutes=1)
"""Whether hours that never come have come after all: clocks change."""
MOST_REMEMBERED: Final = 100_000

Zones = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """When people of the same zones asked to be called; None: at any time."""

    earliest: datetime | None = None
    latest: datetime | None = None

    def with_(self, other: "Span") -> "Span":
        latest = max(filter(None, (self.latest, other.latest)), default=None)
        if self.earliest is None or other.earliest is None:
            return Span(None, latest)
        return Span(min(self.earliest, other.earliest), latest)


def calling_time(calls: float, at_once: float, call: timedelta = EXPECTED_CALL) -> timedelta:
    """What so many calls take, that many at a time."""
    return call * math.ceil(calls / at_once)


def expected_finish(
    window: Window,
    people: Mapping[Zones, Span],
    start: datetime,
    work: timedelta,
    call: timedelta = EXPECTED_CALL,
) -> datetime | None:
    """When all have been called, whoever is never to be called left out; `work` has a call in it.

    None: nobody is, or not within a year.
    """
    ends: list[datetime | None] = []
    for zones, span in people.items():
        if opening(window, zones, start) is None:
            continue
        ends.append(expected_end(window, zones, max(start, span.earliest or start), work))
        if span.latest is not None and span.latest > start:
            ends.append(expected_end(window, zones, span.latest, call))
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None


def expected_end(window: Window, zones: Zones, at: datetime, work: timedelta) -> datetime | None:
    """When this much calling time will have passed inside the window; None: never within a year."""
    last = at + AT_MOST
    found = opening(window, zones, at)
    while found is not None and at < last:
        opens, closes = found
        if opens + work <= closes:
            return opens + work
        work -= closes - opens
        at = closes
        found = _following(window, zones, at)
    return None


def opening(window: Window, zones: Zones, at: datetime) -> Opening | None:
    """What is left of the opening around `at`, else the next one; None: within 14 days none.

    `zones` are the recipient's.  Asked for fifty batches a page: it is remembered until it closes.
    """
    asked_at, until, known = _KNOWN.get((window, zones), (None, None, None))
    if asked_at is None or until is None or not asked_at <= at < until:
        if len(_KNOWN) >= MOST_REMEMBERED:
            _KNOWN.clear()
        known = _find(window, zones, at)
        _KNOWN[window, zones] = at, known[1] if known else at + ASKED_AGAIN_AFTER, known
    return (max(at, known[0]), known[1]) if known else None


_KNOWN: Final[dict[tuple[Window, Zones], tuple[datetime, datetime, Opening | None]]] = {}


def _find(window: Window, zones: Zones, at: datetime) -> Opening | None:
    judged = effective_zones(window, zones, at)
    opens = next_open(window, judged, at)
    return None if opens is None else (opens, closes_at(window, judged, opens))


_following = lru_cache(maxsize=65_536)(_find)
"""From where an opening closes: the same instants again and again."""
