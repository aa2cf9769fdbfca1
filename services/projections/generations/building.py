"""A new generation grows beside the live one, a page a transaction: killed anywhere, it goes on."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

import asyncpg
import structlog

from chassis.apply import Fold
from chassis.postgres import Connection
from chassis.records import Received
from chassis.replay import Place, replay
from contracts.topics import TOPICS, Topic
from services.projections.generations.definition import Definition, Q, create, stay_in

if TYPE_CHECKING:
    from asyncpg import Record

log = structlog.get_logger()

MOST_TRIES = 20
Told = Callable[[int, int], None]
"""Is told how many of how many records have been read."""


def nobody(_: int, __: int) -> None:
    """Is told, and keeps it to itself."""


@dataclass(frozen=True, slots=True)
class Log:
    kafka: str
    prefix: str


@dataclass(frozen=True, slots=True)
class Share:
    """Of the partitions, and how far to read them."""

    upto: Mapping[Place, int]
    held_back: frozenset[tuple[str, int, int]]
    nth: int = 0
    of: int = 1

    def place(self, topic: Topic, partition: int) -> int:
        """Where to end."""
        ours = partition % self.of == self.nth
        return self.upto.get((topic.name, partition), 0) if ours else 0


Hand = Callable[[Share], Awaitable[int]]
"""Reads a share somewhere else, and gives how many records it folded."""


@dataclass
class Building:
    conn: Connection
    number: int
    log: Log
    fold: Fold
    told: Told = nobody
    records: int = 0
    """Folded by us and our hands."""
    resumed: int = 0
    """Read by whoever was killed before us."""
    _stands: dict[Place, int] = field(default_factory=dict)
    _upto: dict[Place, int] = field(default_factory=dict)

    @property
    def behind(self) -> int:
        """Records that are still to be read, at most."""
        return sum(max(0, at - self._stands.get(it, 0)) for it, at in self._upto.items())

    async def look(self) -> None:
        """Where the live model stands at this moment, and where this one does."""
        self._upto = _places(await self.conn.fetch(Q.live_offsets))
        await self._note()

    async def read_up(self, *hands: Hand) -> None:
        """To where the live model stood when we looked; each hand takes a share of it."""
        if not self.behind:
            return  # without asking the broker: the writers may be standing still
        held_back = frozenset(tuple(row) for row in await self.conn.fetch(Q.held_back))
        shares = (Share(self._upto, held_back, n, len(hands) + 1) for n in range(len(hands) + 1))
        reading = [
            asyncio.ensure_future(read(share))
            for read, share in zip((self.read, *hands), shares, strict=True)
        ]
        try:
            self.records += sum(await asyncio.gather(*reading))
        finally:
            for each in reading:
                each.cancel()
            await asyncio.wait(reading)
        await self._note()
        self._stands |= self._upto  # what is not ours at the end of a partition counts as read

    async def read(self, share: Share) -> int:
        return await replay(
            self.log.kafka,
            self.log.prefix,
            TOPICS,
            {(it.name, n): share.place(it, n) for it in TOPICS for n in range(it.partitions)},
            self._page,
            self.conn,
            since=dict(self._stands),
            held_back=share.held_back,
        )

    async def _page(self, conn: Connection, records: list[Received]) -> None:
        for attempt in count(1):
            try:
                await self._fold(conn, records)
            except asyncpg.DeadlockDetectedError:  # with another hand, which goes on
                log.info("page_folded_again", attempt=attempt)
                if attempt == MOST_TRIES:
                    raise
            else:
                break
        await self._note()

    async def _fold(self, conn: Connection, records: list[Received]) -> None:
        moved = {(r.topic, r.partition): r.offset + 1 for r in records}
        rows = [(*place, offset) for place, offset in moved.items()]
        async with conn.transaction():
            await conn.execute(Q.unflushed)
            await self.fold(conn, records)
            await conn.execute(Q.move_built_offsets, self.number, *zip(*rows, strict=True))

    async def _note(self) -> None:
        """How far all hands are."""
        self._stands |= _places(await self.conn.fetch(Q.built_offsets, self.number))
        total = sum(self._upto.values())
        self.told(total - self.behind, total)

    async def stand(self) -> None:
        """Where whoever was killed has left it."""
        self._stands = _places(await self.conn.fetch(Q.built_offsets, self.number))
        self.resumed = sum(self._stands.values())


async def begin(conn: Connection, what: Definition, log: Log, fold: Fold, told: Told) -> Building:
    """The one that was left unfinished, if it is of this code; else a new one."""
    left = await conn.fetchrow(Q.being_built)
    if left is not None and left["digest"] != what.digest:
        await conn.execute(Q.give_up, left["number"])
        left = None
    if left is not None:
        await stay_in(conn, left["number"])
        number = int(left["number"])
    else:
        async with conn.transaction():
            number = await create(conn, what, "building")
    building = Building(conn, number, log, fold, told)
    await building.stand()
    return building


def _places(rows: "list[Record]") -> dict[Place, int]:
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
