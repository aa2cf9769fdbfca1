"""Takes the outbox to the broker under a transaction lock: a session lock outlives a frozen holder.

A relay may be frozen, lose its lock and thaw: what it then sends again is recognised by its number.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence

import asyncpg
import structlog

from chassis import metrics
from chassis.catchup import at_once
from chassis.outbox import Q
from chassis.postgres import TRANSIENT, Pool, stand_back
from chassis.producer import BROKER_TROUBLE, Producer
from chassis.wake import Alarm
from contracts.codec import Encoded

log = structlog.get_logger()

MOST = 1000
LOOK_EVERY = 1.0
"""Seconds; other processes of the service put rows too, and their wakes do not reach us."""


class Relay:
    """`run()` is its life; `wake()` after each commit that put events."""

    def __init__(self, *, pool: Pool, producer: Producer) -> None:
        self._pool = pool
        self._producer = producer
        self._alarm = Alarm()
        self.trouble: str | None = None
        """What keeps events from leaving, for readyz."""

    def wake(self) -> None:
        self._alarm.ring()

    async def run(self, may_publish: Callable[[], Awaitable[None]] = at_once) -> None:
        failures = 0
        while True:
            await may_publish()
            try:
                published = await self.publish_some()
            except (*TRANSIENT, *BROKER_TROUBLE) as error:
                failures += 1
                self.trouble = type(error).__name__
                await stand_back("relay", failures, error)
            else:
                failures, self.trouble = 0, None
                if published < MOST:
                    await self._alarm.wait_for(LOOK_EVERY)

    async def publish_some(self) -> int:
        """How many rows left the outbox.  Raises what kept others in it."""
        async with self._pool.acquire() as conn, conn.transaction():
            await conn.execute(Q.lock_outbox)
            rows = await conn.fetch(Q.oldest_in_outbox, MOST)
            outcomes = await self._producer.send_all([_record(row) for row in rows])
            await conn.execute(Q.published, _gone(rows, outcomes))
        for outcome in outcomes:
            if outcome is not None:
                raise outcome
        return len(rows)

    async def drain(self, within: float) -> None:
        """Before the end: what is left after `within` leaves after the next start."""
        try:
            async with asyncio.timeout(within):
                while await self.publish_some():
                    pass
        except (*TRANSIENT, *BROKER_TROUBLE) as error:
            log.warning("outbox_not_drained", error=type(error).__name__)

    async def depth(self) -> int:
        depth = int(await self._pool.fetchval(Q.outbox_depth))
        metrics.OUTBOX_DEPTH.set(depth)
        return depth


def _record(row: asyncpg.Record) -> tuple[str, Encoded]:
    headers = [(name, value.encode()) for name, value in json.loads(row["headers"])]
    return row["topic"], Encoded(row["key"], row["value"], headers)


def _gone(rows: Sequence[asyncpg.Record], outcomes: Sequence[Exception | None]) -> list[int]:
    """Rows that are acknowledged, and all before them of their key."""
    gone: list[int] = []
    stuck: set[tuple[str, bytes]] = set()
    for row, outcome in zip(rows, outcomes, strict=True):
        key = row["topic"], row["key"]
        if outcome is not None:
            stuck.add(key)
        elif key not in stuck:
            gone.append(row["id"])
    return gone
