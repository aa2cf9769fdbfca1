"""A row that is mended counts as accepted in the same transaction, and so does its number."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from chassis.postgres import Connection, Pool
from services.ingest.domain.requests import RowRequest
from services.ingest.lists import store
from services.ingest.lists.block import Block, ListRow
from services.ingest.lists.opening import Lists, OpenList
from services.ingest.lists.rows import RowAnswer, shown
from services.ingest.lists.store import Counts, StoredBlock
from services.ingest.policies import Policies
from services.ingest.reading.columns import SETTINGS
from services.ingest.reading.policy import Policy
from services.ingest.reading.rows import Given, Note, check_row
from services.ingest.uploading.marks import NOBODY, Marks

AT_ONCE: Final = 20
"""Blocks of a transaction."""


class RowGoneError(Exception):
    """The list has no row of this number, or not any more."""


class UnknownVariableError(Exception):
    """A row's keys are those it came with."""

    def __init__(self, keys: list[str], known: list[str]) -> None:
        super().__init__("unknown variable")
        self.keys = keys
        self.known = known


class StillWrongError(Exception):
    """With the new values, too, the row cannot be called."""

    def __init__(self, row: int, errors: tuple[Note, ...]) -> None:
        super().__init__("still wrong")
        self.row = row
        self.errors = errors


def changed(given: Given, change: RowRequest) -> Given:
    """What the row says with the new values in it.  Raises UnknownVariableError."""
    new = change.model_dump(exclude_unset=True)
    variables: Mapping[str, str] = new.pop("variables", None) or {}
    if unknown := [key for key in variables if key not in given.variables]:
        raise UnknownVariableError(unknown, list(given.variables))
    settings: dict[str, str] = {name: new.pop(name) or "" for name in SETTINGS if name in new}
    texts = {name: "" if value is None else value for name, value in new.items()}
    return replace(
        given,
        **texts,
        variables={**given.variables, **variables},
        settings={**given.settings, **settings},
    )


def mended(row: ListRow, change: RowRequest, policy: Policy, *, number: int) -> tuple[ListRow, str]:
    """The row and the number it is called on.  Raises StillWrongError or UnknownVariableError."""
    given = changed(row.given, change)
    checked = check_row(number, row.line, given, policy)
    if checked.errors:
        raise StillWrongError(number, checked.errors)
    return ListRow(row.row, row.line, given, ()), checked.phone_number


@dataclass(frozen=True, slots=True)
class Place:
    """A row where it stands."""

    stored: StoredBlock
    block: Block
    row: ListRow

    @property
    def mark(self) -> int:
        return self.stored.marks[self.row.row - self.block.first_row]

    def changed(self, opened: OpenList, mark: int) -> StoredBlock:
        """The block as it is now; `mark`: of the row's number, if it is accepted."""
        place = self.row.row - self.block.first_row
        marks = [*self.stored.marks[:place], mark, *self.stored.marks[place + 1 :]]
        return replace(
            self.stored,
            accepted=self.block.accepted,
            rejected=len(self.block.errors),
            marks=marks,
            sealed=opened.seal.close(self.block),
        )


class Mending:
    def __init__(self, pool: Pool, lists: Lists, policies: Policies) -> None:
        self._pool = pool
        self._lists = lists
        self._policies = policies

    async def mend(
        self, account_id: str, list_id: UUID, row: int, change: RowRequest, *, dry_run: bool
    ) -> tuple[RowAnswer, Counts]:
        """The row as it is, or with `dry_run` would be, and the list's counts.

        Raises ListGoneError, RowGoneError, StillWrongError and UnknownVariableError.
        """
        opened = await self._lists.open(account_id, list_id)
        policy = await self._policies.of(account_id)
        async with self._pool.acquire() as conn, conn.transaction():
            await store.lock(conn, list_id, account_id)
            place = await _find(conn, opened, row)
            base = place.stored.base
            new, number = mended(place.row, change, policy, number=row)
            if not dry_run:
                place.block.put(new)
                await _put(conn, opened, place, Marks(opened.key).of([number])[0])
            twins = await store.twins(conn, list_id, [row])
            counts = await store.counts(conn, list_id)
        return shown(new, base, twins), counts

    async def remove(self, account_id: str, list_id: UUID, row: int) -> None:
        """Raises ListGoneError and RowGoneError."""
        opened = await self._lists.open(account_id, list_id)
        async with self._pool.acquire() as conn, conn.transaction():
            await store.lock(conn, list_id, account_id)
            place = await _find(conn, opened, row)
            place.block.remove(place.row.row)
            await _put(conn, opened, place, NOBODY)

    async def remove_rejected(self, account_id: str, list_id: UUID) -> Counts:
        """All of them, some blocks at a time: asked again it goes on.  Raises ListGoneError."""
        opened = await self._lists.open(account_id, list_id)
        while True:
            async with self._pool.acquire() as conn, conn.transaction():
                await store.lock(conn, list_id, account_id)
                blocks = await store.blocks(
                    conn, list_id, after=0, state="rejected", at_most=AT_ONCE
                )
                if not blocks:
                    return await store.counts(conn, list_id)
                await store.drop_rejected(
                    conn, blocks, await asyncio.to_thread(_without_rejected, opened, blocks)
                )


def _without_rejected(opened: OpenList, blocks: Sequence[Any]) -> list[bytes]:
    seal, sealed = opened.seal, []
    for it in blocks:
        block = seal.open(it["sealed"])
        for place in list(block.errors):
            block.remove(block.first_row + place)
        sealed.append(seal.close(block))
    return sealed


async def _find(conn: Connection, opened: OpenList, row: int) -> Place:
    stored = await store.block_of(conn, opened.list_id, row)
    if stored is None:
        raise RowGoneError
    block = opened.seal.open(stored.sealed)
    found = block.find(row - stored.base)
    if found is None:
        raise RowGoneError
    return Place(stored, block, found)


async def _put(conn: Connection, opened: OpenList, place: Place, mark: int) -> None:
    await store.change(conn, place.changed(opened, mark))
    if mark == place.mark:
        return
    row = place.stored.base + place.row.row
    if place.mark != NOBODY:
        await store.leave_twins(conn, opened.list_id, row, place.mark)
    if mark != NOBODY:
        await store.join_twins(conn, opened.list_id, row, mark)
