"""The counter as a process, on the same ground as every service."""

import asyncio
from typing import ClassVar

from fastapi import FastAPI

from chassis.ground import lay_ground
from chassis.health import add_health, database_check, inbox_check, outbox_check
from chassis.inbox import Inbox
from chassis.service import Service, run
from chassis.settings import ServiceSettings
from contracts.topics import BATCHES
from tests.counter import MIGRATIONS, count


class Settings(ServiceSettings):
    service: ClassVar[str] = "scheduler"
    dies_after: float | None = None
    """Seconds until a task of it breaks."""


async def build_app(settings: Settings) -> Service:
    ground = await lay_ground(settings, MIGRATIONS)
    inbox = Inbox(
        service=settings.service,
        kafka=settings.kafka,
        pool=ground.pool,
        topics=[BATCHES],
        fold=count,
        prefix=settings.topic_prefix,
        after_dead_letters=ground.relay.wake,
    )
    app = FastAPI()
    checks = {"database": database_check(ground.pool), "inbox": inbox_check(inbox)}
    add_health(app, checks | {"outbox": outbox_check(ground.relay)})

    async def die() -> None:
        await asyncio.sleep(settings.dies_after or 0)
        raise RuntimeError("a bug")

    tasks = () if settings.dies_after is None else (die,)
    return Service(settings.service, app, ground, inbox, tasks=tasks)


if __name__ == "__main__":
    run(build_app, Settings)
