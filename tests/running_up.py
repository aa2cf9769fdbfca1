"""A `rollcall up` as a process of its own, with stand-ins for the services, to stop or kill.

`python -m tests.running_up FOLDER [ARGUMENT...]` is what runs; the arguments are those of one more
service, which may well fail.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import psutil
import uvloop

from cli.up import run
from deploy.embedded.infrastructure import Infrastructure
from deploy.embedded.services import Service

ROOT = Path(__file__).parents[1]
STAND_IN = ("-m", "tests.stand_in")
DEADLINE_SECONDS = 40.0
T = TypeVar("T")


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not within {DEADLINE_SECONDS:.0f} s: {what}"
        time.sleep(0.05)


async def eventually(attempt: Callable[[], Awaitable[T]], *failing: type[Exception]) -> T:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        try:
            return await attempt()
        except failing:
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(0.05)


class Up:
    def __init__(self, folder: Path, *more: str, **env: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.running_up", str(folder), *more],
            cwd=ROOT,
            env={**os.environ, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def endpoints(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "endpoints.json").read_text())
        return found

    def _written(self) -> bool:
        return (self.folder / "endpoints.json").exists()

    def until_ready(self) -> dict[str, Any]:
        def is_ready() -> bool:
            assert self.process.poll() is None, self.process.communicate()
            return self._written() and bool(self.endpoints["pids"]["up"] == self.process.pid)

        until(is_ready, "endpoints.json")
        return self.endpoints

    def descendants(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def kill_everything(self) -> None:
        """Those whose parent died first may already be gone: they end with it."""
        for process in (psutil.Process(self.process.pid), *self.descendants()):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.end()

    def end(self, number: signal.Signals = signal.SIGINT) -> tuple[int, str, str]:
        """Its exit code, what it said and what it complained of."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        said, complained = self.process.communicate(timeout=DEADLINE_SECONDS)
        return self.process.returncode, said, complained

    def refusal(self) -> tuple[int, str, str]:
        """The same, for one that is to end by itself."""
        said, complained = self.process.communicate(timeout=DEADLINE_SECONDS)
        return self.process.returncode, said, complained


@contextmanager
def running_up(folder: Path, *more: str, **env: str) -> Iterator[Up]:
    up = Up(folder, *more, **env)
    try:
        yield up
    finally:
        up.end()


def is_gone(process: psutil.Process) -> bool:
    """Dead and perhaps not yet buried: where nobody is left to reap it, it stays a zombie."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def plan(_: Infrastructure) -> Sequence[Sequence[Service]]:
    services = [Service("ingest", STAND_IN, database="ingest"), Service("dialer-1", STAND_IN)]
    if more := tuple(sys.argv[2:]):
        services.append(Service("one-more", more))
    return [[Service("simulator", STAND_IN)], services]


if __name__ == "__main__":
    sys.exit(uvloop.run(run(Path(sys.argv[1]), plan)))
