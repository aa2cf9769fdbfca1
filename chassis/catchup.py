"""Nobody decides on half a story: says whether all inputs are read up to their known ends.

Nor on a story that has lost its end, or its keys: the log may not be shorter than what was read of
it, nor the vault another.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog
from aiokafka import TopicPartition

from chassis.apply import Q
from chassis.postgres import Pool
from chassis.same_log import Stand, compare

log = structlog.get_logger()

COMPARE_EVERY = 5.0
NOWHERE = Stand(0)
WITHIN = 5.0

Ends = Callable[[], Awaitable[Mapping[TopicPartition, int]]]


async def at_once() -> None:
    """For whoever has nothing to wait for."""


class CatchUp:
    """The ends are those at the start, and again at each `rearm`.

    Another instance may hold a partition, so the shared table of offsets is asked, not our reader.
    """

    def __init__(
        self,
        pool: Pool,
        topics: Sequence[str],
        ends: Ends,
        prefix: str,
        vault_known: Callable[[], Awaitable[None]],
    ) -> None:
        self._pool = pool
        self._topics = list(topics)
        self._ends = ends
        self._vault_known = vault_known
        self._prefix = prefix
        self._goal: Mapping[TopicPartition, int] | None = None
        self._generation = 0
        self._compare_at = 0.0
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
        self._compare_at = 0.0

    async def stands(self) -> dict[TopicPartition, Stand]:
        rows = await self._pool.fetch(Q.offsets, self._topics)
        return {
            TopicPartition(self._prefix + row["topic"], row["partition"]): Stand(
                row["next_offset"], row["marked_offset"], row["marked_at"]
            )
            for row in rows
        }

    async def compare(self) -> None:
        """Now and then, and first of all.  Raises LostLogError, LostVaultError."""
        now = asyncio.get_running_loop().time()
        if now >= self._compare_at:
            stands = await self.stands()  # before the ends, which only grow
            async with asyncio.timeout(WITHIN):
                compare(stands, await self._ends())
                await self._vault_known()
            self._compare_at = now + COMPARE_EVERY

    async def look(self) -> None:
        """One look at the table; cheap, and done only until the goal is reached."""
        if self.reached:
            return
        generation = self._generation
        goal = self._goal = self._goal or await self._ends()
        stands = await self.stands()
        behind = sum(stands.get(tp, NOWHERE).upto < end for tp, end in goal.items())
        if behind == 0 and generation == self._generation:
            self._reached.set()
            log.info("caught_up", partitions=len(goal))
