"""Who is called, how far each is, and why somebody has not been called yet."""

from typing import TYPE_CHECKING
from uuid import UUID

from fastapi import APIRouter

from chassis.postgres import Pool
from services.projections.api.account import Account
from services.projections.api.found import batch_of, not_found
from services.projections.api.pages import BY_KEY, BY_ROW, Page, after, page_of
from services.projections.api.parameters import NoParameters, RecipientFilter, RecipientParameters
from services.projections.api.shapes import RecipientShape, WhyShape
from services.projections.api.showing import show_recipient, show_why
from services.projections.domain.batch import Batch
from services.projections.explaining import explained
from services.projections.store import Reads, reading

if TYPE_CHECKING:
    from asyncpg import Record


def recipients(pool: Pool) -> APIRouter:
    router = APIRouter(prefix="/v1/batches/{batch_id}/recipients", tags=["recipients"])

    @router.get("")
    async def list_recipients(
        account: Account, batch_id: UUID, asked: RecipientParameters
    ) -> Page[RecipientShape]:
        async with reading(pool) as reads:
            batch = await batch_of(reads, account, batch_id)
            by_row_alone = asked.by == "row" and asked.search is None
            rows = await (_by_row if by_row_alone else _sorted)(reads, batch, asked)
        key = ("row", "recipient_id") if by_row_alone else ("sorted_by", "row", "recipient_id")
        return page_of(
            rows,
            asked.limit,
            lambda row: show_recipient(row, batch),
            lambda row: tuple(row[name] for name in key),
        )

    @router.get("/{recipient_id}")
    async def read_recipient(
        account: Account, batch_id: UUID, recipient_id: UUID, _: NoParameters
    ) -> RecipientShape:
        async with reading(pool) as reads:
            batch = await batch_of(reads, account, batch_id)
            row = await _recipient(reads, batch_id, recipient_id)
        return show_recipient(row, batch)

    @router.get("/{recipient_id}/why")
    async def explain(
        account: Account, batch_id: UUID, recipient_id: UUID, _: NoParameters
    ) -> WhyShape:
        async with reading(pool) as reads:
            found = await reads.batches(account, [batch_id])
            if not found:
                raise not_found("batch")
            ((batch, now),) = found
            row = await _recipient(reads, batch_id, recipient_id)
            reasons, telling = await explained(reads.conn, batch, row, now)
        return show_why(recipient_id, reasons, telling)

    return router


async def _recipient(reads: Reads, batch_id: UUID, recipient_id: UUID) -> "Record":
    row = await reads.recipient(batch_id, recipient_id)
    if row is None:
        raise not_found("recipient")
    return row


async def _by_row(reads: Reads, batch: Batch, asked: RecipientFilter) -> "list[Record]":
    return await reads.recipients_page(
        batch,
        status=asked.status,
        outcome=asked.outcome,
        backwards=asked.backwards,
        after=after(asked.cursor, BY_ROW),
        limit=asked.limit + 1,
    )


async def _sorted(reads: Reads, batch: Batch, asked: RecipientFilter) -> "list[Record]":
    return await reads.recipients_sorted(
        batch,
        status=asked.status,
        outcome=asked.outcome,
        search=asked.search,
        by=asked.by,
        backwards=asked.backwards,
        after=after(asked.cursor, BY_KEY),
        limit=asked.limit + 1,
    )
