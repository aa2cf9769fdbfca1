"""Kafka and PostgreSQL are killed under a working service, and all it was told comes through."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from chassis import outbox
from chassis.postgres import TRANSIENT, retrying
from deploy.embedded.infrastructure import Infrastructure, infrastructure
from tests.counter import Counter, batch, counted, counter, renamed, running, until

BATCHES_, KILLED = 4, ("kafka", "postgres")


async def kill(infra: Infrastructure, name: str) -> None:
    """As an out-of-memory kill; its keeper starts it again."""
    keeper = next(each for each in infra.keepers if each.part.command.name == name)
    before = keeper.pid
    assert before is not None
    os.kill(before, signal.SIGKILL)

    async def back() -> bool:
        return keeper.pid != before and await keeper.part.ready()

    await until(back, within=60)


async def say(service: Counter, n: int) -> None:
    async def put() -> None:
        async with service.pool.acquire() as conn, conn.transaction():
            await outbox.put(conn, [renamed(b, n) for b in range(BATCHES_)], writer="ingest")

    await retrying("say", put)
    service.relay.wake()


async def first_seen(service: Counter) -> dict[int, list[int]]:
    """What was folded of each batch, in order, repeats of the log left out."""
    try:
        seen = await counted(service.pool)
    except TRANSIENT:
        return {}
    return {b: list(dict.fromkeys(seen.get(batch(b), []))) for b in range(BATCHES_)}


@pytest.mark.chaos
async def test_what_was_committed_is_published_and_folded_through_the_kills(tmp_path: Path) -> None:
    async with (
        infrastructure(tmp_path / "d", databases=("counter",)) as infra,
        counter(infra.kafka, infra.postgres_dsn("counter"), "") as service,
    ):
        relaying = asyncio.create_task(service.relay.run())
        async with running(service.inbox()) as inbox:
            for n, name in enumerate(KILLED, start=1):
                await asyncio.gather(say(service, 2 * n - 1), kill(infra, name))
                await say(service, 2 * n)
            wanted = {b: list(range(1, 2 * len(KILLED) + 1)) for b in range(BATCHES_)}

            async def all_there() -> bool:
                return await first_seen(service) == wanted

            await until(all_there, within=60)
            assert not relaying.done()

            async def well() -> bool:
                return inbox.health().trouble is None and service.relay.trouble is None

            await until(well)
        relaying.cancel()
        await asyncio.gather(relaying, return_exceptions=True)
