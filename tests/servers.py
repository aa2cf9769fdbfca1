"""One Kafka and one PostgreSQL for a whole test run, gone when its last user is, however it ends.

Each pytest process holds a shared lock while it uses them; the kernel lets go of it when the
process dies. `python -m tests.servers FOLDER` stays up until nobody holds that lock.
"""

import asyncio
import fcntl
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import asyncpg
import structlog

from deploy.embedded.infrastructure import infrastructure
from tests.containers import containers, engine_answers

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Servers:
    kafka: str
    postgres: str


@contextmanager
def servers(folder: Path) -> Iterator[Servers]:
    """Those named by the environment, else the ones all workers of this run share."""
    kafka, dsn = os.environ.get("ROLLCALL_TEST_KAFKA"), os.environ.get("ROLLCALL_TEST_POSTGRES_DSN")
    if kafka and dsn:
        yield Servers(kafka, dsn)
        return
    with locked(folder / "users", fcntl.LOCK_SH):
        with locked(folder / "gate", fcntl.LOCK_EX):
            where = folder / "servers.json"
            if not where.exists():
                _start(folder)
            found = Servers(**json.loads(where.read_text()))
        yield found


@contextmanager
def locked(file: Path, kind: int) -> Iterator[None]:
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, kind)
        yield
    finally:
        os.close(handle)


def _start(folder: Path) -> None:
    command = [sys.executable, "-m", "tests.servers", str(folder)]
    output = folder / "servers.log"
    with output.open("ab") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, start_new_session=True
        )
    assert process.stdout is not None
    with process.stdout as said:
        if said.readline() != b"ready\n":
            process.kill()
            process.wait()
            raise RuntimeError(f"no servers to test against: {output.read_text()}")
    process.returncode = 0  # not ours to wait for: it stays for the last user, who may be another


async def main(folder: Path) -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    where = folder / "servers.json"
    async with _provider(folder) as found:
        where.write_text(json.dumps(asdict(found)))
        print("ready", flush=True)
        while not _nobody_is_left(folder, where):  # noqa: ASYNC110 - told by a lock
            await asyncio.sleep(0.2)


def _nobody_is_left(folder: Path, where: Path) -> bool:
    with locked(folder / "gate", fcntl.LOCK_EX):
        try:
            with locked(folder / "users", fcntl.LOCK_EX | fcntl.LOCK_NB):
                where.unlink()
        except BlockingIOError:
            return False
        return True


@asynccontextmanager
async def _provider(folder: Path) -> AsyncIterator[Servers]:
    async with AsyncExitStack() as running:
        if engine_answers():
            found = Servers(*running.enter_context(containers()))
        else:
            infra = infrastructure(folder / "servers", databases=())
            opened = await running.enter_async_context(infra)
            found = Servers(opened.kafka, opened.postgres_dsn())
        await _spare_the_disk(found.postgres)
        yield found


async def _spare_the_disk(postgres: str) -> None:
    """Nobody cuts the power here, and each database that goes waits until all others are synced.

    What is claimed of killed servers is tried on those of `rollcall up`, left as they are.
    """
    connection = await asyncpg.connect(postgres)
    try:
        for statement in ("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"):
            await connection.execute(statement)
    finally:
        await connection.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
