"""Exactly once, whatever happens in between."""

import time

from tests.conftest import DatabaseFactory
from tests.counter import batch, counted, counter, renamed, running, until


async def test_what_is_published_is_folded_once_and_in_order(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    async with counter(kafka, await database(), topic_prefix) as service:
        await service.publish([renamed(b, n) for n in range(1, 101) for b in range(20)])
        async with running(service.inbox()) as inbox:
            await inbox.caught_up()
        assert await counted(service.pool) == {batch(b): list(range(1, 101)) for b in range(20)}


async def test_a_new_record_is_folded_within_milliseconds(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    async with counter(kafka, await database(), topic_prefix) as service:
        seen: list[float] = []
        inbox = service.inbox(after_commit=lambda _: seen.append(time.perf_counter()))
        async with running(inbox):
            await inbox.caught_up()
            waits = []
            for n in range(1, 51):
                since = time.perf_counter()
                await service.publish([renamed(1, n)])
                acked = time.perf_counter()

                async def handled(n: int = n) -> bool:
                    return len(seen) >= n

                await until(handled)
                waits.append((seen[n - 1] - since, acked - since))
            waits.sort()
            print("p50 produce-to-commit ms", waits[25][0] * 1000, "ack", waits[25][1] * 1000)
