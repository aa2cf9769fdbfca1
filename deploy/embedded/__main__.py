"""`python -m deploy.embedded fetch` brings the jars; `run FOLDER` holds Kafka and PostgreSQL up."""

import asyncio
import json
import signal
import sys
from pathlib import Path

import cyclopts
import structlog

from deploy.embedded.infrastructure import infrastructure
from deploy.embedded.jars import COMPILER, cache_folder, fetch, locked
from deploy.embedded.problem import CannotStart

app = cyclopts.App(name="python -m deploy.embedded")


@app.command(name="fetch")
def fetch_jars() -> None:
    jars = [*locked(), *locked(COMPILER)]
    fetched = fetch(cache_folder(), jars)
    say(f"{fetched} jars fetched, {len(jars)} verified in {cache_folder()}")


@app.command
async def run(data_dir: Path) -> None:
    """Prints where both are as one line of JSON, then runs until SIGINT or SIGTERM."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with infrastructure(data_dir) as infra:
        say(json.dumps({"kafka": infra.kafka, "postgres": infra.postgres_dsn()}))
        await stopping.wait()


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - it is a command


if __name__ == "__main__":
    try:
        app()
    except CannotStart as problem:
        sys.exit(str(problem))
