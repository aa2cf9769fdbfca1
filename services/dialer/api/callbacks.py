"""A callback is answered only when what it says is on disk; the carrier repeats it until then.

Three come for every call: they are taken in front of the web framework, at a third of its cost.
"""

import traceback
from collections.abc import Mapping

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.inbox import Inbox
from chassis.problems import Problem
from chassis.telemetry import current_trace_id
from services.dialer.carriers.port import Carrier, NotACallbackError
from services.dialer.settlement import Settlement

log = structlog.get_logger()

PATH = "/callbacks/"
LONGEST = 1_000_000


class Callbacks:
    """ASGI: `POST /callbacks/{carrier}`; everything else is for the app behind it."""

    def __init__(
        self, app: ASGIApp, carriers: Mapping[str, Carrier], settlement: Settlement, inbox: Inbox
    ) -> None:
        self._app = app
        self._carriers = carriers
        self._settlement = settlement
        self._inbox = inbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PATH):
            await self._app(scope, receive, send)
            return
        try:
            answer = await self._answer(Request(scope, receive))
        except Problem as problem:
            answer = problem.response()
        except ClientDisconnect:
            return  # nobody is left to be answered, and nothing of it was taken
        except Exception as error:  # noqa: BLE001 - the carrier repeats what meets a 500
            answer = _failed(error).response()
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        carrier = self._carriers.get(request.scope["path"].removeprefix(PATH))
        if carrier is None:
            raise Problem(404, "carrier_not_found", "No such carrier is used here.")
        if request.method != "POST":
            raise Problem(405, "method_not_allowed", "Callbacks are posted.")
        try:
            call_id, seen = carrier.heard(await _body(request))
        except NotACallbackError as error:
            log.warning("callback_not_understood", carrier=carrier.name, fields=str(error))
            raise Problem(400, "body_invalid", "This is not a callback of the carrier.") from None
        if await self._settlement.hear(call_id, seen):
            return Response(status_code=204)
        if not self._inbox.is_caught_up:
            raise Problem(503, "not_yet_visible", "The log is still being read; repeat it later.")
        raise Problem(404, "call_not_found", "No such call was placed here.")


def _failed(error: Exception) -> Problem:
    # Neither its text nor its trace: a database repeats in them what it was given.
    where = [f"{f.name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)[-3:]]
    log.error("callback_failed", error=type(error).__name__, where=where)
    return Problem(
        500,
        "internal_error",
        "Something went wrong on our side.",
        "Repeat it; if it lasts, report the trace.",
        trace=current_trace_id(),
    )


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LONGEST:
            raise Problem(413, "upload_too_large", "A callback is not that long.")
    return bytes(body)
