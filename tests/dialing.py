"""Dialers alone, as processes, between a real log and a phone network whose ledger judges them.

The test plays ingest and scheduler: it publishes batches and grants, and reads what dialers say.
"""

import asyncio
import base64
import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import aiohttp
import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis.producer import Producer
from chassis.topics import ensure_topics
from chassis.vault import PostgresVault, pepper_scope
from contracts.batches import Addition, BatchCreated
from contracts.calendar import Window
from contracts.calls import CallCompleted, CallPlacing, CallReturned
from contracts.codec import decode
from contracts.directory import SuppressionAdded
from contracts.dispatch import RecipientQueued
from contracts.event import Event
from contracts.ids import addition_id_of, command_id_of
from contracts.sealed import Seal, digest_of
from contracts.topics import CALLS, CONVERSATIONS, GATES
from tests.conftest import DatabaseFactory
from tests.dialer_story import ACCOUNT, Batch, grant_of, now
from tests.processes import DEADLINE, Process, free_port

KEY = base64.b64encode(bytes(range(32))).decode()
HASTE = {
    "ROLLCALL_UNKNOWN_HORIZON_SECONDS": "4",
    "ROLLCALL_SILENCE_SECONDS": "1",
    "ROLLCALL_SEND_WITHIN_SECONDS": "2",
    "ROLLCALL_OVERDUE_AFTER_SECONDS": "0.5",
    "ROLLCALL_REQUEST_TIMEOUT_SECONDS": "2",
    "ROLLCALL_LOG_LEVEL": "info",
}
"""The waits of a production dialer, shortened."""
WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
"""Sessions that wait for another's lock."""
INSTANT = {"ring_seconds": 0, "talk_seconds": 0, "outcomes": {"answered": 1}}
Json = dict[str, Any]
E = TypeVar("E", bound=Event)


@dataclass
class Dialing:
    kafka: str
    prefix: str
    dsn: str
    vault_dsn: str
    folder: Path
    http: aiohttp.ClientSession
    producer: Producer
    vault: PostgresVault
    phones: Process | None = None
    processes: list[Process] = field(default_factory=list)
    said: list[Event] = field(default_factory=list)
    said_at: dict[UUID, datetime] = field(default_factory=dict)
    """When the log had the announcement of a call."""
    port_of_phones: int = field(default_factory=free_port)

    async def start_phones(self, **behaviour: Any) -> None:
        self.phones = await self.start(
            "simulator",
            self.port_of_phones,
            {
                "ROLLCALL_LEDGER": str(self.folder / "ledger"),
                "ROLLCALL_BEHAVIOUR": json.dumps(INSTANT | behaviour),
            },
            "/healthz",
        )

    async def start_dialer(self, module: str = "services.dialer", **more: str) -> Process:
        port = free_port()
        environment = HASTE | {
            "ROLLCALL_KAFKA": self.kafka,
            "ROLLCALL_TOPIC_PREFIX": self.prefix,
            "ROLLCALL_POSTGRES_DSN": self.dsn,
            "ROLLCALL_VAULT_DSN": self.vault_dsn,
            "ROLLCALL_KEY_ENCRYPTION_KEY": KEY,
            "ROLLCALL_CARRIER_URL": f"http://127.0.0.1:{self.port_of_phones}",
            "ROLLCALL_CALLBACK_URL": f"http://127.0.0.1:{port}",
        }
        return await self.start(module, port, environment | more, "/readyz")

    async def start(
        self, module: str, port: int, environment: Mapping[str, str], ready: str
    ) -> Process:
        output = self.folder / f"{module}-{port}.log"
        own = {"ROLLCALL_HTTP_HOST": "127.0.0.1", "ROLLCALL_HTTP_PORT": str(port)}
        with output.open("ab") as log:
            child = await asyncio.create_subprocess_exec(
                sys.executable, "-m", module, env={**os.environ, **own, **environment},
                stdout=log, stderr=log,
            )  # fmt: skip
        process = Process(child, f"http://127.0.0.1:{port}", output)
        self.processes.append(process)
        await until(lambda: self._answers(process, ready), output.read_text)
        return process

    async def _answers(self, process: Process, path: str) -> bool:
        if process.child.returncode is not None:
            raise AssertionError(f"it ended: {process.output.read_text()}")
        try:
            async with self.http.get(process.url + path) as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def behave(self, **behaviour: Any) -> None:
        url = f"http://127.0.0.1:{self.port_of_phones}/behaviour"
        async with self.http.put(url, json=INSTANT | behaviour) as answer:
            assert answer.status == 200, await answer.text()

    async def ledger(self) -> list[Json]:
        url = f"http://127.0.0.1:{self.port_of_phones}/ledger"
        async with self.http.get(url) as answer:
            return [json.loads(line) for line in (await answer.read()).splitlines()]

    async def batch(self) -> Batch:
        batch_id = uuid4()
        scope = f"batch:{batch_id}"
        seal = Seal(await self.vault.create(scope), scope)
        created = BatchCreated(
            account_id=ACCOUNT, at=now(), batch_id=batch_id, command_no=1,
            command_id=command_id_of(batch_id, 1), actor="test", name=seal.close("A batch"),
            agent_id="agent", from_number="+12025550100",
            window=Window(start="00:00", end="24:00", days=("mon",), timezone="Europe/Paris"),
            addition=Addition(addition_id=addition_id_of(batch_id, 1), chunks=1, recipients=1),
        )  # fmt: skip
        await self.producer.publish([created], writer="ingest")
        return Batch(batch_id, seal, created)

    def grants(self, batch: Batch, numbers: Sequence[str], **more: Any) -> list[RecipientQueued]:
        return [grant_of(batch, row, number, **more) for row, number in enumerate(numbers, 1)]

    async def grant(self, batch: Batch, numbers: Sequence[str], **more: Any) -> list[UUID]:
        granted = self.grants(batch, numbers, **more)
        await self.publish(granted)
        return [event.call_id for event in granted]

    async def publish(self, events: Sequence[Event], writer: str = "scheduler") -> None:
        await self.producer.publish(events, writer=writer, within=DEADLINE)

    async def suppress(self, number: str) -> None:
        digest = digest_of(await self.vault.create(pepper_scope(ACCOUNT)), number)
        event = SuppressionAdded(
            account_id=ACCOUNT, at=now(), version=1, actor="test", digest=digest, source="test"
        )
        await self.publish([event], writer="ingest")

    def of(self, kind: type[E], call_id: UUID | None = None) -> list[E]:
        return [
            event
            for event in self.said
            if isinstance(event, kind)
            and (call_id is None or getattr(event, "call_id", None) == call_id)
        ]

    def ended(self) -> dict[UUID, CallCompleted]:
        """The newest word on each call that is over."""
        return {event.call_id: event for event in self.of(CallCompleted)}

    def over(self) -> set[UUID]:
        return set(self.ended()) | {event.call_id for event in self.of(CallReturned)}

    async def until_over(self, calls: Sequence[UUID], within: float = DEADLINE) -> None:
        await until(lambda: set(calls) <= self.over(), self.story, within=within)

    def story(self) -> str:
        tails = [p.output.read_text()[-3000:] for p in self.processes if "dialer" in p.output.name]
        return "\n".join([*(f"{type(e).__name__} {e}" for e in self.said[-40:]), *tails])

    async def sql(self, query: str, *values: object) -> list[asyncpg.Record]:
        conn = await asyncpg.connect(self.dsn)
        try:
            return await conn.fetch(query, *values)
        finally:
            await conn.close()

    async def judge(self) -> list[Json]:
        """By the ledger: at most one request a call, no ring that the log had not announced."""
        ledger = await self.ledger()
        requests = Counter(e["call_id"] for e in ledger if e["kind"] == "request")
        assert [c for c, times in requests.items() if times > 1] == [], "requested twice"
        rings = Counter(e["to"] for e in ledger if e["kind"] == "ring")
        assert [n for n, times in rings.items() if times > 1] == [], "rung twice"
        for entry in ledger:
            if entry["kind"] in ("request", "ring"):
                await until(lambda: UUID(entry["call_id"]) in self.said_at, self.story)  # noqa: B023
                at = datetime.fromisoformat(entry["at"])
                assert self.said_at[UUID(entry["call_id"])] <= at, "not announced before"
        return ledger


