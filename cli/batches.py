"""`rollcall batch ...`: what a person does with a batch."""

from typing import Annotated

from cyclopts import App, Parameter

from cli import endpoints
from cli.batch_plan import BatchPlan
from cli.client import Client, Json, path_of
from cli.parameters import AsJson, BatchId, Folder, Key, Limit
from cli.printing import console, facts, problems, say, say_json, say_page
from cli.watch import watch as watch_batch
from contracts.statuses import BatchStatus

app = App(name="batch", help="Create, preview, watch and steer batches.")


@app.command
async def create(
    plan: BatchPlan,
    *,
    idempotency_key: Key = None,
    watch: Annotated[bool, Parameter(negative="", help="Stay and watch it run.")] = False,
    data_dir: Folder = endpoints.DEFAULT_FOLDER,
    json: AsJson = False,
) -> int:
    """Call everyone in FILE.csv, or on a list that was prepared."""
    async with Client(endpoints.find(data_dir)) as client:
        created = await client.create_batch(plan.file, plan.body, idempotency_key, plan.columns)
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


@app.command
async def preview(
    plan: BatchPlan, *, data_dir: Folder = endpoints.DEFAULT_FOLDER, json: AsJson = False
) -> int:
    """Say who would be called, who not and why, and when; nobody is called."""
    async with Client(endpoints.find(data_dir)) as client:
        found = await client.preview_batch(plan.file, plan.body, plan.columns)
    if json:
        say_json(found)
        return 0
    told = ("will_call", "held", "first_call_at", "estimated_finish_at")
    facts({name: found[name] for name in told})
    for skipped in found["skipped"]:
        say(f"skipped {skipped['count']:,}: {skipped['reason']}")
    for warning in found["warnings"]:
        say(f"{warning['code']}: {warning['message']}")
    return 0


@app.command(name="list")
async def list_batches(
    *,
    status: Annotated[
        BatchStatus | None, Parameter(help="Only those that are shown with this status.")
    ] = None,
    search: Annotated[str | None, Parameter(help="Words, each somewhere in the name.")] = None,
    limit: Limit = 50,
    cursor: str | None = None,
    data_dir: Folder = endpoints.DEFAULT_FOLDER,
    json: AsJson = False,
) -> int:
    """The batches, newest first."""
    async with Client(endpoints.find(data_dir)) as client:
        asked = {"status": status, "search": search}
        page = await client.read("/v1/batches", **asked, limit=limit, cursor=cursor)

    def cells(batch: Json) -> tuple[object, ...]:
        named = (batch[name] for name in ("batch_id", "name", "status"))
        return *named, batch["recipients"]["total"], batch["remaining"], batch["created_at"]

    columns = ("batch", "name", "status", "total", "remaining", "created")
    return say_page(page, columns, cells, as_json=json)


@app.command
async def show(
    batch_id: BatchId, *, data_dir: Folder = endpoints.DEFAULT_FOLDER, json: AsJson = False
) -> int:
    """One batch: status, counts, configuration."""
    async with Client(endpoints.find(data_dir)) as client:
        batch = await client.read(path_of(batch_id))
    (say_json if json else facts)(batch)
    return 0


@app.command
async def watch(
    batch_id: BatchId, *, data_dir: Folder = endpoints.DEFAULT_FOLDER, json: AsJson = False
) -> int:
    """Watch a batch until it has ended."""
    async with Client(endpoints.find(data_dir)) as client:
        batch = await watch_batch(client, batch_id, problems if json else console)
    if json:
        say_json(batch)
    return 1 if batch["status"] == "FAILED" else 0


@app.command(name=("rejections", "errors"))
async def rejections(
    batch_id: BatchId,
    *,
    limit: Limit = 50,
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

    return say_page(page, ("row", "number", "name", "what is wrong"), cells, as_json=json)
