"""A list and its rows as they are answered: opened here, and nowhere stored in clear."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime
from itertools import islice
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel

from chassis.postgres import Connection, Pool
from services.ingest.lists import store
from services.ingest.lists.block import ListRow
from services.ingest.lists.opening import Lists, OpenList
from services.ingest.lists.rows import RowAnswer, State, shown
from services.ingest.lists.searching import Search
from services.ingest.reading.columns import Column, suggestion

SAMPLE: Final = 100
SEARCHES: Final = 2
"""At once: each reads a whole list if need be."""
AT_ONCE: Final = 4
"""Blocks, of 1 MB or so at most."""


class ColumnAnswer(BaseModel):
    name: str
    role: str
    """In the words of a mapping."""


class Mapping(BaseModel):
    columns: dict[str, str]


class ListAnswer(BaseModel):
    list_id: UUID
    created_at: datetime
    accepted: int
    rejected: int
    duplicates: int
    """Accepted rows whose number an earlier accepted row has."""
    columns: list[ColumnAnswer]
    suggestion: Mapping
    """What the columns may be meant as: to be sent as `mapping` with the file."""
    rejected_sample: list[RowAnswer]


Found = tuple[int, ListRow]
"""A row, and the number of the last row before its file."""


class Answers:
    def __init__(self, pool: Pool, lists: Lists) -> None:
        self._pool = pool
        self._lists = lists
        self._searches = asyncio.Semaphore(SEARCHES)

    async def read(self, account_id: str, list_id: UUID) -> ListAnswer:
        """Raises ListGoneError."""
        opened = await self._lists.open(account_id, list_id)
        async with self._pool.acquire() as conn:
            return await self.of_list(conn, opened)

    async def page(
        self,
        account_id: str,
        list_id: UUID,
        *,
        after: int,
        state: State | None,
        search: Search | None,
        at_most: int,
    ) -> tuple[list[RowAnswer], int | None]:
        """Rows by their number, and the last of them if there may be more.

        Raises ListGoneError.
        """
        opened = await self._lists.open(account_id, list_id)
        async with self._searches if search else nullcontext():
            return await self.rows(
                self._pool.acquire, opened, after=after, state=state, search=search, at_most=at_most
            )

    async def of_list(self, conn: Connection, opened: OpenList) -> ListAnswer:
        """Raises ListGoneError."""
        list_id = opened.list_id
        created_at = await store.created_at(conn, list_id, opened.account_id)
        counts = await store.counts(conn, list_id)
        columns = await self.columns(conn, opened)
        # what this transaction has done is to be seen
        sample, _ = await self.rows(
            lambda: nullcontext(conn), opened, state="rejected", at_most=SAMPLE
        )
        return ListAnswer(
            list_id=list_id,
            created_at=created_at,
            accepted=counts.accepted,
            rejected=counts.rejected,
            duplicates=counts.duplicates,
            columns=[ColumnAnswer(name=it.header, role=it.word) for it in columns],
            suggestion=Mapping(columns=suggestion([it.header for it in columns], columns)),
            rejected_sample=sample,
        )

    async def columns(self, conn: Connection, opened: OpenList) -> list[Column]:
        """Of all its files, each header once, as the newest file has it."""
        seal = opened.seal
        merged = dict[str, Column]()
        for file in await store.files(conn, opened.list_id):
            merged |= {column.header: column for column in seal.open(file["columns"]).columns}
        return list(merged.values())

    async def rows(
        self,
        connected: Callable[[], AbstractAsyncContextManager[Connection]],
        opened: OpenList,
        *,
        after: int = 0,
        state: State | None = None,
        search: Search | None = None,
        at_most: int,
    ) -> tuple[list[RowAnswer], int | None]:
        """Nobody's connection is held while blocks are opened."""
        found, more = list[Found](), True
        seen = after
        while more and len(found) < at_most:
            async with connected() as conn:
                blocks = await store.blocks(
                    conn, opened.list_id, after=seen, state=state, at_most=AT_ONCE
                )
            wanted = at_most - len(found)
            found += await asyncio.to_thread(
                _matching, opened, blocks, after, state, search, wanted
            )
            more = len(blocks) == AT_ONCE
            if blocks:
                seen = blocks[-1]["base"] + blocks[-1]["last_row"]
        numbers = [base + row.row for base, row in found]
        async with connected() as conn:
            twins = await store.twins(conn, opened.list_id, numbers)
        answers = await asyncio.to_thread(lambda: [shown(row, base, twins) for base, row in found])
        return answers, numbers[-1] if len(found) == at_most else None


def _matching(
    opened: OpenList,
    blocks: Sequence[Any],
    after: int,
    state: State | None,
    search: Search | None,
    at_most: int,
) -> list[Found]:
    rows = _rows(opened, blocks, search)
    return list(
        islice(
            (
                (base, row)
                for base, row in rows
                if base + row.row > after
                and (state is None or row.accepted == (state == "accepted"))
                and (search is None or search.finds(row.given))
            ),
            at_most,
        )
    )


def _rows(opened: OpenList, blocks: Sequence[Any], search: Search | None) -> Iterator[Found]:
    seal = opened.seal
    for block in blocks:
        text = seal.text(block["sealed"])
        if search is None or search.may_find(text.decode()):
            for row in seal.read(text):
                yield block["base"], row
