"""The read model is the log: rebuilt beside the live one it must be equal, or that is said.

All in one transaction under the rebuild lock, which every writer of the service shares: it stands
still meanwhile, readers read the live tables until the swap, and a kill leaves all as it was.
Folded migrations hold tables and their indexes, nothing else.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import structlog
from aiokafka.errors import KafkaError

from chassis.apply import Fold
from chassis.comparing import Table, compared, not_compared
from chassis.migrations import steps_in
from chassis.postgres import LOST, Connection, connect
from chassis.queries import load_queries
from chassis.replay import replay
from contracts.topics import Topic

log = structlog.get_logger()
Q = load_queries(__file__, "rebuild.sql")

DRAINED_IN = 30.0
SWAP_ATTEMPTS = 20
_THEN = "; a rebuild is all or nothing: see that it runs (`rollcall doctor`), then start again."


class RebuildError(Exception):
    """It cannot be done now; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Rebuildable:
    """What a service folds, and where its migrations are."""

    service: str
    topics: Sequence[Topic]
    fold: Fold
    migrations: Path


@dataclass(frozen=True, slots=True)
class Report:
    records: int
    tables: Sequence[Table]
    swapped: bool
    resumed: int = 0
    """Records read by an earlier attempt that was cut short."""
    unshared: Sequence[str] = ()
    """Tables that only one of the two has: their definition was changed."""

    @property
    def equal(self) -> bool:
        return all(table.equal for table in self.tables)


async def rebuild(
    dsn: str, kafka: str, prefix: str, service: Rebuildable, *, force: bool = False
) -> Report:
    """Swaps the rebuilt tables in if they are equal to the live ones, or if forced to."""
    conn = await connect(
        dsn,
        application_name=f"rebuild {service.service}",
        transaction_timeout="0",
        statement_timeout="0",
        lock_timeout="0",
        idle_in_transaction_session_timeout="0",
    )
    try:
        transaction = await _alone(conn, service)
        report = await _beside(conn, kafka, prefix, service, force=force)
        await (transaction.commit() if report.swapped else transaction.rollback())
    except KafkaError as error:
        raise RebuildError(f"Kafka at {kafka} does not answer{_THEN}") from error
    except LOST as error:
        raise RebuildError(f"The connection to PostgreSQL is lost{_THEN}") from error
    else:
        return report
    finally:
        with suppress(*LOST):  # what is not committed ends with the session, lost or closed
            await conn.close()


async def _alone(conn: Connection, service: Rebuildable) -> asyncpg.transaction.Transaction:
    """The transaction that holds the lock.

    A service that writes topics has nothing waiting in its outbox then: its own topics, read to
    their end, hold all that it has decided.
    """
    writes = any(topic.writer == service.service for topic in service.topics)
    deadline = asyncio.get_running_loop().time() + DRAINED_IN
    while True:
        transaction = conn.transaction()
        await transaction.start()
        await conn.execute(Q.rebuild_alone)
        if not writes or not await conn.fetchval(Q.has_outbox):
            return transaction
        await transaction.rollback()
        if asyncio.get_running_loop().time() > deadline:
            raise RebuildError("Events of the service still wait to be published: start it first.")
        log.info("rebuild_waits_for_outbox")
        await asyncio.sleep(0.1)


async def _beside(
    conn: Connection, kafka: str, prefix: str, service: Rebuildable, *, force: bool
) -> Report:
    held_back = frozenset(tuple(row) for row in await conn.fetch(Q.held_back))
    stands = {(row["topic"], row["partition"]): row["next_offset"]
              for row in await conn.fetch(Q.offsets)}  # fmt: skip
    upto = {
        (topic.name, partition): stands.get((topic.name, partition), 0)
        for topic in service.topics
        if topic.writer != service.service
        for partition in range(topic.partitions)
    }
    await conn.execute(Q.begin_beside)
    steps = steps_in(service.migrations / "folded")
    for step in steps:
        await conn.execute(step.sql)
    records = await replay(
        kafka, prefix, service.topics, upto, service.fold, conn, held_back=held_back
    )
    excluded = not_compared(step.sql for step in steps)
    tables = await compared(conn, "rebuilt", "public", excluded)
    swapped = force or all(table.equal for table in tables)
    if swapped:
        await _swap(conn)
    return Report(records, tables, swapped)


async def _swap(conn: Connection) -> None:
    """Readers of several live tables may stand in the way; they are given way to, for a while."""
    statements = await conn.fetchval(Q.swap)
    for attempt in range(1, SWAP_ATTEMPTS + 1):
        try:
            async with conn.transaction():
                await conn.execute(statements)
        except asyncpg.DeadlockDetectedError:
            log.warning("swap_gives_way", attempt=attempt)
            if attempt == SWAP_ATTEMPTS:
                raise
        else:
            break
    await conn.execute(Q.end_beside)
