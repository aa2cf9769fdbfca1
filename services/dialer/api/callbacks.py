"""A callback is answered only when what it says is on disk; the carrier repeats it until then."""

from collections.abc import Mapping

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chassis.inbox import Inbox
from chassis.problems import Problem
from services.dialer.carriers.port import Carrier, NotACallbackError
from services.dialer.settlement import Settlement

log = structlog.get_logger()

LONGEST = 1_000_000


def callback_route(carriers: Mapping[str, Carrier], settlement: Settlement, inbox: Inbox) -> Route:
    async def callback(request: Request) -> Response:
        carrier = carriers.get(request.path_params["carrier"])
        if carrier is None:
            raise Problem(404, "carrier_not_found", "No such carrier is used here.")
        try:
            call_id, seen = carrier.heard(await request.body())
        except NotACallbackError as error:
            log.warning("callback_not_understood", carrier=carrier.name, fields=str(error))
            raise Problem(400, "body_invalid", "This is not a callback of the carrier.") from None
        if await settlement.give(call_id, seen):
            return Response(status_code=204)
        if not inbox.is_caught_up:
            raise Problem(503, "not_yet_visible", "The log is still being read; repeat it later.")
        raise Problem(404, "call_not_found", "No such call was placed here.")

    return Route("/callbacks/{carrier}", callback, methods=["POST"])
