"""Results are streamed: whatever their size, they take a page of memory and no connection."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import structlog
from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from starlette.types import Send

from chassis.declared import with_headers
from chassis.postgres import TRANSIENT, Pool
from chassis.problems import Problem
from services.projections.api.account import Account
from services.projections.api.found import batch_of
from services.projections.api.result_filter import CsvParameters, ResultParameters, cursor_invalid
from services.projections.api.result_lines import CsvLines, JsonLines, Lines
from services.projections.domain.result import OURS, Result
from services.projections.results import (
    BEGIN,
    Asked,
    GoneError,
    Place,
    pages,
    place_of,
    variables_of,
)
from services.projections.store import reading

MOST_VARIABLES = 16_384 - len(OURS)
"""A spreadsheet has no more columns."""
CUT: tuple[type[Exception], ...] = (GoneError, *TRANSIENT)
COLUMNS = "Rollcall-Columns"
"""The header line's digest: where a download goes on under another one, its parts do not fit."""

AT_ONCE = 100
"""Lines, a millisecond or two."""

log = structlog.get_logger()


class Download(StreamingResponse):
    """Cut where it cannot go on: the body then lacks its end, which every HTTP client notices."""

    async def stream_response(self, send: Send) -> None:
        try:
            await super().stream_response(send)
        except CUT as error:
            log.warning("results_cut", why=type(error).__name__)


def results(pool: Pool) -> APIRouter:
    router = APIRouter(prefix="/v1/batches/{batch_id}", tags=["results"])

    @router.get(
        "/results.csv", response_class=Download, responses=_answer(CsvLines.media_type, COLUMNS)
    )
    async def read_csv(account: Account, batch_id: UUID, asked: CsvParameters) -> Download:
        """A line a recipient, with a column of each variable; a cut is gone on from by `cursor`."""
        after = await _begin(pool, account, batch_id, asked.cursor)
        async with reading(pool) as reads:
            variables = await variables_of(reads, batch_id, MOST_VARIABLES + 1)
        if len(variables) > MOST_VARIABLES:
            raise _too_wide()
        lines = CsvLines(variables, bom=asked.bom)
        found = pages(pool, Asked(account, batch_id, asked.status, asked.outcome), after)
        headers = _saved_as(f"results-{batch_id}.csv") | {COLUMNS: lines.columns}
        body = _body(lines, found, whole=asked.cursor is None)
        return Download(body, media_type=lines.media_type, headers=headers)

    @router.get("/results.jsonl", response_class=Download, responses=_answer(JsonLines.media_type))
    async def read_json_lines(
        account: Account, batch_id: UUID, asked: ResultParameters
    ) -> Download:
        """The same as JSON, an object a line."""
        after = await _begin(pool, account, batch_id, asked.cursor)
        lines = JsonLines()
        found = pages(pool, Asked(account, batch_id, asked.status, asked.outcome), after)
        headers = _saved_as(f"results-{batch_id}.jsonl")
        body = _body(lines, found, whole=asked.cursor is None)
        return Download(body, media_type=lines.media_type, headers=headers)

    return router


async def _begin(pool: Pool, account: str, batch_id: UUID, cursor: UUID | None) -> Place:
    async with reading(pool) as reads:
        await batch_of(reads, account, batch_id)
        if cursor is None:
            return BEGIN
        place = await place_of(reads, batch_id, cursor)
    if place is None:
        raise cursor_invalid()
    return place


async def _body(
    lines: Lines, found: AsyncIterator[list[Result]], *, whole: bool
) -> AsyncIterator[bytes]:
    if whole:
        yield lines.head()
    async for page in found:
        for start in range(0, len(page), AT_ONCE):
            yield lines.lines(page[start : start + AT_ONCE])
            await asyncio.sleep(0)  # the others who are answered here wait for no whole page


def _saved_as(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def _answer(media_type: str, *headers: str) -> dict[int | str, dict[str, Any]]:
    content = {media_type: {"schema": {"type": "string"}}}
    return {200: {"content": content, **with_headers("Content-Disposition", *headers)}}


def _too_wide() -> Problem:
    return Problem(
        422,
        "too_many_columns",
        f"The batch has more than {MOST_VARIABLES:,} variables: no spreadsheet has such columns.",
        "Read results.jsonl.",
    )
