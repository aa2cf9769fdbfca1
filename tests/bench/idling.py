"""What Rollcall costs when it has nothing to do, beside the Kafka and PostgreSQL beneath it."""

import time

from tests.bench.figure import Figure, Goal
from tests.bench.meter import cpu_seconds, pids, services
from tests.bench.sizes import Size
from tests.house import House


def measure(house: House, size: Size) -> list[Figure]:
    house.prepare(concurrency=10)
    time.sleep(min(5.0, size.idle_seconds))  # what the start and these commands have left to do
    ours, beneath = services(house), pids(house, "kafka", "postgres")
    before, before_beneath, began = cpu_seconds(ours), cpu_seconds(beneath), time.monotonic()
    time.sleep(size.idle_seconds)
    seconds = time.monotonic() - began
    return [
        Figure(
            "CPU of the four services when idle",
            100 * (cpu_seconds(ours) - before) / seconds,
            "% of a core",
            100 * (cpu_seconds(beneath) - before_beneath) / seconds,
            "Kafka and PostgreSQL in the same time",
            Goal(at_most=5),
        )
    ]
