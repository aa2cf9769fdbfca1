"""A chunk lands once, however often it comes; of a deleted batch only the skeleton is kept."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from chassis.postgres import Connection
from contracts.recipients import RecipientsAdded
from services.scheduler.domain.hours import zones_key
from services.scheduler.handlers.known import Known, hold
from services.scheduler.store import Q, columns


async def fold_chunks(conn: Connection, chunks: Sequence[RecipientsAdded]) -> None:
    if not chunks:
        return
    known = await hold(conn, {chunk.batch_id for chunk in chunks})
    landed = {(c.addition_id, c.batch_id, c.chunk_no) for c in chunks}
    await conn.execute(Q.land_chunks, *columns(sorted(landed), 3))
    rows = {row[0]: row for chunk in chunks for row in _rows(chunk, known)}
    await conn.execute(Q.land_recipients, *columns(rows.values(), 10))
    zones = {(row[1], row[6]) for row in rows.values() if row[5] is not None}
    if zones:
        await conn.execute(Q.land_zones, *columns(sorted(zones), 2))


def _rows(chunk: RecipientsAdded, known: Mapping[UUID, Known]) -> Iterator[tuple[Any, ...]]:
    batch = known[chunk.batch_id]
    window = batch.created.window if batch.created else None
    for entry in chunk.recipients:
        about = (entry.recipient_id, chunk.batch_id, chunk.account_id, chunk.addition_id, entry.row)
        if batch.deleted:
            yield (*about, None, "", None, None, entry.same_number_as)
        else:
            key = zones_key(window, entry.zones)
            rest = (entry.not_before, entry.from_number, entry.same_number_as)
            yield (*about, entry.sealed, key, *rest)
