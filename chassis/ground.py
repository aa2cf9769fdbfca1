"""The ground of a service, laid in the one right order: schema, topics, producer, vault."""

from dataclasses import dataclass
from pathlib import Path

from chassis.migrations import migrate
from chassis.postgres import Pool, open_pool
from chassis.producer import Producer
from chassis.relay import Relay
from chassis.same_vault import know
from chassis.settings import ServiceSettings
from chassis.topics import ensure_topics
from chassis.vault import PostgresVault, Seals


@dataclass(frozen=True, slots=True)
class Ground:
    pool: Pool
    producer: Producer
    relay: Relay
    vault: PostgresVault
    seals: Seals

    async def vault_known(self) -> None:
        """Raises LostVaultError where it is not the vault of before."""
        await know(self.pool, self.vault)

    async def close(self) -> None:
        await self.producer.stop()
        await self.vault.close()
        await self.pool.close()


async def lay_ground(
    settings: ServiceSettings, migrations: Path | None, *, max_connections: int = 10
) -> Ground:
    """Waits for the broker and the database; brings both to what this version needs."""
    dsn = settings.postgres_dsn.get_secret_value()
    await migrate(dsn, migrations)
    await ensure_topics(settings.kafka, settings.topic_prefix)
    pool = await open_pool(dsn, application_name=settings.service, max_size=max_connections)
    producer = Producer(settings.kafka, prefix=settings.topic_prefix)
    await producer.start()
    vault = await PostgresVault.open(
        settings.vault_dsn.get_secret_value(), settings.kek, application_name=settings.service
    )
    return Ground(pool, producer, Relay(pool=pool, producer=producer), vault, Seals(vault))
