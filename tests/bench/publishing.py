"""How fast a staged list gets into the log, and how little memory it takes to stage it.

Only ingest runs meanwhile: the other services are frozen, so that it has the machine as the bare
producer has it.
"""

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import uvloop

from tests.bench import chunk_log, meter
from tests.bench.figure import Figure, Goal
from tests.bench.lists import csv_of, numbers
from tests.bench.sizes import Size
from tests.house import AGENT, House, until

MEGABYTE = 1024 * 1024
PURGED = "SELECT NOT EXISTS (SELECT FROM upload_chunks)"
"""What ingest does after the last chunk is over before the bare producer begins."""


def measure(house: House, size: Size) -> list[Figure]:
    house.prepare(concurrency=1)
    rows = csv_of(numbers(size.uploaded_rows), size.uploaded_bytes)
    ingest = house.pid("ingest")
    idle = meter.resident(ingest)
    with alone(house, "ingest"):
        meter.forget_peak(ingest)
        kafka = house.endpoints["kafka"]
        before = uvloop.run(chunk_log.ends(kafka))
        _send(house, rows, size)
        began, taking = time.monotonic(), meter.peak_resident(ingest)
        uvloop.run(chunk_log.until_streamed(kafka, before, size.patience))
        seconds = time.monotonic() - began
        peak = meter.peak_resident(ingest)
        sizes = uvloop.run(chunk_log.sizes_since(kafka, before))
        until(lambda: house.moment("ingest", PURGED), "its rows gone", size.patience)
        bare = uvloop.run(chunk_log.bare_seconds(kafka, sizes))
    megabytes = sum(sizes) / MEGABYTE
    return [
        Figure(
            "a list's chunks into the log",
            megabytes / seconds,
            "MB/s",
            megabytes / bare,
            "bare idempotent producer, same records",
            Goal(at_least=0.5, of_ratio=True),
        ),
        Figure(
            f"memory to take a CSV of {len(rows) / MEGABYTE:.1f} MB",
            (taking - idle) / MEGABYTE,
            "MB above idle",
            idle / MEGABYTE,
            "ingest when idle",
            Goal(at_most=100),
        ),
        Figure(
            "memory to take and publish it",
            (peak - idle) / MEGABYTE,
            "MB above idle",
            idle / MEGABYTE,
            "ingest when idle",
            Goal(at_most=100),
        ),
    ]


def _send(house: House, rows: bytes, size: Size) -> None:
    answer = httpx2.post(
        f"{house.endpoints['ingest']}/v1/batches",
        files={"file": ("list.csv", rows, "text/csv")},
        data={"batch": json.dumps({"name": "Long", "agent_id": AGENT, "start": False})},
        timeout=size.patience,
    )
    answer.raise_for_status()


@contextmanager
def alone(house: House, part: str) -> Iterator[None]:
    """The others are stopped, and go on afterwards."""
    others = [name for name, pid in house.endpoints["pids"].items()
              if pid in meter.services(house) and name != part]  # fmt: skip
    for name in others:
        house.kill(name, signal.SIGSTOP)
    try:
        yield
    finally:
        for name in others:
            house.kill(name, signal.SIGCONT)
