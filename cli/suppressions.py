"""`rollcall suppress ...`: who is never to be called."""

from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from cyclopts import App, Parameter
from cyclopts.types import ExistingFile

from cli import endpoints
from cli.client import Client, in_utf8
from cli.parameters import AsJson, Folder, Key
from cli.printing import facts, say, say_json

app = App(name="suppress", help="Say who is never to be called.")

Number = Annotated[str, Parameter(help="In E.164, such as +12025550123.")]


def _path_of(number: str) -> str:
    return f"/v1/suppressions/{quote(in_utf8(number), safe='+')}"


@app.command
async def add(
    number: Number,
    *,
    reason: str | None = None,
    expires_at: datetime | None = None,
    data_dir: Folder = endpoints.DEFAULT_FOLDER,
    json: AsJson = False,
) -> int:
    """Do not call NUMBER again; where it waits in a batch, it is passed over.

    Parameters
    ----------
    reason
        Why; it is kept sealed.
    expires_at
        Until when, with its offset; for ever unless given.
    """
    wanted = {"reason": reason, "expires_at": expires_at.isoformat() if expires_at else None}
    body = {field: value for field, value in wanted.items() if value is not None}
    async with Client(endpoints.find(data_dir)) as client:
        entry = await client.put(_path_of(number), body)
    (say_json if json else facts)(entry)
    return 0


@app.command
async def remove(
    number: Number, *, data_dir: Folder = endpoints.DEFAULT_FOLDER, json: AsJson = False
) -> int:
    """NUMBER may be called again."""
    async with Client(endpoints.find(data_dir)) as client:
        await client.delete(_path_of(number))
    if json:
        say_json({"phone_number": number, "active": False})
    else:
        say(f"{number} may be called again")
    return 0


@app.command
async def upload(
    file: ExistingFile,
    *,
    source: str | None = None,
    idempotency_key: Key = None,
    data_dir: Folder = endpoints.DEFAULT_FOLDER,
    json: AsJson = False,
) -> int:
    """Suppress every number of FILE.csv; sent again it does no harm.

    Parameters
    ----------
    file
        Its first row names the columns: phone_number, and if need be reason and expires_at.
    source
        What the list is called, such as dnc-2026-11; the file's name unless given.
    """
    async with Client(endpoints.find(data_dir)) as client:
        taken = await client.suppress_all(file, source or file.stem[:100], idempotency_key)
    if json:
        say_json(taken)
        return 0
    say(f"{taken['added']} added, {taken['unchanged']} unchanged, {taken['rejected']} rejected")
    for row in taken["rejected_sample"]:
        for error in row["errors"]:
            say(f"  row {row['row']}, {error['field']}: {error['message']}")
    return 0
