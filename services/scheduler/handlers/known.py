"""What rows are derived from is held while they are: no creation or deletion slips in between."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from chassis.postgres import Connection
from contracts.batches import BatchCreated
from services.scheduler.store import Q


@dataclass(frozen=True, slots=True)
class Known:
    created: BatchCreated | None
    """None: it has not come yet; its fold then makes good what was derived without it."""
    deleted: bool


async def hold(conn: Connection, batch_ids: Iterable[UUID]) -> dict[UUID, Known]:
    rows = await conn.fetch(Q.hold_batches, sorted(batch_ids))
    return {
        row["batch_id"]: Known(
            BatchCreated.model_validate_json(row["created"]) if row["created"] else None,
            row["deleted"],
        )
        for row in rows
    }
