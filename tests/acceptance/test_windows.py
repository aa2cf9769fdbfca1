"""Nobody is rung outside the hours, and nobody is left out by them: real services across the edge.

The services' clock is set to just before an edge, which then passes by itself; the ledger judges.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from contracts.calendar import WEEK
from tests.clock import Clock
from tests.house import AGENT, House, Json, house, numbers, until

PARIS = "Europe/Paris"
SECOND = timedelta(seconds=1)
A_DAY = timedelta(days=1)
AT_ONCE = 5
IN_PARIS, IN_NEW_YORK = "+33140000001", "+12125550001"
*MANY, TIMED, FIRST, OTHER, GAP, BETWEEN, AFTER, LATE = numbers(37, ("0001",))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("windows") / "data") as opened:
        opened.prepare(concurrency=AT_ONCE)
        opened.behave(seed=1, ring_seconds=0.02, talk_seconds=[0.4, 1.8])
        yield opened


@pytest.fixture(scope="module")
def clock(running: House) -> Clock:
    return Clock(running)


def paris(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(PARIS), fold=fold).astimezone(UTC)


def hours(start: str, end: str, zone: str = PARIS) -> Json:
    return {"start": start, "end": end, "days": list(WEEK), "timezone": zone}


def create(running: House, people: list[str | Json], window: Json, **batch: str) -> str:
    recipients = [{"phone": it} if isinstance(it, str) else it for it in people]
    body = {"name": "Test", "agent_id": AGENT, "window": window, "recipients": recipients}
    answers: list[Any] = []

    def is_answered() -> bool:
        answers.append(running.post("/v1/batches", json=body | batch))
        return answers[-1] is not None

    until(is_answered, "the batch taken", 30)
    assert answers[-1].is_success, answers[-1].text
    return running.seen(answers[-1])


def until_phase(running: House, batch_id: str, phase: str) -> Json:
    seen: Json = {}

    def is_there() -> bool:
        seen.update(running.read(f"/v1/batches/{batch_id}"))
        return bool(seen["phase"] == phase)

    try:
        until(is_there, f"phase {phase}", 20)
    except AssertionError as late:
        raise AssertionError(f"{late}; last seen {seen}") from None
    return seen


def requested(running: House, clock: Clock, people: list[str]) -> list[datetime]:
    """When they were rung, on the services' clock."""
    requests = running.ledger().to(people).of("request")
    return sorted(clock.shown(entry["at"]) for entry in requests)


@pytest.mark.timeout(90)
def test_the_edge_of_a_window_stops_all_but_live_calls_and_the_next_opening_takes_the_rest(
    running: House, clock: Clock
) -> None:
    closes, opens = paris("2027-03-22T18:00"), paris("2027-03-23T09:00")
    later = opens + 2 * SECOND
    clock.set(paris("2027-03-22T08:00"))
    batch_id = create(running, list(MANY), hours("09:00", "18:00"))
    until_phase(running, batch_id, "waiting_for_window")
    alone = {"phone": TIMED, "not_before": later.isoformat()}
    timed_id = create(running, [alone], hours("09:00", "18:00"))
    until_phase(running, timed_id, "waiting_for_scheduled_calls")

    clock.set(closes - 5 * SECOND)
    clock.until(closes)
    own_zone_id = create(running, [IN_PARIS, IN_NEW_YORK], hours("09:00", "18:00", "recipient"))
    batch = until_phase(running, batch_id, "waiting_for_window")
    ledger = running.ledger().to(MANY)
    called = requested(running, clock, MANY)
    assert AT_ONCE <= len(called) < len(MANY)
    assert max(called) < closes
    ended = [clock.shown(entry["at"]) for entry in ledger.of("end")]
    assert len(ended) == len(called), "live calls end by themselves"
    assert max(ended) > closes
    counts = batch["recipients"]
    assert (counts["completed"], counts["pending"]) == (len(called), len(MANY) - len(called))
    assert batch["status"] == "RUNNING"

    until_phase(running, own_zone_id, "waiting_for_window")
    assert requested(running, clock, [IN_PARIS]) == []
    (in_new_york,) = requested(running, clock, [IN_NEW_YORK])
    assert in_new_york > closes

    clock.set(opens - SECOND)
    for each in (batch_id, own_zone_id, timed_id):
        assert running.until_over(each, 30)["result"] == "completed"
    assert set(running.ledger().rings_by_number().values()) == {1}
    left = requested(running, clock, MANY)[len(called) :]
    assert min(left) >= opens
    assert len(called) + len(left) == len(MANY)
    assert requested(running, clock, [IN_PARIS])[0] >= opens
    assert requested(running, clock, [TIMED])[0] >= later


