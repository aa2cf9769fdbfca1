"""A service lives as a whole: what dies unexpectedly takes the process down, to be restarted.

On SIGTERM or SIGINT the poll at hand is finished, tasks end, the outbox is drained briefly, and all
is closed.
"""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog
import uvicorn
import uvloop
from starlette.types import ASGIApp

from chassis import logging, telemetry
from chassis.collecting import collect_seldom
from chassis.ground import Ground
from chassis.inbox import Inbox
from chassis.settings import ServiceSettings
from chassis.wake import Listener

log = structlog.get_logger()
S = TypeVar("S", bound=ServiceSettings)

FINISH_IN = 8.0
DRAIN_IN = 2.0

Task = Callable[[], Coroutine[Any, Any, None]]


@dataclass
class Service:
    """What `build_app` composes.  `tasks` run for ever: deciders, reconcilers, streams."""

    name: str
    app: ASGIApp
    ground: Ground
    inbox: Inbox | None = None
    tasks: Sequence[Task] = ()
    channels: dict[str, Callable[[str], None]] = field(default_factory=dict)
    """NOTIFY channels and who is told; with an empty payload after each reconnection."""
    closing: Sequence[Callable[[], Awaitable[None]]] = ()
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set at the first signal: open streams end by it."""


async def serve(service: Service, settings: ServiceSettings) -> int:
    """Runs until a signal (0) or until a part dies (1)."""
    server = uvicorn.Server(
        uvicorn.Config(
            service.app,
            host=settings.http_host,
            port=settings.http_port,
            log_config=None,
            access_log=False,
            lifespan="on",
            timeout_graceful_shutdown=5,
            proxy_headers=False,
            server_header=False,
            date_header=False,
        )
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, service.stopping.set)
    http = asyncio.create_task(_http(server), name="http")
    lasting = [http, *await _start(service)]
    stopped = asyncio.create_task(service.stopping.wait())
    await asyncio.wait([stopped, *lasting], return_when=asyncio.FIRST_COMPLETED)
    died = _died(lasting)
    service.stopping.set()
    await stopped
    await _finish(service, server, lasting)
    log.info("stopped", died=died)
    return 1 if died else 0


async def _http(server: uvicorn.Server) -> None:
    try:
        await server._serve()  # noqa: SLF001 - serve() would take the signals over
    except SystemExit as error:  # uvicorn's way to say that the port is taken
        raise OSError("the HTTP server cannot start; is its port taken?") from error


async def _start(service: Service) -> list[asyncio.Task[None]]:
    inbox = service.inbox
    listener = Listener(
        service.ground.pool,
        service.channels,
        on_lost=inbox.rearm if inbox is not None else lambda: None,
    )
    tasks = [
        asyncio.create_task(listener.run(), name="listener"),
        asyncio.create_task(service.ground.relay.run(), name="relay"),
    ]
    if inbox is not None:
        await inbox.start()
        tasks.append(asyncio.create_task(inbox.run(), name="inbox"))
    tasks += [asyncio.create_task(task(), name=getattr(task, "__qualname__", "task"))
              for task in service.tasks]  # fmt: skip
    return tasks


def _died(lasting: Sequence[asyncio.Task[None]]) -> list[str]:
    """The parts that ended by themselves; none should."""
    ended = [task for task in lasting if task.done()]
    for task in ended:
        log.error("part_died", part=task.get_name(), exc_info=task.exception())
    return [task.get_name() for task in ended]


async def _finish(
    service: Service, server: uvicorn.Server, lasting: Sequence[asyncio.Task[None]]
) -> None:
    server.should_exit = True
    if service.inbox is not None:
        service.inbox.finish()
    await asyncio.wait(
        [task for task in lasting if task.get_name() in {"http", "inbox"}], timeout=FINISH_IN
    )
    for task in lasting:
        task.cancel()
    await asyncio.gather(*lasting, return_exceptions=True)
    if service.inbox is not None:
        await service.inbox.stop()
    await service.ground.relay.drain(within=DRAIN_IN)
    for close in service.closing:
        await close()
    await service.ground.close()


async def _run(build: Callable[[S], Coroutine[Any, Any, Service]], kind: type[S]) -> int:
    settings = kind()
    logging.configure(settings.service, settings.log_format, settings.log_level)
    telemetry.configure(settings.service)
    service = await build(settings)
    collect_seldom()
    return await serve(service, settings)


def run(build: Callable[[S], Coroutine[Any, Any, Service]], kind: type[S]) -> None:
    """The body of every `__main__`: `run(build_app, Settings)`."""
    sys.exit(uvloop.run(_run(build, kind)))
