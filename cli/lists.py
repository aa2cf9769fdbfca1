"""`rollcall list ...`: a list is checked, mended and understood before a phone rings."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter
from cyclopts.types import ExistingFile

from cli.client import Client, Json, path_of_list
from cli.endpoints import find
from cli.new_file import refused_target
from cli.parameters import (
    DEFAULT_FOLDER,
    MISUSE,
    AllowedRegions,
    AsJson,
    Fix,
    Folder,
    Force,
    Key,
    Mapping,
    Values,
    mapping_of,
    values_of,
)
from cli.printing import say, say_failure, say_json, say_page

LISTS = "/v1/recipient-lists"
app = App(name="list", help="Check, upload and mend lists before anybody is called.")

Flag = Annotated[bool | None, Parameter(help="Dial the number as it is written.")]


@app.command
def check(
    file: ExistingFile,
    *,
    mapping: Mapping = (),
    allowed_region: AllowedRegions = (),
    fix: Fix = None,
    force: Force = False,
    json: AsJson = False,
) -> int:
    """Say what is wrong with FILE.csv (or a JSON body) and with how many rows; nothing is sent.

    It ends with 0 if every row can be called, else with 1.
    """
    from cli.list_check import check as run  # noqa: PLC0415 - what judges numbers is heavy to load

    if fix is not None and (why := refused_target(fix, file, force=force)):
        return _misuse(why, as_json=json)
    said = mapping_of(mapping)
    return run(file, mapping=said, regions=allowed_region, fix=fix, as_json=json)


@app.command
async def upload(
    file: ExistingFile,
    *,
    into: Annotated[str | None, Parameter(help="A list to add the rows to.")] = None,
    mapping: Mapping = (),
    fix: Fix = None,
    force: Force = False,
    idempotency_key: Key = None,
    data_dir: Folder = DEFAULT_FOLDER,
    json: AsJson = False,
) -> int:
    """Make a list of FILE.csv (or of a JSON body); nobody is called."""
    from cli.list_upload import upload as run  # noqa: PLC0415

    if fix is not None and (why := refused_target(fix, file, force=force)):
        return _misuse(why, as_json=json)
    path = LISTS if into is None else f"{path_of_list(into)}/rows"
    async with Client(find(data_dir)) as client:
        answer = await client.send_list(path, file, mapping_of(mapping), idempotency_key)
        return await run(client, answer, fix, as_json=json)


def _misuse(why: str, *, as_json: bool) -> int:
    say_failure(why, as_json=as_json)
    return MISUSE


@app.command
async def show(list_id: str, *, data_dir: Folder = DEFAULT_FOLDER, json: AsJson = False) -> int:
    """A list: its counts, its columns, and what is wrong."""
    from cli.list_words import say_list  # noqa: PLC0415

    async with Client(find(data_dir)) as client:
        answer = await client.look(path_of_list(list_id))
    (say_json if json else say_list)(answer)
    return 0


@app.command
async def rows(
    list_id: str,
    *,
    state: Literal["accepted", "rejected"] | None = None,
    search: Annotated[str | None, Parameter(help="Part of a name or a number.")] = None,
    limit: int = 50,
    cursor: str | None = None,
    data_dir: Folder = DEFAULT_FOLDER,
    json: AsJson = False,
) -> int:
    """The rows of a list, and what is wrong with each."""
    path = f"{path_of_list(list_id)}/rows"
    async with Client(find(data_dir)) as client:
        page = await client.look(path, state=state, search=search, limit=limit, cursor=cursor)
    columns = ("row", "number", "name", "state", "what is wrong, or to be looked at")
    return say_page(page, columns, _cells, as_json=json)


def _cells(row: Json) -> tuple[object, ...]:
    notes = " ".join(it["message"] for it in [*row["errors"], *row["warnings"]])
    return row["row"], row["phone_number"], row["name"], row["state"], notes


@app.command
async def mend(
    list_id: str,
    row: int,
    *,
    phone_number: str | None = None,
    name: str | None = None,
    ignore_e164_validation: Flag = None,
    values: Annotated[Values, Parameter(name="--set", help="A variable, as KEY=VALUE.")] = (),
    setting: Annotated[
        Values, Parameter(help="A call setting, such as timezone=Europe/Paris.")
    ] = (),
    dry_run: Annotated[bool, Parameter(negative="", help="Only judge it.")] = False,
    data_dir: Folder = DEFAULT_FOLDER,
    json: AsJson = False,
) -> int:
    """Give a row new values; what is not named stays as it is."""
    wanted = {
        "phone_number": phone_number,
        "name": name,
        "ignore_e164_validation": ignore_e164_validation,
        "variables": values_of(values) or None,
        **values_of(setting),
    }
    body = {field: value for field, value in wanted.items() if value is not None}
    query = {"dry_run": "true"} if dry_run else {}
    async with Client(find(data_dir)) as client:
        found = await client.patch(path_of_list(list_id, row), body, **query)
    if json:
        say_json(found)
        return 0
    counts = found["list"]
    say(f"row {row} {'would be' if dry_run else 'is'} {found['state']}: {found['phone_number']}")
    say(f"{counts['accepted']:,} accepted, {counts['rejected']:,} rejected")
    return 0


@app.command
async def remove(
    list_id: str,
    row: int | None = None,
    *,
    rejected: Annotated[bool, Parameter(negative="")] = False,
    data_dir: Folder = DEFAULT_FOLDER,
    json: AsJson = False,
) -> int:
    """Take a row out of a list, or all rejected ones: what was mended in a file and sent again."""
    if rejected == (row is not None):
        return _misuse("Give a row, or --rejected.", as_json=json)
    async with Client(find(data_dir)) as client:
        if row is not None:
            await client.delete(path_of_list(list_id, row))
            return _gone({"list_id": list_id, "row": row}, f"row {row} is removed", as_json=json)
        await client.delete(f"{path_of_list(list_id)}/rows?state=rejected")
    return _gone({"list_id": list_id}, "the rejected rows are removed", as_json=json)


@app.command
async def delete(list_id: str, *, data_dir: Folder = DEFAULT_FOLDER, json: AsJson = False) -> int:
    """Delete a list and destroy what it holds; batches made of it are not touched."""
    async with Client(find(data_dir)) as client:
        await client.delete(path_of_list(list_id))
    return _gone({"list_id": list_id}, f"{list_id} is deleted", as_json=json)


def _gone(what: Json, words: str, *, as_json: bool) -> int:
    if as_json:
        say_json({**what, "deleted": True})
    else:
        say(words)
    return 0


@app.command
def template(file: Path | None = None, *, json: AsJson = False) -> int:
    """A CSV file to fill in, printed or written to FILE."""
    text = files("services.ingest.api").joinpath("template.csv").read_text(encoding="utf-8")
    if file is not None:
        with file.open("x", encoding="utf-8", newline="") as new:
            new.write(text)
    if json:
        say_json({"file": None if file is None else str(file), "template": text})
    else:
        say(text.rstrip("\n") if file is None else f"{file} is written")
    return 0
