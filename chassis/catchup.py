"""Nobody decides on half a story: says whether all inputs are read up to their known ends."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog
from aiokafka import TopicPartition

from chassis.apply import Q
from chassis.postgres import Pool

log = structlog.get_logger()

Ends = Callable[[], Awaitable[Mapping[TopicPartition, int]]]


class CatchUp:
    """The ends are those at the start, and again at each `rearm`.

    Another instance may hold a partition, so the shared table of offsets is asked, not our reader.
    """

    def __init__(self, *, pool: Pool, topics: Sequence[str], ends: Ends, prefix: str) -> None:
        self._pool = pool
        self._topics = list(topics)
        self._ends = ends
        self._prefix = prefix
        self._goal: Mapping[TopicPartition, int] | None = None
        self._generation = 0
        self._reached = asyncio.Event()

    @property
    def reached(self) -> bool:
        return self._reached.is_set()

    async def wait(self) -> None:
        await self._reached.wait()

    def rearm(self) -> None:
        self._reached.clear()
        self._goal = None
        self._generation += 1

    async def look(self) -> None:
        """One look at the table; cheap, and done only until the goal is reached."""
        if self.reached:
            return
        generation = self._generation
        goal = self._goal = self._goal or await self._ends()
        rows = await self._pool.fetch(Q.offsets, self._topics)
        stands = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
        behind = sum(
            stands.get((tp.topic.removeprefix(self._prefix), tp.partition), 0) < end
            for tp, end in goal.items()
        )
        if behind == 0 and generation == self._generation:
            self._reached.set()
            log.info("caught_up", partitions=len(goal))
