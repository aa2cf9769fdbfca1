"""Takes the outbox to the broker under a transaction lock: a session lock outlives a frozen holder.

A relay may be frozen, lose its lock and thaw: what it then sends again is recognised by its number.
"""

import asyncio
import json

import structlog

from chassis import metrics
from chassis.outbox import Q
from chassis.postgres import TRANSIENT, Connection, Pool, backoff
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

    async def run(self) -> None:
        failures = 0
        while True:
            try:
                published, failed = await self.publish_some()
            except (*TRANSIENT, *BROKER_TROUBLE) as error:
                published, failed = 0, type(error).__name__
            if failed is None:
                failures, self.trouble = 0, None
                if published < MOST:
                    await self._alarm.wait_for(LOOK_EVERY)
                continue
            failures += 1
            self.trouble = failed
            log.warning("events_wait", error=failed, attempt=failures)
            await asyncio.sleep(backoff(failures))

    async def publish_some(self) -> tuple[int, str | None]:
        """How many rows left the outbox, and what kept the others."""
        async with self._pool.acquire() as conn, conn.transaction():
            await conn.execute(Q.lock_outbox)
            return await self._publish(conn)

    async def _publish(self, conn: Connection) -> tuple[int, str | None]:
        rows = await conn.fetch(Q.oldest_in_outbox, MOST)
        if not rows:
            return 0, None
        records = [
            (
                row["topic"],
                Encoded(
                    row["key"],
                    row["value"],
                    [(name, value.encode()) for name, value in json.loads(row["headers"])],
                ),
            )
            for row in rows
        ]
        outcomes = await self._producer.send_all(records)
        gone: list[int] = []
        stuck: set[tuple[str, bytes]] = set()
        failed: str | None = None
        for row, outcome in zip(rows, outcomes, strict=True):
            key = row["topic"], row["key"]
            if outcome is not None:
                stuck.add(key)
                failed = type(outcome).__name__
            elif key not in stuck:
                gone.append(row["id"])
        await conn.execute(Q.published, gone)
        return len(gone), failed

    async def drain(self, within: float) -> None:
        """Before the end: what is left after `within` leaves after the next start."""
        try:
            async with asyncio.timeout(within):
                while (await self.publish_some())[0]:
                    pass
        except (*TRANSIENT, *BROKER_TROUBLE) as error:
            log.warning("outbox_not_drained", error=type(error).__name__)

    async def depth(self) -> int:
        depth = int(await self._pool.fetchval(Q.outbox_depth))
        metrics.OUTBOX_DEPTH.set(depth)
        return depth
