"""Kafka is told how far we have read, now and then, for lag and scaling: nothing rests on it."""

import asyncio
from collections.abc import Mapping

from aiokafka import TopicPartition

from chassis import metrics
from chassis.reader import Reader

EVERY = 1.0


class Telling:
    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._told: dict[TopicPartition, int] = {}
        self._at = 0.0

    async def now_and_then(self, offsets: Mapping[TopicPartition, int]) -> None:
        if asyncio.get_running_loop().time() >= self._at:
            await self.tell(offsets)

    async def tell(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Raises AdriftError."""
        self._at = asyncio.get_running_loop().time() + EVERY
        news = {tp: at for tp, at in offsets.items() if self._told.get(tp) != at}
        if news and await self._reader.tell(news):
            self._told |= news
        for tp in offsets:
            metrics.LAG.labels(tp.topic, str(tp.partition)).set(self.lag({tp: offsets[tp]}))

    def lag(self, offsets: Mapping[TopicPartition, int]) -> int:
        """Records that are in the log and not yet applied."""
        return sum(max(0, self._reader.end_of(tp) - at) for tp, at in offsets.items())
