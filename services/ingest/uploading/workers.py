"""A long list holds up nobody: it is read, checked and sealed beside the loop, portion by portion.

A short one in a thread; a long one in a process of its own, so that other requests keep the core
that this one runs on.  A process ends with its parent, also when that is killed.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import asynccontextmanager
from importlib import import_module
from multiprocessing import get_context
from typing import Any, Final, Generic, Protocol, TypeVar

import structlog

from chassis.collecting import collect_seldom
from chassis.offspring import end_with_parent

log = structlog.get_logger()

P_co = TypeVar("P_co", covariant=True)
T = TypeVar("T")

LONG: Final = 256 * 1024
"""Bytes of a body from which on a process is worth the way to it."""


class WorkerLostError(Exception):
    """The process was killed: nothing of the list is kept, and it may be sent again."""


class Job(Protocol[P_co]):
    """What can be handed to another process, and is read there from its start."""

    @property
    def size(self) -> int:
        """Bytes."""

    def portions(self) -> Iterator[P_co]:
        """In turn, as they are asked for."""


class Reading(Generic[T]):
    """The portions of one job, in turn."""

    def __init__(self, ask: Callable[[], Any]) -> None:
        self._ask = ask

    async def next(self) -> T | None:
        """None: there are no more."""
        portion: T | None = await self._ask()
        return portion


class Workers:
    def __init__(self, number: int) -> None:
        self._idle = asyncio.Queue[ProcessPoolExecutor]()
        for _ in range(number):
            self._idle.put_nowait(_process())

    async def stand_by(self) -> None:
        """The processes are there, and have read their code, before the first list comes.

        Runs until it is cancelled, as a service's tasks do.
        """
        for _ in range(self._idle.qsize()):
            self._idle.put_nowait(await self._alive())
        await asyncio.Event().wait()

    @asynccontextmanager
    async def reading(self, job: Job[T]) -> AsyncIterator[Reading[T]]:
        """Raises WorkerLostError, and what the job raises."""
        if job.size < LONG:
            portions = job.portions()
            yield Reading(lambda: asyncio.to_thread(next, portions, None))
            return
        async with self._leased() as call:
            await call(_begin, job)
            try:
                yield Reading(lambda: call(_next))
            finally:
                await call(_end)

    async def run(self, size: int, function: Callable[..., T], *args: Any) -> T:
        """One call, for so many bytes.  Raises WorkerLostError, and what the function raises."""
        if size < LONG:
            return await asyncio.to_thread(function, *args)
        async with self._leased() as call:
            result: T = await call(function, *args)
            return result

    @asynccontextmanager
    async def _leased(self) -> AsyncIterator[Callable[..., Any]]:
        worker = await self._alive()
        loop = asyncio.get_running_loop()

        async def call(function: Callable[..., Any], *args: Any) -> Any:
            try:
                return await loop.run_in_executor(worker, function, *args)
            except BrokenProcessPool:
                raise WorkerLostError from None

        try:
            yield call
        except WorkerLostError:
            worker = _instead_of(worker)
            raise
        finally:
            self._idle.put_nowait(worker)

    async def _alive(self) -> ProcessPoolExecutor:
        """One that was killed while nobody needed it is nobody's concern."""
        worker = await self._idle.get()
        try:
            await asyncio.get_running_loop().run_in_executor(worker, os.getpid)
        except BrokenProcessPool:
            return _instead_of(worker)
        except BaseException:
            self._idle.put_nowait(worker)
            raise
        return worker

    async def close(self) -> None:
        """In order, when nobody reads any more."""
        while not self._idle.empty():
            self._idle.get_nowait().shutdown(wait=False, cancel_futures=True)


def _process() -> ProcessPoolExecutor:
    # spawned, not forked: a fork of a process with threads may inherit a lock that nobody frees
    return ProcessPoolExecutor(1, get_context("spawn"), initializer=_settle)


def _instead_of(worker: ProcessPoolExecutor) -> ProcessPoolExecutor:
    log.warning("worker_lost")
    worker.shutdown(wait=False)
    return _process()


def _settle() -> None:
    """In the process: we end when our parent does, and our code is read first."""
    end_with_parent()
    for module in ("services.ingest.uploading.sources", "services.ingest.lists.checking"):
        import_module(module)
    collect_seldom()


_portions: Iterator[Any] = iter(())


def _begin(job: Job[Any]) -> None:
    global _portions  # noqa: PLW0603 - the process is leased to one list at a time
    _portions = job.portions()


def _next() -> Any:
    return next(_portions, None)


def _end() -> None:
    """A list that was given up half-way lets go of its file."""
    global _portions  # noqa: PLW0603
    _portions = iter(())
