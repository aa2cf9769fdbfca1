"""A batch's own history, event by event, and the batch as it stood at an instant."""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from fastapi import APIRouter

from chassis.postgres import Pool
from services.projections.api.account import Account
from services.projections.api.found import batch_of, not_found
from services.projections.api.pages import BY_INSTANT, Page, after, page_of
from services.projections.api.parameters import TimelineParameters
from services.projections.api.shapes import BatchShape, EntryShape
from services.projections.api.showing import show_batch
from services.projections.domain.batch import Batch
from services.projections.history import batch_as_of, timeline_page
from services.projections.store import Reads, reading

if TYPE_CHECKING:
    from asyncpg import Record

_OF_CALLS = ("grant_no", "attempt", "epoch", "outcome", "cause")


def history(pool: Pool) -> APIRouter:
    router = APIRouter(prefix="/v1/batches", tags=["batches"])

    @router.get("/{batch_id}/timeline")
    async def read_timeline(
        account: Account, batch_id: UUID, asked: TimelineParameters
    ) -> Page[EntryShape]:
        """Every event of the batch, oldest first; `actor` is who asked for it."""
        async with reading(pool) as reads:
            await batch_of(reads, account, batch_id)
            rows = await timeline_page(
                reads.conn,
                batch_id,
                kind=asked.type,
                after=after(asked.cursor, BY_INSTANT),
                limit=asked.limit + 1,
            )
        return page_of(rows, asked.limit, show_entry, lambda row: (row["at"], row["event_id"]))

    return router


async def show_as_of(reads: Reads, batch: Batch, now: datetime, instant: datetime) -> BatchShape:
    if instant >= now:
        return show_batch(batch, now)
    if instant < batch.created_at:
        raise not_found("batch")
    return show_batch(await batch_as_of(reads.conn, batch, instant), instant)


def show_entry(row: "Record") -> EntryShape:
    data = row["data"]
    if data is None:
        data = {name: row[name] for name in _OF_CALLS if row[name] is not None}
    return EntryShape(
        event_id=row["event_id"],
        type=row["type"],
        at=row["at"],
        actor=row["asked_by"],
        recipient_id=row["recipient_id"],
        call_id=row["call_id"],
        data=data,
    )
