"""`rollcall`: 0 done, 1 failed and said why, 2 used wrongly."""

import asyncio
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated, Any, Literal

import httpx2
from cyclopts import App, CycloptsError, Parameter
from cyclopts.validators import Number

from cli import batches, endpoints, history, life, lists, reading, suppressions
from cli.client import MisusedError, RefusedError
from cli.parameters import MISUSE, AsJson, Folder
from cli.printing import say_failure, say_unheard, speak_any_encoding

app = App(
    name="rollcall",
    help="Calls everyone on a list, once, and proves it from its log.",
    version=version("rollcall"),
)
batches.app.command(life.app, name="*")
batches.app.command(reading.app, name="*")
batches.app.command(history.app, name="*")
app.command(batches.app)
app.command(lists.app)
app.command(suppressions.app)
app.command("cli.dead_letters:app", name="dead-letters")


@app.command
async def up(
    *,
    data_dir: Folder = endpoints.DEFAULT_FOLDER,
    dialers: Annotated[int, Parameter(help="How many processes.", validator=Number(gte=1))] = 1,
    json: AsJson = False,
) -> int:
    """Run everything until Ctrl-C: Kafka, PostgreSQL, the simulated carrier, four services."""
    from cli.up import up as run  # noqa: PLC0415 - the servers' code is heavy for a mere `list`

    return await run(data_dir, dialers, as_json=json)


@app.command
async def demo(
    *,
    data_dir: Folder = endpoints.DEFAULT_FOLDER / "demo",
    stay: Annotated[bool, Parameter(negative="", help="Keep running afterwards.")] = False,
    json: AsJson = False,
) -> int:
    """Run a real batch of the sample list to its end and check it by the carrier's ledger."""
    from cli.demo import demo as run  # noqa: PLC0415

    return await run(data_dir, stay=stay, as_json=json)


@app.command
def rebuild(
    service: Literal["projections", "scheduler"] | None = None,
    *,
    data_dir: Folder = endpoints.DEFAULT_FOLDER,
    force: Annotated[bool, Parameter(negative="")] = False,
    json: AsJson = False,
) -> int:
    """Make what a service knows anew from the first event, compare, and put it in place.

    Parameters
    ----------
    service
        Both unless one is named.
    force
        Put the rebuilt tables in place even where they differ from the old ones.
    """
    import uvloop  # noqa: PLC0415 - the whole log comes through: as fast as the services read it

    from cli.rebuild import rebuild as run  # noqa: PLC0415

    return uvloop.run(run(data_dir, service, force=force, as_json=json))


@app.command
def audit(
    *,
    data_dir: Folder = endpoints.DEFAULT_FOLDER,
    clocks_apart: Annotated[
        float,
        Parameter(help="Seconds by which servers' clocks may differ.", validator=Number(gte=0)),
    ] = 0.0,
    json: AsJson = False,
) -> int:
    """Check every guarantee in the log alone, from its first event to its end as it is now."""
    import uvloop  # noqa: PLC0415 - the whole log comes through

    from cli.audit import audit as run  # noqa: PLC0415

    return uvloop.run(run(data_dir, clocks_apart=clocks_apart, as_json=json))


@app.command
async def scrub(*, data_dir: Folder = endpoints.DEFAULT_FOLDER, json: AsJson = False) -> int:
    """Rewrite the databases without what deletes left in them; reads of a table wait meanwhile."""
    from cli.scrub import scrub as run  # noqa: PLC0415

    return await run(data_dir, as_json=json)


@app.command
async def doctor(*, data_dir: Folder = endpoints.DEFAULT_FOLDER, json: AsJson = False) -> int:
    """Say what is missing or unhealthy, and what to do."""
    from cli.doctor import doctor as run  # noqa: PLC0415

    return await run(data_dir, as_json=json)


def main(arguments: list[str] | None = None) -> None:
    given = sys.argv[1:] if arguments is None else arguments
    speak_any_encoding()
    try:
        code = _run(given)
    except OSError as error:
        code = say_unheard(error)
    sys.exit(code)


def _run(given: list[str]) -> int:
    as_json = "--json" in given
    try:
        command, bound, _ = app.parse_args(given, exit_on_error=False, print_error=not as_json)
    except CycloptsError as error:
        if as_json:
            say_failure(str(error), as_json=True)
        return MISUSE
    return _told(command, bound, as_json=as_json)


def _told(command: Callable[..., Any], bound: Any, *, as_json: bool) -> int:
    """Whatever goes wrong is said in a line."""
    try:
        return _done(command, bound)
    except KeyboardInterrupt:
        return say_failure("interrupted", as_json=as_json)
    except RefusedError as refused:
        failed = say_failure(str(refused), as_json=as_json, problem=refused.problem)
        return MISUSE if isinstance(refused, MisusedError) else failed
    except OSError as error:
        if error.filename is None:  # then it is about the answer, not about a file
            raise
        return say_failure(f"{error.filename}: {error.strerror}", as_json=as_json)
    except endpoints.NotRunningError as missing:
        return say_failure(str(missing), as_json=as_json)
    except httpx2.TransportError as error:
        return say_failure(
            f"Rollcall does not answer ({error}): see `rollcall doctor`.", as_json=as_json
        )


def _done(command: Callable[..., Any], bound: Any) -> int:
    outcome = command(*bound.args, **bound.kwargs)
    if asyncio.iscoroutine(outcome):
        outcome = asyncio.run(outcome)
    return outcome if isinstance(outcome, int) else 0


if __name__ == "__main__":
    main()
