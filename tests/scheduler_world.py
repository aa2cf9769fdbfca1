"""A scheduler's database with the log played by hand: events go in, decisions come out."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from chassis.migrations import migrate
from chassis.postgres import Connection, Pool, open_pool
from chassis.records import Received
from contracts.event import Event
from services.scheduler import handlers
from services.scheduler.decider import Decider
from services.scheduler.decision import Decided
from tests.scheduler_story import ACCOUNT

MIGRATIONS = Path(handlers.__file__).parents[1] / "migrations"
Fold = Callable[[Connection, list[Received]], Awaitable[None]]


def received(event: Event) -> Received:
    return Received(event, "t", 0, 0, None, str(event.event_id))


class World:
    def __init__(self, pool: Pool, kind: type[Decider] = Decider) -> None:
        self.pool = pool
        self.decider = kind(pool, published=lambda: None)

    async def given(self, *events: Event) -> None:
        async with self.pool.acquire() as conn, conn.transaction():
            await handlers.fold(conn, [received(event) for event in events])

    async def decided(self) -> Decided:
        return await self.decider.decide(ACCOUNT)

    async def when(self, *events: Event) -> list[Event]:
        await self.given(*events)
        return (await self.decided()).events


@asynccontextmanager
async def world_on(dsn: str, kind: type[Decider] = Decider) -> AsyncIterator[World]:
    await migrate(dsn, MIGRATIONS)
    pool = await open_pool(dsn, application_name="test")
    try:
        yield World(pool, kind)
    finally:
        await pool.close()
