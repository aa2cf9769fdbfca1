"""How long a slot of many stays empty: from a call's end to the request that fills its place.

Twice, for two things are meant by it.  On calls that are over at once every slot is always being
filled again, so that the wait is a hundred slots' share of what the machine can do in a second.
On calls that are talked through a few slots are free at a time: that is the length of the road.
"""

from collections import deque
from collections.abc import Sequence
from datetime import datetime

from tests.bench.bare_hop import beside_hops, hops_of
from tests.bench.carrier_watch import Watch, at
from tests.bench.end_to_end import INSTANT
from tests.bench.figure import Figure, Goal
from tests.bench.lists import csv_of, numbers
from tests.bench.sizes import Size
from tests.house import House, Json


def measure(house: House, size: Size) -> list[Figure]:
    house.prepare(concurrency=size.slots)
    hop = hops_of(house)
    house.behave(**INSTANT)
    calls = numbers(2 * (size.refills + size.slots))
    half = len(calls) // 2
    instant = seconds_empty(house, calls[:half], size.slots, size.patience)
    house.behave(**INSTANT | {"talk_seconds": list(size.talks)})
    talked = seconds_empty(house, calls[half:], size.slots, size.patience)
    hop += hops_of(house)
    freed = f"slot freed to next request, {size.slots} slots"
    talks = f"{freed}, talks of {size.talks[0]:g} to {size.talks[1]:g} s"
    return [
        beside_hops(f"{freed}, instant calls", instant, 0.5, hop, Goal(at_most=25)),
        beside_hops(f"{freed}, instant calls", instant, 0.99, hop),
        beside_hops(talks, talked, 0.5, hop, Goal(at_most=25)),
        beside_hops(talks, talked, 0.99, hop),
    ]


def seconds_empty(house: House, calls: Sequence[str], slots: int, patience: float) -> list[float]:
    """Of a batch of its own: each request fills the slot that has been empty longest."""
    watch = Watch(house)
    house.until_over(house.create(csv_of(list(calls))), patience)
    return between(watch.look().entries, slots)


def between(entries: Sequence[Json], slots: int) -> list[float]:
    """As many requests as there are slots found one that nobody had used before."""
    empty: deque[datetime | None] = deque([None] * slots)
    waits: list[float] = []
    for entry in entries:
        if entry["kind"] == "end":
            empty.append(at(entry))
        elif entry["kind"] == "request" and (since := empty.popleft()) is not None:
            waits.append((at(entry) - since).total_seconds())
    return waits
