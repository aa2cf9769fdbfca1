"""Why a batch does not do what it was asked to, and what it would do instead."""

from http import HTTPStatus
from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from chassis.problems import Problem
from services.ingest.domain.life import BatchGoneError, NotAllowedError

GONE: Final = frozenset({"deleted", "not_created"})
ELSE: Final = "The batch is {status} and does not allow this.", "Ask for one of allowed_actions."
WORDS: Final = {
    "batch_ended": (
        "The batch is {status}: nobody can be added or removed.",
        "Make a new batch, or retry this one first.",
    ),
    "recipient_called": (
        "The recipient was called, or is about to be.",
        "Remove only who is PENDING and was never called.",
    ),
    "import_failed": (
        "Some of the batch's recipients were lost before they could be called.",
        "Make the batch again.",
    ),
}
"""What is wrong, and what to do."""


def install(app: FastAPI) -> None:
    app.add_exception_handler(BatchGoneError, _answer)
    app.add_exception_handler(NotAllowedError, _answer)


async def _answer(_: Request, error: Exception) -> JSONResponse:
    return problem_of(error).response()


def problem_of(error: Exception) -> Problem:
    if not isinstance(error, NotAllowedError) or error.refusal in GONE:
        title = "There is no such batch."
        return Problem(HTTPStatus.NOT_FOUND, "batch_not_found", title, "Look it up in the list.")
    if error.refusal == "recipient_not_found":
        title = "The batch has no such recipient."
        return Problem(
            HTTPStatus.NOT_FOUND, error.refusal, title, "Look it up under its recipients."
        )
    title, detail = WORDS.get(error.refusal, ELSE)
    return Problem(
        HTTPStatus.CONFLICT,
        error.refusal,
        title.format(status=error.status),
        detail,
        batch_status=error.status,
        allowed_actions=error.allowed_actions,
    )
