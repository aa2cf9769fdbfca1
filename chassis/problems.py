"""Every error is a problem+json (RFC 9457) that says what to do and never repeats what was sent."""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, get_args

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from pydantic_core import core_schema
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.outbox import TooLargeError
from chassis.postgres import REPLACED, TRANSIENT
from chassis.telemetry import current_trace_id

DATABASE_AWAY = tuple(kind for kind in (*TRANSIENT, *REPLACED, TimeoutError) if kind is not OSError)
"""Not every OSError: a full disk is not said to pass."""

log = structlog.get_logger()


class FieldProblem(BaseModel):
    field: str
    code: str
    message: str
    row: int | None = None


class Problem(Exception):  # noqa: N818 - the word of the RFC
    """Raised anywhere under a request; `code` is stable, `detail` is for people."""

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        detail: str | None = None,
        *,
        errors: Sequence[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.headers = headers
        self.body = {
            "type": f"urn:rollcall:problem:{code}",
            "title": title,
            "status": status,
            "detail": detail or title,
            "code": code,
        } | extra
        if errors:
            self.body["errors"] = [error.model_dump(exclude_none=True) for error in errors]

    def response(self) -> JSONResponse:
        return JSONResponse(
            self.body,
            self.status,
            media_type="application/problem+json",
            headers=dict(self.headers or {}),
        )


PYDANTIC = frozenset(get_args(core_schema.ErrorType))
WORDS = {
    "model_type": "Give an object.",
    "model_attributes_type": "Give an object.",
    "dict_type": "Give an object.",
    "list_type": "Give a list.",
    "tuple_type": "Give a list.",
    "string_type": "Give a text.",
    "int_type": "Give a whole number.",
    "int_parsing": "Give a whole number.",
    "int_from_float": "Give a whole number.",
    "bool_type": "Give true or false.",
    "bool_parsing": "Give true or false.",
    "uuid_parsing": "Give an id as it was answered, such as 6f0a9c1e-3b57-5d0e-8a5c-7f1f6e2d9b40.",
}
"""What pydantic says in its own terms."""
FIELD_CODES = {
    "extra_forbidden": ("unknown_field", "This field is not known here; leave it out."),
    "missing": ("field_required", "This field is required."),
    "timezone_aware": ("instant_without_zone", "Give the instant a zone, such as Z or +01:00."),
}


def from_validation(error: RequestValidationError) -> Problem:
    """What is wrong with each field, without its value."""
    found = error.errors()
    if any(each["type"] == "json_invalid" for each in found):
        return Problem(400, "body_invalid", "The body is not JSON.", "Send well-formed JSON.")
    errors = []
    for each in found:
        code, message = _code_of(each)
        place = [str(part) for part in each["loc"] if part not in {"body", "query", "path"}]
        errors.append(FieldProblem(field=".".join(place) or "body", code=code, message=message))
    code = errors[0].code if len({e.code for e in errors}) == 1 else "field_invalid"
    code = "field_invalid" if code == "field_required" else code
    return Problem(422, code, "The request is not valid.", "See errors.", errors=errors)


def _code_of(error: Mapping[str, Any]) -> tuple[str, str]:
    if error["type"] not in PYDANTIC:
        return error["type"], error["msg"]  # a PydanticCustomError of ours: its type is the code
    return FIELD_CODES.get(error["type"], ("field_invalid", _without_value(error)))


def _without_value(error: Mapping[str, Any]) -> str:
    # A validator of ours may raise ValueError with anything in it; pydantic's own messages
    # name limits and expectations, not the input.
    if error["type"] in {"value_error", "assertion_error"}:
        return "The value is not valid."
    return WORDS.get(error["type"], str(error["msg"]))


async def _on_problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)  # noqa: S101 - how the handler is registered
    return error.response()


async def _on_invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    return from_validation(error).response()


async def _on_http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    status = HTTPStatus(error.status_code)
    code = {404: "not_found", 405: "method_not_allowed", 400: "body_invalid"}.get(
        status, status.name.lower()
    )
    return Problem(
        status, code, status.phrase, status.description, headers=error.headers
    ).response()


async def _on_database_away(request: Request, error: Exception) -> JSONResponse:
    log.warning("database_away", route=_route(request), error=type(error).__name__)
    return Problem(
        503,
        "database_unavailable",
        "The database does not answer.",
        "Ask again in a moment.",
        headers={"Retry-After": "1"},
    ).response()


async def _on_too_large(request: Request, error: Exception) -> JSONResponse:
    log.warning("request_too_large", route=_route(request), error=str(error))
    return Problem(
        422,
        "request_too_large",
        "The request is too large to be written down.",
        "Shorten its lists and texts: together they may hold 2 MB.",
    ).response()


async def _on_error(request: Request, error: Exception) -> JSONResponse:
    log.error("request_failed", method=request.method, route=_route(request), exc_info=error)
    return Problem(
        500,
        "internal_error",
        "Something went wrong on our side.",
        "Try again; if it lasts, report the trace.",
        trace=current_trace_id(),
    ).response()


def _route(request: Request) -> str:
    return str(getattr(request.scope.get("route"), "path", "unknown"))


def install(app: FastAPI) -> None:
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    for kind in DATABASE_AWAY:
        app.add_exception_handler(kind, _on_database_away)
    app.add_exception_handler(TooLargeError, _on_too_large)
    app.add_exception_handler(Exception, _on_error)


class BodyLimit:
    """ASGI: a body longer than `most` bytes is answered 413, declared or not.

    `where` says of which requests.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        most: int,
        detail: str,
        where: Callable[[Scope], bool] = lambda _: True,
    ) -> None:
        self._app = app
        self._most = most
        self._detail = detail
        self._where = where

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._where(scope):
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self._most:
            await self._too_large().response()(scope, receive, send)
            return
        seen, answered = 0, False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._most:
                raise self._too_large()  # whatever the app makes of it, we answer
            return message

        async def answering(message: Message) -> None:
            nonlocal answered
            if seen <= self._most:
                await send(message)
            elif not answered:
                answered = True
                await self._too_large().response()(scope, receive, send)

        await self._app(scope, counted, answering)

    def _too_large(self) -> Problem:
        title = "The upload is too large."
        return Problem(413, "upload_too_large", title, self._detail)
