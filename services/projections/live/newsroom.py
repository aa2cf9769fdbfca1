"""A read serves many woken streams, whoever follows them and however many: nobody else reads.

Reads are paced by the number of followers, so that writing to them never takes the loop from those
who fold and answer.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from chassis.postgres import TRANSIENT, stand_back
from chassis.wake import Alarm
from services.projections.domain.place import Place
from services.projections.live.hub import Cursor, Hub

K = TypeVar("K")

PER_FOLLOWER = 0.0002
"""Seconds of pause after a read, for each who was told: a quarter of them goes into writing."""
LONGEST = 1.0
AT_ONCE = 16
"""Streams in one read: when all come back after a restart, others have their turn in between."""


@dataclass(frozen=True, slots=True)
class Found:
    """What came after a position of a stream."""

    generation: str
    upto: int
    messages: list[tuple[int, bytes]]
    more: bool = False
    last_words: bytes = b""
    """The stream has come to its end."""


Read = Callable[[Mapping[K, int]], Awaitable[Mapping[K, Found]]]


class Newsroom(Generic[K]):
    """The streams that somebody follows."""

    def __init__(
        self, read: Read[K], stopping: asyncio.Event, *, before: int, pause: float = 0
    ) -> None:
        """`before`: how far back a new hub begins; `pause`: seconds between rounds, at least."""
        self._read = read
        self._stopping = stopping
        self._before = before
        self._pause = pause
        self._hubs: dict[K, Hub] = {}
        self._woken: set[K] = set()
        self._alarm = Alarm()

    def wake(self, key: K | None = None) -> None:
        """None: anything may have happened."""
        woken = self._hubs.keys() if key is None else self._hubs.keys() & {key}
        if woken:
            self._woken |= woken
            self._alarm.ring()

    def hub(self, key: K, now: Place) -> Hub:
        """The one that is followed at this place, or before it."""
        hub = self._hubs.get(key)
        if hub is None or hub.over or hub.generation != now.generation:
            if hub is not None:
                hub.end()
            start = Place(now.generation, max(0, now.position - self._before))
            hub = self._hubs[key] = Hub(start)
        self.wake(key)
        if self._stopping.is_set():
            hub.end()
        return hub

    async def missed(self, key: K, hub: Hub, cursor: Cursor) -> AsyncIterator[bytes]:
        """For whoever was away for long: page by page, up to what the hub still has."""
        while cursor.position < hub.ring.floor and not hub.over:
            found = (await self._read({key: cursor.position}))[key]
            if found.generation != hub.generation or found.last_words:
                return
            cursor.position = found.upto
            if found.messages:
                yield b"".join(message for _, message in found.messages)

    def leave(self, key: K, hub: Hub) -> None:
        if not hub.followers and self._hubs.get(key) is hub:
            del self._hubs[key]

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._end_at_stop())
            group.create_task(self._look_for_ever())

    async def _end_at_stop(self) -> None:
        await self._stopping.wait()
        for hub in self._hubs.values():
            hub.end()

    async def _look_for_ever(self) -> None:
        failures = 0
        while True:
            await self._alarm.wait()
            woken, self._woken = self._woken, set()
            try:
                await self._round(list(woken))
            except TRANSIENT as error:
                self._woken |= woken
                self._alarm.ring()
                failures += 1
                await stand_back("newsroom", failures, error)
            else:
                failures = 0
                await asyncio.sleep(self._pause)

    async def _round(self, woken: Sequence[K]) -> None:
        for start in range(0, len(woken), AT_ONCE):
            told = await self._look(woken[start : start + AT_ONCE])
            await asyncio.sleep(min(LONGEST, told * PER_FOLLOWER))

    async def _look(self, woken: Collection[K]) -> int:
        """How many followers were told something."""
        hubs = {key: self._hubs[key] for key in woken if key in self._hubs}
        if not hubs:
            return 0
        found = await self._read({key: hub.ring.top for key, hub in hubs.items()})
        told = 0
        for key, hub in hubs.items():
            told += hub.followers if found[key].messages else 0
            self._tell(key, hub, found[key])
        return told

    def _tell(self, key: K, hub: Hub, found: Found) -> None:
        if found.generation != hub.generation:
            hub.end()  # its followers come back with ids that mean nothing any more
            return
        hub.tell(found.messages, found.upto)
        if found.more:
            self.wake(key)
        elif found.last_words:
            hub.end(found.last_words)
