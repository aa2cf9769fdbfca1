"""A service lives as a whole: what dies unexpectedly takes the process down, to be restarted.

On SIGTERM or SIGINT the group is left as soon as the poll at hand is done, requests are answered,
tasks end, the outbox is drained briefly and all is closed: within END_IN, whatever does not answer.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog
import uvicorn
import uvloop
from starlette.types import ASGIApp

from chassis import brokenpipe, logging, telemetry
from chassis.collecting import collect_seldom
from chassis.ground import Ground
from chassis.inbox import Inbox
from chassis.second_reading import CHANNEL
from chassis.settings import ServiceSettings
from chassis.wake import Listener

log = structlog.get_logger()
S = TypeVar("S", bound=ServiceSettings)

END_IN = 9.0
"""Seconds after which nothing is waited for: a service that is killed loses nothing either."""
ANSWERED_IN = 4
FINISH_IN = 5.0
DRAIN_IN = 1.5

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
            timeout_graceful_shutdown=ANSWERED_IN,
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
    code = 1 if died else 0
    try:
        async with asyncio.timeout(END_IN):
            await _finish(service, server, lasting)
    except TimeoutError:
        log.warning("stopped_in_haste", died=died)
        sys.stdout.flush()
        os._exit(code)  # what does not answer would hold up the loop's own end, too
    log.info("stopped", died=died)
    return code


async def _http(server: uvicorn.Server) -> None:
    try:
        await server._serve()  # noqa: SLF001 - serve() would take the signals over
    except SystemExit as error:  # uvicorn's way to say that the port is taken
        raise OSError("the HTTP server cannot start; is its port taken?") from error


async def _start(service: Service) -> list[asyncio.Task[None]]:
    inbox = service.inbox
    channels = dict(service.channels)
    if inbox is not None:
        channels[CHANNEL] = inbox.second_reading.wake
    listener = Listener(
        service.ground.pool,
        channels,
        on_lost=inbox.rearm if inbox is not None else lambda: None,
    )
    tasks = [
        asyncio.create_task(listener.run(), name="listener"),
        asyncio.create_task(_relay(service), name="relay"),
    ]
    if inbox is not None:
        await inbox.start()
        tasks.append(asyncio.create_task(inbox.run(), name="inbox"))
        tasks.append(asyncio.create_task(inbox.read_again(), name="dead letters"))
    tasks += [asyncio.create_task(task(), name=getattr(task, "__qualname__", "task"))
              for task in service.tasks]  # fmt: skip
    return tasks


async def _relay(service: Service) -> None:
    if service.inbox is None:
        await service.ground.relay.run()
    else:
        await service.ground.relay.run(service.inbox.log_known)


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
    ending = {task for task in lasting if task.get_name() == "http"}
    if service.inbox is not None:
        reading = [task for task in lasting if task.get_name() == "inbox"]
        ending.add(asyncio.create_task(_leave(service.inbox, reading), name="leaving"))
    await asyncio.wait(ending, timeout=FINISH_IN)
    for task in (*lasting, *ending):
        task.cancel()
    await asyncio.gather(*lasting, *ending, return_exceptions=True)
    for task in ending:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("not_ended_well", part=task.get_name(), exc_info=error)
    for close in service.closing:
        await close()
    if service.inbox is None or service.inbox.log_is_known:
        await service.ground.relay.drain(within=DRAIN_IN)
    await service.ground.close()


async def _leave(inbox: Inbox, reading: Sequence[asyncio.Task[None]]) -> None:
    """The others of the group read on while we still answer."""
    inbox.finish()
    if reading:
        await asyncio.wait(reading)
    await inbox.stop()


async def _run(build: Callable[[S], Coroutine[Any, Any, Service]], kind: type[S]) -> int:
    settings = kind()
    logging.configure(settings.service, settings.log_format, settings.log_level)
    telemetry.configure(settings.service)
    brokenpipe.tell_aiokafka()
    service = await build(settings)
    collect_seldom()
    return await serve(service, settings)


def run(build: Callable[[S], Coroutine[Any, Any, Service]], kind: type[S]) -> None:
    """The body of every `__main__`: `run(build_app, Settings)`."""
    sys.exit(uvloop.run(_run(build, kind)))
