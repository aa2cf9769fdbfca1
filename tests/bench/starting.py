"""From typing `rollcall up` on a folder that was used before until everything is ready."""

import time
from pathlib import Path

import uvloop

from deploy.embedded.infrastructure import infrastructure
from tests.bench.figure import Figure, Goal
from tests.bench.sizes import Size
from tests.house import House, house


def measure(running: House, size: Size) -> list[Figure]:
    running.stop()
    began = time.monotonic()
    with house(running.folder):
        ready = time.monotonic() - began
    return [
        Figure(
            "`rollcall up` to ready, warm",
            ready,
            "s",
            uvloop.run(_bare_seconds(running.folder)),
            "Kafka and PostgreSQL alone, warm",
            Goal(at_most=15),
        )
    ]


async def _bare_seconds(folder: Path) -> float:
    began = time.monotonic()
    async with infrastructure(folder):
        return time.monotonic() - began
