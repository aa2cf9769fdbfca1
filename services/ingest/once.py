"""One Idempotency-Key, one list: what fails half-way leaves neither rows nor a key behind."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import structlog

from chassis.postgres import TRANSIENT, Pool
from services.ingest.idempotency import Answer, Idempotency, Key
from services.ingest.uploading import staged

log = structlog.get_logger()


KEEP_EVERY = staged.LEASE.total_seconds() / 4


class Once:
    def __init__(
        self, pool: Pool, idempotency: Idempotency, wake_sweeper: Callable[[], None]
    ) -> None:
        self._pool = pool
        self._idempotency = idempotency
        self._wake_sweeper = wake_sweeper

    async def __call__(self, key: Key | None, take: Callable[[UUID], Awaitable[Answer]]) -> Answer:
        """The earlier answer under the key; else what `take` answers, for an upload of its own."""
        upload_id = uuid4()
        if key:
            async with self._pool.acquire() as conn:
                earlier = await self._idempotency.claim(conn, key, upload_id)
            if earlier:
                return earlier
        keeping = asyncio.create_task(self._keep(upload_id))
        try:
            return await take(upload_id)
        except BaseException:
            await self._abandon(upload_id)
            raise
        finally:
            keeping.cancel()

    async def _keep(self, upload_id: UUID) -> None:
        """A long list may wait for its turn: it is given up with us, not for its patience."""
        while True:
            await asyncio.sleep(KEEP_EVERY)
            try:
                async with self._pool.acquire() as conn:
                    await staged.keep(conn, upload_id)
            except TRANSIENT as error:
                log.warning("upload_not_kept", error=type(error).__name__)

    async def _abandon(self, upload_id: UUID) -> None:
        """Harmless if it was finished after all: then upload and claim are gone."""
        try:
            async with self._pool.acquire() as conn:
                await staged.abandon(conn, upload_id)
        except TRANSIENT as error:
            log.warning("upload_left_to_sweeper", error=type(error).__name__)
        self._wake_sweeper()
