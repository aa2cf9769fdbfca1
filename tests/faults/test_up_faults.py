"""Whatever is killed: nothing is left behind, nothing is lost, and what should run runs again."""

import signal
from pathlib import Path

import asyncpg
import httpx2
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from tests.running_up import Up, eventually, is_gone, running_up, until

TOPIC = "kept"


def test_a_supervisor_killed_outright_leaves_nothing_running(tmp_path: Path) -> None:
    up = Up(tmp_path / "data")
    up.until_ready()
    children = up.descendants()
    up.end(signal.SIGKILL)
    until(lambda: all(is_gone(child) for child in children), "the children are gone")


@pytest.mark.chaos
@pytest.mark.parametrize("moment", ["the database is being made", "Kafka is starting"])
def test_stopped_in_the_middle_of_a_start_it_leaves_nothing(tmp_path: Path, moment: str) -> None:
    sign = {"the database is being made": "postgres", "Kafka is starting": "logs/postgres.log"}
    up = Up(tmp_path / "data")
    until((tmp_path / "data" / sign[moment]).exists, moment)
    children = up.descendants()
    code, _, _ = up.end(signal.SIGTERM)
    assert code == 0
    until(lambda: all(is_gone(child) for child in children), "the children are gone")
    with running_up(tmp_path / "data") as again:
        again.until_ready()


@pytest.mark.chaos
async def test_after_everything_was_killed_the_next_start_carries_on(tmp_path: Path) -> None:
    up = Up(tmp_path / "data")
    endpoints = up.until_ready()
    await _write(endpoints["databases"]["ingest"], endpoints["kafka"])
    up.kill_everything()
    with running_up(tmp_path / "data") as again:
        endpoints = again.until_ready()
        assert await _read(endpoints["databases"]["ingest"], endpoints["kafka"]) == (1, b"kept")


@pytest.mark.parametrize(
    "name",
    [
        "ingest",
        pytest.param("kafka", marks=pytest.mark.chaos),
        pytest.param("postgres", marks=pytest.mark.chaos),
    ],
)
async def test_a_part_that_is_killed_is_started_again(tmp_path: Path, name: str) -> None:
    with running_up(tmp_path / "data") as up:
        endpoints = up.until_ready()
        await _write(endpoints["databases"]["ingest"], endpoints["kafka"])
        before = endpoints["pids"][name]
        psutil.Process(before).kill()
        until(lambda: bool(up.endpoints["pids"][name] != before), f"{name} has a new pid")
        until(lambda: _answers(endpoints["ingest"]), "ingest answers")
        dsn, kafka = endpoints["databases"]["ingest"], endpoints["kafka"]
        assert await _read(dsn, kafka) == (1, b"kept")


async def _write(dsn: str, kafka: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute("CREATE TABLE kept AS SELECT 1 AS number")
    await connection.close()
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, num_partitions=1, replication_factor=1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all") as producer:
        await producer.send_and_wait(TOPIC, b"kept")


async def _read(dsn: str, kafka: str) -> tuple[int, bytes]:
    """Waits for both, which may just be starting again."""
    row = await eventually(lambda: _row(dsn), OSError, asyncpg.PostgresError)
    return row, await eventually(lambda: _record(kafka), KafkaError)


async def _row(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    number: int = await connection.fetchval("SELECT number FROM kept")
    await connection.close()
    return number


async def _record(kafka: str) -> bytes:
    consumer = AIOKafkaConsumer(TOPIC, bootstrap_servers=kafka, auto_offset_reset="earliest")
    try:
        await consumer.start()
        value: bytes = (await consumer.getone()).value
    finally:
        await consumer.stop()
    return value


def _answers(url: str) -> bool:
    try:
        return bool(httpx2.get(url).status_code == 200)
    except httpx2.TransportError:
        return False
