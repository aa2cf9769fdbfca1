"""Ready means: it would do its work now.  Whatever is wrong is named."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from chassis.inbox import Inbox
from chassis.postgres import TRANSIENT, Pool
from chassis.relay import Relay

IN_TIME = 2.0


@dataclass(frozen=True, slots=True)
class Check:
    ok: bool
    wrong: str | None = None
    """What is wrong, for people."""
    facts: Mapping[str, Any] | None = None


Checks = Mapping[str, Callable[[], Awaitable[Check]]]


def add_health(app: FastAPI, checks: Checks) -> None:
    """/healthz (alive), /readyz (503 with the reason when not), /metrics."""

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> JSONResponse:
        results = {name: await _checked(check) for name, check in checks.items()}
        ready = all(result.ok for result in results.values())
        body = {
            name: {"ok": result.ok, "wrong": result.wrong, **(result.facts or {})}
            for name, result in results.items()
        }
        return JSONResponse({"ready": ready, **body}, 200 if ready else 503)

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _checked(check: Callable[[], Awaitable[Check]]) -> Check:
    try:
        async with asyncio.timeout(IN_TIME):
            return await check()
    except TRANSIENT as error:
        return Check(ok=False, wrong=type(error).__name__)


def database_check(pool: Pool) -> Callable[[], Awaitable[Check]]:
    async def check() -> Check:
        await pool.fetchval("SELECT 1")
        return Check(ok=True)

    return check


def inbox_check(inbox: Inbox) -> Callable[[], Awaitable[Check]]:
    async def check() -> Check:
        health = inbox.health()
        wrong = health.trouble or (None if health.caught_up else "still reading the log")
        if health.stopped:
            wrong = "; ".join(f"{place} stopped: {why}" for place, why in health.stopped.items())
        set_aside = await inbox.set_aside()
        if set_aside and not wrong:
            wrong = f"{set_aside} batches could not be applied and are set aside; the log has why"
        facts = {
            "set_aside": set_aside,
            "assigned": health.assigned,
            "lag": health.lag,
            "caught_up": health.caught_up,
            "last_handled": health.last_handled and health.last_handled.isoformat(),
        }
        return Check(ok=health.ok, wrong=wrong, facts=facts)

    return check


def outbox_check(relay: Relay) -> Callable[[], Awaitable[Check]]:
    async def check() -> Check:
        depth = await relay.depth()
        return Check(ok=relay.trouble is None, wrong=relay.trouble, facts={"depth": depth})

    return check
