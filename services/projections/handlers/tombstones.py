"""Nothing of a deleted batch is written again, by whichever process and in whatever order."""

from collections.abc import Sequence
from uuid import UUID

from chassis.postgres import Connection
from contracts.batches import BatchDeleted
from contracts.event import Event
from services.projections.store import FOLDS


def _batch_of(event: Event) -> UUID | None:
    return getattr(event, "batch_id", None)


async def living(conn: Connection, events: Sequence[Event]) -> list[Event]:
    """The events without those of deleted batches, whose rows go; the other batches are held."""
    named = {batch_id for event in events if (batch_id := _batch_of(event))}
    if not named:
        return list(events)
    deleted = {event.batch_id for event in events if isinstance(event, BatchDeleted)}
    if deleted:
        await conn.execute(FOLDS.bury_batches, deleted)
        await conn.execute(FOLDS.erase_batches, deleted)
    dead = await _hold(conn, named)
    return [event for event in events if _batch_of(event) not in dead] if dead else list(events)


async def _hold(conn: Connection, named: set[UUID]) -> set[UUID]:
    """Holds the batches to the end of the transaction; gives those that are deleted."""
    rows = await conn.fetch(FOLDS.hold_batches, named)
    if len(rows) < len(named):
        await conn.execute(FOLDS.meet_batches, named)
        rows = await conn.fetch(FOLDS.hold_batches, named)
    return {row["batch_id"] for row in rows if row["deleted"]}
