"""The only place where the scheduler's parts meet."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI

from chassis.ground import lay_ground
from chassis.health import Check, add_health, database_check, inbox_check, outbox_check
from chassis.inbox import Inbox
from chassis.service import Service
from services.scheduler.decider import Decider
from services.scheduler.handlers import fold, taken_up
from services.scheduler.rebuilding import MIGRATIONS, READ
from services.scheduler.settings import Settings


def decisions_check(decider: Decider) -> Callable[[], Awaitable[Check]]:
    async def check() -> Check:
        stuck = ", ".join(f"{account}: {error}" for account, error in decider.stuck.items())
        return Check(ok=not stuck, wrong=f"cannot decide on {stuck}" if stuck else None)

    return check


async def build_app(settings: Settings) -> Service:
    ground = await lay_ground(settings, MIGRATIONS, max_connections=settings.accounts_at_once + 6)
    decider = Decider(ground.pool, published=ground.relay.wake, at_once=settings.accounts_at_once)
    inbox = Inbox(
        service=settings.service,
        kafka=settings.kafka,
        pool=ground.pool,
        topics=READ,
        fold=fold,
        prefix=settings.topic_prefix,
        after_commit=lambda _: decider.ring(),
        after_dead_letters=ground.relay.wake,
        taken_up=taken_up,
        flush=False,
    )
    app = FastAPI(title="Rollcall scheduler", docs_url=None, redoc_url=None, openapi_url=None)
    add_health(
        app,
        {
            "database": database_check(ground.pool),
            "inbox": inbox_check(inbox),
            "outbox": outbox_check(ground.relay),
            "decisions": decisions_check(decider),
        },
    )
    return Service(
        name=settings.service,
        app=app,
        ground=ground,
        inbox=inbox,
        tasks=(lambda: decider.run(inbox),),
    )
