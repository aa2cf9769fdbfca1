"""`rollcall batch timeline`: every event of a batch, oldest first, and who asked for it."""

from typing import Annotated

from cyclopts import App, Parameter

from cli import endpoints
from cli.client import Client, Json, path_of
from cli.parameters import AsJson, BatchId, Folder, Limit
from cli.printing import in_words, say_page

app = App(name="history")

COLUMNS = ("at", "event", "who asked", "recipient", "facts")


@app.command
async def timeline(
    batch_id: BatchId,
    *,
    type: Annotated[  # noqa: A002 - its name in the HTTP API
        str | None, Parameter(help="Only this, such as BatchPaused or CallCompleted.")
    ] = None,
    limit: Limit = 50,
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
    facts = in_words(_without_ids(entry["data"]))
    return entry["at"], entry["type"], entry["actor"], entry["recipient_id"], facts


def _without_ids(facts: Json) -> Json:
    """They are long, and say nothing to people."""
    return {
        name: _without_ids(value) if isinstance(value, dict) else value
        for name, value in facts.items()
        if not name.endswith("_id")
    }
