"""Every chunk of an addition reaches the log at least once, in whatever state we are killed.

The pointer moves only past what the broker has acknowledged, and acknowledged rows are purged with
it.  What is sent again has the same chunk_id, and readers ignore it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from itertools import takewhile

import structlog

from chassis import outbox
from chassis.postgres import TRANSIENT, Connection, Pool, stand_back
from chassis.producer import BROKER_TROUBLE, Producer
from chassis.wake import Alarm
from contracts.codec import Encoded, encode
from contracts.recipients import ChunkEvent
from contracts.topics import RECIPIENTS
from services.ingest import store
from services.ingest.domain.chunks import Stream, advanced, import_failed

log = structlog.get_logger()

AT_ONCE = 4
"""Chunks a round, 2 MB at most: what one transaction waits for, and what is held in memory."""
LOOK_AGAIN = 5.0
"""Seconds, for what another instance left behind; our own uploads ring."""


class Streamer:
    def __init__(
        self,
        pool: Pool,
        producer: Producer,
        wake_relay: Callable[[], None],
        caught_up: Callable[[], Awaitable[None]],
    ) -> None:
        self._pool = pool
        self._producer = producer
        self._wake_relay = wake_relay
        self._caught_up = caught_up
        self._alarm = Alarm()

    def wake(self) -> None:
        self._alarm.ring()

    async def run(self) -> None:
        failures = 0
        while True:
            await self._caught_up()
            try:
                more = await self.stream_some()
                failures = 0
            except (*TRANSIENT, *BROKER_TROUBLE) as error:
                failures += 1
                await stand_back("streamer", failures, error)
                continue
            if not more:
                await self._alarm.wait_for(LOOK_AGAIN)

    async def stream_some(self) -> bool:
        """One round of the addition that has waited longest; False if there is none."""
        async with self._pool.acquire() as conn, conn.transaction():
            stream = await store.claim_stream(conn)
            if stream is None:
                return False
            at = await store.now(conn)
            chunks = await store.next_chunks(conn, stream, AT_ONCE, at=at)
            if chunks is None:
                await store.lose(conn, stream)
                await say_lost(conn, stream, at)
                self._wake_relay()
                return True
            records = await asyncio.to_thread(_encoded, chunks)
            outcomes = await self._producer.send_all(records)
            acked = len(list(takewhile(lambda outcome: outcome is None, outcomes)))
            stream = advanced(stream, chunks[:acked])
            await store.advance(conn, stream)
        if stream.done:
            log.info("list_streamed", batch_id=str(stream.batch_id), chunks=stream.chunks)
        for failure in filter(None, outcomes):
            raise failure  # what was acknowledged is committed; the rest is sent again
        return True


async def say_lost(conn: Connection, stream: Stream, at: datetime) -> None:
    command_no = await store.next_command_no(conn, stream.batch_id)
    await outbox.put(conn, [import_failed(stream, command_no, at=at)], writer="ingest")
    log.error("rows_lost", batch_id=str(stream.batch_id))


def _encoded(chunks: Sequence[ChunkEvent]) -> list[tuple[str, Encoded]]:
    return [(RECIPIENTS.name, encode(chunk, source="ingest")) for chunk in chunks]
