"""POST /calls: no answer leaves, good or bad, before the ledger has the request on disk.

The same call_id asked for twice rings twice unless the behaviour says idempotent: a network that
forgave its callers could not convict them.
"""

import asyncio
import json
import math

from aiohttp import web
from pydantic import ValidationError

from simulator.behaviour import Behaviour, Reception, reception
from simulator.calls import CallBook
from simulator.ledger import Entry, Ledger
from simulator.network import Network
from simulator.rate import Rate
from simulator.wire import CallRequest, reason

_PLACED: frozenset[Reception] = frozenset({"normal", "slow", "lost_response"})
_REFUSALS: dict[Reception, tuple[int, str]] = {
    "unauthorized": (401, "credentials refused"),
    "server_error": (500, "the network failed; the call was not placed"),
    "unavailable": (503, "the network is unavailable; the call was not placed"),
}
_JSON = "application/json"


class FrontDesk:
    """Takes create requests in; `behaviour` is replaced whole and counts for calls to come."""

    def __init__(
        self, ledger: Ledger, book: CallBook, network: Network, behaviour: Behaviour
    ) -> None:
        self.behaviour = behaviour
        self._ledger = ledger
        self._book = book
        self._network = network
        self._rate = Rate()

    async def create(self, request: web.Request) -> web.Response:
        body = await request.read()
        try:
            wanted = CallRequest.model_validate_json(body)
        except ValidationError as error:
            return await self._refuse(_legible(body), 400, reason(error))
        asked = {"call_id": wanted.call_id, "to": wanted.to, "from": wanted.from_number}
        fate = reception(self.behaviour, wanted.call_id)
        if fate == "unauthorized":
            return await self._refuse(asked, *_REFUSALS[fate])
        now = asyncio.get_running_loop().time()
        if (wait := self._rate.admit(now, self.behaviour.calls_per_second)) > 0:
            headers = {"Retry-After": str(math.ceil(wait))}
            return await self._refuse(asked, 429, "calls_per_second exceeded", headers)
        return await self._meet(request, wanted, asked, fate)

    async def _meet(
        self, request: web.Request, wanted: CallRequest, asked: Entry, fate: Reception
    ) -> web.Response:
        if fate == "lost_request":
            await self._note(asked, None)
            return _hang_up_on(request)
        if fate not in _PLACED:
            return await self._refuse(asked, *_REFUSALS[fate])
        if self.behaviour.idempotent and (first := self._book.first(wanted.call_id)):
            await self._note(first.parties, 201)
            return _accepted(first.carrier_call_id)
        return await self._place(request, wanted, fate)

    async def _place(
        self, request: web.Request, wanted: CallRequest, fate: Reception
    ) -> web.Response:
        behaviour = self.behaviour
        status = None if fate == "lost_response" else 201
        recordings = f"http://{request.host}/recordings"
        live = self._network.place(wanted, behaviour, recordings, status)
        await self._ledger.durable(live.seq)
        self._network.connect(live)
        if fate == "lost_response":
            return _hang_up_on(request)
        if fate == "slow":
            await asyncio.sleep(behaviour.faults.slow_seconds)
        return _accepted(live.call.carrier_call_id)

    async def _refuse(
        self, asked: Entry, status: int, why: str, headers: dict[str, str] | None = None
    ) -> web.Response:
        await self._note(asked, status)
        return web.json_response({"reason": why}, status=status, headers=headers)

    async def _note(self, asked: Entry, status: int | None) -> None:
        """Remember a request that places no new call."""
        said = {"carrier_call_id": None, **asked, "accepted": False, "status": status}
        entry = self._ledger.append("request", said)
        await self._ledger.durable(entry["seq"])


def _accepted(carrier_call_id: str) -> web.Response:
    body = f'{{"carrier_call_id":"{carrier_call_id}"}}'
    return web.Response(body=body.encode(), status=201, content_type=_JSON)


def _hang_up_on(request: web.Request) -> web.Response:
    """Close the connection; the response that has to be returned reaches nobody."""
    if request.transport is not None:
        request.transport.close()
    return web.Response()


def _legible(body: bytes) -> Entry:
    """What can be read of a request that was malformed, for the ledger."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = {}
    fields = said if isinstance(said, dict) else {}
    names = ("call_id", "to", "from")
    return {name: v if isinstance(v := fields.get(name), str) else None for name in names}
