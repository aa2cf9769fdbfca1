"""Records at named places of the log, read by a consumer that belongs to no group."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from chassis.dead_letters import Place

WITHIN: Final = 30.0
"""Seconds for one page; a broker that is away is then told of, and asked again."""
GAP: Final = 1_000
"""Records that are read over sooner than sought anew."""
LOOKED_AT: Final = 200_000
"""Records in which a later one of the same key is sought."""


class Origins:
    def __init__(self, kafka: str, prefix: str) -> None:
        self._kafka = kafka
        self._prefix = prefix

    async def records(self, places: Sequence[Place]) -> dict[Place, ConsumerRecord]:
        """Those that are still in the log."""
        wanted: defaultdict[TopicPartition, set[int]] = defaultdict(set)
        for place in places:
            wanted[self._partition(place)].add(place.offset)
        found: dict[Place, ConsumerRecord] = {}
        async with asyncio.timeout(WITHIN), self._consumer(*wanted) as consumer:
            for tp, offsets in wanted.items():
                topic = tp.topic.removeprefix(self._prefix)
                for first, last in spans(offsets):
                    async for record in _from(consumer, tp, first, last):
                        if record.offset in offsets:
                            found[Place(topic, tp.partition, record.offset)] = record
        return found

    async def has_successor(self, place: Place, key: bytes | None) -> bool:
        """Whether a later record has its key; of what is too far away to be seen: yes."""
        if key is None:
            return False
        tp, last = self._partition(place), place.offset + LOOKED_AT
        async with asyncio.timeout(WITHIN), self._consumer(tp) as consumer:
            async for record in _from(consumer, tp, place.offset + 1, last):
                if record.key == key or record.offset == last:
                    return True
        return False

    def _partition(self, place: Place) -> TopicPartition:
        return TopicPartition(self._prefix + place.topic, place.partition)

    @asynccontextmanager
    async def _consumer(self, *partitions: TopicPartition) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._kafka, enable_auto_commit=False, auto_offset_reset="earliest"
        )
        try:
            await consumer.start()
            consumer.assign(list(partitions))
            yield consumer
        finally:
            await consumer.stop()
            _end_if_cancelled()


def _end_if_cancelled() -> None:
    """A client that is stopping swallows the cancellation that comes meanwhile (aiokafka 0.14)."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def spans(offsets: Iterable[int]) -> list[tuple[int, int]]:
    """First and last of those that lie near each other: what is between others is not read."""
    found: list[tuple[int, int]] = []
    for offset in sorted(offsets):
        if found and offset - found[-1][1] <= GAP:
            found[-1] = (found[-1][0], offset)
        else:
            found.append((offset, offset))
    return found


async def _from(
    consumer: AIOKafkaConsumer, tp: TopicPartition, first: int, last: int
) -> AsyncIterator[ConsumerRecord]:
    """The partition's records from `first` to `last`, or to its end as it is now."""
    ends = await consumer.end_offsets([tp])
    last = min(last, ends[tp] - 1)
    at = first
    if at <= last:
        consumer.seek(tp, at)
    while at <= last:
        found = await consumer.getmany(tp, timeout_ms=500)
        at = await consumer.position(tp)
        for record in found.get(tp, ()):
            if record.offset <= last:
                yield record
