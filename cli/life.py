"""`rollcall batch start|pause|...`: a batch is steered, and the verdict on each wish is told."""

import asyncio
import os
from dataclasses import KW_ONLY, dataclass
from typing import Annotated

import httpx2
from cyclopts import App, Parameter
from cyclopts.types import ExistingFile
from rich.prompt import Confirm

from cli import endpoints, life_words
from cli.client import Client, Json, RefusedError, in_utf8, path_of, path_of_recipients
from cli.parameters import (
    MISUSE,
    AsJson,
    BatchId,
    Folder,
    Key,
    ListId,
    Mapping,
    check_source,
    mapping_of,
)
from cli.printing import plain, problems, say, say_failure, say_json

app = App(name="life")

STANDARD_INPUT = 0


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Wish:
    batch_id: BatchId
    _: KW_ONLY
    idempotency_key: Key = None
    data_dir: Folder = endpoints.DEFAULT_FOLDER
    json: AsJson = False

    async def ask(self, action: str, **facts: bool) -> int:
        async with Client(endpoints.find(self.data_dir)) as client:
            path = f"{path_of(self.batch_id)}/{action}"
            answer = await client.post(path, facts, self.idempotency_key)
            if self.json:
                say_json(answer)
            else:
                say(life_words.verdict(answer, await _by_now(client, answer)))
        return 0


async def _by_now(client: Client, answer: Json) -> Json | None:
    """None: not confirmed yet, or it cannot be read, which does not undo what was done."""
    if not answer["confirmed"]:
        return None
    try:
        return await client.read(path_of(answer["batch_id"]))
    except (RefusedError, httpx2.TransportError) as unread:
        say(f"How the batch is cannot be read now: {unread}", problems)
        return None


@app.command
async def start(wish: Wish) -> int:
    """Start a batch that was created with --no-start."""
    return await wish.ask("start")


@app.command
async def pause(wish: Wish) -> int:
    """Begin no further call; those that are live finish."""
    return await wish.ask("pause")


@app.command
async def resume(wish: Wish) -> int:
    """Go on where a batch was paused."""
    return await wish.ask("resume")


@app.command
async def cancel(wish: Wish) -> int:
    """Begin no further call, for good; only a retry calls who is left."""
    return await wish.ask("cancel")


@app.command
async def retry(
    wish: Wish,
    *,
    include_unknown: Annotated[
        bool,
        Parameter(negative="", help="Also those of whose last call nobody knows whether it rang."),
    ] = False,
) -> int:
    """Call again who failed or did not answer, and go on with who was never called."""
    return await wish.ask("retry", include_unknown=include_unknown)


@app.command
async def rename(
    batch_id: BatchId,
    name: str,
    *,
    data_dir: Folder = endpoints.DEFAULT_FOLDER,
    json: AsJson = False,
) -> int:
    """Call a batch by another name."""
    async with Client(endpoints.find(data_dir)) as client:
        answer = await client.patch(path_of(batch_id), {"name": in_utf8(name)})
    if json:
        say_json(answer)
    else:
        say(f"{answer['batch_id']} is called {answer['name']}")
    return 0


@app.command
def delete(
    batch_id: BatchId,
    *,
    yes: Annotated[bool, Parameter(negative="", help="Do not ask whether it is meant.")] = False,
    data_dir: Folder = endpoints.DEFAULT_FOLDER,
    json: AsJson = False,
) -> int:
    """Stop a batch, remove it, and destroy what it knows of people."""
    if not yes:
        if json or not os.isatty(STANDARD_INPUT):
            say_failure("Nobody can be asked whether it is meant: add --yes.", as_json=json)
            return MISUSE
        if not _is_meant(batch_id):
            return say_failure("Nothing is deleted.", as_json=False)
    return asyncio.run(_delete(batch_id, endpoints.find(data_dir), as_json=json))


def _is_meant(batch_id: str) -> bool:
    """Asked outside of any event loop, which would keep Ctrl-C to itself."""
    question = f"Stop {batch_id} and destroy what it knows of people, for good?"
    try:
        return Confirm.ask(plain(question), console=problems, default=False)
    except EOFError:
        return False


async def _delete(batch_id: str, where: endpoints.Endpoints, *, as_json: bool) -> int:
    async with Client(where) as client:
        over = await client.delete_batch(batch_id)
    if as_json:
        say_json({"batch_id": batch_id, "deleted": True, "confirmed": over})
    else:
        say(life_words.GONE if over else life_words.leaving(batch_id))
    return 0


def _check_addition(_: type, addition: "Addition | None") -> None:
    if addition is not None:
        check_source(addition.file, addition.list_id, addition.mapping)


@Parameter(name="*", validator=_check_addition)
@dataclass(frozen=True, slots=True)
class Addition:
    batch_id: BatchId
    file: ExistingFile | None = None
    _: KW_ONLY
    list_id: ListId = None
    mapping: Mapping = ()

    async def send(self, client: Client, key: str | None) -> Json:
        path = path_of_recipients(self.batch_id)
        if self.file is None:
            return await client.post(path, {"recipient_list_id": in_utf8(self.list_id or "")}, key)
        return await client.send_list(path, self.file, mapping_of(self.mapping), key)


@app.command
async def add(
    addition: Addition,
    *,
    idempotency_key: Key = None,
    data_dir: Folder = endpoints.DEFAULT_FOLDER,
    json: AsJson = False,
) -> int:
    """Add everyone in FILE.csv, or on a list that was prepared, to a batch that has not ended."""
    async with Client(endpoints.find(data_dir)) as client:
        answer = await addition.send(client, idempotency_key)
        if json:
            say_json(answer)
        else:
            say(life_words.added(answer, await _by_now(client, answer)))
    return 0


@app.command
async def remove(
    batch_id: BatchId,
    recipient_id: str,
    *,
    data_dir: Folder = endpoints.DEFAULT_FOLDER,
    json: AsJson = False,
) -> int:
    """Take a person out of a batch before they are called."""
    async with Client(endpoints.find(data_dir)) as client:
        answer = await client.delete(path_of_recipients(batch_id, recipient_id))
    (say_json if json else _say_removed)(answer)
    return 0


def _say_removed(answer: Json) -> None:
    say(life_words.removed(answer))
