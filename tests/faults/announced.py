"""What the log announced, read by a client of Kafka: the ledger may hold nothing beyond it."""

import asyncio
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition

from contracts.calls import CallPlacing
from contracts.codec import decode
from contracts.topics import CALLS


def placings(kafka: str) -> dict[UUID, CallPlacing]:
    return asyncio.run(_placings(kafka))


async def _placings(kafka: str) -> dict[UUID, CallPlacing]:
    places = [TopicPartition(CALLS.name, n) for n in range(CALLS.partitions)]
    found: dict[UUID, CallPlacing] = {}
    async with AIOKafkaConsumer(
        bootstrap_servers=kafka, enable_auto_commit=False, auto_offset_reset="earliest"
    ) as consumer:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        left = {place for place in places if ends[place]}
        while left:
            for place, records in (await consumer.getmany(*left, timeout_ms=1000)).items():
                events = [decode(record.value, record.headers) for record in records]
                found |= {
                    event.call_id: event for event in events if isinstance(event, CallPlacing)
                }
                if records[-1].offset + 1 >= ends[place]:
                    left.discard(place)
    return found
