"""Nobody is called outside the hours allowed, in any zone, on any night the clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from contracts.calendar import (
    HORIZON,
    WEEK,
    Window,
    closes_at,
    effective_zones,
    is_held,
    is_open,
    next_open,
)

PARIS, NEW_YORK, LORD_HOWE = "Europe/Paris", "America/New_York", "Australia/Lord_Howe"
TOKYO = "Asia/Tokyo"
WEEKDAYS = WEEK[:5]


def window(
    hours: str, days: tuple[str, ...] = WEEK, zone: str = "recipient", **more: str
) -> Window:
    start, end = hours.split("-")
    return Window.model_validate(
        {"start": start, "end": end, "days": days, "timezone": zone, **more}
    )


def local(zone: str, text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


# --- the hours of a window --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "at", "expected"),
    [
        ("09:00-18:00", "2026-11-23T08:59:59.999999", False),
        ("09:00-18:00", "2026-11-23T09:00", True),
        ("09:00-18:00", "2026-11-23T17:59:59.999999", True),
        ("09:00-18:00", "2026-11-23T18:00", False),
        ("09:00-24:00", "2026-11-23T23:59", True),
        ("09:00-24:00", "2026-11-24T00:00", False),
        ("22:00-06:00", "2026-11-24T05:59", True),
        ("22:00-06:00", "2026-11-24T06:00", False),
        ("22:00-00:00", "2026-11-23T23:59", True),
        ("22:00-00:00", "2026-11-24T00:00", False),
    ],
)
def test_a_window_holds_its_start_but_not_its_end(hours: str, at: str, *, expected: bool) -> None:
    assert is_open(window(hours), [PARIS], local(PARIS, at)) is expected


def test_the_hours_are_those_of_the_clock_on_the_wall_in_summer_as_in_winter() -> None:
    for day in ("2026-01-15", "2026-07-15"):
        opens = next_open(window("09:00-18:00"), [NEW_YORK], local(NEW_YORK, f"{day}T00:00"))
        assert opens == local(NEW_YORK, f"{day}T09:00")


def test_a_day_names_when_the_window_starts_so_friday_night_reaches_into_saturday() -> None:
    friday_night = window("22:00-06:00", ("fri",))
    assert is_open(friday_night, [PARIS], local(PARIS, "2026-11-28T05:00"))  # Saturday morning
    assert not is_open(friday_night, [PARIS], local(PARIS, "2026-11-27T05:00"))  # Friday morning


def test_after_fridays_close_the_next_opening_is_monday_morning() -> None:
    opens = next_open(window("09:00-18:00", WEEKDAYS), [PARIS], local(PARIS, "2026-11-27T18:00"))
    assert opens == local(PARIS, "2026-11-30T09:00")


def test_days_that_touch_are_one_opening() -> None:
    whole_days = window("00:00-24:00", ("fri", "sat", "sun"))
    closes = closes_at(whole_days, [PARIS], local(PARIS, "2026-11-27T12:00"))
    assert closes == local(PARIS, "2026-11-30T00:00")


def test_a_window_that_never_closes_is_promised_for_14_days() -> None:
    at = local(PARIS, "2026-11-27T12:00")
    assert closes_at(window("00:00-24:00"), [PARIS], at) == at + HORIZON


def test_a_closed_window_has_no_closing_time() -> None:
    with pytest.raises(ValueError, match="closed"):
        closes_at(window("09:00-18:00"), [PARIS], local(PARIS, "2026-11-23T18:00"))


# --- the nights when clocks change ------------------------------------------------------------


def test_a_start_the_clock_skips_moves_to_the_end_of_the_gap() -> None:
    for zone, start, jump in (
        (PARIS, "02:30", "2026-03-29T01:00Z"),  # 02:00 -> 03:00
        (LORD_HOWE, "02:15", "2026-10-03T15:30Z"),  # 02:00 -> 02:30
    ):
        jump_at = datetime.fromisoformat(jump)
        opens = next_open(window(f"{start}-05:00"), [zone], jump_at - timedelta(hours=1))
        assert opens == jump_at


def test_an_end_the_clock_skips_moves_to_the_end_of_the_gap() -> None:
    closes = closes_at(window("00:00-02:30"), [PARIS], local(PARIS, "2026-03-29T01:00"))
    assert closes == local(PARIS, "2026-03-29T03:00")


def test_a_window_the_clock_skips_whole_waits_for_the_next_day() -> None:
    opens = next_open(window("02:10-02:50"), [PARIS], local(PARIS, "2026-03-28T03:00"))
    assert opens == local(PARIS, "2026-03-30T02:10")


def test_a_day_that_never_was_has_no_opening() -> None:
    assert next_open(
        window("09:00-18:00"), ["Pacific/Apia"], local("Pacific/Apia", "2011-12-29T18:00")
    ) == local("Pacific/Apia", "2011-12-31T09:00")


def test_an_end_shown_twice_is_the_later_one() -> None:
    for zone, end, night in (
        (PARIS, "02:30", "2026-10-25"),
        (NEW_YORK, "01:30", "2026-11-01"),
        (LORD_HOWE, "01:45", "2026-04-05"),
    ):
        closes = closes_at(window(f"00:00-{end}"), [zone], local(zone, f"{night}T00:00"))
        assert closes == local(zone, f"{night}T{end}", fold=1)
        assert closes != local(zone, f"{night}T{end}", fold=0)


def test_a_start_shown_twice_is_the_earlier_one_and_stays_open() -> None:
    opens = next_open(window("02:30-09:00"), [PARIS], local(PARIS, "2026-10-25T00:00"))
    assert opens == local(PARIS, "2026-10-25T02:30", fold=0)
    closes = closes_at(window("02:30-09:00"), [PARIS], opens)
    assert closes == local(PARIS, "2026-10-25T09:00")


# --- the zones of a recipient -----------------------------------------------------------------


def test_a_call_waits_until_the_window_is_open_in_all_zones_of_the_number() -> None:
    zones = [NEW_YORK, "America/Los_Angeles"]
    day = window("09:00-18:00", WEEKDAYS)
    opens = next_open(day, zones, local(NEW_YORK, "2026-11-23T09:00"))
    assert opens == local("America/Los_Angeles", "2026-11-23T09:00")
    assert closes_at(day, zones, opens) == local(NEW_YORK, "2026-11-23T18:00")
    assert not is_open(day, zones, local(NEW_YORK, "2026-11-23T09:00"))


def test_where_the_zones_never_share_an_hour_the_fallback_applies() -> None:
    zones, at = [TOKYO, NEW_YORK], local(PARIS, "2026-11-23T09:00")
    day = window("09:00-18:00", fallback_timezone=PARIS)
    assert next_open(day, zones, at) is None
    assert is_held(day, zones, at)
    assert effective_zones(day, zones, at) == (PARIS,)


def test_held_without_a_fallback_never_opens() -> None:
    at, day = local(PARIS, "2026-11-23T09:00"), window("09:00-18:00")
    for zones in ((TOKYO, NEW_YORK), ()):
        assert is_held(day, zones, at)
        assert effective_zones(day, zones, at) == zones
        assert not is_open(day, zones, at)
        assert next_open(day, zones, at) is None


def test_a_number_whose_zone_is_not_known_is_judged_by_the_fallback() -> None:
    day = window("09:00-18:00", fallback_timezone=PARIS)
    assert effective_zones(day, (), local(PARIS, "2026-11-23T09:00")) == (PARIS,)


def test_a_zone_of_the_window_overrules_those_of_the_number() -> None:
    day = window("09:00-18:00", zone=PARIS, fallback_timezone=TOKYO)
    at = local(PARIS, "2026-11-23T09:00")
    assert not is_held(day, (TOKYO, NEW_YORK), at)
    assert effective_zones(day, (TOKYO, NEW_YORK), at) == (PARIS,)


def test_zones_that_agree_keep_their_place_before_the_fallback() -> None:
    day = window("09:00-18:00", fallback_timezone=TOKYO)
    at = local(PARIS, "2026-11-23T20:00")
    assert effective_zones(day, [PARIS, "Europe/London"], at) == (PARIS, "Europe/London")


# --- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("start", "9:00", "window_invalid"),
        ("start", "24:00", "window_invalid"),
        ("start", "18:00", "window_invalid"),  # the end
        ("start", "09:00\n", "window_invalid"),
        ("start", 900, "window_invalid"),
        ("end", "24:01", "window_invalid"),
        ("end", "18:60", "window_invalid"),
        ("end", None, "window_invalid"),
        ("days", [], "window_invalid"),
        ("days", ["mon", "mon"], "window_invalid"),
        ("days", ["Monday"], "window_invalid"),
        ("days", [["mon"]], "window_invalid"),
        ("days", "mon", "window_invalid"),
        ("timezone", "Europe/Atlantis", "timezone_unknown"),
        ("timezone", "../etc/passwd", "timezone_unknown"),
        ("timezone", "localtime", "timezone_unknown"),
        ("timezone", "", "timezone_unknown"),
        ("fallback_timezone", "recipient", "timezone_unknown"),
    ],
)
def test_a_wrong_window_is_refused_under_its_code(field: str, value: object, code: str) -> None:
    right = {"start": "09:00", "end": "18:00", "days": ["mon"], "timezone": PARIS}
    Window.model_validate(right)
    with pytest.raises(ValidationError) as refusal:
        Window.model_validate(right | {field: value})
    assert [error["type"] for error in refusal.value.errors()] == [code]
