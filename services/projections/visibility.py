"""Read your writes: a read that names a position is answered from a model that has reached it."""

import asyncio
from typing import Final, Literal

from chassis.postgres import Connection, Pool
from chassis.wake import News
from services.projections.domain.position import BatchPosition, EntryPosition, Position
from services.projections.store import Q, reading

Rows = Literal["recipients", "rejections"]
"""What of a batch comes with its lists, some time after the batch itself."""
LANDED: Final[dict[Rows, str]] = {
    "recipients": Q.recipients_landed,
    "rejections": Q.rejections_landed,
}
OTHERS_COMMIT = 0.1
"""Seconds after which to look again: another instance may have folded what we wait for."""


class Visibility:
    def __init__(self, pool: Pool, news: News) -> None:
        self._pool = pool
        self._news = news

    async def reached(self, account_id: str, position: Position, rows: Rows | None) -> bool:
        async with reading(self._pool) as reads:
            match position:
                case BatchPosition():
                    return await _has_batch(reads.conn, position, rows)
                case EntryPosition():
                    return await _version(reads.conn, account_id, position) >= position.version

    async def wait(self, account_id: str, position: Position, rows: Rows | None = None) -> None:
        """Until the model is there, with all of a batch's rows if they are named.

        The caller bounds it.
        """
        while True:
            commit = self._news.next()
            if await self.reached(account_id, position, rows):
                return
            await _either(commit, OTHERS_COMMIT)


async def _has_batch(conn: Connection, position: BatchPosition, rows: Rows | None) -> bool:
    row = await conn.fetchrow(Q.batch_position, position.batch_id)
    if row is None or row["deleted"]:
        return row is not None
    if row["command_no"] < position.command_no or row["sequence"] < position.sequence:
        return False
    return rows is None or await conn.fetchval(LANDED[rows], position.batch_id)


async def _version(conn: Connection, account_id: str, entry: EntryPosition) -> int:
    match entry.kind:
        case "account":
            found = await conn.fetchval(Q.account_version, account_id)
        case "agent":
            found = await conn.fetchval(Q.agent_version, account_id, entry.entry_id)
        case "number":
            found = await conn.fetchval(Q.phone_number_version, account_id, entry.entry_id)
        case "suppression":
            found = await conn.fetchval(Q.suppression_version, account_id, entry.entry_id)
        case _:
            return entry.version  # not read here, so there is nothing to wait for
    return int(found or 0)


async def _either(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
