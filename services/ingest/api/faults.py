"""What goes wrong below the API, in its words: each has its code, nothing sent is repeated."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from chassis.declared import declared
from chassis.postgres import TRANSIENT
from chassis.problems import FieldProblem, Problem
from contracts.sealed import FieldError, Rejection
from services.ingest.api.places import on_invalid, told
from services.ingest.domain.batch import RefusedError
from services.ingest.reading.columns import FileRefusedError
from services.ingest.reading.json_text import BodyRefusedError
from services.ingest.store import BatchExistsError
from services.ingest.suppressions.pepper import PepperLostError
from services.ingest.uploading.staged import UploadLostError
from services.ingest.uploading.uploads import RowsRefusedError
from services.ingest.uploading.workers import WorkerLostError

log = structlog.get_logger()

BAD_REQUEST = HTTPStatus.BAD_REQUEST
UNPROCESSABLE = HTTPStatus.UNPROCESSABLE_ENTITY


RESPONSES = declared(400, 404, 409, 410, 413, 422, 503)
"""What any request may be answered with instead."""


def install(app: FastAPI) -> None:
    refusals = (RefusedError, RowsRefusedError, FileRefusedError, BodyRefusedError)
    lost: list[type[Exception]] = [UploadLostError, WorkerLostError, *TRANSIENT]
    for fault in [*refusals, BatchExistsError, *lost]:
        app.add_exception_handler(fault, _answer)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(ClientDisconnect, _on_hang_up)
    app.add_exception_handler(PepperLostError, _on_lost_pepper)


async def _answer(_: Request, error: Exception) -> JSONResponse:
    return problem_of(error).response()


async def _on_hang_up(_: Request, _error: Exception) -> JSONResponse:
    """Nobody reads the answer."""
    log.info("client_hung_up")
    title = "The body broke off."
    return Problem(BAD_REQUEST, "body_invalid", title, "Send it again.").response()


async def _on_lost_pepper(_: Request, _error: Exception) -> JSONResponse:
    title = "Suppressed numbers are not known by anything any more."
    detail = "Restore the vault from its backup: until then nobody can be taken."
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "pepper_lost", title, detail).response()


def problem_of(error: Exception) -> Problem:
    match error:
        case RefusedError(errors=errors):
            title = "The batch cannot be created like this."
            return Problem(
                UNPROCESSABLE, errors[0].code, title, "See errors.", errors=_fields(errors)
            )
        case RowsRefusedError(code="no_valid_recipients", sample=sample):
            detail = "Give at least one recipient who can be called; see errors."
            title = "Nobody on the list can be called."
            return Problem(
                UNPROCESSABLE, "no_valid_recipients", title, detail, errors=_rows(sample)
            )
        case RowsRefusedError(code=code, sample=sample):
            detail = "Correct the rows in errors (the first 100), or send on_invalid: skip."
            title = "Some rows cannot be called."
            return Problem(UNPROCESSABLE, code, title, detail, errors=_rows(sample))
        case FileRefusedError() | BodyRefusedError():
            return _of_content(error)
        case BatchExistsError(batch_id=batch_id):
            return Problem(
                HTTPStatus.CONFLICT,
                "batch_exists",
                "The batch of this key was created before.",
                "Its first answer is lost; read the batch at Location.",
                headers={"Location": f"/v1/batches/{batch_id}"},
            )
        case _:
            log.warning("request_not_finished", error=type(error).__name__)
            return Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "try_again",
                "The request could not be finished.",
                "Nothing of it is kept; send it again, with the same Idempotency-Key.",
                headers={"Retry-After": "1"},
            )


def _of_content(error: FileRefusedError | BodyRefusedError) -> Problem:
    places = {"line": error.line, "column": error.column}
    known: dict[str, Any] = {name: place for name, place in places.items() if place is not None}
    if isinstance(error, FileRefusedError):
        code, message = error.code, error.message
        field = FieldProblem(field=error.field, code=code, message=message)
        title = "The file cannot be read."
        return Problem(UNPROCESSABLE, code, title, message, errors=[field], **known)
    if not known:
        return told(error.faults)
    title = "The body is not JSON."
    return Problem(BAD_REQUEST, "body_invalid", title, error.faults[0]["msg"], **known)


def _fields(errors: Iterable[FieldError]) -> list[FieldProblem]:
    return [FieldProblem(**error.model_dump()) for error in errors]


def _rows(sample: Iterable[Rejection]) -> list[FieldProblem]:
    return [
        FieldProblem(row=rejection.row, **error.model_dump())
        for rejection in sample
        for error in rejection.errors
    ]
