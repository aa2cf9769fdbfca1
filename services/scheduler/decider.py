"""Accounts are decided on under their locks: two deciders would grant the same slot twice.

Many that are due at once share transactions; where one of them cannot be decided on, each gets its
own.  A wake is gone only with the decision it asked for; any process may make it.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import ClassVar, Final, Protocol

import structlog

from chassis.postgres import TRANSIENT, Connection, Pool, stand_back
from chassis.wake import Alarm
from services.scheduler.decision import Decided, Decision, Memory
from services.scheduler.store import Q

log = structlog.get_logger()

LOOK_EVERY: Final = 2.0
"""Seconds; a process that died between a fold and its decision leaves the wake to the others."""

AGAIN_IN: Final = timedelta(seconds=10)

TOGETHER: Final = 25
"""Accounts in one transaction, at most: its round trips and its fsync serve them all."""


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
        self._memory = Memory()

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
        rows = await self._pool.fetch(Q.accounts_due, self._at_once * TOGETHER)
        accounts = [row["account_id"] for row in rows]
        shares = [accounts[n :: self._at_once] for n in range(min(self._at_once, len(accounts)))]
        await self._each(shares)
        return len(rows)

    async def _each(self, shares: Sequence[Sequence[str]]) -> None:
        tries = (self.decide(*accounts) for accounts in shares)
        results = await asyncio.gather(*tries, return_exceptions=True)
        for accounts, result in zip(shares, results, strict=True):
            if isinstance(result, TRANSIENT) or not isinstance(result, Exception | Decided):
                raise result
            if isinstance(result, Decided):
                for account_id in accounts:
                    self._stuck.pop(account_id, None)
            elif len(accounts) == 1:
                await self._set_aside(accounts[0], result)
            else:
                for account_id in accounts:
                    await self._each([[account_id]])

    async def _set_aside(self, account_id: str, error: Exception) -> None:
        """It is tried again later and with each news; the other accounts go on meanwhile."""
        until = asyncio.get_running_loop().time() + 3 * AGAIN_IN.total_seconds()
        self._stuck[account_id] = type(error).__name__, until
        log.error("not_decided", account_id=account_id, exc_info=error)
        await self._pool.execute(Q.put_off_wakes, account_id, AGAIN_IN)

    async def decide(self, *accounts: str) -> Decided:
        """All in one transaction: no account of them is decided on without the others."""
        async with self._pool.acquire() as conn, conn.transaction():
            await self._lock(conn, accounts)
            decided = await self.decision(conn, accounts, self._memory).make()
        if decided.events:
            self._published()
            said = Counter(type(event).__name__ for event in decided.events)
            account_id = accounts[0] if len(accounts) == 1 else None
            log.info("decided", accounts=len(accounts), account_id=account_id, **said)
        return decided

    async def _lock(self, conn: Connection, accounts: Sequence[str]) -> None:
        await conn.execute(Q.lock_accounts, accounts)

    async def _seconds_to_next(self) -> float:
        seconds: float | None = await self._pool.fetchval(Q.next_wake)
        return LOOK_EVERY if seconds is None else min(LOOK_EVERY, max(0.0, seconds))
