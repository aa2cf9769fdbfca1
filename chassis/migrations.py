"""The schema goes forward only, each step once, however many processes start at once.

Older code works on a newer schema, for steps only add: what takes something from older code has
a name that ends in `.breaks`, and code that does not know such a step refuses to start.

The lock is polled: a session that waits for an advisory lock holds a snapshot, and deadlocks with
CREATE INDEX CONCURRENTLY.
"""

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path

import structlog

from chassis.postgres import Connection, connect
from chassis.queries import load_queries

log = structlog.get_logger()

CHASSIS = Path(__file__).parent / "migrations"
LOCK = 0x526F6C6C
BREAKS = ".breaks"
Q = load_queries(__file__, "migrations.sql")


class MigrationError(Exception):
    """A step that was applied is not the one in the folder, or too new for this code."""


@dataclass(frozen=True, slots=True)
class Step:
    number: int
    name: str
    sql: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def steps_in(folder: Path) -> list[Step]:
    """NNNN_name.sql of the folder and its sub-folders, in the order of their numbers."""
    steps = [
        Step(int(path.stem.split("_")[0]), path.stem, path.read_text("utf-8"))
        for path in sorted(folder.rglob("*.sql"), key=lambda path: path.stem)
    ]
    numbers = [step.number for step in steps]
    if len(set(numbers)) < len(numbers):
        raise MigrationError(f"two migrations of {folder.name} have the same number")
    return steps


async def migrate(dsn: str, folder: Path | None, *, chassis: bool = True) -> None:
    """Brings a service's database to its present schema: the chassis' tables, then its own."""
    conn = await connect(dsn, application_name="migrations", transaction_timeout="0",
                         statement_timeout="0")  # fmt: skip
    try:
        while not await conn.fetchval(Q.try_lock, LOCK):  # noqa: ASYNC110 - another session's lock
            await asyncio.sleep(0.1)
        await conn.execute(Q.create_history)
        if chassis:
            await _apply(conn, "chassis", steps_in(CHASSIS))
        if folder is not None:
            await _apply(conn, "service", steps_in(folder))
    finally:
        await conn.close()  # the lock goes with the session


async def _apply(conn: Connection, scope: str, steps: list[Step]) -> None:
    rows = await conn.fetch(Q.applied, scope)
    _refuse_what_breaks(scope, [row["name"] for row in rows], steps)
    applied = {row["number"]: row["digest"] for row in rows}
    for step in steps:
        if step.number in applied:
            if applied[step.number] != step.digest:
                raise MigrationError(f"{step.name} was changed after it had been applied")
            continue
        async with conn.transaction():
            await conn.execute(step.sql)
            await conn.execute(Q.record, scope, step.number, step.name, step.digest)
        log.info("migrated", scope=scope, step=step.name)


def _refuse_what_breaks(scope: str, applied: list[str], steps: list[Step]) -> None:
    newer = sorted(set(applied) - {step.name for step in steps})
    if any(name.endswith(BREAKS) for name in newer):
        raise MigrationError("The database is of a newer version: start that one, not this.")
    if newer:
        log.info("schema_is_newer", scope=scope, steps=newer)
