"""Every test gets a real Kafka and a real PostgreSQL by asking, and leaves no database behind."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.servers import Servers, servers

# What `make test` says of a commit it says again; `make chaos` looks for examples nobody has seen.
hypothesis.settings.register_profile("repeatable", derandomize=True)
hypothesis.settings.register_profile("searching", print_blob=True)
hypothesis.settings.load_profile("repeatable")

ROOT = Path(__file__).parents[1]
HOUSES = {"acceptance": "standing", "faults": "running"}
"""The fixtures that start all of Rollcall, once for a folder of tests."""


class ByHouse(LoadScopeScheduling):  # type: ignore[misc] # xdist's is untyped
    """A file's tests run where its fixtures are, and all that share a house where that stands."""

    def _split_scope(self, nodeid: str) -> str:
        file = Path(nodeid.partition("::")[0])
        house = HOUSES.get(file.parent.name)
        shares = house is not None and f"{house}: House" in (ROOT / file).read_text()
        return house if house and shares else str(file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByHouse:
    return ByHouse(config, log)


class DatabaseFactory(Protocol):
    async def __call__(self, template: str = "template1") -> str: ...


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all workers of a run."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def running_servers(shared_folder: Path) -> Iterator[Servers]:
    with servers(shared_folder) as found:
        yield found


@pytest.fixture(scope="session")
def kafka(running_servers: Servers) -> str:
    """host:port of a Kafka without topics of ours; take `topic_prefix` to be alone in it."""
    return running_servers.kafka


@pytest.fixture(scope="session")
def postgres(running_servers: Servers) -> str:
    """The DSN of a superuser."""
    return running_servers.postgres


@pytest.fixture
def topic_prefix() -> str:
    return f"t{uuid4().hex[:10]}."


@asynccontextmanager
async def databases(postgres: str) -> AsyncIterator[DatabaseFactory]:
    names: list[str] = []

    async def make(template: str = "template1") -> str:
        name = f"t{uuid4().hex[:16]}"
        await _on(postgres, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        names.append(name)
        return urlsplit(postgres)._replace(path=f"/{name}").geturl()

    yield make
    for name in names:
        await _on(postgres, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
async def database(postgres: str) -> AsyncIterator[DatabaseFactory]:
    """`await database()` makes a database, a copy of the template, and gives its DSN."""
    async with databases(postgres) as make:
        yield make


async def _on(postgres: str, statement: str) -> None:
    connection = await asyncpg.connect(postgres)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
