"""What has started is stopped, whenever somebody asks: no command leaves servers behind."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any

from rich.console import Console

from cli.printing import say_failure
from deploy.embedded.parts import Keeper
from deploy.embedded.problem import CannotStart

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def until_asked_to_stop(
    work: Coroutine[Any, Any, int], *, when_stopped: int, as_json: bool = False
) -> int:
    """The exit code of the work, or `when_stopped` after one of SIGNALS.

    Whatever prevents the start is one line and exit code 1.
    """
    running = asyncio.create_task(work)
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
        return await running
    except asyncio.CancelledError:
        return when_stopped
    except CannotStart as problem:
        return say_failure(f"rollcall cannot start: {problem}", as_json=as_json)
    except OSError as problem:
        where = f"{problem.filename}: " if problem.filename else ""
        return say_failure(
            f"rollcall cannot start: {where}{problem.strerror or problem}", as_json=as_json
        )
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)


def ready_line(keeper: Keeper, console: Console) -> None:
    console.print(f"[green]✓[/] {keeper.part.command.name:<12} {keeper.seconds:>5.1f} s")
