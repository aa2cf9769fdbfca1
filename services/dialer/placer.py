"""Nobody is rung twice: INTENT, announced and acknowledged, recorded, and then one request, once.

Each step is taken only if the one before it certainly happened.  A step whose outcome is not known
ends the attempt here: nothing below is ever tried again.  The reconciler finds what was left.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

import asyncpg
import structlog

from chassis.postgres import TRANSIENT, Pool, stand_back
from chassis.producer import BROKER_TROUBLE, Producer
from contracts.calls import ReturnReason
from services.dialer import clock
from services.dialer.answers import evidence_of, pause_after
from services.dialer.carriers.port import Ambiguous, Answer, Carrier
from services.dialer.domain import GivenBack
from services.dialer.granting import Granting, Intent, Taken
from services.dialer.settings import DialerSettings
from services.dialer.settlement import Settlement
from services.dialer.slots import Slots
from services.dialer.store import announce, pause_carrier
from services.dialer.wakes import Wakes

log = structlog.get_logger()

AGAIN: tuple[type[Exception], ...] = (*TRANSIENT, asyncpg.UniqueViolationError)
"""The last: another dialer has just taken the same number; the next look sees its call."""
AT_ONCE = 100
HELD_FOR = 0.1
LOOK_EVERY = 1.0
"""Seconds; another dialer may have folded what we could place."""


class Placer:
    def __init__(
        self,
        *,
        pool: Pool,
        producer: Producer,
        carrier: Carrier,
        granting: Granting,
        settlement: Settlement,
        settings: DialerSettings,
        wakes: Wakes,
        inputs_read: Callable[[], Awaitable[None]],
    ) -> None:
        self._pool = pool
        self._producer = producer
        self._carrier = carrier
        self._granting = granting
        self._settlement = settlement
        self._unreachable_for = settings.unreachable_seconds
        rate = settings.carrier_calls_per_second
        self._held_for = HELD_FOR if rate is None else min(LOOK_EVERY, max(HELD_FOR, 1 / rate))
        self._wakes = wakes
        self._inputs_read = inputs_read
        self._slots = Slots(settings.most_requests)

    async def run(self) -> None:
        failures = 0
        while True:
            free = await self._slots.some(AT_ONCE)
            await self._inputs_read()
            try:
                taken = await self._slots.through(self._take(free))
            except AGAIN as error:
                failures += 1
                await stand_back("place", failures, error)
                continue
            failures = 0
            await self._follow(taken)

    async def _take(self, most: int) -> Taken:
        """In one piece: an INTENT that nobody places would be taken for a call that was placed."""
        taken = await self._granting.take(most)
        if taken.intents:
            self._slots.take(len(taken.intents))
            self._slots.run(self._place_all(taken.intents), holding=0)
        return taken

    async def _follow(self, taken: Taken) -> None:
        if taken.given_back:
            self._wakes.settled()
        if taken.held:
            await self._wakes.placer.wait_for(self._held_for)
        elif not taken.intents and not taken.given_back:
            await self._wakes.placer.wait_for(LOOK_EVERY)

    async def close(self, within: float = 4) -> None:
        """Lets requests at hand be answered; what is cut off is looked up by the reconciler."""
        await self._slots.close(within)

    async def _place_all(self, intents: Sequence[Intent]) -> None:
        placed = 0
        try:
            if not await self._announced(intents):
                await self._give_back(intents)
                return
            allowed = await self._recorded([intent.order.call_id for intent in intents])
            for intent in intents:
                if intent.order.call_id in allowed:
                    self._slots.run(self._place(intent), holding=1)
                    placed += 1
        finally:
            self._slots.give_back(len(intents) - placed)

    async def _announced(self, intents: Sequence[Intent]) -> bool:
        """Whether the log certainly has all of them, in time."""
        within = min(intent.deadline for intent in intents) - clock.now()
        try:
            await self._producer.publish(
                [intent.placing for intent in intents], writer="dialer", within=max(0.0, within)
            )
        except BROKER_TROUBLE as error:
            log.warning("not_announced", calls=len(intents), error=type(error).__name__)
            return False
        return True

    async def _give_back(self, intents: Sequence[Intent]) -> None:
        unsent = GivenBack(ReturnReason.DEADLINE_PASSED, "not_announced")
        await asyncio.gather(*(self._settlement.give(i.order.call_id, unsent) for i in intents))

    async def _recorded(self, call_ids: Sequence[UUID]) -> set[UUID]:
        """Whose request may leave: what is no longer INTENT has been settled without us."""
        try:
            async with self._pool.acquire() as conn:
                return await announce(conn, call_ids)
        except TRANSIENT as error:
            # Perhaps recorded, certainly not sent: the reconciler takes the careful view.
            log.warning(
                "announcement_not_recorded", calls=len(call_ids), error=type(error).__name__
            )
            return set()

    async def _place(self, intent: Intent) -> None:
        answer = await self._request(intent)
        pause = pause_after(answer, unreachable_for=self._unreachable_for)
        if pause is not None:
            await self._pause(pause)
        evidence = evidence_of(answer, unreachable_for=self._unreachable_for)
        await self._settlement.give(intent.order.call_id, evidence)

    async def _request(self, intent: Intent) -> Answer:
        """The one request.  Whatever an adapter fails with, it may have been sent."""
        try:
            return await self._carrier.place(intent.order, clock.before(intent.deadline))
        except Exception:
            log.exception("carrier_failed", call_id=str(intent.order.call_id))
            return Ambiguous("carrier_failed")

    async def _pause(self, seconds: float) -> None:
        try:
            async with self._pool.acquire() as conn:
                await pause_carrier(conn, self._carrier.name, seconds)
        except TRANSIENT as error:
            log.warning("carrier_not_paused", error=type(error).__name__)
        else:
            log.info("carrier_paused", carrier=self._carrier.name, seconds=seconds)
