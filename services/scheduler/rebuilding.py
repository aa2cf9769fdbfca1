"""What was decided, made anew from the log: the scheduler keeps nothing that the log has not."""

from chassis.rebuild import Rebuildable, Report, rebuild
from services.scheduler.app import INPUTS, MIGRATIONS, OWN
from services.scheduler.handlers import fold
from services.scheduler.settings import Settings


async def rebuild_from_log(*, force: bool) -> Report:
    settings = Settings()
    decisions = Rebuildable(settings.service, (*INPUTS, *OWN), fold, MIGRATIONS)
    dsn = settings.postgres_dsn.get_secret_value()
    return await rebuild(dsn, settings.kafka, settings.topic_prefix, decisions, force=force)
