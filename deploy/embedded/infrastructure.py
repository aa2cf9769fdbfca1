"""Kafka and PostgreSQL, up together and gone together: for `up`, the demo and the tests."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.folder import DataFolder
from deploy.embedded.kafka import Kafka
from deploy.embedded.losses import losses
from deploy.embedded.parts import Keeper, stop_together, together, untold
from deploy.embedded.ports import Ports
from deploy.embedded.postgres import Postgres
from deploy.embedded.problem import CannotStart

DATABASES = ("ingest", "scheduler", "dialer", "projections", "vault")


@dataclass(frozen=True, slots=True)
class Infrastructure:
    folder: DataFolder
    ports: Ports
    keepers: tuple[Keeper, ...]
    kafka: str
    _postgres: Postgres

    def postgres_dsn(self, database: str = "postgres") -> str:
        return self._postgres.dsn(database)


@asynccontextmanager
async def infrastructure(
    data_dir: Path,
    databases: tuple[str, ...] = DATABASES,
    tell: Callable[[Keeper], None] = untold,
) -> AsyncIterator[Infrastructure]:
    with DataFolder.taken(data_dir) as folder:
        if lost := losses(folder.path):
            raise CannotStart(" ".join(f"{it.found}. {it.do}" for it in lost))
        ports = Ports(folder.path / "ports.json")
        kafka = Kafka(
            folder.path / "kafka",
            folder.logs / "kafka.log",
            ports.claim("kafka"),
            ports.claim("kafka-controller"),
        )
        postgres = Postgres(
            folder.path / "postgres", folder.logs / "postgres.log", ports.claim("postgres")
        )
        try:
            await together(kafka.prepare(), postgres.prepare())
            keepers = base, log = Keeper(postgres.part(), tell), Keeper(kafka.part(), tell)
            try:
                await together(_start(base, postgres, databases), log.start())
                yield Infrastructure(folder, ports, keepers, kafka.bootstrap, postgres)
            finally:
                await stop_together(keepers)
        finally:
            postgres.close()


async def _start(keeper: Keeper, postgres: Postgres, databases: tuple[str, ...]) -> None:
    await keeper.start()
    await postgres.create_databases(databases)
