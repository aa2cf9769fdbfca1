"""An hour's traffic leaves nothing behind: no memory, no rows in an outbox, nothing to do.

The hour is that of an account with 1,000 slots whose calls take half a minute: 120,000 calls in 30
batches, as fast as the machine makes them.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench import meter
from tests.bench.holding import held
from tests.bench.lists import csv_of, numbers
from tests.growth import Reading, growths
from tests.house import House, house, until

SLOTS, CALL_SECONDS, BATCHES = 1000, 30, 30
CALLS = SLOTS * 3600 // CALL_SECONDS
AT_ONCE = 2
"""Batches, so that the slots are never without work."""
TRAFFIC = {
    "ring_seconds": 0,
    "talk_seconds": 0,
    "outcomes": {"answered": 0.6, "voicemail": 0.2, "no_answer": 0.1, "busy": 0.1},
}
OURS = ("ingest", "scheduler", "dialer-1", "dialer-2", "projections")
IDLE_SECONDS, CREEP = 20.0, 0.02
"""Of a core, that idling may cost more after than before."""
OUTBOX = "SELECT count(*) FROM outbox"


@pytest.fixture
def soaked(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path / "data", dialers=2) as opened:
        opened.prepare(concurrency=SLOTS)
        opened.behave(**TRAFFIC)
        yield opened


@pytest.mark.chaos
@pytest.mark.timeout(3000)
def test_after_an_hour_s_traffic_nothing_is_held_that_was_not_before(soaked: House) -> None:
    soaked.until_over(soaked.create(csv_of(numbers(SLOTS))), 300)  # every pool is open
    _at_rest(soaked)
    before = _idle(soaked)
    readings = _after_each_batch(soaked)
    _at_rest(soaked)
    after = _idle(soaked)
    found = growths(readings)
    print("\n".join(map(str, found)))
    print(f"idle: {100 * before:.1f} % of a core before, {100 * after:.1f} % after")
    assert [it.part for it in found if it.part in OURS and it.leaks] == []
    assert after <= before + CREEP


def _after_each_batch(house: House) -> list[Reading]:
    size = CALLS // BATCHES
    rows = [csv_of(numbers(size, skip=SLOTS + n * size)) for n in range(BATCHES)]
    running = [house.create(rows[n]) for n in range(AT_ONCE)]
    readings = []
    for n in range(BATCHES):
        house.until_over(running[n], 900)
        readings.append(Reading((n + 1) * size, held(house)))
        if (following := n + AT_ONCE) < BATCHES:
            running.append(house.create(rows[following]))
    return readings


def _at_rest(house: House) -> None:
    for service in ("ingest", "scheduler", "dialer"):
        until(lambda: house.moment(service, OUTBOX) == 0, f"{service}'s outbox empty", 60)  # noqa: B023


def _idle(house: House) -> float:
    """Share of a core that our services take when nothing is asked of them."""
    time.sleep(IDLE_SECONDS / 4)  # what is left to do
    ours, began = meter.services(house), time.monotonic()
    spent = meter.cpu_seconds(ours)
    time.sleep(IDLE_SECONDS)
    return (meter.cpu_seconds(ours) - spent) / (time.monotonic() - began)
