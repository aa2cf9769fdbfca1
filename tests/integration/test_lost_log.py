"""A log that was lost, cut short or exchanged is not read on, and says so; brought back, it is."""

import asyncio

from aiokafka.admin import AIOKafkaAdminClient

from chassis.inbox import Inbox
from chassis.topics import ensure_topics
from contracts.topics import BATCHES
from tests.conftest import DatabaseFactory
from tests.counter import Counter, batch, counted, counter, renamed, running, until


async def read_ten(service: Counter) -> None:
    await service.publish([renamed(b, 1) for b in range(10)])
    async with running(service.inbox()) as inbox:
        await inbox.caught_up()


async def lose(service: Counter) -> None:
    """The topic is gone; a new one of its name is empty."""
    admin = AIOKafkaAdminClient(bootstrap_servers=service.kafka)
    await admin.start()
    name = service.prefix + BATCHES.name
    try:
        await admin.delete_topics([name])

        async def gone() -> bool:
            return name not in await admin.list_topics()

        await until(gone)
    finally:
        await admin.close()
    await ensure_topics(service.kafka, service.prefix)


async def says(inbox: Inbox, words: str) -> None:
    async def said() -> bool:
        return words in (inbox.health().trouble or "")

    await until(said)
    assert not inbox.health().ok
    assert not inbox.is_caught_up
    assert not inbox.log_is_known


async def test_a_log_shorter_than_what_was_read_is_not_read_on(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    async with counter(kafka, await database(), topic_prefix) as service:
        await read_ten(service)
        await lose(service)
        async with running(service.inbox()) as inbox:
            await says(inbox, "10 records that were read are missing")
            await service.publish([renamed(1, 2)])
            await says(inbox, "9 records that were read are missing")
        assert await counted(service.pool) == {batch(b): [1] for b in range(10)}


async def test_another_log_of_the_same_length_is_known_as_another(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    async with counter(kafka, await database(), topic_prefix) as service:
        await read_ten(service)
        await lose(service)
        await service.publish([renamed(b, 7) for b in [*range(10), *range(10)]])
        async with running(service.inbox()) as inbox:
            await says(inbox, "has another record at")
        assert await counted(service.pool) == {batch(b): [1] for b in range(10)}


async def test_a_log_lost_under_a_running_service_stops_it_and_its_outbox(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    async with counter(kafka, await database(), topic_prefix) as service:
        await service.publish([renamed(b, 1) for b in range(10)])
        async with running(service.inbox()) as inbox:
            await inbox.caught_up()
            await lose(service)
            await says(inbox, "missing")
            waiting = asyncio.create_task(inbox.log_known())
            await asyncio.wait([waiting], timeout=0)
            assert not waiting.done()
            waiting.cancel()


async def test_a_log_that_is_brought_back_is_read_on_without_a_restart(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    async with counter(kafka, await database(), topic_prefix) as service:
        await read_ten(service)
        true = "UPDATE inbox_offsets SET marked_at = marked_at + $1"
        await service.pool.execute(true, -1)
        async with running(service.inbox()) as inbox:
            await says(inbox, "has another record at")
            await service.publish([renamed(1, 2)])
            await service.pool.execute(true, 1)
            await inbox.caught_up()
            assert inbox.health().ok
        expected = {batch(b): [1] for b in range(10)} | {batch(1): [1, 2]}
        assert await counted(service.pool) == expected
