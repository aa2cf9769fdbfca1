"""A service rebuilt from the first event, beside a reader that only decodes the same events."""

import base64
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis.rebuild import Rebuildable, rebuild
from chassis.vault import PostgresVault, Seals
from contracts.codec import decode
from contracts.topics import TOPICS, Topic
from services.projections import app as projections
from services.projections.handlers import fold as fold_projections
from services.scheduler import app as scheduler
from services.scheduler.handlers import fold as fold_scheduler
from tests.bench.end_to_end import INSTANT
from tests.bench.figure import Figure, Goal
from tests.bench.lists import csv_of, numbers
from tests.bench.sizes import Size
from tests.house import House


def measure(house: House, size: Size) -> list[Figure]:
    house.prepare(concurrency=size.limit)
    house.behave(**INSTANT)
    rows = csv_of(numbers(size.calls))
    house.until_over(house.create(rows), size.patience)
    return uvloop.run(_figures(house))


async def _figures(house: House) -> list[Figure]:
    async with _seals(house) as seals:
        services = [
            Rebuildable(
                "projections",
                TOPICS,
                partial(fold_projections, keys=seals),
                projections.MIGRATIONS,
            ),
            Rebuildable(
                "scheduler",
                (*scheduler.INPUTS, *scheduler.OWN),
                fold_scheduler,
                scheduler.MIGRATIONS,
            ),
        ]
        return [await _figure(house, service) for service in services]


async def _figure(house: House, service: Rebuildable) -> Figure:
    kafka, dsn = house.endpoints["kafka"], house.endpoints["databases"][service.service]
    began = time.monotonic()
    report = await rebuild(dsn, kafka, "", service)
    seconds = time.monotonic() - began
    if not report.equal:
        raise AssertionError(f"{service.service} rebuilt is another: {report.tables}")
    return Figure(
        f"{service.service} rebuilt and compared",
        report.records / seconds,
        "events/s",
        await _decoded_per_second(kafka, service.topics),
        "bare loop that decodes the same topics",
        Goal(at_least=0.25, of_ratio=True),
    )


async def _decoded_per_second(kafka: str, topics: Sequence[Topic]) -> float:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        places = [TopicPartition(topic.name, n) for topic in topics
                  for n in range(topic.partitions)]  # fmt: skip
        consumer.assign(places)
        left = {tp: end for tp, end in (await consumer.end_offsets(places)).items() if end}
        began, decoded = time.monotonic(), 0
        while left:
            found = await consumer.getmany(*left, timeout_ms=1000, max_records=5000)
            for tp, records in found.items():
                for record in records:
                    decode(record.value, record.headers)
                decoded += len(records)
                if records[-1].offset + 1 >= left[tp]:
                    del left[tp]
        return decoded / (time.monotonic() - began)
    finally:
        await consumer.stop()


@asynccontextmanager
async def _seals(house: House) -> AsyncIterator[Seals]:
    kek = base64.b64decode((house.folder / "key").read_text())
    dsn = house.endpoints["databases"]["vault"]
    vault = await PostgresVault.open(dsn, kek, application_name="bench")
    try:
        yield Seals(vault)
    finally:
        await vault.close()
