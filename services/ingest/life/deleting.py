"""Deleted is gone: the key goes only when no call can begin any more, and then it surely goes.

The wish is a durable row: whoever of us is alive destroys the key once the dialers' gate is closed
for good.  The lists a batch was made of go with it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog

from chassis.postgres import Pool, retrying
from chassis.vault import Seals, batch_scope
from chassis.wake import Alarm, News
from contracts.batches import BatchDeleted
from services.ingest import position
from services.ingest.domain.life import Wish
from services.ingest.intake import Wakes
from services.ingest.life import store
from services.ingest.life.asking import PATIENCE, Asking, came
from services.ingest.lists.opening import Lists
from services.ingest.lists.store import ListGoneError
from services.ingest.uploading import staged

log = structlog.get_logger()

LOOK_EVERY: Final = 30.0
"""Seconds, for what an instance that died has left."""


@dataclass(frozen=True, slots=True)
class Deleted:
    gone: bool
    """With its last call."""
    position: str
    """From which on nobody reads it any more."""


class Deleting:
    def __init__(
        self, pool: Pool, seals: Seals, lists: Lists, asking: Asking, news: News, wakes: Wakes
    ) -> None:
        self._pool = pool
        self._seals = seals
        self._lists = lists
        self._asking = asking
        self._news = news
        self._wakes = wakes
        self._alarm = Alarm()

    def wake(self) -> None:
        self._alarm.ring()

    async def delete(self, account_id: str, batch_id: UUID, *, actor: str) -> Deleted:
        """No longer waited for than it is known to be gone.

        Raises BatchGoneError.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            if not await store.lock(conn, batch_id, account_id):
                await self._asking.issue(conn, account_id, Wish(batch_id, BatchDeleted, {}), actor)
                await conn.execute(store.Q.delete_batch, batch_id)
        self._wakes.relay()
        self.wake()  # its gate may be closed for good already
        until = asyncio.get_running_loop().time() + PATIENCE
        while True:
            news = self._news.next()
            row = await self._pool.fetchrow(store.Q.leaving, batch_id)
            assert row is not None  # noqa: S101 - rows of batches stay
            forgotten = bool(row["forgotten"])
            if forgotten or not await came(news, until):
                place = position.of_command(batch_id, row["command_no"])
                return Deleted(gone=forgotten and row["live"] == 0, position=place)

    async def run(self) -> None:
        while True:
            await retrying("forget", self.forget_closed)
            await self._alarm.wait_for(LOOK_EVERY)

    async def forget_closed(self) -> None:
        for row in await self._pool.fetch(store.Q.to_forget):
            await self._forget(row["batch_id"], row["account_id"], row["lists"])

    async def _forget(self, batch_id: UUID, account_id: str, lists: Sequence[UUID]) -> None:
        """Killed anywhere on the way, it is done again from the beginning."""
        await self._seals.destroy(batch_scope(batch_id))
        for list_id in lists:
            await self._delete_list(account_id, list_id)
        async with self._pool.acquire() as conn, conn.transaction():
            for row in await conn.fetch(store.Q.drop_additions, batch_id):
                await staged.give_to_sweeper(conn, row["upload_id"])
            await conn.execute(store.Q.forgotten, batch_id)
            await store.tell(conn)
        self._wakes.sweeper()
        log.info("batch_forgotten", batch_id=str(batch_id))

    async def _delete_list(self, account_id: str, list_id: UUID) -> None:
        try:
            await self._lists.delete(account_id, list_id)
        except ListGoneError:
            log.debug("list_gone_before", list_id=str(list_id))
