"""A batch as it happens: the same messages under the same ids for whoever follows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING
from uuid import UUID

from fastapi.sse import format_sse_event
from pydantic_core import to_json

from chassis.postgres import Pool
from chassis.queries import load_queries
from services.projections.api.history import show_entry
from services.projections.api.shapes import BatchShape
from services.projections.api.showing import show_batch
from services.projections.domain.place import Place
from services.projections.live.newsroom import Found
from services.projections.store import generation_of, reading

if TYPE_CHECKING:
    from asyncpg import Record

Q = load_queries(__file__)

PAGE = 500


@dataclass(frozen=True, slots=True)
class BatchOpening:
    """The batch and the position it stands for, read in one snapshot."""

    place: Place
    shape: BatchShape | None
    deleted: bool


async def open_batch(pool: Pool, account: str, batch_id: UUID) -> BatchOpening:
    async with reading(pool) as reads:
        generation = await generation_of(reads.conn)
        (stands,) = await reads.conn.fetch(Q.batches_stand, [batch_id])
        found = await reads.batches(account, [batch_id])
    ours = stands["account_id"] == account
    return BatchOpening(
        Place(generation, stands["last"]),
        show_batch(*found[0]) if found else None,
        deleted=ours and stands["deleted"],
    )


async def entries_since(pool: Pool, seen: Mapping[UUID, int]) -> dict[UUID, Found]:
    async with reading(pool) as reads:
        generation = await generation_of(reads.conn)
        stands = await reads.conn.fetch(Q.batches_stand, list(seen))
        rows = await reads.conn.fetch(Q.entries_since, list(seen), list(seen.values()), PAGE)
    by_batch = {
        batch_id: [(row["position"], entry(generation, row)) for row in of_one]
        for batch_id, of_one in groupby(rows, key=lambda row: row["batch_id"])
    }
    found = {}
    for row in stands:
        messages = by_batch.get(row["batch_id"], [])
        more = len(messages) == PAGE
        found[row["batch_id"]] = Found(
            generation,
            # nothing came of a duplicate but its position: who has seen all stands behind it
            messages[-1][0] if more else max(row["last"], seen[row["batch_id"]]),
            messages,
            more=more,
            last_words=gone(row["batch_id"], None) if row["deleted"] else b"",
        )
    return found


def entry(generation: str, row: "Record") -> bytes:
    place = Place(generation, row["position"])
    shown = show_entry(row).model_dump_json()
    return format_sse_event(event="entry", id=str(place), data_str=shown)


def gone(batch_id: UUID, place: Place | None) -> bytes:
    """Without a place, whoever comes back hears it again."""
    body = to_json({"batch_id": batch_id}).decode()
    return format_sse_event(event="deleted", id=str(place) if place else None, data_str=body)
