"""The read side in this process, on a log that the test writes for all the other services."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import httpx2

from chassis.rebuild import Report
from chassis.service import Service, serve
from chassis.vault import batch_scope
from contracts.codec import encode
from contracts.event import Event
from contracts.sealed import Seal
from contracts.topics import TOPIC_OF
from services.projections.app import build_app
from services.projections.handlers import fold
from services.projections.rebuilding import rebuild
from services.projections.settings import ProjectionsSettings
from tests.counter import until

Json = dict[str, Any]


class ReadSide:
    def __init__(
        self, settings: ProjectionsSettings, service: Service, http: httpx2.AsyncClient
    ) -> None:
        self.settings = settings
        self.service = service
        self.http = http
        self.logged = 0

    async def seal(self, batch_id: object) -> Seal:
        return await self.service.ground.seals.create(batch_scope(batch_id))

    async def log(self, events: Sequence[Event]) -> None:
        """Says these as their own writers would."""
        records = [(TOPIC_OF[type(event)].name, encode(event, source="test")) for event in events]
        outcomes = await self.service.ground.producer.send_all(records)
        assert set(outcomes) == {None}
        self.logged += len(records)

    async def caught_up(self) -> None:
        """Until all that was logged here is folded."""
        pool = self.service.ground.pool

        async def folded() -> bool:
            read = await pool.fetchval("SELECT sum(next_offset) FROM inbox_offsets")
            return bool(read == self.logged)

        await until(folded)

    async def rebuilt(self) -> Report:
        return await rebuild(self.settings, partial(fold, keys=self.service.ground.seals))

    async def get(self, path: str, position: str | None = None, **parameters: Any) -> Json:
        headers = {} if position is None else {"Rollcall-Min-Position": position}
        answer = await self.http.get(path, params=parameters, headers=headers)
        assert answer.status_code == 200, answer.text
        body: Json = answer.json()
        return body

    async def refusal(self, path: str, **parameters: Any) -> tuple[int, str]:
        answer = await self.http.get(path, params=parameters)
        return answer.status_code, answer.json()["code"]

    async def pages(self, path: str, **parameters: Any) -> list[Json]:
        """All of a list, page by page."""
        rows: list[Json] = []
        page = await self.get(path, **parameters)
        rows += page["data"]
        while page["next_cursor"]:
            page = await self.get(path, cursor=page["next_cursor"], **parameters)
            rows += page["data"]
        return rows


@asynccontextmanager
async def read_side(kafka: str, postgres: str, **settings: Any) -> AsyncIterator[ReadSide]:
    """On databases and topics of its own."""
    async with (
        databases(postgres, 2) as (dsn, vault_dsn),
        read_side_on(kafka, dsn, vault_dsn, **settings) as side,
    ):
        yield side


@asynccontextmanager
async def databases(postgres: str, count: int) -> AsyncIterator[list[str]]:
    names = [f"t{uuid4().hex[:16]}" for _ in range(count)]
    conn = await asyncpg.connect(postgres)
    try:
        for name in names:
            await conn.execute(f'CREATE DATABASE "{name}"')
        yield [urlsplit(postgres)._replace(path=f"/{name}").geturl() for name in names]
        for name in names:
            await conn.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await conn.close()


@asynccontextmanager
async def read_side_on(
    kafka: str, dsn: str, vault_dsn: str, **settings: Any
) -> AsyncIterator[ReadSide]:
    """On databases that are there."""
    async with _served(_settings(kafka, dsn, vault_dsn, **settings)) as side:
        yield side


@asynccontextmanager
async def another(side: ReadSide) -> AsyncIterator[ReadSide]:
    """A further one on the same log and model."""
    settings = side.settings.model_copy(update={"http_port": _free_port()})
    async with _served(settings) as other:
        yield other


@asynccontextmanager
async def _served(settings: ProjectionsSettings) -> AsyncIterator[ReadSide]:
    service = await build_app(settings)
    serving = asyncio.create_task(serve(service, settings))
    url = f"http://{settings.http_host}:{settings.http_port}"
    async with httpx2.AsyncClient(base_url=url, timeout=30) as http:
        await _ready(http, serving)
        try:
            yield ReadSide(settings, service, http)
        finally:
            service.stopping.set()
            assert await serving == 0


def _settings(kafka: str, dsn: str, vault_dsn: str, **more: Any) -> ProjectionsSettings:
    return ProjectionsSettings.model_validate(
        {
            "kafka": kafka,
            "postgres_dsn": dsn,
            "vault_dsn": vault_dsn,
            "key_encryption_key": base64.b64encode(bytes(32)).decode(),
            "http_port": _free_port(),
            "topic_prefix": f"t{uuid4().hex[:10]}.",
            "visible_within_seconds": 5,
        }
        | more
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _ready(http: httpx2.AsyncClient, serving: asyncio.Task[int]) -> None:
    async with asyncio.timeout(30):
        while not serving.done():
            try:
                if (await http.get("/readyz")).status_code == 200:
                    return
            except httpx2.TransportError:
                await asyncio.sleep(0.02)
    raise AssertionError("the service ended before it was ready")
