"""A read under way serves all who ask for the same meanwhile: a thousand who come at once ask once.

What it may have missed by then follows, since it says what position it stands for.
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

    async def get(self, key: K) -> V:
        reading = self._under_way.get(key)
        if reading is None:
            reading = self._under_way[key] = asyncio.ensure_future(self._read(key))
            reading.add_done_callback(lambda _: self._under_way.pop(key, None))
        return await asyncio.shield(reading)
