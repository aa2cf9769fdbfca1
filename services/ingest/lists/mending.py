"""A row that is mended counts as accepted in the same transaction, and so does its number."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from chassis.postgres import Connection, Pool
from services.ingest.domain.requests import RowRequest
from services.ingest.lists import store
from services.ingest.lists.block import Block, ListRow
from services.ingest.lists.opening import Lists, OpenList
from services.ingest.lists.rows import shown
from services.ingest.lists.store import StoredBlock
from services.ingest.marks import Marks
from services.ingest.policies import Policies
from services.ingest.reading.columns import SETTINGS
from services.ingest.reading.policy import Policy
from services.ingest.reading.rows import Given, Note, check_row


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

    def changed(self, block: Block, opened: OpenList, mark: int | None) -> StoredBlock:
        """The block with the row as it is now; `mark`: of its number, if it is accepted."""
        marks = dict(zip(self.stored.accepted, self.stored.marks, strict=True))
        marks.pop(self.row.row, None)
        if mark is not None:
            marks[self.row.row] = mark
        accepted = sorted(marks)
        return replace(
            self.stored,
            accepted=accepted,
            marks=[marks[row] for row in accepted],
            sealed=opened.seal.close(block.columns, block.rows),
        )

    @property
    def mark(self) -> int | None:
        marks = dict(zip(self.stored.accepted, self.stored.marks, strict=True))
        return marks.get(self.row.row)


class Mending:
    def __init__(self, pool: Pool, lists: Lists, policies: Policies) -> None:
        self._pool = pool
        self._lists = lists
        self._policies = policies

    async def mend(
        self, account_id: str, list_id: UUID, row: int, change: RowRequest, *, dry_run: bool
    ) -> dict[str, Any]:
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
                (mark,) = Marks(opened.key).of([number])
                await _put(conn, opened, place, place.block.with_row(new), mark)
            twins = await store.twins(conn, list_id, [row])
            counts = await store.counts(conn, list_id)
        return shown(new, base, twins) | {"list": counts}

    async def remove(self, account_id: str, list_id: UUID, row: int) -> None:
        """Raises ListGoneError and RowGoneError."""
        opened = await self._lists.open(account_id, list_id)
        async with self._pool.acquire() as conn, conn.transaction():
            await store.lock(conn, list_id, account_id)
            place = await _find(conn, opened, row)
            await _put(conn, opened, place, place.block.without(place.row.row), None)


async def _find(conn: Connection, opened: OpenList, row: int) -> Place:
    stored = await store.block_of(conn, opened.list_id, row)
    if stored is None:
        raise RowGoneError
    block = opened.seal.open(stored.sealed)
    for each in block:
        if stored.base + each.row == row:
            return Place(stored, block, each)
    raise RowGoneError


async def _put(
    conn: Connection, opened: OpenList, place: Place, block: Block, mark: int | None
) -> None:
    stored = place.changed(block, opened, mark)
    await store.change(conn, stored, rejected=len(block.rows) - len(stored.accepted))
    await store.tell_twins(
        conn, opened.list_id, [it for it in {place.mark, mark} if it is not None]
    )
