"""`rollcall up`: everything runs until Ctrl-C; whatever prevents it is one line and exit code 1."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from chassis.logging import configure
from cli.printing import console, problems, say, say_json
from cli.running import ready_line, until_asked_to_stop
from deploy.embedded.services import Plan, rollcall
from deploy.embedded.supervisor import supervised


async def up(data_dir: Path, dialers: int = 1, *, as_json: bool = False) -> int:
    # Only what goes wrong is logged beside the lines below: a part that had to be started again.
    configure("up", "console", "warning")
    return await run(data_dir, rollcall(dialers), as_json=as_json)


async def run(data_dir: Path, plan: Plan, *, as_json: bool = False) -> int:
    return await until_asked_to_stop(
        _run(data_dir, plan, as_json=as_json), when_stopped=0, as_json=as_json
    )


async def _run(data_dir: Path, plan: Plan, *, as_json: bool) -> int:
    shown = problems if as_json else console
    try:
        async with supervised(data_dir, plan, partial(ready_line, console=shown)) as supervisor:
            if as_json:
                say_json(supervisor.endpoints())
            else:
                _say(supervisor.endpoints(), supervisor.infra.folder.endpoints, shown)
            await asyncio.Event().wait()
            return 0
    finally:
        shown.print("stopped")


def _say(endpoints: dict[str, Any], file: Path, shown: Console) -> None:
    shown.print()
    for name, where in endpoints.items():
        if isinstance(where, str) and name != "postgres":
            say(f"{name:<12} {where}", shown)
    say(f"{'all of it':<12} {file}", shown)
    shown.print("Ctrl-C stops everything; the data stays.")
