"""A service rebuilt from the first event, beside a reader that only decodes the same events."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition

from contracts.codec import decode
from contracts.topics import TOPICS, Topic
from services.scheduler import rebuilding as scheduler
from tests.bench.end_to_end import INSTANT
from tests.bench.figure import Figure, Goal
from tests.bench.lists import csv_of, numbers
from tests.bench.sizes import Size
from tests.house import ROOT, House

READ: Mapping[str, Sequence[Topic]] = MappingProxyType(
    {"projections": TOPICS, "scheduler": scheduler.READ}
)


def measure(house: House, size: Size) -> list[Figure]:
    house.prepare(concurrency=size.limit)
    house.behave(**INSTANT)
    rows = csv_of(numbers(size.calls))
    house.until_over(house.create(rows), size.patience)
    return uvloop.run(_figures(house))


async def _figures(house: House) -> list[Figure]:
    kafka = house.endpoints["kafka"]
    return [
        _figure(name, _rebuilt_per_second(house, name), await _decoded_per_second(kafka, topics))
        for name, topics in READ.items()
    ]


def _figure(name: str, ours: float, bare: float) -> Figure:
    return Figure(
        f"{name} rebuilt and compared",
        ours,
        "events/s",
        bare,
        "bare loop that decodes the same topics",
        Goal(at_least=0.25, of_ratio=True),
    )


def _rebuilt_per_second(house: House, service: str) -> float:
    """As a person types it, in a process of its own; the start of Python counts."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "cli", "rebuild", service, "--data-dir", house.folder, "--json"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
    )
    seconds = time.monotonic() - began
    report = json.loads(done.stdout)["services"][service]
    if not report["equal"]:
        raise AssertionError(f"{service} rebuilt is another: {report}")
    return float(report["records"]) / seconds


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
