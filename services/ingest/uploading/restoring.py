"""No batch waits for ever for rows that a restored database has forgotten: the log is asked.

All chunks there are, are read, but only when the log names a list that this database does not know.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog

from chassis.postgres import TRANSIENT, Connection, Pool, stand_back
from chassis.producer import BROKER_TROUBLE
from chassis.records import Received
from chassis.replay import replay
from chassis.settings import ServiceSettings
from contracts.recipients import ChunkEvent
from contracts.topics import RECIPIENTS
from services.ingest import store
from services.ingest.domain.chunks import Stream
from services.ingest.uploading.streamer import say_lost

log = structlog.get_logger()


LOOK_EVERY = 60.0


class Restoring:
    def __init__(
        self,
        pool: Pool,
        settings: ServiceSettings,
        wake_relay: Callable[[], None],
        caught_up: Callable[[], Awaitable[None]],
    ) -> None:
        self._pool = pool
        self._settings = settings
        self._wake_relay = wake_relay
        self._caught_up = caught_up

    async def run(self) -> None:
        failures = 0
        while True:
            await self._caught_up()
            try:
                await self.settle()
            except (*TRANSIENT, *BROKER_TROUBLE) as error:
                failures += 1
                await stand_back("restoring", failures, error)
            else:
                failures = 0
                await asyncio.sleep(LOOK_EVERY)

    async def settle(self) -> None:
        async with self._pool.acquire() as conn:
            if not (forgotten := await store.forgotten_streams(conn)):
                return
            log.warning("lists_forgotten", lists=len(forgotten))
            landed = Landed()
            await self._replay(landed, conn)
            for stream in forgotten:
                await self._settle(conn, stream, landed=landed.all_of(stream))
        self._wake_relay()

    async def _replay(self, landed: "Landed", conn: Connection) -> None:
        kafka, prefix = self._settings.kafka, self._settings.topic_prefix
        await replay(kafka, prefix, [RECIPIENTS], None, landed.fold, conn)

    async def _settle(self, conn: Connection, stream: Stream, *, landed: bool) -> None:
        async with conn.transaction():
            if await store.settle(conn, stream, landed=landed) and not landed:
                await say_lost(conn, stream, await store.now(conn))


class Landed:
    """Which chunks of which additions are in the log."""

    def __init__(self) -> None:
        self._chunks: dict[UUID, set[UUID]] = defaultdict(set)

    async def fold(self, _: Connection, records: list[Received]) -> None:
        for record in records:
            if isinstance(record.event, ChunkEvent):
                self._chunks[record.event.addition_id].add(record.event.chunk_id)

    def all_of(self, stream: Stream) -> bool:
        return len(self._chunks[stream.addition_id]) == stream.chunks + stream.rejection_chunks
