"""A clock that runs for years, in every zone, meets every opening there is, and none besides.

What an opening should be is told by reading the clock on the wall around it, and by nothing else.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from contracts import calendar
from contracts.calendar import WEEK, Window, closes_at, is_open, next_open, zone_names
from tests.faults.mutants.calendar import NAIVE

DAY, INSTANT = timedelta(days=1), timedelta(microseconds=1)
AROUND = [
    timedelta(minutes=5),
    timedelta(minutes=35),
    timedelta(minutes=65),
    timedelta(minutes=125),
]
"""How far from an edge the clock is read again: clocks change by 20 minutes to 2 hours."""
WINDOWS = [
    {"start": "09:00", "end": "18:00", "days": WEEK[:5]},
    {"start": "22:15", "end": "02:30", "days": WEEK},
    {"start": "01:45", "end": "05:00", "days": ("sat", "sun", "mon", "fri")},
    {"start": "00:00", "end": "24:00", "days": ("tue", "sun")},
]
ONE_YEAR, ALL_YEARS = (2026,), tuple(range(2020, 2037))


def windows() -> list[Window]:
    return [Window.model_validate({"timezone": "recipient", **each}) for each in WINDOWS]


def zones_that_differ(years: tuple[int, ...]) -> list[str]:
    """Of those whose clocks show the same all along, one stands for all."""
    start, days = datetime(years[0], 1, 1, tzinfo=UTC), 366 * len(years)
    shown: dict[object, str] = {}
    for zone in sorted(zone_names()):
        info = ZoneInfo(zone)
        offsets = [(start + n * DAY).astimezone(info).utcoffset() for n in range(days)]
        changes = [n for n, (before, after) in enumerate(pairwise(offsets)) if before != after]
        hours = [start + n * DAY + half * DAY / 48 for n in changes for half in range(48)]
        finer = [at.astimezone(info).utcoffset() for at in hours]
        shown.setdefault((*offsets, *finer), zone)
    return list(shown.values())


class Wall:
    def __init__(self, zone: str) -> None:
        self._zone = ZoneInfo(zone)

    def shows(self, at: datetime) -> datetime:
        return at.astimezone(self._zone).replace(tzinfo=None)


def openings(of: Window, zone: str, years: tuple[int, ...]) -> Iterator[tuple[datetime, datetime]]:
    """As somebody meets them who sleeps until the next opening, then until it closes."""
    now = datetime(years[0], 1, 1, tzinfo=UTC)
    if is_open(of, [zone], now):
        now = closes_at(of, [zone], now)  # the start of this one is past
    while now.year <= years[-1]:
        opens = next_open(of, [zone], now)
        assert opens is not None, f"{of} in {zone} after {now}"
        closes = closes_at(of, [zone], opens)
        assert opens < closes, f"{of} in {zone} at {opens}"
        yield opens, closes
        now = closes


def assert_met(of: Window, zone: str, years: tuple[int, ...]) -> None:
    wall, due = Wall(zone), None
    for opens, closes in openings(of, zone, years):
        story = f"{of.start}-{of.end} {of.days} in {zone}: {opens} to {closes}"
        day = wall.shows(opens).date()
        assert WEEK[day.weekday()] in of.days, story
        assert due in {None, day}, f"{story}, expected on {due}"
        assert_begins(wall, at(day, of.start), opens, story)
        assert_ends(wall, ending(of, day), closes, story)
        assert is_open(of, [zone], closes - INSTANT), story
        assert not is_open(of, [zone], closes), story
        due = next_named(of, day)


def at(day: date, clock: str) -> datetime:
    hours, minutes = map(int, clock.split(":"))
    return datetime.combine(day, time()) + timedelta(hours=hours, minutes=minutes)


def ending(of: Window, day: date) -> datetime:
    return at(day if of.start < of.end else day + DAY, of.end)


def next_named(of: Window, day: date) -> date:
    return next(day + n * DAY for n in range(1, 8) if WEEK[(day + n * DAY).weekday()] in of.days)


def assert_begins(wall: Wall, start: datetime, opens: datetime, story: str) -> None:
    """The clock has come to the start, for the first time."""
    assert wall.shows(opens) >= start, story
    assert all(wall.shows(opens - before) < start for before in [INSTANT, *AROUND]), story


def assert_ends(wall: Wall, end: datetime, closes: datetime, story: str) -> None:
    """The clock has come to the end, for the last time: perhaps by being turned back to it."""
    turned_back = wall.shows(closes - INSTANT) > wall.shows(closes) == end
    assert wall.shows(closes - INSTANT) < end or turned_back, story
    assert all(wall.shows(closes + after) >= end for after in [0 * INSTANT, *AROUND]), story


def assert_all_met(zones: Iterable[str], years: tuple[int, ...]) -> None:
    for zone in zones:
        for of in windows():
            assert_met(of, zone, years)


def test_every_opening_of_a_year_is_met_in_every_zone() -> None:
    assert_all_met(zones_that_differ(ONE_YEAR), ONE_YEAR)


@pytest.mark.chaos
@pytest.mark.parametrize("of", windows(), ids=lambda of: f"{of.start}-{of.end}")
def test_every_opening_of_seventeen_years_is_met_in_every_zone(of: Window) -> None:
    for zone in zones_that_differ(ALL_YEARS):
        assert_met(of, zone, ALL_YEARS)


@pytest.mark.parametrize("naive", NAIVE)
def test_a_calendar_of_naive_local_time_is_found_out(
    naive: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calendar, "_instant", NAIVE[naive])
    calendar._opening.cache_clear()
    try:
        with pytest.raises(AssertionError):
            assert_all_met(["Europe/Paris"], ONE_YEAR)
    finally:
        calendar._opening.cache_clear()
