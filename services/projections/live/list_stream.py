"""The list as it changes: each batch that has, as it stands, at most once a round.

Changes are numbered by account in the order of their commits, so whoever names the last number seen
gets every batch that has changed since, as it is now.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi.sse import format_sse_event

from chassis.postgres import Pool
from services.projections.api.shapes import BatchShape
from services.projections.api.showing import show_batch
from services.projections.domain.place import Place
from services.projections.live.batch_stream import Q, gone
from services.projections.live.newsroom import Found
from services.projections.store import Reads, generation_of, reading

NEWEST = 50
PAGE = 50


@dataclass(frozen=True, slots=True)
class ListOpening:
    """The newest batches and the number they stand for, read in one snapshot."""

    place: Place
    shapes: list[BatchShape]


async def open_list(pool: Pool, account: str) -> ListOpening:
    async with reading(pool) as reads:
        generation = await generation_of(reads.conn)
        last = await reads.conn.fetchval(Q.list_stands, account)
        ids = await reads.batches_page(account, status=None, search=None, after=None, limit=NEWEST)
        found = await reads.batches(account, ids)
    return ListOpening(Place(generation, last or 0), [show_batch(*each) for each in found])


async def changes_since(pool: Pool, seen: Mapping[str, int]) -> dict[str, Found]:
    async with reading(pool) as reads:
        generation = await generation_of(reads.conn)
        return {
            account: await _changes(reads, generation, account, position)
            for account, position in seen.items()
        }


async def _changes(reads: Reads, generation: str, account: str, seen: int) -> Found:
    last = await reads.conn.fetchval(Q.list_stands, account)
    rows = await reads.conn.fetch(Q.changes_since, account, seen, PAGE)
    living = [row["batch_id"] for row in rows if not row["deleted"]]
    batches = {each.batch_id: (each, now) for each, now in await reads.batches(account, living)}
    messages = []
    for row in rows:
        batch_id, place = row["batch_id"], Place(generation, row["change"])
        if row["deleted"]:
            messages.append((place.position, gone(batch_id, place)))
        elif batch_id in batches:  # else only a part of it has been read so far
            shown = show_batch(*batches[batch_id]).model_dump_json()
            message = format_sse_event(event="batch", id=str(place), data_str=shown)
            messages.append((place.position, message))
    more = len(rows) == PAGE
    upto = rows[-1]["change"] if more else max(seen, last or 0)
    return Found(generation, upto, messages, more=more)
