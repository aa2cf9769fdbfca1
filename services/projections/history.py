"""A batch's past: every event of it, and how it stood at any instant."""

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from chassis.postgres import Connection
from chassis.queries import load_queries
from contracts.statuses import BatchStatus
from contracts.topics import CALLS, CONVERSATIONS, DISPATCH
from services.projections.domain.batch import Batch
from services.projections.domain.past import as_it_was, past_of
from services.projections.store import LATELY

if TYPE_CHECKING:
    from asyncpg import Record

Q = load_queries(__file__, "timeline.sql")

OF_CALLS = frozenset(
    kind.__name__ for topic in (DISPATCH, CALLS, CONVERSATIONS) for kind in topic.events
)
_FIRST = UUID(int=0)


async def timeline_page(
    conn: Connection,
    batch_id: UUID,
    *,
    kind: str | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> "list[Record]":
    at, event_id = after or (None, _FIRST)
    if kind is None:
        return await conn.fetch(Q.timeline_page, batch_id, at, event_id, limit)
    statement = Q.timeline_page_of_type if kind in OF_CALLS else Q.timeline_page_of_batch_type
    return await conn.fetch(statement, batch_id, at, event_id, limit, kind)


async def batch_as_of(conn: Connection, batch: Batch, instant: datetime) -> Batch:
    """How it stood then, from what is known of that time now."""
    told = await conn.fetch(Q.told_until, batch.batch_id, instant)
    past = past_of((row["type"], row["at"], row["data"]) for row in told)
    rows = await conn.fetch(Q.standings_until, batch.batch_id, instant, past.removed)
    was = as_it_was(
        batch,
        past,
        name=await conn.fetchval(Q.name_until, batch.batch_id, instant),
        standings={row["standing"]: row["recipients"] for row in rows},
        lately=LATELY.validate_python(await conn.fetchval(Q.lately_until, batch.batch_id, instant)),
    )
    if was.status is not BatchStatus.RUNNING or was.in_flight:
        return was
    waiting = await conn.fetch(Q.uncalled_until, batch.batch_id, instant, past.removed)
    return replace(was, uncalled={row["zones"]: row["not_before"] for row in waiting})
