"""The new generation takes the live one's place in one transaction, and only if it is equal.

Writers stand still for the moments in which both stand at one place of the log; readers never do.
The comparison reads one snapshot of both, while the live one goes on.
"""

import asyncio

import structlog

from chassis.comparing import Table, compared
from chassis.postgres import Connection, connect
from services.projections.generations.building import Building, Hand
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
    snapshot = conn.transaction(isolation="repeatable_read", readonly=True)
    holder = await connect(dsn, application_name="level")
    try:
        await holder.execute(Q.begin)
        await holder.execute(Q.write_alone)
        await building.look()
        await building.read_up()
        await snapshot.start()
        await conn.fetchval(Q.live)  # takes the snapshot: both stand at one place in it
    finally:
        await holder.close()  # the writers go on
    try:
        return await compared(conn, schema_of(building.number), schema_of(live), what.not_compared)
    finally:
        await snapshot.rollback()


async def switch(building: Building) -> None:
    async with building.conn.transaction():
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
            await conn.execute(row["drop_schema"])
            await conn.execute(Q.forget, row["number"])
            log.info("generation_dropped", number=row["number"])
        if not await conn.fetchval(Q.has_retired) or asyncio.get_running_loop().time() >= until:
            return
        await asyncio.sleep(0.1)
