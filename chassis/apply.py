"""A poll is applied once: its records, what they change and the next offsets commit together.

The row of a partition's offset is locked before anything is folded.  If it is not where our page
begins, another instance has read on (or the database was restored): the page is not folded.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from aiokafka import TopicPartition

from chassis import metrics
from chassis.dead_letters import note
from chassis.pages import Page
from chassis.postgres import TRANSIENT, Connection, Pool, SupersededError
from chassis.queries import load_queries
from chassis.records import Received

log = structlog.get_logger()
Q = load_queries(__file__)

Fold = Callable[[Connection, list[Received]], Awaitable[None]]


@dataclass(slots=True)
class Applied:
    """What a committed poll did."""

    folded: list[Received] = field(default_factory=list)
    fenced: set[TopicPartition] = field(default_factory=set)
    """Partitions that stand elsewhere."""
    dead: int = 0


class Unreadable(Exception):  # noqa: N818 - says of a record what it is
    """A record of ours that cannot be applied, and that names no batch to set aside."""

    def __init__(self, record: Received, error: Exception) -> None:
        super().__init__(f"{type(record.event).__name__}: {type(error).__name__}")
        self.record = record


async def apply(pool: Pool, pages: Sequence[Page], fold: Fold, *, begin: str) -> Applied:
    """Folds a poll.  If an event cannot be folded, its batch alone is set aside.

    `begin` is the transaction's first statement.  Raises what is TRANSIENT: then nothing was
    applied.  If newer code has taken over, nothing is either, and every page ends where it began.
    """
    try:
        return await _apply(pool, pages, fold, begin)
    except TRANSIENT:
        raise
    except SupersededError as error:
        for page in pages:
            page.upto, page.stop = page.since, str(error)
            page.records = []
        return Applied()
    except Exception:
        log.exception("fold_failed", records=sum(len(page.records) for page in pages))
    while True:
        try:
            return await _apply(pool, pages, _Careful(fold), begin)
        except Unreadable as error:
            _end_page_before(error, pages)


def _end_page_before(unreadable: Unreadable, pages: Sequence[Page]) -> None:
    record = unreadable.record
    for page in pages:
        if (page.topic, page.partition.partition) == (record.topic, record.partition):
            page.records = [r for r in page.records if r.offset < record.offset]
            # those after it are found again when the partition goes on
            page.dead = [letter for letter in page.dead if letter.offset < record.offset]
            page.upto, page.stop = record.offset, str(unreadable)


async def _apply(pool: Pool, pages: Sequence[Page], fold: "Fold | _Careful", begin: str) -> Applied:
    applied = Applied()
    async with pool.acquire() as conn, conn.transaction():
        await conn.execute(begin)
        ours = await _not_fenced(conn, pages, applied)
        records = [record for page in ours for record in page.records]
        applied.folded = await _without_quarantined(conn, records)
        if applied.folded:
            await fold(conn, applied.folded)
        dead = [letter for page in ours for letter in page.dead]
        await note(conn, dead)
        applied.dead = len(dead)
        await conn.execute(
            Q.move_offsets,
            [page.topic for page in ours],
            [page.partition.partition for page in ours],
            [page.since for page in ours],
            [page.upto for page in ours],
            [page.marked_offset for page in ours],
            [page.marked_at for page in ours],
        )
    return applied


async def _not_fenced(conn: Connection, pages: Sequence[Page], applied: Applied) -> list[Page]:
    rows = await conn.fetch(
        Q.lock_offsets,
        [page.topic for page in pages],
        [page.partition.partition for page in pages],
    )
    stored = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
    ours = []
    for page in pages:
        stands_at = stored.get((page.topic, page.partition.partition))
        if stands_at == page.since:
            ours.append(page)
        else:
            applied.fenced.add(page.partition)
            metrics.FENCED.inc()
            log.warning("fenced", topic=page.topic, since=page.since, stands_at=stands_at)
    return ours


async def _without_quarantined(conn: Connection, records: list[Received]) -> list[Received]:
    """Holds back what belongs to a batch already set aside, but for its end."""
    aside = {row["batch_id"] for row in await conn.fetch(Q.quarantined)}
    if not aside:
        return records
    held = [it for it in records if it.batch_id in aside and not it.event.erases]
    await _hold_back(conn, held)
    places = {(it.topic, it.partition, it.offset) for it in held}
    return [it for it in records if (it.topic, it.partition, it.offset) not in places]


async def _hold_back(conn: Connection, records: Sequence[Received]) -> None:
    await conn.execute(
        Q.quarantine_records,
        [record.topic for record in records],
        [record.partition for record in records],
        [record.offset for record in records],
        [record.batch_id for record in records],
    )


class _Careful:
    """A fold that finds, by halves, the events that cannot be folded; sets their batches aside."""

    def __init__(self, fold: Fold) -> None:
        self._fold = fold
        self._held: set[UUID | None] = set()

    async def __call__(self, conn: Connection, records: list[Received]) -> None:
        await _hold_back(conn, [record for record in records if record.batch_id in self._held])
        records = [record for record in records if record.batch_id not in self._held]
        if not records:
            return
        try:
            async with conn.transaction():
                await self._fold(conn, records)
        except TRANSIENT:
            raise
        except SupersededError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a fold raises, others must go on
            if len(records) == 1:
                await self._set_aside(conn, records[0], error)
                return
        else:
            return
        middle = len(records) // 2
        await self(conn, records[:middle])
        await self(conn, records[middle:])

    async def _set_aside(self, conn: Connection, record: Received, error: Exception) -> None:
        if record.batch_id is None:
            raise Unreadable(record, error) from error
        place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
        log.error("batch_quarantined", batch_id=str(record.batch_id), **place,
                  event_type=type(record.event).__name__, error=type(error).__name__)  # fmt: skip
        await conn.execute(
            Q.quarantine_batch, record.batch_id, *place.values(), type(error).__name__
        )
        self._held.add(record.batch_id)
        await _hold_back(conn, [record])
        metrics.QUARANTINED.inc()
