"""What was committed leaves, in order per key, whatever breaks on the way."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import OutOfOrderSequenceNumber

from chassis import outbox
from chassis.postgres import open_pool
from chassis.producer import Producer
from chassis.relay import Relay
from contracts.batches import BatchRenamed
from contracts.codec import Encoded, decode
from contracts.topics import BATCHES, NotTheWriterError
from tests.conftest import DatabaseFactory
from tests.counter import Counter, batch, counter, renamed, until


async def published(service: Counter) -> dict[UUID, list[int]]:
    """Command numbers by key, in the order of the log; repeats of what stood before left out."""
    consumer = AIOKafkaConsumer(
        service.prefix + BATCHES.name,
        bootstrap_servers=service.kafka,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    found: dict[UUID, list[int]] = defaultdict(list)
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(tp) < end for tp, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    event = decode(record.value, record.headers)
                    assert isinstance(event, BatchRenamed)
                    if event.command_no not in found[event.batch_id]:
                        found[event.batch_id].append(event.command_no)
    finally:
        await consumer.stop()
    return found


@asynccontextmanager
async def relaying(relay: Relay) -> AsyncIterator[None]:
    task = asyncio.create_task(relay.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def say(service: Counter, number: int, commands: int) -> None:
    """Each command in a transaction of its own, under its batch's lock, as a decider does."""
    for command_no in range(1, commands + 1):
        async with service.pool.acquire() as conn, conn.transaction():
            await conn.execute("SELECT pg_advisory_xact_lock($1)", number)
            await outbox.put(conn, [renamed(number, command_no)], writer="ingest")


async def empty(service: Counter) -> bool:
    return await service.relay.depth() == 0


async def test_a_rolled_back_event_never_leaves(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    async with counter(kafka, await database(), topic_prefix) as service:
        async with service.pool.acquire() as conn:
            transaction = conn.transaction()
            await transaction.start()
            await outbox.put(conn, [renamed(1, 1)], writer="ingest")
            await transaction.rollback()
        assert await service.relay.publish_some() == 0


async def test_only_its_writer_may_put_an_event(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    async with (
        counter(kafka, await database(), topic_prefix) as service,
        service.pool.acquire() as conn,
    ):
        with pytest.raises(NotTheWriterError):
            await outbox.put(conn, [renamed(1, 1)], writer="scheduler")


async def test_what_the_broker_would_never_take_is_refused_and_holds_nothing_up(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    async with counter(kafka, await database(), topic_prefix) as service:
        fits, grown = (Encoded(b"k", bytes(outbox.MOST_BYTES - 1 + n), []) for n in (0, 1))
        async with service.pool.acquire() as conn:
            with pytest.raises(outbox.TooLargeError):
                await outbox.put_encoded(conn, [(BATCHES.name, grown)])
            await outbox.put_encoded(conn, [(BATCHES.name, fits)])
        assert await service.relay.publish_some() == 1


async def test_each_key_leaves_in_order_under_concurrent_writers_and_two_relays(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    dsn = await database()
    async with counter(kafka, dsn, topic_prefix) as service:
        other = Relay(pool=service.pool, producer=Producer(kafka, prefix=topic_prefix))
        async with relaying(service.relay), relaying(other):
            await asyncio.gather(*(say(service, number, 30) for number in range(8)))
            await until(lambda: empty(service))
        await other._producer.stop()
        assert await published(service) == {batch(b): list(range(1, 31)) for b in range(8)}


def break_sequence(producer: AIOKafkaProducer) -> None:
    """The next time the sender wakes, it dies as it does when the broker refuses its sequence."""

    async def out_of_order() -> None:
        raise OutOfOrderSequenceNumber

    producer._sender._maybe_wait_for_pid = out_of_order


async def test_a_dead_producer_is_replaced_and_nothing_is_lost(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    async with counter(kafka, await database(), topic_prefix) as service:
        async with relaying(service.relay):
            for number in range(3):
                broken = service.producer._producer
                assert broken is not None
                break_sequence(broken)
                await say(service, number, 20)
                await until(lambda: empty(service))
                assert service.producer._producer is not broken
        assert await published(service) == {batch(b): list(range(1, 21)) for b in range(3)}


async def test_a_frozen_relay_does_not_stop_the_others(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    dsn = await database()
    async with counter(kafka, dsn, topic_prefix) as service:
        await say(service, 1, 5)
        impatient = {"idle_in_transaction_session_timeout": "300ms"}
        pool = await open_pool(dsn, application_name="frozen", settings=impatient)
        async with pool.acquire() as frozen:
            await frozen.execute("BEGIN")
            await frozen.execute(outbox.Q.lock_outbox)
            async with relaying(service.relay):
                await until(lambda: empty(service))
        pool.terminate()
        assert await published(service) == {batch(1): [1, 2, 3, 4, 5]}
