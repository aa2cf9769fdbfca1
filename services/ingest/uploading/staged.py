"""A list on its way in is nobody's: whoever does not finish it in time has sent nothing."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from chassis.postgres import Connection
from chassis.queries import load_queries

Q = load_queries(__file__)
Record = tuple[Any, ...]

LEASE = timedelta(seconds=60)
"""How long an upload may be silent before it is given up as dead."""


PATIENCE = 310.0
"""Seconds, for a statement over a whole list: longer than the database has for it."""


class UploadLostError(Exception):
    """The upload was silent for so long that its rows were dropped: it must be sent again."""


async def begin_upload(conn: Connection, upload_id: UUID) -> None:
    await conn.execute(Q.begin_upload, upload_id)


async def touch_upload(conn: Connection, upload_id: UUID) -> None:
    """It lives, and keeps its Idempotency-Key.  Raises UploadLostError."""
    if await conn.fetchval(Q.touch_upload, upload_id, LEASE) is None:
        raise UploadLostError


async def keep(conn: Connection, upload_id: UUID) -> None:
    """The same, for whoever waits: nothing is wrong if it is not there yet, or not any more."""
    await conn.execute(Q.keep_key, upload_id, LEASE)
    await conn.execute(Q.keep_upload, upload_id)


async def finish_upload(conn: Connection, upload_id: UUID) -> None:
    """What was staged is somebody's in this transaction.  Raises UploadLostError."""
    if await conn.fetchval(Q.finish_upload, upload_id) is None:
        raise UploadLostError


async def take_longer(conn: Connection) -> None:
    """This transaction, for statements over a whole list."""
    await conn.execute(Q.take_longer)


async def stage(
    conn: Connection, upload_id: UUID, chunks: Sequence[Record], rejections: Sequence[Record]
) -> None:
    """In the caller's transaction; each record begins with its number.

    Raises UploadLostError.
    """
    await touch_upload(conn, upload_id)
    for query, records in ((Q.stage_chunks, chunks), (Q.stage_rejections, rejections)):
        if records:
            await conn.execute(query, upload_id, *map(list, zip(*records, strict=True)))


async def mark_same_numbers(conn: Connection, upload_id: UUID) -> None:
    """In a transaction of its own."""
    await take_longer(conn)
    await conn.execute(Q.mark_same_numbers, upload_id, timeout=PATIENCE)


async def abandon(conn: Connection, upload_id: UUID) -> None:
    """Lets go of the upload and of the key it held."""
    await conn.execute(Q.drop_upload, upload_id)
    await conn.execute(Q.release_key, upload_id)


async def give_to_sweeper(conn: Connection, upload_id: UUID) -> None:
    """Chunks that are nobody's any more."""
    await conn.execute(Q.give_to_sweeper, upload_id)


async def drop_dead_uploads(conn: Connection) -> None:
    await conn.execute(Q.drop_dead_uploads, LEASE)


async def dropped_uploads(conn: Connection) -> list[UUID]:
    return [row["upload_id"] for row in await conn.fetch(Q.dropped_uploads)]


async def purge_some_chunks(conn: Connection, upload_id: UUID) -> bool:
    """Of a batch or of a list; False: none were left."""
    chunks = await conn.execute(Q.purge_some_chunks, upload_id)
    blocks = await conn.execute(Q.purge_some_blocks, upload_id)
    return (chunks, blocks) != ("DELETE 0", "DELETE 0")


async def forget_upload(conn: Connection, upload_id: UUID) -> None:
    await conn.execute(Q.purge_rejections, upload_id)
    await conn.execute(Q.forget_upload, upload_id)
