"""How long a person waits for the first ring, and how long a freed slot stays empty.

By the carrier's ledger, on the machine's one clock.  The reference is what any road through a
database and a log costs here: a commit, an acknowledged record, its delivery, another commit.
"""

from collections import deque
from datetime import UTC, datetime

import uvloop

from tests.bench.bare_hop import hops
from tests.bench.figure import Figure, Goal, percentile
from tests.bench.lists import csv_of, numbers
from tests.bench.sizes import Size
from tests.house import House, Json

AT_ONCE = 5
HOPS = 100


def measure(house: House, size: Size) -> list[Figure]:
    house.prepare(concurrency=AT_ONCE)
    hop = _hops(house)
    house.behave(ring_seconds=0, talk_seconds=0, outcomes={"answered": 1})
    first_ring = [_until_it_rings(house, number) for number in numbers(size.creations)]
    house.behave(ring_seconds=0, talk_seconds=[0.1, 0.5], outcomes={"answered": 1})
    empty = _slots_empty(house, size)
    hop += _hops(house)
    return [
        _figure("create to first ring, p50", first_ring, 0.5, hop),
        _figure("create to first ring, p99", first_ring, 0.99, hop, Goal(at_most=500)),
        _figure("slot freed to next request, p50", empty, 0.5, hop, Goal(at_most=50)),
        _figure("slot freed to next request, p99", empty, 0.99, hop),
    ]


def _hops(house: House) -> list[float]:
    return uvloop.run(hops(house.endpoints["kafka"], house.endpoints["postgres"], HOPS))


def _figure(
    name: str, seconds: list[float], share: float, hop: list[float], goal: Goal | None = None
) -> Figure:
    return Figure(
        name,
        percentile(seconds, share) * 1000,
        "ms",
        percentile(hop, share) * 1000,
        f"commit, record and delivery, commit, p{share * 100:.0f}",
        goal,
    )


def _until_it_rings(house: House, number: str) -> float:
    """Of one batch of one recipient, on a system that has nothing else to do."""
    rows, asked = csv_of([number]), datetime.now(UTC)
    house.until_over(house.create(rows), 30)
    rings = [entry for entry in house.ledger().of("ring") if entry["to"] == number]
    return (_at(rings[-1]) - asked).total_seconds()


def _slots_empty(house: House, size: Size) -> list[float]:
    """Each request after the first ones fills the slot that has been empty longest."""
    seen = house.ledger().entries[-1]["seq"]
    rows = numbers(size.turnovers + AT_ONCE, skip=size.creations)
    house.until_over(house.create(csv_of(rows)), size.patience)
    free: deque[datetime] = deque()
    waits: list[float] = []
    for entry in house.ledger().entries[seen:]:
        if entry["kind"] == "end":
            free.append(_at(entry))
        elif entry["kind"] == "request" and free:
            waits.append((_at(entry) - free.popleft()).total_seconds())
    return waits


def _at(entry: Json) -> datetime:
    return datetime.fromisoformat(entry["at"])
