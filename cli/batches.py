"""`rollcall batch ...`: what a person does with a batch."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter, Token
from cyclopts.types import ExistingFile

from cli import endpoints
from cli.client import Client, Json, path_of
from cli.printing import console, facts, problems, say, say_json, table
from cli.watch import watch as watch_batch

WEEK = "mon,tue,wed,thu,fri,sat,sun"
LONGEST_KEY = 255
app = App(name="batch", help="Create, list, show and watch batches.")


def _folder(_: type, tokens: Sequence[Token]) -> Path:
    if not tokens[0].value:  # a variable of a script that is not set; "" would mean "here"
        raise ValueError("it is empty; name a folder.")
    return Path(tokens[0].value)


def _check_key(_: type, key: str | None) -> None:
    visible = key is None or (key.isascii() and key.isprintable() and key.strip() == key)
    if not visible or (key is not None and not 1 <= len(key) <= LONGEST_KEY):
        raise ValueError(f"A key is 1 to {LONGEST_KEY} visible ASCII characters.")


Folder = Annotated[
    Path,
    Parameter(name="--data-dir", converter=_folder, help="The folder of `rollcall up`."),
]
AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Answer as JSON.")]
Key = Annotated[str | None, Parameter(validator=_check_key)]


@app.command
async def create(
    file: ExistingFile,
    *,
    agent: str,
    name: str | None = None,
    from_number: str | None = None,
    window: str | None = None,
    days: str = WEEK,
    zone: str = "UTC",
    at: datetime | None = None,
    start: bool = True,
    reject_invalid: Annotated[bool, Parameter(negative="")] = False,
    idempotency_key: Key = None,
    watch: Annotated[bool, Parameter(negative="")] = False,
    data_dir: Folder = endpoints.DEFAULT_FOLDER,
    json: AsJson = False,
) -> int:
    """Upload FILE.csv and call everyone on it.

    Parameters
    ----------
    file
        The list; its first row names the columns, one of them phone_number.
    agent
        Id of the voice agent.
    name
        What people call the batch; the file's name unless given.
    from_number
        Caller id in E.164; the agent's own unless given.
    window
        Hours of the day, such as 09:00-18:00; the account's default unless given.
    days
        Weekdays on which the window starts.
    zone
        IANA zone of the window, or `recipient` for each recipient's own.
    at
        When to start, with its offset; at once unless given.
    start
        --no-start leaves it PENDING until it is started.
    reject_invalid
        Refuse the whole file if a row is wrong, rather than skip the row.
    idempotency_key
        Asking again with the same key answers the same and calls nobody again.
    watch
        Stay and watch it run.
    """
    wanted = {
        "name": name or file.stem[:100],
        "agent_id": agent,
        "start": start,
        "on_invalid": "reject" if reject_invalid else "skip",
        "from_number": from_number,
        "window": _hours(window, days, zone) if window else None,
        "scheduled_at": at.isoformat() if at else None,
    }
    batch = {field: value for field, value in wanted.items() if value is not None}
    async with Client(endpoints.find(data_dir)) as client:
        created = await client.create_batch(file, batch, idempotency_key)
        if not json:
            counts = created["recipients"]
            say(f"{created['batch_id']}  {created['status']}")
            say(f"{counts['total']} accepted, {counts['rejected']} rejected")
            if counts["rejected"] and not watch:
                say("why: `rollcall batch rejections` with this id")
        if watch:
            created = await watch_batch(client, created["batch_id"], problems if json else console)
    if json:
        say_json(created)
    return 1 if created["status"] == "FAILED" else 0


def _hours(window: str, days: str, zone: str) -> Json:
    opens, _, closes = window.partition("-")
    return {"start": opens, "end": closes, "days": days.split(","), "timezone": zone}


@app.command(name="list")
async def list_batches(
    *,
    status: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
    data_dir: Folder = endpoints.DEFAULT_FOLDER,
    json: AsJson = False,
) -> int:
    """The batches, newest first."""
    async with Client(endpoints.find(data_dir)) as client:
        page = await client.read("/v1/batches", status=status, limit=limit, cursor=cursor)

    def cells(batch: Json) -> tuple[object, ...]:
        named = (batch[name] for name in ("batch_id", "name", "status"))
        return *named, batch["recipients"]["total"], batch["remaining"], batch["created_at"]

    columns = ("batch", "name", "status", "total", "remaining", "created")
    return _say_page(page, columns, cells, as_json=json)


def _say_page(
    page: Json,
    columns: Sequence[str],
    cells: Callable[[Json], tuple[object, ...]],
    *,
    as_json: bool,
) -> int:
    if as_json:
        say_json(page)
        return 0
    table(columns, [cells(each) for each in page["data"]])
    if page["next_cursor"]:
        say(f"more: --cursor {page['next_cursor']}")
    return 0


@app.command
async def show(
    batch_id: str, *, data_dir: Folder = endpoints.DEFAULT_FOLDER, json: AsJson = False
) -> int:
    """One batch: status, counts, configuration."""
    async with Client(endpoints.find(data_dir)) as client:
        batch = await client.read(path_of(batch_id))
    (say_json if json else facts)(batch)
    return 0


@app.command
async def watch(
    batch_id: str, *, data_dir: Folder = endpoints.DEFAULT_FOLDER, json: AsJson = False
) -> int:
    """Watch a batch until it has ended."""
    async with Client(endpoints.find(data_dir)) as client:
        batch = await watch_batch(client, batch_id, problems if json else console)
    if json:
        say_json(batch)
    return 1 if batch["status"] == "FAILED" else 0


@app.command
async def rejections(
    batch_id: str,
    *,
    limit: int = 50,
    cursor: str | None = None,
    data_dir: Folder = endpoints.DEFAULT_FOLDER,
    json: AsJson = False,
) -> int:
    """The rows that are not called, and what is wrong with each."""
    async with Client(endpoints.find(data_dir)) as client:
        page = await client.read(f"{path_of(batch_id)}/rejections", limit=limit, cursor=cursor)

    def cells(row: Json) -> tuple[object, ...]:
        wrong = " ".join(error["message"] for error in row["errors"])
        return row["row"], row["phone_number"], row["name"], wrong

    return _say_page(page, ("row", "number", "name", "what is wrong"), cells, as_json=json)
