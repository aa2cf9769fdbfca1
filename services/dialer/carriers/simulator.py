"""The simulated network: one create request a call, whatever comes of it."""

import json
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import aiohttp
import structlog
from pydantic import ValidationError

from contracts.outcomes import Outcome
from services.dialer.carriers.once import Answered, Attempt, once_only, post_once
from services.dialer.carriers.port import (
    Ambiguous,
    Answer,
    LookUpError,
    NotACallbackError,
    Order,
    Overloaded,
    Placed,
    Refused,
    Sighting,
    Unauthorized,
    Unsent,
)
from services.dialer.carriers.wire import Accepted, Callback, FoundCalls

log = structlog.get_logger()

CREATED, UNAUTHORIZED, FORBIDDEN, TOO_MANY = 201, 401, 403, 429
DEFINITE_REFUSALS = range(400, 500)
MAY_HAVE_BEEN_TAKEN = (408, 409, 425)
"""A time-out, a conflict with itself, a replay: said of a request that may have had its effect."""
LOOK_UP_WITHIN = aiohttp.ClientTimeout(total=5)


class Simulator:
    name = "simulator"

    def __init__(self, *, url: str, callback_url: str, request_timeout: float) -> None:
        self._url = url.rstrip("/")
        self._callback_url = f"{callback_url.rstrip('/')}/callbacks/{self.name}"
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=2, sock_read=request_timeout),
            trace_configs=[once_only()],
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def place(self, order: Order, may_send: Callable[[], bool]) -> Answer:
        attempt = Attempt(may_send)
        headers = {"Content-Type": "application/json"}
        if order.traceparent:
            headers["traceparent"] = order.traceparent
        try:
            answered = await post_once(
                self._session, f"{self._url}/calls", self._body(order), headers, attempt
            )
        except (aiohttp.ClientError, OSError) as error:
            if attempt.written:
                return Ambiguous(type(error).__name__)
            return Unsent(unreachable=isinstance(error, aiohttp.ClientConnectorError))
        return answer_of(answered)

    async def look_up(
        self,
        call_id: UUID,
        *,
        to: str | None,  # noqa: ARG002 - this carrier knows our ids; others go by the numbers
        from_number: str | None,  # noqa: ARG002
        since: datetime | None,  # noqa: ARG002
    ) -> Sighting | None:
        try:
            async with self._session.get(
                f"{self._url}/calls", params={"call_id": str(call_id)}, timeout=LOOK_UP_WITHIN
            ) as answer:
                answer.raise_for_status()
                found = FoundCalls.model_validate_json(await answer.read()).data
        except (aiohttp.ClientError, OSError, ValidationError) as error:
            raise LookUpError(type(error).__name__) from None
        return found[0].sighting() if found else None

    async def hang_up(self, carrier_call_id: str) -> None:
        try:
            async with self._session.post(
                f"{self._url}/calls/{carrier_call_id}/hangup", timeout=LOOK_UP_WITHIN
            ) as answer:
                answer.raise_for_status()
        except (aiohttp.ClientError, OSError) as error:
            raise LookUpError(type(error).__name__) from None

    def heard(self, body: bytes) -> tuple[UUID, Sighting]:
        try:
            callback = Callback.model_validate_json(body)
        except ValidationError as error:
            places = [e["loc"] for e in error.errors(include_input=False)]
            fields = {str(place[0]) for place in places if place}  # below them the carrier names
            raise NotACallbackError(", ".join(sorted(fields))) from None
        return callback.call_id, callback.sighting()

    async def close(self) -> None:
        await self._session.close()

    def _body(self, order: Order) -> bytes:
        return json.dumps(
            {
                "call_id": str(order.call_id),
                "to": order.to,
                "from": order.from_number,
                "agent_id": order.agent_id,
                "callback_url": self._callback_url,
                "variables": dict(order.variables),
                "max_duration": order.max_duration_seconds,
            }
        ).encode()


def answer_of(answered: Answered) -> Answer:
    """Only a word that leaves no doubt counts as one."""
    if answered.status == CREATED:
        try:
            return Placed(Accepted.model_validate_json(answered.body).carrier_call_id)
        except ValidationError:
            return Ambiguous("no_carrier_call_id")
    if answered.status in (UNAUTHORIZED, FORBIDDEN):
        return Unauthorized()
    if answered.status == TOO_MANY:
        after = answered.headers.get("Retry-After", "")
        return Overloaded(float(after) if after.isdecimal() else 1.0)
    if answered.status in DEFINITE_REFUSALS and answered.status not in MAY_HAVE_BEEN_TAKEN:
        return Refused(Outcome.FAILED, f"http_{answered.status}")
    return Ambiguous(f"http_{answered.status}")
