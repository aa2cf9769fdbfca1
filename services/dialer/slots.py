"""No more at a time than a dialer can see through: work is taken only where there is room."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

import structlog

log = structlog.get_logger()
T = TypeVar("T")


class Slots:
    def __init__(self, most: int) -> None:
        self._free = most
        self._freed = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()

    async def some(self, most: int) -> int:
        """How many are free, at least one."""
        while self._free < 1:
            self._freed.clear()
            await self._freed.wait()
        return min(self._free, most)

    def take(self, count: int) -> None:
        self._free -= count

    def give_back(self, count: int) -> None:
        self._free += count
        self._freed.set()

    def run(self, work: Coroutine[Any, Any, None], *, holding: int) -> None:
        """Does it beside everything else; its slots are free when it ends, however it ends."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._done(done, holding))

    async def through(self, work: Coroutine[Any, Any, T]) -> T:
        """Its result; it is seen to its end also when whoever waits for it is cancelled."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def close(self, within: float) -> None:
        """Waits for all, and for what they begin; then cuts off the rest."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while self._tasks:
                    await asyncio.wait(self._tasks)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _done(self, task: asyncio.Task[None], holding: int) -> None:
        self._tasks.discard(task)
        self.give_back(holding)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("work_failed", exc_info=error)
