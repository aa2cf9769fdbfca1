"""On any night the clocks change, in any zone, the calendar says what a watched clock shows."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.calendar import HORIZON, WEEK, Window, closes_at, is_open, next_open, zone_names

MINUTE = timedelta(minutes=1)
UTC_ZONE = "UTC"


def window(hours: str, days: tuple[str, ...] = WEEK) -> Window:
    start, end = hours.split("-")
    return Window.model_validate(
        {"start": start, "end": end, "days": days, "timezone": "recipient"}
    )


@dataclass(frozen=True)
class ClockChange:
    zone: str
    at: datetime
    local_before: datetime
    local_after: datetime


@cache
def clock_changes() -> tuple[ClockChange, ...]:
    """Every change of every zone from 2020 to 2035; one zone stands for those that change alike."""
    distinct: dict[tuple[datetime, ...], ClockChange] = {}
    weeks = [datetime(2020, 1, 1, tzinfo=UTC) + timedelta(weeks=n) for n in range(16 * 53)]
    for zone in sorted(zone_names()):
        info = ZoneInfo(zone)
        for before, after in pairwise(weeks):
            if before.astimezone(info).utcoffset() != after.astimezone(info).utcoffset():
                change = _change_between(zone, before, after)
                distinct[change.at, change.local_before, change.local_after] = change
    return tuple(distinct.values())


def _change_between(zone: str, before: datetime, after: datetime) -> ClockChange:
    info = ZoneInfo(zone)
    old = before.astimezone(info).utcoffset()
    while after - before > MINUTE:
        middle = before + (after - before) // MINUTE // 2 * MINUTE
        if middle.astimezone(info).utcoffset() == old:
            before = middle
        else:
            after = middle
    assert old is not None
    old_clock = (after + old).replace(tzinfo=None)
    return ClockChange(zone, after, old_clock, after.astimezone(info).replace(tzinfo=None))


class SlowCalendar:
    """Walks the clock on the wall minute by minute and writes down what it shows."""

    def __init__(self, zone: str, around: datetime, days: int) -> None:
        start, info = around - timedelta(days=days), ZoneInfo(zone)
        self.instants = [start + n * MINUTE for n in range(days * 2 * 24 * 60)]
        self.shown = [
            clock for n in range(days * 2 * 24) for clock in _shown_in_hour(start, n, info)
        ]
        numbers = range(len(self.shown))
        self.first = dict(zip(reversed(self.shown), reversed(numbers), strict=True))
        self.last = dict(zip(self.shown, numbers, strict=True))

    def open_minutes(self, of: Window) -> list[bool]:
        result = [False] * len(self.instants)
        day, final = self.shown[0].date() - timedelta(days=1), self.shown[-1].date()
        while day <= final:
            if WEEK[day.weekday()] in of.days:
                opens, closes = _hours_on(of, day)
                for n in range(self._reached(self.first, opens), self._reached(self.last, closes)):
                    result[n] = True
            day += timedelta(days=1)
        return result

    def _reached(self, shown: dict[datetime, int], clock: datetime) -> int:
        if clock in shown:
            return shown[clock]
        later = (n for n, seen in enumerate(self.shown) if seen > clock)
        return next(later, len(self.shown))


def _shown_in_hour(start: datetime, hour: int, zone: ZoneInfo) -> list[datetime]:
    """What the clock shows each minute; one that shows an hour's end on time was not changed in it.

    No clock is changed and changed back within an hour.
    """
    instants = [start + (hour * 60 + n) * MINUTE for n in range(60)]
    first = instants[0].astimezone(zone).replace(tzinfo=None)
    if instants[-1].astimezone(zone).replace(tzinfo=None) == first + 59 * MINUTE:
        return [first + n * MINUTE for n in range(60)]
    return [at.astimezone(zone).replace(tzinfo=None) for at in instants]


def _hours_on(of: Window, day: date) -> tuple[datetime, datetime]:
    def at(clock: str) -> datetime:
        return datetime.combine(day, time()) + timedelta(
            hours=int(clock[:2]), minutes=int(clock[3:])
        )

    return at(of.start), at(of.end) + (timedelta(days=1) if of.end < of.start else timedelta())


def assert_agrees(of: Window, zone: str, slow: SlowCalendar, minutes: range) -> None:
    """The calendar says of each of these minutes what the slow one sees."""
    expected = slow.open_minutes(of)
    for n in minutes:
        at, story = slow.instants[n], f"{of} in {zone} at {slow.shown[n]} ({slow.instants[n]})"
        assert is_open(of, [zone], at) is expected[n], story
        opens = next((i for i in range(n, len(expected)) if expected[i]), None)
        answer = next_open(of, [zone], at)
        if opens is None:
            assert answer is None or answer > slow.instants[-1], story
        else:
            assert answer == slow.instants[opens], story
        if expected[n]:
            closed = next((i for i in range(n, len(expected)) if not expected[i]), None)
            closes = closes_at(of, [zone], at)
            assert closes > slow.instants[-1] if closed is None else closes == slow.instants[closed]
            assert is_open(of, [zone], closes - timedelta(microseconds=1)), story


def clock(at: datetime) -> str:
    return f"{at:%H:%M}"


SHAPES: dict[str, Callable[[datetime, datetime], tuple[datetime, datetime]]] = {
    "starts inside the change": lambda low, high: (low + (high - low) / 2, high + 3 * 60 * MINUTE),
    "ends inside the change": lambda low, high: (low - 3 * 60 * MINUTE, low + (high - low) / 2),
    "lies inside the change": lambda low, high: (low + MINUTE, high - MINUTE),
    "starts with the change": lambda low, high: (low, high + MINUTE),
    "ends with the change": lambda low, high: (low - MINUTE, high),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_clock_change_of_every_zone_keeps_the_hours(shape: str) -> None:
    for change in clock_changes():
        low, high = sorted((change.local_before, change.local_after))
        start, end = SHAPES[shape](low, high)
        tried = window(f"{clock(start)}-{clock(end)}")
        slow = _slow_around(change)
        middle = len(slow.instants) // 2
        assert_agrees(tried, change.zone, slow, range(middle - 120, middle + 121, 15))


@cache
def _slow_around(change: ClockChange) -> SlowCalendar:
    return SlowCalendar(change.zone, change.at, days=1)


CLOCKS = st.times().map(lambda at: f"{at:%H:%M}")
WINDOWS = st.builds(
    lambda hours, days: window(f"{hours[0]}-{hours[1]}", tuple(days)),
    st.tuples(CLOCKS, CLOCKS | st.just("24:00")).filter(lambda hours: hours[0] != hours[1]),
    st.lists(st.sampled_from(WEEK), min_size=1, unique=True),
)
ZONES = st.deferred(lambda: st.sampled_from(sorted(zone_names())))
INSTANTS = st.integers(0, 15 * 365 * 86_400).map(
    lambda second: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
)
CHANGES = st.deferred(lambda: st.sampled_from(clock_changes()))


@settings(max_examples=150, deadline=None)
@given(of=WINDOWS, change=CHANGES, offset=st.integers(0, 60))
def test_any_window_around_any_clock_change_is_what_the_clock_shows(
    of: Window, change: ClockChange, offset: int
) -> None:
    slow = SlowCalendar(change.zone, change.at, days=4)
    quarter = len(slow.instants) // 4
    assert_agrees(of, change.zone, slow, range(quarter + offset, 3 * quarter, 97))


@settings(max_examples=200, deadline=None)
@given(of=WINDOWS, zone=ZONES, at=INSTANTS)
def test_every_window_opens_within_14_days_in_every_zone(
    of: Window, zone: str, at: datetime
) -> None:
    opens = next_open(of, [zone], at)
    assert opens is not None
    assert is_open(of, [zone], opens)


@settings(max_examples=200, deadline=None)
@given(
    of=WINDOWS,
    zones=st.lists(ZONES, min_size=1, max_size=4),
    at=INSTANTS,
    steps=st.lists(st.floats(0, 1, exclude_max=True), max_size=20),
)
def test_several_zones_open_first_where_all_are_open(
    of: Window, zones: list[str], at: datetime, steps: list[float]
) -> None:
    opens = next_open(of, zones, at)
    for step in steps:
        between = at + step * ((opens or at + HORIZON) - at)
        assert not all(is_open(of, [zone], between) for zone in zones) or between == opens
    if opens:
        assert all(is_open(of, [zone], opens) for zone in zones)
        closes = closes_at(of, zones, opens)
        assert closes == min(closes_at(of, [zone], opens) for zone in zones)
        assert is_open(of, zones, closes - timedelta(microseconds=1))
        assert closes == opens + HORIZON or not is_open(of, zones, closes)


@settings(max_examples=100, deadline=None)
@given(of=WINDOWS, day=st.dates(date(2020, 1, 1), date(2035, 1, 1)))
def test_an_ordinary_day_is_open_for_as_long_as_the_hours_say(of: Window, day: date) -> None:
    """In UTC, which never changes, the opening of each day named has its full length."""
    opens, closes = (at.replace(tzinfo=UTC) for at in _hours_on(of, day))
    named = WEEK[day.weekday()] in of.days
    open_minutes = sum(
        is_open(of, [UTC_ZONE], opens + n * MINUTE) for n in range((closes - opens) // MINUTE)
    )
    assert not named or open_minutes == (closes - opens) // MINUTE
    # Midnight closes one whole day and opens the next, whether or not the first was named.
    next_whole_day = (of.start, of.end) == ("00:00", "24:00") and WEEK[closes.weekday()] in of.days
    assert is_open(of, [UTC_ZONE], closes) is next_whole_day
