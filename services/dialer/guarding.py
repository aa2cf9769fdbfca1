"""After a loss of the database live numbers are guarded again before anybody is placed.

Without it a number in a call that only the log remembers could be rung a second time.
"""

from functools import partial
from uuid import UUID

import asyncpg
import structlog

from chassis.inbox import Inbox
from chassis.postgres import Connection, Pool, retrying
from chassis.vault import KeyLostError
from contracts.sealed import RecipientSecrets
from services.dialer.people import People
from services.dialer.store import Q, Row, columns

log = structlog.get_logger()

FIRST = UUID(int=0)


class Guard:
    """`read` returns when the log is read to its end, and what that brought to light is guarded."""

    def __init__(self, pool: Pool, people: People, inbox: Inbox) -> None:
        self._pool = pool
        self._people = people
        self._inbox = inbox
        self._guarded = False

    def reconnected(self, _: str) -> None:
        """The database may be another one than before."""
        self._guarded = False

    async def read(self) -> None:
        while not (self._inbox.is_caught_up and self._guarded):
            await self._inbox.caught_up()
            self._guarded = True
            await guard_live_numbers(self._pool, self._people)


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
            if secrets is not None and (digest := await _digest(people, row, secrets)):
                named.append((row["call_id"], row["account_id"], digest))
        if named:
            await _guard(conn, named)
        return rows[-1]["call_id"] if rows else None


async def _digest(people: People, row: Row, secrets: RecipientSecrets) -> str | None:
    """None where the pepper is lost: then nobody of the account is placed either."""
    try:
        return await people.digest(row["account_id"], secrets.phone_number)
    except KeyLostError:
        log.exception("pepper_lost", account_id=row["account_id"])
        return None


async def _guard(conn: Connection, named: list[tuple[object, ...]]) -> None:
    try:
        async with conn.transaction():
            await conn.execute(Q.guard_numbers, *columns(named))
    except asyncpg.UniqueViolationError as error:
        # Another dialer guards the same ones; what it leaves is guarded at the next look.
        raise asyncpg.SerializationError("guarded elsewhere") from error
