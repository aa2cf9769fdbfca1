"""Twice the dialers place twice as many while the carrier is what they wait for.

Each keeps a few requests with a carrier that takes a tenth of a second to answer one: that binds,
until the processors do.  By the carrier's ledger, in houses of their own.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.bench.carrier_watch import Watch, at
from tests.bench.figure import Figure, Goal
from tests.bench.lists import csv_of, numbers
from tests.bench.sizes import Size
from tests.house import House, house

AT_ONCE = 4
"""Requests of a dialer: with ANSWER_SECONDS no more than 40 a second."""
ANSWER_SECONDS = 0.1
CARRIER = {
    "ring_seconds": 0,
    "talk_seconds": 0.5,
    "outcomes": {"answered": 1},
    "faults": {"slow": 1, "slow_seconds": ANSWER_SECONDS},
}
SLOTS = 2_000
MIDDLE = (0.1, 0.9)
"""Of the requests: neither the start nor the last few."""


@dataclass(frozen=True, slots=True)
class Placed:
    per_second: float
    cores: float
    """That the whole machine was busy with."""


def measure(_: House, size: Size) -> list[Figure]:
    found = {count: _of(count, size) for count in size.dialers}
    one = found[1]
    return [
        Figure(
            f"placements of {count} dialers, {placed.cores:.1f} of {psutil.cpu_count()} cores busy",
            placed.per_second,
            "calls/s",
            count * one.per_second,
            f"as one, {count} times; the carrier allows {count * AT_ONCE / ANSWER_SECONDS:.0f}",
            Goal(at_least=0.8, of_ratio=True),
        )
        for count, placed in found.items()
    ]


def _of(count: int, size: Size) -> Placed:
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        house(Path(folder) / "d", dialers=count, ROLLCALL_MOST_REQUESTS=str(AT_ONCE)) as opened,
    ):
        opened.prepare(concurrency=SLOTS)
        opened.behave(**CARRIER)
        watch = Watch(opened)
        psutil.cpu_percent()
        batch = opened.create(csv_of(numbers(count * size.slow_calls)))
        opened.until_over(batch, size.patience)
        cores = psutil.cpu_percent() / 100 * (psutil.cpu_count() or 1)
        instants = [at(entry).timestamp() for entry in watch.look().of("request")]
    first, last = (int(share * len(instants)) for share in MIDDLE)
    return Placed((last - first) / (instants[last] - instants[first]), cores)
