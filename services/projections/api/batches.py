"""Batches, their calls and their error log: an account sees its own alone."""

from uuid import UUID

from fastapi import APIRouter

from chassis.postgres import Pool
from services.projections.api.account import Account
from services.projections.api.found import batch_of, not_found
from services.projections.api.history import show_as_of
from services.projections.api.pages import BY_INSTANT, BY_ROW, Page, after, page_of
from services.projections.api.parameters import (
    AsOfParameters,
    BatchParameters,
    NoParameters,
    PageParameters,
)
from services.projections.api.shapes import BatchShape, CallShape, RejectionShape
from services.projections.api.showing import (
    show_batch,
    show_call,
    show_rejection,
)
from services.projections.domain.searching import Search
from services.projections.store import reading


def batches(pool: Pool) -> APIRouter:
    router = APIRouter(prefix="/v1/batches", tags=["batches"])

    @router.get("")
    async def list_batches(account: Account, asked: BatchParameters) -> Page[BatchShape]:
        """Newest first."""
        async with reading(pool) as reads:
            ids = await reads.batches_page(
                account,
                status=asked.status,
                search=Search.of(asked.search),
                after=after(asked.cursor, BY_INSTANT),
                limit=asked.limit + 1,
            )
            found = await reads.batches(account, ids)
        return page_of(
            found,
            asked.limit,
            lambda each: show_batch(*each),
            lambda each: (each[0].created_at, each[0].batch_id),
        )

    @router.get("/{batch_id}")
    async def read_batch(account: Account, batch_id: UUID, asked: AsOfParameters) -> BatchShape:
        """How a batch stands, now or as of an instant; the tag changes with whatever is shown."""
        async with reading(pool) as reads:
            found = await reads.batches(account, [batch_id])
            if not found:
                raise not_found("batch")
            if asked.as_of is not None:
                return await show_as_of(reads, *found[0], asked.as_of)
        return show_batch(*found[0])

    @router.get("/{batch_id}/calls")
    async def list_calls(
        account: Account, batch_id: UUID, asked: PageParameters
    ) -> Page[CallShape]:
        """Every call of the batch, newest first."""
        async with reading(pool) as reads:
            await batch_of(reads, account, batch_id)
            rows = await reads.calls_page(
                batch_id, after=after(asked.cursor, BY_INSTANT), limit=asked.limit + 1
            )
        return page_of(
            rows, asked.limit, show_call, lambda row: (row["requested_at"], row["call_id"])
        )

    @router.get("/{batch_id}/rejections")
    async def list_rejections(
        account: Account, batch_id: UUID, asked: PageParameters
    ) -> Page[RejectionShape]:
        """The error log: rows that were refused, and everything wrong with each."""
        async with reading(pool) as reads:
            await batch_of(reads, account, batch_id)
            rows = await reads.rejections_page(
                batch_id, after=after(asked.cursor, BY_ROW), limit=asked.limit + 1
            )
        return page_of(
            rows, asked.limit, show_rejection, lambda row: (row["row"], row["addition_id"])
        )

    return router


def calls(pool: Pool) -> APIRouter:
    router = APIRouter(prefix="/v1/calls", tags=["calls"])

    @router.get("/{call_id}")
    async def read_call(account: Account, call_id: UUID, _: NoParameters) -> CallShape:
        """One call; what was said in it once that is recorded."""
        async with reading(pool) as reads:
            row = await reads.call(account, call_id)
        if row is None:
            raise not_found("call")
        return show_call(row)

    return router
