"""However long the list, what is in memory and in one transaction stays small.

A worker thread reads and seals a portion while the loop copies the one before; if this process dies
on the way, the rows are nobody's and are swept.
"""

import asyncio
from collections.abc import Iterator
from uuid import UUID

from chassis.postgres import Pool
from contracts.sealed import Rejection
from services.ingest import store
from services.ingest.domain.batch import Terms
from services.ingest.domain.chunks import Uploaded
from services.ingest.overlap import both
from services.ingest.sources import rows_of
from services.ingest.staging import SAMPLE, Portion, Stager
from services.ingest.submission import Submission


class RowsRefusedError(Exception):
    """No row can be called, or one cannot and the whole list was to be right."""

    def __init__(self, code: str, sample: list[Rejection]) -> None:
        super().__init__(code)
        self.code = code
        self.sample = sample


async def upload(pool: Pool, terms: Terms, submission: Submission, stager: Stager) -> Uploaded:
    """The list, staged.  Raises RowsRefusedError, FileRefusedError or UploadLostError."""
    async with pool.acquire() as conn:
        await store.begin_upload(conn, stager.upload_id)
    strict = terms.request.on_invalid == "reject"
    portions = stager.portions(rows_of(submission, terms))
    portion = await _next(portions)
    while portion and not (strict and len(stager.sample) == SAMPLE):
        portion, _ = await both(_next(portions), _stage(pool, stager.upload_id, portion))
    if strict and stager.rejected:
        raise RowsRefusedError("rows_rejected", stager.sample)
    if not stager.accepted:
        raise RowsRefusedError("no_valid_recipients", stager.sample)
    async with pool.acquire() as conn, conn.transaction():
        await store.mark_same_numbers(conn, stager.upload_id)
    return stager.uploaded


async def _next(portions: Iterator[Portion]) -> Portion | None:
    return await asyncio.to_thread(next, portions, None)


async def _stage(pool: Pool, upload_id: UUID, portion: Portion) -> None:
    async with pool.acquire() as conn, conn.transaction():
        await store.stage(conn, upload_id, portion)
