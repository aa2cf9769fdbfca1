"""The only place where the parts of the network are put together, and its HTTP surface."""

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import aiohttp
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel, ValidationError

from simulator.behaviour import Behaviour
from simulator.callbacks import Callbacks
from simulator.calls import CallBook
from simulator.conversation import recording
from simulator.ledger import Ledger, LedgerError
from simulator.network import Network
from simulator.reception import FrontDesk
from simulator.wire import CallQuery, LedgerQuery, reason

DESK = web.AppKey("DESK", FrontDesk)
LEDGER = web.AppKey("LEDGER", Ledger)
BOOK = web.AppKey("BOOK", CallBook)
NETWORK = web.AppKey("NETWORK", Network)

_MOST_CALLBACKS_AT_ONCE = 256
_CALLBACK_TIMEOUT = aiohttp.ClientTimeout(total=10)
Q = TypeVar("Q", bound=BaseModel)
log = structlog.get_logger()


def build_app(
    ledger: Path,
    behaviour: Behaviour,
    fsync: Callable[[int], None] = os.fsync,
    on_broken_ledger: Callable[[], object] = lambda: None,
) -> web.Application:
    async def running(app: web.Application) -> AsyncIterator[None]:
        app[LEDGER] = paper = Ledger(ledger, fsync, on_broken_ledger)
        app[BOOK] = book = CallBook()
        last_seen = ""
        for entry in paper.load():
            book.apply(entry)
            last_seen = entry["at"]
        connector = aiohttp.TCPConnector(limit=_MOST_CALLBACKS_AT_ONCE)
        async with aiohttp.ClientSession(
            connector=connector, timeout=_CALLBACK_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar()
        ) as session:
            callbacks = Callbacks(session, paper)
            app[NETWORK] = network = Network(paper, book, callbacks)
            app[DESK] = FrontDesk(paper, book, network, behaviour)
            lost = network.lose_unfinished(last_seen)
            log.info("network_up", entries=paper.seq, lost_calls=lost)
            yield
            network.stop()
            await callbacks.close()
            await paper.close()

    app = web.Application(middlewares=[_said_plainly])
    app.cleanup_ctx.append(running)
    app.add_routes(
        [
            web.post("/calls", _create),
            web.get("/calls", _find),
            web.post("/calls/{carrier_call_id}/hangup", _hang_up),
            web.get("/recordings/{name}", _recording),
            web.get("/ledger", _read_ledger),
            web.get("/behaviour", _behaviour),
            web.put("/behaviour", _behave),
            web.get("/healthz", _health),
        ]
    )
    return app


@web.middleware
async def _said_plainly(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except ValidationError as error:
        return web.json_response({"reason": reason(error)}, status=400)
    except LedgerError as error:
        # To a POST 503 would say that it had no effect: what is written and not synced may stand.
        status = 503 if request.method == "GET" else 500
        return web.json_response({"reason": str(error)}, status=status)


async def _create(request: web.Request) -> web.Response:
    return await request.app[DESK].create(request)


async def _find(request: web.Request) -> web.Response:
    query = _query(CallQuery, request)
    found = request.app[BOOK].find(
        call_id=query.call_id, to=query.to, from_number=query.from_number, since=query.since
    )
    views = [call.view() for call in found]
    await request.app[LEDGER].durable(request.app[LEDGER].seq)  # the book is ahead of the disk
    return web.json_response({"data": views})


async def _hang_up(request: web.Request) -> web.Response:
    call = request.app[NETWORK].hang_up(request.match_info["carrier_call_id"])
    if call is None:
        return web.json_response({"reason": "no such call"}, status=404)
    await request.app[LEDGER].durable(request.app[LEDGER].seq)
    return web.json_response(call.view())


async def _recording(_request: web.Request) -> web.Response:
    return web.Response(body=recording(), content_type="audio/wav")


async def _read_ledger(request: web.Request) -> web.StreamResponse:
    after = _query(LedgerQuery, request).after
    answer = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await answer.prepare(request)
    async for lines in request.app[LEDGER].read(after):
        await answer.write(lines)
    return answer


async def _behaviour(request: web.Request) -> web.Response:
    return _shown(request.app[DESK].behaviour)


async def _behave(request: web.Request) -> web.Response:
    desk = request.app[DESK]
    desk.behaviour = Behaviour.model_validate_json(await request.read())
    return _shown(desk.behaviour)


async def _health(request: web.Request) -> web.Response:
    healthy = request.app[LEDGER].healthy
    body = {"status": "ok" if healthy else "ledger_broken", "live": request.app[NETWORK].live}
    return web.json_response(body, status=200 if healthy else 503)


def _shown(model: BaseModel) -> web.Response:
    return web.Response(body=model.model_dump_json().encode(), content_type="application/json")


def _query(model: type[Q], request: web.Request) -> Q:
    return model.model_validate(dict(request.query))
