"""A call placed while its window is closed wakes someone up: whether it is open is decided here.

An opening is one unbroken, half-open interval of instants.  It begins when the wall clock first
shows the window's start and ends when it last shows its end; a time that a clock change skips
counts as shown at the moment of the jump.  Every valid window opens within 14 days in every zone;
in several zones at once it may never.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

RECIPIENT: Final = "recipient"
HORIZON: Final = timedelta(days=14)
ONE_DAY: Final = timedelta(days=1)
WEEK: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
START: Final = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
END: Final = r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"

Opening = tuple[datetime, datetime]


@cache
def zone_names() -> frozenset[str]:
    """The zones that may be named; `localtime` and `Factory` mean another thing on every host."""
    return frozenset(available_timezones() - {"localtime", "Factory"})


def known_zone(name: str) -> str:
    if name not in zone_names():
        message = "Name the time zone as IANA does, for example Europe/Paris."
        raise PydanticCustomError("timezone_unknown", message)
    return name


def _window_zone(name: str) -> str:
    return name if name == RECIPIENT else known_zone(name)


def _start(clock: Any) -> Any:
    if not isinstance(clock, str) or not re.fullmatch(START, clock):
        message = "Write the start as HH:MM, from 00:00 to 23:59."
        raise PydanticCustomError("window_invalid", message)
    return clock


def _end(clock: Any) -> Any:
    if not isinstance(clock, str) or not re.fullmatch(END, clock):
        message = "Write the end as HH:MM, from 00:00 to 24:00."
        raise PydanticCustomError("window_invalid", message)
    return clock


def _days(days: Any) -> Any:
    known = isinstance(days, list | tuple) and all(day in WEEK for day in days)
    if not known or not days or len(set(days)) < len(days):
        message = "Give at least one day, and none twice, of mon, tue, wed, thu, fri, sat, sun."
        raise PydanticCustomError("window_invalid", message)
    return tuple(days)


Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Start = Annotated[str, BeforeValidator(_start), Field(json_schema_extra={"pattern": START})]
End = Annotated[str, BeforeValidator(_end), Field(json_schema_extra={"pattern": END})]
Days = Annotated[
    tuple[Day, ...],
    BeforeValidator(_days),
    Field(json_schema_extra={"minItems": 1, "uniqueItems": True}),
]


class Window(BaseModel):
    """The hours in which calls may be placed; `days` names the day on which an opening starts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: Start
    end: End
    days: Days
    timezone: Annotated[str, AfterValidator(_window_zone)]
    fallback_timezone: Annotated[str, AfterValidator(known_zone)] | None = None

    @model_validator(mode="after")
    def _has_a_length(self) -> Self:
        if self.start == self.end:
            message = (
                "Let the window end at another time than it starts; a whole day is 00:00-24:00."
            )
            raise PydanticCustomError("window_invalid", message)
        return self


def is_open(window: Window, zones: Sequence[str], at: datetime) -> bool:
    """Whether a call may be placed at this instant; without a zone to judge by, never."""
    return bool(zones) and all(_opens(window, zone, at) == at for zone in zones)


def next_open(window: Window, zones: Sequence[str], at: datetime) -> datetime | None:
    """The first instant from `at` on that is open in every zone; None if 14 days hold none."""
    if not zones:
        return None
    now, limit = at, at + HORIZON
    while now < limit:
        opens = max(_opens(window, zone, now) for zone in zones)
        if opens == now:
            return now
        now = opens
    return None


def closes_at(window: Window, zones: Sequence[str], at: datetime) -> datetime:
    """The first closed instant after `at`, which must be open; no later than 14 days on."""
    if not is_open(window, zones, at):
        raise ValueError("the window is closed")
    return min(_closes(window, zone, at) for zone in zones)


def is_held(window: Window, recipient_zones: Sequence[str], at: datetime) -> bool:
    """Whether the recipient's own zones leave 14 days without an opening they share."""
    return window.timezone == RECIPIENT and next_open(window, recipient_zones, at) is None


def effective_zones(
    window: Window, recipient_zones: Sequence[str], at: datetime
) -> tuple[str, ...]:
    """The zones to judge by: the window's own, else the recipient's, else, if held, the fallback.

    Held without a fallback, the recipient's zones stand, and the window never opens for them.
    """
    if window.timezone != RECIPIENT:
        return (window.timezone,)
    if window.fallback_timezone and is_held(window, recipient_zones, at):
        return (window.fallback_timezone,)
    return tuple(recipient_zones)


def _opens(window: Window, zone: str, at: datetime) -> datetime:
    """`at` itself while open; else the next start, or the horizon where there is none."""
    for start, end in _openings(window, zone, at):
        if at < end:
            return max(start, at)
    return at + HORIZON


def _closes(window: Window, zone: str, at: datetime) -> datetime:
    """When the opening around `at` ends, openings that touch or overlap being one."""
    closes = at
    for start, end in _openings(window, zone, at):
        if start > closes:
            break
        closes = max(closes, end)
    return min(closes, at + HORIZON)


def _openings(window: Window, zone: str, at: datetime) -> Iterator[Opening]:
    """Every opening that may hold an instant of the 14 days from `at` on, earliest first."""
    today = at.astimezone(_zone(zone)).date()
    for offset in range(-1, HORIZON.days + 2):
        day = today + offset * ONE_DAY
        if WEEK[day.weekday()] in window.days:
            opening = _opening(window.start, window.end, zone, day)
            if opening:
                yield opening


@lru_cache(maxsize=65_536)
def _opening(start: str, end: str, zone: str, day: date) -> Opening | None:
    """The opening that starts on `day`; None if a clock change skips it whole."""
    end_day = day if start < end else day + ONE_DAY
    opens = _instant(_wall(day, start), zone, last=False)
    closes = _instant(_wall(end_day, end), zone, last=True)
    return (opens, closes) if opens < closes else None


def _wall(day: date, clock: str) -> datetime:
    hours, minutes = clock.split(":")
    return datetime.combine(day, time()) + timedelta(hours=int(hours), minutes=int(minutes))


def _instant(wall: datetime, zone: str, *, last: bool) -> datetime:
    """When the clock shows `wall`, the first or last time; a skipped time is when it jumps."""
    local = wall.replace(tzinfo=_zone(zone), fold=last)
    instant = local.astimezone(UTC)
    shown = instant.astimezone(_zone(zone)).replace(tzinfo=None) == wall
    return instant if shown else _jump_over(wall, zone)


def _jump_over(wall: datetime, zone: str) -> datetime:
    """The instant at which the clock goes from before `wall` to after it."""
    # read with the offset of after the jump it lies before the jump, and the other way round
    before = int(wall.replace(tzinfo=_zone(zone), fold=1).timestamp())
    after = int(wall.replace(tzinfo=_zone(zone), fold=0).timestamp())

    def is_past(second: int) -> bool:
        return datetime.fromtimestamp(second, _zone(zone)).replace(tzinfo=None) > wall

    seconds = range(before, after + 1)
    return datetime.fromtimestamp(seconds[bisect_left(seconds, True, key=is_past)], UTC)


_zone = cache(ZoneInfo)
