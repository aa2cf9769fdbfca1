"""A wake is never lost: a ring that comes before the wait ends it at once."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from chassis.postgres import TRANSIENT, Connection, Pool, stand_back


class Alarm:
    """Rung from our own loop by whoever has news; waited on by one."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def wait(self, until: datetime | None = None) -> bool:
        """Returns at a ring (True) or at the instant (False)."""
        if until is None:
            return await self.wait_for(None)
        return await self.wait_for(max(0.0, (until - datetime.now(UTC)).total_seconds()))

    async def wait_for(self, seconds: float | None) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            return False
        self._rung.clear()
        return True


class News:
    """Wakes everyone who waits for the next of something."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def tell(self) -> None:
        told, self._next = self._next, asyncio.Event()
        told.set()

    def next(self) -> asyncio.Event:
        """Taken before looking, so that a commit in between is not missed."""
        return self._next


class Listener:
    """NOTIFY becomes a call; the loss of the database is told, and survived.

    `on_lost` is called as soon as the session breaks.  After each (re)connection every callback is
    called once with an empty payload, since what was said meanwhile was not heard.
    """

    def __init__(
        self,
        pool: Pool,
        channels: Mapping[str, Callable[[str], None]],
        *,
        on_lost: Callable[[], None] = lambda: None,
    ) -> None:
        self._pool = pool
        self._channels = channels
        self._on_lost = on_lost

    async def run(self) -> None:
        failures = 0
        while True:
            try:
                async with self._pool.acquire() as conn:
                    failures = 0
                    await self._listen(conn)
            except TRANSIENT as error:
                failures += 1
                await stand_back("listener", failures, error)

    async def _listen(self, conn: Connection) -> None:
        lost = asyncio.Event()

        def on_termination(_: object) -> None:
            lost.set()
            self._on_lost()

        def on_notify(_: object, __: int, channel: str, payload: object) -> None:
            self._channels[channel](str(payload))

        conn.add_termination_listener(on_termination)
        try:
            for channel in self._channels:
                await conn.add_listener(channel, on_notify)
            for told in self._channels.values():
                told("")
            await lost.wait()
        finally:
            if not conn.is_closed():
                conn.remove_termination_listener(on_termination)
                for channel in self._channels:
                    await conn.remove_listener(channel, on_notify)
        raise ConnectionResetError("the database session was lost")
