"""Who is never to be called: said number by number, or as a list."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from chassis.problems import FieldProblem, Problem
from contracts.directory import SuppressionEvent
from services.ingest import position
from services.ingest.api.account import ACTOR, Account
from services.ingest.api.keys import IdempotencyKey
from services.ingest.api.parts import Ready
from services.ingest.api.suppression_list import list_of
from services.ingest.domain.fields import PhoneNumber
from services.ingest.domain.suppressions import SuppressionRequest, as_called
from services.ingest.suppressions.entries import ExpiredAlreadyError, NotSuppressedError
from services.ingest.suppressions.lists import BrokeOffError
from services.ingest.uploading.staged import UploadLostError
from services.ingest.uploading.workers import WorkerLostError

router = APIRouter(prefix="/v1/suppressions", tags=["suppressions"])

Number = Annotated[PhoneNumber, Path()]
LIST = {"type": "string", "format": "binary"}
SOURCE = {"type": "string", "maxLength": 100, "default": "csv"}
LIST_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {"schema": LIST},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"file": LIST, "source": SOURCE},
                    "required": ["file"],
                }
            },
        },
    },
    "parameters": [
        {"name": "source", "in": "query", "required": False, "schema": SOURCE},
    ],
}


class SuppressionAnswer(BaseModel):
    phone_number: str
    source: str
    reason: str | None
    expires_at: datetime | None
    active: bool


class RejectedRow(BaseModel):
    row: int
    line: int
    errors: list[FieldProblem]


class SuppressionsAnswer(BaseModel):
    source: str
    added: int
    unchanged: int
    rejected: int
    rejected_sample: list[RejectedRow]


@router.put("/{e164}")
async def suppress(
    e164: Number,
    account_id: Account,
    parts: Ready,
    response: Response,
    request: SuppressionRequest | None = None,
) -> SuppressionAnswer:
    """Do not call this number until an instant, or ever again; nor where it waits in a batch."""
    asked = request or SuppressionRequest()
    number = as_called(e164)
    try:
        event = await parts.suppressions.put(account_id, number, asked, actor=ACTOR)
    except ExpiredAlreadyError:
        raise _expired_already() from None
    _place(response, event)
    return SuppressionAnswer(
        phone_number=number,
        source=event.source,
        reason=asked.reason or None,
        expires_at=event.expires_at,
        active=True,
    )


@router.get("/{e164}")
async def show(e164: Number, account_id: Account, parts: Ready) -> SuppressionAnswer:
    """Why a number is not called; one whose time is over is shown as not active."""
    number = as_called(e164)
    found = await parts.suppressions.find(account_id, number)
    if found is None:
        raise _not_found()
    return SuppressionAnswer(
        phone_number=number,
        source=found.source,
        reason=found.reason,
        expires_at=found.expires_at,
        active=found.active,
    )


@router.delete("/{e164}", status_code=204)
async def lift(e164: Number, account_id: Account, parts: Ready, response: Response) -> None:
    """The number may be called again."""
    try:
        event = await parts.suppressions.lift(account_id, as_called(e164), actor=ACTOR)
    except NotSuppressedError:
        raise _not_found() from None
    _place(response, event)


@router.post("", response_model=SuppressionsAnswer, openapi_extra=LIST_BODY)
async def suppress_all(
    request: Request, account_id: Account, parts: Ready, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Suppress every number of a CSV: columns phone_number, and if need be reason and expires_at.

    A row never shortens a suppression: where one holds that lasts as long, it is left unchanged.
    A list that breaks off is there in part; send it again, and what is there is unchanged.
    """
    async with list_of(request) as sent:
        try:
            answer = await parts.suppression_lists.take(
                account_id, sent, key=idempotency_key, actor=ACTOR
            )
        except (BrokeOffError, WorkerLostError, UploadLostError):
            raise _broke_off() from None
    return JSONResponse(answer.body, answer.status, headers=answer.headers)


def _place(response: Response, event: SuppressionEvent) -> None:
    response.headers[position.HEADER] = position.of_entry(event)


def _not_found() -> Problem:
    title = "The number is not suppressed."
    return Problem(
        HTTPStatus.NOT_FOUND,
        "suppression_not_found",
        title,
        "The number may be called; put it here to suppress it.",
    )


def _expired_already() -> Problem:
    code, message = "expires_at_in_past", "Name an instant to come, or none for ever."
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        code,
        "The request is not valid.",
        "See errors.",
        errors=[FieldProblem(field="expires_at", code=code, message=message)],
    )


def _broke_off() -> Problem:
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "try_again",
        "The list could not be read to its end.",
        "A part of it may be suppressed already; send it again, which does no harm.",
        headers={"Retry-After": "1"},
    )
