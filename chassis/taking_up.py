"""A batch that was set aside goes on only when all that was held back of it is applied, in order.

Page by page, each in one transaction with its places, in the order of the keys.  What comes
meanwhile is held back behind it, and nothing of the batch is decided before the last page.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final
from uuid import UUID

import structlog
from aiokafka import ConsumerRecord

from chassis.apply import Fold
from chassis.dead_letters import Place, Q, columns, still_bad
from chassis.origins import Origins
from chassis.postgres import Connection, Pool
from chassis.records import Received
from chassis.rereading import IN_THE_WAY, in_words, reread

log = structlog.get_logger()

PAGE: Final = 100
"""Records: of chunks of recipients, up to 50 MB."""

TakenUp = Callable[[Connection, UUID], Awaitable[None]]
"""Is told, in its last transaction, of a batch that goes on."""


async def nothing_more(_: Connection, __: UUID) -> None:
    """What the fold does is all."""


class TakingUp:
    def __init__(
        self, pool: Pool, origins: Origins, prefix: str, fold: Fold, taken_up: TakenUp
    ) -> None:
        self._pool = pool
        self._origins = origins
        self._prefix = prefix
        self._fold = fold
        self._taken_up = taken_up

    async def page(self, letter: Place, batch_id: UUID) -> tuple[list[Received], bool]:
        """What was applied, and whether there is more to do."""
        places = await self._held(self._pool, batch_id)
        found = await self._origins.records(places)
        async with self._pool.acquire() as conn, conn.transaction():
            await conn.execute(Q.write_alone)  # nothing comes from here on
            if not await conn.fetchval(Q.take_letter, *letter):
                return [], False
            applied, wrong = await self._apply(conn, places, found)
            rest = await self._held(conn, batch_id)
            if wrong is None and 0 < len(rest) < PAGE:
                more, wrong = await self._apply(conn, rest, await self._origins.records(rest))
                applied += more
                rest = rest[len(more) :]
            if wrong is not None:
                await still_bad(conn, letter, wrong)
            elif not rest:
                await conn.execute(Q.take_up, batch_id)
                await self._taken_up(conn, batch_id)
                await conn.execute(Q.replayed, *letter, False)
                log.info("batch_taken_up", batch_id=str(batch_id))
        return applied, wrong is None and bool(rest)

    async def _held(self, conn: Pool | Connection, batch_id: UUID) -> list[Place]:
        return [Place(*row) for row in await conn.fetch(Q.held_records, batch_id, PAGE)]

    async def _apply(
        self, conn: Connection, places: Sequence[Place], found: Mapping[Place, ConsumerRecord]
    ) -> tuple[list[Received], str | None]:
        """What was applied, from the first on, and what is wrong with the next."""
        held = {Place(*row) for row in await conn.fetch(Q.still_held, *columns(places))}
        places = [place for place in places if place in held]
        applied = await self._together(conn, places, found)
        wrong = None
        if applied is None:
            applied, wrong = await self._singly(conn, places, found)
        await conn.execute(Q.let_go, *columns(places[: len(applied)]))
        return applied, wrong

    async def _together(
        self, conn: Connection, places: Sequence[Place], found: Mapping[Place, ConsumerRecord]
    ) -> list[Received] | None:
        """None: one of them cannot be applied."""
        try:
            records = [reread(found.get(place), self._prefix) for place in places]
            if records:
                async with conn.transaction():
                    await self._fold(conn, records)
        except IN_THE_WAY:
            raise
        except Exception as error:  # noqa: BLE001 - which of them it was is found out singly
            log.warning("page_not_applied", error=type(error).__name__)
            return None
        return records

    async def _singly(
        self, conn: Connection, places: Sequence[Place], found: Mapping[Place, ConsumerRecord]
    ) -> tuple[list[Received], str | None]:
        applied: list[Received] = []
        for place in places:
            try:
                record = reread(found.get(place), self._prefix)
                async with conn.transaction():
                    await self._fold(conn, [record])
            except IN_THE_WAY:
                raise
            except Exception as error:  # noqa: BLE001 - whatever a fold raises is told
                return applied, f"{in_words(error)} at {place}"
            applied.append(record)
        return applied, None
