"""Every statement of the lists; whoever changes one holds its row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from chassis.postgres import Connection
from chassis.queries import load_queries
from services.ingest.lists.block import BlockRecord
from services.ingest.uploading.staged import PATIENCE, finish_upload, take_longer, touch_upload

Q = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Counts:
    accepted: int
    rejected: int
    duplicates: int
    """Accepted rows whose number an earlier accepted row has."""


@dataclass(frozen=True, slots=True)
class StoredBlock:
    """A block as it is changed."""

    upload_id: UUID
    block_no: int
    base: int
    accepted: int
    rejected: int
    marks: list[int]
    """Of each row from its first to its last: 0 where the row is not called."""
    sealed: bytes


class ListGoneError(Exception):
    """There is no such list of this account, or not any more."""


async def insert(conn: Connection, list_id: UUID, account_id: str) -> None:
    await conn.execute(Q.insert_list, list_id, account_id)


async def lock(conn: Connection, list_id: UUID, account_id: str) -> None:
    """Raises ListGoneError."""
    if await conn.fetchval(Q.lock_list, list_id, account_id) is None:
        raise ListGoneError


async def created_at(conn: Connection, list_id: UUID, account_id: str) -> datetime:
    """Raises ListGoneError."""
    row = await conn.fetchrow(Q.list_of_account, list_id, account_id)
    if row is None:
        raise ListGoneError
    at: datetime = row["created_at"]
    return at


async def stage(
    conn: Connection, upload_id: UUID, first_no: int, blocks: Sequence[BlockRecord]
) -> None:
    """In the caller's transaction.  Raises UploadLostError."""
    await touch_upload(conn, upload_id)
    numbers = range(first_no, first_no + len(blocks))
    columns = zip(*blocks, strict=True)
    await conn.execute(Q.stage_blocks, upload_id, list(numbers), *map(list, columns))


async def attach(
    conn: Connection, list_id: UUID, upload_id: UUID, *, rows: int, columns: bytes
) -> None:
    """The blocks of an upload become a file of the list.  Raises UploadLostError."""
    await finish_upload(conn, upload_id)
    await conn.execute(Q.attach_file, list_id, upload_id, rows, columns)
    await take_longer(conn)
    await conn.execute(Q.work_in_memory)
    if await conn.fetchval(Q.has_twins, list_id, timeout=PATIENCE):
        await conn.execute(Q.tell_twins_of_file, list_id, upload_id, timeout=PATIENCE)


async def leave_twins(conn: Connection, list_id: UUID, row: int, mark: int) -> None:
    """The row is not called on this number any more."""
    await conn.execute(Q.leave_twins, list_id, row)
    await conn.execute(Q.forget_lonely, list_id, mark)


async def join_twins(conn: Connection, list_id: UUID, row: int, mark: int) -> None:
    """The row, whose block says so already, is called on this number."""
    if await conn.fetchval(Q.has_twins_of, list_id, mark):
        await conn.execute(Q.join_twins, list_id, [row], mark)
        return
    alike = [it["row"] for it in await conn.fetch(Q.rows_of_mark, list_id, mark)]
    if len(alike) > 1:
        await conn.execute(Q.join_twins, list_id, alike, mark)


async def twins(conn: Connection, list_id: UUID, rows: Sequence[int]) -> dict[int, int]:
    """The first row with the same number, for those that have an earlier one."""
    found = await conn.fetch(Q.twins, list_id, rows)
    return {row["row"]: row["earlier"] for row in found}


async def counts(conn: Connection, list_id: UUID) -> Counts:
    return Counts(**dict(await conn.fetchrow(Q.counts, list_id) or {}))


async def files(conn: Connection, list_id: UUID) -> list[Record]:
    return await conn.fetch(Q.files, list_id)


async def blocks(
    conn: Connection, list_id: UUID, *, after: int, state: str | None, at_most: int
) -> list[Record]:
    return await conn.fetch(Q.blocks, list_id, after, state, at_most)


async def block_of(conn: Connection, list_id: UUID, row: int) -> StoredBlock | None:
    found = await conn.fetchrow(Q.block_of_row, list_id, row)
    return None if found is None else StoredBlock(**dict(found))


async def change(conn: Connection, block: StoredBlock) -> None:
    await conn.execute(
        Q.change_block,
        block.upload_id,
        block.block_no,
        block.accepted,
        block.rejected,
        block.marks,
        block.sealed,
    )


async def drop_rejected(
    conn: Connection, blocks: Sequence[Record], sealed: Sequence[bytes]
) -> None:
    """The blocks without their rejected rows."""
    uploads = [block["upload_id"] for block in blocks]
    numbers = [block["block_no"] for block in blocks]
    await conn.execute(Q.drop_rejected, uploads, numbers, sealed)


async def delete(conn: Connection, list_id: UUID, account_id: str) -> None:
    """Raises ListGoneError."""
    if await conn.fetchval(Q.delete_list, list_id, account_id) is None:
        raise ListGoneError


async def deleted(conn: Connection) -> list[UUID]:
    return [row["list_id"] for row in await conn.fetch(Q.deleted_lists)]


async def forget(conn: Connection, list_id: UUID) -> None:
    """In the caller's transaction; the blocks are the sweeper's from here."""
    await conn.execute(Q.drop_files, list_id)
    await conn.execute(Q.forget_twins, list_id)
    await conn.execute(Q.forget_list, list_id)
