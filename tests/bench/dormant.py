"""How punctual a batch is among a hundred thousand that wait for their day, and what those cost.

The dormant ones stand in the log as ingest would have written them; the due ones come over HTTP,
one for each second.  From the due instant to the carrier's request, by the ledger.
"""

import time
from datetime import UTC, datetime, timedelta

import uvloop

from contracts.sealed import Seal, new_key
from tests.bench.bare_hop import beside_hops, hops_of
from tests.bench.carrier_watch import Watch, at
from tests.bench.end_to_end import INSTANT
from tests.bench.figure import Figure, Goal
from tests.bench.lists import csv_of, numbers
from tests.bench.meter import cpu_seconds, pids
from tests.bench.sizes import Size
from tests.bench.written_batches import Written, heard, until_heard, write
from tests.house import House, until

ACCOUNT = "default"
FAR = timedelta(days=20)
SECOND = timedelta(seconds=1)


def measure(house: House, size: Size) -> list[Figure]:
    house.prepare(concurrency=size.slots)
    house.behave(**INSTANT)
    before = _idle(house, size, "no batch at all")
    _let_sleep(house, size)
    dormant = f"{size.dormant:,} dormant batches"
    beside_them = _idle(house, size, dormant, Goal(at_most=1))
    hop = hops_of(house)
    late = _seconds_late(house, size)
    hop += hops_of(house)
    name = f"due to request among {dormant}"
    return [
        beside_hops(name, late, 0.5, hop),
        beside_hops(name, late, 0.99, hop, Goal(at_most=250)),
        before,
        beside_them,
    ]


def _idle(house: House, size: Size, among: str, goal: Goal | None = None) -> Figure:
    time.sleep(min(5.0, size.idle_seconds))  # what came before has left something to do
    ours, beneath = pids(house, "scheduler"), pids(house, "kafka", "postgres")
    before, before_beneath, began = cpu_seconds(ours), cpu_seconds(beneath), time.monotonic()
    time.sleep(size.idle_seconds)
    seconds = time.monotonic() - began
    return Figure(
        f"CPU of the scheduler while nothing is due, {among}",
        100 * (cpu_seconds(ours) - before) / seconds,
        "% of a core",
        100 * (cpu_seconds(beneath) - before_beneath) / seconds,
        "Kafka and PostgreSQL in the same time",
        goal,
    )


def _let_sleep(house: House, size: Size) -> None:
    """Nobody has their key, and nobody needs it: they are not called in this house's life."""
    far, before = datetime.now(UTC) + FAR, heard(house)
    sleepers = [Written(ACCOUNT, [number], far) for number in numbers(size.dormant, skip=size.due)]
    seal = Seal(new_key(), "nobody's")
    uvloop.run(write(house, sleepers, dict.fromkeys((s.batch_id for s in sleepers), seal)))
    until_heard(house, before, size.dormant, size.patience)


def _seconds_late(house: House, size: Size) -> list[float]:
    watch, first = Watch(house), datetime.now(UTC) + timedelta(seconds=size.lead_seconds)
    due = {number: first + n * SECOND for n, number in enumerate(numbers(size.due))}
    for number, instant in due.items():
        house.upload(csv_of([number]), scheduled_at=instant.isoformat()).raise_for_status()
    if datetime.now(UTC) > first:
        raise AssertionError("the first was due before all were there")
    until(lambda: len(watch.look().of("end")) >= size.due, "everyone called", size.patience)
    return [(at(entry) - due[entry["to"]]).total_seconds() for entry in watch.look().accepted()]
