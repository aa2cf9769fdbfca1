"""The only place where a dialer is put together."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from fastapi import FastAPI

from chassis import problems
from chassis.ground import Ground, lay_ground
from chassis.health import add_health, database_check, inbox_check, outbox_check
from chassis.inbox import Inbox
from chassis.service import Service
from contracts.topics import BATCH_STATUS, BATCHES, CALLS, DIRECTORY, DISPATCH, GATES
from services.dialer.api.callbacks import Callbacks
from services.dialer.carriers.port import Carrier
from services.dialer.carriers.simulator import Simulator
from services.dialer.domain import Rules
from services.dialer.drain import Drain
from services.dialer.earlier import EarlierCalls
from services.dialer.granting import Granting
from services.dialer.guarding import Guard
from services.dialer.handlers import fold
from services.dialer.people import People
from services.dialer.placer import Placer
from services.dialer.reconciler import Reconciler
from services.dialer.settings import DialerSettings
from services.dialer.settlement import Settlement
from services.dialer.slots import Slots
from services.dialer.store import Q
from services.dialer.wakes import Wakes

MIGRATIONS = Path(__file__).parent / "migrations"
TOPICS = (DIRECTORY, BATCHES, BATCH_STATUS, DISPATCH, CALLS, GATES)
CONNECTIONS = 12
RECONNECTED = "rollcall_dialer"
"""Nobody notifies it: it tells that the database was lost and is there again."""


def simulator(settings: DialerSettings) -> Carrier:
    return Simulator(
        url=settings.carrier_url,
        callback_url=settings.callback_url,
        request_timeout=settings.request_timeout_seconds,
    )


def _rules(settings: DialerSettings) -> Rules:
    return Rules(
        horizon=timedelta(seconds=settings.unknown_horizon_seconds),
        silence=timedelta(seconds=settings.silence_seconds),
        overdue=timedelta(seconds=settings.overdue_after_seconds),
    )


async def build_app(
    settings: DialerSettings, carrier_of: Callable[[DialerSettings], Carrier] = simulator
) -> Service:
    ground = await lay_ground(settings, MIGRATIONS, max_connections=CONNECTIONS)
    carrier = carrier_of(settings)
    await ground.pool.execute(Q.know_carrier, carrier.name)
    wakes = Wakes(ground.relay.wake)
    inbox = Inbox(
        service=settings.service,
        kafka=settings.kafka,
        pool=ground.pool,
        topics=TOPICS,
        fold=fold,
        prefix=settings.topic_prefix,
        after_commit=wakes.folded,
        after_dead_letters=wakes.relay,
        flush=False,
        vault_known=ground.vault_known,
    )
    people = People(ground.vault, ground.seals, ground.pool)
    guard = Guard(ground.pool, people, inbox)
    settlement = Settlement(ground.pool, people, _rules(settings), wakes)
    placer = Placer(
        pool=ground.pool,
        producer=ground.producer,
        carrier=carrier,
        granting=Granting(ground.pool, people, settings, _rules(settings), carrier.name),
        settlement=settlement,
        settings=settings,
        wakes=wakes,
        inputs_read=guard.read,
    )
    reconciler = Reconciler(
        pool=ground.pool,
        carrier=carrier,
        people=people,
        settlement=settlement,
        earlier=EarlierCalls(ground.pool, carrier, people, settlement, wakes),
        wakes=wakes,
        slots=Slots(settings.most_look_ups),
        inputs_read=inbox.caught_up,
    )
    drain = Drain(ground.pool, wakes, inputs_read=inbox.caught_up)
    return Service(
        name=settings.service,
        app=Callbacks(_http(ground, inbox), {carrier.name: carrier}, settlement, inbox),
        ground=ground,
        inbox=inbox,
        channels={RECONNECTED: guard.reconnected},
        tasks=(placer.run, reconciler.run, drain.run),
        closing=(placer.close, reconciler.close, carrier.close),
    )


def _http(ground: Ground, inbox: Inbox) -> FastAPI:
    app = FastAPI(title="Rollcall dialer", openapi_url=None)
    problems.install(app)
    checks = {
        "database": database_check(ground.pool),
        "inbox": inbox_check(inbox),
        "outbox": outbox_check(ground.relay),
    }
    add_health(app, checks)
    return app
