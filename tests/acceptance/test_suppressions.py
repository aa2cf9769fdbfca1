"""A number that is suppressed while it waits in a batch never rings; judged by the ledger."""

from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from tests.house import House, Json, csv_of, numbers, until

ALL = FIRST, FOR_GOOD, FOR_AN_HOUR, LIFTED, PLAIN, BRIEFLY = numbers(6, endings=("0001",))
NEVER_RUNG = {FOR_GOOD, FOR_AN_HOUR}
VERSIONS = "SELECT coalesce(sum(version), 0) FROM suppressions"
LONG, SHORT = ({"ring_seconds": 0.02, "talk_seconds": seconds} for seconds in (120, 0.05))


@pytest.fixture(scope="module")
def running(standing: House) -> House:
    standing.prepare(concurrency=1)
    return standing


def after(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def answered(running: House, since: int) -> list[Json]:
    return [it for it in running.ledger(since).of("answer") if it["to"] == FIRST]


@pytest.mark.timeout(150)
def test_a_number_suppressed_while_it_waits_never_rings(running: House) -> None:
    since, known = running.seq(), running.moment("dialer", VERSIONS)
    running.behave(seed=1, **LONG)
    batch_id = running.create(csv_of(ALL))
    until(lambda: bool(answered(running, since)), "the first call on its way", 30)
    running.behave(seed=1, **SHORT)

    soon = after(1)
    for number, body in (
        (FOR_GOOD, {"reason": "asked us to stop"}),
        (FOR_AN_HOUR, {"expires_at": after(3600)}),
        (LIFTED, {}),
        (BRIEFLY, {"expires_at": soon}),
    ):
        running.command("PUT", f"/v1/suppressions/{number}", body)
    running.command("DELETE", f"/v1/suppressions/{LIFTED}", {})
    until(lambda: running.moment("dialer", VERSIONS) == known + 5, "the dialers know", 30)
    assert running.read(f"/v1/batches/{batch_id}")["remaining"] == len(ALL)
    until(lambda: after(0) > soon, "the brief one over", 10)
    [first] = answered(running, since)
    url = f"{running.endpoints['simulator']}/calls/{first['carrier_call_id']}/hangup"
    httpx2.post(url).raise_for_status()

    batch = running.until_over(batch_id, 60)
    assert (batch["status"], batch["result"]) == ("COMPLETED", "completed_partial")
    people = running.all_of(f"/v1/batches/{batch_id}/recipients")
    assert {p["phone_number"]: (p["status"], p["outcome"]) for p in people} == {
        number: ("FAILED", "suppressed") if number in NEVER_RUNG else ("COMPLETED", "completed")
        for number in ALL
    }
    ledger = running.ledger(since)
    assert {entry["to"] for entry in ledger.entries} == set(ALL) - NEVER_RUNG
    assert set(ledger.rings_by_number().values()) == {1}
