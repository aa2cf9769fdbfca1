"""A real Kafka and a real PostgreSQL, from nothing but Python."""

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.conftest import DatabaseFactory


async def test_what_is_written_to_kafka_can_be_read_back(kafka: str, topic_prefix: str) -> None:
    topic = f"{topic_prefix}letters"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", enable_idempotence=True)
    async with producer:
        await producer.send_and_wait(topic, b"hello")
    reader = AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest")
    async with reader:
        assert (await reader.getone()).value == b"hello"


async def test_a_database_is_checksummed_and_utf8(database: DatabaseFactory) -> None:
    connection = await asyncpg.connect(await database())
    settings = {
        name: await connection.fetchval("SELECT current_setting($1)", name)
        for name in ("data_checksums", "server_encoding")
    }
    await connection.close()
    assert settings == {"data_checksums": "on", "server_encoding": "UTF8"}


async def test_each_database_is_its_own(database: DatabaseFactory) -> None:
    first, second = await database(), await database()
    connection = await asyncpg.connect(first)
    await connection.execute("CREATE TABLE only_here ()")
    await connection.close()
    connection = await asyncpg.connect(second)
    assert await connection.fetchval("SELECT to_regclass('only_here')") is None
    await connection.close()
