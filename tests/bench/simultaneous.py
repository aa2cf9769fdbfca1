"""How many live calls one dialer holds: what it takes in memory, and how soon it hears of each.

A callback is timed from the later of what it tells of and the one before it of the same call, to
the carrier's note that it was acknowledged: by the carrier's ledger, fsync included.
"""

import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from contracts.calls import CallCompleted
from contracts.topics import CALLS
from tests.bench import meter
from tests.bench.carrier_watch import Watch, at
from tests.bench.end_to_end import INSTANT
from tests.bench.figure import Figure, Goal, percentile
from tests.bench.lists import csv_of, numbers
from tests.bench.sizes import Size
from tests.heard import heard_at
from tests.house import House, until
from tests.ledger import Ledger

MEGABYTE = 1024 * 1024
TOLD = {"ring": "ringing", "answer": "answered", "end": "ended"}
SECOND = 1000


def measure(house: House, size: Size) -> list[Figure]:
    house.prepare(concurrency=size.live_calls)
    house.behave(**INSTANT | {"talk_seconds": list(size.live_talks)})
    watch, dialer = Watch(house), house.pid("dialer-1")
    idle = meter.resident(dialer)
    meter.forget_peak(dialer)
    batch = house.create(csv_of(numbers(size.live_calls)))
    until(lambda: watch.live() == size.live_calls, "all live", size.patience, every=1)
    live, spent = meter.resident(dialer), meter.cpu_seconds([dialer])
    time.sleep(size.idle_seconds)
    busy = (meter.cpu_seconds([dialer]) - spent) / size.idle_seconds
    house.until_over(batch, size.patience)
    peak = meter.peak_resident(dialer)
    ledger = watch.look()
    taken = list(_taken(ledger))
    begun = [seconds for told, seconds in taken if told != "ended"]
    ended = [seconds for told, seconds in taken if told == "ended"]
    return [
        Figure(
            f"memory of a dialer, at most, with {size.live_calls:,} calls live",
            peak / MEGABYTE,
            "MB",
            idle / MEGABYTE,
            f"when idle; {live / MEGABYTE:.0f} when all were live",
            Goal(at_most=300),
        ),
        Figure(
            f"CPU of a dialer while {size.live_calls:,} calls are live and none begins or ends",
            100 * busy,
            "% of a core",
            size.live_calls / 1000,
            "thousand calls, each looked up ever more rarely",
        ),
        _late("callback of an end, sent to acknowledged", ended, 0.99, Goal(at_most=100)),
        _late("callback of a beginning, sent to acknowledged", begun, 0.99),
        _late("a call's end to CallCompleted in the log", _in_the_log(house, ledger), 0.99),
    ]


def _late(what: str, seconds: list[float], share: float, goal: Goal | None = None) -> Figure:
    return Figure(
        f"{what}, p{share * 100:g}",
        percentile(seconds, share) * SECOND,
        "ms",
        max(percentile(seconds, 0.5) * SECOND, 0.001),
        f"p50 of {len(seconds):,}",
        goal,
    )


def _taken(ledger: Ledger) -> Iterator[tuple[str, float]]:
    """Of every callback, what it told and its seconds."""
    ready: dict[tuple[str, str], datetime] = {}
    before: dict[str, datetime] = {}
    for entry in ledger.entries:
        call = entry["call_id"]
        if (told := TOLD.get(entry["kind"])) is not None:
            ready[call, told] = at(entry)
        elif entry["kind"] == "callback":
            since = ready[call, entry["event"]]
            yield entry["event"], (at(entry) - max(since, before.get(call, since))).total_seconds()
            before[call] = at(entry)


def _in_the_log(house: House, ledger: Ledger) -> list[float]:
    ends: dict[str, float] = defaultdict(float)
    for entry in ledger.of("end"):
        ends[entry["call_id"]] = at(entry).timestamp()
    return [
        instant - ends[str(event.call_id)]
        for instant, event in heard_at(house.endpoints["kafka"], CALLS)
        if isinstance(event, CallCompleted) and str(event.call_id) in ends
    ]
