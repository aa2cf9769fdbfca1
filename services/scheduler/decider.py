"""One account is decided at a time, under its lock: two deciders would grant the same slot twice.

A wake is gone only with the decision it asked for; any process may make it.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import ClassVar, Final, Protocol

import structlog

from chassis.apply import Q as CHASSIS
from chassis.postgres import TRANSIENT, Pool, stand_back
from chassis.telemetry import start_span
from chassis.wake import Alarm
from services.scheduler.decision import Decided, Decision
from services.scheduler.domain.hours import Timetable
from services.scheduler.store import Q

log = structlog.get_logger()

LOOK_EVERY: Final = 2.0
"""Seconds; a process that died between a fold and its decision leaves the wake to the others."""


class Inputs(Protocol):
    """Whoever knows whether the log has been read to its end: the inbox."""

    @property
    def is_caught_up(self) -> bool: ...

    async def caught_up(self) -> None: ...


class Decider:
    """`run()` is its life; `ring()` after each fold."""

    decision: ClassVar[type[Decision]] = Decision

    def __init__(self, pool: Pool, *, published: Callable[[], None], at_once: int = 4) -> None:
        self._pool = pool
        self._published = published
        self._at_once = at_once
        self._alarm = Alarm()
        self._timetable = Timetable()

    def ring(self) -> None:
        self._alarm.ring()

    async def run(self, inbox: Inputs) -> None:
        failures, woken = 0, False
        while True:
            woken = woken and inbox.is_caught_up
            await inbox.caught_up()
            try:
                if not woken:  # the database may be another than before, its timers lost
                    await self._pool.execute(Q.wake_all)
                    woken = True
                if not await self.decide_all_due():
                    await self._alarm.wait_for(await self._seconds_to_next())
                failures = 0
            except TRANSIENT as error:
                failures += 1
                await stand_back("decide", failures, error)

    async def decide_all_due(self) -> int:
        """How many accounts were due and are now decided on."""
        rows = await self._pool.fetch(Q.accounts_due, self._at_once)
        decisions = [self.decide(row["account_id"]) for row in rows]
        for result in await asyncio.gather(*decisions, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result
        return len(rows)

    async def decide(self, account_id: str) -> Decided:
        async with self._pool.acquire() as conn, conn.transaction():
            await conn.execute(CHASSIS.hold_off_rebuild)
            await conn.execute(Q.lock_account, account_id)
            cause = await conn.fetchval(Q.take_wakes, account_id)
            with start_span("decide", cause):
                decided = await self.decision(conn, account_id, self._timetable).make()
            if decided.next_at is not None:
                await conn.execute(Q.set_wake, account_id, decided.next_at)
        if decided.events:
            self._published()
            said = Counter(type(event).__name__ for event in decided.events)
            log.info("decided", account_id=account_id, **said)
        return decided

    async def _seconds_to_next(self) -> float:
        seconds: float | None = await self._pool.fetchval(Q.next_wake)
        return LOOK_EVERY if seconds is None else min(LOOK_EVERY, max(0.0, seconds))
