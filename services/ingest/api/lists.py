"""Lists, as they are sent, looked at and mended before anybody is called."""

from dataclasses import asdict
from importlib.resources import files
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from services.ingest.api.account import Account
from services.ingest.api.keys import IdempotencyKey, key_of
from services.ingest.api.paging import AllRejected, RowFilter, cursor_at
from services.ingest.api.parts import Ready
from services.ingest.api.schemas import LIST_BODY
from services.ingest.api.upload import LIST, sent_in
from services.ingest.domain.requests import RowRequest
from services.ingest.lists.answers import ListAnswer
from services.ingest.lists.rows import RowAnswer
from services.ingest.lists.searching import Search
from services.ingest.uploading.submission import list_of

router = APIRouter(prefix="/v1/recipient-lists", tags=["recipient lists"])

Row = Annotated[int, Path(ge=1, le=2**31 - 1)]

TEMPLATE = files("services.ingest.api").joinpath("template.csv").read_bytes()


class RowsAnswer(BaseModel):
    data: list[RowAnswer]
    next_cursor: str | None


class CountsAnswer(BaseModel):
    accepted: int
    rejected: int
    duplicates: int


class MendedAnswer(RowAnswer):
    list: CountsAnswer
    """The list's counts with the row as it is."""


@router.get(
    "/template.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def template() -> Response:
    """A file to fill in: the header, and a row as an example."""
    headers = {"Content-Disposition": 'attachment; filename="recipients.csv"'}
    return Response(TEMPLATE, media_type="text/csv; charset=utf-8", headers=headers)


@router.post("", status_code=201, response_model=ListAnswer, openapi_extra=LIST_BODY)
async def create_list(
    request: Request, account_id: Account, parts: Ready, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Check a list: as a CSV file, with or without a mapping of its columns, or as JSON."""
    async with sent_in(request, LIST) as sent:
        key = await key_of(idempotency_key, account_id, "POST /v1/recipient-lists", sent)
        source = await list_of(sent, parts.workers)
        answer = await parts.list_intake.create(account_id, source, key=key)
    return JSONResponse(answer.body, answer.status, headers=answer.headers)


@router.get("/{list_id}")
async def read_list(list_id: UUID, account_id: Account, parts: Ready) -> ListAnswer:
    """Its counts, its columns and the first of its rejected rows."""
    return await parts.list_answers.read(account_id, list_id)


@router.delete("/{list_id}", status_code=204)
async def delete_list(list_id: UUID, account_id: Account, parts: Ready) -> None:
    """Batches that were made of it are not touched."""
    await parts.lists.delete(account_id, list_id)
    parts.wake_sweeper()


@router.get("/{list_id}/rows")
async def read_rows(
    list_id: UUID, account_id: Account, parts: Ready, asked: Annotated[RowFilter, Query()]
) -> RowsAnswer:
    """By their number; searched by part of a name, or of a number in any notation."""
    rows, last = await parts.list_answers.page(
        account_id,
        list_id,
        after=asked.after,
        state=asked.state,
        search=Search.of(asked.search),
        at_most=asked.limit,
    )
    return RowsAnswer(data=rows, next_cursor=None if last is None else cursor_at(last))


@router.post("/{list_id}/rows", response_model=ListAnswer, openapi_extra=LIST_BODY)
async def add_rows(
    request: Request,
    list_id: UUID,
    account_id: Account,
    parts: Ready,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Another file, or rows typed by hand, into the same list."""
    async with sent_in(request, LIST) as sent:
        what = f"POST /v1/recipient-lists/{list_id}/rows"
        key = await key_of(idempotency_key, account_id, what, sent)
        source = await list_of(sent, parts.workers)
        answer = await parts.list_intake.add(account_id, list_id, source, key=key)
    return JSONResponse(answer.body, answer.status, headers=answer.headers)


@router.patch("/{list_id}/rows/{row}")
async def mend_row(
    list_id: UUID,
    row: Row,
    change: RowRequest,
    account_id: Account,
    parts: Ready,
    dry_run: Annotated[bool, Query()] = False,  # noqa: FBT002 - a query parameter
) -> MendedAnswer:
    """New values for a row; with `dry_run` they are only judged, as somebody types them."""
    found, counts = await parts.mending.mend(account_id, list_id, row, change, dry_run=dry_run)
    return MendedAnswer(**dict(found), list=CountsAnswer(**asdict(counts)))


@router.delete("/{list_id}/rows")
async def remove_rows(
    list_id: UUID, account_id: Account, parts: Ready, _: Annotated[AllRejected, Query()]
) -> CountsAnswer:
    """All rejected rows (`?state=rejected`): once they were mended in a file and sent again."""
    counts = await parts.mending.remove_rejected(account_id, list_id)
    return CountsAnswer(**asdict(counts))


@router.delete("/{list_id}/rows/{row}", status_code=204)
async def remove_row(list_id: UUID, row: Row, account_id: Account, parts: Ready) -> None:
    """Its number is not given to another row."""
    await parts.mending.remove(account_id, list_id, row)
