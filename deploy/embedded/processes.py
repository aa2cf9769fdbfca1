"""No child outlives us: each hangs on a leash, and a stop is bounded and ends in SIGKILL."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import STDOUT, Process
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog

log = structlog.get_logger()
LEASH = Path(__file__).with_name("leash.py")


@dataclass(frozen=True, slots=True)
class Command:
    name: str
    argv: tuple[str, ...]
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)  # beside what we have ourselves
    folder: Path | None = None
    user: int | None = None
    open_files: tuple[int, ...] = ()
    # What the kernel sends when we die. SIGKILL, but for PostgreSQL, whose children need the word.
    death_signal: signal.Signals = signal.SIGKILL
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10.0


async def spawn(command: Command) -> Process:
    """Call it in the main thread: the kernel ties the leash to the thread that forked."""
    user = os.geteuid() if command.user is None else command.user
    leash = [sys.executable, "-I", "-S", str(LEASH), str(os.getpid())]
    with command.log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *leash,
            str(int(command.death_signal)),
            str(user),
            *command.argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=STDOUT,
            cwd=command.folder,
            env={**os.environ, **command.env},
            pass_fds=command.open_files,
            start_new_session=True,  # Ctrl-C is for us alone: we stop the parts in order
        )


async def stop(process: Process, command: Command) -> None:
    if process.returncode is not None:
        return
    process.send_signal(command.stop_signal)
    try:
        await asyncio.wait_for(process.wait(), command.stop_seconds)
    except TimeoutError:
        log.warning("part_killed", part=command.name, waited_seconds=command.stop_seconds)
        process.kill()
        await process.wait()


def rotate(file: Path) -> None:
    """The log of the start before this one is kept, older ones are not."""
    if file.exists():
        file.replace(file.with_suffix(".log.1"))


def last_line(file: Path) -> str:
    lines = file.read_text(errors="replace").splitlines() if file.exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
