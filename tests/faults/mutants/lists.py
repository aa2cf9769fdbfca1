"""A list that takes in what comes: what breaks off later has left its half there."""

from typing import Any

from services.ingest.lists.block import Block
from services.ingest.lists.intake import ListIntake
from services.ingest.lists.store import Q


class AttachesFirst(ListIntake):
    """Makes a file the list's own with its first portion."""

    _opened: Any = None

    async def _stage(self, opened: Any, *rest: Any) -> Any:
        self._opened = opened
        return await super()._stage(opened, *rest)

    async def _store(self, file: Any, portion: Any) -> None:
        first, opened = not file.blocks, self._opened
        await super()._store(file, portion)
        async with self._pool.acquire() as conn:
            if first and await conn.fetchval(Q.list_of_account, opened.list_id, opened.account_id):
                columns = opened.seal.close(Block(portion.columns))
                said = (opened.list_id, file.upload_id, portion.rows, columns)
                await conn.execute(Q.attach_file, *said)

    async def _attach(self, conn: Any, opened: Any, file: Any, *rest: Any) -> Any:
        await conn.execute("DELETE FROM list_files WHERE upload_id = $1", file.upload_id)
        return await super()._attach(conn, opened, file, *rest)
