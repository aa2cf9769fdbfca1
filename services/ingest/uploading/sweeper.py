"""No chunk of a list stays when the log has all of it, or when its upload was silent too long."""

from uuid import UUID

import structlog

from chassis.postgres import Pool, retrying
from chassis.wake import Alarm
from services.ingest.lists.opening import Lists
from services.ingest.uploading import staged

log = structlog.get_logger()

EVERY = 60.0


class Sweeper:
    def __init__(self, pool: Pool, lists: Lists) -> None:
        self._pool = pool
        self._lists = lists
        self._alarm = Alarm()

    def wake(self) -> None:
        """An upload was given up just now, or a list has come into the log."""
        self._alarm.ring()

    async def run(self) -> None:
        while True:
            await retrying("sweep", self.sweep)
            await self._alarm.wait_for(EVERY)

    async def sweep(self) -> None:
        await self._lists.forget_deleted()
        async with self._pool.acquire() as conn:
            await staged.drop_dead_uploads(conn)
            uploads = await staged.dropped_uploads(conn)
        for upload_id in uploads:
            await self._purge(upload_id)
            log.info("upload_purged", upload_id=str(upload_id))

    async def _purge(self, upload_id: UUID) -> None:
        async with self._pool.acquire() as conn:
            while await staged.purge_some_chunks(conn, upload_id):
                log.debug("chunks_purged", upload_id=str(upload_id))
            async with conn.transaction():
                await staged.forget_upload(conn, upload_id)
