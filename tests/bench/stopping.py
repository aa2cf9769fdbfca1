"""How long a service takes to stop under load, and how long nobody is called because of it.

Beside each is the longest time between two requests of the same house while all were up.
"""

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from tests.bench.carrier_watch import Watch, at
from tests.bench.end_to_end import INSTANT
from tests.bench.figure import Figure, Goal
from tests.bench.lists import csv_of, numbers
from tests.bench.sizes import Size
from tests.house import House, house, until
from tests.running_up import is_gone

DIALERS = 2
STEADY = 20
"""Requests of which the pace is seen, before and after each stop."""
EVERY = 0.005
PROMISED, PAUSE = Goal(at_most=10), Goal(at_most=5)


@dataclass(frozen=True, slots=True)
class Stop:
    part: str
    steady: datetime
    asked: datetime
    gone: datetime
    over: datetime


def measure(_: House, size: Size) -> list[Figure]:
    """In a house of its own, with a dialer that goes on while the other is stopped."""
    with (
        TemporaryDirectory(prefix="bench-") as folder,
        house(Path(folder) / "d", dialers=DIALERS) as here,
    ):
        here.prepare(concurrency=size.slots)
        here.behave(**INSTANT | {"talk_seconds": list(size.talks)})
        watch = Watch(here)
        batch = here.create(csv_of(numbers(size.stopped_people)))
        stops = [_stop(here, watch, part, size) for part in size.stopped]
        here.command("POST", f"/v1/batches/{batch}/cancel", {})
        requests = [at(entry) for entry in watch.look().of("request")]
    return [figure for stop in stops for figure in _figures(stop, requests)]


def _stop(here: House, watch: Watch, part: str, size: Size) -> Stop:
    steady = datetime.now(UTC)
    _requests(watch, STEADY, size)
    asked = datetime.now(UTC)
    process = psutil.Process(here.kill(part, signal.SIGTERM))
    until(lambda: is_gone(process), f"{part} gone", size.patience, EVERY)
    gone = datetime.now(UTC)
    until(lambda: here.is_back(part, process.pid), f"{part} back", size.patience, EVERY)
    log = here.folder / "logs" / f"{part}.log"
    starts = log.read_text(errors="replace").count("caught_up")
    until(lambda: log.read_text(errors="replace").count("caught_up") > starts, part, size.patience)
    _requests(watch, STEADY, size)
    return Stop(part, steady, asked, gone, datetime.now(UTC))


def _requests(watch: Watch, count: int, size: Size) -> None:
    goal = len(watch.look().of("request")) + count
    until(lambda: len(watch.look().of("request")) >= goal, "steady calls", size.patience)


def _figures(stop: Stop, requests: Sequence[datetime]) -> list[Figure]:
    steady = longest_gap(requests, stop.steady, stop.asked)
    beside = "s, the longest gap while all were up"
    gap = longest_gap(requests, stop.asked, stop.over)
    seconds = (stop.gone - stop.asked).total_seconds()
    rest = PAUSE if stop.part.startswith("dialer") else None
    return [
        Figure(f"{stop.part}: asked to stop until gone", seconds, "s", steady, beside, PROMISED),
        Figure(f"{stop.part}: longest gap between requests", gap, "s", steady, beside, rest),
    ]


def longest_gap(instants: Sequence[datetime], since: datetime, to: datetime) -> float:
    """Seconds, with those at both ends."""
    within = [since, *(it for it in sorted(instants) if since < it < to), to]
    return max((b - a).total_seconds() for a, b in pairwise(within))
