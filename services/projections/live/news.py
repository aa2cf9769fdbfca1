"""All that is followed on this process: whatever number of streams, two sessions read for them."""

import asyncio
from collections.abc import AsyncGenerator
from functools import partial
from typing import TypeVar
from uuid import UUID

from chassis.postgres import Pool
from services.projections.api.streaming import EventStream
from services.projections.domain.place import Place
from services.projections.live.batch_stream import BatchOpening, entries_since, open_batch
from services.projections.live.list_stream import ListOpening, changes_since, open_list
from services.projections.live.newsroom import Newsroom
from services.projections.live.shared import Shared

K = TypeVar("K")

CHANNEL = "projections_changed"
"""NOTIFY, from the fold's own transaction: a batch and its account."""
LIST_EVERY = 1.0
ENTRIES_BEFORE, CHANGES_BEFORE = 250, 25
"""What is read anew for those who come back after a restart, in one read for them all."""


class Live:
    def __init__(
        self, pool: Pool, stopping: asyncio.Event, *, heartbeat: float, unread_for: float
    ) -> None:
        self.unread_for = unread_for
        self._heartbeat = heartbeat
        self.batches: Newsroom[UUID] = Newsroom(
            partial(entries_since, pool), stopping, before=ENTRIES_BEFORE
        )
        self.lists: Newsroom[str] = Newsroom(
            partial(changes_since, pool), stopping, before=CHANGES_BEFORE, pause=LIST_EVERY
        )
        self._batches: Shared[tuple[str, UUID], BatchOpening] = Shared(
            lambda key: open_batch(pool, *key)
        )
        self._lists: Shared[str, ListOpening] = Shared(partial(open_list, pool))

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.batches.run())
            group.create_task(self.lists.run())

    def told(self, payload: str) -> None:
        """Of a NOTIFY; empty: some may have been missed."""
        batch_id, _, account = payload.partition(" ")
        self.batches.wake(UUID(batch_id) if batch_id else None)
        self.lists.wake(account or None)

    async def open_batch(self, account: str, batch_id: UUID) -> BatchOpening:
        return await self._batches.get((account, batch_id))

    async def open_list(self, account: str) -> ListOpening:
        return await self._lists.get(account)

    def stream(
        self, room: Newsroom[K], key: K, first: bytes, now: Place, start: Place
    ) -> EventStream:
        return EventStream(self._messages(room, key, first, now, start), self.unread_for)

    async def _messages(
        self, room: Newsroom[K], key: K, first: bytes, now: Place, start: Place
    ) -> AsyncGenerator[bytes]:
        hub = room.hub(key, now)
        cursor = hub.join(start.position)
        try:
            if first:
                yield first
            async for missed in room.missed(key, hub, cursor):
                yield missed
            async for told in hub.follow(cursor, self._heartbeat):
                yield told
        finally:
            hub.leave(cursor)
            room.leave(key, hub)
