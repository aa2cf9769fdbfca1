"""The least that could call a list: read the rows, ask the carrier, await the end, commit."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp
import asyncpg
import uvloop
from aiohttp import web

from tests.bench.lists import numbers

CONNECTIONS = 10


@dataclass(frozen=True, slots=True)
class Task:
    carrier: str
    postgres: str
    calls: int
    in_flight: int


@dataclass(frozen=True, slots=True)
class Run:
    seconds: float
    cpu: float


class Loop:
    def __init__(self, task: Task, pool: asyncpg.Pool, session: aiohttp.ClientSession) -> None:
        self._task = task
        self._pool = pool
        self._session = session
        self._ends: dict[str, asyncio.Future[int]] = {}
        self.callback_url = ""

    async def receive(self, request: web.Request) -> web.Response:
        said = await request.json()
        if said["event"] == "ended":
            self._ends[said["call_id"]].set_result(said["sip_code"])
        return web.Response(status=204)

    async def run(self) -> None:
        slots = asyncio.Semaphore(self._task.in_flight)
        async with asyncio.TaskGroup() as calls:
            for row in await self._pool.fetch("SELECT id, number FROM rows ORDER BY id"):
                await slots.acquire()
                call = calls.create_task(self._call(row["id"], row["number"]))
                call.add_done_callback(lambda _: slots.release())

    async def _call(self, row: int, number: str) -> None:
        call_id = str(uuid4())
        ended = self._ends[call_id] = asyncio.get_running_loop().create_future()
        wanted = {
            "call_id": call_id,
            "to": number,
            "from": "+442079460000",
            "agent_id": "reminders",
            "callback_url": self.callback_url,
            "variables": {"name": f"Person {row}", "plan": "Plan 1"},
        }
        async with self._session.post(f"{self._task.carrier}/calls", json=wanted) as answer:
            answer.raise_for_status()
            await answer.read()
        code = await ended
        del self._ends[call_id]
        await self._pool.execute("UPDATE rows SET sip_code = $2 WHERE id = $1", row, code)


async def main(task: Task) -> Run:
    async with (
        _rows(task) as pool,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
    ):
        loop = Loop(task, pool, session)
        async with _receiving(loop):
            cpu, began = time.process_time(), time.monotonic()
            await loop.run()
            run = Run(time.monotonic() - began, time.process_time() - cpu)
        if await pool.fetchval("SELECT count(*) FROM rows WHERE sip_code = 200") != task.calls:
            raise AssertionError("the plain loop lost a call")
        return run


@asynccontextmanager
async def _rows(task: Task) -> AsyncIterator[asyncpg.Pool]:
    """A database of its own beside ours."""
    name = f"plain_{uuid4().hex[:8]}"
    admin = await asyncpg.connect(task.postgres)
    await admin.execute(f"CREATE DATABASE {name}")
    dsn = urlsplit(task.postgres)._replace(path=f"/{name}").geturl()
    async with asyncpg.create_pool(dsn, max_size=CONNECTIONS) as pool:
        await pool.execute("CREATE TABLE rows (id int PRIMARY KEY, number text, sip_code int)")
        records = list(enumerate(numbers(task.calls), 1))
        await pool.copy_records_to_table("rows", records=records, columns=["id", "number"])
        yield pool
    await admin.execute(f"DROP DATABASE {name}")
    await admin.close()


@asynccontextmanager
async def _receiving(loop: Loop) -> AsyncIterator[None]:
    app = web.Application()
    app.router.add_post("/", loop.receive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    loop.callback_url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield
    await runner.cleanup()


if __name__ == "__main__":
    print(json.dumps(asdict(uvloop.run(main(Task(**json.loads(sys.argv[1])))))))
