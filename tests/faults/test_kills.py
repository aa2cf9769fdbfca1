"""Whatever is killed, whenever, and however the carrier fails: everyone is called once, or told of.

A run that failed says its seed; `ROLLCALL_SEED` runs the long one with it again.
"""

import os
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.faults.conftest import IMPATIENT
from tests.faults.storm import Requests, rage, storm
from tests.faults.verdict import Run, every_slot_can_be_used
from tests.house import House, Json, csv_of, house, numbers, until

ENDINGS = ("0001", "0002", "0003", "0004", "0005", "0006")
FAULTS: Json = {
    "lost_response": 0.03,
    "lost_request": 0.03,
    "error_5xx": 0.03,
    "slow": 0.03,
    "slow_seconds": 1.0,
    "duplicate_callback": 0.1,
    "late_callback": 0.03,
    "late_seconds": 1.5,
    "reordered_callback": 0.1,
}
UNHURRIED: Json = {"ring_seconds": [0.1, 0.5], "talk_seconds": [0.3, 1.5]}
OURS = ("dialer-1", "dialer-2", "scheduler", "projections")


def suffer(
    running: House, parts: Sequence[str], *, seed: int, rows: int, kills: int, limit: int
) -> None:
    """A list of every outcome on a carrier with every fault, under a storm of kills."""
    print(f"seed {seed}")
    running.prepare(concurrency=limit)
    running.behave(seed=seed, faults=FAULTS, **UNHURRIED)
    called = numbers(rows, ENDINGS)
    since, requests = running.seq(), Requests(running)
    run = Run(running, running.create(csv_of(called)), called, since, limit)
    rage(running, storm(seed, parts, kills=kills, requests=rows * 3 // 4), requests)
    run.judge(120 + rows / 5)
    every_slot_can_be_used(running, limit)


@pytest.mark.timeout(240)
def test_services_killed_in_mid_batch_carry_on_where_they_were(running: House) -> None:
    suffer(running, OURS, seed=1, rows=100, kills=4, limit=30)


@pytest.mark.timeout(240)
def test_servers_killed_in_mid_batch_are_waited_for(running: House) -> None:
    suffer(running, ["postgres", "kafka"], seed=2, rows=100, kills=2, limit=30)


@pytest.mark.chaos
@pytest.mark.timeout(240)
def test_everything_killed_in_mid_batch_carries_on_at_the_next_start(tmp_path: Path) -> None:
    called, limit = numbers(200, ENDINGS), 20
    with house(tmp_path / "data", dialers=2, **IMPATIENT) as first:
        first.prepare(concurrency=limit)
        first.behave(seed=3, **UNHURRIED)
        requests = Requests(first)
        batch_id = first.create(csv_of(called))
        until(lambda: requests.reached(80), "80 requests", 60)
        first.die()
    with house(tmp_path / "data", dialers=2, **IMPATIENT) as again:
        Run(again, batch_id, called, 0, limit).judge(120)
        every_slot_can_be_used(again, limit)


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_a_long_storm_over_everything_but_the_carrier(running: House) -> None:
    seed = int(os.environ.get("ROLLCALL_SEED") or random.SystemRandom().randrange(10**6))
    parts = (*OURS, "ingest", "postgres", "kafka")
    suffer(running, parts, seed=seed, rows=1200, kills=21, limit=50)
