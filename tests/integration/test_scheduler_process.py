"""The scheduler as it runs: processes between a real log and a real database, killed at will."""

import asyncio
import base64
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis.producer import Producer
from chassis.rebuild import rebuild
from chassis.records import received
from chassis.topics import ensure_topics
from contracts.calls import CallEvent
from contracts.dispatch import RecipientQueued
from contracts.event import Event
from contracts.outcomes import Outcome
from contracts.status import BatchCompleted
from contracts.topics import BATCH_STATUS, DISPATCH, Topic
from services.scheduler.rebuilding import REBUILDABLE
from tests.conftest import DatabaseFactory
from tests.scheduler_story import Story, account, ended, placing

ROOT = Path(__file__).parents[2]
SOON = 40.0


@dataclass
class House:
    kafka: str
    prefix: str
    dsn: str
    vault: str
    producer: Producer
    running: list[asyncio.subprocess.Process] = field(default_factory=list)
    seen: list[Event] = field(default_factory=list)
    seen_at: list[float] = field(default_factory=list)

    async def start(self) -> asyncio.subprocess.Process:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        environment = {
            "ROLLCALL_KAFKA": self.kafka,
            "ROLLCALL_TOPIC_PREFIX": self.prefix,
            "ROLLCALL_POSTGRES_DSN": self.dsn,
            "ROLLCALL_VAULT_DSN": self.vault,
            "ROLLCALL_KEY_ENCRYPTION_KEY": base64.b64encode(bytes(32)).decode(),
            "ROLLCALL_HTTP_PORT": str(port),
            "ROLLCALL_LOG_LEVEL": "warning",
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.scheduler", cwd=ROOT, env={**os.environ, **environment}
        )
        self.running.append(process)
        return process

    async def kill(self, process: asyncio.subprocess.Process) -> None:
        process.send_signal(signal.SIGKILL)
        await process.wait()
        self.running.remove(process)

    async def stop(self) -> None:
        for process in self.running:
            process.terminate()
        codes = [await process.wait() for process in self.running]
        assert codes == [0] * len(codes)
        self.running.clear()

    async def say(self, *events: Event) -> None:
        ours = [event for event in events if not isinstance(event, CallEvent)]
        calls = [event for event in events if isinstance(event, CallEvent)]
        await self.producer.publish(ours, writer="ingest")
        await self.producer.publish(calls, writer="dialer")

    async def listen(self, topics: Sequence[Topic]) -> None:
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka, auto_offset_reset="earliest",
                                    fetch_max_wait_ms=5)  # fmt: skip
        await consumer.start()
        consumer.assign(
            [TopicPartition(self.prefix + t.name, p) for t in topics for p in range(t.partitions)]
        )
        try:
            async for record in consumer:
                self.seen.append(received(record, self.prefix).event)
                self.seen_at.append(time.perf_counter())
        finally:
            await consumer.stop()

    async def granted(self, count: int) -> None:
        await until(lambda: len({g.call_id for g in self.grants}) >= count, f"grant {count}")

    @property
    def grants(self) -> list[RecipientQueued]:
        return [event for event in self.seen if isinstance(event, RecipientQueued)]


@asynccontextmanager
async def house(kafka: str, prefix: str, dsn: str, vault: str) -> AsyncIterator[House]:
    await ensure_topics(kafka, prefix)
    producer = Producer(kafka, prefix=prefix)
    await producer.start()
    it = House(kafka, prefix, dsn, vault, producer)
    listening = asyncio.create_task(it.listen([DISPATCH, BATCH_STATUS]))
    try:
        yield it
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        for process in list(it.running):
            await it.kill(process)
        await producer.stop()


async def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < deadline, f"not within {SOON:.0f} s: {what}"
        await asyncio.sleep(0.005)


async def play(it: House, story: Story, *, limit: int, kills: int = 0) -> None:
    """Calls end one after the other; what is granted never goes beyond the limit."""
    over = 0
    each = story.recipients // (kills + 1)
    while over < story.recipients:
        await it.granted(over + 1)
        out = {grant.call_id: grant for grant in it.grants}
        assert len(out) - over <= limit
        grant = list(out.values())[over]
        outcome = Outcome.NO_ANSWER if over % 3 else Outcome.COMPLETED
        await it.say(placing(grant), ended(grant, outcome))
        over += 1
        if kills and over % each == 0 and over < story.recipients:
            await it.kill(it.running[over // each % len(it.running)])
            await it.start()


@pytest.fixture
async def alone(kafka: str, database: DatabaseFactory, topic_prefix: str) -> AsyncIterator[House]:
    async with house(kafka, topic_prefix, await database(), await database()) as it:
        yield it


@pytest.mark.chaos
async def test_a_batch_is_called_to_its_end_through_kills_and_the_log_rebuilds_its_state(
    alone: House,
) -> None:
    story = Story(recipients=45, chunks=3)
    await alone.start()
    await alone.start()
    await alone.say(*story.all_chunks(), account(4), story.created())
    await play(alone, story, limit=4, kills=2)
    await until(lambda: any(isinstance(e, BatchCompleted) for e in alone.seen), "the end")
    assert len({grant.recipient_id for grant in alone.grants}) == story.recipients
    assert {grant.grant_no for grant in alone.grants} == {1}
    await alone.stop()
    report = await rebuild(alone.dsn, alone.kafka, alone.prefix, REBUILDABLE)
    assert report.equal, report.tables
    assert report.records > 2 * story.recipients


@pytest.mark.chaos
async def test_a_lost_database_is_read_up_again_before_anything_is_decided(
    alone: House, database: DatabaseFactory
) -> None:
    story = Story(recipients=12)
    first = await alone.start()
    await alone.say(account(3), story.created(), story.chunk())
    await alone.granted(3)
    await alone.kill(first)
    alone.dsn = await database()
    await alone.say(*(e for g in alone.grants[:2] for e in (placing(g), ended(g))))
    await alone.start()
    await alone.granted(5)
    assert len({grant.recipient_id for grant in alone.grants}) == 5
    assert {grant.grant_no for grant in alone.grants} == {1}
    await alone.stop()
    assert len(alone.grants) == 5


@pytest.mark.bench
async def test_a_freed_slot_is_granted_anew_within_milliseconds(alone: House) -> None:
    story = Story(recipients=220)
    await alone.start()
    await alone.say(account(1), story.created(), story.chunk())
    waits = []
    for n in range(200):
        await alone.granted(n + 1)
        since = time.perf_counter()
        await alone.say(ended(alone.grants[n]))
        await alone.granted(n + 2)
        waits.append(alone.seen_at[-1] - since)
    waits.sort()
    print(f"end to grant: p50 {waits[100] * 1000:.1f} ms, p95 {waits[190] * 1000:.1f} ms")
    assert len(waits) == 200
