"""The one place where the read side is put together."""

import asyncio
from functools import partial

from fastapi import Depends, FastAPI
from starlette.middleware.gzip import GZipMiddleware

from chassis import problems
from chassis.declared import declared
from chassis.ground import lay_ground
from chassis.health import add_health, database_check, inbox_check
from chassis.inbox import Inbox
from chassis.postgres import Pool
from chassis.service import Service
from chassis.unchanged import DECLARED, Unchanged, if_none_match
from chassis.wake import News
from contracts.topics import TOPICS
from services.projections.api.batches import batches, calls
from services.projections.api.directory import directory
from services.projections.api.events import events
from services.projections.api.history import history
from services.projections.api.published import published
from services.projections.api.recipients import recipients
from services.projections.api.results import results
from services.projections.api.visible import visible_by
from services.projections.generations.definition import definition
from services.projections.generations.live import folding_into
from services.projections.generations.tidying import Tidying
from services.projections.handlers import fold
from services.projections.live.news import CHANNEL, Live
from services.projections.peppers import Peppers
from services.projections.rebuilding import have_model
from services.projections.settings import ProjectionsSettings
from services.projections.visibility import Visibility

WORTH_GZIP = 1_000
"""Bytes. At level 4 a page of 50 people goes from 15 KB to 4 in 0.13 ms; 9 takes twice as long."""
GATHER = 0.1
"""Seconds a busy reader lets events come together: five of a call then write its row once."""


async def build_app(settings: ProjectionsSettings) -> Service:
    what = definition()
    ground = await lay_ground(settings, None)
    folds = partial(fold, keys=ground.seals)
    await have_model(settings, what, folds)
    news = News()
    inbox = Inbox(
        service=settings.service,
        kafka=settings.kafka,
        prefix=settings.topic_prefix,
        pool=ground.pool,
        topics=TOPICS,
        fold=folding_into(what, folds),
        after_commit=lambda _: news.tell(),
        after_dead_letters=ground.relay.wake,
        gather=GATHER,
        vault_known=ground.vault_known,
    )
    stopping = asyncio.Event()
    live = Live(
        ground.pool,
        stopping,
        heartbeat=settings.heartbeat_seconds,
        unread_for=settings.unread_for_seconds,
    )
    peppers = Peppers(ground.vault)
    api = read_api(ground.pool, news, live, peppers, visible_within=settings.visible_within_seconds)
    add_health(api, {"database": database_check(ground.pool), "log": inbox_check(inbox)})
    return Service(
        name=settings.service,
        app=api,
        ground=ground,
        inbox=inbox,
        tasks=[live.run, Tidying(ground.pool).run],
        channels={CHANNEL: live.told},
        stopping=stopping,
    )


def read_api(
    pool: Pool, news: News, live: Live, peppers: Peppers, *, visible_within: float
) -> FastAPI:
    visible = Depends(visible_by(Visibility(pool, news), visible_within))
    api = FastAPI(
        title="Rollcall reads",
        version="1",
        dependencies=[visible, Depends(if_none_match)],
        responses=declared(404, 405, 422, 503) | DECLARED,
        redirect_slashes=False,
    )
    problems.install(api)
    api.include_router(events(live))
    api.include_router(history(pool))
    api.include_router(results(pool))
    api.include_router(recipients(pool, peppers))
    for router in (batches(pool), calls(pool), directory(pool), published()):
        api.include_router(router)
    api.add_middleware(Unchanged)
    api.add_middleware(GZipMiddleware, minimum_size=WORTH_GZIP, compresslevel=4)
    return api
