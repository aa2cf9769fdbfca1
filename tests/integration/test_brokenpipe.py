"""A broker that hangs up while a request is written costs a connection, never the whole client."""

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.conn import AIOKafkaConnection

from chassis import brokenpipe
from chassis.topics import ensure_topics
from contracts.topics import BATCHES


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AIOKafkaConnection, "send", AIOKafkaConnection.send)  # put back after it
    brokenpipe.tell_aiokafka()


async def hung_up(connection: AIOKafkaConnection) -> asyncio.StreamWriter:
    """As in the instant after a reset, before anybody has been told; gives what it wrote with."""
    _, closed = await asyncio.open_connection(connection.host, connection.port)
    closed.transport.abort()
    await closed.wait_closed()
    before: asyncio.StreamWriter = connection._writer
    connection._writer = closed
    return before


async def test_a_client_whose_broker_hung_up_in_mid_word_goes_on(
    kafka: str, topic_prefix: str, told: None
) -> None:
    await ensure_topics(kafka, topic_prefix)
    partition = TopicPartition(topic_prefix + BATCHES.name, 0)
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka)
    await consumer.start()
    client = consumer._client
    connection = await client._get_conn(1)
    before = await hung_up(connection)
    try:
        async with asyncio.timeout(30):
            await client.force_metadata_update()
            assert await consumer.end_offsets([partition]) == {partition: 0}
        assert connection._writer is None, "it was let go"
    finally:
        before.close()
        await consumer.stop()
