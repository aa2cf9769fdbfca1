"""What nobody builds or reads any more is dropped: it holds what a delete could not reach.

A generation that is being built is read by nobody, and whoever builds it folds a delete like any
other event.  One whose builder was killed would keep people's data until somebody rebuilds again.
"""

import asyncio
from dataclasses import dataclass

import structlog

from chassis.postgres import Connection, Pool, retrying
from services.projections.generations.definition import Q
from services.projections.generations.switching import drop_retired

log = structlog.get_logger()

LOOK_EVERY = 60.0
ABANDONED_AFTER = 600.0
"""Seconds in which a rebuild that was killed may be started again where it was."""


@dataclass
class Tidying:
    pool: Pool
    _left: tuple[int, float] | None = None
    """The generation that nobody builds, and since when."""

    async def run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await retrying("tidying", self.look)

    async def look(self) -> None:
        async with self.pool.acquire() as conn:
            if await conn.fetchval(Q.build_alone):
                try:
                    await self._give_up_what_is_left(conn)
                finally:
                    await conn.execute(Q.let_others_build)
            await drop_retired(conn, within=0)

    async def _give_up_what_is_left(self, conn: Connection) -> None:
        now = asyncio.get_running_loop().time()
        found = await conn.fetchrow(Q.being_built)
        if found is None:
            self._left = None
        elif self._left is None or self._left[0] != found["number"]:
            self._left = found["number"], now
        if self._left is not None and now >= self._left[1] + ABANDONED_AFTER:
            await conn.execute(Q.give_up, self._left[0])
            log.warning("generation_abandoned", number=self._left[0])
            self._left = None
