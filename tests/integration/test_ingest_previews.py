"""A preview says whom a batch would call, whom not and when, by the batch's own rules."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from contracts.calendar import WEEK, Window, next_open
from tests.desk import ALWAYS, Json, a_batch, codes
from tests.list_desk import ListDesk, number

ROWS = [(number(n), f"Person {n}") for n in range(1, 26)]
WRONG = [("", "a"), ("12-34", "b"), ("x", "c"), ("+1", "d"), ("+19995550123", "e")]
SKIPPED = {
    "phone_missing": 1,
    "phone_not_e164": 1,
    "phone_not_digits": 2,
    "phone_too_short": 1,
}
WASHINGTON, LONDON, FREE = "+12025550123", "+442079460123", "+18005550199"
STATE = """
    SELECT (SELECT count(*) FROM batches), (SELECT count(*) FROM additions),
           (SELECT count(*) FROM uploads), (SELECT count(*) FROM idempotency),
           (SELECT count(*) FROM list_files)
"""


async def preview(lists: ListDesk, *called: str, **body: Any) -> Json:
    recipients = [{"phone_number": it} for it in called]
    answer = await lists.http.post(
        "/v1/batches/preview", json=a_batch(recipients=recipients, **body)
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def day_after(at: datetime, zone: str) -> str:
    """So far on that it is closed now, whatever the hour is."""
    return WEEK[(at.astimezone(ZoneInfo(zone)) + timedelta(days=2)).weekday()]


def tomorrow() -> datetime:
    """At an hour at which it is afternoon in London, and early in Washington."""
    return (datetime.now(UTC) + timedelta(days=1)).replace(hour=12, minute=0, second=0)


async def test_a_body_a_file_and_a_list_of_the_same_rows_are_foreseen_alike(
    lists: ListDesk,
) -> None:
    rows = ROWS + WRONG
    typed = [{"phone_number": phone, "name": name} for phone, name in rows]
    content = "\n".join(["phone,name", *map(",".join, rows)]).encode()
    files: Json = {"batch": (None, json.dumps(a_batch())), "file": ("a.csv", content)}
    list_id = (await lists.take({"json": {"recipients": typed}}))["list_id"]
    before = await lists.desk.pool.fetchrow(STATE)
    at = datetime.now(UTC)
    answers = [
        await lists.http.post("/v1/batches/preview", json=a_batch(recipients=typed)),
        await lists.http.post("/v1/batches/preview", files=files),
        await lists.http.post("/v1/batches/preview", json=a_batch(recipient_list_id=list_id)),
    ]
    for answer in answers:
        assert answer.status_code == 200, answer.text
        seen = answer.json()
        assert seen["will_call"] == len(ROWS)
        assert {it["reason"]: it["count"] for it in seen["skipped"]} == SKIPPED
        assert (seen["held"], seen["warnings"]) == (0, [])
        first, finish = instant(seen["first_call_at"]), instant(seen["estimated_finish_at"])
        assert at <= first <= datetime.now(UTC)
        assert finish - first == timedelta(minutes=3)  # ten at a time, a minute each
    assert await lists.desk.pool.fetchrow(STATE) == before
    await lists.nothing_astray()


async def test_a_closed_window_is_waited_for(lists: ListDesk) -> None:
    at, zone = datetime.now(UTC), "Asia/Kolkata"
    window = {"start": "09:00", "end": "10:00", "days": [day_after(at, zone)], "timezone": zone}
    opens = next_open(Window.model_validate(window), (zone,), at)
    assert opens is not None
    assert opens > at
    seen = await preview(lists, *(it for it, _ in ROWS), window=window)
    assert instant(seen["first_call_at"]) == opens
    assert instant(seen["estimated_finish_at"]) == opens + timedelta(minutes=3)
    # one at a time they are not through in that hour's week
    slow = await preview(
        lists, *(number(n) for n in range(61)), window=window, reserved_concurrency=9
    )
    assert instant(slow["estimated_finish_at"]) == opens + timedelta(days=7, minutes=1)


async def test_a_batch_that_is_scheduled_is_counted_from_then(lists: ListDesk) -> None:
    start = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0)
    seen = await preview(lists, number(1), scheduled_at=start.isoformat())
    assert instant(seen["first_call_at"]) == start
    assert instant(seen["estimated_finish_at"]) == start + timedelta(minutes=1)


async def test_each_is_called_in_the_hours_of_their_own_zone(lists: ListDesk) -> None:
    window = {"start": "09:00", "end": "11:00", "days": [*WEEK], "timezone": "recipient"}
    start = tomorrow()
    zones = {WASHINGTON: "America/New_York", LONDON: "Europe/London"}
    asked = Window.model_validate(window)
    opens = {it: next_open(asked, (zone,), start) for it, zone in zones.items()}
    for called in ([WASHINGTON], [LONDON], [WASHINGTON, LONDON]):
        seen = await preview(lists, *called, window=window, scheduled_at=start.isoformat())
        times = [at for it in called if (at := opens[it])]
        assert instant(seen["first_call_at"]) == min(times)
        assert instant(seen["estimated_finish_at"]) == max(times) + timedelta(minutes=1)
        assert seen["held"] == 0


async def test_who_has_no_hour_in_all_their_zones_is_held(lists: ListDesk) -> None:
    window: Json = {"start": "09:00", "end": "09:30", "days": [*WEEK], "timezone": "recipient"}
    held = await preview(lists, FREE, window=window)
    assert (held["will_call"], held["held"]) == (0, 1)
    assert (held["first_call_at"], held["estimated_finish_at"]) == (None, None)
    assert codes_of(held) == ["held"]
    start, fallback = tomorrow(), "Europe/Paris"
    window |= {"fallback_timezone": fallback}
    seen = await preview(lists, FREE, LONDON, window=window, scheduled_at=start.isoformat())
    asked = Window.model_validate(window)
    opens = [next_open(asked, (zone,), start) for zone in (fallback, "Europe/London")]
    assert (seen["will_call"], seen["held"]) == (2, 1)
    assert instant(seen["first_call_at"]) == min(filter(None, opens))
    assert codes_of(seen) == ["fallback_zone"]


async def test_who_may_not_be_called_before_an_instant_is_waited_for(lists: ListDesk) -> None:
    later = (datetime.now(UTC) + timedelta(days=4)).replace(microsecond=0)
    waits = {"phone_number": number(1), "not_before": later.isoformat()}
    for others, first in (([], later), ([{"phone_number": number(2)}], None)):
        body = a_batch(recipients=[waits, *others])
        seen = (await lists.http.post("/v1/batches/preview", json=body)).json()
        assert first is None or instant(seen["first_call_at"]) == first
        assert first is not None or instant(seen["first_call_at"]) < later
        assert instant(seen["estimated_finish_at"]) == later + timedelta(minutes=1)


async def test_a_window_in_which_not_all_can_be_reached_is_warned_of(lists: ListDesk) -> None:
    called = [number(n) for n in range(20)]
    at = datetime.now(UTC)
    window = {"start": "09:00", "end": "09:01", "days": [day_after(at, "UTC")], "timezone": "UTC"}
    seen = await preview(lists, *called, window=window, reserved_concurrency=9)
    assert codes_of(seen) == ["window_too_short"]
    short = (at + timedelta(minutes=1)).isoformat()
    assert codes_of(await preview(lists, *called, expires_at=short)) == ["window_too_short"]
    assert codes_of(await preview(lists, *called, window=ALWAYS)) == []


async def test_a_preview_of_nobody_says_so(lists: ListDesk) -> None:
    for called in ([], ["x"]):
        seen = await preview(lists, *called)
        assert (seen["will_call"], seen["first_call_at"]) == (0, None)
        assert seen["estimated_finish_at"] is None
        assert codes_of(seen) == ["no_valid_recipients"]


async def test_a_batch_that_would_be_refused_for_its_rows_is_warned_of(lists: ListDesk) -> None:
    seen = await preview(lists, number(1), "x", on_invalid="reject")
    assert (seen["will_call"], codes_of(seen)) == (1, ["rows_rejected"])
    assert codes_of(await preview(lists, number(1), on_invalid="reject")) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": ""}, "name_length"),
        ({"agent_id": "nobody"}, "agent_not_found"),
        ({"window": None}, "window_required"),
        ({"scheduled_at": "2020-01-01T00:00:00Z"}, "scheduled_at_in_past"),
        ({"colour": "red"}, "unknown_field"),
    ],
)
async def test_what_makes_no_batch_has_no_preview(lists: ListDesk, change: Any, code: str) -> None:
    answer = await lists.http.post("/v1/batches/preview", json=a_batch(**change))
    assert (answer.status_code, codes(answer)) == (422, [code]), answer.text


def codes_of(seen: Json) -> list[str]:
    return [it["code"] for it in seen["warnings"]]