@pytest.mark.timeout(60)
def test_a_grant_no_dialer_took_before_the_edge_is_no_attempt_and_waits_for_the_next_window(
    running: House, clock: Clock
) -> None:
    closes, opens = paris("2027-03-24T18:00"), paris("2027-03-25T17:59")
    people = [FIRST, OTHER]
    clock.set(closes - 3600 * SECOND)
    batch_id = create(running, list(people), hours("17:59", "18:00"))
    until_phase(running, batch_id, "waiting_for_window")

    def granted() -> bool:
        return bool(running.read(f"/v1/batches/{batch_id}")["recipients"]["queued"] == len(people))

    with running.frozen("dialer-1"):
        clock.set(closes - 5 * SECOND)
        until(granted, "both granted a slot", 10, every=0.05)
        assert clock.now() < closes
        clock.until(closes)
    until_phase(running, batch_id, "waiting_for_window")
    recipients = running.all_of(f"/v1/batches/{batch_id}/recipients")
    assert {(it["status"], it["attempts"]) for it in recipients} == {("PENDING", 0)}
    assert requested(running, clock, people) == []

    clock.set(opens + SECOND)
    assert running.until_over(batch_id, 20)["result"] == "completed"
    assert len(requested(running, clock, people)) == len(people)
    recipients = running.all_of(f"/v1/batches/{batch_id}/recipients")
    assert {it["attempts"] for it in recipients} == {1}


@pytest.mark.timeout(60)
def test_a_start_that_the_clock_skips_is_the_moment_it_jumps(running: House, clock: Clock) -> None:
    jump = paris("2027-03-28T03:00")
    clock.set(jump - 3600 * SECOND)
    batch_id = create(running, [GAP], hours("02:30", "05:00"))
    until_phase(running, batch_id, "waiting_for_window")
    clock.set(jump - SECOND)
    assert running.until_over(batch_id, 20)["result"] == "completed"
    (at,) = requested(running, clock, [GAP])
    assert jump <= at < jump + 1200 * SECOND, "not half an hour after the jump"


@pytest.mark.timeout(60)
def test_an_end_that_the_clock_shows_twice_is_the_later_one(running: House, clock: Clock) -> None:
    first, last = (paris("2027-10-31T02:30", fold=fold) for fold in (0, 1))
    clock.set(first + 60 * SECOND)
    batch_id = create(running, [BETWEEN], hours("00:00", "02:30"))
    assert running.until_over(batch_id, 20)["result"] == "completed"
    (at,) = requested(running, clock, [BETWEEN])
    assert first < at < last

    clock.set(last)
    batch_id = create(running, [AFTER], hours("00:00", "02:30"))
    until_phase(running, batch_id, "waiting_for_window")
    opens = paris("2027-11-01T00:00")
    clock.set(opens - SECOND)
    assert running.until_over(batch_id, 20)["result"] == "completed"
    (at,) = requested(running, clock, [AFTER])
    assert at >= opens


@pytest.mark.timeout(60)
def test_who_was_not_called_when_time_ran_out_has_expired_and_is_called_by_a_retry(
    running: House, clock: Clock
) -> None:
    expires = paris("2027-11-03T18:05")
    clock.set(expires - 3600 * SECOND)
    window = hours("09:00", "10:00")
    batch_id = create(running, [LATE], window, expires_at=expires.isoformat())
    until_phase(running, batch_id, "waiting_for_window")
    clock.set(expires - SECOND)
    over = running.until_over(batch_id, 20)
    assert (over["status"], over["result"]) == ("COMPLETED", "failed")
    assert (over["outcomes"]["expired"], over["recipients"]["failed"]) == (1, 1)
    assert datetime.fromisoformat(over["finished_at"]) >= expires
    assert requested(running, clock, [LATE]) == []

    running.command("POST", f"/v1/batches/{batch_id}/retry", {})
    until_phase(running, batch_id, "waiting_for_window")
    clock.set(paris("2027-11-04T09:00"))
    assert running.until_over(batch_id, 20)["result"] == "completed"
    assert len(requested(running, clock, [LATE])) == 1
