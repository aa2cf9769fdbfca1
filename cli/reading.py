"""`rollcall batch recipients|calls|why|results`: who was called, how it went, and why not yet."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

from cyclopts import App, Parameter

from cli import endpoints
from cli.client import Client, Json, path_of, path_of_recipients
from cli.parameters import MISUSE, AsJson, BatchId, Folder, Limit, is_id
from cli.printing import facts, say, say_failure, say_json, say_page
from cli.results import Format, Target, download, format_of, save
from contracts.ids import addition_id_of, recipient_id_of
from contracts.outcomes import Outcome as Ended
from contracts.outcomes import RecipientStatus

app = App(name="reading")

MOST_DIGITS_OF_A_ROW = 7
SAME_NUMBER = 20
"""Rows of one number that are told of."""

Status = Annotated[
    RecipientStatus | None, Parameter(help="Only those that are shown with this status.")
]
Outcome = Annotated[Ended | None, Parameter(help="Only those whose last call ended so.")]


@app.command
async def recipients(
    batch_id: BatchId,
    *,
    status: Status = None,
    outcome: Outcome = None,
    search: Annotated[str | None, Parameter(help="Part of a name or of a number.")] = None,
    sort: Annotated[
        str,
        Parameter(
            allow_leading_hyphen=True,
            help="row, name, phone_number, status, outcome or attempts; -row: backwards",
        ),
    ] = "row",
    limit: Limit = 50,
    cursor: str | None = None,
    data_dir: Folder = endpoints.DEFAULT_FOLDER,
    json: AsJson = False,
) -> int:
    """Who is called, and how far each is."""
    asked = {"status": status, "outcome": outcome, "search": search, "sort": sort}
    async with Client(endpoints.find(data_dir)) as client:
        path = path_of_recipients(batch_id)
        page = await client.read(path, **asked, limit=limit, cursor=cursor)
    names = ("row", "phone_number", "name", "status", "outcome", "attempts", "next_attempt_at",
             "recipient_id")  # fmt: skip
    columns = ("row", "number", "name", "status", "outcome", "attempts", "next", "recipient")
    return say_page(page, columns, lambda each: tuple(each[it] for it in names), as_json=json)


@app.command
async def calls(
    batch_id: BatchId,
    *,
    limit: Limit = 50,
    cursor: str | None = None,
    data_dir: Folder = endpoints.DEFAULT_FOLDER,
    json: AsJson = False,
) -> int:
    """The calls of a batch, newest first."""
    async with Client(endpoints.find(data_dir)) as client:
        page = await client.read(f"{path_of(batch_id)}/calls", limit=limit, cursor=cursor)
    names = ("requested_at", "attempt", "status", "outcome", "cause", "duration_seconds",
             "call_id", "recipient_id")  # fmt: skip
    columns = ("placed", "attempt", "status", "outcome", "cause", "seconds", "call", "recipient")
    return say_page(page, columns, lambda each: tuple(each[it] for it in names), as_json=json)


@app.command
async def why(
    batch_id: BatchId,
    who: str,
    *,
    data_dir: Folder = endpoints.DEFAULT_FOLDER,
    json: AsJson = False,
) -> int:
    """Why somebody has not been called yet.

    Parameters
    ----------
    who
        A recipient's id, a number, or a row of the list that the batch was created with.
    """
    async with Client(endpoints.find(data_dir)) as client:
        found = await _found(client, batch_id, who)
        if not found:
            return say_failure(f"Nobody of this batch has the number {who}.", as_json=json)
        told = [await client.read(f"{path_of_recipients(batch_id, it)}/why") for it in found]
    if json:
        say_json({"data": told})
        return 0
    for each in told:
        _say_why(each)
    return 0


async def _found(client: Client, batch_id: str, who: str) -> list[str]:
    if who.isdecimal() and len(who) <= MOST_DIGITS_OF_A_ROW:
        return [str(recipient_id_of(addition_id_of(UUID(batch_id), 1), int(who)))]
    if is_id(who):
        return [who]
    page = await client.read(path_of_recipients(batch_id), search=who, limit=SAME_NUMBER)
    return [str(each["recipient_id"]) for each in page["data"]]


def _say_why(told: Json) -> None:
    for reason in told["reasons"]:
        until = f" (until {reason['until']})" if reason["until"] else ""
        say(f"{told['recipient_id']}  {told['status']}: {reason['message']}{until}")


@app.command
async def results(
    batch_id: BatchId,
    *,
    format: Annotated[  # noqa: A002 - as people type it
        Format | None, Parameter(help="By the file's ending unless told; else csv.")
    ] = None,
    bom: Annotated[
        bool, Parameter(negative="", help="Mark it as UTF-8, as Excel likes it.")
    ] = False,
    status: Status = None,
    outcome: Outcome = None,
    output: Annotated[
        Path | None,
        Parameter(name=("--output", "-o"), help="A file; without it, they are printed."),
    ] = None,
    resume: Annotated[
        bool, Parameter(negative="", help="Go on with FILE.part, which a cut download has left.")
    ] = False,
    force: Annotated[
        bool, Parameter(negative="", help="Write over the file if it is there.")
    ] = False,
    data_dir: Folder = endpoints.DEFAULT_FOLDER,
    json: AsJson = False,
) -> int:
    """How each call went: a row a recipient, a column a variable.

    With --json and a file, what was written is told as JSON; without one, they are JSON lines.
    """
    if resume and output is None:
        return _misused("Name the file to go on with: --output FILE.", as_json=json)
    try:
        form = format_of(output, "jsonl" if json and output is None else format, bom=bom)
    except ValueError as wrong:
        return _misused(str(wrong), as_json=json)
    path = f"{path_of(batch_id)}/results.{form}"
    asked = {"status": status, "outcome": outcome, "bom": "true" if bom else None}
    wish = {"batch": str(UUID(batch_id)), "format": form, **asked}
    target = Target(output, form, wish, resume=resume, force=force) if output else None
    if target and target.resume and target.is_whole():
        return _say_kept(target, target.rows(), "nothing is left to download", as_json=json)
    if target and (refused := target.refused()):
        return _misused(refused, as_json=json)
    async with Client(endpoints.find(data_dir)) as client:
        total = (await client.read(path_of(batch_id)))["recipients"]["total"]
        told = total if status is None and outcome is None else None
        if target is None:
            return await download(client, path, asked, told, as_json=json)
        rows = await save(client, path, asked, told, target)
    return _say_kept(target, rows, None, as_json=json)


def _misused(said: str, *, as_json: bool) -> int:
    say_failure(said, as_json=as_json)
    return MISUSE


def _say_kept(target: Target, rows: int, note: str | None, *, as_json: bool) -> int:
    kept = {"file": str(target.file), "rows": rows}
    (say_json if as_json else facts)(kept if note is None else {**kept, "note": note})
    return 0
