"""What the parts of a house hold: memory by part, the log by topic, tables by database."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping

import asyncpg
import psutil

from tests.growth import Reading
from tests.house import TERMINAL, House

SIZES = "SELECT pg_database_size(current_database())"


def held(house: House) -> dict[str, int]:
    """Bytes of each part and all it started; what processes share is counted once among them."""
    parts = {part: pid for part, pid in house.endpoints["pids"].items() if part != "up"}
    return {part: _with_children(psutil.Process(pid)) for part, pid in parts.items()}


def _with_children(process: psutil.Process) -> int:
    total = 0
    for one in (process, *process.children(recursive=True)):
        try:
            total += one.memory_full_info().pss
        except psutil.NoSuchProcess:  # a session of PostgreSQL that has ended
            continue
    return total


def followed(house: House, batch_id: str, patience: float, every: float) -> list[Reading]:
    """Readings by the calls that have ended, until the batch has."""
    deadline, readings = time.monotonic() + patience, []
    while True:
        batch = house.read(f"/v1/batches/{batch_id}")
        ended = sum(batch["outcomes"].values())
        readings.append(Reading(ended, held(house)))
        if batch["status"] in TERMINAL:
            return readings
        if time.monotonic() > deadline:
            raise AssertionError(f"not over within {patience:.0f} s: {batch}")
        time.sleep(every)


def log_bytes(house: House) -> Mapping[str, int]:
    """Of each topic of ours."""
    found: Counter[str] = Counter()
    for segment in (house.folder / "kafka" / "log").glob("rollcall.*/*.log"):
        found[segment.parent.name.rpartition("-")[0]] += segment.stat().st_size
    return found


def table_bytes(house: House) -> Mapping[str, int]:
    return {
        name: asyncio.run(_asked(dsn, SIZES)) for name, dsn in house.endpoints["databases"].items()
    }


async def _asked(dsn: str, query: str) -> int:
    conn = await asyncpg.connect(dsn)
    try:
        return int(await conn.fetchval(query))
    finally:
        await conn.close()


def more(
    measure: Callable[[House], Mapping[str, int]], house: House
) -> Callable[[], dict[str, int]]:
    """What there is more than now, when it is called."""
    before = measure(house)
    return lambda: {name: now - before.get(name, 0) for name, now in measure(house).items()}
