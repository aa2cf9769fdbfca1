"""Whole batches beside a loop that has no log, no gate, no limit and nothing to prove.

Ours is counted from before the list is sent until a reader is told that the batch is COMPLETED.
"""

import json
import subprocess
import sys
import time
from dataclasses import asdict

from tests.bench.figure import Figure, Goal
from tests.bench.lists import csv_of, numbers
from tests.bench.meter import cpu_seconds, services
from tests.bench.plain_loop import Run, Task
from tests.bench.sizes import Size
from tests.house import ROOT, House

INSTANT = {"ring_seconds": 0, "talk_seconds": 0, "outcomes": {"answered": 1}}


def measure(house: House, size: Size) -> list[Figure]:
    house.prepare(concurrency=size.limit)
    house.behave(**INSTANT)
    ours = _our_run(house, size)
    plain = _plain_run(house, size)
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
            ours.cpu / thousands,
            "CPU s per 1,000 calls",
            plain.cpu / thousands,
            "plain loop",
        ),
    ]


def _our_run(house: House, size: Size) -> Run:
    rows = csv_of(numbers(size.calls))
    pids = services(house)
    cpu, began = cpu_seconds(pids), time.monotonic()
    batch = house.until_over(house.create(rows), size.patience)
    run = Run(time.monotonic() - began, cpu_seconds(pids) - cpu)
    if batch["outcomes"]["completed"] != size.calls:
        raise AssertionError(f"not everyone was called: {batch}")
    return run


def _plain_run(house: House, size: Size) -> Run:
    """In a process of its own, as ours are."""
    task = Task(
        carrier=house.endpoints["simulator"],
        postgres=house.endpoints["postgres"],
        calls=size.calls,
        in_flight=size.limit,
    )
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.plain_loop", json.dumps(asdict(task))],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        timeout=size.patience,
    )
    return Run(**json.loads(done.stdout))
