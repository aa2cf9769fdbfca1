"""The log of recipient chunks as its broker has it, and a bare producer of records like them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from contracts.topics import RECIPIENTS

LOOK_EVERY = 0.05
Ends = dict[TopicPartition, int]


@asynccontextmanager
async def reader(kafka: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    consumer.assign([TopicPartition(RECIPIENTS.name, n) for n in range(RECIPIENTS.partitions)])
    try:
        yield consumer
    finally:
        await consumer.stop()


async def ends(kafka: str) -> Ends:
    async with reader(kafka) as consumer:
        return dict(await consumer.end_offsets(consumer.assignment()))


async def until_streamed(kafka: str, before: Ends, within: float) -> None:
    """Until as many chunks have come as the first of them names."""
    async with reader(kafka) as consumer, asyncio.timeout(within):
        grown: list[TopicPartition] = []
        while not grown:
            now = await consumer.end_offsets(list(before))
            grown = [tp for tp, end in now.items() if end > before[tp]]
            await asyncio.sleep(LOOK_EVERY)
        consumer.seek(grown[0], before[grown[0]])
        first = await consumer.getone(grown[0])
        consumer.pause(*before)
        wanted = sum(before.values()) + json.loads(first.value)["chunks"]
        while sum((await consumer.end_offsets(list(before))).values()) < wanted:  # noqa: ASYNC110
            await asyncio.sleep(LOOK_EVERY)


async def sizes_since(kafka: str, before: Ends) -> list[int]:
    """Bytes of each record that came after."""
    async with reader(kafka) as consumer:
        for tp, end in before.items():
            consumer.seek(tp, end)
        left = {tp for tp, end in (await consumer.end_offsets(list(before))).items()
                if end > before[tp]}  # fmt: skip
        sizes: list[int] = []
        while left:
            for tp, records in (await consumer.getmany(*left, timeout_ms=1000)).items():
                sizes += [len(record.value) for record in records]
                if records[-1].offset + 1 >= consumer.highwater(tp):
                    left.discard(tp)
        return sizes


async def bare_seconds(kafka: str, sizes: list[int]) -> float:
    """What an idempotent producer takes for records of these sizes, on as many partitions."""
    topic = f"bare.{uuid4().hex[:8]}"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics(
        [NewTopic(topic, RECIPIENTS.partitions, 1, topic_configs={"max.message.bytes": "2097152"})]
    )
    content = b"x" * max(sizes)
    keys = [uuid4().hex.encode() for _ in sizes]
    try:
        async with AIOKafkaProducer(
            bootstrap_servers=kafka, acks="all", enable_idempotence=True, max_request_size=2097152
        ) as producer:
            for partition in range(RECIPIENTS.partitions):  # once each has its leader
                await producer.send_and_wait(topic, b"ready", partition=partition)
            began = time.monotonic()
            acknowledged = [
                await producer.send(topic, content[:size], key=key)
                for size, key in zip(sizes, keys, strict=True)
            ]
            await asyncio.gather(*acknowledged)
            return time.monotonic() - began
    finally:
        await admin.delete_topics([topic])
        await admin.close()
