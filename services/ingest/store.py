"""Every statement of this service: a fold may be repeated, a write under a lost claim fails."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from chassis.postgres import Connection
from chassis.queries import load_queries
from contracts.batches import BatchCommand, BatchCreated
from contracts.calendar import RECIPIENT
from contracts.codec import Encoded
from contracts.directory import (
    AccountConfigured,
    AgentEvent,
    DirectoryEvent,
    PhoneNumberEvent,
)
from contracts.topics import EVENT_OF
from services.ingest.domain.batch import Directory
from services.ingest.domain.chunks import Stream, Uploaded, added, rejected
from services.ingest.domain.directory import account_key, agent_key, number_key
from services.ingest.domain.requests import BatchRequest
from services.ingest.uploading.staged import LEASE, finish_upload, give_to_sweeper

Q = load_queries(__file__)


class BatchExistsError(Exception):
    """The log has the batch of this key; its first answer was lost with an older database."""

    def __init__(self, batch_id: UUID) -> None:
        super().__init__("the batch is there")
        self.batch_id = batch_id


async def now(conn: Connection) -> datetime:
    at: datetime = await conn.fetchval(Q.now)
    return at


async def entries(conn: Connection, keys: Iterable[str]) -> dict[str, DirectoryEvent]:
    rows = await conn.fetch(Q.directory_entries, list(keys))
    return {row["key"]: _entry(row["type"], row["body"]) for row in rows}


async def named(conn: Connection, account_id: str, request: BatchRequest | None) -> Directory:
    """What a request may name; the account is configured before any request."""
    account, agent = account_key(account_id), ""
    if request is not None:
        agent = agent_key(account_id, request.agent_id)
    known = await entries(conn, (account, agent))
    rows = await conn.fetch(Q.directory_entries_under, number_key(account_id, ""))
    numbers = [PhoneNumberEvent.model_validate(row["body"]) for row in rows]
    found = known.get(agent)
    list_id = request.recipient_list_id if request else None
    return Directory(
        account=AccountConfigured.model_validate(known[account]),
        agent=found if isinstance(found, AgentEvent) else None,
        numbers={number.phone_number: number for number in numbers},
        has_list=list_id is None or await conn.fetchval(Q.has_list, account_id, list_id),
    )


async def lock_entry(conn: Connection, key: str) -> None:
    await conn.execute(Q.lock_entry, key)


async def fold_directory(conn: Connection, events: Sequence[DirectoryEvent]) -> None:
    await conn.execute(
        Q.fold_directory,
        [event.key for event in events],
        [event.version for event in events],
        [type(event).__name__ for event in events],
        [event.model_dump(mode="json") for event in events],
    )


async def fold_commands(conn: Connection, events: Sequence[BatchCommand]) -> None:
    await conn.execute(
        Q.fold_commands,
        [event.batch_id for event in events],
        [event.account_id for event in events],
        [event.command_no for event in events],
    )


async def fold_additions(conn: Connection, events: Sequence[BatchCreated]) -> None:
    additions = [event.addition for event in events]
    await conn.execute(
        Q.fold_additions,
        [addition.addition_id for addition in additions],
        [event.batch_id for event in events],
        [addition.chunks for addition in additions],
        [addition.rejection_chunks for addition in additions],
        [addition.last_row for addition in additions],
        [addition.list_id for addition in additions],
    )


async def forgotten_streams(conn: Connection) -> list[Stream]:
    return [Stream(**dict(row)) for row in await conn.fetch(Q.forgotten_streams)]


async def settle(conn: Connection, stream: Stream, *, landed: bool) -> bool:
    """False: another instance has settled it."""
    state = "done" if landed else "lost"
    return await conn.fetchval(Q.settle_addition, stream.addition_id, state) is not None


async def insert_batch(conn: Connection, created: BatchCreated) -> None:
    """Raises BatchExistsError."""
    kept = (created.window.timezone == RECIPIENT, created.on_invalid == "reject")
    if await conn.fetchval(Q.insert_batch, created.batch_id, created.account_id, *kept) is None:
        raise BatchExistsError(created.batch_id)


async def add(conn: Connection, batch_id: UUID, uploaded: Uploaded) -> None:
    """The chunks of an upload become an addition's.  Raises UploadLostError."""
    await finish_upload(conn, uploaded.upload_id)
    await conn.execute(
        Q.insert_addition,
        uploaded.addition_id,
        batch_id,
        uploaded.upload_id,
        uploaded.chunks,
        uploaded.rejection_chunks,
        uploaded.last_row,
        uploaded.list_id,
    )


async def claim_stream(conn: Connection) -> Stream | None:
    row = await conn.fetchrow(Q.claim_stream)
    return None if row is None else Stream(**dict(row))


async def next_chunks(
    conn: Connection, stream: Stream, at_most: int, *, at: datetime
) -> list[Encoded] | None:
    """Recipients first, then the error log; None: some of them are lost."""
    if stream.next_chunk < stream.chunks:
        query, encoded = Q.chunks, added
        first, end = stream.next_chunk, stream.chunks
    else:
        query, encoded = Q.rejection_chunks, rejected
        first, end = stream.next_rejection_chunk, stream.rejection_chunks
    last = min(first + at_most, end)
    rows = await conn.fetch(query, stream.upload_id, first, last)
    if [row["chunk_no"] for row in rows] != list(range(first, last)):
        return None
    return await asyncio.to_thread(lambda: [encoded(stream, row, at=at) for row in rows])


async def advance(conn: Connection, stream: Stream) -> None:
    """The pointer; the log has all of a list that is done, and its chunks go to the sweeper."""
    progress = (stream.next_chunk, stream.next_rejection_chunk)
    await conn.execute(Q.advance_addition, stream.addition_id, *progress)
    if stream.done:
        await give_to_sweeper(conn, stream.upload_id)


async def lose(conn: Connection, stream: Stream) -> None:
    """What is left of its chunks goes to the sweeper."""
    await conn.execute(Q.lose_addition, stream.addition_id)
    await give_to_sweeper(conn, stream.upload_id)


async def next_command_no(conn: Connection, batch_id: UUID) -> int:
    command_no: int = await conn.fetchval(Q.next_command_no, batch_id)
    return command_no


async def claim_key(
    conn: Connection, account_id: str, key: str, digest: bytes, holder: UUID
) -> bool:
    return await conn.fetchval(Q.claim_key, account_id, key, digest, holder, LEASE) is not None


async def held_key(conn: Connection, account_id: str, key: str) -> Record | None:
    return await conn.fetchrow(Q.held_key, account_id, key)


async def answer_key(
    conn: Connection, holder: UUID, status: int, headers: dict[str, str], scope: str, answer: str
) -> bool:
    args = (holder, status, headers, scope, answer)
    return await conn.fetchval(Q.answer_key, *args) is not None


def _entry(name: str, body: object) -> DirectoryEvent:
    event = EVENT_OF[name].model_validate(body)
    if not isinstance(event, DirectoryEvent):
        raise TypeError(name)
    return event
