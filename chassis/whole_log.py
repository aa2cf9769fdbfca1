"""The log as it stands, record by record and undecoded: from its first to the ends as they were.

The ends of what follows from something are looked up before the ends of that.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from contracts.topics import (
    BATCH_STATUS,
    BATCHES,
    CALLS,
    CONVERSATIONS,
    DIRECTORY,
    DISPATCH,
    GATES,
    RECIPIENTS,
    Topic,
)

EFFECTS_FIRST: Final = (
    CONVERSATIONS, GATES, CALLS, DISPATCH, BATCH_STATUS, RECIPIENTS, BATCHES, DIRECTORY,
)  # fmt: skip
MOST: Final = 2000

Ends = dict[TopicPartition, int]


class NoLogError(Exception):
    """The broker has none of our topics."""


class WholeLog:
    def __init__(self, consumer: AIOKafkaConsumer, prefix: str) -> None:
        self._consumer = consumer
        self._prefix = prefix

    async def ends(self, topics: Sequence[Topic] = EFFECTS_FIRST) -> Ends:
        """Where each partition ends now.  Raises NoLogError."""
        there = await self._consumer.topics()
        missing = [topic.name for topic in topics if self._prefix + topic.name not in there]
        if missing:
            raise NoLogError(f"the broker has no topic {self._prefix}{missing[0]}")
        ends: Ends = {}
        for topic in topics:
            places = [
                TopicPartition(self._prefix + topic.name, number)
                for number in range(topic.partitions)
            ]
            ends |= await self._consumer.end_offsets(places)
        return ends

    async def read(
        self, upto: Mapping[TopicPartition, int], since: Mapping[TopicPartition, int] | None = None
    ) -> AsyncIterator[list[ConsumerRecord]]:
        """All before `upto`, from the first or from `since`; each partition in its order."""
        begin = dict.fromkeys(upto, 0) if since is None else since
        left = {tp for tp, end in upto.items() if end > begin[tp]}
        self._consumer.assign(list(left))
        for tp in left:
            self._consumer.seek(tp, begin[tp])
        while left:
            found = await self._consumer.getmany(*left, timeout_ms=1000, max_records=MOST)
            for tp in tuple(left):  # no record is the last where a transaction's mark is
                if await self._consumer.position(tp) >= upto[tp]:
                    left.remove(tp)
                    self._consumer.pause(tp)
            for tp, records in found.items():
                yield [record for record in records if record.offset < upto[tp]]


@asynccontextmanager
async def whole_log(kafka: str, prefix: str = "") -> AsyncIterator[WholeLog]:
    """Raises KafkaError where there is no broker."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    try:
        await consumer.start()
        yield WholeLog(consumer, prefix)
    finally:
        await consumer.stop()
