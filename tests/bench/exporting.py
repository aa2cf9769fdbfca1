"""How fast the results of a long batch are downloaded, and what memory that takes.

The batch is folded straight into the model of a running house: no carrier rings a million times.
"""

import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import uvloop

from chassis.postgres import connect
from chassis.queries import load_queries
from contracts.event import Event
from contracts.ids import chunk_id_of
from contracts.outcomes import Outcome
from contracts.recipients import RecipientEntry, RecipientsAdded
from contracts.sealed import RecipientSecrets, Seal
from services.projections.generations.definition import stay_in
from services.projections.handlers import fold_events
from tests.batch_story import AT, Story
from tests.bench.figure import Figure, Goal
from tests.bench.meter import forget_peak, peak_resident, resident
from tests.bench.sizes import Size
from tests.house import House

Q = load_queries(__file__, "exporting.sql")
AT_ONCE = 2000
ENDINGS = (Outcome.COMPLETED, Outcome.VOICEMAIL, Outcome.NO_ANSWER, Outcome.BUSY)
TALKED, WAITING = 6, 10
"""Of how many people one has said something, and one was not called yet."""
SEAL = Seal(bytes(32), "bench")
MEGABYTE = 1024 * 1024


class OneKey:
    async def of(self, scope: str) -> Seal | None:  # noqa: ARG002 - one for all
        return SEAL


def measure(house: House, size: Size) -> list[Figure]:
    people = size.uploaded_rows
    dsn = house.endpoints["databases"]["projections"]
    story = Story(SEAL, uuid4(), people)
    uvloop.run(_fold(dsn, story))
    before = _copied(dsn, house.folder / "copied.csv")
    pid = house.pid("projections")
    idle = resident(pid)
    forget_peak(pid)
    rates = {kind: _downloaded(house, story, kind) for kind in ("csv", "jsonl")}
    peak = peak_resident(pid)
    bare = 2 * people / (before + _copied(dsn, house.folder / "copied.csv"))
    rows = f"{people:,} results"
    return [
        *(
            Figure(f"{rows} as {kind}", people / seconds, "rows/s", bare,
                   "COPY of the same columns", Goal(at_least=0.3, of_ratio=True))
            for kind, seconds in rates.items()
        ),
        Figure("memory over idle while they are read", (peak - idle) / MEGABYTE, "MB",
               idle / MEGABYTE, "idle", Goal(at_most=50)),
    ]  # fmt: skip


def _downloaded(house: House, story: Story, kind: str) -> float:
    url = f"{house.endpoints['projections']}/v1/batches/{story.batch_id}/results.{kind}"
    file = house.folder / f"results.{kind}"
    began = time.monotonic()
    subprocess.run(["curl", "--fail", "--silent", "--output", file, url], check=True)
    seconds = time.monotonic() - began
    _check(file, story.people + (kind == "csv"))
    return seconds


def _check(file: Path, lines: int) -> None:
    with file.open("rb") as found:
        if (told := sum(1 for _ in found)) != lines:
            raise AssertionError(f"{file.name} has {told} lines, not {lines}")


def _copied(dsn: str, file: Path) -> float:
    return uvloop.run(_copy(dsn, file))


async def _copy(dsn: str, file: Path) -> float:
    unbound = {"statement_timeout": "0", "transaction_timeout": "0"}
    conn = await connect(dsn, application_name="bench", **unbound)
    try:
        await stay_in(conn, 1)
        began = time.monotonic()
        await conn.copy_from_query(Q.results, output=file, format="csv", header=True)
        return time.monotonic() - began
    finally:
        await conn.close()


async def _fold(dsn: str, story: Story) -> None:
    conn = await connect(dsn, application_name="bench")
    try:
        await stay_in(conn, 1)
        for poll in _polls(story):
            async with conn.transaction():
                await fold_events(conn, poll, keys=OneKey())
    finally:
        await conn.close()
    plain = await asyncpg.connect(dsn)
    await plain.execute("VACUUM (ANALYZE)")
    await plain.close()


def _polls(story: Story) -> Iterator[list[Event]]:
    yield [story.created(), story.started()]
    for first in range(1, story.people + 1, AT_ONCE):
        rows = range(first, min(first + AT_ONCE, story.people + 1))
        called = [row for row in rows if row % WAITING]
        ended = [story.completed(row, ENDINGS[row % len(ENDINGS)]) for row in called]
        said = [story.conversation(row) for row in called if row % TALKED == 0]
        yield [_chunk(story, rows), *ended, *said]


def _chunk(story: Story, rows: range) -> Event:
    return RecipientsAdded(
        account_id=story.account,
        at=AT + timedelta(seconds=rows.start),
        batch_id=story.batch_id,
        addition_id=story.addition_id,
        chunk_id=chunk_id_of(story.addition_id, "added", rows.start),
        chunk_no=rows.start,
        chunks=1,
        recipients=tuple(
            RecipientEntry(
                recipient_id=story.recipient_id(row), row=row, sealed=SEAL.close(_secrets(row))
            )
            for row in rows
        ),
    )


def _secrets(row: int) -> RecipientSecrets:
    variables = {"plan": f"Plan {row % 3}", "due": f"{row % 100}.50", "city": "Lyon"}
    return RecipientSecrets(
        phone_number=f"+1202{row:07}", name=f"Person {row}", variables=variables
    )
