"""What a transaction leaves in the log is passed over; else its end would never be reached.

A mark ends each transaction, committed or not, and no consumer is shown it.  We write none; a mark
is there when somebody else wrote to a topic of ours.
"""

import asyncio
from collections.abc import Container, Mapping

from aiokafka import TopicPartition

from chassis.pages import Page
from chassis.reader import Reader
from chassis.same_log import SameLog

EVERY = 1.0


class Passing:
    def __init__(self, reader: Reader, same_log: SameLog, prefix: str) -> None:
        self._reader = reader
        self._same_log = same_log
        self._prefix = prefix
        self._at = 0.0

    async def now_and_then(
        self, at: Mapping[TopicPartition, int], stopped: Container[TopicPartition]
    ) -> list[Page]:
        """Pages without a record.  Raises LostLogError.

        To be asked when all that was polled is handled: only marks are then between `at` and the
        places, but in what is stopped.
        """
        if asyncio.get_running_loop().time() < self._at:
            return []
        places = await self._reader.places()
        reached = {tp: place for tp, place in places.items() if tp not in stopped}
        further = await self._same_log.passed(reached, at)
        self._at = asyncio.get_running_loop().time() + EVERY
        return [
            Page(tp, tp.topic.removeprefix(self._prefix), at[tp], place)
            for tp, place in further.items()
        ]
