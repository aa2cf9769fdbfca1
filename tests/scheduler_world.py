"""A scheduler's database with the log played by hand: events go in, decisions come out."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Scheduler:
    """Which one is tried: the real one, or one that is wrong in some way."""

    decider: type[Decider] = Decider
    fold: Fold = handlers.fold


REAL = Scheduler()


class World:
    def __init__(self, pool: Pool, kind: Scheduler = REAL) -> None:
        self.pool = pool
        self.kind = kind
        self.decider = kind.decider(pool, published=lambda: None)

    async def given(self, *events: Event) -> None:
        async with self.pool.acquire() as conn, conn.transaction():
            await self.kind.fold(conn, [received(event) for event in events])

    async def decided(self) -> Decided:
        return await self.decider.decide(ACCOUNT)

    async def when(self, *events: Event) -> list[Event]:
        await self.given(*events)
        return (await self.decided()).events


@asynccontextmanager
async def world_on(dsn: str, kind: Scheduler = REAL) -> AsyncIterator[World]:
    await migrate(dsn, MIGRATIONS)
    pool = await open_pool(dsn, application_name="test")
    try:
        yield World(pool, kind)
    finally:
        await pool.close()
