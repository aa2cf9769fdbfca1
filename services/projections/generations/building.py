"""A new generation grows beside the live one, a page a transaction: killed anywhere, it goes on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chassis.apply import Fold
from chassis.postgres import Connection
from chassis.records import Received
from chassis.replay import Place, replay
from contracts.topics import TOPICS
from services.projections.generations.definition import Definition, Q, create, stay_in

if TYPE_CHECKING:
    from asyncpg import Record

Told = Callable[[int, int], None]
"""Is told how many of how many records have been read."""


@dataclass(frozen=True, slots=True)
class Log:
    kafka: str
    prefix: str


@dataclass
class Building:
    conn: Connection
    number: int
    log: Log
    fold: Fold
    told: Told
    records: int = 0
    """Folded by us."""
    resumed: int = 0
    """Read by whoever was killed before us."""
    _stands: dict[Place, int] = field(default_factory=dict)

    async def read_up(self) -> int:
        """To where the live model stands at this moment; gives how many records were folded."""
        upto = _places(await self.conn.fetch(Q.live_offsets))
        held_back = frozenset(tuple(row) for row in await self.conn.fetch(Q.held_back))
        self._tell(upto)

        async def page(conn: Connection, records: list[Received]) -> None:
            async with conn.transaction():
                await conn.execute(Q.unflushed)
                await self.fold(conn, records)
                await self._move_on(records)
            self._tell(upto)

        folded = await replay(
            self.log.kafka,
            self.log.prefix,
            TOPICS,
            {(topic.name, n): 0 for topic in TOPICS for n in range(topic.partitions)} | upto,
            page,
            self.conn,
            since=self._stands,
            held_back=held_back,
        )
        self._stands |= upto  # what is not ours at the end of a partition counts as read
        self.records += folded
        return folded

    async def _move_on(self, records: list[Received]) -> None:
        moved = {(r.topic, r.partition): r.offset + 1 for r in records}
        rows = [(*place, offset) for place, offset in moved.items()]
        await self.conn.execute(Q.move_built_offsets, self.number, *zip(*rows, strict=True))
        self._stands |= moved

    def _tell(self, upto: Mapping[Place, int]) -> None:
        read = sum(min(at, self._stands.get(place, 0)) for place, at in upto.items())
        self.told(read, sum(upto.values()))

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
