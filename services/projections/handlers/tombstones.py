"""Nothing of a deleted batch is written again, by whichever process and in whatever order."""

from collections.abc import Collection, Sequence
from uuid import UUID

from chassis.postgres import Connection
from contracts.batches import BatchDeleted
from contracts.event import Event
from contracts.topics import BATCH_STATUS, BATCHES, GATES
from services.projections.store import FOLDS, SEARCH

_OF_BATCHES = {kind for topic in (BATCHES, BATCH_STATUS, GATES) for kind in topic.events}


async def living(conn: Connection, events: Sequence[Event]) -> list[Event]:
    """The events without those of deleted batches, whose rows go; the other batches are held."""
    ids: list[UUID | None] = [getattr(event, "batch_id", None) for event in events]
    named = {batch_id.int: batch_id for batch_id in ids if batch_id is not None}.values()
    if not named:
        return list(events)
    deleted = {event.batch_id for event in events if type(event) is BatchDeleted}
    if deleted:
        await conn.execute(FOLDS.bury_batches, deleted)
        await conn.execute(FOLDS.erase_batches, deleted)
        await conn.execute(SEARCH.erase_searched, deleted)
    changed = {
        batch_id
        for event, batch_id in zip(events, ids, strict=True)
        if batch_id is not None and type(event) in _OF_BATCHES
    }
    if changed and len(await conn.fetch(SEARCH.hold_batches_alone, changed)) < len(changed):
        await conn.execute(FOLDS.meet_batches, changed)
        await conn.execute(SEARCH.hold_batches_alone, changed)
    dead = await _hold(conn, named)
    if not dead:
        return list(events)
    return [event for event, batch_id in zip(events, ids, strict=True) if batch_id not in dead]


async def _hold(conn: Connection, named: Collection[UUID]) -> set[UUID]:
    """Holds the batches to the end of the transaction; gives those that are deleted."""
    rows = await conn.fetch(FOLDS.hold_batches, named)
    if len(rows) < len(named):
        await conn.execute(FOLDS.meet_batches, named)
        rows = await conn.fetch(FOLDS.hold_batches, named)
    return {row["batch_id"] for row in rows if row["deleted"]}
