"""The read side fed with a log of calls: how fast, beside a loop that only decodes; how late."""

import asyncio
import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
import httpx2
import uvloop

from chassis.postgres import Connection
from chassis.producer import Producer
from chassis.topics import ensure_topics
from chassis.vault import PostgresVault, Seals, batch_scope
from contracts.codec import encode
from contracts.event import Event
from contracts.topics import TOPIC_OF, TOPICS
from tests.bench.decoding import decoded_per_second
from tests.bench.figure import Figure, Goal, percentile
from tests.bench.sizes import Size
from tests.bench.told_calls import Told
from tests.house import ROOT, House
from tests.processes import free_port
from tests.read_side import databases

BATCHES = 20
AT_ONCE = 2000
TALK = 5
"""One in so many calls has a conversation."""
PER_SECOND = 500
TICK = 0.02
LOOK_EVERY = 0.01
KEK = bytes(32)


def measure(house: House, size: Size) -> list[Figure]:
    return uvloop.run(_measure(house, size))


async def _measure(house: House, size: Size) -> list[Figure]:
    async with databases(house.endpoints["postgres"], 2) as (dsn, vault_dsn):
        side = _Side(house, dsn, vault_dsn)
        await side.write(size.told_people)
        bare = [await decoded_per_second(side.kafka, TOPICS, side.prefix)]
        async with side.serving() as began:
            live = side.logged / await side.caught_up(began)
            rebuilt = await side.rebuilt_per_second()
            bare.append(await decoded_per_second(side.kafka, TOPICS, side.prefix))
            lags = await side.lags(size.told_seconds)
    beside, reference = "bare loop that reads and decodes the same topics", sum(bare) / 2
    goal = Goal(at_least=0.4, of_ratio=True)
    late = f"{PER_SECOND} calls end a second", float(PER_SECOND)
    return [
        Figure("applied live, start included", live, "events/s", reference, beside),
        Figure("rebuilt and compared", rebuilt, "events/s", reference, beside, goal),
        *(
            Figure(f"CallCompleted to visible, p{share * 100:g}", 1000 * percentile(lags, share),
                   "ms", late[1], late[0], Goal(at_most=500) if share > 0.9 else None)
            for share in (0.5, 0.99)
        ),
    ]  # fmt: skip


class _Side:
    """Projections on topics of their own, that nobody else reads."""

    def __init__(self, house: House, dsn: str, vault_dsn: str) -> None:
        self.kafka = house.endpoints["kafka"]
        self.dsn, self.vault_dsn = dsn, vault_dsn
        self.prefix = f"b{uuid4().hex[:8]}."
        self.port = free_port()
        self.logged = 0

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "ROLLCALL_KAFKA": self.kafka,
            "ROLLCALL_POSTGRES_DSN": self.dsn,
            "ROLLCALL_VAULT_DSN": self.vault_dsn,
            "ROLLCALL_KEY_ENCRYPTION_KEY": base64.b64encode(KEK).decode(),
            "ROLLCALL_HTTP_PORT": str(self.port),
            "ROLLCALL_TOPIC_PREFIX": self.prefix,
            "ROLLCALL_LOG_LEVEL": "warning",
        }

    async def write(self, people: int) -> None:
        await ensure_topics(self.kafka, self.prefix)
        async with self.producing() as producer:
            for _ in range(BATCHES):
                told = await self.batch(people // BATCHES)
                await self.say(producer, told.created())
                everyone = range(people // BATCHES)
                for first in range(0, len(everyone), AT_ONCE):
                    some = everyone[first : first + AT_ONCE]
                    await self.say(producer, [*told.rung(some), *told.ended(some)])
                await self.say(producer, list(told.talked(everyone[::TALK])))

    async def batch(self, people: int) -> Told:
        vault = await PostgresVault.open(self.vault_dsn, KEK, application_name="bench")
        try:
            batch_id = uuid4()
            seal = await Seals(vault).create(batch_scope(batch_id))
            return Told(seal, people, batch_id)
        finally:
            await vault.close()

    @asynccontextmanager
    async def producing(self) -> AsyncIterator[Producer]:
        producer = Producer(self.kafka, prefix=self.prefix)
        await producer.start()
        try:
            yield producer
        finally:
            await producer.stop()

    async def say(self, producer: Producer, events: Sequence[Event]) -> None:
        records = [(TOPIC_OF[type(event)].name, encode(event, source="bench")) for event in events]
        outcomes = await producer.send_all(records)
        if set(outcomes) != {None}:
            raise AssertionError(outcomes)
        self.logged += len(records)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[float]:
        began = time.monotonic()
        process = subprocess.Popen(  # noqa: ASYNC220 - it returns at once
            [sys.executable, "-m", "services.projections"],
            cwd=ROOT, env=self.environment, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            yield began
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait, 30)

    async def caught_up(self, since: float) -> float:
        conn = await asyncpg.connect(self.dsn)
        try:
            async with asyncio.timeout(600):
                while await _applied(conn) < self.logged:  # noqa: ASYNC110 - another process
                    await asyncio.sleep(LOOK_EVERY)
        finally:
            await conn.close()
        return time.monotonic() - since

    async def rebuilt_per_second(self) -> float:
        """As a person types it, in a process of its own; the start of Python counts."""
        began = time.monotonic()
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "cli", "rebuild", "projections", "--json"],
            cwd=ROOT, env=self.environment, check=True, stdout=subprocess.PIPE,
        )  # fmt: skip
        seconds = time.monotonic() - began
        report = json.loads(done.stdout)["services"]["projections"]
        if not report["equal"]:
            raise AssertionError(f"what was rebuilt is another: {report}")
        return float(report["records"]) / seconds

    async def lags(self, seconds: float) -> list[float]:
        """From each call's end to the read that counts it."""
        told = await self.batch(int(seconds * PER_SECOND))
        said: list[float] = []
        async with self.producing() as producer:
            everyone = range(int(seconds * PER_SECOND))
            await self.say(producer, [*told.created(), *told.rung(everyone)])
            await self.caught_up(0)
            watching = asyncio.create_task(self._watched(told, len(everyone)))
            step = int(PER_SECOND * TICK)
            begun = time.time()
            for first in everyone[::step]:
                await asyncio.sleep(max(0, begun + first / PER_SECOND - time.time()))
                ended = list(told.ended(everyone[first : first + step]))
                said += [event.at.timestamp() for event in ended]
                await self.say(producer, ended)
        seen = await watching
        return [max(0.0, at - when) for at, when in zip(seen, said, strict=True)]

    async def _watched(self, told: Told, people: int) -> list[float]:
        """When the first was counted, the second, and so on."""
        seen: list[float] = []
        url = f"http://127.0.0.1:{self.port}/v1/batches/{told.batch_id}"
        async with httpx2.AsyncClient(timeout=30) as http, asyncio.timeout(600):
            while len(seen) < people:
                answer = await http.get(url)
                counted = answer.raise_for_status().json()["recipients"]["completed"]
                seen += [time.time()] * (counted - len(seen))
                await asyncio.sleep(LOOK_EVERY)
        return seen


async def _applied(conn: Connection) -> int:
    try:
        return int(await conn.fetchval("SELECT coalesce(sum(next_offset), 0) FROM inbox_offsets"))
    except asyncpg.UndefinedTableError:
        return 0
