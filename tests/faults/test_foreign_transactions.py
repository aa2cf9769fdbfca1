"""Somebody writes transactions to every topic of ours: batches go on, and a restart gets ready."""

import asyncio
from pathlib import Path

import httpx2
import pytest
from aiokafka import AIOKafkaProducer

from contracts.topics import TOPICS
from tests.faults.conftest import IMPATIENT
from tests.faults.trial.thorough import command
from tests.house import House, csv_of, house, numbers

CALLED = numbers(30, ("0001",))


async def transactions(kafka: str) -> None:
    """To every partition a committed record and an aborted one, each with a mark behind it."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka, transactional_id="foreign")
    await producer.start()
    try:
        for end in (producer.commit_transaction, producer.abort_transaction):
            await producer.begin_transaction()
            for topic in TOPICS:
                for partition in range(topic.partitions):
                    await producer.send(topic.name, b"not ours", key=b"x", partition=partition)
            await producer.flush()
            await end()
    finally:
        await producer.stop()


def called(running: House, people: list[str]) -> None:
    batch_id = running.create(csv_of(people))
    assert running.until_over(batch_id, 90)["status"] == "COMPLETED"


def nobody_is_held_up(running: House) -> None:
    for name in ("ingest", "scheduler", "projections"):
        ready = httpx2.get(f"{running.endpoints[name]}/readyz", timeout=30)
        assert ready.is_success, ready.text


@pytest.mark.chaos
@pytest.mark.timeout(400)
def test_transactions_of_others_hold_nobody_up_and_a_restart_gets_ready(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with house(folder, dialers=1, **IMPATIENT) as first:
        first.prepare(concurrency=10)
        called(first, CALLED[:10])
        asyncio.run(transactions(first.endpoints["kafka"]))
        called(first, CALLED[10:20])
        asyncio.run(transactions(first.endpoints["kafka"]))
        nobody_is_held_up(first)
    with house(folder, dialers=1, **IMPATIENT) as again:
        nobody_is_held_up(again)
        called(again, CALLED[20:])
        rebuilt = command(again, "rebuild", "projections")
        assert rebuilt["services"]["projections"]["equal"], rebuilt
