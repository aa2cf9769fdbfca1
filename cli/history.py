"""`rollcall batch timeline`: every event of a batch, oldest first, and who asked for it."""

from typing import Annotated

from cyclopts import App, Parameter

from cli import endpoints
from cli.client import Client, Json, path_of
from cli.parameters import AsJson, Folder
from cli.printing import say_page

app = App(name="history")

COLUMNS = ("at", "event", "who asked", "recipient", "facts")


@app.command
async def timeline(
    batch_id: str,
    *,
    type: Annotated[  # noqa: A002 - its name in the HTTP API
        str | None, Parameter(help="Only this, such as BatchPaused or CallCompleted.")
    ] = None,
    limit: int = 50,
    cursor: str | None = None,
    data_dir: Folder = endpoints.DEFAULT_FOLDER,
    json: AsJson = False,
) -> int:
    """What happened to a batch, event by event."""
    async with Client(endpoints.find(data_dir)) as client:
        path = f"{path_of(batch_id)}/timeline"
        page = await client.read(path, type=type, limit=limit, cursor=cursor)
    return say_page(page, COLUMNS, _cells, as_json=json)


def _cells(entry: Json) -> tuple[object, ...]:
    facts = " ".join(
        f"{name}={value}"
        for name, value in entry["data"].items()
        if isinstance(value, str | int | float) and not name.endswith("_id")
    )
    return entry["at"], entry["type"], entry["actor"], entry["recipient_id"], facts
