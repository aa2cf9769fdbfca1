"""One read serves all who ask for the same before it begins: a thousand who come at once ask once.

Nobody is handed a read that began before they asked: it may be older than what they have seen.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Shared(Generic[K, V]):
    def __init__(self, read: Callable[[K], Awaitable[V]]) -> None:
        self._read = read
        self._under_way: dict[K, asyncio.Future[V]] = {}
        self._next: dict[K, asyncio.Future[V]] = {}

    async def get(self, key: K) -> V:
        reading = self._next.get(key)
        if reading is None:
            turn = self._in_turn(key, self._under_way.get(key))
            reading = self._next[key] = asyncio.ensure_future(turn)
        return await asyncio.shield(reading)

    async def _in_turn(self, key: K, before: asyncio.Future[V] | None) -> V:
        if before is not None:
            await asyncio.wait([before])
        self._under_way[key] = self._next.pop(key)
        try:
            return await self._read(key)
        finally:
            del self._under_way[key]
