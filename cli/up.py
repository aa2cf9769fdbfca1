"""`rollcall up`: everything runs until Ctrl-C; whatever prevents it is one line and exit code 1."""

import asyncio
import signal
from pathlib import Path

from rich.console import Console

from chassis.logging import configure
from deploy.embedded.parts import Keeper
from deploy.embedded.problem import CannotStart
from deploy.embedded.services import Plan, rollcall
from deploy.embedded.supervisor import Supervisor, supervised

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
console = Console()
errors = Console(stderr=True)


async def up(data_dir: Path, dialers: int = 1) -> int:
    # Only what goes wrong is logged beside the lines below: a part that had to be started again.
    configure("up", "console", "warning")
    return await run(data_dir, rollcall(dialers))


async def run(data_dir: Path, plan: Plan) -> int:
    """Until one of SIGNALS, at whatever moment it comes: what has started is then stopped."""
    running = asyncio.create_task(_run(data_dir, plan))
    asked_to_stop = False

    def stop() -> None:
        nonlocal asked_to_stop
        if not asked_to_stop:  # a second Ctrl-C must not cut the stopping short: it is bounded
            asked_to_stop = True
            running.cancel()

    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, stop)
    try:
        await running
    except asyncio.CancelledError:
        console.print("stopped")
        return 0
    except CannotStart as problem:
        return _failed(str(problem))
    except OSError as problem:
        return _failed(f"{problem.filename or data_dir}: {problem.strerror or problem}")
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
    return 0


async def _run(data_dir: Path, plan: Plan) -> None:
    async with supervised(data_dir, plan, _say_ready) as supervisor:
        _say_endpoints(supervisor)
        await asyncio.Event().wait()


def _say_ready(keeper: Keeper) -> None:
    console.print(f"[green]✓[/] {keeper.part.command.name:<12} {keeper.seconds:>5.1f} s")


def _say_endpoints(supervisor: Supervisor) -> None:
    console.print()
    for name, where in supervisor.endpoints().items():
        if isinstance(where, str) and name != "postgres":
            console.print(f"{name:<12} {where}", highlight=False, soft_wrap=True)
    console.print(
        f"{'all of it':<12} {supervisor.infra.folder.endpoints}", highlight=False, soft_wrap=True
    )
    console.print("Ctrl-C stops everything; the data stays.")


def _failed(line: str) -> int:
    errors.print(f"rollcall cannot start: {line}", markup=False, highlight=False, soft_wrap=True)
    return 1
