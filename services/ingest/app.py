"""The only place where ingest is put together."""

from collections.abc import Callable
from pathlib import Path

from fastapi import FastAPI

from chassis import health, problems
from chassis.ground import Ground, lay_ground
from chassis.inbox import Inbox
from chassis.postgres import retrying
from chassis.service import Service
from chassis.telemetry import TraceMiddleware
from chassis.wake import News
from contracts.topics import BATCH_STATUS, BATCHES, DIRECTORY, GATES
from services.ingest.api import (
    additions,
    batches,
    directory,
    faults,
    life,
    life_faults,
    list_faults,
    lists,
    suppressions,
)
from services.ingest.api.account import DEFAULT_ACCOUNT
from services.ingest.api.parts import Parts
from services.ingest.api.typed import TakenAsJson, typed_by_hand
from services.ingest.api.upload import (
    FIELD_BYTES,
    MOST_BYTES,
    TOO_LARGE,
    TYPED_TOO_LARGE,
)
from services.ingest.directory import Directory
from services.ingest.handlers import fold
from services.ingest.idempotency import Idempotency
from services.ingest.intake import Intake, Wakes
from services.ingest.life.adding import Adding
from services.ingest.life.asking import Asking
from services.ingest.life.deleting import Deleting
from services.ingest.life.forgetting import forget_again
from services.ingest.life.renaming import Renaming
from services.ingest.life.store import CHANNEL
from services.ingest.lists.answers import Answers
from services.ingest.lists.intake import ListIntake
from services.ingest.lists.mending import Mending
from services.ingest.lists.opening import Lists
from services.ingest.once import Once
from services.ingest.policies import Policies
from services.ingest.previews import Previews
from services.ingest.settings import IngestSettings
from services.ingest.suppressions.entries import Suppressions
from services.ingest.suppressions.lists import SuppressionLists
from services.ingest.suppressions.pepper import pepper_check
from services.ingest.uploading.recipients import Recipients
from services.ingest.uploading.restoring import Restoring
from services.ingest.uploading.streamer import Streamer
from services.ingest.uploading.sweeper import Sweeper
from services.ingest.uploading.workers import Workers

MIGRATIONS = Path(__file__).parent / "migrations"
TOPICS = (DIRECTORY, BATCHES, BATCH_STATUS, GATES)
ABOUT = """\
What people ask of Rollcall; reads are another service's. An answer's `Rollcall-Position`, sent to a
read as `Rollcall-Min-Position`, makes it wait until it shows what was done. A POST takes an
`Idempotency-Key`: the same key and body get the first answer again. Every error is
`application/problem+json` with a stable `code` and a `detail` that says what to do."""


async def build_app(settings: IngestSettings) -> Service:
    ground = await lay_ground(settings, MIGRATIONS)
    wake_relay = ground.relay.wake
    inbox = Inbox(
        service=settings.service,
        kafka=settings.kafka,
        pool=ground.pool,
        topics=TOPICS,
        fold=fold,
        prefix=settings.topic_prefix,
        after_dead_letters=wake_relay,
        vault_known=ground.vault_known,
    )
    kept = Lists(ground.pool, ground.vault, ground.seals)
    sweeper = Sweeper(ground.pool, kept)
    streamer = Streamer(
        ground.pool,
        ground.producer,
        inbox.caught_up,
        wake_relay=wake_relay,
        wake_sweeper=sweeper.wake,
    )
    restoring = Restoring(ground.pool, settings, wake_relay, inbox.caught_up)
    workers, news = Workers(settings.workers), News()
    parts = compose(
        ground,
        lambda: inbox.is_caught_up,
        kept,
        workers,
        Wakes(wake_relay, streamer.wake, sweeper.wake),
        news,
    )

    def told(_: str) -> None:
        """A verdict was read, or a gate has closed, by whichever instance."""
        news.tell()
        streamer.wake()
        sweeper.wake()
        parts.deleting.wake()

    async def stream() -> None:
        await inbox.caught_up()
        await retrying("forget again", lambda: forget_again(ground.pool, ground.vault))
        await retrying("first account", lambda: parts.directory.ensure_account(DEFAULT_ACCOUNT))
        await streamer.run()

    return Service(
        name=settings.service,
        app=_http(parts, ground, inbox),
        ground=ground,
        inbox=inbox,
        channels={CHANNEL: told},
        tasks=[stream, restoring.run, sweeper.run, parts.deleting.run, workers.stand_by],
        closing=[workers.close, parts.suppression_lists.close],
    )


def compose(
    ground: Ground,
    is_caught_up: Callable[[], bool],
    kept: Lists,
    workers: Workers,
    wakes: Wakes,
    news: News,
) -> Parts:
    """What requests are served with."""
    pool, vault = ground.pool, ground.vault
    idempotency = Idempotency(ground.seals)
    once = Once(pool, idempotency, wakes.sweeper)
    policies = Policies(pool, vault)
    recipients = Recipients(pool, kept, workers)
    answers = Answers(pool, kept)
    asking = Asking(pool, idempotency, news, wakes)
    return Parts(
        is_caught_up=is_caught_up,
        directory=Directory(pool, wakes.relay),
        intake=Intake(pool, vault, policies, recipients, once, idempotency, wakes),
        previews=Previews(pool, policies, recipients),
        asking=asking,
        adding=Adding(pool, vault, policies, recipients, once, idempotency, asking),
        renaming=Renaming(pool, ground.seals, asking, wakes),
        deleting=Deleting(pool, ground.seals, kept, asking, news, wakes),
        lists=kept,
        list_intake=ListIntake(pool, kept, answers, policies, workers, once, idempotency),
        list_answers=answers,
        mending=Mending(pool, kept, policies),
        workers=workers,
        seals=ground.seals,
        wake_sweeper=wakes.sweeper,
        suppressions=Suppressions(pool, vault, ground.seals, wakes.relay),
        suppression_lists=SuppressionLists(
            pool, vault, ground.seals, Workers(1), once, idempotency, wakes.relay
        ),
    )


def _http(parts: Parts, ground: Ground, inbox: Inbox) -> FastAPI:
    app = FastAPI(
        title="Rollcall commands",
        version="1",
        description=ABOUT,
        responses=faults.RESPONSES,
        redirect_slashes=False,
    )
    app.state.parts = parts
    problems.install(app)
    faults.install(app)
    list_faults.install(app)
    life_faults.install(app)
    app.include_router(directory.router)
    app.include_router(lists.router)
    app.include_router(batches.router)
    app.include_router(life.router)
    app.include_router(additions.router)
    app.include_router(suppressions.router)
    checks = {
        "database": health.database_check(ground.pool),
        "inbox": health.inbox_check(inbox),
        "outbox": health.outbox_check(ground.relay),
        "suppressions": pepper_check(ground.pool, ground.vault),
    }
    health.add_health(app, checks)
    app.add_middleware(TakenAsJson)
    app.add_middleware(problems.BodyLimit, most=MOST_BYTES, detail=TOO_LARGE)
    app.add_middleware(
        problems.BodyLimit, most=FIELD_BYTES, detail=TYPED_TOO_LARGE, where=typed_by_hand
    )
    app.add_middleware(TraceMiddleware)
    return app
