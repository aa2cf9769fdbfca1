"""Whoever cannot go on does not keep others from it: a member of newer code gets what it holds.

Else a deployment would wait for ever: the new member for the log to be read, the old one, which
holds the partition that it cannot read, for the new one to be ready.
"""

import asyncio
import random
from collections.abc import Collection

import structlog
from aiokafka import TopicPartition

from chassis.reader import Reader

log = structlog.get_logger()

STAYS = 15.0
AWAY = 10.0
TICK = 0.1


class Aside:
    """Leaves the group for a while, again and again, as long as it has stopped partitions."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._leave_at: float | None = None
        self._back_at: float | None = None

    @property
    def is_away(self) -> bool:
        return self._back_at is not None

    async def turn(self, stopped: Collection[TopicPartition]) -> None:
        """One look, with the partitions that we hold and cannot read on; a tick long while away."""
        now = asyncio.get_running_loop().time()
        if self._back_at is not None:
            if now < self._back_at:
                await asyncio.sleep(TICK)
            else:
                self._reader.join()
                self._back_at = None
        elif not stopped:
            self._leave_at = None
        elif self._leave_at is None:
            # By chance: of several that are all too old, one stays and reads what it can.
            self._leave_at = now + STAYS * random.uniform(1, 2)  # noqa: S311
        elif now >= self._leave_at:
            self._leave_at = None
            self._try_otherwise(stopped, now)

    def _try_otherwise(self, stopped: Collection[TopicPartition], now: float) -> None:
        if self._reader.is_alone:
            self._reader.displace(stopped)  # what was in the way may be gone
            return
        log.warning("stands_aside", partitions=len(stopped), seconds=AWAY)
        self._reader.leave()
        self._back_at = now + AWAY
