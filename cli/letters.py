"""The dead letters of services as their own tables list them, and the wish to replay some."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, NamedTuple

import asyncpg

from chassis.dead_letters import Place, Q, ask
from chassis.postgres import LIMITS, Connection
from cli.client import RefusedError
from cli.printing import Json
from cli.service_databases import Ground

PATIENCE: Final = 30.0
"""Seconds without any progress."""
LOOK_EVERY: Final = 0.2


class Named(NamedTuple):
    service: str
    place: Place


@dataclass(frozen=True, slots=True)
class Letter:
    service: str
    place: Place
    row: asyncpg.Record

    @property
    def state(self) -> str:
        if self.row["replayed_at"] is not None:
            return "replayed late" if self.row["late"] else "replayed"
        return "asked" if self.row["asked"] else "waiting"

    @property
    def is_replayed(self) -> bool:
        return self.row["replayed_at"] is not None

    def as_json(self) -> Json:
        row = self.row
        return {
            "service": self.service,
            "id": str(self.place),
            "state": self.state,
            "error": row["error"],
            "at": row["at"].isoformat(),
            "tried_at": row["tried_at"].isoformat(),
            "times": row["times"],
            "batch_id": row["batch_id"] and str(row["batch_id"]),
            "held": row["held"],
            "late": row["late"],
            "replayed_at": row["replayed_at"] and row["replayed_at"].isoformat(),
            "hint": hint(self),
        }


def hint(letter: Letter) -> str:
    """What to do about it."""
    error = str(letter.row["error"])
    if letter.row["late"]:
        return "Later records of its key came first: `rollcall rebuild` applies them in order."
    if letter.is_replayed:
        return "Nothing more."
    if letter.row["batch_id"] is not None:
        return "Its batch stands still: deploy what can apply it, then replay."
    if error == "no ce_type of ours":
        return "Not ours, and passed over: find out who writes to this topic. No need to replay it."
    return "It says it is ours and does not read so: deploy what can read it, then replay."


@asynccontextmanager
async def session(service: str, ground: Ground) -> AsyncIterator[Connection]:
    """Raises RefusedError, at once: a person waits."""
    try:
        conn = await asyncpg.connect(
            ground.postgres_dsn.get_secret_value(),
            server_settings=LIMITS | {"application_name": "dead letters"},
            timeout=5,
        )
        try:
            yield conn
        finally:
            await conn.close(timeout=5)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        title = f"The database of {service} does not answer: see `rollcall doctor`."
        raise RefusedError(0, {"title": title}) from error


async def listed(grounds: Mapping[str, Ground]) -> list[Letter]:
    found: list[Letter] = []
    for service, ground in grounds.items():
        async with session(service, ground) as conn:
            found += [
                Letter(service, Place(row["topic"], row["partition"], row["offset"]), row)
                for row in await conn.fetch(Q.list_all)
            ]
    return found


async def replay(grounds: Mapping[str, Ground], wanted: Iterable[Letter]) -> list[Letter]:
    """Asks for them, and gives what became of them, once answered or without progress."""
    names = {Named(letter.service, letter.place) for letter in wanted}
    for service, ground in grounds.items():
        places = sorted(name.place for name in names if name.service == service)
        if places:
            async with session(service, ground) as conn:
                await ask(conn, places)
    loop = asyncio.get_running_loop()
    before: list[Letter] = []
    until = loop.time()
    while True:
        now = [each for each in await listed(grounds) if Named(each.service, each.place) in names]
        if [each.row for each in now] != [each.row for each in before]:
            until = loop.time() + PATIENCE
        if not any(each.row["asked"] for each in now) or loop.time() > until:
            return now
        before = now
        await asyncio.sleep(LOOK_EVERY)
