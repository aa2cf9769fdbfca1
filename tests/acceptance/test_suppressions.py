"""A number that is suppressed while it waits in a batch never rings; judged by the ledger."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.house import House, csv_of, house, numbers, until

ALL = FIRST, FOR_GOOD, FOR_AN_HOUR, LIFTED, PLAIN, BRIEFLY = numbers(6, endings=("0001",))
NEVER_RUNG = {FOR_GOOD, FOR_AN_HOUR}
FOLDED = "SELECT count(*) = 4 AND max(version) = 2 FROM suppressions"
LONG, SHORT = ({"ring_seconds": 0.02, "talk_seconds": seconds} for seconds in (8, 0.05))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("suppressed") / "data", dialers=2) as opened:
        opened.prepare(concurrency=1)
        yield opened


def after(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


@pytest.mark.timeout(150)
def test_a_number_suppressed_while_it_waits_never_rings(running: House) -> None:
    running.behave(seed=1, **LONG)
    batch_id = running.create(csv_of(ALL))
    until(lambda: FIRST in running.ledger().rings_by_number(), "the first call on its way", 30)
    running.behave(seed=1, **SHORT)

    for number, body in (
        (FOR_GOOD, {"reason": "asked us to stop"}),
        (FOR_AN_HOUR, {"expires_at": after(3600)}),
        (LIFTED, {}),
        (BRIEFLY, {"expires_at": after(1)}),
    ):
        running.command("PUT", f"/v1/suppressions/{number}", body)
    running.command("DELETE", f"/v1/suppressions/{LIFTED}", {})
    until(lambda: running.moment("dialer", FOLDED), "the dialers know", 7, every=0.02)
    assert running.read(f"/v1/batches/{batch_id}")["remaining"] == len(ALL)

    batch = running.until_over(batch_id, 60)
    assert (batch["status"], batch["result"]) == ("COMPLETED", "completed_partial")
    people = running.all_of(f"/v1/batches/{batch_id}/recipients")
    assert {p["phone_number"]: (p["status"], p["outcome"]) for p in people} == {
        number: ("FAILED", "suppressed") if number in NEVER_RUNG else ("COMPLETED", "completed")
        for number in ALL
    }
    ledger = running.ledger()
    assert {entry["to"] for entry in ledger.entries} == set(ALL) - NEVER_RUNG
    assert set(ledger.rings_by_number().values()) == {1}
