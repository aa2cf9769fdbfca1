"""The new generation takes the live one's place in one transaction, and only if it is equal.

Writers stand still for the moments in which both stand at one place of the log; readers never do.
The comparison reads one snapshot of both, while the live one goes on.
"""

import asyncio

import structlog
from asyncpg.transaction import Transaction

from chassis.comparing import Table, compared
from chassis.postgres import TRANSIENT, Connection, connect
from services.projections.generations.building import MOST_TRIES, Building, Hand
from services.projections.generations.definition import Definition, Q, schema_of

log = structlog.get_logger()

NEARLY = 2000
"""Records behind the live one, at which it is worth to hold the writers up for the rest."""
MUCH = 20_000
"""Records worth the start of another process."""
READERS_END_IN = 40.0
"""Seconds; the database ends longer transactions."""


async def catch_up(building: Building, what: Definition, *hands: Hand) -> None:
    """With its indexes, so near to the live one that the rest takes a moment."""
    await _near(building, *hands)
    for index in what.indexes:
        await building.conn.execute(index)
    await building.conn.execute(await building.conn.fetchval(Q.analyze, building.number))
    await _near(building)


async def _near(building: Building, *hands: Hand) -> None:
    behind = NEARLY + 1
    while behind > NEARLY:
        await building.look()
        behind = building.behind
        await building.read_up(*(hands if behind > MUCH else ()))


async def compare(dsn: str, building: Building, what: Definition) -> list[Table]:
    """With the live one, in the tables and columns that both have."""
    conn = building.conn
    live = await conn.fetchval(Q.live)
    snapshot = await _level(dsn, building)
    try:
        return await compared(conn, schema_of(building.number), schema_of(live), what.not_compared)
    finally:
        await snapshot.rollback()


async def _level(dsn: str, building: Building) -> Transaction:
    """A snapshot in which both stand at one place of the log."""
    for attempt in range(1, MOST_TRIES + 1):
        snapshot = building.conn.transaction(isolation="repeatable_read", readonly=True)
        holder = await connect(dsn, application_name="level")
        try:
            await holder.execute(Q.begin)
            await holder.execute(Q.write_alone)
            await building.look()
            await building.read_up()
            await snapshot.start()
            await building.conn.fetchval(Q.live)  # takes the snapshot
            if await _still_holds(holder):
                return snapshot
            await snapshot.rollback()
        finally:
            await holder.close()  # the writers go on
        log.warning("writers_not_held", attempt=attempt)
    raise ConnectionError("the writers could not be held for as long as it takes")


async def _still_holds(holder: Connection) -> bool:
    """The database ends a session that does nothing for long, or whose process was frozen."""
    try:
        await holder.fetchval(Q.live)
    except TRANSIENT:
        return False
    return True


async def switch(building: Building) -> None:
    async with building.conn.transaction():
        await building.conn.execute(Q.within_bounds)
        await building.conn.execute(Q.write_alone)
        await building.look()
        await building.read_up()
        await building.conn.execute(Q.retire)
        await building.conn.execute(Q.put_in_place, building.number)
        await building.conn.execute(Q.tell_of_it)


async def drop_retired(conn: Connection, *, within: float | None = None) -> None:
    """Waits for whoever still reads them; what is left after that goes with the next rebuild."""
    await conn.execute(Q.mark_retired)
    until = asyncio.get_running_loop().time() + (READERS_END_IN if within is None else within)
    while True:
        for row in await conn.fetch(Q.unused):
            async with conn.transaction():
                await conn.execute(row["drop_schema"])
                await conn.execute(Q.forget, row["number"])
            log.info("generation_dropped", number=row["number"])
        if not await conn.fetchval(Q.has_retired) or asyncio.get_running_loop().time() >= until:
            return
        await asyncio.sleep(0.1)
