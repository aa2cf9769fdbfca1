"""How long a person who says pause waits until it is certain that nobody more is called.

Slots are freed and filled all the while, so that every pause finds requests on their way; after its
200 the carrier's ledger has none.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tests.bench.bare_hop import beside_hops, hops_of
from tests.bench.carrier_watch import Watch, at
from tests.bench.end_to_end import INSTANT
from tests.bench.figure import Figure, Goal
from tests.bench.lists import csv_of, numbers
from tests.bench.sizes import Size
from tests.house import House, until

IN_USE = 0.95
"""Of the slots, when a pause is asked for: some are on their way to their next call."""


@dataclass(frozen=True, slots=True)
class Pause:
    asked: datetime
    confirmed: datetime
    over: datetime

    @property
    def seconds(self) -> float:
        return (self.confirmed - self.asked).total_seconds()


def measure(house: House, size: Size) -> list[Figure]:
    house.prepare(concurrency=size.limit)
    house.behave(**INSTANT | {"talk_seconds": list(size.long_talks)})
    hop = hops_of(house)
    watch = Watch(house)
    batch = house.create(csv_of(numbers(size.paused_people)))
    look = timedelta(seconds=size.look_seconds)
    pauses = [_pause(house, batch, watch, size) for _ in range(size.pauses)]
    house.command("POST", f"/v1/batches/{batch}/cancel", {})
    hop += hops_of(house)
    requests = [at(entry) for entry in watch.look().of("request")]
    seconds = [pause.seconds for pause in pauses]
    name = f"pause to its 200 with {size.limit} calls live"
    return [
        beside_hops(name, seconds, 0.5, hop),
        beside_hops(name, seconds, 0.99, hop),
        Figure(
            f"requests after the 200 of {len(pauses)} pauses",
            sum(p.confirmed < it < p.over for p in pauses for it in requests),
            "requests",
            sum(p.asked - look < it < p.asked for p in pauses for it in requests),
            f"in the {size.look_seconds:g} s before each",
            Goal(at_most=0),
        ),
    ]


def _pause(house: House, batch: str, watch: Watch, size: Size) -> Pause:
    """And on again, so that the next one finds as many calls live."""
    until(lambda: watch.live() >= IN_USE * size.limit, "the slots in use", size.patience)
    time.sleep(size.look_seconds)
    asked = datetime.now(UTC)
    answer = house.command("POST", f"/v1/batches/{batch}/pause", {})
    confirmed = datetime.now(UTC)
    if not answer["confirmed"]:
        raise AssertionError("a pause was not confirmed")
    time.sleep(size.look_seconds)
    over = datetime.now(UTC)
    house.command("POST", f"/v1/batches/{batch}/resume", {})
    return Pause(asked, confirmed, over)
