"""One account is decided at a time, under its lock: two deciders would grant the same slot twice.

A wake is gone only with the decision it asked for; any process may make it.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import ClassVar, Final, Protocol

import structlog

from chassis.apply import Q as CHASSIS
from chassis.postgres import TRANSIENT, Connection, Pool, stand_back
from chassis.telemetry import start_span
from chassis.wake import Alarm
from services.scheduler.decision import Decided, Decision
from services.scheduler.domain.hours import Timetable
from services.scheduler.store import Q

log = structlog.get_logger()

LOOK_EVERY: Final = 2.0
"""Seconds; a process that died between a fold and its decision leaves the wake to the others."""

AGAIN_IN: Final = timedelta(seconds=10)


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
        self._stuck: dict[str, tuple[str, float]] = {}
        self._timetable = Timetable()

    def ring(self) -> None:
        self._alarm.ring()

    @property
    def stuck(self) -> dict[str, str]:
        """Accounts not decided on of late, and why; another process may have managed since."""
        now = asyncio.get_running_loop().time()
        return {account: error for account, (error, until) in self._stuck.items() if until > now}

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
        accounts = [row["account_id"] for row in rows]
        results = await asyncio.gather(*map(self.decide, accounts), return_exceptions=True)
        for account_id, result in zip(accounts, results, strict=True):
            if isinstance(result, TRANSIENT) or not isinstance(result, Exception | Decided):
                raise result
            if isinstance(result, Exception):
                await self._set_aside(account_id, result)
            else:
                self._stuck.pop(account_id, None)
        return len(rows)

    async def _set_aside(self, account_id: str, error: Exception) -> None:
        """It is tried again later and with each news; the other accounts go on meanwhile."""
        until = asyncio.get_running_loop().time() + 3 * AGAIN_IN.total_seconds()
        self._stuck[account_id] = type(error).__name__, until
        log.error("not_decided", account_id=account_id, exc_info=error)
        await self._pool.execute(Q.put_off_wakes, account_id, AGAIN_IN)

    async def decide(self, account_id: str) -> Decided:
        async with self._pool.acquire() as conn, conn.transaction():
            await conn.execute(CHASSIS.hold_off_rebuild)
            await self._lock(conn, account_id)
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

    async def _lock(self, conn: Connection, account_id: str) -> None:
        await conn.execute(Q.lock_account, account_id)

    async def _seconds_to_next(self) -> float:
        seconds: float | None = await self._pool.fetchval(Q.next_wake)
        return LOOK_EVERY if seconds is None else min(LOOK_EVERY, max(0.0, seconds))
