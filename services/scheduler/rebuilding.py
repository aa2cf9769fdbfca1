"""What was decided, made anew from the log: the scheduler keeps nothing that the log has not."""

from pathlib import Path

from chassis.rebuild import Rebuildable, Report, rebuild
from contracts.topics import BATCH_STATUS, BATCHES, CALLS, DIRECTORY, DISPATCH, RECIPIENTS
from services.scheduler.handlers import fold
from services.scheduler.settings import Settings

MIGRATIONS = Path(__file__).parent / "migrations"
READ = (DIRECTORY, BATCHES, RECIPIENTS, CALLS, BATCH_STATUS, DISPATCH)
"""The last two are its own: what it has decided, too, it knows from the log."""
REBUILDABLE = Rebuildable(Settings.service, READ, fold, MIGRATIONS)


async def rebuild_from_log(*, force: bool) -> Report:
    settings = Settings()
    dsn = settings.postgres_dsn.get_secret_value()
    return await rebuild(dsn, settings.kafka, settings.topic_prefix, REBUILDABLE, force=force)
