"""Every chunk of an addition reaches the log at least once, in whatever state we are killed.

The pointer moves only past what the broker has acknowledged, and chunks go only when the log has
all of them.  What is sent again has the same chunk_id, and readers ignore it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

import structlog

from chassis import outbox
from chassis.postgres import TRANSIENT, Connection, Pool, stand_back
from chassis.producer import BROKER_TROUBLE, Producer
from chassis.wake import Alarm
from contracts.topics import RECIPIENTS
from services.ingest import store
from services.ingest.domain.chunks import Stream, advanced, import_failed
from services.ingest.uploading.overlap import both

log = structlog.get_logger()

AT_ONCE = 16
"""Chunks, 8 MB at most: as many are sent while as many are read; all that is held in memory."""
TURN = 2.0
"""Seconds until the next list has its turn, and until what was acknowledged is committed."""
LOOK_AGAIN = 5.0
"""Seconds, for what another instance left behind; our own uploads ring."""


@dataclass(slots=True)
class Turn:
    """How far a list has got in the log, and what it met."""

    stream: Stream
    at: datetime
    lost: bool = False
    failure: Exception | None = None


class Streamer:
    def __init__(
        self,
        pool: Pool,
        producer: Producer,
        caught_up: Callable[[], Awaitable[None]],
        *,
        wake_relay: Callable[[], None],
        wake_sweeper: Callable[[], None],
    ) -> None:
        self._pool = pool
        self._producer = producer
        self._caught_up = caught_up
        self._wake_relay = wake_relay
        self._wake_sweeper = wake_sweeper
        self._alarm = Alarm()
        self._at_once = AT_ONCE

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
        """One turn of the addition that has waited longest; False if there is none."""
        async with self._pool.acquire() as conn, conn.transaction():
            stream = await store.claim_stream(conn)
            if stream is None:
                return False
            turn = Turn(stream, await store.now(conn))
            await self._take(conn, turn)
            await store.advance(conn, turn.stream)
            if turn.lost:
                await store.lose(conn, turn.stream)
                await say_lost(conn, turn.stream, turn.at)
        self._tell(turn)
        # one alone gets through where the broker is too slow to take many in time
        self._at_once = 1 if turn.failure else AT_ONCE
        if turn.failure:
            raise turn.failure  # what was acknowledged is committed; the rest is sent again
        return True

    async def _take(self, conn: Connection, turn: Turn) -> None:
        """Some chunks after the others: the next are read while these are sent."""
        loop = asyncio.get_running_loop()
        until = loop.time() + TURN
        chunks = await store.next_chunks(conn, turn.stream, self._at_once, at=turn.at)
        while chunks and not turn.failure:
            rest = advanced(turn.stream, len(chunks))
            wanted = self._at_once if loop.time() < until else 0
            following, outcomes = await both(
                store.next_chunks(conn, rest, wanted, at=turn.at),
                self._producer.send_all([(RECIPIENTS.name, chunk) for chunk in chunks]),
            )
            acknowledged = len(list(takewhile(lambda outcome: outcome is None, outcomes)))
            turn.stream = advanced(turn.stream, acknowledged)
            turn.failure = next(filter(None, outcomes), None)
            chunks = following
        turn.lost = chunks is None

    def _tell(self, turn: Turn) -> None:
        if turn.lost:
            self._wake_relay()
        if turn.stream.done:
            log.info("list_streamed", batch_id=str(turn.stream.batch_id), chunks=turn.stream.chunks)
            self._wake_sweeper()


async def say_lost(conn: Connection, stream: Stream, at: datetime) -> None:
    command_no = await store.next_command_no(conn, stream.batch_id)
    await outbox.put(conn, [import_failed(stream, command_no, at=at)], writer="ingest")
    log.error("rows_lost", batch_id=str(stream.batch_id))
