"""Somebody's transactions in a topic of ours leave marks that no consumer is shown: all goes on."""

import asyncio

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from chassis.dead_letters import Place
from chassis.inbox import Inbox
from chassis.origins import Origins
from chassis.replay import replay
from chassis.whole_log import whole_log
from contracts.topics import BATCHES
from tests.conftest import DatabaseFactory
from tests.counter import Counter, batch, count, counted, counter, renamed, running, until

LATE = 20.0


async def transactions(service: Counter, *, committed: bool) -> None:
    """One record to each partition, and a mark behind it."""
    producer = AIOKafkaProducer(
        bootstrap_servers=service.kafka, transactional_id=f"{service.prefix}foreign"
    )
    await producer.start()
    try:
        await producer.begin_transaction()
        for partition in range(BATCHES.partitions):
            await producer.send_and_wait(
                service.prefix + BATCHES.name, b"not ours", key=b"x", partition=partition
            )
        await (producer.commit_transaction() if committed else producer.abort_transaction())
    finally:
        await producer.stop()


async def has_dead_letters(service: Counter, number: int) -> None:
    async def listed() -> bool:
        return bool(await service.pool.fetchval("SELECT count(*) = $1 FROM dead_letters", number))

    await until(listed)


async def is_at_the_end(service: Counter, inbox: Inbox) -> None:
    """In its own count, and in the database, by which all others judge."""
    ends = await inbox._reader.end_offsets()

    async def read_up() -> bool:
        stands = await inbox._catch_up.stands()
        at_the_end = {tp: stand.upto for tp, stand in stands.items()} == ends
        return at_the_end and inbox.health().lag == 0

    await until(read_up)


async def test_a_service_goes_on_past_it_and_gets_ready_again_behind_it(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    async with counter(kafka, await database(), topic_prefix) as service:
        await service.publish([renamed(b, 1) for b in range(10)])
        async with running(service.inbox()) as inbox:
            await inbox.caught_up()
            await transactions(service, committed=True)
            await has_dead_letters(service, BATCHES.partitions)
            await service.publish([renamed(b, 2) for b in range(10)])
            await transactions(service, committed=False)
            await is_at_the_end(service, inbox)
            assert inbox.health().ok
        async with running(service.inbox()) as again:
            await asyncio.wait_for(again.caught_up(), LATE)
            await transactions(service, committed=True)
            await service.publish([renamed(b, 3) for b in range(10)])
            await is_at_the_end(service, again)
            assert again.health().ok
        await has_dead_letters(service, 3 * BATCHES.partitions)
        assert await counted(service.pool) == {batch(b): [1, 2, 3] for b in range(10)}


async def test_a_mark_written_while_nobody_reads_does_not_keep_a_service_from_getting_ready(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    async with counter(kafka, await database(), topic_prefix) as service:
        await transactions(service, committed=True)
        async with running(service.inbox()) as inbox:
            await asyncio.wait_for(inbox.caught_up(), LATE)
        await transactions(service, committed=False)
        async with running(service.inbox()) as inbox:
            await asyncio.wait_for(inbox.caught_up(), LATE)
            assert inbox.health().ok


async def test_whoever_reads_the_log_to_its_end_comes_to_it(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    async with counter(kafka, await database(), topic_prefix) as service:
        await service.publish([renamed(b, 1) for b in range(10)])
        await transactions(service, committed=True)
        async with asyncio.timeout(LATE), whole_log(kafka, topic_prefix) as log:
            read = [page async for page in log.read(await log.ends([BATCHES]))]
            assert sum(map(len, read)) == 10 + BATCHES.partitions
        async with asyncio.timeout(LATE), service.pool.acquire() as conn:
            assert await replay(kafka, topic_prefix, [BATCHES], None, count, conn) == 10
        async with asyncio.timeout(LATE):
            place = Place(BATCHES.name, 0, 0)
            assert not await Origins(kafka, topic_prefix).has_successor(place, b"nobody's")


async def test_records_deleted_before_anybody_read_them_are_missed(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    async with counter(kafka, await database(), topic_prefix) as service:
        await service.publish([renamed(b, 1) for b in range(10)])
        async with running(service.inbox()) as inbox:
            await inbox.caught_up()
        await service.publish([renamed(b, 2) for b in range(10)])
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
        await admin.start()
        try:
            name = service.prefix + BATCHES.name
            everything = {
                TopicPartition(name, n): RecordsToDelete(before_offset=-1)
                for n in range(BATCHES.partitions)
            }
            await admin.delete_records(everything)
        finally:
            await admin.close()
        async with running(service.inbox()) as again:

            async def said() -> bool:
                return "goes on at" in (again.health().trouble or "")

            await until(said)
            assert not again.is_caught_up
            assert not again.log_is_known
