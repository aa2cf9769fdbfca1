"""Reads of the model: a page is one instant of it, and costs the same however long the list is."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import TypeAdapter

from chassis.postgres import Connection, Pool
from chassis.queries import load_queries
from contracts.estimate import Span
from contracts.statuses import BatchStatus
from services.projections.domain.batch import Batch, Created, State, before_any_status
from services.projections.domain.searching import Search
from services.projections.domain.slots import Lately, Slots
from services.projections.generations.definition import Q as GENERATIONS
from services.projections.generations.live import enter

if TYPE_CHECKING:
    from asyncpg import Record

FOLDS = load_queries(__file__, "folds.sql")
CALLS = load_queries(__file__, "calls.sql")
SEARCH = load_queries(__file__, "search.sql")
Q = load_queries(__file__)

_UNCALLED = TypeAdapter(dict[str, datetime | None])
_ZONES = TypeAdapter(dict[str, Span])
LATELY = TypeAdapter(Lately)
_SLOTS = TypeAdapter(Slots)

FIRST, LAST = UUID(int=0), UUID(int=2**128 - 1)
LAST_ROW = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Reads:
    """What stands in the model at one instant."""

    conn: Connection

    async def batches(self, account_id: str, ids: Sequence[UUID]) -> list[tuple[Batch, datetime]]:
        """Newest first, each with the database's clock; those of other accounts are not found."""
        rows = await self.conn.fetch(Q.batches, ids, account_id)
        return [(_batch(row), row["now"]) for row in rows]

    async def batches_page(
        self,
        account_id: str,
        *,
        status: BatchStatus | None,
        search: Search | None,
        after: tuple[datetime, UUID] | None,
        limit: int,
    ) -> list[UUID]:
        place = account_id, *(after or (None, LAST)), limit
        if search is not None:
            await self.conn.execute(SEARCH.plan_for_these_words)
            rows = await self.conn.fetch(
                SEARCH.batches_found, *place, status, search.grams, search.patterns
            )
        elif status is not None:
            rows = await self.conn.fetch(SEARCH.batches_page_of_status, *place, status)
        else:
            rows = await self.conn.fetch(SEARCH.batches_page, *place)
        return [row["batch_id"] for row in rows]

    async def recipient(self, batch_id: UUID, recipient_id: UUID) -> "Record | None":
        return await self.conn.fetchrow(Q.recipient, batch_id, recipient_id)

    async def calls_page(
        self, batch_id: UUID, *, after: tuple[datetime, UUID] | None, limit: int
    ) -> "list[Record]":
        requested_at, call_id = after or (None, LAST)
        return await self.conn.fetch(Q.calls_page, batch_id, requested_at, call_id, limit)

    async def call(self, account_id: str, call_id: UUID) -> "Record | None":
        return await self.conn.fetchrow(Q.call, call_id, account_id)

    async def rejections_page(
        self, batch_id: UUID, *, after: tuple[int, UUID] | None, limit: int
    ) -> "list[Record]":
        row, addition_id = after or (0, FIRST)
        return await self.conn.fetch(Q.rejections_page, batch_id, row, addition_id, limit)

    async def account(self, account_id: str) -> "Record | None":
        return await self.conn.fetchrow(Q.account, account_id)

    async def agents_page(self, account_id: str, *, after: str, limit: int) -> "list[Record]":
        return await self.conn.fetch(Q.agents_page, account_id, after, limit)

    async def phone_numbers_page(
        self, account_id: str, *, after: str, limit: int
    ) -> "list[Record]":
        return await self.conn.fetch(Q.phone_numbers_page, account_id, after, limit)


@asynccontextmanager
async def reading(pool: Pool) -> AsyncIterator[Reads]:
    """One snapshot for all that is read: counts and rows agree."""
    async with (
        pool.acquire() as conn,
        conn.transaction(isolation="repeatable_read", readonly=True),
    ):
        await enter(conn)
        yield Reads(conn)


async def generation_of(conn: Connection) -> str:
    """Which of all generations the model is; positions of another one mean nothing in it."""
    return str(await conn.fetchval(GENERATIONS.live_name))


def _batch(row: "Record") -> Batch:
    facts: dict[str, Any] = dict(row)
    facts.pop("now")
    created = Created.model_validate(facts.pop("created"))
    state = facts.pop("state")
    uncalled = _UNCALLED.validate_python(facts.pop("uncalled") or {})
    zones = _ZONES.validate_python(facts.pop("zones") or {})
    lately = LATELY.validate_python(facts.pop("lately"))
    slots = _SLOTS.validate_python(facts.pop("slots"))
    # topics have no order: some of a list may be called before it is read that it was accepted
    facts["total"] = max(facts["total"], sum(facts["standings"].values()))
    return Batch(
        **facts,
        uncalled=uncalled,
        zones=zones,
        lately=lately,
        slots=slots,
        created=created,
        state=before_any_status(created) if state is None else State.model_validate(state),
    )
