"""A batch is found by the status that is shown: RUNNING, while the end of a call is still to come.

Folded last: it looks at what the others have written.
"""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from chassis.postgres import Connection
from contracts.event import Event
from services.projections.domain.headcount import Created, Headcount, State
from services.projections.store import SEARCH

if TYPE_CHECKING:
    from asyncpg import Record


async def fold_endings(conn: Connection, events: Sequence[Event]) -> None:
    """Of batches whose status, size or calls were told of."""
    named = {event.batch_id.int: event.batch_id for event in events}  # type: ignore[attr-defined]
    if named:
        held = await conn.fetch(SEARCH.hold_completed, named.values())
        if held:
            await _settle(conn, [row["batch_id"] for row in held])


async def _settle(conn: Connection, batches: Collection[UUID]) -> None:
    counted = await headcounts(conn, batches)
    unfinished = [batch_id for batch_id, headcount in counted.items() if headcount.unfinished]
    await conn.execute(SEARCH.mark_unfinished, batches, unfinished)


async def headcounts(conn: Connection, batches: Collection[UUID]) -> dict[UUID, Headcount]:
    """Of those that both a command and a status were told of."""
    rows = await conn.fetch(SEARCH.headcounts, batches)
    return {row["batch_id"]: _headcount(row) for row in rows}


def _headcount(row: "Record") -> Headcount:
    return Headcount(
        created=Created.model_validate(row["created"]),
        state=State.model_validate(row["state"]),
        expired_epoch=row["expired_epoch"],
        total=row["total"],
        standings=row["standings"],
    )
