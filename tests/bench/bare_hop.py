"""The least a step between two services costs: what it says is committed, sent, read, committed."""

import time
from uuid import uuid4

import asyncpg
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.bench.figure import Figure, Goal, percentile
from tests.house import House

HOPS = 100


def hops_of(house: House) -> list[float]:
    """Seconds of some, one after the other, on the house's servers."""
    return uvloop.run(hops(house.endpoints["kafka"], house.endpoints["postgres"], HOPS))


def beside_hops(
    name: str, seconds: list[float], share: float, hop: list[float], goal: Goal | None = None
) -> Figure:
    """A percentile of these times beside the same one of the hops."""
    return Figure(
        f"{name}, p{share * 100:.0f}",
        percentile(seconds, share) * 1000,
        "ms",
        percentile(hop, share) * 1000,
        f"commit, record and delivery, commit, p{share * 100:.0f}",
        goal,
    )


async def hops(kafka: str, postgres: str, count: int) -> list[float]:
    """Seconds of each."""
    topic = f"hop.{uuid4().hex[:8]}"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1)])
    conn = await asyncpg.connect(postgres)
    await conn.execute("CREATE TABLE hop (id int)")
    try:
        async with (
            AIOKafkaProducer(
                bootstrap_servers=kafka, acks="all", enable_idempotence=True
            ) as producer,
            AIOKafkaConsumer(
                topic, bootstrap_servers=kafka, auto_offset_reset="earliest"
            ) as consumer,
        ):
            return [await _hop(conn, producer, consumer, topic) for _ in range(count)]
    finally:
        await conn.execute("DROP TABLE hop")
        await conn.close()
        await admin.delete_topics([topic])
        await admin.close()


async def _hop(
    conn: asyncpg.Connection, producer: AIOKafkaProducer, consumer: AIOKafkaConsumer, topic: str
) -> float:
    began = time.monotonic()
    await conn.execute("INSERT INTO hop VALUES (1)")
    await producer.send_and_wait(topic, b"x" * 500)
    await consumer.getone()
    await conn.execute("INSERT INTO hop VALUES (1)")
    return time.monotonic() - began
