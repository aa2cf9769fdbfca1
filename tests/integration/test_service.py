"""The life of a service, as its supervisor sees it."""

import asyncio
import base64
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from tests.conftest import DatabaseFactory
from tests.counter import until

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@asynccontextmanager
async def process(
    kafka: str, database: DatabaseFactory, prefix: str, **settings: str
) -> AsyncIterator[tuple[Process, str]]:
    port = free_port()
    environment = {
        "ROLLCALL_KAFKA": kafka,
        "ROLLCALL_POSTGRES_DSN": await database(),
        "ROLLCALL_VAULT_DSN": await database(),
        "ROLLCALL_KEY_ENCRYPTION_KEY": base64.b64encode(os.urandom(32)).decode(),
        "ROLLCALL_HTTP_PORT": str(port),
        "ROLLCALL_TOPIC_PREFIX": prefix,
    } | settings
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.counter_service",
        cwd=ROOT, env=os.environ | environment, stderr=PIPE,
    )  # fmt: skip
    try:
        yield child, f"http://127.0.0.1:{port}"
    finally:
        if child.returncode is None:
            child.kill()
        await child.communicate()


async def test_it_becomes_ready_and_stops_when_asked(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    async with (
        process(kafka, database, topic_prefix) as (child, url),
        aiohttp.ClientSession() as http,
    ):

        async def ready() -> bool:
            try:
                async with http.get(f"{url}/readyz") as answer:
                    return answer.status == 200
            except aiohttp.ClientConnectionError:
                return False

        await until(ready)
        async with http.get(f"{url}/metrics") as answer:
            assert "rollcall_outbox_depth 0.0" in await answer.text()
        child.send_signal(signal.SIGTERM)
        _, log = await asyncio.wait_for(child.communicate(), 15)
        assert child.returncode == 0, log.decode()
        assert b"Traceback" not in log, log.decode()


async def test_a_task_that_breaks_takes_the_process_down(
    kafka: str, database: DatabaseFactory, topic_prefix: str
) -> None:
    settings = {"ROLLCALL_DIES_AFTER": "0.2"}
    async with process(kafka, database, topic_prefix, **settings) as (child, _):
        _, log = await asyncio.wait_for(child.communicate(), 30)
        assert child.returncode == 1
        assert b"RuntimeError" in log
