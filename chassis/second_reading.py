"""A dead letter is applied at most once, by the fold at hand, in the transaction that says so."""

from collections.abc import Callable
from typing import Final

import structlog
from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError

from chassis.apply import Fold
from chassis.dead_letters import Place, Q, still_bad
from chassis.origins import Origins
from chassis.postgres import Connection, Pool, stand_back
from chassis.records import Received
from chassis.rereading import IN_THE_WAY, StillBadError, in_words, reads, reread
from chassis.taking_up import PAGE, TakenUp, TakingUp, nothing_more
from chassis.wake import Alarm

log = structlog.get_logger()

CHANNEL: Final = "rollcall_dead_letters"


class SecondReading:
    """`run()` is its life; `wake` when somebody asked."""

    def __init__(
        self,
        *,
        pool: Pool,
        kafka: str,
        prefix: str,
        fold: Fold,
        begin: str,
        after_commit: Callable[[list[Received]], None],
        taken_up: TakenUp = nothing_more,
    ) -> None:
        self._pool = pool
        self._origins = Origins(kafka, prefix)
        self._prefix = prefix
        self._fold = fold
        self._begin = begin
        self._after_commit = after_commit
        self._batches = TakingUp(pool, self._origins, prefix, fold, taken_up)
        self._alarm = Alarm()

    def wake(self, _: str = "") -> None:
        self._alarm.ring()

    async def run(self) -> None:
        failures = 0
        while True:
            await self._alarm.wait_for(None)
            try:
                await self.read_asked()
            except (KafkaError, *IN_THE_WAY) as error:
                failures += 1
                await stand_back("second_reading", failures, error)
                self.wake()
            else:
                failures = 0

    async def read_asked(self) -> None:
        """All that somebody asked for, once."""
        asked = await self._pool.fetch(Q.asked)
        places = [Place(row["topic"], row["partition"], row["offset"]) for row in asked]
        batches = [row["batch_id"] for row in asked]
        for place, batch_id in zip(places, batches, strict=True):
            more = batch_id is not None
            while more:
                applied, more = await self._batches.page(place, batch_id)
                self._after_commit(applied)
        letters = [place for place, batch_id in zip(places, batches, strict=True) if not batch_id]
        for since in range(0, len(letters), PAGE):
            found = await self._origins.records(letters[since : since + PAGE])
            for place in letters[since : since + PAGE]:
                self._after_commit(await self._letter(place, found.get(place)))

    async def _letter(self, place: Place, raw: ConsumerRecord | None) -> list[Received]:
        late = (
            raw is not None
            and reads(raw, self._prefix)  # else it is still bad, and what follows is no matter
            and await self._origins.has_successor(place, raw.key)
        )
        async with self._pool.acquire() as conn, conn.transaction():
            await conn.execute(self._begin)
            if not await conn.fetchval(Q.take_letter, *place):
                return []
            try:
                record = reread(raw, self._prefix)
                await self._apply(conn, record)
            except IN_THE_WAY:
                raise
            except Exception as error:  # noqa: BLE001 - whatever a fold raises is told
                await still_bad(conn, place, in_words(error))
                return []
            await conn.execute(Q.replayed, *place, late)
        log.info("dead_letter_replayed", origin=str(place), late=late)
        return [record]

    async def _apply(self, conn: Connection, record: Received) -> None:
        if await conn.fetchval(Q.is_set_aside, record.batch_id):
            raise StillBadError("its batch is set aside: replay that first")
        async with conn.transaction():
            await self._fold(conn, [record])
