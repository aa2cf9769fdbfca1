"""After a loss of the database live numbers are guarded again before anybody is placed.

Without it a number in a call that only the log remembers could be rung a second time.
"""

from functools import partial
from uuid import UUID

import asyncpg

from chassis.postgres import Connection, Pool, retrying
from services.dialer.people import People
from services.dialer.store import Q, columns

FIRST = UUID(int=0)


async def guard_live_numbers(pool: Pool, people: People) -> None:
    after: UUID | None = FIRST
    while after is not None:
        after = await retrying("guard numbers", partial(_guard_some, pool, people, after))


async def _guard_some(pool: Pool, people: People, after: UUID) -> UUID | None:
    """The last call looked at; None when there are no more."""
    async with pool.acquire() as conn, conn.transaction():
        rows = await conn.fetch(Q.live_without_digest, after)
        named: list[tuple[object, ...]] = []
        for row in rows:
            secrets = await people.read(row["batch_id"], row["sealed"])
            if secrets is not None:
                digest = await people.digest(row["account_id"], secrets.phone_number)
                named.append((row["call_id"], row["account_id"], digest))
        if named:
            await _guard(conn, named)
        return rows[-1]["call_id"] if rows else None


async def _guard(conn: Connection, named: list[tuple[object, ...]]) -> None:
    try:
        async with conn.transaction():
            await conn.execute(Q.guard_numbers, *columns(named))
    except asyncpg.UniqueViolationError as error:
        # Another dialer guards the same ones; what it leaves is guarded at the next look.
        raise asyncpg.SerializationError(str(error)) from error