async def until(
    condition: Callable[[], Any], story: Callable[[], str] = str, within: float = DEADLINE
) -> None:
    """Waits for a condition, plain or awaitable, and tells the story if it never comes."""
    try:
        async with asyncio.timeout(within):
            while True:
                met = condition()
                if asyncio.iscoroutine(met):
                    met = await met
                if met:
                    return
                await asyncio.sleep(0.02)  # the pause of a poll under a deadline
    except TimeoutError:
        raise AssertionError(f"it never came\n{story()}") from None


async def _listen(house: Dialing, consumer: AIOKafkaConsumer) -> None:
    async for record in consumer:
        event = decode(record.value, record.headers)
        if isinstance(event, CallPlacing):
            at = datetime.fromtimestamp(record.timestamp / 1000, UTC)
            house.said_at.setdefault(event.call_id, at)
        house.said.append(event)


@asynccontextmanager
async def dialing(
    kafka: str, prefix: str, database: DatabaseFactory, folder: Path
) -> AsyncIterator[Dialing]:
    vault_dsn, dsn = await database(), await database()
    await ensure_topics(kafka, prefix)
    producer = Producer(kafka, prefix=prefix)
    await producer.start()
    kek = base64.b64decode(KEY)
    vault = await PostgresVault.open(vault_dsn, kek, application_name="test")
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    consumer.assign(
        [
            TopicPartition(prefix + topic.name, partition)
            for topic in (CALLS, GATES, CONVERSATIONS)
            for partition in range(topic.partitions)
        ]
    )
    async with aiohttp.ClientSession() as http:
        house = Dialing(kafka, prefix, dsn, vault_dsn, folder, http, producer, vault)
        listening = asyncio.create_task(_listen(house, consumer))
        try:
            yield house
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            for process in house.processes:
                await process.end()
            await consumer.stop()
            await vault.close()
            await producer.stop()
