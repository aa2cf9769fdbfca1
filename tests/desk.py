"""Ingest in this process, on a log and databases of its own, and the log as others read it."""

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import httpx2
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis.service import Service, serve
from contracts.codec import decode
from contracts.directory import AgentRegistered, DirectoryEvent, PhoneNumberRegistered
from contracts.event import Event
from contracts.topics import BATCHES, DIRECTORY, RECIPIENTS
from services.ingest.app import build_app
from services.ingest.directory import Directory
from services.ingest.settings import IngestSettings
from services.ingest.uploading.workers import Workers
from tests.conftest import DatabaseFactory
from tests.counter import until

E = TypeVar("E", bound=Event)
Json = dict[str, Any]

ALWAYS: Json = {
    "start": "00:00",
    "end": "24:00",
    "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    "timezone": "UTC",
}
AGENT, CALLER = "reminders", "+442079460000"
KEK = base64.b64encode(bytes(range(32))).decode()
NO_ROWS_LEFT = """
    SELECT NOT EXISTS (SELECT FROM upload_chunks) AND NOT EXISTS (SELECT FROM upload_rejections)
        AND NOT EXISTS (SELECT FROM uploads)
"""


def _as_it_is(
    event: DirectoryEvent, _known: DirectoryEvent | None, _now: datetime
) -> DirectoryEvent:
    return event


def recipients(count: int) -> list[Json]:
    return [{"phone_number": f"+1202555{1000 + n}", "name": f"Person {n}"} for n in range(count)]


def a_batch(**changes: Any) -> Json:
    return {"name": "Reminders", "agent_id": AGENT, "window": ALWAYS} | changes


def csv_of(count: int) -> bytes:
    lines = [f"+1202{2000000 + n},Person {n},{n}" for n in range(count)]
    return "\n".join(["phone_number,name,order", *lines]).encode()


async def registered(directory: Directory) -> None:
    """What a batch may name, without HTTP."""
    said: Json = {"account_id": "default", "at": datetime.now(UTC), "version": 1, "actor": "test"}
    await directory.ensure_account("default")
    for event in (
        PhoneNumberRegistered(**said, phone_number=CALLER, outbound=True),
        AgentRegistered(**said, agent_id=AGENT, name="Ann", phone_number=CALLER, active=True),
    ):
        await directory.write(event.key, partial(_as_it_is, event))


class Desk:
    def __init__(
        self, settings: IngestSettings, service: Service, http: httpx2.AsyncClient
    ) -> None:
        self.settings = settings
        self.service = service
        self.http = http

    @property
    def pool(self) -> Any:
        return self.service.ground.pool

    async def with_directory(self) -> None:
        await self.http.put(f"/v1/phone-numbers/{CALLER}", json={"outbound": True})
        agent = {"name": "Reminders", "phone_number": CALLER}
        assert (await self.http.put(f"/v1/agents/{AGENT}", json=agent)).status_code == 200

    async def post(self, body: Json, key: str | None = None) -> httpx2.Response:
        return await self.http.post("/v1/batches", json=body, headers=_key(key))

    async def send(self, body: Json, file: bytes, key: str | None = None) -> httpx2.Response:
        """Multipart, with a boundary of its own each time."""
        parts: Json = {"batch": (None, json.dumps(body)), "file": ("list.csv", file, "text/csv")}
        return await self.http.post("/v1/batches", files=parts, headers=_key(key))

    async def log_of(self, kind: type[E], least: int = 1) -> list[E]:
        """All events of a kind, once there are at least so many."""
        async with asyncio.timeout(30):
            while True:
                found = [event for event in await self.log() if isinstance(event, kind)]
                if len(found) >= least:
                    return found

    async def swept(self) -> None:
        """Until no row of any upload is left."""
        await until(lambda: self.pool.fetchval(NO_ROWS_LEFT))

    async def log(self) -> list[Event]:
        return await read_log(self.settings.kafka, self.settings.topic_prefix)


def _key(key: str | None) -> dict[str, str]:
    return {} if key is None else {"Idempotency-Key": key}


async def read_log(kafka: str, prefix: str) -> list[Event]:
    """What ingest has said so far."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [
            TopicPartition(prefix + topic.name, number)
            for topic in (DIRECTORY, BATCHES, RECIPIENTS)
            for number in range(topic.partitions)
        ]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        events: list[Event] = []
        while await _behind(consumer, ends):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                events += [decode(record.value, record.headers) for record in records]
        return events
    finally:
        await consumer.stop()


async def _behind(consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> bool:
    return any([await consumer.position(place) < end for place, end in ends.items()])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def settings_for(kafka: str, database: DatabaseFactory, prefix: str) -> IngestSettings:
    return IngestSettings.model_validate(
        {
            "kafka": kafka,
            "postgres_dsn": await database(),
            "vault_dsn": await database(),
            "key_encryption_key": KEK,
            "http_port": _free_port(),
            "topic_prefix": prefix,
            "workers": 1,
        }
    )


@asynccontextmanager
async def open_desk(settings: IngestSettings) -> AsyncIterator[Desk]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Workers, "stand_by", _later)
        service = await build_app(settings)
    serving = asyncio.create_task(serve(service, settings))
    url = f"http://{settings.http_host}:{settings.http_port}"
    async with httpx2.AsyncClient(base_url=url, timeout=60) as http:
        await _ready(http, serving)
        try:
            yield Desk(settings, service, http)
        finally:
            service.stopping.set()
            assert await serving == 0


async def _later(_workers: Workers) -> None:
    """The process for long lists costs a second: it is started when one comes."""
    await asyncio.Event().wait()


async def _ready(http: httpx2.AsyncClient, serving: asyncio.Task[int]) -> None:
    async with asyncio.timeout(30):
        while not serving.done():
            try:
                if (await http.get("/readyz")).status_code == 200:
                    return
            except httpx2.TransportError:
                await asyncio.sleep(0.02)
    raise AssertionError("the service ended before it was ready")


def codes(response: httpx2.Response) -> Sequence[str]:
    return [error["code"] for error in response.json().get("errors", [])]
