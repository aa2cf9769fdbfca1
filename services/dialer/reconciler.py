"""What nobody can say is asked of the carrier, and believed only when it says so or has no trace.

A call has no owner: any dialer looks at what is due, and one that dies leaves it to the next.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from chassis.postgres import Pool, retrying
from services.dialer.call import State
from services.dialer.carriers.port import Carrier, LookUpError, Sighting
from services.dialer.domain import CouldNotSay, Evidence, NoTrace, Overdue
from services.dialer.earlier import EarlierCalls
from services.dialer.people import People
from services.dialer.settlement import Settlement
from services.dialer.slots import Slots
from services.dialer.store import Q, Row
from services.dialer.wakes import Wakes

log = structlog.get_logger()

LEASE = timedelta(seconds=15)
"""In which a look must be done; longer than a look-up may take."""
LOOK_EVERY = 1.0
OVERTIME = timedelta(seconds=60)
"""Past its longest duration a call is hung up by us."""


@dataclass(frozen=True, slots=True)
class Reconciler:
    pool: Pool
    carrier: Carrier
    people: People
    settlement: Settlement
    earlier: EarlierCalls
    wakes: Wakes
    slots: Slots
    inputs_read: Callable[[], Awaitable[None]]

    async def run(self) -> None:
        while True:
            free = await self.slots.some(100)
            await self.inputs_read()
            due = await self._due(free)
            for row in due:
                self.slots.take(1)
                self.slots.run(self._check(row), holding=1)
            if len(due) < free:
                await self.wakes.reconciler.wait_for(await self._pause())

    async def _due(self, most: int) -> list[Row]:
        claim = partial(self.pool.fetch, Q.claim_checks, most, LEASE)
        return await retrying("claim checks", claim)

    async def close(self) -> None:
        await self.slots.close(within=1)

    async def _pause(self) -> float:
        next_in = await retrying("next check", lambda: self.pool.fetchval(Q.next_check_in))
        return LOOK_EVERY if next_in is None else min(LOOK_EVERY, max(0.01, next_in))

    async def _check(self, row: Row) -> None:
        match State[row["state"]]:
            case State.GRANTED:
                await self.earlier.settle(row)
            case State.INTENT:
                await self.settlement.give(row["call_id"], Overdue())
            case _:
                await self.settlement.give(row["call_id"], await self._look_up(row))

    async def _look_up(self, row: Row) -> Evidence:
        try:
            seen = await self.carrier.look_up(
                row["call_id"],
                to=await self._number(row),
                from_number=row["from_number"],
                since=row["requested_at"],
            )
        except LookUpError as error:
            log.warning("look_up_failed", call_id=str(row["call_id"]), error=str(error))
            return CouldNotSay()
        if seen is None:
            return NoTrace(asked_at=row["now"])
        await self._hang_up_if_endless(row, seen)
        return seen

    async def _number(self, row: Row) -> str | None:
        if row["sealed"] is None:
            return None
        secrets = await self.people.read(row["batch_id"], row["sealed"])
        return None if secrets is None else secrets.phone_number

    async def _hang_up_if_endless(self, row: Row, seen: Sighting) -> None:
        began: datetime | None = row["started_at"]
        longest = timedelta(seconds=row["max_duration_seconds"]) + OVERTIME
        if seen.ending is not None or began is None or row["now"] < began + longest:
            return
        try:
            await self.carrier.hang_up(seen.carrier_call_id)
        except LookUpError as error:
            log.warning("hang_up_failed", call_id=str(row["call_id"]), error=str(error))
