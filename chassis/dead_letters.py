"""What could not be read or applied stays listed, by its place in the log, until it is replayed.

The list is the service's own table, written in the transaction that moves past the record: whatever
is read again after a loss is listed again.  It never holds what a record holds.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import structlog

from chassis.outbox import put_encoded
from chassis.postgres import Connection
from chassis.queries import load_queries
from contracts.codec import Encoded
from contracts.topics import dead_letters_of

log = structlog.get_logger()
Q = load_queries(__file__, "dead_letters.sql")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that is not ours, as a service met it."""

    service: str
    topic: str
    partition: int
    offset: int
    error: str

    @property
    def origin(self) -> dict[str, Any]:
        return {"topic": self.topic, "partition": self.partition, "offset": self.offset}

    def record(self) -> tuple[str, Encoded]:
        """Where it stands in the log and what is wrong with it; never what it holds."""
        value = json.dumps({"origin": self.origin, "error": self.error}).encode()
        key = f"{self.topic}/{self.partition}/{self.offset}".encode()
        headers = [("content-type", b"application/json")]
        return dead_letters_of(self.service), Encoded(key, value, headers)


class Place(NamedTuple):
    """Of a record in the log; as `topic:partition:offset` it names a dead letter."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return ":".join(map(str, self))


def columns(places: Sequence[Place]) -> tuple[list[str], list[int], list[int]]:
    topics, partitions, offsets = zip(*places, strict=True) if places else ((), (), ())
    return list(topics), list(partitions), list(offsets)


async def note(conn: Connection, letters: Sequence[DeadLetter]) -> None:
    """In the caller's transaction: to the service's topic of dead letters, and to its list."""
    if letters:
        await put_encoded(conn, [letter.record() for letter in letters])
        places = [Place(it.topic, it.partition, it.offset) for it in letters]
        await conn.execute(Q.note, *columns(places), [it.error for it in letters])


async def still_bad(conn: Connection, place: Place, why: str) -> None:
    log.error("dead_letter_still_bad", origin=str(place), error=why)
    await conn.execute(Q.still_bad, *place, why)


async def ask(conn: Connection, places: Sequence[Place]) -> None:
    """Whoever of the service is alive replays them; if none is, the next one that starts."""
    async with conn.transaction():
        await conn.execute(Q.ask, *columns(places))
        await conn.execute(Q.tell)
