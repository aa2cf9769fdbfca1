"""Before somebody is called again whose last call nobody could account for, the carrier is asked.

Whoever was reached by that call after all is not rung a second time.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from chassis.postgres import Pool, retrying
from contracts.outcomes import RecipientStatus, status_of
from services.dialer.carriers.port import Carrier, LookUpError, Refused, Sighting
from services.dialer.people import People
from services.dialer.settlement import Settlement
from services.dialer.store import Q, Row
from services.dialer.wakes import Wakes

log = structlog.get_logger()

REACHED_BEFORE = "reached_before"


@dataclass(frozen=True, slots=True)
class EarlierCalls:
    pool: Pool
    carrier: Carrier
    people: People
    settlement: Settlement
    wakes: Wakes

    async def settle(self, row: Row) -> None:
        """Lets the call be placed, ends it, or leaves it for a later look."""
        if await retrying("gone", lambda: self.pool.fetchval(Q.cannot_be_placed, row["call_id"])):
            await self._let_go(row)  # the placer gives it back
            return
        try:
            seen = [await self._look_up(row, earlier) for earlier in row["look_up_first"]]
        except LookUpError as error:
            log.warning("look_up_failed", call_id=str(row["call_id"]), error=str(error))
            return
        endings = [one.ending for one in seen if one is not None]
        reached = [
            ending.outcome
            for ending in endings
            if ending is not None and status_of(ending.outcome) is RecipientStatus.COMPLETED
        ]
        if reached:
            await self.settlement.give(row["call_id"], Refused(reached[0], REACHED_BEFORE))
        elif None not in endings:  # none of them is live any more
            await self._let_go(row)

    async def _look_up(self, row: Row, earlier: dict[str, str]) -> Sighting | None:
        call_id = UUID(earlier["call_id"])
        since = earlier.get("requested_at")
        secrets = await self.people.read(row["batch_id"], row["sealed"])
        seen = await self.carrier.look_up(
            call_id,
            to=None if secrets is None else secrets.phone_number,
            from_number=row["from_number"],
            since=None if since is None else datetime.fromisoformat(since),
        )
        if seen is not None:
            await self.settlement.give(call_id, seen)
        return seen

    async def _let_go(self, row: Row) -> None:
        await retrying("let go", lambda: self.pool.execute(Q.let_it_be_placed, row["call_id"]))
        self.wakes.placer.ring()
