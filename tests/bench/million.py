"""One batch as long as they come: as fast as a short one, in memory that does not grow with it.

If it were slower, something would be read or sorted as a whole for each few calls.
"""

import time

from tests.bench import holding
from tests.bench.end_to_end import INSTANT
from tests.bench.figure import Figure, Goal
from tests.bench.lists import csv_of, numbers_of_many_countries
from tests.bench.sizes import Size
from tests.growth import FLAT, Growth, growths
from tests.house import House

MEGABYTE = 1024 * 1024
OURS = {"ingest", "scheduler", "dialer-1", "projections"}


def measure(house: House, size: Size) -> list[Figure]:
    house.prepare(concurrency=size.limit)
    house.behave(**INSTANT)
    short = _seconds(house, size, size.calls)
    log, tables = holding.more(holding.log_bytes, house), holding.more(holding.table_bytes, house)
    rows = csv_of(numbers_of_many_countries(size.longest))
    began = time.monotonic()
    batch = house.create(rows)
    readings = holding.followed(house, batch, size.long_patience, size.long_patience / 500)
    rate = size.longest / (time.monotonic() - began)
    sizes = {f"log, {name}": n for name, n in log().items() if n}
    sizes |= {f"tables, {name}": n for name, n in tables().items() if n}
    return [
        Figure(
            f"{size.longest:,} recipients in one batch, list to COMPLETED",
            rate,
            "calls/s",
            size.calls / short,
            f"a batch of {size.calls:,}",
            Goal(at_least=0.8, of_ratio=True),
        ),
        *(_memory(growth) for growth in growths(readings)),
        *(_disk(name, n, size.longest, len(rows)) for name, n in sorted(sizes.items())),
    ]


def _seconds(house: House, size: Size, calls: int) -> float:
    began = time.monotonic()
    house.until_over(house.create(csv_of(numbers_of_many_countries(calls))), size.patience)
    return time.monotonic() - began


def _memory(growth: Growth) -> Figure:
    return Figure(
        f"memory of {growth.part}, at most {growth.most / MEGABYTE:.0f} MB",
        growth.slope,
        "KB per 1,000 calls",
        growth.first / MEGABYTE,
        "MB when warm",
        Goal(at_most=FLAT) if growth.part in OURS else None,
    )


def _disk(name: str, taken: int, people: int, listed: int) -> Figure:
    return Figure(name, taken / people, "bytes per recipient", listed / people, "bytes of the list")
