"""Inboxes that are wrong in one way each; the tests of the real one must find them out."""

import asyncio
from collections.abc import Sequence

from chassis.apply import Applied, Q
from chassis.inbox import Inbox
from chassis.pages import Page


class OffsetsFirst(Inbox):
    """Says that it has read before it has folded: a crash in between forgets records."""

    between = 0.0

    async def _apply(self, pages: Sequence[Page]) -> Applied:
        async with self._pool.acquire() as conn, conn.transaction():
            moved = await conn.fetch(
                Q.move_offsets + " RETURNING o.topic, o.partition",
                [page.topic for page in pages],
                [page.partition.partition for page in pages],
                [page.since for page in pages],
                [page.upto for page in pages],
                [page.marked_offset for page in pages],
                [page.marked_at for page in pages],
            )
        ours = {(row["topic"], row["partition"]) for row in moved}
        applied = Applied()
        for page in pages:
            if (page.topic, page.partition.partition) in ours:
                applied.folded += page.records
            else:
                applied.fenced.add(page.partition)
        if applied.folded:
            await asyncio.sleep(self.between)
            async with self._pool.acquire() as conn, conn.transaction():
                await self._fold(conn, applied.folded)
        return applied


class OffsetsLongFirst(OffsetsFirst):
    """So that a crash at any moment has some likelihood to come in between."""

    between = 0.15


class NeverFenced(Inbox):
    """Does not look whether another instance has read on: what both have read is folded twice."""

    async def _apply(self, pages: Sequence[Page]) -> Applied:
        applied = Applied(folded=[record for page in pages for record in page.records])
        async with self._pool.acquire() as conn, conn.transaction():
            await self._fold(conn, applied.folded)
            await conn.execute(
                "UPDATE inbox_offsets AS o SET next_offset = greatest(o.next_offset, t.upto) "
                "FROM unnest($1::text[], $2::int[], $3::bigint[]) AS t (topic, partition, upto) "
                "WHERE o.topic = t.topic AND o.partition = t.partition",
                [page.topic for page in pages],
                [page.partition.partition for page in pages],
                [page.upto for page in pages],
            )
        return applied
