"""What the log says, read by a client of Kafka from the first event to the last there is now."""

import asyncio
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, TopicPartition

from contracts.codec import UnknownEventError, decode
from contracts.event import Event
from contracts.topics import Topic


def heard(kafka: str, topic: Topic) -> list[Event]:
    """Every event of the topic that we know; of one key in their order."""
    return [event for _, event in heard_at(kafka, topic)]


def heard_at(kafka: str, topic: Topic) -> list[tuple[float, Event]]:
    """The same, each with the instant at which its writer gave it away."""
    return asyncio.run(_heard(kafka, topic))


async def _heard(kafka: str, topic: Topic) -> list[tuple[float, Event]]:
    places = [TopicPartition(topic.name, n) for n in range(topic.partitions)]
    found: list[tuple[float, Event]] = []
    async with AIOKafkaConsumer(
        bootstrap_servers=kafka, enable_auto_commit=False, auto_offset_reset="earliest"
    ) as consumer:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        left = {place for place in places if ends[place]}
        while left:
            for place, records in (await consumer.getmany(*left, timeout_ms=1000)).items():
                for record in records:
                    with suppress(UnknownEventError):  # a newer version has written here, too
                        event = decode(record.value, record.headers)
                        found.append((record.timestamp / 1000, event))
                if records[-1].offset + 1 >= ends[place]:
                    left.discard(place)
    return found
