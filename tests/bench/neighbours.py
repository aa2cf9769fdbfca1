"""What a list of 50 MB costs those who do not send it: memory, and waiting for an answer."""

import multiprocessing
import tempfile
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import httpx2
import psutil

from tests.bench import meter
from tests.bench.figure import Figure, Goal, percentile
from tests.bench.lists import csv_of, numbers_of_many_countries
from tests.bench.sizes import Size
from tests.house import AGENT, House

MEGABYTE = 1024 * 1024
AGENT_SAYS = {"name": "Reminders", "active": True}


def measure(house: House, size: Size) -> list[Figure]:
    house.prepare(concurrency=1)
    rows = csv_of(numbers_of_many_countries(size.uploaded_rows), size.uploaded_bytes)
    ingest = psutil.Process(house.pid("ingest"))
    processes = [ingest.pid, *(child.pid for child in ingest.children())]
    until = time.monotonic() + size.idle_seconds / 3
    quiet = _answered(house, lambda: time.monotonic() < until)
    idle = sum(map(meter.resident, processes))
    for pid in processes:
        meter.forget_peak(pid)
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        file.write(rows)
        file.flush()
        url = f"{house.endpoints['ingest']}/v1/recipient-lists"
        sender = multiprocessing.get_context("spawn").Process(
            target=send, args=(url, Path(file.name), size.patience)
        )
        began = time.monotonic()
        sender.start()
        busy = _answered(house, sender.is_alive)
        sender.join()
        seconds = time.monotonic() - began
    if sender.exitcode:
        raise AssertionError("the list was not taken")
    peak = sum(map(meter.peak_resident, processes))
    what = f"a list of {len(rows) / MEGABYTE:.1f} MB"
    return [
        Figure(
            f"memory to take {what}, all processes of ingest",
            (peak - idle) / MEGABYTE,
            "MB above idle",
            idle / MEGABYTE,
            "when idle",
            Goal(at_most=100),
        ),
        Figure(
            f"{what}, request to its answer with counts",
            size.uploaded_rows / seconds,
            "rows/s",
            len(rows) / MEGABYTE / seconds,
            "the same in MB/s",
        ),
        Figure(
            "another request meanwhile, p99",
            percentile(busy, 0.99) * 1000,
            "ms",
            percentile(quiet, 0.99) * 1000,
            "when idle",
            Goal(at_most=50),
        ),
    ]


def send(url: str, file: Path, patience: float) -> None:
    """In a process of its own, so that what it costs is not counted as waiting."""
    with file.open("rb") as rows:
        answer = httpx2.post(url, files={"file": ("list.csv", rows)}, timeout=patience)
    answer.raise_for_status()


def _answered(house: House, goes_on: Callable[[], bool]) -> list[float]:
    """Seconds of requests one after the other: a write, and a list that is looked at."""
    found = []
    with httpx2.Client(base_url=str(house.endpoints["ingest"]), timeout=60) as http:
        typed = {"recipients": [{"phone_number": "+12025550123"}]}
        listed = http.post("/v1/recipient-lists", json=typed).json()["list_id"]
        asked = cycle(
            [
                ("PUT", f"/v1/agents/{AGENT}", AGENT_SAYS),
                ("GET", f"/v1/recipient-lists/{listed}/rows", None),
            ]
        )
        while goes_on():
            method, path, body = next(asked)
            began = time.monotonic()
            http.request(method, path, json=body).raise_for_status()
            found.append(time.monotonic() - began)
    return found
