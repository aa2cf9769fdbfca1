"""Positions are seen in the order of commits: who reads on from one misses nothing before it."""

import asyncio
from collections.abc import AsyncIterator
from random import Random
from uuid import UUID

import pytest

from chassis.postgres import Pool, open_pool
from contracts.batches import BatchDeleted
from contracts.event import Event
from services.projections.generations.definition import definition
from services.projections.generations.live import enter, prepare
from services.projections.handlers import fold_events
from services.projections.live.batch_stream import entries_since
from services.projections.live.list_stream import changes_since
from tests.conftest import DatabaseFactory
from tests.log_of_batches import BatchLog, OneKey
from tests.log_of_calls import ACCOUNT


@pytest.fixture
async def pool(database: DatabaseFactory) -> AsyncIterator[Pool]:
    dsn = await database()
    await prepare(dsn, definition())
    async with await open_pool(dsn, application_name="test") as opened:
        yield opened


async def fold(pool: Pool, streams: list[list[Event]]) -> None:
    """As one process does, a poll a transaction."""
    for poll in streams:
        async with pool.acquire() as conn, conn.transaction():
            await enter(conn)
            await fold_events(conn, poll, keys=OneKey())


async def follow(pool: Pool, batches: list[UUID], done: asyncio.Event) -> dict[UUID, list[int]]:
    """The positions that somebody hears who asks again and again for what came after the last."""
    heard: dict[UUID, list[int]] = {batch_id: [] for batch_id in batches}
    while True:
        last_look = done.is_set()
        found = await entries_since(
            pool, {batch_id: (seen or [0])[-1] for batch_id, seen in heard.items()}
        )
        for batch_id, each in found.items():
            heard[batch_id] += [position for position, _ in each.messages]
        if last_look:
            return heard


async def test_nothing_is_missed_while_several_processes_fold(pool: Pool) -> None:
    logs = [BatchLog(Random(seed), seed) for seed in range(20, 26)]
    streams = [
        [event for event in stream if not isinstance(event, BatchDeleted)]
        for log in logs
        for stream in log.streams()
        if stream
    ]
    Random(5).shuffle(streams)
    batches = [log.batch_id for log in logs]
    done = asyncio.Event()
    following = asyncio.create_task(follow(pool, batches, done))
    await asyncio.gather(*(fold(pool, streams[n::3]) for n in range(3)))
    done.set()
    heard = await following
    async with pool.acquire() as conn, conn.transaction():
        await enter(conn)
        told = {
            batch_id: [
                row["position"]
                for row in await conn.fetch(
                    "SELECT position FROM timeline WHERE batch_id = $1 ORDER BY 1", batch_id
                )
            ]
            for batch_id in batches
        }
    assert heard == told
    assert sum(map(len, told.values())) > len(streams)
    everything = await changes_since(pool, {ACCOUNT: 0})
    assert len(everything[ACCOUNT].messages) == len(batches)
