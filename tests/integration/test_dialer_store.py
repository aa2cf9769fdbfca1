"""What the database guarantees by itself, whatever runs above it."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

import services.dialer.app
from chassis.migrations import migrate
from chassis.postgres import Pool, open_pool
from chassis.queries import check_queries
from contracts.directory import SuppressionAdded, SuppressionEvent, SuppressionRemoved
from services.dialer.call import Call, State
from services.dialer.handlers import suppressions
from services.dialer.store import Q, fold_calls, take_permits
from tests.conftest import DatabaseFactory
from tests.dialing import WAITING, until

MIGRATIONS = Path(services.dialer.app.__file__).parent / "migrations"
LIVE = ("INTENT", "UNKNOWN", "STARTED")
INSERT = """
INSERT INTO calls (call_id, account_id, batch_id, recipient_id, grant_no, attempt, run_attempt,
                   epoch, state, number_digest)
VALUES ($1, 'default', $2, $1, 1, 1, 1, 1, $3::call_state, $4)
"""


async def pool_on(database: DatabaseFactory) -> Pool:
    dsn = await database()
    await migrate(dsn, MIGRATIONS)
    return await open_pool(dsn, application_name="test")


async def test_every_query_fits_the_schema(database: DatabaseFactory) -> None:
    pool = await pool_on(database)
    async with pool.acquire() as conn:
        await check_queries(conn, Q)
    await pool.close()


@pytest.mark.parametrize("second", LIVE)
async def test_two_live_calls_to_a_number_cannot_be_stored(
    database: DatabaseFactory, second: str
) -> None:
    pool = await pool_on(database)
    await pool.execute(INSERT, uuid4(), uuid4(), "STARTED", "digest")
    await pool.execute(INSERT, uuid4(), uuid4(), "ENDED", "digest")
    with pytest.raises(asyncpg.UniqueViolationError):
        await pool.execute(INSERT, uuid4(), uuid4(), second, "digest")
    await pool.close()


async def test_the_newest_word_on_a_suppression_counts_in_whatever_order_it_comes(
    database: DatabaseFactory,
) -> None:
    pool = await pool_on(database)
    said = {"account_id": "default", "at": datetime.now(UTC), "actor": "test", "source": "test"}
    for number, order in enumerate(permutations((1, 2, 3))):
        story: list[SuppressionEvent] = [
            SuppressionRemoved(**said, digest=f"{number}", version=1),
            SuppressionAdded(**said, digest=f"{number}", version=2),
            SuppressionRemoved(**said, digest=f"{number}", version=3),
        ]
        told = [story[version - 1] for version in (*order, 1)]
        async with pool.acquire() as conn:
            await suppressions(conn, told[:2])
            await suppressions(conn, told[1:])
    rows = await pool.fetch("SELECT DISTINCT version, active FROM suppressions")
    assert [tuple(row) for row in rows] == [(3, False)]
    await pool.close()


async def drained(pool: Pool, batch_id: UUID) -> list[int]:
    async with pool.acquire() as conn, conn.transaction():
        locked = [row["batch_id"] for row in await conn.fetch(Q.lock_undrained)]
        rows = await conn.fetch(Q.drain, locked)
        return [row["closed_through_epoch"] for row in rows if row["batch_id"] == batch_id]


async def test_an_intent_in_the_making_holds_the_gate_and_is_seen_by_the_look_for_it(
    database: DatabaseFactory,
) -> None:
    pool = await pool_on(database)
    batch_id, call_id = uuid4(), uuid4()
    await pool.execute(Q.open_gates, [batch_id], ["default"])
    await pool.execute(INSERT, call_id, batch_id, "GRANTED", None)
    async with pool.acquire() as placing:
        transaction = placing.transaction()
        await transaction.start()
        (verdict,) = await placing.fetch(Q.intend, *intending(batch_id, call_id))
        assert verdict["verdict"] == "intended"
        closing = asyncio.create_task(
            pool.execute(Q.raise_gates, [batch_id], ["default"], [1], [False])
        )
        await until(lambda: pool.fetchval(WAITING))
        assert not closing.done()
        await transaction.commit()
    await closing
    assert await drained(pool, batch_id) == []
    await pool.execute("UPDATE calls SET state = 'ENDED'")
    assert await drained(pool, batch_id) == [1]
    assert await drained(pool, batch_id) == []
    await pool.close()


async def test_a_closing_in_the_making_is_waited_for_and_obeyed(database: DatabaseFactory) -> None:
    pool = await pool_on(database)
    batch_id, call_id = uuid4(), uuid4()
    await pool.execute(Q.open_gates, [batch_id], ["default"])
    await pool.execute(INSERT, call_id, batch_id, "GRANTED", None)
    async with pool.acquire() as closing:
        transaction = closing.transaction()
        await transaction.start()
        await closing.execute(Q.raise_gates, [batch_id], ["default"], [1], [False])
        placing = asyncio.create_task(pool.fetch(Q.intend, *intending(batch_id, call_id)))
        await until(lambda: pool.fetchval(WAITING))
        await transaction.commit()
    (verdict,) = await placing
    assert verdict["verdict"] == "gate_closed"
    assert await pool.fetchval("SELECT state FROM calls") == "GRANTED"
    await pool.close()


def intending(batch_id: UUID, call_id: UUID) -> tuple[object, ...]:
    wait = timedelta(seconds=2)
    return ([call_id], ["digest"], [batch_id], 10, "simulator", wait, wait)


async def test_the_carrier_s_rate_is_shared_by_all_who_ask(database: DatabaseFactory) -> None:
    pool = await pool_on(database)
    await pool.execute(Q.know_carrier, "simulator")

    async def take() -> int:
        async with pool.acquire() as conn:
            return await take_permits(conn, "simulator", 1000.0, 100)

    began = await pool.fetchval("SELECT counted_at FROM carriers")
    turns = [sum(await asyncio.gather(*(take() for _ in range(10)))) for _ in range(5)]
    lasted = (await pool.fetchval("SELECT clock_timestamp()") - began).total_seconds()
    assert 0 < sum(turns) <= 100 + 1000 * lasted
    await pool.close()


async def test_a_call_the_log_tells_has_begun_counts_as_found(database: DatabaseFactory) -> None:
    pool = await pool_on(database)
    placing = Call(
        call_id=uuid4(), account_id="default", batch_id=uuid4(), recipient_id=uuid4(), grant_no=1,
        attempt=1, run_attempt=1, epoch=1, state=State.UNKNOWN, unknown_since=datetime.now(UTC),
    )  # fmt: skip
    for told in (placing, replace(placing, state=State.STARTED, unknown_since=None)):
        async with pool.acquire() as conn:
            await fold_calls(conn, [told])
    (known,) = await pool.fetch("SELECT state, unknown_since FROM calls")
    assert tuple(known) == ("STARTED", None)
    await pool.close()
