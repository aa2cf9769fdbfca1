"""BatchGateClosed is said only when no request of the batch can still be on its way.

An HTTP client is told `paused` on the strength of it.
"""

from collections.abc import Awaitable, Callable

from chassis import outbox
from chassis.postgres import Pool, retrying
from contracts.gates import BatchGateClosed
from services.dialer.store import Q, Row
from services.dialer.wakes import Wakes

STILL_CLOSING = 0.2
LOOK_EVERY = 5.0
"""Seconds; another dialer may have folded the closing and died."""


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
            closing, closed = await retrying("drain", self.say_closed)
            if closed:
                self._wakes.relay()
            self._wakes.closing = closing > closed
            pause = STILL_CLOSING if self._wakes.closing else LOOK_EVERY
            await self._wakes.drain.wait_for(pause)

    async def say_closed(self) -> tuple[int, int]:
        """How many gates were closing, and how many of them are closed now."""
        async with self._pool.acquire() as conn, conn.transaction():
            closing = [row["batch_id"] for row in await conn.fetch(Q.lock_undrained)]
            if not closing:
                return 0, 0
            closed = await conn.fetch(Q.drain, closing)
            await outbox.put(conn, [_closed(row) for row in closed], writer="dialer")
            return len(closing), len(closed)


def _closed(row: Row) -> BatchGateClosed:
    return BatchGateClosed(
        account_id=row["account_id"],
        at=row["now"],
        batch_id=row["batch_id"],
        through_epoch=row["closed_through_epoch"],
        for_good=row["for_good"],
    )
