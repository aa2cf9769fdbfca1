"""A simulator in this process and a receiver of its callbacks, judged by the ledger."""

import asyncio
import json
import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from simulator.behaviour import Behaviour
from simulator.server import build_app

DEADLINE = 20.0
Json = dict[str, Any]


class SlowDisk:
    """An fsync that, once stalled, is not done before it is let go."""

    def __init__(self) -> None:
        self.count = 0
        self._entered, self._let = threading.Event(), threading.Event()
        self._let.set()

    def __call__(self, _file: int) -> None:
        self.count += 1
        self._entered.set()
        assert self._let.wait(DEADLINE)

    def stall(self) -> None:
        self._entered.clear()
        self._let.clear()

    async def busy(self) -> None:
        assert await asyncio.to_thread(self._entered.wait, DEADLINE)

    def let_go(self) -> None:
        self._let.set()


@asynccontextmanager
async def serving(app: web.Application, port: int = 0) -> AsyncIterator[str]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@dataclass
class Receiver:
    """Remembers callbacks in the order they came; the first answers may be told to fail."""

    url: str = ""
    got: list[Json] = field(default_factory=list)
    failing: list[int] = field(default_factory=list)
    _came: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def receive(self, request: web.Request) -> web.Response:
        body = await request.json()
        if self.failing:
            return web.Response(status=self.failing.pop(0))
        async with self._came:
            self.got.append(body)
            self._came.notify_all()
        return web.Response(status=204)

    def app(self) -> web.Application:
        receiving = web.Application()
        receiving.router.add_post("/", self.receive)
        return receiving

    async def until(self, enough: Callable[[list[Json]], bool]) -> list[Json]:
        async with asyncio.timeout(DEADLINE), self._came:
            await self._came.wait_for(lambda: enough(self.got))
        return self.got

    async def events(self, count: int) -> list[str]:
        got = await self.until(lambda got: len(got) >= count)
        return [body["event"] for body in got]


@dataclass
class Phones:
    """The network as its customers see it."""

    url: str
    session: aiohttp.ClientSession
    callbacks: Receiver

    def wanted(self, call_id: str, /, **changed: Any) -> Json:
        return {
            "call_id": call_id,
            "to": "+12025550001",
            "from": "+12025551000",
            "agent_id": "agent",
            "callback_url": self.callbacks.url,
            "variables": {"name": "Ann", "due_date": "Monday"},
            "max_duration": 600,
            **changed,
        }

    async def call(self, call_id: str, /, **changed: Any) -> tuple[int, Json]:
        return await self.post("/calls", self.wanted(call_id, **changed))

    async def post(self, path: str, body: Any = None) -> tuple[int, Json]:
        async with self.session.post(self.url + path, json=body) as answer:
            return answer.status, await answer.json()

    async def get(self, path: str, **query: str) -> tuple[int, Json]:
        async with self.session.get(self.url + path, params=query) as answer:
            return answer.status, await answer.json()

    async def behave(self, **behaviour: Any) -> tuple[int, Json]:
        async with self.session.put(self.url + "/behaviour", json=behaviour) as answer:
            return answer.status, await answer.json()

    async def calls(self, **query: str) -> list[Json]:
        _, answer = await self.get("/calls", **query)
        found: list[Json] = answer["data"]
        return found

    async def ledger(self, after: int = 0) -> list[Json]:
        async with self.session.get(f"{self.url}/ledger?after={after}") as answer:
            return [json.loads(line) for line in (await answer.read()).splitlines()]

    async def kinds(self, call_id: str) -> list[str]:
        return [entry["kind"] for entry in await self.ledger() if entry["call_id"] == call_id]


@asynccontextmanager
async def phone_network(
    ledger: Path, fsync: Callable[[int], None] = os.fsync, **behaviour: Any
) -> AsyncIterator[Phones]:
    """A network that rings and talks for no time unless told, and a receiver of its callbacks."""
    at_once = {"ring_seconds": 0, "talk_seconds": 0, "outcomes": {"answered": 1}}
    callbacks = Receiver()
    wished = Behaviour.model_validate_json(json.dumps({**at_once, **behaviour}))
    async with (
        serving(callbacks.app()) as callback_url,
        serving(build_app(ledger, wished, fsync)) as url,
        aiohttp.ClientSession() as session,
    ):
        callbacks.url = callback_url
        yield Phones(url, session, callbacks)
