"""Whole batches beside a loop that has no log, no gate, no limit and nothing to prove.

Ours is counted from before the list is sent until a reader is told that the batch is COMPLETED.
The loop runs before and after, so that a machine which is busy for a while slows both.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple, dataclass

from tests.bench import meter
from tests.bench.figure import Figure, Goal
from tests.bench.lists import csv_of, numbers
from tests.bench.plain_loop import Run, Task
from tests.bench.sizes import Size
from tests.house import ROOT, House

INSTANT = {"ring_seconds": 0, "talk_seconds": 0, "outcomes": {"answered": 1}}


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one run."""

    seconds: float
    own: float
    """CPU seconds of whoever calls the list."""
    total: float
    """The same with the log, the database and the phone network that it keeps busy."""


def measure(house: House, size: Size) -> list[Figure]:
    house.prepare(concurrency=size.limit)
    house.behave(**INSTANT)
    before, ours, after = _plain(house, size), _ours(house, size), _plain(house, size)
    plain = _mean([before, after])
    thousands = size.calls / 1000
    return [
        Figure(
            "list to COMPLETED",
            size.calls / ours.seconds,
            "calls/s",
            size.calls / plain.seconds,
            f"plain loop, {size.limit} in flight, a commit a row",
            Goal(at_least=0.5, of_ratio=True),
        ),
        Figure(
            "CPU of the four services",
            ours.own / thousands,
            "s per 1,000 calls",
            plain.own / thousands,
            "plain loop",
        ),
        Figure(
            "CPU of everything",
            ours.total / thousands,
            "s per 1,000 calls",
            plain.total / thousands,
            "plain loop, its database, the phone network",
        ),
    ]


def _ours(house: House, size: Size) -> Cost:
    rows = csv_of(numbers(size.calls))
    beneath = meter.pids(house, "kafka", "postgres", "simulator")

    def run() -> Run:
        own, began = meter.cpu_seconds(meter.services(house)), time.monotonic()
        batch = house.until_over(house.create(rows), size.patience)
        if batch["outcomes"]["completed"] != size.calls:
            raise AssertionError(f"not everyone was called: {batch}")
        seconds = time.monotonic() - began
        return Run(seconds, meter.cpu_seconds(meter.services(house)) - own)

    return _cost(run, beneath)


def _plain(house: House, size: Size) -> Cost:
    """In a process of its own, as ours are."""
    task = Task(
        carrier=house.endpoints["simulator"],
        postgres=house.endpoints["postgres"],
        calls=size.calls,
        in_flight=size.limit,
    )

    def run() -> Run:
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.plain_loop", json.dumps(asdict(task))],
            cwd=ROOT,
            check=True,
            stdout=subprocess.PIPE,
            timeout=size.patience,
        )
        return Run(**json.loads(done.stdout))

    return _cost(run, meter.pids(house, "postgres", "simulator"))


def _cost(run: Callable[[], Run], beneath: Sequence[int]) -> Cost:
    before = meter.cpu_seconds(beneath)
    ran = run()
    return Cost(ran.seconds, ran.cpu, ran.cpu + meter.cpu_seconds(beneath) - before)


def _mean(costs: Sequence[Cost]) -> Cost:
    sums = (sum(column) for column in zip(*(astuple(cost) for cost in costs), strict=True))
    return Cost(*(total / len(costs) for total in sums))
