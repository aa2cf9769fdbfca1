"""The only place where ingest is put together."""

from pathlib import Path

from fastapi import FastAPI

from chassis import health, problems
from chassis.ground import Ground, lay_ground
from chassis.inbox import Inbox
from chassis.postgres import retrying
from chassis.service import Service
from chassis.telemetry import TraceMiddleware
from contracts.topics import BATCHES, DIRECTORY
from services.ingest.api import batches, directory, faults
from services.ingest.api.account import DEFAULT_ACCOUNT
from services.ingest.api.parts import Parts
from services.ingest.api.upload import MOST_BYTES, TOO_LARGE
from services.ingest.directory import Directory
from services.ingest.handlers import fold
from services.ingest.intake import Intake, Wakes
from services.ingest.restoring import Restoring
from services.ingest.settings import IngestSettings
from services.ingest.streamer import Streamer
from services.ingest.sweeper import Sweeper

MIGRATIONS = Path(__file__).parent / "migrations"


async def build_app(settings: IngestSettings) -> Service:
    ground = await lay_ground(settings, MIGRATIONS)
    wake_relay = ground.relay.wake
    inbox = Inbox(
        service=settings.service,
        kafka=settings.kafka,
        pool=ground.pool,
        topics=[DIRECTORY, BATCHES],
        fold=fold,
        prefix=settings.topic_prefix,
        after_dead_letters=wake_relay,
    )
    sweeper = Sweeper(ground.pool)
    streamer = Streamer(
        ground.pool,
        ground.producer,
        inbox.caught_up,
        wake_relay=wake_relay,
        wake_sweeper=sweeper.wake,
    )
    restoring = Restoring(ground.pool, settings, wake_relay, inbox.caught_up)
    entries = Directory(ground.pool, wake_relay)
    wakes = Wakes(relay=wake_relay, streamer=streamer.wake, sweeper=sweeper.wake)
    parts = Parts(
        is_caught_up=lambda: inbox.is_caught_up,
        directory=entries,
        intake=Intake(ground.pool, ground.vault, ground.seals, wakes),
        seals=ground.seals,
    )

    async def stream() -> None:
        await inbox.caught_up()
        await retrying("first account", lambda: entries.ensure_account(DEFAULT_ACCOUNT))
        await streamer.run()

    return Service(
        name=settings.service,
        app=_http(parts, ground, inbox),
        ground=ground,
        inbox=inbox,
        tasks=[stream, restoring.run, sweeper.run],
    )


def _http(parts: Parts, ground: Ground, inbox: Inbox) -> FastAPI:
    app = FastAPI(title="Rollcall commands", version="1", responses=faults.RESPONSES)
    app.state.parts = parts
    problems.install(app)
    faults.install(app)
    app.include_router(directory.router)
    app.include_router(batches.router)
    checks = {
        "database": health.database_check(ground.pool),
        "inbox": health.inbox_check(inbox),
        "outbox": health.outbox_check(ground.relay),
    }
    health.add_health(app, checks)
    app.add_middleware(problems.BodyLimit, most=MOST_BYTES, detail=TOO_LARGE)
    app.add_middleware(TraceMiddleware)
    return app
