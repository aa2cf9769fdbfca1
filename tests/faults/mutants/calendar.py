"""Calendars that reckon with naive local time; the tests of the real one must find them out."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

Instant = Callable[..., datetime]


def _less(wall: datetime, offset_at: datetime) -> datetime:
    offset = offset_at.utcoffset()
    assert offset is not None
    return (wall - offset).replace(tzinfo=UTC)


def with_the_offset_of_the_year(wall: datetime, zone: str, *, last: bool) -> datetime:
    """A zone's offset is looked up once and kept."""
    return _less(wall, datetime(wall.year, 1, 1, tzinfo=ZoneInfo(zone)))


def with_the_offset_of_midnight(wall: datetime, zone: str, *, last: bool) -> datetime:
    """Hours are counted from the day's start, as if no clock changed during the night."""
    return _less(wall, wall.replace(hour=0, minute=0, tzinfo=ZoneInfo(zone)))


def with_the_offset_of_the_evening_before(wall: datetime, zone: str, *, last: bool) -> datetime:
    """An opening across midnight keeps the offset with which it began."""
    return _less(wall, (wall - timedelta(hours=8)).replace(tzinfo=ZoneInfo(zone)))


def where_no_time_is_shown_twice(wall: datetime, zone: str, *, last: bool) -> datetime:
    """The first of the two is as good as the last."""
    return wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def where_no_time_is_skipped(wall: datetime, zone: str, *, last: bool) -> datetime:
    """A time that is never shown is reckoned from the offset of before."""
    return wall.replace(tzinfo=ZoneInfo(zone), fold=last).astimezone(UTC)


NAIVE: Mapping[str, Instant] = MappingProxyType(
    {
        "one offset a year": with_the_offset_of_the_year,
        "the offset of midnight": with_the_offset_of_midnight,
        "the offset of the evening before": with_the_offset_of_the_evening_before,
        "no time is shown twice": where_no_time_is_shown_twice,
        "no time is skipped": where_no_time_is_skipped,
    }
)
