"""How long a person waits for the first ring, and how long a freed slot of a few stays empty.

By the carrier's ledger, on the machine's one clock.  The reference is what any road through a
database and a log costs here: a commit, an acknowledged record, its delivery, another commit.
"""

from datetime import UTC, datetime

from tests.bench.bare_hop import beside_hops, hops_of
from tests.bench.carrier_watch import at
from tests.bench.end_to_end import INSTANT
from tests.bench.figure import Figure, Goal
from tests.bench.lists import csv_of, numbers
from tests.bench.sizes import Size
from tests.bench.turnover import seconds_empty
from tests.house import House

AT_ONCE = 5


def measure(house: House, size: Size) -> list[Figure]:
    house.prepare(concurrency=AT_ONCE)
    hop = hops_of(house)
    house.behave(**INSTANT)
    first_ring = [_until_it_rings(house, number) for number in numbers(size.creations)]
    house.behave(**INSTANT | {"talk_seconds": [0.1, 0.5]})
    calls = numbers(size.turnovers + AT_ONCE, skip=size.creations)
    empty = seconds_empty(house, calls, AT_ONCE, size.patience)
    hop += hops_of(house)
    ring, freed = "create to first ring", f"slot freed to next request, {AT_ONCE} slots"
    return [
        beside_hops(ring, first_ring, 0.5, hop),
        beside_hops(ring, first_ring, 0.99, hop, Goal(at_most=500)),
        beside_hops(freed, empty, 0.5, hop, Goal(at_most=50)),
        beside_hops(freed, empty, 0.99, hop),
    ]


def _until_it_rings(house: House, number: str) -> float:
    """Of one batch of one recipient, on a system that has nothing else to do."""
    rows, asked = csv_of([number]), datetime.now(UTC)
    house.until_over(house.create(rows), 30)
    rings = [entry for entry in house.ledger().of("ring") if entry["to"] == number]
    return (at(rings[-1]) - asked).total_seconds()
