"""The rows of a list, block by block, judged anew where they are to be called.

A row that was rejected stays so until somebody mends it, whatever has changed about the account.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from chassis.postgres import Pool
from services.ingest.lists import store
from services.ingest.lists.opening import OpenList
from services.ingest.reading.policy import Policy
from services.ingest.reading.rows import CheckedRow, check_row
from services.ingest.uploading.sources import Making
from services.ingest.uploading.workers import Workers

AT_ONCE = 4
"""Blocks, of 1 MB or so at most."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page:
    """Some blocks as they are stored; it can be handed to another process."""

    opened: OpenList
    blocks: Sequence[tuple[int, bytes]]
    """Each with the number of the last row before its file."""

    def rows(self, policy: Policy) -> Iterator[CheckedRow]:
        seal = self.opened.seal
        for base, sealed in self.blocks:
            for row in seal.open(sealed):
                checked = check_row(base + row.row, row.line, row.given, policy)
                yield replace(checked, errors=row.errors) if row.errors else checked


def make(page: Page, making: Making[T]) -> list[T]:
    """In another process."""
    return list(making.portions(page.rows(making.policy)))


class ListReading(Generic[T]):
    """What is made of a list's rows, in turn."""

    def __init__(self, pool: Pool, workers: Workers, opened: OpenList, making: Making[T]) -> None:
        self._pool = pool
        self._workers = workers
        self._opened = opened
        self._making = making
        self._after = 0
        self._made = deque[T]()

    async def next(self) -> T | None:
        """None: there are no more.  Raises ListGoneError."""
        while not self._made:
            opened = self._opened
            async with self._pool.acquire() as conn:
                blocks = await store.blocks(
                    conn, opened.list_id, after=self._after, state=None, at_most=AT_ONCE
                )
                if not blocks:
                    # what is left of a list that was deleted meanwhile is not its end
                    await store.created_at(conn, opened.list_id, opened.account_id)
                    return None
            self._after = blocks[-1]["base"] + blocks[-1]["last_row"]
            page = Page(opened, [(it["base"], it["sealed"]) for it in blocks])
            size = sum(len(sealed) for _, sealed in page.blocks)
            self._made.extend(await self._workers.run(size, make, page, self._making))
        return self._made.popleft()
