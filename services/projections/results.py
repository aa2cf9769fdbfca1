"""A batch's results page by page: each page is a transaction of its own, held by no slow reader.

Whoever reads on sees each page as it is then.  A batch that is deleted meanwhile ends it at once.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from chassis.postgres import Pool, retrying
from chassis.queries import load_queries
from contracts.ids import CallIds
from contracts.outcomes import Outcome, RecipientStatus
from services.projections.domain.batch import Batch
from services.projections.domain.result import Result
from services.projections.domain.standing import progress_of
from services.projections.store import FIRST, Reads, reading

if TYPE_CHECKING:
    from asyncpg import Record

RESULTS = load_queries(__file__, "results.sql")

PAGE_ROWS = 2000
PAGE_BYTES = 2 * 1024 * 1024
"""Of variables; with one row more."""
INSTANT = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
"""RFC 3339, as sessions are in UTC."""
TRIES = 5
"""For a page, while the database is away."""

Place = tuple[int, UUID]
BEGIN: Place = (0, FIRST)


class GoneError(Exception):
    """The batch is not there, or no longer."""


@dataclass(frozen=True, slots=True)
class Asked:
    account_id: str
    batch_id: UUID
    status: RecipientStatus | None = None
    outcome: Outcome | None = None


async def pages(pool: Pool, asked: Asked, after: Place) -> AsyncIterator[list[Result]]:
    """The database reads the next page while one is written.  Raises GoneError at any of them."""

    def read(place: Place) -> asyncio.Task[list[Result]]:
        once = partial(_page, pool, asked, place)
        return asyncio.create_task(retrying("results", once, attempts=TRIES))

    ahead = read(after)
    try:
        while page := await ahead:
            last = page[-1]
            ahead = read((last.row, UUID(last.recipient_id)))
            yield page
    finally:
        ahead.cancel()
        await asyncio.gather(ahead, return_exceptions=True)


async def _page(pool: Pool, asked: Asked, after: Place) -> list[Result]:
    async with reading(pool) as reads:
        found = await reads.batches(asked.account_id, [asked.batch_id])
        if not found:
            raise GoneError
        batch = found[0][0]
        standings = batch.standings_shown_as(asked.status, asked.outcome)
        people = await reads.conn.fetch(
            RESULTS.people, asked.batch_id, standings, *after, PAGE_ROWS, PAGE_BYTES
        )
        ids = CallIds(asked.batch_id)
        call_ids = [ids.of(recipient_id, grant_no) for _, recipient_id, _, grant_no, *_ in people]
        calls = await reads.conn.fetch(RESULTS.their_calls, call_ids, INSTANT)
    return list(_results(batch, people, calls))


def _results(
    batch: Batch, people: "Sequence[Record]", calls: "Sequence[Record]"
) -> Iterator[Result]:
    standings = {person["standing"] for person in people}
    shown = {it: batch.shown(progress_of(it)) for it in standings}
    seen = {it: (found.status, found.outcome) for it, found in shown.items()}
    for person, call in zip(people, calls, strict=True):
        row, recipient_id, standing, _, attempts, phone_number, name, variables = person
        own = row, phone_number, name, *seen[standing], attempts, recipient_id
        yield Result._make((*own, *call, variables))


async def variables_of(reads: Reads, batch_id: UUID, limit: int) -> list[str]:
    """By the first row and place they are met at."""
    rows = await reads.conn.fetch(RESULTS.variables, batch_id, limit)
    return [row["name"] for row in rows]


async def place_of(reads: Reads, batch_id: UUID, recipient_id: UUID) -> Place | None:
    """None: nobody of that batch."""
    row = await reads.conn.fetchval(RESULTS.place_of, batch_id, recipient_id)
    return None if row is None else (row, recipient_id)
