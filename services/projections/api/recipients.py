"""Who is called, how far each is, and why somebody has not been called yet."""

from typing import TYPE_CHECKING
from uuid import UUID

from fastapi import APIRouter

from chassis.postgres import Pool
from services.projections.api.account import Account
from services.projections.api.found import batch_of, not_found
from services.projections.api.pages import BY_KEY, Page, after, cursor_invalid, page_of
from services.projections.api.parameters import NoParameters, RecipientFilter, RecipientParameters
from services.projections.api.shapes import RecipientShape, WhyShape
from services.projections.api.showing import show_recipient, show_why
from services.projections.domain.searching import Search
from services.projections.explaining import explained, suppression_of
from services.projections.people import Wanted, people
from services.projections.peppers import Peppers
from services.projections.store import Reads, reading

if TYPE_CHECKING:
    from asyncpg import Record


def recipients(pool: Pool, peppers: Peppers) -> APIRouter:
    router = APIRouter(prefix="/v1/batches/{batch_id}/recipients", tags=["recipients"])

    @router.get("")
    async def list_recipients(
        account: Account, batch_id: UUID, asked: RecipientParameters
    ) -> Page[RecipientShape]:
        """Who is called, and how far each is."""
        async with reading(pool) as reads:
            batch = await batch_of(reads, account, batch_id)
            rows = await people(reads.conn, batch, _wanted(asked))
        return page_of(
            rows,
            asked.limit,
            lambda row: show_recipient(row, batch),
            lambda row: (asked.sort, row["sorted_by"], row["row"], row["recipient_id"]),
        )

    @router.get("/{recipient_id}")
    async def read_recipient(
        account: Account, batch_id: UUID, recipient_id: UUID, _: NoParameters
    ) -> RecipientShape:
        """One recipient, as in the list."""
        async with reading(pool) as reads:
            batch = await batch_of(reads, account, batch_id)
            row = await _recipient(reads, batch_id, recipient_id)
        return show_recipient(row, batch)

    @router.get("/{recipient_id}/why")
    async def explain(
        account: Account, batch_id: UUID, recipient_id: UUID, _: NoParameters
    ) -> WhyShape:
        """Why this recipient has not been called yet, or what became of it."""
        pepper = await peppers.of(account)  # before the snapshot, which waits for no vault
        async with reading(pool) as reads:
            found = await reads.batches(account, [batch_id])
            if not found:
                raise not_found("batch")
            ((batch, now),) = found
            row = await _recipient(reads, batch_id, recipient_id)
            listed = await suppression_of(reads.conn, account, row["phone_number"], pepper)
            reasons, telling = await explained(reads.conn, batch, row, now, listed)
        return show_why(recipient_id, reasons, telling)

    return router


async def _recipient(reads: Reads, batch_id: UUID, recipient_id: UUID) -> "Record":
    row = await reads.recipient(batch_id, recipient_id)
    if row is None:
        raise not_found("recipient")
    return row


def _wanted(asked: RecipientFilter) -> Wanted:
    seen = after(asked.cursor, BY_KEY)
    if seen is not None and seen[0] != asked.sort:
        raise cursor_invalid()
    return Wanted(
        status=asked.status,
        outcome=asked.outcome,
        search=Search.of(asked.search),
        by=asked.by,
        backwards=asked.backwards,
        after=None if seen is None else seen[1:],
        limit=asked.limit + 1,
    )
