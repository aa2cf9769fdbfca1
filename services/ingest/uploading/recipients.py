"""Wherever they are, in a file, a body or a list, recipients come alike, portion by portion."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar
from uuid import UUID

from chassis.postgres import Pool
from services.ingest.domain.batch import LIST_NOT_FOUND, LIST_TOO_MANY, RefusedError
from services.ingest.lists.opening import Lists
from services.ingest.lists.pages import ListReading
from services.ingest.lists.store import ListGoneError
from services.ingest.uploading.sources import Job, Making, Source
from services.ingest.uploading.workers import Workers

P = TypeVar("P")
P_co = TypeVar("P_co", covariant=True)


class Portions(Protocol[P_co]):
    async def next(self) -> P_co | None:
        """None: there are no more."""


class Nobody:
    async def next(self) -> None:
        """There are none."""


class Recipients:
    def __init__(self, pool: Pool, lists: Lists, workers: Workers) -> None:
        self._pool = pool
        self._lists = lists
        self._workers = workers

    @asynccontextmanager
    async def made(
        self,
        account_id: str,
        source: Source | None,
        list_id: UUID | None,
        making: Making[P],
    ) -> AsyncIterator[Portions[P]]:
        """What they become.  Raises RefusedError, FileRefusedError or BodyRefusedError."""
        if source is not None and list_id is not None:
            raise RefusedError([LIST_TOO_MANY])
        if source is not None:
            async with self._workers.reading(Job(source, making)) as reading:
                yield reading
        elif list_id is not None:
            try:
                opened = await self._lists.open(account_id, list_id)
                yield ListReading(self._pool, self._workers, opened, making)
            except ListGoneError:  # before the first of them, or on the way
                raise RefusedError([LIST_NOT_FOUND]) from None
        else:
            yield Nobody()
