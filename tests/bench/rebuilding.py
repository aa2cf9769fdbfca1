"""The scheduler rebuilt from the first event, beside a reader that only decodes the same events."""

import json
import subprocess
import sys
import time

import uvloop

from services.scheduler import rebuilding as scheduler
from tests.bench.decoding import decoded_per_second
from tests.bench.end_to_end import INSTANT
from tests.bench.figure import Figure, Goal
from tests.bench.lists import csv_of, numbers
from tests.bench.sizes import Size
from tests.house import ROOT, House


def measure(house: House, size: Size) -> list[Figure]:
    house.prepare(concurrency=size.limit)
    house.behave(**INSTANT)
    rows = csv_of(numbers(size.calls))
    house.until_over(house.create(rows), size.patience)
    return uvloop.run(_figures(house))


async def _figures(house: House) -> list[Figure]:
    figure = Figure(
        "scheduler rebuilt and compared",
        _rebuilt_per_second(house, "scheduler"),
        "events/s",
        await decoded_per_second(house.endpoints["kafka"], scheduler.READ),
        "bare loop that decodes the same topics",
        Goal(at_least=0.25, of_ratio=True),
    )
    return [figure]


def _rebuilt_per_second(house: House, service: str) -> float:
    """As a person types it, in a process of its own; the start of Python counts."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "cli", "rebuild", service, "--data-dir", house.folder, "--json"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
    )
    seconds = time.monotonic() - began
    report = json.loads(done.stdout)["services"][service]
    if not report["equal"]:
        raise AssertionError(f"{service} rebuilt is another: {report}")
    return float(report["records"]) / seconds
