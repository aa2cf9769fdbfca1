"""A bare loop that reads topics from their first record and decodes each, and does nothing else."""

import time
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from contracts.codec import decode
from contracts.topics import Topic

AT_ONCE = 5000


async def decoded_per_second(kafka: str, topics: Sequence[Topic], prefix: str = "") -> float:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        places = [TopicPartition(prefix + topic.name, n) for topic in topics
                  for n in range(topic.partitions)]  # fmt: skip
        consumer.assign(places)
        left = {tp: end for tp, end in (await consumer.end_offsets(places)).items() if end}
        began, decoded = time.monotonic(), 0
        while left:
            found = await consumer.getmany(*left, timeout_ms=1000, max_records=AT_ONCE)
            for tp, records in found.items():
                for record in records:
                    decode(record.value, record.headers)
                decoded += len(records)
                if records[-1].offset + 1 >= left[tp]:
                    del left[tp]
        return decoded / (time.monotonic() - began)
    finally:
        await consumer.stop()
