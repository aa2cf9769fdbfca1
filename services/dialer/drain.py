"""BatchGateClosed is said only when no request of the batch can still be on its way.

An HTTP client is told `paused` on the strength of it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from chassis import outbox
from chassis.postgres import Pool, retrying
from contracts.gates import BatchGateClosed
from services.dialer.store import Q, Row
from services.dialer.wakes import Wakes

STILL_CLOSING = 0.2
LOOK_EVERY = 5.0
"""Seconds; another dialer may have folded the closing and died."""


@dataclass(frozen=True, slots=True)
class Left:
    closing: int
    """Gates with requests that may still be on their way."""
    lingering: int
    """Gates of deleted batches with calls that are not over."""


class Drain:
    def __init__(
        self, pool: Pool, wakes: Wakes, *, inputs_read: Callable[[], Awaitable[None]]
    ) -> None:
        self._pool = pool
        self._wakes = wakes
        self._inputs_read = inputs_read

    async def run(self) -> None:
        while True:
            await self._inputs_read()
            left = await retrying("drain", self.say_closed)
            self._wakes.closing = left.closing + left.lingering > 0
            pause = STILL_CLOSING if left.closing else LOOK_EVERY
            await self._wakes.drain.wait_for(pause)

    async def say_closed(self) -> Left:
        """Says what can be said now, and tells what is left to say."""
        async with self._pool.acquire() as conn, conn.transaction():
            rows = await conn.fetch(Q.lock_undrained)
            if not rows:
                return Left(0, 0)
            closed = await conn.fetch(Q.drain, [row["batch_id"] for row in rows])
            await outbox.put(conn, [_closed(row) for row in closed], writer="dialer")
        if closed:
            self._wakes.relay()
        said = {row["batch_id"] for row in closed}
        silent = [row["lingering"] for row in rows if row["batch_id"] not in said]
        begun = sum(row["drained_live"] > 0 for row in closed)
        return Left(closing=silent.count(False), lingering=silent.count(True) + begun)


def _closed(row: Row) -> BatchGateClosed:
    return BatchGateClosed(
        account_id=row["account_id"],
        at=row["now"],
        batch_id=row["batch_id"],
        through_epoch=row["closed_through_epoch"],
        for_good=row["for_good"],
        live=row["drained_live"],
    )
