"""A service in small: it counts the renames of each batch, and nothing else."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from chassis.inbox import Inbox
from chassis.migrations import migrate
from chassis.postgres import Connection, Pool, open_pool
from chassis.producer import Producer
from chassis.records import Received
from chassis.relay import Relay
from chassis.topics import ensure_topics
from contracts.batches import BatchRenamed
from contracts.topics import BATCHES

MIGRATIONS = Path(__file__).parent / "counter_migrations"
NAMESPACE = UUID("6f0f5d0e-63d5-4dd5-bf76-3c9a0a4ed0aa")
LONG_ENOUGH = 30.0


def batch(number: int) -> UUID:
    return uuid5(NAMESPACE, str(number))


def renamed(batch_number: int, command_no: int, name: str = "x") -> BatchRenamed:
    return BatchRenamed(
        account_id="default",
        at=datetime.now(UTC),
        batch_id=batch(batch_number),
        command_no=command_no,
        command_id=uuid5(NAMESPACE, f"{batch_number}/{command_no}"),
        actor="test",
        name=name,
    )


async def count(conn: Connection, records: list[Received]) -> None:
    """Adds, so that a record folded twice shows; keeps the order in which they came."""
    for record in records:
        assert isinstance(record.event, BatchRenamed)
        if record.event.name == "poison":
            raise ValueError("this name cannot be counted")
    await conn.execute(
        """
        INSERT INTO renames AS r (batch_id, command_no, times)
        SELECT batch_id, command_no, count(*)
        FROM unnest($1::uuid[], $2::int[]) WITH ORDINALITY AS e (batch_id, command_no, nth)
        GROUP BY batch_id, command_no
        ORDER BY min(nth)
        ON CONFLICT (batch_id, command_no) DO UPDATE SET times = r.times + excluded.times
        """,
        [record.batch_id for record in records],
        [record.event.command_no for record in records if isinstance(record.event, BatchRenamed)],
    )


async def counted(pool: Pool) -> dict[UUID, list[int]]:
    rows = await pool.fetch(
        """
        SELECT batch_id, array_agg(command_no ORDER BY id) AS seen
        FROM renames CROSS JOIN LATERAL generate_series(1, times)
        GROUP BY batch_id
        """
    )
    return {row["batch_id"]: row["seen"] for row in rows}


async def total(pool: Pool) -> int:
    return int(await pool.fetchval("SELECT coalesce(sum(times), 0) FROM renames"))


async def until(condition: Callable[[], Any], within: float = LONG_ENOUGH) -> None:
    """Waits on a condition (an async callable), with a deadline."""
    async with asyncio.timeout(within):
        while not await condition():  # noqa: ASYNC110 - the condition lies in another process
            await asyncio.sleep(0.02)


class Counter:
    """Its parts, on a database and a prefix of its own."""

    def __init__(self, kafka: str, dsn: str, prefix: str) -> None:
        self.kafka, self.dsn, self.prefix = kafka, dsn, prefix
        self.pool: Pool
        self.producer = Producer(kafka, prefix=prefix)
        self.relay: Relay

    def inbox(self, kind: Callable[..., Inbox] = Inbox, **changed: Any) -> Inbox:
        parts: dict[str, Any] = {
            "service": "scheduler",
            "kafka": self.kafka,
            "pool": self.pool,
            "topics": [BATCHES],
            "fold": count,
            "prefix": self.prefix,
        }
        return kind(**parts | changed)

    async def publish(self, events: Sequence[BatchRenamed]) -> None:
        await self.producer.publish(events, writer="ingest")


@asynccontextmanager
async def counter(kafka: str, dsn: str, prefix: str) -> AsyncIterator[Counter]:
    service = Counter(kafka, dsn, prefix)
    await migrate(dsn, MIGRATIONS)
    await ensure_topics(kafka, prefix)
    service.pool = await open_pool(dsn, application_name="counter")
    await service.producer.start()
    service.relay = Relay(pool=service.pool, producer=service.producer)
    try:
        yield service
    finally:
        await service.producer.stop()
        service.pool.terminate()


@asynccontextmanager
async def running(inbox: Inbox) -> AsyncIterator[Inbox]:
    await inbox.start()
    task = asyncio.create_task(inbox.run())
    try:
        yield inbox
    finally:
        inbox.finish()
        async with asyncio.timeout(LONG_ENOUGH):
            await task
        await inbox.stop()
