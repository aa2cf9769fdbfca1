"""However long the list, what is in memory and in one transaction stays small.

A portion is read beside the loop while the one before is copied; if this process dies on the way,
the rows are nobody's and are swept.
"""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from chassis.postgres import Pool
from contracts.sealed import Rejection
from services.ingest.domain.chunks import Uploaded
from services.ingest.uploading import staged
from services.ingest.uploading.overlap import both
from services.ingest.uploading.recipients import Portions
from services.ingest.uploading.staging import SAMPLE, Portion


class RowsRefusedError(Exception):
    """No row can be called, or one cannot and the whole list was to be right."""

    def __init__(self, code: str, sample: list[Rejection]) -> None:
        super().__init__(code)
        self.code = code
        self.sample = sample

    def counted_from(self, row: int) -> "RowsRefusedError":
        """The rows by their numbers in what was sent, where they count on from others."""
        sample = [it.model_copy(update={"row": it.row - row}) for it in self.sample]
        return RowsRefusedError(self.code, sample)


@dataclass(slots=True)
class Tally:
    """What is staged so far: chunks get their numbers here."""

    upload_id: UUID
    accepted: int = 0
    rejected: int = 0
    chunks: int = 0
    rejection_chunks: int = 0
    last_row: int = 0
    sample: list[Rejection] = field(default_factory=list)

    def records(self, portion: Portion) -> tuple[list[Any], list[Any]]:
        """As they are staged."""
        chunks = [
            (number, *chunk) for number, chunk in enumerate(portion.chunks, start=self.chunks)
        ]
        rejections = [
            (number, *chunk)
            for number, chunk in enumerate(portion.rejections, start=self.rejection_chunks)
        ]
        self.accepted += portion.accepted
        self.rejected += portion.rejected
        self.chunks += len(chunks)
        self.rejection_chunks += len(rejections)
        self.last_row = portion.last_row
        self.sample += portion.sample[: SAMPLE - len(self.sample)]
        return chunks, rejections

    def uploaded(self, addition_id: UUID, list_id: UUID | None) -> Uploaded:
        return Uploaded(
            self.upload_id,
            addition_id,
            self.accepted,
            self.rejected,
            self.chunks,
            self.rejection_chunks,
            self.last_row,
            list_id,
        )


async def upload(
    pool: Pool, portions: Portions[Portion], upload_id: UUID, *, strict: bool
) -> Tally:
    """The list, staged.  Raises RowsRefusedError, FileRefusedError or UploadLostError."""
    async with pool.acquire() as conn:
        await staged.begin_upload(conn, upload_id)
    tally = Tally(upload_id)
    portion = await portions.next()
    while portion and not (strict and len(tally.sample) == SAMPLE):
        portion, _ = await both(portions.next(), _stage(pool, tally, portion))
    if strict and tally.rejected:
        raise RowsRefusedError("rows_rejected", tally.sample)
    if not tally.accepted:
        raise RowsRefusedError("no_valid_recipients", tally.sample)
    async with pool.acquire() as conn, conn.transaction():
        await staged.mark_same_numbers(conn, upload_id)
    return tally


async def _stage(pool: Pool, tally: Tally, portion: Portion) -> None:
    records = tally.records(portion)
    async with pool.acquire() as conn, conn.transaction():
        await staged.stage(conn, tally.upload_id, *records)
