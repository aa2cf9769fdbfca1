"""`rollcall rebuild`: a service's tables made anew from the first event, compared, put in place."""

import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from chassis.logging import configure
from chassis.rebuild import RebuildError, Report
from cli.endpoints import NotRunningError, read
from cli.printing import console, say_failure, say_json, table

Told = Callable[[int, int], None]


class FromLog(Protocol):
    def __call__(self, *, force: bool) -> Awaitable[Report]: ...


SERVICES = ("projections", "scheduler")


async def rebuild(data_dir: Path, service: str | None, *, force: bool, as_json: bool) -> int:
    configure("rebuild", "console", "warning")
    reports: dict[str, Report] = {}
    try:
        for name in [service] if service else SERVICES:
            with _told_about(name, data_dir), _bar(name, shown=not as_json) as told:
                reports[name] = await _from_log(name, told)(force=force)
            if not as_json:
                _say(name, reports[name])
    except RebuildError as error:
        return say_failure(str(error), as_json=as_json)
    if as_json:
        say_json({"services": {name: _as_json(report) for name, report in reports.items()}})
    return 0 if all(report.equal for report in reports.values()) else 1


def _from_log(service: str, told: Told) -> FromLog:
    """A service's code takes its time to load: that of the one at hand alone."""
    if service == "scheduler":
        from services.scheduler import rebuilding as scheduler  # noqa: PLC0415

        return scheduler.rebuild_from_log
    from services.projections import rebuilding as projections  # noqa: PLC0415

    return partial(projections.rebuild_from_log, told=told)


@contextmanager
def _bar(name: str, *, shown: bool) -> Iterator[Told]:
    """How many of how many events are read, and the time left."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not shown, transient=True) as progress:
        task = progress.add_task(name, total=None)
        yield lambda read, total: progress.update(task, completed=read, total=total)


@contextmanager
def _told_about(service: str, data_dir: Path) -> Iterator[None]:
    """The service's settings: the environment's own, else those of `rollcall up` on the folder."""
    if "ROLLCALL_POSTGRES_DSN" in os.environ:
        yield
        return
    told = _of_folder(service, data_dir)
    os.environ.update(told)
    try:
        yield
    finally:
        for name in told:
            del os.environ[name]


def _of_folder(service: str, data_dir: Path) -> dict[str, str]:
    endpoints = read(data_dir)
    try:
        return {
            "ROLLCALL_KAFKA": endpoints["kafka"],
            "ROLLCALL_POSTGRES_DSN": endpoints["databases"][service],
            "ROLLCALL_VAULT_DSN": endpoints["databases"]["vault"],
            "ROLLCALL_KEY_ENCRYPTION_KEY": (data_dir / "key").read_text(),
            "ROLLCALL_HTTP_PORT": "0",
        }
    except (KeyError, OSError) as error:
        raise NotRunningError(f"{data_dir} is not a folder of `rollcall up`: {error}") from error


def _say(name: str, report: Report) -> None:
    verdict = "[green]equal[/]" if report.equal else "[red]different[/]"
    done = "now in place" if report.swapped else "left as it was"
    before = f", {report.resumed} by an earlier attempt" if report.resumed else ""
    console.print(f"{name}: {report.records} events replayed{before}, {verdict}, {done}")
    if report.unshared:
        console.print(f"not compared, as only one model has them: {', '.join(report.unshared)}")
    table(
        ("table", "rows", "missing before", "surplus before", "such as"),
        [(t.name, t.rows, t.missing, t.surplus, ", ".join(t.keys[:3])) for t in report.tables],
    )


def _as_json(report: Report) -> dict[str, object]:
    return {
        "equal": report.equal,
        "records": report.records,
        "resumed": report.resumed,
        "swapped": report.swapped,
        "tables": {
            t.name: {"rows": t.rows, "missing": t.missing, "surplus": t.surplus}
            for t in report.tables
        },
    }
