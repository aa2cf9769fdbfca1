"""A part that ends unasked is started again, each time a little later."""

import asyncio
import time
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from deploy.embedded.problem import CannotStart
from deploy.embedded.processes import Command, last_line, rotate, spawn, stop

log = structlog.get_logger()
START_SECONDS = 60.0
FIRST_DELAY, LONGEST_DELAY, STEADY_SECONDS = 0.2, 10.0, 30.0


@dataclass(frozen=True, slots=True)
class Part:
    command: Command
    ready: Callable[[], Awaitable[bool]]
    why: Callable[[], str] = str
    """What it said last of why it is not."""


def untold(_: "Keeper") -> None:
    """For when nobody wants to hear of it."""


class Keeper:
    """Keeps one part running from `start` to `stop`."""

    def __init__(self, part: Part, tell: Callable[["Keeper"], None] = untold) -> None:
        self.part = part
        self.changed: Callable[[Keeper], None] = untold  # called when it has another pid
        self.seconds = 0.0  # it took to be ready
        self._tell = tell
        self._process: Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def start(self) -> None:
        command = self.part.command
        command.log.parent.mkdir(parents=True, exist_ok=True)
        rotate(command.log)
        began = time.monotonic()
        self._process = await spawn(command)
        await self._until_ready(self._process)
        self.seconds = round(time.monotonic() - began, 2)
        log.info("part_ready", part=command.name, seconds=self.seconds)
        self._tell(self)
        self._watch = asyncio.create_task(self._keep(self._process))

    async def stop(self) -> None:
        self._stopping.set()
        if self._process is not None:
            await stop(self._process, self.part.command)
        if self._watch is not None:
            await self._watch

    async def _until_ready(self, process: Process) -> None:
        name, output = self.part.command.name, self.part.command.log
        deadline = time.monotonic() + START_SECONDS
        while not await self.part.ready():
            if process.returncode is not None:
                raise CannotStart(
                    f"{name} ended while starting: {last_line(output)} (see {output})"
                )
            if time.monotonic() > deadline:
                why = f" ({reason})" if (reason := self.part.why()) else ""
                raise CannotStart(
                    f"{name} is not ready after {START_SECONDS:.0f} s{why}; see {output}"
                )
            await asyncio.sleep(0.05)

    async def _keep(self, process: Process) -> None:
        delay, name = FIRST_DELAY, self.part.command.name
        while True:
            began = time.monotonic()
            code = await process.wait()
            if self._stopping.is_set():
                return
            if time.monotonic() - began > STEADY_SECONDS:
                delay = FIRST_DELAY
            log.error("part_ended", part=name, exit_code=code, again_in_seconds=delay)
            if await self._stopped_within(delay):
                return
            delay = min(delay * 2, LONGEST_DELAY)
            try:
                process = self._process = await spawn(self.part.command)
            except OSError as error:  # no memory or no disk for it now: that may pass
                log.error("part_not_started", part=name, reason=error.strerror)  # noqa: TRY400
                continue
            self.changed(self)
            if self._stopping.is_set():  # asked to stop while it was being born
                await stop(process, self.part.command)

    async def _stopped_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return False
        return True


async def together(*attempts: Awaitable[None]) -> None:
    """All at once; when one fails, it is said after all have ended."""
    results = await asyncio.gather(*attempts, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result


async def start_together(keepers: Sequence[Keeper]) -> None:
    await together(*(keeper.start() for keeper in keepers))


async def stop_together(keepers: Sequence[Keeper]) -> None:
    await together(*(keeper.stop() for keeper in keepers))
