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
            found = await conn.fetchrow(Q.being_built)
            # not tried for nothing: who begins a rebuild in that moment would be refused
            if found is None or not await conn.fetchval(Q.build_alone):
                self._left = None
            else:
                try:
                    await self._nobody_builds(conn, found["number"])
                finally:
                    await conn.execute(Q.let_others_build)
            await drop_retired(conn, within=0)

    async def _nobody_builds(self, conn: Connection, number: int) -> None:
        now = asyncio.get_running_loop().time()
        if self._left is None or self._left[0] != number:
            self._left = number, now
        if now >= self._left[1] + ABANDONED_AFTER:
            await conn.execute(Q.give_up, number)
            log.warning("generation_abandoned", number=number)
            self._left = None
