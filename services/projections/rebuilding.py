"""The read model made anew from the first event, with the keys that are still there."""

from functools import partial
from pathlib import Path

from chassis.rebuild import Rebuildable, Report, rebuild
from chassis.vault import PostgresVault, Seals
from contracts.topics import TOPICS
from services.projections.handlers import fold
from services.projections.settings import ProjectionsSettings

MIGRATIONS = Path(__file__).parent / "migrations"


async def rebuild_from_log(*, force: bool) -> Report:
    settings = ProjectionsSettings()
    vault = await PostgresVault.open(
        settings.vault_dsn.get_secret_value(), settings.kek, application_name="rebuild"
    )
    try:
        model = Rebuildable(settings.service, TOPICS, partial(fold, keys=Seals(vault)), MIGRATIONS)
        dsn = settings.postgres_dsn.get_secret_value()
        return await rebuild(dsn, settings.kafka, settings.topic_prefix, model, force=force)
    finally:
        await vault.close()
